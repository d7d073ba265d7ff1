"""NumPy code as a program of arrays: the code is run once, on arrays that write down what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.tracing.array_substitutes import ARRAYS
from diffcompare.tracing.array_table import ArrayGuard, ArrayTable
from diffcompare.tracing.handle import Handle, made, stored
from diffcompare.tracing.labelled import is_labelled
from diffcompare.tracing.origins import Origins
from diffcompare.tracing.places import Place
from diffcompare.tracing.rebuild import Rebuilder
from diffcompare.tracing.trace import carried_out

__all__ = ["ArrayTrace", "placed_arrays", "record_arrays"]


@dataclass(frozen=True, slots=True)
class ArrayTrace:
    """What a function did at one point.

    Parameters
    ----------
    output : int
        The node of all numbers that were returned, a vector.
    values : ndarray of float64
        The floats that the code would have returned.
    structure : object
        What was returned, every number replaced by its place in ``output``.
    guards : tuple of ArrayGuard
        The decisions that were taken.
    narrow : (Place, int) or None
        Where numbers of less than 64 bits were computed, and of how many.
    origins : Origins
        Where the nodes were written.
    """

    output: int
    values: Floats
    structure: Any
    guards: tuple[ArrayGuard, ...]
    narrow: tuple[Place, int] | None = None
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)


def record_arrays(
    function: Callable[..., Any], arguments: Sequence[Any], *, table: ArrayTable,
    keeping: AbstractContextManager[None], elsewhere: Callable[[], object] | None = None,
    rebuilder: Rebuilder | None = None,
) -> ArrayTrace:  # fmt: skip
    """Run a function on traced arrays and return what it did; not validated.

    Parameters
    ----------
    function : callable
    arguments : sequence
        What it is called with; what varies is made by :func:`placed_arrays`.
    table : ArrayTable
        Where the nodes go.
    keeping : context manager
        Puts the user's objects back.
    elsewhere : callable, optional
        Calls the function at another point first: code that keeps its last answer must not give it to the trace.
    rebuilder : Rebuilder, optional
        What makes the copy that is run; of code that the table has as not rebuilt there is none.

    Raises
    ------
    TraceError
        The code does what a trace cannot follow, or is one of single numbers.
    """
    before, table.narrow = len(table.guards), None
    found: list[Handle] = []

    def read(result: Any) -> tuple[Any, list[int]]:
        structure = _collected(result, table, found)
        return structure, [handle.node for handle in found]

    if rebuilder is None and table.rebuilt:
        rebuilder = Rebuilder(table, ARRAYS)
    structure, nodes = carried_out(
        function, arguments, table=table, rebuilder=rebuilder, read=read, keeping=keeping, elsewhere=elsewhere
    )
    if not nodes:
        raise TraceError("the function returned no numbers: numbers are needed; return an array")
    output = table.build.join(nodes)
    values = np.concatenate([handle.floats.reshape(-1) for handle in found])
    guards = tuple(table.guards[before:])
    return ArrayTrace(output, values.astype(np.float64), structure, guards, table.narrow, table.origins.taken())


def placed_arrays(template: Any, table: ArrayTable) -> Any:
    """Return a structure of traced variables; ``template`` holds the index of the variable in place of every number."""
    if isinstance(template, np.ndarray | float | np.floating):
        places = np.asarray(template).astype(np.intp)
        return stored(table, table.build.take(table.build.variables, places), np.array(table.point[places]))
    if is_labelled(template):
        raise TraceError(f"a {type(template).__name__} is not traced as an array; hand in its .to_numpy()")
    if isinstance(template, dict):
        return {k: placed_arrays(v, table) for k, v in template.items()}
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return type(template)(*(placed_arrays(v, table) for v in template))
    if isinstance(template, list | tuple):
        return type(template)(placed_arrays(v, table) for v in template)
    return template


def _collected(result: Any, table: ArrayTable, found: list[Handle]) -> Any:
    """Replace the numbers of a result by their places, and list the arrays that hold them."""
    if isinstance(result, dict):
        return {k: _collected(v, table, found) for k, v in result.items()}
    if isinstance(result, list | tuple):
        parts = [_collected(v, table, found) for v in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    if not isinstance(result, Handle | np.ndarray | float | int | np.number | np.bool_):
        raise TraceError(
            f"the function returned {type(result).__name__}: numbers are needed; return a NumPy number or an array"
        )
    array = made(table, result)
    first = sum(handle.size for handle in found)
    found.append(array)
    places = np.arange(first, first + array.size, dtype=float).reshape(array.shape)
    return places if array.ndim else float(first)
