"""Functions whose loops stand elsewhere, written with the loops in them: those of functions that they call, and sums.

``sum(e for x in data)`` becomes a loop that adds up, and a call of a function with a loop becomes its statements. A
list that a loop appends to becomes an array that it fills, and a loop on one line gets a line for its body.
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

import numpy as np

from diffcompare.tracing.loops import syntax_of

__all__ = ["unfolded"]

# functions in functions that are looked into
_DEPTH = 3


def unfolded(f: Callable[..., Any], shapes: Mapping[str, tuple[int, ...]]) -> Callable[..., Any] | None:
    """Return a function that does the same, with the loops of others in it; None where there are none.

    It has the name, the parameters and the module of the function, and a source of its own. ``shapes`` are those of
    what stands in lists, by the names of these.
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
    around = _Around(function, owner, own.args.args[0].arg if own.args.args else "", names, shapes)
    changed.body = _filled([one for statement in own.body for one in _unfolded(statement, around, _DEPTH)], around)
    on_one_line = any(isinstance(node, ast.For) and node.body[0].lineno == node.lineno for node in ast.walk(own))
    if ast.dump(changed) == ast.dump(own) and not on_one_line:
        return None
    text = ast.unparse(ast.fix_missing_locations(changed)) + "\n"
    file = f"<{own.name} {hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}>"
    # where a source is looked for; without a time of change it stays
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    code = compile(text, file, "exec")
    inner = next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == own.name)
    new = types.FunctionType(inner, function.__globals__, own.name)
    return types.MethodType(new, f.__self__) if isinstance(f, types.MethodType) else new


def _names(tree: ast.AST) -> list[str]:
    """List the names of variables, as often as they stand there."""
    nodes = list(ast.walk(tree))
    return [n.id for n in nodes if isinstance(n, ast.Name)] + [n.arg for n in nodes if isinstance(n, ast.arg)]


@dataclass(frozen=True, slots=True)
class _Around:
    """What a statement stands in: the function, the class that it is a method of, and how often each name is used.

    ``shapes`` has those of what stands in lists.
    """

    function: types.FunctionType
    owner: type | None
    first: str
    names: Counter[str]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def numpy(self) -> str | None:
        """The name that NumPy has in the module."""
        return next((name for name, value in self.function.__globals__.items() if value is np), None)

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
    over, element = _of_its_own(inner, names)
    total = _fresh("total", names)
    added = ast.BinOp(ast.Name(total, ast.Load()), ast.Add(), element)
    body: list[ast.stmt] = [ast.Assign([ast.Name(total, ast.Store())], added)]
    start = ast.Assign([ast.Name(total, ast.Store())], ast.Constant(0.0))
    return [start, ast.For(over.target, over.iter, body, [])], ast.Name(total, ast.Load())


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


