"""What the commands print: lines and tables for a terminal, or for a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diffcompare.report.findings import status_notes
from diffcompare.report.wording import VERDICT_WORDS, plural, printable, short

if TYPE_CHECKING:
    import pandas as pd

    from diffcompare.compare.schema import Tables

__all__ = ["console", "say", "show"]

_NO_DERIVATIVE = {
    "kink": "the derivative does not exist here, the slopes from the left and from the right differ",
    "undecided": "whether the derivative exists here could not be decided",
    "domain": "the point lies outside the real domain of the function, or on its edge",
}
# more columns of errors than this are put together, scheme by scheme
_COLUMNS = 6


def console() -> Console:
    """Return a console that writes text as it is."""
    # tables take the width they need: no number is ever cut, a narrow terminal wraps the line itself
    return Console(width=10_000, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print one line of text, which may come from a file."""
    console.print(printable(text), style=style)


def show(console: Console, formula: str, variables: Sequence[str], tables: Tables) -> None:
    """Print the comparison of one formula: for each point its derivatives, best steps and errors."""
    say(console, f"f({', '.join(variables)}) = {formula}", style="bold")
    for point, rows in tables.errors.groupby("point", observed=True, sort=False):
        summary = tables.summary[tables.summary["point"] == point]
        say(console, "")
        say(console, f"at {str(point).replace(';', ', ')}", style="bold")
        order = int(rows["derivative"].iloc[0])
        above, below = ("d", "") if order == 1 else (f"d^{order} ", f"^{order}")
        for variable, part in rows.groupby("variable", observed=True, sort=False):
            say(console, f"  {above}f/d{variable}{below} = {_derivative(part)}")
        say(console, "")
        console.print(_summary_table(summary))
        if rows["numeric"].notna().any():
            say(console, "")
            console.print(_error_table(rows))
        rules = tables.rules[tables.rules["point"] == point]
        if rules["h"].notna().any():
            say(console, "")
            console.print(_rules_table(rules))
    say(console, "")
    for verdict in dict.fromkeys(tables.summary["verdict"].astype(str)):
        say(console, f"{verdict}: {VERDICT_WORDS[verdict]}")
    for status, count, words in status_notes(tables.errors):
        say(console, f"{status} ({plural(count, 'row')}): {words}")


def _derivative(rows: pd.DataFrame) -> str:
    exact = float(rows["exact"].iloc[0])
    if exact == exact:
        return f"{exact!r}  (certified: correctly rounded)"
    statuses = rows["status"].astype(str)
    status = next((s for s in ("kink", "undecided", "domain") if (statuses == s).any()), "undecided")
    return f"none ({status}): {_NO_DERIVATIVE[status]}"


def _table(headers: Sequence[str], rows: Iterator[Sequence[str]]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="")
    for header in headers:
        words = header in ("variable", "scheme", "verdict", "h", "step rule")
        table.add_column(Text(header), justify="left" if words else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    return Padding(table, (0, 0, 0, 2), expand=False)


def _summary_table(summary: pd.DataFrame) -> RenderableType:
    def cells() -> Iterator[Sequence[str]]:
        for row in summary.to_dict("records"):
            numbers = ("best_h", "best_abs_error", "abs_error_at_1e-4", "predicted_h")
            observed = row["observed_order"]
            order = f"{row['order']}" + (f" ({observed:.2f})" if observed == observed else "")
            yield row["variable"], row["scheme"], *(short(float(row[n])) for n in numbers), order, row["verdict"]

    heads = "variable, scheme, best h, |error| there, |error| at 1e-4, predicted h, order (observed), verdict"
    return _table(heads.split(", "), cells())


def _error_table(rows: pd.DataFrame) -> RenderableType:
    """Tabulate |error| by decade of h; the numeric derivative itself where there is no exact one."""
    decades = {float(f"1e{k}"): f"1e{k}" for k in range(-323, 309)}
    rows = rows[rows["h"].isin(decades)]
    column = "abs_error" if rows["exact"].notna().any() else "numeric"
    what = "|error|" if column == "abs_error" else "numeric"
    by: list[str] = ["variable", "scheme"]
    if rows["variable"].nunique() == 1 or len(rows[by].drop_duplicates()) > _COLUMNS:
        by = ["scheme"]
    if column == "abs_error" and by == ["scheme"] and rows["variable"].nunique() > 1:
        what = "largest |error|"
    wide = rows.pivot_table(
        index="h", columns=by, values=column, aggfunc="max", observed=True, sort=False, dropna=False
    )
    wide = wide.sort_index(ascending=False)
    names = [" ".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in wide.columns]
    rows_of = zip(wide.index, wide.to_numpy(), strict=True)
    cells = ([decades[h], *(short(float(v)) for v in values)] for h, values in rows_of)
    return _table(["h", *(f"{what} {name}" for name in names)], cells)


def _rules_table(rules: pd.DataFrame) -> RenderableType:
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
            yield str(rule), *texts

    what = "h, |error|/smallest" if single else "largest |error|/smallest"
    return _table(["step rule", *(f"{scheme}: {what}" for scheme in schemes)], cells())
