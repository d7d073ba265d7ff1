"""The pages of one function: as many as its partial derivatives fill, each of a size that opens at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jinja2
import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.columns import Columns, chosen, columns_of, places_by
from diffcompare.report.drawings.charts import error_chart
from diffcompare.report.drawings.contour import Contour, descent_contour
from diffcompare.report.drawings.frame import marker_symbols, scheme_styles
from diffcompare.report.drawings.marks import KEY, RULES
from diffcompare.report.drawings.rule_ticks import rule_rows
from diffcompare.report.drawings.sketch import function_sketch
from diffcompare.report.drawings.split_chart import split_charts
from diffcompare.report.findings import failures, status_notes, verdict_lines
from diffcompare.report.mathml import corners, typeset
from diffcompare.report.pivot import pivot
from diffcompare.report.rows_table import rows_table
from diffcompare.report.snippet import reproduce
from diffcompare.report.wording import PART_MEANINGS, PART_WORDS, STATUS_WORDS, Html, partial, place

__all__ = ["LARGE", "SMALL", "Function", "function_pages", "has_source", "point_places", "summary_cells"]

LARGE, SMALL = 149_000, 59_000  # bytes of a page; small ones where there are very many
_PAGES = 20  # of one function, unless all are asked for
_FORMULA = 20_000  # characters; a longer one can only be read elsewhere
_BEST_ROW, _SPOT_ROW = 400, 220  # bytes of a row, with some to spare
_KEY_PLACE = Html("<!--key-->")  # where the marks are explained, if a partial is the first of its page

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Function:
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
    lesson: str
    descent_lesson: str


@dataclass(frozen=True, slots=True)
class _Section:
    """One partial derivative, as it will stand on a page."""

    key: _Key
    html: str
    best: list[dict[str, Any]]


def function_pages(
    f: Function, environment: jinja2.Environment, *, room: int, every: bool, around: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Draw the pages of a function: partials that are not within their bounds come first.

    Parameters
    ----------
    f : Function
        What is shown.
    environment : jinja2.Environment
        The templates.
    room : int
        Bytes of a page. A partial that needs more leaves out rows, and says so.
    every : bool
        Draw all partials; else those on the first pages only.
    around : mapping
        What the template says of the report: its title, and the pages before and after.

    Yields
    ------
    tuple of str
        File name and page.
    """
    template = environment.get_template("function.html")
    common = {**_facts(f), **around}
    key = environment.get_template("key.html")
    parts, spots = _partials(f), _hot_spots(f.hot_spots)
    empty = len(template.render(common, **_page(f, [], 1, key, spots), pages=[], left_out=0).encode())
    empty += len(key.render(key=[*KEY, *(("", mark.tick, mark.words) for mark in RULES.values())]).encode())
    sections = _sections(f, parts, environment.get_template("section.html"), room - empty)
    pages = _packed(f, sections, room - empty, most=len(parts) if every else _PAGES)
    left_out = len(parts) - sum(map(len, pages))
    names = [f.file, *(f.file.replace(".html", f"-{k}.html") for k in range(2, len(pages) + 1))]
    for number, (name, page) in enumerate(zip(names, pages, strict=True), 1):
        missing = left_out if number == len(pages) else 0
        yield name, template.render(common, **_page(f, page, number, key, spots), pages=names, left_out=missing)


def _facts(f: Function) -> dict[str, Any]:
    """Collect what every page of the function says."""
    return {
        "title": f.name,
        "function": f,
        "formula": typeset(f.latex, otherwise=shorten(f.formula, _FORMULA)) if f.formula or f.latex else None,
        "failures": failures(f.rows, f.descent),
        "verdicts": verdict_lines(f.rows, f.summary),
        "comparisons": len(f.summary),
        "proven": has_source(f.rows, "proven"),
        "measured": has_source(f.rows, "measured"),
        "charted": bool(f.rows["exact"].notna().any()),
        "bounded": bool(f.rows["bound"].notna().any()),
        "complex": (f.rows["scheme"].astype(str) == "complex").any(),
        "predicted": bool((f.summary["predicted_h"] > 0).any()),
        "ruled": bool(len(f.rules)),
        "split": bool(f.rows[list(PART_WORDS)].notna().any(axis=None)),
        "contour": _contour(f),
        "part_meanings": PART_MEANINGS,
        "statuses": STATUS_WORDS,
        "again": _again(f),
    }


