"""Where a program of arrays compares equal numbers: its derivatives beside the point, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_balls import Edge, array_balls, middles, switches_of
from diffcompare.arithmetic.array_floats import Moved, array_floats, erring_floats, moved_floats
from diffcompare.arithmetic.balls import precision
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.array_adjoint import sensitivities_of
from diffcompare.tracing.array_table import ANSWERS, ArrayGuard
from diffcompare.verdict.array_difference import BITS, EQUAL, TINY, Compared, difference_in_arrays, moved_apart
from diffcompare.verdict.array_pair import ArrayPair, record_function
from diffcompare.verdict.judgement import Left
from diffcompare.verdict.problem import Problem

__all__ = ["at_an_edge", "compared_beside", "nontrivial", "on_other_branches", "signs_of", "ties_of"]

# how often the sides of equal numbers are drawn, each draw and its opposite: as many more derivatives
_SIDES = 4
# more of them, where a component would be called wrong; slopes that differ by so much in floats are two
_MORE_SIDES, _NOTICED = 60, 2.0**-20
# sides on which choices are turned that do not move on the branch of the point
_NESTED = 8
# operations on floats that all further sides may take
_WORK = 20_000_000
# a comparison is open within so many times its rounding error, to first order
_SLACK = 4
# so many open comparisons have few enough answers for the sides that are drawn to meet them all
_COUNTABLE, _ANSWERS = 3, 24
# relative to their distance: what a claim between two derivatives may stick out by
_MARGIN = 2.0**-20


def at_an_edge(edges: Sequence[Edge], values: Sequence[Any]) -> Left | None:
    """Leave a point at which an operation has no derivative, or is about to be undefined."""
    for edge, value in zip(edges, values, strict=True):
        if not edge.is_inside(value):
            return Left(
                f"the point lies at the edge of the domain, or at a corner, of {edge.operation}; check beside it"
            )
    return None


def signs_of(values: Any) -> NDArray[np.int8]:
    """Return the signs of balls: −1, 0 (exactly), 1, or 2 where they are not known."""

    def sign(v: Any) -> int:
        return 1 if v > 0 else -1 if v < 0 else 0 if v.is_zero() else 2

    return np.array([sign(v) for v in values.reshape(-1).tolist()], dtype=np.int8).reshape(values.shape)


def ties_of(
    guards: Sequence[ArrayGuard], signs: Sequence[NDArray[np.int8]], own: int
) -> tuple[dict[int, NDArray[np.bool_]], dict[int, NDArray[np.bool_]]] | Left:
    """Return the elements of the function's guards that compare equal numbers, and of the others those in doubt."""
    ties: dict[int, NDArray[np.bool_]] = {}
    doubts: dict[int, NDArray[np.bool_]] = {}
    for k, (guard, sign) in enumerate(zip(guards, signs, strict=True)):
        expected = ANSWERS[guard.operation](sign, 0)
        if ((np.abs(sign) == 1) & (expected != guard.answers)).any():
            return Left(
                f"rounding decides a branch at {guard.place}: real numbers take the other one; check beside the point"
            )
        equal = (sign == 0) | (sign == 2)
        doubt = (sign == 2) | ((sign == 0) & (expected != guard.answers))
        if k < own and equal.any():
            ties[k] = equal
        elif doubt.any():
            doubts[k] = doubt
    return ties, doubts


def nontrivial(
    pair: ArrayPair, guards: Sequence[ArrayGuard], ties: dict[int, NDArray[np.bool_]]
) -> dict[int, NDArray[np.bool_]]:
    """Leave out the guards that compare a number with itself: their difference does not move."""
    found, build = {}, pair.build
    for k, equal in ties.items():
        guard = guards[k]
        places = np.flatnonzero(np.broadcast_to(equal, guard.answers.shape))
        difference = build.take(build.apply("subtract", guard.first, guard.second), places)
        weights = np.random.default_rng(5).integers(1, 16, places.size).astype(np.float64)
        one = build.contract("i,i->", build.constant(weights), difference)
        bars = sensitivities_of(build, one, build.moving)
        if build.variables not in bars:
            continue
        (slopes,) = array_balls(build, [bars[build.variables]], pair.point, BITS)
        if any(not s.contains(0) or s.rad() > 2.0**-200 for s in slopes.reshape(-1).tolist()):
            found[k] = equal
    return found


def compared_beside(
    problem: Problem, pair: ArrayPair, guards: Sequence[ArrayGuard], turned: dict[int, NDArray[np.bool_]],
    ties: dict[int, NDArray[np.bool_]], F: Any, moved: Moved,
) -> Compared | Left:  # fmt: skip
    """Take the derivative from the sides of elements that compare equal numbers; where it depends on them is none."""
    build = pair.build
    sides = [record_function(problem, build, turned, seed) for seed in range(_SIDES)]
    if any(len(trace.guards) != len(pair.function.guards) for trace, _, _ in sides):
        return Left("beside the point the function takes other decisions")
    nodes = [node for _, *both in sides for node in both]
    edges = switches_of(build, nodes[::2])
    # a jump of 1 is one however large the values are
    bits = BITS + max(0, *np.frexp(moved.value)[1].reshape(-1).tolist())
    values = array_balls(build, [pair.G, *nodes, *(e.node for e in edges)], pair.point, bits)
    edge = at_an_edge(edges, values[1 + len(nodes) :])
    if edge:
        return edge
    values = values[: 1 + len(nodes)]
    floats = moved_floats(build, [pair.G, *nodes], pair.point, unit=unit_roundoff)
    if not all(v.is_finite() for value in values[1:] for v in value.reshape(-1).tolist()):
        return Left("a side of an element that compares equal numbers is not defined")
    with precision(BITS):
        for value, other in zip(values[1::2], floats[1::2], strict=True):
            gaps = np.array([float(abs(a - b).lower()) for a, b in zip(value.tolist(), F.tolist(), strict=True)])
            if (gaps > np.maximum(32 * moved_apart(other, moved, F.shape), TINY)).any():
                return Left("the function jumps where it compares equal numbers")
    first, slopes = values[2], values[4::2]
    compared = difference_in_arrays(pair, nodes[1], first, values[0], floats[2], floats[0])
    if compared is None:
        return Left("the derivative beside the point is not finite")
    with precision(BITS):
        for slope, other in zip(slopes, floats[4::2], strict=True):
            apart = np.array([float(abs(a - b).lower()) for a, b in zip(slope, first, strict=True)])
            rounding = 32 * moved_apart(other, floats[2], first.shape)
            compared.kinks |= apart > np.maximum(rounding, EQUAL * compared.size)
            compared.beside = np.where(compared.kinks, compared.beside, np.maximum(compared.beside, apart))
    if not _see_more_sides(problem, pair, turned, ties, compared):
        return Left("the sides of elements that compare equal numbers are compared number by number")
    compared.notes = _kink_notes(guards, turned, compared)
    return compared


