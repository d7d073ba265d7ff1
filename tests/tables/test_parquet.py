"""Parquet files beside the CSV files: the same tables, bit for bit, and refused like them where they are not ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import diffcompare as dc
from diffcompare.command.cli import main
from diffcompare.errors import DiffcompareError
from diffcompare.report.page import write_report
from diffcompare.tables.csv_files import read_errors, write_csv
from diffcompare.tables.parquet import write_parquet
from diffcompare.tables.schema import COLUMNS

from ..report.example import Row, errors_table, example  # noqa: TID252 - tests are no package
from .test_csv_files import assert_same, rows_of_text

TABLES = ("errors", "summary", "functions", "descent", "curves", "hot_spots", "rules", "surfaces")


def test_the_example_reads_back_equal(tmp_path: Path) -> None:
    errors = example().errors
    write_parquet(errors, tmp_path / "errors.parquet")
    assert_same(read_errors(tmp_path / "errors.parquet"), errors)


def test_a_table_without_rows_reads_back_equal(tmp_path: Path) -> None:
    empty = errors_table([])
    write_parquet(empty, tmp_path / "errors.parquet")
    assert_same(read_errors(tmp_path / "errors.parquet"), empty)


@pytest.mark.thorough
@settings(deadline=None)  # files and a busy machine: time is no part of the claim
@given(st.lists(rows_of_text, min_size=1, max_size=5))
def test_any_table_reads_back_equal_from_both_files(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    folder = tmp_path_factory.mktemp("both")
    errors = errors_table(rows)
    write_parquet(errors, folder / "errors.parquet")
    write_csv(errors, folder / "errors.csv")
    assert_same(read_errors(folder / "errors.parquet"), errors)
    assert_same(read_errors(folder / "errors.parquet"), read_errors(folder / "errors.csv"))


@pytest.mark.thorough
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("derivative", [1, 2])
@pytest.mark.parametrize("name", ["errors.csv", "errors.parquet"])
def test_a_real_sweep_reads_back_equal(tmp_path: Path, dtype: str, derivative: int, name: str) -> None:
    table = dc.sweep(
        dc.parse("x0*exp(-x1)"), [[1.0, -0.0], [5e-324, 2.0]], derivative=derivative, dtype=dtype,
        schemes=["central"], steps=dc.geometric_steps(1.0, 1e-9, per_decade=1),
    )  # fmt: skip
    dc.write_report(table, tmp_path, format="parquet")
    assert_same(dc.read_errors(tmp_path / name), table)
    assert (table["derivative"] == derivative).all()


@pytest.mark.thorough
def test_a_report_has_each_table_twice_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("one", "two", "plain"):
        write_report(example(), tmp_path / name, format="csv" if name == "plain" else "parquet")
    one, two, plain = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("one", "two", "plain"))
    assert one == two
    assert set(one) - set(plain) == {f"{name}.parquet" for name in TABLES}
    assert {name: one[name] for name in plain if name.endswith(".csv")} == {
        name: plain[name] for name in plain if name.endswith(".csv")
    }
    assert {f"{name}.{end}" for name in TABLES for end in ("csv", "parquet")} <= set(
        json.loads(one["manifest.json"])["files"]
    )
    assert '<a href="errors.parquet">' in one["index.html"].decode()
    # a report without them takes them away
    write_report(example(), tmp_path / "two")
    assert {p.name: p.read_bytes() for p in (tmp_path / "two").iterdir()} == plain


@pytest.mark.thorough
@pytest.mark.parametrize("name", TABLES)
def test_the_parquet_table_holds_what_the_csv_file_holds(tmp_path: Path, name: str) -> None:
    write_report(example(), tmp_path, format="parquet")
    write_csv(parquet.read_table(tmp_path / f"{name}.parquet").to_pandas(), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / f"{name}.csv").read_bytes()


def test_a_verdict_has_its_components_as_parquet(tmp_path: Path) -> None:
    verdict = dc.check_gradient(dc.parse("x**2"), lambda x: 2 * x, at=3.0)
    dc.write_report(verdict, tmp_path, format="parquet")
    frame = parquet.read_table(tmp_path / "components.parquet").to_pandas()
    assert frame["certified"].tolist() == verdict.components["certified"].tolist() == [6.0]
    assert '<a href="components.parquet">' in (tmp_path / "index.html").read_text(encoding="utf-8")


def _without(column: str) -> Callable[[pyarrow.Table], pyarrow.Table]:
    return lambda table: table.drop_columns([column])


def _with(column: str, values: object) -> Callable[[pyarrow.Table], pyarrow.Table]:
    return lambda table: table.set_column(
        table.column_names.index(column), column, pyarrow.array([values] * table.num_rows)
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (_without("h"), r"errors\.parquet: column 'h' is missing from the header; pass the errors\.parquet"),
        (lambda t: t.append_column("extra", t.column("h")), "column 'extra' of the header is unknown"),
        (lambda t: t.append_column("h", t.column("h")), "not in their order, or one is there twice"),
        (_with("status", "fine"), r"column 'status': 'fine' is not one of 'ok', 'domain'.*; restore the file"),
        (_with("h", "abc"), "column 'h' is of type .*string, not double; restore"),
        (_with("order", None), "column 'order' has an empty cell; restore"),
        (_with("scheme", None), "column 'scheme' has an empty cell; restore"),
        (_with("order", 1.5), "column 'order' is of type double, not int64; restore"),
    ],
)
def test_an_edited_file_is_refused_naming_place_and_remedy(
    tmp_path: Path, edit: Callable[[pyarrow.Table], pyarrow.Table], match: str
) -> None:
    path = tmp_path / "errors.parquet"
    write_parquet(example().errors, path)
    parquet.write_table(edit(parquet.read_table(path)), path)
    with pytest.raises(DiffcompareError, match=match):
        read_errors(path)


def test_a_table_of_the_first_derivative_may_lack_the_column_that_says_so(tmp_path: Path) -> None:
    errors = example().errors
    write_parquet(errors.drop(columns="derivative"), tmp_path / "errors.parquet")
    assert_same(read_errors(tmp_path / "errors.parquet"), errors)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "errors.parquet"
    with pytest.raises(DiffcompareError, match=r"cannot be read \(No such file.*\); pass the errors\.parquet"):
        read_errors(path)
    write_csv(example().errors, path)
    with pytest.raises(DiffcompareError, match=r"errors\.parquet: not a Parquet file, or cut off \(.*\); pass the"):
        read_errors(path)
    write_parquet(example().errors, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DiffcompareError, match="not a Parquet file"):
        read_errors(path)


def test_a_lone_surrogate_is_refused_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(DiffcompareError, match=r"t\.parquet: a text holds .*ud800.*rename it"):
        write_parquet(pd.DataFrame({"function": ["a\ud800"]}, dtype=object), tmp_path / "t.parquet")


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^format='xlsx': unknown choice; pass "):
        write_report(example(), tmp_path, format="xlsx")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.thorough
def test_the_commands_write_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.toml").write_text('[[function]]\nexpr = "x**2"\npoints = [3.0]\n', encoding="utf-8")
    assert main(["run", str(tmp_path / "s.toml"), "--out", str(tmp_path / "a"), "--format", "parquet"]) == 0
    assert main(["compare", "x**2", "--at", "3", "--out", str(tmp_path / "b"), "--format=parquet"]) == 0
    for name in "ab":
        assert_same(read_errors(tmp_path / name / "errors.parquet"), read_errors(tmp_path / name / "errors.csv"))
    assert main(["compare", "x**2", "--at", "3", "--out", str(tmp_path / "b")]) == 0
    assert not list((tmp_path / "b").glob("*.parquet"))
    assert main(["run", "s.toml", "--format", "xlsx"]) == 2
    assert "'xlsx' is not one of 'csv', 'parquet'" in capsys.readouterr().err


WITHOUT = """
import sys
sys.modules["pyarrow"] = sys.modules["pyarrow.parquet"] = None
from diffcompare.command.cli import main
print(main(["run", "no-such-study.toml", "--out", sys.argv[1], "--format", "parquet"]))
print(main(["compare", "no formula", "--at", "3", "--out", sys.argv[1], "--format", "parquet"]))
import diffcompare as dc
table = dc.sweep(dc.parse("x**2"), 3.0, steps=[1e-3])
for call in (lambda: dc.write_report(table, sys.argv[1], format="parquet"), lambda: dc.read_errors("errors.parquet")):
    try:
        call()
    except dc.DiffcompareError as error:
        print(error)
"""


@pytest.mark.thorough
def test_without_pyarrow_the_extra_is_named_before_anything_is_done(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    said = "Parquet files are written and read by pyarrow, which is not installed; pip install pyarrow"
    assert done.stdout.splitlines() == ["2", "2", said, said]
    assert done.stderr.splitlines() == [f"diffcompare: {said}"] * 2
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
def test_pyarrow_is_loaded_only_when_it_is_used() -> None:
    code = "import sys, diffcompare.report.page, diffcompare.tables.csv_files; print('pyarrow.parquet' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_all_columns_have_a_place_in_the_example() -> None:
    """The examples above would not notice a column that they lack."""
    assert list(example().errors.columns) == list(COLUMNS)
