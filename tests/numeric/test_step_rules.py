"""The published rules find steps near the optimum of closed forms, count their values, and refuse with a reason."""

import math
import re

import numpy as np
import pytest

from diffcompare.numeric.differences import numerical_diff
from diffcompare.numeric.step_rules import STEP_RULES, choose_step

from ..stated import numbers  # noqa: TID252 - tests are no package

# name, f, x, f′, f″, f‴: closed forms
FUNCTIONS = [
    ("exp at 1", math.exp, 1.0, math.e, math.e, math.e),
    ("sin at 1", math.sin, 1.0, math.cos(1), -math.sin(1), -math.cos(1)),
    ("log at 1e-3", math.log, 1e-3, 1e3, -1e6, 2e9),
    ("1/x at 7", lambda x: 1 / x, 7.0, -1 / 49, 2 / 343, -6 / 2401),
    ("exp(100 x) at 0.1", lambda x: math.exp(100 * x), 0.1, 100 * math.exp(10), 1e4 * math.exp(10), 1e6 * math.exp(10)),
]
ADAPTIVE = {
    "forward": ["Gill-Murray-Saunders-Wright", "Shi-Xie-Xuan-Nocedal"],
    "backward": ["Gill-Murray-Saunders-Wright", "Shi-Xie-Xuan-Nocedal"],
    "central": ["Dumontet-Vignes", "Shi-Xie-Xuan-Nocedal"],
}


@pytest.mark.parametrize("scheme", ADAPTIVE)
@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case[0])
def test_a_rule_that_looks_at_f_finds_the_scale_of_the_optimum(case, scheme, capsys):
    _, f, x, slope, second, third = case
    # half an ulp of the value and of the argument once scaled
    noise = 2.0**-52 * (abs(f(x)) + abs(x * slope))
    best = 2 * math.sqrt(noise / abs(second)) if scheme != "central" else math.cbrt(3 * noise / abs(third))
    for rule in ADAPTIVE[scheme]:
        choice = choose_step(rule, f, x, scheme=scheme, noise=noise)
        with capsys.disabled():
            print(f" {scheme} {rule}, {case[0]}: {choice.h / best:.2g} times the best step")
        assert choice.message == ""
        least, most = numbers("step rules")[1:]
        assert least <= float(f"{choice.h / best:.2g}") <= most, rule
        assert best / 2 <= choice.h <= 2 * best, rule
        # truncation and noise at half or twice the best step, and as much again for what Taylor's theorem leaves out
        bound = 2 * (2 + 1 / 2) * 2 * noise / best if scheme != "central" else 2 * (4 / 2 + 1 / 2) * noise / best
        assert abs(numerical_diff(f, x, choice.h, scheme=scheme) - slope) <= bound


def test_the_number_of_functions_is_the_stated_one():
    assert numbers("step rules")[0] == len(FUNCTIONS)


@pytest.mark.parametrize("scheme", ADAPTIVE)
def test_the_rules_that_do_not_look_at_f(scheme):
    order = 2 if scheme == "central" else 1
    assert choose_step("fixed 1e-4", math.exp, 5.0, scheme=scheme, noise=1e-16).h == 1e-4
    scaled = choose_step("scaled by u", math.exp, -50.0, scheme=scheme, noise=1e-16)
    assert scaled.evaluations == 0
    assert abs((scaled.h / 50) ** (order + 1) - 2.0**-53) <= 1e-30


@pytest.mark.parametrize("scheme", ADAPTIVE)
def test_ridders_extrapolates_far_below_the_error_of_a_difference(scheme):
    choice = choose_step("Ridders", math.exp, 1.0, scheme=scheme, noise=3e-16)
    assert abs(choice.value - math.e) <= 1e-11
    assert choice.evaluations <= 25


