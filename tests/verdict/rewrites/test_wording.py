"""What is said of a change is true of the text as it stands, and names nothing of our own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.spans import definition_of

X = [0.4, -0.7, 1.2]
DATA = np.array([0.3, 1.2, -0.5])
# fmt: off
ON_A_LINE = (lambda x: np.sum(x**3), lambda x: (x + 1) * 3, lambda x: 3 * x**3, lambda x: -x)
# fmt: on


def test_lambdas_on_a_line_are_told_apart() -> None:
    ours = [definition_of(one.__code__) for one in ON_A_LINE]
    columns = [one.col_offset for one in ours]
    assert columns == sorted(set(columns))


def rosen(x: Any) -> Any:
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def forgets_a_square(x: Any) -> Any:
    g = np.zeros(len(x))
    for i in range(len(x) - 1):
        g[i] += -400 * x[i] * (x[i + 1] - x[i] ** 2) - 2 * (1 - x[i])
        g[i + 1] += 200 * (x[i + 1] - x[i])
    return g


def in_parts(x: Any) -> Any:
    return np.r_[3 * x[0], 2 * x[1:]]


def no_minus(x: Any) -> Any:
    e = np.exp(x[1] * DATA)
    return [-np.sum(e), x[0] * np.sum(e * DATA), 1.0]


SAID = [
    (
        lambda x: x[2] - x[0] * np.sum(np.exp(x[1] * DATA)),
        no_minus,
        "x[0] * np.sum(e * DATA)",
        "this has the wrong sign",
    ),
    (rosen, forgets_a_square, "x[i]", "this should be x[i] ** 2"),
    (lambda x: np.sum(x**2), in_parts, "3", "this should be 2"),
]


@pytest.mark.parametrize(("f", "gradient", "text", "message"), SAID, ids=["list", "square", "parts"])
def test_what_is_said_is_true_of_the_text(f: Any, gradient: Any, text: str, message: str) -> None:
    verdict = dc.check_gradient(f, gradient, X)
    marks = [(one.text, one.message) for one in verdict.places.itertuples() if one.role == "gradient"]
    assert marks == [(text, message)]


def test_a_product_of_arrays_has_no_factor_without_a_name() -> None:
    B = np.random.default_rng(0).normal(size=(40, 40))
    verdict = dc.check_gradient(lambda x: x @ B @ x, lambda x: B @ x - B.T @ x, np.linspace(-1, 1, 40))
    assert "factor  " not in str(verdict.cause)
    assert "the minus should be a plus" in str(verdict.cause)
