"""A sweep inside a box, cut into sweeps whose stencils stay inside all over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, groupby

import numpy as np

from diffcompare.arithmetic.ulp import FORMATS
from diffcompare.floats import Flags, Floats
from diffcompare.numeric.boxes import fitting
from diffcompare.sweeps.subject import Grid

__all__ = ["pieces"]


def pieces(grid: Grid, lower: Floats, upper: Floats) -> Iterator[Grid]:
    """Cut a grid: the points that no stencil leads out of the box from; near its sides runs of steps, by variable.

    There the stencils are those that :func:`fitting` chooses, each once.

    Parameters
    ----------
    grid : Grid
    lower, upper : ndarray, shape (variables of f,)

    Raises
    ------
    ValueError
        No stencil of the order fits into the box; the message names step, coordinate and sides.
    """
    inside = _all_inside(grid, lower, upper)
    # points keep their order, which is that of the tables that are stacked
    for free, run in groupby(range(len(grid.points)), key=lambda p: bool(inside[p])):
        if free:
            yield replace(grid, points=grid.points[list(run)])
            continue
        for p in run:
            for i in grid.directions:
                yield from _runs(replace(grid, points=grid.points[p : p + 1], directions=[i]), lower[i], upper[i])


def _all_inside(grid: Grid, lower: Floats, upper: Floats) -> Flags:
    """Tell at which points the longest step stays inside, also where abscissae are rounded."""
    low, high = (float(pick(s.reach[k] for s in grid.stencils)) for k, pick in ((0, min), (1, max)))
    x, h = grid.points[:, grid.directions], grid.steps[0]
    with np.errstate(all="ignore"):
        doubt = 8 * FORMATS[grid.dtype.name].unit_roundoff * (np.abs(x) + max(-low, high) * h)
        near = x + low * h - doubt, x + high * h + doubt
    return np.asarray(((near[0] >= lower[grid.directions]) & (near[1] <= upper[grid.directions])).all(axis=1))


def _runs(grid: Grid, lower: float, upper: float) -> Iterator[Grid]:
    """Cut the steps at one point, along one variable, where the stencils change."""
    kind = grid.dtype.type
    x = kind(grid.points[0, grid.directions[0]])
    with np.errstate(all="ignore"):
        chosen = [tuple(dict.fromkeys(fitting(s, x, kind(h), lower, upper) for s in grid.stencils)) for h in grid.steps]
    taken = {s: [float(h) for h, used in zip(grid.steps, chosen, strict=True) if s in used] for s in chain(*chosen)}
    for stencils, run in groupby(range(len(chosen)), key=chosen.__getitem__):
        # a stencil may run with other steps too: its best one is sought among all of them
        ranges = tuple((min(filter(None, taken[s]), default=0.0), taken[s][0]) for s in stencils)
        yield replace(grid, stencils=list(stencils), ranges=ranges, steps=grid.steps[list(run)])
