"""What is known of a gradient beside a formula: its error along lines, and whether the function itself departs from it.

References
----------
J. J. Moré, S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from diffcompare.arithmetic.conditioning import Conditioning, exact_difference
from diffcompare.certify.reference import certified_partials
from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.difference import rounding_errors
from diffcompare.verdict.probing import (
    Line,
    carried_unit,
    draw_line,
    polynomial_residual,
    try_claim,
    try_value,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem, State

__all__ = [
    "LARGE", "LEAST_POINTS", "SEED", "FormulaFault", "Sample", "Truth", "ask_function", "formula_fault", "sample_line",
]  # fmt: skip

SEED = 20_240_229
LEAST_POINTS = 6
# relative to ‖D‖∞: a deviation too large to be that of a constant
LARGE = 2.0**-20
_WITNESS_RADII = (-3, -5, -8)
# components for which the function is asked one by one
_ALONE = 16


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of the derivative at the point, and what was claimed."""

    problem: Problem
    formula: SymbolicFunction
    value: Floats
    tail: Floats
    terms: Conditioning
    size: float  # ‖D‖∞
    state: State
    error: Floats  # g − D
    notes: tuple[str, ...]
    smooth: Flags  # where there is a derivative that is a float
    folded: Floats  # the rounding of constants that a derivative is computed from, where it is a constant


@dataclass(frozen=True, slots=True)
class Sample:
    """The claimed gradient and its error at the points of a line, of shape (m, n); nan where there is none."""

    line: Line
    claimed: Floats
    exact: Floats
    error: Floats


def sample_line(truth: Truth, line: Line, asked: Flags) -> Sample:
    """Ask the gradient along a line for some components; points at which it raises are dropped."""
    indices = np.flatnonzero(asked).tolist()
    n = asked.size
    rows, kept = [], []
    for k, point in enumerate(line.points):
        at_point = np.array_equal(point, truth.problem.x)
        claimed = truth.state.claimed if at_point else try_claim(truth.problem, point)
        if claimed is None or not np.isfinite(point).all():
            continue
        exact, tail = np.zeros(n), np.zeros(n)
        if at_point:
            exact[indices], tail[indices] = np.where(truth.smooth, truth.value, math.nan)[asked], truth.tail[asked]
        else:
            partials = certified_partials(truth.formula, point.tolist(), indices=indices, check=False, ties=True)
            exact[indices] = [p.value if p.status == "ok" and math.isfinite(p.value) else math.nan for p in partials]
            tail[indices] = [p.tail for p in partials]
        error = np.where(asked, (claimed - exact) - tail, 0.0)
        error[~np.isfinite(error)] = math.nan
        rows.append((np.where(asked, claimed, 0.0), exact, error))
        kept.append(k)
    claimed_, exact_, error_ = (
        np.array([row[part] for row in rows], dtype=np.float64).reshape(-1, n) for part in range(3)
    )
    return Sample(replace(line, t=line.t[kept], points=line.points[kept]), claimed_, exact_, error_)


@dataclass(frozen=True, slots=True)
class FormulaFault:
    """Whether the function departs from the formula along a line, and the noise of its values."""

    blamed: bool
    noise: float
    words: tuple[str, ...] = ()


