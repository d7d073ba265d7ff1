"""What a function shows along one direction: held against the integral of the claim, and its slopes beside the point.

References
----------
DLMF 3.5(v) (Gauss–Legendre quadrature).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from diffcompare.floats import Floats, unit_roundoff
from diffcompare.verdict.probing import actual_point, line_noise, try_claim, try_value, uneven_steps
from diffcompare.verdict.scene import (
    COARSE,
    FLOOR,
    LARGEST,
    NOISE_RADII,
    SMALLEST,
    Scene,
    axis_of,
    is_quantized,
    quantum,
)

__all__ = [
    "KINK_RADII", "Side", "is_outside", "is_smooth", "is_still", "kink_of", "leaps", "look", "moves_in_steps",
    "slopes_beside", "unexplained",
]  # fmt: skip

KINK_RADII = (-20, -26, -32, -38)
_ETA = 2.0**-1074
# where a function that moves in steps is constant, and where it is not
_SHORT, _LONG = (-(2.0**-14), -(2.0**-17), 2.0**-17, 2.0**-14), (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)


def _gauss(n: int) -> tuple[Floats, Floats]:
    """Return nodes and weights of Gauss's rule on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


_NODES_11, _WEIGHTS_11 = _gauss(11)
_NODES_7, _WEIGHTS_7 = _gauss(7)
_NODES = np.concatenate([_NODES_11, _NODES_7])


@dataclass(frozen=True, slots=True)
class Side:
    """What a direction showed on one side: ``wrong``, ``within``, ``unclear`` or ``nothing``; in units of g·v."""

    answer: str
    bar: float
    error: float = 0.0


def look(scene: Scene, v: Floats) -> Side:
    """Hold f(x + hv) − f(x) against ∫g·v for h = 2⁻³ … 2⁻²⁰, as long as smaller steps can show more."""
    weight = max(float(np.abs(scene.claimed * v)[v != 0].max()), 2.0**-10 * scene.size * float(np.abs(v).max()))
    if np.count_nonzero(v) == 1:
        weight = scene.size * float(np.abs(v).max())
    floor = FLOOR * weight
    h = min(LARGEST, scene.room(v))
    steps: list[tuple[float, float]] = []
    best, pair, error_at_best = math.inf, math.inf, 0.0
    while h >= SMALLEST:
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
            if seen is not None and _fades(scene, v, h, seen):
                # jumps or kinks that several steps reach: closer to the point there are none
                steps.clear()
                best, pair, error_at_best = math.inf, math.inf, 0.0
                continue
            if seen is not None:
                right = _right_nearby(scene, v, seen)
                return Side("unclear", math.inf, seen) if right else Side("wrong", max(pair, floor), seen)
        if bar < best:
            best, error_at_best = bar, error
        if abs(error) <= bar <= floor or (error == 0.0 == scene.size):
            return Side("within", 2 * max(bar, floor), error)
        if bar > 8 * best and abs(error) <= bar:
            break
    if best == math.inf:
        return Side("nothing", math.inf)
    threshold = max(1.5 * pair, floor)
    if abs(error_at_best) > best:
        # too small to be called wrong, too large for the bar; or what neither a bug nor noise explains
        small = abs(error_at_best) <= floor and abs(error_at_best) <= 1e-3 * abs(_along(scene, v))
        return Side("within", threshold, error_at_best) if small else Side("unclear", math.inf, error_at_best)
    fine = best <= max(COARSE, 2.0**10 * max(scene.unit, scene.gradient_unit)) * weight
    return Side("within" if fine else "unclear", threshold, error_at_best)


def _persistent(steps: list[tuple[float, float]], floor: float) -> float | None:
    """Return the error that stays when h is halved, with what is linear in h or without; None if none stays.

    The jump of a step grows like 1/h. The error of a gradient that changes much over h has a part that is linear in
    h; a(h) = 2·err(h/2) − err(h) is free of it, and must exceed the bars too, by what noise makes of it: a quarter, as
    the bars are 12 times the noise.
    """
    (before, bar_before), (error, bar) = steps[-2:]
    # compared without dividing: bars of subnormal functions round to 0
    if abs(error) <= max(bar, floor) or abs(before) <= max(bar_before, floor):
        return None
    if abs(error - before) <= 0.3 * max(abs(error), abs(before)):
        least = min(abs(error), abs(2 * error - before))
        return error if least > max(1.25 * max(bar, bar_before), floor) else None
    if len(steps) < 3:
        return None
    first, bar_first = steps[-3]
    a, b = 2 * before - first, 2 * error - before
    if min(abs(a), abs(b)) > 3 * max(bar, bar_before, bar_first, floor) and abs(a - b) <= 0.3 * max(abs(a), abs(b)):
        return b
    return None


