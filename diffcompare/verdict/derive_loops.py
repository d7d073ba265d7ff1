"""The gradient of a function with loops, as code with loops: forward through each, and backwards.

The last run of a loop's body is read as expressions of what its variables were before; the run before it tells which
numbers change. What a run hands on to the next is kept on a tape, and the derivatives go through the runs in reverse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.expression import Expression, Key, operands_first
from diffcompare.program.expression_adjoint import gradients
from diffcompare.program.expression_reading import pieces_of, read_expressions
from diffcompare.program.expression_shapes import full, index
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import NumpyLines
from diffcompare.program.repeated_nodes import common_parts
from diffcompare.program.shared_parts import distributed, weights_of
from diffcompare.tracing.loop_names import LoopName, LoopNames, assigned_names, loaded_names, set_first
from diffcompare.tracing.loops import Loop, Scope, source_of
from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.code_names import CodeNames
from diffcompare.verdict.gradient_code import Traced, pieces_in, returned, taken_names, texts_for, whole_function

__all__ = ["with_loops"]

# fewer runs are written one after the other
_RUNS = 3
Bars = dict[Expression, Expression]


def with_loops(traced: Traced, structure: Structure, names: CodeNames, name: str) -> str:
    """Write the gradient of a function with loops.

    Raises
    ------
    UnsupportedFunction
        It has none, or one whose runs are not alike.
    """
    loops = [one for one in traced.loops if len(one.runs) >= _RUNS and not any(loop.orelse for loop in one.nest)]
    source = source_of(names.function)
    if not loops or source is None:
        raise UnsupportedFunction("there is no loop")
    reader = _Reader(traced, structure, names)
    write = reader.write
    scope = loops[-1].after
    bars = reader.slopes({reader.read(traced.output, scope): write.number(1)})
    bodies: list[_Body] = []
    for k in reversed(range(len(loops))):
        body = _differentiated(reader, loops[k], bars)
        bodies.insert(0, body)
        slopes: Bars = {}
        for symbol, bar in body.bars.items():
            own: Expression | None = symbol
            if symbol not in reader.pieces:
                own = reader.before(symbol, loops[k], loops[k - 1].after if k else None)
            if own is not None:
                slopes[own] = write.plus(slopes[own], bar) if own in slopes else bar
        bars = reader.slopes(slopes)
    roots = [full(write, bars.get(piece, write.number(0)), piece.shape) for piece in reader.pieces]
    return _Writer(reader, source, bodies, roots, structure, name).whole()


class _Reader:
    """Reads nodes as expressions of the variables that the function has at a place."""

    def __init__(self, traced: Traced, structure: Structure, names: CodeNames) -> None:
        self.traced, self.names, self.write = traced, names, Expressions()
        self.pieces = pieces_in(structure, names, self.write)
        self._own = pieces_of(traced.build, self.write, self.pieces)
        self._leaf = names.leaf(self.write)
        self._symbols = {piece.payload: piece for piece in self.pieces}
        # what stands for which name of a loop
        self.loop_names: dict[Expression, LoopName] = {}
        self.wanted: dict[Expression, str] = {}

    @property
    def symbols(self) -> list[Expression]:
        """The variables that were met."""
        return list(self._symbols.values())

    def symbol(self, text: str, shape: tuple[int, ...]) -> Expression:
        """Return a variable, or a part of one."""
        if text not in self._symbols:
            self._symbols[text] = self.write.node("name", (), shape, text)
        return self._symbols[text]

    def node(self, symbol: Expression, scope: Scope | None) -> int:
        """Return the node of a variable at a place."""
        name = symbol.payload
        if scope is None or name not in scope.nodes:
            raise UnsupportedFunction(f"{name} is set in the loop alone")
        return scope.nodes[name]

    def before(self, symbol: Expression, loop: Loop, scope: Scope | None) -> Expression | None:
        """Return what a variable is before a loop; None for what does not depend on the point."""
        if loop.before is None or (symbol.payload in loop.before.values and symbol.payload not in loop.before.nodes):
            return None
        return self.read(self.node(symbol, loop.before), scope)

    def slopes(self, after: Bars) -> Bars:
        """Return the derivatives in the variables, of those in expressions of them."""
        symbols = self.symbols
        found = gradients(self.write, after, symbols)
        return {symbol: found[symbol] for symbol in symbols if symbol in found}

    def read(self, node: int, scope: Scope | None) -> Expression:
        """Return the expression of a node in terms of the variables."""
        shape = self.traced.build.shape
        known = {} if scope is None else {n: self.symbol(text, shape(n)) for text, n in scope.nodes.items()}
        return self.expression(node, known)

    def named(self, node: int, name: LoopName, known: Mapping[int, Expression]) -> Expression:
        """Return what stands in a loop for a node."""
        build = self.traced.build
        if name.node is not None:
            whole = self.expression(name.node, known)
            return index(self.write, whole, Key(build.nodes[node].payload, name.text))
        found = self.symbol(name.text, name.shape)
        self.loop_names[found] = name
        if name.places is None:
            return found
        return index(self.write, found, Key(np.array(name.places).reshape(build.shape(node))))

    def expression(self, node: int, known: Mapping[int, Expression]) -> Expression:
        """Return the expression of a node, with what stands for others."""
        found = read_expressions(self.traced.build, node, self.write, {**self._own, **known}, self._leaf)
        for text, own in self.traced.local.items():
            if own in found and found[own].operation not in ("name", "item"):
                self.wanted.setdefault(found[own], text)
        return found[node]


@dataclass(slots=True)
class _Body:
    """The derivative of a loop.

    Parameters
    ----------
    loop : Loop
    new : dict
        What the variables are that a run hands on to the next, by what they were.
    after, bars : dict
        The derivatives behind the loop, and before it.
    steps : dict
        What the derivative in each variable is before a run; of what does not change, what it adds.
    carried : list
        The variables of ``steps`` that change.
    """

    loop: Loop
    new: dict[Expression, Expression]
    after: Bars
    bars: Bars
    steps: Bars
    carried: list[Expression]
    slopes: Bars = field(default_factory=dict)


def _differentiated(reader: _Reader, loop: Loop, after: Bars) -> _Body:
    write, build = reader.write, reader.traced.build
    count = len(loop.runs)
    # the first run begins with numbers, which are no variables
    runs = sorted({count - 1, count - 2, 1 + count // 2, 1 + count // 3} & set(range(1, count)), reverse=True)
    texts = LoopNames(reader.traced.table, loop, runs)
    inner = assigned_names([loop.nest[0]])
    live = [symbol for symbol in after if symbol.payload in inner]
    new: dict[Expression, Expression] = {}
    while any(symbol not in new for symbol in live):
        symbol = next(symbol for symbol in live if symbol not in new)
        nodes = tuple(reader.node(symbol, loop.runs[k][1]) for k in runs)
        known: dict[int, Expression] = {}
        parts = common_parts(build, [nodes], texts)
        for node in sorted(parts):
            known[node] = reader.named(node, parts[node], known)
            found = reader.symbol(parts[node].text, ())
            if parts[node].moving and found.payload in inner and found not in live:
                live.append(found)
        new[symbol] = reader.expression(nodes[0], known)
    moving = [s for s, name in reader.loop_names.items() if name.moving]
    slopes = {symbol: write.node("name", (), symbol.shape, f"grad_{symbol.payload}") for symbol in live}
    steps = _steps(write, new, slopes, moving)
    for symbol in live:
        if steps.get(symbol) is slopes[symbol]:
            # what is only added to has one derivative throughout
            bar = after.get(symbol, write.number(0))
            if bar.number is not None:
                slopes[symbol] = bar
    steps = _steps(write, new, slopes, moving)
    carried = [symbol for symbol in live if slopes[symbol].number is None and steps.get(symbol) is not slopes[symbol]]
    bars = {symbol: bar for symbol, bar in after.items() if symbol not in carried}
    for symbol in carried:
        steps.setdefault(symbol, write.number(0))
    for symbol in live:
        steps.pop(symbol, None) if symbol not in carried else None
        bars[symbol] = slopes[symbol]
    for symbol in steps:
        if symbol not in live:
            base = reader.loop_names[symbol].base
            shape = _shape_of(reader, base, loop)
            whole = reader.symbol(base, shape)
            bars[whole] = write.node("name", (), shape, _grad_name(base))
    return _Body(loop, new, after, {s: b for s, b in bars.items() if b.number != 0}, steps, carried, slopes)


def _shape_of(reader: _Reader, base: str, loop: Loop) -> tuple[int, ...]:
    before = loop.before
    if before is None or base not in before.nodes:
        raise UnsupportedFunction(f"{base} is set in the loop alone")
    return reader.traced.build.shape(before.nodes[base])


def _steps(write: Expressions, new: Bars, slopes: Bars, moving: Sequence[Expression]) -> Bars:
    """Return the derivatives in what a run begins with, of those in what it ends with."""
    own: Bars = {}
    for symbol, expression in new.items():
        slope = slopes[symbol]
        own[expression] = write.plus(own[expression], slope) if expression in own else slope
    found = gradients(write, own, moving)
    return {symbol: found[symbol] for symbol in moving if symbol in found}


def _grad_name(base: str) -> str:
    return "grad_" + re.sub(r"\W+", "_", base).strip("_")


class _Writer:
    """Writes the statements."""

    def __init__(
        self, reader: _Reader, source: ast.FunctionDef, bodies: Sequence[_Body], roots: Sequence[Expression],
        structure: Structure, name: str,
    ) -> None:  # fmt: skip
        self._reader, self._source, self._bodies, self._roots = reader, source, bodies, roots
        self._structure, self._name = structure, name
        own = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        self._held = {s.payload for s in reader.symbols}
        free = set(reader.traced.local) - self._held
        self._taken = taken_names(reader.names, name) | (own - free) | {_grad_name(text) for text in self._held}
        self._texts = texts_for(reader.names, reader.symbols)

    def whole(self) -> str:
        """Return the function."""
        needed = self._needed()
        forward: list[list[str]] = []
        backward: list[list[str]] = []
        grown: set[str] = set()
        for k in reversed(range(len(self._bodies))):
            body = self._bodies[k]
            states = [symbol for symbol in body.new if symbol in needed]
            ahead, lines = self._loop(body, states, f"tape{k + 1 if k else ''}", grown)
            forward.insert(0, ahead)
            backward.append(lines)
        known = self._known_before()
        wanted = {**self._reader.wanted}
        last = NumpyLines(self._texts, wanted, (), self._taken, known).lines(
            self._roots, lambda texts: returned(self._structure, texts)
        )
        tail = [line for lines in (*backward, last) for line in lines]
        head = self._verbatim(forward, tail)
        return whole_function(
            self._reader.names, self._structure, self._name, [*head, *tail], special=self._texts.special
        )

    def _needed(self) -> set[Expression]:
        """Return the variables whose values the derivatives need."""
        found: set[Expression] = set()
        left = [e for body in self._bodies for e in (*body.steps.values(), *body.after.values())] + [*self._roots]
        while left:
            new = {one for one in operands_first(left) if one.operation == "name"} - found
            found |= new
            left = [body.new[symbol] for body in self._bodies for symbol in body.new if symbol in new]
        return found

    def _known_before(self) -> dict[Expression, str]:
        """Return the names that the function gave to expressions of the point before its first loop."""
        loop = self._bodies[0].loop
        if loop.before is None:
            return {}
        inner = {name for body in self._bodies for name in assigned_names([body.loop.nest[0]])}
        found: dict[Expression, str] = {}
        for text, node in loop.before.nodes.items():
            if text not in inner:
                own = self._reader.read(node, None)
                if own not in self._reader.pieces and own.number is None:
                    found.setdefault(own, text)
        return found

    # --- one loop

    def _loop(
        self, body: _Body, states: Sequence[Expression], tape: str, grown: set[str]
    ) -> tuple[list[str], list[str]]:
        """Write the forward loop, which may be none, and the backward loop with what stands before it."""
        targets = list(self._targets(body))
        ended = [step for _, step in targets] + [body.steps[symbol] for symbol in body.carried]
        names: dict[Expression, str] = {}
        ahead: list[str] = []
        if states:
            made = [body.new[symbol] for symbol in states]
            wanted = {**self._reader.wanted, **{body.new[s]: f"{s.payload}_new" for s in states}}
            writer = NumpyLines(self._texts, wanted, (), self._taken)
            ahead = writer.lines(made, lambda texts: _assigned([s.payload for s in states], texts), _shared(made, ended))
            names = writer.names
        writer = NumpyLines(self._texts, self._reader.wanted, (), self._taken, names)

        def increments(texts: list[str]) -> list[str]:
            added = [_added(target, text) for (target, _), text in zip(targets, texts, strict=False)]
            return added + _assigned([_grad_name(s.payload) for s in body.carried], texts[len(targets) :])

        back = writer.lines(ended, increments)
        inner = [name for name in _ordered(body.loop) if name not in _set_in(back)]
        held = [name for name in [*inner, *names.values()] if _uses([*back], name)]
        held = list(dict.fromkeys(held))
        constants, behind = self._constants(body.loop, [*ahead, *back])
        begun = self._begun(body, grown)
        if not states:
            lines = _headed(body.loop, constants, [*_indented_in(constants, back)], behind)
            return [], [*begun, *lines]
        update = len(_assigned([s.payload for s in states], ["0"] * len(states)))
        update = _count_of_update(ahead, states)
        kept = f"{tape}.append({held[0]})" if len(held) == 1 else f"{tape}.append(({', '.join(held)}))"
        run = [*ahead[: len(ahead) - update], kept, *ahead[len(ahead) - update :]] if held else ahead
        lines = [f"{tape} = []"] * bool(held) + _headed(body.loop, constants, run, behind)
        variables = ", ".join(held) or "_"
        return lines, [
            *begun,
            f"for {variables} in reversed({tape}):" if held else f"for _ in range({body.loop.count}):",
            *(f"    {line}" for line in back),
        ]

    def _begun(self, body: _Body, grown: set[str]) -> list[str]:
        """Write what the derivatives are before the backward loop."""
        write = self._reader.write
        started: dict[str, Expression] = {}
        for symbol in body.carried:
            started[_grad_name(symbol.payload)] = full(
                write, body.after.get(symbol, write.number(0)), symbol.shape
            )
        for symbol in body.steps:
            if symbol in body.carried:
                continue
            base = self._reader.symbol(self._reader.loop_names[symbol].base, ())
            name = _grad_name(base.payload)
            if name not in grown:
                grown.add(name)
                started[name] = full(write, body.after.get(base, write.number(0)), base.shape)
        for symbol, slope in body.slopes.items():
            if symbol not in body.carried and slope.number is None:
                started[_grad_name(symbol.payload)] = body.after[symbol]
        zeros = [name for name, one in started.items() if one.number == 0]
        rest = {name: one for name, one in started.items() if one.number != 0}
        lines = [" = ".join([*zeros, "0.0"])] if zeros else []
        if not rest:
            return lines
        numpy = self._reader.names.numpy

        def ended(texts: list[str]) -> list[str]:
            found = []
            for (name, one), text in zip(rest.items(), texts, strict=True):
                own = one.operation in ("product", "sum", "broadcast", "contract") or not one.shape
                found.append(f"{name} = {text}" if own else f"{name} = {numpy}.array({text}, dtype=float)")
            return found

        return lines + NumpyLines(self._texts, self._reader.wanted, (), self._taken).lines([*rest.values()], ended)

    def _targets(self, body: _Body) -> Iterator[tuple[str, Expression]]:
        """List what is added to, and what is added there."""
        for symbol, step in body.steps.items():
            if symbol in body.carried:
                continue
            name = self._reader.loop_names[symbol]
            target = _grad_name(name.base) + name.key
            if name.repeats:
                target = f"{self._reader.names.numpy}.add.at({_grad_name(name.base)}, {name.key[1:-1]}, {{}})"
            whole = distributed(step)
            parts = zip(whole.operands, whole.payload, strict=True) if whole.operation == "sum" else ()
            pieces = list(parts)
            if name.repeats or not pieces or any(part.operation != "scatter" for part, _ in pieces):
                yield target, step
                continue
            for part, coefficient in pieces:
                key = self._texts.key(part.shape, part.payload)
                yield f"{target}[{key}]", self._reader.write.product([(part.operands[0], 1)], coefficient)

    def _constants(self, loop: Loop, lines: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the statements of a body that set what does not depend on the point: those before, those behind."""
        inner, scope = loop.nest[-1].body, loop.runs[-1][1]
        first = set_first(inner)
        wanted = {name for name in assigned_names(list(inner)) if name not in scope.nodes and _uses(lines, name)}
        chosen: list[tuple[ast.stmt, bool]] = []
        for statement in reversed([part for one in inner for part in _parts(one)]):
            own = assigned_names([statement])
            if own & wanted and not own & scope.nodes.keys():
                chosen.insert(0, (statement, bool(own & first)))
                wanted |= loaded_names([statement])
        return [ast.unparse(s) for s, early in chosen if early], [ast.unparse(s) for s, early in chosen if not early]

    # --- the user's own statements

    def _verbatim(self, forward: Sequence[list[str]], tail: Sequence[str]) -> list[str]:
        """Put the user's statements in front of the loops: those that set what is used."""
        lines = [*(line for part in forward for line in part), *tail]
        own = assigned_names([self._source])
        wanted = {name for name in own if _uses(lines, name)}
        parts: list[list[str]] = []
        loops = {body.loop.nest[0].lineno: k for k, body in enumerate(self._bodies)}
        last = self._bodies[-1].loop.nest[0].lineno
        for statement in reversed([one for one in self._source.body if one.lineno <= last]):
            if statement.lineno in loops:
                parts.append(forward[loops[statement.lineno]])
                continue
            for part in reversed(_parts(statement)):
                if assigned_names([part]) & wanted:
                    wanted |= loaded_names([part])
                    parts.append(ast.unparse(part).split("\n"))
        return [line for part in reversed(parts) for line in part]


