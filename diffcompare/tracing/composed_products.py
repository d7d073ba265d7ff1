"""NumPy's products of arrays and linear algebra that are made of others, whichever way numbers are traced."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import functools
import math
import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handlers, named, registering

__all__ = ["batched", "einsum_terms", "on_diagonals", "products"]


def batched(rule: Callable[..., Any], *arrays: Any) -> Any:
    """Apply a rule to the matrices of stacks."""
    if all(a.ndim == 2 for a in arrays):
        return rule(*arrays)
    batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    spread = [np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:]) for a in arrays]
    found = [rule(*(a[k] for a in spread)) for k in range(math.prod(batch))]
    return np.stack(found).reshape(*batch, *np.shape(found[0]))


def einsum_terms(given: Sequence[Any]) -> tuple[Sequence[Any], list[str], str]:
    """Return the operands of ``einsum``, the letters of their axes, those of an ellipsis too, and of the result's."""
    subscripts, operands = (given[0], given[1:]) if isinstance(given[0], str) else _in_letters(given)
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    missing = [np.ndim(o) - len(t.replace("...", "")) for o, t in zip(operands, terms, strict=True)]
    depth = max((n for n, t in zip(missing, terms, strict=True) if "..." in t), default=0)
    free = "ABCDEFGHIJ"[:depth]
    terms = [t.replace("...", free[depth - n :]) if "..." in t else t for n, t in zip(missing, terms, strict=True)]
    letters = "".join(terms)
    single = "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in free))
    return operands, terms, right.replace("...", free) if arrow else free + single


