"""Functions of LAPACK and BLAS that code calls itself, written with NumPy."""

# ruff: noqa: ARG001 - the arguments are those of SciPy's functions

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["LAPACK"]


def _halves(matrix: Any, lower: int) -> tuple[Any, Any]:
    """Return one triangle with the diagonal, and the rest."""
    return (np.tril(matrix), np.triu(matrix, 1)) if lower else (np.triu(matrix), np.tril(matrix, -1))


def _potrf(a: Any, lower: int = 0, clean: int = 1, overwrite_a: int = 0) -> Any:
    half, rest = _halves(a, lower)
    try:
        factor: Any = np.linalg.cholesky((half if lower else half.T) + (np.tril(a, -1).T if lower else np.triu(a, 1)))
    except np.linalg.LinAlgError:
        return a, 1
    return (factor if lower else factor.T) + (0 if clean else rest), 0


def _potri(c: Any, lower: int = 0, overwrite_c: int = 0) -> Any:
    half, rest = _halves(c, lower)
    found = _halves(np.linalg.inv(half @ half.T if lower else half.T @ half), lower)[0] + rest
    if overwrite_c:
        # code that asks for it reads there
        c[...] = found
    return found, 0


def _potrs(c: Any, b: Any, lower: int = 0, overwrite_b: int = 0) -> Any:
    half = _halves(c, lower)[0]
    return np.linalg.solve(half @ half.T if lower else half.T @ half, b), 0


def _triangle(a: Any, lower: int, unitdiag: int) -> Any:
    half = _halves(a, lower)[0]
    return half - np.diag(np.diag(half)) + np.eye(len(half)) if unitdiag else half


def _trtrs(a: Any, b: Any, lower: int = 0, trans: int = 0, unitdiag: int = 0, *_: Any, **__: Any) -> Any:
    half = _triangle(a, lower, unitdiag)
    return np.linalg.solve(half.T if trans else half, b), 0


def _trtri(c: Any, lower: int = 0, unitdiag: int = 0, overwrite_c: int = 0) -> Any:
    # a diagonal of ones is not written
    kept = np.diag(np.diag(c) - 1.0) if unitdiag else 0.0
    return np.linalg.inv(_triangle(c, lower, unitdiag)) + kept + _halves(c, lower)[1], 0


def _gemm(
    alpha: Any, a: Any, b: Any, beta: Any = 0.0, c: Any = 0.0, trans_a: int = 0, trans_b: int = 0, overwrite_c: int = 0
) -> Any:
    return alpha * ((a.T if trans_a else a) @ (b.T if trans_b else b)) + beta * c


_RULES: Mapping[str, Callable[..., Any]] = {
    "potrf": _potrf, "potri": _potri, "potrs": _potrs, "trtrs": _trtrs, "trtri": _trtri, "gemm": _gemm,
    "dot": lambda x, y: x @ y, "nrm2": np.linalg.norm,
}  # fmt: skip
LAPACK: Mapping[str, Callable[..., Any]] = {
    f"Fortran's {kind}{name}": rule for kind in "ds" for name, rule in _RULES.items()
}
