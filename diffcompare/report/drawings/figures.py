"""Charts of a table on Matplotlib axes: the error against h, and its exact parts; needs the extra ``plot``.

What the HTML charts show, in the same colours and shapes. What a logarithmic axis cannot show is not left out:
values of exactly 0 stand in a lane below, nan and inf in a lane above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.report.drawings.charts import slope_level, smallest_error
from diffcompare.report.drawings.frame import levels, log_range, scheme_styles, step_range, stretches, with_breaks
from diffcompare.report.drawings.marks import BOOK, BOUND, LANES, MODEL, PARTS, SCHEMES, SOFT, Mark, plot_dashes
from diffcompare.report.drawings.split_chart import dominating_parts
from diffcompare.report.wording import PART_WORDS, bound_words, partial, printable, short
from diffcompare.tables.schema import COLUMNS, complete

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot"]

_LANE = 0.075  # of the height of the axes
_GROUP = ("function", "variable", "point", "derivative", "dtype")


def plot(table: pd.DataFrame, ax: Axes | None = None, *, kind: Literal["error", "split"] = "error") -> Axes:
    """Draw the error of finite differences against the step size, or its exact parts.

    Parameters
    ----------
    table : DataFrame
        A table of :func:`diffcompare.sweep` or :func:`diffcompare.read_errors`, of one function, variable and point;
        with kind="split" of one scheme as well.
    ax : matplotlib Axes, optional
        Where to draw; default: new ones.
    kind : {"error", "split"}
        "error": the size of each scheme's error (its best h: ▼, the predicted one: ◇), the truncation error (dashed;
        the slope of the scheme's order where the table has no split), the bound (dotted), and h = 1e-4. "split": the
        five parts that sum to the error, and above them a strip that shows the largest one.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DiffcompareError
        Matplotlib is not installed, or there is nothing to draw.
    ValueError
        The table holds more than one chart can show: the message says how to select.
    """
    if kind not in ("error", "split"):
        raise ValueError(f'kind={kind!r}: unknown chart; pass "error" or "split"')
    rows = _one_group(table, (*_GROUP, "scheme") if kind == "split" else _GROUP)
    # a step that the dtype rounds to 0 has no place on a logarithmic axis
    rows = rows[rows["h"] > 0].sort_values("h", ascending=False, kind="stable")
    what = "abs_error" if kind == "error" else list(PART_WORDS)
    if rows.empty or rows[what].isna().all(axis=None):
        reason = "no error could be measured" if kind == "error" else "the table has no split; pass split=True to sweep"
        raise DiffcompareError(f"{_title(rows if len(rows) else table)}: nothing to draw ({reason})")
    if ax is None:
        try:
            from matplotlib import pyplot
        except ImportError:
            raise DiffcompareError(
                "charts are drawn by Matplotlib, which is not installed; pip install matplotlib"
            ) from None
        _, ax = pyplot.subplots(figsize=(8, 5), layout="constrained")
    canvas = _canvas(ax, rows, kind)
    (_draw_error if kind == "error" else _draw_split)(canvas, rows)
    # above the strip of the split
    ax.set_title(_title(rows), parse_math=False, pad=14 if kind == "split" else None)
    return ax


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Axes with logarithmic scales, and the lanes above and below as fractions of the height."""

    ax: Axes
    dark: bool
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    zero_lane: float
    broken_lane: float


def _one_group(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"table={type(table).__name__}: pass a table of dc.sweep or dc.read_errors")
    rows = complete(table)
    missing = [column for column in COLUMNS if column not in rows.columns]
    if missing:
        raise ValueError(f"table: column {missing[0]!r} is missing; pass a whole table of dc.sweep or dc.read_errors")
    if rows.empty:
        raise ValueError("table: it has no rows; select at least one function, variable and point")
    for key in keys:
        values = [value if key == "derivative" else str(value) for value in rows[key].unique().tolist()]
        if len(values) > 1:
            names = ", ".join(shorten(repr(value), 40) for value in values[:3]) + ", …" * (len(values) > 3)
            choice = repr(values[0]) if len(str(values[0])) <= 80 else "…"
            raise ValueError(
                f"table: holds {len(values)} values of {key!r} ({names}) and one chart shows one; "
                f"pass table[table[{key!r}] == {choice}]"
            )
    return rows


