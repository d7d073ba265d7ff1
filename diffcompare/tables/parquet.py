"""Parquet files beside the CSV files: smaller, with types, and read back bit for bit; needs the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from diffcompare.errors import DiffcompareError, shorten

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["parquet_name", "read_note", "read_parquet", "require_pyarrow", "write_parquet"]

_NOTE = b"diffcompare"  # its key in the metadata of the file


def require_pyarrow() -> None:
    """Raise ``DiffcompareError`` naming the extra, unless pyarrow can be loaded: before long work, not after it."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise DiffcompareError(
            "Parquet files are written and read by pyarrow, which is not installed; pip install pyarrow"
        ) from None


def parquet_name(name: str) -> str:
    """Name the Parquet file that stands beside a CSV file.

    >>> parquet_name("errors.csv")
    'errors.parquet'
    """
    return str(Path(name).with_suffix(".parquet"))


def write_parquet(frame: pd.DataFrame, path: str | PathLike[str], note: str | None = None) -> None:
    """Write a table as a Parquet file; equal tables give equal bytes with one version of pyarrow.

    Parameters
    ----------
    frame : DataFrame
        Any table of the schema; its index is not written. nan is written as a missing value, as in the CSV file.
    path : path
        The file; overwritten if it exists.
    note : str, optional
        Kept in the file beside the table: :func:`read_note` gives it back.

    Raises
    ------
    DiffcompareError
        pyarrow is not installed, or a text is not Unicode (a lone surrogate).
    """
    require_pyarrow()
    import pyarrow
    from pyarrow import parquet

    try:
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    except UnicodeEncodeError as error:
        text = shorten(ascii(error.object[error.start : error.end]), 40)
        raise DiffcompareError(
            f"{Path(path).name}: a text holds {text}, which is not a Unicode character; rename it"
        ) from None
    # how pandas would make it again, and its version, are no part of the table
    parquet.write_table(table.replace_schema_metadata(None if note is None else {_NOTE: note}), path)


def read_note(path: Path) -> str | None:
    """Read the note of a Parquet file, and nothing else of it; None where there is none."""
    with _opened(path) as file:
        note = (file.schema_arrow.metadata or {}).get(_NOTE)
    return None if note is None else note.decode()


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file; what is none is refused, now or when its columns are read."""
    require_pyarrow()
    import pyarrow
    from pyarrow import parquet

    # opened here, so that a name is never taken for an address or a folder of files
    with path.open("rb") as stream:
        try:
            yield parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, OSError) as error:
            reason = shorten(" ".join(str(error).split()), 80)
            raise DiffcompareError(
                f"{path.name}: not a Parquet file, or cut off ({reason}); pass the errors.parquet that write_report "
                "wrote, or remove a part of a run and pass --resume, which measures it again"
            ) from None


def read_parquet(
    path: str | PathLike[str],
    kinds: Mapping[str, str],
    check_header: Callable[[Sequence[str]], None],
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Read a Parquet file; texts come as plain ``str``.

    Parameters
    ----------
    path : path
        The file.
    kinds : mapping of str to str
        The kind of each column: "text", "float", "integer" or "flag".
    check_header : callable
        Is given the names of the file's columns, and raises if they are not those of the table.
    columns : sequence of str, optional
        Those of them to read: the others are not looked at.

    Returns
    -------
    DataFrame

    Raises
    ------
    DiffcompareError
        pyarrow is not installed, this is no Parquet file, or a column holds something else.
    """
    file = Path(path)
    with _opened(file) as content:
        check_header(content.schema_arrow.names)
        table = content.read(None if columns is None else list(columns))
    import pyarrow

    types = {
        "text": pyarrow.large_string(),
        "float": pyarrow.float64(),
        "integer": pyarrow.int64(),
        "flag": pyarrow.bool_(),
    }
    made: dict[str, pd.Series[Any]] = {}
    for name in table.column_names:
        kind, column = kinds[name], table.column(name)
        found = shorten(str(column.type), 40)
        try:
            column = column.cast(types[kind])
        except pyarrow.ArrowException:
            raise DiffcompareError(
                f"{file.name}: column {name!r} is of type {found}, not {types[kind]}; "
                "restore the file or write the report again"
            ) from None
        if kind in ("text", "integer") and column.null_count:
            raise DiffcompareError(
                f"{file.name}: column {name!r} has an empty cell; restore the file or write the report again"
            )
        dtype = {"text": "str", "float": "float64", "integer": "int64", "flag": "boolean"}[kind]
        values = column.to_pylist() if kind == "flag" else column.to_pandas()
        made[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(made)
