"""NumPy's functions that are made of others, whichever way numbers are traced."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.composed_reductions import axes_of
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handlers, named, registering

__all__ = ["ASKED", "composed"]

# what asks for the kind of numbers, or for their places: answered of the floats
ASKED = set(named(
    "shape", "ndim", "size", "iscomplexobj", "isrealobj", "may_share_memory", "shares_memory", "ix_", "result_type",
    "iscomplex", "isreal", "isscalar", "diag_indices_from", "tril_indices_from", "triu_indices_from", "iterable",
    "common_type",
)) | {np.ma.isMaskedArray}  # fmt: skip


def composed(traced: Callable[[Any, Any], Any], floats: Callable[[Any], Any]) -> Handlers:
    """Return what stands for these functions.

    ``traced(table, value)`` makes numbers those of a trace, ``floats(value)`` returns those that the code has.
    """
    handlers: Handlers = {}
    handles = registering(handlers)

    @handles(*named("trapezoid", "trapz"))
    def trapezoid(table: Any, y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
        array: Any = np.moveaxis(traced(table, y), axis, -1)
        steps = dx
        if x is not None:
            at: Any = traced(table, x)
            steps = np.diff(at if at.ndim == 1 else np.moveaxis(at, axis, -1), axis=-1)
        return np.sum(steps * (array[..., 1:] + array[..., :-1]) / 2.0, axis=-1)

    @handles(np.polyval)
    def polyval(table: Any, p: Any, x: Any) -> Any:
        result: Any = 0 * traced(table, x)
        for c in p:
            result = result * x + c
        return result

    @handles(np.vander)
    def vander(table: Any, x: Any, N: Any = None, increasing: bool = False) -> Any:
        powers = [traced(table, x) ** k for k in range(len(x) if N is None else N)]
        return np.stack(powers if increasing else powers[::-1], axis=1)

    @handles(np.apply_along_axis)
    def apply_along_axis(table: Any, func1d: Any, axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
        moved = np.moveaxis(traced(table, arr), axis, -1)
        rows = [func1d(row, *args, **kwargs) for row in moved.reshape(-1, moved.shape[-1])]
        result = np.stack([r if np.ndim(r) else np.reshape(r, 1) for r in rows])
        if not np.ndim(rows[0]):
            return result.reshape(moved.shape[:-1])
        return np.moveaxis(result.reshape(*moved.shape[:-1], -1), -1, axis)

    @handles(np.broadcast_arrays)
    def broadcast_arrays(table: Any, *args: Any, subok: bool = False) -> Any:
        # each as it is: truth values stay such
        shape = np.broadcast_shapes(*map(np.shape, args))
        return tuple(np.broadcast_to(a, shape) for a in args)

    @handles(np.nan_to_num)
    def nan_to_num(
        table: Any, x: Any, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
    ) -> Any:
        array, (nan, posinf, neginf) = traced(table, x), map(floats, (nan, posinf, neginf))
        finite = np.nan_to_num(floats(array), nan=nan, posinf=posinf, neginf=neginf)
        return np.where(np.isfinite(array), array, finite)

    @handles(np.select)
    def select(table: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
        result = default
        for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
            result = np.where(condition, choice, result)
        return result

    @handles(np.choose)
    def choose(table: Any, a: Any, choices: Any, **_: Any) -> Any:
        return np.select([np.asarray(a) == k for k in range(len(choices))], list(choices))

    @handles(np.piecewise)
    def piecewise(table: Any, x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
        array = traced(table, x)
        conditions = list(condlist) if isinstance(condlist, list | tuple) else [condlist]
        values = [f(array, *args, **kwargs) if callable(f) else f for f in funclist]
        result = values[-1] if len(values) > len(conditions) else 0.0
        for condition, value in zip(reversed(conditions), reversed(values[: len(conditions)]), strict=True):
            result = np.where(condition, value, result)
        return np.broadcast_to(result, array.shape) if np.shape(result) != array.shape else result

    @handles(np.searchsorted)
    def searchsorted(table: Any, a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
        knots, at = traced(table, a), traced(table, v)
        knots = knots if sorter is None else knots[sorter]
        place = np.searchsorted(floats(knots), floats(at), side)
        # the knots on either side decide
        before, after = np.maximum(place - 1, 0), np.minimum(place, len(knots) - 1)
        precedes = np.less if side == "left" else np.less_equal
        passed = np.stack([precedes(knots[before], at), precedes(knots[after], at) & (before < after)])
        return before + np.count_nonzero(passed, axis=0)

    @handles(np.digitize)
    def digitize(table: Any, x: Any, bins: Any, right: bool = False) -> Any:
        edges = traced(table, bins)
        side: Any = "left" if right else "right"
        if floats(edges)[0] > floats(edges)[-1]:
            return len(edges) - np.searchsorted(edges[::-1], x, side)
        return np.searchsorted(edges, x, side)

    @handles(np.interp)
    def interp(table: Any, x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
        if period is not None:
            raise refuse("interp with a period", "it is not known to the trace", "take the remainder before")
        at, knots, values = (traced(table, v) for v in (x, xp, fp))
        # the piece that a number lies in: how many knots are not above it
        passed = np.searchsorted(knots, at, side="right")
        k = np.clip(passed - 1, 0, len(knots) - 2)
        found = values[k] + (at - knots[k]) * ((values[k + 1] - values[k]) / (knots[k + 1] - knots[k]))
        found = np.where(passed == 0, values[0] if left is None else left, found)
        # the last knot itself is still inside
        beyond = (passed == len(knots)) & np.greater(at, knots[-1])
        return np.where(beyond, values[-1] if right is None else right, found)

    @handles(np.isclose)  # noqa: TID251 - what code calls
    def isclose(table: Any, a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
        one, other = traced(table, a), traced(table, b)
        # the difference of infinite numbers is nan, so that nothing is close to an infinite one
        return np.abs(one - other) - rtol * np.abs(other) <= atol

    @handles(np.allclose)  # noqa: TID251 - what code calls
    def allclose(table: Any, *args: Any, **kwargs: Any) -> Any:
        return np.all(isclose(table, *args, **kwargs))

    @handles(np.array_equal)
    def array_equal(table: Any, a1: Any, a2: Any, equal_nan: bool = False) -> Any:
        return np.shape(a1) == np.shape(a2) and np.all(traced(table, a1) == traced(table, a2))

    @handles(np.fft.fftshift)
    def fftshift(table: Any, x: Any, axes: Any = None) -> Any:
        chosen = axes_of(axes, np.ndim(x))
        return np.roll(x, [np.shape(x)[k] // 2 for k in chosen], chosen)

    @handles(np.fft.ifftshift)
    def ifftshift(table: Any, x: Any, axes: Any = None) -> Any:
        chosen = axes_of(axes, np.ndim(x))
        return np.roll(x, [-(np.shape(x)[k] // 2) for k in chosen], chosen)

    @handles(np.clip)
    def clip(table: Any, a: Any, a_min: Any = None, a_max: Any = None, **ends: Any) -> Any:
        low = next((v for v in (a_min, ends.get("min")) if v is not None and v is not np._NoValue), None)
        high = next((v for v in (a_max, ends.get("max")) if v is not None and v is not np._NoValue), None)
        result = a if low is None else np.maximum(a, low)
        return result if high is None else np.minimum(result, high)

    return handlers
