"""Gradient descent along the certified gradient, and along finite differences beside it; surfaces around the runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from diffcompare.certify.reference import certified_gradient
from diffcompare.errors import shown
from diffcompare.floats import Floats, as_floats
from diffcompare.numeric.differences import numerical_diff, numerical_gradient
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.tables.schema import DESCENT_COLUMNS
from diffcompare.watchdog import one_account

__all__ = ["GRADIENTS", "gradient_descent", "gradient_descents", "stack_descents", "surface_around"]

GRADIENTS = ("exact", "forward", "backward", "central")
_H = 1e-4  # the step size of the textbook's numerical_gradient
_NODES = 33  # a side of the grid of a surface
_NARROW = 0.05  # sides of a surface are made equal, unless one is a smaller part than this of the other
_STILL = 2.0**-30  # a run that moves by less, relative to where it is, does not move in this direction


@one_account()
def gradient_descent(
    f: SymbolicFunction,
    start: ArrayLike,
    *,
    learning_rate: float = 0.1,
    steps: int = 100,
    gradient: str = "exact",
) -> pd.DataFrame:
    """Walk downhill: ``x = x - learning_rate * gradient``, in binary64.

    Parameters
    ----------
    f : SymbolicFunction
        The function of n variables.
    start : array_like of float, shape (n,)
        Where to start; a number for one variable.
    learning_rate : float
        The factor of the gradient; finite.
    steps : int
        How many updates; the table has one row more.
    gradient : str
        ``"exact"``: the certified gradient, correctly rounded. ``"central"``, ``"forward"``, ``"backward"``:
        the finite difference with h = 1e-4.

    Returns
    -------
    DataFrame
        Columns ``step``, the variables, ``value``, ``gradient_norm`` and ``distance``: the Euclidean distance to the
        exact run at the same step, in units of the variables (0.0 for the exact run itself). Overflow is kept as inf;
        where the function or its derivative is not defined, nan from there on.

    Raises
    ------
    TypeError, ValueError
        An argument cannot be used; the message names it.

    Examples
    --------
    >>> import diffcompare as dc
    >>> run = gradient_descent(dc.parse("x**2"), 1.0, learning_rate=0.25, steps=2)
    >>> run["x"].tolist()
    [1.0, 0.5, 0.25]
    """
    return gradient_descents(f, start, learning_rate=learning_rate, steps=steps, gradients=[gradient])[gradient]


def gradient_descents(
    f: SymbolicFunction,
    start: ArrayLike,
    *,
    learning_rate: float = 0.1,
    steps: int = 100,
    gradients: Sequence[str] = ("exact", "central"),
) -> dict[str, pd.DataFrame]:
    """Walk once for each kind of gradient; the tables of :func:`gradient_descent` by that name.

    The exact run that the distances refer to is made once. Parameters and errors as there.
    """
    if not isinstance(f, SymbolicFunction):
        raise TypeError(f"f={f!r}: gradient descent needs a formula; pass dc.parse(text) or dc.SymbolicFunction(...)")
    scalar(f, "descend along one of its .components")
    unusable = sorted({*DESCENT_COLUMNS} & {*f.variables})
    if unusable:
        raise ValueError(f"variable {unusable[0]!r} is the name of a column of the table; rename the variable")
    first = _check_start(f, start)
    rate = _check_rate(learning_rate)
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 0:
        raise ValueError(f"steps={steps!r}: must be a whole number, 0 or more; pass steps=100")
    for gradient in gradients:
        if gradient not in GRADIENTS:
            raise ValueError(f"gradient={gradient!r}: pass one of {', '.join(map(repr, GRADIENTS))}")

    exact = _walk(lambda x: _exact_gradient(f, x), first, rate, int(steps))
    runs = {}
    for gradient in gradients:
        if gradient == "exact":
            points, slopes = exact
            distance = np.zeros(len(points))
        else:
            points, slopes = _walk(_difference(f, gradient), first, rate, int(steps))
            with np.errstate(all="ignore"):
                distance = _norms(points - exact[0])
        runs[gradient] = pd.DataFrame(
            {
                "step": np.arange(len(points)),
                **{name: points[:, i] for i, name in enumerate(f.variables)},
                "value": _values(f, points),
                "gradient_norm": _norms(slopes),
                "distance": distance,
            }
        )
    return runs


def stack_descents(runs: Sequence[tuple[str, Mapping[str, pd.DataFrame]]]) -> pd.DataFrame:
    """Stack the runs of several functions: the table descent.csv.

    Parameters
    ----------
    runs : sequence of pairs
        The name of a function and what :func:`gradient_descents` returned for it.

    Returns
    -------
    DataFrame
        The variables of all functions stand in order of appearance, empty where a function lacks one.
    """
    frames = [run.assign(function=name, gradient=gradient) for name, by in runs for gradient, run in by.items()]
    variables = dict.fromkeys(c for frame in frames for c in frame.columns if c not in DESCENT_COLUMNS)
    columns = [*DESCENT_COLUMNS[:3], *variables, *DESCENT_COLUMNS[3:]]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def surface_around(f: SymbolicFunction, runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Tabulate a function of two variables around its runs: the nodes of a square grid, for surfaces.csv.

    The grid holds all points of the runs that are no higher than both the start and the first step, so a run that
    climbs leaves it; and as much on the far side of the lowest of them. Its steps have few binary digits: it is the
    same on every machine.

    Parameters
    ----------
    f : SymbolicFunction
        The function.
    runs : sequence of DataFrame
        Tables of :func:`gradient_descent` for it.

    Returns
    -------
    DataFrame
        Columns ``x`` and ``y`` (the first and the second variable) and ``value``, nan where it is not finite. No rows
        for a function of more or fewer variables, where no point of the runs has a finite value, and where floats are
        too sparse for a grid.
    """
    kept = [_not_above(run, list(f.variables)) for run in runs] if len(f.variables) == 2 else []
    near = pd.concat(kept) if kept else pd.DataFrame()
    first = second = np.empty(0)
    if len(near):
        first, second = _grid(near[list(f.variables)].to_numpy(np.float64), int(near["value"].argmin()))
    points = np.array([(x, y) for x in first.tolist() for y in second.tolist()]).reshape(-1, 2)
    values = _values(f, points) if len(points) else np.empty(0)
    return pd.DataFrame(
        {"x": points[:, 0], "y": points[:, 1], "value": np.where(np.isfinite(values), values, math.nan)}
    )


