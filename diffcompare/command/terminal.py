"""What the commands print: lines and tables for a terminal, or for a pipe."""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diffcompare.errors import shorten
from diffcompare.report.drawings.text_plot import text_plot
from diffcompare.report.findings import status_notes, unbounded_words, verdict_counts, worst_first
from diffcompare.report.wording import OUTCOME_WORDS, VERDICT_WORDS, plural, printable, share, short, spelled
from diffcompare.tables.schema import OUTCOMES
from diffcompare.verdict.underline import columns

if TYPE_CHECKING:
    import pandas as pd

    from diffcompare.tables.schema import Tables

__all__ = ["console", "fitted", "progress", "say", "show", "show_ranking", "show_study", "terminal_width"]

_NO_DERIVATIVE = {
    "kink": "the derivative does not exist here, the slopes from the left and from the right differ",
    "undecided": "whether the derivative exists here could not be decided",
    "domain": "the point lies outside the real domain of the function, or on its edge",
}
# more columns of errors than this are put together, scheme by scheme
_COLUMNS = 6
_OFFENDERS = 5
_WIDTH = 80
_MINUTE = 60.0  # seconds
_INDENT = 2  # of a table
_NARROWEST = 30  # of a drawing
# a line below the header and nothing else, in characters of any encoding
_PLAIN_BOX = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def console() -> Console:
    """Return a console that writes text as it is."""
    # lines and tables are made to fit before they are printed
    return Console(width=10_000, highlight=False, markup=False, emoji=False, soft_wrap=True)


def terminal_width() -> int:
    """Return how many columns the terminal has, or COLUMNS says; 0 where nobody knows and lines may have any length."""
    return shutil.get_terminal_size((0, 0)).columns


def say(console: Console, text: str, style: str | None = None, *, wrap: bool = False) -> None:
    """Print one line of text, which may come from a file, broken between words where the terminal is narrower.

    ``wrap`` is for sentences of ours, which are read in lines of at most 80 columns everywhere.
    """
    width = terminal_width()
    width = min(width or _WIDTH, _WIDTH) if wrap else width
    for line in spelled(printable(text), console.encoding).split("\n"):
        console.print("\n".join(fitted(line.split(" "), width)), style=style)


def fitted(words: Sequence[str], width: int, *, end: str = "") -> list[str]:
    """Put words on lines of a width, or on one for 0; later ones are indented, those before close with ``end``.

    >>> fitted(["one", "two", "three"], 9)
    ['one two', '    three']
    """
    lines = [words[0]]
    for word in words[1:]:
        if width and lines[-1].strip() and columns(f"{lines[-1]} {word}{end}") > width:
            lines[-1] += end
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return lines


@contextmanager
def progress(*, wanted: bool) -> Iterator[Callable[[int, int, str], None] | None]:
    """Show on stderr how far a study is and when it will be done, and take it away at the end.

    Where stderr is no terminal, a line is written each minute.
    """
    if not wanted:
        yield None
        return
    if not sys.stderr.isatty():
        yield _each_minute()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(20), TextColumn("ETA"), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    screen = Console(stderr=True, highlight=False, markup=False, emoji=False)
    # what code of the user's prints stays where it is printed
    with Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int, name: str) -> None:
            words = f"{done + 1}/{total} {printable(shorten(name, 40))}"
            bar.update(task, total=total, completed=done, description=spelled(words, screen.encoding), refresh=True)

        yield advance


