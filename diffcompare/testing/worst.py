"""The point of a box at which a claimed gradient is worst."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.compare.arguments import Structure, structure_of
from diffcompare.compare.check import check_gradient
from diffcompare.compare.identity import trace
from diffcompare.compare.judgement import Problem
from diffcompare.compare.verdict import Verdict
from diffcompare.errors import DiffcompareError, TraceError, shorten
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.parse import parse
from diffcompare.testing.regions import HIDDEN, map_regions
from diffcompare.testing.sampling import Candidate, true_gradient, try_points

__all__ = ["WorstPoint", "find_worst"]

Floats = NDArray[np.float64]

# what a verdict may cost where the gradient is opaque (about 60 calls and a few), and how many are asked for
_VERDICT, _VERDICTS = 90, 6
_LEAST = 4 * _VERDICT
# the part of the box that a verdict looks at, in units of its width: all of it, then closer
_REACHES = (1.0, 2.0**-8, 2.0**-14)


@dataclass(frozen=True, slots=True)
class WorstPoint:
    """The worst point that was found.

    Parameters
    ----------
    point : float, array, tuple or dict of arrays
        In the structure of the box.
    error : float
        The largest claimed − certified, absolute, of its components.
    relative : float
        The same, in units of the largest certified component.
    verdict : Verdict
        What :func:`diffcompare.check_gradient` says there.
    evaluations : int
        Calls of the gradient's code, all counted: plain, traced, and those of the verdicts.
    points : int
        How many points were tried by plain calls.
    mapped : float
        The share of the box that provably takes a path through the code that was met and compared; 0 where the code
        cannot be traced.
    neighbourhood : (lower, upper)
        The part of the box that the verdict looked at.
    covered : str
        What was looked at, and what was not, in plain words.
    """

    point: Any
    error: float
    relative: float
    verdict: Verdict
    evaluations: int
    points: int
    mapped: float
    neighbourhood: tuple[Any, Any]
    covered: str


def find_worst(
    f: Callable[..., Any] | SymbolicFunction,
    gradient: Callable[..., Any],
    box: tuple[Any, Any],
    budget: int = 2000,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    noise: float | None = None,
    seed: int = 0,
) -> WorstPoint:
    """Search a box for the point at which a claimed gradient is farthest from the certified one.

    Where the gradient's code can be traced, the box is divided, by interval arithmetic, into parts that provably take
    one path through it, so that a branch is found however small its part is; on each path the code is compared with
    the derivative as a formula. Beside that, and alone where the code is opaque, points are tried: corners, 0, ±1,
    powers of two, the numbers that stand in the code and their neighbours, an even spread, and the surroundings of
    the worst. The worst points are judged by :func:`diffcompare.check_gradient`.

    A search that finds nothing is no proof, except for what ``covered`` says.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number; it must be known as a formula, by itself, by a trace or by ``formula``.
    gradient : callable
        ``gradient(x, *args)`` returns the claimed gradient in the structure of x.
    box : (lower, upper)
        Finite corners in the structure of x: numbers, arrays, tuples or dicts of arrays.
    budget : int
        The largest number of calls of the gradient's code, at least 360.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be.
    args : sequence
        Further arguments of both callables.
    noise : float, optional
        The absolute error of f, where it is not just rounded.
    seed : int
        Another seed tries other points.

    Returns
    -------
    WorstPoint

    Raises
    ------
    TraceError
        f is known neither by itself nor by a trace or a formula.
    ValueError
        A box or budget that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> def slope(x):
    ...     return np.cos(x) if x < 2.99 else -np.cos(x)
    >>> worst = find_worst(np.sin, slope, (-3.0, 3.0))
    >>> worst.verdict.status, bool(worst.point >= 2.99)
    ('wrong', True)
    """
    if not isinstance(budget, int) or budget < _LEAST:
        raise ValueError(f"budget={budget!r}: must be a whole number of at least {_LEAST}, a few verdicts' calls")
    structure, lower, upper = _corners(f, box)
    problem = Problem(
        _plain(f, structure), gradient, (lower + upper) / 2, structure.unflatten, structure.flatten,
        structure.names(), _formula(f, formula, structure.size), tuple(args), (lower, upper), noise,
    )  # fmt: skip
    known = problem.formula if problem.formula is not None else _traced(problem)
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        regions = map_regions(problem, (lower, upper), limit=(budget - _VERDICTS * _VERDICT) // 2, rng=rng)
        calls = budget - _VERDICTS * _VERDICT - regions.calls
        tried = try_points(problem, (lower, upper), true_gradient(known), calls, regions.hints, rng)
        candidates = _separate([*regions.candidates, *tried.candidates], upper - lower)
        spent = regions.calls + tried.calls
        options = {"formula": formula, "args": tuple(args), "noise": noise}
        judged = _judge(f, gradient, structure, candidates, budget - spent, (lower, upper), options)
    if judged is None:
        raise DiffcompareError(
            f"box={shorten(repr(box), 60)}: none of {tried.calls} points could be judged; "
            "pass a box inside the domain, a larger budget, or formula="
        )
    point, verdict, part, calls = judged
    if verdict.status == "wrong" and regions.contradicted(point):
        regions = replace(regions, mapped=0.0, covered=HIDDEN)
    claimed, certified = (verdict.components[name].to_numpy(dtype=float) for name in ("claimed", "certified"))
    gap = np.abs(claimed - certified)
    error = float(np.max(gap)) if gap.size else math.nan
    largest = float(np.max(np.abs(certified)))
    relative = error / largest if largest > 0 else math.inf if error > 0 else 0.0
    return WorstPoint(
        structure.unflatten(point), error, math.nan if math.isnan(error) else relative, verdict, spent + calls,
        tried.calls, regions.mapped, part, f"{tried.covered} {regions.covered}",
    )  # fmt: skip


def _corners(f: Any, box: Any) -> tuple[Structure, Floats, Floats]:
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise ValueError(f"box={shorten(repr(box), 60)}: must be (lower, upper)")
    sides = list(box)
    if isinstance(f, SymbolicFunction) and len(f.variables) > 1:
        sides = [np.full(len(f.variables), side, dtype=float) if np.ndim(side) == 0 else side for side in sides]
    (structure, lower), (other, upper) = structure_of(sides[0]), structure_of(sides[1])
    if structure != other or not (lower < upper).any() or (lower > upper).any():
        raise ValueError(
            f"box={shorten(repr(box), 60)}: lower and upper corner must have one structure, and lower be below upper"
        )
    return structure, lower, upper


def _plain(f: Any, structure: Structure) -> Callable[..., Any]:
    if not isinstance(f, SymbolicFunction):
        return f  # type: ignore[no-any-return]

    def function(x: Any, *_: Any) -> Any:
        flat = structure.flatten(x)
        return f(flat[0] if len(f.variables) == 1 else flat)

    return function


def _formula(f: Any, formula: Any, size: int) -> SymbolicFunction | None:
    if formula is None:
        return f if isinstance(f, SymbolicFunction) else None
    if isinstance(formula, str):
        known = parse(formula)
    elif isinstance(formula, SymbolicFunction):
        known = formula
    else:
        # a SymPy expression
        known = SymbolicFunction(formula, sorted(formula.free_symbols, key=str))
    if len(known.variables) != size:
        raise ValueError(
            f"formula {shorten(known.formula, 60)!r} has {len(known.variables)} variables, the box has {size} "
            "coordinates; pass diffcompare.parse(text, variables=[...]) with one name for each"
        )
    return known


def _traced(problem: Problem) -> SymbolicFunction:
    user, unflatten, args = problem.function, problem.unflatten, problem.args

    def function(flat: Any) -> Any:
        return user(unflatten(flat), *args)

    try:
        return trace(function, (problem.x.size,))
    except TraceError as error:
        raise TraceError(f"{error}; or pass formula=, what f is meant to be") from None


def _separate(candidates: list[Candidate], width: Floats) -> list[Candidate]:
    """Order candidates, the worst first, and leave out those that lie beside a worse one."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: -c.error):
        apart = [np.max(np.abs(candidate.point - k.point) / np.where(width > 0, width, 1.0)) for k in kept]
        if all(distance > 1e-3 for distance in apart):
            kept.append(candidate)
        if len(kept) == 2 * _VERDICTS:
            break
    return kept


