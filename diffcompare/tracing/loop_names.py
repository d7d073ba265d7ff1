"""What stands in a loop for the numbers of each run: its variables, and parts of arrays that they choose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.program.repeated_nodes import Pair
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.handle import Handle, made
from diffcompare.tracing.loops import Loop, Scope

__all__ = ["LoopName", "assigned_names", "loaded_names", "names_in_loop"]

_SIMPLE = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Slice, ast.Tuple, ast.List, ast.UnaryOp, ast.BinOp,
    ast.operator, ast.unaryop, ast.expr_context, ast.Call, ast.keyword,
)  # fmt: skip
_LARGEST = 10_000


@dataclass(frozen=True, slots=True)
class LoopName:
    """An expression of a loop's body.

    Parameters
    ----------
    text : str
    moving : bool
        Whether it depends on the point.
    base, key : str
        What it is a part of, and which one: ``p`` and ``[i]``; itself and nothing for an array of its own.
    repeats : bool
        Whether the key takes an element twice.
    """

    text: str
    moving: bool
    base: str
    key: str = ""
    repeats: bool = False


def assigned_names(nodes: list[ast.AST]) -> set[str]:
    """Return the names of variables that are set, or written to."""
    found = set()
    for one in (inner for node in nodes for inner in ast.walk(node)):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            found.add(one.id)
        elif isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store):
            base: ast.expr = one
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                found.add(base.id)
    return found


def loaded_names(nodes: list[ast.AST]) -> set[str]:
    """Return the names of variables that are used."""
    found = set()
    for one in (inner for node in nodes for inner in ast.walk(node)):
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            found.add(one.target.id)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            found.add(one.id)
    return found


def set_first(body: list[ast.stmt]) -> set[str]:
    """Return the names that a body sets before it uses them."""
    found: set[str] = set()
    used: set[str] = set()
    for statement in body:
        used |= loaded_names([statement])
        found |= assigned_names([statement]) - used
    return found


def names_in_loop(table: ArrayTable, loop: Loop) -> dict[Pair, LoopName]:
    """Return the expressions of a loop's body by the nodes that they had in the last run and in that before."""
    body = loop.nest[-1].body
    first = set_first(body)
    scopes = [_merged(start, end, first) for start, end in reversed(loop.runs)]
    found: dict[Pair, LoopName] = {}
    for expression in _expressions(body):
        values = [_value(expression, scope) for scope in scopes]
        pair = tuple(_node(table, value) for value in values)
        if None in pair:
            continue
        moving = isinstance(values[0], Handle) and values[0].moving
        if not moving and pair[0] == pair[1]:
            # the same number in every run
            continue
        name = _named(expression, scopes[0], moving)
        if name is not None:
            found.setdefault((pair[0], pair[1]), name)  # type: ignore[arg-type]
    return found


def _merged(start: Scope, end: Scope, first: set[str]) -> Scope:
    """Return what the names of a body stand for where they are used."""
    later = {name: end.values[name] for name in first if name in end.values and name not in end.nodes}
    values = {name: value for name, value in start.values.items() if name not in first}
    return Scope(values | later, start.nodes, start.outside)


def _expressions(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """List expressions without calls of the user's functions, the shorter first, each once."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.UnaryOp)
                and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
                and all(isinstance(inner, _SIMPLE) for inner in ast.walk(node))
            ):
                found.setdefault(ast.unparse(node), node)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.setdefault(node.target.id, ast.Name(node.target.id, ast.Load()))
    yield from sorted(found.values(), key=lambda one: (not isinstance(one, ast.Name), len(ast.unparse(one))))


def _value(expression: ast.expr, scope: Scope) -> Any:
    """Evaluate an expression; None where it is none of numbers, or does more than choose or combine them."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id == "len"):
            return None
        if isinstance(node, ast.BinOp | ast.UnaryOp) and loaded_names([node]) & scope.nodes.keys():
            return None
    code = compile(ast.fix_missing_locations(ast.Expression(expression)), "<loop>", "eval")
    with suppress(Exception):
        # nothing but indices, attributes and arithmetic
        return eval(code, {"__builtins__": {"len": len}}, scope)  # noqa: S307
    return None


def _node(table: ArrayTable, value: Any) -> int | None:
    if isinstance(value, Handle):
        return value.node if value.store is not None else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number | np.ndarray):
        return None
    if isinstance(value, np.ndarray) and (value.size > _LARGEST or value.dtype.kind not in "iuf"):
        return None
    return made(table, value).node


def _named(expression: ast.expr, scope: Scope, moving: bool) -> LoopName | None:
    text = ast.unparse(expression)
    if not moving:
        return LoopName(text, False, text)
    base = expression
    while isinstance(base, ast.Subscript):
        inner = _value(base.value, scope)
        if not isinstance(inner, Handle) or not inner.moving:
            break
        base = base.value
    key = text[len(ast.unparse(base)) :]
    return LoopName(text, True, ast.unparse(base), key, bool(key) and _repeats(expression, base, scope))


def _repeats(expression: ast.expr, base: ast.expr, scope: Scope) -> bool:
    places = _value(base, scope)
    if not isinstance(base, ast.Name):
        return False
    numbers = np.arange(places.size).reshape(places.shape)
    taken = np.asarray(_value(expression, Scope({**scope.values, base.id: numbers}, {}, scope.outside)))
    return taken.size > np.unique(taken).size
