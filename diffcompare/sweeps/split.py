"""The exact split of the error of a finite difference into five parts that sum to it.

With a_j the rounded abscissae of a stencil, x + o_j·h the nominal ones, c_j its exact weights and w_j = d·c_j whole
numbers, s = fl(Σ w_j·f̂(a_j)) the weighted sum as computed, k = d·h^q and D = F^(q)(x), all exact but for the floats
f̂(a_j), s and D̂:

    truncation   T = Σ w_j·F(x + o_j·h)/k − D
    abscissa     A = Σ w_j·(F(a_j) − F(x + o_j·h))/k
    evaluation   E = Σ w_j·(f̂(a_j) − F(a_j))/k
    subtraction  S = (s − Σ w_j·f̂(a_j))/k
    division     Q = D̂ − s/k

T + A + E + S + Q = D̂ − D identically: it telescopes. Every part is correctly rounded on its own. For
(f̂(a) − f̂(b))/k they are the parts of a difference quotient; S holds all rounding of weights, products and sums, Q
that of the divisor too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from diffcompare.arithmetic.balls import PRECISION_CAP, Ball, ball, precision, round_ball
from diffcompare.arithmetic.double_double import floats_of, two_product, two_sum
from diffcompare.arithmetic.moving import Rest, moved_value
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.certify.higher import derivative_ball, exact_derivative
from diffcompare.floats import Flags, Floats
from diffcompare.numeric.stencils import Stencil
from diffcompare.program.degree import polynomial_degree
from diffcompare.sweeps.expansions import Expansions
from diffcompare.sweeps.series_parts import Enclosed, evaluation_parts, series_parts
from diffcompare.sweeps.subject import Evaluations, Grid, each_point

__all__ = ["PARTS", "float_parts", "split_error"]

PARTS = ("truncation", "abscissa", "evaluation", "subtraction", "division")


# products of numbers within these bounds have exact residuals
_SAFE_LOW, _SAFE_HIGH = 2.0**-900, 2.0**900
_TIE_BITS = 640
_EVALUATION_BITS = 192
_ZERO = ball(0)


def split_error(grid: Grid, evaluations: Evaluations, taylor: Expansions, rows: Flags) -> dict[str, Floats]:
    """Split the error of the chosen rows.

    Proven: each part is the exact number, rounded to nearest.

    Parameters
    ----------
    grid : Grid
    evaluations : Evaluations
    taylor : Expansions
        Taylor polynomials where there are any.
    rows : ndarray of bool, points × variables × schemes × steps
        Where the reference is certified, all abscissae lie in the domain and f̂ is finite there.

    Returns
    -------
    dict of ndarray, by the names of the parts
        nan outside the chosen rows, and for a part that is undecided at the precision cap.
    """
    known = series_parts(grid, evaluations, taylor, rows)
    unknown = rows & np.isnan(known["evaluation"])
    if unknown.any():
        found = evaluation_parts(grid, evaluations, _evaluation_errors(grid, evaluations, unknown), unknown)
        known["evaluation"] = np.where(unknown, found, known["evaluation"])
    # what is left needs more digits
    left = rows & np.logical_or.reduce([np.isnan(part) for part in known.values()])
    sums = _Sums(grid)
    for p, point in each_point(grid):
        rest = Rest(point)
        for v in np.flatnonzero(left[p].any(axis=(1, 2))).tolist():
            line = _Line(grid, sums, rest, grid.directions[v])
            values = [evaluations.values[offset][p, v].tolist() for offset in sums.offsets]
            reached = [evaluations.abscissae[offset][p, v].tolist() for offset in sums.offsets]
            for k in np.flatnonzero(left[p, v].any(axis=0)).tolist():
                chosen = np.flatnonzero(left[p, v, :, k]).tolist()
                at_step, moved = (
                    [column[k if len(column) > 1 else 0] for column in columns] for columns in (values, reached)
                )
                before = [[part[p, v, s, k] for part in known.values()] for s in chosen]
                after = line.parts(float(grid.steps[k]), chosen, at_step, moved, before)
                for part, column in zip(known.values(), zip(*after, strict=True), strict=True):
                    part[p, v, chosen, k] = column
    return known | float_parts(grid, evaluations, rows)


def _evaluation_errors(grid: Grid, evaluations: Evaluations, rows: Flags) -> dict[Fraction, Enclosed]:
    """Enclose f̂ − F at the abscissae of the chosen rows, by offset, points × variables × steps (or × 1)."""
    values = evaluations.values
    wanted: dict[Fraction, Flags] = {offset: np.zeros(array.shape, dtype=bool) for offset, array in values.items()}
    for s, stencil in enumerate(grid.stencils):
        for offset in stencil.offsets:
            some = wanted[offset]
            some |= rows[:, :, s] if some.shape[-1] > 1 else rows[:, :, s].any(axis=2, keepdims=True)
    parts = {offset: np.full((3, *array.shape), np.nan) for offset, array in values.items()}
    for p, point in each_point(grid):
        rest = Rest(point)
        for v in np.flatnonzero(rows[p].any(axis=(1, 2))).tolist():
            direction = grid.directions[v]
            for offset, some in wanted.items():
                with precision(_EVALUATION_BITS):
                    for k in np.flatnonzero(some[p, v]).tolist():
                        reached = float(evaluations.abscissae[offset][p, v, k])
                        there = moved_value(grid.f.program, rest.moved(direction, ball(reached)), _EVALUATION_BITS)
                        error = ball(float(values[offset][p, v, k])) - there
                        with suppress(OverflowError):
                            parts[offset][:, p, v, k] = floats_of(error, 0, 2)
    return {offset: ((part[0], part[1]), part[2]) for offset, part in parts.items()}


def float_parts(grid: Grid, evaluations: Evaluations, rows: Flags) -> dict[str, Floats]:
    """Return S and Q: of a difference of two values from its residuals, which are floats themselves, else exactly."""
    subtraction, division = np.zeros(grid.shape), np.zeros(grid.shape)
    h = grid.steps
    with np.errstate(all="ignore"):
        for s, chosen in enumerate(grid.stencils):
            left, total, quotient = rows[:, :, s], evaluations.rise[:, :, s], evaluations.numeric[:, :, s]
            values = [evaluations.values[offset] for offset in chosen.offsets]
            if chosen.is_difference and chosen.derivative == 1:
                k = h * chosen.divisor
                rise, lost = two_sum(values[0], -values[1])
                # what a narrower dtype rounds off, and what binary64 does; at most one of them is not 0
                narrow = total - rise
                subtraction[:, :, s] = (narrow - lost) / k
                product, residual = two_product(quotient, k)
                division[:, :, s] = np.where(total == 0, quotient, ((product - total) + residual) / k)
                size = np.abs(product)
                plain = (size > _SAFE_LOW) & (size < _SAFE_HIGH) & (k > _SAFE_LOW) & (k < _SAFE_HIGH)
                plain &= (np.abs(quotient) < _SAFE_HIGH) & ((lost == 0) | (np.abs(lost) > _SAFE_LOW))
                plain &= (lost == 0) | (narrow == 0)
                plain |= (total == 0) & (rise == 0) & (lost == 0)
                left = left & ~plain
            for p, v, j in np.argwhere(left):
                at = [float(array[p, v, j if array.shape[2] > 1 else 0]) for array in values]
                subtraction[p, v, s, j], division[p, v, s, j] = _exact_float_parts(
                    chosen, at, float(h[j]), float(total[p, v, j]), float(quotient[p, v, j])
                )
    # an exact 0 has no sign
    parts = {"subtraction": subtraction + 0.0, "division": division + 0.0}
    return {name: np.where(rows, part, np.nan) for name, part in parts.items()}


def _exact_float_parts(
    chosen: Stencil, values: Sequence[float], h: float, total: float, quotient: float
) -> tuple[float, float]:
    k = chosen.divisor * Fraction(h) ** chosen.derivative
    exact = sum((w * Fraction(value) for w, value in zip(chosen.factors, values, strict=True)), Fraction(0))
    s = Fraction(total)
    return round_to_nearest((s - exact) / k), round_to_nearest(Fraction(quotient) - s / k)


class _Place(NamedTuple):
    """What holds at one offset; what is hit lies at the nominal abscissa, and has no gap to it."""

    reached: float
    nominal: Ball  # F at the nominal abscissa
    gap: Ball | None  # F(a) − F there
    computed: Ball  # f̂(a)
    error: Ball  # f̂(a) − F(a)


class _Line:
    """A function along one variable through a point, for all steps there."""

    def __init__(self, grid: Grid, sums: _Sums, rest: Rest, direction: int) -> None:
        self.f, self.rest, self.direction, self.derivative = grid.f, rest, direction, grid.derivative
        self.offsets, self.units, self.sums, self.digits = sums.offsets, sums.units, sums.every, sums.digits
        self.point = rest.floats
        self.degree = polynomial_degree(grid.f.program, direction)
        self.slopes: dict[int, Ball | None] = {}
        self.centre: dict[int, Ball] = {}

    def slope(self, bits: int) -> Ball | None:
        if bits not in self.slopes:
            self.slopes[bits] = derivative_ball(self.f, self.point, self.direction, self.derivative, bits)
        return self.slopes[bits]

    def value(self, abscissa: Ball, bits: int) -> Ball:
        # each part is rounded correctly, so that any order of summation gives the same
        return moved_value(self.f.program, self.rest.moved(self.direction, abscissa), bits)

    def parts(
        self,
        h: float,
        schemes: Sequence[int],
        values: Sequence[float],
        reached: Sequence[float],
        known: Sequence[Sequence[float]],
    ) -> list[tuple[float, ...]]:
        """Return truncation, abscissa and evaluation error of some schemes, raising the precision until all round.

        ``values`` and ``reached`` are f̂ and the abscissae, in the order of ``offsets``; ``known`` the parts, nan where
        they are not known yet.
        """
        x = self.point[self.direction]
        sums = [self.sums[s] for s in schemes]
        offsets = sorted({place for each in sums for place in each.places})
        found: list[list[float | None]] = [[None if math.isnan(part) else part for part in parts] for parts in known]
        # the evaluation error takes no nominal abscissae, and needs digits of f alone
        nominal = any(part is None for parts in found for part in parts[:2])
        bits = _first_bits(x, h, self.digits) if nominal else _EVALUATION_BITS
        cap = PRECISION_CAP * self.digits // 3
        while True:
            with precision(bits):
                step = ball(h)
                places = {k: self._place(k, h, reached[k], values[k], bits, nominal=nominal) for k in offsets}
                for parts, each in zip(found, sums, strict=True):
                    self._fill(parts, each, step, places, bits)
            if all(part is not None for parts in found for part in parts):
                return [tuple(parts) for parts in found]  # type: ignore[arg-type]
            if bits >= _TIE_BITS:
                self._fill_exactly(found, sums, h, reached, values)
            if bits >= cap or all(part is not None for parts in found for part in parts):
                return [tuple(math.nan if part is None else part for part in parts) for parts in found]
            bits = min(2 * bits, cap)

    def _place(self, k: int, h: float, reached: float, computed: float, bits: int, *, nominal: bool) -> _Place:
        there, float_value = self._reached(reached, bits), ball(computed)
        wanted = self._nominal(k, h, reached) if nominal else None
        if wanted is None:
            return _Place(reached, there, None, float_value, float_value - there)
        exact = self.value(wanted, bits)
        return _Place(reached, exact, there - exact, float_value, float_value - there)

    def _reached(self, abscissa: float, bits: int) -> Ball:
        if abscissa != self.point[self.direction]:
            return self.value(ball(abscissa), bits)
        if bits not in self.centre:
            self.centre[bits] = self.value(ball(abscissa), bits)
        return self.centre[bits]

    def _nominal(self, k: int, h: float, reached: float) -> Ball | None:
        """Return x + o·h, None where it was reached."""
        x, unit = self.point[self.direction], self.units[k]
        if unit is not None:
            total, lost = two_sum(x, unit * h)
            if lost == 0 and total == reached:
                return None
            if math.isfinite(lost):
                return ball(total) + ball(lost)
        exact = Fraction(x) + self.offsets[k] * Fraction(h)
        return None if exact == Fraction(reached) else ball(exact)

    def _fill(self, known: list[float | None], each: _Sum, step: Ball, places: Mapping[int, _Place], bits: int) -> None:
        stencil, here = each.stencil, [places[k] for k in each.places]
        width = step if stencil.divisor == 1 else step * stencil.divisor
        for _ in range(stencil.derivative - 1):
            width = width * step
        still = self.degree == 0
        if known[0] is None:
            if self.degree is not None and self.degree < stencil.order + stencil.derivative:
                known[0] = 0.0
            elif (slope := self.slope(bits)) is not None:
                known[0] = round_ball(each.weighted([place.nominal for place in here]) / width - slope)
        first = here[0].reached
        collapsed = all(place.reached == first for place in here)
        if known[1] is None:
            if still or all(place.gap is None for place in here):
                known[1] = 0.0
            elif collapsed:
                # nothing was reached: all abscissae are one float
                known[1] = round_ball(-each.weighted([place.nominal for place in here]) / width)
            else:
                gaps = [_ZERO if place.gap is None else place.gap for place in here]
                known[1] = round_ball(each.weighted(gaps) / width)
        if known[2] is None:
            # what is the same everywhere has the weight 0
            errors = [place.computed if still or collapsed else place.error for place in here]
            known[2] = round_ball(each.weighted(errors) / width)

    def _fill_exactly(
        self,
        found: list[list[float | None]],
        sums: Sequence[_Sum],
        h: float,
        reached: Sequence[float],
        values: Sequence[float],
    ) -> None:
        """Decide ties of functions that are rational numbers at rational points."""
        at = [Fraction(x) for x in self.point]

        def value(abscissa: Fraction) -> Fraction | None:
            there = [abscissa if i == self.direction else x for i, x in enumerate(at)]
            return exact_outputs(self.f.program, there)[0]

        places = {place for each in sums for place in each.places}
        true = {k: value(Fraction(reached[k])) for k in places}
        nominal = {k: value(at[self.direction] + self.offsets[k] * Fraction(h)) for k in places}
        if None in true.values() or None in nominal.values():
            return
        slope = exact_derivative(self.f, self.point, self.direction, self.derivative)
        if slope is None:
            return
        for known, each in zip(found, sums, strict=True):
            width = each.stencil.divisor * Fraction(h) ** each.stencil.derivative
            pairs = list(zip(each.places, each.stencil.factors, strict=True))
            wanted = sum((w * (nominal[k] or 0) for k, w in pairs), Fraction(0))
            got = sum((w * (true[k] or 0) for k, w in pairs), Fraction(0))
            computed = sum((w * Fraction(values[k]) for k, w in pairs), Fraction(0))
            exact = (wanted / width - slope, (got - wanted) / width, (computed - got) / width)
            known[:] = [round_to_nearest(e) if k is None else k for k, e in zip(known, exact, strict=True)]


class _Sums:
    """The weighted sums of all stencils, their offsets by numbers: fractions are slow keys."""

    def __init__(self, grid: Grid) -> None:
        self.offsets = list(dict.fromkeys(offset for stencil in grid.stencils for offset in stencil.offsets))
        self.units = [int(offset) if offset in (-1, 0, 1) else None for offset in self.offsets]
        self.every = [_Sum(stencil, tuple(map(self.offsets.index, stencil.offsets))) for stencil in grid.stencils]
        # T is smaller than its terms by the digits of h^(p + q)
        self.digits = max(3, *(s.order + s.derivative for s in grid.stencils))


class _Sum:
    """The weighted sum of a stencil over values that are listed by the numbers of its offsets."""

    def __init__(self, stencil: Stencil, places: tuple[int, ...]) -> None:
        self.stencil, self.places = stencil, places
        self.difference = stencil.is_difference

    def weighted(self, values: Sequence[Ball]) -> Ball:
        """Return Σ w_j·values_j."""
        if self.difference:
            return values[0] - values[1]
        return sum((ball(w) * value for w, value in zip(self.stencil.factors, values, strict=True)), ball(0))


def _first_bits(x: float, h: float, digits: int) -> int:
    """Guess the bits that T needs: p + q times the digits by which h is smaller than x, or than 1."""
    _, exponent = math.frexp(h)
    _, scale = math.frexp(max(abs(x), 1.0))
    # in steps of 64: the derivative is enclosed once at each precision
    bits = 128 + digits * max(scale - exponent, 0)
    return min(-(-bits // 64) * 64, 1600)
