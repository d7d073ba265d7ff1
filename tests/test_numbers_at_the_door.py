"""Numbers that no float holds, and texts that no file holds: refused at the door, by name."""

import math

import pytest
import sympy

import diffcompare as dc
from diffcompare.floats import as_floats

X = sympy.Symbol("x")
HUGE = 10**400
F, G = dc.parse("x**2"), dc.parse("x*y")


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("point of x", lambda: dc.certified_gradient(F, HUGE)),
        ("point of x, y", lambda: dc.certified_gradient(G, [1.0, HUGE])),
        ("point of x", lambda: dc.certified_gradient(F, 10**5000)),
        ("point of x", lambda: dc.certified_jacobian(F, HUGE)),
        ("point of x, y", lambda: dc.certified_hessian(G, [HUGE, 1.0])),
        ("point of x", lambda: dc.hot_spots(F, HUGE)),
        ("points of x", lambda: dc.sweep(F, [1.0, HUGE])),
        ("points of x", lambda: dc.step_rules(F, HUGE)),
        ("steps", lambda: dc.sweep(F, 1.0, steps=[HUGE])),
        ("points", lambda: F(HUGE)),
        ("points", lambda: F.complex_values(HUGE)),
        ("x", lambda: dc.numerical_diff(F, HUGE)),
        ("x", lambda: dc.numerical_gradient(G, [HUGE, 1])),
        ("start", lambda: dc.gradient_descent(G, [HUGE, 1])),
        ("learning_rate=", lambda: dc.gradient_descent(G, [1, 1], learning_rate=HUGE)),
        ("per_decade=", lambda: dc.geometric_steps(1, 1e-3, per_decade=HUGE)),
        ("at", lambda: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, HUGE)),
        ("at", lambda: dc.check_gradient(lambda x: x[0] ** 2, lambda x: [2 * x[0]], [HUGE])),
        ("at", lambda: dc.check_gradient(F, lambda x: 2 * x, HUGE)),
        ("at", lambda: dc.check_jacobian(lambda x: [x[0]], lambda x: [[1.0]], [HUGE])),
        ("at", lambda: dc.check_directional(lambda x: x[0], lambda x: [1.0], [HUGE])),
        ("box", lambda: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, 1.0, box=(0, HUGE))),
        ("noise=", lambda: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, 1.0, noise=HUGE)),
    ],
)
def test_a_number_that_no_float_holds_is_named(what, ask):
    with pytest.raises(ValueError, match=f"^{what}.*(largest float|finite|whole number|at most)") as caught:
        ask()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text", ["gammainc(-10**400, x)", "polygamma(-10**400, x)", "zeta(-10**400, x)", "legendre(10**400, x)"]
)
def test_a_parameter_that_no_float_holds_is_named(text):
    with pytest.raises(dc.ParseError, match="10000"):
        dc.parse(text)


@pytest.mark.parametrize("number", [sympy.Float("1e30000"), sympy.Float("1e-30000")])
def test_a_float_of_sympy_beyond_all_limits_is_refused(number):
    with pytest.raises(dc.UnsupportedFunction, match="more than 4096 bits"):
        dc.SymbolicFunction(number * X, [X])
    with pytest.raises(dc.UnsupportedFunction, match="constant exponents go to 1000"):
        dc.SymbolicFunction(X ** (10**5000), [X])


def test_constants_beyond_floats_are_exact():
    assert dc.certified_gradient(dc.parse("10**400*x*10**(-399)"), 1.0).value == [10.0]
    assert dc.certified_gradient(dc.parse("10**400*x"), 1.0).value == [math.inf]


def test_other_arguments_are_converted_as_before():
    assert as_floats([1, 2.5], "x").tolist() == [1.0, 2.5]
    with pytest.raises((TypeError, ValueError), match="float"):
        as_floats([1, "a"], "x")


@pytest.mark.parametrize(
    "ask",
    [
        lambda text: dc.parse("x", name=text),
        lambda text: dc.parse(["x", "2*x"], name=text),
        lambda text: dc.SymbolicFunction(X, [X], name=text),
        lambda text: dc.check_gradient(lambda p: p[text] ** 2, lambda p: {text: 2 * p[text]}, {text: 1.0}),
    ],
)
def test_half_a_character_is_refused(ask):
    with pytest.raises(ValueError, match=r"holds U\+D800, half of a character") as caught:
        ask("a\ud800b")
    assert str(caught.value).isascii()


def test_half_a_character_in_a_formula_is_refused():
    with pytest.raises(dc.ParseError, match="U\\+D800 is not supported") as caught:
        dc.parse("x + \ud800")
    assert str(caught.value).encode()
