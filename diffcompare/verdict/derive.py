"""The gradient of a function, written as NumPy code and judged before it is shown."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from diffcompare.errors import TraceError, UnsupportedFunction
from diffcompare.program.expression import Expression, operands_first
from diffcompare.program.expression_adjoint import gradients
from diffcompare.program.expression_reading import pieces_of, read_expressions
from diffcompare.program.expression_shapes import full
from diffcompare.program.expressions import Expressions
from diffcompare.program.numpy_source import NumpyLines
from diffcompare.program.shared_parts import shared_products, with_probabilities
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.calling import called
from diffcompare.tracing.handle import Handle
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.loops import noting_loops
from diffcompare.tracing.places import is_library, written
from diffcompare.tracing.unfolded import unfolded
from diffcompare.tracing.whole_calls import NamingRebuilder, WholeCalls
from diffcompare.verdict.arguments import Structure, structure_of
from diffcompare.verdict.check import check_arguments, check_gradient
from diffcompare.verdict.code_names import CodeNames, names_in
from diffcompare.verdict.derive_loops import with_loops
from diffcompare.verdict.gradient_code import (
    TOO_LONG,
    Traced,
    check_length,
    pieces_in,
    returned,
    taken_names,
    texts_for,
    whole_function,
)
from diffcompare.verdict.judgement import UNUSED
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

__all__ = ["Derived", "derive"]

_LARGE = 10_000
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
    shifted = any(node.operation in _SHIFTS for node in traced.build.nodes)
    given = (traced, structure, names, name)
    ways = [partial(_written, *given, held) for held in ([_SHIFTS] * shifted + [frozenset[str]()])]
    refused: UnsupportedFunction | None = None
    # the same with loops is shorter
    loops = [partial(with_loops, *given)]
    other = unfolded(f, traced.lists)
    if other is not None:
        loops.insert(0, partial(_with_other_loops, other, tuple(args), structure, x, name))
    for way in (*loops, *ways):
        try:
            source = way()
            return Derived(source, name, _judged(f, source, name, tuple(args), structure, x, names, budget))
        except RecursionError:
            found = UnsupportedFunction(TOO_LONG.format("too many operations"))
        except UnsupportedFunction as error:
            found = error
        if way in ways:
            # why it can't be written with loops tells less
            refused = found
    raise refused or AssertionError


def _function_name(names: CodeNames) -> str:
    own = names.function.__name__
    return "gradient" if not own.isidentifier() or own.startswith("__") else f"{own}_gradient"


def _written(traced: Traced, structure: Structure, names: CodeNames, name: str, held: frozenset[str]) -> str:
    """Write the gradient of all that was traced; what ``held`` names is taken as constant."""
    build = traced.build
    check_length(build, traced.output)
    write = Expressions()
    pieces = pieces_in(structure, names, write)
    found = read_expressions(build, traced.output, write, pieces_of(build, write, pieces), names.leaf(write))
    bars = gradients(write, {found[traced.output]: write.number(1)}, pieces, held)
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
    texts = texts_for(names, [*operands_first(roots), *pieces])
    taken = taken_names(names, name)
    lines = NumpyLines(texts, wanted, slopes, taken).lines(roots, lambda texts: returned(structure, texts))
    return whole_function(names, structure, name, lines, special=texts.special)


def _with_other_loops(other: Any, args: tuple[Any, ...], structure: Structure, x: Any, name: str) -> str:
    names = names_in(other, args)
    try:
        traced = _traced(other, args, structure, x, names)
    except (TraceError, ValueError) as error:
        raise UnsupportedFunction(str(error)) from error
    return with_loops(traced, structure, names, name)


def _traced(f: Any, args: tuple[Any, ...], structure: Structure, x: Any, names: CodeNames) -> Traced:
    """Trace the function, and note its local variables."""
    table = WholeCalls(x)
    local: dict[str, int] = {}
    lists: dict[str, tuple[int, ...]] = {}

    def elsewhere() -> None:
        with suppress(Exception):
            called(f, structure.unflatten(x * (1 + 2.0**-8) + 2.0**-11), *args)

    arguments = (placed_arrays(structure.unflatten(np.arange(x.size, dtype=float)), table), *args)
    rebuilder = NamingRebuilder(table, ARRAYS)
    rebuilder.names = names.floats
    with _noting_locals(names.function, local, lists), noting_loops(names.function) as loops:
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
    return Traced(table, table.build.reshape(trace.output, ()), local, lists, loops)


@contextmanager
def _noting_locals(
    function: types.FunctionType, local: dict[str, int], lists: dict[str, tuple[int, ...]]
) -> Iterator[None]:
    """Note what the local variables of a function stand for when it returns, and the shapes in lists of moving ones."""
    own = written(function.__code__)

    def profile(frame: types.FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "return" or is_library(code.co_filename):
            return
        main = written(code) == own
        for text, value in frame.f_locals.items():
            moving = type(value) is list and [v for v in value if isinstance(v, Handle) and v.moving]
            if moving and (main or text not in lists):
                lists[text] = moving[-1].shape
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
