"""Central differences at many scales: what is noise, what is shape, and where the scale of the derivative is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

from diffcompare.floats import unit_roundoff
from diffcompare.numeric.extrapolation import Extrapolation, best_extrapolation
from diffcompare.numeric.samples import Pair, Sampled

__all__ = ["Ladder", "climb", "discontinuity", "diverges", "kink", "scan", "search"]

_RUNGS = 4
# truncation relative to the slope at the top of an extrapolation: (h/L)²/6 = 1e-3 means h ≈ L/13, where five terms
# in ratios of 1.9 leave about (1/13)¹⁰·1.9⁻²⁰ < u
_TARGET = 1e-3
# beyond this the first term of the series says nothing about the next
_VISIBLE = 0.03
# from here on a step is large enough to extrapolate from: L/400 by the same law
_SEEN = 1e-6
# the powers of h between three scales of a corner are the same; those of noise, 0 on average, by a rarer chance
_SAME_POWER, _SAME_NOISE = 0.01, 0.001
# and those of slopes that grow without limit, between steps where other terms are a tenth
_SAME_GROWTH = 0.1
# neighbours closer than this are the same scale
_CLOSE = 2.5
# slopes agree within twice the sum of their worst rounding errors: the noise is itself an estimate from few values
_SLACK = 2.0
# where f is constant within this there is nothing to resolve
_CONSTANT = 0.1
# steps of an extrapolation, relative to the first: no ratio is a whole number
_FACTORS = (1.0, 1 / 1.93, 1 / 3.71, 1 / 7.3)
# a step with so much less rounding than the extrapolation is no reason to stop
_WORTH = 100.0
# relative to the steepness: more digits cost more evaluations than they are worth; the second after all _FACTORS
_ENOUGH, _CONTENT = 1e-10, 1e-9


@dataclass(slots=True)
class Ladder:
    """Pairs in ascending order of h, the noise of f, and the step beyond which f is not finite."""

    pairs: list[Pair] = field(default_factory=list)
    noise: float = 0.0
    ceiling: float = math.inf
    floor: float = 0.0
    stepped: bool = False
    unit: float = unit_roundoff

    def bar(self, pair: Pair) -> float:
        """The worst rounding error of a slope: two values, each off by the noise, over 2h."""
        return max(self.noise, pair.rounding) / pair.h

    def agree(self, a: Pair, b: Pair) -> bool:
        """Whether two slopes differ by no more than their rounding explains."""
        return abs(a.slope - b.slope) <= _SLACK * (self.bar(a) + self.bar(b))

    def top(self) -> int:
        """The largest step whose slope agrees with that of every smaller step, as an index."""
        seen = [(pair.slope, self.bar(pair)) for pair in self.pairs]
        for k, (slope, bar) in enumerate(seen):
            if not all(abs(slope - other) <= _SLACK * (bar + its_bar) for other, its_bar in seen[:k]):
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

    def add(self, samples: Sampled, h: float) -> Pair | None:
        """Evaluate at a step and keep it; a step where f is not finite lowers the ceiling."""
        if not self.floor < h < self.ceiling:
            return None
        pair = samples.pair(h)
        if pair is None:
            if samples.exact_step(h) > 0:
                self.ceiling = h
            return None
        pair = replace(pair, unit=self.unit)
        if all(pair.h != other.h for other in self.pairs):
            self.pairs.append(pair)
            self.pairs.sort(key=lambda item: item.h)
        return pair

    def split(self, jump: float, h: float) -> tuple[Ladder, Ladder]:
        """The parts of the ladder below and above a step h within which f jumps: the jump is the noise of the upper.

        The steps of a rounding grow with what is rounded, so the jump is a noise relative to the values, too.
        """
        below, above = ([pair for pair in self.pairs if (pair.h >= h) == upper] for upper in (False, True))
        unit = max(self.unit, self.unit * jump / above[0].rounding) if above and above[0].rounding else self.unit
        above = [replace(pair, unit=unit) for pair in above]
        return (
            Ladder(below, self.noise, h, self.floor),
            Ladder(above, max(self.noise, jump), self.ceiling, h, stepped=True, unit=unit),
        )

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


def scan(samples: Sampled, noise: float, *, floor: float = 0.0, measured: bool = True) -> Ladder:
    """Evaluate at four scales, and at smaller ones while the two smallest disagree or none is in the domain.

    The noise of f is measured from what is seen, unless the pairs know what they are off by.
    """
    ladder = Ladder(noise=noise, floor=floor)
    top, factor = samples.top * (samples.scale or 1.0), samples.ratio
    for k in range(_RUNGS):
        ladder.add(samples, top * factor**-k)
    h = top * factor ** (1 - _RUNGS)
    for _ in range(4):
        if measured:
            ladder.noise = max(noise, _measured_noise(ladder.pairs))
        settled = len(ladder.pairs) > 1 and ladder.agree(*ladder.pairs[:2]) and not _bends_below(ladder, noise)
        h /= factor
        if settled or h < samples.smallest:
            break
        ladder.add(samples, h)
        if not samples.scale:
            # nothing is known of the scale at 0
            factor = factor**2
    if measured:
        ladder.noise = max(noise, _measured_noise(ladder.pairs))
    return ladder


def _bends_below(ladder: Ladder, noise: float) -> bool:
    """Whether the second differences have the law of a kink but at the smallest step: it lies within that step."""
    if len(ladder.pairs) < 3:
        return False
    (h, g, k), (first, second, third) = zip(*((pair.h, abs(pair.bend)) for pair in ladder.pairs[:3]), strict=True)
    if first == 0 or min(first, second, third) <= 32 * max(ladder.pairs[1].rounding, noise):
        return False
    law = _power(g, second, k, third)
    return 0.75 < law < 1.25 and abs(_power(h, first, g, second) - law) >= _SAME_POWER


def _measured_noise(pairs: list[Pair]) -> float:
    """The noise of f, from second differences and from the changes of the slope between scales.

    A second difference of values that are off by ε is up to 4ε, and 2ε is typical of the largest of three. A jump of f
    between x and a neighbour shows as just 2ε, and the rounding of the values comes on top; so it does where a second
    difference is small by chance. One that is 30 times the one before has more of the curvature than of noise: there
    the walk ends. The first, curved or not, is a bound in any case. Rounding can be odd about x; then it is seen in
    |D(h_j) − D(h_{j+1})|·h_j, which is about ε at every scale where it is noise, and grows like h³ where it is
    truncation.
    """
    noise = reference = 0.0
    # where no value differs, as the slope farther up says of so small a step, there is nothing to see
    while len(pairs) > 1 and pairs[0].steepness == 0 < pairs[1].steepness * pairs[0].h <= pairs[0].rounding:
        pairs = pairs[1:]
    for pair in pairs[:3]:
        reference = reference or 2 * pair.rounding
        if noise and abs(pair.bend) > 30 * reference:
            break
        reference = max(reference, abs(pair.bend))
        noise = max(noise, abs(pair.bend) / 2 + pair.rounding)
    changes = [abs(low.slope - high.slope) * low.h for low, high in pairwise(pairs[:4])]
    bend = max(abs(pair.bend) for pair in pairs[:3]) if pairs else 0.0
    # beside a kink the change is constant too, but the second difference grows like h
    if len(changes) == 3 and bend <= max(changes) <= 30 * min(changes):
        noise = max(noise, *changes)
    return noise


def kink(ladder: Ladder, noise: float, name: str = "x") -> tuple[str, str] | None:
    """Return ``kink`` or ``jump`` and what was seen, where f has the same corner at every scale; None for smooth f.

    f(x + h) − 2f(x) + f(x − h) is h times the difference of the one-sided slopes at a kink, h²f″ where f is smooth
    (which the next larger scale takes out), and hᵖ at |x|ᵖ: below p = 1.25 the slopes cannot be told from different
    ones. Noise has p = 0 on average, and the same p between three scales by a rare chance; a jump at x has.
    """
    pairs = ladder.pairs
    bends = [low.bend - high.bend * (low.h / high.h) ** 2 for low, high in pairwise(pairs)] + [pairs[-1].bend]
    floors = [32 * max(pair.rounding, noise) + 4 * pair.offset for pair in pairs]
    for k, pair in enumerate(pairs[:-2]):
        if abs(bends[k]) <= floors[k]:
            if abs(bends[k + 1]) * pair.h / pairs[k + 1].h > floors[k]:
                # a kink at x itself would show here as well
                return None
            continue
        sizes = [bend if bends[k] > 0 else -bend for bend in bends[k : k + 3]]
        if not all(size > 0 for size in sizes):
            return None
        first, second = (_power(pairs[k + j].h, sizes[j], pairs[k + j + 1].h, sizes[j + 1]) for j in range(2))
        if not (first < 1.25 and abs(second - first) < (_SAME_POWER if first > 0.6 else _SAME_NOISE)):
            return None
        left, right = -pair.fall / pair.h, pair.rise / pair.h
        if first < 0.1:
            return "jump", f"f jumps at {name}: by {pair.rise:.6g} within {pair.h:.2g} above and {pair.fall:.6g} below"
        if first < 0.75:
            return "kink", f"the slopes grow without limit as h falls: {left:.6g} and {right:.6g} within {pair.h:.2g}"
        return "kink", f"the slopes of both sides differ: {left:.6g} on the left, {right:.6g} on the right of {name}"
    return None


def diverges(ladder: Ladder) -> bool:
    """Whether the slopes grow without limit as h falls: by one power of it, at the three smallest steps that tell."""
    pairs = [pair for pair in ladder.pairs if 10 * ladder.bar(pair) < abs(pair.slope)][:3]
    if len(pairs) < 3 or abs(sum(math.copysign(1, pair.slope) for pair in pairs)) < 3:
        return False
    first, second = (_power(low.h, abs(low.slope), high.h, abs(high.slope)) for low, high in pairwise(pairs))
    return max(first, second) < -0.2 and abs(first - second) < _SAME_GROWTH


def _power(low: float, small: float, high: float, large: float) -> float:
    """The power p of h with which a size grows from ``small`` at step ``low`` to ``large`` at step ``high``."""
    return (math.log(large) - math.log(small)) / math.log(high / low)


def search(samples: Sampled, ladder: Ladder) -> None:
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


def _extend(samples: Sampled, ladder: Ladder) -> None:
    """Take larger steps while rounding is all that is seen."""
    for _ in range(6):
        if ladder.top() < len(ladder.pairs) - 1:
            return
        last = ladder.pairs[-1]
        # beside an x near 0 values of few digits may be constant on every scale of x
        constant = last.steepness == 0 and last.h > (_CONSTANT if last.doubt else min(abs(samples.x), _CONSTANT))
        if constant or ladder.bar(last) <= 0.1 * _ENOUGH * last.steepness:
            return
        h = last.h
        if ladder.add(samples, max(1013 * h, 0.9 * math.sqrt(h)) if h < 1 else 1013 * h) is None:
            return


def discontinuity(samples: Sampled, ladder: Ladder) -> tuple[float, float] | None:
    """Return the size of a jump of f and the step at which it was seen; None where the slopes depart continuously.

    Between a step whose slope agrees with the smaller ones and one whose slope does not, the side that departs
    is halved five times. A continuous departure shrinks with the interval, even that of a square root to 18 %; of a
    staircase there are at most three steps within the interval. The two must be neighbours, unless f is constant below.
    """
    top = ladder.top()
    if top == len(ladder.pairs) - 1:
        return None
    low, high = ladder.pairs[top], ladder.pairs[top + 1]
    if ladder.truncation(high) <= _VISIBLE or (high.h >= 2 * _CLOSE * low.h and low.steepness > 0):
        return None
    centre, slope = samples.value(samples.x), low.slope
    side = 1.0 if abs(high.rise - slope * high.h) >= abs(high.fall + slope * high.h) else -1.0

    def departure(h: float) -> float:
        return samples.value(samples.x + side * h) - centre - side * slope * h

    below, above, before, after = low.h, high.h, departure(low.h), departure(high.h)
    floor = 3 * max(ladder.noise, high.rounding)

    def narrow(h: float, threshold: float) -> None:
        nonlocal below, above, before, after
        middle = samples.exact_step(h)
        seen = departure(middle)
        if abs(seen) > threshold:
            above, after = middle, seen
        else:
            below, before = middle, seen

    while above > 2 * _CLOSE * below:
        narrow(math.sqrt(below) * math.sqrt(above), floor)
    whole = abs(after)
    for _ in range(5):
        narrow((below + above) / 2, whole / 8)
    jump = abs(after - before)
    return (jump, above) if jump > max(whole / 4, floor) else None


def climb(samples: Sampled, ladder: Ladder) -> Extrapolation | None:
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


def _refine(samples: Sampled, ladder: Ladder, start: float) -> Extrapolation | None:
    limit, found = start, None
    for h in _steps(ladder, start):
        _near(samples, ladder, h)
        found = _best(ladder, limit)
        # the first step may agree with the smaller ones by chance, where its truncation changes sign
        if found is not None and h < start and found.error <= _ENOUGH * found.steepness:
            return found
        if found is not None and h < 0.6 * start and 4 * found.truncation < found.rounding:
            # smaller steps have more rounding; that of an odd part grows so fast that one far below may have all of it
            least = min(ladder.bar(pair) for pair in ladder.pairs if pair.h <= start)
            if not ladder.pairs[0].doubt or _WORTH * least > found.rounding:
                break
    if not _has_even_series(ladder, start):
        limit = min(limit, ladder.pairs[ladder.top()].h)
        found = _best(ladder, limit)
    for _ in range(2):
        if found is None or found.steepness == 0 or found.error <= _CONTENT * found.steepness:
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


def _steps(ladder: Ladder, start: float) -> list[float]:
    """The steps of an extrapolation from ``start`` down, with one where rounding is half of what is enough."""
    top = ladder.pairs[ladder.top()]
    steps = [start * factor for factor in _FACTORS]
    if top.steepness > 0:
        # in this order: a part of a tiny slope is no float
        anchor = 2 * ladder.bar(top) * top.h / top.steepness / _ENOUGH
        if anchor < 0.1 * start and not any(anchor <= pair.h < 0.1 * start for pair in ladder.pairs):
            steps.insert(2, anchor)
    return steps


def _near(samples: Sampled, ladder: Ladder, h: float) -> float | None:
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


def _start(samples: Sampled, ladder: Ladder) -> float:
    """The largest step of an extrapolation: up to there the first term of the series is small and has the law of h²."""
    top = ladder.top()
    low, above = ladder.pairs[top].h, ladder.pairs[top + 1 :]
    if not above or ladder.truncation(above[0]) > _VISIBLE:
        return low
    high, further = above[0], above[1:]
    while further and ladder.truncation(further[0]) <= _VISIBLE and _is_even(ladder, high, further[0]):
        high, further = further[0], further[1:]
    seen = ladder.truncation(high)
    if seen > _SEEN:
        return high.h
    best = high.h * math.sqrt(_TARGET / seen)
    if further:
        # the law of h² holds up to there, or half way on the scale of logarithms is all that may be hoped for
        even = _is_even(ladder, high, further[0])
        best = min(best, further[0].h if even else math.sqrt(high.h) * math.sqrt(further[0].h))
    best = min(max(best, low), 100 * high.h, 0.7 * ladder.ceiling)
    while best > _CLOSE * high.h:
        pair = ladder.add(samples, best)
        if pair is not None and _is_even(ladder, high, pair):
            break
        # what was seen at the smaller step does not tell the scale: a function that is nearly even hides it
        best = math.sqrt(best) * math.sqrt(high.h)
    return best


def _is_even(ladder: Ladder, low: Pair, high: Pair) -> bool:
    """Whether the departure from the top's slope grows about like h²."""
    return 0.3 < ladder.truncation(high) / ladder.truncation(low) / (high.h / low.h) ** 2 < 3


def _best(ladder: Ladder, limit: float) -> Extrapolation | None:
    return best_extrapolation([pair for pair in ladder.pairs if pair.h <= 1.25 * limit], ladder.noise)
