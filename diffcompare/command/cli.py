"""The command line: ``diffcompare run``, ``compare``, ``check``, ``derive``, ``rank``, ``explain`` and ``completion``.

Only click is loaded to show the help; everything else when a command runs.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click
from click.shell_completion import ShellComplete, get_completion_class

from diffcompare import __version__
from diffcompare.command.code_commands import check, derive
from diffcompare.command.options import DONE, FINDING, INTERRUPTED, UNREAD, complain
from diffcompare.command.table_commands import compare, rank, run
from diffcompare.errors import DiffcompareError, ParseError, shorten

__all__ = ["main"]


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
        return complain(text if manual in text else f"{text}; see {manual}")
    except click.ClickException as error:
        return complain(" ".join(error.format_message().split()))
    except (click.Abort, KeyboardInterrupt) as error:
        cause = error.__cause__ if isinstance(error, click.Abort) else error
        return cause.code if isinstance(cause, _Terminated) else INTERRUPTED
    except ParseError as error:
        return complain(str(error))
    except DiffcompareError as error:
        return complain(" ".join(str(error).splitlines()))
    except Exception as error:
        text = " ".join(str(error).split())
        complain(f"unexpected {type(error).__name__}: {shorten(text)}; please report the command that led to it")
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


def _words(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from diffcompare.report.theory import WORDS

    return [word for words in WORDS.values() for word in words if word.startswith(incomplete)]


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


for _command in (run, compare, check, derive, rank):
    diffcompare.add_command(_command)
