"""Where a module can be mutated, and how.

Written here, on ``ast``, and not taken from a library: cosmic-ray brings twenty packages for a dozen operators (no
removed statements, ``min``/``max``, slices, keywords), replaces ``*`` by ``<<`` and ``@``, which any test kills, and
prints the whole module anew; mutmut runs in a project layout of its own. Here a change replaces one piece of the text,
so that comments and formatting stay and a survivor's diff is one line.

Not drawn, since they do not decide any number: docstrings and other texts, annotations, ``__all__``, decorators, what
stands under ``if TYPE_CHECKING`` and ``if __name__``, errors that are raised, ``assert``, the ``strict`` of ``zip``,
and lines with ``# pragma``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

__all__ = ["Change", "Source", "changes", "parses"]

_COMPARISONS = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
_ARITHMETIC = {
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("/",)),
    ast.Div: ("/", ("*",)),
    ast.FloorDiv: ("//", ("/",)),
    ast.Mod: ("%", ("*",)),
    ast.Pow: ("**", ("*",)),
    ast.BitAnd: ("&", ("|",)),
    ast.BitOr: ("|", ("&",)),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
}
_PAIRS = (
    ("min", "max"),
    ("any", "all"),
    ("minimum", "maximum"),
    ("fmin", "fmax"),
    ("argmin", "argmax"),
    ("nanmin", "nanmax"),
    ("floor", "ceil"),
    ("lower", "upper"),
    ("abs_lower", "abs_upper"),
    ("logical_and", "logical_or"),
    ("isnan", "isfinite"),
    ("append", "appendleft"),
)
_NAMES = {a: b for one, other in _PAIRS for a, b in ((one, other), (other, one))}
# without which NumPy and Python do something else, and most other functions fail at once
_KEYWORDS = {"axis", "copy", "default", "dtype", "initial", "keepdims", "key", "out", "reverse", "where"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of a module replaced by another: from ``start`` to ``end``, in characters."""

    function: str
    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Source:
    """The text of a module, with places counted in characters."""

    text: str

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts

    @cached_property
    def _lines(self) -> list[bytes]:
        return [line.encode() for line in self.text.splitlines()]

    def place(self, line: int, column: int) -> int:
        """Where a place of the syntax tree, which counts columns in bytes, is in the text."""
        return self._starts[line - 1] + len(self._lines[line - 1][:column].decode())

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Where a node begins."""
        return self.place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Where a node ends."""
        return self.place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def line(self, place: int) -> int:
        """Return the number of the line of a place, from 1 on."""
        return self.text.count("\n", 0, place) + 1

    def changed(self, change: Change) -> str:
        """Return the text of the mutant."""
        return self.text[: change.start] + change.new + self.text[change.end :]


def changes(source: Source) -> list[Change]:
    """Every change of a module, in the order of the text; a few leave no Python, which ``parses`` tells."""
    found = [change for node, function in _drawn(ast.parse(source.text), "") for change in _of(source, node, function)]
    lines = source.text.splitlines()
    return sorted(
        (change for change in set(found) if "# pragma" not in lines[source.line(change.start) - 1]),
        key=lambda change: (change.start, change.end, change.new),
    )


def parses(text: str) -> bool:
    """Whether a text is Python."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _drawn(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """All nodes that may be changed, each with the function or class that it stands in."""
    yield node, function
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                inner = isinstance(child, _SCOPES)
                yield from _drawn(child, ".".join(filter(None, (function, child.name))) if inner else function)


def _is_left_alone(node: ast.AST) -> bool:
    if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and re.search(r"TYPE_CHECKING|__name__", ast.unparse(node.test)):
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _of(source: Source, node: ast.AST, function: str) -> Iterator[Change]:
    def instead(node: ast.expr | ast.stmt, *texts: str) -> Iterator[Change]:
        return (Change(function, source.start(node), source.end(node), text) for text in texts)

    def between(left: ast.expr, right: ast.expr, old: str, new: tuple[str, ...]) -> Iterator[Change]:
        first = source.end(left)
        gap = source.text[first : source.start(right)]
        at = gap.find(old)
        if "#" not in gap and at >= 0:
            yield from (Change(function, first + at, first + at + len(old), text) for text in new)

    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for (a, b), op in zip(pairwise([left, *others]), ops, strict=True):
                yield from between(a, b, *_COMPARISONS[type(op)])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC and not _is_text(left, right):
            yield from between(left, right, *_ARITHMETIC[type(op)])
        case ast.AugAssign(target=target, op=op, value=value) if type(op) in _ARITHMETIC and not _is_text(value):
            yield from between(target, value, *_ARITHMETIC[type(op)])
            yield from instead(node, "pass")
        case ast.BoolOp(op=op, values=values):
            words = ("and", ("or",)) if isinstance(op, ast.And) else ("or", ("and",))
            for a, b in pairwise(values):
                yield from between(a, b, *words)
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield from instead(node, f"({source.of(operand)})")
        case ast.Constant(value=bool(value)):
            yield from instead(node, str(not value))
        case ast.Constant(value=int(value)):
            yield from instead(node, *(str(n) for n in {value + 1, value - 1, 0} - {value}))
        case ast.Constant(value=float(value)):
            yield from instead(node, *(("0.0", f"(2 * {source.of(node)})") if value else ("1.0",)))
        case ast.Call(func=called, args=arguments, keywords=keywords):
            yield from _of_a_call(source, function, called, arguments, keywords)
        case ast.Subscript(slice=ast.Slice(lower=lower, upper=upper)):
            yield from (change for end in (lower, upper) if end is not None for change in instead(end, ""))
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield from instead(test, f"(not ({source.of(test)}))", "False")
            yield from () if isinstance(node, ast.While) else instead(test, "True")
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield from instead(value, "None")
        case ast.Break():
            yield from instead(node, "continue")
        case ast.Continue():
            yield from instead(node, "break")
        case ast.Expr(value=ast.Call()):
            yield from instead(node, "pass")
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield from instead(node, "pass")
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _names(value):
            # a name that was bound before: without that, the next line fails
            yield from instead(node, "pass")


def _of_a_call(
    source: Source, function: str, called: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[Change]:
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    end = source.end(called)
    if name in _NAMES:
        yield Change(function, end - len(name), end, _NAMES[name])
    if name == "abs" and isinstance(called, ast.Name):
        yield Change(function, source.start(called), end, "")
    for keyword in keywords:
        if keyword.arg in _KEYWORDS and (len(keywords) > 1 or arguments):
            before = source.text.rfind(",", 0, source.place(keyword.lineno, keyword.col_offset))
            if before > end:
                yield Change(function, before, source.end(keyword.value), "")


def _is_text(*nodes: ast.expr) -> bool:
    return any(isinstance(n, ast.JoinedStr) or isinstance(getattr(n, "value", None), str) for n in nodes)


def _names(value: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(value) if isinstance(node, ast.Name)}
