"""Imaginary parts of rational programs, exactly; None for what is not rational."""

from fractions import Fraction

import pytest

import diffcompare as dc
from diffcompare.arithmetic.gaussian import exact_imaginary_part

RATIONAL = {
    "x**3/10 - 2": lambda z: z**3 / 10,
    "1/(x + 1/3)**2": lambda z: 1 / (z + Fraction(1, 3)) ** 2,
    "-x*(x - 3)/(x*x + 2)": lambda z: -z * (z - 3) / (z * z + 2),
    "x**-5": lambda z: z**-5,
}


# bugs that these find: a product without i² = −1, a quotient by the wrong conjugate, a power that is one too many
@pytest.mark.parametrize("text", RATIONAL)
def test_the_parts_are_those_of_a_rotation(text):
    x, h = 1.25, 0.5
    found = exact_imaginary_part(dc.parse(text).program, [x], 0, h)
    wanted = RATIONAL[text](complex(x, h)).imag
    assert abs(found - Fraction(wanted)) <= 2.0**-50 * abs(wanted)
    # at the mirrored point it has the other sign, exactly
    assert exact_imaginary_part(dc.parse(text).program, [x], 0, -h) == -found


def test_values_are_exact():
    # Im (2 + ih)³ = 12h − h³
    h = 0.1
    assert exact_imaginary_part(dc.parse("x**3/3").program, [2.0], 0, h) == 4 * Fraction(h) - Fraction(h) ** 3 / 3
    f = dc.parse("x*y + y/x", variables=["x", "y"])
    assert exact_imaginary_part(f.program, [2.0, 4.0], 1, h) == Fraction(h) * Fraction(5, 2)
    assert exact_imaginary_part(f.program, [2.0, 0.0], 0, h) == 0


@pytest.mark.parametrize("text", ["sqrt(4)*x", "exp(x)", "x/(x - x)", "(x - x)**-1", "(x**900)**900"])
def test_what_is_not_rational_or_too_long_has_none(text):
    assert exact_imaginary_part(dc.parse(text).program, [2.0], 0, 0.1) is None
