"""CSV files that read back bit for bit."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from msgspec.json import Encoder

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.tables.parquet import read_parquet
from diffcompare.tables.parts import part_name, part_paths, read_notes
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES, complete, stack

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["exact_texts", "read_errors", "write_csv"]

_FULL_CATEGORIES = {"status": STATUSES, "bound_source": BOUND_SOURCES}
_FLAGS = {"True": True, "False": False, "": None}
_JSON = Encoder()
_CHUNK = 20_000  # rows held as Python strings at a time
# A spreadsheet runs a text that starts so, and takes an apostrophe before it for "this is text". What starts with
# apostrophes and then so gets one more, so that reading takes off exactly what writing put there. A minus starts
# ordinary formulas and stays.
_RUN_BY_SPREADSHEETS = re.compile("'*[=+@\t\r]")
_MARKED = re.compile("'+[=+@\t\r]")


def write_csv(frame: pd.DataFrame, path: str | PathLike[str]) -> None:
    r"""Write a table as a CSV file that reads back bit for bit.

    UTF-8, line ends ``\n``, floats as their repr, nan and missing values as empty cells. A cell is quoted
    only where its text asks for it. A text that a spreadsheet would run has an apostrophe before it, which
    :func:`read_errors` takes off: one that starts with ``=``, ``+``, ``@``, a tab or a carriage return, or with
    apostrophes and then one of these.

    Parameters
    ----------
    frame : DataFrame
        Any table of the schema; its index is not written.
    path : path
        The file; overwritten if it exists.

    Raises
    ------
    DiffcompareError
        A text is not Unicode (a lone surrogate), so no UTF-8 file can hold it.
    """
    header = ",".join(_quote(str(name)) for name in frame.columns)
    columns = [_cells(frame.iloc[:, k]) for k in range(frame.shape[1])]
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        try:
            file.write(header + "\n")
            rows = map(",".join, zip(*columns, strict=True))
            while lines := "\n".join(islice(rows, _CHUNK)):
                file.write(lines + "\n")
        except UnicodeEncodeError as error:
            text = shorten(ascii(error.object[error.start : error.end]), 40)
            raise DiffcompareError(
                f"{Path(path).name}: a text holds {text}, which is not a Unicode character; rename it"
            ) from None


def _cells(column: pd.Series[Any]) -> Iterator[str]:
    """Write one cell after the other: the texts of all rows at once would take several times the table."""
    if isinstance(column.dtype, pd.StringDtype):
        column = column.astype("category")
    if isinstance(column.dtype, pd.CategoricalDtype):
        texts = [_text(str(category)) for category in column.cat.categories]
        texts.append("")  # code -1: no category
        return map(texts.__getitem__, column.cat.codes)
    if column.isna().all():
        return repeat("", len(column))
    if pd.api.types.is_float_dtype(column.dtype):
        blocks = (column.iloc[start : start + _CHUNK] for start in range(0, len(column), _CHUNK))
        return chain.from_iterable(map(exact_texts, blocks))
    return map(_cell, column)


def exact_texts(values: Iterable[float]) -> list[str]:
    """Write floats as their repr, the shortest text that reads back bit for bit; an empty one for nan.

    msgspec has the same digits in a fifth of the time (U. Adams, Ryū: fast float-to-string conversion, PLDI 2018); only
    its exponents are written otherwise where they are positive or have one digit.

    >>> exact_texts([0.1, -0.0, 1e-5, 1e22, float("nan"), float("inf")])
    ['0.1', '-0.0', '1e-05', '1e+22', '', 'inf']
    """
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return []
    texts = _JSON.encode(numbers.tolist()).decode()[1:-1].split(",")
    sizes = np.abs(numbers)
    alike = (sizes < 1e-9) | ((sizes >= 1e-4) & (sizes < 1e16))
    for k in (~alike).nonzero()[0].tolist():
        value = float(numbers[k])
        texts[k] = repr(value) if value == value else ""
    return texts


def _cell(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None or value is pd.NA or value != value:
        return ""
    return repr(float(value)) if isinstance(value, float) else _quote(str(value))


def _text(text: str) -> str:
    return _quote("'" + text if _RUN_BY_SPREADSHEETS.match(text) else text)


def _quote(text: str) -> str:
    if any(c in text for c in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def read_errors(path: str | PathLike[str], *, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read errors.csv, errors.parquet or a directory back: the table that was written, dtypes and all.

    Parameters
    ----------
    path : path
        A file of :func:`diffcompare.write_report`; one whose name ends with ``.parquet`` is read as Parquet. Or a
        directory: that of a report, or of the parts that ``diffcompare run --pages none`` wrote.
    columns : sequence of str, optional
        The columns to read, in this order; default: all. Of Parquet files the others are not looked at.

    Returns
    -------
    DataFrame
        Text columns are categorical with their categories in order of first appearance (``status`` and
        ``bound_source``: always all of them), ``within_bound`` is a nullable boolean.

    Raises
    ------
    ValueError
        There is no such column.
    DiffcompareError
        The file is missing, is not such a table, or a cell cannot be read; or a part is missing, or of another study.
    """
    wanted = list(COLUMNS if columns is None else dict.fromkeys(columns))
    for column in wanted:
        if column not in COLUMNS:
            raise ValueError(
                f"columns: {shorten(repr(column), 60)} is none of errors.csv; choose from {', '.join(COLUMNS)}"
            )
    file = Path(path)
    if not file.is_dir():
        return _read_file(file, wanted)
    try:
        parts = part_paths(file)
    except OSError as error:
        raise DiffcompareError(
            f"{file}: cannot be read ({error.strerror}); pass a directory that a run wrote"
        ) from None
    if not parts:
        return _read_file(file / ("errors.parquet" if (file / "errors.parquet").exists() else "errors.csv"), wanted)
    whole = read_notes(parts)[0].parts
    if [part.name for part in parts] != [part_name(number) for number in range(1, whole + 1)]:
        raise DiffcompareError(
            f"{file}: has {len(parts)} of {whole} parts; go on with --resume, or read one part by its name"
        )
    return stack([_read_file(part, wanted) for part in parts], {column: COLUMNS[column] for column in wanted})


