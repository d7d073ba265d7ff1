"""Who wants to know of each comparison that an assertion made: the pytest plugin, or nobody.

Imports the standard library alone, so that a listener costs nothing before the first comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

__all__ = ["LISTENER", "Observation", "listening", "observe"]


@dataclass(frozen=True, slots=True)
class Observation:
    """One comparison.

    Parameters
    ----------
    kind : str
        ``gradient``, ``jacobian``, ``hessian``, ``worst`` (a search of a box) or ``within-bound``.
    data : Verdict or DataFrame
        A Verdict; for ``within-bound`` rows of the table of ``sweep``.
    """

    kind: str
    data: Any


LISTENER: ContextVar[Callable[[Observation], None] | None] = ContextVar("diffcompare_listener", default=None)


def observe(kind: str, data: Any) -> None:
    """Tell the listener of a comparison; nothing happens where nobody listens."""
    listener = LISTENER.get()
    if listener is not None:
        listener(Observation(kind, data))


@contextmanager
def listening(listener: Callable[[Observation], None]) -> Iterator[None]:
    """Let a listener hear of the comparisons that are made inside the block, in this thread or task."""
    token = LISTENER.set(listener)
    try:
        yield
    finally:
        LISTENER.reset(token)
