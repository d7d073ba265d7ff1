"""The drawing of a function of one variable: its curve, the tangent, and the secants that stand for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.columns import Columns, columns_of, places_by
from diffcompare.report.drawings.frame import Frame, add, add_path, coord, scheme_styles, svg_element, ticks, to_html
from diffcompare.report.drawings.svg_paths import Piece
from diffcompare.report.wording import Html, printable, short
from diffcompare.tables.schema import read_point

__all__ = ["function_sketch"]

_WIDTH, _PLOT_HEIGHT, _LEFT, _LINE = 560.0, 240.0, 70.0, 19.0
_SMALLEST = 1e-290  # ranges below it would make the steps of the ticks underflow


def function_sketch(
    curve: pd.DataFrame | Columns, rows: pd.DataFrame | Columns, *, title: str, identity: str
) -> Html | None:
    """Draw f around the point with its tangent (slope ``exact``) and one secant a scheme (slope ``numeric``).

    The secant is the one of the largest h whose abscissae lie in the drawing.

    Parameters
    ----------
    curve : DataFrame, or its columns as lists
        The rows of curves.csv for one function and point.
    rows : the same
        The rows of errors.csv for it.
    title : str
        What is drawn.
    identity : str
        Prefix of the ids in the drawing; ours, unique in the page.

    Returns
    -------
    Html or None
        An SVG element; None where there is nothing that can be drawn.
    """
    curve, rows = columns_of(curve), columns_of(rows)
    points = sorted(zip(curve["x"], curve["value"], strict=True))
    x_range = (points[0][0], points[-1][0]) if points else (0.0, 0.0)
    finite = sorted(value for _, value in points if math.isfinite(value))
    if len(finite) < 2 or not _SMALLEST < x_range[1] - x_range[0] < math.inf:
        return None
    try:
        at = next(iter(read_point(str(curve["point"][0])).values()))
    except ValueError:  # not the text of a point: the table did not come from us
        return None
    y_range = _y_range(finite, dict(points).get(at, math.nan))
    if not y_range[1] - y_range[0] < math.inf:
        return None
    secants = _secants(points, rows, at)
    top = 12 + _LINE * (len(secants) + 1)
    frame = Frame(_LEFT, _WIDTH - 16, top, top + _PLOT_HEIGHT, x_range, y_range)
    slope = float(rows["exact"][0])
    drawn = [f"{name}: slope {short(s)} with h = {short(h)}" for name, _, h, s, _ in secants]
    tangent = f"exact slope {short(slope)}" if math.isfinite(slope) else "no tangent: there is no exact slope here"
    svg = svg_element(
        _WIDTH, frame.bottom + 42, title=title, description="; ".join([tangent, *drawn]) + ".", identity=identity
    )
    _axes(svg, frame)
    _curve(svg, frame, points)
    value = dict(points).get(at, math.nan)
    if math.isfinite(slope) and math.isfinite(value):
        add_path(svg, class_="tangent", d=_line(frame, at, value, slope))
    _legend(svg, "tangent", tangent, 12 + _LINE / 2)
    for k, (name, style, h, secant, ends) in enumerate(secants):
        group = add(svg, "g", class_=f"secant s{style}")
        add_path(group, class_="line", d=_line(frame, *ends[0], secant))
        for x, y in ends:
            if frame.y_range[0] <= y <= frame.y_range[1]:
                add(group, "circle", class_="dots", cx=coord(frame.x(x)), cy=coord(frame.y(y)), r="3")
        text = f"{name}: slope {short(secant)} with h = {short(h)}"
        _legend(svg, f"secant s{style}", text, 12 + _LINE * (k + 1.5))
    if math.isfinite(value):
        add(svg, "circle", class_="point", cx=coord(frame.x(at)), cy=coord(frame.y(value)), r="4.5")
    return to_html(svg)


def _y_range(finite: Sequence[float], value: float) -> tuple[float, float]:
    """Take the whole range, or its middle 80 % with a margin where a pole would flatten everything else."""
    low, high = finite[0], finite[-1]
    inner_low, inner_high = finite[len(finite) // 10], finite[-1 - len(finite) // 10]
    if high - low > 6 * (inner_high - inner_low) > 0:
        margin = inner_high - inner_low
        low, high = max(low, inner_low - margin), min(high, inner_high + margin)
    if math.isfinite(value):
        low, high = min(low, value), max(high, value)
    pad = max(0.06 * (high - low) or 0.5 * abs(high) or 1.0, _SMALLEST)
    return low - pad, high + pad


def _secants(
    points: Sequence[tuple[float, float]], rows: Columns, at: float
) -> list[tuple[str, int, float, float, list[tuple[float, float]]]]:
    """Choose a secant a scheme: name, style, h, slope and the two points that it joins."""
    made = []
    parts = places_by(rows, "scheme")
    styles = scheme_styles([scheme for (scheme,) in parts])
    for (scheme,), places in parts.items():
        offsets = {"forward": (0.0, 1.0), "backward": (-1.0, 0.0), "central": (-1.0, 1.0)}.get(scheme)
        if offsets is None:
            continue
        for h, slope in sorted(((rows["h"][k], rows["numeric"][k]) for k in places), reverse=True):
            left, right = at + offsets[0] * h, at + offsets[1] * h
            start = _value(points, left)
            inside = points[0][0] <= left and right <= points[-1][0]
            if inside and right - left > 0.02 * (points[-1][0] - points[0][0]) and math.isfinite(start + slope):
                # the quotient fixes the second end: f(left) + slope·(right − left)
                ends = [(left, start), (right, start + slope * (right - left))]
                made.append((printable(shorten(scheme, 24)), styles[scheme], h, slope, ends))
                break
    return made


def _value(points: Sequence[tuple[float, float]], x: float) -> float:
    """Interpolate the curve: exact at its abscissae, good to the eye between them."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= x <= x1:
            return y0 if x == x0 else y1 if x == x1 else y0 + (x - x0) / (x1 - x0) * (y1 - y0)
    return math.nan


