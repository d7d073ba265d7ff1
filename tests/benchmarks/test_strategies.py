"""How fast examples are drawn, and how many are rejected.

Run with ``pytest tests/benchmarks -m benchmark -s``. Figures are printed, never asserted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.statistics import collector

import diffcompare as dc

from .timing import print_table

pytestmark = pytest.mark.benchmark

EXAMPLES = 1000


def drawn(strategy: st.SearchStrategy) -> tuple[float, float, float]:
    """Return examples per second by the clock, by the processor, and the share that was rejected."""

    @settings(max_examples=EXAMPLES, database=None, derandomize=True, deadline=None)
    @given(strategy)
    def draw(example: object) -> None:
        pass

    statistics: list[dict] = []
    draw()
    clock, processor = time.perf_counter(), time.process_time()
    with collector.with_value(statistics.append):
        draw()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    cases = [case for phase in statistics[0].values() if isinstance(phase, dict) for case in phase["test-cases"]]
    # an overrun is Hypothesis's own: a random start that was too short
    rejected = sum(case["status"] == "invalid" for case in cases)
    return len(cases) / clock, len(cases) / processor, rejected / len(cases)


def test_examples_per_second_and_rejected() -> None:
    strategies: dict[str, Callable[[], st.SearchStrategy]] = {
        "comparisons()": dc.testing.comparisons,
        "comparisons(variables=['x'])": lambda: dc.testing.comparisons(variables=["x"]),
        "smooth_functions()": dc.testing.smooth_functions,
        "smooth_functions(max_operations=30)": lambda: dc.testing.smooth_functions(max_operations=30),
        "points(log(x))": lambda: dc.testing.points(dc.parse("log(x)")),
        "steps()": dc.testing.steps,
        "gradients_with_bugs()": dc.testing.gradients_with_bugs,
    }
    rows = []
    for name, make in strategies.items():
        clock, processor, rejected = drawn(make())
        rows.append((name, f"{clock:.0f}", f"{processor:.0f}", f"{rejected:.1%}"))
    print_table(
        f"{EXAMPLES} examples (target for comparisons(): 300 per second, < 1 % rejected)",
        ("", "per second", "per processor second", "rejected"),
        rows,
    )
