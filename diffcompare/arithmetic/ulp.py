"""The spacing of binary64 numbers and correct rounding of exact rationals."""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["round_to_nearest", "unit_roundoff"]

unit_roundoff = 2.0**-53


def round_to_nearest(value: Fraction) -> float:
    """Round an exact rational to binary64: nearest, ties to even, gradual underflow, overflow to infinity.

    Python's division of integers rounds correctly (IEEE 754-2019, 4.3.1), subnormal results included.

    >>> round_to_nearest(Fraction(1, 10))
    0.1
    """
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return -math.inf if value < 0 else math.inf
