"""What SymPy is asked, and what it is never asked: every answer within two seconds."""

import time

import pytest
import sympy

import diffcompare as dc
from diffcompare.symbolic.derivatives import affordable, derivative_latex, gradient, gradient_program, latex
from diffcompare.symbolic.limits import is_quick

X, Y = sympy.symbols("x y")
# no claim of speed: SymPy that takes so long hangs
SECONDS = 20.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**3", [3 * X**2]),
        ("x*y**2 + sin(x)", [Y**2 + sympy.cos(X), 2 * X * Y]),
        ("0.1*x**3", [3 * X**2 / 10]),
        ("exp(x*y)", [Y * sympy.exp(X * Y), X * sympy.exp(X * Y)]),
        ("log2(x)", [1 / (X * sympy.log(2))]),
    ],
)
def test_gradients_are_those_of_sympy(text, expected):
    found = gradient(dc.parse(text))
    assert [sympy.simplify(a - b) for a, b in zip(found, expected, strict=True)] == [0] * len(expected)
    assert all(symbol.is_real is None for partial in found for symbol in partial.free_symbols)


def test_floats_are_not_folded_in_floating_point():
    f = dc.SymbolicFunction(0.1 * X**3, [X])
    (partial,) = gradient(f)
    assert not partial.has(sympy.Float)
    assert partial.coeff(X**2) == 3 * sympy.Rational(0.1)


def test_a_formula_of_sympy_stays_as_it_was_written():
    f = dc.SymbolicFunction(sympy.sec(X) + 1 / sympy.cot(X), [X])
    assert f.expr == sympy.sec(X) + 1 / sympy.cot(X)
    assert latex(f) == sympy.latex(sympy.sec(X) + 1 / sympy.cot(X))


def test_latex():
    f = dc.parse("x**2/3 + sqrt(y)")
    assert latex(f) == sympy.latex(X**2 / 3 + sympy.sqrt(Y))
    lines = derivative_latex(f).splitlines()
    assert lines == [sympy.latex(2 * X / 3), sympy.latex(1 / (2 * sympy.sqrt(Y)))]


def test_the_derivative_as_a_program():
    program = gradient_program(dc.parse("x**2*sin(y)"))
    assert len(program.outputs) == 2
    assert program.variables == ("x", "y")
    f = dc.parse("x**2*sin(y)")
    assert gradient_program(f) is gradient_program(f)


def test_variables_are_real():
    # of complex variables SymPy differentiates abs to Derivative(re(x), x)
    assert gradient(dc.parse("abs(x)")) == [sympy.sign(X)]
    assert gradient_program(dc.parse("abs(x)*x")) is not None
    assert gradient_program(dc.parse("sqrt(x**2)*y")) is not None


def test_a_derivative_that_has_no_row_is_no_program():
    assert gradient_program(dc.parse("sign(x)*x")) is None  # DiracDelta


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**2", True),
        ("exp(600)*x", True),
        ("exp(700)*x", False),
        ("exp(-700)*x", False),
        ("x*2**1000*4", False),
        ("x*exp(exp(exp(5)))", False),
        ("where(exp(exp(exp(100))) > 1, x, 0)", False),
        ("+".join(f"x{i}" for i in range(8)), True),
        ("+".join(f"x{i}" for i in range(9)), False),
        ("+".join(f"sin({i}*x)" for i in range(1, 90)), False),
        ("log(-1)*x", False),
        # SymPy's cube root of a real number names its argument twice: 12 nested ones are 14 MB of LaTeX
        ("cbrt(" * 12 + "x" + ")" * 12, False),
        ("cbrt(x) + cbrt(y)", True),
    ],
)
def test_the_limits(text, expected):
    assert affordable(dc.parse(text).program) is expected


