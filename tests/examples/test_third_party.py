"""A differentiator of somebody else under test: autograd, at points that Hypothesis chooses.

What to learn: ``f.callable(namespace)`` is the formula in another library's functions, and the certified gradient is
what its answer is held to. Automatic differentiation only rounds, so a few ulps are all that it may be off.
"""

from __future__ import annotations

import autograd
import autograd.numpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.testing import assert_gradient

FORMULAS = ["x**3 - 2*x", "exp(sin(x))", "log(1 + x**2)", "tanh(x)/(2 + cos(x))"]


@pytest.mark.parametrize("text", FORMULAS)
@given(x=st.floats(-3, 3))
@settings(max_examples=10, derandomize=True, database=None, deadline=None)
def test_autograd_agrees_with_the_derivative(text, x):
    f = dc.parse(text)
    claimed = autograd.grad(f.callable(autograd.numpy))
    assert_gradient(f, lambda point: np.asarray(claimed(float(point))), at=x)


def test_a_differentiator_with_a_mistake_is_found():
    f = dc.parse("exp(sin(x))")
    right = autograd.grad(f.callable(autograd.numpy))
    verdict = dc.check_gradient(f, lambda point: np.asarray(right(float(point)) * (1 + 1e-9)), at=0.7)
    assert verdict.status == "wrong"
