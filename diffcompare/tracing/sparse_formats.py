"""SciPy's compiled functions of sparse matrices whose numbers are traced: conversions, sums and products.

Where the numbers stand is plain; the numbers only move, and are added and multiplied. An entry that happens to be 0 at
the point is kept, where compiled code drops it: beside the point it is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FORMATS"]

Places = NDArray[np.intp]


def _lines(starts: Any) -> Places:
    """Return the row (or column) of each entry."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _written(lines: Any, others: Any, starts: Any, indices: Any) -> None:
    """Write where sorted entries stand."""
    starts[:] = np.searchsorted(lines, np.arange(len(starts)))
    indices[: len(others)] = others


def _from_pairs(
    _rows: int, _columns: int, _count: int, rows: Any, columns: Any, data: Any, starts: Any, indices: Any, out: Any
) -> None:
    order = np.argsort(rows, kind="stable")
    _written(rows[order], columns[order], starts, indices)
    out[...] = data[order]


def _turned(
    rows: int, columns: int, starts: Any, indices: Any, data: Any, new_starts: Any, new_indices: Any, out: Any
) -> None:
    _from_pairs(columns, rows, len(indices), indices, _lines(starts), data, new_starts, new_indices, out)


def _from_diagonals(
    rows: int, columns: int, _: int, length: int, offsets: Any, data: Any, _order: Any, out: Any, indices: Any,
    starts: Any,
) -> int:  # fmt: skip
    shifts, places = (part.reshape(-1) for part in np.broadcast_arrays(np.asarray(offsets)[:, None], np.arange(length)))
    own = places - shifts
    order = np.lexsort((places, own))
    order = order[((own >= 0) & (own < rows) & (places < columns))[order]]
    _written(own[order], places[order], starts, indices)
    out[: len(order)] = np.reshape(data, -1)[order]
    return len(order)


def _without_repetition(_rows: int, columns: int, starts: Any, indices: Any, data: Any) -> None:
    keys, places = np.unique(_lines(starts) * columns + np.asarray(indices), return_inverse=True)
    _written(keys // columns, keys % columns, starts, indices)
    total = data.copy()
    total[...] = 0.0
    np.add.at(total, places, data)
    data[...] = total


def _sorted(_rows: int, starts: Any, indices: Any, data: Any) -> None:
    order = np.lexsort((indices, _lines(starts)))
    indices[:], data[...] = indices[order], data[order]


def _dense(_rows: int, _columns: int, starts: Any, indices: Any, data: Any, out: Any) -> None:
    np.add.at(out, (_lines(starts), np.asarray(indices)), data)


def _entry_by_entry(operation: Callable[[Any, Any], Any], *, both: bool) -> Callable[..., None]:
    """Make an operation on two matrices; ``both``: an entry that one of them lacks is 0 afterwards."""

    def rule(
        _rows: int, columns: int, starts: Any, indices: Any, data: Any, other_starts: Any, other_indices: Any,
        other: Any, new_starts: Any, new_indices: Any, out: Any,
    ) -> None:  # fmt: skip
        one, two = (_lines(s) * columns + np.asarray(i) for s, i in ((starts, indices), (other_starts, other_indices)))
        keys = np.intersect1d(one, two) if both else np.union1d(one, two)
        _written(keys // columns, keys % columns, new_starts, new_indices)
        out[...] = 0.0
        # a format may hold an entry in parts
        sums = [out[: len(keys)].copy() for _ in range(2)]
        for total, own, values in zip(sums, (one, two), (data, other), strict=True):
            some = np.isin(own, keys)
            np.add.at(total, np.searchsorted(keys, own[some]), values[some])
        out[: len(keys)] = operation(*sums)

    return rule


def _product(
    _rows: int, columns: int, starts: Any, indices: Any, data: Any, other_starts: Any, other_indices: Any, other: Any,
    new_starts: Any, new_indices: Any, out: Any,
) -> None:  # fmt: skip
    lengths = np.diff(other_starts)[indices]
    first = np.repeat(np.arange(len(indices)), lengths)
    # of each entry on the left the entries of its row on the right
    within = np.arange(len(first)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    second = np.asarray(other_starts)[:-1][indices][first] + within
    keys, places = np.unique(_lines(starts)[first] * columns + np.asarray(other_indices)[second], return_inverse=True)
    _written(keys // columns, keys % columns, new_starts, new_indices)
    out[...] = 0.0
    np.add.at(out, places, data[first] * other[second])


FORMATS: Mapping[str, Callable[..., Any]] = {
    "coo_tocsr": _from_pairs,
    "csr_tocsc": _turned,
    "dia_tocsr": _from_diagonals,
    "csr_sum_duplicates": _without_repetition,
    "csr_sort_indices": _sorted,
    "csr_todense": _dense,
    "csr_matmat": _product,
    "csr_plus_csr": _entry_by_entry(lambda a, b: a + b, both=False),
    "csr_minus_csr": _entry_by_entry(lambda a, b: a - b, both=False),
    "csr_elmul_csr": _entry_by_entry(lambda a, b: a * b, both=True),
}
