"""Numeric against certified derivative at every point, for every variable, scheme and step: the table of errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.domain import certainly_inside, undefined_steps
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.moving import Rest
from diffcompare.arithmetic.ulp import FORMATS
from diffcompare.certify.exact_error import difference, ratio
from diffcompare.certify.higher import Slope
from diffcompare.certify.reference import check_point
from diffcompare.errors import shorten
from diffcompare.floats import Flags, Floats, answer, as_floats
from diffcompare.numeric.boxes import candidates, check_box
from diffcompare.numeric.stencils import COMPLEX_STEP, DEFAULT_SCHEMES, Stencil, check_schemes, stencil
from diffcompare.numeric.steps import check_steps, geometric_steps
from diffcompare.sweeps.bounds import bound_error
from diffcompare.sweeps.box_stencils import pieces
from diffcompare.sweeps.complex_rows import complex_columns
from diffcompare.sweeps.expansions import Expansions, expansions
from diffcompare.sweeps.parallel import in_processes, packed, unpacked
from diffcompare.sweeps.predictions import predictions
from diffcompare.sweeps.split import PARTS, float_parts, split_error
from diffcompare.sweeps.subject import (
    STATUS_CODES,
    SWEEP_BITS,
    Evaluations,
    Grid,
    References,
    Run,
    differences,
    each_point,
    references,
)
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES, format_point, in_order, labelled, stack
from diffcompare.watchdog import account_for_each_place, one_account

__all__ = ["sweep"]


# rows of a task for another process: about a tenth of a second
_CHUNK_ROWS = 2000
# rows whose numbers stay in the cache of a processor while they are computed
_BLOCK_ROWS = 8192


@account_for_each_place()
def sweep(
    f: SymbolicFunction,
    points: ArrayLike,
    *,
    schemes: str | Stencil | Sequence[str | Stencil] = DEFAULT_SCHEMES,
    steps: ArrayLike | None = None,
    variables: Sequence[str] | None = None,
    dtype: str = "float64",
    derivative: int | None = None,
    box: Any = None,
    split: bool = True,
    bounds: bool = True,
    evaluate: Callable[[Any], Any] | None = None,
    vectorized: bool = False,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Tabulate the error of finite differences against the certified derivative.

    Measured against a proven reference: ``error`` is numeric − F′(x), correctly rounded from the exact difference.

    Parameters
    ----------
    f : SymbolicFunction
    points : array_like of float
        One variable: a number or numbers. n variables: one point of length n, or an array of shape (m, n). Finite.
        Repeated points are dropped.
    schemes : str, Stencil, or sequence of them
        ``"forward"``, ``"backward"``, ``"central"``, one of these with an order (``"forward2"``, ``"central4"``), or a
        :class:`diffcompare.Stencil`, which says what exactly is evaluated; ``"complex"``, the complex step, has the
        split and no bound.
    steps : array_like of float, optional
        Positive step sizes in units of the variable, any order; default ``geometric_steps(1e-1, 1e-16)``.
    variables : sequence of str, optional
        The variables to differentiate in; default: all.
    dtype : {"float64", "float32", "float16"}
        What f is computed in: points, steps and constants are rounded to it first, and the table shows them rounded;
        the reference is taken at the rounded point. A step that rounds to 0 has the status ``h-underflow`` and no
        quotient. ``longdouble`` is for ``numerical_diff`` and ``numerical_gradient``.
    derivative : int, optional
        The order of the derivative along each variable; default: that of a ``Stencil`` in ``schemes``, else 1.
    box : (lower, upper), optional
        Where the stencils may reach; numbers, or arrays with one for each variable. Where a stencil would leave it,
        the forward or backward one of its order runs, and ``scheme`` names the one that ran, as ``forward2`` in place
        of ``central``; a row that is there already is not repeated. The derivative is that of f, box or not: at a
        side where f ends it is ``domain``.
    split : bool
        Fill the columns truncation, abscissa, evaluation, subtraction and division: the exact parts of the error.
    bounds : bool
        Fill the columns bound, within_bound, truncation_bound, rounding_bound and bound_source.
    evaluate : callable, optional
        Runs in place of f's own program: of one number (one variable) or an array of length n; with
        ``vectorized=True`` of an array of abscissae of shape (m, n), returning m values.
    executor : concurrent.futures.Executor, optional
        Runs the points in other processes, or as Dask's ``client.get_executor()`` on other machines: the same table,
        bit for bit. f, and ``evaluate``, must pickle. A worker that dies is replaced; the points that kill one twice
        are named.

    Returns
    -------
    DataFrame
        One row per point, variable, scheme and step (h descending); the columns of ``errors.csv``.

    Raises
    ------
    ValueError
        A point, scheme, step, variable or box that cannot be used, a point outside the box, a step for which nothing
        fits into it; the message names it.
    UnsupportedFunction
        ``"complex"``: an operation is not analytic, has no complex floats, or meets its branch cut.
    DiffcompareError
        A worker process died twice at the points that are named.

    Examples
    --------
    >>> import diffcompare as dc
    >>> table = dc.sweep(dc.parse("x**2"), 3.0, schemes="central", steps=[1e-2, 1e-4])
    >>> table[["h", "numeric", "exact", "within_bound"]].to_dict("list")
    {'h': [0.01, 0.0001], 'numeric': [5.999999999999872, 6.000000000012662], 'exact': [6.0, 6.0],
     'within_bound': [True, True]}
    """
    kind = _check_dtype(dtype)
    if not isinstance(f, SymbolicFunction):
        raise TypeError(f"f={f!r}: sweep needs a SymbolicFunction; make one with diffcompare.parse(text)")
    scalar(f, "sweep one of its .components")
    sides = None if box is None else check_box(box, (len(f.variables),))
    places = _check_points(f, points, kind, sides)
    names = [schemes] if isinstance(schemes, str | Stencil) else list(schemes)
    tables = []
    if COMPLEX_STEP in names:
        if kind != np.float64 or evaluate is not None or derivative not in (None, 1):
            raise ValueError(
                'schemes: "complex" is for the program of f, in float64, and for first derivatives; leave it out, or '
                "leave out dtype, evaluate and derivative"
            )
        derivative = 1
        tables.append(_complex_table(f, places, steps, variables, split, executor))
    others: Any = [name for name in names if name != COMPLEX_STEP]
    if others or not names:
        stencils = check_schemes(others, derivative)
        derivative = stencils[0].derivative
        h = _rounded_steps(check_steps(geometric_steps(1e-1, 1e-16) if steps is None else steps), kind)
        grid = Grid(f, places, stencils, h, _check_variables(f, variables), derivative, kind)
        options: dict[str, Any] = {
            "split": split,
            "bounds": bounds,
            "evaluate": evaluate,
            "vectorized": vectorized,
        }
        if executor is not None:
            tables.append(_shared_out(grid, options | {"box": box}, executor))
        else:
            tables += [_table(piece, **options) for piece in ([grid] if sides is None else pieces(grid, *sides))]
    return in_order(tables, _names(names, derivative, boxed=sides is not None))


