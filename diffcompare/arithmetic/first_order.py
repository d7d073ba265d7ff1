"""First-order rounding errors of a list of nodes, in floats: estimates that say whether a trace is what ran."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import Ball, BallFunction, ball_function, precision
from diffcompare.arithmetic.floating import implementation
from diffcompare.program.adjoint import adjoint
from diffcompare.program.code import operation_source
from diffcompare.program.dag import Builder, Node, Program, Term
from diffcompare.program.operations import OPERATIONS, Kind, named, partial_terms
from diffcompare.program.run import compiled

__all__ = ["absolute_slopes", "forward_errors", "local_partials", "numpy_partials", "own_ulps", "reverse_errors"]

_TINY = 2.0**-1074
# arithmetic is correctly rounded; library functions are within a few units (the table of constants has them)
_ULPS = {"add": 1.0, "subtract": 1.0, "multiply": 1.0, "divide": 1.0, "sqrt": 1.0}
_EXACT = named(Kind.EXACT)
_SPECIAL = named(Kind.SPECIAL)
_FUNCTION_ULPS = 4.0
_SPECIAL_ULPS = 16.0
# the precision at which the slope of a special function is known to some digits: K₀ at 40 loses 115 bits
_BITS = (64, 256, 1024)
_ENOUGH = 20


@cache
def _partials(operation: str, arity: int) -> Callable[..., Sequence[float]]:
    build = Builder(("y", "a", "b"))
    y, *operands = (Term(build, build.variable(i)) for i in range(arity + 1))
    terms = partial_terms(operation, None, y, operands)
    program = Program(build.variables, tuple(build.nodes), tuple(t.index for t in terms))

    def spell(_: int, node: Node, names: Sequence[str]) -> str:
        return repr(float(node.payload or 0)) if node.operation == "constant" else operation_source(node, names)

    return compiled(program, implementation, spell, {})


@cache
def numpy_partials(operation: str, arity: int) -> Callable[..., Sequence[Any]] | None:
    """Return the partial derivatives as a function of floats or arrays: result, then two operands.

    None where NumPy and SciPy lack what they are made of.
    """
    if arity > 2 or OPERATIONS[operation].partials is None:
        return None
    try:
        return _partials(operation, arity)
    except (AttributeError, IndexError, KeyError, TypeError):
        return None


def own_ulps(operation: str) -> tuple[float, bool]:
    """Return how many units of roundoff one operation may be off by, and whether it is a special function."""
    if operation in _EXACT:
        return 0.0, False
    if operation in _SPECIAL:
        return _SPECIAL_ULPS, True
    return _ULPS.get(operation, _FUNCTION_ULPS), False


def local_partials(node: Node, value: float, operands: Sequence[float]) -> Sequence[float]:
    """Return the partial derivatives of one node; infinite or nan where it has none."""
    operation = node.operation
    if operation in ("add", "sum"):
        return (1.0,) * len(operands)
    if operation == "subtract":
        return 1.0, -1.0
    if operation == "multiply":
        return operands[1], operands[0]
    if operation == "dot":
        half = len(operands) // 2
        return (*operands[half:], *operands[:half])
    try:
        if operation == "integer_power":
            n = int(node.payload or 0)
            return (n * operands[0] ** (n - 1),)
        if operation == "select":
            return (0.0, 1.0, 0.0) if operands[0] else (0.0, 0.0, 1.0)
        if operation in _SPECIAL:
            return _special_partials(node, operands)
        if OPERATIONS[operation].partials is None:
            return (0.0,) * len(operands)
        padded = [*operands, 0.0, 0.0][:2]
        return _partials(operation, len(operands))(value, *padded)
    except (ZeroDivisionError, OverflowError, ValueError):
        return (math.inf,) * len(operands)


@cache
def _slopes(operation: str, parameters: tuple[float, ...], count: int, payload: int | None) -> BallFunction:
    build = Builder([f"v{k}" for k in range(count)])
    fixed, moving = [build.constant(Fraction(p)) for p in parameters], map(build.variable, range(count))
    return ball_function(adjoint(build.program([build.raw(operation, *fixed, *moving, payload=payload)])))


def _special_partials(node: Node, operands: Sequence[float]) -> Sequence[float]:
    """Take the slopes from balls: SciPy lacks some, and a difference of floats has none beside a pole."""
    count = OPERATIONS[node.operation].parameters
    parameters, moving = tuple(operands[:count]), operands[count:]
    if not all(map(math.isfinite, operands)):
        return (math.inf,) * len(operands)
    payload = None if node.payload is None else int(node.payload)
    run = _slopes(node.operation, parameters, len(moving), payload)
    found: Sequence[Any] = ()
    for bits in _BITS:
        with precision(bits):
            _, *found = run(*map(Ball, moving))
        if all(slope.is_finite() and slope.rel_accuracy_bits() >= _ENOUGH for slope in found):
            break
    return (0.0,) * count + tuple(float(slope.mid()) if slope.is_finite() else math.inf for slope in found)


def own_error(node: Node, value: float, operands: Sequence[float], u: float) -> float:
    """Return the rounding error of one operation, sums and products of any number of terms in any order."""
    operation = node.operation
    if operation in _EXACT:
        return 0.0
    if operation == "sum":
        return len(operands) * u * sum(map(abs, operands))
    if operation == "dot":
        half = len(operands) // 2
        return (half + 1) * u * sum(abs(p * q) for p, q in zip(operands[:half], operands[half:], strict=True))
    if operation in _SPECIAL:
        # a rounding or two of the argument, too: near a zero that is all there is
        moved = abs(operands[-1] * local_partials(node, value, operands)[-1])
        return _SPECIAL_ULPS * u * (abs(value) + (moved if math.isfinite(moved) else 0.0)) + _TINY
    return _ULPS.get(operation, _FUNCTION_ULPS) * u * abs(value) + _TINY


def forward_errors(
    nodes: Sequence[Node],
    order: Sequence[int],
    values: Mapping[int, float] | Sequence[float],
    u: float,
    *,
    inputs: float = 0.0,
) -> dict[int, float]:
    """Bound the rounding error of every node, to first order; correlations are not seen.

    ``inputs`` is the relative error of the variables.
    """
    errors: dict[int, float] = {}
    with np.errstate(all="ignore"):
        for index in order:
            node = nodes[index]
            operands = [values[i] for i in node.operands]
            error = own_error(node, values[index], operands, u)
            if node.operation == "variable":
                error = inputs * abs(values[index])
            moving = [errors[i] for i in node.operands]
            if any(moving):
                partials = local_partials(node, values[index], operands)
                error += sum(abs(p) * e for p, e in zip(partials, moving, strict=True) if e)
            errors[index] = error
    return errors


def reverse_errors(
    nodes: Sequence[Node], order: Sequence[int], values: Mapping[int, float] | Sequence[float], output: int, u: float
) -> tuple[float, dict[int, float]]:
    """Bound the rounding error of one node, to first order, and return the derivative with respect to every node."""
    bars: dict[int, float] = {output: 1.0}
    total = 0.0
    with np.errstate(all="ignore"):
        for index in reversed(order):
            bar = bars.get(index)
            if not bar:
                continue
            node = nodes[index]
            operands = [values[i] for i in node.operands]
            total += abs(bar) * own_error(node, values[index], operands, u)
            if operands:
                for i, p in zip(node.operands, local_partials(node, values[index], operands), strict=True):
                    if p:
                        bars[i] = bars.get(i, 0.0) + bar * p
    return total, bars


def absolute_slopes(
    nodes: Sequence[Node], order: Sequence[int], values: Mapping[int, float] | Sequence[float], output: int
) -> dict[int, float]:
    """Sum the absolute products of local partials over all paths from a node to each other one.

    A derivative that is computed in some order from numbers of this size rounds by u times it.
    """
    bars: dict[int, float] = {output: 1.0}
    with np.errstate(all="ignore"):
        for index in reversed(order):
            bar, node = bars.get(index), nodes[index]
            if bar and node.operands:
                partials = local_partials(node, values[index], [values[i] for i in node.operands])
                for i, p in zip(node.operands, partials, strict=True):
                    bars[i] = bars.get(i, 0.0) + bar * abs(p)
    return bars
