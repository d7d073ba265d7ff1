"""What a table of errors costs: 1,000 points × 64 steps × 3 schemes, against the plain ways to make one.

Run with ``pytest tests/benchmarks -m benchmark -s``. Times are printed, never asserted.
"""

from __future__ import annotations

import inspect
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES

from .timing import median_seconds, print_table, written

pytestmark = pytest.mark.benchmark

FORMULA = "exp(x)/(sin(x)**3 + cos(x)**3)"
POINTS = np.linspace(0.3, 2.0, 1000)
STEPS = dc.geometric_steps(1e-1, 1e-17)[:64]
SCHEMES = ("forward", "backward", "central")
ROWS = POINTS.size * STEPS.size * len(SCHEMES)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return make_table()


# ---- the plain ways


def bare(x: Any) -> Any:
    return np.exp(x) / (np.sin(x) ** 3 + np.cos(x) ** 3)


def broadcast() -> tuple[Any, Any, Any]:
    """The three formulas as they are written, all points × steps at once."""
    x, h = POINTS[:, None], STEPS
    return (
        (bare(x + h) - bare(x)) / h,
        (bare(x) - bare(x - h)) / h,
        (bare(x + h) - bare(x - h)) / (2 * h),
    )


def plain(x: float) -> float:
    return math.exp(x) / (math.sin(x) ** 3 + math.cos(x) ** 3)


def python_loop() -> pd.DataFrame:
    """A loop over floats with a row of all columns per step, without any reference: the derivative is nan."""
    nan = math.nan
    # from bound and within_bound to derivative
    blank = (nan, None, "ok", "float64", nan, nan, nan, nan, nan, nan, nan, "", nan, nan, 1)
    formulas: dict[str, tuple[int, Callable[[float, float], float]]] = {
        "forward": (1, lambda x, h: (plain(x + h) - plain(x)) / h),
        "backward": (1, lambda x, h: (plain(x) - plain(x - h)) / h),
        "central": (2, lambda x, h: (plain(x + h) - plain(x - h)) / (2 * h)),
    }
    rows = []
    for x in POINTS.tolist():
        point = f"x={x!r}"
        for scheme, (order, formula) in formulas.items():
            for h in STEPS.tolist():
                numeric = formula(x, h)
                error = numeric - nan
                size, share = abs(error), abs(error / nan)
                rows.append((FORMULA, "x", point, scheme, order, h, numeric, nan, error, size, share, *blank))
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    for column, kind in COLUMNS.items():
        if kind == "text":
            order_of = {"status": STATUSES, "bound_source": BOUND_SOURCES}.get(column)
            frame[column] = pd.Categorical(frame[column], order_of or list(dict.fromkeys(frame[column])))
        elif kind == "flag":
            frame[column] = frame[column].astype("boolean")
    return frame


def group_loop(table: pd.DataFrame) -> pd.DataFrame:
    """The same summary, one group after another."""
    rows = []
    for key, group in table.groupby(["function", "variable", "point", "scheme"], observed=True, sort=False):
        ok = group[(group["status"] == "ok") & group["abs_error"].notna()]
        best = ok.sort_values(["abs_error", "h"], ascending=[True, False]).iloc[0] if len(ok) else None
        predicted = group["predicted_h"].iloc[0]
        fit = ok[(ok["h"] >= 10 * predicted) & (ok["abs_error"] > 0)].sort_values("h").head(8)
        slope = np.polyfit(np.log(fit["h"]), np.log(fit["abs_error"]), 1)[0] if len(fit) >= 3 else np.nan
        at = group.loc[group["h"] == 1e-4, "abs_error"]
        rows.append(
            (
                *key,
                np.nan if best is None else best["h"],
                np.nan if best is None else best["abs_error"],
                predicted,
                group["predicted_abs_error"].iloc[0],
                group["order"].iloc[0],
                slope,
                at.iloc[0] if len(at) else np.nan,
            )
        )
    return pd.DataFrame(rows)


# ---- the comparisons


def make_table() -> pd.DataFrame:
    """From the text to the frame: nothing is kept from an earlier run."""
    return dc.sweep(dc.parse(FORMULA), POINTS, schemes=SCHEMES, steps=STEPS, split=False, bounds=False)


# the parts of a sweep and the functions that do them, wherever they are defined
PARTS = {
    "reference": ("certified_partials", "certified_derivatives"),
    "jets": ("taylor_jet",),
    "domain": ("certainly_inside", "undefined_steps"),
    "kernel": ("differences",),
    "errors": ("difference", "ratio", "settle"),
    "predictions": ("predictions",),
    "frame": ("frame",),
}

Wrapper = Callable[[str, Callable[..., Any]], Callable[..., Any]]


def wrap_parts(monkeypatch: pytest.MonkeyPatch, wrapper: Wrapper) -> set[str]:
    """Put a wrapper around the functions of the parts in every module that uses them; return the parts found."""
    part_of = {name: part for part, names in PARTS.items() for name in names}
    found = set()
    for module in [m for name, m in list(sys.modules.items()) if name.startswith("diffcompare.sweeps.")]:
        for attribute, value in list(vars(module).items()):
            part = part_of.get(attribute.lstrip("_"))
            if part and inspect.isfunction(value):
                monkeypatch.setattr(module, attribute, wrapper(part, value))
                found.add(part)
    return found


