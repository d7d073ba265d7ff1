"""Where a program of arrays compares equal numbers: its derivatives beside the point, element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_balls import Edge, array_balls, middles, switches_of
from diffcompare.arithmetic.array_floats import Moved, array_floats, erring_floats, moved_floats
from diffcompare.arithmetic.balls import precision
from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.elements import same_elements
from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.array_table import ArrayGuard
from diffcompare.verdict.array_difference import BITS, EQUAL, TINY, Compared, difference_in_arrays, moved_apart
from diffcompare.verdict.array_pair import ArrayPair, record_function
from diffcompare.verdict.judgement import Left
from diffcompare.verdict.problem import Problem

__all__ = [
    "UNKNOWN",
    "Ties",
    "Turned",
    "at_an_edge",
    "compared_beside",
    "nontrivial",
    "on_other_branches",
    "signs_of_guards",
    "ties_of",
]

Turned = dict[int, NDArray[np.bool_]]

# in place of a sign that balls do not tell
UNKNOWN = 2

# how far beside the point it is seen whether a difference moves, relative to the coordinates
_BESIDE = 2.0**-12
# equal numbers on the sides of equal numbers are followed so far
_DEPTH = 4
# how often the sides of equal numbers are drawn, each draw and its opposite: as many more derivatives
_SIDES = 4
# more of them, where a component would be called wrong; slopes that differ by so much in floats are two
_MORE_SIDES, _NOTICED = 60, 2.0**-20
# sides of choices that depend on choices, and on which those are turned that do not move on the branch of the point
_NESTED = 12
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
    """Return the signs of balls: −1, 0 (exactly), 1, or ``UNKNOWN``."""

    def sign(v: Any) -> int:
        return 1 if v > 0 else -1 if v < 0 else 0 if v.is_zero() else UNKNOWN

    return np.array([sign(v) for v in values.reshape(-1).tolist()], dtype=np.int8).reshape(values.shape)


def signs_of_guards(build: ArrayBuilder, guards: Sequence[ArrayGuard], values: Sequence[Any]) -> list[NDArray[np.int8]]:
    """Return the signs of the differences of what guards compare.

    An element that is compared with itself, as in x == max(x), is equal however wide its ball.
    """
    return [
        np.where(same_elements(build, guard.first, guard.second), np.int8(0), signs_of(value))
        for guard, value in zip(guards, values, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Ties:
    """Elements of guards, by the guard's number: what the balls of the numbers that they compare tell.

    Parameters
    ----------
    equal : dict
        Of the function's guards those that compare equal numbers.
    doubts : dict
        Of the others those of which that is not known.
    contrary : dict
        Those whose numbers are different, and which answer as rounding decides.
    """

    equal: Turned
    doubts: Turned
    contrary: Turned


def ties_of(guards: Sequence[ArrayGuard], signs: Sequence[NDArray[np.int8]], own: int) -> Ties:
    """Read the signs of the differences of what the guards compare; the first ``own`` guards are those of f."""
    found = Ties({}, {}, {})
    for k, (guard, sign) in enumerate(zip(guards, signs, strict=True)):
        other = ANSWERS[guard.operation](sign, 0) != guard.answers
        kinds = [(found.contrary, (np.abs(sign) == 1) & other)]
        if k < own:
            kinds.append((found.equal, (sign == 0) | (sign == UNKNOWN)))
        else:
            kinds.append((found.doubts, (sign == UNKNOWN) | ((sign == 0) & other)))
        for kind, elements in kinds:
            if elements.any():
                kind[k] = elements
    return found


def nontrivial(problem: Problem, pair: ArrayPair, guards: Sequence[ArrayGuard], ties: Turned) -> Turned:
    """Keep the elements whose difference is 0 at the point alone: others compare a number with itself."""
    build = pair.build
    places = {k: np.flatnonzero(np.broadcast_to(equal, guards[k].answers.shape)) for k, equal in ties.items()}
    gaps = [build.take(build.apply("subtract", guards[k].first, guards[k].second), p) for k, p in places.items()]
    random = np.random.default_rng(5)
    beside = problem.inside(problem.x + _BESIDE * problem.scales * random.uniform(0.5, 1.0, problem.x.size))
    found = {}
    for (k, chosen), values in zip(places.items(), array_balls(build, gaps, beside, BITS), strict=True):
        moves = np.zeros(guards[k].answers.shape, dtype=bool)
        moves.reshape(-1)[chosen] = [not (v.contains(0) and v.is_finite()) for v in values.tolist()]
        if moves.any():
            found[k] = moves
    return found


def compared_beside(
    problem: Problem, pair: ArrayPair, guards: Sequence[ArrayGuard], turned: Turned,
    ties: Turned, moved: Moved,
) -> Compared | Left:  # fmt: skip
    """Take the derivative from the sides of elements that compare equal numbers; where it depends on them is none."""
    build = pair.build
    # a jump of 1 is one however large the values are
    bits = BITS + max(0, *np.frexp(moved.value)[1].reshape(-1).tolist())
    for _ in range(_DEPTH):
        sides = [record_function(problem, pair, turned, seed) for seed in range(_SIDES)]
        if any(len(trace.guards) != len(pair.function.guards) for trace, _, _ in sides):
            return Left("beside the point the function takes other decisions")
        # one third of all each: values, derivatives, the slopes that these are made from
        nodes = [*(F for _, F, _ in sides), *(D for *_, (D, _) in sides), *(slopes for *_, (_, slopes) in sides)]
        decisions = [guard for trace, _, _ in sides for guard in trace.guards]
        gaps = [build.apply("subtract", guard.first, guard.second) for guard in decisions]
        # what is only compared must have values on its side, too
        edges = switches_of(build, [*nodes[:_SIDES], *gaps])
        roots = [pair.G, pair.F, *nodes, *gaps, *(e.node for e in edges)]
        G, F, *values = array_balls(build, roots, pair.point, bits)
        edge = at_an_edge(edges, values[len(nodes) + len(gaps) :])
        if edge:
            return edge
        further = _further(problem, pair, decisions, values[len(nodes) : len(nodes) + len(gaps)], turned)
        if not further:
            break
        turned = turned | further
    else:
        return Left("on the sides of elements that compare equal numbers others do so again and again")
    values = values[: len(nodes)]
    floats = moved_floats(build, [pair.G, *nodes], pair.point, unit=unit_roundoff)
    if not all(v.is_finite() for value in values for v in value.reshape(-1).tolist()):
        return Left("a side of an element that compares equal numbers is not defined")
    own, *floats = floats
    with precision(bits):
        for value, other in zip(values[:_SIDES], floats, strict=False):
            apart, rounding = _apart(value, F, other, moved)
            if (apart > np.maximum(rounding, TINY)).any():
                return Left("the function jumps where it compares equal numbers")
    compared = difference_in_arrays(pair, nodes[_SIDES], values[_SIDES], G, floats[_SIDES], own)
    if compared is None:
        return Left("the derivative beside the point is not finite")
    with precision(BITS):
        if pair.slopes != pair.D and problem.directions is None:
            # where slopes jump there are no second derivatives in their rows and columns
            kinks, _ = _parted(values[2 * _SIDES :], floats[2 * _SIDES :])
            compared.kinks |= (kinks[:, None] | kinks).reshape(-1) if compared.size.size > kinks.size else kinks
        kinks, beside = _parted(values[_SIDES : 2 * _SIDES], floats[_SIDES : 2 * _SIDES])
    compared.kinks |= kinks
    compared.beside = np.where(compared.kinks, 0.0, beside)
    if not _see_more_sides(problem, pair, turned, ties, (moved, floats[_SIDES]), compared):
        return Left("the sides of elements that compare equal numbers are compared number by number")
    compared.notes = _kink_notes(guards, turned, compared)
    return compared


def _apart(one: Any, other: Any, first: Moved, second: Moved) -> tuple[Floats, Floats]:
    """Return how far balls are apart at least, and what rounding of constants explains of that."""
    gaps = np.array([float(abs(a - b).lower()) for a, b in zip(one.tolist(), other.tolist(), strict=True)])
    return gaps, 32 * moved_apart(first, second, one.shape)


def _parted(values: Sequence[Any], floats: Sequence[Moved]) -> tuple[Flags, Floats]:
    """Tell which elements differ from side to side, and by how much the others do."""
    size = np.abs(middles(values[0]))
    kinks, beside = np.zeros(size.size, dtype=bool), np.zeros(size.size)
    for value, other in zip(values[1:], floats[1:], strict=True):
        apart, rounding = _apart(value, values[0], other, floats[0])
        kinks |= apart > np.maximum(rounding, EQUAL * size)
        beside = np.maximum(beside, apart)
    return kinks, beside


def _further(
    problem: Problem, pair: ArrayPair, decisions: Sequence[ArrayGuard], gaps: Sequence[Any], turned: Turned
) -> Turned:
    """Return what is to be turned as well: elements that compare equal numbers on a side, and not at the point."""
    count = len(pair.function.guards)
    equal = {}
    for k, (guard, gap) in enumerate(zip(decisions, gaps, strict=True)):
        signs = signs_of(gap)
        known = turned.get(k % count, False)
        new = (
            ~same_elements(pair.build, guard.first, guard.second)
            & ((signs == 0) | (signs == UNKNOWN))
            & ~np.asarray(known)
        )
        if new.any():
            equal[k] = np.broadcast_to(new, guard.answers.shape)
    further: Turned = {}
    for k, moves in nontrivial(problem, pair, decisions, equal).items():
        further[k % count] = turned.get(k % count, False) | further.get(k % count, False) | moves
    return further


def _see_more_sides(
    problem: Problem, pair: ArrayPair, turned: Turned, ties: Turned, floats: tuple[Moved, Moved], compared: Compared
) -> bool:  # fmt: skip
    """Look at more sides, in floats, before a component is called wrong; false where that does not tell, or f jumps.

    Of five equal numbers each may be the median, and no more than four were drawn; nor were all answers of choices
    that depend on choices. What does not move on the branch of the point, and is not ``turned``, may move on another.
    """
    wrong = ~compared.kinks & ~compared.equal & ~(compared.gap <= compared.threshold)
    suspects = ~compared.kinks if len(turned) > 1 else wrong
    first, more = compared.value, min(_MORE_SIDES if wrong.any() else _NESTED, _WORK // max(pair.work, 1))
    moved, slope = floats
    # where terms cancel, floats leave their rounding
    noticed = _NOTICED * np.max(np.abs(first)) + 32 * np.max(slope.error, initial=0.0)

    def others(choices: Turned, seeds: range) -> Iterator[tuple[Floats, Floats]]:
        for seed in seeds:
            if not suspects.any():
                break
            trace, F, (D, _) = record_function(problem, pair, choices, seed)
            if len(trace.guards) == len(pair.function.guards):
                value, slopes = array_floats(pair.build, [F, D], pair.point)
                yield value, slopes.reshape(-1)

    for value, slopes in others(turned, range(_SIDES, _SIDES + more)):
        jumps = np.abs(value - moved.value) > 32 * moved.error + TINY
        if not np.isfinite(slopes[suspects]).all() or jumps.any():
            return False
        apart = np.abs(slopes - first) > noticed
        compared.kinks |= suspects & apart
        suspects &= ~apart
    nested = others(ties, range(min(more, _NESTED))) if len(ties) > len(turned) else ()
    return all((np.abs(slopes - first)[suspects] <= noticed).all() for _, slopes in nested)


def on_other_branches(
    problem: Problem, pair: ArrayPair, found: Compared, contrary: Turned, wrong: Flags, error: Floats
) -> tuple[NDArray[np.intp], list[str]]:
    """Return the components whose claim may be right on one branch of f and rounding decides which is taken; a note.

    Where two numbers are too close for floats to tell which is larger, either answer is one that code may take; what
    is claimed may lie between the derivatives on both. Where more answers are possible than are drawn, whatever
    depends on them is open. ``error`` bounds the rounding of the derivative in floats, ``contrary`` has the elements
    of f's guards that real numbers answer otherwise: a claim that agrees with the floats is open there, too.
    """
    suspects = np.flatnonzero(wrong | bool(contrary))
    near = _near_ties(pair) if suspects.size else {}
    near |= {k: near.get(k, False) | elements for k, elements in contrary.items()}
    if not near:
        return suspects[:0], []
    count = sum(int(np.count_nonzero(open_)) for open_ in near.values())
    drawn = [found.value[suspects]]
    # two draw each element on both sides
    for seed in range(max(2, min(_ANSWERS, _WORK // max(pair.work, 1)))):
        trace, _, (D, _) = record_function(problem, pair, near, seed)
        if len(trace.guards) == len(pair.function.guards):
            slopes = array_floats(pair.build, [D], pair.point)[0].reshape(-1)[suspects]
            drawn.append(np.where(np.isfinite(slopes), slopes, drawn[0]))
    low, high = np.min(drawn, axis=0), np.max(drawn, axis=0)
    least = 32 * found.L[suspects] + 2 * unit_roundoff * np.abs(high) + 4 * error[suspects]
    claim, margin = middles(found.G)[suspects], _MARGIN * (high - low) + least
    moves = high - low > least
    between = moves & ((low - margin <= claim) & (claim <= high + margin) | (count > _COUNTABLE))
    place = pair.function.guards[min(near)].place
    note = f"rounding decides which branch is taken: {place}; the claim may be right on the other one"
    return suspects[between], [note] if between.any() else []


def _near_ties(pair: ArrayPair) -> Turned:
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


def _kink_notes(guards: Sequence[ArrayGuard], turned: Turned, compared: Compared) -> list[str]:
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
