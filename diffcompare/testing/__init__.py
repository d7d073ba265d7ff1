"""diffcompare inside people's tests.

The public names are loaded when they are first used: a pytest plugin lives here, and pytest loads it in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffcompare.testing.assertions import assert_gradient, assert_hessian, assert_jacobian
    from diffcompare.testing.building import SmoothFunction, smooth_function
    from diffcompare.testing.mutations import Gradient, GradientWithBug, gradients_with_bugs
    from diffcompare.testing.search.worst import WorstPoint, find_worst
    from diffcompare.testing.strategies import Comparison, comparisons, points, smooth_functions, steps
    from diffcompare.testing.within_bound import assert_within_bound

_HOME = {
    "Comparison": "strategies",
    "Gradient": "mutations",
    "GradientWithBug": "mutations",
    "SmoothFunction": "building",
    "WorstPoint": "search.worst",
    "assert_gradient": "assertions",
    "assert_hessian": "assertions",
    "assert_jacobian": "assertions",
    "assert_within_bound": "within_bound",
    "comparisons": "strategies",
    "find_worst": "search.worst",
    "gradients_with_bugs": "mutations",
    "points": "strategies",
    "smooth_function": "building",
    "smooth_functions": "strategies",
    "steps": "strategies",
}

__all__ = [
    "Comparison",
    "Gradient",
    "GradientWithBug",
    "SmoothFunction",
    "WorstPoint",
    "assert_gradient",
    "assert_hessian",
    "assert_jacobian",
    "assert_within_bound",
    "comparisons",
    "find_worst",
    "gradients_with_bugs",
    "points",
    "smooth_function",
    "smooth_functions",
    "steps",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(import_module(f"diffcompare.testing.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'diffcompare.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
