"""A table of errors in parts: Parquet files, each of which says of what it is a part and which functions it holds."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.tables.parquet import read_note, write_parquet

__all__ = ["Note", "part_name", "part_paths", "read_notes", "write_noted"]

_PART = re.compile(r"errors-[0-9]{6}\.parquet")


@dataclass(frozen=True, slots=True)
class Note:
    """What a file says of itself.

    Parameters
    ----------
    study, version : str
        The title, and the version that measured it.
    fingerprint : str
        Of all that decides what the parts hold: parts of one run have one.
    parts : int
        How many there are of the whole table.
    functions : dict
        Of the functions that the part holds, or a piece of them: their rows of the table of functions.
    """

    study: str
    version: str
    fingerprint: str
    parts: int
    functions: dict[str, dict[str, str]] = field(default_factory=dict)


def part_name(number: int) -> str:
    """Name a part; they are numbered from 1.

    >>> part_name(7)
    'errors-000007.parquet'
    """
    return f"errors-{number:06d}.parquet"


def part_paths(folder: Path) -> list[Path]:
    """List the parts in a folder, in their order."""
    return sorted(path for path in folder.iterdir() if _PART.fullmatch(path.name))


def write_noted(frame: pd.DataFrame, path: Path, note: Note) -> None:
    """Write a table with a note: in full, or not at all where the process is killed."""
    # what a killed run leaves of it, the run that goes on writes over
    unfinished = path.with_name(f".{path.name}")
    try:
        write_parquet(frame, unfinished, json.dumps(asdict(note)))
        os.replace(unfinished, path)  # noqa: PTH105 (the one call that puts a file in place)
    except OSError as error:
        raise DiffcompareError(
            f"{path}: cannot be written ({error.strerror or type(error).__name__}); make room, then pass --resume"
        ) from None


def read_notes(paths: list[Path], expected: Note | None = None) -> list[Note]:
    """Read the notes of files of one run; ``DiffcompareError`` names one that is of another.

    Parameters
    ----------
    paths : list of Path
    expected : Note, optional
        Of the run; default: the first of them.
    """
    notes = []
    for path in paths:
        try:
            note = Note(**json.loads(read_note(path) or "{}"))
        except (ValueError, TypeError):
            raise DiffcompareError(
                f"{path.name}: is no part of a study; move it away or choose another directory"
            ) from None
        expected = expected or note
        if note.fingerprint != expected.fingerprint:
            raise DiffcompareError(
                f"{path.name}: belongs to another study, to another state of it, or to another version "
                f"({shorten(repr(note.study), 60)}, diffcompare {shorten(note.version, 20)}); move it away or choose "
                "another directory"
            )
        notes.append(note)
    return notes
