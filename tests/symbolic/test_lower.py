"""SymPy expressions become programs with equal values; literals keep theirs; the rest is refused by name."""

from fractions import Fraction

import mpmath
import pytest
import sympy

import diffcompare as dc
from diffcompare.symbolic.lower import lower, lower_all

X, Y = sympy.symbols("x y")
H = sympy.Rational(1, 2)

EXPRESSIONS = [
    X + Y,
    X - Y,
    -X,
    X * Y,
    X / Y,
    -X / Y,
    2 * X - 3 * Y + 1,
    -X - Y,
    X * (X + Y) / 3,
    X**2,
    X**-3,
    X**5 * Y**-2,
    sympy.sqrt(X),
    1 / sympy.sqrt(X),
    X**H * Y ** -sympy.Rational(1, 3),
    X ** sympy.Rational(2, 3),
    X**Y,
    Y**X,
    2**X,
    X**sympy.pi,
    sympy.exp(X),
    sympy.exp(-X),
    sympy.E**Y,
    sympy.log(X),
    sympy.log(X, 2),
    sympy.log(X, 10),
    sympy.sin(X),
    sympy.cos(X),
    sympy.tan(X),
    sympy.cot(X),
    sympy.sec(X),
    sympy.csc(X),
    sympy.asin(X / 2),
    sympy.acos(X / 2),
    sympy.atan(X),
    sympy.acot(X),
    sympy.asec(2 + X),
    sympy.acsc(2 + X),
    sympy.sinh(X),
    sympy.cosh(X),
    sympy.tanh(X),
    sympy.coth(X),
    sympy.sech(X),
    sympy.csch(X),
    sympy.asinh(X),
    sympy.acosh(2 + X),
    sympy.atanh(X / 2),
    sympy.acoth(2 + X),
    sympy.asech(X / 2),
    sympy.acsch(X),
    sympy.atan2(X, Y),
    sympy.Abs(X - Y),
    sympy.sign(X - Y),
    sympy.Max(X, Y, H),
    sympy.Min(X, Y, H),
    sympy.Piecewise((X, X > Y), (Y, True)),
    sympy.Piecewise((X, X < 0), (Y, X < 2), (7, True)),
    sympy.Piecewise((X, sympy.And(X > 0, Y < 5)), (Y, True)),
    sympy.Piecewise((X, sympy.Or(X < 0, sympy.Not(Y >= 5))), (Y, True)),
    sympy.Piecewise((X, sympy.Eq(X, Y)), (Y, sympy.Ne(X, 3)), (1, True)),
    sympy.Heaviside(X - Y),
    sympy.Heaviside(Y - X),
    sympy.pi * X + sympy.E,
    sympy.Integer(7),
    X,
    sympy.cbrt(X),
    sympy.exp(sympy.exp(X)) - sympy.sin(sympy.cos(Y)),
]


def value(program, point):
    """Run a program in SymPy's rational and symbolic numbers: only what the nodes say."""
    functions = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "divide": lambda a, b: a / b,
        "negative": lambda a: -a,
        "power": lambda a, b: a**b,
        "abs": abs,
        "sign": sympy.sign,
        "min": min,
        "max": max,
        "less": lambda a, b: a < b,
        "less_equal": lambda a, b: a <= b,
        "greater": lambda a, b: a > b,
        "greater_equal": lambda a, b: a >= b,
        "equal": lambda a, b: a == b,
        "not_equal": lambda a, b: a != b,
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "not": lambda a: not a,
        "select": lambda c, a, b: a if c else b,
        "true": lambda: True,
        "false": lambda: False,
        "pi": lambda: +mpmath.pi,
        "e": lambda: +mpmath.e,
        "undefined": lambda: mpmath.nan,
    }
    values = []
    for node in program.nodes:
        operands = [values[i] for i in node.operands]
        if node.operation == "constant":
            values.append(mpmath.mpf(node.payload.numerator) / node.payload.denominator)
        elif node.operation == "variable":
            values.append(mpmath.mpf(point[node.payload]))
        elif node.operation == "integer_power":
            values.append(operands[0] ** node.payload)
        else:
            function = functions.get(node.operation) or getattr(mpmath, node.operation)
            values.append(mpmath.sign(operands[0]) if node.operation == "sign" else function(*operands))
    return [values[i] for i in program.outputs]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
@pytest.mark.parametrize("point", [(0.75, 1.25), (1.5, 0.375)])
def test_programs_have_the_values_of_their_expressions(expr, point):
    with mpmath.workdps(50):
        (found,) = value(lower(expr, ["x", "y"]), point)
        exact = expr.subs({X: sympy.Rational(point[0]), Y: sympy.Rational(point[1])}, simultaneous=True).evalf(60)
        expected = mpmath.mpf(exact._mpf_) if exact.is_Float else mpmath.mpf(int(exact.p)) / int(exact.q)
        assert abs(found - expected) <= abs(expected) * mpmath.mpf(10) ** -45


def constants(program):
    return {Fraction(node.payload) for node in program.nodes if node.operation == "constant"}


