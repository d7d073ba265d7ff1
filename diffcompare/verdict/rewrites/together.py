"""Slips at several places at once: the same one each time, and two things in one another's places."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from diffcompare.verdict.rewrites.syntax import Names, Rewrite, Site, copied, is_value, text_of

__all__ = ["exchanges", "together"]

# what may be made more than once, in how many lines, and the price of each
_OFTEN, _LINES, _AGAIN = 1.1, 3, 0.06

# of longer lines not all pairs are exchanged, and the price
_PAIRS, _EXCHANGED = 45, 1.3


def exchanges(sites: Sequence[Site], names: Names) -> Iterator[Rewrite]:
    """Yield what has two things of an expression in one another's places: a·c + b·d where a·d + b·c should stand."""
    places = {id(site.node): site for site in sites}
    for whole in sites:
        # what is called alone may write into its arguments
        computed = isinstance(whole.owner, ast.stmt) and not isinstance(whole.owner, ast.Expr)
        if computed and isinstance(whole.node, ast.BinOp | ast.Call | ast.UnaryOp):
            pairs = combinations([(site, text_of(site.node)) for site in _things(whole.node, places)], 2)
            different = [
                (one, other) for (one, a), (other, b) in pairs if a != b and not _is_strange(one, other, names)
            ]
            for one, other in different[:_PAIRS]:
                around = _around_both(whole.node, one.node, other.node)
                if id(around) in places and not _is_product_of(around, one.node, other.node):
                    said = f"{text_of(one.node)} and {text_of(other.node)} should be exchanged"
                    new = _exchanged(around, one.node, other.node)
                    change = places[id(around)].replaced(new)
                    yield Rewrite(around, (change,), _EXCHANGED, "permuted", said, said + " in {}")


def _things(node: ast.AST, places: dict[int, Site]) -> Iterator[Site]:
    """Yield the names, attributes and elements that are computed with, as a whole."""
    site = places.get(id(node))
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and site is not None and is_value(site):
        yield site
    else:
        for one in ast.iter_child_nodes(node):
            yield from _things(one, places)


def _is_strange(one: Site, other: Site, names: Names) -> bool:
    """Tell whether two names held values of different kinds."""
    held = getattr(other.node, "id", None), getattr(one.node, "id", None)
    return held[0] in names.strange.get(id(one.node), ()) or held[1] in names.strange.get(id(other.node), ())


def _is_product_of(around: Any, *both: Any) -> bool:
    """Tell whether it makes no difference in which order two things stand."""
    return isinstance(around, ast.BinOp) and (
        isinstance(around.op, ast.Mult | ast.Add) and {id(around.left), id(around.right)} == {*map(id, both)}
    )


def _around_both(node: ast.AST, one: ast.AST, other: ast.AST) -> ast.AST:
    """Return the innermost part of an expression that holds two others."""
    for part in ast.iter_child_nodes(node):
        inner = {id(n) for n in ast.walk(part)}
        if id(one) in inner and id(other) in inner:
            return _around_both(part, one, other)
    return node


def _exchanged(node: Any, one: Any, other: Any) -> Any:
    held = {id(one): copied(other), id(other): copied(one)}
    return copy.deepcopy(node, held)


def together(single: Sequence[Rewrite], sites: Sequence[Site]) -> Iterator[Rewrite]:
    """Yield what undoes the same slip each time that an expression stands in a line, or in a few lines."""
    line: Any = None
    lines: dict[int, Any] = {}
    for site in sites:
        line = lines[id(site.node)] = site.node if isinstance(site.node, ast.stmt) else line
    groups: dict[tuple[str, str], list[Rewrite]] = {}
    for one in single:
        if (
            len(one.changes) == 1
            # two signs of a product are as good as none
            and one.kind != "sign"
            and one.cost <= _OFTEN
            and id(one.node) in lines
            and one.node is not lines[id(one.node)]
        ):
            groups.setdefault((text_of(one.node), one.this), []).append(one)
    for (text, _), some in groups.items():
        by_line: dict[int, list[Rewrite]] = {}
        for one in some:
            by_line.setdefault(id(lines[id(one.node)]), []).append(one)
        kept = [few for few in by_line.values() if len(few) > 1]
        kept += [some] if len(by_line) > 1 and len(some) <= _LINES else []
        for alike in kept:
            said = alike[0].cause.replace("{}", text) + " each time"
            places = list({id(at): at for at in (lines[id(one.node)] for one in alike)}.values())
            changes = tuple(one.changes[0] for one in alike)
            cost = alike[0].cost + _AGAIN * len(places)
            yield Rewrite(places[0], changes, cost, alike[0].kind, said, said + " in {}", tuple(places[1:]))
