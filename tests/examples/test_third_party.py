"""Differentiators of somebody else under test: autograd and a difference quotient, where Hypothesis puts them.

What to learn: ``f.callable(namespace)`` is the formula in another library's functions, and the certified gradient is
what its answer is held to. Automatic differentiation only rounds; a difference has a bound of its own.
"""

from __future__ import annotations

import autograd
import autograd.numpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.testing import assert_gradient, assert_within_bound, points, smooth_functions

OPERATIONS = ("add", "multiply", "exp", "sin", "tanh")


@pytest.mark.thorough
@given(data=st.data(), f=smooth_functions(variables=["x"], max_operations=5, operations=OPERATIONS))
@settings(max_examples=25, derandomize=True, database=None, deadline=None)
def test_autograd_agrees_with_the_derivative(data, f):
    x = data.draw(points(f))
    claimed = autograd.grad(f.callable(autograd.numpy))
    verdict = dc.check_gradient(f, lambda point: np.asarray(claimed(float(point))), at=x)
    # where the formula itself cancels, nothing can be told
    assert verdict.status in ("consistent", "inconclusive"), verdict.explain()


@pytest.mark.thorough
@given(x=st.floats(-3, 3))
@settings(max_examples=10, derandomize=True, database=None, deadline=None)
def test_autograd_agrees_all_over_a_range(x):
    f = dc.parse("tanh(x)/(2 + cos(x))")
    claimed = autograd.grad(f.callable(autograd.numpy))
    assert_gradient(f, lambda point: np.asarray(claimed(float(point))), at=x)


@given(x=st.floats(-3, 3))
@settings(max_examples=10, derandomize=True, database=None, deadline=None)
def test_differences_of_somebody_else_keep_their_bound(x):
    def three_points(f, x, h=1e-3):
        return (f(x + h) - f(x - h)) * (0.5 / h)

    assert_within_bound(dc.parse("exp(sin(x))"), three_points, x, h=1e-3)


@pytest.mark.thorough
def test_a_differentiator_with_a_mistake_is_found():
    f = dc.parse("exp(sin(x))")
    right = autograd.grad(f.callable(autograd.numpy))
    verdict = dc.check_gradient(f, lambda point: np.asarray(right(float(point)) * (1 + 1e-9)), at=0.7)
    assert verdict.status == "wrong"
