"""Guards in programs of arrays: see :mod:`~diffcompare.verdict.guards`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.array_floats import array_floats, erring_floats
from diffcompare.arithmetic.balls import precision
from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.tracing.array_table import ArrayGuard
from diffcompare.tracing.array_trace import ArrayTrace
from diffcompare.tracing.array_ufuncs import table_here
from diffcompare.tracing.handle import Handle, stored
from diffcompare.tracing.places import Place
from diffcompare.tracing.refusals import TooLargeError
from diffcompare.verdict.array_pair import ArrayPair, derivative_of
from diffcompare.verdict.causes.budget import Budget, Exhausted
from diffcompare.verdict.causes.nearby import nearby, price
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.guard_rules import (
    BITS,
    IN_PLACES,
    LONG,
    PROTECTED,
    Ignored,
    Kind,
    bare_uses,
    bound_in_words,
    guard_in_words,
    listed,
    marks_of,
    off_value,
    subsets,
)
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.problem import Problem

__all__ = ["ignored_in_arrays", "unguarded_arrays"]

_TERMS = frozenset({"add", "subtract", "multiply", "divide", "negative"})
_MOVED = frozenset({"reshape", "transpose", "broadcast", "take", "join", "choose", "total"})
_BOUNDS = {"greater_equal": "max", "less_equal": "min"}


@dataclass(frozen=True, slots=True)
class _Site:
    """A guard: the node that it is part of, what is left without it, its value, what it protects, and how directly."""

    node: int
    rest: int
    operation: str
    value: float
    above: str
    inside: bool
    place: Place | None

    @property
    def kind(self) -> Kind:
        """Tell what stands or falls together: what one place of the code does."""
        return self.above, self.value, self.node if self.place is None else hash(self.place)


def ignored_in_arrays(
    problem: Problem, judgement: Judgement, pair: ArrayPair, budget: Budget
) -> Iterator[tuple[Ignored, Nearby]]:
    """Find the fewest guards without which claim and derivative agree near by, and what they are here."""
    build, F, G = pair.build, pair.F, pair.G
    mine, theirs = _sites(pair, F, pair.function.guards), _sites(pair, G, pair.gradient.guards)
    asked = nearby(problem, judgement, None, budget) if mine or theirs else None
    if asked is None:
        return
    agree = _Agreement(pair, asked, budget)

    def without(some: Sequence[_Site]) -> int:
        return derivative_of(problem, build, _stripped(build, F, some))[0]

    for some in _explaining(mine, lambda some: agree(without(some), G)):
        bare = replace(problem, function=_function(build, _stripped(build, F, some)), seen=None)
        text = f"the {problem.what} ignores {_said(build, some, problem.names)}"
        marks = _marks(pair.function, some, "f", f"the {problem.what} ignores {{}}")
        yield Ignored(text, bare, (*marks, *_lacking(pair, some, agree))), asked[0]
    for some in _explaining(theirs, lambda some: agree(pair.D, _stripped(build, G, some))):
        text = f"f has not {_said(build, some, problem.names)} of the {problem.what}"
        yield Ignored(text, None, _marks(pair.gradient, some, "gradient", "f has no {} here")), asked[0]
    bare_claim = _stripped(build, G, theirs)
    for some in _explaining(mine if theirs else [], lambda some: agree(without(some), bare_claim)):
        one, other = (_said(build, sites, problem.names) for sites in (some, theirs))
        text = f"f has {one}, the {problem.what} has {other}"
        if {site.value for site in some} == {site.value for site in theirs}:
            text = f"the {problem.what} ignores {one} {IN_PLACES}"
        marks = _marks(pair.function, some, "f", "f has {}")
        yield Ignored(text, None, (*marks, *_marks(pair.gradient, theirs, "gradient", "this has {}"))), asked[0]


def unguarded_arrays(
    problem: Problem, judgement: Judgement, pair: ArrayPair, budget: Budget
) -> tuple[Judgement, str] | None:
    """Return the judgement as it were without any guard in f, and what they are; None where there is none."""
    build, sites = pair.build, _sites(pair, pair.F, pair.function.guards)
    if not sites:
        return None
    F = _stripped(build, pair.F, sites)
    D, slopes = derivative_of(problem, build, F)
    budget.spend(2 * price(pair))
    true, gap = array_balls(build, [D, build.apply("subtract", pair.G, D)], pair.point, BITS)
    if not all(v.is_finite() for v in (*true.tolist(), *gap.tolist())):
        return None
    with precision(BITS):
        certified, difference = (np.array([float(v.mid()) for v in values.tolist()]) for values in (true, gap))
    bare = replace(pair, F=F, D=D, slopes=slopes)
    other = replace(judgement, arrays=bare, certified=certified, difference=difference)
    return other, _said(build, sites, problem.names)


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Whether two nodes agree at all points: in floats, and at the first one in balls."""

    pair: ArrayPair
    asked: Sequence[Nearby]
    budget: Budget

    def __call__(self, one: int, other: int) -> bool:
        build = self.pair.build
        # a claim that is not traced is what was returned at each point
        opaque = self.pair.opaque and other == self.pair.G
        gap = build.apply("subtract", one, other)
        for beside in self.asked:
            self.budget.spend(2 * price(self.pair))
            (moved,) = erring_floats(build, [one if opaque else gap], beside.point)
            apart = np.abs(moved.value - beside.claimed if opaque else moved.value)
            if not (apart <= beside.threshold + 2 * moved.error).all():
                return False
        (balls,) = array_balls(build, [gap], self.pair.point, BITS)
        limits = self.asked[0].threshold.tolist()
        with precision(BITS):
            return all(v.is_finite() and float(abs(v).mid()) <= t for v, t in zip(balls.tolist(), limits, strict=True))


