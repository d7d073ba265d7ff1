"""NumPy code as a function that is known as a program: traced at a few points, and held against the float code."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.adapters.door import adapted
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.arithmetic.first_order import reverse_errors
from diffcompare.arithmetic.roundings.special_constants import SPECIAL
from diffcompare.arithmetic.running_error import local_bounds
from diffcompare.errors import TraceError, UnsupportedFunction
from diffcompare.floats import Floats, float_copy, sides_of, unit_roundoff
from diffcompare.program.dag import Program, needed_nodes, subprogram
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.paths import Paths, nearby_points, sample_points
from diffcompare.tracing.trace import CodeError
from diffcompare.verdict.difference import evaluate, midpoints, node_balls

__all__ = ["trace"]

# beyond so many operands the proven bound would take longer than all the rest
_PROVEN_OPERANDS = 20_000
_BITS = 128


def trace(
    function: Callable[..., Any],
    shape: int | Sequence[int],
    *,
    name: str | None = None,
    box: Any = None,
    near: ArrayLike | None = None,
    exact: bool = False,
) -> SymbolicFunction:
    """Turn NumPy code into a function that is known as a program.

    The code is run on traced numbers at a few points; where it branches on a value, each path that is met becomes a
    branch of the program, which is undefined on paths that were not met. The program is validated: at these points and
    others it agrees with the float code within the proven bound of its rounding error.

    Parameters
    ----------
    function : callable
        Takes an array of this shape (a float for ``()``) and returns one number, or an array of one shape. It is
        called with copies.
    shape : int or tuple of int
        The shape of the point; its numbers, flattened, are the variables.
    name : str, optional
        Default: the name of the function.
    box : (lower, upper), optional
        Numbers, or arrays of n numbers; the code is run inside alone.
    near : array_like of n numbers, optional
        The code is run at this point and around it alone; default: at points of all sizes and signs.
    exact : bool
        Arithmetic among numbers of the code is exact, as in a comparison of two traces; default: it rounds as in the
        code. A long trace is refused then.

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
    try:
        shape = tuple(index(k) for k in np.atleast_1d(np.asarray(shape, dtype=object)))
    except TypeError:
        raise ValueError(f"shape={shape!r}: these are no whole numbers; pass the shape of the point") from None
    n = math.prod(shape)
    if n < 1:
        raise ValueError(f"shape={shape!r}: there must be at least one number; pass a shape without 0")
    title = str(name or getattr(function, "__name__", type(function).__name__))
    names = ("x",) if n == 1 else tuple(f"x{i}" for i in range(n))
    if near is not None:
        near = float_copy("near", near).ravel()
        if near.size != n:
            raise ValueError(f"near has {near.size} numbers: the shape {shape} has {n}; pass as many")
    points = sample_points(n) if near is None else nearby_points(near)
    if box is not None:
        points = [_inside(point, box) if near is None else np.clip(point, *box) for point in points]
    adaptable = adapted(function, (points[0].reshape(shape)[()],))
    foreign = isinstance(adaptable, Foreign)
    function = (adaptable.wide or adaptable) if isinstance(adaptable, Foreign) else function
    paths = Paths(function, shape, names, lambda program, point: evaluate(program, point, _BITS), exact=exact)
    failure: TraceError | None = None
    checked = 0
    for point in points:
        values = paths.values(point)
        if np.isnan(values).all() and paths.found:
            continue
        try:
            found = paths.at(point)
        except CodeError as error:
            if near is not None and point is points[0] and np.isfinite(values).all():
                # the error is the trace's, and what other points do says nothing about this one
                raise
            # perhaps on purpose: another point may do
            failure = failure or error
            continue
        if found is not None and np.isfinite(values).any():
            path, program = found
            if path.casts:
                raise TraceError(
                    f"{path.casts[0].place}: a conversion to {path.casts[0].bits}-bit numbers: the rounding "
                    "of a program is that of binary64; leave the conversion out"
                )
            for k, value in enumerate(values.tolist()):
                one = program if len(program.outputs) == 1 else subprogram(program, [program.outputs[k]])
                if math.isfinite(value):
                    # the constants of rounding are those of NumPy's and SciPy's functions
                    checked += _agrees(title, one, point, value, slack=64 if path.eliminated or foreign else 1)
    if failure is not None and not paths.found:
        raise failure
    if not checked:
        raise TraceError(f"{title}: there is no point where the trace could be validated; check that values are finite")
    return SymbolicFunction.from_program(
        paths.program(), formula=title, name=title, source="python", output_shape=paths.output_shape or ()
    )


def _inside(point: Floats, box: tuple[Any, Any]) -> Floats:
    """Move a point into a box: spread over the sides that are finite, clipped by the others."""
    lower, upper = (np.broadcast_to(np.asarray(side, dtype=np.float64), point.shape) for side in sides_of(box))
    finite = np.isfinite(lower) & np.isfinite(upper)
    with np.errstate(all="ignore"):
        spread = lower + (upper - lower) * np.modf(7 * np.abs(point))[0]
    return np.clip(np.where(finite, spread, point), lower, upper)


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
        try:
            proven = math.fsum(local_bounds(program, point.tolist()))
            # there is none where the program holds a special function of unknown accuracy
            if math.isfinite(proven) or not any(node.operation in SPECIAL for node in program.nodes):
                return proven
        except UnsupportedFunction:
            # a long recursion with numbers of 53 bits: their product is too long for an exact constant
            pass
    values = node_balls(program.nodes, program.outputs, point, 64)
    order = needed_nodes(program.nodes, program.outputs)
    return 8 * reverse_errors(program.nodes, order, midpoints(values), program.outputs[0], unit_roundoff)[0]
