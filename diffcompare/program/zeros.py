"""What is 0 at every point, as the distance of a point from itself is: told from how it is computed."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.program.arrays import ArrayBuilder, ArrayNode, contracted
from diffcompare.program.dag import Node
from diffcompare.program.elements import rearranged, same_elements

__all__ = ["VANISHING", "is_always_zero", "zero_elements"]

Zeros = NDArray[np.bool_]

# operations of one number that give 0 for 0
VANISHING = frozenset({
    "negative", "integer_power", "sqrt", "cbrt", "abs", "expm1", "log1p", "sin", "tan", "asin", "atan", "sinh", "tanh",
    "asinh", "atanh", "erf", "erfi", "erfinv", "Si", "fresnels", "fresnelc", "lambertw",
})  # fmt: skip


def is_always_zero(nodes: Sequence[Node], root: int, known: dict[int, bool]) -> bool:
    """Tell whether a node is 0 wherever it is defined; False where that is not seen.

    ``known``: what was found before, and what is found now.
    """
    for index in _unknown(nodes, root, known):
        node = nodes[index]
        if node.operation == "constant":
            known[index] = not node.payload
        elif node.operation == "subtract" and len({*node.operands}) == 1:
            known[index] = True
        else:
            known[index] = bool(_of_numbers(node.operation, node.payload, [known[i] for i in node.operands]))
    return known[root]


def zero_elements(build: ArrayBuilder, root: int, known: dict[int, Zeros]) -> Zeros:
    """Tell which elements of a node are 0 wherever they are defined; False where that is not seen.

    ``known``: what was found before, and what is found now.
    """
    for index in _unknown(build.nodes, root, known):
        node = build.nodes[index]
        found = _of_arrays(node, [known[i] for i in node.operands])
        if node.operation == "subtract":
            found = found | same_elements(build, *node.operands)
        known[index] = np.broadcast_to(found, node.shape)
    return known[root]


def _unknown(nodes: Sequence[Node] | Sequence[ArrayNode], root: int, known: Container[int]) -> list[int]:
    """List what a node needs and is not known, in order."""
    wanted, left = set[int](), [root]
    while left:
        index = left.pop()
        if index not in known and index not in wanted:
            wanted.add(index)
            left += nodes[index].operands
    return sorted(wanted)


def _of_numbers(operation: str, payload: Any, zeros: Sequence[Any]) -> Any:
    match operation:
        case "multiply":
            return zeros[0] | zeros[1]
        case "add" | "subtract":
            return zeros[0] & zeros[1]
        case "sum":
            return all(zeros)
        case "dot":
            half = len(zeros) // 2
            return all(a or b for a, b in zip(zeros[:half], zeros[half:], strict=True))
        case "divide":
            return zeros[0]
        case "integer_power" if payload <= 0:
            return zeros[0] & False
    return zeros[0] if operation in VANISHING else np.bool_(False)


def _of_arrays(node: ArrayNode, zeros: Sequence[Zeros]) -> Any:
    if node.operation == "constant":
        return np.asarray(np.asarray(node.payload) == 0)
    others = [1.0 - zero for zero in zeros]
    if node.operation == "contract":
        first, second, result, *_ = contracted(node.payload)
        return np.einsum(f"{first},{second}->{result}", *others) == 0
    # of what is summed no element counts
    counted = rearranged(node, others, 0.0)
    return _of_numbers(node.operation, node.payload, zeros) if counted is None else counted == 0
