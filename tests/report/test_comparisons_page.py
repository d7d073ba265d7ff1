"""The report of many comparisons: order, limits, tables, and that hostile text stays text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from diffcompare.errors import DiffcompareError
from diffcompare.report.comparisons_page import COMPARISON_COLUMNS, write_comparisons
from diffcompare.tables.csv_files import read_errors

from ..exact_floats import EXACT  # noqa: TID252 - tests are no package
from .comparisons import comparison, errors
from .test_page import HOSTILE, Page, check_inert


def words_of(path: Path) -> str:
    return " ".join("".join(Page(path).words).split())


def test_the_worst_stand_first_and_the_table_keeps_the_order_of_tests(tmp_path: Path) -> None:
    given = [
        comparison("test_a", "consistent"),
        errors("test_b", within=False),
        comparison("test_c", "inconclusive"),
        comparison("test_d", "wrong", outcome="failed", examples=30),
        errors("test_e", within=True, name="sin(x)"),
    ]
    page = words_of(write_comparisons(given, tmp_path))
    table = pd.read_csv(tmp_path / "comparisons.csv", keep_default_na=False, na_values={"resolution": ""}, **EXACT)
    assert list(table.columns) == list(COMPARISON_COLUMNS)
    assert table["test"].tolist() == ["test_a", "test_b", "test_c", "test_d", "test_e"]
    assert table["statuses"].tolist()[3] == "1 wrong, 29 consistent"
    assert table.loc[1, ["component", "claimed", "difference", "threshold", "evidence"]].tolist() == [
        "x, central, h=0.0001", 2.5, -1e-9, 1e-12, "proven"
    ]  # fmt: skip
    rows = page[page.index("worst first") :]
    assert [rows.index(f"test_{k}") for k in "dbcae"] == sorted(rows.index(f"test_{k}") for k in "dbcae")
    for text in (
        "1 of 5 comparisons ⚠ wrong: ",
        "1 of 5 comparisons ⚠ outside-bound: a finite difference is further from the derivative than its bound",
        "⚠ wrong in test_d (test_it.py:12): factor 2 missing: the claim is D/2",
        "inconclusive in test_c (test_it.py:12): worst component x[1], off by 0",
    ):
        assert text in page
    assert "Findings" not in words_of(write_comparisons([comparison("test_a", "consistent")], tmp_path / "calm"))


def test_rows_of_errors_are_stacked_and_read_back_and_are_there_once(tmp_path: Path) -> None:
    write_comparisons(
        [errors("a", within=True), errors("b", within=True), errors("c", within=True, name="f")], tmp_path
    )
    table = read_errors(tmp_path / "errors.csv")
    assert table["function"].tolist() == ["exp(x)", "exp(x)", "f", "f"]
    assert table["h"].tolist() == [1e-3, 1e-4] * 2
    assert table["within_bound"].tolist() == [True] * 4
    assert table["truncation"].isna().all()


@pytest.mark.thorough
@pytest.mark.parametrize("count", [200, 201])
def test_above_200_only_what_is_not_good_has_a_page(tmp_path: Path, count: int) -> None:
    given = [comparison(f"test_{k:03d}", "wrong" if k == 7 else "consistent") for k in range(count)]
    index = write_comparisons(given, tmp_path)
    pages = sorted(path.name for path in tmp_path.glob("comparison-*.html"))
    assert len(pages) == (200 if count == 200 else 1)
    assert "comparison-008.html" in pages
    assert ("200 consistent comparisons have no page of their own" in words_of(index)) == (count > 200)
    links = {str(tag["href"]) for name, tag in Page(index).tags if name == "a"}
    assert {link for link in links if link.startswith("comparison-")} == set(pages)
    assert len(pd.read_csv(tmp_path / "components.csv")) == 2 * count


@pytest.mark.thorough
@pytest.mark.parametrize("text", [*HOSTILE, "\ud800"], ids=lambda text: ascii(text[:20]) or "empty")
def test_hostile_text_in_every_field_stays_text(tmp_path: Path, text: str) -> None:
    given = [
        comparison(f"test_it[{text}]", "wrong", text=text),
        comparison(text, "consistent", outcome=text, text=text),
        errors(text, within=True, name=text),
        {**comparison("test_unknown", "consistent"), "kind": text, "status": text, "statuses": {text: 1}},
    ]
    write_comparisons(given, tmp_path)
    for page in tmp_path.glob("*.html"):
        check_inert(page)
    if text and text.isprintable() and len(text) < 100:
        assert words_of(tmp_path / "index.html").count(" ".join(text.split())) > 6


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "comparisons.csv").write_text("mine")
    with pytest.raises(DiffcompareError, match=r"comparisons\.csv is there already"):
        write_comparisons([comparison("test_a", "wrong")], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["comparisons.csv"]
