"""Binary64: its arrays, its unit roundoff, and numbers from outside as such."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import shown

__all__ = [
    "Flags",
    "Floats",
    "answer",
    "as_floats",
    "check_sides",
    "float_copy",
    "refuse_overflow",
    "sides_of",
    "unit_of",
    "unit_roundoff",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# of binary64: how far a real number is from the nearest float, relative to it
unit_roundoff = 2.0**-53


def unit_of(dtype: np.dtype[Any]) -> float:
    """Return the unit roundoff of what a value of this dtype carries: 2⁻⁵³, 2⁻²⁴ for float32, 2⁻¹¹ for float16."""
    return float(np.finfo(dtype).eps) / 2 if dtype in (np.float16, np.float32) else unit_roundoff


def as_floats(values: ArrayLike, what: str) -> Floats:
    """Return numbers as an array of floats; ``ValueError`` names the first that no float can hold.

    >>> as_floats([1, 10**400], "point")
    Traceback (most recent call last):
        ...
    ValueError: point: 10000000000000000000… is beyond the largest float, about 1.8e308; pass a smaller number
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except OverflowError:
        refuse_overflow(values, what)
        raise


def sides_of(box: Any) -> tuple[Any, Any]:
    """Return the lower and the upper side of a box; ``ValueError`` where there are not two."""
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise ValueError(f"box={shown(box)}: must be (lower, upper)")
    return box[0], box[1]


def check_sides(box: Any, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Return the sides of a box as arrays; ``ValueError`` where one holds no number, or they are exchanged."""
    if not (lower <= upper).all():
        raise ValueError(f"box={shown(box)}: every lower side must be a number below its upper one")
    return lower, upper


def refuse_overflow(values: ArrayLike, what: str) -> None:
    """Raise ``ValueError`` for a number that no float can hold."""
    for value in np.ravel(np.asarray(values, dtype=object)):
        try:
            float(value)
        except OverflowError:
            raise ValueError(
                f"{what}: {shown(value, 21)} is beyond the largest float, about 1.8e308; pass a smaller number"
            ) from None
        except (TypeError, ValueError):
            continue


def float_copy(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return a copy of real numbers as float64; longdouble stays. ``TypeError`` for what is no real number."""
    values = np.array(value)
    # whole numbers beyond 64 bits are objects
    if values.dtype == object and all(isinstance(number, int | float) for number in values.flat):
        values = np.array(as_floats(value, name))
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
