"""A function and its claimed gradient, traced as one program of arrays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.program.arrays import ArrayBuilder, work_of
from diffcompare.program.adjoint import adjoint
from diffcompare.tracing.array_table import ArrayTable, Turned
from diffcompare.tracing.array_trace import ArrayTrace, placed_arrays, record_arrays
from diffcompare.tracing.calling import called
from diffcompare.verdict.problem import Problem

__all__ = ["ArrayPair", "is_for_arrays", "record_function", "trace_arrays"]


@dataclass(frozen=True, slots=True)
class ArrayPair:
    """Function and gradient in one program of arrays.

    Parameters
    ----------
    build : ArrayBuilder
    point : ndarray of float64, shape (n,)
    function, gradient : ArrayTrace
    F, D, G : int
        The nodes of the function (shape ()), of the true derivative and of what the gradient's code returns.
    work : int
        How many scalar operations one evaluation takes.
    loops : bool
        Whether one line decided on a number again and again.
    """

    build: ArrayBuilder
    point: Floats
    function: ArrayTrace
    gradient: ArrayTrace
    F: int
    D: int
    G: int
    work: int
    loops: bool


def is_for_arrays(problem: Problem) -> bool:
    """Tell whether a problem is one that programs of arrays can judge: one number, its gradient or slopes of it."""
    if problem.outputs != 1 or problem.formula is not None:
        return False
    return problem.derivative is adjoint or problem.directions is not None


def trace_arrays(problem: Problem) -> ArrayPair:
    """Record a function and its gradient at a point; ``TraceError`` where that cannot be done."""
    table = ArrayTable(problem.x)
    build = table.build
    first = record_arrays_of(problem, problem.function, table)
    if build.shape(first.output) != (1,):
        raise TraceError(f"the function returned {build.shape(first.output)[0]} numbers to a trace instead of one")
    second = record_arrays_of(problem, problem.gradient, table)
    order = np.asarray(problem.flatten(second.structure), dtype=float).astype(np.intp)
    F = build.reshape(first.output, ())
    D, G = array_gradient(build, F), build.take(second.output, order)
    if problem.directions is not None:
        D = build.contract("ij,j->i", build.constant(problem.directions), D)
    if problem.weights is not None:
        G = build.contract("ij,j->i", build.constant(problem.weights), G)
    work = work_of(build.nodes, build.needed([F, D, G]))
    return ArrayPair(build, problem.x, first, second, F, D, G, work, bool(table.loops))


def record_function(problem: Problem, build: ArrayBuilder, turned: Turned, seed: int) -> tuple[ArrayTrace, int, int]:
    """Record the function once more, with other answers; returns its trace, its node, that of its derivative."""
    table = ArrayTable(problem.x, build, turned=turned, seed=seed)
    trace = record_arrays_of(problem, problem.function, table)
    F = build.reshape(trace.output, ())
    D = array_gradient(build, F)
    if problem.directions is not None:
        D = build.contract("ij,j->i", build.constant(problem.directions), D)
    return trace, F, D


def record_arrays_of(problem: Problem, function: Callable[..., Any], table: ArrayTable) -> ArrayTrace:
    """Record one of the problem's callables."""
    point = problem.inside(problem.x * (1 + 2.0**-8) + 2.0**-11)

    def elsewhere() -> None:
        with suppress(Exception):
            called(function, problem.unflatten(point), *problem.args)

    template = problem.unflatten(np.arange(problem.x.size, dtype=float))
    arguments = (placed_arrays(template, table), *problem.args)
    return record_arrays(function, arguments, table=table, elsewhere=elsewhere)
