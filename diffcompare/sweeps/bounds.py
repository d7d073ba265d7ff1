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
from itertools import groupby

import numpy as np

from diffcompare.arithmetic.balls import Ball, above, ball, precision
from diffcompare.arithmetic.double_double import two_product, two_sum
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.lipschitz import slope_range
from diffcompare.arithmetic.moving import Moved, Rest
from diffcompare.arithmetic.running_error import ROUNDING_BITS, point_rounding_bound, rounding_bound
from diffcompare.certify.reference import partial_ball
from diffcompare.floats import Flags, Floats, Index
from diffcompare.numeric.quotients import abscissa
from diffcompare.numeric.stencils import Stencil
from diffcompare.program.dag import Program
from diffcompare.sweeps.expansions import DEGREE, Expansions
from diffcompare.sweeps.subject import Evaluations, Grid
from diffcompare.watchdog import one_account

__all__ = ["bound_error"]


# the highest Taylor coefficient of which a remainder is made, unless a scheme needs more
_ORDER = 6
# numbers of an array that are worked on at once
_NUMBERS = 1 << 17
# a float computation of fewer than 100 operations, all errors counted generously, and underflow
_UP, _ETA = 1 + 2.0**-45, 2.0**-1060
# powers of numbers between 2^−e and 2^e, e this over the highest power, are normal numbers, and so are their products
_EXPONENT = 780


