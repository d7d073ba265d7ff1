"""Paths of drawings, written as short as they can be without looking different."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

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
    made = ""
    at: _Place | None = None
    for line, rest in _PIECE.findall(d):
        places = [_place(line)] if "L" not in line else _straightened([_place(text) for text in line.split("L")])
        made += f"M{_pair(places[0])}" if at is None else f"m{_pair(_step(at, places[0]))}"
        steps = [_pair(_step(a, b)) for a, b in pairwise(places)]
        made += "l" * bool(steps) + "".join(s if s.startswith("-") or not k else f" {s}" for k, s in enumerate(steps))
        made += rest
        at = None if rest else places[-1]
    return made


@lru_cache(1 << 15)
def _place(text: str) -> _Place:
    x, y = text.split(",")
    return round(10 * float(x)), round(10 * float(y))


def _step(a: _Place, b: _Place) -> _Place:
    return b[0] - a[0], b[1] - a[1]


def _pair(place: _Place) -> str:
    x, y = _text(place[0]), _text(place[1])
    return x + y if y.startswith("-") else f"{x} {y}"


@lru_cache(1 << 15)
def _text(tenths: int) -> str:
    text = f"{tenths / 10:g}"
    return text.replace("0.", ".") if abs(tenths) < 10 else text


def _straightened(places: Sequence[_Place]) -> list[_Place]:
    """Douglas and Peucker's rule: keep the point furthest from the line through the ends, if it is too far."""
    if len(places) < 3:
        return list(places)
    (x0, y0), (x1, y1) = places[0], places[-1]
    across, along = x1 - x0, y1 - y0
    length = max(1.0, (across * across + along * along) ** 0.5)
    # of the triangles with the line as their base the largest is the highest
    areas = [abs(across * (y - y0) - along * (x - x0)) for x, y in places]
    largest = max(areas)
    k = areas.index(largest)
    if largest / length <= 1 and x0 != x1:
        return [places[0], places[-1]]
    if not 0 < k < len(places) - 1:
        k = len(places) // 2
    return _straightened(places[: k + 1])[:-1] + _straightened(places[k:])
