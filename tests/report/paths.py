"""Paths of drawings, with absolute coordinates again."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["absolute", "distance", "polylines"]


def absolute(d: str) -> str:
    """Write every move and line with the place where it ends: M10,20L20,30; other commands stay."""
    made, x, y = "", 0.0, 0.0
    for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", d):
        if letter not in "MmlL":
            made += letter + text
            continue
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", text)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = (dx, dy) if letter.isupper() else (x + dx, y + dy)
            made += f"{letter.upper()}{x:.1f},{y:.1f}".replace(".0,", ",").removesuffix(".0")
    return made


def polylines(d: str) -> list[list[tuple[float, float]]]:
    """Return the points of each piece of a path of moves and lines."""
    return [
        [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", piece)]
        for piece in absolute(d).split("M")[1:]
    ]


def distance(place: Sequence[float], points: Sequence[Sequence[float]]) -> float:
    """Measure how far a place is from a polyline."""

    def from_one(a: Sequence[float], b: Sequence[float]) -> float:
        length = math.dist(a, b) or 1.0
        share = sum((p - q) * (r - q) for p, q, r in zip(place, a, b, strict=True)) / length**2
        share = min(1.0, max(0.0, share))
        return math.dist(place, [q + share * (r - q) for q, r in zip(a, b, strict=True)])

    return min(from_one(a, b) for a, b in pairwise(points))
