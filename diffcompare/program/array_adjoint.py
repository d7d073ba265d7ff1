"""Reverse mode on programs of arrays: the derivative of a number in all variables, as nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode, Shape, contracted, repeated_axes
from diffcompare.program.dag import Term
from diffcompare.program.operations import partial_terms

__all__ = ["array_gradient", "gradient_through", "sensitivities_of", "uses_of"]

# an operand, and what it contributes
Contribution = tuple[int, int]


def array_gradient(build: ArrayBuilder, output: int) -> int:
    """Add the derivative of a node of shape () in the variables; returns its node, a vector.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 3.2. M. Giles, An extended collection of matrix
    derivative results for forward and reverse mode AD, Oxford NA-08/01 (2008), for products, systems and determinants;
    I. Murray, Differentiation of the Cholesky decomposition, arXiv:1602.07527 (2016), equation 10.
    """
    return gradient_through(build, output, build.constant(1), build.shape(output))


def sensitivities_of(build: ArrayBuilder, output: int, wanted: Sequence[bool]) -> dict[int, int]:
    """Return the adjoints of all nodes that are wanted, of a shape that is broadcast to theirs."""
    return _swept(build, output, build.constant(1), wanted)


def uses_of(build: ArrayBuilder, index: int, bar: int) -> list[Contribution]:
    """Return what each moving operand of a node contributes, of a shape that is broadcast to the operand's."""
    return [(i, c) for i, c in _contributions(build, index, build.nodes[index], bar, build.moving) if build.moving[i]]


def gradient_through(build: ArrayBuilder, index: int, seed: int, shape: Shape) -> int:
    """Add the derivative of Σ seed·node in the variables, the seed held fixed and both repeated to a shape."""
    bars = _swept(build, index, _summed(build, seed, shape, build.shape(index)), build.moving)
    n = build.shape(build.variables)
    return full(build, bars[build.variables], n) if build.variables in bars else zeros(build, n)


def _swept(build: ArrayBuilder, output: int, seed: int, wanted: Sequence[bool]) -> dict[int, int]:
    bars = {output: seed}
    for index in range(output, -1, -1):
        bar, node = bars.get(index), build.nodes[index]
        if bar is None or not node.operands or not wanted[index]:
            continue
        for operand, contribution in _contributions(build, index, node, bar, wanted):
            if not wanted[operand] or build.value(contribution) == 0:
                continue
            held = bars.get(operand)
            bars[operand] = contribution if held is None else _added(build, held, contribution)
    return bars


def _contributions(
    build: ArrayBuilder, index: int, node: ArrayNode, bar: int, wanted: Sequence[bool]
) -> Iterable[Contribution]:
    if node.operation not in STRUCTURAL:
        return _elementwise(build, index, node, bar, wanted)
    return _RULES[node.operation](build, index, node, full(build, bar, node.shape))


def full(build: ArrayBuilder, index: int, shape: Shape) -> int:
    """Return a node repeated to a shape."""
    return build.broadcast(index, shape)


def zeros(build: ArrayBuilder, shape: Shape) -> int:
    """Return zeros of a shape."""
    return full(build, build.constant(0), shape)


def _elementwise(
    build: ArrayBuilder, index: int, node: ArrayNode, bar: int, wanted: Sequence[bool]
) -> Iterable[Contribution]:
    operands = [Term(build, i) for i in node.operands]  # type: ignore[arg-type]
    partials = partial_terms(node.operation, node.payload, Term(build, index), operands)  # type: ignore[arg-type]
    for operand, partial in zip(node.operands, partials, strict=True):
        if not wanted[operand]:
            continue
        yield operand, _summed(build, _product(build, bar, partial), node.shape, build.shape(operand))


def _product(build: ArrayBuilder, bar: int, partial: Term) -> int:
    """Multiply by a partial; beside data that are missing, what was not chosen adds 0 whatever its partial is.

    The product is chosen from, or put in its places, again.
    """
    if not build.missing:
        return (Term(build, bar) * partial).index  # type: ignore[arg-type]
    node, zero = build.nodes[bar], build.constant(0)
    if node.operation == "choose" and zero in node.operands:
        one, other = (i if i == zero else (Term(build, i) * partial).index for i in node.operands)  # type: ignore[arg-type]
        return build.choose(node.payload, one, other)
    if node.operation == "scatter" and build.shape(partial.index) in ((), node.shape):
        there = build.take(full(build, partial.index, node.shape), node.payload)
        return build.scatter(build.apply("multiply", node.operands[0], there), node.payload, node.shape)
    return (Term(build, bar) * partial).index  # type: ignore[arg-type]


