"""Where the elements of arrays come from: what moves or sums them, and which are one and the same."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.program.arrays import ArrayBuilder, ArrayNode

__all__ = ["as_array", "element_numbers", "rearranged", "same_elements"]


def as_array(value: Any) -> Any:
    """Return an array, also where NumPy has returned what one of no dimension holds."""
    if isinstance(value, np.ndarray | np.generic):
        return np.asarray(value)
    result = np.empty((), dtype=object)
    result[()] = value
    return result


def rearranged(node: ArrayNode, values: Sequence[Any], zero: Any) -> Any:
    """Carry out an operation that moves or sums elements, in any arithmetic; None for any other operation."""
    match node.operation:
        case "reshape":
            return values[0].reshape(node.shape)
        case "transpose":
            return values[0].transpose(node.payload)
        case "broadcast":
            return np.broadcast_to(values[0], node.shape)
        case "take":
            return as_array(values[0].reshape(-1)[node.payload])
        case "join":
            return np.concatenate([v.reshape(-1) for v in values])
        case "choose":
            return np.where(node.payload, *values)
        case "total":
            return as_array(np.add.reduce(values[0], axis=node.payload)) if values[0].size else _zeros(node.shape, zero)
        case "cumulate":
            axis, backwards = node.payload
            moved = np.flip(values[0], axis) if backwards else values[0]
            found = np.add.accumulate(moved, axis=axis)
            return np.flip(found, axis) if backwards else found
        case "scatter":
            result = _zeros(node.shape, zero)
            np.add.at(result.reshape(-1), node.payload.reshape(-1), values[0].reshape(-1))
            return result
    return None


def _zeros(shape: tuple[int, ...], zero: Any) -> Any:
    return np.full(shape, zero, dtype=np.float64 if isinstance(zero, float) else object)


def element_numbers(build: ArrayBuilder, nodes: Sequence[int]) -> list[NDArray[np.intp]]:
    """Number the elements of nodes: those that are one and the same element of one node, moved, have one number."""
    found: dict[int, NDArray[np.intp]] = {}
    starts = np.cumsum([0, *(max(math.prod(node.shape), 1) for node in build.nodes[: max(nodes) + 1])])
    for index in _moved_from(build, nodes):
        node = build.nodes[index]
        if node.operation in _MOVES_ELEMENTS:
            found[index] = rearranged(node, [found[i] for i in node.operands], 0)
        else:
            found[index] = starts[index] + np.arange(math.prod(node.shape)).reshape(node.shape)
    return [found[node] for node in nodes]


def same_elements(build: ArrayBuilder, first: int, second: int) -> NDArray[np.bool_]:
    """Tell which elements of two nodes, broadcast, are one and the same element of one node."""
    one, two = element_numbers(build, (first, second))
    return np.asarray(one == two)


_MOVES_ELEMENTS = frozenset({"reshape", "transpose", "broadcast", "take", "join", "choose"})


def _moved_from(build: ArrayBuilder, roots: Iterable[int]) -> list[int]:
    """List the nodes whose elements are those of the roots, in order."""
    wanted, left = set(), list(roots)
    while left:
        index = left.pop()
        if index not in wanted:
            wanted.add(index)
            node = build.nodes[index]
            left += node.operands if node.operation in _MOVES_ELEMENTS else ()
    return sorted(wanted)
