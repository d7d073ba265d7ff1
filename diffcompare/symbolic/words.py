"""The words of formulas: names that are known, the tokens a text is cut into, and what is wrong with a single one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from keyword import iskeyword
from typing import Literal

from diffcompare.errors import ParseError, shorten
from diffcompare.program.operations import COMPARISONS, DERIVED, LOGIC, OPERATIONS, REAL_NAMES
from diffcompare.program.special_functions import NAMED, SOFT_NAMES

__all__ = [
    "AMBIGUOUS",
    "COMPARE",
    "CONSTANTS",
    "FUNCTIONS",
    "INFIX",
    "POWER",
    "PREFIX",
    "Token",
    "cut_tokens",
    "exact_number",
    "listed_names",
    "occurring_names",
]

# limits on text from strangers, as in parse
_DIGITS = 200
_DECIMAL_EXPONENT = 400
_NAME_CHARACTERS = 100

# what is put on operands: operation, rank in Python's order of precedence
INFIX: Mapping[str, tuple[str, int]] = {
    "or": ("or", 1), "and": ("and", 2), "<": ("less", 4), "<=": ("less_equal", 4), ">": ("greater", 4),
    ">=": ("greater_equal", 4), "==": ("equal", 4), "!=": ("not_equal", 4), "|": ("or", 5), "&": ("and", 6),
    "+": ("add", 7), "-": ("subtract", 7), "*": ("multiply", 8), "/": ("divide", 8), "**": ("power", 10),
}  # fmt: skip
PREFIX: Mapping[str, tuple[str, int]] = {"not": ("not", 3), "-": ("negative", 9), "+": ("", 9), "~": ("not", 9)}
COMPARE, POWER = 4, 10
CONSTANTS: Mapping[str, str] = {"pi": "pi", "E": "e", "True": "true", "False": "false"}
# name in text -> operation, or the name of a derived function
FUNCTIONS: Mapping[str, str] = {
    **{name: name for name in (*DERIVED, "Rational")},
    **{f"arc{name}": f"a{name}" for name in ("cot", "sec", "csc", "coth", "sech", "csch")},
    **{name: row for row in (*sorted(COMPARISONS | LOGIC), "select") for name in OPERATIONS[row].names},
    **REAL_NAMES,
    **dict.fromkeys(("pow", "power", "Pow"), "power"),
    **dict.fromkeys(("Piecewise", "piecewise"), "piecewise"),
    "radians": "deg2rad",
    **{name: name for name in NAMED if "." not in name},
}
_MODULES = frozenset({"np", "numpy", "math", "sympy", "sp", "special", "scipy.special"})
# names that many read as numbers: variables only where they are listed
AMBIGUOUS: Mapping[str, str] = {
    "e": "'e' is no constant: write exp(x) or E**x for powers of it, E for the number, or list 'e' in variables",
    "I": "complex numbers are not supported; if 'I' is a variable, list it in variables",
    **dict.fromkeys(("Pi", "PI"), "write pi, or list the name in variables"),
    **dict.fromkeys(("oo", "inf", "nan", "NaN"), "infinity and nan are no numbers; list a variable of this name"),
}
_KEYWORDS: Mapping[str, str] = {
    **dict.fromkeys(("if", "else"), "write where(condition, a, b)"), "is": "write ==", "lambda": "write lam, say"
}  # fmt: skip
_ASCII: Mapping[str, str] = {
    **dict.fromkeys("×·⋅∙∗", "*"), **dict.fromkeys("÷⁄∕", "/"), **dict.fromkeys("−–—‐‑", "-"),
    **{c: f"**{i}" for i, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}, "√": "sqrt(x)", "∛": "cbrt(x)", "π": "pi", "≤": "<=",
    "≥": ">=", "≠": "!=", "½": "1/2", "¼": "1/4", "¾": "3/4", "∧": "and", "∨": "or", "¬": "not", "λ": "lam",
    "α": "alpha", "β": "beta", "γ": "gamma", "θ": "theta", "μ": "mu", "σ": "sigma", "φ": "phi", "ω": "omega",
}  # fmt: skip
_REFUSED: Mapping[str, str] = {
    "=": "give the right-hand side only, or compare with ==", ":=": "give the right-hand side only",
    "!": "there is no factorial", "//": "divide with /", "<<": "compare with <", ">>": "compare with >",
    "%": "there is no remainder; write a percentage as x/100", "@": "write products and sums out", "&&": "write 'and'",
    "||": "write 'or' between conditions; for an absolute value write abs(x)",
    ".": "attribute access does not exist; write a number as 0.5", "#": "comments do not exist; give the formula only",
    **dict.fromkeys("[]{}", "write parentheses, and x0 for x[0]"),
    **dict.fromkeys("\"'`", "strings do not exist; write names without quotes"),
    "\\": "LaTeX is not read; write sin(x), not \\sin x",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a name or an operator, and where it stands."""

    kind: Literal["number", "name", "operator"]
    text: str
    column: int
    # of an operator, once it was read
    operation: str = ""
    rank: int = 0
    operands: int = 0