def _explaining(sites: Sequence[_Site], agree: Callable[[Sequence[_Site]], bool]) -> Iterator[Sequence[_Site]]:
    for chosen in subsets(list(dict.fromkeys(site.kind for site in sites))) if sites else ():
        some = [site for site in sites if site.kind in chosen]
        if agree(some):
            yield some


def _sites(pair: ArrayPair, root: int, guards: Sequence[ArrayGuard]) -> list[_Site]:
    """Find the constants that protect something, and the bounds that do and are taken somewhere."""
    build, nodes = pair.build, pair.build.nodes
    found = []
    for k, above in sorted(_protected(build, root).items()):
        node = nodes[k]
        name, where = node.operation, pair.places.get(k)
        if name == "choose":
            own = [g for g in guards if (g.first, g.second) == node.operands and g.operation in _BOUNDS
                   and np.array_equal(g.answers, node.payload)]  # fmt: skip
            if not own:
                continue
            name, where = _BOUNDS[own[0].operation], own[0].place
        for place, operand in enumerate(node.operands):
            value, rest = _number(build, operand), node.operands[place - 1]
            if len(node.operands) == 2 and value is not None and off_value(name, place, value) is not None:
                inside = nodes[above].operands[PROTECTED[nodes[above].operation]] != k
                found.append(_Site(k, rest, name, value, nodes[above].operation, inside, where))
    return found


def _number(build: ArrayBuilder, index: int) -> float | None:
    node = build.nodes[index]
    if node.operation == "broadcast":
        return _number(build, node.operands[0])
    return float(node.payload) if node.operation == "constant" and not node.shape else None


def _protected(build: ArrayBuilder, root: int) -> dict[int, int]:
    """Return the nodes that are kept from 0, down to the terms that they are made of, and what needs it."""
    found: dict[int, int] = {}
    for index in build.needed([root]):
        node = build.nodes[index]
        pending = [node.operands[PROTECTED[node.operation]]] if node.operation in PROTECTED else []
        while pending:
            k = pending.pop()
            if k not in found and build.moving[k]:
                found[k] = index
                if build.nodes[k].operation in _TERMS | _MOVED:
                    pending += build.nodes[k].operands
    return found


def _stripped(build: ArrayBuilder, root: int, sites: Sequence[_Site]) -> int:
    """Leave guards out of a program, the innermost ones first."""
    replaced: dict[int, int] = {}
    for site in sorted(sites, key=lambda site: site.node):
        (rest,) = build.copied([site.rest], replaced)
        replaced[site.node] = build.broadcast(rest, build.shape(site.node))
    return build.copied([root], replaced)[0]


def _function(source: ArrayBuilder, F: int) -> Callable[..., Any]:
    """Return a node as a function, of floats and of traced arrays."""

    def function(x: Any, *_: Any) -> Any:
        parts = list(x.values()) if isinstance(x, Mapping) else list(x) if isinstance(x, tuple | list) else [x]
        flat = np.concatenate([np.ravel(part) for part in parts])
        if isinstance(flat, Handle):
            table = table_here()
            (node,) = table.build.inserted(source, [F], flat.node)
            return stored(table, node, array_floats(source, [F], flat.floats)[0])
        if flat.dtype == object:
            raise TooLargeError("a program of arrays is not followed number by number")
        (values,) = array_floats(source, [F], flat)
        return values if values.size > 1 else float(values[0])

    return function


def _marks(trace: ArrayTrace, sites: Sequence[_Site], role: str, words: str) -> tuple[Mark, ...]:
    return marks_of(trace.origins, ((site.node, None, site.value) for site in sites), role=role, words=words)


def _lacking(pair: ArrayPair, some: Sequence[_Site], agree: Callable[[int, int], bool]) -> tuple[Mark, ...]:
    """Mark where the claim uses a value without its guard, if it is right with the guards there."""
    build, sites = pair.build, {site.rest: site for site in some if site.operation in ("add", "subtract")}
    replaced: dict[int, int] = {}
    lacking: list[tuple[int, int | None, float]] = []
    for k, place in bare_uses(build.nodes, build.needed([pair.G]), sites):
        site = sites[build.nodes[k].operands[place]]
        operands = build.copied(build.nodes[k].operands, replaced)
        operands[place] = build.apply(site.operation, operands[place], build.constant(Fraction(site.value)))
        replaced[k] = build.anew(k, tuple(operands))
        lacking.append((k, place, site.value))
    try:
        right = bool(lacking) and agree(pair.D, build.copied([pair.G], replaced)[0])
    except Exhausted:
        return ()
    return marks_of(pair.gradient.origins, lacking, role="gradient", words="f has {} here") if right else ()


def _said(build: ArrayBuilder, sites: Sequence[_Site], names: Sequence[str]) -> str:
    first: dict[Kind, _Site] = {}
    for site in sites:
        first.setdefault(site.kind, site)
    sums = [site for site in first.values() if site.operation not in _BOUNDS.values()]
    bounds = [bound_in_words(s.operation, s.value, s.place) for s in first.values() if s not in sums and s.place]
    texts = array_formulas(build, [site.rest for site in sums], names, limit=LONG + 1)
    constants = [
        guard_in_words(s.operation, s.value, text, s.above, s.place, inside=s.inside)
        for s, text in zip(sums, texts, strict=True)
    ]
    return " and ".join([*([listed(constants)] if constants else []), *dict.fromkeys(bounds)])
