"""An opaque gradient beside a known formula: its rounding is measured at neighbouring points.

D, the true derivative, is known exactly at every float point. At neighbours the rounding error e = g − D scatters, a
bug is smooth and present at every scale. So e is sampled a few ulps around the point and along short lines; a cubic
through e(t) separates the two: its residual σ is rounding, its value at t = 0 is the bug.

The numeric factors were found by trials and change only together with a count of bugs found and false alarms.

References
----------
J. J. Moré, S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011): noise is what no smooth
function explains on a short line; N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. (2002),
chapter 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.conditioning import Conditioning, conditioning, exact_difference, still_nodes
from diffcompare.certify.reference import certified_partials
from diffcompare.floats import Flags, Floats, unit_of, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.difference import folded_sizes
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.probing import (
    Line,
    carried_unit,
    coordinate_scales,
    draw_line,
    polynomial_residual,
    scatter_points,
    try_claim,
    try_value,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem, State

__all__ = ["judge_by_neighbours"]

_ETA = 2.0**-1074
_LEAST_NORMAL = 2.0**-1022
_SEED = 20_240_229
_LEAST_POINTS = 6
_RADII = {
    unit_roundoff: (-40, -30, -22, -15, -10, -7),
    2.0**-24: (-18, -13, -10, -7),
    2.0**-11: (-7, -6, -5, -4),
}
# a program of so many nodes is sampled on half of the lines
_LARGE_PROGRAM = 20_000
_STEPS = np.delete(uneven_steps(9), 4)
_WITNESS_RADII = (-3, -5, -8)
_WIDEST = -7
# relative to ‖D‖∞: the coarsest threshold of a consistent gradient; a deviation too large to be that of a constant; one
# too small to be called wrong without the function
_COARSE, _LARGE, _MUTE = 2.0**-10, 2.0**-20, 2.0**-30


def judge_by_neighbours(problem: Problem) -> Judgement | None:
    """Judge an opaque gradient where the function is known as a formula; None where it is not.

    Measured: the verdict rests on the rounding that this gradient shows at neighbouring points.

    Returns
    -------
    Judgement or None
        With ``evidence="neighbours"``. ``threshold`` belongs to this implementation at this point.

    Examples
    --------
    >>> import numpy as np
    >>> import diffcompare as dc
    >>> square = dc.parse("x0**2 + x1**2")
    >>> problem = Problem(lambda x: x @ x, lambda x: 2.001 * x, np.array([3.0, 4.0]), np.copy, np.asarray,
    ...                   ("x[0]", "x[1]"), square)
    >>> judge_by_neighbours(problem).status
    ('wrong', 'wrong')
    """
    formula = problem.formula
    if formula is None:
        return None
    with np.errstate(all="ignore"):
        return _judge(problem, formula)


@dataclass(frozen=True, slots=True)
class _Truth:
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
    folded: Floats  # the rounding of constants that a derivative is computed from, where it is a constant


_STATUSES = {"kink": "non-smooth", "domain": "out-of-domain", "undecided": "inconclusive", "ok": ""}


def _judge(problem: Problem, formula: SymbolicFunction) -> Judgement:
    x = problem.x
    partials = certified_partials(formula, x.tolist(), ties=True)
    value, tail = (np.array([getattr(p, name) for p in partials], dtype=np.float64) for name in ("value", "tail"))
    notes = tuple(dict.fromkeys(p.note for p in partials if p.note))
    derivative = adjoint(formula.program)
    terms = conditioning(derivative, x.tolist())
    constant = np.array([derivative.nodes[i].operation == "constant" for i in derivative.outputs[1:]]) & ~terms.zero
    folded = np.where(constant, unit_roundoff * folded_sizes(formula.program.nodes, formula.program.outputs, x)[0], 0.0)
    size = float(np.abs(value[np.isfinite(value)]).max(initial=0.0))
    state = state_of(problem)
    truth = _Truth(problem, formula, value, tail, terms, size, state, (state.claimed - value) - tail, notes, folded)
    tolerance = 2 * (terms.rounding + terms.inputs + folded)
    # right to the digits that its point and constants carry is right however much its formula cancels
    carried = 2 * (terms.inputs + folded) + 4 * unit_roundoff * np.abs(value)
    carried = np.where(carried <= _COARSE * np.abs(value), carried, 4 * unit_roundoff * np.abs(value))
    tolerance = np.where(tolerance <= _COARSE * size, tolerance, carried)
    status, words = _settled(truth, [_STATUSES[p.status] for p in partials], np.abs(truth.error) <= tolerance)
    open_ = np.array([s == "" for s in status])
    threshold = _expected_threshold(truth)
    if not open_.any():
        blame = "gradient" if "wrong" in status else None
        return _answer(truth, status, threshold, math.nan, blame, *words)
    if (np.abs(truth.error) <= tolerance)[open_].all() and not terms.near_switch:
        rounding = float(np.abs(truth.error[open_]).max() / size) if size else 0.0
        line = draw_line(problem, _WIDEST, np.ones(x.size, dtype=bool), np.random.default_rng(_SEED), _STEPS)
        fault = _formula_fault(truth, line)
        final = [s or ("wrong" if fault.blamed else "consistent") for s in status]
        whose = "the gradient agrees" if open_.all() else "the other components agree"
        quick = f"{whose} with the certified one as closely as the rounding of its formula allows"
        blame = "formula" if fault.blamed else "gradient" if "wrong" in final else None
        return _answer(truth, final, threshold, rounding, blame, *words, quick, *fault.words)
    return _measured(truth, status, open_, words)


def _settled(truth: _Truth, status: list[str], agrees: Flags) -> tuple[list[str], list[str]]:
    """Settle what needs no neighbours: no number, a derivative out of range, a switch within rounding."""
    claimed, value, terms = truth.state.claimed, truth.value, truth.terms
    words = []
    for i, name in enumerate(truth.problem.names):
        if status[i]:
            continue
        if not math.isfinite(value[i]):
            status[i] = "consistent" if claimed[i] == value[i] else "inconclusive"
            words.append(f"{name}: the true derivative is beyond the range of binary64")
        elif not math.isfinite(claimed[i]):
            status[i] = "wrong"
            cause = ", perhaps because an intermediate value leaves the range of the format" * terms.out_of_range
            words.append(f"{name}: the gradient is {claimed[i]} where the derivative is {value[i]:.6g}{cause}")
        elif terms.zero[i] and claimed[i] == 0:
            status[i] = "consistent"
        elif terms.near_crossing and terms.upper[i] - terms.lower[i] > _COARSE * truth.size:
            margin = _LARGE * truth.size + _heavy(terms)[i]
            inside = terms.lower[i] - margin <= claimed[i] <= terms.upper[i] + margin
            if agrees[i] and not terms.near_switch:
                continue
            status[i] = "inconclusive" if inside else "wrong"
            words.append(
                f"{name}: a branch changes within the rounding of the point; its derivatives lie between "
                f"{terms.lower[i]:.6g} and {terms.upper[i]:.6g}"
            )
    return status, words


def _expected_threshold(truth: _Truth) -> Floats:
    """Estimate what the neighbours would have shown, were they asked: a scatter of R."""
    terms = truth.terms
    expected = (
        8 * (terms.rounding + terms.inputs + truth.folded) + 4 * terms.sums + 4 * unit_roundoff * np.abs(truth.value)
    )
    # what is agreed to without them would have had to agree with them by so much
    expected = np.where(np.isfinite(expected), expected, _COARSE * (truth.size or 1.0))
    return np.where(terms.zero, 0.0, expected)


def _answer(
    truth: _Truth, status: list[str], threshold: Floats, rounding: float, blame: str | None, *words: str
) -> Judgement:
    return Judgement(
        "neighbours",
        tuple(status),
        truth.state.claimed,
        truth.value,
        threshold,
        rounding,
        blame,
        tuple(dict.fromkeys((*truth.notes, *words))),
    )


@dataclass(frozen=True, slots=True)
class _Sample:
    """The claimed gradient and its error at the points of a line that count, of shape (m, n)."""

    line: Line
    claimed: Floats
    exact: Floats
    error: Floats


def _sample(truth: _Truth, line: Line, open_: Flags) -> _Sample:
    """Ask the gradient along a line; points outside the domain, and those without an answer, are dropped."""
    indices = np.flatnonzero(open_).tolist()
    n = open_.size
    rows, kept = [], []
    for k, point in enumerate(line.points):
        at_point = np.array_equal(point, truth.problem.x)
        claimed = truth.state.claimed if at_point else try_claim(truth.problem, point)
        if claimed is None or not np.isfinite(claimed[open_]).all() or not np.isfinite(point).all():
            continue
        partials = certified_partials(truth.formula, point.tolist(), indices=indices, check=False, ties=True)
        if not all(p.status == "ok" and math.isfinite(p.value) for p in partials):
            continue
        exact, error = np.zeros(n), np.zeros(n)
        exact[indices] = [p.value for p in partials]
        error[indices] = [(claimed[i] - p.value) - p.tail for i, p in zip(indices, partials, strict=True)]
        rows.append((np.where(open_, claimed, 0.0), exact, error))
        kept.append(k)
    claimed_, exact_, error_ = (
        np.array([row[part] for row in rows], dtype=np.float64).reshape(-1, n) for part in range(3)
    )
    return _Sample(replace(line, t=line.t[kept], points=line.points[kept]), claimed_, exact_, error_)


@dataclass(frozen=True, slots=True)
class _Scatter:
    """For each component: σ, b, how many groups count, and on the widest line that counts: stuck or not."""

    spread: Floats
    bias: Floats
    groups: NDArray[np.int64]
    stuck: Flags


def _scatter(truth: _Truth, samples: list[_Sample]) -> _Scatter:
    n = truth.value.size
    spread, bias = np.zeros(n), np.abs(truth.error)
    groups, stuck = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    for sample in samples:
        m = len(sample.line.t)
        if m < _LEAST_POINTS:
            continue
        if sample.line.reach:
            sigma, centre = polynomial_residual(sample.line.t, sample.error, 3)
            rest, _ = polynomial_residual(sample.line.t, sample.exact, 3)
            largest = np.abs(sample.exact).max(axis=0)
            scaled = sample.exact / np.where(largest > 0, largest, 1.0)
            rms = np.sqrt((scaled * scaled).mean(axis=0)) * largest
            # the derivative itself must be smooth on the line
            counts = rest * math.sqrt((m - 4) / m) <= 0.01 * rms
            few = np.array([np.unique(column).size <= 3 for column in sample.claimed.T])
            moved = np.ptp(sample.exact, axis=0) > 64 * unit_roundoff * np.abs(truth.value)
            stuck = np.where(counts, few & moved, stuck)
        else:
            sigma, _ = polynomial_residual(np.arange(float(m)), sample.error, 0)
            centre, counts = np.median(sample.error, axis=0), np.ones(n, dtype=bool)
        spread = np.where(counts, np.fmax(spread, sigma), spread)
        bias = np.where(counts, np.fmin(bias, np.abs(centre)), bias)
        groups += counts
    return _Scatter(spread, bias, groups, stuck)


def _heavy(terms: Conditioning) -> Floats:
    """Return what hardly any way of computing the derivative strays by."""
    return 60 * (terms.rounding + terms.inputs) + 8 * (terms.sums + terms.polynomial)


def _floor(truth: _Truth, terms: Conditioning, unit: float, stuck: Flags) -> Floats:
    """Return what neighbours cannot show: the rounding of inputs, constants and of what stands still."""
    size = np.abs(truth.value)
    floor = (
        4 * (terms.inputs + terms.still_rounding + terms.still_sums + truth.folded)
        + 4 * unit * size
        # constants that the code prepared by a loop
        + np.minimum(2 * terms.rounding, 4096 * unit * size)
        + terms.operations * _ETA
        + _LEAST_NORMAL
    )
    floor = np.where(stuck, np.maximum(np.maximum(floor, _LARGE * truth.size), _heavy(terms)), floor)
    return np.where(terms.zero, 0.0, floor)


def _measured(truth: _Truth, status: list[str], open_: Flags, words: list[str]) -> Judgement:
    problem, x = truth.problem, truth.problem.x
    rng = np.random.default_rng(_SEED)
    program = adjoint(truth.formula.program)
    everywhere = np.ones(x.size, dtype=bool)
    widest = draw_line(problem, _WIDEST, everywhere, rng, _STEPS)
    unit = _function_unit(problem, truth.state.unit, widest)
    exponents = _RADII[unit][:: 2 if len(program) > _LARGE_PROGRAM else 1]
    lines = [scatter_points(problem, unit, rng)]
    lines += [draw_line(problem, r, everywhere, rng, _STEPS) for r in exponents if r != _WIDEST]
    lines.append(widest)
    lines.sort(key=lambda line: line.reach)
    samples = [_sample(truth, line, open_) for line in lines]
    ends = [x.tolist()] + [
        p.tolist() for s in samples if len(s.line.t) >= _LEAST_POINTS for p in s.line.points[[0, -1]]
    ]
    terms = conditioning(program, x.tolist(), unit=unit, still=still_nodes(program, ends, unit=unit))
    scatter = _scatter(truth, samples)
    floor = _floor(truth, terms, unit, scatter.stuck)
    threshold = 6 * scatter.spread + floor
    # near a critical point the derivative is small against what it is a step away
    around = max((float(np.abs(s.exact).max(initial=0.0)) for s in samples), default=0.0)
    size = max(truth.size, 2.0**-10 * around) or float(terms.polynomial[open_].max()) / unit
    error = np.abs(truth.error)
    enough = open_ & (scatter.groups >= 2)
    candidates = enough & (scatter.bias > threshold)
    coarse = max(_COARSE, 64 * unit) * size
    fine = enough & ~candidates & (error <= threshold / 2) & (threshold <= coarse)
    rounding = float(scatter.spread[enough].max(initial=0.0) / size) if size and enough.any() else math.nan
    words = [*words, *_described(truth, scatter, enough, rounding)]
    fault = _formula_fault(truth, widest)
    audible = np.minimum(_MUTE * size, 240 * fault.noise / coordinate_scales(problem))
    stated = np.where(enough, np.fmax(threshold, np.where(terms.zero, 0.0, audible)), math.inf)

    # any other claim would have been wrong
    stated = np.where(terms.zero & (error == 0), 0.0, stated)
    coarser = _coarser(truth, terms, scatter, floor, samples[-1], unit, enough)
    if coarser is not None:
        bad = enough & (error > 1000 * floor)
        final = [
            s or ("wrong" if bad[i] else "consistent" if enough[i] else "inconclusive") for i, s in enumerate(status)
        ]
        return _answer(truth, final, stated, rounding, "gradient", *words, coarser)
    final = [s or ("consistent" if fine[i] else "inconclusive") for i, s in enumerate(status)]
    blame = "gradient" if "wrong" in final else None
    if candidates.any():
        answer = _ask_function(truth, unit, candidates)
        for i in np.flatnonzero(candidates):
            if answer == "agrees":
                final[i] = "inconclusive" if error[i] <= _LARGE * size else "wrong"
            elif answer == "contradicts" or error[i] > _MUTE * size or terms.zero[i]:
                final[i] = "wrong"
        agrees = answer == "agrees"
        if "wrong" in final:
            blame = "formula" if agrees else "gradient"
        words += _WITNESS_WORDS[answer]
        # what was called wrong was told apart by the scatter, whatever the function can say
        stated = np.where(np.array(final) == "wrong", np.fmin(stated, threshold), stated)
        relative = float((error[candidates] / (size or 1.0)).max())
        words.append(
            f"the deviation is smooth: {relative:.2g} times the largest component, the same at neighbouring points"
        )
        if agrees:
            return _answer(truth, final, stated, rounding, blame, *words)
    if fault.blamed and not candidates.any():
        final = ["wrong" if s in ("consistent", "inconclusive") and open_[i] else s for i, s in enumerate(final)]
        blame = "formula"
    return _answer(truth, final, stated, rounding, blame, *words, *fault.words)


_WITNESS_WORDS = {
    "agrees": ["the function itself deviates: it is not the formula, and the gradient fits the function"],
    "contradicts": ["the function contradicts the gradient too: its values follow the formula"],
    "mute": ["the values of the function are too coarse to tell which of the two is right"],
}


def _described(truth: _Truth, scatter: _Scatter, enough: Flags, rounding: float) -> list[str]:
    names = truth.problem.names
    words = []
    if not math.isnan(rounding):
        words.append(f"at neighbouring points the gradient scatters by {rounding:.2g} of its largest component")
    few = [names[i] for i in np.flatnonzero(~enough & (scatter.groups < 2))]
    if few:
        words.append(f"too few neighbouring points where the derivative is smooth: {', '.join(few[:5])}")
    still = [names[i] for i in np.flatnonzero(enough & scatter.stuck)]
    if still:
        words.append(f"the gradient stands still although the derivative moves: {', '.join(still[:5])}")
    return words


def _function_unit(problem: Problem, declared: float, widest: Line) -> float:
    """Tell in which format the function computes: by its dtype, by its argument's, or by its values at neighbours."""
    try:
        declared = max(declared, unit_of(np.asarray(problem.flatten(problem.unflatten(problem.x))).dtype))
    except Exception:
        return unit_roundoff
    return carried_unit([try_value(problem, p) for p in widest.points[widest.t != 0]], declared)