def formula_fault(truth: Truth, line: Line) -> FormulaFault:
    """Hold the function against the formula along the widest line; a constant offset is no fault."""
    problem = truth.problem
    values = np.array([try_value(problem, p) for p in line.points])
    gaps = np.array(
        [
            exact_difference(truth.formula.program, p.tolist(), v) if math.isfinite(v) else math.nan
            for p, v in zip(line.points, values, strict=True)
        ]
    )
    known = np.isfinite(gaps)
    if known.sum() < LEAST_POINTS + 1:
        return FormulaFault(False, math.inf)
    t, values, gaps = line.t[known], values[known], gaps[known]
    unit = carried_unit(values, unit_roundoff)
    noise = _noise(problem, t, values, gaps, unit)
    largest = float(np.abs(values).max() + np.abs(values - gaps).max())
    change = float(np.ptp(gaps))
    program = truth.formula.program
    # a coordinate may be lost in larger numbers
    (rounding,) = rounding_errors(program.nodes, program.outputs, problem.x)
    if not change > 4 * (8 * noise + 64 * unit * largest + rounding):
        offset = float(np.median(gaps))
        if abs(offset) > LARGE * largest and offset:
            return FormulaFault(False, noise, (f"the function is the formula plus a constant, {offset:.6g}",))
        return FormulaFault(False, noise)
    # a difference as small as that of rounded constants or of an iteration stopped early is told, not blamed
    slope = float((np.abs(truth.value) * np.abs(line.direction))[np.isfinite(truth.value)].sum())
    if change <= LARGE * np.ptp(line.t) * slope or np.unique(values).size <= 3:
        return FormulaFault(False, noise, (f"the function departs from the formula by {change:.2g} nearby",))
    return FormulaFault(
        True, noise, (f"the function is not the formula: their difference changes by {change:.2g} nearby",)
    )


def _noise(problem: Problem, t: Floats, values: Floats, gaps: Floats, unit: float) -> float:
    residual, _ = polynomial_residual(t, gaps[:, None], 5)
    return max(1.5 * float(residual[0]) + 2 * unit * float(np.abs(values).max()), problem.noise or 0.0)


def ask_function(truth: Truth, unit: float, candidates: Flags) -> dict[int, str]:
    """Ask the function whether the deviation e is its own: δ = f̂ − F against ∫ e·dx along short lines.

    Each component is asked for alone, so that no other one has a say; of many, the later ones together.
    """
    members = np.flatnonzero(candidates).tolist()
    groups = [[i] for i in members[:_ALONE]] + [members[_ALONE:]] * (len(members) > _ALONE)
    answers: dict[int, str] = {}
    for group in groups:
        rng = np.random.default_rng(SEED + 1)
        free = np.isin(np.arange(candidates.size), group)
        found: list[tuple[float, str]] = []
        for exponent in _WITNESS_RADII:
            for _ in range(min(2, len(group))):
                line = draw_line(truth.problem, exponent, free, rng, uneven_steps(11))
                answer = _along(truth, line, unit, free)
                if answer is not None:
                    found.append(answer)
        answers |= dict.fromkeys(group, max(found)[1] if found else "mute")
    return answers


def _along(truth: Truth, line: Line, unit: float, known: Flags) -> tuple[float, str] | None:
    """Return how loud the deviation is above the noise of the function, and what the function says; None if mute."""
    sample = sample_line(truth, line, known)
    rows = np.isfinite(sample.error).all(axis=1)
    t, points, error = sample.line.t[rows], sample.line.points[rows], sample.error[rows]
    if len(t) < 8:
        return None
    values = np.array([try_value(truth.problem, p) for p in points])
    if not np.isfinite(values).all():
        return None
    program = truth.formula.program
    gaps = np.array([exact_difference(program, p.tolist(), v) for p, v in zip(points, values, strict=True)])
    if not np.isfinite(gaps).all():
        return None
    noise = _noise(truth.problem, t, values, gaps, unit)
    rate = (error * np.where(known, line.direction, 0.0)).sum(axis=1)
    largest = float(np.abs(rate).max())
    if not 0 < largest < math.inf:
        return None
    coefficients = np.polynomial.polynomial.polyfit(t, rate / largest, 4)
    rest = rate / largest - np.polynomial.polynomial.polyval(t, coefficients)
    if not np.sqrt((rest**2).mean()) < 0.1 * np.sqrt(((rate / largest) ** 2).mean()):
        return None
    integral = largest * np.polynomial.polynomial.polyval(t, np.polynomial.polynomial.polyint(coefficients))
    integral, gaps = integral - integral.mean(), gaps - gaps.mean()
    loud = float(np.abs(integral).max())
    if not loud >= 12 * noise:
        return None
    strength = loud / noise if noise else math.inf
    rest_, own = float(np.abs(gaps - integral).max()), float(np.abs(gaps).max())
    if rest_ < 0.3 * loud:
        return strength, "agrees"
    return (strength, "contradicts") if own < 0.3 * loud or rest_ > 0.7 * loud else None
