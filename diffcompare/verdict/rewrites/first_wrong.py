"""Where the first wrong value of a loop appears: the first that neither the function nor its derivative has.

What code carries along a recursion is a value of the function, its slope in a variable, or the sensitivity of the
result to it. All of these are known.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Flags, Floats
from diffcompare.program.dag import needed_nodes
from diffcompare.verdict.array_pair import ArrayPair
from diffcompare.verdict.causes.budget import BALLS, Budget
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.pair import Pair
from diffcompare.verdict.rewrites.running import Body, Change
from diffcompare.verdict.rewrites.syntax import Names, Site, named_slopes, text_of

__all__ = [
    "Known",
    "Line",
    "Suspect",
    "Watch",
    "are_floats",
    "known_of",
    "known_values",
    "slopes_of",
    "suspects_of",
    "watched",
]

_BITS, _STEP = 320, 2.0**-90
# how close a float is to the value that it stands for, and by what numbers people multiply what they carry along
_CLOSE, _TIMES = 1e-9, (1.0, 2.0, 0.5)
_NOTED = "__noted__"
# elements that are looked at before the others
_FIRST = 64


@dataclass(frozen=True, slots=True)
class Slopes:
    """The numbers that a function computes, sorted, and their slopes in each variable; nan where several differ."""

    values: Floats
    rows: Floats

    def are(self, value: Any, of: Any) -> bool | None:
        """Tell whether a value is the slopes of another, or those in one variable; None where that is not known."""
        if not are_floats(value) or not are_floats(of):
            return None
        own, flat, given = np.asarray(of), np.asarray(of).reshape(-1), np.asarray(value)
        if not flat.size:
            return None
        near = _CLOSE * np.abs(flat)
        at = np.minimum(np.searchsorted(self.values, flat - near), self.values.size - 1)
        rows = self.rows[at].reshape(*own.shape, -1)
        if not np.isfinite(rows).all() or (np.abs(self.values[at] - flat) > near).any():
            return None
        if own.shape == given.shape:
            return any(_is_alike(given, rows[..., j]) for j in range(rows.shape[-1]))
        # those in all variables, or in some that follow one another
        count = given.shape[-1] if given.ndim and given.shape[:-1] == own.shape else rows.shape[-1]
        some = [rows[..., j : j + count] for j in range(rows.shape[-1] - count + 1)]
        whole = [one for one in (*some, np.moveaxis(rows, -1, 0)) if one.shape == given.shape]
        return any(_is_alike(given, one) for one in whole) if whole else None


def are_floats(value: Any) -> bool:
    """Tell whether a value is a float, or an array of floats."""
    return isinstance(value, float | np.floating | np.ndarray) and np.asarray(value).dtype.kind == "f"


def _is_alike(one: Floats, other: Floats) -> bool:
    return bool((np.abs(one - other) <= _CLOSE * np.max(np.abs(other), initial=1e-300)).all())


def slopes_of(values: Floats, rows: Floats) -> Slopes:
    """Sort numbers and their slopes, one row each."""
    order = np.argsort(values, kind="stable")
    values, rows = values[order], rows[order]
    near = np.flatnonzero(np.diff(values) <= _CLOSE * np.abs(values[1:]))
    alike = (np.abs(rows[near + 1] - rows[near]) <= _CLOSE * np.abs(rows[near])).all(axis=1)
    bad = near[~alike]
    rows[bad] = rows[bad + 1] = np.nan
    return Slopes(values, rows)


@dataclass(frozen=True, slots=True)
class Known:
    """The numbers that function and derivative compute, sorted, and the sizes of those and of their multiples."""

    values: Floats
    sizes: Floats
    slopes: Slopes | None = None

    def has(self, value: Any, *, signed: bool = False) -> bool | None:
        """Tell whether all elements of a value, or of those in a list, are known; None of what are no floats, or all 0.

        Unless ``signed``, up to their signs and the numbers by which people multiply.
        """
        if isinstance(value, list | tuple):
            answers = {self.has(one, signed=signed) for one in value}
            return None if answers <= {None} else False not in answers
        if not are_floats(value):
            return None
        flat = np.asarray(value, dtype=np.float64).reshape(-1)
        flat = flat[flat != 0]
        if not flat.size:
            return None
        # most are told by few elements, and some trials make very many
        return all(self._is_near(part, signed).all() for part in (flat[:_FIRST], flat[_FIRST:]))

    def has_rows(self, rows: Floats) -> Flags:
        """Tell of each row whether all elements are known up to their signs, and not all 0."""
        found: Flags = np.asarray(np.isfinite(rows).all(axis=1) & rows.any(axis=1))
        first = 0
        while first < rows.shape[1] and found.any():
            # most are told by few elements
            some, last = np.flatnonzero(found), 2 * first + 1
            part = rows[some, first:last]
            found[some] = ((part == 0) | self._is_near(part, False)).all(axis=1)
            first = last
        return found

    def _is_near(self, flat: Floats, signed: bool) -> Flags:
        known, flat = (self.values, flat) if signed else (self.sizes, np.abs(flat))
        near = _CLOSE * np.abs(flat)
        at = np.minimum(np.searchsorted(known, flat - near), known.size - 1)
        return np.asarray(np.abs(known[at] - flat) <= near)


def known_of(values: Floats) -> Known | None:
    """Sort what is computed; None of nothing."""
    values = np.unique(values[np.isfinite(values) & (values != 0)])
    sizes = np.abs(values)
    return Known(values, np.unique(np.concatenate([c * sizes for c in _TIMES]))) if values.size else None


def known_values(traces: ArrayPair | Pair, point: Floats, budget: Budget) -> Known | None:
    """Collect what function and derivative compute, and the slopes of it in each variable, as far as that costs little.

    None where nothing does.
    """
    values_at, work = _evaluated(traces)
    variables = point.tolist() if BALLS * work * (point.size + 1) <= budget.left // 4 else []
    cost = BALLS * work * (len(variables) + 1)
    if cost > budget.left // 4:
        return None
    budget.spend(cost)
    with precision(_BITS):
        here, found = values_at([Ball(v) for v in point.tolist()])
        rows = []
        for i, v in enumerate(variables):
            moved, _ = values_at(
                [*map(Ball, point[:i].tolist()), Ball(v) + Ball(_STEP), *map(Ball, point[i + 1 :].tolist())]
            )
            if len(moved) == len(here):
                rows.append([(w - v) / Ball(_STEP) for v, w in zip(here, moved, strict=True)])
        numbers = _floats([*here, *found, *(v for row in rows for v in row)])
        known, own = known_of(numbers), numbers[: len(here)]
        if known is None or not rows:
            return known
        return replace(known, slopes=slopes_of(own, numbers[len(here) + len(found) :].reshape(-1, own.size).T))


def _floats(balls: Sequence[Ball]) -> Floats:
    return np.array([float(v.mid()) for v in balls])


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
class Line:
    """What gives a variable or an element a value, or is returned: one of several things that a statement may write."""

    statement: Site
    value: Site
    target: Any

    @property
    def reads(self) -> set[str]:
        """The names whose values it uses."""
        parts = [self.value.node]
        if isinstance(self.statement.node, ast.AugAssign):
            parts.append(self.target)
        elif isinstance(self.target, ast.Subscript):
            parts.append(self.target.slice)
        return {one.id for part in parts for one in ast.walk(part) if isinstance(one, ast.Name)}

    @property
    def writes(self) -> str:
        """The name of what it writes; empty where it returns."""
        target = self.target
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        return target.id if isinstance(target, ast.Name) else ""


def _lines(sites: Sequence[Site]) -> Iterator[Line]:
    for site in sites:
        node = site.node
        match node:
            case ast.Return(ast.expr() as value):
                yield Line(site, Site(value, node, "value", None), None)
            case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if len(targets) == len(values):
                for k, (target, value) in enumerate(zip(targets, values, strict=True)):
                    if isinstance(target, ast.Name | ast.Subscript):
                        yield Line(site, Site(value, node.value, "elts", k), target)
            case ast.Assign([ast.Name() | ast.Subscript() as target], value):
                yield Line(site, Site(value, node, "value", None), target)
            case ast.AugAssign(ast.Name() | ast.Subscript() as target, _, value):
                yield Line(site, Site(value, node, "value", None), target)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line that gives the first wrong value.

    Parameters
    ----------
    line : Line
    number : int
        The time at which it does.
    share : float
        The part of all rounds of loops that were made by then.
    feeding : sequence of (Line, int)
        What gives it its values, and when it last did: the mistake may be there, as signs are not told apart, other
        values may be alike, and the derivative may have made the same sum on its way.
    """

    line: Line
    number: int
    share: float
    feeding: Sequence[tuple[Line, int]]


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
    body: Body, sites: Sequence[Site], known: Known, names: Names, run: Callable[[Body, Sequence[Change]], Any]
) -> Iterator[Suspect]:
    """Yield the lines that give a value that is not known from values that are, and the time when they first do so.

    What becomes known again in a later line was right.
    """
    lines = list(_lines(sites))
    notes = body.function.__globals__[_NOTED] = _Notes(body)
    run(body, [change for k, one in enumerate(lines) for change in _followed(one, _NOTED, ast.Constant(k))])
    times = dict.fromkeys(range(len(lines)), 0)
    first: dict[int, tuple[int, float, dict[int, int]]] = {}
    rounds = max(1, body.rounds.most - min((left for *_, left in notes.found), default=0))
    right: set[tuple[int, int]] = set()
    # by name, the lines and times to which a value that is not known goes back
    strange: dict[str, set[tuple[int, int]]] = {}
    slopes = _are_slopes(lines, notes, known.slopes)
    for number, (k, value, part, left) in enumerate(notes.found):
        times[k] += 1
        name, answer = lines[k].writes, slopes.get(number)
        back = set().union(*(strange.get(read, set()) for read in lines[k].reads))
        if answer is None:
            answer = known.has(value)
            if answer is False and part is not None and known.has(part):
                # nobody else has the sums on the way
                continue
        if answer is False:
            if not back:
                first.setdefault(k, (times[k], (body.rounds.most - left) / rounds, times.copy()))
            if back or number in slopes or not slopes or name in names.states:
                strange[name] = back or {(k, times[k])}
        else:
            right |= back if answer else set()
            strange.pop(name, None)
    named = {notes.found[number][0] for number in slopes}
    own = [k for k, line in enumerate(lines) if text_of(line.value.node) not in names.known]
    told = named.union(k for k, line in enumerate(lines) if line.writes in names.states)
    for k, (time, share, then) in sorted(first.items(), key=lambda one: one[0] not in told):
        # what the last round of a loop prepares is not used, and what the function computes as well is right
        used = time < times[k] or time == 1
        if k in own and used and (k in told or (k, time) not in right):
            # of slopes all digits and the sign are known
            unsure = [j for j in own if j not in named] if k in named else range(len(lines))
            feeding = [(lines[j], then[j]) for j in unsure if lines[j].writes in lines[k].reads]
            yield Suspect(lines[k], time, share, feeding)


