"""The derivatives of a function with loops, as expressions of the variables that the function has at each place.

The last run of a loop's body is read as expressions of what its variables were before it; other runs tell which numbers
change from run to run. A derivative has the name of its variable, with ``grad_`` in front.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.expression import Expression, Key, operands_first
from diffcompare.program.expression_adjoint import gradients
from diffcompare.program.expression_reading import pieces_of, read_expressions
from diffcompare.program.expression_shapes import full, index
from diffcompare.program.expressions import Expressions
from diffcompare.program.repeated_nodes import common_parts
from diffcompare.program.shared_parts import with_probabilities
from diffcompare.tracing.loop_names import LoopName, LoopNames, assigned_names, node_in
from diffcompare.tracing.loops import Loop, Scope
from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.code_names import CodeNames
from diffcompare.verdict.gradient_code import Traced, check_length, pieces_in

__all__ = ["LoopSlopes", "Reader", "Slopes", "function_slopes", "grad_name"]

# the derivatives in expressions
Slopes = dict[Expression, Expression]


def grad_name(text: str) -> str:
    """Return what the derivative in a variable is called."""
    return "grad_" + re.sub(r"\W+", "_", text).strip("_")


class Reader:
    """Reads nodes as expressions of variables.

    Parameters
    ----------
    traced : Traced
    structure : Structure
        Of the point.
    names : CodeNames
    """

    def __init__(self, traced: Traced, structure: Structure, names: CodeNames) -> None:
        self.traced, self.names, self.write = traced, names, Expressions()
        self.pieces = pieces_in(structure, names, self.write)
        self._own = pieces_of(traced.build, self.write, self.pieces)
        self._leaf = names.leaf(self.write)
        self._symbols = {piece.payload: piece for piece in self.pieces}
        # what stands for which name of a loop
        self.loop_names: dict[Expression, LoopName] = {}
        # the names that the function has for expressions
        self.wanted: dict[Expression, str] = {}

    @property
    def symbols(self) -> list[Expression]:
        """The variables that were met."""
        return list(self._symbols.values())

    def symbol(self, text: str, shape: tuple[int, ...] = ()) -> Expression:
        """Return a variable, or a part of one, which gets its shape where it is met first."""
        if text not in self._symbols:
            self._symbols[text] = self.write.node("name", (), shape, text)
        return self._symbols[text]

    def slope(self, symbol: Expression) -> Expression:
        """Return the variable that is the derivative in another."""
        return self.write.node("name", (), symbol.shape, grad_name(symbol.payload))

    def node(self, text: str, scope: Scope) -> int:
        """Return the node of a variable at a place."""
        if not text:
            raise UnsupportedFunction("a run reads what has no name")
        found = scope.nodes.get(text) or node_in(text, scope)
        if found is None:
            raise UnsupportedFunction(f"{text} is set in the loop alone")
        return found

    def before(self, symbol: Expression, scope: Scope, earlier: Scope | None) -> Expression | None:
        """Return what a variable is at a place, in terms of those of an earlier one; None for a number."""
        name = symbol.payload
        if symbol in self.pieces and name not in scope.nodes:
            return symbol
        if name in scope.values and name not in scope.nodes:
            return None
        return self.at(self.node(name, scope), earlier)

    def at(self, node: int, scope: Scope | None) -> Expression:
        """Return the expression of a node in terms of the variables of a place; None: of the point."""
        shape = self.traced.build.shape
        if scope is None:
            return self.expression(node, {})
        known = {n: self.symbol(text, shape(n)) for text, n in scope.nodes.items()}
        for n, (text, places) in scope.parts.items():
            known.setdefault(n, index(self.write, self.symbol(text), Key(places)))
        return self.expression(node, known)

    def named(self, node: int, name: LoopName, known: Mapping[int, Expression]) -> Expression:
        """Return what stands in a loop for a node."""
        build = self.traced.build
        if name.node is not None:
            return index(self.write, self.expression(name.node, known), Key(build.nodes[node].payload, name.text))
        found = self.symbol(name.text, name.shape)
        self.loop_names[found] = name
        if name.places is None:
            return found
        return index(self.write, found, Key(np.array(name.places).reshape(build.shape(node))))

    def expression(self, node: int, known: Mapping[int, Expression]) -> Expression:
        """Return the expression of a node, with what stands for others."""
        pieces = {**self._own, **known}
        check_length(self.traced.build, node, pieces)
        found = read_expressions(self.traced.build, node, self.write, pieces, self._leaf)
        for text, own in self.traced.local.items():
            if own in found and found[own].operation not in ("name", "item"):
                self.wanted.setdefault(found[own], text)
        return found[node]

    def slopes(self, after: Slopes) -> Slopes:
        """Return the derivatives in the variables, of those in expressions of them."""
        symbols = self.symbols
        found = gradients(self.write, after, symbols)
        return {symbol: found[symbol] for symbol in symbols if symbol in found}


@dataclass(frozen=True, slots=True)
class LoopSlopes:
    """The derivatives of a loop.

    Parameters
    ----------
    loop : Loop
    names : LoopNames
    new : dict
        What a run makes of the variables that it hands on to the next.
    begun : dict
        The derivatives with which the backward loop begins, by their names.
    carried : dict
        The derivatives in variables that change, before a run of the body.
    added : dict
        What a run adds to the derivatives in what does not change.
    before : dict
        The derivatives in the variables before the loop.
    arrays : tuple of Expression
        Those of ``new`` of which a run sets one part.
    """

    loop: Loop
    names: LoopNames
    new: Slopes
    begun: dict[str, Expression]
    carried: Slopes
    added: Slopes
    before: Slopes
    arrays: tuple[Expression, ...]


def function_slopes(reader: Reader, loops: Sequence[Loop]) -> tuple[list[LoopSlopes], list[Expression]]:
    """Return the derivatives of each loop of a function, and those in the parts of the point.

    Raises
    ------
    UnsupportedFunction
        The runs of a loop are not alike.
    """
    write = reader.write
    slopes = reader.slopes({reader.at(reader.traced.output, loops[-1].after): write.number(1)})
    found: list[LoopSlopes] = []
    for k in reversed(range(len(loops))):
        found.insert(0, _of_loop(reader, loops[k], slopes))
        earlier = loops[k - 1].after if k else None
        made = [(reader.before(s, loops[k].outside, earlier), bar) for s, bar in found[0].before.items()]
        slopes = reader.slopes(_added_up(write, [(one, bar) for one, bar in made if one is not None]))
    return found, [full(write, slopes.get(piece, write.number(0)), piece.shape) for piece in reader.pieces]


def _added_up(write: Expressions, slopes: Sequence[tuple[Expression, Expression]]) -> Slopes:
    found: Slopes = {}
    for one, slope in slopes:
        found[one] = write.plus(found[one], slope) if one in found else slope
    return found


def _of_loop(reader: Reader, loop: Loop, after: Slopes) -> LoopSlopes:
    write = reader.write
    count = len(loop.runs)
    # the first run begins with numbers, which are no variables
    runs = sorted({count - 1, count - 2, 1 + count // 2, 1 + count // 3} & set(range(1, count)), reverse=True)
    names = LoopNames(reader.traced.table, loop, runs)
    inner = assigned_names([loop.nest[0]])
    new = _handed_on(reader, loop, names, runs, [symbol for symbol in after if symbol.payload in inner])
    moving = [symbol for symbol, name in reader.loop_names.items() if name.moving]
    arrays = tuple(symbol for symbol in new if symbol.payload in names.written)
    slopes = {symbol: reader.slope(symbol) for symbol in new}
    for symbol in arrays:
        text = grad_name(symbol.payload) + names.written[symbol.payload]
        slopes[symbol] = write.node("name", (), new[symbol].shape, text)

    def before() -> Slopes:
        found = gradients(write, _added_up(write, [(new[s], slopes[s]) for s in new]), moving)
        return {symbol: found[symbol] for symbol in moving if symbol in found}

    steps = before()
    for symbol, slope in slopes.items():
        number = after.get(symbol, write.number(0))
        if steps.get(symbol) is slope and number.number is not None:
            # what is only added to has one derivative throughout
            slopes[symbol] = number
    steps = before()
    simpler = with_probabilities(write, [*new.values(), *steps.values()], [])
    reader.wanted |= {simpler.get(one, one): text for one, text in reader.wanted.items()}
    new, steps = ({symbol: simpler[one] for symbol, one in own.items()} for own in (new, steps))
    fixed = [s for s, slope in slopes.items() if slope.number is not None or steps.get(s) is slope]
    carried = {symbol: steps.get(symbol, write.number(0)) for symbol in new if symbol not in (*fixed, *arrays)}
    added = {symbol: step for symbol, step in steps.items() if symbol not in new}
    known = {symbol: bar for symbol, bar in after.items() if symbol not in new}
    known |= {symbol: slopes[symbol] for symbol in new if slopes[symbol].number != 0 and symbol not in arrays}
    begun = [symbol for symbol in new if slopes[symbol].number is None]
    bases = [reader.loop_names[symbol].base for symbol in added]
    found = [reader.symbol(base, reader.traced.build.shape(reader.node(base, loop.behind))) for base in bases]
    begun = list(dict.fromkeys([*begun, *found]))
    # what is made of variables as they are behind the loop
    begun += [
        symbol for symbol, bar in known.items()
        if symbol not in new and any(o.payload in inner for o in operands_first([bar]) if o.operation == "name")
    ]  # fmt: skip
    known |= {symbol: reader.slope(symbol) for symbol in begun}
    first = {
        grad_name(symbol.payload): full(write, after.get(symbol, write.number(0)), symbol.shape)
        for symbol in begun
        if after.get(symbol) is not reader.slope(symbol)
    }
    return LoopSlopes(loop, names, new, first, carried, added, known, arrays)


def _handed_on(
    reader: Reader, loop: Loop, names: LoopNames, runs: Sequence[int], wanted: Sequence[Expression]
) -> Slopes:
    """Return what a run makes of the variables that are wanted behind the loop, and of those that these need."""
    inner = assigned_names([loop.nest[0]])
    found: Slopes = {}
    left = list(wanted)
    while left:
        symbol = left.pop(0)
        if symbol in found:
            continue
        key = names.written.get(symbol.payload)
        if key is None:
            nodes = tuple(reader.node(symbol.payload, loop.runs[k][1]) for k in runs)
        else:
            nodes = tuple(reader.node(symbol.payload + key, scope) for scope in names.scopes)
        known: dict[int, Expression] = {}
        parts = common_parts(reader.traced.build, [nodes], names)
        for node in sorted(parts):
            known[node] = reader.named(node, parts[node], known)
            if parts[node].moving and parts[node].base in inner:
                whole = parts[node].base if parts[node].base in names.written else parts[node].text
                shape = reader.traced.build.shape(reader.node(whole, loop.behind))
                left.append(reader.symbol(whole, shape))
        found[symbol] = reader.expression(nodes[0], known)
    return found
