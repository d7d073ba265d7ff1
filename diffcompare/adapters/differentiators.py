"""Libraries that differentiate a black box, behind one signature: ``(f, x) -> (value, estimate)``.

Each is called as its documentation shows it first. An estimate is nan where a library has none to give; the value
is nan where it gives no answer. Of a function of several variables x is an array, and so are value and estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.numeric.differences import numerical_diff, numerical_gradient
from diffcompare.numeric.differentiate import differentiate

__all__ = ["DIFFERENTIATORS", "GRADIENT_DIFFERENTIATORS", "Differentiator", "installed"]

# takes a function of one point, or of an array of them, and a point
Differentiator = Callable[[Callable[[Any], Any], Any], tuple[Any, Any]]


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


def _gradient_diffcompare(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    found = differentiate(f, x)
    return found.value, found.error


def _gradient_textbook(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    return numerical_gradient(f, x), math.nan


def _gradient_scipy(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    from scipy.differentiate import jacobian

    # it holds the coordinates along the first axis
    found = jacobian(lambda points: f(np.moveaxis(points, 0, -1)), x)
    return np.where(found.success, found.df, math.nan), np.where(found.success, found.error, math.inf)


def _gradient_approx_fprime(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    from scipy.optimize import approx_fprime

    return approx_fprime(x, f), math.nan


def _gradient_numdifftools(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    import numdifftools

    value, info, *_ = numdifftools.Gradient(f, full_output=True)(x)
    return value, getattr(info, "error_estimate", info)


def _gradient_jacobi(f: Callable[[Any], Any], x: NDArray[np.float64]) -> tuple[Any, Any]:
    import jacobi

    value, error = jacobi.jacobi(f, x, diagonal=False)
    return value, error


GRADIENT_DIFFERENTIATORS: dict[str, tuple[str, Differentiator]] = {
    "diffcompare": ("", _gradient_diffcompare),
    "central, h = 1e-4": ("", _gradient_textbook),
    "scipy": ("scipy", _gradient_scipy),
    "approx_fprime": ("scipy", _gradient_approx_fprime),
    "numdifftools": ("numdifftools", _gradient_numdifftools),
    "jacobi": ("jacobi", _gradient_jacobi),
}


def installed(*, gradients: bool = False) -> tuple[dict[str, Differentiator], list[str]]:
    """Return the differentiators that can run here, and the libraries that are missing for the others."""
    known = GRADIENT_DIFFERENTIATORS if gradients else DIFFERENTIATORS
    here = {name: call for name, (library, call) in known.items() if not library or find_spec(library)}
    missing = dict.fromkeys(library for library, _ in known.values() if library and not find_spec(library))
    return here, list(missing)
