"""Numbers that people forget, or write once too often."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["Multiple", "Multiples"]

_CLOSE = 1e-7
_SMALL = 12
_IRRATIONAL = {
    "pi": math.pi, "2*pi": 2 * math.pi, "pi/180": math.pi / 180, "log(2)": math.log(2), "log(10)": math.log(10),
    "sqrt(2)": math.sqrt(2), "sqrt(2*pi)": math.sqrt(2 * math.pi),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Multiple:
    """A factor.

    Parameters
    ----------
    value : Fraction or float
        The exact number, or as far as it is known.
    text : str
        How it is written.
    cost : float
        How far it is from what people forget most often: 0 for 1, −1, 2 and ½.
    """

    value: Fraction | float
    text: str
    cost: float


class Multiples:
    """The factors that may be meant in a program.

    Parameters
    ----------
    sizes : iterable of int
        How long arrays are.
    held : iterable of float
        Numbers that the codes hold.
    """

    def __init__(self, sizes: Iterable[int] = (), held: Iterable[float] = ()) -> None:
        found: dict[float, Multiple] = {}
        for one in _all(sorted({n for n in sizes if n > 1}), [abs(v) for v in held if math.isfinite(v) and v]):
            found.setdefault(float(one.value), one)
        self._known = [found[value] for value in sorted(found)]
        self._values = sorted(found)

    def named(self, factor: float, *, short: bool = False) -> Multiple | None:
        """Name a factor that is known to seven digits; None where it is no number that anybody writes.

        ``short``: any number of few digits is.
        """
        if not math.isfinite(factor) or factor == 0:
            return None
        size = abs(factor)
        at = bisect_left(self._values, size * (1 - _CLOSE))
        near: list[Multiple] = []
        while at < len(self._values) and self._values[at] <= size * (1 + _CLOSE):
            near.append(self._known[at])
            at += 1
        found = min(near, key=lambda one: one.cost, default=None) or (_short(size) if short else None)
        if found is None or factor > 0:
            return found
        return Multiple(-found.value, f"-{found.text}", found.cost)


def _all(sizes: list[int], held: list[float]) -> Iterator[Multiple]:
    for value in (Fraction(1), Fraction(2), Fraction(1, 2)):
        yield Multiple(value, str(value), 0.0)
    for n in sizes:
        for value in (Fraction(n), Fraction(1, n), Fraction(n, n - 1), Fraction(n - 1, n), Fraction(2, n)):
            yield Multiple(value, str(value), 0.1)
    for p in range(1, _SMALL + 1):
        for q in range(1, _SMALL + 1):
            yield Multiple(Fraction(p, q), str(Fraction(p, q)), 0.2)
    for text, number in _IRRATIONAL.items():
        yield Multiple(number, text, 0.3)
        yield Multiple(1 / number, f"1/({text})" if "*" in text or "/" in text else f"1/{text}", 0.3)
    for n in sizes:
        yield Multiple(math.sqrt(n), f"sqrt({n})", 0.4)
        yield Multiple(1 / math.sqrt(n), f"1/sqrt({n})", 0.4)
    for a in held:
        yield Multiple(Fraction(a), f"{a:.6g}", 0.4)
        yield Multiple(1 / Fraction(a), f"1/{a:.6g}", 0.4)
    for m in sizes:
        for n in sizes:
            yield Multiple(Fraction(m, n), f"{m}/{n}", 0.5)
    for a in held:
        for b in held:
            yield Multiple(Fraction(a) / Fraction(b), f"{a:.6g}/{b:.6g}", 0.8)


def _short(size: float) -> Multiple | None:
    """Name a number of few digits, or one whose inverse has few."""
    value = Fraction(f"{size:.3g}")
    if abs(size - value) <= _CLOSE * size:
        return Multiple(value, f"{size:.3g}", 1.0)
    inverse = Fraction(f"{1 / size:.9g}")
    if len(str(inverse.numerator)) <= 8 and abs(1 / size - inverse) <= _CLOSE / size:
        return Multiple(1 / inverse, f"1/{float(inverse):.9g}", 1.5)
    return None
