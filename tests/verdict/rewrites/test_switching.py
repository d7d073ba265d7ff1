"""What is tried at a place needs no code of its own, and gives what the code with it would give."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.rewrites.running import Body, Change, Changed, bodies_of
from diffcompare.verdict.rewrites.switching import Switches
from diffcompare.verdict.rewrites.syntax import Site, sites_of, text_of

X = np.array([0.5, 2.0])


def gradient(x: Any) -> Any:
    total = np.sum(x)
    scale = 3.0 * total

    def inner() -> Any:
        return scale

    return [scale * v for v in x[:2]] + 0 * inner()


def at(body: Body, text: str) -> Site:
    return next(site for site in sites_of(body.definition) if text_of(site.node) == text and site.field != "targets")


def compiled(body: Body, changes: Sequence[Change]) -> Changed:
    with body.changed(changes) as changed:
        return changed


def expression(text: str) -> Any:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "new"),
    [("3.0 * total", "3.0 / total"), ("total", "x[0]"), ("np.sum(x)", "np.prod(x)"), ("inner()", "scale")],
)
def test_a_switched_gradient_gives_what_the_changed_code_gives(text: str, new: str) -> None:
    (body,) = bodies_of(gradient)
    change = at(body, text).replaced(expression(new))
    switched = Switches(body).gradient([change], lambda changes: compiled(body, changes))
    assert switched is not None
    assert np.array_equal(switched(X), compiled(body, [change])(X))
    # the code itself stays as it was
    assert np.array_equal(compiled(body, [])(X), gradient(X))


def test_a_place_is_compiled_once() -> None:
    (body,) = bodies_of(gradient)
    site, switches, made = at(body, "3.0 * total"), Switches(body), []
    results = []
    for new in ("total", "2 * total", "total ** 2"):
        switched = switches.gradient(
            [site.replaced(expression(new))], lambda changes: made.append(changes) or compiled(body, changes)
        )
        assert switched is not None
        results.append(switched(X)[0])
    assert len(made) == 1
    assert results == [2.5 * 0.5, 5.0 * 0.5, 6.25 * 0.5]


def test_what_has_names_of_its_own_and_what_is_no_value_is_not_switched() -> None:
    (body,) = bodies_of(gradient)
    switches = Switches(body)
    inside, part = at(body, "scale * v"), at(body, ":2")
    whole = at(body, "3.0 * total")
    for changes in (
        [inside.replaced(expression("v"))],
        [part.replaced(expression("_[1:]").slice)],
        [whole.replaced(expression("[v for v in x]"))],
        [whole.replaced(expression("total"))] * 2,
    ):
        assert switches.gradient(changes, lambda changes: compiled(body, changes)) is None
