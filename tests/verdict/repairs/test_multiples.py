"""Names of factors."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from diffcompare.verdict.repairs.multiples import Multiples

_KNOWN = Multiples([30, 4], [0.125, 7.0])


@pytest.mark.parametrize(
    ("factor", "value", "text"),
    [
        (2.0, 2, "2"),
        (-0.5, Fraction(-1, 2), "-1/2"),
        (1 / 30, Fraction(1, 30), "1/30"),
        (30 / 29, Fraction(30, 29), "30/29"),
        (7.5, Fraction(15, 2), "30/4"),
        (0.75, Fraction(3, 4), "3/4"),
        (-0.125, Fraction(-1, 8), "-1/8"),
        (56.0, 56, "7/0.125"),
    ],
)
def test_what_people_forget_has_a_name(factor: float, value: Fraction, text: str) -> None:
    found = _KNOWN.named(factor * (1 + 3e-9))
    assert found is not None
    assert (found.value, found.text) == (value, text)


def test_irrational_factors_have_names() -> None:
    for number, text in ((math.pi / 180, "pi/180"), (180 / math.pi, "1/(pi/180)"), (1 / math.sqrt(2), "1/sqrt(2)")):
        found = _KNOWN.named(number)
        assert found is not None
        assert found.text == text


def test_the_simplest_of_equal_numbers_is_named() -> None:
    found = Multiples([2], [2.0]).named(2.0)
    assert found is not None
    assert (found.text, found.cost) == ("2", 0.0)


@pytest.mark.parametrize("factor", [0.0, math.nan, math.inf, 0.123456789, 2.0 * (1 + 1e-6)])
def test_what_nobody_writes_has_no_name(factor: float) -> None:
    assert _KNOWN.named(factor) is None


def test_numbers_of_few_digits_have_names_where_a_number_is_wrong() -> None:
    assert _KNOWN.named(0.137) is None
    found = _KNOWN.named(0.137, short=True)
    assert found is not None
    assert found.value == Fraction("0.137")
    inverse = _KNOWN.named(1 / 1.000001, short=True)
    assert inverse is not None
    assert inverse.text == "1/1.000001"
