"""The proven bound on the error of a finite difference: truncation plus rounding.

With q the order of the derivative, p that of the scheme, c_j the exact weights, w_j = d·c_j, k = d·h^q, f_n = F^(n)/n!,
C_n an enclosure of f_n over the hull of x and all abscissae, and a_n = Σ c_j·o_jⁿ:

    |T| ≤ min over n = q+1 … N of |Σ_{q < m < n} a_m f_m(x) h^(m−q)| + b_n·sup|C_n|·h^(n−q)

(b_n = Σ |c_j|·|o_j|ⁿ, Taylor's theorem with Lagrange's remainder at every abscissa; for n = p + q, where the sum is
empty, Peano's constant if that is less). Where F is only Lipschitz there and q = 1, |T| ≤ Σ |c_j·o_j|·sup|C₁ − F′(x)|
with C₁ an enclosure of Clarke's set, by the mean value theorem of Lebourg.

    |A| ≤ sup|C₁|·Σ |w_j|·|a_j − (x + o_j·h)|/k
    |E| ≤ B·½Σ |w_j|/k, B the proven bound on the difference of two rounding errors of f̂ in the hull

(the weights sum to 0, so that E is a sum of such differences), and |S|, |Q| are known exactly. Everything is rounded
upwards. The hull reaches as far on both sides as the stencil does on one; where that gives no bound, the hull of the
stencil alone is taken.

References
----------
DLMF 1.4.36 (Taylor with Lagrange's remainder) and 3.4 (error terms of differentiation formulas); F. H. Clarke,
Optimization and Nonsmooth Analysis (1983), Theorem 2.3.7 (Lebourg).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from diffcompare.arithmetic.balls import Ball, ball, precision
from diffcompare.arithmetic.double_double import two_product, two_sum
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.lipschitz import slope_range
from diffcompare.arithmetic.moving import Rest
from diffcompare.arithmetic.running_error import ROUNDING_BITS, point_rounding_bound, rounding_bound
from diffcompare.certify.reference import partial_ball
from diffcompare.floats import Flags, Floats
from diffcompare.numeric.quotients import abscissa
from diffcompare.numeric.stencils import Stencil
from diffcompare.sweeps.subject import Evaluations, Grid, each_point

__all__ = ["bound_error"]


# the highest Taylor coefficient of which a remainder is made, unless a scheme needs more
_ORDER = 6
# a float computation of fewer than 100 operations, all errors counted generously, and underflow
_UP, _ETA = 1 + 2.0**-45, 2.0**-1060
# powers of numbers between 2^−e and 2^e, e this over the highest power, are normal numbers, and so are their products
_EXPONENT = 780


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
    order = max(_ORDER, *(stencil.order + stencil.derivative + 1 for stencil in grid.stencils))
    by_reach: dict[Fraction, list[int]] = {}
    for s, stencil in enumerate(grid.stencils):
        by_reach.setdefault(max(map(abs, stencil.reach)), []).append(s)
    for p, point in each_point(grid):
        rest = Rest(point)
        for v in range(len(grid.directions)):
            here = _Here(grid, evaluations, parts, measured, order, p, v, rest)
            for reach, members in by_reach.items():
                here.fill(truncation, rounding, rows, members, (-reach, reach))
                for s in members:
                    alone = grid.stencils[s].reach
                    missing = rows & ~(np.isfinite(truncation) & np.isfinite(rounding))
                    if alone != (-reach, reach) and missing[p, v, s].any():
                        here.fill(truncation, rounding, missing, [s], alone)
    for bound in (truncation, rounding):
        bound[~rows | np.isinf(bound)] = np.nan
    return truncation, rounding


@dataclass(frozen=True, slots=True)
class _Here:
    """One point and variable of a sweep."""

    grid: Grid
    evaluations: Evaluations
    parts: Mapping[str, Floats]
    measured: bool
    order: int
    p: int
    v: int
    rest: Rest

    def fill(
        self, truncation: Floats, rounding: Floats, rows: Flags, members: list[int], span: tuple[Fraction, Fraction]
    ) -> None:
        """Bound the chosen rows of some schemes by what holds over the hull of x + span·h."""
        grid, p, v = self.grid, self.p, self.v
        wanted = np.asarray(rows[p, v, members].any(axis=0))
        if not wanted.any():
            return
        h, stencils = grid.steps, [grid.stencils[s] for s in members]
        around = _surroundings(grid, self.rest, grid.directions[v], wanted, span, self.order)
        bounds = _truncation(stencils, h, around)
        with np.errstate(all="ignore"):
            moved = np.array([self._moved(stencil) for stencil in stencils])
            k = np.array([_divisor(stencil, h) for stencil in stencils])
            mass = np.array([[float(stencil.mass)] for stencil in stencils])
            if self.measured:
                evaluation = np.abs(self.parts["evaluation"][p, v, members])
            else:
                evaluation = np.where(self.evaluations.collapsed[p, v, members], 0.0, around.rounding * mass / k)
            total = around.slope * moved / k + evaluation
            for name in ("subtraction", "division"):
                total = total + np.abs(self.parts[name][p, v, members])
            inexact = np.array([self._inexact(s) for s in members])
            total = np.where((total > 0) | inexact, total * _UP + _ETA, total)
        extreme = _extreme(around, h, self.order)
        for j, s in enumerate(members):
            chosen = rows[p, v, s]
            truncation[p, v, s, chosen], rounding[p, v, s, chosen] = bounds[j, chosen], total[j, chosen]
            for k_ in np.flatnonzero(chosen & extreme).tolist():
                truncation[p, v, s, k_], rounding[p, v, s, k_] = self._in_balls(s, around, k_)

    def _abscissae(self, offset: Fraction) -> Floats:
        return _each_step(self.evaluations.abscissae[self.v][offset][self.p], self.grid)

    def _moved(self, stencil: Stencil) -> Floats:
        """Return Σ |w_j|·|a_j − (x + o_j·h)|, rounded upwards."""
        x, h = np.float64(self.rest.floats[self.grid.directions[self.v]]), self.grid.steps
        total = np.zeros(h.size)
        for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
            if offset == 0:
                continue
            near = float(offset)
            nominal, lost = two_sum(x, near * h)
            gap = np.abs((self._abscissae(offset) - nominal) - lost)
            if abs(offset) != 1:
                gap = gap + np.abs(two_product(near, h)[1]) + float(abs(Fraction(near) - offset)) * h
            total = total + gap * float(abs(factor))
        return total * _UP

    def _inexact(self, s: int) -> Flags:
        """Tell where the subtraction was rounded, though what that makes may be too small for a float."""
        stencil, values = self.grid.stencils[s], self.evaluations.values[self.v]
        at = [_each_step(values[offset][self.p], self.grid) for offset in stencil.offsets]
        if not stencil.is_difference:
            return np.asarray(np.logical_or.reduce([value != 0 for value in at]))
        with np.errstate(all="ignore"):
            rise, lost = two_sum(at[0], -at[1])
            return np.asarray((lost != 0) | (rise != self.evaluations.rise[self.p, self.v, s]))

    def _in_balls(self, s: int, around: _Surroundings, j: int) -> tuple[float, float]:
        """Return both bounds of one row by the same formulas in balls, whose exponents have no limits."""
        stencil, h = self.grid.stencils[s], float(self.grid.steps[j])
        at = self.p, self.v, s, j
        x, q = Fraction(self.rest.floats[self.grid.directions[self.v]]), stencil.derivative
        with precision(ROUNDING_BITS):
            step = ball(h)
            k = step**q * stencil.divisor
            candidates = []
            if q == 1 and math.isfinite(around.lipschitz[j]):
                slope = ball(_lipschitz_weight(stencil)) * ball(float(around.lipschitz[j]))
                candidates.append(_up(slope.abs_upper()))
            total = ball(0)
            for n in range(q + 1, self.order + 1):
                power = step ** (n - q)
                if math.isfinite(around.supremum[n, j]):
                    weight = ball(stencil.remainder_coefficient(n))
                    remainder = weight * ball(float(around.supremum[n, j])) * power
                    candidates.append(_up((total.abs_upper() + remainder).abs_upper()))
                value, spread = (ball(float(part)) for part in around.known[n])
                total = total + ball(stencil.error_coefficient(n - q)) * (value + _symmetric(spread)) * power
            moved = ball(0)
            for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
                gap = abs(factor) * (x + offset * Fraction(h) - Fraction(float(self._abscissae(offset)[j])))
                moved = moved + ball(abs(gap)) if gap else moved
            if self.measured:
                error = ball(abs(float(self.parts["evaluation"][at])) * _UP) + _symmetric(ball(2.0**-1074))
            elif self.evaluations.collapsed[at]:
                error = ball(0)
            else:
                error = ball(float(around.rounding[j])) * ball(stencil.mass) / k
            rounding = ball(float(around.slope[j])) * moved / k + error
            for name in ("subtraction", "division"):
                # rounded to nearest, also where the nearest is 0
                rounding = rounding + ball(abs(float(self.parts[name][at])) * _UP) + _symmetric(ball(2.0**-1074))
            return min(candidates, default=math.nan), _up(rounding.abs_upper()) if rounding.is_finite() else math.nan


def _each_step(values: Floats, grid: Grid) -> Floats:
    return values if len(values) == len(grid.steps) else np.broadcast_to(values, grid.steps.shape)


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What holds over the hull of the abscissae, one number a step (nan or inf: not known)."""

    known: Floats  # coefficients × (value, doubt): c_j at the point itself
    supremum: Floats  # coefficients × steps: sup|C_j|
    slope: Floats  # sup|C₁|, corners included
    lipschitz: Floats  # sup|C₁ − F′(x)|, corners included
    rounding: Floats  # B


