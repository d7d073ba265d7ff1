"""Which words of a verdict are false, held against the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mp, mpf

from .truth import Component, Truth

__all__ = ["Fault", "Seen", "faults_of"]

_U = mpf(2) ** -53
# below the normal floats an error is absolute
_LEAST = mpf(2) ** -1020
_NONE = mpf(2) ** -1075
_LARGEST = mpf(2) ** 1023
_DERIVATIVE = ("smooth", "rough")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check answered.

    Parameters
    ----------
    setting : str
        ``traced``, ``opaque gradient`` or ``opaque``.
    value : float
        What the function returned.
    evidence : str
    status, claimed, certified, threshold : tuple
        The columns of the verdict.
    resolution : float
    around : tuple of bool
        Whether the function has finite floats on both sides, by component.
    infinite : tuple of bool
        Whether it is infinite on a side, by component.
    """

    setting: str
    value: float
    evidence: str
    status: tuple[str, ...]
    claimed: tuple[float, ...]
    certified: tuple[float, ...]
    threshold: tuple[float, ...]
    resolution: float
    around: tuple[bool, ...]
    x: tuple[float, ...]
    infinite: tuple[bool, ...] = ()

    @property
    def outside(self) -> bool:
        """Whether floats alone were asked, which do not show everything."""
        return self.setting == "opaque" or self.evidence == "witness"


@dataclass(frozen=True, slots=True)
class Fault:
    """A false word, or an exception: where, what was said, and why it is false."""

    setting: str
    word: str
    why: str
    detail: str
    component: int = -1

    @property
    def kind(self) -> tuple[str, str, str]:
        """What faults of one cause have in common."""
        return self.setting, self.word, self.why


def faults_of(truth: Truth, seen: Seen) -> list[Fault]:
    """List what is false in an answer; nothing is said where rounding decides a branch."""
    if truth.delicate:
        return []
    found = []
    with mp.workdps(40):
        finite = [abs(c.D) for c in truth.components if c.kind in _DERIVATIVE and mpmath.isfinite(c.D)]
        largest = max(finite, default=mpf(0))
        # beside what no float holds nothing is large
        largest = mpf(0) if largest < _NONE else largest
        for i, component in enumerate(truth.components):
            whys = _why(truth, component, seen, i, largest)
            found += [Fault(seen.setting, seen.status[i], why, _shown(component, seen, i), i) for why in whys]
        # of a gradient that is 0 all over, a witness knows no size
        known = largest and (seen.evidence != "witness" or any(seen.claimed))
        if set(seen.status) == {"consistent"} and known and not math.isfinite(seen.resolution):
            found.append(Fault(seen.setting, "consistent", "without a resolution", f"resolution {seen.resolution!r}"))
        elif set(seen.status) == {"consistent"} and known and len(finite) == len(truth.components):
            stated, needed = mpf(seen.resolution), max(mpf(t) for t in seen.threshold) / largest
            if stated < needed * mpf("0.999"):
                found.append(
                    Fault(seen.setting, "consistent", "the resolution is too small",
                          f"resolution {seen.resolution!r}, thresholds {seen.threshold!r}")
                )  # fmt: skip
    return found


def _shown(c: Component, seen: Seen, i: int) -> str:
    def short(v: Any) -> str:
        return str(mpmath.nstr(v, 17))

    sides = "" if c.kind in _DERIVATIVE else f", slopes {short(c.sides[0])} and {short(c.sides[1])}"
    return (
        f"component {i} {seen.status[i]} by {seen.evidence}; truth: {c.kind}, D {short(c.D)}{sides}, gradient's code "
        f"{short(c.G)}, claimed {seen.claimed[i]!r}, certified {seen.certified[i]!r}, threshold {seen.threshold[i]!r}, "
        f"rounding of constants {mpmath.nstr(c.rounding, 3)}, in D {mpmath.nstr(c.own, 3)}"
    )


def _why(truth: Truth, c: Component, seen: Seen, i: int, largest: Any) -> list[str]:
    word = seen.status[i]
    if word == "inconclusive" or c.kind == "unknown":
        return []
    if not math.isfinite(seen.value):
        return [] if word == "out-of-domain" else [f"f is {seen.value!r}"]
    if seen.evidence == "calls" and word == "wrong" and math.isnan(seen.claimed[i]):
        # the gradient raised
        return []
    if c.kind == "domain":
        return _at_the_edge(c, seen, i)
    if word == "out-of-domain":
        if seen.evidence == "witness" and not all(seen.around):
            # no float beside the point shows that real numbers have a value there
            return []
        return [f"f has values around the point: {c.kind}"]
    if c.kind in ("kink", "jump"):
        return _at_a_corner(c, seen, i)
    if c.kind == "rough" and seen.outside:
        return []
    if word == "non-smooth":
        if c.hidden and seen.outside:
            # a kink at the point, as far as there are floats
            return []
        alone = all(other.kind in _DERIVATIVE for other in truth.components)
        return ["f has a derivative" if alone else "f has a derivative along this axis, if not along another"]
    if abs(c.D) > _LARGEST:
        return []
    return [*_of_a_derivative(truth, c, seen, i, largest), *_certified(truth, c, seen, i)]


