"""One row per function × variable × point × scheme: the best step, the observed order, the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diffcompare.floats import Flags, Floats
from diffcompare.tables.schema import SUMMARY_COLUMNS, VERDICTS, categorical, complete, labelled

__all__ = ["summarize"]

Integers = NDArray[np.int64]

# a slope is fitted through at most this many, and at least this many, of the smallest steps
_MOST, _LEAST = 8, 3


def summarize(table: pd.DataFrame) -> pd.DataFrame:
    """Summarize a table of errors.

    Parameters
    ----------
    table : DataFrame
        Of :func:`diffcompare.sweep` or :func:`diffcompare.read_errors`; several may be stacked.

    Returns
    -------
    DataFrame
        The columns of ``summary.csv``, groups in order of first appearance. ``best_h`` is the step of the smallest
        absolute error among the ok rows (ties: the larger step). ``observed_order`` is the least-squares slope of
        log|error| on log h over the ok rows with h ≥ 10·predicted_h and error ≠ 0, the 8 smallest such h; with the
        split, of log|truncation| where truncation is at least ten times all the rest; nan below 3 rows.
        ``max_bound_ratio`` is the largest |error|/bound over the ok rows.

    Raises
    ------
    ValueError
        A column is missing.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.sweep(dc.parse("x**2"), 3.0, schemes="forward")
    >>> dc.summarize(table)[["scheme", "order", "abs_error_at_1e-4", "verdict"]].to_dict("records")
    [{'scheme': 'forward', 'order': 1, 'abs_error_at_1e-4': 0.00010000001205412445, 'verdict': 'within-bound'}]
    """
    table = complete(table)
    missing = [c for c in (*_GROUPED, "h", "abs_error", "status", "exact", "predicted_h") if c not in table.columns]
    if missing:
        raise ValueError(f"table lacks the columns {', '.join(missing)}; pass a table of sweep or read_errors")
    group, first = _groups(table)
    count = len(first)
    h = table["h"].to_numpy(np.float64)
    absolute = table["abs_error"].to_numpy(np.float64)
    ok = (table["status"] == "ok").to_numpy()
    best = _best_rows(group, h, absolute, ok, count)
    found = best >= 0
    rows = np.maximum(best, 0)
    columns: dict[str, Any] = {name: _taken(table[name], first) for name in _KEYS[:-1]}
    columns["best_h"] = np.where(found, h[rows], np.nan) if len(h) else np.empty(0)
    columns["best_abs_error"] = np.where(found, absolute[rows], np.nan) if len(h) else np.empty(0)
    for name in ("predicted_h", "predicted_abs_error", "order", "derivative"):
        columns[name] = table[name].to_numpy()[first]
    columns["observed_order"] = _observed_order(table, group, h, absolute, ok, count)
    columns["abs_error_at_1e-4"] = _at_step(table, group, h, absolute, 1e-4, count)
    columns["max_bound_ratio"], columns["verdict"] = _bounds(table, group, absolute, ok, count, found)
    return pd.DataFrame({name: columns[name] for name in SUMMARY_COLUMNS})


_KEYS = ("function", "variable", "point", "scheme", "derivative")
# tables of several dtypes may be stacked
_GROUPED = (*_KEYS, "dtype")


def _groups(table: pd.DataFrame) -> tuple[Integers, Integers]:
    """Number the groups in order of first appearance; return the number of every row and the first row of each."""
    code = np.zeros(len(table), dtype=np.int64)
    for name in _GROUPED:
        labels = categorical(table[name])
        code = code * max(len(labels.categories), 1) + labels.codes
    numbers, _ = pd.factorize(code)
    first = (
        np.flatnonzero(np.r_[True, numbers[1:] > np.maximum.accumulate(numbers)[:-1]])
        if len(code)
        else np.empty(0, int)
    )
    return numbers.astype(np.int64), first


def _taken(labels: pd.Series[Any], rows: Integers) -> Any:
    known = categorical(labels)
    return labelled(known.codes[rows], known.categories.tolist())


def _best_rows(group: Integers, h: Floats, absolute: Floats, ok: Flags, count: int) -> Integers:
    candidates = np.flatnonzero(ok & ~np.isnan(absolute))
    order = candidates[np.lexsort((-h[candidates], absolute[candidates], group[candidates]))]
    best = np.full(count, -1, dtype=np.int64)
    leading = np.flatnonzero(np.r_[True, group[order][1:] != group[order][:-1]]) if order.size else np.empty(0, int)
    best[group[order[leading]]] = order[leading]
    return best


def _at_step(table: pd.DataFrame, group: Integers, h: Floats, absolute: Floats, step: float, count: int) -> Floats:
    """Return the error at a step, as each row's dtype rounds it."""
    result = np.full(count, np.nan)
    dtypes = categorical(table["dtype"])
    rounded = np.array(
        [step if name in ("", "float64") else float(np.dtype(name).type(step)) for name in dtypes.categories]
    )
    rows = np.flatnonzero(h == rounded[dtypes.codes]) if len(rounded) else np.empty(0, int)
    result[group[rows]] = absolute[rows]
    return result


