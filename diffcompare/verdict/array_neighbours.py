"""An opaque gradient beside a function that is traced as a program of arrays: its rounding is seen at neighbours.

What :mod:`~diffcompare.verdict.neighbours` does with formulas is done here with arrays. The derivative is certified at
the point alone. A few ulps away it is its value and its slope; along short lines it is smooth, so that what no cubic
explains of the claims is rounding, and the cubic at the point is the claim without it. Two things bound what a right
gradient may be off: how its floats scatter, and how far roundings drawn at random carry the adjoint program, for what
stands still at neighbours.

The numeric factors were found by trials and change only together with a count of bugs found and false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from diffcompare.arithmetic.array_balls import array_balls, middles, switches_of
from diffcompare.arithmetic.array_floats import array_floats, moved_floats, strayed_floats, tangent_floats
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Flags, Floats, unit_of, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.program.operations import ANSWERS
from diffcompare.tracing.refusals import CompiledCodeError
from diffcompare.verdict.array_difference import STRAYS, Compared
from diffcompare.verdict.array_identity import cost_of, is_what_runs, moves_alike
from diffcompare.verdict.array_pair import ArrayPair, is_for_arrays, trace_beside_claim
from diffcompare.verdict.array_sides import at_an_edge, compared_beside, nontrivial, signs_of_guards, ties_of
from diffcompare.verdict.judgement import ALONE, OTHER_BESIDE, OTHER_NUMBERS, OTHER_SLOPE, Judgement, Left
from diffcompare.verdict.observation import state_of, why_left
from diffcompare.verdict.pair import slope_agrees
from diffcompare.verdict.probing import (
    coordinate_scales,
    lay_line,
    polynomial_residual,
    random_signs,
    scatter_points,
    try_claim,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem, State

__all__ = ["judge_by_array_neighbours"]

_BITS = 333
_SEED = 20_240_229
_LEAST_NORMAL = 2.0**-1022
# lines of so many abscissae and so short; halved where a decision changes on them, but not so often
_LINES, _HALVED, _HALVINGS = (-38, -26, -15), 3, 4
_STEPS = np.rint(64 * np.delete(uneven_steps(9), 4)) / 64
_LEAST_POINTS = 6
# directions are so many ulps or multiples of them, so that the points are where the steps say
_ULPS = 256.0
# the weight of the scatter of the claims, and the share of those that bear witness for all
_SCATTER, _MOST = 6.0, 0.9
# relative to ‖D‖∞: the finest threshold, as two ways of writing one constant may differ; the coarsest one
_SLIGHT, _COARSE = 2.0**-40, 2.0**-10
# relative to ‖D‖∞: what a gradient that stands still may be off
_LARGE = 2.0**-20
# a gradient that strays so much more than roundings do was computed in shorter numbers or by differences
_NOISY = 1024.0


def judge_by_array_neighbours(problem: Problem, *, least: int = 0) -> Judgement | Left | None:
    """Judge an opaque gradient where the function can be traced as a program of arrays.

    Measured: the derivative is certified, the verdict rests on the rounding that this gradient shows at neighbours and
    on an estimate of what rounding does to its formula.

    Parameters
    ----------
    problem : Problem
    least : int
        Functions and derivatives of fewer scalar operations are left: they are judged number by number.

    Returns
    -------
    Judgement, Left or None
        With ``evidence="neighbours"``; None where there is too little of it, or something else than a gradient.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(1.0, 2.0, 2000)
    >>> problem = Problem(lambda x: x @ x, lambda x: 2.001 * x, x, np.copy, np.asarray, ("",) * 2000)
    >>> set(judge_by_array_neighbours(problem).status)
    {'wrong'}
    """
    plain = problem.derivative is adjoint and problem.directions is None and problem.weights is None
    if not is_for_arrays(problem) or not plain or problem.outputs != 1:
        return None
    with np.errstate(all="ignore"):
        state = state_of(problem)
        if not state.steady:
            return Left(
                f"the function or the {problem.what} raises nearby, or answers differently from call to call; {ALONE}"
            )
        pair = _followed(problem, state)
        return pair if isinstance(pair, Left) else None if pair.work < least else _judge(problem, state, pair)


def _followed(problem: Problem, state: State) -> ArrayPair | Left:
    try:
        return trace_beside_claim(problem, state.claimed)
    except CompiledCodeError as error:
        with suppress(Exception):
            return trace_beside_claim(problem, state.claimed, rebuilt=False)
        return Left(why_left(error))
    except Exception as error:
        return Left(why_left(error))


@dataclass(frozen=True, slots=True)
class _Truth:
    """The derivative at the point as value and tail, how far roundings carry it, and what was claimed."""

    problem: Problem
    pair: ArrayPair
    state: State
    ties: dict[int, Flags]
    value: Floats
    tail: Floats
    stray: Floats
    kinks: Flags

    @property
    def error(self) -> Floats:
        """Claim − derivative."""
        return (self.state.claimed - self.value) - self.tail

    @property
    def size(self) -> float:
        """The largest component."""
        return float(np.abs(self.value).max(initial=0.0))


def _judge(problem: Problem, state: State, pair: ArrayPair) -> Judgement | Left:
    left = cost_of(pair) or _not_of_doubles(problem, state, pair)
    if left is not None:
        return left
    if pair.loops:
        return Left("a loop that may end at a tolerance is followed number by number")
    if not np.isfinite(state.values).all():
        return Left("f is not finite")
    build, guards = pair.build, pair.function.guards
    differences = [build.apply("subtract", g.first, g.second) for g in guards]
    edges = switches_of(build, [pair.F, *differences])
    F, D, *rest = array_balls(build, [pair.F, pair.D, *differences, *(e.node for e in edges)], pair.point, _BITS)
    signs = signs_of_guards(build, guards, rest[: len(guards)])
    edge = at_an_edge(edges, rest[len(guards) :])
    if edge is not None:
        return edge
    (moved,) = moved_floats(build, [pair.F], pair.point, unit=unit_roundoff)
    if not is_what_runs([state.values], [F], [moved], unit_roundoff):
        return Left(OTHER_NUMBERS)
    told = ties_of(guards, signs, len(guards))
    if told.contrary:
        place = guards[min(told.contrary)].place
        return Left(f"rounding decides a branch at {place}: real numbers take the other one; check beside the point")
    ties = told.equal
    if moves_alike(problem, state, pair) is False:
        return Left(OTHER_BESIDE)
    turned = nontrivial(problem, pair, guards, ties)
    found: Compared | None = None
    if turned:
        beside = compared_beside(problem, pair, guards, turned, ties, moved)
        if isinstance(beside, Left):
            return beside
        found, D = beside, beside.D
    value = middles(D)
    if not np.isfinite(value).all():
        return Left("the derivative of the traced code is not finite at the point; check beside it")
    kinks = np.zeros(value.size, dtype=bool) if found is None else found.kinks
    if not kinks.any() and not slope_agrees(problem, state.values, value):
        return Left(OTHER_SLOPE)
    with precision(_BITS):
        tail = np.array([float((d - Ball(v)).mid()) for d, v in zip(D.tolist(), value.tolist(), strict=True)])
    node = pair.D if found is None else found.node
    (stray,) = strayed_floats(build, [node], pair.point)
    if found is not None:
        stray = stray + found.beside
    truth = _Truth(problem, pair, state, ties, value, tail, stray, kinks)
    certified = value if found is None else found.value
    return _weighed(truth, certified, [] if found is None else found.notes)


def _not_of_doubles(problem: Problem, state: State, pair: ArrayPair) -> Left | None:
    """Leave what is computed in shorter numbers: there the scatter of f counts too."""
    own = unit_of(np.asarray(problem.flatten(problem.unflatten(problem.x))).dtype)
    if pair.function.narrow is not None or max(own, state.unit) > unit_roundoff:
        return Left("a function of shorter numbers is judged by its values")
    return None


@dataclass(slots=True)
class _Seen:
    """By component: the scatter of the claims, the smallest deviation, groups that count; what is stuck; claims."""

    spread: Floats
    bias: Floats
    groups: Floats
    stuck: Flags
    around: float
    narrow: float


def _weighed(truth: _Truth, certified: Floats, notes: Sequence[str]) -> Judgement | Left:
    problem, state, error, stray = truth.problem, truth.state, np.abs(truth.error), truth.stray
    seen = _seen(truth)
    if isinstance(seen, Left):
        return seen
    # near a critical point the derivative is small against what it is a step away
    size = max(truth.size, 2.0**-10 * seen.around) or float(np.max(stray, initial=0.0)) / unit_roundoff
    own = STRAYS * stray + 4 * unit_roundoff * np.abs(truth.value) + _LEAST_NORMAL
    own = np.where(seen.stuck, np.maximum(4 * own, _LARGE * size), own)
    finite = np.isfinite(state.claimed)
    enough = (seen.groups >= 2) & finite
    # of very many components the scatter of some is small by chance: nine of ten bear witness for all
    ratios = (seen.spread / stray)[enough & (stray > 0)]
    common = stray * float(np.quantile(ratios, _MOST)) if ratios.size else 0.0
    threshold = np.maximum(_SCATTER * np.maximum(seen.spread, common) + own, _SLIGHT * size)
    threshold = np.where(np.isfinite(threshold), threshold, math.inf)
    noisy = enough & (seen.spread > np.maximum(_NOISY * stray, _SLIGHT * size))
    status = np.full(error.size, "inconclusive", dtype=object)
    status[enough & ~noisy & (error <= threshold / 2) & (threshold <= _COARSE * size)] = "consistent"
    status[enough & (seen.bias > threshold)] = "wrong"
    status[~finite] = "wrong"
    words = list(notes)
    rounding = float(seen.spread[enough].max(initial=0.0)) / size if size and enough.any() else math.nan
    if not math.isnan(rounding):
        words.append(f"at neighbouring points the gradient scatters by {rounding:.2g} of its largest component")
    for i in np.flatnonzero(~finite)[:1].tolist():
        name, true = problem.names[i], certified[i]
        words += [f"{name}: the gradient is {state.claimed[i]} where the derivative is {true:.6g}"]
    few = [problem.names[i] for i in np.flatnonzero(finite & ~enough)[:5].tolist()]
    if few:
        words.append(f"too few neighbouring points where the derivative is smooth: {', '.join(few)}")
    still = [problem.names[i] for i in np.flatnonzero(enough & seen.stuck)[:5].tolist()]
    if still:
        words.append(f"the gradient stands still although the derivative moves: {', '.join(still)}")
    if seen.narrow > unit_roundoff and (error[enough] <= 64 * seen.narrow * size).all():
        coarse = enough & (error > 1000 * own)
        if coarse.any():
            status[coarse] = "wrong"
            name = "float32" if seen.narrow == 2.0**-24 else "float16"
            words.append(f"{name} precision: the gradient is rounded to {name}, the function is not")
    elif noisy.any():
        words.append("that is far more than rounding explains, as if it were computed by differences or in float32")
    wrong = status == "wrong"
    if (wrong & finite).any():
        relative = float(error[wrong & finite].max() / (size or 1.0))
        words.append(
            f"the deviation is {relative:.2g} times the largest component, and the same at neighbouring points"
        )
    status[truth.kinks] = "non-smooth"
    threshold = np.where(enough | ~finite, threshold, math.inf)
    certified = certified.copy()
    certified[truth.kinks] = threshold[truth.kinks] = np.nan
    blame = "gradient" if "wrong" in status.tolist() else None
    return Judgement(
        "neighbours", tuple(status.tolist()), state.claimed, certified, threshold, rounding, blame,
        tuple(dict.fromkeys(words)), arrays=truth.pair,
    )  # fmt: skip


def _seen(truth: _Truth) -> _Seen | Left:
    """Ask the gradient at neighbours."""
    n = truth.value.size
    rng = np.random.default_rng(_SEED)
    nothing = np.zeros(n)
    seen = _Seen(nothing, np.abs(truth.error), nothing.copy(), np.zeros(n, dtype=bool), truth.size, math.inf)
    seen.narrow = _narrowest(truth.state.claimed)
    if not _scattered(truth, seen, rng):
        return Left("a branch changes within the rounding of the point")
    for exponent in _LINES:
        for points in _laid(truth, exponent, rng):
            _along(truth, seen, *points, widest=exponent == _LINES[-1])
    return seen


def _narrowest(claimed: Floats) -> float:
    """Return the unit roundoff of the shortest format that holds all of the claims."""
    with np.errstate(all="ignore"):
        for kind in (np.float16, np.float32):
            if np.array_equal(claimed.astype(kind).astype(np.float64), claimed):
                return unit_of(np.dtype(kind))
    return unit_roundoff


def _scattered(truth: _Truth, seen: _Seen, rng: np.random.Generator) -> bool:
    """Look a few ulps around, where the derivative is its value and its slope; false where f takes another branch."""
    points = scatter_points(truth.problem, unit_roundoff, rng).points
    if not all(_is_same_branch(truth, point) for point in points):
        return False
    kept, claims = _claims(truth, seen, points)
    if len(kept) < _LEAST_POINTS:
        return True
    moves = _moved_by(truth, points[kept] - truth.problem.x)
    error = np.array([(c - truth.value) - truth.tail - move for c, move in zip(claims, moves, strict=True)])
    sigma, _ = polynomial_residual(np.arange(float(len(kept))), error, 0)
    _counted(seen, sigma, np.median(error, axis=0), np.isfinite(error).all(axis=0))
    return True


def _claims(truth: _Truth, seen: _Seen, points: Floats) -> tuple[list[int], list[Floats]]:
    """Ask the gradient at points: which of them have an answer, and the answers."""
    found = {k: try_claim(truth.problem, point) for k, point in enumerate(points) if np.isfinite(point).all()}
    known = {k: claim for k, claim in found.items() if claim is not None}
    seen.narrow = min([seen.narrow, *map(_narrowest, known.values())])
    return list(known), list(known.values())


def _counted(seen: _Seen, sigma: Floats, centre: Floats, counts: Flags) -> None:
    seen.spread = np.where(counts, np.fmax(seen.spread, sigma), seen.spread)
    seen.bias = np.where(counts, np.fmin(seen.bias, np.abs(centre)), seen.bias)
    seen.groups = seen.groups + counts


def _moved_by(truth: _Truth, steps: Floats) -> list[Floats]:
    """Return what tiny steps make of the derivative, to first order: two of them at once."""
    found: list[Floats] = []
    for k in range(0, len(steps), 2):
        two = steps[k], steps[min(k + 1, len(steps) - 1)]
        (moved,) = tangent_floats(truth.pair.build, [truth.pair.D], truth.pair.point, two)
        found += [np.broadcast_to(m, truth.value.shape) for m in moved.moves or (np.zeros(()),) * 2]
    return found[: len(steps)]


def _is_same_branch(truth: _Truth, point: Floats) -> bool:
    """Tell whether f decides as at the point, but where it compares equal numbers there."""
    guards = truth.pair.function.guards
    values = array_floats(truth.pair.build, [i for g in guards for i in (g.first, g.second)], point)
    for k, (guard, one, two) in enumerate(zip(guards, values[::2], values[1::2], strict=True)):
        other = ANSWERS[guard.operation](one, two) != guard.answers
        if (other & ~truth.ties[k] if k in truth.ties else other).any():
            return False
    return True


def _laid(truth: _Truth, exponent: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Lay a line on which f decides as at the point: abscissae, points, and the direction; nothing where none does."""
    problem = truth.problem
    for k in range(_HALVINGS + 1):
        d = random_signs(rng, problem.x.size) * 2.0 ** (exponent - k * _HALVED) * coordinate_scales(problem)
        quantum = np.where(problem.x == 0, 0.0, _ULPS * np.spacing(np.abs(problem.x)))
        d = np.where(quantum > 0, np.rint(d / np.where(quantum > 0, quantum, 1.0)) * quantum, d.astype(np.float32))
        t, points, d = lay_line(problem, d, _STEPS)
        if all(_is_same_branch(truth, points[end]) for end in (0, -1)):
            yield t, points, d
            return


