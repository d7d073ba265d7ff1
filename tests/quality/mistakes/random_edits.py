"""Bugs that nobody thought of: random edits of one expression or statement in the code of a gradient.

An edit that does not run, changes the shape, or changes no number is no bug, and another is drawn.
"""

from __future__ import annotations

import ast
import random
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .case import Bug, Case, load

__all__ = ["with_random_bugs"]

_SWAPPED_FUNCTIONS = {
    "sin": "cos", "cos": "sin", "exp": "expm1", "log": "log1p", "sinh": "cosh", "cosh": "sinh", "tanh": "sinh",
    "maximum": "minimum", "minimum": "maximum", "cumsum": "cumprod", "zeros": "ones", "tril": "triu", "triu": "tril",
}  # fmt: skip
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}


class _Edit(NamedTuple):
    family: str
    low: int
    high: int
    new: str
    also: str = ""


def with_random_bugs(case: Case, count: int, seed: int) -> Case:
    """Return the case with ``count`` drawn bugs, or as many as there are, in place of its own."""
    edits = list(_edits(case.right))
    random.Random(f"{seed} {case.name}").shuffle(edits)
    bugs: list[Bug] = []
    with tempfile.TemporaryDirectory() as name:
        known = _numbers(case.right, Path(name), "right")
        families: list[str] = []
        # each family once before any is drawn again
        while edits and len(bugs) < count and known is not None:
            fewest = min(edits, key=lambda edit: families.count(edit.family))
            edits.remove(fewest)
            bug = _bug(case.right, fewest)
            found = _numbers(case.edit(bug).text, Path(name), f"try{len(edits)}")
            if found is None or found.shape != known.shape or not _differs(found, known):
                continue
            also = [one for one in (bug.also, _true_of(found, known)) if one]
            bugs.append(replace(bug, also="|".join(also)))
            families.append(fewest.family)
    return Case(case.name, case.text, tuple(bugs), case.what)


def _differs(found: Any, known: Any) -> bool:
    size = np.max(np.abs(known), initial=0.0)
    return bool(np.all(np.isfinite(found)) and np.max(np.abs(found - known), initial=0.0) > 1e-6 * size)


def _true_of(found: Any, known: Any) -> str:
    """Return what may be said of a gradient whatever was edited: that it has another sign or size, or is transposed."""
    close = 1e-12 * np.max(np.abs(known), initial=0.0)
    size = np.sum(found * known) / np.sum(known * known)
    if size and known.size > 1 and np.max(np.abs(found - size * known)) <= close * abs(size):
        return r"\bsign\b|negat" if abs(size + 1) <= 1e-12 else "factor|times"
    turned = found.ndim == 2 and found.T.shape == known.shape and np.max(np.abs(found.T - known)) <= close
    return "transpos" if turned else ""


def _numbers(text: str, folder: Path, name: str) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            module = load(text, folder, name)
            return np.asarray(module.gradient(module.at), dtype=float)
        except Exception:
            return None


def _bug(text: str, edit: _Edit) -> Bug:
    """Say the edit as old and new text, in as many lines as make the old one unique; nobody writes idle parentheses."""
    written = [text[: edit.low] + new + text[edit.high :] for new in (edit.new, edit.new[1:-1])]
    if edit.new[:1] == "(" and _tree(written[1]) == _tree(written[0]):
        edit = edit._replace(new=edit.new[1:-1])
    low, high = text.rfind("\n", 0, edit.low) + 1, text.find("\n", edit.high)
    while text.count(text[low:high]) > 1:
        low = text.rfind("\n", 0, low - 1) + 1
    new = text[low : edit.low] + edit.new + text[edit.high : high]
    return Bug(edit.family, text[low:high], new, edit.also)


def _tree(text: str) -> str:
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return ""


