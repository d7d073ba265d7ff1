"""NumPy's reductions, and what runs along an axis, on traced arrays."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing import linear
from diffcompare.tracing.array import (
    answers,
    elements,
    lifted,
    new_array,
    plain,
    shadows,
    wrap,
)
from diffcompare.tracing.composed_reductions import axes_of, is_masked, masked, masked_mean
from diffcompare.tracing.registry import Handler, Handlers, named, registering
from diffcompare.tracing.scalar import TracedCondition, extreme, lift, scalar
from diffcompare.tracing.special import traced_special
from diffcompare.tracing.table import Table

__all__ = ["HANDLERS", "squares"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


def _reduced(
    table: Table,
    value: Any,
    axis: Any,
    keepdims: Any,
    rule: Callable[[list[Any], float | None], Any],
    floats: Callable[..., Any] | None = None,
) -> Any:
    """Apply a rule to the elements along axes; ``floats`` is NumPy's own function, for the floats."""
    array = lifted(value, table)
    axes = axes_of(axis, array.ndim)
    kept = [a for a in range(array.ndim) if a not in axes]
    rows = array.transpose([*kept, *axes]).reshape(math.prod(array.shape[a] for a in kept), -1)
    values: list[Any] = [None] * len(rows)
    if floats is not None and array.ndim:
        values = np.reshape(floats(shadows(wrap(array)), axis=axes), -1).tolist()
    found = [rule(elements(row), v) for row, v in zip(rows, values, strict=True)]
    shape = (
        [1 if a in axes else n for a, n in enumerate(array.shape)]
        if keepdims is True
        else [array.shape[a] for a in kept]
    )
    return new_array(found, shape)


