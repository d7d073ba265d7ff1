"""Where a stencil leaves the domain of a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from flint import arb

from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.arithmetic.moving import FEWEST, Rest, moved_value
from diffcompare.arithmetic.one_sided import is_defined
from diffcompare.floats import Flags, Floats
from diffcompare.program.dag import Program

__all__ = ["certainly_inside", "undefined_steps"]


_RANGE_BITS = 64
_POINT_BITS = (128, 512, 2048)
# so many abscissae may stay unknown at all of them; what the first does not decide is unknown from then on
_DOUBTS = 8
# of fewer points one enclosure saves little
_FEW_POINTS = 8


def certainly_inside(
    program: Program, points: Floats, direction: int, step: float, abscissae: Mapping[Fraction, Floats]
) -> Flags:
    """Tell at which points all abscissae along a variable lie inside the domain, as an enclosure over many shows.

    Proven where it says so: :func:`undefined_steps` would return None there. The others it does not decide.

    Parameters
    ----------
    program : Program
    points : ndarray, shape (points, variables)
    direction : int
        The variable that moves.
    step : float
        The largest.
    abscissae : mapping of ndarray, shape (points, any)
        For each offset, the lowest first, the abscissae as rounded.
    """
    proven = np.zeros(len(points), dtype=bool)
    run, (lowest, *_, highest) = ball_function(program), abscissae
    ends = np.concatenate([abscissae[lowest], abscissae[highest]], axis=1)
    low, high = points.copy(), points.copy()
    low[:, direction] = np.minimum(low[:, direction], ends.min(axis=1))
    high[:, direction] = np.maximum(high[:, direction], ends.max(axis=1))
    groups = [np.lexsort(points.T)] if len(program.variables) < FEWEST else []
    with precision(_RANGE_BITS):
        move = step * ball(max(-lowest, highest))
        while groups:
            group = groups.pop()
            if len(group) < _FEW_POINTS:
                continue
            hull = [
                arb(a).union(arb(b))
                for a, b in zip(low[group].min(axis=0).tolist(), high[group].max(axis=0).tolist(), strict=True)
            ]
            hull[direction] = (hull[direction] - move).union(hull[direction] + move)
            proven[group] = inside = run(*hull)[0].is_finite()
            if not inside:
                middle = len(group) // 2
                groups += [group[:middle], group[middle:]]
    return proven


def undefined_steps(
    program: Program,
    point: Sequence[float] | Rest,
    direction: int,
    steps: Floats,
    offsets: Sequence[tuple[Fraction, ...]],
    abscissae: Mapping[Fraction, Floats] | None = None,
) -> tuple[Flags, Flags] | None:
    """Tell for which stencils and steps an abscissa, nominal or rounded, lies outside the domain.

    Proven: one enclosure over the widest hull shows that all is inside; where it does not, smaller hulls are tried,
    and the abscissae beyond them are looked at one by one.

    Parameters
    ----------
    program : Program
    point : sequence of float, or Rest
    direction : int
        The variable that moves.
    steps : ndarray, shape (steps,)
        Descending.
    offsets : sequence of tuples
        The offsets of each stencil in units of h.
    abscissae : mapping of ndarray, optional
        For each offset, the lowest first, the abscissae as rounded, one for each step (or one for all); default: x +
        offset·h in binary64.

    Returns
    -------
    None or (outside, unknown) : ndarrays of bool, shape (stencils, steps)
        None where no abscissa is outside.
    """
    rest = point if isinstance(point, Rest) else Rest(point)
    x, centre = rest.floats[direction], rest.balls[direction]

    if abscissae is None:
        every = sorted({offset for stencil in offsets for offset in stencil})
        abscissae = {offset: x + float(offset) * steps for offset in every}
    else:
        every = list(abscissae)
    far = max(-every[0], every[-1])
    ends = [abscissae[every[0]], abscissae[every[-1]]]

    def reached(array: Floats, k: int) -> float:
        return float(array[k if len(array) > 1 else 0])

    def inside(k: int) -> bool:
        with precision(_RANGE_BITS):
            move = float(steps[k]) * ball(far)
            hull = (centre - move).union(centre + move)
            for end in ends:
                hull = hull.union(arb(reached(end, k)))
            return bool(moved_value(program, rest.moved(direction, hull), _RANGE_BITS).is_finite())

    if inside(0):
        return None
    # the hulls are nested: find the first step from which on all is inside
    low, high = 0, len(steps)
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if inside(middle) else (middle, high)
    along = _Abscissae(program, rest.balls, direction)
    outside = np.zeros((len(offsets), len(steps)), dtype=bool)
    unknown = np.zeros_like(outside)
    for k in range(high):
        verdicts = {
            offset: along.is_defined(float(steps[k]), offset, reached(abscissae[offset], k)) for offset in every
        }
        for s, stencil in enumerate(offsets):
            found = [verdicts[offset] for offset in stencil]
            outside[s, k] = False in found
            unknown[s, k] = None in found
    return outside, unknown & ~outside


@dataclass(slots=True)
class _Abscissae:
    """The abscissae along one variable, looked at one by one; few of those that stay unknown get a high precision."""

    program: Program
    arguments: list[arb]
    direction: int
    doubts: int = 0
    # small steps collapse: their abscissae are one float
    known: dict[float, bool | None] = field(default_factory=dict)

    def is_defined(self, h: float, offset: Fraction, reached: float) -> bool | None:
        with precision(_POINT_BITS[-1] + 1200):  # x + h is exact for any two floats that are not 2^3000 apart
            nominal = self.arguments[self.direction] + h * ball(offset)
        rounded = arb(reached)
        # an abscissa that overflows is no point: that shows in the value of f
        same, other = nominal == rounded, rounded.is_finite() and nominal != rounded
        if (same or other) and reached not in self.known:
            self.known[reached] = self._at(rounded)
        if same or (other and self.known[reached] is False):
            return self.known[reached]
        verdict = self._at(nominal)
        return verdict if verdict is False or not other or self.known[reached] else None

    def _at(self, abscissa: arb) -> bool | None:
        point = [*self.arguments[: self.direction], abscissa, *self.arguments[self.direction + 1 :]]
        for bits in _POINT_BITS if self.doubts < _DOUBTS else _POINT_BITS[:1]:
            with precision(bits):
                if ball_function(self.program)(*point)[0].is_finite():
                    return True
                verdict = is_defined(self.program, point)
            if verdict is not None:
                return verdict
        self.doubts += 1
        return None
