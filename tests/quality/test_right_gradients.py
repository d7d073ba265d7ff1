"""Searches of boxes in which right gradients overflow, cancel, have kinks or cannot be read: no false alarm.

Each has a derivative that is right on paper, and is written as people write it; the boxes reach to where floats end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.testing import assert_gradient

pytestmark = pytest.mark.thorough


def opaque(x: Any) -> Any:
    """Take a value through bytes, as compiled code does: no trace can follow."""
    return np.frombuffer(np.asarray(x, dtype=np.float64).tobytes()).reshape(np.shape(x))[()]


def logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def log_sum_exp(x: Any) -> Any:
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


def softmax(x: Any) -> Any:
    weights = np.exp(x - np.max(x))
    return weights / np.sum(weights)


def first_share(x: Any) -> Any:
    return softmax(x)[0]


def first_share_slopes(x: Any) -> Any:
    p = softmax(x)
    return p[0] * ((np.arange(3) == 0) - p)


def spread_slopes(x: Any) -> Any:
    order = np.argsort(x)
    slopes = np.zeros(x.size)
    slopes[order[-1]], slopes[order[0]] = 1, -1
    return slopes


def ranks(x: Any) -> Any:
    return np.argsort(np.argsort(x)) + 1.0


def median_slopes(x: Any) -> Any:
    return np.where(np.arange(3) == np.argsort(x)[1], 2 * np.sort(x)[1], 0.0)


def trimmed(x: Any) -> Any:
    return np.sum(np.sort(x)[1:-1] ** 2)


def trimmed_slopes(x: Any) -> Any:
    slopes = 2 * x
    slopes[[np.argmin(x), np.argmax(x)]] = 0
    return slopes


def cosine(x: Any) -> Any:
    return x[0] / np.sqrt(x[0] ** 2 + x[1] ** 2)


def cosine_slopes(x: Any) -> Any:
    return np.array([x[1] ** 2, -x[0] * x[1]]) / np.sqrt(x[0] ** 2 + x[1] ** 2) ** 3


def normalised(x: Any) -> Any:
    return np.sum((x / np.linalg.norm(x)) * np.array([1.0, 2.0, -1.0]))


def normalised_slopes(x: Any) -> Any:
    size, w = np.sqrt(x @ x), np.array([1.0, 2.0, -1.0])
    return w / size - x * (w @ x) / size**3


def variance(x: Any) -> Any:
    return np.mean((x - np.mean(x)) ** 2)


def huber(x: Any) -> Any:
    return np.where(abs(x) < 1, x**2 / 2, abs(x) - 0.5)


SLOPES = {-1.0: -2.0, 0.0: 0.5, 1.0: 3.0}


def broken_line(x: Any) -> Any:
    return np.maximum(np.maximum(-2 * x - 2, 0.5 * x), 3 * x - 2)


def broken_line_slopes(x: Any) -> Any:
    x = opaque(x)
    return SLOPES[float(x > 0.8) - float(x < -0.8)]


def entropy(p: Any) -> Any:
    return -np.sum(p * np.log(p))


RIGHT: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any]] = {
    "logistic by its value": (logistic, lambda x: logistic(x) * (1 - logistic(x)), (-715.0, 715.0)),
    "logistic by exponentials": (logistic, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, (-715.0, 715.0)),
    "opaque logistic": (logistic, lambda x: np.exp(-opaque(x)) / (1 + np.exp(-x)) ** 2, (-715.0, 715.0)),
    "formula of the logistic": (
        dc.parse("1/(1+exp(-x))"),
        lambda x: logistic(x) * (1 - logistic(x)),
        (-715.0, 715.0),
    ),
    "exponential beyond its range": (np.exp, np.exp, (-800.0, 800.0)),
    "opaque exponential": (dc.parse("exp(x)"), lambda x: np.exp(opaque(x)), (-800.0, 800.0)),
    "hyperbolic cosine": (np.cosh, np.sinh, (-720.0, 720.0)),
    "softplus": (lambda x: np.logaddexp(0, x), logistic, (-750.0, 750.0)),
    "fourth power of huge numbers": (lambda x: x**4, lambda x: 4 * x**3, (-1e100, 1e100)),
    "opaque cube of tiny numbers": (lambda x: x**3, lambda x: 3 * opaque(x) ** 2, (-1e-150, 1e-150)),
    "bell curve": (lambda x: np.exp(-x @ x), lambda x: -2 * x * np.exp(-x @ x), ([-40.0] * 2, [40.0] * 2)),
    "hyperbolic tangent, opaque": (np.tanh, lambda x: 1 - np.tanh(opaque(x)) ** 2, (-50.0, 50.0)),
    "log-sum-exp": (log_sum_exp, softmax, ([-800.0] * 3, [800.0] * 3)),
    "log-sum-exp, opaque": (log_sum_exp, lambda x: softmax(opaque(x)), ([-800.0] * 3, [800.0] * 3)),
    "one share of a softmax": (first_share, first_share_slopes, ([-700.0] * 3, [700.0] * 3)),
    "spread of a sort": (lambda x: np.sort(x)[-1] - np.sort(x)[0], spread_slopes, ([-1.0] * 3, [1.0] * 3)),
    "weighted ranks": (lambda x: np.sum(np.sort(x) * np.arange(1.0, 5.0)), ranks, ([-1.0] * 4, [1.0] * 4)),
    "ranks of six": (lambda x: np.sum(np.sort(x) * np.arange(1.0, 7.0)), ranks, ([-1.0] * 6, [1.0] * 6)),
    "median": (lambda x: np.sort(x)[1] ** 2, median_slopes, ([-1.0] * 3, [1.0] * 3)),
    "trimmed sum": (trimmed, trimmed_slopes, ([-2.0] * 5, [2.0] * 5)),
    "maximum": (np.max, lambda x: (np.arange(3) == np.argmax(x)) * 1.0, ([-1.0] * 3, [1.0] * 3)),
    "rectifiers": (lambda x: np.sum(np.maximum(x, 0)), lambda x: (x > 0) * 1.0, ([-1.0] * 3, [1.0] * 3)),
    "absolute value, opaque": (np.abs, lambda x: np.sign(opaque(x)), (-5.0, 5.0)),
    "Huber": (huber, lambda x: np.clip(x, -1, 1), (-10.0, 10.0)),
    "Huber, opaque": (huber, lambda x: np.clip(opaque(x), -1, 1), (-10.0, 10.0)),
    "a straight piece": (
        lambda x: np.where(x < 1, x**2, 2 * x - 1),
        lambda x: 2 * x if x < 1 else 2.0,
        (-3.0, 3.0),
    ),
    "squared hinge": (lambda x: np.maximum(0, 1 - x) ** 2, lambda x: -2 * max(0, 1 - x), (-3.0, 3.0)),
    "norm": (lambda x: np.linalg.norm(x), lambda x: x / np.sqrt(x @ x), ([-1.0] * 3, [1.0] * 3)),
    "cosine of an angle": (cosine, cosine_slopes, ([-1.0] * 2, [1.0] * 2)),
    "cosine of an angle, opaque": (cosine, lambda x: cosine_slopes(opaque(x)), ([-1.0] * 2, [1.0] * 2)),
    "normalised and weighted": (normalised, normalised_slopes, ([-1.0] * 3, [1.0] * 3)),
    "variance": (variance, lambda x: 2 * (x - np.mean(x)) / x.size, ([-1e6] * 4, [1e6] * 4)),
    "x log x": (dc.parse("x*log(x)"), lambda x: np.log(x) + 1, (0.0, 10.0)),
    "logarithm beyond its domain": (np.log, lambda x: 1 / x, (-1.0, 10.0)),
    "root from its edge, opaque": (np.sqrt, lambda x: 0.5 / np.sqrt(opaque(x)), (0.0, 4.0)),
    "entropy": (entropy, lambda p: -np.log(p) - 1, ([0.0] * 3, [1.0] * 3)),
    "table of slopes": (broken_line, broken_line_slopes, (-3.0, 3.0)),
    "one minus cosine, cancelling": (lambda x: x - np.sin(x), lambda x: 1 - np.cos(opaque(x)), (-1.0, 1.0)),
    "arcsine to its edges": (np.arcsin, lambda x: 1 / np.sqrt(1 - opaque(x) ** 2), (-1.0, 1.0)),
    "log of a sum of roots": (
        dc.parse("log(sqrt(x) + sqrt(y))"),
        lambda x: 0.5 / (np.sqrt(x) * np.sum(np.sqrt(x))),
        ([0.0] * 2, [1e300] * 2),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_gradient_never_fails(name: str) -> None:
    f, gradient, box = RIGHT[name]
    assert assert_gradient(f, gradient, box=box).ok
