"""The table of operations: every local partial is SymPy's derivative, every derived function SymPy's function."""

from fractions import Fraction

import pytest
import sympy

from diffcompare.program.dag import Builder, Program, Term
from diffcompare.program.operations import COMPARISONS, DERIVED, FALLBACKS, INFIX, OPERATIONS, REAL_NAMES, partial_terms
from diffcompare.program.special_functions import ROWS

X, Y = sympy.symbols("x y", real=True)

EVERYWHERE = ["-7/3", "-1/7", "1/9", "5/4", "11/3"]
POSITIVE = ["1/9", "2/3", "5/4", "11/3"]
INSIDE_1 = ["-7/8", "-1/3", "1/9", "6/7"]
NOT_0 = ["-7/3", "-1/7", "1/9", "11/3"]
PAIRS = [("-7/3", "2/5"), ("-1/7", "-3"), ("5/4", "7/2"), ("1/9", "-2/3"), ("4", "1/3")]
POSITIVE_BASE = [("1/9", "2/5"), ("5/4", "-7/3"), ("7/2", "3"), ("2/3", "0")]

# one row per operation, by hand: the operation as SymPy writes it, and points of its domain
UNARY = {
    "negative": (-X, EVERYWHERE),
    "sqrt": (sympy.sqrt(X), POSITIVE),
    "cbrt": (sympy.real_root(X, 3), NOT_0),
    "exp": (sympy.exp(X), EVERYWHERE),
    "exp2": (2**X, EVERYWHERE),
    "expm1": (sympy.exp(X) - 1, EVERYWHERE),
    "log": (sympy.log(X), POSITIVE),
    "log2": (sympy.log(X, 2), POSITIVE),
    "log10": (sympy.log(X, 10), POSITIVE),
    "log1p": (sympy.log(1 + X), ["-8/9", *POSITIVE]),
    "sin": (sympy.sin(X), EVERYWHERE),
    "cos": (sympy.cos(X), EVERYWHERE),
    "tan": (sympy.tan(X), EVERYWHERE),
    "asin": (sympy.asin(X), INSIDE_1),
    "acos": (sympy.acos(X), INSIDE_1),
    "atan": (sympy.atan(X), EVERYWHERE),
    "sinh": (sympy.sinh(X), EVERYWHERE),
    "cosh": (sympy.cosh(X), EVERYWHERE),
    "tanh": (sympy.tanh(X), EVERYWHERE),
    "asinh": (sympy.asinh(X), EVERYWHERE),
    "acosh": (sympy.acosh(X), ["9/8", "5/4", "11/3"]),
    "atanh": (sympy.atanh(X), INSIDE_1),
    "abs": (sympy.Piecewise((X, X > 0), (-X, True)), NOT_0),
    "sign": (sympy.Piecewise((1, X > 0), (-1, True)), NOT_0),
}
BINARY = {
    "add": (X + Y, PAIRS),
    "subtract": (X - Y, PAIRS),
    "multiply": (X * Y, PAIRS),
    "divide": (X / Y, PAIRS),
    "power": (X**Y, POSITIVE_BASE),
    "hypot": (sympy.sqrt(X**2 + Y**2), PAIRS),
    "atan2": (sympy.atan2(X, Y), PAIRS),
    "min": (sympy.Piecewise((X, X < Y), (Y, True)), PAIRS),
    "max": (sympy.Piecewise((X, X > Y), (Y, True)), PAIRS),
}
ANY_NUMBER = {"sum", "dot"}
WITHOUT_PARTIALS = {"constant", "variable", "pi", "e", "undefined", "true", "false", "and", "or", "not", "select"}
WITHOUT_PARTIALS |= COMPARISONS

