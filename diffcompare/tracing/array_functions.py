"""NumPy's functions on handles: what moves elements is done by NumPy itself on the numbers of their places."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_ufuncs import choose, compared, of_table, store, table_here
from diffcompare.tracing.complex_numbers import complex_function, is_of_complex
from diffcompare.tracing.composed import ASKED, axes_of, composed, masked
from diffcompare.tracing.factorisations import FACTORISED, factorisations
from diffcompare.tracing.fourier import FOURIER
from diffcompare.tracing.handle import (
    Doors,
    Handle,
    counted,
    floats_of,
    has_handles,
    is_moving,
    made,
    plain_floats,
    stored,
    viewed,
)
from diffcompare.tracing.registry import Handler, Handlers, named, registering
from diffcompare.tracing.table import refuse

__all__ = ["HANDLERS", "call_function", "constants", "knows", "with_floats"]

HANDLERS: Handlers = composed(made, floats_of) | factorisations(made, floats_of)
handles = registering(HANDLERS)

# of one array: what NumPy returns shows the same elements, where it can
_VIEWS = {
    *named(
        "reshape", "ravel", "transpose", "squeeze", "expand_dims", "moveaxis", "swapaxes", "rollaxis", "flip", "fliplr",
        "flipud", "rot90", "broadcast_to", "diagonal", "split", "array_split", "hsplit", "vsplit", "dsplit",
        "atleast_1d", "atleast_2d", "atleast_3d", "real", "permute_dims", "matrix_transpose", "unstack",
    ),
    np.lib.stride_tricks.sliding_window_view, np.linalg.diagonal, np.linalg.matrix_transpose,
}  # fmt: skip
_OF_SEVERAL = {np.atleast_1d, np.atleast_2d, np.atleast_3d}
# what is made of elements of several arrays: any number among the arguments with these places is one of them
_MADE: dict[Any, tuple[int | str, ...]] = {
    **dict.fromkeys(named(
        "concatenate", "concat", "stack", "vstack", "hstack", "column_stack", "dstack", "row_stack", "block", "roll",
        "repeat", "tile", "take", "diag", "diagflat", "tril", "triu", "delete", "resize", "trim_zeros",
        "take_along_axis",
    ), (0,)),
    np.append: (0, 1), np.insert: (0, 2), np.pad: (0, "constant_values"), np.extract: (1,), np.compress: (1,),
    np.meshgrid: (0, 1, 2, 3, 4, 5),
}  # fmt: skip
# what is written into: the places of what is written and of what is read
_WRITTEN: dict[Any, tuple[int, ...]] = {
    np.fill_diagonal: (1,), np.put: (2,), np.copyto: (1,), np.place: (2,), np.putmask: (2,),
    np.put_along_axis: (2,),
}  # fmt: skip


def call_function(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Do what a function of NumPy does, on handles."""
    if is_of_complex(function, args, kwargs):
        return complex_function(function, args, kwargs)
    handler = HANDLERS.get(function)
    table = table_here()
    kept = table.whole(function, args, kwargs)
    if kept is not None:
        return kept
    if handler is not None and (function not in FACTORISED or is_moving(list(args))):
        out = kwargs.pop("out", None) if "out" in kwargs else None
        result = handler(table, *args, **kwargs)
        if function not in _RUN_ONCE:
            # the same numbers, rounded as NumPy rounds them
            result = with_floats(table, result, function(*map(floats_of, args), **floats_of(kwargs)))
        return result if out is None else store(out, result)
    if function in _VIEWS:
        return _seen(table, function, args, kwargs)
    if function in _MADE:
        return _moved(table, function, args, kwargs)
    if function in _WRITTEN:
        return _written(table, function, args, kwargs)
    if function in ASKED:
        return function(*(_number(floats_of(a)) for a in args), **kwargs)
    if not is_moving(list(args)) and not is_moving(kwargs):
        out = kwargs.pop("out", None)
        result = constants(table, function(*map(floats_of, args), **floats_of(kwargs)))
        return result if out is None else store(out, result)
    name = getattr(function, "__name__", str(function))
    raise refuse(
        f"{name} of a traced value",
        "it is not made of operations that the trace knows",
        "write it with elementary functions, or leave it out of what is traced",
    )