def _observed_order(table: pd.DataFrame, group: Integers, h: Floats, absolute: Floats, ok: Flags, count: int) -> Floats:
    truncation = np.abs(table["truncation"].to_numpy(np.float64))
    split = ~np.isnan(truncation)
    with np.errstate(all="ignore"):
        rest = np.abs(table["error"].to_numpy(np.float64) - table["truncation"].to_numpy(np.float64))
        dominated = split & (truncation >= 10 * rest) & (truncation > 0)
        beyond = ~split & (h >= 10 * table["predicted_h"].to_numpy(np.float64)) & (absolute > 0)
    eligible = np.flatnonzero(ok & (dominated | beyond) & np.isfinite(absolute))
    order = eligible[np.lexsort((h[eligible], group[eligible]))]
    own = group[order]
    starts = np.flatnonzero(np.r_[True, own[1:] != own[:-1]]) if order.size else np.empty(0, int)
    rank = np.arange(order.size) - np.repeat(starts, np.diff(np.r_[starts, order.size]))
    order, own = order[rank < _MOST], own[rank < _MOST]
    x = np.log(h[order])
    y = np.log(np.where(split[order], truncation[order], absolute[order]))
    size = np.bincount(own, minlength=count).astype(float)
    with np.errstate(all="ignore"):
        mean_x, mean_y = (np.bincount(own, weights=w, minlength=count) / size for w in (x, y))
        x, y = x - mean_x[own], y - mean_y[own]
        slope = np.bincount(own, weights=x * y, minlength=count) / np.bincount(own, weights=x * x, minlength=count)
    return np.where(size >= _LEAST, slope, np.nan)


def _bounds(
    table: pd.DataFrame, group: Integers, absolute: Floats, ok: Flags, count: int, found: Flags
) -> tuple[Floats, pd.Categorical[Any]]:
    bound = table["bound"].to_numpy(np.float64)
    bounded = ok & ~np.isnan(bound)
    with np.errstate(all="ignore"):
        share = np.where(absolute == 0, 0.0, absolute / bound)
    ratio = np.full(count, -np.inf)
    np.maximum.at(ratio, group[bounded], share[bounded])
    outside = table["within_bound"].fillna(True).to_numpy(bool)
    violated = np.zeros(count, dtype=bool)
    violated[group[bounded & ~outside]] = True
    has_bound = np.zeros(count, dtype=bool)
    has_bound[group[bounded]] = True
    differentiable = np.zeros(count, dtype=bool)
    differentiable[group[table["exact"].notna().to_numpy()]] = True
    codes = np.select(
        [~differentiable, violated, has_bound & found],
        [VERDICTS.index("not-differentiable"), VERDICTS.index("outside-bound"), VERDICTS.index("within-bound")],
        VERDICTS.index("unbounded"),
    )
    return np.where(has_bound, ratio, np.nan), labelled(codes.astype(np.int8), VERDICTS)
