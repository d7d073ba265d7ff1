"""Jacobians and Hessians row by row: where their code cannot be traced, each row is the gradient of one number.

A row of a Jacobian is the gradient of one output, a row of a Hessian that of one partial derivative. Where only values
of f can be had, a row of the Hessian is averaged over a short line: with u(x) = (f(x + δv) − f(x − δv))/2δ,
∇u(x) is exactly the mean of H(x + sv)·v over −δ ≤ s ≤ δ, and so u is the function that a row is the gradient of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.certify.arrays import certified_hessian, gradient_functions
from diffcompare.certify.reference import is_regular
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint_along
from diffcompare.program.dag import subprogram
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.calling import called
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.ladder import MANY, climb_rungs
from diffcompare.verdict.neighbours import judge_by_neighbours
from diffcompare.verdict.probing import coordinate_scales, try_value
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.witness import judge_by_witness
from diffcompare.watchdog import left_time

__all__ = ["Row", "hessian_rows", "judge_by_second_differences", "judge_rows", "output_rows", "product_row", "settled"]

Claim = Callable[[Floats], NDArray[Any]]

# numbers that are remembered of earlier calls: the rows are asked for at the same points
_REMEMBERED = 2.0e7
# δ relative to the scale of the coordinates: what a bug makes stays when it shrinks, what a corner makes grows
_WIDTHS = (2.0**-6, 2.0**-10)
_MIXED_STEP = 2.0**-6
_SMOOTH = 1e-10


@dataclass(frozen=True, slots=True)
class Row:
    """One number, and what is claimed to be its gradient: functions of the flat point; its formula if known."""

    function: Callable[[Floats], Any]
    claim: Claim
    formula: SymbolicFunction | None = None


def remembered(call: Claim, size: int) -> Claim:
    """Return a function of the flat point that remembers its answers."""

    @lru_cache(max(16, int(_REMEMBERED / max(size, 1))))
    def at(key: bytes) -> NDArray[Any]:
        return call(np.frombuffer(key).copy())

    return lambda x: at(np.ascontiguousarray(x, dtype=np.float64).tobytes())


def _claims(problem: Problem, rows: int) -> list[Claim]:
    """Return the rows of the claim, each in its own dtype."""

    def call(x: Floats) -> NDArray[Any]:
        returned = called(problem.gradient, problem.unflatten(x), *problem.args)
        return np.array(problem.flatten(returned)).reshape(rows, -1)

    whole = remembered(call, len(problem.names))
    return [lambda x, k=k: np.array(whole(x)[k]) for k in range(rows)]  # type: ignore[misc]


def output_rows(problem: Problem, formulas: Sequence[SymbolicFunction | None]) -> list[Row]:
    """Return the rows of a Jacobian: the outputs of the function."""

    def call(x: Floats) -> NDArray[Any]:
        return np.asarray(called(problem.function, problem.unflatten(x), *problem.args)).reshape(-1)

    whole = remembered(call, problem.outputs)
    return [
        Row(lambda x, k=k: whole(x)[k], claim, formula)  # type: ignore[misc]
        for k, (claim, formula) in enumerate(zip(_claims(problem, problem.outputs), formulas, strict=True))
    ]


def hessian_rows(problem: Problem, known: SymbolicFunction) -> list[Row]:
    """Return the rows of a Hessian: the partial derivatives of a known function."""
    slopes = gradient_functions(known)
    return [Row(_of_flat(problem, s), claim, s) for s, claim in zip(slopes, _claims(problem, len(slopes)), strict=True)]


def product_row(problem: Problem, known: SymbolicFunction, vector: Floats) -> Row:
    """Return the only row of a product H·v: the slope ∇f·v of a known function."""
    program = adjoint_along(known.program, [[Fraction(v) for v in vector.tolist()]])
    slope = SymbolicFunction.from_program(subprogram(program, program.outputs[1:2]), formula=f"slope of {known.name}")
    return Row(_of_flat(problem, slope), _claims(problem, 1)[0], slope)


def _of_flat(problem: Problem, f: SymbolicFunction) -> Callable[[Floats], Any]:
    """Return a formula in the floats of the user's function: a claim may be as coarse as that."""
    dtype = np.asarray(called(problem.function, problem.unflatten(problem.x), *problem.args)).dtype
    kind = dtype.type if dtype in (np.float16, np.float32) else np.float64
    return lambda x: kind(f(x[0] if x.size == 1 else x))


