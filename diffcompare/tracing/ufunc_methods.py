"""Methods of NumPy's universal functions, whichever way numbers are traced: ``add.reduce``, ``multiply.outer`` …"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse

__all__ = ["by_method"]

_WHOLE: dict[str, Any] = {
    "add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min, "logical_and": np.all,
    "logical_or": np.any,
}  # fmt: skip
_ALONG: dict[str, Any] = {"add": np.cumsum, "multiply": np.cumprod}


def by_method(
    ufunc: Any, method: str, inputs: Sequence[Any], options: dict[str, Any], traced: Callable[[Any], Any]
) -> Any:
    """Do what a method of a universal function does, but for ``at``; ``traced(value)`` makes numbers of a trace."""
    name = ufunc.__name__
    axis = options.pop("axis", 0)
    options = {k: v for k, v in options.items() if v is not None}
    if method == "outer":
        a, b = map(traced, inputs)
        return ufunc(np.reshape(a, (*a.shape, *([1] * b.ndim))), b)
    if method not in ("reduce", "accumulate", "reduceat"):
        raise refuse(f"{name}.{method} of a traced value", "it is not known to the trace", "write it as a loop")
    array, rest = traced(inputs[0]), inputs[1:]
    given = rest[1:] if method == "reduceat" else rest
    axis = given[0] if given else axis
    if method == "reduce" and name in _WHOLE:
        return _WHOLE[name](array, axis=axis, **options)
    if method == "accumulate" and name in _ALONG:
        return _ALONG[name](array, axis=axis, **options)
    if set(options) - {"keepdims"} or not isinstance(axis, int):
        raise refuse(f"{name}.{method} with such options", "they are not known to the trace", "write it as a loop")
    moved = np.moveaxis(array, axis, 0)
    if method == "reduceat":
        ends = [*np.asarray(rest[0]).tolist(), len(moved)]
        parts = [ufunc.reduce(moved[i:j], axis=0) if i < j else moved[i] for i, j in pairwise(ends)]
        return np.moveaxis(np.stack(parts), 0, axis)
    parts = [moved[0]]
    for row in moved[1:]:
        parts.append(ufunc(parts[-1], row))
    if method == "accumulate":
        return np.moveaxis(np.stack(parts), 0, axis)
    return np.expand_dims(parts[-1], axis) if options.get("keepdims") else parts[-1]
