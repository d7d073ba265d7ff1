"""What commands share: options, exit codes, and what is refused before the work begins."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = [
    "BAD_INPUT",
    "DONE",
    "DTYPES",
    "FINDING",
    "INCONCLUSIVE",
    "INTERRUPTED",
    "SECONDS",
    "UNREAD",
    "check_output",
    "check_report",
    "code_beside",
    "complain",
    "files",
    "format_option",
    "index_in",
    "output_options",
    "timeout_option",
]

DTYPES = ("float64", "float32", "float16")
DONE, FINDING, BAD_INPUT, INCONCLUSIVE, INTERRUPTED, UNREAD = 0, 1, 2, 3, 130, 141


def complain(message: str) -> int:
    """Print one line on stderr, and return the exit code of bad input."""
    from diffcompare.report.wording import printable

    print(f"diffcompare: {printable(message)}", file=sys.stderr)
    return BAD_INPUT


def output_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add what every command that computes can print instead of its text."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")(command)
    return click.option("--quiet", is_flag=True, help="Print nothing but errors.")(command)


def check_output(quiet: bool, as_json: bool) -> None:
    """Refuse options that exclude one another."""
    if quiet and as_json:
        raise click.UsageError("--quiet, --json: one prints nothing, the other a document; choose one")


def files(_: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete a file, or the directory of a report."""
    return [CompletionItem(incomplete, type="dir" if parameter.name == "out" else "file")]


format_option = click.option(
    "--format",
    "table_format",
    type=click.Choice(("csv", "parquet")),
    default="csv",
    help="Of the report's tables; parquet: CSV and Parquet.  [default: csv]",
)


class _Seconds(click.FloatRange):
    """A time that one can wait for, of at most three weeks: the system counts it in milliseconds of 31 bits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail("nan is no number of seconds", param, ctx)
        return seconds


SECONDS = _Seconds(0, 2_000_000, min_open=True)
timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=SECONDS,
    help="For the Python code of one function, or of one point to check.  [default: no limit]",
)


def check_report(out: str, table_format: str = "csv") -> None:
    """Refuse early, before minutes of work, what cannot be written, or how; the report itself checks again."""
    if not out:
        raise click.UsageError("--out '': is empty; name a directory")
    there = os.path.abspath(out)  # noqa: PTH100 (a null character is an error of its own)
    while not os.path.lexists(there):
        there = os.path.dirname(there)  # noqa: PTH120
    if not os.path.isdir(there):  # noqa: PTH112
        raise click.UsageError(f"--out {out!r}: a file is in the way; choose a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise click.UsageError(f"--out {out!r}: cannot be written; choose a directory that can be")
    if table_format == "parquet":
        from diffcompare.tables.parquet import require_pyarrow

        require_pyarrow()


def index_in(out: str) -> str:
    """Name the first page of a report."""
    return os.path.join(out, "index.html")  # noqa: PTH118 (as it was given)


def code_beside(wanted: bool) -> AbstractContextManager[object]:
    """Send what code of the user's prints to stderr: it is no part of a JSON document, or of nothing."""
    return redirect_stdout(sys.stderr) if wanted else nullcontext()
