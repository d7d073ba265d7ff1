"""Formulas from text: an own reader over a small grammar, straight to a program.

Nothing is ever evaluated or handed to Python's or SymPy's parsers. Python's own parser does not answer alike
everywhere: ``ast.parse`` of nine nested sums of a thousand terms is a RecursionError in 3.11 and fine in 3.13, one
such sum depends on how deep the caller's stack is. This reader (operator precedence, Dijkstra's shunting yard)
keeps its own stack: there is no recursion, and every limit is counted where it is passed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
from functools import reduce
from keyword import iskeyword
from typing import Literal, NoReturn

from diffcompare.errors import ParseError, UnsupportedFunction, shorten
from diffcompare.program.dag import Builder, Term
from diffcompare.program.operations import COMPARISONS, DERIVED, OPERATIONS, REAL_NAMES
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["parse"]

# Limits on text from strangers: what people write is far below them, and what passes costs milliseconds.
_CHARACTERS = 20_000
_TERMS = 1_000
_DEPTH = 60
_DIGITS = 200
_DECIMAL_EXPONENT = 400
_EXPONENT = 1_000
_NAME_CHARACTERS = 100


def parse(text: str, variables: Sequence[str] | None = None, name: str | None = None) -> SymbolicFunction:
    """Read a formula; safe on text from strangers.

    Parameters
    ----------
    text : str
        Python's arithmetic (``^`` means ``**``) with the names of SymPy, NumPy and ``math``. A decimal number is
        exactly that number: ``0.1`` is 1/10. Sums and products are carried out in the order in which they are
        written; operations on numbers alone are carried out exactly, once.
    variables : sequence of str, optional
        The arguments, in order; they need not all occur. Default: the names that occur, in natural order
        (x2 before x10).
    name : str, optional
        Default: the text.

    Returns
    -------
    SymbolicFunction

    Raises
    ------
    ParseError
        The text is no formula of this grammar, or one beyond its limits: 20,000 characters, 1,000 terms in a sum,
        product or list of arguments, depth 60, 200 digits a number, constant exponents up to 1000.
    ValueError, TypeError
        The variables are no list of distinct names.

    Examples
    --------
    >>> f = parse("x10*sin(x2) + 0.1")
    >>> f.variables
    ('x2', 'x10')
    >>> [node.operation for node in f.program.nodes]
    ['variable', 'variable', 'sin', 'multiply', 'constant', 'add']
    >>> f.program.nodes[4].payload
    Fraction(1, 10)
    >>> parse("2x + 1")
    Traceback (most recent call last):
        ...
    diffcompare.errors.ParseError: column 2: a product needs a *: write 2*x
      2x + 1
       ^
    """
    if not isinstance(text, str):
        raise TypeError(f"text={shorten(repr(text), 60)}: a formula must be a str; pass one such as 'x**2 + 1'")
    listed = None if variables is None else _listed(variables)
    if len(text) > _CHARACTERS:
        raise ParseError(f"a formula has at most {_CHARACTERS:,} characters; split it", text, _CHARACTERS + 1)
    tokens = _tokens(text)
    if not tokens:
        raise ParseError("the formula is empty; write one such as x**2 + 1", text, 1)
    names = _occurring(tokens) if listed is None else listed
    reader = _Reader(text, tokens, names)
    result = reader.read()
    if not names:
        raise ParseError("no variable occurs; list the arguments, as in variables=['x']", text, 1)
    return SymbolicFunction.from_program(reader.build.program([result]), formula=text, name=name, source="text")


# what is put on operands: operation, rank in Python's order of precedence
_INFIX: Mapping[str, tuple[str, int]] = {
    "or": ("or", 1), "and": ("and", 2), "<": ("less", 4), "<=": ("less_equal", 4), ">": ("greater", 4),
    ">=": ("greater_equal", 4), "==": ("equal", 4), "!=": ("not_equal", 4), "|": ("or", 5), "&": ("and", 6),
    "+": ("add", 7), "-": ("subtract", 7), "*": ("multiply", 8), "/": ("divide", 8), "**": ("power", 10),
}  # fmt: skip
_PREFIX: Mapping[str, tuple[str, int]] = {"not": ("not", 3), "-": ("negative", 9), "+": ("", 9), "~": ("not", 9)}
_COMPARE, _POWER = 4, 10
_LOGIC = frozenset({"and", "or", "not"})
_CONSTANTS: Mapping[str, str] = {"pi": "pi", "E": "e", "True": "true", "False": "false"}
# name in text -> operation, or the name of a derived function
_FUNCTIONS: Mapping[str, str] = {
    **{name: name for name in (*DERIVED, "Rational")},
    **{f"arc{name}": f"a{name}" for name in ("cot", "sec", "csc", "coth", "sech", "csch")},
    **{name: row for row in (*sorted(COMPARISONS | _LOGIC), "select") for name in OPERATIONS[row].names},
    **REAL_NAMES,
    **dict.fromkeys(("pow", "power", "Pow"), "power"),
    **dict.fromkeys(("Piecewise", "piecewise"), "piecewise"),
    "radians": "deg2rad",
}
_CHAINS = frozenset({"min", "max", "and", "or"})  # take any number of arguments
_MODULES = frozenset({"np", "numpy", "math", "sympy", "sp"})
# names that many read as numbers: variables only where they are listed
_AMBIGUOUS: Mapping[str, str] = {
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


def _listed(variables: Sequence[str]) -> tuple[str, ...]:
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
        if name in _FUNCTIONS or name in _CONSTANTS or iskeyword(name):
            raise ValueError(f"variables: {shown} is the name of a function, constant or keyword; use another one")
        if count > 1:
            raise ValueError(f"variables: {shown} is listed twice; list each name once")
    return names


def _occurring(tokens: Sequence[_Token]) -> tuple[str, ...]:
    def natural(name: str) -> tuple[list[str | int], str]:
        return [int(part) if i % 2 else part for i, part in enumerate(re.split("([0-9]+)", name))], name

    found = {
        token.text
        for token, after in zip(tokens, [*tokens[1:], None], strict=True)
        if token.kind == "name" and "." not in token.text and (after is None or after.text != "(")
    }
    return tuple(sorted(found - _FUNCTIONS.keys() - _CONSTANTS.keys() - _AMBIGUOUS.keys(), key=natural))


@dataclass(frozen=True, slots=True)
class _Token:
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


def _tokens(text: str) -> list[_Token]:
    """Cut the text; what is no part of any formula is refused here."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind, part, column, message = match.lastgroup, match.group(), match.start() + 1, ""
        if kind == "number":
            message = _number_fault(text, part, match.start(), match.end())
            tokens.append(_Token("number", part, column))
        elif kind == "name":
            message = _name_fault(part)
            tokens.append(_Token("operator" if part in _LOGIC else "name", part, column))
        elif kind == "operator":
            message = _operator_fault(part)
            tokens.append(_Token("operator", "**" if part == "^" else part, column))
        if message:
            raise ParseError(message, text, column)
    return tokens


