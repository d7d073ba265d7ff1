"""The candidates of a search are judged: which of them, in which order, and what counts against a gradient."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball
from diffcompare.errors import shorten
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.testing.search.sampling import Candidate, Truth, errors_at
from diffcompare.testing.snippets import source
from diffcompare.tracing.calling import Interruption
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.verdict import Verdict

__all__ = ["VERDICT", "VERDICTS", "Calls", "Judged", "cost_of", "in_turn", "is_beyond_floats", "judge"]

Check = Callable[[Callable[..., Any], Any, tuple[Any, Any]], Verdict]

# what a verdict may cost where the gradient is opaque (about 60 calls and a few), and how many are asked for
VERDICT, VERDICTS = 90, 6
# where f is opaque too, a verdict on what is plain costs so many calls of both, and so many for each variable
_PLAIN, _EACH = 60, 10
# what it costs to see whether a fault lasts
_CONFIRMING = 4
# the part of the box that a verdict looks at, in units of its width: all of it, then closer
_REACHES = (1.0, 2.0**-12, 2.0**-30)
# a number beyond the cube root of the range of floats has a cube that is 0 or inf, and formulas have cubes in them
_LARGE = 2.0**340

_SAID = {
    "wrong": "wrong where floats overflow or underflow, beside a kink or at one float alone, which does not count",
    "out-of-domain": "outside the domain, or with a value that is not finite",
    "non-smooth": "at a kink",
    "inconclusive": "of which nothing could be told",
    "consistent": "consistent",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The point that counts, its verdict, the part of the box that it looked at, the calls of all verdicts."""

    point: Floats
    verdict: Verdict
    part: tuple[Any, Any]
    calls: int
    covered: str


class _SpentError(Interruption):
    """The calls are used up, which is no error of the gradient's."""


