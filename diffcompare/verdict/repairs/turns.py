"""What else could be done at a site: elements in another order, another operation on the same operands."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from diffcompare.floats import Floats
from diffcompare.program.arrays import ArrayBuilder, Shape
from diffcompare.verdict.repairs.measured import Measured
from diffcompare.verdict.repairs.sites import Site

__all__ = ["Turn", "turns_of"]

# operations that are taken for one another
_LIKE = (
    ("sin", "cos"), ("tan", "tanh", "atan"), ("sinh", "cosh", "tanh"), ("exp", "expm1"),
    ("log", "log1p"), ("sqrt", "square"), ("exp", "log"),
)  # fmt: skip
_SWAPPED = {
    "add": ("subtract", "sign", "the plus should be a minus"),
    "subtract": ("add", "sign", "the minus should be a plus"),
    "multiply": ("divide", "chain factor", "the product should be a quotient"),
    "divide": ("multiply", "chain factor", "the quotient should be a product"),
}
# what is said where one operand is left alone
_DROPPED = {
    "add": ("extra term", "the term {} does not belong here"),
    "subtract": ("extra term", "the term {} does not belong here"),
    "multiply": ("chain factor", "the factor {} is too many"),
    "divide": ("chain factor", "the divisor {} is too many"),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """Something else that is done at a site.

    Parameters
    ----------
    kind : str
        What kind of mistake it mends.
    words : str
        What is said of the expression, ``{}`` being what it is about.
    make : callable
        ``make(build, node)`` returns the node of what it should be, from the node of what it is.
    cost : float
    about : int or None
        A node.
    operation : str
        What the node does, where its operands are used.
    """

    kind: str
    words: str
    make: Callable[[ArrayBuilder, int], int]
    cost: float
    about: int | None = None
    operation: str = ""

    def made(self, build: ArrayBuilder, node: int) -> int:
        """Add what it should be; ``ValueError`` where the node is another operation by now."""
        if self.operation and build.nodes[node].operation != self.operation:
            raise ValueError("another operation")
        return self.make(build, node)


def turns_of(here: Measured, site: Site) -> Iterator[tuple[Turn, list[Floats]]]:
    """Yield what else could be done at a site, with the values that it would have."""
    build, nodes = here.build, site.values(here.build)
    for turn in (*_orders(build, nodes[0]), *_operations(build, nodes[0], here)):
        try:
            with np.errstate(all="ignore"):
                found = [here.of(turn.made(build, k)) for k in nodes]
        except (ValueError, IndexError, ArithmeticError):
            continue
        if all(np.isfinite(v).all() and v.shape == here.values[k].shape for v, k in zip(found, nodes, strict=True)):
            yield turn, found


def _orders(build: ArrayBuilder, k: int) -> Iterator[Turn]:
    """Yield the orders in which the elements could stand."""
    shape = build.shape(k)
    if len(shape) == 2 and shape[0] == shape[1] > 1:
        yield Turn("transposed", "this should be transposed", _transposed, 1.2)
    if len(shape) == 2 and shape[0] != shape[1] and min(shape) > 1:
        words = "the elements of this stand in the order of its transpose"
        yield Turn("transposed", words, _turned_over, 1.4)
    for axis, n in enumerate(shape):
        if n > 1:
            along = f" along axis {axis}" * (len(shape) > 1)
            for step in (1, -1) if n > 2 else (1,):
                words = f"this is off by one place{along}"
                yield Turn("shifted", words, _moved(shape, axis, partial(np.roll, shift=step)), 1.4)
            if n > 2:
                yield Turn("permuted", f"this is in reverse order{along}", _moved(shape, axis, np.flip), 1.5)


def _operations(build: ArrayBuilder, k: int, here: Measured) -> Iterator[Turn]:
    """Yield what else could be done with the operands."""
    name = build.nodes[k].operation
    for turn in _other_operations(build, k, here):
        yield replace(turn, operation=name)


def _other_operations(build: ArrayBuilder, k: int, here: Measured) -> Iterator[Turn]:
    shape = build.shape(k)
    node = build.nodes[k]
    if not node.operands:
        return
    name, payload, operands = node.operation, node.payload, node.operands
    for family in _LIKE:
        for other in family:
            if name in family and other != name:
                yield Turn("other function", f"this should be {other}", _other(other), 1.3)
    if name == "integer_power":
        for power in (payload - 1, payload + 1, -payload):
            yield Turn("exponent", f"the exponent should be {power}", _power(power), 1.3)
    if name == "multiply" and operands[0] == operands[1]:
        yield Turn("exponent", "this should not be squared", _first_operand, 1.3)
    for position, kept in enumerate(operands) if name in _DROPPED else ():
        kind, words = _DROPPED[name]
        if build.shape(kept) == shape and (name, position) != ("divide", 1):
            yield Turn(kind, words, _alone(position, name), 1.1, operands[1 - position])
    if name in _SWAPPED:
        other, kind, words = _SWAPPED[name]
        yield Turn(kind, words, _other(other), 0.7 if kind == "sign" else 1.0)
    if name == "total" and len(node.payload) == 1:
        inner = build.shape(operands[0])
        for axis in range(len(inner)):
            if axis not in payload:
                yield Turn("axis", f"the sum should be over axis {axis}", _total(axis, shape), 1.2)
    if name == "contract":
        first, _, rest = payload.partition(",")
        second, _, result = rest.partition("->")
        for one, two in ((first[::-1], second), (first, second[::-1])):
            if (one, two) != (first, second):
                yield Turn(
                    "transposed", "a factor of this product should be transposed", _contract(one, two, result), 1.2
                )
    if name == "cumulate":
        axis, backwards = payload
        words = "the sums should run the other way"
        yield Turn(
            "shifted", words, lambda b, i: b.cumulate(b.nodes[i].operands[0], axis, backwards=not backwards), 1.4
        )
    if name == "choose":
        words = "the condition should be the other way round"
        yield Turn("branch", words, _otherwise, 1.4)
        for mask in here.masks:
            if mask.shape == shape and (mask != payload).any():
                yield Turn("branch", "the condition is not that of f", _chosen(mask), 1.5)
    if name == "take":
        total = math.prod(build.shape(operands[0]))
        for step in (1, -1):
            places = payload + step
            if places.size and places.min() >= 0 and places.max() < total:
                yield Turn("shifted", "the index is off by one", _taken(step), 1.1)


def _moved(shape: Shape, axis: int, order: Callable[[Any], Any]) -> Callable[[ArrayBuilder, int], int]:
    places = np.arange(math.prod(shape)).reshape(shape)
    moved = np.take(places, order(np.arange(shape[axis])), axis=axis)
    return lambda b, i: b.take(i, moved)


def _alone(k: int, name: str) -> Callable[[ArrayBuilder, int], int]:
    def make(build: ArrayBuilder, i: int) -> int:
        kept = build.nodes[i].operands[k]
        return build.apply("negative", kept) if (name, k) == ("subtract", 1) else kept

    return make


def _otherwise(build: ArrayBuilder, i: int) -> int:
    return build.choose(~build.nodes[i].payload, *build.nodes[i].operands)


def _chosen(mask: Any) -> Callable[[ArrayBuilder, int], int]:
    return lambda b, i: b.choose(mask, *b.nodes[i].operands)


def _transposed(build: ArrayBuilder, i: int) -> int:
    return build.transpose(i, (1, 0))


def _turned_over(build: ArrayBuilder, i: int) -> int:
    return build.reshape(build.transpose(i, (1, 0)), build.shape(i))


def _first_operand(build: ArrayBuilder, i: int) -> int:
    return build.nodes[i].operands[0]


def _other(name: str) -> Callable[[ArrayBuilder, int], int]:
    if name == "square":
        return lambda b, i: b.apply("multiply", b.nodes[i].operands[0], b.nodes[i].operands[0])
    return lambda b, i: b.raw(name, *b.nodes[i].operands)


def _power(power: int) -> Callable[[ArrayBuilder, int], int]:
    return lambda b, i: (
        b.apply("integer_power", b.nodes[i].operands[0], payload=power)
        if power
        else b.broadcast(b.constant(1), b.shape(i))
    )


def _total(axis: int, shape: Shape) -> Callable[[ArrayBuilder, int], int]:
    return lambda b, i: b.reshape(b.total(b.nodes[i].operands[0], (axis,)), shape)


def _contract(one: str, two: str, result: str) -> Callable[[ArrayBuilder, int], int]:
    def make(build: ArrayBuilder, i: int) -> int:
        operands = build.nodes[i].operands
        lengths = [*zip(one, build.shape(operands[0]), strict=True), *zip(two, build.shape(operands[1]), strict=True)]
        if len(set(lengths)) > len(dict(lengths)):
            raise ValueError("a letter has two lengths")
        return build.contract(f"{one},{two}->{result}", *operands)

    return make


def _taken(step: int) -> Callable[[ArrayBuilder, int], int]:
    return lambda b, i: b.take(b.nodes[i].operands[0], b.nodes[i].payload + step)