def test_the_kernel_against_a_bare_broadcast(table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    numeric = table["numeric"].to_numpy().reshape(POINTS.size, len(SCHEMES), STEPS.size)
    for k, expected in enumerate(broadcast()):
        assert np.array_equal(numeric[:, k], expected)
    calls: list[Callable[[], object]] = []

    def keep(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if part == "kernel":
                calls.append(partial(function, *arguments, **keywords))
            return function(*arguments, **keywords)

        return call

    wrap_parts(monkeypatch, keep)
    make_table()
    (kernel,) = calls
    ours, theirs = median_seconds(kernel, broadcast, repeat=25)
    print_table(
        f"numeric derivatives of {ROWS:,} rows, float64",
        ("", "time", "ratio", "target"),
        [
            ("bare NumPy broadcast", written(theirs), "", ""),
            ("kernel of sweep", written(ours), f"{ours / theirs:.2f}", "≤ 2"),
        ],
    )


def test_the_sweep_against_a_python_loop(table: pd.DataFrame) -> None:
    loop = python_loop()
    assert list(loop.columns) == list(table.columns)
    assert len(loop) == len(table) == ROWS
    assert [str(kind) for kind in loop.dtypes] == [str(kind) for kind in table.dtypes]
    ours, theirs, bare_time = median_seconds(make_table, python_loop, broadcast, repeat=7)
    print_table(
        f"whole table of {ROWS:,} rows",
        ("", "time", "rows/s", "ratio", "target"),
        [
            ("bare NumPy broadcast", written(bare_time), f"{ROWS / bare_time:,.0f}", f"{ours / bare_time:.1f}", "≤ 12"),
            ("loop over math, no reference", written(theirs), f"{ROWS / theirs:,.0f}", "", ""),
            (
                "sweep, certified",
                written(ours),
                f"{ROWS / ours:,.0f}",
                f"{theirs / ours:.2f}",
                "≥ 6,000,000 rows/s",
            ),
        ],
    )


def test_split_and_bounds_against_each_step_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    points = POINTS[::20]

    def whole() -> pd.DataFrame:
        return dc.sweep(dc.parse(FORMULA), points, schemes=SCHEMES, steps=STEPS)

    def alone() -> pd.DataFrame:
        with monkeypatch.context() as patch:
            patch.setattr("diffcompare.sweeps.expansions._FEWEST_STEPS", math.inf)
            return whole()

    rows = len(whole())
    assert len(alone()) == rows
    ours, theirs = median_seconds(whole, alone, repeat=5)
    print_table(
        f"{rows:,} rows with split and bounds",
        ("", "time", "rows/s", "ratio", "target"),
        [
            ("each step in balls", written(theirs), f"{rows / theirs:,.0f}", "", ""),
            ("from expansions", written(ours), f"{rows / ours:,.0f}", f"{theirs / ours:.1f}", "≥ 120,000 rows/s"),
        ],
    )


def test_the_summary_against_a_loop_over_groups(table: pd.DataFrame) -> None:
    assert len(group_loop(table.head(10 * STEPS.size))) == len(dc.summarize(table.head(10 * STEPS.size))) == 10
    (ours,) = median_seconds(lambda: dc.summarize(table), repeat=7)
    begun = time.perf_counter()
    group_loop(table)
    theirs = time.perf_counter() - begun
    print_table(
        f"summary of {ROWS:,} rows in {ROWS // STEPS.size:,} groups",
        ("", "time", "ratio", "target"),
        [
            ("loop over the groups", written(theirs), "", ""),
            ("summarize", written(ours), f"{theirs / ours:.0f}", "≤ 0.5 s"),
        ],
    )


def test_many_variables() -> None:
    """Three schemes at one step of a traced sum of 1,000 variables."""
    point, h = np.linspace(0.1, 2.0, 1000), 1e-4

    def total(x: Any) -> Any:
        return np.sum(np.sin(x) ** 2)

    def of_each() -> Any:
        moves = h * np.eye(point.size)
        return [((total(point + d) - total(point - d)) / (2 * h), (total(point + d) - total(point)) / h) for d in moves]

    function = dc.trace(total, point.size)
    ours, theirs = median_seconds(partial(dc.sweep, function, [point], steps=[h]), of_each, repeat=3)
    print_table(
        "3,000 rows of 1,000 variables with split and bounds",
        ("", "time", "ratio"),
        [("sweep", written(ours), ""), ("differences alone in NumPy", written(theirs), f"{ours / theirs:.0f}")],
    )


def test_the_parts_of_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = dict.fromkeys(PARTS, 0.0)
    depth = 0

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal depth
            depth += 1
            begun = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                depth -= 1
                if depth == 0:  # a part within a part counts once
                    spent[part] += time.perf_counter() - begun

        return call

    assert wrap_parts(monkeypatch, timed) == set(PARTS)
    make_table()
    spent.update(dict.fromkeys(PARTS, 0.0))
    repeat = 7
    begun = time.perf_counter()
    for _ in range(repeat):
        make_table()
    whole = time.perf_counter() - begun
    rest = whole - sum(spent.values())
    print_table(
        f"parts of a sweep of {ROWS:,} rows",
        ("", "time", "share"),
        [
            (part, written(t / repeat), f"{t / whole:.0%}")
            for part, t in (*spent.items(), ("rest", rest), ("whole", whole))
        ],
    )
