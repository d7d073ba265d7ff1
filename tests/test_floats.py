"""Numbers that no float holds, and texts that no file holds, are refused by name; returned numbers are infinite."""

import math
import re

import numpy as np
import pytest
import sympy

import diffcompare as dc
from diffcompare.errors import shown
from diffcompare.floats import answer, as_floats
from diffcompare.numeric.step_rules import choose_step

X = sympy.Symbol("x")
HUGE = 10**400
F, G = dc.parse("x**2"), dc.parse("x*y")


def square(x):
    return x * x


def total(x):
    return np.sum(np.asarray(x) ** 2)


# what the message begins with, and the call
CALLS = {
    "numerical_diff of x": ("x", lambda b: dc.numerical_diff(square, b)),
    "numerical_diff of h": ("", lambda b: dc.numerical_diff(square, 1.0, b)),
    "numerical_diff of a box": ("", lambda b: dc.numerical_diff(square, 1.0, box=(0, b))),
    "numerical_gradient of x": ("", lambda b: dc.numerical_gradient(total, [1, b])),
    "numerical_gradient of a box": ("", lambda b: dc.numerical_gradient(total, [1.0, 2.0], box=([0, 0], [1, b]))),
    "numerical_jacobian of x": ("", lambda b: dc.numerical_jacobian(total, [1, b])),
    "numerical_hessian of x": ("", lambda b: dc.numerical_hessian(total, [1, b])),
    "numerical_hessian of h": ("", lambda b: dc.numerical_hessian(total, [1.0], b)),
    "numerical_directional of a direction": ("", lambda b: dc.numerical_directional(total, [1, 1], [1, b])),
    "differentiate of x": ("", lambda b: dc.differentiate(square, b)),
    "differentiate of a noise": ("", lambda b: dc.differentiate(square, 1.0, noise=b)),
    "sweep of a point": ("points of x", lambda b: dc.sweep(F, b)),
    "sweep of points": ("points of x, y", lambda b: dc.sweep(G, [[1, b]])),
    "sweep of float32": ("", lambda b: dc.sweep(F, b, dtype="float32")),
    "sweep of steps": ("steps", lambda b: dc.sweep(F, 1.0, steps=[0.1, b])),
    "sweep of a box": ("", lambda b: dc.sweep(F, 1.0, box=(0, b))),
    "step_rules of points": ("points of x", lambda b: dc.step_rules(F, b)),
    "choose_step of x": ("", lambda b: choose_step("Ridders", square, b, noise=1e-16)),
    "geometric_steps": ("", lambda b: dc.geometric_steps(b, 1.0)),
    "geometric_steps per decade": ("per_decade=", lambda b: dc.geometric_steps(1.0, 1e-3, per_decade=b)),
    "gradient_descent of a start": ("", lambda b: dc.gradient_descent(F, b, steps=2)),
    "gradient_descent of a rate": ("learning_rate=", lambda b: dc.gradient_descent(F, 1.0, learning_rate=b, steps=2)),
    "certified_gradient of point of x": ("point of x", lambda b: dc.certified_gradient(F, b)),
    "certified_gradient of point of x, y": ("point of x, y", lambda b: dc.certified_gradient(G, [1.0, b])),
    "certified_jacobian of point of x": ("point of x", lambda b: dc.certified_jacobian(F, b)),
    "certified_hessian of point of x, y": ("point of x, y", lambda b: dc.certified_hessian(G, [b, 1.0])),
    "hot_spots of point of x": ("point of x", lambda b: dc.hot_spots(F, b)),
    "F of points": ("points", lambda b: F(b)),
    "F.complex_values of points": ("points", lambda b: F.complex_values(b)),
    "numerical_gradient of a formula": ("x", lambda b: dc.numerical_gradient(G, [b, 1])),
    "gradient_descent of start": ("start", lambda b: dc.gradient_descent(G, [b, 1])),
    "check_gradient of at": ("at", lambda b: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, b)),
    "check_gradient of at 2": ("at", lambda b: dc.check_gradient(lambda x: x[0] ** 2, lambda x: [2 * x[0]], [b])),
    "check_gradient of at 3": ("at", lambda b: dc.check_gradient(F, lambda x: 2 * x, b)),
    "check_jacobian of at": ("at", lambda b: dc.check_jacobian(lambda x: [x[0]], lambda x: [[1.0]], [b])),
    "check_directional of at": ("at", lambda b: dc.check_directional(lambda x: x[0], lambda x: [1.0], [b])),
    "check_gradient of box": ("box", lambda b: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, 1.0, box=(0, b))),
    "check_gradient of noise": ("noise=", lambda b: dc.check_gradient(lambda x: x**2, lambda x: 2 * x, 1.0, noise=b)),
}


@pytest.mark.parametrize("digits", [400, 5000], ids=["10**400", "10**5000"])
@pytest.mark.parametrize("name", CALLS)
def test_a_number_beyond_the_floats_is_named(name, digits):
    what, call = CALLS[name]
    with pytest.raises(ValueError, match=f"^{what}.*(1000|too many digits|finite)") as caught:
        call(10**digits)
    assert re.search("range|largest float|finite|whole number|at most|numbers", str(caught.value))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("per_decade", [math.inf, math.nan])
def test_steps_per_decade_are_a_whole_number(per_decade):
    with pytest.raises(ValueError, match=f"per_decade={per_decade}: steps per decade must be a whole number"):
        dc.geometric_steps(1.0, 1e-3, per_decade=per_decade)


@pytest.mark.parametrize("value", [HUGE, -HUGE, [HUGE]])
def test_what_a_function_answers_may_be_infinite(value):
    assert np.isinf(answer(value)).all()
    assert np.isnan(dc.numerical_diff(lambda x: value, 1.0)).all()
    assert answer(2**70) == 2.0**70
    assert answer(7) == 7
    assert np.asarray(answer(7)).dtype.kind == "i"


def test_a_row_of_an_infinite_value_is_not_finite():
    for options in ({"evaluate": lambda x: HUGE}, {"evaluate": lambda x: [HUGE] * len(x), "vectorized": True}):
        assert dc.sweep(F, 1.0, schemes="central", steps=[0.1], **options)["status"].tolist() == ["nonfinite"]


def test_what_cannot_be_written_is_described():
    assert shown("a" * 100, 10) == "'aaaaaaaa…"
    assert shown(10**5000) == "int of too many digits to write"


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
