"""Places in the user's source that a verdict points at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffcompare.tracing.spans import Span

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Mark", "Source", "places_frame"]

_COLUMNS = ("role", "file", "line", "column", "end_line", "end_column", "text", "message")


@dataclass(frozen=True, slots=True)
class Mark:
    """An expression of the user's code, and what is said of it.

    Parameters
    ----------
    role : str
        ``f`` or ``gradient``: whose code it is.
    file : str
        The name of the file, without folders.
    line, column, end_line, end_column : int
        Lines count from 1, columns from 0, in characters, and ``end_column`` is the one after the last, as in
        :mod:`ast`.
    text : str
        The expression as it is written.
    message : str
        What is said of it, such as ``this is half of it``.
    lines : tuple of str
        The source lines from ``line`` to ``end_line``, whole.
    """

    role: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    message: str
    lines: tuple[str, ...] = ()

    @classmethod
    def at(cls, span: Span, *, role: str, message: str) -> Mark:
        """Say something of an expression that was found."""
        place = (span.file, span.line, span.column, span.end_line, span.end_column)
        return cls(role, *place, span.text, message, span.lines)


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a function: ``role`` is ``f`` or ``gradient``, ``line`` the number of the first of the lines."""

    role: str
    name: str
    file: str
    line: int
    text: str


def places_frame(marks: Sequence[Mark]) -> pd.DataFrame:
    """Return marks as a table, one row each: role, file, line, column, end_line, end_column, text, message."""
    import pandas as pd

    rows = [{name: getattr(mark, name) for name in _COLUMNS} for mark in marks]
    return pd.DataFrame(rows, columns=pd.Index(_COLUMNS))
