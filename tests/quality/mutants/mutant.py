"""One planted bug: a change of one place in one module, and what it would break."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

__all__ = ["Mutant"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bug that somebody could have written.

    Parameters
    ----------
    module : str
        The file, from the package on: ``program/dag.py``.
    old, new : str
        A text that occurs there exactly once, and what stands in its place.
    breaks : str
        What a user would see.
    survives : str
        Why no test can tell the two apart; empty for a bug that a test must find.
    """

    module: str
    old: str
    new: str
    breaks: str
    survives: str = ""

    @property
    def name(self) -> str:
        """A name that stays as long as the change does."""
        digest = blake2b(f"{self.old}\0{self.new}".encode(), digest_size=3).hexdigest()
        return f"{self.module.removesuffix('.py')}:{digest}"
