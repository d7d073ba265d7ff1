"""What a function does on both sides of a point where it compares equal numbers: along each axis, in ball arithmetic.

A trace follows the decisions of the floats at the point; points beside it take others. The code is recorded on both
sides of the point along an axis, and its value and slope there are taken at the point itself, or, where they are not
finite there, as limits. A partial derivative exists where both sides have the value of the point and one slope.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.arithmetic.one_sided import is_defined
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import Node, Program, needed_nodes, subprogram
from diffcompare.tracing.convergence import loop_exits
from diffcompare.tracing.places import Place
from diffcompare.tracing.table import Table
from diffcompare.verdict.difference import DECIDING_BITS, node_balls
from diffcompare.verdict.pair import FAILURES, Pair, random_directions
from diffcompare.verdict.problem import Problem

__all__ = ["Beside", "Sides", "compared_guards", "comparisons_in", "sides_of", "variables_of", "varying"]

# from a point nearby to f as it was recorded there, its numbers those of the point itself; None where that fails
Beside = Callable[[Floats], "Pair | None"]

# how far beside the point f is recorded, as powers of 2 relative to the coordinate, the widest first; beside 0 floats
# reach further
_REACHES, _REACHES_OF_ZERO = (20, 36, 46, 53), (20, 46, 120)
# the distances at which a limit is looked at: a slope that converges no faster than t^0.1 is left open
_DISTANCES = (64, 128, 256, 512)
_LIMIT_BITS = 4 * _DISTANCES[-1] + DECIDING_BITS
# an enclosure of a neighbourhood, relative to the coordinates, that no rounding in it makes infinite
_NEAR = 250
# nodes that may be recorded for all sides together, and the lines that are tried however large the trace is
_NODES, _LEAST_LINES, _MOST_LINES = 200_000, 2, 64
# what rounding explains of a value or slope is a small part of it, or a tiny one of the largest slope
_SMALL, _TINY = 2.0**-10, 2.0**-30
# how a side may behave, the worst first
_KINDS = ("outside", "infinite", "unknown")
_TURNS = 3


@dataclass(frozen=True, slots=True)
class Sides:
    """What the two sides say of each component.

    Parameters
    ----------
    kinks : set of int
        Components without a derivative: the sides have other values or slopes, or infinite ones.
    outside : set of int
        Components for which f has no value on one side.
    unknown : set of int
        Components whose sides could not be told apart.
    untried : set of int
        Components whose sides were not looked at: there are too many.
    slopes : dict
        The derivative that both sides have, where the decisions at the point itself belong to neither.
    common : dict
        The derivative that both sides have, of all components that were compared.
    rounding : dict
        How far the rounding of constants may set the two slopes of a component apart.
    notes : list of str
    """

    kinks: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    untried: set[int] = field(default_factory=set)
    slopes: dict[int, Any] = field(default_factory=dict)
    common: dict[int, Any] = field(default_factory=dict)
    rounding: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Tie:
    """A comparison of equal numbers; the variables they depend on; whether they hold a rounded constant."""

    place: Place
    variables: frozenset[int]
    rounded: bool


@dataclass(frozen=True, slots=True)
class _Side:
    """How an output behaves on one side (``""``: finite), its value and slope, and these with rounded numbers moved."""

    kind: str
    value: Any
    slope: Any
    moved: tuple[tuple[Any, Any], ...] = ()


def compared_guards(pair: Pair) -> list[tuple[int, Place]]:
    """Return the comparisons that f took, each with its place; when a loop ends is no branch."""
    nodes, exits = pair.table.builder.nodes, loop_exits(pair.table, pair.function.guards)
    return [
        (c, g.place) for g in pair.function.guards if g.place not in exits for c in comparisons_in(nodes, g.condition)
    ]


def comparisons_in(nodes: Sequence[Node], condition: int) -> list[int]:
    """Return the comparisons that a condition is made from."""
    node = nodes[condition]
    if node.operation in ("and", "or", "not"):
        return [c for i in node.operands for c in comparisons_in(nodes, i)]
    return [condition] if len(node.operands) == 2 else []


def variables_of(table: Table, roots: Iterable[int]) -> set[int]:
    """Return the variables of the point that nodes depend on."""
    nodes, n = table.builder.nodes, len(table.point)
    used = (nodes[i] for i in needed_nodes(nodes, list(roots)))
    return {k for node in used if node.operation == "variable" and (k := int(node.payload or 0)) < n}


def sides_of(problem: Problem, beside: Beside, pair: Pair) -> Sides:
    """Tell on which components f has a derivative, where it compares equal numbers at the point.

    Proven where values and slopes are finite at the point itself; a limit is estimated from four distances down to
    2⁻⁵¹² of the coordinate, in balls.

    Parameters
    ----------
    problem : Problem
    beside : callable
        Records f at a point nearby.
    pair : Pair
        f at the point.
    """
    found = Sides()
    ties, edges, cuts = _ties(pair), _edges(problem, pair), _cuts(pair)
    touched = sorted(edges.union(cuts, *(tie.variables for tie in ties)))
    if not touched:
        return found
    soft = frozenset().union(*(tie.variables for tie in ties if tie.rounded))
    lines = _lines(problem, pair, touched)
    if lines is None:
        _look_around(problem, beside, pair, touched, found)
        lines = []
    sizes = _sizes(problem, pair)
    tried = min(_MOST_LINES, max(_LEAST_LINES, _NODES // len(pair.table.shadows)))
    for direction, step, components in lines[:tried]:
        here = _at_point(pair, components, soft)
        ways = [(problem, beside, pair, direction, s, here, soft, components) for s in (step, -step)]
        rays = [ray for way in ways if (ray := _ray(*way, jumps=bool(cuts)))]
        for k, (_, component) in enumerate(components):
            sides = [ray[k] for ray in rays]
            _compare(here[k], sides, component, len(soft) + len(pair.table.constants), sizes, found)
    found.untried.update(component for *_, components in lines[tried:] for _, component in components)
    what, place = "f", ""
    if ties:
        what, place = "f branches between equal numbers here and", f": {min(str(tie.place) for tie in ties)}"
    said = {
        "has no value on one side": found.outside,
        "has another value or slope on the other side": found.kinks,
        "has sides that cannot be told apart": found.unknown,
        "has more sides than could be tried": found.untried,
    }
    found.notes.extend(f"{what} {words}{place}" for words, some in said.items() if some)
    return found


def _edges(problem: Problem, pair: Pair) -> set[int]:
    """Return the variables of numbers that are at the edge of where they are defined, such as the root of 0."""
    nodes, arguments = pair.table.builder.nodes, pair.arguments()
    with precision(DECIDING_BITS):
        around = [Ball(float(v), float(s) * 2.0**-_NEAR) for v, s in zip(pair.table.point, problem.scales, strict=True)]
    roots = [*pair.function.outputs, *(g.condition for g in pair.function.guards)]
    values = node_balls(nodes, roots, [*around, *arguments[len(around) :]], DECIDING_BITS)
    lost = [i for i, v in values.items() if isinstance(v, Ball) and not v.is_finite()]
    first = [i for i in lost if all(values[j].is_finite() for j in nodes[i].operands if isinstance(values[j], Ball))]
    return variables_of(pair.table, first) if first else set()


def _cuts(pair: Pair) -> set[int]:
    """Return the variables of angles where arctan2 jumps though it compares nothing: at 0 above a negative number."""
    nodes = pair.table.builder.nodes
    needed = needed_nodes(nodes, pair.function.outputs)
    angles = [nodes[i].operands for i in needed if nodes[i].operation == "atan2"]
    values = node_balls(nodes, [i for operands in angles for i in operands], pair.arguments(), DECIDING_BITS)
    zero = [a for a, b in angles if values[a].is_finite() and values[a].contains(0) and values[b] < 0]
    return variables_of(pair.table, zero) if zero else set()


def _ties(pair: Pair) -> list[_Tie]:
    """Return the comparisons of numbers that are equal as real numbers and vary."""
    nodes, table = pair.table.builder.nodes, pair.table
    compared = {tuple(nodes[c].operands[:2]): place for c, place in compared_guards(pair)}
    values = node_balls(nodes, [i for operands in compared for i in operands], pair.arguments(), DECIDING_BITS)
    found = []
    n = len(table.point)
    with precision(DECIDING_BITS):
        for (a, b), place in compared.items():
            gap = values[a] - values[b]
            if a != b and gap.is_finite() and gap.contains(0):
                used = [nodes[i] for i in needed_nodes(nodes, (a, b)) if nodes[i].operation == "variable"]
                places = [int(node.payload or 0) for node in used]
                rounded = any(p >= n and not table.constants[p - n].exact for p in places)
                found.append(_Tie(place, frozenset(p for p in places if p < n), rounded))
    return found


def _lines(
    problem: Problem, pair: Pair, touched: Sequence[int]
) -> list[tuple[Floats, float, list[tuple[int, int]]]] | None:
    """Return the lines on which components are slopes: a direction, a step that is no small one, and which components.

    A component is an output and its place in D. Only lines on which a comparison moves are returned; None where the
    components are no slopes.
    """
    n = len(problem.x)
    if problem.directions is not None:
        moving = [j for j, v in enumerate(problem.directions) if np.any(v[touched])]
        size = float(np.max(problem.scales))
        return [(v := problem.directions[j], _power(size / float(np.max(np.abs(v)))), [(0, j)]) for j in moving]
    if pair.slopes or len(pair.D) != n * problem.outputs:
        return None
    axes = [(1.0 * (np.arange(n) == i), _power(float(problem.scales[i]))) for i in touched]
    outputs = range(problem.outputs)
    return [(axis, step, [(k, k * n + i) for k in outputs]) for i, (axis, step) in zip(touched, axes, strict=True)]


def _power(size: float) -> float:
    """Return the power of 2 at or above a size."""
    return float(2.0 ** min(1023, math.frexp(size)[1]))


def _at_point(pair: Pair, components: Sequence[tuple[int, int]], soft: Collection[int]) -> list[_Side]:
    """Return the value and slope of outputs at the point, as a trace has them."""
    nodes, outputs = pair.table.builder.nodes, pair.function.outputs
    roots = [root for k, c in components for root in (outputs[k], pair.D[c])]
    rows = [node_balls(nodes, roots, arguments, DECIDING_BITS) for arguments in (pair.arguments(), *_moved(pair, soft))]
    found = []
    for k, c in components:
        value, slope = ([row[root] for row in rows] for root in (outputs[k], pair.D[c]))
        found.append(_Side("", value[0], slope[0], tuple(zip(value[1:], slope[1:], strict=True))))
    return found


def _moved(pair: Pair, soft: Collection[int]) -> list[list[Any]]:
    """Return arguments with every rounded number off by up to a unit roundoff, at random but everywhere alike."""
    table, results = pair.table, []
    for turn in range(_TURNS):

        def off(value: float, name: str, turn: int = turn) -> Any:
            # in balls: as a float, 1 + u is 1
            return Ball(value) * (Ball(1) + Random(f"{turn} {name}").uniform(-1, 1) * unit_roundoff)  # noqa: S311

        with precision(DECIDING_BITS):
            point = [off(v, f"x{j}") if j in soft else v for j, v in enumerate(table.point)]
            results.append([*point, *(c.value if c.exact else off(c.value, repr(c.value)) for c in table.constants)])
    return results


def _ray(
    problem: Problem, beside: Beside, pair: Pair, direction: Floats, step: float, here: Sequence[_Side],
    soft: Collection[int], components: Sequence[tuple[int, int]], *, jumps: bool,
) -> list[_Side]:  # fmt: skip
    """Follow outputs along a direction; nothing where the box ends there.

    ``jumps``: the value at the point may not be what a side leads to.
    """
    x = problem.x
    on_axis = np.count_nonzero(direction) == 1
    zero = on_axis and not x[np.flatnonzero(direction)].any()
    reaches = _REACHES_OF_ZERO if zero else _REACHES
    for reach in (*reaches, None):
        # where another branch is closer than any float, the decisions of the point itself may be those beside it
        point = x if reach is None else problem.inside(x + direction * (step * 2.0**-reach))
        if reach is not None and (point == x).all():
            return []
        other = pair if reach is None else beside(point)
        if other is None or len(other.D) != len(pair.D):
            kind = _seen(problem, point)
            if kind != "unknown":
                return [_Side(kind, side.value, side.slope) for side in here]
            continue
        if _holds(other, direction * step, (max(_DISTANCES[0], (reach or 0) + 8), _DISTANCES[-1])):
            sides = _at_point(other, components, soft)
            for j, side in enumerate(sides):
                # the value and slope of an edge may be finite, as those of 0**1.5 are
                if (
                    not jumps
                    and side.value.is_finite()
                    and side.slope.is_finite()
                    and _has_value(other, components[j][0], direction * step)
                ):
                    continue
                kind, slope = _limit(pair, other, components[j][0], direction, step)
                if kind == "outside":
                    kind = _seen(problem, point)
                    # floats may go on where real numbers have no value, as arctan does at infinity
                    lost = kind == "unknown" and not _is_defined(other, components[j][0], direction * step)
                    kind = "outside" if lost else kind
                sides[j] = _Side(kind, here[j].value, slope)
            return sides
    # the branches come ever closer, as those of 1/x % 1
    return [_Side("unknown", side.value, side.slope) for side in here]


def _has_value(pair: Pair, k: int, direction: Floats) -> bool:
    output = pair.function.outputs[k]
    arguments = _beside(pair, direction, _DISTANCES[0])
    return bool(node_balls(pair.table.builder.nodes, [output], arguments, _LIMIT_BITS)[output].is_finite())


def _is_defined(pair: Pair, k: int, direction: Floats) -> bool:
    """Tell whether an output may have a value close to the point; false only where it certainly has none."""
    table = pair.table
    names = (*table.names, *(f"c{i}" for i in range(len(table.constants))))
    output = pair.function.outputs[k]
    program = subprogram(Program(names, tuple(table.builder.nodes), (output,)), (output,))
    with precision(_LIMIT_BITS):
        return is_defined(program, [Ball(v) for v in _beside(pair, direction, _DISTANCES[-1])]) is not False


def _seen(problem: Problem, point: Floats) -> str:
    """Tell what f is at a point nearby, in floats."""
    try:
        with np.errstate(all="ignore"):
            values = problem.values(point)
    except FAILURES:
        return "outside"
    return "outside" if np.isnan(values).any() else "infinite" if np.isinf(values).any() else "unknown"


def _beside(pair: Pair, direction: Floats, distance: int) -> list[Any]:
    """Return the arguments a little beside the point."""
    arguments = pair.arguments()
    with precision(_LIMIT_BITS):
        for i in np.flatnonzero(direction).tolist():
            arguments[i] = Ball(arguments[i]) + Ball(float(direction[i])) * Ball(2.0**-distance)
    return arguments


def _holds(other: Pair, direction: Floats, distances: Sequence[int]) -> bool:
    """Tell whether the decisions that were recorded are those next to the point, too."""
    nodes, guards = other.table.builder.nodes, other.function.guards
    for distance in distances:
        values = node_balls(nodes, [g.condition for g in guards], _beside(other, direction, distance), _LIMIT_BITS)
        # numbers that stay equal along the line decide as they do at the point
        if any(isinstance(values[g.condition], bool) and values[g.condition] is not g.answer for g in guards):
            return False
    return True


def _limit(pair: Pair, other: Pair, k: int, direction: Floats, step: float) -> tuple[str, Any]:
    """Return how (F(x + t·d) − F(x))/t behaves for small t, and its limit, widened by what it still moves."""
    start, output = pair.function.outputs[k], other.function.outputs[k]
    base = node_balls(pair.table.builder.nodes, [start], pair.arguments(), _LIMIT_BITS)[start]
    quotients = []
    for distance in _DISTANCES:
        value = node_balls(
            other.table.builder.nodes, [output], _beside(other, direction * step, distance), _LIMIT_BITS
        )[output]
        with precision(_LIMIT_BITS):
            quotients.append((value - base) / (Ball(step) * Ball(2.0**-distance)))
    if not all(quotient.is_finite() for quotient in quotients):
        # what has a value closer to the point ends farther away, if only at the next float
        return "unknown" if quotients[-1].is_finite() else "outside", base
    with precision(_LIMIT_BITS):
        moved = [abs(b - a) for a, b in pairwise(quotients)]
        first, _, third = (m.mid() for m in moved)
        last = quotients[-1]
        # in balls: what is too wide to tell does not grow
        if moved[0] < moved[1] < moved[2]:
            return "infinite", last
        if third <= 2.0**-40 * max(abs(last).mid(), first):
            return "", last + Ball(0, 2 * third + 2.0**-100 * abs(last).mid())
        return "unknown", last


def _compare(
    here: _Side, sides: Sequence[_Side], component: int, count: int, sizes: tuple[float, float], found: Sides
) -> None:
    """Compare the value of the point with those of its sides, then the slopes of the sides."""
    for kind, those in zip(_KINDS, (found.outside, found.kinks, found.unknown), strict=True):
        if any(side.kind == kind for side in sides):
            those.add(component)
            return
    if not sides:
        return
    rounding = 0.0
    # the slack of a slope that is steep in its constants is no measure of how far another one may be
    small = _SMALL * sizes[0], max(_SMALL * _largest(sides, here), _TINY * sizes[1])
    for one, two, what in (*((side, here, 0) for side in sides), (sides[0], sides[-1], 1)):
        gap, slack = _apart(one, two, what, count)
        # the slack is an upper bound of what was seen, not an estimate
        if gap > 8 * slack:
            found.kinks.add(component)
            return
        if not gap <= min(4 * slack, small[what]):
            found.unknown.add(component)
            return
        rounding = max(rounding, gap + slack if gap else 0.0)
    found.common[component] = sides[0].slope
    if rounding:
        found.rounding[component] = rounding
    gap, slack = _apart(sides[0], here, 1, count)
    if not gap <= min(4 * slack, small[1]):
        found.slopes[component] = sides[0].slope


def _largest(sides: Sequence[_Side], here: _Side) -> float:
    """Return the largest slope that a component has on its sides and at the point."""
    with precision(DECIDING_BITS):
        slopes = [abs(side.slope) for side in (*sides, here)]
    return max(float(slope.upper()) for slope in slopes)


def _sizes(problem: Problem, pair: Pair) -> tuple[float, float]:
    """Return how large values and slopes are here, of which rounding is a small part."""
    outputs, _, derivative = _finite(pair)
    scale = float(np.max(problem.scales))
    value, slope = (
        max((abs(float(v.mid())) for v in some if v.is_finite()), default=0.0) for some in (outputs, derivative)
    )
    slope = max(slope, value / scale)
    return max(value, slope * scale), slope


def _apart(one: _Side, two: _Side, what: int, count: int) -> tuple[float, float]:
    """Return how far two values (0) or slopes (1) are apart, 0 where they may be equal, and the rounding in that."""
    with precision(DECIDING_BITS):
        first, second = ([(side.value, side.slope)[what], *(m[what] for m in side.moved)] for side in (one, two))
        gap = first[0] - second[0]
        if gap.contains(0) and gap.is_finite():
            return 0.0, 0.0
        slack = 0.0
        for k in range(1, max(len(first), len(second))):
            change = (first[k] if k < len(first) else first[0]) - (second[k] if k < len(second) else second[0]) - gap
            # moved out of the domain, a number says nothing of rounding
            slack = max(slack, float(change.abs_upper()) if change.is_finite() else 0.0)
        return float(abs(gap).lower()), 3 * math.sqrt(count) * slack


def varying(problem: Problem, beside: Beside, pair: Pair, common: Mapping[int, Any]) -> set[int]:
    """Return the components that have another slope between the axes than along theirs, ``common``."""
    if len(problem.x) == 1 or not common:
        return set()
    found: set[int] = set()
    here, each = _finite(pair)[0], len(pair.D) // len(pair.function.outputs)
    for other in _around(problem, beside, pair):
        values, _, there = _finite(other)
        with precision(DECIDING_BITS):
            size = max(float(abs(d).mid()) for d in (*common.values(), *there) if d.is_finite())
            # where f jumps it has no slope
            joined = [_are_near(a, b, max(abs(a), abs(b))) for a, b in zip(here, values, strict=True)]
            found.update(
                i
                for i, slope in common.items()
                if joined[i // each] and there[i].is_finite() and not _are_near(there[i], slope, size)
            )
    return found


def _are_near(one: Any, two: Any, size: Any) -> bool:
    return bool(abs(one - two).mid() <= 2.0**-30 * size)


def _around(problem: Problem, beside: Beside, pair: Pair) -> Iterator[Pair]:
    """Record f on sides in random directions, where its decisions are those next to the point."""
    for direction in random_directions(problem, few=pair.is_large):
        for signed in (direction, -direction):
            for reach in _REACHES:
                other = beside(problem.inside(problem.x + 2.0**-reach * signed))
                if other is not None and len(other.D) == len(pair.D) and _holds(other, signed, (_DISTANCES[-1],)):
                    yield other
                    break


def _look_around(problem: Problem, beside: Beside, pair: Pair, touched: Sequence[int], found: Sides) -> None:
    """Compare sides in random directions, for second derivatives: they need the value and the slopes, too."""
    n, start = len(problem.x), _finite(pair)
    for other in _around(problem, beside, pair):
        value, slopes, derivative = (_differing(one, two) for one, two in zip(start, _finite(other), strict=True))
        lost = slopes | (set(touched) if value else set())
        if len(pair.D) == n * n:
            found.kinks.update(i * n + j for i in range(n) for j in range(n) if {i, j} & lost)
        elif lost:
            found.kinks.update(range(len(pair.D)))
        found.kinks.update(derivative)


def _finite(pair: Pair) -> tuple[list[Any], list[Any], list[Any]]:
    """Evaluate outputs, slopes and derivative."""
    groups = (pair.function.outputs, pair.slopes, pair.D)
    values = node_balls(
        pair.table.builder.nodes, [i for group in groups for i in group], pair.arguments(), DECIDING_BITS
    )
    outputs, slopes, derivative = ([values[i] for i in group] for group in groups)
    return outputs, slopes, derivative


def _differing(one: Sequence[Any], two: Sequence[Any]) -> set[int]:
    with precision(DECIDING_BITS):
        return {k for k, (a, b) in enumerate(zip(one, two, strict=True)) if not (b.is_finite() and (a - b).contains(0))}
