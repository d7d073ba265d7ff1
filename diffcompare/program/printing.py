"""The formula of a node, as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from diffcompare.program.dag import Node, Program, needed_nodes
from diffcompare.program.run import interpret

__all__ = ["Written", "applied_text", "bracketed", "formula", "formulas", "number_text", "shapes", "shortened"]

# the precedence of a formula, and its text
Written = tuple[int, str]

# operation -> (precedence, pattern); operands of the same precedence need brackets on the right only
_PATTERNS = {
    "add": (1, "{0} + {1}"),
    "subtract": (1, "{0} - {1}"),
    "multiply": (2, "{0}*{1}"),
    "divide": (2, "{0}/{1}"),
    "negative": (2, "-{0}"),
    "power": (4, "{0}**{1}"),
    "less": (0, "{0} < {1}"),
    "less_equal": (0, "{0} <= {1}"),
    "greater": (0, "{0} > {1}"),
    "greater_equal": (0, "{0} >= {1}"),
    "equal": (0, "Eq({0}, {1})"),
    "not_equal": (0, "Ne({0}, {1})"),
}
_NAMES = {"select": "where", "and": "And", "or": "Or", "not": "Not", "hurwitz_zeta": "zeta"}
# signs of a number that is rather rounded than read
_LONG = 12
# the largest multiple and part of pi that is called so
_PARTS = 360
_LEAVES = {"pi": "pi", "e": "E", "true": "True", "false": "False", "undefined": "nan"}


def formula(program: Program, index: int, *, limit: int = 80, exact: bool = True) -> str:
    """Write the formula of a node; operands that would make it longer than ``limit`` are written as …

    A constant that is a binary float but no short decimal is written as a fraction, or, not ``exact``, with six digits.

    >>> from diffcompare.symbolic.parse import parse
    >>> program = parse("(x + 1)**2*sin(x)").program
    >>> formula(program, program.outputs[0])
    '(x + 1)**2*sin(x)'
    """
    return formulas(program, [index], limit=limit, exact=exact)[0]


def formulas(program: Program, indices: Sequence[int], *, limit: int = 80, exact: bool = True) -> list[str]:
    """Write the formulas of some nodes as :func:`formula` does, each node that they are made of once."""
    texts: dict[int, Written] = {}
    for index in needed_nodes(program.nodes, indices):
        precedence, text = _written(program, index, texts, exact=exact)
        texts[index] = precedence, shortened(text, limit)
    return [texts[index][1] for index in indices]


def shapes(program: Program) -> tuple[list[int], dict[object, int]]:
    """Number the formulas of the nodes, leaves of a kind being all alike; and the number of each (name, payload, …)."""
    numbers: dict[object, int] = {}

    def number(node: Node, *operands: int) -> int:
        return numbers.setdefault((node.operation, node.payload if operands else None, *operands), len(numbers))

    return interpret(program, number, number), numbers


def _written(program: Program, index: int, texts: Mapping[int, Written], *, exact: bool) -> Written:
    """Return the precedence of a node and its formula, of those of its operands."""
    node = program.nodes[index]
    operands = [texts[i] for i in node.operands]
    if node.operation == "variable":
        return 5, program.variables[int(node.payload or 0)]
    if node.operation == "constant":
        return number_text(Fraction(node.payload or 0), exact=exact)
    if node.operation == "sum":
        return 1, " + ".join(bracketed(operand, 2 if k else 1) for k, operand in enumerate(operands))
    if node.operation == "dot":
        half = len(operands) // 2
        factors = zip(operands[:half], operands[half:], strict=True)
        return 1, " + ".join(f"{bracketed(a, 2)}*{bracketed(b, 3)}" for a, b in factors)
    return applied_text(node.operation, operands, node.payload)


def applied_text(operation: str, operands: Sequence[Written], payload: int | Fraction | None = None) -> Written:
    """Write an operation of the table on operands that are written."""
    if operation in _LEAVES:
        return 5, _LEAVES[operation]
    if operation == "integer_power":
        return 4, f"{bracketed(operands[0], 5)}**{payload}"
    if operation in _PATTERNS:
        precedence, pattern = _PATTERNS[operation]
        left = precedence + (operation in ("power", "negative"))
        shown = [bracketed(operand, left if k == 0 else precedence + 1) for k, operand in enumerate(operands)]
        return precedence, pattern.format(*shown)
    # a payload is the order of a derivative that has no name of its own
    name = _NAMES.get(operation, operation) + "'" * int(payload or 0)
    return 5, f"{name}({', '.join(t for _, t in operands)})"


def shortened(text: str, limit: int) -> str:
    """Leave out the middle of a text that is longer than a limit."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2 - 1]}…{text[-(limit // 2) :]}"


def bracketed(operand: Written, needed: int) -> str:
    """Put brackets around a text of less precedence than needed."""
    precedence, text = operand
    return text if precedence >= needed else f"({text})"


def number_text(value: Fraction, *, exact: bool) -> Written:
    """Write a number, with its precedence."""
    text = _decimal(value) or f"{value.numerator}/{value.denominator}"
    if not exact and len(text) > _LONG and 1e-300 < abs(value) < 1e300:
        text = _of_pi(value) or f"{float(value):.6g}"
        return (1 if value < 0 else 2 if "/" in text or "*" in text else 5), text
    return (1 if value < 0 else 2 if "/" in text else 5), text


def _of_pi(value: Fraction) -> str:
    """Write a number as a small multiple or part of pi, empty where it is none."""
    part = (value / Fraction(math.pi)).limit_denominator(_PARTS)
    if not part or abs(part.numerator) > _PARTS or float(part) * math.pi != float(value):
        return ""
    times = "" if part.numerator == 1 else "-" if part.numerator == -1 else f"{part.numerator}*"
    return f"{times}pi" + (f"/{part.denominator}" if part.denominator > 1 else "")


def _decimal(value: Fraction) -> str:
    """Write a number as a decimal literal of moderate length, empty where it has none."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1 or places > 400:
        return ""
    digits = str(value.numerator * 10**places // value.denominator)
    stripped = digits.rstrip("0") or "0"
    exponent = len(digits) - len(stripped) - places
    if places == 0 and len(digits) <= 15:
        return digits
    if len(stripped) > 60:
        return ""
    literal = f"{stripped}e{exponent}"
    shown = repr(float(value)) if 1e-300 < abs(value) < 1e300 else ""
    return shown if shown and Fraction(shown) == value else literal
