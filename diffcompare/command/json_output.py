"""What the commands found as one JSON document: numbers in full, nan as null, infinities as "inf" and "-inf"."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from diffcompare.report.findings import verdict_counts, worst_first

if TYPE_CHECKING:
    from diffcompare.tables.schema import Tables
    from diffcompare.verdict.verdict import Verdict

__all__ = ["comparison_document", "ranking_document", "study_document", "verdict_document"]


def comparison_document(tables: Tables, formula: str, variables: Sequence[str], report: str | None) -> str:
    """Write the comparison of one formula: its certified derivatives, the summary and the step rules."""
    derivatives = tables.errors.drop_duplicates(["variable", "point"])
    return _document(
        {
            "command": "compare",
            "formula": formula,
            "variables": list(variables),
            "derivatives": _rows(derivatives[["variable", "point", "derivative", "exact", "status"]]),
            "summary": _rows(tables.summary),
            "rules": _rows(tables.rules),
            "report": report,
        }
    )


def study_document(tables: Tables, report: str) -> str:
    """Write what a study found: its functions with their status, the counts, the summary, worst rows first."""
    return _document(
        {
            "command": "run",
            "title": tables.title,
            "functions": _rows(tables.functions[["function", "variables", "formula", "status", "message"]]),
            "rows": len(tables.errors),
            "verdicts": dict(verdict_counts(tables.summary)),
            "summary": _rows(worst_first(tables.summary)),
            "report": report,
        }
    )


def verdict_document(judged: Sequence[tuple[str, Verdict]], status: str, report: str | None) -> str:
    """Write verdicts on a gradient, each with the text of its point; ``status`` is the worst."""
    names = ("status", "evidence", "resolution", "rounding", "blame", "cause", "notes", "snippet")
    verdicts = [
        {"point": point}
        | {name: getattr(verdict, name) for name in names}
        | {
            "components": _rows(verdict.components.drop(columns="point")),
            "places": _rows(verdict.places),
            "explanation": verdict.explain(),
        }
        for point, verdict in judged
    ]
    return _document({"command": "check", "status": status, "verdicts": verdicts, "report": report})


def ranking_document(scores: pd.DataFrame, missing: Sequence[str], report: str | None) -> str:
    """Write the scores of differentiators, the fewest overconfident answers first, and what is not installed."""
    return _document({"command": "rank", "scores": _rows(scores), "missing": list(missing), "report": report})


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _document(content: Mapping[str, Any]) -> str:
    # other characters as \u escapes: any terminal, and any pipe, carries them
    return json.dumps(_plain(content), indent=1, allow_nan=False)


def _plain(value: Any) -> Any:
    """Give what JSON can say; floats are written by repr, which reads back bit for bit."""
    if value is None or value is pd.NA or isinstance(value, bool | int):
        return None if value is pd.NA else value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, Sequence):
        return [_plain(inner) for inner in value]
    number = float(value)
    if math.isnan(number):
        return None
    return number if math.isfinite(number) else f"{number:g}"
