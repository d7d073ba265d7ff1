"""Random nasty functions of several variables, with exact gradients, Jacobians and Hessians: differences in 240 digits.

A function is written once, as g(m, x) of a list of numbers with one value or a list of them, and runs with m = math and
with m = mpmath. Every family is one way in which differences go wrong. ``problems(seed)`` draws the same set on every
machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np

from .nasty_derivatives import NONE, noise
from .random_derivatives import _place, _power, _signed, _smooth

__all__ = ["VECTOR_FAMILIES", "VectorProblem", "vector_problems"]

# of several numbers, with one value or a list
Function = Callable[[Any, Any], Any]
_STEP = mpmath.mpf(10) ** -60


@dataclass(frozen=True, slots=True)
class VectorProblem:
    """A function, a point and its first or second derivatives there; nan where there is none."""

    name: str
    f: Callable[[Any], Any]
    x: list[float]
    derivative: int
    exact: Any
    box: tuple[list[float], list[float]] | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """A function as it is written, its point; what is done to its floats; entries of the gradient that do not exist."""

    g: Function
    x: list[float]
    spoil: Callable[[float, list[float]], float] | None = None
    missing: tuple[int, ...] = ()
    box: tuple[list[float], list[float]] | None = None


def _rosenbrock(rng: random.Random) -> Drawn:
    x = [rng.uniform(-2, 2) for _ in range(rng.randrange(2, 5))]
    return Drawn(lambda m, x: sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(x)), x)


def _powell(rng: random.Random) -> Drawn:
    x = rng.choice(([3.0, -1.0, 0.0, 1.0], [rng.uniform(-3, 3) for _ in range(4)], [0.1, 0.0, 1e-3, 1e-4]))
    return Drawn(
        lambda m, x: (
            (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4
        ),
        x,
    )


def _wood(rng: random.Random) -> Drawn:
    x = rng.choice(([-3.0, -1.0, -3.0, -1.0], [rng.uniform(-3, 3) for _ in range(4)]))
    return Drawn(
        lambda m, x: (
            100 * (x[1] - x[0] ** 2) ** 2
            + (1 - x[0]) ** 2
            + 90 * (x[3] - x[2] ** 2) ** 2
            + (1 - x[2]) ** 2
            + 10 * (x[1] + x[3] - 2) ** 2
            + (x[1] - x[3]) ** 2 / 10
        ),
        x,
    )


def _badly_scaled(rng: random.Random) -> Drawn:
    kind = rng.randrange(3)
    if kind == 0:
        x = [rng.uniform(0.3, 2) * 1e6, rng.uniform(0.3, 2) * 2e-6]
        return Drawn(lambda m, x: (x[0] - 10**6) ** 2 + (x[1] - 2 / 10**6) ** 2 + (x[0] * x[1] - 2) ** 2, x)
    if kind == 1:
        x = [_power(rng, -4, -1), rng.uniform(1, 10)]
        return Drawn(lambda m, x: (10**4 * x[0] * x[1] - 1) ** 2 + (m.exp(-x[0]) + m.exp(-x[1]) - 1 - 1e-4) ** 2, x)
    scales = [_power(rng, -8, 8) for _ in range(3)]
    g = [_smooth(rng) for _ in range(3)]
    x = [rng.uniform(0.2, 2) * scale for scale in scales]
    return Drawn(
        lambda m, x: (
            sum(one(m, v / s) for one, v, s in zip(g, x, scales, strict=True))
            + m.sin(x[0] / scales[0] * x[1] / scales[1])
        ),
        x,
    )


def _composition(rng: random.Random) -> Drawn:
    n = rng.randrange(2, 4)
    inner = [[rng.uniform(-1, 1) for _ in range(n)] for _ in range(2)]
    g, h = _smooth(rng), _smooth(rng)

    def f(m: Any, x: Any) -> Any:
        u, v = (sum(a * t for a, t in zip(row, x, strict=True)) for row in inner)
        return g(m, u) * h(m, v) + m.sin(u * v)

    return Drawn(f, [_place(rng) for _ in range(n)])


def _offset(rng: random.Random) -> Drawn:
    drawn, offset = _composition(rng), _signed(rng, 2, 8)
    return Drawn(lambda m, x: offset + drawn.g(m, x), drawn.x)


def _logistic(rng: random.Random) -> Drawn:
    n = rng.randrange(2, 5)
    rows = [[rng.gauss(0, 1) for _ in range(n)] for _ in range(12)]
    signs = [rng.choice((-1, 1)) for _ in rows]
    l2 = _power(rng, -6, 0)

    def loss(m: Any, w: Any) -> Any:
        scores = [s * sum(a * b for a, b in zip(row, w, strict=True)) for row, s in zip(rows, signs, strict=True)]
        # the usual way not to overflow
        terms = [m.log(1 + m.exp(-z)) if z > 0 else m.log(1 + m.exp(z)) - z for z in scores]
        return sum(terms) / len(rows) + l2 / 2 * sum(b * b for b in w)

    scale = rng.choice((0.0, 0.1, 1.0, 10.0))
    return Drawn(loss, [scale * rng.gauss(0, 1) for _ in range(n)])


def _softmax(rng: random.Random) -> Drawn:
    rows = [[rng.gauss(0, 1), rng.gauss(0, 1)] for _ in range(8)]
    labels = [rng.randrange(3) for _ in rows]

    def loss(m: Any, w: Any) -> Any:
        total = 0
        for (a, b), label in zip(rows, labels, strict=True):
            z = [w[2 * k] * a + w[2 * k + 1] * b for k in range(3)]
            top = max(z)
            total = total + top + m.log(sum(m.exp(one - top) for one in z)) - z[label]
        return total / len(rows)

    # weights of exactly 0 tie the largest score: no kink, as it cancels
    scale = rng.choice((0.0, 0.1, 3.0))
    return Drawn(loss, [scale * rng.gauss(0, 1) for _ in range(6)])


def _noisy(rng: random.Random) -> Drawn:
    drawn, size = rng.choice((_composition, _rosenbrock, _logistic))(rng), _power(rng, -12, -4)

    def spoil(value: float, x: list[float]) -> float:
        return value + noise(math.fsum(t * (k + math.pi) for k, t in enumerate(x)), size * (abs(value) + 1e-3))

    return Drawn(drawn.g, drawn.x, spoil)


def _narrow(rng: random.Random) -> Drawn:
    drawn = rng.choice((_composition, _rosenbrock, _logistic))(rng)
    return Drawn(drawn.g, drawn.x, lambda value, x: float(np.float32(value)))


def _edge_near(rng: random.Random) -> Drawn:
    """Near the edge of the domain, where there is no box."""
    kind, n = rng.randrange(3), rng.randrange(2, 4)
    if kind == 0:
        x = [_power(rng, -9, 0) for _ in range(n)]
        return Drawn(lambda m, x: sum(m.log(t) * (1 + t) for t in x) + x[0] * x[1], x)
    if kind == 1:
        x = [rng.uniform(-1, 1) for _ in range(n)]
        size = math.sqrt(sum(t * t for t in x))
        x = [t / size * (1 - _power(rng, -9, -1)) for t in x]
        return Drawn(lambda m, x: m.log(1 - sum(t * t for t in x)), x)
    x = [rng.uniform(0.5, 2), rng.uniform(0.5, 2)]
    shift = x[0] * x[1] - _power(rng, -8, -1)
    return Drawn(lambda m, x: m.sqrt(x[0] * x[1] - shift) + m.exp(-x[0]), x)


def _kink_near(rng: random.Random) -> Drawn:
    drawn, size = _composition(rng), _signed(rng, -4, 1)
    a = [rng.uniform(-1, 1) for _ in drawn.x]
    corner = sum(s * t for s, t in zip(a, drawn.x, strict=True)) + _signed(rng, -9, -1)
    return Drawn(
        lambda m, x: drawn.g(m, x) + size * abs(sum(s * t for s, t in zip(a, x, strict=True)) - corner), drawn.x
    )


def _bend_near(rng: random.Random) -> Drawn:
    """A jump of second derivatives beside the point."""
    drawn, size = _composition(rng), _signed(rng, -2, 1)
    a = [rng.uniform(-1, 1) for _ in drawn.x]
    edge = sum(s * t for s, t in zip(a, drawn.x, strict=True)) + _signed(rng, -6, -1)

    def f(m: Any, x: Any) -> Any:
        over = sum(s * t for s, t in zip(a, x, strict=True)) - edge
        return drawn.g(m, x) + (size * over * over if over > 0 else 0)

    return Drawn(f, drawn.x)


def _kink_at(rng: random.Random) -> Drawn:
    """A corner at the point in some variables; the others have a derivative."""
    drawn, size = _composition(rng), _signed(rng, -2, 1)
    k = rng.randrange(len(drawn.x))
    c = drawn.x[k]
    if rng.randrange(2):
        return Drawn(lambda m, x: drawn.g(m, x) + size * abs(x[k] - c), drawn.x, missing=(k,))
    return Drawn(lambda m, x: drawn.g(m, x) + size * max(x[k] - c, 0), drawn.x, missing=(k,))


def _oscillation(rng: random.Random) -> Drawn:
    drawn, w = _composition(rng), _power(rng, 1, 6)
    size = _power(rng, -4, 1) / w
    a = [rng.uniform(-1, 1) for _ in drawn.x]
    return Drawn(lambda m, x: drawn.g(m, x) + size * m.sin(w * sum(s * t for s, t in zip(a, x, strict=True))), drawn.x)


def _boxed(rng: random.Random) -> Drawn:
    """At or beside the sides of a box that f must not leave."""
    drawn = rng.choice((_composition, _rosenbrock, _logistic))(rng)
    lower, upper = [], []
    for t in drawn.x:
        distance = rng.choice((0.0, 0.0, _power(rng, -9, 0), 1.0))
        sides = (t - distance, t + rng.uniform(0.5, 3))
        low, high = sides if rng.randrange(2) else (2 * t - sides[1], t + distance)
        lower.append(low)
        upper.append(high)
    return Drawn(drawn.g, drawn.x, box=(lower, upper))


def _residuals(rng: random.Random) -> Drawn:
    """Several values, of several scales."""
    n = rng.randrange(2, 4)
    made = [
        (_smooth(rng), [rng.uniform(-1, 1) for _ in range(n)], _power(rng, -6, 6), _power(rng, -1, 2)) for _ in range(3)
    ]
    return Drawn(
        lambda m, x: [s * g(m, w * sum(p * t for p, t in zip(a, x, strict=True))) for g, a, s, w in made],
        [_place(rng) for _ in range(n)],
    )


VECTOR_FAMILIES: dict[str, Callable[[random.Random], Drawn]] = {
    "Rosenbrock": _rosenbrock,
    "Powell": _powell,
    "Wood": _wood,
    "badly scaled": _badly_scaled,
    "composition": _composition,
    "offset": _offset,
    "logistic loss": _logistic,
    "softmax": _softmax,
    "noise": _noisy,
    "narrow floats": _narrow,
    "edge near x": _edge_near,
    "corner near x": _kink_near,
    "f'' jumps near x": _bend_near,
    "no derivative": _kink_at,
    "oscillation": _oscillation,
    "box": _boxed,
    "residuals": _residuals,
}


def _first(g: Function, x: list[Any]) -> Any:
    def at(k: int, sign: int) -> Any:
        return g(mpmath, [t + sign * _STEP * (abs(t) or 1) if j == k else t for j, t in enumerate(x)])

    columns = []
    for k, t in enumerate(x):
        up, down, width = at(k, 1), at(k, -1), 2 * _STEP * (abs(t) or 1)
        one = isinstance(up, list)
        columns.append(
            [float((a - b) / width) for a, b in zip(up, down, strict=True)] if one else float((up - down) / width)
        )
    return np.array(columns).T


def _second(g: Function, x: list[Any]) -> Any:
    steps = [_STEP * (abs(t) or 1) for t in x]

    def at(*moves: tuple[int, int]) -> Any:
        moved = list(x)
        for k, sign in moves:
            moved[k] += sign * steps[k]
        return g(mpmath, moved)

    found = np.empty((len(x), len(x)))
    for i in range(len(x)):
        for j in range(i + 1):
            corners = at((i, 1), (j, 1)) - at((i, 1), (j, -1)) - at((i, -1), (j, 1)) + at((i, -1), (j, -1))
            found[i, j] = found[j, i] = float(corners / 4 / steps[i] / steps[j])
    return found


def _floats(drawn: Drawn) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        numbers = [float(t) for t in x]
        if drawn.box is not None and not all(
            a <= t <= b for a, t, b in zip(drawn.box[0], numbers, drawn.box[1], strict=True)
        ):
            raise RuntimeError(f"outside the box: {numbers}")
        value = drawn.g(math, numbers)
        if isinstance(value, list):
            return np.array(value)
        return value if drawn.spoil is None else drawn.spoil(value, numbers)

    return f


def vector_problems(seed: int, each: int = 6) -> list[VectorProblem]:
    """Draw ``each`` functions of every family, with their first and, of one value, second derivatives."""
    made = []
    for family, draw in VECTOR_FAMILIES.items():
        rng = random.Random(f"{family} {seed}")
        for k in range(each):
            drawn = draw(rng)
            f, missing = _floats(drawn), list(drawn.missing)
            with mpmath.workdps(240):
                x = [mpmath.mpf(t) for t in drawn.x]
                first = _first(drawn.g, x)
                second = _second(drawn.g, x) if first.ndim == 1 else None
            first[..., missing] = NONE
            made.append(VectorProblem(f"{family} {k}", f, drawn.x, 1, first, drawn.box))
            if second is not None:
                second[missing] = NONE
                second[:, missing] = NONE
                made.append(VectorProblem(f"{family} {k}", f, drawn.x, 2, second, drawn.box))
    return made
