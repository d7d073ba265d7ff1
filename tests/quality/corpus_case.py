"""What a case of the corpus is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """A function and a gradient written by hand, at a point.

    ``kind`` is ``easy``, ``hard`` or ``rounding`` for a right gradient, else the kind of its fault, and then ``truth``
    is the right gradient and ``causes`` are the kinds of cause that say what is wrong: the planted mistake is known.
    ``rounding`` is the largest error of the right gradient relative to its largest component, and ``size`` the error
    of the fault.
    """

    name: str
    f: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    at: Any
    formula: str | None
    kind: str
    truth: Callable[[Any], Any] | None = None
    causes: tuple[str, ...] = ()
    blame: str | None = None
    rounding: float = 1e-13

    @property
    def right(self) -> bool:
        return self.truth is None and self.blame is None

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"
