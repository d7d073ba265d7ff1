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
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import PRECISION_CAP, Ball, ball, ball_function, precision, round_ball
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.compare.exact_error import two_product, two_sum
from diffcompare.compare.higher import derivative_ball, exact_derivative
from diffcompare.compare.kernel import Evaluations, Grid
from diffcompare.numeric.stencils import Stencil
from diffcompare.program.degree import polynomial_degree

__all__ = ["PARTS", "float_parts", "split_error"]

PARTS = ("truncation", "abscissa", "evaluation", "subtraction", "division")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# products of numbers within these bounds have exact residuals
_SAFE_LOW, _SAFE_HIGH = 2.0**-900, 2.0**900
_TIE_BITS = 640


def split_error(grid: Grid, evaluations: Evaluations, rows: Flags) -> dict[str, Floats]:
    """Split the error of the chosen rows.

    Proven: each part is the exact number, rounded to nearest.

    Parameters
    ----------
    grid : Grid
    evaluations : Evaluations
    rows : ndarray of bool, points × variables × schemes × steps
        Where the reference is certified, all abscissae lie in the domain and f̂ is finite there.

    Returns
    -------
    dict of ndarray, by the names of the parts
        nan outside the chosen rows, and for a part that is undecided at the precision cap.
    """
    parts = {name: np.full(grid.shape, np.nan) for name in PARTS[:3]} | float_parts(grid, evaluations, rows)
    for p, point in enumerate(grid.points.tolist()):
        for v, direction in enumerate(grid.directions):
            line = _Line(grid, point, direction)
            values = {offset: array[p].tolist() for offset, array in evaluations.values[v].items()}
            reached = {offset: array[p].tolist() for offset, array in evaluations.abscissae[v].items()}
            for k, h in enumerate(grid.steps.tolist()):
                chosen = [s for s in range(len(grid.stencils)) if rows[p, v, s, k]]
                if not chosen:
                    continue
                at_step, moved = (
                    {offset: column[k if len(column) > 1 else 0] for offset, column in columns.items()}
                    for columns in (values, reached)
                )
                found = line.parts(h, [grid.stencils[s] for s in chosen], at_step, moved)
                for s, (truncation, abscissa, evaluation) in zip(chosen, found, strict=True):
                    parts["truncation"][p, v, s, k] = truncation
                    parts["abscissa"][p, v, s, k] = abscissa
                    parts["evaluation"][p, v, s, k] = evaluation
    return parts


