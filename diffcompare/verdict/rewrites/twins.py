"""What else a sum has where it has a term: the same of another name, of another number, or of the product rule."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import Any

import numpy as np

from diffcompare.verdict.rewrites.syntax import named_slopes, text_of

__all__ = ["renamed", "twins_of"]

# parts of an expression of which a sum may have another
_LONGEST = 30
_ENDING = re.compile(r"\d+$")


def twins_of(node: Any, value: Any, at_hand: Mapping[str, Any]) -> Iterator[str]:
    """Yield expressions that are like one but for their names, or the axis that they add, and its transpose.

    Of a1·b1 that is a2·b2, of u·dv it is du·v, and of a[:, None] it is a[None, :]; only square matrices are transposed.
    """
    node = node.operand if isinstance(node, ast.UnaryOp) else node
    if isinstance(node, ast.Name | ast.Constant) or len(list(ast.walk(node))) > _LONGEST:
        return
    shapes = {name: np.shape(v) for name, v in at_hand.items() if isinstance(v, float | np.ndarray)}
    own = sorted({one.id for one in ast.walk(node) if isinstance(one, ast.Name)} & shapes.keys())
    for names in (*_with_another_ending(own, shapes), *_alike(own, shapes), *_of_slopes(own, shapes)):
        yield text_of(renamed(node, names))
    match node:
        case ast.Subscript(array, ast.Tuple(parts)):
            # of a row of differences that is a column
            yield from (text_of(ast.Subscript(array, other, ast.Load())) for other in _turned(parts))
    if np.ndim(value) == 2 and np.shape(value) == np.shape(value)[::-1]:
        yield f"({text_of(node)}).T"


def _turned(parts: list[Any]) -> Iterator[ast.Tuple]:
    """Yield an index with the new axis before or after the one beside it."""
    for k, pair in enumerate(pairwise(parts)):
        match pair:
            case (ast.Constant(None), ast.Slice(None, None, None)) | (ast.Slice(None, None, None), ast.Constant(None)):
                yield ast.Tuple([*parts[:k], *pair[::-1], *parts[k + 2 :]], ast.Load())


def _with_another_ending(own: list[str], shapes: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What belongs together ends with the same number."""
    endings = [sorted({m[0] for name in some if (m := _ENDING.search(name))}) for some in (own, shapes)]
    for old, new in product(*endings):
        names = {name: name.removesuffix(old) + new for name in own if name.endswith(old)}
        if old != new and len(names) > 1 and shapes.keys() >= set(names.values()):
            yield names


def _alike(own: list[str], shapes: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name in own:
        yield from ({name: other} for other in shapes if other not in own and shapes[other] == shapes[name])


def _of_slopes(own: list[str], shapes: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    slopes = {slope: name for some in named_slopes(shapes) for slope, name in some.items()}
    of = {name: slope for slope, name in slopes.items()}
    for slope, name in product(own, own):
        if slope in slopes and name in of:
            yield {slope: slopes[slope], name: of[name]}


def renamed(node: Any, names: Mapping[str, str]) -> Any:
    """Return the same with other names for some."""
    return _Renamed(names).visit(copy.deepcopy(node))


class _Renamed(ast.NodeTransformer):
    """Takes other names for some."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)
