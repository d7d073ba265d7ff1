"""Hypothesis follows the lines of a failing test to explain it; those of this package are many, and explain nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

__all__ = ["follow", "users_lines_alone"]

_PACKAGE = str(Path(__file__).parent)
_TRACER = "hypothesis.internal.scrutineer"
# of Hypothesis, in sys.monitoring
_TOOL, _NAME = 3, "scrutineer"
# what follows the user's code; the calls of this package alone would take longer than the rest
_FOLLOWER: ContextVar[Any] = ContextVar("follower", default=None)


def follow() -> bool:
    """Begin to follow what is called next, where :func:`users_lines_alone` has ended it; tell whether it is so."""
    follower = _FOLLOWER.get()
    if follower is None:
        return False
    sys.settrace(follower)
    return True


@contextmanager
def users_lines_alone() -> Iterator[None]:
    """Hide the lines of this package from Hypothesis; debuggers and coverage see them all."""
    if sys.version_info >= (3, 12):
        with _monitored():
            yield
        return
    tracer = sys.gettrace()
    if type(getattr(tracer, "__self__", None)).__module__ != _TRACER:
        yield
        return

    def follower(frame: Any, event: Any, argument: Any) -> Any:
        # of a frame that is not followed no line is told
        ours = frame.f_code.co_filename.startswith(_PACKAGE)
        return None if ours or tracer is None else tracer(frame, event, argument)

    token = _FOLLOWER.set(follower)
    sys.settrace(None)
    try:
        yield
    finally:
        _FOLLOWER.reset(token)
        sys.settrace(tracer)


@contextmanager
def _monitored() -> Iterator[None]:
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is None or monitoring.get_tool(_TOOL) != _NAME:
        yield
        return

    def line(code: Any, number: int) -> Any:
        return monitoring.DISABLE if code.co_filename.startswith(_PACKAGE) else told(code, number)

    told = monitoring.register_callback(_TOOL, monitoring.events.LINE, line)
    try:
        yield
    finally:
        monitoring.register_callback(_TOOL, monitoring.events.LINE, told)
