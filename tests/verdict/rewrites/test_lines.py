"""Lines that are missing: the likes of others for another part, with what nothing reads, or elsewhere."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites.lines import repeated_lines
from diffcompare.verdict.rewrites.syntax import Names, sites_of

EDGES = [(0, 1), (1, 2), (2, 0), (0, 2)]
LABELS = [0, 2, 1, 1, 0]
X = np.random.default_rng(4).normal(size=(5, 2))


def missing(source: str, **names: Any) -> list[str]:
    """Write the lines that may be missing in a function."""
    definition = ast.parse(source).body[0]
    return [one.this for one in repeated_lines(list(sites_of(definition)), Names(**names))]


def test_a_line_is_missing_for_other_indices_with_what_nothing_reads() -> None:
    source = "def g(p):\n    gx, gy = p\n    for i, j in edges:\n        d[i, 0] += gx\n        d[j, 1] -= gy\n"
    found = missing(source, variables=("d", "gx", "gy", "i", "j"), indices=("i", "j"), unused=("gz",))
    assert {"the line d[j, 0] -= gx is missing", "the line d[i, 1] += gy is missing"} <= {*found}
    assert "the line d[j, 0] += gz is missing" in found
    assert len(found) == len({*found})
    assert "the line d[i, 0] += gx is missing" not in found


def test_a_line_is_missing_along_the_other_axis_of_another_array() -> None:
    source = "def g(px, py, n):\n    d = px + py\n    d[1:] -= py[:-1]\n    d += px\n"
    found = missing(source, variables=("d", "px", "py"))
    assert {"the line d[:, 1:] -= px[:, :-1] is missing", "the line d[:, 1:] += py[:, :-1] is missing"} <= {*found}
    found = missing(source.replace("[1:]", "[:, 1:]").replace("[:-1]", "[:, :-1]"), variables=("d", "px", "py"))
    assert "the line d[1:] -= px[:-1] is missing" in found
    assert not [one for one in missing(source.replace("[:-1]", "[0]"), variables=("px",)) if "px[" in one]


def test_a_line_is_missing_that_takes_the_sum_of_two_others_away() -> None:
    source = "def g(d, u, v):\n    d[:-2] += u\n    d[2:] += v\n"
    assert "the line d[1:-1] -= u + v is missing" in missing(source, variables=("d",), slices=("1:-1",))
    source = "def g(d, u, v):\n    for i, j, k in sides:\n        d[i] -= u\n        d[k] -= v\n"
    found = missing(source, variables=("d",), indices=("i", "j", "k"))
    assert "the line d[j] += u + v is missing" in found
    assert "the line d[i] += u + v is missing" not in found
    found = missing(source.replace("d[k] -=", "d[k] +="), variables=("d",), indices=("j",))
    assert not [one for one in found if "u + v" in one]


def variation(u: Any) -> Any:
    dx, dy = np.zeros((4, 5)), np.zeros((4, 5))
    dx[:, :-1] = np.diff(u, axis=1)
    dy[:-1] = np.diff(u, axis=0)
    return np.sum(np.sqrt(dx**2 + dy**2 + 0.5))


def of_columns_alone(u: Any) -> Any:
    dx, dy = np.zeros((4, 5)), np.zeros((4, 5))
    dx[:, :-1] = np.diff(u, axis=1)
    dy[:-1] = np.diff(u, axis=0)
    norm = np.sqrt(dx**2 + dy**2 + 0.5)
    px, py = dx / norm, dy / norm
    grad = -px - py
    grad[1:] += py[:-1]
    return grad


@pytest.mark.thorough
def test_the_line_for_the_other_axis_is_told() -> None:
    verdict = dc.check_gradient(variation, of_columns_alone, np.cos(np.arange(20.0)).reshape(4, 5))
    assert str(verdict.cause) == "the line grad[:, 1:] += px[:, :-1] is missing after grad[1:] += py[:-1]"


def springs(x: Any) -> Any:
    p = x.reshape(3, 2)
    return sum(np.sum(np.cosh(p[i] - p[j])) for i, j in EDGES)


def one_coordinate_of_one_end(x: Any) -> Any:
    p = x.reshape(3, 2)
    grad = np.zeros((3, 2))
    for i, j in EDGES:
        gx, gy = np.sinh(p[i] - p[j])
        grad[i, 0] += gx
        grad[i, 1] += gy
        grad[j, 0] -= gx
    return grad.ravel()


def test_the_line_for_the_other_coordinate_is_told() -> None:
    verdict = dc.check_gradient(springs, one_coordinate_of_one_end, np.linspace(-0.7, 1.1, 6) ** 2)
    assert str(verdict.cause) == "the line grad[j, 1] -= gy is missing after grad[j, 0] -= gx"


def what_is_computed_is_not_used(x: Any) -> Any:
    p = x.reshape(3, 2)
    grad = np.zeros((3, 2))
    for i, j in EDGES:
        gx, gy = np.sinh(p[i] - p[j])  # noqa: RUF059
        grad[i, 0] += gx
        grad[j, 0] -= gx
        grad[i, 1] += np.sinh(p[i, 1] - p[j, 1])
    return grad.ravel()


@pytest.mark.thorough
def test_what_nothing_reads_is_put_where_it_is_missing() -> None:
    verdict = dc.check_gradient(springs, what_is_computed_is_not_used, np.linspace(-0.7, 1.1, 6) ** 2)
    assert "the line grad[j, 1] -= gy is missing" in str(verdict.cause)


def margins(w: Any) -> Any:
    W = w.reshape(2, 3)
    total = 0.0
    for i, label in enumerate(LABELS):
        scores = X[i] @ W
        for j in range(3):
            if j != label:
                total = total + np.maximum(0, scores[j] - scores[label] + 1)
    return total


def forgets_the_others(w: Any) -> Any:
    W = w.reshape(2, 3)
    dW = np.zeros((2, 3))
    for i, label in enumerate(LABELS):
        scores, count = X[i] @ W, 0
        for j in range(3):
            if j != label and scores[j] - scores[label] + 1 > 0:
                count += 1
        dW[:, label] -= count * X[i]
    return dW.ravel()


@pytest.mark.thorough
def test_a_line_that_is_missing_elsewhere_is_told() -> None:
    verdict = dc.check_gradient(margins, forgets_the_others, np.array([0.4, -0.1, 0.3, 0.2, 0.5, -0.6]))
    assert str(verdict.cause) == "the line dW[:, j] += X[i] is missing after count += 1"
