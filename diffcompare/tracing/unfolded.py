"""Functions whose loops stand elsewhere, written with the loops in them: those of functions that they call, and sums.

``sum(e for x in data)`` becomes a loop that adds up, and a call of a function with a loop becomes its statements.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import linecache
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diffcompare.tracing.loops import syntax_of

__all__ = ["unfolded"]

# functions in functions that are looked into
_DEPTH = 3


def unfolded(f: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return a function that does the same, with the loops of others in it; None where there are none.

    It has the name, the parameters and the module of the function, and a source of its own.
    """
    function = f.__func__ if isinstance(f, types.MethodType) else f
    if not isinstance(function, types.FunctionType):
        return None
    own = syntax_of(function)
    if own is None or function.__closure__ or function.__defaults__ or function.__kwdefaults__:
        return None
    changed = copy.deepcopy(own)
    changed.decorator_list = []
    names = Counter(_names(own))
    owner = type(f.__self__) if isinstance(f, types.MethodType) else None
    around = _Around(function, owner, own.args.args[0].arg if own.args.args else "", names)
    changed.body = [one for statement in own.body for one in _unfolded(statement, around, _DEPTH)]
    if ast.dump(changed) == ast.dump(own):
        return None
    text = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
    file = f"<{own.name} {hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}>"
    # where a source is looked for; without a time of change it stays
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    code = compile(text, file, "exec")
    (inner,) = (c for c in code.co_consts if isinstance(c, types.CodeType))
    new = types.FunctionType(inner, function.__globals__, own.name)
    return types.MethodType(new, f.__self__) if isinstance(f, types.MethodType) else new


def _names(tree: ast.AST) -> list[str]:
    """List the names of variables, as often as they stand there."""
    nodes = list(ast.walk(tree))
    return [n.id for n in nodes if isinstance(n, ast.Name)] + [n.arg for n in nodes if isinstance(n, ast.arg)]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a statement stands in: the function, the class that it is a method of, and how often each name is used."""

    function: types.FunctionType
    owner: type | None
    first: str
    names: Counter[str]

    def called(self, call: ast.Call) -> tuple[types.FunctionType, list[ast.expr]] | None:
        """Return the function of the user's that is called, and its arguments."""
        found: Any
        if isinstance(call.func, ast.Name):
            found, args = self.function.__globals__.get(call.func.id), call.args
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            if self.owner is None or call.func.value.id != self.first:
                return None
            found, args = vars(self.owner).get(call.func.attr), [call.func.value, *call.args]
        else:
            return None
        if not isinstance(found, types.FunctionType) or found.__closure__:
            return None
        return (found, args) if found.__globals__ is self.function.__globals__ else None


def _unfolded(statement: ast.stmt, around: _Around, depth: int) -> Iterator[ast.stmt]:
    """Write a statement with the loops of its calls in front of it."""
    names = around.names
    if depth and isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
        statement = copy.deepcopy(statement)
        for call in [node for node in ast.walk(statement) if isinstance(node, ast.Call)]:
            found = _summed(call, names) or _called(call, around)
            if found is not None:
                ahead, value = found
                names.update(name for one in ahead for name in _names(one))
                for one in ahead:
                    yield from _unfolded(one, around, depth - 1)
                statement = _Replaced(call, value).visit(statement)
    yield statement


class _Replaced(ast.NodeTransformer):
    def __init__(self, node: ast.AST, by: ast.expr) -> None:
        self._node, self._by = node, by

    def visit(self, node: ast.AST) -> Any:
        """Put another expression in place of one."""
        return self._by if node is self._node else super().visit(node)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


def _fresh(name: str, names: Counter[str]) -> str:
    while names[name] > 0:
        name += "_"
    return name


def _summed(call: ast.Call, names: Counter[str]) -> tuple[list[ast.stmt], ast.expr] | None:
    """Write the sum of a comprehension as a loop."""
    if ast.unparse(call.func) not in ("sum", "np.sum") or len(call.args) != 1 or call.keywords:
        return None
    (inner,) = call.args
    if not isinstance(inner, ast.GeneratorExp | ast.ListComp) or len(inner.generators) != 1 or inner.generators[0].ifs:
        return None
    (over,) = inner.generators
    # what a comprehension names is its own
    names.subtract(_names(inner))
    own = {name: _fresh(name, names) for name in _names(over.target)}
    element, target = (_Renamed(own).visit(copy.deepcopy(part)) for part in (inner.elt, over.target))
    total = _fresh("total", names)
    added = ast.BinOp(ast.Name(total, ast.Load()), ast.Add(), element)
    body: list[ast.stmt] = [ast.Assign([ast.Name(total, ast.Store())], added)]
    start = ast.Assign([ast.Name(total, ast.Store())], ast.Constant(0.0))
    return [start, ast.For(target, over.iter, body, [])], ast.Name(total, ast.Load())


def _called(call: ast.Call, around: _Around) -> tuple[list[ast.stmt], ast.expr] | None:
    """Write a call of a function with a loop as its statements, and what it returns."""
    found = around.called(call)
    own = syntax_of(found[0]) if found is not None else None
    if own is None or found is None:
        return None
    function, args = found
    *body, last = own.body
    inside = [node for one in body for node in ast.walk(one)]
    if (
        not isinstance(last, ast.Return)
        or last.value is None
        or any(isinstance(node, ast.Return | ast.Yield | ast.FunctionDef) for node in inside)
    ):
        return None
    if not any(isinstance(one, ast.For) for one in body) and not any(
        isinstance(node, ast.GeneratorExp | ast.ListComp) for node in inside
    ):
        return None
    try:
        given = inspect.signature(function).bind(*args, **{k.arg or "": k.value for k in call.keywords}).arguments
    except TypeError:
        return None
    if list(given) != [a.arg for a in own.args.args] or any(isinstance(v, ast.Starred) for v in given.values()):
        return None
    used = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    # a variable that is handed on is the same one, unless it is set there
    same = {p: v.id for p, v in given.items() if isinstance(v, ast.Name) and p not in used}
    renamed = {name: _fresh(name, around.names) for name in sorted(used | given.keys()) if name not in same}
    ahead: list[ast.stmt] = [
        ast.Assign([ast.Name(renamed[p], ast.Store())], value) for p, value in given.items() if p not in same
    ]
    renamed |= same
    ahead += [_Renamed(renamed).visit(copy.deepcopy(one)) for one in body]
    return ahead, _Renamed(renamed).visit(copy.deepcopy(last.value))
