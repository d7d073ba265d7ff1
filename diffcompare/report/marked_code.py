"""The user's code on a page: numbered lines, in which the places that a verdict points at are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # for type checkers alone: the page sees the attributes of both
    from diffcompare.verdict.marks import Mark, Source

__all__ = ["marked_codes"]

_TAB = 4
# lines around a mark that are shown of a long code
_AROUND = 5
_LONG = 60


def marked_codes(sources: Sequence[Source], marks: Sequence[Mark]) -> list[dict[str, Any]]:
    """Prepare codes for a template: those of function and claim, then lines of other functions that are marked.

    Parameters
    ----------
    sources : sequence of Source
    marks : sequence of Mark

    Returns
    -------
    list of dict
        ``role``, ``name``, ``place``, ``marked`` (whether something is), and ``rows``. A row has its ``number`` (None:
        lines are left out here), ``pieces`` of text, each with whether it is marked, and ``told``: the messages, with
        the ``text`` that they are about, and what stands ``before`` it.
    """
    codes: list[dict[str, Any]] = []
    inside: set[int] = set()
    for source in sources:
        lines = dict(enumerate(source.text.splitlines(), source.line))
        own = [mark for mark in marks if mark.role == source.role and mark.file == source.file and mark.line in lines]
        inside.update(map(id, own))
        codes.append(_code(source.role, source.name, source.file, lines, own))
    others: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        if id(mark) not in inside:
            others.setdefault((mark.role, mark.file), []).append(mark)
    for (role, file), own in others.items():
        lines = {}
        for mark in own:
            # without the lines the expression alone is known
            known = mark.lines or (" " * mark.column + mark.text).splitlines()
            lines |= dict(enumerate(known, mark.line))
        codes.append(_code(role, "", file, dict(sorted(lines.items())), own))
    return codes


def _code(role: str, name: str, file: str, lines: Mapping[int, str], marks: Sequence[Mark]) -> dict[str, Any]:
    indents = [_indentation(line) for line in lines.values() if line.strip()]
    indent = len(list(takewhile(lambda column: len(set(column)) == 1, zip(*indents, strict=False))))
    rows: list[dict[str, Any]] = []
    for number, line in lines.items():
        row = _row(number, line, marks, indent)
        if _is_shown(number, lines, marks):
            if rows and rows[-1]["number"] is not None and rows[-1]["number"] != number - 1:
                rows.append({"number": None, "pieces": [], "told": []})
            rows.append(row)
    first = next(iter(lines), 0)
    return {
        "role": role,
        "name": name,
        "place": f"{file}:{first}" if file else f"line {first}",
        "marked": bool(marks),
        "rows": rows,
    }


def _is_shown(number: int, lines: Mapping[int, str], marks: Sequence[Mark]) -> bool:
    if len(lines) <= _LONG or not marks:
        return True
    near = (mark.line - _AROUND <= number <= mark.end_line + _AROUND for mark in marks)
    return number == next(iter(lines)) or any(near)


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _row(number: int, line: str, marks: Sequence[Mark], indent: int) -> dict[str, Any]:
    """Cut a line where marks begin and end; tabs become spaces, for nothing that is not printable is shown as it is."""

    def at(column: int) -> int:
        return len(line[indent : max(column, indent)].expandtabs(_TAB))

    text = line[indent:].rstrip().expandtabs(_TAB)
    spans, told = [], []
    for mark in sorted(marks, key=lambda mark: mark.column):
        if mark.line <= number <= mark.end_line:
            start = at(mark.column if number == mark.line else len(_indentation(line)))
            end = at(mark.end_column) if number == mark.end_line else len(text)
            spans.append((start, end))
            if number == mark.end_line and mark.message:
                told.append({"before": text[:start], "text": text[start:end], "message": mark.message})
    cuts = sorted({0, len(text), *(min(cut, len(text)) for span in spans for cut in span)})
    pieces = [(text[a:b], any(start <= a and b <= end for start, end in spans)) for a, b in pairwise(cuts)]
    return {"number": number, "pieces": pieces, "told": told}
