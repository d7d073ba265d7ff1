"""The proven bound on the error of a difference quotient: truncation plus rounding.

With c_j = F^(j)/j!, C_j an enclosure of c_j over the hull of x and all abscissae, p the order of the scheme and
a_j = (upper^j − lower^j)/(upper − lower):

    |T| ≤ min over n = p+1 … N of |Σ_{p < j < n} a_j c_j(x) h^(j−1)| + b_n·sup|C_n|·h^(n−1)

(b_n = (|upper|ⁿ + |lower|ⁿ)/(upper − lower)): Taylor's theorem with Lagrange's remainder at both abscissae; n = p + 1
is the classical bound with the Peano constant. Where F is only Lipschitz there, |T| ≤ sup|C₁ − F′(x)| with C₁ an
enclosure of Clarke's set, by the mean value theorem of Lebourg.

    |A| ≤ sup|C₁|·(|a − (x + upper·h)| + |b − (x + lower·h)|)/k
    |E| ≤ B/k, B the proven bound on the difference of two rounding errors of f̂ in the hull

and |S|, |Q| are known exactly. Everything is rounded upwards.

References
----------
DLMF 1.4.36 (Taylor with Lagrange's remainder) and 3.4 (error terms of differentiation formulas); F. H. Clarke,
Optimization and Nonsmooth Analysis (1983), Theorem 2.3.7 (Lebourg).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import Ball, ball, precision
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.lipschitz import slope_range
from diffcompare.arithmetic.running_error import ROUNDING_BITS, rounding_bound
from diffcompare.compare.exact_error import two_sum
from diffcompare.compare.kernel import Evaluations, Grid
from diffcompare.compare.reference import partial_ball
from diffcompare.numeric.stencils import Stencil
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["bound_error"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# the highest Taylor coefficient of which a remainder is made
_ORDER = 6
# a float computation of fewer than 40 operations, all errors counted generously, and underflow
_UP, _ETA = 1 + 2.0**-46, 2.0**-1060
# sixth powers of numbers within these bounds are normal numbers
_SMALL = 2.0**-130


def bound_error(
    grid: Grid, evaluations: Evaluations, rows: Flags, parts: Mapping[str, Floats], *, measured: bool
) -> tuple[Floats, Floats]:
    """Bound |truncation| and |error − truncation| of the chosen rows.

    Proven, given the constants of the rounding of elementary functions; where ``measured``, |E| itself stands for the
    bound on the evaluation of f.

    Parameters
    ----------
    grid : Grid
    evaluations : Evaluations
    rows : ndarray of bool, points × variables × schemes × steps
        Where the reference is certified, all abscissae lie in the domain and f̂ is finite there.
    parts : mapping
        ``subtraction`` and ``division``, correctly rounded, and ``evaluation`` where measured.
    measured : bool
        f̂ is not the program's own code.

    Returns
    -------
    truncation_bound, rounding_bound : ndarray
        Rounded upwards; nan where there is none.
    """
    truncation, rounding = np.full(grid.shape, np.nan), np.full(grid.shape, np.nan)
    for p, point in enumerate(grid.points.tolist()):
        for v, direction in enumerate(grid.directions):
            if rows[p, v].any():
                around = _surroundings(grid.f, point, direction, grid.steps, rows[p, v].any(axis=0))
                truncation[p, v] = _truncation(grid, around)
                moved = _moved(grid, point[direction])
                with np.errstate(all="ignore"):
                    k = grid.steps * np.array([[s.upper - s.lower] for s in grid.stencils])
                    if measured:
                        evaluation = np.abs(parts["evaluation"][p, v])
                    else:
                        evaluation = np.where(evaluations.collapsed[p, v], 0.0, around.rounding / k)
                    total = around.slope * moved / k + evaluation
                    total = total + np.abs(parts["subtraction"][p, v]) + np.abs(parts["division"][p, v])
                    rounding[p, v] = np.where(
                        (total > 0) | _inexact(grid, evaluations, p, v), total * _UP + _ETA, total
                    )
                for s, j in np.argwhere(rows[p, v] & _extreme(around, grid.steps)):
                    names = ("evaluation", "subtraction", "division") if measured else ("subtraction", "division")
                    local = {name: float(parts[name][p, v, s, j]) for name in names}
                    still = bool(evaluations.collapsed[p, v, s, j])
                    truncation[p, v, s, j], rounding[p, v, s, j] = _in_balls(
                        grid.stencils[s], around, j, point[direction], float(grid.steps[j]), local, measured, still
                    )
    for bound in (truncation, rounding):
        bound[~rows | np.isinf(bound)] = np.nan
    return truncation, rounding


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What holds over the hull of the abscissae, one number a step (nan or inf: not known)."""

    known: Floats  # coefficients × (value, doubt): c_j at the point itself
    supremum: Floats  # coefficients × steps: sup|C_j|
    slope: Floats  # sup|C₁|, corners included
    lipschitz: Floats  # sup|C₁ − F′(x)|, corners included
    rounding: Floats  # B


