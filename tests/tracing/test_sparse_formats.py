"""Sparse matrices whose numbers depend on the point: each format and operation against dense code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import _sparsetools

import diffcompare as dc
from diffcompare.tracing import compiled
from diffcompare.tracing.sparse_formats import FORMATS

RANDOM = np.random.default_rng(0)
A = sparse.random(5, 4, 0.6, format="csr", random_state=1)
B = sparse.random(4, 5, 0.5, format="csc", random_state=3)
U, V, W = RANDOM.normal(size=5), RANDOM.normal(size=4), RANDOM.normal(size=5)
X = RANDOM.normal(size=5)
# an entry twice, and rows out of order
ROWS, COLUMNS = np.array([4, 1, 1, 2, 1]), np.array([1, 2, 2, 0, 0])
DENSE, OTHER = A.toarray(), B.toarray()


def _entries(x: Any) -> Any:
    """Write the pairs of x into a dense matrix, as a product with constants."""
    return np.eye(5)[:, ROWS] @ (x[:, None] * np.eye(4)[COLUMNS])


def _pairs(x: Any) -> Any:
    return sparse.coo_array((x, (ROWS, COLUMNS)), shape=(5, 4))


def _compressed(x: Any) -> Any:
    # two entries of row 1, its columns out of order and one of them twice
    return sparse.csr_array((x, np.array([2, 0, 2, 3, 1]), np.array([0, 0, 3, 4, 4, 5])), shape=(5, 4))


def _of_compressed(x: Any) -> Any:
    return np.eye(5)[:, [1, 1, 1, 2, 4]] @ (x[:, None] * np.eye(4)[[2, 0, 2, 3, 1]])


# what is compiled: sparse code, the same on dense matrices; each makes a vector of a point
OPERATIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "dia_tocsr": (
        lambda x: sparse.diags_array([x[1:], 2 * x, x[:-1]], offsets=[-1, 0, 1]).tocsr() @ W,
        lambda x: np.diag(x[1:], -1) @ W + 2 * x * W + np.diag(x[:-1], 1) @ W),
    "coo_tocsr": (lambda x: _pairs(x).tocsr() @ V, lambda x: _entries(x) @ V),
    "csr_sum_duplicates": (lambda x: (_pairs(x).tocsr() ** 2) @ V, lambda x: _entries(x) ** 2 @ V),
    "csr_sort_indices": (
        lambda x: _compressed(x).sorted_indices().data * X,
        lambda x: np.stack([x[1], x[0], x[2], x[3], x[4]]) * X),
    "csr_tocsc": (lambda x: U @ _compressed(x).tocsc(), lambda x: U @ _of_compressed(x)),
    "csr_todense": (lambda x: _compressed(x).toarray() ** 2 @ V, lambda x: _of_compressed(x) ** 2 @ V),
    "csr_matmat": (
        lambda x: (_compressed(x) @ B @ sparse.diags_array(x)) @ W, lambda x: _of_compressed(x) @ (OTHER @ (x * W))),
    "csr_plus_csr": (
        lambda x: ((A + _compressed(x)) * x[0]) @ V, lambda x: (DENSE + _of_compressed(x)) * x[0] @ V),
    "csr_minus_csr": (
        lambda x: ((A - _compressed(x)) * x[0]) @ V, lambda x: (DENSE - _of_compressed(x)) * x[0] @ V),
    "csr_elmul_csr": (lambda x: A.multiply(_compressed(x)) @ V, lambda x: (DENSE * _of_compressed(x)) @ V),
}  # fmt: skip


def test_every_rule_has_a_case() -> None:
    assert OPERATIONS.keys() == FORMATS.keys()


def _judged(name: str, at: Any) -> dc.Verdict:
    code, dense = OPERATIONS[name]
    return dc.check_gradient(lambda x: np.sum(np.sin(code(x))), lambda x: _slope(dense, x), at)


def _slope(dense: Callable[[Any], Any], x: Any) -> Any:
    """Differentiate Σ sin of a polynomial of degree 2 in x: central differences of it are exact."""
    steps = [0.5 * (dense(x + e) - dense(x - e)) for e in np.eye(5)]
    return np.stack([np.sum(np.cos(dense(x)) * step) for step in steps])


@pytest.mark.parametrize("at", [X, np.array([0.0, 1.0, 0.0, -2.0, 0.5])], ids=["generic", "zeros"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_the_code_on_dense_matrices(name: str, at: Any) -> None:
    verdict = _judged(name, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_bug_of_it_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(_sparsetools, name):
        pytest.skip("this SciPy does without it")
    rule = FORMATS[name]

    def wrong(*args: Any) -> Any:
        found = rule(*args)
        data = args[3] if name == "csr_sort_indices" else args[7] if name == "dia_tocsr" else args[-1]
        data[...] = 2 * data
        return found

    monkeypatch.setattr(compiled, "_KNOWN", {**compiled._KNOWN, f"scipy.sparse._sparsetools.{name}": wrong})
    assert _judged(name, X).evidence != "identity"
