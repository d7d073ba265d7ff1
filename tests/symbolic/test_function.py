"""Functions as objects: evaluation, other namespaces, names."""

import math

import mpmath
import numpy as np
import pytest
import sympy

import diffcompare as dc

FORMULAS = [
    "x**3 - y/x",
    "sin(x)*cos(y) + tan(x)",
    "asin(x/4)*acos(y/4) - atan(x)",
    "atan2(x, y)",
    "exp(x) + exp2(y) - expm1(x)",
    "log(x) + log2(y)*log10(x) - log1p(y)",
    "sqrt(x)*cbrt(y) + hypot(x, y)",
    "sinh(x) + cosh(y)*tanh(x)",
    "asinh(x)*acosh(y + 2) + atanh(x/4)",
    "abs(x - y)*sign(y - x)",
    "max(x, y, 1/3)*min(x, y, 2)",
    "where(x < y, x**2, y**-2)",
    "where((x >= 1) and not (y > 1) or (x == y), pi*x, E*y)",
    "x**y",
    "x**0.3",
    "0.1*x + 1e300*y*1e-300",
    "deg2rad(x)",
    "sec(x) + csc(y) + cot(x)",
    "acot(x) + asec(y + 2) + acsc(y + 2)",
    "coth(x)*sech(y)*csch(x)",
    "acoth(x + 2) + asech(y/4) + acsch(x)",
    "where(x != y, 1/3, 2/3)",
]
POINTS = [(0.75, 1.25), (1.5, 0.375), (2.0, 2.0)]


@pytest.mark.parametrize("text", FORMULAS)
def test_math_and_numpy_agree(text):
    f = dc.parse(text, variables=["x", "y"])
    for point in POINTS:
        plain, array = float(f.callable(math)(*point)), float(f(point))
        # both libraries are within a few units in the last place, magnified by the operations that follow
        assert abs(plain - array) <= 64 * math.ulp(array) + 2.0**-50


@pytest.mark.parametrize(
    "text", ["x**3 - y/x", "0.1*x + 1e300*y*1e-300", "abs(x - y)*sign(y - x)", "sqrt(x)/y", "max(x, y, 1/3)"]
)
def test_what_rounds_correctly_agrees_to_the_last_bit(text):
    f = dc.parse(text, variables=["x", "y"])
    if "**" in text:
        return
    for point in POINTS:
        assert float(f.callable(math)(*point)) == f(point)


class Mathematics:
    """The functions of mpmath under the names that programs look for."""

    def __getattr__(self, name):
        found = {
            "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
            "hypot": lambda a, b: mpmath.sqrt(a * a + b * b),
            "log2": lambda x: mpmath.log(x, 2),
            "abs": abs,
        }
        return found[name] if name in found else getattr(mpmath, name)


@pytest.mark.parametrize("text", FORMULAS)
def test_mpmath_is_a_namespace_too(text):
    f = dc.parse(text, variables=["x", "y"])
    for point in POINTS:
        high = float(f.callable(Mathematics())(*map(mpmath.mpf, point)))
        assert abs(high - f(point)) <= 64 * math.ulp(high) + 2.0**-50


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("where(x > 0, log(x), 7)", -1.0, 7.0),
        ("where(x > 0, 1/x, 3)", 0.0, 3.0),
        ("where(x < 0, 1, sqrt(x))", -4.0, 1.0),
    ],
)
def test_a_branch_that_is_not_taken_is_not_needed(text, point, expected):
    f = dc.parse(text)
    assert f(point) == expected
    with np.errstate(all="ignore"):
        assert f.callable(np)(np.array([point])).tolist() == [expected]
    # math raises where NumPy says nan: the branch must not be evaluated
    assert f.callable(math)(point) == expected


