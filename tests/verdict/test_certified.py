"""Certified derivatives of code: the correctly rounded numbers, whichever way they are found."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import TraceError

POINT = np.array([0.7, -1.3, 2.1])
# code, and the same as formulas of x0, x1, x2
SAME: list[tuple[Any, str]] = [
    (lambda x: np.sum(x**2), "x0**2 + x1**2 + x2**2"),
    (lambda x: np.prod(np.sin(x)), "sin(x0)*sin(x1)*sin(x2)"),
    (lambda x: np.log(np.sum(np.exp(x))), "log(exp(x0) + exp(x1) + exp(x2))"),
    (lambda x: np.max(x) * np.min(x), "x2*x1"),
    (lambda x: np.sqrt(x @ x) / x[2], "sqrt(x0**2 + x1**2 + x2**2)/x2"),
    (lambda x: np.linalg.det(np.diag(x) + np.ones((3, 3))), "(x0 + 1)*((x1 + 1)*(x2 + 1) - 1) - x2 - x1"),
    (lambda x: np.sum(np.cumsum(x)[::-1] * x), "(x0 + x1 + x2)*x0 + (x0 + x1)*x1 + x0*x2"),
]


@pytest.mark.parametrize(("code", "formula"), SAME, ids=[formula for _, formula in SAME])
def test_code_and_formula_have_the_same_derivatives(code: Any, formula: str) -> None:
    known = dc.parse(formula, variables=["x0", "x1", "x2"])
    found, true = dc.certified_gradient(code, POINT), dc.certified_gradient(known, POINT)
    assert found.status == true.status == ["ok"] * 3
    assert found.value.tolist() == true.value.tolist()
    second, curved = dc.certified_hessian(code, POINT), dc.certified_hessian(known, POINT)
    assert second.status.tolist() == curved.status.tolist()
    assert second.value.tolist() == curved.value.tolist()


def test_a_jacobian_has_the_shape_of_what_is_returned() -> None:
    found = dc.certified_jacobian(lambda x: np.outer(x[:2], x[1:]), POINT)
    known = dc.parse(["x0*x1", "x0*x2", "x1*x1", "x1*x2"], variables=["x0", "x1", "x2"])
    assert found.value.shape == (2, 2, 3)
    assert found.value.reshape(4, 3).tolist() == dc.certified_jacobian(known, POINT).value.tolist()


def test_the_gradient_of_many_variables_is_correctly_rounded() -> None:
    x = np.random.default_rng(3).normal(size=20_000)
    found = dc.certified_gradient(lambda x: np.sum(np.sin(x) * np.exp(-(x**2))), x)
    assert set(found.status) == {"ok"}
    with mpmath.workprec(200):
        for i in range(0, x.size, 997):
            v = mpmath.mpf(float(x[i]))
            assert found.value[i] == float(mpmath.exp(-v * v) * (mpmath.cos(v) - 2 * v * mpmath.sin(v)))


def test_a_component_far_smaller_than_the_others_is_known_to_its_last_digit() -> None:
    found = dc.certified_gradient(lambda x: np.sum(np.exp(x)) + 1e-290 * x[2] ** 3, np.array([300.0, -300.0, -690.0]))
    with mpmath.workprec(2000):
        third = mpmath.exp(mpmath.mpf(-690)) + 3 * mpmath.mpf(1e-290) * mpmath.mpf(690) ** 2
        assert found.value.tolist() == [float(mpmath.exp(300)), float(mpmath.exp(-300)), float(third)]


def test_kinks_are_told_by_component() -> None:
    found = dc.certified_gradient(lambda x: np.sum(np.abs(x) + x**2), np.array([0.5, 0.0, -0.5]))
    assert found.status == ["ok", "kink", "ok"]
    assert found.value[[0, 2]].tolist() == [2.0, -2.0]
    assert np.isnan(found.value[1])


def test_points_of_several_arrays_and_arguments() -> None:
    at = {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([0.5, -0.5])}
    found = dc.certified_gradient(lambda p, t: np.sum((p["W"] @ p["b"] - t) ** 2), at, args=(np.array([1.0, 2.0]),))
    # r = W b - t = (-1.5, -2.5); 2 r bᵀ, then 2 Wᵀ r
    assert found.value.tolist() == [-1.5, 1.5, -2.5, 2.5, -18.0, -26.0]
    both = (np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert dc.certified_gradient(lambda p: p[0] @ p[1], both).value.tolist() == [3.0, 4.0, 1.0, 2.0]


def converged(x: Any) -> Any:
    z = 0 * x
    while np.max(np.abs(0.5 * np.tanh(z) + x - z)) > 1e-9:
        z = 0.5 * np.tanh(z) + x
    return np.sum(z**2)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (lambda x: float(repr(float(x[0]))), r"repr\(\) of a traced value"),
        (lambda x: x, "3"),
        (lambda x: np.sum(np.where(x > 0.7, 1.0, 0.0) + x), "jumps"),
        (converged, "has no program of arrays; run a fixed number of rounds"),
    ],
    ids=["opaque", "several numbers", "a jump", "a loop to a tolerance"],
)
def test_what_cannot_be_certified_is_refused(code: Any, why: str) -> None:
    with pytest.raises(TraceError, match=why):
        dc.certified_gradient(code, POINT)
