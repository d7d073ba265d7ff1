"""Whether code refers to a library: asked before it is called, so that other code is not called for the answer."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["mentions"]

_DEPTH = 6


def mentions(value: Any, libraries: tuple[str, ...]) -> bool:
    """Tell whether a function, or what it calls and holds, is of a library or refers to it.

    Parameters
    ----------
    value : object
        Usually a function; its globals, closure, defaults and attributes are followed a few levels deep.
    libraries : tuple of str
        Top names of modules.
    """
    seen: set[int] = set()
    level = [value]
    for _ in range(_DEPTH):
        following: list[Any] = []
        for one in level:
            if id(one) in seen:
                continue
            seen.add(id(one))
            name = one.__name__ if isinstance(one, types.ModuleType) else _home(one)
            if name.partition(".")[0] in libraries:
                return True
            following += _parts(one)
        level = following
    return False


def _home(value: Any) -> str:
    own = getattr(value, "__module__", None)
    return own if isinstance(own, str) and isinstance(value, types.FunctionType | type) else type(value).__module__


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, types.FunctionType):
        for name in _names(value.__code__):
            if name in value.__globals__:
                yield value.__globals__[name]
        for cell in value.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not filled yet
                continue
        yield from value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).values()
        wrapped = getattr(value, "__wrapped__", None)
        if wrapped is not None:
            yield wrapped
    elif isinstance(value, type):
        yield from value.__bases__
    elif isinstance(value, types.MethodType):
        yield value.__func__
        yield value.__self__
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif isinstance(value, list | tuple) and len(value) <= 100:
        yield from value
    elif isinstance(value, dict) and len(value) <= 100:
        yield from value.values()
    elif callable(value) and not isinstance(value, types.BuiltinFunctionType):
        yield vars(type(value)).get("__call__")
        yield from getattr(value, "__dict__", {}).values()


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
