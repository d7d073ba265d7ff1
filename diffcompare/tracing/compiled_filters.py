"""SciPy's compiled filters of signals and images, written with NumPy: windows, products, recursions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["FILTERS"]

# what scipy.ndimage takes beyond the edges, by its codes
_BEYOND = ("edge", "wrap", "symmetric", "reflect", "constant")


def _extended(x: Any, widths: Sequence[tuple[int, int]], mode: str, value: Any) -> Any:
    return np.pad(x, widths, constant_values=value) if mode == "constant" else np.pad(x, widths, mode=mode)  # type: ignore[call-overload]


def _windows(x: Any, sizes: Sequence[int], mode: int, value: Any, origins: Sequence[int]) -> Any:
    """Return, for each element, those that weights of these sizes meet; elements are the first axes."""
    # the middle of a window of even size is its second half's first element
    ends = [(n // 2 + origin, n - n // 2 - 1 - origin) for n, origin in zip(sizes, origins, strict=True)]
    return np.lib.stride_tricks.sliding_window_view(_extended(x, ends, _BEYOND[mode], value), tuple(sizes))


def _along(x: Any, size: int, axis: int, mode: int, value: Any, origin: int) -> Any:
    """Return the windows along one axis, as the last axis."""
    sizes, origins = [1] * x.ndim, [0] * x.ndim
    sizes[axis], origins[axis] = size, origin
    return _windows(x, sizes, mode, value, origins).reshape(*x.shape, size)


def _correlate1d(x: Any, weights: Any, axis: int, out: Any, mode: int, value: Any, origin: int) -> None:
    out[...] = _along(x, len(weights), axis, mode, value, origin) @ weights


def _uniform_filter1d(x: Any, size: int, axis: int, out: Any, mode: int, value: Any, origin: int) -> None:
    out[...] = np.sum(_along(x, size, axis, mode, value, origin), axis=-1) / size


def _correlate(x: Any, weights: Any, out: Any, mode: int, value: Any, origins: Sequence[int]) -> None:
    found = _windows(x, weights.shape, mode, value, origins)
    out[...] = np.tensordot(found, weights, axes=weights.ndim)


def _convolve2d(x: Any, kernel: Any, flipped: int, mode: int, boundary: int, value: Any) -> Any:
    """Multiply windows of an image by a kernel; ``boundary`` 0, 4 or 8: filled, symmetric, periodic."""
    rows, columns = kernel.shape
    kernel = np.flip(kernel) if flipped else kernel
    beyond = {0: "constant", 4: "symmetric", 8: "wrap"}[boundary]
    extended = _extended(x, [(rows - 1, rows - 1), (columns - 1, columns - 1)], beyond, value)
    full = np.tensordot(np.lib.stride_tricks.sliding_window_view(extended, kernel.shape), kernel, axes=2)
    if mode == 2:
        return full
    if mode == 0:
        return full[rows - 1 : full.shape[0] - rows + 1, columns - 1 : full.shape[1] - columns + 1]
    # the middle, for an even size the earlier one of a convolution and the later one of a correlation
    top, left = ((n - 1) // 2 if flipped else n // 2 for n in (rows, columns))
    return full[top : top + x.shape[0], left : left + x.shape[1]]


def _linear_filter(b: Any, a: Any, x: Any, axis: int = -1, state: Any = None) -> Any:
    """Filter by y[n] = Σ b[k] x[n − k] − Σ a[k] y[n − k], with a[0] = 1 (direct form II, transposed)."""
    order = max(len(a), len(b))
    first, second = ([v[k] / a[0] if k < len(v) else 0.0 for k in range(order)] for v in (b, a))
    rows = np.moveaxis(x, axis, 0)
    held = [0.0 * rows[0]] * (order - 1) if state is None else list(np.moveaxis(state, axis, 0))
    found = []
    for row in rows:
        y = first[0] * row + (held[0] if held else 0.0)
        following = [*held[1:], 0.0]
        held = [following[k] + first[k + 1] * row - second[k + 1] * y for k in range(order - 1)]
        found.append(y)
    result = np.moveaxis(np.stack(found), 0, axis)
    return result if state is None else (result, np.moveaxis(np.stack(held), 0, axis))


_IMAGE, _SIGNAL = "scipy.ndimage._nd_image", "scipy.signal._sigtools"
FILTERS: Mapping[str, Callable[..., Any]] = {
    f"{_IMAGE}.correlate1d": _correlate1d,
    f"{_IMAGE}.uniform_filter1d": _uniform_filter1d,
    f"{_IMAGE}.correlate": _correlate,
    f"{_SIGNAL}._convolve2d": _convolve2d,
    f"{_SIGNAL}._linear_filter": _linear_filter,
}
