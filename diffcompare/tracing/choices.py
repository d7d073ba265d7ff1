"""NumPy's choices, sorting and buffers on traced arrays."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from diffcompare.tracing.array import (
    TracedArray,
    answers,
    elements,
    lifted,
    new_array,
    plain,
    wrap,
)
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handler, Handlers, registering
from diffcompare.tracing.scalar import TracedCondition, TracedScalar, lift, select
from diffcompare.tracing.table import Table

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


@handles(np.round, np.around)
def _round(table: Table, a: Any, decimals: int = 0, out: Any = None) -> Any:
    # digits are for those who read: nobody means that as a step
    return np.round(plain(a, "round()"), decimals) if decimals else np.rint(wrap(lifted(a, table)))


@handles(np.where)
def _where(table: Table, condition: Any, *choices: Any) -> Any:
    if not choices:
        return np.where(answers(condition))
    if not isinstance(condition, np.ndarray | TracedCondition | TracedScalar | list | bool | np.bool_):
        condition = bool(condition)
    if isinstance(condition, np.ndarray) and not isinstance(condition, TracedArray) and condition.dtype != object:
        condition = np.asarray(condition, dtype=bool)
        mask = condition.astype(object)
    else:
        mask = np.empty(np.shape(condition), dtype=object)
        flat = [v if type(v) is TracedCondition else v != 0 for v in elements(lifted(condition, table))]
        mask.reshape(-1)[:] = flat
    first, second = (lifted(c, table) for c in choices)
    shape = np.broadcast_shapes(mask.shape, first.shape, second.shape)
    rows = zip(*(elements(np.broadcast_to(v, shape)) for v in (mask, first, second)), strict=True)
    return new_array([select(c, lift(p, table), lift(q, table)) for c, p, q in rows], shape)


def _sorting(table: Table, what: str) -> None:
    if table.region:
        raise refuse(
            f"{what} of a traced value",
            "sorting by value changes with the point",
            "use max or min, or leave it out of what is traced",
        )


def _ordered(table: Table, what: str, row: list[Any]) -> list[int]:
    _sorting(table, what)

    def order(p: int, q: int) -> int:
        return -1 if row[p] <= row[q] else 1

    return sorted(range(len(row)), key=functools.cmp_to_key(order))


@handles(np.sort)
def _sort(table: Table, a: Any, axis: Any = -1, **_: Any) -> Any:
    array = lifted(a, table)
    array = array.reshape(-1) if axis is None else array
    moved = np.moveaxis(array, -1 if axis is None else axis, -1)
    lists: list[list[Any]] = [elements(row) for row in moved.reshape(-1, moved.shape[-1])]
    rows = [[row[k] for k in _ordered(table, "sort", row)] for row in lists]
    return np.moveaxis(new_array([v for row in rows for v in row], moved.shape), -1, -1 if axis is None else axis)


@handles(np.argsort)
def _argsort(table: Table, a: Any, axis: int = -1, **_: Any) -> Any:
    moved = np.moveaxis(lifted(a, table), axis, -1)
    rows = [_ordered(table, "argsort", elements(row)) for row in moved.reshape(-1, moved.shape[-1])]
    return np.moveaxis(np.array(rows).reshape(moved.shape), -1, axis)


def _arg_extreme(name: str) -> Handler:
    def handler(table: Table, a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        _sorting(table, name)
        array = lifted(a, table)

        def best(row: list[Any]) -> int:
            k = 0
            for j in range(1, len(row)):
                if (row[j] > row[k]) if name == "argmax" else (row[j] < row[k]):
                    k = j
            return k

        if axis is None:
            return best(elements(array))
        moved = np.moveaxis(array, axis, -1)
        found = np.array([best(elements(r)) for r in moved.reshape(-1, moved.shape[-1])]).reshape(moved.shape[:-1])
        return np.expand_dims(found, axis) if keepdims is True else found

    return handler


HANDLERS[np.argmax] = _arg_extreme("argmax")
HANDLERS[np.argmin] = _arg_extreme("argmin")


@handles(np.nonzero, np.flatnonzero, np.argwhere)
def _nonzero(table: Table, a: Any) -> Any:
    return np.nonzero(answers(a if a.dtype == bool else a != 0))


def _made(function: Any, value: float | None) -> Handler:
    def handler(table: Table, a: Any, *args: Any, **kwargs: Any) -> Any:
        kind = kwargs.get("dtype", args[0] if args and value is not None else None)
        shape = kwargs.get("shape")
        shape = np.shape(a) if shape is None else shape
        if kind is not None and np.dtype(kind).kind in "iub":
            fill = args[0] if value is None else value
            return np.full(shape, fill, dtype=kind)
        return wrap(lifted(np.broadcast_to(lifted(args[0] if value is None else value, table), shape).copy(), table))

    return handler


HANDLERS |= {
    np.zeros_like: _made(np.zeros_like, 0.0),
    np.ones_like: _made(np.ones_like, 1.0),
    np.empty_like: _made(np.empty_like, 0.0),
    np.full_like: _made(np.full_like, None),
}
