"""Chains of additions and subtractions as one sum each: the same function where the order of adding does not matter."""

from __future__ import annotations

from collections import Counter

from diffcompare.program.dag import Builder, Program
from diffcompare.program.run import per_program

__all__ = ["with_sums"]

# the terms of the shortest chain that is a sum
_FEWEST = 9


@per_program
def with_sums(program: Program) -> Program:
    """Write what adds many terms one after the other as one sum.

    In exact arithmetic and in enclosures it is the same function; floats are added in another order. What depends on
    one term is one node then, where all that are added after it were.
    """
    nodes = program.nodes
    uses = Counter(i for node in nodes for i in node.operands)
    uses.update(program.outputs)
    adds = {index for index, node in enumerate(nodes) if node.operation in ("add", "subtract")}
    inner = {i for index in adds for i in nodes[index].operands if i in adds and uses[i] == 1}
    build, new = Builder(program.variables), dict[int, int]()
    for index, node in enumerate(nodes):
        terms = _terms(program, index, inner) if index in adds and index not in inner else []
        if len(terms) < _FEWEST:
            new[index] = build.copy(node, *(new[i] for i in node.operands))
        else:
            operands = [build.raw("negative", new[i]) if negated else new[i] for i, negated in terms]
            new[index] = build.raw("sum", *operands)
    return build.program(new[i] for i in program.outputs)


def _terms(program: Program, root: int, inner: set[int]) -> list[tuple[int, bool]]:
    """List the terms of a node that adds, from left to right, and whether they are subtracted."""
    found, stack = [], [(root, False)]
    while stack:
        index, negated = stack.pop()
        if index != root and index not in inner:
            found.append((index, negated))
            continue
        node = program.nodes[index]
        left, right = node.operands
        stack += [(right, negated != (node.operation == "subtract")), (left, negated)]
    return found
