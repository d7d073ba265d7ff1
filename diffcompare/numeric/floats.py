"""Numbers of a caller as floats: one that is too large for a float is named at the door."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import shown

__all__ = ["answer", "float_copy", "floats"]

_RANGE = "is beyond the range of binary64, which ends at 1.8e308; pass a smaller number"


def floats(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Return numbers as an array of float64; ``ValueError`` names one that is too large.

    >>> floats("x", [1, 10**400])
    Traceback (most recent call last):
    ...
    ValueError: x=[1, 1000000000000000000000000000000000000000000000000000000…: is beyond the range of binary64, which
    ends at 1.8e308; pass a smaller number
    """
    try:
        return np.asarray(value, dtype=np.float64)
    except OverflowError:
        raise ValueError(f"{name}={shown(value)}: {_RANGE}") from None


def float_copy(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return a copy of real numbers as float64; longdouble stays. ``TypeError`` for what is no real number."""
    values = np.array(value)
    # whole numbers beyond 64 bits are objects
    if values.dtype == object and all(isinstance(number, int | float) for number in values.flat):
        values = np.array(floats(name, value))
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{name} of dtype {values.dtype}: real numbers are needed; pass floats")
    return values.astype(np.longdouble if values.dtype == np.longdouble else np.float64)


def answer(value: Any) -> Any:
    """Return what a function answered as NumPy has it; whole numbers beyond 64 bits as floats, infinite if need be."""
    found = np.asarray(value)
    if found.dtype == object and all(isinstance(number, int) for number in found.flat):
        found = np.array([_rounded(number) for number in found.flat], dtype=np.float64).reshape(found.shape)
    return found[()]


def _rounded(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
