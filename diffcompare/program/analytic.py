"""Which programs are run with complex numbers: those of operations that are analytic and have complex floats."""

from __future__ import annotations

from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import Program
from diffcompare.program.printing import formula

__all__ = ["ANALYTIC", "check_analytic"]

# leaves and arithmetic, then what NumPy computes of complex numbers (it does not: cbrt, hypot, atan2)
# fmt: off
ANALYTIC = frozenset({
    "constant", "variable", "pi", "e", "undefined", "add", "subtract", "multiply", "divide", "negative", "sum",
    "dot", "integer_power", "power", "sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin",
    "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"
})
# fmt: on


def check_analytic(program: Program) -> None:
    """Refuse a program that a complex step cannot differentiate.

    Raises
    ------
    UnsupportedFunction
        An operation is not analytic (abs, sign, min, max, floor, select), or has no complex floats; it is named.
    """
    for index, node in enumerate(program.nodes):
        if node.operation not in ANALYTIC:
            raise UnsupportedFunction(
                f"{node.operation} in {shorten(formula(program, index), 60)}: not analytic, or without complex floats, "
                'so that scheme="complex" does not apply; choose "central"'
            )
