"""Nodes of a program of arrays, read as expressions."""

# ruff: noqa: ARG001 - every rule takes the same arguments

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayBuilder, ArrayNode, Places, counts_up
from diffcompare.program.expression import MASKS, ONE, Expression, Key, factors_of
from diffcompare.program.expression_shapes import contract, cumulate, full, index, reshape, scatter, total, transpose
from diffcompare.program.expressions import Expressions
from diffcompare.program.operations import COMPARISONS, OPERATIONS

__all__ = ["Leaf", "applied", "pieces_of", "read_expressions", "solved", "unread"]

# what stands for a constant array, or a number with a name; None: it has none
Leaf = Callable[[ArrayNode], Expression | None]


def pieces_of(build: ArrayBuilder, write: Expressions, parts: Sequence[Expression]) -> dict[int, Expression]:
    """Return what stands for the nodes that take elements of the variables, which are those of the parts in turn."""
    found: dict[int, Expression] = {}
    starts = np.cumsum([0, *(math.prod(part.shape) for part in parts)])
    uses = [n for n, node in enumerate(build.nodes) if build.variables in node.operands]
    # the parts first, then what is taken from them
    for number in sorted(uses, key=lambda n: -math.prod(build.shape(n))):
        node = build.nodes[number]
        if node.operation not in ("take", "reshape"):
            continue
        places = node.payload if node.operation == "take" else np.arange(math.prod(node.shape)).reshape(node.shape)
        if not places.size:
            found[number] = full(write, write.number(0), node.shape)
            continue
        k = int(np.searchsorted(starts, places.min(), side="right")) - 1
        if places.max() >= starts[k + 1]:
            continue
        part, own = parts[k], places - starts[k]
        if own.size == math.prod(part.shape) and counts_up(own.reshape(-1)):
            found[number] = reshape(write, part, node.shape)
        else:
            found[number] = index(write, part, Key(own))
    if len(parts) == 1 and len(parts[0].shape) == 1:
        found[build.variables] = parts[0]
    return found


def read_expressions(
    build: ArrayBuilder, root: int, write: Expressions, pieces: Mapping[int, Expression], leaf: Leaf
) -> dict[int, Expression]:
    """Return the expressions of all nodes that a root needs; ``pieces`` are those of the variables, by their nodes.

    Raises
    ------
    UnsupportedFunction
        There is a node that is not written with the functions of NumPy and SciPy.
    """
    found: dict[int, Expression] = dict(pieces)
    for number in unread(build, root, found):
        node = build.nodes[number]
        if node.operation == "variable":
            continue
        if node.operation in ("constant", "named"):
            found[number] = _constant(write, node, leaf)
            continue
        if node.operation == "choose":
            mask = leaf(ArrayNode("mask", (), node.payload.shape, node.payload))
            found[number] = full(
                write, write.where(mask or _data(write, node), *(found[i] for i in node.operands)), node.shape
            )
            continue
        if any(i not in found for i in node.operands):
            raise UnsupportedFunction("the code uses the variables in an order that is not read")
        operands = [found[i] for i in node.operands]
        made = _RULES[node.operation](write, node, operands) if node.operation in _RULES else None
        if made is None:
            made = applied(write, node.operation, operands, node.payload)
        found[number] = full(write, made, node.shape)
    return found


def unread(build: ArrayBuilder, root: int, known: Container[int]) -> list[int]:
    """List the nodes that a root needs besides those that are known, in order."""
    found: set[int] = set()
    stack = [root]
    while stack:
        number = stack.pop()
        if number not in found and number not in known:
            found.add(number)
            stack += build.nodes[number].operands
    return sorted(found)


def _constant(write: Expressions, node: ArrayNode, leaf: Leaf) -> Expression:
    held = node.payload
    if node.operation == "named":
        return write.node("name", (), node.shape, held)
    if isinstance(held, np.ndarray) and held.ndim == 2 and np.array_equal(held, np.eye(len(held))):
        return write.node("eye", (), held.shape)
    if isinstance(held, np.ndarray):
        flat = held.reshape(-1)
        if flat.size and (flat == flat[0]).all() and math.isfinite(flat[0]):
            return full(write, write.number(Fraction(repr(float(flat[0])))), node.shape)
    named = leaf(node)
    if named is not None:
        return named
    if isinstance(held, Fraction):
        return write.number(held)
    if isinstance(held, np.ndarray):
        return _data(write, node)
    if not math.isfinite(held):
        raise UnsupportedFunction(f"the code computes with {float(held)}")
    if held in (math.pi, math.e):
        return write.node("pi" if held == math.pi else "e", (), ())
    # the decimal that the code has
    return write.number(Fraction(repr(float(held))))


def applied(write: Expressions, name: str, operands: Sequence[Expression], payload: Any = None) -> Expression:
    """Apply an operation of the table, or a function that is kept whole, element by element."""
    match name:
        case "add":
            return write.plus(*operands)
        case "subtract":
            return write.minus(*operands)
        case "multiply":
            return write.times(*operands)
        case "divide":
            return write.over(*operands)
        case "negative":
            return write.scaled(operands[0], -1)
        case "integer_power":
            return write.power(operands[0], Fraction(payload))
        case "sqrt":
            return (
                write.power(operands[0], Fraction(1, 2))
                if operands[0].number is None
                else write.function(name, *operands)
            )
        case "power":
            exponent = operands[1].number
            return write.function(name, *operands) if exponent is None else write.power(operands[0], exponent)
    if name in COMPARISONS:
        return write.compared(name, *operands)
    if name in OPERATIONS or name in MASKS or name in _WHOLE:
        return write.function(name, *operands, payload=payload)
    raise UnsupportedFunction(f"{name} is not written with functions of NumPy")


