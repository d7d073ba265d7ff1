"""The ladder of rules for one claimed derivative: from the most certain evidence to the least."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from diffcompare.certify.reference import certified_partials
from diffcompare.errors import DiffcompareError
from diffcompare.floats import Floats
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.tracing.calling import PASSING
from diffcompare.tracing.foreign import Foreign
from diffcompare.tracing.places import defined_at
from diffcompare.verdict.array_neighbours import judge_by_array_neighbours
from diffcompare.verdict.causes.array_mistakes import ArrayMistakes
from diffcompare.verdict.causes.array_parts import array_parts
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.nearby import nearby, program_of, value_of
from diffcompare.verdict.causes.search import Cause, find_cause_nearby, quiet
from diffcompare.verdict.guards import settle_guards, unguarded
from diffcompare.verdict.identity import judge_by_identity
from diffcompare.verdict.judgement import UNUSED, Judgement, Left
from diffcompare.verdict.neighbours import judge_by_neighbours
from diffcompare.verdict.observation import observe, plain, why_left
from diffcompare.verdict.point_rounding import settle_point
from diffcompare.verdict.problem import Problem, State
from diffcompare.verdict.tied import judge_by_sides
from diffcompare.verdict.traced import trace
from diffcompare.verdict.witness import judge_by_witness
from diffcompare.watchdog import OutOfTime, given_time, left_time, time_limit

# of the time that is left, what a rung may take that is not the last
_SHARE = 0.6
# a reason that says where, as "(model.py:12)" or "line 12 of loss (model.py)"
_PLACED = re.compile(r":\d+\)$|line \d+ of \S+ \(")
_NO_RULE = "no rule could judge it"
# beyond so many components a derivative is not certified one by one
MANY = 1000
# operations of function and derivative from which on they are certified as programs of arrays
_LARGE = 30_000

__all__ = ["MANY", "Rung", "cause_in_code", "climb", "climb_rungs", "judge", "known_function", "traced"]

# the word for its evidence, and the rule
Rung = tuple[str, Callable[[Problem], "Judgement | Left | None"]]


def judge(problem: Problem) -> Judgement:
    """Judge a gradient by the first rule that can."""
    return climb(problem, [("identity", judge_by_identity), ("neighbours", _neighbours), ("witness", _witness)])


def climb(problem: Problem, rungs: Sequence[Rung]) -> Judgement:
    """Judge by what the calls did, else by the first rung that can; guards that are ignored are named, or left out."""
    begun = perf_counter()
    try:
        seen = observe(problem)
    except OutOfTime:
        seen = None
    except PASSING:
        raise
    except BaseException:
        # what is returned runs code of the user's too; each rung asks for itself then
        seen = None
    calls = ("calls", perf_counter() - begun, _outcome(seen))
    if isinstance(seen, Judgement):
        return replace(seen, rungs=(calls,))
    problem = replace(problem, seen=seen)
    judgement = climb_rungs(problem, rungs)
    with suppress(OutOfTime):
        judgement = settle_point(problem, judgement)
        judgement = settle_guards(problem, judgement, partial(climb_rungs, rungs=rungs), left_out=problem.guards)
    notes = (UNUSED, *judgement.notes) if seen is not None and seen.unused else judgement.notes
    return replace(judgement, notes=notes, rungs=(calls, *judgement.rungs))


def climb_rungs(problem: Problem, rungs: Sequence[Rung]) -> Judgement:
    """Judge by the first rung that can; the notes say which were left, and why.

    What fails inside a rung, for whatever reason, leads to the next one.
    """
    reasons: dict[str, str] = {}
    tried: list[tuple[str, float, str]] = []
    over = ""
    for k, (name, rung) in enumerate(rungs):
        # a rung leaves time to those below it
        share = _SHARE if k + 1 < len(rungs) else 1.0
        begun = perf_counter()
        try:
            with time_limit(share * left_time()):
                found = rung(problem)
        except OutOfTime as error:
            over = str(error)
            found = Left(over or f"it took more than {share * given_time():.3g} s by the clock; pass a larger budget")
        except PASSING:
            raise
        except BaseException as error:
            found = Left(why_left(error))
        tried.append((name, perf_counter() - begun, _outcome(found)))
        if isinstance(found, Judgement):
            return replace(found, notes=(*found.notes, *_notes(problem, reasons)), rungs=tuple(tried))
        if found is not None:
            reasons[name] = found.reason
    if left_time() <= 0:
        over = "the time ran out, by the clock; pass a larger budget"
    words = over or _NO_RULE
    judgement = plain(problem, "inconclusive", words)
    return replace(judgement, notes=(*judgement.notes, *_notes(problem, reasons)), rungs=tuple(tried))


def _outcome(found: Judgement | Left | State | None) -> str:
    """Say what came of a rung."""
    if isinstance(found, Judgement):
        return min(found.status, key=COMPONENT_STATUSES.index)
    return found.reason if isinstance(found, Left) else "nothing was decided"


def _notes(problem: Problem, reasons: dict[str, str]) -> list[str]:
    """Say each reason once: what cannot be traced cannot be so on two rungs; where, if only where the codes are."""
    said: dict[str, str] = {}
    for name, reason in reasons.items():
        said.setdefault(reason, name)
    codes = {"f": defined_at(problem.function), f"the {problem.what}": defined_at(problem.gradient)}
    written = "; ".join(f"{name}: {place}" for name, place in codes.items() if place)
    return [
        f"not by {name}: {reason}{f' ({written})' if written and not _PLACED.search(reason) else ''}"
        for reason, name in said.items()
    ]


def _neighbours(problem: Problem) -> Judgement | Left | None:
    arrays = judge_by_array_neighbours(problem, least=0 if problem.x.size > MANY else _LARGE)
    if isinstance(arrays, Judgement):
        return arrays
    if problem.x.size > MANY:
        return arrays or Left(f"more than {MANY:,} components are not certified one by one")
    known = known_function(problem)
    if isinstance(known, Left):
        return known
    found = judge_by_neighbours(replace(problem, formula=known))
    return _beside_ties(problem, None if found is None else replace(found, known=known))


def _witness(problem: Problem) -> Judgement | None:
    return _beside_ties(problem, judge_by_witness(problem))


def _beside_ties(problem: Problem, found: Judgement | None) -> Judgement | None:
    """Put right what is said of a point where f branches between equal numbers, where f can be asked."""
    if found is None:
        return None
    try:
        return judge_by_sides(problem, found)
    except (Exception, OutOfTime):
        # what was found without it stands
        return found


def known_function(problem: Problem) -> SymbolicFunction | Left:
    """Return the formula of a function, or a trace of its flat point; why there is none that is defined here."""
    if problem.formula is not None:
        return problem.formula
    user = problem.function
    if isinstance(user, Foreign):
        user = user.wide or user
    # what a partial holds is seen by a trace; what a function of our own refers to is not
    function = partial(_of_flat, user, problem.unflatten, problem.args)
    known = None
    for exact in (True, False):
        try:
            known = trace(function, (problem.x.size,), name="function", box=problem.box, near=problem.x, exact=exact)
            break
        except DiffcompareError as error:
            refused = error
    if known is None:
        return Left(why_left(refused))
    # a trace is undefined on paths that it did not meet, which says nothing about the function
    lost = any(
        one.status == "domain"
        for component in known.components
        for one in certified_partials(component, problem.x.tolist(), check=False)
    )
    return Left("the function takes a path here that a trace at other points did not meet") if lost else known


def traced(problem: Problem) -> SymbolicFunction | None:
    """Return what :func:`known_function` finds; None where it finds nothing."""
    known = known_function(problem)
    return None if isinstance(known, Left) else known


def _of_flat(user: Callable[..., Any], unflatten: Callable[[Floats], Any], args: Sequence[Any], flat: Any) -> Any:
    return user(unflatten(flat), *args)


@quiet
def cause_in_code(
    problem: Problem, judgement: Judgement, difference: Floats, shape: tuple[int, ...] | None
) -> Cause | None:
    """Find out why a gradient is wrong, from its values and the program of the function."""
    budget = Budget()
    found = _cause(problem, judgement, difference, shape, budget)
    bare = None if found is not None else unguarded(problem, judgement, budget)
    if bare is None:
        return found
    other, guards = bare
    found = _cause(problem, other, np.asarray(other.difference), shape, budget)
    return None if found is None else replace(found, text=f"{found.text}; besides, it ignores {guards}")


def _cause(
    problem: Problem, judgement: Judgement, difference: Floats, shape: tuple[int, ...] | None, budget: Budget
) -> Cause | None:
    program = program_of(problem, judgement, budget)
    asked = nearby(problem, judgement, program, budget)
    pair = judgement.arrays
    parts = None if pair is None or asked is None else array_parts(problem, pair, budget)
    arrays = None if parts is None else ArrayMistakes(parts)
    return find_cause_nearby(
        problem, judgement, difference, program, asked, budget, shape=shape, value=value_of(problem), arrays=arrays
    )
