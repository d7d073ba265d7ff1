"""Random nasty functions of one variable, each with its exact derivative: a difference in 400 digits.

Every family is one way in which differences go wrong. A function is written once, as g(m, t), and runs with m = math
and with m = mpmath. ``problems(seed)`` draws the same set on every machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

from .nasty_derivatives import NONE, Problem, noise

__all__ = ["FAMILIES", "problems"]

Function = Callable[[Any, Any], Any]
_DIGITS = 400
# below every feature that a family draws; half of the digits are left
_STEP = mpmath.mpf(10) ** -190


def _power(rng: random.Random, low: float, high: float) -> float:
    """A size that is uniform on the scale of logarithms."""
    return float(10 ** rng.uniform(low, high))


def _signed(rng: random.Random, low: float, high: float) -> float:
    return rng.choice((-1.0, 1.0)) * _power(rng, low, high)


_OUTER: tuple[Function, ...] = (
    lambda m, s: m.sin(s),
    lambda m, s: m.cos(s),
    lambda m, s: m.exp(m.sin(s)),
    lambda m, s: m.tanh(s),
    lambda m, s: m.atan(s),
    lambda m, s: m.log(2 + m.sin(s)),
    lambda m, s: m.sqrt(1 + s * s),
    lambda m, s: 1 / (1 + s * s),
    lambda m, s: s * m.exp(-s * s),
    lambda m, s: s**3 - 2 * s,
    lambda m, s: s * s + s,
    lambda m, s: m.erf(s),
)


def _smooth(rng: random.Random, depth: int = 2) -> Function:
    """A composition of elementary functions whose scale is about 1."""
    a, b, outer = _signed(rng, -0.3, 0.3), rng.uniform(-1, 1), rng.choice(_OUTER)
    if depth == 0:
        return lambda m, t: outer(m, a * t + b)
    left, right, how = _smooth(rng, depth - 1), _smooth(rng, depth - 1), rng.randrange(3)
    if how == 0:
        return lambda m, t: a * left(m, t) + right(m, t)
    if how == 1:
        return lambda m, t: left(m, t) * right(m, t)
    return lambda m, t: outer(m, a * left(m, t) + b)


def _place(rng: random.Random) -> float:
    return rng.choice((0.0, 1.0, rng.uniform(-3, 3), rng.uniform(-3, 3), _signed(rng, -6, 0)))


Drawn = tuple[Function, float]


def _composition(rng: random.Random) -> Drawn:
    g, scale = _smooth(rng, 3), _power(rng, -3, 6)
    return lambda m, t: g(m, scale * t), _place(rng)


def _oscillation(rng: random.Random) -> Drawn:
    g, w, phase = _smooth(rng), _power(rng, 1, 8), rng.uniform(0, 6)
    size = _power(rng, -6, 2) / w
    return lambda m, t: g(m, t) + size * m.sin(w * t + phase), _place(rng)


def _offset(rng: random.Random) -> Drawn:
    g, offset = _smooth(rng), _signed(rng, 3, 12)
    return lambda m, t: offset + g(m, t), _place(rng)


def _corner_near(rng: random.Random) -> Drawn:
    g, x, size = _smooth(rng), _place(rng), _signed(rng, -8, 1)
    corner = x + _signed(rng, -12, -1)
    return lambda m, t: g(m, t) + size * abs(t - corner), x


def _bend_near(rng: random.Random) -> Drawn:
    g, x, size, p = _smooth(rng), _place(rng), _signed(rng, -3, 2), rng.choice((1.5, 2, 2.5, 3))
    corner = x + rng.choice((0.0, _signed(rng, -9, -1)))
    return lambda m, t: g(m, t) + (size * (t - corner) ** p if t > corner else 0), x


def _jump_near(rng: random.Random) -> Drawn:
    g, x, size = _smooth(rng), _place(rng), _signed(rng, -8, 1)
    edge = x + _signed(rng, -10, -1)
    return lambda m, t: g(m, t) + (size if t > edge else 0), x


def _piecewise_constant(rng: random.Random) -> Drawn:
    g, k, size = _smooth(rng), _power(rng, -0.5, 2), _signed(rng, -6, 1)
    return lambda m, t: g(m, t) + size * m.floor(k * t + 0.4), rng.uniform(0.5, 3)


def _pole_near(rng: random.Random) -> Drawn:
    g, x, kind, p = _smooth(rng), _place(rng), rng.randrange(4), rng.uniform(-3, 3)
    distance = _power(rng, -10, 0)
    s = x - distance
    if kind == 0:
        return lambda m, t: g(m, t) + distance / (t - s), x
    if kind == 1:
        return lambda m, t: g(m, t) + m.log(t - s), x
    if kind == 2:
        return lambda m, t: g(m, t) * m.sqrt(t - s), x
    return lambda m, t: (t - s) ** p, x


def _overflow(rng: random.Random) -> Drawn:
    kind, k = rng.randrange(4), _power(rng, 0.5, 2.8)
    x = rng.uniform(0.3, 1.05)
    n = float(round(k))
    if kind == 0:
        return lambda m, t: m.exp(k * t), x
    if kind == 1:
        return lambda m, t: m.cosh(k * t), x
    if kind == 2:
        return lambda m, t: t**n, x
    return lambda m, t: t**-n, x


def _edge_near(rng: random.Random) -> Drawn:
    g, x, kind = _smooth(rng), _place(rng), rng.randrange(3)
    edge = x + _signed(rng, -9, -1)
    if kind == 0:
        return lambda m, t: g(m, t) if (t - edge) * (x - edge) > 0 else NONE, x
    if kind == 1:
        return lambda m, t: g(m, t) + m.log(abs(t - edge)) if (t - edge) * (x - edge) > 0 else NONE, x
    near = 1 - _power(rng, -10, -1)
    return (lambda m, t: m.asin(t) + g(m, t)), near


def _scaled(rng: random.Random) -> Drawn:
    g, scale = _smooth(rng), _power(rng, -150, 150)
    return lambda m, t: g(m, t / scale), rng.choice((0.0, scale * rng.uniform(-3, 3)))


def _far(rng: random.Random) -> Drawn:
    """The scale of f is not that of x."""
    g = _smooth(rng)
    return lambda m, t: g(m, t), _signed(rng, -12, 7)


def _steep(rng: random.Random) -> Drawn:
    g, k, x, kind = _smooth(rng), _power(rng, 1, 7), _place(rng), rng.randrange(3)
    c = x + rng.uniform(-1.5, 1.5) / k
    if kind == 0:
        return lambda m, t: g(m, t) + m.tanh(k * (t - c)), x
    if kind == 1:
        return lambda m, t: g(m, t) + m.exp(-((k * (t - c)) ** 2)), x
    return lambda m, t: g(m, t) * m.sqrt(1 + (k * (t - c)) ** 2), x


def _cancellation(rng: random.Random) -> Drawn:
    kind, x, n = rng.randrange(4), _signed(rng, -6, 0), rng.randrange(3, 9)
    if kind == 0:
        return lambda m, t: (1 - m.cos(t)) / t**2, x
    if kind == 1:
        return lambda m, t: (m.exp(t) - 1) / t, x
    if kind == 2:
        return lambda m, t: m.sqrt(1 + t * t) - m.sqrt(1 - t * t / 4), x / 2
    # (t - 1)ⁿ, expanded
    terms = [float(math.comb(n, j) * (-1) ** (n - j)) for j in range(n + 1)]
    return lambda m, t: sum(c * t**j for j, c in enumerate(terms)), 1 + x / 10


def _sharp(rng: random.Random) -> Drawn:
    """No derivative: a corner, a cusp, a jump or a pole at x itself."""
    g, x, size, kind = _smooth(rng), _place(rng), _signed(rng, -4, 1), rng.randrange(4)
    if kind == 0:
        return lambda m, t: g(m, t) + size * abs(t - x), x
    if kind == 1:
        return lambda m, t: g(m, t) + size * m.sqrt(abs(t - x)), x
    if kind == 2:
        return lambda m, t: g(m, t) + (size if t > x else 0), x
    return lambda m, t: g(m, t) + size * max(t - x, 0), x


def _of_values(change: Callable[[random.Random], Callable[[float, float], float]]) -> Callable[[random.Random], Drawn]:
    """Smooth functions whose floats are spoilt by ``change``: the derivative is that of the function."""

    def draw(rng: random.Random) -> Drawn:
        g, x, spoil = _smooth(rng), _place(rng), change(rng)
        return lambda m, t: spoil(g(m, t), t) if m is math else g(m, t), x

    return draw


def _noise(rng: random.Random) -> Callable[[float, float], float]:
    size = _power(rng, -12, -3)
    return lambda value, t: value + noise(t, size * abs(value))


def _narrow(rng: random.Random) -> Callable[[float, float], float]:
    kind = rng.choice((np.float32, np.float32, np.float16))
    return lambda value, t: float(kind(value))


def _rounded(rng: random.Random) -> Callable[[float, float], float]:
    digits = rng.randrange(3, 12)
    return lambda value, t: round(value, digits)


FAMILIES: dict[str, Callable[[random.Random], Drawn]] = {
    "composition": _composition,
    "oscillation": _oscillation,
    "offset": _offset,
    "corner near x": _corner_near,
    "f'' jumps near x": _bend_near,
    "jump near x": _jump_near,
    "piecewise constant": _piecewise_constant,
    "pole near x": _pole_near,
    "overflow": _overflow,
    "edge near x": _edge_near,
    "huge or tiny x": _scaled,
    "far from its scale": _far,
    "steep": _steep,
    "cancellation": _cancellation,
    "no derivative": _sharp,
    "noise": _of_values(_noise),
    "narrow floats": _of_values(_narrow),
    "rounded values": _of_values(_rounded),
}


def _exact(g: Function, x: float) -> float:
    with mpmath.workdps(_DIGITS):
        t = mpmath.mpf(x)
        h = _STEP * (abs(t) or 1)
        return float((g(mpmath, t + h) - g(mpmath, t - h)) / (2 * h))


def problems(seed: int, each: int = 20) -> list[Problem]:
    """Draw ``each`` problems of every family."""
    drawn = []
    for family, draw in FAMILIES.items():
        rng = random.Random(f"{family} {seed}")
        for k in range(each):
            g, x = draw(rng)
            exact = NONE if family == "no derivative" else _exact(g, x)
            drawn.append(Problem(f"{family} {k}", lambda t, g=g: g(math, t), x, exact))
    return drawn
