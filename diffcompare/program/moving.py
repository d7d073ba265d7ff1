"""Which nodes of a program depend on a variable: all others are the same numbers wherever it moves."""

from __future__ import annotations

from diffcompare.program.dag import Program
from diffcompare.program.run import per_program

__all__ = ["moving_nodes"]


def moving_nodes(program: Program, variable: int) -> list[int]:
    """List the nodes that depend on a variable, in order, that of the variable first; none where it does not occur."""
    last = _last(program)
    if variable not in last:
        last.clear()
        last[variable] = _reached(program, variable)
    return last[variable]


def _reached(program: Program, variable: int) -> list[int]:
    uses, variables = _uses(program)
    if variable not in variables:
        return []
    seen, stack = {variables[variable]}, [variables[variable]]
    while stack:
        for index in uses[stack.pop()]:
            if index not in seen:
                seen.add(index)
                stack.append(index)
    return sorted(seen)


@per_program
def _uses(program: Program) -> tuple[list[list[int]], dict[int, int]]:
    """List where each node is used, and the nodes of the variables."""
    uses: list[list[int]] = [[] for _ in program.nodes]
    variables = {}
    for index, node in enumerate(program.nodes):
        if node.operation == "variable":
            variables[int(node.payload or 0)] = index
        for i in dict.fromkeys(node.operands):
            uses[i].append(index)
    return uses, variables


@per_program
def _last(program: Program) -> dict[int, list[int]]:  # noqa: ARG001 - one for each program
    # of one variable at a time: all of them could be as many as nodes times variables
    return {}
