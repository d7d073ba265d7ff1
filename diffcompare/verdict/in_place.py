"""Code that reads its parameters in place, as the textbook's network does: they are moved while it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.adapters.door import parts_of, remade

__all__ = ["arrays_of", "is_movable", "moving", "put_back"]


def is_movable(at: Any) -> bool:
    """Tell whether a point is made of arrays of floats that can be written to."""
    arrays = arrays_of(at)
    return bool(arrays) and all(isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.flags.writeable for a in arrays)


@contextmanager
def put_back(at: Any) -> Iterator[None]:
    """Leave the arrays of a point as they were, bit for bit, whatever happens inside."""
    before = [(array, array.copy()) for array in arrays_of(at)]
    try:
        yield
    finally:
        for array, values in before:
            array[...] = values


def moving(function: Callable[..., Any], at: Any) -> Callable[..., Any]:
    """Return a function that moves the arrays of a point to its argument before it runs."""
    # a trace sees what a partial holds: it moves its own copies of these arrays, and of who else holds them
    return remade(function, lambda call: partial(_moved, call, at))


def _moved(function: Callable[..., Any], at: Any, x: Any, *args: Any) -> Any:
    for array, values in zip(arrays_of(at), arrays_of(x), strict=True):
        array[...] = values
    return function(x, *args)


def arrays_of(at: Any) -> list[NDArray[Any]]:
    """Return the parts of a point."""
    parts = parts_of(at)
    return [at] if parts is None else list(parts.values()) if isinstance(parts, dict) else list(parts)
