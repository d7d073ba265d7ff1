"""Programs of arrays in floats: values, how far rounding may carry them, how rounded constants move them.

All to first order: estimates which say whether a trace is what ran, and what a difference may come from.
"""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.first_order import local_partials, numpy_partials, own_ulps
from diffcompare.arithmetic.floating import implementation
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.arrays import ArrayBuilder, ArrayNode, contracted, interpret_arrays
from diffcompare.program.dag import Node
from diffcompare.program.elements import rearranged
from diffcompare.program.operations import OPERATIONS

__all__ = [
    "Moved",
    "array_floats",
    "erring_floats",
    "floats_from",
    "is_rounded",
    "moved_floats",
    "strayed_floats",
    "tangent_floats",
]

_TINY = 2.0**-1074
# how often the signs of the roundings of constants are drawn
_DRAWS = 2


@dataclass(frozen=True, slots=True)
class Moved:
    """A value in floats.

    Parameters
    ----------
    value : ndarray of float64
    moves : tuple of ndarray
        What the roundings of constants make of it, to first order, with signs drawn at random; nothing where all are 0.
    error : ndarray of float64
        A bound on its rounding error, to first order.
    """

    value: Floats
    moves: tuple[Floats, ...]
    error: Floats


def array_floats(build: ArrayBuilder, roots: Sequence[int], point: Floats) -> list[Floats]:
    """Evaluate nodes in floats; nan where they are not defined."""

    def leaf(_: int, node: ArrayNode) -> Floats:
        return point if node.operation == "variable" else _leaf_value(node)

    with np.errstate(all="ignore"):
        order = build.needed(roots)
        values = interpret_arrays(build.nodes, order, roots, leaf, _value)
    return [np.asarray(values[root]) for root in roots]


def floats_from(
    build: ArrayBuilder, roots: Sequence[int], known: dict[int, Floats], *, keep: bool = False
) -> list[Floats]:
    """Evaluate nodes in floats from the values of others, the variables among them; ``keep``: all that is found is."""
    found: MutableMapping[int, Floats] = known if keep else ChainMap({}, known)
    waiting = list(roots)
    with np.errstate(all="ignore"):
        while waiting:
            index = waiting[-1]
            node = build.nodes[index]
            missing = [] if index in found else [i for i in node.operands if i not in found]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if index not in found:
                values = [found[i] for i in node.operands]
                found[index] = _value(node, *values) if values else _leaf_value(node)
    return [np.asarray(found[root]) for root in roots]


def moved_floats(build: ArrayBuilder, roots: Sequence[int], point: Floats, *, unit: float) -> list[Moved]:
    """Evaluate nodes in floats, with their rounding errors and what the rounding of constants makes of them.

    The signs of the roundings come from the digits of each constant: copies of a number, and what is made of it by
    powers of two, are rounded alike.

    Parameters
    ----------
    build : ArrayBuilder
    roots : sequence of int
    point : ndarray of float64, shape (n,)
    unit : float
        The unit roundoff of the floats that ran.
    """

    def leaf(_: int, node: ArrayNode) -> Moved:
        value = point if node.operation == "variable" else _leaf_value(node)
        # an exact number of a formula is not rounded
        rounded = node.numbers is not None
        return Moved(value, _roundings(value) if rounded else (), _leaf_error(node, value, unit))

    return _carried(build, roots, leaf, unit)


def erring_floats(build: ArrayBuilder, roots: Sequence[int], point: Floats) -> list[Moved]:
    """Evaluate nodes in floats, with their rounding errors alone."""

    def leaf(_: int, node: ArrayNode) -> Moved:
        value = point if node.operation == "variable" else _leaf_value(node)
        return Moved(value, (), _leaf_error(node, value, unit_roundoff))

    return _carried(build, roots, leaf, unit_roundoff)


def tangent_floats(
    build: ArrayBuilder, roots: Sequence[int], point: Floats, directions: tuple[Floats, Floats]
) -> list[Moved]:
    """Evaluate nodes in floats, with their slopes along two directions as ``moves``, and rounding errors of values."""

    def leaf(_: int, node: ArrayNode) -> Moved:
        if node.operation == "variable":
            return Moved(point, directions, np.zeros(()))
        value = _leaf_value(node)
        return Moved(value, (), unit_roundoff * np.abs(value))

    return _carried(build, roots, leaf, unit_roundoff)


