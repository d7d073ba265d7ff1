"""What every drawing of the report is made of: a frame with logarithmic axes and lanes, markers, SVG elements."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from diffcompare.errors import shorten
from diffcompare.report.columns import Columns, places_by
from diffcompare.report.drawings.marks import LANES, PARTS, SCHEMES, STYLES
from diffcompare.report.drawings.svg_paths import Piece, Place, path_text, shorten_path, tenths
from diffcompare.report.wording import Html, printable

__all__ = [
    "DECADES",
    "LANE",
    "LETTER",
    "Frame",
    "Point",
    "add",
    "add_path",
    "book_label",
    "book_line",
    "by_scheme",
    "coord",
    "far_apart",
    "joined",
    "levels",
    "log_axes",
    "log_range",
    "marker_symbols",
    "number",
    "scheme_styles",
    "step_range",
    "stretches",
    "svg_element",
    "ticks",
    "to_html",
    "with_breaks",
]

LANE = 26.0  # height of the strips for what a logarithmic axis cannot show
Point = tuple[float, float]  # in data units
DECADES = 8  # a y axis is never shorter: noise must not look like a trend
_GAP = 3.0  # decades without a value: a line across them would be made up
_SLACK = 1e-9  # for logarithms
LETTER = 9.6  # width of a letter of a phone
_TICK = 60.0  # units from tick to tick, which the letters on a phone need


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

    def place(self, x: float, y: float) -> Place:
        """Place a point in data units on the grid."""
        (x_low, x_high), (y_low, y_high) = self.x_range, self.y_range
        # x and y, without the calls: charts place hundreds of points
        across = self.left + (x - x_low) / (x_high - x_low) * (self.right - self.left)
        down = self.bottom - (y - y_low) / (y_high - y_low) * (self.bottom - self.top)
        return round(10 * across), round(10 * down)

    def clipped(self, start: Point, end: Point) -> list[Place]:
        """Return the ends of a straight line between two points in data units, cut at the range of y; none outside."""
        (x0, y0), (x1, y1) = start, end
        low, high = self.y_range
        if not math.isfinite(y1 - y0):
            return []
        if y0 == y1:
            pieces = (0.0, 1.0) if low <= y0 <= high else (1.0, 0.0)
        else:
            at = sorted(((low - y0) / (y1 - y0), (high - y0) / (y1 - y0)))
            pieces = (max(0.0, at[0]), min(1.0, at[1]))
        if pieces[0] >= pieces[1]:
            return []
        return [self.place(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in pieces]

    def line(self, points: Iterable[Point | None]) -> list[Piece]:
        """Join points in data units, cut at the range of y; the line breaks at None."""
        low, high = self.y_range
        pieces: list[Piece] = []
        run: list[Place] = []  # the places of the last piece
        before: Point | None = None
        inside = within = False  # the points are in the range
        for point in points:
            if point is None:
                run = []
            else:
                within = low <= point[1] <= high
                if before is None:
                    run = []
                elif run and inside and within:
                    run.append(self.place(*point))
                elif ends := self.clipped(before, point):
                    if not run or run[-1] != ends[0]:
                        run = [ends[0]]
                        pieces.append((run, ""))
                    run.append(ends[1])
                else:
                    run = []
            before, inside = point, within
        return pieces

    def shows(self, points: Iterable[Point | None]) -> bool:
        """Tell whether there is anything of a line in the range of y."""
        return any(a and b and self.clipped(a, b) for a, b in pairwise(points))

    def area(self, points: Iterable[Point | None]) -> list[Piece]:
        """Enclose what lies below a line, within the frame; a gap where the line has one."""
        top, floor = tenths(self.top), tenths(self.bottom)
        pieces: list[Piece] = []
        run: list[Place] = []
        for point in [*points, None]:
            if point:
                x, y = self.place(*point)
                run.append((x, min(max(y, top), floor)))
            elif run:
                if len(run) > 1 and any(y != floor for _, y in run):
                    pieces.append(([(run[0][0], floor), *run], f"V{coord(self.bottom)}z"))
                run = []
        return pieces

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, top and bottom."""
        return self.left, self.right, self.top, self.bottom


