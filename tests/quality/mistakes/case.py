"""A function with its gradient as source text, and edits of the gradient that make it wrong.

The text is that of a module which defines ``f``, ``gradient`` and the point ``at``; ``np`` and a seeded ``rng`` are
there. A bug is an edit ``old -> new`` of the one place where ``old`` stands.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from .families import FAMILIES

__all__ = ["Bug", "Case", "Edit", "case", "load"]

_HEAD = "import numpy as np\n\nrng = np.random.default_rng(7)\n"


@dataclass(frozen=True, slots=True)
class Bug:
    """An edit of a gradient.

    ``also`` is a pattern of what may be said of it beside the words of its family; ``number`` must be said, it or its
    inverse; ``place`` is the part of ``new`` that is the mistake, where it is not all that differs.
    """

    family: str
    old: str
    new: str
    also: str = ""
    number: float | None = None
    place: str = ""

    def __post_init__(self) -> None:
        assert self.family in FAMILIES, self.family


@dataclass(frozen=True, slots=True)
class Case:
    """A right gradient and its bugs; ``gradient`` may be a ``jacobian`` or a ``hessian``, too."""

    name: str
    text: str
    bugs: tuple[Bug, ...]
    what: str = "gradient"

    def __str__(self) -> str:
        return self.name

    @property
    def right(self) -> str:
        """The source as it should be."""
        return _HEAD + self.text

    def _is_undone(self, text: str, low: int, high: int, gone: int) -> bool:
        """Tell whether the right text is this one without a part, or with as many letters more as are gone there."""
        right = self.right
        if low < 0 or (high > low and gone):
            return False
        return text[:low] == right[:low] and text[high:] == right[low + gone :]

    def edit(self, bug: Bug) -> Edit:
        """Plant a bug."""
        assert self.right.count(bug.old) == 1, f"{self.name}: {self.right.count(bug.old)} times {bug.old!r}"
        start = self.right.index(bug.old)
        text = self.right.replace(bug.old, bug.new)
        if bug.place:
            assert bug.new.count(bug.place) == 1, f"{self.name}: {bug.place!r} in {bug.new!r}"
            low = start + bug.new.index(bug.place)
            return Edit(text, ((low, low + len(bug.place)),))
        low, high = (start + place for place in _difference(bug.old, bug.new))
        gone = high - low + len(bug.old) - len(bug.new)
        # what was only put in, or left out, may stand at several places: of r * t * e it is "t *" or "* t"
        width = max(high - low, gone)
        shifts = [k for k in range(-width, width + 1) if self._is_undone(text, low + k, high + k, gone)] or [0]
        places = [_whole_words(text, low + k, high + k) for k in shifts]
        if low == high and "\n" in self.right[low : low + gone]:
            # a line that is gone is missing after the one before, too
            before = len(text[:low].rstrip())
            places.append((before, before))
        return Edit(text, tuple(dict.fromkeys(places)))


@dataclass(frozen=True, slots=True)
class Edit:
    """The source with the bug, and from where to where the new text may reach: nowhere if something was deleted."""

    text: str
    places: tuple[tuple[int, int], ...]

    def statement(self, first: int, last: int) -> tuple[int, int]:
        """From where to where the innermost statement around a place reaches; of a loop or a branch its first line."""
        around = (0, len(self.text))
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.stmt):
                low = self.offset(node.lineno, node.col_offset)
                high = self.offset(node.end_lineno or 0, node.end_col_offset or 0)
                if body := getattr(node, "body", None):
                    high = self.offset(body[0].lineno, 0)
                if low <= first and last <= high and high - low <= around[1] - around[0]:
                    around = low, high
        return around

    def offset(self, line: int, column: int) -> int:
        """The place in the text of a line, counted from 1, and a column, counted from 0."""
        lines = self.text.splitlines(keepends=True)
        return sum(map(len, lines[: line - 1])) + column

    def is_marked_by(self, low: int, high: int) -> bool:
        """Tell whether a mark lies within the statement and contains the edit.

        It need only touch a place where something was deleted, and an operator whose operand it is.
        """
        return any(self._holds(low, high, *place) for place in self.places)

    def _holds(self, low: int, high: int, begin: int, end: int) -> bool:
        first, last = self.statement(begin, end)
        if not first <= low <= high <= last:
            return False
        if self.text[begin:end].strip("+-*/=@ "):
            return low <= begin and end <= high
        before, after = self.text[:begin].rstrip(" )"), self.text[end:]
        return low <= end + len(after) - len(after.lstrip(" (")) and len(before) <= high


def _difference(old: str, new: str) -> tuple[int, int]:
    """From where to where the new text differs from the old one."""
    shorter = min(len(old), len(new))
    low = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    end = next((i for i in range(shorter - low) if old[-1 - i] != new[-1 - i]), shorter - low)
    return low, len(new) - end


def _whole_words(text: str, low: int, high: int) -> tuple[int, int]:
    """Widen a place to whole names, numbers and ``+=``, and leave out blanks and parentheses around it."""
    if low == high:
        low = high = low + len(text[low:]) - len(text[low:].lstrip(" "))
    while low < high and text[low] in " (\n":
        low += 1
    while low < high and text[high - 1] in " )\n":
        high -= 1
    high += text[high] == "="
    # of a.T.ravel() each part is a word
    while re.fullmatch(r"\w\w|\d\.|\.\d", text[low - 1 : low + 1]):
        low -= 1
    while re.fullmatch(r"\w\w|\d\.|\.\d", text[high - 1 : high + 1]):
        high += 1
    return low, high


def case(name: str, text: str, *bugs: Bug, what: str = "gradient") -> Case:
    """Return a case; each edit applies at one place, and the result can be parsed."""
    return Case(name, text.lstrip("\n"), bugs, what)


def load(text: str, folder: Path, name: str) -> ModuleType:
    """Import a source text from a file of its own, whose lines can be shown."""
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