def strayed_floats(build: ArrayBuilder, roots: Sequence[int], point: Floats, *, rounds: int = 2) -> list[Floats]:
    """Estimate how far rounding carries nodes, whatever the way of computing them; to first order.

    The coordinates, the constants and every result are moved by a rounding, with signs drawn at random, and every term
    of a sum by one of the sum, as it may have been recovered from it; what is summed is moved as often as the root of
    the number of terms. The largest of the draws counts. What cancels, cancels; and loops do not make it grow.

    References
    ----------
    J. Vignes, A stochastic arithmetic for reliable scientific computation, Mathematics and Computers in Simulation 35
    (1993): roundings drawn at random tell how many digits of a result are right.
    """
    order = build.needed(roots)
    recovered = _recovered(build, order, point)
    found = [np.zeros(build.shape(root)) for root in roots]
    for k in range(rounds):
        random = np.random.default_rng(k)

        def leaf(_: int, node: ArrayNode, random: np.random.Generator = random, k: int = k) -> Moved:
            if node.operation == "variable":
                moves = tuple(_drawn(random, unit_roundoff * np.abs(point)) for _ in range(_DRAWS))
                return Moved(point, moves, np.zeros(()))
            value = _leaf_value(node)
            rounded = node.numbers is not None
            return Moved(value, _roundings(value, _DRAWS * k) if rounded else (), np.zeros(()))

        def apply(node: ArrayNode, *operands: Moved, random: np.random.Generator = random) -> Moved:
            return _strayed(node, operands, recovered.get(id(node), 0.0), random)

        with np.errstate(all="ignore"):
            values = interpret_arrays(build.nodes, order, roots, leaf, apply)
            for i, root in enumerate(roots):
                for move in values[root].moves:
                    # nan stays: it is not known there
                    found[i] = np.asarray(np.maximum(found[i], np.abs(move)))
    return found


def _recovered(build: ArrayBuilder, order: Sequence[int], point: Floats) -> dict[int, Any]:
    """Return the rounding of the sums that a node is a term of, by the identity of the node."""
    nodes = build.nodes
    sums = [k for k in order if nodes[k].operation in ("add", "subtract") and build.moving[k]]
    rounding: dict[int, Any] = {}
    for k, value in zip(sums, array_floats(build, sums, point), strict=True):
        for i in nodes[k].operands:
            if nodes[i].operands and build.moving[i]:
                own = unit_roundoff * np.abs(value)
                own = own if nodes[i].shape == value.shape else np.asarray(np.max(own, initial=0.0))
                rounding[id(nodes[i])] = rounding.get(id(nodes[i]), 0.0) + own
    return rounding


def _drawn(random: np.random.Generator, size: Floats) -> Floats:
    return np.asarray(size * random.choice((-1.0, 1.0), np.shape(size)) * random.uniform(0.5, 1.0, np.shape(size)))


def _strayed(node: ArrayNode, operands: Sequence[Moved], recovered: Any, random: np.random.Generator) -> Moved:
    name = node.operation
    if name in _OF_MATRICES:
        operands = [_unsettled(operands[0], name == "cholesky", random), *operands[1:]]
    moved = _moved(node, operands, 0.0)
    own = np.broadcast_to(recovered + _own_stray(node, operands, moved.value), moved.value.shape)
    if not own.any():
        return moved
    moves = moved.moves or (np.zeros(()),) * _DRAWS
    return Moved(moved.value, tuple(m + _drawn(random, own) for m in moves), moved.error)


def _own_stray(node: ArrayNode, operands: Sequence[Moved], value: Floats) -> Any:
    name = node.operation
    if name == "contract":
        *_, summed, _ = contracted(node.payload)
        first = node.payload.partition(",")[0]
        terms = math.prod(n for c, n in zip(first, operands[0].value.shape, strict=True) if c in summed)
        return math.sqrt(terms) * unit_roundoff * _einsum(node.payload, *(np.abs(o.value) for o in operands))
    if name in ("total", "cumulate", "scatter"):
        size = np.asarray(rearranged(node, [np.abs(operands[0].value)], 0.0))
        return math.sqrt(_terms(node, operands[0].value, value)) * unit_roundoff * size
    if name in _MOVING:
        return 0.0
    return unit_roundoff * np.abs(value) * (1.0 if name in _OF_MATRICES else own_ulps(name)[0])


