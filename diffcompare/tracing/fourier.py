"""Fourier transforms of a trace: sums of products with the cosines and sines of parts of a turn."""

# ruff: noqa: ARG001 - the arguments are those of NumPy's functions

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.complex_numbers import FOURIER, Complex, paired, parts_of, quotient

__all__ = ["FOURIER", "TRANSFORMS", "of_scipy", "trigonometric"]

# SciPy's sums of cosines and sines, with those of them that take several axes
TRANSFORMS = {f"{inverse}{name}{many}" for name in ("dct", "dst") for inverse in ("", "i") for many in ("", "n")}


def _circle(n: int, like: Any) -> tuple[Any, Any]:
    """Return cosines and sines of all multiples of an n-th of a turn, those of a quarter exactly."""
    k = np.arange(n)
    # π of real numbers, not its float
    angles = 8.0 * np.arctan(np.ones_like(like).reshape(-1)[0]) * k / float(n)
    quarter, which = (4 * k) % n == 0, (4 * k) // n % 4
    cosines, sines = np.array([1.0, 0.0, -1.0, 0.0])[which], np.array([0.0, 1.0, 0.0, -1.0])[which]
    return np.where(quarter, cosines, np.cos(angles)), np.where(quarter, sines, np.sin(angles))


def _scaled(value: Any, n: int, norm: str | None, *, inverse: bool) -> Any:
    if norm == "ortho":
        return quotient(value, np.sqrt(float(n)))
    return quotient(value, float(n)) if inverse != (norm == "forward") else value


def _fitted(value: Any, n: int) -> Any:
    """Cut the last axis to a length, or fill it up with zeros."""
    if value is None or np.shape(value)[-1] == n:
        return value
    if np.shape(value)[-1] > n:
        return value[..., :n]
    return np.concatenate([value, np.zeros((*np.shape(value)[:-1], n - np.shape(value)[-1]))], axis=-1)


def _last(a: Any, axis: int) -> tuple[Any, Any]:
    return tuple(None if v is None else np.moveaxis(v, axis, -1) for v in parts_of(a))  # type: ignore[return-value]


def _back(value: Any, axis: int) -> Any:
    if isinstance(value, Complex):
        return Complex(np.moveaxis(value.re, -1, axis), np.moveaxis(value.im, -1, axis))
    return np.moveaxis(value, -1, axis)


