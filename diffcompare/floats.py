"""Numbers from outside as binary64."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import shorten

__all__ = ["as_floats", "refuse_overflow"]


def as_floats(values: ArrayLike, what: str) -> NDArray[np.float64]:
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


def refuse_overflow(values: ArrayLike, what: str) -> None:
    """Raise ``ValueError`` for a number that no float can hold."""
    for value in np.ravel(np.asarray(values, dtype=object)):
        try:
            float(value)
        except OverflowError:
            raise ValueError(
                f"{what}: {_shown(value)} is beyond the largest float, about 1.8e308; pass a smaller number"
            ) from None
        except (TypeError, ValueError):
            continue


def _shown(value: object) -> str:
    try:
        return shorten(str(value), 21)
    except ValueError:
        # Python writes no whole number of more than 4300 digits
        return "a number of more than 4300 digits"
