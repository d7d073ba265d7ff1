"""Where f branches between numbers that are equal, or too close for floats to tell: its derivative on every side.

A trace follows the decisions of the floats at the point. Points nearby take the other ones, as far as these can be
taken together; the code is recorded there, and what it does is evaluated at the point itself. Where its decisions
contradict real numbers at the point by more than rounding, it says nothing of the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.first_order import forward_errors
from diffcompare.arithmetic.ulp import unit_roundoff
from diffcompare.compare.identity_rules import Difference, midpoints, node_balls
from diffcompare.compare.judgement import Problem
from diffcompare.program.dag import Node
from diffcompare.symbolic.tracing.pair import Pair
from diffcompare.symbolic.tracing.sweep import needed_nodes
from diffcompare.symbolic.tracing.table import loop_exits

__all__ = ["Branches", "branches_of"]

Floats = NDArray[np.float64]

_BITS = 333
# how far the points nearby are, relative to the coordinates: each is for branches that the wider ones overstep
_REACHES = (2.0**-20, 2.0**-36, 2.0**-46)
_DIRECTIONS, _AXES = 6, 16
# a trace of so many nodes is recorded anew for few directions
_LARGE, _FEW = 20_000, 2
# a comparison is open within so many times its rounding error, to first order
_SLACK = 4
# so many comparisons that share variables have few enough answers for the directions to meet them all
_COUNTABLE = 3
_MANY_TIES = 64
# relative to their distance: what a claim between two derivatives may stick out by
_MARGIN = 2.0**-20


@dataclass(frozen=True, slots=True)
class Branches:
    """What the sides of a branch say of each component.

    Parameters
    ----------
    kinks : set of int
        The components that have another derivative on another side, between numbers that are exactly equal.
    unknown : set of int
        The components that depend on more comparisons of equal numbers than could be tried.
    open : set of int
        The components whose claim may be the derivative of a side that rounding alone excludes.
    notes : list of str
    """

    kinks: set[int]
    unknown: set[int]
    open: set[int]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Side:
    """The derivative of one side at the point; whether real numbers may be there; the comparisons that are open."""

    D: list[Any]
    slopes: list[Any]
    real: bool
    ties: dict[tuple[int, int], str]
    near: dict[tuple[int, int], str]


def branches_of(
    problem: Problem, beside: Callable[[Floats], Pair | None], pair: Pair, found: Difference, status: Sequence[str]
) -> Branches:
    """Compare the derivative of f on all sides of the branches that are open at the point.

    Parameters
    ----------
    problem : Problem
    beside : callable
        From a point nearby to f as it was recorded there; None where that fails.
    pair, found : Pair, Difference
        f at the point, and its derivative there.
    status : sequence of str
        What the rule of real differences says of each component.
    """
    nothing = Branches(set(), set(), set(), [])
    here = _side(pair) if pair.function.guards else None
    if here is None or not (here.ties or here.near):
        return nothing
    suspects = [i for i, word in enumerate(status) if word == "wrong"]
    sides = [here]
    for point in _points_nearby(problem, suspects, few=len(pair.table.shadows) > _LARGE):
        other = beside(point)
        side = None if other is None else _side(other)
        if side is not None and len(side.D) == len(found.D):
            sides.append(side)
    real = [side for side in sides if side.real]
    kinks = {i for i in range(len(found.D)) if _varies([side.D[i] for side in real])} | _without_slope(pair, real)
    unknown = {i for i in suspects if i not in kinks and i in _entangled(pair, here.ties, len(found.D))}
    open_ = {
        i
        for i in suspects
        if i not in kinks | unknown
        and (_between(pair, found, i, sides) or i in _entangled(pair, here.near, len(found.D)))
    }
    notes = []
    ties = {place for side in real for place in side.ties.values()}
    if kinks and ties:
        notes.append(f"f branches between equal numbers here, with another derivative on the other side: {min(ties)}")
    if unknown:
        notes.append(f"f branches between many equal numbers here: {min(ties)}")
    near = {place for side in sides for place in side.near.values()}
    if open_ and near:
        notes.append(f"rounding decides which branch is taken: {min(near)}; the claim may be right on the other one")
    return Branches(kinks, unknown, open_, notes)


def _points_nearby(problem: Problem, suspects: Sequence[int], *, few: bool) -> Iterator[Floats]:
    """Yield points on both sides of the point: in random directions, and along the axes of suspects."""
    x, n = problem.x, len(problem.x)
    random = np.random.default_rng(11)
    scale = np.where(x == 0, float(np.max(np.abs(x))) or 1.0, np.abs(x))
    directions = [
        random.choice((-1.0, 1.0), n) * random.uniform(0.4, 1.0, n) for _ in range(_FEW if few else _DIRECTIONS)
    ]
    directions += [1.0 * (np.arange(n) == i % n) for i in suspects[: _FEW if few else _AXES]]
    for direction in directions:
        for sign in (1.0, -1.0):
            for reach in _REACHES:
                yield problem.inside(x + sign * reach * direction * scale)


def _side(pair: Pair) -> _Side | None:
    """Evaluate one side at the point; None where its decisions contradict real numbers there, or it has no value.

    When a loop ends is no branch: another rule compares the limits.
    """
    nodes, exits = pair.table.builder.nodes, loop_exits(pair.table, pair.function.guards)
    compared = [(c, g) for g in pair.function.guards if g.place not in exits for c in _comparisons(nodes, g.condition)]
    operands = [i for c, _ in compared for i in nodes[c].operands[:2]]
    values = node_balls(nodes, [*pair.D, *pair.slopes, *operands], pair.arguments(), _BITS)
    D, slopes = [values[i] for i in pair.D], [values[i] for i in pair.slopes]
    if not all(v.is_finite() for v in (*D, *slopes)):
        return None
    floats = midpoints(values)
    errors = forward_errors(nodes, needed_nodes(nodes, operands), floats, unit_roundoff, inputs=unit_roundoff)
    ties: dict[tuple[int, int], str] = {}
    near: dict[tuple[int, int], str] = {}
    with precision(_BITS):
        for c, guard in compared:
            a, b = nodes[c].operands[:2]
            gap = values[a] - values[b]
            if a == b or not gap.is_finite():
                continue
            if gap.contains(0):
                ties[a, b] = str(guard.place)
            elif float(abs(gap).mid()) <= _SLACK * (errors[a] + errors[b]):
                near[a, b] = str(guard.place)
    conditions = node_balls(nodes, [g.condition for g in pair.function.guards], pair.arguments(), _BITS)
    real = True
    for guard in pair.function.guards:
        answer = conditions[guard.condition]
        if isinstance(answer, bool) and answer is not guard.answer:
            sides = {tuple(nodes[c].operands[:2]) for c in _comparisons(nodes, guard.condition)}
            if sides & ties.keys():
                continue
            if not sides & near.keys():
                return None
            real = False
    return _Side(D, slopes, real, ties, near)


def _comparisons(nodes: Sequence[Node], condition: int) -> list[int]:
    """Return the comparisons that a condition is made from."""
    node = nodes[condition]
    if node.operation in ("and", "or", "not"):
        return [c for i in node.operands for c in _comparisons(nodes, i)]
    return [condition] if len(node.operands) == 2 else []


def _varies(values: Sequence[Any]) -> bool:
    with precision(_BITS):
        return any(not (value - values[0]).contains(0) for value in values[1:])


def _without_slope(pair: Pair, sides: Sequence[_Side]) -> set[int]:
    """Return the components of a second derivative that need a slope which is another on another side."""
    n = len(pair.slopes)
    lost = {i for i in range(n) if _varies([side.slopes[i] for side in sides])}
    if len(pair.D) != n * n:
        # a product with a vector takes all slopes together
        return set(range(len(pair.D))) if lost else set()
    return {i * n + j for i in range(n) for j in range(n) if i in lost or j in lost}


def _entangled(pair: Pair, ties: dict[tuple[int, int], str], components: int) -> set[int]:
    """Return the components that depend on more open comparisons than the directions can answer in every way."""
    n = len(pair.table.point)
    if len(ties) <= _COUNTABLE:
        return set()
    if components != n or len(ties) > _MANY_TIES:
        return set(range(components))
    nodes = pair.table.builder.nodes
    groups: list[tuple[int, set[int]]] = []
    for tie in ties:
        variables = {
            int(nodes[i].payload or 0) for i in needed_nodes(nodes, tie) if nodes[i].operation == "variable"
        } & set(range(n))
        count, apart = 1, []
        for other, theirs in groups:
            if theirs & variables:
                count, variables = count + other, variables | theirs
            else:
                apart.append((other, theirs))
        groups = [*apart, (count, variables)]
    return {i for count, variables in groups if count > _COUNTABLE for i in variables}


def _between(pair: Pair, found: Difference, i: int, sides: Sequence[_Side]) -> bool:
    """Tell whether a claim lies between the derivatives of the sides."""
    claim = float(node_balls(pair.table.builder.nodes, [pair.G[i]], pair.arguments(), _BITS)[pair.G[i]].mid())
    values = [float(side.D[i].mid()) for side in sides]
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) + 32 * found.L[i] + 2 * unit_roundoff * abs(high)
    return low < high and low - margin <= claim <= high + margin
