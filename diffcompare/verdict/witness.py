"""Neither formula nor trace: the function is held against the integral of the claimed gradient.

For a smooth f with gradient g, f(x + hv) − f(x) = ∫₀ʰ g(x + tv)·v dt. Gauss's rule with 11 nodes has no truncation
error to speak of at steps of x/8, so no noise is divided by a tiny h. A bug stays whatever h is; the error of a step or
of a needle that falls between the nodes grows like 1/h; noise is measured and divided by h.

What a few values along each axis make plain (``slopes.py``) is not asked again: this rule is for what is in doubt.

A step is a part of the coordinate, or, where that shows nothing, of the scale at which f moves well above its own
rounding: neither the size of a coordinate nor that of the others is the scale of f. Up to 200 variables each axis is
tried on both sides. Beyond, 16 axes (the 8 largest components and 8 drawn with a
fixed seed) and 16 random directions through all variables; a direction that contradicts is halved until single
components are found.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

import numpy as np

from diffcompare.floats import Flags, Floats, unit_roundoff
from diffcompare.verdict.directions import (
    KINK_RADII,
    is_outside,
    is_smooth,
    is_still,
    kink_of,
    leaps,
    look,
    moves_in_steps,
    slopes_beside,
    unexplained,
)
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.probing import actual_point, coordinate_scales, random_signs, try_claim, try_value
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.scene import ALL_AXES, LARGEST, SEED, SMALLEST, Scene, axis_of, scene_along, scene_of
from diffcompare.verdict.slopes import Slope, slopes_of
from diffcompare.watchdog import OutOfTime

__all__ = ["judge_by_witness"]

# the threshold that directions through all variables must reach for a component, relative to ‖g‖∞
_STILL = 2.0**-7
_SOME_AXES, _DIRECTIONS, _HALVINGS = 16, 16, 96
# in units of the rounding of the largest coordinate: steps that its rounding blurs by a few percent
_BEYOND = 64


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
        few = slopes_of(problem, state) if n <= ALL_AXES else {}
        _take(problem, few, found)
        try:
            plain = {i: slope.value for i, slope in few.items() if slope.status}
            if len(plain) < n:
                rounding = _judge_open(scene_of(problem, state, plain), plain, found)
        except OutOfTime as error:
            if "wrong" not in found.status and "consistent" not in found.status:
                raise
            # what few calls told stands
            found.words.insert(0, str(error) or "the time was over before all components were judged")
        _leave_open_what_larger_numbers_round(problem, state.claimed, found)
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


def _take(problem: Problem, few: Mapping[int, Slope], found: _Findings) -> None:
    """Take over what is plain."""
    if few and all(slope.status for slope in few.values()):
        noise = max(slope.noise for slope in few.values())
        found.words.append(f"the noise of the function was taken as {noise:.2g}")
    for i, slope in few.items():
        if slope.status:
            found.status[i], found.threshold[i], found.difference[i] = slope.status, slope.threshold, slope.difference
        if slope.status == "wrong":
            found.words.append(_rises(problem.names[i], slope.value, slope.value + slope.difference))
        if slope.status and slope.one_sided:
            found.words.append(_on_one_side(problem.names[i]))


def _leave_open_what_larger_numbers_round(problem: Problem, claimed: Floats, found: _Findings) -> None:
    """Ask longer steps, too, where a coordinate is smaller than what the largest one is rounded to.

    Beside −1e6 a coordinate of 1e-12 is lost in one term of a sum and kept in another: f has a slope there that is of
    its roundings alone. On steps of several units of the last place of the largest coordinate it is as claimed.
    """
    wrong = [i for i, status in enumerate(found.status) if status == "wrong"]
    if not wrong:
        return
    step = _BEYOND * unit_roundoff * float(np.abs(problem.x).max())
    scales = coordinate_scales(problem)
    for i in (i for i in wrong if scales[i] < step):
        ends = [actual_point(problem, problem.x + sign * axis_of(np.full(problem.x.size, step), i)) for sign in (1, -1)]
        values, apart = np.array([try_value(problem, end) for end in ends]), float((ends[0] - ends[1])[i])
        slope, rounding = (values[0] - values[1]) / apart, unit_roundoff * float(np.abs(values).max()) / apart
        if abs(slope - claimed[i]) + 8 * rounding <= 0.3 * abs(found.difference[i]):
            name = problem.names[i]
            found.status[i], found.threshold[i], found.difference[i] = "inconclusive", math.inf, math.nan
            found.words = [words for words in found.words if not words.startswith(f"{name}: ")]
            found.words.append(f"{name}: the function is too coarse beside larger coordinates to tell its slope")


def _rises(name: str, slope: float, claimed: float) -> str:
    return f"{name}: the function rises as if its slope were {slope:.10g}, not {claimed:.10g}"


def _on_one_side(name: str) -> str:
    return f"{name}: tried on one side only, the other is outside the box"


def _judge_open(scene: Scene, plain: Container[int], found: _Findings) -> float:
    """Judge the components that are not plain; return the rounding of the gradient."""
    noise, own = scene.noise_within(LARGEST)
    found.words.append(f"the noise of the function was taken as {noise:.2g}")
    if scene.x.size <= ALL_AXES:
        for i in range(scene.x.size):
            if i not in plain:
                _judge_axis(scene, i, found)
    else:
        _judge_many(scene, found)
    return float(own.max(initial=0.0) / scene.size) if scene.size else 0.0


def _judge_axis(scene: Scene, i: int, found: _Findings) -> None:
    """Judge one component with steps in the scale of its coordinate; where they show nothing, of the noise of f."""
    scene = scene.alone(i) if scene.x.size <= ALL_AXES else scene
    axis = _look_along(scene, i)
    quiet = axis.status == "inconclusive" and not axis.jump
    if quiet and math.isfinite(scene.claimed[i]) and scene.has_another_scale(i):
        along = scene_along(scene, i)
        other = _look_along(along, i)
        wrong = other.status == "wrong" and other.both and is_smooth(along)
        wrong = wrong and abs(other.difference * along.scales[i]) * LARGEST > _rounding_farther_away(scene)
        # the steps of rounded values are flat
        if (wrong or other.status == "consistent") and not is_still(scene, along, i):
            axis = other
    found.status[i], found.threshold[i], found.difference[i] = axis.status, axis.threshold, axis.difference
    found.words += axis.words


def _rounding_farther_away(scene: Scene) -> float:
    """Return what f moves by on longer lines without a slope, if it is what numbers of size 1 in its code round to.

    Closer to the point such a function has a slope, that of one step of the staircase.
    """
    noise = scene.noise_within(LARGEST)[0]
    return 12 * noise if noise <= 2.0**10 * unit_roundoff else 0.0


@dataclass(frozen=True, slots=True)
class _Axis:
    """What an axis showed, and the difference that was measured.

    ``both``: on every side that can be had. ``jump``: at the point itself, which no larger steps tell of.
    """

    status: str
    threshold: float
    words: tuple[str, ...] = ()
    both: bool = True
    difference: float = math.nan
    jump: bool = False


def _look_along(scene: Scene, i: int) -> _Axis:
    name, scale, claimed = scene.problem.names[i], scene.scales[i], scene.claimed[i]
    v = axis_of(scene.scales, i)
    slopes = slopes_beside(scene, v, KINK_RADII)
    kink = kink_of(scene, slopes, scale)
    if kink is not None:
        words = f"{name}: a kink, the slopes on its sides are {kink[0]:.6g} and {kink[1]:.6g}"
        if _has_closer_numbers(scene.x, i, kink[2]):
            return _Axis("inconclusive", math.inf, (f"{words}; it may lie beside the point, closer than any step",))
        return _Axis("non-smooth", math.inf, (words,))
    if not math.isfinite(claimed):
        wide = slopes_beside(scene, v, (-13, -16))
        values = np.array([slope for _, left, right in wide for slope in (left, right)]) / scale
        if values.size == 4 and np.ptp(values) <= 1e-3 * np.abs(values).max():
            words = f"{name}: the gradient is {claimed} where the function has the slope {values[-1]:.4g}"
            return _Axis("wrong", math.inf, (words,))
        return _Axis("inconclusive", math.inf)
    sides = [(sign, look(scene, sign * v)) for sign in (1.0, -1.0) if scene.room(sign * v) >= SMALLEST]
    answers = [(sign, side) for sign, side in sides if side.answer != "nothing"]
    threshold = max((side.bar for _, side in answers), default=math.inf) / scale
    if any(is_outside(scene, sign * v) for sign, _ in sides):
        return _Axis("out-of-domain", math.inf, (f"{name}: the function has no value on one side",))
    wrong = [(sign, side) for sign, side in sides if side.answer == "wrong"]
    if wrong and moves_in_steps(scene, v, wrong[0][1].error):
        return _Axis("inconclusive", math.inf, (f"{name}: the function moves in steps and is constant nearby",))
    if leaps(scene, v, slopes):
        words = f"{name}: the function jumps at the point, or rises without limit beside it"
        return _Axis("inconclusive", math.inf, (words,), jump=True)
    if wrong:
        slopes_ = [claimed + sign * side.error / scale for sign, side in wrong]
        words = _rises(name, slopes_[0], float(claimed))
        off = np.array(slopes_) - claimed
        if off.min() < 0 < off.max():
            words = f"{name}: the slopes on its sides are about {slopes_[0]:.4g} and {slopes_[1]:.4g}, as of a kink"
            return _Axis("inconclusive", math.inf, (words,))
        if any(abs(side.error) <= side.bar < 0.3 * abs(wrong[0][1].error) for _, side in answers):
            words = f"{name}: the slope is {slopes_[0]:.4g} on one side, and as claimed on the other"
            return _Axis("inconclusive", math.inf, (words,))
        both = len(wrong) == len(answers) and bool(np.ptp(off) <= 0.3 * np.abs(off).max())
        # the side that shows it needs no other one
        return _Axis("wrong", min(side.bar for _, side in wrong) / scale, (words,), both, -float(off[0]))
    if not sides:
        return _Axis("inconclusive", threshold, (f"{name}: the box leaves no room",))
    if len(answers) < len(sides):
        return _Axis("inconclusive", threshold, (f"{name}: the function or the gradient has no value on one side",))
    if unexplained(scene, slopes, float(claimed * scale)) > threshold * scale:
        words = f"{name}: very close to the point the function has another slope than the gradient says"
        return _Axis("inconclusive", math.inf, (words,))
    if any(side.answer != "within" for _, side in sides) or not _is_continued(scene, i, v, threshold):
        return _Axis("inconclusive", threshold)
    # a function that does not change over a distance that is no small one has the slope 0
    constant = claimed == 0 and scale >= scene.audible(i) / 2 and all(side.error == 0 for _, side in sides)
    if not constant and threshold > 2.0**-10 * _slope_that_counts(scene):
        return _Axis("inconclusive", threshold, (f"{name}: the function is too coarse to tell its slope",))
    one = (_on_one_side(name),) if len(sides) == 1 else ()
    return _Axis("consistent", threshold, one)


def _slope_that_counts(scene: Scene) -> float:
    """Return ‖g‖∞; where that is 0, or nothing but its own noise, the slope of f over the size of the point."""
    if scene.size > 8 * float(scene.noise_within(LARGEST)[1].max()):
        return scene.size
    # a tiny coordinate is no scale
    extent = float(scene.scales.max())
    return max(scene.size, abs(scene.value) / (extent if scene.size else max(1.0, extent)))


def _has_closer_numbers(x: Floats, i: int, step: float) -> bool:
    """Tell whether 0 or another coordinate is closer to the one that moves than a step, and not equal to it."""
    gaps = np.abs(np.append(x, 0.0) - x[i])
    return bool(((gaps > 0) & (gaps < step)).any())


def _is_continued(scene: Scene, i: int, v: Floats, threshold: float) -> bool:
    """Tell whether the claim at the point is what the gradient nearby continues to: the integrals do not ask for it."""
    if min(scene.room(v), scene.room(-v)) < SMALLEST:
        return True
    around = [try_claim(scene.problem, scene.x + sign * SMALLEST * v) for sign in (1, -1)]
    values = np.array([claim[i] for claim in around if claim is not None and math.isfinite(claim[i])])
    if values.size < 2:
        return True
    noise = 8 * float(scene.noise_within(LARGEST)[1][i])
    return bool(abs(values.mean() - scene.claimed[i]) <= max(threshold, 2.0**-10 * scene.size, np.ptp(values)) + noise)


def _judge_many(scene: Scene, found: _Findings) -> None:
    """Judge many components: some axes, then random directions through all of them."""
    n, rng = scene.x.size, np.random.default_rng(SEED)
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
        side = look(scene, np.where(open_, v, 0.0))
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
            if look(scene, np.where(narrower, _direction(scene, rng), 0.0)).answer == "wrong":
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


def _direction(scene: Scene, rng: np.random.Generator) -> Floats:
    v = random_signs(rng, scene.x.size) * scene.scales
    if scene.problem.box is not None:
        # towards the larger room where the other side has little
        up, down = scene.problem.box[1] - scene.x, scene.x - scene.problem.box[0]
        little = np.minimum(up, down) < LARGEST * np.abs(v)
        v[little] = (np.abs(v) * np.where(up >= down, 1.0, -1.0))[little]
    return v
