"""The gradient of a function with loops, as code with loops: forward through each, and backwards.

The last run of a loop's body is read as expressions of what its variables were before; the run before it tells which
numbers change. What a run hands on to the next is kept on a tape, and the derivatives go through the runs in reverse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.expression import Expression, Key, operands_first
from diffcompare.program.expression_adjoint import gradients
from diffcompare.program.expression_reading import pieces_of, read_expressions
from diffcompare.program.expression_shapes import full, index
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import WIDTH, NumpyLines
from diffcompare.program.repeated_nodes import common_parts
from diffcompare.program.shared_parts import distributed, weights_of, with_probabilities
from diffcompare.tracing.loop_names import LoopName, LoopNames, assigned_names, loaded_names, node_in, set_first
from diffcompare.tracing.loops import Loop, Scope, source_of, text_of
from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.code_names import CodeNames
from diffcompare.verdict.gradient_code import Traced, pieces_in, returned, taken_names, texts_for, whole_function

__all__ = ["with_loops"]

# fewer runs are written one after the other
_RUNS = 3
# stands between what a run computes and what it hands on
_UPDATES = "#"
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

    def node(self, name: str, scope: Scope | None) -> int:
        """Return the node of a variable at a place."""
        found = None if scope is None else scope.nodes.get(name) or node_in(name, scope)
        if found is None:
            raise UnsupportedFunction(f"{name} is set in the loop alone")
        return found

    def before(self, symbol: Expression, loop: Loop, scope: Scope | None) -> Expression | None:
        """Return what a variable is before a loop; None for what does not depend on the point."""
        if loop.before is None or (symbol.payload in loop.before.values and symbol.payload not in loop.before.nodes):
            return None
        return self.read(self.node(symbol.payload, loop.before), scope)

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
        nodes = tuple(reader.node(symbol.payload, loop.runs[k][1]) for k in runs)
        known: dict[int, Expression] = {}
        parts = common_parts(build, [nodes], texts)
        for node in sorted(parts):
            known[node] = reader.named(node, parts[node], known)
            if parts[node].node is not None:
                continue
            found = reader.symbol(parts[node].text, ())
            if parts[node].moving and parts[node].text in inner and found not in live:
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
            shape = build.shape(reader.node(base, loop.before))
            whole = reader.symbol(base, shape)
            bars[whole] = write.node("name", (), shape, _grad_name(base))
    simpler = with_probabilities(write, [*new.values(), *steps.values()], [])
    reader.wanted |= {simpler.get(one, one): text for one, text in reader.wanted.items()}
    new, steps = ({s: simpler[one] for s, one in own.items()} for own in (new, steps))
    return _Body(loop, new, after, {s: b for s, b in bars.items() if b.number != 0}, steps, carried, slopes)


def _steps(write: Expressions, new: Bars, slopes: Bars, moving: Sequence[Expression]) -> Bars:
    """Return the derivatives in what a run begins with, of those in what it ends with."""
    own: Bars = {}
    for symbol, expression in new.items():
        slope = slopes[symbol]
        own[expression] = write.plus(own[expression], slope) if expression in own else slope
    found = gradients(write, own, moving)
    return {symbol: found[symbol] for symbol in moving if symbol in found}


def _is_zero(one: Expression) -> bool:
    return one.number == 0 or (one.operation == "broadcast" and one.operands[0].number == 0)


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
        self._needed = self._values_needed()
        self._before = self._known_before()
        held = {symbol.payload for symbol in (*self._needed, *(s for body in bodies for s in body.new))}
        held |= {name.base for name in reader.loop_names.values()} | set(self._before.values())
        own = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        self._taken = taken_names(reader.names, name) | (own - (set(reader.traced.local) - held))
        self._taken |= {_grad_name(text) for text in held}
        self._texts = texts_for(reader.names, reader.symbols)

    def whole(self) -> str:
        """Return the function."""
        forward: list[list[str]] = []
        backward: list[list[str]] = []
        grown: set[str] = set()
        for k in reversed(range(len(self._bodies))):
            body = self._bodies[k]
            states = [symbol for symbol in body.new if symbol in self._needed]
            ahead, lines = self._loop(body, states, f"tape{k + 1 if k else ''}", grown)
            forward.insert(0, ahead)
            backward.append(lines)
        last = NumpyLines(self._texts, self._reader.wanted, (), self._taken, self._before).lines(
            self._roots, lambda texts: returned(self._structure, texts)
        )
        tail = [line for lines in (*backward, last) for line in lines]
        head = self._verbatim(forward, tail)
        return whole_function(
            self._reader.names, self._structure, self._name, [*head, *tail], special=self._texts.special
        )

    def _values_needed(self) -> set[Expression]:
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
        made_lines: list[str] = []
        updates: list[str] = []
        if states:
            made = [body.new[symbol] for symbol in states]
            wanted = {**self._reader.wanted, **{body.new[s]: f"{s.payload}_new" for s in states}}
            writer = NumpyLines(self._texts, wanted, (), self._taken)
            ahead = writer.lines(
                made, lambda texts: [_UPDATES, *_assigned([s.payload for s in states], texts)], _shared(made, ended)
            )
            middle = ahead.index(_UPDATES)
            made_lines, updates, names = ahead[:middle], ahead[middle + 1 :], writer.names
        writer = NumpyLines(self._texts, self._reader.wanted, (), self._taken, names)

        def increments(texts: list[str]) -> list[str]:
            added = [target.format(text) for (target, _), text in zip(targets, texts, strict=False)]
            return added + _assigned([_grad_name(s.payload) for s in body.carried], texts[len(targets) :])

        back = writer.lines(ended, increments)
        inner = [name for name in _ordered(body.loop) if name not in _set_in(back)]
        held = [name for name in [*inner, *names.values()] if _uses([*back], name)]
        held = list(dict.fromkeys(held))
        constants, behind = self._constants(body.loop, [*made_lines, *updates, *back])
        begun = self._begun(body, grown)
        if not states:
            return [], [*begun, *_headed(body.loop, [*constants, *back, *behind])]
        kept = f"{tape}.append({held[0]})" if len(held) == 1 else f"{tape}.append(({', '.join(held)}))"
        run = [*constants, *made_lines, *([kept] if held else []), *updates, *behind]
        head = _headed(body.loop, run)
        if not held:
            return head, [*begun, *_headed(body.loop, back)]
        return [f"{tape} = []", *head], [
            *begun, f"for {', '.join(held)} in reversed({tape}):", *(f"    {line}" for line in back)
        ]  # fmt: skip

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
        arrays = {name: one.shape for name, one in started.items() if _is_zero(one) and name not in zeros}
        rest = {name: one for name, one in started.items() if not _is_zero(one)}
        numpy = self._reader.names.numpy
        lines = [" = ".join([*zeros, "0.0"])] if zeros else []
        if arrays:
            values = [f"{numpy}.zeros({self._texts.shape(shape)})" for shape in arrays.values()]
            whole = f"{', '.join(arrays)} = {', '.join(values)}"
            each = [f"{name} = {value}" for name, value in zip(arrays, values, strict=True)]
            lines += [whole] if len(whole) <= WIDTH else each
        if not rest:
            return lines

        def ended(texts: list[str]) -> list[str]:
            found = []
            for (name, one), text in zip(rest.items(), texts, strict=True):
                if text == name:
                    continue
                own = one.operation in ("product", "sum", "broadcast", "contract") or not one.shape
                found.append(f"{name} = {text}" if own else f"{name} = {numpy}.array({text}, dtype=float)")
            return found

        wanted = self._reader.wanted | {one: name for name, one in rest.items()}
        return lines + NumpyLines(self._texts, wanted, (), self._taken - rest.keys()).lines([*rest.values()], ended)

    def _targets(self, body: _Body) -> Iterator[tuple[str, Expression]]:
        """List the statements that add to derivatives, {} in place of what is added, and that."""
        for symbol, step in body.steps.items():
            if symbol in body.carried:
                continue
            name = self._reader.loop_names[symbol]
            target = _grad_name(name.base) + name.key
            whole = distributed(step)
            parts = list(zip(whole.operands, whole.payload, strict=True)) if whole.operation == "sum" else []
            if name.repeats:
                yield f"{self._reader.names.numpy}.add.at({_grad_name(name.base)}, {name.key[1:-1]}, {{}})", step
            elif not parts or any(part.operation != "scatter" for part, _ in parts):
                yield self._added(target, step)
            else:
                for part, coefficient in parts:
                    own = self._reader.write.scaled(part.operands[0], coefficient.above, coefficient.below)
                    yield self._added(f"{target}[{self._texts.key(part.shape, part.payload)}]", own)

    def _added(self, target: str, step: Expression) -> tuple[str, Expression]:
        """Return a statement for what is added to something."""
        target = target.replace("{", "{{").replace("}", "}}")
        if self._reader.write.split(step)[0].above < 0:
            return f"{target} -= {{}}", self._reader.write.scaled(step, -1)
        return f"{target} += {{}}", step

    def _constants(self, loop: Loop, lines: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the statements of a body that set what does not depend on the point: those before, those behind."""
        inner, scope = loop.nest[-1].body, loop.runs[-1][1]
        first = set_first(inner)
        wanted = {name for name in assigned_names(inner) if name not in scope.nodes and _uses(lines, name)}
        found: tuple[list[list[str]], list[list[str]]] = [], []
        for statement in reversed(inner):
            chosen = [
                part for part in _parts(statement)
                if assigned_names([part]) & wanted and not assigned_names([part]) & scope.nodes.keys()
            ]  # fmt: skip
            if chosen:
                wanted |= loaded_names(chosen)
                early = bool(assigned_names(chosen) & first)
                found[not early].insert(0, _together(statement, chosen, loop.source))
        return [line for lines in found[0] for line in lines], [line for lines in found[1] for line in lines]

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
            chosen = [part for part in _parts(statement) if assigned_names([part]) & wanted]
            if chosen:
                wanted |= loaded_names(chosen)
                parts.append(_together(statement, chosen, self._bodies[0].loop.source))
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