def test_a_namespace_without_the_function_is_named():
    class Empty:
        __name__ = "empty"

    with pytest.raises(dc.UnsupportedFunction, match="empty has no function 'sin'"):
        dc.parse("sin(x)").callable(Empty())
    assert dc.parse("abs(x)*sign(x) + max(x, 1)").callable(Empty())(-2.0) == -1.0


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (2, 0), (2, 1, 2)])
def test_one_variable_is_elementwise(shape):
    f = dc.parse("exp(x)*x")
    points = np.random.default_rng(1).normal(size=shape)
    result = f(points)
    assert np.shape(result) == shape
    assert np.ravel(result).tolist() == [float(f(v)) for v in np.ravel(points)]


@pytest.mark.parametrize("shape", [(2,), (1, 2), (3, 2), (4, 3, 2), (0, 2)])
def test_the_last_axis_holds_the_variables(shape):
    f = dc.parse("x - 2*y")
    points = np.random.default_rng(1).normal(size=shape)
    result = f(points)
    assert np.shape(result) == shape[:-1]
    assert np.ravel(result).tolist() == (points[..., 0] - 2 * points[..., 1]).ravel().tolist()


@pytest.mark.parametrize("points", [1.0, [1.0], [1.0, 2.0, 3.0], [[1.0], [2.0]]])
def test_points_of_another_shape_are_refused(points):
    with pytest.raises(ValueError, match="the last axis must have length 2, one coordinate for each of x, y"):
        dc.parse("x*y")(points)


def test_results_are_new_float64_arrays():
    f = dc.parse("x")
    points = np.array([1.0, 2.0])
    result = f(points)
    result[0] = 9.0
    assert points.tolist() == [1.0, 2.0]
    assert f([1, 2]).dtype == np.float64
    assert isinstance(f(3), np.float64)
    constant = dc.parse("7", variables=["x"])
    assert constant(np.zeros((2, 3))).tolist() == [[7.0] * 3] * 2
    assert constant(0.0) == 7.0


def test_a_value_does_not_depend_on_how_the_array_lies_in_memory():
    f = dc.parse("exp(x)*sin(x)")
    points = np.random.default_rng(2).normal(size=401)
    straight = f(points)
    assert f(points[::-1])[::-1].tolist() == straight.tolist()
    assert f(points[::2]).tolist() == straight[::2].tolist()
    assert f(np.asfortranarray(points[:400].reshape(20, 20))).ravel().tolist() == straight[:400].tolist()


def test_undefined_points_are_nan_without_a_warning():
    assert math.isnan(dc.parse("log(x)")(-1.0))
    assert np.isnan(dc.parse("sqrt(x)")([-1.0, 4.0])).tolist() == [True, False]


def test_names_and_formulas():
    x = sympy.Symbol("x")
    f = dc.SymbolicFunction(x**2 + 1, [x])
    assert (f.name, f.formula, f.source, f.variables) == ("x**2 + 1", "x**2 + 1", "sympy", ("x",))
    assert dc.SymbolicFunction(x, ["x", "y"], name="first").name == "first"
    assert repr(f) == "SymbolicFunction('x**2 + 1', variables=['x'])"
    g = dc.parse("x^2+1")
    assert (g.name, g.formula, g.source) == ("x^2+1", "x^2+1", "text")
    assert g.expr == x**2 + 1
    assert dc.SymbolicFunction(3, [x])(1.0) == 3.0


def test_an_attribute_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'derivative'"):
        getattr(dc.parse("x"), "derivative")  # noqa: B009 - as a statement it would be one of no effect


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x", "x"], "a name is repeated; list each once"),
        (["a b"], "a name must be visible"),
        (["a;b"], "a name must be visible"),
        (["a=b"], "a name must be visible"),
        ([""], "a name must be visible"),
    ],
)
def test_names_that_no_point_could_show_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        dc.SymbolicFunction(sympy.Integer(1), names)


def test_an_expression_must_be_one():
    with pytest.raises((TypeError, ValueError, sympy.SympifyError)):
        dc.SymbolicFunction("x**2", ["x"])
    with pytest.raises(dc.UnsupportedFunction, match="symbol 'y' is not among the variables"):
        dc.SymbolicFunction(sympy.Symbol("y"), ["x"])
