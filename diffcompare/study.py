"""Studies: what a study file asks for in, the tables of its functions out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from diffcompare.compare.hot_spots import hot_spots
from diffcompare.compare.identity import trace
from diffcompare.compare.parallel import Outcome, attempt, in_processes, packed, unpacked
from diffcompare.compare.schema import (
    COLUMNS,
    CURVE_COLUMNS,
    FUNCTION_COLUMNS,
    HOT_SPOT_COLUMNS,
    RULE_COLUMNS,
    SUMMARY_COLUMNS,
    SURFACE_COLUMNS,
    Tables,
    format_point,
    labelled,
    stack,
)
from diffcompare.compare.step_rules import rules_of_summary
from diffcompare.compare.summary import summarize
from diffcompare.compare.sweep import sweep
from diffcompare.descent import gradient_descents, stack_descents, surface_around
from diffcompare.errors import StudyError, shorten
from diffcompare.numeric.stencils import DEFAULT_SCHEMES
from diffcompare.numeric.steps import geometric_steps
from diffcompare.study_file import Entry, Study, read_study, reason, rounded_points
from diffcompare.symbolic.derivatives import derivative_latex, latex
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.symbolic.parse import parse

__all__ = ["Study", "evaluate", "make_entry", "read_study", "run_study"]

# gives the function that MODULE:function names; the code runs inside
Loader = Callable[[str], AbstractContextManager[Callable[..., Any]]]

_CURVE_ROWS = 200_000
_CHUNK_POINTS = 20  # of one function, for another process
_HOT_SPOTS = 12  # operations shown of one function at one point


def run_study(
    path: str | PathLike[str],
    allow_python: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    executor: Executor | None = None,
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
    executor : concurrent.futures.Executor, optional
        Runs functions and points in other processes: the same tables, bit for bit.

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
        return evaluate(study, progress=progress, executor=executor)
    from diffcompare.user_code import loader_near

    return evaluate(study, load=loader_near(str(path)), progress=progress, executor=executor)


def make_entry(
    text: str,
    points: Callable[[SymbolicFunction], Sequence[Sequence[float]]],
    *,
    variables: Sequence[str] | None = None,
    schemes: Sequence[str] = DEFAULT_SCHEMES,
    derivative: int = 1,
    dtype: str = "float64",
    box: tuple[float, float] | None = None,
) -> Entry:
    """Make the entry of one formula, with the standard steps; errors of the formula are raised.

    Parameters
    ----------
    text : str
        The formula.
    points : callable
        Is given the function and returns its points.
    box : (lower, upper), optional
        Of all variables.
    """
    function = parse(text, variables=variables)
    found = tuple(tuple(point) for point in points(function))
    steps = tuple(float(h) for h in geometric_steps(1e-1, 1e-16))
    return Entry(
        function.name,
        text,
        function,
        "",
        rounded_points(found, dtype),
        steps,
        tuple(schemes),
        function.variables,
        derivative=derivative,
        dtype=dtype,
        box=None if box is None else ((box[0],) * len(function.variables), (box[1],) * len(function.variables)),
    )


def evaluate(
    study: Study,
    *,
    load: Loader | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    executor: Executor | None = None,
) -> Tables:
    """Evaluate a study that was read; a function that fails is recorded and the others go on.

    Parameters
    ----------
    study : Study
    load : callable, optional
        Loads Python code, see ``diffcompare.user_code``; needed by studies that name some.
    progress, executor : optional
        As in :func:`run_study`.
    """
    entries = []
    errors: list[pd.DataFrame] = []
    curves: list[pd.DataFrame] = []
    spots: list[pd.DataFrame] = []
    rules: list[pd.DataFrame] = []
    functions, messages = {}, {}
    wanted = {descent.function for descent in study.descents}
    measured = _measured(study, load, executor)
    for done, read in enumerate(study.entries):
        if progress is not None:
            progress(done, len(study.entries), read.name)
        entry, found = next(measured)
        entries.append(entry)
        message = entry.message
        if entry.function is not None:
            failed = next((outcome.error for outcome in found if outcome.error is not None), None)
            if failed is not None:
                message = reason(failed)
            else:
                functions[entry.name] = entry.function
                for outcome in found:
                    for tables, table in zip((errors, curves, spots, rules), outcome.value, strict=True):
                        tables.append(table)
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
    table = stack(errors, COLUMNS)
    return Tables(
        study.title,
        table,
        summarize(table) if len(table) else stack([], SUMMARY_COLUMNS),
        pd.DataFrame([_function_row(e, messages[e.name], e.name in functions) for e in entries], dtype=str)[
            list(FUNCTION_COLUMNS)
        ],
        stack_descents(descents),
        stack(curves, CURVE_COLUMNS),
        stack(spots, HOT_SPOT_COLUMNS),
        stack(rules, RULE_COLUMNS),
        stack(_surfaces(functions, descents), SURFACE_COLUMNS),
    )


def _surfaces(
    functions: Mapping[str, SymbolicFunction], descents: Sequence[tuple[str, Mapping[str, pd.DataFrame]]]
) -> list[pd.DataFrame]:
    """Tabulate each function around all of its descents."""
    runs: dict[str, list[pd.DataFrame]] = {}
    for name, by in descents:
        runs.setdefault(name, []).extend(by.values())
    made = []
    for name, found in runs.items():
        surface = surface_around(functions[name], found)
        names = labelled(np.zeros(len(surface), dtype=np.int8), [name])
        made.append(surface.assign(function=names)[list(SURFACE_COLUMNS)])
    return made


def _measured(study: Study, load: Loader | None, executor: Executor | None) -> Iterator[tuple[Entry, list[Outcome]]]:
    """Give each entry, traced where it is code, with the outcomes of its chunks of points."""
    entries = (entry if entry.shape is None else _traced(entry, load) for entry in study.entries)
    if executor is None:
        for entry in entries:
            yield entry, [attempt(_measure, chunk) for chunk in _chunks(entry, len(entry.points))]
        return
    # every function is traced before the first one is sent: code of the user's runs in this process alone
    known = list(entries)
    chunks = [_chunks(entry, _CHUNK_POINTS) for entry in known]
    names = [shorten(entry.name, 80) for entry, some in zip(known, chunks, strict=True) for _ in some]
    outcomes = in_processes(_measure, [chunk for some in chunks for chunk in some], names, executor)
    for entry, some in zip(known, chunks, strict=True):
        yield entry, list(islice(outcomes, len(some)))


def _chunks(entry: Entry, size: int) -> list[tuple[bytes, Entry, int]]:
    """Cut the points of an entry; the function is packed once, so that a process compiles it once."""
    if entry.function is None:
        return []
    half = max(2, min(100, _CURVE_ROWS // (2 * len(entry.points))))
    function = packed(entry.function, entry.name)
    return [
        (function, replace(entry, function=None, points=entry.points[k : k + size]), half)
        for k in range(0, len(entry.points), size)
    ]


def _measure(chunk: tuple[bytes, Entry, int]) -> tuple[pd.DataFrame, ...]:
    function, entry, half = chunk
    f = unpacked(function)
    errors = _sweep(f, entry)
    # the rules are asked in binary64
    groups = summarize(errors if entry.dtype == "float64" else errors.iloc[:0])
    return errors, _curves(f, entry, half), _hot_spots(f, entry), rules_of_summary(f, groups)


def _traced(entry: Entry, load: Loader | None) -> Entry:
    """Load and trace the Python code of an entry; what goes wrong becomes its message."""
    if load is None:
        raise StudyError(f"{shorten(entry.text)}: there is nothing to load Python code with; pass load=")
    try:
        with load(entry.text) as code:
            traced = trace(code, entry.shape or (), name=shorten(entry.text, 80))
            scalar(traced, "return a scalar")
    except Exception as error:
        return replace(entry, message=reason(error))
    found = SymbolicFunction.from_program(traced.program, formula=entry.text, name=entry.name, source="python")
    return replace(entry, function=found)


def _sweep(function: SymbolicFunction, entry: Entry) -> pd.DataFrame:
    points = np.array(entry.points)
    points = points[:, 0] if len(function.variables) == 1 else points
    return sweep(
        function,
        points,
        schemes=entry.schemes,
        steps=np.array(entry.steps),
        dtype=entry.dtype,
        derivative=entry.derivative,
        box=entry.box,
    )


def _curves(function: SymbolicFunction, entry: Entry, half: int) -> pd.DataFrame:
    """Tabulate a function of one variable over [x - w, x + w], w = max(|x|, 1), around its points, inside its box."""
    parts = []
    for point in entry.points if len(function.variables) == 1 else ():
        # the sweep shows the point as the dtype rounds it
        x = float(np.dtype(entry.dtype).type(point[0]))
        with np.errstate(all="ignore"):
            abscissae = x + np.linspace(-1.0, 1.0, 2 * half + 1) * max(abs(x), 1.0)
        abscissae[half] = x
        low, high = (-math.inf, math.inf) if entry.box is None else (side[0] for side in entry.box)
        abscissae = abscissae[np.isfinite(abscissae) & (abscissae >= low) & (abscissae <= high)]
        values = np.asarray(function(abscissae), dtype=np.float64)
        values = np.where(np.isfinite(values), values, math.nan)
        same = np.zeros(len(abscissae), dtype=np.int8)
        labels = {
            "function": labelled(same, [entry.name]),
            "point": labelled(same, [format_point(function.variables, [x])]),
        }
        parts.append(pd.DataFrame({**labels, "x": abscissae, "value": values}))
    return stack(parts, CURVE_COLUMNS)


def _hot_spots(function: SymbolicFunction, entry: Entry) -> pd.DataFrame:
    """List where the rounding error of a function comes from at its points; a point that fails is left out."""
    parts = []
    # they are told of binary64
    for point in entry.points if entry.dtype == "float64" else ():
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
    return stack(parts, HOT_SPOT_COLUMNS)


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