def bound_error(
    grid: Grid,
    evaluations: Evaluations,
    taylor: Expansions,
    rows: Flags,
    parts: Mapping[str, Floats],
    *,
    measured: bool,
) -> tuple[Floats, Floats]:
    """Bound |truncation| and |error − truncation| of the chosen rows.

    Proven, given the constants of the rounding of elementary functions; where ``measured``, |E| itself stands for the
    bound on the evaluation of f.

    Parameters
    ----------
    grid : Grid
    evaluations : Evaluations
    taylor : Expansions
        Taylor polynomials where there are any.
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
    found = np.full((2, *grid.shape), np.nan)
    order = max(_ORDER, *(stencil.order + stencil.derivative + 1 for stencil in grid.stencils))
    by_reach: dict[Fraction, list[int]] = {}
    for s, stencil in enumerate(grid.stencils):
        by_reach.setdefault(max(map(abs, stencil.reach)), []).append(s)
    size = max(1, _NUMBERS // (len(grid.steps) * (order + 1)))
    points, variables = np.nonzero(rows.any(axis=(2, 3)))
    for start in range(0, len(points), size):
        p, v = points[start : start + size], variables[start : start + size]
        rests = {i: Rest(grid.points[i].tolist()) for i in dict.fromkeys(p.tolist())}
        here = _Here(grid, evaluations, taylor, parts, measured, order, p, v, rests)
        wanted, bounds = rows[p, v], found[:, p, v]
        for reach, members in by_reach.items():
            here.fill(bounds, wanted, members, (-reach, reach))
            for s in members:
                alone = grid.stencils[s].reach
                if alone != (-reach, reach):
                    here.fill(bounds, wanted & ~np.isfinite(bounds).all(axis=0), [s], alone)
        found[:, p, v] = bounds
    found[:, ~rows] = np.nan
    found[np.isinf(found)] = np.nan
    return found[0], found[1]


@dataclass(frozen=True, slots=True)
class _Here:
    """Some points of a sweep, each with one variable: ``p`` and ``v``, in the order of the points."""

    grid: Grid
    evaluations: Evaluations
    taylor: Expansions
    parts: Mapping[str, Floats]
    measured: bool
    order: int
    p: Index
    v: Index
    rests: Mapping[int, Rest]

    @property
    def directions(self) -> Index:
        """The places of the variables among all."""
        return np.asarray(self.grid.directions)[self.v]

    def fill(self, found: Floats, rows: Flags, members: list[int], span: tuple[Fraction, Fraction]) -> None:
        """Bound the chosen rows of some schemes by what holds over the hull of x + span·h.

        ``found`` is 2 × block × schemes × steps, ``rows`` one of them.
        """
        grid, p, v = self.grid, self.p, self.v
        wanted = np.asarray(rows[:, members].any(axis=1))
        if not wanted.any():
            return
        h, around = grid.steps, _surroundings(self, wanted, span)
        extreme = _extreme(around, h, self.order)
        for s, truncation in zip(members, _truncation([grid.stencils[s] for s in members], h, around), strict=True):
            stencil, chosen = grid.stencils[s], rows[:, s]
            with np.errstate(all="ignore"):
                k = _divisor(stencil, h)
                if self.measured:
                    evaluation = np.abs(self.parts["evaluation"][p, v, s])
                else:
                    collapsed = self.evaluations.collapsed[p, v, s]
                    evaluation = np.where(collapsed, 0.0, around.rounding * float(stencil.mass) / k)
                total = around.slope * self._moved(stencil) / k + evaluation
                for name in ("subtraction", "division"):
                    total = total + np.abs(self.parts[name][p, v, s])
                total = np.where((total > 0) | self._inexact(s), total * _UP + _ETA, total)
            found[0, :, s][chosen], found[1, :, s][chosen] = truncation[chosen], total[chosen]
            for i, j in np.argwhere(chosen & extreme).tolist():
                found[:, i, s, j] = self._in_balls(s, around, i, j)

    def _moved(self, stencil: Stencil) -> Floats:
        """Return Σ |w_j|·|a_j − (x + o_j·h)|, rounded upwards."""
        h = self.grid.steps
        x = self.grid.points[self.p, self.directions, None]
        total = np.zeros((len(x), h.size))
        for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
            if offset == 0:
                continue
            near = float(offset)
            nominal, lost = two_sum(x, near * h)
            gap = np.abs((self.evaluations.abscissae[offset][self.p, self.v] - nominal) - lost)
            if abs(offset) != 1:
                gap = gap + np.abs(two_product(near, h)[1]) + float(abs(Fraction(near) - offset)) * h
            total = total + gap * float(abs(factor))
        return total * _UP

    def _inexact(self, s: int) -> Flags:
        """Tell where the subtraction was rounded, though what that makes may be too small for a float."""
        stencil, values = self.grid.stencils[s], self.evaluations.values
        at = [values[offset][self.p, self.v] for offset in stencil.offsets]
        if not stencil.is_difference:
            return np.asarray(np.logical_or.reduce([value != 0 for value in np.broadcast_arrays(*at)]))
        with np.errstate(all="ignore"):
            rise, lost = two_sum(at[0], -at[1])
            return np.asarray((lost != 0) | (rise != self.evaluations.rise[self.p, self.v, s]))

    def _in_balls(self, s: int, around: _Surroundings, i: int, j: int) -> tuple[float, float]:
        """Return both bounds of one row by the same formulas in balls, whose exponents have no limits."""
        stencil, h = self.grid.stencils[s], float(self.grid.steps[j])
        at = self.p[i], self.v[i], s, j
        x, q = Fraction(float(self.grid.points[self.p[i], self.directions[i]])), stencil.derivative
        with precision(ROUNDING_BITS):
            step = ball(h)
            k = step**q * stencil.divisor
            candidates = []
            if q == 1 and math.isfinite(around.lipschitz[i, j]):
                slope = ball(_lipschitz_weight(stencil)) * ball(float(around.lipschitz[i, j]))
                candidates.append(above(slope))
            total = ball(0)
            for n in range(q + 1, self.order + 1):
                power = step ** (n - q)
                if math.isfinite(around.supremum[n, i, j]):
                    weight = ball(stencil.remainder_coefficient(n))
                    remainder = weight * ball(float(around.supremum[n, i, j])) * power
                    candidates.append(above(total.abs_upper() + remainder))
                value, spread = (ball(float(part)) for part in around.known[n, :, i, 0])
                total = total + ball(stencil.error_coefficient(n - q)) * (value + _symmetric(spread)) * power
            moved = ball(0)
            for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
                reached = self.evaluations.abscissae[offset][at[:2]]
                gap = abs(factor) * (x + offset * Fraction(h) - Fraction(float(reached[j if len(reached) > 1 else 0])))
                moved = moved + ball(abs(gap)) if gap else moved
            if self.measured:
                error = ball(abs(float(self.parts["evaluation"][at])) * _UP) + _symmetric(ball(2.0**-1074))
            elif self.evaluations.collapsed[at]:
                error = ball(0)
            else:
                error = ball(float(around.rounding[i, j])) * ball(stencil.mass) / k
            rounding = ball(float(around.slope[i, j])) * moved / k + error
            for name in ("subtraction", "division"):
                # rounded to nearest, also where the nearest is 0
                rounding = rounding + ball(abs(float(self.parts[name][at])) * _UP) + _symmetric(ball(2.0**-1074))
            return min(candidates, default=math.nan), above(rounding) if rounding.is_finite() else math.nan


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What holds over the hulls of the abscissae, block × steps (nan or inf: not known)."""

    known: Floats  # coefficients × (value, doubt) × block × 1: c_n at the points themselves
    supremum: Floats  # coefficients × block × steps: sup|C_n|
    slope: Floats  # sup|C₁|, corners included
    lipschitz: Floats  # sup|C₁ − F′(x)|, corners included
    rounding: Floats  # B


