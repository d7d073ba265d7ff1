"""The step with the smallest modelled error: the true derivatives against the proven noise."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.arithmetic.ulp import FORMATS
from diffcompare.floats import Floats
from diffcompare.numeric.stencils import Stencil
from diffcompare.numeric.steps import optimal_step
from diffcompare.sweeps.subject import STATUS_CODES, Grid, References, each_point

__all__ = ["predictions"]


def predictions(grid: Grid, reference: References) -> tuple[Floats, Floats]:
    """Return the step with the smallest modelled error, and that error, per point, variable and scheme."""
    m, n, s, _ = grid.shape
    q, highest = grid.derivative, reference.taylor.shape[-1] - 1
    coefficients = [
        [float(chosen.error_coefficient(order)) for order in range(1, highest - q + 1)] for chosen in grid.stencils
    ]
    with np.errstate(all="ignore"):
        series = reference.taylor[:, :, None, q + 1 :] * np.array(coefficients)[None, None]
        # a term that the stencil does not have is 0, also where the derivative is infinite
        series = np.where(np.array(coefficients)[None, None] == 0, 0.0, series)
    noise = _noise(grid, reference)
    noise = np.where((reference.status == STATUS_CODES["ok"])[..., None, None], noise, np.nan)
    step, error = np.full((m, n, s), np.nan), np.full((m, n, s), np.nan)
    usable = grid.steps[grid.steps > 0]
    if not usable.size:
        return step, error
    ranges = grid.ranges or ((float(usable[-1]), float(usable[0])),) * s
    for own in dict.fromkeys(ranges):
        alike = [j for j in range(s) if ranges[j] == own]
        found = optimal_step(
            series[:, :, alike].reshape(m * n * len(alike), -1),
            noise[:, :, alike].reshape(m * n * len(alike), 2),
            *own,
            derivative=q,
            trailing=2,
        )
        step[:, :, alike], error[:, :, alike] = (part.reshape(m, n, len(alike)) for part in found)
    return step, error


def _noise(grid: Grid, reference: References) -> Floats:
    """Return n₀ and n₁ of the rounding (n₀ + n₁h)/h^q, points × variables × schemes × 2.

    N(h) = B·½Σ|c_j| + |F′|·Σ|c_j|·½ulp(x + o_j·h)·[o_j ≠ 0] + u·|F|·(Σ partial sums and products that round)/d, with B
    the proven bound on the difference of two rounding errors of f̂ near x (that at the abscissae is close to it where
    the best step lies) and ½ulp(x + o·h) ≤ ½ulp(x) + u·|o|·h. Two values that are near one another are subtracted
    exactly.
    """
    m, n, s, _ = grid.shape
    program, dtype = grid.f.program, grid.dtype.name
    bound = np.array(
        [
            [point_rounding_bound(program, point, i, dtype=dtype) for i in grid.directions]
            for _, point in each_point(grid)
        ]
    )
    x = np.abs(grid.points[:, grid.directions])
    with np.errstate(all="ignore"):
        value, slope = np.abs(reference.taylor[..., 0]), np.abs(reference.taylor[..., 1])
        # where there is no bound: one rounding of the value and of the abscissa
        unit = FORMATS[dtype].unit_roundoff
        bound = np.where(np.isnan(bound), 2 * unit * value, bound)
        spacing = np.spacing(x.astype(grid.dtype)).astype(np.float64)
        noise = np.empty((m, n, s, 2))
        for j, stencil in enumerate(grid.stencils):
            pairs = list(zip(stencil.offsets, stencil.weights, strict=True))
            moving = float(sum(abs(c) for o, c in pairs if o))
            distance = float(sum(abs(c * o) for o, c in pairs))
            noise[:, :, j, 0] = bound * float(stencil.mass) / stencil.divisor + slope * moving * spacing / 2
            noise[:, :, j, 0] += value * (_rounded_size(stencil) * unit)
            noise[:, :, j, 1] = slope * distance * unit
    return noise


def _rounded_size(stencil: Stencil) -> float:
    """Return the sum of the sizes, in units of |F|/d, of the products and partial sums that are rounded."""
    if stencil.is_difference:
        return 0.0
    partial = list(accumulate(stencil.factors))[1:-1]
    products = [w for w in stencil.factors if abs(w.numerator) & (abs(w.numerator) - 1) or w.denominator != 1]
    return float(sum(map(abs, [*partial, *products])) / stencil.divisor)
