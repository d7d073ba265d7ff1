"""Rounding of balls, exact values, and the precision that belongs to the process."""

import math
import threading
import time
from fractions import Fraction

import flint
import pytest
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.arithmetic.balls import (
    BALL_OPERATIONS,
    UNDEFINED,
    ball,
    ball_function,
    certainly_less,
    certainly_nonzero,
    exact_fraction,
    precision,
    round_ball,
    switch_function,
)
from diffcompare.arithmetic.ulp import round_to_nearest

LEAST = Fraction(1, 2**1074)
BEYOND = 2**1024 - 2**970  # the first number that rounds to infinity


def thin(value, bits=4000):
    with precision(bits):
        return round_ball(ball(Fraction(value)))


def between(low, high, bits=4000):
    with precision(bits):
        return round_ball(ball(Fraction(low)).union(ball(Fraction(high))))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        (Fraction(1, 2), 0.5),
        (1 + Fraction(1, 2**53), 1.0),
        (1 + Fraction(3, 2**53), 1 + 2.0**-51),
        (1 + Fraction(1, 2**53) + Fraction(1, 2**2000), 1 + 2.0**-52),
        (1 - Fraction(1, 2**54), 1.0),
        (LEAST, 5e-324),
        (LEAST / 2, 0.0),
        (LEAST / 2 + Fraction(1, 2**3000), 5e-324),
        (LEAST * 3 / 2, 1e-323),
        (Fraction(1, 2**1022) - LEAST / 2, 2.0**-1022),
        (BEYOND, math.inf),
        (BEYOND - Fraction(1, 2**1000), 1.7976931348623157e308),
        (2**1024 - 2**971, 1.7976931348623157e308),
        (2**5000, math.inf),
    ],
    ids=lambda value: f"{float(value) if value < BEYOND else math.inf:.3g}",
)
def test_exact_numbers_round_to_nearest_even(value, expected):
    assert thin(value).hex() == expected.hex()
    assert thin(-value).hex() == (-expected if value else 0.0).hex()


def test_a_negative_number_below_the_least_subnormal_is_minus_0():
    assert thin(-LEAST / 2).hex() == "-0x0.0p+0"
    assert thin(-LEAST / 4).hex() == "-0x0.0p+0"
    assert between(-LEAST / 4, LEAST / 4).hex() == "0x0.0p+0"
    assert between(0, LEAST / 4).hex() == "0x0.0p+0"
    assert between(-LEAST / 3, -LEAST / 4).hex() == "-0x0.0p+0"


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (1 - Fraction(1, 2**200), 1 + Fraction(1, 2**53) + Fraction(1, 2**200)),
        (1 + Fraction(1, 2**53) - Fraction(1, 2**200), 1 + Fraction(1, 2**53) + Fraction(1, 2**200)),
        (-LEAST, LEAST),
        (LEAST / 2 - LEAST / 2**50, LEAST / 2 + LEAST / 2**50),
        (BEYOND - 1, BEYOND + 1),
        (-(2**1030), 2**1030),
        (0, LEAST),
    ],
    ids=lambda value: f"{float(value) if abs(value) < BEYOND else math.inf:.3g}",
)
def test_an_enclosure_of_a_boundary_of_rounding_is_not_rounded(low, high):
    assert between(low, high) is None
    assert between(-high, -low) is None


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1 - Fraction(1, 2**55), 1 + Fraction(1, 2**54), 1.0),
        (2**1025, 2**1026, math.inf),
        (LEAST * Fraction(3, 4), LEAST * Fraction(5, 4), 5e-324),
        (Fraction(1, 3) - Fraction(1, 2**80), Fraction(1, 3) + Fraction(1, 2**80), 1 / 3),
    ],
    ids=lambda value: f"{float(value) if value < BEYOND else math.inf:.3g}",
)
def test_an_enclosure_within_one_float_is_rounded(low, high, expected):
    assert between(low, high) == expected
    assert between(-high, -low) == -expected


@pytest.mark.parametrize("value", [arb.nan(), arb.pos_inf(), arb.neg_inf(), arb(0, "inf")])
def test_what_is_not_finite_is_not_rounded(value):
    assert round_ball(value) is None


@pytest.mark.thorough
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.integers(-(2**70), 2**70), st.integers(1, 2**70), st.integers(-1150, 1060))
def test_rounding_of_balls_is_rounding_of_rationals(numerator, denominator, exponent):
    value = Fraction(numerator, denominator) * Fraction(2) ** exponent
    with precision(2500):
        rounded = round_ball(ball(value))
    if rounded is not None:
        try:
            expected = value.numerator / value.denominator
        except OverflowError:
            expected = math.copysign(math.inf, numerator)
        assert rounded.hex() == expected.hex()
    else:  # a tie of a number that is no dyadic one cannot be
        assert value.denominator & (value.denominator - 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_floats_are_exact_balls_at_any_precision(x):
    with precision(2):
        held = ball(x)
    assert exact_fraction(held) == Fraction(x)


def test_dyadic_numbers_are_exact_balls_at_any_precision():
    value = Fraction(2**2000 + 1, 2**900)
    with precision(53):
        assert exact_fraction(ball(value)) == value
        assert exact_fraction(ball(10**300)) == 10**300


@pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(-7, 10), Fraction(2**300, 3**200)])
def test_other_rationals_are_enclosed(value):
    with precision(60):
        held = ball(value)
        assert not held.is_exact()
        assert held.contains(fmpq(value.numerator, value.denominator))
        assert exact_fraction(held) is None


