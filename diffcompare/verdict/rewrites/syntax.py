"""The source of a function taken apart: its expressions and statements, and what may stand in their places."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcompare.verdict.rewrites.running import BOUNDED, Change

__all__ = [
    "Names",
    "Rewrite",
    "Site",
    "called_name",
    "copied",
    "is_elementwise",
    "is_filled",
    "is_of_matrices",
    "is_value",
    "named_slopes",
    "sites_of",
    "stored",
    "summands",
    "text_of",
]

# a size that is another variable may be huge
_SIZED = frozenset({"zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace", "tile", "repeat"})
# methods that give an array another shape
_SHAPED = frozenset({"ravel", "reshape", "flatten"})
# how slopes are named after what they are slopes of
_SLOPES = (("d", ""), ("d_", ""), ("D", ""), ("D_", ""), ("g", ""), ("g_", ""), ("grad_", ""), ("", "_dot"))
# methods that change what a list or an array holds
_FILLING = frozenset({"append", "extend", "insert", "pop", "remove", "reverse", "sort", "fill", "clear", "update"})
# the fields around a part of what is assigned to
_WRITTEN = re.compile(
    r"(Assign\.targets|(AugAssign|For)\.target)( (Tuple|List)\.elts| Starred\.value)*( (Attribute|Subscript)\.value)+$"
)
# where no values are computed
_SETTINGS = frozenset({
    "Subscript.slice", "For.iter", "comprehension.iter", "Compare.left", "Compare.comparators", "If.test", "IfExp.test",
    "While.test",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """What may stand in a function.

    Parameters
    ----------
    variables : tuple of str
        Names that hold values.
    numbers : tuple of int or float
        Numbers that the function of the gradient holds.
    known : frozenset of str
        Expressions of the function of the gradient, as :func:`text_of` writes them.
    expressions : frozenset of str
        Short expressions of both whose names are in reach, and longer ones that the function alone has.
    lacking : frozenset of str
        Those of them that the function alone has.
    slices : tuple of str
        The slices of both.
    filled : frozenset of str
        Names of what the function of the gradient writes into.
    indices : tuple of str
        Names that stand in its indices.
    chosen : tuple of str
        Expressions, but names, that choose elements in both.
    elements : tuple of str
        Elements of variables, and what an object holds: parameters of both, as names are.
    parts : tuple of str
        Elements of variables that variables choose.
    functions : tuple of str
        What both call with one argument.
    unused : tuple of str
        Names of values that nothing reads.
    helpers : tuple of str
        Names of other functions of the user's.
    states : frozenset of str
        Names of what the function of the gradient computes.
    strange : mapping of int to frozenset of str
        By the identity of a name in the syntax, the names of values of another kind.
    flags : frozenset of str
        Names of values that are true or false.
    """

    variables: tuple[str, ...]
    numbers: tuple[float, ...] = ()
    known: frozenset[str] = frozenset()
    expressions: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    slices: tuple[str, ...] = ()
    filled: frozenset[str] = frozenset()
    indices: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    states: frozenset[str] = frozenset()
    strange: Mapping[int, frozenset[str]] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """An expression or a statement, and where it hangs: ``index`` counts in a list of nodes.

    ``around`` has the fields of all nodes around it, such as ``Call.args``, and ``shape`` where it is a size; ``after``
    is the statement after which a line is missing that adds to it.
    """

    node: Any
    owner: Any
    field: str
    index: int | None
    around: tuple[str, ...] = ()
    after: ast.stmt | None = None

    def replaced(self, new: Any) -> Change:
        """Put another node in its place; where a line is missing, add it."""
        if self.after is not None:
            line = ast.AugAssign(stored(self.node), ast.Add(), new)
            new = ast.If(ast.Constant(True), [self.after, line], [])
        ast.copy_location(new, self.after or self.node)
        waiting = [*ast.iter_child_nodes(new)]
        while waiting:
            one = waiting.pop()
            # what has a place is of the source, and so are its parts
            if not hasattr(one, "lineno"):
                ast.copy_location(one, self.after or self.node)
                waiting += ast.iter_child_nodes(one)
        return Change(self.owner, self.field, self.index, new)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A change of a source.

    Parameters
    ----------
    node : ast.AST
        The expression or statement that is to blame.
    changes : tuple of Change
    cost : float
        How far it is from what people do most often.
    kind : str
        What kind of mistake it mends.
    this : str
        What is said of the expression.
    cause : str
        What is said of its text, which stands for ``{}``.
    also : tuple of ast.AST
        Other places of the same mistake.
    """

    node: Any
    changes: tuple[Change, ...]
    cost: float
    kind: str
    this: str
    cause: str
    also: tuple[Any, ...] = ()


def text_of(node: ast.AST) -> str:
    """Write a node as Python."""
    text = ast.unparse(node)
    return ast.unparse(_Bare().visit(copy.deepcopy(node))) if BOUNDED in text else text


def named_slopes(names: Collection[str]) -> Iterator[dict[str, str]]:
    """Yield, for each way to name slopes, which of the names are slopes, and of what."""
    for before, after in _SLOPES:
        slopes = {f"{before}{name}{after}": name for name in names}
        yield {slope: name for slope, name in slopes.items() if slope in names}


