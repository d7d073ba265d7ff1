"""What few calls tell of a gradient: it is right where it is plain, and silent where it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.observation import observe
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.slopes import Slope, slopes_of

from ..quality.corpus import opaque  # noqa: TID252 - tests are no package

Array = Any
POINT = np.array([0.3, 0.7, 1.1, -0.4])


def slopes(function: Any, gradient: Any, point: Any, **options: Any) -> dict[int, Slope]:
    x = np.array(point, dtype=np.float64)
    names = tuple(f"x[{i}]" for i in range(x.size))
    problem = Problem(function, gradient, x, np.copy, np.asarray, names, None, **options)
    state = observe(problem)
    assert isinstance(state, State)
    with np.errstate(all="ignore"):
        return slopes_of(problem, state)


@pytest.fixture(autouse=True)
def judged_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the calls that judge: why a gradient is wrong is asked with others."""
    monkeypatch.setattr("diffcompare.verdict.verdict.measured", lambda problem, judgement: judgement)


def words(found: dict[int, Slope]) -> list[str]:
    return [found[i].status for i in sorted(found)]


def waves(x: Array) -> Any:
    return np.sin(x).sum() * np.exp(x[0])


def of_waves(x: Array) -> Array:
    return np.cos(x) * np.exp(x[0]) + waves(x) * (np.arange(x.size) == 0)


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize(
    ("bug", "status"),
    [
        (lambda g: g, "consistent"),
        (lambda g: -g, "wrong"),
        (lambda g: g * np.where(np.arange(g.size) == 0, 1.5, 1.0), "wrong"),
        (lambda g: 0 * g, "wrong"),
    ],
)
def test_what_is_plain_takes_few_calls(n: int, bug: Callable[[Array], Array], status: str) -> None:
    verdict = dc.check_gradient(opaque(waves), opaque(lambda x: bug(of_waves(x))), POINT[:n])
    assert (verdict.status, verdict.evidence) == (status, "witness")
    assert verdict.calls[0] <= 16 + 10 * n
    assert verdict.calls[1] <= 10


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6])
def test_a_small_bug_is_plain_where_the_gradient_does_not_scatter(size: float) -> None:
    verdict = dc.check_gradient(opaque(waves), opaque(lambda x: of_waves(x) * (1 + size)), POINT)
    assert verdict.status == "wrong"
    assert verdict.calls[1] <= 21


def test_a_gradient_that_scatters_is_not_called_wrong() -> None:
    def rounded(x: Array) -> Array:
        return of_waves(x).astype(np.float32).astype(np.float64)

    found = slopes(waves, lambda x: rounded(x) * (1 + 3e-7 * np.sin(1e9 * x)), POINT)
    assert "wrong" not in words(found)


def test_a_slope_is_known_to_its_bar() -> None:
    for function, derivative, at in (
        (np.log, lambda x: 1 / x, 0.3),
        (np.exp, np.exp, -5.0),
        (lambda x: np.sin(40 * x), lambda x: 40 * np.cos(40 * x), 1.3),
        (lambda x: 1e6 + x**2, lambda x: 2 * x, 0.5),
    ):
        found = slopes(lambda x, f=function: f(x[0]), lambda x, d=derivative: np.array([d(x[0])]), [at])[0]
        assert abs(found.value - derivative(at)) <= found.bar
        assert found.status == "consistent"


@pytest.mark.parametrize(
    ("function", "gradient", "at"),
    [
        # kinks at the point, beside it, and closer than the line shows
        (lambda x: abs(x[0] - 1), lambda x: np.array([1.0]), [1.0]),
        (lambda x: abs(x[0] - 1), lambda x: np.array([-1.0]), [1 + 2.0**-13]),
        (lambda x: x[0] + 1e-8 * math.tanh((x[0] - 1) * 2.0**30), lambda x: np.array([1.0]), [1.0]),
        # a bump that only the nearest points meet
        (lambda x: x[0] + 1e-7 * (abs(x[0] - 1 - 2.0**-18) < 2.0**-22), lambda x: np.array([1.1]), [1.0]),
        # steps, and what looks constant beside them
        (lambda x: np.floor(1e4 * x[0]) / 1e4, lambda x: np.array([0.0]), [0.7]),
        (lambda x: round(math.sin(x[0]), 2), lambda x: np.cos(x), [0.7]),
        # faster than any line can show
        (lambda x: math.sin(x[0]), lambda x: np.cos(x), [762821263.5114654]),
        # all digits of the gradient are lost
        (lambda x: np.log1p(np.exp(x[0])), lambda x: 1 - 1 / (1 + np.exp(x)), [-40.0]),
        # right at the point alone
        (lambda x: x[0] ** 2, lambda x: np.where(x == 1, 2.0, 3.0), [1.0]),
        (lambda x: x[0] ** 2, lambda x: np.where(x == 1, 3.0, 2 * x), [1.0]),
        # no value on one side
        (lambda x: np.sqrt(x[0] - 1), lambda x: 0.5 / np.sqrt(x - 1), [1 + 1e-9]),
    ],
)
def test_what_is_not_plain_is_left_open(function: Any, gradient: Any, at: Array) -> None:
    assert set(words(slopes(function, gradient, at))) <= {""}


def test_no_value_is_asked_outside_the_box() -> None:
    asked = []

    def function(x: Array) -> Any:
        asked.append(x[0])
        return x[0] ** 2

    box = (np.array([1.0]), np.array([1.125]))
    assert words(slopes(function, lambda x: 2 * x, [1.0625], box=box)) == ["consistent"]
    for at in ([1.0], [1.125], [1.0001]):
        found = slopes(function, lambda x: 2 * x, at, box=box)
        assert (words(found), found[0].one_sided) == (["consistent"], True)
        assert words(slopes(function, lambda x: 2.001 * x, at, box=box)) == ["wrong"]
    assert 1.0 <= min(asked) <= max(asked) <= 1.125


def test_a_critical_point_is_judged_by_how_steep_it_is_nearby() -> None:
    assert words(slopes(lambda x: np.cos(x).sum(), lambda x: -np.sin(x), [0.0, 0.0])) == ["consistent"] * 2
    assert words(slopes(lambda x: np.cos(x).sum(), lambda x: -np.sin(x) + 1e-6, [0.0, 0.0])) == ["wrong"] * 2


def test_calls_that_are_limited_go_to_the_largest_components() -> None:
    weights = np.array([1.0, 100.0, 3.0, 10.0, 2.0, 5.0])
    at = np.full(6, 0.7)

    def judged(factor: float) -> Any:
        gradient = opaque(lambda x: weights * np.exp(x) * np.where(weights == 100, factor, 1.0))
        return dc.check_gradient(opaque(lambda x: weights @ np.exp(x)), gradient, at, evaluations=48)

    right, wrong = judged(1.0), judged(2.0)
    assert sum(right.calls) <= 48
    assert list(right.components["status"][[1, 3]]) == ["consistent"] * 2
    assert right.status == "inconclusive"
    assert any("48 evaluations" in note for note in right.notes)
    assert wrong.status == "wrong"
    assert wrong.components["status"][1] == "wrong"
