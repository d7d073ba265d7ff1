"""The error chart: |error| against h on logarithmic axes, as inline SVG.

A chart is a pure function of the rows of one function, variable and point. What a logarithmic axis cannot
show is not left out: errors of exactly 0 stand in a lane below, nan and inf in a lane above.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from statistics import median
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.columns import Columns, columns_of
from diffcompare.report.drawings.frame import (
    LANE,
    LETTER,
    Frame,
    Point,
    add,
    add_path,
    book_label,
    book_line,
    by_scheme,
    coord,
    joined,
    levels,
    log_axes,
    log_range,
    scheme_styles,
    step_range,
    svg_element,
    to_html,
)
from diffcompare.report.drawings.rule_ticks import rule_ticks
from diffcompare.report.drawings.svg_paths import Place, dots_text, shorten_path, tenths
from diffcompare.report.wording import Html, bound_words, plural, printable, short

__all__ = ["Chart", "error_chart", "slope_level", "smallest_error"]

# a phone shows it at half this size and with larger letters, which all distances allow for
_WIDTH, _LEFT, _RIGHT = 600.0, 64.0, 590.0
_PLOT_HEIGHT, _LINE, _DODGE = 280.0, 19.0, 4.0
_REGIME_LABEL = 130.0  # a narrower regime is shaded without its name
_BARE_HEIGHT = 60.0  # where every error stands in a lane


@dataclass(frozen=True, slots=True)
class _Series:
    """One scheme of the chart."""

    scheme: str
    style: int
    order: int
    h: list[float]
    steps: list[float]  # logarithms of h
    error: list[float]
    sizes: list[float]  # logarithms of the errors, nan where they have none
    ok: list[bool]
    truncation: list[float]
    bound: list[float]
    source: set[str]
    predicted: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing, and what is said beside it: of each scheme its style, its name and its best steps in words."""

    drawing: Html
    schemes: list[tuple[int, str, list[str]]]


def error_chart(
    rows: pd.DataFrame | Columns, *, title: str, identity: str, rules: pd.DataFrame | Columns | None = None
) -> Chart | None:
    """Draw |error| against h, one line a scheme.

    Parameters
    ----------
    rows : DataFrame, or its columns as lists
        The rows of errors.csv for one function, variable and point.
    title : str
        What is differentiated, and where.
    identity : str
        Prefix of the ids in the drawing; ours, unique in the page.
    rules : the same, optional
        The rows of rules.csv for the same, drawn as ticks at the upper edge.

    Returns
    -------
    Chart or None
        None if no row has a place in the drawing; else an SVG element with what is said beside it. Its coordinates
        are rounded to a tenth of a unit, so equal rows give equal text.
    """
    series = _series(columns_of(rows))
    if not series:
        return None
    zeros = any(error == 0 for s in series for error in s.error)
    broken = any(not math.isfinite(error) for s in series for error in s.error)
    places = _flow([len(_name(s)) for s in series], 10 + _LINE / 2)
    last = places[-1][1]
    frame = _frame(series)
    lines = [_lines(s, frame.x_range) for s in series]
    words = _line_words(series, {name for name in lines[0] if any(frame.shows(thin[name]) for thin in lines)})
    key = _flow([len(text) for text in words.values()], last + _LINE)
    last = key[-1][1] if key else last
    top = last + _LINE / 2 + 10 + (LANE + 8) * broken
    frame = replace(frame, top=top, bottom=top + frame.bottom)
    height = frame.bottom + LANE * zeros + 44
    svg = svg_element(_WIDTH, height, title=title, description=_description(series), identity=identity)
    lanes = (frame.top - 8 - LANE / 2, frame.bottom + 4 + LANE / 2)
    svg.set("data-scale", " ".join(coord(v) for v in (*frame.bounds, *frame.x_range, *frame.y_range, *lanes, _DODGE)))
    log_axes(svg, frame, (lanes[0] if broken else 0.0, lanes[1] if zeros else 0.0))
    add(svg, "text", "|error|", class_="axis end", x=coord(_LEFT - 7), y=coord(14 + _LINE / 2))
    _regimes(svg, series, frame)
    marked = book_line(svg, frame)
    for k, (s, place) in enumerate(zip(series, places, strict=True)):
        dodge = _DODGE * (k - (len(series) - 1) / 2)
        _legend(svg, s, k, place)
        group = add(svg, "g", class_=f"s{s.style}", data_scheme=str(k))
        thin = lines[k]
        if band := frame.area(thin["bound"]):
            add_path(group, class_="band", d=band)
        for name, points in thin.items():
            if d := frame.line(points):
                add_path(group, class_=name, d=d)
        _measured(group, s, frame, (lanes[0] + dodge, lanes[1] + dodge))
    for (name, text), (x, y) in zip(words.items(), key, strict=True):
        row = add(svg, "g", class_="legend key")
        add_path(row, class_=f"{name} sample", d=f"M{coord(x)},{coord(y)}h30")
        add(row, "text", text, x=coord(x + 36), y=coord(y + 4))
    for k, s in enumerate(series):
        _marks(svg, s, k, frame, lanes[1])
    floor = frame.top
    if rules is not None:
        floor = rule_ticks(svg, frame, columns_of(rules), {s.scheme: s.style for s in series})
    if marked:
        # in the valley of the errors, which is widest at the top
        book_label(svg, frame, floor)
    return Chart(to_html(svg), [(s.style, printable(shorten(s.scheme, 60)), _best_steps(s)) for s in series])


