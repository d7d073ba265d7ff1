"""Floating-point formats: the spacing of their numbers, and correct rounding of exact rationals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["BINARY64", "FORMATS", "Format", "round_to_nearest"]


@dataclass(frozen=True, slots=True)
class Format:
    """A binary format of IEEE 754-2019, 3.3; its numbers are held in binary64."""

    name: str
    bits: int  # of the significand
    least_exponent: int  # of the least subnormal
    largest: float

    @property
    def unit_roundoff(self) -> float:
        """Return u = 2^−bits."""
        return 2.0**-self.bits

    @property
    def least(self) -> float:
        """Return η, the least subnormal."""
        return math.ldexp(1.0, self.least_exponent)

    def ulp(self, value: float) -> float:
        """Return the spacing of the numbers of the format at a value, η where they are subnormal."""
        if self.bits == 53:
            return math.ulp(value)
        # frexp gives 0 the exponent 0
        exponent = math.frexp(value)[1] - self.bits if value else self.least_exponent
        return math.ldexp(1.0, max(exponent, self.least_exponent))

    def round(self, value: Fraction) -> float:
        """Round an exact rational to the format: nearest, ties to even, gradual underflow, overflow to infinity.

        >>> FORMATS["float16"].round(Fraction(1, 10))
        0.0999755859375
        """
        if self.bits == 53 or not value:
            return round_to_nearest(value)
        size = abs(value)
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        exponent += size >= Fraction(2) ** exponent
        spacing = Fraction(2) ** max(exponent - self.bits, self.least_exponent)
        # Python rounds a fraction to a whole number with ties to even
        rounded = round(size / spacing) * spacing
        result = float(rounded) if rounded <= Fraction(self.largest) else math.inf
        return -result if value < 0 else result


FORMATS: Mapping[str, Format] = {
    "float16": Format("float16", 11, -24, 65504.0),
    "float32": Format("float32", 24, -149, (2 - 2.0**-23) * 2.0**127),
    "float64": Format("float64", 53, -1074, (2 - 2.0**-52) * 2.0**1023),
}
BINARY64 = FORMATS["float64"]


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
