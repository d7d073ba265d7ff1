"""The door for functions of other array libraries: each becomes one of NumPy arrays, the point is what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from diffcompare.adapters import jax, torch
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.tracing.foreign import Foreign

__all__ = ["adapted", "adapted_point"]


def adapted(function: Callable[..., Any], arguments: Sequence[Any]) -> Callable[..., Any]:
    """Return a function that takes and returns NumPy arrays: itself, or what calls another library.

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
    if isinstance(at, int | float | list):
        try:
            at = np.asarray(at, dtype=np.float64)[()]
        except (TypeError, ValueError):
            # what is wrong with the point is said where its structure is read
            return function
    for library in (jax, torch):
        if library.is_used_by(function, (at, *others)):
            found: Foreign = library.adapt(function, (at, *others))
            return found
    return function


def adapted_point(at: Any, functions: Sequence[Callable[..., Any]]) -> Any:
    """Return a point in NumPy arrays, rounded to the shortest floating-point type that a function works in."""
    bits = min((f.bits for f in functions if isinstance(f, Foreign)), default=0)
    return _rounded(at, bits) if bits else at


def _rounded(at: Any, bits: int) -> Any:
    if isinstance(at, Mapping):
        return {key: _rounded(value, bits) for key, value in at.items()}
    if isinstance(at, tuple) and any(np.ndim(part) for part in at):
        return tuple(_rounded(part, bits) for part in at)
    at = at.detach().cpu().numpy() if hasattr(at, "detach") else np.asarray(at)
    with np.errstate(over="ignore"):
        return at.astype(f"float{bits}").astype(np.float64)[()]
