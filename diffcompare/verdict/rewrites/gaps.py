"""Where a line may be missing that adds to something.

It adds to what is 0 and nothing else writes to, after each line, or to a part of an array, after what a block adds up.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from diffcompare.verdict.rewrites.lines import parts_like, unlike
from diffcompare.verdict.rewrites.syntax import Names, Site, called_name, text_of

__all__ = ["gaps_of", "nearest"]

# columns of an array that rows are added to
_COLUMNS = 3


def gaps_of(sites: Sequence[Site], names: Names) -> Iterator[Site]:
    """Yield what would be added to, and after which line; lines that add come first."""
    written = Counter(one.node.id for one in sites if isinstance(getattr(one.node, "ctx", None), ast.Store)
                      and isinstance(one.node, ast.Name))  # fmt: skip
    lines = [site for site in reversed(sites) if isinstance(site.node, ast.Assign | ast.AugAssign | ast.Expr)]
    empty = {
        target.id: site.node.lineno
        for site in lines
        if isinstance(site.node, ast.Assign) and any(map(_is_zero, ast.walk(site.node.value)))
        for some in site.node.targets
        for target in (some.elts if isinstance(some, ast.Tuple) else [some])
        if isinstance(target, ast.Name) and written[target.id] == 1 and target.id not in names.filled
    }
    for site in sorted(lines, key=lambda site: not isinstance(site.node, ast.AugAssign)):
        for name, line in empty.items():
            if site.node.lineno >= line:
                yield _after(site, ast.Name(name, ast.Load()))
    parts = {text_of(part): part for site in lines for part in _parts(site.node, names)}
    adding = {
        (id(site.owner), site.field): site
        for site in reversed(lines)
        if isinstance(site.node, ast.AugAssign | ast.Expr)
    }
    for site in adding.values():
        block = {text_of(one.target) for one in getattr(site.owner, site.field) if isinstance(one, ast.AugAssign)}
        yield from (_after(site, part) for text, part in parts.items() if text not in block)


def nearest(gap: Site, line: ast.AugAssign) -> ast.stmt:
    """Return the line of a block that is most like the one that is missing, where that could follow it."""
    before: list[ast.stmt] = getattr(gap.owner, gap.field)[: (gap.index or 0) + 1]
    read = {node.id for node in ast.walk(line) if isinstance(node, ast.Name)}
    filled = {node.id for node in ast.walk(line.value) if isinstance(node, ast.Name)}
    last = 0
    for k, node in ((k, node) for k, one in enumerate(before) for node in ast.walk(one)):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            inner = getattr(node, "value", None)
            is_read = node.id in read if isinstance(node, ast.Name) else getattr(inner, "id", "") in filled
            last = k if is_read else last
    return min(
        reversed(before[last:]), key=lambda one: (isinstance(one, ast.Assign), unlike(text_of(one), text_of(line)))
    )


def _after(site: Site, target: ast.expr) -> Site:
    return Site(target, site.owner, site.field, site.index, site.around, site.node)


def _parts(node: ast.AST, names: Names) -> Iterator[ast.Subscript]:
    """Yield the part of an array to which a line adds, and those like it; of one that rows are added to its columns."""
    match node:
        case ast.AugAssign(ast.Subscript(array, index)):
            for other in (index, *parts_like(index, names)):
                yield ast.Subscript(array, other, ast.Load())
        case ast.Expr(ast.Call(ast.Attribute(_, "at"), [ast.Name() as array, *_])):
            for column in range(_COLUMNS):
                yield ast.Subscript(array, ast.Tuple([ast.Slice(), ast.Constant(column)], ast.Load()), ast.Load())


def _is_zero(node: ast.AST) -> bool:
    return called_name(node).startswith("zeros") or (isinstance(node, ast.Constant) and node.value == 0)
