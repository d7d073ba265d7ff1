"""Functions that do not compute from their argument, but read an array in place, as the textbook's networks do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["seen_to_move"]

Function = Callable[[Any], Any]


class _NotUsed(Exception):  # noqa: N818 - no error: it ends a first attempt
    """The function returned one number wherever its argument was."""


def seen_to_move(difference: Callable[[Function], Any], f: Function, x: Any, h: float, box: Any = None) -> Any:
    """Return what a difference makes of f; where f reads x itself, x is moved while it is asked, and put back.

    ``loss_W = lambda W: net.loss(t)`` does not look at W, but at ``net.params["W1"]``, which is x. Where the first two
    values of f are equal, f is asked of a copy of x in which every coordinate is moved, and only where that is the same
    number again is x written to. What f is given is a copy in any case, which it may change.

    Parameters
    ----------
    difference : callable
        Takes a function of points of the shape of x, and returns a difference of it.
    f : callable
    x : object
        What the caller gave; nothing but a writable array of floats is moved.
    h : float
        How far a coordinate is moved.
    box : (lower, upper), optional
        Arrays of the shape of x.
    """
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f" or not x.flags.writeable or hasattr(f, "variables"):
        return difference(f)
    try:
        return difference(_watched(f, x, h, box))
    except _NotUsed:
        pass
    before = x.copy()

    def moved(point: Any) -> Any:
        x[...] = point
        return f(point)

    try:
        return difference(moved)
    finally:
        x[...] = before


def _watched(f: Function, x: NDArray[Any], h: float, box: Any) -> Function:
    """Return f, which raises with the second of two equal values where f does not use its argument."""
    first: list[NDArray[Any]] = []

    def watched(point: Any) -> Any:
        value = f(point)
        if len(first) < 2:
            first.append(np.array(value))
            equal = len(first) == 2 and np.array_equal(first[0], first[1])
            if equal and np.array_equal(first[0], np.array(f(_aside(x, h, box)))):
                raise _NotUsed
        return value

    return watched


def _aside(x: NDArray[Any], h: float, box: Any) -> NDArray[Any]:
    """Return a copy of x in which every coordinate is moved by up to h, each by another part of it."""
    there = np.array(x, dtype=np.result_type(x, np.float64))
    by = np.linspace(h / 2, h, there.size).reshape(there.shape)
    there += by if box is None else np.where(there + by <= box[1], by, -by)
    return there
