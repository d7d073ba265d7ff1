"""What few calls tell: the slopes of a smooth function along each axis, held against the claim at the point.

Nine values of f on a line, at Chebyshev's points, are fitted by a polynomial of degree 6: its slope at the point is
that of f, and what it leaves is noise, or a function that is not smooth there. Two values much closer to the point must
lie on it too. The whole gradient is then held against f along one line through all variables. What is plain then needs
no more calls; what is not is left open.

References
----------
L. N. Trefethen, Approximation Theory and Approximation Practice, SIAM 2013, chapters 2 and 8: polynomials through
Chebyshev's points converge like ρ⁻ⁿ to what is analytic around the line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from diffcompare.floats import Floats, unit_roundoff
from diffcompare.verdict.probing import (
    actual_point,
    coordinate_scales,
    lay_line,
    polynomial_residual,
    random_signs,
    try_claim,
    try_value,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.scene import (
    COARSE,
    FLOOR,
    LARGEST,
    SEED,
    axis_of,
    is_quantized,
    quantum,
    room_along,
    size_of_others,
)
from diffcompare.watchdog import OutOfTime

__all__ = ["Slope", "slope_along", "slopes_of"]

# half the length of a line, in parts of the scale of a coordinate; the others where f is noisy, or moves fast
_REACHES = (2.0**-7, 2.0**-3, 2.0**-5, 2.0**-12)
_CLOSE = np.array([2.0**-18, -(2.0**-27)])
_CHEBYSHEV = np.cos(np.pi * np.arange(9) / 8)
_CHEBYSHEV[4] = 0.0
_DEGREE = 6
# where it is seen how steep f is nearby
_NEAR = 2.0**-8
# what a value may be off, in units of the noise, which is estimated from two degrees of freedom
_NOISES = 12.0
# of a function that is noisier than so many roundings of its values nothing is plain
_ROUNDINGS = 2.0**16
# a bug is plain that is so many bars of the slope large, and so many times the scatter of the gradient
_PLAIN, _SCATTER = 4.0, 32.0
# relative to ‖g‖∞: what the rounding of no gradient reaches; below which floor a claim is as good as the slope
_GROSS, _NONE = 2.0**-6, FLOOR / 4
# how much coarser a slope may be than the integral would be
_FEW = 12.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, slots=True)
class Slope:
    """What an axis shows: the slope of f, its bar, how steep f is nearby, its noise, and half the line.

    ``finest``: the bar that an integral may have. ``size``: that of the gradient. ``status``: what is plain of a claim,
    ``consistent`` or ``wrong``, with the smallest difference that would have been called wrong and the measured one; or
    empty.
    """

    value: float
    bar: float
    steepest: float
    noise: float
    reach: float
    one_sided: bool = False
    finest: float = 0.0
    size: float = math.nan
    status: str = ""
    threshold: float = math.inf
    difference: float = math.nan


def slopes_of(problem: Problem, state: State) -> dict[int, Slope]:
    """Measure the slope of f along each axis, and tell of which components it is plain whether they are right.

    Measured: bars are multiples of the noise that was seen. Where calls run out, the largest components were looked at.

    Parameters
    ----------
    problem : Problem
    state : State
        The value of f and the claim at the point.

    Returns
    -------
    dict
        Of the axes along which f is smooth; where ``status`` is empty, it takes more to judge the claim.
    """
    found: dict[int, Slope] = {}
    if not state.steady or state.unused:
        return found
    scales = coordinate_scales(problem)
    order = np.argsort(-np.abs(np.nan_to_num(state.claimed)) * scales, kind="stable")
    try:
        for i in order.tolist():
            slope = slope_along(problem, state, i, float(scales[i]))
            if slope is not None:
                found[i] = slope
        return _confirmed(problem, _compared(state, found, scales))
    except OutOfTime:
        # the line through all variables is left out: what is wrong must be grossly so
        return {
            i: slope if slope.status == "consistent" or _is_gross(slope) else replace(slope, status="")
            for i, slope in _compared(state, found, scales).items()
        }


@dataclass(frozen=True, slots=True)
class _Line:
    """A line along an axis: what was measured, the polynomial, what rounding leaves, and whether all values are one."""

    slope: Slope
    terms: Floats
    rounding: float
    still: bool


def slope_along(problem: Problem, state: State, i: int, scale: float) -> Slope | None:
    """Return the slope of f along an axis; None where f is not smooth, or moves less than it is noisy."""
    value, lines = float(state.values[0]), []
    for reach in _REACHES:
        line = _line(problem, state, i, reach, scale)
        if line is None:
            continue
        lines.append(line)
        quiet = reach == _REACHES[1] and line.slope.noise <= _NOISES * line.rounding
        if quiet or line.slope.bar <= _NONE * abs(line.slope.value):
            break
    # what is constant nearby alone moves in steps
    if not lines or len({line.still for line in lines}) > 1:
        return None
    best = min(lines, key=lambda line: line.slope.bar)
    noise, many = min(line.slope.noise for line in lines), max(_ROUNDINGS * unit_roundoff / state.unit, 16.0)
    # much noise may be what the line is too coarse for
    if noise > max(many * best.rounding, problem.noise or 0.0):
        return None
    for step in _CLOSE:
        v = axis_of(np.full(problem.x.size, step * scale), i)
        point = actual_point(problem, problem.x + (v if room_along(problem, v) >= 1 else -v))
        t = (point - problem.x)[i] / (best.slope.reach * scale)
        expected = value + float(best.terms @ t ** np.arange(_DEGREE + 1))
        if not abs(try_value(problem, point) - expected) <= _NOISES * best.slope.noise:
            return None
    return replace(best.slope, finest=_NOISES * noise / LARGEST / scale)


def _line(problem: Problem, state: State, i: int, reach: float, scale: float) -> _Line | None:
    """Fit f on a line along an axis; None where it has no value there, or the box leaves no room."""
    x, value, v = problem.x, float(state.values[0]), axis_of(np.full(problem.x.size, reach * scale), i)
    up, down = room_along(problem, v), room_along(problem, -v)
    # beside the edge of the box the line lies on one side
    shift = 0.0 if min(up, down) >= 1 else 1.0 if up > down else -1.0
    if max(up, down) < 1 + abs(shift):
        return None
    points = [actual_point(problem, point) for point in problem.inside(x + (_CHEBYSHEV + shift)[:, None] * v)]
    t = np.array([(point - x)[i] for point in points]) / v[i]
    values = np.array([value if step == 0 else try_value(problem, p) for step, p in zip(t, points, strict=True)])
    if not np.isfinite(values).all() or np.unique(t).size < t.size:
        return None
    spread = float(polynomial_residual(t, values[:, None], _DEGREE)[0][0])
    fit = np.linalg.pinv(np.vander(t, _DEGREE + 1, increasing=True))
    terms = fit @ (values - value)
    # what rounding leaves, and values that are multiples of the smallest float
    rounding = state.unit * float(np.abs(values).max()) + quantum(x, *values) + 2.0**-1070
    noise = max(spread, rounding, problem.noise or 0.0)
    bar = _NOISES * noise * float(np.linalg.norm(fit[1]))
    near = min(1.0, _NEAR / reach) * np.array([[-1.0], [1.0]])
    steepest = float(np.abs(near ** np.arange(_DEGREE) * np.arange(1, _DEGREE + 1) @ terms[1:]).max())
    slope = Slope(float(terms[1] / v[i]), float(bar / v[i]), float(steepest / v[i]), noise, reach, one_sided=shift != 0)
    return _Line(slope, terms, rounding, not np.ptp(values))


def _compared(state: State, found: Mapping[int, Slope], scales: Floats) -> dict[int, Slope]:
    """Hold each claim against the slope of f, in the size of all slopes."""
    slopes = np.zeros(scales.size)
    slopes[list(found)] = [abs(slope.value) for slope in found.values()]
    judged = dict(found)
    coarse = min(max(COARSE, 2.0**10 * max(state.unit, state.claim_unit)), 2.0**-12)
    for i, slope in found.items():
        claim = float(state.claimed[i])
        # near a critical point the gradient is small against what it is a step away
        size = max(abs(claim), 2.0**-10 * slope.steepest, size_of_others(slopes, scales, i))
        gap, threshold = abs(claim - slope.value), max(_PLAIN * slope.bar, 0.9 * FLOOR * size)
        known = slope.bar <= max(_NONE * size, min(coarse * size, _FEW * slope.finest))
        # of a claim that is inf nothing is plain, nor of a slope where nothing moves
        if not known or not math.isfinite(gap) or slope.value == 0 != gap:
            continue
        small = gap <= _NONE * size and gap <= 1e-3 * abs(claim)
        status = "consistent" if gap <= slope.bar or small else "wrong" if gap > threshold else ""
        judged[i] = replace(slope, size=size, status=status, threshold=threshold, difference=claim - slope.value)
    return judged


def _is_gross(slope: Slope) -> bool:
    return abs(slope.difference) > _GROSS * slope.size


def _confirmed(problem: Problem, judged: dict[int, Slope]) -> dict[int, Slope]:
    """Let f and the gradient around the point confirm what is plain, or leave it open."""
    plain = {i: slope for i, slope in judged.items() if slope.status}
    if not plain:
        return judged
    scales, v = coordinate_scales(problem), np.zeros(problem.x.size)
    signs = random_signs(np.random.default_rng(SEED), len(plain))
    for (i, slope), sign in zip(plain.items(), signs, strict=True):
        # the errors of what is wrong add up along the line
        upwards = math.copysign(sign, slope.difference) if slope.status == "wrong" else sign
        v[i] = scales[i] * slope.reach * upwards
    wrong = [i for i, slope in plain.items() if slope.status == "wrong"]
    doubtful = set(plain)
    around = _claims_that_fit(problem, plain, v)
    if around is not None:
        scatter = np.zeros(v.size)
        if not all(_is_gross(plain[i]) for i in wrong):
            scatter = _scatter(problem, v)
        # a claim such as 1 − s, where s is nearly 1, is rounded to units that its scatter need not show
        units = [2 * unit_roundoff * is_quantized(around[:, i]) for i in range(v.size)]
        doubtful = {i for i in wrong if not abs(plain[i].difference) > _SCATTER * max(scatter[i], units[i])}
    return {i: replace(slope, status="") if i in doubtful else slope for i, slope in judged.items()}


def _claims_that_fit(problem: Problem, plain: Mapping[int, Slope], v: Floats) -> Floats | None:
    """Return claims between x − v and x + v if f rises there by ∫g, but for what the errors at the point explain."""
    start, end = (actual_point(problem, problem.inside(problem.x + sign * v)) for sign in (-1, 1))
    middle, half = (start + end) / 2, (end - start) / 2
    moves = half != 0
    claims = [try_claim(problem, middle + node * half) for node in _NODES]
    if any(claim is None for claim in claims):
        return None
    around = np.array(claims)
    rise = try_value(problem, end) - try_value(problem, start)
    # 0·nan: components that do not move do not matter
    integral = float(_WEIGHTS @ around[:, moves] @ half[moves])
    wrong = {i: slope for i, slope in plain.items() if slope.status == "wrong"}
    expected = -2 * sum(float(slope.difference * half[i]) for i, slope in wrong.items())
    allowed = 2 * sum(float(slope.threshold * abs(half[i])) for i, slope in plain.items())
    allowed += 2 * _NOISES * max(slope.noise for slope in plain.values()) + 0.3 * abs(expected)
    return around if abs(rise - integral - expected) <= allowed else None


def _scatter(problem: Problem, v: Floats) -> Floats:
    """Return the scatter of each component of the gradient around the point, or inf where it has no value."""
    t, points, _ = lay_line(problem, v, uneven_steps(11))
    claims = [try_claim(problem, point) for point in points]
    if any(claim is None or not np.isfinite(claim).all() for claim in claims):
        return np.full(v.size, math.inf)
    return polynomial_residual(t, np.array(claims), 5)[0]
