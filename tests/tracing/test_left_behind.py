"""A check leaves nothing in memory: a property test makes thousands of them."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.table import Table


def tables() -> int:
    gc.collect()
    return sum(isinstance(one, Table | ArrayTable) for one in gc.get_objects())


def refused(x: Any) -> Any:
    return np.sum(x**2) + len(str(x[0])) * 0


def failing(x: Any) -> Any:
    return float(repr(float(np.sum(x**2))))


CASES: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    # a constant of the code is a traced number in code that was rebuilt
    (lambda x: np.sum(x), lambda x: 1.0 + 0 * x),
    # a decision is told apart from others by its frame
    (lambda x: np.sum(np.where(x > 0, x, 0)), lambda x: (x > 0) * 1.0),
    (lambda x: x[0] * x[1] if x[0] > 1 else x[1], lambda x: np.array([x[1], x[0]])),
    # an error holds the frames that it went through
    (refused, lambda x: 2 * x),
    (failing, lambda x: 2 * x),
    (lambda x: np.sum(np.tile(x, 1000) ** 2), lambda x: 2000 * x),
)


@pytest.mark.thorough
def test_a_check_leaves_no_trace_behind() -> None:
    # one count for all: it looks at everything in memory
    before = tables()
    for f, gradient in CASES:
        dc.check_gradient(f, gradient, np.array([1.5, 2.5]))
    assert tables() <= before
