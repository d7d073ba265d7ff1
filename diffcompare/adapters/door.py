"""The door for functions of other array libraries: each becomes one of NumPy arrays, the point is what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from diffcompare.adapters import jax, torch
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.rebuild import Rebuilder

__all__ = ["adapted", "adapted_along", "adapted_point", "parts_of", "remade", "untraced", "with_parts"]


def adapted(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """Return a function that takes and returns NumPy arrays: itself, or what calls another library.

    Where the point is of float32 numbers, NumPy code is one that is given these, as if it were of another library.

    Parameters
    ----------
    function : callable
        ``function(x, *others)``.
    arguments : sequence
        A point in the user's structure, and the other arguments.
    """
    if isinstance(function, SymbolicFunction | Foreign):
        return function
    at, *others = arguments
    types, at = _narrow_types(at), _numbers(at)
    for library in (jax, torch):
        if library.is_used_by(function, (at, *others)):
            found: Foreign = library.adapt(function, (at, *others))
            return found
    bits = min(_bits(types), default=64)
    if bits == 64:
        return function
    # a trace sees what a partial holds
    narrow = partial(_narrowed, function, types)
    return Foreign("NumPy", narrow, bits, narrow, Foreign("NumPy", function, 64, function))


def adapted_along(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """Return the same of ``function(x, v, *others)``, where the direction v is given anew with every call.

    For the other library the two are one argument, so that v comes to it in the type of x.
    """
    at, vector, *others = arguments
    pair = (_numbers(at), _numbers(vector))
    found = adapted(lambda both, *more: function(*both, *more), (pair, *others))
    return remade(found, lambda call: lambda x, v, *_: call((x, v))) if isinstance(found, Foreign) else function


def untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of narrow numbers of another library as what runs alone.

    For what holds numbers of the caller's: they are rounded as it runs, and not where it is written down.
    """
    narrow = isinstance(function, Foreign) and function.bits < 64
    return replace(function, traceable=None, wide=None) if narrow else function  # type: ignore[type-var]


def _narrow_types(at: Any) -> Any:
    """Return the names of the types of a point that are shorter than binary64, in its structure; else empty texts."""

    def narrow(array: Any) -> str:
        kind = getattr(array, "dtype", None)
        return kind.name if kind in (np.float32, np.float16) else ""

    return _each(at, narrow)


def _bits(types: Any) -> Iterator[int]:
    if isinstance(types, str):
        yield 8 * np.dtype(types or np.float64).itemsize
    else:
        for one in types.values() if isinstance(types, dict) else types:
            yield from _bits(one)


def _narrowed(function: Callable[..., Any], types: Any, x: Any, *args: Any) -> Any:
    return function(_cast(x, types), *args)


def _cast(x: Any, types: Any) -> Any:
    if isinstance(types, str):
        return x.astype(types) if types else x
    if isinstance(types, dict):
        return {key: _cast(x[key], one) for key, one in types.items()}
    return type(types)(_cast(part, one) for part, one in zip(x, types, strict=True))


def _numbers(at: Any) -> Any:
    if isinstance(at, int | float | list):
        # what is no array is refused by name later
        with suppress(TypeError, ValueError, OverflowError):
            return np.asarray(at, dtype=np.float64)[()]
    return at


def remade(
    function: Callable[..., Any], make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[..., Any]:
    """Return ``make(function)``; of another library's function all that stands for it is made anew."""
    if not isinstance(function, Foreign):
        return make(function)
    wide = None if function.wide is None else remade(function.wide, make)
    traceable = None if function.traceable is None else make(function.traceable)
    return replace(function, run=make(function.run), traceable=traceable, wide=wide)  # type: ignore[arg-type]


def adapted_point(at: Any, functions: Sequence[Callable[..., Any]]) -> Any:
    """Return a point in NumPy arrays, rounded to the shortest floating-point type that another library works in."""
    bits = min((f.bits for f in functions if isinstance(f, Foreign) and f.library != "NumPy"), default=0)
    return _each(at, partial(_rounded, bits=bits)) if bits else at


def parts_of(at: Any) -> Mapping[Any, Any] | tuple[Any, ...] | list[Any] | None:
    """Return the arrays that a point is made of; None where it is one array: a tuple of numbers is.

    So is a list, unless it holds arrays of several shapes, or what is made of arrays.
    """
    if isinstance(at, Mapping) or (isinstance(at, tuple) and hasattr(at, "_fields")):
        return at
    if not isinstance(at, list | tuple):
        return None
    # told by the types: a list of lists of numbers may hold millions
    kinds = set(map(type, at))
    made = tuple(kind for kind in kinds if issubclass(kind, list | tuple | Mapping))
    if any(parts_of(part) is not None for part in at if isinstance(part, made)):
        return at
    if kinds <= {float, int} or not any(map(_is_array, at)):
        return None
    several = not made and len({np.shape(part) for part in at}) > 1
    return at if isinstance(at, tuple) or several else None


def _is_array(part: Any) -> bool:
    return hasattr(part, "shape") and not isinstance(part, np.generic)


def _each(at: Any, make: Callable[[Any], Any]) -> Any:
    """Return what is made of each array of a point, in its structure."""
    parts = parts_of(at)
    if isinstance(parts, Mapping):
        return {key: _each(part, make) for key, part in parts.items()}
    return make(at) if parts is None else with_parts(parts, [_each(part, make) for part in parts])


def with_parts(like: Any, parts: Sequence[Any]) -> Any:
    """Return a list or tuple of the same type with other parts; of a named tuple, too."""
    return like._make(parts) if hasattr(like, "_make") else type(like)(parts)


def _rounded(array: Any, bits: int) -> Any:
    array = array.detach().cpu().numpy() if hasattr(array, "detach") else np.asarray(array)
    with np.errstate(over="ignore"):
        return array.astype(f"float{bits}").astype(np.float64)[()]


Rebuilder.foreign = staticmethod(jax.in_traced_code)
