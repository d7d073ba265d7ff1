"""Mutants that no test can tell from the code, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from .draw import Mutant

__all__ = ["EQUIVALENTS", "Equivalent", "why_equivalent"]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A changed line of a function, as the survivors are printed, and why nobody can see the change."""

    function: str
    new: str
    why: str


EQUIVALENTS: tuple[Equivalent, ...] = ()


def why_equivalent(mutant: Mutant) -> str:
    """Return the reason that was noted for a mutant, or nothing."""
    return next((e.why for e in EQUIVALENTS if (e.function, e.new) == (mutant.function, mutant.new)), "")
