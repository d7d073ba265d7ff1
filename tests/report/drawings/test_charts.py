from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from diffcompare.report.drawings.charts import error_chart, slope_level, smallest_error
from diffcompare.report.wording import short

from ..example import errors_table, sweep_rows  # noqa: TID252 - tests are no package
from ..paths import absolute  # noqa: TID252 - tests are no package

ROWS = sweep_rows("exp", math.exp, ["x"], [1.0], [math.e])


def chart(rows: pd.DataFrame) -> ElementTree.Element:
    made = error_chart(rows, title="<title>", identity="c")
    assert made is not None
    return ElementTree.fromstring(made.drawing.text)


def beside(rows: pd.DataFrame) -> list[str]:
    """What is said beside the chart of each scheme."""
    made = error_chart(rows, title="<title>", identity="c")
    assert made is not None
    return [text for _, _, words in made.schemes for text in words]


def changed(**columns: object) -> pd.DataFrame:
    """The rows of exp(x) at 1 with some values replaced: {column: {row number: value}}."""
    rows = [dict(row) for row in ROWS]
    for column, values in columns.items():
        for number, value in values.items():  # type: ignore[attr-defined]
            rows[number][column] = value
    return errors_table(rows)


def paths(drawing: ElementTree.Element, name: str) -> list[str]:
    return [absolute(e.get("d", "")) for e in drawing.iter("path") if e.get("class") == name]


def texts(drawing: ElementTree.Element) -> list[str]:
    return ["".join(e.itertext()) for e in drawing.iter("text")]


def scale(drawing: ElementTree.Element) -> list[float]:
    return [float(part) for part in drawing.get("data-scale", "").split()]


def test_every_row_has_a_marker() -> None:
    drawing = chart(errors_table(ROWS))
    legend = 3
    dots = "".join(absolute(e.get("d", "")) for e in drawing.iter("path") if (e.get("class") or "").startswith("dots"))
    assert dots.count("M") == len(ROWS) + legend


def test_markers_stand_where_the_axes_say() -> None:
    drawing = chart(errors_table(ROWS))
    left, right, top, bottom, x0, x1, y0, y1 = scale(drawing)[:8]
    x = left + (math.log10(0.1) - x0) / (x1 - x0) * (right - left)
    y = bottom - (math.log10(ROWS[0]["abs_error"]) - y0) / (y1 - y0) * (bottom - top)  # type: ignore[arg-type]
    assert f"M{x:.1f}".removesuffix(".0") + f",{y:.1f}".removesuffix(".0") in paths(drawing, "line")[1]
    for name, scheme in zip(("s1", "s2", "s3"), ("forward", "backward", "central"), strict=True):
        (group,) = [g for g in drawing.iter("g") if g.get("class") == name]
        found = heights("".join(paths(group, "dots") + paths(group, "dots hollow")))
        for row in ROWS:
            if row["scheme"] == scheme and row["abs_error"]:
                h, error = math.log10(row["h"]), math.log10(row["abs_error"])  # type: ignore[arg-type]
                place = left + (h - x0) / (x1 - x0) * (right - left), bottom - (error - y0) / (y1 - y0) * (bottom - top)
                assert min(math.dist(place, mark) for mark in found) < 0.08


def test_a_zero_stands_in_its_lane_and_breaks_the_line() -> None:
    whole, broken = chart(errors_table(ROWS)), chart(changed(abs_error={5: 0.0}))
    assert "exactly 0" in texts(broken)
    assert "exactly 0" not in texts(whole)
    assert "nan/inf" not in texts(broken)
    line = paths(broken, "line")[1]
    assert (paths(whole, "line")[1].count("M"), line.count("M")) == (1, 2)
    gone = line.split("M")[1].split("L")[-1].split(",")[0], line.split("M")[2].split(",")[0]
    (marker,) = [float(x) for x, y in heights(paths(broken, "dots")[1]) if y > scale(broken)[3]]
    assert float(gone[1]) < marker < float(gone[0])
    assert "exactly 0 at 1 of 16 h" in (broken.findtext("desc") or "")


