"""Why a Jacobian or a Hessian is wrong: mistakes of the whole matrix, then those of a row as a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program, subprogram
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.nearby import nearby, program_of
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.causes.search import Cause, find_cause_nearby, quiet
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.ladder import traced
from diffcompare.verdict.problem import Problem

__all__ = ["cause_in_matrix"]


# what explains a matrix as a whole
_WHOLE = frozenset({"not finite", "sign", "factor", "transposed", "permuted", "float32", "clipped"})
# rows whose causes are looked for
_TRIED = 4
# operations of a program of arrays that is traced number by number as well, for the causes of rows
_SHORT = 20_000


@quiet
def cause_in_matrix(
    problem: Problem, judgement: Judgement, difference: Floats, _shape: tuple[int, ...] | None
) -> Cause | None:
    """Find out why a matrix of derivatives is wrong."""
    budget = Budget()
    n = problem.x.size
    rows = len(problem.names) // n
    shape = (rows, n) if rows > 1 and n > 1 else None
    program = program_of(problem, judgement, budget)
    if program is None and (judgement.arrays is None or judgement.arrays.work <= _SHORT):
        known = traced(problem)
        program = None if known is None else known.program
    asked = nearby(problem, judgement, program, budget)
    own = None
    if shape is not None and problem.what == "Hessian" and asked is not None:
        own = _of_hessian(judgement.claimed, judgement.certified, difference, judgement.threshold)
        if own is not None and not all(_repeats(own, beside) for beside in asked[1:]):
            own = None
    if own is not None:
        return own
    found = find_cause_nearby(problem, judgement, difference, None, asked, budget, shape=shape)
    if found is not None and found.kind == "sign":
        # what is said of gradients
        found = replace(found, text=found.text.replace(" (a descent direction)", ""))
    if (found is not None and found.kind in _WHOLE) or program is None or asked is None:
        return found
    return _of_a_row(problem, judgement, difference, program, asked, budget) or found


def _repeats(own: Cause, beside: Nearby) -> bool:
    found = _of_hessian(beside.claimed, beside.certified, beside.gap, beside.threshold)
    return found is not None and found.is_same(own)


def _of_hessian(claimed: Floats, certified: Floats, difference: Floats, threshold: Floats) -> Cause | None:
    """Tell what is wrong with the symmetric halves or the diagonal."""
    n = round(claimed.size**0.5)
    g, D, e, limit = (a.reshape(n, n) for a in (claimed, certified, difference, threshold))
    with np.errstate(all="ignore"):
        wrong = np.abs(e) > limit
    components = tuple(np.flatnonzero(wrong).tolist())
    if not wrong.any() or not np.isfinite(D).all():
        return None
    diagonal = np.eye(n, dtype=bool)
    lower, upper = np.tril(~diagonal), np.triu(~diagonal)
    # entries that are 0 by right are right in either half
    telling = (D != 0) & ~diagonal
    if (g[wrong] == 0).all():
        for half, other, one, two in ((lower, upper, "lower", "upper"), (upper, lower, "upper", "lower")):
            if (wrong == (half & telling)).all() and (other & telling).any():
                text = f"the {one} triangle is 0: a Hessian is symmetric, copy the {two} one"
                return Cause("missing term", text, components)
        if (wrong == telling).all():
            return Cause("missing term", "the mixed derivatives are 0: only the diagonal is there", components)
    if not wrong[~diagonal].any() and wrong.sum() > 1:
        ratio = g[wrong] / D[wrong]
        for factor, said in ((0.5, "factor 2 missing: the claim is D/2"), (2.0, "factor 2 too many: the claim is 2*D")):
            if (np.abs(ratio - factor) <= 1e-9).all():
                return Cause("factor", f"{said} on the diagonal", components)
    if wrong[~diagonal].any():
        # a claim that is nearly right would be near without that, too
        near = np.maximum(limit, np.minimum(1e-9 * np.abs(D), 1e-3 * np.max(np.abs(e[wrong]))))
        for factor, said in ((0.5, "the mean of the claim and"), (1.0, "the sum of the claim and")):
            if (np.abs(factor * (g + g.T) - D) <= near).all():
                return Cause("transposed", f"a Hessian is symmetric: {said} its transpose is right", components)
    return None


def _of_a_row(
    problem: Problem, judgement: Judgement, difference: Floats, program: Program, asked: Sequence[Nearby],
    budget: Budget,
) -> Cause | None:  # fmt: skip
    n = problem.x.size
    rows = len(problem.names) // n
    numbers = program.outputs
    if problem.what == "Hessian":
        program = adjoint(program)
        numbers = program.outputs[1:]
    if len(numbers) != rows:
        # a product with a vector
        return None
    with np.errstate(all="ignore"):
        wrong = np.abs(difference).reshape(rows, n) > judgement.threshold.reshape(rows, n)
    some = np.flatnonzero(wrong.any(axis=1)).tolist()

    def cause_of(k: int) -> Cause | None:
        one, part = subprogram(program, [numbers[k]]), slice(k * n, (k + 1) * n)
        return find_cause_nearby(problem, judgement, difference, one, asked, budget, part=part)

    for k in some[:_TRIED]:
        found = cause_of(k)
        if found is None or found.kind == "one component":
            continue
        others = (cause_of(other) for other in some if other != k)
        if found.kind == "finite difference" and all(o is not None and o.kind == found.kind for o in others):
            return replace(found, components=tuple(np.flatnonzero(wrong).tolist()))
        first = problem.names[k * n]
        # an array of outputs has no rows
        row = f"in row {k}, " if first.count(",") == 1 else f"in the row of {first}, "
        words = found.text if n == 1 and first in found.text else row + found.text
        return replace(found, text=words, components=tuple(c + k * n for c in found.components))
    return None