def _shared(made: Sequence[Expression], ended: Sequence[Expression]) -> list[Expression]:
    """List what the forward loop computes and the backward loop needs again."""
    ahead, back = operands_first(made), operands_first(ended)
    weights = weights_of(ahead)
    own = {one for one in ahead if weights[one] >= 2}
    used = {o for one in back if one not in own for o in one.operands} | set(ended)
    return [one for one in ahead if one in own and one in used]


def _parts(statement: ast.stmt) -> list[ast.stmt]:
    """Split an assignment of several values to as many names."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            own, used = assigned_names([target]), loaded_names([value])
            if not own & used and not any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts)):
                pairs = zip(target.elts, value.elts, strict=True)
                return [ast.Assign([t], v, lineno=statement.lineno) for t, v in pairs]
    return [statement]


def _assigned(names: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Write assignments, each behind those that need what the name was; at once where there is no such order."""
    left = {name: text for name, text in zip(names, texts, strict=True) if name != text}
    found: list[str] = []
    while left:
        free = next((n for n in left if not any(_uses([t], n) for m, t in left.items() if m != n)), None)
        if free is None:
            return [*found, f"{', '.join(left)} = {', '.join(left.values())}"]
        found.append(f"{free} = {left.pop(free)}")
    return found


def _count_of_update(ahead: Sequence[str], states: Sequence[Expression]) -> int:
    names = {s.payload for s in states}
    count = 0
    for line in reversed(ahead):
        left = line.split(" = ")[0]
        if line.startswith(" ") or line[:1] in ")]}" or set(left.split(", ")) <= names:
            count += 1
        else:
            break
    return count