def test_lanes_lie_on_their_sides_of_the_plot() -> None:
    drawing = chart(changed(abs_error={5: 0.0, 6: math.nan, 7: math.inf}))
    _, _, top, bottom = scale(drawing)[:4]
    (forward,) = [g for g in drawing.iter("g") if g.get("class") == "s1"]
    heights = [float(y) for d in paths(forward, "dots") for y in re.findall(r"M[\d.]+,([\d.]+)", d)]
    assert sum(y < top for y in heights) == 2
    assert sum(y > bottom for y in heights) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_and_inf_stand_in_their_lane_and_break_the_line(value: float) -> None:
    drawing = chart(changed(abs_error={5: value}))
    assert "nan/inf" in texts(drawing)
    assert paths(drawing, "line")[1].count("M") == 2
    assert "nan or inf at 1 of 16 h" in (drawing.findtext("desc") or "")


def test_a_row_that_is_not_ok_is_hollow() -> None:
    assert [d.count("M") for d in paths(chart(errors_table(ROWS)), "dots hollow")] == [1]  # forward at 1e-16
    drawing = chart(changed(status={2: "nonfinite", 20: "domain"}))
    assert [d.count("M") for d in paths(drawing, "dots hollow")] == [2, 1]


def test_model_lines_do_not_move_the_axes_and_stay_inside() -> None:
    plain = chart(errors_table(ROWS))
    tiny = chart(changed(truncation={k: 1e-32 * 10.0 ** -(k % 16) for k in range(len(ROWS))}))
    assert scale(tiny)[4:8] == scale(plain)[4:8]
    assert paths(tiny, "model") == []  # far below the drawing
    steep = chart(changed(truncation={k: row["h"] ** 2 for k, row in enumerate(ROWS)}))  # type: ignore[operator]
    _, _, top, bottom = scale(steep)[:4]
    heights = [float(y) for d in paths(steep, "model") for y in re.findall(r",(-?[\d.]+)", d)]
    assert heights
    assert top <= min(heights)
    assert max(heights) <= bottom


def test_the_y_axis_is_at_least_eight_decades_long() -> None:
    y0, y1 = scale(chart(changed(abs_error=dict.fromkeys(range(len(ROWS)), 1e-9))))[6:8]
    assert y1 - y0 == 8


def test_ticks_are_powers_of_ten_never_si_prefixes() -> None:
    ticks = texts(chart(errors_table(ROWS)))
    assert {"1e-4", "1e-16", "h = 1e-4"} <= set(ticks)
    assert not [t for t in ticks if re.fullmatch(r"[\d.]+[pnuµmk]", t)]


def test_best_step_is_the_largest_h_of_the_smallest_ok_error() -> None:
    assert smallest_error([1.0, 0.1, 0.01], [2.0, 1.0, 1.0], [True, True, True]) == (0.1, 1.0, 2)
    assert smallest_error([1.0, 0.1], [0.0, 1.0], [False, True]) == (0.1, 1.0, 1)
    assert smallest_error([1.0], [math.nan], [True])[2] == 0


def test_the_predicted_optimum_is_marked_only_where_there_is_one() -> None:
    assert paths(chart(errors_table(ROWS)), "predicted") == []
    every = range(len(ROWS))
    rows = changed(predicted_h=dict.fromkeys(every, 1e-8), predicted_abs_error=dict.fromkeys(every, 1e-8))
    assert len(paths(chart(rows), "predicted")) == 3
    assert beside(rows).count("◇ predicted 1e-8 at h = 1e-8") == 3


def test_a_slope_is_laid_only_through_errors_that_follow_it() -> None:
    h = [10.0**-k for k in range(1, 12)]
    straight = [step**2 + 1e-17 / step for step in h]
    level = slope_level(h, straight, [True] * len(h), 2)
    assert level is not None
    assert abs(level) < 0.01
    noise = [1e-9 * (1 + 50 * (k % 2)) for k in range(len(h) - 1)] + [1e-10]
    assert slope_level(h, noise, [True] * len(h), 2) is None
    assert slope_level(h[:2], straight[:2], [True, True], 2) is None


