"""The formula of a node, as text."""

from __future__ import annotations

from fractions import Fraction

from diffcompare.program.dag import Program

__all__ = ["formula"]

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
_LEAVES = {"pi": "pi", "e": "E", "true": "True", "false": "False", "undefined": "nan"}


def formula(program: Program, index: int, *, limit: int = 80, exact: bool = True) -> str:
    """Write the formula of a node; operands that would make it longer than ``limit`` are written as …

    A constant that is a binary float but no short decimal is written as a fraction, or, not ``exact``, as the float.

    >>> from diffcompare.symbolic.parse import parse
    >>> program = parse("(x + 1)**2*sin(x)").program
    >>> formula(program, program.outputs[0])
    '(x + 1)**2*sin(x)'
    """
    texts: list[tuple[int, str]] = []
    for node in program.nodes[: index + 1]:
        operands = [texts[i] for i in node.operands]
        if node.operation == "variable":
            precedence, text = 5, program.variables[int(node.payload or 0)]
        elif node.operation == "constant":
            precedence, text = _constant(Fraction(node.payload or 0), exact=exact)
        elif node.operation == "sum":
            precedence, text = 1, " + ".join(_bracketed(operand, 2 if k else 1) for k, operand in enumerate(operands))
        elif node.operation == "dot":
            half = len(operands) // 2
            factors = zip(operands[:half], operands[half:], strict=True)
            precedence, text = 1, " + ".join(f"{_bracketed(a, 2)}*{_bracketed(b, 3)}" for a, b in factors)
        elif node.operation in _LEAVES:
            precedence, text = 5, _LEAVES[node.operation]
        elif node.operation == "integer_power":
            precedence, text = 4, f"{_bracketed(operands[0], 5)}**{node.payload}"
        elif node.operation in _PATTERNS:
            precedence, pattern = _PATTERNS[node.operation]
            left = precedence + (node.operation in ("power", "negative"))
            shown = [_bracketed(operand, left if k == 0 else precedence + 1) for k, operand in enumerate(operands)]
            text = pattern.format(*shown)
        else:
            # a payload is the order of a derivative that has no name of its own
            name = _NAMES.get(node.operation, node.operation) + "'" * int(node.payload or 0)
            precedence, text = 5, f"{name}({', '.join(t for _, t in operands)})"
        texts.append((precedence, text if len(text) <= limit else _short(text, limit)))
    return texts[index][1]


def _short(text: str, limit: int) -> str:
    return f"{text[: limit // 2 - 1]}…{text[-(limit // 2) :]}"


def _bracketed(operand: tuple[int, str], needed: int) -> str:
    precedence, text = operand
    return text if precedence >= needed else f"({text})"


def _constant(value: Fraction, *, exact: bool) -> tuple[int, str]:
    text = _decimal(value) or f"{value.numerator}/{value.denominator}"
    if not exact and len(text) > 20 and 1e-300 < abs(value) < 1e300 and Fraction(float(value)) == value:
        text = repr(float(value))
    return (1 if value < 0 else 2 if "/" in text else 5), text


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