@pytest.mark.parametrize(
    ("rule", "f", "x", "scheme", "noise", "words"),
    [
        ("Dumontet-Vignes", math.exp, 1.0, "forward", 1e-16, "^the rule is for central"),
        ("Dumontet-Vignes", math.sin, 0.0, "central", 1e-16, r"^f\(x\) = 0"),
        ("Dumontet-Vignes", lambda x: x * x, 3.0, "central", 1e-15, "f‴ may vanish$"),
        ("Gill-Murray-Saunders-Wright", math.exp, 1.0, "central", 1e-16, "^the rule is for forward"),
        ("Gill-Murray-Saunders-Wright", math.exp, 1.0, "forward", 0.0, "^the noise of f is 0"),
        ("Gill-Murray-Saunders-Wright", lambda x: 3 * x, 1.0, "forward", 1e-16, "f″ may vanish$"),
        ("Gill-Murray-Saunders-Wright", math.sqrt, 0.0, "forward", 1e-16, "^f is not finite at a distance of"),
        ("Shi-Xie-Xuan-Nocedal", lambda x: 3.0, 1.0, "central", 1e-16, "may vanish$"),
        ("Shi-Xie-Xuan-Nocedal", math.exp, 1.0, "forward", 0.0, "^the noise of f is 0"),
        ("Ridders", math.sqrt, 0.0, "central", 1e-16, "^f is not finite at a distance of"),
        ("Ridders", math.exp, 1.0, "central4", 1e-16, "^the rule is for forward, backward and central"),
        ("complex step", np.abs, 1.0, "central", 1e-16, "f returns real numbers for complex ones"),
        ("complex step", np.cbrt, 1.0, "forward", 1e-16, "f does not take complex numbers"),
        ("complex step", lambda z: z * np.inf, 1.0, "central", 1e-16, "not finite$"),
    ],
)
def test_a_rule_refuses_with_its_reason(rule, f, x, scheme, noise, words):
    choice = choose_step(rule, f, x, scheme=scheme, noise=noise)
    assert math.isnan(choice.h)

    assert re.search(words, choice.message), choice.message


def test_the_third_difference_may_be_far_from_1():
    # f‴ = 2e-450 is no float, the balance of it is
    choice = choose_step("Dumontet-Vignes", math.log, 1e150, noise=4e-14)
    assert 1e-6 < choice.h / 1e150 < 1e-3


def test_a_step_that_is_no_float_is_refused():
    # the sum of two tall values overflows, and the balance with it is 0
    f = lambda t: 1e308 if abs(t) > 10 else 0.0  # noqa: E731
    choice = choose_step("Gill-Murray-Saunders-Wright", f, 0.0, scheme="forward", noise=1.0)
    assert math.isnan(choice.h)
    assert "for a float" in choice.message


def test_backward_is_forward_of_the_mirrored_function():
    for rule in STEP_RULES:
        backward = choose_step(rule, np.exp, 0.5, scheme="backward", noise=2e-16)
        mirrored = choose_step(rule, lambda t: np.exp(-t), -0.5, scheme="forward", noise=2e-16)
        assert str((backward.h, backward.evaluations)) == str((mirrored.h, mirrored.evaluations))
        assert str(backward.value) == str(-mirrored.value)


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="rule='best': unknown rule; choose from fixed 1e-4, scaled by u"):
        choose_step("best", math.exp, 1.0, noise=0.0)


@pytest.mark.parametrize("x", [0.0, 0.3, -1.0, 50.0])
def test_the_scaled_step_is_relative_beyond_1_and_absolute_below(x):
    h = choose_step("scaled by u", math.exp, x, scheme="central", noise=1e-16).h
    assert h == math.cbrt(2.0**-53) * max(1.0, abs(x))


@pytest.mark.parametrize("scheme", ["forward", "central", "central4", "complex"])
def test_the_complex_step_gives_the_derivative_at_a_tiny_step(scheme):
    choice = choose_step("complex step", lambda z: np.exp(z) / z, 2.0, scheme=scheme, noise=1e-16)
    assert (choice.h, choice.evaluations, choice.message) == (1e-20, 0, "")
    assert abs(choice.value - math.exp(2) / 4) <= 2 * math.ulp(2.0)
