"""Studies: what a study file asks for in, the tables of its functions out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from diffcompare.compare.hot_spots import hot_spots
from diffcompare.compare.identity import trace
from diffcompare.compare.schema import (
    BOUND_SOURCES,
    COLUMNS,
    CURVE_COLUMNS,
    FUNCTION_COLUMNS,
    HOT_SPOT_COLUMNS,
    STATUSES,
    SUMMARY_COLUMNS,
    Tables,
    format_point,
    labelled,
)
from diffcompare.compare.summary import summarize
from diffcompare.compare.sweep import sweep
from diffcompare.descent import gradient_descents, stack_descents
from diffcompare.errors import StudyError, shorten
from diffcompare.numeric.stencils import SCHEMES
from diffcompare.numeric.steps import geometric_steps
from diffcompare.study_file import Entry, Study, read_study, reason
from diffcompare.symbolic.derivatives import derivative_latex, latex
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse

__all__ = ["Study", "evaluate", "make_entry", "read_study", "run_study"]

# gives the function that MODULE:function names; the code runs inside
Loader = Callable[[str], AbstractContextManager[Callable[..., Any]]]

_CURVE_ROWS = 200_000
_HOT_SPOTS = 12  # operations shown of one function at one point


def run_study(
    path: str | PathLike[str],
    allow_python: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Tables:
    """Run a study file.

    Parameters
    ----------
    path : path
        The TOML file.
    allow_python : bool
        Whether to run the Python code that the file names: modules beside it, in the current directory or installed.
    progress : callable, optional
        Called before each function with how many are done, how many there are, and its name.

    Returns
    -------
    Tables
        A function that could not be read or evaluated has its reason in ``functions``; the others go on.

    Raises
    ------
    StudyError
        The file is wrong as a whole: file, line where possible, key and remedy in one line.
    """
    study = read_study(path, allow_python=allow_python)
    if not allow_python:
        return evaluate(study, progress=progress)
    from diffcompare.user_code import loader_near

    return evaluate(study, load=loader_near(str(path)), progress=progress)


def make_entry(
    text: str,
    points: Callable[[SymbolicFunction], Sequence[Sequence[float]]],
    *,
    variables: Sequence[str] | None = None,
    schemes: Sequence[str] = tuple(SCHEMES),
) -> Entry:
    """Make the entry of one formula, with the standard steps; errors of the formula are raised.

    Parameters
    ----------
    text : str
        The formula.
    points : callable
        Is given the function and returns its points.
    """
    function = parse(text, variables=variables)
    found = tuple(tuple(point) for point in points(function))
    steps = tuple(float(h) for h in geometric_steps(1e-1, 1e-16))
    return Entry(function.name, text, function, "", found, steps, tuple(schemes), function.variables)


def evaluate(
    study: Study, *, load: Loader | None = None, progress: Callable[[int, int, str], None] | None = None
) -> Tables:
    """Evaluate a study that was read; a function that fails is recorded and the others go on.

    Parameters
    ----------
    study : Study
    load : callable, optional
        Loads Python code, see ``diffcompare.user_code``; needed by studies that name some.
    progress : callable, optional
        As in :func:`run_study`.
    """
    entries = []
    errors, curves, spots, functions, messages = [], [], [], {}, {}
    wanted = {descent.function for descent in study.descents}
    for done, entry in enumerate(study.entries):
        if progress is not None:
            progress(done, len(study.entries), entry.name)
        if entry.shape is not None:
            entry = _traced(entry, load)
        entries.append(entry)
        message = entry.message
        if entry.function is not None:
            try:
                table = _sweep(entry.function, entry, study.dtype)
                curve = _curves(entry.function, entry, study.dtype)
            except Exception as error:
                message = reason(error)
            else:
                errors.append(table)
                curves.append(curve)
                spots.append(_hot_spots(entry.function, entry))
                functions[entry.name] = entry.function
        if message and entry.name in wanted:
            message += "; its gradient descent is skipped"
        messages[entry.name] = message
    descents = []
    for descent in study.descents:
        if descent.function in functions:
            try:
                runs = gradient_descents(
                    functions[descent.function],
                    descent.start,
                    learning_rate=descent.learning_rate,
                    steps=descent.steps,
                    gradients=descent.gradients,
                )
                descents.append((descent.function, runs))
            except Exception as error:
                known = messages[descent.function]
                messages[descent.function] = f"{known}; gradient descent: {reason(error)}".removeprefix("; ")
    table = _stack(errors, COLUMNS)
    return Tables(
        study.title,
        table,
        summarize(table) if len(table) else _stack([], SUMMARY_COLUMNS),
        pd.DataFrame([_function_row(e, messages[e.name], e.name in functions) for e in entries], dtype=str)[
            list(FUNCTION_COLUMNS)
        ],
        stack_descents(descents),
        _stack(curves, CURVE_COLUMNS),
        _stack(spots, HOT_SPOT_COLUMNS),
    )


def _traced(entry: Entry, load: Loader | None) -> Entry:
    """Load and trace the Python code of an entry; what goes wrong becomes its message."""
    if load is None:
        raise StudyError(f"{shorten(entry.text)}: there is nothing to load Python code with; pass load=")
    try:
        with load(entry.text) as code:
            program = trace(code, entry.shape or (), name=shorten(entry.text, 80)).program
    except Exception as error:
        return replace(entry, message=reason(error))
    found = SymbolicFunction.from_program(program, formula=entry.text, name=entry.name, source="python")
    return replace(entry, function=found)


def _sweep(function: SymbolicFunction, entry: Entry, dtype: str) -> pd.DataFrame:
    points = np.array(entry.points)
    points = points[:, 0] if len(function.variables) == 1 else points
    return sweep(function, points, schemes=entry.schemes, steps=np.array(entry.steps), dtype=dtype)


def _curves(function: SymbolicFunction, entry: Entry, dtype: str) -> pd.DataFrame:
    """Tabulate a function of one variable over [x - w, x + w], w = max(|x|, 1), around each of its points."""
    half = max(2, min(100, _CURVE_ROWS // (2 * len(entry.points))))
    parts = []
    for point in entry.points if len(function.variables) == 1 else ():
        # the sweep shows the point as the dtype rounds it
        x = float(np.dtype(dtype).type(point[0]))
        with np.errstate(all="ignore"):
            abscissae = x + np.linspace(-1.0, 1.0, 2 * half + 1) * max(abs(x), 1.0)
        abscissae[half] = x
        abscissae = abscissae[np.isfinite(abscissae)]
        values = np.asarray(function(abscissae), dtype=np.float64)
        values = np.where(np.isfinite(values), values, math.nan)
        same = np.zeros(len(abscissae), dtype=np.int8)
        labels = {
            "function": labelled(same, [entry.name]),
            "point": labelled(same, [format_point(function.variables, [x])]),
        }
        parts.append(pd.DataFrame({**labels, "x": abscissae, "value": values}))
    return _stack(parts, CURVE_COLUMNS)


def _hot_spots(function: SymbolicFunction, entry: Entry) -> pd.DataFrame:
    """List where the rounding error of a function comes from at its points; a point that fails is left out."""
    parts = []
    for point in entry.points:
        try:
            found = hot_spots(function, point[0] if len(point) == 1 else point).head(_HOT_SPOTS)
        except Exception:
            found = pd.DataFrame()
        if len(found):
            same = np.zeros(len(found), dtype=np.int8)
            codes, operations = pd.factorize(found["operation"].to_numpy(object))
            labels = {
                "function": labelled(same, [entry.name]),
                "point": labelled(same, [format_point(function.variables, point)]),
                "operation": labelled(codes, operations.tolist()),
            }
            numbers = {name: found[name] for name, kind in HOT_SPOT_COLUMNS.items() if kind == "float"}
            parts.append(pd.DataFrame({**labels, **numbers}))
    return _stack(parts, HOT_SPOT_COLUMNS)


def _function_row(entry: Entry, message: str, ok: bool) -> dict[str, str]:
    f, written = entry.function, entry.shape is None  # as a formula
    return {
        "function": entry.name,
        "variables": ";".join(entry.variables),
        "formula": shorten(entry.text) if f is None else f.formula,
        "latex": _quietly(latex, f) if f is not None and ok and written else "",
        "derivative_latex": _quietly(derivative_latex, f) if f is not None and ok and written else "",
        "source": f.source if f is not None else "text" if written else "python",
        "status": "ok" if ok else "failed",
        "message": message,
    }


def _quietly(write: Callable[[SymbolicFunction], str], function: SymbolicFunction) -> str:
    try:
        return write(function)
    except Exception:
        return ""


def _stack(frames: Sequence[pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """Stack tables; categories are joined in order of first appearance."""
    full = {"status": STATUSES, "bound_source": BOUND_SOURCES}
    kinds = {"float": "float64", "integer": "int64", "flag": "boolean"}
    if len(frames) == 1:
        return frames[0]
    stacked = {}
    for column, kind in columns.items():
        parts = [frame[column] for frame in frames if len(frame)]
        if not parts:
            labels = pd.CategoricalDtype(pd.Index(full.get(column, ()), dtype="str"))
            stacked[column] = pd.Series([], dtype=labels if kind == "text" else kinds[kind])
        elif kind == "text":
            stacked[column] = pd.Series(pd.api.types.union_categoricals(parts))
        else:
            stacked[column] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(stacked)
