"""What two runs of the same code have in common: the same operations, on numbers that have the same names."""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayBuilder

__all__ = ["Pair", "common_parts"]

# a node of one run, and that of the other which stands for it
Pair = tuple[int, int]


def common_parts(build: ArrayBuilder, roots: Iterable[Pair], known: Container[Pair]) -> list[Pair]:
    """List what is known of two runs, where they use it.

    Raises
    ------
    UnsupportedFunction
        They compute otherwise, or with numbers that are not known.
    """
    found: dict[Pair, None] = {}
    seen: set[Pair] = set()
    stack = list(roots)
    while stack:
        pair = stack.pop()
        if pair in seen:
            continue
        seen.add(pair)
        if pair in known:
            found[pair] = None
            continue
        one, two = (build.nodes[k] for k in pair)
        if one is two:
            # what does not depend on the variables is the same in every run
            stack += [(k, k) for k in one.operands if build.moving[pair[0]]]
            continue
        same = one.operation == two.operation and len(one.operands) == len(two.operands)
        if not same or not one.operands or not np.array_equal(one.payload, two.payload):
            raise UnsupportedFunction("the runs of a loop differ in what they compute")
        stack += zip(one.operands, two.operands, strict=True)
    return list(found)