DERIVED_FUNCTIONS = {
    "cot": (sympy.cot(X), NOT_0),
    "sec": (sympy.sec(X), EVERYWHERE),
    "csc": (sympy.csc(X), NOT_0),
    "acot": (sympy.acot(X), NOT_0),
    "asec": (sympy.asec(X), ["-7/3", "5/4", "11/3"]),
    "acsc": (sympy.acsc(X), ["-7/3", "5/4", "11/3"]),
    "coth": (sympy.coth(X), NOT_0),
    "sech": (sympy.sech(X), EVERYWHERE),
    "csch": (sympy.csch(X), NOT_0),
    "acoth": (sympy.acoth(X), ["-7/3", "5/4", "11/3"]),
    "asech": (sympy.asech(X), ["1/9", "2/3"]),
    "acsch": (sympy.acsch(X), NOT_0),
    "square": (X**2, EVERYWHERE),
    "reciprocal": (1 / X, NOT_0),
    "deg2rad": (X * sympy.pi / 180, EVERYWHERE),
}


def evaluate(term: Term, point: list[sympy.Rational]) -> sympy.Expr:
    """Carry a term out in SymPy's numbers; the functions are those that stand in the tables above."""
    values: list[object] = []
    for node in term.builder.nodes[: term.index + 1]:
        operands = [values[i] for i in node.operands]
        match node.operation:
            case "constant":
                fraction = Fraction(node.payload)
                values.append(sympy.Rational(fraction.numerator, fraction.denominator))
            case "variable":
                values.append(point[int(node.payload)])
            case "pi":
                values.append(sympy.pi)
            case "sum" | "dot":
                values.append(None)  # the result itself: no partial of these two uses it
            case "integer_power":
                values.append(operands[0] ** int(node.payload))
            case "less":
                values.append(bool(operands[0] < operands[1]))
            case "greater":
                values.append(bool(operands[0] > operands[1]))
            case "select":
                values.append(operands[1] if operands[0] else operands[2])
            case name if name in UNARY:
                values.append(UNARY[name][0].subs(X, operands[0]))
            case name:
                values.append(BINARY[name][0].subs({X: operands[0], Y: operands[1]}, simultaneous=True))
    return values[term.index]


def agree(one: sympy.Expr, other: sympy.Expr) -> bool:
    """Tell whether two values are equal to 50 digits."""
    one, other = (sympy.sympify(v).evalf(70) for v in (one, other))
    return bool(abs(one - other) <= abs(other) * sympy.Rational(1, 10**50))


def local_partials(operation: str, payload: int | None, arity: int) -> list[Term]:
    build = Builder(("x", "y"))
    operands = [Term(build, build.variable(i)) for i in range(arity)]
    result = operands[0].apply(operation, *operands[1:], payload=payload)
    return list(partial_terms(operation, payload, result, operands))


def test_every_row_is_covered():
    special = {row.name for row in ROWS}  # tests/program/test_special_functions.py
    assert set(OPERATIONS) - special == set(UNARY) | set(BINARY) | WITHOUT_PARTIALS | ANY_NUMBER | {"integer_power"}
    assert set(DERIVED) == set(DERIVED_FUNCTIONS)


@pytest.mark.parametrize(("name", "point"), [(name, p) for name, (_, points) in UNARY.items() for p in points])
def test_partial_of_one_operand_is_the_derivative_of_sympy(name, point):
    (partial,) = local_partials(name, None, 1)
    at = sympy.Rational(point)
    if name == "cbrt":  # SymPy's real_root is a Piecewise that it does not differentiate on the negative axis
        expected = sympy.diff(X ** sympy.Rational(1, 3), X).subs(X, abs(at))
    else:
        expected = sympy.diff(UNARY[name][0], X).subs(X, at)
    assert agree(evaluate(partial, [at]), expected)


@pytest.mark.parametrize(("name", "point"), [(name, p) for name, (_, points) in BINARY.items() for p in points])
def test_partials_of_two_operands_are_the_derivatives_of_sympy(name, point):
    at = [sympy.Rational(p) for p in point]
    for partial, symbol in zip(local_partials(name, None, 2), (X, Y), strict=True):
        expected = sympy.diff(BINARY[name][0], symbol).subs({X: at[0], Y: at[1]}, simultaneous=True)
        assert agree(evaluate(partial, at), expected)