def _not_above(run: pd.DataFrame, variables: list[str]) -> pd.DataFrame:
    """Keep the points of a run that are no higher than both the start and the first step."""
    finite = run[np.isfinite(run[[*variables, "value"]]).all(axis=1)]
    kept: pd.DataFrame = finite[finite["value"] <= finite["value"][finite["step"] <= 1].max()]
    return kept


def _grid(points: Floats, lowest: int) -> tuple[Floats, Floats]:
    """Choose the nodes on both axes, with one step where the sides are comparable; none where floats are too sparse."""
    with np.errstate(all="ignore"):
        low, high = points.min(axis=0), points.max(axis=0)
        sides = np.where(high - low > _STILL * np.maximum(np.abs(low), np.abs(high)), high - low, 0.0)
        longest = float(sides.max() or np.abs(points).max() or 1.0)
        if not 0 < sides.min() < _NARROW * longest:
            sides = np.full(2, longest)
        low = np.minimum(low - sides / 8, points[lowest] - sides / 2)
        high = np.maximum(high + sides / 8, points[lowest] + sides / 2)
        widths = high - low
        if sides[0] == sides[1]:
            widths = np.full(2, widths.max())
        low = low - (widths - (high - low)) / 2
        mantissa, exponent = np.frexp(widths / (_NODES - 2))
        step = np.ldexp(np.ceil(32 * mantissa) / 32, exponent)
        nodes = step * (np.floor(low / step) + np.arange(_NODES)[:, None])
        usable = bool((np.diff(nodes, axis=0) > 0).all() and np.isfinite(nodes).all())
    return (nodes[:, 0], nodes[:, 1]) if usable else (np.empty(0), np.empty(0))


def _check_start(f: SymbolicFunction, start: ArrayLike) -> Floats:
    n = len(f.variables)
    try:
        point = as_floats(start, "start").copy()
    except (TypeError, ValueError) as error:
        if "largest float" in str(error):
            raise
        raise ValueError(f"start={shown(start)}: must be numbers, one for each of {', '.join(f.variables)}") from None
    if point.ndim == 0:
        point = point.reshape(1)
    if point.shape != (n,):
        raise ValueError(
            f"start={start!r}: {n} coordinate(s) are needed, one for each of {', '.join(f.variables)}, in that order"
        )
    if not np.isfinite(point).all():
        raise ValueError(f"start={start!r}: every coordinate must be finite; start at a point of the domain")
    return point


def _check_rate(learning_rate: float) -> float:
    try:
        rate = float(learning_rate)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not math.isfinite(rate):
        raise ValueError(f"learning_rate={shown(learning_rate)}: must be a finite number; pass learning_rate=0.1")
    return rate


def _walk(slope: Callable[[Floats], Floats], start: Floats, rate: float, steps: int) -> tuple[Floats, Floats]:
    """Return the points and the gradients there, each of shape (steps + 1, n)."""
    points = np.full((steps + 1, start.size), math.nan)
    slopes = np.full((steps + 1, start.size), math.nan)
    x = start
    with np.errstate(all="ignore"):
        for step in range(steps + 1):
            points[step] = x
            if not np.isfinite(x).all():
                # no derivative out there; the next points are nan
                x = np.full_like(x, math.nan)
                continue
            slopes[step] = slope(x)
            x = x - rate * slopes[step]
    return points, slopes


def _exact_gradient(f: SymbolicFunction, x: Floats) -> Floats:
    return np.asarray(certified_gradient(f, x).value, dtype=np.float64).reshape(x.shape)


def _difference(f: SymbolicFunction, scheme: str) -> Callable[[Floats], Floats]:
    def slope(x: Floats) -> Floats:
        # a function of one variable works elementwise
        derivative = numerical_diff if len(f.variables) == 1 else numerical_gradient
        return np.asarray(derivative(f, x, _H, scheme=scheme), dtype=np.float64)

    return slope


def _values(f: SymbolicFunction, points: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return np.asarray(f(points[:, 0] if points.shape[1] == 1 else points), dtype=np.float64)


def _norms(vectors: Floats) -> Floats:
    # scaled by a power of two against overflow and underflow; + × and sqrt only, which are the same on every machine
    # (math.hypot and the order of np.sum are not)
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(vectors), axis=1)
        _, exponent = np.frexp(largest)
        total = np.zeros(len(vectors))
        for column in np.ldexp(vectors.T, -exponent):
            total = total + column * column
        return np.where(np.isinf(largest), math.inf, np.ldexp(np.sqrt(total), exponent))
