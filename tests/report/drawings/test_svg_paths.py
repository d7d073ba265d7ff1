"""Paths are written short, and go where they went."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from diffcompare.report.drawings.svg_paths import path_text, shorten_path

from ..paths import distance, polylines  # noqa: TID252 - tests are no package

_DICE = random.Random(7)
_LINES: dict[str, Callable[[int], tuple[float, float]]] = {
    "straight": lambda k: (7.0 * k, 3.0 * k),
    "leftwards": lambda k: (-7.0 * k, 200 * math.sin(k / 9)),
    "bowl": lambda k: (10.0 * k, (k - 30) ** 2 / 3),
    "noise": lambda k: (10.0 * k, _DICE.uniform(0, 2000)),
    "crowd": lambda k: (0.3 * k, _DICE.uniform(0, 3)),
    "spikes": lambda k: (5.0 * (k // 3), 40.0 * (k % 3 == 1)),
    "there and back": lambda k: (0.0, 30.0 * abs(k - 30)),
    "circle": lambda k: (900 * math.cos(k / 5), 900 * math.sin(k / 5)),
}


@pytest.mark.parametrize("name", _LINES)
def test_no_point_is_more_than_a_tenth_from_the_line_that_remains(name: str) -> None:
    places = [(round(x), round(y)) for x, y in map(_LINES[name], range(61))]
    (line,) = polylines(path_text([(places, "")]))
    assert max(distance((x / 10, y / 10), line) for x, y in places) <= 0.1 + 1e-9
    assert (line[0], line[-1]) == tuple((x / 10, y / 10) for x, y in (places[0], places[-1]))
    assert len(line) <= len(places)


@pytest.mark.parametrize(("name", "most"), [("straight", 2), ("bowl", 25), ("there and back", 3), ("spikes", 61)])
def test_points_on_a_line_are_left_out(name: str, most: int) -> None:
    places = [(round(x), round(y)) for x, y in map(_LINES[name], range(61))]
    (line,) = polylines(path_text([(places, "")]))
    assert len(line) <= most


def test_equal_points_are_one() -> None:
    assert path_text([([(10, 10)] * 5, "")]) == "M1 1l0 0"
    assert path_text([([(10, 10), (10, 10), (20, 10), (20, 10)], "")]) == "M1 1l1 0"


def test_pieces_and_what_follows_them_stay() -> None:
    assert shorten_path("M10,20L20,30V40zM1,2M3,4h0M5,6L5.5,5") == "M10 20l10 10V40zM1 2m2 2h0M5 6l.5-1"
