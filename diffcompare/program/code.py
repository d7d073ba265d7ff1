"""A program written as the source of one straight-line Python function. Nothing is run here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import OPERATIONS

__all__ = ["operation_source", "straight_line"]


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
    names = [
        f"v{node.payload}" if node.operation == "variable" else f"t{index}" for index, node in enumerate(program.nodes)
    ]
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
    """Write one operation as NumPy-like Python."""
    return OPERATIONS[node.operation].source.format(*operands, n=node.payload)
