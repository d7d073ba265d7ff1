"""Commands that make tables: ``run``, ``compare`` and ``rank``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Literal

import click

from diffcompare.command.options import (
    DONE,
    DTYPES,
    FINDING,
    INTERRUPTED,
    check_output,
    check_report,
    complain,
    files,
    format_option,
    index_in,
    output_options,
    timeout_option,
)
from diffcompare.command.point_arguments import CommandWithFormula, blaming_names, read_box, read_points
from diffcompare.errors import shorten

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from diffcompare.tables.schema import Tables

__all__ = ["compare", "rank", "run"]


@click.command(short_help="Run a study file and write its report.")
@click.argument("study", metavar="STUDY.toml", shell_complete=files)
@click.option("--out", metavar="DIR", shell_complete=files, help="Directory of the report.  [default: STUDY-report]")
@click.option("--jobs", metavar="N", type=click.IntRange(1), default=1, help="Processes to work in.  [default: 1]")
@click.option("--dask", metavar="ADDRESS", help="Work on the machines of this scheduler, as tcp://host:8786.")
@click.option("--allow-python", is_flag=True, help="Run the Python code that the study file names.")
@click.option("--no-limit", is_flag=True, help="Run a study however large its report will be.")
@timeout_option
@format_option
@output_options
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
    check_output(quiet, as_json)
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
    check_report(out, table_format)
    from diffcompare.sweeps.parallel import dask_workers, workers

    index = index_in(out) if pages != "none" else out
    interrupted = ""
    rows = None
    try:
        with workers(jobs, _load) if dask is None else dask_workers(dask) as executor:
            from diffcompare.command import terminal
            from diffcompare.command.code_process import CodeProcess
            from diffcompare.report.page import write_report
            from diffcompare.studies.study import run_study

            code = CodeProcess(timeout, quiet=quiet or as_json) if allow_python else nullcontext()
            with terminal.progress(wanted=not quiet) as advance, code as runs:
                if pages == "none":
                    tables, rows = _stream(study, out, allow_python, advance, executor, runs, not no_limit, resume)
                else:
                    tables = run_study(study, allow_python, advance, executor, runs, not no_limit)
                    write_report(tables, out, pages=pages, format=table_format, executor=executor)
    except KeyboardInterrupt as error:
        from diffcompare.studies.study import Interrupted

        if isinstance(error, Interrupted):
            tables, interrupted = error.tables, f"{error}; the report has what is done: {index}"
            if pages != "none":
                write_report(tables, out, pages=pages, format=table_format)
        elif pages == "none" and type(error) is KeyboardInterrupt:
            interrupted = f"interrupted; what is done stays in {out}, and --resume goes on with it"
        else:
            raise
    if interrupted:
        complain(interrupted)
        return INTERRUPTED
    if as_json:
        from diffcompare.command.json_output import study_document

        click.echo(study_document(tables, index))
    elif quiet:
        for row in tables.functions[tables.functions["status"] == "failed"].to_dict("records"):
            complain(f"{shorten(row['function'], 80)} could not be evaluated: {row['message']}")
    else:
        terminal.show_study(terminal.console(), tables, index, rows)
    return _exit_code(tables)


def _load() -> None:
    """Load in a worker what it will need."""
    import diffcompare.report.page
    import diffcompare.studies.study  # noqa: F401


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
        complain("--pages none: runs no [[descent]] of the study; without it they are in descent.csv")
    # what cannot be made is refused below
    with suppress(OSError):
        Path(out).mkdir(parents=True, exist_ok=True)
    with held(Path(out)):
        return stream_study(study, Path(out), load=load, progress=advance, executor=executor, resume=resume)


def _schemes(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from diffcompare.numeric.stencils import COMPLEX_STEP, DEFAULT_SCHEMES

    return [name for name in (*DEFAULT_SCHEMES, "central4", "central6", COMPLEX_STEP) if name.startswith(incomplete)]


@click.command(cls=CommandWithFormula, short_help="Show the errors of differences of a formula.")
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
@click.option("--out", metavar="DIR", shell_complete=files, help="Write a report there as well.")
@format_option
@output_options
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
    check_output(quiet, as_json)
    if out is not None:
        check_report(out, table_format)
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
        complain(f"{shorten(formula, 80)} could not be evaluated: {row['message']}")
        return FINDING
    if out is not None:
        from diffcompare.report.page import write_report

        write_report(tables, out, format=table_format)
    index = None if out is None else index_in(out)
    if as_json:
        from diffcompare.command.json_output import comparison_document

        click.echo(comparison_document(tables, formula, entry.variables, index))
    elif not quiet:
        terminal.show(terminal.console(), formula, entry.variables, tables, index)
    return _exit_code(tables)


@click.command(short_help="Rank differentiators by certified derivatives.")
@click.option("--gradients", is_flag=True, help="Rank gradients of functions of several variables.")
@click.option("--out", metavar="DIR", shell_complete=files, help="Write a report there as well.")
@output_options
def rank(gradients: bool, out: str | None, quiet: bool, as_json: bool) -> int:
    """Rank differentiators by functions whose derivatives are certified.

    Those of SciPy, numdifftools and jacobi take part where they are
    installed. Deterministic, and done in seconds.
    """
    check_output(quiet, as_json)
    if out is not None:
        check_report(out)
    from diffcompare import ranking
    from diffcompare.adapters.differentiators import installed
    from diffcompare.command import terminal

    differentiators, missing = installed(gradients=gradients)
    table = ranking.rank(differentiators, gradients=gradients)
    scores = ranking.scores(table)
    index = None if out is None else index_in(out)
    if out is not None:
        from diffcompare.report.ranking_page import write_ranking

        write_ranking(table, scores, out, missing=missing)
    if as_json:
        from diffcompare.command.json_output import ranking_document

        click.echo(ranking_document(scores, missing, index))
    elif not quiet:
        terminal.show_ranking(terminal.console(), scores, missing, index)
    return DONE


def _exit_code(tables: Tables) -> int:
    outside = bool((tables.summary["verdict"].astype(str) == "outside-bound").any())
    return FINDING if outside or bool((tables.functions["status"] == "failed").any()) else DONE
