"""What the calls of a function and its claimed gradient do: exceptions, what is no number, shapes, state."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from diffcompare.errors import DiffcompareError, shorten
from diffcompare.floats import Floats, unit_of, unit_roundoff
from diffcompare.tracing.calling import StoppedError, called
from diffcompare.tracing.origins import Origin
from diffcompare.tracing.places import defined_at, place_last, raised_at, user_frame
from diffcompare.tracing.spans import Span, resolved
from diffcompare.verdict.causes.mistakes import Cause
from diffcompare.verdict.in_place import arrays_of
from diffcompare.verdict.judgement import UNUSED, Judgement
from diffcompare.verdict.marks import Mark
from diffcompare.verdict.problem import Problem, State

__all__ = ["observe", "plain", "raised", "state_of", "why_left"]


def observe(problem: Problem) -> State | Judgement:
    """Call the user's code: its state, or a judgement on what shows before any derivative is looked at."""
    what = f"the {problem.what}"
    try:
        returned = called(problem.function, problem.unflatten(problem.x), *problem.args)
    except Exception as error:
        return plain(problem, "inconclusive", f"the function {raised(error, problem.function)}", error=error)
    try:
        values = problem.numbers(returned)
    except TypeError as error:
        return plain(problem, "inconclusive", f"the function {error}{_written(problem.function, returned)}")
    if not np.isfinite(values).all():
        value = float(values[~np.isfinite(values)][0])
        return plain(problem, "out-of-domain", f"the function returned {value!r} at the point")
    unit, before = unit_of(np.asarray(returned).dtype), problem.unflatten(problem.x)
    try:
        returned = called(problem.gradient, before, *problem.args)
    except Exception as error:
        return plain(problem, "wrong", f"{what} {raised(error, problem.gradient)}", error=error)
    if returned is None:
        return plain(problem, "wrong", f"{what} returned None{_written(problem.gradient, None)}")
    place = _in(defined_at(problem.gradient))
    try:
        claimed, claim_unit = _claimed(problem, returned)
    except Exception as error:
        return plain(problem, "wrong", f"{what} has the wrong shape or type: {_text(error)}{place}")
    if not _same(before, problem.unflatten(problem.x)):
        span, at = _writing(problem)
        words = f"{what} changed its argument in place{_in(at) or place}"
        if span is None:
            return plain(problem, "wrong", words, claimed)
        mark = Mark.at(span, role="gradient", message="this writes into the argument")
        cause = Cause("in place", f"{span.text} writes into the argument", tuple(range(len(problem.names))))
        return replace(plain(problem, "wrong", words, claimed), cause=cause, marks=(mark,))
    return _again(problem, State(values, claimed, unit, claim_unit))


def _writing(problem: Problem) -> tuple[Span | None, str]:
    """Find what writes into the argument, and its line: it raises where that is read-only."""
    point = problem.unflatten(problem.x)
    for array in arrays_of(point):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    try:
        called(problem.gradient, point, *problem.args)
    except ValueError as error:
        found = user_frame(error)
        if found is not None and "read-only" in str(error):
            frame, _ = found
            return resolved(Origin(frame.f_code, frame.f_lasti, None)), raised_at(error)
    except Exception:
        # code that looks at what it is given
        return None, ""
    return None, ""


def _claimed(problem: Problem, returned: Any) -> tuple[Floats, float]:
    """Return the components, which are not the user's own array, and the unit roundoff of what was returned."""
    flat = problem.flatten(returned)
    unit = max(unit_of(getattr(returned, "dtype", flat.dtype)), unit_of(flat.dtype))
    claimed = problem.combined(flat).copy()
    if claimed.shape != (len(problem.names),):
        raise ValueError(f"{len(problem.names)} components are needed, got {claimed.size}")
    return claimed, unit


def _again(problem: Problem, seen: State) -> State | Judgement:
    """Judge whether the gradient answers as it did before, and see whether the function does."""
    what = f"the {problem.what}"
    try:
        if not _is_claim(problem, seen):
            words = f"two calls of {what} at one point gave two answers: it is not deterministic"
            return plain(problem, "wrong", words, seen.claimed)
        elsewhere = _called_elsewhere(problem)
        if elsewhere is None:
            return replace(seen, steady=False)
        if not _is_claim(problem, seen):
            words = f"{what} gave another answer after a call at another point: it depends on earlier calls"
            return plain(problem, "wrong", words, seen.claimed)
    except Exception as error:
        return plain(problem, "wrong", f"{what} {raised(error)}, when it was called again", seen.claimed, error)
    try:
        steady = bool(np.array_equal(problem.values(problem.x), seen.values))
    except Exception:
        steady = False
    unused = steady and np.array_equal(elsewhere, seen.values) and _is_unmoved(problem, seen)
    if unused and seen.claimed.any():
        return plain(problem, "inconclusive", UNUSED, seen.claimed)
    return replace(seen, steady=steady, unused=unused)


def _is_claim(problem: Problem, seen: State) -> bool:
    return bool(np.array_equal(problem.claim(problem.x), seen.claimed, equal_nan=True))


def _called_elsewhere(problem: Problem) -> Floats | None:
    """Call both away from the point, or closer to it: the values of the function; None where it raises there."""
    x = problem.x
    for point in (x + np.where(x == 0, 2.0**-3, np.abs(x) * 2.0**-3), x * (1 + 2.0**-9) + 2.0**-12):
        with suppress(Exception):
            values = problem.values(problem.inside(point))
            with suppress(Exception):
                problem.claim(problem.inside(point))
            return values
    return None


def _is_unmoved(problem: Problem, seen: State) -> bool:
    """Tell whether the function answers alike far away on both sides, and without a number."""
    if problem.box is not None or problem.formula is not None:
        # what is constant in a box may be none outside; a formula says itself what it uses
        return False
    by = (1 + 2 * np.abs(problem.x)) * np.linspace(0.75, 1.0, problem.x.size)
    try:
        return all(
            np.array_equal(problem.values(x), seen.values)
            for x in (problem.x + by, problem.x - by, np.full_like(by, math.nan))
        )
    except Exception:
        return False


def state_of(problem: Problem) -> State:
    """Return what is known of the calls at the point; where nothing is, ask each once; what the claim raises passes."""
    if problem.seen is not None:
        return problem.seen
    values, unit = np.full(problem.outputs, math.nan), unit_roundoff
    with np.errstate(all="ignore"):
        claimed, claim_unit = _claimed(problem, called(problem.gradient, problem.unflatten(problem.x), *problem.args))
    with suppress(Exception), np.errstate(all="ignore"):
        returned = called(problem.function, problem.unflatten(problem.x), *problem.args)
        unit = unit_of(np.asarray(returned).dtype)
        values = problem.numbers(returned)
    return State(values, claimed, unit, claim_unit)


def _same(a: Any, b: Any) -> bool:
    """Tell whether two structures of arrays hold the same numbers."""
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True))


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
