"""Traces in which calls stay whole: what is one node, and what was decided for good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import linalg, special

from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.whole_calls import NamingRebuilder, WholeCalls

POINT = np.array([0.5, -1.0, 2.0])
MATRIX = np.array([[2.0, 0.5, 0.0], [0.5, 3.0, 0.25], [0.0, 0.25, 1.5]])


def recorded(function: Any, names: dict[int, str] | None = None) -> tuple[WholeCalls, Any]:
    table = WholeCalls(POINT)
    rebuilder = NamingRebuilder(table, ARRAYS)
    rebuilder.names = names or {}
    arguments = (placed_arrays(np.arange(3.0), table),)
    trace = record_arrays(function, arguments, table=table, keeping=Keeper().kept((function,)), rebuilder=rebuilder)
    return table, trace


def operations(table: WholeCalls, trace: Any) -> set[str]:
    return {table.build.nodes[k].operation for k in table.build.needed([trace.output])}


WHOLE = {
    "maximum": (lambda x: np.maximum(x, 0.0), "maximum"),
    "absolute": (lambda x: np.abs(x), "absolute"),
    "clip": (lambda x: np.clip(x, -1.0, 1.0), "clip"),
    "clip without a place": (lambda x: np.clip(x, -1.0, 1.0, out=None), "clip"),
    "where": (lambda x: np.where(x > 0, x, 2 * x), "where"),
    "max": (lambda x: x.max(), "max"),
    "mean": (lambda x: x.mean(), "mean"),
    "var": (lambda x: np.var(x), "var"),
    "norm": (lambda x: np.linalg.norm(x), "norm"),
    "logaddexp": (lambda x: np.logaddexp(0, x), "logaddexp"),
    "expit": (lambda x: special.expit(x), "expit"),
    "logsumexp": (lambda x: special.logsumexp(x), "logsumexp"),
    "cholesky": (lambda x: np.linalg.cholesky(MATRIX * x[2]), "cholesky"),
    "upper cholesky": (lambda x: linalg.cholesky(MATRIX * x[2]), "cholesky"),
    "solve": (lambda x: linalg.solve(MATRIX, x), "solve"),
    "concatenate": (lambda x: np.concatenate([x, x]), "concatenate"),
    "hstack": (lambda x: np.hstack([x, x]), "concatenate"),
    "stack": (lambda x: np.stack([x, x], axis=1), "concatenate"),
    "floor": (lambda x: x * np.floor(x), "floor"),
    "round": (lambda x: x * np.round(x), "rint"),
    "remainder": (lambda x: x % 0.75, "floor_divide"),
    "convolve": (lambda x: np.convolve(x, x), "convolve"),
    "roll": (lambda x: np.roll(x, 1), "roll"),
    "diagonal above": (lambda x: np.diag(x, 1), "join"),
    "mask times": (lambda x: x * (x > 0), "greater"),
    "times mask": (lambda x: (x > 0) * x, "greater"),
    "mask as numbers": (lambda x: (x > 0).astype(float) * x, "greater"),
    "both": (lambda x: np.where((x > 0) & (x < 1), x, 0.0), "and"),
    "neither": (lambda x: np.where(~(x > 0), x, 0.0), "not"),
}  # fmt: skip


@pytest.mark.parametrize(("function", "operation"), WHOLE.values(), ids=WHOLE)
def test_a_call_is_one_node_and_its_floats_are_the_codes(function: Any, operation: str) -> None:
    table, trace = recorded(function)
    assert operation in operations(table, trace)
    assert "choose" not in operations(table, trace)
    assert table.lost == []
    assert np.array_equal(trace.values, np.ravel(function(POINT)))


def test_a_system_with_a_cholesky_factor_is_one_of_its_triangle() -> None:
    def function(x: Any) -> Any:
        return linalg.solve_triangular(linalg.cholesky(MATRIX * x[2], lower=True), x, lower=True)

    table, trace = recorded(function)
    assert {"solve", "cholesky"} <= operations(table, trace)
    assert np.abs(trace.values - function(POINT)).max() < 1e-15


LOST = {
    "if": lambda x: x if x[0] > 0 else 2 * x,
    "index by a mask": lambda x: x[x > 0],
    "count": lambda x: x * np.sum(x > 0),
    "any": lambda x: x if np.any(x > 0) else 2 * x,
    "argmax": lambda x: x[np.argmax(x)],
    "argmin": lambda x: x[x.argmin()],
    "sort": lambda x: np.sort(x),
    "median": lambda x: np.median(x),
    "mask beside data": lambda x: np.where((x > 0) & np.array([True, False, True]), x, 0.0),
    "followed and taken": lambda x: next(np.where(m, x, 0.0) + np.sum(x[m]) for m in [x > 0]),
    "followed and asked": lambda x: next(np.where(m, x, 0.0) if m[0] else x for m in [x > 0]),
    "followed and counted": lambda x: next(np.where(m, x, 0.0) * m.sum() for m in [x > 0]),
    "nested": lambda x: np.where(x > 0, x, 0.0) if x[1] < 0 else x,
}


@pytest.mark.parametrize("function", LOST.values(), ids=LOST)
def test_a_decision_that_no_node_holds_is_lost(function: Any) -> None:
    assert recorded(function)[0].lost != []


def test_a_comparison_that_is_not_used_is_lost_too() -> None:
    # nothing tells what was made of it
    assert len(recorded(lambda x: (x > 0, x)[1])[0].lost) == 1


def test_what_has_a_name_is_a_node_of_its_own() -> None:
    first, second, number = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]), 2.5
    table, trace = recorded(
        lambda x: first * x + second + number, {id(first): "first", id(second): "second", id(number): "number"}
    )
    nodes = [table.build.nodes[k] for k in table.build.needed([trace.output])]
    assert {node.payload for node in nodes if node.operation == "named"} == {"first", "second", "number"}
    assert not [node for node in nodes if node.operation == "constant"]
