"""Neither formula nor trace: the function is held against the integral of the claimed gradient.

For a smooth f with gradient g, f(x + hv) − f(x) = ∫₀ʰ g(x + tv)·v dt. Gauss's rule with 11 nodes has no truncation
error to speak of at steps of x/8, so no noise is divided by a tiny h. A bug stays whatever h is; the error of a step or
of a needle that falls between the nodes grows like 1/h; noise is measured and divided by h.

A step is a part of the coordinate, or, where that shows nothing, of the scale at which f moves well above its own
rounding: neither the size of a coordinate nor that of the others is the scale of f. Up to 200 variables each axis is
tried on both sides. Beyond, 16 axes (the 8 largest components and 8 drawn with a
fixed seed) and 16 random directions through all variables; a direction that contradicts is halved until single
components are found.

References
----------
DLMF 3.5(v) (Gauss–Legendre quadrature); J. J. Moré, S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33
(2011): the noise of a function is what no smooth function explains on a short line. Here the smooth function is a
polynomial of degree 5, fitted by least squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.probing import (
    actual_point,
    carried_unit,
    coordinate_scales,
    lay_line,
    line_noise,
    polynomial_residual,
    random_signs,
    try_claim,
    try_value,
    uneven_steps,
)
from diffcompare.verdict.problem import Problem, State

__all__ = ["judge_by_witness"]

_ETA = 2.0**-1074
_SEED = 20_240_229
_LARGEST, _SMALLEST = 2.0**-3, 2.0**-20
_NOISE_RADII = (-48, -40, -30, -20, -14, -8)
_AXIS_NOISE_RADII = (-48, -30, -8)
# where a function that moves in steps is constant, and where it is not
_SHORT, _LONG = (-(2.0**-14), -(2.0**-17), 2.0**-17, 2.0**-14), (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)
_KINK_RADII = (-20, -26, -32, -38)
# relative to ‖g‖∞: what is never called wrong; the coarsest bar of a consistent gradient
_FLOOR, _COARSE = 1e-8, 1e-5
# the bar at the largest step, relative to ‖g‖∞, for which the scale of another try is chosen
_HEARD = 1e-7
# the threshold that directions through all variables must reach for a component, relative to ‖g‖∞
_STILL = 2.0**-7
_ALL_AXES, _SOME_AXES, _DIRECTIONS, _HALVINGS = 200, 16, 16, 96


def _gauss(n: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of Gauss's rule on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


_NODES_11, _WEIGHTS_11 = _gauss(11)
_NODES_7, _WEIGHTS_7 = _gauss(7)
_NODES = np.concatenate([_NODES_11, _NODES_7])


def judge_by_witness(problem: Problem) -> Judgement | None:
    """Judge a gradient by the values of its function alone.

    Measured: f and ∫g·dx must agree within a bar made of the quadrature error and the noise of both.

    Returns
    -------
    Judgement or None
        With ``evidence="witness"``; ``certified`` is nan.

    Examples
    --------
    >>> import numpy as np
    >>> problem = Problem(lambda x: x @ x, lambda x: 2.001 * x, np.array([3.0, 4.0]), np.copy, np.asarray,
    ...                   ("x[0]", "x[1]"))
    >>> judge_by_witness(problem).status
    ('wrong', 'wrong')
    """
    with np.errstate(all="ignore"):
        return _judge(problem)


@dataclass(frozen=True, slots=True)
class _Scene:
    """The point, what was claimed there, and the noise of function and gradient."""

    problem: Problem
    x: Floats
    value: float
    claimed: Floats
    scales: Floats
    size: float  # ‖g‖∞, also of what the gradient is nearby
    noise: dict[int, float]  # on lines 2ᵏ long
    gradient_noise: dict[int, Floats]
    unit: float
    gradient_unit: float


@dataclass(frozen=True, slots=True)
class _Side:
    """What a direction showed on one side: ``wrong``, ``within``, ``unclear`` or ``nothing``; in units of g·v."""

    answer: str
    bar: float
    error: float = 0.0


@dataclass(slots=True)
class _Findings:
    """Status, threshold, measured difference and words as they are found."""

    status: list[str]
    threshold: Floats
    difference: Floats
    words: list[str] = field(default_factory=list)


def _judge(problem: Problem) -> Judgement:
    x = problem.x
    n = x.size
    state = state_of(problem)
    unknown = np.full(n, math.nan)
    found = _Findings(["inconclusive"] * n, np.full(n, math.inf), unknown)
    rounding = math.nan
    value = float(state.values[0])
    if not math.isfinite(value):
        words = [f"the function is {value} at the point"]
        found = _Findings(["out-of-domain"] * n, np.full(n, math.inf), unknown, words)
    else:
        scene = _scene(problem, state)
        noise, own = _noise_within(scene, _LARGEST)
        rounding = float(own.max(initial=0.0) / scene.size) if scene.size else 0.0
        found.words.append(f"the noise of the function was taken as {noise:.2g}")
        if n <= _ALL_AXES:
            for i in range(n):
                _judge_axis(scene, i, found)
        else:
            _judge_many(scene, found)
    return Judgement(
        "witness",
        tuple(found.status),
        state.claimed,
        np.full(n, math.nan),
        found.threshold,
        rounding,
        "gradient" if "wrong" in found.status else None,
        tuple(dict.fromkeys(found.words)),
        found.difference,
    )


def _scene(problem: Problem, state: State) -> _Scene:
    x, rng, n = problem.x, np.random.default_rng(_SEED), problem.x.size
    scales = coordinate_scales(problem)
    noise = dict.fromkeys(_NOISE_RADII, 0.0)
    gradient_noise = {exponent: np.zeros(n) for exponent in _NOISE_RADII}
    nearby, slopes = [], []
    for _ in range(2):
        v = random_signs(rng, n) * scales
        for exponent in _NOISE_RADII:
            t, points, _ = lay_line(problem, 2.0**exponent * v, uneven_steps(11))
            values = [try_value(problem, p) for p in points]
            claims = [c for c in (try_claim(problem, p) for p in points) if c is not None]
            noise[exponent] = max(noise[exponent], line_noise(t, np.array(values)))
            if len(claims) == t.size:
                residual, _ = polynomial_residual(t, np.nan_to_num(np.array(claims), posinf=0.0, neginf=0.0), 5)
                gradient_noise[exponent] = np.maximum(gradient_noise[exponent], residual)
            if exponent == _NOISE_RADII[-1]:
                nearby += values
                slopes += claims
    # one line per axis where there are few of them: f may be noisier along one than along another
    for i in range(n) if n <= _ALL_AXES else ():
        for exponent in _AXIS_NOISE_RADII:
            t, points, _ = lay_line(problem, 2.0**exponent * _axis(scales, i), uneven_steps(11))
            found = line_noise(t, np.array([try_value(problem, p) for p in points]))
            noise[exponent] = max(noise[exponent], found)
    unit = carried_unit(nearby, state.unit)
    columns = np.array(slopes).reshape(-1, n).T
    gradient_unit = max([carried_unit(column, state.claim_unit) for column in columns[:8]], default=state.claim_unit)
    around, own = (float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in (columns, state.claimed))
    # near a critical point the gradient is small against what it is a step away
    size = max(own, 2.0**-10 * around)
    return _Scene(
        problem, x, float(state.values[0]), state.claimed, scales, size, noise, gradient_noise, unit, gradient_unit
    )


def _noise_within(scene: _Scene, radius: float) -> tuple[float, Floats]:
    """Return the noise of function and gradient on lines up to this long: a kink further away is none."""
    chosen = [exponent for exponent in scene.noise if 2.0**exponent <= radius] or [_NOISE_RADII[0]]
    noise = max(scene.problem.noise or 0.0, *(scene.noise[k] for k in chosen))
    return noise, np.asarray(np.max([scene.gradient_noise[k] for k in chosen], axis=0), dtype=np.float64)


def _axis(scales: Floats, i: int) -> Floats:
    v = np.zeros_like(scales)
    v[i] = scales[i]
    return v


def _room(scene: _Scene, v: Floats) -> float:
    """Return the largest h for which x + h·v stays in the box."""
    if scene.problem.box is None:
        return math.inf
    lower, upper = scene.problem.box
    moves = v != 0
    room = np.where(v > 0, upper - scene.x, scene.x - lower)[moves] / np.abs(v[moves])
    return float(room.min(initial=math.inf))


def _look(scene: _Scene, v: Floats) -> _Side:
    """Hold f(x + hv) − f(x) against ∫g·v for h = 2⁻³ … 2⁻²⁰, as long as smaller steps can show more."""
    weight = max(float(np.abs(scene.claimed * v)[v != 0].max()), 2.0**-10 * scene.size * float(np.abs(v).max()))
    if np.count_nonzero(v) == 1:
        weight = scene.size * float(np.abs(v).max())
    floor = _FLOOR * weight
    h = min(_LARGEST, _room(scene, v))
    steps: list[tuple[float, float]] = []
    best, pair, error_at_best = math.inf, math.inf, 0.0
    while h >= _SMALLEST:
        step = _step(scene, v, h)
        h /= 2
        if step is None:
            steps.clear()
            continue
        error, bar = step
        steps.append(step)
        if len(steps) > 1:
            pair = min(pair, max(bar, steps[-2][1]))
            seen = _persistent(steps, floor)
            if seen is not None:
                right = _right_nearby(scene, v, seen)
                return _Side("unclear", math.inf, seen) if right else _Side("wrong", max(pair, floor), seen)
        if bar < best:
            best, error_at_best = bar, error
        if abs(error) <= bar <= floor or (error == 0.0 == scene.size):
            return _Side("within", 2 * max(bar, floor), error)
        if bar > 8 * best and abs(error) <= bar:
            break
    if best == math.inf:
        return _Side("nothing", math.inf)
    threshold = max(1.5 * pair, floor)
    if abs(error_at_best) > best:
        # too small to be called wrong, too large for the bar; or what neither a bug nor noise explains
        small = abs(error_at_best) <= floor and abs(error_at_best) <= 1e-3 * abs(float(scene.claimed @ v))
        return _Side("within", threshold, error_at_best) if small else _Side("unclear", math.inf, error_at_best)
    fine = best <= max(_COARSE, 2.0**10 * max(scene.unit, scene.gradient_unit)) * weight
    return _Side("within" if fine else "unclear", threshold, error_at_best)


def _persistent(steps: list[tuple[float, float]], floor: float) -> float | None:
    """Return the error that stays when h is halved, with what is linear in h or without; None if none stays.

    The jump of a step grows like 1/h. The error of a gradient that changes much over h has a part that is linear in
    h; a(h) = 2·err(h/2) − err(h) is free of it.
    """
    (before, bar_before), (error, bar) = steps[-2:]
    # compared without dividing: bars of subnormal functions round to 0
    if abs(error) <= max(bar, floor) or abs(before) <= max(bar_before, floor):
        return None
    if abs(error - before) <= 0.3 * max(abs(error), abs(before)):
        return error
    if len(steps) < 3:
        return None
    first, bar_first = steps[-3]
    a, b = 2 * before - first, 2 * error - before
    if min(abs(a), abs(b)) > 3 * max(bar, bar_before, bar_first, floor) and abs(a - b) <= 0.3 * max(abs(a), abs(b)):
        return b
    return None


def _step(scene: _Scene, v: Floats, h: float) -> tuple[float, float] | None:
    """Return [f(x + hv) − f(x) − ∫g·v]/h and its bar; None where the function or the gradient has no value."""
    problem = scene.problem
    end = actual_point(problem, problem.inside(scene.x + h * v))
    move = end - scene.x
    value = try_value(problem, end)
    if not math.isfinite(value) or not move.any():
        return None
    moves = move != 0
    rates = []
    for node in _NODES:
        claimed = try_claim(problem, scene.x + node * move)
        # 0·nan: components that do not move do not matter
        if claimed is None or not np.isfinite(claimed[moves]).all():
            return None
        rates.append(claimed[moves])
    along = np.array(rates) @ move[moves]
    integrals = _WEIGHTS_11 @ along[:11], _WEIGHTS_7 @ along[11:]
    rise = value - scene.value
    quadrature = 3 * abs(integrals[1] - integrals[0])
    noise_, gradient_noise = _noise_within(scene, 4 * h)
    noise = 12 * noise_ + 4 * scene.unit * (abs(scene.value) + abs(value)) + 4 * _ETA * moves.size
    noise += _quantum(scene.x, value, scene.value)
    gradient = 8 * float(gradient_noise @ np.abs(move)) + 8 * scene.gradient_unit * float(np.abs(along).max())
    # each value is rounded to a multiple of η, and so is each product with the move
    gradient += 4 * _ETA * float((1 + np.abs(move)).sum())
    # the abscissae of the quadrature are floats: it counts where a step is a few ulps of x
    gradient += 2 * unit_roundoff * float(np.abs(scene.x[moves]) @ np.ptp(rates, axis=0))
    if _is_quantized(np.array(rates)):
        gradient += 8 * unit_roundoff * float(np.abs(move).sum())
    return float(rise - integrals[0]) / h, float(quadrature + noise + gradient) / h


def _quantum(x: Floats, *values: float) -> float:
    """Return what rounding leaves of values that cancel to a few units."""
    extent = max(1.0, float(np.abs(x).max()))
    return 8 * unit_roundoff * extent if _is_quantized(np.array(values), extent) else 0.0


def _is_quantized(values: Floats, extent: float = 1.0) -> bool:
    """Tell whether all that is left of values are a few units of 2⁻⁵⁴, as of 1 − s where s is nearly 1."""
    units = values * 2.0**54
    return bool((np.abs(units) < 1024 * extent).all() and (units % 1 == 0).all())


def _judge_axis(scene: _Scene, i: int, found: _Findings) -> None:
    """Judge one component with steps in the scale of its coordinate; where they show nothing, of the noise of f."""
    axis = _look_along(scene, i)
    if axis.status == "inconclusive" and math.isfinite(scene.claimed[i]) and _has_another_scale(scene, i):
        along = _scene_along(scene, i)
        other = _look_along(along, i)
        wrong = other.status == "wrong" and other.both and _is_smooth(along) and not _is_still(scene, along, i)
        if wrong or other.status == "consistent":
            axis = other
    found.status[i], found.threshold[i], found.difference[i] = axis.status, axis.threshold, axis.difference
    found.words += axis.words


def _is_smooth(scene: _Scene) -> bool:
    """Tell whether longer lines show no more noise than shorter ones, as those of a function with small steps do."""
    short = max(noise for exponent, noise in scene.noise.items() if exponent <= _NOISE_RADII[2])
    return max(scene.noise.values()) <= 2.0**6 * max(short, scene.unit * abs(scene.value)) + (scene.problem.noise or 0)


def _is_still(scene: _Scene, along: _Scene, i: int) -> bool:
    """Tell whether f is constant on the scale of its noise and moves farther away: its values are rounded."""
    near, far = _axis(along.scales, i), _axis(np.maximum(scene.scales, float(scene.scales.max())), i)

    def moves(v: Floats) -> bool:
        values = [try_value(scene.problem, scene.problem.inside(scene.x + t * v)) for t in (*_SHORT, *_LONG)]
        return any(math.isfinite(value) and value != scene.value for value in values)

    return not moves(near) and moves(far)


@dataclass(frozen=True, slots=True)
class _Axis:
    """What an axis showed, and the difference that was measured; ``both``: on every side that can be had."""

    status: str
    threshold: float
    words: tuple[str, ...] = ()
    both: bool = True
    difference: float = math.nan


def _look_along(scene: _Scene, i: int) -> _Axis:
    name, scale, claimed = scene.problem.names[i], scene.scales[i], scene.claimed[i]
    v = _axis(scene.scales, i)
    slopes = _slopes(scene, v, _KINK_RADII)
    kink = _kink(scene, slopes, scale)
    if kink is not None:
        words = f"{name}: a kink, the slopes on its sides are {kink[0]:.6g} and {kink[1]:.6g}"
        return _Axis("non-smooth", math.inf, (words,))
    if not math.isfinite(claimed):
        wide = _slopes(scene, v, (-13, -16))
        values = np.array([slope for _, left, right in wide for slope in (left, right)]) / scale
        if values.size == 4 and np.ptp(values) <= 1e-3 * np.abs(values).max():
            words = f"{name}: the gradient is {claimed} where the function has the slope {values[-1]:.4g}"
            return _Axis("wrong", math.inf, (words,))
        return _Axis("inconclusive", math.inf)
    sides = [(sign, _look(scene, sign * v)) for sign in (1.0, -1.0) if _room(scene, sign * v) >= _SMALLEST]
    answers = [(sign, side) for sign, side in sides if side.answer != "nothing"]
    threshold = max((side.bar for _, side in answers), default=math.inf) / scale
    if any(_is_outside(scene, sign * v) for sign, _ in sides):
        return _Axis("out-of-domain", math.inf, (f"{name}: the function has no value on one side",))
    wrong = [(sign, side) for sign, side in sides if side.answer == "wrong"]
    if wrong and _moves_in_steps(scene, v, wrong[0][1].error):
        return _Axis("inconclusive", math.inf, (f"{name}: the function moves in steps and is constant nearby",))
    if _leaps(scene, slopes):
        words = f"{name}: the function jumps at the point, or rises without limit beside it"
        return _Axis("inconclusive", math.inf, (words,))
    if wrong:
        slopes_ = [claimed + sign * side.error / scale for sign, side in wrong]
        words = f"{name}: the function rises as if its slope were {slopes_[0]:.10g}, not {claimed:.10g}"
        off = np.array(slopes_) - claimed
        both = len(wrong) == len(answers) and bool(np.ptp(off) <= 0.3 * np.abs(off).max())
        # the side that shows it needs no other one
        return _Axis("wrong", min(side.bar for _, side in wrong) / scale, (words,), both, -float(off[0]))
    if not sides:
        return _Axis("inconclusive", threshold, (f"{name}: the box leaves no room",))
    if len(answers) < len(sides):
        return _Axis("inconclusive", threshold, (f"{name}: the function or the gradient has no value on one side",))
    if _unexplained(scene, slopes, float(claimed * scale)) > threshold * scale:
        words = f"{name}: very close to the point the function has another slope than the gradient says"
        return _Axis("inconclusive", math.inf, (words,))
    if any(side.answer != "within" for _, side in sides) or not _is_continued(scene, i, v, threshold):
        return _Axis("inconclusive", threshold)
    # a function that does not change over a distance that is no small one has the slope 0
    constant = claimed == 0 and scale >= _audible(scene, i) / 2 and all(side.error == 0 for _, side in sides)
    if not constant and threshold > 2.0**-10 * max(scene.size, abs(scene.value) / float(scene.scales.max())):
        return _Axis("inconclusive", threshold, (f"{name}: the function is too coarse to tell its slope",))
    one = (f"{name}: tried on one side only, the other is outside the box",) if len(sides) == 1 else ()
    return _Axis("consistent", threshold, one)


def _is_outside(scene: _Scene, v: Floats) -> bool:
    """Tell whether f is nan at every distance on one side, down to a few ulps."""
    points = [scene.x + 2.0**exponent * v for exponent in (-20, -30, -40, -48)]
    moved = [point for point in points if (point != scene.x).any()]
    return bool(moved) and all(_is_nan(scene, point) for point in moved)


def _is_nan(scene: _Scene, point: Floats) -> bool:
    try:
        with np.errstate(all="ignore"):
            return math.isnan(scene.problem.value(point))
    except Exception:
        return False


def _is_continued(scene: _Scene, i: int, v: Floats, threshold: float) -> bool:
    """Tell whether the claim at the point is what the gradient nearby continues to: the integrals do not ask for it."""
    if min(_room(scene, v), _room(scene, -v)) < _SMALLEST:
        return True
    around = [try_claim(scene.problem, scene.x + sign * _SMALLEST * v) for sign in (1, -1)]
    values = np.array([claim[i] for claim in around if claim is not None and math.isfinite(claim[i])])
    if values.size < 2:
        return True
    noise = 8 * float(_noise_within(scene, _LARGEST)[1][i])
    return bool(abs(values.mean() - scene.claimed[i]) <= max(threshold, 2.0**-10 * scene.size, np.ptp(values)) + noise)


def _has_another_scale(scene: _Scene, i: int) -> bool:
    return not 1 / 2 <= _audible(scene, i) / scene.scales[i] <= 2


def _audible(scene: _Scene, i: int) -> float:
    """Return the scale whose largest step moves a slope of ‖g‖∞ well above the rounding of f, and x by many ulps."""
    # not of the noise that was measured: that may be of steps, which must not be looked over
    noise = 12 * (scene.problem.noise or 0.0) + _quantum(scene.x, scene.value)
    rate = _LARGEST * _HEARD * scene.size
    least = (noise + 8 * scene.unit * abs(scene.value)) / rate if rate else 1.0
    # farther away than the other coordinates and 1 nobody says that f is the same
    least = min(least, max(1.0, float(scene.scales.max())))
    scale = max(least, 2.0**10 * float(np.spacing(abs(scene.x[i]))))
    if scene.problem.box is not None:
        lower, upper = scene.problem.box
        scale = min(scale, max(upper[i] - scene.x[i], scene.x[i] - lower[i]))
    return scale


def _scene_along(scene: _Scene, i: int) -> _Scene:
    """Return the scene for one axis alone, with steps in the scale of the noise of f, which is measured along it."""
    scales = scene.scales.copy()
    scales[i] = _audible(scene, i)
    noise, gradient_noise = {}, {}
    # up to the largest step: a staircase may be constant on all shorter lines
    for exponent in (*_NOISE_RADII, -5, -3):
        t, points, _ = lay_line(scene.problem, 2.0**exponent * _axis(scales, i), uneven_steps(11))
        values = [try_value(scene.problem, p) for p in points]
        noise[exponent] = line_noise(t, np.array(values))
        claims = [c for c in (try_claim(scene.problem, p) for p in points) if c is not None]
        gradient_noise[exponent] = np.zeros(scene.x.size)
        if len(claims) == t.size:
            claimed = np.nan_to_num(np.array(claims), posinf=0.0, neginf=0.0)
            gradient_noise[exponent] = polynomial_residual(t, claimed, 5)[0]
    return replace(scene, scales=scales, noise=noise, gradient_noise=gradient_noise)


def _right_nearby(scene: _Scene, v: Floats, error: float) -> bool:
    """Tell whether two steps very close to the point deny an error: a kink or many small steps made it further away."""
    claimed = float((scene.claimed * v)[v != 0].sum())
    agree = [
        # one side is enough: the point may lie on a step
        min(abs(left - claimed), abs(right - claimed)) < 0.3 * abs(error)
        for h, left, right in _slopes(scene, v, _KINK_RADII)
        if _own_noise(scene, h) < 0.3 * abs(error)
    ]
    return sum(agree) >= 2


def _moves_in_steps(scene: _Scene, v: Floats, error: float) -> bool:
    """Tell whether f is constant close to the point and not further away, where a slope would have moved it."""
    values = {t: try_value(scene.problem, scene.problem.inside(scene.x + t * v)) for t in (*_SHORT, *_LONG)}
    slope = max(abs(float(scene.claimed @ v)), abs(error))
    return (
        all(values[t] == scene.value for t in _SHORT)
        and any(math.isfinite(values[t]) and values[t] != scene.value for t in _LONG)
        and slope * max(_SHORT) > 64 * scene.unit * abs(scene.value)
    )


def _slopes(scene: _Scene, v: Floats, exponents: Sequence[int]) -> list[tuple[float, float, float]]:
    """Return h and the slopes of f on the left and on the right, in units of g·v, where both can be had."""
    found = []
    for exponent in exponents:
        h = 2.0**exponent
        if min(_room(scene, v), _room(scene, -v)) < h:
            continue
        right, left = (actual_point(scene.problem, scene.x + sign * h * v) for sign in (1, -1))
        i = int(np.abs(v).argmax())
        up, down = (right - scene.x)[i] / v[i], (scene.x - left)[i] / v[i]
        if up > 0 and down > 0:
            a, b = (
                (scene.value - try_value(scene.problem, left)) / down,
                (try_value(scene.problem, right) - scene.value) / up,
            )
            if math.isfinite(a) and math.isfinite(b):
                found.append((h, a, b))
    return found


def _own_noise(scene: _Scene, h: float) -> float:
    # a kink spoils the lines that are as long as the step
    return 48 * (_noise_within(scene, h / 64)[0] + 2 * scene.unit * abs(scene.value)) / h


def _kink(scene: _Scene, slopes: list[tuple[float, float, float]], scale: float) -> tuple[float, float] | None:
    """Return the two slopes where they differ by the same amount at steps that differ by a factor of 64 and more."""
    least = _FLOOR * scene.size * scale
    bars = [max(_own_noise(scene, h), least) for h, _, _ in slopes]
    jumps = np.array([right - left for _, left, right in slopes])
    loud = [k for k, jump in enumerate(jumps) if abs(jump) > bars[k]]
    if len(loud) < 2 or np.ptp(jumps[loud]) > 0.1 * np.abs(jumps[loud]).max():
        return None
    # a smaller step that would show the kink, and does not: it lies beside the point
    if any(bars[k] < 0.5 * abs(jumps[loud[0]]) for k in range(loud[-1] + 1, len(slopes))):
        return None
    return slopes[loud[-1]][1] / scale, slopes[loud[-1]][2] / scale


def _leaps(scene: _Scene, slopes: list[tuple[float, float, float]]) -> bool:
    """Tell whether the slopes of one side grow by one factor at each step, as those of a jump or a root do."""
    if len(slopes) < 4 or abs(slopes[-1][2] - slopes[-1][1]) * slopes[-1][0] <= 2.0**10 * scene.unit * abs(scene.value):
        return False
    for side in (1, 2):
        # what is a slope drops out
        changes = [abs(b[side] - a[side]) for a, b in pairwise(slopes)]
        growth = [b / a if a else math.inf for a, b in pairwise(changes)]
        if min(growth) > 2 and max(growth) < 1.2 * min(growth):
            return True
    return False


def _unexplained(scene: _Scene, slopes: list[tuple[float, float, float]], claimed: float) -> float:
    """Return how far the claim is from the slope that two steps very close to the point agree on, in units of g·v."""
    gaps = [
        # a function that moves in steps has no slope there
        abs((left + right) / 2 - claimed) - abs(right - left) - _own_noise(scene, h) if left or right else 0.0
        for h, left, right in slopes
    ]
    return max([0.0, *(min(a, b) for a, b in pairwise(gaps) if abs(a - b) <= 0.3 * max(a, b))])


def _judge_many(scene: _Scene, found: _Findings) -> None:
    """Judge many components: some axes, then random directions through all of them."""
    n, rng = scene.x.size, np.random.default_rng(_SEED)
    order = np.argsort(-np.abs(np.nan_to_num(scene.claimed)), kind="stable")
    half = _SOME_AXES // 2
    axes = [*order[:half].tolist(), *rng.choice(order[half:], half, replace=False).tolist()]
    axes += np.flatnonzero(~np.isfinite(scene.claimed))[:_SOME_AXES].tolist()
    for i in dict.fromkeys(axes):
        _judge_axis(scene, i, found)
    judged = np.zeros(n, dtype=bool)
    judged[axes] = True
    found.words.append(
        f"{n} components: {len(set(axes))} axes and {_DIRECTIONS} random directions were tried; "
        "the other components are judged by the directions"
    )
    open_ = np.isfinite(scene.claimed)
    budget = _HALVINGS
    within, threshold = True, np.zeros(n)
    suspects: list[Flags] = []
    for _ in range(_DIRECTIONS):
        v = _direction(scene, rng)
        side = _look(scene, np.where(open_, v, 0.0))
        within = within and side.answer == "within"
        threshold = np.maximum(threshold, side.bar / np.abs(v))
        if side.answer == "wrong" and not suspects:
            suspects.append(open_)
    located = 0
    while suspects and budget > 0 and located < 8:
        mask = suspects.pop()
        members = np.flatnonzero(mask)
        if members.size == 1:
            _judge_axis(scene, int(members[0]), found)
            judged[members] = True
            located += found.status[members[0]] == "wrong"
            continue
        for part in (members[: members.size // 2], members[members.size // 2 :]):
            narrower = np.zeros(n, dtype=bool)
            narrower[part] = True
            budget -= 1
            if _look(scene, np.where(narrower, _direction(scene, rng), 0.0)).answer == "wrong":
                suspects.append(narrower)
    # a coordinate far smaller than the others hardly moves in any direction
    still = ~judged & open_ & ~(threshold <= _STILL * scene.size)
    for i in np.flatnonzero(still)[:_SOME_AXES]:
        _judge_axis(scene, int(i), found)
        judged[i] = True
    for i in np.flatnonzero(~judged):
        found.threshold[i] = threshold[i]
        found.status[i] = "consistent" if within and open_[i] and not still[i] else "inconclusive"
    if not within and "wrong" not in found.status:
        found.words.append("a random direction does not fit, but no single component was found to be wrong")


def _direction(scene: _Scene, rng: np.random.Generator) -> Floats:
    v = random_signs(rng, scene.x.size) * scene.scales
    if scene.problem.box is not None:
        # towards the larger room where the other side has little
        up, down = scene.problem.box[1] - scene.x, scene.x - scene.problem.box[0]
        little = np.minimum(up, down) < _LARGEST * np.abs(v)
        v[little] = (np.abs(v) * np.where(up >= down, 1.0, -1.0))[little]
    return v
