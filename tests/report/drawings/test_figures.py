"""Charts on Matplotlib axes: what is drawn is what the table holds."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.errors import DiffcompareError
from diffcompare.report.environment import environment
from diffcompare.report.wording import PART_WORDS

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

BOOK = dc.sweep(dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)"), 1.5)
SQUARES = dc.sweep(dc.parse("x0**2 + x1**2"), [3.0, 4.0])


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    yield
    plt.close("all")


def lines(ax: Axes) -> dict[str, Line2D]:
    """The drawn lines by their names; h = 1e-4 is one of them."""
    return {str(line.get_gid()): line for line in ax.get_lines()}


def drawn(line: Line2D) -> dict[float, float]:
    """What a line shows: y by x, without gaps."""
    x, y = line.get_data()
    return {float(a): float(b) for a, b in zip(x, y, strict=True) if b == b}


def held(rows: pd.DataFrame, column: str) -> dict[float, float]:
    """What the table has that a logarithmic axis can show."""
    pairs = zip(rows["h"].tolist(), rows[column].abs().tolist(), strict=True)
    return {h: value for h, value in pairs if h > 0 and 0 < value < math.inf}


@pytest.mark.parametrize("variable", ["x0", "x1"])
def test_lines_are_the_columns_of_the_table(variable: str) -> None:
    table = SQUARES[SQUARES["variable"] == variable]
    found = lines(dc.plot(table))
    for scheme, rows in table.groupby("scheme", observed=True):
        assert drawn(found[f"error:{scheme}"]) == held(rows, "abs_error")
        assert drawn(found[f"bound:{scheme}"]) == held(rows, "bound")
        assert drawn(found.get(f"model:{scheme}", Line2D([], []))) == held(rows, "truncation")
        zeros = rows.loc[(rows["abs_error"] == 0) & (rows["h"] > 0), "h"].tolist()
        assert list(drawn(found.get(f"error:{scheme}:zero", Line2D([], [])))) == zeros
        doubtful = rows[rows["status"] != "ok"]
        assert drawn(found.get(f"error:{scheme}:not ok", Line2D([], []))) == held(doubtful, "abs_error")
    assert list(found["book"].get_xdata()) == [1e-4, 1e-4]


def test_marks_are_the_best_and_the_predicted_step_of_the_summary() -> None:
    found = lines(dc.plot(BOOK))
    for row in dc.summarize(BOOK).itertuples():
        assert drawn(found[f"best:{row.scheme}"]) == {row.best_h: row.best_abs_error}
        assert drawn(found[f"predicted:{row.scheme}"]) == {row.predicted_h: row.predicted_abs_error}


@pytest.mark.thorough
def test_the_split_is_drawn_part_by_part_under_a_strip_of_the_largest() -> None:
    rows = BOOK[BOOK["scheme"] == "central"]
    ax = dc.plot(rows, kind="split")
    found = lines(ax)
    for part in PART_WORDS:
        assert drawn(found[f"part:{part}"]) == held(rows, part)
        zeros = rows.loc[rows[part] == 0, "h"].tolist()
        assert list(drawn(found.get(f"part:{part}:zero", Line2D([], [])))) == zeros
    assert (rows["subtraction"] == 0).all()  # so that the lane above is one that is used
    boxes = [box for box in ax.patches if str(box.get_gid()).startswith("dominates:")]
    sizes = rows.set_index("h")[list(PART_WORDS)].abs()
    for h, largest in sizes.idxmax(axis=1).items():
        (over,) = [box for box in boxes if box.get_x() < h < box.get_x() + box.get_width()]
        assert over.get_gid() == f"dominates:{largest}"


def test_the_title_stands_above_the_strip() -> None:
    ax = dc.plot(BOOK[BOOK["scheme"] == "central"], kind="split")
    ax.figure.canvas.draw()
    tops = [box.get_window_extent().y1 for box in ax.patches if str(box.get_gid()).startswith("dominates:")]
    assert ax.title.get_window_extent().y0 >= max(tops)


def test_lanes_are_there_where_they_are_needed_and_no_tick_or_line_is_in_them() -> None:
    exact = dc.sweep(dc.parse("3*x + 1"), 2.0, schemes=["central"], steps=dc.geometric_steps(1.0, 1e-9))
    ax = dc.plot(exact)
    found = lines(ax)
    zeros = drawn(found["error:central:zero"])
    assert zeros
    assert len(set(zeros.values())) == 1
    assert [box.get_gid() for box in ax.patches] == ["lane"]
    assert "exactly 0" in [text.get_text() for text in ax.texts]
    ax.figure.canvas.draw()
    (middle,) = set(zeros.values())
    low, high = (10 ** (math.log10(a) + x * math.log10(b / a)) for a, b in [ax.get_ylim()] for x in (0, 2 * middle))
    assert not [tick for tick in ax.get_yticks() if low <= tick < high * 0.999]
    # in an ordinary table there is neither a zero nor a nan
    plain = BOOK[(BOOK["scheme"] == "central") & (BOOK["h"] > 1e-7)]
    assert list(dc.plot(plain).patches) == []


def test_what_is_nan_or_infinite_stands_in_the_lane_above() -> None:
    table = dc.sweep(dc.parse("sqrt(x)"), 0.01, schemes=["central"], steps=dc.geometric_steps(1.0, 1e-6))
    broken = table.loc[table["status"] == "domain", "h"].tolist()
    assert broken
    ax = dc.plot(table)
    above = drawn(lines(ax)["error:central:broken"])
    assert list(above) == broken
    assert min(above.values()) > 0.9
    assert "nan/inf" in [text.get_text() for text in ax.texts]


def test_without_a_split_the_slope_of_the_order_is_drawn() -> None:
    rows = dc.sweep(dc.parse("exp(x)"), 1.0, schemes=["central"], split=False, bounds=False)
    ax = dc.plot(rows)
    found = lines(ax)
    (h0, e0), (h1, e1) = sorted(drawn(found["model:central"]).items())
    assert abs(math.log10(e1 / e0) / math.log10(h1 / h0) - 2) < 1e-12
    # and it runs through the errors: e·h²/6 for exp at 1
    assert 0.5 < e1 / (math.e * h1**2 / 6) < 2
    assert "bound:central" not in found
    assert "slope of the scheme's order" in [text.get_text() for text in ax.get_legend().get_texts()]


def _of_the_pages(prefix: str) -> list[list[str]]:
    style = str(environment("charts").globals["style"])
    found = re.findall(rf"--{prefix}[0-9]:(#[0-9a-f]{{6}})", style)
    half = len(found) // 2
    return [found[:half], found[half:]]


def test_colours_are_those_of_the_pages_on_light_and_on_dark_ground() -> None:
    assert [len(palette) for palette in (*_of_the_pages("s"), *_of_the_pages("p"))] == [8, 8, 5, 5]
    for style, palette in zip(["default", "dark_background"], _of_the_pages("s"), strict=True):
        with plt.style.context(style):
            found = lines(dc.plot(BOOK))
        seen = [to_hex(found[f"error:{scheme}"].get_color()) for scheme in ("forward", "backward", "central")]
        assert seen == palette[:3]
    for style, palette in zip(["default", "dark_background"], _of_the_pages("p"), strict=True):
        with plt.style.context(style):
            ax = dc.plot(BOOK[BOOK["scheme"] == "central"], kind="split")
        assert [to_hex(lines(ax)[f"part:{part}"].get_color()) for part in PART_WORDS] == palette
        strip = {str(box.get_gid()): to_hex(box.get_facecolor()) for box in ax.patches}
        assert strip["dominates:truncation"] == palette[0]
    markers = [found[f"error:{scheme}"].get_marker() for scheme in ("forward", "backward", "central")]
    assert markers == ["o", "s", "^"]


def test_axes_that_are_given_are_drawn_on_and_returned() -> None:
    _, axes = plt.subplots(1, 2)
    assert dc.plot(BOOK, axes[1]) is axes[1]
    assert axes[1].lines
    assert not axes[0].lines
    assert dc.plot(BOOK) not in list(axes)


def test_every_scheme_can_be_drawn_and_told_apart() -> None:
    names = ["forward", "backward", "central", "central4", "forward2", "central6", "backward2", "central8"]
    ax = dc.plot(dc.sweep(dc.parse("exp(x)"), 1.0, schemes=names, steps=dc.geometric_steps(0.1, 1e-3)))
    ax.figure.canvas.draw()
    looks = {(to_hex(line.get_color()), str(line.get_marker())) for k, line in lines(ax).items() if k[:6] == "error:"}
    assert len(looks) == 8


def test_hostile_names_are_text_and_not_mathematics() -> None:
    stencil = dc.Stencil([-1, 0, 2], name=r"_$\frac{$")
    f = dc.parse("x**2 + exp(x)", name="$\\frac{$ <b>\u202e " + "x" * 500)
    ax = dc.plot(dc.sweep(f, 1.0, schemes=[stencil]))
    ax.figure.canvas.draw()
    assert ax.get_title().startswith("$\\frac{$ <b>\\u202e xx")
    assert len(ax.get_title()) < 120
    assert "$\\frac{$" in ax.get_legend().get_texts()[0].get_text()


def test_other_derivatives_and_narrow_types_are_drawn() -> None:
    ax = dc.plot(dc.sweep(dc.parse("exp(x)"), 1.0, derivative=2, dtype="float16"))
    ax.figure.canvas.draw()
    assert ax.get_title() == "exp(x): ∂²/∂x² at x=1.0"


@pytest.mark.thorough
@pytest.mark.parametrize("at", [-708.0, 700.0])
def test_errors_at_the_ends_of_what_floats_hold_are_drawn(at: float) -> None:
    ax = dc.plot(dc.sweep(dc.parse("exp(x)"), at))
    ax.figure.canvas.draw()
    assert all(0 < limit < math.inf for limit in ax.get_ylim())


@pytest.mark.parametrize(
    ("table", "kind", "match"),
    [
        (
            SQUARES,
            "error",
            r"^table: holds 2 values of 'variable' \('x0', 'x1'\) and one chart shows one; "
            r"pass table\[table\['variable'\] == 'x0'\]$",
        ),
        (dc.sweep(dc.parse("x**2"), [1.0, 2.0]), "error", "holds 2 values of 'point' .*'x=1.0'"),
        (BOOK, "split", r"holds 3 values of 'scheme' \('forward', 'backward', 'central'\)"),
        (BOOK.iloc[:0], "error", "table: it has no rows; select"),
        (BOOK.drop(columns="abs_error"), "error", "column 'abs_error' is missing; pass a whole table"),
        (BOOK, "pie", 'kind=\'pie\': unknown chart; pass "error" or "split"'),
        (
            pd.concat([BOOK.assign(derivative=1), BOOK.assign(derivative=2)]),
            "error",
            r"2 values of 'derivative' \(1, 2\).*pass table\[table\['derivative'\] == 1\]$",
        ),
    ],
)
def test_a_table_that_one_chart_cannot_show_is_refused_with_what_to_select(
    table: pd.DataFrame, kind: str, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        dc.plot(table, kind=kind)  # type: ignore[arg-type]
    assert plt.get_fignums() == []


def test_the_selection_that_a_refusal_names_can_be_drawn() -> None:
    with pytest.raises(ValueError, match="pass table") as refused:
        dc.plot(SQUARES)
    selected = eval(str(refused.value).rpartition("pass ")[2], {"table": SQUARES})
    assert lines(dc.plot(selected))


def test_a_table_with_nothing_to_draw_is_refused() -> None:
    kink = dc.sweep(dc.parse("abs(x)"), 0.0)
    with pytest.raises(
        DiffcompareError, match=r"abs\(x\): ∂/∂x at x=0.0: nothing to draw \(no error could be measured"
    ):
        dc.plot(kink)
    whole = dc.sweep(dc.parse("exp(x)"), 0.0, split=False, schemes=["central"])
    with pytest.raises(DiffcompareError, match="the table has no split; pass split=True to sweep"):
        dc.plot(whole, kind="split")
    with pytest.raises(TypeError, match=r"table=list: pass a table of dc\.sweep"):
        dc.plot([1.0])  # type: ignore[arg-type]


def test_the_table_is_not_changed() -> None:
    before = SQUARES.copy(deep=True)
    dc.plot(SQUARES[SQUARES["variable"] == "x0"])
    pd.testing.assert_frame_equal(SQUARES, before, check_exact=True)


@pytest.mark.thorough
def test_the_same_table_gives_the_same_picture() -> None:
    pictures = []
    for _ in range(2):
        figure = dc.plot(BOOK).figure
        figure.canvas.draw()
        pictures.append(np.asarray(figure.canvas.buffer_rgba()).copy())  # type: ignore[attr-defined]
    assert (pictures[0] == pictures[1]).all()
    assert len(np.unique(pictures[0].reshape(-1, 4), axis=0)) > 50  # and it is no empty one


@pytest.mark.thorough
def test_without_matplotlib_the_extra_is_named() -> None:
    code = """
import sys
import diffcompare as dc
table = dc.sweep(dc.parse("x**2"), 3.0, steps=[1e-3])
dc.plot
print("matplotlib" in sys.modules)
sys.modules["matplotlib"] = None
try:
    dc.plot(table)
except dc.DiffcompareError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "False",
        "charts are drawn by Matplotlib, which is not installed; pip install matplotlib",
    ]


def test_no_line_is_drawn_across_many_decades_without_a_value() -> None:
    table = dc.sweep(dc.parse("exp(x)"), 1.0, schemes=["central"], steps=[1e-1, 1e-2, 1e-3, 1e-9, 1e-10])
    found = {**lines(dc.plot(table)), **lines(dc.plot(table, kind="split"))}
    for name in ("error:central", "model:central", "bound:central", "part:truncation", "part:division"):
        values = [float(y) for y in found[name].get_ydata()]
        assert len(values) == 6, name
        assert math.isnan(values[3]), name
    boxes = [box for box in dc.plot(table, kind="split").patches if str(box.get_gid()).startswith("dominates:")]
    # 1.5 decades on both sides of the gap at most
    assert not [box for box in boxes if box.get_x() < 1e-6 < box.get_x() + box.get_width()]
