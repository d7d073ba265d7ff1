"""The report: CSV files and HTML pages, drawn from the tables alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from diffcompare.report.drawings.overview import overview
from diffcompare.report.drawings.sparkline import sparkline
from diffcompare.report.environment import environment
from diffcompare.report.findings import findings, notes, verdict_lines, worst_first
from diffcompare.report.function_page import (
    LARGE,
    SMALL,
    Function,
    function_pages,
    has_source,
    point_places,
    summary_cells,
)
from diffcompare.report.verdict_page import is_verdict, write_verdict
from diffcompare.report.wording import place, short
from diffcompare.report.writing import MANIFEST, write_files
from diffcompare.tables.csv_files import write_csv
from diffcompare.tables.parquet import parquet_name, require_pyarrow, write_parquet
from diffcompare.tables.schema import COLUMNS, DESCENT_COLUMNS, SUMMARY_COLUMNS, Tables, complete

if TYPE_CHECKING:
    from os import PathLike

    from diffcompare.verdict.verdict import Verdict

__all__ = ["write_report"]

_MANY = 200  # above it only the functions that need a look get a page
# rows of each table of the index, whose size stays bounded so
_ROWS = 5_000
_SPARKS = 1500  # of them with a drawing
_DESCENT_STEPS = (0, 1, 10, 100)
_AHEAD = 16  # functions that are sent to processes before their pages are written
# what is drawn, in how many bytes a page, all or the first pages, in which study, and the pages around
_Work = tuple[Function, int, bool, str, str, str]
# of a Function, and what they are called in the tables
_FRAMES = {
    "rows": "errors", "summary": "summary", "curves": "curves", "hot_spots": "hot_spots", "rules": "rules",
    "descent": "descent", "surface": "surfaces",
}  # fmt: skip


def write_report(
    result: Tables | pd.DataFrame | Verdict | Sequence[Verdict],
    directory: str | PathLike[str],
    *,
    pages: Literal["auto", "all"] = "auto",
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002 (the word of the command line)
    executor: Executor | None = None,
) -> Path:
    """Write the tables as CSV files and as HTML pages that need no network and no script.

    All files are written, or none. Files that an earlier report wrote into the directory are replaced;
    any other file is left alone.

    Parameters
    ----------
    result : Tables, DataFrame, Verdict or sequence of Verdict
        What ``run_study`` returned, a table of ``sweep``, or what ``check_gradient`` returned, once or for
        each of several points.
    directory : path
        Where the files go; made if it is missing.
    pages : {"auto", "all"}
        With "auto", and more than 200 functions, only those that are not within their bounds have a page of their
        own.
    format : {"csv", "parquet"}
        With "parquet", each table is written as a Parquet file beside its CSV file (extra ``parquet``).
    executor : Executor, optional
        Draws the pages of functions, the same bytes; for example ``ProcessPoolExecutor(2)``.

    Returns
    -------
    Path
        The page to open: index.html in the directory.

    Raises
    ------
    DiffcompareError
        The directory cannot be written, or holds a file of the same name that no report wrote.
    """
    if pages not in ("auto", "all"):
        raise ValueError(f'pages={pages!r}: unknown choice; pass "auto" or "all"')
    if format not in ("csv", "parquet"):
        raise ValueError(f'format={format!r}: unknown choice; pass "csv" or "parquet"')
    if is_verdict(result):
        write_verdict([result], Path(directory), parquet=format == "parquet")
        return Path(directory) / "index.html"
    if isinstance(result, (list, tuple)) and result and all(map(is_verdict, result)):
        write_verdict(result, Path(directory), parquet=format == "parquet")
        return Path(directory) / "index.html"
    tables = _tables(result)
    functions = _functions(tables, every=pages == "all")
    csv_tables = {
        "errors.csv": tables.errors,
        "summary.csv": tables.summary,
        "functions.csv": tables.functions,
        "descent.csv": tables.descent,
        "curves.csv": tables.curves,
        "hot_spots.csv": tables.hot_spots,
        "rules.csv": tables.rules,
        "surfaces.csv": tables.surfaces,
    }
    if format == "parquet":
        require_pyarrow()
    files = [*csv_tables, *(parquet_name(name) for name in csv_tables if format == "parquet")]
    names = [*files, *(f.file for f in functions if f.file), "index.html"]

    def write(folder: Path) -> list[str]:
        def write_tables() -> None:
            for name, table in csv_tables.items():
                write_csv(table, folder / name)
                if format == "parquet":
                    write_parquet(table, folder / parquet_name(name))
            write_page("index.html", _index(tables, functions, [*files, MANIFEST]))

        def write_page(name: str, text: str) -> None:
            (folder / name).write_text(text, encoding="utf-8", newline="\n")

        def write_pages() -> list[str]:
            more = []
            for name, text in _pages(tables, functions, pages == "all", executor):
                write_page(name, text)
                more += [name] * (name not in names)
            return more

        if executor is None:
            write_tables()
            return write_pages()
        # while others draw
        with ThreadPoolExecutor(1) as beside:
            written = beside.submit(write_tables)
            more = write_pages()
            written.result()
        return more

    write_files(Path(directory), names, write)
    return Path(directory) / "index.html"


def _tables(result: object) -> Tables:
    if isinstance(result, pd.DataFrame):
        result = complete(result).reset_index(drop=True)
        _check_columns("errors", result, COLUMNS)
        # here, so that a report can be redrawn from its files without the rest
        from diffcompare.tables.summary import summarize

        return Tables("Derivatives compared", result, summarize(result))
    if not isinstance(result, Tables):
        raise TypeError(
            f"result={type(result).__name__}: pass a table of dc.sweep, dc.read_errors or what dc.run_study returned, "
            "or a Verdict"
        )
    result = replace(result, errors=complete(result.errors).reset_index(drop=True), summary=complete(result.summary))
    _check_columns("errors", result.errors, COLUMNS)
    _check_columns("summary", result.summary, SUMMARY_COLUMNS)
    return result


def _check_columns(name: str, frame: pd.DataFrame, columns: Mapping[str, str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name}: column {missing[0]!r} is missing; pass a whole table of dc.sweep or dc.read_errors")


def _functions(tables: Tables, *, every: bool) -> list[Function]:
    """List what is known of each function but its rows: thousands of small tables take more memory than their rows."""
    known = {str(row["function"]): row for row in tables.functions.astype(object).fillna("").to_dict("records")}
    restless = set(tables.summary["function"][tables.summary["verdict"].astype(str) != "within-bound"].astype(str))
    empty = {own: getattr(tables, name).iloc[:0] for own, name in _FRAMES.items()}
    names = list(dict.fromkeys([*known, *map(str, tables.errors["function"].dropna().unique())]))
    made = []
    for number, name in enumerate(names, 1):
        row = known.get(name, {})
        # (why one failed is said in the index: an interrupted study may not have come to thousands)
        calm = name not in restless
        made.append(
            Function(
                name=name,
                variables=str(row.get("variables", "")).split(";") if row.get("variables") else [],
                formula=str(row.get("formula", "")),
                latex=str(row.get("latex", "")),
                derivatives=str(row.get("derivative_latex", "")).split("\n") if row.get("derivative_latex") else [],
                source=str(row.get("source", "")),
                failed=row.get("status", "ok") == "failed",
                message=str(row.get("message", "")),
                lesson=tables.lesson.functions.get(name, ""),
                descent_lesson=tables.lesson.descents.get(name, ""),
                file="" if len(names) > _MANY and calm and not every else f"function-{number:03d}.html",
                **empty,
            )
        )
    return made


def _filler(tables: Tables) -> Callable[[Function], Function]:
    """Make what gives a function its rows, when its page is drawn."""
    frames = {own: _in_texts(getattr(tables, name)) for own, name in _FRAMES.items()}
    places = {own: _places(frame) for own, frame in frames.items()}

    def filled(f: Function) -> Function:
        own = {key: frame.iloc[places[key].get(f.name, [])] for key, frame in frames.items() if len(frame)}
        f = replace(f, **own)
        return replace(f, variables=f.variables or [str(variable) for variable in f.rows["variable"].unique()])

    return filled


def _in_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Write texts as Python's own: pages take them apart so often that what categories refer to is looked up here."""
    texts = (pd.CategoricalDtype, pd.StringDtype)
    return frame.astype({name: object for name, kind in frame.dtypes.items() if isinstance(kind, texts)})