def _coarser(
    truth: _Truth,
    terms: Conditioning,
    scatter: _Scatter,
    floor: Floats,
    sample: _Sample,
    unit: float,
    enough: Flags,
) -> str | None:
    """Tell whether the gradient was rounded to a narrower format than the function, and its error is just that."""
    if not enough.any():
        return None
    own = max(carried_unit(column, truth.state.claim_unit) for column in sample.claimed.T[enough])
    if own <= unit:
        return None
    error = np.abs(truth.error)
    allowed = 64 * own * np.maximum(np.abs(truth.value), terms.inputs / unit)
    heavy = terms.rounding + terms.inputs + terms.sums + terms.polynomial
    explained = (np.maximum(error, scatter.spread) <= allowed)[enough].all()
    clean = heavy[enough].max() < 1e-3 * own * truth.size
    if not (explained and clean and (error > 1000 * floor)[enough].any()):
        return None
    name = "float32" if own == 2.0**-24 else "float16"
    return f"{name} precision: the gradient is rounded to {name}, the function is not"


@dataclass(frozen=True, slots=True)
class _FormulaFault:
    """Whether the function departs from the formula along a line, and the noise of its values."""

    blamed: bool
    noise: float
    words: tuple[str, ...] = ()


def _formula_fault(truth: _Truth, line: Line) -> _FormulaFault:
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
    if known.sum() < _LEAST_POINTS + 1:
        return _FormulaFault(False, math.inf)
    t, values, gaps = line.t[known], values[known], gaps[known]
    unit = carried_unit(values, unit_roundoff)
    noise = _noise(problem, t, values, gaps, unit)
    largest = float(np.abs(values).max() + np.abs(values - gaps).max())
    change = float(np.ptp(gaps))
    if not change > 4 * (8 * noise + 64 * unit * largest):
        offset = float(np.median(gaps))
        if abs(offset) > _LARGE * largest and offset:
            return _FormulaFault(False, noise, (f"the function is the formula plus a constant, {offset:.6g}",))
        return _FormulaFault(False, noise)
    # a difference as small as that of rounded constants or of an iteration stopped early is told, not blamed
    slope = float((np.abs(truth.value) * np.abs(line.direction))[np.isfinite(truth.value)].sum())
    if change <= _LARGE * np.ptp(line.t) * slope or np.unique(values).size <= 3:
        return _FormulaFault(False, noise, (f"the function departs from the formula by {change:.2g} nearby",))
    return _FormulaFault(
        True, noise, (f"the function is not the formula: their difference changes by {change:.2g} nearby",)
    )