class _SpentError(BaseException):
    """The calls are used up, which is no error of the gradient's: nothing that catches those may catch this."""


def _judge(
    f: Any, gradient: Any, structure: Structure, candidates: Sequence[Candidate], calls: int,
    box: tuple[Floats, Floats], options: dict[str, Any],
) -> tuple[Floats, Verdict, tuple[Any, Any], int] | None:  # fmt: skip
    """Ask for verdicts, the worst candidate first, until one is wrong; else the worst that could be told counts.

    A verdict that could not be told is asked for again closer to the point: a bug in a thin part looks like noise from
    outside of it.
    """
    counter = count()

    def counted(x: Any, *more: Any) -> Any:
        if next(counter) >= calls:
            raise _SpentError
        return gradient(x, *more)

    best: tuple[Floats, Verdict, tuple[Any, Any]] | None = None
    used = 0
    for candidate in candidates:
        at = structure.unflatten(candidate.point)
        for reach in _REACHES:
            if calls - used < _VERDICT:
                break
            around = reach * (box[1] - box[0])
            corners = np.maximum(box[0], candidate.point - around), np.minimum(box[1], candidate.point + around)
            part = structure.unflatten(corners[0]), structure.unflatten(corners[1])
            try:
                verdict = check_gradient(f, counted, at, box=part, **options)
            except _SpentError:
                return None if best is None else (*best, calls)
            # reading a counter takes a step of it
            used = next(counter)
            counter = count(used)
            if verdict.status == "wrong":
                return candidate.point, verdict, part, used
            if best is None or (verdict.ok and not best[1].ok):
                best = candidate.point, verdict, part
            if verdict.status != "inconclusive":
                break
    return None if best is None else (*best, used)
