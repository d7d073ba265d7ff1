"""The exact split of the error of a difference quotient into five parts that sum to it.

With a, b the rounded abscissae of a stencil, x + o·h the nominal ones, s = fl(f̂(a) − f̂(b)), k = (upper − lower)·h
and D = F′(x), all exact but for the floats f̂(a), f̂(b), s and D̂:

    truncation   T = (F(x + upper·h) − F(x + lower·h))/k − D
    abscissa     A = ((F(a) − F(x + upper·h)) − (F(b) − F(x + lower·h)))/k
    evaluation   E = ((f̂(a) − F(a)) − (f̂(b) − F(b)))/k
    subtraction  S = (s − (f̂(a) − f̂(b)))/k
    division     Q = D̂ − s/k

T + A + E + S + Q = D̂ − D identically: it telescopes. Every part is correctly rounded on its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import PRECISION_CAP, Ball, ball, ball_function, precision, round_ball
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.compare.exact_error import two_product, two_sum
from diffcompare.compare.kernel import Evaluations, Grid
from diffcompare.compare.reference import exact_partial, partial_ball
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
            for k, h in enumerate(grid.steps.tolist()):
                chosen = [s for s in range(len(grid.stencils)) if rows[p, v, s, k]]
                if not chosen:
                    continue
                at_step = {offset: column[k if len(column) > 1 else 0] for offset, column in values.items()}
                found = line.parts(h, [grid.stencils[s] for s in chosen], at_step)
                for s, (truncation, abscissa, evaluation) in zip(chosen, found, strict=True):
                    parts["truncation"][p, v, s, k] = truncation
                    parts["abscissa"][p, v, s, k] = abscissa
                    parts["evaluation"][p, v, s, k] = evaluation
    return parts


def float_parts(grid: Grid, evaluations: Evaluations, rows: Flags) -> dict[str, Floats]:
    """Return S and Q from the residuals of the subtraction and of the division, which are floats themselves."""
    subtraction, division = np.zeros(grid.shape), np.zeros(grid.shape)
    h = grid.steps
    with np.errstate(all="ignore"):
        for v in range(len(grid.directions)):
            for s, chosen in enumerate(grid.stencils):
                upper, lower = (evaluations.values[v][offset] for offset in (chosen.upper, chosen.lower))
                k = h * (chosen.upper - chosen.lower)
                rise, lost = two_sum(upper, -lower)
                subtraction[:, v, s] = -lost / k
                quotient = evaluations.numeric[:, v, s]
                product, residual = two_product(quotient, k)
                division[:, v, s] = np.where(rise == 0, quotient, ((product - rise) + residual) / k)
                size = np.abs(product)
                plain = (size > _SAFE_LOW) & (size < _SAFE_HIGH) & (k > _SAFE_LOW) & (k < _SAFE_HIGH)
                plain &= (np.abs(quotient) < _SAFE_HIGH) & ((lost == 0) | (np.abs(lost) > _SAFE_LOW))
                plain |= (rise == 0) & (lost == 0)
                for p, j in np.argwhere(rows[:, v, s] & ~plain):
                    values = [float(array[p, j if array.shape[1] > 1 else 0]) for array in (upper, lower)]
                    width = Fraction(float(h[j])) * (chosen.upper - chosen.lower)
                    total = Fraction(float(rise[p, j if rise.shape[1] > 1 else 0]))
                    gap = total - (Fraction(values[0]) - Fraction(values[1]))
                    subtraction[p, v, s, j] = round_to_nearest(gap / width)
                    division[p, v, s, j] = round_to_nearest(Fraction(float(quotient[p, j])) - total / width)
    # an exact 0 has no sign
    parts = {"subtraction": subtraction + 0.0, "division": division + 0.0}
    return {name: np.where(rows, part, np.nan) for name, part in parts.items()}


class _Line:
    """A function along one variable through a point, for all steps there."""

    def __init__(self, grid: Grid, point: Sequence[float], direction: int) -> None:
        self.f, self.point, self.direction = grid.f, point, direction
        self.run = ball_function(grid.f.program)
        self.degree = polynomial_degree(grid.f.program, direction)
        self.slopes: dict[int, Ball | None] = {}

    def slope(self, bits: int) -> Ball | None:
        if bits not in self.slopes:
            self.slopes[bits] = partial_ball(self.f, self.point, self.direction, bits)
        return self.slopes[bits]

    def value(self, abscissa: Ball) -> Ball:
        at = [ball(x) for x in self.point]
        at[self.direction] = abscissa
        return self.run(*at)[0]

    def parts(self, h: float, stencils: Sequence[Stencil], values: dict[int, float]) -> list[tuple[float, ...]]:
        """Return truncation, abscissa and evaluation error of each stencil, raising the precision until all round."""
        x = self.point[self.direction]
        offsets = sorted({offset for stencil in stencils for offset in (stencil.upper, stencil.lower)})
        moved = {offset: two_sum(x, offset * h) for offset in offsets}
        found: list[list[float | None]] = [[None, None, None] for _ in stencils]
        bits = _first_bits(x, h)
        while True:
            with precision(bits):
                reached = {offset: self.value(ball(moved[offset][0])) for offset in offsets}
                nominal = {
                    offset: reached[offset]
                    if moved[offset][1] == 0
                    else self.value(ball(moved[offset][0]) + ball(moved[offset][1]))
                    for offset in offsets
                }
                for known, stencil in zip(found, stencils, strict=True):
                    self._fill(known, stencil, h, moved, reached, nominal, values, bits)
            if bits >= _TIE_BITS and any(part is None for known in found for part in known):
                self._fill_exactly(found, stencils, h, moved, values)
            if bits >= PRECISION_CAP or all(part is not None for known in found for part in known):
                return [tuple(math.nan if part is None else part for part in known) for known in found]
            bits = min(2 * bits, PRECISION_CAP)

    def _fill(
        self,
        known: list[float | None],
        stencil: Stencil,
        h: float,
        moved: dict[int, tuple[float, float]],
        reached: dict[int, Ball],
        nominal: dict[int, Ball],
        values: dict[int, float],
        bits: int,
    ) -> None:
        upper, lower = stencil.upper, stencil.lower
        width = ball(h) * (upper - lower)
        still = self.degree == 0
        if known[0] is None:
            if self.degree is not None and self.degree <= stencil.order:
                known[0] = 0.0
            elif (slope := self.slope(bits)) is not None:
                known[0] = round_ball((nominal[upper] - nominal[lower]) / width - slope)
        collapsed = moved[upper][0] == moved[lower][0]
        if known[1] is None:
            if still or moved[upper][1] == moved[lower][1] == 0:
                known[1] = 0.0
            else:
                rise = nominal[upper] - nominal[lower]
                # nothing was reached: both abscissae are one float
                gap = (
                    -rise if collapsed else _gap(reached, nominal, moved, upper) - _gap(reached, nominal, moved, lower)
                )
                known[1] = round_ball(gap / width)
        if known[2] is None:
            rise = ball(values[upper]) - ball(values[lower])
            still = still or collapsed
            known[2] = round_ball((rise if still else rise - (reached[upper] - reached[lower])) / width)

    def _fill_exactly(
        self,
        found: list[list[float | None]],
        stencils: Sequence[Stencil],
        h: float,
        moved: dict[int, tuple[float, float]],
        values: dict[int, float],
    ) -> None:
        """Decide ties of functions that are rational numbers at rational points."""
        slope = exact_partial(self.f, self.point, self.direction)
        at = [Fraction(x) for x in self.point]

        def value(abscissa: Fraction) -> Fraction | None:
            there = [abscissa if i == self.direction else x for i, x in enumerate(at)]
            return exact_outputs(self.f.program, there)[0]

        reached = {offset: value(Fraction(a)) for offset, (a, _) in moved.items()}
        nominal = {offset: value(Fraction(a) + Fraction(off)) for offset, (a, off) in moved.items()}
        if slope is None or None in reached.values() or None in nominal.values():
            return
        for known, stencil in zip(found, stencils, strict=True):
            upper, lower = stencil.upper, stencil.lower
            width = Fraction(h) * (upper - lower)
            rise = (nominal[upper] or 0) - (nominal[lower] or 0)
            true = (reached[upper] or 0) - (reached[lower] or 0)
            computed = Fraction(values[upper]) - Fraction(values[lower])
            exact = (rise / width - slope, (true - rise) / width, (computed - true) / width)
            known[:] = [round_to_nearest(e) if k is None else k for k, e in zip(known, exact, strict=True)]


def _gap(
    reached: dict[int, Ball], nominal: dict[int, Ball], moved: dict[int, tuple[float, float]], offset: int
) -> Ball:
    return ball(0) if moved[offset][1] == 0 else reached[offset] - nominal[offset]


def _first_bits(x: float, h: float) -> int:
    """Guess the bits that T needs: three times the digits by which h is smaller than x, or than 1."""
    _, exponent = math.frexp(h)
    _, scale = math.frexp(max(abs(x), 1.0))
    return min(128 + 3 * max(scale - exponent, 0), 1600)