def _surroundings(
    grid: Grid, rest: Rest, direction: int, wanted: Flags, span: tuple[Fraction, Fraction], order: int
) -> _Surroundings:
    """Enclose derivatives and rounding error over hulls around the point; that of a larger step serves a smaller one.

    A new hull is taken where the step has shrunk by more than a factor of three, until nothing is gained any more.
    """
    f, steps = grid.f, grid.steps
    program, point, x = f.program, rest.floats, rest.floats[direction]
    at = rest.balls[direction]
    with precision(ROUNDING_BITS):
        # what a float cannot hold of a coefficient is part of the doubt
        here = [
            (float(c.mid()), _up((c - float(c.mid())).abs_upper()) if c.is_finite() else math.inf)
            for c in taylor_jet(program, rest.moved(direction), direction, order=order)
        ]
        exact = partial_ball(f, point, direction, ROUNDING_BITS)
    known = np.array(here)
    known[:, 1] = known[:, 1] * _UP + np.abs(known[:, 0]) * 2.0**-52
    thin = np.append(np.abs(known).sum(axis=1), point_rounding_bound(program, point, direction, dtype=grid.dtype.name))
    with np.errstate(all="ignore"):
        # rounding is monotone: all other abscissae lie between these
        moved = steps.astype(grid.dtype)
        ends = [abscissa(grid.dtype.type(x), end, moved) + np.zeros(steps.size) for end in span]
    supremum = np.full((order + 1, steps.size), np.inf)
    slope, lipschitz, rounding = (np.full(steps.size, np.inf) for _ in range(3))
    level: float | None = None
    settled = False
    for k, h in enumerate(steps.tolist()):
        if not wanted[k]:
            continue
        if level is None or (h < level / 3 and not settled):
            level = h
            with precision(ROUNDING_BITS):
                hull = (at + h * ball(span[0])).union(at + h * ball(span[1]))
                hull = hull.union(ball(float(ends[0][k]))).union(ball(float(ends[1][k]))).union(at)
                box = rest.moved(direction, hull)
                jet = taylor_jet(program, box, direction, order=order, bits=ROUNDING_BITS)
                size = [_up(c.abs_upper()) for c in jet]
                slopes = jet[1] if jet[1].is_finite() else slope_range(program, box, direction)
                error = rounding_bound(program, box, direction, dtype=grid.dtype.name)
                largest = np.inf if slopes is None else _up(slopes.abs_upper())
                gap = np.inf if slopes is None or exact is None else _up((slopes - exact).abs_upper())
            new = np.append(size, error)
            settled = bool((new <= 1.001 * thin).all())
        supremum[:, k], slope[k], lipschitz[k], rounding[k] = size, largest, gap, error
    return _Surroundings(known, supremum, slope, lipschitz, rounding)