def _contour(f: Function) -> Contour | None:
    title = f"Gradient descent on {shorten(f.name, 80)}, over level lines"
    return descent_contour(f.surface, f.descent, f.variables, title=title, identity="contour")


def _again(f: Function) -> str:
    if f.source not in ("text", "sympy") or not f.formula or f.rows.empty:
        return ""
    return reproduce(name=f.name, formula=f.formula, variables=f.variables, rows=f.rows)


def _page(
    f: Function, sections: Sequence[_Section], number: int, key: jinja2.Template, spots: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Collect what one page says: of its own partials only."""
    variables = list(dict.fromkeys(section.key[0] for section in sections))
    points = dict.fromkeys(section.key[1] for section in sections)
    latex = dict(zip(f.variables, f.derivatives, strict=False))
    schemes = scheme_styles(list(dict.fromkeys(str(row["scheme"]) for s in sections for row in s.best)))
    drawn = "".join(section.html for section in sections)
    marks = key.render(key=_key(drawn))
    symbols = sorted({f"s{style}" for style in schemes.values()}) + [f"p{k}" for k in range(1, len(PART_WORDS) + 1)]
    return {
        "number": number,
        "derivatives": [
            (variable, _derivative(latex[variable]))
            for variable in variables or f.variables * (not len(f.rows))
            if latex.get(variable)
        ],
        "best": [row for section in sections for row in section.best],
        "symbols": marker_symbols(name for name in symbols if f'class="{name}"' in drawn),
        "sections": Html(drawn.replace(_KEY_PLACE.text, marks, 1).replace(_KEY_PLACE.text, "")),
        "hot_spots": [spot for spot in spots if spot["point"] in points],
    }


@lru_cache(64)  # it stands on every page of its function
def _derivative(latex: str) -> Html:
    """Typeset a derivative, with what it leaves out: the corners of f, where its signs have no meaning."""
    whole = r",\quad ".join([latex, *(rf"{where} \neq 0" for where in corners(latex))])
    return typeset(whole, otherwise=shorten(whole, _FORMULA))


def _key(drawn: str) -> list[tuple[str, str, str]]:
    """List the marks that stand in charts, each with its sign and what it means."""
    shown = [entry for entry in KEY if f'class="{entry[0]}"' in drawn]
    ticks = set(" ".join(re.findall(r'class="rule-name"[^>]*>([^<]*)<', drawn)).split())
    return shown + [("", mark.tick, mark.words) for mark in RULES.values() if mark.tick in ticks]


def _partials(f: Function) -> list[tuple[_Key, int, Any]]:
    """List the partials, each with its place and where its rows are: those that are not within their bounds first."""
    if f.rows.empty:
        return []
    calm = f.summary[f.summary["verdict"].astype(str) == "within-bound"]
    places = set(zip(calm["variable"].astype(str), calm["point"].astype(str), strict=True))
    groups: dict[Any, Any] = f.rows.groupby(["point", "variable"], observed=True, sort=False).indices
    found = sorted(groups.items(), key=lambda group: group[1][0])
    parts = [((str(variable), str(point)), k, where) for k, ((point, variable), where) in enumerate(found, 1)]
    return sorted(parts, key=lambda part: part[0] in places)


def _sections(
    f: Function, parts: Sequence[tuple[_Key, int, Any]], template: jinja2.Template, room: int
) -> Iterator[_Section]:
    best: dict[_Key, list[dict[str, Any]]] = {}
    for row in f.summary.to_dict("records"):
        best.setdefault((str(row["variable"]), str(row["point"])), []).append(summary_cells(row))
    names = point_places(f.summary)
    columns, rules, curves = columns_of(f.rows), columns_of(f.rules), columns_of(f.curves)
    # of each partial, of each point
    ruled, curved = places_by(rules, "variable", "point"), places_by(curves, "point")
    for key, k, where in parts:
        rows = chosen(columns, where)
        own = best.get(key, [])
        curve = chosen(curves, curved.get(key[1:], ()))
        section = {
            **_section(f, k, rows, chosen(rules, ruled.get(key, ())), curve),
            "place": names.get((f.name, key[1]), key[1]),
            "first_row": int(f.rows.index[where[0]]) + 1,
            "last_row": int(f.rows.index[where[-1]]) + 1,
        }
        yield _Section(key, _fitting(section, rows, template, room - _BEST_ROW * len(own)), own)


def _packed(f: Function, sections: Iterator[_Section], room: int, *, most: int) -> list[list[_Section]]:
    """Put the sections on pages, in their order, as long as there are pages; there is always a first one."""
    pages: list[list[_Section]] = [[]]
    spots = f.hot_spots["point"].astype(str).value_counts().to_dict() if len(f.hot_spots) else {}
    latex = dict(zip(f.variables, f.derivatives, strict=False))
    used = 0
    for section in sections:
        variable, point = section.key
        size = len(section.html.encode()) + _BEST_ROW * len(section.best)
        extra = _SPOT_ROW * spots.get(point, 0) if point not in {s.key[1] for s in pages[-1]} else 0
        if variable not in {s.key[0] for s in pages[-1]}:
            extra += len(_derivative(latex[variable]).text) if latex.get(variable) else 0
        if pages[-1] and used + size + extra > room:
            if len(pages) == most:
                break
            pages.append([])
            used = 0
        pages[-1].append(section)
        used += size + extra
    return pages


def _fitting(section: dict[str, Any], rows: Columns, template: jinja2.Template, room: int) -> str:
    """Draw a partial with all that the room allows: rows go first, then what is drawn of the split."""
    caption = f"All rows: variable {shorten(section['variable'], 60)} at {shorten(section['point'], 200)}"
    identity = f"rows-{section['number']}"
    undrawn = [replace(split, drawing=None) for split in section["splits"]]
    text = ""
    for brief, table, splits in (
        (False, True, section["splits"]),
        (True, True, section["splits"]),
        (True, True, undrawn),
        (True, False, undrawn),
    ):
        drawn = rows_table(rows, caption=caption, identity=identity, brief=brief) if table else None
        text = template.render(
            s={**section, "splits": splits, "table": drawn, "brief": brief, "parts": list(PART_WORDS)},
            key_place=_KEY_PLACE,
        )
        if len(text.encode()) <= room:
            break
    return text


def _section(f: Function, number: int, rows: Columns, rules: Columns, curve: Columns) -> dict[str, Any]:
    variable, point = str(rows["variable"][0]), str(rows["point"][0])
    order = int(rows["derivative"][0])
    of = "" if order == 1 else f" for the derivative of order {order}"
    title = f"Absolute error of finite differences{of} against step size, variable {variable} at {point}"
    drawable = any(exact == exact for exact in rows["exact"])
    # the rules are for first derivatives
    rules = rules if order == 1 else chosen(rules, ())
    return {
        "number": number,
        "variable": variable,
        "point": point,
        "exact": float(rows["exact"][0]),
        "order": order,
        "partial": partial(shorten(variable, 60), order),
        "chart": error_chart(rows, title=title, identity=f"chart-{number}", rules=rules) if drawable else None,
        "rules": rule_rows(rules),
        "pivot": pivot(rows),
        "splits": split_charts(
            rows, title=f"Parts of the error, variable {variable} at {point}", identity=f"split-{number}"
        ),
        "uncharted": sum(h == 0 for h in rows["h"]),
        "sketch": _sketch(f, rows, curve, number),
        "notes": status_notes(rows["status"]),
        "count": len(rows["h"]),
    }


def _sketch(f: Function, rows: Columns, curve: Columns, number: int) -> Html | None:
    # tangent and secants are of the first derivative
    if not curve["x"] or int(rows["derivative"][0]) != 1:
        return None
    title = f"{shorten(f.name, 80)} near {rows['point'][0]}, with tangent and secants"
    return function_sketch(curve, rows, title=title, identity=f"sketch-{number}")


def has_source(rows: pd.DataFrame, source: str) -> bool:
    """Tell whether there is a bound of this source."""
    return bool((rows["bound"].notna() & (rows["bound_source"] == source)).any())


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


def point_places(summary: pd.DataFrame) -> dict[tuple[str, str], str]:
    """Write the points on one line each; those of a function that look alike then are numbered."""
    known = dict.fromkeys(zip(*(map(str, summary[name]) for name in ("function", "point")), strict=True))
    shown = {(name, text): (name, place(text)) for name, text in known}
    alike, number = Counter(shown.values()), Counter[tuple[str, str]]()
    made = {}
    for point, key in shown.items():
        number[key] += 1
        made[point] = key[1] + (f", point {number[key]}" if alike[key] > 1 else "")
    return made


def summary_cells(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Collect what the tables show of a row of the summary."""
    texts = {key: str(row[key]) for key in ("function", "variable", "point", "scheme", "verdict")}
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
