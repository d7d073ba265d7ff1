"""Factorisations of matrices as programs of real numbers, whichever way numbers are traced.

Eigenvalues are found from the library's floats by a few rounds of Newton's method on A·v = λ·v, |v| = 1: each round
doubles the digits, and the derivative converges with them. Where the equations are singular, an eigenvalue is a
repeated one, and has no derivative.
"""

# ruff: noqa: ARG001 - the arguments are those of the libraries' functions

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.registry import Handlers, registering

__all__ = ["FACTORISED", "exponential", "factorisations", "frechet"]

# of constants the library's floats do
FACTORISED = frozenset({np.linalg.eigh, np.linalg.eigvalsh, np.linalg.svd, np.linalg.qr})

# from 53 bits on, the fourth round is beyond the first precision of balls, and so is its derivative; the others are for
# points beside the one that the floats are of
_ROUNDS = 5
# terms of the exponential of a matrix whose norm is at most 2⁻⁸: what is left out is below 2⁻³³³
_TERMS, _NORM = 34, 2.0**-8


def _newton(matrix: Any, value: float, vector: Any) -> tuple[Any, Any]:
    """Return an eigenvalue and its eigenvector from their floats."""
    n = len(vector)
    x: Any = np.concatenate([vector, [value]])
    for _ in range(_ROUNDS):
        v, size = x[:n], x[n]
        residual = np.concatenate([matrix @ v - size * v, [(np.sum(v * v) - 1.0) / 2.0]])
        jacobian = np.concatenate([
            np.concatenate([matrix - size * np.eye(n), -v[:, None]], axis=1),
            np.concatenate([v, [0.0]])[None, :],
        ])  # fmt: skip
        x = x - np.linalg.solve(jacobian, residual)
    return x[n], x[:n]


def factorisations(traced: Callable[[Any, Any], Any], floats: Callable[[Any], Any]) -> Handlers:
    """Return what stands for these functions of ``np.linalg``; ``floats`` are those that the code would have."""
    handlers: Handlers = {}
    handles = registering(handlers)

    def of_each(function: Callable[..., Any]) -> Callable[..., Any]:
        """Factorise the matrices of a stack one after the other."""

        def rule(table: Any, a: Any, *others: Any, **how: Any) -> Any:
            given = traced(table, a)
            if given.ndim == 2:
                return function(given, *others, **how)
            found = [rule(table, one, *others, **how) for one in given]
            if not isinstance(found[0], tuple):
                return np.stack(found)
            return type(found[0])(*(np.stack(parts) for parts in zip(*found, strict=True)))

        return functools.wraps(function)(rule)

    def symmetric(given: Any, upper: str, name: str) -> tuple[Any, Any]:
        # the library reads one half
        half: Any = np.triu(given) if upper in ("U", "u") else np.tril(given)
        whole = half + half.T - np.diag(np.diag(given))
        sizes, vectors = np.linalg.eigh(floats(given), "U" if upper in ("U", "u") else "L")
        if len(sizes) > 1 and np.min(np.diff(sizes)) <= 2.0**-26 * np.max(np.abs(sizes)):
            raise refuse(f"{name} with a repeated eigenvalue", "it has no derivative there", "check beside the point")
        pairs = [_newton(whole, float(size), vectors[:, k]) for k, size in enumerate(sizes)]
        return np.stack([size for size, _ in pairs]), np.stack([vector for _, vector in pairs], axis=1)

    @handles(np.linalg.eigh)
    @of_each
    def eigh(a: Any, UPLO: str = "L") -> Any:
        return np.linalg.eigh(np.eye(1)).__class__(*symmetric(a, UPLO, "eigh"))

    @handles(np.linalg.eigvalsh)
    @of_each
    def eigvalsh(a: Any, UPLO: str = "L") -> Any:
        return symmetric(a, UPLO, "eigvalsh")[0]

    @handles(np.linalg.svd)
    @of_each
    def svd(matrix: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
        wide = matrix.shape[0] < matrix.shape[1]
        tall = matrix.T if wide else matrix
        squares, right = symmetric(tall.T @ tall, "L", "svd")
        sizes, right = np.sqrt(squares[::-1]), right[:, ::-1]
        if not compute_uv:
            return sizes
        if full_matrices and tall.shape[0] != tall.shape[1]:
            raise refuse("svd with full matrices", "what completes a basis is not unique", "pass full_matrices=False")
        # signs as the library has them
        u, _, vt = np.linalg.svd(floats(matrix), full_matrices=False)
        right = right * np.sign(np.sum((u if wide else vt.T) * floats(right), axis=0))
        left = tall @ right / sizes
        found = (right, sizes, left.T) if wide else (left, sizes, right.T)
        return np.linalg.svd(np.eye(1)).__class__(*found)

    @handles(np.linalg.qr)
    @of_each
    def qr(matrix: Any, mode: str = "reduced") -> Any:
        rows, columns = matrix.shape
        if mode not in ("reduced", "r", "complete") or (mode == "complete" and rows > columns):
            raise refuse(f"qr of this kind ({mode})", "what completes a basis is not unique", "use mode='reduced'")
        # R is the Cholesky factor of AᵀA, but for the signs of its rows; what lies beside a square follows from Q
        square = matrix[:, :rows]
        signs = np.sign(np.diag(np.linalg.qr(floats(square), mode="r")))
        upper = signs[:, None] * np.linalg.cholesky(square.T @ square).T
        basis = np.linalg.solve(upper.T, square.T).T
        if rows < columns:
            upper = np.concatenate([upper, basis.T @ matrix[:, rows:]], axis=1)
        return upper if mode == "r" else np.linalg.qr(np.eye(1)).__class__(basis, upper)

    return handlers


def exponential(floats: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what stands for ``scipy.linalg.expm``: its series, after scaling, and squarings."""

    def expm(a: Any) -> Any:
        if np.ndim(a) > 2:
            return np.stack([expm(one) for one in a])
        norm = float(np.max(np.sum(np.abs(floats(a)), axis=0), initial=0.0))
        halvings = max(0, int(np.ceil(np.log2(norm / _NORM)))) if norm else 0
        scaled = a / 2.0**halvings
        identity = np.eye(len(a))
        result: Any = identity
        for k in range(_TERMS, 0, -1):
            result = identity + scaled @ result / float(k)
        for _ in range(halvings):
            result = result @ result
        return result

    return expm


def frechet(expm: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return what stands for ``scipy.linalg.expm_frechet``: a block of a larger exponential."""

    def derivative(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
        n = len(A)
        whole = expm(np.concatenate([np.concatenate([A, E], axis=1), np.concatenate([np.zeros((n, n)), A], axis=1)]))
        return (whole[:n, :n], whole[:n, n:]) if compute_expm else whole[:n, n:]

    return derivative
