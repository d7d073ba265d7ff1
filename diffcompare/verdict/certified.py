"""Certified derivatives of code: traced as a program of arrays, so that it may have very many variables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.adapters.door import adapted, adapted_point, remade
from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.certify import arrays, reference
from diffcompare.certify.arrays import ReferenceArray
from diffcompare.certify.reference import Reference
from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint, hessian, jacobian
from diffcompare.program.dag import Program
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.array_ufuncs import table_here
from diffcompare.tracing.calling import called
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.handle import has_handles, made, stored
from diffcompare.tracing.keeping import kept
from diffcompare.verdict.arguments import structure_of
from diffcompare.verdict.array_identity import judge_arrays
from diffcompare.verdict.array_pair import derivative_of
from diffcompare.verdict.judgement import Judgement, Left
from diffcompare.verdict.observation import observe
from diffcompare.verdict.problem import Problem, State, real_numbers
from diffcompare.watchdog import one_account

__all__ = ["certified_gradient", "certified_hessian", "certified_jacobian"]

_STATUSES = {"consistent": "ok", "non-smooth": "kink", "out-of-domain": "domain"}


@one_account()
def certified_gradient(f: SymbolicFunction | Callable[..., Any], point: Any, *, args: Sequence[Any] = ()) -> Reference:
    """Certify the gradient of a function, or of code, at a point.

    Proven for a function: where the status is ``ok`` the value is the true partial derivative at the exact binary64
    point, rounded to nearest even. For code this holds as far as its trace is what runs, which is validated at the
    point and beside it. Differentiability is judged along each axis alone.

    Parameters
    ----------
    f : SymbolicFunction or callable
        A callable ``f(x, *args)`` of NumPy or JAX operations that returns one number.
    point : float, array_like, tuple or dict of arrays
        Finite. Of a function one coordinate per variable, in their order; of code its argument, of any shape.
    args : sequence
        Further arguments of the code.

    Returns
    -------
    Reference
        ``.value`` float64 of shape (n,), ``.status`` list of n; of an array in its flat order.

    Raises
    ------
    ValueError
        Wrong number of coordinates, or one that is nan or infinite.
    TraceError
        Code that cannot be traced as a program of arrays; the message says why.

    References
    ----------
    S. M. Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010);
    A. Ziv, Fast evaluation of elementary mathematical functions with correctly rounded last bit, ACM TOMS 17 (1991):
    the precision is raised until rounding both ends of the enclosure gives one number.

    Examples
    --------
    >>> import diffcompare as dc
    >>> import numpy as np
    >>> certified_gradient(dc.parse("x0**2 + x1**2"), [3.0, 4.0]).value.tolist()
    [6.0, 8.0]
    >>> certified_gradient(lambda x: np.sum(x**2), [3.0, 4.0]).value.tolist()
    [6.0, 8.0]
    >>> certified_gradient(dc.parse("abs(x)"), 0.0).status
    ['kink']
    """
    if isinstance(f, SymbolicFunction):
        return reference.certified_gradient(f, point)
    value, status, _ = _certified(f, point, args, adjoint)
    return Reference(value, status.tolist())


@one_account()
def certified_jacobian(
    f: SymbolicFunction | Callable[..., Any], point: Any, *, args: Sequence[Any] = ()
) -> ReferenceArray:
    """Certify the Jacobian of a function, or of code, at a point.

    Proven, entry by entry, as :func:`certified_gradient` proves the gradient of each output.

    Parameters
    ----------
    f : SymbolicFunction or callable
        Of one value or of an array of values; code as in :func:`certified_gradient`, of at most 400 values.
    point, args
        As in :func:`certified_gradient`.

    Returns
    -------
    ReferenceArray
        ``.value`` float64 and ``.status`` of shape ``f.output_shape + (n,)``: entry [i, j] is ∂fᵢ/∂xⱼ.

    Raises
    ------
    ValueError, TraceError
        As in :func:`certified_gradient`.

    Examples
    --------
    >>> import diffcompare as dc
    >>> certified_jacobian(dc.parse(["x0*x1", "abs(x1)"]), [3.0, 0.0]).value.tolist()
    [[0.0, 3.0], [0.0, nan]]
    >>> certified_jacobian(lambda x: x**2, [3.0, 4.0]).value.tolist()
    [[6.0, 0.0], [0.0, 8.0]]
    """
    if isinstance(f, SymbolicFunction):
        return arrays.certified_jacobian(f, point)
    value, status, shape = _certified(f, point, args, jacobian)
    return ReferenceArray(value.reshape(*shape, -1), status.reshape(*shape, -1))


@one_account()
def certified_hessian(
    f: SymbolicFunction | Callable[..., Any], point: Any, *, args: Sequence[Any] = ()
) -> ReferenceArray:
    """Certify the matrix of second derivatives of a function, or of code, at a point.

    Proven: where the status of entry [i, j] is ``ok``, both mixed derivatives ∂ⱼ∂ᵢf and ∂ᵢ∂ⱼf exist at the exact
    binary64 point and are equal, and the value is theirs, rounded to nearest even. ``kink``: ∂ᵢf or ∂ⱼf has no value
    at the point, or one of them has different slopes on its two sides. ``domain``: f or a first derivative is not
    defined on one side. Where the point lies exactly on a corner or an edge, the sides of a first derivative are
    looked at along its own axis; off the diagonal only what the formula says to be 0 is ``ok`` there, the rest
    ``undecided``; code is refused there.

    Parameters
    ----------
    f : SymbolicFunction or callable
        Of one value; code as in :func:`certified_gradient`, of at most 400 variables.
    point, args
        As in :func:`certified_gradient`.

    Returns
    -------
    ReferenceArray
        ``.value`` float64 and ``.status`` of shape (n, n), both symmetric.

    Raises
    ------
    ValueError, TraceError
        A vector function, or as in :func:`certified_gradient`.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 5.4: the adjoint of the adjoint.

    Examples
    --------
    >>> import diffcompare as dc
    >>> certified_hessian(dc.parse("x0**2*x1"), [3.0, 5.0]).value.tolist()
    [[10.0, 6.0], [6.0, 0.0]]
    >>> certified_hessian(lambda x: x[0] ** 2 * x[1], [3.0, 5.0]).value.tolist()
    [[10.0, 6.0], [6.0, 0.0]]
    """
    if isinstance(f, SymbolicFunction):
        return arrays.certified_hessian(f, point)
    value, status, _ = _certified(f, point, args, hessian)
    n = math.isqrt(value.size)
    return ReferenceArray(value.reshape(n, n), status.reshape(n, n))


def _certified(
    f: Callable[..., Any], point: Any, args: Sequence[Any], derivative: Callable[[Program], Program]
) -> tuple[Floats, NDArray[np.str_], tuple[int, ...]]:
    """Certify a derivative of code: its values, their statuses, and the shape of what the code returns."""
    function = adapted(f, (point, *args))
    structure, x = structure_of(adapted_point(point, (function,)))
    shape = real_numbers(called(function, structure.unflatten(x), *args)).shape if derivative is jacobian else ()
    outputs = math.prod(shape)
    count = {adjoint: x.size, jacobian: outputs * x.size, hessian: x.size**2}[derivative]
    names = tuple(map(str, range(count)))
    posed = Problem(
        function, function, x, structure.unflatten, _flat, names, None, tuple(args), outputs=outputs,
        derivative=derivative,
    )  # fmt: skip
    # a trace sees what a partial holds
    claimed = remade(function, lambda call: partial(_derivative, call, posed))
    if isinstance(claimed, Foreign):
        # the other library cannot run on what a trace holds
        claimed = replace(claimed, run=claimed.in_numpy())
    problem = replace(posed, gradient=claimed)
    with np.errstate(all="ignore"):
        seen = observe(problem)
        if isinstance(seen, Judgement) and isinstance(seen.error, TraceError):
            raise seen.error
        found = judge_arrays(problem, seen) if isinstance(seen, State) else Left("; ".join(seen.notes))
    if isinstance(found, Left):
        raise TraceError(f"{found.reason}; certify a formula, or a function that dc.trace makes")
    return found.certified, np.array([_STATUSES.get(word, "undecided") for word in found.status]), shape


def _flat(value: Any) -> Floats:
    return np.asarray(value, dtype=np.float64)


def _derivative(function: Callable[..., Any], posed: Problem, point: Any, *args: Any) -> Any:
    """Differentiate code: within a trace the nodes of its derivative, elsewhere the floats."""
    parts = list(point.values()) if isinstance(point, Mapping) else [point]
    if has_handles([*parts, *args]):
        table = table_here()
        value = made(table, function(point, *args))
        node, _ = derivative_of(posed, table.build, table.build.reshape(value.node, (value.size,)))
        return stored(table, node, array_floats(table.build, [node], table.point)[0])
    flat = np.concatenate([np.ravel(part) for part in (point if isinstance(point, tuple) else parts)])
    table = ArrayTable(flat.astype(np.float64))
    arguments = (placed_arrays(posed.unflatten(np.arange(flat.size, dtype=float)), table), *args)
    trace = record_arrays(function, arguments, table=table, keeping=kept((function, *args)))
    return array_floats(table.build, [derivative_of(posed, table.build, trace.output)[0]], table.point)[0]
