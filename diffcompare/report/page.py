"""The report: CSV files and HTML pages, drawn from the tables alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from diffcompare.compare.schema import COLUMNS, SUMMARY_COLUMNS, Tables, complete
from diffcompare.errors import shorten
from diffcompare.report.charts import error_chart
from diffcompare.report.contour import Contour, descent_contour
from diffcompare.report.environment import environment as _environment
from diffcompare.report.findings import findings, status_notes, verdict_lines, worst_first
from diffcompare.report.mathml import typeset
from diffcompare.report.parquet import parquet_name, require_pyarrow, write_parquet
from diffcompare.report.pivot import pivot
from diffcompare.report.rule_ticks import rule_rows
from diffcompare.report.sketch import function_sketch
from diffcompare.report.snippet import reproduce
from diffcompare.report.sparkline import sparkline
from diffcompare.report.split_chart import split_charts
from diffcompare.report.tables import html_table, write_csv
from diffcompare.report.verdict_page import is_verdict, write_verdict
from diffcompare.report.wording import PART_MEANINGS, PART_WORDS, STATUS_WORDS, Html, exactly, partial, short
from diffcompare.report.writing import MANIFEST, write_files

if TYPE_CHECKING:
    from os import PathLike

    from diffcompare.compare.verdict import Verdict

__all__ = ["write_report"]

_MANY = 200  # above it only the functions that need a look get a page
_SPARKS = 1500  # rows of the index with a drawing, so that its size stays bounded
# bytes of a page and of what stands on it: measured, and rounded up
_PAGE, _FIXED, _SMALLEST_SECTION = 149_000, 26_000, 1_800
_BEST_ROW, _SPOT_ROW, _RULE_ROW, _PIVOT_CELL = 560, 300, 360, 32
_ROWS_SHARE = 0.4  # of the room of the sections: what charts leave to rows and splits
_BEST_ROWS = 40
_DESCENT_STEPS = (0, 1, 10, 100)
_KEYS = ["function", "variable", "point", "scheme"]


def write_report(
    result: Tables | pd.DataFrame | Verdict | Sequence[Verdict],
    directory: str | PathLike[str],
    *,
    pages: Literal["auto", "all"] = "auto",
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002 (the word of the command line)
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
        With "auto", and more than 200 functions, only those that failed or are not within their bounds
        have a page of their own.
    format : {"csv", "parquet"}
        With "parquet", each table is written as a Parquet file beside its CSV file (extra ``parquet``).

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

    def write(folder: Path) -> None:
        for name, table in csv_tables.items():
            write_csv(table, folder / name)
            if format == "parquet":
                write_parquet(table, folder / parquet_name(name))
        for name, text in _pages(tables, functions, files=[*files, MANIFEST]):
            (folder / name).write_text(text, encoding="utf-8", newline="\n")

    write_files(Path(directory), names, write)
    return Path(directory) / "index.html"


@dataclass(frozen=True, slots=True)
class _Function:
    """All that is known of one function."""

    name: str
    variables: list[str]
    formula: str
    latex: str
    derivatives: list[str]
    source: str
    failed: bool
    message: str
    rows: pd.DataFrame
    summary: pd.DataFrame
    curves: pd.DataFrame
    hot_spots: pd.DataFrame
    rules: pd.DataFrame
    descent: pd.DataFrame
    surface: pd.DataFrame
    file: str


def _tables(result: object) -> Tables:
    if isinstance(result, pd.DataFrame):
        result = complete(result)
        _check_columns("errors", result, COLUMNS)
        # here, so that a report can be redrawn from its files without the rest of compare/
        from diffcompare.compare.summary import summarize

        return Tables("Derivatives compared", result, summarize(result))
    if not isinstance(result, Tables):
        raise TypeError(
            f"result={type(result).__name__}: pass a table of dc.sweep, dc.read_errors or what dc.run_study returned, "
            "or a Verdict"
        )
    result = replace(result, errors=complete(result.errors), summary=complete(result.summary))
    _check_columns("errors", result.errors, COLUMNS)
    _check_columns("summary", result.summary, SUMMARY_COLUMNS)
    return result


def _check_columns(name: str, frame: pd.DataFrame, columns: Mapping[str, str]) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name}: column {missing[0]!r} is missing; pass a whole table of dc.sweep or dc.read_errors")


def _functions(tables: Tables, *, every: bool) -> list[_Function]:
    known = {str(row["function"]): row for row in tables.functions.astype(object).fillna("").to_dict("records")}
    rows, summaries, curves, spots, rules, descents, surfaces = (
        _by_function(t)
        for t in (
            tables.errors,
            tables.summary,
            tables.curves,
            tables.hot_spots,
            tables.rules,
            tables.descent,
            tables.surfaces,
        )
    )
    names = list(dict.fromkeys([*known, *rows]))
    made = []
    for number, name in enumerate(names, 1):
        row = known.get(name, {})
        part = rows.get(name, tables.errors.iloc[:0])
        summary = summaries.get(name, tables.summary.iloc[:0])
        variables = str(row.get("variables", "")).split(";") if row.get("variables") else []
        failed = row.get("status", "ok") == "failed"
        calm = not failed and bool((summary["verdict"].astype(str) == "within-bound").all())
        made.append(
            _Function(
                name=name,
                variables=variables or [str(v) for v in part["variable"].unique()],
                formula=str(row.get("formula", "")),
                latex=str(row.get("latex", "")),
                derivatives=str(row.get("derivative_latex", "")).split("\n") if row.get("derivative_latex") else [],
                source=str(row.get("source", "")),
                failed=failed,
                message=str(row.get("message", "")),
                rows=part,
                summary=summary,
                curves=curves.get(name, tables.curves.iloc[:0]),
                hot_spots=spots.get(name, tables.hot_spots.iloc[:0]),
                rules=rules.get(name, tables.rules.iloc[:0]),
                descent=descents.get(name, tables.descent.iloc[:0]),
                surface=surfaces.get(name, tables.surfaces.iloc[:0]),
                file="" if len(names) > _MANY and calm and not every else f"function-{number:03d}.html",
            )
        )
    return made


def _by_function(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    if frame.empty:
        return {}
    return {str(name): part for name, part in frame.groupby("function", observed=True, sort=False)}


def _pages(tables: Tables, functions: Sequence[_Function], *, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    environment = _environment()
    page = environment.get_template("function.html")
    for k, f in enumerate(functions):
        if f.file:
            around = {"previous": functions[k - 1].file if k else "", "following": _file(functions, k + 1)}
            yield f.file, page.render(_function_page(f), title=f.name, study=tables.title, **around)
    yield (
        "index.html",
        environment.get_template("index.html").render(
            title=tables.title,
            verdicts=verdict_lines(tables.errors, tables.summary),
            proven=_has_source(tables.errors, "proven"),
            failed=[f for f in functions if f.failed],
            remarks=[f for f in functions if f.message and not f.failed],
            functions=len(functions),
            findings=findings(tables),
            rows=list(_index_rows(tables, functions)),
            sparks=_SPARKS,
            descent=_descent(tables.descent),
            files=files,
            without_page=sum(not f.file for f in functions),
        ),
    )


def _file(functions: Sequence[_Function], k: int) -> str:
    return functions[k].file if k < len(functions) else ""


def _index_rows(tables: Tables, functions: Sequence[_Function]) -> Iterator[dict[str, Any]]:
    by_name = {f.name: f for f in functions}
    keys = [*_KEYS, "derivative"]
    groups = {tuple(map(str, key)): part for key, part in tables.errors.groupby(keys, observed=True, sort=False)}
    for k, row in enumerate(worst_first(tables.summary).to_dict("records")):
        f = by_name.get(str(row["function"]))
        part = groups.get(tuple(str(row[key]) for key in keys)) if k < _SPARKS else None
        spark = None if part is None else sparkline(part["h"].tolist(), part["abs_error"].tolist())
        yield {**_summary_cells(row), "file": f.file if f else "", "formula": f.formula if f else "", "spark": spark}


def _summary_cells(row: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {key: str(row[key]) for key in (*_KEYS, "verdict")}
    if row["derivative"] != 1:
        texts["variable"] = partial(texts["variable"], int(row["derivative"]))
    numbers = {
        key: float(row[column])
        for key, column in {
            "best_h": "best_h",
            "best_abs_error": "best_abs_error",
            "predicted_h": "predicted_h",
            "predicted_abs_error": "predicted_abs_error",
            "order": "order",
            "observed_order": "observed_order",
            "at_book_step": "abs_error_at_1e-4",
            "ratio": "max_bound_ratio",
        }.items()
    }
    return {**texts, **numbers}


def _function_page(f: _Function) -> dict[str, Any]:
    """Collect what the page of one function shows."""
    formulas = [("f", typeset(f.latex, otherwise=f.formula))] if f.formula or f.latex else []
    derivatives = [
        (variable, typeset(latex, otherwise=latex))
        for variable, latex in zip(f.variables, f.derivatives, strict=False)
        if latex
    ]
    again = ""
    if f.source in ("text", "sympy") and f.formula and len(f.rows):
        again = reproduce(name=f.name, formula=f.formula, variables=f.variables, rows=f.rows)
    used = _FIXED + _BEST_ROW * min(len(f.summary), _BEST_ROWS) + _SPOT_ROW * len(f.hot_spots)
    used += sum(len(str(getattr(html, "text", html))) for _, html in (*formulas, *derivatives))
    contour = _contour(f)
    used += len(contour.drawing.text) if contour else 0
    sections, without = _sections(f, room=_PAGE - used)
    return {
        "function": f,
        "verdicts": verdict_lines(f.rows, f.summary),
        "proven": _has_source(f.rows, "proven"),
        "measured": _has_source(f.rows, "measured"),
        "bounded": bool(f.rows["bound"].notna().any()),
        "complex": (f.rows["scheme"].astype(str) == "complex").any(),
        "split": bool(f.rows[list(PART_WORDS)].notna().any(axis=None)),
        "parts": list(PART_WORDS),
        "part_meanings": PART_MEANINGS,
        "hot_spots": _hot_spots(f.hot_spots),
        "formulas": formulas,
        "derivatives": derivatives,
        "best": [_summary_cells(row) for row in f.summary.to_dict("records")],
        "shown": _BEST_ROWS,
        "sections": sections,
        "without_section": without,
        "contour": contour,
        "statuses": STATUS_WORDS,
        "again": again,
    }


def _has_source(rows: pd.DataFrame, source: str) -> bool:
    return bool((rows["bound"].notna() & (rows["bound_source"].astype(str) == source)).any())


def _hot_spots(spots: pd.DataFrame) -> list[dict[str, Any]]:
    """Collect the operations of a function by point; the leaders make up half of the bound, or are the first three."""
    made = []
    for point, part in spots.groupby("point", observed=True, sort=False) if len(spots) else ():
        operations = part["operation"].astype(str).tolist()
        numbers = {name: part[name].tolist() for name in ("bound", "bound_share", "error", "error_share")}
        shares = numbers["bound_share"]
        count = next((k for k in range(1, 4) if sum(shares[:k]) >= 0.5), 3)
        leaders = [(name, part) for name, part in zip(operations[:count], shares, strict=False) if part > 0]
        rows = [dict(zip(numbers, values, strict=True)) for values in zip(*numbers.values(), strict=True)]
        made.append({"point": str(point), "leaders": leaders, "rows": list(zip(operations, rows, strict=True))})
    return made


def _partials(rows: pd.DataFrame) -> list[pd.DataFrame]:
    if rows.empty:
        return []
    return [part for _, part in rows.groupby(["point", "variable"], observed=True, sort=False)]


def _sections(f: _Function, *, room: int) -> tuple[list[dict[str, Any]], int]:
    """Make the sections of a page, and count those that it has no room for.

    Charts come first, then the rows with the split; of partials that are not within their bounds before the others.
    """
    parts = _partials(f.rows)
    calm = f.summary[f.summary["verdict"].astype(str) == "within-bound"]
    places = set(zip(calm["variable"].astype(str), calm["point"].astype(str), strict=True))
    keys = [(str(part["variable"].iloc[0]), str(part["point"].iloc[0])) for part in parts]
    order = sorted(range(len(parts)), key=lambda k: (keys[k] in places, k))
    made: dict[int, dict[str, Any]] = {}
    reserved = room * _ROWS_SHARE
    for k in order:
        if room < reserved:
            break
        section = _section(f, k + 1, parts[k])
        room -= _SMALLEST_SECTION + sum(len(html.text) for html in (section["chart"], section["sketch"]) if html)
        made[k] = section
    for section in made.values():
        cells = len(section["pivot"].rows) * (1 + len(section["pivot"].schemes))
        size = len(section["table"].text) + _RULE_ROW * len(section["rules"]) + _PIVOT_CELL * cells
        drawn = sum(len(split.drawing.text) for split in section["splits"] if split.drawing)
        if size + drawn > room:
            section["splits"] = [replace(split, drawing=None) for split in section["splits"]]
            drawn = 0
        if size > room:
            section.update(table=None, pivot=None, rules=[])
            size = 0
        room -= size + drawn
    return [made[k] for k in sorted(made)], len(parts) - len(made)


def _section(f: _Function, number: int, rows: pd.DataFrame) -> dict[str, Any]:
    variable, point = str(rows["variable"].iloc[0]), str(rows["point"].iloc[0])
    exact = float(rows["exact"].iloc[0])
    identity = f"rows-{number}"
    order = int(rows["derivative"].iloc[0])
    of = "" if order == 1 else f" for the derivative of order {order}"
    title = f"Absolute error of finite differences{of} against step size, variable {variable} at {point}"
    drawable = rows["exact"].notna().any()
    # the rules are for first derivatives
    rules = f.rules[(f.rules["variable"] == variable) & (f.rules["point"] == point) & (order == 1)]
    return {
        "number": number,
        "variable": variable,
        "point": point,
        "exact": exact,
        "order": order,
        "partial": partial(shorten(variable, 60), order),
        "chart": error_chart(rows, title=title, identity=f"chart-{number}", rules=rules) if drawable else None,
        "rules": rule_rows(rules),
        "pivot": pivot(rows),
        "splits": split_charts(
            rows, title=f"Parts of the error, variable {variable} at {point}", identity=f"split-{number}"
        ),
        "uncharted": int((rows["h"] == 0).sum()),
        "sketch": _sketch(f, rows, point, number),
        "notes": status_notes(rows),
        "identity": identity,
        "count": len(rows),
        "table": _rows_table(rows, identity, f"All rows: variable {variable} at {point}"),
    }


def _sketch(f: _Function, rows: pd.DataFrame, point: str, number: int) -> Html | None:
    # tangent and secants are of the first derivative
    if f.curves.empty or int(rows["derivative"].iloc[0]) != 1:
        return None
    curve = f.curves[f.curves["point"].astype(str) == point]
    title = f"{shorten(f.name, 80)} near {point}, with tangent and secants"
    return function_sketch(curve, rows, title=title, identity=f"sketch-{number}") if len(curve) else None


def _contour(f: _Function) -> Contour | None:
    title = f"Gradient descent on {shorten(f.name, 80)}, over level lines"
    return descent_contour(f.surface, f.descent, f.variables, title=title, identity="contour")


def _rows_table(rows: pd.DataFrame, identity: str, caption: str) -> Html:
    """Show the rows as errors.csv has them, digit for digit, without the columns that are the same or empty."""
    same = {"function", "variable", "point", "order", "exact", "dtype", "derivative"}
    hidden = same | {"predicted_h", "predicted_abs_error"}
    shown = [c for c in COLUMNS if c not in hidden and not _blank(rows[c])]
    cells = []
    for column in shown:
        if COLUMNS[column] == "float":
            cells.append([exactly(value) for value in rows[column].tolist()])
        else:
            cells.append(["" if value is pd.NA else str(value) for value in rows[column].tolist()])
    return html_table(shown, zip(*cells, strict=True), caption=caption, identity=identity, row_heads=2)


def _blank(column: pd.Series[Any]) -> bool:
    return bool(column.isna().all() or (column.astype(str) == "").all())


def _descent(descent: pd.DataFrame) -> list[dict[str, Any]]:
    """Pick a few steps of each run, the last one always among them."""
    if descent.empty:
        return []
    fixed = ("function", "gradient", "step", "value", "gradient_norm", "distance")
    coordinates = [c for c in descent.columns if c not in fixed]
    made = []
    for (function, gradient), run in descent.groupby(["function", "gradient"], observed=True, sort=False):
        last = run["step"].max()
        for row in run[run["step"].isin([*_DESCENT_STEPS, last])].to_dict("records"):
            point = [f"{c} = {short(float(row[c]))}" for c in coordinates if row[c] == row[c]]
            numbers = {c: float(row[c]) for c in ("value", "gradient_norm", "distance")}
            made.append(
                {
                    "function": str(function),
                    "gradient": str(gradient),
                    "step": int(row["step"]),
                    "last": row["step"] == last,
                    "point": ", ".join(point),
                    **numbers,
                }
            )
    return made