def _read_file(file: Path, wanted: Sequence[str]) -> pd.DataFrame:
    """Read some columns of one file."""
    wrote = "errors.parquet" if file.suffix == ".parquet" else "errors.csv"
    try:
        if file.suffix == ".parquet":
            check = partial(_check_header, name=file.name, wrote=wrote)
            read = _labelled(read_parquet(file, COLUMNS, check, wanted), file.name)
        else:
            with file.open(encoding="utf-8", newline="") as lines:
                read = _read(csv.reader(lines, strict=True), file.name, wanted)
    except OSError as error:
        raise DiffcompareError(
            f"{file}: cannot be read ({error.strerror}); pass the {wrote} that write_report wrote"
        ) from None
    except UnicodeDecodeError as error:
        raise DiffcompareError(
            f"{file}: not UTF-8 (byte {error.start}); pass the errors.csv as write_report wrote it"
        ) from None
    except csv.Error as error:
        raise DiffcompareError(
            f"{file}: not a CSV file ({error}); pass the errors.csv that write_report wrote"
        ) from None
    return (complete(read) if "derivative" in wanted else read)[list(wanted)]


def _read(reader: Iterator[list[str]], name: str, wanted: Sequence[str]) -> pd.DataFrame:
    expected = next(reader, [])
    _check_header(expected, name=name, wrote="errors.csv")
    readers = {place: _Column(column, COLUMNS[column]) for place, column in enumerate(expected) if column in wanted}
    first = 1
    while rows := list(islice(reader, _CHUNK)):
        for number, row in enumerate(rows, first):
            if len(row) != len(expected):
                raise DiffcompareError(
                    f"{name}: row {number} has {len(row)} cells instead of {len(expected)}; "
                    "the file was cut short or edited, write it again"
                )
        cells = list(zip(*rows, strict=True))
        for place, column in readers.items():
            column.extend(cells[place], name, first)
        first += len(rows)
    return pd.DataFrame({column.name: column.series() for column in readers.values()})


