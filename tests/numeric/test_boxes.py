"""Near the sides of a box: no evaluation outside, and the order of accuracy is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffcompare as dc


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
