"""A verdict on a terminal: its sentences, and the marked places in colours, in lines that fit."""

from __future__ import annotations

import shlex
import shutil
from functools import partial

from rich.console import Console
from rich.text import Text

from diffcompare.command.terminal import say
from diffcompare.report.wording import spelled
from diffcompare.verdict.underline import WIDTH, columns, picture, visible
from diffcompare.verdict.verdict import Verdict, sentences

__all__ = ["show_verdict"]

_NARROWEST = 20
_REPEAT = "Repeat with:"
_DERIVE = "`dc.derive(f, at)`", "`diffcompare derive`"
_STYLES = {"place": "dim", "f": "cyan", "gradient": "red"}


def show_verdict(console: Console, verdict: Verdict, colour: str, *, verbose: bool) -> None:
    """Print a verdict: its first line in colour, the marked places, the rest; ``verbose`` adds what was tried.

    On a terminal, or where COLUMNS says how wide one is, no line is wider.
    """
    width = shutil.get_terminal_size((0, 0)).columns
    first, *rest = (
        line.replace("pass formula=", "pass --formula").replace("`guards=True`", "--guards").replace(*_DERIVE)
        for line in sentences(verdict)
    )
    _fill(console, first, width, style=f"bold {colour}")
    if verdict.marks:
        written = partial(_written, encoding=console.encoding)
        say(console, "")
        for pieces in picture(verdict.marks, max(width or WIDTH, _NARROWEST), written):
            console.print(Text.assemble(*((text, _STYLES.get(kind, "")) for kind, text in pieces)))
        say(console, "")
    for line in rest:
        _fill(console, line, width)
    if verbose:
        say(console, "Tried, with the seconds that each took:")
        for name, seconds, outcome in verdict.rungs:
            _fill(console, f"  {name:<10} {seconds:8.3f}  {outcome}", width)


def _fill(console: Console, line: str, width: int, style: str | None = None) -> None:
    """Print a line, broken between words where a terminal is narrower; a command stays one that can be copied."""
    words = line.split(" ")
    if line.startswith(_REPEAT):
        words = [_REPEAT, *map(shlex.quote, shlex.split(line.removeprefix(_REPEAT)))]
    lines = [words[0]]
    for word in words[1:]:
        if width and columns(f"{lines[-1]} {word}") > width - 2 * (words[0] == _REPEAT):
            lines[-1] += " \\" * (words[0] == _REPEAT)
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    say(console, "\n".join(lines), style)


def _written(character: str, encoding: str) -> str:
    """Write a character of the user's code so that a terminal can show it."""
    return spelled(visible(character), encoding).encode(encoding, "backslashreplace").decode(encoding)
