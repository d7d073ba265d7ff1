"""The certified gradient of code: traced as a program of arrays, so that it may have very many variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from diffcompare.adapters.door import adapted, adapted_point, remade
from diffcompare.arithmetic.array_floats import array_floats
from diffcompare.certify import reference
from diffcompare.certify.reference import Reference
from diffcompare.errors import TraceError
from diffcompare.floats import Floats
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import placed_arrays, record_arrays
from diffcompare.tracing.array_ufuncs import table_here
from diffcompare.tracing.handle import has_handles, made, stored
from diffcompare.tracing.keeping import kept
from diffcompare.verdict.arguments import Structure, structure_of
from diffcompare.verdict.array_identity import judge_arrays
from diffcompare.verdict.judgement import Left
from diffcompare.verdict.observation import observe
from diffcompare.verdict.problem import Problem, State
from diffcompare.watchdog import one_account

__all__ = ["certified_gradient"]

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
    function = adapted(f, (point, *args))
    structure, x = structure_of(adapted_point(point, (function,)))
    names = structure.names()
    # a trace sees what a partial holds
    derivative = remade(function, lambda call: partial(_derivative, call, structure))
    problem = Problem(function, derivative, x, structure.unflatten, _flat, names, args=tuple(args))
    with np.errstate(all="ignore"):
        seen = observe(problem)
        found = judge_arrays(problem, seen) if isinstance(seen, State) else Left("; ".join(seen.notes))
    if isinstance(found, Left):
        raise TraceError(f"{found.reason}; certify a formula, or a function that dc.trace makes")
    return Reference(found.certified, [_STATUSES.get(word, "undecided") for word in found.status])


def _flat(value: Any) -> Floats:
    return np.asarray(value, dtype=np.float64)


def _derivative(function: Callable[..., Any], structure: Structure, point: Any, *args: Any) -> Any:
    """Differentiate code: within a trace the nodes of its derivative, elsewhere the floats."""
    if has_handles([point, *args] if not isinstance(point, Mapping) else list(point.values())):
        table = table_here()
        value = made(table, function(point, *args))
        node = array_gradient(table.build, table.build.reshape(value.node, ()))
        return stored(table, node, array_floats(table.build, [node], table.point)[0])
    flat = np.asarray(structure.flatten(point), dtype=np.float64)
    table = ArrayTable(flat)
    arguments = (placed_arrays(structure.unflatten(np.arange(flat.size, dtype=float)), table), *args)
    trace = record_arrays(function, arguments, table=table, keeping=kept((function, *args)))
    node = array_gradient(table.build, table.build.reshape(trace.output, ()))
    return array_floats(table.build, [node], flat)[0]