def _added(target: str, text: str) -> str:
    if "{}" in target:
        return target.format(text)
    negative = re.fullmatch(r"-([^-+]*)", text)
    return f"{target} -= {negative[1]}" if negative else f"{target} += {text}"


def _uses(lines: Iterable[str], name: str) -> bool:
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    return any(pattern.search(line) for line in lines)


def _set_in(lines: Sequence[str]) -> set[str]:
    return {match[1] for line in lines if (match := re.match(r"(\w+) = ", line))}


def _ordered(loop: Loop) -> list[str]:
    """List the names that a loop sets, as they stand in the code."""
    nodes = [node for node in ast.walk(loop.nest[0]) if isinstance(node, ast.Name)]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    own = assigned_names([loop.nest[0]])
    return list(dict.fromkeys(node.id for node in nodes if node.id in own))


def _headed(loop: Loop, constants: Sequence[str], body: Sequence[str], behind: Sequence[str]) -> list[str]:
    """Put the loops of the user around a body."""
    found: list[str] = []
    depth = ""
    for k, one in enumerate(loop.nest):
        found.append(f"{depth}for {ast.unparse(one.target)} in {ast.unparse(one.iter)}:")
        depth += "    "
        if k < len(loop.nest) - 1:
            found += [f"{depth}{ast.unparse(statement)}" for statement in one.body[:-1]]
    lines = [line for text in (*constants, *body, *behind) for line in text.split("\n")]
    return found + [f"{depth}{line}" for line in lines]


def _indented_in(_: Sequence[str], lines: Sequence[str]) -> Sequence[str]:
    return lines


Texts = Callable[[list[str]], list[str]]
