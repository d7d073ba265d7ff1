"""Operations over ranges: values and slopes are those of every point of the box."""

from __future__ import annotations

from fractions import Fraction

from diffcompare.arithmetic.balls import ball, precision
from diffcompare.arithmetic.ranges import RANGE_BITS, smooth_range, variable_range


def test_the_slope_counts_every_operand() -> None:
    # Σ|∂| of x·y is |y| + |x|, of x − y it is 2
    with precision(RANGE_BITS):
        x, y = variable_range(1.0, 2.0), variable_range(-4.0, -3.0)
        product, difference = smooth_range("multiply", [x, y]), smooth_range("subtract", [x, y])
        assert product is not None
        assert difference is not None
        assert 6 <= float(product.slope) <= 6.001
        assert 2 <= float(difference.slope) <= 2.001
        for k in range(5):
            for j in range(5):
                a, b = 1 + Fraction(k, 4), -4 + Fraction(j, 4)
                assert product.values.contains(ball(a * b))
                assert difference.values.contains(ball(a - b))
