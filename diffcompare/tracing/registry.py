"""Which function of ours stands for which function of NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Handler", "Handlers", "named", "registering"]

Handler = Callable[..., Any]
Handlers = dict[Any, Handler]


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
