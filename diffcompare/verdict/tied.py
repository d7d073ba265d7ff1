"""A gradient that only returns floats, at a point where f branches between equal numbers: f's own code tells more.

The rules that measure a gradient around the point look across the branch there. Where f can be traced, its sides say
whether there is a derivative, and which one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.verdict.difference import conditioning_of, nearest_float
from diffcompare.verdict.identity import is_what_runs
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.pair import ATTEMPTS, Pair, trace_beside
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.sides import Beside, Sides, sides_of, varying

__all__ = ["judge_by_sides"]


# no single value is called wrong for less, relative to the largest component
_CLEAR = 2.0**-20
_COARSE = 2.0**-10
# what rounding scatters by at most
_SCATTER = 2.0**-7


def judge_by_sides(problem: Problem, judgement: Judgement) -> Judgement:
    """Put right what a rule that looks around the point says of components whose derivative jumps or ends there.

    Proven where the sides are (:func:`diffcompare.verdict.sides.sides_of`); a claim is held against the derivative of
    both sides by what hardly any way of computing it strays by.

    Parameters
    ----------
    problem : Problem
    judgement : Judgement
        What another rule found.
    """
    found = _sides(problem)
    if found is None:
        return judgement
    sides, pair, beside = found
    status, threshold, certified = list(judgement.status), judgement.threshold.copy(), judgement.certified.copy()
    known = np.abs(certified[np.isfinite(certified)])
    largest = max([float(known.max(initial=0.0)), *(abs(nearest_float(s)) for s in sides.common.values())])
    terms = conditioning_of(pair)
    for i, slope in sides.common.items():
        if not np.isfinite(judgement.claimed[i]):
            continue
        quick = 2 * (terms.rounding[i] + terms.inputs[i])
        quick = max(quick if np.isfinite(quick) else 0.0, 4 * unit_roundoff * abs(nearest_float(slope)))
        with precision(333):
            gap = float((Ball(float(judgement.claimed[i])) - slope).abs_lower())
        explained = quick + sides.rounding.get(i, 0.0)
        strays = 60 * (terms.rounding[i] + terms.inputs[i]) + 8 * (terms.sums[i] + terms.polynomial[i])
        # where no way of computing it is known to stray less, as for neighbours: what no answer may be coarser than
        coarse = _COARSE * (largest or 1.0)
        clear = max(strays, _CLEAR * largest) if np.isfinite(strays) else coarse
        # what the gradient scatters by around the point it may stray by here, too; more than that is another branch
        scatter = float(threshold[i]) if threshold[i] <= _SCATTER * largest else 0.0
        threshold[i] = max(clear, scatter, 8 * sides.rounding.get(i, 0.0))
        certified[i] = nearest_float(slope)
        # what explains a difference as large as the gradient explains anything
        fits = gap <= explained <= coarse or not gap
        status[i] = "consistent" if fits else "wrong" if gap > threshold[i] else "inconclusive"
    # a claim may be a slope that f has between the axes; a nan is none
    suspects = [i for i in sides.common if status[i] == "wrong" and np.isfinite(judgement.claimed[i])]
    if suspects and varying(problem, beside, pair, sides.common):
        for i in suspects:
            status[i] = "non-smooth"
    for i in sides.unknown:
        status[i] = "inconclusive" if status[i] in ("consistent", "wrong") else status[i]
    for some, word in ((sides.kinks, "non-smooth"), (sides.outside, "out-of-domain")):
        for i in some:
            status[i], threshold[i] = word, np.nan
    blame = judgement.blame if judgement.blame == "formula" else "gradient" if "wrong" in status else None
    return replace(
        judgement,
        status=tuple(status),
        threshold=threshold,
        certified=certified,
        blame=blame,
        notes=(*sides.notes, *judgement.notes),
    )


def _sides(problem: Problem) -> tuple[Sides, Pair, Beside] | None:
    """Return the sides of f, f at the point, and what records it nearby; None where there are none to be had."""
    if problem.what not in ("gradient", "Jacobian"):
        return None
    for exact, rebuilt in ATTEMPTS:

        def beside(point: Floats, exact: bool = exact, rebuilt: bool = rebuilt) -> Pair | None:
            try:
                return trace_beside(problem, point, exact=exact, rebuilt=rebuilt)
            except DiffcompareError:
                return None

        pair = beside(problem.x)
        if pair is not None and (pair.table.read or not is_what_runs(problem, state_of(problem), pair)):
            # what the code made of a number that it read is not in the trace; nor is what the trace does not see
            return None
        if pair is not None:
            sides = sides_of(problem, beside, pair)
            return (sides, pair, beside) if sides.notes or sides.common else None
    return None
