"""Formulas from text: an own reader over a small grammar, straight to a program.

Nothing is ever evaluated or handed to Python's or SymPy's parsers. Python's own parser does not answer alike
everywhere: ``ast.parse`` of nine nested sums of a thousand terms is a RecursionError in 3.11 and fine in 3.13, one
such sum depends on how deep the caller's stack is. This reader (operator precedence, Dijkstra's shunting yard)
keeps its own stack: there is no recursion, and every limit is counted where it is passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import reduce
from typing import Any, Literal, NoReturn

from diffcompare.errors import ParseError, UnsupportedFunction, shorten
from diffcompare.program.dag import Builder, Term
from diffcompare.program.operations import COMPARISONS, DERIVED, LOGIC, OPERATIONS
from diffcompare.program.special_functions import NAMED, SOFT_NAMES, named_term
from diffcompare.symbolic.entries import flat_entries, nested
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.words import (
    AMBIGUOUS,
    COMPARE,
    CONSTANTS,
    FUNCTIONS,
    INFIX,
    POWER,
    PREFIX,
    Token,
    cut_tokens,
    exact_number,
    listed_names,
    occurring_names,
)

__all__ = ["parse"]

# Limits on text from strangers: what people write is far below them, and what passes costs milliseconds.
_CHARACTERS = 20_000
_TERMS = 1_000
_DEPTH = 60
_EXPONENT = 1_000
_OUTPUTS = 1_000


def parse(
    text: str | Sequence[Any], variables: Sequence[str] | None = None, name: str | None = None
) -> SymbolicFunction:
    """Read a formula; safe on text from strangers.

    Parameters
    ----------
    text : str, or list of str
        Python's arithmetic (``^`` means ``**``) with the names of SymPy, NumPy and ``math``. A decimal number is
        exactly that number: ``0.1`` is 1/10. Sums and products are carried out in the order in which they are
        written; operations on numbers alone are carried out exactly, once. A (nested) list makes a vector function.
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
    listed = None if variables is None else listed_names(variables)
    if not isinstance(text, str):
        return _parse_several(text, listed, name)
    tokens = _tokens(text)
    names = occurring_names(tokens) if listed is None else listed
    reader = _Reader(text, tokens, names)
    result = reader.read()
    if not names:
        raise ParseError("no variable occurs; list the arguments, as in variables=['x']", text, 1)
    return SymbolicFunction.from_program(reader.build.program([result]), formula=text, name=name, source="text")


def _parse_several(texts: Sequence[Any], listed: Sequence[str] | None, name: str | None) -> SymbolicFunction:
    """Read formulas of the same variables into one program."""
    entries, shape = flat_entries(texts)
    if len(entries) > _OUTPUTS:
        raise ValueError(f"{len(entries):,} formulas: at most {_OUTPUTS:,} can be read into one function; split them")
    several = [_tokens(entry) for entry in entries]
    names = occurring_names([token for tokens in several for token in tokens]) if listed is None else listed
    if not names:
        raise ParseError("no variable occurs; list the arguments, as in variables=['x']", entries[0], 1)
    build, results = Builder(names), []
    for entry, tokens in zip(entries, several, strict=True):
        results.append(_Reader(entry, tokens, names, build).read())
    formula = str(nested(entries, shape)).replace("'", "")
    return SymbolicFunction.from_program(
        build.program(results), formula=formula, name=name, source="text", output_shape=shape
    )


def _tokens(text: Any) -> list[Token]:
    if not isinstance(text, str):
        raise TypeError(f"text={shorten(repr(text), 60)}: a formula must be a str; pass one such as 'x**2 + 1'")
    if len(text) > _CHARACTERS:
        raise ParseError(f"a formula has at most {_CHARACTERS:,} characters; split it", text, _CHARACTERS + 1)
    tokens = cut_tokens(text)
    if not tokens:
        raise ParseError("the formula is empty; write one such as x**2 + 1", text, 1)
    return tokens


