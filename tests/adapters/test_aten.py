"""Rules for PyTorch's operations, tried without PyTorch: what its documentation says of their defaults."""

from __future__ import annotations

import numpy as np

from diffcompare.adapters.aten_rules import RULES
from diffcompare.tracing.table import Table

X = np.array([[3.0, 1.0, 2.0, 9.0], [4.0, 9.0, 7.0, 5.0]])


def test_the_median_is_the_lower_one_and_its_dimension_goes() -> None:
    median = RULES["median"]
    assert median(X) == 4.0
    values, indices = median(X, 1)
    assert (values.tolist(), indices.tolist()) == ([2.0, 5.0], [2, 3])
    values, indices = median(X, 1, True)
    assert (values.tolist(), indices.tolist()) == ([[2.0], [5.0]], [[2], [3]])


def test_the_largest_come_first_along_the_last_dimension() -> None:
    values, indices = RULES["topk"](X, 2)
    assert (values.tolist(), indices.tolist()) == ([[9.0, 3.0], [9.0, 7.0]], [[3, 0], [1, 2]])
    values, _ = RULES["sort"](X, 0)
    assert values.tolist() == [[3.0, 1.0, 2.0, 5.0], [4.0, 9.0, 7.0, 9.0]]


def test_gelu_lets_large_numbers_pass_and_stops_those_far_below() -> None:
    with Table((), ()).recording():
        for approximate in ("none", "tanh"):
            assert [float(RULES["gelu"](x, approximate)) for x in (-40.0, 0.0, 40.0)] == [0.0, 0.0, 40.0]


def test_a_stack_is_solved_by_its_matrices_or_their_transposes() -> None:
    stack = np.array([[[2.0, 0.0, 0.0], [4.0, 1.0, 0.0], [0.0, 0.0, 1.0]]] * 2)
    b = np.array([[[2.0], [5.0], [1.0]]] * 2)
    solve = RULES["linalg_lu_solve"]
    assert (stack @ solve(stack, None, b)).tolist() == b.tolist()
    assert (np.swapaxes(stack, 1, 2) @ solve(stack, None, b, adjoint=True)).tolist() == b.tolist()
