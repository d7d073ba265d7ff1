"""The ladder of rules for one claimed derivative: from the most certain evidence to the least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.compare.budget import Budget
from diffcompare.compare.causes import Cause, find_cause_nearby, quiet
from diffcompare.compare.guards import unguarded
from diffcompare.compare.identity import judge_by_identity, trace
from diffcompare.compare.judgement import Judgement, Problem
from diffcompare.compare.nearby import nearby, program_of, value_of
from diffcompare.compare.neighbours import judge_by_neighbours
from diffcompare.compare.reference import certified_gradient
from diffcompare.compare.witness import judge_by_witness
from diffcompare.errors import DiffcompareError, shorten
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.symbolic.tracing.foreign import Foreign
from diffcompare.symbolic.tracing.pair import same

# beyond so many components a derivative is not certified one by one
MANY = 1000

__all__ = ["MANY", "calls", "cause_in_code", "ladder", "plain", "traced"]

Floats = NDArray[np.float64]


def calls(problem: Problem) -> Judgement | None:
    """Judge what shows before any derivative is looked at: exceptions, shapes, nan, state."""
    x = problem.x
    try:
        values = problem.values(x)
    except Exception as error:
        return plain(problem, "inconclusive", f"The function raised {_named(error)}.")
    if not np.isfinite(values).all():
        value = float(values[~np.isfinite(values)][0])
        return plain(problem, "out-of-domain", f"The function returned {value!r} at the point.")
    before = problem.unflatten(x)
    try:
        returned = problem.gradient(before, *problem.args)
    except Exception as error:
        return plain(problem, "wrong", f"The {problem.what} raised {_named(error)}.")
    try:
        claimed = problem.read(returned)
    except ValueError as error:
        return plain(problem, "wrong", f"Wrong shape or type: {error}.")
    if not same(before, problem.unflatten(x)):
        return plain(problem, "wrong", f"The {problem.what} changed its argument in place.", claimed)
    try:
        again = problem.claim(x)
        elsewhere = problem.inside(x + np.where(x == 0, 2.0**-3, np.abs(x) * 2.0**-3))
        if not np.array_equal(again, claimed, equal_nan=True):
            return plain(problem, "wrong", "Two calls at one point gave two answers: not deterministic.", claimed)
        try:
            problem.values(elsewhere)
            problem.claim(elsewhere)
        except Exception:
            return None
        later = problem.claim(x)
    except Exception as error:
        return plain(problem, "wrong", f"The {problem.what} raised {_named(error)} when it was called again.", claimed)
    if not np.array_equal(later, claimed, equal_nan=True):
        note = "After a call at another point the same point gave another answer: it depends on earlier calls."
        return plain(problem, "wrong", note, claimed)
    return None


def _named(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {shorten(text, 120)}" if text else type(error).__name__


def plain(problem: Problem, status: str, note: str, claimed: Floats | None = None) -> Judgement:
    """Judge all components alike, by what the calls did."""
    nothing = np.full(len(problem.names), np.nan)
    return Judgement(
        "calls", (status,) * len(problem.names), nothing if claimed is None else claimed, nothing, nothing, math.nan,
        "gradient" if status == "wrong" else None, (note,),
    )  # fmt: skip


def ladder(problem: Problem) -> Judgement:
    """Judge by the first rule that can."""
    judgement = judge_by_identity(problem)
    if judgement is None:
        known = replace(problem, formula=_known(problem))
        few = problem.x.size <= MANY
        judgement = judge_by_neighbours(known) if known.formula is not None and few else None
        judgement = None if judgement is None else replace(judgement, known=known.formula)
    judgement = judgement or judge_by_witness(problem)
    return judgement if judgement is not None else plain(problem, "inconclusive", "No rule could judge it.")


def traced(problem: Problem) -> SymbolicFunction | None:
    """Return the function of a problem as a trace of its flat point; None where there is none that is defined here."""
    user = problem.function
    if isinstance(user, Foreign):
        user = user.wide or user
    # what a partial holds is seen by a trace; what a function of our own refers to is not
    function = partial(_of_flat, user, problem.unflatten, problem.args)
    try:
        known = trace(function, (problem.x.size,), name="function", box=problem.box)
    except DiffcompareError:
        return None
    # a trace is undefined on paths that it did not meet, which says nothing about the function
    lost = any("domain" in certified_gradient(component, problem.x).status for component in known.components)
    return None if lost else known


def _of_flat(user: Callable[..., Any], unflatten: Callable[[Floats], Any], args: Sequence[Any], flat: Any) -> Any:
    return user(unflatten(flat), *args)


def _known(problem: Problem) -> SymbolicFunction | None:
    # with very many components a trace would cost more than it tells
    return problem.formula if problem.formula is not None or problem.x.size > MANY else traced(problem)


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
    value = value_of(problem)
    return find_cause_nearby(problem, judgement, difference, program, asked, budget, shape=shape, value=value)
