"""The same slip at several places: one change of all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from diffcompare.verdict.rewrites.syntax import Rewrite, Site, text_of

__all__ = ["together"]

# what may be made more than once, in how many lines, and the price of each
_OFTEN, _LINES, _AGAIN = 1.1, 3, 0.06


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