def _noise(problem: Problem, t: Floats, values: Floats, gaps: Floats, unit: float) -> float:
    residual, _ = polynomial_residual(t, gaps[:, None], 5)
    return max(1.5 * float(residual[0]) + 2 * unit * float(np.abs(values).max()), problem.noise or 0.0)


def _ask_function(truth: _Truth, unit: float, candidates: Flags) -> str:
    """Ask the function whether the deviation e is its own: δ = f̂ − F against ∫ e·dx along short lines."""
    rng = np.random.default_rng(_SEED + 1)
    found: list[tuple[float, str]] = []
    for exponent in _WITNESS_RADII:
        for free in (np.ones_like(candidates), candidates):
            line = draw_line(truth.problem, exponent, free, rng, uneven_steps(11))
            answer = _along(truth, line, unit, np.isfinite(truth.value) & np.isfinite(truth.state.claimed))
            if answer is not None:
                found.append(answer)
    return max(found)[1] if found else "mute"


def _along(truth: _Truth, line: Line, unit: float, known: Flags) -> tuple[float, str] | None:
    """Return how loud the deviation is above the noise of the function, and what the function says; None if mute."""
    sample = _sample(truth, line, known)
    t = sample.line.t
    if len(t) < 8:
        return None
    values = np.array([try_value(truth.problem, p) for p in sample.line.points])
    if not np.isfinite(values).all():
        return None
    program = truth.formula.program
    gaps = np.array([exact_difference(program, p.tolist(), v) for p, v in zip(sample.line.points, values, strict=True)])
    if not np.isfinite(gaps).all():
        return None
    noise = _noise(truth.problem, t, values, gaps, unit)
    rate = (sample.error * np.where(known, line.direction, 0.0)).sum(axis=1)
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