def knows(function: Any) -> bool:
    """Tell whether there is a rule for a function of NumPy."""
    return any(function in table for table in (HANDLERS, _VIEWS, _MADE, _WRITTEN, ASKED, FOURIER))


def _number(value: Any) -> Any:
    # one element of an array is a number
    return value[()] if isinstance(value, np.ndarray) else value


def with_floats(table: ArrayTable, result: Any, floats: Any) -> Any:
    """Return a result with the floats that the code has."""
    if isinstance(result, tuple) and isinstance(floats, tuple):
        parts = [with_floats(table, r, f) for r, f in zip(result, floats, strict=True)]
        return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
    floats = np.asarray(floats)
    if not isinstance(result, Handle) or floats.size != result.size or floats.dtype.kind != "f":
        return result
    if (
        floats.shape == result.shape
        and floats.dtype == result.dtype
        and np.array_equal(floats, result.floats, equal_nan=True)
    ):
        return result
    return stored(table, table.build.reshape(result.node, floats.shape), np.array(floats))


def constants(table: ArrayTable, value: Any) -> Any:
    """Return what untraced code computed from constants as constants."""
    if isinstance(value, tuple) and type(value) is not tuple:
        return type(value)(*(constants(table, v) for v in value))
    if isinstance(value, tuple | list):
        return type(value)(constants(table, v) for v in value)
    if isinstance(value, float) or (type(value) is np.ndarray and value.dtype.kind == "f"):
        return made(table, value)
    return value


