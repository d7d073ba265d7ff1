"""Formulas from text: an own reader over a small grammar, straight to a program.

Nothing is ever evaluated or handed to Python's or SymPy's parsers. Python's own parser would not answer alike
everywhere: ``ast.parse`` of nine nested sums of a thousand terms is a RecursionError in 3.11 and fine in 3.13, and
a flat sum of a thousand terms depends on how deep the caller's stack is. This reader keeps its own stack (operator
precedence: Dijkstra's shunting yard), so that depth costs memory, not recursion, and every limit is counted where
it is passed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction
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
    reader = _Reader(text, tokens, names, is_listed=listed is not None)
    result = reader.read()
    if not names:
        raise ParseError("no variable occurs; list the arguments, as in variables=['x']", text, 1)
    return SymbolicFunction.from_program(reader.build.program([result]), formula=text, name=name, source="text")


# ------------------------------------------------------------------------------------------------- names


def _row_names(operations: Iterable[str]) -> dict[str, str]:
    return {text: operation for operation in operations for text in OPERATIONS[operation].names}


_CONSTANTS: Mapping[str, str] = {"pi": "pi", "E": "e"}
_TRUTHS: Mapping[str, str] = {"True": "true", "False": "false"}
_CONDITIONS: Mapping[str, str] = _row_names((*sorted(COMPARISONS), "and", "or", "not"))
_POWERS = frozenset({"pow", "power", "Pow"})
_PIECEWISE = frozenset({"Piecewise", "piecewise"})
# further spellings of the DERIVED functions
_ALIASES: Mapping[str, str] = {f"arc{f}": f"a{f}" for f in ("cot", "sec", "csc", "coth", "sech", "csch")} | {
    "radians": "deg2rad"
}
_FUNCTIONS = frozenset(
    {*REAL_NAMES, *DERIVED, *_ALIASES, *_CONDITIONS, *_POWERS, *_PIECEWISE, *OPERATIONS["select"].names, "Rational"}
)
_MODULES = frozenset({"np", "numpy", "math", "sympy", "sp"})
# names that mean a number to many readers, which is why they become variables only where they are listed
_AMBIGUOUS: Mapping[str, str] = {
    "e": "'e' is no constant: write exp(x) or E**x for powers of it, E for the number, or list 'e' in variables",
    "I": "complex numbers are not supported; if 'I' is a variable, list it in variables",
} | dict.fromkeys(("Pi", "PI"), "write pi, or list the name in variables") | dict.fromkeys(
    ("oo", "zoo", "inf", "Inf", "infinity", "Infinity", "nan", "NaN"),
    "infinity and nan are not numbers here; if it is a variable, list it in variables",
)
_KEYWORDS: Mapping[str, str] = {
    "if": "write where(condition, a, b)",
    "else": "write where(condition, a, b)",
    "is": "write ==",
    "lambda": "choose another name, such as lam",
}
_ASCII: Mapping[str, str] = {
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*", "÷": "/", "⁄": "/", "∕": "/", "−": "-", "–": "-", "—": "-",
    "‐": "-", "‑": "-", "＋": "+", "²": "**2", "³": "**3", "⁴": "**4", "¹": "**1", "⁰": "**0", "ⁿ": "**n",
    "√": "sqrt(x)", "∛": "cbrt(x)", "π": "pi", "∞": "a number", "≤": "<=", "≥": ">=", "≠": "!=", "½": "1/2",
    "¼": "1/4", "¾": "3/4", "∧": "and", "∨": "or", "¬": "not", "ℯ": "E", "α": "alpha", "β": "beta", "γ": "gamma",
    "δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lam", "μ": "mu", "σ": "sigma", "τ": "tau", "φ": "phi",
    "ω": "omega", "Ω": "Omega", "Δ": "Delta", "“": "no quotes", "”": "no quotes", "’": "no quotes",
    "\u00a0": "a plain space", "\u2009": "a plain space", "\ufeff": "nothing",
}  # fmt: skip
_REFUSED: Mapping[str, str] = {
    "=": "'=' is no operator: give the right-hand side only, or compare with ==",
    ":=": "assignments are not supported: give the right-hand side only",
    "->": "annotations are not supported: give a formula only",
    "!": "the factorial '!' is not supported",
    "//": "'//' is not supported: divide with /",
    "%": "'%' is not supported: write a percentage as x/100; there is no remainder",
    "@": "'@' is not supported: write the products and sums out",
    "<<": "'<<' is not supported: compare with <",
    ">>": "'>>' is not supported: compare with >",
    "&&": "write & or and",
    "||": "write | or or between conditions, abs(x) for an absolute value",
    ".": "attribute access is not supported; write a number as 0.5",
    "#": "comments are not supported: give a formula only",
    "[": "'[' is not supported: write parentheses, and x0 for x[0]",
    "]": "']' is not supported: write parentheses, and x0 for x[0]",
    "{": "'{' is not supported: write parentheses",
    "}": "'}' is not supported: write parentheses",
    "'": "strings are not supported: write names without quotes",
    '"': "strings are not supported: write names without quotes",
    ";": "';' is not supported: give one formula; separate arguments with commas",
    ":": "':' is not supported: give a formula only",
    "\\": "'\\' is not supported: LaTeX is not read; write sin(x), not \\sin x",
}


def _listed(variables: Sequence[str]) -> tuple[str, ...]:
    if isinstance(variables, str) or not isinstance(variables, Iterable):
        raise TypeError(f"variables={shorten(repr(variables), 60)}: must be a list of names; pass ['x', 'y']")
    names = tuple(variables)
    if not names:
        raise ValueError("variables=[]: a function has at least one; pass ['x']")
    for position, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"variables: {shorten(repr(name), 60)} is not a str; pass names, as in ['x', 'y']")
        shown = repr(shorten(name, 60))
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or iskeyword(name) or len(name) > _NAME_CHARACTERS:
            raise ValueError(f"variables: {shown} is not a name; use letters, digits and _, as in x0")
        if name.startswith("__"):
            raise ValueError(f"variables: {shown} starts with two underscores; use a name such as x0")
        if name in _FUNCTIONS or name in _CONSTANTS:
            raise ValueError(f"variables: {shown} is the name of a function or constant; use another one")
        if name in names[:position]:
            raise ValueError(f"variables: {shown} is listed twice; list each name once")
    return names


def _natural(name: str) -> tuple[list[str | int], str]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split("([0-9]+)", name))], name


def _occurring(tokens: Sequence[_Token]) -> tuple[str, ...]:
    known = _FUNCTIONS | _CONSTANTS.keys() | _TRUTHS.keys() | _AMBIGUOUS.keys()
    found = {
        token.text
        for token, after in zip(tokens, [*tokens[1:], None], strict=True)
        if token.kind == "name" and token.text not in known and "." not in token.text
        if after is None or after.text != "("
    }
    return tuple(sorted(found, key=_natural))


# ------------------------------------------------------------------------------------------------ tokens


@dataclass(frozen=True, slots=True)
class _Token:
    kind: Literal["number", "name", "operator"]
    text: str
    column: int


_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)"
    r"|(?P<operator>\*\*|[<>=!:]=|&&|\|\||//|<<|>>|->|.)",
    re.DOTALL,
)
_OTHER_BASES = re.compile(r"0[xXoObB][0-9A-Fa-f_]")
_IMAGINARY = re.compile(r"[jJ](?![A-Za-z0-9_(])")
_UNDERSCORED = re.compile(r"_+[0-9]")


def _tokens(text: str) -> list[_Token]:
    """Cut the text; every character that is no part of a formula is refused here."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind, part, column = match.lastgroup, match.group(), match.start() + 1
        if kind == "number":
            _check_number(text, part, match.start(), match.end())
            tokens.append(_Token("number", part, column))
        elif kind == "name":
            _check_name(text, part, column)
            spelled = part in ("and", "or", "not")
            tokens.append(_Token("operator" if spelled else "name", part, column))
        elif kind == "operator":
            if part in _REFUSED:
                raise ParseError(_REFUSED[part], text, column)
            if part not in _KNOWN_OPERATORS:
                raise ParseError(_strange(part), text, column)
            tokens.append(_Token("operator", "**" if part == "^" else part, column))
    return tokens


