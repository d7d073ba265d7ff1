"""Finite-difference schemes as values: where f is evaluated, what it is divided by, how the error starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["SCHEMES", "Stencil", "check_schemes", "stencil"]


@dataclass(frozen=True, slots=True)
class Stencil:
    """D̂ = (f(x + upper·h) − f(x + lower·h)) / ((upper − lower)·h).

    Parameters
    ----------
    scheme : str
        Its name in tables.
    order : int
        Order of accuracy p: the truncation error is O(hᵖ).
    upper, lower : int
        The two offsets in units of h.
    """

    scheme: str
    order: int
    upper: int
    lower: int

    def error_coefficient(self, m: int) -> Fraction:
        """Return a such that a·c·hᵐ is the term of order m of the truncation error, c = F^(m+1)(x)/(m+1)!.

        From Taylor's theorem at x, term by term: (upper^(m+1) − lower^(m+1)) / (upper − lower).
        """
        return Fraction(self.upper ** (m + 1) - self.lower ** (m + 1), self.upper - self.lower)


SCHEMES: Mapping[str, Stencil] = {
    "forward": Stencil("forward", 1, 1, 0),
    "backward": Stencil("backward", 1, 0, -1),
    "central": Stencil("central", 2, 1, -1),
}


def stencil(scheme: str) -> Stencil:
    """Return the stencil of a scheme; ``ValueError`` lists the schemes there are."""
    if scheme not in SCHEMES:
        raise ValueError(f"scheme={scheme!r}: unknown scheme; choose from {', '.join(SCHEMES)}")
    return SCHEMES[scheme]


def check_schemes(schemes: str | Sequence[str]) -> list[Stencil]:
    """Return the stencils of some schemes, repeated ones dropped; ``ValueError`` for none or an unknown one."""
    names = [schemes] if isinstance(schemes, str) else list(schemes)
    if not names:
        raise ValueError(f"schemes={schemes!r}: no scheme; choose from {', '.join(SCHEMES)}")
    return [stencil(name) for name in dict.fromkeys(names)]
