"""Asking the user's function and gradient: what they answer, in which format, at which points, and how it is fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from diffcompare.floats import Flags, Floats, unit_of, unit_roundoff
from diffcompare.verdict.problem import Problem

__all__ = [
    "Line",
    "actual_point",
    "carried_unit",
    "coordinate_scales",
    "draw_line",
    "lay_line",
    "line_noise",
    "polynomial_residual",
    "random_signs",
    "scatter_points",
    "try_claim",
    "try_value",
    "uneven_steps",
]


# narrower formats that a value may have been rounded to
_NARROW = (np.float16, np.float32)
_SCATTERED = 8


def _flat(problem: Problem, arguments: Any) -> Floats | None:
    # an argument has the structure of the gradient, so it can be flattened likewise
    try:
        return np.array(problem.flatten(arguments), dtype=np.float64)
    except Exception:
        return None


def actual_point(problem: Problem, x: Floats) -> Floats:
    """Return the point that the user's code sees: the arguments may be float32."""
    found = _flat(problem, problem.unflatten(x))
    return x if found is None or found.shape != x.shape else found


def try_value(problem: Problem, x: Floats) -> float:
    """Evaluate the user's function; nan where it raises or gives no number."""
    try:
        with np.errstate(all="ignore"):
            return problem.value(x)
    except Exception:
        return math.nan


def try_claim(problem: Problem, x: Floats) -> Floats | None:
    """Evaluate the user's gradient; None where it raises, has another structure or is not finite."""
    try:
        with np.errstate(all="ignore"):
            value = problem.claim(x)
    except Exception:
        return None
    return np.array(value) if value.shape == x.shape else None


def carried_unit(values: Sequence[float] | Floats, declared: float) -> float:
    """Tell to which format values at neighbouring points were rounded: all representable, more than half distinct."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if declared > unit_roundoff or finite.size < 6 or 2 * np.unique(finite).size <= finite.size:
        return declared
    with np.errstate(all="ignore"):
        for narrow in _NARROW:
            unit = unit_of(np.dtype(narrow))
            if np.array_equal(finite.astype(narrow).astype(np.float64), finite):
                # a difference of nearby numbers has fewer bits still: 1 − cos(1e-5) is a small multiple of 2⁻⁵³
                bits = finite / (unit * 2.0 ** np.floor(np.log2(np.abs(finite) + (finite == 0))))
                return unit if (bits % 16 != 0).any() else declared
    return declared


def coordinate_scales(problem: Problem) -> Floats:
    """Return |x_j|; where that is 0, the largest |x|, but at most 1; nowhere more than the room in the box."""
    scales = problem.scales
    if problem.box is not None:
        room = np.maximum(problem.box[1] - problem.x, problem.x - problem.box[0])
        scales = np.where(room > 0, np.minimum(scales, room), scales)
    return np.asarray(scales, dtype=np.float64)


def uneven_steps(count: int) -> Floats:
    """Return abscissae in [−1, 1] that no quantum fits: evenly spaced values of a coarse function round alike."""
    k = np.arange(count)
    even = np.linspace(-1.0, 1.0, count)
    # the golden ratio is the number worst approached by fractions
    return np.asarray(even + (1 - even * even) * 0.6 / count * (2 * (k * 0.6180339887498949 % 1) - 1), dtype=np.float64)


def random_signs(rng: np.random.Generator, n: int) -> Floats:
    """Draw n factors of size 0.4 … 1 with random signs."""
    return np.asarray(rng.uniform(0.4, 1.0, n) * rng.choice([-1.0, 1.0], n), dtype=np.float64)


def lay_line(problem: Problem, d: Floats, steps: Floats) -> tuple[Floats, Floats, Floats]:
    """Lay points x + t·d, one-sided where the box asks for it: t, the points as the user's code sees them, and d."""
    x = problem.x
    if problem.box is not None:
        up, down = (np.maximum(room, 0.0) for room in (problem.box[1] - x, x - problem.box[0]))
        if (np.abs(d) > np.minimum(up, down)).any():
            d = np.where(up >= down, 1.0, -1.0) * np.minimum(np.abs(d), np.maximum(up, down))
            steps = (steps + 1) / 2
    points = problem.inside(x + steps[:, None] * d)
    return steps, np.array([actual_point(problem, p) for p in points]), d


@dataclass(frozen=True, slots=True)
class Line:
    """Points x + t·d, as the user's code sees them; t is nan for scattered points."""

    t: Floats
    points: Floats
    direction: Floats
    reach: float


def draw_line(problem: Problem, exponent: int, free: Flags, rng: np.random.Generator, steps: Floats) -> Line:
    """Draw a direction d of length (0.4 … 1)·r·s_j and lay points along it, one-sided where the box asks for it."""
    n, reach = problem.x.size, 2.0**exponent
    d = random_signs(rng, n) * reach * coordinate_scales(problem) * free
    steps, points, d = lay_line(problem, d, steps)
    if 0.0 not in steps:
        at = int(np.searchsorted(steps, 0.0))
        steps, points = np.insert(steps, at, 0.0), np.insert(points, at, problem.x, axis=0)
    return Line(steps, points, d, reach)


def scatter_points(problem: Problem, unit: float, rng: np.random.Generator) -> Line:
    """Scatter 8 points a few ulps around the point: x_j + 2u·k_j·s_j, k_j = ±1 … ±8."""
    x = problem.x
    steps = np.array([k for k in range(-8, 9) if k])
    k = np.stack([rng.permutation(steps)[:_SCATTERED] for _ in range(x.size)], axis=1)
    points = problem.inside(x + 2 * unit * k * coordinate_scales(problem))
    points = np.array([actual_point(problem, p) for p in points])
    return Line(np.full(_SCATTERED, math.nan), points, 0 * x, 0.0)


def polynomial_residual(t: Floats, values: Floats, degree: int) -> tuple[Floats, Floats]:
    """Fit a polynomial by least squares: √(SS/(m − degree − 1)) and the value at t = 0, for each column of values."""
    basis, at_zero = _basis(t.tobytes(), degree)
    # centred, or the rounding of the fit would be that of the values; scaled, as 1e-200 squared is 0
    moved = values - values[0]
    size = np.abs(moved).max(axis=0)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    scaled = moved / size
    coefficients = basis.T @ scaled
    rest = scaled - basis @ coefficients
    spread = np.sqrt((rest * rest).sum(axis=0) / max(1, len(t) - degree - 1))
    return spread * size, values[0] + (at_zero @ coefficients) * size


@lru_cache(maxsize=64)
def _basis(t: bytes, degree: int) -> tuple[Floats, Floats]:
    """Return polynomials orthonormal on the abscissae, and their values at 0."""
    columns = np.vander(np.frombuffer(t), degree + 1, increasing=True)
    q, r = np.linalg.qr(columns)
    return q, np.linalg.solve(r.T, np.eye(degree + 1)[0])


def line_noise(t: Floats, values: Floats) -> float:
    """Return what no polynomial of degree 5 explains of values on a line; 0 where fewer than 8 are finite."""
    known = np.isfinite(values)
    if known.sum() < 8:
        return 0.0
    return float(polynomial_residual(t[known], values[known][:, None], 5)[0][0])
