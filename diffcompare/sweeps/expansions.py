"""Taylor polynomials of f around every point, with an enclosed remainder: what all small steps there share.

    F(x + t) = c_0 + c_1·t + … + c_N·t^N + R(t),   |R(t)| ≤ sup|F^(N+1)/(N+1)!|·|t|^(N+1),   |t| ≤ ρ

by Taylor's theorem with Lagrange's remainder, along one variable. The coefficients are enclosed at the point, the
supremum over the ball of radius ρ (N. S. Nedialkov, V. Kreinovich, S. A. Starks, Interval arithmetic, affine
arithmetic, Taylor series methods: why, what next?, Numer. Algorithms 37 (2004), section 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diffcompare.arithmetic.balls import Ball, ball, precision
from diffcompare.arithmetic.double_double import floats_of
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.moving import Rest
from diffcompare.floats import Flags, Floats
from diffcompare.sweeps.subject import Grid, each_point

__all__ = ["DEGREE", "Expansions", "expansions"]

DEGREE = 18
# bits of the coefficients: those of three floats
_BITS = 192
_ROUGH_BITS = 64
# 2^-5 of the radius of convergence: what comes after eleven terms is less than a rounding of the first
_MARGIN = 5
# one that reaches past a corner or a pole is tried again with a sixteenth of the radius
_TRIES, _SHRINK = 3, 4
# beyond, what is scaled might leave the range of floats
_EXPONENT = 300
# so many steps of one point and variable cost more than an expansion
_FEWEST_STEPS = 6


@dataclass(frozen=True, slots=True)
class Expansions:
    """Taylor polynomials, arrays over points × variables, in units that make ρ = 1 and the largest |c_n| about 1.

    Parameters
    ----------
    found : ndarray of bool
        Where there is one: elsewhere all is 0.
    radius, unit : ndarray
        ρ and the unit of f, powers of two.
    high, low, doubt : ndarray, × (degree + 1)
        c_n·ρⁿ/unit = high + low, to within doubt.
    constant : ndarray
        The third float of c_0.
    remainder : ndarray
        Above sup|F^(N+1)/(N+1)!|·ρ^(N+1)/unit over the ball of radius ρ.
    """

    found: Flags
    radius: Floats
    unit: Floats
    high: Floats
    low: Floats
    doubt: Floats
    constant: Floats
    remainder: Floats


def expansions(grid: Grid, rows: Flags) -> Expansions:
    """Expand f around the points, along the variables of which several steps are wanted.

    ``rows`` are the wanted ones, points × variables × schemes × steps.
    """
    wanted = rows.any(axis=2).sum(axis=2) >= _FEWEST_STEPS
    m, n = grid.shape[:2]
    numbers = np.zeros((m, n, 4 + 3 * (DEGREE + 1)))
    reach = max((abs(offset) for stencil in grid.stencils for offset in stencil.offsets), default=1)
    farthest = _exponent(float(grid.steps[0]) * float(reach)) + 1
    for p, point in each_point(grid):
        if not wanted[p].any():
            continue
        rest = Rest(point)
        for v, direction in enumerate(grid.directions):
            if wanted[p, v] and (found := _expansion(grid, rest, direction, farthest)):
                numbers[p, v] = found
    head, lists = numbers[..., :4], numbers[..., 4:].reshape(m, n, 3, DEGREE + 1)
    radius, unit, constant, remainder = np.moveaxis(head, -1, 0)
    return Expansions(
        radius > 0, radius, unit, lists[..., 0, :], lists[..., 1, :], lists[..., 2, :], constant, remainder
    )


def _expansion(grid: Grid, rest: Rest, direction: int, farthest: int) -> list[float] | None:
    program = grid.f.program
    coefficients = taylor_jet(program, rest.moved(direction), direction, order=DEGREE, bits=_BITS)
    sizes = [float(abs(c).mid()) for c in coefficients]
    if not all(map(math.isfinite, sizes)):
        return None
    scale = min(_converging(sizes) - _MARGIN, farthest)
    at = rest.balls[direction]
    for _ in range(_TRIES):
        if abs(scale) > _EXPONENT:
            return None
        with precision(_ROUGH_BITS):
            radius = ball(2.0**scale)
            around = rest.moved(direction, (at - radius).union(at + radius))
            last = taylor_jet(program, around, direction, order=DEGREE + 1, bits=_ROUGH_BITS)[-1]
        if last.is_finite():
            return _scaled(coefficients, sizes, last, scale)
        scale -= _SHRINK
    return None


def _converging(sizes: Sequence[float]) -> int:
    """Guess the exponent of the radius of convergence by how fast the coefficients fall."""
    middle = DEGREE // 2
    early, late = max(sizes[middle : middle + 2]), max(sizes[DEGREE - 1 :])
    if late == 0:
        return _EXPONENT
    if early == 0:
        return -2 * _EXPONENT
    return math.floor((math.log2(early) - math.log2(late)) / (DEGREE - 1 - middle))


def _scaled(coefficients: Sequence[Ball], sizes: Sequence[float], last: Ball, scale: int) -> list[float] | None:
    unit = max((_exponent(size) + n * scale for n, size in enumerate(sizes) if size), default=_EXPONENT + 1)
    if abs(unit) > _EXPONENT:
        return None
    try:
        with precision(_BITS):
            high, middle, low, rest = floats_of(coefficients[0], -unit, 3)
            rows = [[high, middle, rest]]
            rows += [floats_of(c, n * scale - unit, 2) for n, c in enumerate(coefficients) if n]
            (remainder,) = floats_of(last, (DEGREE + 1) * scale - unit, 0)
    except OverflowError:
        return None
    return [2.0**scale, 2.0**unit, low, remainder, *(part for column in zip(*rows, strict=True) for part in column)]


def _exponent(size: float) -> int:
    return math.frexp(size)[1]
