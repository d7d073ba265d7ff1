"""The table that is being written, and errors for what a trace cannot follow: they name the place and the remedy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from diffcompare.errors import TraceError
from diffcompare.tracing.places import Place, called_from, here, is_library

__all__ = [
    "CompiledCodeError",
    "TooLargeError",
    "active_table",
    "refuse",
    "refuse_function",
    "refuse_plain",
    "refuse_ufunc",
    "writing_to",
]

_ACTIVE: ContextVar[Any] = ContextVar("diffcompare_table", default=None)


@contextmanager
def writing_to(table: Any) -> Iterator[None]:
    """Make a table the one that traced values write to, and whose refusal is remembered."""
    token = _ACTIVE.set(table)
    try:
        yield
    finally:
        _ACTIVE.reset(token)
        if token.old_value is not table:
            # an error holds frames, and so arrays of objects, through which no garbage collector sees a circle
            table.refusal = None


def active_table() -> Any:
    """Return the table that is being written; ``TraceError`` outside a recording."""
    table = _ACTIVE.get()
    if table is None:
        raise TraceError("a traced value is used after its recording; return it from the function instead")
    return table


class TooLargeError(TraceError):
    """A trace would hold more than it may."""


class CompiledCodeError(TraceError):
    """Compiled code was called with what is traced: as it is, it may call NumPy."""


def refuse(what: str, why: str, remedy: str, kind: type[TraceError] = TraceError) -> TraceError:
    """Make the error for code that cannot be traced, and remember it: the user's code may swallow it."""
    error = kind(f"{_user_place()}: {what}: {why}; {remedy}")
    table = _ACTIVE.get()
    if table is not None and table.refusal is None:
        table.refusal = error
    return error


def refuse_function(name: str) -> TraceError:
    """Make the error for a function that has no operation; ``name`` has its module."""
    return refuse(f"{name} of a traced value", "there is no such operation in the table", "use another function")


def refuse_ufunc(ufunc: Any) -> TraceError:
    """Make the error for a universal function of SciPy, or of the user's own compiled code."""
    name = ufunc.__name__
    if getattr(sys.modules.get("scipy.special"), name, None) is ufunc:
        return refuse_function(f"scipy's {name}")
    why = "it is compiled code, which a trace does not see into"
    return refuse(f"the ufunc {name} of a traced value", why, "pass formula=", CompiledCodeError)


def refuse_plain(what: str) -> TraceError:
    """Make the error for code that needs the number itself where a traced one is."""
    return refuse(
        f"{what} of a traced value",
        "what follows would no longer depend on the variables",
        "keep the NumPy numbers, or leave it out of what is traced",
    )


def _user_place() -> Place:
    """Return the innermost place that is no library's, where there is one: SciPy's own lines are not to change."""
    place = called_from(sys._getframe(1), is_library)[0]
    return place if place.line else here()
