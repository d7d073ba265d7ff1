"""A function and its claimed gradient, traced in one table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import Node, Program, needed_nodes
from diffcompare.tracing.calling import called
from diffcompare.tracing.convergence import loop_exits
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.places import Place
from diffcompare.tracing.refusals import TooLargeError
from diffcompare.tracing.table import NODE_LIMIT, Decide, Table
from diffcompare.tracing.trace import Trace, placed, record
from diffcompare.verdict.problem import Problem

__all__ = [
    "ATTEMPTS",
    "FAILURES",
    "FEW",
    "Pair",
    "Stretch",
    "codes_of",
    "follow_gradient",
    "is_long",
    "kept_as_it_is",
    "one_sided",
    "random_directions",
    "slope_agrees",
    "trace_beside",
    "trace_one",
    "trace_pair",
]


_PRODUCTS = frozenset({"Hessian-vector product", "directional derivative"})
# how code is recorded, as (exact, rebuilt), the most telling way first
ATTEMPTS = ((True, True), (False, True), (False, False))
# numbers of more decimal digits were computed, not written
_WRITTEN_DIGITS = 12
# what the user's code may raise where it is not defined
FAILURES = (Exception,)
# a trace of so many nodes is recorded anew for few directions, other ones for some
_LARGE, FEW, _DIRECTIONS = 20_000, 2, 6


@dataclass(frozen=True, slots=True)
class Pair:
    """Function and gradient in one table, and what the code did.

    Parameters
    ----------
    table : Table
    function, gradient : Trace
    D, G : tuple of int
        The nodes of the true derivative and of what the gradient's code returns, one for each component.
    claim : tuple of int
        The nodes of the formula and its derivative; empty without a formula.
    slopes : tuple of int
        The nodes of slopes that must exist for the derivative to exist.
    """

    table: Table
    function: Trace
    gradient: Trace
    D: tuple[int, ...]
    G: tuple[int, ...]
    claim: tuple[int, ...]
    slopes: tuple[int, ...] = ()

    @property
    def exits(self) -> dict[Place, bool]:
        """The loops that ended by themselves."""
        return loop_exits(self.table, self.function.guards) | loop_exits(self.table, self.gradient.guards)

    @property
    def is_large(self) -> bool:
        """Tell whether it is recorded anew for few directions only."""
        return len(self.table.shadows) > _LARGE

    def arguments(self) -> list[Any]:
        """The point, then the constants that are kept apart."""
        return [*self.table.point, *(c.value for c in self.table.constants)]


class Stretch:
    """Recordings between which no other code runs: the user's objects are looked at once, and the work is counted.

    Parameters
    ----------
    left : int
        The nodes that may still be recorded. A recording counts each object as a node too: it is rebuilt and put back.
    keeper : Keeper, optional
        Of another stretch, if it has looked at the objects as they are.
    """

    def __init__(self, *, left: int = NODE_LIMIT, keeper: Keeper | None = None) -> None:
        self.keeper = keeper or Keeper()
        self.left = left

    @contextmanager
    def table(self, point: Floats, *, exact: bool) -> Iterator[Table]:
        """Make a table that ends where the work does."""
        table = Table(tuple(f"x{i}" for i in range(len(point))), point.tolist(), exact=exact)
        table.limit = min(table.limit, self.left)
        try:
            yield table
        finally:
            self.left -= len(table.shadows) + self.keeper.objects


def trace_pair(
    problem: Problem,
    *,
    exact: bool,
    rebuilt: bool,
    function: Decide | None = None,
    gradient: Decide | None = None,
    limit: int = NODE_LIMIT,
    stretch: Stretch | None = None,
) -> Pair | None:
    """Record a function and its gradient at a point, with answers to their guards that may differ from the floats'.

    ``problem`` has the callables, the point, and how arguments and results are structured. None where the function does
    not return as many numbers as it should.
    """
    stretch = stretch or Stretch()
    known = problem.formula
    with stretch.table(problem.x, exact=exact) as table:
        whole, table.limit = table.limit, min(limit, table.limit)
        with kept_as_it_is(codes_of(problem), stretch.keeper, rebuilt=rebuilt):
            table.decide = function
            try:
                first = _recorded(problem, problem.function, table, stretch, rebuilt=rebuilt)
            except TraceError as error:
                if known is None or isinstance(error, TooLargeError):
                    raise
                # the formula stands in for it
                stated = tuple(table.insert(known.program, text=True))
                first = Trace(stated, (math.nan,) * len(stated), (), 0.0, (), (), False)
                known = None
            if len(first.outputs) != problem.outputs:
                return None
            nodes = tuple(table.builder.nodes)
            table.decide = gradient
            second = _recorded(problem, problem.gradient, table, stretch, rebuilt=rebuilt)
        # the limit holds of the codes, not of what is made of them
        table.limit = whole
        found = _derivative(problem, table, nodes, first)
        G = _claimed(problem, table, second)
        end = problem.outputs + len(G)
        claim = () if known is None else tuple(table.insert(problem.derivative(known.program), text=True)[:end])
    return Pair(table, first, second, tuple(found[problem.outputs : end]), G, claim, tuple(found[end:]))


def trace_beside(problem: Problem, point: Floats, *, exact: bool, rebuilt: bool) -> Pair | None:
    """Record a function where a point nearby takes it; what it does there is then to be evaluated at the point itself.

    The pair that is returned has no gradient.
    """
    stretch = Stretch()
    roots = (problem.function, *problem.args)
    with stretch.table(point, exact=exact) as table, kept_as_it_is(roots, stretch.keeper, rebuilt=rebuilt):
        trace = _recorded(problem, problem.function, table, stretch, rebuilt=rebuilt)
    if len(trace.outputs) != problem.outputs:
        return None
    found = _derivative(problem, table, tuple(table.builder.nodes), trace)
    table.move(problem.x.tolist())
    end = problem.outputs + len(problem.names)
    return Pair(table, trace, _NOTHING, tuple(found[problem.outputs : end]), (), (), tuple(found[end:]))


_NOTHING = Trace((), (), (), 0.0, (), (), False)


def trace_one(
    problem: Problem,
    *,
    exact: bool,
    rebuilt: bool,
    stretch: Stretch,
    function: Decide | None = None,
    gradient: Decide | None = None,
) -> Pair | None:
    """Record one of the two codes, with other answers to its guards.

    The pair that is returned has no derivative; None where the code does not return as many numbers as it did.
    """
    with (
        stretch.table(problem.x, exact=exact) as table,
        kept_as_it_is(codes_of(problem), stretch.keeper, rebuilt=rebuilt),
    ):
        if gradient is None:
            table.decide = function
            trace = _recorded(problem, problem.function, table, stretch, rebuilt=rebuilt)
            return Pair(table, trace, _NOTHING, (), (), ()) if len(trace.outputs) == problem.outputs else None
        if not rebuilt:
            # what it leaves may be used
            with suppress(TraceError):
                _recorded(problem, problem.function, table, stretch, rebuilt=rebuilt)
        table.decide = gradient
        trace = _recorded(problem, problem.gradient, table, stretch, rebuilt=rebuilt)
        G = _claimed(problem, table, trace)
        return Pair(table, _NOTHING, trace, (), G, ()) if len(G) == len(problem.names) else None


def follow_gradient(problem: Problem, *, exact: bool, rebuilt: bool, stretch: Stretch) -> None:
    """Record the gradient alone, to see whether it can be followed; ``TraceError`` where it cannot."""
    as_it_is: Decide = lambda number, place, visit, call, answer: answer  # noqa: ARG005, E731
    trace_one(problem, exact=exact, rebuilt=rebuilt, stretch=stretch, gradient=as_it_is)


def kept_as_it_is(roots: Sequence[Any], keeper: Keeper, *, rebuilt: bool) -> AbstractContextManager[None]:
    """Put back what code changes that is called as it is; what is rebuilt is put back after each recording."""
    return nullcontext() if rebuilt else keeper.kept(roots, opaque=False)


def codes_of(problem: Problem) -> tuple[Any, ...]:
    """Return function and gradient, and what they are given: as it is, one may use what the other has left."""
    return (problem.function, problem.gradient, *problem.args)


def _recorded(
    problem: Problem, function: Callable[..., Any], table: Table, stretch: Stretch, *, rebuilt: bool
) -> Trace:
    point = problem.inside(np.array(table.point) * (1 + 2.0**-8) + 2.0**-11)

    def elsewhere() -> None:
        with suppress(Exception):
            called(function, problem.unflatten(point), *problem.args)

    template = problem.unflatten(np.arange(len(table.names), dtype=float))
    return record(
        function,
        (placed(template, table), *problem.args),
        table=table,
        rebuilt=rebuilt,
        elsewhere=elsewhere,
        # the point is made anew for each recording: to hold it would hold its table
        keeping=stretch.keeper.kept((function, *problem.args)) if rebuilt else nullcontext(),
    )


def _claimed(problem: Problem, table: Table, trace: Trace) -> tuple[int, ...]:
    """Return the nodes of what is claimed, from those that the gradient's code returned."""
    order = np.asarray(problem.flatten(trace.structure), dtype=float)
    G = tuple(trace.outputs[round(k)] for k in order.tolist())
    if problem.weights is None:
        return G
    return tuple(_combination(table, G, row) for row in problem.weights.tolist())


