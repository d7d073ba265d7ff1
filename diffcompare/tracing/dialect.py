"""Modules, functions and types that the user's code sees in place of its own, however numbers are traced."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from diffcompare.tracing.complex_numbers import is_complex
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handler, held_array
from diffcompare.tracing.scalar import UNARY, TracedScalar

__all__ = ["COPIED", "Dialect", "Kind", "ModuleSubstitute", "RandomSubstitute", "kind_of", "own_type"]

# what makes a new array of one
COPIED = ("array", "copy")
_ARRAYS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite", "require")
_BUFFERS = ("zeros", "ones", "empty", "full", "eye", "identity")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the user's code sees of a trace in place of its own numbers, arrays and modules.

    Parameters
    ----------
    number, array, constants : callable
        ``number(table, float)``, ``array(table, ndarray)``: what stands for a number of the code; ``constants`` takes
        whatever untraced code has computed.
    largest : int
        How many numbers an array of the code has at most that is followed; a larger one is left as it is.
    exact : callable
        ``exact(table, value)``: what stands for a number whose square root, say, is meant exactly; None for any other.
    call_function, call_ufunc : callable
        ``call_function(table, function, args, kwargs)`` and ``call_ufunc(table, ufunc, method, inputs, options)`` do
        what NumPy does, on traced numbers.
    knows : callable
        Whether there is a rule for a function of NumPy; Python code of others is traced itself.
    asarray, buffer : callable
        ``asarray(table, name, value, …)`` and ``buffer(table, function, …)`` make new arrays.
    float_kind, integer_kind : type
        The types of what stands for floating-point and integer types.
    math, special, linear : callable
        ``math(table, function)`` returns what stands for a function of ``math``, scipy.special, scipy.linalg.
    vectorized : callable
        What stands for ``np.vectorize``.
    builtins : mapping
        What stands for functions of Python's own.
    is_traced, is_moving : callable
        Whether there is something traced in a list of values, and whether it depends on the variables.
    plain : callable
        The floats that the code would have.
    gathered : callable
        ``gathered(table, values, places)``: the numbers of several arrays, one array after the other, at these places.
    scattered : callable
        ``scattered(table, array, places, values)``: a copy of an array to which each value is added at its place.
    """

    number: Handler
    array: Handler
    constants: Handler
    largest: int
    exact: Handler
    call_function: Handler
    call_ufunc: Handler
    knows: Handler
    asarray: Handler
    buffer: Handler
    float_kind: Any
    integer_kind: Any
    math: Handler
    special: Handler
    linear: Handler
    vectorized: Handler
    builtins: Mapping[str, Any]
    is_traced: Handler
    is_moving: Handler
    plain: Handler
    gathered: Handler
    scattered: Handler

    def numpy(self, table: Any, function: Any) -> Any:
        """Return what stands for a name of NumPy."""
        if isinstance(function, np.ufunc):
            return _UfuncSubstitute(table, function, self)
        if isinstance(function, type):
            kind: Any = function
            if function is np.ndarray:
                members = {"own_type": kind, "buffer": staticmethod(functools.partial(self.buffer, table))}
                return _ArrayKind("ndarray", (), members)
            if issubclass(np.float64, function) or issubclass(function, np.floating):
                return kind_of(self.float_kind, kind)
            if issubclass(function, np.integer | np.bool_) and function not in _ABSTRACT:
                return kind_of(self.integer_kind, kind)
            if function in (np.ndenumerate, np.nditer):
                return functools.partial(self._iterated, kind)
            return self.vectorized if function is np.vectorize else function
        if function is np.r_ or function is np.c_:
            return _Joined(table, function, self)
        if not callable(function):
            return function
        name = getattr(function, "__name__", "")
        own = getattr(np, name, None) is function
        if own and name in _ARRAYS:
            return lambda value, *args, **kwargs: self.asarray(table, name, self.given(value), *args, **kwargs)
        if own and name == "fromiter":
            return lambda iterable, dtype, count=-1: self.asarray(
                table, "array", list(iterable)[: None if count < 0 else count], dtype
            )
        if own and name in _BUFFERS:
            return functools.partial(self.buffer, table, function)

        @functools.wraps(function)
        def substitute(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = tuple(map(self.given, args)), {k: self.given(v) for k, v in kwargs.items()}
            if self.is_traced(args) or self.is_traced(kwargs):
                return self.call_function(table, function, args, kwargs)
            return self.constants(table, function(*args, **kwargs))

        return substitute

    def _iterated(self, kind: Any, array: Any, *args: Any, **kwargs: Any) -> Any:
        """Return what goes through the elements of an array, with their indices or without."""
        if not self.is_traced((array,)):
            return kind(array, *args, **kwargs)
        if args or kwargs:
            raise refuse("nditer with flags", "they are not known to the trace", "write a loop over indices")
        found = ((index, array[index]) for index in np.ndindex(np.shape(array)))
        return found if kind is np.ndenumerate else (element for _, element in found)

    def given(self, value: Any) -> Any:
        """Return an argument as NumPy would have it: an object that holds an array as its array."""
        array = held_array(value)
        return array if self.is_traced((array,)) else own_type(value)


class _Joined:
    """Stands for ``np.r_`` and ``np.c_``: what is in brackets, one after the other, in rows or columns."""

    def __init__(self, table: Any, own: Any, dialect: Dialect) -> None:
        self._table, self._own, self._dialect = table, own, dialect

    def __getitem__(self, key: Any) -> Any:
        table, own, dialect = self._table, self._own, self._dialect
        parts = key if isinstance(key, tuple) else (key,)
        if not dialect.is_traced(list(parts)):
            return dialect.constants(table, own[dialect.plain(key)])
        if any(isinstance(part, str) for part in parts):
            raise refuse("r_ with a directive", "only arrays are joined", "use concatenate")
        numbers = [own[part] if isinstance(part, slice) else part for part in parts]
        arrays = [part if is_complex([part]) else dialect.array(table, part) for part in numbers]
        if own is np.r_:
            return np.concatenate([np.atleast_1d(array) for array in arrays])
        return np.concatenate([array if array.ndim > 1 else array.reshape(-1, 1) for array in arrays], axis=-1)


class _UfuncSubstitute:
    def __init__(self, table: Any, ufunc: np.ufunc, dialect: Dialect) -> None:
        self._table, self._ufunc, self._dialect = table, ufunc, dialect
        self.__name__ = ufunc.__name__

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return self._call("__call__", inputs, options)

    def _call(self, method: str, inputs: Any, options: dict[str, Any]) -> Any:
        table, ufunc, dialect = self._table, self._ufunc, self._dialect
        if method == "__call__" and len(inputs) > ufunc.nin:
            options["out"] = inputs[ufunc.nin]
            inputs = inputs[: ufunc.nin]
        inputs = tuple(map(dialect.given, inputs))
        if dialect.is_traced(inputs) or dialect.is_traced(options):
            return dialect.call_ufunc(table, ufunc, method, inputs, options)
        found = getattr(ufunc, method)(*inputs, **options)
        # the square root of an integer of the code is exact, too
        whole = table.exact and not options and method == "__call__"
        if (
            whole
            and not is_complex(inputs)
            and ufunc.__name__ in UNARY
            and ufunc.__name__ != "negative"
            and np.isfinite(found).all()
        ):
            number = dialect.exact(table, inputs[0])
            if number is not None:
                return dialect.call_ufunc(table, ufunc, method, (number,), options)
        return dialect.constants(table, found)

    def __getattr__(self, name: str) -> Any:
        if name in ("reduce", "accumulate", "outer", "at", "reduceat"):
            return lambda *inputs, **options: self._call(name, inputs, options)
        return getattr(self._ufunc, name)


class Kind(type):
    """The type of what stands for a type of numbers, and is taken for it."""

    own_type: Any

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.own_type)

    def __subclasscheck__(cls, other: Any) -> bool:
        return issubclass(np.float64 if other is TracedScalar else own_type(other), cls.own_type)

    def __eq__(cls, other: Any) -> bool:
        return bool(own_type(other) == cls.own_type)

    def __hash__(cls) -> int:
        return hash(cls.own_type)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.own_type, name)


