"""Step sizes: decimal literals exactly, and the modelled best step against closed forms and brute force."""

import math
from decimal import Context, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.numeric.steps import check_steps, geometric_steps, optimal_step


def test_decades_are_the_literals():
    expected = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16]
    assert geometric_steps(1e-1, 1e-16, per_decade=1).tolist() == expected
    assert geometric_steps(1e-1, 1e-16)[::4].tolist() == expected
    assert geometric_steps(1e308, 1e-320, per_decade=1).tolist() == [float(f"1e{k}") for k in range(308, -321, -1)]
    assert geometric_steps(0.3, 0.0003, 1).tolist() == [0.3, 0.03, 0.003, 0.0003]


@pytest.mark.parametrize("per_decade", [1, 2, 3, 4, 5, 7, 10])
def test_steps_between_decades_are_correctly_rounded_decimals(per_decade):
    steps = geometric_steps(1e-1, 1e-8, per_decade)
    assert len(steps) == 7 * per_decade + 1
    context = Context(prec=90)
    for k, step in enumerate(steps.tolist()):
        exact = context.power(10, context.divide(Decimal(-k - per_decade), Decimal(per_decade)))
        below, above = (math.nextafter(step, d) for d in (0.0, 1.0))
        assert abs(Fraction(step) - Fraction(exact)) <= min(abs(Fraction(s) - Fraction(exact)) for s in (below, above))


@pytest.mark.parametrize("value", [1.0, 1e-4, 0.3, 5e-324, 1.7976931348623157e308])
def test_one_step(value):
    assert geometric_steps(value, value).tolist() == [value]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.floats(1e-300, 1e300), st.floats(1, 1e6), st.integers(1, 9))
def test_steps_descend_within_the_bounds_and_leave_no_room_for_one_more(smallest, ratio, per_decade):
    largest = smallest * ratio
    steps = geometric_steps(largest, smallest, per_decade)
    assert steps[0] == largest
    assert (np.diff(steps) < 0).all()
    # 1e-9 of a step is taken for the end itself, since log10 is not exact
    assert steps[-1] >= smallest * (1 - 1e-9)
    assert steps[-1] <= smallest * 10 ** (1 / per_decade) * (1 + 1e-9)


def test_no_step_lies_below_the_smallest():
    for smallest in (1.0000000001e-3, math.nextafter(1e-3, 1)):
        assert geometric_steps(1e-1, smallest, 1).tolist() == [0.1, 0.01]
    assert geometric_steps(1e-1, 1e-3, 1).tolist() == [0.1, 0.01, 0.001]
    assert geometric_steps(1e-1, math.nextafter(1e-3, 0), 1).tolist() == [0.1, 0.01, 0.001]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1e-4, 1e-1), "largest=0.0001 is below smallest=0.1; exchange them"),
        ((0.0, 1e-1), "step size must be positive and finite"),
        ((1.0, -1e-1), "step size must be positive and finite"),
        ((math.inf, 1e-1), "step size must be positive and finite"),
        ((1.0, math.nan), "step size must be positive and finite"),
        ((1.0, 0.1, 0), "per_decade=0: steps per decade must be a whole number of at least 1; pass 4"),
        ((1.0, 0.1, 2.5), "per_decade=2.5: steps per decade must be a whole number"),
        ((1.0, 0.1, True), "per_decade=True: steps per decade must be a whole number"),
        ((1e300, 1e-300, 1000), "steps; ask for at most 100000"),
    ],
)
def test_bad_bounds_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        geometric_steps(*arguments)


def test_steps_are_sorted_and_distinct():
    assert check_steps([1e-4, 0.1, 1e-4, 3]).tolist() == [3.0, 0.1, 1e-4]
    assert check_steps(0.5).tolist() == [0.5]
    with pytest.raises(ValueError, match=r"steps of shape \(2, 1\): pass a one-dimensional list"):
        check_steps([[1.0], [2.0]])
    with pytest.raises(ValueError, match=r"steps of shape \(0,\): pass a one-dimensional list of at least one"):
        check_steps([])
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="step size must be positive and finite"):
            check_steps([0.1, bad])


def model(series, noise, h):
    return abs(sum(a * h ** (m + 1) for m, a in enumerate(series))) + noise[0] / h + noise[1]


def best(series, noise, h_min=1e-16, h_max=0.1):
    steps, errors = optimal_step(np.array([series], float), np.array([noise], float), h_min, h_max)
    return float(steps[0]), float(errors[0])


