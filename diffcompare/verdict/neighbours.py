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
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.conditioning import Conditioning, conditioning, still_nodes
from diffcompare.certify.reference import certified_partials
from diffcompare.floats import Flags, Floats, unit_of, unit_roundoff
from diffcompare.program.adjoint import adjoint
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.verdict.deviation import (
    LARGE,
    LEAST_POINTS,
    SEED,
    Sample,
    Truth,
    ask_function,
    formula_fault,
    sample_line,
)
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
    try_value,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem

__all__ = ["judge_by_neighbours"]

_ETA = 2.0**-1074
_LEAST_NORMAL = 2.0**-1022
_RADII = {
    unit_roundoff: (-40, -30, -22, -15, -10, -7),
    2.0**-24: (-18, -13, -10, -7),
    2.0**-11: (-7, -6, -5, -4),
}
# a program of so many nodes is sampled on half of the lines
_LARGE_PROGRAM = 20_000
_STEPS = np.delete(uneven_steps(9), 4)
_WIDEST = -7
# relative to ‖D‖∞: the coarsest threshold of a consistent gradient; what is wrong though the function cannot tell
_COARSE, _MUTE = 2.0**-10, 2.0**-30


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


_STATUSES = {"kink": "non-smooth", "domain": "out-of-domain", "undecided": "inconclusive", "ok": ""}


def _judge(problem: Problem, formula: SymbolicFunction) -> Judgement:
    x = problem.x
    partials = certified_partials(formula, x.tolist(), ties=True)
    value, tail = (np.array([getattr(p, name) for p in partials], dtype=np.float64) for name in ("value", "tail"))
    # the middle of an enclosure of 0 is no number of ours
    value = np.where(np.abs(value) <= [p.slack for p in partials], 0.0, value)
    notes = tuple(dict.fromkeys(p.note for p in partials if p.note))
    derivative = adjoint(formula.program)
    terms = conditioning(derivative, x.tolist())
    constant = np.array([derivative.nodes[i].operation == "constant" for i in derivative.outputs[1:]]) & ~terms.zero
    folded = np.where(constant, unit_roundoff * folded_sizes(formula.program.nodes, formula.program.outputs, x)[0], 0.0)
    size = float(np.abs(value[np.isfinite(value)]).max(initial=0.0))
    state = state_of(problem)
    error = (state.claimed - value) - tail
    smooth = np.array([p.status == "ok" for p in partials]) & np.isfinite(value)
    truth = Truth(problem, formula, value, tail, terms, size, state, error, notes, smooth, folded)
    tolerance = 2 * (terms.rounding + terms.inputs + folded)
    # right to the digits that its point and constants carry is right however much its formula cancels
    carried = 2 * (terms.inputs + folded) + 4 * unit_roundoff * np.abs(value)
    carried = np.where(carried <= _COARSE * np.abs(value), carried, 4 * unit_roundoff * np.abs(value))
    tolerance = np.where(tolerance <= _COARSE * size, tolerance, carried)
    status, words = _settled(truth, [_STATUSES[p.status] for p in partials], np.abs(error) <= tolerance)
    open_ = np.array([s == "" for s in status])
    threshold = _expected_threshold(truth)
    if not open_.any():
        blame = "gradient" if "wrong" in status else None
        return _answer(truth, status, threshold, math.nan, blame, *words)
    rng = np.random.default_rng(SEED)
    widest = draw_line(problem, _WIDEST, np.ones(x.size, dtype=bool), rng, _STEPS)
    fault = formula_fault(truth, widest)
    # each component by itself: what another one claims is no reason to ask the neighbours
    agrees = open_ & (np.abs(truth.error) <= tolerance) & (not terms.near_switch)
    rounding = float(np.abs(truth.error[agrees]).max() / size) if agrees.any() and size else 0.0
    final, blame = ["consistent" if agrees[i] else s for i, s in enumerate(status)], None
    if agrees.any():
        whose = "the gradient agrees" if agrees.all() else "the other components agree"
        words.append(f"{whose} with the certified one as closely as the rounding of its formula allows")
    if (left := open_ & ~agrees).any():
        found = _measured(truth, left, rng, widest, fault.noise)
        final = [found.status[i] if left[i] else s for i, s in enumerate(final)]
        threshold, blame = np.where(left, found.threshold, threshold), found.blame
        rounding = found.rounding if not agrees.any() else max(rounding, np.nan_to_num(found.rounding))
        words += found.words
    if fault.blamed:
        final = ["wrong" if open_[i] else s for i, s in enumerate(final)]
    if "wrong" in final:
        blame = blame or ("formula" if fault.blamed else "gradient")
    return _answer(truth, final, threshold, rounding, blame, *words, *fault.words)


