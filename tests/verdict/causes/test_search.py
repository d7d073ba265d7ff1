"""Why a gradient is wrong: each mistake is recognised by name, and what is not known gets none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from diffcompare.certify.reference import certified_gradient
from diffcompare.symbolic.parse import parse
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.causes.part_rules import formatted
from diffcompare.verdict.causes.search import find_cause


def cause_of(formula, point, claim, *, threshold=1e-14, **options):
    f = parse(formula)
    D = certified_gradient(f, point).value
    claimed = claim(D) if callable(claim) else np.atleast_1d(np.array(claim, dtype=float))
    limit = np.full(len(D), threshold * np.max(np.abs(D)))
    return find_cause(claimed, D, limit, program=f.program, point=np.ravel(point).tolist(), **options)


def values(D, threshold=1e-15, claim=None, **options):
    D = np.array(D, dtype=float)
    return find_cause(np.array(claim, dtype=float), D, np.full(len(D), threshold), **options)


@pytest.mark.parametrize(
    ("D", "claim", "kind", "text"),
    [
        ([3, 4], [math.nan, 4], "not finite", "the claim is nan in component 0"),
        ([3, 4], [math.inf, -math.inf], "not finite", "the claim is infinite in every component"),
        ([3, 4], [math.nan, math.inf], "not finite", "the claim is nan or infinite in every component"),
        ([3, 4], [0, 0], "treated as constant", "the claim is 0: the function is treated as constant"),
        ([3, 4], [3, 0], "treated as constant", "component 1 is 0: the variable is treated as constant"),
        ([3], [-3], "sign", "the sign is flipped (a descent direction)"),
        ([3, 4, 0], [-3, -4, 0], "sign", "the sign is flipped in every component (a descent direction)"),
        ([3, 4, 5], [3, -4, -5], "sign", "the sign is flipped in components 1 and 2"),
        ([3, 4.5], [1.5, 2.25], "factor", "factor 2 missing: the claim is D/2 in every component"),
        ([3, 4.5, 7], [9, 13.5, 21], "factor", "factor n = 3 too many: the claim is n*D in every component"),
        ([3], [3 * math.pi / 180], "factor", "factor pi/180 too many: the claim is (pi/180)*D (degrees and radians)"),
        ([3, 5], [3, -2.5], "factor", "factor 2 missing: the claim is D/2 in component 1, and the sign is flipped"),
        ([3, 5], [3, -10], "factor", "factor 2 too many: the claim is 2*D in component 1, and the sign is flipped"),
        ([3, 5], [3 * 1.37912, 5 * 1.37912], "factor", "the claim is 1.37912 times the true value in every component"),
        ([3, 5, 7], [5, 3, 7], "permuted", "the components are permuted: 0 and 1 are swapped"),
        ([3, 5, 7, 11, 13], [11, 13, 3, 5, 7], "shifted", "the components are shifted by 2"),
        ([3, 5, 7, 11], [11, 7, 5, 3], "permuted", "the components are permuted: they are in reverse order"),
        ([3, 5, 7], [3, 3, 7], "permuted", "component 1 repeats component 0"),
        ([3, 5, 7, 11], [11, 3, 5, 7], "shifted", "the components are shifted by one up"),
        ([3, 5, 7, 11], [5, 7, 11, 0], "shifted", "the components are shifted by one down"),
        ([300, -500, 7], [10, -10, 7], "clipped", "the claim is clipped at 10 in components 0 and 1"),
        ([3, 5, 7, 1, 2, 4], [3.6, 6, 8.4, 1.2, 2.4, 4.8], "factor",
         "factor n/(n - 1) too many: the claim is (n/(n - 1))*D in every component"),
        ([3, 5, 7], [4.5, 7.5, 10.5], "factor", "factor 3/2 too many: the claim is (3/2)*D in every component"),
        ([0.3, 0.5, 0.2], [0.3, -0.5, 1.2], "shifted", "a contribution of 1 stands in the wrong one of 1 and 2"),
        ([300, -500, 7.25], [300.25, -499.75, 7.5], "extra term", "the constant 0.25 is added to every component"),
        ([3, 5, 7], [3, 5.1239, 7], "one component", "only component 1 is wrong, by 0.1239"),
    ],
)  # fmt: skip
def test_a_mistake_that_shows_in_the_values(D, claim, kind, text):
    found = values(D, claim=claim)
    assert found is not None
    assert (found.kind, found.text) == (kind, text)


def test_a_factor_that_is_seen_in_one_component_only_is_not_said_to_be_of_it_alone():
    D, factor = np.array([3.0, 5.0, 7.0]), 1 + 1e-9
    seen = find_cause(D * factor, D, [1e-12, 1e-6, 1e-6])
    assert seen is None or seen.kind != "one component"
    assert find_cause([3 * factor, 5.0, 7.0], D, [1e-12] * 3).kind == "one component"


def test_rows_and_columns_exchanged_need_a_shape():
    D = np.arange(1.0, 7.0) ** 2
    turned = D.reshape(2, 3).T.ravel()
    assert values(D, claim=turned, shape=(2, 3)).kind == "transposed"
    assert values(D, claim=turned).kind == "permuted"


@pytest.mark.parametrize(
    ("formula", "point", "claim", "kind", "text"),
    [
        ("sin(x**2)", 1.3, math.cos(1.69), "chain factor", "the chain factor x*2 is missing"),
        ("sin(3*x)", 1.3, math.cos(3.9), "factor", "the factor 3 is missing"),
        ("sin(x) + x**2/2", 1.3, math.cos(1.3), "missing term", "the term x**2/2 has no contribution"),
        ("sin(x) - x**2/2", 1.3, math.cos(1.3) + 1.3, "sign", "the sign of the term x**2/2 is flipped"),
        ("sin(x) + exp(x)", 1.3, math.cos(1.3) + 2 * math.exp(1.3), "extra term", "the term exp(x) is counted twice"),
        ("sin(x) + x**2/2", 1.3, math.cos(1.3) + 0.65, "factor", "factor 2 missing in the term x**2/2"),
        ("x**2*exp(x)", 1.3, 1.69 * math.exp(1.3), "missing term",
         "the product rule's term with the derivative of x**2 is missing"),
        ("tanh(x)", 1.3, 1 - math.tanh(1.3), "chain factor", "tanh(x) is not squared in its derivative 1/cosh(x)**2"),
        ("1/(1 + exp(-x))", 1.3, 1 / (1 + math.exp(-1.3)), "chain factor",
         "the factor 1 - 1/(1 + exp(-x)) is missing in its derivative"),
        ("x**3", 1.3, 3 * 1.3**3, "chain factor", "the exponent of x**3 is not lowered"),
        ("x**3 + exp(x)", 1.3, 1.69 + math.exp(1.3), "factor", "factor 3 missing in the term x**3"),
        ("sin(x)", 1.3, math.sin(1.3), "chain factor", "the value of sin(x) stands for its derivative cos(x)"),
        ("exp(-x**2)", 1.3, -2.6, "other function", "the claim is the gradient of the logarithm of the function"),
        ("x**2 + 7", 1.3, 2.6 + 7, "extra term", "the extra term (7) is added"),
        ("sin(x) + x**2/2", 1.3, np.float32(math.cos(1.3) + 1.3), "float32",
         "the claim has the precision of float32: every value is one of its numbers"),
    ],
)  # fmt: skip
def test_a_mistake_that_the_program_tells(formula, point, claim, kind, text):
    found = cause_of(formula, point, claim)
    assert found is not None
    assert (found.kind, found.text) == (kind, text)


def test_a_term_missing_in_one_component():
    # D = (2a + b, a), and the first component lacks b: the term a*b counts in the second alone
    found = cause_of("x0**2 + sin(x0)*x1", [1.3, 0.7], [2.6, math.sin(1.3)])
    assert found is not None
    assert found.kind == "missing term"
    assert found.components == (0,)


def test_one_mistake_in_every_term_of_a_sum():
    x = [0.3, -1.1, 0.8]
    found = cause_of("exp(2*sin(x0)) + exp(2*sin(x1)) + exp(2*sin(x2))", x,
                     [2 * math.exp(2 * math.sin(v)) for v in x])  # fmt: skip
    assert found is not None
    assert found.kind == "chain factor"
    assert "cos(" in found.text
    assert "2 places like it" in found.text


def test_a_term_that_is_missing_in_every_sum_of_one_kind():
    x = [0.3, -0.7, 0.8]
    one, two = (math.exp(math.sin(x[i]) + x[i] * x[i + 1]) for i in range(2))
    missing = np.array([one * math.cos(x[0]), two * math.cos(x[1]), 0.0])
    # the sine in the cube has its contribution
    found = cause_of("exp(sin(x0) + x0*x1) + exp(sin(x1) + x1*x2) + (sin(x2) + x0)**3", x, lambda D: D - missing)
    assert found.text == "the derivative of the term sin(x1) is missing, and so in the term like it"


def test_what_is_scaled_by_numbers_alone_has_no_contribution():
    x = [0.3, 0.8]
    # the other factor of the product has one
    found = cause_of("(1 + cos(x0))*exp(-x0) + x1", x, [-(1 + math.cos(0.3)) * math.exp(-0.3), 1.0])
    assert found.text == "the derivative of the term cos(x0) is missing"
    size = 2 + 0.3**2 + math.sin(0.3)
    found = cause_of("1/(2 + x0**2 + sin(x0)) + x1", x, [-0.6 / size**2, 1.0])
    assert found.text == "the derivative of the term sin(x0) is missing"
    found = cause_of("0.5*(x0**2 + sin(x0*x1))", x, [0.3, 0.0])
    assert found.text == "the term sin(x0*x1) has no contribution"


def test_both_factors_of_a_square_are_one_use():
    x = [0.3, -1.1, 0.8]
    size = 1 + sum(v * v for v in x)
    found = cause_of("log(1 + x0*x0 + x1*x1 + x2*x2)", x, [1 / size] * 3)
    assert found is not None
    assert found.kind == "chain factor"
    assert found.text.endswith("*2 is missing, and so it is in the 2 places like it")


def test_the_number_of_data_is_told_as_such():
    found = cause_of("(exp(x0) + exp(x1))*0.05", [0.3, 0.7], [math.exp(0.3), math.exp(0.7)])
    assert found is not None
    assert found.text == "the factor 0.05 (1/20) is missing"


@pytest.mark.parametrize(("number", "same"), [(1.0015, True), (0.9985, True), (1.0025, False), (0.9975, False)])
def test_a_number_is_found_again_as_exactly_as_both_are_known(number, same):
    one, other = (Cause("factor", "a factor", (0,), number=(value, 1e-3)) for value in (1.0, number))
    assert one.is_same(other) == same
    assert not one.is_same(Cause("factor", "another one", (0,), number=(1.0, 1e-3)))


def test_a_gradient_of_norm_1():
    found = cause_of("exp(x0)*sin(x1)", [0.7, 1.9], lambda D: D / np.sqrt(np.sum(D**2)))
    assert found is not None
    assert found.kind == "clipped"
    assert "norm 1" in found.text


@pytest.mark.parametrize("scheme", ["forward", "central"])
@pytest.mark.parametrize("h", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
def test_a_finite_difference_and_its_step(scheme, h):
    f = parse("exp(x0)*sin(x1) + x0**3")
    x = np.array([0.7, 1.9])
    low = [x, x] if scheme == "forward" else [x - np.array([h, 0]), x - np.array([0, h])]
    high = [x + np.array([h, 0]), x + np.array([0, h])]
    claim = [float(f(a) - f(b)) / (h if scheme == "forward" else 2 * h) for a, b in zip(high, low, strict=True)]
    found = cause_of("exp(x0)*sin(x1) + x0**3", x, claim)
    assert found is not None
    assert found.kind == "finite difference"
    if h >= 1e-4:
        assert found.text == f"the claim is a finite difference: {scheme}, h about {h:.3g}"


def test_a_finite_difference_of_tiny_step_is_known_by_its_spacing():
    claim = (math.exp(0.7 + 1e-8) - math.exp(0.7)) / 1e-8
    found = cause_of("exp(x)", 0.7, claim)
    assert found is not None
    assert found.kind == "finite difference"


def test_the_point_in_single_precision():
    found = cause_of("exp(x0)*sin(x1)", [0.7, 1.9], lambda D: certified_gradient(
        parse("exp(x0)*sin(x1)"), np.float32([0.7, 1.9]).astype(float)).value)  # fmt: skip
    assert found is not None
    assert found.text == "the claim is the gradient at the point rounded to float32"


def test_single_precision_is_recognised_below_the_threshold():
    claim = np.float32([math.exp(0.7) * math.sin(1.9), math.exp(0.7) * math.cos(1.9)])
    assert cause_of("exp(x0)*sin(x1)", [0.7, 1.9], claim, threshold=1e-6).kind == "float32"
    assert cause_of("exp(x0)*sin(x1)", [0.7, 1.9], lambda D: D * (1 + 3e-8), threshold=1e-6) is None


def test_names_stand_for_components():
    found = values([3.0, 5, 7], claim=[5.0, 3, 7], names=("x[0]", "x[1]", "x[2]"))
    assert found.text == "the components are permuted: x[0] and x[1] are swapped"
    assert found.components == (0, 1)
    assert str(found) == found.text


def test_a_known_difference_counts_beyond_rounding():
    # the claim itself carries rounding of 1e-9; the real difference is known to be exactly a missing term of 1e-12
    f = parse("x0**2 + 10**(-12)*x1 + x1**3")
    D = certified_gradient(f, [1.3, 0.7]).value
    found = find_cause(D * (1 + 1e-9), D, [1e-20, 1e-20], program=f.program, point=[1.3, 0.7], difference=[0.0, -1e-12])
    assert found is not None
    assert found.text == "the term 1e-12*x1 has no contribution"


def test_numbers_of_many_digits_are_written_short():
    # it was "the term cos(tanh(0.008140123456789012…"
    text = "cos(tanh(0.008140123456789012*x0 + 0.3333333333333333*x1))*x0 + x1**2"
    found = cause_of(text, [0.3, 0.2], [0.0, 0.4])
    assert found is not None
    assert found.text == "the term cos(tanh(0.00814012*x0 + 0.333333*x1))*x0 has no contribution"


def test_what_was_returned_tells_precision_and_difference_quotients():
    # in real arithmetic a cast does nothing, and a difference quotient has no rounding
    f = parse("exp(x)")
    D = certified_gradient(f, 0.7).value
    found = find_cause(np.float32(D), D, [1e-16], program=f.program, point=[0.7], difference=[0.0])
    assert found is not None
    assert found.kind == "float32"
    claim = (math.exp(0.7 + 1e-8) - math.exp(0.7)) / 1e-8
    truncation = math.exp(0.7) * 1e-8 / 2
    found = find_cause([claim], D, [1e-16], program=f.program, point=[0.7], difference=[truncation])
    assert found is not None
    assert found.kind == "finite difference"


@pytest.mark.thorough
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-6, 1e-9])
def test_random_errors_have_no_cause(size):
    random = np.random.default_rng(7)
    formulas = ("exp(x0)*sin(x1) + x0**3*x2", "log(x0**2 + x1**2 + 1)*tanh(x2)", "x0*x1*x2 + 1/(1 + exp(-x0))")
    for _ in range(20):
        for formula in formulas:
            x = random.uniform(0.3, 1.7, 3)
            error = size * random.uniform(0.1, 1, 3) * random.choice([-1, 1], 3)
            found = cause_of(formula, x, lambda D, e=error: D + e * np.max(np.abs(D)), threshold=1e-13)
            assert found is None, (formula, x.tolist(), error.tolist(), found)


@pytest.mark.thorough
@pytest.mark.parametrize("size", [0.3, 1e-3, 1e-6])
def test_a_random_error_of_one_variable_has_no_cause(size):
    random = np.random.default_rng(8)
    for _ in range(40):
        x = random.uniform(0.3, 1.7)
        error = size * random.uniform(0.1, 1) * random.choice([-1, 1])
        found = cause_of("exp(-x)*sin(x**2) + log(1 + x)", x, lambda D, e=error: D * (1 + e))
        assert found is None, (x, error, found)


def test_a_right_gradient_has_no_cause():
    assert cause_of("x0**2 + x1", [1.3, 0.7], [2.6, 1.0]) is None


def test_a_threshold_that_tells_nothing_gives_no_cause():
    assert cause_of("x0**2 + x1", [1.3, 0.7], [5.2, 2.0], threshold=0.3) is None
    assert values([3.0, 4.0], claim=[6.0, 8.0], threshold=math.inf) is None


def test_an_unknown_truth_gives_no_cause():
    assert values([math.nan, 4.0], claim=[3.0, 8.0]) is None


def test_a_branch_that_is_not_taken_is_no_obstacle():
    found = cause_of("where(x > 1, sin(x**2), log(x - 1))", 1.3, math.cos(1.69))
    assert found is not None
    assert found.text == "the chain factor x*2 is missing"


def test_a_large_program_is_searched_by_sample():
    n = 120
    formula = " + ".join(f"sin(x{i}**2)*exp(x{i}/{i + 2})" for i in range(n)) + " + x0**4/4"
    x = np.linspace(0.4, 1.9, n)
    found = cause_of(formula, x, lambda D: D - np.where(np.arange(n) == 0, 0.4**3, 0), threshold=1e-13)
    assert found is not None
    assert found.text == "the term x0**4/4 has no contribution"


def test_a_factor_carries_the_rounding_of_what_it_multiplies():
    # each component is off by 8e-13, which is within the threshold of D and a thousand times that in 1000·D
    D = np.array([0.1, 0.7, -0.3])
    cause = find_cause(1000 * D * (1 + 8e-13 * np.array([1, -1, 1])), D, 1e-12 * np.abs(D))
    assert (cause.kind, cause.text[:19]) == ("factor", "factor 1000 too man")


def test_float32_is_seen_in_what_was_returned_not_in_the_real_difference():
    # constants of float32 make a real difference that has all digits
    D = np.array([0.1, 0.7, -0.3])
    cause = find_cause(D.astype(np.float32), D, 1e-12 * np.abs(D), difference=D * 1e-9 * np.array([1, -2, 3]))
    assert cause.kind == "float32"


def test_a_match_within_a_coarse_threshold_may_be_chance() -> None:
    # 2.0001 is 2 within 4e-4: of two dozen factors one lies that close to some number too often
    assert find_cause([2.0001], [1.0], [2e-4]) is None
    assert find_cause([2.0 + 1e-9], [1.0], [2e-9]).kind == "factor"


def test_a_formula_that_is_cut_is_not_said_twice():
    words = "the value of {y} stands for its derivative {p}"
    assert formatted(words, p="cos(x)", x="x", y="sin(x)") == "the value of sin(x) stands for its derivative cos(x)"
    assert formatted(words, p="a…b", x="x", y="a…b") == "the value of a…b stands for its derivative"
