"""What may stand in the source of a gradient: its own variables, and what it or the function names or writes."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType

import numpy as np

from diffcompare.verdict.rewrites.running import BOUNDED, Body
from diffcompare.verdict.rewrites.syntax import Names, Site, called_name, is_filled, text_of

__all__ = ["names_of"]

# an element, or what an object holds
_ELEMENT = re.compile(r"\w+\[-?\d+\]|self\.\w+")
# an element that variables choose
_PART = re.compile(r"\w+\[[a-zA-Z_]\w*( [+-] \d+)?\]")
# nodes of an expression that may be put in elsewhere, and of one that the function has and the gradient lacks
_SHORT, _LONG = 16, 60
# functions that are tried, what they are called with, and those that are of no use
_FUNCTIONS, _CALLS = 5, 8
_SLOPE_OF = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "tanh", "abs": "sign",
             "cdf": "pdf", "_cdf": "_pdf", "pdf": "cdf", "_pdf": "_cdf", "gammaln": "psi"}  # fmt: skip
_PLAIN = re.compile(r"(as|array|atleast|zeros|ones|empty|eye|arange|copy|len|size|shape|ravel|isnan|isfinite)")


def names_of(body: Body, sites: Sequence[Site], function: Sequence[ast.AST]) -> Names:
    """Collect what may stand in a function: its own variables, and what it or f finds by name or writes."""
    code, space = body.function.__code__, body.function.__globals__
    theirs = [node for tree in function for node in ast.walk(tree) if isinstance(node, ast.expr)]
    own = [node for node in ast.walk(body.definition) if isinstance(node, ast.expr)]
    called = {node.func.id for node in own if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    used = {node.id for node in (*own, *theirs) if isinstance(node, ast.Name)}
    kinds = (int, float, np.ndarray, np.generic, list, tuple)
    held = [name for name in sorted(used) if isinstance(space.get(name), kinds)]
    # those of comprehensions have a scope of their own
    inner = [one.id for node in own for one in _targets(node)]
    local = [*code.co_varnames, *code.co_cellvars, *code.co_freevars, *inner]
    # what is called _ is thrown away
    variables = tuple(name for name in dict.fromkeys([*local, *held]) if name not in called and name != "_")
    numbers = [v for node in theirs if isinstance(node, ast.Constant) and type(v := node.value) in (int, float)]
    reach = {
        *variables,
        "len",
        *(name for name, value in space.items() if isinstance(value, ModuleType) or callable(value)),
    }
    indices = [node.slice for node in (*own, *theirs) if isinstance(node, ast.Subscript)]
    # what a variable does, as lists append, may never end
    callers = reach.difference(variables) | ({"self"} & reach)
    functions = Counter(text_of(func) for node in (*theirs, *own) if (func := _function(node, callers)) is not None)
    # what their derivatives call, but for those that the list has already
    functions.update(text for name in list(functions) if (text := _derived(name)))
    read = {node.id for node in own if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    slices = [text_of(index) for index in indices if _is_slice(index, reach)]
    chosen = [node.slice for node in own if isinstance(node, ast.Subscript)]
    within = [one.id for index in chosen for one in ast.walk(index) if isinstance(one, ast.Name)]
    parts = [one for index in indices for one in (index.elts if isinstance(index, ast.Tuple) else [index])]
    choosing = [text_of(one) for one in parts if _is_short(one, reach, {*variables})]
    slopes = [one for node in (*theirs, *own) for one in _slope(node)]
    written = {text_of(node) for node in own}
    short = frozenset(text_of(node) for node in (*theirs, *own, *slopes) if _is_short(node, reach, {*variables}))
    long = {text_of(node) for node in theirs if _is_short(node, reach, {*variables}, _LONG)}
    lacking = frozenset(long - written)
    # of what one function is called with the slope may be another's
    calls = [node for node in (*theirs, *own) if isinstance(node, ast.Call) and _function(node, reach) is not None]
    given = [text_of(node.args[0]) for node in calls if _is_short(node, reach, {*variables}, _LONG)]
    helpers = [name for name in sorted(called) if isinstance(space.get(name), FunctionType)]
    short |= {f"{name}({text})" for name in helpers for text in [*dict.fromkeys(given)][:_CALLS]}
    # what is gone through in one code is asked for by its number in the other
    rows = [name for name in held if isinstance(space[name], list | tuple | np.ndarray)]
    numbers_of = {text.partition("[")[2] for text in filter(_PART.fullmatch, short)}
    short |= {f"{name}[{index}" for name in rows for index in numbers_of}
    return Names(
        variables,
        tuple(dict.fromkeys(numbers))[:12],  # type: ignore[arg-type]
        frozenset(text_of(node) for node in theirs if not isinstance(node, ast.Name | ast.Constant)),
        short | lacking,
        lacking,
        tuple(dict.fromkeys([":", "1:", ":-1", "1:-1", *slices]))[:10],
        frozenset(
            site.node.id for site in sites if isinstance(site.node, ast.Name) and (is_filled(site) or _adds(site))
        ),
        tuple(name for name in dict.fromkeys(within) if name in variables),
        tuple(dict.fromkeys(choosing))[:6],
        tuple(sorted(filter(_ELEMENT.fullmatch, short))),
        tuple(sorted(filter(_PART.fullmatch, short))),
        tuple(name for name, _ in functions.most_common(_FUNCTIONS)),
        tuple(name for name in code.co_varnames[code.co_argcount :] if name not in read),
        tuple(name for name, value in space.items() if isinstance(value, FunctionType) and name != code.co_name),
        frozenset(node.id for node in theirs if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)),
    )


def _adds(site: Site) -> bool:
    """Tell whether a line adds to a name: of an array it may as well be a part."""
    return isinstance(site.owner, ast.AugAssign) and site.field == "target"


def _targets(node: ast.expr) -> Iterator[ast.Name]:
    """Yield the variables of a comprehension."""
    for one in getattr(node, "generators", ()):
        yield from (name for name in ast.walk(one.target) if isinstance(name, ast.Name))


def _slope(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what the derivative of a power, and of a function of some value, holds."""
    match node:
        case ast.BinOp(base, ast.Pow() as op, ast.Constant(int() as power)) if power > 2:
            yield ast.fix_missing_locations(ast.copy_location(ast.BinOp(base, op, ast.Constant(power - 1)), node))
        case ast.Call(ast.Name("abs"), [value], []):
            yield ast.parse(f"np.sign({text_of(value)})", mode="eval").body
        case ast.Call(called, [value], []) if derived := _derived(text_of(called)):
            yield ast.parse(f"{derived}({text_of(value)})", mode="eval").body


