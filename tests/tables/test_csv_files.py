from __future__ import annotations

import csv
import math
import re
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example as sample
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.errors import DiffcompareError
from diffcompare.tables import csv_files as tables_module
from diffcompare.tables.csv_files import exact_texts, read_errors, write_csv
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES

from ..report.example import Row, errors_table, example  # noqa: TID252 - tests are no package

HOSTILE = (
    "nan",
    "NA",
    "",
    "None",
    'a,b\n"c"',
    "\r",
    "\r\n",
    " x ",
    "'",
    "#",
    "\t",
    "\x00",
    "\ufeffx",
    "=1+1",
    "'=1",
    "''@x",
    "+x",
    "-x",
    "'x",
    "\r=",
    "각도",
    "-0.0",
)

texts = (
    st.sampled_from(HOSTILE)
    | st.from_regex(r"\A'{0,3}[=+@\t\r-].{0,3}", fullmatch=True)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
floats = st.floats() | st.sampled_from([-0.0, 5e-324, -5e-324, math.inf, -math.inf, math.nan, 0.1, 1e16, 1e-5])
CELLS = {
    "text": texts,
    "float": floats,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "flag": st.sampled_from([True, False, pd.NA]),
}
rows_of_text = st.fixed_dictionaries(
    {
        **{name: CELLS[kind] for name, kind in COLUMNS.items()},
        "status": st.sampled_from(STATUSES),
        "bound_source": st.sampled_from(BOUND_SOURCES),
    }
)


def assert_same(read: pd.DataFrame, written: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(read, written, check_exact=True)
    for name, kind in COLUMNS.items():
        if kind == "float":  # the comparison above takes -0.0 for 0.0
            assert [_bits(v) for v in read[name]] == [_bits(v) for v in written[name]]


def _bits(value: float) -> bytes:
    return struct.pack("<d", math.nan if value != value else value)


def test_the_example_reads_back_equal(tmp_path: Path) -> None:
    errors = example().errors
    write_csv(errors, tmp_path / "errors.csv")
    assert_same(read_errors(tmp_path / "errors.csv"), errors)


def test_a_table_without_rows_reads_back_equal(tmp_path: Path) -> None:
    empty = errors_table([])
    write_csv(empty, tmp_path / "errors.csv")
    assert_same(read_errors(tmp_path / "errors.csv"), empty)


def test_rows_are_written_as_their_texts_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    before: list[int] = []
    cell = tables_module._cell

    def counted(value: object) -> str:
        made.append(value)
        return cell(value)

    def sliced(rows: Iterator[str], count: int) -> Iterator[str]:
        before.append(len(made))
        return islice(rows, count)

    monkeypatch.setattr(tables_module, "_CHUNK", 10)
    monkeypatch.setattr(tables_module, "_cell", counted)
    monkeypatch.setattr(tables_module, "islice", sliced)
    write_csv(pd.DataFrame({"order": range(35)}), tmp_path / "t.csv")
    assert before == [0, 10, 20, 30, 35]


@pytest.mark.thorough
@settings(deadline=None)  # files and a busy machine: time is no part of the claim
@given(st.lists(rows_of_text, min_size=1, max_size=5))
def test_any_table_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    path = tmp_path_factory.mktemp("csv") / "errors.csv"
    errors = errors_table(rows)
    write_csv(errors, path)
    assert_same(read_errors(path), errors)


@pytest.mark.thorough
@settings(deadline=None)  # files and a busy machine: time is no part of the claim
@given(st.lists(st.tuples(texts, texts, floats), min_size=1))
@sample([("nan", "NA", -0.0), ("", "", math.nan), ("\r", "a\r\nb", math.inf)])
def test_plain_text_columns_are_written_like_categories(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, float]]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    plain = pd.DataFrame(rows, columns=["function", "message", "value"])
    write_csv(plain, folder / "plain.csv")
    write_csv(plain.astype({"function": "category", "message": "category"}), folder / "category.csv")
    assert (folder / "plain.csv").read_bytes() == (folder / "category.csv").read_bytes()


@pytest.mark.parametrize("dtype", [object, "category"])
@pytest.mark.parametrize("start", ["=", "+", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_run_gets_one_apostrophe(tmp_path: Path, start: str, dtype: str) -> None:
    given = [f"{start}x", f"'{start}x", f"''{start}x"]
    kept = ["-x**2", "'x", "x=1.5", " =x", ""]
    write_csv(pd.DataFrame({"message": [*given, *kept]}, dtype=dtype), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as lines:
        cells = [row[0] if row else "" for row in csv.reader(lines)][1:]
    assert cells == [f"'{text}" for text in given] + kept


def test_numbers_get_no_apostrophe(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"h": [-1.0, math.inf], "n": [-1, 2]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "h,n\n-1.0,-1\ninf,2\n"


@settings(deadline=None)  # files and a busy machine: time is no part of the claim
@given(st.lists(texts, min_size=1))
def test_no_cell_starts_as_a_formula_of_a_spreadsheet(
    tmp_path_factory: pytest.TempPathFactory, given: list[str]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_csv(pd.DataFrame({"message": given, "n": 1}), path)
    with path.open(encoding="utf-8", newline="") as lines:
        cells = [row[0] for row in csv.reader(lines, strict=True)][1:]
    assert len(cells) == len(given)
    assert not [cell for cell in cells if re.match(r"[=+@\t\r]", cell)]


def test_lines_end_with_a_newline_and_floats_are_their_repr(tmp_path: Path) -> None:
    frame = pd.DataFrame({"h": [1e-5, 0.1, -0.0, math.inf, math.nan], "n": [1, 2, 3, 4, 5]})
    frame["flag"] = pd.array([True, False, None, None, True], dtype="boolean")
    write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == (b"h,n,flag\n1e-05,1,True\n0.1,2,False\n-0.0,3,\ninf,4,\n,5,True\n")


@given(values=st.lists(st.floats()))
@sample(values=[sign * float(f"{m}e{k}") for k in range(-324, 309) for m in (1, 9.999999999999999) for sign in (1, -1)])
def test_floats_are_written_as_python_writes_them(values: list[float]) -> None:
    assert exact_texts(values) == ["" if value != value else repr(value) for value in values]


def test_a_lone_surrogate_is_refused_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(DiffcompareError, match=r"t\.csv: a text holds .*ud800.*rename it"):
        # (a column of text backed by pyarrow cannot even hold it)
        write_csv(pd.DataFrame({"function": ["a\ud800"]}, dtype=object), tmp_path / "t.csv")


def _edited(tmp_path: Path, old: str, new: str) -> Path:
    path = tmp_path / "errors.csv"
    write_csv(example().errors, path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (",0.1,", ",abc,", r"errors\.csv: row 1, column 'h': 'abc' is not a number; restore"),
        (",ok,", ",fine,", r"row 1, column 'status': 'fine' is not one of 'ok', 'domain'"),
        (",ok,float64,", ",,float64,", r"row 1, column 'status': '' is not one of"),
        (",ok,float64", "yes,ok,float64", r"row 1, column 'within_bound': 'yes' is not True, False or empty"),
        (",forward,1,", ",forward,1.5,", r"row 1, column 'order': '1\.5' is not a whole number"),
        (
            "function,variable",
            "function,bariable",
            r"column 'variable' is missing from the header; pass the errors\.csv",
        ),
        ("variable,point", "point,variable", r"columns of the header are not in their order"),
        ("predicted_abs_error", "predicted_abs_error,extra", r"column 'extra' of the header is unknown"),
        (",forward,1,", ",forward,1,,", r"row 1 has 27 cells instead of 26; the file was cut short or edited"),
        ("exp/", '"exp/', r"errors\.csv: not a CSV file"),
    ],
)
def test_an_edited_file_is_refused_naming_place_and_remedy(tmp_path: Path, old: str, new: str, match: str) -> None:
    with pytest.raises(DiffcompareError, match=match):
        read_errors(_edited(tmp_path, old, new))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    write_csv(example().errors, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DiffcompareError, match="row 477 has"):
        read_errors(path)


def test_a_missing_an_empty_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DiffcompareError, match=r"none\.csv: cannot be read \(No such file"):
        read_errors(tmp_path / "none.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DiffcompareError, match="the file is empty; pass"):
        read_errors(tmp_path / "empty.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiffcompareError, match=r"not UTF-8 \(byte 0\)"):
        read_errors(tmp_path / "binary.csv")
