"""Differentiators held against certified derivatives: how far off they are, and whether they know it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffcompare.adapters.differentiators import installed
from diffcompare.certify.reference import Reference, certified_gradient
from diffcompare.errors import shorten
from diffcompare.symbolic.catalogue import CATALOGUE, GRADIENT_CATALOGUE, CatalogueEntry
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse
from diffcompare.tables.answers import answers
from diffcompare.tables.schema import (
    GRADIENT_RANKING_COLUMNS,
    OUTCOMES,
    RANKING_COLUMNS,
    SCORE_COLUMNS,
    format_point,
    frame_of,
)

__all__ = ["rank", "scores"]

_TOLERATED = 10  # an estimate may be this much too small
_CALLS = 100_000  # of one function at one point, so that a loop without end ends


def rank(
    differentiators: Mapping[str, Callable[[Callable[[Any], Any], Any], Any]] | None = None,
    catalogue: Sequence[CatalogueEntry] | None = None,
    *,
    gradients: bool = False,
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
        Formulas with points. Default: the functions of ``diffcompare rank``, some 50 of every kind of trouble; of
        ``diffcompare rank --gradients``, some 35.
    gradients : bool
        The functions are of several variables: x is an array of shape (n,), f takes such a point, or many along the
        last axis, and the derivative is an array of shape (n,), as is the estimate, or one number for all entries.
        (``f.callable(jax.numpy)`` is the function of n arguments in another module, for automatic differentiation.)

    Returns
    -------
    DataFrame
        One row per differentiator and function, in that order: ``differentiator``, ``function``, ``point``,
        ``trouble``, ``status`` (of the certified derivative: ok, kink or domain), ``value``, ``estimate``, ``exact``,
        ``abs_error``, ``evaluations``, ``outcome`` and ``message`` (of the exception). The outcome is ``covered``:
        \|error\| <= 10 × estimate, an estimate below one ulp of the derivative counting as one ulp;
        ``overconfident``: it is larger, or there is no derivative; ``unestimated``: an
        answer without an estimate; ``refused``: no answer.
        Of gradients, one row per entry: ``variable`` stands behind ``function``, and ``point`` is text, as
        ``x0=3.0;x1=4.0``. ``evaluations`` are those of the whole gradient.

    Raises
    ------
    TypeError
        The differentiators are no mapping.
    ValueError
        There is no differentiator.
    DiffcompareError
        A formula of the catalogue cannot be read, or has variables that its point lacks.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.rank({"mine": lambda f, x: ((f(x + 1e-6) - f(x - 1e-6)) / 2e-6, 1e-6)})
    >>> table.loc[table["function"] == "abs(x)", "outcome"].tolist()
    ['overconfident']
    >>> table = dc.rank({"book": dc.numerical_gradient}, gradients=True)
    >>> table[table["outcome"] == "refused"]["trouble"].unique().tolist()
    ['cancellation', 'near an edge', 'edge']
    """
    if differentiators is None:
        differentiators = installed(gradients=gradients)[0]
    if not isinstance(differentiators, Mapping):
        raise TypeError(
            f"differentiators is a {type(differentiators).__name__}: must map names to callables; "
            "pass {'name': function of (f, x)}"
        )
    if not differentiators:
        raise ValueError("differentiators={}: is empty; pass {'name': function of (f, x)}")
    if catalogue is None:
        catalogue = GRADIENT_CATALOGUE if gradients else CATALOGUE
    problems = [_problem(entry, gradients) for entry in catalogue]
    rows = [
        {"differentiator": name, **row}
        for name, differentiate in differentiators.items()
        for problem in problems
        for row in _rows(differentiate, problem)
    ]
    return frame_of(rows, GRADIENT_RANKING_COLUMNS if gradients else RANKING_COLUMNS)


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Count what :func:`rank` found: one row per differentiator, the fewest overconfident answers first.

    A gradient is one answer, and as good as its worst entry.

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
    for name, part in answers(table).groupby("differentiator", observed=True, sort=False):
        outcome, exists = part["outcome"].astype(str), part["differentiable"]
        off = part["rel_error"].dropna()
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


@dataclass(frozen=True, slots=True)
class _Problem:
    """An entry of the catalogue with its certified derivative; ``point`` is what a differentiator is given."""

    entry: CatalogueEntry
    f: SymbolicFunction
    point: Any
    reference: Reference
    labels: list[dict[str, Any]]  # what tells its rows apart


def _problem(entry: CatalogueEntry, gradients: bool) -> _Problem:
    if not gradients:
        f = parse(entry.formula, variables=["x"])
        return _Problem(entry, f, entry.point, certified_gradient(f, entry.point), [{"point": entry.point}])
    point = np.atleast_1d(np.array(entry.point, dtype=np.float64))
    f = parse(entry.formula, variables=[f"x{k}" for k in range(point.size)])
    place = format_point(f.variables, point)
    labels = [{"variable": variable, "point": place} for variable in f.variables]
    return _Problem(entry, f, point, certified_gradient(f, point), labels)


def _rows(differentiate: Callable[[Callable[[Any], Any], Any], Any], problem: _Problem) -> Iterator[dict[str, Any]]:
    shape, message = np.shape(problem.point), ""
    counted = _Counted(problem.f, len(shape))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            given = problem.point.copy() if shape else problem.point
            values, estimates = _pair(differentiate(counted, given), shape)
        except Exception as error:  # any library may raise anything: it is its answer
            values, estimates = np.full((2, len(problem.labels)), math.nan)
            message = shorten(f"{type(error).__name__}: {' '.join(str(error).split())}", 200)
    reference = problem.reference
    for label, value, estimate, status, exact in zip(
        problem.labels, values.tolist(), estimates.tolist(), reference.status, reference.value.tolist(), strict=True
    ):
        yield {
            "function": problem.entry.formula,
            **label,
            "trouble": problem.entry.trouble,
            "status": status,
            "value": value,
            "estimate": estimate,
            "exact": exact,
            "abs_error": abs(value - exact),
            "evaluations": counted.evaluations,
            "outcome": _outcome(value, estimate, exact),
            "message": message,
        }


def _pair(answer: Any, shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the numbers of an answer to a point of this shape, and their estimates."""
    value, estimate = answer if isinstance(answer, tuple) else (answer, math.nan)
    values, estimates = (np.asarray(numbers, dtype=np.float64) for numbers in (value, estimate))
    if values.size != math.prod(shape) or estimates.size not in (1, values.size):
        sizes = " with estimates ".join(str(numbers.shape) for numbers in (values, estimates))
        raise ValueError(f"an answer of shape {sizes}, where shape {shape} is needed")
    return values.ravel(), np.broadcast_to(estimates.ravel(), values.size)


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
    """A formula as a function of points, one or many, that counts them; a point has so many axes: none, or one."""

    def __init__(self, f: SymbolicFunction, axes: int) -> None:
        self.f = f
        self.axes = axes
        self.evaluations = 0

    def __call__(self, x: Any) -> Any:
        points = np.asarray(x, dtype=np.float64)
        self._count(points.size // len(self.f.variables))
        values = np.reshape(self.f(points), points.shape[: points.ndim - self.axes])
        return values if values.ndim else float(values)

    def callable(self, namespace: Any) -> Callable[..., Any]:
        """Return the function of one argument per variable in the functions of a module."""
        run = self.f.callable(namespace)

        def function(*arguments: Any) -> Any:
            self._count(1)
            return run(*arguments)

        return function

    def _count(self, more: int) -> None:
        self.evaluations += more
        if self.evaluations > _CALLS:
            raise RuntimeError(f"more than {_CALLS:,} evaluations of one function")
