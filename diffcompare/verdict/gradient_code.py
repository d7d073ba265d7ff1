"""The code of a gradient around its statements: imports, the signature, the docstring and what is returned."""

from __future__ import annotations

import builtins
import keyword
import textwrap
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, field

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.expression import Expression
from diffcompare.program.expression_reading import unread
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import WIDTH
from diffcompare.program.numpy_texts import NumpyTexts
from diffcompare.tracing.loops import Loop
from diffcompare.tracing.whole_calls import WholeCalls
from diffcompare.verdict.arguments import Structure
from diffcompare.verdict.code_names import CodeNames, item_text, quoted
from diffcompare.verdict.loop_statements import uses

__all__ = ["TOO_LONG", "Traced", "check_length", "pieces_in", "returned", "taken_names", "texts_for", "whole_function"]

# more lines are no code that is read
_LINES = 30
_LONGEST = 120
# operations of a function: what has more is not read either
_OPERATIONS = 500
TOO_LONG = (
    "the gradient takes {}: the function does too much one after the other to be read; write it with whole arrays "
    "instead of a loop, or derive the gradient of a part of it"
)


@dataclass(frozen=True, slots=True)
class Traced:
    """The nodes of a function: that of the number it returns, and those of its local variables; and its loops.

    Of local variables that are lists of what depends on the point ``lists`` has the shapes of what stands in them.
    """

    table: WholeCalls
    output: int
    local: dict[str, int]
    lists: dict[str, tuple[int, ...]]
    loops: Sequence[Loop] = field(default=())

    @property
    def build(self) -> ArrayBuilder:
        """The program."""
        return self.table.build


def check_length(build: ArrayBuilder, root: int, known: Container[int] = ()) -> None:
    """Refuse a node that is made of more operations on the variables than are read; what is known counts as none.

    Raises
    ------
    UnsupportedFunction
    """
    if sum(build.moving[k] for k in unread(build, root, known)) > _OPERATIONS:
        raise UnsupportedFunction(TOO_LONG.format(f"more than {_OPERATIONS} operations"))


def pieces_in(structure: Structure, names: CodeNames, write: Expressions) -> list[Expression]:
    """Return what the point consists of."""
    if structure.kind == "array":
        return [write.node("name", (), structure.shapes[0], names.variable)]
    found = []
    for key, shape in zip(structure.keys, structure.shapes, strict=True):
        found.append(write.node("item", (), shape, item_text(names.variable, key)))
    return found


def returned(structure: Structure, texts: Sequence[str]) -> list[str]:
    """Write the statement that returns an array of the structure of the point."""
    if structure.kind == "array":
        return [f"return {texts[0]}"]
    if structure.kind == "list":
        return [f"return [{', '.join(texts)}]"]
    if structure.kind == "tuple":
        return [f"return {', '.join(texts)}{',' * (len(texts) == 1)}"]
    entries = (f"{quoted(key)}: {text}" for key, text in zip(structure.keys, texts, strict=True))
    return [f"return {{{', '.join(entries)}}}"]


def texts_for(names: CodeNames, named: Collection[Expression]) -> NumpyTexts:
    """Return what writes expressions beside the function; ``named`` are the data."""
    sizes = {n for one in named if one.operation in ("name", "item") for n in one.shape if n > 2}
    return NumpyTexts(sizes, names.places, names.ends, names.numpy, names.special)


def taken_names(names: CodeNames, name: str) -> set[str]:
    """Return the names that mean something else."""
    return {*names.parameters, *names.used, *keyword.kwlist, *dir(builtins), names.numpy, "special", "scipy", name}


def whole_function(names: CodeNames, structure: Structure, name: str, lines: Sequence[str], *, special: bool) -> str:
    """Write the function around its statements.

    Raises
    ------
    UnsupportedFunction
        There are more of them than are read.
    """
    if len(lines) > _LINES or max(map(len, lines)) > _LONGEST:
        count = max(len(lines), sum(map(len, lines)) // WIDTH)
        raise UnsupportedFunction(TOO_LONG.format(f"{count} lines of code"))
    imports = ["import numpy as np" if names.numpy == "np" else "import numpy"]
    if special:
        imports.append("from scipy import special" if names.special == "special" else "import scipy.special")
    body = [*_docstring(names, structure, lines), *lines]
    indented = [f"    {line}".rstrip() for line in body]
    return "\n".join([*imports, "", "", f"def {name}({names.signature}):", *indented, ""])


def _docstring(names: CodeNames, structure: Structure, lines: Sequence[str]) -> list[str]:
    """Say what it is, and the shapes of what is used."""
    texts = [names.variable if structure.kind == "array" else item_text(names.variable, key) for key in structure.keys]
    shapes = dict(zip(texts, structure.shapes, strict=True))
    for text, array in names.arrays:
        if uses(lines, text):
            shapes.setdefault(text, array.shape)
    own = names.function.__name__
    words = ", ".join(f"{text} {shape}" if shape else f"{text} a number" for text, shape in shapes.items())
    title = "Gradient" if not own.isidentifier() else f"Gradient of {own}"
    whole = f'"""{title}; shapes: {words}."""'
    if len(whole) <= WIDTH:
        return [whole]
    # what is called how stays on one line with its shape
    words = ", ".join(f"{t} {s}".replace(" ", "\0") if s else f"{t}\0a\0number" for t, s in shapes.items())
    told = [line.replace("\0", " ") for line in textwrap.wrap(f"Shapes: {words}.", WIDTH)]
    return [f'"""{title}.', "", *told, '"""']
