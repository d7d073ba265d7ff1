from __future__ import annotations

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from diffcompare.report.drawings import overview as module
from diffcompare.report.drawings.frame import coord
from diffcompare.report.drawings.overview import overview
from diffcompare.tables.schema import Tables

from ..example import errors_table, example, sweep_rows  # noqa: TID252
from ..paths import absolute  # noqa: TID252


def drawn(tables: Tables) -> ElementTree.Element:
    picture = overview(tables.errors)
    assert picture is not None
    assert picture == overview(tables.errors)
    return ElementTree.fromstring(picture.text)


def lines(svg: ElementTree.Element) -> dict[str, list[tuple[str, str]]]:
    found = {}
    for path in svg.iter("path"):
        if "data-points" in path.attrib:
            numbers = path.attrib["data-points"].split(" ")
            found[path.attrib["data-name"]] = list(zip(numbers[::2], numbers[1::2], strict=True))
    return found


def of(errors: list[tuple[float, float]]) -> Tables:
    """A function whose errors are given by h."""
    rows = sweep_rows("f", math.exp, ["x"], [1.0], [math.e], schemes=["forward"], steps=[h for h, _ in errors])
    made = [{**row, "abs_error": error} for row, (_, error) in zip(rows, errors, strict=True)]
    return Tables("", errors_table(made), errors_table(made))


def test_every_function_and_scheme_has_a_line_of_its_largest_errors() -> None:
    tables = example()
    found = lines(drawn(tables))
    rows = tables.errors[tables.errors["exact"].notna()]
    assert list(found) == [f"{f}, {s}" for f, s in rows[["function", "scheme"]].drop_duplicates().to_numpy()]
    both = rows[(rows["function"] == "x0^2 + x1^2") & (rows["scheme"] == "central") & (rows["h"] == 0.01)]["abs_error"]
    assert len(both) == 2
    assert dict(found["x0^2 + x1^2, central"])["0.01"] == f"{both.max():.2e}".replace("e-0", "e-")


def test_the_step_of_the_textbook_is_marked_and_the_picture_has_words() -> None:
    svg = drawn(example())
    left, right, _, _, low, high, *_ = map(float, svg.attrib["data-scale"].split())
    (mark,) = (path.attrib["d"] for path in svg.iter("path") if path.attrib.get("class") == "mark")
    assert mark.startswith(f"M{coord(left + (-4 - low) / (high - low) * (right - left))} ")
    assert "h = 1e-4" in [text.text for text in svg.iter("text")]
    assert svg.attrib["role"] == "img"
    title, words = svg.find("title"), svg.find("desc")
    assert title is not None
    assert words is not None
    assert svg.attrib["aria-labelledby"] == f"{title.attrib['id']} {words.attrib['id']}"
    assert str(words.text).startswith("6 functions. forward: |error| from ")


def test_no_line_crosses_missing_decades_and_far_steps_stand_at_the_edge() -> None:
    svg = drawn(of([(1e-2, 1e-2), (1e-3, 1e-3), (1e-4, 1e-4), (1e-49, 2.0)]))
    left = float(svg.attrib["data-scale"].split()[0])
    paths = {path.attrib["class"]: path.attrib["d"] for path in (*svg.iter("path"),)[::-1] if "class" in path.attrib}
    assert absolute(paths["line"]).count("L") <= 2
    assert paths["apart"].startswith(f"M{left:g} ")
    assert "‹ h = 1e-49" in [text.text for text in svg.iter("text")]
    assert lines(svg)["f, forward"][-1] == ("1e-49", "2")


def test_what_has_no_logarithm_stands_in_a_lane_and_breaks_the_line() -> None:
    svg = drawn(of([(1e-1, 1e-1), (1e-2, 0.0), (1e-3, 1e-3), (1e-4, math.inf), (1e-5, 1e-5), (1e-6, 1e-6)]))
    assert len([path for path in svg.iter("path") if path.attrib.get("class") == "lane"]) == 2
    paths = {path.attrib["class"]: path.attrib["d"] for path in (*svg.iter("path"),)[::-1] if "class" in path.attrib}
    assert paths["apart"].lower().count("m") == 2
    assert len(re.findall("m", paths["line"], re.IGNORECASE)) == 3
    assert [value for _, value in lines(svg)["f, forward"]][:4] == ["0.1", "0", "1e-3", "inf"]


def test_a_picture_of_very_many_numbers_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines(drawn(example()))
    monkeypatch.setattr(module, "_NUMBERS", 200)
    monkeypatch.setattr(module, "_LINES", 5)
    thin = lines(drawn(example()))
    assert list(thin) == list(whole)[:5]
    assert sum(map(len, thin.values())) <= 200 + 5
    assert all(set(points) <= set(whole[name]) for name, points in thin.items())


def test_without_an_error_there_is_no_picture() -> None:
    tables = example()
    kink = replace(tables, errors=tables.errors[tables.errors["status"] == "kink"])
    assert overview(kink.errors) is None
    assert overview(tables.errors.iloc[:0]) is None
