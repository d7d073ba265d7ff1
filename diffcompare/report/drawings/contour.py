"""The contour plot of gradient descents: level lines of a function of two variables, and the runs across them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.drawings.frame import (
    Frame,
    add,
    add_path,
    coord,
    number,
    scheme_styles,
    svg_element,
    ticks,
    to_html,
)
from diffcompare.report.drawings.level_lines import choose_levels, level_lines
from diffcompare.report.drawings.marks import SCHEMES
from diffcompare.report.drawings.svg_paths import Piece, tenths
from diffcompare.report.wording import Html, plural, printable, short

__all__ = ["Contour", "descent_contour"]

_SIDE, _RIGHT, _LINE = 376.0, 14.0, 19.0
_RUNS = 8  # in one drawing
_RUN_POINTS = 400  # of all runs together, so that a page stays small
_LEVEL_POINTS = 1200  # of all level lines together; with more, every second level is left out
_STEPS = (1.5, 3.0, 6.0)  # a step that is shorter than this in the drawing is part of the next one
_RING = 9  # points of a ring around two by two nodes, the first one again at the end
_SMALLEST = 1e-290  # ranges below it would make the steps of the ticks underflow
_CELL = 5.0  # room for labels is told in squares of this side
_Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contour:
    """The drawing, and in words what it shows: of each run, and on the drawing."""

    drawing: Html
    runs: list[str]
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class _Run:
    gradient: str
    points: list[_Point]  # by step, in data units
    distances: list[float]  # to the run along the exact gradient


@dataclass(frozen=True, slots=True)
class _Trace:
    """A run in the drawing."""

    pieces: list[list[_Point]]
    steps: list[_Point]
    end: _Point | None
    last: int  # the step that the pieces end with


def descent_contour(
    surface: pd.DataFrame, descent: pd.DataFrame, variables: Sequence[str], *, title: str, identity: str
) -> Contour | None:
    """Draw level lines of f and the runs of gradient descent: numeric ones solid, the exact one dashed.

    The drawing shows what the surface covers; runs that leave it are cut off.

    Parameters
    ----------
    surface : DataFrame
        The rows of surfaces.csv for one function.
    descent : DataFrame
        The rows of descent.csv for the same.
    variables : sequence of str
        The variables of the function: they name the coordinates in ``descent``.
    title : str
        What is drawn.
    identity : str
        Prefix of the ids in the drawing; ours, unique in the page.

    Returns
    -------
    Contour or None
        None for a function of more or fewer variables, and where there is nothing that can be drawn.
    """
    if len({*variables}) != 2 or descent.empty or not {*variables} <= {*descent.columns}:
        return None
    xs, ys = (sorted(set(surface[name].tolist())) for name in ("x", "y"))
    if not all(nodes and _SMALLEST < nodes[-1] - nodes[0] < math.inf for nodes in (xs, ys)):
        return None
    known = dict(zip(zip(surface["x"], surface["y"], strict=True), surface["value"].tolist(), strict=True))
    values = [[known.get((x, y), math.nan) for x in xs] for y in ys]
    every = _runs(descent, variables)
    runs = every[:_RUNS]
    gradients = list(dict.fromkeys(run.gradient for run in runs))
    left = 38 + 6.4 * max(len(text) for _, text in ticks((ys[0], ys[-1])))
    top = 8 + _LINE * len(gradients)
    frame = Frame(left, left + _SIDE, top, top + _SIDE, (xs[0], xs[-1]), (ys[0], ys[-1]))
    traces = [_shortest_trace(run, frame, _RUN_POINTS // len(runs)) for run in runs]
    lines = _lines(values, xs, ys, frame)
    words = [_run_words(run, frame) for run in runs]
    remarks = _remarks(lines, values, frame)
    cut = [
        f"{run.gradient} after step {trace.last}"
        for run, trace in zip(runs, traces, strict=True)
        if trace.last < len(run.points) - 1
    ]
    if cut:
        remarks.append(f"Not drawn, but for the end: {', '.join(cut)}; descent.csv has every step.")
    if len(every) > len(runs):
        remarks.append(f"The first {len(runs)} of {len(every)} runs; descent.csv has them all.")
    svg = svg_element(
        frame.right + _RIGHT, frame.bottom + 42, title=title, description=" ".join(words + remarks), identity=identity
    )
    if holes := _holes(values, xs, ys, frame):
        add_path(svg, class_="hole", d=holes)
    add_path(svg, class_="level", d=_pieces(line for _, found in lines for line in found))
    _axes(svg, frame, [printable(shorten(str(name), 30)) for name in variables])
    _draw_runs(svg, frame, runs, traces, gradients)
    taken = _marks(svg, frame, runs, traces)
    _level_names(svg, frame, lines, taken, away=traces[0].steps[0] if traces[0].steps else (frame.left, frame.top))
    return Contour(to_html(svg), words, remarks)


def _runs(descent: pd.DataFrame, variables: Sequence[str]) -> list[_Run]:
    """Tell the runs apart: a new one begins with another gradient, and where the steps start again."""
    runs: list[_Run] = []
    before: tuple[str, int] | None = None
    columns = [descent[name].tolist() for name in ("step", *variables, "distance")]
    for gradient, step, x, y, distance in zip(descent["gradient"].astype(str), *columns, strict=True):
        if before is None or gradient != before[0] or step <= before[1]:
            runs.append(_Run(printable(shorten(gradient, 24)), [], []))
        before = (gradient, step)
        runs[-1].points.append((float(x), float(y)))
        runs[-1].distances.append(float(distance))
    return runs


def _finite(point: _Point) -> bool:
    return all(map(math.isfinite, point))


def _within(point: _Point, frame: Frame) -> bool:
    return frame.left <= point[0] <= frame.right and frame.top <= point[1] <= frame.bottom


def _place(point: _Point, frame: Frame) -> _Point:
    return frame.x(point[0]), frame.y(point[1])


def _shortest_trace(run: _Run, frame: Frame, most: int) -> _Trace:
    """Place a run in the drawing with as many of its steps as fit into so many points."""
    for least in _STEPS:
        trace = _trace(run, frame, least, most)
        if trace.last == len(run.points) - 1:
            break
    return trace


def _trace(run: _Run, frame: Frame, least: float, most: int) -> _Trace:
    """Place what is finite of a run, cut off at the edges; short steps are joined."""
    pieces: list[list[_Point]] = []
    steps: list[_Point] = []
    places = [_place(point, frame) for point in run.points]
    before: _Point | None = None
    last, drawn = 0, 0
    for last, place in enumerate(places):
        if not _finite(place):
            before = None
            continue
        if before is not None:
            if math.dist(before, place) < least and last < len(places) - 1:
                continue
            if piece := _cut(before, place, frame):
                if pieces and pieces[-1][-1] == piece[0]:
                    pieces[-1].append(piece[1])
                else:
                    pieces.append(piece)
        before = place
        if _within(place, frame):
            steps.append(place)
        drawn += 1
        if drawn == most:
            break
    end = places[-1] if _finite(places[-1]) and _within(places[-1], frame) else None
    return _Trace(pieces, steps, end, last)


def _cut(start: _Point, end: _Point, frame: Frame) -> list[_Point]:
    """Cut a straight line at the edges of the frame; with both ends outside it is left out.

    Floats that are far apart would not say where it crosses the frame.
    """
    if not _within(start, frame):
        return _cut(end, start, frame)[::-1] if _within(end, frame) else []
    share = 1.0
    for a, b, low, high in zip(start, end, (frame.left, frame.top), (frame.right, frame.bottom), strict=True):
        if not low <= b <= high:
            share = min(share, ((low if b < low else high) - a) / (b - a))
    return [
        start,
        end if share == 1 else (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])),
    ]


_Lines = list[tuple[float, list[list[_Point]]]]


def _lines(values: Sequence[Sequence[float]], xs: Sequence[float], ys: Sequence[float], frame: Frame) -> _Lines:
    """Place the lines of each level in the drawing; rings around one to three nodes say nothing of their shape."""

    def at(nodes: Sequence[float], place: float) -> float:
        k = min(int(place), len(nodes) - 2)
        return nodes[k] + (place - k) * (nodes[k + 1] - nodes[k])

    levels = choose_levels(values)
    while True:
        found = [
            (level, [line for line in level_lines(values, level) if len(line) >= _RING or line[0] != line[-1]])
            for level in levels
        ]
        if len(levels) < 2 or sum(len(line) for _, lines in found for line in lines) <= _LEVEL_POINTS:
            break
        levels = levels[1::2]
    return [
        (level, [[(frame.x(at(xs, i)), frame.y(at(ys, j))) for i, j in line] for line in lines])
        for level, lines in found
        if lines
    ]


def _pieces(lines: Iterable[Sequence[_Point]]) -> list[Piece]:
    return [([(tenths(x), tenths(y)) for x, y in line], "") for line in lines]


def _holes(values: Sequence[Sequence[float]], xs: Sequence[float], ys: Sequence[float], frame: Frame) -> str:
    """Cover the cells that have no level lines, because a corner is not finite."""
    boxes = []
    for j, (low, high) in enumerate(pairwise(values)):
        bad = [not all(map(math.isfinite, (*low[i : i + 2], *high[i : i + 2]))) for i in range(len(xs) - 1)]
        starts = [i for i in range(len(bad)) if bad[i] and not (i and bad[i - 1])]
        ends = [i + 1 for i in range(len(bad)) if bad[i] and not (i + 1 < len(bad) and bad[i + 1])]
        top, bottom = coord(frame.y(ys[j + 1])), coord(frame.y(ys[j]))
        for start, end in zip(starts, ends, strict=True):
            boxes.append(
                f"M{coord(frame.x(xs[start]))},{top}H{coord(frame.x(xs[end]))}V{bottom}H{coord(frame.x(xs[start]))}z"
            )
    return "".join(boxes)


def _axes(svg: Element, frame: Frame, names: Sequence[str]) -> None:
    axes = add(svg, "g", class_="axes")
    marks = []
    across = ticks(frame.x_range)
    every = 1 + int(sum(7.0 * (len(text) + 1) for _, text in across) / _SIDE)
    for value, text in across[::every]:
        x = coord(frame.x(value))
        marks.append(f"M{x},{coord(frame.bottom)}v4")
        add(axes, "text", text, class_="middle", x=x, y=coord(frame.bottom + 16))
    for value, text in ticks(frame.y_range):
        y = frame.y(value)
        marks.append(f"M{coord(frame.left)},{coord(y)}h-4")
        add(axes, "text", text, class_="end", x=coord(frame.left - 7), y=coord(y + 4))
    box = f"M{coord(frame.left)},{coord(frame.top)}H{coord(frame.right)}V{coord(frame.bottom)}H{coord(frame.left)}z"
    add_path(axes, class_="box", d=box + "".join(marks))
    middle = coord((frame.left + frame.right) / 2), coord(frame.bottom + 35)
    add(axes, "text", names[0], class_="axis middle", x=middle[0], y=middle[1])
    turned = f"translate(13,{coord((frame.top + frame.bottom) / 2)}) rotate(-90)"
    add(axes, "text", names[1], class_="axis middle", transform=turned)


def _draw_runs(
    svg: Element, frame: Frame, runs: Sequence[_Run], traces: Sequence[_Trace], gradients: Sequence[str]
) -> None:
    """Draw the runs, the exact one above the others, with a dot for each step, and the legend."""
    styles = scheme_styles([gradient for gradient in gradients if gradient != "exact"])
    for row, gradient in enumerate(sorted(gradients, key=lambda gradient: gradient == "exact")):
        exact = gradient == "exact"
        # of runs that coincide the lower ones look out on both sides
        width = min(3, len(styles) - row)
        group = add(svg, "g", class_="run exact" if exact else f"run s{styles[gradient]} w{width}")
        mine = [trace for run, trace in zip(runs, traces, strict=True) if run.gradient == gradient]
        middle = _LINE * (row + 0.5)
        add_path(group, class_="line", d=f"M{coord(frame.left)},{coord(middle)}h30")
        name = "along the exact gradient" if exact else f"along the {gradient} difference"
        add(group, "text", name, x=coord(frame.left + 38), y=coord(middle + 4))
        add_path(group, class_="line", d=_pieces(piece for trace in mine for piece in trace.pieces))
        dots = "".join(f"M{coord(x)},{coord(y)}h0" for trace in mine for x, y in trace.steps)
        add_path(group, class_="steps", d=dots)
        marker = "m-5,-5l10,10m0-10l-10,10" if exact else SCHEMES[styles[gradient] - 1].shape
        for x, y in (trace.end for trace in mine if trace.end):
            add_path(group, class_="cross" if exact else "best", d=f"M{coord(x)},{coord(y)}{marker}")


_Cells = dict[tuple[int, int], set[float | None]]  # taken by a level line, or by anything else (None)


def _marks(svg: Element, frame: Frame, runs: Sequence[_Run], traces: Sequence[_Trace]) -> _Cells:
    """Mark where runs start, and say where the first one ends; give what all runs take of the room."""
    taken: _Cells = {}
    for trace in traces:
        for piece in trace.pieces:
            _take(taken, _along(piece), None)
    starts = [place for run in runs if _within(place := _place(run.points[0], frame), frame)]
    for x, y in dict.fromkeys(starts):
        add(svg, "circle", class_="start", cx=coord(x), cy=coord(y), r="5")
    ends = [trace.end for trace in traces if trace.end]
    # beside the line, not on it
    rises = bool(traces[0].pieces) and traces[0].pieces[0][1][1] < traces[0].pieces[0][0][1]
    for name, places, below in (("start", starts, rises), ("end", ends, not rises)):
        for x, y in places[:1]:
            right = x < frame.right - 45
            down = 17.0 if below else -9.0
            at = (x + 9 if right else x - 9, min(max(y + down, frame.top + 12), frame.bottom - 5))
            add(svg, "text", name, class_="mark-name" + ("" if right else " end"), x=coord(at[0]), y=coord(at[1]))
            _take(taken, _box(at[0] + (13 if right else -13), at[1] - 4, 30, 12), None)
            _take(taken, _box(x, y, 14, 14), None)
    return taken


def _level_names(svg: Element, frame: Frame, lines: _Lines, taken: _Cells, *, away: _Point) -> None:
    """Write values on level lines where there is room, far from the start, so that they stand in a row."""
    for level, found in lines:
        for line in found:
            _take(taken, _along(line), level)
    group = add(svg, "g", class_="level-names")
    for level, found in lines:
        text = number(level, 12)
        width = 6.0 * len(text) + 4
        for x, y in sorted((p for line in found for p in line), key=lambda p: (-round(math.dist(p, away)), p)):
            corners = [(x - width / 2 - 3, y - 9), (x + width / 2 + 3, y + 9)]
            box = list(_box(x, y, width, 12))
            if all(_within(corner, frame) for corner in corners) and all(
                taken.get(cell, {level}) == {level} for cell in _cells(box)
            ):
                add(group, "text", text, class_="middle", x=coord(x), y=coord(y + 3.5))
                _take(taken, box, None)
                break


def _along(line: Sequence[_Point]) -> Iterator[_Point]:
    """Points along a line, close enough to touch each cell that it crosses."""
    for start, end in pairwise(line):
        count = 1 + int(math.dist(start, end) / (_CELL / 2))
        for k in range(count + 1):
            yield start[0] + k / count * (end[0] - start[0]), start[1] + k / count * (end[1] - start[1])


def _box(x: float, y: float, width: float, height: float) -> Iterator[_Point]:
    across, down = 1 + math.ceil(width / _CELL), 1 + math.ceil(height / _CELL)
    for i in range(across):
        for j in range(down):
            yield x - width / 2 + i / (across - 1) * width, y - height / 2 + j / (down - 1) * height


def _cells(points: Sequence[_Point]) -> Iterator[tuple[int, int]]:
    for x, y in points:
        yield int(x / _CELL), int(y / _CELL)


def _take(taken: _Cells, points: Iterator[_Point] | list[_Point], owner: float | None) -> None:
    for cell in _cells(list(points)):
        taken.setdefault(cell, set()).add(owner)


def _run_words(run: _Run, frame: Frame) -> str:
    """Say where a run goes, and how far from the exact one.

    >>> frame = Frame(0.0, 1.0, 0.0, 1.0, (-4.0, 4.0), (-4.0, 4.0))
    >>> _run_words(_Run("central", [(3.0, 4.0), (0.0, 0.0)], [0.0, 1e-12]), frame)
    'central, from (3, 4): 1 step, to (0, 0), 5 away. It ends 1e-12 from the exact run, and is never farther from it.'
    """
    known = [step for step, point in enumerate(run.points) if _finite(point)]
    x, y = run.points[0]
    words = f"{run.gradient}, from ({short(x)}, {short(y)}): {plural(len(run.points) - 1, 'step')}"
    outside = next((step for step in known if not _within(_place(run.points[step], frame), frame)), None)
    if len(known) < len(run.points):
        words += f"; not finite from step {len(known)} on."
    else:
        x, y = run.points[-1]
        words += f", to ({short(x)}, {short(y)}), {short(math.dist(run.points[0], run.points[-1]))} away."
    if run.gradient != "exact":
        words += _distance_words(run.distances)
    return words + (f" It leaves the drawing at step {outside}." if outside is not None else "")


def _distance_words(distances: Sequence[float]) -> str:
    known = [distance for distance in distances if distance == distance]
    largest = max(known, default=math.nan)
    if largest == 0:
        return " It is the exact run to the last bit."
    at = f"at step {distances.index(largest)}" if known else ""
    if len(known) < len(distances):
        return f" It is at most {short(largest)} from the exact run, {at}." if known else ""
    if distances[-1] == largest:
        return f" It ends {short(largest)} from the exact run, and is never farther from it."
    return f" It ends {short(distances[-1])} from the exact run; at most they are {short(largest)} apart, {at}."


def _remarks(lines: _Lines, values: Sequence[Sequence[float]], frame: Frame) -> list[str]:
    levels = ", ".join(number(level, 12) for level, _ in lines)
    known = [[value for value in row if math.isfinite(value)] for row in values]
    if levels:
        made = [f"On a grey line f has one value: {levels}."]
    elif len({value for row in known for value in row}) < 2:
        made = ["f is constant here: it has no level lines."]
    else:
        made = ["No level lines: f changes too fast for the nodes of surfaces.csv."]
    if sum(map(len, known)) < sum(map(len, values)):
        made.append("Shaded: cells with a corner where f is not finite.")
    widths = [high - low for low, high in (frame.x_range, frame.y_range)]
    if abs(widths[0] - widths[1]) <= 1e-9 * widths[0]:
        made.append("Both axes have the same scale.")
    else:
        made.append("The axes have different scales, so steps do not look perpendicular to the lines.")
    return made
