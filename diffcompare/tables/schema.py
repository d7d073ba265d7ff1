"""The tables: names, order and kinds of their columns, and the text that stands for a point.

This is the one place where columns are named. ``report/`` sees these tables and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffcompare.floats import Floats

__all__ = [
    "BOUND_SOURCES",
    "COLUMNS",
    "CURVE_COLUMNS",
    "DESCENT_COLUMNS",
    "FUNCTION_COLUMNS",
    "GRADIENT_RANKING_COLUMNS",
    "HOT_SPOT_COLUMNS",
    "OUTCOMES",
    "RANKING_COLUMNS",
    "RULE_COLUMNS",
    "SCORE_COLUMNS",
    "STATUSES",
    "SUMMARY_COLUMNS",
    "SURFACE_COLUMNS",
    "VERDICTS",
    "Lesson",
    "Tables",
    "categorical",
    "complete",
    "format_point",
    "frame_of",
    "in_order",
    "labelled",
    "read_point",
    "stack",
]

STATUSES = ("ok", "domain", "kink", "undecided", "nonfinite", "h-underflow")
BOUND_SOURCES = ("proven", "measured", "")
VERDICTS = ("within-bound", "outside-bound", "unbounded", "not-differentiable")

# kinds: "text" categorical, "float" float64, "integer" int64, "flag" nullable boolean
COLUMNS: Mapping[str, str] = {
    "function": "text",
    "variable": "text",
    "point": "text",
    "scheme": "text",
    "order": "integer",
    "h": "float",
    "numeric": "float",
    "exact": "float",
    "error": "float",
    "abs_error": "float",
    "rel_error": "float",
    "bound": "float",
    "within_bound": "flag",
    "status": "text",
    "dtype": "text",
    "truncation": "float",
    "abscissa": "float",
    "evaluation": "float",
    "subtraction": "float",
    "division": "float",
    "truncation_bound": "float",
    "rounding_bound": "float",
    "bound_source": "text",
    "predicted_h": "float",
    "predicted_abs_error": "float",
    # after the columns of the first derivative
    "derivative": "integer",
}

SUMMARY_COLUMNS: Mapping[str, str] = {
    "function": "text",
    "variable": "text",
    "point": "text",
    "scheme": "text",
    "best_h": "float",
    "best_abs_error": "float",
    "predicted_h": "float",
    "predicted_abs_error": "float",
    "order": "integer",
    "observed_order": "float",
    "abs_error_at_1e-4": "float",
    "max_bound_ratio": "float",
    "verdict": "text",
    "derivative": "integer",
}

# plain text columns: one row a function, so categories would save nothing
FUNCTION_COLUMNS = ("function", "variables", "formula", "latex", "derivative_latex", "source", "status", "message")

# the coordinates (x0, x1 …) stand between "step" and "value"
DESCENT_COLUMNS = ("function", "gradient", "step", "value", "gradient_norm", "distance")

CURVE_COLUMNS: Mapping[str, str] = {"function": "text", "point": "text", "x": "float", "value": "float"}

# x and y are the first and the second variable of the function
SURFACE_COLUMNS: Mapping[str, str] = {"function": "text", "x": "float", "y": "float", "value": "float"}

HOT_SPOT_COLUMNS: Mapping[str, str] = {
    "function": "text",
    "point": "text",
    "operation": "text",
    "bound": "float",
    "bound_share": "float",
    "error": "float",
    "error_share": "float",
}


RULE_COLUMNS: Mapping[str, str] = {
    "function": "text",
    "variable": "text",
    "point": "text",
    "scheme": "text",
    "rule": "text",
    "h": "float",
    "abs_error": "float",
    "best_abs_error": "float",
    "ratio": "float",
    "evaluations": "integer",
    "message": "text",
}

# of an answer of a differentiator, and the tables of ``rank``
OUTCOMES = ("covered", "overconfident", "unestimated", "refused")

RANKING_COLUMNS: Mapping[str, str] = {
    "differentiator": "text",
    "function": "text",
    "point": "float",
    "trouble": "text",
    "status": "text",
    "value": "float",
    "estimate": "float",
    "exact": "float",
    "abs_error": "float",
    "evaluations": "integer",
    "outcome": "text",
    "message": "text",
}

# a row is one entry of a gradient
GRADIENT_RANKING_COLUMNS: Mapping[str, str] = {
    "differentiator": "text",
    "function": "text",
    "variable": "text",
    **RANKING_COLUMNS,
    "point": "text",
}

SCORE_COLUMNS: Mapping[str, str] = {
    "differentiator": "text",
    "functions": "integer",
    **dict.fromkeys(OUTCOMES, "integer"),
    "without_derivative": "integer",
    "rightly_refused": "integer",
    "median_rel_error": "float",
    "max_rel_error": "float",
    "median_evaluations": "float",
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the author of a study says, in paragraphs: of all of it, of functions, and of their gradient descents."""

    study: str = ""
    functions: Mapping[str, str] = field(default_factory=dict)
    descents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tables:
    """All that a study found: what the CSV files hold and the pages are drawn from.

    ``errors`` is the table of :func:`diffcompare.sweep`; the others are empty where there is nothing to say. The lesson
    stands on the pages alone.
    """

    title: str
    errors: pd.DataFrame
    summary: pd.DataFrame
    functions: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(FUNCTION_COLUMNS), dtype=str))
    descent: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(DESCENT_COLUMNS)))
    curves: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(CURVE_COLUMNS)))
    hot_spots: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(HOT_SPOT_COLUMNS)))
    rules: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(RULE_COLUMNS)))
    surfaces: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(SURFACE_COLUMNS)))
    lesson: Lesson = field(default_factory=Lesson)


