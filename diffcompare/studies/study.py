"""Studies: what a study file asks for in, the tables of its functions out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from diffcompare.descent import gradient_descents, stack_descents, surface_around
from diffcompare.errors import DiffcompareError, StudyError, reason, shorten
from diffcompare.numeric.stencils import DEFAULT_SCHEMES
from diffcompare.numeric.steps import geometric_steps
from diffcompare.studies.study_file import Entry, Study, read_study, rounded_points
from diffcompare.sweeps.hot_spots import ranked_operations
from diffcompare.sweeps.parallel import Outcome, attempt, in_processes, packed, unpacked
from diffcompare.sweeps.rule_errors import rules_of_summary
from diffcompare.sweeps.sweep import sweep
from diffcompare.symbolic.derivatives import derivative_latex, latex
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse
from diffcompare.tables.schema import (
    COLUMNS,
    CURVE_COLUMNS,
    FUNCTION_COLUMNS,
    HOT_SPOT_COLUMNS,
    RULE_COLUMNS,
    SUMMARY_COLUMNS,
    SURFACE_COLUMNS,
    Lesson,
    Tables,
    format_point,
    frame_of,
    labelled,
    stack,
)
from diffcompare.tables.summary import summarize
from diffcompare.watchdog import account_for_each_place, one_account

__all__ = [
    "Chunk",
    "Interrupted",
    "Loader",
    "Measured",
    "Study",
    "chunks",
    "code_loader",
    "evaluate",
    "function_row",
    "make_entry",
    "measure",
    "read_study",
    "run_study",
    "traced",
]

# gives the function of an entry of Python code, or says why there is none
Loader = Callable[[Entry], SymbolicFunction | str]

# the packed function, its entry with these points and without the function, half the rows of a curve (0: errors are
# all that is wanted), is it the first
Chunk = tuple[bytes, Entry, int, bool]

_CURVE_ROWS = 200_000
_TABLES = 50  # of small ones that are kept before they are made one
# what is measured of each entry, in this order
_MEASURED: Mapping[str, Mapping[str, str]] = {
    "errors": COLUMNS, "curves": CURVE_COLUMNS, "hot_spots": HOT_SPOT_COLUMNS, "rules": RULE_COLUMNS,
}  # fmt: skip
# points of one function that are worked on at a time, here and in another process
_CHUNK_POINTS = 200
_CHUNK_POINTS_SENT = 20
_HOT_SPOTS = 12  # operations shown of one function at one point


def run_study(
    path: str | PathLike[str],
    allow_python: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    executor: Executor | None = None,
    code_process: Callable[[Callable[[Any], Any], Any], Any] | None = None,
    limit: bool = True,
) -> Tables:
    """Run a study file.

    Parameters
    ----------
    path : path
        The TOML file.
    allow_python : bool
        Whether to run the Python code that the file names: modules beside it, in the current directory or installed.
    progress : callable, optional
        Called before each function, and each part of one with many points, with how many parts are done, how many there
        are, and the name of the function.
    executor : concurrent.futures.Executor, optional
        Runs functions and points in other processes: the same tables, bit for bit.
    code_process : callable, optional
        Where the Python code is loaded and traced, such as a ``CodeProcess`` of the command line; default: here.
    limit : bool
        Refuse, before any work, a file whose report would be very large.

    Returns
    -------
    Tables
        A function that could not be read or evaluated has its reason in ``functions``; the others go on.

    Raises
    ------
    StudyError
        The file is wrong as a whole: file, line where possible, key and remedy in one line.
    Interrupted
        Ctrl-C, after some functions or points were done.
    """
    study = read_study(path, allow_python=allow_python, limit=limit)
    load = code_loader(path, code_process) if allow_python else None
    return evaluate(study, load=load, progress=progress, executor=executor)


def code_loader(
    path: str | PathLike[str], code_process: Callable[[Callable[[Any], Any], Any], Any] | None = None
) -> Loader:
    """Return what loads and traces the Python code that a study file names; arguments as in :func:`run_study`."""
    from diffcompare.studies.study_code import Code, traced_code

    def load(entry: Entry) -> SymbolicFunction | str:
        code = Code(entry.text, entry.name, entry.shape or (), str(path))
        if code_process is None:
            return traced_code(code)
        try:
            found: SymbolicFunction | str = code_process(traced_code, code)
        except DiffcompareError as lost:
            return reason(lost)
        return found

    return load


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
        Gives the function of an entry of Python code, or says why there is none; needed by studies that name some.
    progress, executor : optional
        As in :func:`run_study`.
    """
    parts = {name: _Stack(columns) for name, columns in _MEASURED.items()}
    rows: dict[str, dict[str, str]] = {}
    functions: dict[str, SymbolicFunction] = {}  # those that are still needed
    wanted = {descent.function for descent in study.descents}
    size = _CHUNK_POINTS if executor is None else _CHUNK_POINTS_SENT
    pieces = [math.ceil(len(entry.points) / size) for entry in study.entries]
    begun = 0
    found: _Found | None = None
    try:
        measured = _measured(study, load, executor, size)
        for read, count in zip(study.entries, pieces, strict=True):
            tell = partial(_tell, progress, read.name, sum(pieces))
            tell(begun)
            entry, outcomes = next(measured)
            found = _Found(entry)
            for k, outcome in enumerate(outcomes, 1):
                found.add(outcome)
                if k < count:
                    tell(begun + k)
            begun += count
            whole, found = found, None
            whole.give(parts)
            message = entry.message if whole.error is None else reason(whole.error)
            if message and entry.name in wanted:
                message += "; its gradient descent is skipped"
            if whole.first is not None and entry.name in wanted and entry.function is not None:
                functions[entry.name] = entry.function
            rows[entry.name] = function_row(entry, message, whole.first)
    except KeyboardInterrupt as error:
        if type(error) is not KeyboardInterrupt or not (rows or (found is not None and found.first is not None)):
            raise
        told = f"interrupted after {len(rows)} of {len(study.entries)} functions"
        if found is not None and found.first is not None:
            points = f"{found.chunks * size} of {len(found.entry.points)} points"
            told += f" and {points} of the next one"
            found.give(parts)
            rows[found.entry.name] = function_row(found.entry, f"interrupted after {points}", found.first)
        left = [entry for entry in study.entries if entry.name not in rows]
        rows |= {entry.name: function_row(entry, entry.message or told, None) for entry in left}
        raise Interrupted(told, _tables(study, parts, rows, [], [])) from None
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
                known = rows[descent.function]["message"]
                rows[descent.function]["message"] = f"{known}; gradient descent: {reason(error)}".removeprefix("; ")
    return _tables(study, parts, rows, descents, _surfaces(functions, descents))


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, after some points were done: ``tables`` has them, functions without any are failed in it."""

    def __init__(self, message: str, tables: Tables) -> None:
        super().__init__(message)
        self.tables = tables


class _Stack:
    """A table that grows: small tables become one now and then, since each takes more memory than its rows."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.tables: list[pd.DataFrame] = []
        self.loose = 0  # at the end, not yet put together

    def add(self, table: pd.DataFrame) -> None:
        self.tables.append(table)
        self.loose += 1
        if self.loose == _TABLES:
            self.tables[-self.loose :] = [stack(self.tables[-self.loose :], self.columns)]
            self.loose = 0

    def table(self) -> pd.DataFrame:
        # the parts are let go: all tables of a study beside all of their parts would be twice the study
        self.tables = [stack(self.tables, self.columns)]
        return self.tables[0]


