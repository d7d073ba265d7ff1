"""The command line: ``diffcompare run``, ``diffcompare compare`` and ``diffcompare check``.

Only click is loaded to show the help; everything else when a command runs.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from types import FrameType
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from diffcompare import __version__
from diffcompare.errors import DiffcompareError, ParseError, shorten
from diffcompare.numeric.stencils import DEFAULT_SCHEMES, stencil

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from diffcompare.compare.schema import Tables

__all__ = ["main"]

DTYPES = ("float64", "float32", "float16")
DONE, FINDING, BAD_INPUT, INCONCLUSIVE, INTERRUPTED = 0, 1, 2, 3, 130
# the statuses of a verdict, worst first: exit code and colour
_VERDICTS = {
    "wrong": (FINDING, "red"),
    "out-of-domain": (BAD_INPUT, "yellow"),
    "non-smooth": (FINDING, "yellow"),
    "inconclusive": (INCONCLUSIVE, "yellow"),
    "consistent": (DONE, "green"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: an error was outside its bound, a function could not be evaluated, or a gradient is wrong. 2: bad
    input, one line on stderr. 3: a check was inconclusive. 130: Ctrl-C. There is never a traceback.
    """
    if threading.current_thread() is not threading.main_thread():
        return _main(arguments)
    # an exception, not sudden death: temporary folders are removed on the way out
    before = signal.signal(signal.SIGTERM, _terminate) or signal.SIG_DFL
    try:
        return _main(arguments)
    finally:
        signal.signal(signal.SIGTERM, before)


