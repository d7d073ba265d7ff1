"""What stands in a loop for the numbers of each run: its variables, and parts of arrays that they choose."""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from diffcompare.program.arrays import Places
from diffcompare.program.repeated_nodes import Nodes
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.handle import Handle, as_now, is_written, made
from diffcompare.tracing.loops import Loop, Scope, syntax_of, text_of

__all__ = ["LoopName", "LoopNames", "assigned_names", "loaded_names", "node_in", "set_first", "written_arrays"]

_SIMPLE = (
    ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Slice, ast.Tuple, ast.List, ast.UnaryOp, ast.BinOp,
    ast.operator, ast.unaryop, ast.expr_context, ast.Call,
)  # fmt: skip
_LARGEST = 10_000
# functions in functions that are looked into
_DEPTH = 3
_COUNTERS = ("k", "i", "j", "n", "number", "count", "counter")
# no name that code has
_WHOLE = "\0"


@dataclass(frozen=True, slots=True)
class LoopName:
    """An expression of a loop's body, or elements of one.

    Parameters
    ----------
    text : str
    moving : bool
        Whether it depends on the point.
    base, key : str
        What it is a part of, and which one: ``p`` and ``[i]``; itself and nothing for what is none.
    repeats : bool
        Whether the key takes an element twice.
    places : tuple of int, or None
        The places of the elements in the flat order; None for all.
    shape : tuple of int
        The shape of all.
    node : int or None
        What the elements are taken from, where it has no name: then the text is the key.
    """

    text: str
    moving: bool
    base: str
    shape: tuple[int, ...] = ()
    key: str = ""
    repeats: bool = False
    places: tuple[int, ...] | None = None
    node: int | None = None


def assigned_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of variables that are set, or written to."""
    found = set()
    for one in (inner for node in nodes for inner in ast.walk(node)):
        if isinstance(one, ast.Name | ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store):
            base: ast.expr = one
            while isinstance(base, ast.Subscript | ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name):
                found.add(base.id)
    return found


def loaded_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names of variables that are used."""
    found = set()
    for one in (inner for node in nodes for inner in ast.walk(node)):
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            found.add(one.target.id)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            found.add(one.id)
    return found


def set_first(body: Sequence[ast.stmt]) -> set[str]:
    """Return the names that a body sets before it uses them."""
    found: set[str] = set()
    used: set[str] = set()
    for statement in body:
        used |= loaded_names([statement])
        found |= assigned_names([statement]) - used
    return found


def written_arrays(body: Sequence[ast.stmt], source: str = "") -> dict[str, str]:
    """Return the arrays of which a body sets one part, by their names, with the key of the part."""
    found: dict[str, set[str]] = {}
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id, set()).add("")
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
            found.setdefault(node.value.id, set()).add(text_of(node, source)[len(node.value.id) :])
    return {name: min(keys) for name, keys in found.items() if len(keys) == 1 and "" not in keys}


