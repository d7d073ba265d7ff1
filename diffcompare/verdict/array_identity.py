"""Two programs of arrays compared as real functions: the derivative of the function's, and the gradient's own code.

What :mod:`~diffcompare.verdict.identity` does number by number is done here array by array, for problems of real size.
Whatever this rule does not settle for certain it leaves to the others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_balls import array_balls, middles, switches_of
from diffcompare.arithmetic.array_floats import Moved, array_floats, is_rounded, moved_floats, strayed_floats
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.program.array_adjoint import sensitivities_of
from diffcompare.program.arrays import ELIMINATING, most_held
from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.array_table import SingleNumbersError
from diffcompare.tracing.keeping import Keeper
from diffcompare.verdict.array_difference import BITS, FIRST_BITS, STRAYS, Compared, difference_in_arrays
from diffcompare.verdict.array_pair import ArrayPair, trace_arrays
from diffcompare.verdict.array_sides import (
    UNKNOWN,
    Turned,
    at_an_edge,
    compared_beside,
    nontrivial,
    on_other_branches,
    signs_of_guards,
    ties_of,
)
from diffcompare.verdict.difference import NOTICEABLE, PARAMETER_MOVES, SPECIAL
from diffcompare.verdict.judgement import OTHER_BESIDE, OTHER_NUMBERS, OTHER_SLOPE, Judgement, Left
from diffcompare.verdict.pair import FAILURES, is_long, slope_agrees
from diffcompare.verdict.problem import Problem, State
from diffcompare.watchdog import given_time

__all__ = ["cost_of", "is_what_runs", "judge_arrays", "moves_alike"]

# measured: for one operation on a ball, tracing and comparing included; what a ball takes
_SECONDS, _BYTES = 1e-6, 150
_MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 if hasattr(os, "sysconf") else 2**32
# components whose constants are weighed one by one
_SWEEPS, _SWEPT_WORK = 12, 20_000_000
# operations that take as long as a node of few elements
_OF_NODE = 500
_CLOSE = 2.0**-40
# two ways of computing one thing, chosen element by element, leave hardly more than the rounding of floats
_SLIGHT = 2.0**-40
# numbers of the code that are written down to see how many digits they have
_WRITTEN = 20_000
# components whose rounding error is found exactly: those where floats find the largest
_LARGEST = 16
# by how much floats stray that are no fault: in units of a bound on the rounding of the adjoint
_STRAYS = 64.0


def judge_arrays(
    problem: Problem, state: State, keeper: Keeper | None = None, *, rebuilt: bool = True
) -> Judgement | Left:
    """Compare a gradient's own code with the true derivative of the function's, both as programs of arrays.

    Raises
    ------
    TraceError
        The codes cannot be traced so.
    """
    pair = trace_arrays(problem, keeper=keeper, rebuilt=rebuilt)
    costly = cost_of(pair)
    if costly:
        return costly
    if pair.loops:
        raise SingleNumbersError(
            "a loop that may end at a tolerance has no program of arrays; run a fixed number of rounds"
        )
    if not np.isfinite(state.values).all():
        return Left("f is not finite")
    guards = (*pair.function.guards, *pair.gradient.guards)
    build = pair.build
    differences = [build.apply("subtract", g.first, g.second) for g in guards]
    # what is only compared, as a sign does, must have values around the point too
    edges = switches_of(build, [pair.F, *differences[: len(pair.function.guards)]])
    # before the balls: what floats need on the way is free again then
    floats = moved_floats(build, [pair.F, pair.D, pair.G], pair.point, unit=_unit(pair))
    roots = [pair.F, pair.D, pair.G, *differences, *(e.node for e in edges)]
    eliminating = any(build.nodes[k].operation in ELIMINATING for k in build.needed(roots))
    for bits in (BITS,) if eliminating else (FIRST_BITS, BITS):
        F, D, G, *rest = array_balls(build, roots, pair.point, bits)
        signs = signs_of_guards(build, guards, rest[: len(guards)])
        edge = at_an_edge(edges, rest[len(guards) :])
        if edge is None and not any((sign == UNKNOWN).any() for sign in signs):
            break
    if edge:
        return edge
    if not is_what_runs([state.values, state.claimed], [F, G], [floats[0], floats[2]], _unit(pair)):
        return Left(OTHER_NUMBERS)
    ties = ties_of(guards, signs, len(pair.function.guards))
    doubted = nontrivial(problem, pair, guards, ties.doubts)
    if doubted:
        place = guards[min(doubted)].place
        return Left(f"a branch at {place} compares numbers that cannot be told apart; check beside the point")
    if moves_alike(problem, state, pair) is False:
        return Left(OTHER_BESIDE)
    found = difference_in_arrays(pair, pair.D, D, G, floats[1], floats[2], bits=bits)
    if found is None:
        return Left("the derivative of the traced code is not finite at the point; check beside it")
    turned = nontrivial(problem, pair, guards, ties.equal)
    if turned:
        beside = compared_beside(problem, pair, guards, turned, ties.equal, floats[0])
        if isinstance(beside, Left):
            return beside
        found = beside
    _allow_for_what_was_computed(pair, found)
    # beside a corner the code has other slopes
    cornered = found.kinks.any() or ties.contrary
    decided = guards or not rebuilt
    # what the slopes are made from has the errors of D at most
    errors = [np.max(one.error, initial=0.0, where=np.isfinite(one.error)) for one in floats[:2]]
    if decided and not cornered and not slope_agrees(problem, state.values, _slopes(pair, found), *errors):
        return Left(OTHER_SLOPE)
    return _judged(problem, state, pair, found, floats[1], ties.contrary)


def cost_of(pair: ArrayPair) -> Left | None:
    """Leave what would take longer than the budget, or more than half of the memory: counted, not timed."""
    build, roots = pair.build, [pair.F, pair.D, pair.G]
    seconds = _SECONDS * pair.work
    if seconds > given_time():
        return Left(f"it would take about {seconds:.0f} s as a program of arrays; pass a larger budget")
    size = _BYTES * most_held(build.nodes, build.needed(roots), roots)
    if size > _MEMORY:
        return Left(f"it would take about {size / 2**30:.1f} GB, more than half of the memory; check a smaller case")
    return None


def _unit(pair: ArrayPair) -> float:
    """Return the unit roundoff of the shortest numbers that the codes compute."""
    bits = min([64, *(trace.narrow[1] for trace in (pair.function, pair.gradient) if trace.narrow)])
    return {64: unit_roundoff, 32: 2.0**-24, 16: 2.0**-11}[bits]


def is_what_runs(observed: Sequence[Floats], values: Sequence[Any], floats: Sequence[Moved], unit: float) -> bool:
    """Check the floats of the code against the balls of its trace, within sixteen times their rounding errors."""
    for seen, value, moved in zip(observed, values, floats, strict=True):
        known, real = np.isfinite(seen), middles(value)
        gaps = np.abs(real - seen)
        far = gaps > np.maximum(64 * unit * np.abs(real), 16 * np.broadcast_to(moved.error, value.shape).reshape(-1))
        far = known & (far | ~np.isfinite(real))
        # where all rounding cancels, what is left of it in the balls does not count
        if any(not np.isfinite(real[i]) or not value.flat[i].contains(Ball(seen[i])) for i in np.flatnonzero(far)):
            return False
    return True


def _slopes(pair: ArrayPair, found: Compared) -> Floats:
    """Return the slopes of what the function returns: what is claimed, or what that is made from."""
    return found.value if pair.slopes == pair.D else array_floats(pair.build, [pair.slopes], pair.point)[0]


def moves_alike(problem: Problem, state: State, pair: ArrayPair) -> bool | None:
    """Compare what floats and traces do between the point and one nearby; None where they take another branch."""
    if not _stays_undefined(problem, pair):
        return False
    for reach in (2.0**-10, 2.0**-16, 2.0**-22):
        answer = _moves_alike_within(problem, state, pair, reach)
        if answer is not None:
            return answer
    return None


def _stays_undefined(problem: Problem, pair: ArrayPair) -> bool:
    """Tell whether numbers that are not finite, of which code asked that, are so on both sides of the point."""
    if not pair.undefined:
        return True
    x = problem.x
    step = 2.0**-16 * np.where(x == 0, max(float(np.max(np.abs(x))), 1e-3), np.abs(x))
    step *= np.random.default_rng(5).uniform(0.5, 1.0, x.size)
    nodes = [node for node, _ in pair.undefined]
    return all(
        np.array_equal(np.isfinite(values), finite)
        for side in (x + step, x - step)
        for values, (_, finite) in zip(array_floats(pair.build, nodes, side), pair.undefined, strict=True)
    )


def _moves_alike_within(problem: Problem, state: State, pair: ArrayPair, reach: float) -> bool | None:
    x = problem.inside(problem.x * (1 + reach * np.random.default_rng(5).uniform(0.5, 1.0, problem.x.size)))
    # of a gradient that is not traced there is nothing to compare
    roots = [pair.F] if pair.opaque else [pair.F, pair.G]
    try:
        with np.errstate(all="ignore"):
            after = np.concatenate([problem.values(x), *([] if pair.opaque else [problem.claim(x)])])
    except FAILURES:
        return None
    guards = (*pair.function.guards, *pair.gradient.guards)
    compared = [i for guard in guards for i in (guard.first, guard.second)]
    values = array_floats(pair.build, [*compared, *roots], x)
    for guard, one, two in zip(guards, values[::2], values[1::2], strict=False):
        if not np.array_equal(ANSWERS[guard.operation](one, two), guard.answers):
            return None
    start = array_floats(pair.build, roots, pair.point)
    before = np.concatenate([state.values, state.claimed])[: len(after)]
    seen = after - before
    there, here = (np.concatenate([v.reshape(-1) for v in some]) for some in (values[len(compared) :], start))
    traced, size, noise = there - here, np.abs(here), before - here
    m = problem.outputs
    size[m:], noise[m:] = np.max(size[m:], initial=0.0), np.max(np.abs(noise[m:]), initial=0.0)
    slack = (
        0.05 * np.maximum(np.abs(seen), np.abs(traced)) + (1e-6 * reach * 2.0**10 + 2.0**-40) * size + 8 * np.abs(noise)
    )
    # the slopes of a constant are rounding, and at the point that may be 0 by chance
    slack[m:] += 2.0**-40 * float(np.max(np.abs(state.values))) / float(np.max(problem.scales))
    return not bool(np.any(np.abs(seen - traced) > slack))


def _judged(
    problem: Problem, state: State, pair: ArrayPair, found: Compared, adjoint: Moved, contrary: Turned
) -> Judgement | Left:
    n = found.size.size
    notes = list(found.notes)
    status = np.full(n, "consistent", dtype=object)
    explained = np.maximum.reduce([4 * found.L, found.least, found.beside])
    # the width of two balls around 0 is no difference
    clear = found.decided & ~found.equal & (found.gap > found.threshold)
    sure = found.decided & (found.gap <= explained) & np.isfinite(found.threshold)
    status[~(sure | found.equal)] = "inconclusive"
    status[clear] = "wrong"
    _weigh(pair, found, status, notes)
    _two_ways(pair, found, status, notes)
    own = {k: elements for k, elements in contrary.items() if k < len(pair.function.guards)}
    open_, rounding_decides = on_other_branches(
        problem, pair, found, own, status == "wrong", np.broadcast_to(adjoint.error, (n,))
    )
    status[open_] = "inconclusive"
    notes += rounding_decides
    guards = (*pair.function.guards, *pair.gradient.guards)
    # a comparison that f makes as well was taken either way with it
    known = {frozenset((guards[k].first, guards[k].second)) for k in own}
    others = [guards[k] for k in contrary if frozenset((guards[k].first, guards[k].second)) not in known]
    if "wrong" in status.tolist() and others:
        return Left(
            f"rounding decides a branch at {others[0].place}: real numbers take the other one; check beside the point"
        )
    # what explains so much explains anything
    largest = float(found.size.max(initial=0.0))
    anything = (found.gap > NOTICEABLE * largest) & ~found.equal
    status[anything & (status == "consistent")] = "inconclusive"
    finite = np.isfinite(state.claimed)
    lost = np.flatnonzero(~finite & ~found.kinks)
    status[lost] = "wrong"
    for i in lost[:1].tolist():
        right = found.decided[i] and found.gap[i] <= found.threshold[i]
        why = ": the formula is right, an intermediate value overflows or is not defined" if right else ""
        notes.append(f"{problem.names[i]} is {float(state.claimed[i])!r} though the derivative is finite{why}")
    certified = found.value.copy()
    errors = np.abs(np.where(finite, state.claimed, math.inf) - found.value)
    coarse = finite & (pair.gradient.narrow is None) & (errors > 0.1 * largest) & (found.gap <= 0.1 * largest)
    if (coarse & (status != "wrong") & (errors > _STRAYS * np.broadcast_to(adjoint.error, (n,)))).any():
        return Left(
            "the floats of the gradient have no correct digit: how far others would stray is found number by number"
        )
    notes += _narrow(problem, pair, found, errors, status)
    status[found.kinks] = "non-smooth"
    threshold = found.threshold
    if largest:
        threshold = np.where(status == "consistent", np.minimum(threshold, NOTICEABLE * largest), threshold)
    certified[found.kinks] = threshold[found.kinks] = np.nan
    if (status == "consistent").all():
        same = bool(found.equal.all())
        notes.append(
            f"the {problem.what} and the true derivative are identical as real functions at this point"
            if same
            else "what differs is explained by the rounding of constants"
        )
    strays = np.where(finite, np.abs(state.claimed - middles(found.G)), -1.0)
    with precision(BITS):
        exact = [
            abs(float((Ball(float(state.claimed[i])) - found.G[i]).mid()))
            for i in np.argsort(strays)[-_LARGEST:].tolist()
            if strays[i] >= 0
        ]
    rounding = max(exact, default=math.nan) / (largest or 1.0)
    return Judgement(
        "identity", tuple(status.tolist()), state.claimed, certified, threshold, rounding,
        "gradient" if "wrong" in status.tolist() else None, tuple(dict.fromkeys(notes)), found.gap, arrays=pair,
    )  # fmt: skip


def _weigh(pair: ArrayPair, found: Compared, status: NDArray[Any], notes: list[str]) -> None:
    """Weigh the constants of few components exactly: those that rounding could explain."""
    suspects = np.flatnonzero((status != "consistent") & np.isfinite(found.gap))
    if not suspects.size:
        return
    allowed = _one_sided(pair)
    parameters = _parameters_effect(pair)
    found.L = np.maximum(found.L, parameters)
    close = np.maximum(_CLOSE * found.size, 32 * parameters)
    unsure = suspects[bool(allowed) | ((found.gap <= close) | (status != "wrong"))[suspects]].tolist()
    work = pair.work + _OF_NODE * len(pair.build.needed([pair.G, pair.D]))
    sweeps = min(_SWEEPS, max(2, _SWEPT_WORK // work))
    # what is 0 is compared with the largest: the units of f make no difference
    sizes = np.where(found.size > 0, found.size, found.size.max() or 1.0)
    worst = sorted(unsure, key=lambda i: -found.gap[i] / sizes[i])
    off, least = 0.0, math.inf
    for i in worst[:sweeps]:
        L, own = _effect(pair, i, allowed)
        found.L[i] = L + parameters[i] if np.isfinite(found.L[i]) else math.inf
        found.off[i] = own
        off, least = max(off, own / sizes[i]), min(least, L / sizes[i])
    for i in worst[sweeps:]:
        # what was not weighed is judged as those that were, which are the worst
        found.off[i], found.L[i] = off * found.size[i], max(found.L[i], least * found.size[i])
    threshold, least_each = found.threshold, found.least
    for i in unsure:
        gap = found.gap[i]
        if not found.decided[i]:
            continue
        if gap <= max(4 * found.L[i], least_each[i], found.beside[i]) and math.isfinite(threshold[i]):
            status[i] = "consistent"
        elif gap > threshold[i]:
            status[i] = "wrong"
        else:
            status[i] = "inconclusive"
            if max(32 * found.L[i], 2 * least_each[i], 8 * found.beside[i]) < gap <= found.off[i]:
                notes.append(
                    "the difference could come from numbers of many digits that only one of the two codes holds; "
                    "compute them inside the function"
                )


def _effect(pair: ArrayPair, i: int, allowed: dict[int, Floats]) -> tuple[float, float]:
    """Return u·Σ|c·∂(G_i − D_i)/∂c| over the rounded constants, and what those of unknown origin may be off by."""
    build = pair.build
    place = np.array(i)
    one = build.apply("subtract", build.take(pair.G, place), build.take(pair.D, place))
    bars = sensitivities_of(build, one, [True] * len(build.nodes))
    constants = {k: held for k in bars if (held := build.nodes[k].numbers) is not None}
    L = off = 0.0
    with np.errstate(all="ignore"):
        found = array_balls(build, [bars[k] for k in constants], pair.point, 160)
        for (k, held), slopes in zip(constants.items(), found, strict=True):
            # where another component has no derivative, this one does not depend on it
            size = np.array([float(s.abs_upper()) if s.is_finite() else 0.0 for s in slopes.reshape(-1).tolist()])
            size = np.broadcast_to(size.reshape(slopes.shape), held.shape)
            rounded = is_rounded(held)
            L += float(np.sum(np.where(rounded, unit_roundoff * np.abs(held) * size, 0.0)))
            if k in allowed:
                off += float(np.sum(allowed[k] * size))
    # an element of a constant is another constant
    return L, off + (float(allowed[pair.G][i]) if pair.G in allowed else 0.0)


def _parameters_effect(pair: ArrayPair) -> Floats:
    """Estimate what the rounding of parameters of special functions, as an order, does to each component of G − D.

    They have no slopes: the numbers of many digits that they are made of are moved at random.
    """
    build = pair.build
    difference = build.apply("subtract", pair.G, pair.D)
    special = (build.nodes[k] for k in build.needed([difference]) if build.nodes[k].operation in SPECIAL)
    sources = build.needed({k for node in special for k in node.operands if not build.moving[k]})
    constants = {k: np.array(build.nodes[k].payload, dtype=float) for k in sources if not build.nodes[k].operands}
    held = {k: numbers for k, numbers in constants.items() if is_rounded(numbers).any()}
    effect = np.zeros(build.nodes[difference].shape)
    if not held:
        return effect
    random = np.random.default_rng(5)
    factor = 3 * math.sqrt(sum(np.count_nonzero(is_rounded(numbers)) for numbers in held.values()))
    (before,) = array_balls(build, [difference], pair.point, BITS)
    for _ in range(PARAMETER_MOVES):
        moved = {}
        for k, numbers in held.items():
            # by 4 to 8 of their last digits: moves of one size could cancel, and derivatives shift an order by 1
            steps = random.choice((-1, 1), numbers.shape) * random.integers(4, 9, numbers.shape)
            last = np.spacing(np.abs(numbers) + 1)
            moved[k] = build.constant(np.where(is_rounded(numbers), numbers + steps * last, numbers))
        (after,) = array_balls(build, build.copied([difference], moved), pair.point, BITS)
        with precision(BITS):
            changes = (after - before).tolist()
        effect = np.maximum(effect, [float(c.abs_upper()) / 8 if c.is_finite() else 0.0 for c in changes])
    return factor * effect


def _one_sided(pair: ArrayPair) -> dict[int, Floats]:
    """Return how far constants of many digits may be off that only one of the two codes holds."""
    build = pair.build
    sides = [
        {k: held for k in build.needed(roots) if (held := build.nodes[k].numbers) is not None}
        for roots in ([pair.F, pair.D], [pair.G])
    ]
    allowed = {}
    for mine, theirs in (sides, sides[::-1]):
        alone = {k: held for k, held in mine.items() if k not in theirs and is_rounded(held).any()}
        if not alone:
            continue
        asked = np.unique(np.concatenate([held[is_rounded(held)] for held in alone.values()]))
        known = np.concatenate([np.zeros(1), *(held[np.isin(held, asked)] for held in theirs.values())])
        for k, held in alone.items():
            long = is_rounded(held) & ~np.isin(held, known) & _is_long(held)
            if long.any():
                scale = float(np.max(np.abs(held[np.isfinite(held)]), initial=0.0))
                most = 1e7 * np.abs(held)
                own = 1e7 * scale if held.ndim else np.minimum(np.maximum(1.0, np.abs(held)), most)
                allowed[k] = np.where(long, unit_roundoff * own, 0.0)
    return allowed


def _is_long(values: Floats) -> NDArray[np.bool_]:
    """Tell which numbers were computed, not written: those of more digits than people write, and all beside such."""
    if values.size > _WRITTEN:
        return np.ones(values.shape, dtype=bool)
    long = np.array(list(map(is_long, values.reshape(-1).tolist())), dtype=bool).reshape(values.shape)
    return np.ones(values.shape, dtype=bool) if 2 * np.count_nonzero(long) > np.count_nonzero(values) else long


def _allow_for_what_was_computed(pair: ArrayPair, found: Compared) -> None:
    """Let claims that were computed elsewhere stray as floats of the derivative's program do."""
    build = pair.build
    if build.moving[pair.G] or found.equal.all():
        return
    if _is_long(middles(found.G)).any():
        (stray,) = strayed_floats(build, [found.node], pair.point)
        found.beside = np.maximum(found.beside, STRAYS * stray + 4 * unit_roundoff * np.abs(found.value))


