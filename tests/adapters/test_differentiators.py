"""How other libraries are asked: for the derivative and its error estimate. What they answer is not ours to test."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from diffcompare.adapters.differentiators import DIFFERENTIATORS, GRADIENT_DIFFERENTIATORS

X = np.array([0.5, 2.0])


class Asked:
    """A class of numdifftools: the slopes of a sum of squares, and with ``full_output`` an estimate beside them."""

    def __init__(self, f: Any, *, full_output: bool = False) -> None:
        self.f, self.full_output = f, full_output

    def __call__(self, x: Any) -> Any:
        assert self.f(x) is not None
        slopes = 2 * np.asarray(x)
        return (slopes, SimpleNamespace(error_estimate=1e-9 + 0 * slopes)) if self.full_output else slopes


def jacobi(f: Any, x: Any, *, diagonal: bool = True) -> Any:
    assert f(x) is not None
    slopes = 2 * np.asarray(x)
    return slopes, (1e-3 if diagonal else 1e-9) + 0 * slopes


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numdifftools", SimpleNamespace(Derivative=Asked, Gradient=Asked))
    monkeypatch.setitem(sys.modules, "jacobi", SimpleNamespace(jacobi=jacobi))


@pytest.mark.parametrize("name", ["numdifftools", "jacobi"])
def test_a_gradient_comes_with_its_error_estimate(name: str) -> None:
    needed, gradient = GRADIENT_DIFFERENTIATORS[name]
    value, error = gradient(lambda x: np.sum(x**2), X)
    assert needed == name
    assert np.array_equal(value, 2 * X)
    assert np.array_equal(error, [1e-9, 1e-9])


@pytest.mark.parametrize(("name", "estimate"), [("numdifftools", 1e-9), ("jacobi", 1e-3)])
def test_a_derivative_comes_with_its_error_estimate(name: str, estimate: float) -> None:
    _, derivative = DIFFERENTIATORS[name]
    assert derivative(lambda x: x**2, 0.5) == (1.0, estimate)
