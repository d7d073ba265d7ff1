"""NumPy's products of matrices and linear algebra on traced arrays."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing import linear
from diffcompare.tracing.array import (
    lifted,
    wrap,
)
from diffcompare.tracing.registry import Handlers, registering
from diffcompare.tracing.scalar import scalar
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


@handles(np.inner)
def _inner(table: Table, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    return np.tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 1]))


@handles(np.outer, np.linalg.outer)
def _outer(table: Table, a: Any, b: Any) -> Any:
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


@handles(np.kron)
def _kron(table: Table, a: Any, b: Any) -> Any:
    one, two = wrap(np.atleast_2d(lifted(a, table))), wrap(np.atleast_2d(lifted(b, table)))
    result = one[:, None, :, None] * two[None, :, None, :]
    shape = [p * q for p, q in zip(one.shape, two.shape, strict=True)]
    return result.reshape(shape if max(np.ndim(a), np.ndim(b)) > 1 else -1)


@handles(np.cross, np.linalg.cross)
def _cross(table: Table, a: Any, b: Any, axis: int = -1) -> Any:
    one, two = (np.moveaxis(wrap(lifted(v, table)), axis, 0) for v in (a, b))
    parts = [one[(k + 1) % 3] * two[(k + 2) % 3] - one[(k + 2) % 3] * two[(k + 1) % 3] for k in range(3)]
    return np.stack(parts, axis=-1)


@handles(np.tensordot, np.linalg.tensordot)
def _tensordot(table: Table, a: Any, b: Any, axes: Any = 2) -> Any:
    n, m = np.ndim(a), np.ndim(b)
    if isinstance(axes, int):
        first, second = list(range(n - axes, n)), list(range(axes))
    else:
        first, second = (list(x) if isinstance(x, list | tuple) else [x] for x in axes)
    first, second = [k % n for k in first], [k % m for k in second]
    names = [chr(97 + k) for k in range(n)]
    others = [chr(110 + k) for k in range(m)]
    for p, q in zip(first, second, strict=True):
        others[q] = names[p]
    kept = [names[k] for k in range(n) if k not in first] + [others[k] for k in range(m) if k not in second]
    return linear.einsum(table, f"{''.join(names)},{''.join(others)}->{''.join(kept)}", [a, b])


@handles(np.einsum)
def _einsum(table: Table, subscripts: Any, *operands: Any, optimize: Any = False, **_: Any) -> Any:
    if not isinstance(subscripts, str):
        raise refuse("einsum with lists of axes", "only subscripts are read", 'write it as einsum("ij,j->i", A, x)')
    return linear.einsum(table, subscripts, operands)


@handles(np.trace, np.linalg.trace)
def _trace(table: Table, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(wrap(lifted(a, table)), offset, axis1, axis2), axis=-1)


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
    value = linear.determinant(table, a)
    sign = 1.0 if value.shadow > 0 else -1.0
    return np.linalg.slogdet(np.eye(1)).__class__(scalar(table, sign), np.log(value if sign > 0 else -value))


@handles(np.linalg.inv)
def _inv(table: Table, a: Any) -> Any:
    return _batched(table, lambda m: linear.solve(table, m, np.eye(len(m))), a)


@handles(np.linalg.solve)
def _solve(table: Table, a: Any, b: Any) -> Any:
    return linear.solve(table, a, b)


@handles(np.linalg.cholesky)
def _cholesky(table: Table, a: Any, upper: bool = False) -> Any:
    return _batched(table, lambda m: linear.cholesky(table, m).T if upper else linear.cholesky(table, m), a)


@handles(np.linalg.lstsq)
def _lstsq(table: Table, a: Any, b: Any, rcond: Any = None) -> Any:
    matrix = wrap(lifted(a, table))
    if matrix.shape[0] < matrix.shape[1]:
        raise refuse("lstsq with fewer equations than unknowns", "it is found by iteration", "use solve")
    x = linear.solve(table, matrix.T @ matrix, matrix.T @ b)
    return x, np.sum((matrix @ x - b) ** 2, axis=0), matrix.shape[1], np.ones(matrix.shape[1])


@handles(np.linalg.pinv)
def _pinv(table: Table, a: Any, *_: Any, **__: Any) -> Any:
    matrix = wrap(lifted(a, table))
    if matrix.shape[0] >= matrix.shape[1]:
        return linear.solve(table, matrix.T @ matrix, matrix.T)
    return linear.solve(table, matrix @ matrix.T, matrix).T


@handles(np.linalg.matrix_power)
def _matrix_power(table: Table, a: Any, n: int) -> Any:
    base = np.linalg.inv(a) if n < 0 else wrap(lifted(a, table))
    result: Any = np.eye(len(base))
    for _ in range(abs(n)):
        result = result @ base
    return result


@handles(np.linalg.multi_dot)
def _multi_dot(table: Table, arrays: Any) -> Any:
    return functools.reduce(lambda p, q: np.dot(p, q), arrays)
