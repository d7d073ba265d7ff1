"""Two traces compared as real functions: the derivative of the function's, and the gradient's own code.

A gradient that is traced beside its function is right if G, what its code would return in real arithmetic, is D, the
true derivative; how far its floats are from D is rounding. The two are told apart in ball arithmetic.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.arithmetic.first_order import forward_errors
from diffcompare.certify.reference import certified_gradient, is_regular
from diffcompare.errors import TraceError, UnsupportedFunction
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import needed_nodes
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.array_table import SingleNumbersError
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.refusals import CompiledCodeError, TooLargeError
from diffcompare.tracing.table import NODE_LIMIT
from diffcompare.verdict.array_identity import judge_arrays
from diffcompare.verdict.array_pair import is_for_arrays
from diffcompare.verdict.difference import (
    NOTICEABLE,
    Difference,
    difference_of,
    nearest_float,
    node_balls,
    rounding_errors,
)
from diffcompare.verdict.identity_rules import Case, find
from diffcompare.verdict.judgement import ALONE, OTHER_BESIDE, OTHER_NUMBERS, OTHER_SLOPE, Judgement, Left
from diffcompare.verdict.observation import state_of, why_left
from diffcompare.verdict.pair import (
    ATTEMPTS,
    FAILURES,
    Pair,
    Stretch,
    follow_gradient,
    slope_agrees,
    trace_beside,
    trace_one,
    trace_pair,
)
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.sides import sides_of
from diffcompare.watchdog import given_time

__all__ = ["is_what_runs", "judge_by_identity"]


_BITS = 128
# measured: for one single number of the codes, of a wrong gradient, all included
_SECONDS = 6e-4
# so few numbers, those of the derivative included, and nodes are followed one by one
_FEW = 1_000


def judge_by_identity(problem: Problem) -> Judgement | Left:
    """Compare the gradient's own code with the true derivative of the function's, as real functions.

    Proven as far as the traces are what runs, which is validated: a difference of the real numbers G and D beyond the
    rounding of constants is a fault, however small, unless it is gone within two ulps of the point
    (:mod:`~diffcompare.verdict.point_rounding`); how far the floats lie from D is rounding.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Judgement or Left
        Left where the function or the gradient cannot be traced, or the traces are not what runs.
    """
    state = state_of(problem)
    if not state.steady:
        return Left(
            f"the function or the {problem.what} raises nearby, or answers differently from call to call; {ALONE}"
        )
    reasons: list[str] = []
    # the user's objects are looked at once for all ways that fail before the codes are called
    keeper = Keeper()
    tried, large = 0, False
    if is_for_arrays(problem):
        # what is short is followed number by number; else arrays are compared as such, if they can be
        data = sum(a.size for a in problem.args if isinstance(a, np.ndarray))
        short = max(problem.x.size, len(problem.names)) + data <= _FEW
        found = _by_numbers(problem, state, *ATTEMPTS[0], keeper, limit=_FEW) if short else None
        tried, large = int(found is not None), found is None
        followed = isinstance(found, Judgement) or (found is not None and found.followed)
        for answer in (found, None if followed else _by_arrays(problem, state, keeper)):
            if isinstance(answer, Judgement):
                return answer
            reasons += [] if answer is None else [answer.reason]
    limit = int(min(NODE_LIMIT, given_time() / _SECONDS))
    for way in ATTEMPTS[tried:]:
        # what one way has refused another may: the gradient is tried first then
        found = (_refused(problem, *way, keeper) if reasons else None) or _by_numbers(
            problem, state, *way, keeper, limit=limit
        )
        if isinstance(found, Judgement):
            return found
        too_large = (
            f"more than {limit:,} single numbers would take longer than {given_time():g} s; pass a larger budget"
        )
        reasons.append(too_large if found is None else found.reason)
        if large and reasons[-1] in reasons[:-1]:
            # what two ways refuse alike no other will follow, and at this size each one is dear
            break
    # the later attempts see less of the code, and say less of it
    return Left(reasons[0])


def _by_arrays(problem: Problem, state: State, keeper: Keeper) -> Judgement | Left | None:
    """Judge by traces of arrays; None where there are too few of them."""
    try:
        return judge_arrays(problem, state, keeper)
    except SingleNumbersError:
        return None
    except CompiledCodeError as error:
        with suppress(Exception):
            return judge_arrays(problem, state, keeper, rebuilt=False)
        return Left(why_left(error))
    except Exception as error:
        return Left(why_left(error))


def _refused(problem: Problem, exact: bool, rebuilt: bool, keeper: Keeper) -> Left | None:
    """Tell why a gradient cannot be followed number by number, before its function is: at this size that is dear."""
    try:
        stretch = Stretch(keeper=keeper)
        follow_gradient(problem, exact=exact, rebuilt=rebuilt, stretch=stretch)
    except TooLargeError:
        # told with both
        return None
    except Exception as error:
        return Left(why_left(error))
    return None


def _by_numbers(
    problem: Problem,
    state: State,
    exact: bool,
    rebuilt: bool,
    keeper: Keeper,
    limit: int = NODE_LIMIT,
) -> Judgement | Left | None:
    """Judge by traces of single numbers; None where they would have more nodes than a limit below the usual one."""
    try:
        stretch = Stretch(keeper=keeper)
        pair = trace_pair(problem, exact=exact, rebuilt=rebuilt, limit=limit, stretch=stretch)
        if pair is None:
            return Left(f"the function returned something else than {problem.outputs} numbers to a trace")
        if not is_what_runs(problem, state, pair):
            return Left(OTHER_NUMBERS, followed=True)
        judged = _judged(problem, state, pair, exact=exact, rebuilt=rebuilt)
        return replace(judged, followed=True) if isinstance(judged, Left) else replace(judged, pair=pair)
    except Exception as error:
        # an error of ours as well: another attempt or the next rung may do better
        return None if isinstance(error, TooLargeError) and limit < NODE_LIMIT else Left(why_left(error))


def is_what_runs(problem: Problem, state: State, pair: Pair) -> bool:
    """Check the floats of the code against the traces, within eight times their rounding errors to first order.

    A pair without a gradient is one of the function alone.
    """
    m = problem.outputs
    roots = [*pair.function.outputs, *pair.G]
    observed = [*state.values.tolist(), *(state.claimed.tolist() if pair.G else ())]
    real = node_balls(pair.table.builder.nodes, roots, pair.arguments(), 333)
    if all(map(math.isnan, pair.function.values)) and np.isfinite(state.values).all():
        # f is known by its formula only: noise, rounding and float32 in it are no contradiction
        if problem.formula is None or not _is_smooth(problem, problem.formula):
            return False
        with precision(333):
            F = np.array([float(real[root].mid()) for root in roots[:m]])
        if not (np.abs(state.values - F) <= 2.0**-18 * (np.abs(state.values) + np.abs(F))).all():
            return False
        roots, observed = roots[m:], observed[m:]
    u = max([unit_roundoff, *(_CAST[c.bits] for c in (*pair.function.casts, *pair.gradient.casts))])
    late = []
    for root, seen in zip(roots, observed, strict=True):
        if not math.isfinite(seen):
            continue
        value = real[root]
        if not value.is_finite():
            return False
        with precision(333):
            gap, size = float(abs(value - Ball(seen)).mid()), abs(float(value.mid()))
        if gap > 64 * u * size:
            late.append((root, gap))
    if not late:
        return True
    nodes, values = pair.table.builder.nodes, pair.table.shadows
    order = needed_nodes(nodes, [root for root, _ in late])
    errors = forward_errors(nodes, order, values, u)
    slack = 64 * len(problem.x) if pair.function.eliminated or pair.gradient.eliminated else 8
    return not any(gap > slack * errors[root] for root, gap in late)


def _is_smooth(problem: Problem, formula: SymbolicFunction) -> bool:
    """Tell whether a formula has the derivative that is claimed: the trace of a formula knows no guards."""
    if problem.derivative is adjoint:
        return set(certified_gradient(formula, problem.x).status) == {"ok"}
    return is_regular(formula, problem.x.tolist())


def _moves_alike(problem: Problem, state: State, pair: Pair) -> bool:
    """Check the traces beside the point, where a value that was kept from an earlier call would stay what it was."""
    if not pair.table.read:
        return _moves_alike_within(problem, state, pair, 2.0**-10) is not False
    # numbers were read, as keys of a cache or to go on with them unseen: not to be seen to differ is not enough
    moving = pair.table.moving
    if not (any(moving[i] for i in pair.function.outputs) and any(moving[i] for i in pair.G)):
        return False
    answers = [_moves_alike_within(problem, state, pair, reach) for reach in (2.0**-10, 2.0**-3, 1.0)]
    return True in answers and False not in answers


def _moves_alike_within(problem: Problem, state: State, pair: Pair, reach: float) -> bool | None:
    """Compare what floats and traces do between the point and one nearby; None where they take another branch."""
    x = problem.inside(problem.x * (1 + reach * np.random.default_rng(5).uniform(0.5, 1.0, len(problem.x))))
    try:
        with np.errstate(all="ignore"):
            after = np.array([*problem.values(x), *problem.claim(x)])
    except FAILURES:
        return None
    m = problem.outputs
    roots = [*pair.function.outputs, *pair.G]
    guards = (*pair.function.guards, *pair.gradient.guards)
    arguments = [*x.tolist(), *pair.arguments()[len(x) :]]
    nodes = pair.table.builder.nodes
    values = node_balls(nodes, [*roots, *(g.condition for g in guards)], arguments, _BITS)
    if any(values[g.condition] is not g.answer for g in guards):
        return None
    start = node_balls(nodes, roots, pair.arguments(), _BITS)
    before = np.array([*state.values, *state.claimed])
    seen = after - before
    with precision(_BITS):
        traced = np.array([float((values[r] - start[r]).mid()) for r in roots])
        size = np.array([abs(float(start[r].mid())) for r in roots])
        noise = before - np.array([float(start[r].mid()) for r in roots])
    size[m:], noise[m:] = max(size[m:]), np.max(np.abs(noise[m:]))
    slack = 0.05 * np.maximum(np.abs(seen), np.abs(traced)) + 1e-6 * size + 8 * np.abs(noise)
    # the slopes of a constant are rounding, and at the point that may be 0 by chance
    slack[m:] += 2.0**-40 * float(np.max(np.abs(state.values))) / float(np.max(problem.scales))
    off = np.flatnonzero(np.abs(seen - traced) > slack)
    if not off.size:
        return True
    # where terms cancel, the numbers that are seen may be their rounding
    late = [roots[k] for k in off.tolist()]
    errors = forward_errors(nodes, needed_nodes(nodes, late), pair.table.shadows, unit_roundoff)
    return all(abs(seen[k] - traced[k]) <= slack[k] + _SLACK * errors[roots[k]] for k in off.tolist())


# rounding errors to first order, of the point and of one beside it, and what is larger there
_SLACK = 32
_CAST = {32: 2.0**-24, 16: 2.0**-11}


def _judged(problem: Problem, state: State, pair: Pair, *, exact: bool, rebuilt: bool) -> Judgement | Left:
    n = len(pair.D)
    nan = np.full(n, np.nan)
    if not np.isfinite(state.values).all():
        return Judgement(
            "identity", ("out-of-domain",) * n, state.claimed, nan, nan, math.nan, None, ("f is not finite",)
        )

    def again(**decide: Any) -> tuple[Pair, Difference] | None:
        try:
            other = trace_pair(problem, exact=exact, rebuilt=rebuilt, **decide)
            compared = None if other is None else difference_of(other, sides.slopes, sides.kinks | sides.outside)
        except (TraceError, UnsupportedFunction):
            return None
        return None if other is None or compared is None else (other, compared)

    def one(**decide: Any) -> Pair | None:
        try:
            return trace_one(problem, exact=exact, rebuilt=rebuilt, **decide)
        except (TraceError, UnsupportedFunction):
            return None

    def beside(point: Floats) -> Pair | None:
        try:
            return trace_beside(problem, point, exact=exact, rebuilt=rebuilt)
        except (TraceError, UnsupportedFunction):
            return None

    sides = sides_of(problem, beside, pair)
    found = difference_of(pair, sides.slopes, sides.kinks | sides.outside)
    if found is None:
        return Left("the derivative of the traced code is not finite at the point; check beside it")
    if not _moves_alike(problem, state, pair):
        return Left(OTHER_BESIDE)
    for i, rounding in sides.rounding.items():
        found.beside[i] = max(found.beside[i], rounding)
    lost = sides.kinks | sides.outside | sides.unknown | sides.untried
    agrees = partial(slope_agrees, problem, state.values, _slopes(pair, found))
    if not lost and not agrees():
        nodes, slopes = pair.table.builder.nodes, pair.slopes or pair.D
        errors = rounding_errors(nodes, [*pair.function.outputs, *slopes], pair.arguments())
        if not agrees(*np.split(errors, [problem.outputs])):
            return Left(OTHER_SLOPE)
    case = Case(problem, state, pair, found, sides, again, one, beside, rebuilt)
    status, notes, blame = find(case)
    with precision(333):
        certified = np.array([nearest_float(d) for d in found.D])
    threshold = np.array([found.threshold(i) for i in range(n)])
    largest = max((found.size[i] for i in case.smooth), default=0.0)
    # more than that is explained by nothing (weigh)
    beyond = (np.array(status) == "consistent") & (threshold > NOTICEABLE * largest) & (largest > 0)
    threshold[beyond] = NOTICEABLE * largest
    unjudged = [i for i in range(n) if i not in case.smooth]
    certified[unjudged] = threshold[unjudged] = np.nan
    if pair.exits:
        # the sides were recorded with the loops as they end
        certified[list(sides.slopes)] = np.nan
    if set(status) == {"consistent"}:
        same = all(found.equal)
        notes.append(
            f"the {problem.what} and the true derivative are identical as real functions at this point"
            if same
            else "what differs is explained by the rounding of constants"
        )
    return Judgement(
        "identity",
        tuple(status),
        state.claimed,
        certified,
        threshold,
        _rounding(state, pair, largest),
        blame,
        tuple(dict.fromkeys(notes)),
        np.array(found.gap),
    )


def _rounding(state: State, pair: Pair, largest: float) -> float:
    """Return how far the floats of the gradient are from what its code is as a real function, by the largest slope."""
    values = node_balls(pair.table.builder.nodes, pair.G, pair.arguments(), 333)
    with precision(333):
        gaps = [
            float(abs(Ball(c) - values[g]).mid())
            for c, g in zip(state.claimed.tolist(), pair.G, strict=True)
            if math.isfinite(c) and values[g].is_finite()
        ]
    return max(gaps, default=math.nan) / (largest or 1.0)


def _slopes(pair: Pair, found: Difference) -> Floats:
    """Return the slopes of the outputs of the function: what is claimed, or what that is made from."""
    if not pair.slopes:
        return np.array([float(d.mid()) for d in found.D])
    values = node_balls(pair.table.builder.nodes, pair.slopes, pair.arguments(), _BITS)
    return np.array([float(values[i].mid()) for i in pair.slopes])