_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<operator>\*\*|[<>=!:]=|&&|\|\||//|<<|>>|.)",
    re.DOTALL,
)


def listed_names(variables: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments as they were listed, once they are known to be distinct names."""
    if isinstance(variables, str | Set) or not isinstance(variables, Iterable):  # a set has no order
        raise TypeError(f"variables={shorten(repr(variables), 60)}: must be a list of names; pass ['x', 'y']")
    names = tuple(variables)
    if not names:
        raise ValueError("variables=[]: a function has at least one; pass ['x']")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"variables: {shorten(repr(name), 60)} is no str; pass names, as in ['x', 'y']")
    for name, count in Counter(names).items():
        shown = shorten(repr(name), 60)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or len(name) > _NAME_CHARACTERS or name.startswith("__"):
            raise ValueError(f"variables: {shown} is no name; use ASCII letters, digits and _, as in x0")
        if (name in FUNCTIONS and name not in SOFT_NAMES) or name in CONSTANTS or iskeyword(name):
            raise ValueError(f"variables: {shown} is the name of a function, constant or keyword; use another one")
        if count > 1:
            raise ValueError(f"variables: {shown} is listed twice; list each name once")
    return names


def occurring_names(tokens: Sequence[Token]) -> tuple[str, ...]:
    """Return the variables that occur, in natural order: x2 before x10."""

    def natural(name: str) -> tuple[list[str | int], str]:
        return [int(part) if i % 2 else part for i, part in enumerate(re.split("([0-9]+)", name))], name

    found = {
        token.text
        for token, after in zip(tokens, [*tokens[1:], None], strict=True)
        if token.kind == "name" and "." not in token.text and (after is None or after.text != "(")
    }
    return tuple(sorted(found - (FUNCTIONS.keys() - SOFT_NAMES) - CONSTANTS.keys() - AMBIGUOUS.keys(), key=natural))


def cut_tokens(text: str) -> list[Token]:
    """Cut the text; what is no part of any formula is refused here."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind, part, column, message = match.lastgroup, match.group(), match.start() + 1, ""
        if kind == "number":
            message = _number_fault(text, part, match.start(), match.end())
            tokens.append(Token("number", part, column))
        elif kind == "name":
            message = _name_fault(part)
            tokens.append(Token("operator" if part in LOGIC else "name", part, column))
        elif kind == "operator":
            message = _operator_fault(part)
            tokens.append(Token("operator", "**" if part == "^" else part, column))
        if message:
            raise ParseError(message, text, column)
    return tokens


def _operator_fault(part: str) -> str:
    if part in INFIX or part in {"^", "~", "(", ")", ","}:
        return ""
    if part in _ASCII:
        return f"'{part}' is not ASCII; write {_ASCII[part]}"
    if part.isascii() and part.isprintable():
        return f"'{part}' is not supported: {_REFUSED.get(part, 'remove it')}"
    return f"the character U+{ord(part):04X} is not supported; write ASCII letters, digits and operators"


def _number_fault(text: str, number: str, start: int, end: int) -> str:
    mantissa, _, exponent = number.lower().partition("e")
    if re.match("0[xob][0-9a-f_]", text[start : start + 3], re.IGNORECASE):
        return "only decimal numbers are supported; write 31 for 0x1F"
    if re.match("_+[0-9]", text[end : end + 9]):
        return "digits are not grouped; write 1000 for 1_000"
    if re.match("j(?![a-z0-9_])", text[end : end + 2], re.IGNORECASE):
        return "complex numbers are not supported; if j is a variable, write 1*j"
    if len(mantissa.replace(".", "")) > _DIGITS:
        return f"a number has at most {_DIGITS} digits; write a shorter one"
    if len(exponent) > 9 or abs(int(exponent or 0)) > _DECIMAL_EXPONENT:
        return f"a decimal exponent is at most {_DECIMAL_EXPONENT} in size; write another number"
    if re.fullmatch("0+[1-9][0-9]*", number):
        return f"a whole number does not start with 0; write {shorten(number.lstrip('0'), 40)}"
    return ""


def _name_fault(name: str) -> str:
    head, dot, _ = name.partition(".")
    module = name.rpartition(".")[0]
    shown = shorten(name, 40)
    if name.startswith("__") or ".__" in name:
        return f"'{shown}' starts with two underscores, which names must not; write a name such as x0"
    if max(map(len, name.split("."))) > _NAME_CHARACTERS:
        return f"a name has at most {_NAME_CHARACTERS} characters; shorten it"
    if iskeyword(head) and head not in LOGIC and head not in CONSTANTS:
        return f"'{head}' is a Python keyword; {_KEYWORDS.get(head, 'write another name')}"
    if dot and module not in _MODULES:
        return (
            f"'{shown}': attribute access does not exist; only np., numpy., math., sympy., sp. and scipy.special. are "
            f"understood"
        )
    return ""


def exact_number(number: str) -> Fraction:
    """Return exactly the decimal number that is written."""
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    return Fraction(int(whole + decimals)) * Fraction(10) ** (int(exponent or 0) - len(decimals))