def scheme_styles(schemes: Sequence[str]) -> dict[str, int]:
    """Number colour and marker (1 to 8) of each scheme of a chart: well-known ones have their own.

    The others take those that are left, in turn; only when there are none left is one used again.

    >>> scheme_styles(["central", "central6", "central4", "forward2"])
    {'central': 3, 'central6': 1, 'central4': 4, 'forward2': 2}
    """
    styles = {scheme: STYLES[scheme] for scheme in schemes if scheme in STYLES}
    for scheme in schemes:
        if scheme not in styles:
            taken = list(styles.values())
            styles[scheme] = min(range(1, len(SCHEMES) + 1), key=lambda style: (taken.count(style), style))
    return {scheme: styles[scheme] for scheme in schemes}


def by_scheme(rows: Columns, names: Iterable[str]) -> dict[str, dict[str, list[Any]]]:
    """Take columns apart by scheme, large steps first, with those of the scheme and of h.

    A step that the dtype rounds to 0 has no place on a logarithmic axis; the page says how many there are.
    """
    columns, h = {name: rows[name] for name in ("scheme", "h", *names)}, rows["h"]
    made = {}
    for (scheme,), places in places_by(rows, "scheme").items():
        where = sorted((k for k in places if h[k] > 0), key=lambda k: -h[k])
        if where:
            made[scheme] = {name: [column[k] for k in where] for name, column in columns.items()}
    return made


def far_apart(a: float, b: float) -> bool:
    """Tell whether so many decades lie between two steps that no line may join their values.

    >>> far_apart(1e-4, 1e-49), far_apart(0.1, 1e-3)
    (True, False)
    """
    return _is_gap(math.log10(a), math.log10(b))


def _is_gap(a: float, b: float) -> bool:
    return abs(a - b) > _GAP + _SLACK


def levels(values: Iterable[float]) -> list[float]:
    """Take logarithms; nan of what has no place on a logarithmic axis: 0, nan and inf.

    >>> levels([100.0, 0.0])
    [2.0, nan]
    """
    return [math.log10(value) if 0 < value < math.inf else math.nan for value in values]


def joined(steps: Sequence[float], heights: Sequence[float]) -> list[Point | None]:
    """Put logarithms of steps and of values together; None where there is no value, and between steps far apart.

    >>> joined([-1.0, -2.0, -9.0], [0.5, math.nan, 0.25])
    [(-1.0, 0.5), None, None, (-9.0, 0.25)]
    """
    points: list[Point | None] = []
    before = steps[0] if steps else 0.0
    for x, y in zip(steps, heights, strict=True):
        if _is_gap(before, x):
            points.append(None)
        points.append((x, y) if y == y else None)
        before = x
    return points


