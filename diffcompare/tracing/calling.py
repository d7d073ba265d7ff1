"""Calling the user's code: whatever it raises is an Exception, but for what is no fault of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from diffcompare.line_tracing import follow
from diffcompare.watchdog import OutOfTime, count_call

__all__ = ["PASSING", "Interruption", "StoppedError", "called", "calls_made"]

_made = 0


class Interruption(BaseException):
    """Ends a check from inside the code that it calls: nothing that catches that code's errors may catch this."""


PASSING = (KeyboardInterrupt, GeneratorExit, Interruption, OutOfTime)


class StoppedError(RuntimeError):
    """The user's code raised what is no Exception, such as SystemExit; it is the cause of this one."""


def calls_made() -> int:
    """Count the calls of users' code in this process: where the number is the same, none was made."""
    return _made


def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the user's code, which raises an Exception if anything; Ctrl-C passes."""
    global _made
    _made += 1
    count_call(function)
    followed = follow()
    try:
        return function(*arguments)
    except (Exception, *PASSING):
        raise
    except BaseException as error:
        raise StoppedError(f"{type(error).__name__}: {error}") from error
    finally:
        if followed:
            sys.settrace(None)
