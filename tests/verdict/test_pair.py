"""A trace that took decisions must have the slope that the floats have over a coarse step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.pair import slope_agrees
from diffcompare.verdict.problem import Problem


def posed(function: Any, **options: Any) -> Problem:
    x = np.array([3.0, -0.5])
    return Problem(function, lambda x: x, x, np.copy, np.asarray, ("x[0]", "x[1]"), None, **options)


def curved(x: Any) -> Any:
    return x[0] ** 2 * x[1] + np.sin(x[1])


def agrees(problem: Problem, slopes: Any) -> bool:
    return slope_agrees(problem, problem.values(problem.x), slopes)


SLOPES = np.array([-3.0, 9.0 + np.cos(0.5)])


@pytest.mark.parametrize("box", [None, (np.array([3.0, -0.5]), np.array([4.0, 0.0]))], ids=["no box", "at its edge"])
def test_the_slope_of_the_floats_is_asked_for(box: Any) -> None:
    problem = posed(curved, box=box)
    assert agrees(problem, SLOPES)
    # a coarse step cannot tell a hundredth, and it tells another slope
    assert agrees(problem, 1.01 * SLOPES)
    for wrong in (1.2 * SLOPES, 0.8 * SLOPES, -SLOPES, 0 * SLOPES):
        assert not agrees(problem, wrong)


def test_what_is_not_settled_denies_nothing() -> None:
    assert agrees(posed(lambda x: np.sqrt(max(x[0] - 3.0, 0.0))), np.array([7.0, 7.0]))

    def undefined(x: Any) -> Any:
        if x[0] > 3:
            raise ValueError("beyond the table")
        return x[0]

    assert agrees(posed(undefined), np.array([7.0, 7.0]))
    # the rounding of large values is no slope
    assert agrees(posed(lambda x: 2.0**60 + x[0]), np.array([1.0, 0.0]))
