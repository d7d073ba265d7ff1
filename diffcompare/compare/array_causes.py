"""Why a Jacobian or a Hessian is wrong: mistakes of the whole matrix, then those of a row as a gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.compare.causes import Cause, find_cause
from diffcompare.compare.judgement import Judgement, Problem
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["cause_in_matrix"]

Floats = NDArray[np.float64]
Outputs = Callable[[Problem], "Sequence[SymbolicFunction] | None"]

# what explains a matrix as a whole
_WHOLE = frozenset({"not finite", "sign", "factor", "transposed", "permuted", "float32", "clipped"})


def cause_in_matrix(
    problem: Problem,
    judgement: Judgement,
    difference: Floats,
    _shape: tuple[int, ...] | None,
    *,
    outputs: Outputs | None,
) -> Cause | None:
    """Find out why a matrix of derivatives is wrong.

    ``outputs`` gives the functions whose gradients are the rows, None where they are not known.
    """
    n = problem.x.size
    rows = len(problem.names) // n
    shape = (rows, n) if rows > 1 and n > 1 else None
    own = None if shape is None or problem.what != "Hessian" else _of_hessian(judgement, difference, n)
    if own is not None:
        return own
    found = find_cause(
        judgement.claimed,
        judgement.certified,
        judgement.threshold,
        names=problem.names,
        shape=shape,
        difference=None if judgement.difference is None else difference,
    )
    if found is not None and found.kind == "sign":
        # what is said of gradients
        found = replace(found, text=found.text.replace(" (a descent direction)", ""))
    if (found is not None and found.kind in _WHOLE) or outputs is None:
        return found
    return _of_a_row(problem, judgement, difference, rows, outputs) or found


def _of_hessian(judgement: Judgement, difference: Floats, n: int) -> Cause | None:
    """Tell what is wrong with the symmetric halves or the diagonal."""
    g, D, e, limit = (
        a.reshape(n, n) for a in (judgement.claimed, judgement.certified, difference, judgement.threshold)
    )
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
    return None


def _of_a_row(problem: Problem, judgement: Judgement, difference: Floats, rows: int, outputs: Outputs) -> Cause | None:
    functions: Any = outputs(problem)
    n = problem.x.size
    with np.errstate(all="ignore"):
        wrong = np.abs(difference).reshape(rows, n) > judgement.threshold.reshape(rows, n)
    for k in np.flatnonzero(wrong.any(axis=1)).tolist()[:_TRIED] if functions is not None else []:
        part = slice(k * n, (k + 1) * n)
        found = find_cause(
            judgement.claimed[part],
            judgement.certified[part],
            judgement.threshold[part],
            program=functions[k].program,
            point=problem.x.tolist(),
            names=problem.names[part],
            shape=None,
            difference=None if judgement.difference is None else difference[part],
        )
        if found is not None and found.kind != "one component":
            words = found.text if n == 1 else f"in row {k}, {found.text}"
            return replace(found, text=words, components=tuple(c + k * n for c in found.components))
    return None


# rows whose causes are looked for
_TRIED = 4
