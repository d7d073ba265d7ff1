"""Why a gradient is wrong: the simplest known mistake that explains every component.

Each candidate predicts the error G − D of every component, and equals it within the judgement's own threshold or is
none. A match is believed only where chance is ruled out, given how many candidates were tried: no cause is better
than a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.compare.mistakes import (
    RARE,
    Cause,
    Facts,
    U,
    added_shift,
    clipped,
    constant_factors,
    leftovers,
    lost_precision,
    simple_mistakes,
    unnamed_factor,
    where,
    wrong_order,
)
from diffcompare.compare.paths import (
    Lines,
    additions,
    coarse_point,
    finite_difference,
    linearise,
    other_function,
    stray_factors,
    wrong_parts,
)
from diffcompare.program.dag import Program

__all__ = ["Cause", "find_cause"]


def find_cause(
    claimed: ArrayLike,
    certified: ArrayLike,
    threshold: ArrayLike,
    *,
    program: Program | None = None,
    point: Sequence[float] | None = None,
    names: Sequence[str] = (),
    shape: tuple[int, ...] | None = None,
    difference: ArrayLike | None = None,
) -> Cause | None:
    """Find out why a gradient that was judged wrong is wrong.

    Estimated: an explanation that fits, not a proof of what somebody did.

    Parameters
    ----------
    claimed, certified : array_like of float, shape (n,)
        What the gradient returned, and the true gradient (nan where it is not known).
    threshold : array_like of float, shape (n,)
        The smallest difference of each component that is called wrong.
    program : Program, optional
        The function; without it there are no terms, chain factors and finite differences to be found.
    point : sequence of float, optional
        Where; needed with ``program``.
    names : sequence of str, optional
        How components are called in the text; default 0, 1, 2 …
    shape : tuple of int, optional
        The shape of the argument, for transposed components.
    difference : array_like of float, optional
        The real difference G − D where it is known apart from rounding; default ``claimed - certified``.

    Returns
    -------
    Cause or None
        None where nothing is wrong or no known mistake explains what is. (Values of float32 are recognised below the
        threshold as well.)

    Examples
    --------
    >>> find_cause([4.0, 6.0, 8.0], [4.0, 8.0, 6.0], [1e-15] * 3).text
    'the components are permuted: 1 and 2 are swapped'
    """
    g, D, limit = (np.array(np.ravel(np.asarray(a, dtype=np.float64))) for a in (claimed, certified, threshold))
    lost = np.flatnonzero(~np.isfinite(g) & np.isfinite(D))
    labels = tuple(names) if len(names) == len(g) else tuple(str(i) for i in range(len(g)))
    if len(lost):
        what = "nan" if np.isnan(g[lost]).all() else "infinite" if np.isinf(g[lost]).all() else "nan or infinite"
        return Cause("not finite", f"the claim is {what}{where(lost, labels, len(g))}", tuple(int(i) for i in lost))
    e = g - D if difference is None else np.array(np.ravel(np.asarray(difference, dtype=np.float64)))
    with np.errstate(all="ignore"):
        stretch = np.where((D != 0) & (np.abs(g) > np.abs(D)), np.abs(g / D), 1.0)
        # a claim that is c times too large carries c times the rounding
        slack = limit * np.where(np.isfinite(stretch), stretch, 1.0) + 4 * U * np.abs(e)
        if difference is None:
            slack = slack + 4 * U * np.maximum(np.abs(g), np.abs(D))
        wrong = np.abs(e) > np.maximum(limit, 0.0)
    if not np.isfinite(e).all() or not np.isfinite(slack).all():
        return None
    # precision and difference quotients are seen in what was returned, not in what it would be in real arithmetic
    gap = g - D
    rounded = slack + 4 * U * np.maximum(np.abs(g), np.abs(D))
    if not wrong.any():
        # too small for the threshold, and yet called wrong: coarse numbers are known by what they are
        returned = Facts(g, D, gap, rounded, np.abs(gap) > 4 * U * np.abs(D), labels)
        return next(lost_precision(returned), None) if returned.wrong.any() else None
    returned = Facts(g, D, gap, rounded, wrong, labels)
    facts = Facts(D + e if difference is not None else g, D, e, slack, wrong, labels)
    lines = None
    if program is not None and point is not None and len(point) == len(g):
        lines = linearise(program, [float(x) for x in point], facts)
    return _first(facts, returned, lines, program, point, shape)


def _first(
    facts: Facts,
    returned: Facts,
    lines: Lines | None,
    program: Program | None,
    point: Sequence[float] | None,
    shape: tuple[int, ...] | None,
) -> Cause | None:
    """Ask for the simplest explanations first."""
    families: list[Iterator[Cause]] = [simple_mistakes(facts), wrong_order(facts, shape)]
    if lines is not None:
        families += [
            other_function(lines),
            wrong_parts(lines),
            wrong_parts(lines, together=True),
            stray_factors(facts, lines),
        ]
    families.append(lost_precision(returned))
    if program is not None and point is not None:
        families += [coarse_point(facts, program, point), finite_difference(returned, program, point)]
    families += [clipped(facts), constant_factors(facts, RARE)]
    if lines is not None:
        families += [wrong_parts(lines, everywhere=False), wrong_parts(lines, everywhere=False, together=True)]
    families.append(unnamed_factor(facts))
    if lines is not None:
        families.append(additions(lines))
    families += [added_shift(facts, point), leftovers(facts)]
    return next((cause for family in families for cause in family), None)