def labelled(codes: NDArray[Any], names: Sequence[str]) -> pd.Categorical[Any]:
    """Make a categorical column from the numbers of its labels."""
    return pd.Categorical.from_codes(codes, dtype=_few(tuple(names)) if len(names) < _FEW else _labels(names))


# of few labels, which many small tables have again and again, the dtype is made once
_FEW = 16


def _labels(names: Sequence[str]) -> pd.CategoricalDtype:
    # of no names the type must be said
    return pd.CategoricalDtype(pd.Index(list(names), dtype="str"))


_few = lru_cache(256)(_labels)


def categorical(column: pd.Series[Any]) -> pd.Categorical[Any]:
    """Return a column as categories, one that is so already as it is."""
    held: Any = column.array
    return held if isinstance(held, pd.Categorical) else column.astype("category").array


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Add the column ``derivative`` where a table of errors or a summary lacks it: it is of the first derivative."""
    return table if "derivative" in table.columns else table.assign(derivative=1)


def format_point(variables: Sequence[str], coordinates: Sequence[float] | Floats) -> str:
    """Write a point as text that reads back exactly.

    >>> format_point(["x0", "x1"], [3.0, 4.0])
    'x0=3.0;x1=4.0'
    """
    return ";".join(f"{name}={float(value)!r}" for name, value in zip(variables, coordinates, strict=True))


def read_point(text: str) -> dict[str, float]:
    """Read the text of :func:`format_point` back.

    >>> read_point("x0=3.0;x1=4.0")
    {'x0': 3.0, 'x1': 4.0}
    """
    pairs = (part.rpartition("=") for part in text.split(";"))
    return {name: float(value) for name, _, value in pairs}


_DTYPES: Mapping[str, Any] = {"float": "float64", "integer": "int64", "flag": "boolean"}


def frame_of(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Make a table of rows; texts are categories in order of first appearance."""
    if not rows:
        return stack([], columns)
    made: dict[str, Any] = {}
    for name, kind in columns.items():
        values = [row[name] for row in rows]
        if kind == "text":
            codes, labels = pd.factorize(np.array(values, dtype=object))
            made[name] = labelled(codes, [str(label) for label in labels])
        else:
            made[name] = pd.array(values, dtype=_DTYPES[kind]) if kind == "flag" else np.array(values, _DTYPES[kind])
    return pd.DataFrame(made)


def stack(frames: Sequence[pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """Stack tables; categories are joined in order of first appearance."""
    full = {"status": STATUSES, "bound_source": BOUND_SOURCES}
    if len(frames) == 1:
        return frames[0]
    stacked: dict[str, Any] = {}
    for column, kind in columns.items():
        parts = [frame[column] for frame in frames if len(frame)]
        if not parts:
            no_codes = np.empty(0, dtype=np.int8)
            labels = full.get(column, ())
            stacked[column] = labelled(no_codes, labels) if kind == "text" else pd.array([], dtype=_DTYPES[kind])
        elif kind == "text":
            stacked[column] = _joined([part.array for part in parts])
        elif kind == "flag":
            stacked[column] = pd.concat(parts, ignore_index=True).array
        else:
            stacked[column] = np.concatenate([part.to_numpy() for part in parts])
    return pd.DataFrame(stacked)


def _joined(parts: Sequence[Any]) -> pd.Categorical[Any]:
    """Join categories as pandas does, which looks at each of them several times."""
    numbers: dict[str, int] = {}
    codes = []
    for part in parts:
        # the code of a missing one is -1
        own = [numbers.setdefault(label, len(numbers)) for label in part.categories.tolist()]
        codes.append(np.array([*own, -1])[part.codes])
    return labelled(np.concatenate(codes), list(numbers))


def in_order(tables: Sequence[pd.DataFrame], schemes: Sequence[str]) -> pd.DataFrame:
    """Stack tables of errors of one function: rows by point and variable as they first appear, by scheme, h descending.

    Parameters
    ----------
    tables : sequence of DataFrame
    schemes : sequence of str
        The schemes that may occur, in their order.
    """
    if len(tables) == 1:
        return tables[0]
    stacked = stack(tables, COLUMNS)
    ranks = [-stacked["h"].to_numpy()]
    for column in ("scheme", "variable", "point"):
        labels = stacked[column].cat
        wanted = list(schemes) if column == "scheme" else labels.categories.tolist()
        ranks.append(np.array([wanted.index(label) for label in labels.categories])[labels.codes])
    stacked = stacked.iloc[np.lexsort(ranks)].reset_index(drop=True)
    for column in ("scheme", "variable", "point"):
        stacked[column] = stacked[column].cat.reorder_categories(stacked[column].astype(str).unique())
    return stacked
