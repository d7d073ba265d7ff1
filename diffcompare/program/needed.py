"""Which nodes of a list are needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diffcompare.program.dag import Node

__all__ = ["needed_nodes"]


def needed_nodes(nodes: Sequence[Node], roots: Iterable[int]) -> list[int]:
    """List the nodes that the roots need, in order."""
    wanted = bytearray(len(nodes))
    highest = -1
    for root in roots:
        wanted[root] = 1
        highest = max(highest, root)
    for index in range(highest, -1, -1):
        if wanted[index]:
            for i in nodes[index].operands:
                wanted[i] = 1
    return [index for index in range(highest + 1) if wanted[index]]