def _fades(scene: Scene, v: Floats, largest: float, error: float) -> bool:
    """Tell whether an error is gone at the two smallest steps at which it would be heard: what is wrong stays wrong."""
    noise = 12 * scene.noise_within(4 * SMALLEST)[0] + 8 * scene.unit * abs(scene.value)
    # the first step that may be loud enough
    h = max(SMALLEST, noise / abs(error) / 0.3)
    while 2 * h <= largest:
        both = [step for step in (_step(scene, v, h), _step(scene, v, 2 * h)) if step is not None]
        if len(both) == 2 and max(bar for _, bar in both) < 0.3 * abs(error):
            return max(abs(small) for small, _ in both) < 0.3 * abs(error)
        h *= 8
    return False


def _step(scene: Scene, v: Floats, h: float) -> tuple[float, float] | None:
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
    noise_, gradient_noise = scene.noise_within(4 * h)
    noise = 12 * noise_ + 4 * scene.unit * (abs(scene.value) + abs(value)) + 4 * _ETA * moves.size
    noise += quantum(scene.x, value, scene.value)
    gradient = 8 * float(gradient_noise @ np.abs(move)) + 8 * scene.gradient_unit * float(np.abs(along).max())
    # each value is rounded to a multiple of η, and so is each product with the move
    gradient += 4 * _ETA * float((1 + np.abs(move)).sum())
    # the abscissae of the quadrature are floats: it counts where a step is a few ulps of x
    gradient += 2 * unit_roundoff * float(np.abs(scene.x[moves]) @ np.ptp(rates, axis=0))
    if is_quantized(np.array(rates)):
        gradient += 8 * unit_roundoff * float(np.abs(move).sum())
    return float(rise - integrals[0]) / h, float(quadrature + noise + gradient) / h


def _along(scene: Scene, v: Floats) -> float:
    # 0·nan: components that do not move do not matter
    return float((scene.claimed * v)[v != 0].sum())


def _right_nearby(scene: Scene, v: Floats, error: float) -> bool:
    """Tell whether two steps very close to the point deny an error: a kink or many small steps made it further away."""
    claimed = _along(scene, v)
    agree = [
        # one side is enough: the point may lie on a step
        min(abs(left - claimed), abs(right - claimed)) < 0.3 * abs(error)
        for h, left, right in slopes_beside(scene, v, KINK_RADII)
        # a jump along another axis is no noise here
        if _own_noise(scene, h, v) < 0.3 * abs(error)
    ]
    return sum(agree) >= 2


def slopes_beside(scene: Scene, v: Floats, exponents: Sequence[int]) -> list[tuple[float, float, float]]:
    """Return h and the slopes of f on the left and on the right, in units of g·v, where both can be had."""
    found = []
    for exponent in exponents:
        h = 2.0**exponent
        if min(scene.room(v), scene.room(-v)) < h:
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


def _own_noise(scene: Scene, h: float, v: Floats | None = None) -> float:
    # a kink spoils the lines that are as long as the step
    noise = scene.noise_within(h / 64)[0] if v is None else scene.noise_along(v, h / 64)
    return 48 * (noise + 2 * scene.unit * abs(scene.value)) / h


def kink_of(scene: Scene, slopes: list[tuple[float, float, float]], scale: float) -> tuple[float, float, float] | None:
    """Return the two slopes where they differ by the same amount at steps that differ by a factor of 64 and more.

    The third number is the smallest of these steps: closer to the point nothing was seen.
    """
    least = FLOOR * scene.size * scale
    bars = [max(_own_noise(scene, h), least) for h, _, _ in slopes]
    jumps = np.array([right - left for _, left, right in slopes])
    loud = [k for k, jump in enumerate(jumps) if abs(jump) > bars[k]]
    if len(loud) < 2 or np.ptp(jumps[loud]) > 0.1 * np.abs(jumps[loud]).max():
        return None
    # a smaller step that would show the kink, and does not: it lies beside the point
    if any(bars[k] < 0.5 * abs(jumps[loud[0]]) for k in range(loud[-1] + 1, len(slopes))):
        return None
    h, left, right = slopes[loud[-1]]
    return left / scale, right / scale, h * scale


