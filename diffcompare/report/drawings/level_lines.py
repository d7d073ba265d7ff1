"""Lines of equal value through a table on a grid: which values to choose, and where the lines run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Line", "choose_levels", "level_lines"]

# points (column, row) in units of the grid; a closed line ends where it begins
Line = list[tuple[float, float]]
_Node = tuple[int, int]
_Edge = tuple[_Node, _Node]

# The share of the grid below each level. Around a minimum areas grow as the value does, so halving the share halves
# the height above the minimum: rings stand at equal ratios of their radii. Elsewhere equal shares are even.
_AROUND_MINIMUM = (*(2.0**-k for k in range(6, 0, -1)), 0.7, 0.9)
_EVEN = tuple((2 * k + 1) / 20 for k in range(10))


def choose_levels(values: Sequence[Sequence[float]]) -> list[float]:
    """Choose a few levels, rising, with few digits: rings that are dense around a minimum inside the grid.

    They follow the distribution of the values, so poles and steep walls take none from the rest. Values that are not
    finite are left out; a constant has no levels.

    >>> choose_levels([[float(column) for column in range(21)]] * 3)
    [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0]
    """
    known = sorted(value for row in values for value in row if math.isfinite(value))
    if not known or known[0] == known[-1]:
        return []
    inner = [value for row in values[1:-1] for value in row[1:-1]]
    shares = _AROUND_MINIMUM if known[0] in inner else _EVEN
    marks = [known[0], *(_quantile(known, share) for share in shares), known[-1]]
    levels = []
    for below, mark, above in zip(marks, marks[1:], marks[2:], strict=False):
        # halved first: differences of the largest floats overflow
        low, high = mark - (mark / 2 - below / 2) / 3, mark + (above / 2 - mark / 2) / 3
        if low < high:
            levels.append(_roundest(low, high))
    return sorted({level for level in levels if known[0] < level <= known[-1]})


def _quantile(known: Sequence[float], share: float) -> float:
    place = share * (len(known) - 1)
    k = min(int(place), len(known) - 2)
    return (1 - (place - k)) * known[k] + (place - k) * known[k + 1]


def _roundest(low: float, high: float) -> float:
    """Find the number of fewest digits between two others.

    >>> _roundest(0.31, 0.48), _roundest(-3.0, 2.0), _roundest(24.9999, 24.99994), _roundest(130.0, 170.0)
    (0.4, 0.0, 24.9999, 150.0)
    """
    if low <= 0 <= high:
        return 0.0
    power = math.floor(math.log10(max(abs(low), abs(high))))
    for digits in range(17):
        for factor, exponent in ((1, power - digits), (5, power - digits - 1), (2, power - digits - 1)):
            unit = float(f"{factor}e{exponent}")
            if unit > 0 and (count := math.ceil(low / unit)) * unit <= high:
                return float(f"{count * factor}e{exponent}")
    return low


def level_lines(values: Sequence[Sequence[float]], level: float) -> list[Line]:
    """Join the points of a level by marching squares, linear between neighbouring nodes.

    Higher values lie on the left of a line. Where opposite corners of a cell are high, the mean of the four decides
    whether they are joined. A cell with a corner that is not finite has no line.

    Parameters
    ----------
    values : sequence of rows of float
        The value at each node.
    level : float
        Finite.

    Returns
    -------
    list of Line
        Open lines end on the edge of the grid, or at a cell that is left out.
    """
    following = _segments(values, level)
    reached = set(following.values())
    lines = []
    for start in [*(edge for edge in following if edge not in reached), *following]:
        edge, line = start, []
        while edge in following:
            line.append(_crossing(values, edge, level))
            edge = following.pop(edge)
        if line:
            lines.append([*line, _crossing(values, edge, level)])
    return lines


def _segments(values: Sequence[Sequence[float]], level: float) -> dict[_Edge, _Edge]:
    """Find the segments of all cells: the edge that each begins on, and the one that it leads to."""
    following: dict[_Edge, _Edge] = {}
    for row in range(len(values) - 1):
        for column in range(len(values[row]) - 1):
            # counterclockwise, if rows go up
            corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
            heights = [values[j][i] for i, j in corners]
            high = [height >= level for height in heights]
            if all(high) or not any(high) or not all(map(math.isfinite, heights)):
                continue
            falls: list[_Edge] = []
            rises: list[_Edge] = []
            for k, (start, end) in enumerate(pairwise([*corners, corners[0]])):
                if high[k] != high[(k + 1) % 4]:
                    (falls if high[k] else rises).append((min(start, end), max(start, end)))
            # of four crossings, each fall leads to the rise after it if the high corners are joined, else before it
            joined = sum(height / 4 for height in heights) >= level
            following.update(zip(falls, rises if joined == high[0] else rises[::-1], strict=True))
    return following


def _crossing(values: Sequence[Sequence[float]], edge: _Edge, level: float) -> tuple[float, float]:
    (i, j), (k, m) = edge
    ends = values[j][i], values[m][k]
    scale = 0.5 if max(map(abs, ends)) > 1e307 else 1.0  # differences of the largest floats overflow
    low, high = (scale * end for end in ends)
    share = (scale * level - low) / (high - low)
    return i + share * (k - i), j + share * (m - j)
