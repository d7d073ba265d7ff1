"""A function that returns its value and its gradient, as for ``scipy.optimize.minimize(jac=True)``, taken apart."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any

import numpy as np

from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.labelled import is_labelled

__all__ = ["taken_apart", "whole_of"]


# halves that wait to be taken, and the bytes of their points: those of a line are asked for one after another
_WAITING, _BYTES = 64, 1 << 24


class _Left:
    """The halves of answers that nobody has taken yet, by the bits of their points."""

    __slots__ = ("halves",)

    def __init__(self) -> None:
        self.halves: dict[bytes, tuple[int, Any]] = {}


def taken_apart(f: Callable[..., Any], gradient: Any) -> tuple[Callable[..., Any], Any]:
    """Return function and gradient; where the gradient is True, f returns both, as ``(value, gradient)``.

    A call of one half leaves the other for a call at the same point: one call of f answers each half once. A trace
    sees f in both.
    """
    if gradient is not True or not callable(f):
        return f, gradient
    if isinstance(f, SymbolicFunction):
        raise TypeError("gradient=True: f must return (value, gradient), and a formula returns its value alone")
    left = _Left()
    # a trace sees what a partial holds
    return partial(_half, f, left, 0), partial(_half, f, left, 1)


def whole_of(gradient: Any) -> Callable[..., Any] | None:
    """Return the function that gives value and gradient, of which a gradient is one half."""
    return gradient.args[0] if isinstance(gradient, partial) and gradient.func is _half else None


def _half(f: Callable[..., Any], left: _Left, which: int, x: Any, *args: Any) -> Any:
    point = _bits(x)
    waiting = None if point is None else left.halves.pop(point, None)
    if waiting is not None and waiting[0] == which:
        return waiting[1]
    returned = f(x, *args)
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise TypeError(f"with gradient=True f must return (value, gradient), not {type(returned).__name__}")
    # what changed its argument is asked again by who looks for that
    if point is not None and _bits(x) == point:
        left.halves[point] = 1 - which, copy(returned[1 - which])
        while len(left.halves) > max(1, min(_WAITING, _BYTES // len(point))):
            left.halves.pop(next(iter(left.halves)))
    return returned[which]


def _bits(x: Any) -> bytes | None:
    """Return the numbers of a point as what can be compared; None for what is traced, or of another library."""
    if isinstance(x, dict | list | tuple):
        parts = [_bits(part) for part in (x.values() if isinstance(x, dict) else x)]
        return None if None in parts else b"".join(parts)  # type: ignore[arg-type]
    if is_labelled(x):
        x = x.to_numpy()
    plain = isinstance(x, np.floating) or (type(x) is np.ndarray and x.dtype.kind == "f")
    return x.tobytes() if plain else None
