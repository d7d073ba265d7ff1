"""Programs of arrays: nodes that have a shape, so that a product of matrices is one node and not a million.

A node is an operation of the table, applied element by element to operands that are broadcast as NumPy does, or one of
the operations below, which move, sum or multiply arrays. Nodes are shared by the digest of what they hold.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.program.dag import Builder
from diffcompare.watchdog import on_time

__all__ = [
    "ELIMINATING",
    "STRUCTURAL",
    "ArrayBuilder",
    "ArrayNode",
    "Places",
    "Shape",
    "as_transposed",
    "contracted",
    "counts_up",
    "interpret_arrays",
    "most_held",
    "renamed",
    "repeated_axes",
    "work_of",
]

Shape = tuple[int, ...]
# places of elements in the flat order of an array
Places = NDArray[np.intp]

# balls lose digits in these, the more the larger the matrix; the logarithm is that of the absolute determinant
ELIMINATING = frozenset({"solve", "cholesky", "determinant", "log_determinant"})
# what is not done element by element; the payload is in brackets
STRUCTURAL = frozenset({
    "variable", "constant",
    "reshape", "transpose",  # (axes)
    "broadcast",
    "take",  # (places): elements of the flat operand
    "scatter",  # (places): zeros, to which each element of the operand is added at its place
    "join",  # the flat operands, one after the other
    "choose",  # (mask): elements of the first operand where the mask is true, else of the second
    "total",  # (axes): the sum over axes
    "cumulate",  # (axis, backwards): the sums up to each element, or from it on
    "contract",  # (subscripts): the sum of products of two operands, as in einsum
    *ELIMINATING,
})  # fmt: skip


# numbers as short as this are exact, and folded
_SHORT_BITS = 12


@dataclass(frozen=True, slots=True, eq=False)
class ArrayNode:
    """One operation on earlier nodes; ``payload`` is what it takes besides (see :data:`STRUCTURAL`)."""

    operation: str
    operands: tuple[int, ...]
    shape: Shape
    payload: Any = None

    @property
    def numbers(self) -> NDArray[np.float64] | None:
        """The floats of the code that a constant holds; None for an exact number of a formula and any other node."""
        held = self.payload
        if self.operation != "constant" or isinstance(held, Fraction):
            return None
        return np.asarray(held, dtype=np.float64)


class ArrayBuilder:
    """Collects nodes, each distinct one once.

    It has the methods of :class:`~diffcompare.program.dag.Builder` that a term needs, so that the partial derivatives
    of the operations table are written into it as they are.

    Parameters
    ----------
    size : int
        How many variables there are; they are node 0, a vector.
    """

    def __init__(self, size: int) -> None:
        self.nodes: list[ArrayNode] = []
        # whether a node depends on the variables
        self.moving: list[bool] = []
        self._index: dict[Any, int] = {}
        # exact numbers are folded as in a program of scalars
        self._numbers = Builder(())
        # whether a number of the code is nan or infinite, as data that are missing
        self.missing = False
        # is told which node an operation gave, also where it was there before
        self.noted: Callable[[int], None] | None = None
        self.variables = self._added("variable", (), (size,), None, True)

    def _added(self, operation: str, operands: tuple[int, ...], shape: Shape, payload: Any, moving: bool) -> int:
        key = (operation, operands, shape, _digest(payload))
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self.nodes)
            self.nodes.append(ArrayNode(operation, operands, shape, payload))
            self.moving.append(moving)
        return index

    def _on(self, operation: str, operands: tuple[int, ...], shape: Shape, payload: Any = None) -> int:
        index = self._added(operation, operands, shape, payload, any(self.moving[i] for i in operands))
        if self.noted is not None:
            self.noted(index)
        return index

    def shape(self, index: int) -> Shape:
        """Return the shape of a node."""
        return self.nodes[index].shape

    def constant(self, value: Fraction | int | float | NDArray[np.float64]) -> int:
        """Add numbers: a float or an array of the code, or an exact number of a formula."""
        if isinstance(value, np.ndarray):
            if value.shape:
                held = np.array(value, dtype=np.float64)
                held.flags.writeable = False
                self.missing = self.missing or not np.isfinite(held).all()
                return self._added("constant", (), held.shape, held, False)
            value = float(value)
        self.missing = self.missing or (isinstance(value, float) and not math.isfinite(value))
        return self._added("constant", (), (), value if isinstance(value, float) else Fraction(value), False)

    def value(self, index: int) -> Fraction | None:
        """Return the exact value of a number that can be folded, None for any other node."""
        node = self.nodes[index]
        if node.operation != "constant" or node.shape:
            return None
        value = node.payload
        if isinstance(value, float):
            # a float of more digits may have been rounded; it is kept apart, as is one that has a name
            return Fraction(value) if type(value) is float and math.isfinite(value) and _is_short(value) else None
        return Fraction(value)

    def apply(self, operation: str, *operands: int, payload: int | None = None) -> int:
        """Apply an operation of the table element by element; exact numbers are folded.

        Raises
        ------
        ZeroDivisionError, UnsupportedFunction
            As :meth:`Builder.apply <diffcompare.program.dag.Builder.apply>`.
        """
        values = [self.value(i) for i in operands]
        if values and None not in values:
            numbers = self._numbers
            found = numbers.value(
                numbers.apply(operation, *(numbers.constant(v or 0) for v in values), payload=payload)
            )
            if found is not None:
                return self.constant(found)
        return self.raw(operation, *operands, payload=payload)

    def raw(self, operation: str, *operands: int, payload: int | None = None) -> int:
        """Apply an operation as it is, also on numbers."""
        return self._on(operation, operands, broadcast_shape(self.nodes[i].shape for i in operands), payload)

    def reshape(self, index: int, shape: Shape) -> int:
        """See the elements in another shape."""
        node = self.nodes[index]
        if node.shape == shape:
            return index
        if node.operation == "reshape":
            return self.reshape(node.operands[0], shape)
        return self._on("reshape", (index,), shape)

    def transpose(self, index: int, axes: Sequence[int]) -> int:
        """Exchange axes."""
        node, axes = self.nodes[index], tuple(axes)
        if node.operation == "transpose":
            return self.transpose(node.operands[0], [node.payload[a] for a in axes])
        if axes == tuple(range(len(axes))):
            return index
        return self._on("transpose", (index,), tuple(node.shape[a] for a in axes), axes)

    def broadcast(self, index: int, shape: Shape) -> int:
        """Repeat elements until an array has a shape."""
        return index if self.nodes[index].shape == shape else self._on("broadcast", (index,), shape)

    def take(self, index: int, places: Places) -> int:
        """Take elements from the flat order of a node."""
        node, flat = self.nodes[index], places.reshape(-1)
        if flat.size == math.prod(node.shape) and counts_up(flat):
            return self.reshape(index, places.shape)
        axes = as_transposed(places, math.prod(node.shape))
        if axes is not None:
            shape = tuple(places.shape[a] for a in np.argsort(axes))
            return self.transpose(self.reshape(index, shape), axes)
        held = _floats_of(node)
        if held is not None:
            return self.constant(np.asarray(held.reshape(-1)[places]))
        if node.operation == "take":
            return self.take(node.operands[0], node.payload.reshape(-1)[places])
        if node.operation == "reshape":
            return self.take(node.operands[0], places)
        return self._on("take", (index,), places.shape, np.array(places))

    def scatter(self, index: int, places: Places, shape: Shape) -> int:
        """Add each element at its place in an array of zeros."""
        flat = places.reshape(-1)
        if flat.size == math.prod(shape) and counts_up(flat):
            return self.reshape(index, shape)
        return self._on("scatter", (index,), shape, places)

    def join(self, indices: Sequence[int]) -> int:
        """Put the elements of several nodes one after the other."""
        total = sum(math.prod(self.nodes[i].shape) for i in indices)
        held = [floats for i in indices if (floats := _floats_of(self.nodes[i])) is not None]
        if len(held) == len(indices):
            return self.constant(np.concatenate([numbers.reshape(-1) for numbers in held]))
        return self.reshape(indices[0], (total,)) if len(indices) == 1 else self._on("join", tuple(indices), (total,))

    def choose(self, mask: NDArray[np.bool_], first: int, second: int, *, bound: bool = False) -> int:
        """Choose between two nodes, element by element; a ``bound`` that is taken everywhere remains to be seen."""
        shape = broadcast_shape((mask.shape, self.nodes[first].shape, self.nodes[second].shape))
        for way, index in ((True, first), (False, second)):
            hidden = bound and not self.moving[index] and (self.moving[first] or self.moving[second])
            if first == second or ((mask == way).all() and not hidden):
                return self.broadcast(index, shape)
        return self._on("choose", (first, second), shape, np.array(mask, dtype=bool))

    def total(self, index: int, axes: Iterable[int]) -> int:
        """Sum over axes."""
        shape, axes = self.nodes[index].shape, tuple(sorted(axes))
        # what has one element along an axis is its own sum
        if all(shape[a] == 1 for a in axes):
            return self.reshape(index, tuple(n for a, n in enumerate(shape) if a not in axes))
        return self._on("total", (index,), tuple(n for a, n in enumerate(shape) if a not in axes), axes)

    def cumulate(self, index: int, axis: int, *, backwards: bool = False) -> int:
        """Sum up to each element along an axis, or from it on."""
        return self._on("cumulate", (index,), self.nodes[index].shape, (axis, backwards))

    def contract(self, subscripts: str, first: int, second: int) -> int:
        """Sum products of two nodes: every letter that is summed over stands in both, and none twice in one."""
        terms, _, result = subscripts.partition("->")
        names = terms.split(",")
        operands = [first, second]
        for k, index in enumerate(operands):
            node = self.nodes[index]
            if node.operation == "transpose":
                # the letters move instead of the elements
                operands[k] = node.operands[0]
                names[k] = "".join(names[k][node.payload.index(a)] for a in range(len(node.payload)))
        sizes = dict(zip("".join(names), (n for i in operands for n in self.nodes[i].shape), strict=True))
        plain = renamed(f"{names[0]},{names[1]}->{result}")
        return self._on("contract", tuple(operands), tuple(sizes[c] for c in result), plain)

    def solve(self, matrix: int, right: int) -> int:
        """Solve a linear system: matrix (n, n), right sides (n, k)."""
        return self._on("solve", (matrix, right), self.nodes[right].shape)

    def of_matrix(self, operation: str, matrix: int) -> int:
        """Apply ``cholesky`` (the lower factor), ``determinant`` or ``log_determinant`` to a matrix."""
        return self._on(operation, (matrix,), self.nodes[matrix].shape if operation == "cholesky" else ())

    def whole(self, operation: str, operands: Sequence[int], shape: Shape, payload: Any = None) -> int:
        """Add an operation that is none of a program: who reads the nodes must know it."""
        return self._on(operation, tuple(operands), shape, payload)

    def needed(self, roots: Iterable[int]) -> list[int]:
        """List the nodes that the roots need, in order."""
        wanted = bytearray(len(self.nodes))
        highest = -1
        for root in roots:
            wanted[root], highest = 1, max(highest, root)
        for index in range(highest, -1, -1):
            if wanted[index]:
                for i in self.nodes[index].operands:
                    wanted[i] = 1
        return [index for index in range(highest + 1) if wanted[index]]

    def inserted(self, source: ArrayBuilder, roots: Sequence[int], variables: int) -> list[int]:
        """Add nodes of another builder, a vector in place of its variables; returns what stands for the roots."""
        new = {source.variables: variables}
        for index in source.needed(roots):
            if index not in new:
                node = source.nodes[index]
                operands = tuple(new[i] for i in node.operands)
                moving = any(self.moving[i] for i in operands)
                new[index] = self._added(node.operation, operands, node.shape, node.payload, moving)
        return [new[root] for root in roots]

    def copied(self, roots: Sequence[int], replaced: dict[int, int]) -> list[int]:
        """Add nodes anew, with other ones in place of some; returns what stands for the roots."""
        new = dict(replaced)
        for index in self.needed(roots):
            if index not in new:
                new[index] = self.anew(index, tuple(new[i] for i in self.nodes[index].operands))
        return [new[root] for root in roots]

    def anew(self, index: int, operands: tuple[int, ...]) -> int:
        """Apply a node's operation to other operands."""
        node = self.nodes[index]
        same = operands == node.operands
        return index if same else self._on(node.operation, operands, node.shape, node.payload)


