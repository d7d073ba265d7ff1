"""Differences that the rounding of the point may be to blame for.

The gradient of a Rayleigh quotient is often written for |x| = 1, that of a mixture for fractions whose sum is 1. Floats
meet such a condition roughly: at the point as it is the claim is off by about a unit of roundoff, and at another one a
step of rounding away by nothing. Then nobody can tell it from a right one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.balls import Ball, precision
from diffcompare.floats import Floats, unit_roundoff
from diffcompare.verdict.causes.nearby import recorded
from diffcompare.verdict.difference import node_balls
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.problem import Problem

__all__ = ["settle_point"]

# of the largest component: what is off by more is off whatever the point was rounded from
_TINY = 2.0**-30
# how far a point may be from the one that was meant: normalising takes a sum, a root and a quotient
_REACH = 4 * unit_roundoff
# more coordinates than anybody normalises by hand, each of whose evaluations is dear
_MANY = 10_000
# directions in which the point is moved, besides outwards and inwards
_DIRECTIONS = 4
_BITS = 160


def settle_point(problem: Problem, judgement: Judgement) -> Judgement:
    """Call inconclusive what is wrong by tiny differences that all change their sign within two ulps of the point.

    The difference of claim and derivative is evaluated in balls, so that no rounding of ours decides.
    """
    wrong, gap = np.array(judgement.status) == "wrong", judgement.difference
    if judgement.evidence != "identity" or gap is None or not wrong.any() or judgement.blame == "formula":
        return judgement
    size = np.abs(judgement.certified)
    largest = float(np.max(size, initial=0.0, where=np.isfinite(size)))
    off = np.abs(gap)
    # floats of 32 bits are wrong whatever the real numbers are
    seen = np.maximum(off, np.abs(judgement.claimed - judgement.certified))
    if not ((off > judgement.threshold) & (seen <= _TINY * largest))[wrong].all():
        return judgement
    try:
        settled = len(problem.x) <= _MANY and _change_sign(judgement, wrong, len(problem.x))
    except Exception:
        # whatever fails in the search for an excuse, the judgement stands
        return judgement
    if not settled:
        return judgement
    status = tuple(np.where(wrong, "inconclusive", judgement.status).tolist())
    threshold = np.where(wrong, np.maximum(judgement.threshold, 2 * off), judgement.threshold)
    note = (
        f"what differs is gone within two ulps of the point: the {problem.what} may be meant for points that fulfil a "
        "condition, such as |x| = 1, which floats do roughly; check it at others, too"
    )
    return replace(judgement, status=status, threshold=threshold, blame=None, notes=(*judgement.notes, note))


def _change_sign(judgement: Judgement, wrong: NDArray[np.bool_], n: int) -> bool:
    """Tell whether every component of claim minus derivative that is wrong has another sign somewhere around."""
    here = _signs(judgement, np.zeros(n))
    left = wrong.copy()
    for moves in (np.ones(n), -np.ones(n)):
        left &= here * _signs(judgement, moves) > 0
    # a condition on all coordinates is met by scaling, or hardly at all
    if left.sum() > wrong.sum() / 2:
        return False
    for moves in np.random.default_rng(7).choice([-1.0, 1.0], size=(_DIRECTIONS, n)):
        if left.any():
            left &= here * _signs(judgement, moves) > 0
    return not left.any()


def _signs(judgement: Judgement, moves: Floats) -> Floats:
    with precision(_BITS):
        values = _differences(judgement, moves * _REACH)
        return np.array([0.0 if v.contains(0) else float(v.sgn().mid()) for v in values])


def _differences(judgement: Judgement, moves: Floats) -> list[Ball]:
    arrays, pair = judgement.arrays, recorded(judgement)
    if arrays is not None:
        point = [Ball(x) * (1 + Ball(move)) for x, move in zip(arrays.point.tolist(), moves.tolist(), strict=True)]
        root = arrays.build.apply("subtract", arrays.G, arrays.D)
        (values,) = array_balls(arrays.build, [root], np.array(point, dtype=object), _BITS)
        return list(values.reshape(-1))
    if pair is None:
        raise ValueError("neither was traced")
    own = pair.arguments()
    moved = [Ball(x) * (1 + Ball(move)) for x, move in zip(own[: len(moves)], moves.tolist(), strict=True)]
    found = node_balls(pair.table.builder.nodes, [*pair.D, *pair.G], [*moved, *own[len(moves) :]], _BITS)
    return [found[g] - found[d] for d, g in zip(pair.D, pair.G, strict=True)]