def judge_rows(problem: Problem, rows: Sequence[Row]) -> Judgement:
    """Judge each row by the best rule that is left: neighbours with a formula, else the witness."""
    n = len(problem.names) // len(rows)
    return _stacked([_judge_row(problem, row, problem.names[k * n : (k + 1) * n]) for k, row in enumerate(rows)])


def _judge_row(problem: Problem, row: Row, names: Sequence[str]) -> Judgement:
    one = replace(
        problem, function=row.function, gradient=row.claim, unflatten=np.copy, flatten=np.asarray, names=names,
        formula=row.formula, args=(), outputs=1, weights=None, seen=None,
    )  # fmt: skip
    known = row.formula is not None and len(names) <= MANY
    rungs = [*[("neighbours", judge_by_neighbours)] * known, ("witness", judge_by_witness)]
    # of many rows those that are left when the time is over would take long, each alone
    return climb_rungs(one, rungs if left_time() > 0 else [])


def _stacked(found: Sequence[Judgement]) -> Judgement:
    sizes = [float(np.max(np.abs(j.claimed), initial=0.0, where=np.isfinite(j.claimed))) for j in found]
    carried = [j.rounding * s for j, s in zip(found, sizes, strict=True) if not math.isnan(j.rounding)]
    largest = max(sizes)
    blames = [j.blame for j in found]
    differences = [j.difference for j in found if j.difference is not None]
    return Judgement(
        # the weakest evidence speaks for all
        "neighbours" if all(j.evidence == "neighbours" for j in found) else "witness",
        tuple(status for j in found for status in j.status),
        np.concatenate([j.claimed for j in found]),
        np.concatenate([j.certified for j in found]),
        np.concatenate([j.threshold for j in found]),
        max(carried) / largest if carried and largest else math.nan,
        "formula" if "formula" in blames else "gradient" if "gradient" in blames else None,
        tuple(dict.fromkeys(note for j in found for note in j.notes)),
        np.concatenate(differences) if len(differences) == len(found) else None,
    )


def settled(judgement: Judgement, known: SymbolicFunction, x: Floats, *, matrix: bool) -> Judgement:
    """Correct what was said of second derivatives that do not exist, or are not known to: slopes have corners too."""
    if is_regular(known, x.tolist()):
        return judgement
    words = {"kink": "non-smooth", "domain": "out-of-domain", "undecided": "inconclusive"}
    found = certified_hessian(known, x).status
    if matrix:
        said = [words.get(word) for word in found.reshape(-1).tolist()]
    else:
        # a product takes a whole row; one unknown entry leaves it unknown
        order = list(words)
        said = [words.get(min((w for w in row if w in words), key=order.index, default="")) for row in found.tolist()]
    status = tuple(new or old for new, old in zip(said, judgement.status, strict=True))
    blame = judgement.blame if "wrong" in status else None
    note = "the point lies on a corner or an edge of the function: second derivatives were looked at one by one"
    return replace(judgement, status=status, blame=blame, notes=(*judgement.notes, note))


# ---- nothing but values of f


def judge_by_second_differences(problem: Problem, directions: Floats) -> Judgement:
    """Judge the products H·v for some directions v (the unit vectors for H itself) by values of f alone.

    Measured, twice: with a mean over a wider and over a narrower line. A difference that is a bug is the same in both;
    one that a corner of f makes grows as the line gets shorter.
    """
    found = [_judge_at(problem, directions, width) for width in _WIDTHS]
    wide, narrow = found
    smooth = np.array(_stable(problem, directions))
    if wide.difference is not None and narrow.difference is not None:
        larger = np.fmax(np.abs(wide.difference), np.abs(narrow.difference))
        smooth &= ~(np.abs(wide.difference - narrow.difference) > 0.3 * larger)
    status = []
    for one, two, same in zip(wide.status, narrow.status, smooth, strict=True):
        if one == two and (one != "wrong" or same):
            status.append(one)
        elif {one, two} == {"consistent", "inconclusive"}:
            status.append("consistent")
        else:
            status.append("inconclusive")
    threshold = np.fmax(wide.threshold, narrow.threshold)
    notes = [n for n in dict.fromkeys((*wide.notes, *narrow.notes)) if not n.startswith("the noise")]
    claimed = problem.claim(problem.x)
    return replace(
        wide,
        status=tuple(status),
        claimed=claimed,
        threshold=threshold,
        blame="gradient" if "wrong" in status else None,
        notes=("differences of f were compared with means of the claim over short lines", *notes),
    )


