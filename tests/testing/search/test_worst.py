"""The search for the worst point: structures, statements about what was covered, arguments that are refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import sympy

import diffcompare as dc
from diffcompare.testing.search.sampling import written_numbers
from diffcompare.testing.search.worst import find_worst


def square(x: Any) -> Any:
    return np.sum(x**2)


def test_the_same_search_finds_the_same_point() -> None:
    def gradient(x: Any) -> Any:
        return 2 * x + 1e-3 * np.sin(x)

    one, two = (find_worst(square, gradient, ([0.0, 0.0], [1.0, 2.0])) for _ in range(2))
    assert np.array_equal(one.point, two.point)
    assert (one.covered, one.evaluations, one.relative) == (two.covered, two.evaluations, two.relative)


def test_the_point_has_the_structure_of_the_box_and_lies_in_it() -> None:
    def f(p: Any) -> Any:
        return np.sum(p["w"] ** 2) + p["b"]

    def gradient(p: Any) -> Any:
        return {"w": 2 * p["w"] * np.where(p["b"] > 0.999, 1.5, 1.0), "b": 1.0}

    box = {"w": np.zeros((2, 2)), "b": -1.0}, {"w": np.ones((2, 2)), "b": 1.0}
    worst = find_worst(f, gradient, box)
    assert worst.verdict.status == "wrong"
    assert worst.point["w"].shape == (2, 2)
    assert (worst.point["w"] <= 1).all()
    assert 0.999 < worst.point["b"] <= 1
    assert worst.relative <= 0.5 + 2.0**-50


@pytest.mark.parametrize(
    "formula", ["x0*x1 + x0", dc.parse("a*b + a"), sympy.sympify("x0*x1 + x0")], ids=["text", "function", "sympy"]
)
def test_an_opaque_function_needs_a_formula(formula: Any) -> None:
    def f(x: Any) -> Any:
        a, b = np.frombuffer(x.tobytes())
        return float(f"{a * b + a}")

    def gradient(x: Any) -> Any:
        return np.array([x[1] + 1, x[0] if x[0] < 0.995 else 0.0])

    worst = find_worst(f, gradient, ([0.0, 0.0], [1.0, 1.0]), formula=formula)
    assert worst.verdict.status == "wrong"
    assert worst.point[0] >= 0.995


def opaque(x: Any) -> Any:
    return np.frombuffer(np.asarray(x, dtype=np.float64).tobytes()).reshape(np.shape(x))[()]


@pytest.mark.thorough
def test_a_function_of_which_nothing_is_known_is_searched_by_its_differences() -> None:
    def f(x: Any) -> Any:
        return float(f"{np.sin(opaque(x))!r}".partition("(")[2].rstrip(")"))

    assert find_worst(f, lambda x: np.cos(opaque(x)), (-3.0, 3.0)).verdict.ok
    worst = find_worst(f, lambda x: np.cos(opaque(x)) * (1.0 if x < 2.98 else 1.01), (-3.0, 3.0))
    assert (worst.verdict.status, worst.verdict.evidence) == ("wrong", "witness")
    assert worst.point >= 2.98


@pytest.mark.thorough
@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-8])
def test_a_fault_close_to_zero_alone_is_found_in_opaque_code(size: float) -> None:
    def gradient(x: Any) -> Any:
        return np.exp(opaque(x)) if abs(x) > size else 0.5

    worst = find_worst(np.exp, gradient, (-1.0, 1.0))
    assert worst.verdict.status == "wrong"
    assert abs(worst.point) <= size


def test_a_search_in_which_no_point_is_consistent_returns_the_worst_verdict() -> None:
    worst = find_worst(np.log, lambda x: 1 / x, (-3.0, -1.0))
    assert worst.verdict.status == "out-of-domain"


def test_points_that_could_not_be_told_are_counted_amid_consistent_ones() -> None:
    worst = find_worst(np.tanh, lambda x: 1 - np.tanh(opaque(x)) ** 2, (-50.0, 50.0))
    assert worst.verdict.ok
    assert re.search(
        r"of the points were judged: 1 consistent, \d of which nothing could be told \(first ", worst.covered
    )


@pytest.mark.thorough
def test_what_floats_cannot_hold_is_no_fault_and_a_claim_of_inf_elsewhere_is_one() -> None:
    def f(x: Any) -> Any:
        return 1 / (1 + np.exp(-x))

    def gradient(x: Any) -> Any:
        x = opaque(x)
        return np.exp(-x) / (1 + np.exp(-x)) ** 2

    def broken(x: Any) -> Any:
        return gradient(x) if abs(x) > 1e-2 else np.inf

    assert find_worst(f, gradient, (-715.0, 715.0)).verdict.ok
    worst = find_worst(f, broken, (-715.0, 715.0))
    assert worst.verdict.status == "wrong"
    assert abs(worst.point) <= 1e-2


@pytest.mark.thorough
def test_a_rounded_boundary_is_no_fault() -> None:
    # as real numbers the float -0.8 lies on the other side of the kink
    def f(x: Any) -> Any:
        return np.maximum(-2 * x - 2, 0.5 * x)

    def gradient(x: Any) -> Any:
        return -2.0 if opaque(x) < -0.8 else 0.5

    assert find_worst(f, gradient, (-3.0, 3.0)).verdict.ok


def test_kinks_and_points_outside_the_domain_are_no_fault() -> None:
    assert find_worst(abs, np.sign, (-1.0, 1.0)).verdict.ok
    worst = find_worst(dc.parse("sqrt(x)"), lambda x: 0.5 / np.sqrt(x), (-1.0, 1.0))
    assert worst.verdict.ok
    assert worst.point > 0
    assert " of them the derivative is not known." in worst.covered


def test_what_is_covered_is_said() -> None:
    traced = find_worst(square, lambda x: 2 * x, (-1.0, 1.0))
    assert traced.mapped == 1
    assert "the code takes 1 path in the box; on 1 of them" in traced.covered
    assert "100 % of the box provably takes one of these paths" in traced.covered

    def opaque(x: Any) -> Any:
        return 2 * np.frombuffer(np.float64(x).tobytes())[0]

    unknown = find_worst(square, opaque, (-1.0, 1.0))
    assert unknown.verdict.ok
    assert unknown.mapped == 0
    assert "cannot be traced: what lies between the points is not known" in unknown.covered


@pytest.mark.thorough
def test_a_part_that_could_not_be_told_is_not_counted_as_mapped() -> None:
    # the boundary of a disc has a length, and every part across it is open
    def gradient(x: Any) -> Any:
        return 2 * x if x @ x < 0.5 else 2.0 * x

    worst = find_worst(square, gradient, ([-1.0, -1.0], [1.0, 1.0]))
    assert 0.97 < worst.mapped < 1
    assert "100 %" not in worst.covered


def test_a_fault_that_a_trace_does_not_see_takes_its_statement_back() -> None:
    def gradient(x: Any) -> Any:
        key = np.asarray(x).tobytes()
        return 2 * x if np.frombuffer(key)[0] < 0.99 else 3 * x

    worst = find_worst(square, gradient, ([-1.0, -1.0], [1.0, 1.0]))
    assert worst.verdict.status == "wrong"
    assert worst.mapped == 0
    assert "does what its trace does not see" in worst.covered


def test_the_numbers_of_the_code_are_found_where_they_stand() -> None:
    limit = 2.7
    table = np.array([0.1, 0.2])

    def helper(x: Any, k: float = 9.5) -> Any:
        return x if x > 7.25 else k

    def gradient(x: Any) -> Any:
        return helper(x) if x > limit else -1.125 * table

    assert set(written_numbers(gradient)) == {2.7, 0.1, 0.2, 9.5, 7.25, 1.125}


@pytest.mark.parametrize(
    ("box", "options", "message"),
    [
        ((0.0, 1.0), {"evaluations": 100}, "evaluations=100: must be a whole number of at least 360"),
        (3.0, {}, "box=3.0: must be"),
        ((1.0, 1.0), {}, "lower and upper corner must have one structure"),
        ((0.0, [1.0, 2.0]), {}, "lower and upper corner must have one structure"),
        ((0.0, np.inf), {}, "x is not finite"),
        ((0.0, 1.0), {"formula": "x + y"}, "has 2 variables \\(x, y\\), the point has 1 coordinates"),
    ],
)
def test_a_box_or_budget_that_cannot_be_used_is_refused(box: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_worst(square, lambda x: 2 * x, box, **options)


@pytest.mark.parametrize("evaluations", [360, 400, 540, 700])
def test_few_evaluations_are_enough_for_what_is_wrong_everywhere(evaluations):
    worst = find_worst(square, lambda x: x, ([-1.0, -1.0], [1.0, 1.0]), evaluations)
    assert worst.verdict.status == "wrong"
    assert worst.evaluations <= evaluations


def test_what_stood_in_the_way_is_said_where_no_point_could_be_judged() -> None:
    calls = []

    def f(x: np.ndarray) -> float:
        if x[0] > 0.75:
            raise ValueError(f"no fit at {x[0]}")
        raise KeyError("rate")

    def gradient(x: np.ndarray) -> np.ndarray:
        calls.append(x)
        return x

    with pytest.raises(dc.DiffcompareError) as caught:
        dc.testing.find_worst(f, gradient, (np.zeros(2), np.ones(2)), 400)
    words = str(caught.value)
    first, second = (
        re.search(text, words) for text in (r"at (\d+) of (\d+) [^;]*no fit", r"at (\d+) of \d+ [^;]*rate")
    )
    assert first is not None
    assert second is not None
    assert int(first[1]) + int(second[1]) == int(first[2])
    where = re.search(r"rate'? \([^)]*\), as at (np\.array\([^)]*\))", words)
    assert where is not None, words
    with pytest.raises(KeyError):
        f(eval(where[1], {"np": np}))
    assert len(calls) <= 400


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(
    ("function", "slope", "corners"),
    [
        (lambda x: x @ x, lambda x: 2 * x, 3.0),
        (lambda x: 100 * (x[1] - x[0] ** 2) ** 2, lambda x: 200 * (x[1] - x[0] ** 2) * np.array([-2 * x[0], 1.0]), 2.0),
        (lambda x: np.where(abs(x) < 1, x * x / 2, abs(x) - 0.5).sum(), lambda x: np.clip(x, -1, 1), 3.0),
    ],
)
@pytest.mark.parametrize("status", ["wrong", "consistent"])
def test_opaque_code_is_searched_within_the_calls_of_both(
    function: Any, slope: Any, corners: float, status: str
) -> None:
    # nothing was found of what is wrong everywhere, after 7,700 calls
    made = []

    def f(x: Any) -> Any:
        made.append(0)
        return function(opaque(x))

    def gradient(x: Any) -> Any:
        made.append(0)
        return slope(opaque(x)) * np.array([1.01 if status == "wrong" else 1.0, 1.0])

    worst = find_worst(f, gradient, ([-corners] * 2, [corners] * 2))
    assert (worst.verdict.status, worst.verdict.evidence) == (status, "witness")
    # a few are made to see that the code is opaque
    assert len(made) - 40 <= worst.evaluations <= 2000
