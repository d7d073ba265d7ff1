"""Programs of arrays in ball arithmetic: object arrays of balls, and FLINT's matrices for products and systems.

A value is an object array of balls; constants stay floats until a ball is asked for. Every value is let go after its
last use.

References
----------
F. Johansson, Faster arbitrary-precision dot product and matrix multiplication, ARITH (2019): products of ``arb_mat``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from flint import arb_mat

from diffcompare.arithmetic.balls import (
    BALL_OPERATIONS,
    Ball,
    ball,
    certainly_nonzero,
    precision,
    round_ball,
    switch_function,
)
from diffcompare.floats import Flags, Floats
from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode, contracted
from diffcompare.program.dag import Builder
from diffcompare.program.elements import as_array, rearranged
from diffcompare.program.operations import OPERATIONS
from diffcompare.watchdog import on_time

__all__ = ["STRIP", "Edge", "array_balls", "as_balls", "middles", "nearest_floats", "switches_of"]

# elements that are evaluated at once: their balls stay in the cache
STRIP = 20_000
# so many products of matrices that have fewer multiplications each are done by elements
_MATRICES, _PRODUCTS = 32, 64
# a ball that is known to so many bits holds no 0
_CLEAR = 2
# one of so many bits is thinner than a thousandth of the distance of two floats, if they are normal: at least so large
_ROUNDED, _NORMAL = 80, 2.0**-1021
# columns of a Cholesky factor that are done at once
_BLOCK = 24


def array_balls(build: ArrayBuilder, roots: Sequence[int], point: Any, bits: int) -> list[Any]:
    """Evaluate nodes at an exact point.

    Parameters
    ----------
    build : ArrayBuilder
    roots : sequence of int
    point : ndarray of float64 or of balls, shape (n,)
    bits : int
        The working precision.

    Returns
    -------
    list of ndarray of balls
        One for each root; nan where it is not defined.
    """
    run = _Run(point)
    with precision(bits):
        values = _in_stages(build.nodes, build.needed(roots), roots, run)
        return [as_balls(values[root]) for root in roots]


def _is_elementwise(node: ArrayNode) -> bool:
    return bool(node.operands) and (node.operation not in STRUCTURAL or node.operation == "choose")


def _stages(nodes: Sequence[ArrayNode], order: Sequence[int]) -> list[list[int]]:
    """Sort nodes into stages, each of one kind: what is done element by element on one shape goes together."""
    stage: dict[int, int] = {}
    found: dict[tuple[int, Any], list[int]] = {}
    for index in order:
        node = nodes[index]
        shape = node.shape if _is_elementwise(node) else None
        # within a stage other nodes come first, so that only what is made of arrays of another shape has to wait
        after = [stage[i] + (_is_elementwise(nodes[i]) and nodes[i].shape != shape) for i in node.operands]
        stage[index] = max(after, default=0)
        found.setdefault((stage[index], shape), []).append(index)
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[1] is not None, key[1] or ()))]


def _in_stages(nodes: Sequence[ArrayNode], order: Sequence[int], roots: Sequence[int], run: _Run) -> dict[int, Any]:
    """Evaluate nodes stage by stage, long arrays in strips; what no later stage needs is let go."""
    stages = _stages(nodes, order)
    number = {index: k for k, stage in enumerate(stages) for index in stage}
    last = dict.fromkeys(roots, len(stages))
    for index in order:
        for i in nodes[index].operands:
            last[i] = max(last.get(i, 0), number[index])
    values: dict[int, Any] = {}
    for k, stage in enumerate(stages):
        on_time()
        if _is_elementwise(nodes[stage[0]]) and math.prod(nodes[stage[0]].shape) > STRIP:
            values |= _stripped(nodes, stage, values, [i for i in stage if last[i] > k])
        else:
            values |= _whole(nodes, stage, values, run, last, k)
        for i in [i for i in values if last[i] <= k]:
            del values[i]
    return values


def _whole(
    nodes: Sequence[ArrayNode], stage: Sequence[int], values: dict[int, Any], run: _Run, last: dict[int, int], k: int
) -> dict[int, Any]:
    """Evaluate nodes one after the other; inside a stage a value is let go after its last use, too."""
    uses = {i: index for index in stage for i in nodes[index].operands}
    found: dict[int, Any] = {}
    # floats that several nodes take are made balls once
    balls: dict[int, Any] = {}

    def operand(i: int, elementwise: bool) -> Any:
        value = found[i] if i in found else values[i]
        if not elementwise or value.dtype == object:
            return value
        if i not in balls:
            balls[i] = as_balls(value)
        return balls[i]

    for index in stage:
        node = nodes[index]
        operands = [operand(i, _is_elementwise(node)) for i in node.operands]
        found[index] = run.apply(node, *operands) if node.operands else run.leaf(node)
        for i in set(node.operands):
            if i in found and last[i] <= k and uses[i] == index:
                del found[i]
    return found


def _stripped(
    nodes: Sequence[ArrayNode], stage: Sequence[int], values: dict[int, Any], kept: Sequence[int]
) -> dict[int, Any]:
    """Evaluate elementwise nodes of one shape on a part of their elements after the other: few balls live at once."""
    shape, inside = nodes[stage[0]].shape, set(stage)
    size = math.prod(shape)
    found = {i: np.empty(size, dtype=object) for i in kept}
    outside = {i: np.broadcast_to(values[i], shape) if values[i].shape else values[i]
               for index in stage for i in nodes[index].operands if i not in inside}  # fmt: skip
    masks = {i: np.broadcast_to(nodes[i].payload, shape).reshape(-1) for i in stage if nodes[i].operation == "choose"}
    flat = {i: v.reshape(-1) if v.shape else v for i, v in outside.items()}
    for start in range(0, size, STRIP):
        on_time()
        part = slice(start, start + STRIP)
        local = {i: as_balls(v[part] if v.shape else v) for i, v in flat.items()}
        for index in stage:
            node = nodes[index]
            operands = [local[i] for i in node.operands]
            local[index] = np.where(masks[index][part], *operands) if index in masks else _elementwise(node, *operands)
        for i in kept:
            # of numbers alone the result is a number
            found[i][part] = local[i] if local[i].shape else local[i][()]
    return {i: v.reshape(shape) for i, v in found.items()}


class _Run:
    """One evaluation; matrices of constants are converted once."""

    def __init__(self, point: Any) -> None:
        self.point = point
        # by the identity of the float array, which is held
        self._matrices: dict[tuple[int, tuple[int, ...]], tuple[Any, Any]] = {}

    def leaf(self, node: ArrayNode) -> Any:
        if node.operation == "variable":
            return self.point
        if node.operation == "constant":
            held = node.payload
            return held if isinstance(held, np.ndarray) else as_array(ball(held))
        return as_array(BALL_OPERATIONS[node.operation]())

    def apply(self, node: ArrayNode, *values: Any) -> Any:
        name = node.operation
        if name == "contract":
            return self._contract(node, *values)
        if name in _OF_MATRICES:
            return _OF_MATRICES[name](*map(as_balls, values))
        mixed = name == "join" and len({v.dtype for v in values}) > 1
        if mixed or name in ("total", "cumulate", "scatter", "choose"):
            values = tuple(map(as_balls, values))
        found = rearranged(node, values, _ZERO)
        return _elementwise(node, *map(as_balls, values)) if found is None else found

    def _contract(self, node: ArrayNode, one: Any, two: Any) -> Any:
        first, second, result, batch, summed, left = contracted(node.payload)
        right = "".join(c for c in result if c not in batch and c not in left)
        sizes = dict(zip(first + second, one.shape + two.shape, strict=True))
        count = {group: math.prod(sizes[c] for c in group) for group in {batch, summed, left, right}}
        small = count[batch] > _MATRICES and count[summed] * count[left] * count[right] < _PRODUCTS
        if not summed or small:
            return _by_elements(first, second, result, summed, as_balls(one), as_balls(two))
        rows = self._matrix(one, first, batch, left, summed)
        columns = self._matrix(two, second, batch, summed, right)
        found = [np.array((a * b).entries(), dtype=object) for a, b in zip(rows, columns, strict=True)]
        shape = [sizes[c] for c in batch + left + right]
        product = np.concatenate(found).reshape(shape) if found else np.empty(shape, dtype=object)
        return product.transpose([(batch + left + right).index(c) for c in result])

    def _matrix(self, value: Any, letters: str, batch: str, rows: str, columns: str) -> list[Any]:
        axes = tuple(letters.index(c) for c in batch + rows + columns)
        key = (id(value), (*axes, len(batch), len(rows)))
        held = self._matrices.get(key)
        if held is None:
            shape = [value.shape[a] for a in axes]
            b, r = len(batch), len(batch) + len(rows)
            size = math.prod(shape[b:r]), math.prod(shape[r:])
            other = self._matrices.get((id(value), (*axes[:b], *axes[r:], *axes[b:r], b, len(columns))))
            if other is not None:
                made = [m.transpose() for m in other[1]]
            else:
                flat = value.transpose(axes).reshape(math.prod(shape[:b]), *size)
                made = [arb_mat(*size, m.reshape(-1).tolist()) for m in flat]
            held = (value, made)
            if value.dtype != object:
                # the value is held, so that its id is not used again
                self._matrices[key] = held
        return held[1]


def _by_elements(first: str, second: str, result: str, summed: str, one: Any, two: Any) -> Any:
    letters = result + summed
    spread = []
    for value, own in ((one, first), (two, second)):
        moved = value.transpose([own.index(c) for c in letters if c in own])
        spread.append(moved.reshape([moved.shape["".join(c for c in letters if c in own).index(c)] if c in own else 1
                                     for c in letters]))  # fmt: skip
    product = as_array(np.multiply(*spread))
    axes = tuple(range(len(result), len(letters)))
    return as_array(np.add.reduce(product, axis=axes)) if axes else product


def as_balls(value: Any) -> Any:
    """Return a float array as one of balls."""
    if value.dtype == object:
        return value
    result = np.empty(value.shape, dtype=object)
    result.reshape(-1)[:] = [Ball(v) for v in value.reshape(-1).tolist()]
    return result


def middles(values: Any) -> Floats:
    """Round balls to floats, flat; nan for one that is not finite."""
    return np.asarray(values.reshape(-1).astype(np.float64))


_ZERO = Ball(0)


def nearest_floats(values: Any) -> tuple[Floats, Flags]:
    """Round balls to the nearest floats, flat, and tell where that is certain; elsewhere a float is the middle.

    Call it at the precision at which the balls were computed.
    """
    found, certain = middles(values), np.zeros(values.size, dtype=bool)
    flat = values.reshape(-1)
    for start in range(0, flat.size, STRIP):
        part = slice(start, start + STRIP)
        some, floats = flat[part], found[part]
        bits = np.array([v.rel_accuracy_bits() for v in some.tolist()])
        with np.errstate(all="ignore"):
            # the nearer of the two numbers half way to the next floats
            half = (np.abs(floats) - np.nextafter(np.abs(floats), 0.0)) / 2
            clear = (bits >= _ROUNDED) & (np.abs(floats) >= _NORMAL) & np.isfinite(floats)
        rest = np.zeros(floats.shape)
        rest[clear] = (some[clear] - floats[clear].astype(object)).astype(np.float64)
        certain[part] = clear & (np.abs(rest) < 0.999 * half)
        for i in np.flatnonzero(~certain[part]).tolist():
            nearest = round_ball(some[i])
            if nearest is not None:
                floats[i], certain[part.start + i] = nearest, True
    return found, certain


@cache
def _function(operation: str, payload: int | None) -> Callable[..., Any]:
    rule = BALL_OPERATIONS[operation]
    applied = rule if payload is None else lambda *operands: rule(*operands, payload)
    function: Callable[..., Any] = np.frompyfunc(applied, OPERATIONS[operation].arity, 1)
    return function


_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": np.negative,
}


def _elementwise(node: ArrayNode, *values: Any) -> Any:
    if node.operation == "integer_power" and node.payload > 0:
        return _powers(values[0], int(node.payload))
    function = _OPERATORS.get(node.operation) or _function(node.operation, node.payload)
    return as_array(function(*values))


def _powers(values: Any, n: int) -> Any:
    """Raise balls to a power; one by one those that may hold 0, of which FLINT's power is too wide or none."""
    found = as_array(np.multiply(values, values) if n == 2 else np.power(values, n))
    wide = [v.rel_accuracy_bits() < _CLEAR for v in values.reshape(-1).tolist()]
    if any(wide):
        found[np.reshape(wide, found.shape)] = _function("integer_power", n)(values[np.reshape(wide, values.shape)])
    return found