def _labelled(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Make texts categorical: in order of first appearance, or the full list."""
    for column in frame.columns:
        if COLUMNS[column] == "text":
            full = _FULL_CATEGORIES.get(column)
            texts = pd.Index(frame[column].unique() if full is None else full, dtype="str")
            codes = texts.get_indexer(pd.Index(frame[column]))
            if (codes < 0).any():
                strange = str(frame[column][codes < 0].iloc[0])
                raise DiffcompareError(
                    f"{name}: column {column!r}: {shorten(strange, 60)!r} is not one of {_listed(column)}; "
                    "restore the file or write the report again"
                )
            frame[column] = pd.Categorical.from_codes(codes, categories=texts)
    return frame


def _check_header(header: Sequence[str], *, name: str, wrote: str) -> None:
    # a table of the first derivative may lack the column that says so
    if list(header) != [column for column in COLUMNS if column != "derivative" or column in header]:
        raise DiffcompareError(f"{name}: {_header_fault(header)}; pass the {wrote} that write_report wrote")


def _listed(column: str) -> str:
    return ", ".join(repr(text) for text in _FULL_CATEGORIES[column])


def _header_fault(header: Sequence[str]) -> str:
    if not header:
        return "the file is empty"
    missing = [column for column in COLUMNS if column not in header and column != "derivative"]
    unknown = [column for column in header if column not in COLUMNS]
    if missing:
        return f"column {missing[0]!r} is missing from the header"
    if unknown:
        return f"column {shorten(unknown[0], 60)!r} of the header is unknown"
    return "the columns of the header are not in their order, or one is there twice"


class _Column:
    """One column while it is read: text as codes, everything else as values."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.values: list[Any] = []
        self.codes: dict[str, int] = {text: code for code, text in enumerate(_FULL_CATEGORIES.get(name, ()))}

    def extend(self, cells: Sequence[str], file: str, first: int) -> None:
        readers: dict[str, Callable[[str], Any]] = {
            "text": self._code,
            "float": _number,
            "integer": int,
            "flag": _FLAGS.__getitem__,
        }
        convert = readers[self.kind]
        try:
            self.values.extend([convert(cell) for cell in cells])
        except (ValueError, KeyError):
            row, cell = next((row, cell) for row, cell in enumerate(cells, first) if not _converts(convert, cell))
            raise DiffcompareError(
                f"{file}: row {row}, column {self.name!r}: {shorten(cell, 60)!r} is not {self._wanted()}; "
                "restore the file or write the report again"
            ) from None

    def _code(self, text: str) -> int:
        text = text[1:] if _MARKED.match(text) else text
        if self.name in _FULL_CATEGORIES:
            return self.codes[text]
        return self.codes.setdefault(text, len(self.codes))

    def _wanted(self) -> str:
        kinds = {"float": "a number", "integer": "a whole number", "flag": "True, False or empty"}
        return kinds.get(self.kind) or f"one of {_listed(self.name)}"

    def series(self) -> pd.Series[Any]:
        if self.kind == "text":
            categories = pd.Index(list(self.codes), dtype="str")
            return pd.Series(pd.Categorical.from_codes(self.values, categories=categories))
        dtypes = {"float": "float64", "integer": "int64", "flag": "boolean"}
        return pd.Series(self.values, dtype=dtypes[self.kind])


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")


def _converts(convert: Callable[[str], Any], cell: str) -> bool:
    try:
        convert(cell)
    except (ValueError, KeyError):
        return False
    return True
