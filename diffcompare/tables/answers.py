"""The answers of differentiators: of a gradient the entry that decides what the answer is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["OUTCOMES_WORST_FIRST", "answers"]

# what a reader looks for first
OUTCOMES_WORST_FIRST = ("overconfident", "unestimated", "refused", "covered")


def answers(ranking: pd.DataFrame) -> pd.DataFrame:
    r"""Take the row of each answer that decides: a gradient is right if all its entries are.

    Parameters
    ----------
    ranking : DataFrame
        What ``dc.rank`` returned: a row is a derivative, or an entry of a gradient.

    Returns
    -------
    DataFrame
        A row for each differentiator and function, in their order: that of the worst outcome, and among those the one
        that has no derivative, or the largest \|error\|/\|exact\|; with the columns ``differentiable``, whether the
        function has all derivatives at the point, and ``rel_error``, the largest of \|error\|/\|exact\| where exact
        is not 0, nan where there is none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = (ranking["abs_error"] / ranking["exact"].abs()).where(ranking["exact"] != 0)
    answer = ranking.groupby(["differentiator", "function", "point"], observed=True, sort=False).ngroup()
    place = ranking["outcome"].astype(str).map(OUTCOMES_WORST_FIRST.index)
    exists = ranking["status"].astype(str) == "ok"
    worst = np.lexsort((-relative.fillna(0.0), exists, place, answer))
    first = np.flatnonzero(np.diff(answer.to_numpy()[worst], prepend=-1))
    return ranking.assign(
        differentiable=exists.groupby(answer).transform("all"),
        rel_error=relative.groupby(answer).transform("max"),
    ).iloc[worst[first]]
