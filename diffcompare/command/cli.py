"""The command line: ``diffcompare run``, ``compare``, ``check``, ``derive``, ``rank``, ``explain`` and ``completion``.

Only click is loaded to show the help; everything else when a command runs.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from diffcompare import __version__
from diffcompare.command.point_arguments import (
    CommandWithFormula,
    blaming_names,
    points_to_check,
    read_box,
    read_boxes,
    read_points,
)
from diffcompare.errors import DiffcompareError, ParseError, shorten

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from diffcompare.tables.schema import Tables

__all__ = ["main"]

DTYPES = ("float64", "float32", "float16")
DONE, FINDING, BAD_INPUT, INCONCLUSIVE, INTERRUPTED, UNREAD = 0, 1, 2, 3, 130, 141
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
    input, one line on stderr. 3: a check was inconclusive. 130: Ctrl-C. 141: whoever read the output wants no more of
    it, as of tools that the signal ends. There is never a traceback.
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
        sys.stdout.flush()
    except (BrokenPipeError, _Unread):
        # what is still to be written goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return UNREAD
    except click.UsageError as error:
        text = " ".join(error.format_message().split()).removesuffix(".")
        manual = "" if error.ctx is None else f"{error.ctx.command_path} --help"
        return _complain(text if manual in text else f"{text}; see {manual}")
    except click.ClickException as error:
        return _complain(" ".join(error.format_message().split()))
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__cause__ if isinstance(error, click.Abort) else error
        return cause.code if isinstance(cause, _Terminated) else INTERRUPTED
    except ParseError as error:
        return _complain(str(error))
    except DiffcompareError as error:
        return _complain(" ".join(str(error).splitlines()))
    except Exception as error:
        text = " ".join(str(error).split())
        _complain(f"unexpected {type(error).__name__}: {shorten(text)}; please report the command that led to it")
        return FINDING
    return code if isinstance(code, int) else DONE


class _Unread(Exception):  # noqa: N818 (what happened)
    """Whoever read the output wants no more of it."""


class _Commands(click.Group):
    """Commands that say when nobody reads their output: click itself leaves with the code of a failure."""

    def make_context(self, *arguments: Any, **keywords: Any) -> click.Context:
        """As click, which prints the help here."""
        with _read_or_unread():
            return super().make_context(*arguments, **keywords)

    def invoke(self, ctx: click.Context) -> Any:
        """As click."""
        with _read_or_unread():
            return super().invoke(ctx)


@contextmanager
def _read_or_unread() -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, SystemExit) as error:
        # rich leaves by SystemExit
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        raise _Unread from None


class _Terminated(KeyboardInterrupt):
    """A signal wants the process to end: as Ctrl-C, no code of the user's may hold it up."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def _terminate(number: int, _: FrameType | None) -> NoReturn:
    raise _Terminated(128 + number)


def _complain(message: str) -> int:
    from diffcompare.report.wording import printable

    print(f"diffcompare: {printable(message)}", file=sys.stderr)
    return BAD_INPUT


