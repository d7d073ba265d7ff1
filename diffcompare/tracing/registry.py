"""Which function of ours stands for which function of NumPy, and what a module asks of those above it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np

__all__ = ["METHODS", "Above", "Handler", "Handlers", "held_array", "named", "registering"]

Handler = Callable[..., Any]
Handlers = dict[Any, Handler]
# methods of arrays that compute, or decide, as the function of NumPy of that name does
METHODS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "clip", "cumprod", "cumsum", "diagonal", "dot", "max",
    "mean", "min", "nonzero", "prod", "ptp", "round", "searchsorted", "std", "sum", "trace", "var",
)  # fmt: skip


class Above:
    """What traced values ask of modules above theirs, each of which puts its own here when it is imported.

    NumPy hands a number or an array whatever is called with it; what carries that out is made of such numbers itself.
    """

    number: ClassVar[Handler]
    wrap: ClassVar[Handler]
    call_ufunc: ClassVar[Handler]
    call_function: ClassVar[Handler]
    call_ufunc_method: ClassVar[Handler]
    special: ClassVar[Handler]


def registering(handlers: Handlers) -> Callable[..., Callable[[Handler], Handler]]:
    """Return a decorator that notes which functions of NumPy a function stands for.

    What is decorated takes the table, then what NumPy's function takes.
    """

    def handles(*functions: Any) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            handlers.update(dict.fromkeys(functions, handler))
            return handler

        return register

    return handles


def named(*names: str) -> list[Any]:
    """List those of NumPy's functions that this version has."""
    return [getattr(np, name) for name in names if hasattr(np, name)]


def held_array(value: Any) -> Any:
    """Return the array of an object that holds one, as NumPy asks it; other values as they are."""
    held = getattr(type(value), "__array__", None)
    if held is not None and not isinstance(value, np.ndarray | np.generic):
        with suppress(Exception):
            # an object may refuse: NumPy asks again, where it has to
            return held(value)
    return value
