"""Arrays that code makes of numbers alone take traced numbers, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.array import lifted
from diffcompare.tracing.table import Table
from diffcompare.verdict import array_identity
from diffcompare.verdict.traced import trace

MADE: dict[str, Callable[[], Any]] = {
    "linspace": lambda: np.linspace(0.0, 1.0, 4),
    "hanning": lambda: np.hanning(4),
    "meshgrid": lambda: np.meshgrid(np.linspace(0.0, 1.0, 4), np.ones(2))[0][0],
    "sort": lambda: np.sort(np.array([3.0, 1.0, 2.0, 4.0])),
    "interp": lambda: np.interp(np.array([0.5, 0.25, 1.0, 0.0]), [0.0, 1.0], [2.0, 4.0]),
    "frexp": lambda: np.frexp(np.array([0.5, 3.0, 5.0, 7.0]))[0],
    "modf": lambda: np.modf(np.array([0.5, -3.25, 5.75, 7.0]))[0],
    "divmod": lambda: np.divmod(np.array([0.5, -3.25, 5.75, 7.0]), 0.75)[1],
    "loadtxt": lambda: np.loadtxt(["1.5 2.5 3.5 4.5"]),
    "outer": lambda: np.subtract.outer(np.array([1.0]), np.array([4.0, 5.0, 6.0, 7.0]))[0],
}


@pytest.mark.parametrize("name", MADE)
def test_a_traced_number_is_written_into_it(name: str) -> None:
    def f(x: Any) -> Any:
        y = MADE[name]()
        y[1] = x[0] * y[2]
        y[0] += x[1]
        return np.sum(y * y)

    traced = trace(f, 2)
    for point in ([0.5, -1.25], [3.0, 2.0]):
        got, expected = float(traced(point)), float(f(np.array(point)))
        assert abs(got - expected) <= 2.0**-48 * abs(expected)


def test_equal_numbers_are_lifted_once() -> None:
    table = Table(("x",), [0.0])
    numbers = [0.5, -0.0, 0.5, 0.0, 7.0, np.nan, np.inf, 7.0]
    found = lifted(np.array(numbers), table).tolist()
    assert [repr(one.shadow) for one in found] == [repr(v) for v in numbers]
    assert found[0] is found[2]
    assert found[4] is found[7]
    assert found[1] is not found[3]
    assert len({one.index for one in found[:5]}) == 3


@pytest.mark.thorough
def test_a_large_matrix_and_its_transpose_are_one_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    X, seen = np.random.default_rng(0).normal(size=(90_000, 5)), []

    def kept(*args: Any, **options: Any) -> Any:
        seen.append(known(*args, **options))
        return seen[-1]

    known = array_identity.trace_arrays
    monkeypatch.setattr(array_identity, "trace_arrays", kept)
    verdict = dc.check_gradient(lambda w: 0.5 * np.mean((X @ w) ** 2), lambda w: X.T @ (X @ w) / len(X), np.ones(5))
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    (pair,) = seen
    assert [node.shape for node in pair.build.nodes if node.numbers is not None and node.numbers.size == X.size] == [
        X.shape
    ]