def interpret_arrays(
    nodes: Sequence[ArrayNode], order: Sequence[int], roots: Iterable[int],
    leaf: Callable[[int, ArrayNode], Any], apply: Callable[..., Any],
) -> dict[int, Any]:  # fmt: skip
    """Return the values of the roots: ``leaf(index, node)``, or ``apply(node, *values)``; others are let go."""
    last = {i: index for index in order for i in nodes[index].operands}
    kept = set(roots)
    values: dict[int, Any] = {}
    for index in order:
        on_time()
        node = nodes[index]
        values[index] = apply(node, *[values[i] for i in node.operands]) if node.operands else leaf(index, node)
        for i in set(node.operands):
            if last[i] == index and i not in kept:
                del values[i]
    return values


def contracted(subscripts: str) -> tuple[str, str, str, str, str, str]:
    """Sort the letters of a contraction: those of both operands and of the result, and where each letter belongs.

    Returns the first operand's letters, the second's, the result's; then those in all three, those that are summed
    over; those of the first operand alone.
    """
    terms, _, result = subscripts.partition("->")
    first, second = terms.split(",")
    batch = "".join(c for c in result if c in first and c in second)
    summed = "".join(c for c in first if c in second and c not in result)
    return first, second, result, batch, summed, "".join(c for c in result if c in first and c not in second)


