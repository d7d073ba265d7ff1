"""PyTorch's operations that compute, written with functions of NumPy."""

# ruff: noqa: ARG001, ARG005 - the arguments are those of PyTorch's operations

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diffcompare.adapters.aten_matrices import MATRIX_RULES
from diffcompare.adapters.aten_places import (
    index_add,
    index_put,
    scatter_add,
    times,
)
from diffcompare.adapters.traced import dialect, special
from diffcompare.errors import TraceError
from diffcompare.tracing.refusals import active_table

__all__ = ["RULES"]

Rule = Callable[..., Any]


def _axes(x: Any, dim: Any) -> tuple[int, ...]:
    if dim is None or (not isinstance(dim, int) and not len(dim)):
        return tuple(range(np.ndim(x)))
    return (dim,) if isinstance(dim, int) else tuple(dim)


def _sum(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return np.sum(x, axis=_axes(x, dim), keepdims=keepdim) if np.ndim(x) else x


def _mean(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    return _sum(x, dim, keepdim) / math.prod(np.shape(x)[a] for a in _axes(x, dim)) if np.ndim(x) else x


def _var(x: Any, dim: Any = None, correction: Any = 1, keepdim: bool = False) -> Any:
    count = math.prod(np.shape(x)[a] for a in _axes(x, dim))
    correction = 1 if correction is None else correction
    return _sum((x - _mean(x, dim, True)) ** 2, dim, keepdim) / (count - correction)


def _one_by_one(function: Callable[..., Any]) -> Rule:
    """Return a rule that reduces one axis after the other."""

    def rule(x: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
        if not np.ndim(x):
            return x
        for axis in sorted((a % np.ndim(x) for a in _axes(x, dim)), reverse=True):
            x = function(x, axis=axis, keepdims=keepdim)
        return x

    return rule


def _extreme(function: Callable[..., Any], place: Callable[..., Any]) -> Rule:
    def rule(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        found = _one_by_one(function)(x, dim, keepdim)
        return found if dim is None else (found, place(x, axis=dim, keepdims=keepdim))

    return rule


def _place_of(function: Callable[..., Any]) -> Rule:
    def rule(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return function(np.reshape(x, -1) if dim is None else x, axis=-1 if dim is None else dim, keepdims=keepdim)

    return rule


def _sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Any:
    order = np.argsort(-x if descending else x, axis=dim, kind="stable")
    return np.take_along_axis(x, order, axis=dim), order


def _topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:  # noqa: A002 - as PyTorch's
    both = _sort(x, dim, largest)
    return tuple(np.moveaxis(np.moveaxis(part, dim, 0)[:k], 0, dim) for part in both)


def _median(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    if dim is None:
        return np.sort(np.reshape(x, -1))[(math.prod(np.shape(x)) - 1) // 2]
    both = (np.take(part, [(np.shape(x)[dim] - 1) // 2], axis=dim) for part in _sort(x, dim))
    return tuple(part if keepdim else np.squeeze(part, axis=dim) for part in both)


def _exponentials(x: Any, dim: int) -> tuple[Any, Any, Any]:
    # any shift gives the same real function; whole numbers are exact
    largest = np.max(np.asarray(dialect().plain(x), dtype=float), axis=dim, keepdims=True)
    shift = np.where(np.isfinite(largest), np.rint(largest), 0.0)
    powers = np.exp(x - shift)
    return shift, powers, np.sum(powers, axis=dim, keepdims=True)


def _softmax(x: Any, dim: int, half: bool = False) -> Any:
    if not np.ndim(x):
        return x * 0.0 + 1.0
    _, powers, total = _exponentials(x, dim)
    return powers / total


def _log_softmax(x: Any, dim: int, half: bool = False) -> Any:
    if not np.ndim(x):
        return x * 0.0
    shift, _, total = _exponentials(x, dim)
    return x - shift - np.log(total)


def _logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Any:
    for axis in sorted((a % np.ndim(x) for a in _axes(x, dim)), reverse=True):
        shift, _, total = _exponentials(x, axis)
        x = np.log(total) + shift
        x = x if keepdim else np.squeeze(x, axis=axis)
    return x


def _logcumsumexp(x: Any, dim: int) -> Any:
    if not np.ndim(x):
        return x
    shift, powers, _ = _exponentials(x, dim)
    return np.log(np.cumsum(powers, axis=dim)) + shift


def _shrink_backward(grad: Any, x: Any, size: Any) -> Any:
    return np.where(np.abs(x) > size, grad, 0.0)


def _trilinear(a: Any, b: Any, c: Any, of_a: Any, of_b: Any, of_c: Any, sums: Any, unroll: int = 1) -> Any:
    a, b, c = (np.expand_dims(x, tuple(axes)) for x, axes in ((a, of_a), (b, of_b), (c, of_c)))
    return np.sum(a * b * c, axis=tuple(sums))


def _scatter_reduce(x: Any, dim: int, index: Any, values: Any, reduce: str, include_self: bool = True) -> Any:
    if reduce != "sum" or not include_self:
        raise TraceError(f"scatter_reduce of this kind ({reduce}) is not read; use scatter_add")
    return scatter_add(x, dim, index, values)


def _multi_margin_backward(
    grad: Any, x: Any, target: Any, p: Any, margin: Any, weight: Any = None, reduction: int = 1
) -> Any:
    scores, classes = np.reshape(x, (-1, np.shape(x)[-1])), np.reshape(target, -1)
    chosen = np.arange(np.shape(scores)[1]) == classes[:, None]
    gap = margin - np.sum(np.where(chosen, scores, 0.0), axis=1, keepdims=True) + scores
    slopes = np.where(~chosen & (gap > 0), p * gap ** (int(p) - 1), 0.0) / np.shape(scores)[1]
    if weight is not None:
        slopes = slopes * weight[classes][:, None]
    slopes = slopes - np.where(chosen, np.sum(slopes, axis=1, keepdims=True), 0.0)
    share = np.reshape(grad, (-1, 1)) / (len(classes) if reduction == 1 else 1)
    return np.reshape(slopes * share, np.shape(x))


def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _div(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    quotient = np.divide(a, b)
    if rounding_mode is None:
        return quotient
    return np.floor(quotient) if rounding_mode == "floor" else np.trunc(quotient)


def _power(x: Any, exponent: Any) -> Any:
    whole = isinstance(exponent, int | float) and float(exponent).is_integer()
    return np.power(x, int(exponent)) if whole else np.power(x, exponent)


def _product_added(c: Any, a: Any, b: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    return times(beta, c) + times(alpha, np.matmul(a, b))


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + special("erf", x * math.sqrt(0.5)))


def _converted(x: Any, dtype: Any = None) -> Any:
    if dtype is not None and str(dtype) == "torch.bool":
        return np.not_equal(x, 0)
    if dtype is not None and not dtype.is_floating_point:
        return x.astype(int)
    # a truth value is the number 0 or 1 wherever it is computed with; floats are rounded to the type of the node
    return x


def _convolution(
    x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, further: Any, groups: int
) -> Any:
    if transposed:
        return _transposed(x, w, b, stride, padding, dilation, further, groups)
    patches = _patches(x, np.shape(w)[2:], stride, padding, dilation)
    shape = np.shape(patches)
    grouped = patches.reshape(shape[0], groups, -1, shape[2], shape[3])
    kernels = w.reshape(groups, np.shape(w)[0] // groups, -1)
    found = np.einsum("ngcpk,gock->ngop", grouped, kernels.reshape(*np.shape(kernels)[:2], -1, shape[3]))
    sizes = _sizes(np.shape(x)[2:], np.shape(w)[2:], stride, padding, dilation)
    found = found.reshape(shape[0], np.shape(w)[0], *sizes)
    return found if b is None else found + b.reshape(-1, *(1 for _ in sizes))


def _transposed(x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, further: Any, groups: int) -> Any:
    """Return what a convolution of this kernel hands back of its values: the transposed one."""
    sizes = [
        (n - 1) * s - 2 * p + d * (k - 1) + more + 1
        for n, k, s, p, d, more in zip(
            np.shape(x)[2:], np.shape(w)[2:], stride, padding, dilation, further, strict=True
        )
    ]
    shape = (np.shape(x)[0], groups * np.shape(w)[1], *sizes)
    found = _spread(x, w, shape, stride, padding, dilation, groups)
    return found if b is None else found + b.reshape(-1, *(1 for _ in sizes))


def _sizes(size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> list[int]:
    return [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    ]


def _windows(shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """Return the places of an array of rows of numbers that each window sees, -1 beside it: (N, C, windows, kernel)."""
    import torch

    places = torch.arange(math.prod(shape)).reshape(tuple(shape))
    places = torch.nn.functional.pad(places, [p for pad in reversed(padding) for p in (pad, pad)], value=-1)
    for a, (k, s, d) in enumerate(zip(kernel, stride, dilation, strict=True), start=2):
        places = places.unfold(a, d * (k - 1) + 1, s)[..., torch.arange(k) * d]
    return places.reshape(shape[0], shape[1], -1, math.prod(kernel)).numpy()


def _patches(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    places = _windows(np.shape(x), kernel, stride, padding, dilation)
    return dialect().gathered(active_table(), [np.zeros(1), x], places + 1)


def _convolution_backward(
    g: Any, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, _: Any, groups: int,
    wanted: Any,
) -> Any:  # fmt: skip
    of_x = of_w = of_b = None
    # a transposed convolution is the way back of one whose values are x
    values, seen = (x, g) if transposed else (g, x)
    if wanted[0] and transposed:
        of_x = _convolution(g, w, None, stride, padding, dilation, False, None, groups)
    elif wanted[0]:
        of_x = _spread(g, w, np.shape(x), stride, padding, dilation, groups)
    if wanted[1]:
        patches = _patches(seen, np.shape(w)[2:], stride, padding, dilation)
        grouped = patches.reshape(np.shape(seen)[0], groups, -1, *np.shape(patches)[2:])
        of_w = np.einsum("ngop,ngcpk->gock", _grouped(values, groups), grouped).reshape(np.shape(w))
    if wanted[2]:
        of_b = np.sum(g, axis=(0, *range(2, np.ndim(g))))
    return of_x, of_w, of_b


def _grouped(values: Any, groups: int) -> Any:
    n, channels = np.shape(values)[:2]
    return values.reshape(n, groups, channels // groups, -1)


def _spread(values: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    """Return an array of this shape to which each value of a convolution is added where its window saw it."""
    kernels = w.reshape(groups, np.shape(w)[0] // groups, -1, math.prod(np.shape(w)[2:]))
    spread = np.einsum("ngop,gock->ngcpk", _grouped(values, groups), kernels).reshape(-1)
    targets = _windows(shape, np.shape(w)[2:], stride, padding, dilation).reshape(-1)
    inside = np.flatnonzero(targets >= 0)
    return dialect().scattered(active_table(), np.zeros(shape), targets[inside], spread[inside])


def _distances(a: Any, b: Any, p: float = 2.0, _: Any = None) -> Any:
    return _lengths(a[..., :, None, :] - b[..., None, :, :], p)


def _distances_backward(grad: Any, a: Any, b: Any, p: float, found: Any) -> Any:
    return np.sum(_slopes(grad, a[..., :, None, :] - b[..., None, :, :], p, found), axis=-2)


def _pairs(x: Any) -> tuple[Any, Any]:
    return np.triu_indices(np.shape(x)[0], 1)


def _own_distances(x: Any, p: float = 2.0) -> Any:
    first, second = _pairs(x)
    return _lengths(x[first] - x[second], p)


def _own_distances_backward(grad: Any, x: Any, p: float, found: Any) -> Any:
    first, second = _pairs(x)
    slopes = _slopes(grad, x[first] - x[second], p, found)
    places = np.arange(math.prod(np.shape(x))).reshape(np.shape(x))
    targets = np.concatenate([places[first], places[second]]).reshape(-1)
    return dialect().scattered(
        active_table(), np.zeros(np.shape(x)), targets, np.concatenate([slopes, -slopes]).reshape(-1)
    )


def _lengths(apart: Any, p: float) -> Any:
    if p == 2:
        return np.sqrt(np.sum(apart * apart, axis=-1))
    if p == 0 or math.isinf(p):
        raise TraceError(f"distances of p={p:g} are not read; pass another p")
    return np.sum(np.abs(apart) ** p, axis=-1) ** (1 / p)


def _slopes(grad: Any, apart: Any, p: float, found: Any) -> Any:
    if p == 2:
        return (grad / found)[..., None] * apart
    return grad[..., None] * np.sign(apart) * (np.abs(apart) / found[..., None]) ** (p - 1)


def _plain(function: Callable[..., Any]) -> Rule:
    return lambda *x: function(*x)


_SPECIAL = {
    "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "lgamma": "gammaln", "digamma": "digamma", "special_i0": "i0",
    "i0": "i0", "special_i0e": "i0e", "special_i1": "i1", "special_i1e": "i1e", "igamma": "gammainc",
    "igammac": "gammaincc", "special_ndtri": "ndtri", "special_log_ndtr": "log_ndtr", "special_erfcx": "erfcx",
    "special_xlog1py": "xlog1py", "xlogy": "xlogy",
    "polygamma": "polygamma", "special_zeta": "zeta",
}  # fmt: skip

_NUMPY: dict[str, Callable[..., Any]] = {
    "mul": np.multiply, "neg": np.negative, "abs": np.abs, "sign": np.sign, "exp": np.exp, "exp2": np.exp2,
    "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "sqrt": np.sqrt, "hypot": np.hypot, "logaddexp": np.logaddexp, "maximum": np.maximum, "minimum": np.minimum,
    "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "fmod": np.fmod, "remainder": np.remainder,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_not": np.logical_not,
    "bitwise_and": np.logical_and, "bitwise_or": np.logical_or, "bitwise_not": np.logical_not,
    "isnan": np.isnan, "isinf": np.isinf, "mm": np.matmul, "bmm": np.matmul, "mv": np.matmul, "dot": np.matmul,
    "where": np.where,
}  # fmt: skip

RULES: Mapping[str, Rule] = {
    **{name: _plain(function) for name, function in _NUMPY.items()},
    **MATRIX_RULES,
    **{name: (lambda *x, _name=found: special(_name, *x)) for name, found in _SPECIAL.items()},
    "add": lambda a, b, alpha=1: np.add(a, times(alpha, b)),
    "sub": lambda a, b, alpha=1: np.subtract(a, times(alpha, b)),
    "rsub": lambda a, b, alpha=1: np.subtract(b, times(alpha, a)),
    "div": _div,
    "pow": _power,
    "square": lambda x: x**2,
    "reciprocal": lambda x: 1.0 / x,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0.0),
    "gelu": _gelu,
    "clamp": _clamp,
    "clamp_min": lambda x, low: np.maximum(x, low),
    "clamp_max": lambda x, high: np.minimum(x, high),
    "_to_copy": _converted,
    "convert_element_type": _converted,
    "sum": _sum,
    "mean": _mean,
    "var": _var,
    "var_mean": lambda x, dim=None, correction=1, keepdim=False: (
        _var(x, dim, correction, keepdim),
        _mean(x, dim, keepdim),
    ),
    "prod": _one_by_one(np.prod),
    "amax": _one_by_one(np.max),
    "amin": _one_by_one(np.min),
    "any": _one_by_one(np.any),
    "all": _one_by_one(np.all),
    "_is_all_true": np.all,
    "_is_any_true": np.any,
    "max": _extreme(np.max, np.argmax),
    "min": _extreme(np.min, np.argmin),
    "argmax": _place_of(np.argmax),
    "argmin": _place_of(np.argmin),
    "sort": _sort,
    "topk": _topk,
    "median": _median,
    "cumsum": lambda x, dim, dtype=None: np.cumsum(x, axis=dim) if np.ndim(x) else x,
    "cumprod": lambda x, dim, dtype=None: np.cumprod(x, axis=dim) if np.ndim(x) else x,
    "_softmax": _softmax,
    "_log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "logcumsumexp": _logcumsumexp,
    "_trilinear": _trilinear,
    "hardshrink_backward": _shrink_backward,
    "softshrink_backward": _shrink_backward,
    "multi_margin_loss_backward": _multi_margin_backward,
    "addmm": _product_added,
    "addmv": _product_added,
    "baddbmm": _product_added,
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
    "index_put": index_put,
    "_unsafe_index_put": index_put,
    "scatter_add": scatter_add,
    "scatter_reduce": _scatter_reduce,
    "index_add": index_add,
    "_cdist_forward": _distances,
    "_cdist_backward": _distances_backward,
    "_pdist_forward": _own_distances,
    "_pdist_backward": _own_distances_backward,
}