def _flow(letters: Sequence[int], y: float) -> list[tuple[float, float]]:
    """Place entries of a legend, a sample and so many letters each, in as many lines as they need."""
    places, x = [], _LEFT
    for count in letters:
        width = 36 + LETTER * count + 14
        if x > _LEFT and x + width > _WIDTH:
            x, y = _LEFT, y + _LINE
        places.append((x, y))
        x += width
    return places


def _regimes(svg: Element, series: Sequence[_Series], frame: Frame) -> None:
    """Shade where rounding dominates for every scheme, and where truncation does: left and right of the predicted h.

    A prediction at the end of the steps is no crossing: the model finds the best step beyond.
    """
    predicted = [s.predicted[0] for s in series if s.predicted[0] > 0 and any(s.error)]
    steps = [h for s in series for h in s.h if h > 0]
    if len(predicted) < len(series):
        return
    first, last = (min(max(frame.x(math.log10(h)), frame.left), frame.right) for h in (min(predicted), max(predicted)))
    sides = {
        "rounding": (frame.left, first if min(predicted) > min(steps) else frame.left),
        "truncation": (last if max(predicted) < max(steps) else frame.right, frame.right),
    }
    for name, (start, end) in sides.items():
        if end - start < 1:
            continue
        box = shorten_path(f"M{coord(start)},{coord(frame.top)}H{coord(end)}V{coord(frame.bottom)}H{coord(start)}z")
        svg.insert(2, Element("path", {"class": f"regime {name}", "d": box}))  # behind the axes, after title and desc
        text = f"{name} dominates"
        if end - start > _REGIME_LABEL:
            anchor = {} if name == "rounding" else {"class": "end"}
            x = start + 6 if name == "rounding" else end - 6
            add(svg, "text", text, x=coord(x), y=coord(frame.bottom - 20), **anchor)


def smallest_error(h: Sequence[float], error: Sequence[float], ok: Sequence[bool]) -> tuple[float, float, int]:
    """Find the best h: its value, its |error|, and at how many h that |error| occurs; ties go to the largest h."""
    found = [(e, -step) for step, e, good in zip(h, error, ok, strict=True) if good and e == e]
    if not found:
        return math.nan, math.nan, 0
    error_best, minus_h = min(found)
    return -minus_h, error_best, sum(e == error_best for e, _ in found)


def _series(rows: Columns) -> list[_Series]:
    styles = scheme_styles(list(dict.fromkeys(map(str, rows["scheme"]))))
    names = ("order", "abs_error", "status", "truncation", "bound", "bound_source")
    return [
        _Series(
            scheme=scheme,
            style=styles[scheme],
            order=int(part["order"][0]),
            h=part["h"],
            steps=levels(part["h"]),
            error=part["abs_error"],
            sizes=levels(part["abs_error"]),
            ok=[status == "ok" for status in part["status"]],
            truncation=[abs(size) for size in part["truncation"]],
            bound=part["bound"],
            source={str(s) for s, bound in zip(part["bound_source"], part["bound"], strict=True) if bound == bound},
            predicted=(float(part["predicted_h"][0]), float(part["predicted_abs_error"][0])),
        )
        for scheme, part in by_scheme(rows, (*names, "predicted_h", "predicted_abs_error")).items()
    ]