def _strange(character: str) -> str:
    if character in _ASCII:
        return f"'{character}' is not ASCII; write {_ASCII[character]}"
    if character.isascii() and character.isprintable():
        return f"'{character}' is not supported in a formula; remove it"
    return f"the character U+{ord(character):04X} is not supported; write ASCII letters, digits and operators only"


def _check_number(text: str, number: str, start: int, end: int) -> None:
    mantissa, _, exponent = number.lower().partition("e")
    message = ""
    if _OTHER_BASES.match(text, start):
        message = "only decimal numbers are supported; write 31 for 0x1F"
    elif _UNDERSCORED.match(text, end):
        message = "digits are not grouped; write 1000 for 1_000"
    elif _IMAGINARY.match(text, end):
        message = "complex numbers are not supported; if 'j' is a variable, write 1*j"
    elif len(mantissa.replace(".", "")) > _DIGITS:
        message = f"a number has at most {_DIGITS} digits; write a shorter one"
    elif len(exponent.lstrip("+-0")) > 3 or abs(int(exponent or "0")) > _DECIMAL_EXPONENT:
        message = f"a decimal exponent is between -{_DECIMAL_EXPONENT} and {_DECIMAL_EXPONENT}; write another number"
    elif mantissa.isdigit() and mantissa != "0" and mantissa.startswith("0") and not exponent:
        message = f"a whole number does not start with 0; write {shorten(mantissa.lstrip('0') or '0', 40)}"
    if message:
        raise ParseError(message, text, start + 1)


