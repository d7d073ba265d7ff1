"""The report on many comparisons, as a test run makes them: tables as CSV, an index, and a page for each verdict."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.environment import environment
from diffcompare.report.verdict_page import COMPONENT_COLUMNS, verdict_html
from diffcompare.report.wording import CHECK_WORDS, VERDICT_WORDS, plural, printable, short
from diffcompare.report.writing import MANIFEST, write_files
from diffcompare.tables.components import worst_first
from diffcompare.tables.csv_files import write_csv
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES
from diffcompare.tables.summary import summarize

if TYPE_CHECKING:
    # for type checkers alone: the page sees a verdict's attributes, not how it came about
    from diffcompare.verdict.verdict import Verdict

__all__ = ["COMPARISON_COLUMNS", "FILES", "write_comparisons"]

FILES = ("comparisons.csv", "components.csv", "errors.csv", "summary.csv", "index.html")

COMPARISON_COLUMNS: Mapping[str, str] = {
    "test": "text",
    "outcome": "text",
    "place": "text",
    "kind": "text",
    "status": "text",
    "function": "text",
    "point": "text",
    "component": "text",
    "claimed": "float",
    "certified": "float",
    "difference": "float",
    "threshold": "float",
    "resolution": "float",
    "evidence": "text",
    "cause": "text",
    "blame": "text",
    "examples": "integer",
    "statuses": "text",
    "max_threshold_ratio": "float",
    "page": "text",
}
_MANY = 200  # above it only what is not consistent gets a page
_ROWS = 2_000  # of a table in the page; the CSV files have them all

# worst first
_WORDS: Mapping[str, str] = {
    "wrong": CHECK_WORDS["wrong"],
    "outside-bound": "a finite difference is further from the derivative than its bound",
    "out-of-domain": CHECK_WORDS["out-of-domain"],
    "non-smooth": CHECK_WORDS["non-smooth"],
    "not-differentiable": VERDICT_WORDS["not-differentiable"],
    "inconclusive": CHECK_WORDS["inconclusive"],
    "unbounded": VERDICT_WORDS["unbounded"],
    "consistent": CHECK_WORDS["consistent"],
    "within-bound": "every error that has a bound is within it",
}
_GOOD = ("consistent", "within-bound")
_NUMBERS = ("claimed", "certified", "difference", "threshold")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A verdict that came back from a file: what a page asks of one."""

    status: str
    evidence: str
    resolution: float
    rounding: float
    blame: str | None
    cause: str | None
    components: pd.DataFrame
    notes: Sequence[str]
    snippet: str
    text: str
    what: str
    marks: Sequence[Any] = ()
    sources: Sequence[Any] = ()

    def explain(self) -> str:
        return self.text


def write_comparisons(comparisons: Sequence[Mapping[str, Any]], directory: Path) -> Path:
    """Write comparisons.csv, the tables of errors and components, the index and the pages: all files, or none.

    Parameters
    ----------
    comparisons : sequence of mappings
        As :func:`diffcompare.testing.plugin.gathering.read_parts` returns them: ``test``, ``outcome``, ``place``,
        ``kind``, ``status``, ``examples``, ``statuses``, ``max_threshold_ratio``, and either ``verdict`` or ``rows``.
    directory : Path
        Where the files go; made if it is missing.

    Returns
    -------
    Path
        The page to open: index.html in the directory.

    Raises
    ------
    DiffcompareError
        As :func:`diffcompare.write_report`.
    """
    verdicts = [_verdict(comparison["verdict"]) if "verdict" in comparison else None for comparison in comparisons]
    many = len(comparisons) > _MANY
    pages = [
        "" if verdict is None or (many and comparison["status"] in _GOOD) else f"comparison-{number:03d}.html"
        for number, (comparison, verdict) in enumerate(zip(comparisons, verdicts, strict=True), 1)
    ]
    errors = _errors([comparison["rows"] for comparison in comparisons if "rows" in comparison])
    rows = [_row(*each) for each in zip(comparisons, verdicts, pages, strict=True)]
    tables = {
        "comparisons.csv": _frame(rows, COMPARISON_COLUMNS),
        "components.csv": _components(comparisons, verdicts),
        "errors.csv": errors,
        "summary.csv": summarize(errors),
    }

    def write(folder: Path) -> None:
        for name, table in tables.items():
            write_csv(table, folder / name)
        for comparison, verdict, page in zip(comparisons, verdicts, pages, strict=True):
            if verdict is not None and page:
                place = f"{comparison['test']} ({comparison['place']})"
                text = verdict_html([cast("Verdict", verdict)], files=["components.csv", "index.html"], place=place)
                (folder / page).write_text(text, encoding="utf-8", newline="\n")
        (folder / "index.html").write_text(_index(rows, errors, [*tables]), encoding="utf-8", newline="\n")

    write_files(directory, [*tables, *filter(None, pages), "index.html"], write)
    return directory / "index.html"


def _verdict(plain: Mapping[str, Any]) -> _Verdict:
    components = pd.DataFrame(
        {
            name: [math.nan if value is None else float(value) for value in plain["components"][name]]
            if kind == "float"
            else [printable(str(value)) for value in plain["components"][name]]
            for name, kind in COMPONENT_COLUMNS.items()
        }
    )
    places = {name: [SimpleNamespace(**each) for each in plain.get(name, ())] for name in ("marks", "sources")}
    return _Verdict(**{**plain, "components": components, **places})


def _row(comparison: Mapping[str, Any], verdict: _Verdict | None, page: str) -> dict[str, Any]:
    """Make a row of comparisons.csv."""
    shown = _worst_component(verdict) if verdict is not None else _worst_error(comparison["rows"])
    statuses = sorted(comparison["statuses"].items(), key=lambda item: _rank(item[0]))
    return {
        **{name: comparison[name] for name in ("test", "outcome", "place", "kind", "status", "examples")},
        **shown,
        "statuses": ", ".join(f"{count} {status}" for status, count in statuses),
        "max_threshold_ratio": comparison["max_threshold_ratio"],
        "page": page,
    }


