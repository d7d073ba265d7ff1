"""Why a matrix of derivatives is wrong, row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

DISTANCES = (np.arange(5)[:, None] - np.arange(5)[None]) ** 2 / 7


def kernel(t: Any) -> Any:
    return np.exp(-np.exp(t[0]) * DISTANCES) + np.exp(t[1]) * np.eye(5)


def quotient(t: Any) -> Any:
    J, h, start = np.zeros((5, 5, 2)), 1e-10, np.exp(-np.exp(t[0]) * DISTANCES)
    J[:, :, 0] = (np.exp(-np.exp(t[0] + h) * DISTANCES) - start) / h
    J[:, :, 1] = np.exp(t[1]) * np.eye(5)
    return J


@pytest.mark.parametrize("at", [-0.30667494393873246, -0.3, 0.5, 1.0])
def test_a_step_that_fits_by_chance_at_one_point_is_not_said(at: float) -> None:
    # it was 1e-11, or 1e-10*|x|, where one in ten multiples of a spacing is one of ten spacings
    cause = dc.check_jacobian(kernel, quotient, np.array([at, -2.0])).cause
    assert str(cause) == "the claim is a finite difference, h about 1e-10"


def test_a_row_of_a_matrix_has_a_number() -> None:
    def jacobian(x: Any) -> Any:
        p, q = map(float, x)
        return [[q, p], [math.exp(p), math.cos(q) * p]]

    cause = dc.check_jacobian(
        lambda x: np.array([x[0] * x[1], np.exp(x[0]) + np.sin(x[1]) * x[0]]), jacobian, [0.3, 0.7]
    )
    assert str(cause.cause) == "in row 1, the product rule's term with the derivative of x0 is missing"


def quotients(x: Any) -> Any:
    h, start = 1e-7, curved(x)
    return np.stack([(curved(x + h * unit) - start) / h for unit in np.eye(2)], axis=1)


def curved(x: Any) -> Any:
    return np.array([np.exp(x[0]) * x[1], np.sin(x[0] * x[1]), x[0] ** 3 / x[1]])


def test_a_matrix_of_quotients_is_one_in_every_row() -> None:
    verdict = dc.check_jacobian(curved, quotients, [0.7, 1.3])
    assert str(verdict.cause).startswith("the claim is a finite difference")
    assert verdict.cause is not None
    # the first function is linear in x[1]
    assert verdict.cause.components == (0, 2, 3, 4, 5)


@pytest.mark.places
def test_no_place_is_looked_for_in_a_quotient(monkeypatch: pytest.MonkeyPatch) -> None:
    # it has no formula, and the search of its source took seconds
    monkeypatch.setattr("diffcompare.verdict.pointing.search", lambda *_: pytest.fail("it was looked for"))
    verdict = dc.check_jacobian(curved, quotients, [0.7, 1.3])
    assert verdict.cause is not None
    assert not verdict.marks


FORM = np.array([[1.0, 2.0, -0.5], [0.25, 3.0, 1.0], [0.75, -2.0, 0.5]])


@pytest.mark.parametrize(("claim", "said"), [(FORM, "sum"), (2 * FORM, "mean")])
def test_half_of_a_quadratic_form_is_not_its_hessian(claim: Any, said: str) -> None:
    verdict = dc.check_hessian(lambda x: x @ FORM @ x, lambda x: claim, [0.3, 0.7, 1.1])
    assert str(verdict.cause) == f"a Hessian is symmetric: the {said} of the claim and its transpose is right"


def test_what_a_difference_leaves_is_not_mended_by_symmetry() -> None:
    # with an error of 1e-11 the mean of claim and transpose was as near, and called right
    def hessian(x: Any) -> Any:
        steps = 1e-5 * np.eye(3)
        return np.array([(slope(x + h) - slope(x - h)) / 2e-5 for h in steps])

    def slope(x: Any) -> Any:
        return np.exp(x @ FORM.T @ x) * ((FORM + FORM.T) @ x)

    verdict = dc.check_hessian(lambda x: np.exp(x @ FORM @ x), hessian, [0.3, 0.2, 0.1])
    assert verdict.status == "wrong"
    assert "transpose" not in str(verdict.cause)
