"""Programs in exact rational arithmetic, as far as it reaches: what decides ties and exact zeros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import FALLBACKS
from diffcompare.program.run import interpret

__all__ = ["exact_operation", "exact_outputs"]

# beyond this size an exact value is given up: the cost must stay bounded
_BITS = 60_000


def exact_outputs(program: Program, point: Sequence[float | Fraction]) -> list[Fraction | None]:
    """Evaluate the outputs exactly where they need only + − × ÷, integer powers and choices among such.

    Returns None for an output that needs more, or that is not defined.
    """

    def leaf(node: Node) -> Fraction | bool | None:
        variable = node.operation == "variable"
        return Fraction(point[int(node.payload or 0)]) if variable else exact_operation(node)

    values = interpret(program, leaf, exact_operation)
    return [None if isinstance(value, bool) else value for value in (values[i] for i in program.outputs)]


def exact_operation(node: Node, *operands: Fraction | bool | None) -> Fraction | bool | None:
    """Carry out one operation exactly; None where it cannot be, or is not defined."""
    if node.operation == "constant":
        return Fraction(node.payload or 0)
    if node.operation == "select":
        condition, first, second = operands
        return None if condition is None else first if condition else second
    if any(value is None for value in operands):
        return None
    if node.operation == "integer_power":
        base, exponent = Fraction(operands[0] or 0), int(node.payload or 0)
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if size * abs(exponent) > _BITS or (base == 0 and exponent < 0):
            return None
        return base**exponent
    rule = _RULES.get(node.operation)
    if rule is None:
        return None
    try:
        result = rule(*operands)
    except ZeroDivisionError:
        return None
    if not isinstance(result, bool) and max(result.numerator.bit_length(), result.denominator.bit_length()) > _BITS:
        return None
    return result


def _sign(a: Fraction) -> Fraction:
    return Fraction((a > 0) - (a < 0))


_RULES: dict[str, Callable[..., Fraction | bool]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "negative": lambda a: -a,
    "sum": FALLBACKS["sum"],
    "dot": FALLBACKS["dot"],
    "abs": abs,
    "sign": _sign,
    "min": min,
    "max": max,
    "true": lambda: True,
    "false": lambda: False,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}
