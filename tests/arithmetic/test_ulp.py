"""Correct rounding of exact rationals."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.floats import unit_roundoff

BEYOND = Fraction(2**1024 - 2**970)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(0), 0.0),
        (Fraction(1, 10), 0.1),
        (1 + Fraction(1, 2**53), 1.0),
        (1 + Fraction(3, 2**53), 1 + 2.0**-51),
        (Fraction(1, 2**1074), 5e-324),
        (Fraction(1, 2**1075), 0.0),
        (Fraction(3, 2**1075), 1e-323),
        (Fraction(1, 2**1075) + Fraction(1, 2**4000), 5e-324),
        (BEYOND - 1, 1.7976931348623157e308),
        (BEYOND, math.inf),
        (BEYOND * 2, math.inf),
        (Fraction(10**400), math.inf),
        (Fraction(10**4000, 3), math.inf),
        (Fraction(1, 10**4000), 0.0),
    ],
    ids=lambda value: f"{float(value) if value < BEYOND else math.inf:.3g}",
)
def test_rounding(value, expected):
    # numbers beyond 2^1024 raised OverflowError: the sign was taken by converting them
    assert round_to_nearest(value).hex() == expected.hex()
    if value:
        assert round_to_nearest(-value).hex() == (-expected).hex()


@pytest.mark.thorough
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e330"), max_value=Decimal("1e330")))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_rounding_is_that_of_python_for_decimals(value):
    # float() of a text rounds correctly by another algorithm (dtoa, or big integers)
    expected = float(str(value))
    assert round_to_nearest(Fraction(value)).hex() == (expected + 0.0 if value == 0 else expected).hex()


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_floats_round_to_themselves_and_midpoints_to_even(x):
    assert round_to_nearest(Fraction(x)) == x
    above = math.nextafter(x, math.inf)
    if math.isfinite(above):
        middle = (Fraction(x) + Fraction(above)) / 2
        even = x if Fraction(x) / Fraction(math.ulp(min(abs(x), abs(above)))) % 2 == 0 else above
        assert round_to_nearest(middle) == even


def test_unit_roundoff_is_that_of_binary64():
    assert unit_roundoff == math.ulp(1.0) / 2