def _frame(series: Sequence[_Series]) -> Frame:
    """Take the ranges from the measured errors only: a model line or a bound may not flatten them."""
    sizes = [size for s in series for size in s.sizes if size == size]
    return Frame(
        left=_LEFT,
        right=_RIGHT,
        top=0.0,
        bottom=_PLOT_HEIGHT if sizes else _BARE_HEIGHT,
        x_range=step_range([step for s in series for step in s.steps]),
        y_range=log_range(sizes),
    )


def _measured(group: Element, s: _Series, frame: Frame, lanes: tuple[float, float]) -> None:
    """Draw line and markers; the line breaks where a value stands in a lane, hollow markers are not ok."""
    full: list[Place] = []
    hollow: list[Place] = []
    for step, error, size, ok in zip(s.steps, s.error, s.sizes, s.ok, strict=True):
        y = frame.y(size) if size == size else lanes[error == 0]
        (full if ok else hollow).append((tenths(frame.x(step)), tenths(y)))
    if line := frame.line(joined(s.steps, s.sizes)):
        add_path(group, class_="line", d=line)
    for name, dots in (("dots", full), ("dots hollow", hollow)):
        if dots:
            add(group, "path", class_=name, d=dots_text(dots))


def _lines(s: _Series, x_range: tuple[float, float]) -> dict[str, list[Point | None]]:
    """Points of the proven bound and of the truncation error.

    The truncation error is the exact one where the table has it, else the slope of the scheme's order.
    """
    bound = joined(s.steps, levels(s.bound))
    if _split(s):
        return {"bound": bound, "model": joined(s.steps, levels(s.truncation))}
    level = slope_level(s.h, s.error, s.ok, s.order)
    return {"bound": bound, "model": [] if level is None else [(x, s.order * x + level) for x in x_range]}


def _split(s: _Series) -> bool:
    return any(t >= 0 for t in s.truncation)


def slope_level(h: Sequence[float], error: Sequence[float], ok: Sequence[bool], order: int) -> float | None:
    """Place the line log10 |error| = order·log10 h + level through the errors where truncation dominates.

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


def _name(s: _Series) -> str:
    return printable(shorten(s.scheme, 14))


def _legend(svg: Element, s: _Series, k: int, place: tuple[float, float]) -> None:
    x, y = place
    row = add(svg, "g", class_=f"legend s{s.style}", data_scheme=str(k))
    add_path(row, class_="line", d=f"M{coord(x)},{coord(y)}h30")
    add_path(row, class_="dots", d=f"M{coord(x + 15)},{coord(y)}")
    add(row, "text", _name(s), class_="name", x=coord(x + 36), y=coord(y + 4))


def _best_steps(s: _Series) -> list[str]:
    h, error, times = smallest_error(s.h, s.error, s.ok)
    if not times:
        return ["no error could be measured"]
    words = [f"▼ smallest |error| {short(error)} at h = {short(h)}" + f" ({times} such h)" * (times > 1)]
    if math.isfinite(s.predicted[0]):
        words.append(f"◇ predicted {short(s.predicted[1])} at h = {short(s.predicted[0])}")
    return words


def _line_words(series: Sequence[_Series], shown: Container[str]) -> dict[str, str]:
    """Say what the dashed and the dotted lines are, as far as they are shown."""
    sources = set().union(*(s.source for s in series))
    words = {
        "model": "truncation error" if all(map(_split, series)) else "slope of the scheme's order",
        "bound": bound_words(sources),
    }
    return {name: text for name, text in words.items() if name in shown}


def _marks(svg: Element, s: _Series, k: int, frame: Frame, zero_lane: float) -> None:
    group = add(svg, "g", class_=f"marks s{s.style}", data_scheme=str(k))
    best, smallest, times = smallest_error(s.h, s.error, s.ok)
    if times:
        x = frame.x(math.log10(best))
        y = frame.y(math.log10(smallest)) if 0 < smallest < math.inf else zero_lane
        add_path(group, class_="best", d=f"M{coord(x)},{coord(y - 6)}l-6,-10h12z")
    h, error = s.predicted
    low, high = frame.y_range
    if h > 0 and error > 0 and low <= math.log10(error) <= high:
        x, y = frame.x(math.log10(h)), frame.y(math.log10(error))
        add_path(group, class_="predicted", d=f"M{coord(x)},{coord(y - 7)}l7,7l-7,7l-7,-7z")


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