def _output_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add what every command that computes can print instead of its text."""
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")(command)
    return click.option("--quiet", is_flag=True, help="Print nothing but errors.")(command)


def _check_output(quiet: bool, as_json: bool) -> None:
    if quiet and as_json:
        raise click.UsageError("--quiet, --json: one prints nothing, the other a document; choose one")


def _files(_: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(incomplete, type="dir" if parameter.name == "out" else "file")]


@click.group(cls=_Commands, invoke_without_command=True)
@click.version_option(__version__)
@click.pass_context
def diffcompare(context: click.Context) -> None:
    """Compare numeric derivatives with certified ones.

    Exit codes: 0 done, 1 an error is outside its bound, a function could
    not be evaluated or a gradient is wrong, 2 bad input, 3 a check was
    inconclusive, 130 interrupted, 141 the output was not read to its end.
    """
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


_timeout_option = click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="For the Python code of one function, or of one point to check.  [default: no limit]",
)


@diffcompare.command(short_help="Run a study file and write its report.")
@click.argument("study", metavar="STUDY.toml", shell_complete=_files)
@click.option("--out", metavar="DIR", shell_complete=_files, help="Directory of the report.  [default: STUDY-report]")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes to work in.  [default: 1]")
@click.option("--dask", metavar="ADDRESS", help="Work on the machines of this scheduler, as tcp://host:8786.")
@click.option("--allow-python", is_flag=True, help="Run the Python code that the study file names.")
@click.option("--no-limit", is_flag=True, help="Run a study however large its report will be.")
@_timeout_option
@_format_option
@_output_options
@click.option(
    "--pages",
    type=click.Choice(["auto", "all", "none"]),
    default="auto",
    help="A page for all functions, or above 200 only for those outside their bounds; or none, and with --format "
    "parquet errors that may be larger than memory, in parts.  [default: auto]",
)
@click.option("--resume", is_flag=True, help="With --pages none: go on where a run was ended, with the parts in DIR.")
def run(
    study: str,
    out: str | None,
    jobs: int,
    dask: str | None,
    allow_python: bool,
    no_limit: bool,
    timeout: float | None,
    pages: Literal["auto", "all", "none"],
    resume: bool,
    table_format: Literal["csv", "parquet"],
    quiet: bool,
    as_json: bool,
) -> int:
    """Run a study file and write its report: CSV files and HTML pages."""
    _check_output(quiet, as_json)
    if dask is not None and jobs > 1:
        raise click.UsageError("--jobs, --dask: work goes to processes here, or to a scheduler; choose one")
    if resume and pages != "none":
        raise click.UsageError("--resume: goes on with parts; add --format parquet --pages none")
    if pages == "none" and (table_format != "parquet" or as_json):
        raise click.UsageError(
            "--pages none: writes the tables in Parquet files alone; "
            + ("leave out --json" if as_json else "add --format parquet")
        )
    if out is None:
        out = os.path.splitext(os.path.basename(study))[0] + "-report"  # noqa: PTH119, PTH122
    _check_report(out, table_format)
    from diffcompare.command import terminal
    from diffcompare.command.code_process import CodeProcess
    from diffcompare.report.page import write_report
    from diffcompare.studies.study import Interrupted, run_study
    from diffcompare.sweeps.parallel import dask_workers, workers

    index = _index(out)
    code = CodeProcess(timeout, quiet=quiet or as_json) if allow_python else nullcontext()
    crew = workers(jobs) if dask is None else dask_workers(dask)
    interrupted = ""
    rows = None
    with terminal.progress(wanted=not quiet) as advance:
        try:
            with code as runs, crew as executor:
                if pages == "none":
                    index = out
                    tables, rows = _stream(study, out, allow_python, advance, executor, runs, not no_limit, resume)
                else:
                    tables = run_study(study, allow_python, advance, executor, runs, not no_limit)
                    write_report(tables, out, pages=pages, format=table_format, executor=executor)
        except Interrupted as error:
            tables, interrupted = error.tables, f"{error}; the report has what is done: {index}"
            if pages != "none":
                write_report(tables, out, pages=pages, format=table_format)
        except KeyboardInterrupt as error:
            if pages != "none" or type(error) is not KeyboardInterrupt:
                raise
            interrupted = f"interrupted; what is done stays in {out}, and --resume goes on with it"
    if interrupted:
        _complain(interrupted)
        return INTERRUPTED
    if as_json:
        from diffcompare.command.json_output import study_document

        click.echo(study_document(tables, index))
    elif quiet:
        for row in tables.functions[tables.functions["status"] == "failed"].to_dict("records"):
            _complain(f"{shorten(row['function'], 80)} could not be evaluated: {row['message']}")
    else:
        terminal.show_study(terminal.console(), tables, index, rows)
    return _exit_code(tables)


def _stream(
    path: str,
    out: str,
    allow_python: bool,
    advance: Callable[[int, int, str], None] | None,
    executor: Executor | None,
    runs: Callable[[Callable[[Any], Any], Any], Any] | None,
    limit: bool,
    resume: bool,
) -> tuple[Tables, int]:
    """Write a study in parts; one run at a time in a directory."""
    from pathlib import Path

    from diffcompare.report.staging import held
    from diffcompare.studies.streaming import stream_study
    from diffcompare.studies.study import code_loader, read_study

    study = read_study(path, allow_python=allow_python, limit=limit)
    load = code_loader(path, runs) if allow_python else None
    if study.descents:
        _complain("--pages none: runs no [[descent]] of the study; without it they are in descent.csv")
    # what cannot be made is refused below
    with suppress(OSError):
        Path(out).mkdir(parents=True, exist_ok=True)
    with held(Path(out)):
        return stream_study(study, Path(out), load=load, progress=advance, executor=executor, resume=resume)


def _schemes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from diffcompare.numeric.stencils import COMPLEX_STEP, DEFAULT_SCHEMES

    return [name for name in (*DEFAULT_SCHEMES, "central4", "central6", COMPLEX_STEP) if name.startswith(incomplete)]


@diffcompare.command(cls=CommandWithFormula, short_help="Show the errors of differences of a formula.")
@click.argument("formula", metavar="EXPR")
@click.option("--at", "at", metavar="POINT", multiple=True, required=True, help="3,4 or x0=3,x1=4; repeat it for more.")
@click.option("--variables", metavar="NAMES", help="The arguments in order, as x0,x1.  [default: those that occur]")
@click.option(
    "--scheme",
    "schemes",
    multiple=True,
    metavar="NAME",
    shell_complete=_schemes,
    help="forward, central4, [0,1,3] …; repeatable.  [default: the three]",
)
@click.option("--derivative", metavar="N", type=int, default=1, help="The order of the derivative.  [default: 1]")
@click.option(
    "--dtype", type=click.Choice(DTYPES), default="float64", help="What f is computed in.  [default: float64]"
)
@click.option("--box", metavar="LOWER,UPPER", help="Where stencils may reach, as 0,inf: one-sided near its sides.")
@click.option("--out", metavar="DIR", shell_complete=_files, help="Write a report there as well.")
@_format_option
@_output_options
def compare(
    formula: str,
    at: Sequence[str],
    variables: str | None,
    schemes: Sequence[str],
    derivative: int,
    dtype: str,
    box: str | None,
    out: str | None,
    table_format: Literal["csv", "parquet"],
    quiet: bool,
    as_json: bool,
) -> int:
    """Compare the derivatives of one formula at one or more points.

    \b
    diffcompare compare "exp(x)/(1 + x**2)" --at x=1.5
    diffcompare compare "-x0**2 + x1**2" --at 3,4 --at -1,2
    """  # noqa: D301
    _check_output(quiet, as_json)
    if out is not None:
        _check_report(out, table_format)
    from diffcompare.numeric.stencils import COMPLEX_STEP, DEFAULT_SCHEMES, stencil

    for scheme in schemes or DEFAULT_SCHEMES:
        try:
            if scheme != COMPLEX_STEP or derivative != 1:
                stencil(scheme, derivative)
            elif dtype != "float64":
                raise ValueError(f'--dtype {dtype}: scheme="complex" is computed in float64; leave out one of them')
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    from diffcompare.command import terminal
    from diffcompare.studies.study import evaluate, make_entry
    from diffcompare.studies.study_file import Study

    with blaming_names(variables) as names:
        entry = make_entry(
            formula,
            lambda f: read_points(at, f.variables),
            variables=names,
            schemes=schemes or DEFAULT_SCHEMES,
            derivative=derivative,
            dtype=dtype,
            box=None if box is None else read_box(box),
        )
    tables = evaluate(Study(shorten(formula, 80), dtype, (entry,)))
    row = tables.functions.iloc[0]
    if row["status"] == "failed":
        _complain(f"{shorten(formula, 80)} could not be evaluated: {row['message']}")
        return FINDING
    if out is not None:
        from diffcompare.report.page import write_report

        write_report(tables, out, format=table_format)
    index = None if out is None else _index(out)
    if as_json:
        from diffcompare.command.json_output import comparison_document

        click.echo(comparison_document(tables, formula, entry.variables, index))
    elif not quiet:
        terminal.show(terminal.console(), formula, entry.variables, tables, index)
    return _exit_code(tables)


@diffcompare.command(short_help="Judge a derivative in Python code.")
@click.argument("function", metavar="MODULE:F", shell_complete=_files)
@click.argument("gradient", metavar="[MODULE:GRAD]", required=False, shell_complete=_files)
@click.option("--value-and-gradient", "both", is_flag=True, help="F returns (value, gradient); there is no GRAD.")
@click.option("--jacobian", is_flag=True, help="F returns an array; GRAD is its Jacobian.")
@click.option("--hessian", is_flag=True, help="GRAD is the Hessian of F.")
@click.option(
    "--at",
    "at",
    metavar="POINT",
    multiple=True,
    required=True,
    help="1,2,3; or @point.npy, .csv, .json; or w=1,2 for one parameter of several. Repeat it for more.",
)
@click.option(
    "--box",
    "boxes",
    metavar="LOWER,UPPER",
    multiple=True,
    help="Nothing is evaluated outside; repeat it for each variable.",
)
@click.option(
    "--formula",
    "formulas",
    metavar="EXPR",
    multiple=True,
    help="What the function claims to be; with --jacobian repeat it for each output.",
)
@click.option("--variables", metavar="NAMES", help="The variables of the formula in order, as x0,x1.")
@click.option("--guards", is_flag=True, help="Judge F without constants such as in log(p + 1e-7) that GRAD ignores.")
@click.option(
    "--budget",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="That one verdict may take.  [default: 60]",
)
@click.option("--evaluations", metavar="N", type=int, help="The calls of F and GRAD that one verdict may take.")
@click.option("--out", metavar="DIR", shell_complete=_files, help="Write a report there as well.")
@click.option("--verbose", is_flag=True, help="Print which rules were tried, and how long each took.")
@_timeout_option
@_output_options
def check(
    function: str,
    gradient: str | None,
    both: bool,
    jacobian: bool,
    hessian: bool,
    at: Sequence[str],
    boxes: Sequence[str],
    formulas: Sequence[str],
    variables: str | None,
    guards: bool,
    budget: float | None,
    evaluations: int | None,
    out: str | None,
    verbose: bool,
    timeout: float | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Judge whether a derivative in Python code is right; this runs the code.

    MODULE is a name that can be imported from here, or the path of a .py
    file. The functions are given an array of the numbers, or the number
    where there is one alone; write 3, for an array of one number. Named
    parameters go in by their names, or as a dict where GRAD has others.

    \b
    diffcompare check model:loss model:gradient --at 1,2,3
    diffcompare check m.py:f m.py:df --at 3 --formula "x**2"
    diffcompare check model:loss model:gradient --at @x.npy
    diffcompare check model:fun --value-and-gradient --at 1,2
    diffcompare check model:f model:grad --at w=1,2 --at b=3
    diffcompare check m:residuals m:jac --jacobian --at 1,2
    diffcompare check model:loss model:grad --at 1,2 --box 0,9

    Exit codes: 0 consistent, 1 wrong or non-smooth, 2 bad input or outside
    the domain, 3 inconclusive, 130 interrupted.
    """  # noqa: D301
    _check_output(quiet, as_json)
    if verbose and (quiet or as_json):
        raise click.UsageError("--verbose: adds to the text that --quiet and --json leave out; choose one")
    chosen = {"--value-and-gradient": both, "--jacobian": jacobian, "--hessian": hessian}
    what = [option for option, given in chosen.items() if given]
    if len(what) > 1:
        raise click.UsageError(f"{' and '.join(what)}: one derivative is judged at a time; choose one")
    kind = "jacobian" if jacobian else "hessian" if hessian else "gradient"
    if kind != "gradient" and gradient is None:
        raise click.UsageError(f"--{kind}: MODULE:GRAD is missing; name the function that returns the matrix")
    if both is (gradient is not None):
        raise click.UsageError(
            "--value-and-gradient: MODULE:F returns the gradient too; leave out MODULE:GRAD"
            if both
            else "MODULE:GRAD is missing; name the gradient, or add --value-and-gradient where MODULE:F returns both"
        )
    if out is not None:
        _check_report(out)
    from dataclasses import replace

    from diffcompare.command import code_check, terminal
    from diffcompare.command.code_process import CodeProcess
    from diffcompare.command.verdict_lines import show_verdict
    from diffcompare.studies.user_code import without_place
    from diffcompare.symbolic.parse import parse
    from diffcompare.watchdog import BUDGET

    budget = BUDGET if budget is None else budget
    if len(formulas) > 1 and not jacobian:
        words = "a function of one number has one; add --jacobian where it returns an array"
        raise click.UsageError(f"--formula is given {len(formulas)} times: {words}")
    if not formulas and variables is not None:
        raise click.UsageError("--variables: names the variables of a formula; add --formula EXPR")
    with blaming_names(variables) as names:
        known = parse(formulas if len(formulas) > 1 else formulas[0], variables=names) if formulas else None
    repeat = ["diffcompare", "check", without_place(function)]
    repeat += ["--value-and-gradient"] if gradient is None else [without_place(gradient)]
    repeat += [f"--{kind}"] * (kind != "gradient")
    repeat += [f"--formula={formula}" for formula in formulas]
    repeat += [] if variables is None else [f"--variables={variables}"]
    repeat += ["--guards"] * guards + [f"--budget={budget:g}"] * (budget != BUDGET)
    repeat += [f"--evaluations={evaluations}"] * (evaluations is not None)
    repeat += [f"--box={box}" for box in boxes]
    code = code_check.CodeCheck(function, gradient, known, kind, guards, budget, evaluations, read_boxes(boxes))
    judged = []
    # without a limit of time the code runs here
    where = nullcontext(code_check.here) if timeout is None else CodeProcess(timeout, quiet=quiet or as_json)
    with _code_beside(quiet or as_json), where as runs:
        for given in points_to_check(at, code_check.variables(code, runs)):
            try:
                verdict = code_check.judge(code, given.point, runs)
            except (TypeError, ValueError) as error:
                raise click.UsageError(f"--at {given}: {' '.join(str(error).split())}") from None
            again = shlex.join([*repeat, *(f"--at={text}" for text in given.texts)])
            judged.append((given, replace(verdict, snippet=again)))
    if out is not None:
        from diffcompare.report.page import write_report

        write_report([verdict for _, verdict in judged], out)
    index = None if out is None else _index(out)
    worst = next(status for status in _VERDICTS if status in {verdict.status for _, verdict in judged})
    if as_json:
        from diffcompare.command.json_output import verdict_document

        click.echo(verdict_document([(str(given), verdict) for given, verdict in judged], worst, index))
    elif not quiet:
        screen = terminal.console()
        for given, verdict in judged:
            if len(judged) > 1:
                terminal.say(screen, f"at {given}", style="bold")
            show_verdict(screen, verdict, _VERDICTS[verdict.status][1], verbose=verbose)
            if len(judged) > 1:
                terminal.say(screen, "")
        if index is not None:
            terminal.say(screen, f"report: {index}")
    return _VERDICTS[worst][0]


