"""The table of elementary operations: one row each, and a new function is one row more.

``source`` is NumPy-like Python (``{0}`` the first operand, ``{n}`` the payload), ``ball`` the same for
python-flint's ``arb``; names of functions in both are strings here, resolved by whoever runs the code.
The partial derivatives are written as formulas of operands and result (DLMF 4.4-4.39; a test proves each
equal to SymPy's).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from diffcompare.program.dag import Term

__all__ = ["COMPARISONS", "FALLBACKS", "DERIVED", "OPERATIONS", "REAL_NAMES", "Operation", "partial_terms"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One elementary operation.

    Parameters
    ----------
    name : str
        Its name in programs.
    arity : int
        Number of operands.
    source, ball : str
        How it is written in NumPy-like Python and for balls.
    partials : callable or None
        ``partials(result, *operands)`` returns one :class:`Term` per operand; None where there is nothing to
        differentiate.
    names : tuple of str
        Its names in text: those of SymPy, NumPy or SciPy, and ``math``.
    sympy : str
        The name of the SymPy function, empty where SymPy writes it otherwise.
    switch : str
        Ball source of a quantity that is 0 where the operation has a corner, a jump or an edge of its domain
        that belongs to the domain; empty where there is none. A derivative needs it certainly non-zero.
    domain : str
        Where the operation is defined, in words; empty for the whole line.
    """

    name: str
    arity: int
    source: str
    ball: str
    partials: Callable[..., tuple[Term, ...]] | None = None
    names: tuple[str, ...] = ()
    sympy: str = ""
    switch: str = ""
    domain: str = ""


def _sin(x: Term) -> Term:
    return x.apply("sin")


def _cos(x: Term) -> Term:
    return x.apply("cos")


def _log_base(base: int) -> Callable[[Term, Term], tuple[Term, ...]]:
    return lambda _, x: (1 / (x * x.constant(base).apply("log")),)


def _power(y: Term, x: Term, p: Term) -> tuple[Term, ...]:
    # d/dx x^p = p x^(p-1), DLMF 4.4; the partial in the exponent exists for a positive base only
    return p * x.apply("power", p - 1), y * x.apply("log")


def _integer_power(n: int) -> Callable[[Term, Term], tuple[Term, ...]]:
    return lambda _, x: (n * x ** (n - 1) if n else x.constant(0),)


def _larger(x0: Term, x1: Term) -> Term:
    return x0.apply("greater", x1)


def _minmax(choose_first: Callable[[Term, Term], Term]) -> Callable[[Term, Term, Term], tuple[Term, ...]]:
    def partials(_: Term, x0: Term, x1: Term) -> tuple[Term, ...]:
        one, zero = x0.constant(1), x0.constant(0)
        condition = choose_first(x0, x1)
        return condition.apply("select", one, zero), condition.apply("select", zero, one)

    return partials