def _settled(truth: Truth, status: list[str], agrees: Flags) -> tuple[list[str], list[str]]:
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
            margin = LARGE * truth.size + _heavy(terms)[i]
            inside = terms.lower[i] - margin <= claimed[i] <= terms.upper[i] + margin
            if agrees[i] and not terms.near_switch:
                continue
            status[i] = "inconclusive" if inside else "wrong"
            words.append(
                f"{name}: a branch changes within the rounding of the point; its derivatives lie between "
                f"{terms.lower[i]:.6g} and {terms.upper[i]:.6g}"
            )
    return status, words


def _expected_threshold(truth: Truth) -> Floats:
    """Estimate what the neighbours would have shown, were they asked: a scatter of R."""
    terms = truth.terms
    expected = (
        8 * (terms.rounding + terms.inputs + truth.folded) + 4 * terms.sums + 4 * unit_roundoff * np.abs(truth.value)
    )
    # what is agreed to without them would have had to agree with them by so much
    expected = np.where(np.isfinite(expected), expected, _COARSE * (truth.size or 1.0))
    return np.where(terms.zero, 0.0, expected)


def _answer(
    truth: Truth, status: list[str], threshold: Floats, rounding: float, blame: str | None, *words: str
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
class _Scatter:
    """For each component: σ, b, how many groups count, and on the widest line that counts: stuck or not."""

    spread: Floats
    bias: Floats
    groups: NDArray[np.int64]
    stuck: Flags


def _scatter(truth: Truth, samples: list[Sample]) -> _Scatter:
    n = truth.value.size
    found = _Scatter(np.zeros(n), np.abs(truth.error), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool))
    for sample in samples:
        known = np.isfinite(sample.error)
        # each component at the points where it has a number, whatever the others have there
        for pattern in np.unique(known, axis=1).T:
            if pattern.sum() >= LEAST_POINTS:
                _gather(truth, sample, pattern, np.flatnonzero((pattern == known.T).all(axis=1)), found)
    return found


def _gather(truth: Truth, sample: Sample, rows: Flags, columns: NDArray[np.int64], found: _Scatter) -> None:
    """Add what a line shows of some components at some of its points."""
    t, claimed, exact, error = (
        sample.line.t[rows],
        *(part[np.ix_(rows, columns)] for part in (sample.claimed, sample.exact, sample.error)),
    )
    m = len(t)
    if sample.line.reach:
        sigma, centre = polynomial_residual(t, error, 3)
        rest, _ = polynomial_residual(t, exact, 3)
        largest = np.abs(exact).max(axis=0)
        scaled = exact / np.where(largest > 0, largest, 1.0)
        rms = np.sqrt((scaled * scaled).mean(axis=0)) * largest
        # the derivative itself must be smooth on the line
        counts = rest * math.sqrt((m - 4) / m) <= 0.01 * rms
        few = np.array([np.unique(column).size <= 3 for column in claimed.T])
        moved = np.ptp(exact, axis=0) > 64 * unit_roundoff * np.abs(truth.value[columns])
        found.stuck[columns] = np.where(counts, few & moved, found.stuck[columns])
    else:
        sigma, _ = polynomial_residual(np.arange(float(m)), error, 0)
        centre, counts = np.median(error, axis=0), np.ones(columns.size, dtype=bool)
    found.spread[columns] = np.where(counts, np.fmax(found.spread[columns], sigma), found.spread[columns])
    found.bias[columns] = np.where(counts, np.fmin(found.bias[columns], np.abs(centre)), found.bias[columns])
    found.groups[columns] += counts


def _heavy(terms: Conditioning) -> Floats:
    """Return what hardly any way of computing the derivative strays by."""
    return 60 * (terms.rounding + terms.inputs) + 8 * (terms.sums + terms.polynomial)


