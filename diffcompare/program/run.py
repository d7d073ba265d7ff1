"""Programs run: one loop over the nodes, one place where source becomes a function, one cache per program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Protocol, TypeVar, TypeVarTuple
from weakref import ref

from diffcompare.program.code import functions_used, straight_line
from diffcompare.program.dag import Node, Program
from diffcompare.watchdog import on_time

__all__ = ["compiled", "interpret", "interpret_nodes", "interpret_on_demand", "payload_of", "per_program"]

# after so many nodes, a power of 2 less 1, it is asked whether there is time left
_ASKED = 511

Value = TypeVar("Value")
Result = TypeVar("Result")
Further = TypeVarTuple("Further")
Spell = Callable[[int, Node, Sequence[str]], str]


class HasProgram(Protocol):
    """What is made around a program, such as a function with a name."""

    @property
    def program(self) -> Program:
        """The program."""


Subject = TypeVar("Subject", bound=Program | HasProgram)


def interpret(program: Program, leaf: Callable[[Node], Value], apply: Callable[..., Value]) -> list[Value]:
    """Return the values of all nodes, in order: ``leaf(node)`` if it has no operands, or ``apply(node, *values)``.

    >>> from diffcompare.program.dag import Builder
    >>> build = Builder(("x",))
    >>> program = build.program([build.apply("exp", build.variable(0))])
    >>> interpret(program, lambda node: "x", lambda node, operand: f"{node.operation} {operand}")
    ['x', 'exp x']
    """
    return list(interpret_nodes(program.nodes, range(len(program.nodes)), leaf, apply).values())


def interpret_nodes(
    nodes: Sequence[Node], indices: Iterable[int], leaf: Callable[[Node], Value], apply: Callable[..., Value]
) -> dict[int, Value]:
    """Return the values of some nodes by their indices, which come in order and with those of all their operands."""
    values: dict[int, Value] = {}
    for index in indices:
        if not index & _ASKED:
            on_time()
        node = nodes[index]
        values[index] = apply(node, *[values[i] for i in node.operands]) if node.operands else leaf(node)
    return values


def interpret_on_demand(
    program: Program,
    leaf: Callable[[Node], Value],
    apply: Callable[..., Value],
    decide: Callable[[Value], bool | None],
) -> list[Value]:
    """Return the values of the outputs; a branch that is not taken, and may be undefined, is never looked at.

    ``decide`` says which way the condition of a choice goes; a condition of which it cannot stands for the choice.
    """
    values: dict[int, Value] = {}

    def demanded(node: Node) -> Sequence[int]:
        if node.operation != "select":
            return node.operands
        condition, first, second = node.operands
        way = decide(values[condition]) if condition in values else None
        return (condition if way is None else first if way else second,)

    stack = list(reversed(program.outputs))
    while stack:
        index, node = stack[-1], program.nodes[stack[-1]]
        operands = demanded(node)
        missing = [i for i in operands if i not in values]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        if node.operation == "select":
            values[index] = values[operands[0]]
        elif index not in values:
            values[index] = apply(node, *[values[i] for i in operands]) if operands else leaf(node)
    return [values[i] for i in program.outputs]


def payload_of(node: Node) -> list[int]:
    """Return what an operation takes behind its operands: the exponent of an integer power, an order, or nothing."""
    return [] if node.payload is None else [int(node.payload)]


def compiled(
    program: Program,
    functions: Callable[[str], Any],
    spell: Spell,
    scope: dict[str, Any],
    *,
    extras: Sequence[str] = (),
    release: bool = False,
) -> Callable[..., Any]:
    """Turn the straight line of a program (see :func:`~diffcompare.program.code.straight_line`) into a function.

    ``functions`` gives what stands behind the name of an operation, unless the scope holds it already (``sin_``); the
    scope holds all other names that ``spell`` and ``extras`` write.
    """
    source = straight_line(program, spell, extras=extras, release=release)
    for name in functions_used(program):
        if f"{name}_" not in scope:
            scope[f"{name}_"] = functions(name)
    exec(compile(source, "<program>", "exec"), scope)  # noqa: S102 - our own source
    run: Callable[..., Any] = scope["run"]
    return run


def per_program(function: Callable[[Subject, *Further], Result]) -> Callable[[Subject, *Further], Result]:
    """Keep what a function returns of a program, for its further (hashable) arguments, as long as the program lives.

    What is asked about may also be an object around a program. The result must not hold the program itself.
    """
    known: dict[ref[Program], dict[tuple[Any, ...], Result]] = {}

    @wraps(function)
    def kept(subject: Subject, *further: *Further) -> Result:
        program = subject if isinstance(subject, Program) else subject.program
        try:
            return known[ref(program)][further]
        except KeyError:
            pass
        result = function(subject, *further)
        results = known.get(ref(program))
        if results is None:
            results = known[ref(program, known.pop)] = {}
        return results.setdefault(further, result)

    return kept
