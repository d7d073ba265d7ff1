"""NumPy's functions on handles: what moves elements is done by NumPy itself on the numbers of their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffcompare.tracing import (
    array_products,
    array_reductions,
    handle_methods,  # noqa: F401 - it gives handles their methods
)
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_ufuncs import store, table_here
from diffcompare.tracing.complex_numbers import complex_function, is_of_complex
from diffcompare.tracing.composed import ASKED, composed
from diffcompare.tracing.composed_products import products
from diffcompare.tracing.composed_reductions import reductions
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
    stored,
    viewed,
)
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handlers, named

__all__ = ["HANDLERS", "call_function", "constants", "knows", "with_floats"]

HANDLERS: Handlers = (
    composed(made, floats_of)
    | reductions(made, floats_of, array_reductions.squares)
    | products(made)
    | factorisations(made, floats_of)
    | array_reductions.HANDLERS
    | array_products.HANDLERS
)

# of one array: what NumPy returns shows the same elements, where it can
_VIEWS = {
    *named(
        "reshape", "ravel", "transpose", "squeeze", "expand_dims", "moveaxis", "swapaxes", "rollaxis", "flip", "fliplr",
        "flipud", "rot90", "broadcast_to", "diagonal", "split", "array_split", "hsplit", "vsplit", "dsplit",
        "atleast_1d", "atleast_2d", "atleast_3d", "real", "permute_dims", "matrix_transpose", "unstack",
    ),
    np.lib.stride_tricks.sliding_window_view, np.lib.stride_tricks.as_strided, np.linalg.diagonal,
    np.linalg.matrix_transpose,
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
    if function is np.lib.stride_tricks.as_strided and array.places.strides != array.floats.strides:
        raise refuse("as_strided of this array", "its bytes are not followed", "use sliding_window_view")
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
