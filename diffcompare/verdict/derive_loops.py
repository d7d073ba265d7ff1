"""The gradient of a function with loops, as code with loops: forward through each, and backwards.

What a run of a loop hands on to the next is kept on a tape, and the derivatives go through the runs in reverse; a loop
that only adds up needs no tape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.expression import Expression, operands_first
from diffcompare.program.numpy_source import WIDTH, NumpyLines
from diffcompare.program.shared_parts import distributed, weights_of
from diffcompare.tracing.loop_names import assigned_names, loaded_names
from diffcompare.tracing.loops import syntax_of, text_of
from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.code_names import CodeNames
from diffcompare.verdict.gradient_code import Traced, returned, taken_names, texts_for, whole_function
from diffcompare.verdict.loop_slopes import LoopSlopes, Reader, function_slopes, grad_name
from diffcompare.verdict.loop_statements import (
    assignments,
    backwards,
    headed,
    names_of_loop,
    setting,
    setting_in_loop,
    uses,
)

__all__ = ["with_loops"]

# fewer runs are written one after the other
_RUNS = 3
# stands between what a run computes and what it hands on
_UPDATES = "#"


def with_loops(traced: Traced, structure: Structure, names: CodeNames, name: str) -> str:
    """Write the gradient of a function with loops.

    Raises
    ------
    UnsupportedFunction
        It has none, or one whose runs are not alike.
    """
    loops = [one for one in traced.loops if len(one.runs) >= _RUNS and not any(loop.orelse for loop in one.nest)]
    source = syntax_of(names.function)
    if not loops or source is None:
        raise UnsupportedFunction("there is no loop")
    reader = Reader(traced, structure, names)
    found, roots = function_slopes(reader, loops)
    return _Writer(reader, source, found, roots, name).function(structure)


class _Writer:
    """Writes the statements of one gradient."""

    def __init__(
        self, reader: Reader, source: ast.FunctionDef, loops: Sequence[LoopSlopes], roots: Sequence[Expression],
        name: str,
    ) -> None:  # fmt: skip
        self._reader, self._source, self._loops, self._roots, self._name = reader, source, loops, roots, name
        self._needed = self._values_needed()
        self._before = self._known_before()
        self._texts = texts_for(reader.names, reader.symbols)
        held = {symbol.payload for symbol in (*self._needed, *(symbol for one in loops for symbol in one.new))}
        held |= {part.base for part in reader.loop_names.values()} | set(self._before.values())
        texts = [ast.parse(part.text, mode="eval") for part in reader.loop_names.values()]
        moving = {text for text, node in reader.traced.local.items() if reader.traced.build.moving[node]}
        self._own = own = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        counters = {counter for one in loops for counter in one.names.counters.values()}
        self._taken = taken_names(reader.names, name) | (own - (moving - held)) | loaded_names(texts) | counters
        self._taken |= {grad_name(text) for text in held}

    def function(self, structure: Structure) -> str:
        """Return the whole."""
        forward: list[list[str]] = []
        backward: list[list[str]] = []
        for k in reversed(range(len(self._loops))):
            tape = f"tape{k + 1 if k else ''}"
            while tape in self._taken or tape in self._own:
                tape += "_"
            ahead, back = self._loop(self._loops[k], tape)
            forward.insert(0, ahead)
            backward += [self._begun(self._loops[k].begun), back]
        last = NumpyLines(self._texts, self._reader.wanted, (), self._taken, self._before).lines(
            self._roots, lambda texts: returned(structure, texts)
        )
        tail = [line for lines in (*backward, last) for line in lines]
        lines = [*self._verbatim(forward, tail), *tail]
        return whole_function(self._reader.names, structure, self._name, lines, special=self._texts.special)

    def _values_needed(self) -> set[Expression]:
        """Return the variables whose values the derivatives need."""
        found: set[Expression] = set()
        left = [e for one in self._loops for own in (one.carried, one.added, one.begun) for e in own.values()]
        left += self._roots
        while left:
            new = {one for one in operands_first(left) if one.operation in ("name", "item")} - found
            found |= new
            left = [one.new[symbol] for one in self._loops for symbol in one.new if symbol in new]
        return found

    def _known_before(self) -> dict[Expression, str]:
        """Return the names that the function gave to expressions of the point before its first loop."""
        inner = assigned_names(one.loop.nest[0] for one in self._loops)
        found: dict[Expression, str] = {}
        for text, node in self._loops[0].loop.outside.nodes.items():
            own = self._reader.at(node, None)
            if text not in inner and own not in self._reader.pieces and own.number is None:
                found.setdefault(own, text)
        return found

    # --- one loop

    def _loop(self, one: LoopSlopes, tape: str) -> tuple[list[str], list[str]]:
        """Write the forward loop, which may be none, and the backward loop."""
        targets = self._targets(one)
        steps = [step for _, step, _ in targets] + [*one.carried.values()]
        states = [symbol for symbol in one.new if symbol in self._needed and symbol not in one.arrays]
        # an array that is filled has what a run computes
        parts = {one.new[array]: array.payload + one.names.written[array.payload] for array in one.arrays}
        made, updates, names = ([], [], parts) if parts else self._run(one, states, steps)

        def ended(texts: list[str]) -> list[str]:
            added = [f"{ahead}{text}{behind}" for (ahead, _, behind), text in zip(targets, texts, strict=False)]
            carried = [grad_name(symbol.payload) for symbol in one.carried]
            return added + assignments(dict(zip(carried, texts[len(targets) :], strict=True)))

        back = NumpyLines(self._texts, self._reader.wanted, (), self._taken, names).lines(steps, ended)
        constants, behind = setting_in_loop(one.loop, [*made, *updates, *back])
        if one.arrays:
            return self._filled(one, tape, [*constants, *back], behind)
        if not states:
            return [], headed(one.loop, one.names, [*constants, *back, *behind])
        inner = _needed(one, back)
        held = list(dict.fromkeys((*inner, *(name for name in names.values() if uses(back, name)))))
        if not held:
            return headed(one.loop, one.names, [*constants, *made, *updates, *behind]), headed(
                one.loop, one.names, back
            )
        run = [*constants, *made, _kept(tape, held), *updates, *behind]
        return [f"{tape} = []", *headed(one.loop, one.names, run)], _taken_from(tape, held, back)

    def _filled(
        self, one: LoopSlopes, tape: str, back: Sequence[str], behind: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """Write a loop that fills arrays: the code itself does so, and each part stays what it is."""
        if behind or one.names.counters or len(one.loop.nest) > 1 or one.loop.guards:
            raise UnsupportedFunction("a run of a loop sets a part of an array, and more")
        for node in ast.walk(one.loop.nest[0]):
            if isinstance(node, ast.Expr) or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)):
                # the gradient would do so, too
                raise UnsupportedFunction("a run of a loop changes more than variables of its own")
        whole = text_of(one.loop.nest[0], one.loop.source).split("\n")
        if not one.carried and not any(self._reader.loop_names[s].base in one.names.written for s in one.added):
            # no run needs another one
            return whole, headed(one.loop, one.names, back)
        # what does not depend on the point is computed anew
        anew = assigned_names(one.loop.body) - one.loop.runs[-1][1].nodes.keys()
        held = [name for name in _needed(one, back) if name not in anew and name not in one.names.written]
        if assigned_names([one.loop.nest[0].target]).issuperset(held):
            return whole, backwards(one.loop, back)
        place = one.loop.body[0].lineno - one.loop.nest[0].lineno
        margin = re.match(" *", whole[place])
        whole.insert(place, f"{margin[0] if margin else ''}{_kept(tape, held)}")
        return [f"{tape} = []", *whole], _taken_from(tape, held, back)

    def _run(
        self, one: LoopSlopes, states: Sequence[Expression], steps: Sequence[Expression]
    ) -> tuple[list[str], list[str], dict[Expression, str]]:
        """Write what a run computes, and what it hands on; returns also the names of what the way back needs again."""
        if not states:
            return [], [], {}
        new = [one.new[symbol] for symbol in states]
        wanted = self._reader.wanted | {one.new[symbol]: f"{symbol.payload}_new" for symbol in states}
        names = [symbol.payload for symbol in states]
        writer = NumpyLines(self._texts, wanted, (), self._taken)
        lines = writer.lines(
            new, lambda texts: [_UPDATES, *assignments(dict(zip(names, texts, strict=True)))], _shared(new, steps)
        )
        middle = lines.index(_UPDATES)
        return lines[:middle], lines[middle + 1 :], writer.names

    def _begun(self, begun: Mapping[str, Expression]) -> list[str]:
        """Write what the derivatives are before a backward loop."""
        numpy = self._reader.names.numpy
        numbers = [name for name, one in begun.items() if one.number == 0]
        arrays = {name: one.shape for name, one in begun.items() if _is_zero(one) and one.shape}
        rest = {name: distributed(one) for name, one in begun.items() if not _is_zero(one)}
        lines = [" = ".join([*numbers, "0.0"])] if numbers else []
        values = {name: f"{numpy}.zeros({self._texts.shape(shape)})" for name, shape in arrays.items()}
        whole = f"{', '.join(values)} = {', '.join(values.values())}"
        lines += [whole] * bool(values) if len(whole) <= WIDTH else [f"{n} = {v}" for n, v in values.items()]
        if not rest:
            return lines

        def ended(texts: list[str]) -> list[str]:
            found = []
            for (name, one), text in zip(rest.items(), texts, strict=True):
                # what is written to is no view of something else
                own = one.operation in ("product", "sum", "broadcast", "contract", "scatter") or not one.shape
                found += [f"{name} = {text}" if own else f"{name} = {numpy}.array({text}, dtype=float)"] * (
                    name != text
                )
            return found

        wanted = self._reader.wanted | {one: name for name, one in rest.items()}
        return lines + NumpyLines(self._texts, wanted, (), self._taken - rest.keys()).lines([*rest.values()], ended)

    def _targets(self, one: LoopSlopes) -> list[tuple[str, Expression, str]]:
        """List the statements that add to derivatives: what stands before the addend, it, and what stands behind."""
        found = []
        for symbol, step in one.added.items():
            name = self._reader.loop_names[symbol]
            target = grad_name(name.base)
            whole = distributed(step)
            parts = list(zip(whole.operands, whole.payload, strict=True)) if whole.operation == "sum" else []
            if name.repeats:
                found.append((f"{self._reader.names.numpy}.add.at({target}, {name.key[1:-1]}, ", step, ")"))
            elif not parts or any(part.operation != "scatter" for part, _ in parts):
                found.append(self._added(target + name.key, step))
            else:
                for part, coefficient in parts:
                    own = self._reader.write.scaled(part.operands[0], coefficient.above, coefficient.below)
                    found.append(self._added(f"{target}{name.key}[{self._texts.key(part.shape, part.payload)}]", own))
        return found

    def _added(self, target: str, step: Expression) -> tuple[str, Expression, str]:
        if self._reader.write.split(step)[0].above < 0:
            return f"{target} -= ", self._reader.write.scaled(step, -1), ""
        return f"{target} += ", step, ""

    def _verbatim(self, forward: Sequence[list[str]], tail: Sequence[str]) -> list[str]:
        """Put the user's statements in front of the loops and between them: those that set what is used."""
        lines = [*(line for part in forward for line in part), *tail]
        wanted = {name for name in assigned_names([self._source]) if uses(lines, name)}
        loops = {one.loop.nest[0].lineno: k for k, one in enumerate(self._loops)}
        parts: list[list[str]] = []
        for statement in reversed([one for one in self._source.body if one.lineno <= max(loops)]):
            if statement.lineno in loops:
                parts.append(forward[loops[statement.lineno]])
            elif assigned_names([statement]) & wanted:
                parts.append(setting(statement, wanted, self._loops[0].loop.source))
        return [line for part in reversed(parts) for line in part]