def leaps(scene: Scene, v: Floats, slopes: list[tuple[float, float, float]]) -> bool:
    """Tell whether the slopes of one side grow by one factor at each step, as those of a jump or a root do."""
    if len(slopes) < 4:
        return False
    h, left, right = slopes[-1]
    jump = abs(right - left) * h
    if jump <= 2.0**10 * scene.unit * abs(scene.value):
        return False
    for side in (1, 2):
        # what is a slope drops out
        changes = [abs(b[side] - a[side]) for a, b in pairwise(slopes)]
        growth = [b / a if a else math.inf for a, b in pairwise(changes)]
        if min(growth) > 2 and max(growth) < 1.2 * min(growth):
            # so do those of one value, at the point, that noise has moved
            return jump > 12 * _noise_beside(scene, slopes[0][0] * v)
    return False


def _noise_beside(scene: Scene, v: Floats) -> float:
    """Return the noise of f on short lines that do not reach the point, on the quieter side of it."""
    t = uneven_steps(11)
    lines = [scene.x + sign * (0.5 + t[:, None] / 4) * v for sign in (1, -1)]
    return min(line_noise(t, np.array([try_value(scene.problem, point) for point in line])) for line in lines)


def unexplained(scene: Scene, slopes: list[tuple[float, float, float]], claimed: float) -> float:
    """Return how far the claim is from the slope that two steps very close to the point agree on, in units of g·v."""
    gaps = [
        # a function that moves in steps has no slope there
        abs((left + right) / 2 - claimed) - abs(right - left) - _own_noise(scene, h) if left or right else 0.0
        for h, left, right in slopes
    ]
    return max([0.0, *(min(a, b) for a, b in pairwise(gaps) if abs(a - b) <= 0.3 * max(a, b))])


def moves_in_steps(scene: Scene, v: Floats, error: float) -> bool:
    """Tell whether f is constant close to the point and not further away, where a slope would have moved it."""
    values = {t: try_value(scene.problem, scene.problem.inside(scene.x + t * v)) for t in (*_SHORT, *_LONG)}
    slope = max(abs(_along(scene, v)), abs(error))
    return (
        all(values[t] == scene.value for t in _SHORT)
        and any(math.isfinite(values[t]) and values[t] != scene.value for t in _LONG)
        and slope * max(_SHORT) > 64 * scene.unit * abs(scene.value)
    )


def is_still(scene: Scene, along: Scene, i: int) -> bool:
    """Tell whether f is constant on the scale of its noise and moves farther away: its values are rounded."""
    near, far = axis_of(along.scales, i), axis_of(np.maximum(scene.scales, float(scene.scales.max())), i)

    def moves(v: Floats) -> bool:
        values = [try_value(scene.problem, scene.problem.inside(scene.x + t * v)) for t in (*_SHORT, *_LONG)]
        return any(math.isfinite(value) and value != scene.value for value in values)

    return not moves(near) and moves(far)


def is_outside(scene: Scene, v: Floats) -> bool:
    """Tell whether f is nan or infinite at every distance on one side, down to a few ulps."""
    points = [scene.x + 2.0**exponent * v for exponent in (-20, -30, -40, -48)]
    moved = [point for point in points if (point != scene.x).any()]
    return bool(moved) and not any(_has_value(scene, point) for point in moved)


def _has_value(scene: Scene, point: Floats) -> bool:
    """Tell whether f is finite, or raises, which says nothing of its domain."""
    try:
        with np.errstate(all="ignore"):
            return math.isfinite(scene.problem.value(point))
    except Exception:
        return True


def is_smooth(scene: Scene) -> bool:
    """Tell whether longer lines show no more noise than shorter ones, as those of a function with small steps do."""
    short = max(noise for exponent, noise in scene.noise.items() if exponent <= NOISE_RADII[2])
    return max(scene.noise.values()) <= 2.0**6 * max(short, scene.unit * abs(scene.value)) + (scene.problem.noise or 0)
