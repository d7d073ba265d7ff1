"""Libraries that differentiate a black box of one variable, behind one signature: ``(f, x) -> (value, estimate)``.

Each is called as its documentation shows it first. An estimate is nan where a library has none to give; the value
is nan where it gives no answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from diffcompare.numeric.differences import numerical_diff
from diffcompare.numeric.differentiate import differentiate

__all__ = ["DIFFERENTIATORS", "Differentiator", "installed"]

# takes a function of one number, or of an array of numbers, and a point
Differentiator = Callable[[Callable[[Any], Any], float], tuple[float, float]]


def _diffcompare(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    found = differentiate(f, x)
    return found.value, found.error


def _textbook(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    return float(numerical_diff(f, x)), math.nan


def _scipy(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    from scipy.differentiate import derivative

    found = derivative(f, x)
    return (float(found.df), float(found.error)) if found.success else (math.nan, math.inf)


def _numdifftools(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    import numdifftools

    value, info, *_ = numdifftools.Derivative(f, full_output=True)(x)
    return float(value), float(np.ravel(getattr(info, "error_estimate", info))[0])


def _jacobi(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    import jacobi

    value, error = jacobi.jacobi(f, x)
    return float(np.ravel(value)[0]), float(np.ravel(error)[0])


# name -> what has to be installed ("" for nothing), and the call
DIFFERENTIATORS: dict[str, tuple[str, Differentiator]] = {
    "diffcompare": ("", _diffcompare),
    "central, h = 1e-4": ("", _textbook),
    "scipy": ("scipy", _scipy),
    "numdifftools": ("numdifftools", _numdifftools),
    "jacobi": ("jacobi", _jacobi),
}


def installed() -> tuple[dict[str, Differentiator], list[str]]:
    """Return the differentiators that can run here, and the libraries that are missing for the others."""
    here = {name: call for name, (library, call) in DIFFERENTIATORS.items() if not library or find_spec(library)}
    missing = [library for library, _ in DIFFERENTIATORS.values() if library and not find_spec(library)]
    return here, missing
