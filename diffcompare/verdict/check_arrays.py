"""The verdict on a claimed Jacobian or Hessian: the ladder of the gradient, entry by entry.

Identity: function and derivative are traced once and all entries are compared as real functions. Where the derivative
is opaque, each row is the gradient of one number, and is judged as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any, Literal

import numpy as np

from diffcompare.adapters.door import adapted, adapted_along, adapted_point, remade, untraced
from diffcompare.certify.arrays import gradient_functions
from diffcompare.errors import shorten
from diffcompare.floats import Floats, as_floats
from diffcompare.program.adjoint import hessian as second_adjoint
from diffcompare.program.adjoint import hessian_along, jacobian
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.tracing.calling import called
from diffcompare.verdict.arguments import Structure, as_callable, box_of, formula_of, structure_of, takes
from diffcompare.verdict.causes.array_search import cause_in_matrix
from diffcompare.verdict.check import check_arguments, check_gradient
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import Judgement, Left
from diffcompare.verdict.ladder import Rung, climb, known_function, traced
from diffcompare.verdict.layouts import (
    flat_hessian,
    flat_jacobian,
    flat_product,
    hessian_names,
    jacobian_names,
    product_names,
)
from diffcompare.verdict.problem import Problem, real_numbers
from diffcompare.verdict.rows import (
    hessian_rows,
    judge_by_second_differences,
    judge_rows,
    output_rows,
    product_row,
    settled,
)
from diffcompare.verdict.value_and_gradient import taken_apart
from diffcompare.verdict.verdict import Verdict, combined, verdict_of
from diffcompare.watchdog import BUDGET, in_time, one_account

__all__ = ["check_hessian", "check_jacobian"]


@one_account()
@in_time
def check_jacobian(
    f: Callable[..., Any] | SymbolicFunction,
    jacobian: Callable[..., Any],
    at: Any,
    *,
    formula: SymbolicFunction | str | Sequence[Any] | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
) -> Verdict:
    """Judge whether a Jacobian is the Jacobian of a function.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number or an array of numbers.
    jacobian : callable
        ``jacobian(x, *args)`` returns the claimed Jacobian: an array of the shape of the output followed by that of x,
        or the plain matrix with a row for each output; for a tuple or dict of arrays one such array for each.
    at : array_like, tuple or dict of arrays
        The point, of any shape. Of a SymbolicFunction several points along the last axis.
    formula : SymbolicFunction, SymPy Matrix, or list of expressions or texts, optional
        What f claims to be. With none, f is traced; if that fails too, the witness rule judges.
    args, box, noise, guards, budget, evaluations
        As in :func:`check_gradient`.

    Returns
    -------
    Verdict
        Its components are the entries, called ``J[i, j]``, row by row.

    Raises
    ------
    ValueError, TypeError
        A point, box or formula that does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> f = lambda x: np.array([x[0]**2*x[1], x[0]])
    >>> verdict = check_jacobian(f, lambda x: np.array([[2*x[0]*x[1], 1.0], [x[0]**2, 0.0]]), [3.0, 5.0])
    >>> verdict.status, verdict.cause
    ('wrong', 'the components are transposed: rows and columns are exchanged')
    """
    check_arguments({"f": f, "jacobian": jacobian}, args, noise, budget, evaluations)
    f, jacobian = adapted(f, (at, *args)), adapted(jacobian, (at, *args))
    points = _points(f, adapted_point(at, (f, jacobian)))
    verdicts = [_check_jacobian(f, jacobian, point, formula, tuple(args), box, noise, guards) for point in points]
    return verdicts[0] if len(verdicts) == 1 else combined(verdicts)


def _points(f: Any, at: Any) -> list[Any]:
    if isinstance(f, SymbolicFunction):
        values, n = as_floats(at, "at"), len(f.variables)
        if n == 1:
            return [np.float64(v) for v in values.reshape(-1)]
        if values.ndim > 1 and values.shape[-1] == n:
            return list(values.reshape(-1, n))
    return [at]


def _check_jacobian(
    f: Any, claimed: Any, at: Any, formula: Any, args: tuple[Any, ...], box: Any, noise: float | None, guards: bool
) -> Verdict:
    structure, x = structure_of(at)
    known = formula_of(f, formula, structure.size)
    function = as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    shape = f.output_shape if isinstance(f, SymbolicFunction) else _output_shape(function, structure, x, args)
    size = int(np.prod(shape))
    if known is not None and len(known.components) != size:
        raise ValueError(
            f"formula {shorten(known.formula, 60)!r} has {len(known.components)} outputs, f returns {size} numbers; "
            "state one formula for each"
        )
    problem = Problem(
        function, claimed, x, structure.unflatten, partial(flat_jacobian, outputs=shape, structure=structure),
        jacobian_names(shape, structure), known, args, box_of(box, structure, x), noise,
        what="Jacobian", outputs=size, derivative=jacobian, guards=guards,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        return verdict_of(
            problem,
            climb(problem, [("identity", judge_by_identity), ("rows", _jacobian_by_rows)]),
            at,
            cause=cause_in_matrix,
            check="check_jacobian(f, jacobian",
        )


def _output_shape(function: Any, structure: Structure, x: Floats, args: tuple[Any, ...]) -> tuple[int, ...]:
    try:
        with np.errstate(all="ignore"):
            returned = real_numbers(called(function, structure.unflatten(x), *args))
    except Exception:
        # the verdict tells what it raised, or returned
        return ()
    return returned.shape if returned.size else ()


def _components(problem: Problem) -> Sequence[SymbolicFunction] | None:
    known = problem.formula or traced(problem)
    return None if known is None else known.components


def _jacobian_by_rows(problem: Problem) -> Judgement:
    formulas = _components(problem)
    return judge_rows(problem, output_rows(problem, formulas or [None] * problem.outputs))


@one_account()
@in_time
def check_hessian(
    f: Callable[..., Any] | SymbolicFunction,
    hessian: Callable[..., Any],
    at: Any,
    *,
    vector: Any = None,
    gradient: Callable[..., Any] | Literal[True] | None = None,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
) -> Verdict:
    """Judge whether a Hessian, or its product with a vector, is that of a function.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number.
    hessian : callable
        ``hessian(x, *args)`` returns the claimed matrix of second derivatives: an array of the shape of x twice over,
        or a plain matrix; for a tuple or dict of arrays a tuple or dict of such tuples or dicts. With ``vector``:
        ``hessian(x, vector, *args)``, or ``hessian(x, *args)`` where it takes no vector, returns the claimed product
        in the structure of x.
    at : array_like, tuple or dict of arrays
        The point, of any shape.
    vector : array_like, tuple or dict of arrays, optional
        In the structure of ``at``: the product of the Hessian with it is judged.
    gradient : callable or True, optional
        The gradient of f, for functions that can neither be traced nor stated as a formula: it is checked, and then
        the Hessian is judged as its Jacobian. True: f returns ``(value, gradient)``.
    formula, args, box, noise, guards, budget, evaluations
        As in :func:`check_gradient`.

    Returns
    -------
    Verdict
        Its components are the entries, called ``H[i, j]``, row by row; or those of the product, ``Hv[i]``.

    Raises
    ------
    ValueError, TypeError
        A point, vector, box or formula that does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> verdict = check_hessian(lambda x: x[0]**2*x[1], lambda x: np.array([[2*x[1], 2*x[0]], [0, 0]]), [3.0, 5.0])
    >>> verdict.status, verdict.cause
    ('wrong', 'the lower triangle is 0: a Hessian is symmetric, copy the upper one')
    """
    f, given = taken_apart(f, gradient)
    callables = {"f": f, "hessian": hessian} | ({} if given is None else {"gradient": given})
    check_arguments(callables, args, noise, budget, evaluations)
    if isinstance(f, SymbolicFunction):
        scalar(f, "check the Hessians of its .components")
    if vector is not None and takes(hessian, at, vector, *args):
        hessian = adapted_along(hessian, (at, vector, *args))
    else:
        hessian = adapted(hessian, (at, *args))
        hessian = hessian if vector is None else untraced(hessian)
    f, given = adapted(f, (at, *args)), None if given is None else adapted(given, (at, *args))
    at, vector = (None if a is None else adapted_point(a, (f, hessian)) for a in (at, vector))
    points = [at] if vector is not None else _points(f, at)
    verdicts = [
        _check_hessian(f, hessian, point, vector, given, formula, tuple(args), box, noise, guards) for point in points
    ]
    return verdicts[0] if len(verdicts) == 1 else combined(verdicts)


def _check_hessian(
    f: Any, claimed: Any, at: Any, vector: Any, gradient: Any, formula: Any, args: tuple[Any, ...], box: Any,
    noise: float | None, guards: bool,
) -> Verdict:  # fmt: skip
    structure, x = structure_of(at)
    known = formula_of(f, formula, structure.size)
    if known is not None:
        scalar(known, "state the formula of one number")
    function = as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    if vector is None:
        v, flatten, names, what = None, partial(flat_hessian, structure=structure), hessian_names(structure), "Hessian"
        derivative, check = second_adjoint, "check_hessian(f, hessian"
    else:
        v = _vector(vector, structure)
        flatten, names = partial(flat_product, structure=structure), product_names(structure)
        what, derivative = "Hessian-vector product", partial(hessian_along, vector=[Fraction(c) for c in v.tolist()])
        claimed, check = _product(claimed, structure, x, v, args), "check_hessian(f, hessian, vector=vector"
    problem = Problem(
        function, claimed, x, structure.unflatten, flatten, names, known, args, box_of(box, structure, x), noise,
        what=what, derivative=derivative, guards=guards,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        judgement = climb(problem, [("identity", judge_by_identity), *_rungs_of_rows(v, gradient, structure)])
        return verdict_of(problem, judgement, at, cause=cause_in_matrix, check=check)


def _vector(vector: Any, structure: Structure) -> Floats:
    try:
        v = as_floats(structure.flatten(vector, "a vector"), "vector")
    except ValueError as error:
        raise ValueError(f"vector: {error}") from None
    if not np.isfinite(v).all():
        raise ValueError("vector: its numbers must be finite")
    return v


def _product(claimed: Any, structure: Structure, x: Floats, v: Floats, args: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the claim as a function of the point alone, whether it takes the vector or holds it."""
    if not takes(claimed, structure.unflatten(x), structure.unflatten(v), *args):
        return claimed  # type: ignore[no-any-return]
    vector = structure.unflatten(v)

    # a trace sees what a partial holds
    return remade(claimed, lambda call: partial(_with_vector, call, vector))


