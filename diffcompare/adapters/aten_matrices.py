"""Rules for PyTorch's operations on matrices: what LAPACK does, in the functions of NumPy that are traced."""

# ruff: noqa: ARG001, ARG005 - the arguments are those of PyTorch's operations

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.adapters.traced import dialect, linear
from diffcompare.errors import TraceError

__all__ = ["MATRIX_RULES"]


def _solved(matrix: Any, right: Any, left: bool = True) -> Any:
    if not left:
        return np.swapaxes(_solved(np.swapaxes(matrix, -1, -2), np.swapaxes(right, -1, -2)), -1, -2)
    if np.ndim(right) == np.ndim(matrix) - 1:
        return np.linalg.solve(matrix, right[..., None])[..., 0]
    return np.linalg.solve(matrix, right)


def _triangular(matrix: Any, right: Any, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    one = np.eye(np.shape(matrix)[-1])
    matrix = np.triu(matrix) if upper else np.tril(matrix)
    return _solved(matrix * (1.0 - one) + one if unitriangular else matrix, right, left)


@dataclass(frozen=True, slots=True)
class _OfDeterminant:
    """In place of the pivots: a determinant leaves factors of the transpose of what lies in rows; that is solved."""

    matrix: Any


def _lu_solve(matrix: Any, pivots: Any, right: Any, left: bool = True, adjoint: bool = False) -> Any:
    # in place of its factors a matrix is kept itself, but where they were asked for
    if isinstance(pivots, _OfDeterminant):
        matrix, adjoint = pivots.matrix, True
    elif np.ndim(pivots):
        permutation, lower, upper = _lu_unpack(matrix, pivots)
        matrix = np.matmul(permutation, np.matmul(lower, upper))
    return _solved(np.swapaxes(matrix, -1, -2) if adjoint else matrix, right, left)


def _cholesky_solve(right: Any, factor: Any, upper: bool = False) -> Any:
    lower = np.swapaxes(factor, -1, -2) if upper else factor
    return np.linalg.solve(np.matmul(lower, np.swapaxes(lower, -1, -2)), right)


def _success(x: Any) -> Any:
    """Return what LAPACK says of each matrix that it has factorised: 0."""
    return np.zeros(np.shape(x)[:-2], dtype=np.int32)


def _cholesky(x: Any, upper: bool = False, check_errors: bool = False) -> Any:
    lower = np.linalg.cholesky(x)
    return np.swapaxes(lower, -1, -2) if upper else lower, _success(x)


def _cholesky_inverse(factor: Any, upper: bool = False) -> Any:
    return _cholesky_solve(np.eye(np.shape(factor)[-1]), factor, upper)


def _eliminated(x: Any) -> Any:
    """Return L and U of matrices whose rows are in the order of the pivots, in one: Gauss's elimination."""
    if np.ndim(x) > 2:
        return np.stack([_eliminated(one) for one in x])
    rows, rest = [], x
    for k in range(min(np.shape(x))):
        factors = rest[1:, :1] / rest[:1, :1]
        rows.append((k, factors, rest[0]))
        rest = rest[1:, 1:] - factors * rest[:1, 1:]
    # below the last pivot of a tall matrix nothing is left
    found: Any = np.zeros((np.shape(x)[0] - len(rows), np.shape(x)[1] - len(rows)))
    for _, factors, first in reversed(rows):
        found = np.concatenate([first[None], np.concatenate([factors, found], axis=1)], axis=0)
    return found


def _lu_factor(x: Any, pivot: bool = True, check_errors: bool = False) -> Any:
    """Return L and U in one, the pivots that PyTorch finds in the floats, and its success."""
    import torch

    _, pivots, info = torch.linalg.lu_factor_ex(torch.tensor(np.asarray(dialect().plain(x), dtype=float)), pivot=pivot)
    if bool((info != 0).any()):
        raise TraceError("the factors L and U of a singular matrix have no derivative")
    permutation = _permutation(x, pivots.numpy())
    return _eliminated(np.matmul(np.swapaxes(permutation, -1, -2), x)), pivots.numpy(), _success(x)


def _permutation(packed: Any, pivots: Any) -> Any:
    """Return P of A = P·L·U."""
    import torch

    held = torch.zeros(tuple(np.shape(packed)), dtype=torch.float64)
    return torch.lu_unpack(held, torch.as_tensor(pivots), unpack_data=False)[0].numpy()


def _lu_unpack(packed: Any, pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    rows, columns = np.shape(packed)[-2:]
    size = min(rows, columns)
    lower = np.tril(packed[..., :size], -1) + np.eye(rows, size)
    return _permutation(packed, pivots), lower, np.triu(packed[..., :size, :])


def _lu(x: Any, pivot: bool = True) -> Any:
    return _lu_unpack(*_lu_factor(x, pivot)[:2])


def _pseudo_inverse(x: Any, *_: Any, **__: Any) -> Any:
    rank = np.linalg.matrix_rank(np.asarray(dialect().plain(x), dtype=float))
    if np.any(rank < min(np.shape(x)[-2:])):
        raise TraceError("the pseudo-inverse of a matrix that is not of full rank is not read; use one that is")
    return np.linalg.pinv(x)


def _slogdet(x: Any) -> Any:
    sign, logarithm = np.linalg.slogdet(x)
    return sign, logarithm, x, _OfDeterminant(x)


MATRIX_RULES: Mapping[str, Callable[..., Any]] = {
    "linalg_cholesky_ex": _cholesky,
    "cholesky_inverse": _cholesky_inverse,
    "linalg_inv_ex": lambda x, check_errors=False: (np.linalg.inv(x), _success(x)),
    "linalg_pinv": _pseudo_inverse,
    "linalg_lstsq": lambda a, b, rcond=None, driver=None: (np.matmul(_pseudo_inverse(a), b), *np.zeros((3, 0))),
    "linalg_matrix_exp": lambda x: linear("expm", x),
    "triangular_solve": lambda b, a, upper=True, transpose=False, unitriangular=False: (
        _triangular(np.swapaxes(a, -1, -2) if transpose else a, b, upper != transpose, True, unitriangular),
        a,
    ),
    "linalg_solve_triangular": lambda a, b, upper, left=True, unitriangular=False: _triangular(
        a, b, upper, left, unitriangular
    ),
    "linalg_lu": _lu,
    "linalg_lu_factor_ex": _lu_factor,
    "linalg_lu_solve": _lu_solve,
    "lu_unpack": _lu_unpack,
    "cholesky_solve": _cholesky_solve,
    "_linalg_solve_ex": lambda a, b, left=True, check_errors=False: (_solved(a, b, left), a, 0, _success(a)),
    "_linalg_det": lambda x: (np.linalg.det(x), x, _OfDeterminant(x)),
    "_linalg_slogdet": _slogdet,
    "_linalg_eigh": lambda a, uplo="L", compute_v=True: tuple(np.linalg.eigh(a, uplo)),
    "_linalg_svd": lambda a, full_matrices=False, compute_uv=True, driver=None: tuple(np.linalg.svd(a, full_matrices)),
    "linalg_qr": lambda a, mode="reduced": tuple(np.linalg.qr(a, mode)),
}
