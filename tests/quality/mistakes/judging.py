"""What diffcompare says of a planted bug: its status, whether the cause is right, and where it points."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import diffcompare as dc

from .case import Bug, Case, Edit, load
from .families import repairs, says

__all__ = ["Judged", "Right", "judge", "judge_right", "judge_wrong"]


@dataclass(frozen=True, slots=True)
class Right:
    """What was said of a right gradient."""

    case: Case
    status: str
    evidence: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of a bug; ``told`` is ``right``, ``none`` or ``misleading``, ``place`` that, ``elsewhere``
    or ``none``; ``marks`` are the expressions of the gradient that were marked."""

    case: Case
    bug: Bug
    status: str
    evidence: str
    cause: str
    kind: str
    told: str
    place: str
    marks: tuple[str, ...]
    seconds: float


def judge(cases: Iterable[Case], family: str | None = None, *, by_values: bool = False) -> Iterator[Right | Judged]:
    """Judge the right gradient and the bugs of each case, in files that are removed afterwards.

    ``by_values``: nothing of the function but its values is known.
    """
    with tempfile.TemporaryDirectory() as name:
        for case in cases:
            if family is None:
                yield judge_right(case, Path(name), by_values=by_values)
            for number, bug in enumerate(case.bugs):
                if family in (None, bug.family):
                    yield judge_wrong(case, bug, Path(name), number, by_values=by_values)


def judge_right(case: Case, folder: Path, *, by_values: bool = False) -> Right:
    """Judge the gradient as it should be."""
    v, seconds = _verdict(case, case.right, folder, case.name, by_values=by_values)
    return Right(case, v.status, v.evidence, seconds)


def judge_wrong(case: Case, bug: Bug, folder: Path, number: int = 0, *, by_values: bool = False) -> Judged:
    """Judge the gradient with a bug."""
    edit, name = case.edit(bug), f"{case.name}_{number}"
    v, seconds = _verdict(case, edit.text, folder, name, by_values=by_values)
    cause, kind = (str(v.cause), v.cause.kind) if v.cause else ("", "")
    # that one component is wrong is no cause
    told = "none" if kind in ("", "one component") else "misleading"
    known = says(cause, kind, family=bug.family, also=bug.also, number=bug.number)
    if told == "misleading" and (known or repairs(cause, bug.old, bug.new)):
        told = "right"
    marks = [one for one in v.places.itertuples() if one.role == "gradient"]
    place = "none" if not marks else "elsewhere"
    if any(one.file == f"{name}.py" and edit.is_marked_by(*_span(edit, one)) for one in marks):
        place = "right"
    # another value in place of one that holds the edit: with it the gradient is right
    told = "right" if kind == "other value" and place == "right" else told
    texts = tuple(f"{one.line}:{one.column} {one.text}" for one in marks)
    return Judged(case, bug, v.status, v.evidence, cause, kind, told, place, texts, seconds)


def _verdict(case: Case, text: str, folder: Path, name: str, *, by_values: bool) -> tuple[Any, float]:
    module = load(text, folder, name)

    def known_by_values(x: Any) -> Any:
        # a trace does not see into a float's parts
        return module.f(np.reshape([math.ldexp(*math.frexp(v)) for v in np.ravel(x)], np.shape(x)))

    start = time.process_time()
    v = getattr(dc, f"check_{case.what}")(known_by_values if by_values else module.f, module.gradient, module.at)
    assert not [note for note in v.notes if "failed" in note], v.notes
    return v, time.process_time() - start


def _span(edit: Edit, mark: Any) -> tuple[int, int]:
    return edit.offset(mark.line, mark.column), edit.offset(mark.end_line, mark.end_column)
