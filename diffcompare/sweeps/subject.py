"""What a sweep runs over, the float kernel, and the certified side of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.arithmetic.jets import JET_ORDER, taylor_jet
from diffcompare.arithmetic.moving import Rest
from diffcompare.certify.higher import certified_derivatives
from diffcompare.certify.reference import Partial, certified_partials
from diffcompare.floats import Flags, Floats
from diffcompare.numeric.quotients import abscissa, divisor, weighted_sum
from diffcompare.numeric.stencils import Stencil
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.schema import STATUSES
from diffcompare.watchdog import one_account

__all__ = [
    "STATUS_CODES",
    "SWEEP_BITS",
    "Evaluations",
    "Grid",
    "References",
    "Run",
    "differences",
    "each_point",
    "references",
    "series_order",
]

# of arrays of the dtype of the sweep, one for each variable
Run = Callable[[Sequence[NDArray[Any]]], NDArray[Any]]

SWEEP_BITS = 160
STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tabulated: arrays over it have the axes points, variables, schemes, steps.

    Points and steps are numbers of the dtype, held in binary64. ``ranges`` has the smallest and the largest step
    of each stencil in the whole sweep, where the grid is but a part of it.
    """

    f: SymbolicFunction
    points: Floats
    stencils: list[Stencil]
    steps: Floats
    directions: list[int]
    derivative: int = 1
    dtype: np.dtype[Any] = np.dtype(np.float64)  # noqa: RUF009 (immutable)
    ranges: tuple[tuple[float, float], ...] = ()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The lengths of the four axes."""
        return len(self.points), len(self.directions), len(self.stencils), len(self.steps)


@dataclass(frozen=True, slots=True)
class Evaluations:
    """What the float code returned.

    Parameters
    ----------
    numeric, rise : ndarray, shape points × variables × schemes × steps
        The difference quotient D̂, and the weighted sum s = fl(Σ w_j·f̂(a_j)) that was divided.
    collapsed, finite : ndarray of bool, same shape
        All abscissae are one float; abscissae, values of f and quotient are finite.
    values, abscissae : dict
        By offset f̂(a_j), and the rounded abscissae a_j of x + offset·h, of shape points × variables × steps (or × 1).

    All are numbers of the dtype of the sweep, held in binary64.
    """

    numeric: Floats
    rise: Floats
    collapsed: Flags
    finite: Flags
    values: dict[Fraction, Floats]
    abscissae: dict[Fraction, Floats]


def differences(grid: Grid, run: Run, *, together: bool = False) -> Evaluations:
    """Evaluate f once at every abscissa of all schemes and steps, and form the difference quotients.

    ``together``: what runs computes element by element, so that the abscissae of many variables may be one array.
    """
    m, n, _, k = shape = grid.shape
    numeric, rise = np.empty(shape), np.empty(shape)
    collapsed, finite = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool)
    h = grid.steps.astype(grid.dtype)
    with np.errstate(all="ignore"):
        columns = [np.ascontiguousarray(column, dtype=grid.dtype) for column in grid.points.T]
        x = np.stack([columns[i] for i in grid.directions], axis=1)[..., None]
        offsets = sorted({offset for chosen in grid.stencils for offset in chosen.offsets} - {Fraction(0)})
        abscissae = {Fraction(0): x} | {offset: abscissa(x, offset, h) for offset in offsets}
        values = {Fraction(0): np.broadcast_to(run(columns)[:, None, None], (m, n, 1))}
        values |= {offset: np.empty((m, n, k), dtype=grid.dtype) for offset in offsets}
        still = [np.repeat(column, k) for column in columns]
        pieces = [(v, offset) for v in range(n) for offset in offsets]
        # so many abscissae in one run
        block = max(1, _NUMBERS // (m * k * len(columns))) if together and m * k <= _FEW else 1
        for start in range(0, len(pieces), block):
            some = pieces[start : start + block]
            there = [np.tile(column, len(some)) for column in still] if len(some) > 1 else [*still]
            for j, (v, offset) in enumerate(some):
                moved, i = abscissae[offset][:, v].reshape(-1), grid.directions[v]
                if len(some) > 1:
                    there[i][j * m * k : (j + 1) * m * k] = moved
                else:
                    there[i] = moved
            for (v, offset), found in zip(some, run(there).reshape(-1, m, k), strict=True):
                values[offset][:, v] = found
        known = {offset: np.isfinite(value) & np.isfinite(abscissae[offset]) for offset, value in values.items()}
        for j, chosen in enumerate(grid.stencils):
            rise[:, :, j] = total = weighted_sum(chosen, values, h)
            np.divide(total, divisor(chosen, h), out=numeric[:, :, j], casting="same_kind", dtype=grid.dtype)
            first, *others = (abscissae[offset] for offset in chosen.offsets)
            collapsed[:, :, j] = np.logical_and.reduce([np.broadcast_to(first == a, (m, n, k)) for a in others])
            finite[:, :, j] = np.isfinite(numeric[:, :, j])
            for offset in chosen.offsets:
                finite[:, :, j] &= known[offset]
        # a step that the dtype rounds to 0 gives no quotient, and that is all that is wrong with it
        numeric[..., grid.steps == 0] = np.nan
        finite[..., grid.steps == 0] = True
    held = ({o: array.astype(np.float64, copy=False) for o, array in each.items()} for each in (values, abscissae))
    return Evaluations(numeric, rise, collapsed, finite, *held)


# so few abscissae of one offset are not worth a run of their own
_FEW = 1024
# numbers of a run: 32 MB
_NUMBERS = 1 << 22


@dataclass(frozen=True, slots=True)
class References:
    """The certified side, arrays over points × variables."""

    status: NDArray[np.int8]
    value: Floats
    tail: Floats
    slack: Floats
    taylor: Floats  # × coefficients: F^(k)/k!


def series_order(grid: Grid) -> int:
    """Return the highest Taylor coefficient that predictions use: past the leading error of every scheme."""
    return max(JET_ORDER, *(chosen.order + grid.derivative + 2 for chosen in grid.stencils))


def each_point(grid: Grid, wanted: Flags | None = None) -> Iterator[tuple[int, list[float]]]:
    """Number the points, or some of them; what is done at one shares its account of what children may cost."""
    for p in range(len(grid.points)) if wanted is None else np.flatnonzero(wanted).tolist():
        point = grid.points[p].tolist()
        with one_account(tuple(point)):
            yield p, point


def references(grid: Grid) -> References:
    """Certify the partial derivatives at every point, with the Taylor coefficients along each variable.

    The first of these must agree with a partial derivative, too.
    """
    order, first, program = series_order(grid), grid.derivative == 1, grid.f.program
    rows: list[tuple[float, ...]] = []
    taylor: list[list[float]] = []
    with precision(SWEEP_BITS):
        for _, point in each_point(grid):
            if first:
                found = certified_partials(grid.f, point, bits=SWEEP_BITS, indices=grid.directions)
            else:
                found = certified_derivatives(grid.f, point, grid.directions, grid.derivative, bits=SWEEP_BITS)
            rest = Rest(point)
            for i, partial in zip(grid.directions, found, strict=True):
                series = taylor_jet(program, rest.moved(i), i, order=order)
                status = partial.status if not first or _may_be(partial, series[1]) else "undecided"
                rows.append((STATUS_CODES[status], partial.value, partial.tail, partial.slack))
                taylor.append([float(coefficient) for coefficient in series])
    codes, value, tail, slack = np.moveaxis(np.array(rows).reshape(*grid.shape[:2], 4), -1, 0)
    return References(codes.astype(np.int8), value, tail, slack, np.array(taylor).reshape(*grid.shape[:2], order + 1))


def _may_be(partial: Partial, slope: Ball) -> bool:
    """Tell whether a certified derivative and the enclosure of another route overlap, where both are known."""
    if not (math.isfinite(partial.value) and slope.is_finite()):
        return True
    return bool((slope - partial.value - partial.tail).overlaps(Ball(0, partial.slack)))