def float_parts(grid: Grid, evaluations: Evaluations, rows: Flags) -> dict[str, Floats]:
    """Return S and Q: of a difference of two values from its residuals, which are floats themselves, else exactly."""
    subtraction, division = np.zeros(grid.shape), np.zeros(grid.shape)
    h = grid.steps
    with np.errstate(all="ignore"):
        for v in range(len(grid.directions)):
            for s, chosen in enumerate(grid.stencils):
                left = rows[:, v, s]
                total = evaluations.rise[:, v, s]
                quotient = evaluations.numeric[:, v, s]
                if chosen.is_difference and chosen.derivative == 1:
                    upper, lower = (evaluations.values[v][offset] for offset in chosen.offsets)
                    k = h * chosen.divisor
                    rise, lost = two_sum(upper, -lower)
                    # what a narrower dtype rounds off, and what binary64 does; at most one of them is not 0
                    narrow = total - rise
                    subtraction[:, v, s] = (narrow - lost) / k
                    product, residual = two_product(quotient, k)
                    division[:, v, s] = np.where(total == 0, quotient, ((product - total) + residual) / k)
                    size = np.abs(product)
                    plain = (size > _SAFE_LOW) & (size < _SAFE_HIGH) & (k > _SAFE_LOW) & (k < _SAFE_HIGH)
                    plain &= (np.abs(quotient) < _SAFE_HIGH) & ((lost == 0) | (np.abs(lost) > _SAFE_LOW))
                    plain &= (lost == 0) | (narrow == 0)
                    plain |= (total == 0) & (rise == 0) & (lost == 0)
                    left = left & ~plain
                values = [evaluations.values[v][offset] for offset in chosen.offsets]
                for p, j in np.argwhere(left):
                    at = [float(array[p, j if array.shape[1] > 1 else 0]) for array in values]
                    subtraction[p, v, s, j], division[p, v, s, j] = _exact_float_parts(
                        chosen, at, float(h[j]), float(total[p, j]), float(quotient[p, j])
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


@dataclass(frozen=True, slots=True)
class _Abscissa:
    """Where f was evaluated and where it should have been; ``hit``: that is one number."""

    reached: float
    nominal: Ball
    hit: bool


class _Line:
    """A function along one variable through a point, for all steps there."""

    def __init__(self, grid: Grid, point: Sequence[float], direction: int) -> None:
        self.f, self.point, self.direction, self.derivative = grid.f, point, direction, grid.derivative
        self.run = ball_function(grid.f.program)
        self.degree = polynomial_degree(grid.f.program, direction)
        self.slopes: dict[int, Ball | None] = {}
        # T is smaller than its terms by the digits of h^(p + q)
        self.digits = max(3, *(s.order + s.derivative for s in grid.stencils))

    def slope(self, bits: int) -> Ball | None:
        if bits not in self.slopes:
            self.slopes[bits] = derivative_ball(self.f, self.point, self.direction, self.derivative, bits)
        return self.slopes[bits]

    def value(self, abscissa: Ball) -> Ball:
        at = [ball(x) for x in self.point]
        at[self.direction] = abscissa
        return self.run(*at)[0]

    def parts(
        self,
        h: float,
        stencils: Sequence[Stencil],
        values: Mapping[Fraction, float],
        reached: Mapping[Fraction, float],
    ) -> list[tuple[float, ...]]:
        """Return truncation, abscissa and evaluation error of each stencil, raising the precision until all round."""
        x = self.point[self.direction]
        offsets = sorted({offset for stencil in stencils for offset in stencil.offsets})
        found: list[list[float | None]] = [[None, None, None] for _ in stencils]
        bits, cap = _first_bits(x, h, self.digits), PRECISION_CAP * self.digits // 3
        while True:
            with precision(bits):
                moved = {offset: _abscissa(x, offset, h, reached[offset]) for offset in offsets}
                there = {offset: self.value(ball(moved[offset].reached)) for offset in offsets}
                nominal = {
                    offset: there[offset] if moved[offset].hit else self.value(moved[offset].nominal)
                    for offset in offsets
                }
                for known, stencil in zip(found, stencils, strict=True):
                    self._fill(known, stencil, h, moved, there, nominal, values, bits)
            if bits >= _TIE_BITS and any(part is None for known in found for part in known):
                self._fill_exactly(found, stencils, h, reached, values)
            if bits >= cap or all(part is not None for known in found for part in known):
                return [tuple(math.nan if part is None else part for part in known) for known in found]
            bits = min(2 * bits, cap)

    def _fill(
        self,
        known: list[float | None],
        stencil: Stencil,
        h: float,
        moved: Mapping[Fraction, _Abscissa],
        reached: Mapping[Fraction, Ball],
        nominal: Mapping[Fraction, Ball],
        values: Mapping[Fraction, float],
        bits: int,
    ) -> None:
        width = ball(h) ** stencil.derivative * stencil.divisor
        still = self.degree == 0
        if known[0] is None:
            if self.degree is not None and self.degree < stencil.order + stencil.derivative:
                known[0] = 0.0
            elif (slope := self.slope(bits)) is not None:
                known[0] = round_ball(_weighted(stencil, nominal) / width - slope)
        first, *others = (moved[offset].reached for offset in stencil.offsets)
        collapsed = all(other == first for other in others)
        if known[1] is None:
            if still or all(moved[offset].hit for offset in stencil.offsets):
                known[1] = 0.0
            elif collapsed:
                # nothing was reached: all abscissae are one float
                known[1] = round_ball(-_weighted(stencil, nominal) / width)
            else:
                gaps = {
                    offset: ball(0) if moved[offset].hit else reached[offset] - nominal[offset]
                    for offset in stencil.offsets
                }
                known[1] = round_ball(_weighted(stencil, gaps) / width)
        if known[2] is None:
            total = _weighted(stencil, {offset: ball(values[offset]) for offset in stencil.offsets})
            # what is the same everywhere has the weight 0
            still = still or collapsed
            known[2] = round_ball((total if still else total - _weighted(stencil, reached)) / width)

    def _fill_exactly(
        self,
        found: list[list[float | None]],
        stencils: Sequence[Stencil],
        h: float,
        reached: Mapping[Fraction, float],
        values: Mapping[Fraction, float],
    ) -> None:
        """Decide ties of functions that are rational numbers at rational points."""
        slope = exact_derivative(self.f, self.point, self.direction, self.derivative)
        at = [Fraction(x) for x in self.point]

        def value(abscissa: Fraction) -> Fraction | None:
            there = [abscissa if i == self.direction else x for i, x in enumerate(at)]
            return exact_outputs(self.f.program, there)[0]

        offsets = {offset for stencil in stencils for offset in stencil.offsets}
        true = {offset: value(Fraction(reached[offset])) for offset in offsets}
        nominal = {offset: value(at[self.direction] + offset * Fraction(h)) for offset in offsets}
        if slope is None or None in true.values() or None in nominal.values():
            return
        for known, stencil in zip(found, stencils, strict=True):
            width = stencil.divisor * Fraction(h) ** stencil.derivative
            pairs = list(zip(stencil.offsets, stencil.factors, strict=True))
            wanted = sum((w * (nominal[o] or 0) for o, w in pairs), Fraction(0))
            got = sum((w * (true[o] or 0) for o, w in pairs), Fraction(0))
            computed = sum((w * Fraction(values[o]) for o, w in pairs), Fraction(0))
            exact = (wanted / width - slope, (got - wanted) / width, (computed - got) / width)
            known[:] = [round_to_nearest(e) if k is None else k for k, e in zip(known, exact, strict=True)]


def _weighted(stencil: Stencil, values: Mapping[Fraction, Ball]) -> Ball:
    """Return Σ w_j·values_j."""
    if stencil.is_difference:
        upper, lower = stencil.offsets
        return values[upper] - values[lower]
    return sum((ball(w) * values[o] for o, w in zip(stencil.offsets, stencil.factors, strict=True)), ball(0))


def _abscissa(x: float, offset: Fraction, h: float, reached: float) -> _Abscissa:
    if abs(offset) <= 1 and offset.denominator == 1:
        total, lost = two_sum(x, int(offset) * h)
        if math.isfinite(lost):
            return _Abscissa(reached, ball(total) + ball(lost), total == reached and lost == 0)
    exact = Fraction(x) + offset * Fraction(h)
    return _Abscissa(reached, ball(exact), exact == Fraction(reached))


def _first_bits(x: float, h: float, digits: int) -> int:
    """Guess the bits that T needs: p + q times the digits by which h is smaller than x, or than 1."""
    _, exponent = math.frexp(h)
    _, scale = math.frexp(max(abs(x), 1.0))
    return min(128 + digits * max(scale - exponent, 0), 1600)