@pytest.mark.parametrize("n", range(-3, 6))
@pytest.mark.parametrize("point", NOT_0)
def test_partial_of_an_integer_power_is_the_derivative_of_sympy(n, point):
    (partial,) = local_partials("integer_power", n, 1)
    at = sympy.Rational(point)
    assert evaluate(partial, [at]) == sympy.diff(X**n, X).subs(X, at)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_partials_of_sums_and_dot_products_are_the_derivatives_of_sympy(size):
    symbols = sympy.symbols(f"u:{2 * size}", real=True)
    at = {symbol: sympy.Rational(3 * i - 4, 7) for i, symbol in enumerate(symbols)}
    dot = sum(a * b for a, b in zip(symbols[:size], symbols[size:], strict=True))
    for name, expr, used in (("sum", sum(symbols[:size]), symbols[:size]), ("dot", dot, symbols)):
        build = Builder([str(symbol) for symbol in used])
        operands = [Term(build, build.variable(i)) for i in range(len(used))]
        partials = partial_terms(name, None, operands[0].apply(name, *operands[1:]), operands)
        for partial, symbol in zip(partials, used, strict=True):
            assert evaluate(partial, list(at.values())) == sympy.diff(expr, symbol).subs(at)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_partial_of_a_power_at_0_is_defined(n):
    (partial,) = local_partials("integer_power", n, 1)
    assert evaluate(partial, [sympy.Integer(0)]) == (1 if n == 1 else 0)


@pytest.mark.parametrize(("name", "point"), [(n, p) for n, (_, points) in DERIVED_FUNCTIONS.items() for p in points])
def test_derived_functions_are_those_of_sympy(name, point):
    build = Builder(("x",))
    term = DERIVED[name](Term(build, build.variable(0)))
    at = sympy.Rational(point)
    assert agree(evaluate(term, [at]), DERIVED_FUNCTIONS[name][0].subs(X, at))


@pytest.mark.parametrize("name", sorted(WITHOUT_PARTIALS - {"select"}))
def test_what_has_no_partial_says_so(name):
    build = Builder(("x", "y"))
    operands = [Term(build, build.variable(i)) for i in range(2)]
    with pytest.raises(KeyError, match=name):
        partial_terms(name, None, operands[0], operands)


def test_a_wrong_partial_is_told_apart():
    # the checker's wrong twins: a sign, a factor, an exponent, exchanged operands
    at = [sympy.Rational(5, 4), sympy.Rational(7, 2)]
    sine, power = UNARY["sin"][0], BINARY["power"][0]
    cosine = sympy.cos(at[0])
    for wrong in (-cosine, 2 * cosine, cosine * (1 + sympy.Rational(1, 10**45)), sympy.sin(at[0])):
        assert not agree(wrong, sympy.diff(sine, X).subs(X, at[0]))
    exchanged = sympy.diff(power, Y).subs({X: at[0], Y: at[1]}, simultaneous=True)
    assert not agree(exchanged, sympy.diff(power, X).subs({X: at[0], Y: at[1]}, simultaneous=True))


def test_names_in_text_are_unique():
    names = [name for row in OPERATIONS.values() for name in row.names]
    assert len(names) == len(set(names))
    assert set(REAL_NAMES.values()) <= set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(INFIX))
def test_infix_source_means_the_operation(name):
    a, b = Fraction(7, 3), Fraction(-2, 5)
    text = INFIX[name].format("a", "b")
    assert eval(text, {"a": a, "b": b}) == FALLBACKS[name](*(a, b)[: OPERATIONS[name].arity])


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=lambda row: row.name)
def test_a_switch_names_operands_that_exist(row):
    for i in range(3):
        if f"{{{i}}}" in row.switch:
            assert i < row.arity


def test_programs_of_the_table_have_one_class():
    build = Builder(("x",))
    assert isinstance(build.program([build.variable(0)]), Program)


@pytest.mark.parametrize("x", [-27.0, -8.0, -1.0, 0.0, 1.0, 8.0])
def test_the_cube_root_of_a_namespace_without_one_keeps_the_sign(x):
    root = FALLBACKS["cbrt"](x)
    assert abs(root**3 - x) <= 1e-14 * abs(x)
