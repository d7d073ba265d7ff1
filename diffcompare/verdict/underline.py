"""Marked places drawn as a compiler does: the source line, carets below the expression, and what is said of it.

Columns are those of a terminal: tabs go to the next multiple of four, East Asian characters take two columns, combining
ones none, and what cannot be seen, such as marks that turn the direction of reading, is spelt out.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from diffcompare.verdict.marks import Mark

__all__ = ["WIDTH", "Part", "columns", "picture", "underlined", "visible"]

WIDTH = 100
_MOST = 4  # marks that are drawn
_TAB = 4
_MARGIN, _GAP = "  ", "  "
# what a message gets at least where it stands below its carets
_LEAST = 40

# a piece of a line: "place", "code", or whose code is marked, "f" or "gradient"; and its text
Part = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Span:
    """What is marked of one line, a piece for each character; the message stands below the last line of a mark."""

    role: str
    file: str
    line: int
    text: tuple[str, ...]
    start: int
    end: int
    message: str = ""


def underlined(marks: Sequence[Mark], width: int = WIDTH) -> list[str]:
    """Draw marks as plain lines; see :func:`picture`."""
    return ["".join(text for _, text in line).rstrip() for line in picture(marks, width)]


def picture(
    marks: Sequence[Mark], width: int = WIDTH, shown: Callable[[str], str] | None = None
) -> list[tuple[Part, ...]]:
    """Draw marks in lines that are no wider than a width of at least 20 columns.

    Parameters
    ----------
    marks : sequence of Mark
        The first four are drawn.
    width : int
        In columns.
    shown : callable, optional
        How a character is written, for a terminal that lacks some; by default as it is, if it can be seen.

    Returns
    -------
    list of tuple of (str, str)
        Each line in pieces: what a piece is (``place``, ``code``, ``f`` or ``gradient``), and its text.
    """
    write = shown or visible
    files = list(dict.fromkeys(mark.file for mark in marks))
    spans = sorted(
        (span for mark in marks[:_MOST] for span in _spans(mark, write)),
        key=lambda span: (files.index(span.file), span.line, span.start, span.end),
    )
    labels = [_tail(_label(span, write), max(width // 3, 8), write("…")) for span in spans]
    margin = max(map(columns, labels), default=0)
    room = width - len(_MARGIN) - margin - len(_GAP)
    drawn: list[tuple[Part, ...]] = []
    for (label, line), together in groupby(zip(labels, spans, strict=True), key=lambda row: (row[0], row[1].text)):
        same = [span for _, span in together]
        fits = sum(map(columns, line)) <= room
        # of a line that is cut each mark has its own part
        for group in [same] if fits else [[span] for span in same]:
            lines = _drawn(line, group, room, write("…"))
            places = [f"{_MARGIN}{_filled(label, margin)}{_GAP}", *[_MARGIN + " " * margin + _GAP] * (len(lines) - 1)]
            drawn += [(("place", place), *parts) for place, parts in zip(places, lines, strict=True)]
    more = len(marks) - _MOST
    if more > 0:
        drawn.append((("place", _MARGIN + f"and {more} more place{'s' * (more > 1)}"),))
    return drawn


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def visible(character: str) -> str:
    """Return a character as it is, or spelt out where it cannot be seen."""
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _spans(mark: Mark, write: Callable[[str], str]) -> Iterator[_Span]:
    """Cut a mark into what it marks of its first and of its last line, without the indentation of both."""
    # without the lines the expression alone is shown
    lines = mark.lines or tuple((" " * mark.column + mark.text).splitlines()) or ("",)
    chosen = {k: lines[k].rstrip() for k in (0, len(lines) - 1)}
    common = min(_indentation(text).expandtabs(_TAB) for text in chosen.values())
    for k, text in chosen.items():
        is_last = k == len(lines) - 1
        start = mark.column if k == 0 else len(_indentation(text))
        end = mark.end_column if is_last else len(text)
        start = min(max(start, 0), len(text))
        yield _Span(
            mark.role, mark.file, mark.line + k, tuple(_dedented(_pieces(text, write), len(common))), start,
            min(max(end, start), len(text)), "".join(map(write, " ".join(mark.message.split()))) * is_last,
        )  # fmt: skip


def _label(span: _Span, write: Callable[[str], str]) -> str:
    return f"{''.join(map(write, span.file))}:{span.line}" if span.file else f"line {span.line}"


def _pieces(text: str, write: Callable[[str], str]) -> list[str]:
    """Return how each character of a line is shown."""
    pieces, at = [], 0
    for character in text:
        pieces.append(" " * (_TAB - at % _TAB) if character == "\t" else write(character))
        at += columns(pieces[-1])
    return pieces


def _indentation(text: str) -> str:
    return text[: len(text) - len(text.lstrip(" \t"))]


def _dedented(pieces: Sequence[str], common: int) -> list[str]:
    """Take columns of indentation away; a piece for each character stays."""
    left = []
    for piece in pieces:
        left.append(piece[common:])
        common = max(common - len(piece), 0)
    return left


def _drawn(line: Sequence[str], spans: Sequence[_Span], room: int, cut: str) -> list[tuple[Part, ...]]:
    """Draw a line, below it each of its marks."""
    ends = list(accumulate(map(columns, line), initial=0))
    a, b = _window(ends, spans[0], room, columns(cut))
    left, right = cut * (a > 0), cut * (b < len(line))
    drawn: list[tuple[Part, ...]] = [(("code", f"{left}{''.join(line[a:b])}{right}".rstrip()),)]
    for span in spans:
        before = columns(left) + ends[span.start] - ends[a]
        carets = "^" * max(ends[min(span.end, b)] - ends[span.start], 1)
        # an empty mark at the very end has no column of its own
        before = min(before, room - len(carets))
        told = f"{carets} {span.message}".rstrip()
        if before + columns(told) <= room:
            below = [(before, told)]
        else:
            indent = max(min(before, room - min(columns(span.message), _LEAST)), 0)
            below = [(before, carets), *((indent, text) for text in _wrapped(span.message, room - indent))]
        drawn += [(("code", " " * at), (span.role, text)) for at, text in below]
    return drawn


def _window(ends: Sequence[int], span: _Span, room: int, cut: int) -> tuple[int, int]:
    """Choose the characters of a line that are shown: the mark, from its beginning, and as much around it as fits."""
    count = len(ends) - 1

    def fits(a: int, b: int) -> bool:
        return cut * (a > 0) + ends[b] - ends[a] + cut * (b < count) <= room

    if fits(0, count):
        return 0, count
    a = b = span.start
    while b < span.end and fits(a, b + 1):
        b += 1
    grows = True
    while grows:
        grows = False
        if a > 0 and fits(a - 1, b):
            a, grows = a - 1, True
        if b < count and fits(a, b + 1):
            b, grows = b + 1, True
    return a, b


def _wrapped(text: str, room: int) -> list[str]:
    """Break a text between words; a word that is too long, where the line ends."""
    lines, line = [], ""
    for word in text.split():
        if line and columns(f"{line} {word}") > room:
            lines.append(line)
            line = ""
        line = f"{line} {word}".lstrip()
        ends = list(accumulate(map(columns, line), initial=0))
        start = 0
        while ends[-1] - ends[start] > room:
            stop = max(bisect_right(ends, ends[start] + room) - 1, start + 1)
            lines.append(line[start:stop])
            start = stop
        line = line[start:]
    return [*lines, *filter(None, [line])]


def _tail(label: str, limit: int, cut: str) -> str:
    """Leave out the beginning of a label that is too long; its line stays."""
    if columns(label) <= limit:
        return label
    kept = ""
    for character in reversed(label):
        if columns(cut + character + kept) > limit:
            break
        kept = character + kept
    return cut + kept


def _filled(label: str, width: int) -> str:
    return label + " " * (width - columns(label))