def _together(statement: ast.stmt, parts: Sequence[ast.stmt], source: str) -> list[str]:
    """Write parts of an assignment as one."""
    if len(parts) == len(_parts(statement)):
        return text_of(statement, source).split("\n")
    pairs = [(part.targets[0], part.value) for part in parts if isinstance(part, ast.Assign)]
    targets, values = ([text_of(pair[k], source) for pair in pairs] for k in (0, 1))
    return f"{', '.join(targets)} = {', '.join(values)}".split("\n")


def _assigned(names: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Write assignments, each behind those that need what the name was; at once where there is no such order."""
    left = {name: text for name, text in zip(names, texts, strict=True) if name != text}
    found: list[str] = []
    if left and all(map(str.isidentifier, left.values())):
        return [f"{', '.join(left)} = {', '.join(left.values())}"]
    while left:
        free = next((n for n in left if not any(_uses([t], n) for m, t in left.items() if m != n)), None)
        if free is None:
            return [*found, f"{', '.join(left)} = {', '.join(left.values())}"]
        found.append(f"{free} = {left.pop(free)}")
    return found


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


def _headed(loop: Loop, body: Sequence[str]) -> list[str]:
    """Put the loops of the user around a body."""
    found: list[str] = []
    depth = ""
    for one in loop.nest:
        target, over = (text_of(part, loop.source) for part in (one.target, one.iter))
        found.append(f"{depth}for {target} in {over}:")
        depth += "    "
        if one is not loop.nest[-1]:
            found += [f"{depth}{line}" for s in one.body[:-1] for line in text_of(s, loop.source).split("\n")]
    return found + [f"{depth}{line}" for line in body]