def _gauss(n: int) -> list[tuple[float, float]]:
    """Return nodes on [−1, 1] and weights that add up to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return list(zip(nodes.tolist(), (weights / 2).tolist(), strict=True))


_GAUSS, _FINE_GAUSS = _gauss(4), _gauss(7)


def _judge_at(problem: Problem, directions: Floats, width: float) -> Judgement:
    claims = _claims(problem, len(directions))
    rows: list[Row | None] = []
    n = problem.x.size
    for k, v in enumerate(directions):
        delta = _width(problem, v, width)
        mean, fine = _mean(claims[k], v, delta, _GAUSS), _mean(claims[k], v, delta, _FINE_GAUSS)
        gap, size = mean(problem.x) - fine(problem.x), np.abs(fine(problem.x)).max(initial=0.0)
        if not np.isfinite(gap).all() or np.abs(gap).max() > _SMOOTH * size:
            # the mean cannot be had: no rule applies
            rows.append(None)
        else:
            rows.append(Row(_slope(problem, v, delta), mean))
    nothing = np.full(n, np.nan)
    words = "the claim changes too much nearby, or has no value there"
    return _stacked(
        [
            Judgement("witness", ("inconclusive",) * n, nothing, nothing, np.full(n, np.inf), math.nan, None, (words,))
            if row is None
            else _judge_row(replace(problem, box=_smaller(problem, v, width)), row, problem.names[k * n : (k + 1) * n])
            for k, (row, v) in enumerate(zip(rows, directions, strict=True))
        ]
    )


def _width(problem: Problem, v: Floats, width: float) -> float:
    moves = v != 0
    scale = float(np.min(coordinate_scales(problem)[moves] / np.abs(v[moves])))
    return width * 2.0 ** math.floor(math.log2(scale))


def _smaller(problem: Problem, v: Floats, width: float) -> tuple[Floats, Floats] | None:
    """Leave room in the box for the ends of the line."""
    if problem.box is None:
        return None
    reach = _width(problem, v, width) * np.abs(v)
    lower, upper = problem.box[0] + reach, problem.box[1] - reach
    return np.minimum(lower, problem.x), np.maximum(upper, problem.x)


def _slope(problem: Problem, v: Floats, delta: float) -> Callable[[Floats], Any]:
    def slope(x: Floats) -> Any:
        return (problem.value(x + delta * v) - problem.value(x - delta * v)) / (2 * delta)

    return slope


def _mean(claim: Claim, v: Floats, delta: float, rule: Sequence[tuple[float, float]]) -> Claim:
    def mean(x: Floats) -> NDArray[Any]:
        return np.asarray(sum(weight * claim(x + node * delta * v) for node, weight in rule))

    return mean


def _stable(problem: Problem, directions: Floats) -> list[bool]:
    """Tell for each entry whether the difference between f and the claim is the same over both widths."""
    x, scales = problem.x, coordinate_scales(problem)
    claims, answers = _claims(problem, len(directions)), []
    for k, v in enumerate(directions):
        errors = []
        for width in _WIDTHS:
            delta = _width(problem, v, width)
            slope, mean = _slope(problem, v, delta), _mean(claims[k], v, delta, _GAUSS)(x)
            row = []
            for j in range(x.size):
                h = _MIXED_STEP * scales[j] * (np.arange(x.size) == j)
                one = replace(problem, function=slope, unflatten=np.copy, args=())
                row.append((try_value(one, x + h) - try_value(one, x - h)) / (2 * h[j]) - mean[j])
            errors.append(np.array(row))
        answers += (np.abs(errors[0] - errors[1]) <= 0.3 * np.maximum(*map(np.abs, errors))).tolist()
    return answers