_CHAINS = frozenset({"min", "max", "and", "or"})  # take any number of arguments
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
    counts: list[int] = field(default_factory=lambda: [0] * POWER)  # by rank: operators of the present sum, product
    items: list[_Value] = field(default_factory=list)

    @property
    def operation(self) -> str:
        name = self.function.rpartition(".")[2]
        return name if name in NAMED else FUNCTIONS.get(name, "")


class _Reader:
    """Operators wait on a stack until what follows binds no tighter; then their node is built."""

    def __init__(self, text: str, tokens: Sequence[Token], names: Sequence[str], build: Builder | None = None) -> None:
        self.text, self.tokens, self.depth = text, tokens, 0
        self.indices = {name: i for i, name in enumerate(names)}
        self.build = Builder(names) if build is None else build
        self.values: list[_Value] = []
        self.waiting: list[Token] = []  # operators whose right operand is not complete
        self.brackets = [_Bracket("", 1, 0)]

    def read(self) -> int:
        """Read all tokens; the index of the result."""
        wants_value = True
        for position, token in enumerate(self.tokens):
            if not wants_value:
                wants_value = self._after_value(position, token)
            elif token.kind == "number":
                self.values.append(_Value(self.build.constant(exact_number(token.text)), "number", token.column))
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

    def _before_value(self, position: int, token: Token) -> None:
        text, column, bracket = token.text, token.column, self.brackets[-1]
        before = self.tokens[position - 1] if position else token
        if text == "(":
            self._deeper(column)
            is_call = before.kind == "name"
            function, start = (before.text, before.column) if is_call else ("", column)
            self.brackets.append(_Bracket(function, start, len(self.waiting)))
        elif text in PREFIX:
            if text == "not" and len(self.waiting) > bracket.base and self.waiting[-1].text not in LOGIC:
                self.fail("write the condition 'not ...' in parentheses", column)
            self._deeper(column)
            self.waiting.append(Token("operator", text, column, *PREFIX[text], operands=1))
        elif text == ")" and len(self.brackets) == 1:
            self.fail("no bracket is open here; remove the ')' or add a '('", column)
        elif text == ")" and before.text == "(":
            self.fail(f"a value is missing in the brackets; write {bracket.function}(x)", column)
        else:
            remedy = "for an absolute value write abs(x)" if text == "|" else "write one, or remove it"
            self.fail(f"a value is missing before '{text}'; {remedy}", column)

    def _name(self, position: int, token: Token) -> bool:
        """Read a name; True if a call begins."""
        shown, column, name = shorten(token.text, 40), token.column, token.text.rpartition(".")[2]
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
        is_known = name == token.text  # no module before it
        if after is not None and after.text == "(":
            if name in FUNCTIONS and not (is_known and name in SOFT_NAMES and name in self.indices):
                return True
            if is_known and (name in self.indices or name in CONSTANTS):
                self.fail(f"'{shown}' is no function; for a product write {shown}*(...)", column + len(token.text))
            near = get_close_matches(name.lower(), sorted(FUNCTIONS), 1)
            remedy = f"did you mean {near[0]}?" if near else f"a product is written {shown}*(...)"
            self.fail(f"unknown function '{shown}'; {remedy}", column)
        if name in FUNCTIONS and not (is_known and name in SOFT_NAMES):
            argument = after.text if after is not None and after.kind != "operator" else "x"
            self.fail(f"the function '{shown}' has no argument; write {shown}({shorten(argument, 40)})", column)
        if name in ("pi", "E") or (name == "e" and not is_known):
            self.values.append(_Value(self.build.apply(CONSTANTS.get(name, "e")), "number", column))
        elif name in CONSTANTS and is_known:
            self.values.append(_Value(self.build.apply(CONSTANTS[name]), "condition", column))
        elif name in self.indices and is_known:
            self.values.append(_Value(self.build.variable(self.indices[name]), "number", column))
        elif not is_known:
            self.fail(f"unknown name '{shown}'; of modules only functions, pi and e are known", column)
        elif name in AMBIGUOUS:
            self.fail(AMBIGUOUS[name], column)
        else:
            self.fail(f"unknown variable '{shown}'; variables are {shorten(', '.join(self.indices), 100)}", column)
        return False

    def _after_value(self, position: int, token: Token) -> bool:
        """Read what follows a value; True if another value must follow."""
        text, column, bracket = token.text, token.column, self.brackets[-1]
        if text == ")":
            self._close(column)
            return False
        if text == ",":
            self._comma(column)
            return True
        if token.kind != "operator" or text not in INFIX:
            one, two = (shorten(t.text, 40) for t in self.tokens[position - 1 : position + 1])
            if two in PREFIX:
                self.fail(f"an operator is missing before '{two}'; join conditions with 'and' or 'or'", column)
            one, two = "(...)" if one == ")" else one, "(...)" if two == "(" else two
            self.fail(f"a product needs a *: write {one}*{two}", column)
        rank = INFIX[text][1]
        # of powers the right one is built first; a chain of comparisons waits for its end
        self._reduce(rank + (rank in (POWER, COMPARE)))
        if rank == POWER:
            self._deeper(column)
        else:
            bracket.counts[rank:] = [bracket.counts[rank] + 1] + [0] * (POWER - rank - 1)
            if bracket.counts[rank] >= _TERMS:
                self.fail(f"more than {_TERMS:,} terms in one sum, product or condition; put parts in brackets", column)
        self.waiting.append(Token("operator", text, column, *INFIX[text], operands=2))
        return True

    def _comma(self, column: int) -> None:
        self._reduce(0)
        bracket, outer = self.brackets[-1], self.brackets[-2 if len(self.brackets) > 1 else -1]
        bracket.items.append(self.values.pop())
        bracket.counts = [0] * POWER
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
            while chain[0].rank == COMPARE and len(self.waiting) > base and self.waiting[-1].rank == COMPARE:
                chain.append(self.waiting.pop())
            operator, count = chain[-1], len(chain) - 1 + chain[-1].operands
            values = self.values[-count:]
            del self.values[-count:]
            if operator.rank == COMPARE:
                sides = [self._index(value, "number") for value in values]
                links = [self.build.apply(o.operation, *sides[i : i + 2]) for i, o in enumerate(reversed(chain))]
                kind: _Kind = "condition"
                index = self._apply("and", links, operator.column)
            else:
                self.depth -= operator.operands == 1 or operator.rank == POWER
                kind = "condition" if operator.operation in LOGIC else "number"
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
        if operation in NAMED:
            return self._special(bracket)
        arity = OPERATIONS[operation].arity if operation in OPERATIONS else 1
        most = 2 if operation in ("log", "Rational") else arity
        if operation not in _CHAINS and not arity <= len(items) <= most:
            counts = f"{arity} argument{'s' * (arity > 1)}" if most == arity else f"{arity} or {most} arguments"
            self.fail(f"'{bracket.function}' takes {counts}, not {len(items)}; write as many", column)
        wants: _Kind = "condition" if operation in LOGIC else "number"
        firsts: _Kind = "condition" if operation == "select" else wants
        indices = [self._index(value, wants if i else firsts) for i, value in enumerate(items)]
        kind: _Kind = "condition" if operation in COMPARISONS | LOGIC else "number"
        return _Value(self._apply(operation, indices, column), kind, column)

    def _special(self, bracket: _Bracket) -> _Value:
        module, _, name = bracket.function.rpartition(".")
        # NumPy's sinc is that of πx
        name = "np.sinc" if name == "sinc" and module in ("np", "numpy") else name
        counts, items = NAMED[name].counts, bracket.items
        if len(items) not in counts:
            wanted = f"{' or '.join(map(str, counts))} argument{'s' * (counts[-1] > 1)}"
            self.fail(f"'{bracket.function}' takes {wanted}, not {len(items)}; write as many", bracket.column)
        try:
            term = named_term(name, [Term(self.build, self._index(item, "number")) for item in items])
        except UnsupportedFunction as error:
            self.fail(str(error), bracket.column)
        return _Value(term.index, "number", bracket.column)

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
