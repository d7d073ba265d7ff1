"""Expressions of arrays as people write them: sums and products in one piece, so that a derivative can be read.

An expression may be smaller than what it stands for, as an operand that NumPy repeats: the gradient of a mean is one
number.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Container, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.program.arrays import Places, Shape
from diffcompare.program.operations import COMPARISONS

__all__ = [
    "MASKS",
    "MINUS",
    "ONE",
    "Coefficient",
    "Expression",
    "Factor",
    "Key",
    "factors_of",
    "logistic_argument",
    "operands_first",
    "reduced_axes",
    "repeated",
]

MASKS = COMPARISONS | {"not", "and", "or", "mask"}


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A number in front of a product, and what the product is divided by: 2/4 stays what a mean over four has."""

    above: Fraction
    below: Fraction | int = 1

    @property
    def value(self) -> Fraction:
        """The number."""
        return self.above / self.below

    def __mul__(self, other: Coefficient) -> Coefficient:
        above, below = self.above * other.above, self.below * other.below
        return Coefficient(Fraction(0)) if not above else Coefficient(above, below)

    def __add__(self, other: Coefficient) -> Coefficient:
        if self.below == other.below:
            return Coefficient(self.above + other.above, self.below)
        if isinstance(self.below, int) and isinstance(other.below, int):
            below = math.lcm(self.below, other.below)
            return Coefficient(self.above * (below // self.below) + other.above * (below // other.below), below)
        return Coefficient(self.value + other.value)

    def power(self, exponent: int) -> Coefficient:
        """Multiply it with itself."""
        if exponent >= 0:
            return Coefficient(self.above**exponent, self.below**exponent)
        top, below = self.above ** (-exponent), Fraction(self.below ** (-exponent))
        if top.denominator != 1 and 10_000 % (1 / top).denominator == 0:
            # what is divided by 0.1 is multiplied with 10
            return Coefficient(below / top)
        divisor = abs(top)
        return Coefficient(below if top > 0 else -below, int(divisor) if divisor.denominator == 1 else divisor)


ONE, MINUS = Coefficient(Fraction(1)), Coefficient(Fraction(-1))


class Key:
    """Places in the flat order of an array, which are taken; equal where they are the same.

    ``text`` is what takes them where they are others in another run of the code.
    """

    __slots__ = ("_digest", "places", "text")

    def __init__(self, places: Places, text: str | None = None) -> None:
        self.places, self.text = np.array(places, dtype=np.intp, order="C"), text
        self._digest = (self.places.shape, hashlib.blake2b(self.places.tobytes(), digest_size=16).digest(), text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One operation on other expressions.

    ``name`` (payload: the text), ``data`` (an array), ``product`` (a coefficient and the exponents of the operands; a
    number where there are none), ``sum`` (the coefficients of the operands), ``where``, ``total`` (axes), ``contract``
    (subscripts), ``transpose`` (axes), ``reshape``, ``broadcast``, ``index`` and ``scatter`` (a :class:`Key`),
    ``cumulate`` (axis, backwards), comparisons (:data:`MASKS`), and functions by their names.
    """

    operation: str
    operands: tuple[Expression, ...]
    shape: Shape
    payload: Any = None

    @property
    def number(self) -> Fraction | None:
        """The value of a number; None for any other."""
        return self.payload[0].value if self.operation == "product" and not self.operands else None


Factor = tuple[Expression, Fraction]


def logistic_argument(base: Expression) -> Expression | None:
    """Return u of 1 + eᵘ; None for any other."""
    if base.operation == "sum" and len(base.operands) == 2 and set(base.payload) == {ONE}:
        exponentials = [t.operands[0] for t in base.operands if t.operation == "exp"]
        if len(exponentials) == 1 and any(t.number == 1 for t in base.operands):
            return exponentials[0]
    return None


def factors_of(term: Expression) -> list[Factor]:
    """List the factors of a product, numbers apart; any other is its own."""
    if term.operation != "product":
        return [(term, Fraction(1))]
    return list(zip(term.operands, term.payload[1], strict=True))


def reduced_axes(one: Expression) -> tuple[Shape, int]:
    """Return the axes along which an array was reduced, and what a variance takes off the count."""
    axes = one.payload
    if axes and isinstance(axes[0], tuple):
        return axes[0], axes[1] or 0
    return axes, 0


def operands_first(roots: Iterable[Expression], known: Container[Expression] = ()) -> list[Expression]:
    """List expressions and all that they are made of, operands before what is made of them; of what is known itself."""
    order: list[Expression] = []
    seen: set[Expression] = set()
    stack = [(root, False) for root in roots][::-1]
    while stack:
        one, done = stack.pop()
        if done:
            order.append(one)
        elif one not in seen:
            seen.add(one)
            stack.append((one, True))
            stack += [(operand, False) for operand in one.operands[::-1] if one not in known]
    return order


def repeated(operand: Expression) -> Expression:
    """Return what NumPy repeats by itself."""
    while True:
        if operand.operation == "broadcast":
            operand = operand.operands[0]
        elif operand.operation == "reshape":
            inner = operand.operands[0]
            lead = len(operand.shape) - len(inner.shape)
            if lead <= 0 or operand.shape != (1,) * lead + inner.shape:
                return operand
            operand = inner
        else:
            return operand
