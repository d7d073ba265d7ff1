"""The comparisons of one test while it runs: each by itself, or those of a property by the line that made them.

A test of Hypothesis makes hundreds of comparisons at one line. Kept are their number, their statuses, the largest
difference in units of its threshold, and one example: the last one that failed, which is the smallest that Hypothesis
found, or the last one.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from diffcompare.testing.record import Observation

__all__ = ["GOOD", "Heard"]

GOOD = ("consistent", "within-bound")


@dataclass(slots=True)
class _Line:
    """The comparisons at one line of a property, or a single comparison."""

    kind: str
    place: str
    examples: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    max_threshold_ratio: float = math.nan
    last: tuple[str, Any] = ("", None)
    last_failing: tuple[str, Any] | None = None


@dataclass(slots=True)
class Heard:
    """What was heard of one test.

    Parameters
    ----------
    test : str
        Its node id.
    is_property : bool
        Whether Hypothesis draws its arguments.
    """

    test: str
    is_property: bool
    outcome: str = "passed"
    lines: dict[tuple[str, str, int], _Line] = field(default_factory=dict)

    def listen(self, observation: Observation) -> None:
        """Take one comparison in."""
        place = _caller()
        key = (observation.kind, place, 0 if self.is_property else len(self.lines))
        line = self.lines.setdefault(key, _Line(observation.kind, place))
        status = _status(observation.data)
        line.examples += 1
        line.statuses[status] = line.statuses.get(status, 0) + 1
        ratio = _threshold_ratio(observation.data)
        if not ratio <= line.max_threshold_ratio and not math.isnan(ratio):
            line.max_threshold_ratio = ratio
        # what is kept for long is plain: a table of a few numbers weighs kilobytes
        kept = observation.data if self.is_property else _plain(observation.data)
        line.last = (status, kept)
        if status not in GOOD:
            line.last_failing = line.last

    def plain(self) -> dict[str, Any]:
        """Return it all as JSON has it."""
        return {
            "test": self.test,
            "outcome": self.outcome,
            "comparisons": [self._shown(x) for x in self.lines.values()],
        }

    def _shown(self, line: _Line) -> dict[str, Any]:
        # a property that passed may have met points without a derivative on the way
        shown = None if self.outcome == "passed" else line.last_failing
        status, example = shown or line.last
        return {
            "kind": line.kind,
            "place": line.place,
            "status": status,
            "examples": line.examples,
            "statuses": line.statuses,
            "max_threshold_ratio": line.max_threshold_ratio,
            **(example if isinstance(example, dict) else _plain(example)),
        }


def _caller() -> str:
    """Name the line of the test that made the comparison: the innermost one that is not ours."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "diffcompare":
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _is_verdict(data: Any) -> bool:
    return hasattr(data, "components")


def _status(data: Any) -> str:
    """Return the status of a verdict; of rows of a sweep the worst of the verdicts that a summary gives."""
    if _is_verdict(data):
        return str(data.status)
    within = data["within_bound"].dropna()
    if len(within):
        return "within-bound" if bool(within.all()) else "outside-bound"
    return "not-differentiable" if bool(data["exact"].isna().all()) else "unbounded"


def _threshold_ratio(data: Any) -> float:
    """Return the largest |difference| / threshold, or |error| / bound; nan where there is none."""
    table = data.components if _is_verdict(data) else data
    size, limit = ("difference", "threshold") if _is_verdict(data) else ("abs_error", "bound")
    largest = math.nan
    for value, most in zip(table[size].tolist(), table[limit].tolist(), strict=True):
        ratio = abs(value) / most if most else (0.0 if value == 0 else math.inf if value == value else math.nan)
        if not math.isnan(ratio) and not ratio <= largest:
            largest = ratio
    return largest


def _plain(data: Any) -> dict[str, Any]:
    """Take a verdict, or rows of a sweep, apart into what JSON can hold."""
    if not _is_verdict(data):
        return {"rows": _columns(data)}
    return {
        "verdict": {
            "status": str(data.status),
            "evidence": str(data.evidence),
            "resolution": float(data.resolution),
            "rounding": float(data.rounding),
            "blame": None if data.blame is None else str(data.blame),
            "cause": None if data.cause is None else str(data.cause),
            "notes": [str(note) for note in data.notes],
            "snippet": str(data.snippet),
            "text": data.explain(),
            "what": str(data.what),
            "marks": [asdict(mark) for mark in data.marks],
            "sources": [asdict(source) for source in data.sources],
            "components": _columns(data.components),
        }
    }


def _columns(frame: Any) -> dict[str, list[Any]]:
    return {
        str(name): [value if isinstance(value, str | float | int | bool) else None for value in frame[name].tolist()]
        for name in frame.columns
    }
