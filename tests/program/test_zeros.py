"""What is 0 at every point, by numbers and by arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from diffcompare.arithmetic.balls import BALL_OPERATIONS
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.dag import Builder
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.zeros import VANISHING, is_always_zero, zero_elements

# of these the rounded side decides, or an order of their own
STEPS = {"sign", "floor", "ceiling", "not", "integer_power"}


@pytest.mark.parametrize("name", [name for name, row in OPERATIONS.items() if row.arity == 1 and name not in STEPS])
def test_what_gives_0_for_0_is_known_of_every_operation(name: str) -> None:
    assert (BALL_OPERATIONS[name](arb(0)) == 0) == (name in VANISHING)


def test_numbers_that_are_always_0() -> None:
    build = Builder(("x", "y"))
    x, y, zero, two = build.variable(0), build.variable(1), build.constant(0), build.constant(2)
    raw = build.raw
    product, quotient, gap = raw("multiply", y, zero), raw("divide", zero, x), raw("subtract", x, x)
    always = [product, quotient, gap, raw("add", product, gap), raw("sum", gap, zero, quotient)]
    always += [raw("sin", gap), raw("integer_power", quotient, payload=2), raw("dot", gap, x, y, zero)]
    not_always = [x, two, raw("subtract", x, y), raw("add", gap, x), raw("exp", gap), raw("divide", x, two)]
    not_always += [raw("integer_power", gap, payload=0), raw("sum", gap, y), raw("dot", gap, x, y, y), raw("cos", gap)]
    known: dict[int, bool] = {}
    assert [is_always_zero(build.nodes, node, known) for node in always] == [True] * len(always)
    assert [is_always_zero(build.nodes, node, known) for node in not_always] == [False] * len(not_always)


def matrix(build: ArrayBuilder, values: Any) -> int:
    return build.constant(np.array(values, dtype=float))


def test_elements_of_arrays_that_are_always_0() -> None:
    build = ArrayBuilder(4)
    x = build.reshape(build.variables, (2, 2))
    half = matrix(build, [[0.0, 1.0], [2.0, 0.0]])
    diagonal = np.array([[True, False], [False, True]])

    def zeros(node: int) -> Any:
        return zero_elements(build, node, {})

    scaled = build.raw("multiply", x, half)
    assert np.array_equal(zeros(scaled), diagonal)
    assert np.array_equal(zeros(build.raw("subtract", x, build.transpose(x, (1, 0)))), diagonal)
    assert zeros(build.raw("sqrt", scaled)).tolist() == diagonal.tolist()
    assert not zeros(build.raw("exp", scaled)).any()
    assert not zeros(build.raw("add", scaled, x)).any()
    assert np.array_equal(zeros(build.total(build.raw("multiply", x, matrix(build, [[0, 0], [0, 1.0]])), (1,))), [1, 0])
    assert zeros(build.take(scaled, np.array([0, 1, 3]))).tolist() == [True, False, True]
    assert zeros(build.join([scaled, half])).tolist() == [True, False, False, True] * 2
    assert zeros(build.scatter(scaled, np.array([[0, 1], [2, 0]]), (4,))).tolist() == [True, False, False, True]
    # each row of the second times the columns of the first
    assert zeros(build.contract("ij,jk->ik", half, matrix(build, [[0.0, 1.0], [0.0, 0.0]]))).tolist() == [
        [True, True],
        [True, False],
    ]
    assert zeros(build.choose(diagonal, scaled, x)).tolist() == diagonal.tolist()
    down = build.raw("multiply", x, matrix(build, [[0.0, 0.0], [1.0, 0.0]]))
    assert zeros(build.cumulate(down, 0)).tolist() == [[True, True], [False, True]]
    assert zeros(build.cumulate(down, 0, backwards=True)).tolist() == [[False, True], [False, True]]
