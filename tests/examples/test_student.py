"""A student's gradient: how to ask whether a derivative that was worked out by hand is right.

What to learn: write the function as the exercise states it, write the gradient as code, and assert. There is no step
size and no tolerance to choose. Where the gradient is wrong, the message says where, by how much, and why.
"""

from __future__ import annotations

import unittest

import numpy as np
import pytest

from diffcompare.testing import assert_gradient


def f(x):
    return x[0] ** 2 * np.sin(x[1]) + np.exp(x[0] * x[1])


def gradient(x):
    e = np.exp(x[0] * x[1])
    return np.array([2 * x[0] * np.sin(x[1]) + x[1] * e, x[0] ** 2 * np.cos(x[1]) + x[0] * e])


def first_attempt(x):
    """Forgets that the derivative of exp(x0*x1) with respect to x0 has the factor x1."""
    e = np.exp(x[0] * x[1])
    return np.array([2 * x[0] * np.sin(x[1]) + e, x[0] ** 2 * np.cos(x[1]) + x[0] * e])


class TestExercise(unittest.TestCase):
    def test_the_gradient_is_right_at_three_points(self):
        for at in ([1.0, 2.0], [-0.5, 0.25], [0.0, 0.0]):
            with self.subTest(at=at):
                assert_gradient(f, gradient, at=at)

    def test_the_first_attempt_is_told_what_is_wrong(self):
        expected = r"wrong: 1 of 2 components differ from the derivative(.|\n)*Worst component x\[0\]"
        with pytest.raises(AssertionError, match=expected):
            assert_gradient(f, first_attempt, at=[1.0, 2.0])
