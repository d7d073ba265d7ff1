"""NumPy's products of matrices and linear algebra, on handles."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.composed_products import batched, einsum_terms, on_diagonals
from diffcompare.tracing.handle import Handle, floats_of, made, stored
from diffcompare.tracing.registry import Handlers, registering

__all__ = ["HANDLERS"]

HANDLERS: Handlers = {}
handles = registering(HANDLERS)


def _contract(table: ArrayTable, subscripts: str, one: Any, two: Any, floats: Any) -> Handle:
    """Sum products of two arrays; letters of one of them alone that are not kept are summed over before."""
    terms, _, result = subscripts.partition("->")
    names = terms.split(",")
    arrays: list[Any] = [made(table, one), made(table, two)]
    for k, array in enumerate(arrays):
        names[k], arrays[k] = _reduced(array, names[k], result + names[1 - k])
    # an axis of length 1 stands for any length
    sizes: dict[str, int] = {}
    for name, array in zip(names, arrays, strict=True):
        for c, n in zip(name, array.shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    arrays = [np.broadcast_to(a, [sizes[c] for c in name]) for name, a in zip(names, arrays, strict=True)]
    node = table.build.contract(f"{names[0]},{names[1]}->{result}", arrays[0].node, arrays[1].node)
    return stored(table, node, np.asarray(floats))


def _reduced(array: Any, name: str, needed: str) -> tuple[str, Any]:
    """Take the diagonal of letters that stand twice, and sum over those that nothing else needs."""
    letters, array = on_diagonals(array, name)
    alone = tuple(k for k, c in enumerate(letters) if c not in needed)
    if alone:
        array = np.sum(array, axis=alone)
    return "".join(c for c in letters if c in needed), array


@handles(np.matmul, np.linalg.matmul)
def _matmul(table: ArrayTable, a: Any, b: Any) -> Any:
    one, two = made(table, a), made(table, b)
    if not one.ndim or not two.ndim:
        raise ValueError("matmul: Input operand does not have enough dimensions")
    first = "k" if one.ndim == 1 else "ik"
    second = "k" if two.ndim == 1 else "kj"
    batch = max(one.ndim, two.ndim) - 2
    letters = "abcdefgh"[: max(batch, 0)]
    left = letters[len(letters) - (one.ndim - 2) :] if one.ndim > 2 else ""
    right = letters[len(letters) - (two.ndim - 2) :] if two.ndim > 2 else ""
    result = letters + ("i" if one.ndim > 1 else "") + ("j" if two.ndim > 1 else "")
    return _contract(table, f"{left}{first},{right}{second}->{result}", one, two, np.matmul(one.floats, two.floats))


@handles(np.einsum)
def _einsum(table: ArrayTable, *given: Any, **_: Any) -> Any:
    operands, terms, right = einsum_terms(given)
    floats = np.einsum(*map(floats_of, given))
    arrays = [made(table, o) for o in operands]
    while len(arrays) > 2:
        # what later operands need is kept
        kept = "".join(dict.fromkeys(c for c in terms[0] + terms[1] if c in right + "".join(terms[2:])))
        product = np.einsum(f"{terms[0]},{terms[1]}->{kept}", arrays[0].floats, arrays[1].floats)
        arrays[:2] = [_contract(table, f"{terms[0]},{terms[1]}->{kept}", arrays[0], arrays[1], product)]
        terms[:2] = [kept]
    if len(arrays) == 2:
        return _contract(table, f"{terms[0]},{terms[1]}->{right}", arrays[0], arrays[1], floats)
    name, array = _reduced(arrays[0], terms[0], right)
    found: Any = np.transpose(array, [name.index(c) for c in right])
    return stored(table, found.node, np.array(floats))


# --- linear algebra --------------------------------------------------------------------------------------------------


def _square(table: ArrayTable, a: Any) -> Handle:
    array = made(table, a)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return array


@handles(np.linalg.solve)
def _solve(table: ArrayTable, a: Any, b: Any) -> Any:
    matrix, right = _square(table, a), made(table, b)
    if right.ndim == 1:
        return _solve(table, matrix, right.reshape(-1, 1)).reshape(*matrix.shape[:-2], -1)
    if matrix.ndim > 2 or right.ndim > 2:
        return batched(lambda m, r: _solve(table, m, r), matrix, right)
    return stored(table, table.build.solve(matrix.node, right.node), np.linalg.solve(matrix.floats, right.floats))


@handles(np.linalg.inv)
def _inv(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return batched(lambda m: _inv(table, m), matrix)
    found = _solve(table, matrix, np.eye(matrix.shape[-1]))
    return stored(table, found.node, np.linalg.inv(matrix.floats))


@handles(np.linalg.det)
def _det(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return batched(lambda m: _det(table, m), matrix)
    return stored(table, table.build.of_matrix("determinant", matrix.node), np.asarray(np.linalg.det(matrix.floats)))


@handles(np.linalg.slogdet)
def _slogdet(table: ArrayTable, a: Any) -> Any:
    matrix = _square(table, a)
    floats = np.linalg.slogdet(matrix.floats)
    if matrix.ndim > 2:
        found = batched(lambda m: _slogdet(table, m).logabsdet, matrix)
    else:
        node = table.build.of_matrix("log_determinant", matrix.node)
        found = stored(table, node, np.asarray(floats.logabsdet))
    return floats.__class__(made(table, floats.sign), found)


@handles(np.linalg.cholesky)
def _cholesky(table: ArrayTable, a: Any, upper: bool = False) -> Any:
    matrix = _square(table, a)
    if matrix.ndim > 2:
        return batched(lambda m: _cholesky(table, m, upper), matrix)
    # of a symmetric matrix the library reads the lower half
    floats = np.linalg.cholesky(matrix.floats)
    lower: Any = np.tril(matrix)
    whole = lower + np.tril(matrix, -1).T
    found = stored(table, table.build.of_matrix("cholesky", whole.node), floats)
    return found.T if upper else found