def _places(frame: pd.DataFrame) -> dict[str, Any]:
    """Tell where the rows of each function are: as a slice where they follow one another, which copies nothing."""
    if frame.empty:
        return {}
    places = frame.groupby("function", observed=True, sort=False).indices
    return {
        str(name): slice(where[0], where[-1] + 1) if where[-1] - where[0] < len(where) else where
        for name, where in places.items()
    }


def _pages(
    tables: Tables, functions: Sequence[Function], every: bool, executor: Executor | None
) -> Iterator[tuple[str, str]]:
    """Draw the pages of the functions."""
    room = SMALL if sum(bool(f.file) for f in functions) > _MANY else LARGE
    filled = _filler(tables)
    work = (
        (filled(f), room, every, tables.title, _file(functions, k - 1), _file(functions, k + 1))
        for k, f in enumerate(functions)
        if f.file
    )
    for drawn in map(_drawn, work) if executor is None else _drawn_by(executor, work):
        yield from drawn


def _index(tables: Tables, functions: Sequence[Function], files: Sequence[str]) -> str:
    steps = [
        {"name": f.name, "file": f.file, "text": f.lesson, "descent": f.descent_lesson}
        for f in functions
        if f.lesson or f.descent_lesson
    ]
    return (
        environment("charts", "tables")
        .get_template("index.html")
        .render(
            title=tables.title,
            lessons=tables.lesson,
            steps=steps,
            picture=overview(tables.errors),
            findings=findings(tables),
            files_of={f.name: f.file for f in functions},
            failed=[f for f in functions if f.failed],
            remarks=[f for f in functions if f.message and not f.failed],
            functions=len(functions),
            groups=_index_groups(tables, functions, in_order=bool(steps)),
            bounded=bool((tables.summary["max_bound_ratio"] >= 0).any()),
            verdicts=verdict_lines(tables.errors, tables.summary),
            notes=notes(tables),
            proven=has_source(tables.errors, "proven"),
            comparisons=len(tables.summary),
            most=_ROWS,
            sparks=_SPARKS,
            descent=_descent(tables.descent),
            files=files,
            without_page=sum(not (f.file or f.failed) for f in functions),
        )
    )


