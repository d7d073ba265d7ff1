"""Banded, sparse and structured systems of SciPy, and factors of matrices, written with NumPy."""

# ruff: noqa: ARG001 - the arguments are those of SciPy's functions

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse

__all__ = ["SYSTEMS", "solved_by_factors", "structured"]


def _from_bands(ab: Any, lower: int, upper: int, top: int = 0) -> Any:
    """Return the matrix of bands: its entry i, j stands in row upper + i − j of column j, below ``top`` rows."""
    i, j = np.indices((ab.shape[1],) * 2)
    inside = (i - j <= lower) & (j - i <= upper)
    return np.where(inside, ab[np.where(inside, top + upper + i - j, 0), j], 0.0)


def _symmetric(ab: Any, *, lower: bool) -> Any:
    half = _from_bands(ab, len(ab) - 1, 0) if lower else _from_bands(ab, 0, len(ab) - 1)
    return half + (np.tril(half, -1) if lower else np.triu(half, 1)).T


def _solve_banded(l_and_u: Any, ab: Any, b: Any, **_: Any) -> Any:
    return np.linalg.solve(_from_bands(ab, *map(int, l_and_u)), b)


def _solveh_banded(ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, lower: bool = False) -> Any:
    return np.linalg.solve(_symmetric(ab, lower=lower), b)


def _cholesky_banded(ab: Any, overwrite_ab: bool = False, lower: bool = False) -> Any:
    factor: Any = np.linalg.cholesky(_symmetric(ab, lower=lower))
    factor = factor if lower else factor.T
    k, j = np.indices(ab.shape)
    i = k + j if lower else k + j - (len(ab) - 1)
    inside = (i >= 0) & (i < ab.shape[1])
    # what is no part of a band stays what it was
    return np.where(inside, factor[np.where(inside, i, 0), j], ab)


def _cho_solve_banded(cb_and_lower: Any, b: Any, **_: Any) -> Any:
    ab, lower = cb_and_lower
    factor = _from_bands(ab, len(ab) - 1, 0) if lower else _from_bands(ab, 0, len(ab) - 1).T
    return np.linalg.solve(factor.T, np.linalg.solve(factor, b))


def _solve_toeplitz(c_or_cr: Any, b: Any, **_: Any) -> Any:
    column, row = c_or_cr if isinstance(c_or_cr, tuple) else (c_or_cr, c_or_cr)
    n = len(column)
    i, j = np.indices((n, n))
    return np.linalg.solve(np.concatenate([row[:0:-1], column])[n - 1 + i - j], b)


def _factors(a: Any, floats: Callable[[Any], Any]) -> tuple[Any, list[int]]:
    """Return L and U in one matrix, and the order of the rows that partial pivoting takes."""
    n = len(a)
    if a.shape != (n, n):
        raise refuse("LU factors of a matrix that is not square", "only square ones are read", "use qr")
    order = list(range(n))
    for k in range(n - 1):
        pivot = k + int(np.argmax(np.abs(floats(a)[k:, k])))
        rows = list(range(n))
        rows[k], rows[pivot] = pivot, k
        order = [order[r] for r in rows]
        a = a[rows]
        factor = a[k + 1 :, k : k + 1] / a[k, k]
        rest = a[k + 1 :, k + 1 :] - factor * a[k : k + 1, k + 1 :]
        a = np.concatenate([a[: k + 1], np.concatenate([a[k + 1 :, :k], factor, rest], axis=1)])
    return a, order


def _unit_lower(lu: Any) -> Any:
    return np.tril(lu, -1) + np.eye(len(lu))


def _lu_factor(floats: Callable[[Any], Any]) -> Callable[..., Any]:
    def lu_factor(a: Any, **_: Any) -> Any:
        lu, order = _factors(a, floats)
        pivots, at = [], list(range(len(order)))
        for k, row in enumerate(order):
            place = at.index(row)
            at[k], at[place] = at[place], at[k]
            pivots.append(place)
        return lu, np.array(pivots, dtype=np.int32)

    return lu_factor


def _lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, **_: Any) -> Any:
    lu, pivots = lu_and_piv
    order = list(range(len(lu)))
    for k, pivot in enumerate(np.ravel(pivots).tolist()):
        order[k], order[pivot] = order[pivot], order[k]
    lower, upper = _unit_lower(lu), np.triu(lu)
    if not trans:
        return np.linalg.solve(upper, np.linalg.solve(lower, b[order]))
    return np.linalg.solve(lower.T, np.linalg.solve(upper.T, b))[np.argsort(order)]