def _grown(statement: ast.stmt, around: _Around) -> list[ast.stmt]:
    """Write a list that is set to a comprehension as one that a loop appends to."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.ListComp(_, [ast.comprehension(ifs=[])]) as inner) if (
            name in around.shapes and name not in _names(inner)
        ):
            over, element = _of_its_own(inner, around.names)
            append = ast.parse(f"{name}.append({ast.unparse(element)})").body
            return [ast.Assign(statement.targets, ast.List([])), ast.For(over.target, over.iter, append, [])]
    return [statement]


def _of_its_own(inner: ast.ListComp | ast.GeneratorExp, names: Counter[str]) -> tuple[ast.comprehension, ast.expr]:
    """Return what a comprehension runs over, and its element, with variables that no other code has."""
    (over,) = inner.generators
    # what a comprehension names is its own
    names.subtract(_names(inner))
    own = {name: _fresh(name, names) for name in _names(over.target)}
    element, target = (_Renamed(own).visit(copy.deepcopy(part)) for part in (inner.elt, over.target))
    return ast.comprehension(target, over.iter, [], 0), element


@dataclass(frozen=True, slots=True)
class _List:
    """A list of a function, the loop that appends a value to it in each run, and where in the body it does so."""

    name: str
    start: ast.List
    loop: ast.For
    place: int
    value: ast.expr


def _filled(body: list[ast.stmt], around: _Around) -> list[ast.stmt]:
    """Write lists that a loop appends to as arrays that it fills."""
    numpy = around.numpy
    body = [one for statement in body for part in _apart(statement) for one in _grown(part, around)]
    for k in range(len(body)):
        found = _appended(body, k)
        if numpy is None or found is None or found.name not in around.shapes:
            continue
        given = len(found.start.elts)
        runs = _count(found.loop.iter)
        if given:
            runs = str(given + int(runs)) if runs.isdecimal() else f"{given} + {runs}"
        shape = ", ".join([runs, *map(str, around.shapes[found.name])])
        new = [f"{found.name} = {numpy}.zeros({f'({shape})' if ', ' in shape else shape})"]
        new += [f"{found.name}[{i}] = {ast.unparse(one)}" for i, one in enumerate(found.start.elts)]
        ahead = [one for text in new for one in ast.parse(text).body]
        later = [
            _filling(found, around) if one is found.loop else _OfArray(found.name, numpy).visit(one)
            for one in body[k + 1 :]
        ]
        return _filled([*body[:k], *ahead, *later], around)
    return body


def _apart(statement: ast.stmt) -> list[ast.stmt]:
    """Write an assignment of several values, of which one is a list, as one of each."""
    match statement:
        case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if (
            len(targets) == len(values)
            and any(isinstance(v, ast.List) for v in values)
            and all(isinstance(t, ast.Name) for t in targets)
            and not {ast.unparse(t) for t in targets} & {n for v in values for n in _names(v)}
        ):
            return [ast.Assign([t], v) for t, v in zip(targets, values, strict=True)]
    return [statement]


def _appended(body: list[ast.stmt], k: int) -> _List | None:
    """Return the list that a statement sets, if a loop behind it appends one value to it in each run, and no more."""
    match body[k]:
        case ast.Assign([ast.Name(name) as target], ast.List(elements) as start):
            if any(isinstance(one, ast.Starred) for one in elements):
                return None
        case _:
            return None
    nodes = [node for one in body for node in ast.walk(one)]
    stores = [n for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)]
    methods = [
        n for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name
    ]
    if stores != [target] or [one.attr for one in methods] != ["append"]:
        return None
    for loop in [one for one in body[k + 1 :] if isinstance(one, ast.For)]:
        leaving = ast.Break | ast.Continue | ast.Return
        if any(isinstance(node, leaving) for node in ast.walk(loop)) or loop.orelse:
            continue
        for place, one in enumerate(loop.body):
            match one:
                case ast.Expr(ast.Call(func, [value], [])) if func is methods[0] and not isinstance(value, ast.Starred):
                    return _List(name, start, loop, place, value)
    return None


def _stop(over: ast.expr) -> ast.expr | None:
    """Return n of ``range(n)``."""
    match over:
        case ast.Call(ast.Name("range"), [stop], []):
            return stop
    return None


def _enumerated(over: ast.expr) -> ast.expr | None:
    """Return x of ``enumerate(x)``."""
    match over:
        case ast.Call(ast.Name("enumerate"), [inner], []):
            return inner
    return None


def _count(over: ast.expr) -> str:
    """Write how many runs a loop has."""
    stop = _stop(over)
    if stop is not None:
        text = ast.unparse(stop)
        return text if isinstance(stop, ast.Name | ast.Constant | ast.Call) else f"({text})"
    over = _enumerated(over) or over
    text = ast.unparse(over)
    has_length = text.startswith("range(") or isinstance(over, ast.Name | ast.Attribute | ast.Subscript)
    return f"len({text})" if has_length else f"len(list({text}))"


def _counter(loop: ast.For) -> str | None:
    """Return the name of the loop's own that counts its runs."""
    match loop.target:
        case ast.Name(name) | ast.Tuple([ast.Name(name), *_]) if name != "_":
            own = isinstance(loop.target, ast.Name)
            return name if (_stop if own else _enumerated)(loop.iter) is not None else None
    return None


def _filling(found: _List, around: _Around) -> ast.For:
    """Return the loop with what it appends written to its place, and with what is read from the end counted."""
    loop, given = found.loop, len(found.start.elts)
    own = _counter(loop)
    counter = own or _fresh("k", around.names)
    around.names[counter] += 1
    body: list[ast.stmt] = []
    for place, one in enumerate(loop.body):
        if place == found.place:
            text = f"{found.name}[{_plus(counter, given)}] = {ast.unparse(found.value)}"
            one = ast.parse(text).body[0]
        body.append(_Counted(found.name, counter, given + (place > found.place)).visit(copy.deepcopy(one)))
    if own:
        return ast.For(loop.target, loop.iter, body, [])
    unused = ast.unparse(loop.target) == "_" and not any("_" in _names(one) for one in loop.body)
    if _stop(loop.iter) is not None and unused:
        return ast.For(ast.Name(counter, ast.Store()), loop.iter, body, [])
    target = ast.Tuple([ast.Name(counter, ast.Store()), loop.target], ast.Store())
    return ast.For(target, ast.Call(ast.Name("enumerate", ast.Load()), [loop.iter], []), body, [])


def _plus(counter: str, number: int) -> str:
    return f"{counter} {'+' if number > 0 else '-'} {abs(number)}" if number else counter


class _Counted(ast.NodeTransformer):
    """Writes places that are counted from the end of a list, which grows, from its start."""

    def __init__(self, name: str, counter: str, length: int) -> None:
        self._name, self._counter, self._length = name, counter, length

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == self._name:
            match node.slice:
                case ast.UnaryOp(ast.USub(), ast.Constant(int() as back)):
                    node.slice = ast.parse(_plus(self._counter, self._length - back), mode="eval").body
        return node


class _OfArray(ast.NodeTransformer):
    """Writes what is done to a list as what is done to the array that it is now."""

    def __init__(self, name: str, numpy: str) -> None:
        self._name, self._numpy = name, numpy

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Name("sum"), [ast.Name(self._name)], []):
                # an element may be an array
                text = f"{self._numpy}.sum({self._name}, axis=0)"
                return ast.parse(text, mode="eval").body
            case ast.Call(ast.Attribute(ast.Name(self._numpy), "stack"), [ast.Name(self._name)], []):
                return node.args[0]
        return node
