from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pandas as pd
import pytest

from diffcompare.report.drawings.frame import marker_symbols
from diffcompare.report.drawings.split_chart import Split, dominating_parts, split_charts
from diffcompare.report.wording import PART_WORDS

from ..example import STEPS, errors_table, split_example, sweep_rows  # noqa: TID252 - tests are no package
from ..paths import absolute, distance, polylines  # noqa: TID252 - tests are no package

PARTS = list(PART_WORDS)
SIZES = {  # of central on 1e-1 … 1e-16
    "truncation": [h**2 for h in STEPS],
    "abscissa": [0.0] * 16,
    "evaluation": [-1e-16 / h for h in STEPS],
    "subtraction": [0.0 if k else 1e-17 for k in range(16)],
    "division": [1e-17] * 16,
}


def rows(**parts: list[float]) -> pd.DataFrame:
    table = sweep_rows("f", math.exp, ["x"], [1.0], [math.e], schemes=["central"])
    return errors_table([{**row, **{name: parts[name][k] for name in parts}} for k, row in enumerate(table)])


def one(table: pd.DataFrame) -> Split:
    (split,) = split_charts(table, title="<title>", identity="s")
    return split


def drawn(table: pd.DataFrame) -> ElementTree.Element:
    drawing = one(table).drawing
    assert drawing is not None
    return ElementTree.fromstring(drawing.text)