def _names(schemes: Sequence[str | Stencil], derivative: int | None, *, boxed: bool) -> list[str]:
    """List the schemes in the order of their rows: each as given, followed by what may run in its place."""
    given = {name if isinstance(name, str) else name.name: name for name in schemes}
    found: list[str] = []
    for name, scheme in given.items():
        others = [] if scheme == COMPLEX_STEP or not boxed else candidates(stencil(scheme, derivative))
        found += [name, *(other.name for other in others if other.name not in given)]
    return list(dict.fromkeys(found))


def _table(
    grid: Grid, *, split: bool, bounds: bool, evaluate: Callable[[Any], Any] | None, vectorized: bool
) -> pd.DataFrame:
    run = compile_numpy(grid.f.program, grid.dtype.name)
    if evaluate is not None:
        run = _users_code(evaluate, vectorized, grid.dtype)
    reference = references(grid)
    evaluations = differences(grid, run, together=evaluate is None)
    status = _statuses(grid, reference, evaluations)
    measured = _errors(grid, reference, evaluations)
    # a tie that no precision resolves, as where F′ is exactly 1 and no ball can show it
    status[np.isnan(measured["error"]) & (status == STATUS_CODES["ok"])] = STATUS_CODES["undecided"]
    certain = np.isin(status, [STATUS_CODES["ok"], STATUS_CODES["h-underflow"]])
    certain &= np.isfinite(reference.value)[:, :, None, None] & (grid.steps > 0)
    if split or bounds:
        taylor = expansions(grid, certain)
        if split or evaluate is not None:
            measured |= split_error(grid, evaluations, taylor, certain)
        else:
            measured |= float_parts(grid, evaluations, certain)
        if bounds:
            measured |= _bounds(grid, evaluations, taylor, certain, measured, measured_code=evaluate is not None)
    if not split:
        measured = {name: array for name, array in measured.items() if name not in PARTS}
    return _frame(grid, measured, status, source="" if not bounds else "proven" if evaluate is None else "measured")