def _derivative(problem: Problem, table: Table, nodes: tuple[Node, ...], trace: Trace) -> list[int]:
    # numbers of a vector that the derivative is multiplied by are those of the code
    derivative = problem.derivative(Program(table.names, nodes, trace.outputs))
    return table.insert(derivative, text=problem.what in _PRODUCTS)


def _combination(table: Table, nodes: Sequence[int], weights: Sequence[float]) -> int:
    with table.recording():
        constants = [table.constant(weight) for weight in weights]
        shadow = sum(w * table.shadows[i] for w, i in zip(weights, nodes, strict=True))
        return table.apply("dot", (*nodes, *constants), shadow)


def random_directions(problem: Problem, *, few: bool) -> Iterator[Floats]:
    """Draw the directions in which a function is recorded beside the point, as long as the coordinates are large."""
    random, n = np.random.default_rng(11), len(problem.x)
    for _ in range(FEW if few else _DIRECTIONS):
        yield random.choice((-1.0, 1.0), n) * random.uniform(0.4, 1.0, n) * problem.scales


def is_long(value: float) -> bool:
    """Tell whether a number has more digits than people write."""
    return len(repr(value).partition("e")[0].replace(".", "").strip("-0")) > _WRITTEN_DIGITS


def one_sided(pair: Pair) -> list[float]:
    """Rule C4: how far constants of unknown origin, used on one side only and long, may be off."""
    nodes, start = pair.table.builder.nodes, len(pair.table.point)

    def used(roots: Sequence[int]) -> set[int]:
        return {
            int(nodes[i].payload or 0) - start for i in needed_nodes(nodes, roots) if nodes[i].operation == "variable"
        }

    one, two = used([*pair.function.outputs, *pair.D]), used(pair.G)
    allowed = []
    for k, c in enumerate(pair.table.constants):
        if (k in one) == (k in two) or not is_long(c.value):
            allowed.append(0.0)
        elif c.scale:
            allowed.append(1e7 * unit_roundoff * c.scale)
        else:
            allowed.append(unit_roundoff * min(max(1.0, abs(c.value)), 1e7 * abs(c.value)))
    return allowed