class _ArrayKind(Kind):
    """The type of what stands for ``np.ndarray``: a call makes a buffer."""

    buffer: Handler

    def __call__(cls, shape: Any, dtype: Any = float, *others: Any, **more: Any) -> Any:
        return cls.own_type(shape, dtype, *others, **more) if others or more else cls.buffer(np.empty, shape, dtype)


@functools.cache
def kind_of(meta: Any, kind: Any) -> Any:
    """Return what stands for a type; that of many types, such as ``np.floating``, has no dtype."""
    members = {"own_type": kind}
    if kind not in _ABSTRACT and kind.__module__ != "numbers":
        members["dtype"] = np.dtype(kind)
    return meta(kind.__name__, (), members)


def own_type(dtype: Any) -> Any:
    """Return the type that a substitute stands for; anything else as it is."""
    return getattr(dtype, "own_type", dtype)


# one of many types, to which nothing is converted
_ABSTRACT = frozenset({
    np.generic, np.number, np.integer, np.signedinteger, np.unsignedinteger, np.inexact, np.floating,
    np.complexfloating,
})  # fmt: skip


class ModuleSubstitute:
    """A module whose functions know traced numbers.

    Parameters
    ----------
    module : module
    convert : callable
        Returns what stands for a value of the module.
    """

    def __init__(self, module: ModuleType, convert: Callable[[Any], Any]) -> None:
        self.__dict__.update({"_module": module, "_convert": convert, "__name__": module.__name__})

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = self._convert(getattr(self._module, name))
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise refuse(f"{self.__name__}.{name} is set", "modules are left as they are", "keep it in a variable")

    def __dir__(self) -> list[str]:
        return dir(self._module)


class RandomSubstitute:
    """Stands for whatever draws random numbers."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return RandomSubstitute(f"{self._name}.{name}")

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, RandomSubstitute)

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse to draw."""
        raise refuse(
            self._name,
            "random numbers differ from call to call",
            "draw them outside and let the function use the array",
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self()
