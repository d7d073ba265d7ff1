"""A study from its file to its pages: what the sweep fills in is what the report shows."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
import pytest

from diffcompare.report.page import write_report
from diffcompare.studies import study
from diffcompare.studies.study import run_study
from diffcompare.tables.schema import HOT_SPOT_COLUMNS, Tables

from ..exact_floats import EXACT  # noqa: TID252 - tests are no package

STUDY = """
steps = { from = 1e-1, to = 1e-12, per_decade = 1 }
[[function]]
name = "cancels"
expr = "(1 - cos(x))/x**2"
points = [1e-4, 0.5]
[[function]]
name = "linear"
expr = "2*x"
points = [1.0]
steps = [0.5, 0.25]
[[function]]
name = "long"
expr = "exp(x) + sin(x) + cos(x) + tan(x) + sinh(x) + cosh(x) + tanh(x) + atan(x) + log(x) + sqrt(x)"
points = [1.5]
[[function]]
name = "broken"
expr = "foo(x)"
points = [1.0]
"""


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return _run(tmp_path)


def _run(folder: Path) -> Tables:
    file = folder / "study.toml"
    file.write_text(STUDY, encoding="utf-8")
    return run_study(file)


def test_hot_spots_are_listed_by_function_and_point(tables: Tables) -> None:
    spots = tables.hot_spots
    assert list(spots.columns) == list(HOT_SPOT_COLUMNS)
    counts = spots.groupby(["function", "point"], observed=True, sort=False).size()
    assert list(counts.index[:2]) == [("cancels", "x=0.0001"), ("cancels", "x=0.5")]
    assert counts["long", "x=1.5"] == 12
    first = spots.iloc[0]
    assert first["operation"] == "cos(x)"
    assert first["bound_share"] > 0.99
    assert (spots["error"].abs() <= spots["bound"]).all()


def test_hot_spots_that_fail_do_not_fail_the_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> pd.DataFrame:
        raise RuntimeError("no")

    monkeypatch.setattr(study, "ranked_operations", broken)
    tables = _run(tmp_path)
    assert tables.functions["status"].tolist() == ["ok", "ok", "ok", "failed"]
    assert len(tables.hot_spots) == 0
    assert list(tables.hot_spots.columns) == list(HOT_SPOT_COLUMNS)
    write_report(tables, tmp_path / "out")
    assert (tmp_path / "out" / "hot_spots.csv").read_text().split() == [",".join(HOT_SPOT_COLUMNS)]


@pytest.mark.thorough
def test_the_pages_show_what_the_study_found(tmp_path: Path, tables: Tables) -> None:
    write_report(tables, tmp_path / "out")
    pages = [(tmp_path / "out" / f"function-{k:03d}.html").read_text(encoding="utf-8") for k in (1, 2, 3, 4)]
    cancels, linear, _, broken = (html.unescape(re.sub(r"<[^>]+>", "", page)) for page in pages)
    assert "x=0.0001: > 99 % of the proven bound on the rounding error comes from cos(x)." in cancels
    assert pages[0].count('class="chart split"') == 6
    assert pages[0].count('class="bound"') == 6
    assert "every error within its proven bound" in linear
    assert linear.count("all parts exactly 0.") == 3
    assert "Which part of the error" not in broken
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert 'href="hot_spots.csv"' in index
    written = pd.read_csv(tmp_path / "out" / "hot_spots.csv", **EXACT)
    assert written["bound"].tolist() == tables.hot_spots["bound"].tolist()