def with_breaks(h: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Put a nan between the values of steps that are far apart."""
    steps, kept = list(h[:1]), list(values[:1])
    for (before, step), value in zip(pairwise(h), values[1:], strict=True):
        if far_apart(before, step):
            steps.append(step)
            kept.append(math.nan)
        steps.append(step)
        kept.append(value)
    return steps, kept


def stretches(logs: Sequence[float], flags: Sequence[bool], ends: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Find where flags hold, in logarithms: up to half way to the next step, the outermost ones up to the ends.

    Steps go downwards. A stretch ends in a gap of many decades, of which nothing is known.

    >>> list(stretches([0.0, -1.0, -2.0, -50.0], [True, True, False, True], (-51.0, 1.0)))
    [(-1.5, 1.0), (-51.0, -48.5)]
    """
    reach = _GAP / 2
    above = [ends[1], *(b + reach if _is_gap(a, b) else (a + b) / 2 for a, b in pairwise(logs))]
    below = [*(a - reach if _is_gap(a, b) else (a + b) / 2 for a, b in pairwise(logs)), ends[0]]
    start = None
    for k, flag in enumerate(flags):
        if flag and start is None:
            start = above[k]
        if flag and (k + 1 == len(flags) or not flags[k + 1] or above[k + 1] != below[k]):
            yield below[k], start  # type: ignore[misc]
            start = None


def step_range(steps: Sequence[float]) -> tuple[float, float]:
    """Choose the range of the x axis for the logarithms of steps."""
    return math.floor(10 * min(steps) - 4) / 10, math.ceil(10 * max(steps) + 4) / 10


def log_range(logs: Sequence[float]) -> tuple[float, float]:
    """Choose the range of the y axis for the logarithms of values: whole decades around, never too few of them."""
    known = [level for level in logs if level == level]
    low, high = math.floor(min(known, default=-8.0) - 0.05), math.ceil(max(known, default=-8.0) + 0.05)
    missing = max(0, DECADES - (high - low))
    return float(low - missing // 2), float(high + missing - missing // 2)


def log_axes(
    svg: Element, frame: Frame, lanes: tuple[float, float], *, label: str = "", below: str = "step size h"
) -> None:
    """Draw box, grid, ticks and labels, and the lanes above and below (their middles; 0 where there is none)."""
    axes = add(svg, "g", class_="axes")
    add_path(axes, class_="box", d=_box(frame.left, frame.right, frame.top, frame.bottom))
    ends, middles = add(axes, "g", class_="end"), add(axes, "g", class_="middle")
    grid = []
    for exponent in _decades(frame.y_range, most=int((frame.bottom - frame.top) / 26)):
        y = coord(frame.y(exponent))
        grid.append(f"M{coord(frame.left)},{y}H{coord(frame.right)}")
        add(ends, "text", _power(exponent), x=coord(frame.left - 7), y=coord(frame.y(exponent) + 4))
    floor = lanes[1] + LANE / 2 if lanes[1] else frame.bottom
    for exponent in _decades(frame.x_range, most=int((frame.right - frame.left) / _TICK)):
        x = coord(frame.x(exponent))
        grid.append(f"M{x},{coord(frame.top)}V{coord(frame.bottom)}")
        add(middles, "text", _power(exponent), x=x, y=coord(floor + 16))
    axes.insert(0, Element("path", {"class": "grid", "d": shorten_path("".join(grid))}))
    if label:
        middle = f"translate(13,{coord((frame.top + frame.bottom) / 2)}) rotate(-90)"
        add(axes, "text", label, class_="axis middle wide", transform=middle)
    add(axes, "text", below, class_="axis middle", x=coord((frame.left + frame.right) / 2), y=coord(floor + 35))
    for at, name in zip(lanes, LANES, strict=True):
        if at:
            box = _box(frame.left, frame.right, at - LANE / 2 + 1, at + LANE / 2 - 1)
            add_path(axes, class_="lane", d=box)
            # a phone shows the word that tells them apart
            text = add(ends, "text", x=coord(frame.left - 7), y=coord(at + 4))
            long, _, last = name.rpartition(" ")
            add(text, "tspan", f"{long} " * bool(long), class_="wide").tail = last


def book_line(svg: Element, frame: Frame) -> bool:
    """Draw the step of the textbook, h = 1e-4, and tell whether the axis has it."""
    marked = frame.x_range[0] < -4 < frame.x_range[1]
    if marked:
        add_path(svg, class_="mark", d=f"M{coord(frame.x(-4))},{coord(frame.top)}V{coord(frame.bottom)}")
    return marked


def book_label(svg: Element, frame: Frame, top: float) -> None:
    """Write beside that line what it is: on the left of it where there is no room on the right."""
    x, text = frame.x(-4), "h = 1e-4"
    side = {"class_": "book"} if x + 4 + LETTER * len(text) < frame.right else {"class_": "book end"}
    add(svg, "text", text, x=coord(x + (4 if side["class_"] == "book" else -4)), y=coord(top + 14), **side)


def _decades(limits: tuple[float, float], most: int) -> list[int]:
    """Choose whole exponents for the ticks, every second or third where they would crowd."""
    low, high = math.ceil(limits[0]), math.floor(limits[1])
    every = 1
    while (high - low) / every > most:
        every += 1
    return [k for k in range(low, high + 1) if k % every == 0]


def _power(exponent: int) -> str:
    return {0: "1", 1: "10"}.get(exponent, f"1e{exponent}")


def ticks(limits: tuple[float, float]) -> list[tuple[float, str]]:
    """Choose about five round numbers; all digits that tell them apart are written."""
    low, high = limits
    rough = (high - low) / 5
    power = math.floor(math.log10(rough))
    step = next(m for m in (1, 2, 5, 10) if m * 10.0**power >= rough) * 10.0**power
    digits = max(1, 1 + math.ceil(math.log10(max(abs(low), abs(high)) / step)))
    marks = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)][:12]
    return [(mark, number(mark, digits)) for mark in marks]


