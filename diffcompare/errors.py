"""The errors that diffcompare raises, and the checks of arguments that many places share.

Bad arguments raise ``ValueError`` or ``TypeError``; bad mathematics, formulas and files raise a
``DiffcompareError``. Every message names the value, the place and the remedy.
"""

from __future__ import annotations

import math
import re

__all__ = [
    "DiffcompareError",
    "DomainError",
    "ParseError",
    "StudyError",
    "TraceError",
    "UnsupportedFunction",
    "check_step_size",
    "check_text",
    "reason",
    "shorten",
    "shown",
]


class DiffcompareError(Exception):
    """The root of every error that diffcompare raises on purpose."""


class ParseError(DiffcompareError):
    """A formula could not be read.

    Parameters
    ----------
    message : str
        What is wrong and what to write instead, in one line.
    text : str
        The formula.
    column : int
        Where it is wrong: characters from the left, the first one is 1.
    """

    def __init__(self, message: str, text: str, column: int) -> None:
        self.message = message
        self.text = text
        self.column = column
        super().__init__(message)

    def __reduce__(self) -> tuple[object, ...]:
        """Make copies from what it was made from."""
        return type(self), (self.message, self.text, self.column)

    def __str__(self) -> str:
        """Three lines: place and message, the formula (a window of it if it is long), the caret."""
        start = max(0, self.column - 41)
        window = self.text[start : start + 80]
        head = "..." if start else ""
        tail = "..." if start + 80 < len(self.text) else ""
        shown = "".join(c if c.isprintable() else "?" for c in window)
        caret = " " * (len(head) + self.column - 1 - start) + "^"
        return f"column {self.column}: {self.message}\n  {head}{shown}{tail}\n  {caret}"


class TraceError(DiffcompareError):
    """NumPy code could not be turned into a program."""


class DomainError(DiffcompareError):
    """A function is not defined where it was asked for."""


class UnsupportedFunction(DiffcompareError):
    """A function or operation that diffcompare does not know."""


class StudyError(DiffcompareError):
    """A study file is wrong as a whole."""


def shorten(text: str, limit: int = 200) -> str:
    """Cut a text that goes into a message or a table to ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def reason(error: Exception) -> str:
    """Say in one line why a function failed; no traceback, no absolute path."""
    if isinstance(error, ParseError):
        return shorten(f"column {error.column}: {error.message}", 300)
    text = " ".join(str(error).split())
    if not isinstance(error, (DiffcompareError, ValueError)):
        text = f"{type(error).__name__}: {text}".removesuffix(": ")
    return shorten(re.sub(r"(?<![\w.])(?:/[\w.@+-]+)+/(?=[\w.])|[A-Za-z]:\\(?:[\w.@+-]+\\)*", "", text), 300)


def check_text(text: str, what: str) -> str:
    r"""Return a text that a file can hold; ``ValueError`` for one with half of a character.

    >>> check_text("\ud800", "name")
    Traceback (most recent call last):
        ...
    ValueError: name='\ud800': holds U+D800, half of a character, which no file can hold; remove it
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what}={shorten(ascii(text), 60)}: holds U+{ord(text[error.start]):04X}, half of a character, which no "
            "file can hold; remove it"
        ) from None
    return text


def shown(value: object, limit: int = 60) -> str:
    """Return the ``repr`` of a bad argument for a message, shortened; one that cannot be had is described."""
    try:
        return shorten(repr(value), limit)
    except ValueError:
        # Python refuses to write whole numbers of many thousand digits
        return f"{type(value).__name__} of too many digits to write"


_REMEDY = "pass h=1e-4 or geometric_steps(...)"


def check_step_size(h: object) -> float:
    """Return the step size as a float; positive and finite, or ``ValueError``.

    >>> check_step_size(1e-4)
    0.0001
    """
    try:
        value = float(h)  # type: ignore[arg-type]
    except OverflowError:
        value = math.inf
    except (TypeError, ValueError):
        raise TypeError(f"h={shown(h)}: step size must be a number; {_REMEDY}") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"h={shown(h)}: step size must be positive and finite; {_REMEDY}")
    return value
