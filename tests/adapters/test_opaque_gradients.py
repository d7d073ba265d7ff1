"""Gradients of which nothing but floats is seen, of functions in float32: right ones are right, wrong ones wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import diffcompare as dc

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]], dtype=np.float32)
Y = np.array([1.0, 0.0, 1.0], dtype=np.float32)
AT = [0.3, -0.2]


def regression(w: Any) -> Any:
    p = jax.nn.sigmoid(jnp.asarray(X) @ w)
    return -jnp.mean(Y * jnp.log(p) + (1 - Y) * jnp.log(1 - p)) + 0.1 * jnp.sum(w**2)


def quotient(x: Any) -> Any:
    return jnp.exp(x[0]) * jnp.sin(x[1]) / (1 + x[0] ** 2)


def in_numpy(w: Any) -> Any:
    w = np.asarray(w, dtype=np.float32)
    return np.sum(np.log1p(np.exp(X @ w)) - Y * (X @ w)) + np.float32(0.1) * np.sum(w**2)


def slopes_in_numpy(w: Any) -> Any:
    w = np.asarray(w, dtype=np.float32)
    return X.T @ (1 / (1 + np.exp(-(X @ w))) - Y) + np.float32(0.2) * w


def slopes_of(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return jax.jit(jax.grad(f))


def opaque(slopes: Callable[[Any], Any], change: Callable[[Any], Any] = lambda g: g) -> Callable[[Any], list[float]]:
    """Return a gradient that no trace follows: every number goes through text."""

    def gradient(w: Any) -> list[float]:
        g = np.asarray(slopes(np.asarray([float(str(float(v))) for v in w], dtype=np.float32)))
        return [float(v) for v in change(g)]

    return gradient


# a program is made of what a JAX function means; NumPy code that converts to float32 has none: its values alone speak
FUNCTIONS = {
    "JAX, regression": (regression, slopes_of(regression), "neighbours"),
    "JAX, quotient": (quotient, slopes_of(quotient), "neighbours"),
    "NumPy, regression": (in_numpy, slopes_in_numpy, "witness"),
}
WRONG = {
    "factor 1.001": lambda g: g * np.float32(1.001),
    "sign": lambda g: -g,
    "one component": lambda g: g + np.array([0.0, 0.01], dtype=np.float32),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_right_one_is_no_false_alarm(name: str) -> None:
    f, slopes, evidence = FUNCTIONS[name]
    for at in (AT, [1.7, 0.05], [-0.125, 3.0]):
        verdict = dc.check_gradient(f, opaque(slopes), at)
        assert verdict.evidence == evidence
        assert verdict.status == "consistent" or (verdict.status, evidence) == ("inconclusive", "witness")
        # the rounding of float32, and what could still be seen beyond it
        if evidence == "neighbours":
            assert verdict.rounding < 2.0**-18
            assert verdict.resolution < 1e-4


@pytest.mark.thorough
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_one_is_wrong(name: str, wrong: str) -> None:
    f, slopes, evidence = FUNCTIONS[name]
    verdict = dc.check_gradient(f, opaque(slopes, WRONG[wrong]), AT)
    assert (verdict.status, verdict.evidence) == ("wrong", evidence), verdict.explain()


def test_a_function_of_math_is_known_beside_an_opaque_gradient() -> None:
    # what it refers to was not seen, so that it was judged without a formula
    def f(x: Any) -> Any:
        return math.exp(x[0]) * x[1]

    def gradient(x: Any) -> Any:
        a, b = (float(str(float(v))) for v in x)
        return np.array([math.exp(a) * b, math.exp(a)])

    assert dc.check_gradient(f, gradient, [0.5, 2.0]).evidence == "neighbours"
    wrong = dc.check_gradient(f, lambda x: gradient(x) * (1 + 1e-9), [0.5, 2.0])
    assert (wrong.status, wrong.evidence) == ("wrong", "neighbours")