def _to_matrix(value: Any) -> Any:
    rows, columns = value.shape
    return arb_mat(rows, columns, value.reshape(-1).tolist())


def _from_matrix(matrix: Any) -> Any:
    return np.array(matrix.entries(), dtype=object).reshape(matrix.nrows(), matrix.ncols())


def _nothing(shape: tuple[int, ...]) -> Any:
    return np.full(shape, Ball.nan(), dtype=object)


def _solve(matrix: Any, right: Any) -> Any:
    way = _triangle(matrix)
    if way is not None:
        return _substituted(matrix, right, lower=way)
    try:
        return _from_matrix(_to_matrix(matrix).solve(_to_matrix(right)))
    except ZeroDivisionError:
        # singular, as far as can be told
        return _nothing(right.shape)


def _triangle(matrix: Any) -> bool | None:
    """Tell whether a matrix is lower (true) or upper triangular (false)."""
    n = len(matrix)
    for lower in (True, False):
        outside = matrix[np.triu_indices(n, 1) if lower else np.tril_indices(n, -1)]
        if all(v.is_zero() for v in outside.tolist()):
            return lower
    return None


def _substituted(matrix: Any, right: Any, *, lower: bool) -> Any:
    """Solve a triangular system by substitution, blocks of rows at once."""
    n = len(matrix)
    if not lower:
        return _substituted(matrix[::-1, ::-1], right[::-1], lower=True)[::-1]
    found = np.empty(right.shape, dtype=object)
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        rest = right[start:stop]
        if start:
            rest = rest - _from_matrix(_to_matrix(matrix[start:stop, :start]) * _to_matrix(found[:start]))
        for i in range(start, stop):
            row = rest[i - start]
            for k in range(start, i):
                row = row - matrix[i, k] * found[k]
            found[i] = row / matrix[i, i]
    return found


