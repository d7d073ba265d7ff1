"""Points where f branches between equal numbers or within rounding: no false alarm, and bugs beside a tie are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

TIES = [[2.0, -2.0, -2.0, 2.0, 2.0], [0.0] * 5, [1.0] * 5, [3.0, 3.0, 1.0, 1.0, 2.0], [0.1, 0.1, 0.3, 0.1 + 0.2, 0.3]]


def opaque(x: Any) -> Any:
    """Take a value through bytes, as compiled code does: no trace can follow."""
    return np.frombuffer(np.asarray(x, dtype=np.float64).tobytes()).reshape(np.shape(x))[()]


def chosen(*places: int, weights: Any = 1.0) -> Callable[[Any], Any]:
    def slopes(x: Any) -> Any:
        found = np.zeros(x.size)
        found[np.argsort(x)[list(places)]] = weights
        return found

    return slopes


def trimmed_slopes(x: Any) -> Any:
    slopes = 2 * x
    slopes[np.argmin(x)] = 0
    slopes[np.argmax(x)] = 0
    return slopes


def largest(x: Any) -> Any:
    found = x[0]
    for v in x[1:]:
        if v > found:
            found = v
    return found


CHOICES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "trimmed sum": (lambda x: np.sum(np.sort(x)[1:-1] ** 2), trimmed_slopes),
    "sum of the sorted middle": (lambda x: sum(sorted(x)[1:-1]), chosen(1, 2, 3)),
    "largest two": (lambda x: np.sum(np.sort(x)[-2:]), chosen(-1, -2)),
    "weighted order": (lambda x: np.sum(np.sort(x) * np.arange(5.0)), lambda x: np.argsort(np.argsort(x)) * 1.0),
    "median": (lambda x: np.median(x) ** 2, lambda x: 2 * np.median(x) * chosen(2)(x)),
    "a loop for the largest": (largest, lambda x: (np.arange(x.size) == np.argmax(x)) * 1.0),
    "mean of the largest": (np.max, lambda x: (x == np.max(x)) / np.sum(x == np.max(x))),
    "deviations from the median": (
        lambda x: np.sum(np.abs(x - np.median(x))),
        lambda x: np.sign(x - np.median(x)) - np.sum(np.sign(x - np.median(x))) * chosen(2)(x),
    ),
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("at", TIES, ids=str)
@pytest.mark.parametrize("name", CHOICES)
def test_any_choice_between_equal_numbers_is_no_fault(name: str, at: Any) -> None:
    f, gradient = CHOICES[name]
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status in ("non-smooth", "inconclusive", "consistent"), verdict.explain()
    assert verdict.status != "inconclusive" or verdict.evidence != "identity"


@pytest.mark.parametrize("at", [TIES[0], *(pytest.param(at, marks=pytest.mark.thorough) for at in TIES[1:])], ids=str)
@pytest.mark.parametrize("name", CHOICES)
def test_nor_is_that_of_a_gradient_that_cannot_be_traced(name: str, at: Any) -> None:
    f, gradient = CHOICES[name]
    verdict = dc.check_gradient(f, lambda x: gradient(opaque(x)), at)
    assert verdict.status in ("non-smooth", "inconclusive", "consistent"), verdict.explain()
    assert verdict.status != "inconclusive" or verdict.evidence != "identity"


def test_equal_numbers_that_do_not_matter_leave_the_function_smooth() -> None:
    for at in TIES:
        assert dc.check_gradient(lambda x: np.sum(np.sort(x) ** 2), lambda x: 2 * x, at).status == "consistent"
    # the two sides of a condition belong together
    pieces = dc.check_gradient(lambda x: x**2 * (x > 1) + x**2 * (x <= 1), lambda x: 2 * x, 1.0)
    assert pieces.status == "consistent"


def test_a_bug_beside_a_tie_is_found() -> None:
    def statuses(f: Any, gradient: Any, at: Any) -> list[str]:
        return [str(s) for s in dc.check_gradient(f, gradient, at).components["status"]]

    def kinked(x: Any) -> Any:
        return np.abs(x[0]) + x[1] ** 2

    assert statuses(kinked, lambda x: np.array([np.sign(x[0]), x[1]]), [0.0, 3.0]) == ["non-smooth", "wrong"]
    # smooth there, and there are few sides to try
    squares = statuses(lambda x: np.sum(np.maximum(x, 0) ** 2), lambda x: 2 * np.maximum(x, 0) + 0.5, np.zeros(20))
    assert squares == ["wrong"] * 20
    # along each axis there are two sides, however many numbers are equal
    assert statuses(lambda x: np.sum(np.sort(x) ** 2), lambda x: 2.5 * x, [1.0] * 6) == ["wrong"] * 6
    assert statuses(lambda x: np.sum(np.sort(x) ** 2), lambda x: 2.5 * x, [1.0, 1.0, 2.0]) == ["wrong"] * 3


def test_second_derivatives_need_a_slope_on_both_sides() -> None:
    def wide(x: Any) -> Any:
        return np.sum(np.maximum(x, 0) ** 2) + x[0] * x[1]

    def hessian(x: Any) -> Any:
        return np.diag(2.0 * (x > 0)) + np.array([[0.0, 1.0], [1.0, 0.0]])

    found = dc.check_hessian(wide, hessian, [0.0, 1.0]).components["status"].tolist()
    assert found[0] == "non-smooth"
    assert found[3] == "consistent"
    corner = dc.check_hessian(lambda x: np.abs(x[0]) + x[1] ** 2, lambda x: np.diag([0.0, 2.0]), [0.0, 1.0])
    assert corner.components["status"].tolist() == ["non-smooth"] * 3 + ["consistent"]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("step", range(-3, 4))
@pytest.mark.parametrize("third", [0.1, 0.7, 2.3, 2.9])
def test_a_switch_within_rounding_is_not_held_against_the_gradient(third: float, step: int) -> None:
    # the two codes write one condition in two ways
    at = third / 3 + step * np.spacing(third / 3)

    def f(x: Any) -> Any:
        return np.where(x * 3 < third, x**2, 5 * x)

    for follows in (lambda x: x, opaque):
        verdict = dc.check_gradient(f, lambda x, y=follows: 2 * x if y(x) < third / 3 else 5.0, at)
        assert verdict.status != "wrong", verdict.explain()
    # the bug is larger than what the branches leave open
    corner = dc.check_gradient(lambda x: np.maximum(2 * x, 5 * x - third), lambda x: 9.0 + 0 * x, at)
    assert corner.status == "wrong" or at * 3 == third, corner.explain()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("square", [1.5, 2.0, 2.5, 3.0, 7.0])
def test_the_other_branch_is_not_taken_for_cancellation(square: float) -> None:
    at = np.sqrt(square)
    verdict = dc.check_gradient(lambda x: np.abs(x**2 - square), lambda x: 2 * x if x > at else -2 * x, at)
    assert verdict.status != "wrong", verdict.explain()


def test_a_claim_without_a_value_at_a_kink_is_non_smooth() -> None:
    assert dc.check_gradient(np.abs, lambda x: x / np.abs(x), 0.0).status == "non-smooth"


def test_numbers_that_went_through_bytes_are_no_constants_of_the_code() -> None:
    # at a tie no point nearby takes the same branches, at the least of numbers nothing moves
    found = dc.check_gradient(np.max, lambda x: (np.arange(5) == np.argmax(opaque(x))) * 1.0, [1.0] * 5)
    assert found.evidence != "identity"
    tiny = dc.check_gradient(lambda x: np.hypot(*opaque(x)), lambda x: x / np.hypot(*x), [5e-324, 0.0])
    assert tiny.status != "wrong"


def test_sorting_is_no_loop_that_ends() -> None:
    found = dc.check_gradient(
        lambda x: np.sum(np.sort(x)[1:-1] ** 2), lambda x: 1.001 * trimmed_slopes(x), [3.0, 1.0, 2.0, 5.0, 4.0]
    )
    assert found.components["status"].tolist() == ["wrong", "consistent", "wrong", "consistent", "wrong"]
    assert "limits" not in found.explain()


def test_a_function_that_is_read_through_bytes_is_no_constant() -> None:
    # in tiny numbers nothing moves that could show it
    for at in (np.full(3, 1e-301), np.array([3e-9, -2e-9, 1e-8])):
        found = dc.check_gradient(
            lambda x: np.sum(np.sqrt(np.abs(opaque(x)) + 1)), lambda x: np.sign(x) / (2 * np.sqrt(np.abs(x) + 1)), at
        )
        assert found.status != "wrong", found.explain()


def test_a_trace_that_is_not_the_code_says_nothing_of_its_sides() -> None:
    # the sides of the trace have the slope 0 in x[0]; that of the code, which no trace sees, is 1
    def function(x: Any) -> Any:
        apart = np.maximum(x[0], x[1]) - np.minimum(x[0], x[1])
        return apart**2 + (x[0] + 7 if type(x).__name__ == "ndarray" else 0.0)

    found = dc.check_gradient(function, lambda x: np.array([2 * (x[0] - x[1]) + 1, 2 * (x[1] - x[0])]), [1.0, 1.0])
    assert found.status == "consistent", found.explain()


def test_equality_of_arrays_is_no_closeness() -> None:
    def function(x: Any) -> Any:
        return 3.0 if np.array_equal(x, [1.0, 2.0]) or np.array_equal(x, [1.0]) else x[0] + x[1] ** 2

    for at, status in (([1.0, 2 + 1e-9], "consistent"), ([1.0, 2.0], "non-smooth")):
        found = dc.check_gradient(function, lambda x: np.array([1.0, 2 * x[1]]), at)
        assert (found.status, found.evidence) == (status, "identity"), found.explain()
