"""The loops of a function, with what its local variables were before a loop, in each of its runs, and behind it."""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from diffcompare.program.arrays import Places
from diffcompare.tracing.handle import Handle, as_now, is_written, written_parts
from diffcompare.tracing.places import written
from diffcompare.tracing.spans import definition_of

__all__ = ["Loop", "Scope", "is_skipping", "noting_loops", "syntax_of", "text_of"]


@dataclass(frozen=True, slots=True)
class Scope:
    """The local variables of a function at one moment.

    Parameters
    ----------
    values : dict
        By name; of a traced array that is written to later, what it is then.
    nodes : dict
        The nodes of those that depend on the point, as they were.
    outside : mapping
        The names of the module.
    parts : dict
        The nodes that were written into arrays, with the names of these and the places.
    """

    values: Mapping[str, Any]
    nodes: Mapping[str, int]
    outside: Mapping[str, Any]
    parts: Mapping[int, tuple[str, Places]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name] if name in self.values else self.outside[name]


@dataclass(slots=True)
class Loop:
    """A loop, or loops that stand in each other, which runs its body more than once.

    Parameters
    ----------
    nest : tuple of ast.For
        The outermost first; all but the innermost do nothing but name numbers for the next one.
    before, after : Scope
    source : str
        The text that its places are in.
    runs : list
        What the local variables were when the body began and when it ended, of each run.
    """

    nest: tuple[ast.For, ...]
    source: str
    before: Scope | None = None
    after: Scope | None = None
    runs: list[tuple[Scope, Scope]] = field(default_factory=list)
    _begins: bool = False
    _begun: Scope | None = None

    @property
    def outside(self) -> Scope:
        """What the local variables were before the loop."""
        if self.before is None:
            raise AssertionError
        return self.before

    @property
    def behind(self) -> Scope:
        """What the local variables were behind the loop."""
        if self.after is None:
            raise AssertionError
        return self.after

    @property
    def guards(self) -> list[ast.If]:
        """The conditions that stand in front of the body, or around it."""
        return _guarded(self.nest[-1].body)[0]

    @property
    def body(self) -> list[ast.stmt]:
        """What a run does."""
        return _guarded(self.nest[-1].body)[1]

    def reached(self, line: int, scope: Callable[[], Scope]) -> None:
        """Note that a line is run next."""
        heads = [line in _head(loop) for loop in self.nest]
        if any(heads):
            if self._begun is not None:
                self.runs.append((self._begun, scope()))
                self._begun = None
            if heads[0]:
                self.after = scope()
                self.before = self.before or self.after
            self._begins = heads[-1]
        elif self._begins and self.body[0].lineno <= line <= (self.nest[0].end_lineno or 0):
            self._begun, self._begins = scope(), False


def _head(loop: ast.For) -> range:
    return range(loop.lineno, loop.body[0].lineno)


def is_skipping(guard: ast.If) -> bool:
    """Tell whether a condition skips a run; else the body stands in it."""
    return isinstance(guard.body[0], ast.Continue)


def _guarded(body: list[ast.stmt]) -> tuple[list[ast.If], list[ast.stmt]]:
    first, *rest = body
    if isinstance(first, ast.If) and not first.orelse and is_skipping(first) == bool(rest):
        guards, inner = _guarded(rest or first.body)
        return [first, *guards], inner
    return [], body


def syntax_of(function: types.FunctionType) -> ast.FunctionDef | None:
    """Return the syntax of a function that is no lambda, which nobody may change; None where its source is unknown."""
    found = definition_of(function.__code__)
    return found if isinstance(found, ast.FunctionDef) else None


def text_of(node: ast.AST, source: str) -> str:
    """Return code as it was written; as Python writes it where it is not of this source."""
    own = textwrap.dedent(_segment(node, source)) if source else ""
    # a comment may stand further to the left
    return ast.unparse(node) if not own or own[0].isspace() else own


def _segment(node: ast.AST, source: str) -> str:
    """Return code as it stands, blank before it: :func:`ast.get_source_segment` reads the whole file by letters."""
    if not isinstance(node, ast.stmt | ast.expr) or node.end_lineno is None:
        return ""
    lines = [line.encode() for line in source.split("\n")[node.lineno - 1 : node.end_lineno]]
    lines[-1] = lines[-1][: node.end_col_offset]
    before = lines[0][: node.col_offset].decode()
    lines[0] = "".join(c if c in "\f\t" else " " for c in before).encode() + lines[0][node.col_offset :]
    return b"\n".join(lines).decode()


def _nest(loop: ast.For) -> tuple[ast.For, ...]:
    *before, last = loop.body
    if isinstance(last, ast.For) and all(isinstance(one, ast.Assign) for one in before):
        return (loop, *_nest(last))
    return (loop,)


@contextmanager
def noting_loops(function: types.FunctionType) -> Iterator[list[Loop]]:
    """Note what happens in the loops of a function, while its copy is traced."""
    tree, own = syntax_of(function), written(function.__code__)
    source = "".join(linecache.getlines(function.__code__.co_filename))
    found = [Loop(_nest(one), source) for one in (tree.body if tree is not None else []) if isinstance(one, ast.For)]
    if not found:
        yield found
        return

    def lines(frame: types.FrameType, event: str, _: Any) -> Any:
        if event == "line":
            for loop in found:
                loop.reached(frame.f_lineno, lambda: _scope(frame))
        return lines

    def calls(frame: types.FrameType, _: str, __: Any) -> Any:
        # the function itself, which may be called first, has a plain module
        return lines if type(frame.f_globals) is not dict and written(frame.f_code) == own else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        yield found
    finally:
        sys.settrace(before)
    for loop in found:
        loop.before, loop.after = (None if one is None else _read(one) for one in (loop.before, loop.after))


def _scope(frame: types.FrameType) -> Scope:
    """Note the local variables; an array that is being written is not read, which would put its parts together."""
    values, nodes = dict(frame.f_locals), {}
    for name, value in values.items():
        if isinstance(value, Handle) and value.store is not None:
            if is_written(value):
                values[name] = as_now(value)
            elif value.moving:
                nodes[name] = value.node
    return Scope(values, nodes, frame.f_globals)


def _read(scope: Scope) -> Scope:
    """Return a scope with the nodes of arrays that were written, too."""
    nodes, parts = dict(scope.nodes), dict[int, tuple[str, Places]]()
    for name, value in scope.values.items():
        if isinstance(value, Handle) and value.store is not None and is_written(value):
            whole = as_now(value)
            if whole.moving:
                nodes[name] = whole.node
                parts |= {node: (name, places) for node, places in written_parts(value).items()}
    return Scope(scope.values, nodes, scope.outside, parts)
