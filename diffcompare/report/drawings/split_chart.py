"""The split chart: how large the five exact parts of the error are against h, and which of them dominates where.

One drawing a scheme. As in the error chart, parts of exactly 0 stand in a lane below, nan and inf in one above.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.columns import Columns, columns_of
from diffcompare.report.drawings.frame import (
    LANE,
    Frame,
    add,
    add_path,
    by_scheme,
    coord,
    joined,
    levels,
    log_axes,
    log_range,
    step_range,
    stretches,
    svg_element,
    to_html,
)
from diffcompare.report.drawings.svg_paths import Place, dots_text, tenths
from diffcompare.report.wording import PART_WORDS, Html, plural, printable, short

__all__ = ["Split", "dominating_part", "dominating_parts", "split_charts"]

_WIDTH, _LEFT, _RIGHT = 560.0, 64.0, 440.0
_PLOT_HEIGHT, _DODGE, _LABEL = 210.0, 4.0, 16.0
_RIBBON = 5.0  # the strip above the plot that shows the dominating part
_BELOW = 6  # decades below the smallest dominating part at which lines are cut off
_MARKED = 24  # of more steps only every second, third … has a marker


@dataclass(frozen=True, slots=True)
class Split:
    """The split of one scheme: in words and, unless all parts are 0, as a drawing."""

    scheme: str
    words: str
    drawing: Html | None


@dataclass(frozen=True, slots=True)
class _Parts:
    h: list[float]
    ok: list[bool]
    sizes: dict[str, list[float]]  # by part: |part| at every h
    dominating: list[str | None]  # the largest part at every h; "" where all are 0, None where there is no split


def split_charts(rows: pd.DataFrame | Columns, *, title: str, identity: str) -> list[Split]:
    """Draw the parts of the error against h, one chart a scheme.

    Parameters
    ----------
    rows : DataFrame, or its columns as lists
        The rows of errors.csv for one function, variable and point.
    title : str
        What is differentiated, and where.
    identity : str
        Prefix of the ids in the drawings; ours, unique in the page.

    Returns
    -------
    list of Split
        A scheme without a split has none.
    """
    made = []
    for number, (scheme, part) in enumerate(by_scheme(columns_of(rows), ("status", *PART_WORDS)).items(), 1):
        columns = {name: [abs(size) for size in part[name]] for name in PART_WORDS}
        dominating = list(map(dominating_part, zip(*columns.values(), strict=True)))
        if all(name is None for name in dominating):
            continue
        parts = _Parts(part["h"], [status == "ok" for status in part["status"]], columns, dominating)
        words = _words(parts)
        drawing = None
        if any(parts.dominating):
            name = printable(shorten(scheme, 24))
            drawing = _draw(parts, words, title=f"{title}: {name}", identity=f"{identity}-{number}")
        made.append(Split(scheme, words, drawing))
    return made


def dominating_parts(rows: pd.DataFrame) -> pd.Series[str]:
    """Name the largest part of every row that is split; '' if all are 0. Of equal parts the first one is named."""
    sizes = rows[list(PART_WORDS)].abs()
    sizes = sizes[sizes.notna().all(axis=1)]
    if sizes.empty:
        return pd.Series([], dtype="str")
    return sizes.idxmax(axis=1).where(sizes.max(axis=1) > 0, "")


def dominating_part(sizes: Sequence[float]) -> str | None:
    """Name the first largest part of a row, as :func:`dominating_parts` does; None where there is no split."""
    if any(size != size for size in sizes):
        return None
    largest = max(sizes)
    return list(PART_WORDS)[sizes.index(largest)] if largest > 0 else ""


def _words(parts: _Parts) -> str:
    """Say which part dominates: from which h upwards the first one does, and how often each does below.

    >>> _words(_Parts([1.0, 0.1, 0.01], [True] * 3, {}, ["truncation", "evaluation", "evaluation"]))
    'truncation dominates at h = 1; evaluation of f below.'
    """
    rows = [(h, part) for h, part in zip(parts.h, parts.dominating, strict=True) if part is not None]
    left_out = len(parts.h) - len(rows)
    tail = f" {plural(left_out, 'row')} without a split." if left_out else ""
    if not any(part for _, part in rows):
        return f"all parts exactly 0.{tail}"
    first = rows[0][1]
    leading = next((k for k, (_, part) in enumerate(rows) if part != first), len(rows))
    name = PART_WORDS[first] if first else "no part (the error is 0)"
    if leading == len(rows):
        return f"{name} dominates at every h.{tail}"
    reach = f"at h = {short(rows[0][0])}" if leading == 1 else f"for h ≥ {short(rows[leading - 1][0])}"
    rest = sorted(part or "" for _, part in rows[leading:])
    counts = sorted(((part, len(list(same))) for part, same in groupby(rest)), key=lambda pair: -pair[1])
    names = [PART_WORDS.get(part, "none (the error is 0)") for part, _ in counts]
    if len(counts) == 1:
        return f"{name} dominates {reach}; {names[0]} below.{tail}"
    shares = [f"{n} at {count}" for n, (_, count) in zip(names, counts, strict=True)]
    return f"{name} dominates {reach}; below, of {len(rest)} steps: {', '.join(shares)}.{tail}"


def _draw(parts: _Parts, words: str, *, title: str, identity: str) -> Html:
    zeros = any(0.0 in sizes for sizes in parts.sizes.values())
    broken = any(not size < math.inf for sizes in parts.sizes.values() for size in sizes)
    logs, levels_of = levels(parts.h), {name: levels(sizes) for name, sizes in parts.sizes.items()}
    top = 13 + (LANE + 8) * broken
    frame = Frame(_LEFT, _RIGHT, top, top + _PLOT_HEIGHT, step_range(logs), _range(parts, levels_of))
    lanes = (frame.top - 8 - LANE / 2, frame.bottom + 4 + LANE / 2)
    svg = svg_element(
        _WIDTH, frame.bottom + LANE * zeros + 44, title=title, description=_description(parts, words), identity=identity
    )
    svg.set("data-scale", " ".join(coord(v) for v in (*frame.bounds, *frame.x_range, *frame.y_range, *lanes, _DODGE)))
    log_axes(svg, frame, (lanes[0] if broken else 0.0, lanes[1] if zeros else 0.0), label="|part of the error|")
    _ribbon(svg, parts, logs, frame)
    ends: dict[str, tuple[float, float]] = {}
    places = list(map(frame.x, logs))
    for k, (name, sizes) in enumerate(parts.sizes.items()):
        dodge = _DODGE * (k - (len(PART_WORDS) - 1) / 2)
        group = add(svg, "g", class_=f"p{k + 1}")
        own = levels_of[name]
        # the script does the same for its cursor
        heights = [
            min(frame.y(level), frame.bottom) if level == level else lanes[size == 0] + dodge
            for size, level in zip(sizes, own, strict=True)
        ]
        if line := frame.line(joined(logs, own)):
            add_path(group, class_="line", d=line)
        _dots(group, parts.ok, own, list(zip(map(tenths, places), map(tenths, heights), strict=True)), frame.y_range[0])
        last = next((j for j, size in enumerate(sizes) if size < math.inf), 0)
        ends[name] = (places[last], heights[last])
    _labels(svg, ends, frame.top, frame.bottom + LANE * zeros)
    return to_html(svg)


def _range(parts: _Parts, levels_of: Mapping[str, Sequence[float]]) -> tuple[float, float]:
    """Show every part, but not what lies far below the smallest part that dominates somewhere."""
    known = [level for own in levels_of.values() for level in own]
    largest = [levels_of[part][k] for k, part in enumerate(parts.dominating) if part]
    floor = min((level for level in largest if level == level), default=-math.inf) - _BELOW
    return log_range([level for level in known if level >= floor] or known)


def _dots(group: Element, ok: Sequence[bool], own: Sequence[float], places: Sequence[Place], low: float) -> None:
    """Draw markers: all in the lanes, all of rows that are not ok, and enough of the rest to tell the lines apart."""
    every = math.ceil(len(own) / _MARKED)
    full: list[Place] = []
    hollow: list[Place] = []
    # with an end on either side
    plain = [False, *(level == level for level in own), False]
    for k, (level, good, at) in enumerate(zip(own, ok, places, strict=True)):
        if plain[k + 1]:
            alone = not (plain[k] or plain[k + 2])
            if level < low or not (alone or not good or k % every == 0):
                continue
        (full if good else hollow).append(at)
    for name, dots in (("dots", full), ("dots hollow", hollow)):
        if dots:
            add(group, "path", class_=name, d=dots_text(dots))


def _ribbon(svg: Element, parts: _Parts, logs: Sequence[float], frame: Frame) -> None:
    """Colour a strip above the plot by the part that dominates there."""
    y, height = tenths(frame.top - _RIBBON - 2), coord(_RIBBON)
    group = add(svg, "g", class_="ribbon")
    for k, name in enumerate(PART_WORDS, 1):
        found = stretches(logs, [part == name for part in parts.dominating], frame.x_range)
        edges = [(frame.x(left), frame.x(right)) for left, right in found]
        if edges:
            boxes = [([(tenths(left), y)], f"H{coord(right)}v{height}H{coord(left)}z") for left, right in edges]
            add_path(group, class_=f"p{k} dominates", d=boxes)


def _labels(svg: Element, ends: dict[str, tuple[float, float]], top: float, bottom: float) -> None:
    """Name the lines at their right ends, pushed apart where they would overlap."""
    order = sorted(ends, key=lambda name: ends[name][1])
    heights: list[float] = []
    for name in order:
        heights.append(max(ends[name][1], heights[-1] + _LABEL if heights else top + 4))
    room = bottom - 2
    for k in reversed(range(len(heights))):
        heights[k] = min(heights[k], room)
        room = heights[k] - _LABEL
    group = add(svg, "g", class_="labels")
    for name, y in zip(order, heights, strict=True):
        k = list(PART_WORDS).index(name)
        x, end = ends[name]
        row = add(group, "g", class_=f"p{k + 1}")
        add_path(row, class_="leader", d=f"M{coord(x + 5)},{coord(end)}L{coord(_RIGHT + 8)},{coord(y)}h6")
        add_path(row, class_="dots", d=f"M{coord(_RIGHT + 18)},{coord(y)}")
        add(row, "text", name, class_="part", x=coord(_RIGHT + 25), y=coord(y + 4))


def _description(parts: _Parts, words: str) -> str:
    sentences = [words]
    for name, sizes in parts.sizes.items():
        known = [(size, h) for size, h in zip(sizes, parts.h, strict=True) if size == size]
        if any(size for size, _ in known):
            size, h = max(known)
            sentences.append(f"Largest {name}: {short(size)} at h = {short(h)}.")
        else:
            sentences.append(f"{name.capitalize()} is exactly 0 at all {len(known)} h.")
    return " ".join(sentences)
