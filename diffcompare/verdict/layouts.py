"""How Jacobians and Hessians are laid out: the shapes that are taken, and the names of their entries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.problem import real_numbers

__all__ = ["flat_hessian", "flat_jacobian", "flat_product", "hessian_names", "jacobian_names", "product_names"]

Shape = tuple[int, ...]


def flat_jacobian(value: Any, outputs: Shape, structure: Structure) -> NDArray[Any]:
    """Flatten a Jacobian by rows of outputs; ``ValueError`` for another structure, shape or kind of numbers.

    Taken are the shape of the output followed by the shape of the argument (for each array of the argument), and the
    plain matrix.
    """
    rows = math.prod(outputs)
    blocks = [
        _block(part, outputs, shape, "a Jacobian")
        for part, shape in zip(_parts(value, structure, "a Jacobian", rows), structure.shapes, strict=True)
    ]
    return np.concatenate(blocks, axis=1).reshape(-1)


def flat_hessian(value: Any, structure: Structure) -> NDArray[Any]:
    """Flatten a Hessian by rows, as :func:`flat_jacobian` does with the Jacobian of a gradient."""
    what = "a Hessian"
    rows = []
    for part, outputs in zip(_parts(value, structure, what, structure.size), structure.shapes, strict=True):
        inner = _parts(part, structure, what, math.prod(outputs))
        blocks = [_block(block, outputs, shape, what) for block, shape in zip(inner, structure.shapes, strict=True)]
        rows.append(np.concatenate(blocks, axis=1))
    return np.concatenate(rows).reshape(-1)


def flat_product(value: Any, structure: Structure) -> NDArray[Any]:
    """Flatten a Hessian-vector product, which has the structure of the argument."""
    return structure.flatten(value, "a Hessian-vector product")


def _parts(value: Any, structure: Structure, what: str, rows: int) -> Sequence[Any]:
    """Take a structure apart; a plain matrix is cut into the columns (or the rows) of its arrays."""
    if structure.kind == "array":
        return [value]
    if isinstance(value, np.ndarray) and value.ndim == 2:
        sizes = np.cumsum([math.prod(shape) for shape in structure.shapes])[:-1]
        whole = value.shape == (structure.size, structure.size) and rows == structure.size
        return np.split(value, sizes, axis=0 if whole else 1)
    return structure.parts(value, what)


def _block(value: Any, outputs: Shape, inputs: Shape, what: str) -> NDArray[Any]:
    # sparse matrices say it themselves
    try:
        array = real_numbers(value.toarray() if hasattr(value, "toarray") else value)
    except TypeError as error:
        raise ValueError(f"{what} of real numbers is needed, got {error}") from error.__cause__
    rows, columns = math.prod(outputs), math.prod(inputs)
    if array.shape not in (outputs + inputs, (rows, columns)) and not (array.size == 1 == rows * columns):
        turned = array.shape == (columns, rows) or array.shape == inputs + outputs
        hint = "; it is transposed: rows are outputs, columns are variables" if turned else ""
        raise ValueError(f"{what} of shape {outputs + inputs} is needed, got shape {array.shape}{hint}")
    return array.reshape(rows, columns)


def _indices(structure: Structure) -> list[str]:
    """Write the index of every number of the argument: its own indices in an array, else its name."""
    if structure.kind != "array":
        return list(structure.names())
    return [", ".join(map(str, index)) for index in np.ndindex(*structure.shapes[0])]


def _name(letter: str, *parts: str) -> str:
    inside = ", ".join(part for part in parts if part)
    return f"{letter}[{inside}]" if inside else letter


def jacobian_names(outputs: Shape, structure: Structure) -> tuple[str, ...]:
    """Name every entry as it is found in the array: ``J[0, 1]``; ``J[0, W[1, 2]]`` for several arrays."""
    rows = [", ".join(map(str, index)) for index in np.ndindex(*outputs)]
    return tuple(_name("J", row, column) for row in rows for column in _indices(structure))


def hessian_names(structure: Structure) -> tuple[str, ...]:
    """Name every entry as it is found in the array: ``H[0, 1]``."""
    indices = _indices(structure)
    return tuple(_name("H", row, column) for row in indices for column in indices)


def product_names(structure: Structure) -> tuple[str, ...]:
    """Name every component of a Hessian-vector product: ``Hv[0]``."""
    return tuple(_name("Hv", index) for index in _indices(structure))
