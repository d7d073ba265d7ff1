"""The derivative of sampled data at its points, with an estimate of its error that knows the noise of the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import shown
from diffcompare.floats import Floats, float_copy, unit_roundoff

__all__ = ["SampledDerivative", "differentiate_samples"]

# points of a window; more would cost more than they tell
_WIDTHS = (4, 5, 6, 7, 9, 11, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257)
# polynomials of more than this degree amplify noise faster than truncation falls
_DEGREE = 6
# standard deviations of the noise that an estimate allows for
_DEVIATIONS = 3.0
# what a fit leaves of the data, in deviations, is more than chance
_MISFIT = 2.0
# of normal noise: the median of its size
_MEDIAN = 0.6745
# the orders of differences that noise is looked for in, and how many neighbours tell it at a point
_ORDERS, _NEIGHBOURS = range(2, 9), 25
# numbers in one block of windows
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class SampledDerivative:
    """The derivative at every sample.

    Parameters
    ----------
    value, error : ndarray of the shape of y
        The derivative, and an estimate of the size of its error: no bound.
    noise : ndarray of the shape of y
        The standard deviation of the data as it was measured there, or as it was given.
    points : ndarray of int, of the shape of y
        How many samples the value was made of.
    """

    value: Floats
    error: Floats
    noise: Floats
    points: NDArray[np.int64]


def differentiate_samples(
    x: ArrayLike, y: ArrayLike, *, derivative: int = 1, noise: float | None = None
) -> SampledDerivative:
    """Differentiate samples of a function, on any grid, choosing at every point how many neighbours it takes.

    Estimated. In a window of w neighbours, beside the point or around it, the polynomial p of degree d that fits best
    by least squares has a derivative at the point that is a sum Σ c_k·y_k. Errors of the data of standard deviation s
    make s·‖c‖ of it. The truncation is what the derivative changes by when one or two degrees are left out: that of the
    *lower* degrees, and so an order too large; doubled. Of all windows and degrees the one with the smallest sum of
    three deviations and truncation is taken. A corner at the point shows in windows of one side: what the slopes of
    both sides differ by, beyond their own estimates, is an error. What f does between two samples cannot be seen.

    The noise is measured from differences of order 2 to 8, normalised so that independent errors of deviation s give s:
    a smooth function fades as the order grows, noise stays. Values that were rounded to a step q, as seen by runs of
    equal ones between steps, may be off by q/2 in a row: that makes q/2·Σ|c_k|.

    Parameters
    ----------
    x : array_like, shape (n,)
        Increasing or decreasing; at least 3 + ``derivative``.
    y : array_like, shape (n, …)
        The values; columns are differentiated one by one.
    derivative : {1, 2}
    noise : float, optional
        The standard deviation of the errors of y, where it is known.

    Returns
    -------
    SampledDerivative

    Raises
    ------
    ValueError, TypeError
        x is not in order, or has another length than y; numbers that are not finite; too few samples.

    References
    ----------
    A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964), 1627-1639: derivatives by local least squares. A. Goldenshluger,
    A. Nemirovski, Math. Methods Statist. 6 (1997), 135-170: windows chosen point by point by what they say themselves.
    J. J. Moré, S. M. Wild, SIAM J. Sci. Comput. 33 (2011), 1292-1314: noise from differences of growing order.

    Examples
    --------
    >>> x = np.linspace(0, 3, 40) ** 1.2
    >>> slope = differentiate_samples(x, np.sin(x))
    >>> bool((abs(slope.value - np.cos(x)) <= slope.error).all()), bool(slope.error.max() < 1e-3)
    (True, True)
    """
    grid, data = _checked(x, y, derivative)
    if noise is not None and not (isinstance(noise, int | float) and 0 <= noise < math.inf):
        raise ValueError(f"noise={shown(noise)}: must be a finite number that is not negative; None has it measured")
    columns = data.reshape(grid.size, -1)
    found = [_column(grid, column, derivative, noise) for column in columns.T]
    value, error, deviation, points = (
        np.stack(part, axis=-1).reshape(data.shape) if found else np.zeros(data.shape)
        for part in (zip(*found, strict=True) if found else [()] * 4)
    )
    return SampledDerivative(value, error, deviation, points.astype(np.int64))


def _checked(x: ArrayLike, y: ArrayLike, derivative: int) -> tuple[Floats, Floats]:
    grid, data = (np.asarray(float_copy(name, one), dtype=np.float64) for name, one in (("x", x), ("y", y)))
    if derivative not in (1, 2):
        raise ValueError(f"derivative={shown(derivative)}: must be 1 or 2")
    if grid.ndim != 1 or data.ndim == 0 or data.shape[0] != grid.size:
        raise ValueError(f"x of shape {grid.shape} and y of shape {data.shape}: y needs one row for every number of x")
    if grid.size < 3 + derivative:
        raise ValueError(f"x has {grid.size} samples: at least {3 + derivative} are needed for derivative={derivative}")
    for name, one in (("x", grid), ("y", data)):
        for place in np.argwhere(~np.isfinite(one))[:1]:
            where = ", ".join(map(str, place))
            raise ValueError(f"{name}[{where}]={float(one[tuple(place)])!r}: must be finite; leave that sample out")
    steps = np.diff(grid)
    for k in np.flatnonzero(steps * np.sign(steps[0] or 1.0) <= 0)[:1]:
        raise ValueError(
            f"x[{k}]={float(grid[k])!r} and x[{k + 1}]={float(grid[k + 1])!r}: x must increase, or decrease, "
            "throughout; sort the samples, and take the mean of those at one place"
        )
    return grid, data


def _column(
    x: Floats, y: Floats, derivative: int, noise: float | None
) -> tuple[Floats, Floats, Floats, NDArray[np.int64]]:
    deviation = _noise(x, y) if noise is None else np.full(x.shape, float(noise))
    rounded = _rounded_to(y) / 2 if noise is None else 0.0
    value, error = np.full(x.shape, math.nan), np.full(x.shape, math.inf)
    points = np.zeros(x.shape, dtype=np.int64)
    sides = {side: (value.copy(), error.copy()) for side in (-1, 1)}
    for width in _WIDTHS:
        if width > x.size:
            break
        for side, at, start in _windows(x.size, width):
            for some in np.array_split(np.arange(at.size), 1 + at.size * width * (_DEGREE + 1) // _BLOCK):
                i, first = at[some], start[some]
                made = _fits(x, y, i, first, width, derivative, deviation[i], rounded)
                for one_value, one_error in made:
                    better = one_error < error[i]
                    value[i[better]], error[i[better]], points[i[better]] = one_value[better], one_error[better], width
                    if side:
                        of_side, its_error = sides[side]
                        better = one_error < its_error[i]
                        of_side[i[better]], its_error[i[better]] = one_value[better], one_error[better]
    (left, left_error), (right, right_error) = sides[-1], sides[1]
    with np.errstate(invalid="ignore"):
        corner = np.abs(left - right) - left_error - right_error
    return value, error + np.where(corner > 0, np.abs(left - right), 0.0), deviation, points


def _windows(n: int, width: int) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Windows by the side that they lie on, 0 for around: the points, and where their windows start."""
    every = np.arange(n)
    around = np.clip(every - width // 2, 0, n - width)
    yield 0, every, around
    yield -1, every[width - 1 :], every[width - 1 :] - width + 1
    yield 1, every[: n - width + 1], every[: n - width + 1]


def _fits(
    x: Floats,
    y: Floats,
    at: NDArray[np.int64],
    start: NDArray[np.int64],
    width: int,
    derivative: int,
    deviation: Floats,
    rounded: float,
) -> Iterator[tuple[Floats, Floats]]:
    """The derivatives of the polynomials of all degrees in windows, and their estimates.

    The fit is a sum of polynomials that are orthogonal on the window, P_{k+1} = (t − α)·P_k − β·P_{k−1}; so one more
    degree is one more term, and the weights of the derivative are Σ P_k′(0)/‖P_k‖²·P_k.
    """
    t = sliding_window_view(x, width)[start] - x[at, None]
    values = sliding_window_view(y, width)[start]
    # differences from the value at the point: the sum of the weights is 0
    left = values - y[at, None]
    scale = np.abs(t).max(axis=1)
    t = t / scale[:, None]
    weights, before, now = np.zeros_like(t), np.zeros_like(t), np.ones_like(t)
    # P_k and its derivatives at 0, of this and of the degree before
    jet, last = [np.ones(at.size)] + [np.zeros(at.size)] * derivative, [np.zeros(at.size)] * (derivative + 1)
    square_before = np.ones(at.size)
    found: list[Floats] = []
    total = np.zeros(at.size)
    for degree in range(min(_DEGREE, width - 1) + 1):
        square = (now**2).sum(axis=1)
        part = (now * left).sum(axis=1) / square
        left = left - part[:, None] * now
        total = total + part * jet[derivative]
        weights += (jet[derivative] / square)[:, None] * now
        found.append(total)
        if degree >= derivative + 2:
            spare = width - degree - 1
            misfit = np.sqrt((left**2).sum(axis=1) / spare) if spare else 0.0
            yield _judged(found, weights, values, misfit, deviation, rounded, scale**derivative)
        alpha, beta = (t * now**2).sum(axis=1) / square, square / square_before if degree else np.zeros(at.size)
        before, now = now, (t - alpha[:, None]) * now - beta[:, None] * before
        jet, last = (
            [-alpha * jet[q] + (q * jet[q - 1] if q else 0.0) - beta * last[q] for q in range(derivative + 1)],
            jet,
        )
        square_before = square


def _judged(
    found: list[Floats], weights: Floats, values: Floats, misfit: Any, deviation: Floats, rounded: float, unit: Floats
) -> tuple[Floats, Floats]:
    """The last of the derivatives by degree and its estimate; none where the polynomial misses the data by far."""
    size, largest = np.abs(weights), np.abs(values).max(axis=1)
    truncation = np.maximum(np.abs(found[-1] - found[-2]), np.abs(found[-1] - found[-3]))
    noise = _DEVIATIONS * deviation * np.sqrt((size**2).sum(axis=1)) + rounded * size.sum(axis=1)
    rounding = 2 * unit_roundoff * largest * size.sum(axis=1)
    missed = misfit > _MISFIT * (deviation + rounded + unit_roundoff * largest)
    error = np.where(missed, math.inf, 2 * truncation + noise + rounding)
    return found[-1] / unit, error / unit


def _noise(x: Floats, y: Floats) -> Floats:
    """The standard deviation of the errors of y at every point: the least that any order of differences tells."""
    least = np.full(x.shape, math.inf)
    for order in _ORDERS:
        if order >= x.size:
            break
        t = sliding_window_view(x, order + 1)
        # weights of the divided difference: 1/Π(x_j − x_k)
        gaps = t[:, :, None] - t[:, None, :] + np.eye(order + 1)
        weights = 1 / np.prod(gaps / np.abs(gaps).max(axis=(1, 2), keepdims=True), axis=2)
        weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
        seen = np.abs((weights * sliding_window_view(y, order + 1)).sum(axis=1))
        count = min(_NEIGHBOURS, seen.size)
        local = np.median(sliding_window_view(seen, count), axis=1)
        nearest = np.clip(np.arange(x.size) - order // 2 - count // 2, 0, local.size - 1)
        least = np.minimum(least, np.maximum(local[nearest], np.median(seen)) / _MEDIAN)
    return least


def _rounded_to(y: Floats) -> float:
    """The step of values that are a staircase: multiples of one, with runs of equal ones between; else 0."""
    steps = np.diff(y)
    moved = np.flatnonzero(steps)
    if moved.size < 3:
        return 0.0
    step = float(np.abs(steps[moved]).min())
    multiples = steps[moved] / step
    # runs between two steps of the same direction
    runs = (np.diff(moved) > 1) & (np.sign(multiples[1:]) == np.sign(multiples[:-1]))
    whole = np.abs(multiples - np.round(multiples)).max() <= 1e-4
    return step if whole and runs.sum() >= 2 else 0.0
