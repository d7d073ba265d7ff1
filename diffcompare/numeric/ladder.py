"""Central differences at many scales: what is noise, what is shape, and where the scale of the derivative is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from diffcompare.numeric.extrapolation import Extrapolation, best_extrapolation
from diffcompare.numeric.samples import Pair, Samples

__all__ = ["Ladder", "climb", "discontinuity", "kink", "scan", "search"]

# four scales from 0.19·|x| down to 2e-10·|x|: eight evaluations; no power of 2 or 10, so that no period fits all
_RATIO = 1517.3
_RUNGS = 4
_TOP = 0.187
# truncation relative to the slope at the top of an extrapolation: (h/L)²/6 = 1e-3 means h ≈ L/13, where five terms
# in ratios of 1.9 leave about (1/13)¹⁰·1.9⁻²⁰ < u
_TARGET = 1e-3
# beyond this the first term of the series says nothing about the next
_VISIBLE = 0.03
# the powers of h between three scales of a corner are the same, but for the curvature of either side
_SAME_POWER = 0.01
# neighbours closer than this are the same scale
_CLOSE = 2.5
# slopes agree within twice the sum of their worst rounding errors: the noise is itself an estimate from few values
_SLACK = 2.0
# steps of an extrapolation, relative to the first: no ratio is a whole number
_FACTORS = (1.0, 1 / 1.93, 1 / 3.71, 1 / 7.3)
# relative to the steepness: more digits cost more evaluations than they are worth
_ENOUGH = 1e-11


@dataclass(slots=True)
class Ladder:
    """Pairs in ascending order of h, the noise of f, and the step beyond which f is not finite."""

    pairs: list[Pair] = field(default_factory=list)
    noise: float = 0.0
    ceiling: float = math.inf
    floor: float = 0.0
    stepped: bool = False

    def bar(self, pair: Pair) -> float:
        """The worst rounding error of a slope: two values, each off by the noise, over 2h."""
        return max(self.noise, pair.rounding) / pair.h

    def agree(self, a: Pair, b: Pair) -> bool:
        """Whether two slopes differ by no more than their rounding explains."""
        return abs(a.slope - b.slope) <= _SLACK * (self.bar(a) + self.bar(b))

    def top(self) -> int:
        """The largest step whose slope agrees with that of every smaller step, as an index."""
        for k in range(1, len(self.pairs)):
            if not all(self.agree(self.pairs[j], self.pairs[k]) for j in range(k)):
                return k - 1
        return len(self.pairs) - 1

    def top_step(self) -> float:
        """The largest step whose slope agrees; 0 with no pairs."""
        return self.pairs[self.top()].h if self.pairs else 0.0

    def truncation(self, pair: Pair) -> float:
        """The departure of a slope from the top's, relative to the slopes.

        Not to the steepness: far from its scale, a function that is nearly even departs by little of that.
        """
        top = self.pairs[self.top()]
        slope = max(abs(pair.slope), abs(top.slope))
        return abs(pair.slope - top.slope) / slope if slope > 0 else 0.0

    def add(self, samples: Samples, h: float) -> Pair | None:
        """Evaluate at a step and keep it; a step where f is not finite lowers the ceiling."""
        if not self.floor < h < self.ceiling:
            return None
        pair = samples.pair(h)
        if pair is None:
            if samples.exact_step(h) > 0:
                self.ceiling = h
            return None
        if all(pair.h != other.h for other in self.pairs):
            self.pairs.append(pair)
            self.pairs.sort(key=lambda item: item.h)
        return pair

    def seen_from(self, jump: float, h: float) -> Ladder:
        """The part of the ladder above a step h within which f jumps: the jump is its noise."""
        above = [pair for pair in self.pairs if pair.h >= h]
        return Ladder(above, max(self.noise, jump), self.ceiling, h, stepped=True)

    def contradiction(self, found: Extrapolation) -> float:
        """How far a value is from the slopes of smaller steps that agree, beyond what rounding explains."""
        worst = below = 0.0
        for pair in self.pairs[: self.top() + 1]:
            if pair.h >= found.smallest:
                break
            bar = self.bar(pair)
            # it agrees with the step below, so its own truncation may be as large as the rounding there
            worst = max(worst, abs(found.value - pair.slope) - _SLACK * (bar + below))
            below = bar
        return worst


def scan(samples: Samples, noise: float) -> Ladder:
    """Evaluate at five scales, and at smaller ones while the two smallest disagree or none is in the domain."""
    ladder = Ladder(noise=noise)
    scale = abs(samples.x) or 1.0
    for k in range(_RUNGS):
        ladder.add(samples, _TOP * scale * _RATIO**-k)
    h, factor = _TOP * scale * _RATIO ** -(_RUNGS - 1), _RATIO
    smallest = 64 * math.ulp(samples.x) if samples.x else 1e-290
    for _ in range(4):
        ladder.noise = max(noise, _measured_noise(ladder.pairs))
        settled = len(ladder.pairs) > 1 and ladder.agree(*ladder.pairs[:2]) and not _bends_below(ladder, noise)
        h /= factor
        if settled or h < smallest:
            break
        ladder.add(samples, h)
        if not samples.x:
            # nothing is known of the scale at 0
            factor = factor**2
    ladder.noise = max(noise, _measured_noise(ladder.pairs))
    return ladder


def _bends_below(ladder: Ladder, noise: float) -> bool:
    """Whether the second differences have the law of a kink but at the smallest step: it lies within that step."""
    first, second, third = ladder.pairs[:3] if len(ladder.pairs) > 2 else [None] * 3
    if first is None or second is None or third is None or first.bend == 0:
        return False
    if min(first.bend, second.bend, third.bend) <= 32 * max(second.rounding, noise):
        return False
    law = _power(second, third)
    return 0.75 < law < 1.25 and abs(_power(first, second) - law) >= _SAME_POWER


def _measured_noise(pairs: list[Pair]) -> float:
    """The noise of f, from second differences and from the changes of the slope between scales.

    A second difference of values that are off by ε is up to 4ε, and 2ε is typical of the largest of three. One that is
    30 times the one before has more of the curvature than of noise: there the walk ends. The first, curved or not, is a
    bound in any case. Rounding can be odd about x; then it is seen in |D(h_j) − D(h_{j+1})|·h_j, which is about ε at
    every scale where it is noise, and grows like h³ where it is truncation.
    """
    noise = reference = 0.0
    for pair in pairs[:3]:
        reference = reference or 2 * pair.rounding
        if noise and pair.bend > 30 * reference:
            break
        reference = max(reference, pair.bend)
        noise = max(noise, pair.bend / 2, pair.rounding)
    changes = [abs(low.slope - high.slope) * low.h for low, high in pairwise(pairs[:4])]
    bend = max(pair.bend for pair in pairs[:3]) if pairs else 0.0
    # beside a kink the change is constant too, but the second difference grows like h
    if len(changes) == 3 and bend <= max(changes) <= 30 * min(changes):
        noise = max(noise, *changes)
    return noise


def kink(ladder: Ladder, noise: float) -> tuple[str, str] | None:
    """Return ``kink`` or ``jump`` and what was seen, where f has the same corner at every scale; None for smooth f.

    |f(x + h) − 2f(x) + f(x − h)| is h times the difference of the one-sided slopes at a kink, h²|f″| where f
    is smooth, and hᵖ at |x|ᵖ: below p = 1.25 the slopes cannot be told from different ones. Noise has p = 0 on
    average, and the same p between four scales by a rare chance; a jump at x has.
    """
    floors = [32 * max(pair.rounding, noise) for pair in ladder.pairs]
    for k, pair in enumerate(ladder.pairs[:-2]):
        if pair.bend <= floors[k]:
            above = ladder.pairs[k + 1]
            if above.bend * pair.h / above.h > floors[k]:
                # a kink at x itself would show here as well
                return None
            continue
        following = ladder.pairs[k : k + 4]
        if not all(other.bend > 0 for other in following):
            return None
        powers = [_power(low, high) for low, high in pairwise(following)]
        constant = max(powers[:2]) - min(powers[:2]) < _SAME_POWER
        if constant and powers[0] < 0.6:
            constant = len(powers) == 3 and max(powers) - min(powers) < _SAME_POWER
        if not constant or powers[0] >= 1.25:
            return None
        left, right = -pair.fall / pair.h, pair.rise / pair.h
        if powers[0] < 0.1:
            return "jump", f"f jumps at x: by {pair.rise:.6g} within {pair.h:.2g} above and {pair.fall:.6g} below"
        if powers[0] < 0.75:
            return "kink", f"the slopes grow without limit as h falls: {left:.6g} and {right:.6g} within {pair.h:.2g}"
        return "kink", f"the slopes of both sides differ: {left:.6g} on the left, {right:.6g} on the right of x"
    return None


def _power(low: Pair, high: Pair) -> float:
    return math.log(high.bend / low.bend) / math.log(high.h / low.h)


def search(samples: Samples, ladder: Ladder) -> None:
    """Narrow the gap between the scales that agree and the next until the departure is small, or the gap closed."""
    if not ladder.pairs:
        return
    _extend(samples, ladder)
    for _ in range(6):
        top = ladder.top()
        if top == len(ladder.pairs) - 1:
            return
        low, high = ladder.pairs[top], ladder.pairs[top + 1]
        if ladder.truncation(high) <= _VISIBLE or high.h < _CLOSE * low.h:
            return
        if ladder.add(samples, 1.07 * math.sqrt(low.h) * math.sqrt(high.h)) is None:
            return


def _extend(samples: Samples, ladder: Ladder) -> None:
    """Take larger steps while rounding is all that is seen."""
    for _ in range(6):
        if ladder.top() < len(ladder.pairs) - 1:
            return
        last = ladder.pairs[-1]
        # where f is constant there is nothing to resolve
        if last.steepness == 0 or ladder.bar(last) <= 1e-13 * last.steepness:
            return
        h = last.h
        if ladder.add(samples, max(1013 * h, 0.9 * math.sqrt(h)) if h < 1 else 1013 * h) is None:
            return


def discontinuity(samples: Samples, ladder: Ladder) -> tuple[float, float] | None:
    """Return the size of a jump of f and the step at which it was seen; None where the slopes depart continuously.

    Between a step whose slope agrees with the smaller ones and one whose slope does not, the side that departs
    is halved seven times. A continuous departure shrinks with the interval, even that of a square root to 9 %.
    """
    top = ladder.top()
    if top == len(ladder.pairs) - 1:
        return None
    low, high = ladder.pairs[top], ladder.pairs[top + 1]
    if ladder.truncation(high) <= _VISIBLE or high.h >= 2 * _CLOSE * low.h:
        return None
    centre, slope = samples.value(samples.x), low.slope
    side = 1.0 if abs(high.rise - slope * high.h) >= abs(high.fall + slope * high.h) else -1.0

    def departure(h: float) -> float:
        return abs(samples.value(samples.x + side * h) - centre - side * slope * h)

    below, above, whole = low.h, high.h, departure(high.h)
    last = whole
    for _ in range(7):
        middle = samples.exact_step((below + above) / 2)
        if not below < middle < above:
            break
        seen = departure(middle)
        if seen > 3 * max(ladder.noise, high.rounding):
            above, last = middle, seen
        else:
            below = middle
    return (last, above) if last > whole / 8 else None


def climb(samples: Samples, ladder: Ladder) -> Extrapolation | None:
    """Extrapolate around the scale that was found, with more steps while they promise more digits."""
    if not ladder.pairs:
        return None
    low, start = ladder.pairs[ladder.top()].h, _start(samples, ladder)
    found = _refine(samples, ladder, start)
    for _ in range(2):
        if found is None or start <= low or ladder.contradiction(found) <= 3 * found.error:
            break
        # the series has another law than powers of h², or it begins farther down: half way back to what agrees
        start = low if start < 30 * low else math.sqrt(low) * math.sqrt(start)
        found = _refine(samples, ladder, start)
    return found


def _refine(samples: Samples, ladder: Ladder, start: float) -> Extrapolation | None:
    limit, found = start, None
    for factor in _FACTORS:
        _near(samples, ladder, start * factor)
        found = _best(ladder, limit)
        if found is not None and found.error <= _ENOUGH * found.steepness:
            return found
        if found is not None and factor < 0.3 and 4 * found.truncation < found.rounding:
            # smaller steps have more rounding
            break
    if not _has_even_series(ladder, start):
        limit = min(limit, ladder.pairs[ladder.top()].h)
        found = _best(ladder, limit)
    for _ in range(4):
        if found is None or found.steepness == 0 or found.error <= _ENOUGH * found.steepness:
            break
        h = found.smallest / 1.87 if found.truncation > found.rounding else min(2.11 * found.h, 0.7 * ladder.ceiling)
        count = len(ladder.pairs)
        reached = _near(samples, ladder, h)
        if reached is None or (len(ladder.pairs) == count and reached <= limit):
            break
        limit = max(limit, reached)
        better = _best(ladder, limit)
        if better is None or better.error >= 0.7 * found.error:
            found = better if better is not None and better.error < found.error else found
            break
        found = better
    return found


def _near(samples: Samples, ladder: Ladder, h: float) -> float | None:
    """The step of a pair at about h: one that is there, or a new one."""
    for pair in ladder.pairs:
        if 0.8 < h / pair.h < 1.25:
            return pair.h
    added = ladder.add(samples, h)
    return None if added is None else added.h


def _has_even_series(ladder: Ladder, start: float) -> bool:
    """Whether the departure falls at least like h^1.6 below the start, where it can be seen: f″ jumps where it is h."""
    top = ladder.pairs[ladder.top()]
    seen = []
    for pair in ladder.pairs:
        if top.h < pair.h <= 1.25 * start and start <= 8 * pair.h:
            departure = abs(pair.slope - top.slope)
            if departure > 8 * (ladder.bar(pair) + ladder.bar(top)):
                seen.append((pair.h, departure))
    return all(math.log(e / d) >= 1.6 * math.log(g / h) for (h, d), (g, e) in pairwise(seen))


def _start(samples: Samples, ladder: Ladder) -> float:
    """The largest step of an extrapolation: where the first term of the series is 1e-3 of the slope."""
    top = ladder.top()
    low = ladder.pairs[top].h
    if top == len(ladder.pairs) - 1:
        return low
    high = ladder.pairs[top + 1]
    seen = ladder.truncation(high)
    if seen > _VISIBLE:
        return low
    best = high.h * math.sqrt(_TARGET / seen)
    if top + 2 < len(ladder.pairs):
        further = ladder.pairs[top + 2]
        law = ladder.truncation(further) / seen / (further.h / high.h) ** 2
        # the law of h² holds up to there, or half way on the scale of logarithms is all that may be hoped for
        best = min(best, further.h if 0.3 < law < 3 else math.sqrt(high.h) * math.sqrt(further.h))
    best = min(max(best, low), 100 * high.h, 0.7 * ladder.ceiling)
    while best > _CLOSE * high.h:
        pair = ladder.add(samples, best)
        if pair is not None and 0.3 < ladder.truncation(pair) / seen / (best / high.h) ** 2 < 3:
            break
        # what was seen at the smaller step does not tell the scale: a function that is nearly even hides it
        best = math.sqrt(best) * math.sqrt(high.h)
    return best


def _best(ladder: Ladder, limit: float) -> Extrapolation | None:
    return best_extrapolation([pair for pair in ladder.pairs if pair.h <= 1.25 * limit], ladder.noise)
