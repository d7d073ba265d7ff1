"""Logistic regression: a property that must hold at every weight vector, and options of the loss as parameters.

What to learn: let Hypothesis choose the point. Every example is judged exactly, so a property needs no tolerance,
and a failure shrinks to the simplest point that shows it. With ``pytest --diffcompare-report=out`` the property is one
row of the report.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.testing import assert_gradient

X = np.array([[1.0, 2.0, 1.0], [3.0, -1.0, 1.0], [0.5, 0.25, 1.0], [-2.0, 1.5, 1.0]])
Y = np.array([1.0, 0.0, 1.0, 0.0])


def loss(w, penalty=0.1):
    z = X @ w
    return np.mean(np.logaddexp(0, z) - Y * z) + penalty * np.sum(w**2)


def gradient(w, penalty=0.1):
    p = 1 / (1 + np.exp(-(X @ w)))
    return X.T @ (p - Y) / len(Y) + 2 * penalty * w


@given(st.lists(st.floats(-4, 4), min_size=3, max_size=3))
@settings(max_examples=15, derandomize=True, database=None, deadline=None)
def test_the_gradient_is_right_everywhere(w):
    assert_gradient(loss, gradient, at=w)


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 10.0])
def test_the_gradient_is_right_for_every_penalty(penalty):
    assert_gradient(loss, gradient, at=[0.3, -0.2, 0.1], args=(penalty,))


def test_another_penalty_is_found_and_named():
    verdict = dc.check_gradient(loss, lambda w: gradient(w, penalty=0.05), at=[0.3, -0.2, 0.1])
    assert verdict.status == "wrong"
    assert verdict.cause == "0.05 stands in place of 0.1"
