"""Traced products and conversions of arrays give the numbers of NumPy, whatever the shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from diffcompare.certify.reference import certified_gradient
from diffcompare.verdict.traced import trace

Array = Any

# entries that differ, so that no axis may stand for another one; whole numbers, so that sums are exact
A = np.arange(1.0, 7.0).reshape(2, 3)
B = np.arange(1.0, 25.0).reshape(4, 3, 2) ** 2
C = np.arange(3.0, 27.0).reshape(2, 4, 3)


def weighed(result: Any) -> Any:
    """A number in which each entry of a result has a weight of its own."""
    flat = np.reshape(result, -1)
    return sum(float(k + 1) ** 3 * flat[k] for k in range(len(flat)))


PRODUCTS: dict[str, Callable[[Array], Any]] = {
    "dot of 2-D and 3-D": lambda x: np.dot(x[0] * A, x[1] * B),
    "dot of 1-D and 3-D": lambda x: np.dot(x[0] * A[1], x[1] * B),
    "dot of 3-D and 1-D": lambda x: np.dot(x[0] * C, x[1] * A[0]),
    "dot of 3-D and 2-D": lambda x: np.dot(x[0] * C, x[1] * A.T),
    "dot of 3-D and 3-D": lambda x: np.dot(x[0] * C, x[1] * B),
    "dot with a number": lambda x: np.dot(x[0], x[1] * A),
    "matmul of 3-D and 3-D": lambda x: np.matmul((x[0] * C)[:, None], x[1] * B[None]),
    "inner of 3-D and 2-D": lambda x: np.inner(x[0] * C, x[1] * A),
    "tensordot over two axes": lambda x: np.tensordot(x[0] * B, x[1] * C, axes=([0, 1], [1, 2])),
    "tensordot over the last axes": lambda x: np.tensordot(x[0] * C, x[1] * B, axes=2),
    "kron": lambda x: np.kron(x[0] * A, x[1] * C[0]),
    "cross": lambda x: np.cross(x[0] * A, x[1] * C[:, 1]),
    "trace of a stack": lambda x: np.trace(x[0] * B, offset=1, axis1=0, axis2=1) * x[1],
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_traced_product_is_that_of_numpy(name: str) -> None:
    def f(x: Array) -> Any:
        return weighed(PRODUCTS[name](x))

    traced = trace(f, 2)
    for point in ([1.0, 2.0], [-3.0, 5.0]):
        assert float(traced(point)) == float(f(np.array(point)))


TRUTH: dict[str, Callable[[Array], Any]] = {
    "an array": lambda x: np.sum(np.where(x.astype(bool), x**2 + 1, 5.0)),
    "a number": lambda x: np.where(x[0].astype(bool), x[0] ** 2, 5.0) + x[1],
    "a condition": lambda x: np.sum(np.where((x > 0).astype(bool), x**2, -x)),
    "a condition as a number": lambda x: np.sum((x > 0).astype(float) * x**2),
    "a slice of conditions": lambda x: np.sum((x != 0).astype("b1") * x),
}


@pytest.mark.parametrize("name", TRUTH)
@pytest.mark.parametrize("point", [[2.0, 3.0], [-2.0, 0.5]])
def test_what_is_not_zero_is_true(name: str, point: list[float]) -> None:
    f = TRUTH[name]
    traced = trace(f, 2, near=np.array(point))
    assert float(traced(point)) == float(f(np.array(point)))
    assert set(certified_gradient(traced, point).status) == {"ok"}