def test_texts_are_escaped_and_the_drawing_is_announced() -> None:
    made = error_chart(errors_table(ROWS), title="<script>", identity="c")
    assert made is not None
    text = made.drawing.text
    assert "<script>" not in text
    assert 'role="img"' in text
    assert 'aria-labelledby="c-title c-desc"' in text
    best = min((row["abs_error"], -row["h"]) for row in ROWS if row["scheme"] == "central")  # type: ignore[operator]
    assert f"central: smallest |error| {short(best[0])} at h = {short(-best[1])}" in text


def test_a_step_that_was_rounded_to_zero_has_no_marker() -> None:
    drawing = chart(changed(h={15: 0.0}))
    assert "".join(paths(drawing, "dots") + paths(drawing, "dots hollow")).count("M") == len(ROWS) - 1 + 3
    assert error_chart(changed(h=dict.fromkeys(range(len(ROWS)), 0.0)), title="t", identity="c") is None


def test_all_zero_errors_are_drawn() -> None:
    rows = changed(abs_error=dict.fromkeys(range(len(ROWS)), 0.0))
    assert paths(chart(rows), "best")
    assert any("(16 such h)" in t for t in beside(rows))


def heights(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+),(-?[\d.]+)", path)]


def test_the_bound_is_a_line_above_the_errors_of_its_scheme() -> None:
    rows = [{**row, "bound": 3.0 * row["abs_error"], "bound_source": "proven"} for row in ROWS]  # type: ignore[operator]
    drawing = chart(errors_table(rows))
    assert scale(drawing)[4:8] == scale(chart(errors_table(ROWS)))[4:8]
    groups = [g for g in drawing.iter("g") if re.fullmatch(r"s\d", g.get("class", ""))]
    assert len(groups) == 3
    _, _, top, bottom = scale(drawing)[:4]
    for group in groups:
        (bound,), dots = paths(group, "bound"), "".join(paths(group, "dots") + paths(group, "dots hollow"))
        measured = dict(heights(dots))
        inside = [(x, y) for x, y in heights(bound) if x in measured and y > top]
        assert len(inside) > 5
        assert all(y < measured[x] for x, y in inside)
        assert all(top <= y <= bottom for _, y in heights(bound))
    assert "proven bound" in texts(drawing)


def test_a_bound_is_drawn_only_where_there_is_one_and_named_as_it_is() -> None:
    assert paths(chart(errors_table(ROWS)), "bound") == []
    assert not [t for t in texts(chart(errors_table(ROWS))) if "bound" in t]
    every = {k: row["abs_error"] for k, row in enumerate(ROWS)}
    some = {k: value for k, value in every.items() if k < 16 and k != 5}
    drawing = chart(changed(bound=some, bound_source=dict.fromkeys(some, "measured")))
    (path,) = paths(drawing, "bound")
    assert path.count("M") == 2
    assert "measured bound" in texts(drawing)
    mixed = dict.fromkeys(every, "proven") | {3: "measured"}
    assert "bound" in texts(chart(changed(bound=every, bound_source=mixed)))


def test_a_bound_far_above_the_errors_does_not_leave_the_drawing() -> None:
    drawing = chart(changed(bound={k: 1e30 if k % 2 else row["abs_error"] for k, row in enumerate(ROWS)}))
    _, _, top, bottom = scale(drawing)[:4]
    found = [y for path in paths(drawing, "bound") for _, y in heights(path)]
    assert found
    assert all(top <= y <= bottom for y in found)


def test_the_exact_truncation_replaces_the_slope() -> None:
    assert "slope of the scheme's order" in texts(chart(errors_table(ROWS)))
    drawing = chart(changed(truncation={k: row["h"] for k, row in enumerate(ROWS)}))
    assert "truncation error" in texts(drawing)
    assert "slope of the scheme's order" not in texts(drawing)
    assert paths(chart(changed(truncation=dict.fromkeys(range(len(ROWS)), 0.0))), "model") == []


