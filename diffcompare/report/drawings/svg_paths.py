"""Paths of drawings, written as short as they can be without looking different."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from math import asin, atan2, hypot, pi

__all__ = ["Piece", "Place", "dots_text", "path_text", "shorten_path", "tenths"]

Place = tuple[int, int]  # in tenths of a unit, the grid that coordinates are rounded to
Piece = tuple[Sequence[Place], str]  # a move and lines from there, and what follows them as text
_PIECE = re.compile(r"M([^A-Za-z]*(?:L[^A-Za-z]*)*)([^M]*)")


def shorten_path(d: str) -> str:
    """Write a path with relative coordinates, and leave out what lies on a straight line.

    >>> shorten_path("M10,20L20,30L30,40L40,10M50,50M52.5,49.9V60z")
    'M10 20l20 20 10-30m10 40m2.5-.1V60z'
    """
    return path_text((list(map(_place, line.split("L"))), rest) for line, rest in _PIECE.findall(d))


def path_text(pieces: Iterable[Piece]) -> str:
    """Write pieces of a path with relative coordinates, and leave out what lies on a straight line.

    A point of a polyline goes where it is within a tenth of a unit of the line that remains. Moves without a line
    (places of markers) all stay, and so does what follows the lines of a piece.

    >>> path_text([([(100, 200), (200, 300), (300, 400)], ""), ([(500, 500)], "")])
    'M10 20l20 20m20 10'
    """
    made: list[str] = []
    at: Place | None = None
    for places, rest in pieces:
        x, y = places[0]
        made.append(f"M{_pair(x, y)}" if at is None else f"m{_pair(x - at[0], y - at[1])}")
        sign = "l"
        for a, b in _straightened(places)[1:] if len(places) > 2 else places[1:]:
            step = _pair(a - x, b - y)
            made.append(f"{sign}{step}" if sign == "l" or step[0] != "-" else step)
            x, y, sign = a, b, " "
        made.append(rest)
        at = None if rest else (x, y)
    return "".join(made)


def dots_text(places: Sequence[Place]) -> str:
    """Write the path of markers: a move to each place, none left out.

    >>> dots_text([(100, 200), (200, 300), (150, 300)])
    'M10 20m10 10m-5 0'
    """
    steps = ((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(places))
    return "m".join((f"M{_pair(*places[0])}", *(_pair(*step) for step in steps)))


def tenths(value: float) -> int:
    """Round a coordinate to the grid of places."""
    return round(10 * value)


@lru_cache(1 << 15)
def _place(text: str) -> Place:
    x, y = text.split(",")
    return tenths(float(x)), tenths(float(y))


@lru_cache(1 << 15)
def _pair(x: int, y: int) -> str:
    return _text(x) + _text(y) if y < 0 else f"{_text(x)} {_text(y)}"


def _text(count: int) -> str:
    text = f"{count / 10:g}"
    return text.replace("0.", ".") if abs(count) < 10 else text


def _straightened(places: Sequence[Place]) -> list[Place]:
    """Keep what no line from the last point that was kept comes near enough to.

    The directions whose lines pass a point within a tenth of a unit are a sector; a line may go on as long as it lies
    in the sectors of all points that it leaves out (Z. Zhao, A. Saalfeld, Linear-time sleeve-fitting polyline
    simplification algorithms, AutoCarto 13 (1997)) and does not come back.
    """
    kept = [places[0]]
    x0, y0 = places[0]
    along: Place | None = None  # the direction that angles are measured from
    low = high = reach = 0.0
    before = places[0]
    for x, y in places[1:]:
        dx, dy = x - x0, y - y0
        if along is not None:
            distance = hypot(dx, dy)
            angle = atan2(along[0] * dy - along[1] * dx, along[0] * dx + along[1] * dy)
            if low <= angle <= high and distance >= reach:
                slack = asin(1 / distance) if distance > 1 else pi
                low, high, reach = max(low, angle - slack), min(high, angle + slack), distance
                before = x, y
                continue
            # the line ends at the point before, where a new one begins
            kept.append(before)
            x0, y0 = before
            dx, dy = x - x0, y - y0
        before = x, y
        along = (dx, dy) if dx or dy else None
        reach = hypot(dx, dy)
        slack = asin(1 / reach) if reach > 1 else pi
        low, high = -slack, slack
    return [*kept, before]
