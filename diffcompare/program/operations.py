"""The table of elementary operations: one row each, with all that is true of it whatever the arithmetic.

A new function is a row here, and an entry in the table of each arithmetic that its kind takes part in: one test names
the entries that are missing.

Every arithmetic runs the same source, ``sin(t3)`` or ``t1 + t2``, with functions of its own behind the names;
names are strings here. The partial derivatives are written as formulas of operands and result (DLMF 4.4, 4.7,
4.20, 4.24, 4.34, 4.38); a test proves each equal to SymPy's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

from diffcompare.program.dag import Term
from diffcompare.program.operation import Kind, Operation, Partials
from diffcompare.program.special_functions import ROWS as SPECIAL_ROWS

__all__ = [
    "ANSWERS",
    "ARITHMETIC",
    "COMPARISONS",
    "CONDITIONS",
    "DERIVED",
    "FALLBACKS",
    "INFIX",
    "LOGIC",
    "OPERATIONS",
    "REAL_NAMES",
    "Kind",
    "Operation",
    "named",
    "partial_terms",
]


def _sin(x: Term) -> Term:
    return x.apply("sin")


def _cos(x: Term) -> Term:
    return x.apply("cos")


def _sqrt(x: Term) -> Term:
    return x.apply("sqrt")


def _log_base(base: int) -> Partials:
    return lambda y, x: (1 / (x * x.constant(base).apply("log")),)


def _power(y: Term, x: Term, p: Term) -> tuple[Term, ...]:
    # d/dx x^p = p x^(p-1); the partial in the exponent exists for a positive base only
    return p * x.apply("power", p - 1), y * x.apply("log")


def _atan2(y: Term, a: Term, b: Term) -> tuple[Term, ...]:
    square = a * a + b * b
    return b / square, -(a / square)


def _arc(y: Term, x: Term) -> tuple[Term, ...]:
    return (1 / _sqrt((1 - x) * (1 + x)),)


def _choice(comparison: str) -> Partials:
    def partials(y: Term, a: Term, b: Term) -> tuple[Term, ...]:
        condition, one, zero = a.apply(comparison, b), a.constant(1), a.constant(0)
        return condition.apply("select", one, zero), condition.apply("select", zero, one)

    return partials


_OTHER, _ANALYTIC, _EXACT, _ROUNDED = Kind(0), Kind.ANALYTIC, Kind.EXACT, Kind.ROUNDED
_RATIONAL = Kind.RATIONAL | _ANALYTIC
_PRODUCT = Kind.POLYNOMIAL | _RATIONAL
_LINEAR = Kind.LINEAR | _PRODUCT
_PIECES, _TRUTH = Kind.PIECEWISE | _EXACT, Kind.CONDITION | _EXACT

# 0 where an argument is ±1
_ENDS = "1 - {0} * {0}"

_ROWS = (
    # leaves
    Operation("constant", 0, _ANALYTIC | _EXACT),
    Operation("variable", 0, _ANALYTIC | _EXACT),
    Operation("pi", 0, _ANALYTIC | _ROUNDED, ("pi",), "Pi"),
    Operation("e", 0, _ANALYTIC | _ROUNDED, ("e", "E"), "Exp1"),
    Operation("undefined", 0, _ANALYTIC | _EXACT, (), "NaN", domain="nowhere"),
    # arithmetic
    Operation("add", 2, _LINEAR | _ROUNDED, ("add",), "", lambda y, a, b: (y.constant(1), y.constant(1))),
    Operation("subtract", 2, _LINEAR | _ROUNDED, ("subtract",), "", lambda y, a, b: (y.constant(1), y.constant(-1))),
    Operation("multiply", 2, _PRODUCT | _ROUNDED, ("multiply",), "", lambda y, a, b: (b, a)),
    Operation(
        "divide", 2, _RATIONAL | _ROUNDED, ("divide",), "", lambda y, a, b: (1 / b, -(y / b)), domain="divisor not 0"
    ),
    Operation("negative", 1, _LINEAR | _EXACT, ("negative",), "", lambda y, x: (y.constant(-1),)),
    # any number of terms; a sum of products takes all first factors, then all second ones
    Operation("sum", -1, _LINEAR, (), "", lambda y, *x: (y.constant(1),) * len(x)),
    Operation("dot", -1, _PRODUCT, (), "", lambda y, *x: (*x[len(x) // 2 :], *x[: len(x) // 2])),
    Operation("integer_power", 1, _RATIONAL, (), "", None, domain="base not 0 for a negative exponent"),
    Operation("power", 2, _ANALYTIC, (), "", _power, "{0}", "base positive, or 0 with a positive exponent"),
    Operation("sqrt", 1, _ANALYTIC | _ROUNDED, ("sqrt",), "", lambda y, x: (1 / (2 * y),), "{0}", "argument >= 0"),
    Operation("cbrt", 1, _OTHER, ("cbrt",), "", lambda y, x: (1 / (3 * y * y),), "{0}"),
    Operation("hypot", 2, _OTHER, ("hypot",), "", lambda y, a, b: (a / y, b / y), "hypot({0}, {1})"),
    # exponentials and logarithms
    Operation("exp", 1, _ANALYTIC, ("exp",), "exp", lambda y, x: (y,)),
    Operation("exp2", 1, _ANALYTIC, ("exp2",), "", lambda y, x: (y * x.constant(2).apply("log"),)),
    Operation("expm1", 1, _ANALYTIC, ("expm1",), "", lambda y, x: (x.apply("exp"),)),
    Operation("log", 1, _ANALYTIC, ("log", "ln"), "log", lambda y, x: (1 / x,), "", "argument > 0"),
    Operation("log2", 1, _ANALYTIC, ("log2",), "", _log_base(2), "", "argument > 0"),
    Operation("log10", 1, _ANALYTIC, ("log10",), "", _log_base(10), "", "argument > 0"),
    Operation("log1p", 1, _ANALYTIC, ("log1p",), "", lambda y, x: (1 / (1 + x),), "", "argument > -1"),
    # trigonometric functions and their inverses
    Operation("sin", 1, _ANALYTIC, ("sin",), "sin", lambda y, x: (_cos(x),)),
    Operation("cos", 1, _ANALYTIC, ("cos",), "cos", lambda y, x: (-_sin(x),)),
    Operation("tan", 1, _ANALYTIC, ("tan",), "tan", lambda y, x: (1 + y * y,), "", "no odd multiple of pi/2"),
    Operation("asin", 1, _ANALYTIC, ("arcsin", "asin"), "asin", _arc, _ENDS, "argument in [-1, 1]"),
    Operation(
        "acos", 1, _ANALYTIC, ("arccos", "acos"), "acos", lambda y, x: (-_arc(y, x)[0],), _ENDS, "argument in [-1, 1]"
    ),
    Operation("atan", 1, _ANALYTIC, ("arctan", "atan"), "atan", lambda y, x: (1 / (1 + x * x),)),
    # the quantity is 0 on the cut: a = 0 with b <= 0
    Operation(
        "atan2", 2, _OTHER, ("arctan2", "atan2"), "atan2", _atan2, "hypot({0}, {1}) + {1}", "not both arguments 0"
    ),
    # hyperbolic functions and their inverses
    Operation("sinh", 1, _ANALYTIC, ("sinh",), "sinh", lambda y, x: (x.apply("cosh"),)),
    Operation("cosh", 1, _ANALYTIC, ("cosh",), "cosh", lambda y, x: (x.apply("sinh"),)),
    Operation("tanh", 1, _ANALYTIC, ("tanh",), "tanh", lambda y, x: (1 / x.apply("cosh") ** 2,)),
    Operation("asinh", 1, _ANALYTIC, ("arcsinh", "asinh"), "asinh", lambda y, x: (1 / _sqrt(1 + x * x),)),
    Operation(
        "acosh",
        1,
        _ANALYTIC,
        ("arccosh", "acosh"),
        "acosh",
        lambda y, x: (1 / (_sqrt(x - 1) * _sqrt(x + 1)),),
        "{0} - 1",
        "argument >= 1",
    ),
    Operation(
        "atanh",
        1,
        _ANALYTIC,
        ("arctanh", "atanh"),
        "atanh",
        lambda y, x: (1 / ((1 - x) * (1 + x)),),
        "",
        "argument in (-1, 1)",
    ),
    # corners and switches
    Operation("abs", 1, _PIECES, ("abs", "absolute", "fabs", "Abs"), "Abs", lambda y, x: (x.apply("sign"),), "{0}"),
    Operation("sign", 1, _PIECES, ("sign",), "sign", lambda y, x: (x.constant(0),), "{0}"),
    Operation("min", 2, _PIECES, ("minimum", "fmin", "min", "Min"), "Min", _choice("less"), "{0} - {1}"),
    Operation("max", 2, _PIECES, ("maximum", "fmax", "max", "Max"), "Max", _choice("greater"), "{0} - {1}"),
    Operation("select", 3, _PIECES, ("where",)),
    # conditions: true, false, and in balls None where it cannot be told
    Operation("true", 0, _TRUTH),
    Operation("false", 0, _TRUTH),
    Operation("less", 2, _TRUTH, ("less", "Lt"), "StrictLessThan", None, "{0} - {1}"),
    Operation("less_equal", 2, _TRUTH, ("less_equal", "Le"), "LessThan", None, "{0} - {1}"),
    Operation("greater", 2, _TRUTH, ("greater", "Gt"), "StrictGreaterThan", None, "{0} - {1}"),
    Operation("greater_equal", 2, _TRUTH, ("greater_equal", "Ge"), "GreaterThan", None, "{0} - {1}"),
    Operation("equal", 2, _TRUTH, ("equal", "Eq"), "Equality", None, "{0} - {1}"),
    Operation("not_equal", 2, _TRUTH, ("not_equal", "Ne"), "Unequality", None, "{0} - {1}"),
    Operation("and", 2, _TRUTH, ("logical_and", "And"), "And"),
    Operation("or", 2, _TRUTH, ("logical_or", "Or"), "Or"),
    Operation("not", 1, _TRUTH, ("logical_not", "Not"), "Not"),
    *SPECIAL_ROWS,
)

OPERATIONS: Mapping[str, Operation] = {row.name: row for row in _ROWS}


def named(kind: Kind) -> frozenset[str]:
    """Return the names of the operations of a kind, or of several kinds at once."""
    return frozenset(row.name for row in _ROWS if kind in row.kind)


# what is true or false
CONDITIONS = named(Kind.CONDITION)
# of numbers: where they are equal the answer changes
COMPARISONS = frozenset(name for name in CONDITIONS if OPERATIONS[name].switch)
LOGIC = frozenset(name for name in CONDITIONS - COMPARISONS if OPERATIONS[name].arity)

INFIX: Mapping[str, str] = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
}

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
# Constants are functions of no argument, as in balls, where their value depends on the precision.
FALLBACKS: Mapping[str, Callable[..., Any]] = {
    "pi": lambda: math.pi,
    "e": lambda: math.e,
    "undefined": lambda: math.nan,
    "true": lambda: True,
    "false": lambda: False,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "integer_power": operator.pow,
    "power": operator.pow,
    "sum": lambda *terms: reduce(operator.add, terms),
    "dot": lambda *factors: reduce(
        operator.add, map(operator.mul, factors[: len(factors) // 2], factors[len(factors) // 2 :])
    ),
    "abs": abs,
    "sign": lambda x: (x > 0) - (x < 0) if x == x else x,
    "min": lambda a, b: a if a < b or a != a else b,
    "max": lambda a, b: a if a > b or a != a else b,
    "select": lambda c, a, b: a if c else b,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "not": operator.not_,
    "floor": math.floor,
    "ceiling": math.ceil,
    "cbrt": lambda x: (x > 0) * abs(x) ** (1 / 3) - (x < 0) * abs(x) ** (1 / 3),
    "exp2": lambda x: 2.0**x,
}

# what Python's own operators do in every arithmetic
ARITHMETIC: Mapping[str, Callable[..., Any]] = {name: FALLBACKS[name] for name in (*INFIX, "sum", "dot")}

# and what its comparisons answer
ANSWERS: Mapping[str, Callable[..., Any]] = {name: answer for name, answer in FALLBACKS.items() if name in COMPARISONS}

# text name -> name of the operation, for the operations that take real arguments and give a real result
REAL_NAMES: Mapping[str, str] = {
    text: row.name for row in _ROWS for text in row.names if row.arity > 0 and row.name not in CONDITIONS | {"select"}
}


def partial_terms(
    operation: str, payload: Fraction | int | None, result: Term, operands: list[Term]
) -> tuple[Term, ...]:
    """Return the local partial derivatives of one node as terms.

    Raises
    ------
    KeyError
        The operation is unknown or has none (conditions; ``select`` is the business of the adjoint).
    """
    if operation == "integer_power":
        n, (x,) = int(payload or 0), operands
        return (n * x ** (n - 1) if n else x.constant(0),)
    row = OPERATIONS[operation]
    if row.by_order:
        *parameters, x = operands
        undefined = Term(x.builder, x.builder.apply("undefined"))
        order = int(payload or 0) + 1
        return *(undefined for _ in parameters), operands[0].apply(operation, *operands[1:], payload=order)
    partials = row.partials
    if partials is None:
        raise KeyError(operation)
    return partials(result, *operands)