def slope_agrees(problem: Problem, values: Floats, D: Floats, noise: Any = 0.0, strays: Any = 0.0) -> bool:
    """Rule D5: a trace that took decisions must have the slope that f has over a coarse step; both by outputs.

    ``noise`` and ``strays`` are the rounding errors of the values and of D in floats: where terms cancel, or a
    coordinate is lost beside larger numbers, the slope of f is what rounding leaves.
    """
    x, D = problem.x, D.reshape(problem.outputs, -1)
    unit = 2.0**-24 if isinstance(problem.function, Foreign) and problem.function.bits < 64 else unit_roundoff
    random = np.random.default_rng(3)
    scale = np.where(x == 0, max(float(np.max(np.abs(x))), 1e-3), np.abs(x))
    for _ in range(3):
        direction = random.choice((-1.0, 1.0), len(x)) * random.uniform(0.4, 1.0, len(x)) * scale
        slopes = []
        for h in (2.0**-12, 2.0**-16):
            after, before = problem.inside(x + h * direction), problem.inside(x - h * direction)
            try:
                with np.errstate(all="ignore"):
                    slopes.append((problem.values(after) - problem.values(before)) / (2 * h))
            except FAILURES:
                return True
        first, second = slopes
        # at the edge of a box the two points are not the direction apart
        step = (after - before) / (2 * h)
        traced = D @ step
        astray = np.broadcast_to(strays, (D.size,)).reshape(D.shape) @ np.abs(step) + 4 * noise / h
        size = np.maximum(np.abs(first), np.abs(second))
        settled = np.abs(first - second) <= 1e-3 * size
        # below that the quotient of the smaller step is rounding
        floor = 2.0**20 * unit * np.abs(values) + astray
        if (settled & (np.abs(second - traced) > np.maximum(0.05 * np.maximum(size, np.abs(traced)), floor))).any():
            return False
    return True
