"""Which function of ours stands for which function of NumPy, and what a module asks of those above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

__all__ = ["Above", "Dialect", "Handler", "Handlers", "named", "registering"]

Handler = Callable[..., Any]
Handlers = dict[Any, Handler]


class Above:
    """What traced values ask of modules above theirs, each of which puts its own here when it is imported.

    NumPy hands a number or an array whatever is called with it; what carries that out is made of such numbers itself.
    """

    number: ClassVar[Handler]
    wrap: ClassVar[Handler]
    call_ufunc: ClassVar[Handler]
    call_function: ClassVar[Handler]
    call_ufunc_method: ClassVar[Handler]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the user's code sees of a trace in place of its own numbers, arrays and modules.

    Parameters
    ----------
    number, array, constants : callable
        ``number(table, float)``, ``array(table, ndarray)``: what stands for a number of the code; ``constants`` takes
        whatever untraced code has computed.
    numpy, math, special, linear : callable
        ``numpy(table, function)`` returns what stands for a function of NumPy, ``math``, scipy.special, scipy.linalg.
    vectorized : callable
        What stands for ``np.vectorize``.
    builtins : mapping
        What stands for functions of Python's own.
    is_traced : callable
        Whether there is something traced in a list of values.
    gathered : callable
        ``gathered(table, values, places)``: the numbers of several arrays, one array after the other, at these places.
    scattered : callable
        ``scattered(table, array, places, values)``: a copy of an array to which each value is added at its place.
    """

    number: Handler
    array: Handler
    constants: Handler
    numpy: Handler
    math: Handler
    special: Handler
    linear: Handler
    vectorized: Handler
    builtins: Mapping[str, Any]
    is_traced: Handler
    gathered: Handler
    scattered: Handler


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