def _added(build: ArrayBuilder, first: int, second: int) -> int:
    """Add two contributions; of two that are chosen alike the sums are."""
    if not build.missing:
        return build.apply("add", first, second)
    one, two, zero = build.nodes[first], build.nodes[second], build.constant(0)
    alike = one.operation == two.operation == "choose" and np.array_equal(one.payload, two.payload)
    if not alike or all(zero not in pair for pair in zip(one.operands, two.operands, strict=True)):
        return build.apply("add", first, second)
    sums = (build.apply("add", i, j) for i, j in zip(one.operands, two.operands, strict=True))
    return build.choose(one.payload, *sums)


def _summed(build: ArrayBuilder, index: int, shape: Shape, onto: Shape) -> int:
    """Sum what an operand was repeated for: from the shape of the result to that of the operand."""
    if shape == onto or build.value(index) == 0:
        return index
    index = full(build, index, shape)
    return build.reshape(build.total(index, repeated_axes(shape, onto)), onto)


def _reshape(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    (i,) = node.operands
    return [(i, build.reshape(bar, build.shape(i)))]


def _transpose(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    return [(node.operands[0], build.transpose(bar, np.argsort(node.payload).tolist()))]


def _broadcast(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    (i,) = node.operands
    return [(i, _summed(build, bar, node.shape, build.shape(i)))]


def _take(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    (i,) = node.operands
    return [(i, build.scatter(bar, node.payload, build.shape(i)))]


def _scatter(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    return [(node.operands[0], build.take(bar, node.payload))]


def _join(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    start = 0
    for i in node.operands:
        shape = build.shape(i)
        count = math.prod(shape)
        yield i, build.take(bar, np.arange(start, start + count).reshape(shape))
        start += count


def _choose(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    zero = build.constant(0)
    for i, one, other in ((node.operands[0], bar, zero), (node.operands[1], zero, bar)):
        yield i, _summed(build, build.choose(node.payload, one, other), node.shape, build.shape(i))


def _total(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    (i,) = node.operands
    shape = build.shape(i)
    kept = tuple(1 if a in node.payload else n for a, n in enumerate(shape))
    # what uses it repeats it; a number stays one, so that it is folded with others
    return [(i, build.reshape(bar, kept) if build.shape(bar) else bar)]


def _cumulate(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    axis, backwards = node.payload
    return [(node.operands[0], build.cumulate(bar, axis, backwards=not backwards))]


def _contract(build: ArrayBuilder, _: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    first, second, result = contracted(node.payload)[:3]
    one, two = node.operands
    yield one, build.contract(f"{result},{second}->{first}", bar, two)
    yield two, build.contract(f"{result},{first}->{second}", bar, one)


def _solve(build: ArrayBuilder, index: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    matrix, right = node.operands
    back = build.solve(build.transpose(matrix, (1, 0)), bar)
    yield right, back
    yield matrix, build.apply("negative", build.contract("ik,jk->ij", back, index))


def _cholesky(build: ArrayBuilder, index: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    n = node.shape[0]
    product = build.contract("ki,kj->ij", index, bar)
    lower = np.tri(n, k=-1) + 0.5 * np.eye(n)
    inner = build.apply("multiply", product, build.constant(lower))
    # L⁻ᵀ · Φ(Lᵀ·bar) · L⁻¹, and its symmetric part
    transposed = build.transpose(index, (1, 0))
    left = build.solve(transposed, inner)
    both = build.transpose(build.solve(transposed, build.transpose(left, (1, 0))), (1, 0))
    half = build.constant(0.5)
    yield node.operands[0], build.apply("multiply", half, build.apply("add", both, build.transpose(both, (1, 0))))


def _determinant(build: ArrayBuilder, index: int, node: ArrayNode, bar: int) -> Iterable[Contribution]:
    (matrix,) = node.operands
    n = build.shape(matrix)[0]
    inverse = build.solve(build.transpose(matrix, (1, 0)), build.constant(np.eye(n)))
    factor = bar if node.operation == "log_determinant" else build.apply("multiply", bar, index)
    return [(matrix, build.apply("multiply", factor, inverse))]


_RULES: dict[str, Callable[[ArrayBuilder, int, ArrayNode, int], Iterable[Contribution]]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "take": _take,
    "scatter": _scatter,
    "join": _join,
    "choose": _choose,
    "total": _total,
    "cumulate": _cumulate,
    "contract": _contract,
    "solve": _solve,
    "cholesky": _cholesky,
    "determinant": _determinant,
    "log_determinant": _determinant,
}
