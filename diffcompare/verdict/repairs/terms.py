"""The term of the function to which a wrong gradient has not done justice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.verdict.causes.array_parts import ArrayParts, Use
from diffcompare.verdict.causes.nearby import Nearby
from diffcompare.verdict.repairs.measured import leaves_nothing

__all__ = ["Term", "wrong_term"]

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
    # a term that is a sum itself is told by its own terms
    return min(fitting, key=lambda term: term.use.node, default=None)


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
