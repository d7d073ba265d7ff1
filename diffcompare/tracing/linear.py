"""Sums, products of matrices, and linear algebra by elimination, on traced numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.array import lifted, new_array, shadows, wrap
from diffcompare.tracing.composed_products import on_diagonals
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.scalar import TracedScalar, lift, scalar
from diffcompare.tracing.table import Table

__all__ = ["cholesky", "contract", "determinant", "einsum", "matmul", "solve", "total"]


def total(table: Table, terms: Sequence[Any], shadow: float | None = None) -> TracedScalar:
    """Write a sum of any number of terms as one node."""
    numbers = [lift(t, table) for t in terms]
    if len(numbers) < 2:
        return numbers[0] if numbers else scalar(table, 0.0)
    if shadow is None:
        shadow = float(np.sum(np.array([n.shadow for n in numbers])))
    return TracedScalar(table, table.apply("sum", tuple(n.index for n in numbers), shadow), shadow)


def _dot(table: Table, a: Sequence[TracedScalar], b: Sequence[TracedScalar], shadow: float) -> TracedScalar:
    if not table.region:
        # zeros of a constant matrix: exact, unless they meet what is not finite, or may not be beside the point
        zero, edged = table.constant_nodes.get(0.0, -1), table.edged
        pairs = [
            (p, q)
            for p, q in zip(a, b, strict=True)
            if (p.index != zero or not math.isfinite(q.shadow) or edged[q.index])
            and (q.index != zero or not math.isfinite(p.shadow) or edged[p.index])
        ]
        if len(pairs) < len(a):
            a, b = [p for p, _ in pairs], [q for _, q in pairs]
    if len(a) < 2:
        return a[0] * b[0] if a else scalar(table, 0.0)
    indices = (*(p.index for p in a), *(q.index for q in b))
    return TracedScalar(table, table.apply("dot", indices, shadow), shadow)


def matmul(table: Table, a: Any, b: Any) -> Any:
    """Multiply matrices: every entry is one node."""
    first, second = lifted(a, table), lifted(b, table)
    if not first.ndim or not second.ndim:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    values = np.matmul(shadows(wrap(first)), shadows(wrap(second)))
    left = first[None, :] if first.ndim == 1 else first
    right = second[:, None] if second.ndim == 1 else second
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*batch, *left.shape[-2:])).reshape(-1, *left.shape[-2:])
    right = np.broadcast_to(right, (*batch, *right.shape[-2:])).reshape(-1, *right.shape[-2:])
    floats = iter(np.reshape(values, -1).tolist())
    found: list[TracedScalar] = []
    for one, two in zip(left, right, strict=True):
        columns = [_lifted_list(table, column) for column in two.T]
        for row in one:
            numbers = _lifted_list(table, row)
            found.extend(_dot(table, numbers, column, next(floats)) for column in columns)
    return new_array(found, values.shape)


def _lifted_list(table: Table, array: Any) -> list[TracedScalar]:
    return [lift(v, table) for v in array.tolist()]


def einsum(table: Table, operands: Sequence[Any], terms: Sequence[str], right: str) -> Any:
    """Sum products over repeated letters; with two operands every entry is one node."""
    arrays = [lifted(o, table) for o in operands]
    sizes: dict[str, int] = {}
    for array, term in zip(arrays, terms, strict=True):
        for letter, size in zip(term, array.shape, strict=True):
            if sizes.setdefault(letter, size) == 1:
                sizes[letter] = size
    summed = [c for c in sizes if c not in right]
    order = [*right, *summed]
    spread = []
    for array, term in zip(arrays, terms, strict=True):
        names, array = on_diagonals(array, term)
        axes = sorted(range(len(names)), key=lambda k, names=names: order.index(names[k]))  # type: ignore[misc]
        array = array.transpose(axes)
        present = {names[k] for k in axes}
        shape = [
            array.shape[sorted(map(order.index, present)).index(order.index(c))] if c in present else 1 for c in order
        ]
        spread.append(np.broadcast_to(array.reshape(shape), [sizes[c] for c in order]))
    outer = [sizes[c] for c in right]
    inner = math.prod(sizes[c] for c in summed)
    rows = [s.reshape(-1, inner) for s in spread]
    found = [contract(table, [row[k] for row in rows]) for k in range(math.prod(outer))]
    return new_array(found, outer)


def contract(table: Table, factors: Sequence[Any]) -> TracedScalar:
    """Sum the products of the elements of vectors of one length."""
    lists = [_lifted_list(table, f) for f in factors]
    if len(lists) == 1:
        return total(table, lists[0])
    if len(lists) > 2:
        products = lists[0]
        for other in lists[1:-1]:
            products = [a * b for a, b in zip(products, other, strict=True)]
        lists = [products, lists[-1]]
    a, b = lists
    return _dot(table, a, b, float(np.dot([v.shadow for v in a], [v.shadow for v in b])))


def _rows(table: Table, matrix: Any) -> list[list[TracedScalar]]:
    array = lifted(matrix, table)
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return [_lifted_list(table, row) for row in array]


def _eliminate(
    table: Table, rows: list[list[TracedScalar]], right: list[list[TracedScalar]]
) -> tuple[list[list[TracedScalar]], list[list[TracedScalar]], int]:
    """Bring to triangular form, rows exchanged as the floats say: the result does not depend on the order."""
    table.eliminations += 1
    n, sign = len(rows), 1
    rows, right = [list(r) for r in rows], [list(r) for r in right]
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k].shadow))
        if rows[pivot][k].shadow == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        if pivot != k:
            rows[k], rows[pivot] = rows[pivot], rows[k]
            right[k], right[pivot] = right[pivot], right[k]
            sign = -sign
        for i in range(k + 1, n):
            if _is_zero(rows[i][k]):
                continue
            factor = rows[i][k] / rows[k][k]
            rows[i] = [*rows[i][: k + 1], *(_less(a, factor, b) for a, b in _pairs(rows[i], rows[k], k + 1))]
            right[i] = [_less(a, factor, b) for a, b in _pairs(right[i], right[k], 0)]
    return rows, right, sign


def _pairs(one: list[TracedScalar], two: list[TracedScalar], start: int) -> list[tuple[TracedScalar, TracedScalar]]:
    return list(zip(one[start:], two[start:], strict=True))


def _is_zero(value: TracedScalar) -> bool:
    return value.shadow == 0 and not value.moving


def _less(a: TracedScalar, factor: TracedScalar, b: TracedScalar) -> Any:
    if _is_zero(b) or _is_zero(factor):
        return a
    return -(factor * b) if _is_zero(a) else a - factor * b


def determinant(table: Table, matrix: Any) -> Any:
    """Write a determinant."""
    rows = _rows(table, matrix)
    try:
        rows, _, sign = _eliminate(table, rows, [[] for _ in rows])
    except np.linalg.LinAlgError:
        raise refuse(
            "the determinant of a matrix that is singular here", "elimination divides by 0", "trace at another point"
        ) from None
    result = rows[0][0] if rows else scalar(table, 1.0)
    for k in range(1, len(rows)):
        result = result * rows[k][k]
    return -result if sign < 0 else result


def solve(table: Table, matrix: Any, right: Any) -> Any:
    """Write the solution of a linear system by elimination and back substitution."""
    b = lifted(right, table)
    columns = b.reshape(b.shape[0], -1)
    rows, sides, _ = _eliminate(table, _rows(table, matrix), [_lifted_list(table, row) for row in columns])
    n = len(rows)
    found: list[list[TracedScalar]] = [[] for _ in range(n)]
    for i in reversed(range(n)):
        for c in range(columns.shape[1]):
            value = sides[i][c]
            for j in range(i + 1, n):
                value = _less(value, rows[i][j], found[j][c])
            found[i].append(value / rows[i][i])
    return new_array([v for row in found for v in row], b.shape)


def cholesky(table: Table, matrix: Any) -> Any:
    """Write the lower Cholesky factor."""
    rows = _rows(table, matrix)
    table.eliminations += 1
    n = len(rows)
    zero = scalar(table, 0.0)
    factor = [[zero] * n for _ in range(n)]
    for j in range(n):
        for i in range(j, n):
            value = rows[i][j]
            for k in range(j):
                value = _less(value, factor[i][k], factor[j][k])
            if i == j:
                if not value.shadow > 0:
                    raise np.linalg.LinAlgError("Matrix is not positive definite")
                factor[j][j] = np.sqrt(value)
            else:
                factor[i][j] = value / factor[j][j]
    return new_array([v for row in factor for v in row], (n, n))