_ROWS = (
    # leaves
    Operation("constant", 0, "", ""),
    Operation("variable", 0, "", ""),
    Operation("pi", 0, "pi", "pi()", names=("pi",), sympy="pi"),
    Operation("e", 0, "e", "e()", names=("E",), sympy="E"),
    Operation("undefined", 0, "nan", "nan()", domain="nowhere"),
    # arithmetic
    Operation("add", 2, "{0} + {1}", "{0} + {1}", lambda y, a, b: (y.constant(1), y.constant(1)), ("add",)),
    Operation(
        "subtract", 2, "{0} - {1}", "{0} - {1}", lambda y, a, b: (y.constant(1), y.constant(-1)), ("subtract",)
    ),
    Operation("multiply", 2, "{0} * {1}", "{0} * {1}", lambda y, a, b: (b, a), ("multiply",)),
    Operation(
        "divide",
        2,
        "{0} / {1}",
        "{0} / {1}",
        lambda y, a, b: (1 / b, -(y / b)),
        ("divide",),
        domain="divisor not 0",
    ),
    Operation("negative", 1, "-{0}", "-{0}", lambda y, x: (y.constant(-1),), ("negative",)),
    Operation("integer_power", 1, "{0} ** {n}", "integer_power({0}, {n})", None, ("pow", "power", "Pow")),
    Operation(
        "power",
        2,
        "{0} ** {1}",
        "power({0}, {1})",
        _power,
        ("pow", "power", "Pow"),
        switch="{0}",
        domain="base positive, or 0 with a positive exponent",
    ),
    Operation(
        "sqrt", 1, "sqrt({0})", "{0}.sqrt()", lambda y, x: (1 / (2 * y),), ("sqrt",), "sqrt", "{0}", "argument >= 0"
    ),
    Operation(
        "cbrt", 1, "cbrt({0})", "cbrt({0})", lambda y, x: (1 / (3 * y * y),), ("cbrt",), "", "{0}"
    ),  # real cube root
    Operation("hypot", 2, "hypot({0}, {1})", "hypot({0}, {1})", lambda y, a, b: (a / y, b / y), ("hypot",), "",
              "{0} * {0} + {1} * {1}"),
    # exponentials and logarithms
    Operation("exp", 1, "exp({0})", "{0}.exp()", lambda y, x: (y,), ("exp",), "exp"),
    Operation("exp2", 1, "exp2({0})", "exp2({0})", lambda y, x: (y * x.constant(2).apply("log"),), ("exp2",)),
    Operation("expm1", 1, "expm1({0})", "{0}.expm1()", lambda y, x: (x.apply("exp"),), ("expm1",)),
    Operation("log", 1, "log({0})", "{0}.log()", lambda y, x: (1 / x,), ("log", "ln"), "log", domain="argument > 0"),
    Operation("log2", 1, "log2({0})", "{0}.log_base(2)", _log_base(2), ("log2",), domain="argument > 0"),
    Operation("log10", 1, "log10({0})", "{0}.log_base(10)", _log_base(10), ("log10",), domain="argument > 0"),
    Operation("log1p", 1, "log1p({0})", "{0}.log1p()", lambda y, x: (1 / (1 + x),), ("log1p",), domain="argument > -1"),
    # trigonometric functions and inverses
    Operation("sin", 1, "sin({0})", "{0}.sin()", lambda y, x: (_cos(x),), ("sin",), "sin"),
    Operation("cos", 1, "cos({0})", "{0}.cos()", lambda y, x: (-_sin(x),), ("cos",), "cos"),
    Operation("tan", 1, "tan({0})", "{0}.tan()", lambda y, x: (1 + y * y,), ("tan",), "tan",
              domain="not at odd multiples of pi/2"),
    Operation("asin", 1, "arcsin({0})", "{0}.asin()", lambda y, x: (1 / (1 - x * x).apply("sqrt"),),
              ("asin", "arcsin"), "asin", "1 - {0} * {0}", "argument in [-1, 1]"),
    Operation("acos", 1, "arccos({0})", "{0}.acos()", lambda y, x: (-(1 / (1 - x * x).apply("sqrt")),),
              ("acos", "arccos"), "acos", "1 - {0} * {0}", "argument in [-1, 1]"),
    Operation("atan", 1, "arctan({0})", "{0}.atan()", lambda y, x: (1 / (1 + x * x),), ("atan", "arctan"), "atan"),
    Operation("atan2", 2, "arctan2({0}, {1})", "atan2({0}, {1})",
              lambda y, a, b: (b / (a * a + b * b), -(a / (a * a + b * b))),
              ("atan2", "arctan2"), "atan2", "atan2_switch({0}, {1})", "not both arguments 0"),
    # hyperbolic functions and inverses
    Operation("sinh", 1, "sinh({0})", "{0}.sinh()", lambda y, x: (x.apply("cosh"),), ("sinh",), "sinh"),
    Operation("cosh", 1, "cosh({0})", "{0}.cosh()", lambda y, x: (x.apply("sinh"),), ("cosh",), "cosh"),
    Operation("tanh", 1, "tanh({0})", "{0}.tanh()", lambda y, x: (1 / x.apply("cosh") ** 2,), ("tanh",), "tanh"),
    Operation("asinh", 1, "arcsinh({0})", "{0}.asinh()", lambda y, x: (1 / (1 + x * x).apply("sqrt"),),
              ("asinh", "arcsinh"), "asinh"),
    Operation("acosh", 1, "arccosh({0})", "{0}.acosh()",
              lambda y, x: (1 / ((x - 1).apply("sqrt") * (x + 1).apply("sqrt")),),
              ("acosh", "arccosh"), "acosh", "{0} - 1", "argument >= 1"),
    Operation("atanh", 1, "arctanh({0})", "{0}.atanh()", lambda y, x: (1 / ((1 - x) * (1 + x)),),
              ("atanh", "arctanh"), "atanh", domain="argument in (-1, 1)"),
    # corners and switches
    Operation("abs", 1, "abs({0})", "absolute({0})", lambda y, x: (x.apply("sign"),),
              ("abs", "Abs", "fabs", "absolute"), "Abs", "{0}"),
    Operation("sign", 1, "sign({0})", "{0}.sgn()", lambda y, x: (x.constant(0),), ("sign",), "sign", "{0}"),
    Operation("min", 2, "minimum({0}, {1})", "{0}.min({1})", _minmax(lambda a, b: _larger(b, a)),
              ("min", "Min", "minimum", "fmin"), "Min", "{0} - {1}"),
    Operation("max", 2, "maximum({0}, {1})", "{0}.max({1})", _minmax(_larger),
              ("max", "Max", "maximum", "fmax"), "Max", "{0} - {1}"),
    Operation("select", 3, "where({0}, {1}, {2})", "select({0}, {1}, {2})", None, ("where",)),
    # conditions: true, false, or in balls None where it cannot be told
    Operation("true", 0, "True", "True", names=("True",)),
    Operation("false", 0, "False", "False", names=("False",)),
    Operation("less", 2, "{0} < {1}", "less({0}, {1})", None, ("Lt", "less"), "StrictLessThan", "{0} - {1}"),
    Operation("less_equal", 2, "{0} <= {1}", "less_equal({0}, {1})", None, ("Le", "less_equal"), "LessThan",
              "{0} - {1}"),
    Operation("greater", 2, "{0} > {1}", "less({1}, {0})", None, ("Gt", "greater"), "StrictGreaterThan", "{0} - {1}"),
    Operation("greater_equal", 2, "{0} >= {1}", "less_equal({1}, {0})", None, ("Ge", "greater_equal"), "GreaterThan",
              "{0} - {1}"),
    Operation("equal", 2, "{0} == {1}", "equal({0}, {1})", None, ("Eq", "equal"), "Equality", "{0} - {1}"),
    Operation("not_equal", 2, "{0} != {1}", "negation(equal({0}, {1}))", None, ("Ne", "not_equal"), "Unequality",
              "{0} - {1}"),
    Operation("and", 2, "logical_and({0}, {1})", "conjunction({0}, {1})", None, ("And", "logical_and"), "And"),
    Operation("or", 2, "logical_or({0}, {1})", "negation(conjunction(negation({0}), negation({1})))", None,
              ("Or", "logical_or"), "Or"),
    Operation("not", 1, "logical_not({0})", "negation({0})", None, ("Not", "logical_not"), "Not"),
)