def _needed(one: LoopSlopes, back: Sequence[str]) -> list[str]:
    """List the names of a loop that the way back uses and does not set."""
    own = {match[1] for line in back if (match := re.match(r"(\w+) = ", line))}
    return [name for name in names_of_loop(one.loop, one.names) if name not in own and uses(back, name)]


def _kept(tape: str, held: Sequence[str]) -> str:
    """Write what keeps what a run is to be taken back with."""
    return f"{tape}.append({held[0]})" if len(held) == 1 else f"{tape}.append(({', '.join(held)}))"


def _taken_from(tape: str, held: Sequence[str], body: Sequence[str]) -> list[str]:
    """Put the loop over what was kept around a body, the last run first."""
    return [f"for {', '.join(held) or '_'} in reversed({tape}):", *(f"    {line}" for line in body)]


def _is_zero(one: Expression) -> bool:
    return one.number == 0 or (one.operation == "broadcast" and one.operands[0].number == 0)


def _shared(made: Sequence[Expression], steps: Sequence[Expression]) -> list[Expression]:
    """List what the forward loop computes and the backward loop needs again."""
    ahead, back = operands_first(made), operands_first(steps)
    weights = weights_of(ahead)
    own = {one for one in ahead if weights[one] >= 2}
    used = {operand for one in back if one not in own for operand in one.operands} | set(steps)
    return [one for one in ahead if one in own and one in used]