def _unsettled(matrix: Moved, symmetric: bool, random: np.random.Generator) -> Moved:
    """Move a matrix by what an elimination leaves of it: as if it were another one (Higham 2002, theorem 9.3)."""
    moves = []
    for move in matrix.moves or (np.zeros(()),) * _DRAWS:
        change = _drawn(random, math.sqrt(len(matrix.value)) * unit_roundoff * np.abs(matrix.value))
        moves.append(move + (np.tril(change) + np.tril(change, -1).T if symmetric else change))
    return Moved(matrix.value, tuple(moves), matrix.error)


def _carried(
    build: ArrayBuilder, roots: Sequence[int], leaf: Callable[[int, ArrayNode], Moved], unit: float
) -> list[Moved]:
    def apply(node: ArrayNode, *operands: Moved) -> Moved:
        return _moved(node, operands, unit)

    with np.errstate(all="ignore"):
        order = build.needed(roots)
        values = interpret_arrays(build.nodes, order, roots, leaf, apply)
    return [values[root] for root in roots]


def _leaf_error(node: ArrayNode, value: Floats, unit: float) -> Floats:
    # the variables are exact, but not where they are turned into shorter floats
    exact = node.operation in ("variable", "constant") and unit <= unit_roundoff
    return np.zeros(()) if exact else np.asarray(unit * np.abs(value))


def _leaf_value(node: ArrayNode) -> Floats:
    if node.operation == "constant":
        return np.asarray(float(node.payload)) if node.numbers is None else node.numbers
    return np.asarray(implementation(node.operation)())


def is_rounded(values: Floats) -> NDArray[np.bool_]:
    """Tell which floats have more than 24 significant bits: they may have been rounded when they were written."""
    mantissas = np.ldexp(np.frexp(np.where(np.isfinite(values), values, 0.0))[0], 24)
    return np.asarray(mantissas != np.rint(mantissas))


def _roundings(values: Floats, first: int = 0) -> tuple[Floats, ...]:
    """Return roundings of constants: each times ±u·[½, 1], by its digits."""
    rounded = is_rounded(values)
    if not rounded.any():
        return ()
    digits = np.ldexp(np.abs(np.frexp(np.where(rounded, values, 0.0))[0]), 53).astype(np.uint64)
    found = []
    for draw in range(first, first + _DRAWS):
        mixed = _mixed(digits + np.uint64(draw) * np.uint64(0x9E3779B97F4A7C15))
        weight = 0.5 + np.ldexp((mixed >> np.uint64(12)).astype(np.float64), -53)
        sign = np.where(mixed & np.uint64(1), 1.0, -1.0)
        found.append(np.where(rounded, values * sign * weight * unit_roundoff, 0.0))
    return tuple(found)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    # Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014): the finaliser of SplitMix64
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))


def _value(node: ArrayNode, *values: Floats) -> Floats:
    name = node.operation
    if name == "contract":
        return _einsum(node.payload, *values)
    if name in _OF_MATRICES:
        return _OF_MATRICES[name](*values)
    found = rearranged(node, values, 0.0)
    return np.asarray(_run(node, values) if found is None else found)


def _run(node: ArrayNode, values: Sequence[Floats]) -> Any:
    payload = [] if node.payload is None else [int(node.payload)]
    return implementation(node.operation)(*values, *payload)


def _einsum(subscripts: str, one: Floats, two: Floats) -> Floats:
    return np.asarray(np.einsum(subscripts, one, two, optimize=True))


def _on_matrix(function: Callable[..., Any]) -> Callable[..., Floats]:
    def guarded(*values: Floats) -> Floats:
        try:
            return np.asarray(function(*values))
        except np.linalg.LinAlgError:
            return np.full(values[-1].shape, math.nan)

    return guarded


_OF_MATRICES: dict[str, Callable[..., Floats]] = {
    "solve": _on_matrix(np.linalg.solve),
    "cholesky": _on_matrix(np.linalg.cholesky),
    "determinant": _on_matrix(np.linalg.det),
    "log_determinant": _on_matrix(lambda a: np.linalg.slogdet(a)[1]),
}


