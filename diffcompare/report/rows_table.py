"""The table of all rows of one partial derivative, digit for digit as errors.csv has them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import pandas as pd

from diffcompare.report.columns import Columns, columns_of, places_by
from diffcompare.report.wording import Html, printable
from diffcompare.tables.csv_files import exact_texts
from diffcompare.tables.schema import COLUMNS

__all__ = ["rows_table"]

# said above the table, by the chart, or in its group heads
_ELSEWHERE = {
    *("function", "variable", "point", "scheme", "order", "exact", "dtype", "derivative"),
    *("predicted_h", "predicted_abs_error"),
}
_OFTEN_THE_SAME = ("status", "within_bound", "bound_source")
_BRIEF = ("h", "abs_error", "bound", "status")  # what the error chart shows; without one, what was returned


def rows_table(rows: pd.DataFrame | Columns, *, caption: str, identity: str, brief: bool = False) -> Html:
    """Draw the rows of one function, variable and point, a group a scheme; every cell is escaped.

    Empty columns are left out. A column that would say the same in every row is said once, in the caption; the script
    takes a status that stands nowhere for ok.

    Parameters
    ----------
    rows : DataFrame, or its columns as lists
        Rows of errors.csv.
    caption : str
        What the rows are.
    identity : str
        The id of the table, for the script; ours, never a name from the data.
    brief : bool
        Leave out what the error chart does not show.
    """
    rows = columns_of(rows)
    columns = [c for c in COLUMNS if c not in _ELSEWHERE and not _blank(rows[c], COLUMNS[c])]
    if brief:
        columns = [c for c in columns if c in _BRIEF or (c == "numeric" and "abs_error" not in columns)]
    found = {c: set(map(str, rows[c])) for c in _OFTEN_THE_SAME if c in columns}
    same = {c: texts.pop() for c, texts in found.items() if len(texts) == 1}
    if same.get("status", "ok") != "ok":
        del same["status"]
    columns = [c for c in columns if c not in same]
    if same:
        caption += ". In every row: " + ", ".join(f"{name} {value}" for name, value in same.items())
    heads = "".join(f"<th scope=col>{name}" for name in columns)
    groups = []
    written = {c: _cells(rows[c], COLUMNS[c]) for c in columns}
    for (scheme,), places in places_by(rows, "scheme").items():
        cells = [[written[c][k] for k in places] for c in columns]
        # end tags that HTML does not ask for would be a tenth of a page; a line ends inside a tag, for a cell holds
        # all that follows it
        lines = "".join(f"<tr\n><th scope=row>{'<td>'.join(row)}" for row in zip(*cells, strict=True))
        head = f"<th scope=rowgroup colspan={len(columns)}>{_escape(scheme)}"
        groups.append(f"<tbody\n><tr>{head}{lines}")
    body = "".join(groups)
    return Html(f"<table id={_escape(identity)}><caption>{_escape(caption)}.</caption><thead><tr>{heads}{body}</table>")


def _cells(column: Sequence[Any], kind: str) -> list[str]:
    if kind == "float":
        return exact_texts(column)
    texts = {value: "" if value is pd.NA else _escape(str(value)) for value in set(column)}
    return [texts[value] for value in column]


def _blank(column: Sequence[Any], kind: str) -> bool:
    if kind != "float" and set(map(str, column)) == {""}:
        return True
    return all(value is pd.NA or value is None or value != value for value in column)


def _escape(text: str) -> str:
    return html.escape(printable(text))
