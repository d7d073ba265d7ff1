"""NumPy's functions on traced arrays: reductions, choices, and those that only move elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from diffcompare.tracing import (
    choices,
    products,
    reductions,  # they register what they stand for
)
from diffcompare.tracing.array import (
    TracedArray,
    contains_traced,
    elements,
    is_moving,
    lifted,
    shadows,
    store,
    table_constants,
    wrap,
)
from diffcompare.tracing.complex_numbers import complex_function, is_of_complex
from diffcompare.tracing.composed import ASKED, composed
from diffcompare.tracing.composed_products import products as composed_products
from diffcompare.tracing.composed_reductions import reductions as composed_reductions
from diffcompare.tracing.factorisations import FACTORISED, factorisations
from diffcompare.tracing.fourier import FOURIER
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Above
from diffcompare.tracing.scalar import TracedCondition, TracedScalar
from diffcompare.tracing.table import Table
from diffcompare.tracing.ufunc_methods import by_method

__all__ = ["call_function", "knows"]

_MOVING = [
    "reshape",
    "ravel",
    "transpose",
    "concatenate",
    "stack",
    "vstack",
    "hstack",
    "column_stack",
    "dstack",
    "block",
    "split",
    "array_split",
    "hsplit",
    "vsplit",
    "squeeze",
    "expand_dims",
    "moveaxis",
    "swapaxes",
    "rollaxis",
    "roll",
    "flip",
    "fliplr",
    "flipud",
    "rot90",
    "repeat",
    "tile",
    "take",
    "broadcast_to",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "diag",
    "diagflat",
    "diagonal",
    "tril",
    "triu",
    "delete",
    "insert",
    "append",
    "copy",
    "meshgrid",
    "resize",
    "pad",
    "fill_diagonal",
    "put",
    "copyto",
    "compress",
    "extract",
    "real",
    "imag",
    "row_stack",
    "matrix_transpose",
    "permute_dims",
    "concat",
    "unstack",
    "take_along_axis",
    "put_along_axis",
    "place",
    "putmask",
    "trim_zeros",
]
_RUN_BY_NUMPY = {getattr(np, name) for name in _MOVING if hasattr(np, name)} | {
    np.lib.stride_tricks.sliding_window_view,
    np.lib.stride_tricks.as_strided,
    np.linalg.diagonal,
    np.linalg.matrix_transpose,
}


def _array(table: Table, value: Any) -> Any:
    return wrap(lifted(value, table))


_HANDLERS = (
    composed(_array, shadows)
    | composed_reductions(_array, shadows, reductions.squares)
    | composed_products(_array)
    | factorisations(_array, shadows)
    | choices.HANDLERS
    | products.HANDLERS
    | reductions.HANDLERS
)


def call_function(table: Table, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Do what a function of NumPy does, on traced numbers."""
    if is_of_complex(function, args, kwargs):
        return complex_function(function, args, kwargs)
    moving = any(is_moving(a) for a in args) or any(is_moving(a) for a in kwargs.values())
    handler = _HANDLERS.get(function)
    if handler is not None and (moving or (table.exact and function not in FACTORISED)):
        out = kwargs.pop("out", None) if "out" in kwargs else None
        result = handler(table, *args, **kwargs)
        if out is not None:
            store(out, result)
            return out
        return result
    if function in ASKED:
        # where numbers lie in memory is asked of their own arrays
        own = args if function in (np.may_share_memory, np.shares_memory) else [shadows(a) for a in args]
        return function(*(a.view(np.ndarray) if isinstance(a, TracedArray) else a for a in own), **kwargs)
    if function in _RUN_BY_NUMPY:
        return _moved(table, function, args, kwargs)
    if not moving:
        out = kwargs.pop("out", None)
        result = function(*(shadows(a) for a in args), **{k: shadows(v) for k, v in kwargs.items()})
        result = table_constants(result, table)
        if out is not None:
            store(out, result)
            return out
        return result
    name = getattr(function, "__name__", str(function))
    raise refuse(
        f"{name} of a traced value",
        _REASONS.get(name, "it is not made of operations that the trace knows"),
        "write it with elementary functions, or leave it out of what is traced",
    )


def knows(function: Any) -> bool:
    """Tell whether there is a rule for a function of NumPy, be it a reason to refuse it."""
    tables: Any = (_HANDLERS, ASKED, _RUN_BY_NUMPY, FOURIER)
    return any(function in table for table in tables) or getattr(function, "__name__", "") in _REASONS


_REASONS = {
    "eig": "it is found by iteration until convergence",
    "eigvals": "it is found by iteration until convergence",
    "roots": "it is found by iteration until convergence",
}


# what takes several arrays in a list
_OF_SEVERAL = {getattr(np, name) for name in (
    "concatenate", "concat", "stack", "vstack", "hstack", "column_stack", "dstack", "row_stack", "block",
) if hasattr(np, name)}  # fmt: skip


def _moved(table: Table, function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    # on plain object arrays: NumPy's own code only moves the elements
    if function not in _OF_SEVERAL:
        args = [lifted(a, table) if isinstance(a, list | tuple) and contains_traced(a) else a for a in args]
    result = function(*(_traced(table, a) for a in args), **{k: _traced(table, v) for k, v in kwargs.items()})
    if isinstance(result, list | tuple):
        return type(result)(_seen(table, r) for r in result) if type(result) in (list, tuple) else result
    return _seen(table, result)


def _seen(table: Table, result: Any) -> Any:
    if isinstance(result, np.ndarray) and result.dtype == object:
        if any(not isinstance(v, TracedScalar | TracedCondition) for v in elements(result)):
            # zeros that NumPy put in
            result = lifted(result, table)
        return wrap(result) if result.ndim else result[()]
    return result


def _traced(table: Table, value: Any) -> Any:
    if isinstance(value, TracedScalar | TracedCondition):
        return lifted(value, table)
    if isinstance(value, TracedArray):
        return value.view(np.ndarray)
    if isinstance(value, list | tuple) and contains_traced(value):
        # each of them an array: NumPy must not meet a traced number on its own
        return [_traced(table, v) if isinstance(v, list) and any(map(np.ndim, v)) else lifted(v, table) for v in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return lifted(value, table)
    return value


def call_ufunc_method(table: Table, ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what ``add.reduce``, ``multiply.outer`` and the like do."""
    name = ufunc.__name__
    if method == "at" and isinstance(inputs[0], TracedArray):
        target, index, *rest = inputs
        places = np.arange(target.size).reshape(target.shape)[index]
        values = [elements(np.broadcast_to(lifted(v, table), np.shape(places))) for v in rest]
        flat = target.reshape(-1)
        if not np.shares_memory(flat.view(np.ndarray), target.view(np.ndarray)):
            raise refuse(f"{name}.at on a view", "its elements are not in one piece", "use an array of its own")
        for place, *row in zip(np.ravel(places).tolist(), *values, strict=True):
            flat[place] = ufunc(flat[place], *row)
        return None
    return by_method(ufunc, method, inputs, options, lambda value: _array(table, value))


Above.call_function, Above.call_ufunc_method = call_function, call_ufunc_method