def test_the_band_of_a_bound_reaches_from_the_bound_to_the_floor() -> None:
    bounds = {k: 3.0 * row["abs_error"] for k, row in enumerate(ROWS) if k != 5}  # type: ignore[operator]
    drawing = chart(changed(bound=bounds, bound_source=dict.fromkeys(bounds, "proven")))
    _, _, top, bottom = scale(drawing)[:4]
    bands = paths(drawing, "band")
    assert len(bands) == 3
    assert bands[0].count("M") == 2  # a gap where there is no bound
    for band in bands:
        assert all(top <= y <= bottom for _, y in heights(band))
        assert all(heights(piece)[0][1] == bottom for piece in re.findall(r"M[^M]*", band))
        assert band.count(f"V{bottom:.1f}".removesuffix(".0") + "z") == band.count("M")
    assert paths(chart(errors_table(ROWS)), "band") == []


def test_regimes_are_shaded_up_to_the_outermost_predicted_h() -> None:
    assert not paths(chart(errors_table(ROWS)), "regime rounding")
    h = {"forward": 1e-8, "backward": 1e-7, "central": 1e-5}
    drawing = chart(changed(predicted_h={k: h[str(row["scheme"])] for k, row in enumerate(ROWS)}))
    left, right, _, _, x0, x1 = scale(drawing)[:6]
    for name, step, column in (("rounding", 1e-8, 1), ("truncation", 1e-5, 0)):
        (path,) = paths(drawing, f"regime {name}")
        edges = [float(x) for x in re.findall(r"[MH]([\d.]+)", path)][:2]
        x = left + (math.log10(step) - x0) / (x1 - x0) * (right - left)
        assert edges[column] == float(f"{x:.1f}")
        assert edges[1 - column] == (left, right)[1 - column]
        assert f"{name} dominates" in texts(drawing)
    # one scheme without a prediction: nothing can be said of all
    some = {k: h[str(row["scheme"])] for k, row in enumerate(ROWS) if row["scheme"] != "central"}
    assert not paths(chart(changed(predicted_h=some)), "regime rounding")


def test_no_line_is_drawn_across_many_decades_without_a_value() -> None:
    bounds = {k: 3.0 * row["abs_error"] for k, row in enumerate(ROWS)}  # type: ignore[operator]
    more = {"bound": bounds, "truncation": {k: row["h"] for k, row in enumerate(ROWS)}}
    whole, far = chart(changed(**more)), chart(changed(**more, h={15: 1e-49, 31: 1e-49, 47: 1e-49}))
    for name in ("line", "bound", "model", "band"):
        # of each scheme the last value stands alone
        pieces = [[d.count("M") for d in paths(drawing, name) if d.count("L") > 1] for drawing in (whole, far)]
        assert pieces[1] == pieces[0], name
        places = [x for d in paths(far, name) for x, _ in heights(d)]
        gap = scale(far)[0] + (scale(far)[1] - scale(far)[0]) / 2
        steps = [
            b - a
            for d in paths(far, name)
            for piece in d.split("M")
            for (a, _), (b, _) in pairwise(heights("M" + piece))
        ]
        assert places
        assert max(map(abs, steps), default=0.0) < gap / 2, name


def test_what_is_written_stays_in_the_frame_at_the_sizes_of_a_phone() -> None:
    drawing = chart(changed(h={k: 1e-4 * 10.0 ** -(k % 16) for k in range(len(ROWS))}))
    (book,) = [e for e in drawing.iter("text") if e.text == "h = 1e-4"]
    assert book.get("class") == "book end"
    names = ["a scheme of mine", "another scheme", "central", "forward", "one more scheme"]
    rows = [{**row, "scheme": name} for name in names for row in ROWS[:16]]
    drawing = chart(errors_table(rows))
    width = float(drawing.get("viewBox", "").split()[2])
    named = [
        (float(e.get("x", "")), float(e.get("y", "")), e.text or "")
        for e in drawing.iter("text")
        if e.get("class") == "name"
    ]
    assert len(named) == 5
    assert all(x + 9.6 * len(text) <= width for x, _, text in named)
    assert len({y for _, y, _ in named}) > 1
    assert max(y for _, y, _ in named) < scale(drawing)[2] - 20


def test_all_that_belongs_to_a_scheme_can_be_hidden_with_it() -> None:
    drawing = chart(errors_table(ROWS))
    for k in range(3):
        classes = [e.get("class", "") for e in drawing.iter() if e.get("data-scheme") == str(k)]
        assert classes == [f"legend s{k + 1}", f"s{k + 1}", f"marks s{k + 1}"]
