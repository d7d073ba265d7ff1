"""Where a line may be missing that adds to something: after each line, to what is 0 and nothing else writes to."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence

from diffcompare.verdict.rewrites.syntax import Names, Site, called_name

__all__ = ["gaps_of"]


def gaps_of(sites: Sequence[Site], names: Names) -> Iterator[Site]:
    """Yield what is written once, as 0, and would be added to after a line that follows; lines that add come first."""
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
                yield Site(ast.Name(name, ast.Load()), site.owner, site.field, site.index, site.around, site.node)


def _is_zero(node: ast.AST) -> bool:
    return called_name(node).startswith("zeros") or (isinstance(node, ast.Constant) and node.value == 0)
