"""Functions of other array libraries: what runs, and the NumPy code that stands for it in a trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffcompare.errors import TraceError

__all__ = ["Foreign"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A function of another library, called with NumPy arrays.

    Parameters
    ----------
    library : str
    run : callable
        Calls the library in its own floating-point type; returns NumPy arrays.
    bits : int
        Of the floating-point type that it works in.
    traceable : callable or None
        The same real function in NumPy operations, with a cast to its type at the door.
    wide : Foreign or None
        The same in 64-bit numbers, without a cast.
    """

    library: str
    run: Callable[..., Any]
    bits: int = 64
    traceable: Callable[..., Any] | None = None
    wide: Foreign | None = None

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        return self.run(*arguments)

    def in_numpy(self) -> Callable[..., Any]:
        """Return what a trace runs; ``TraceError`` where there is none."""
        if self.traceable is None:
            raise TraceError(f"a {self.library} function: what it does cannot be written down; pass formula=")
        return self.traceable
