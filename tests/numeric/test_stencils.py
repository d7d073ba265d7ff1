"""Schemes as values: offsets, orders, and the error's coefficients from Taylor's theorem."""

from fractions import Fraction

import pytest

from diffcompare.numeric.stencils import SCHEMES, check_schemes, stencil


@pytest.mark.parametrize(
    ("scheme", "order", "offsets"), [("forward", 1, (1, 0)), ("backward", 1, (0, -1)), ("central", 2, (1, -1))]
)
def test_the_schemes(scheme, order, offsets):
    chosen = stencil(scheme)
    assert (chosen.scheme, chosen.order, (chosen.upper, chosen.lower)) == (scheme, order, offsets)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("m", range(12))
def test_error_coefficients_are_those_of_a_power(scheme, m):
    # F = tᵐ⁺¹ at 0 with h = 1: the quotient itself is the term of order m (minus F′(0), which is 1 for m = 0)
    chosen = stencil(scheme)
    quotient = Fraction(chosen.upper ** (m + 1) - chosen.lower ** (m + 1), chosen.upper - chosen.lower)
    assert chosen.error_coefficient(m) == quotient
    assert (chosen.error_coefficient(m) == 0) == (scheme == "central" and m % 2 == 1)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_order_is_that_of_the_first_error_term(scheme):
    chosen = stencil(scheme)
    assert chosen.error_coefficient(0) == 1
    assert [chosen.error_coefficient(m) != 0 for m in range(1, chosen.order + 1)] == [False] * (chosen.order - 1) + [
        True
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_error_of_a_polynomial_is_the_sum_of_its_terms(scheme):
    chosen, x, h = stencil(scheme), Fraction(3, 7), Fraction(1, 5)
    coefficients = [Fraction(c) for c in (2, -3, 5, 7, -11, 13)]

    def f(t):
        return sum(c * (t - x) ** k for k, c in enumerate(coefficients))

    error = (f(x + chosen.upper * h) - f(x + chosen.lower * h)) / ((chosen.upper - chosen.lower) * h) - coefficients[1]
    assert error == sum(chosen.error_coefficient(m) * coefficients[m + 1] * h**m for m in range(1, 5))


def test_lists_of_schemes():
    assert [s.scheme for s in check_schemes(["central", "forward", "central"])] == ["central", "forward"]
    assert [s.scheme for s in check_schemes("central")] == ["central"]
    assert [s.scheme for s in check_schemes(SCHEMES)] == ["forward", "backward", "central"]
    with pytest.raises(ValueError, match="no scheme; choose from forward, backward, central"):
        check_schemes([])
    with pytest.raises(ValueError, match="scheme='complex': unknown scheme"):
        check_schemes(["central", "complex"])


def test_stencils_cannot_be_changed():
    with pytest.raises(AttributeError):
        stencil("central").order = 4
