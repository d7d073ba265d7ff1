"""A program written as the source of one straight-line Python function. Nothing is run here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from diffcompare.program.dag import Node, Program, gated_operand
from diffcompare.program.operations import INFIX, OPERATIONS

__all__ = ["constant_nodes", "functions_used", "operation_source", "straight_line", "switch_sources", "temporary"]


def straight_line(
    program: Program,
    spell: Callable[[int, Node, Sequence[str]], str],
    *,
    extras: Sequence[str] = (),
    release: bool = False,
) -> str:
    """Write ``run(v0, v1, …)``, which returns a tuple: the outputs, then the extra expressions.

    Parameters
    ----------
    program : Program
    spell : callable
        ``spell(index, node, operands)`` returns the expression for a node that is not a variable, ``operands``
        being the names of its operands.
    extras : sequence of str
        Further expressions to return; ``t3`` names the value of node 3.
    release : bool
        Delete each temporary after its last use, which keeps large arrays in the cache.
    """
    names = [temporary(program, index) for index in range(len(program.nodes))]
    last = {i: index for index, node in enumerate(program.nodes) for i in node.operands}
    kept = set(program.outputs)
    lines = [f"def run({', '.join(f'v{i}' for i in range(len(program.variables)))}):"]
    for index, node in enumerate(program.nodes):
        if node.operation == "variable":
            continue
        lines.append(f" {names[index]} = {spell(index, node, [names[i] for i in node.operands])}")
        if release:
            done = {i for i in node.operands if last[i] == index and i not in kept}
            dead = sorted(names[i] for i in done if program.nodes[i].operation != "variable")
            if dead:
                lines.append(f" del {', '.join(dead)}")
    results = [names[i] for i in program.outputs] + list(extras)
    lines.append(f" return ({', '.join(results)},)")
    return "\n".join(lines) + "\n"


def operation_source(node: Node, operands: Sequence[str]) -> str:
    """Write one operation as Python: ``t1 + t2``, ``sin_(t3)``, ``integer_power_(t1, 3)``.

    The functions are called by the operation's name and an underscore, which no keyword and no variable has.
    """
    infix = INFIX.get(node.operation)
    if infix:
        return infix.format(*operands)
    payload = [] if node.payload is None else [repr(node.payload)]
    return f"{node.operation}_({', '.join([*operands, *payload])})"


def functions_used(program: Program) -> list[str]:
    """List the operations that the source of a program calls by name."""
    names = dict.fromkeys(node.operation for node in program.nodes)
    return [name for name in names if name not in INFIX and name not in ("constant", "variable")]


def constant_nodes(program: Program) -> set[int]:
    """Return the nodes that depend on no variable."""
    still: set[int] = set()
    for index, node in enumerate(program.nodes):
        if node.operation != "variable" and all(i in still for i in node.operands):
            still.add(index)
    return still


def switch_sources(program: Program, output: int) -> list[str]:
    """Write the switch quantities of all operations that an output needs (see ``Operation.switch``).

    ``gate_(a, product)`` stands for that of a gate (see :func:`gated_operand`): a, unless the product is finite.
    """
    needed = {output}
    sources: dict[str, None] = {}
    gates: dict[int, bool] = {}
    for index in range(output, -1, -1):
        if index in needed:
            node = program.nodes[index]
            needed.update(node.operands)
            gated = gated_operand(program.nodes, node)
            if gated is not None:
                # where the product is finite, it is no matter which way the choice goes
                sources[f"gate_({temporary(program, gated)}, {temporary(program, node.operands[1])})"] = None
            for i in node.operands:
                gates[i] = gates.get(i, True) and gated is not None and i == node.operands[0]
            switch = OPERATIONS[node.operation].switch
            if switch and not gates.get(index, False):
                names = [temporary(program, i) for i in node.operands]
                sources[re.sub(r"(\w+)\(", r"\1_(", switch).format(*names)] = None
    return list(sources)


def temporary(program: Program, index: int) -> str:
    """Return the name that the generated source gives to a node."""
    node = program.nodes[index]
    return f"v{node.payload}" if node.operation == "variable" else f"t{index}"