def _seen(table: ArrayTable, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if function in _OF_SEVERAL and len(args) > 1:
        return tuple(_seen(table, function, (value,), kwargs) for value in args)
    array = made(table, args[0])
    places, floats = (function(part, *args[1:], **kwargs) for part in (array.places, array.floats))

    def shown(place: Any, value: Any) -> Handle:
        if np.may_share_memory(place, array.places) or place.size == 0:
            return viewed(array, place, value)
        return stored(table, array._kept().read(place), np.array(value))

    if isinstance(places, list | tuple):
        return type(places)(shown(p, v) for p, v in zip(places, floats, strict=True))
    return shown(places, floats)


class _Numbering:
    """Numbers the elements of several arrays; 0 is the number zero."""

    def __init__(self, table: ArrayTable) -> None:
        self.table = table
        self.nodes = [table.build.constant(np.zeros(1))]
        self.total = 1

    def places(self, value: Any) -> Any:
        """Return the numbers of the elements of a value, in lists of lists of arrays as the value is."""
        if isinstance(value, list | tuple) and (has_handles(value) or any(isinstance(v, np.ndarray) for v in value)):
            return type(value)(self.places(v) for v in value)
        array = made(self.table, value)
        start, self.total = self.total, self.total + array.size
        self.nodes.append(array.node)
        return start + counted(array.size).reshape(array.shape)

    def read(self, places: Any) -> int:
        """Return the node of elements by their numbers."""
        build = self.table.build
        return build.take(build.join(self.nodes), np.asarray(places, dtype=np.intp))


def _moved(table: ArrayTable, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    numbering, chosen = _Numbering(table), _MADE[function]
    if function in (np.concatenate, np.stack, np.vstack, np.hstack) and isinstance(args[0], Handle):
        args = (list(args[0]), *args[1:])
    numbered = [numbering.places(a) if k in chosen else floats_of(a) for k, a in enumerate(args)]
    named_ = {
        k: numbering.places(v) if k in chosen or k in ("arr", "values") else floats_of(v) for k, v in kwargs.items()
    }
    places = function(*numbered, **named_)
    floats = function(*map(floats_of, args), **floats_of(kwargs))
    if isinstance(places, list | tuple):
        return type(places)(stored(table, numbering.read(p), np.array(f)) for p, f in zip(places, floats, strict=True))
    return stored(table, numbering.read(places), np.array(floats))


def _written(table: ArrayTable, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    target = args[0]
    if not isinstance(target, Handle):
        raise refuse(
            "a traced value is written into an array of floats", "the trace does not see it", "make it with numpy"
        )
    numbering = _Numbering(table)
    places = np.array(numbering.places(target))
    rest = [numbering.places(a) if k in _WRITTEN[function] else floats_of(a) for k, a in enumerate(args) if k]
    function(places, *rest, **floats_of(kwargs))
    floats = np.array(target.floats)
    function(floats, *map(floats_of, args[1:]), **floats_of(kwargs))
    target[...] = stored(table, numbering.read(places), floats)


# --- reductions ------------------------------------------------------------------------------------------------------


def _is_plain(value: Any) -> bool:
    return isinstance(value, np.ndarray) and not isinstance(value, Handle)


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


@handles(np.nansum)
def _nansum(table: ArrayTable, a: Any, axis: Any = None, **options: Any) -> Any:
    return _sum(table, np.where(np.isnan(a), 0.0, a), axis, **options)


@handles(np.nanmean)
def _nanmean(table: ArrayTable, a: Any, axis: Any = None, **options: Any) -> Any:
    return _mean(table, a, axis, where=~np.isnan(a), **options)


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
    if where is not True and where is not np._NoValue:
        return _sum(table, a, axis, keepdims=keepdims, where=where) / np.sum(
            where, axis=axis, keepdims=keepdims is True
        )
    array = made(table, a)
    count = math.prod(array.shape[k] for k in axes_of(axis, array.ndim))
    found = _sum(table, array, axis, keepdims=keepdims) / count
    return stored(table, found.node, np.asarray(np.mean(array.floats, axis=axis, keepdims=keepdims is True)))


def _last(array: Handle, axis: Any) -> Any:
    """Return an array whose last axis is that of a reduction."""
    axes = axes_of(axis, array.ndim)
    kept = [a for a in range(array.ndim) if a not in axes]
    shape = [array.shape[a] for a in kept]
    return np.transpose(array, [*kept, *axes]).reshape(*shape, -1)


def _folded(table: ArrayTable, a: Any, axis: Any, keepdims: Any, rule: Callable[[Any, Any], Any]) -> Any:
    """Apply a rule to halves of what is left, until it is one."""
    array = made(table, a)
    rest = _last(array, axis)
    if not rest.shape[-1]:
        raise ValueError("zero-size array to reduction operation which has no identity")
    while rest.shape[-1] > 1:
        half = rest.shape[-1] // 2
        joined = rule(rest[..., :half], rest[..., half : 2 * half])
        rest = joined if rest.shape[-1] % 2 == 0 else np.concatenate([joined, rest[..., 2 * half :]], axis=-1)
    rest = rest[..., 0]
    if keepdims is True:
        axes = axes_of(axis, array.ndim)
        rest = rest.reshape([1 if k in axes else n for k, n in enumerate(array.shape)])
    return rest


@handles(np.prod)
def _prod(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    if where is not True and where is not np._NoValue:
        a = np.where(where, a, 1.0)
    result = _folded(table, a, axis, keepdims, np.multiply)
    return result if initial is np._NoValue or initial == 1 else result * initial


def _extreme(rule: Any) -> Handler:
    def handler(table: ArrayTable, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False,
        initial: Any = None,
                where: Any = True) -> Any:  # fmt: skip
        if where is not True and where is not np._NoValue:
            a = np.where(where, a, initial)
        result = _folded(table, a, axis, keepdims, rule)
        return result if initial is None or initial is np._NoValue else rule(result, initial)

    return handler


HANDLERS |= dict.fromkeys(named("max", "amax"), _extreme(np.maximum))
HANDLERS |= dict.fromkeys(named("min", "amin"), _extreme(np.minimum))
HANDLERS |= {np.nanmax: _without_nan(np.max, -np.inf), np.nanmin: _without_nan(np.min, np.inf)}


@handles(np.ptp)
def _ptp(table: ArrayTable, a: Any, axis: Any = None, **options: Any) -> Any:
    return np.max(a, axis=axis, **options) - np.min(a, axis=axis, **options)


@handles(np.var)
def _var(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
    keepdims: Any = False, where: Any = True, mean: Any = None, correction: Any = None,
) -> Any:  # fmt: skip
    array = made(table, a)
    mask = True if where is np._NoValue else where
    count = np.sum(np.broadcast_to(mask, array.shape), axis=axis, keepdims=keepdims is True)
    centre = _mean(table, array, axis, keepdims=True, where=mask) if mean is None or mean is np._NoValue else mean
    taken = ddof if correction is None or correction is np._NoValue else correction
    return np.sum((array - centre) ** 2, axis=axis, keepdims=keepdims, where=mask) / (count - taken)


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


@handles(np.linalg.norm, np.linalg.vector_norm)
def _norm(table: ArrayTable, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    array, ord = made(table, x), floats_of(ord)  # noqa: A001
    if ord in ("fro", 2, 2.0) and (array.ndim == 1 or isinstance(axis, int) or ord == "fro"):
        ord = None  # noqa: A001
    if ord is None:
        return np.sqrt(np.sum(array * array, axis=axis, keepdims=keepdims))
    sizes = np.abs(array)
    if array.ndim == 2 and axis is None and ord in (1, -1, np.inf, -np.inf):
        # the largest, or smallest, sum of a column or of a row
        sums = np.sum(sizes, axis=0 if abs(ord) == 1 else 1)
        return (np.max if ord > 0 else np.min)(sums, keepdims=keepdims)
    if (array.ndim > 1 and not isinstance(axis, int)) or ord == 0:
        raise refuse(f"norm(ord={ord})", "it is found by iteration, or by counting", "use the Frobenius norm")
    if ord == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(sizes, axis=axis, keepdims=keepdims)
    return np.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


# --- along an axis ---------------------------------------------------------------------------------------------------


def _begun(array: Any, axis: Any, value: float) -> Any:
    """Put a number before the others along an axis."""
    moved = np.moveaxis(array, 0 if axis is None else axis, -1)
    begun = np.concatenate([np.full((*moved.shape[:-1], 1), value), moved], axis=-1)
    return np.moveaxis(begun, -1, 0 if axis is None else axis)


@handles(*named("cumsum", "cumulative_sum"))
def _cumsum(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *, include_initial: bool = False
) -> Any:
    if include_initial:
        return _begun(_cumsum(table, a, axis), axis, 0.0)
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else array
    chosen = 0 if axis is None else axis % array.ndim
    return stored(table, table.build.cumulate(array.node, chosen), np.cumsum(array.floats, axis=chosen))


@handles(*named("cumprod", "cumulative_prod"))
def _cumprod(
    table: ArrayTable, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *, include_initial: bool = False
) -> Any:
    if include_initial:
        return _begun(_cumprod(table, a, axis), axis, 1.0)
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else np.moveaxis(array, axis, -1)
    parts = [array[..., 0]]
    for k in range(1, array.shape[-1]):
        parts.append(parts[-1] * array[..., k])
    found = np.stack(parts, axis=-1)
    return found if axis is None else np.moveaxis(found, -1, axis)


@handles(np.diff)
def _diff(table: ArrayTable, a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    array: Any = np.moveaxis(made(table, a), axis, -1)
    for side, first in ((prepend, True), (append, False)):
        if side is not None and side is not np._NoValue:
            end: Any = made(table, side)
            end = np.moveaxis(end, axis, -1) if end.ndim else np.broadcast_to(end, (*array.shape[:-1], 1))
            array = np.concatenate([end, array] if first else [array, end], axis=-1)
    for _ in range(n):
        array = array[..., 1:] - array[..., :-1]
    return np.moveaxis(array, -1, axis)


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


@handles(np.correlate)
def _correlate(table: ArrayTable, a: Any, v: Any, mode: str = "valid") -> Any:
    if len(v) > len(a):
        raise refuse("correlate with the longer array second", "it is turned around", "exchange them")
    other: Any = made(table, v)
    return np.convolve(a, other[::-1], mode)  # type: ignore[call-overload]


@handles(np.sinc)
def _sinc(table: ArrayTable, x: Any) -> Any:
    return of_table("sinc", np.sinc(floats_of(x)), np.pi * made(table, x))


# --- choices ---------------------------------------------------------------------------------------------------------


@handles(np.where)
def _where(table: ArrayTable, condition: Any, *choices: Any) -> Any:
    mask = np.not_equal(condition, 0.0) if isinstance(condition, Handle) else np.asarray(condition, dtype=bool)
    return choose(mask, *choices) if choices else np.where(mask)


@handles(np.nan_to_num)
def _nan_to_num(
    table: ArrayTable, x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    array, ends = made(table, x), [floats_of(v) for v in (nan, posinf, neginf)]
    return np.where(np.isfinite(array), array, np.nan_to_num(array.floats, nan=ends[0], posinf=ends[1], neginf=ends[2]))


def _ordered(table: ArrayTable, a: Any, axis: Any) -> tuple[Any, Any, Any]:
    """Return the order along an axis, which is last, and the elements in it; that it holds is noted."""
    array: Any = made(table, a)
    array = array.reshape(-1) if axis is None else np.moveaxis(array, axis, -1)
    order = table.order(array.floats)
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


@handles(np.argpartition)
def _argpartition(table: ArrayTable, a: Any, kth: Any, axis: Any = -1, **_: Any) -> Any:
    array: Any = made(table, a)
    _ordered(table, array, axis)
    return np.argpartition(array.floats, kth, axis=axis)


@handles(np.partition)
def _partition(table: ArrayTable, a: Any, kth: Any, axis: Any = -1, **_: Any) -> Any:
    return np.take_along_axis(made(table, a), _argpartition(table, a, kth, axis), axis=axis)


def _arg_extreme(rule: Any, largest: Any) -> Handler:
    def handler(table: ArrayTable, a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
        # the comparisons of the extreme value decide where it is
        largest(a, axis=axis)
        return rule(floats_of(a), axis=axis, keepdims=keepdims is True)

    return handler


HANDLERS |= {np.argmax: _arg_extreme(np.argmax, np.max), np.argmin: _arg_extreme(np.argmin, np.min)}


@handles(np.median)
def _median(table: ArrayTable, a: Any, axis: Any = None, **_: Any) -> Any:
    # an axis that is kept has length 1: the floats have it
    _, _, ordered = _ordered(table, _last(made(table, a), axis), -1)
    n = ordered.shape[-1]
    return ordered[..., n // 2] if n % 2 else (ordered[..., n // 2 - 1] + ordered[..., n // 2]) / 2


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
        if kind is None and _is_plain(a) and a.dtype.kind in "iub" and not has_handles(value):
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
    return made(table, np.round(plain_floats(a, "round()"), decimals))


# --- products --------------------------------------------------------------------------------------------------------


def contract(table: ArrayTable, subscripts: str, one: Any, two: Any, floats: Any) -> Handle:
    """Sum products of two arrays; letters of one of them alone that are not kept are summed over before."""
    terms, _, result = subscripts.partition("->")
    names = terms.split(",")
    arrays: list[Any] = [made(table, one), made(table, two)]
    for k, array in enumerate(arrays):
        names[k], arrays[k] = _reduced(array, names[k], result + names[1 - k])
    # an axis of length 1 stands for any length
    sizes: dict[str, int] = {}
    for name, array in zip(names, arrays, strict=True):
        for c, n in zip(name, array.shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    arrays = [np.broadcast_to(a, [sizes[c] for c in name]) for name, a in zip(names, arrays, strict=True)]
    node = table.build.contract(f"{names[0]},{names[1]}->{result}", arrays[0].node, arrays[1].node)
    return stored(table, node, np.asarray(floats))


def _reduced(array: Any, name: str, needed: str) -> tuple[str, Any]:
    """Take the diagonal of letters that stand twice, and sum over those that nothing else needs."""
    letters = list(name)
    for letter in dict.fromkeys(name):
        while letters.count(letter) > 1:
            i = letters.index(letter)
            j = letters.index(letter, i + 1)
            array = np.diagonal(array, axis1=i, axis2=j)
            letters = [c for k, c in enumerate(letters) if k not in (i, j)] + [letter]
    alone = tuple(k for k, c in enumerate(letters) if c not in needed)
    if alone:
        array = np.sum(array, axis=alone)
    return "".join(c for c in letters if c in needed), array


@handles(np.matmul, np.linalg.matmul)
def _matmul(table: ArrayTable, a: Any, b: Any) -> Any:
    one, two = made(table, a), made(table, b)
    if not one.ndim or not two.ndim:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    first = "k" if one.ndim == 1 else "ik"
    second = "k" if two.ndim == 1 else "kj"
    batch = max(one.ndim, two.ndim) - 2
    letters = "abcdefgh"[: max(batch, 0)]
    left = letters[len(letters) - (one.ndim - 2) :] if one.ndim > 2 else ""
    right = letters[len(letters) - (two.ndim - 2) :] if two.ndim > 2 else ""
    result = letters + ("i" if one.ndim > 1 else "") + ("j" if two.ndim > 1 else "")
    return contract(table, f"{left}{first},{right}{second}->{result}", one, two, np.matmul(one.floats, two.floats))


@handles(np.dot)
def _dot(table: ArrayTable, a: Any, b: Any, out: Any = None) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(b) > 2:
        return np.tensordot(a, b, axes=([np.ndim(a) - 1], [np.ndim(b) - 2]))
    if np.ndim(a) > 2:
        return np.tensordot(a, b, axes=([np.ndim(a) - 1], [0]))
    return _matmul(table, a, b)


@handles(np.linalg.vecdot)
def _vecdot(table: ArrayTable, a: Any, b: Any, axis: int = -1, **_: Any) -> Any:
    return np.sum(np.multiply(a, b), axis=axis)


@handles(np.vdot)
def _vdot(table: ArrayTable, a: Any, b: Any) -> Any:
    return _matmul(table, np.ravel(made(table, a)), np.ravel(made(table, b)))


@handles(np.cross, np.linalg.cross)
def _cross(table: ArrayTable, a: Any, b: Any, axis: int = -1, **_: Any) -> Any:
    one, two = (np.moveaxis(made(table, v), axis, 0) for v in (a, b))
    if len(one) != 3 or len(two) != 3:
        raise refuse("cross of vectors of two numbers", "only three are read", "write it out")
    parts = [one[(k + 1) % 3] * two[(k + 2) % 3] - one[(k + 2) % 3] * two[(k + 1) % 3] for k in range(3)]
    return np.stack(parts, axis=axis)


@handles(np.einsum)
def _einsum(
    table: ArrayTable, subscripts: Any, *operands: Any, optimize: Any = False, out: Any = None, **_: Any
) -> Any:
    if not isinstance(subscripts, str):
        raise refuse("einsum with lists of axes", "only subscripts are read", 'write it as einsum("ij,j->i", A, x)')
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    depth = max(
        (np.ndim(o) - len(t.replace("...", "")) for o, t in zip(operands, terms, strict=True) if "..." in t), default=0
    )
    free = "ABCDEFGH"[:depth]
    terms = [
        t.replace("...", free[depth - (np.ndim(o) - len(t.replace("...", ""))) :]) if "..." in t else t
        for o, t in zip(operands, terms, strict=True)
    ]
    letters = "".join(terms)
    single = "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in free))
    right = right.replace("...", free) if arrow else free + single
    floats = np.einsum(subscripts, *map(floats_of, operands))
    arrays = [made(table, o) for o in operands]
    while len(arrays) > 2:
        # what later operands need is kept
        kept = "".join(dict.fromkeys(c for c in terms[0] + terms[1] if c in right + "".join(terms[2:])))
        product = np.einsum(f"{terms[0]},{terms[1]}->{kept}", arrays[0].floats, arrays[1].floats)
        arrays[:2] = [contract(table, f"{terms[0]},{terms[1]}->{kept}", arrays[0], arrays[1], product)]
        terms[:2] = [kept]
    if len(arrays) == 2:
        return contract(table, f"{terms[0]},{terms[1]}->{right}", arrays[0], arrays[1], floats)
    name, array = _reduced(arrays[0], terms[0], right)
    found: Any = np.transpose(array, [name.index(c) for c in right])
    return stored(table, found.node, np.array(floats))


# --- linear algebra --------------------------------------------------------------------------------------------------


def _batched(rule: Callable[..., Any], *arrays: Handle) -> Any:
    """Apply a rule to the matrices of stacks."""
    batch = np.broadcast_shapes(*(a.shape[:-2] for a in arrays))
    spread = [np.broadcast_to(a, (*batch, *a.shape[-2:])).reshape(-1, *a.shape[-2:]) for a in arrays]
    found = [rule(*(a[k] for a in spread)) for k in range(math.prod(batch))]
    return np.stack(found).reshape(*batch, *np.shape(found[0]))


def _square(table: ArrayTable, a: Any) -> Handle:
    array = made(table, a)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return array


@handles(np.linalg.solve)
def _solve(table: ArrayTable, a: Any, b: Any) -> Any:
    matrix, right = _square(table, a), made(table, b)
    if right.ndim == 1:
        return _solve(table, matrix, right.reshape(-1, 1)).reshape(*matrix.shape[:-2], -1)
    if matrix.ndim > 2 or right.ndim > 2:
        return _batched(lambda m, r: _solve(table, m, r), matrix, right)
    return stored(table, table.build.solve(matrix.node, right.node), np.linalg.solve(matrix.floats, right.floats))


@handles(np.linalg.inv)
def _inv(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return _batched(lambda m: _inv(table, m), matrix)
    found = _solve(table, matrix, np.eye(matrix.shape[-1]))
    return stored(table, found.node, np.linalg.inv(matrix.floats))


@handles(np.linalg.det)
def _det(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return _batched(lambda m: _det(table, m), matrix)
    return stored(table, table.build.of_matrix("determinant", matrix.node), np.asarray(np.linalg.det(matrix.floats)))


@handles(np.linalg.slogdet)
def _slogdet(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    floats = np.linalg.slogdet(matrix.floats)
    if matrix.ndim > 2:
        found = _batched(lambda m: _slogdet(table, m).logabsdet, matrix)
    else:
        node = table.build.of_matrix("log_determinant", matrix.node)
        found = stored(table, node, np.asarray(floats.logabsdet))
    return floats.__class__(made(table, floats.sign), found)


@handles(np.linalg.cholesky)
def _cholesky(table: ArrayTable, a: Any, upper: bool = False) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return _batched(lambda m: _cholesky(table, m, upper), matrix)
    # of a symmetric matrix the library reads the lower half
    floats = np.linalg.cholesky(matrix.floats)
    lower: Any = np.tril(matrix)
    whole = lower + np.tril(matrix, -1).T
    found = stored(table, table.build.of_matrix("cholesky", whole.node), floats)
    return found.T if upper else found


# what runs the user's functions, or decides
_RUN_ONCE = {
    np.apply_along_axis,
    np.piecewise,
    np.argmax,
    np.argmin,
    np.argpartition,
    np.argsort,
    np.nonzero,
    np.flatnonzero,
    np.argwhere,
    np.all,
    np.any,
}

Doors.call_function = call_function
