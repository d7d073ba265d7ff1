"""What a sweep runs over, the float kernel, and the certified side of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.jets import JET_ORDER, taylor_coefficients
from diffcompare.compare.reference import Partial, certified_partials
from diffcompare.compare.schema import STATUSES
from diffcompare.numeric.stencils import Stencil
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["STATUS_CODES", "SWEEP_BITS", "Evaluations", "Grid", "References", "Run", "differences", "references"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Run = Callable[[Sequence[Floats]], Floats]

SWEEP_BITS = 160
STATUS_CODES = {status: code for code, status in enumerate(STATUSES)}


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tabulated: arrays over it have the axes points, variables, schemes, steps."""

    f: SymbolicFunction
    points: Floats
    stencils: list[Stencil]
    steps: Floats
    directions: list[int]

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
        The difference quotient D̂, and s = fl(f̂(a) − f̂(b)) that was divided.
    collapsed, finite : ndarray of bool, same shape
        All abscissae are one float; abscissae, values of f and quotient are finite.
    values : list of dict
        For each variable, f̂ at the abscissae x + offset·h, by offset, of shape points × steps (or × 1).
    """

    numeric: Floats
    rise: Floats
    collapsed: Flags
    finite: Flags
    values: list[dict[int, Floats]]


def differences(grid: Grid, run: Run) -> Evaluations:
    """Evaluate f once at every abscissa of all schemes and steps, and form the difference quotients."""
    shape = grid.shape
    m, _, _, k = shape
    numeric, rise = np.empty(shape), np.empty(shape)
    collapsed, finite = np.empty(shape, dtype=bool), np.empty(shape, dtype=bool)
    every: list[dict[int, Floats]] = []
    h = grid.steps
    with np.errstate(all="ignore"):
        columns = [np.ascontiguousarray(column) for column in grid.points.T]
        centre = run(columns)[:, None]
        offsets = {offset for chosen in grid.stencils for offset in (chosen.upper, chosen.lower)}
        for v, i in enumerate(grid.directions):
            x = columns[i][:, None]
            abscissae = {0: x, 1: x + h, -1: x - h}
            values = {0: centre}
            for offset in offsets - {0}:
                arguments = [
                    abscissae[offset].reshape(-1) if j == i else np.repeat(column, k)
                    for j, column in enumerate(columns)
                ]
                values[offset] = run(arguments).reshape(m, k)
            known = {offset: np.isfinite(value) & np.isfinite(abscissae[offset]) for offset, value in values.items()}
            for j, chosen in enumerate(grid.stencils):
                width = chosen.upper - chosen.lower
                np.subtract(values[chosen.upper], values[chosen.lower], out=rise[:, v, j])
                np.divide(rise[:, v, j], h if width == 1 else width * h, out=numeric[:, v, j])
                collapsed[:, v, j] = abscissae[chosen.upper] == abscissae[chosen.lower]
                finite[:, v, j] = known[chosen.upper] & known[chosen.lower] & np.isfinite(numeric[:, v, j])
            every.append(values)
    return Evaluations(numeric, rise, collapsed, finite, every)


@dataclass(frozen=True, slots=True)
class References:
    """The certified side, arrays over points × variables."""

    status: NDArray[np.int8]
    value: Floats
    tail: Floats
    slack: Floats
    taylor: Floats  # × coefficients: F^(k)/k!


def references(grid: Grid) -> References:
    """Certify the partial derivatives at every point, with the Taylor coefficients along each variable."""
    shape = grid.shape[:2]
    partials = np.empty((*shape, 4))
    taylor = np.empty((*shape, JET_ORDER + 1))
    for p, point in enumerate(grid.points.tolist()):
        found: list[Partial] = certified_partials(grid.f, point, bits=SWEEP_BITS, indices=grid.directions)
        for v, partial in enumerate(found):
            partials[p, v] = STATUS_CODES[partial.status], partial.value, partial.tail, partial.slack
            taylor[p, v] = taylor_coefficients(grid.f.program, point, grid.directions[v])
    return References(partials[..., 0].astype(np.int8), partials[..., 1], partials[..., 2], partials[..., 3], taylor)
