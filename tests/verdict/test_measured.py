"""What a gradient looks like where its function is known by its values alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

WEIGHTS = np.array([0.5, -1.0, 2.0])


def plain(x: Any) -> Any:
    # of this a trace knows nothing
    return np.array([math.ldexp(*math.frexp(v)) for v in x])


def known_by_values(x: Any) -> float:
    x = plain(x)
    return WEIGHTS @ x**3 + x[0] * x[1]


def right(x: Any) -> Any:
    x = plain(x)
    return 3 * WEIGHTS * x**2 + np.array([x[1], x[0], 0.0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda g, x: -g, "the sign is flipped in every component (a descent direction)"),
        (lambda g, x: g * [1, 2, 1], "factor 2 too many: the claim is 2*D in component x[1]"),
        (lambda g, x: g[[1, 0, 2]], "the components are permuted: x[0] and x[1] are swapped"),
        (lambda g, x: g * [1, 1, 0], "component x[2] is 0: the variable is treated as constant"),
        (lambda g, x: g - 0.25 * x, "the term 0.25*x is missing: the gradient of a regulariser"),
        (lambda g, x: g + np.array([0, 0, np.sin(x[0])]), None),
    ],
)
def test_what_values_tell_is_worded_as_likeness(change: Any, said: str | None) -> None:
    verdict = dc.check_gradient(known_by_values, lambda x: change(right(x), x), [0.7, 1.3, 0.4])
    assert (verdict.status, verdict.evidence) == ("wrong", "witness")
    assert verdict.cause == (None if said is None else f"looks like: {said}")


def test_to_measure_takes_no_more_than_four_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls() -> Any:
        return np.array(dc.check_gradient(known_by_values, lambda x: -right(x), [0.7, 1.3, 0.4]).calls)

    whole = calls()
    monkeypatch.setattr("diffcompare.verdict.verdict.measured", lambda problem, judgement: judgement)
    assert (whole - calls() <= 4 * calls()).all()


def slope(x: Any) -> Any:
    x = plain(x)
    return 3 * WEIGHTS * x**2 + np.array([x[1], -x[0], 0.0])


@pytest.mark.places
def test_the_place_is_marked_beside_a_function_of_values_alone() -> None:
    verdict = dc.check_gradient(known_by_values, slope, [0.7, 1.3, 0.4])
    (mark,) = verdict.marks
    assert (mark.text, mark.message.split(":")[0]) == ("-x[0]", "looks like")


def test_a_slow_function_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffcompare.verdict.measured._SECONDS", 0.0)
    assert dc.check_gradient(known_by_values, lambda x: -right(x), [0.7, 1.3, 0.4]).cause is None


def cubes(x: Any) -> Any:
    return 3 * WEIGHTS * x**3


@pytest.mark.places
def test_a_function_that_the_gradient_calls_is_looked_at_too() -> None:
    def by_another(x: Any) -> Any:
        return cubes(plain(x)) + np.array([x[1], x[0], 0.0])

    (mark,) = dc.check_gradient(known_by_values, by_another, [0.7, 1.3, 0.4]).marks
    assert (mark.text, mark.message) == ("x**3", "looks like: the exponent should be 2")