@diffcompare.command(short_help="Write the gradient of Python code.")
@click.argument("function", metavar="MODULE:F", shell_complete=_files)
@click.option("--at", "at", metavar="POINT", required=True, help="1,2,3, or @point.npy …: where f is followed.")
@click.option(
    "--budget",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="That each check of the code may take.  [default: 60]",
)
@_timeout_option
def derive(function: str, at: str, budget: float | None, timeout: float | None) -> int:
    """Write the gradient of a function as NumPy code; this runs the function.

    MODULE is a name that can be imported from here, or the path of a .py
    file. The code uses the names of the function's module, so it stands
    beside the function. It was checked; what can't be read is refused.

    \b
    diffcompare derive model:loss --at 1,2,3
    diffcompare derive book.py:f --at 3 > gradient.py
    """  # noqa: D301
    from diffcompare.command.code_check import here
    from diffcompare.command.code_derive import derived
    from diffcompare.command.code_process import CodeProcess
    from diffcompare.watchdog import BUDGET

    (given,) = points_to_check([at], None)
    # without a limit of time the code runs here
    where = nullcontext(here) if timeout is None else CodeProcess(timeout, quiet=True)
    # what the user's code prints does not belong to the source
    with _code_beside(True), where as runs:
        try:
            source = runs(derived, (function, given.point, BUDGET if budget is None else budget))
        except (TypeError, ValueError) as error:
            raise click.UsageError(f"--at {given}: {' '.join(str(error).split())}") from None
    click.echo(source, nl=False)
    return DONE