def _up(value: Ball) -> float:
    return math.inf if not value.is_finite() else math.nextafter(float(value), math.inf) if not value.is_zero() else 0.0


def _truncation(stencils: Sequence[Stencil], h: Floats, around: _Surroundings) -> Floats:
    """Return the smallest of the Taylor bounds and the Lipschitz bound, schemes × steps."""
    best = np.empty((len(stencils), h.size))
    order = len(around.supremum) - 1
    with np.errstate(all="ignore"):
        powers = np.cumprod(np.broadcast_to(h, (order, h.size)), axis=0)  # h, h², …
        for s, stencil in enumerate(stencils):
            q = stencil.derivative
            smallest = np.full(h.size, np.inf)
            if q == 1:
                weight = _lipschitz_weight(stencil)
                smallest = around.lipschitz * (float(weight) * _UP) if weight != 1 else around.lipschitz.copy()
            total, doubt, nonzero = np.zeros(h.size), np.zeros(h.size), np.zeros(h.size, dtype=bool)
            for n, (coefficient, remainders) in zip(
                range(q + 1, order + 1), _coefficients(stencil, order), strict=True
            ):
                remainder = remainders * around.supremum[n] * powers[n - q - 1]
                bound = (np.abs(total) + doubt + remainder) * _UP
                bound = np.where(nonzero | (around.supremum[n] > 0), bound + _ETA, bound)
                smallest = np.fmin(smallest, np.where(np.isnan(bound), np.inf, bound))
                if coefficient:
                    value, spread = around.known[n]
                    total = total + coefficient * value * powers[n - q - 1]
                    doubt = doubt + (abs(coefficient) * (spread + abs(value) * 2.0**-50)) * powers[n - q - 1]
                    doubt = doubt * _UP
                    nonzero |= bool(value or spread)
            best[s] = smallest
    return best


