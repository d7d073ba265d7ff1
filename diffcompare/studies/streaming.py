"""Studies larger than memory: their errors go block after block into Parquet files, the parts of one table.

A block holds whole functions, or some points of one that is larger. What the blocks are depends on the study alone, so
that a run that was killed goes on with the first part that is missing, and its files are those of one that was not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pandas as pd

from diffcompare import __version__
from diffcompare.errors import DiffcompareError, reason, shorten
from diffcompare.studies.study import Chunk, Loader, Measured, Study, chunks, function_row, measure, traced
from diffcompare.studies.study_file import Entry
from diffcompare.sweeps.parallel import attempt, in_processes
from diffcompare.tables.csv_files import read_errors
from diffcompare.tables.parquet import require_pyarrow
from diffcompare.tables.parts import Note, part_name, part_paths, read_notes, write_noted
from diffcompare.tables.schema import COLUMNS, FUNCTION_COLUMNS, SUMMARY_COLUMNS, Tables, stack
from diffcompare.tables.summary import summarize

__all__ = ["stream_study"]

_BLOCK_ROWS = 200_000
# of a chunk of points, which is measured at a time, here or in another process
_CHUNK_ROWS = 20_000
_SMALL = ("summary.parquet", "functions.parquet")

# the entries in it, each with the numbers of its first chunk and the one after its last
Block = list[tuple[Entry, int, int]]


def stream_study(
    study: Study,
    folder: Path,
    *,
    load: Loader | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    executor: Executor | None = None,
    resume: bool = False,
) -> tuple[Tables, int]:
    """Measure a study and write its errors in parts, with the summary and the functions: nothing is drawn.

    Parameters
    ----------
    study : Study
        As ``read_study`` gives it.
    folder : Path
        Made if it is missing.
    load, progress, executor : optional
        As in :func:`diffcompare.studies.study.evaluate`; the files have the same bytes whatever the executor.
    resume : bool
        Go on with the parts that are in the folder, and measure only what is missing.

    Returns
    -------
    tables : Tables
        With the summary and the functions, and without errors. A function that fails at one of its points has no rows
        in that block and those after it.
    rows : int
        Of the table of errors.

    Raises
    ------
    DiffcompareError
        There is something else in the folder, or a part of another study or version.
    """
    require_pyarrow()
    study = replace(study, entries=tuple(traced(entry, load) for entry in study.entries))
    blocks = _blocks(study.entries)
    note = Note(study.title, __version__, _fingerprint(study), len(blocks))
    done = _done(folder, note, resume=resume)
    missing = [block for number, block in enumerate(blocks, 1) if part_name(number) not in done]
    total = sum(last - first for block in missing for _, first, last in block)
    begun = 0
    measured = _measured(missing, executor)
    rows: dict[str, dict[str, str]] = {}
    for number, block in enumerate(blocks, 1):
        if part_name(number) in done:
            rows |= done[part_name(number)].functions
            continue
        tables = []
        for entry, first, last in block:
            found = []
            for _ in range(first, last):
                if progress is not None:
                    progress(begun, total, entry.name)
                found.append(next(measured))
                begun += 1
            known = rows.get(entry.name)
            error = next((piece for piece in found if isinstance(piece, Exception)), None)
            if error is not None and (known is None or known["status"] == "ok"):
                known = function_row(entry, reason(error), None)
            known = known or function_row(entry, "", found[0])  # type: ignore[arg-type]
            rows[entry.name] = known
            tables += [piece.tables[0] for piece in found if isinstance(piece, Measured) and known["status"] == "ok"]
        own = {entry.name: rows[entry.name] for entry, _, _ in block}
        write_noted(stack(tables, COLUMNS), folder / part_name(number), replace(note, functions=own))
    return _finished(study, folder, note, rows)


def _finished(study: Study, folder: Path, note: Note, rows: dict[str, dict[str, str]]) -> tuple[Tables, int]:
    """Write the small tables, from the parts as they are in their files."""
    count, summaries = 0, []
    for path in part_paths(folder):
        errors = read_errors(path)
        count += len(errors)
        summaries += [summarize(errors)] if len(errors) else []
    every = [rows.get(entry.name) or function_row(entry, entry.message, None) for entry in study.entries]
    functions = pd.DataFrame(every, dtype=str)[list(FUNCTION_COLUMNS)]
    summary = stack(summaries, SUMMARY_COLUMNS)
    for name, table in zip(_SMALL, (summary, functions), strict=True):
        write_noted(table, folder / name, note)
    return Tables(study.title, stack([], COLUMNS), summary, functions), count


def _rows(entry: Entry) -> int:
    """Count the rows of one point."""
    return max(1, len(entry.variables) * len(entry.schemes) * len(entry.steps))


def _size(entry: Entry) -> int:
    """Tell how many points a chunk has."""
    return max(1, _CHUNK_ROWS // _rows(entry))


def _blocks(entries: Sequence[Entry]) -> list[Block]:
    blocks: list[Block] = []
    room = 0
    for entry in entries:
        if entry.function is None:
            continue
        size, rows = _size(entry), _rows(entry)
        count = math.ceil(len(entry.points) / size)
        if rows * len(entry.points) <= room:
            # whole, with those before it
            blocks[-1].append((entry, 0, count))
            room -= rows * len(entry.points)
            continue
        several = max(1, _BLOCK_ROWS // (rows * size))
        blocks += [[(entry, k, min(k + several, count))] for k in range(0, count, several)]
        _, first, _ = blocks[-1][0]
        room = _BLOCK_ROWS - rows * (len(entry.points) - first * size)
    return blocks or [[]]


def _fingerprint(study: Study) -> str:
    """Make one short text of all that decides what the parts hold."""
    digest = hashlib.sha256(repr((__version__, _BLOCK_ROWS, _CHUNK_ROWS, study.title)).encode())
    for entry in study.entries:
        # a formula is what its text says, code is what was traced
        program = None if entry.function is None or entry.shape is None else entry.function.program
        digest.update(repr((replace(entry, function=None), program)).encode(errors="backslashreplace"))
    return digest.hexdigest()


def _done(folder: Path, note: Note, *, resume: bool) -> dict[str, Note]:
    """Return the notes of the parts that are there, by name; what else is there is refused."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(path.name for path in folder.iterdir())
        parts = part_paths(folder)
    except OSError as error:
        raise DiffcompareError(f"{folder}: cannot be used ({error.strerror}); choose another directory") from None
    if there and not resume:
        raise DiffcompareError(
            f"{folder}: is not empty; choose another directory, or pass --resume to go on with the parts in it"
        )
    small = [folder / name for name in _SMALL if name in there]
    ours = {path.name for path in (*parts, *small)}
    # a leading dot: what a killed run had not finished
    foreign = [name for name in there if name not in ours and name.removeprefix(".") not in (*_SMALL, *_names(note))]
    if foreign:
        raise DiffcompareError(f"{folder}: {shorten(foreign[0], 60)} is no part of a study; choose another directory")
    read_notes(small, note)
    return dict(zip([path.name for path in parts], read_notes(parts, note), strict=True))


def _names(note: Note) -> list[str]:
    return [part_name(number) for number in range(1, note.parts + 1)]


def _measured(blocks: Sequence[Block], executor: Executor | None) -> Iterator[Measured | Exception]:
    """Measure the chunks of blocks one after the other, or several at a time; an error is what it gave."""
    payloads = (chunk for block in blocks for entry, first, last in block for chunk in _some(entry, first, last))
    names = (shorten(entry.name, 80) for block in blocks for entry, first, last in block for _ in range(first, last))
    outcomes = (
        (attempt(measure, chunk) for chunk in payloads)
        if executor is None
        else in_processes(measure, payloads, names, executor)
    )
    return (outcome.value if outcome.error is None else outcome.error for outcome in outcomes)


def _some(entry: Entry, first: int, last: int) -> Iterator[Chunk]:
    return islice(chunks(entry, _size(entry), errors_alone=True), first, last)