def _operator_fault(part: str) -> str:
    if part in _INFIX or part in {"^", "~", "(", ")", ","}:
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
    head, dot, tail = name.partition(".")
    shown = shorten(name, 40)
    if name.startswith("__") or ".__" in name:
        return f"'{shown}' starts with two underscores, which names must not; write a name such as x0"
    if max(map(len, name.split("."))) > _NAME_CHARACTERS:
        return f"a name has at most {_NAME_CHARACTERS} characters; shorten it"
    if iskeyword(head) and head not in _LOGIC and head not in _CONSTANTS:
        return f"'{head}' is a Python keyword; {_KEYWORDS.get(head, 'write another name')}"
    if dot and (head not in _MODULES or "." in tail):
        return f"'{shown}': attribute access does not exist; only np., numpy., math., sympy. and sp. are understood"
    return ""


def _literal(number: str) -> Fraction:
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    return Fraction(int(whole + decimals)) * Fraction(10) ** (int(exponent or 0) - len(decimals))


_Kind = Literal["number", "condition", "pair"]


@dataclass(frozen=True, slots=True)
class _Value:
    """A node that was read, or the pair (value, condition) of a Piecewise."""

    index: int
    kind: _Kind
    column: int
    condition: int = -1


@dataclass(slots=True)
class _Bracket:
    """An open bracket, or the formula as a whole."""

    function: str  # as written, empty for plain brackets
    column: int
    base: int  # height of the stack of operators
    counts: list[int] = field(default_factory=lambda: [0] * _POWER)  # by rank: operators of the present sum, product
    items: list[_Value] = field(default_factory=list)

    @property
    def operation(self) -> str:
        return _FUNCTIONS.get(self.function.rpartition(".")[2], "")