def test_floats_are_binary_and_rationals_exact():
    assert constants(lower(sympy.Float(0.1) * X, ["x"])) == {Fraction(0.1)}
    assert constants(lower(sympy.Rational(1, 10) + X, ["x"])) == {Fraction(1, 10)}
    assert constants(lower(sympy.Float("0.1", 50) * X, ["x"])) != {Fraction(0.1)}
    assert constants(lower(X + sympy.Float(-0.3), ["x"])) <= {Fraction(0.3), Fraction(-0.3)}
    assert constants(lower(sympy.Float(2.0) ** -1070 * X, ["x"])) == {Fraction(1, 2**1070)}


@pytest.mark.parametrize("exponent", [2.0, -2.0, 3.0, 1.0])
def test_whole_floats_as_exponents_are_whole_powers(exponent):
    # SymPy 1.13 and later: Float(2.0) == 2 is False, so that they became powers of a positive base only
    f = dc.SymbolicFunction(X ** sympy.Float(exponent), [X])
    found = dc.certified_gradient(f, -2.0)
    assert found.status == ["ok"]
    assert found.value[0] == exponent * (-2.0) ** (exponent - 1)


def test_other_exponents_need_a_positive_base():
    for exponent in (sympy.Float(0.5), sympy.Rational(1, 3), sympy.Float(2.5)):
        assert dc.certified_gradient(dc.SymbolicFunction(X**exponent, [X]), -2.0).status == ["domain"]


def test_sums_and_products_are_chains_in_the_printed_order():
    for expr, expected in [
        (X**2 - Y + 3, ["integer_power", "subtract", "add"]),
        (-X * Y / 3, ["multiply", "divide", "negative"]),
        (3 + Y - sympy.sin(X), ["sin", "subtract", "add"]),
    ]:
        nodes = lower(expr, ["x", "y"]).nodes
        assert [n.operation for n in nodes if n.operands] == expected, str(expr)


def test_several_expressions_share_their_nodes():
    program = lower_all([sympy.sin(X) * Y, sympy.sin(X) + 1], ["x", "y"])
    assert len(program.outputs) == 2
    assert sum(node.operation == "sin" for node in program.nodes) == 1


@pytest.mark.thorough
def test_a_long_sum_and_a_deep_chain_are_lowered():
    assert len(lower(sympy.Add(*[sympy.sin(k * X) for k in range(1, 400)]), ["x"])) > 1000
    deep = X
    for _ in range(150):
        deep = sympy.sin(deep)
    assert len(lower(deep, ["x"])) == 151


@pytest.mark.parametrize(
    ("expr", "name"),
    [
        (sympy.Sum(X, (Y, 1, 3)), "Sum"),
        (sympy.Product(X, (Y, 1, 3)), "Product"),
        (sympy.Integral(X**X, X), "Integral"),
        (sympy.Derivative(sympy.Function("g")(X), X), "Derivative"),
        (sympy.I * X, "ImaginaryUnit"),
        (sympy.zoo, "ComplexInfinity"),
        (sympy.oo, "Infinity"),
        (-sympy.oo, "NegativeInfinity"),
        (sympy.erf2(X, Y), "erf2"),
        (sympy.frac(X), "frac"),
        (sympy.hyper([1], [2], X), "hyper"),
        (sympy.Mod(X, 2), "Mod"),
        (sympy.re(X), "re"),
        (sympy.DiracDelta(X), "DiracDelta"),
        (sympy.Function("g")(X), "g"),
        (sympy.hankel1(0, X), "hankel1"),
        (sympy.Chi(X), "Chi"),
        (X + sympy.EulerGamma, "EulerGamma"),
    ],
    ids=str,
)
def test_what_is_not_supported_is_named(expr, name):
    with pytest.raises(dc.UnsupportedFunction, match=rf"^{name}\b.*: not supported"):
        lower(expr, ["x", "y"])


def test_other_refusals():
    with pytest.raises(dc.UnsupportedFunction, match="symbol 'y' is not among the variables; add it to them"):
        lower(X + Y, ["x"])
    with pytest.raises(dc.UnsupportedFunction, match="constant exponents go to 1000"):
        lower(X**1001, ["x"])
    with pytest.raises(dc.UnsupportedFunction, match="4096 bits"):
        lower(X + sympy.Integer(2) ** 5000, ["x"])
    with pytest.raises(dc.UnsupportedFunction, match="division by an exact zero"):
        lower(sympy.Pow(sympy.Add(1, -1, evaluate=False), -1, evaluate=False) + X, ["x"])


@pytest.mark.parametrize("value", [-2.5, -0.1, 0.1, -1e300])
def test_a_float_keeps_its_sign(value):
    assert dc.SymbolicFunction(sympy.Float(value) * X, [X])(1.0) == value
    assert dc.SymbolicFunction(X + sympy.Float(value), [X])(0.0) == value
    assert dc.SymbolicFunction(sympy.Float(value), [X])(0.0) == value
