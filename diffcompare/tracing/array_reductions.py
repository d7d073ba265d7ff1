"""NumPy's reductions, choices and what runs along an axis, on handles."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_ufuncs import choose, compared, of_table
from diffcompare.tracing.composed_reductions import axes_of, is_masked, joined, masked, masked_mean, with_axes
from diffcompare.tracing.handle import Handle, floats_of, has_handles, made, plain_floats, stored
from diffcompare.tracing.registry import Handler, Handlers, named, registering

__all__ = ["HANDLERS", "squares"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


@handles(np.sum)
def _sum(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    array = made(table, masked(a, where))
    axes = axes_of(axis, array.ndim)
    node = table.build.total(array.node, axes)
    floats = np.asarray(np.sum(array.floats, axis=axes, keepdims=keepdims is True))
    result = stored(table, table.build.reshape(node, floats.shape), floats)
    return result if initial is np._NoValue or (not isinstance(initial, Handle) and initial == 0) else result + initial


def _without_nan(rule: Any, other: float) -> Handler:
    def handler(table: ArrayTable, a: Any, axis: Any = None, **options: Any) -> Any:
        return rule(np.where(np.isnan(a), other, a), axis=axis, **options)

    return handler


@handles(np.bincount)
def _bincount(table: ArrayTable, x: Any, weights: Any = None, minlength: int = 0) -> Any:
    places = np.asarray(plain_floats(x, "bincount()"), dtype=np.intp)
    if weights is None:
        return np.bincount(places, minlength=minlength)
    size = max(int(places.max(initial=-1)) + 1, minlength)
    node = table.build.scatter(made(table, weights).node, places, (size,))
    return stored(table, node, np.zeros(size))


@handles(np.mean)
def _mean(table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
          where: Any = True) -> Any:  # fmt: skip
    array = made(table, a)
    if is_masked(where):
        return masked_mean(array, axis, keepdims, where)
    count = math.prod(array.shape[k] for k in axes_of(axis, array.ndim))
    found = _sum(table, array, axis, keepdims=keepdims) / count
    return stored(table, found.node, np.asarray(np.mean(array.floats, axis=axis, keepdims=keepdims is True)))


def _folded(table: ArrayTable, a: Any, axis: Any, keepdims: Any, rule: Callable[[Any, Any], Any]) -> Any:
    """Apply a rule to halves of what is left, until it is one."""
    array = made(table, a)
    rest = joined(array, axis)
    if not rest.shape[-1]:
        raise ValueError("zero-size array to reduction operation which has no identity")
    while rest.shape[-1] > 1:
        half = rest.shape[-1] // 2
        pairs = rule(rest[..., :half], rest[..., half : 2 * half])
        rest = pairs if rest.shape[-1] % 2 == 0 else np.concatenate([pairs, rest[..., 2 * half :]], axis=-1)
    return with_axes(rest[..., 0], array.shape, axis) if keepdims is True else rest[..., 0]


@handles(np.prod)
def _prod(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    result = _folded(table, masked(a, where, 1.0), axis, keepdims, np.multiply)
    return result if initial is np._NoValue or initial == 1 else result * initial


def _extreme(rule: Any) -> Handler:
    def handler(table: ArrayTable, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
        initial: Any = None,
                where: Any = True) -> Any:  # fmt: skip
        result = _folded(table, masked(a, where, initial), axis, keepdims, rule)
        return result if initial is None or initial is np._NoValue else rule(result, initial)

    return handler


HANDLERS |= dict.fromkeys(named("max", "amax"), _extreme(np.maximum))
HANDLERS |= dict.fromkeys(named("min", "amin"), _extreme(np.minimum))
HANDLERS |= {np.nanmax: _without_nan(np.max, -np.inf), np.nanmin: _without_nan(np.min, np.inf)}


def _quantified(function: Any) -> Handler:
    def handler(
        table: ArrayTable, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, where: Any = True
    ) -> Any:
        mask = True if where is np._NoValue else where
        return function(np.not_equal(a, 0.0), axis=axis, keepdims=keepdims is True, where=mask)

    return handler


HANDLERS |= {np.all: _quantified(np.all), np.any: _quantified(np.any)}


@handles(np.count_nonzero)
def _count(table: ArrayTable, a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return np.count_nonzero(np.not_equal(a, 0.0), axis=axis, keepdims=keepdims)


def squares(table: ArrayTable, array: Any, axis: Any, keepdims: Any) -> Any:
    """Sum the squares of numbers along axes."""
    return np.sum(array * array, axis=axis, keepdims=keepdims)


# --- along an axis ---------------------------------------------------------------------------------------------------


@handles(np.cumsum)
def _cumsum(table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else array
    chosen = 0 if axis is None else axis % array.ndim
    return stored(table, table.build.cumulate(array.node, chosen), np.cumsum(array.floats, axis=chosen))


@handles(np.cumprod)
def _cumprod(table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else np.moveaxis(array, axis, -1)
    parts = [array[..., 0]]
    for k in range(1, array.shape[-1]):
        parts.append(parts[-1] * array[..., k])
    found = np.stack(parts, axis=-1)
    return found if axis is None else np.moveaxis(found, -1, axis)


@handles(np.convolve)
def _convolve(table: ArrayTable, a: Any, v: Any, mode: str = "full") -> Any:
    one, two = made(table, a), made(table, v)
    if len(two) > len(one):
        one, two = two, one
    n, m = len(one), len(two)
    padded = np.concatenate([np.zeros(m - 1), one, np.zeros(m - 1)])
    full = np.lib.stride_tricks.sliding_window_view(padded, m) @ two[::-1]
    start = {"full": 0, "same": (m - 1) // 2, "valid": m - 1}[mode]
    length = {"full": n + m - 1, "same": n, "valid": n - m + 1}[mode]
    return full[start : start + length]


@handles(np.sinc)
def _sinc(table: ArrayTable, x: Any) -> Any:
    return of_table("sinc", np.sinc(floats_of(x)), np.pi * made(table, x))


# --- choices ---------------------------------------------------------------------------------------------------------


@handles(np.where)
def _where(table: ArrayTable, condition: Any, *choices: Any) -> Any:
    mask = np.not_equal(condition, 0.0) if isinstance(condition, Handle) else np.asarray(condition, dtype=bool)
    return choose(mask, *choices) if choices else np.where(mask)


def _ordered(table: ArrayTable, a: Any, axis: Any) -> tuple[Any, Any, Any]:
    """Return the order along an axis, which is last, and the elements in it; that it holds is noted."""
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else np.moveaxis(array, axis, -1)
    order = table.order(array.node, array.floats)
    sorted_ = np.take_along_axis(array, order, axis=-1)
    if sorted_.shape[-1] > 1:
        compared("less_equal", sorted_[..., :-1], sorted_[..., 1:])
    return array, order, sorted_


@handles(np.sort)
def _sort(table: ArrayTable, a: Any, axis: Any = -1, **_: Any) -> Any:
    _, _, found = _ordered(table, a, axis)
    return found if axis is None else np.moveaxis(found, -1, axis)


@handles(np.argsort)
def _argsort(table: ArrayTable, a: Any, axis: Any = -1, **_: Any) -> Any:
    _, order, _ = _ordered(table, a, axis)
    return order if axis is None else np.moveaxis(order, -1, axis)


def _arg_extreme(rule: Any, largest: Any) -> Handler:
    def handler(table: ArrayTable, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        # the comparisons of the extreme value decide where it is
        largest(a, axis=axis)
        return rule(floats_of(a), axis=axis, keepdims=keepdims is True)

    return handler


HANDLERS |= {np.argmax: _arg_extreme(np.argmax, np.max), np.argmin: _arg_extreme(np.argmin, np.min)}


@handles(np.nonzero)
def _nonzero(table: ArrayTable, a: Any) -> Any:
    return np.nonzero(np.not_equal(a, 0.0))


@handles(np.argwhere)
def _argwhere(table: ArrayTable, a: Any) -> Any:
    return np.argwhere(np.not_equal(a, 0.0))


@handles(np.flatnonzero)
def _flatnonzero(table: ArrayTable, a: Any) -> Any:
    return np.flatnonzero(np.not_equal(a, 0.0))


def _like(fill: float | None) -> Handler:
    def handler(table: ArrayTable, a: Any, *args: Any, **kwargs: Any) -> Any:
        shape = kwargs.get("shape")
        shape = np.shape(a) if shape is None else shape
        value = args[0] if fill is None else fill
        kind = kwargs.get("dtype", args[0] if args and fill is not None else None)
        kind = getattr(kind, "own_type", kind)
        if kind is not None and np.dtype(kind).kind in "iub":
            return np.full(shape, floats_of(value), dtype=kind)
        if kind is None and type(a) is np.ndarray and a.dtype.kind in "iub" and not has_handles(value):
            return np.full(shape, value, dtype=a.dtype)
        return np.broadcast_to(made(table, value), shape).copy()

    return handler


HANDLERS |= {np.zeros_like: _like(0.0), np.ones_like: _like(1.0), np.empty_like: _like(0.0), np.full_like: _like(None)}


@handles(np.copy)
def _copy(table: ArrayTable, a: Any, *_: Any, **__: Any) -> Any:
    return made(table, a).copy()


@handles(np.imag)
def _imag(table: ArrayTable, a: Any) -> Any:
    return np.zeros(np.shape(a))


@handles(np.round, np.around)
def _round(table: ArrayTable, a: Any, decimals: int = 0, out: Any = None) -> Any:
    # digits are for those who read: nobody means that as a step
    return made(table, np.round(plain_floats(a, "round()"), decimals) if decimals else np.rint(a))
