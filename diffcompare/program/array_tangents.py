"""Forward mode on programs of arrays: the derivatives of all elements in all variables at once, as nodes.

A tangent has an axis of the variables before those of its node. Where more numbers are returned than there are
variables this takes a sweep for each variable, and its few nodes are large.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import TraceError
from diffcompare.program.array_adjoint import zeros
from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode, Shape, contracted
from diffcompare.program.dag import Term
from diffcompare.program.operations import partial_terms

__all__ = ["array_tangents"]

# of the variables
_AXIS = "Z"


def array_tangents(build: ArrayBuilder, output: int) -> int:
    """Add the derivatives of a node in the variables; returns their node, of shape variables × that of the node.

    Raises
    ------
    TraceError
        The node is made by a factorisation of a matrix.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.1.
    """
    n = build.shape(build.variables)[0]
    tangents = {build.variables: build.constant(np.eye(n))}
    for index in build.needed([output]):
        node = build.nodes[index]
        if not node.operands or not build.moving[index]:
            continue
        if node.operation not in STRUCTURAL:
            tangents[index] = _elementwise(build, index, node, tangents, n)
        elif node.operation in _RULES:
            tangents[index] = _RULES[node.operation](build, node, tangents, n)
        else:
            raise TraceError(f"the Jacobian of {node.operation} is found row by row")
    return _whole(build, output, tangents, n, build.shape(output))


def _raised(build: ArrayBuilder, tangent: int, rank: int) -> int:
    """Put axes of length 1 behind that of the variables, so that a tangent is broadcast as its node is."""
    n, *shape = build.shape(tangent)
    return build.reshape(tangent, (n, *[1] * (rank - len(shape)), *shape))


def _whole(build: ArrayBuilder, index: int, tangents: dict[int, int], n: int, shape: Shape) -> int:
    """Return the tangent of an operand, broadcast; zeros of one that does not move."""
    if index not in tangents:
        return zeros(build, (n, *shape))
    return build.broadcast(_raised(build, tangents[index], len(shape)), (n, *shape))


def _elementwise(build: ArrayBuilder, index: int, node: ArrayNode, tangents: dict[int, int], n: int) -> int:
    operands = [Term(build, i) for i in node.operands]  # type: ignore[arg-type]
    partials = partial_terms(node.operation, node.payload, Term(build, index), operands)  # type: ignore[arg-type]
    total: int | None = None
    for operand, partial in zip(node.operands, partials, strict=True):
        if operand not in tangents:
            continue
        part = (Term(build, _raised(build, tangents[operand], len(node.shape))) * partial).index  # type: ignore[arg-type]
        if build.value(part) != 0:
            total = part if total is None else build.apply("add", total, part)
    return zeros(build, (n, *node.shape)) if total is None else build.broadcast(total, (n, *node.shape))


def _places(n: int, size: int, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return places in each of n arrays of a size that follow one another."""
    return np.asarray(np.arange(n).reshape(n, *[1] * places.ndim) * size + places)


def _take(build: ArrayBuilder, node: ArrayNode, tangents: dict[int, int], n: int) -> int:
    (i,) = node.operands
    return build.take(tangents[i], _places(n, math.prod(build.shape(i)), node.payload))


def _scatter(build: ArrayBuilder, node: ArrayNode, tangents: dict[int, int], n: int) -> int:
    places = _places(n, math.prod(node.shape), node.payload)
    return build.scatter(tangents[node.operands[0]], places, (n, *node.shape))


def _join(build: ArrayBuilder, node: ArrayNode, tangents: dict[int, int], n: int) -> int:
    parts, places, start = [], [], 0
    for i in node.operands:
        size = math.prod(build.shape(i))
        parts.append(_whole(build, i, tangents, n, build.shape(i)))
        places.append(n * start + _places(n, size, np.arange(size)))
        start += size
    return build.take(build.join(parts), np.concatenate(places, axis=1))


def _choose(build: ArrayBuilder, node: ArrayNode, tangents: dict[int, int], n: int) -> int:
    mask = np.broadcast_to(node.payload, (n, *node.shape))
    return build.choose(mask, *(_whole(build, i, tangents, n, node.shape) for i in node.operands))


def _contract(build: ArrayBuilder, node: ArrayNode, tangents: dict[int, int], _: int) -> int:
    first, second, result = contracted(node.payload)[:3]
    one, two = node.operands
    parts = []
    if one in tangents:
        parts.append(build.contract(f"{_AXIS}{first},{second}->{_AXIS}{result}", tangents[one], two))
    if two in tangents:
        parts.append(build.contract(f"{_AXIS}{second},{first}->{_AXIS}{result}", tangents[two], one))
    return parts[0] if len(parts) == 1 else build.apply("add", *parts)


_RULES: dict[str, Callable[[ArrayBuilder, ArrayNode, dict[int, int], int], int]] = {
    "reshape": lambda build, node, tangents, n: build.reshape(tangents[node.operands[0]], (n, *node.shape)),
    "transpose": lambda build, node, tangents, _: build.transpose(
        tangents[node.operands[0]], [0, *(a + 1 for a in node.payload)]
    ),
    "broadcast": lambda build, node, tangents, n: _whole(build, node.operands[0], tangents, n, node.shape),
    "take": _take,
    "scatter": _scatter,
    "join": _join,
    "choose": _choose,
    "total": lambda build, node, tangents, _: build.total(tangents[node.operands[0]], [a + 1 for a in node.payload]),
    "cumulate": lambda build, node, tangents, _: build.cumulate(
        tangents[node.operands[0]], node.payload[0] + 1, backwards=node.payload[1]
    ),
    "contract": _contract,
}