def _at_the_edge(c: Component, seen: Seen, i: int) -> list[str]:
    word = seen.status[i]
    outside = seen.outside
    if word == "out-of-domain" or (outside and (seen.around[i] or word == "non-smooth")):
        return []
    if word == "non-smooth" and any(seen.infinite[i : i + 1]):
        # an infinite value is one, or none
        return []
    if word == "wrong" and outside and not math.isfinite(seen.claimed[i]):
        return []
    slopes = [s for s in c.sides if not mpmath.isnan(s)]
    if word == "wrong" and outside and any(abs(s - seen.claimed[i]) > seen.threshold[i] for s in slopes):
        return ["f has no value on a side; the other side contradicts the claim"]
    return ["f has no value on a side, or none in real numbers"]


def _at_a_corner(c: Component, seen: Seen, i: int) -> list[str]:
    word, claimed = seen.status[i], seen.claimed[i]
    if word == "non-smooth":
        return []
    if word == "wrong":
        if not math.isfinite(claimed):
            return []
        if c.kind == "jump" or any(map(mpmath.isnan, c.sides)):
            return [f"f has a {c.kind}"]
        low, high = min(c.sides), max(c.sides)
        if seen.outside and mpmath.isfinite(low) != mpmath.isfinite(high):
            # from outside an infinite slope is no more than what it is beside the point
            low, high = (low, low + c.gap) if mpmath.isfinite(low) else (high - c.gap, high)
        between = low <= claimed <= high
        return ["f has a kink, and the claim lies between its slopes"] if between else []
    if c.kind == "jump" and c.gap < math.ulp(0.0):
        # no float shows it
        return []
    if seen.outside:
        # too small to be seen from outside
        threshold = mpf(seen.threshold[i])
        apart = abs(c.sides[0] - c.sides[1]) if all(map(mpmath.isfinite, c.sides)) else c.gap
        if c.kind == "kink" and not apart > 2 * threshold:
            return []
        if c.kind == "jump" and c.gap * 2**20 <= threshold * abs(seen.x[i] or 1.0):
            return []
    return [f"f has a {c.kind}"]


def _of_a_derivative(truth: Truth, c: Component, seen: Seen, i: int, largest: Any) -> list[str]:
    word, claimed, threshold = seen.status[i], seen.claimed[i], seen.threshold[i]
    if not math.isfinite(claimed):
        return ["the gradient is not finite, the derivative is"] if word == "consistent" else []
    floats = abs(mpf(claimed) - c.D)
    real = abs(c.G - c.D) if mpmath.isfinite(c.G) else floats
    slack = (mpf(10) ** -9 * abs(c.D) if truth.limit else mpf(0)) + c.gap
    if word == "consistent":
        if not math.isfinite(threshold):
            return ["its threshold is not finite"]
        off = real if seen.setting in ("traced", "arrays") else min(real, floats)
        if off > mpf(threshold) * mpf("1.000001") + _LEAST + slack:
            return ["the gradient is off by more than the threshold"]
        # at a kink or a jump the gradient is as large as the slopes there: a component is held against that
        slopes = [abs(s) for other in truth.components if other.kind in ("kink", "jump") for s in other.sides]
        scale = max([largest, *(s for s in slopes if mpmath.isfinite(s))])
        if largest and threshold > scale and off > max(scale / 100, _LEAST):
            return ["its threshold is larger than the gradient"]
        return []
    if floats > mpf(10) ** -3 * max(abs(c.D), largest):
        # whatever the formula is, these floats are no derivative
        return [] if real > 0 or floats > mpf(10) ** -1 * max(abs(c.D), largest) else ["the formula is right"]
    if 0 < real <= c.gap:
        # a derivative of 0 may hide one that is as small as this
        return []
    if real <= max(mpf("0.9") * _U * abs(c.D), c.rounding / 2, _LEAST) and mpmath.isfinite(c.G):
        return ["the gradient is right"]
    if math.isfinite(threshold) and max(real, floats) <= mpf(threshold) * mpf("0.999999"):
        return ["the difference is below the threshold"]
    return []


def _certified(truth: Truth, c: Component, seen: Seen, i: int) -> list[str]:
    certified = seen.certified[i]
    if truth.limit or not math.isfinite(certified):
        return []
    half_ulp = mpf(math.ulp(certified)) / 2
    if abs(mpf(certified) - c.D) > half_ulp * mpf("1.000000001") + 2 * c.own + c.gap:
        return ["the certified derivative is not the derivative"]
    return []


def contradiction(answers: Sequence[Seen]) -> list[Fault]:
    """Compare the words of one gradient traced and opaque: opaque may only be weaker."""
    traced = next((a for a in answers if a.setting == "traced"), None)
    if traced is None:
        return []
    found = []
    for other in answers:
        for i, (a, b) in enumerate(zip(traced.status, other.status, strict=True)):
            if a == "consistent" and b == "wrong" and traced.threshold[i] >= other.threshold[i]:
                detail = f"component {i}: traced {a}, {other.setting} {b}"
                found.append(Fault(other.setting, b, "traced it is consistent", detail, i))
    return found