OPERATIONS: Mapping[str, Operation] = {row.name: row for row in _ROWS}

COMPARISONS = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"})

# Functions without a row: what NumPy lacks is a short formula of what it has, so that the float code that runs is
# the program. Each takes Terms and returns one. cot x = cos x / sin x is defined wherever the cotangent is.
DERIVED: Mapping[str, Callable[[Term], Term]] = {
    "cot": lambda x: _cos(x).apply("divide", _sin(x)),
    "sec": lambda x: x.constant(1).apply("divide", _cos(x)),
    "csc": lambda x: x.constant(1).apply("divide", _sin(x)),
    "acot": lambda x: x.constant(1).apply("divide", x).apply("atan"),
    "asec": lambda x: x.constant(1).apply("divide", x).apply("acos"),
    "acsc": lambda x: x.constant(1).apply("divide", x).apply("asin"),
    "coth": lambda x: x.constant(1).apply("divide", x.apply("tanh")),
    "sech": lambda x: x.constant(1).apply("divide", x.apply("cosh")),
    "csch": lambda x: x.constant(1).apply("divide", x.apply("sinh")),
    "acoth": lambda x: x.constant(1).apply("divide", x).apply("atanh"),
    "asech": lambda x: x.constant(1).apply("divide", x).apply("acosh"),
    "acsch": lambda x: x.constant(1).apply("divide", x).apply("asinh"),
    "square": lambda x: x.apply("integer_power", payload=2),
    "reciprocal": lambda x: x.constant(1).apply("divide", x),
    "deg2rad": lambda x: x.apply("multiply", Term(x.builder, x.builder.apply("pi"))).apply("divide", x.constant(180)),
}

# For namespaces that lack a function (math has no sign, maximum, where; torch no cbrt): plain Python on numbers.
FALLBACKS: Mapping[str, Callable[..., Any]] = {
    "sign": lambda x: (x > 0) - (x < 0) if x == x else x,
    "minimum": lambda a, b: a if a < b or a != a else b,
    "maximum": lambda a, b: a if a > b or a != a else b,
    "where": lambda c, a, b: a if c else b,
    "logical_and": lambda a, b: a & b,
    "logical_or": lambda a, b: a | b,
    "logical_not": lambda a: not a,
    "cbrt": lambda x: (x > 0) * abs(x) ** (1 / 3) - (x < 0) * abs(x) ** (1 / 3),
    "exp2": lambda x: 2.0**x,
}

# text name -> name of the operation, for the operations that take real arguments and give a real result
REAL_NAMES: Mapping[str, str] = {
    text: row.name
    for row in _ROWS
    for text in row.names
    if row.arity and row.name not in COMPARISONS | {"and", "or", "not", "select", "integer_power", "power"}
}


def partial_terms(operation: str, payload: Fraction | int | None, result: Term, operands: list[Term]) -> tuple[Term, ...]:
    """Return the local partial derivatives of one node as terms.

    Raises
    ------
    KeyError
        The operation is unknown or has none (conditions; ``select`` is the adjoint's own business).
    """
    if operation == "integer_power":
        return _integer_power(int(payload or 0))(result, operands[0])
    partials = OPERATIONS[operation].partials
    if partials is None:
        raise KeyError(operation)
    return partials(result, *operands)
