"""Nested lists, and their entries in one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["flat_entries", "nested"]


def flat_entries(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the entries of a nested list or a SymPy Matrix and its shape; anything else is one entry.

    Raises
    ------
    ValueError
        Lists of different lengths beside one another, or an empty one.
    """
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        rows = value.tolist()
        # a column is SymPy's way to write a vector
        value = [row[0] for row in rows] if len(value.shape) == 2 and value.shape[1] == 1 else rows
    if not isinstance(value, list | tuple):
        return [value], ()
    parts = [flat_entries(part) for part in value]
    if not parts or any(shape != parts[0][1] for _, shape in parts):
        raise ValueError("a list of formulas must be rectangular and not empty; give every row the same length")
    return [entry for entries, _ in parts for entry in entries], (len(parts), *parts[0][1])


def nested(entries: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Put flat entries into nested lists of a shape; the only entry itself for ``()``."""
    if not shape:
        return entries[0]
    step = len(entries) // shape[0]
    return [nested(entries[k * step : (k + 1) * step], shape[1:]) for k in range(shape[0])]
