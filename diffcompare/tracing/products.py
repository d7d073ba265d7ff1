"""NumPy's products of matrices and linear algebra on traced arrays."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing import linear
from diffcompare.tracing.array import (
    lifted,
    wrap,
)
from diffcompare.tracing.registry import Handlers, registering
from diffcompare.tracing.table import Table, refuse

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


@handles(np.matmul, np.linalg.matmul)
def _matmul(table: Table, a: Any, b: Any) -> Any:
    return linear.matmul(table, a, b)


@handles(np.dot)
def _np_dot(table: Table, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        return np.tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 2]))
    return linear.matmul(table, a, b)


@handles(np.vdot)
def _vdot(table: Table, a: Any, b: Any) -> Any:
    return linear.contract(table, [lifted(a, table).reshape(-1), lifted(b, table).reshape(-1)])


@handles(np.cross, np.linalg.cross)
def _cross(table: Table, a: Any, b: Any, axis: int = -1) -> Any:
    one, two = (np.moveaxis(wrap(lifted(v, table)), axis, 0) for v in (a, b))
    parts = [one[(k + 1) % 3] * two[(k + 2) % 3] - one[(k + 2) % 3] * two[(k + 1) % 3] for k in range(3)]
    return np.stack(parts, axis=-1)


@handles(np.einsum)
def _einsum(table: Table, subscripts: Any, *operands: Any, optimize: Any = False, **_: Any) -> Any:
    if not isinstance(subscripts, str):
        raise refuse("einsum with lists of axes", "only subscripts are read", 'write it as einsum("ij,j->i", A, x)')
    return linear.einsum(table, subscripts, operands)


def _batched(table: Table, rule: Callable[[Any], Any], a: Any) -> Any:
    array = lifted(a, table)
    if array.ndim == 2:
        return rule(wrap(array))
    found = [rule(wrap(m)) for m in array.reshape(-1, *array.shape[-2:])]
    return np.stack(found).reshape(*array.shape[:-2], *np.shape(found[0]))


@handles(np.linalg.det)
def _det(table: Table, a: Any) -> Any:
    return _batched(table, lambda m: linear.determinant(table, m), a)


@handles(np.linalg.slogdet)
def _slogdet(table: Table, a: Any) -> Any:
    values = _batched(table, lambda m: linear.determinant(table, m), a)
    # signs are constant where there is a logarithm
    signs = np.where(values > 0, 1.0, -1.0)
    return np.linalg.slogdet(np.eye(1)).__class__(signs, np.log(values * signs))


@handles(np.linalg.inv)
def _inv(table: Table, a: Any) -> Any:
    return _batched(table, lambda m: linear.solve(table, m, np.eye(len(m))), a)


@handles(np.linalg.solve)
def _solve(table: Table, a: Any, b: Any) -> Any:
    return linear.solve(table, a, b)


@handles(np.linalg.cholesky)
def _cholesky(table: Table, a: Any, upper: bool = False) -> Any:
    return _batched(table, lambda m: linear.cholesky(table, m).T if upper else linear.cholesky(table, m), a)