def group(drawing: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(g for g in drawing.iter("g") if g.get("class") == f"p{PARTS.index(name) + 1}")


def paths(element: ElementTree.Element, name: str) -> list[str]:
    return [absolute(e.get("d", "")) for e in element.iter("path") if e.get("class") == name]


def scale(drawing: ElementTree.Element) -> list[float]:
    return [float(part) for part in drawing.get("data-scale", "").split()]


def test_lines_stand_where_the_axes_say() -> None:
    drawing = drawn(rows(**SIZES))
    left, right, top, bottom, x0, x1, y0, y1 = scale(drawing)[:8]
    for name in ("truncation", "evaluation", "division"):
        (line,) = paths(group(drawing, name), "line")
        (points,) = polylines(line)
        inside = [(h, abs(size)) for h, size in zip(STEPS, SIZES[name], strict=True) if math.log10(abs(size)) >= y0]
        assert len(inside) > 4
        for h, size in inside:
            x = left + (math.log10(h) - x0) / (x1 - x0) * (right - left)
            y = bottom - (math.log10(size) - y0) / (y1 - y0) * (bottom - top)
            assert distance((x, y), points) < 0.2
        assert all(top <= y <= bottom for _, y in points)


@pytest.mark.parametrize("sizes", [SIZES, {name: [1.0] * 16 for name in PARTS}], ids=["apart", "together"])
def test_every_part_has_its_own_class_marker_and_label(sizes: dict[str, list[float]]) -> None:
    drawing = drawn(rows(**sizes))
    labels = {e.text: e for e in drawing.iter("text") if e.get("class") == "part"}
    assert labels.keys() == set(PARTS)
    heights = sorted(float(e.get("y", "")) for e in labels.values())
    assert all(b - a >= 13.9 for a, b in pairwise(heights))
    assert all(paths(group(drawing, name), "dots") for name in PARTS)
    symbols = ElementTree.fromstring(marker_symbols(f"p{k}" for k in range(1, 6)).text)
    assert len({path.get("d") for path in symbols.iter("path")}) == 5


def test_zeros_stand_in_their_lane() -> None:
    drawing = drawn(rows(**SIZES))
    bottom = scale(drawing)[3]
    assert "exactly 0" in ["".join(e.itertext()) for e in drawing.iter("text")]
    assert "nan/inf" not in ["".join(e.itertext()) for e in drawing.iter("text")]
    for name, zeros in (("abscissa", 16), ("subtraction", 15), ("truncation", 0)):
        d = "".join(paths(group(drawing, name), "dots") + paths(group(drawing, name), "dots hollow"))
        heights = [float(y) for y in re.findall(r"M[\d.]+,([\d.]+)", d)]
        assert sum(y > bottom for y in heights) == zeros, name
    whole = drawn(rows(**{name: [1.0] * 16 for name in PARTS}))
    assert "exactly 0" not in ["".join(e.itertext()) for e in whole.iter("text")]


def test_a_row_without_a_split_breaks_the_lines_and_stands_in_the_lane_above() -> None:
    parts = {name: [*sizes[:5], math.nan, *sizes[6:]] for name, sizes in SIZES.items()}
    split, drawing = one(rows(**parts)), drawn(rows(**parts))
    assert "1 row without a split" in split.words
    assert paths(group(drawing, "division"), "line")[0].count("M") == 2
    top = scale(drawing)[2]
    for name in PARTS:
        d = "".join(paths(group(drawing, name), "dots"))
        assert sum(float(y) < top for y in re.findall(r"M[\d.]+,([\d.]+)", d)) == 1


def test_the_dominating_part_is_named_and_painted() -> None:
    split, drawing = one(rows(**SIZES)), drawn(rows(**SIZES))
    # h² against 1e-16/h: they cross between 1e-5 and 1e-6
    assert split.words == "truncation dominates for h ≥ 1e-5; evaluation of f below."
    assert split.words in (drawing.findtext("desc") or "")
    ribbon = {
        e.get("class"): e.get("d", "").count("M") for e in drawing.iter("path") if "dominates" in e.get("class", "")
    }
    assert ribbon == {"p1 dominates": 1, "p3 dominates": 1}
    left, right = scale(drawing)[:2]
    (first,), (second,) = paths(drawing, "p1 dominates"), paths(drawing, "p3 dominates")
    edges = [float(x) for d in (first, second) for x in re.findall(r"[MH]([\d.]+)", d)[:2]]
    assert edges == [edges[0], right, left, edges[0]]  # side by side, from edge to edge


def test_changing_parts_are_counted() -> None:
    parts = dict(SIZES)
    parts["abscissa"] = [1.0 if k in (8, 10) else 0.0 for k in range(16)]
    assert one(rows(**parts)).words == (
        "truncation dominates for h ≥ 1e-5; "
        "below, of 11 steps: evaluation of f at 9, abscissa (rounding of x ± h) at 2."
    )
    parts["truncation"] = [1.0] * 16
    parts["evaluation"] = parts["abscissa"] = [0.0] * 16
    assert one(rows(**parts)).words == "truncation dominates at every h."
    parts["truncation"] = [1.0, *[0.0] * 15]
    parts["division"] = [0.0] * 16
    assert one(rows(**parts)).words == "truncation dominates at h = 0.1; none (the error is 0) below."


def test_all_parts_zero_is_said_and_not_drawn() -> None:
    split = one(rows(**{name: [0.0] * 16 for name in PARTS}))
    assert split == Split("central", "all parts exactly 0.", None)


def test_empty_columns_draw_nothing() -> None:
    assert split_charts(rows(), title="t", identity="s") == []
    unsplit = [math.nan] * 16
    assert split_charts(rows(**dict.fromkeys(PARTS, unsplit)), title="t", identity="s") == []


def test_a_step_that_was_rounded_to_zero_has_no_place() -> None:
    table = rows(**SIZES)
    table.loc[15, "h"] = 0.0
    assert one(table).words == one(rows(**SIZES)).words
    table["h"] = 0.0
    assert split_charts(table, title="t", identity="s") == []


def test_rows_that_are_not_ok_are_hollow() -> None:
    table = rows(**SIZES)
    table.loc[15, "status"] = "h-underflow"
    assert paths(group(drawn(table), "evaluation"), "dots hollow")[0].count("M") == 1


def test_of_equal_parts_the_first_is_named_and_unknown_rows_are_not() -> None:
    table = rows(**SIZES).iloc[:4].copy()
    table[PARTS] = [[1.0, -1.0, 0, 0, 0], [0, 0, 0, 0, 0], [math.nan, 9, 9, 9, 9], [0, 0, -2.0, 1.0, 0]]
    assert dominating_parts(table).to_dict() == {0: "truncation", 1: "", 3: "evaluation"}


@pytest.mark.parametrize("value", [math.inf, 1e300, 5e-324])
def test_extreme_parts_are_drawn(value: float) -> None:
    parts = dict(SIZES)
    parts["evaluation"] = [value] * 16
    drawing = drawn(rows(**parts))
    assert all(math.isfinite(v) for v in scale(drawing))
    assert "nan" not in "".join(d for e in drawing.iter("path") for d in [e.get("d", "")])


def test_many_steps_are_thinned_but_lanes_are_not() -> None:
    steps = [10.0 ** -(k / 8) for k in range(100)]
    table = sweep_rows("f", math.exp, ["x"], [1.0], [math.e], schemes=["central"], steps=steps)
    zeros = dict.fromkeys(PARTS, 0.0)
    made = errors_table(
        [{**row, **zeros, "truncation": row["h"], "abscissa": float(k % 7 > 0)} for k, row in enumerate(table)]
    )
    drawing = drawn(made)
    bottom = scale(drawing)[3]
    marks = re.findall(r"M[\d.]+,([\d.]+)", "".join(paths(group(drawing, "abscissa"), "dots")))
    assert sum(float(y) > bottom for y in marks) == 15
    assert 15 <= "".join(paths(group(drawing, "truncation"), "dots")).count("M") <= 25
    lane = paths(group(drawing, "division"), "dots") + paths(group(drawing, "division"), "dots hollow")
    assert "".join(lane).count("M") == 100


def test_one_drawing_a_scheme_escaped_with_ids_of_its_own() -> None:
    errors = split_example().errors
    made = split_charts(errors[errors["function"] == "exp(x)"], title="<script>", identity="s")
    assert [split.scheme for split in made] == ["forward", "backward", "central"]
    drawings = [split.drawing.text for split in made if split.drawing]
    assert len(drawings) == 3
    assert "<script>" not in "".join(drawings)
    ids = re.findall(r' id="([^"]+)"', "".join(drawings))
    assert len(ids) == len(set(ids)) == 6


def test_nothing_is_painted_across_many_decades_without_a_value() -> None:
    table = rows(**SIZES)
    table.loc[15, "h"] = 1e-49
    drawing = drawn(table)
    left, right, _, _, x0, x1 = scale(drawing)[:6]
    place = left + (-30 - x0) / (x1 - x0) * (right - left)
    painted = "".join("".join(paths(drawing, f"p{k} dominates")) for k in range(1, 6))
    spans = [(float(a), float(b)) for a, b in re.findall(r"M([\d.]+),[\d.-]+H([\d.]+)", painted)]
    assert len(spans) == 3
    assert not [span for span in spans if span[0] < place < span[1]]
