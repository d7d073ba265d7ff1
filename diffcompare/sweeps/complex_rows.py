"""The rows of the complex step in the table of errors.

With z = x + ih exactly, D̂ = fl(Im f̂(z)/h) and D = F′(x):

    truncation   T = Im F(z)/h − D
    evaluation   E = (Im f̂(z) − Im F(z))/h
    division     Q = D̂ − Im f̂(z)/h

T + E + Q = D̂ − D identically; nothing is rounded in the abscissa and nothing subtracted, so that those parts are 0.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import PRECISION_CAP, ball, precision, round_ball
from diffcompare.arithmetic.complex_balls import imaginary_part
from diffcompare.arithmetic.gaussian import exact_imaginary_part
from diffcompare.arithmetic.jets import taylor_coefficients
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.certify.higher import Slope, certified_derivatives
from diffcompare.floats import unit_roundoff
from diffcompare.program.analytic import SCIPY_ANALYTIC, check_analytic
from diffcompare.program.degree import polynomial_degree
from diffcompare.sweeps.split import PARTS
from diffcompare.sweeps.subject import STATUS_CODES, SWEEP_BITS, Grid, each_point

__all__ = ["complex_columns"]

# T = −h²/6·F‴(x) + O(h⁴)
_ORDER = 2


def complex_columns(grid: Grid, split: bool) -> dict[str, NDArray[Any]]:
    """Return the numbers of the rows, over a grid of one scheme, by the names of the columns; ``status`` as codes.

    Proven: error and parts are exact numbers, rounded to nearest; nan for one that is undecided at the precision cap: a
    tie between two floats of a function that is not rational. The smallest step is predicted where NumPy computes f,
    which keeps a tiny imaginary part; SciPy's special functions need not (J₀ returns one of 1e-17 at any h).

    Raises
    ------
    UnsupportedFunction
        An operation is not analytic, has no complex floats, or meets its branch cut.
    """
    f, directions, steps = grid.f, grid.directions, grid.steps
    check_analytic(f.program)
    predictable = not any(node.operation in SCIPY_ANALYTIC for node in f.program.nodes)
    rows: list[dict[str, Any]] = []
    for _, point in each_point(grid):
        partials = certified_derivatives(f, point, directions, 1, bits=SWEEP_BITS)
        for i, partial in zip(directions, partials, strict=True):
            z = np.repeat(np.array([point], dtype=np.complex128), steps.size, axis=0)
            z[:, i].imag = steps
            values = f.complex_values(z if len(point) > 1 else z[:, 0]).imag
            with np.errstate(all="ignore"):
                numeric = values / steps
            # nothing is subtracted: only the truncation error grows or falls with h
            smallest = float(steps[-1])
            predicted = {"predicted_h": math.nan, "predicted_abs_error": math.nan}
            if partial.status == "ok" and predictable:
                third = abs(float(taylor_coefficients(f.program, point, i, order=3)[3]))
                size = third * smallest * smallest + unit_roundoff * abs(partial.value)
                predicted = {"predicted_h": smallest, "predicted_abs_error": size}
            slope = Slope(f, point, i)
            for h, value, quotient in zip(steps.tolist(), values.tolist(), numeric.tolist(), strict=True):
                row = {"numeric": quotient, "exact": partial.value, "status": partial.status, **predicted}
                rows.append(row)
                if partial.status != "ok":
                    continue
                if not math.isfinite(quotient):
                    row |= {
                        "status": "nonfinite",
                        "error": quotient,
                        "abs_error": abs(quotient),
                        "rel_error": abs(quotient),
                    }
                    continue
                error, relative = slope.error(quotient)
                row |= {"error": error, "abs_error": abs(error), "rel_error": relative}
                if math.isnan(error):
                    row["status"] = "undecided"
                elif split and math.isfinite(partial.value):
                    row |= _parts(slope, h, value, quotient)
    names = ("numeric", "exact", "error", "abs_error", "rel_error", "predicted_h", "predicted_abs_error", *PARTS)
    columns = {name: np.array([row.get(name, math.nan) for row in rows]).reshape(grid.shape) for name in names}
    return columns | {"status": np.array([STATUS_CODES[row["status"]] for row in rows]).reshape(grid.shape)}


def _parts(slope: Slope, h: float, value: float, quotient: float) -> dict[str, Any]:
    f, point, i = slope.f, slope.point, slope.i
    degree = polynomial_degree(f.program, i)
    truncation = 0.0 if degree is not None and degree <= _ORDER else None
    evaluation: float | None = None
    # T has about the size of h²
    bits = 128 + 3 * max(0, -math.frexp(h)[1])
    while True:
        with precision(bits):
            exact, width = imaginary_part(f.program, point, i, h), ball(h)
            near = slope.ball(bits)
            if truncation is None and near is not None:
                truncation = round_ball(exact / width - near)
            if evaluation is None:
                evaluation = round_ball((ball(value) - exact) / width)
            if None in (truncation, evaluation):
                rational, exact_slope = exact_imaginary_part(f.program, point, i, h), slope.exact(bits)
                if rational is not None and exact_slope is not None:
                    truncation = round_to_nearest(rational / Fraction(h) - exact_slope)
                    evaluation = round_to_nearest((Fraction(value) - rational) / Fraction(h))
        if bits >= PRECISION_CAP or None not in (truncation, evaluation):
            break
        bits = min(2 * bits, PRECISION_CAP)
    return {
        "truncation": math.nan if truncation is None else truncation,
        "abscissa": 0.0,
        "evaluation": math.nan if evaluation is None else evaluation,
        "subtraction": 0.0,
        "division": round_to_nearest(Fraction(quotient) - Fraction(value) / Fraction(h)),
    }