def _title(rows: pd.DataFrame) -> str:
    row = rows.iloc[0]
    operator = partial(shorten(str(row["variable"]), 24), int(row["derivative"]))
    where = f"{operator} at {shorten(str(row['point']), 60)}"
    return printable(f"{shorten(str(row['function']), 60)}: {where}").replace("\n", " ")


def _canvas(ax: Axes, rows: pd.DataFrame, kind: str) -> _Canvas:
    from matplotlib.ticker import NullLocator

    columns = ["abs_error"] if kind == "error" else list(PART_WORDS)
    values = [abs(value) for column in columns for value in rows[column].tolist()]
    plain = [value for value in values if 0 < value < math.inf]
    if kind == "split":
        plain = _not_far_below(rows, plain)
    low, high = log_range(levels(plain))
    zeros, broken = 0.0 in values, any(not value < math.inf for value in values)
    # the decades of the lanes belong to nobody: no tick stands there
    decades = (high - low) / (1 - _LANE * (zeros + broken))
    x_range = step_range(levels(rows["h"]))
    red, green, blue, alpha = _rgba(ax)
    dark = alpha > 0 and 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(10 ** x_range[0], 10 ** x_range[1])
    # outside the powers of ten that a float can hold there is nothing to show
    ax.set_ylim(10 ** max(low - decades * _LANE * zeros, -323.0), 10 ** min(high + decades * _LANE * broken, 308.0))
    every = math.ceil((high - low) / 12)
    ax.set_yticks([10.0**k for k in range(int(low), int(high) + 1, every) if -323 <= k <= 308])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("step size h")
    ax.set_ylabel("|error|" if kind == "error" else "|part of the error|")
    ax.grid(visible=True, which="major", alpha=0.25)
    canvas = _Canvas(ax, dark, x_range, (low, high), _LANE / 2 if zeros else 0.0, 1 - _LANE / 2 if broken else 0.0)
    for middle, name in zip((canvas.broken_lane, canvas.zero_lane), LANES, strict=True):
        if middle:
            _lane(canvas, middle, name)
    return canvas


def _not_far_below(rows: pd.DataFrame, plain: Sequence[float]) -> list[float]:
    """Show every part, but not what lies six decades below the smallest part that dominates somewhere."""
    largest = rows[list(PART_WORDS)].abs().max(axis=1)
    floor = min((value for value in largest.tolist() if 0 < value < math.inf), default=0.0) * 1e-6
    return [value for value in plain if value >= floor]


def _rgba(ax: Axes) -> tuple[float, float, float, float]:
    from matplotlib.colors import to_rgba

    red, green, blue, alpha = to_rgba(ax.get_facecolor())
    return red, green, blue, alpha


def _lane(canvas: _Canvas, middle: float, name: str) -> None:
    from matplotlib.patches import Rectangle

    ax, soft = canvas.ax, SOFT[canvas.dark]
    box = Rectangle((0, middle - _LANE / 2), 1, _LANE, transform=ax.transAxes, facecolor=soft, alpha=0.12, zorder=0.5)
    ax.add_patch(box).set_gid("lane")
    ax.text(-0.01, middle, name, transform=ax.transAxes, va="center", ha="right", fontsize="small", color=soft)