@dataclass(slots=True)
class Calls:
    """How many were made, those of traces too, and how many may be."""

    made: int = 0
    limit: float = math.inf

    def of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose calls are counted, and end the verdict when they are used up."""

        def counted(x: Any, *more: Any) -> Any:
            if self.made >= self.limit:
                raise _SpentError
            self.made += 1
            return function(x, *more)

        return counted


def cost_of(n: int, *, known: bool) -> int:
    """Return the calls that a verdict of n variables may cost: of the gradient, or of both where f is opaque."""
    return VERDICT if known else max(VERDICT, _PLAIN + _EACH * n)


def in_turn(candidates: Sequence[Candidate], width: Floats) -> list[Candidate]:
    """Order candidates: by relative and by absolute error in turn, without those that lie beside an earlier one.

    Where a derivative goes to 0, rounding is a large relative error; the absolute one hides mistakes of small slopes.
    """
    rankings = [sorted(candidates, key=key) for key in (lambda c: -c.error, lambda c: -c.size)]
    kept: list[Candidate] = []
    for candidate in (one for pair in zip_longest(*rankings) for one in pair):
        apart = [np.max(np.abs(candidate.point - k.point) / np.where(width > 0, width, 1.0)) for k in kept]
        if all(distance > 1e-3 for distance in apart):
            kept.append(candidate)
        if len(kept) == 2 * VERDICTS:
            break
    return kept


def judge(
    check: Check,
    problem: Problem,
    candidates: Sequence[Candidate],
    ordinary: Sequence[Floats],
    calls: int,
    counter: Calls,
    known: SymbolicFunction | None,
    true: Truth,
) -> Judged | None:
    """Ask for verdicts, the worst candidate first, until one is wrong.

    Else the first that is consistent counts; a kink, a point outside the domain or one of which nothing could be told
    counts only where all points are such. A verdict that could not be told is asked for again closer to the point: a
    bug in a thin part looks like noise from outside of it. Returns None where the calls did not do for one verdict.
    """
    gradient, cost = counter.of(problem.gradient), cost_of(problem.x.size, known=known is not None)
    box, unflatten = problem.box or (problem.x, problem.x), problem.unflatten
    found: list[tuple[Floats, Verdict, tuple[Any, Any]]] = []
    # opaque code is asked for what is plain first: one point in doubt would take all calls
    turns = [(c.point, False, known is None) for c in candidates] + [(p, True, known is None) for p in ordinary]
    if known is None:
        turns += [(p, True, False) for p in [*ordinary, *(c.point for c in candidates)][:1]]
    used = 0
    for point, is_ordinary, hurried in turns:
        consistent = any(verdict.ok for _, verdict, _ in found)
        if consistent and is_ordinary:
            break
        for turn, reach in enumerate(_REACHES):
            # as long as no verdict was consistent, some calls are kept for ordinary points
            limit = (calls if consistent or is_ordinary else calls - 2 * cost) - _CONFIRMING
            if limit - used < cost:
                break
            around = reach * (box[1] - box[0])
            corners = np.maximum(box[0], point - around), np.minimum(box[1], point + around)
            part = unflatten(corners[0]), unflatten(corners[1])
            counter.limit = min(limit, used + 2 * cost) if hurried else limit
            try:
                verdict = check(gradient, unflatten(point), part)
            except _SpentError:
                used = counter.made if hurried else limit
                break
            used = counter.made
            if turn:
                found.pop()
            found.append((point, verdict, part))
            if verdict.status == "wrong" and _counts(verdict, known, point):
                counter.limit = limit + _CONFIRMING
                lasting = _lasts(replace(problem, gradient=gradient), true, point, verdict)
                used = counter.made
                if lasting:
                    return Judged(point, verdict, part, used, "")
            if verdict.status != "inconclusive":
                break
    if not found:
        return None
    ranks = [-1 if verdict.ok else COMPONENT_STATUSES.index(verdict.status) for _, verdict, _ in found]
    return Judged(*found[ranks.index(min(ranks))], used, _said(found, unflatten))


def _counts(verdict: Verdict, known: SymbolicFunction | None, point: Floats) -> bool:
    """Tell whether a wrong claim is a fault: at a kink of one component others may depend on the side, too."""
    return "non-smooth" not in verdict.components["status"].tolist() and not is_beyond_floats(verdict, known, point)


def _lasts(problem: Problem, true: Truth, point: Floats, verdict: Verdict) -> bool:
    """Tell whether a claim is wrong beside a point, too, as floats see it; only opaque code is asked."""
    error = float(np.abs(verdict.components["difference"].to_numpy(dtype=float)).max())
    if verdict.evidence != "neighbours" or not math.isfinite(error):
        return True
    signs = np.array([1.0, -1.0, 1.0, -1.0])[:, None] * (1 - 2 * (np.arange(point.size) % 2))
    signs[2:] = np.abs(signs[2:]) * np.array([1.0, -1.0])[:, None]
    moves = (
        signs * np.where(point == 0, 1.0, np.abs(point)) * np.array([2.0**-44, 2.0**-44, 2.0**-40, 2.0**-40])[:, None]
    )
    sizes = errors_at(problem, true, problem.inside(point + moves))[:, 1]
    return bool(np.isnan(sizes).all() or np.nanmax(sizes) >= error / 4)


def _said(found: Sequence[tuple[Floats, Verdict, tuple[Any, Any]]], unflatten: Callable[[Floats], Any]) -> str:
    """Say what the verdicts were, and where the first of each kind that is not consistent was."""
    counts = Counter(verdict.status for _, verdict, _ in found)
    first = {verdict.status: point for point, verdict, _ in reversed(found)}
    parts = []
    for status in reversed(COMPONENT_STATUSES):
        if counts[status]:
            where = shorten(source(unflatten(first[status])) or "a point of many numbers", 80)
            parts.append(f"{counts[status]} {_SAID[status]}{'' if status == 'consistent' else f' (first {where})'}")
    return f"{len(found)} of the points were judged: {', '.join(parts)}."


def is_beyond_floats(verdict: Verdict, known: SymbolicFunction | None, point: Floats) -> bool:
    """Tell whether numbers too large or too small for floats explain that a claim is wrong at a point.

    They do where the claim is not finite and a number on the way to the derivative is beyond 2^±340, and where
    derivative and claim are both below 2^-340. A right formula may come to inf, nan or 0 there.
    """
    claimed, certified = (np.abs(verdict.components[name].to_numpy(dtype=float)) for name in ("claimed", "certified"))
    if np.isfinite(claimed).all():
        return bool(np.isfinite(certified).all() and max(claimed.max(), certified.max()) < 1 / _LARGE)
    sizes = [*np.abs(point).tolist(), *certified[np.isfinite(certified)].tolist()]
    if known is not None:
        program = adjoint(known.program)
        values = node_balls(program.nodes, program.outputs, point.tolist(), 64).values()
        balls = [v for v in values if isinstance(v, Ball) and v.is_finite() and not v.is_zero()]
        # beyond the range of floats this is inf, or the smallest float
        sizes += [max(float(abs(v).upper()), math.ulp(0.0)) for v in balls]
    return any(size > _LARGE or 0 < size < 1 / _LARGE for size in sizes)