def _surroundings(
    f: SymbolicFunction, point: list[float], direction: int, steps: Floats, wanted: Flags
) -> _Surroundings:
    """Enclose derivatives and rounding error over hulls around the point; that of a larger step serves a smaller one.

    A new hull is taken where the step has shrunk by more than a factor of three, until nothing is gained any more.
    """
    program, x = f.program, point[direction]
    at = [ball(value) for value in point]
    with precision(ROUNDING_BITS):
        # what a float cannot hold of a coefficient is part of the doubt
        here = [
            (float(c.mid()), _up((c - float(c.mid())).abs_upper()) if c.is_finite() else math.inf)
            for c in taylor_jet(program, at, direction, order=_ORDER)
        ]
    known = np.array(here)
    known[:, 1] = known[:, 1] * _UP + np.abs(known[:, 0]) * 2.0**-52
    thin = np.append(np.abs(known).sum(axis=1), rounding_bound(program, at, direction))
    supremum = np.full((_ORDER + 1, steps.size), np.inf)
    slope, lipschitz, rounding = (np.full(steps.size, np.inf) for _ in range(3))
    level: float | None = None
    settled = False
    for k, h in enumerate(steps.tolist()):
        if not wanted[k]:
            continue
        if level is None or (h < level / 3 and not settled):
            level = h
            with precision(ROUNDING_BITS):
                hull = (at[direction] - h).union(at[direction] + h).union(ball(x - h)).union(ball(x + h))
                box = [*at[:direction], hull, *at[direction + 1 :]]
                jet = taylor_jet(program, box, direction, order=_ORDER, bits=ROUNDING_BITS)
                size = [_up(c.abs_upper()) for c in jet]
                slopes = jet[1] if jet[1].is_finite() else slope_range(program, box, direction)
                error = rounding_bound(program, box, direction)
                exact = partial_ball(f, point, direction, ROUNDING_BITS)
                largest = np.inf if slopes is None else _up(slopes.abs_upper())
                gap = np.inf if slopes is None or exact is None else _up((slopes - exact).abs_upper())
            new = np.append(size, error)
            settled = bool((new <= 1.001 * thin).all())
        supremum[:, k], slope[k], lipschitz[k], rounding[k] = size, largest, gap, error
    return _Surroundings(known, supremum, slope, lipschitz, rounding)


def _up(value: Ball) -> float:
    return math.inf if not value.is_finite() else math.nextafter(float(value), math.inf) if not value.is_zero() else 0.0


def _truncation(grid: Grid, around: _Surroundings) -> Floats:
    """Return the smallest of the Taylor bounds and the Lipschitz bound, schemes × steps."""
    h = grid.steps
    best = np.empty((len(grid.stencils), h.size))
    with np.errstate(all="ignore"):
        powers = np.cumprod(np.broadcast_to(h, (_ORDER, h.size)), axis=0)  # h, h², …
        for s, stencil in enumerate(grid.stencils):
            width = stencil.upper - stencil.lower
            smallest = around.lipschitz.copy()
            total, doubt, nonzero = np.zeros(h.size), np.zeros(h.size), np.zeros(h.size, dtype=bool)
            for n in range(2, _ORDER + 1):
                weight = (abs(stencil.upper) ** n + abs(stencil.lower) ** n) / width
                remainder = weight * around.supremum[n] * powers[n - 2]
                bound = (np.abs(total) + doubt + remainder) * _UP
                bound = np.where(nonzero | (around.supremum[n] > 0), bound + _ETA, bound)
                smallest = np.fmin(smallest, np.where(np.isnan(bound), np.inf, bound))
                coefficient = float(stencil.error_coefficient(n - 1))
                if coefficient:
                    value, spread = around.known[n]
                    total = total + coefficient * value * powers[n - 2]
                    doubt = (doubt + (abs(coefficient) * spread + abs(value) * 2.0**-50) * powers[n - 2]) * _UP
                    nonzero |= bool(value or spread)
            best[s] = smallest
    return best


