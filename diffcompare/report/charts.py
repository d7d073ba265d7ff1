"""The error chart: |error| against h on logarithmic axes, as inline SVG.

A chart is a pure function of the rows of one function, variable and point. What a logarithmic axis cannot
show is not left out: errors of exactly 0 stand in a lane below, nan and inf in a lane above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from xml.etree.ElementTree import Element, SubElement, tostring

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.wording import Html, plural, printable, short

__all__ = ["Frame", "add", "coord", "error_chart", "scheme_style", "smallest_error", "svg_element", "to_html"]

_WIDTH, _LEFT, _RIGHT = 760.0, 64.0, 742.0
_PLOT_HEIGHT, _LINE, _LANE, _DODGE = 300.0, 19.0, 26.0, 4.0
_BARE_HEIGHT = 60.0  # where every error stands in a lane
_DECADES = 8  # the y axis is never shorter: noise must not look like a trend
_STYLES: Mapping[str, int] = {"forward": 1, "backward": 2, "central": 3, "central4": 4}
_MARKERS: Mapping[int, str] = {
    1: "m-3.4,0a3.4,3.4 0 1,0 6.8,0a3.4,3.4 0 1,0-6.8,0z",
    2: "m-3,-3h6v6h-6z",
    3: "m0,-4l4,7h-8z",
    4: "m0,-4.4l4.4,4.4l-4.4,4.4l-4.4,-4.4z",
    5: "m-4,-1.2h2.8v-2.8h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8z",
}


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the drawing with linear scales onto it; logarithms are taken before."""

    left: float
    right: float
    top: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        """Place an abscissa."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Place a value; larger ones stand higher."""
        low, high = self.y_range
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def clipped(self, start: tuple[float, float], end: tuple[float, float]) -> str:
        """Path of a straight line between two points in data units, cut at the range of y; '' if outside."""
        (x0, y0), (x1, y1) = start, end
        low, high = self.y_range
        if not math.isfinite(y1 - y0):
            return ""
        if y0 == y1:
            pieces = (0.0, 1.0) if low <= y0 <= high else (1.0, 0.0)
        else:
            at = sorted(((low - y0) / (y1 - y0), (high - y0) / (y1 - y0)))
            pieces = (max(0.0, at[0]), min(1.0, at[1]))
        if pieces[0] >= pieces[1]:
            return ""
        points = [(self.x(x0 + t * (x1 - x0)), self.y(y0 + t * (y1 - y0))) for t in pieces]
        return "M" + "L".join(f"{coord(x)},{coord(y)}" for x, y in points)


@dataclass(frozen=True, slots=True)
class _Series:
    """One scheme of the chart."""

    scheme: str
    style: int
    order: int
    h: list[float]
    error: list[float]
    ok: list[bool]
    truncation: list[float]
    predicted: tuple[float, float]


def error_chart(rows: pd.DataFrame, *, title: str, identity: str) -> Html | None:
    """Draw |error| against h, one line a scheme.

    Parameters
    ----------
    rows : DataFrame
        The rows of errors.csv for one function, variable and point.
    title : str
        What is differentiated, and where.
    identity : str
        Prefix of the ids in the drawing; ours, unique in the page.

    Returns
    -------
    Html or None
        None if no row has a place in the drawing; else an SVG element. Its coordinates are rounded to a tenth
        of a unit, so equal rows give equal text.
    """
    series = _series(rows)
    if not series:
        return None
    zeros = any(error == 0 for s in series for error in s.error)
    broken = any(not math.isfinite(error) for s in series for error in s.error)
    top = 10 + _LINE * len(series) + 18 + _LANE * broken
    frame = _frame(series, top)
    height = frame.bottom + _LANE * zeros + 44
    svg = svg_element(_WIDTH, height, title=title, description=_description(series), identity=identity)
    lanes = (frame.top - 8 - _LANE / 2, frame.bottom + 4 + _LANE / 2)
    svg.set("data-scale", " ".join(coord(v) for v in (*_bounds(frame), *frame.x_range, *frame.y_range, *lanes, _DODGE)))
    _axes(svg, frame, (lanes[0] if broken else 0.0, lanes[1] if zeros else 0.0))
    for k, s in enumerate(series):
        dodge = _DODGE * (k - (len(series) - 1) / 2)
        _legend(svg, s, 10 + _LINE * (k + 0.5))
        group = add(svg, "g", class_=f"s{s.style}")
        _model(group, s, frame)
        _measured(group, s, frame, (lanes[0] + dodge, lanes[1] + dodge))
    for s in series:
        _marks(svg, s, frame, lanes[1])
    return to_html(svg)


