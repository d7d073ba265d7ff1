"""A verdict in a notebook: one element of HTML, whatever the names and numbers are."""

from __future__ import annotations

import dataclasses
import html
import math
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.verdict.marks import Mark

HOSTILE = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "a\u202eb\x00\ud800",
    "x" * 10_000,
    "각도",
    "&amp;",
]


class Page(HTMLParser):
    """The tags, attributes and cells of a piece of HTML; every tag must be closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def _verdict(n: int = 2) -> dc.Verdict:
    found = dc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x + (x == x[-1]), at=np.arange(1.0, n + 1.0))
    return dataclasses.replace(found, marks=())


def _named(names: list[str]) -> dc.Verdict:
    verdict = _verdict(len(names))
    components = verdict.components.assign(
        component=pd.Series(names, dtype=object), point=pd.Series(names, dtype=object)
    )
    return dataclasses.replace(verdict, components=components, notes=tuple(names[:2]), snippet=names[0])


def test_all_lines_of_the_explanation_are_there() -> None:
    verdict = _verdict()
    words = Page(verdict._repr_html_()).words
    for line in verdict.explain().split("\n"):
        assert line in words
    assert "wrong: 1 of 2 components" in words


def test_numbers_are_those_of_the_components_worst_first() -> None:
    verdict = _verdict(4)
    head, *rows = Page(verdict._repr_html_()).rows
    assert sorted(["point", *head]) == sorted(verdict.components.columns)
    # what is read first has room without scrolling
    assert head[:2] == ["component", "status"]
    assert [row[head.index("component")] for row in rows] == ["x[3]", "x[0]", "x[1]", "x[2]"]
    for row in rows:
        there = verdict.components.set_index("component").loc[row[head.index("component")]]
        for name in ("claimed", "certified"):
            assert float(row[head.index(name)]) == there[name]
        for name in ("difference", "ulps", "relative", "threshold"):
            assert row[head.index(name)] == f"{there[name]:.3g}"
        assert row[head.index("status")] == there["status"]


def test_a_worse_status_stands_before_a_larger_difference_and_that_before_a_smaller_one() -> None:
    verdict = _verdict(4)
    components = verdict.components.assign(
        relative=[3.0, 0.25, np.nan, 0.5], status=["consistent", "wrong", "wrong", "wrong"]
    )
    head, *rows = Page(dataclasses.replace(verdict, components=components)._repr_html_()).rows
    assert [row[head.index("component")] for row in rows] == ["x[3]", "x[1]", "x[2]", "x[0]"]


def test_hostile_names_are_text() -> None:
    text = _named(HOSTILE)._repr_html_()
    page = Page(text)
    assert set(page.tags) <= {"div", "strong", "bdi", "table", "thead", "tbody", "tr", "th", "td", "code"}
    assert {name for name, _ in page.attributes} <= {"style", "role", "aria-label", "scope"}
    assert "<script>alert(1)</script>" in page.words
    assert "\u202e" not in text
    assert "\x00" not in text
    assert "a\\u202eb\\x00\\ud800" in page.words
    assert len(text.encode()) < 12_000


def test_nothing_is_loaded_and_text_takes_the_colour_of_the_page() -> None:
    page = Page(_verdict()._repr_html_())
    styles = " ".join(value or "" for _, value in page.attributes)
    assert "url(" not in styles
    assert not re.search(r"(?<![-\w])(color(?!:inherit)|background)", styles)
    assert "color:inherit" in styles


def test_points_are_named_where_there_are_several() -> None:
    verdict = dc.check_gradient(np.sin, np.cos, at=[1.0, 2.0])
    head, *rows = Page(verdict._repr_html_()).rows
    assert head[:3] == ["point", "component", "status"]
    assert {row[0] for row in rows} == {"1.0", "2.0"}


def test_of_many_components_ten_are_shown_and_the_rest_counted() -> None:
    page = Page(_verdict(1234)._repr_html_())
    assert len(page.rows) == 11
    assert "… and 1,224 more, none of them worse" in page.words
    assert page.rows[1][0] == "x[1233]"
    assert "more" not in Page(_verdict(10)._repr_html_()).words


def test_a_missing_number_is_an_empty_cell() -> None:
    kink = dc.check_gradient(dc.parse("abs(x)"), lambda x: np.sign(x), at=0.0)
    head, row = Page(kink._repr_html_()).rows
    assert math.isnan(kink.components["certified"].iloc[0])
    assert row[head.index("certified")] == ""


def test_each_status_has_a_border_that_both_pages_show() -> None:
    seen = set()
    for status in COMPONENT_STATUSES:
        text = dataclasses.replace(_verdict(), status=status, cause=None)._repr_html_()
        (colour,) = re.findall(r"solid #([0-9a-f]{6})", text)
        seen.add(colour)
        # relative luminance and contrast: WCAG 2.1, 1.4.11 asks for 3 beside an adjacent colour
        parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
        light = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
        for page in (1.0, 0.0056):  # white; #111111
            high, low = max(page, luminance), min(page, luminance)
            assert (high + 0.05) / (low + 0.05) > 3, (status, page)
    assert len(seen) == 3


@pytest.mark.parametrize("n", [1, 3])
def test_equal_verdicts_give_equal_text(n: int) -> None:
    assert _verdict(n)._repr_html_() == _verdict(n)._repr_html_()


def test_marked_places_are_drawn_below_the_first_line_and_hostile_code_is_text() -> None:
    evil = "<script>alert(1)</script>"
    source = f"    y = 2 * x  # {evil}\u202e"
    mark = Mark("gradient", f"{evil}.py", 7, 8, 7, 13, "2 * x", f"twice {evil}\x1b", (source,))
    text = dataclasses.replace(_verdict(), marks=(mark,))._repr_html_()
    page = Page(text)
    assert set(page.tags) == {"div", "strong", "bdi", "pre", "table", "thead", "tbody", "tr", "th", "td"}
    assert f"y = 2 * x  # {evil}\\u202e\n" in page.words
    assert f"<strong>^^^^^ twice {html.escape(evil)}\\x1b</strong></pre>" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert page.words.index("wrong: ") < page.words.index("^^^^^") < page.words.index("Judged by")
    assert "<pre" not in _verdict()._repr_html_()
