"""Which of several changes that do the same is meant: after which the fewest values of the gradient are strange.

Strange is a value that neither the function nor its derivative has. Between the place of a mistake and the place where
another change undoes it all values are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from diffcompare.tracing.spans import span_of
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.rewrites.first_wrong import Known
from diffcompare.verdict.rewrites.running import Body, Change
from diffcompare.verdict.rewrites.syntax import Rewrite, Site, is_value, text_of

__all__ = ["Found", "Told", "left_strange", "path_of"]

# of an expression in a loop so many values are looked at
_MOST = 12
# places that are marked where nothing decides
_PLACES = 3

# marks, and why they are there: None where only the place is known
Told = tuple[list[Mark], Cause | None]
Run = Callable[[Body, Sequence[Change]], Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A change with which the gradient is right at all points that were asked, and others for which as much speaks.

    ``doubt``: what speaks against it.
    """

    rewrite: Rewrite
    body: Body
    doubt: str = ""
    others: tuple[Found, ...] = ()

    def says_as(self, other: Found) -> bool:
        """Tell whether the same number is missing: which values are strange does not tell where."""
        return self.rewrite.kind == "factor" and self.rewrite.this == other.rewrite.this

    def is_part_of(self, other: Found) -> bool:
        """Tell whether the same is missing in a part of an expression: which of the two nothing tells."""
        return self._added == other._added != "" and any(node is other.rewrite.node for node in path_of(self))

    @property
    def _added(self) -> str:
        """An operation and what stands on its other side; empty where nothing is put in beside an expression."""
        match self.rewrite.changes[0].new:
            case ast.BinOp(left, op, right) if left is self.rewrite.node:
                return f"{type(op).__name__} {text_of(right)}"
        return ""

    def is_of_sum(self) -> bool:
        """Tell whether a term is missing that has a name and depends on something."""
        if self.rewrite.kind != "missing term" or not self._added:
            return False
        term = self.rewrite.changes[0].new.right
        return not isinstance(term, ast.Constant) and text_of(term) in self.rewrite.this

    def is_in_line_of(self, other: Found) -> bool:
        """Tell whether both change the same statement."""
        return path_of(self)[0] is path_of(other)[0]

    def told(self, components: Sequence[int]) -> Told:
        """Mark what is to blame, and say why the gradient is wrong."""
        marks = []
        for one, node, message in self._places():
            span = span_of(one.body.function.__code__, node)
            marks += [] if span is None else [Mark.at(span, role="gradient", message=message)]
        for node in self.rewrite.also:
            span = span_of(self.body.function.__code__, node)
            marks += [] if span is None else [Mark.at(span, role="gradient", message="and here")]
        return marks, Cause(self.rewrite.kind, self._sentence(), tuple(components))

    def _sentence(self) -> str:
        span = span_of(self.body.function.__code__, self.rewrite.node)
        text = text_of(self.rewrite.node) if span is None else span.text
        return self.rewrite.cause.replace("{}", f"line {self.rewrite.node.lineno}" if "\n" in text else text)

    def _places(self) -> Iterator[tuple[Found, Any, str]]:
        """Yield what is to blame in each statement: of several changes the smallest expression that holds them."""
        alike = [one for one in (self, *self.others) if one.rewrite.kind == self.rewrite.kind]
        around: dict[int, list[Found]] = {}
        for one in alike:
            around.setdefault(id(path_of(one)[0]), []).append(one)
        for k, some in enumerate(list(around.values())[:_PLACES]):
            first = some[0]
            paths = [path_of(one) for one in some]
            common = [node for node in paths[0] if all(any(node is n for n in path) for path in paths)]
            whole = _product(common) if first.is_of_sum() else common[-1]
            words = first.rewrite.this if whole is first.rewrite.node else first._sentence()
            yield first, whole, words if k == 0 else f"or here: {words}"


def path_of(found: Found) -> list[Any]:
    """Return what stands around a node, from its statement to itself."""

    def inside(node: ast.AST, path: list[Any]) -> list[Any] | None:
        path = [node] if isinstance(node, ast.stmt) else [*path, node]
        if node is found.rewrite.node:
            return path
        return next(filter(None, (inside(one, path) for one in ast.iter_child_nodes(node))), None)

    path = inside(found.body.definition, []) or [found.rewrite.node]
    # a keyword or an index has no place of its own
    return [node for node in path if isinstance(node, ast.expr | ast.stmt)]


def _product(path: Sequence[Any]) -> Any:
    """Return the product of which the end of a path is a part: a term may be missing beside all of it as well."""
    *around, whole = path
    for node in reversed(around if isinstance(whole, ast.expr) else []):
        match node:
            case ast.BinOp(op=ast.Mult()) | ast.UnaryOp(op=ast.USub()):
                whole = node
            case ast.BinOp(op=ast.MatMult()) if whole is path[-1]:
                whole = node
            case ast.BinOp(left=left, op=ast.Div()) if left is whole:
                whole = node
            case _:
                break
    return whole


def left_strange(found: Found, sites: Sequence[Site], known: Known, run: Run) -> int:
    """Return how many values of a function a change leaves strange, less those that were: what is taken out was."""
    before, after = (_looked_at(found.body, sites, changes, known, run) for changes in ((), found.rewrite.changes))
    return len(after.found | (before.found - after.times.keys())) - len(before.found)


@dataclass(slots=True)
class _Strange:
    """How often each expression was looked at, and which gave a strange value."""

    known: Known
    times: dict[int, int] = field(default_factory=dict)
    found: set[int] = field(default_factory=set)

    def __call__(self, number: int, value: Any) -> Any:
        """Look at the value of an expression, and pass it on."""
        self.times[number] = self.times.get(number, 0) + 1
        if self.times[number] <= _MOST and number not in self.found and self.known.has(value, signed=True) is False:
            self.found.add(number)
        return value


def _looked_at(body: Body, sites: Sequence[Site], changes: Sequence[Change], known: Known, run: Run) -> _Strange:
    """Run a gradient with changes and look at the values of its expressions."""
    strange = _Strange(known)
    space = body.function.__globals__
    name = f"__strange_{len(space)}__"
    space[name] = strange

    def seen(number: int, node: Any) -> Any:
        call = ast.Call(ast.Name(name, ast.Load()), [ast.Constant(number), node], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    places = {(id(one.owner), one.field, one.index): one for one in changes}
    probes = []
    for number, site in enumerate(sites):
        if not is_value(site) or isinstance(site.node, ast.Name | ast.Constant):
            continue
        here = (id(site.owner), site.field, site.index)
        if here in places:
            places[here] = replace(places[here], new=seen(number, places[here].new))
        else:
            probes.append(site.replaced(seen(number, site.node)))
    run(body, [*probes, *places.values()])
    return strange
