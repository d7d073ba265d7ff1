"""What kinds of values names have where they stand: what is taken for another thing by mistake is of its kind."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffcompare.verdict.rewrites.running import Body, Change, names_at_hand
from diffcompare.verdict.rewrites.syntax import Names, Site, called_name, is_value

__all__ = ["kinds_of"]

# times at which a name is looked at: the first value of what is carried along may be the number 0
_MOST = 3


def kinds_of(body: Body, sites: Sequence[Site], names: Names, run: Callable[[Body, Sequence[Change]], Any]) -> Names:
    """Tell which names held values of another kind than names and numbers whenever those ran, and which hold flags."""
    space = body.function.__globals__
    name = f"__kinds_{len(space)}__"
    seen = space[name] = _Seen(space, names.variables)
    asked = [site for site in sites if _is_number(site) or (_is_read(site) and site.node.id in names.variables)]
    run(body, [_probe(site, name, k) for k, site in enumerate(asked)])
    strange = {id(site.node): frozenset(seen.others.get(k, ())) for k, site in enumerate(asked)}
    return replace(names, strange=strange, flags=frozenset(seen.flags))


def _is_number(site: Site) -> bool:
    """Tell whether an expression is a number that is computed with."""
    return isinstance(site.node, ast.Constant) and type(site.node.value) in (int, float) and is_value(site)


def _is_read(site: Site) -> bool:
    return isinstance(site.node, ast.Name) and isinstance(site.node.ctx, ast.Load)


def _probe(site: Site, name: str, number: int) -> Change:
    # of what is asked for its length or its elements the length may be the mistake
    whole = isinstance(site.owner, ast.Attribute | ast.Subscript) or called_name(site.owner) == "len"
    names = ast.Call(ast.Name("locals", ast.Load()), [], [])
    # in place of a whole number any number may stand
    like = [ast.Constant(float(site.node.value))] if _is_number(site) else []
    given = [ast.Constant(number), ast.Constant(whole), site.node, names, *like]
    return site.replaced(ast.Call(ast.Name(name, ast.Load()), given, []))


@dataclass(slots=True)
class _Seen:
    """The names that were of another kind than a value each time that it was looked at."""

    space: Mapping[str, Any]
    names: Sequence[str]
    times: dict[int, int] = field(default_factory=dict)
    others: dict[int, set[str]] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def __call__(self, number: int, whole: bool, value: Any, local: dict[str, Any], like: Any = None) -> Any:
        """Look at the names beside a value, or beside what it is ``like``, and pass it on."""
        local = names_at_hand(local, sys._getframe(1))
        self.times[number] = self.times.get(number, 0) + 1
        if self.times[number] <= _MOST:
            kind, missing = _kind(value if like is None else like, whole), object()
            held = {name: local.get(name, self.space.get(name, missing)) for name in self.names}
            self.flags.update(name for name, other in held.items() if isinstance(other, bool | np.bool_))
            others = {name for name, other in held.items() if other is not missing and _kind(other, whole) != kind}
            self.others[number] = others & self.others.get(number, others)
        return value


def _kind(value: Any, whole: bool) -> tuple[Any, ...]:
    if isinstance(value, np.ndarray | np.generic | float | int):
        kind = np.asarray(value).dtype.kind
        return "i" if kind in "iu" else kind, np.ndim(value) if whole else np.shape(value)
    return (type(value),)
