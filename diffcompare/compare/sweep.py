"""Numeric against certified derivative at every point, for every variable, scheme and step: the table of errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.domain import undefined_steps
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.jets import JET_ORDER, taylor_coefficients
from diffcompare.arithmetic.ulp import unit_roundoff
from diffcompare.compare.exact_error import difference, ratio
from diffcompare.compare.reference import Partial, certified_partials, check_point, exact_error
from diffcompare.compare.schema import BOUND_SOURCES, COLUMNS, STATUSES, format_point, labelled
from diffcompare.numeric.stencils import Stencil, check_schemes
from diffcompare.numeric.steps import check_steps, geometric_steps, optimal_step
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["sweep"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SWEEP_BITS = 160
_STATUS = {status: code for code, status in enumerate(STATUSES)}


def sweep(
    f: SymbolicFunction,
    points: ArrayLike,
    *,
    schemes: str | Sequence[str] = ("forward", "backward", "central"),
    steps: ArrayLike | None = None,
    variables: Sequence[str] | None = None,
    dtype: str = "float64",
    split: bool = False,
    bounds: bool = False,
    evaluate: Callable[[Any], Any] | None = None,
    vectorized: bool = False,
    executor: object | None = None,
) -> pd.DataFrame:
    """Tabulate the error of finite differences against the certified derivative.

    Measured against a proven reference: ``error`` is numeric − F′(x), correctly rounded from the exact difference.

    Parameters
    ----------
    f : SymbolicFunction
    points : array_like of float
        One variable: a number or numbers. n variables: one point of length n, or an array of shape (m, n). Finite.
        Repeated points are dropped.
    schemes : str or sequence of str
        Of ``"forward"``, ``"backward"``, ``"central"``.
    steps : array_like of float, optional
        Positive step sizes in units of the variable, any order; default ``geometric_steps(1e-1, 1e-16)``.
    variables : sequence of str, optional
        The variables to differentiate in; default: all.
    dtype : {"float64"}
    split, bounds : bool
        Not in this version: the columns are there and empty.
    evaluate : callable, optional
        Runs in place of f's own program: of one number (one variable) or an array of length n; with
        ``vectorized=True`` of an array of abscissae of shape (m, n), returning m values.
    executor : None
        Not in this version.

    Returns
    -------
    DataFrame
        One row per point, variable, scheme and step (h descending); the columns of ``errors.csv``.

    Raises
    ------
    ValueError
        A point, scheme, step or variable that cannot be used; the message names it.
    NotImplementedError
        ``split``, ``bounds``, ``executor`` or another dtype.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.sweep(dc.parse("x**2"), 3.0, schemes="central", steps=[1e-2, 1e-4])
    >>> table[["h", "numeric", "exact", "status"]].to_dict("list")
    {'h': [0.01, 0.0001], 'numeric': [5.999999999999872, 6.00000000000378], 'exact': [6.0, 6.0], 'status': ['ok', 'ok']}
    """
    _refuse_what_is_missing(dtype, split, bounds, executor)
    if not isinstance(f, SymbolicFunction):
        raise TypeError(f"f={f!r}: sweep needs a SymbolicFunction; make one with diffcompare.parse(text)")
    grid = _Grid(
        f,
        _check_points(f, points),
        check_schemes(schemes),
        check_steps(geometric_steps(1e-1, 1e-16) if steps is None else steps),
        _check_variables(f, variables),
    )
    run = _own_code(f) if evaluate is None else _users_code(evaluate, vectorized)
    return _table(grid, _references(grid), run)


@dataclass(frozen=True, slots=True)
class _Grid:
    """What is tabulated: arrays over it have the axes points, variables, schemes, steps."""

    f: SymbolicFunction
    points: Floats
    stencils: list[Stencil]
    steps: Floats
    directions: list[int]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return len(self.points), len(self.directions), len(self.stencils), len(self.steps)


Run = Callable[[Sequence[Floats]], Floats]


def _refuse_what_is_missing(dtype: str, split: bool, bounds: bool, executor: object | None) -> None:
    if split:
        raise NotImplementedError("split=True: the exact split of the error is not in this version; pass split=False")
    if bounds:
        raise NotImplementedError("bounds=True: the proven bound is not in this version; pass bounds=False")
    if executor is not None:
        raise NotImplementedError("executor: running in several processes is not in this version; leave it out")
    if np.dtype(dtype) != np.float64:
        raise NotImplementedError(f"dtype={dtype!r}: only 'float64' is in this version")


def _check_points(f: SymbolicFunction, points: ArrayLike) -> Floats:
    values = np.asarray(points, dtype=np.float64)
    n = len(f.variables)
    values = values.reshape(-1, 1) if n == 1 and values.ndim <= 1 else np.atleast_2d(values)
    if not values.size:
        raise ValueError(f"points={points!r}: no point; pass at least one")
    if values.ndim != 2 or values.shape[1] != n:
        raise ValueError(
            f"points of shape {np.shape(points)}: the last axis must have length {n}, one coordinate for each of "
            f"{', '.join(f.variables)}"
        )
    if not np.isfinite(values).all():
        check_point(f, values[~np.isfinite(values).all(axis=1)][0])
    # by their bits: 0.0 and -0.0 are two points
    _, first = np.unique(values.view(np.int64), axis=0, return_index=True)
    return np.ascontiguousarray(values[np.sort(first)])


def _check_variables(f: SymbolicFunction, variables: Sequence[str] | None) -> list[int]:
    if variables is None:
        return list(range(len(f.variables)))
    names = [variables] if isinstance(variables, str) else list(dict.fromkeys(variables))
    for name in names:
        if name not in f.variables:
            raise ValueError(f"variables: {name!r} is no variable of {f.name}; it has {', '.join(f.variables)}")
    if not names:
        raise ValueError("variables=[]: name at least one variable, or leave it out for all")
    return [f.variables.index(name) for name in names]


def _own_code(f: SymbolicFunction) -> Run:
    return compile_numpy(f.program)


def _users_code(evaluate: Callable[[Any], Any], vectorized: bool) -> Run:
    def run(columns: Sequence[Floats]) -> Floats:
        abscissae = np.stack(columns, axis=-1)
        if vectorized:
            values = np.asarray(evaluate(abscissae), dtype=np.float64)
            if values.size != len(abscissae):
                raise ValueError(
                    f"evaluate returned shape {values.shape} for {len(abscissae)} abscissae; return one value each"
                )
            return values.reshape(-1)
        single = len(columns) == 1
        return np.array([float(evaluate(row[0] if single else row)) for row in abscissae])

    return run


@dataclass(frozen=True, slots=True)
class _References:
    """The certified side, arrays over points × variables."""

    status: NDArray[np.int8]
    value: Floats
    tail: Floats
    slack: Floats
    taylor: Floats  # × coefficients: F^(k)/k!


def _references(grid: _Grid) -> _References:
    shape = grid.shape[:2]
    partials = np.empty((*shape, 4))
    taylor = np.empty((*shape, JET_ORDER + 1))
    for p, point in enumerate(grid.points.tolist()):
        found: list[Partial] = certified_partials(grid.f, point, bits=SWEEP_BITS, indices=grid.directions)
        for v, partial in enumerate(found):
            partials[p, v] = _STATUS[partial.status], partial.value, partial.tail, partial.slack
            taylor[p, v] = taylor_coefficients(grid.f.program, point, grid.directions[v])
    return _References(partials[..., 0].astype(np.int8), partials[..., 1], partials[..., 2], partials[..., 3], taylor)


def _table(grid: _Grid, reference: _References, run: Run) -> pd.DataFrame:
    numeric, collapsed, finite = _differences(grid, run)
    exact = tuple(array[:, :, None, None] for array in (reference.value, reference.tail, reference.slack))
    error, rest, doubt, unsure = difference(numeric, exact)  # type: ignore[arg-type]
    relative, unsure_ratio = ratio(error, rest, doubt, exact)  # type: ignore[arg-type]
    certified = (reference.status == _STATUS["ok"])[:, :, None, None]
    _settle(
        grid, numeric, error, relative, (unsure | unsure_ratio | np.isinf(exact[0])) & certified & np.isfinite(numeric)
    )
    predicted_h, predicted_error = _predictions(grid, reference)
    status = _statuses(grid, reference, collapsed, finite)
    return _frame(
        grid,
        {
            "numeric": numeric,
            "exact": exact[0],
            "error": error,
            "abs_error": np.abs(error),
            "rel_error": relative,
            "predicted_h": predicted_h[..., None],
            "predicted_abs_error": predicted_error[..., None],
        },
        status,
    )


def _differences(grid: _Grid, run: Run) -> tuple[Floats, Flags, Flags]:
    """Return D̂, where all abscissae are one float, and where every value of f is finite."""
    m, n, s, k = grid.shape
    numeric = np.empty((m, n, s, k))
    collapsed = np.empty((m, n, s, k), dtype=bool)
    finite = np.empty((m, n, s, k), dtype=bool)
    h = grid.steps
    with np.errstate(all="ignore"):
        columns = [np.ascontiguousarray(column) for column in grid.points.T]
        centre = run(columns)[:, None]
        offsets = {offset for chosen in grid.stencils for offset in (chosen.upper, chosen.lower)}
        for v, i in enumerate(grid.directions):
            x = columns[i][:, None]
            abscissae = {0: x, 1: x + h, -1: x - h}
            values = {0: centre}
            for offset in offsets - {0}:
                arguments = [
                    abscissae[offset].reshape(-1) if j == i else np.repeat(column, k)
                    for j, column in enumerate(columns)
                ]
                values[offset] = run(arguments).reshape(m, k)
            known = {offset: np.isfinite(value) for offset, value in values.items()}
            for j, chosen in enumerate(grid.stencils):
                width = chosen.upper - chosen.lower
                rise = values[chosen.upper] - values[chosen.lower]
                np.divide(rise, h if width == 1 else width * h, out=numeric[:, v, j])
                collapsed[:, v, j] = abscissae[chosen.upper] == abscissae[chosen.lower]
                finite[:, v, j] = known[chosen.upper] & known[chosen.lower]
    return numeric, collapsed, finite


def _settle(grid: _Grid, numeric: Floats, error: Floats, relative: Floats, unsure: Flags) -> None:
    """Round by balls what the two floats of the reference do not decide."""
    for p, v, s, k in np.argwhere(unsure):
        point, i = grid.points[p].tolist(), grid.directions[v]
        error[p, v, s, k], relative[p, v, s, k] = exact_error(grid.f, point, i, float(numeric[p, v, s, k]))


def _statuses(grid: _Grid, reference: _References, collapsed: Flags, finite: Flags) -> NDArray[np.int8]:
    """Return the first status of a row that applies, in the order domain, kink, undecided, nonfinite, h-underflow."""
    status = np.full(grid.shape, _STATUS["ok"], dtype=np.int8)
    status[collapsed] = _STATUS["h-underflow"]
    status[~finite] = _STATUS["nonfinite"]
    certain = reference.status[:, :, None, None]
    for name in ("undecided", "kink"):
        status = np.where(certain == _STATUS[name], certain, status)
    with precision(SWEEP_BITS):
        for p, point in enumerate(grid.points.tolist()):
            for v, i in enumerate(grid.directions):
                if reference.status[p, v] == _STATUS["domain"]:
                    continue
                offsets = tuple((chosen.upper, chosen.lower) for chosen in grid.stencils)
                found = undefined_steps(grid.f.program, point, i, grid.steps, offsets)
                if found is not None:
                    outside, unknown = found
                    status[p, v][unknown & (status[p, v] != _STATUS["kink"])] = _STATUS["undecided"]
                    status[p, v][outside] = _STATUS["domain"]
    return np.where(certain == _STATUS["domain"], certain, status)


def _predictions(grid: _Grid, reference: _References) -> tuple[Floats, Floats]:
    """Return the step with the smallest modelled error, and that error, per point, variable and scheme."""
    m, n, s, _ = grid.shape
    coefficients = [
        [float(chosen.error_coefficient(order)) for order in range(1, JET_ORDER)] for chosen in grid.stencils
    ]
    with np.errstate(all="ignore"):
        series = reference.taylor[:, :, None, 2:] * np.array(coefficients)[None, None]
        # a term that the stencil does not have is 0, also where the derivative is infinite
        series = np.where(np.array(coefficients)[None, None] == 0, 0.0, series)
        value, slope = np.abs(reference.taylor[..., 0]), np.abs(reference.taylor[..., 1])
        x = np.abs(grid.points[:, grid.directions])
        noise = 2 * unit_roundoff * np.stack([value + x * slope, slope], axis=-1)
    noise = np.where((reference.status == _STATUS["ok"])[..., None], noise, np.nan)
    step, error = optimal_step(
        series.reshape(m * n * s, -1),
        np.broadcast_to(noise[:, :, None, :], (m, n, s, 2)).reshape(m * n * s, 2),
        float(grid.steps[-1]),
        float(grid.steps[0]),
    )
    return step.reshape(m, n, s), error.reshape(m, n, s)


def _frame(grid: _Grid, measured: dict[str, Floats], status: NDArray[np.int8]) -> pd.DataFrame:
    shape = grid.shape
    size = int(np.prod(shape))
    f = grid.f
    labels: dict[str, tuple[Sequence[str], int | None]] = {
        "function": ([f.name], None),
        "point": ([format_point(f.variables, point) for point in grid.points], 0),
        "variable": ([f.variables[i] for i in grid.directions], 1),
        "scheme": ([chosen.scheme for chosen in grid.stencils], 2),
        "dtype": (["float64"], None),
    }
    empty = np.full(size, np.nan)
    data: dict[str, Any] = {}
    for column, kind in COLUMNS.items():
        if column in labels:
            data[column] = _categories(*labels[column], shape)
        elif column == "status":
            data[column] = labelled(status.reshape(-1), STATUSES)
        elif column == "bound_source":
            data[column] = labelled(np.full(size, BOUND_SOURCES.index(""), dtype=np.int8), BOUND_SOURCES)
        elif column == "h":
            data[column] = np.broadcast_to(grid.steps, shape).reshape(-1)
        elif column == "order":
            orders = np.array([chosen.order for chosen in grid.stencils], dtype=np.int64)
            data[column] = np.broadcast_to(orders[:, None], shape).reshape(-1)
        elif kind == "flag":
            data[column] = pd.arrays.BooleanArray(np.zeros(size, dtype=bool), np.ones(size, dtype=bool))
        elif column in measured:
            data[column] = np.broadcast_to(measured[column], shape).reshape(-1)
        else:
            data[column] = empty
    return pd.DataFrame(data)


def _categories(names: Sequence[str], axis: int | None, shape: tuple[int, ...]) -> pd.Categorical[Any]:
    kind = np.int8 if len(names) < 128 else np.int32
    codes = np.arange(len(names), dtype=kind)
    target = [1] * len(shape)
    if axis is not None:
        target[axis] = len(names)
    spread = np.broadcast_to(codes.reshape(target), shape).reshape(-1)
    return labelled(spread, names)