def _edits(text: str) -> Iterator[_Edit]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: Any) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def said(node: Any) -> str:
        low, high = span(node)
        # what stood in parentheses keeps its meaning
        return f"({text[low:high]})" if isinstance(node, ast.BinOp | ast.UnaryOp | ast.IfExp) else text[low:high]

    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        if function.name == "gradient":
            names = sorted(
                {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            )
            names += [one.arg for one in function.args.args]
            for node in _walk([function]):
                for line in _lines_of(node):
                    # as a whole, with what is in front of it
                    yield _Edit("loop", starts[line.lineno - 1], starts[line.end_lineno or 0], "")
                for family, place, new, also in _of(node, said, names):
                    low, high = place if isinstance(place, tuple) else span(place)
                    yield _Edit(family, low, high, new, also)


def _walk(statements: list[ast.AST]) -> Iterator[ast.AST]:
    """Every node but what indices, exponents, shapes and ranges are made of."""
    waiting = list(statements)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.FunctionDef):
            waiting += node.body
        elif isinstance(node, ast.Subscript):
            waiting.append(node.value)
        elif isinstance(node, ast.For):
            waiting += node.body
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            waiting += [] if node.func.id in ("range", "zip", "enumerate", "len", "slice") else node.args
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            waiting.append(node.left)
        elif isinstance(node, ast.keyword):
            continue
        else:
            waiting += ast.iter_child_nodes(node)


def _lines_of(node: ast.AST) -> list[ast.AugAssign]:
    """The lines of a block that add something up, where it has others."""
    body = getattr(node, "body", None)
    lines = body if isinstance(body, list) and len(body) > 1 else []
    return [line for line in lines if isinstance(line, ast.AugAssign)]


def _of(node: ast.AST, said: Any, names: list[str]) -> Iterator[tuple[str, Any, str, str]]:
    factor = "factor|missing|too many"
    if isinstance(node, ast.BinOp):
        left, right = said(node.left), said(node.right)
        mark = _OPERATORS.get(type(node.op), "")
        if mark in ("+", "-"):
            yield "sign", node, f"({left} {'-' if mark == '+' else '+'} {right})", ""
            yield "missing term", node, left, ""
            yield "missing term", node, right if mark == "+" else f"(-{right})", ""
        elif mark in ("*", "/"):
            yield "chain", node, left, factor
            yield "chain", node, f"({left} {'/' if mark == '*' else '*'} {right})", f"{factor}|exponent|power"
        if mark == "*":
            yield "chain", node, right, factor
        if mark == "@":
            yield "transposed", node, f"({left}.T @ {right})", ""
        if mark == "**" and isinstance(node.right, ast.Constant):
            yield "exponent", node, left, factor
            yield "exponent", node, f"{left} ** {node.right.value + 1!r}", factor
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node, said(node.operand), ""
    elif isinstance(node, ast.AugAssign):
        target, value = said(node.target), said(node.value)
        mark = _OPERATORS.get(type(node.op), "")
        if mark in ("+", "-"):
            yield "sign", node, f"{target} {'-' if mark == '+' else '+'}= {value}", ""
            yield "accumulation", node, f"{target} = {value}", ""
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transposed", node, said(node.value), ""
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _of_call(node, node.func, said)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        index = node.slice
        if isinstance(index, ast.Constant) and isinstance(index.value, int):
            yield "index", node, f"{said(node.value)}[{1 if index.value == 0 else index.value - 1}]", ""
        elif isinstance(index, ast.Name):
            yield "index", node, f"{said(node.value)}[{index.id} - 1]", ""
        elif isinstance(index, ast.Slice) and index.lower is None and index.upper is None:
            yield "index", node, f"{said(node.value)}[::-1]", ""
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value:
        yield "constant", node, repr(2 * node.value), ""
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for other in names:
            if other != node.id:
                yield "variable", node, other, ""


def _of_call(node: ast.Call, function: ast.Attribute, said: Any) -> Iterator[tuple[str, Any, str, str]]:
    whole = said(node)
    name, head = function.attr, said(function)
    if name in _SWAPPED_FUNCTIONS:
        yield "function", node, f"{head[: -len(name)]}{_SWAPPED_FUNCTIONS[name]}{whole[len(head) :]}", ""
    if name == "sum":
        yield "mean", node, f"{head[:-3]}mean{whole[len(head) :]}", ""
    if name in ("exp", "log", "sqrt", "sin", "cos", "tanh", "abs", "sign") and len(node.args) == 1:
        # a number is its sign times its absolute value
        yield "function", node, said(node.args[0]), "factor|divided" if name in ("abs", "sign") else ""
    if name in ("outer", "dot") and len(node.args) == 2:
        yield "transposed", node, f"{head}({said(node.args[1])}, {said(node.args[0])})", ""
    for keyword in node.keywords:
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant) and keyword.value.value in (0, 1):
            yield "axis", keyword, f"axis={1 - keyword.value.value}", ""
