"""Where rounding decides which branch of f is taken: what its derivative is on the others.

A trace follows the decisions of the floats at the point. Where numbers are too close for floats to tell, points nearby
take the other ones; the code is recorded there, and what it does is evaluated at the point itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.first_order import forward_errors
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.dag import needed_nodes
from diffcompare.verdict.difference import Difference, midpoints, node_balls
from diffcompare.verdict.pair import FEW, Pair, random_directions
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.sides import Beside, compared_guards, comparisons_in

__all__ = ["between_branches"]


_BITS = 333
# how far the points nearby are, relative to the coordinates: each is for branches that the wider ones overstep
_REACHES = (2.0**-20, 2.0**-36, 2.0**-46)
_AXES = 16
# a comparison is open within so many times its rounding error, to first order
_SLACK = 4
# so many comparisons that share variables have few enough answers for the directions to meet them all
_COUNTABLE = 3
_MANY = 64
# relative to their distance: what a claim between two derivatives may stick out by
_MARGIN = 2.0**-20


@dataclass(frozen=True, slots=True)
class _Branch:
    """The derivative of one branch at the point, and the comparisons that are open there."""

    D: list[Any]
    near: dict[tuple[int, int], str]


def between_branches(
    problem: Problem, beside: Beside, pair: Pair, found: Difference, suspects: Sequence[int]
) -> tuple[set[int], list[str]]:
    """Return the suspects whose claim may be the derivative of a branch that rounding alone excludes, and a note.

    Parameters
    ----------
    problem : Problem
    beside : callable
        Records f at a point nearby.
    pair, found : Pair, Difference
        f at the point, and its derivative there.
    suspects : sequence of int
        The components that differ.
    """
    here = _branch(pair) if pair.function.guards and suspects else None
    if here is None or not here.near:
        return set(), []
    branches = [here]
    for point in _points_nearby(problem, suspects, few=pair.is_large):
        other = beside(point)
        branch = None if other is None else _branch(other)
        if branch is not None and len(branch.D) == len(found.D):
            branches.append(branch)
    entangled = _entangled(pair, here.near, len(found.D))
    open_ = {i for i in suspects if i in entangled or _between(pair, found, i, branches)}
    place = min(place for branch in branches for place in branch.near.values())
    note = f"rounding decides which branch is taken: {place}; the claim may be right on the other one"
    return open_, [note] if open_ else []


def _points_nearby(problem: Problem, suspects: Sequence[int], *, few: bool) -> Iterator[Floats]:
    """Yield points on both sides of the point: in random directions, and along the axes of suspects."""
    n = len(problem.x)
    axes = [problem.scales * (np.arange(n) == i % n) for i in suspects[: FEW if few else _AXES]]
    for direction in [*random_directions(problem, few=few), *axes]:
        for sign in (1.0, -1.0):
            for reach in _REACHES:
                yield problem.inside(problem.x + sign * reach * direction)


def _branch(pair: Pair) -> _Branch | None:
    """Evaluate one branch at the point; None where its decisions contradict real numbers there, or it has no value."""
    nodes = pair.table.builder.nodes
    compared = compared_guards(pair)
    operands = [i for c, _ in compared for i in nodes[c].operands[:2]]
    values = node_balls(nodes, [*pair.D, *operands], pair.arguments(), _BITS)
    D = [values[i] for i in pair.D]
    if not all(v.is_finite() for v in D):
        return None
    floats = midpoints(values)
    errors = forward_errors(nodes, needed_nodes(nodes, operands), floats, unit_roundoff, inputs=unit_roundoff)
    ties: set[tuple[int, int]] = set()
    near: dict[tuple[int, int], str] = {}
    with precision(_BITS):
        for c, place in compared:
            a, b = nodes[c].operands[:2]
            gap = values[a] - values[b]
            if a == b or not gap.is_finite():
                continue
            if gap.contains(0):
                ties.add((a, b))
            elif float(abs(gap).mid()) <= _SLACK * (errors[a] + errors[b]):
                near[a, b] = str(place)
    conditions = node_balls(nodes, [g.condition for g in pair.function.guards], pair.arguments(), _BITS)
    for guard in pair.function.guards:
        answer = conditions[guard.condition]
        if isinstance(answer, bool) and answer is not guard.answer:
            sides = {tuple(nodes[c].operands[:2]) for c in comparisons_in(nodes, guard.condition)}
            if not sides & (ties | near.keys()):
                return None
    return _Branch(D, near)


def _entangled(pair: Pair, ties: dict[tuple[int, int], str], components: int) -> set[int]:
    """Return the components that depend on more open comparisons than the directions can answer in every way."""
    n = len(pair.table.point)
    if len(ties) <= _COUNTABLE:
        return set()
    if components != n or len(ties) > _MANY:
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


def _between(pair: Pair, found: Difference, i: int, branches: Sequence[_Branch]) -> bool:
    """Tell whether a claim lies between the derivatives of the branches."""
    claim = float(node_balls(pair.table.builder.nodes, [pair.G[i]], pair.arguments(), _BITS)[pair.G[i]].mid())
    values = [float(branch.D[i].mid()) for branch in branches]
    low, high = min(values), max(values)
    margin = _MARGIN * (high - low) + 32 * found.L[i] + 2 * unit_roundoff * abs(high)
    return low < high and low - margin <= claim <= high + margin
