"""What is true of a function and a gradient at a point, in many digits and with nothing of diffcompare.

The code itself is run in real numbers: at the point, and where it is not analytic there on both sides along every axis,
ever closer to the point. Limits of values and slopes tell a derivative from a kink, a jump, or no value at all.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from .namespaces import LIMITS, compiled, namespace
from .reals import KEPT, NAN, Real, Run, TruthUnknownError, as_real, run

__all__ = ["Component", "Truth", "truth_of"]

_DIGITS = (40, 80, 160, 320, 640)
# how close the sides come, in powers of ten
_STEPS = (-30, -45, -60, -75)
_SAMPLES = 2


@dataclass(frozen=True, slots=True)
class Component:
    """One component of the derivative.

    Parameters
    ----------
    kind : str
        ``smooth``, ``rough`` (the same, but slopes nearby are others: x**1.1), ``kink`` (slopes of the two sides
        differ or are infinite), ``jump`` (values differ), ``domain`` (no value on a side or at the point), ``unknown``.
    D : mpf
        The derivative; nan where there is none.
    sides : tuple of mpf
        The slopes to the left and to the right; nan where there is none.
    G : mpf
        What the gradient's code is in real numbers.
    rounding, own : mpf
        What the rounding of constants may change in G − D, and in D.
    gap : mpf
        How far the value jumps.
    """

    kind: str
    D: Any
    sides: tuple[Any, Any]
    G: Any
    rounding: Any
    own: Any
    gap: Any


@dataclass(frozen=True, slots=True)
class Truth:
    """All components, and why rounding may decide otherwise.

    Parameters
    ----------
    delicate : tuple of str
        Where floats decide otherwise than real numbers, or within rounding.
    limit : bool
        A loop that ends at a tolerance stands for its limit.
    """

    value: Any
    components: tuple[Component, ...]
    delicate: tuple[str, ...]
    limit: bool


def truth_of(source: str, x: Sequence[float]) -> Truth:
    """Find out what is true; :class:`TruthUnknownError` where that cannot be told."""
    code = compiled(source)
    KEPT.clear()
    limit = any(re.search(rf"\b{name}\(", source) for name in LIMITS)

    def at(point: Callable[[], Any], *, gradient: bool) -> Callable[[], tuple[Real, list[Any]]]:
        def work() -> tuple[Real, list[Any]]:
            names = namespace()
            exec(code, names)
            if limit:
                names.update({name: rule for name, rule in LIMITS.items() if name in names})
            value = as_real(np.asarray(names["f"](point()), dtype=object)[()])
            return value, (_gradient(names, point()) if gradient else [])

        return work

    n = len(x)
    work = at(lambda: _point(x, None), gradient=True)
    found, met = _settled(work, n)
    value, D, G = found[0], found[1 : 1 + n], found[1 + n :]
    rounding, own = _constants(work, met, found, n)
    components = []
    for i in range(n):
        kind, d, sides, gap = "smooth", D[i], (D[i], D[i]), mpf(0)
        if met.singular:
            kind, d, sides, gap = _both_sides(lambda i, t: at(lambda: _point(x, (i, t)), gradient=False), i, x, value)
        elif not mpmath.isfinite(value):
            kind, d = "domain", NAN
        elif not mpmath.isfinite(d):
            kind, d = "unknown", NAN
        components.append(Component(kind, d, sides, G[i], rounding[i], own[i], gap))
    return Truth(value, tuple(components), tuple(dict.fromkeys(met.delicate)), limit)


def _point(x: Sequence[float], step: tuple[int, Any] | None) -> Any:
    """Return the point as an array of real numbers, moved along an axis; only that slope is followed then."""
    n = len(x)
    found = np.empty(n, dtype=object)
    for k, value in enumerate(x):
        if step is None:
            found[k] = Real(mpf(value), [mpf(int(k == j)) for j in range(n)], value)
        else:
            here = k == step[0]
            found[k] = Real(mpf(value) + (step[1] if here else 0), [mpf(int(here))], value)
    return found


def _gradient(names: dict[str, Any], point: Any) -> list[Any]:
    try:
        result = np.asarray(names["gradient"](point), dtype=object)
    except ZeroDivisionError:
        result = np.full(point.shape, NAN, dtype=object)
    return [as_real(v).v for v in np.broadcast_to(result, point.shape).tolist()]


def _numbers(result: tuple[Real, list[Any]], n: int) -> list[Any]:
    value, G = result
    if mpmath.isnan(value.v):
        return [NAN, *[NAN] * n, *G]
    return [value.v, *(value.d if value.d is not None else [mpf(0)] * n), *G]


def _settled(work: Callable[[], Any], n: int) -> tuple[list[Any], Run]:
    """Run with more and more digits until nothing moves; what shrinks with the digits is 0."""
    before: list[Any] | None = None
    last: Run | None = None
    for digits in _DIGITS:
        result, met = run(work, digits)
        after = _numbers(result, n)
        if before is not None and last is not None and met.answers == last.answers:
            settled = [_same(p, q, digits // 2) for p, q in zip(before, after, strict=True)]
            if all(s is not None for s in settled):
                return settled, met
        before, last = after, met
    raise TruthUnknownError("digits do not settle")


def _same(before: Any, after: Any, digits: int) -> Any:
    if mpmath.isnan(before) or mpmath.isnan(after):
        return NAN if mpmath.isnan(before) and mpmath.isnan(after) else None
    if before == after:
        return after
    if abs(before - after) <= mpf(10) ** -26 * abs(after):
        return after
    if digits >= 40 and abs(after) <= abs(before) * mpf(10) ** (-0.4 * digits):
        return mpf(0)
    return None


def _constants(work: Callable[[], Any], met: Run, found: list[Any], n: int) -> tuple[list[Any], list[Any]]:
    """Estimate what the rounding of constants does to G − D and to D."""
    rounding, own = [mpf(0)] * n, [mpf(0)] * n
    if not met.rounded:
        return rounding, own
    for sample in range(_SAMPLES):

        def noise(value: float, sample: int = sample) -> float:
            return 1.0 if zlib.crc32(f"{sample} {value!r}".encode()) % 2 else -1.0

        result, _ = run(work, 60, noise=noise, replay=met.answers)
        moved = _numbers(result, n)
        with mp.workdps(60):
            for i in range(n):
                d, g = moved[1 + i] - found[1 + i], moved[1 + n + i] - found[1 + n + i]
                if mpmath.isfinite(d):
                    own[i] = max(own[i], 4 * abs(d))
                if mpmath.isfinite(g - d):
                    rounding[i] = max(rounding[i], 4 * abs(g - d))
    # what has more digits than the run is no rounding of constants
    tiny = mpf(10) ** -40
    return (
        [r if r > tiny * abs(found[1 + i]) else mpf(0) for i, r in enumerate(rounding)],
        [r if r > tiny * abs(found[1 + i]) else mpf(0) for i, r in enumerate(own)],
    )


def _both_sides(
    at: Callable[[int, Any], Callable[[], Any]], i: int, x: Sequence[float], value: Any
) -> tuple[str, Any, tuple[Any, Any], Any]:
    """Tell what a component is from both sides along its axis: kind, derivative, slopes, and how far it jumps."""
    if not mpmath.isfinite(value):
        return "domain", NAN, (NAN, NAN), mpf(0)
    scale = min([1.0, *(abs(v) for v in x if v)])
    depth = max(0, -math.floor(math.log10(scale)))
    digits = 130 + 3 * depth
    sides: list[Any] = []
    kind, gap, rough = "smooth", mpf(0), False
    for sign in (-1, 1):
        values, slopes = [], []
        for exponent in _STEPS:
            with mp.workdps(digits):
                step = sign * mpf(10) ** (exponent - depth)
            (result, _), _met = run(at(i, step), digits)
            values.append(result.v)
            slopes.append(mpf(0) if result.d is None else result.d[0])
        with mp.workdps(digits):
            if any(map(mpmath.isnan, values)):
                kind = "domain"
                sides.append((NAN, NAN, NAN))
                continue
            limit, off = _limit(values)
            largest = max(abs(value), abs(values[0]))
            jump = abs(limit - value)
            if not jump <= off + mpf(10) ** -30 * largest:
                kind = "jump" if kind == "smooth" else kind
                gap = max(gap, jump)
            slope, error = _limit(slopes)
            rough = rough or _is_slow(slopes)
            sides.append((slope, error, abs(slopes[0])))
    with mp.workdps(digits):
        (left, left_off, a), (right, right_off, b) = sides
        if kind != "smooth":
            return kind, NAN, (left, right), gap
        if not (mpmath.isfinite(left) and mpmath.isfinite(right)):
            return "kink", NAN, (left, right), gap
        off = left_off + right_off + mpf(10) ** -45 * max(abs(left), abs(right))
        if abs(left - right) > off:
            return "kink", NAN, (left, right), gap
        D = (left + right) / 2
        if off > mpf(10) ** -25 * max(abs(D), mpf(10) ** -20 * max(a, b)):
            return "unknown", NAN, (left, right), gap
        # a slope that dies away with the step
        D = mpf(0) if abs(D) <= mpf(10) ** -15 * max(a, b) else D
        return "rough" if rough else "smooth", D, (left, right), gap


def _limit(values: list[Any]) -> tuple[Any, Any]:
    """Extrapolate what comes ever closer, and by how much that may be off; infinite, or nan, where it has no limit."""
    if not all(map(mpmath.isfinite, values)):
        return NAN, NAN
    steps = [q - p for p, q in pairwise(values)]
    size = max(map(abs, values))
    if abs(steps[2]) <= size * mpf(10) ** -45:
        return values[3], abs(steps[2]) * 2 + size * mpf(10) ** -60
    if abs(steps[2]) >= mpf("0.9") * abs(steps[1]):
        away = steps[2] * steps[1] > 0
        return (mpf("inf") if steps[2] > 0 else mpf("-inf")) if away else NAN, NAN
    first, second = (_aitken(values[k : k + 3]) for k in (0, 1))
    return second, 4 * abs(second - first) + size * mpf(10) ** -60


def _is_slow(slopes: list[Any]) -> bool:
    """Tell whether slopes come closer no faster than the 0.3th power of the step: no floats show their limit."""
    first, second = abs(slopes[1] - slopes[0]), abs(slopes[2] - slopes[1])
    moved = first > mpf(10) ** -40 * abs(slopes[0])
    return bool(moved and second > first * mpf(10) ** (0.3 * (_STEPS[1] - _STEPS[0])))


def _aitken(values: list[Any]) -> Any:
    a, b = values[1] - values[0], values[2] - values[1]
    return values[2] if b == a else values[2] - b * b / (b - a)
