"""Nodes of a program of arrays as text, in NumPy's notation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode, Places, contracted
from diffcompare.program.printing import Written, applied_text, number_text

__all__ = ["array_formulas"]

_FUNCTIONS = {
    "join": "concatenate",
    "choose": "where",
    "cumulate": "cumsum",
    "scatter": "scatter",
    "solve": "solve",
    "cholesky": "cholesky",
    "determinant": "det",
}
# data, which are not written out, and what there is no room for
_DATA = "…"
# how each variable is called, without its index
Names = NDArray[np.str_]


def array_formulas(
    build: ArrayBuilder, indices: Sequence[int], names: Sequence[str] = (), *, limit: int = 60
) -> list[str]:
    """Write nodes as formulas of no more than ``limit`` signs; arrays of data are written as …, and what is too long.

    ``names``: how the variables are called, ``x[0]``, ``W[1, 2]``; what has all that are called alike gets that name.

    >>> build = ArrayBuilder(3)
    >>> square = build.total(build.raw("integer_power", build.variables, payload=2), (0,))
    >>> array_formulas(build, [build.raw("multiply", build.constant(0.01), square)])
    ['0.01*sum(x**2)']
    """
    owners = np.array([name.partition("[")[0] for name in names] or ["x"] * build.shape(build.variables)[0])
    return [_fitting(build, index, owners, limit) for index in indices]


def _fitting(build: ArrayBuilder, index: int, owners: Names, limit: int) -> str:
    """Write as many operations, one inside the other, as the limit allows; of data alone, the first numbers."""
    node = build.nodes[index]
    while node.operation in ("reshape", "broadcast"):
        node = build.nodes[node.operands[0]]
    text = _first_numbers(node.payload) if node.operation == "constant" and node.shape else _DATA
    for depth in range(1, limit):
        deeper = _written(build, index, depth, owners, {})[1]
        if len(deeper) > limit or deeper in (text, _DATA):
            break
        text = deeper
    return text


def _written(
    build: ArrayBuilder, index: int, depth: int, owners: Names, known: dict[tuple[int, int], Written]
) -> Written:
    """Write a node; operations that stand deeper than so many others are …"""
    found = known.get((index, depth))
    if found is None:
        node = build.nodes[index]
        inner = depth if node.operation in ("reshape", "broadcast") else depth - 1
        leaf = not node.operands or _is_piece(build, node)
        operands = [] if leaf or not depth else [_written(build, i, inner, owners, known) for i in node.operands]
        found = known[index, depth] = _node(node, operands, owners) if leaf or depth else (5, _DATA)
    return found


def _is_piece(build: ArrayBuilder, node: ArrayNode) -> bool:
    return node.operation == "take" and build.nodes[node.operands[0]].operation == "variable"


def _node(node: ArrayNode, operands: list[Written], owners: Names) -> Written:
    name = node.operation
    if name == "constant":
        return _numbers(node)
    if not operands and name in ("variable", "take"):
        return _piece(np.arange(node.shape[0]) if name == "variable" else node.payload, owners)
    if name not in STRUCTURAL:
        return applied_text(name, operands, node.payload)
    precedence, text = operands[0]
    if name in ("reshape", "broadcast"):
        return precedence, text
    if name == "transpose":
        return 5, f"{text if precedence == 5 else f'({text})'}.T"
    if name == "take":
        return 5, f"{text if precedence == 5 else f'({text})'}[…]"
    if name == "total":
        return 5, f"sum({text})" if not node.shape else f"sum({text}, {_axes(node.payload)})"
    if name == "contract":
        return _product(node, operands)
    if name == "log_determinant":
        return 5, f"log(abs(det({text})))"
    return 5, f"{_FUNCTIONS[name]}({', '.join(([_DATA] if name == 'choose' else []) + [t for _, t in operands])})"


def _axes(axes: tuple[int, ...]) -> str:
    return f"axis={axes[0]}" if len(axes) == 1 else f"axis={axes}"


def _numbers(node: ArrayNode) -> Written:
    held = node.payload
    if isinstance(held, np.ndarray):
        flat = held.reshape(-1)
        if not flat.size or (flat != flat[0]).any():
            return 5, _DATA
        held = float(flat[0])
    if isinstance(held, float) and not math.isfinite(held):
        return 5, repr(held)
    return number_text(Fraction(held), exact=False)


def _first_numbers(held: NDArray[np.float64]) -> str:
    shown = [f"{v:.6g}" for v in held.reshape(-1)[:3].tolist()]
    return f"[{', '.join(shown)}{', …' if held.size > len(shown) else ''}]"


def _piece(places: Places, owners: Names) -> Written:
    """Write elements of the variables: all that are called alike, a range, one of them."""
    flat = places.reshape(-1)
    if not flat.size:
        return 5, _DATA
    own = np.flatnonzero(owners == owners[flat[0]])
    name, first = str(owners[flat[0]]), int(own[0])
    if flat.size == own.size and np.array_equal(np.sort(flat), own):
        return 5, name
    start, steps = int(flat[0]) - first, np.diff(flat)
    if not places.shape:
        return 5, f"{name}[{start}]"
    return 5, f"{name}[{start}:{start + flat.size}]" if (steps == 1).all() else f"{name}[…]"


def _product(node: ArrayNode, operands: list[Written]) -> Written:
    one, two, result, _, summed, _ = contracted(node.payload)
    texts = [text if precedence >= 2 else f"({text})" for precedence, text in operands]
    if set(one) == set(two) and not result:
        if node.operands[0] == node.operands[1] and one == two:
            return 5, f"sum({applied_text('integer_power', operands[:1], 2)[1]})"
        return (2, f"{texts[0]} @ {texts[1]}") if len(one) == 1 else (5, f"sum({texts[0]}*{texts[1]})")
    if not summed:
        return 2, f"{texts[0]}*{texts[1]}"
    # letters of what a matrix is multiplied by stand in the order of @, or one of both is turned
    c, left, right = summed[0], one, two
    texts = [text if precedence >= 3 else f"({text})" for precedence, text in operands]
    if len(summed) > 1 or max(len(one), len(two)) > 2:
        return 5, f"einsum({node.payload!r}, {operands[0][1]}, {operands[1][1]})"
    if len(left) == 2 and len(right) == 2 and result and result[0] in right:
        left, right, texts = right, left, texts[::-1]
    if len(left) == 2 and left[0] == c:
        texts[0] += ".T"
    if len(right) == 2 and right[1] == c:
        texts[1] += ".T"
    return 2, f"{texts[0]} @ {texts[1]}"