class LoopNames:
    """The expressions of a loop's body, by the nodes that they have in its runs.

    Parameters
    ----------
    table : ArrayTable
    loop : Loop
    runs : sequence of int
        Which of its runs.

    ``written`` are the arrays of which each run sets one part, with its key; ``scopes`` the variables in the runs;
    ``counters`` are the names of what counts the runs of a loop over parts of an array that depends on the point.
    """

    def __init__(self, table: ArrayTable, loop: Loop, runs: Sequence[int]) -> None:
        self._build = table.build
        body = loop.body
        first, inner = set_first(body), assigned_names([loop.nest[0]])
        self.written = written_arrays(body, loop.source)
        # their parts are read from what they are in the end
        whole = {name: loop.behind.values[name] for name in self.written if name in loop.behind.values}
        scopes = [_merged(*run, first) for run in loop.runs]
        scopes = [Scope({**scope.values, **whole}, scope.nodes, scope.outside) for scope in scopes]
        self.scopes = [scopes[k] for k in runs]
        self.counters: dict[ast.For, str] = {}
        rows = self._rows(loop)
        self._found: dict[Nodes, LoopName] = {}
        self._keys: dict[str, ast.expr] = {}
        for text, expression in _expressions(body, loop.source, self.scopes[0]):
            if isinstance(expression, ast.Subscript):
                self._keys.setdefault(_key_of(text, expression), expression.slice)
            values = [_value(expression, scope) for scope in self.scopes]
            nodes = tuple(node for value in values if (node := _node(table, value)) is not None)
            if len(nodes) < len(values):
                continue
            moving = isinstance(values[0], Handle) and values[0].moving
            if not moving and len(set(nodes)) == 1:
                # the same number in every run
                continue
            name = _named(text, expression, scopes, runs[0], loop.source) if moving else _constant(text, expression)
            if name.base in rows:
                base, row = rows[name.base]
                name = replace(name, base=base, key=row + name.key)
            if name.key and name.base in inner and name.key == self.written.get(name.base, name.key):
                # the derivative in what changes from run to run is not written to in parts
                continue
            self._found.setdefault(nodes, replace(name, shape=self._build.shape(nodes[0])))

    def _rows(self, loop: Loop) -> dict[str, tuple[str, str]]:
        """Return what stands for the parts of arrays that depend on the point, over which loops go."""
        found: dict[str, tuple[str, str]] = {}
        own = {node.id for node in ast.walk(loop.nest[0]) if isinstance(node, ast.Name)}
        for one in loop.nest:
            target: Any = one.target
            over: Any = one.iter
            counter = next(c for c in _COUNTERS if c not in own)
            counted = _is_call(over, "enumerate") and isinstance(target, ast.Tuple)
            if counted and isinstance(target.elts[0], ast.Name):
                counter, target, over = target.elts[0].id, target.elts[1], over.args[0]
            zipped = _is_call(over, "zip") and isinstance(target, ast.Tuple)
            pairs = zip(target.elts, over.args, strict=False) if zipped else [(target, over)]
            for name, array in pairs:
                value = _value(array, self.scopes[0])
                if isinstance(name, ast.Name) and isinstance(value, Handle) and value.moving:
                    found[name.id] = (text_of(array, loop.source), f"[{counter}]")
                    if not counted:
                        self.counters[one] = counter
            own |= {counter}
        return found

    def __call__(self, nodes: Nodes) -> tuple[LoopName, Nodes | None] | None:
        """Return what stands for nodes, and those that it takes elements of; None where it is not known."""
        found = self._found.get(nodes)
        if found is not None:
            return found, None
        taken = [self._build.nodes[k] for k in nodes]
        if any(one.operation != "take" for one in taken) or all(
            np.array_equal(one.payload, taken[0].payload) for one in taken
        ):
            return None
        bases = tuple(one.operands[0] for one in taken)
        places = [one.payload for one in taken]
        return self._elements(bases, places) or self._chosen(bases, places)

    def _elements(self, bases: Nodes, places: Sequence[Places]) -> tuple[LoopName, None] | None:
        """Return the elements as elements of what has a name."""
        for nodes, name in self._found.items():
            wholes = [self._build.nodes[k] for k in nodes]
            if any(one.operation != "take" or one.operands[0] != b for one, b in zip(wholes, bases, strict=True)):
                continue
            within = [_within(one.payload, own) for one, own in zip(wholes, places, strict=True)]
            if within[0] is not None and all(one is not None and np.array_equal(one, within[0]) for one in within):
                return replace(name, places=tuple(within[0].reshape(-1).tolist())), None
        return None

    def _chosen(self, bases: Nodes, places: Sequence[Places]) -> tuple[LoopName, Nodes] | None:
        """Return the elements as those that a key of the code takes."""
        shapes = [self._build.shape(k) for k in bases]
        for text, key in self._keys.items():
            own = [_taken(_counted(shape), key, scope) for shape, scope in zip(shapes, self.scopes, strict=True)]
            if all(map(np.array_equal, own, places)):
                return LoopName(text, True, "", shapes[0], node=bases[0]), bases
        return None


def _is_call(expression: ast.expr, name: str) -> bool:
    return isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name) and expression.func.id == name


def _counted(shape: tuple[int, ...]) -> Places:
    return np.arange(int(np.prod(shape))).reshape(shape)


def _taken(places: Places, key: ast.expr, scope: Scope) -> Any:
    """Return the places that a key takes; None where it takes none."""
    inside = Scope({**scope.values, _WHOLE: places}, scope.nodes, scope.outside)
    return _value(ast.Subscript(ast.Name(_WHOLE, ast.Load()), key, ast.Load()), inside)


def _within(whole: Places, places: Places) -> Places | None:
    """Return where elements stand among others; None where one does not."""
    flat = whole.reshape(-1)
    order = np.argsort(flat, kind="stable")
    found = np.searchsorted(flat[order], places)
    if not flat.size or (found == flat.size).any():
        return None
    found = order[found]
    return found if np.array_equal(flat[found], places) else None