def _lu(floats: Callable[[Any], Any]) -> Callable[..., Any]:
    def lu(a: Any, permute_l: bool = False, *_: Any, p_indices: bool = False, **__: Any) -> Any:
        found, order = _factors(a, floats)
        lower, back = _unit_lower(found), np.argsort(order)
        if permute_l:
            return lower[back], np.triu(found)
        return back if p_indices else np.eye(len(order))[back], lower, np.triu(found)

    return lu


def _sylvester(a: Any, b: Any, q: Any) -> Any:
    """Solve A X + X B = Q, row by row of X."""
    matrix = np.kron(a, np.eye(len(b))) + np.kron(np.eye(len(a)), b.T)
    return np.linalg.solve(matrix, q.reshape(-1)).reshape(q.shape)


def _discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """Solve A X Aᵀ − X + Q = 0, row by row of X."""
    return np.linalg.solve(np.eye(len(a) ** 2) - np.kron(a, a), q.reshape(-1)).reshape(q.shape)


def structured(floats: Callable[[Any], Any]) -> dict[str, Any]:
    """Return what stands for functions of ``scipy.linalg``; ``floats`` are those that the code would have."""
    return {
        "solve_banded": _solve_banded,
        "solveh_banded": _solveh_banded,
        "cholesky_banded": _cholesky_banded,
        "cho_solve_banded": _cho_solve_banded,
        "solve_toeplitz": _solve_toeplitz,
        "lstsq": lambda a, b, **_: np.linalg.lstsq(a, b),
        "lu": _lu(floats),
        "lu_factor": _lu_factor(floats),
        "lu_solve": _lu_solve,
        "solve_sylvester": _sylvester,
        "solve_continuous_lyapunov": lambda a, q: _sylvester(a, a.T, q),
        "solve_lyapunov": lambda a, q: _sylvester(a, a.T, q),
        "solve_discrete_lyapunov": _discrete_lyapunov,
    }


def _gbsv(lower: int, upper: int, ab: Any, b: Any, **_: Any) -> Any:
    return ab, np.zeros(ab.shape[1], dtype=np.int32), np.linalg.solve(_from_bands(ab, lower, upper, lower), b), 0


def _dense(n: int, data: Any, indices: Any, starts: Any, *, by_columns: bool) -> Any:
    along = np.repeat(np.arange(n), np.diff(starts))
    rows, columns = (indices, along) if by_columns else (along, indices)
    return np.bincount(rows * n + columns, weights=data, minlength=n * n).reshape(n, n)


def _gssv(n: int, _: int, data: Any, indices: Any, starts: Any, b: Any, by_columns: int, **__: Any) -> Any:
    return np.linalg.solve(_dense(n, data, indices, starts, by_columns=bool(by_columns)), b), 0


class _Factored:
    """Stands for the factors of a sparse matrix."""

    def __init__(self, matrix: Any) -> None:
        self._matrix, self.shape = matrix, matrix.shape

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """Solve a system."""
        return np.linalg.solve(self._matrix if trans == "N" else self._matrix.T, rhs)


def _gstrf(n: int, _: int, data: Any, indices: Any, starts: Any, *, ilu: bool = False, **__: Any) -> Any:
    if ilu:
        raise refuse("an incomplete factorisation", "it is no matrix of its own", "use splu")
    return _Factored(_dense(n, data, indices, starts, by_columns=True))


def solved_by_factors(factors: Any, b: Any, trans: str = "N") -> Any:
    """Solve a system by factors that SciPy has computed: of the matrix that they are those of."""
    rows, columns = factors.perm_r, factors.perm_c
    matrix = (factors.L @ factors.U).toarray()[rows][:, columns]
    return np.linalg.solve(matrix if trans == "N" else matrix.T, b)


_SUPERLU = "scipy.sparse.linalg._dsolve._superlu"
SYSTEMS: Mapping[str, Callable[..., Any]] = {
    "Fortran's dgbsv": _gbsv,
    f"{_SUPERLU}.gssv": _gssv,
    f"{_SUPERLU}.gstrf": _gstrf,
}