def _floor(truth: Truth, terms: Conditioning, unit: float, stuck: Flags) -> Floats:
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
    floor = np.where(stuck, np.maximum(np.maximum(floor, LARGE * truth.size), _heavy(terms)), floor)
    return np.where(terms.zero, 0.0, floor)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the neighbours say of the components that they were asked for."""

    status: list[str]
    threshold: Floats
    rounding: float
    blame: str | None
    words: list[str]


def _measured(truth: Truth, open_: Flags, rng: np.random.Generator, widest: Line, noise: float) -> _Measured:
    problem, x = truth.problem, truth.problem.x
    program = adjoint(truth.formula.program)
    everywhere = np.ones(x.size, dtype=bool)
    unit = _function_unit(problem, truth.state.unit, widest)
    exponents = _RADII[unit][:: 2 if len(program) > _LARGE_PROGRAM else 1]
    lines = [scatter_points(problem, unit, rng)]
    lines += [draw_line(problem, r, everywhere, rng, _STEPS) for r in exponents if r != _WIDEST]
    lines.append(widest)
    lines.sort(key=lambda line: line.reach)
    # how large the derivative is nearby does not depend on what is claimed: there all components are looked at
    samples = [sample_line(truth, line, truth.smooth if line is widest else open_) for line in lines]
    ends = [x.tolist()] + [p.tolist() for s in samples if len(s.line.t) >= LEAST_POINTS for p in s.line.points[[0, -1]]]
    terms = conditioning(program, x.tolist(), unit=unit, still=still_nodes(program, ends, unit=unit))
    scatter = _scatter(truth, samples)
    floor = _floor(truth, terms, unit, scatter.stuck)
    threshold = 6 * scatter.spread + floor
    # near a critical point the derivative is small against what it is a step away
    around = float(np.nanmax(np.abs(samples[-1].exact), initial=0.0))
    size = max(truth.size, 2.0**-10 * around) or float(terms.polynomial[truth.smooth].max()) / unit
    error = np.abs(truth.error)
    enough = open_ & (scatter.groups >= 2)
    coarse = max(_COARSE, 64 * unit) * size
    rounding = float(scatter.spread[enough].max(initial=0.0) / size) if size and enough.any() else math.nan
    words = _described(truth, scatter, enough, rounding)
    audible = np.minimum(_MUTE * size, 240 * noise / coordinate_scales(problem))
    stated = np.where(enough, np.fmax(threshold, np.where(terms.zero, 0.0, audible)), math.inf)

    # any other claim would have been wrong
    stated = np.where(terms.zero & (error == 0), 0.0, stated)
    narrow = _narrower(truth, terms, scatter, floor, samples[-1], unit, enough)
    candidates = enough & (scatter.bias > threshold) & ~narrow
    fine = enough & ~candidates & (error <= threshold / 2) & (threshold <= coarse)
    final = ["wrong" if narrow[i] else "consistent" if fine[i] else "inconclusive" for i in range(x.size)]
    if narrow.any():
        own = max(carried_unit(column, truth.state.claim_unit) for column in samples[-1].claimed.T[narrow])
        name = "float32" if own == 2.0**-24 else "float16"
        words.append(f"{name} precision: the gradient is rounded to {name}, the function is not")
    answers = ask_function(truth, unit, candidates)
    for i, answer in answers.items():
        if answer == "agrees":
            final[i] = "inconclusive" if error[i] <= LARGE * size else "wrong"
        elif answer == "contradicts" or error[i] > _MUTE * size or terms.zero[i]:
            final[i] = "wrong"
    wrong = {i for i, word in enumerate(final) if word == "wrong"}
    blame = None
    if wrong:
        blame = "formula" if all(answers.get(i) == "agrees" for i in wrong) else "gradient"
    words += [_WITNESS_WORDS[answer] for answer in dict.fromkeys(answers.values())]
    # what was called wrong was told apart by the scatter, whatever the function can say
    stated = np.where(np.array(final) == "wrong", np.fmin(stated, threshold), stated)
    if candidates.any():
        relative = float((error[candidates] / (size or 1.0)).max())
        words.append(
            f"the deviation is smooth: {relative:.2g} times the largest component, the same at neighbouring points"
        )
    return _Measured(final, stated, rounding, blame, words)


_WITNESS_WORDS = {
    "agrees": "the function itself deviates: it is not the formula, and the gradient fits the function",
    "contradicts": "the function contradicts the gradient too: its values follow the formula",
    "mute": "the values of the function are too coarse to tell which of the two is right",
}


def _described(truth: Truth, scatter: _Scatter, enough: Flags, rounding: float) -> list[str]:
    names = truth.problem.names
    words = []
    if not math.isnan(rounding):
        words.append(f"at neighbouring points the gradient scatters by {rounding:.2g} of its largest component")
    few = [names[i] for i in np.flatnonzero(~enough & (scatter.groups < 2)).tolist()]
    if few:
        words.append(f"too few neighbouring points where the derivative is smooth: {', '.join(few[:5])}")
    still = [names[i] for i in np.flatnonzero(enough & scatter.stuck).tolist()]
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


def _narrower(
    truth: Truth, terms: Conditioning, scatter: _Scatter, floor: Floats, sample: Sample, unit: float, enough: Flags
) -> Flags:
    """Tell which components were rounded to a narrower format than the function, and have just the error of that."""
    known = [column[np.isfinite(column)] for column in sample.claimed.T]
    own = np.array([carried_unit(column, truth.state.claim_unit) for column in known])
    error = np.abs(truth.error)
    allowed = 64 * own * np.maximum(np.abs(truth.value), terms.inputs / unit)
    heavy = terms.rounding + terms.inputs + terms.sums + terms.polynomial
    explained = np.maximum(error, scatter.spread) <= allowed
    clean = heavy < 1e-3 * own * truth.size
    return np.asarray(enough & (own > unit) & explained & clean & (error > 1000 * floor))
