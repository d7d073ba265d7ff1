"""Programs in exact rational arithmetic, as far as it reaches: what decides ties and exact zeros."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import ARITHMETIC, CONDITIONS, FALLBACKS
from diffcompare.program.run import interpret

__all__ = ["EXACT_OPERATIONS", "exact_operation", "exact_outputs"]

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
    rule = EXACT_OPERATIONS.get(node.operation)
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


EXACT_OPERATIONS: dict[str, Callable[..., Fraction | bool]] = {
    **ARITHMETIC,
    **{name: FALLBACKS[name] for name in CONDITIONS},
    "abs": abs,
    "sign": _sign,
    "min": min,
    "max": max,
}
