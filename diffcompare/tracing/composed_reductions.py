"""NumPy's reductions that are made of others, whichever way numbers are traced."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handlers, named, registering

__all__ = ["axes_of", "is_masked", "joined", "masked", "masked_mean", "reductions", "with_axes"]


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes of a reduction, counted from the first."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(int(a) % ndim for a in (axis if isinstance(axis, tuple | list) else (axis,)))


def joined(array: Any, axis: Any) -> Any:
    """Return an array whose last axis holds what a reduction along axes takes together."""
    axes = axes_of(axis, array.ndim)
    kept = [a for a in range(array.ndim) if a not in axes]
    return np.transpose(array, [*kept, *axes]).reshape(*(array.shape[a] for a in kept), -1)


def with_axes(found: Any, shape: Sequence[int], axis: Any, before: Sequence[int] = ()) -> Any:
    """Give what was reduced the axes of length 1 that ``keepdims`` asks for.

    ``shape`` is that of what was reduced, ``before`` are axes that the result has besides, in front.
    """
    axes = axes_of(axis, len(shape))
    return np.reshape(found, [*before, *(1 if k in axes else n for k, n in enumerate(shape))])


def is_masked(where: Any) -> bool:
    """Tell whether a reduction leaves elements out."""
    return where is not True and where is not np._NoValue


def masked(value: Any, where: Any, other: float = 0.0) -> Any:
    """Return another number in place of what a reduction leaves out."""
    return np.where(where, value, other) if is_masked(where) else value


def masked_mean(a: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    """Return the mean of what is not left out."""
    count = np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims is True)
    return np.sum(a, axis=axis, keepdims=keepdims is True, where=where) / count


def reductions(
    traced: Callable[[Any, Any], Any],
    floats: Callable[[Any], Any],
    squares: Callable[[Any, Any, Any, Any], Any],
) -> Handlers:
    """Return what stands for these functions.

    ``traced(table, value)`` makes numbers those of a trace, ``floats(value)`` returns those that the code has,
    ``squares(table, array, axis, keepdims)`` sums squares.
    """
    handlers: Handlers = {}
    handles = registering(handlers)

    @handles(np.nansum)
    def nansum(table: Any, a: Any, axis: Any = None, **options: Any) -> Any:
        array = traced(table, a)
        return np.sum(np.where(np.isnan(array), 0.0, array), axis=axis, **options)

    @handles(np.ptp)
    def ptp(table: Any, a: Any, axis: Any = None, **options: Any) -> Any:
        array = traced(table, a)
        return np.max(array, axis=axis, **options) - np.min(array, axis=axis, **options)

    @handles(np.var)
    def var(
        table: Any, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
        keepdims: Any = False, where: Any = True, mean: Any = None, correction: Any = None,
    ) -> Any:  # fmt: skip
        array = traced(table, a)
        mask = where if is_masked(where) else True
        count = np.sum(np.broadcast_to(mask, array.shape), axis=axis, keepdims=keepdims is True)
        given = mean is not None and mean is not np._NoValue
        centre = mean if given else np.mean(array, axis=axis, keepdims=True, where=mask)
        taken = ddof if correction is None or correction is np._NoValue else correction
        return np.sum((array - centre) ** 2, axis=axis, keepdims=keepdims is True, where=mask) / (count - taken)

    @handles(np.std)
    def std(table: Any, a: Any, *args: Any, **kwargs: Any) -> Any:
        return np.sqrt(np.var(traced(table, a), *args, **kwargs))

    def of_known(function: Any) -> Any:
        def handler(table: Any, a: Any, axis: Any = None, **options: Any) -> Any:
            array = traced(table, a)
            known = ~np.isnan(array)
            return function(np.where(known, array, 0.0), axis=axis, where=known, **options)

        return handler

    handlers.update({np.nanmean: of_known(np.mean), np.nanvar: of_known(np.var), np.nanstd: of_known(np.std)})

    @handles(np.average)
    def average(
        table: Any, a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
    ) -> Any:
        array = traced(table, a)
        if weights is None:
            found = np.mean(array, axis=axis, keepdims=keepdims is True)
            whole: Any = np.full(np.shape(found), array.size / max(np.size(found), 1))
            return (found, whole) if returned else found
        weights = traced(table, weights)
        if weights.shape != array.shape:
            weights = weights.reshape([-1 if k == axis % array.ndim else 1 for k in range(array.ndim)])
            weights = np.broadcast_to(weights, array.shape)
        whole = np.sum(weights, axis=axis, keepdims=keepdims is True)
        found = np.sum(array * weights, axis=axis, keepdims=keepdims is True) / whole
        return (found, whole) if returned else found

    @handles(np.median)
    def median(table: Any, a: Any, axis: Any = None, keepdims: Any = False, **_: Any) -> Any:
        array = traced(table, a)
        ordered: Any = np.sort(joined(array, axis), axis=-1)
        n = ordered.shape[-1]
        found = ordered[..., n // 2] if n % 2 else (ordered[..., n // 2 - 1] + ordered[..., n // 2]) / 2
        return with_axes(found, array.shape, axis) if keepdims is True else found

    @handles(np.quantile)
    def quantile(
        table: Any, a: Any, q: Any, axis: Any = None, *_: Any, method: str = "linear", keepdims: Any = False, **__: Any
    ) -> Any:
        if method != "linear":
            raise refuse(f'quantile(method="{method}")', "only linear interpolation is read", "write it with sort")
        array, share = traced(table, a), np.asarray(floats(q), dtype=float)
        ordered: Any = np.moveaxis(np.sort(joined(array, axis), axis=-1), -1, 0)
        place = share * (len(ordered) - 1)
        below = np.floor(place).astype(int)
        weight = (place - below).reshape(share.shape + (1,) * (ordered.ndim - 1))
        lower, upper = ordered[below], ordered[np.minimum(below + 1, len(ordered) - 1)]
        found = lower + weight * (upper - lower)
        return with_axes(found, array.shape, axis, share.shape) if keepdims is True else found

    @handles(np.percentile)
    def percentile(table: Any, a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> Any:
        return quantile(table, a, np.asarray(floats(q)) / 100, axis, *args, **options)

    def without_nan(rule: Any) -> Any:
        def handler(table: Any, a: Any, q: Any, axis: Any = None, *args: Any, **options: Any) -> Any:
            array = traced(table, a)
            if not np.isnan(array).any():
                return rule(table, array, q, axis, *args, **options)
            moved = joined(array, axis)
            rows = moved.reshape(-1, moved.shape[-1])
            parts = [rule(table, row[~np.isnan(row)], q) for row in rows]
            found = np.stack([traced(table, part) for part in parts], axis=-1)
            found = found.reshape(*np.shape(q), *moved.shape[:-1])
            return with_axes(found, array.shape, axis, np.shape(q)) if options.get("keepdims") is True else found

        return handler

    handlers.update({np.nanquantile: without_nan(quantile), np.nanpercentile: without_nan(percentile)})

    @handles(np.argpartition)
    def argpartition(table: Any, a: Any, kth: Any, axis: Any = -1, **_: Any) -> Any:
        array = traced(table, a)
        # the order of all decides more than what comes before the k-th
        np.sort(array, axis=axis)
        return np.argpartition(floats(array), kth, axis=axis)

    @handles(np.partition)
    def partition(table: Any, a: Any, kth: Any, axis: Any = -1, **_: Any) -> Any:
        array = traced(table, a)
        return np.take_along_axis(array, np.argpartition(array, kth, axis=axis), axis=axis)

    @handles(np.linalg.norm, np.linalg.vector_norm)
    def norm(table: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
        array, ord = traced(table, x), floats(ord)  # noqa: A001
        if ord in ("fro", 2, 2.0) and (array.ndim == 1 or isinstance(axis, int) or ord == "fro"):
            ord = None  # noqa: A001
        if ord is None:
            return np.sqrt(squares(table, array, axis, keepdims))
        if array.ndim == 2 and axis is None and ord in (2, -2, "nuc"):
            rule: Any = {2: np.max, -2: np.min, "nuc": np.sum}[ord]
            return rule(np.linalg.svd(array, compute_uv=False), keepdims=keepdims)
        sizes = np.abs(array)
        if array.ndim == 2 and axis is None and ord in (1, -1, np.inf, -np.inf):
            # the largest, or smallest, sum of a column or of a row
            sums = np.sum(sizes, axis=0 if abs(ord) == 1 else 1)
            return (np.max if ord > 0 else np.min)(sums, keepdims=keepdims)
        if ord == 0:
            raise refuse("norm(ord=0)", "it counts numbers", "use another order")
        if array.ndim > 1 and not isinstance(axis, int):
            raise refuse(f"norm(ord={ord}) of a matrix", "it is found by iteration", "use the Frobenius norm")
        if ord == 1:
            return np.sum(sizes, axis=axis, keepdims=keepdims)
        if ord in (np.inf, -np.inf):
            return (np.max if ord > 0 else np.min)(sizes, axis=axis, keepdims=keepdims)
        return np.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)

    def cumulative(function: Any, first: float) -> Any:
        def handler(table: Any, x: Any, *, axis: Any = None, include_initial: bool = False, **options: Any) -> Any:
            found: Any = function(traced(table, x), axis=axis, **options)
            if not include_initial:
                return found
            moved = np.moveaxis(found, 0 if axis is None else axis, -1)
            begun = np.concatenate([np.full((*moved.shape[:-1], 1), first), moved], axis=-1)
            return np.moveaxis(begun, -1, 0 if axis is None else axis)

        return handler

    handlers.update(dict.fromkeys(named("cumulative_sum"), cumulative(np.cumsum, 0.0)))
    handlers.update(dict.fromkeys(named("cumulative_prod"), cumulative(np.cumprod, 1.0)))

    @handles(np.diff)
    def diff(table: Any, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
        array: Any = np.moveaxis(traced(table, a), axis, -1)
        for side, first in ((prepend, True), (append, False)):
            if side is not None and side is not np._NoValue:
                end: Any = traced(table, side)
                end = np.moveaxis(end, axis, -1) if end.ndim else np.broadcast_to(end, (*array.shape[:-1], 1))
                array = np.concatenate([end, array] if first else [array, end], axis=-1)
        for _ in range(n):
            array = array[..., 1:] - array[..., :-1]
        return np.moveaxis(array, -1, axis)

    return handlers