def _drawn(work: _Work) -> list[tuple[str, str]]:
    """Draw the pages of one function, here or in another process."""
    f, room, every, study, previous, following = work
    around = {"study": study, "previous": previous, "following": following}
    return list(function_pages(f, environment("charts"), room=room, every=every, around=around))


def _drawn_by(executor: Executor, work: Iterator[_Work]) -> Iterator[list[tuple[str, str]]]:
    """Draw in the processes of an executor, a few functions ahead; what a lost process leaves is drawn here."""
    flying: deque[tuple[_Work, Future[list[tuple[str, str]]] | None]] = deque()
    while True:
        for piece in islice(work, _AHEAD - len(flying)):
            try:
                flying.append((piece, executor.submit(_drawn, piece)))
            except RuntimeError:
                flying.append((piece, None))
        if not flying:
            return
        piece, future = flying.popleft()
        try:
            drawn = future.result() if future else None
        except BrokenExecutor:
            drawn = None
        yield _drawn(piece) if drawn is None else drawn


def _file(functions: Sequence[Function], k: int) -> str:
    return functions[k].file if 0 <= k < len(functions) else ""


def _index_groups(tables: Tables, functions: Sequence[Function], *, in_order: bool) -> list[dict[str, Any]]:
    """Put the rows of the index together by function and point: in the order of the study, or the worst first."""
    by_name = {f.name: f for f in functions}
    keys = ["function", "variable", "point", "scheme", "derivative"]
    rows = (tables.summary if in_order else worst_first(tables.summary)).head(_ROWS).to_dict("records")
    drawn = {tuple(str(row[key]) for key in keys) for row in rows[:_SPARKS]}
    sparks = {}
    for key, part in tables.errors[[*keys, "h", "abs_error"]].groupby(keys, observed=True, sort=False):
        if (names := tuple(map(str, key))) in drawn:
            sparks[names] = sparkline(part["h"].tolist(), part["abs_error"].tolist())
    places = point_places(tables.summary)
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for k, row in enumerate(rows):
        name, point = str(row["function"]), str(row["point"])
        spark = sparks.get(tuple(str(row[key]) for key in keys)) if k < _SPARKS else None
        if (name, point) not in groups:
            f = by_name.get(name)
            known = {"file": f.file if f else "", "formula": f.formula if f else ""}
            groups[name, point] = {"function": name, "place": places[name, point], "rows": [], **known}
        groups[name, point]["rows"].append({**summary_cells(row), "spark": spark})
    return list(groups.values())


def _descent(descent: pd.DataFrame) -> list[tuple[str, list[dict[str, Any]]]]:
    """Pick a few steps of each run, the last one always among them; together by function."""
    if descent.empty:
        return []
    coordinates = [c for c in descent.columns if c not in DESCENT_COLUMNS]
    made: dict[str, list[dict[str, Any]]] = {}
    for (function, gradient), run in descent.groupby(["function", "gradient"], observed=True, sort=False):
        last = run["step"].max()
        for row in run[run["step"].isin([*_DESCENT_STEPS, last])].to_dict("records"):
            point = [f"{c}={short(float(row[c]))}" for c in coordinates if row[c] == row[c]]
            numbers = {c: float(row[c]) for c in ("value", "gradient_norm", "distance")}
            made.setdefault(str(function), []).append(
                {
                    "gradient": str(gradient),
                    "step": int(row["step"]),
                    "last": row["step"] == last,
                    "point": place(";".join(point)),
                    **numbers,
                }
            )
    return list(made.items())