def _complex_table(
    f: SymbolicFunction,
    points: Floats,
    steps: ArrayLike | None,
    variables: Sequence[str] | None,
    split: bool,
    executor: Executor | None,
) -> pd.DataFrame:
    h = check_steps(geometric_steps(1e-1, 1e-16) if steps is None else steps)
    # a stencil that no code runs gives the rows their name and their order
    named = Stencil([-1, 1], name=COMPLEX_STEP)
    grid = Grid(f, points, [named], h, _check_variables(f, variables))
    if executor is not None:
        return _shared_out(grid, {"schemes": COMPLEX_STEP, "split": split, "evaluate": None}, executor)
    columns = complex_columns(grid, split)
    return _frame(grid, columns, columns.pop("status").astype(np.int8), source="")


def _shared_out(grid: Grid, options: dict[str, Any], executor: Executor) -> pd.DataFrame:
    """Sweep chunks of the points in other processes, and stack their tables."""
    if not hasattr(executor, "submit"):
        raise TypeError(f"executor={executor!r}: must be a concurrent.futures.Executor, as ProcessPoolExecutor()")
    m, *others = grid.shape
    rows = math.prod(others)
    # a task should take longer than to send it, and workers should not wait for the last one
    size = min(max(-(-_CHUNK_ROWS // rows), -(-m // 16)), max(-(-10 * _CHUNK_ROWS // rows), 1))
    shared = {
        "schemes": grid.stencils,
        "derivative": grid.derivative,
        "dtype": grid.dtype.name,
        "steps": grid.steps,
        "variables": [grid.f.variables[i] for i in grid.directions],
    }
    work = packed((grid.f, shared | options), "evaluate" if options["evaluate"] is not None else "f")
    chunks = [grid.points[k : k + size] for k in range(0, m, size)]
    names = [
        f"{shorten(grid.f.name, 60)} at {format_point(grid.f.variables, chunk[0])}"
        + (f" and the {len(chunk) - 1} points after it" if len(chunk) > 1 else "")
        for chunk in chunks
    ]
    tables = []
    for outcome in in_processes(_sweep_chunk, [(work, chunk) for chunk in chunks], names, executor):
        if outcome.error is not None:
            raise outcome.error
        tables.append(outcome.value)
    return stack(tables, COLUMNS)


def _sweep_chunk(payload: tuple[bytes, Floats]) -> pd.DataFrame:
    work, points = payload
    f, options = unpacked(work)
    return sweep(f, points, **options)


def _bounds(
    grid: Grid,
    evaluations: Evaluations,
    taylor: Expansions,
    certain: Flags,
    parts: dict[str, Floats],
    *,
    measured_code: bool,
) -> dict[str, Floats]:
    truncation, rounding = bound_error(grid, evaluations, taylor, certain, parts, measured=measured_code)
    with np.errstate(all="ignore"):
        # a sum of two floats, rounded upwards
        total = np.nextafter(truncation + rounding, np.where(truncation + rounding == 0, 0.0, np.inf))
    total[np.isinf(total)] = np.nan
    return {"truncation_bound": truncation, "rounding_bound": rounding, "bound": total}


def _check_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype that f is computed in."""
    kind: np.dtype[Any] | None
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind is not None and kind.name in FORMATS and kind.isnative:
        return kind
    reason = "unknown"
    if kind is not None and kind == np.longdouble:
        reason = "its errors have no proven bounds, and binary64 columns cannot hold them; use numerical_diff for it"
    raise ValueError(f"dtype={shorten(str(dtype), 40)!r}: {reason}; choose from {', '.join(FORMATS)}")


def _rounded_steps(steps: Floats, kind: np.dtype[Any]) -> Floats:
    """Round steps to a dtype; equal ones are one."""
    with np.errstate(all="ignore"):
        rounded = np.unique(steps.astype(kind).astype(np.float64))[::-1]
    if np.isinf(rounded[0]):
        raise ValueError(
            f"h={float(steps[0])!r}: is infinite in {kind.name}; pass steps below {FORMATS[kind.name].largest!r}"
        )
    return np.ascontiguousarray(rounded)


def _check_points(
    f: SymbolicFunction, points: ArrayLike, kind: np.dtype[Any], box: tuple[Floats, Floats] | None
) -> Floats:
    values = as_floats(points, f"points of {', '.join(f.variables[:8])}")
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
    with np.errstate(all="ignore"):
        rounded = values.astype(kind).astype(np.float64)
    bad = ~np.isfinite(rounded).all(axis=1)
    for name, value, held in zip(f.variables, values[bad][:1].reshape(-1), rounded[bad][:1].reshape(-1), strict=False):
        if not np.isfinite(held):
            raise ValueError(f"{name}={float(value)!r}: is infinite in {kind.name}; pass a coordinate that it can hold")
    values = rounded
    if box is not None:
        for p, i in np.argwhere((values < box[0]) | (values > box[1])):
            raise ValueError(
                f"{f.variables[i]}={float(values[p, i])!r}: lies outside the box [{float(box[0][i])!r}, "
                f"{float(box[1][i])!r}]; pass a point inside, or a wider box"
            )
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


def _users_code(evaluate: Callable[[Any], Any], vectorized: bool, kind: np.dtype[Any]) -> Run:
    def run(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        abscissae = np.stack(columns, axis=-1)
        if vectorized:
            values = np.asarray(answer(evaluate(abscissae)), dtype=kind)
            if values.size != len(abscissae):
                raise ValueError(
                    f"evaluate returned shape {values.shape} for {len(abscissae)} abscissae; return one value each"
                )
            return values.reshape(-1)
        single = len(columns) == 1
        return np.array([kind.type(answer(evaluate(row[0] if single else row))) for row in abscissae], dtype=kind)

    return run


def _errors(grid: Grid, reference: References, evaluations: Evaluations) -> dict[str, Floats]:
    """Return the columns that compare numeric with certified, and the predictions."""
    numeric = evaluations.numeric
    exact = tuple(array[:, :, None, None] for array in (reference.value, reference.tail, reference.slack))
    error, relative, unsure = np.empty(grid.shape), np.empty(grid.shape), np.empty(grid.shape, dtype=bool)
    block = max(1, _BLOCK_ROWS // math.prod(grid.shape[1:]))
    for first in range(0, len(grid.points), block):
        some = slice(first, first + block)
        known = tuple(array[some] for array in exact)
        error[some], rest, doubt, unsure[some] = difference(numeric[some], known)  # type: ignore[arg-type]
        relative[some], unsure_ratio = ratio(error[some], rest, doubt, known)  # type: ignore[arg-type]
        unsure[some] |= unsure_ratio
    certified = (reference.status == STATUS_CODES["ok"])[:, :, None, None]
    unsure |= np.isinf(exact[0])
    _settle(grid, numeric, error, relative, unsure & certified & np.isfinite(numeric))
    predicted_h, predicted_error = predictions(grid, reference)
    return {
        "numeric": numeric,
        "exact": exact[0],
        "error": error,
        "abs_error": np.abs(error),
        "rel_error": relative,
        "predicted_h": predicted_h[..., None],
        "predicted_abs_error": predicted_error[..., None],
    }


def _settle(grid: Grid, numeric: Floats, error: Floats, relative: Floats, unsure: Flags) -> None:
    """Round by balls what the two floats of the reference do not decide."""
    for p, v in np.argwhere(unsure.any(axis=(2, 3))):
        point = grid.points[p].tolist()
        slope = Slope(grid.f, point, grid.directions[v], grid.derivative)
        with one_account(tuple(point)):
            for s, k in np.argwhere(unsure[p, v]):
                error[p, v, s, k], relative[p, v, s, k] = slope.error(float(numeric[p, v, s, k]))


def _statuses(grid: Grid, reference: References, evaluations: Evaluations) -> NDArray[np.int8]:
    """Return the first status of a row that applies, in the order domain, kink, undecided, nonfinite, h-underflow."""
    status = np.full(grid.shape, STATUS_CODES["ok"], dtype=np.int8)
    status[evaluations.collapsed] = STATUS_CODES["h-underflow"]
    status[~evaluations.finite] = STATUS_CODES["nonfinite"]
    certain = reference.status[:, :, None, None]
    for name in ("undecided", "kink"):
        status = np.where(certain == STATUS_CODES[name], certain, status)
    offsets = tuple(chosen.offsets for chosen in grid.stencils)
    every = sorted({offset for stencil in offsets for offset in stencil})
    abscissae = {offset: evaluations.abscissae[offset] for offset in every}
    program, largest = grid.f.program, float(grid.steps[0])
    with precision(SWEEP_BITS):
        inside = [
            certainly_inside(program, grid.points, i, largest, {offset: a[:, v] for offset, a in abscissae.items()})
            for v, i in enumerate(grid.directions)
        ]
        for p, point in each_point(grid, ~np.logical_and.reduce(inside)):
            rest = Rest(point)
            for v, i in enumerate(grid.directions):
                if inside[v][p] or reference.status[p, v] == STATUS_CODES["domain"]:
                    continue
                reached = {offset: array[p, v] for offset, array in abscissae.items()}
                found = undefined_steps(program, rest, i, grid.steps, offsets, reached)
                if found is not None:
                    outside, unknown = found
                    status[p, v][unknown & (status[p, v] != STATUS_CODES["kink"])] = STATUS_CODES["undecided"]
                    status[p, v][outside] = STATUS_CODES["domain"]
    return np.where(certain == STATUS_CODES["domain"], certain, status)


def _frame(grid: Grid, measured: dict[str, Floats], status: NDArray[np.int8], *, source: str) -> pd.DataFrame:
    shape = grid.shape
    size = int(np.prod(shape))
    f = grid.f
    labels: dict[str, tuple[Sequence[str], int | None]] = {
        "function": ([f.name], None),
        "point": ([format_point(f.variables, point) for point in grid.points], 0),
        "variable": ([f.variables[i] for i in grid.directions], 1),
        "scheme": ([chosen.name for chosen in grid.stencils], 2),
        "dtype": ([grid.dtype.name], None),
    }
    empty = np.full(size, np.nan)
    bound = measured["bound"].reshape(-1) if "bound" in measured else empty
    bounded = ~np.isnan(bound)
    data: dict[str, Any] = {}
    for column, kind in COLUMNS.items():
        if column in labels:
            data[column] = _categories(*labels[column], shape)
        elif column == "status":
            data[column] = labelled(status.reshape(-1), STATUSES)
        elif column == "bound_source":
            codes = np.where(bounded, BOUND_SOURCES.index(source), BOUND_SOURCES.index("")).astype(np.int8)
            data[column] = labelled(codes, BOUND_SOURCES)
        elif column == "derivative":
            data[column] = np.full(size, grid.derivative)
        elif column == "h":
            data[column] = np.broadcast_to(grid.steps, shape).reshape(-1)
        elif column == "order":
            orders = np.array([chosen.order for chosen in grid.stencils], dtype=np.int64)
            data[column] = np.broadcast_to(orders[:, None], shape).reshape(-1)
        elif kind == "flag":
            data[column] = pd.arrays.BooleanArray(measured["abs_error"].reshape(-1) <= bound, ~bounded)
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