def _main(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = diffcompare.main(arguments, prog_name="diffcompare", standalone_mode=False)
    except click.UsageError as error:
        remedy = "" if error.ctx is None else f"; see {error.ctx.command_path} --help"
        return _complain(" ".join(error.format_message().split()) + remedy)
    except click.ClickException as error:
        return _complain(" ".join(error.format_message().split()))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ParseError as error:
        return _complain(str(error))
    except DiffcompareError as error:
        return _complain(" ".join(str(error).splitlines()))
    except Exception as error:
        text = " ".join(str(error).split())
        _complain(f"unexpected {type(error).__name__}: {shorten(text)}; please report the command that led to it")
        return FINDING
    return code if isinstance(code, int) else DONE


class _Terminated(SystemExit):
    """A signal, and not code of the user's, wants the process to end."""


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    raise _Terminated(128 + number)


def _complain(message: str) -> int:
    from diffcompare.report.wording import printable

    print(f"diffcompare: {printable(message)}", file=sys.stderr)
    return BAD_INPUT


class _WithFormula(click.Command):
    """A command whose formula, and whose points, may start with a minus; its options all start with two."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {o for p in self.params if isinstance(p, click.Option) and not p.is_flag for o in p.opts}
        options: list[str] = []
        formulas: list[str] = []
        words = iter(args)
        for word in words:
            if word == "--":
                formulas.extend(words)
            elif re.fullmatch(r"--[A-Za-z][\w-]*(=.*)?", word, re.DOTALL):
                options.append(word)
                if word in valued:
                    value = next(words, None)
                    if value is None:
                        raise click.BadOptionUsage(word, f"Option {word!r} requires an argument.", ctx)
                    options.append(value)
            else:
                formulas.append(word)
        return super().parse_args(ctx, [*options, "--", *formulas])


@click.group(invoke_without_command=True)
@click.version_option(__version__)
@click.pass_context
def diffcompare(context: click.Context) -> None:
    """Compare numeric derivatives with certified ones.

    \b
    Exit codes: 0 done, 1 an error is outside its bound, a function could
    not be evaluated or a gradient is wrong, 2 bad input, 3 a check was
    inconclusive, 130 interrupted.
    """  # noqa: D301 (click's mark for lines to keep)
    if context.invoked_subcommand is None:
        raise click.UsageError(
            'a command is missing; write diffcompare compare "x**2" --at 3, or see diffcompare --help'
        )


_format_option = click.option(
    "--format",
    "table_format",
    type=click.Choice(("csv", "parquet")),
    default="csv",
    help="Of the report's tables; parquet: CSV and Parquet.  [default: csv]",
)


@diffcompare.command()
@click.argument("study", metavar="STUDY.toml")
@click.option("--out", metavar="DIR", help="Directory of the report.  [default: STUDY-report]")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes to work in.  [default: 1]")
@click.option("--allow-python", is_flag=True, help="Run the Python code that the study file names.")
@_format_option
def run(study: str, out: str | None, jobs: int, allow_python: bool, table_format: Literal["csv", "parquet"]) -> int:
    """Run a study file and write its report: CSV files and HTML pages."""
    if out is None:
        out = os.path.splitext(os.path.basename(study))[0] + "-report"  # noqa: PTH119, PTH122
    _check_directory(out)
    _check_format(table_format)
    from diffcompare import terminal
    from diffcompare.report.page import write_report
    from diffcompare.study import run_study

    with _workers(jobs) as executor:
        tables = run_study(study, allow_python, _progress if sys.stderr.isatty() else None, executor)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    write_report(tables, out, format=table_format)
    screen = terminal.console()
    terminal.say(screen, tables.title, style="bold")
    terminal.say(screen, _counted(tables))
    for row in tables.functions[tables.functions["message"] != ""].to_dict("records"):
        word = "failed" if row["status"] == "failed" else "note"
        terminal.say(screen, f"{word}: {shorten(row['function'], 80)}: {row['message']}", style="red")
    terminal.say(screen, f"report: {os.path.join(out, 'index.html')}")  # noqa: PTH118 (as it was given)
    return _exit_code(tables)


@diffcompare.command(cls=_WithFormula)
@click.argument("formula", metavar="EXPR")
@click.option("--at", "at", metavar="POINT", multiple=True, required=True, help="3,4 or x0=3,x1=4; repeat it for more.")
@click.option("--variables", metavar="NAMES", help="The arguments in order, as x0,x1.  [default: those that occur]")
@click.option(
    "--scheme", "schemes", multiple=True, metavar="NAME", help="forward, central4 …; repeatable.  [default: the three]"
)
@click.option("--derivative", metavar="N", type=int, default=1, help="The order of the derivative.  [default: 1]")
@click.option(
    "--dtype", type=click.Choice(DTYPES), default="float64", help="What f is computed in.  [default: float64]"
)
@click.option("--out", metavar="DIR", help="Write a report there as well.")
@_format_option
def compare(
    formula: str,
    at: Sequence[str],
    variables: str | None,
    schemes: Sequence[str],
    derivative: int,
    dtype: str,
    out: str | None,
    table_format: Literal["csv", "parquet"],
) -> int:
    """Compare the derivatives of one formula at one or more points.

    \b
    diffcompare compare "exp(x)/(sin(x)**3 + cos(x)**3)" --at x=1.5
    diffcompare compare "-x0**2 + x1**2" --at 3,4 --at -1,2 --out report
    """  # noqa: D301
    if out is not None:
        _check_directory(out)
        _check_format(table_format)
    for scheme in schemes or DEFAULT_SCHEMES:
        try:
            stencil(scheme, derivative)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    from diffcompare import terminal
    from diffcompare.study import evaluate, make_entry
    from diffcompare.study_file import Study

    with _blaming_names(variables) as names:
        entry = make_entry(
            formula,
            lambda f: _read_points(at, f.variables),
            variables=names,
            schemes=schemes or DEFAULT_SCHEMES,
            derivative=derivative,
            dtype=dtype,
        )
    tables = evaluate(Study(shorten(formula, 80), dtype, (entry,)))
    row = tables.functions.iloc[0]
    if row["status"] == "failed":
        _complain(f"{shorten(formula, 80)} could not be evaluated: {row['message']}")
        return FINDING
    if out is not None:
        from diffcompare.report.page import write_report

        write_report(tables, out, format=table_format)
    screen = terminal.console()
    terminal.show(screen, formula, entry.variables, tables)
    if out is not None:
        terminal.say(screen, f"report: {os.path.join(out, 'index.html')}")  # noqa: PTH118 (as it was given)
    return _exit_code(tables)


@diffcompare.command()
@click.argument("function", metavar="MODULE:F")
@click.argument("gradient", metavar="MODULE:GRAD")
@click.option("--at", "at", metavar="POINT", multiple=True, required=True, help="1,2,3; repeat it for more points.")
@click.option("--formula", metavar="EXPR", help="What the function claims to be.")
@click.option("--variables", metavar="NAMES", help="The variables of the formula in order, as x0,x1.")
@click.option("--out", metavar="DIR", help="Write a report there as well.")
def check(
    function: str, gradient: str, at: Sequence[str], formula: str | None, variables: str | None, out: str | None
) -> int:
    """Judge whether a gradient in Python code is right; this runs the code.

    MODULE is a name that can be imported from here, or the path of a .py
    file. The functions are given an array of the numbers, or the number
    where there is one alone; write 3, for an array of one number.

    \b
    diffcompare check model:loss model:gradient --at 1,2,3
    diffcompare check book.py:f book.py:df --at 3 --formula "x**2"
    diffcompare check model:loss model:gradient --at 1,2 --at 3,4 --out report

    \b
    Exit codes: 0 consistent, 1 wrong or non-smooth, 2 bad input or outside
    the domain, 3 inconclusive, 130 interrupted.
    """  # noqa: D301
    if out is not None:
        _check_directory(out)
    from diffcompare import terminal
    from diffcompare.compare.check import check_gradient
    from diffcompare.report.page import write_report
    from diffcompare.symbolic.function import SymbolicFunction
    from diffcompare.symbolic.parse import parse
    from diffcompare.user_code import importable, load_function, without_place

    if formula is None and variables is not None:
        raise click.UsageError("--variables: names the variables of a formula; add --formula EXPR")
    with _blaming_names(variables) as names:
        known = None if formula is None else parse(formula, variables=names)
    options = {"--formula": formula, "--variables": variables}
    repeat = ["diffcompare", "check", without_place(function), without_place(gradient)]
    repeat += [f"{name}={value}" for name, value in options.items() if value is not None]
    judged = []
    with importable(function, gradient):
        f, claimed = load_function(function), load_function(gradient)
        named = known or (f if isinstance(f, SymbolicFunction) else None)
        for point in _points_to_check(at, None if named is None else named.variables):
            try:
                verdict = check_gradient(f, claimed, point, formula=known)
            except (TypeError, ValueError) as error:
                raise click.UsageError(f"--at {_written(point)}: {' '.join(str(error).split())}") from None
            again = shlex.join([*repeat, f"--at={_written(point)}"])
            judged.append((point, replace(verdict, snippet=again)))
    if out is not None:
        write_report([verdict for _, verdict in judged], out)
    screen = terminal.console()
    for point, verdict in judged:
        if len(judged) > 1:
            terminal.say(screen, f"at {_written(point)}", style="bold")
        first, _, rest = verdict.explain().partition("\n")
        terminal.say(screen, first, style=f"bold {_VERDICTS[verdict.status][1]}")
        terminal.say(screen, rest + "\n" * (len(judged) > 1))
    if out is not None:
        terminal.say(screen, f"report: {os.path.join(out, 'index.html')}")  # noqa: PTH118 (as it was given)
    return next(code for status, (code, _) in _VERDICTS.items() if status in {v.status for _, v in judged})


# ---- input


def _check_format(table_format: str) -> None:
    """Refuse early what needs a library that is not there."""
    if table_format == "parquet":
        from diffcompare.report.parquet import require_pyarrow

        require_pyarrow()


def _check_directory(out: str) -> None:
    """Refuse early, before minutes of work, what cannot be written to; the report itself checks again."""
    if not out:
        raise click.UsageError("--out '': is empty; name a directory")
    there = os.path.abspath(out)  # noqa: PTH100 (a null character is an error of its own)
    while not os.path.lexists(there):
        there = os.path.dirname(there)  # noqa: PTH120
    if not os.path.isdir(there):  # noqa: PTH112
        raise click.UsageError(f"--out {out!r}: a file is in the way; choose a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise click.UsageError(f"--out {out!r}: cannot be written; choose a directory that can be")


@contextmanager
def _blaming_names(variables: str | None) -> Iterator[list[str] | None]:
    """Give the names of --variables; what a formula says of them becomes one line."""
    try:
        yield None if variables is None else [name.strip() for name in variables.split(",")]
    except (TypeError, ValueError) as error:
        raise click.UsageError(f"--variables {shorten(repr(variables), 80)}: {error}") from None


def _points_to_check(at: Sequence[str], variables: Sequence[str] | None) -> list[float | list[float]]:
    """Read points for Python code: several coordinates are an array, one is a number, "3," an array of one."""
    texts = [text.strip().removesuffix(",") for text in at]
    if variables is not None:
        points = _read_points(texts, variables)
    else:
        points = []
        for text in texts:
            place = f"--at {shorten(repr(text), 80)}"
            if "=" in text:
                raise click.UsageError(f"{place}: names are those of a formula; add --formula EXPR, or write 1,2,3")
            points.append(tuple(_read_number(place, part.strip()) for part in re.split("[,;]", text)))
    arrays = any(text.strip().endswith(",") for text in at)
    return [list(point) if arrays or len(point) > 1 else point[0] for point in points]


def _written(point: float | Sequence[float]) -> str:
    return repr(point) if isinstance(point, float) else ",".join(map(repr, point)) + "," * (len(point) == 1)


def _read_points(at: Sequence[str], variables: Sequence[str]) -> list[tuple[float, ...]]:
    """Read the points; single assignments join until each variable has its coordinate."""
    points: list[tuple[float, ...]] = []
    pending: dict[str, float] = {}
    names = shorten(", ".join(variables), 80)
    for text in at:
        place = f"--at {shorten(repr(text), 80)}"
        parts = [part.strip() for part in re.split("[,;]", text.strip())]
        if not any("=" in part for part in parts):
            if len(parts) != len(variables):
                raise click.UsageError(
                    f"{place}: {len(parts)} coordinate(s) for {len(variables)} variable(s) {names}; "
                    "give one for each, and repeat --at for more points"
                )
            if pending:
                break
            points.append(tuple(_read_number(place, part) for part in parts))
            continue
        for part in parts:
            name, equals, number = (side.strip() for side in part.partition("="))
            if not equals:
                raise click.UsageError(f"{place}: {shorten(part, 40)!r} has no name; write all as name=value, or none")
            if name not in variables:
                close = get_close_matches(name, variables, n=1)
                remedy = f"did you mean {close[0]!r}?" if close else f"the variables are {names}"
                raise click.UsageError(f"{place}: unknown variable {shorten(name, 40)!r}; {remedy}")
            if name in pending:
                raise click.UsageError(f"{place}: {name!r} is given twice before the point is complete ({names})")
            pending[name] = _read_number(place, number)
            if len(pending) == len(variables):
                points.append(tuple(pending[v] for v in variables))
                pending = {}
    if pending:
        missing = [v for v in variables if v not in pending]
        raise click.UsageError(
            f"--at: the point with {shorten(', '.join(f'{k}={v!r}' for k, v in pending.items()), 80)} lacks "
            f"{shorten(', '.join(missing), 80)}; add --at {missing[0]}=VALUE"
        )
    return points


def _read_number(place: str, text: str) -> float:
    try:
        value = float(text) if "_" not in text else None
    except ValueError:
        value = None
    if value is None:
        raise click.UsageError(f"{place}: {shorten(text, 40)!r} is not a number; write a decimal such as 1.5 or 1e-3")
    if not math.isfinite(value):
        raise click.UsageError(f"{place}: {shorten(text, 40)!r} is not finite; give a finite number")
    return value


@contextmanager
def _workers(jobs: int) -> Iterator[Executor | None]:
    """Give an executor of that many processes, None for one; they end with the command, however it ends."""
    if jobs == 1:
        yield None
        return
    from multiprocessing import active_children

    from diffcompare.compare.parallel import own_processes

    executor = own_processes(jobs)
    try:
        yield executor
    except BaseException:
        for child in active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


# ---- output


def _progress(done: int, total: int, name: str) -> None:
    from diffcompare.report.wording import printable

    print(f"\r\x1b[K{done + 1}/{total} {printable(shorten(name, 60))}", end="", file=sys.stderr, flush=True)


def _counted(tables: Tables) -> str:
    from diffcompare.report.findings import verdict_counts
    from diffcompare.report.wording import plural

    failed = int((tables.functions["status"] == "failed").sum())
    counts = [f"{count} {verdict}" for verdict, count in verdict_counts(tables.summary)]
    counts += [f"{plural(failed, 'function')} failed"] if failed else []
    return f"{plural(len(tables.functions), 'function')}, {plural(len(tables.errors), 'row')}: {', '.join(counts)}"


def _exit_code(tables: Tables) -> int:
    outside = bool((tables.summary["verdict"].astype(str) == "outside-bound").any())
    return FINDING if outside or bool((tables.functions["status"] == "failed").any()) else DONE