def _two_ways(pair: ArrayPair, found: Compared, status: NDArray[Any], notes: list[str]) -> None:
    """Leave open what differs by as little as two ways of computing one thing, where the codes choose between such."""
    if not (pair.function.guards or pair.gradient.guards):
        return
    largest = float(found.size.max(initial=0.0))
    wrong = status == "wrong"
    if wrong.any() and (found.gap[wrong] <= _SLIGHT * largest).all():
        status[wrong] = "inconclusive"
        notes.append("the difference is as slight as that of two ways of computing one thing, such as a series near 0")


def _narrow(problem: Problem, pair: ArrayPair, found: Compared, errors: Floats, status: NDArray[Any]) -> list[str]:
    """Judge a gradient that is computed in shorter numbers than f."""
    if pair.gradient.narrow is None:
        return []
    place, bits = pair.gradient.narrow
    short = any(isinstance(a, np.ndarray) and a.dtype in (np.float32, np.float16) for a in problem.args)
    if pair.function.narrow is not None or short:
        return [f"both are computed in {bits}-bit numbers"]
    largest = float(found.size.max(initial=0.0)) or 1.0
    coarse = np.isfinite(errors) & (errors > 2.0**-40 * largest) & (found.gap <= found.threshold) & (status != "wrong")
    status[coarse] = "wrong"
    return [f"float32 precision: {place} converts to {bits}-bit numbers, f does not"] if coarse.any() else []
