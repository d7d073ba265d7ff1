"""Factorisations of matrices: right gradients are judged by identity, and wrong ones found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import linalg

import diffcompare as dc
from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.errors import TraceError
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.keeping import kept
from diffcompare.verdict.difference import evaluate
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.traced import trace

RANDOM = np.random.default_rng(4)
A, B = RANDOM.normal(size=(2, 3, 3))
S, T = A + A.T, B + B.T
WEIGHTS = RANDOM.normal(size=(3, 3))
FOUR_BY_TWO, FOUR_BY_THREE = RANDOM.normal(size=8), RANDOM.normal(size=12)
DATA = RANDOM.normal(size=10)


def _largest(x: Any) -> Any:
    return np.linalg.eigvalsh(x[0] * S + x[1] * T)[-1]


def _of_largest(x: Any) -> Any:
    v = np.linalg.eigh(x[0] * S + x[1] * T)[1][:, -1]
    return np.array([v @ S @ v, v @ T @ v])


def _vectors(x: Any) -> Any:
    sizes, vectors = linalg.eigh(x[0] * S + x[1] * T)
    # which sign a vector has depends on the processor
    return np.sum(WEIGHTS * vectors**2) + np.sum(sizes**3)


def _of_vectors(x: Any) -> Any:
    w, v = np.linalg.eigh(x[0] * S + x[1] * T)
    gaps = w[None, :] - w[:, None] + np.eye(3)
    slopes = []
    for direction in (S, T):
        M = v.T @ direction @ v
        turned = v @ (M * (1 - np.eye(3)) / gaps)
        slopes.append(np.sum(WEIGHTS * 2 * v * turned) + np.sum(3 * w**2 * np.diag(M)))
    return np.array(slopes)


def _of_singular_values(x: Any) -> Any:
    u, s, vt = np.linalg.svd(x.reshape(4, 2), full_matrices=False)
    return ((u / (1 + s)) @ vt).ravel()


def _of_first_column(x: Any) -> Any:
    matrix = x.reshape(4, 3)
    size = np.linalg.norm(matrix[:, 0])
    unit, sign = matrix[:, 0] / size, np.sign(np.linalg.qr(matrix)[1][0, 0])
    slopes = 2 * matrix
    slopes[:, 0] += sign * 3 * (unit**2 - unit * np.sum(unit**3)) / size
    return slopes.ravel()


def _of_explained(x: Any) -> Any:
    centred = x.reshape(5, 2) - x.reshape(5, 2).mean(axis=0)
    w, v = np.linalg.eigh(centred.T @ centred / 4)
    return (2 / 4 * centred @ (np.outer(v[:, -1], v[:, -1]) / w.sum() - w[-1] / w.sum() ** 2 * np.eye(2))).ravel()


PAIRS: dict[str, tuple[Any, Any, Any]] = {
    "eigvalsh": (_largest, _of_largest, np.array([0.3, 0.2])),
    "eigh": (_vectors, _of_vectors, np.array([0.3, 0.2])),
    "svdvals": (lambda x: np.sum(np.log1p(linalg.svdvals(x.reshape(4, 2)))), _of_singular_values, FOUR_BY_TWO),
    "svd of a wide one": (
        lambda x: np.sum(np.log1p(np.linalg.svd(x.reshape(4, 2).T, full_matrices=False)[1])), _of_singular_values,
        FOUR_BY_TWO),
    "qr": (
        lambda x: np.sum(np.linalg.qr(x.reshape(4, 3))[0][:, 0] ** 3) + np.sum(np.linalg.qr(x.reshape(4, 3), "r") ** 2),
        _of_first_column, FOUR_BY_THREE),
    "covariance": (
        lambda x: (w := np.linalg.eigvalsh(np.cov(x.reshape(5, 2), rowvar=False)))[-1] / w.sum(), _of_explained, DATA),
    "expm": (
        lambda x: np.sum(linalg.expm(x[0] * A + x[1] * B)),
        lambda x: np.array([
            np.sum(linalg.expm_frechet(x[0] * A + x[1] * B, E, compute_expm=False)) for E in (A, B)]),
        np.array([0.3, 0.2])),
    "expm of 16": (
        lambda x: np.sum(linalg.expm(x.reshape(4, 4)) ** 2),
        lambda x: linalg.expm_frechet(x.reshape(4, 4).T, 2 * linalg.expm(x.reshape(4, 4)))[1].ravel(),
        RANDOM.normal(size=16)),
    "solve_triangular": (
        lambda x: np.sum(linalg.solve_triangular(A + np.diag(x), np.ones(3), lower=True)),
        lambda x: -linalg.solve_triangular(A + np.diag(x), np.ones(3), lower=True) * linalg.solve_triangular(
            A + np.diag(x), np.ones(3), lower=True, trans="T"), np.array([2.0, 3.0, 1.5])),
}  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", PAIRS)
def test_it_is_judged_by_identity(name: str) -> None:
    function, gradient, x = PAIRS[name]
    names = tuple(f"x[{k}]" for k in range(x.size))
    for factor in (1.0, 1 + 1e-9):
        problem = Problem(function, lambda v, c=factor: c * gradient(v), x, np.copy, np.asarray, names)
        found = judge_by_identity(problem)
        assert isinstance(found, Judgement), found
        assert ("wrong" in found.status) == (factor > 1)
        assert (set(found.status) == {"consistent"}) == (factor == 1)


VALUES = {
    "eigh": lambda x: np.sum(np.abs(np.linalg.eigh(x.reshape(3, 3), "U")[1]) * WEIGHTS),
    "svd": lambda x: np.sum(np.abs(np.linalg.svd(x.reshape(3, 3))[0]) * WEIGHTS),
    "qr": lambda x: np.sum(linalg.qr(x.reshape(3, 3))[0] * WEIGHTS) + np.sum(linalg.qr(x.reshape(3, 3), mode="r")[0]),
    "economic qr": lambda x: np.sum(linalg.qr(x.reshape(3, 3)[:, :2], mode="economic")[0]),
    "wide qr": lambda x: np.sum(linalg.qr(x.reshape(3, 3)[:2])[1] * WEIGHTS[:2]) + np.linalg.qr(x[None, :3])[0][0, 0],
    "expm": lambda x: np.sum(linalg.expm(x.reshape(3, 3)[1:, :2]) * WEIGHTS[:2, :2]),
    "stacks": lambda x: (
        np.sum(np.linalg.eigvalsh(np.stack([x[:4].reshape(2, 2), 2 * x[:4].reshape(2, 2).T])) ** 3)
        + np.sum(np.linalg.qr(np.stack([x[:4].reshape(2, 2), x[5:].reshape(2, 2)]))[1] * WEIGHTS[:2, :2])
        + np.sum(linalg.expm(np.stack([[x[:4].reshape(2, 2), x[5:].reshape(2, 2)]])) * WEIGHTS[0, 0])
    ),
}


@pytest.mark.mostly_thorough(but_each=2)
@pytest.mark.parametrize("name", VALUES)
def test_numbers_and_arrays_are_traced_alike(name: str) -> None:
    x = A.ravel()
    # a trace of numbers is held against the floats of the code
    known = trace(VALUES[name], x.size, near=x, exact=True)
    table = ArrayTable(x)
    arguments = (placed_arrays(np.arange(9.0), table),)
    found = record_arrays(VALUES[name], arguments, table=table, keeping=kept((VALUES[name],)))
    (one,), (other,) = evaluate(known.program, x, 333), array_balls(table.build, [found.output], x, 333)
    # both stop at the same round: beyond the digits of the balls
    assert other[0].overlaps(one) or abs(other[0] - one) < 2.0**-300


@pytest.mark.parametrize(("source", "match"), [
    (lambda x: np.linalg.eigvalsh(np.outer(x, x))[0], "eigvalsh with a repeated eigenvalue: it has no derivative"),
    (lambda x: np.linalg.svd(np.outer(x, x)[:2])[2][2, 0], "svd with full matrices"),
    (lambda x: np.linalg.qr(np.outer(x, x)[:, :2], "complete")[0][0, 0], r"qr of this kind \(complete\)"),
    (lambda x: linalg.eigh(x[0] * S, T @ T)[0][0], "eigh of this kind"),
    (lambda x: linalg.qr(np.outer(x, x), pivoting=True)[0][0, 0], "qr of this kind"),
])  # fmt: skip
def test_what_has_no_derivative_or_is_not_read_is_refused(source: Any, match: str) -> None:
    with pytest.raises(TraceError, match=match):
        dc.trace(source, 3)


def test_of_constants_the_floats_of_the_library_are_used() -> None:
    def value(x: Any) -> Any:
        matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
        pivoted = linalg.qr(matrix, mode="r", pivoting=True)[0]
        return np.sum(np.linalg.eigh(matrix)[1] @ x[:2] * linalg.eigvalsh(matrix)) + np.sum(pivoted) * x[2]

    known = dc.trace(value, 3)
    assert len(known.program.nodes) < 60