def _surroundings(here: _Here, wanted: Flags, span: tuple[Fraction, Fraction]) -> _Surroundings:
    """Enclose derivatives and rounding error over hulls around the points."""
    grid, steps = here.grid, here.grid.steps
    with np.errstate(all="ignore"):
        # rounding is monotone: all other abscissae lie between these
        x = grid.points[here.p, here.directions, None]
        ends = [abscissa(x.astype(grid.dtype), end, steps.astype(grid.dtype)) + 0.0 * steps for end in span]
        reach = np.maximum.reduce([*(np.abs(end - x) for end in ends), float(max(map(abs, span))) * steps + 0.0 * x])
        around, inside = _of_expansions(here, reach * _UP)
    chosen = np.flatnonzero(wanted.any(axis=1))
    for p, some in groupby(chosen.tolist(), key=here.p.tolist().__getitem__):
        with one_account(tuple(here.rests[p].floats)), precision(ROUNDING_BITS):
            for i in some:
                _enclose(here, i, around, wanted[i], inside[i], [end[i] for end in ends], span)
    return around


def _enclose(
    here: _Here,
    i: int,
    around: _Surroundings,
    wanted: Flags,
    inside: Flags,
    ends: Sequence[Floats],
    span: tuple[Fraction, Fraction],
) -> None:
    """Fill in what holds around one point.

    Where an expansion reaches as far (``inside``), its coefficients bound the derivatives. Elsewhere they are enclosed
    over the hull, and what holds there for a larger step serves a smaller one: a new hull is taken where the step has
    shrunk by more than a factor of three, until little is gained any more.
    """
    grid, rest, direction = here.grid, here.rests[int(here.p[i])], int(here.directions[i])
    program, dtype = grid.f.program, grid.dtype.name
    noise = point_rounding_bound(program, rest.floats, direction, dtype=dtype)
    beyond = not inside[wanted].all()
    if beyond or not here.taylor.found[here.p[i], here.v[i]]:
        around.known[:, :, i, 0] = _coefficients_at(program, rest, direction, here.order)
    thin = np.abs(around.known[:, :, i, 0]).sum(axis=1)
    exact = partial_ball(grid.f, rest.floats, direction, ROUNDING_BITS) if beyond else None
    hull_of = error_of = math.inf
    settled = still = False
    error = math.nan
    for k in np.flatnonzero(wanted).tolist():
        h, reached = float(grid.steps[k]), [float(end[k]) for end in ends]
        if inside[k]:
            if still:
                # all that follow are nearer
                around.rounding[i, k:] = error
                break
            if h < error_of / 3:
                box = _hull(rest, direction, h, span, reached)
                error, error_of = rounding_bound(program, box, direction, dtype=dtype), h
                still = error <= 1.05 * noise
        else:
            if h < hull_of / 3 and not settled:
                box = _hull(rest, direction, h, span, reached)
                jet = taylor_jet(program, box, direction, order=here.order, bits=ROUNDING_BITS)
                size = [above(c) for c in jet]
                slopes = jet[1] if jet[1].is_finite() else slope_range(program, box, direction)
                error = rounding_bound(program, box, direction, dtype=dtype)
                largest = np.inf if slopes is None else above(slopes)
                gap = np.inf if slopes is None or exact is None else above(slopes - exact)
                hull_of = error_of = h
                settled = bool((np.array(size) <= 1.001 * thin).all()) and error <= 1.001 * noise
            around.supremum[:, i, k], around.slope[i, k], around.lipschitz[i, k] = size, largest, gap
        around.rounding[i, k] = error


