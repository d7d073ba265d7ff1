"""The page of a verdict on a gradient: how it was judged, why, and every component, worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pandas as pd

from diffcompare.errors import shorten
from diffcompare.report.environment import environment
from diffcompare.report.marked_code import marked_codes
from diffcompare.report.wording import CHECK_WORDS, plural, short
from diffcompare.report.writing import MANIFEST, write_files
from diffcompare.tables.components import status_rank, worst_first
from diffcompare.tables.csv_files import write_csv
from diffcompare.tables.parquet import require_pyarrow, write_parquet

if TYPE_CHECKING:
    # for type checkers alone: the page sees a verdict's attributes, not how it came about
    from diffcompare.verdict.verdict import Verdict

__all__ = ["COMPONENT_COLUMNS", "is_verdict", "verdict_html", "write_verdict"]

COMPONENT_COLUMNS: Mapping[str, str] = {
    "point": "text",
    "component": "text",
    "claimed": "float",
    "certified": "float",
    "difference": "float",
    "ulps": "float",
    "relative": "float",
    "threshold": "float",
    "status": "text",
}
_NUMBERS = tuple(name for name, kind in COMPONENT_COLUMNS.items() if kind == "float")
_ROWS = 2_000  # of the table in the page; components.csv has them all

_EVIDENCE_WORDS: Mapping[str, str] = {
    "identity": "function and {what} were traced and compared as real functions, in ball arithmetic. "
    "A mistake and a rounding error are told apart, however small the one and large the other",
    "neighbours": "the derivative is known and the {what} returns only floats, so its rounding was measured at "
    "floats around the point: rounding scatters there, a mistake is smooth",
    "witness": "neither function nor {what} could be read, so differences of the function were compared with "
    "integrals of the claimed {what}",
    "calls": "what the calls did decided it, before any derivative was looked at",
}


def is_verdict(result: object) -> TypeGuard[Verdict]:
    """Tell a Verdict from the other things that a report is made of."""
    return isinstance(getattr(result, "components", None), pd.DataFrame) and callable(getattr(result, "explain", None))


def write_verdict(verdicts: Sequence[Verdict], directory: Path, *, parquet: bool = False) -> None:
    """Write components.csv and index.html: all files, or none.

    Parameters
    ----------
    verdicts : sequence of Verdict
        One, or one for each of several points.
    directory : Path
        Where the files go; made if it is missing.
    parquet : bool
        Write components.parquet as well.

    Raises
    ------
    DiffcompareError
        As :func:`diffcompare.write_report`.
    """
    for verdict in verdicts:
        missing = [column for column in COMPONENT_COLUMNS if column not in verdict.components.columns]
        if missing:
            raise ValueError(f"components: column {missing[0]!r} is missing; pass what dc.check_gradient returned")
    frames = [verdict.components for verdict in verdicts]
    components = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    if parquet:
        require_pyarrow()
    files = ["components.csv", *["components.parquet"] * parquet]

    def write(folder: Path) -> None:
        write_csv(components, folder / "components.csv")
        if parquet:
            write_parquet(components, folder / "components.parquet")
        page = verdict_html(verdicts, files=[*files, MANIFEST])
        (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")

    write_files(directory, [*files, "index.html"], write)


def verdict_html(verdicts: Sequence[Verdict], *, files: Sequence[str], place: str = "") -> str:
    """Draw the page of one or several verdicts.

    Parameters
    ----------
    verdicts : sequence of Verdict
        At least one.
    files : sequence of str
        What the page links to; the first one holds all components.
    place : str
        Of a page that belongs to an index: the test that made the comparison, and where.

    Returns
    -------
    str
    """
    components = pd.concat([verdict.components for verdict in verdicts], ignore_index=True)
    rows = worst_first(components)
    points = components["point"].astype(str)
    return (
        environment("tables")
        .get_template("verdict/index.html")
        .render(
            subject=_subject(verdicts[0]),
            status=min((verdict.status for verdict in verdicts), key=status_rank),
            what=verdicts[0].what,
            verdicts=[_verdict(verdict) for verdict in verdicts],
            rows=[_row(row) for row in rows.head(_ROWS).to_dict("records")],
            count=len(rows),
            several=points.nunique() > 1,
            statuses=CHECK_WORDS,
            files=files,
            place=place,
        )
    )


def _subject(verdict: Verdict) -> str:
    """Name what was judged: the claim, the function and where they stand, as far as their code is known."""
    names = {source.role: shorten(source.name, 60) for source in verdict.sources if source.name}
    files = dict.fromkeys(shorten(source.file, 80) for source in verdict.sources if source.file)
    claim, f = names.get("gradient", ""), names.get("f", "")
    of = f"the {verdict.what}" + f" of {f}" * bool(f)
    named = f"{claim}, {of}" if claim and claim != f else of
    return named + f" in {' and '.join(files)}" * bool(files) if names else ""


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {name: str(row[name]) for name in ("point", "component", "status")}
    return {**texts, **{name: float(row[name]) for name in _NUMBERS}}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    """Collect what the page says of one verdict."""
    components = verdict.components
    text = verdict.explain()
    worst = worst_first(components).head(1).to_dict("records")
    points = components["point"].astype(str).unique().tolist()
    return {
        "place": shorten(points[0], 200) if len(points) == 1 else plural(len(points), "point"),
        "status": verdict.status,
        "headline": text.partition("\n")[0].removeprefix(f"{verdict.status}: ").removesuffix("."),
        "resolution": _resolution(verdict.resolution),
        "evidence": verdict.evidence,
        "judged": _EVIDENCE_WORDS.get(verdict.evidence, "").format(what=verdict.what),
        "cause": verdict.cause or "",
        "blame": _blame(verdict),
        "rounding": _rounding(verdict),
        "worst": _row(worst[0]) if worst else None,
        "left": [note.removeprefix("not by ").partition(": ")[::2] for note in verdict.notes if _is_left(note)],
        "notes": [note for note in verdict.notes if not _is_left(note)],
        "codes": marked_codes(verdict.sources, verdict.marks),
        "pointed": bool(verdict.marks),
        "text": text,
        "snippet": verdict.snippet,
    }


def _is_left(note: str) -> bool:
    """Tell whether a note says why a more certain rule did not judge."""
    return note.startswith("not by ") and ": " in note


def _resolution(resolution: float) -> str:
    if math.isnan(resolution):
        return "no resolution can be stated, for nothing could be measured"
    if resolution >= 1:
        return "only an error larger than the largest component itself would have been seen"
    return f"any error above {short(resolution)} times the largest component would have been seen"


def _rounding(verdict: Verdict) -> str:
    """Say how much rounding the claim carries; beside a mistake the number would be the mistake."""
    if math.isnan(verdict.rounding) or verdict.status == "wrong":
        return ""
    if verdict.rounding == 0:
        return "none was seen"
    return f"the {verdict.what} has a rounding error of {short(verdict.rounding)} times its largest component"


def _blame(verdict: Verdict) -> str:
    words = {
        "gradient": f"the {verdict.what}",
        "formula": "the formula: the function is not the one that was written down",
        None: "",
    }
    return words.get(verdict.blame, str(verdict.blame))
