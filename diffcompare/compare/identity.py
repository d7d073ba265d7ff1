"""Traced code: validated against the float code, and two traces compared as real functions.

A gradient that is traced beside its function is right if G, what its code would return in real arithmetic, is D, the
true derivative; how far its floats are from D is rounding. The two are told apart in ball arithmetic.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import BALL_OPERATIONS, Ball, ball, precision
from diffcompare.arithmetic.running_error import local_bounds
from diffcompare.arithmetic.ulp import unit_roundoff
from diffcompare.errors import TraceError
from diffcompare.program.dag import Node, Program
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.trace import CodeError
from diffcompare.symbolic.tracing.paths import Paths, sample_points
from diffcompare.symbolic.tracing.sweep import needed_nodes, reverse_errors

__all__ = ["trace"]

Floats = NDArray[np.float64]

# beyond so many operands the proven bound would take longer than all the rest
_PROVEN_OPERANDS = 20_000
_BITS = 128


def trace(function: Callable[..., Any], shape: int | Sequence[int], *, name: str | None = None) -> SymbolicFunction:
    """Turn NumPy code into a function that is known as a program.

    The code is run on traced numbers at a few points; where it branches on a value, each path that is met becomes a
    branch of the program, which is undefined on paths that were not met. The program is validated: at these points and
    others it agrees with the float code within the proven bound of its rounding error.

    Parameters
    ----------
    function : callable
        Takes an array of this shape (a float for ``()``) and returns one number. It is called with copies.
    shape : int or tuple of int
        The shape of the point; its numbers, flattened, are the variables.
    name : str, optional
        Default: the name of the function.

    Returns
    -------
    SymbolicFunction
        Variables ``x0, x1, …``, or ``x`` for one; source ``python``.

    Raises
    ------
    TraceError
        The code does what a trace cannot follow, or the trace is not what runs; the message says where and why.

    Examples
    --------
    >>> import numpy as np
    >>> f = trace(lambda x: np.sum(x**2), 3)
    >>> float(f([1.0, 2.0, 2.0]))
    9.0
    """
    shape = (int(shape),) if isinstance(shape, int | np.integer) else tuple(int(n) for n in shape)
    n = math.prod(shape)
    if n < 1:
        raise ValueError(f"shape={shape!r}: there must be at least one number; pass a shape without 0")
    title = str(name or getattr(function, "__name__", type(function).__name__))
    names = ("x",) if n == 1 else tuple(f"x{i}" for i in range(n))
    paths = Paths(function, shape, names, lambda program, point: evaluate(program, point, _BITS))
    failure: TraceError | None = None
    checked = 0
    for point in sample_points(n):
        value = paths.value(point)
        if math.isnan(value) and paths.found:
            continue
        try:
            found = paths.at(point)
        except CodeError as error:
            # perhaps on purpose: another point may do
            failure = failure or error
            continue
        if found is not None and math.isfinite(value):
            path, program = found
            if path.casts:
                raise TraceError(
                    f"{path.casts[0].place}: a conversion to {path.casts[0].bits}-bit numbers: the rounding "
                    "of a program is that of binary64; leave the conversion out"
                )
            checked += _agrees(title, program, point, value, slack=64 if path.eliminated else 1)
    if failure is not None and not paths.found:
        raise failure
    if not checked:
        raise TraceError(f"{title}: there is no point where the trace could be validated; check that values are finite")
    return SymbolicFunction.from_program(paths.program(), formula=title, name=title, source="python")


def _agrees(title: str, program: Program, point: Floats, value: float, *, slack: float) -> bool:
    """Tell whether a value lies within the bound of the rounding error; False where there is no bound."""
    (real,) = evaluate(program, point, _BITS)
    bound = slack * _rounding_bound(program, point)
    if not real.is_finite() or not math.isfinite(bound):
        return False
    with precision(_BITS):
        if abs(real - Ball(value)) > bound + 2.0**-1070:
            raise TraceError(
                f"{title}: the trace gives {float(real.mid())!r} where the code returns {value!r}, at "
                f"{', '.join(map(repr, point[:4].tolist()))}: it depends on something that a trace does not see (an "
                "exception that is caught, a type that is asked for, a state that is kept); leave that out"
            )
    return True


def _rounding_bound(program: Program, point: Floats) -> float:
    """Bound the rounding error of the float code: proven, for large programs eight times the first-order estimate."""
    if sum(len(node.operands) for node in program.nodes) <= _PROVEN_OPERANDS:
        return math.fsum(local_bounds(program, point.tolist()))
    values = node_balls(program.nodes, program.outputs, point, 64)
    order = needed_nodes(program.nodes, program.outputs)
    return 8 * reverse_errors(program.nodes, order, _floats(values), program.outputs[0], unit_roundoff)[0]


_OPERATIONS: dict[str, Callable[..., Any]] = {
    **BALL_OPERATIONS,
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
}


def evaluate(program: Program, point: Sequence[float] | Floats, bits: int) -> list[Any]:
    """Evaluate the outputs at an exact point, node by node."""
    values = node_balls(program.nodes, program.outputs, point, bits)
    return [values[i] for i in program.outputs]


def node_balls(nodes: Sequence[Node], roots: Sequence[int], point: Any, bits: int) -> dict[int, Any]:
    """Evaluate all nodes that the roots need; ``point`` holds a float or a ball for every variable."""
    values: dict[int, Any] = {}
    with precision(bits):
        for index in needed_nodes(nodes, roots):
            node = nodes[index]
            name = node.operation
            if name == "variable":
                held = point[int(node.payload or 0)]
                values[index] = held if isinstance(held, Ball) else Ball(float(held))
            elif name == "constant":
                values[index] = ball(Fraction(node.payload or 0))
            elif name == "integer_power":
                values[index] = _OPERATIONS[name](values[node.operands[0]], node.payload)
            else:
                values[index] = _OPERATIONS[name](*[values[i] for i in node.operands])
    return values


def _floats(values: dict[int, Any]) -> dict[int, float]:
    return {
        i: float(v) if isinstance(v, bool) else float(v.mid()) if isinstance(v, Ball) else math.nan
        for i, v in values.items()
    }
