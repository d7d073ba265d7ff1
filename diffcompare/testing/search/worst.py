"""The point of a box at which a claimed gradient is worst."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from diffcompare.errors import DiffcompareError, shorten, shown
from diffcompare.floats import Floats, sides_of
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.testing.search.judging import VERDICT, VERDICTS, Calls, cost_of, in_turn, judge
from diffcompare.testing.search.regions import HIDDEN, map_regions
from diffcompare.testing.search.sampling import Tried, true_gradient, try_points
from diffcompare.testing.snippets import source
from diffcompare.verdict.arguments import Structure, as_callable, formula_of, structure_of
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import observe
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.traced import trace
from diffcompare.verdict.value_and_gradient import taken_apart
from diffcompare.verdict.verdict import Verdict
from diffcompare.watchdog import BUDGET

__all__ = ["WorstPoint", "find_worst"]


_LEAST = 4 * VERDICT
# where nothing could be judged: at how many points the calls are looked at, what that costs, how many reasons are told
_ASKED, _OBSERVING, _REASONS = 32, 6, 3


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
        Calls of the gradient's code, all counted: plain, traced, and those of the verdicts; and those of an opaque f.
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
    gradient: Callable[..., Any] | Literal[True],
    box: Any,
    evaluations: int = 2000,
    *,
    formula: SymbolicFunction | str | Any = None,
    args: Sequence[Any] = (),
    noise: float | None = None,
    guards: bool = False,
    budget: float = BUDGET,
    seed: int = 0,
) -> WorstPoint:
    """Search a box for the point at which a claimed gradient is farthest from the certified one.

    Where the gradient's code can be traced, the box is divided, by interval arithmetic, into parts that provably take
    one path through it, so that a branch is found however small its part is; on each path the code is compared with
    the derivative as a formula. Beside that, and alone where the code is opaque, points are tried: corners, 0, ±1,
    powers of two, the numbers that stand in the code and their neighbours, an even spread, and the surroundings of
    the worst. The worst points are judged by :func:`diffcompare.check_gradient`.

    The search ends with ``wrong`` where a point is wrong. Kinks, points outside the domain, and points of which nothing
    can be told are no faults amid points that are consistent: ``covered`` counts them and names the first of each. The
    same holds for a point at which floats overflow or underflow on the way to a right derivative: the claim is not
    finite and numbers beyond 2^±340 are involved, or claim and derivative are both below 2^-340. So it is
    for a component that is wrong beside another one that has a kink, and, where the code is opaque, for a single float
    between floats at which the claim is right: such is a rounded boundary between two formulas. Where no point is
    consistent, the worst verdict is returned.

    A search that finds nothing is no proof, except for what ``covered`` says.

    Parameters
    ----------
    f : callable or SymbolicFunction
        ``f(x, *args)`` returns one number. Where it is known neither by itself nor by a trace or ``formula``, its
        differences choose the points, and the verdicts see less.
    gradient : callable or True
        ``gradient(x, *args)`` returns the claimed gradient in the structure of x. True: f returns
        ``(value, gradient)``.
    box : (lower, upper), or Bounds, or sequence of (low, high)
        Finite corners in the structure of x: numbers, arrays, tuples or dicts of arrays; or as SciPy has them, see
        :func:`diffcompare.check_gradient`.
    evaluations : int
        The largest number of calls of the gradient's code, at least 360; where f is known neither by itself nor by a
        trace or ``formula``, of calls of both together.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be.
    args : sequence
        Further arguments of both callables.
    noise : float, optional
        The absolute error of f, in units of f, where it is not just rounded.
    guards : bool
        Judge f without guards that the gradient ignores, as :func:`diffcompare.check_gradient` does.
    budget : float
        Seconds that one verdict may take.
    seed : int
        Another seed tries other points.

    Returns
    -------
    WorstPoint

    Raises
    ------
    DiffcompareError
        The evaluations did not do for a single verdict.
    ValueError
        A box or number of evaluations that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> def slope(x):
    ...     return np.cos(x) if x < 2.99 else -np.cos(x)
    >>> worst = find_worst(np.sin, slope, (-3.0, 3.0))
    >>> worst.verdict.status, bool(worst.point >= 2.99)
    ('wrong', True)
    """
    if not isinstance(evaluations, int) or evaluations < _LEAST:
        least = f"at least {_LEAST}, a few verdicts' calls"
        raise ValueError(f"evaluations={evaluations!r}: must be a whole number of {least}")
    f, claim = taken_apart(f, gradient)
    structure, lower, upper = _corners(f, box)
    plain = as_callable(f, structure) if isinstance(f, SymbolicFunction) else f
    problem = Problem(
        plain, claim, (lower + upper) / 2, structure.unflatten, structure.flatten, structure.names(),
        formula_of(f, formula, structure.size), tuple(args), (lower, upper), noise,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        known = problem.formula if problem.formula is not None else _traced(problem)
        # where f is opaque its calls count, too: two to choose a point by, beside that of the gradient
        each, cost = (1 if known is not None else 3), cost_of(structure.size, known=known is not None)
        # what is left for points
        calls = evaluations - min(VERDICTS * cost, 3 * evaluations // 4)
        regions = map_regions(problem, (lower, upper), limit=calls // 2, rng=rng)
        calls -= regions.calls
        true = true_gradient(known, problem)
        tried = try_points(problem, (lower, upper), true, calls // each, regions.hints, rng)
        spent = regions.calls + each * tried.calls
        counter = Calls()
        asked = f if known is not None else counter.of(f)

        def check(counted: Callable[..., Any], at: Any, part: tuple[Any, Any]) -> Verdict:
            return check_gradient(
                asked, counted, at,
                formula=formula, args=tuple(args), box=part, noise=noise, guards=guards, budget=budget,
            )  # fmt: skip

        judged = judge(
            check, problem, in_turn([*regions.candidates, *tried.candidates], upper - lower), tried.ordinary,
            evaluations - spent, counter, known, true,
        )  # fmt: skip
    if judged is None:
        with np.errstate(all="ignore"):
            why = _in_the_way(problem, tried, evaluations - spent)
        raise DiffcompareError(
            f"box={shorten(repr(box), 60)}: none of {tried.calls} points could be judged: {why}; "
            "pass a box inside the domain, more evaluations, or formula="
        )
    point, verdict, part = judged.point, judged.verdict, judged.part
    if verdict.status == "wrong" and regions.contradicted(point):
        regions = replace(regions, mapped=0.0, covered=HIDDEN)
    claimed, certified = (verdict.components[name].to_numpy(dtype=float) for name in ("claimed", "certified"))
    gap = np.abs(claimed - certified)
    error = float(np.max(gap)) if gap.size else math.nan
    largest = float(np.max(np.abs(certified)))
    relative = error / largest if largest > 0 else math.inf if error > 0 else 0.0
    return WorstPoint(
        structure.unflatten(point), error, math.nan if math.isnan(error) else relative, verdict, spent + judged.calls,
        tried.calls, regions.mapped, part, " ".join(filter(None, (tried.covered, judged.covered, regions.covered))),
    )  # fmt: skip


def _in_the_way(problem: Problem, tried: Tried, calls: int) -> str:
    """Say what happens at some of the points that were tried: what is met most often first, each with a point."""
    if tried.candidates:
        return "the calls that are left do not do for a verdict"
    asked = max(1, min(_ASKED, calls // _OBSERVING))
    firsts: dict[str, tuple[str, Floats]] = {}
    counts: Counter[str] = Counter()
    for point in tried.points[:: -(-tried.calls // asked)]:
        seen = observe(replace(problem, x=point))
        words = seen.headline if isinstance(seen, Judgement) else "both return numbers, but f no slope nearby"
        # messages that differ in their numbers are one
        kind = re.sub(r"\d+", "0", words)
        counts[kind] += 1
        firsts.setdefault(kind, (words, point))
    told = []
    for kind, count in counts.most_common(_REASONS):
        words, point = firsts[kind]
        where = shorten(source(problem.unflatten(point)) or "a point of many numbers", 80)
        told.append(f"at {count} of {counts.total()} {words}, as at {where}")
    return "; ".join(told)


def _corners(f: Any, box: Any) -> tuple[Structure, Floats, Floats]:
    sides = list(sides_of(box))
    if isinstance(f, SymbolicFunction) and len(f.variables) > 1:
        sides = [np.full(len(f.variables), side, dtype=float) if np.ndim(side) == 0 else side for side in sides]
    (structure, lower), (other, upper) = structure_of(sides[0]), structure_of(sides[1])
    if structure != other or not (lower < upper).any() or (lower > upper).any():
        raise ValueError(f"box={shown(box)}: lower and upper corner must have one structure, and lower be below upper")
    return structure, lower, upper


def _traced(problem: Problem) -> SymbolicFunction | None:
    # bound here, so that tracing finds the user's function behind a plain name
    user, unflatten, args = problem.function, problem.unflatten, problem.args

    def function(flat: Any) -> Any:
        return user(unflatten(flat), *args)

    try:
        return trace(function, (problem.x.size,))
    except DiffcompareError:
        # code that sorts has a trace at every point, and no single one
        return None
