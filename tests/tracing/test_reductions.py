"""Sums and their like, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from diffcompare.errors import TraceError
from diffcompare.verdict.traced import trace

X = np.array([[0.5, -1.25], [2.0, 0.75]])


def test_a_norm_of_columns_is_traced_and_that_of_a_matrix_refused() -> None:
    f = trace(lambda x: np.linalg.norm(x, 1, axis=0)[1], (2, 2))
    assert f(X.ravel()) == 2.0
    with pytest.raises(TraceError, match=r"norm\(ord=2\) of a matrix: it is found by iteration"):
        trace(lambda x: np.linalg.norm(x, 2), (2, 2))