def _check_name(text: str, name: str, column: int) -> None:
    head, dot, tail = name.partition(".")
    shown = shorten(name, 40)
    for part in name.split("."):
        if part.startswith("__"):
            raise ParseError(f"names with two leading underscores ('{shown}') are not supported", text, column)
        if len(part) > _NAME_CHARACTERS:
            raise ParseError(f"a name has at most {_NAME_CHARACTERS} characters; shorten it", text, column)
    if iskeyword(head) and head not in (*_TRUTHS, "and", "or", "not"):
        remedy = _KEYWORDS.get(head, "choose another name")
        raise ParseError(f"the Python keyword '{head}' is not supported; {remedy}", text, column)
    if dot and (head not in _MODULES or "." in tail):
        message = f"attribute access ('{shown}') is not supported; only np., numpy., math., sympy. and sp. are dropped"
        raise ParseError(message, text, column + len(head))


def _literal(number: str) -> Fraction:
    mantissa, _, exponent = number.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    return Fraction(int(whole + decimals)) * Fraction(10) ** (int(exponent or "0") - len(decimals))


# ------------------------------------------------------------------------------------------- the reader


@dataclass(frozen=True, slots=True)
class _Value:
    """Something read: a node, or the pair (value, condition) of a Piecewise."""

    index: int
    kind: Literal["number", "condition", "pair"]
    column: int
    condition: int = -1


@dataclass(frozen=True, slots=True)
class _Operator:
    text: str  # as written; "neg", "pos", "~" and "not" are the unary ones
    rank: int
    column: int


@dataclass(slots=True)
class _Bracket:
    """An open bracket, or the formula as a whole."""

    function: str
    column: int
    base: int  # height of the stack of operators
    terms: int = 1
    factors: int = 1
    items: list[_Value] = field(default_factory=list)


_COMPARE, _UNARY, _POWER = 4, 9, 10
_SPELLING = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal"}
_LOGIC = {"or": "or", "and": "and", "|": "or", "&": "and"}
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
# Python's order of precedence
_RANKS = {"or": 1, "and": 2, "|": 5, "&": 6, "+": 7, "-": 7, "*": 8, "/": 8, "**": _POWER} | dict.fromkeys(
    _SPELLING, _COMPARE
)
_PREFIXES = {"not": 3, "neg": _UNARY, "pos": _UNARY, "~": _UNARY}
_KNOWN_OPERATORS = frozenset({*_RANKS, "^", "~", "(", ")", ","})


