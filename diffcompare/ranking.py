"""Differentiators held against certified derivatives: how far off they are, and whether they know it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from diffcompare.adapters.differentiators import installed
from diffcompare.certify.reference import certified_gradient
from diffcompare.errors import shorten
from diffcompare.symbolic.catalogue import CATALOGUE, CatalogueEntry
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse
from diffcompare.tables.schema import OUTCOMES, RANKING_COLUMNS, SCORE_COLUMNS, frame_of

__all__ = ["rank", "scores"]

_TOLERATED = 10  # an estimate may be this much too small
_CALLS = 100_000  # of one function at one point, so that a loop without end ends


def rank(
    differentiators: Mapping[str, Callable[[Callable[[Any], Any], float], Any]] | None = None,
    catalogue: Sequence[CatalogueEntry] | None = None,
) -> pd.DataFrame:
    r"""Let differentiators answer a catalogue of functions, and hold the answers against certified derivatives.

    Parameters
    ----------
    differentiators : mapping of str to callable, optional
        Each takes (f, x), f a function of a number or of an array of numbers, and returns the derivative, or the pair
        (derivative, estimate of its absolute error). A derivative that is not finite, an estimate that is inf, and an
        exception are a refusal.
        Default: ``dc.differentiate``, the textbook's central difference, and those of SciPy, numdifftools and jacobi
        that are installed.
    catalogue : sequence of CatalogueEntry, optional
        Formulas with points. Default: the functions of ``diffcompare rank``, some 50 of every kind of trouble.

    Returns
    -------
    DataFrame
        One row per differentiator and function, in that order: ``differentiator``, ``function``, ``point``,
        ``trouble``, ``status`` (of the certified derivative: ok, kink or domain), ``value``, ``estimate``, ``exact``,
        ``abs_error``, ``evaluations``, ``outcome`` and ``message`` (of the exception). The outcome is ``covered``:
        \|error\| <= 10 × estimate, an estimate below one ulp of the derivative counting as one ulp;
        ``overconfident``: it is larger, or there is no derivative; ``unestimated``: an
        answer without an estimate; ``refused``: no answer.

    Raises
    ------
    ValueError
        There is no differentiator.
    DiffcompareError
        A formula of the catalogue cannot be read.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.rank({"mine": lambda f, x: ((f(x + 1e-6) - f(x - 1e-6)) / 2e-6, 1e-6)})
    >>> table.loc[table["function"] == "abs(x)", "outcome"].tolist()
    ['overconfident']
    """
    if differentiators is None:
        differentiators = installed()[0]
    if not differentiators:
        raise ValueError("differentiators={}: is empty; pass {'name': function of (f, x)}")
    problems = []
    for entry in CATALOGUE if catalogue is None else catalogue:
        f = parse(entry.formula, variables=["x"])
        reference = certified_gradient(f, entry.point)
        problems.append((entry, f, str(reference.status[0]), float(reference.value[0])))
    rows = [
        {"differentiator": name, **_row(differentiate, *problem)}
        for name, differentiate in differentiators.items()
        for problem in problems
    ]
    return frame_of(rows, RANKING_COLUMNS)


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Count what :func:`rank` found: one row per differentiator, the fewest overconfident answers first.

    Parameters
    ----------
    table : DataFrame
        What :func:`rank` returned.

    Returns
    -------
    DataFrame
        ``differentiator``, ``functions``, the four outcomes' counts, ``without_derivative`` (how many functions have
        none) and ``rightly_refused`` (how many of these it refused), ``median_rel_error`` and ``max_rel_error`` over
        the answers to functions that have a derivative other than 0, ``median_evaluations``.
    """
    rows: list[dict[str, Any]] = []
    for name, part in table.groupby("differentiator", observed=True, sort=False):
        outcome = part["outcome"].astype(str)
        exists = part["status"].astype(str) == "ok"
        off = (part["abs_error"] / part["exact"].abs())[exists & (part["exact"] != 0) & part["value"].notna()]
        rows.append(
            {
                "differentiator": str(name),
                "functions": len(part),
                **{each: int((outcome == each).sum()) for each in OUTCOMES},
                "without_derivative": int((~exists).sum()),
                "rightly_refused": int((~exists & (outcome == "refused")).sum()),
                "median_rel_error": float(off.median()) if len(off) else math.nan,
                "max_rel_error": float(off.max()) if len(off) else math.nan,
                "median_evaluations": float(part["evaluations"].median()),
            }
        )
    rows.sort(key=lambda row: (row["overconfident"] + row["unestimated"], row["refused"]))
    return frame_of(rows, SCORE_COLUMNS)


def _row(
    differentiate: Callable[[Callable[[Any], Any], float], Any],
    entry: CatalogueEntry,
    f: SymbolicFunction,
    status: str,
    exact: float,
) -> dict[str, Any]:
    counted = _Counted(f)
    message = ""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value, estimate = _pair(differentiate(counted, entry.point))
        except Exception as error:  # any library may raise anything: it is its answer
            value, estimate = math.nan, math.nan
            message = shorten(f"{type(error).__name__}: {' '.join(str(error).split())}", 200)
    return {
        "function": entry.formula,
        "point": entry.point,
        "trouble": entry.trouble,
        "status": status,
        "value": value,
        "estimate": estimate,
        "exact": exact,
        "abs_error": abs(value - exact),
        "evaluations": counted.evaluations,
        "outcome": _outcome(value, estimate, exact),
        "message": message,
    }


def _pair(answer: Any) -> tuple[float, float]:
    value, estimate = answer if isinstance(answer, tuple) else (answer, math.nan)
    return float(value), float(estimate)


def _outcome(value: float, estimate: float, exact: float) -> str:
    # an infinite estimate is no answer either
    if not math.isfinite(value) or estimate == math.inf:
        return "refused"
    if math.isnan(estimate):
        return "unestimated"
    # where there is no derivative the error is nan, which nothing covers
    covers = abs(value - exact) <= _TOLERATED * max(estimate, math.ulp(exact))
    return "covered" if covers else "overconfident"


class _Counted:
    """A function of numbers, or of arrays of numbers, that counts the numbers it is given."""

    def __init__(self, f: SymbolicFunction) -> None:
        self.f = f
        self.evaluations = 0

    def __call__(self, x: Any) -> Any:
        points = np.asarray(x, dtype=np.float64)
        self.evaluations += points.size
        if self.evaluations > _CALLS:
            raise RuntimeError(f"more than {_CALLS:,} evaluations of one function")
        return self.f(points) if points.ndim else float(self.f(float(points)))