@pytest.mark.parametrize("noise", [1e-16, 2e-14, 3e-10])
@pytest.mark.parametrize("term", [1.0, -0.02, 300.0])
def test_one_term_of_first_order_has_the_closed_form(term, noise):
    # a·h + n/h is least at √(n/a), where it is 2√(n·a)
    h, error = best([term, 0, 0], [noise, 0])
    expected = math.sqrt(noise / abs(term))
    assert abs(h - expected) <= 2e-5 * expected
    assert abs(error - 2 * math.sqrt(noise * abs(term))) <= 1e-12 * error


@pytest.mark.parametrize("noise", [1e-16, 2e-14, 3e-10])
@pytest.mark.parametrize("term", [1.0, -0.02, 300.0])
def test_one_term_of_second_order_has_the_closed_form(term, noise):
    # a·h² + n/h is least at (n/2a)^(1/3)
    h, _ = best([0, term, 0], [noise, 0])
    expected = (noise / (2 * abs(term))) ** (1 / 3)
    assert abs(h - expected) <= 2e-5 * expected


def test_the_constant_part_of_the_noise_moves_the_error_only():
    h, error = best([1.0], [1e-12, 0])
    shifted_h, shifted = best([1.0], [1e-12, 0.125])
    assert abs(h - shifted_h) <= 1e-3 * h
    assert abs(shifted - error - 0.125) <= 1e-12


def test_without_noise_the_smallest_step_is_best():
    assert best([1.0, 2.0], [0, 0]) == (1e-16, model([1.0, 2.0], [0, 0], 1e-16))
    assert best([0.0, 0.0], [0, 0]) == (1e-16, 0.0)


def test_without_truncation_the_largest_step_is_best():
    assert best([0.0, 0.0], [1e-16, 0]) == (0.1, model([0.0], [1e-16, 0], 0.1))


def test_of_equal_minima_the_larger_step_is_taken():
    # the noise does not depend on h, and there is no truncation
    assert best([0.0], [0, 1e-16])[0] == 0.1


def test_the_ends_are_candidates():
    assert best([0, 0, 1e-30], [1e-10, 0])[0] == 0.1
    assert best([1e10], [1e-40, 0], 1e-8, 0.1)[0] == 1e-8
    assert best([1.0], [1e-10, 0], 0.25, 0.25) == (0.25, model([1.0], [1e-10, 0], 0.25))


def test_what_is_not_known_stays_unknown():
    for series, noise in (([math.nan, 0], [1, 1]), ([0, 0], [math.nan, 0]), ([0, math.nan], [0, 0])):
        h, error = best(series, noise)
        assert math.isnan(h)
        assert math.isnan(error)


def test_groups_do_not_influence_one_another():
    series = np.array([[1.0, 0], [0, 3.0], [0, 0], [math.nan, 1]])
    noise = np.array([[1e-16, 0], [1e-12, 0], [1e-12, 0], [1, 1]])
    together = optimal_step(series, noise, 1e-16, 0.1)
    for i in range(4):
        alone = optimal_step(series[i : i + 1], noise[i : i + 1], 1e-16, 0.1)
        assert [np.array([t[i]]).tobytes() for t in together] == [a.tobytes() for a in alone]


def test_the_best_step_is_that_of_a_fine_grid():
    generator = np.random.default_rng(6)
    fine = 10.0 ** np.linspace(-16, -1, 30_001)
    for _ in range(60):
        # terms of one sign: the model has one valley
        series = generator.normal() * 10.0 ** generator.uniform(-3, 3, size=9) * (generator.random(9) < 0.7)
        noise = [10.0 ** generator.uniform(-20, -8), 10.0 ** generator.uniform(-20, -14)]
        h, error = best(series, noise)
        assert 1e-16 <= h <= 0.1
        assert error == model(series, noise, h) or abs(error - model(series, noise, h)) <= 1e-14 * error
        assert error <= model(series, noise, fine).min() * (1 + 1e-9)


def test_a_zero_of_the_truncation_error_is_found():
    # h − h²/z is 0 at z: the error there is the noise alone, a valley far narrower than the grid of the search
    for z in (0.01, 0.0137, 0.002, 0.05):
        h, error = best([1.0, -1 / z], [1e-14, 0])
        assert abs(h - z) <= 1e-6 * z
        assert error <= 1e-8 < model([1.0, -1 / z], [1e-14, 0], 1e-7)
