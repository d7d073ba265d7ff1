"""Expressions that are tried in one another's place: the code is compiled once for a place, not for each of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from diffcompare.verdict.rewrites.running import Body, Change, Changed

__all__ = ["Switches"]

# what has names of its own, or is no value
_OWN = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda
_NO_VALUES = ast.Slice | ast.Starred | _OWN

Make = Callable[[Sequence[Change]], Changed | None]


@dataclass(slots=True)
class _Switch:
    """Gives the value of the expression that is tried, with the names at hand."""

    space: dict[str, Any]
    code: CodeType | None = None

    def __call__(self, names: dict[str, Any]) -> Any:
        # names and expressions of the user's own code
        return eval(self.code, self.space, names)  # type: ignore[arg-type]  # noqa: S307


@dataclass(slots=True)
class Switches:
    """The gradients in which a place of a function can be switched, made when they are asked for."""

    body: Body
    _made: dict[tuple[int, str, int | None], tuple[_Switch, Changed | None]] = field(default_factory=dict)
    _inside: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for node in ast.walk(self.body.definition):
            # the names at hand are not those outside of it
            if isinstance(node, _OWN) and node is not self.body.definition:
                self._inside.update(id(one) for one in ast.walk(node) if one is not node)

    def gradient(self, changes: Sequence[Change], make: Make) -> Changed | None:
        """Return the gradient with a change that puts one expression in place of another; None of other changes.

        ``make``: returns it with changes of the source.
        """
        if len(changes) != 1 or not self._is_switched(changes[0]):
            return None
        (change,) = changes
        place = id(change.owner), change.field, change.index
        if place not in self._made:
            space = self.body.function.__globals__
            name, switch = f"__switch_{len(space)}__", _Switch(space)
            space[name] = switch
            call = ast.Call(ast.Name(name, ast.Load()), [ast.Call(ast.Name("locals", ast.Load()), [], [])], [])
            # the names of what stands there stay at hand
            both = ast.IfExp(ast.Constant(True), call, _old(change))
            ast.fix_missing_locations(ast.copy_location(both, _old(change)))
            self._made[place] = switch, make([Change(change.owner, change.field, change.index, both)])
        switch, gradient = self._made[place]
        switch.code = compile(ast.Expression(change.new), self.body.function.__code__.co_filename, "eval")
        return gradient

    def _is_switched(self, change: Change) -> bool:
        both = change.new, _old(change)
        return not {id(change.owner), id(both[1])} & self._inside and all(map(_is_value, both))


def _old(change: Change) -> Any:
    held = getattr(change.owner, change.field)
    return held if change.index is None else held[change.index]


def _is_value(node: Any) -> bool:
    """Tell whether something is an expression whose value can be computed by itself."""
    if not isinstance(node, ast.expr) or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return False
    return not any(isinstance(one, _NO_VALUES) for one in _outer(node))


def _outer(node: ast.AST) -> Sequence[ast.AST]:
    """Return an expression, and the elements of one that is a tuple: slices may stand there."""
    return [node, *node.elts] if isinstance(node, ast.Tuple | ast.List) else [node]