class _Found:
    """What is known so far of one function, its tables put together as its chunks of points come."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.parts = [_Stack(columns) for columns in _MEASURED.values()]
        self.first: Measured | None = None  # none where one has failed
        self.error: Exception | None = None
        self.chunks = 0

    def add(self, outcome: Outcome) -> None:
        self.error = self.error or outcome.error
        if self.error is not None:
            self.first = None
            return
        self.first = self.first or outcome.value
        self.chunks += 1
        for part, table in zip(self.parts, outcome.value.tables, strict=True):
            part.add(table)

    def give(self, parts: Mapping[str, _Stack]) -> None:
        """Add the tables to those of the study; none of a function that failed."""
        for part, own in zip(parts.values(), self.parts, strict=True):
            for table in own.tables if self.first is not None else ():
                part.add(table)


def _tell(progress: Callable[[int, int, str], None] | None, name: str, total: int, done: int) -> None:
    if progress is not None:
        progress(done, total, name)


def _tables(
    study: Study,
    parts: Mapping[str, _Stack],
    rows: Mapping[str, dict[str, str]],
    descents: Sequence[tuple[str, Mapping[str, pd.DataFrame]]],
    surfaces: Sequence[pd.DataFrame],
) -> Tables:
    measured = {name: part.table() for name, part in parts.items()}
    return Tables(
        study.title,
        summary=summarize(measured["errors"]) if len(measured["errors"]) else stack([], SUMMARY_COLUMNS),
        functions=pd.DataFrame(list(rows.values()), dtype=str)[list(FUNCTION_COLUMNS)],
        descent=stack_descents(descents),
        surfaces=stack(surfaces, SURFACE_COLUMNS),
        lesson=_lesson(study),
        **measured,
    )


def _lesson(study: Study) -> Lesson:
    """Collect what the file says; what it says of several descents of a function follows one another."""
    descents: dict[str, str] = {}
    for descent in study.descents:
        if descent.lesson:
            descents[descent.function] = f"{descents.get(descent.function, '')}\n\n{descent.lesson}".strip()
    return Lesson(study.lesson, {e.name: e.lesson for e in study.entries if e.lesson}, descents)


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


def _measured(
    study: Study, load: Loader | None, executor: Executor | None, size: int
) -> Iterator[tuple[Entry, Iterator[Outcome]]]:
    """Give each entry, traced where it is code, with the outcomes of its chunks of points."""
    entries = (traced(entry, load) for entry in study.entries)
    if executor is None:
        for entry in entries:
            yield entry, _until_an_error(chunks(entry, size))
        return
    # every function is traced before the first one is sent: a process that code of the user's ends is none of theirs
    known = list(entries)
    payloads = (chunk for entry in known for chunk in chunks(entry, size))
    names = (shorten(entry.name, 80) for entry in known for _ in range(_count(entry, size)))
    outcomes = in_processes(measure, payloads, names, executor)
    for entry in known:
        yield entry, islice(outcomes, _count(entry, size))


def _until_an_error(payloads: Iterable[Chunk]) -> Iterator[Outcome]:
    for chunk in payloads:
        outcome = attempt(measure, chunk)
        yield outcome
        if outcome.error is not None:
            return


def _count(entry: Entry, size: int) -> int:
    return 0 if entry.function is None else math.ceil(len(entry.points) / size)


def chunks(entry: Entry, size: int, *, errors_alone: bool = False) -> Iterator[Chunk]:
    """Cut the points of an entry; the function is packed once, so that a process compiles it once."""
    if entry.function is None:
        return
    half = 0 if errors_alone else max(2, min(100, _CURVE_ROWS // (2 * len(entry.points))))
    function = packed(entry.function, entry.name)
    for k in range(0, len(entry.points), size):
        yield function, replace(entry, function=None, points=entry.points[k : k + size]), half, k == 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of a chunk of points, the errors first; its first one has the formulas."""

    tables: tuple[pd.DataFrame, ...]
    latex: str
    derivative_latex: str


