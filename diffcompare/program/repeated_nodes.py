"""What runs of the same code have in common: the same operations, on numbers that have the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayBuilder

__all__ = ["Nodes", "common_parts"]

# what stands for each other in the runs: a node of each
Nodes = tuple[int, ...]
Known = TypeVar("Known")


def common_parts(
    build: ArrayBuilder, roots: Iterable[Nodes], known: Callable[[Nodes], tuple[Known, Nodes | None] | None]
) -> dict[int, Known]:
    """Return what is known of the nodes that the roots are made of, by those of the first run.

    ``known`` returns what stands for nodes, and which ones it is made of; None where they are read as they are.

    Raises
    ------
    UnsupportedFunction
        The runs compute otherwise, or with numbers that are not known.
    """
    found: dict[int, Known] = {}
    seen: set[Nodes] = set()
    stack = list(roots)
    while stack:
        nodes = stack.pop()
        if nodes in seen:
            continue
        seen.add(nodes)
        held = known(nodes)
        if held is not None:
            what, inner = held
            if found.setdefault(nodes[0], what) != what:
                raise UnsupportedFunction("two numbers of a loop are the same in one run")
            stack += [] if inner is None else [inner]
            continue
        first, *others = (build.nodes[k] for k in nodes)
        if all(one is first for one in others):
            # what does not depend on the variables is the same in every run
            stack += [(k,) * len(nodes) for k in first.operands if build.moving[nodes[0]]]
            continue
        alike = first.operands and all(
            one.operation == first.operation
            and len(one.operands) == len(first.operands)
            and np.array_equal(one.payload, first.payload)
            for one in others
        )
        if not alike:
            raise UnsupportedFunction("the runs of a loop differ in what they compute")
        stack += zip(*(build.nodes[k].operands for k in nodes), strict=True)
    return found