def _merged(start: Scope, end: Scope, first: set[str]) -> Scope:
    """Return what the names of a body stand for where they are used."""
    later = {name: end.values[name] for name in first if name in end.values and name not in end.nodes}
    values = {name: value for name, value in start.values.items() if name not in first}
    return Scope(values | later, start.nodes, start.outside)


def _key_of(text: str, expression: ast.Subscript) -> str:
    return text[text.index("[", len(ast.unparse(expression.value)) - 1) + 1 : -1] if "[" in text else text


def _expressions(body: Iterable[ast.stmt], source: str, scope: Scope) -> list[tuple[str, ast.expr]]:
    """List expressions without calls, also of the user's functions that are called; names and short ones first."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        for text, node in _inside(statement, source, scope, _DEPTH):
            found.setdefault(text, node)
    return sorted(found.items(), key=lambda one: (not isinstance(one[1], ast.Name), len(one[0])))


def _inside(statement: ast.AST, source: str, scope: Scope, depth: int) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(statement):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, ast.Name(node.target.id, ast.Load())
        if isinstance(node, ast.Call):
            yield from _called(node, scope, depth)
        if (
            isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.BinOp | ast.UnaryOp | ast.Call)
            and isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
            and all(isinstance(inner, _SIMPLE) for inner in ast.walk(node))
        ):
            text = text_of(node, source)
            yield ast.unparse(node) if "\n" in text else text, node


class _Arguments(ast.NodeTransformer):
    def __init__(self, given: dict[str, ast.expr]) -> None:
        self._given = given

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._given.get(node.id, node)


def _called(call: ast.Call, scope: Scope, depth: int) -> Iterator[tuple[str, ast.expr]]:
    """List the expressions of a function, with its arguments in place of its parameters."""
    function = _value(call.func, scope) if isinstance(call.func, ast.Name) else None
    plain = not call.keywords and not any(isinstance(a, ast.Starred) for a in call.args)
    if not depth or not plain or not isinstance(function, types.FunctionType):
        return
    own = syntax_of(function)
    if own is None:
        return
    given = dict(zip((a.arg for a in own.args.args), call.args, strict=False))
    for statement in own.body:
        changed = _Arguments(given).visit(copy.deepcopy(statement))
        yield from _inside(changed, "", scope, depth - 1)


def node_in(text: str, scope: Scope) -> int | None:
    """Return the node of an expression at a place; None where it does not depend on the point."""
    value = _value(ast.parse(text, mode="eval").body, scope)
    return value.node if isinstance(value, Handle) and value.moving else None


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
        found = eval(code, {"__builtins__": {"len": len}}, cast(Any, scope))  # noqa: S307
        # to read an array puts its parts together
        return as_now(found) if isinstance(found, Handle) and is_written(found) else found
    return None


def _node(table: ArrayTable, value: Any) -> int | None:
    if isinstance(value, Handle):
        return value.node if value.store is not None else None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number | np.ndarray):
        return None
    if isinstance(value, np.ndarray) and (value.size > _LARGEST or value.dtype.kind not in "iuf"):
        return None
    return made(table, value).node


def _constant(text: str, expression: ast.expr) -> LoopName:
    text = f"({text})" if isinstance(expression, ast.BinOp | ast.UnaryOp) else text
    return LoopName(text, False, text)


def _named(text: str, expression: ast.expr, scopes: Sequence[Scope], run: int, source: str) -> LoopName:
    base, keys = expression, list[ast.expr]()
    while isinstance(base, ast.Subscript):
        inner = _value(base.value, scopes[run])
        if not isinstance(inner, Handle) or not inner.moving:
            break
        keys.insert(0, base.slice)
        base = base.value
    start = text_of(base, source)
    start = start if text.startswith(start) else ast.unparse(base)
    shape = _value(base, scopes[run]).shape
    repeats = bool(keys) and _repeats(shape, keys, scopes, run)
    return LoopName(text, True, start, key=text[len(start) :], repeats=repeats)


def _repeats(shape: tuple[int, ...], keys: Sequence[ast.expr], scopes: Sequence[Scope], run: int) -> bool:
    """Tell whether keys take an element twice, in any run."""
    for scope in (scopes[run], *scopes):
        places = _counted(shape)
        for key in keys:
            places = _taken(places, key, scope)
        if not isinstance(places, np.ndarray) or not places.flags.owndata:
            # a slice takes each once
            return False
        if places.size > np.unique(places).size:
            return True
    return False