def _each_minute() -> Callable[[int, int, str], None]:
    begun = last = time.monotonic()

    def advance(done: int, total: int, name: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done and now - last >= _MINUTE:
            last = now
            left = (now - begun) / done * (total - done) / _MINUTE
            text = f"{done} of {total} done, about {math.ceil(left)} min left: {printable(shorten(name, 40))}"
            sys.stderr.write(f"{spelled(text, sys.stderr.encoding)}\n")
            sys.stderr.flush()

    return advance


def show_study(console: Console, tables: Tables, report: str, rows: int | None = None) -> None:
    """Print what a study found: counts, what failed, the worst comparisons and where the report is.

    What is within its bound is not bad: the largest errors of such comparisons are listed where there is nothing worse.
    ``rows``: how many errors there are, where the tables do not hold them.
    """
    say(console, tables.title, style="bold")
    say(console, _counted(tables, len(tables.errors) if rows is None else rows))
    for row in tables.functions[tables.functions["message"] != ""].to_dict("records"):
        word = "failed" if row["status"] == "failed" else "note"
        say(console, f"{word}: {shorten(row['function'], 80)}: {row['message']}", style="red")
    partials = ["function", "variable", "point"]
    ordered = worst_first(tables.summary).drop_duplicates(partials)
    calm = ordered["verdict"].astype(str) == "within-bound"
    worst = (ordered if calm.all() else ordered[~calm]).head(_OFFENDERS)
    if len(worst):
        say(console, "largest errors:" if calm.all() else "worst first:")
    for row in worst.to_dict("records"):
        errors = tables.errors
        for name in (*partials, "scheme"):
            errors = errors[errors[name] == row[name]]
        operator = _operator(row["variable"], row["derivative"])
        say(console, f"  {shorten(str(row['function']), 60)}")
        say(console, f"    {operator} at {shorten(str(row['point']), 60)}, {row['scheme']}")
        say(console, f"    {_outcome(row, errors)}")
    say(console, f"report: {report}")


def _outcome(row: Any, errors: pd.DataFrame) -> str:
    """Put one row of a summary into words."""
    if row["best_h"] != row["best_h"]:
        statuses = ", ".join(status for status, _, _ in status_notes(errors["status"]))
        return f"{row['verdict']} ({statuses})" if statuses else str(row["verdict"])
    outside = row["verdict"] == "outside-bound"
    bound = f", largest |error|/bound {share(float(row['max_bound_ratio']))}" if outside else ""
    best = f"best |error| {short(float(row['best_abs_error']))} at h = {short(float(row['best_h']))}"
    return f"{row['verdict']}, {best}{bound}"


def _counted(tables: Tables, rows: int) -> str:
    failed = int((tables.functions["status"] == "failed").sum())
    counts = [f"{count} {verdict}" for verdict, count in verdict_counts(tables.summary)]
    counts += [f"{plural(failed, 'function')} failed"] if failed else []
    return f"{plural(len(tables.functions), 'function')}, {plural(rows, 'row')}: {', '.join(counts)}"


def _operator(variable: str, order: int) -> str:
    return f"df/d{variable}" if order == 1 else f"d^{order} f/d{variable}^{order}"


def show(console: Console, formula: str, variables: Sequence[str], tables: Tables, report: str | None = None) -> None:
    """Print the comparison of one formula: for each point its derivatives, best steps and errors."""
    say(console, f"f({', '.join(variables)}) = {formula}", style="bold")
    for point, rows in tables.errors.groupby("point", observed=True, sort=False):
        summary = tables.summary[tables.summary["point"] == point]
        say(console, "")
        say(console, f"at {str(point).replace(';', ', ')}", style="bold")
        for variable, part in rows.groupby("variable", observed=True, sort=False):
            operator = _operator(str(variable), int(part["derivative"].iloc[0]))
            say(console, f"  {operator} = {_derivative(part)}", wrap=True)
        say(console, "")
        console.print(_summary_table(summary, console.encoding))
        plain, width = spelled("┊", console.encoding) != "┊", max(terminal_width() or _WIDTH, _NARROWEST)
        if drawn := text_plot(rows, plain=plain, width=width):
            for line in ("", "  |error|", *drawn):
                console.print(spelled(printable(line), console.encoding))
        if rows["numeric"].notna().any():
            say(console, "")
            console.print(_error_table(rows, console.encoding))
        rules = tables.rules[tables.rules["point"] == point]
        if rules["h"].notna().any():
            say(console, "")
            console.print(_rules_table(rules, console.encoding))
    say(console, "")
    for verdict in dict.fromkeys(tables.summary["verdict"].astype(str)):
        words = unbounded_words(tables.summary) if verdict == "unbounded" else VERDICT_WORDS[verdict]
        say(console, f"{verdict}: {words}", wrap=True)
    for status, count, words in status_notes(tables.errors["status"]):
        say(console, f"{status} ({plural(count, 'row')}): {words}", wrap=True)
    if report is not None:
        say(console, f"report: {report}")


def show_ranking(console: Console, scores: pd.DataFrame, missing: Sequence[str], report: str | None) -> None:
    """Print the scores of differentiators: what they answered, how far off, and whether they knew."""
    count, none = int(scores["functions"].max()), int(scores["without_derivative"].max())
    say(console, f"{count} functions, {none} of them without a derivative at the point", style="bold")
    say(console, "")

    def cells() -> Iterator[Sequence[str]]:
        for row in scores.to_dict("records"):
            counts = (*(row[name] for name in OUTCOMES), f"{row['rightly_refused']} of {row['without_derivative']}")
            sizes = (short(float(row[name])) for name in ("median_rel_error", "median_evaluations"))
            yield row["differentiator"], *map(str, counts), *sizes

    heads = ["differentiator", *OUTCOMES, "rightly\nrefused", "median\nrel. error", "median\nevaluations"]
    console.print(_table(heads, cells(), console.encoding))
    say(console, "")
    for name, words in OUTCOME_WORDS.items():
        say(console, f"{name}: {words}", wrap=True)
    if missing:
        say(console, f"not installed, and left out: {', '.join(missing)}")
    if report is not None:
        say(console, f"report: {report}")


def _derivative(rows: pd.DataFrame) -> str:
    exact = float(rows["exact"].iloc[0])
    if exact == exact:
        return f"{exact!r}  (certified: correctly rounded)"
    statuses = rows["status"].astype(str)
    status = next((s for s in ("kink", "undecided", "domain") if (statuses == s).any()), "undecided")
    return f"none ({status}): {_NO_DERIVATIVE[status]}"


def _table(headers: Sequence[str], rows: Iterator[Sequence[str]], encoding: str) -> RenderableType:
    """Make a table; columns for which the terminal has no room stand below it, beside the first one again."""
    cells = [[spelled(cell, encoding) for cell in row] for row in (headers, *rows)]
    widths = [max(columns(line) for cell in column for line in cell.split("\n")) for column in zip(*cells, strict=True)]
    room = (terminal_width() or math.inf) - _INDENT
    parts = [[0]]
    for k in range(1, len(widths)):
        if len(parts[-1]) > 1 and sum(widths[j] + 2 for j in (*parts[-1], k)) - 2 > room:
            parts.append([0])
        parts[-1].append(k)
    return Group(*[each for part in parts for each in ("", _part(part, cells, encoding))][1:])


def _part(chosen: Sequence[int], cells: Sequence[Sequence[str]], encoding: str) -> RenderableType:
    # the edges of the columns and one space part them
    lines = box.SIMPLE_HEAD if spelled("─", encoding) == "─" else _PLAIN_BOX
    table = Table(box=lines, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="")
    for k in chosen:
        words = k == 0 or cells[0][k] == "verdict"
        justify: Literal["left", "right"] = "left" if words else "right"
        table.add_column(Text(cells[0][k]), justify=justify, no_wrap=True, vertical="bottom")
    for row in cells[1:]:
        table.add_row(*(Text(row[k]) for k in chosen))
    return Padding(table, (0, 0, 0, _INDENT), expand=False)


def _summary_table(summary: pd.DataFrame, encoding: str) -> RenderableType:
    single = summary["variable"].nunique() == 1

    def cells() -> Iterator[Sequence[str]]:
        for row in summary.to_dict("records"):
            numbers = ("best_h", "best_abs_error", "abs_error_at_1e-4", "predicted_h")
            observed = row["observed_order"]
            order = f"{row['order']}" + (f" ({observed:.2f})" if observed == observed else "")
            label = row["scheme"] if single else f"{row['variable']} {row['scheme']}"
            yield label, *(short(float(row[n])) for n in numbers), order, row["verdict"]

    heads = ["scheme", "best h", "|error|\nthere", "|error|\nat 1e-4", "predicted\nh", "order\n(seen)", "verdict"]
    rows = [heads, *cells()]
    widths = (max(len(line) for cell in column for line in cell.split("\n")) for column in zip(*rows, strict=True))
    if sum(width + 2 for width in widths) > _WIDTH:
        rows = [[cell.replace("not-differentiable", "not-\ndifferentiable") for cell in row] for row in rows]
    return _table(heads, iter(rows[1:]), encoding)


def _error_table(rows: pd.DataFrame, encoding: str) -> RenderableType:
    """Tabulate |error| by decade of h; the numeric derivative itself where there is no exact one."""
    decades = {float(f"1e{k}"): f"1e{k}" for k in range(-323, 309)}
    rows = rows[rows["h"].isin(decades)]
    column = "abs_error" if rows["exact"].notna().any() else "numeric"
    what = "|error|" if column == "abs_error" else "numeric"
    by: list[str] = ["variable", "scheme"]
    if rows["variable"].nunique() == 1 or len(rows[by].drop_duplicates()) > _COLUMNS:
        by = ["scheme"]
    if column == "abs_error" and by == ["scheme"] and rows["variable"].nunique() > 1:
        what = "largest\n|error|"
    wide = rows.pivot_table(
        index="h", columns=by, values=column, aggfunc="max", observed=True, sort=False, dropna=False
    )
    wide = wide.sort_index(ascending=False)
    names = ["\n".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in wide.columns]
    rows_of = zip(wide.index, wide.to_numpy(), strict=True)
    cells = ([decades[h], *(short(float(v)) for v in values)] for h, values in rows_of)
    return _table(["h", *(f"{what}\n{name}" for name in names)], cells, encoding)


def _rules_table(rules: pd.DataFrame, encoding: str) -> RenderableType:
    """Tabulate what rules would have chosen: h, and the error there as a multiple of the smallest one."""
    schemes = list(dict.fromkeys(rules["scheme"].astype(str)))
    single = rules["variable"].nunique() == 1

    def cells() -> Iterator[Sequence[str]]:
        for rule, rows in rules.groupby("rule", observed=True, sort=False):
            texts = []
            for scheme in schemes:
                part = rows[(rows["scheme"] == scheme) & (rows["h"] > 0)]
                ratio = part["ratio"].max()
                words = "not finite" if ratio != ratio else f"×{short(float(ratio))}"
                texts.append("" if part.empty else f"{short(float(part['h'].iloc[0]))} {words}" if single else words)
            yield "\n".join(textwrap.wrap(str(rule), 20)), *texts

    what = "h, |error|\n/smallest" if single else "largest\n|error|\n/smallest"
    return _table(["step rule", *(f"{scheme}\n{what}" for scheme in schemes)], cells(), encoding)
