"""What the calls of a function and its claimed gradient did: exceptions, what is no number, shapes, state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.tracing.calling import StoppedError, called
from diffcompare.tracing.pair import same
from diffcompare.tracing.places import defined_at, raised_at
from diffcompare.tracing.table import place_last
from diffcompare.verdict.judgement import Judgement, Problem

__all__ = ["judge_calls", "plain", "raised", "why_left"]

Floats = NDArray[np.float64]


def judge_calls(problem: Problem) -> Judgement | None:
    """Judge what shows before any derivative is looked at; None where nothing does."""
    x, what = problem.x, f"the {problem.what}"
    try:
        returned = called(problem.function, problem.unflatten(x), *problem.args)
    except Exception as error:
        return plain(problem, "inconclusive", f"the function {raised(error, problem.function)}", error=error)
    try:
        values = problem.numbers(returned)
    except TypeError as error:
        return plain(problem, "inconclusive", f"the function {error}{_written(problem.function, returned)}")
    if not np.isfinite(values).all():
        value = float(values[~np.isfinite(values)][0])
        return plain(problem, "out-of-domain", f"the function returned {value!r} at the point")
    before = problem.unflatten(x)
    try:
        returned = called(problem.gradient, before, *problem.args)
    except Exception as error:
        return plain(problem, "wrong", f"{what} {raised(error, problem.gradient)}", error=error)
    if returned is None:
        return plain(problem, "wrong", f"{what} returned None{_written(problem.gradient, None)}")
    try:
        claimed = problem.read(returned)
    except Exception as error:
        place = _in(defined_at(problem.gradient))
        return plain(problem, "wrong", f"{what} has the wrong shape or type: {_text(error)}{place}")
    if not same(before, problem.unflatten(x)):
        place = _in(defined_at(problem.gradient))
        return plain(problem, "wrong", f"{what} changed its argument in place{place}", claimed)
    return _state(problem, claimed)


def _state(problem: Problem, claimed: Floats) -> Judgement | None:
    """Judge whether the gradient answers at one point as it did before."""
    x, what = problem.x, f"the {problem.what}"
    try:
        again = problem.claim(x)
        elsewhere = problem.inside(x + np.where(x == 0, 2.0**-3, np.abs(x) * 2.0**-3))
        if not np.array_equal(again, claimed, equal_nan=True):
            words = f"two calls of {what} at one point gave two answers: it is not deterministic"
            return plain(problem, "wrong", words, claimed)
        try:
            problem.values(elsewhere)
            problem.claim(elsewhere)
        except Exception:
            return None
        later = problem.claim(x)
    except Exception as error:
        return plain(problem, "wrong", f"{what} {raised(error)}, when it was called again", claimed, error)
    if not np.array_equal(later, claimed, equal_nan=True):
        words = f"{what} gave another answer after a call at another point: it depends on earlier calls"
        return plain(problem, "wrong", words, claimed)
    return None


def raised(error: BaseException, function: Any = None) -> str:
    """Say what was raised and where, if only by which function: ``raised ValueError: no data (model.py:12)``."""
    if isinstance(error, StoppedError) and error.__cause__ is not None:
        error = error.__cause__
    text = _text(error)
    return f"raised {type(error).__name__}{f': {text}' if text else ''}{_in(raised_at(error) or defined_at(function))}"


def why_left(error: BaseException) -> str:
    """Return why a rung was left: what was raised, and where in the user's code."""
    return place_last(str(error)) if isinstance(error, DiffcompareError) else raised(error)


def _text(error: BaseException) -> str:
    try:
        return shorten(" ".join(str(error).split()), 120)
    except Exception:
        # an exception of the user's that cannot say what it is
        return ""


def _in(place: str) -> str:
    return f" ({place})" if place else ""


def _written(function: Any, returned: Any) -> str:
    return f"{'; is a return missing?' if returned is None else ''}{_in(defined_at(function))}"


def plain(
    problem: Problem, status: str, words: str, claimed: Floats | None = None, error: BaseException | None = None
) -> Judgement:
    """Judge all components alike, by what the calls did; the words are the first line of the verdict."""
    nothing = np.full(len(problem.names), np.nan)
    if isinstance(error, StoppedError):
        error = error.__cause__
    return Judgement(
        "calls", (status,) * len(problem.names), nothing if claimed is None else claimed, nothing, nothing, math.nan,
        "gradient" if status == "wrong" else None, (words,), headline=words, error=error,
    )  # fmt: skip
