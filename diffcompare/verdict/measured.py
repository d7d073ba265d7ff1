"""Derivatives that are measured where none is known: what a gradient looks like that values of f alone call wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diffcompare.floats import Floats
from diffcompare.verdict.causes.nearby import FURTHER, points_nearby
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.observation import state_of
from diffcompare.verdict.pointing import Pointed
from diffcompare.verdict.probing import coordinate_scales
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.slopes import slope_along

__all__ = ["looks_like", "measured"]

# a check that took longer, in seconds by the clock, has no time to be repeated at four points
_SECONDS = 0.5
_STEPS = (2.0**-4, 2.0**-3, 2.0**-5, 2.0**-6, 2.0**-7)
_LIKE = "looks like: "


def measured(problem: Problem, judgement: Judgement) -> Judgement:
    """Return the judgement with the derivative at the point and at three others, as far as slopes of f tell.

    Measured: the thresholds are the bars of the slopes. What cannot be measured, or not soon, is left as it is.
    """
    judgement = replace(judgement, difference=None)
    if problem.outputs > 1 or problem.weights is not None or problem.directions is not None:
        return judgement
    if any(name == "witness" and seconds > _SECONDS for name, seconds, _ in judgement.rungs):
        return judgement
    here = _measured_at(problem)
    found = [] if here is None else [here]
    for x in points_nearby(problem, _STEPS) if found else ():
        beside = _measured_at(replace(problem, x=x, seen=None))
        found += [] if beside is None else [beside]
        if len(found) > FURTHER:
            break
    if here is None or len(found) <= FURTHER:
        return judgement
    # what the rule found to be right, or left open, is not held against the claim
    allowed = np.where([status == "wrong" for status in judgement.status], 0.0, np.abs(here.gap))
    here = replace(here, threshold=np.maximum(here.threshold, allowed))
    return replace(judgement, certified=here.certified, threshold=here.threshold, beside=(here, *found[1:]))


def _measured_at(problem: Problem) -> Nearby | None:
    """Measure all slopes at the point of a problem; None where one is not smooth, or the claim is no number."""
    try:
        state = state_of(problem)
    except Exception:
        return None
    if not np.isfinite(state.values).all() or not np.isfinite(state.claimed).all():
        return None
    slopes = []
    with np.errstate(all="ignore"):
        for i, scale in enumerate(coordinate_scales(problem).tolist()):
            slope = slope_along(problem, state, i, scale)
            if slope is None:
                return None
            slopes.append(slope)
    certified: Floats = np.array([slope.value for slope in slopes])
    return Nearby(problem.x, state.claimed, certified, np.array([slope.bar for slope in slopes]), None, (), ())


def looks_like(found: Pointed) -> Pointed:
    """Word what was found from measured derivatives; that one component alone is wrong explains nothing."""
    cause = found.cause
    cause = None if cause is None or cause.kind == "one component" else replace(cause, text=_LIKE + cause.text)
    return replace(found, cause=cause, marks=tuple(replace(m, message=_LIKE + m.message) for m in found.marks))
