"""Nasty functions of one variable, each with its exact derivative from closed forms in 60 digits.

``FIRST`` is the set that the rules of ``differentiate`` were made on. ``HELD_OUT`` was written afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

mpmath.mp.dps = 60
mpf = mpmath.mpf


@dataclass(frozen=True, slots=True)
class Problem:
    """A function, a point and the derivative there; ``exact`` is nan where there is none."""

    name: str
    f: Callable[[float], Any]
    x: float
    exact: float


def noise(x: float, size: float) -> float:
    """A deterministic noise: the bits of x, hashed by a multiplication."""
    bits = int(np.float64(x).view(np.uint64))
    mixed = (bits * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & (2**64 - 1)
    mixed = ((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    return size * ((mixed >> 11) / 2**52 - 1)


def _problem(name: str, f: Callable[[float], Any], x: float, derivative: Callable[[Any], Any] | float) -> Problem:
    return Problem(name, f, x, float(derivative(mpf(x)) if callable(derivative) else derivative))


NONE = float("nan")
_pi = math.pi


def _logistic(t: float) -> float:
    return 1 / (1 + math.exp(-t)) if t >= 0 else math.exp(t) / (1 + math.exp(t))


def _logistic_slope(t: Any) -> Any:
    return 1 / (2 * mpmath.cosh(t / 2)) ** 2


def _flat(x: float) -> float:
    return math.exp(-1 / x**2) if x else 0.0


FIRST = [
    # kinks at and near x
    _problem("abs(x) at 0", abs, 0.0, NONE),
    _problem("abs(x) at 1e-9", abs, 1e-9, 1.0),
    _problem("abs(x-1) at 1+1e-9", lambda x: abs(x - 1), 1 + 1e-9, 1.0),
    _problem("abs(x)**1.5 at 0", lambda x: abs(x) ** 1.5, 0.0, 0.0),
    _problem("max(x, 0)**2 + x at 0", lambda x: max(x, 0.0) ** 2 + x, 0.0, 1.0),
    _problem("piecewise: x**2 below 2, 4x-4 above, at 1.9999", lambda x: x**2 if x < 2 else 4 * x - 4, 1.9999, 3.9998),
    # aliasing and ripples
    _problem(
        "sin(4096 pi x) at 0.2",
        lambda x: math.sin(4096 * _pi * x),
        0.2,
        lambda x: 4096 * mpf(_pi) * mpmath.cos(4096 * mpf(_pi) * x),
    ),
    _problem("sin(4096 pi x) at 1", lambda x: math.sin(4096 * _pi * x), 1.0, 4096 * _pi),
    _problem(
        "sin(x) + 1e-6 sin(1e6 x) at 0.7",
        lambda x: math.sin(x) + 1e-6 * math.sin(1e6 * x),
        0.7,
        lambda x: mpmath.cos(x) + mpf(1e-6) * mpf(1e6) * mpmath.cos(mpf(1e6) * x),
    ),
    _problem(
        "x**2 sin(1/x) at 1e-3",
        lambda x: x * x * math.sin(1 / x),
        1e-3,
        lambda x: 2 * x * mpmath.sin(1 / x) - mpmath.cos(1 / x),
    ),
    # noise, low precision, steps
    _problem("exp(x) + noise 1e-8 at 0.5", lambda x: math.exp(x) + noise(x, 1e-8), 0.5, mpmath.exp),
    _problem("sin in float32 at 1.1", lambda x: float(np.sin(np.float32(x))), 1.1, mpmath.cos),
    _problem("round(x, 3) at 0.7", lambda x: round(x, 3), 0.7, 1.0),
    _problem(
        "(1-cos(x))/x**2 at 1e-4",
        lambda x: (1 - math.cos(x)) / x**2,
        1e-4,
        lambda x: mpmath.sin(x) / x**2 - 2 * (1 - mpmath.cos(x)) / x**3,
    ),
    _problem("1e8 + x + x**2 at 0.3", lambda x: 1e8 + x + x**2, 0.3, lambda x: 1 + 2 * x),
    # steep, near poles and edges
    _problem(
        "sigmoid(1e5 x) at 1e-5", lambda x: _logistic(1e5 * x), 1e-5, lambda x: mpf(1e5) * _logistic_slope(mpf(1e5) * x)
    ),
    _problem("exp(500 x) at 1", lambda x: math.exp(500 * x), 1.0, lambda x: 500 * mpmath.exp(500 * x)),
    _problem("1/(x-1) at 1+1e-6", lambda x: 1 / (x - 1), 1 + 1e-6, lambda x: -1 / (x - 1) ** 2),
    _problem("tan at 1.5707", math.tan, 1.5707, lambda x: 1 + mpmath.tan(x) ** 2),
    _problem("sqrt at 1e-12", math.sqrt, 1e-12, lambda x: 1 / (2 * mpmath.sqrt(x))),
    _problem("log at 1e-8", math.log, 1e-8, lambda x: 1 / x),
    _problem("sqrt at 0", math.sqrt, 0.0, NONE),
    # scales
    _problem("x**150 at 10", lambda x: x**150, 10.0, lambda x: 150 * x**149),
    _problem("sin at 1e8", math.sin, 1e8, mpmath.cos),
    _problem("exp(1e8 x) - 1 at 0", lambda x: math.expm1(1e8 * x), 0.0, 1e8),
    _problem("cos(x/1e8 + 1) at 0", lambda x: math.cos(x / 1e8 + 1), 0.0, lambda x: -mpmath.sin(1) / mpf(1e8)),
    _problem("exp(-1/x**2) at 0.05", _flat, 0.05, lambda x: 2 / x**3 * mpmath.exp(-1 / x**2)),
    _problem("exp(-1/x**2) at 0", _flat, 0.0, 0.0),
    _problem(
        "runge 1/(1+25x**2) at 0.3", lambda x: 1 / (1 + 25 * x * x), 0.3, lambda x: -50 * x / (1 + 25 * x * x) ** 2
    ),
    _problem("erf(x) at 5", math.erf, 5.0, lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
]


def _cube_root_by_bisection(x: float) -> float:
    """An iteration that stops at 2⁻²⁰: a staircase."""
    low, high = 0.0, 4.0
    for _ in range(22):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**3 < x else (low, middle)
    return (low + high) / 2


def _series_in_float32(x: float) -> float:
    k = np.arange(1, 21, dtype=np.float32)
    return float(np.sum(np.sin(k * np.float32(x)) / k**2))


def _expanded(x: float) -> float:
    return x**6 - 6 * x**5 + 15 * x**4 - 20 * x**3 + 15 * x**2 - 6 * x + 1


HELD_OUT = [
    _problem("abs(sin(x)) at pi", lambda x: abs(math.sin(x)), math.pi, mpmath.cos),
    _problem("max(x-1, 0) + x at 1-1e-7", lambda x: max(x - 1, 0.0) + x, 1 - 1e-7, 1.0),
    _problem("sqrt(abs(x)) at 0", lambda x: math.sqrt(abs(x)), 0.0, NONE),
    _problem("step x >= 0 at 0", lambda x: 1.0 if x >= 0 else 0.0, 0.0, NONE),
    _problem("abs(x)**3 at 0", lambda x: abs(x) ** 3, 0.0, 0.0),
    _problem("x mod 1 at 0.999", lambda x: x % 1.0, 0.999, 1.0),
    _problem("x**3 below 1, 3x-2 above, at 1", lambda x: x**3 if x < 1 else 3 * x - 2, 1.0, 3.0),
    _problem(
        "sin(2000 pi x) at 0.05",
        lambda x: math.sin(2000 * _pi * x),
        0.05,
        lambda x: 2000 * mpf(_pi) * mpmath.cos(2000 * mpf(_pi) * x),
    ),
    _problem("cos(1e6 x) at 0.3", lambda x: math.cos(1e6 * x), 0.3, lambda x: -mpf(1e6) * mpmath.sin(mpf(1e6) * x)),
    _problem(
        "x + 1e-9 sin(1e7 x) at 2",
        lambda x: x + 1e-9 * math.sin(1e7 * x),
        2.0,
        lambda x: 1 + mpf(1e-9) * mpf(1e7) * mpmath.cos(mpf(1e7) * x),
    ),
    _problem("sin(1/x) at 0.01", lambda x: math.sin(1 / x), 0.01, lambda x: -mpmath.cos(1 / x) / x**2),
    _problem("cos(x) + noise 1e-3 at 1", lambda x: math.cos(x) + noise(x, 1e-3), 1.0, lambda x: -mpmath.sin(x)),
    _problem("exp in float16 at 0.4", lambda x: float(np.float16(math.exp(x))), 0.4, mpmath.exp),
    _problem(
        "series in float32 at 0.9",
        _series_in_float32,
        0.9,
        lambda x: mpmath.nsum(lambda k: mpmath.cos(k * x) / k, [1, 20]),
    ),
    _problem("cube root by bisection at 5", _cube_root_by_bisection, 5.0, lambda x: x ** (-mpf(2) / 3) / 3),
    _problem(
        "(exp(x)-1-x)/x**2 at 1e-3",
        lambda x: (math.exp(x) - 1 - x) / x**2,
        1e-3,
        lambda x: (mpmath.exp(x) - 1) / x**2 - 2 * (mpmath.exp(x) - 1 - x) / x**3,
    ),
    _problem(
        "log(1+x)/x at 1e-5",
        lambda x: math.log(1 + x) / x,
        1e-5,
        lambda x: 1 / (x * (1 + x)) - mpmath.log(1 + x) / x**2,
    ),
    _problem("(x-1)**6 expanded at 1.005", _expanded, 1.005, lambda x: 6 * (x - 1) ** 5),
    _problem("1e12 + x**3 at 2", lambda x: 1e12 + x**3, 2.0, 12.0),
    _problem(
        "log(1+exp(50x)) at 0.01",
        lambda x: math.log1p(math.exp(50 * x)),
        0.01,
        lambda x: 50 / (1 + mpmath.exp(-50 * x)),
    ),
    _problem("tanh(1e4 (x-0.5)) at 0.5", lambda x: math.tanh(1e4 * (x - 0.5)), 0.5, 1e4),
    _problem(
        "1/(x**2 + 1e-8) at 1e-4", lambda x: 1 / (x * x + 1e-8), 1e-4, lambda x: -2 * x / (x * x + mpf(1e-8)) ** 2
    ),
    _problem("log(x-3) at 3+1e-9", lambda x: math.log(x - 3), 3 + 1e-9, lambda x: 1 / (x - 3)),
    _problem("asin at 1-1e-10", math.asin, 1 - 1e-10, lambda x: 1 / mpmath.sqrt(1 - x * x)),
    _problem("x**0.1 at 1e-20", lambda x: x**0.1, 1e-20, lambda x: mpf(0.1) * x ** (mpf(0.1) - 1)),
    _problem("hypot(x, 1e-6) at 1e-6", lambda x: math.hypot(x, 1e-6), 1e-6, lambda x: x / mpmath.hypot(x, mpf(1e-6))),
    _problem("exp(-x) at 700", lambda x: math.exp(-x), 700.0, lambda x: -mpmath.exp(-x)),
    _problem("gamma at 170", math.gamma, 170.0, lambda x: mpmath.gamma(x) * mpmath.digamma(x)),
    _problem("x**-60 at 1e-3", lambda x: x**-60.0, 1e-3, lambda x: -60 / x**61),
    _problem("sin(1e-12 x) at 0", lambda x: math.sin(1e-12 * x), 0.0, 1e-12),
    _problem("1e-200 sin(x) at 1", lambda x: 1e-200 * math.sin(x), 1.0, lambda x: mpf(1e-200) * mpmath.cos(x)),
    _problem(
        "sin(sqrt(x)) at 1e10",
        lambda x: math.sin(math.sqrt(x)),
        1e10,
        lambda x: mpmath.cos(mpmath.sqrt(x)) / (2 * mpmath.sqrt(x)),
    ),
    _problem("erfc at 20", math.erfc, 20.0, lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x)),
    _problem("constant 7 at 3", lambda x: 7.0, 3.0, 0.0),
    _problem("x**2 at 1e-160", lambda x: x * x, 1e-160, lambda x: 2 * x),
]
