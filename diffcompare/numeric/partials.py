"""First and second derivatives along the axes, then the mixed ones: every one with its estimate, f asked once a point.

Each function here is a task of its own, which may run in another process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from diffcompare.floats import Floats, unit_roundoff
from diffcompare.numeric.estimate import Estimate, estimate, estimate_odd, refused
from diffcompare.numeric.lines import Black, Line, power_of_two, short
from diffcompare.numeric.odd_parts import mixed, one_sided, second, second_one_sided
from diffcompare.numeric.samples import Samples

__all__ = ["Partial", "across", "along_axes"]

# relative to the slope: with fewer digits than this beside a side of the box, those from one side may be more
_CONTENT = 1e-9
# a step along both axes is not much longer than those of the slopes: what f does farther away tells nothing, where it
# tells nothing here
_FARTHEST = 8.0
# so much longer are steps of a slope that has nothing to do with the curvature any more
_FAR = 100.0


@dataclass(frozen=True, slots=True)
class Partial:
    """The slope of one value in one variable, and the derivative that is asked for: the slope, or f″.

    ``side`` is that of the values, 0 for both.
    """

    slope: Estimate
    asked: Estimate
    side: int


def along_axes(
    black: Black, rows: Mapping[int, tuple[int, ...]], *, noise: float, derivative: int
) -> tuple[dict[tuple[int, int], Partial], int]:
    """Differentiate along variables that move together, each for its own ``rows``; and say how often f was called."""
    line = Line(black, tuple(rows))
    found = {}
    for column, of_column in rows.items():
        for row in of_column:
            samples = line.samples(row, column)
            found[row, column] = _partial(line, samples, column, noise, derivative)
            line.offer(samples)
    _check_pattern(line, rows, noise)
    return found, len(line.known)


def _check_pattern(line: Line, rows: Mapping[int, tuple[int, ...]], noise: float) -> None:
    """Refuse a pattern by which a value does not depend on what moved, if it changes, and less where less was moved."""
    black = line.black
    others = sorted(set(range(black.value.size)).difference(*rows.values()))
    if not others or not line.known:
        return
    start = float(black.x[line.columns[0]]) if line.alone else 0.0
    with np.errstate(invalid="ignore"):
        seen = {abs(key - start): values[others] - black.value[others] for key, (values, _) in line.known.items()}
    changes = {move: abs(change) for move, change in seen.items()}
    largest = max(changes)
    below = [change for move, change in changes.items() if move < 1e-3 * largest]
    allowed = np.maximum(4 * noise, 2.0**-20 * abs(black.value[others]))
    for change in below:
        allowed = np.maximum(allowed, 100 * change)
    for k in np.flatnonzero(changes[largest] > allowed)[:1]:
        names = ", ".join(black.name(column) for column in line.columns)
        raise ValueError(
            f"sparsity: value {others[k]} of f is said not to depend on {names}, but it changed by "
            f"{changes[largest][k]:.2g} with them; add the entry to the pattern"
        )


def _partial(line: Line, samples: Samples, column: int, noise: float, derivative: int) -> Partial:
    if not math.isfinite(samples.value(samples.x)):
        place = "x" if line.black.shape else repr(samples.x)
        nowhere = refused("domain", f"f({place}) is not finite: {line.black.fault}".removesuffix(": "))
        return Partial(nowhere, nowhere, 0)
    slope, side = _slope(line, samples, column, noise)
    if derivative == 1 or slope.status != "ok":
        return Partial(slope, slope, side)
    part = second_one_sided(samples, side, slope) if side else second(samples, slope)
    floor = math.sqrt(slope.floor) if side else slope.floor
    bend = estimate_odd(part, floor, "second derivative", samples.place)
    return Partial(slope, replace(bend, h=bend.h**2) if side else bend, side)


def _slope(line: Line, samples: Samples, column: int, noise: float) -> tuple[Estimate, int]:
    """From both sides, unless the box leaves one too little room; the side is that of the values."""
    nearer, farther = sorted(line.black.room(column))
    if farther == 0:
        return refused("domain", f"the box leaves {samples.place} no room to move"), 0
    central = refused("domain", "")
    if nearer > 0:
        line.cut = False
        central = estimate(samples, noise)
        settled = central.status in ("kink", "jump") or central.error <= _CONTENT * abs(central.value)
        if settled or not line.cut:
            return central, 0
    # what f is off by shows on both sides of a neighbour
    side = line.black.inward(column)
    neighbour = estimate(
        replace(samples, x=samples.x + side * min(farther, samples.scale or 1.0) / 16, offered=()), noise
    )
    if neighbour.status in ("jump", "noise"):
        return neighbour, side
    known = replace(neighbour, noise=max(neighbour.noise, noise), unit=max(neighbour.unit, unit_roundoff))
    part = one_sided(samples, side, known)
    found = estimate_odd(part, math.sqrt(known.floor), "slope", samples.place)
    if not found.error < central.error:
        return (central, 0) if central.status == "ok" else (found, side)
    return replace(found, h=found.h**2, noise=known.noise, unit=known.unit, floor=known.floor), side


def across(
    black: Black, pair: tuple[int, int], partials: Mapping[int, tuple[Partial, Partial]]
) -> tuple[dict[int, Estimate], int]:
    """Differentiate once in each of two variables: an estimate for every value of f, and how often f was called."""
    rectangle = _Rectangle(black, pair)
    return {row: rectangle.mixed(row, *both) for row, both in partials.items()}, len(rectangle.known)


@dataclass(slots=True)
class _Rectangle:
    """Values where two variables move, each evaluated once."""

    black: Black
    pair: tuple[int, int]
    known: dict[tuple[float, float], Floats] = field(default_factory=dict)

    def value(self, row: int, u: float, v: float) -> float:
        black = self.black
        if u == 0 == v:
            return float(black.value[row])
        if (u, v) not in self.known:
            moves = {k: float(black.x[k]) + move for k, move in zip(self.pair, (u, v), strict=True)}
            if not all(black.holds(k, place) for k, place in moves.items()):
                return math.nan
            self.known[u, v] = black(moves)
        return float(self.known[u, v][row])

    def mixed(self, row: int, *partials: Partial) -> Estimate:
        black = self.black
        for partial in partials:
            if partial.slope.status != "ok":
                return partial.slope
        places = [float(black.x[k]) for k in self.pair]
        # where the slopes were found, f is resolved; unless its curvature is that of something far smaller
        units = [power_of_two(float(np.fmin(one.slope.h, _FAR * one.asked.h))) / 2 for one in partials]
        one, two = (
            replace(partial.slope, value=partial.slope.value * unit, error=partial.slope.error * unit)
            for partial, unit in zip(partials, units, strict=True)
        )
        sides = (partials[0].side or black.inward(self.pair[0]), partials[1].side or black.inward(self.pair[1]))
        if not any(partial.side for partial in partials):
            sides = (0, 0)

        def exact(t: float) -> float:
            if t > _FARTHEST:
                return 0.0
            t = short(t)
            grain = max(math.ulp(abs(x) + t * unit) / unit for x, unit in zip(places, units, strict=True))
            return round(t / grain) * grain if grain < math.inf else 0.0

        size = max(abs(x * partial.slope.value) for x, partial in zip(places, partials, strict=True))
        part = mixed(lambda u, v: self.value(row, u * units[0], v * units[1]), exact, sides, (one, two), size)
        floor = max(partial.slope.floor / unit for partial, unit in zip(partials, units, strict=True))
        floor = floor if sides == (0, 0) else math.sqrt(floor)
        place = ", ".join(f"{black.name(k)}={x!r}" for k, x in zip(self.pair, places, strict=True))
        found = estimate_odd(part, floor, "mixed derivative", place)
        area = units[0] * units[1]
        return replace(found, value=found.value / area, error=found.error / area)
