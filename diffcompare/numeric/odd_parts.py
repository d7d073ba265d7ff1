"""Other derivatives as slopes at 0 of odd functions, so that one extrapolation with one estimate serves them all.

With f on a line through x, steps h > 0, and σ = ±1 for a side:

==================  ========================================================  =======================  =============
derivative          g(t)                                                      series of g(t)/t         rounding of g
==================  ========================================================  =======================  =============
f″                  [f(x+t) − 2f(x) + f(x−t)] / t                             f″ + f⁗/12·t² + …        4ε/t
f′ of one side      σ·[f(x+σt²) − f(x)] / t                                   f′ + σf″/2·t² + …        2ε/t
f″ of one side      [f(x+2σt²) − 2f(x+σt²) + f(x)] / t³                       f″ + σf‴·t² + …          4ε/t³
∂²f/∂y∂z            [f(y+t, z+t) − f(y+t, z−t) − f(y−t, z+t) + f(y−t, z−t)]   f_yz + O(t²)             ε/t
                    / 4t
∂²f/∂y∂z, one side  στ·[f(y+σt², z+τt²) − f(y+σt², z) − f(y, z+τt²) + f] / t³ f_yz + O(t²)             4ε/t³
==================  ========================================================  =======================  =============

Each g is odd, so its slope at 0 is the limit of g(t)/t, a series in t². What the slope of f knows of a corner of f″
stands beside it as a second difference of g: D(t) = f′ + (f″₊ − f″₋)/4·t + f‴/6·t² + …
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from diffcompare.numeric.estimate import Estimate
from diffcompare.numeric.samples import Pair, Samples

__all__ = ["Cross", "OddPart", "mixed", "one_sided", "second", "second_one_sided"]

# g at a step and what it is off by, then the corner of f″ that shows beside it, and what that is off by at every step
# alike; None outside the domain
Part = Callable[[float], tuple[float, float, float, float] | None]
# f at the corners (±u, ±v) of a rectangle around x, or at other multiples of the two steps; nan outside the domain
Cross = Callable[[float, float], float]


_GOLDEN = (math.sqrt(5) - 1) / 2
# as those of f″, from the step on that the slopes along the axes were found with
_MIXED_RATIO, _MIXED_SMALLEST = 38.95, 2.0**-46


@dataclass(slots=True)
class OddPart:
    """An odd function by its values at steps that ``exact`` makes floats."""

    part: Part
    exact: Callable[[float], float]
    scale: float
    top: float
    ratio: float
    smallest: float
    x: float = 0.0
    known: dict[float, Pair | None] = field(default_factory=dict)

    def exact_step(self, h: float) -> float:
        """The step near h at which f can be evaluated; 0 if there is none."""
        return self.exact(h)

    def value(self, t: float) -> float:
        """g(t); nan where it has none."""
        pair = self.pair(abs(t))
        return math.nan if pair is None else math.copysign(1.0, t) * pair.slope * pair.h

    def pair(self, h: float) -> Pair | None:
        """The values ±g(h), with what they are off by."""
        h = self.exact(h)
        if h not in self.known:
            found = self.part(h) if 0 < h < math.inf else None
            self.known[h] = None
            if found is not None and math.isfinite(found[0]):
                value, doubt, corner, offset = found
                self.known[h] = Pair(h, corner / 2 + value, corner / 2 - value, 0.0, 0.0, doubt=doubt, offset=offset)
        return self.known[h]


def second(samples: Samples, slope: Estimate) -> OddPart:
    """f″ from values on both sides."""

    def part(h: float) -> tuple[float, float, float, float] | None:
        pair = samples.pair(h)
        if pair is None:
            return None
        doubt = 4 * max(slope.noise, replace(pair, unit=slope.unit).rounding) / pair.h
        return pair.bend / pair.h, doubt, 4 * (pair.slope - slope.value), 8 * slope.error

    return OddPart(part, samples.exact_step, samples.scale, samples.top, math.sqrt(samples.ratio), samples.smallest)


def one_sided(samples: Samples, side: int, noise: Estimate) -> OddPart:
    """f′ from values on one side."""

    def part(t: float) -> tuple[float, float, float, float] | None:
        found = _beside(samples, side, t * t, (0, 1), noise)
        return None if found is None else (side * found[0] / t, 2 * found[1] / t, 0.0, 0.0)

    return _of_one_side(part, samples, 1)


def second_one_sided(samples: Samples, side: int, noise: Estimate) -> OddPart:
    """f″ from values on one side."""

    def part(t: float) -> tuple[float, float, float, float] | None:
        found = _beside(samples, side, t * t, (0, 1, 2), noise)
        return None if found is None else (found[0] / t**3, 4 * found[1] / t**3, 0.0, 0.0)

    return _of_one_side(part, samples, 2)


def mixed(
    cross: Cross,
    exact: Callable[[float], float],
    sides: tuple[int, int],
    slopes: tuple[Estimate, Estimate],
    size: float,
) -> OddPart:
    """∂²f/∂y∂z, with the steps that ``cross`` takes for 1 as units; ``sides`` are (0, 0) for values on both sides.

    The slopes are in the same units; ``size`` is that of values with the rounding that the arguments' own makes. A
    corner of f″ along either diagonal shows as one of f″ does. The second is weighed by an irrational number, so that
    those of a symmetric function do not cancel.
    """
    one, two = slopes
    noise, unit = max(one.noise, two.noise), max(one.unit, two.unit)

    def off_by(values: list[float]) -> float:
        return max(noise, unit * max(size, *map(abs, values)))

    def central(t: float) -> tuple[float, float, float, float] | None:
        values = [cross(t, t), cross(t, -t), cross(-t, t), cross(-t, -t)]
        if not all(map(math.isfinite, values)):
            return None
        up = (values[0] - values[3]) / 2 / t - (one.value + two.value)
        down = (values[1] - values[2]) / 2 / t - (one.value - two.value)
        value = ((values[0] - values[1]) - (values[2] - values[3])) / 4 / t
        return value, off_by(values) / t, up + _GOLDEN * down, 2 * (1 + _GOLDEN) * (one.error + two.error)

    def inward(t: float) -> tuple[float, float, float, float] | None:
        u, v = sides[0] * t * t, sides[1] * t * t
        values = [cross(u, v), cross(u, 0.0), cross(0.0, v), cross(0.0, 0.0)]
        if not all(map(math.isfinite, values)):
            return None
        difference = (values[0] - values[1]) - (values[2] - values[3])
        return sides[0] * sides[1] * difference / t**3, 4 * off_by(values) / t**3, 0.0, 0.0

    if sides == (0, 0):
        return OddPart(central, exact, 1.0, 1.0, _MIXED_RATIO, _MIXED_SMALLEST)
    root = math.sqrt(_MIXED_RATIO)
    return OddPart(inward, lambda t: math.sqrt(exact(t * t)), 1.0, 1.0, root, math.sqrt(_MIXED_SMALLEST))


def _of_one_side(part: Part, samples: Samples, derivative: int) -> OddPart:
    def exact(t: float) -> float:
        return math.sqrt(samples.exact_step(t * t))

    top, ratio = math.sqrt(samples.top / derivative), samples.ratio ** (0.5 / derivative)
    return OddPart(part, exact, math.sqrt(samples.scale), top, ratio, math.sqrt(samples.smallest))


def _beside(
    samples: Samples, side: int, h: float, multiples: tuple[int, ...], noise: Estimate
) -> tuple[float, float] | None:
    """The difference of the values at multiples of a step to one side, and what each value is off by."""
    h = samples.exact_step(h)
    values = [samples.value(samples.x + side * k * h) for k in multiples]
    if not all(map(math.isfinite, values)):
        return None
    change = values[1] - values[0]
    difference = change if len(values) == 2 else (values[2] - values[1]) - change
    size = max(max(map(abs, values)), abs(samples.x) * max(abs(change), abs(difference)) / h)
    return difference, max(noise.noise, noise.unit * size)
