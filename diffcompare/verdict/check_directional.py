"""The verdict on slopes along random directions: few numbers that see every component of a gradient at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diffcompare.adapters.door import adapted, adapted_along, adapted_point, remade
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint_along
from diffcompare.program.dag import Program
from diffcompare.program.lines import on_line
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.tracing.calling import called
from diffcompare.verdict.arguments import Structure, as_callable, box_of, formula_of, structure_of, takes
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.nearby import nearby, program_of
from diffcompare.verdict.causes.search import Cause, find_cause_nearby, quiet
from diffcompare.verdict.check import check_arguments
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import Judgement, Left
from diffcompare.verdict.ladder import climb, traced
from diffcompare.verdict.problem import Problem, real_numbers
from diffcompare.verdict.rows import Row, judge_rows
from diffcompare.verdict.value_and_gradient import taken_apart
from diffcompare.verdict.verdict import Verdict, verdict_of
from diffcompare.watchdog import BUDGET, in_time, one_account

__all__ = ["check_directional"]


# more variables than this are not traced: each direction is a function of one variable then
_TRACED = 20_000
# nodes of a program that is taken along every direction and evaluated in balls at every neighbour
_SMALL = 60


@one_account()
@in_time
def check_directional(
    f: Callable[..., Any] | SymbolicFunction,
    derivative: Callable[..., Any] | Literal[True],
    at: Any,
    *,
    directions: int = 16,
    seed: int = 0,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    box: Any = None,
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    evaluations: int | None = None,
) -> Verdict:
    """Judge a gradient, or a function of slopes, along random directions.

    For many variables: an error in any component of a gradient moves nearly every slope. The numbers of a direction
    are ±(½ … 1) times the size of the coordinate, so that all are seen alike.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number.
    derivative : callable or True
        ``derivative(x, *args)`` returns the claimed gradient in the structure of x, or, where it takes one argument
        more, ``derivative(x, v, *args)`` the claimed slope ∇f(x)·v. True: f returns ``(value, gradient)``.
    at : array_like, tuple or dict of arrays
        The point, of any shape.
    directions : int
        How many random directions.
    seed : int
        Of the random numbers.
    formula, args, box, noise, guards, budget, evaluations
        As in :func:`check_gradient`.

    Returns
    -------
    Verdict
        Its components are the slopes, called ``along v0``, ``along v1`` …

    Raises
    ------
    ValueError, TypeError
        A point, box, formula or number of directions that does not fit; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 2000)
    >>> check_directional(lambda x: np.sum(x**3), lambda x: 3*x**2, x).status
    'consistent'
    >>> check_directional(lambda x: np.sum(x**3), lambda x, v: np.sum(x**2*v), x).cause
    'factor 3 missing: the claim is D/3 in every component'
    """
    written = f"check_directional(f, {'True' if derivative is True else 'derivative'}"
    f, claimed = taken_apart(f, derivative)
    check_arguments({"f": f, "derivative": claimed}, args, noise, budget, evaluations)
    if isinstance(directions, bool) or not isinstance(directions, int | np.integer) or directions < 1:
        raise ValueError(f"directions={directions!r}: a whole number of at least 1 is needed")
    is_gradient = takes(claimed, at, *args)
    f = adapted(f, (at, *args))
    claimed = adapted(claimed, (at, *args)) if is_gradient else adapted_along(claimed, (at, at, *args))
    structure, x = structure_of(adapted_point(at, (f, claimed)))
    known = formula_of(f, formula, structure.size)
    if known is not None:
        scalar(known, "check one of its .components")
    function = as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    vectors = _directions(x, int(directions), seed)
    names = tuple(f"along v{k}" for k in range(len(vectors)))
    weights: Floats | None = vectors
    flatten: Callable[[Any], Any] = structure.flatten
    slope = None
    if not is_gradient:
        slope = claimed
        claimed, weights, flatten = _slopes(claimed, structure, vectors), None, _flat_slopes
    problem = Problem(
        function, claimed, x, structure.unflatten, flatten, names, known, tuple(args), box_of(box, structure, x),
        noise, what="directional derivative", weights=weights, derivative=partial(_along, vectors=vectors),
        directions=vectors, guards=guards,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        lines = partial(_by_lines, vectors=vectors, slope=slope, structure=structure)
        judgement = climb(problem, [("identity", _by_identity), ("lines", lines)])
        return verdict_of(problem, judgement, at, cause=_cause, check=written)


def _directions(x: Floats, count: int, seed: int) -> Floats:
    """Draw directions whose numbers have 4 bits: they are exact in the code and in the program."""
    rng = np.random.default_rng(seed)
    largest = float(np.abs(x).max()) or 1.0
    sizes = np.maximum(np.abs(x), 2.0**-20 * largest)
    scales = 2.0 ** np.floor(np.log2(sizes))
    return np.asarray(rng.choice((-1.0, 1.0), (count, x.size)) * rng.integers(4, 9, (count, x.size)) / 8 * scales)


def _along(program: Program, vectors: Floats) -> Program:
    return adjoint_along(program, vectors.tolist())


def _slopes(claimed: Any, structure: Structure, vectors: Floats) -> Callable[..., Any]:
    """Return the slopes along all directions as one function of the point."""
    directions = [structure.unflatten(v) for v in vectors]

    # a trace sees what a partial holds
    return remade(claimed, lambda call: partial(_along_all, call, directions))


def _along_all(call: Callable[..., Any], directions: Sequence[Any], point: Any, *more: Any) -> list[Any]:
    return [call(point, v, *more) for v in directions]


def _flat_slopes(returned: Any) -> NDArray[Any]:
    try:
        arrays = [real_numbers(value) for value in returned]
    except TypeError as error:
        raise ValueError(f"a slope must be one real number, got {error}") from error.__cause__
    for array in arrays:
        if array.size != 1:
            raise ValueError(f"a slope must be one real number, got {array.dtype} of shape {array.shape}")
    return np.array([array.reshape(()) for array in arrays])


def _by_identity(problem: Problem) -> Judgement | Left:
    if problem.x.size > _TRACED:
        return Left(f"more than {_TRACED:,} variables are not traced")
    return judge_by_identity(problem)


def _by_lines(problem: Problem, vectors: Floats, slope: Any, structure: Structure) -> Judgement:
    """Judge each slope as the derivative of t ↦ f(x + t·v) at 0."""
    known = problem.formula or (traced(problem) if problem.x.size <= _TRACED else None)
    rows = []
    for v in vectors:
        small = known is not None and len(known.program) <= _SMALL
        line = _line(known, problem.x, v) if known is not None and small else None
        rows.append(Row(_on_line(problem, v), _claim(problem, v, slope, structure), line))
    line_problem = replace(problem, x=np.zeros(1), box=_room(problem, vectors))
    return replace(judge_rows(line_problem, rows), known=known)


def _line(known: SymbolicFunction, x: Floats, v: Floats) -> SymbolicFunction:
    return SymbolicFunction.from_program(on_line(known.program, x.tolist(), v.tolist()), formula=known.name)


def _on_line(problem: Problem, v: Floats) -> Callable[[Floats], Any]:
    return lambda t: called(problem.function, problem.unflatten(problem.x + t[0] * v), *problem.args)


def _claim(problem: Problem, v: Floats, slope: Any, structure: Structure) -> Callable[[Floats], NDArray[Any]]:
    def claim(t: Floats) -> NDArray[Any]:
        point = problem.unflatten(problem.x + t[0] * v)
        if slope is not None:
            return np.asarray(called(slope, point, structure.unflatten(v), *problem.args)).reshape(1)
        # no dot product of the linear algebra library: its threads wait for one another longer than all else takes
        return np.array([np.sum(v * problem.flatten(called(problem.gradient, point, *problem.args)))])

    return claim


def _room(problem: Problem, vectors: Floats) -> tuple[Floats, Floats] | None:
    """Return how far t may move so that no line leaves the box."""
    if problem.box is None:
        return None
    lower, upper = problem.box
    rooms = np.minimum(upper - problem.x, problem.x - lower) / np.abs(vectors)
    room = np.array([float(rooms.min())])
    return -room, room


@quiet
def _cause(problem: Problem, judgement: Judgement, difference: Floats, _shape: tuple[int, ...] | None) -> Cause | None:
    """Find out what all slopes have in common; the components of the gradient are not seen here."""
    budget = Budget()
    asked = nearby(problem, judgement, program_of(problem, judgement, budget), budget)
    found = find_cause_nearby(problem, judgement, difference, None, asked, budget)
    return found if found is not None and found.kind in ("not finite", "sign", "factor", "float32") else None