class _Bare(ast.NodeTransformer):
    """Takes off what is put around what loops go through."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return node.args[0] if called_name(node) == BOUNDED else node


def sites_of(definition: Any) -> Iterator[Site]:
    """Yield the expressions and statements of a function, outer ones first."""
    body = definition.body if isinstance(definition.body, list) else [definition.body]
    places = [
        Site(node, definition, "body", k if isinstance(definition.body, list) else None) for k, node in enumerate(body)
    ]
    while places:
        site = places.pop(0)
        yield site
        places[:0] = list(_inner(site))


def _inner(site: Site) -> Iterator[Site]:
    node = site.node
    if isinstance(node, ast.JoinedStr | ast.Raise | ast.Assert):
        return
    if called_name(node) == BOUNDED:
        yield Site(node.args[0], node, "args", 0, (*site.around, "Call.args"))
        return
    for name, value in ast.iter_fields(node):
        sized = name == "args" and isinstance(node, ast.Call) and called_name(node) in _SIZED
        # np.r_[…] joins what stands in it
        joined = name == "slice" and isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") in ("r_", "c_")
        around = (*site.around, "joined" if joined else f"{type(node).__name__}.{name}")
        if isinstance(value, list):
            for k, one in enumerate(value):
                if isinstance(one, ast.keyword):
                    yield Site(one.value, one, "value", None, (*around, f"keyword.{one.arg}"))
                elif isinstance(one, ast.comprehension):
                    yield Site(one.iter, one, "iter", None, (*around, "comprehension.iter"))
                    yield from (Site(c, one, "ifs", j, (*around, "comprehension.ifs")) for j, c in enumerate(one.ifs))
                elif isinstance(one, ast.expr | ast.stmt):
                    # what an array is filled with is no size
                    shape = sized and not (k and called_name(node) == "full")
                    yield Site(one, node, name, k, (*around, *["shape"] * shape))
        elif isinstance(value, ast.expr | ast.slice) and name not in ("annotation", "returns"):
            yield Site(value, node, name, None, around)


def is_of_matrices(site: Site) -> bool:
    """Tell whether an expression stands in a product of matrices."""
    return isinstance(site.owner, ast.BinOp) and isinstance(site.owner.op, ast.MatMult)


def summands(site: Site) -> Iterator[ast.expr]:
    """Yield what is added up with an expression, its own terms, and sums of them that are written."""
    waiting = [site.node, *([site.owner] if isinstance(site.owner, ast.BinOp) else [])]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add | ast.Sub):
            waiting += [one.left, one.right]


def called_name(node: Any) -> str:
    """Return the bare name of what is called; empty where nothing is."""
    func = getattr(node, "func", None)
    return getattr(func, "attr", getattr(func, "id", ""))


def is_filled(site: Site) -> bool:
    """Tell whether an expression is what a line writes into: np.add.at does so where nobody may write."""
    if isinstance(site.owner, ast.Attribute) and site.owner.attr in _FILLING:
        return True
    if called_name(site.owner) == "at" and site.field == "args" and site.index == 0:
        return True
    # a part of a part, too, as in a.flat[0] = 1
    return _WRITTEN.search(" ".join(site.around)) is not None


def is_value(site: Site) -> bool:
    """Tell whether an expression is a value that is computed with, not an index, a name of a function or a setting."""
    node = site.node
    if not isinstance(
        node, ast.Name | ast.BinOp | ast.Call | ast.Subscript | ast.Attribute | ast.UnaryOp | ast.Constant
    ):
        return False
    if isinstance(getattr(node, "ctx", None), ast.Store) or (site.field == "func" and isinstance(site.owner, ast.Call)):
        return False
    if isinstance(node, ast.Constant) and isinstance(site.owner, ast.Assign | ast.AugAssign):
        # a line that is a number alone may lack a factor, but for counters
        target = site.owner.target if isinstance(site.owner, ast.AugAssign) else site.owner.targets[0]
        whole = isinstance(node.value, int) and isinstance(target, ast.Subscript)
        return (whole or isinstance(node.value, float)) and node.value != 0
    if isinstance(node, ast.Constant) and not isinstance(site.owner, ast.BinOp | ast.UnaryOp | ast.List | ast.Tuple):
        # what a function takes may have been a sum, and what one of single numbers takes is no count
        number = isinstance(node.value, float) or (type(node.value) is int and node.value != 0 and is_elementwise(site))
        return number and site.around[-1:] == ("Call.args",) and _is_computed(site)
    if isinstance(site.owner, ast.Attribute):
        # what an array's method takes is a value, but a name may be a module's
        called = site.around[-2:] == ("Call.func", "Attribute.value")
        if not called or (isinstance(node, ast.Name) and site.owner.attr not in _SHAPED):
            return False
    if isinstance(node, ast.Name) and isinstance(site.owner, ast.Subscript):
        return False
    return _is_computed(site)


def is_elementwise(site: Site) -> bool:
    """Tell whether an expression stands beside a function of NumPy that computes single numbers."""
    return isinstance(getattr(np, called_name(site.owner), None), np.ufunc)


def _is_computed(site: Site) -> bool:
    return not any(part in _SETTINGS or part.startswith("keyword.") for part in site.around)


def stored(node: Any) -> Any:
    """Return a name or an element as it is written to."""
    made = copied(node)
    made.ctx = ast.Store()
    return made


def copied(node: Any) -> Any:
    """Return a node that can be placed elsewhere while its parts stay shared."""
    made = type(node)(**dict(ast.iter_fields(node)))
    return ast.copy_location(made, node) if hasattr(node, "lineno") else made