def _are_slopes(lines: Sequence[Line], notes: _Notes, known: Slopes | None) -> dict[int, bool]:
    """Tell which values are the slopes for which they are named: d_x is that of x, as it was before or is next.

    Nothing where the names mean something else, as the sensitivities of the result do.
    """
    written = {one.writes for one in lines} - {""}
    named = {slope: name for some in named_slopes(written) for slope, name in some.items()}
    found: dict[int, bool] = {}
    seen = False
    # forwards a name has the value before, backwards the one after
    for step in (1, -1):
        last: dict[str, Any] = {}
        for number, (k, value, *_) in list(enumerate(notes.found))[::step]:
            name = lines[k].writes
            twin = last.get(named.get(name, ""))
            answer = None if known is None or twin is None else known.are(value, twin)
            if answer is not None:
                found[number] = found.get(number, False) or answer
                # 1 may be anything
                seen |= answer and not np.isin(value, (-1, 0, 1)).all()
            last[name] = value
    return found if seen else {}


def watched(line: Line, watch: Watch, body: Body, changes: Sequence[Change]) -> Sequence[Change]:
    """Put a watch around what a line gives, besides other changes."""
    name = f"__watch_{len(body.function.__globals__)}__"
    body.function.__globals__[name] = watch
    own = [one for one in changes if (one.owner, one.field, one.index) == _place(line)]
    return [*(one for one in changes if one not in own), *_followed(line, name, value=own[0].new if own else None)]


def _place(line: Line) -> tuple[Any, str, int | None]:
    return line.value.owner, line.value.field, line.value.index


def _followed(line: Line, name: str, *number: ast.expr, value: Any = None) -> Iterator[Change]:
    """Call something with what a line gives, and with what it adds; ``value``: another one than it has."""
    node, called = line.statement.node, ast.Name(name, ast.Load())
    value = value or line.value.node
    if isinstance(node, ast.AugAssign):
        value = ast.Call(ast.Attribute(called, "added", ast.Load()), [value], [])
        call = ast.Call(called, [*number, _loaded(line.target)], [])
        yield line.statement.replaced(ast.If(ast.Constant(True), [node, ast.Expr(call)], []))
    else:
        value = ast.Call(called, [*number, value], [])
    yield Change(*_place(line), ast.fix_missing_locations(ast.copy_location(value, node)))


def _loaded(target: Any) -> Any:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())
