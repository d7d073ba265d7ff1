"""Expressions of the user's source, by the instructions that compute them."""

from __future__ import annotations

import ast
import dis
import functools
import linecache
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from diffcompare.tracing.origins import Origin
from diffcompare.tracing.places import code_of

__all__ = [
    "Span",
    "definition_of",
    "operand_span",
    "position_of",
    "resolved",
    "source_of",
    "span_of",
]

_PLACED, _IMPORTS = (ast.expr, ast.stmt), (ast.Import, ast.ImportFrom)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Span:
    """An expression as it stands in a file.

    Parameters
    ----------
    file : str
        Its name, without folders.
    line, column, end_line, end_column : int
        Lines count from 1, columns from 0, in characters, and ``end_column`` is the one after the last.
    text : str
        The expression.
    lines : tuple of str
        The source lines from ``line`` to ``end_line``, whole.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """The source of a file: ``ending`` has the parts of its tree by their ends, what contains others first.

    ``functions`` has the definitions by first line and name, each with the statement in which it stands.
    """

    lines: tuple[str, ...]
    ending: dict[tuple[int, int], list[Any]]
    functions: dict[tuple[int, str], list[tuple[Any, Any]]]
    imported: frozenset[str]


def resolved(origin: Origin) -> Span | None:
    """Return the expression that an instruction computes; None where its source is not there, or another one by now.

    Of ``x += y`` it is the statement, of ``x[i] = y`` the ``x[i]``.
    """
    found = _expression(origin)
    return None if found is None else _span(origin.code, *found)


def operand_span(origin: Origin, number: int) -> Span | None:
    """Return an operand of the expression that an instruction computes; None where there is none with this number.

    The operands are those of an operator or of a comparison, from left to right; of ``a[i]`` and ``a.T`` the array; of
    a call its positional arguments, and before them, as number 0, the object whose method it is. A name that the file
    imports, such as ``np``, and ``self`` have functions instead of methods.
    """
    found = _expression(origin)
    if found is None or number < 0:
        return None
    source, expression = found
    operands = _operands(expression, source)[: number + 1]
    if len(operands) <= number or any(isinstance(operand, ast.Starred) for operand in operands):
        return None
    return _span(origin.code, source, operands[number])


def source_of(function: Callable[..., Any]) -> tuple[str, str, int, str] | None:
    """Return the name of a user's function, its file without folders, its first line and its source.

    Decorators belong to it; a lambda's source is the statement in which it stands. None where it is not known.
    """
    code = code_of(function)
    source = None if code is None else _source(code.co_filename)
    if code is None or source is None:
        return None
    written = _definition(source, code)
    if written is None:
        return None
    start = min(code.co_firstlineno, written[0].lineno)
    name = code.co_qualname.rpartition("<locals>.")[2]
    return name, Path(code.co_filename).name, start, "\n".join(source.lines[start - 1 : written[0].end_lineno])


def definition_of(code: CodeType) -> Any:
    """Return the syntax of the function of a code; None where its source is not known."""
    source = _source(code.co_filename)
    written = None if source is None else _definition(source, code)
    return None if written is None else written[1]


def span_of(code: CodeType, node: Any) -> Span | None:
    """Return the place of a part of the syntax of a code."""
    source = _source(code.co_filename)
    return None if source is None else _span(code, source, node)


def _definition(source: _Source, code: CodeType) -> tuple[Any, Any] | None:
    """Return the statement in which the function of a code stands, and its definition: the same but for a lambda."""
    found = source.functions.get((code.co_firstlineno, code.co_name), [])
    if len(found) > 1 and code.co_name == "<lambda>":
        # of several lambdas on a line, the one from whose body the code was made
        found = [one for one in found if (one[1].body.lineno, one[1].body.col_offset) == _begin(code)] or found
    return found[0] if found else None


def _begin(code: CodeType) -> tuple[int, int]:
    """Return where the expression begins that a lambda returns."""
    places = ((line, column) for line, _, column, end in code.co_positions() if line and column is not None and end)
    return min(places, default=(0, 0))


def _parts(tree: ast.AST) -> Iterator[tuple[Any, Any]]:
    """Go through a tree, what contains others first: each part, and the statement in which it stands."""
    left: deque[tuple[Any, Any]] = deque([(tree, tree)])
    while left:
        statement, part = left.popleft()
        for child in ast.iter_child_nodes(part):
            # a name is loaded or stored, which has no place
            if isinstance(child, ast.expr_context):
                continue
            inner = child if isinstance(child, ast.stmt) else statement
            yield inner, child
            left.append((inner, child))


def _source(file: str) -> _Source | None:
    # asked for each time: the lines of doctests and of notebooks' cells come and go
    return _parsed("".join(linecache.getlines(file)))


@functools.lru_cache(maxsize=16)
def _parsed(text: str) -> _Source | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    ending: dict[tuple[int, int], list[Any]] = {}
    imported: set[str] = set()
    functions: dict[tuple[int, str], list[tuple[Any, Any]]] = {}
    for statement, node in _parts(tree):
        if isinstance(node, _PLACED):
            ending.setdefault((node.end_lineno or 0, node.end_col_offset or 0), []).append(node)
        if isinstance(node, _IMPORTS):
            imported.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        if isinstance(node, _FUNCTIONS):
            first = min(part.lineno for part in (node, *getattr(node, "decorator_list", ())))
            functions.setdefault((first, getattr(node, "name", "<lambda>")), []).append((statement, node))
    return _Source(tuple(text.split("\n")), ending, functions, frozenset(imported))


def position_of(origin: Origin) -> tuple[int | None, int | None, int | None, int | None]:
    """Return the first and the last line of an instruction, and the columns where it begins and ends, if known."""
    unknown = (None, None, None, None)
    return next(islice(origin.code.co_positions(), origin.instruction // 2, None), unknown)


def _expression(origin: Origin) -> tuple[_Source, Any] | None:
    """Return the part of the source that begins and ends exactly where an instruction is said to."""
    line, end_line, column, end_column = position_of(origin)
    source = _source(origin.code.co_filename)
    if source is None:
        return None
    for node in reversed(source.ending.get((end_line or 0, end_column or 0), ())):
        if (line, column) in ((node.lineno, node.col_offset), _name_of_attribute(node)):
            looping = dis.opname[origin.code.co_code[origin.instruction]] == "FOR_ITER"
            return source, _looped_over(node) if looping else node
    return None


def _looped_over(node: Any) -> Any:
    """Return what a loop goes through; of a comprehension that has several, the whole of it."""
    loops = getattr(node, "generators", [node])
    return getattr(loops[0], "iter", node) if len(loops) == 1 else node


def _name_of_attribute(node: Any) -> tuple[int, int] | None:
    """Return where the name of a method or attribute begins: Python's position of one that is on a line of its own."""
    found = node.func if isinstance(node, ast.Call) else node
    if not isinstance(found, ast.Attribute):
        return None
    return found.end_lineno or 0, (found.end_col_offset or 0) - len(found.attr)


