"""The smallest drawing: |error| against h of one comparison, in a cell of the index."""

from __future__ import annotations

import math
from collections.abc import Sequence

from diffcompare.report.drawings.frame import levels, log_range
from diffcompare.report.drawings.svg_paths import shorten_path
from diffcompare.report.wording import Html

__all__ = ["sparkline"]

_WIDTH, _HEIGHT = 72, 18
_POINTS = 20  # at most; an index of a thousand rows holds a thousand of them


def sparkline(h: Sequence[float], error: Sequence[float]) -> Html | None:
    """Draw log |error| against log h, small h left, on a scale of its own; None if fewer than two can be drawn.

    An error of exactly 0 stands on the lower edge; nan and inf break the line. Only the shape is told: the numbers
    are in the row, so a screen reader skips the drawing.
    """
    known = sorted((math.log10(step), e) for step, e in zip(h, error, strict=True) if step > 0)
    every = max(1, math.ceil(len(known) / _POINTS))
    known = known[::every]
    if sum(e < math.inf for _, e in known) < 2 or known[-1][0] <= known[0][0]:
        return None
    low, high = log_range(levels(e for _, e in known))
    left, right = known[0][0], known[-1][0]
    path, joined = "", False
    for x, e in known:
        if e < math.inf:
            share = (math.log10(e) - low) / (high - low) if e > 0 else 0.0
            place = f"{(x - left) / (right - left) * _WIDTH:.0f},{_HEIGHT - 1 - share * (_HEIGHT - 2):.0f}"
            path += ("L" if joined else "M") + place
        joined = e < math.inf
    return Html(f'<svg aria-hidden=true><path d="{shorten_path(path)}"/></svg>')
