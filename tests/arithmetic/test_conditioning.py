"""The terms R, L, P and G of a derivative program."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from functools import reduce

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.conditioning import Conditioning, conditioning, exact_difference, still_nodes
from diffcompare.arithmetic.floating import node_values
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Program

u = 2.0**-53


def terms(text: str, point: list[float], **options: float) -> Conditioning:
    f = dc.parse(text)
    return conditioning(adjoint(f.program), point, **options)


def near(value: float, expected: float) -> bool:
    # the sensitivities are taken over enclosures, so they are a little larger
    return expected <= value * (1 + 1e-12) and value <= expected * (1 + 1e-6)


def test_the_derivative_of_a_square_rounds_nothing() -> None:
    found = terms("x**2", [3.0])
    assert found.rounding.tolist() == [0.0]  # 2·x is exact
    assert near(found.inputs[0], u * 3.0 * 2.0)
    assert found.sums.tolist() == [0.0]
    assert near(found.polynomial[0], u * 6.0)


def test_inputs_and_inexact_constants_count_once() -> None:
    # D = 2·(x − c): |x|·2 and |c|·2
    exact, inexact = terms("(x - 0.5)**2", [3.0]), terms("(x - 0.1)**2", [3.0])
    assert near(exact.inputs[0], u * 6.0)
    assert near(inexact.inputs[0], u * (6.0 + 0.2))


def test_a_constant_that_no_float_holds_enters_the_rounding() -> None:
    gap = abs(Fraction(0.1) - Fraction(1, 10))
    assert terms("(x - 0.1)**2", [0.1]).rounding[0] >= 2 * float(gap)


def test_a_saturated_sigmoid_may_have_lost_its_complement() -> None:
    # 1 + e^-20: whoever recovers e^-20 from it does so with an error u
    found = terms("1/(1 + exp(-x))", [20.0])
    assert 0.5 * u < found.sums[0] < 2 * u
    assert found.rounding[0] < 1e-15 * math.exp(-20.0)


def test_the_derivative_of_tanh_may_come_from_its_value() -> None:
    found = terms("tanh(x)", [12.0])
    assert 2 * u < found.rounding[0] < 16 * u
    assert terms("expm1(x)", [-20.0]).rounding[0] > u


def test_polynomials_may_be_expanded() -> None:
    x = 1.001
    found = terms("(x - 1)**5", [x])
    # 5·(|x| + 1)⁴
    assert near(found.polynomial[0], u * 5 * (x + 1) ** 4)
    assert found.rounding[0] < 1e-25


def test_a_critical_point_keeps_its_rounding() -> None:
    found = terms("(x*x - 2)**2", [math.sqrt(2.0)])
    assert found.rounding[0] > 0
    assert found.inputs[0] > u


def test_a_structural_zero_has_no_terms() -> None:
    found = terms("3*x + 0*y", [1.0, 2.0])
    assert found.zero.tolist() == [False, True]
    assert found.rounding[1] == found.inputs[1] == found.sums[1] == found.polynomial[1] == 0.0


def test_a_switch_within_rounding_is_told_with_the_hull() -> None:
    x = 1 + 2.0**-30
    found = terms("max(x*x, y)", [x, x * x])
    assert found.near_switch
    assert found.lower[0] <= 0.0
    assert found.upper[0] >= 2 * x
    assert not terms("max(x*x, y)", [2.0, 3.0]).near_switch


def test_the_unit_scales_the_terms() -> None:
    one, other = terms("exp(x)*y", [1.3, 2.7]), terms("exp(x)*y", [1.3, 2.7], unit=2.0**-24)
    for name in ("rounding", "inputs", "polynomial"):
        expected = getattr(one, name) * 2.0**29
        assert (np.abs(getattr(other, name) - expected) <= 1e-5 * expected).all(), name


def test_what_leaves_the_range_is_told() -> None:
    assert terms("log(exp(x) + 1)", [800.0]).out_of_range
    assert not terms("log(exp(x) + 1)", [8.0]).out_of_range


def test_nodes_that_stand_still_are_found() -> None:
    f = dc.parse("1/(1 + exp(-x)) + x")
    program = adjoint(f.program)
    points = [[40.0], [math.nextafter(40.0, 50.0) + 0.1]]
    still = still_nodes(program, points)
    found = {node.operation for node, rest in zip(program.nodes, still, strict=True) if not rest}
    assert "exp" in found
    sums = [k for k, node in enumerate(program.nodes) if node.operation == "add" and still[k]]
    assert sums  # 1 + e^-40 is 1
    terms_ = conditioning(program, points[0], still=still)
    assert terms_.still_sums[0] > 0.5 * u
    assert conditioning(program, points[0]).still_sums.tolist() == [0.0]


def test_many_components_are_swept_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " + ".join(f"exp(x{i})*x{i + 1}" for i in range(12))
    whole = terms(text, [0.1 * i for i in range(13)])
    monkeypatch.setattr("diffcompare.arithmetic.conditioning._BLOCK", 1)
    blocks = terms(text, [0.1 * i for i in range(13)])
    for name in ("rounding", "inputs", "sums", "polynomial"):
        one, other = getattr(whole, name), getattr(blocks, name)
        # sums of non-negative numbers in another order
        assert (np.abs(one - other) <= 64 * u * one).all()


def test_a_branch_that_is_not_taken_has_no_say() -> None:
    found = terms("where(x > 0, x**2, log(x))", [2.0])
    assert np.isfinite(found.rounding).all()
    assert near(found.inputs[0], u * 4.0)


@pytest.mark.parametrize(
    ("text", "point"),
    [("exp(x)/x", [1.5]), ("sin(x)*log(x)", [3.1]), ("x**2.5 - x", [1.1]), ("atan(x)*tanh(x)", [0.7])],
)
def test_the_rounding_of_the_derivative_stays_within_the_term(text: str, point: list[float]) -> None:
    f = dc.parse(text)
    program = adjoint(f.program)
    slope = node_values(program, point)[program.outputs[1]]
    exact = dc.certified_gradient(f, point).value[0]
    assert abs(slope - exact) <= terms(text, point).rounding[0] * (1 + 1e-9) + u * abs(exact)


def test_the_difference_to_the_exact_value_is_rounded_once() -> None:
    f = dc.parse("x**2")
    assert exact_difference(f.program, [0.1], 0.1 * 0.1) == float(Fraction(0.1 * 0.1) - Fraction(0.1) ** 2)
    assert math.isnan(exact_difference(dc.parse("log(x)").program, [-1.0], 0.0))


def derivative(operation: str, n: int) -> Program:
    """Return a program for f and one partial derivative, which is an operation on n variables."""
    build = Builder([f"x{i}" for i in range(n)])
    variables = [build.variable(i) for i in range(n)]
    return build.program([variables[0], build.apply(operation, *variables)])


def test_a_long_sum_rounds_once_a_term() -> None:
    # each of the small terms is a half ulp of 1 and is lost (newer Pythons' sum would compensate for that)
    x = [1.0, *([u] * 40)]
    lost = Fraction(sum(map(Fraction, x))) - Fraction(reduce(operator.add, x))
    assert lost == 40 * Fraction(u)
    found = conditioning(derivative("sum", 41), x).rounding[0]
    assert float(lost) <= found <= 41 * u * (1 + 1e-12)


def test_a_difference_of_near_numbers_is_exact_and_a_sum_is_not() -> None:
    # Sterbenz: 1.5 − 1 is exact whatever the digits are
    for a, b in ((1.5, 1.0), (1.0, 1.5), (1.0, 2.0), (-1.5, -1.0), (-1.0, -1.5)):
        assert conditioning(derivative("subtract", 2), [a, b]).rounding[0] == 0.0
        assert conditioning(derivative("subtract", 2), [a, -b]).rounding[0] >= 2 * u
        assert conditioning(derivative("add", 2), [a, b]).rounding[0] >= 2 * u
        assert conditioning(derivative("add", 2), [a, -b]).rounding[0] == 0.0
    assert conditioning(derivative("subtract", 2), [1.0, 2.5]).rounding[0] >= u
    assert conditioning(derivative("subtract", 2), [2.5, 1.0]).rounding[0] >= u


def test_a_slope_beyond_the_floats_belongs_to_its_own_variable() -> None:
    # the slope in y is 1e345, and z has nothing to do with it
    found = terms("z**2 + 1e-300*exp(exp(y))", [7.3, 3.0])
    assert found.inputs[0] == math.inf
    assert near(found.inputs[1], u * 6.0)


def test_a_value_beyond_the_floats_has_a_share_that_is_one() -> None:
    # D = c·e^y, with an input and a constant that round: |y|·D + |c|·e^y; e^720 was infinite, and with it all terms
    D = float(mpmath.mpf(10) ** -300 * mpmath.exp(720))
    found = terms("z**2 + 1e-300*exp(y)", [720.0, 3.0])
    assert near(found.inputs[0], u * 721.0 * D)
    assert near(found.inputs[1], u * 6.0)
    assert 0 < found.rounding[0] <= 8 * u * D
    assert near(found.polynomial[0], u * D)
    assert found.lower[0] <= D <= found.upper[0]
    assert found.out_of_range


@pytest.mark.parametrize(
    ("scaled", "plain"),
    [
        (
            "(x + 1)*2**900*sin(y)*2**900*2**(-1000)*2**(-800)*exp(x)",
            "(x + 1)*2**10*sin(y)*2**10*2**(-12)*2**(-8)*exp(x)",
        ),
        ("exp((x*2**510 + y*2**480)*2**(-510))", "exp((x*2**10 + y*2**(-20))*2**(-10))"),
        ("exp((x*2**510 + y*2**507)**3*2**(-1000)*2**(-530))", "exp((x*2**10 + y*2**7)**3*2**(-14)*2**(-16))"),
        ("where(x > 1, x*2**900, y)*2**(-900)", "where(x > 1, x*2**10, y)*2**(-10)"),
    ],
)
def test_terms_do_not_depend_on_the_size_of_what_is_in_between(scaled: str, plain: str) -> None:
    # the factors of one of them take numbers out of the floats, or out of the range that has the unit 1
    first, second = (terms(text, [3.0, 0.5]) for text in (scaled, plain))
    for name in ("rounding", "inputs", "sums", "polynomial", "lower", "upper"):
        assert getattr(first, name).tolist() == getattr(second, name).tolist()


def test_what_floats_make_of_tiny_numbers_counts_in_full() -> None:
    # e⁻⁷⁴⁰ is subnormal, one of its ulps is 2⁻¹⁰⁷⁴; with the factor it is of the size of D
    D = float(mpmath.exp(-740) * mpmath.mpf(2) ** 1060)
    found = terms("2**500*(2**560*exp(-y))*x", [2.0, 740.0])
    assert D * u < 2.0**-14 < found.rounding[0] < D


def test_a_number_far_below_the_floats_does_no_harm() -> None:
    # erf′ there is e⁻¹⁰⁰⁰⁰: 2⁻¹⁰⁷⁴, by which floats are off, is no float beside it
    found = terms("x + erf(100*x)", [1.0])
    assert found.rounding[0] <= 2 * u
    assert not found.out_of_range