def scheme_style(scheme: str, position: int) -> int:
    """Give the number (1 to 5) of a scheme's colour and marker; unknown schemes take them in turn."""
    return _STYLES.get(scheme, 1 + (position + 4) % len(_MARKERS))


def smallest_error(h: Sequence[float], error: Sequence[float], ok: Sequence[bool]) -> tuple[float, float, int]:
    """Find the best h: its value, its |error|, and at how many h that |error| occurs; ties go to the largest h."""
    found = [(e, -step) for step, e, good in zip(h, error, ok, strict=True) if good and e == e]
    if not found:
        return math.nan, math.nan, 0
    error_best, minus_h = min(found)
    return -minus_h, error_best, sum(e == error_best for e, _ in found)


def _series(rows: pd.DataFrame) -> list[_Series]:
    made = []
    for position, (scheme, part) in enumerate(rows.groupby("scheme", observed=True, sort=False)):
        # a step that the dtype rounds to 0 has no place on a logarithmic axis; the page says how many there are
        part = part[part["h"] > 0].sort_values("h", ascending=False, kind="stable")
        if part.empty:
            continue
        made.append(
            _Series(
                scheme=str(scheme),
                style=scheme_style(str(scheme), position),
                order=int(part["order"].iloc[0]),
                h=part["h"].tolist(),
                error=part["abs_error"].tolist(),
                ok=(part["status"].astype(str) == "ok").tolist(),
                truncation=part["truncation"].abs().tolist(),
                predicted=(float(part["predicted_h"].iloc[0]), float(part["predicted_abs_error"].iloc[0])),
            )
        )
    return made


