"""Near the sides of a box: no evaluation outside, and the order of accuracy is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import optimize

import diffcompare as dc
from diffcompare.numeric.boxes import check_box


@pytest.mark.parametrize("scheme", ["forward", "backward", "central", "central4"])
@pytest.mark.parametrize("x", [0.0, 1e-5, 0.5, 1 - 1e-5, 1.0])
def test_nothing_outside_is_evaluated_and_the_order_is_kept(scheme: str, x: float) -> None:
    seen: list[float] = []

    def f(t: Any) -> Any:
        seen.append(float(t))
        return np.exp(t)

    order = dc.Stencil([-1, 1]).order if scheme == "central" else 4 if scheme == "central4" else 1
    errors = [float(dc.numerical_diff(f, x, h, scheme=scheme, box=(0.0, 1.0))) - math.exp(x) for h in (2e-2, 1e-2)]
    assert all(0.0 <= t <= 1.0 for t in seen)
    # half the step: the error shrinks by two to the order
    assert 0.8 * 2**order < errors[0] / errors[1] < 1.25 * 2**order


def test_inside_a_box_nothing_changes() -> None:
    x = np.array([0.25, 0.5])
    assert np.array_equal(dc.numerical_diff(np.exp, x, box=(0, 1)), dc.numerical_diff(np.exp, x))
    f = lambda v: np.sum(v**3)  # noqa: E731
    assert np.array_equal(dc.numerical_gradient(f, x, box=([0, 0], [1, 1])), dc.numerical_gradient(f, x))


def test_each_coordinate_has_its_side() -> None:
    seen: list[np.ndarray] = []

    def f(v: Any) -> Any:
        seen.append(np.array(v))
        return np.sqrt(v[0]) + np.sqrt(1 - v[1])

    found = dc.numerical_gradient(f, [1e-2, 1.0 - 1e-2], h=1e-2, box=(0.0, 1.0))
    assert np.isfinite(found).all()
    assert np.all((np.array(seen) >= 0) & (np.array(seen) <= 1))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((0.0, 1e-6), "at 0.0 no stencil of order 2 fits into the box .*; take a smaller h"),
        ((1.0, 0.0), "every lower side must be a number below its upper one"),
        (3.0, r"box=3.0: must be \\(lower, upper\\)".replace("\\\\", "\\")),
        (([0.0, 0.0], 1.0), r"arrays of shape \(\)"),
    ],
)
def test_a_box_that_is_none_is_refused(box: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dc.numerical_diff(np.exp, 0.0, box=box)


# ---- every spelling

LOWER, UPPER = [0.0, -np.inf, 0.25], [1.0, 2.0, np.inf]
SPELLINGS = {
    "corners": (LOWER, UPPER),
    "corners with None": ([0.0, None, 0.25], [1.0, 2.0, None]),
    "Bounds": optimize.Bounds(LOWER, UPPER),
    "pairs": [(0, 1), (None, 2), (0.25, None)],
    "pairs as a tuple of lists": ([0, 1], [None, 2], [0.25, None]),
    "pairs as an array": np.array([LOWER, UPPER]).T,
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_box_may_be_spelled_as_scipy_does(spelling):
    lower, upper = check_box(SPELLINGS[spelling], (3,))
    assert (lower.tolist(), upper.tolist()) == (LOWER, UPPER)
    x = np.array([1.0, 2.0, 0.25])
    found = dc.numerical_gradient(lambda v: np.sum(v**3), x, box=SPELLINGS[spelling])
    assert found.tolist() == dc.numerical_gradient(lambda v: np.sum(v**3), x, box=(LOWER, UPPER)).tolist()
    assert dc.check_gradient(lambda v: np.sum(v**3), lambda v: 3 * v**2, x, box=SPELLINGS[spelling]).ok


@pytest.mark.parametrize("box", [[(0.1, 1), (2, 3)], ((0.1, 1), (2, 3))])
def test_two_pairs_are_refused_with_both_spellings(box):
    words = (
        r"could be read in two ways; write \(\[0\.1, 2\], \[1, 3\]\) for x0 in \(0\.1, 1\) and x1 in \(2, 3\), or "
        r"\(\[0\.1, 1\], \[2, 3\]\) for these lower and upper corners"
    )
    for refuse in (
        lambda: dc.numerical_gradient(np.sum, [0.5, 2.5], box=box),
        lambda: dc.check_gradient(np.sum, np.ones_like, [0.5, 2.5], box=box),
        lambda: dc.testing.find_worst(np.sum, np.ones_like, box),
    ):
        with pytest.raises(ValueError, match=words):
            refuse()


@pytest.mark.parametrize(
    ("box", "lower", "upper"),
    [
        ([[0.1, 1], [2, 3]], [0.1, 1], [2, 3]),
        ((np.array([0.1, 1]), np.array([2, 3])), [0.1, 1], [2, 3]),
        ([(0, None), (2, 3)], [0, 2], [np.inf, 3]),
        (((None, 1), (2, 3)), [-np.inf, 2], [1, 3]),
        (optimize.Bounds(0, 1), [0, 0], [1, 1]),
        ((0, None), [0, 0], [np.inf, np.inf]),
    ],
)
def test_two_variables_have_the_box_that_is_written(box, lower, upper):
    found = check_box(box, (2,))
    assert [side.tolist() for side in found] == [lower, upper]


def test_flat_bounds_are_those_of_a_matrix_and_of_several_arrays():
    bounds = optimize.Bounds(np.zeros(4), np.arange(1.0, 5.0))
    _, upper = check_box(bounds, (2, 2))
    assert upper.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    at = {"w": np.full((1, 3), 0.5), "b": 0.5}

    def f(p):
        assert p["b"] >= 0
        return np.sum(p["w"] ** 2) + p["b"] ** 2

    assert dc.check_gradient(f, lambda p: {k: 2 * v for k, v in p.items()}, at, box=bounds).ok
    with pytest.raises(ValueError, match=r"b=0\.5 lies outside the box \[0\.0, 0\.25\]"):
        dc.check_gradient(f, f, at, box=[(0, 1), (0, 1), (0, 1), (0, 0.25)])


def test_corners_of_a_tuple_of_arrays_are_tuples():
    at = np.array([0.5]), 0.5
    assert dc.check_gradient(lambda p: p[0][0] * p[1], lambda p: (p[1], p[0][0]), at, box=((0.0, 0.0), (1.0, 1.0))).ok


@pytest.mark.parametrize("box", [[], [(0, 1), 2, 3], "01", [(0, 1), (0, 1), (0, 1)]])
def test_what_is_no_box_is_refused(box):
    with pytest.raises(ValueError, match="box="):
        check_box(box, (2,))