def _draw_error(canvas: _Canvas, rows: pd.DataFrame) -> None:
    from matplotlib.lines import Line2D

    ax, soft = canvas.ax, SOFT[canvas.dark]
    if canvas.x_range[0] < -4 < canvas.x_range[1]:
        ax.axvline(1e-4, color=soft, linestyle=plot_dashes(BOOK), linewidth=1.2, gid="book", zorder=1)
        bottom = 0.02 + _LANE * (canvas.zero_lane > 0)
        ax.text(1e-4, bottom, " h = 1e-4", transform=ax.get_xaxis_transform(), fontsize="small", color=soft)
    styles = scheme_styles([str(scheme) for scheme in rows["scheme"].unique()])
    handles: list[tuple[Any, str]] = []
    thin: set[str] = set()
    for name, part in rows.groupby("scheme", observed=True, sort=False):
        scheme = str(name)
        mark = SCHEMES[styles[scheme] - 1]
        colour = _colour(canvas, mark)
        h, error = part["h"].tolist(), part["abs_error"].tolist()
        ok = (part["status"].astype(str) == "ok").tolist()
        line = _series(canvas, f"error:{scheme}", h, error, ok, mark)
        best, smallest, times = smallest_error(h, error, ok)
        label = printable(shorten(scheme, 24))
        if times:
            label += f": ▼ {short(smallest)} at h = {short(best)}"
            _mark(canvas, f"best:{scheme}", best, smallest, colour=colour, marker="v")
        predicted, there = float(part["predicted_h"].iloc[0]), float(part["predicted_abs_error"].iloc[0])
        if 0 < there < math.inf:
            label += f"; ◇ predicted {short(there)} at h = {short(predicted)}"
            _mark(canvas, f"predicted:{scheme}", predicted, there, colour=colour, marker="D", hollow=True)
        handles.append((line, label))
        for key, (x, y), dashes in (
            (f"model:{scheme}", _model(canvas, part, h, error, ok), MODEL),
            (f"bound:{scheme}", (h, part["bound"].tolist()), BOUND),
        ):
            if any(0 < value < math.inf for value in y):
                thin.add(key.partition(":")[0])
                _thin(canvas, key, x, y, colour=colour, dashes=dashes)
    words = {
        "model": "truncation error" if rows["truncation"].notna().any() else "slope of the scheme's order",
        "bound": f"{bound_words(set(rows['bound_source'].astype(str)[rows['bound'].notna()]))} on |error|",
    }
    styled = {"model": plot_dashes(MODEL), "bound": plot_dashes(BOUND)}
    samples = {key: Line2D([], [], color=soft, linestyle=styled[key], linewidth=1.2) for key in thin}
    handles += [(samples[key], text) for key, text in words.items() if key in thin]
    _legend(ax, handles)


def _model(
    canvas: _Canvas, part: pd.DataFrame, h: list[float], error: list[float], ok: list[bool]
) -> tuple[list[float], list[float]]:
    """Give the truncation error: the exact one where the table has it, else the slope of the scheme's order."""
    if part["truncation"].notna().any():
        return h, part["truncation"].abs().tolist()
    order = int(part["order"].iloc[0])
    level = slope_level(h, error, ok, order)
    ends = list(canvas.x_range)
    return ([10**x for x in ends], [10 ** (order * x + level) for x in ends]) if level is not None else ([], [])


def _draw_split(canvas: _Canvas, rows: pd.DataFrame) -> None:
    h = rows["h"].tolist()
    ok = (rows["status"].astype(str) == "ok").tolist()
    handles = []
    for (name, words), mark in zip(PART_WORDS.items(), PARTS, strict=True):
        line = _series(canvas, f"part:{name}", h, rows[name].abs().tolist(), ok, mark)
        handles.append((line, words))
    _strip(canvas, rows)
    _legend(canvas.ax, handles)


def _strip(canvas: _Canvas, rows: pd.DataFrame) -> None:
    """Colour a strip above the plot by the part that dominates there."""
    from matplotlib.patches import Rectangle

    logs = [math.log10(step) for step in rows["h"].tolist()]
    found = dominating_parts(rows).to_dict()
    dominating = [found.get(label) for label in rows.index]
    for mark, name in zip(PARTS, PART_WORDS, strict=True):
        for left, right in stretches(logs, [part == name for part in dominating], canvas.x_range):
            transform, colour = canvas.ax.get_xaxis_transform(), _colour(canvas, mark)
            start, end = 10**left, 10**right
            box = Rectangle((start, 1.005), end - start, 0.02, transform=transform, color=colour, clip_on=False)
            canvas.ax.add_patch(box).set_gid(f"dominates:{name}")


