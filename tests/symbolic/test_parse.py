"""Formulas from text: what is read, in which order, and what is refused, where and how fast."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from fractions import Fraction
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.errors import DiffcompareError, ParseError
from diffcompare.program.dag import Program
from diffcompare.program.operations import COMPARISONS, DERIVED, OPERATIONS, REAL_NAMES
from diffcompare.symbolic.parse import parse


def prefix(text: str, variables: list[str] | None = None) -> str:
    """Write the program of a formula out as nested calls."""
    program = parse(text, variables).program
    written: list[str] = []
    for node in program.nodes:
        match node.operation:
            case "constant":
                written.append(str(node.payload))
            case "variable":
                written.append(program.variables[node.payload])
            case name:
                arguments = [written[i] for i in node.operands]
                if node.payload is not None:
                    arguments.append(str(node.payload))
                written.append(f"{name}({', '.join(arguments)})" if arguments else name)
    (output,) = program.outputs
    return written[output]


# seconds: no claim of speed, but a parse that takes so long hangs (all take a hundredth of it)
HANGING = 10.0


def refusal(text: str, variables: list[str] | None = None) -> ParseError:
    """Refuse the text, quickly."""
    started = time.process_time()
    with pytest.raises(ParseError) as caught:
        parse(text, variables)
    assert time.process_time() - started < HANGING
    error = caught.value
    assert error.text == text
    assert 1 <= error.column <= max(1, len(text) + 1)
    assert "\n" not in error.message
    assert error.message.isprintable()
    return error


# ------------------------------------------------------------------------------------------- the grammar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y - z", "subtract(add(x, y), z)"),
        ("x - (y - z)", "subtract(x, subtract(y, z))"),
        ("x/y/z*x", "multiply(divide(divide(x, y), z), x)"),
        ("x + y*z", "add(x, multiply(y, z))"),
        ("(x + y)*z", "multiply(add(x, y), z)"),
        ("y + x", "add(y, x)"),
        ("-x**2", "negative(integer_power(x, 2))"),
        ("(-x)**2", "integer_power(negative(x), 2)"),
        ("-x*y", "multiply(negative(x), y)"),
        ("x*-y", "multiply(x, negative(y))"),
        ("x - -y", "subtract(x, negative(y))"),
        ("+x", "x"),
        ("- - x", "negative(negative(x))"),
        ("x**y**z", "power(x, power(y, z))"),
        ("(x**y)**z", "power(power(x, y), z)"),
        ("x**2**3", "integer_power(x, 8)"),
        ("x**-y**2", "power(x, negative(integer_power(y, 2)))"),
        ("2**-x*y", "multiply(power(2, negative(x)), y)"),
        ("x^2", "integer_power(x, 2)"),
        ("x^-2*y", "multiply(integer_power(x, -2), y)"),
        ("x**0", "integer_power(x, 0)"),
        ("x**1", "integer_power(x, 1)"),
        ("x**2.0", "integer_power(x, 2)"),
        ("x**(6/3)", "integer_power(x, 2)"),
        ("x**0.5", "power(x, 1/2)"),
        ("x**(1/3)", "power(x, 1/3)"),
        ("x**pi", "power(x, pi)"),
        ("E**x", "exp(x)"),
        ("E**-x**2", "exp(negative(integer_power(x, 2)))"),
        ("2**x", "power(2, x)"),
        (" \t x\n+\r\n y ", "add(x, y)"),
        ("((((x))))", "x"),
    ],
)
def test_order_is_as_written(text: str, expected: str) -> None:
    assert prefix(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pow(x, 2)", "integer_power(x, 2)"),
        ("power(x, y)", "power(x, y)"),
        ("Pow(E, x)", "exp(x)"),
        ("ln(x)", "log(x)"),
        ("log(x, 2)", "log2(x)"),
        ("log(x, 10)", "log10(x)"),
        ("log(x, 3)", "divide(log(x), log(3))"),
        ("log(x, y)", "divide(log(x), log(y))"),
        ("log(x, E)", "log(x)"),
        ("log(E)*x", "multiply(log(e), x)"),
        ("log(E, x)", "divide(log(e), log(x))"),
        ("np.log(x)", "log(x)"),
        ("numpy.arcsin(x)", "asin(x)"),
        ("math.asin(x)", "asin(x)"),
        ("sympy.asin(x)", "asin(x)"),
        ("sp.asin(x)", "asin(x)"),
        ("x*np.pi*math.pi*sympy.pi", "multiply(multiply(multiply(x, pi), pi), pi)"),
        ("x*np.e + math.e**x", "add(multiply(x, e), exp(x))"),
        ("max(x)", "x"),
        ("max(x, y, z)", "max(max(x, y), z)"),
        ("np.maximum(x, y)", "max(x, y)"),
        ("Min(x, y, z, 3)", "min(min(min(x, y), z), 3)"),
        ("Abs(x) + fabs(y) + abs(z)", "add(add(abs(x), abs(y)), abs(z))"),
        ("arctan2(y, x)", "atan2(y, x)"),
        ("hypot(x, y)", "hypot(x, y)"),
        ("cbrt(x)", "cbrt(x)"),
        ("exp2(x)", "exp2(x)"),
        ("cot(x)", "divide(cos(x), sin(x))"),
        ("arccot(x)", "atan(divide(1, x))"),
        ("square(x)", "integer_power(x, 2)"),
        ("Rational(1, 3)*x", "multiply(1/3, x)"),
        ("Rational(-6, 4)*x", "multiply(-3/2, x)"),
        ("Rational(7)*x", "multiply(7, x)"),
    ],
)
def test_names_of_functions(text: str, expected: str) -> None:
    assert prefix(text) == expected


@pytest.mark.parametrize("name", sorted(REAL_NAMES))
def test_every_name_of_the_table_is_read(name: str) -> None:
    operation = REAL_NAMES[name]
    row = OPERATIONS[operation]
    arguments = ["2"] * row.parameters + ["x", "y", "z"][: row.arity - row.parameters]
    assert prefix(f"{name}({', '.join(arguments)})") == f"{operation}({', '.join(arguments)})"


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_every_derived_function_is_read(name: str) -> None:
    assert prefix(f"{name}(x)") == prefix(f"np.{name}(x)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("where(x > 0, x, -x)", "select(greater(x, 0), x, negative(x))"),
        ("np.where(x <= y, 1, 2)", "select(less_equal(x, y), 1, 2)"),
        ("where(0 < x < 1, x, y)", "select(and(less(0, x), less(x, 1)), x, y)"),
        ("where(0 < x <= y != 2, x, y)", "select(and(and(less(0, x), less_equal(x, y)), not_equal(y, 2)), x, y)"),
        ("where(x == y, 1, 2)", "select(equal(x, y), 1, 2)"),
        ("where(not x > 0, 1, y)", "select(not(greater(x, 0)), 1, y)"),
        ("where(not not x > 0, 1, y)", "select(not(not(greater(x, 0))), 1, y)"),
        ("where(x > 0 and y > 0 or x < y, 1, 2)", "select(or(and(greater(x, 0), greater(y, 0)), less(x, y)), 1, 2)"),
        ("where((x > 0) & (y > 0) | ~(x < y), 1, 2)",
         "select(or(and(greater(x, 0), greater(y, 0)), not(less(x, y))), 1, 2)"),
        ("where(And(Eq(x, 1), Ne(y, 1), Lt(x, y)), 1, 2)",
         "select(and(and(equal(x, 1), not_equal(y, 1)), less(x, y)), 1, 2)"),
        ("where(Or(Gt(x, 1), Not(Le(y, 1))), 1, 2)", "select(or(greater(x, 1), not(less_equal(y, 1))), 1, 2)"),
        ("where(np.logical_and(x > 0, x < 1), x, 0)", "select(and(greater(x, 0), less(x, 1)), x, 0)"),
        ("where(x + 1 > 2*y, 1, 2)", "select(greater(add(x, 1), multiply(2, y)), 1, 2)"),
        ("where(True, x, y)", "select(true, x, y)"),
        ("Piecewise((x, x > 0), (-x, True))", "select(greater(x, 0), x, negative(x))"),
        ("piecewise((x, x > 0), (y, x > -1), (1, True))", "select(greater(x, 0), x, select(greater(x, -1), y, 1))"),
        ("Piecewise((x, x > 0))", "select(greater(x, 0), x, undefined)"),
        ("Piecewise((x, True), (y, y > 0))", "x"),
        ("Piecewise((y, False), (x, True))", "x"),
        ("Piecewise(((x + 1)*2, (x > 0) & (x < 1)), (3, True))",
         "select(and(greater(x, 0), less(x, 1)), multiply(add(x, 1), 2), 3)"),
        ("1 + Piecewise((Piecewise((x, x < 2), (2, True)), x > 0), (0, True))",
         "add(1, select(greater(x, 0), select(less(x, 2), x, 2), 0))"),
    ],
)  # fmt: skip
def test_conditions(text: str, expected: str) -> None:
    assert prefix(text) == expected


def test_every_comparison_has_a_name_and_a_sign() -> None:
    signs = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
    assert set(signs.values()) == COMPARISONS
    for sign, operation in signs.items():
        for name in OPERATIONS[operation].names:
            assert prefix(f"where({name}(x, y), 1, 2)") == prefix(f"where(x {sign} y, 1, 2)")


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        (".5", Fraction(1, 2)),
        ("1.", Fraction(1)),
        ("1e-3", Fraction(1, 1000)),
        ("2.50E+1", Fraction(25)),
        ("1e400", Fraction(10**400)),
        ("0", Fraction(0)),
        ("00", Fraction(0)),
        ("0.1 + 0.2", Fraction(3, 10)),
        ("1/3", Fraction(1, 3)),
        ("-2**2", Fraction(-4)),
        ("2**-2", Fraction(1, 4)),
        ("0**0", Fraction(1)),
        ("7 - 2*3/4", Fraction(11, 2)),
        ("9" * 200, Fraction(10**200 - 1)),
        ("0." + "1" * 199, Fraction(int("1" * 199), 10**199)),
        ("max(1/3, 0.3, -abs(-2))", Fraction(1, 3)),
    ],
)
def test_constants_are_exact(text: str, value: Fraction) -> None:
    program = parse(f"{text} + 0*0", ["x"]).program
    assert [(node.operation, node.payload) for node in program.nodes] == [("constant", value)]


def test_a_negative_number_is_one_constant() -> None:
    assert [node.payload for node in parse("x*-0.5").program.nodes] == [0, Fraction(-1, 2), None]


# ------------------------------------------------------------------------------------------ variables


def test_variables_come_in_natural_order() -> None:
    assert parse("x10 + x2 + a + x1*b12c3 + b12c10 + B").variables == ("B", "a", "b12c3", "b12c10", "x1", "x2", "x10")


def test_names_of_functions_and_constants_are_no_variables() -> None:
    assert parse("sin(y)*pi + E + np.exp(x) + where(y > 0, 1, 2)").variables == ("x", "y")


def test_listed_variables_keep_their_order_and_need_not_occur() -> None:
    f = parse("x0 + z", variables=["z", "y", "x0"])
    assert f.variables == f.program.variables == ("z", "y", "x0")
    assert [n.payload for n in f.program.nodes if n.operation == "variable"] == [2, 0]


def test_a_constant_needs_listed_variables() -> None:
    assert len(parse("3", variables=["x"]).program) == 1
    with pytest.raises(ParseError, match=r"no variable occurs; list the arguments, as in variables=\['x'\]"):
        parse("3 + pi")


def test_e_is_a_variable_only_where_it_is_listed() -> None:
    assert prefix("e**x", ["e", "x"]) == "power(e, x)"
    assert prefix("I**2*oo", ["I", "oo"]) == "multiply(integer_power(I, 2), oo)"
    assert refusal("2*e**x").column == 3
    with pytest.raises(ParseError, match=r"write exp\(x\) or E\*\*x"):
        parse("2*e**x")


@pytest.mark.parametrize(
    ("variables", "error", "match"),
    [
        ("x y", TypeError, r"must be a list of names"),
        ("x", TypeError, r"must be a list of names"),
        (3, TypeError, r"must be a list of names"),
        ([1], TypeError, r"1 is no str"),
        ([["x"]], TypeError, r"\['x'\] is no str"),
        ([], ValueError, r"at least one"),
        ({"x", "y"}, TypeError, r"must be a list of names"),
        (["x", "x"], ValueError, r"'x' is listed twice"),
        (["x y"], ValueError, r"'x y' is no name"),
        (["2x"], ValueError, r"'2x' is no name"),
        (["x\n"], ValueError, r"is no name"),
        ([""], ValueError, r"'' is no name"),
        (["é"], ValueError, r"is no name"),
        (["x" * 101], ValueError, r"is no name"),
        (["__class__"], ValueError, r"'__class__' is no name"),
        (["sin"], ValueError, r"'sin' is the name of a function"),
        (["pi"], ValueError, r"'pi' is the name of a function, constant"),
        (["E"], ValueError, r"'E' is the name of a function, constant"),
        (["True"], ValueError, r"'True' is the name"),
        (["lambda"], ValueError, r"'lambda' is the name of a function, constant or keyword"),
        (["Piecewise"], ValueError, r"'Piecewise' is the name"),
    ],
)
def test_bad_variables(variables: object, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        parse("x", variables=variables)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [None, 3, 1.5, b"x", ["x", None], [["x"], [3]]])
def test_text_is_a_str(text: object) -> None:
    with pytest.raises(TypeError, match=r"a formula must be a str"):
        parse(text)  # type: ignore[arg-type]


def test_the_text_is_kept() -> None:
    f = parse("x^2 ")
    assert (f.formula, f.name, f.source) == ("x^2 ", "x^2 ", "text")
    assert parse("x", name="identity").name == "identity"


# ------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the formula is empty; write one such as x**2 + 1"),
        (" \n ", 1, "the formula is empty; write one such as x**2 + 1"),
        ("2x", 2, "a product needs a *: write 2*x"),
        ("3 + 2x", 6, "a product needs a *: write 2*x"),
        ("2(x+1)", 2, "a product needs a *: write 2*(...)"),
        ("(x)(y)", 4, "a product needs a *: write (...)*(...)"),
        ("(x)y", 4, "a product needs a *: write (...)*y"),
        ("x y", 3, "a product needs a *: write x*y"),
        ("x 2", 3, "a product needs a *: write x*2"),
        ("2sin(x)", 2, "a product needs a *: write 2*sin"),
        ("1.2.3*x", 4, "a product needs a *: write 1.2*.3"),
        ("x(y)", 1, "unknown function 'x'; a product is written x*(...)"),
        ("x + x(y)", 6, "'x' is no function; for a product write x*(...)"),
        ("pi(x)", 3, "'pi' is no function; for a product write pi*(...)"),
        ("sin x", 1, "the function 'sin' has no argument; write sin(x)"),
        ("2*sin t", 3, "the function 'sin' has no argument; write sin(t)"),
        ("sin", 1, "the function 'sin' has no argument; write sin(x)"),
        ("x + sin**2", 5, "the function 'sin' has no argument; write sin(x)"),
        ("|x|", 1, "a value is missing before '|'; for an absolute value write abs(x)"),
        ("2*|x|", 3, "a value is missing before '|'; for an absolute value write abs(x)"),
        ("||x||", 1, "'||' is not supported: write 'or' between conditions; for an absolute value write abs(x)"),
        ("Sin(x)", 1, "unknown function 'Sin'; did you mean sin?"),
        ("x + arcsine(x)", 5, "unknown function 'arcsine'; did you mean arcsin?"),
        ("np.sinn(x)", 1, "unknown function 'np.sinn'; did you mean sin?"),
        ("np.tau*x", 1, "unknown name 'np.tau'; of modules only functions, pi and e are known"),
        ("1/0*x", 2, "division by zero: the formula has no value anywhere; remove it"),
        ("x/(1 - 1)", 2, "division by zero: the formula has no value anywhere; remove it"),
        ("x + 0**-1", 6, "division by zero: the formula has no value anywhere; remove it"),
        ("x*Rational(1, 0)", 3, "division by zero: the formula has no value anywhere; remove it"),
        ("x*reciprocal(0)", 3, "division by zero: the formula has no value anywhere; remove it"),
        ("(x + 1", 1, "this bracket is never closed; add a ')'"),
        ("sin(x", 1, "this bracket is never closed; add a ')'"),
        ("x + 1)", 6, "no bracket is open here; remove the ')' or add a '('"),
        (")", 1, "no bracket is open here; remove the ')' or add a '('"),
        ("()", 2, "a value is missing in the brackets; write (x)"),
        ("sin()", 5, "a value is missing in the brackets; write sin(x)"),
        ("x = 3", 3, "'=' is not supported: give the right-hand side only, or compare with =="),
        ("y := x", 3, "':=' is not supported: give the right-hand side only"),
        ("x,y", 2, "a comma separates arguments of functions only; decimals are written as in 0.5"),
        ("3,5*x", 2, "a comma separates arguments of functions only; decimals are written as in 0.5"),
        ("max(x, (x, y))", 10, "a comma separates arguments of functions only; decimals are written as in 0.5"),
        ("max(x,)", 7, "a value is missing before ')'; write one, or remove it"),
        ("max(,x)", 5, "a value is missing before ','; write one, or remove it"),
        ("x +", 3, "a value is missing after '+', where the formula ends"),
        ("x + * y", 5, "a value is missing before '*'; write one, or remove it"),
        ("* x", 1, "a value is missing before '*'; write one, or remove it"),
        ("x***y", 4, "a value is missing before '*'; write one, or remove it"),
        ("x!", 2, "'!' is not supported: there is no factorial"),
        ("x//2", 2, "'//' is not supported: divide with /"),
        ("x % 2", 3, "'%' is not supported: there is no remainder; write a percentage as x/100"),
        ("x[0]", 2, "'[' is not supported: write parentheses, and x0 for x[0]"),
        ("x.real", 1,
         "'x.real': attribute access does not exist; only np., numpy., math., sympy., sp. and scipy.special. "
         "are understood"),
        ("(x).y", 4, "'.' is not supported: attribute access does not exist; write a number as 0.5"),
        ("'x'", 1, "''' is not supported: strings do not exist; write names without quotes"),
        ("x # y", 3, "'#' is not supported: comments do not exist; give the formula only"),
        ("\\sin x", 1, "'\\' is not supported: LaTeX is not read; write sin(x), not \\sin x"),
        ("2×x", 2, "'×' is not ASCII; write *"),
        ("1−x", 2, "'−' is not ASCII; write -"),
        ("x²", 2, "'²' is not ASCII; write **2"),
        ("π*x", 1, "'π' is not ASCII; write pi"),
        ("\u0445 + 1", 1, "the character U+0445 is not supported; write ASCII letters, digits and operators"),
        ("x\x00", 2, "the character U+0000 is not supported; write ASCII letters, digits and operators"),
        ("x$y", 2, "'$' is not supported: remove it"),
        ("lambda x: x", 1, "'lambda' is a Python keyword; write lam, say"),
        ("x if x > 0 else y", 3, "'if' is a Python keyword; write where(condition, a, b)"),
        ("None", 1, "'None' is a Python keyword; write another name"),
        ("0x1F*x", 1, "only decimal numbers are supported; write 31 for 0x1F"),
        ("x + 1_000", 5, "digits are not grouped; write 1000 for 1_000"),
        ("1j*x", 1, "complex numbers are not supported; if j is a variable, write 1*j"),
        ("x + 007", 5, "a whole number does not start with 0; write 7"),
        ("x*1e401", 3, "a decimal exponent is at most 400 in size; write another number"),
        ("x*" + "1" * 201, 3, "a number has at most 200 digits; write a shorter one"),
        ("9**9**9**9", 5, "a constant exponent is at most 1000 in size; write a smaller one"),
        ("x**1001", 2, "a constant exponent is at most 1000 in size; write a smaller one"),
        ("x*(9**1000)**1000", 12, "a constant of more than 4096 bits; write a shorter number"),
        ("x < 1", 3, "a condition is not a number; write where(condition, a, b)"),
        ("x + (x < 1)", 8, "a condition is not a number; write where(condition, a, b)"),
        ("True", 1, "a condition is not a number; write where(condition, a, b)"),
        ("sin(x > 0)", 7, "a condition is not a number; write where(condition, a, b)"),
        ("where(x, 1, 2)", 7, "a condition is missing; write one such as x > 0"),
        ("where(x > 0 & y > 0, 1, 2)", 11, "'&' takes conditions; put each in parentheses, as in (x > 0)"),
        ("where(x and y, 1, 2)", 7, "'and' takes conditions; put each in parentheses, as in (x > 0)"),
        ("x|y", 1, "'|' takes conditions; put each in parentheses, as in (x > 0); for an absolute value write abs(x)"),
        ("1 + not x", 5, "write the condition 'not ...' in parentheses"),
        ("where((x > 0) not (x > 1), 1, 2)", 15,
         "an operator is missing before 'not'; join conditions with 'and' or 'or'"),
        ("where(x > 0, 1)", 1, "'where' takes 3 arguments, not 2; write as many"),
        ("x + sin(x, y)", 5, "'sin' takes 1 argument, not 2; write as many"),
        ("hypot(x)", 1, "'hypot' takes 2 arguments, not 1; write as many"),
        ("log(x, 2, 3)", 1, "'log' takes 1 or 2 arguments, not 3; write as many"),
        ("log(x, 1)", 1, "the base of a logarithm is positive and not 1; write log(x, 2)"),
        ("log(x, -2)", 1, "the base of a logarithm is positive and not 1; write log(x, 2)"),
        ("Piecewise(x)", 11, "write Piecewise((value, condition), ..., (value, True))"),
        ("Piecewise((x, x > 0, 1))", 20, "a pair is missing its end; write (value, condition)"),
        ("Piecewise((x, 1))", 15, "a condition is missing; write one such as x > 0"),
        ("Piecewise(1 + (x, x > 0))", 17,
         "a comma separates arguments of functions only; decimals are written as in 0.5"),
        ("Piecewise((x, x > 0) + 1)", 11, "a pair (value, condition) stands alone, as an argument of Piecewise"),
        ("Rational(0.5, 2)*x", 1, "Rational takes whole numbers, as in Rational(1, 3)"),
        ("Rational(x, 2)", 1, "Rational takes whole numbers, as in Rational(1, 3)"),
        ("__import__('os').system('x')", 1,
         "'__import__' starts with two underscores, which names must not; write a name such as x0"),
        ("().__class__", 3, "'.' is not supported: attribute access does not exist; write a number as 0.5"),
        ("2*Pi*x", 3, "write pi, or list the name in variables"),
        ("x*inf", 3, "infinity and nan are no numbers; list a variable of this name"),
    ],
)  # fmt: skip
def test_errors_name_place_and_remedy(text: str, column: int, message: str) -> None:
    error = refusal(text)
    assert (error.message, error.column) == (message, column)


def test_unlisted_names_are_refused() -> None:
    error = refusal("x0 + 2*y", ["x0", "x1"])
    assert (error.message, error.column) == ("unknown variable 'y'; variables are x0, x1", 8)
    assert refusal("x0(x1)", ["x0", "x1"]).message == "'x0' is no function; for a product write x0*(...)"


def test_the_error_shows_formula_and_caret() -> None:
    with pytest.raises(DiffcompareError, match=r"column 6: a product needs a \*: write 2\*y\n  x \+ 2y\n       \^"):
        parse("x + 2y")


HOSTILE = [
    "__import__('os').system('x')", "__builtins__", "().__class__.__bases__[0]", "x.__class__", "x.__globals__['os']",
    "exec('x')", "eval('x')", "open('x')", "getattr(x, 'y')", "print(x)", "globals()", "compile(x)", "exit()",
    "np.__loader__", "np.os.system(x)", "math.__class__(x)", "sympy.sympify(x)", "np.fromfile(x)", "sp.S(x)",
    "lambda: 0", "(lambda x: x)(1)", "[x for x in y]", "{x: 1}", "{x}", "[x]*9", "f'{x}'", 'f"{x}"', "'x'*9", '"""x"""',
    "b'x'", "u'x'", "x if y else z", "(x := 3)", "x := 3", "x = 3", "x == 3", "x; y", "x: int", "*x", "**x", "max(*x)",
    "max(x=3)", "max(**x)", "x[0]", "x[0:1]", "x.y", "x.real", "...", "x...", "await x", "yield x", "(yield)", "del x",
    "import os", "return x", "not x", "x in y", "x is y", "x @ y", "x // y", "x % y", "x << 9", "x >> 9", "x -> y",
    "~x", "x & y", "x | y", "x and y", "True", "False*x", "None", "NotImplemented()", "1j", "0x1F", "0b11", "0o17",
    "1_000", "1e999999", "1e-999999", "1e" + "9" * 5000, "9" * 5000, "0" * 5000, "9**9**9**9", "x**9**9**9",
    "2**1000**1000", "(9**999)**999*x", "x**1e300", "x**-1e300", "10**400*10**400*10**400*10**400*x", "1/0", "x/0",
    "0**-1*x", "1/(1/3 - 1/3) + x", "(" * 100_000, "(" * 100_000 + "x" + ")" * 100_000, "(" * 9_000 + "x" + ")" * 9_000,
    "-" * 100_000 + "x",
    "- " * 9_000 + "x", "~" * 9_000 + "x", "not " * 4_000 + "x", "+" * 61 + "x", "**".join("x" * 62),
    "^".join("x" * 9_000), "sin(" * 61 + "x" + ")" * 61, "sin(" * 4_000, "+".join("x" * 1_001), "*".join("x" * 1_001),
    "-".join("x" * 1_001), "/".join("x" * 1_001), "+".join("x" * 9_999), "max(" + ",".join("x" * 1_001) + ")",
    "<".join("x" * 1_001), "x" * 10_000_000, "+".join(["x"] * 5_000_000), " " * 10_000_000, "x" * 101, "x0" * 5_000,
    "x\x00", "\x00", "x\u200b", "\ufeffx", "x\u00a0+1", "ｘ", "𝑥", "х", "sіn(x)", "ｓｉｎ(x)", "x٣", "x＋y",
    "x\ud800", "é",
    "ﬁ", "x\x0c", "x\x1b[31m", "x\\\n", "x#y", "$x", "x?", "`x`", "x'", "\\frac{1}{x}", "%s", "{}", "<x>", "x<>y",
    "x=>y", "x=<y", "x!", "!x", "x!!", "2x", "x2 3", "x(y)", "(x)(y)", "sin x", "sin(x", "x)", "()", "(,)", "(x,)", ",",
    "x,", "x,y", ".", "..", "1..2", "1.2.3", "e", "e**x", "1e", "1e+", "0x", "I*x", "oo*x", "nan", "hyper(x)", "x!=y",
    "Piecewise()", "Piecewise(())", "Piecewise((x,))", "Piecewise((x, x))", "where(x)", "where()", "Rational(x)",
    "Rational('1/3')", "log()", "log(x, 0)", "max()", "Eq(x, y)", "And(x)", "Not(x > 0)", "Function('f')(x)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:30]))
def test_hostile_text_is_refused_at_once(text: str) -> None:
    refusal(text)


def test_there_are_enough_hostile_texts() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 190


NEST = "(" * 60 + "x" + ")" * 60
LARGEST = {
    "nested sums of a thousand terms": "(" * 9 + "x" + ("+x" * 999 + ")") * 9,
    "sums in a row": "*".join(["(" + "+".join(["x"] * 999) + ")"] * 9),
    "brackets": "+".join([NEST] * 160),
    "signs": "+".join(["-" * 60 + "x"] * 300),
    "powers": "+".join(["**".join("x" * 61)] * 100),
    "calls": "*".join(["max(" * 60 + "x" + ")" * 60] * 60),
    "names": "+".join(f"x{i}" for i in range(1_000)),
    "long names": "+".join(f"{'x' * 90}{i}" for i in range(200)),
    "numbers": "+".join(f"{10**198 - i}*x" for i in range(95)),
    "fractions": "+".join(["x", *(f"1/{i}" for i in range(3, 900))]),
    "large fractions": "+".join(f"(1.{'7' * 150})**{i % 4}/{'3' * 30}" for i in range(90)) + "+x",
    "powers of numbers": "+".join(["(3/7)**999"] * 999) + "+x",
    "products of numbers": "*".join(["(1/3)"] * 999 + ["x"]),
    "exponents": "+".join(["1e400"] * 999) + "+x",
    "arguments": "max(" + ",".join(["x"] * 1_000) + ")",
    "conditions": "where(" + " or ".join(["x<y"] * 900) + ",x,y)",
    "comparisons": "where(" + "<".join(["x"] * 1_000) + ",x,y)",
    "pieces": "Piecewise(" + ",".join(["(x,x>1)"] * 1_000) + ")",
    "blanks": " " * 19_999 + "x",
    "nested conditions": "where(x<1 and not x>2 or 1+2*x<" * 30 + "x" + ",x,x)" * 30,
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("text", LARGEST.values(), ids=LARGEST)
def test_the_largest_texts_are_quick(text: str) -> None:
    assert len(text) <= 20_000
    started = time.process_time()
    try:
        program = parse(text).program
    except ParseError as error:
        assert "4096 bits" in error.message  # noqa: PT017 - either verdict is right, both must be quick
    else:
        assert len(program) <= len(text)
    assert time.process_time() - started < HANGING


@pytest.mark.parametrize(
    "text",
    [
        NEST,
        "-" * 60 + "x",
        "**".join("x" * 61),
        "+".join(["x"] * 1_000),
        "*".join(["x"] * 1_000) + "+x",
        "+".join(["x*x"] * 1_000),
        "x**1000 + x**-1000",
        "1e400*x + 1e-400",
        "9" * 200 + "*x",
        "x" * 100,
        LARGEST["nested sums of a thousand terms"],
    ],
    ids=lambda text: text[:20],
)
def test_limits_are_inclusive(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("(" * 61 + "x" + ")" * 61, 61, "nested deeper than 60 brackets, signs and powers; split the formula"),
        ("-" * 61 + "x", 61, "nested deeper than 60 brackets, signs and powers; split the formula"),
        ("**".join("x" * 62), 122 + 61 - 1, "nested deeper than 60 brackets, signs and powers; split the formula"),
        ("x" + " " * 20_000, 20_001, "a formula has at most 20,000 characters; split it"),
        ("+".join("x" * 1_001), 2_000,
         "more than 1,000 terms in one sum, product or condition; put parts in brackets"),
        ("1 + " + "*".join("x" * 1_001), 2_004,
         "more than 1,000 terms in one sum, product or condition; put parts in brackets"),
        ("max(" + ",".join("x" * 1_001) + ")", 2_004, "a function takes at most 1,000 arguments; nest some"),
        ("1 + " + "x" * 101, 5, "a name has at most 100 characters; shorten it"),
    ],
    ids=lambda value: ascii(value)[:20],
)  # fmt: skip
def test_the_first_thing_beyond_a_limit_is_shown(text: str, column: int, message: str) -> None:
    error = refusal(text)
    assert (error.message, error.column) == (message, column)


@pytest.mark.thorough
def test_depth_is_that_of_nesting_not_of_length() -> None:
    parse("+".join(["-x**-2", "(x)", "sin(x)"] * 300))


def test_order_of_a_long_sum_is_left_to_right() -> None:
    program = parse("+".join(f"x{i}" for i in range(1_000))).program
    additions = [node.operands for node in program.nodes if node.operation == "add"]
    assert len(additions) == 999
    for before, after in pairwise(additions):
        assert program.nodes[after[0]].operands == before


def test_a_deep_stack_of_the_caller_changes_nothing() -> None:
    # ast.parse fails on this sum, which is within the limits, when 700 frames are on the stack (3.11)
    def call(depth: int) -> int:
        return call(depth - 1) if depth else len(parse("+".join(["x"] * 1_000)).program)

    assert call(700) == 1_000


def test_reading_loads_no_sympy() -> None:
    code = (
        "import sys; from diffcompare.symbolic.parse import parse; parse('Piecewise((sin(x)/3, x > 0), (x**y, True))');"
        "assert not {'sympy', 'ast', 'pandas', 'flint'} & (set(sys.modules) - before), 'too much was loaded'"
    )
    subprocess.run([sys.executable, "-c", "import sys, numpy; before = set(sys.modules);" + code], check=True)


# ------------------------------------------------------------------------------------------ properties

PIECES = st.sampled_from(
    [*"xy019.+-*/^()<>=!&|~, eE_", "**", "sin", "(x)", "(x>0)", "where(", "Piecewise((", " and ", " not ", "True"]
)


@pytest.mark.thorough
@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_random_text_is_read_or_refused(text: str) -> None:
    started = time.process_time()
    try:
        parse(text)
    except ParseError as error:
        refused = error
    else:
        return
    assert 1 <= refused.column <= max(1, len(text))
    assert refused.message.isprintable()
    assert str(refused).count("\n") == 2
    assert time.process_time() - started < HANGING


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_characters_are_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ParseError as error:
        str(error)


SIGNS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power", ast.Lt: "less",
    ast.GtE: "greater_equal", ast.Eq: "equal", ast.And: "and", ast.BitAnd: "and", ast.Or: "or", ast.BitOr: "or",
}  # fmt: skip


def reading_of_python(node: ast.expr) -> tuple[str, str]:
    """Kind and nested calls of a formula without numbers, as Python's own parser reads it; ``SyntaxError`` if none."""
    match node:
        case ast.Name(id="x" | "y" as name):
            return "number", name
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            kinds, texts = zip(reading_of_python(operand), strict=True)
            wanted, text = "number", texts[0] if isinstance(sign, ast.UAdd) else f"negative({texts[0]})"
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            kinds, texts = zip(reading_of_python(operand), strict=True)
            wanted, text = "condition", f"not({texts[0]})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS:
            kinds, texts = zip(reading_of_python(left), reading_of_python(right), strict=True)
            wanted, text = (
                "condition" if isinstance(op, ast.BitAnd | ast.BitOr) else "number",
                f"{SIGNS[type(op)]}({', '.join(texts)})",
            )
        case ast.BoolOp(op=op, values=values):
            kinds, texts = zip(*map(reading_of_python, values), strict=True)
            wanted, text = "condition", reduce(lambda a, b: f"{SIGNS[type(op)]}({a}, {b})", texts)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in SIGNS for op in ops):
            kinds, texts = zip(*map(reading_of_python, [left, *others]), strict=True)
            if set(kinds) != {"number"}:
                raise SyntaxError
            links = [f"{SIGNS[type(op)]}({texts[i]}, {texts[i + 1]})" for i, op in enumerate(ops)]
            return "condition", reduce(lambda a, b: f"and({a}, {b})", links)
        case ast.Call(func=ast.Name(id="where"), args=[condition, one, two], keywords=[]):
            kinds, texts = zip(*map(reading_of_python, [condition, one, two]), strict=True)
            if kinds != ("condition", "number", "number"):
                raise SyntaxError
            return "number", f"select({', '.join(texts)})"
        case _:
            raise SyntaxError
    if set(kinds) != {wanted}:
        raise SyntaxError
    return wanted, text


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from([*"+-*/<&|", "**", " >= ", "==", " and ", " or "]), inner).map("".join),
        st.tuples(st.sampled_from(["-", "+", "~", " not "]), inner).map("".join),
        inner.map("({})".format),
        st.builds("where({}<{},{},{})".format, inner, inner, inner, inner),
        st.builds("where({},{},{})".format, inner, inner, inner),
    )


