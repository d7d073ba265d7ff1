"""The term of the function to which a wrong gradient has not done justice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.verdict.causes.array_parts import ArrayParts, Use
from diffcompare.verdict.causes.point import Nearby

__all__ = ["Term", "formula", "leaves_nothing", "wrong_term"]

# of the error, what a change may leave in floats, and what may be rounding
_LEFT, _NOISY = 1e-9, 1e-3
# terms that are looked at, and nodes that are made for them
_MOST, _NODES = 60, 20_000


@dataclass(frozen=True, slots=True)
class Term:
    """An addend of the function.

    Parameters
    ----------
    use : Use
        Where it is added.
    part : int
        The node of its derivative.
    weight : float
        How many times its derivative is in the error: −1 where it is missing.
    """

    use: Use
    part: int
    weight: float


def wrong_term(parts: ArrayParts, asked: Sequence[Nearby]) -> Term | None:
    """Return the addend of which a multiple of the derivative is the error, at two points."""
    here, beside = asked[:2]
    fitting = [term for term in _terms(parts, here) if _again(parts, term, beside)]
    # a term that is a sum itself is told by its own terms, but not by what a factor of it adds: of (x − m)·w the x
    bars = [parts.bars[term.use.node] for term in fitting]
    return next((term for term, bar in zip(fitting[::-1], bars[::-1], strict=True) if bar == bars[0]), None)


def _terms(parts: ArrayParts, here: Nearby) -> Iterator[Term]:
    error = here.gap
    # what is added to the function itself, perhaps times a number
    terms = [use for use in parts.addends if not parts.build.moving[parts.bars[use.node]]]
    for use in terms[: min(_MOST, _NODES // len(parts.bars))]:
        part = parts.part(use)
        (found,) = array_floats(parts.build, [part], here.point)
        size = float(found @ found)
        if not np.isfinite(size) or size == 0:
            continue
        weight = float(found @ error) / size
        if leaves_nothing(error - weight * found, error, here.certified):
            yield Term(use, part, weight)


def _again(parts: ArrayParts, term: Term, beside: Nearby) -> bool:
    (found,) = array_floats(parts.build, [term.part], beside.point)
    return leaves_nothing(beside.gap - term.weight * found, beside.gap, beside.certified)


def formula(build: ArrayBuilder, node: int, names: Sequence[str]) -> str:
    """Write a node as a formula of the variables."""
    return array_formulas(build, [_gathered(build, node)], names)[0]


def leaves_nothing(left: Floats, before: Floats, D: Floats) -> bool:
    """Tell whether of an error nothing is left but the rounding of floats."""
    largest, size = np.max(np.abs(D), initial=0.0), np.max(np.abs(before), initial=0.0)
    noise = 64 * unit_roundoff * largest
    known = noise <= _NOISY * size and np.isfinite(left).all()
    # beside a claim that is far too large, about nothing would do
    return bool(known and (np.abs(left) <= _LEFT * min(size, largest or size) + noise).all())


def _gathered(build: ArrayBuilder, node: int) -> int:
    """Multiply the numbers in a product with one another: 0.5·(2·x) is x."""
    factor, inner, count = Fraction(1), node, 0
    while True:
        made = build.nodes[inner]
        numbers = [_number(build, i) for i in made.operands] if made.operation == "multiply" else []
        if made.operation == "negative":
            factor, inner = -factor, made.operands[0]
        elif len(numbers) == 2 and (numbers[0] is not None or numbers[1] is not None):
            at = 0 if numbers[0] is not None else 1
            factor, inner = factor * (numbers[at] or 0), made.operands[1 - at]
        else:
            break
        count += 1
    return node if count < 2 else build.apply("multiply", build.constant(factor), inner) if factor != 1 else inner


def _number(build: ArrayBuilder, node: int) -> Fraction | None:
    while build.nodes[node].operation in ("reshape", "broadcast"):
        node = build.nodes[node].operands[0]
    return build.value(node)