def _see_more_sides(
    problem: Problem, pair: ArrayPair, turned: dict[int, NDArray[np.bool_]], ties: dict[int, NDArray[np.bool_]],
    compared: Compared,
) -> bool:  # fmt: skip
    """Look at more sides, in floats, before a component is called wrong; false where that does not tell.

    Of five equal numbers each may be the median, and no more than four were drawn. What does not move on the branch
    of the point, and is not ``turned``, may move on another.
    """
    suspects = ~compared.kinks & ~compared.equal & ~(compared.gap <= compared.threshold)
    first, more = compared.value, min(_MORE_SIDES, _WORK // max(pair.work, 1))
    noticed = _NOTICED * np.max(np.abs(first))

    def others(choices: dict[int, NDArray[np.bool_]], seeds: range) -> Iterator[Floats]:
        for seed in seeds:
            if not suspects.any():
                break
            trace, _, D = record_function(problem, pair.build, choices, seed)
            if len(trace.guards) == len(pair.function.guards):
                yield array_floats(pair.build, [D], pair.point)[0].reshape(-1)

    for slopes in others(turned, range(_SIDES, _SIDES + more)):
        if not np.isfinite(slopes[suspects]).all():
            return False
        apart = np.abs(slopes - first) > noticed
        compared.kinks |= suspects & apart
        suspects &= ~apart
    nested = others(ties, range(min(more, _NESTED))) if len(ties) > len(turned) else ()
    return all((np.abs(slopes - first)[suspects] <= noticed).all() for slopes in nested)


def on_other_branches(
    problem: Problem, pair: ArrayPair, found: Compared, suspects: NDArray[np.intp]
) -> tuple[NDArray[np.intp], list[str]]:
    """Return the suspects whose claim may be right on a branch of f that rounding alone excludes, and a note.

    Where two numbers are too close for floats to tell which is larger, either answer is one that code may take; what
    is claimed may lie between the derivatives on both. Where more answers are possible than are drawn, whatever
    depends on them is open.
    """
    near = _near_ties(pair) if suspects.size else {}
    if not near:
        return suspects[:0], []
    count = sum(int(np.count_nonzero(open_)) for open_ in near.values())
    drawn = [found.value[suspects]]
    for seed in range(min(_ANSWERS, _WORK // max(pair.work, 1))):
        trace, _, D = record_function(problem, pair.build, near, seed)
        if len(trace.guards) == len(pair.function.guards):
            slopes = array_floats(pair.build, [D], pair.point)[0].reshape(-1)[suspects]
            drawn.append(np.where(np.isfinite(slopes), slopes, drawn[0]))
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    least = 32 * found.L[suspects] + 2 * unit_roundoff * np.abs(high)
    claim, margin = middles(found.G)[suspects], _MARGIN * (high - low) + least
    moves = high - low > least
    between = moves & ((low - margin <= claim) & (claim <= high + margin) | (count > _COUNTABLE))
    place = pair.function.guards[min(near)].place
    note = f"rounding decides which branch is taken: {place}; the claim may be right on the other one"
    return suspects[between], [note] if between.any() else []


def _near_ties(pair: ArrayPair) -> dict[int, NDArray[np.bool_]]:
    """Return the elements of the function's guards that floats cannot tell apart."""
    guards = pair.function.guards
    operands = [node for guard in guards for node in (guard.first, guard.second)]
    values = erring_floats(pair.build, operands, pair.point)
    near = {}
    for k, (guard, one, two) in enumerate(zip(guards, values[::2], values[1::2], strict=True)):
        error = _SLACK * (one.error + two.error)
        open_ = np.broadcast_to((np.abs(one.value - two.value) <= error) & (error > 0), guard.answers.shape)
        if guard.first != guard.second and open_.any():
            near[k] = open_
    return near


def _kink_notes(guards: Sequence[ArrayGuard], turned: dict[int, NDArray[np.bool_]], compared: Compared) -> list[str]:
    """Name the elements that sit at their switch."""
    if not compared.kinks.any():
        return []
    notes = []
    for k, equal in list(turned.items())[:3]:
        places = np.argwhere(equal)
        where = f"element {places[0].tolist()}" if equal.ndim else "a number"
        more = f", and {len(places) - 1} more" if len(places) > 1 else ""
        notes.append(f"{guards[k].place}: {where} is exactly at its kink{more}")
    return notes