def _with_vector(call: Callable[..., Any], vector: Any, point: Any, *more: Any) -> Any:
    return call(point, vector, *more)


def _rungs_of_rows(v: Floats | None, gradient: Any, structure: Structure) -> list[Rung]:
    """Return the rungs below identity: the rows by a formula or trace, by the gradient that was given, by f alone."""
    given = partial(_hessian_by_gradient, v=v, gradient=gradient, structure=structure)
    return [
        ("neighbours", partial(_hessian_by_rows, v=v)),
        *([] if gradient is None else [("gradient", given)]),
        ("witness", partial(_hessian_by_values, v=v)),
    ]


def _hessian_by_rows(problem: Problem, v: Floats | None) -> Judgement | Left:
    known = known_function(problem)
    if isinstance(known, Left):
        return known
    rows = hessian_rows(problem, known) if v is None else [product_row(problem, known, v)]
    judgement = settled(judge_rows(problem, rows), known, problem.x, matrix=v is None)
    return _blamed(problem, judgement)


def _hessian_by_gradient(problem: Problem, v: Floats | None, gradient: Any, structure: Structure) -> Judgement | Left:
    own = check_gradient(
        problem.function, gradient, structure.unflatten(problem.x), args=problem.args, noise=problem.noise,
        box=None if problem.box is None else tuple(map(structure.unflatten, problem.box)),
    )  # fmt: skip
    if own.status in ("wrong", "non-smooth", "out-of-domain"):
        return Left(f"the gradient that was given is itself {own.status}")
    return _by_gradient(problem, v, gradient, structure, own.status)


