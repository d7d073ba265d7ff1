"""An assertion about numerical differentiators: what they return lies within the bound of their scheme."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from diffcompare.certify.higher import Slope
from diffcompare.errors import check_step_size, shorten
from diffcompare.floats import unit_roundoff
from diffcompare.sweeps.split import PARTS
from diffcompare.sweeps.sweep import sweep
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.testing.record import observe
from diffcompare.testing.snippets import call_source
from diffcompare.testing.steering import steer
from diffcompare.verdict.arguments import formula_of, structure_of
from diffcompare.verdict.traced import trace

__all__ = ["assert_within_bound"]

# the columns of a row that the value of a differentiator changes
_CHANGED = (
    *("numeric", "error", "abs_error", "rel_error", "bound", "within_bound", "status", "bound_source"),
    *PARTS,
)


def assert_within_bound(
    f: Callable[..., Any] | SymbolicFunction,
    numeric: Callable[..., Any] | ArrayLike,
    at: Any,
    *,
    scheme: str = "central",
    h: float = 1e-4,
    formula: SymbolicFunction | str | Any = None,
) -> pd.DataFrame:
    """Fail unless a numerical derivative lies within the bound of its scheme and step.

    The bound is that of :func:`diffcompare.sweep`, proven for a value that is the textbook's quotient to the last bit.
    Any other value is allowed 4u(|f(a)| + |f(b)|)/k + 4u|numeric| besides, k the distance of the abscissae over which
    it divides: the rounding of weights, products and sums in another order. That is reasoned, not proven, for the order
    in which the differentiator computes is not known; so ``bound_source`` is ``measured`` in its row.

    Parameters
    ----------
    f : callable or SymbolicFunction
        Returns one number; it must be known as a formula, by itself, by a trace or by ``formula``.
    numeric : callable or array_like
        A differentiator, called as ``numeric(f, x)``; or what it returned: one number for each coordinate.
    at : float or array_like
        One point.
    scheme : {"central", "forward", "backward"}
    h : float
        The step that the differentiator takes.
    formula : SymbolicFunction, SymPy expression or text, optional
        What f claims to be.

    Returns
    -------
    DataFrame
        One row for each coordinate, the columns of ``errors.csv``; ``numeric`` and what follows from it are the
        differentiator's.

    Raises
    ------
    AssertionError
        A value outside its bound, or a point or step for which there is none.

    Examples
    --------
    >>> import diffcompare as dc
    >>> f = dc.parse("exp(x)")
    >>> table = assert_within_bound(f, lambda f, x: (f(x + 1e-4) - f(x - 1e-4)) / 2e-4, 1.0)
    >>> bool(table["abs_error"][0] <= table["bound"][0])
    True
    """
    __tracebackhide__ = True
    h = check_step_size(h)
    structure, x = structure_of(at)
    known = formula_of(f, formula, x.size)
    if known is None:
        known = trace(f, np.shape(at))
    returned = numeric(f, structure.unflatten(x)) if callable(numeric) else numeric
    values = np.asarray(structure.flatten(returned), dtype=np.float64)
    table = sweep(known, x if x.size > 1 else x[0], schemes=scheme, steps=[h])
    own = table.copy()
    _replace(table, known, x.tolist(), values, h)
    observe("within-bound", table)
    ratios = table["abs_error"] / table["bound"]
    steer(lambda: float(ratios.max()), f"error over bound ({scheme})")
    failed = [i for i, kept in enumerate(table["within_bound"].fillna(False)) if not kept]
    if failed:
        options = {"at": at, "scheme": scheme, "h": h, "formula": formula}
        raise AssertionError(_message(table, own, failed, {k: v for k, v in options.items() if v is not None}))
    return table


def _replace(table: pd.DataFrame, f: SymbolicFunction, x: list[float], values: Any, h: float) -> None:
    """Put the differentiator's values in place of our own; the parts of an error belong to the textbook's quotient."""
    # by columns: a cell that is set by itself takes pandas a millisecond
    changed = {name: table[name].tolist() for name in _CHANGED}
    exact, schemes = table["exact"].tolist(), table["scheme"].tolist()
    touched = False
    for i, value in enumerate(values.tolist()):
        own = changed["numeric"][i]
        if value == own or (math.isnan(value) and math.isnan(own)):
            continue
        touched = True
        status, bound = changed["status"][i], changed["bound"][i]
        error = relative = math.nan
        if not math.isfinite(value):
            changed["status"][i] = "nonfinite" if status in ("ok", "h-underflow") else status
        elif math.isfinite(exact[i]):
            error, relative = Slope(f, x, i).error(value)
        if status == "ok" and math.isfinite(value) and not math.isnan(bound):
            bound += _reordered(f, x, i, h, str(schemes[i]), value)
            changed["bound_source"][i] = "measured"
        unknown = math.isnan(bound) or math.isnan(error)
        row = {"numeric": value, "error": error, "abs_error": abs(error), "rel_error": relative, "bound": bound}
        row |= dict.fromkeys(PARTS, math.nan)
        for name, number in row.items():
            changed[name][i] = number
        changed["within_bound"][i] = pd.NA if unknown else abs(error) <= bound
    for name, column in changed.items() if touched else ():
        table[name] = pd.Series(column, index=table.index, dtype=table[name].dtype)


def _reordered(f: SymbolicFunction, x: list[float], i: int, h: float, scheme: str, value: float) -> float:
    upper, lower = list(x), list(x)
    upper[i] += h if scheme != "backward" else 0.0
    lower[i] -= h if scheme != "forward" else 0.0
    ends = [abs(float(f(np.array(p) if len(p) > 1 else p[0]))) for p in (upper, lower)]
    return 4 * unit_roundoff * (math.fsum(ends) / (h * (2 if scheme == "central" else 1)) + abs(value))


def _message(table: pd.DataFrame, own: pd.DataFrame, failed: list[int], options: dict[str, Any]) -> str:
    lines = [f"{len(failed)} of {len(table)} numerical derivatives are not within the bound:"]
    for i in failed[:5]:
        row, textbook = table.iloc[i].to_dict(), own.iloc[i].to_dict()
        lines.append(
            f"d/d{row['variable']} at {shorten(str(row['point']), 300)}, {row['scheme']}, h={row['h']!r}: "
            f"numeric {row['numeric']!r}, certified {row['exact']!r}, error {row['error']:.3e}, "
            f"bound {row['bound']:.3e}"
        )
        if not math.isfinite(row["numeric"]) and math.isfinite(textbook["numeric"]):
            lines.append("  the differentiator returned no finite number")
            continue
        if row["status"] != "ok" or math.isnan(row["bound"]):
            lines.append(f"  status {row['status']}: there is no bound here; take another point or a smaller step")
            continue
        parts = ", ".join(f"{name} {textbook[name]:.1e}" for name in PARTS)
        lines.append(f"  the {row['scheme']} difference itself returns {textbook['numeric']!r}; its error: {parts}")
        for factor, word in ((2.0, "twice"), (0.5, "half of"), (-1.0, "the opposite of")):
            if abs(row["numeric"] - factor * textbook["numeric"]) <= row["bound"]:
                lines.append(f"  numeric is {word} what it should be")
    code = call_source("dc.testing.assert_within_bound", ("f", "numeric"), options)
    return "\n".join([*lines, "", "To repeat it:", *(f"    {line}" for line in code)])
