"""A function and its claimed gradient, traced as one program of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint, hessian, hessian_along, jacobian
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.program.array_tangents import array_tangents
from diffcompare.program.arrays import ArrayBuilder, work_of
from diffcompare.tracing.array_table import FEW, ArrayTable, Turned
from diffcompare.tracing.array_trace import ArrayTrace, placed_arrays, record_arrays
from diffcompare.tracing.calling import called
from diffcompare.tracing.keeping import Keeper
from diffcompare.tracing.places import Place
from diffcompare.verdict.pair import codes_of, kept_as_it_is
from diffcompare.verdict.problem import Problem

__all__ = ["ArrayPair", "derivative_of", "is_for_arrays", "record_function", "trace_arrays", "trace_beside_claim"]


# derivatives of so many numbers, each one a sweep of its own
_ROWS = 400


@dataclass(frozen=True, slots=True)
class ArrayPair:
    """Function and gradient in one program of arrays.

    Parameters
    ----------
    build : ArrayBuilder
    point : ndarray of float64, shape (n,)
    function, gradient : ArrayTrace
    F, D, G : int
        The nodes of what the function returns, of the true derivative and of what the gradient's code returns: vectors.
    slopes : int
        The node of the slopes of what the function returns: D, or what it is made from.
    work : int
        How many scalar operations one evaluation takes.
    loops : bool
        Whether one line decided on a number again and again.
    places : mapping
        Where small constants were added to something, by the node of the sum.
    opaque : bool
        Whether the gradient was not traced: G is what it returned at the point, a constant.
    rebuilt : bool
        Whether the code was rebuilt; else what it did behind the back of NumPy was not seen.
    undefined : sequence of (int, ndarray of bool)
        Nodes that are not finite everywhere at the point, of which code asked that, and where they are.
    asked : list
        What was found at points near by (see :mod:`~diffcompare.verdict.causes.nearby`), for whom and at what price.
    """

    build: ArrayBuilder
    point: Floats
    function: ArrayTrace
    gradient: ArrayTrace
    F: int
    D: int
    G: int
    slopes: int
    work: int
    loops: bool
    places: Mapping[int, Place]
    opaque: bool = False
    rebuilt: bool = True
    undefined: Sequence[tuple[int, NDArray[np.bool_]]] = ()
    asked: list[tuple[tuple[Any, ...], Any, int]] = field(default_factory=list, init=False, repr=False, compare=False)


def is_for_arrays(problem: Problem) -> bool:
    """Tell whether a problem is one that programs of arrays can judge."""
    return problem.formula is None and (problem.directions is not None or _rule(problem) is not None)


def trace_arrays(problem: Problem, *, few: int = FEW, keeper: Keeper | None = None, rebuilt: bool = True) -> ArrayPair:
    """Record a function and its gradient at a point; ``TraceError`` where that cannot be done."""
    table = ArrayTable(problem.x, few=few, rebuilt=rebuilt)
    build = table.build
    keeper = keeper or Keeper()
    with kept_as_it_is(codes_of(problem), keeper, rebuilt=rebuilt):
        first = _recorded_function(problem, table, keeper)
        second = _recorded(problem, problem.gradient, table, keeper)
    order = np.asarray(problem.flatten(second.structure), dtype=float).astype(np.intp)
    D, slopes = derivative_of(problem, build, first.output)
    G = build.take(second.output, order.reshape(-1))
    if problem.weights is not None:
        G = build.contract("ij,j->i", build.constant(problem.weights), G)
    return _pair(problem, table, (first, second), (D, G), slopes, opaque=False)


def trace_beside_claim(problem: Problem, claimed: Floats, *, few: int = FEW, rebuilt: bool = True) -> ArrayPair:
    """Record a function alone, beside what its gradient returned; ``TraceError`` where that cannot be done."""
    table, keeper = ArrayTable(problem.x, few=few, rebuilt=rebuilt), Keeper()
    build = table.build
    with kept_as_it_is((problem.function, *problem.args), keeper, rebuilt=rebuilt):
        first = _recorded_function(problem, table, keeper)
    D, slopes = derivative_of(problem, build, first.output)
    G = build.constant(np.where(np.isfinite(claimed), claimed, 0.0))
    second = ArrayTrace(G, claimed, None, ())
    return _pair(problem, table, (first, second), (D, G), slopes, opaque=True)


def _pair(
    problem: Problem, table: ArrayTable, traces: tuple[ArrayTrace, ArrayTrace], derivatives: tuple[int, int],
    slopes: Any, *, opaque: bool,
) -> ArrayPair:  # fmt: skip
    build, F, (D, G) = table.build, traces[0].output, derivatives
    # a claim that is a constant costs nothing
    work = work_of(build.nodes, build.needed([F, D] if opaque else [F, D, G]))
    return ArrayPair(
        build, problem.x, *traces, F, D, G, slopes, work, bool(table.loops), table.places, opaque, table.rebuilt,
        table.undefined,
    )  # fmt: skip


def record_function(
    problem: Problem, pair: ArrayPair, turned: Turned, seed: int
) -> tuple[ArrayTrace, int, tuple[int, int]]:
    """Record the function once more, with other answers; returns its trace, its node, and those of derivatives."""
    table, keeper = ArrayTable(problem.x, pair.build, turned=turned, seed=seed, rebuilt=pair.rebuilt), Keeper()
    with kept_as_it_is((problem.function, *problem.args), keeper, rebuilt=pair.rebuilt):
        trace = _recorded(problem, problem.function, table, keeper)
    return trace, trace.output, derivative_of(problem, pair.build, trace.output)


def derivative_of(problem: Problem, build: ArrayBuilder, F: int) -> tuple[int, int]:
    """Add the derivative that is claimed, and the slopes of the function that it is made from."""
    if problem.directions is not None:
        gradient = array_gradient(build, build.reshape(F, ()))
        return build.contract("ij,j->i", build.constant(problem.directions), gradient), gradient
    rule = _rule(problem)
    if rule is None:
        raise TraceError(f"the {problem.what} is not known of a program of arrays")
    return rule(problem, build, F)


def _rule(problem: Problem) -> Callable[[Problem, ArrayBuilder, int], tuple[int, int]] | None:
    known = problem.derivative
    return _DERIVATIVES.get(known.func if isinstance(known, partial) else known)


def _gradient(_: Problem, build: ArrayBuilder, F: int) -> tuple[int, int]:
    found = array_gradient(build, build.reshape(F, ()))
    return found, found


def _jacobian(_: Problem, build: ArrayBuilder, F: int) -> tuple[int, int]:
    m, n = build.shape(F)[0], build.shape(build.variables)[0]
    rows: int | None = None
    if n <= m:
        # a factorisation is differentiated row by row
        with suppress(TraceError):
            rows = build.reshape(build.transpose(array_tangents(build, F), (1, 0)), (m * n,))
    rows = build.join(_rows(build, F)) if rows is None else rows
    return rows, rows


def _hessian(_: Problem, build: ArrayBuilder, F: int) -> tuple[int, int]:
    gradient = array_gradient(build, build.reshape(F, ()))
    return build.join(_rows(build, gradient)), gradient


def _along(problem: Problem, build: ArrayBuilder, F: int) -> tuple[int, int]:
    gradient = array_gradient(build, build.reshape(F, ()))
    vector = np.array([float(v) for v in problem.derivative.keywords["vector"]])  # type: ignore[attr-defined]
    return array_gradient(build, build.contract("i,i->", build.constant(vector), gradient)), gradient


def _rows(build: ArrayBuilder, vector: int) -> list[int]:
    """Return the derivatives of the elements of a vector."""
    count = build.shape(vector)[0]
    if count > _ROWS:
        raise TraceError(f"more than {_ROWS} rows are not differentiated one by one")
    return [array_gradient(build, build.take(vector, np.array(k))) for k in range(count)]


_DERIVATIVES: dict[Any, Callable[[Problem, ArrayBuilder, int], tuple[int, int]]] = {
    adjoint: _gradient, jacobian: _jacobian, hessian: _hessian, hessian_along: _along,
}  # fmt: skip


def _recorded_function(problem: Problem, table: ArrayTable, keeper: Keeper) -> ArrayTrace:
    trace = _recorded(problem, problem.function, table, keeper)
    returned = table.build.shape(trace.output)[0]
    if returned != problem.outputs:
        raise TraceError(f"the function returned {returned} numbers to a trace instead of {problem.outputs}")
    return trace


def _recorded(problem: Problem, function: Callable[..., Any], table: ArrayTable, keeper: Keeper) -> ArrayTrace:
    """Record one of the problem's callables."""
    point = problem.inside(problem.x * (1 + 2.0**-8) + 2.0**-11)

    def elsewhere() -> None:
        with suppress(Exception):
            called(function, problem.unflatten(point), *problem.args)

    template = problem.unflatten(np.arange(problem.x.size, dtype=float))
    arguments = (placed_arrays(template, table), *problem.args)
    keeping = keeper.kept((function, *problem.args)) if table.rebuilt else nullcontext()
    return record_arrays(function, arguments, table=table, keeping=keeping, elsewhere=elsewhere)
