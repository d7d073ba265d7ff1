"""Values of the derivative that are put in where nobody has written them, and numbers that are missing."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites.insertions import Probe, insertions_of, pool_of, written
from diffcompare.verdict.rewrites.needed import times_of
from diffcompare.verdict.rewrites.syntax import Names, sites_of

W = np.random.default_rng(5).normal(size=(12, 4)) / 3
TARGET = np.linspace(-1.0, 1.0, 12)
X = np.array([0.4, -0.7, 1.2, 0.3])


def cosine(x: Any) -> Any:
    u = W @ x
    return 1.0 - (u @ TARGET) / (np.sqrt(u @ u) * np.sqrt(TARGET @ TARGET))


def no_quotient(x: Any) -> Any:
    u = W @ x
    nu, nt = np.sqrt(u @ u), np.sqrt(TARGET @ TARGET)
    du = -TARGET / (nu * nt)
    return W.T @ du


def softplus(x: Any) -> Any:
    return np.mean(np.log1p(np.exp(W @ x)) ** 2) / 7.5


def no_slope(x: Any) -> Any:
    z = W @ x
    s = np.log1p(np.exp(z))
    return W.T @ (2 * s) / len(z) / 7.5


def no_number(x: Any) -> Any:
    z = W @ x
    dz = 2 * np.log1p(np.exp(z)) / (1 + np.exp(-z))
    return W.T @ dz / len(z)


def marks(f: Any, gradient: Any) -> list[tuple[str, str]]:
    places = dc.check_gradient(f, gradient, X).places
    return [(one.text, one.message) for one in places.itertuples() if one.role == "gradient"]


def test_a_term_is_missing_that_the_derivative_computes() -> None:
    assert [text for text, message in marks(cosine, no_quotient) if "a term is missing" in message] == [
        "du",
        "-TARGET / (nu * nt)",
    ]


def test_a_factor_is_missing_that_the_derivative_computes() -> None:
    ((text, message),) = marks(softplus, no_slope)
    assert text == "2 * s"
    assert "missing" in message


def test_a_number_is_missing_that_stands_nowhere() -> None:
    found = marks(lambda x: 3.5 * softplus(x), lambda x: no_number(x) / 7.5)
    assert found[0] == ("no_number(x) / 7.5", "the factor 3.5 is missing")


@pytest.mark.parametrize(
    ("size", "text"), [(300.0, "300"), (1200.0, "1200"), (1 / 6, "1 / 6"), (0.35, "0.35"), (5**0.5, "5 ** 0.5")]
)
def test_numbers_are_written_as_people_do(size: float, text: str) -> None:
    assert next(written(size)) == text
    assert list(written(size + 0.0012345)) == []


def test_an_error_is_a_multiple_or_none() -> None:
    slope = np.array([1.0, -2.0, 0.5])
    assert times_of(-3 * slope, slope) == 3
    assert times_of(slope + 1, slope) is None
    assert times_of(slope, np.zeros(3)) is None
    assert times_of(slope, np.ones(2)) is None


def test_arrays_that_are_far_larger_than_a_value_are_not_held() -> None:
    # 2000 by 2000 numbers, many times: the copy of the process had no memory left
    x = np.linspace(-3.0, 1.0, 2000)
    (site,) = [one for one in sites_of(ast.parse("def g(x): return x").body[0]) if isinstance(one.node, ast.Name)]
    found = list(insertions_of(site, list(pool_of(Names(("x",)))), Probe({}, seen=(x, {"x": x}))))
    assert found
    assert max(np.size(one.made) for one in found) == x.size
