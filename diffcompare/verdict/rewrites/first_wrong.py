"""Where the first wrong value of a loop appears: the first that neither the function nor its derivative has.

What code carries along a recursion is a value of the function, its slope in a variable, or the sensitivity of the
result to it. All of these are known.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Floats
from diffcompare.program.dag import needed_nodes
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import BALLS, Budget
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.pair import Pair
from diffcompare.verdict.rewrites.running import Body, Change
from diffcompare.verdict.rewrites.syntax import Site

__all__ = ["Known", "Suspect", "Watch", "known_of", "known_values", "suspects_of", "watched"]

_BITS, _STEP = 320, 2.0**-90
# how close a float is to the value that it stands for, and by what numbers people multiply what they carry along
_CLOSE, _TIMES = 1e-9, (1.0, 2.0, 0.5)
_NOTED = "__noted__"


@dataclass(frozen=True, slots=True)
class Known:
    """The numbers that function and derivative compute, sorted, and the sizes of those and of their multiples."""

    values: Floats
    sizes: Floats

    def has(self, value: Any, *, signed: bool = False) -> bool | None:
        """Tell whether all elements of a value are known; None of what are no floats, or all 0.

        Unless ``signed``, up to their signs and the numbers by which people multiply.
        """
        if not isinstance(value, float | np.floating | np.ndarray) or np.asarray(value).dtype.kind != "f":
            return None
        flat = np.asarray(value, dtype=np.float64).reshape(-1)
        flat = flat[flat != 0]
        if not flat.size:
            return None
        known, flat = (self.values, flat) if signed else (self.sizes, np.abs(flat))
        near = _CLOSE * np.abs(flat)
        at = np.minimum(np.searchsorted(known, flat - near), known.size - 1)
        return bool((np.abs(known[at] - flat) <= near).all())


def known_of(values: Floats) -> Known | None:
    """Sort what is computed; None of nothing."""
    values = np.unique(values[np.isfinite(values) & (values != 0)])
    sizes = np.abs(values)
    return Known(values, np.unique(np.concatenate([c * sizes for c in _TIMES]))) if values.size else None


def known_values(traces: ArrayPair | Pair, point: Floats, budget: Budget, *, slopes: bool = True) -> Known | None:
    """Collect what function and derivative compute, and the slopes of it in each variable; None if that costs much."""
    values_at, work = _evaluated(traces)
    variables = point.tolist() if slopes else []
    cost = BALLS * work * (len(variables) + 1)
    if cost > budget.left // 4:
        return None
    budget.spend(cost)
    with precision(_BITS):
        here, found = values_at([Ball(v) for v in point.tolist()])
        for i, v in enumerate(variables):
            moved, _ = values_at(
                [*map(Ball, point[:i].tolist()), Ball(v) + Ball(_STEP), *map(Ball, point[i + 1 :].tolist())]
            )
            if len(moved) == len(here):
                found = [*found, *((w - v) / Ball(_STEP) for v, w in zip(here, moved, strict=True))]
        return known_of(np.array([float(v.mid()) for v in (*here, *found)]))


def _evaluated(traces: ArrayPair | Pair) -> tuple[Callable[[list[Any]], tuple[list[Any], list[Any]]], int]:
    """Return what gives all values of the function and of the derivative at a point, and of how many."""
    if isinstance(traces, ArrayPair):
        build = traces.build
        own, all_ = build.needed([traces.F]), build.needed([traces.F, traces.D])

        def of_arrays(x: list[Any]) -> tuple[list[Any], list[Any]]:
            values = array_balls(build, all_, np.array(x, dtype=object), _BITS)
            split = [[v for one in some for v in one.reshape(-1)] for some in (values[: len(own)], values)]
            return split[0], split[1]

        return of_arrays, sum(math.prod(build.shape(k)) for k in all_)
    nodes, roots = traces.table.builder.nodes, [*traces.function.outputs, *traces.D]
    first = needed_nodes(nodes, traces.function.outputs)
    constants = traces.arguments()[len(traces.table.point) :]

    def of_numbers(x: list[Any]) -> tuple[list[Any], list[Any]]:
        values = node_balls(nodes, roots, [*x, *constants], _BITS)
        split = [[v for v in some if isinstance(v, Ball)] for some in ((values[k] for k in first), values.values())]
        return split[0], split[1]

    return of_numbers, len(needed_nodes(nodes, roots))


@dataclass(slots=True)
class Watch:
    """Stands after a line: ends a trial in which the line still gives what is not known.

    ``number``: the time at which it gave the first wrong value.
    """

    known: Known
    number: int
    seen: int = 0
    on: bool = False
    part: Any = None

    def added(self, value: Any) -> Any:
        """Look at what a line adds, and pass it on."""
        self.part = value
        return value

    def __call__(self, value: Any) -> Any:
        """Look at what a line has given, and pass it on."""
        self.seen += 1
        if self.on and self.seen == self.number and _answer(self.known, value, self.part) is False:
            raise ArithmeticError("still wrong")
        return value


def _answer(known: Known, value: Any, part: Any) -> bool | None:
    """Tell whether a value is known, or at least what was added last: nobody else has the sums on the way."""
    answer = known.has(value)
    return answer if answer is not False or part is None else known.has(part)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line that gives the first wrong value.

    Parameters
    ----------
    line : Site
    number : int
        The time at which it does.
    share : float
        The part of all rounds of loops that were made by then.
    feeding : sequence of Site
        The lines that give it its values; as signs are not told apart, the mistake may be there.
    """

    line: Site
    number: int
    share: float
    feeding: Sequence[Site]


