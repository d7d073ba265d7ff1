"""The picture that opens a report: |error| against h of every function, a thin line for each scheme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.drawings.frame import (
    LANE,
    Frame,
    add,
    add_path,
    book_label,
    book_line,
    coord,
    far_apart,
    levels,
    log_axes,
    log_range,
    scheme_styles,
    step_range,
    svg_element,
    to_html,
)
from diffcompare.report.drawings.svg_paths import Piece, Place, tenths
from diffcompare.report.wording import Html, plural, printable, short

__all__ = ["overview"]

_WIDTH, _LEFT, _RIGHT, _HEIGHT, _TOP = 640.0, 64.0, 630.0, 340.0, 34.0
_NUMBERS = 6_000  # at most; an index with more would be slow to open
_LINES = 600


@dataclass(frozen=True, slots=True)
class _Line:
    """The largest |error| of a function over its variables and points, by h; large h first."""

    function: str
    scheme: str
    points: list[tuple[float, float]]


def overview(errors: pd.DataFrame) -> Html | None:
    """Draw all functions of a study; None where there is nothing to draw.

    A line is the largest error over the variables and points of a function. Steps that are far away from the others
    stand at the edge, errors of exactly 0 in a lane below, nan and inf in one above.
    """
    lines = _lines(errors)
    steps = sorted({h for line in lines for h, _ in line.points}, reverse=True)
    if not steps:
        return None
    near = _together(steps)
    values = [error for line in lines for _, error in line.points]
    broken, zeros = any(not error < math.inf for error in values), 0.0 in values
    top = _TOP + LANE * broken
    frame = Frame(_LEFT, _RIGHT, top, top + _HEIGHT, step_range(levels(near)), log_range(levels(values)))
    lanes = (frame.top - 4 - LANE / 2, frame.bottom + 4 + LANE / 2)
    styles = scheme_styles(list(dict.fromkeys(line.scheme for line in lines)))
    svg = svg_element(
        _WIDTH,
        frame.bottom + LANE * zeros + 44,
        title="Absolute error against step size, every function of the report",
        description=_description(lines, styles),
        identity="overview",
    )
    svg.set("data-scale", " ".join(coord(v) for v in (*frame.bounds, *frame.x_range, *frame.y_range, *lanes, 0.0)))
    log_axes(svg, frame, (lanes[0] if broken else 0.0, lanes[1] if zeros else 0.0), label="largest |error|")
    if book_line(svg, frame):
        book_label(svg, frame, frame.top)
    for line in lines:
        _draw(svg, line, styles[line.scheme], frame, lanes, set(near))
    _legend(svg, styles)
    for word, x, side, class_ in (
        (f"‹ h = {short(steps[-1])}", frame.left + 5, steps[-1] < near[-1], "far"),
        (f"h = {short(steps[0])} ›", frame.right - 5, steps[0] > near[0], "far end"),
    ):
        if side:
            add(svg, "text", word, class_=class_, x=coord(x), y=coord(frame.bottom - 8))
    return to_html(svg)


def _lines(errors: pd.DataFrame) -> list[_Line]:
    rows = errors[(errors["h"] > 0) & errors["exact"].notna()]
    if rows.empty:
        return []
    largest = rows.groupby(["function", "scheme", "h"], observed=True, sort=False)["abs_error"].max()
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for function, scheme, h, error in largest.reset_index().itertuples(index=False):
        found.setdefault((str(function), str(scheme)), []).append((float(h), float(error)))
    kept = list(found.items())[:_LINES]
    every = math.ceil(sum(len(points) for _, points in kept) / _NUMBERS)
    return [_Line(*names, sorted(points, reverse=True)[::every]) for names, points in kept]


def _together(steps: Sequence[float]) -> list[float]:
    """Take the largest group of steps without a gap; of equal ones that of the larger steps."""
    groups = [[steps[0]]]
    for larger, smaller in pairwise(steps):
        if far_apart(larger, smaller):
            groups.append([])
        groups[-1].append(smaller)
    return max(groups, key=len)


def _draw(svg: Element, line: _Line, style: int, frame: Frame, lanes: tuple[float, float], near: set[float]) -> None:
    pieces: list[tuple[list[Place], str]] = []
    apart: list[Piece] = []
    joined = False
    for h, error in line.points:
        x = min(max(frame.x(math.log10(h)), frame.left), frame.right)
        plain, inside = 0 < error < math.inf, h in near
        y = frame.y(math.log10(error)) if plain else lanes[1] if error == 0 else lanes[0]
        place = tenths(x), tenths(y)
        if not (plain and inside):
            apart.append(([place], "h0"))
        elif joined:
            pieces[-1][0].append(place)
        else:
            pieces.append(([place], ""))
        joined = plain and inside
    numbers = " ".join(f"{short(h)} {short(error)}" for h, error in line.points).replace("–", "nan")
    group = add(svg, "g", class_=f"s{style}")
    name = printable(f"{shorten(line.function, 60)}, {shorten(line.scheme, 24)}")
    add_path(group, class_="line", d=pieces, data_name=name, data_points=numbers)
    if apart:
        add_path(group, class_="apart", d=apart)


def _legend(svg: Element, styles: Mapping[str, int]) -> None:
    x = _LEFT
    for scheme, style in list(styles.items())[:6]:
        row = add(svg, "g", class_=f"s{style}")
        add_path(row, class_="line", d=f"M{coord(x)},14h26")
        text = printable(shorten(scheme, 14))
        add(row, "text", text, class_="name", x=coord(x + 32), y="18")
        x += 52 + 8 * len(text)


def _description(lines: Sequence[_Line], styles: Mapping[str, int]) -> str:
    """Say where each scheme is best: the smallest of the largest errors, and those at the ends."""
    sentences = [f"{plural(len({line.function for line in lines}), 'function')}."]
    for scheme in styles:
        points = [point for line in lines if line.scheme == scheme for point in line.points if point[1] < math.inf]
        name = printable(shorten(scheme, 24))
        if not points:
            sentences.append(f"{name}: no error could be measured.")
            continue
        (low, least), (high, most) = (choose(points, key=lambda point: point[1]) for choose in (min, max))
        sentences.append(
            f"{name}: |error| from {short(least)} at h = {short(low)} to {short(most)} at h = {short(high)}."
        )
    return " ".join(sentences)
