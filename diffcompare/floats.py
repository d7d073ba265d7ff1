"""Binary64: its arrays, their flags and indices, its unit roundoff, and numbers from outside as such."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import shown

__all__ = [
    "Flags",
    "Floats",
    "Index",
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
Index = NDArray[np.intp]

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


def sides_of(box: Any, *, tuples: bool = False) -> tuple[Any, Any]:
    """Return the lower and the upper side of a box; ``ValueError`` for what is none.

    Taken are ``(lower, upper)``; what has ``lb`` and ``ub``, as ``scipy.optimize.Bounds``; and a sequence of
    ``(low, high)``, one for each variable, as ``scipy.optimize.minimize`` takes it. None is no bound. Two tuples of two
    numbers could be either, and are refused, unless ``tuples`` says that points are tuples.

    >>> sides_of([(0, 1), (None, 5), (2, 3)])
    (array([ 0., -inf,  2.]), array([1., 5., 3.]))
    """
    if hasattr(box, "lb") and hasattr(box, "ub"):
        return box.lb, box.ub
    if not isinstance(box, tuple | list | np.ndarray) or not len(box):
        raise ValueError(f"box={shown(box)}: must be (lower, upper), or (low, high) for each variable")
    by_variable = all(isinstance(side, tuple | list | np.ndarray) and np.shape(side) == (2,) for side in box)
    if len(box) == 2 and not tuples and by_variable and all(isinstance(side, tuple) for side in box):
        (a, b), (c, d) = box
        if None not in (a, b, c, d):
            raise ValueError(
                f"box={shown(box)}: could be read in two ways; write ([{a}, {c}], [{b}, {d}]) for x0 in {(a, b)} and "
                f"x1 in {(c, d)}, or ([{a}, {b}], [{c}, {d}]) for these lower and upper corners"
            )
    elif len(box) == 2:
        return _unbounded(box[0], -math.inf), _unbounded(box[1], math.inf)
    if not by_variable:
        raise ValueError(f"box={shown(box)}: must be (lower, upper), or (low, high) for each variable")
    lower, upper = ([side[k] for side in box] for k in (0, 1))
    return np.array(_unbounded(lower, -math.inf), dtype=float), np.array(_unbounded(upper, math.inf), dtype=float)


def _unbounded(side: Any, far: float) -> Any:
    """Put what is infinite in the place of None."""
    if isinstance(side, list | tuple):
        return type(side)(far if one is None else one for one in side)
    return far if side is None else side


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