class _Reader:
    """Shunting yard: operators wait on a stack until what follows binds no tighter; then their node is built."""

    def __init__(self, text: str, tokens: Sequence[_Token], names: Sequence[str], *, is_listed: bool) -> None:
        self.text, self.tokens, self.is_listed = text, tokens, is_listed
        self.indices = {name: i for i, name in enumerate(names)}
        self.build = Builder(names)
        self.values: list[_Value] = []
        self.operators: list[_Operator] = []
        self.brackets = [_Bracket("", 1, 0)]
        self.depth = 0

    def read(self) -> int:
        """Read all tokens; the index of the result."""
        tokens, position, wants_value = self.tokens, 0, True
        while position < len(tokens):
            token = tokens[position]
            if not wants_value:
                wants_value = self._after_value(position)
            elif token.kind == "number":
                self._push(self.build.constant(_literal(token.text)), "number", token.column)
                wants_value = False
            elif token.kind == "name":
                is_call = self._name(position)
                wants_value = is_call
                position += is_call
            else:
                wants_value = self._before_value(position)
            position += 1
        if wants_value:
            self.fail(f"the formula ends where a value is missing, after '{tokens[-1].text}'", tokens[-1].column)
        self._reduce(0)
        if len(self.brackets) > 1:
            self.fail("this bracket is never closed; add a ')'", self.brackets[-1].column)
        return self._number(self.values.pop())

    def fail(self, message: str, column: int) -> NoReturn:
        """Refuse the formula."""
        raise ParseError(message, self.text, column)

    def _push(self, index: int, kind: Literal["number", "condition"], column: int) -> None:
        self.values.append(_Value(index, kind, column))

    def _deeper(self, column: int) -> None:
        self.depth += 1
        if self.depth > _DEPTH:
            self.fail(f"nested deeper than {_DEPTH} brackets, signs and powers; name a part of it or split it", column)

    # where a value may start

    def _before_value(self, position: int) -> bool:
        token = self.tokens[position]
        if token.text == "(":
            self._open("", token.column)
        elif token.text in ("+", "-", "~", "not"):
            waiting = self.operators[-1].text if len(self.operators) > self.brackets[-1].base else "and"
            if token.text == "not" and waiting not in ("and", "or", "not"):
                self.fail("write the condition 'not ...' in parentheses", token.column)
            self._deeper(token.column)
            text = {"+": "pos", "-": "neg"}.get(token.text, token.text)
            self.operators.append(_Operator(text, _PREFIXES[text], token.column))
        elif token.text == ")" and position and self.tokens[position - 1].text == "(":
            call = self.brackets[-1].function
            self.fail(f"{call}() has no arguments; write {call}(x)" if call else "empty brackets", token.column)
        elif token.text == "|":
            self.fail("a value is missing before '|'; for an absolute value write abs(x)", token.column)
        elif token.text == ")" and len(self.brackets) == 1:
            self.fail("no bracket is open here; remove the ')' or add a '('", token.column)
        else:
            self.fail(f"a value is missing before '{token.text}'", token.column)
        return True

    def _open(self, function: str, column: int) -> None:
        self._deeper(column)
        self.brackets.append(_Bracket(function, column, len(self.operators)))

    def _name(self, position: int) -> bool:
        """Read a name; True if it opened a call (and its bracket was read, too)."""
        token = self.tokens[position]
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
        is_called = after is not None and after.text == "("
        shown, name = shorten(token.text, 40), token.text.rpartition(".")[2]
        has_module = name != token.text
        if name in _FUNCTIONS:
            if not is_called:
                argument = after.text if after is not None and after.kind != "operator" else "x"
                remedy = f"write {shown}({shorten(argument, 40)})"
                self.fail(f"the function '{shown}' has no argument; {remedy}", token.column)
            self._open(name, token.column)
            return True
        if is_called and not has_module and (name in self.indices or name in _CONSTANTS or name in _TRUTHS):
            self.fail(f"'{shown}' is no function; for a product write {shown}*(...)", token.column + len(token.text))
        if is_called:
            near = get_close_matches(name.lower(), sorted(_FUNCTIONS), 1)
            remedy = f"did you mean {near[0]}?" if near else f"a product is written {shown}*(...)"
            self.fail(f"unknown function '{shown}'; {remedy}", token.column)
        if name in _CONSTANTS or (has_module and name == "e"):
            self._push(self.build.apply(_CONSTANTS.get(name, "e")), "number", token.column)
        elif name in _TRUTHS and not has_module:
            self._push(self.build.apply(_TRUTHS[name]), "condition", token.column)
        elif name in self.indices and not has_module:
            self._push(self.build.variable(self.indices[name]), "number", token.column)
        elif name in _AMBIGUOUS and not has_module:
            self.fail(_AMBIGUOUS[name], token.column)
        elif has_module:
            self.fail(f"unknown name '{shown}'; of modules only functions, pi and e are known", token.column)
        else:
            known = shorten(", ".join(self.indices), 100)
            self.fail(f"unknown variable '{shown}'; variables are {known}", token.column)
        return False

    # where an operator may stand

    def _after_value(self, position: int) -> bool:
        token, bracket = self.tokens[position], self.brackets[-1]
        rank = _RANKS.get(token.text)
        if token.kind != "operator" or token.text in ("(", "~", "not"):
            before = self.tokens[position - 1].text
            one = "(...)" if before == ")" else shorten(before, 40)
            two = {"(": "(...)"}.get(token.text, shorten(token.text, 40))
            if token.text in ("~", "not"):
                self.fail(f"an operator is missing before '{two}'; join conditions with 'and' or 'or'", token.column)
            self.fail(f"a product needs a *: write {one}*{two}", token.column)
        if token.text == ")":
            self._close(token.column)
            return False
        if token.text == ",":
            self._comma(position)
            return True
        assert rank is not None  # noqa: S101 - every operator is handled above or has a rank
        # of powers the right one binds first, and a chain of comparisons waits for its end
        self._reduce(rank + (rank in (_POWER, _COMPARE)))
        if token.text in ("*", "/"):
            bracket.factors += 1
        else:
            bracket.factors = bracket.factors if rank == _POWER else 1
            bracket.terms = bracket.terms + 1 if token.text in ("+", "-") else bracket.terms if rank == _POWER else 1
        if max(bracket.terms, bracket.factors) > _TERMS:
            self.fail(f"more than {_TERMS:,} terms in one sum or product; put parts of it in brackets", token.column)
        if rank == _POWER:
            self._deeper(token.column)
        self.operators.append(_Operator(token.text, rank, token.column))
        return True

    def _comma(self, position: int) -> None:
        token, bracket = self.tokens[position], self.brackets[-1]
        self._reduce(0)
        bracket.items.append(self.values.pop())
        bracket.terms = bracket.factors = 1
        outer = self.brackets[-2] if len(self.brackets) > 1 else bracket
        is_pair = not bracket.function and outer.function in _PIECEWISE and bracket.base == outer.base
        if not (bracket.function or is_pair):
            near = [t.text for t in self.tokens[position - 1 : position + 2]]
            is_decimal = len(near) == 3 and near[0].isdigit() and near[2].isdigit()
            remedy = f"write {shorten('.'.join(near[::2]), 40)}" if is_decimal else "give one formula"
            self.fail(f"a comma separates arguments only; {remedy}", token.column)
        if len(bracket.items) >= (2 if is_pair else _TERMS):
            self.fail("write (value, condition)" if is_pair else f"at most {_TERMS:,} arguments", token.column)

    def _close(self, column: int) -> None:
        if len(self.brackets) == 1:
            self.fail("no bracket is open here; remove the ')' or add a '('", column)
        self._reduce(0)
        bracket = self.brackets.pop()
        bracket.items.append(self.values.pop())
        self.depth -= 1
        if bracket.function:
            self.values.append(self._exactly(bracket.column, lambda: self._call(bracket)))
        elif len(bracket.items) == 2:
            value, condition = bracket.items
            self.values.append(_Value(self._number(value), "pair", bracket.column, self._condition(condition)))
        else:
            self.values.append(bracket.items[0])

    # building nodes

    def _exactly(self, column: int, construct: Callable[[], _Value]) -> _Value:
        try:
            return construct()
        except ZeroDivisionError:
            self.fail("division by zero; the formula has no value anywhere", column)
        except UnsupportedFunction as error:
            self.fail(str(error), column)

    def _reduce(self, rank: int) -> None:
        """Build the nodes of all waiting operators of this bracket that bind at least this tightly."""
        base = self.brackets[-1].base
        while len(self.operators) > base and self.operators[-1].rank >= rank:
            operator = self.operators.pop()
            if operator.rank == _COMPARE:
                chain = [operator]
                while len(self.operators) > base and self.operators[-1].rank == _COMPARE:
                    chain.append(self.operators.pop())
                value = self._comparisons(chain[::-1])
            else:
                value = self._exactly(operator.column, lambda o=operator: self._operation(o))  # type: ignore[misc]
            self.values.append(value)

    def _comparisons(self, chain: Sequence[_Operator]) -> _Value:
        sides = [self._number(value) for value in self.values[-len(chain) - 1 :]]
        del self.values[-len(sides) :]
        links = [
            self.build.apply(_SPELLING[operator.text], sides[i], sides[i + 1]) for i, operator in enumerate(chain)
        ]
        return _Value(self._left_chain("and", links), "condition", chain[0].column)

    def _left_chain(self, operation: str, indices: Sequence[int]) -> int:
        result = indices[0]
        for index in indices[1:]:
            result = self.build.apply(operation, result, index)
        return result

    def _operation(self, operator: _Operator) -> _Value:
        text, column, apply = operator.text, operator.column, self.build.apply
        right = self.values.pop()
        if operator.rank == _POWER or text in _PREFIXES:
            self.depth -= 1
        if text in ("not", "~"):
            return _Value(apply("not", self._condition(right, text)), "condition", column)
        if text in ("neg", "pos"):
            index = self._number(right)
            return _Value(apply("negative", index) if text == "neg" else index, "number", column)
        left = self.values.pop()
        if text in _LOGIC:
            sides = self._condition(left, text), self._condition(right, text)
            return _Value(apply(_LOGIC[text], *sides), "condition", column)
        one, two = self._number(left), self._number(right)
        index = self._power(one, two, column) if text == "**" else self._binary(_ARITHMETIC[text], one, two)
        return _Value(index, "number", column)

    def _binary(self, operation: str, one: int, two: int) -> int:
        if operation == "divide" and self.build.value(two) == 0:
            raise ZeroDivisionError
        return self.build.apply(operation, one, two)

    def _power(self, base: int, exponent: int, column: int) -> int:
        value = self.build.value(exponent)
        if value is not None and abs(value) > _EXPONENT:
            self.fail(f"a constant exponent is between -{_EXPONENT} and {_EXPONENT}; write a smaller one", column)
        if self.build.nodes[base].operation == "e":
            return self.build.apply("exp", exponent)
        if value is not None and value.denominator == 1:
            return self.build.apply("integer_power", base, payload=int(value))
        return self.build.apply("power", base, exponent)

    def _number(self, value: _Value) -> int:
        if value.kind == "condition":
            self.fail("a condition is not a number; write where(condition, a, b)", value.column)
        if value.kind == "pair":
            self.fail("a pair (value, condition) stands alone, as an argument of Piecewise", value.column)
        return value.index

    def _condition(self, value: _Value, operator: str = "") -> int:
        if value.kind != "condition":
            self._no_condition(value, operator)
        return value.index

    def _no_condition(self, value: _Value, operator: str) -> NoReturn:
        joined = f"'{operator}' joins conditions: put each comparison in parentheses, as in (x > 0)"
        remedy = " (an absolute value is written abs(x))" if operator == "|" else ""
        self.fail(joined + remedy if operator else "a condition is missing; write one such as x > 0", value.column)

    # calls

    def _call(self, bracket: _Bracket) -> _Value:
        name, items, column = bracket.function, bracket.items, bracket.column
        if name in _PIECEWISE:
            return _Value(self._piecewise(items), "number", column)
        if name in _CONDITIONS:
            return _Value(self._named_condition(name, items, column), "condition", column)
        if name in OPERATIONS["select"].names:
            self._count(bracket, 3)
            operands = self._condition(items[0]), self._number(items[1]), self._number(items[2])
            return _Value(self.build.apply("select", *operands), "number", column)
        return _Value(self._real_call(bracket, [self._number(item) for item in items]), "number", column)

    def _count(self, bracket: _Bracket, *allowed: int) -> None:
        if len(bracket.items) not in allowed:
            counts = " or ".join(map(str, allowed)) + (" argument" if allowed == (1,) else " arguments")
            self.fail(f"{bracket.function} takes {counts}, not {len(bracket.items)}", bracket.column)

    def _real_call(self, bracket: _Bracket, operands: list[int]) -> int:
        name, build = bracket.function, self.build
        operation = REAL_NAMES.get(name, "")
        if name in _POWERS:
            self._count(bracket, 2)
            return self._power(operands[0], operands[1], bracket.column)
        if name == "Rational":
            self._count(bracket, 1, 2)
            parts = [build.value(index) for index in operands]
            if any(part is None or part.denominator != 1 for part in parts):
                self.fail("Rational takes whole numbers, as in Rational(1, 3)", bracket.column)
            return self._left_chain("divide", operands)
        if operation in ("min", "max"):
            return self._left_chain(operation, operands)
        if operation == "log":
            self._count(bracket, 1, 2)
            return self._logarithm(operands, bracket.column)
        if operation:
            self._count(bracket, OPERATIONS[operation].arity)
            return build.apply(operation, *operands) if len(operands) == 1 else self._binary(operation, *operands)
        self._count(bracket, 1)
        return DERIVED[_ALIASES.get(name, name)](Term(build, operands[0])).index

    def _logarithm(self, operands: list[int], column: int) -> int:
        build = self.build
        base = build.value(operands[1]) if len(operands) == 2 else None
        if base is not None and (base <= 0 or base == 1):
            self.fail("the base of a logarithm is positive and not 1; write log(x, 2)", column)
        if base in (2, 10):
            return build.apply(f"log{base}", operands[0])
        logarithms = [build.apply("log", index) for index in operands if build.nodes[index].operation != "e"]
        return self._left_chain("divide", logarithms)

    def _named_condition(self, name: str, items: Sequence[_Value], column: int) -> int:
        operation = _CONDITIONS[name]
        if operation in COMPARISONS:
            self._count(_Bracket(name, column, 0, items=list(items)), 2)
            return self.build.apply(operation, *map(self._number, items))
        if operation == "not":
            self._count(_Bracket(name, column, 0, items=list(items)), 1)
            return self.build.apply(operation, self._condition(items[0]))
        return self._left_chain(operation, [self._condition(item) for item in items])

    def _piecewise(self, items: Sequence[_Value]) -> int:
        # the first condition that holds decides: built from the last one backwards
        result = -1
        for item in reversed(items):
            if item.kind != "pair":
                self.fail("write Piecewise((value, condition), ..., (value, True))", item.column)
            truth = self.build.nodes[item.condition].operation
            if truth == "true":
                result = item.index
            elif truth != "false":
                result = self.build.apply("undefined") if result < 0 else result
                result = self.build.apply("select", item.condition, item.index, result)
        return self.build.apply("undefined") if result < 0 else result
