from __future__ import annotations

import math
import re

import pytest

from diffcompare.report.drawings.sparkline import sparkline

from ..paths import absolute  # noqa: TID252 - tests are no package

H = [10.0**-k for k in range(12)]


def places(h: list[float], error: list[float]) -> list[tuple[str, float, float]]:
    made = sparkline(h, error)
    assert made is not None
    (d,) = re.findall(r'<svg aria-hidden=true><path d="([^"]*)"/></svg>', made.text)
    return [(m[1], float(m[2]), float(m[3])) for m in re.finditer(r"([ML])([\d.]+),([\d.]+)", absolute(d))]


def test_small_h_stands_left_and_small_errors_low() -> None:
    found = places(H, H)
    assert [x for _, x, _ in found] == sorted(x for _, x, _ in found)
    assert [y for _, _, y in found] == sorted((y for _, _, y in found), reverse=True)
    assert (found[0][1], found[-1][1]) == (0, 72)


def test_a_zero_stands_on_the_lower_edge_and_what_is_no_number_breaks_the_line() -> None:
    error = [*H[:4], 0.0, math.nan, *H[6:9], math.inf, *H[10:]]
    found = places(H, error)
    assert len(found) == 9  # one lies on the line between its neighbours
    assert [kind for kind, _, _ in found].count("M") == 3
    assert max(y for _, _, y in found) == found[[round(x) for _, x, _ in found].index(round(7 / 11 * 72))][2] == 17


@pytest.mark.parametrize("count", [2, 20, 21, 1000])
def test_the_size_is_bounded(count: int) -> None:
    h = [2.0**-k for k in range(count)]
    assert 2 <= len(places(h, h)) <= 20


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert sparkline([], []) is None
    assert sparkline([0.1], [0.1]) is None
    assert sparkline([0.1, 0.1], [0.1, 0.2]) is None
    assert sparkline([0.1, 0.01], [math.nan, 1.0]) is None
    assert sparkline([0.0, 0.01], [1.0, 1.0]) is None
    assert places([0.1, 0.01], [0.0, 0.0]) == [("M", 0, 17), ("L", 72, 17)]
