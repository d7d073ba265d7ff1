"""The pivot table of a page: |error| by h and scheme, the smallest one of each scheme marked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from diffcompare.report.drawings.charts import smallest_error

__all__ = ["Pivot", "pivot"]


@dataclass(frozen=True, slots=True)
class Pivot:
    """A row for each h, large ones first; a cell holds |error|, whether the row is ok, and whether it is the best."""

    schemes: list[str]
    rows: list[tuple[float, list[tuple[float, bool, bool]]]]


def pivot(rows: pd.DataFrame) -> Pivot:
    """Lay out the rows of one function, variable and point as h × scheme; a missing row gives nan that is not ok."""
    cells: dict[float, dict[str, tuple[float, bool, bool]]] = {}
    schemes = [str(scheme) for scheme in rows["scheme"].unique()]
    for scheme, part in rows.groupby("scheme", observed=True, sort=False):
        h, error = part["h"].tolist(), part["abs_error"].tolist()
        ok = [status == "ok" for status in part["status"].tolist()]
        best, _, _ = smallest_error(h, error, ok)
        for step, e, good in zip(h, error, ok, strict=True):
            cells.setdefault(step, {})[str(scheme)] = (e, good, step == best)
    missing = (math.nan, False, False)
    return Pivot(schemes, [(h, [cells[h].get(s, missing) for s in schemes]) for h in sorted(cells, reverse=True)])
