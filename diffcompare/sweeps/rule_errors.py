"""Which step published rules would have chosen, and how far from the best: rows of ``rules.csv``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.certify.higher import Slope
from diffcompare.errors import UnsupportedFunction
from diffcompare.floats import unit_roundoff
from diffcompare.numeric.differences import numerical_diff
from diffcompare.numeric.stencils import COMPLEX_STEP, stencil
from diffcompare.numeric.step_rules import STEP_RULES, Choice, choose_step
from diffcompare.program.analytic import not_analytic
from diffcompare.sweeps.sweep import sweep
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.schema import RULE_COLUMNS, frame_of, read_point
from diffcompare.tables.summary import summarize
from diffcompare.watchdog import account_for_each_place, one_account

__all__ = ["rules_of_summary", "step_rules"]

_CERTIFIED = "certified optimum"


@account_for_each_place()
def step_rules(
    f: SymbolicFunction,
    points: ArrayLike,
    *,
    schemes: str | Sequence[str] = ("forward", "backward", "central"),
    steps: ArrayLike | None = None,
    variables: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Tabulate which step published rules choose, and the error of the difference at that step.

    Measured: errors are taken against the certified derivative. The rules are given the proven bound on the rounding
    error of f near the point as the noise of f.

    Parameters
    ----------
    f : SymbolicFunction
    points, schemes, steps, variables
        As in :func:`diffcompare.sweep`; the best error is that of the sweep.

    Returns
    -------
    DataFrame
        The columns of ``rules.csv``: one row per point, variable, scheme and rule. ``h`` is nan, and ``message`` says
        why, where a rule gives no step; ``ratio`` is abs_error/best_abs_error; ``evaluations`` are those that the rule
        took to choose. Ridders' row has the error of the extrapolation, that of the complex step its own: both may be
        better than the best step.

    Raises
    ------
    ValueError, TypeError, DiffcompareError
        As in :func:`diffcompare.sweep`.

    References
    ----------
    Each rule has its own: ``diffcompare explain "Gill-Murray-Saunders-Wright"`` and the like name them.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.step_rules(dc.parse("exp(x)"), 1.0, schemes="central")
    >>> table[["rule", "evaluations"]].head(3).to_dict("list")
    {'rule': ['fixed 1e-4', 'scaled by u', 'certified optimum'], 'evaluations': [0, 0, 0]}
    """
    table = sweep(f, points, schemes=schemes, steps=steps, variables=variables, split=False, bounds=False)
    return rules_of_summary(f, summarize(table))


@account_for_each_place()
def rules_of_summary(f: SymbolicFunction, summary: pd.DataFrame) -> pd.DataFrame:
    """Make the rows of ``rules.csv`` for the groups of a summary of f; groups without a derivative have none."""
    rows = []
    places: dict[tuple[str, str], _Place] = {}
    columns = [summary[name].tolist() for name in summary.columns]
    for group in (dict(zip(summary.columns, row, strict=True)) for row in zip(*columns, strict=True)):
        # all rules are for the first derivative
        if group["verdict"] == "not-differentiable" or group["derivative"] != 1:
            continue
        try:
            if group["scheme"] != COMPLEX_STEP:
                stencil(str(group["scheme"]))
        except ValueError:
            # a stencil made by hand: no rule knows it, and its name does not evaluate it
            continue
        point, i = list(read_point(str(group["point"])).values()), f.variables.index(str(group["variable"]))
        with one_account(tuple(point)):
            key = str(group["point"]), str(group["variable"])
            if key not in places:
                places[key] = _place(f, point, i)
            place, scheme, best = places[key], str(group["scheme"]), float(group["best_abs_error"])
            for rule, choice in _choices(place, point[i], scheme, float(group["predicted_h"])):
                error = math.nan
                if choice.h > 0:
                    numeric = choice.value
                    if math.isnan(numeric):
                        numeric = float(numerical_diff(place.along, point[i], choice.h, scheme=scheme))
                    error = abs(place.slope.error(numeric)[0]) if math.isfinite(numeric) else math.nan
                message = choice.message or ("the difference is not finite at this step" if math.isnan(error) else "")
                ratio = error / best if best > 0 else 1.0 if error == 0 else math.inf if error > 0 else math.nan
                rows.append(
                    {
                        **{name: str(group[name]) for name in ("function", "variable", "point", "scheme")},
                        "rule": rule,
                        "h": choice.h,
                        "abs_error": error,
                        "best_abs_error": best,
                        "ratio": ratio,
                        "evaluations": choice.evaluations,
                        "message": message,
                    }
                )
    return frame_of(rows, RULE_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Along:
    """A formula as a function of one coordinate, of real and of complex numbers, each of which is computed once."""

    f: SymbolicFunction
    point: Sequence[float]
    i: int
    known: dict[tuple[float, float], float] = field(default_factory=dict)
    known_complex: dict[complex, Any] = field(default_factory=dict)

    def __call__(self, t: float) -> float:
        # -0.0 is another number than 0.0
        key = t, math.copysign(1.0, t)
        if key not in self.known:
            columns = [np.array([t if j == self.i else c]) for j, c in enumerate(self.point)]
            # what overflows is inf or nan, and the rules know both
            with np.errstate(all="ignore"):
                self.known[key] = float(compile_numpy(self.f.program)(columns)[0])
        return self.known[key]

    def complex_values(self, t: Any) -> Any:
        reason = not_analytic(self.f.program)
        if reason:
            raise UnsupportedFunction(reason)
        if t not in self.known_complex:
            z = np.array(self.point, dtype=np.complex128)
            z[self.i] = t
            self.known_complex[t] = self.f.complex_values(z if len(self.point) > 1 else z[0])
        return self.known_complex[t]


@dataclass(frozen=True, slots=True)
class _Place:
    """What all schemes share at a point, along one variable."""

    along: _Along
    slope: Slope
    noise: float  # of one value of f


def _place(f: SymbolicFunction, point: Sequence[float], i: int) -> _Place:
    along = _Along(f, point, i)
    noise = point_rounding_bound(f.program, point, i)
    if not math.isfinite(noise):
        noise = 2 * unit_roundoff * abs(along(point[i]))
    return _Place(along, Slope(f, point, i), noise / 2)


def _choices(place: _Place, x: float, scheme: str, predicted: float) -> list[tuple[str, Choice]]:
    """Ask every rule; the certified optimum stands after those that ask nothing of f."""
    named = [(rule, choose_step(rule, place.along, x, scheme=scheme, noise=place.noise)) for rule in STEP_RULES]
    certified = Choice(predicted, 0, "" if predicted > 0 else "no step was predicted")
    return [*named[:2], (_CERTIFIED, certified), *named[2:]]