@pytest.mark.parametrize(
    ("quick", "slow"),
    [
        ("sin(" * 15 + "x" + ")" * 15, "sin(" * 16 + "x" + ")" * 16),
        ("+".join(f"abs(x{i})" for i in range(4)), "+".join(f"abs(x{i})" for i in range(5))),
        # of a cube root the argument stands there twice
        ("cbrt(cbrt(x))", "cbrt(cbrt(cbrt(x)))"),
        ("+".join(f"sin({i})*x" for i in range(2, 8)), "+".join(f"sin({i})*x" for i in range(2, 9))),
        ("+".join(f"sin({i}*x)" for i in range(2, 42)), "+".join(f"sin({i}*x)" for i in range(2, 43))),
        ("(x**1000)**5", "(x**1000)**5 + 1"),
        ("gammaln(abs(x)**4)", "gammaln(abs(x)**5)"),
    ],
)
def test_the_limits_of_what_sympy_answers_at_once(quick, slow):
    assert [is_quick(dc.parse(text).program) for text in (quick, slow)] == [True, False]


@pytest.mark.parametrize("text", ["x*exp(exp(exp(5)))", "+".join(f"x{i}" for i in range(9))])
def test_beyond_the_limits_the_answers_are_empty(text):
    f = dc.parse(text)
    assert f.expr is None
    assert latex(f) == derivative_latex(f) == ""
    assert gradient(f) is gradient_program(f) is None


@pytest.mark.parametrize(
    "text", ["x + tan(pi/2)", "csc(pi)*x", "x + 1/sin(pi)", "log(0) + x", "where(x > 0, x, log(0))"]
)
def test_infinities_of_sympy_are_never_shown(text):
    f = dc.parse(text)
    assert f.expr is None or not f.expr.has(sympy.zoo, sympy.oo, sympy.nan, sympy.I)
    assert r"\infty" not in latex(f) + derivative_latex(f)


SLOW = [
    "where(exp(exp(exp(100))) > 1, x, 0)",
    "x*abs(sin(exp(exp(exp(5)))))",
    "max(sin(exp(exp(exp(5)))), 0)*x",
    "max(sin(exp(exp(6))), 0)*x",
    "x**1000",
    "(x + 1)**1000*(x + 2)**1000",
    "*".join(f"(x{i} + {i})**1000" for i in range(8)),
    "sin(" * 55 + "x" + ")" * 55,
    "sqrt(1 + " * 55 + "x" + ")" * 55,
    "log(1 + " * 55 + "x" + ")" * 55,
    "abs(" * 12 + "sin(x)" + " - 0.1)" * 12,
    "where(x > 0, " * 12 + "x" + ", x**2)" * 12,
    "max(" * 11 + "x" + "".join(f", x**{i})" for i in range(2, 13)),
    "max(x, " + ", ".join(f"x**{i}" for i in range(2, 12)) + ")",
    "max(" + ", ".join(f"sin({i}*x) + {i}" for i in range(1, 13)) + ")",
    "max(" + ", ".join(f"x{i}*{i + 1} + sin(x{(i + 1) % 8})" for i in range(8)) + ")",
    "max(abs(x), abs(y), abs(z), abs(x + y), abs(y + z))",
    "cbrt(" * 9 + "x" + ")" * 9,
    "hypot(" * 20 + "x" + ", y)" * 20,
    "where(sqrt(2) + sqrt(3) > sqrt(5 + 2*sqrt(6)), x, 0)",
    "max(16*atan(1/5) - 4*atan(1/239), pi)*x",
    "abs(sin(1)**2 + cos(1)**2 - 1)*x",
    "*".join(f"sin(x**{i})" for i in range(1, 60)),
    "sin(pi*" + "9" * 190 + "/7)*x",
    "where(" + " and ".join(f"(x > {i} or y < {i})" for i in range(30)) + ", x, 0)",
]


@pytest.mark.thorough
@pytest.mark.parametrize("text", SLOW, ids=lambda text: text if len(text) < 50 else f"{text[:47]}...")
def test_hard_formulas_are_answered_soon(text):
    f = dc.parse(text)
    for ask in (
        latex,
        derivative_latex,
        lambda f: dc.certified_gradient(f, [1.25 + 0.125 * i for i in range(len(f.variables))]),
    ):
        start = time.process_time()
        ask(f)
        assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    ("text", "at", "value"),
    [("log2(x)", 8, 3), ("log10(x)", 1000, 3), ("log1p(x)", 0, 0), ("expm1(x)", sympy.log(3), 2), ("exp2(x)", 5, 32)],
)
def test_functions_that_sympy_lacks_are_written_with_those_it_has(text, at, value):
    assert sympy.simplify(dc.parse(text).expr.subs(X, at) - value) == 0
