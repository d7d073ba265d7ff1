"""Arithmetic of two floats, against fractions."""

import math
import operator
import random
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from diffcompare.arithmetic.balls import ball, precision
from diffcompare.arithmetic.double_double import ROUNDOFF, add, divide, floats_of, multiply, rounded

RNG = random.Random(5)


def exact(pair) -> Fraction:
    return Fraction(float(pair[0])) + Fraction(float(pair[1]))


def drawn(near: tuple[float, float] | None = None) -> tuple[float, float]:
    """Two floats; those that nearly cancel another number if there is one."""
    high = RNG.uniform(-1, 1) * 2.0 ** RNG.randint(-40, 40) if near is None else -near[0] * (1 + RNG.choice([0, 1e-15]))
    return high, RNG.choice([0.0, RNG.uniform(-0.5, 0.5) * math.ulp(high)])


@pytest.mark.parametrize(
    ("ours", "theirs"), [(add, operator.add), (multiply, operator.mul), (divide, operator.truediv)]
)
def test_a_result_is_known_to_a_hundred_bits(ours, theirs) -> None:
    pairs = [(a := drawn(), drawn(a if RNG.random() < 0.3 else None)) for _ in range(2000)]
    arrays = [np.array(column) for column in zip(*[(*a, *b) for a, b in pairs], strict=True)]
    high, low = ours((arrays[0], arrays[1]), (arrays[2], arrays[3]))
    for k, (a, b) in enumerate(pairs):
        wanted = theirs(exact(a), exact(b))
        assert abs(exact((high[k], low[k])) - wanted) <= abs(wanted) * Fraction(ROUNDOFF)
        assert high[k] + low[k] == high[k]


def test_what_no_rounding_decides_is_unsure() -> None:
    half = math.ulp(1.0) / 2
    value, unsure = rounded((np.ones(3), np.array([half, half * 0.5, 0.0])), np.array([1e-40, 1e-40, 0.0]))
    assert value.tolist() == [1.0, 1.0, 1.0]
    assert unsure.tolist() == [True, False, False]


def test_the_floats_of_a_ball_and_their_doubt_hold_it() -> None:
    with precision(200):
        third = ball(Fraction(1, 3))
        *floats, doubt = floats_of(third, 5, 3)
    assert floats[0] == 32 / 3
    assert abs(sum(map(Fraction, floats)) - Fraction(32, 3)) <= Fraction(doubt) < Fraction(1, 2**150)
    assert floats_of(ball(0.5), 1, 1) == [1.0, 0.0]
    with pytest.raises(OverflowError):
        floats_of(arb("nan"), 0, 1)
