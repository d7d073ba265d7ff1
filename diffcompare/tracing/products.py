"""NumPy's products of matrices and linear algebra on traced arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcompare.tracing import linear
from diffcompare.tracing.array import lifted, wrap
from diffcompare.tracing.composed_products import batched, einsum_terms
from diffcompare.tracing.registry import Handlers, registering
from diffcompare.tracing.table import Table

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


@handles(np.matmul, np.linalg.matmul)
def _matmul(table: Table, a: Any, b: Any) -> Any:
    return linear.matmul(table, a, b)


@handles(np.einsum)
def _einsum(table: Table, *given: Any, **_: Any) -> Any:
    return linear.einsum(table, *einsum_terms(given))


def _matrices(table: Table, a: Any) -> Any:
    return wrap(lifted(a, table))


@handles(np.linalg.det)
def _det(table: Table, a: Any) -> Any:
    return batched(lambda m: linear.determinant(table, m), _matrices(table, a))


@handles(np.linalg.slogdet)
def _slogdet(table: Table, a: Any) -> Any:
    values = _det(table, a)
    # signs are constant where there is a logarithm
    signs = np.where(values > 0, 1.0, -1.0)
    return np.linalg.slogdet(np.eye(1)).__class__(signs, np.log(values * signs))


@handles(np.linalg.inv)
def _inv(table: Table, a: Any) -> Any:
    return batched(lambda m: linear.solve(table, m, np.eye(len(m))), _matrices(table, a))


@handles(np.linalg.solve)
def _solve(table: Table, a: Any, b: Any) -> Any:
    matrices, right = _matrices(table, a), _matrices(table, b)
    if matrices.ndim == 2 and right.ndim < 3:
        return linear.solve(table, matrices, right)
    if right.ndim == 1:
        return _solve(table, matrices, right.reshape(-1, 1))[..., 0]
    return batched(lambda m, r: linear.solve(table, m, r), matrices, right)


@handles(np.linalg.cholesky)
def _cholesky(table: Table, a: Any, upper: bool = False) -> Any:
    factors: Any = batched(lambda m: linear.cholesky(table, m), _matrices(table, a))
    return np.swapaxes(factors, -1, -2) if upper else factors
