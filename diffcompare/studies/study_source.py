"""The TOML of a study file: read within limits, and remembered by lines, so that every fault has its place."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffcompare.errors import StudyError, shorten

__all__ = ["Place", "Source", "load", "quote"]

Place = tuple[str | int, ...]  # ("function", 0, "points"): a key of the first [[function]]

# limits on files from strangers
_BYTES = 10_000_000  # 40,000 points of ten variables: what is told of their report comes after
_DOTS = 16  # tomllib needs memory quadratic in the dots of one key


@dataclass(frozen=True, slots=True)
class Source:
    """The file's name and the lines on which its keys stand, as far as a simple scan can tell."""

    name: str
    lines: Mapping[Place, int]

    def error(self, place: Place, message: str) -> StudyError:
        """Build the one line that names file, line, key and remedy."""
        found = next((place[:k] for k in range(len(place), 0, -1) if place[:k] in self.lines), None)
        line = "" if found is None else f", line {self.lines[found]}"
        of, keys = "", place
        if place[0] in ("function", "descent") and place[1:] and isinstance(place[1], int):
            of, keys = f" of [[{place[0]}]] {place[1] + 1}", place[2:]
        key = ".".join(k for k in keys if isinstance(k, str))
        where = f"key {quote(key)}{of}" if key else of.removeprefix(" of ")
        return StudyError(f"{self.name}{line}: {where}: {message}")


def load(name: str, *, limit: bool = True) -> tuple[Source, dict[str, Any]]:
    """Read a file as TOML, with the lines of its keys; ``limit`` refuses a large one.

    Raises
    ------
    StudyError
        The file cannot be read, is too large or too deep, is not UTF-8, or not TOML.
    """
    try:
        with open(name, "rb") as stream:  # noqa: PTH123 (the name is shown as it was given)
            content = stream.read(_BYTES + 1 if limit else -1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        words = f"cannot be read ({reason}); pass the path of a study file (.toml)"
        raise StudyError(f"{shorten(name, 200)}: {words}") from None
    except ValueError as error:  # a null character
        raise StudyError(f"{name!r}: no path ({error}); pass the path of a study file (.toml)") from None
    if limit and len(content) > _BYTES:
        raise StudyError(f"{name}: larger than {_BYTES} bytes; split it into several study files, or pass --no-limit")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise StudyError(f"{name}, line {number}: not UTF-8; save the file as UTF-8") from None
    outline = _outline(text)
    for number, line in enumerate(outline.split("\n"), 1):
        run = 0
        for part in line.split("."):
            run = run + 1 if re.fullmatch(r"[\w\s-]*", part) else 0
            if run > _DOTS:
                raise StudyError(f"{name}, line {number}: a key with more than {_DOTS} dots; study files are flat")
    try:
        return Source(name, _key_lines(outline)), tomllib.loads(text)
    except RecursionError:
        raise StudyError(f"{name}: brackets are nested too deeply; lists of lists of numbers are enough") from None
    except ValueError as error:
        found = re.fullmatch(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        what, row, column = found.groups() if found else (str(error).partition(";")[0], None, None)
        at = f", line {row}" if row else f", line {text.count(chr(10)) + 1}" if found else ""
        what = shorten(" ".join(what.split())) + (f", column {column}" if column else "")
        raise StudyError(f"{name}{at}: not valid TOML: {what}; texts need quotes, lists brackets") from None


_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)'
    + r"|'''.*?(?:'''|\Z)"
    + r'|"(?:[^"\\\n]|\\[^\n])*"?'
    + r"|'[^'\n]*'?"
    + r"|#[^\n]*",
    re.DOTALL,
)


def _outline(text: str) -> str:
    """Replace texts and comments, keeping the lines."""
    return _TOKEN.sub(lambda m: ("" if m[0][0] == "#" else "s") + "\n" * m[0].count("\n"), text)


def _key_lines(outline: str) -> dict[Place, int]:
    lines: dict[Place, int] = {}
    counts: dict[str, int] = {}
    table: Place = ()
    for number, row in enumerate(outline.split("\n"), 1):
        if header := re.match(r"\s*(\[\[?)\s*([A-Za-z][\w.-]*)\s*\]", row):
            keys = header[2].split(".")
            if header[1] == "[[":
                counts[keys[0]] = counts.get(keys[0], -1) + 1
            table = (keys[0], counts[keys[0]], *keys[1:]) if keys[0] in counts else tuple(keys)
            lines.setdefault(table, number)
            lines.setdefault((keys[0],), number)
        elif key := re.match(r"\s*([\w.-]+)\s*=", row):
            place = (*table, *key[1].split("."))
            for k in range(len(table) + 1, len(place) + 1):
                lines.setdefault(place[:k], number)
    return lines


def quote(text: str) -> str:
    """Quote a text of the file, shortened."""
    return repr(shorten(text, 60))
