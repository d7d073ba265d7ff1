"""The pivot table of a page: |error| by h and scheme, the smallest one of each scheme marked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from diffcompare.report.columns import Columns, columns_of, places_by
from diffcompare.report.drawings.charts import smallest_error

__all__ = ["Pivot", "pivot"]


@dataclass(frozen=True, slots=True)
class Pivot:
    """A row for each h, large ones first; a cell holds |error|, whether the row is ok, and whether it is the best."""

    schemes: list[str]
    rows: list[tuple[float, list[tuple[float, bool, bool]]]]


def pivot(rows: pd.DataFrame | Columns) -> Pivot:
    """Lay out the rows of one function, variable and point as h × scheme; a missing row gives nan that is not ok."""
    cells: dict[float, dict[str, tuple[float, bool, bool]]] = {}
    rows = columns_of(rows)
    parts = places_by(rows, "scheme")
    for (scheme,), places in parts.items():
        h, error, status = ([rows[name][k] for k in places] for name in ("h", "abs_error", "status"))
        ok = [known == "ok" for known in status]
        best, _, _ = smallest_error(h, error, ok)
        for step, e, good in zip(h, error, ok, strict=True):
            cells.setdefault(step, {})[scheme] = (e, good, step == best)
    missing = (math.nan, False, False)
    schemes = [scheme for (scheme,) in parts]
    return Pivot(schemes, [(h, [cells[h].get(s, missing) for s in schemes]) for h in sorted(cells, reverse=True)])
