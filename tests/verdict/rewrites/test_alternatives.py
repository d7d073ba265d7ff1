"""What may have been meant: each change that people undo is among those that are tried."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.insertions import Probe, insertions_of, pool_of
from diffcompare.verdict.rewrites.syntax import Names, sites_of, text_of

NAMES = Names(("a", "b", "c", "i", "j", "p", "q"), indices=("i", "j"), chosen=("p[i]",), filled=frozenset("abc"))

MEANT = [
    ("a = np.einsum('hij,hjk->hik', b, c)", "a = np.einsum('hji,hjk->hik', b, c)"),
    ("a = np.einsum('hij,hjk->hik', b, c)", "a = np.einsum('hij,hjk->hki', b, c)"),
    ("a = [b, c, p, q]", "a = [b, q, p, c]"),
    ("a = b.sum() * c", "a = b.sum(axis=0) * c"),
    ("a = np.mean(b)", "a = np.mean(b, axis=1)"),
    ("a = p * q * (b @ c)", "a = p * (b @ (q * c))"),
    ("a = b @ (p * c)", "a = p * (b @ c)"),
    ("a = c * b * (1 - b)", "a = c * (1 - b ** 2)"),
    ("a = b * (1 - b)", "a = 1 - b ** 2"),
    ("a = c * (1 - b ** 2)", "a = c * (b * (1 - b))"),
    ("a[i, i] += b", "a[j, j] += b"),
    ("a[:, j] -= b", "a[:, p[i]] -= b"),
    ("a += b", "a[i] += b"),
]


def changed(source: str, names: Names = NAMES) -> set[str]:
    tree = ast.parse(f"def gradient(a, b, c):\n    {source}\n")
    (definition,) = tree.body
    found = set()
    for one in rewrites_of(list(sites_of(definition)), names):
        undo = [change.exchange() for change in one.changes]
        found.add(text_of(definition.body[0]))  # type: ignore[attr-defined]
        for change in reversed(undo):
            change.exchange()
    assert text_of(definition.body[0]) == ast.unparse(ast.parse(source))  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(("source", "meant"), MEANT)
def test_what_was_meant_is_among_the_changes(source: str, meant: str) -> None:
    assert meant in changed(source)


def test_a_letter_is_exchanged_within_one_array() -> None:
    assert "a = np.einsum('jih,hjk->hik', b, c)" not in changed("a = np.einsum('hij->ij', b)")
    assert not [text for text in changed("a = np.einsum('ii', b)") if "'ii'" not in text and "einsum" in text]


def test_of_long_lists_neighbours_are_exchanged() -> None:
    source = "a = [b, c, p, q, i, j, b + c]"
    assert "a = [c, b, p, q, i, j, b + c]" in changed(source)
    assert "a = [p, c, b, q, i, j, b + c]" not in changed(source)


@dataclass
class Beside:
    """What may be missing beside ``own``."""

    own: str
    at_hand: dict[str, Any]
    names: Names = field(default=NAMES)

    def texts(self) -> set[str]:
        (definition,) = ast.parse(f"def gradient(a):\n    {self.own}\n").body
        site = next(one for one in sites_of(definition) if isinstance(one.node, ast.expr))
        value = eval(self.own, {"np": np}, self.at_hand)
        probe = Probe({"np": np}, seen=(value, self.at_hand))
        found = insertions_of(site, list(pool_of(self.names)), probe)
        return {text_of(one.rewrite.changes[0].new) for one in found}


def test_a_number_of_the_function_may_be_a_term() -> None:
    found = Beside("a", {"a": 0.25}, Names(("a",), numbers=(1, 0.5))).texts()
    assert {"a + 1", "a - 1", "a + 0.5", "a * 0.5", "a / 0.5", "a * 3"} <= found
    assert "a + 3" not in found
    assert "a / 1" not in found


def test_an_index_is_no_factor_and_a_count_has_no_power() -> None:
    found = Beside("a", {"a": 0.25, "i": 3, "b": 4}, Names(("a", "i", "b"), indices=("i",))).texts()
    assert "a / b" in found
    assert not {"a * i", "a / i", "a * i ** 2", "a * (1 - i)"} & found
    counted = Beside("b", {"b": 4}, Names(("b",))).texts()
    assert "b ** 2" not in counted


def test_the_mean_by_probabilities_may_be_missing() -> None:
    p = np.array([[0.25, 0.75], [0.5, 0.5]])
    found = Beside("a", {"a": np.ones((2, 2)), "p": p, "q": 2 * p}, NAMES).texts()
    assert "a - (p * a).sum(axis=1, keepdims=True)" in found
    assert "a - (p * a).sum(axis=0, keepdims=True)" not in found
    assert not [text for text in found if text.startswith("a - (q * a).sum")]


def test_a_number_that_is_missing_is_called_a_constant() -> None:
    (definition,) = ast.parse("def gradient(a):\n    a\n").body
    site = next(one for one in sites_of(definition) if isinstance(one.node, ast.expr))
    probe = Probe({}, seen=(0.25, {"a": 0.25}))
    found = [one.rewrite for one in insertions_of(site, list(pool_of(Names(("a",), numbers=(1,)))), probe)]
    assert "the constant 1 is missing beside {}" in [one.cause for one in found]


def test_what_has_the_same_value_is_tried_once_but_for_names() -> None:
    names = Names(("a", "b", "c"), expressions=frozenset({"b + c", "c + b"}))
    found = Beside("a", {"a": 0.25, "b": 1.5, "c": 1.5}, names).texts()
    assert len({"a * (b + c)", "a * (c + b)"} & found) == 1
    assert {"a * b", "a * c"} <= found