def _frame(series: Sequence[_Series], top: float) -> Frame:
    """Take the ranges from the measured errors only: a model line may not flatten them."""
    steps = [math.log10(h) for s in series for h in s.h]
    errors = [math.log10(e) for s in series for e in s.error if e > 0 and math.isfinite(e)]
    low, high = math.floor(min(errors, default=-8.0) - 0.05), math.ceil(max(errors, default=-8.0) + 0.05)
    missing = max(0, _DECADES - (high - low))
    return Frame(
        left=_LEFT,
        right=_RIGHT,
        top=top,
        bottom=top + (_PLOT_HEIGHT if errors else _BARE_HEIGHT),
        x_range=(math.floor(10 * min(steps) - 4) / 10, math.ceil(10 * max(steps) + 4) / 10),
        y_range=(float(low - missing // 2), float(high + missing - missing // 2)),
    )


def _bounds(frame: Frame) -> tuple[float, float, float, float]:
    return frame.left, frame.right, frame.top, frame.bottom


def _axes(svg: Element, frame: Frame, lanes: tuple[float, float]) -> None:
    axes = add(svg, "g", class_="axes")
    add(axes, "path", class_="box", d=_box(frame.left, frame.right, frame.top, frame.bottom))
    grid = []
    for exponent in _decades(frame.y_range, most=int((frame.bottom - frame.top) / 26)):
        y = coord(frame.y(exponent))
        grid.append(f"M{coord(frame.left)},{y}H{coord(frame.right)}")
        add(axes, "text", _power(exponent), class_="tick end", x=coord(frame.left - 7), y=coord(frame.y(exponent) + 4))
    floor = lanes[1] + _LANE / 2 if lanes[1] else frame.bottom
    for exponent in _decades(frame.x_range, most=13):
        x = coord(frame.x(exponent))
        grid.append(f"M{x},{coord(frame.top)}V{coord(frame.bottom)}")
        add(axes, "text", _power(exponent), class_="tick middle", x=x, y=coord(floor + 16))
    axes.insert(0, _element("path", class_="grid", d="".join(grid)))
    middle = f"translate(13,{coord((frame.top + frame.bottom) / 2)}) rotate(-90)"
    add(axes, "text", "|error|", class_="axis middle", transform=middle)
    add(axes, "text", "step size h", class_="axis middle", x=coord((frame.left + frame.right) / 2), y=coord(floor + 35))
    for at, label in zip(lanes, ("nan / inf", "exactly 0"), strict=True):
        if at:
            box = _box(frame.left, frame.right, at - _LANE / 2 + 1, at + _LANE / 2 - 1)
            add(axes, "path", class_="lane", d=box)
            add(axes, "text", label, class_="tick end", x=coord(frame.left - 7), y=coord(at + 4))
    if frame.x_range[0] < -4 < frame.x_range[1]:
        book = frame.x(-4)
        add(axes, "path", class_="mark", d=f"M{coord(book)},{coord(frame.top)}V{coord(frame.bottom)}")
        add(axes, "text", "h = 1e-4", class_="tick", x=coord(book + 4), y=coord(frame.bottom - 6))


def _measured(group: Element, s: _Series, frame: Frame, lanes: tuple[float, float]) -> None:
    """Draw line and markers; the line breaks where a value stands in a lane, hollow markers are not ok."""
    line: list[str] = []
    full: list[str] = []
    hollow: list[str] = []
    joined = False
    for h, error, ok in zip(s.h, s.error, s.ok, strict=True):
        x = coord(frame.x(math.log10(h)))
        plain = 0 < error < math.inf
        y = coord(frame.y(math.log10(error)) if plain else lanes[1] if error == 0 else lanes[0])
        if plain:
            line.append(f"{'L' if joined else 'M'}{x},{y}")
        joined = plain
        (full if ok else hollow).append(f"M{x},{y}{_MARKERS[s.style]}")
    for name, parts in (("line", line), ("dots", full), ("dots hollow", hollow)):
        if parts:
            add(group, "path", class_=name, d="".join(parts))


def _model(group: Element, s: _Series, frame: Frame) -> None:
    """Dash the truncation error: the exact one where the table has it, else the slope of the scheme's order."""
    if any(math.isfinite(t) and t > 0 for t in s.truncation):
        points = [
            (math.log10(h), math.log10(t)) for h, t in zip(s.h, s.truncation, strict=True) if t > 0 and math.isfinite(t)
        ]
        d = "".join(frame.clipped(a, b) for a, b in pairwise(points))
    else:
        level = slope_level(s.h, s.error, s.ok, s.order)
        low, high = frame.x_range
        d = "" if level is None else frame.clipped((low, s.order * low + level), (high, s.order * high + level))
    if d:
        add(group, "path", class_="model", d=d)


def slope_level(h: Sequence[float], error: Sequence[float], ok: Sequence[bool], order: int) -> float | None:
    """Place the line log10 |error| = order·log10 h + level through the errors where truncation rules.

    These are the 8 smallest h from 10 times the best h upwards. None if they are fewer than 3, or do not
    follow the slope within a factor of 3: then no line is the honest one.
    """
    best, _, _ = smallest_error(h, error, ok)
    rows = [
        math.log10(e) - order * math.log10(step)
        for step, e, good in zip(h, error, ok, strict=True)
        if good and 0 < e < math.inf and step >= 10 * best
    ][-8:]
    if len(rows) < 3 or max(rows) - min(rows) > math.log10(3):
        return None
    return median(rows)


def _legend(svg: Element, s: _Series, y: float) -> None:
    row = add(svg, "g", class_=f"legend s{s.style}")
    add(row, "path", class_="line", d=f"M{coord(_LEFT)},{coord(y)}h30")
    add(row, "path", class_="dots", d=f"M{coord(_LEFT + 15)},{coord(y)}{_MARKERS[s.style]}")
    add(row, "text", printable(shorten(s.scheme, 14)), class_="name", x=coord(_LEFT + 38), y=coord(y + 4))
    h, error, times = smallest_error(s.h, s.error, s.ok)
    if not times:
        add(row, "text", "no error could be measured", class_="tick", x=coord(_LEFT + 140), y=coord(y + 4))
        return
    text = f"▼ smallest |error| {short(error)} at h = {short(h)}"
    if times > 1:
        text += f" ({times} such h)"
    if math.isfinite(s.predicted[0]):
        text += f"; ◇ predicted {short(s.predicted[1])} at h = {short(s.predicted[0])}"
    add(row, "text", text, class_="tick", x=coord(_LEFT + 140), y=coord(y + 4))


def _marks(svg: Element, s: _Series, frame: Frame, zero_lane: float) -> None:
    group = add(svg, "g", class_=f"marks s{s.style}")
    best, smallest, times = smallest_error(s.h, s.error, s.ok)
    if times:
        x = frame.x(math.log10(best))
        y = frame.y(math.log10(smallest)) if 0 < smallest < math.inf else zero_lane
        add(group, "path", class_="best", d=f"M{coord(x)},{coord(y - 6)}l-6,-10h12z")
    h, error = s.predicted
    low, high = frame.y_range
    if h > 0 and error > 0 and low <= math.log10(error) <= high:
        x, y = frame.x(math.log10(h)), frame.y(math.log10(error))
        add(group, "path", class_="predicted", d=f"M{coord(x)},{coord(y - 7)}l7,7l-7,7l-7,-7z")


def _description(series: Sequence[_Series]) -> str:
    sentences = []
    for s in series:
        h, error, times = smallest_error(s.h, s.error, s.ok)
        name = printable(shorten(s.scheme, 24))
        if not times:
            sentences.append(f"{name}: no error could be measured at any of {plural(len(s.h), 'step size')}.")
            continue
        parts = [f"{name}: smallest |error| {short(error)} at h = {short(h)}"]
        ends = (0, -1) if len(s.h) > 1 else (0,)
        parts += [f"{short(s.error[k])} at h = {short(s.h[k])}" for k in ends]
        zeros = sum(e == 0 for e in s.error)
        broken = sum(not math.isfinite(e) for e in s.error)
        parts += [f"exactly 0 at {zeros} of {len(s.h)} h"] * bool(zeros)
        parts += [f"nan or inf at {broken} of {len(s.h)} h"] * bool(broken)
        sentences.append(", ".join(parts) + ".")
    return " ".join(sentences)


def _decades(limits: tuple[float, float], most: int) -> list[int]:
    """Choose whole exponents for the ticks, every second or third where they would crowd."""
    low, high = math.ceil(limits[0]), math.floor(limits[1])
    every = 1
    while (high - low) / every > most:
        every += 1
    return [k for k in range(low, high + 1) if k % every == 0]


def _power(exponent: int) -> str:
    return {0: "1", 1: "10"}.get(exponent, f"1e{exponent}")


def svg_element(width: float, height: float, *, title: str, description: str, identity: str) -> Element:
    """Begin a drawing that a screen reader announces with title and description."""
    names = {"aria-labelledby": f"{identity}-title {identity}-desc", "viewBox": f"0 0 {coord(width)} {coord(height)}"}
    svg = Element("svg", {"role": "img", **names})
    add(svg, "title", printable(shorten(title, 200)), id=f"{identity}-title")
    add(svg, "desc", description, id=f"{identity}-desc")
    return svg


def add(parent: Element, tag: str, content: str = "", **attributes: str) -> Element:
    """Add an element; ``class_`` stands for class. Text and attributes are escaped when it is written."""
    child = SubElement(parent, tag, {name.rstrip("_"): value for name, value in attributes.items()})
    child.text = content
    return child


def _element(tag: str, **attributes: str) -> Element:
    return Element(tag, {name.rstrip("_"): value for name, value in attributes.items()})


def to_html(svg: Element) -> Html:
    """Write a drawing as markup."""
    return Html(tostring(svg, encoding="unicode"))


def _box(left: float, right: float, top: float, bottom: float) -> str:
    return f"M{coord(left)},{coord(top)}H{coord(right)}V{coord(bottom)}H{coord(left)}Z"


def coord(value: float) -> str:
    """Round a coordinate: short, and the same whatever the last bit of a logarithm."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