@handles(np.sum)
def _sum(
    table: Table,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    if _is_plain_condition(a) and axis is None:
        return np.sum(a, axis=axis)
    a = _converted(table, a, dtype)
    result = _reduced(table, masked(a, where), axis, keepdims, lambda row, s: linear.total(table, row, s), np.sum)
    return result if initial is np._NoValue or initial == 0 else result + initial


def _converted(table: Table, a: Any, dtype: Any) -> Any:
    """Convert what is reduced, as NumPy does before; a type that is not shorter changes nothing."""
    kind = np.dtype(np.float64 if dtype is None or dtype is np._NoValue else dtype)
    return wrap(lifted(a, table)).astype(kind) if kind.kind == "f" and kind.itemsize < 8 else a


def _is_plain_condition(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.view(np.ndarray).dtype != object


@handles(np.mean)
def _mean(table: Table, a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, where: Any = True) -> Any:
    array = lifted(_converted(table, a, dtype), table)
    if is_masked(where):
        return masked_mean(wrap(array), axis, keepdims, where)
    count = math.prod(array.shape[k] for k in axes_of(axis, array.ndim))
    return _reduced(table, wrap(array), axis, keepdims, lambda row, s: linear.total(table, row, s), np.sum) / count


def _product(row: list[Any], table: Table) -> Any:
    result = scalar(table, 1.0) if not row else lift(row[0], table)
    for v in row[1:]:
        result = result * lift(v, table)
    return result


@handles(np.prod)
def _prod(
    table: Table,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    a = masked(_converted(table, a, dtype), where, 1.0)
    result = _reduced(table, a, axis, keepdims, lambda row, _: _product(row, table))
    return result if initial is np._NoValue or initial == 1 else result * initial


def _extreme(operation: str, *, spreads: bool) -> Handler:
    def handler(
        table: Table, a: Any, axis: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
    ) -> Any:
        def rule(row: list[Any], _: Any) -> Any:
            row = row if initial is None or initial is np._NoValue else [initial, *row]
            if not row:
                raise ValueError("zero-size array to reduction operation which has no identity")
            first, *rest = (lift(number, table) for number in row)
            return functools.reduce(lambda p, q: extreme(operation, p, q, spreads=spreads), rest, first)

        return _reduced(table, masked(a, where, initial), axis, keepdims, rule)

    return handler


HANDLERS |= dict.fromkeys(named("max", "amax"), _extreme("max", spreads=True))
HANDLERS |= dict.fromkeys(named("min", "amin"), _extreme("min", spreads=True))
HANDLERS |= dict.fromkeys(named("nanmax"), _extreme("max", spreads=False))
HANDLERS |= dict.fromkeys(named("nanmin"), _extreme("min", spreads=False))


def _quantified(operation: str) -> Handler:
    def handler(table: Table, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        array = lifted(a, table)
        if axis is None:
            conditions = [v if type(v) is TracedCondition else v != 0 for v in elements(array)]
            result: Any = operation == "and"
            for c in conditions:
                result = (result & c) if operation == "and" else (result | c)
            return result
        values = answers(
            wrap(np.array([c if type(c) is TracedCondition else c != 0 for c in elements(array)], dtype=object))
        )
        return (np.all if operation == "and" else np.any)(
            np.array(values, dtype=bool).reshape(array.shape), axis=axis, keepdims=keepdims
        )

    return handler


HANDLERS[np.all] = _quantified("and")
HANDLERS[np.any] = _quantified("or")


@handles(np.count_nonzero)
def _count(table: Table, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.count_nonzero(answers(a if _is_condition(a) else a != 0), axis=axis, keepdims=keepdims)


def _is_condition(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype == bool


def squares(table: Table, array: Any, axis: Any, keepdims: Any) -> Any:
    """Sum the squares of numbers along axes."""
    return _reduced(
        table, array, axis, keepdims, lambda row, _: linear.contract(table, [np.array(row, dtype=object)] * 2)
    )


def _accumulated(table: Table, a: Any, axis: Any, rule: Callable[[Any, Any], Any]) -> Any:
    """Apply a rule from element to element."""
    array = lifted(a, table)
    array = array.reshape(-1) if axis is None else array
    moved = np.moveaxis(array, -1 if axis is None else axis, -1)
    rows = []
    for row in moved.reshape(-1, moved.shape[-1]):
        held = None
        for v in elements(row):
            held = lift(v, table) if held is None else rule(held, lift(v, table))
            rows.append(held)
    return np.moveaxis(new_array(rows, moved.shape), -1, -1 if axis is None else axis)


@handles(np.cumsum)
def _cumsum(table: Table, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(table, _converted(table, a, dtype), axis, lambda p, q: p + q)


@handles(np.cumprod)
def _cumprod(table: Table, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return _accumulated(table, _converted(table, a, dtype), axis, lambda p, q: p * q)


@handles(np.bincount)
def _bincount(table: Table, x: Any, weights: Any = None, minlength: int = 0) -> Any:
    places = np.asarray(plain(x, "bincount()"), dtype=np.intp)
    if weights is None:
        return np.bincount(places, minlength=minlength)
    sums = [lift(0.0, table)] * max(int(places.max(initial=-1)) + 1, minlength)
    for place, weight in zip(places.tolist(), elements(lifted(weights, table)), strict=True):
        sums[place] = sums[place] + weight
    return new_array(sums, (len(sums),))


@handles(np.convolve)
def _convolve(table: Table, a: Any, v: Any, mode: str = "full") -> Any:
    one, two = lifted(a, table), lifted(v, table)
    n, m = len(one), len(two)
    full = [
        linear.contract(table, [one[max(0, k - m + 1) : k + 1], two[max(0, k - n + 1) : k + 1][::-1]])
        for k in range(n + m - 1)
    ]
    start = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[mode]
    length = {"full": n + m - 1, "same": max(n, m), "valid": abs(n - m) + 1}[mode]
    return new_array(full[start : start + length], (length,))


@handles(np.sinc)
def _sinc(table: Table, x: Any) -> Any:
    return traced_special(table, "sinc", lambda y: np.sin(y) / y if y else 1.0, (np.pi * x,))