def _cholesky(matrix: Any) -> Any:
    """Factor a positive definite matrix, blocks of columns at once; nan where it is none for certain."""
    n = len(matrix)
    factor = np.full((n, n), _ZERO, dtype=object)
    rest = np.array(matrix)
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        for j in range(start, stop):
            if not rest[j, j] > 0:
                return _nothing((n, n))
            column = rest[j:, j] / rest[j, j].sqrt()
            column[0] = rest[j, j].sqrt()
            factor[j:, j] = column
            for k in range(j + 1, stop):
                rest[k:, k] = rest[k:, k] - factor[k:, j] * factor[k, j]
        if stop < n:
            below = _to_matrix(factor[stop:, start:stop])
            rest[stop:, stop:] = rest[stop:, stop:] - _from_matrix(below * below.transpose())
    return factor


def _determinant(matrix: Any) -> Any:
    return as_array(_to_matrix(matrix).det())


def _log_determinant(matrix: Any) -> Any:
    return as_array(abs(_to_matrix(matrix).det()).log())


_OF_MATRICES: dict[str, Callable[..., Any]] = {
    "solve": _solve,
    "cholesky": _cholesky,
    "determinant": _determinant,
    "log_determinant": _log_determinant,
}


@dataclass(frozen=True, slots=True)
class Edge:
    """An operation with corners or edges of its domain, and the node of its operands, one after the other."""

    operation: str
    node: int
    count: int

    def is_inside(self, value: Any) -> bool:
        """Tell whether all elements are certainly at no corner and no edge."""
        run = _switch(self.operation)
        return all(certainly_nonzero(run(*row)) for row in zip(*value.reshape(self.count, -1).tolist(), strict=True))


@cache
def _switch(operation: str) -> Callable[..., Any]:
    build = Builder(("a", "b", "c"))
    operands = range(max(OPERATIONS[operation].arity, 1))
    node = build.raw(operation, *(build.variable(k) for k in operands))
    run, count = switch_function(build.program([node]), node)
    return lambda *row: run(*row, *[Ball(1)] * (3 - len(row)))[count]


def switches_of(build: ArrayBuilder, roots: Sequence[int]) -> list[Edge]:
    """List the operations that have corners or edges of their domain, where their operands depend on the variables."""
    found = []
    for index in build.needed(roots):
        node = build.nodes[index]
        if node.operation in STRUCTURAL or not build.moving[index] or not OPERATIONS[node.operation].switch:
            continue
        spread = [build.broadcast(i, node.shape) for i in node.operands]
        found.append(Edge(node.operation, build.join(spread), len(spread)))
    return found