@lru_cache(maxsize=64)
def _coefficients(stencil: Stencil, order: int) -> list[tuple[float, float]]:
    """List a_n and b_n for n from q + 1 on."""
    q = stencil.derivative
    return [
        (float(stencil.error_coefficient(n - q)), float(stencil.remainder_coefficient(n)))
        for n in range(q + 1, order + 1)
    ]


@lru_cache(maxsize=64)
def _lipschitz_weight(stencil: Stencil) -> Fraction:
    return sum((abs(c * o) for c, o in zip(stencil.weights, stencil.offsets, strict=True)), Fraction(0))


def _divisor(stencil: Stencil, h: Floats) -> Floats:
    k = h * stencil.divisor
    for _ in range(stencil.derivative - 1):
        k = k * h
    return k


def _extreme(around: _Surroundings, h: Floats, order: int) -> Flags:
    """Tell at which steps the float arithmetic above may over- or underflow."""
    small = 2.0 ** -(_EXPONENT / order)
    sizes = np.vstack([around.supremum, around.slope, around.rounding])
    with np.errstate(all="ignore"):
        outside = (np.isfinite(sizes) & (sizes != 0) & ((sizes < small) | (sizes > 1 / small))).any(axis=0)
    known = np.abs(around.known[:, 0])
    odd = ((known != 0) & ((known < small) | (known > 1 / small))).any()
    return np.asarray(outside | odd | (h < small) | (h > 1 / small))


def _symmetric(size: Ball) -> Ball:
    return size.union(-size)
