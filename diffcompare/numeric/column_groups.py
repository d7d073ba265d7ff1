"""Sparse Jacobians: which entries may differ from 0, and which variables can move together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.errors import shown

__all__ = ["Pattern", "column_groups", "pattern_of"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """The places where a matrix may differ from 0, row by row; ``stored`` is the sparse matrix that they came from."""

    places: tuple[tuple[int, int], ...]
    shape: tuple[int, int]
    stored: Any = None

    def columns(self) -> list[tuple[int, ...]]:
        """The rows of every column."""
        found: list[list[int]] = [[] for _ in range(self.shape[1])]
        for row, column in self.places:
            found[column].append(row)
        return [tuple(rows) for rows in found]

    def filled(self, entries: Sequence[Any], empty: Any) -> Any:
        """Return the matrix with these entries at its places; of a sparse one whose other entries are not 0, a list."""
        if self.stored is None:
            dense = np.full(self.shape, empty, dtype=np.array([*entries, empty]).dtype)
            dense[tuple(np.array(self.places, dtype=int).reshape(-1, 2).T)] = entries
            return dense
        if empty != 0:
            return np.array(entries)
        made = self.stored.astype(np.float64)
        made.data = np.array(entries, dtype=np.float64)
        return made


def pattern_of(sparsity: Any, shape: tuple[int, int]) -> Pattern:
    """Read a pattern: a matrix of truth values or numbers, or one of ``scipy.sparse``, whose stored entries count.

    Raises
    ------
    ValueError, TypeError
        It is no matrix of this shape.
    """
    stored, found = None, np.shape(sparsity)
    if hasattr(sparsity, "tocsr"):
        stored = sparsity.tocsr(copy=True)
        # in order, and each place once
        stored.sum_duplicates()
        rows, columns = np.repeat(np.arange(stored.shape[0]), np.diff(stored.indptr)), stored.indices
        found = tuple(stored.shape)
    elif len(found) == 2 and np.asarray(sparsity).dtype.kind in "biuf":
        rows, columns = np.nonzero(np.asarray(sparsity))
    else:
        raise TypeError(f"sparsity={shown(sparsity)}: pass a matrix of truth values, or one of scipy.sparse")
    if found != shape:
        raise ValueError(
            f"sparsity of shape {found}: must be {shape}, a row for every value of f and a column for every variable"
        )
    return Pattern(tuple(zip(rows.tolist(), columns.tolist(), strict=True)), shape, stored)


def column_groups(columns: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Group columns so that no two of a group share a row: f is asked once for all that move together.

    Greedy: columns of many rows first, each into the first group that has room. Columns without rows are in none.

    References
    ----------
    A. R. Curtis, M. J. D. Powell, J. K. Reid, On the estimation of sparse Jacobian matrices, IMA J. Appl. Math. 13
    (1974), 117-119. T. F. Coleman, J. J. Moré, Estimation of sparse Jacobian matrices and graph coloring problems,
    SIAM J. Numer. Anal. 20 (1983), 187-209: the order.

    Examples
    --------
    >>> column_groups([(0, 1), (1, 2), (2, 3), (3,), ()])
    [(0, 2), (1, 3)]
    """
    groups: list[tuple[list[int], set[int]]] = []
    for column in sorted(range(len(columns)), key=lambda k: -len(columns[k])):
        rows = set(columns[column])
        if not rows:
            continue
        free = next((group for group in groups if not rows & group[1]), None)
        if free is None:
            free = [], set()
            groups.append(free)
        free[0].append(column)
        free[1].update(rows)
    return [tuple(sorted(members)) for members, _ in groups]