def _transform(*, inverse: bool, half: bool = False) -> Callable[..., Any]:
    def transform(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> Any:
        re, im = _last(a, axis)
        n = np.shape(re)[-1] if n is None else int(n)
        re, im = _fitted(re, n), _fitted(im, n)
        cosines, sines = _circle(n, re)
        places = np.outer(np.arange(n), np.arange(n // 2 + 1 if half else n)) % n
        c, s = np.take(cosines, places), np.take(sines, places) * (-1.0 if inverse else 1.0)
        found = Complex(re @ c, -(re @ s)) if im is None else Complex(re @ c + im @ s, im @ c - re @ s)
        return _back(_scaled(found, n, norm, inverse=inverse), axis)

    return transform


def _to_real(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None, out: Any = None) -> Any:
    re, im = _last(a, axis)
    n = 2 * (np.shape(re)[-1] - 1) if n is None else int(n)
    count = n // 2 + 1
    re, im = _fitted(re, count), _fitted(im, count)
    cosines, sines = _circle(n, re)
    places = np.outer(np.arange(count), np.arange(n)) % n
    # each frequency stands for itself and for its negative
    twice = np.where((np.arange(count) == 0) | (2 * np.arange(count) == n), 1.0, 2.0)
    found = (re * twice) @ np.take(cosines, places)
    if im is not None:
        found = found - (im * twice) @ np.take(sines, places)
    return _back(parts_of(_scaled(paired(found, None), n, norm, inverse=True))[0], axis)


def _over_axes(one: Callable[..., Any], default: tuple[int, ...] | None) -> Callable[..., Any]:
    def transform(a: Any, s: Any = None, axes: Any = default, norm: str | None = None, out: Any = None) -> Any:
        axes = tuple(range(np.ndim(parts_of(a)[0]))) if axes is None else tuple(axes)
        for k, axis in enumerate(axes):
            a = one(a, None if s is None else s[k], axis, norm)
        return a

    return transform


def _half_over_axes(*, inverse: bool) -> Callable[..., Any]:
    def transform(a: Any, s: Any = None, axes: Any = None, norm: str | None = None, out: Any = None) -> Any:
        axes = tuple(range(np.ndim(parts_of(a)[0]))) if axes is None else tuple(axes)
        sizes = (None,) * len(axes) if s is None else tuple(s)
        others = _over_axes(_inverse if inverse else _forward, None)
        if inverse:
            return _to_real(
                others(a, sizes[:-1] if s is not None else None, axes[:-1], norm), sizes[-1], axes[-1], norm
            )
        return others(_half(a, sizes[-1], axes[-1], norm), sizes[:-1] if s is not None else None, axes[:-1], norm)

    return transform


_forward, _inverse = _transform(inverse=False), _transform(inverse=True)
_half = _transform(inverse=False, half=True)
FOURIER.update(
    {
        np.fft.fft: _forward,
        np.fft.ifft: _inverse,
        np.fft.rfft: _half,
        np.fft.irfft: _to_real,
        np.fft.fft2: _over_axes(_forward, (-2, -1)),
        np.fft.ifft2: _over_axes(_inverse, (-2, -1)),
        np.fft.fftn: _over_axes(_forward, None),
        np.fft.ifftn: _over_axes(_inverse, None),
        np.fft.rfftn: _half_over_axes(inverse=False),
        np.fft.irfftn: _half_over_axes(inverse=True),
    }
)


def of_scipy(transform: Callable[..., Any]) -> Callable[..., Any]:
    """Return a transform of NumPy as SciPy has it, with the arguments that change its speed alone."""

    def substitute(
        x: Any, *form: Any, overwrite_x: bool = False, workers: Any = None, plan: Any = None, **options: Any
    ) -> Any:
        # length, axis and norm
        return transform(x, *form[:3], **options)

    return substitute


def trigonometric(function: Any, table: Any, dialect: Any) -> Callable[..., Any]:
    """Return what stands for one of SciPy's sums of cosines or sines (``scipy.fft.dct`` and the like)."""
    name = function.__name__
    inverse, sines, many = name[0] == "i", "dst" in name, name[-1] == "n"

    def substitute(x: Any, type: int = 2, n: Any = None, axis: Any = -1, norm: Any = None, **options: Any) -> Any:  # noqa: A002 - as SciPy has it
        if not dialect.is_traced([x]):
            return dialect.constants(table, function(x, type, n, axis, norm, **options))
        kind = {2: 3, 3: 2}.get(type, type) if inverse else type
        ends = options.get("orthogonalize")
        ends = norm == "ortho" if ends is None else ends
        x = dialect.array(table, x)
        axes: Any = [axis]
        if many:
            axes = options.get("axes", None if axis == -1 else axis)
            axes = list(range(x.ndim) if axes is None else axes if isinstance(axes, list | tuple) else [axes])
        for k, along in enumerate(axes):
            row: Any = _fitted(np.moveaxis(x, along, -1), np.shape(x)[along] if n is None else int(n[k] if many else n))
            row = _summed(row, kind, sines=sines, inverse=inverse, norm=norm, ends=ends)
            x = np.moveaxis(row, -1, along)
        return x

    return substitute


def _summed(x: Any, kind: int, *, sines: bool, inverse: bool, norm: Any, ends: bool) -> Any:
    """Sum the last axis with cosines or sines of the four kinds (SciPy's documentation of ``dct`` and ``dst``)."""
    n = np.shape(x)[-1]
    k, m = np.arange(n)[:, None], np.arange(n)
    shift = int(sines)
    turns, parts = {
        1: ((k + shift) * (m + shift), 2 * (n - 1 + 2 * shift)), 2: ((k + shift) * (2 * m + 1), 4 * n),
        3: ((2 * k + 1) * (m + shift), 4 * n), 4: ((2 * k + 1) * (2 * m + 1), 8 * n),
    }[kind]  # fmt: skip
    # terms that are not doubled
    first, last = kind in (1, 3) and not sines, (kind == 1 and not sines) or (kind == 3 and sines)
    weights = np.where((first & (m == 0)) | (last & (m == n - 1)), 1.0, 2.0)
    root = np.sqrt(2.0)
    if ends and kind in (1, 3):
        x = np.where((first & (m == 0)) | (last & (m == n - 1)), x * root, x)
    found = (x * weights) @ np.take(_circle(parts, x)[shift], turns % parts).T
    if ends and kind in (1, 2):
        first, last = not sines, sines or kind == 1
        found = np.where((first & (m == 0)) | (last & (m == n - 1)), found / root, found)
    size = float(parts if kind == 1 else 2 * n)
    if norm == "ortho":
        return found / np.sqrt(size)
    return found / size if inverse != (norm == "forward") else found
