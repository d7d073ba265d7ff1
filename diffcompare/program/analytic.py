"""Which programs are run with complex numbers: those of operations that are analytic and have complex floats."""

from __future__ import annotations

from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import Program
from diffcompare.program.operations import OPERATIONS, Kind, named
from diffcompare.program.printing import formula

__all__ = ["ANALYTIC", "SCIPY_ANALYTIC", "check_analytic", "not_analytic"]

ANALYTIC = named(Kind.ANALYTIC)
# computed by SciPy (the sine of sinc is NumPy's)
SCIPY_ANALYTIC = named(Kind.ANALYTIC | Kind.SPECIAL) - {"sinc"}
# of the others SciPy has real floats alone
_ORDERS = {"expint": 1, "polylog": 2}


def not_analytic(program: Program) -> str:
    """Say why a complex step cannot differentiate a program; empty where it can."""
    for index, node in enumerate(program.nodes):
        needed, order = _ORDERS.get(node.operation), program.nodes[node.operands[0]] if node.operands else node
        derived = node.payload is not None and OPERATIONS[node.operation].by_order
        if node.operation not in ANALYTIC or derived or (needed is not None and order.payload != needed):
            return (
                f"{node.operation} in {shorten(formula(program, index), 60)}: not analytic, or without complex floats"
            )
    return ""


def check_analytic(program: Program) -> None:
    """Refuse a program that a complex step cannot differentiate.

    Raises
    ------
    UnsupportedFunction
        An operation is not analytic (abs, sign, min, max, floor, select), or has no complex floats; it is named.
    """
    reason = not_analytic(program)
    if reason:
        raise UnsupportedFunction(f'{reason}, so that scheme="complex" does not apply; choose "central"')
