"""A plugin of pytest for the runs on mutants: no further test is begun once a budget of processor time is spent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

# a run that ended for the budget, and not for a test that failed
SPENT = 77
_BUDGET = float(os.environ.get("MUTANTS_BUDGET", "inf"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Run a test, then stop the session if the budget is spent."""
    answer = yield
    if sum(os.times()[:4]) > _BUDGET and nextitem is not None and not item.session.testsfailed:
        item.session.shouldstop = f"budget spent after {time.process_time():.0f} s"
    return answer


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell by the exit code that the budget ended the run."""
    if session.shouldstop and not session.testsfailed:
        session.exitstatus = SPENT