@pytest.mark.thorough
@settings(max_examples=1_500, deadline=None)
@given(st.recursive(st.sampled_from("xy"), grown, max_leaves=12), st.integers(0, 40), st.sampled_from(["", *"-+*<()x"]))
def test_the_grammar_is_that_of_python(text: str, place: int, more: str) -> None:
    text = text[:place] + more + text[place:]
    try:
        kind, expected = reading_of_python(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        kind = expected = ""
    if kind == "number":
        assert prefix(text, ["x", "y"]) == expected
    else:
        refusal(text, ["x", "y"])


VALUES = {"x": Fraction(2, 3), "y": Fraction(-7, 5)}
TRUSTED = st.recursive(
    st.sampled_from(["x", "y", "F(0)", "F(3)", "F(1, 10)"]),
    lambda inner: st.one_of(
        st.builds("{}{}{}".format, inner, st.sampled_from([" + ", "-", "*", " / "]), inner),
        st.builds("-{}".format, inner),
        st.builds("({})".format, inner),
        st.builds("({})**{}".format, inner, st.integers(-3, 3)),
        st.builds("-({})**{}*{}".format, inner, st.integers(0, 3), inner),
    ),
    max_leaves=20,
)


def evaluate(program: Program) -> Fraction:
    """Run a program of rational operations in exact fractions."""
    values: list[Fraction] = []
    for node in program.nodes:
        a = [values[i] for i in node.operands]
        match node.operation:
            case "constant":
                values.append(Fraction(node.payload))
            case "variable":
                values.append(VALUES[program.variables[node.payload]])
            case "add":
                values.append(a[0] + a[1])
            case "subtract":
                values.append(a[0] - a[1])
            case "multiply":
                values.append(a[0] * a[1])
            case "divide":
                values.append(a[0] / a[1])
            case "negative":
                values.append(-a[0])
            case "integer_power":
                values.append(a[0] ** node.payload)
            case name:
                raise AssertionError(name)
    return values[program.outputs[0]]


@pytest.mark.thorough
@settings(max_examples=500, deadline=None)
@given(TRUSTED)
def test_a_formula_means_what_python_means(trusted: str) -> None:
    text = trusted.replace("F(0)", "0").replace("F(3)", "3.0").replace("F(1, 10)", "0.1")
    try:
        expected = eval(trusted, {"F": Fraction, **VALUES})  # the text was made above
    except ZeroDivisionError:
        return
    try:
        program = parse(text, ["x", "y"]).program
    except ParseError as error:
        assert "4096 bits" in error.message  # noqa: PT017 - nested powers of numbers may pass the limit
        return
    assert evaluate(program) == expected