def _operands(node: Any, source: _Source) -> list[Any]:
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.AugAssign():
            return [node.target, node.value]
        case ast.UnaryOp():
            return [node.operand]
        case ast.Compare():
            return [node.left, *node.comparators]
        case ast.Subscript() | ast.Attribute():
            return [node.value]
        case ast.Call(func=ast.Attribute(value=owner)) if not _is_module(owner, source):
            return [owner, *node.args]
        case ast.Call():
            # the subscripts of einsum are none
            return [one for one in node.args if not (isinstance(one, ast.Constant) and isinstance(one.value, str))]
    return []


def _is_module(owner: Any, source: _Source) -> bool:
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    if not isinstance(owner, ast.Name):
        return False
    # what one cell of a notebook imports, another one uses
    elsewhere = vars(sys.modules["__main__"]).get(owner.id)
    return owner.id == "self" or owner.id in source.imported or isinstance(elsewhere, ModuleType)


def _span(code: CodeType, source: _Source, node: Any) -> Span:
    lines = source.lines[node.lineno - 1 : node.end_lineno]
    # Python counts columns in bytes of UTF-8
    column = len(lines[0].encode()[: node.col_offset].decode())
    end_column = len(lines[-1].encode()[: node.end_col_offset].decode())
    text = "\n".join(lines)[column : len("\n".join(lines)) - len(lines[-1]) + end_column]
    file = Path(code.co_filename).name
    return Span(file, node.lineno, column, node.end_lineno, end_column, text, lines)