def _worst_component(verdict: _Verdict) -> dict[str, Any]:
    worst = worst_first(verdict.components).head(1).to_dict("records")
    return {
        "function": "",
        **({name: worst[0][name] for name in ("point", "component", *_NUMBERS)} if worst else {}),
        "resolution": verdict.resolution,
        "evidence": verdict.evidence,
        "cause": verdict.cause or "",
        "blame": verdict.blame or "",
    }


def _worst_error(rows: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Pick the row whose error is the largest share of its bound."""
    shares = [
        error / bound if bound else math.inf * error if error else 0.0
        for error, bound in zip(rows["abs_error"], rows["bound"], strict=True)
    ]
    if not shares:
        return {}
    k = max(range(len(shares)), key=lambda j: (shares[j] == shares[j], shares[j] if shares[j] == shares[j] else 0.0))
    row = {name: column[k] for name, column in rows.items()}
    return {
        "function": row["function"],
        "point": row["point"],
        "component": f"{row['variable']}, {row['scheme']}, h={row['h']!r}",
        "claimed": row["numeric"],
        "certified": row["exact"],
        "difference": row["error"],
        "threshold": row["bound"],
        "evidence": row["bound_source"],
    }


def _errors(tables: Sequence[Mapping[str, Sequence[Any]]]) -> pd.DataFrame:
    """Stack the tables of errors; a row that several tests made is there once."""
    rows = dict.fromkeys(
        tuple(row) for table in tables for row in zip(*(_exact_cells(table[name]) for name in COLUMNS), strict=True)
    )
    records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return _frame(records, COLUMNS)


def _exact_cells(column: Sequence[Any]) -> list[Any]:
    """Replace nan, which is not itself, by None, which is."""
    return [None if value != value else value for value in column]


def _components(comparisons: Sequence[Mapping[str, Any]], verdicts: Sequence[_Verdict | None]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in ("test", "place", *COMPONENT_COLUMNS)}
    for comparison, verdict in zip(comparisons, verdicts, strict=True):
        if verdict is not None:
            count = len(verdict.components)
            columns["test"] += [printable(comparison["test"])] * count
            columns["place"] += [printable(comparison["place"])] * count
            for name in COMPONENT_COLUMNS:
                columns[name] += verdict.components[name].tolist()
    return pd.DataFrame(columns)


def _frame(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Make a table of the columns' kinds; a cell that is not there is empty."""
    made: dict[str, Any] = {}
    for name, kind in columns.items():
        values = [row.get(name) for row in rows]
        if kind == "float":
            made[name] = pd.Series([math.nan if value is None else float(value) for value in values], dtype="float64")
        elif kind == "integer":
            made[name] = pd.Series(values, dtype="int64")
        elif kind == "flag":
            made[name] = pd.Series(values, dtype="boolean")
        else:
            texts = ["" if value is None else printable(str(value)) for value in values]
            full = {"status": STATUSES, "bound_source": BOUND_SOURCES}.get(name, ()) if columns is COLUMNS else ()
            made[name] = pd.Series(pd.Categorical(texts, categories=list(dict.fromkeys([*full, *texts]))))
    return pd.DataFrame(made)


def _rank(status: str) -> int:
    known = list(_WORDS)
    return known.index(status) if status in known else -1


def _index(rows: Sequence[Mapping[str, Any]], errors: pd.DataFrame, files: Sequence[str]) -> str:
    counts = Counter(row["status"] for row in rows)
    ordered = sorted(rows, key=lambda row: _rank(row["status"]))
    bounded = errors.assign(ratio=errors["abs_error"] / errors["bound"]).sort_values(
        "ratio", ascending=False, kind="stable"
    )
    tests = len({row["test"] for row in rows})
    return (
        environment("tables")
        .get_template("comparisons/index.html")
        .render(
            counts=[(name, counts[name], _WORDS.get(name, "")) for name in sorted(counts, key=_rank)],
            total=plural(len(rows), "comparison"),
            tests=plural(tests, "test"),
            findings=[_finding(row) for row in ordered if row["status"] not in _GOOD],
            rows=[_cells(row) for row in ordered[:_ROWS]],
            count=len(rows),
            errors=[_error(row) for row in bounded.head(_ROWS).to_dict("records")],
            error_count=len(errors),
            without_page=sum(
                row["status"] in _GOOD and not row["page"] and row["kind"] != "within-bound" for row in rows
            ),
            files=[*files, MANIFEST],
        )
    )


def _finding(row: Mapping[str, Any]) -> dict[str, str]:
    component, difference = row.get("component"), row.get("difference")
    what = row.get("cause") or (f"worst component {shorten(str(component), 80)}" if component else "")
    if component and not row.get("cause") and difference is not None and not math.isnan(difference):
        what += f", off by {short(float(difference))}"
    return {"test": row["test"], "page": row["page"], "status": row["status"], "place": row["place"], "what": what}


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    numbers = (*_NUMBERS, "resolution", "max_threshold_ratio")
    texts = {name: str(row.get(name) or "") for name, kind in COMPARISON_COLUMNS.items() if kind == "text"}
    return {
        **texts,
        **{name: math.nan if row.get(name) is None else float(row[name]) for name in numbers},
        "examples": row["examples"],
    }


def _error(row: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {name: str(row[name]) for name in ("function", "variable", "point", "scheme", "status", "bound_source")}
    return {**texts, **{name: float(row[name]) for name in ("h", "numeric", "exact", "abs_error", "bound", "ratio")}}