class _Reader:
    """Operators wait on a stack until what follows binds no tighter; then their node is built."""

    def __init__(self, text: str, tokens: Sequence[_Token], names: Sequence[str]) -> None:
        self.text, self.tokens, self.depth = text, tokens, 0
        self.indices = {name: i for i, name in enumerate(names)}
        self.build = Builder(names)
        self.values: list[_Value] = []
        self.waiting: list[_Token] = []  # operators whose right operand is not complete
        self.brackets = [_Bracket("", 1, 0)]

    def read(self) -> int:
        """Read all tokens; the index of the result."""
        wants_value = True
        for position, token in enumerate(self.tokens):
            if not wants_value:
                wants_value = self._after_value(position, token)
            elif token.kind == "number":
                self.values.append(_Value(self.build.constant(_literal(token.text)), "number", token.column))
                wants_value = False
            elif token.kind == "name":
                wants_value = self._name(position, token)
            else:
                self._before_value(position, token)
        if wants_value:
            last = self.tokens[-1]
            self.fail(f"a value is missing after '{last.text}', where the formula ends", last.column)
        self._reduce(0)
        if len(self.brackets) > 1:
            self.fail("this bracket is never closed; add a ')'", self.brackets[-1].column)
        return self._index(self.values.pop(), "number")

    def fail(self, message: str, column: int) -> NoReturn:
        """Refuse the formula."""
        raise ParseError(message, self.text, column)

    def _deeper(self, column: int) -> None:
        self.depth += 1
        if self.depth > _DEPTH:
            self.fail(f"nested deeper than {_DEPTH} brackets, signs and powers; split the formula", column)

    def _before_value(self, position: int, token: _Token) -> None:
        text, column, bracket = token.text, token.column, self.brackets[-1]
        before = self.tokens[position - 1] if position else token
        if text == "(":
            self._deeper(column)
            is_call = before.kind == "name"
            function, start = (before.text, before.column) if is_call else ("", column)
            self.brackets.append(_Bracket(function, start, len(self.waiting)))
        elif text in _PREFIX:
            if text == "not" and len(self.waiting) > bracket.base and self.waiting[-1].text not in _LOGIC:
                self.fail("write the condition 'not ...' in parentheses", column)
            self._deeper(column)
            self.waiting.append(_Token("operator", text, column, *_PREFIX[text], operands=1))
        elif text == ")" and len(self.brackets) == 1:
            self.fail("no bracket is open here; remove the ')' or add a '('", column)
        elif text == ")" and before.text == "(":
            self.fail(f"a value is missing in the brackets; write {bracket.function}(x)", column)
        else:
            remedy = "for an absolute value write abs(x)" if text == "|" else "write one, or remove it"
            self.fail(f"a value is missing before '{text}'; {remedy}", column)

    def _name(self, position: int, token: _Token) -> bool:
        """Read a name; True if a call begins."""
        shown, column, name = shorten(token.text, 40), token.column, token.text.rpartition(".")[2]
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
        is_known = name == token.text  # no module before it
        if after is not None and after.text == "(":
            if name in _FUNCTIONS:
                return True
            if is_known and (name in self.indices or name in _CONSTANTS):
                self.fail(f"'{shown}' is no function; for a product write {shown}*(...)", column + len(token.text))
            near = get_close_matches(name.lower(), sorted(_FUNCTIONS), 1)
            remedy = f"did you mean {near[0]}?" if near else f"a product is written {shown}*(...)"
            self.fail(f"unknown function '{shown}'; {remedy}", column)
        if name in _FUNCTIONS:
            argument = after.text if after is not None and after.kind != "operator" else "x"
            self.fail(f"the function '{shown}' has no argument; write {shown}({shorten(argument, 40)})", column)
        if name in ("pi", "E") or (name == "e" and not is_known):
            self.values.append(_Value(self.build.apply(_CONSTANTS.get(name, "e")), "number", column))
        elif name in _CONSTANTS and is_known:
            self.values.append(_Value(self.build.apply(_CONSTANTS[name]), "condition", column))
        elif name in self.indices and is_known:
            self.values.append(_Value(self.build.variable(self.indices[name]), "number", column))
        elif not is_known:
            self.fail(f"unknown name '{shown}'; of modules only functions, pi and e are known", column)
        elif name in _AMBIGUOUS:
            self.fail(_AMBIGUOUS[name], column)
        else:
            self.fail(f"unknown variable '{shown}'; variables are {shorten(', '.join(self.indices), 100)}", column)
        return False

    def _after_value(self, position: int, token: _Token) -> bool:
        """Read what follows a value; True if another value must follow."""
        text, column, bracket = token.text, token.column, self.brackets[-1]
        if text == ")":
            self._close(column)
            return False
        if text == ",":
            self._comma(column)
            return True
        if token.kind != "operator" or text not in _INFIX:
            one, two = (shorten(t.text, 40) for t in self.tokens[position - 1 : position + 1])
            if two in _PREFIX:
                self.fail(f"an operator is missing before '{two}'; join conditions with 'and' or 'or'", column)
            one, two = "(...)" if one == ")" else one, "(...)" if two == "(" else two
            self.fail(f"a product needs a *: write {one}*{two}", column)
        rank = _INFIX[text][1]
        # of powers the right one is built first; a chain of comparisons waits for its end
        self._reduce(rank + (rank in (_POWER, _COMPARE)))
        if rank == _POWER:
            self._deeper(column)
        else:
            bracket.counts[rank:] = [bracket.counts[rank] + 1] + [0] * (_POWER - rank - 1)
            if bracket.counts[rank] >= _TERMS:
                self.fail(f"more than {_TERMS:,} terms in one sum, product or condition; put parts in brackets", column)
        self.waiting.append(_Token("operator", text, column, *_INFIX[text], operands=2))
        return True

    def _comma(self, column: int) -> None:
        self._reduce(0)
        bracket, outer = self.brackets[-1], self.brackets[-2 if len(self.brackets) > 1 else -1]
        bracket.items.append(self.values.pop())
        bracket.counts = [0] * _POWER
        is_pair = not bracket.function and outer.operation == "piecewise" and bracket.base == outer.base
        if not bracket.function and not is_pair:
            self.fail("a comma separates arguments of functions only; decimals are written as in 0.5", column)
        if is_pair and len(bracket.items) > 1:
            self.fail("a pair is missing its end; write (value, condition)", column)
        if len(bracket.items) >= _TERMS:
            self.fail(f"a function takes at most {_TERMS:,} arguments; nest some", column)

    def _close(self, column: int) -> None:
        self._reduce(0)
        bracket = self.brackets.pop()
        if not self.brackets:
            self.fail("no bracket is open here; remove the ')' or add a '('", column)
        self.depth -= 1
        bracket.items.append(self.values.pop())
        result, *others = bracket.items
        if bracket.function:
            result = self._call(bracket)
        elif others:
            condition = self._index(others[0], "condition")
            result = _Value(self._index(result, "number"), "pair", bracket.column, condition)
        self.values.append(result)

    def _reduce(self, rank: int) -> None:
        """Build the nodes of the operators of this bracket that bind at least this tightly."""
        base = self.brackets[-1].base
        while len(self.waiting) > base and self.waiting[-1].rank >= rank:
            chain = [self.waiting.pop()]
            while chain[0].rank == _COMPARE and len(self.waiting) > base and self.waiting[-1].rank == _COMPARE:
                chain.append(self.waiting.pop())
            operator, count = chain[-1], len(chain) - 1 + chain[-1].operands
            values = self.values[-count:]
            del self.values[-count:]
            if operator.rank == _COMPARE:
                sides = [self._index(value, "number") for value in values]
                links = [self.build.apply(o.operation, *sides[i : i + 2]) for i, o in enumerate(reversed(chain))]
                kind: _Kind = "condition"
                index = self._apply("and", links, operator.column)
            else:
                self.depth -= operator.operands == 1 or operator.rank == _POWER
                kind = "condition" if operator.operation in _LOGIC else "number"
                indices = [self._index(value, kind, operator.text) for value in values]
                index = self._apply(operator.operation, indices, operator.column)
            self.values.append(_Value(index, kind, operator.column))

    def _index(self, value: _Value, kind: _Kind, operator: str = "") -> int:
        if value.kind == kind:
            return value.index
        if value.kind == "pair":
            message = "a pair (value, condition) stands alone, as an argument of Piecewise"
        elif value.kind == "condition":
            message = "a condition is not a number; write where(condition, a, b)"
        elif operator:
            absolute = "; for an absolute value write abs(x)" if operator == "|" else ""
            message = f"'{operator}' takes conditions; put each in parentheses, as in (x > 0){absolute}"
        else:
            message = "a condition is missing; write one such as x > 0"
        raise ParseError(message, self.text, value.column)

    def _call(self, bracket: _Bracket) -> _Value:
        operation, items, column = bracket.operation, bracket.items, bracket.column
        if operation == "piecewise":
            return _Value(self._piecewise(items), "number", column)
        arity = OPERATIONS[operation].arity if operation in OPERATIONS else 1
        most = 2 if operation in ("log", "Rational") else arity
        if operation not in _CHAINS and not arity <= len(items) <= most:
            counts = f"{arity} argument{'s' * (arity > 1)}" if most == arity else f"{arity} or {most} arguments"
            self.fail(f"'{bracket.function}' takes {counts}, not {len(items)}; write as many", column)
        wants: _Kind = "condition" if operation in _LOGIC else "number"
        firsts: _Kind = "condition" if operation == "select" else wants
        indices = [self._index(value, wants if i else firsts) for i, value in enumerate(items)]
        kind: _Kind = "condition" if operation in COMPARISONS | _LOGIC else "number"
        return _Value(self._apply(operation, indices, column), kind, column)

    def _apply(self, operation: str, operands: Sequence[int], column: int) -> int:
        """Build a node, or the few that stand for it."""
        try:
            if operation == "power":
                return self._power(operands[0], operands[1], column)
            if operation == "log":
                return self._logarithm(operands, column)
            if operation in DERIVED:
                return DERIVED[operation](Term(self.build, operands[0])).index
            if operation == "Rational":
                parts = [self.build.value(index) for index in operands]
                if any(part is None or part.denominator != 1 for part in parts):
                    self.fail("Rational takes whole numbers, as in Rational(1, 3)", column)
                operation = "divide" if len(operands) == 2 else ""
            if operation == "divide" and self.build.value(operands[1]) == 0:
                raise ZeroDivisionError
            if not operation:
                return operands[0]
            if operation not in _CHAINS:
                return self.build.apply(operation, *operands)
            return reduce(lambda one, two: self.build.apply(operation, one, two), operands)
        except ZeroDivisionError:
            self.fail("division by zero: the formula has no value anywhere; remove it", column)
        except UnsupportedFunction as error:
            self.fail(str(error), column)

    def _power(self, base: int, exponent: int, column: int) -> int:
        value = self.build.value(exponent)
        if value is not None and abs(value) > _EXPONENT:
            self.fail(f"a constant exponent is at most {_EXPONENT} in size; write a smaller one", column)
        if self.build.nodes[base].operation == "e":
            return self.build.apply("exp", exponent)
        if value is not None and value.denominator == 1:
            return self.build.apply("integer_power", base, payload=int(value))
        return self.build.apply("power", base, exponent)

    def _logarithm(self, operands: Sequence[int], column: int) -> int:
        base = self.build.value(operands[1]) if len(operands) == 2 else None
        if base is not None and (base <= 0 or base == 1):
            self.fail("the base of a logarithm is positive and not 1; write log(x, 2)", column)
        if base in (2, 10):
            return self.build.apply(f"log{base}", operands[0])
        natural = [self.build.apply("log", index) for index in operands]
        is_plain = len(operands) == 1 or self.build.nodes[operands[1]].operation == "e"
        return natural[0] if is_plain else self.build.apply("divide", *natural)

    def _piecewise(self, items: Sequence[_Value]) -> int:
        # the first condition that holds decides: built from the last one backwards
        result = self.build.apply("undefined")
        for item in reversed(items):
            if item.kind != "pair":
                self.fail("write Piecewise((value, condition), ..., (value, True))", item.column)
            truth = self.build.nodes[item.condition].operation
            if truth == "true":
                result = item.index
            elif truth != "false":
                result = self.build.apply("select", item.condition, item.index, result)
        return result
