"""NumPy code as a program: the code is run once, on numbers that write down what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diffcompare.errors import TraceError, shorten
from diffcompare.program.dag import Program
from diffcompare.tracing.array import elements, lifted, new_array
from diffcompare.tracing.calling import PASSING
from diffcompare.tracing.convergence import loop_exits
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.keeping import kept
from diffcompare.tracing.labelled import is_labelled, with_labels
from diffcompare.tracing.origins import Origins
from diffcompare.tracing.places import Place, called_library, user_frame
from diffcompare.tracing.rebuild import Rebuilder
from diffcompare.tracing.scalar import TracedCondition, TracedScalar, is_number, lift
from diffcompare.tracing.table import Cast, Guard, Table

__all__ = ["CodeError", "Trace", "carried_out", "placed", "record"]


class CodeError(TraceError):
    """The code raised an error of its own at this point; it may do better at another."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What a function did at one point.

    Parameters
    ----------
    outputs : tuple of int
        The nodes of the numbers that were returned, in order.
    values : tuple of float
        The floats that the code would have returned.
    shape : tuple of int
        The shape of what was returned, ``(n,)`` for n numbers in a structure.
    structure : object
        What was returned, every number replaced by its place in ``outputs``.
    guards : tuple of Guard
        The decisions that were taken: the trace holds where each has the same answer.
    casts : tuple of Cast
        Conversions to shorter floating-point types.
    eliminated : bool
        Whether linear algebra was written as elimination: the library orders its operations otherwise.
    origins : Origins
        Where the nodes were written.
    """

    outputs: tuple[int, ...]
    values: tuple[float, ...]
    shape: tuple[int, ...]
    structure: Any
    guards: tuple[Guard, ...]
    casts: tuple[Cast, ...]
    eliminated: bool
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)

    def program(self, table: Table) -> Program:
        """Close the program of the outputs."""
        return table.program(self.outputs)


def record(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    table: Table,
    rebuilt: bool = True,
    elsewhere: Callable[[], object] | None = None,
    keeping: AbstractContextManager[None] | None = None,
) -> Trace:
    """Run a function on traced numbers and return what it did; not validated.

    The function is rebuilt: it, and the functions that it calls, see substitutes of numpy and math and constants that
    are traced. What the code changes of the user's objects is put back.

    Parameters
    ----------
    function : callable
    arguments : sequence
        What it is called with; the numbers that vary are made by :func:`placed`.
    table : Table
        Where the nodes go; its mode decides how choices are recorded.
    rebuilt : bool
        False: the function is called as it is.
    elsewhere : callable, optional
        Calls the function at another point first: code that keeps its last answer must not give it to the trace.
    keeping : context manager, optional
        Puts back what the code changes: by default, of what can be reached from the function and its arguments.

    Raises
    ------
    TraceError
        The code does what a trace cannot follow; the message names the line, the reason and the remedy.
    """
    guards, casts, eliminations = len(table.guards), len(table.casts), table.eliminations
    table.first_guard = guards
    found: list[TracedScalar] = []

    def read(result: Any) -> Any:
        return _collected(result, table, found)

    structure = carried_out(
        function, arguments, table=table, rebuilder=Rebuilder(table) if rebuilt else None, read=read,
        elsewhere=elsewhere, keeping=keeping or kept((function, *arguments)),
    )  # fmt: skip
    ended = loop_exits(table, table.guards[guards:]) if table.region else {}
    for place in ended:
        raise TraceError(
            f"{place}: an iteration until convergence: the number of rounds changes with the point; run a fixed number "
            "of rounds"
        )
    shape = np.shape(structure) if isinstance(structure, np.ndarray | float) else (len(found),)
    return Trace(
        tuple(s.index for s in found),
        tuple(s.shadow for s in found),
        shape,
        structure,
        tuple(table.guards[guards:]),
        tuple(table.casts[casts:]),
        table.eliminations > eliminations,
        table.origins.taken(),
    )


def carried_out(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    table: Any,
    rebuilder: Rebuilder | None,
    read: Callable[[Any], Any],
    keeping: AbstractContextManager[None],
    elsewhere: Callable[[], object] | None = None,
) -> Any:
    """Run a function on what is traced and return what is read from its result; ``TraceError`` where it does not run.

    ``rebuilder`` makes what is called; None: the function as it is. ``keeping`` puts the user's objects back.
    """
    table.refusal = None
    with table.recording(), keeping, table.origins.following(function):
        if elsewhere is not None:
            elsewhere()
        try:
            if rebuilder is None:
                run = function.in_numpy() if isinstance(function, Foreign) else function
                result = run(*arguments)
            else:
                result = rebuilder.value(function)(*map(rebuilder.value, arguments))
        except TraceError as error:
            raise table.refusal or error from None
        except RecursionError:
            raise TraceError(f"{_name(function)}: the calls are nested too deeply; write a loop") from None
        except PASSING:
            raise
        except BaseException as error:
            raise table.refusal or CodeError(
                f"{_where(error, function)}: {_told(error)}; the function must run on NumPy numbers"
            ) from error
        if table.refusal is not None:
            raise table.refusal
        return read(result)


def placed(template: Any, table: Table) -> Any:
    """Return a structure of traced variables.

    ``template`` holds the index of the variable in place of every number: arrays and floats, in tuples, lists, dicts.
    """
    if isinstance(template, np.ndarray) and template.dtype.kind in "fiu":
        indices = template.reshape(-1).tolist()
        return (
            new_array([_variable(table, i) for i in indices], template.shape)
            if template.ndim
            else _variable(table, template.item())
        )
    if isinstance(template, float | np.floating):
        return _variable(table, template)
    if is_labelled(template):
        indices = np.asarray(template).reshape(-1).tolist()
        return with_labels(np.array([_variable(table, i) for i in indices], dtype=object), template)
    if isinstance(template, dict):
        return {k: placed(v, table) for k, v in template.items()}
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return type(template)(*(placed(v, table) for v in template))
    if isinstance(template, list | tuple):
        return type(template)(placed(v, table) for v in template)
    return template


def _variable(table: Table, index: Any) -> TracedScalar:
    node = table.builder.variable(round(index))
    return TracedScalar(table, node, table.point[round(index)])


def _collected(result: Any, table: Table, found: list[TracedScalar]) -> Any:
    if isinstance(result, TracedScalar | TracedCondition) or is_number(result):
        found.append(lift(result, table))
        return float(len(found) - 1)
    if isinstance(result, np.ndarray):
        numbers = [lift(v, table) for v in elements(lifted(result, table))]
        start = len(found)
        found.extend(numbers)
        return np.arange(start, len(found), dtype=float).reshape(result.shape)
    if is_labelled(result):
        return with_labels(_collected(np.asarray(result), table, found), result)
    if isinstance(result, dict):
        return {k: _collected(v, table, found) for k, v in result.items()}
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_collected(v, table, found) for v in result))
    if isinstance(result, list | tuple):
        return type(result)(_collected(v, table, found) for v in result)
    raise TraceError(
        f"the function returned {type(result).__name__}: numbers are needed; return a NumPy number or an array"
    )


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {shorten(str(error))}".removesuffix(": ")


def _where(error: BaseException, function: Any) -> str:
    """Return the place in the user's code, and what it called there of a library that is not traced."""
    found = user_frame(error)
    if found is None:
        return _name(function)
    code = found[0].f_code
    place = Place(Path(code.co_filename).name, code.co_name, found[1])
    called = called_library(error)
    return f"{place}: {called} is not traced" if called else str(place)