def _moved(node: ArrayNode, operands: Sequence[Moved], unit: float) -> Moved:
    values = [o.value for o in operands]
    value = _value(node, *values)
    rule = _MOVES.get(node.operation)
    if rule is not None:
        return rule(node, operands, value, unit)
    if node.operation in _MOVING:
        return _rearranged(node, operands, value, unit)
    slopes = [np.asarray(s, dtype=np.float64) for s in _slopes(node, value, values)]
    moves = _combined(slopes, operands, value.shape)
    error = _own_error(node, value, values, slopes, unit)
    for slope, operand in zip(slopes, operands, strict=True):
        # a number alone tells that nothing is off
        if operand.error.ndim or operand.error:
            error = error + _times(np.abs(slope), operand.error)
    if not np.isfinite(value).all():
        # what is infinite by an infinite number of the code is so exactly, as a distance is that nobody may choose
        given = np.logical_or.reduce(np.broadcast_arrays(*(np.isinf(o.value) & (o.error == 0) for o in operands)))
        error = np.where(np.isinf(value) & given, 0.0, error)
    return Moved(value, moves, np.asarray(error))


def _times(slope: Floats, change: Floats) -> Floats:
    # what does not move makes no difference, however steep the slope
    return np.where(change == 0, 0.0, slope * change) if not np.isfinite(slope).all() else slope * change


def _combined(slopes: Sequence[Floats], operands: Sequence[Moved], shape: tuple[int, ...]) -> tuple[Floats, ...]:
    if not any(o.moves for o in operands):
        return ()
    found = []
    for k in range(_DRAWS):
        change: Any = 0.0
        for slope, operand in zip(slopes, operands, strict=True):
            if operand.moves:
                change = change + _times(slope, operand.moves[k])
        found.append(np.broadcast_to(change, shape))
    return tuple(found)


def _own_error(node: ArrayNode, value: Floats, values: Sequence[Floats], slopes: Sequence[Floats], unit: float) -> Any:
    ulps, special = own_ulps(node.operation)
    if not ulps:
        return 0.0
    size = np.abs(value)
    if special:
        # a rounding or two of the argument, too: near a zero that is all there is
        carried = np.abs(values[-1] * slopes[-1])
        size = size + np.where(np.isfinite(carried), carried, 0.0)
    tiny: Any = _TINY
    if node.operation in ("multiply", "integer_power") and not all(v.all() for v in values):
        # a product with 0 is 0, and has not been lost below the smallest floats
        tiny = np.where(np.logical_or.reduce(np.broadcast_arrays(*(v == 0 for v in values))), 0.0, _TINY)
    return ulps * unit * size + tiny


def _slopes(node: ArrayNode, value: Floats, values: Sequence[Floats]) -> Sequence[Any]:
    if node.operation == "integer_power":
        n = int(node.payload)
        return (n * np.power(values[0], float(n - 1)),)
    if node.payload is None:
        run = numpy_partials(node.operation, len(values))
        if run is not None:
            # a parameter, as an order, has none: what its rounding does is found in balls
            count = OPERATIONS[node.operation].parameters
            slopes = [*np.zeros(count), *run(value, *[*values, 0.0, 0.0][:2])[count:]]
            if node.operation == "power":
                # 0**p is 0 for all p > 0
                slopes[1] = np.where((values[0] == 0) & (values[1] > 0), 0.0, slopes[1])
            return slopes
    # derivatives that NumPy and SciPy lack
    plain = Node(node.operation, tuple(range(len(values))), None if node.payload is None else int(node.payload))
    columns = [np.ravel(v).tolist() for v in np.broadcast_arrays(value, *values)]
    rows = [local_partials(plain, y, x) for y, *x in zip(*columns, strict=True)]
    return [np.array(column).reshape(value.shape) for column in zip(*rows, strict=True)]


_MOVING = ("reshape", "transpose", "broadcast", "take", "scatter", "join", "choose", "total", "cumulate")


def _rearranged(node: ArrayNode, operands: Sequence[Moved], value: Floats, unit: float) -> Moved:
    def carried(parts: Sequence[Floats]) -> Floats:
        spread = [np.broadcast_to(p, o.value.shape) for p, o in zip(parts, operands, strict=True)]
        return np.asarray(rearranged(node, spread, 0.0))

    moves: tuple[Floats, ...] = ()
    if any(o.moves for o in operands):
        zero = np.zeros(())
        moves = tuple(carried([o.moves[k] if o.moves else zero for o in operands]) for k in range(_DRAWS))
    error = carried([o.error for o in operands])
    if node.operation in ("total", "cumulate", "scatter"):
        size = carried([np.abs(o.value) for o in operands])
        error = error + _terms(node, operands[0].value, value) * unit * size
    return Moved(value, moves, error)


