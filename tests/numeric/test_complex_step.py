"""The complex step: right where nothing cancels, refused where f is not analytic."""

import math

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import UnsupportedFunction
from diffcompare.numeric.differences import numerical_diff, numerical_gradient

# as NumPy and as mpmath write them
PAIRS = {
    "exp(x)*x**2": (lambda x: np.exp(x) * x**2, lambda x: mpmath.exp(x) * x**2),
    "sin(x)/x": (lambda x: np.sin(x) / x, lambda x: mpmath.sin(x) / x),
    "log1p(x)*sqrt(x)": (lambda x: np.log1p(x) * np.sqrt(x), lambda x: mpmath.log(1 + x) * mpmath.sqrt(x)),
    "atan(x)**3": (lambda x: np.arctan(x) ** 3, lambda x: mpmath.atan(x) ** 3),
    "tanh(x) - x**2.5": (lambda x: np.tanh(x) - x**2.5, lambda x: mpmath.tanh(x) - x ** mpmath.mpf(2.5)),
}


def quotient(f, x, h):
    """Im F(x + ih)/h; mpmath loses digits of a small imaginary part, hence so many."""
    with mpmath.workdps(500):
        return f(mpmath.mpc(x, h)).imag / mpmath.mpf(h)


# a bug that this finds: a quotient with 2h, the real part, h² lost from the truncation error
@pytest.mark.parametrize("h", [0.1, 1e-4, 1e-20, 1e-200])
@pytest.mark.parametrize("text", PAIRS)
def test_the_quotient_is_that_of_the_exact_function(text, h):
    f, exact = PAIRS[text]
    for x in (0.3, 1.5, 2.75):
        wanted = quotient(exact, x, h)
        for function in (f, dc.parse(text)):
            got = float(numerical_diff(function, x, h, scheme="complex"))
            # rounding of a dozen operations whose values are below 64
            assert abs(got - wanted) <= 12 * 64 * 2.0**-53


def test_nothing_cancels_at_a_tiny_step():
    f = dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)")
    exact = float(dc.certified_gradient(f, 1.5).value[0])
    assert abs(float(numerical_diff(f, 1.5, 1e-100, scheme="complex")) - exact) <= 8 * math.ulp(exact)
    # the wrong twin: a difference at that step is 0
    assert numerical_diff(f, 1.5, 1e-100) == 0.0


def test_the_truncation_error_of_a_cube_is_minus_h_squared():
    # Im (x + ih)³/h = 3x² − h², in numbers that binary64 holds
    assert numerical_diff(lambda x: x * x * x, 2.0, 0.5, scheme="complex") == 11.75


def test_shapes_are_those_of_x():
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert numerical_diff(lambda x: x * x, x, 0.5, scheme="complex").tolist() == (2 * x).tolist()
    assert numerical_gradient(lambda x: np.sum(x * x), x, 0.5, scheme="complex").tolist() == (2 * x).tolist()
    f = dc.parse("x0*x1*x2")
    expected = [[6.0, 3.0, 2.0], [30.0, 24.0, 20.0]]
    assert numerical_gradient(f, x, 0.5, scheme="complex").tolist() == expected
    assert numerical_gradient(dc.parse("x*x"), 3, 0.5, scheme="complex") == 6.0
    assert x.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_the_default_step_is_1e_minus_4():
    assert numerical_diff(np.sin, 1.0, scheme="complex") == numerical_diff(np.sin, 1.0, 1e-4, scheme="complex")


def test_longdouble_stays_and_a_negative_zero_keeps_its_sign():
    x = np.longdouble(1) + np.finfo(np.longdouble).eps
    assert numerical_diff(lambda x: x * x, x, 0.5, scheme="complex") == 2 * x
    seen = []

    def f(z):
        seen.append(complex(z))
        return z

    numerical_diff(f, -0.0, 0.5, scheme="complex")
    assert math.copysign(1.0, seen[0].real) == -1.0


def test_outside_the_real_domain_of_a_formula_there_is_no_number():
    # the complex logarithm of −1 exists
    assert math.isnan(numerical_diff(dc.parse("log(x)"), -1.0, scheme="complex"))
    assert np.isnan(
        numerical_gradient(dc.parse("sqrt(x0)*x1"), [[-1.0, 2.0], [4.0, 2.0]], scheme="complex")
    ).tolist() == [
        [True, True],
        [False, False],
    ]


@pytest.mark.parametrize(
    ("f", "reason"),
    [
        (np.abs, "f returns real numbers for complex ones"),
        (lambda x: float(x.real), "f returns real numbers for complex ones"),
        # both drop the imaginary part, and what is left of the formula would be a wrong derivative
        (lambda x: math.sin(x) * x, "f does not take complex numbers .*(imaginary part|real number)"),
        (lambda x: float(x) * x, "f does not take complex numbers .*(imaginary part|real number)"),
        (np.cbrt, "f does not take complex numbers .*cbrt"),
    ],
    ids=["abs", "real part", "math.sin", "float", "cbrt"],
)
def test_what_is_not_complex_is_refused(f, reason):
    for derive in (numerical_diff, numerical_gradient):
        with pytest.raises(TypeError, match=f'scheme="complex": {reason}.*; choose scheme="central"'):
            derive(f, 1.0, scheme="complex")