def _inexact(grid: Grid, evaluations: Evaluations, p: int, v: int) -> Flags:
    """Tell where the subtraction was rounded, though what that makes may be too small for a float."""
    values = evaluations.values[v]
    with np.errstate(all="ignore"):
        lost = [two_sum(values[s.upper][p], -values[s.lower][p])[1] + 0 * grid.steps for s in grid.stencils]
    return np.asarray(np.array(lost) != 0)


def _extreme(around: _Surroundings, h: Floats) -> Flags:
    """Tell at which steps the float arithmetic above may over- or underflow."""
    sizes = np.vstack([around.supremum, around.slope, around.rounding])
    with np.errstate(all="ignore"):
        outside = (np.isfinite(sizes) & (sizes != 0) & ((sizes < _SMALL) | (sizes > 1 / _SMALL))).any(axis=0)
    known = np.abs(around.known[:, 0])
    odd = ((known != 0) & ((known < _SMALL) | (known > 1 / _SMALL))).any()
    return np.asarray(outside | odd | (h < _SMALL) | (h > 1 / _SMALL))


def _in_balls(
    stencil: Stencil,
    around: _Surroundings,
    j: int,
    x: float,
    h: float,
    parts: Mapping[str, float],
    measured: bool,
    collapsed: bool,
) -> tuple[float, float]:
    """Return both bounds of one row by the same formulas in balls, whose exponents have no limits."""
    with precision(ROUNDING_BITS):
        step, width = ball(h), stencil.upper - stencil.lower
        k = step * width
        candidates = [around.lipschitz[j]] if math.isfinite(around.lipschitz[j]) else []
        total = ball(0)
        for n in range(2, _ORDER + 1):
            power = step ** (n - 1)
            if math.isfinite(around.supremum[n, j]):
                weight = Fraction(abs(stencil.upper) ** n + abs(stencil.lower) ** n, width)
                remainder = ball(weight) * ball(float(around.supremum[n, j])) * power
                candidates.append(_up((total.abs_upper() + remainder).abs_upper()))
            value, spread = (ball(float(part)) for part in around.known[n])
            total = total + ball(stencil.error_coefficient(n - 1)) * (value + _symmetric(spread)) * power
        moved = ball(0)
        for offset in (stencil.upper, stencil.lower):
            gap = Fraction(x) + offset * Fraction(h) - Fraction(x + offset * h)
            moved = moved + ball(abs(gap)) if gap else moved
        error = ball(0) if collapsed and not measured else ball(float(around.rounding[j])) / k
        if measured:
            error = ball(abs(parts["evaluation"]) * _UP) + _symmetric(ball(2.0**-1074))
        rounding = ball(float(around.slope[j])) * moved / k + error
        for name in ("subtraction", "division"):
            # rounded to nearest, also where the nearest is 0
            rounding = rounding + ball(abs(parts[name]) * _UP) + _symmetric(ball(2.0**-1074))
        return min(candidates, default=math.nan), _up(rounding.abs_upper()) if rounding.is_finite() else math.nan


def _symmetric(size: Ball) -> Ball:
    return size.union(-size)


def _moved(grid: Grid, x: float) -> Floats:
    """Return |a − (x + upper·h)| + |b − (x + lower·h)|, exactly or rounded upwards, schemes × steps."""
    with np.errstate(all="ignore"):
        off = {offset: np.abs(two_sum(np.float64(x), offset * grid.steps)[1]) for offset in (-1, 0, 1)}
        return np.array([(off[s.upper] + off[s.lower]) * _UP for s in grid.stencils])
