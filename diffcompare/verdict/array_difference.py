"""The real difference between a claimed derivative and the true one, by component, as programs of arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_balls import STRIP, array_balls, nearest_floats
from diffcompare.arithmetic.array_floats import Moved
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.difference import nearest_float

__all__ = ["BITS", "EQUAL", "FIRST_BITS", "STRAYS", "TINY", "Compared", "difference_in_arrays", "moved_apart"]

# enough for nearly all, at half the price; then more, doubled while a difference cannot be told from 0
FIRST_BITS, BITS, _MOST_BITS = 192, 333, 2700
# equal balls leave no more than this part of a component
EQUAL = 2.0**-100
TINY = 2.0**-1074
# by how much claims may stray whose computation is not seen: in units of what random roundings make of the derivative
STRAYS = 16.0
_ZERO = Ball(0)


@dataclass(slots=True)
class Compared:
    """G − D by component (see :class:`~diffcompare.verdict.difference.Difference`)."""

    node: int
    D: Any
    G: Any
    value: Floats  # D, correctly rounded wherever that is known
    gap: Floats
    size: Floats
    equal: Flags
    decided: Flags
    L: Floats
    off: Floats
    beside: Floats
    kinks: Flags
    notes: list[str] = field(default_factory=list)

    @property
    def least(self) -> Floats:
        """One rounding of each component; a structural 0 has none."""
        return unit_roundoff * self.size

    @property
    def threshold(self) -> Floats:
        """The difference above which a component is wrong."""
        return np.asarray(np.maximum.reduce([32 * self.L, 2 * self.least, self.off, 8 * self.beside]))


def difference_in_arrays(
    pair: ArrayPair, node: int, D: Any, G: Any, one: Moved, two: Moved, *, bits: int = BITS
) -> Compared | None:
    """Compare the balls of D, whose node is given, and G, of so many bits; None where D is not finite.

    The precision is raised until each component of D is rounded, and told apart from that of G or found equal to it.
    """
    values, D, n = (D, G), D.copy(), D.size
    value, certain = np.empty(n), np.zeros(n, dtype=bool)
    gap, equal, decided = np.full(n, math.nan), np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    some = np.arange(n)
    while some.size:
        with precision(bits):
            D[some] = values[0][some]
            value[some], certain[some] = nearest_floats(D[some])
            nonzero, bound = _bounds(values[1], values[0], some)
        size, last = np.abs(value), 2 * bits > _MOST_BITS
        if not np.isfinite(size).all():
            return None
        # a component far smaller than the largest is held to its own size, once that is known
        known = certain[some] & (not last)
        scale = np.where(known, size[some], np.maximum(size[some], size.max() * 2.0**-64))
        gap[some] = np.where(np.isfinite(bound), bound, math.inf)
        equal[some] = ~nonzero & ((bound <= EQUAL * scale) | (bound <= TINY))
        decided[some] = (nonzero & np.isfinite(bound)) | equal[some]
        some = some[~(decided[some] & certain[some]) & np.isfinite(gap[some])]
        if last:
            break
        if some.size:
            bits = 2 * bits if bits >= BITS else BITS
            values = tuple(array_balls(pair.build, [node, pair.G], pair.point, bits))
    for i in np.flatnonzero(~certain).tolist():
        value[i] = nearest_float(D[i])
    L = moved_apart(one, two, D.shape)
    L = np.where(np.isfinite(L), L, np.where(equal, 0.0, math.inf))
    nothing = np.zeros(n)
    return Compared(
        node, D, G, value, gap, np.abs(value), equal, decided, L, nothing, nothing.copy(), np.zeros(n, dtype=bool)
    )


def _bounds(one: Any, other: Any, places: NDArray[np.intp]) -> tuple[Flags, Floats]:
    """Tell where balls differ, and by how much at least; elsewhere, by how much they may at most."""
    nonzero, bound = np.empty(places.size, dtype=bool), np.empty(places.size)
    for start in range(0, places.size, STRIP):
        part = slice(start, start + STRIP)
        apart = one[places[part]] - other[places[part]]
        # certainly not 0
        differs = nonzero[part] = (apart != _ZERO).astype(bool)
        bound[part][differs] = [float(v.abs_lower()) for v in apart[differs].tolist()]
        bound[part][~differs] = [float(v.abs_upper()) for v in apart[~differs].tolist()]
    return nonzero, bound


def moved_apart(one: Moved, other: Moved, shape: tuple[int, ...]) -> Floats:
    """Return how far the rounding of constants may set two values apart, to first order."""
    zero = np.zeros(())
    pairs = [(a, b) for a, b in zip(one.moves or (zero, zero), other.moves or (zero, zero), strict=True)]
    return np.asarray(2 * np.max([np.broadcast_to(np.abs(a - b), shape) for a, b in pairs], axis=0))