def _line(frame: Frame, x: float, y: float, slope: float) -> list[Piece]:
    low, high = frame.x_range
    return frame.line([(low, y + slope * (low - x)), (high, y + slope * (high - x))])


def _curve(svg: Element, frame: Frame, points: Sequence[tuple[float, float]]) -> None:
    """Draw the curve; it breaks where f is not finite, and is cut where it leaves the drawing.

    A piece with both ends outside is left out: it would be a line across a pole.
    """
    low, high = frame.y_range
    joined: list[tuple[float, float] | None] = [points[0]]
    for a, b in pairwise(points):
        if not (math.isfinite(a[1] - b[1]) and (low <= a[1] <= high or low <= b[1] <= high)):
            joined.append(None)
        joined.append(b)
    add_path(svg, class_="curve", d=frame.line(joined))


def _axes(svg: Element, frame: Frame) -> None:
    axes = add(svg, "g", class_="axes")
    grid = []
    for value, text in ticks(frame.x_range):
        x = coord(frame.x(value))
        grid.append(f"M{x},{coord(frame.top)}V{coord(frame.bottom)}")
        add(axes, "text", text, class_="middle", x=x, y=coord(frame.bottom + 16))
    for value, text in ticks(frame.y_range):
        grid.append(f"M{coord(frame.left)},{coord(frame.y(value))}H{coord(frame.right)}")
        add(axes, "text", text, class_="end", x=coord(frame.left - 7), y=coord(frame.y(value) + 4))
    add_path(axes, class_="grid", d="".join(grid))
    box = f"M{coord(frame.left)},{coord(frame.top)}H{coord(frame.right)}V{coord(frame.bottom)}H{coord(frame.left)}Z"
    add_path(axes, class_="box", d=box)


def _legend(svg: Element, style: str, text: str, y: float) -> None:
    row = add(svg, "g", class_=f"legend {style}")
    add_path(row, class_="line", d=f"M{coord(_LEFT)},{coord(y)}h30")
    add(row, "text", text, x=coord(_LEFT + 38), y=coord(y + 4))
