"""Backpropagation of a two-layer network on images of digits.

What to learn: layers are checked as a textbook does it first: numerical gradients with h = 1e-4 beside backpropagation,
and the mean difference looks small. How small is right, nobody says. Then the same dict of parameters goes to
``assert_gradient``, which needs no such judgement, and a planted mistake that the mean would hide is found and named.
"""

from __future__ import annotations

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing import assert_gradient


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, np.sum(dout, axis=0)
        return dout @ self.W.T


class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dout):
        return dout * (self.x > 0)


class SoftmaxWithLoss:
    def forward(self, x, t):
        shifted = x - np.max(x, axis=1, keepdims=True)
        log_sum = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        self.y, self.t = np.exp(shifted - log_sum), t
        return -np.sum(t * (shifted - log_sum)) / len(t)

    def backward(self):
        return (self.y - self.t) / len(self.t)


# images of 4 x 3 points, of which no two have the same grey; a zero comes twice
_DIGITS = ["###|#.#|#.#|###", ".#.|##.|.#.|###", "###|..#|.#.|###", "###|#.#|#.#|.##"]
_INK = np.array([[c == "#" for c in digit.replace("|", "")] for digit in _DIGITS])
X = np.random.default_rng(1).uniform(0.0, 0.2, _INK.shape) + 0.8 * _INK
T = np.eye(3)[[0, 1, 2, 0]]


def network(p):
    return Affine(p["W1"], p["b1"]), Relu(), Affine(p["W2"], p["b2"]), SoftmaxWithLoss()


def loss(p):
    first, relu, second, last = network(p)
    return last.forward(second.forward(relu.forward(first.forward(X))), T)


def backpropagation(p):
    first, relu, second, last = network(p)
    last.forward(second.forward(relu.forward(first.forward(X))), T)
    first.backward(relu.backward(second.backward(last.backward())))
    return {"W1": first.dW, "b1": first.db, "W2": second.dW, "b2": second.db}


@pytest.fixture(scope="module")
def parameters():
    rng = np.random.default_rng(0)
    shapes = {"W1": (12, 5), "b1": (5,), "W2": (5, 3), "b2": (3,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def mean_differences(gradient, p):
    """Compare as the textbook does: the mean of |backpropagation - numerical gradient|, one number a parameter."""
    found = {}
    for name, claimed in gradient(p).items():
        numeric = dc.numerical_gradient(lambda value, name=name: loss({**p, name: value}), p[name])
        found[name] = float(np.mean(np.abs(claimed - numeric)))
    return found


def test_the_textbook_check(parameters):
    assert max(mean_differences(backpropagation, parameters).values()) < 1e-8


def test_backpropagation_is_the_gradient(parameters):
    assert_gradient(loss, backpropagation, at=parameters)


def test_a_mistake_is_found_where_it_is(parameters):
    def wrong(p):
        return {**backpropagation(p), "b1": 2 * backpropagation(p)["b1"]}

    with pytest.raises(AssertionError, match=r"Worst component .*b1\["):
        assert_gradient(loss, wrong, at=parameters)


def test_a_mistake_below_the_textbook_s_threshold_is_found(parameters):
    def wrong(p):
        return {**backpropagation(p), "W2": backpropagation(p)["W2"] * (1 + 1e-9)}

    assert max(mean_differences(wrong, parameters).values()) < 1e-8
    assert dc.check_gradient(loss, wrong, at=parameters).status == "wrong"
