"""Step sizes: sequences, and the step that a model of the error calls best."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from functools import lru_cache, partial

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.errors import check_step_size, shown
from diffcompare.floats import Floats, as_floats

__all__ = ["check_steps", "geometric_steps", "optimal_step"]


_DECIMAL = Context(prec=60, Emin=-99999, Emax=99999)
_MAX_STEPS = 100_000


def geometric_steps(largest: float, smallest: float, per_decade: int = 4) -> Floats:
    """Return step sizes in geometric progression, descending.

    Element k is the decimal number largest·10^(−k/per_decade), correctly rounded, so that whole decades are the
    literals 1e-1, 1e-2 … (``numpy.geomspace`` and ``logspace`` miss some by an ulp).

    Parameters
    ----------
    largest, smallest : float
        In units of the variable; positive and finite, largest ≥ smallest; both are included where the progression
        meets them.
    per_decade : int
        Steps per factor of ten, at least 1.

    Returns
    -------
    ndarray of float64, shape (m,)

    Raises
    ------
    ValueError
        A bound is not positive and finite, they are in the wrong order, or there would be more than 100,000 steps.

    Examples
    --------
    >>> geometric_steps(1e-1, 1e-3, per_decade=1).tolist()
    [0.1, 0.01, 0.001]
    """
    largest, smallest = check_step_size(largest), check_step_size(smallest)
    if largest < smallest:
        raise ValueError(f"largest={largest!r} is below smallest={smallest!r}; exchange them")
    if isinstance(per_decade, bool) or not per_decade >= 1 or per_decade % 1:
        raise ValueError(f"per_decade={per_decade!r}: steps per decade must be a whole number of at least 1; pass 4")
    if per_decade > _MAX_STEPS:
        raise ValueError(f"per_decade={shown(per_decade)}: too many steps; ask for at most {_MAX_STEPS}")
    count = math.floor(per_decade * (math.log10(largest) - math.log10(smallest)) + 1e-9) + 1
    if count > _MAX_STEPS:
        raise ValueError(f"per_decade={per_decade!r}: {count} steps; ask for at most {_MAX_STEPS}")
    start = Decimal(repr(largest))
    steps = np.array([_decimal_step(start, k, int(per_decade)) for k in range(count)])
    return steps[steps >= smallest]


@lru_cache(1 << 10)
def _decimal_step(start: Decimal, k: int, per_decade: int) -> float:
    whole, part = divmod(-k, per_decade)
    factor = _DECIMAL.power(Decimal(10), _DECIMAL.divide(Decimal(part), Decimal(per_decade)))
    return float(_DECIMAL.scaleb(_DECIMAL.multiply(start, factor), whole))


def check_steps(steps: ArrayLike) -> Floats:
    """Return step sizes as a descending array without repetitions; ``ValueError`` names a bad one."""
    values = np.atleast_1d(as_floats(steps, "steps"))
    if values.ndim != 1 or not values.size:
        raise ValueError(f"steps of shape {values.shape}: pass a one-dimensional list of at least one step size")
    for value in values:
        check_step_size(float(value))
    return np.unique(values)[::-1].copy()


def optimal_step(
    series: Floats, noise: Floats, h_min: float, h_max: float, *, derivative: int = 1, trailing: int = 0
) -> tuple[Floats, Floats]:
    """Estimate the best step size from a model of the error.

    Estimated: h* = argmin over [h_min, h_max] of M(h) = |Σ_{m≥1} a_m hᵐ| + (n₀ + n₁ h)/h^q. Only + − × ÷ and sqrt are
    used, so that every machine finds the same step: the decimal grid is searched, then the neighbourhood of its
    best element is narrowed by geometric quarters.

    Parameters
    ----------
    series : ndarray, shape (groups, terms)
        a_1, a_2, …: the terms of the truncation error.
    noise : ndarray, shape (groups, 2)
        n₀ and n₁, both ≥ 0.
    h_min, h_max : float
    derivative : int
        q, the order of the derivative.
    trailing : int
        So many terms at the end stand for those that follow: the sum counts as at least as large as each of them.

    Returns
    -------
    steps, errors : ndarray, shape (groups,)
        h* and M(h*); equal minima: the larger h; nan where an input is nan.

    References
    ----------
    P. E. Gill, W. Murray, M. H. Wright, Practical Optimization (1981), section 8.6: the balance of truncation and
    condition error, here with all known terms of the series instead of the first.
    """
    model = partial(_model, derivative=derivative, trailing=trailing)
    with np.errstate(all="ignore"):
        grid = _candidates(h_min, h_max)
        # term by term, each in one piece of memory
        series = np.asfortranarray(series)
        totals = _series(series[:, None, :], grid[None, :])
        on_grid = model(series[:, None, :], noise[:, None, :], grid[None, :], totals)
        # the grid descends, so the first of equal minima is the larger step
        best = np.argmin(np.where(np.isnan(on_grid), np.inf, on_grid), axis=1)
        rows = np.arange(len(series))
        step, error = grid[best], on_grid[rows, best]
        high, low = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, grid.size - 1)]
        for _ in range(40):
            middle = np.sqrt(low) * np.sqrt(high)
            lower, upper = np.sqrt(low) * np.sqrt(middle), np.sqrt(middle) * np.sqrt(high)
            below, above = model(series, noise, np.stack([lower, upper]))
            go_down = below < above
            high, low = np.where(go_down, upper, high), np.where(go_down, low, lower)
        found = np.clip(np.sqrt(low) * np.sqrt(high), h_min, h_max)
        refined = model(series, noise, found)
        found, refined = _zero_of_the_series(model, series, noise, grid, totals, found, refined)
    better = refined < error
    step, error = np.where(better, found, step), np.where(better, refined, error)
    silent = (noise == 0).all(axis=1)
    exact = (series == 0).all(axis=1)
    step = np.where(silent, h_min, np.where(exact, h_max, step))
    with np.errstate(all="ignore"):
        error = np.where(silent | exact, model(series, noise, step), error)
    unknown = np.isnan(series).any(axis=1) | np.isnan(noise).any(axis=1)
    return np.where(unknown, np.nan, step), np.where(unknown, np.nan, error)


def _zero_of_the_series(
    model: Callable[[Floats, Floats, Floats], Floats],
    series: Floats,
    noise: Floats,
    grid: Floats,
    totals: Floats,
    found: Floats,
    error: Floats,
) -> tuple[Floats, Floats]:
    """Take the largest step at which the terms cancel, where there is one: a valley narrower than the grid."""
    signs = np.sign(totals)
    changes = signs[:, :-1] * signs[:, 1:] < 0
    rows = np.flatnonzero(changes.any(axis=1))
    if not rows.size:
        return found, error
    first = np.argmax(changes[rows], axis=1)
    high, low, terms = grid[first], grid[first + 1], series[rows]
    sign = signs[rows, first]
    for _ in range(60):
        middle = np.sqrt(low) * np.sqrt(high)
        upper_half = np.sign(_series(terms, middle)) == sign
        high, low = np.where(upper_half, middle, high), np.where(upper_half, low, middle)
    found, error = found.copy(), error.copy()
    for candidate in (high, low):
        value = model(terms, noise[rows], candidate)
        better = value < error[rows]
        found[rows] = np.where(better, candidate, found[rows])
        error[rows] = np.where(better, value, error[rows])
    return found, error


def _candidates(h_min: float, h_max: float) -> Floats:
    top = float(f"1e{math.ceil(math.log10(h_max)) + 1}") if h_max < 1e307 else h_max
    bottom = max(h_min / 10, 5e-324)
    decades = geometric_steps(top, bottom) if h_min < h_max else np.array([])
    inside = decades[(decades > h_min) & (decades < h_max)]
    return np.unique(np.array([h_min, *inside, h_max]))[::-1].copy()


def _model(
    series: Floats, noise: Floats, h: Floats, total: Floats | None = None, *, derivative: int, trailing: int
) -> Floats:
    rounding, moved = noise[..., 0] / h, noise[..., 1]
    for _ in range(derivative - 1):
        rounding, moved = rounding / h, moved / h
    truncation = np.abs(_series(series, h) if total is None else total)
    if trailing:
        truncation = np.maximum(truncation, _last_terms(series, h, trailing))
    return truncation + rounding + moved


def _last_terms(series: Floats, h: Floats, count: int) -> Floats:
    """Return the largest of the last terms: where a series does not converge, what it adds up to means nothing."""
    size = np.abs(series)
    largest = np.zeros(np.broadcast_shapes(series.shape[:-1], h.shape))
    for m in range(max(0, size.shape[-1] - count), size.shape[-1]):
        term = size[..., m] * h
        for _ in range(m):
            term *= h
        np.maximum(largest, term, out=largest)
    return largest


def _series(series: Floats, h: Floats) -> Floats:
    total = np.zeros(np.broadcast_shapes(series.shape[:-1], h.shape))
    for m in range(series.shape[-1] - 1, -1, -1):
        total += series[..., m]
        total *= h
    return total
