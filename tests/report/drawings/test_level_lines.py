"""Marching squares against circles, saddles and holes, and the choice of levels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffcompare.report.drawings.level_lines import Line, choose_levels, level_lines

NAN = math.nan
Grid = list[list[float]]


def grid(f: Callable[[float, float], float], count: int = 33, half: float = 4.0) -> Grid:
    nodes = [half * (2 * k / (count - 1) - 1) for k in range(count)]
    return [[f(x, y) for x in nodes] for y in nodes]


def interpolated(values: Sequence[Sequence[float]], point: tuple[float, float]) -> float:
    """The value at a point of an edge of the grid."""
    column, row = point
    i, j = math.floor(column), math.floor(row)
    assert column == i or row == j
    share = max(column - i, row - j)
    if not share:
        return values[j][i]
    end = values[j][i + 1] if column > i else values[j + 1][i]
    return values[j][i] + share * (end - values[j][i])


def area(line: Line) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(line)) / 2


@pytest.mark.parametrize("level", [0.3, 1.0, 2.0, 5.0, 13.7])
def test_the_level_line_of_a_bowl_is_a_circle(level: float) -> None:
    values = grid(lambda x, y: x * x + y * y)
    (line,) = level_lines(values, level)
    assert line[0] == line[-1]
    for column, row in line:
        assert abs(interpolated(values, (column, row)) - level) <= 1e-14 * level
        # linear interpolation of a convex function over h = 1/4 is too high, by at most h²·f″/8
        true = (column / 4 - 4) ** 2 + (row / 4 - 4) ** 2
        assert -1 / 64 - 1e-14 <= true - level <= 1e-14


def test_higher_values_lie_on_the_left() -> None:
    (hill,) = level_lines(grid(lambda x, y: -x * x - y * y), -2.0)
    (bowl,) = level_lines(grid(lambda x, y: x * x + y * y), 2.0)
    assert area(hill) > 0 > area(bowl)
    assert 0.98 < area(hill) / (16 * 2 * math.pi) < 1  # inscribed


def test_a_line_that_leaves_the_grid_ends_on_its_edge() -> None:
    (line,) = level_lines(grid(lambda x, y: x + y), 0.3)
    assert line[0] != line[-1]
    for point in (line[0], line[-1]):
        assert any(place in (0, 32) for place in point)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("level", "joined"), [(0.25, False), (-0.25, True)])
def test_at_a_saddle_the_mean_decides_which_corners_are_joined(sign: float, level: float, joined: bool) -> None:
    values = [[sign, -sign], [-sign, sign]]  # the mean is 0
    lines = level_lines(values, level)
    assert len(lines) == 2
    for line in lines:
        assert len(line) == 2
        # each line cuts off one corner: a low one if the high ones are joined
        corner = tuple(
            round(sum(point[k] for point in line) / 2 + math.copysign(0.2, line[0][k] + line[1][k] - 1)) for k in (0, 1)
        )
        assert (values[corner[1]][corner[0]] < level) == joined


def test_cells_with_a_corner_that_is_not_finite_have_no_line() -> None:
    values = grid(lambda x, y: x * x + y * y)
    values[16][20] = NAN  # at (1, 0)
    values[16][12] = math.inf
    lines = level_lines(values, 1.1)
    assert len(lines) == 2
    for line in lines:
        assert line[0] != line[-1]
        assert all(math.isfinite(place) for point in line for place in point)
        assert not [point for point in line if 19 < point[0] < 21 and 15 < point[1] < 17]


@pytest.mark.parametrize("level", [2.0, 3.0, 4.0])
def test_a_constant_has_no_lines(level: float) -> None:
    assert level_lines(grid(lambda x, y: 3.0), level) == []
    assert choose_levels(grid(lambda x, y: 3.0)) == []


@pytest.mark.parametrize("values", [[], [[]], [[1.0]], [[NAN, NAN], [NAN, math.inf]], [[1.0, 2.0]]])
def test_too_little_for_a_cell_has_no_lines(values: Grid) -> None:
    assert level_lines(values, 1.5) == []


def test_a_level_at_the_nodes_is_met_there() -> None:
    lines = level_lines(grid(lambda x, y: x), 0.0)
    assert {point[0] for line in lines for point in line} == {16.0}


@pytest.mark.parametrize(("low", "high"), [(-1.7e308, 1.7e308), (0.0, 5e-324), (-5e-324, 0.0), (1.0, 1.0 + 2**-52)])
def test_the_widest_and_the_narrowest_differences_have_places(low: float, high: float) -> None:
    for level in {high, low / 2 + high / 2}:
        if low < level:
            (line,) = level_lines([[low, high], [low, high]], level)
            assert all(0 < column <= 1 for column, _ in line)


numbers = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 0.5, NAN, math.inf])


@given(st.lists(st.lists(numbers, min_size=5, max_size=5), min_size=2, max_size=6), st.sampled_from([0.0, 0.25, 1.0]))
def test_every_crossed_edge_is_visited_once_and_lines_end_only_at_the_rim(values: Grid, level: float) -> None:
    cells = [(i, j) for j in range(len(values) - 1) for i in range(4)]
    finite = {(i, j) for i, j in cells if all(map(math.isfinite, (*values[j][i : i + 2], *values[j + 1][i : i + 2])))}
    crossed: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for i, j in finite:
        ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1), (i, j)]
        for a, b in pairwise(ring):
            if (values[a[1]][a[0]] >= level) != (values[b[1]][b[0]] >= level):
                crossed[min(a, b), max(a, b)] += 1
    expected: Counter[tuple[float, float]] = Counter()
    rim: Counter[tuple[float, float]] = Counter()
    for ((i, j), (k, m)), cells_around in crossed.items():
        share = (level - values[j][i]) / (values[m][k] - values[j][i])
        place = (i + share * (k - i), j + share * (m - j))
        expected[place] += 1
        rim[place] += cells_around == 1
    lines = level_lines(values, level)
    found = Counter(point for line in lines for point in (line[:-1] if line[0] == line[-1] else line))
    ends = Counter(point for line in lines if line[0] != line[-1] for point in (line[0], line[-1]))
    if level == 0.25:  # no node has this value, so no two crossings coincide
        assert found == expected
        assert ends == +rim
    assert set(found) == set(expected)


def test_levels_around_a_minimum_rise_in_equal_ratios() -> None:
    for offset in (0.0, 7.0):
        levels = choose_levels(grid(lambda x, y, offset=offset: offset + x * x + y * y))  # type: ignore[misc]
        heights = [level - offset for level in levels]
        assert len(levels) >= 7
        assert heights[0] < 0.7  # a ring of a fifth of the half width
        for one, two in pairwise(heights[:5]):
            assert 1.4 < two / one < 2.8


def test_levels_away_from_a_minimum_are_even() -> None:
    levels = choose_levels(grid(lambda x, y: x, count=41))
    steps = [two - one for one, two in pairwise(levels)]
    assert len(levels) == 10
    assert max(steps) <= 2 * min(steps)  # each is rounded by at most a sixth of the gap


def test_a_pole_takes_no_levels_from_the_rest() -> None:
    levels = choose_levels(grid(lambda x, y: 1 / ((x - 0.01) ** 2 + y * y) ** 50 if (x, y) != (0, 0) else math.inf))
    assert len(levels) >= 8
    assert levels[-1] < 1e100  # the highest finite value is 1e60 higher


def test_levels_have_few_digits() -> None:
    for level in choose_levels(grid(lambda x, y: math.exp(x / 3) + y * y)):
        assert len(f"{level:.17g}".replace(".", "").strip("0")) <= 3 or float(f"{level:.2g}") == level


@given(st.lists(st.lists(st.floats(), min_size=4, max_size=4), min_size=2, max_size=5))
def test_levels_rise_within_the_values(values: Grid) -> None:
    known = [value for row in values for value in row if math.isfinite(value)]
    levels = choose_levels(values)
    assert levels == sorted(set(levels))
    assert len(levels) <= 10
    assert all(min(known) < level <= max(known) for level in levels)
    for level in levels:
        for line in level_lines(values, level):
            assert all(0 <= column <= 3 and 0 <= row <= len(values) - 1 for column, row in line)
