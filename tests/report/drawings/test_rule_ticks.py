"""What rules chose: a tick where it has a place, a row for each rule of the scheme, names that do not overlap."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from diffcompare.report.drawings.charts import error_chart
from diffcompare.report.drawings.rule_ticks import rule_rows
from diffcompare.report.page import write_report
from diffcompare.tables.schema import RULE_COLUMNS

from ..example import errors_table, example, sweep_rows  # noqa: TID252 - tests are no package
from ..paths import absolute  # noqa: TID252 - tests are no package

ROWS = errors_table(sweep_rows("square", lambda x: x * x, ["x"], [3.0], [6.0], schemes=("forward", "central")))


def rules_table(*rows: tuple[str, str, float, str]) -> pd.DataFrame:
    common = {"function": "square", "variable": "x", "point": "x=3.0", "best_abs_error": 1e-9, "evaluations": 7}
    made = [
        {**common, "scheme": scheme, "rule": rule, "h": h, "abs_error": 2e-9, "ratio": 2.0, "message": message}
        for scheme, rule, h, message in rows
    ]
    return pd.DataFrame(made)[list(RULE_COLUMNS)]


def chart(rules: pd.DataFrame | None) -> str:
    drawing = error_chart(ROWS, title="t", identity="c", rules=rules)
    assert drawing is not None
    return drawing.drawing.text


def names(svg: str) -> list[str]:
    return re.findall(r'class="rule-name"[^>]*>([^<]*)<', svg)


def test_ticks_stand_at_the_steps_and_close_names_are_one():
    svg = chart(
        rules_table(
            ("forward", "scaled by u", 1e-8, ""),
            ("forward", "Shi-Xie-Xuan-Nocedal", 1.3e-8, ""),
            ("forward", "Ridders", 1e-3, ""),
            ("central", "Dumontet-Vignes", 1e-5, ""),
        )
    )
    assert names(svg) == ["√u SX", "Ri", "DV"]
    ticks = re.findall(r'class="rule" d="([^"]*)"', svg)
    assert [d.count("M") for d in ticks] == [3, 1]
    # the axis runs over 1e-1 … 1e-16 with 0.4 decades at both ends, over 526 units
    places = [float(x) for x in re.findall(r"M([\d.]+),", absolute(ticks[0]))]
    expected = [64 + (math.log10(h) + 16.4) / 15.8 * 526 for h in (1e-8, 1.3e-8, 1e-3)]
    assert all(abs(a - b) <= 0.051 for a, b in zip(places, expected, strict=True))


def test_the_complex_step_has_one_tick_whatever_the_schemes():
    svg = chart(
        rules_table(
            ("forward", "complex step", 1e-10, ""),
            ("central", "complex step", 1e-10, ""),
            ("central", "Ridders", 1e-3, ""),
        )
    )
    assert names(svg) == ["CS", "Ri"]
    # outside the steps of the chart it has none
    assert names(chart(rules_table(("forward", "complex step", 1e-20, "")))) == []


def test_what_has_no_place_has_no_tick():
    refused = ("forward", "Ridders", math.nan, "no two differences are finite")
    far = ("central", "Shi-Xie-Xuan-Nocedal", 10.6, "")
    marked = ("central", "fixed 1e-4", 1e-4, "")
    assert names(chart(rules_table(refused, far, marked))) == []
    assert chart(rules_table(refused, far, marked)) == chart(None)


def test_rules_for_other_schemes_are_no_rows():
    rows = rule_rows(
        rules_table(
            ("forward", "Dumontet-Vignes", math.nan, "the rule is for central differences"),
            ("forward", "Ridders", math.nan, "no two differences are finite"),
            ("forward", "fixed 1e-4", 1e-4, ""),
        )
    )
    assert [(row["rule"], row["tick"], row["message"]) for row in rows] == [
        ("Ridders", "Ri", "no two differences are finite"),
        ("fixed 1e-4", "", ""),
    ]


@pytest.mark.thorough
def test_the_page_shows_the_table_and_the_file_is_written(tmp_path: Path):
    tables = example()
    name, point, variable = (str(tables.errors[c].iloc[0]) for c in ("function", "point", "variable"))
    rules = rules_table(("forward", "Ridders", 1e-3, "<b>why</b>"))
    rules = rules.assign(function=name, point=point, variable=variable)
    write_report(replace(tables, rules=rules), tmp_path)
    page = (tmp_path / "function-001.html").read_text(encoding="utf-8")
    assert page.count("What published rules would have chosen for h") == 1
    assert "&lt;b&gt;why&lt;/b&gt;" in page
    assert (tmp_path / "rules.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(RULE_COLUMNS)
    write_report(tables, tmp_path)
    assert "What published rules" not in (tmp_path / "function-001.html").read_text(encoding="utf-8")