def _derived(function: str) -> str:
    """Return what the derivative of a function calls, or of its logarithm: other than the function; else nothing."""
    module, dot, name = function.rpartition(".")
    return f"{module}{dot}{_SLOPE_OF[name]}" if name in _SLOPE_OF else ""


def _function(node: ast.expr, reach: set[str]) -> ast.expr | None:
    """Return what is called, if it may stand around any value."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return None
    if _PLAIN.match(called_name(node)) or called_name(node) == BOUNDED:
        return None
    root = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return node.func if isinstance(root, ast.Name) and root.id in reach else None


def _is_slice(index: ast.expr, reach: set[str]) -> bool:
    names = {one.id for one in ast.walk(index) if isinstance(one, ast.Name)}
    return isinstance(index, ast.Slice) and names <= reach


def _is_short(node: ast.expr, reach: set[str], variables: set[str], most: int = _SHORT) -> bool:
    """Tell whether an expression may be put in elsewhere: of few parts, some of them variables, all in reach."""
    kinds = ast.BinOp | ast.Call | ast.Subscript | ast.Attribute
    if not isinstance(node, kinds) or isinstance(getattr(node, "ctx", None), ast.Store):
        return False
    parts = list(ast.walk(node))
    names = {one.id for one in parts if isinstance(one, ast.Name)}
    # what is called with numbers is one
    known = isinstance(node, ast.Call) or not names.isdisjoint(variables)
    # what it chooses is one thing, however long that is written
    most = _LONG if isinstance(node, ast.Subscript) else most
    return len(parts) <= most and names <= reach and known