@pytest.mark.parametrize("value", [arb.nan(), arb.pos_inf(), arb(0, 1), arb(1, 1e-300)])
def test_only_exact_balls_have_an_exact_value(value):
    assert exact_fraction(value) is None


def test_comparisons_are_certain():
    wide = arb(0, 1)
    assert certainly_less(arb(1), arb(2))
    assert not certainly_less(arb(2), arb(2))
    assert not certainly_less(wide, arb(0.5))
    assert certainly_nonzero(arb(-1e-300))
    assert not any(map(certainly_nonzero, (wide, arb(0), arb.nan(), arb(1, 1))))


def test_precision_is_restored():
    before = flint.ctx.prec
    with precision(333):
        assert flint.ctx.prec == 333
        with precision(77):
            assert flint.ctx.prec == 77
        assert flint.ctx.prec == 333
    assert flint.ctx.prec == before


def test_precision_is_restored_after_an_exception_and_the_lock_is_free():
    before = flint.ctx.prec
    with pytest.raises(ZeroDivisionError), precision(333):
        raise ZeroDivisionError
    assert flint.ctx.prec == before
    found = []
    # a lock that was not released would hold the other thread for ever
    other = threading.Thread(target=_work, args=(55, found, 1), daemon=True)
    other.start()
    other.join(5)
    assert found == [True]


def _work(bits, found, rounds):
    for _ in range(rounds):
        with precision(bits):
            time.sleep(0.0005)
            found.append(flint.ctx.prec == bits)


def test_threads_do_not_see_one_anothers_precision():
    found = []
    threads = [threading.Thread(target=_work, args=(100 + i, found, 20)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 100
    assert all(found)


def test_constants_are_rounded_at_the_precision_of_the_call():
    run = ball_function(dc.parse("x/3 + 0.1").program)
    radii = []
    for bits in (53, 200, 1000):
        with precision(bits):
            value = run(arb(0))[0]
            assert value.contains(fmpq(1, 10))
            radii.append(exact_fraction(value.rad()))
    assert radii[0] > radii[1] * 2**100 > radii[2] * 2**800


def test_switches_follow_the_outputs():
    program = dc.parse("abs(x - 1) + max(x, y)").program
    run, count = switch_function(program, program.outputs[0])
    values = run(arb(1), arb(3))
    assert count == 1
    assert sorted(float(v) for v in values[count:]) == [-2.0, 0.0]


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.floats(-1e3, 1e3), st.integers(2, 300))
def test_pi_and_e_are_enclosed(x, bits):
    program = dc.parse("pi*x - E", variables=["x"]).program
    with precision(bits):
        value = ball_function(program)(ball(x))[0]
    with precision(1000):
        assert value.overlaps(arb.pi() * ball(x) - arb.const_e())


def test_round_to_nearest_is_what_rational_and_ball_share():
    for value in (Fraction(1, 3), LEAST / 2, Fraction(BEYOND) - 1):
        assert round_to_nearest(value) == thin(value)


@pytest.mark.parametrize("n", [4, 5, 6, 7, -4])
def test_a_power_of_a_range_holds_the_power_of_every_number_of_it(n):
    run = ball_function(dc.parse(f"x**{n}").program)
    for low, high in [(-1, 1), (-2, 1), (-1, 3), (-3, -2), (2, 3)]:
        if n < 0 and low < 0 < high:
            continue
        with precision(80):
            (found,) = run(ball(low).union(ball(high)))
            assert all(found.contains(ball(low + Fraction(high - low) * k / 8) ** n) for k in range(9))


def test_a_power_of_zero_needs_a_positive_exponent():
    run = ball_function(dc.parse("x**y").program)
    for exponent in (-1.5, -1.0, 0.0):
        assert not run(arb(0), arb(exponent))[0].is_finite()
    assert run(arb(0), arb(1.5))[0].is_zero()


def test_conditions_that_cannot_be_told_follow_the_logic_of_kleene():
    for a in (True, False, None):
        for b in (True, False, None):
            both = False if False in (a, b) else None if None in (a, b) else True
            one = True if True in (a, b) else None if None in (a, b) else False
            assert BALL_OPERATIONS["and"](a, b) is both
            assert BALL_OPERATIONS["or"](a, b) is one
            assert BALL_OPERATIONS["and"](UNDEFINED, b) == BALL_OPERATIONS["or"](a, UNDEFINED) == UNDEFINED