def number(value: float, digits: int) -> str:
    """Write a number with so many digits, and those before its point.

    >>> number(0.25, 1), number(1500.0, 1), number(-2e9, 2), number(1e-7, 3)
    ('0.2', '1500', '-2e9', '1e-7')
    """
    text = f"{value:.{digits}g}"
    if "e" in text and 1 <= abs(value) < 1e6:
        return f"{value:.0f}"
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def svg_element(width: float, height: float, *, title: str, description: str, identity: str) -> Element:
    """Begin a drawing that a screen reader announces with title and description."""
    names = {"aria-labelledby": f"{identity}-title {identity}-desc", "viewBox": f"0 0 {coord(width)} {coord(height)}"}
    svg = Element("svg", {"role": "img", **names})
    add(svg, "title", printable(shorten(title, 200)), id=f"{identity}-title")
    add(svg, "desc", description, id=f"{identity}-desc")
    return svg


def add(parent: Element, tag: str, content: str = "", **attributes: str) -> Element:
    """Add an element; ``class_`` stands for class, ``data_scheme`` for data-scheme; all is escaped when written."""
    child = SubElement(parent, tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()})
    child.text = content
    return child


def add_path(parent: Element, *, d: str | Iterable[Piece], **attributes: str) -> Element:
    """Add a path as short as it can be."""
    return add(parent, "path", **attributes, d=shorten_path(d) if isinstance(d, str) else path_text(d))


def to_html(svg: Element) -> Html:
    """Write a drawing as markup."""
    return Html(tostring(svg, encoding="unicode").replace(" />", "/>"))


def marker_symbols(classes: Iterable[str]) -> Html:
    """Define the markers that paths of class ``dots`` in groups of these classes (s1, p1 …) carry at every point.

    A page has them once: each marker of each chart is then a pair of coordinates. The style sheet refers to them.
    """
    svg = Element("svg", {"class": "symbols", "aria-hidden": "true"})
    for name in classes:
        shape = (SCHEMES if name[0] == "s" else PARTS)[int(name[1:]) - 1].shape
        for letter in ("d", "e"):
            marker = add(svg, "marker", id=f"{letter}-{name}", class_=name)
            add(marker, "path", class_={"d": "mark-full", "e": "mark-hollow"}[letter], d=shape)
    return Html(tostring(svg, encoding="unicode").replace(" />", "/>"))


def _box(left: float, right: float, top: float, bottom: float) -> str:
    return f"M{coord(left)},{coord(top)}H{coord(right)}V{coord(bottom)}H{coord(left)}Z"


def coord(value: float) -> str:
    """Round a coordinate: short, and the same whatever the last bit of a logarithm."""
    text = f"{value:.1f}"
    return text.removesuffix(".0") if text != "-0.0" else "0"