def _words(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from diffcompare.report.theory import WORDS

    return [word for words in WORDS.values() for word in words if word.startswith(incomplete)]


@diffcompare.command(short_help="Rank differentiators by certified derivatives.")
@click.option("--gradients", is_flag=True, help="Rank gradients of functions of several variables.")
@click.option("--out", metavar="DIR", shell_complete=_files, help="Write a report there as well.")
@_output_options
def rank(gradients: bool, out: str | None, quiet: bool, as_json: bool) -> int:
    """Rank differentiators by functions whose derivatives are certified.

    Those of SciPy, numdifftools and jacobi take part where they are
    installed. Deterministic, and done in seconds.
    """
    _check_output(quiet, as_json)
    if out is not None:
        _check_report(out)
    from diffcompare import ranking
    from diffcompare.adapters.differentiators import installed
    from diffcompare.command import terminal

    differentiators, missing = installed(gradients=gradients)
    table = ranking.rank(differentiators, gradients=gradients)
    scores = ranking.scores(table)
    index = None if out is None else _index(out)
    if out is not None:
        from diffcompare.report.ranking_page import write_ranking

        write_ranking(table, scores, out, missing=missing)
    if as_json:
        from diffcompare.command.json_output import ranking_document

        click.echo(ranking_document(scores, missing, index))
    elif not quiet:
        terminal.show_ranking(terminal.console(), scores, missing, index)
    return DONE


@diffcompare.command(short_help="Explain a column, status, verdict or rule.")
@click.argument("words", metavar="[WORD]", nargs=-1, shell_complete=_words)
def explain(words: Sequence[str]) -> int:
    """Explain a column, status, verdict, scheme, step rule or mark of a chart; without WORD, list all.

    \b
    diffcompare explain truncation
    diffcompare explain h-underflow
    """  # noqa: D301
    import shutil

    from diffcompare.report.theory import WIDTH, close_words, explanation, word_list
    from diffcompare.report.wording import spelled

    word = " ".join(words)
    width = min(WIDTH, shutil.get_terminal_size().columns)
    text = explanation(word, width=width) if words else word_list(width=width)
    if text is None:
        close = close_words(word)
        remedy = f"did you mean {' or '.join(map(repr, close))}?" if close else "diffcompare explain lists the words"
        raise click.UsageError(f"explain {shorten(word, 40)!r}: unknown word; {remedy}")
    click.echo(spelled(text, sys.stdout.encoding))
    return DONE


@diffcompare.command(short_help="Print a script for the shell to complete.")
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> int:
    """Print the script that lets a shell complete commands, options and words.

    \b
    ~/.bashrc:    eval "$(diffcompare completion bash)"
    ~/.zshrc:     eval "$(diffcompare completion zsh)"
    config.fish:  diffcompare completion fish | source
    """  # noqa: D301
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the three that click has
    # the plain source: click's own for bash starts a bash to learn its version
    click.echo(ShellComplete.source(kind(diffcompare, {}, "diffcompare", "_DIFFCOMPARE_COMPLETE")))
    return DONE


# ---- input


def _check_report(out: str, table_format: str = "csv") -> None:
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


# ---- output


def _index(out: str) -> str:
    return os.path.join(out, "index.html")  # noqa: PTH118 (as it was given)


def _code_beside(wanted: bool) -> AbstractContextManager[object]:
    """Send what code of the user's prints to stderr: it is no part of a JSON document, or of nothing."""
    return redirect_stdout(sys.stderr) if wanted else nullcontext()


def _exit_code(tables: Tables) -> int:
    outside = bool((tables.summary["verdict"].astype(str) == "outside-bound").any())
    return FINDING if outside or bool((tables.functions["status"] == "failed").any()) else DONE
