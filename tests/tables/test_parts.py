"""Tables in parts, and in directories: read as one, or some of their columns, and refused where they are not whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet

import diffcompare as dc
from diffcompare.errors import DiffcompareError
from diffcompare.report.page import write_report
from diffcompare.tables.csv_files import read_errors, write_csv
from diffcompare.tables.parquet import read_note, write_parquet
from diffcompare.tables.parts import Note, part_name, write_noted
from diffcompare.tables.schema import COLUMNS

from ..report.example import example  # noqa: TID252 - tests are no package
from .test_csv_files import assert_same

NOTE = Note("a study", "1.0", "abc", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example in two parts: its first 5 rows, and the others."""
    errors = example().errors
    write_noted(errors.head(5), tmp_path / part_name(1), NOTE)
    write_noted(errors.tail(-5), tmp_path / part_name(2), NOTE)
    return tmp_path


def test_parts_are_read_as_one_table(folder: Path) -> None:
    assert_same(read_errors(folder), example().errors)
    assert_same(read_errors(str(folder)), example().errors)


def test_a_directory_of_a_report_is_read(tmp_path: Path) -> None:
    write_report(example(), tmp_path / "csv")
    write_report(example(), tmp_path / "both", format="parquet")
    for name in ("csv", "both"):
        assert_same(read_errors(tmp_path / name), example().errors)


@pytest.mark.parametrize(("name", "write"), [("errors.csv", write_csv), ("errors.parquet", write_parquet), ("", None)])
def test_some_columns_are_read_in_the_order_asked_for(folder: Path, name: str, write: Any) -> None:
    if write:
        write(example().errors, folder / name)
    wanted = ["within_bound", "h", "derivative", "scheme"]
    found = read_errors(folder / name if name else folder, columns=wanted)
    assert found.columns.tolist() == wanted
    pd.testing.assert_frame_equal(found, example().errors[wanted], check_exact=True, check_categorical=True)


def test_the_other_columns_are_not_looked_at(folder: Path) -> None:
    for path in (folder / part_name(1), folder / part_name(2)):
        column = parquet.read_metadata(path).row_group(0).column(list(COLUMNS).index("exact"))
        start = column.dictionary_page_offset or column.data_page_offset
        content = bytearray(path.read_bytes())
        content[start : start + column.total_compressed_size] = bytes(column.total_compressed_size)
        path.write_bytes(content)
    with pytest.raises(DiffcompareError, match="not a Parquet file"):
        read_errors(folder)
    assert read_errors(folder, columns=["h"])["h"].tolist() == example().errors["h"].tolist()


def test_a_table_of_the_first_derivative_has_the_column_that_was_asked_for(tmp_path: Path) -> None:
    write_parquet(example().errors.drop(columns="derivative"), tmp_path / "errors.parquet")
    assert set(read_errors(tmp_path, columns=["h", "derivative"])["derivative"]) == {1}
    assert read_errors(tmp_path, columns=["h"]).columns.tolist() == ["h"]


def test_an_unknown_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"columns: 'steps' is none of errors\.csv; choose from function, variable"):
        read_errors(tmp_path, columns=["h", "steps"])


def test_parts_that_are_not_one_table_are_refused(folder: Path) -> None:
    errors = example().errors
    write_noted(errors, folder / part_name(2), Note("another", "1.0", "abd", 2))
    with pytest.raises(DiffcompareError, match=r"^errors-000002\.parquet: belongs to another study, .*'another', diff"):
        read_errors(folder)
    for note in (None, "no JSON", '{"study": "a study"}', "[]"):
        write_parquet(errors, folder / part_name(2), note)
        with pytest.raises(DiffcompareError, match=r"^errors-000002\.parquet: is no part of a study"):
            read_errors(folder)
    (folder / part_name(2)).unlink()
    with pytest.raises(
        DiffcompareError, match=r": has 1 of 2 parts; go on with --resume, or read one part by its name"
    ):
        read_errors(folder)
    assert_same(read_errors(folder / part_name(1)).astype(errors.dtypes), errors.head(5))


def test_a_directory_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiffcompareError, match=r"errors\.csv: cannot be read \(No such file or directory\); pass the"):
        dc.read_errors(tmp_path)


def test_a_note_is_kept_and_the_table_is_the_same(tmp_path: Path) -> None:
    write_parquet(example().errors, tmp_path / "plain.parquet")
    write_parquet(example().errors, tmp_path / "noted.parquet", "a note, ½")
    assert read_note(tmp_path / "plain.parquet") is None
    assert read_note(tmp_path / "noted.parquet") == "a note, ½"
    assert_same(read_errors(tmp_path / "noted.parquet"), example().errors)
