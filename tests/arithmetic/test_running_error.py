"""The bound on the rounding error of f̂ is never below what is measured, and is not given where the model ends."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.balls import Ball, ball, ball_function, precision
from diffcompare.arithmetic.floating import compile_numpy, node_values
from diffcompare.arithmetic.running_error import (
    has_jump,
    local_bounds,
    local_errors,
    point_rounding_bound,
    rounding_bound,
)
from diffcompare.program.dag import Builder

NAMED = {
    "exp(x)/(sin(x)**3 + cos(x)**3)": (0.2, 2.0),
    "(x - 0.1)**2": (0.05, 0.15),
    "1 - cos(x)": (-0.01, 0.01),
    "(1 - cos(x))/x**2": (1e-5, 1e-3),
    "x + 0.1 + 0.2 + 0.3 + 0.4 - 1": (-1.0, 1.0),
    "x**3 - 2*x**2 + x/3 - 0.1": (-3.0, 3.0),
    "sqrt(1 + x**2) - abs(x)": (1e3, 1e5),
    "log(1 + x)/x": (1e-10, 1e-8),
    "tanh(x)**2 + 1/cosh(x)**2": (-4.0, 4.0),
    "atan2(x, 0.1) + hypot(x, 3)": (-1.0, 1.0),
    "max(x, 0.1)*min(x, 0.3) + abs(sin(9*x))": (-1.0, 1.0),
    "where(x < 0.25, x**2, x/4)*exp(-x)": (0.26, 1.0),
    "cbrt(x) + log1p(x)*expm1(x)": (-0.5, 2.0),
    "1.1**x + x**0.3": (0.1, 9.0),
    "x/7/3*21 - x": (1.0, 2.0),
    "asin(x) + acos(x) + asinh(x) + atanh(x)": (-0.9, 0.9),
    "exp2(x) + log2(x) + log10(x) + acosh(1 + x)": (0.1, 5.0),
    "pi*x**2 - 3.141592653589793*x**2": (1.0, 2.0),
    "1e-300*x*1e-20": (1.0, 2.0),
}


def errors(program, xs: np.ndarray) -> list[Fraction]:
    """Return f̂ − F, to within 2⁻²⁰⁰ of its size."""
    found = []
    computed = compile_numpy(program)([np.ascontiguousarray(xs)])
    with precision(1400):
        for x, value in zip(xs.tolist(), computed.tolist(), strict=True):
            gap = (ball(value) - ball_function(program)(ball(x))[0]).mid()
            mantissa, exponent = gap.man_exp()
            found.append(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))
    return found


def hull(low: float, high: float) -> Ball:
    return ball(low).union(ball(high))


@pytest.mark.parametrize("text", NAMED)
def test_the_bound_of_one_variable_is_that_beside_others(text: str) -> None:
    alone, beside = (dc.parse(text, variables=names).program for names in (["x"], ["x", "y"]))
    for x in np.linspace(*NAMED[text], 5).tolist():
        assert point_rounding_bound(alone, [x], 0) == point_rounding_bound(beside, [x, 0.5], 0)
        assert local_bounds(alone, [x]) == local_bounds(beside, [x, 0.5])[: len(alone.nodes)]


@pytest.mark.parametrize("text", NAMED)
def test_bound_is_above_every_measured_difference(text: str) -> None:
    program = dc.parse(text, variables=["x"]).program
    low, high = NAMED[text]
    rng = np.random.default_rng(3)
    middle = low + (high - low) * 0.37
    for width in (high - low, (high - low) * 1e-3, (high - low) * 1e-9, 0.0):
        a, b = max(low, middle - width), min(high, middle + width)
        bound = rounding_bound(program, [hull(a, b)], 0)
        if math.isnan(bound):
            # over a wide range a divisor or an argument may seem to reach 0
            assert width == high - low
            continue
        found = errors(program, np.unique(np.clip(rng.uniform(a, b, 60), a, b)))
        assert max(found) - min(found) <= Fraction(bound), width


@pytest.mark.parametrize(
    ("text", "most"), [("exp(x)/(sin(x)**3 + cos(x)**3)", 60), ("x**2", 3), ("sin(x)", 5), ("x*3.7", 3)]
)
def test_bound_is_no_extravagance(text: str, most: float) -> None:
    program = dc.parse(text).program
    value = abs(dc.parse(text)(1.3))
    assert point_rounding_bound(program, [1.3], 0) <= most * math.ulp(value)


def test_square_of_a_difference_at_its_root() -> None:
    # the computed value is 0, the true one (fl(0.1) − 1/10)² = 3.08e-35: a bound of first order would be 0
    f = dc.parse("(x - 0.1)**2")
    true = (Fraction(0.1) - Fraction(1, 10)) ** 2
    assert float(f(0.1)) == 0.0
    assert 3e-35 < true < 3.1e-35
    bound = point_rounding_bound(f.program, [0.1], 0)
    assert 2 * true <= Fraction(bound) <= 40 * true


def test_a_difference_of_near_numbers_is_exact() -> None:
    # Sterbenz
    assert point_rounding_bound(dc.parse("x - 0.75").program, [1.0], 0) == 0.0
    assert rounding_bound(dc.parse("x - 0.75").program, [hull(0.3751, 1.4999)], 0) == 0.0
    assert rounding_bound(dc.parse("x - 0.75").program, [hull(0.374, 1.5)], 0) > 0
    assert rounding_bound(dc.parse("x - 0.75").program, [hull(0.375, 1.51)], 0) > 0
    assert rounding_bound(dc.parse("-x - y", variables=["x", "y"]).program, [ball(1.0), ball(-1.5)], 0) == 0.0
    assert point_rounding_bound(dc.parse("x - 1").program, [-1.0], 0) > 0
    # the difference is exact, what is subtracted is not
    assert point_rounding_bound(dc.parse("exp(x) - 1").program, [1e-9], 0) >= 2.0**-53


def test_sums_of_subnormals_are_exact_and_products_are_not() -> None:
    assert rounding_bound(dc.parse("x + 1e-320").program, [ball(5e-324)], 0) <= 2 * 5e-324
    assert point_rounding_bound(dc.parse("x*x").program, [1e-200], 0) >= 5e-324
    assert point_rounding_bound(dc.parse("x/4").program, [5e-324], 0) >= 5e-324


def test_products_with_powers_of_two_round_only_where_they_underflow() -> None:
    for text in ("x*8", "0.25*x", "x/2", "x/0.125"):
        assert 0 < point_rounding_bound(dc.parse(text).program, [1.3], 0) <= 4 * 5e-324


def test_constants_that_are_no_floats_enter_with_their_error() -> None:
    # 0.1: |fl(1/10) − 1/10| = 5.6e-18; in a difference along x it cancels, unless it is multiplied
    gap = abs(Fraction(0.1) - Fraction(1, 10))
    assert local_bounds(dc.parse("x + 0.1").program, [7.0])[1] >= gap
    assert point_rounding_bound(dc.parse("x - 0.1").program, [0.1], 0) <= 1e-30
    assert rounding_bound(dc.parse("x*0.1").program, [hull(0.0, 4.0)], 0) >= 4 * gap


@pytest.mark.parametrize(
    ("text", "x"),
    [("exp(x)", 709.9), ("exp(x)", 800.0), ("x**2", 1e160), ("1/exp(x)", 710.0), ("x*x/x", 1e200), ("exp(-x)", -710.0)],
)
def test_no_bound_where_something_may_overflow(text: str, x: float) -> None:
    assert math.isnan(point_rounding_bound(dc.parse(text).program, [x], 0))
    assert math.isnan(rounding_bound(dc.parse(text).program, [hull(x / 2, x)], 0))


@pytest.mark.parametrize(
    ("text", "low", "high"), [("log(x)", -1, 1), ("1/x", -1, 1), ("sqrt(x)", -1e-9, 1), ("acosh(x)", 0.5, 2)]
)
def test_no_bound_where_the_domain_may_be_left(text: str, low: float, high: float) -> None:
    assert math.isnan(rounding_bound(dc.parse(text).program, [hull(low, high)], 0))


@pytest.mark.parametrize(
    ("text", "low", "high", "width"),
    [("sign(x)", -1, 1, 4.0), ("where(x < 0, 1, 2)", -1, 1, 2.0), ("atan2(x, -1)", -1e-9, 1e-9, 4 * math.pi)],
)
def test_over_a_jump_the_width_is_the_bound(text: str, low: float, high: float, width: float) -> None:
    # each of the four values lies in an interval of half the width
    program = dc.parse(text).program
    assert has_jump(program, [hull(low, high)])
    bound = rounding_bound(program, [hull(low, high)], 0)
    assert width <= bound <= width * (1 + 1e-6)


def test_a_condition_that_rounding_may_turn_is_a_jump() -> None:
    # x < 0.1 is decided for numbers at the double 0.1, and for floats the other way
    program = dc.parse("where(x*3 < 0.3, 0, 1)").program
    x = 0.1
    exact = Fraction(x) * 3 < Fraction(3, 10)
    computed = x * 3 < 0.3
    bound = point_rounding_bound(program, [x], 0)
    assert has_jump(program, [ball(x)])
    assert bound >= 2 * abs(int(exact) - int(computed))
    assert bound >= 1


def test_a_branch_that_is_not_taken_has_no_say() -> None:
    program = dc.parse("where(x < 1, x*3.7, exp(x)**9*log(1 - x))").program
    assert point_rounding_bound(program, [0.5], 0) <= 1e-15
    program = dc.parse("where(x > 1, log(x - 1), x*3.7)").program
    assert point_rounding_bound(program, [0.5], 0) <= 1e-15


def test_what_does_not_move_counts_only_by_how_its_weight_changes() -> None:
    f = dc.parse("exp(sin(y)**3) + x", variables=["x", "y"])
    # the same rounding error on both sides: only the sum itself counts
    assert rounding_bound(f.program, [hull(1.0, 1.1), ball(0.7)], 0) <= 2 * math.ulp(2.5)
    f = dc.parse("exp(y)*x", variables=["x", "y"])
    narrow, wide = (rounding_bound(f.program, [hull(1.0, 1.0 + w), ball(3.0)], 0) for w in (1e-9, 1.0))
    assert narrow < wide


def test_what_does_not_move_has_the_same_error_at_both_ends() -> None:
    # the measured difference, at many points
    f = dc.parse("exp(y)*x - y/3", variables=["x", "y"])
    rng = random.Random(1)
    for _ in range(40):
        x, y, h = rng.uniform(-2, 2), rng.uniform(-2, 2), 10.0 ** -rng.uniform(0, 9)
        bound = rounding_bound(f.program, [hull(x, x + h), ball(y)], 0)
        values = f([[x, y], [x + h, y]])
        with precision(300):
            gaps = [
                ball(float(v)) - ball_function(f.program)(ball(t), ball(y))[0]
                for v, t in zip(values, (x, x + h), strict=True)
            ]
            assert abs(gaps[0] - gaps[1]) <= bound


@pytest.mark.parametrize("terms", [2, 3, 10, 100])
def test_sums_and_dot_products_of_many_terms(terms: int) -> None:
    build = Builder(("x",))
    x = build.variable(0)
    factors = [build.apply("multiply", x, build.constant(Fraction(k, 7))) for k in range(1, terms + 1)]
    weights = [build.constant(Fraction((-1) ** k * k, 3)) for k in range(1, terms + 1)]
    for program in (
        build.program([build.apply("sum", *factors)]),
        build.program([build.apply("dot", *factors, *weights)]),
    ):
        rng = np.random.default_rng(2)
        bound = rounding_bound(program, [hull(1.0, 1.5)], 0)
        found = errors(program, rng.uniform(1.0, 1.5, 30))
        assert max(found) - min(found) <= Fraction(bound)
        assert bound >= 2.0**-53


def test_bounds_of_single_operations_cover_their_measured_errors() -> None:
    for text, (low, high) in NAMED.items():
        f = dc.parse(text, variables=["x"])
        for x in np.linspace(low, high, 7)[1:-1].tolist():
            bounds = local_bounds(f.program, [x])
            measured = local_errors(f.program, [x], node_values(f.program, [x]))
            assert len(bounds) == len(measured) == len(f.program.nodes)
            for bound, error in zip(bounds, measured, strict=True):
                # the measured ones are of first order: what they leave out is of second
                assert math.isnan(bound) or abs(error) <= bound * (1 + 1e-9)


def test_local_errors_sum_to_the_error_to_first_order() -> None:
    f = dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)")
    total = sum(local_errors(f.program, [1.1], node_values(f.program, [1.1])))
    (error,) = errors(f.program, np.array([1.1]))
    assert abs(total - float(error)) <= 1e-12 * abs(float(error))


def test_a_power_of_two_beyond_the_range_is_no_exact_factor() -> None:
    build = Builder(("x",))
    huge = build.constant(Fraction(2) ** 1100)
    program = build.program([build.apply("divide", build.variable(0), huge)])
    # computed: x/∞ = 0
    (error,) = errors(program, np.array([1e300]))
    bound = point_rounding_bound(program, [1e300], 0)
    assert math.isnan(bound) or bound >= abs(error)


def test_bound_of_a_function_that_is_constant() -> None:
    program = dc.parse("exp(2) + 0*x", variables=["x"]).program
    assert point_rounding_bound(program, [1.0], 0) < 1e-14


@pytest.mark.parametrize("terms", [1, 2, 3])
def test_every_product_of_a_dot_product_rounds(terms):
    build = Builder([f"x{i}" for i in range(2 * terms)])
    program = build.program([build.apply("dot", *map(build.variable, range(2 * terms)))])
    largest = 0.0
    for seed in range(200):
        generator = random.Random(seed)
        x = [generator.uniform(1, 2) for _ in range(2 * terms)]
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(x[:terms], x[terms:], strict=True))
        error = abs(Fraction(node_values(program, x)[-1]) - exact)
        bound = sum(map(Fraction, local_bounds(program, x)))
        assert error <= bound
        largest = max(largest, float(error / bound))
    # and the bound is not idle
    assert largest > 0.2
