"""The search for the worst point: 20 gradients whose bug shows in less than 1 % of the box, and their right twins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing.search.worst import WorstPoint, find_worst

pytestmark = pytest.mark.thorough

BUDGET = 2000


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    f: Callable[[Any], Any]
    right: Callable[[Any], Any]
    wrong: Callable[[Any], Any]
    box: tuple[Any, Any]

    def __str__(self) -> str:
        return self.name


def opaque(x: Any) -> Any:
    """Take a value through bytes, as compiled code does: no trace can follow."""
    return np.frombuffer(np.asarray(x, dtype=np.float64).tobytes()).reshape(np.shape(x))[()]


def softplus_wrong(x: Any) -> Any:
    return 0.99 if x > 9.95 else 1 / (1 + np.exp(-x))


def sine_wrong(x: Any) -> Any:
    return 1.0001 * np.cos(x) if 1.2345 < x < 1.24 else np.cos(x)


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def rosenbrock_right(x: Any) -> Any:
    t = x[1] - x[0] ** 2
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * t, 200 * t])


def rosenbrock_wrong(x: Any) -> Any:
    t = x[1] - x[0] ** 2
    slope = 200 * t
    if x[0] > 1.9 and x[1] > 2.85:
        slope = min(slope, -200.0)
    return np.array([-2 * (1 - x[0]) - 400 * x[0] * t, slope])


def ball_wrong(x: Any) -> Any:
    return 2 * x if np.sum(x**2) < 11 else 2 * x / np.sum(x**2)


def product_wrong(x: Any) -> Any:
    u = x[0] * x[1]
    return np.where(u > 5.2, np.exp(-u), np.exp(u)) * x[::-1]


def odd_square_wrong(x: Any) -> Any:
    return -2 * x if abs(x) < 0.01 else 2 * abs(x)


def exponential_wrong(x: Any) -> Any:
    return np.exp(np.minimum(x, 6.97))


def quartic_wrong(x: Any) -> Any:
    return 4 * x**3 if np.max(np.abs(x)) < 4.99 else 3 * x**3


def difference_right(x: Any) -> Any:
    t = np.cos(x[0] - x[1])
    return np.array([t + 2 * x[0], -t])


def difference_wrong(x: Any) -> Any:
    t = 1.0 if abs(x[0] - x[1]) < 0.005 else np.cos(x[0] - x[1])
    return np.array([t + 2 * x[0], -t + 1e-4 * (t == 1.0)])


def tiny_wrong(x: Any) -> Any:
    return 0.0 * x if abs(x) < 1e-300 else 3.0 + 0 * x


def cube_right(x: Any) -> Any:
    x = opaque(x)
    return 3 * x**2


def cube_wrong(x: Any) -> Any:
    x = opaque(x)
    return 3 * x**2 if x < 3.98 else 3 * 3.98**2


def edge_right(x: Any) -> Any:
    x = opaque(x)
    return np.array([np.exp(x[0]) * x[1], np.exp(x[0])])


def edge_wrong(x: Any) -> Any:
    x = opaque(x)
    a = np.exp(x[0])
    return np.array([a * x[1], a]) if x[0] > -2.97 or x[1] < 0 else np.array([0.0, a])


def corner_right(x: Any) -> Any:
    x = opaque(x)
    return np.cos(x)


def corner_wrong(x: Any) -> Any:
    x = opaque(x)
    return np.cos(x) if not (x > 0.8).all() else np.cos(x[::-1])


def slab_right(x: Any) -> Any:
    x = opaque(x)
    return 1 / (1 + x)


def slab_wrong(x: Any) -> Any:
    x = opaque(x)
    return 1 / (1 + x) if not 0.7 < x < 0.704 else 1 / (1 + x) ** 2


def disc_right(x: Any) -> Any:
    x = opaque(x)
    return np.array([x[1] + 1, x[0]])


def disc_wrong(x: Any) -> Any:
    x = opaque(x)
    if (x[0] - 0.3) ** 2 + (x[1] + 0.4) ** 2 < 0.01:
        return np.array([x[1] + 1, -x[0]])
    return np.array([x[1] + 1, x[0]])


def radius_right(x: Any) -> Any:
    x = opaque(x)
    return 2 * x * np.exp(x @ x)


def radius_wrong(x: Any) -> Any:
    x = opaque(x)
    return 2 * x * np.exp(min(x @ x, 1.97))


def logarithm_right(x: Any) -> Any:
    x = opaque(x)
    return 1 / x


def logarithm_wrong(x: Any) -> Any:
    x = opaque(x)
    return 1 / max(x, 1e-3)


def bump_right(x: Any) -> Any:
    x = opaque(x)
    return np.cos(x)


def bump_wrong(x: Any) -> Any:
    x = opaque(x)
    return np.cos(x) + 1e-2 * np.exp(-(((x - 1.7) / 0.004) ** 2))


def traced_bump_wrong(x: Any) -> Any:
    return np.cos(x) + 1e-2 * np.exp(-(((x + 0.3) * 500) ** 2))


TABLE = {(3, -3, 2): -1.0}


def lookup_right(x: Any) -> Any:
    return 2 * x * TABLE.get((round(float(opaque(x[0]))), 0, 0), 1.0)


def lookup_wrong(x: Any) -> Any:
    key = tuple(int(v) for v in np.round(opaque(x)))
    return 2 * x * TABLE.get(key, 1.0)


def sum_of_squares(x: Any) -> Any:
    return np.sum(x**2)


CASES = [
    Case(
        "softplus saturates", dc.parse("log1p(exp(x))"), lambda x: 1 / (1 + np.exp(-x)), softplus_wrong, (-10.0, 10.0)
    ),
    Case("sine, a slab", np.sin, np.cos, sine_wrong, (-3.0, 3.0)),
    Case("Rosenbrock, clipped in a corner", rosenbrock, rosenbrock_right, rosenbrock_wrong, ([-2.0, -1.0], [2.0, 3.0])),
    Case("squares, outside a ball", sum_of_squares, lambda x: 2 * x, ball_wrong, ([-2.0] * 3, [2.0] * 3)),
    Case(
        "product, where",
        lambda x: np.exp(x[0] * x[1]),
        lambda x: np.exp(x[0] * x[1]) * x[::-1],
        product_wrong,
        ([0.0] * 2, [2.4] * 2),
    ),
    Case("x|x|, sign near zero", lambda x: x * abs(x), lambda x: 2 * abs(x), odd_square_wrong, (-5.0, 5.0)),
    Case("exponential, overflow guard", np.exp, np.exp, exponential_wrong, (-7.0, 7.0)),
    Case("quartic, near the faces", lambda x: np.sum(x**4), lambda x: 4 * x**3, quartic_wrong, ([-5.0] * 3, [5.0] * 3)),
    Case(
        "difference, small angles",
        lambda x: np.sin(x[0] - x[1]) + x[0] ** 2,
        difference_right,
        difference_wrong,
        ([-1.0] * 2, [1.0] * 2),
    ),
    Case("tiny numbers", lambda x: 3.0 * x, lambda x: 3.0 + 0 * x, tiny_wrong, (-1.0, 1.0)),
    Case("opaque cube, clipped", lambda x: x**3, cube_right, cube_wrong, (-4.0, 4.0)),
    Case("opaque, an edge", lambda x: np.exp(x[0]) * x[1], edge_right, edge_wrong, ([-3.0] * 2, [3.0] * 2)),
    Case("opaque, a corner", lambda x: np.sum(np.sin(x)), corner_right, corner_wrong, ([-1.0] * 3, [1.0] * 3)),
    Case("opaque, a slab", dc.parse("log1p(x)"), slab_right, slab_wrong, (0.0, 1.0)),
    Case("opaque, a disc", lambda x: x[0] * x[1] + x[0], disc_right, disc_wrong, ([-1.0] * 2, [1.0] * 2)),
    Case("opaque, large radius", lambda x: np.exp(x @ x), radius_right, radius_wrong, ([-1.0] * 2, [1.0] * 2)),
    Case("opaque, small arguments", np.log, logarithm_right, logarithm_wrong, (1e-6, 10.0)),
    Case("opaque, a smooth bump", np.sin, bump_right, bump_wrong, (-5.0, 5.0)),
    Case("a smooth bump", np.sin, np.cos, traced_bump_wrong, (-5.0, 5.0)),
    Case("a table with one wrong entry", sum_of_squares, lookup_right, lookup_wrong, ([-4.0] * 3, [4.0] * 3)),
]

MISSED_AT_MOST = 2


@pytest.fixture(scope="module")
def found() -> dict[str, WorstPoint]:
    return {case.name: find_worst(case.f, case.wrong, case.box, BUDGET) for case in CASES}


def shows(case: Case, point: Any) -> bool:
    """Tell whether the bug is really at a point: the twins differ there."""
    right, wrong = np.asarray(case.right(point)), np.asarray(case.wrong(point))
    return bool(np.max(np.abs(right - wrong)) > 1e-12 * np.max(np.abs(right)))


def test_nine_of_ten_bugs_are_found_where_they_are(found: dict[str, WorstPoint]) -> None:
    missed = [case.name for case in CASES if found[case.name].verdict.status != "wrong"]
    assert len(missed) <= MISSED_AT_MOST, missed
    assert [c.name for c in CASES if c.name not in missed and not shows(c, found[c.name].point)] == []


def test_no_search_calls_more_often_than_it_may(found: dict[str, WorstPoint]) -> None:
    assert [name for name, worst in found.items() if not worst.points < worst.evaluations <= BUDGET] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_right_twin_is_consistent(case: Case) -> None:
    worst = find_worst(case.f, case.right, case.box, BUDGET)
    assert worst.verdict.status == "consistent"
    assert worst.relative <= 1e-13


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bug_shows_in_less_than_one_percent_of_its_box(case: Case) -> None:
    rng = np.random.default_rng(1)
    lower, upper = (np.asarray(side, dtype=float) for side in case.box)
    points = lower + (upper - lower) * rng.random((3000, *lower.shape))
    assert sum(shows(case, point[()]) for point in points) < 30


@pytest.mark.parametrize("name", ["sine, a slab", "Rosenbrock, clipped in a corner", "opaque, a slab"])
def test_calls_are_counted_honestly(name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    code = case.wrong.__code__
    calls = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        here = frame.f_code
        calls += event == "call" and here.co_name == code.co_name and here.co_firstlineno == code.co_firstlineno

    sys.setprofile(count)
    try:
        worst = find_worst(case.f, case.wrong, case.box, BUDGET)
    finally:
        sys.setprofile(None)
    assert worst.evaluations == calls
