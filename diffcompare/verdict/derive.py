"""The gradient of a function, written as NumPy code and judged before it is shown."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.expression import Expression, operands_first
from diffcompare.program.expression_adjoint import gradients
from diffcompare.program.expression_reading import pieces_of, read_expressions
from diffcompare.program.expression_shapes import full
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import WIDTH, NumpyLines
from diffcompare.program.numpy_texts import NumpyTexts
from diffcompare.program.shared_parts import shared_products, with_probabilities
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.calling import called
from diffcompare.tracing.handle import Handle
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.places import is_library
from diffcompare.tracing.whole_calls import NamingRebuilder, WholeCalls
from diffcompare.verdict.arguments import Structure, structure_of
from diffcompare.verdict.check import check_arguments, check_gradient
from diffcompare.verdict.code_names import CodeNames, item_text, names_in, quoted
from diffcompare.verdict.judgement import UNUSED
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

__all__ = ["Derived", "derive"]

# more lines are no code that is read
_LINES = 30
_LONGEST = 120
_LARGE = 10_000
# operations of a function: what has more is not read either
_OPERATIONS = 500
_TOO_LONG = (
    "the gradient takes {}: the function does too much one after the other to be read; write it with whole arrays "
    "instead of a loop, or derive the gradient of a part of it"
)
# an extreme is taken off for the sake of the floats as a rule: then the gradient is right, and shorter, with it held
_SHIFTS = frozenset({"max", "min"})


@dataclass(frozen=True, slots=True)
class Derived:
    """A gradient as code.

    Parameters
    ----------
    source : str
        Imports and one function; it stands beside the function that it is the gradient of, whose names it uses.
    name : str
        What the function is called.
    verdict : Verdict
        What :func:`check_gradient` says of it at the point: consistent.
    """

    source: str
    name: str
    verdict: Verdict

    def __str__(self) -> str:
        return self.source.rstrip("\n")


def derive(f: Callable[..., Any], at: Any, *, args: Sequence[Any] = (), budget: float = BUDGET) -> Derived:
    """Write the gradient of a function as NumPy code.

    The function is traced at a point, differentiated and written with its own names; the code is judged by
    :func:`check_gradient` before it is returned: at the point, beside it and far from it.

    Parameters
    ----------
    f : callable
        A function or a method of NumPy code; ``f(x, *args)`` returns one number.
    at : array_like, tuple or dict of arrays
        A point, of any shape.
    args : sequence
        Further arguments.
    budget : float
        Seconds that each of the checks may take.

    Returns
    -------
    Derived
        ``.source`` is the code, and what ``print`` shows.

    Raises
    ------
    TraceError, UnsupportedFunction
        The code cannot be traced, or its gradient cannot be written readably; the message says what to change.
    ValueError, TypeError
        A point that does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> def loss(w):
    ...     return np.sum(w**2)
    >>> print(derive(loss, [3.0, 4.0]))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def loss_gradient(w):
        \"\"\"Gradient of loss; shapes: w (2,).\"\"\"
        return 2 * w
    """
    check_arguments({"f": f}, args, None, budget)
    if isinstance(f, SymbolicFunction):
        raise TypeError("f is a formula: derive is for NumPy code; write the formula as a function")
    structure, x = structure_of(at)
    if structure.kind == "nest":
        raise UnsupportedFunction("no code is written for parameters inside parameters; derive of one array at a time")
    names = names_in(f, args)
    name = _function_name(names)
    traced = _traced(f, tuple(args), structure, x, names)
    for held in (_SHIFTS, frozenset[str]()):
        if held and not any(node.operation in held for node in traced.build.nodes):
            continue
        try:
            source = _written(traced, structure, names, name, held)
            return Derived(source, name, _judged(f, source, name, tuple(args), structure, x, names, budget))
        except RecursionError:
            raise UnsupportedFunction(_TOO_LONG.format("too many operations")) from None
        except UnsupportedFunction:
            if not held:
                raise
    raise AssertionError  # the second pass returns or raises


def _function_name(names: CodeNames) -> str:
    own = names.function.__name__
    return "gradient" if not own.isidentifier() or own.startswith("__") else f"{own}_gradient"


@dataclass(frozen=True, slots=True)
class _Traced:
    """The nodes of a function: that of the number it returns, and those of its local variables."""

    build: ArrayBuilder
    output: int
    local: dict[str, int]


def _written(traced: _Traced, structure: Structure, names: CodeNames, name: str, held: frozenset[str]) -> str:
    """Write the gradient; what ``held`` names is taken as constant."""
    build = traced.build
    write = Expressions()
    pieces = _pieces(structure, names, write)
    found = read_expressions(build, traced.output, write, pieces_of(build, write, pieces), names.leaf(write))
    bars = gradients(write, found[traced.output], pieces, held)
    roots = [full(write, bars.get(piece, write.number(0)), piece.shape) for piece in pieces]
    wanted: dict[Expression, str] = {}
    for text, node in traced.local.items():
        own = found.get(node)
        if own is None or text in names.parameters:
            continue
        wanted.setdefault(own, text)
        if own in bars:
            wanted.setdefault(bars[own], f"grad_{text}")
    slopes = {one for bar in bars.values() for one in (bar, write.split(bar)[1])}
    known = list(found.values())
    for rewritten in (partial(with_probabilities, write), shared_products):
        new = rewritten(roots, known)
        roots, known = [new[root] for root in roots], [new.get(one, one) for one in known]
        wanted = {new.get(one, one): text for one, text in wanted.items()}
        slopes = {new.get(one, one) for one in slopes}
    order = operands_first(roots)
    sizes = {n for one in (*order, *pieces) if one.operation in ("name", "item") for n in one.shape if n > 2}
    numpy = names.numpy
    taken = {*names.parameters, *names.used, *keyword.kwlist, *dir(builtins), numpy, "special", "scipy", name}
    texts = NumpyTexts(sizes, names.places, names.ends, numpy, names.special)
    lines = NumpyLines(texts, wanted, slopes, taken).lines(roots, lambda texts: _returned(structure, texts))
    if len(lines) > _LINES or max(map(len, lines)) > _LONGEST:
        count = max(len(lines), sum(map(len, lines)) // WIDTH)
        raise UnsupportedFunction(_TOO_LONG.format(f"{count} lines of code"))
    imports = ["import numpy as np" if numpy == "np" else "import numpy"]
    if texts.special:
        imports.append("from scipy import special" if names.special == "special" else "import scipy.special")
    body = [*_docstring(names, structure, lines), *lines]
    indented = [f"    {line}".rstrip() for line in body]
    return "\n".join([*imports, "", "", f"def {name}({names.signature}):", *indented, ""])


def _traced(f: Any, args: tuple[Any, ...], structure: Structure, x: Any, names: CodeNames) -> _Traced:
    """Trace the function, and note its local variables."""
    table = WholeCalls(x)
    local: dict[str, int] = {}

    def elsewhere() -> None:
        with suppress(Exception):
            called(f, structure.unflatten(x * (1 + 2.0**-8) + 2.0**-11), *args)

    arguments = (placed_arrays(structure.unflatten(np.arange(x.size, dtype=float)), table), *args)
    rebuilder = NamingRebuilder(table, ARRAYS)
    rebuilder.names = names.floats
    with _noting_locals(names.function, local):
        trace = record_arrays(
            f, arguments, table=table, keeping=Keeper().kept((f, *args)), elsewhere=elsewhere, rebuilder=rebuilder
        )
    if table.build.shape(trace.output) != (1,):
        raise ValueError(f"f returned {trace.values.size} numbers: the gradient of one number is derived; sum them")
    if table.lost:
        guard = table.lost[0]
        raise UnsupportedFunction(
            f"{guard.place}: the function decides here what it computes, and its gradient would be right on one side "
            "alone; write the choice with np.where, np.maximum or np.abs"
        )
    output = table.build.reshape(trace.output, ())
    count = sum(table.build.moving[k] for k in table.build.needed([output]))
    if count > _OPERATIONS:
        raise UnsupportedFunction(_TOO_LONG.format(f"more than {_OPERATIONS} operations"))
    return _Traced(table.build, output, local)


@contextmanager
def _noting_locals(function: types.FunctionType, local: dict[str, int]) -> Iterator[None]:
    """Note what the local variables of a function stand for when it returns."""
    own = function.__code__

    def profile(frame: types.FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "return" or is_library(code.co_filename):
            return
        main = (code.co_name, code.co_filename, code.co_firstlineno) == (
            own.co_name, own.co_filename, own.co_firstlineno,
        )  # fmt: skip
        for text, value in frame.f_locals.items():
            if (
                isinstance(value, Handle)
                and value.store is not None
                and text.isidentifier()
                and (main or text not in local)
            ):
                local[text] = value.node

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def _pieces(structure: Structure, names: CodeNames, write: Expressions) -> list[Expression]:
    if structure.kind == "array":
        return [write.node("name", (), structure.shapes[0], names.variable)]
    found = []
    for key, shape in zip(structure.keys, structure.shapes, strict=True):
        found.append(write.node("item", (), shape, item_text(names.variable, key)))
    return found


def _returned(structure: Structure, texts: list[str]) -> str:
    if structure.kind == "array":
        return texts[0]
    if structure.kind == "list":
        return f"[{', '.join(texts)}]"
    if structure.kind == "tuple":
        return f"{', '.join(texts)}{',' * (len(texts) == 1)}"
    entries = (f"{quoted(key)}: {text}" for key, text in zip(structure.keys, texts, strict=True))
    return f"{{{', '.join(entries)}}}"


def _docstring(names: CodeNames, structure: Structure, lines: Sequence[str]) -> list[str]:
    """Say what it is, and the shapes of what is used."""
    texts = [names.variable if structure.kind == "array" else item_text(names.variable, key) for key in structure.keys]
    shapes = dict(zip(texts, structure.shapes, strict=True))
    code = "\n".join(lines)
    for text, array in names.arrays:
        if re.search(rf"(?<![\w.]){re.escape(text)}(?!\w)", code):
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


def _judged(
    f: Any, source: str, name: str, args: tuple[Any, ...], structure: Structure, x: Any, names: CodeNames,
    budget: float,
) -> Verdict:  # fmt: skip
    # the code is made by us of a trace, and runs with the user's objects as the function does
    scope = dict(names.scope)
    try:
        exec(compile(source, "<derived>", "exec"), scope)  # noqa: S102
    except (SyntaxError, ImportError) as error:
        raise UnsupportedFunction(f"the names of the code cannot be written in code: {error}; rename them") from None
    gradient = scope[name]
    if names.owner is not None:
        gradient = types.MethodType(gradient, names.owner)

    def at(point: Any) -> Verdict:
        return check_gradient(f, gradient, structure.unflatten(point), args=args, budget=budget)

    verdict = at(x)
    if UNUSED in verdict.notes:
        raise UnsupportedFunction(UNUSED)
    if verdict.status == "non-smooth" or verdict.status == "out-of-domain":
        raise UnsupportedFunction(f"the function is {verdict.status} at the point; derive it at another one")
    if verdict.status != "consistent":
        raise _refused(verdict, "at the point")
    size = np.abs(x) + (x == 0) * (np.abs(x).max() or 1.0)
    rng = np.random.default_rng(0)
    # one point of each kind where a check takes seconds
    few = 1 if x.size > _LARGE else 2
    for k in (2.0**-6, -(2.0**-5))[:few]:
        beside = at(x + k * size * rng.uniform(0.5, 1.0, x.size))
        if beside.status not in ("consistent", "non-smooth", "out-of-domain"):
            raise _refused(beside, "beside the point")
    spread = max(1.0, float(np.abs(x).max()))
    for point in (spread * rng.standard_normal(x.size), -x)[:few]:
        far = at(point)
        if far.status == "wrong":
            raise _refused(far, "at another point")
    return verdict


def _refused(verdict: Verdict, where: str) -> UnsupportedFunction:
    reason = verdict.explain().splitlines()[0]
    return UnsupportedFunction(
        f"the code that was written is not the gradient {where} ({reason}), so it is not shown; derive the gradient of "
        "a simpler part of the function"
    )
