"""Gradients of real size that only return floats, beside a function that is traced as a program of arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.array_floats import array_floats, strayed_floats
from diffcompare.verdict import array_neighbours, ladder
from diffcompare.verdict.array_identity import middles
from diffcompare.verdict.array_neighbours import judge_by_array_neighbours
from diffcompare.verdict.array_pair import trace_beside_claim
from diffcompare.verdict.judgement import Judgement, Left
from diffcompare.verdict.problem import Problem

from ..benchmarks import real_sizes  # noqa: TID252 - tests are no package
from .compiled_code import Compiled

Gradient = Callable[[Any], Any]
Code = tuple[Gradient, Gradient, Any]

CASES: dict[str, Code] = {
    "logistic(1000, 20)": real_sizes.logistic(1000, 20),
    "logistic(20000, 3)": real_sizes.logistic(20_000, 3),
    "network(2)": real_sizes.network(2),
    "rectified(30)": real_sizes.rectified(30),
    "gaussian_process(40)": real_sizes.gaussian_process(40),
    "chain(5000)": real_sizes.chain(5000),
    "rosenbrock(2000)": real_sizes.rosenbrock(2000),
}


def opaque(gradient: Gradient, change: Gradient = lambda v: v) -> Gradient:
    return lambda x: np.frombuffer(np.asarray(change(np.asarray(gradient(x)))).astype(np.float64).tobytes())


def problem_of(f: Gradient, gradient: Gradient, x: Any) -> Problem:
    return Problem(f, gradient, x, np.copy, np.asarray, tuple(f"x[{i}]" for i in range(x.size)))


def judged(f: Gradient, gradient: Gradient, x: Any) -> Judgement:
    found = judge_by_array_neighbours(problem_of(f, gradient, x))
    assert isinstance(found, Judgement), found
    return found


def resolution(found: Judgement) -> float:
    return float(np.max(found.threshold) / np.max(np.abs(found.certified)))


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", CASES)
def test_right_floats_are_consistent_to_twelve_digits(name: str) -> None:
    f, gradient, x = CASES[name]
    found = judged(f, opaque(gradient), x)
    assert set(found.status) == {"consistent"}
    assert found.evidence == "neighbours"
    # the covariance of a Gaussian process is nearly singular
    assert resolution(found) <= (1e-11 if "gaussian" in name else 1e-12)


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", CASES)
def test_a_millionth_too_much_is_wrong(name: str) -> None:
    f, gradient, x = CASES[name]
    found = judged(f, opaque(gradient, lambda v: v * (1 + 1e-6)), x)
    # what is smaller than a millionth of the largest is off by less than is seen
    large = np.abs(found.certified) > 2e-6 * np.max(np.abs(found.certified))
    assert set(np.array(found.status)[large]) == {"wrong"}
    assert found.blame == "gradient"


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", CASES)
def test_one_component_off_by_a_billionth_is_wrong_alone(name: str) -> None:
    f, gradient, x = CASES[name]

    def off(v: Any) -> Any:
        v = v.copy()
        v[1] += 1e-9 * np.max(np.abs(v))
        return v

    status = list(judged(f, opaque(gradient, off), x).status)
    assert status.pop(1) == "wrong"
    assert set(status) == {"consistent"}


RANDOM = np.random.default_rng(23)
A = RANDOM.normal(size=(400, 30))
B = RANDOM.normal(size=400)
CENTRED = RANDOM.normal(size=3000) * 1e-3 + 1e3


def by_loops(x: Any) -> Any:
    total = np.zeros(30)
    for row, b in zip(A[::-1], B[::-1], strict=True):
        total = total + row * (sum(r * v for r, v in zip(row, x, strict=True)) - b)
    return total


OTHER_WAYS: dict[str, Code] = {
    "sums in another order": (lambda x: 0.5 * np.sum((A @ x - B) ** 2), by_loops, RANDOM.normal(size=30)),
    "normal equations": (
        lambda x: 0.5 * np.sum((A @ x - B) ** 2), lambda x: (A.T @ A) @ x - A.T @ B, RANDOM.normal(size=30),
    ),
    "normal equations near the minimum": (
        lambda x: 0.5 * np.sum((A @ x - B) ** 2), lambda x: (A.T @ A) @ x - A.T @ B,
        np.linalg.lstsq(A, B, rcond=None)[0] + 1e-9,
    ),
    "a variance that cancels": (
        lambda x: np.sum((x - np.mean(x)) ** 2), lambda x: 2 * x - 2 * np.sum(x) / x.size, CENTRED,
    ),
    "a sigmoid that is saturated": (
        lambda x: np.sum(np.log1p(np.exp(-x))), lambda x: 1 / (1 + np.exp(-x)) - 1, RANDOM.uniform(1, 30, size=3000),
    ),
    "1 - tanh**2": (lambda x: np.sum(np.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, RANDOM.uniform(-9, 9, size=3000)),
    "coordinates that are 0": (
        lambda x: np.sum(np.cos(x) * np.exp(x)), lambda x: np.exp(x) * (np.cos(x) - np.sin(x)),
        np.where(RANDOM.random(2000) < 0.5, 0.0, RANDOM.normal(size=2000)),
    ),
    "steep exponentials": (lambda x: np.sum(np.exp(x)), np.exp, RANDOM.uniform(-200, 200, size=2000)),
    "a constant": (lambda x: np.sum(x) / 3, lambda x: np.full(x.shape, 1 / 3), RANDOM.normal(size=2000)),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER_WAYS)
def test_no_other_way_of_computing_it_is_called_wrong(name: str) -> None:
    f, gradient, x = OTHER_WAYS[name]
    status = set(judged(f, opaque(gradient), x).status)
    assert "wrong" not in status
    assert "consistent" in status


@pytest.mark.parametrize("name", OTHER_WAYS)
def test_the_same_ways_are_wrong_when_they_are(name: str) -> None:
    f, gradient, x = OTHER_WAYS[name]
    assert "wrong" in judged(f, opaque(gradient, lambda v: v * 1.5), x).status


def test_float32_is_no_consistent_gradient() -> None:
    f, gradient, x = CASES["chain(5000)"]
    found = judged(f, opaque(gradient, np.float32), x)
    assert "wrong" in found.status
    assert any("float32 precision" in note for note in found.notes)
    within = judged(f, opaque(lambda x: gradient(np.float32(x)).astype(float) * 1.1 / 1.1), x)
    # a few components are too small for their error to count
    assert within.status.count("inconclusive") > 4000
    assert "wrong" not in within.status
    assert any("in float32" in note for note in within.notes)


@pytest.mark.parametrize(("h", "words"), [(1e-3, {"wrong"}), (1e-5, {"wrong", "inconclusive"})])
def test_difference_quotients_are_not_consistent(h: float, words: set[str]) -> None:
    f, _, x = CASES["logistic(1000, 20)"]
    found = judged(f, opaque(lambda x: np.array([(f(x + h * e) - f(x)) / h for e in np.eye(20)])), x)
    assert set(found.status) <= words


def test_rectifiers_at_their_corner_have_no_derivative() -> None:
    x = RANDOM.normal(size=2000)
    x[:3] = 0.0
    found = judged(lambda x: np.sum(np.maximum(x, 0.0) * np.exp(x)), opaque(lambda x: (x > 0) * np.exp(x) * (1 + x)), x)
    assert found.status[:3] == ("non-smooth",) * 3
    assert set(found.status[3:]) == {"consistent"}
    assert np.isnan(found.threshold[:3]).all()


def test_a_jump_is_not_consistent() -> None:
    x = RANDOM.normal(size=2000)
    x[0] = 0.0
    found = judge_by_array_neighbours(problem_of(lambda x: np.sum(np.where(x >= 0, x + 1, x)), opaque(np.ones_like), x))
    assert isinstance(found, Left)
    assert "jumps" in found.reason


def test_a_function_that_a_trace_does_not_see_is_left() -> None:
    x = RANDOM.normal(size=2000)
    held = x.copy()
    found = judge_by_array_neighbours(
        problem_of(lambda x: np.sum(x**2) if np.array_equal(x, held) else np.sum(x**3), opaque(lambda x: 2 * x), x)
    )
    assert isinstance(found, Left)


def test_a_function_of_compiled_code_is_followed_as_it_is() -> None:
    # the function's values alone were asked, thousands of times
    x = np.random.default_rng(2).normal(size=1200)
    judgement = judged(Compiled(lambda x: np.sum(np.sin(x))), opaque(np.cos), x)
    assert set(judgement.status) == {"consistent"}
    assert set(judged(Compiled(lambda x: np.sum(np.sin(x))), opaque(np.cos, lambda v: 1.000001 * v), x).status) == {
        "wrong"
    }


def test_no_number_is_wrong_where_there_is_a_derivative() -> None:
    f, gradient, x = CASES["chain(5000)"]

    def lost(v: Any) -> Any:
        v = v.copy()
        v[7] = math.nan
        return v

    found = judged(f, opaque(gradient, lost), x)
    assert found.status[7] == "wrong"
    assert any(note.startswith("x[7]: the gradient is nan") for note in found.notes)


@pytest.mark.thorough
def test_the_ladder_takes_arrays_for_what_is_large_alone() -> None:
    f, gradient, x = real_sizes.chain(ladder.MANY + 1)
    found = ladder.judge(problem_of(f, opaque(gradient), x))
    assert (found.evidence, found.arrays is not None) == ("neighbours", True)
    small = ladder.judge(problem_of(f, opaque(gradient), x[:5]))
    assert (small.evidence, small.arrays) == ("neighbours", None)


def test_what_takes_longer_than_the_budget_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    f, gradient, x = CASES["chain(5000)"]
    monkeypatch.setattr(array_neighbours, "cost_of", lambda pair: Left("too dear"))
    assert judge_by_array_neighbours(problem_of(f, opaque(gradient), x)) == Left("too dear")


def test_a_box_is_not_left() -> None:
    f, gradient, x = CASES["chain(5000)"]
    seen: list[Any] = []
    box = (x - 1e-9, x.copy())

    def watched(v: Any) -> Any:
        seen.append(np.array(v))
        return gradient(v)

    found = judge_by_array_neighbours(replace(problem_of(f, opaque(watched), x), box=box))
    assert isinstance(found, Judgement)
    assert set(found.status) == {"consistent"}
    assert len(seen) > 20
    assert all(((box[0] <= v) & (v <= box[1])).all() for v in seen)


@pytest.mark.parametrize("name", CASES)
def test_strays_bound_what_floats_stray(name: str) -> None:
    f, gradient, x = CASES[name]
    pair = trace_beside_claim(problem_of(f, gradient, x), gradient(x))
    (true,) = array_balls(pair.build, [pair.D], x, 333)
    (floats,) = array_floats(pair.build, [pair.D], x)
    (stray,) = strayed_floats(pair.build, [pair.D], x)
    assert (np.abs(floats - middles(true)) <= array_neighbours.STRAYS * stray).all()


def test_a_term_without_its_slopes_is_named() -> None:
    f, gradient, x = CASES["logistic(1000, 20)"]
    wrong = problem_of(f, opaque(lambda w: gradient(w) - 0.02 * w), x)
    found = judge_by_array_neighbours(wrong)
    assert isinstance(found, Judgement)
    cause = ladder.cause_in_code(wrong, found, found.claimed - found.certified, None)
    assert cause is not None
    assert "0.01*sum(x**2)" in cause.text


def test_a_function_of_shorter_numbers_is_judged_by_its_values() -> None:
    x = np.linspace(0.5, 2.0, 1200).astype(np.float32).astype(np.float64)
    doubles = problem_of(lambda x: np.sum(np.sin(x) ** 2), opaque(lambda x: np.sin(2 * x)), x)
    floats = replace(doubles, unflatten=lambda x: x.astype(np.float32))
    inside = replace(doubles, function=lambda x: np.sum(np.sin(x.astype(np.float32)) ** 2))
    assert isinstance(judge_by_array_neighbours(doubles), Judgement)
    for one in (floats, inside):
        found = judge_by_array_neighbours(one)
        assert isinstance(found, Left)
        assert found.reason == "a function of shorter numbers is judged by its values"


def test_a_function_that_makes_a_number_or_fills_an_array_is_followed() -> None:
    x = np.linspace(0.5, 2.0, 1200)

    def filled(x: Any) -> Any:
        z = np.zeros(x.size)
        z[:] = np.sin(x)
        return float(np.sum(z**2))

    assert set(judged(filled, opaque(lambda x: np.sin(2 * x)), x).status) == {"consistent"}