def _hessian_by_values(problem: Problem, v: Floats | None) -> Judgement:
    n = problem.x.size
    if n > _FEW and v is None:
        nothing = np.full(n * n, np.nan)
        note = "neither f nor a gradient can be read: pass formula=, gradient=, or some vector= at a time"
        return Judgement("witness", ("inconclusive",) * n**2, nothing, nothing, nothing, np.nan, None, (note,))
    return judge_by_second_differences(problem, np.eye(n) if v is None else v[None, :])


# rows of a Hessian that are judged by values of f alone
_FEW = 12


def _by_gradient(problem: Problem, v: Floats | None, gradient: Any, structure: Structure, status: str) -> Judgement:
    """Judge the Hessian as the Jacobian of the gradient that was given; a product as the gradient of ∇f·v."""

    def slopes(point: Any, *more: Any) -> Any:
        return gradient(point, *more) if structure.kind == "array" else structure.flatten(gradient(point, *more))

    def slope(point: Any, *more: Any) -> Any:
        return structure.flatten(gradient(point, *more)) @ v

    if v is None:
        other = replace(problem, function=slopes, outputs=problem.x.size, derivative=jacobian)
        judgement = climb(other, [("identity", judge_by_identity), ("rows", _jacobian_by_rows)])
    else:
        judgement = judge_rows(problem, output_rows(replace(problem, function=slope), [None]))
    note = f"f cannot be read: the claim was compared with the gradient that was given, which is {status}"
    return replace(judgement, notes=(*judgement.notes, note))


def _blamed(problem: Problem, judgement: Judgement) -> Judgement:
    """Blame the formula where f is not what it claims to be."""
    formula = problem.formula
    if formula is None or judgement.blame == "formula":
        return judgement
    slopes = gradient_functions(formula)
    own = check_gradient(
        lambda x: problem.value(np.ravel(x)), lambda x: np.array([s(x if len(x) > 1 else x[0]) for s in slopes]),
        problem.x, formula=formula,
    )  # fmt: skip
    if own.blame != "formula":
        return judgement
    return replace(judgement, status=("wrong",) * len(judgement.status), blame="formula", notes=own.notes)
