"""Rows of a table as lists, column by column: in pandas, taking them apart would be most of a page's time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

__all__ = ["Columns", "chosen", "columns_of", "places_by"]

Columns = Mapping[str, Sequence[Any]]


def columns_of(rows: pd.DataFrame | Columns) -> Columns:
    """Take a table apart, unless that was done before."""
    return {str(name): rows[name].tolist() for name in rows.columns} if isinstance(rows, pd.DataFrame) else rows


def chosen(columns: Columns, places: Iterable[int]) -> Columns:
    """Take some of the rows."""
    places = list(places)
    return {name: [column[k] for k in places] for name, column in columns.items()}


def places_by(columns: Columns, *names: str) -> dict[tuple[str, ...], list[int]]:
    """Tell where each group of rows is that are alike in some texts, in order of first appearance.

    >>> places_by({"scheme": ["central", "forward", "central"]}, "scheme")
    {('central',): [0, 2], ('forward',): [1]}
    """
    places: dict[tuple[str, ...], list[int]] = {}
    for k, key in enumerate(zip(*(map(str, columns[name]) for name in names), strict=True)):
        places.setdefault(key, []).append(k)
    return places