# what is multiplied inside a product of matrices costs a small part of an operation of its own, as does elimination
_PRODUCT, _ELIMINATION = 32, 16


def work_of(nodes: Sequence[ArrayNode], order: Iterable[int]) -> int:
    """Count the operations of nodes: one for each element; of products and systems of matrices a part of all."""
    work = 0
    for index in order:
        node = nodes[index]
        size = math.prod(node.shape)
        operands = [nodes[i].shape for i in node.operands]
        if node.operation == "contract":
            first, *_, summed, _ = contracted(node.payload)
            sizes = dict(zip(first, operands[0], strict=True))
            size += sum(map(math.prod, operands)) + size * math.prod(sizes[c] for c in summed) // _PRODUCT
        elif node.operation in ELIMINATING:
            n = operands[0][0]
            size += (n**3 // 3 + math.prod(node.shape) * n) // _ELIMINATION
        elif node.operation == "total":
            size = math.prod(operands[0])
        elif node.operation in ("variable", "constant", "reshape", "transpose", "broadcast"):
            size = 0
        work += size
    return work


def most_held(nodes: Sequence[ArrayNode], order: Sequence[int], roots: Iterable[int]) -> int:
    """Return how many elements are held at once, at most, where values are let go after their last use."""
    last = {i: index for index in order for i in nodes[index].operands}
    kept = set(roots)
    held = most = 0
    for index in order:
        held += math.prod(nodes[index].shape)
        most = max(most, held)
        held -= sum(math.prod(nodes[i].shape) for i in set(nodes[index].operands) if last[i] == index and i not in kept)
    return most


def broadcast_shape(shapes: Iterable[Shape]) -> Shape:
    """Return the shape that arrays are broadcast to; ``ValueError`` where they do not fit."""
    return np.broadcast_shapes(*shapes)


def repeated_axes(shape: Shape, onto: Shape) -> list[int]:
    """List the axes of a shape along which an array of the other shape is repeated."""
    extra = len(shape) - len(onto)
    return [a for a, n in enumerate(shape) if a < extra or (onto[a - extra] == 1 and n > 1)]


def _digest(payload: Any) -> Any:
    if not isinstance(payload, np.ndarray):
        # -0.0 and 0.0 are two numbers of one value
        return (payload, math.copysign(1.0, payload)) if isinstance(payload, float) else payload
    data = hashlib.blake2b(np.ascontiguousarray(payload).view(np.uint8).reshape(-1).data, digest_size=16).digest()
    return payload.shape, payload.dtype.str, data


def _floats_of(node: ArrayNode) -> NDArray[np.float64] | None:
    """Return what a constant is in floats; None for a number that no short float is, and any other node."""
    held = node.payload
    if node.operation != "constant" or not isinstance(held, Fraction):
        return node.numbers
    above, below = held.numerator, held.denominator
    exact = below & (below - 1) == 0 and max(above.bit_length(), below.bit_length()) <= _SHORT_BITS
    return np.asarray(float(held)) if exact else None


def _is_short(value: float) -> bool:
    mantissa = int(math.ldexp(math.frexp(value)[0], _SHORT_BITS))
    return math.ldexp(mantissa, math.frexp(value)[1] - _SHORT_BITS) == value


def counts_up(flat: Places) -> bool:
    """Tell whether places are 0, 1, 2, …"""
    return not flat.size or (flat[0] == 0 and flat[-1] == flat.size - 1 and bool((np.diff(flat) == 1).all()))


def as_transposed(places: Places, size: int) -> list[int] | None:
    """Return the axes of a transposition that takes all elements to these places."""
    if places.ndim < 2 or places.size != size:
        return None
    # how far the next element along an axis is
    steps = [int(places[(0,) * a + (1,) + (0,) * (places.ndim - a - 1)]) if places.shape[a] > 1 else 0
             for a in range(places.ndim)]  # fmt: skip
    order = sorted(range(places.ndim), key=lambda a: (-steps[a], a))
    axes = [order.index(a) for a in range(places.ndim)]
    whole = np.arange(size).reshape([places.shape[a] for a in order])
    return axes if np.array_equal(whole.transpose(axes), places) else None


def renamed(subscripts: str) -> str:
    """Name the letters in the order in which they come, so that equal contractions are one node."""
    letters = dict.fromkeys(c for c in subscripts if c.isalpha())
    names = {c: chr(97 + k) for k, c in enumerate(letters)}
    return "".join(names.get(c, c) for c in subscripts)
