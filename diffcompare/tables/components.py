"""The components of a verdict: their statuses, and their order from the worst to the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COMPONENT_STATUSES", "status_rank", "worst_first"]

# worst first
COMPONENT_STATUSES = ("wrong", "out-of-domain", "non-smooth", "inconclusive", "consistent")


def status_rank(status: str) -> int:
    """Return the place of a status in that order; one that is not known comes last.

    >>> status_rank("wrong"), status_rank("consistent"), status_rank("new")
    (0, 4, 5)
    """
    return COMPONENT_STATUSES.index(status) if status in COMPONENT_STATUSES else len(COMPONENT_STATUSES)


def worst_first(components: pd.DataFrame) -> pd.DataFrame:
    """Sort components by status, then by the size of the relative difference.

    A claim that is no number where the derivative is one is further off than any. A difference that is not known, and
    one that is relative to 0, says nothing of the size: such components come last.
    """
    sizes = np.nan_to_num(np.abs(components["relative"].to_numpy(dtype=float)), nan=-1.0, posinf=0.0)
    claimed, certified = (components[name].to_numpy(dtype=float) for name in ("claimed", "certified"))
    sizes[~np.isfinite(claimed) & np.isfinite(certified)] = np.inf
    ranks = [status_rank(str(status)) for status in components["status"]]
    return components.iloc[np.lexsort((-sizes, ranks))]
