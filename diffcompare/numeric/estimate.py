"""The derivative of a function of one number from its values, with an error estimate, or a reason for none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from diffcompare.numeric.extrapolation import Extrapolation
from diffcompare.numeric.samples import Sampled, Samples
from diffcompare.numeric.scales import Ladder, climb, discontinuity, diverges, kink, scan, search

__all__ = ["Estimate", "estimate", "estimate_odd", "refused"]

# half the difference of the slopes of both sides, relative to them: a smaller one is counted as an error
_CORNER = 1e-6
# roundings, each of half a unit, that may meet in one jump of a function that computes in a narrow format
_ROUNDINGS = 4
# the error relative to the slopes from which on no digit counts as certain beside a jump
_STEPPED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative with what its error may be, or the reason why there is none; and what was learnt of f on the way.

    ``noise`` is what the values of f are off by, or ``unit`` relative to them where that is more; below the step
    ``floor`` f is a staircase.
    """

    value: float
    error: float
    h: float
    status: str = "ok"
    reason: str = ""
    noise: float = 0.0
    unit: float = 0.0
    floor: float = 0.0


def refused(status: str, reason: str) -> Estimate:
    """No derivative, and why."""
    return Estimate(math.nan, math.inf, math.nan, status, reason)


def estimate(samples: Samples, noise: float) -> Estimate:
    """Differentiate; :func:`~diffcompare.numeric.differentiate.differentiate` says how."""
    ladder = scan(samples, noise)
    if len(ladder.pairs) < 2:
        return refused("domain", f"f is not finite on both sides of {samples.place}: x is at the edge of the domain")
    fault = kink(ladder, noise, samples.name)
    if fault is not None:
        return refused(*fault)
    steps = below = None
    for _ in range(2):
        steps = discontinuity(samples, ladder)
        if steps is None:
            search(samples, ladder)
            steps = discontinuity(samples, ladder)
        if steps is not None:
            # f may be a staircase: its steps are a noise for those who look from farther away
            below, ladder = ladder.split(*steps)
            search(samples, ladder)
        agreed = ladder.top_step()
        found = climb(samples, ladder)
        if steps is not None or ladder.top_step() >= agreed:
            break
        # the new steps do not agree with what was taken for the limit: the search was too far up
    error = math.inf if found is None else max(found.error, ladder.contradiction(found))
    if found is not None and found.steepness == 0:
        # no scale of f is seen: that of a sine whose amplitude is within the rounding may be 1, not the step
        error = max(error, ladder.noise)
    if steps is not None and below is not None:
        gap = 0.0
        if found is not None and not _is_rounding(samples, steps[0], below, found, noise):
            gap = below.contradiction(found)
            error = max(error, gap)
        if found is None or gap > _STEPPED_SHARE * abs(found.value) or _is_lost(found, ladder, error):
            jump = f"f jumps by {steps[0]:.2g} within {steps[1]:.2g} of {samples.place}"
            remedy = f"if that is the rounding of its values, pass noise={steps[0]:.2g}"
            return refused("jump", f"{jump}; {remedy}")
    if found is None or _is_lost(found, ladder):
        size = f"{ladder.noise:.2g}"
        return refused("noise", f"no digit is certain at {samples.place}: the values of f scatter by about {size}")
    if found.corner > max(_CORNER * found.steepness, found.truncation + found.rounding):
        reason = (
            f"the slopes of both sides differ by {2 * found.corner:.2g} within {found.smallest:.2g} of {samples.place}"
        )
        return refused("kink", reason)
    if _is_lost(found, ladder, error):
        return refused("noise", f"differences at several scales contradict each other at {samples.place}")
    return Estimate(found.value, error, found.h, noise=ladder.noise, unit=ladder.unit, floor=ladder.floor)


def estimate_odd(samples: Sampled, floor: float, order: str, place: str) -> Estimate:
    """Differentiate an odd part of f at 0: its noise is known, and what f is at its steps has been judged before.

    A value that is lost in the noise is an answer here, that of a second derivative of something linear.
    """
    ladder = scan(samples, 0.0, floor=floor, measured=False)
    if len(ladder.pairs) < 2:
        return refused("domain", f"f is not finite, or the box has no room, around {place}")
    fault = kink(ladder, 0.0)
    if fault is not None:
        return refused("kink", f"the {order} jumps at {place}, or has no limit")
    search(samples, ladder)
    found = climb(samples, ladder)
    if diverges(ladder):
        return refused("kink", f"the {order} grows without limit towards {place}")
    if found is None or not math.isfinite(found.value):
        return refused("noise", f"the {order} is beyond the largest float at {place}")
    error = max(found.error, ladder.contradiction(found))
    doubt = error - found.rounding
    if found.corner > max(_CORNER * found.steepness, found.truncation + found.rounding):
        return refused("kink", f"the {order} jumps by {2 * found.corner:.2g} within {found.smallest:.2g} of {place}")
    if doubt > 3 * found.rounding and _is_lost(found, ladder, error):
        return refused("noise", f"differences for the {order} contradict each other at several scales at {place}")
    return Estimate(found.value, error, found.h)


def _is_rounding(samples: Samples, jump: float, below: Ladder, found: Extrapolation, noise: float) -> bool:
    """Tell whether the steps of f are the rounding of its values: as was said, or as fine as those of float32.

    The slope of a function is that of its treads, however small they are seen from where it looks smooth. But nobody
    means the slope 0 of a function that computes in a narrow format, nor that of a tread where digits cancel; there
    the steps of what was rounded must be finer. Whole numbers are counts, which nothing rounds.
    """
    if jump <= _ROUNDINGS * noise:
        return True
    values = [value for value in samples.known.values() if math.isfinite(value)]
    size = max(abs(samples.value(samples.x)), abs(samples.x * found.value))
    flat = all(pair.steepness == 0 for pair in below.pairs)
    allowed = (_ROUNDINGS if flat else 1) * samples.unit * size
    return jump <= allowed and not all(value.is_integer() for value in values)


def _is_lost(found: Extrapolation, ladder: Ladder, error: float | None = None) -> bool:
    """Whether the estimate is as large as the slopes themselves, so that not one digit is certain."""
    error = found.error if error is None else error
    share = _STEPPED_SHARE if ladder.stepped else 0.5
    return not math.isfinite(found.value) or (0 < found.steepness * share < error)