def _hull(rest: Rest, direction: int, h: float, span: tuple[Fraction, Fraction], reached: Sequence[float]) -> Moved:
    """Return the point moved to all of x + span·h and what was reached of it."""
    at = rest.balls[direction]
    hull = (at + h * ball(span[0])).union(at + h * ball(span[1]))
    return rest.moved(direction, hull.union(ball(reached[0])).union(ball(reached[1])).union(at))


def _coefficients_at(program: Program, rest: Rest, direction: int, order: int) -> Floats:
    """Return the Taylor coefficients at a point, each with what a float cannot hold of it."""
    jet = taylor_jet(program, rest.moved(direction), direction, order=order)
    found = np.array([(float(c.mid()), above(c - float(c.mid()))) for c in jet])
    found[:, 1] = found[:, 1] * _UP + np.abs(found[:, 0]) * 2.0**-52
    return found


def _of_expansions(here: _Here, reach: Floats) -> tuple[_Surroundings, Flags]:
    """Return what expansions say of the surroundings, and where they say it; of the rounding they say nothing.

    sup|C_n| ≤ Σ_{m ≥ n} C(m, n)·|c_m|·τ^(m−n) over |t| ≤ τ, the remainder in place of the last coefficient, and
    sup|C₁ − F′(x)| likewise from m = 2 on.
    """
    taylor, p, v, order = here.taylor, here.p, here.v, here.order
    known = np.zeros((order + 1, 2, len(reach), 1))
    supremum = np.full((order + 1, *reach.shape), np.inf)
    lipschitz = np.full(reach.shape, np.inf)
    radius, unit = taylor.radius[p, v, None], taylor.unit[p, v, None]
    found = taylor.found[p, v, None] & (order < DEGREE)
    inside = found & (reach <= radius)
    high, low, doubt = (part[p, v].T[:, :, None] for part in (taylor.high, taylor.low, taylor.doubt))
    rest = np.abs(low) * _UP + doubt
    sizes = [*(np.abs(high) + rest), taylor.remainder[p, v, None]]
    t = reach / radius
    for n in range(order + 1 if inside.any() else 0):
        scale = unit / radius**n
        known[n, 0], known[n, 1] = np.where(found, high[n] * scale, 0.0), np.where(found, rest[n] * _UP * scale, 0.0)
        total, moving = 0.0 * t, np.zeros_like(found)
        for m in range(DEGREE + 1, n, -1):
            total = (total + math.comb(m, n) * sizes[m]) * t
            moving = moving | (sizes[m] != 0)
        # products may be too small for a float
        total = np.where(moving, total * _UP + _ETA, 0.0)
        if n == 1:
            lipschitz = np.where(inside, total * scale, np.inf)
        supremum[n] = np.where(inside, (total + sizes[n]) * _UP * scale, np.inf)
    rounding = np.full(reach.shape, np.inf)
    return _Surroundings(known, supremum, supremum[1].copy(), lipschitz, rounding), inside


def _truncation(stencils: Sequence[Stencil], h: Floats, around: _Surroundings) -> Floats:
    """Return the smallest of the Taylor bounds and the Lipschitz bound, schemes × block × steps."""
    best = np.empty((len(stencils), *around.slope.shape))
    order = len(around.supremum) - 1
    with np.errstate(all="ignore"):
        powers = np.cumprod(np.broadcast_to(h, (order, h.size)), axis=0)  # h, h², …
        for s, stencil in enumerate(stencils):
            q = stencil.derivative
            smallest = np.full(around.slope.shape, np.inf)
            if q == 1:
                weight = _lipschitz_weight(stencil)
                smallest = around.lipschitz * (float(weight) * _UP) if weight != 1 else around.lipschitz.copy()
            total, doubt, nonzero = np.zeros(1), np.zeros(1), np.zeros(1, dtype=bool)
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
                    nonzero = nonzero | (value != 0) | (spread != 0)
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
    sizes = np.concatenate([around.supremum, around.slope[None], around.rounding[None]])
    with np.errstate(all="ignore"):
        outside = (np.isfinite(sizes) & (sizes != 0) & ((sizes < small) | (sizes > 1 / small))).any(axis=0)
    known = np.abs(around.known[:, 0])
    odd = ((known != 0) & ((known < small) | (known > 1 / small))).any(axis=0)
    return np.asarray(outside | odd | (h < small) | (h > 1 / small))


def _symmetric(size: Ball) -> Ball:
    return size.union(-size)
