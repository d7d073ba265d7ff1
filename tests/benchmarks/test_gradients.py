"""What ``numerical_gradient`` costs beside a bare loop over the coordinates, and beside one evaluation of all rows.

Run with ``pytest tests/benchmarks/test_gradients.py -m benchmark -s``. Ratios are printed, never asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

from .timing import median_seconds, print_table, written

pytestmark = pytest.mark.benchmark

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "x·x": lambda x: x @ x,
    "Σ x²": lambda x: np.sum(x**2),
    "Σ x·tanh x": lambda x: np.sum(x * np.tanh(x)),
}
ROWS: dict[str, Callable[[Any], Any]] = {
    "Σ x²": lambda x: np.sum(x**2, axis=1),
    "Σ x·tanh x": lambda x: np.sum(x * np.tanh(x), axis=1),
}


def bare(f: Callable[[Any], Any], x: Any, h: float = 1e-4) -> Any:
    """The loop at its barest: f gets one array again and again."""
    x, gradient = x.copy(), np.empty_like(x)
    for i in range(x.size):
        t = x[i]
        x[i] = t + h
        up = f(x)
        x[i] = t - h
        gradient[i] = (up - f(x)) / (2 * h)
        x[i] = t
    return gradient


def test_a_gradient_against_a_bare_loop() -> None:
    rows = []
    for n in (10, 100, 1000):
        x = np.linspace(-1, 1, n)
        for name, f in FUNCTIONS.items():
            assert bare(f, x).tobytes() == dc.numerical_gradient(f, x).tobytes()
            ours, theirs = median_seconds(lambda f=f, x=x: dc.numerical_gradient(f, x), lambda f=f, x=x: bare(f, x))
            rows.append((f"{name}, n = {n}", written(theirs), written(ours), f"{ours / theirs:.2f}", "≤ 1.1"))
    print_table("central gradient", ("", "bare loop", "ours", "ratio", "target"), rows)


def test_a_gradient_of_rows_against_one_evaluation() -> None:
    rows = []
    for n in (10, 100, 1000):
        x = np.linspace(-1, 1, n)
        every = np.tile(x, (2 * n, 1))
        for name, f in ROWS.items():
            ours, theirs = median_seconds(
                lambda f=f, x=x: dc.numerical_gradient(f, x, vectorized=True), lambda f=f, every=every: f(every)
            )
            rows.append((f"{name}, n = {n}", written(theirs), written(ours), f"{ours / theirs:.2f}", "≤ 1.5"))
    print_table("central gradient of rows", ("", "one evaluation", "ours", "ratio", "target"), rows)


def test_a_sweep_of_many_variables() -> None:
    """The work should grow like n, not like n²: twice the variables, twice the time."""
    rows = []
    before = 0.0
    for n in (125, 250, 500, 1000):
        f, x = dc.trace(lambda x: np.sum(x**2), (n,)), np.linspace(-1, 1, n)
        (seconds,) = median_seconds(lambda f=f, x=x: dc.sweep(f, x, steps=[1e-4]), repeat=3)
        rows.append((f"{n} variables", written(seconds), f"{seconds / before:.2f}" if before else "", "2"))
        before = seconds
    print_table("sweep of Σ x² at one step, three schemes", ("", "time", "to the one before", "n"), rows)