def _terms(node: ArrayNode, operand: Floats, value: Floats) -> int:
    """Return how many numbers are summed into one."""
    if node.operation == "scatter":
        return int(np.bincount(node.payload.reshape(-1), minlength=1).max(initial=0))
    return operand.shape[node.payload[0]] if node.operation == "cumulate" else operand.size // max(value.size, 1)


def _contract(node: ArrayNode, operands: Sequence[Moved], value: Floats, unit: float) -> Moved:
    one, two = operands
    *_, summed, _ = contracted(node.payload)
    first = node.payload.partition(",")[0]
    terms = math.prod(n for c, n in zip(first, one.value.shape, strict=True) if c in summed)
    spread = [np.broadcast_to(o.error, o.value.shape) for o in operands]
    a, b = np.abs(one.value), np.abs(two.value)
    # |A|·(e_B + (k + 1)·u·|B|) + e_A·|B|
    error = _einsum(node.payload, a, spread[1] + (terms + 1) * unit * b)
    if spread[0].any():
        error = error + _einsum(node.payload, spread[0], b)
    moves: tuple[Floats, ...] = ()
    if one.moves or two.moves:
        found = []
        for k in range(_DRAWS):
            change: Any = 0.0
            if one.moves:
                change = change + _einsum(node.payload, np.broadcast_to(one.moves[k], one.value.shape), two.value)
            if two.moves:
                change = change + _einsum(node.payload, one.value, np.broadcast_to(two.moves[k], two.value.shape))
            found.append(np.asarray(change))
        moves = tuple(found)
    return Moved(value, moves, error)


def _inverse(matrix: Floats) -> Floats:
    try:
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, math.nan)


def _solve(_: ArrayNode, operands: Sequence[Moved], value: Floats, unit: float) -> Moved:
    matrix, right = operands
    inverse, n = _inverse(matrix.value), len(matrix.value)
    size, bars = np.abs(inverse), np.abs(matrix.value) @ np.abs(value)
    spread = np.broadcast_to(matrix.error, matrix.value.shape)
    error = size @ (np.broadcast_to(right.error, right.value.shape) + spread @ np.abs(value) + 3 * n * unit * bars)
    moves: tuple[Floats, ...] = ()
    if matrix.moves or right.moves:
        zero = np.zeros(())
        moves = tuple(
            inverse @ (np.broadcast_to(right.moves[k] if right.moves else zero, right.value.shape)
                       - np.broadcast_to(matrix.moves[k] if matrix.moves else zero, matrix.value.shape) @ value)
            for k in range(_DRAWS)
        )  # fmt: skip
    return Moved(value, moves, error)


def _cholesky(_: ArrayNode, operands: Sequence[Moved], value: Floats, unit: float) -> Moved:
    (matrix,) = operands
    inverse, n = _inverse(value), len(value)
    half = np.tri(n, k=-1) + 0.5 * np.eye(n)

    def change(of: Floats) -> Floats:
        # dL = L·Φ(L⁻¹·dA·L⁻ᵀ) (Murray 2016)
        return np.asarray(value @ (half * (inverse @ np.broadcast_to(of, matrix.value.shape) @ inverse.T)))

    size, bars = np.abs(inverse), np.abs(value)
    own = np.broadcast_to(matrix.error, matrix.value.shape) + 3 * n * unit * (bars @ bars.T)
    error = bars @ (half * (size @ own @ size.T))
    return Moved(value, tuple(map(change, matrix.moves)), error)


def _determinant(node: ArrayNode, operands: Sequence[Moved], value: Floats, unit: float) -> Moved:
    (matrix,) = operands
    inverse, n = _inverse(matrix.value), len(matrix.value)
    factor = value if node.operation == "determinant" else np.ones(())
    own = np.broadcast_to(matrix.error, matrix.value.shape) + 3 * n * unit * np.abs(matrix.value)
    error = np.abs(factor) * np.sum(np.abs(inverse.T) * own) + n * unit * np.abs(value)
    moves = tuple(np.asarray(factor * np.sum(inverse.T * m)) for m in matrix.moves)
    return Moved(value, moves, np.asarray(error))


_MOVES: dict[str, Callable[[ArrayNode, Sequence[Moved], Floats, float], Moved]] = {
    "contract": _contract,
    "solve": _solve,
    "cholesky": _cholesky,
    "determinant": _determinant,
    "log_determinant": _determinant,
}
