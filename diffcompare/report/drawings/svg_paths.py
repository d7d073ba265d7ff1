"""Paths of drawings, written as short as they can be without looking different."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["shorten_path"]

_Place = tuple[int, int]  # in tenths of a unit, the grid that coordinates are rounded to
_PIECE = re.compile(r"M([^A-Za-z]*(?:L[^A-Za-z]*)*)([^M]*)")


def shorten_path(d: str) -> str:
    """Write a path with relative coordinates, and leave out what lies on a straight line.

    A point of a polyline goes where it is within a tenth of a unit of the line that remains. Moves without a line
    (places of markers) all stay, and so does what follows the lines of a piece.

    >>> shorten_path("M10,20L20,30L30,40L40,10M50,50M52.5,49.9V60z")
    'M10 20l20 20 10-30m10 40m2.5-.1V60z'
    """
    made: list[str] = []
    at: _Place | None = None
    for line, rest in _PIECE.findall(d):
        places = list(map(_place, line.split("L")))
        if len(places) > 2:
            places = _straightened(places)
        x, y = places[0]
        made.append(f"M{_pair(x, y)}" if at is None else f"m{_pair(x - at[0], y - at[1])}")
        sign = "l"
        for a, b in places[1:]:
            step = _pair(a - x, b - y)
            made.append(f"{sign}{step}" if sign == "l" or step[0] != "-" else step)
            x, y, sign = a, b, " "
        made.append(rest)
        at = None if rest else (x, y)
    return "".join(made)


@lru_cache(1 << 15)
def _place(text: str) -> _Place:
    x, y = text.split(",")
    return round(10 * float(x)), round(10 * float(y))


@lru_cache(1 << 15)
def _pair(x: int, y: int) -> str:
    return _text(x) + _text(y) if y < 0 else f"{_text(x)} {_text(y)}"


def _text(tenths: int) -> str:
    text = f"{tenths / 10:g}"
    return text.replace("0.", ".") if abs(tenths) < 10 else text


def _straightened(places: Sequence[_Place]) -> list[_Place]:
    """Douglas and Peucker's rule: keep the point furthest from the line through the ends, if it is too far."""
    kept = {0, len(places) - 1}
    pieces = [(0, len(places) - 1)]
    while pieces:
        first, last = pieces.pop()
        (x0, y0), (x1, y1) = places[first], places[last]
        across, along = x1 - x0, y1 - y0
        length = max(1.0, (across * across + along * along) ** 0.5)
        if last - first == 2:
            x, y = places[first + 1]
            if x0 == x1 or abs(across * (y - y0) - along * (x - x0)) / length > 1:
                kept.add(first + 1)
            continue
        # of the triangles with the line as their base the largest is the highest
        areas = [abs(across * (y - y0) - along * (x - x0)) for x, y in places[first : last + 1]]
        largest = max(areas)
        if largest / length <= 1 and x0 != x1:
            continue
        k = first + areas.index(largest)
        if not first < k < last:
            k = (first + last + 1) // 2
        kept.add(k)
        pieces += [piece for piece in ((first, k), (k, last)) if piece[1] - piece[0] > 1]
    return [places[k] for k in sorted(kept)]
