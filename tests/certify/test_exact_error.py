"""Differences and ratios against exact fractions: correctly rounded, or flagged; never silently wrong."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from diffcompare.certify.exact_error import difference, ratio

COUNT = 20_000


def nearest(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def random_float(generator):
    """Floats of every size, with few bits and with many, next to powers of two and far from them."""
    if generator.random() < 0.08:
        return generator.choice([0.0, -0.0])
    exponent = generator.choice(
        [0, 0, 0, 1, -1, 5, -30, 60, -1000, -1060, -1074, 1000, 1023, generator.randint(-1074, 1023)]
    )
    mantissa = generator.choice(
        [1.0, 1 + 2.0**-52, 2 - 2.0**-52, 1 + generator.random(), 1 + 2.0 ** -generator.randint(1, 52)]
    )
    return math.ldexp(mantissa * generator.choice([1, -1]), exponent)


def random_case(generator):
    value = random_float(generator)
    spacing = math.ulp(value)
    tail = generator.choice([0.0, 0.0, spacing / 2 * generator.uniform(-1, 1), spacing / 2 ** generator.randint(1, 80)])
    slack = generator.choice([0.0, 0.0, abs(tail) * 2.0**-53, spacing * 2.0 ** -generator.randint(54, 200)])
    kind = generator.random()
    if kind < 0.4:
        numeric = random_float(generator)
    elif kind < 0.6:
        numeric = value + generator.randint(-3, 3) * spacing
    elif kind < 0.8:
        numeric = value * (1 + 2.0 ** -generator.randint(1, 60))
    else:  # a tie of the difference, or close to one
        numeric = -value * generator.choice([1, 3, 0.5]) * 2.0 ** -generator.choice([52, 53, 54])
    return numeric, value, tail, slack


def random_cases(seed, count=COUNT):
    generator = random.Random(seed)
    found = [random_case(generator) for _ in range(count)]
    kept = [case for case in found if all(map(math.isfinite, case))]
    assert len(kept) > 0.95 * count
    return kept, [np.array(column) for column in zip(*kept, strict=True)]


def interval(numeric, value, tail, slack):
    """Return the ends of the exact difference, and of the exact number that is subtracted."""
    middle = Fraction(value) + Fraction(tail)
    ends = middle - Fraction(slack), middle + Fraction(slack)
    return (Fraction(numeric) - ends[1], Fraction(numeric) - ends[0]), ends


@pytest.mark.thorough
def test_differences_are_correctly_rounded_or_flagged():
    cases, (numeric, *exact) = random_cases(1)
    error, rest, doubt, unsure = difference(numeric, tuple(exact))
    for case, e, r, d, flagged in zip(cases, error, rest, doubt, unsure, strict=True):
        if flagged:
            continue
        (low, high), _ = interval(*case)
        assert nearest(low) == nearest(high) == e, [x.hex() for x in case]
        if math.isfinite(e):
            slack = Fraction(d) + Fraction(math.ulp(d))
            assert Fraction(e) + Fraction(r) - slack <= low
            assert high <= Fraction(e) + Fraction(r) + slack


def test_ratios_are_correctly_rounded_or_flagged():
    cases, (numeric, *exact) = random_cases(2)
    error, rest, doubt, unsure = difference(numeric, tuple(exact))
    relative, unsure_ratio = ratio(error, rest, doubt, tuple(exact))
    checked = 0
    for case, q, flagged in zip(cases, relative, unsure | unsure_ratio, strict=True):
        if flagged:
            continue
        (low, high), ends = interval(*case)
        if ends == (0, 0):
            assert q == (0.0 if low == high == 0 else math.inf), case
            continue
        assert not ends[0] <= 0 <= ends[1], case
        tops = [abs(low), abs(high)] + ([Fraction(0)] if low < 0 < high else [])
        bottoms = [abs(ends[0]), abs(ends[1])]
        assert nearest(min(tops) / max(bottoms)) == nearest(max(tops) / min(bottoms)) == q, [x.hex() for x in case]
        checked += 1
    assert checked > COUNT / 4


def test_what_a_sweep_meets_is_rarely_flagged():
    # a check that flags everything would pass above; agreement to 12 digits and more may need more than two floats
    generator = random.Random(3)
    rows = []
    for _ in range(COUNT):
        value = generator.uniform(-10, 10)
        tail = math.ulp(value) / 2 * generator.uniform(-1, 1)
        numeric = value * (1 + 10.0 ** generator.uniform(-12, -1) * generator.choice([1, -1]))
        rows.append((numeric, value, tail, abs(tail) * 2.0**-54))
    numeric, *exact = (np.array(column) for column in zip(*rows, strict=True))
    error, rest, doubt, unsure = difference(numeric, tuple(exact))
    _, unsure_ratio = ratio(error, rest, doubt, tuple(exact))
    assert unsure.sum() <= 5
    assert unsure_ratio.sum() <= 5


@pytest.mark.parametrize(
    ("numeric", "value", "tail", "expected"),
    [
        (6.00000000000378, 6.0, 0.0, 3.780087354243733e-12),
        (1.0, 1.0, 2.0**-60, -(2.0**-60)),
        (1.0, 1.0, 0.0, 0.0),
        (0.0, 5e-324, 0.0, -5e-324),
        (1e308, -1e308, 0.0, math.inf),
        (-1.7976931348623157e308, 1.7976931348623157e308, 0.0, -math.inf),
        (2.0**-1074, 2.0**-1022, 0.0, -float.fromhex("0x0.fffffffffffffp-1022")),
        (1.0, 2.0**-54, 0.0, 1.0),
        (1.0, 2.0**-54, 2.0**-120, 1.0 - 2.0**-53),
    ],
)
def test_differences_of_known_numbers(numeric, value, tail, expected):
    exact = tuple(np.array([x]) for x in (value, tail, 0.0))
    error, _, _, unsure = difference(np.array([numeric]), exact)
    assert unsure[0] or error[0] == expected
    assert not math.isnan(error[0]) or unsure[0]


def test_a_tie_with_a_slack_is_flagged():
    # 2 + 2⁻⁵² − δ lies below the middle of two floats, by less than binary64 shows beside it
    exact = tuple(np.array([x]) for x in (-2.0 + 2.0**-52, 0.0, 2.0**-200))
    for numeric in (2.0**-52 * k for k in range(1, 9)):
        error, _, _, unsure = difference(np.array([numeric]), exact)
        low, high = interval(numeric, -2.0 + 2.0**-52, 0.0, 2.0**-200)[0]
        assert unsure[0] or nearest(low) == nearest(high) == error[0]


def test_the_relative_error_of_0():
    zero = tuple(np.zeros(2) for _ in range(3))
    error, rest, doubt, unsure = difference(np.array([0.0, 1e-300]), zero)
    relative, unsure_ratio = ratio(error, rest, doubt, zero)
    assert relative.tolist() == [0.0, math.inf]
    assert not (unsure | unsure_ratio).any()


def test_shapes_broadcast():
    numeric = np.ones((2, 3, 4))
    exact = tuple(np.zeros((2, 1, 1)) + x for x in (0.5, 0.0, 0.0))
    error, rest, doubt, _ = difference(numeric, exact)
    relative, unsure = ratio(error, rest, doubt, exact)
    assert error.shape == relative.shape == unsure.shape == (2, 3, 4)
    assert (relative == 1.0).all()


def test_nan_goes_through():
    exact = tuple(np.array([x, math.nan]) for x in (1.0, 0.0, 0.0))
    error, rest, doubt, _ = difference(np.array([math.nan, 1.0]), exact)
    relative, _ = ratio(error, rest, doubt, exact)
    assert np.isnan(error).all()
    assert np.isnan(relative).all()
