"""Sums and their like, number by number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import TraceError
from diffcompare.verdict.traced import trace

X = np.array([[0.5, -1.25], [2.0, 0.75]])


def test_a_norm_of_columns_is_traced_and_that_of_a_stack_refused() -> None:
    f = trace(lambda x: np.linalg.norm(x, 1, axis=0)[1], (2, 2))
    assert f(X.ravel()) == 2.0
    with pytest.raises(TraceError, match=r"norm\(ord=2\) of a matrix: it is found by iteration"):
        trace(lambda x: np.linalg.norm(x[None] * X[:, :1, None], 2), (2, 2))


@pytest.mark.parametrize("at", [[[0.1, -0.7], [1.3, 0.2]], np.linspace(-1, 1.3, 1100).reshape(2, 550)])
def test_a_reduction_in_a_shorter_type_is_that_of_the_same_real_numbers(at: Any) -> None:
    # the trace was refused: it gave other numbers than the code
    kind = np.float32

    def f(x: Any) -> Any:
        row = np.cumsum(x[0, :2], dtype=kind)[-1] * np.prod(x[1, :2], dtype=kind) + np.cumprod(x[0, :2], dtype=kind)[-1]
        return np.mean(np.sum(np.square(x), axis=1, dtype=kind), dtype=kind) + x.sum(dtype=kind) + row

    def g(x: Any) -> Any:
        found = x + 1
        found[0, :2] += x[1, 0] * x[1, 1] + x[0, 1::-1]
        found[1, :2] += (x[0, 0] + x[0, 1]) * x[1, 1::-1]
        return found

    verdict = dc.check_gradient(f, g, np.array(at))
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict
    assert dc.check_gradient(f, lambda x: g(x) * (1 + 1e-9), np.array(at)).status == "wrong"
