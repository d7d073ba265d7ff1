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
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from .limits import both_sides
from .namespaces import LIMITS, compiled, namespace
from .reals import KEPT, NAN, Real, Run, TruthUnknownError, as_real, run

__all__ = ["Component", "Truth", "truth_of"]

# how many times the least number of digits
_FACTORS = (1, 2, 4, 8, 16)
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
        How far the value jumps; of a kink with an infinite slope, how far the slopes are apart beside the point; of a
        derivative of 0, how large one may be that slopes which die away hide.
    hidden : bool
        Whether a branch is closer than the next float, so that floats have it at the point.
    """

    kind: str
    D: Any
    sides: tuple[Any, Any]
    G: Any
    rounding: Any
    own: Any
    gap: Any
    hidden: bool = False


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
    # beside 1e150, 40 digits are none of 1.0
    sizes = [abs(v) for v in x if v]
    least = 40 - 2 * math.floor(math.log10(min([1.0, *sizes]))) + 2 * math.ceil(math.log10(max([1.0, *sizes])))
    found, met = _settled(work, n, least)
    value, D, G = found[0], found[1 : 1 + n], found[1 + n :]
    rounding, own, of_value = _constants(work, met, found, n, least + 20)
    components = []
    for i in range(n):
        kind, d, sides, gap = "smooth", D[i], (D[i], D[i]), mpf(0)
        if met.singular:
            kind, d, sides, gap = both_sides(lambda t, i=i: at(lambda: _point(x, (i, t)), gradient=False), x)
            if (kind == "jump" and gap <= of_value) or (kind == "kink" and abs(sides[1] - sides[0]) <= own[i]):
                # what the rounding of constants explains is none
                kind = "unknown"
        elif not mpmath.isfinite(value):
            kind, d = "domain", NAN
        elif not mpmath.isfinite(d):
            kind, d = "unknown", NAN
        hidden = met.branches.get(i, mpf("inf")) < math.ulp(x[i])
        components.append(Component(kind, d, sides, G[i], rounding[i], own[i], gap, hidden))
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


def _settled(work: Callable[[], Any], n: int, least: int) -> tuple[list[Any], Run]:
    """Run with more and more digits until nothing moves; what shrinks with the digits is 0."""
    before: list[Any] | None = None
    last: Run | None = None
    for digits in (least * factor for factor in _FACTORS):
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
    # digits that are lost shrink until what they hide shows, which may be as small as floats are
    if digits >= 40 and abs(after) <= min(abs(before) * mpf(10) ** (-0.4 * digits), mpf(10) ** -330):
        return mpf(0)
    return None


def _constants(
    work: Callable[[], Any], met: Run, found: list[Any], n: int, digits: int
) -> tuple[list[Any], list[Any], Any]:
    """Estimate what the rounding of constants does to G − D, to D and to the value."""
    rounding, own, of_value = [mpf(0)] * n, [mpf(0)] * n, mpf(0)
    if not met.rounded:
        return rounding, own, of_value
    for sample in range(_SAMPLES):

        def noise(value: float, sample: int = sample) -> float:
            return 1.0 if zlib.crc32(f"{sample} {value!r}".encode()) % 2 else -1.0

        result, _ = run(work, digits, noise=noise, replay=met.answers, computed=sample > 0)
        moved = _numbers(result, n)
        with mp.workdps(digits):
            if mpmath.isfinite(moved[0] - found[0]):
                of_value = max(of_value, 4 * abs(moved[0] - found[0]))
            for i in range(n):
                d, g = moved[1 + i] - found[1 + i], moved[1 + n + i] - found[1 + n + i]
                if mpmath.isfinite(d):
                    own[i] = max(own[i], 4 * abs(d))
                if mpmath.isfinite(g - d) and not sample:
                    rounding[i] = max(rounding[i], 4 * abs(g - d))
    # what has more digits than the run is no rounding of constants
    tiny = mpf(10) ** -40
    return (
        [r if r > tiny * abs(found[1 + i]) else mpf(0) for i, r in enumerate(rounding)],
        [r if r > tiny * abs(found[1 + i]) else mpf(0) for i, r in enumerate(own)],
        of_value if of_value > tiny * abs(found[0]) else mpf(0),
    )