_WHOLE = {
    "maximum", "minimum", "logaddexp", "sign", "absolute", "clip", "expit", "log_expit", "xlogy", "logit", "ndtr",
    "floor", "ceil", "rint", "trunc", "floor_divide",
}  # fmt: skip
Rule = Callable[[Expressions, ArrayNode, list[Expression]], Expression]


def _total(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return total(write, operands[0], operands[0].shape, node.payload)


def _mean(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return total(write, operands[0], operands[0].shape, node.payload, mean=True)


def _determinant(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return write.node(node.operation, operands, (), None)


def _solve(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return solved(write, *operands)


def solved(write: Expressions, matrix: Expression, right: Expression, payload: Any = None) -> Expression:
    """Solve a system; numbers in front of the right side come out."""
    coefficient, inner = write.split(right)
    if coefficient != ONE and inner.number is None:
        return write.product([(solved(write, matrix, inner, payload), Fraction(1))], coefficient)
    if right.operation == "product":
        scalars = [(b, e) for b, e in factors_of(right) if not b.shape]
        if scalars:
            rest = [(b, e) for b, e in factors_of(right) if b.shape]
            return write.product([(solved(write, matrix, write.product(rest), payload), Fraction(1)), *scalars])
    if right.operation == "eye":
        return write.node("inv", (matrix,), right.shape, payload)
    if matrix.operation == "transpose" and right.operation == "solve":
        factor = matrix.operands[0]
        if factor.operation == "cholesky" and right.operands[0] is factor:
            # Lᵀ \ (L \ b) is K \ b
            return solved(write, factor.operands[0], right.operands[1], "symmetric")
    return write.node("solve", (matrix, right), right.shape, payload)


def _take(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    (whole,), places = operands, node.payload
    if whole.operation != "join":
        return index(write, whole, Key(places))
    bases = {_part(o)[0] for o in whole.operands}
    if len(bases) == 1:
        # all of one array
        joined = np.concatenate([_part(o)[1] for o in whole.operands])
        return index(write, bases.pop(), Key(joined[places]))
    # parts that are written into one array
    parts, start, flat = [], 0, places.reshape(-1)
    for part in whole.operands:
        count = math.prod(part.shape)
        own = np.flatnonzero((flat >= start) & (flat < start + count))
        if own.size and _repeated_number(part) != 0:
            taken = flat[own] - start
            if np.array_equal(taken, np.arange(count)):
                parts.append(scatter(write, part, Key(own.reshape(part.shape)), node.shape))
            else:
                parts.append(scatter(write, index(write, part, Key(taken)), Key(own), node.shape))
        start += count
    return write.plus(*parts)


def _part(one: Expression) -> tuple[Expression, Places]:
    """Return what an array takes its elements from, and their places there."""
    if one.operation == "reshape":
        return _part(one.operands[0])
    if one.operation == "index" and one.payload.text is None:
        return one.operands[0], one.payload.places.reshape(-1)
    return one, np.arange(math.prod(one.shape))


def _repeated_number(one: Expression) -> Fraction | None:
    return one.operands[0].number if one.operation == "broadcast" else one.number


def _where(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return write.where(*operands)


def _data(write: Expressions, node: ArrayNode) -> Expression:
    return write.node("data", (), node.payload.shape, node.payload, key=("data", id(node.payload)))


def _whole(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    if node.operation == "diff" and dict(node.payload).get("n", 1) != 1:
        raise UnsupportedFunction("np.diff of higher order is not read; difference twice")
    return write.node(node.operation, operands, node.shape, node.payload)


def _scattered(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return scatter(write, operands[0], Key(node.payload), node.shape)


def _diag(write: Expressions, node: ArrayNode, operands: list[Expression]) -> Expression:
    return write.node("diag" if len(node.shape) == 2 else "diagonal", operands, node.shape)


_RULES: dict[str, Rule] = {
    "reshape": lambda write, node, operands: reshape(write, operands[0], node.shape),
    "transpose": lambda write, node, operands: transpose(write, operands[0], node.payload),
    "broadcast": lambda write, node, operands: full(write, operands[0], node.shape),
    "take": _take, "scatter": _scattered, "total": _total, "mean": _mean, "where": _where, "solve": _solve,
    "contract": lambda write, node, operands: contract(write, node.payload, *operands),
    "cumulate": lambda write, node, operands: cumulate(write, operands[0], node.payload[0], backwards=node.payload[1]),
    "determinant": _determinant, "log_determinant": _determinant, "diag": _diag,
    **dict.fromkeys((
        "join", "convolve", "cholesky", "inv", "max", "min", "var", "std", "prod", "norm", "logsumexp",
        "softmax", "log_softmax", "tril", "triu", "roll", "flip", "diff", "concatenate",
    ), _whole),
}  # fmt: skip