def _along(truth: _Truth, seen: _Seen, t: Floats, points: Floats, d: Floats, *, widest: bool) -> None:
    """Look along a line: what no cubic explains of the claims is rounding, if the derivative is smooth there."""
    problem, pair = truth.problem, truth.pair
    kept, claims = _claims(truth, seen, points)
    if len(kept) < _LEAST_POINTS:
        return
    t, points, claimed = t[kept], points[kept], np.array(claims)
    # where the box is in the way, or a coordinate is rounded, the points are beside the line
    beside = (points - problem.x) - t[:, None] * d
    if beside.any():
        claimed = claimed - np.array(_moved_by(truth, beside))
    slopes = np.array([array_floats(pair.build, [pair.D], point)[0] for point in points])
    if 0.0 not in t:
        t = np.append(t, 0.0)
        claimed = np.vstack([claimed, truth.state.claimed])
        slopes = np.vstack([slopes, truth.value])
    sigma, centre = polynomial_residual(t, claimed, 3)
    rest, _ = polynomial_residual(t, slopes, 3)
    own = truth.stray + unit_roundoff * np.abs(truth.value) + _LEAST_NORMAL
    # the derivative itself must be smooth on the line, but for its own rounding
    counts = (rest <= STRAYS * own) & np.isfinite(claimed).all(axis=0)
    _counted(seen, sigma, (centre - truth.value) - truth.tail, counts)
    seen.around = max(seen.around, float(np.abs(slopes[np.isfinite(slopes)]).max(initial=0.0)))
    if widest:
        few = 1 + (np.diff(np.sort(claimed, axis=0), axis=0) != 0).sum(axis=0) <= 3
        moved = np.ptp(slopes, axis=0) > 64 * (unit_roundoff * np.abs(truth.value) + truth.stray)
        seen.stuck = np.where(counts, few & moved, seen.stuck)