def test_an_error_of_f_that_is_another_comes_through():
    with pytest.raises(KeyError, match="inside"):
        numerical_diff(lambda x: {}["inside"], 1.0, scheme="complex")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("x*abs(x - 1)", r"abs in abs\(x - 1\)"),
        ("sign(x)", "sign in"),
        ("min(x, 1)", "min in"),
        ("max(x, 1)", "max in"),
        ("floor(x)", "floor in"),
        ("Piecewise((x, x > 0), (2*x, True))", "greater in x > 0"),
        ("cbrt(x)", "cbrt in"),
        ("erfinv(x)", "erfinv in"),
        ("polygamma(1, x)", "polygamma in"),
        ("atan2(x, 2)", "atan2 in"),
    ],
)
def test_formulas_that_are_not_analytic_are_refused(text, node):
    with pytest.raises(UnsupportedFunction, match=f'{node}.*scheme="complex" does not apply; choose "central"'):
        numerical_diff(dc.parse(text), 2.0, scheme="complex")


def test_higher_derivatives_are_refused():
    with pytest.raises(ValueError, match='derivative=2: scheme="complex" is one of first derivatives'):
        numerical_diff(np.sin, 1.0, scheme="complex", derivative=2)
    assert numerical_diff(lambda x: x * x, 1.0, 0.5, scheme="complex", derivative=1) == 2.0


def pair(x):
    return np.array([x[0] ** 2 * x[1], np.exp(x[0]) - x[1]])


# bugs that these find: columns of the wrong variable, a step that is not along the direction, real parts that move
def test_jacobians_and_slopes_are_those_of_closed_forms():
    a, b, h = 1.5, -2.0, 1e-30
    true = [[2 * a * b, a * a], [math.exp(a), -1.0]]
    for f in (pair, dc.trace(pair, (2,))):
        found = dc.numerical_jacobian(f, [a, b], h, scheme="complex")
        assert np.max(np.abs(found - true)) <= 4 * math.ulp(8.0)
        slopes = dc.numerical_directional(f, [a, b], [2, -1], h, scheme="complex")
        assert np.max(np.abs(slopes - np.array(true) @ [2, -1])) <= 8 * math.ulp(16.0)
    # Im (x + 0.5i)³/0.5 = 3x² − 0.25
    assert dc.numerical_jacobian(lambda x: x * x * x, [2.0, 4.0], 0.5, scheme="complex").tolist() == [
        [11.75, 0.0],
        [0.0, 47.75],
    ]


def test_jacobians_of_formulas_have_the_shapes_of_points():
    points = [[1.0, 2.0], [3.0, 4.0]]
    found = dc.numerical_jacobian(dc.trace(pair, (2,)), points, 1e-30, scheme="complex")
    assert found.shape == (2, 2, 2)
    assert found[1, 0].tolist() == [24.0, 9.0]
    assert dc.numerical_jacobian(dc.parse("x*x"), [1.0, 3.0], 1e-30, scheme="complex").tolist() == [2.0, 6.0]


def test_a_direction_leaves_negative_zeros_alone():
    seen = []

    def f(z):
        seen.append(z.copy())
        return z[0] * z[1]

    dc.numerical_directional(f, [-0.0, 3.0], [1.0, 2.0], 0.5, scheme="complex")
    assert str(seen[0].tolist()) == "[(-0+0.5j), (3+1j)]"


def abs_first(x):
    return np.abs(x[0]) * x[1]


def filled(x):
    out = np.zeros(2)
    out[0] = x[0]
    return out


def test_jacobians_and_slopes_are_refused_for_the_same_reasons():
    for derive in (dc.numerical_jacobian, lambda f, x, **options: dc.numerical_directional(f, x, [1, 1], **options)):
        with pytest.raises(TypeError, match=r"f returns real numbers for complex ones; choose"):
            derive(lambda x: np.abs(x), [1.0, 2.0], scheme="complex")
        with pytest.raises(TypeError, match=r"f does not take complex numbers \(.*; choose"):
            derive(filled, [1.0, 2.0], scheme="complex")
        with pytest.raises(UnsupportedFunction, match=r"abs in abs\(x0\).*; choose"):
            derive(dc.trace(abs_first, (2,)), [1.0, 2.0], scheme="complex")


def test_a_hessian_by_complex_step_is_refused_with_what_to_use():
    with pytest.raises(ValueError, match=r"one of first derivatives: .*gradient of f to numerical_jacobian .*central"):
        dc.numerical_hessian(pair, [1.0, 2.0], scheme="complex")
    # what the message says: ∂²(x³y) from its gradient
    found = dc.numerical_jacobian(
        lambda x: np.array([3 * x[0] ** 2 * x[1], x[0] ** 3]), [2.0, 3.0], 1e-30, scheme="complex"
    )
    assert found.tolist() == [[36.0, 12.0], [12.0, 0.0]]


def test_where_a_stencil_is_needed_the_complex_step_is_refused():
    with pytest.raises(ValueError, match='scheme="complex": a weighted sum of values of f is needed here; choose'):
        dc.testing.steps("complex")
    with pytest.raises(ValueError, match=r"scheme='cplx': unknown scheme; choose from .*, or complex$"):
        numerical_diff(np.sin, 1.0, scheme="cplx")