def _in_letters(given: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Write lists of axes, each behind its operand and the result's last, as letters."""
    names = [
        "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in axes)
        for axes in (*given[1::2], *(given[-1:] if len(given) % 2 else ()))
    ]
    operands = given[: len(given) // 2 * 2 : 2]
    return ",".join(names[: len(operands)]) + "->" * (len(given) % 2) + "".join(names[len(operands) :]), operands


def on_diagonals(array: Any, name: str) -> tuple[str, Any]:
    """Take the diagonal of axes whose letter stands twice."""
    letters = list(name)
    for letter in dict.fromkeys(name):
        while letters.count(letter) > 1:
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            array = np.diagonal(array, axis1=i, axis2=j)
            letters = [c for k, c in enumerate(letters) if k not in (i, j)] + [letter]
    return "".join(letters), array


def products(traced: Callable[[Any, Any], Any]) -> Handlers:
    """Return what stands for these functions; ``traced(table, value)`` makes numbers those of a trace."""
    handlers: Handlers = {}
    handles = registering(handlers)

    @handles(np.dot)
    def dot(table: Any, a: Any, b: Any) -> Any:
        one, two = traced(table, a), traced(table, b)
        if one.ndim == 0 or two.ndim == 0:
            return np.multiply(one, two)
        if two.ndim > 2:
            return np.tensordot(one, two, axes=([one.ndim - 1], [two.ndim - 2]))
        return np.matmul(one, two)

    @handles(np.vdot)
    def vdot(table: Any, a: Any, b: Any) -> Any:
        return np.matmul(np.ravel(traced(table, a)), np.ravel(traced(table, b)))

    @handles(*named("vecdot"), np.linalg.vecdot)
    def vecdot(table: Any, a: Any, b: Any, *, axis: int = -1) -> Any:
        one, two = (np.moveaxis(traced(table, v), axis, -1) for v in (a, b))
        return np.matmul(one[..., None, :], two[..., None])[..., 0, 0]

    @handles(*named("matvec"))
    def matvec(table: Any, a: Any, b: Any) -> Any:
        return np.matmul(traced(table, a), traced(table, b)[..., None])[..., 0]

    @handles(*named("vecmat"))
    def vecmat(table: Any, a: Any, b: Any) -> Any:
        return np.matmul(traced(table, a)[..., None, :], traced(table, b))[..., 0, :]

    @handles(np.cross)
    def cross(
        table: Any, a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
    ) -> Any:
        ends = (axisa, axisb, axisc) if axis is None else (axis,) * 3
        one, two = (np.moveaxis(traced(table, v), end, 0) for v, end in zip((a, b), ends[:2], strict=True))
        if len(one) != 3 or len(two) != 3:
            raise refuse("cross of vectors of two numbers", "only three are read", "write it out")
        parts = [one[(k + 1) % 3] * two[(k + 2) % 3] - one[(k + 2) % 3] * two[(k + 1) % 3] for k in range(3)]
        return np.stack(parts, axis=ends[2])

    @handles(np.linalg.cross)
    def vector_cross(table: Any, x1: Any, x2: Any, *, axis: int = -1) -> Any:
        return cross(table, x1, x2, axis=axis)

    @handles(np.correlate)
    def correlate(table: Any, a: Any, v: Any, mode: str = "valid") -> Any:
        if len(v) > len(a):
            raise refuse("correlate with the longer array second", "it is turned around", "exchange them")
        return np.convolve(traced(table, a), traced(table, v)[::-1], mode)  # type: ignore[call-overload]

    @handles(np.inner)
    def inner(table: Any, a: Any, b: Any) -> Any:
        one, two = traced(table, a), traced(table, b)
        if one.ndim == 0 or two.ndim == 0:
            return np.multiply(one, two)
        return np.tensordot(one, two, axes=([one.ndim - 1], [two.ndim - 1]))

    @handles(np.outer, np.linalg.outer)
    def outer(table: Any, a: Any, b: Any, out: Any = None) -> Any:
        return np.multiply(traced(table, a).reshape(-1, 1), traced(table, b).reshape(1, -1))

    @handles(np.kron)
    def kron(table: Any, a: Any, b: Any) -> Any:
        one, two = np.atleast_2d(traced(table, a)), np.atleast_2d(traced(table, b))
        shape = [p * q for p, q in zip(one.shape, two.shape, strict=True)]
        found = one[:, None, :, None] * two[None, :, None, :]
        return found.reshape(shape if max(np.ndim(a), np.ndim(b)) > 1 else -1)

    @handles(np.tensordot, np.linalg.tensordot)
    def tensordot(table: Any, a: Any, b: Any, axes: Any = 2) -> Any:
        one, two = traced(table, a), traced(table, b)
        n, m = one.ndim, two.ndim
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
        return np.einsum(f"{''.join(names)},{''.join(others)}->{''.join(kept)}", one, two)

    @handles(np.trace, np.linalg.trace)
    def trace(
        table: Any, a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
    ) -> Any:
        return np.sum(np.diagonal(traced(table, a), offset, axis1, axis2), axis=-1)

    @handles(np.linalg.lstsq)
    def lstsq(table: Any, a: Any, b: Any, rcond: Any = None) -> Any:
        matrix = traced(table, a)
        if matrix.shape[0] < matrix.shape[1]:
            raise refuse("lstsq with fewer equations than unknowns", "it is found by iteration", "use solve")
        x = np.linalg.solve(matrix.T @ matrix, matrix.T @ b)
        return x, np.sum((matrix @ x - b) ** 2, axis=0), matrix.shape[1], np.ones(matrix.shape[1])

    @handles(np.linalg.pinv)
    def pinv(table: Any, a: Any, *_: Any, **__: Any) -> Any:
        matrix = traced(table, a)
        flipped = np.swapaxes(matrix, -1, -2)
        if matrix.shape[-2] >= matrix.shape[-1]:
            return np.linalg.solve(flipped @ matrix, flipped)
        return np.swapaxes(np.linalg.solve(matrix @ flipped, matrix), -1, -2)

    @handles(np.linalg.matrix_power)
    def matrix_power(table: Any, a: Any, n: int) -> Any:
        base = np.linalg.inv(a) if n < 0 else traced(table, a)
        result: Any = traced(table, np.eye(base.shape[0]))
        for _ in range(abs(n)):
            result = result @ base
        return result

    @handles(np.linalg.multi_dot)
    def multi_dot(table: Any, arrays: Any) -> Any:
        return functools.reduce(np.dot, arrays)

    return handlers
