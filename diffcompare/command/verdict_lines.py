"""A verdict on a terminal: its sentences, and the marked places in colours, in lines that fit."""

from __future__ import annotations

import shlex
from functools import partial, reduce

from rich.console import Console
from rich.text import Text

from diffcompare.command.terminal import fitted, say, terminal_width
from diffcompare.report.wording import printable, spelled
from diffcompare.verdict.underline import WIDTH, picture, visible
from diffcompare.verdict.verdict import Verdict, sentences

__all__ = ["show_verdict"]

_NARROWEST = 20
_REPEAT = "Repeat with:"
# what a library's user writes, and a command's
_OPTIONS = {
    "pass formula=": "pass --formula",
    "`guards=True`": "--guards",
    "`dc.check_jacobian`": "--jacobian",
    "`dc.check_hessian`": "--hessian",
    "`dc.derive(f, at)`": "`diffcompare derive`",
}
_STYLES = {"place": "dim", "f": "cyan", "gradient": "red"}


def show_verdict(console: Console, verdict: Verdict, colour: str, *, verbose: bool) -> None:
    """Print a verdict: its first line in colour, the marked places, the rest; ``verbose`` adds what was tried.

    On a terminal, or where COLUMNS says how wide one is, no line is wider.
    """
    first, *rest = (
        reduce(lambda text, words: text.replace(*words), _OPTIONS.items(), line) for line in sentences(verdict)
    )
    say(console, first, style=f"bold {colour}")
    if verdict.marks:
        written = partial(_written, encoding=console.encoding)
        say(console, "")
        for pieces in picture(verdict.marks, max(terminal_width() or WIDTH, _NARROWEST), written):
            console.print(Text.assemble(*((text, _STYLES.get(kind, "")) for kind, text in pieces)))
        say(console, "")
    for line in rest:
        _fill(console, line)
    if verbose:
        say(console, "Tried, with the seconds that each took:")
        for name, seconds, outcome in verdict.rungs:
            say(console, f"  {name:<10} {seconds:8.3f}  {outcome}")


def _fill(console: Console, line: str) -> None:
    """Print a line, broken where a terminal is narrower; a command stays one that can be copied."""
    command = line.removeprefix(_REPEAT)
    if command == line:
        say(console, line)
        return
    words = [_REPEAT, *map(shlex.quote, shlex.split(command))]
    for part in fitted(words, terminal_width(), end=" \\"):
        console.print(spelled(printable(part), console.encoding))


def _written(character: str, encoding: str) -> str:
    """Write a character of the user's code so that a terminal can show it."""
    return spelled(visible(character), encoding).encode(encoding, "backslashreplace").decode(encoding)
