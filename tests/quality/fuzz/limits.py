"""Value and slope of a function on both sides of a point: a derivative, a kink, a jump, or no value on a side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import mpmath
from mpmath import mp, mpf

from .reals import NAN, Real, run

__all__ = ["both_sides"]

# how close the sides come, in powers of ten
_STEPS = (-30, -45, -60, -75)
# so many digits more each time, until what is found is found again
_FACTORS = (1, 2, 4)

# from a step along an axis to the code at that distance, which returns a number and something else
Along = Callable[[Any], Callable[[], tuple[Real, Any]]]
Found = tuple[str, Any, tuple[Any, Any], Any]


def both_sides(along: Along, x: Sequence[float]) -> Found:
    """Tell what a component is from both sides along its axis: kind, derivative, slopes, and how far it jumps.

    What is no derivative is found with twice as many digits again: the digits that a slope has lost look like a kink.
    """
    sizes = [abs(v) for v in x if v]
    depth = max(0, -math.floor(math.log10(min([1.0, *sizes]))))
    height = max(0, math.ceil(math.log10(max([1.0, *sizes]))))
    before: list[Any] = []
    last: Found | None = None
    for factor in _FACTORS:
        digits = factor * (130 + 3 * depth + 5 * height)
        # close enough that what is steep in large numbers has died away
        samples, settled = _samples(along, digits, depth + height)
        with mp.workdps(digits):
            if before:
                samples = [_without_noise(p, q, digits) for p, q in zip(before, samples, strict=True)]
            found = _told(samples, depth + height)
        # a derivative that is much smaller than what it was computed with may be no more than lost digits
        clear = settled and found[0] in ("smooth", "rough") and (abs(found[1]) > mpf(10) ** -40 or bool(before))
        if clear or found[0] == "domain" or (last is not None and last[0] == found[0] != "unknown"):
            return found
        before, last = samples, found
    return "unknown", NAN, (NAN, NAN), mpf(0)


def _samples(along: Along, digits: int, depth: int) -> tuple[list[Any], bool]:
    """Return the value at the point, then for each side the values and the slopes, ever closer.

    Also whether the code decides alike all the way: what comes closer to a branch than the digits tell is taken for a
    tie.
    """
    (here, _), _ = run(along(mpf(0)), digits)
    samples, settled = [here.v], True
    for sign in (-1, 1):
        values, slopes, answers = [], [], []
        for exponent in _STEPS:
            with mp.workdps(digits):
                step = sign * mpf(10) ** (exponent - depth)
            (result, _), met = run(along(step), digits)
            answers.append(met.answers)
            values.append(result.v)
            slopes.append(mpf(0) if result.d is None else result.d[0])
        samples += [*values, *slopes]
        settled = settled and all(some == answers[0] for some in answers)
    return samples, settled


def _without_noise(before: Any, after: Any, digits: int) -> Any:
    """What is as small as the digits and not found again, or shrinks with them, is 0."""
    if not mpmath.isfinite(before) or abs(after - before) <= mpf(10) ** -10 * abs(after):
        return after
    small = abs(after) <= mpf(10) ** (-0.8 * digits)
    shrinking = abs(after) <= abs(before) * mpf(10) ** (-0.25 * digits)
    return mpf(0) if small or shrinking else after


def _told(samples: Sequence[Any], depth: int) -> Found:
    value, n = samples[0], len(_STEPS)
    if not mpmath.isfinite(value):
        return "domain", NAN, (NAN, NAN), mpf(0)
    sides: list[Any] = []
    kind, gap, rough, dies, hidden = "smooth", mpf(0), False, True, mpf(0)
    for k in (1, 1 + 2 * n):
        values, slopes = samples[k : k + n], samples[k + n : k + 2 * n]
        if any(map(mpmath.isnan, values)):
            kind = "domain"
            sides.append((NAN, NAN, NAN))
            continue
        limit, off = _limit(values)
        jump = abs(limit - value)
        if not jump <= off + mpf(10) ** -30 * max(abs(value), abs(values[0])):
            kind = "jump" if kind == "smooth" else kind
            gap = max(gap, jump)
        rough = rough or _is_slow(slopes)
        sides.append((*_limit(slopes), slopes[0]))
        # as fast as before, or faster
        hidden = max(hidden, abs(slopes[3]))
        dies = dies and abs(slopes[3] * slopes[1]) <= mpf("1.25") * slopes[2] ** 2
    (left, left_off, a), (right, right_off, b) = sides
    if kind != "smooth":
        return kind, NAN, (left, right), gap
    if mpmath.isnan(left) or mpmath.isnan(right):
        return "unknown", NAN, (left, right), gap
    if not (mpmath.isfinite(left) and mpmath.isfinite(right)):
        # from outside a slope is no more than what it is a little beside the point
        one = mpmath.isfinite(left) or mpmath.isfinite(right)
        return "kink", NAN, (left, right), abs(a - b) if one else max(abs(a), abs(b))
    off = left_off + right_off + mpf(10) ** -max(45.0, 0.4 * mp.dps) * max(abs(left), abs(right))
    if abs(left - right) > off:
        return "kink", NAN, (left, right), gap
    # a jump may be far smaller than what the value moves by on the way to the point
    starts = ((-1, 1), (1, 1 + 2 * n))
    step = max(_step(value, s, samples[k : k + n], samples[k + n : k + 2 * n], depth) for s, k in starts)
    if step and not rough:
        return "jump", NAN, (left, right), step
    D = (left + right) / 2
    if abs(D) <= max(4 * off, mpf(10) ** -60 * max(abs(a), abs(b))):
        if not dies:
            # what dies away with the step hides what stays
            return "unknown", NAN, (left, right), gap
        return ("rough", mpf(0), (left, right), gap) if rough else ("smooth", mpf(0), (left, right), hidden)
    if D and off > mpf(10) ** -20 * abs(D):
        return "unknown", NAN, (left, right), gap
    return "rough" if rough else "smooth", D, (left, right), gap


def _step(value: Any, sign: int, values: Sequence[Any], slopes: Sequence[Any], depth: int) -> Any:
    """Return how far a value is from what its side leads to, by value and slope; 0 where that fades with the step."""
    left = [v - sign * mpf(10) ** (k - depth) * s - value for k, v, s in zip(_STEPS, values, slopes, strict=True)]
    size = max(abs(value), *map(abs, values))
    stays = abs(left[3] - left[2]) <= mpf(10) ** -5 * abs(left[3])
    return abs(left[3]) if stays and abs(left[3]) > size * mpf(10) ** (-0.8 * mp.dps) else mpf(0)


def _limit(values: Sequence[Any]) -> tuple[Any, Any]:
    """Extrapolate what comes ever closer, and by how much that may be off; infinite, or nan, where it has no limit."""
    if not all(map(mpmath.isfinite, values)):
        return NAN, NAN
    steps = [q - p for p, q in pairwise(values)]
    size = max(map(abs, values))
    if abs(steps[2]) <= size * mpf(10) ** -45:
        return values[3], abs(steps[2]) * 2 + size * mpf(10) ** -max(60.0, 0.5 * mp.dps)
    if abs(steps[2]) >= mpf("0.9") * abs(steps[1]):
        away = steps[2] * steps[1] > 0
        return (mpf("inf") if steps[2] > 0 else mpf("-inf")) if away else NAN, NAN
    first, second = (_aitken(values[k : k + 3]) for k in (0, 1))
    return second, 4 * abs(second - first) + size * mpf(10) ** -max(60.0, 0.5 * mp.dps)


def _is_slow(slopes: Sequence[Any]) -> bool:
    """Tell whether slopes come closer no faster than the 0.3th power of the step: no floats show their limit."""
    first, second = abs(slopes[1] - slopes[0]), abs(slopes[2] - slopes[1])
    moved = first > mpf(10) ** -40 * abs(slopes[0])
    return bool(moved and second > first * mpf(10) ** (0.3 * (_STEPS[1] - _STEPS[0])))


def _aitken(values: Sequence[Any]) -> Any:
    a, b = values[1] - values[0], values[2] - values[1]
    return values[2] if b == a else values[2] - b * b / (b - a)
