"""The point at which a function is a witness: its values there and around, the noise of both, and the scales of steps.

References
----------
J. J. Moré, S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011): the noise of a function is what
no smooth function explains on a short line. Here the smooth function is a polynomial of degree 5, fitted by least
squares.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from diffcompare.floats import Floats, unit_roundoff
from diffcompare.verdict.probing import (
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

__all__ = [
    "ALL_AXES", "COARSE", "FLOOR", "LARGEST", "NOISE_RADII", "SEED", "SMALLEST", "Scene", "axis_of", "is_quantized",
    "quantum", "room_along", "scene_along", "scene_of", "size_of_others",
]  # fmt: skip

SEED = 20_240_229
# steps, in parts of the scale of a coordinate; no simple fraction, as the periods of functions are: over a whole one
# the integral of a factor that is wrong is 0
LARGEST, SMALLEST = (math.sqrt(5) - 2) / 2, 2.0**-20
# relative to ‖g‖∞: what is never called wrong; the coarsest bar of a consistent gradient
FLOOR, COARSE = 1e-8, 1e-5
# of more variables only some axes are tried, and random directions
ALL_AXES = 200
NOISE_RADII = (-48, -40, -30, -20, -14, -8)
_AXIS_NOISE_RADII = (-48, -30, -8)
_RISES = (-8, -11, -14, -17, -20)
# of the largest component, what another one may be off by rounding
_ROUNDINGS = 2.0**6
# the bar at the largest step, relative to ‖g‖∞, for which the scale of another try is chosen
_HEARD = 1e-7


@dataclass(frozen=True, slots=True)
class Scene:
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
    own: Floats  # the size of each component, and of what it is nearby
    rise: Floats  # about how steep the function is along each axis
    along: dict[int, Floats]  # the noise of the function along each axis alone, by the length of the line

    def alone(self, i: int) -> Scene:
        """Return the scene for one component, whatever others claim: what they are is seen from the function."""
        return replace(self, size=max(float(self.own[i]), size_of_others(self.rise, self.scales, i)))

    def room(self, v: Floats) -> float:
        """Return the largest h for which x + h·v stays in the box."""
        return room_along(self.problem, v)

    def noise_within(self, radius: float) -> tuple[float, Floats]:
        """Return the noise of function and gradient on lines up to this long: a kink further away is none."""
        chosen = [exponent for exponent in self.noise if 2.0**exponent <= radius] or [NOISE_RADII[0]]
        noise = max(self.problem.noise or 0.0, *(self.noise[k] for k in chosen))
        return noise, np.asarray(np.max([self.gradient_noise[k] for k in chosen], axis=0), dtype=np.float64)

    def noise_along(self, v: Floats, radius: float) -> float:
        """Return the noise of the function on lines up to this long in a direction: of an axis, that of its own."""
        axes = np.flatnonzero(v)
        chosen = [exponent for exponent in self.along if 2.0**exponent <= radius] or [NOISE_RADII[0]]
        own = max(float(self.along[exponent][axes].max()) for exponent in chosen) if axes.size == 1 else math.inf
        return min(self.noise_within(radius)[0], max(own, self.problem.noise or 0.0))

    def audible(self, i: int) -> float:
        """Return the scale whose largest step moves a slope of ‖g‖∞ well above the rounding of f; x by many ulps."""
        # not of the noise that was measured: that may be of steps, which must not be looked over
        noise = 12 * (self.problem.noise or 0.0) + quantum(self.x, self.value)
        rate = LARGEST * _HEARD * self.size
        least = (noise + 8 * self.unit * abs(self.value)) / rate if rate else 1.0
        # farther away than the other coordinates and 1 nobody says that f is the same
        least = min(least, max(1.0, float(self.scales.max())))
        scale = max(least, 2.0**10 * float(np.spacing(abs(self.x[i]))))
        if self.problem.box is not None:
            lower, upper = self.problem.box
            scale = min(scale, max(upper[i] - self.x[i], self.x[i] - lower[i]))
        return scale

    def has_another_scale(self, i: int) -> bool:
        """Tell whether f is heard at another scale than that of the coordinate."""
        return not 1 / 2 <= self.audible(i) / self.scales[i] <= 2


def size_of_others(slopes: Floats, scales: Floats, i: int) -> float:
    """Return how large the other slopes are for one: beside its scale, or of which its own may be rounding.

    A slope per metre is small beside one per nanometre, and counts as much.
    """
    others = np.delete(slopes, i)
    in_scale = others * (np.minimum(np.delete(scales, i), scales[i]) / scales[i])
    return float(max(in_scale.max(initial=0.0), _ROUNDINGS * unit_roundoff / FLOOR * others.max(initial=0.0)))


def room_along(problem: Problem, v: Floats) -> float:
    """Return the largest h for which x + h·v stays in the box."""
    if problem.box is None:
        return math.inf
    lower, upper = problem.box
    moves = v != 0
    room = np.where(v > 0, upper - problem.x, problem.x - lower)[moves] / np.abs(v[moves])
    return float(room.min(initial=math.inf))


def scene_of(problem: Problem, state: State, smooth: Mapping[int, float] = MappingProxyType({})) -> Scene:
    """Measure function and gradient on short lines around the point.

    ``smooth``: the slopes of the axes that are not looked along any more.
    """
    x, rng, n = problem.x, np.random.default_rng(SEED), problem.x.size
    scales = coordinate_scales(problem)
    noise = dict.fromkeys(NOISE_RADII, 0.0)
    gradient_noise = {exponent: np.zeros(n) for exponent in NOISE_RADII}
    nearby, slopes = [], []
    for _ in range(2):
        v = random_signs(rng, n) * scales
        for exponent in NOISE_RADII:
            values, claims, of_f, of_g = _measured(problem, 2.0**exponent * v)
            noise[exponent] = max(noise[exponent], of_f)
            gradient_noise[exponent] = np.maximum(gradient_noise[exponent], of_g)
            if exponent == NOISE_RADII[-1]:
                nearby += values
                slopes += claims
    # one line per axis where there are few of them: f may be noisier along one than along another
    along = {exponent: np.full(n, math.inf) for exponent in _AXIS_NOISE_RADII}
    axes = [i for i in range(n) if i not in smooth] if n <= ALL_AXES else []
    for i in axes:
        for exponent in _AXIS_NOISE_RADII:
            t, points, _ = lay_line(problem, 2.0**exponent * axis_of(scales, i), uneven_steps(11))
            found = along[exponent][i] = line_noise(t, np.array([try_value(problem, p) for p in points]))
            noise[exponent] = max(noise[exponent], found)
    unit = carried_unit(nearby, state.unit)
    columns = np.array(slopes).reshape(-1, n).T
    gradient_unit = max([carried_unit(column, state.claim_unit) for column in columns[:8]], default=state.claim_unit)
    claimed, around = (np.where(np.isfinite(a), np.abs(a), 0.0) for a in (state.claimed, columns))
    # near a critical point the gradient is small against what it is a step away
    own = np.maximum(claimed, 2.0**-10 * around.max(axis=1, initial=0.0))
    scene = Scene(
        problem, x, float(state.values[0]), state.claimed, scales, float(own.max(initial=0.0)), noise, gradient_noise,
        unit, gradient_unit, own, np.zeros(n), along,
    )  # fmt: skip
    rises = {i: abs(slope) for i, slope in smooth.items()} | {i: _rise(scene, i) for i in axes}
    return replace(scene, rise=np.array([rises.get(i, 0.0) for i in range(n)]))


def _rise(scene: Scene, i: int) -> float:
    """Return about how steep the function is along an axis, on the steeper side of the point."""
    sides: list[dict[int, float]] = []
    for sign in (-1, 1):
        slopes, rises = {}, []
        for exponent in _RISES:
            noise = 12 * scene.noise_within(2.0**exponent)[0] + 8 * scene.unit * abs(scene.value)
            end = scene.problem.inside(scene.x + sign * 2.0**exponent * axis_of(scene.scales, i))
            width, moved = abs(end - scene.x)[i], abs(try_value(scene.problem, end) - scene.value)
            if width > 0 and noise < moved < math.inf:
                slopes[exponent] = moved / width
                rises.append(moved)
        # where f jumps at the point it is not steep
        if len(rises) < len(_RISES) or rises[-1] < rises[0] / 2:
            sides.append(slopes)
    steepest = [max(side.get(e, 0.0) for side in sides) for e in {e for side in sides for e in side}]
    # jumps and needles beside the point are in some of them only
    return float(np.median(steepest)) if steepest else 0.0


def _measured(problem: Problem, v: Floats) -> tuple[list[float], list[Floats], float, Floats]:
    """Return values of function and gradient on a short line, and the noise of both there."""
    t, points, _ = lay_line(problem, v, uneven_steps(11))
    values = [try_value(problem, p) for p in points]
    claims = [c for c in (try_claim(problem, p) for p in points) if c is not None]
    noise = np.zeros(problem.x.size)
    if len(claims) == t.size:
        noise, _ = polynomial_residual(t, np.nan_to_num(np.array(claims), posinf=0.0, neginf=0.0), 5)
    return values, claims, line_noise(t, np.array(values)), noise


def scene_along(scene: Scene, i: int) -> Scene:
    """Return the scene for one axis alone, with steps in the scale of the noise of f, which is measured along it."""
    scales = scene.scales.copy()
    scales[i] = scene.audible(i)
    noise, gradient_noise = {}, {}
    # up to the largest step: a staircase may be constant on all shorter lines
    for exponent in (*NOISE_RADII, -5, -3):
        step = 2.0**exponent * axis_of(scales, i)
        *_, noise[exponent], gradient_noise[exponent] = _measured(scene.problem, step)
    along = {exponent: np.full(scales.size, found) for exponent, found in noise.items()}
    return replace(scene, scales=scales, noise=noise, gradient_noise=gradient_noise, along=along)


def quantum(x: Floats, *values: float) -> float:
    """Return what rounding leaves of values that cancel to a few units."""
    sizes = (1.0, max(1.0, float(np.abs(x).max())))
    return max(8 * unit_roundoff * size * is_quantized(np.array(values), size) for size in sizes)


def is_quantized(values: Floats, size: float = 1.0) -> bool:
    """Tell whether all that is left of values are a few units, as of 1 − s where s is nearly 1, or of another size."""
    units = values / math.ldexp(1.0, math.frexp(size)[1] - 55)
    return bool((np.abs(units) < 1024).all() and (units % 1 == 0).all())


def axis_of(scales: Floats, i: int) -> Floats:
    """Return the direction along one coordinate, as long as its scale."""
    v = np.zeros_like(scales)
    v[i] = scales[i]
    return v