def _colour(canvas: _Canvas, mark: Mark) -> str:
    return mark.dark if canvas.dark else mark.light


def _series(canvas: _Canvas, gid: str, h: list[float], values: list[float], ok: list[bool], mark: Mark) -> Any:
    """Draw line and markers; the line breaks where a value stands in a lane, hollow markers are not ok."""
    plain = [value if 0 < value < math.inf else math.nan for value in values]
    style = {"color": _colour(canvas, mark), "marker": mark.plotted, "markersize": 5, "linewidth": 1.4}
    x, y = with_breaks(h, plain)
    (line,) = canvas.ax.plot(x, y, **style, linestyle=plot_dashes(mark.dashes), gid=gid, zorder=2)
    line.set_markerfacecolor(style["color"])
    _clip(canvas, line)
    ground = canvas.ax.get_facecolor()
    doubtful = [(x, y) for x, y, good in zip(h, plain, ok, strict=True) if not good and y == y]
    if doubtful:
        hollow = canvas.ax.plot(*zip(*doubtful, strict=True), **style, linestyle="", gid=f"{gid}:not ok", zorder=2.2)
        hollow[0].set_markerfacecolor(ground)
    for key, middle, inside in (
        ("zero", canvas.zero_lane, [x for x, value in zip(h, values, strict=True) if value == 0]),
        ("broken", canvas.broken_lane, [x for x, value in zip(h, values, strict=True) if not value < math.inf]),
    ):
        if inside:
            transform = canvas.ax.get_xaxis_transform()
            lane = canvas.ax.plot(
                inside, [middle] * len(inside), **style, linestyle="", transform=transform, gid=f"{gid}:{key}", zorder=2
            )
            lane[0].set_markerfacecolor(ground)
    return line


def _thin(canvas: _Canvas, gid: str, h: list[float], values: list[float], *, colour: str, dashes: str) -> None:
    plain = [value if 0 < value < math.inf else math.nan for value in values]
    style = {"color": colour, "linestyle": plot_dashes(dashes), "linewidth": 1.2, "alpha": 0.85}
    (line,) = canvas.ax.plot(*with_breaks(h, plain), **style, gid=gid, zorder=1.5)
    _clip(canvas, line)


def _clip(canvas: _Canvas, line: Any) -> None:
    """Keep a line out of the lanes."""
    from matplotlib.patches import Rectangle

    low = _LANE if canvas.zero_lane else 0.0
    high = 1 - _LANE if canvas.broken_lane else 1.0
    line.set_clip_path(Rectangle((0, low), 1, high - low, transform=canvas.ax.transAxes))


def _mark(canvas: _Canvas, gid: str, h: float, value: float, *, colour: str, marker: str, hollow: bool = False) -> None:
    """Mark a point: ▼ stands above it, ◇ on it."""
    from matplotlib.transforms import ScaledTranslation

    ax = canvas.ax
    in_lane = value == 0
    if not in_lane and not canvas.y_range[0] <= math.log10(value) <= canvas.y_range[1]:
        return
    transform = ax.get_xaxis_transform() if in_lane else ax.transData
    if not hollow:
        transform = transform + ScaledTranslation(0, 8 / 72, ax.figure.dpi_scale_trans)
    (mark,) = ax.plot(
        [h], [canvas.zero_lane if in_lane else value], color=colour, marker=marker, markersize=9 if not hollow else 8,
        linestyle="", transform=transform, gid=gid, zorder=3,
    )  # fmt: skip
    mark.set_markerfacecolor(ax.get_facecolor() if hollow else colour)
    mark.set_markeredgecolor(colour if hollow else ax.get_facecolor())


def _legend(ax: Axes, handles: Sequence[tuple[Any, str]]) -> None:
    legend = ax.legend([handle for handle, _ in handles], [text for _, text in handles], fontsize="small")
    for text in legend.get_texts():
        # a dollar in a name is a dollar
        text.set_parse_math(False)