@account_for_each_place()
def measure(chunk: Chunk) -> Measured:
    """Measure a function at some of its points."""
    function, entry, half, first = chunk
    f = unpacked(function)
    tables: tuple[pd.DataFrame, ...] = (_sweep(f, entry),)
    if half:
        # the rules are asked in binary64
        groups = summarize(tables[0] if entry.dtype == "float64" else tables[0].iloc[:0])
        tables += _curves(f, entry, half), _hot_spots(f, entry), rules_of_summary(f, groups)
    written = first and entry.shape is None  # as a formula
    # the first point pays for the formulas too: with one of their own they would double what a single point costs
    with one_account(tuple(entry.points[0])):
        texts = [_quietly(write, f) if written else "" for write in (latex, derivative_latex)]
    return Measured(tables, *texts)


def traced(entry: Entry, load: Loader | None) -> Entry:
    """Load and trace the code of an entry of Python code; what goes wrong becomes its message."""
    if entry.shape is None:
        return entry
    if load is None:
        raise StudyError(f"{shorten(entry.text)}: there is nothing to load Python code with; pass load=")
    found = load(entry)
    return replace(entry, message=found) if isinstance(found, str) else replace(entry, function=found)


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
        box=None if entry.box is None else [list(side) for side in entry.box],
    )


def _curves(function: SymbolicFunction, entry: Entry, half: int) -> pd.DataFrame:
    """Tabulate a function of one variable over [x - w, x + w], w = max(|x|, 1), around its points, inside its box."""
    rows: list[dict[str, Any]] = []
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
        place = entry.name, format_point(function.variables, [x])
        pairs = zip(abscissae.tolist(), values.tolist(), strict=True)
        rows += [dict(zip(CURVE_COLUMNS, (*place, *pair), strict=True)) for pair in pairs]
    return frame_of(rows, CURVE_COLUMNS)


def _hot_spots(function: SymbolicFunction, entry: Entry) -> pd.DataFrame:
    """List where the rounding error of a function comes from at its points; a point that fails is left out."""
    rows: list[dict[str, Any]] = []
    # they are told of binary64
    for point in entry.points if entry.dtype == "float64" else ():
        place = entry.name, format_point(function.variables, point)
        with suppress(Exception), one_account(tuple(point)):
            found = ranked_operations(function, point[0] if len(point) == 1 else point, most=_HOT_SPOTS)
            rows += [dict(zip(HOT_SPOT_COLUMNS, (*place, *row), strict=True)) for row in zip(*found, strict=True)]
    return frame_of(rows, HOT_SPOT_COLUMNS)


def function_row(entry: Entry, message: str, measured: Measured | None) -> dict[str, str]:
    """Make the row of a function in the table of functions; of one that failed there is nothing measured."""
    f = entry.function
    return {
        "function": entry.name,
        "variables": ";".join(entry.variables),
        "formula": shorten(entry.text) if f is None else f.formula,
        "latex": "" if measured is None else measured.latex,
        "derivative_latex": "" if measured is None else measured.derivative_latex,
        "source": f.source if f is not None else "text" if entry.shape is None else "python",
        "status": "failed" if measured is None else "ok",
        "message": message,
    }


def _quietly(write: Callable[[SymbolicFunction], str], function: SymbolicFunction) -> str:
    try:
        return write(function)
    except Exception:
        return ""
