"""The table of all rows: every digit, a group a scheme, what never changes said once, names as text."""

from __future__ import annotations

import math
from html.parser import HTMLParser

import pandas as pd
import pytest

from diffcompare.report.rows_table import rows_table

from .example import errors_table, sweep_rows, with_split

EVIL = '<img src=x onerror=alert(1)>"&\u202e'
ROWS = with_split(sweep_rows("exp", math.exp, ["x"], [1.0], [math.e]), math.e / 2, math.e / 6)


class Table(HTMLParser):
    """Rows of cells, by group; ends of cells and rows are left out, as HTML allows."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.groups: list[list[list[str]]] = []
        self.caption = ""
        self.where = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.where = tag
        if tag in ("thead", "tbody"):
            self.groups.append([])
        elif tag == "tr":
            self.groups[-1].append([])
        elif tag in ("th", "td"):
            self.groups[-1][-1].append("")

    def handle_data(self, data: str) -> None:
        if self.where in ("th", "td"):
            self.groups[-1][-1][-1] += data
        elif self.where == "caption":
            self.caption += data


def made(rows: pd.DataFrame, *, brief: bool = False) -> Table:
    return Table(rows_table(rows, caption="<i>", identity="t", brief=brief).text)


@pytest.mark.parametrize("brief", [False, True])
def test_every_cell_is_that_of_errors_csv(brief: bool) -> None:
    table = made(errors_table(ROWS), brief=brief)
    (head,), *groups = table.groups
    assert head == ["h", "abs_error", "bound", "status"] if brief else len(head) == 14
    assert [group[0] for group in groups] == [["forward"], ["backward"], ["central"]]
    cells = [cell for group in groups for row in group[1:] for cell in row]
    expected = []
    for row in ROWS:
        for name in head:
            value = row[name]
            expected.append(value if isinstance(value, str) else "" if value != value else repr(value))
    assert cells == expected


def test_what_is_the_same_in_every_row_is_in_the_caption() -> None:
    table = made(errors_table(ROWS))
    assert table.caption == "<i>. In every row: within_bound True, bound_source proven."
    ok = [{**row, "status": "ok"} for row in ROWS]
    assert made(errors_table(ok)).caption.endswith("status ok, within_bound True, bound_source proven.")
    assert "status" not in made(errors_table(ok)).groups[0][0]
    # the script takes a status that stands nowhere for ok: any other one stands in every row
    kink = [{**row, "status": "kink"} for row in ROWS]
    assert "status" in made(errors_table(kink)).groups[0][0]


def test_without_an_error_the_brief_table_says_what_was_returned() -> None:
    rows = errors_table(sweep_rows("abs", abs, ["x"], [0.0], [math.nan], status="kink"))
    assert made(rows, brief=True).groups[0][0] == ["h", "numeric", "status"]


def test_names_are_text() -> None:
    rows = errors_table([{**row, "scheme": EVIL, "status": "ok"} for row in ROWS[:16]])
    text = rows_table(rows, caption=EVIL, identity=EVIL).text
    assert "<img" not in text
    assert made(rows).groups[1][0] == [EVIL.replace("\u202e", "\\u202e")]