@dataclass(slots=True)
class _Notes:
    """What the lines gave, in order, and how many rounds of loops were left then."""

    body: Body
    found: list[tuple[int, Any, Any, int]] = field(default_factory=list)
    part: Any = None

    def added(self, value: Any) -> Any:
        self.part = value.copy() if isinstance(value, np.ndarray) else value
        return value

    def __call__(self, number: int, value: Any) -> Any:
        kept = value.copy() if isinstance(value, np.ndarray) else value
        self.found.append((number, kept, self.part, self.body.rounds.left))
        self.part = None
        return value


def suspects_of(
    body: Body, sites: Sequence[Site], known: Known, run: Callable[[Body, Sequence[Change]], Any]
) -> Iterator[Suspect]:
    """Yield the lines that give a value that is not known from values that are, and the time when they first do so.

    What becomes known again in a later line was right.
    """
    lines = [one for one in sites if isinstance(one.node, ast.Assign | ast.AugAssign | ast.Return)]
    lines = [one for one in lines if isinstance(one.node, ast.Return) or _target(one.node) is not None]
    notes = body.function.__globals__[_NOTED] = _Notes(body)
    run(body, [change for k, one in enumerate(lines) for change in _followed(one, _NOTED, ast.Constant(k))])
    times = dict.fromkeys(range(len(lines)), 0)
    first: dict[int, tuple[int, float]] = {}
    rounds = max(1, body.rounds.most - min((left for *_, left in notes.found), default=0))
    right: set[int] = set()
    # by name, the lines to which a value that is not known goes back
    strange: dict[str, set[int]] = {}
    for k, value, part, left in notes.found:
        times[k] += 1
        node = lines[k].node
        back = set().union(*(strange.get(name, set()) for name in _read(node)))
        name = "" if isinstance(node, ast.Return) else _base(_target(node))
        answer = _answer(known, value, part)
        if answer is False:
            if not back:
                first.setdefault(k, (times[k], (body.rounds.most - left) / rounds))
            strange[name] = back or {k}
        elif answer:
            right |= back
            strange.pop(name, None)
    for k, (time, share) in first.items():
        # what the last round of a loop prepares is not used
        if k not in right and (time < times[k] or time == 1):
            feeding = [one for one in lines if not isinstance(one.node, ast.Return)]
            reads = _read(lines[k].node)
            yield Suspect(lines[k], time, share, [one for one in feeding if _base(_target(one.node)) in reads])


def watched(site: Site, watch: Watch, body: Body, changes: Sequence[Change]) -> Sequence[Change]:
    """Put a watch after a line, or around what it returns, besides other changes."""
    name = f"__watch_{len(body.function.__globals__)}__"
    body.function.__globals__[name] = watch
    own = [one for one in changes if one.owner is site.node and one.field == "value"]
    return [*(one for one in changes if one not in own), *_followed(site, name, value=own[0].new if own else None)]


def _followed(site: Site, name: str, *number: ast.expr, value: Any = None) -> Iterator[Change]:
    """Call something with what a line gives, and with what it adds; ``value``: another one than it has."""
    node, called = site.node, ast.Name(name, ast.Load())
    value = value or node.value
    if isinstance(node, ast.Return):
        value = ast.Call(called, [*number, value or ast.Constant(None)], [])
    else:
        if isinstance(node, ast.AugAssign):
            value = ast.Call(ast.Attribute(called, "added", ast.Load()), [value], [])
        call = ast.Call(called, [*number, _loaded(_target(node))], [])
        yield site.replaced(ast.If(ast.Constant(True), [node, ast.Expr(call)], []))
    yield Change(node, "value", None, ast.fix_missing_locations(ast.copy_location(value, node)))


def _target(node: Any) -> Any:
    """Return what a line writes; None where it writes several things."""
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    return target if isinstance(target, ast.Name | ast.Subscript) else None


def _loaded(target: Any) -> Any:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())


def _base(target: Any) -> str:
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _read(node: Any) -> set[str]:
    """Return the names whose values a line uses."""
    parts = [node.value]
    if isinstance(node, ast.AugAssign):
        parts.append(node.target)
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        parts.append(node.targets[0].slice)
    return {one.id for part in parts if part for one in ast.walk(part) if isinstance(one, ast.Name)}
