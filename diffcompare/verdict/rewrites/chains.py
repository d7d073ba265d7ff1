"""Where else the same factor or sign would make a gradient right: in the lines through which the values pass."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diffcompare.verdict.rewrites.agreement import Found, path_of
from diffcompare.verdict.rewrites.insertions import written
from diffcompare.verdict.rewrites.running import Body
from diffcompare.verdict.rewrites.syntax import Names, Rewrite, Site, called_name, is_value, text_of

__all__ = ["alike"]

# lines that are asked, and parts of each
_LINES, _EACH = 12, 6

_LINE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


@dataclass(frozen=True, slots=True)
class _Line:
    """A statement that computes something: its expressions, and the names that it reads, writes and calls.

    ``all_called``: those that its function calls.
    """

    body: Body
    node: Any
    sites: Sequence[Site]
    read: frozenset[str]
    written: frozenset[str]
    called: frozenset[str]
    all_called: frozenset[str]

    @property
    def is_returned(self) -> bool:
        """Tell whether a function gives it."""
        return isinstance(self.node, ast.Return) or self.node is self.body.definition.body

    def feeds(self, other: _Line) -> bool:
        """Tell whether what it computes is read by another line, or may come to what its function returns."""
        if self.body is other.body:
            return other.is_returned or not self.written.isdisjoint(other.read)
        name = self.body.function.__name__
        return self.is_returned and name in (other.all_called if other.is_returned else other.called)


def alike(
    found: Found,
    parts: Sequence[tuple[Body, Sequence[Site], Names]],
    tried: Callable[[Rewrite, Body], Found | None],
) -> Iterator[Found]:
    """Yield what makes a gradient right by the same factor, divisor or sign in another line.

    ``tried`` tells of a change whether it does. From line to line the outermost expressions are taken.
    """
    same = _same(found.rewrite)
    lines = [line for body, sites, _ in parts for line in _lines(body, sites)]
    start = path_of(found)[0]
    waiting = [line for line in lines if line.node is start]
    if same is None or not waiting:
        return
    asked = {id(line.node) for line in waiting}
    while waiting:
        here = waiting.pop(0)
        # what is computed of it is asked before what it is computed of
        beside = [line for line in lines if here.feeds(line)] + [line for line in lines if line.feeds(here)]
        for line in beside:
            if id(line.node) in asked or len(asked) > _LINES:
                continue
            asked.add(id(line.node))
            right = list(_right(line, same, tried))
            yield from right
            waiting += [line] * bool(right)


def _right(line: _Line, same: _Same, tried: Callable[[Rewrite, Body], Found | None]) -> Iterator[Found]:
    inside: set[int] = set()
    count = 0
    for site in line.sites:
        if id(site.node) in inside or count == _EACH or not is_value(site) or isinstance(site.node, ast.Constant):
            continue
        if isinstance(site.node, ast.Name) and isinstance(site.owner, ast.Call):
            # what a function takes is not what passes through: of its value that would be right
            continue
        count += 1
        found = tried(same.at(site), line.body)
        if found is not None:
            inside |= {id(node) for node in ast.walk(site.node)}
            yield found


@dataclass(frozen=True, slots=True)
class _Same:
    """What does to other expressions what a change does to its own, and what is said of it."""

    make: Callable[[Any], Any]
    rewrite: Rewrite
    words: tuple[str, str]

    def at(self, site: Site) -> Rewrite:
        """Return the change of another expression."""
        changes = (site.replaced(self.make(site.node)),)
        return Rewrite(site.node, changes, self.rewrite.cost, self.rewrite.kind, *self.words)


def _same(rewrite: Rewrite) -> _Same | None:
    """Return what does the same; None for all but factors and signs."""
    words = rewrite.this, rewrite.cause
    if rewrite.kind == "sign" and isinstance(rewrite.node, ast.expr):
        return _Same(lambda node: ast.UnaryOp(ast.USub(), node), rewrite, words)
    match rewrite.changes[0].new, rewrite.node:
        case ast.BinOp(left, ast.Mult() | ast.Div() as op, right), whole if left is whole:
            return _Same(lambda node: ast.BinOp(node, op, right), rewrite, words)
        case new, ast.BinOp(ast.Constant(int() | float() as number), ast.Mult(), right) if number and (
            text_of(new) == text_of(right)
        ):
            # what is a number too many here is one that is missing there
            (other, *_) = (*written(1 / number), f"1 / {number}")
            said = f"the factor {other} is missing"
            divided = ast.Constant(number)
            return _Same(lambda node: ast.BinOp(node, ast.Div(), divided), rewrite, (said, said + " in {}"))
    return None


def _lines(body: Body, sites: Sequence[Site]) -> Iterator[_Line]:
    places = {id(site.node): site for site in sites}
    single = isinstance(body.definition, ast.Lambda)
    all_called = frozenset(map(called_name, ast.walk(body.definition)))
    for node in [body.definition.body] if single else [site.node for site in sites if isinstance(site.node, _LINE)]:
        inner = list(ast.walk(node))
        names = [one for one in inner if isinstance(one, ast.Name)]
        # a part of an array is written into by its name
        parts = [one.value for one in inner if isinstance(one, ast.Subscript) and isinstance(one.ctx, ast.Store)]
        filled = {one.id for one in parts if isinstance(one, ast.Name)}
        written = frozenset(one.id for one in names if isinstance(one.ctx, ast.Store)) | filled
        read = frozenset(one.id for one in names if isinstance(one.ctx, ast.Load))
        called = frozenset(map(called_name, inner))
        own = [places[id(one)] for one in inner if id(one) in places]
        yield _Line(body, node, own, read, written, called, all_called)
