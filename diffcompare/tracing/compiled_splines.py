"""SciPy's compiled splines, interpolation on grids and kernel density estimates, written with NumPy."""

# ruff: noqa: ARG001 - the arguments are those of SciPy's functions

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["SPLINES"]


def _beyond(x: Any, ends: tuple[Any, Any], found: Any, *, extrapolate: Any) -> Any:
    """Return nan outside, unless what is inside is continued."""
    if extrapolate:
        return found
    outside = np.logical_or(x < ends[0], x > ends[1])
    return np.where(outside[:, None], np.nan, found)


def _piecewise(c: Any, knots: Any, x: Any, derivative: int, extrapolate: Any, out: Any) -> None:
    """Evaluate Σ c[j, i] (x − knots[i])^(k − j) on the piece i that x lies in, or a derivative of it."""
    degree = len(c) - 1
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
    t = (x - knots[piece])[:, None]
    found = 0.0 * t * c[0, piece]
    for j in range(degree - derivative + 1):
        found = found * t + math.perm(degree - j, derivative) * c[j, piece]
    out[...] = _beyond(x, (knots[0], knots[-1]), found, extrapolate=extrapolate)


def _spline(t: Any, c: Any, k: int, x: Any, derivative: int, extrapolate: Any) -> Any:
    """Evaluate a sum of B-splines, or a derivative of it (C. de Boor, A Practical Guide to Splines, X (16) and (8))."""
    n = len(t) - k - 1
    last = np.clip(np.searchsorted(t, x, side="right") - 1, k, n - 1)
    d = [c[last - k + j] for j in range(k + 1)]
    for r in range(1, derivative + 1):
        for j in range(k, r - 1, -1):
            i = last - k + j
            d[j] = (k - r + 1) * (d[j] - d[j - 1]) / (t[i + k - r + 1] - t[i])[:, None]
    degree = k - derivative
    for r in range(1, degree + 1):
        for j in range(k, derivative + r - 1, -1):
            i = last - k + j
            share = ((x - t[i]) / (t[i + degree - r + 1] - t[i]))[:, None]
            d[j] = (1.0 - share) * d[j - 1] + share * d[j]
    found = d[k] if degree >= 0 else 0.0 * d[k]
    return _beyond(x, (t[k], t[n]), found, extrapolate=extrapolate)


def _fitpack(t: Any, c: Any, k: int, x: Any, derivative: int, beyond: int) -> tuple[Any, int]:
    """Evaluate FITPACK's spline: ``beyond`` its ends it goes on (0), is 0 (1), refused (2) or stays what it is (3)."""
    outside = np.logical_or(x < t[k], x > t[len(t) - k - 1])
    if beyond == 2 and np.any(outside):
        return x, 1
    x = np.clip(x, t[k], t[len(t) - k - 1]) if beyond == 3 else x
    found = _spline(t, c[:, None], k, x, derivative, True)[:, 0]
    return (np.where(outside, 0.0, found) if beyond == 1 else found), 0


def _values(t: Any, c: Any, k: int, x: Any, beyond: int) -> tuple[Any, int]:
    return _fitpack(t, c, k, x, 0, beyond)


def _stacked(value: Any) -> Any:
    return np.stack([_stacked(v) for v in value]) if isinstance(value, list) else value


def _coordinates(points: Any, ndim: Any = None) -> Any:
    if isinstance(points, tuple) and len(points) == 1:
        points = points[0]
    if isinstance(points, tuple):
        return np.stack(np.broadcast_arrays(*map(_stacked, points)), axis=-1)
    points = _stacked(points)
    return points if points.ndim > 1 else points[:, None] if ndim in (None, 1) else points.reshape(-1, ndim)


def _cells(grid: Any, x: Any) -> Any:
    """Return the cell that each point lies in, axis by axis, and where in it."""
    places, shares = [], []
    for knots, values in zip(grid, x, strict=True):
        place = np.clip(np.searchsorted(knots, values, side="right") - 1, 0, max(len(knots) - 2, 0))
        places.append(place)
        shares.append((values - knots[place]) / (knots[place + 1] - knots[place]))
    return np.stack(places), np.stack(shares)


def _bilinear(values: Any, places: Any, shares: Any, grid: Any, out: Any) -> Any:
    (i, j), (s, t) = places, shares
    rows = [values[i + k, j] * (1.0 - t) + values[i + k, j + 1] * t for k in (0, 1)]
    return rows[0] * (1.0 - s) + rows[1] * s


def _kernels(points: Any, x: Any, root: Any) -> tuple[Any, Any]:
    """Return the exponents of normal densities around points, and the logarithm of their height."""
    one, two = (np.linalg.solve(root, v.T).T for v in (points, x))
    apart = np.sum((two[:, None, :] - one[None, :, :]) ** 2, axis=-1)
    height = -0.5 * points.shape[1] * np.log(2 * np.pi) - np.sum(np.log(np.diagonal(root)))
    return -apart / 2, height


def _density(points: Any, values: Any, x: Any, root: Any, *_: Any) -> Any:
    exponents, height = _kernels(points, x, root)
    return np.exp(exponents + height) @ values


def _log_density(points: Any, values: Any, x: Any, root: Any, *_: Any) -> Any:
    exponents, height = _kernels(points, x, root)
    return np.log(np.exp(exponents) @ values) + height


_INTERPOLATE = "scipy.interpolate"
SPLINES: Mapping[str, Callable[..., Any]] = {
    f"{_INTERPOLATE}._ppoly.evaluate": _piecewise,
    f"{_INTERPOLATE}._dierckx.evaluate_spline": _spline,
    "Fortran's splev": _values,
    "Fortran's splder": _fitpack,
    f"{_INTERPOLATE}._fitpack.splev": _values,
    f"{_INTERPOLATE}._fitpack.splder": lambda t, c, k, derivative, x, beyond: _fitpack(t, c, k, x, derivative, beyond),
    f"{_INTERPOLATE}._interpnd._ndim_coords_from_arrays": _coordinates,
    f"{_INTERPOLATE}._rgi_cython.find_indices": _cells,
    f"{_INTERPOLATE}._rgi_cython.evaluate_linear_2d": _bilinear,
    "scipy.stats._stats.gaussian_kernel_estimate": _density,
    "scipy.stats._stats.gaussian_kernel_estimate_log": _log_density,
}
