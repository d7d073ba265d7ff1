"""A point at which claim and derivative are known: causes must hold at several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from diffcompare.floats import Floats

__all__ = ["Nearby"]


@dataclass(frozen=True, slots=True)
class Nearby:
    """A point: the claim as it was returned, the derivative, and the threshold of each component.

    ``difference`` is None where the claim is known as returned only; ``real`` and ``true`` are both as balls,
    where they were evaluated so; else ``error`` is by how much the difference may be off.
    """

    point: Floats
    claimed: Floats
    certified: Floats
    threshold: Floats
    difference: Floats | None
    real: tuple[Any, ...]
    true: tuple[Any, ...]
    error: Floats | float = 0.0

    @property
    def gap(self) -> Floats:
        """Claim minus derivative: in real numbers where that is known, else of the floats that were returned."""
        return self.claimed - self.certified if self.difference is None else self.difference

    def part(self, some: slice) -> Nearby:
        """Return some of the components."""
        return replace(
            self,
            claimed=self.claimed[some],
            certified=self.certified[some],
            threshold=self.threshold[some],
            difference=None if self.difference is None else self.difference[some],
            error=self.error if isinstance(self.error, float) else self.error[some],
            real=self.real[some],
            true=self.true[some],
        )
