"""Calls of the user's code are counted, and what they raise is an Exception."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from diffcompare.tracing.calling import StoppedError, called, calls_made
from diffcompare.watchdog import OutOfTime, calls_of, in_time


@in_time
def counted(f: Any, times: int, *, evaluations: int | None = None) -> int:
    for k in range(times):
        called(f, float(k))
    return calls_of(f)


def test_each_call_is_counted_in_its_check_and_in_the_process() -> None:
    before = calls_made()
    assert counted(abs, 3) == 3
    assert calls_made() == before + 3
    # another check counts anew
    assert counted(abs, 2) == 2


def test_more_calls_than_are_allowed_are_not_made() -> None:
    before = calls_made()
    with pytest.raises(OutOfTime, match="the 2 evaluations"):
        counted(abs, 3, evaluations=2)
    assert calls_made() == before + 3


def test_code_that_ends_the_process_raises_an_exception() -> None:
    with pytest.raises(StoppedError, match="SystemExit: 7"):
        called(sys.exit, 7)
    with pytest.raises(KeyboardInterrupt):
        called(_interrupted)


def _interrupted() -> None:
    raise KeyboardInterrupt
