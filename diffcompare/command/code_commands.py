"""Commands that run code of the user's: ``check`` and ``derive``."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import nullcontext

import click

from diffcompare.command.options import (
    BAD_INPUT,
    DONE,
    FINDING,
    INCONCLUSIVE,
    SECONDS,
    check_output,
    check_report,
    code_beside,
    files,
    index_in,
    output_options,
    timeout_option,
)
from diffcompare.command.point_arguments import blaming_names, points_to_check, read_boxes

__all__ = ["check", "derive"]

# the statuses of a verdict, worst first: exit code and colour
_VERDICTS = {
    "wrong": (FINDING, "red"),
    "out-of-domain": (BAD_INPUT, "yellow"),
    "non-smooth": (FINDING, "yellow"),
    "inconclusive": (INCONCLUSIVE, "yellow"),
    "consistent": (DONE, "green"),
}


@click.command(short_help="Judge a derivative in Python code.")
@click.argument("function", metavar="MODULE:F", shell_complete=files)
@click.argument("gradient", metavar="[MODULE:GRAD]", required=False, shell_complete=files)
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
    type=SECONDS,
    help="That one verdict may take.  [default: 60]",
)
@click.option("--evaluations", metavar="N", type=int, help="The calls of F and GRAD that one verdict may take.")
@click.option("--out", metavar="DIR", shell_complete=files, help="Write a report there as well.")
@click.option("--verbose", is_flag=True, help="Print which rules were tried, and how long each took.")
@timeout_option
@output_options
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
    check_output(quiet, as_json)
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
        check_report(out)
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
    with code_beside(quiet or as_json), where as runs:
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
    index = None if out is None else index_in(out)
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


@click.command(short_help="Write the gradient of Python code.")
@click.argument("function", metavar="MODULE:F", shell_complete=files)
@click.option("--at", "at", metavar="POINT", required=True, help="1,2,3, or @point.npy …: where f is followed.")
@click.option(
    "--budget",
    metavar="SECONDS",
    type=SECONDS,
    help="That each check of the code may take.  [default: 60]",
)
@timeout_option
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
    with code_beside(True), where as runs:
        try:
            source = runs(derived, (function, given.point, BUDGET if budget is None else budget))
        except (TypeError, ValueError) as error:
            raise click.UsageError(f"--at {given}: {' '.join(str(error).split())}") from None
    click.echo(source, nl=False)
    return DONE
