"""``np``, ``sc`` and ``math`` for code that is run in real numbers, and the code itself with exact literals."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial, reduce
from types import CodeType, SimpleNamespace
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from .functions import CHOOSING, NUMPY, SCIPY, SEVERAL, Function, call
from .reals import Real, TruthUnknownError, as_real, literal

__all__ = ["compiled", "namespace"]


def _elementwise(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    def apply(*operands: Any, **options: Any) -> Any:
        if options:
            raise TruthUnknownError(f"options {sorted(options)}")
        arrays = [_array(o) for o in operands]
        if all(a.ndim == 0 for a in arrays):
            return function(*(a[()] for a in arrays))
        return np.frompyfunc(function, len(arrays), 1)(*arrays)

    return apply


def _array(value: Any) -> Any:
    """Return an array of real numbers."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        return value
    found = np.array(value, dtype=object) if not isinstance(value, np.ndarray) else value.astype(object)
    return np.frompyfunc(as_real, 1, 1)(found) if found.ndim else np.array(as_real(found[()]), dtype=object)


def _plain(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _where(condition: Any, a: Any, b: Any) -> Any:
    return _plain(np.where(np.asarray(condition, dtype=bool), _array(a), _array(b)))


def _folded(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Reduce by a function of two, along an axis or over everything."""

    def whole(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        x = _array(x)
        if axis is None:
            return reduce(function, x.ravel().tolist())
        moved = np.moveaxis(x, axis, 0)
        result = reduce(np.frompyfunc(function, 2, 1), list(moved))
        return np.expand_dims(result, axis) if keepdims else result

    return whole


_add = _folded(lambda a, b: a + b)


def _mean(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    x = _array(x)
    return _add(x, axis, keepdims) / (x.size if axis is None else x.shape[axis])


def _variance(x: Any, axis: int | None = None, ddof: int = 0) -> Any:
    x = _array(x)
    n = x.size if axis is None else x.shape[axis]
    off = x - (_mean(x) if axis is None else _mean(x, axis, True))
    return _add(off * off, axis) / (n - ddof)


def _root(x: Any) -> Any:
    return _FUNCTIONS["sqrt"](x)


def _sorted(x: Any) -> Any:
    return _array(x)[_order(x)]


def _order(x: Any) -> Any:
    x = _array(x).tolist()
    order: list[int] = []
    for k, value in enumerate(x):
        place = len(order)
        while place and x[order[place - 1]] > value:
            place -= 1
        order.insert(place, k)
    return np.array(order, dtype=int)


def _arg_extreme(larger: bool) -> Callable[[Any], int]:
    def find(x: Any) -> int:
        values = _array(x).tolist()
        best = 0
        for k in range(1, len(values)):
            if (values[k] > values[best]) if larger else (values[k] < values[best]):
                best = k
        return best

    return find


def _median(x: Any) -> Any:
    x = _sorted(x)
    half = len(x) // 2
    return x[half] if len(x) % 2 else (x[half - 1] + x[half]) / 2


def _norm(x: Any, order: Any = None) -> Any:
    x = _array(x)
    if order is None or order == 2:
        return _root(_add(x * x))
    if order == 1:
        return _add(_FUNCTIONS["abs"](x))
    return _EXTREMES["max"](_FUNCTIONS["abs"](x))


def _clip(x: Any, low: Any, high: Any) -> Any:
    x = x if low is None else _FUNCTIONS["maximum"](x, low)
    return x if high is None else _FUNCTIONS["minimum"](x, high)


def _log_sum_exp(x: Any) -> Any:
    return _FUNCTIONS["log"](_add(_FUNCTIONS["exp"](x)))


def _softmax(x: Any) -> Any:
    e = _FUNCTIONS["exp"](_array(x))
    return e / _add(e)


def _full(shape: Any, value: Any) -> Any:
    found = np.empty(shape, dtype=object)
    found[...] = as_real(value)
    return found


def _einsum(how: str, *operands: Any) -> Any:
    return _plain(np.einsum(how, *map(_array, operands)))


def _product(a: Any, b: Any) -> Any:
    return _plain(_array(a) @ _array(b)) if np.ndim(a) and np.ndim(b) else _array(a) * _array(b)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _elementwise(lambda *o, f=f: call(f, *o), 1) for name, f in NUMPY.items()},
    **{name: _elementwise(f, 1) for name, f in CHOOSING.items()},
}
_EXTREMES = {"max": _folded(CHOOSING["maximum"]), "min": _folded(CHOOSING["minimum"])}


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let NumPy move the elements."""
    return lambda a, *rest, **options: _plain(function(_array(a), *rest, **options))


_ARRAYS: dict[str, Any] = {
    **_FUNCTIONS,
    **_EXTREMES,
    "amax": _EXTREMES["max"],
    "amin": _EXTREMES["min"],
    "sum": _add,
    "prod": _folded(lambda a, b: a * b),
    "mean": _mean,
    "average": _mean,
    "var": _variance,
    "std": lambda x, axis=None, ddof=0: _root(_variance(x, axis, ddof)),
    "sort": _sorted,
    "argsort": _order,
    "argmax": _arg_extreme(True),
    "argmin": _arg_extreme(False),
    "median": _median,
    "clip": _clip,
    "where": _where,
    "dot": _product,
    "matmul": _product,
    "inner": _product,
    "vdot": _product,
    "outer": lambda a, b: np.multiply.outer(_array(a), _array(b)),
    "einsum": _einsum,
    "zeros": lambda shape: _full(shape, 0),
    "zeros_like": lambda x: _full(np.shape(x), 0),
    "ones": lambda shape: _full(shape, 1),
    "ones_like": lambda x: _full(np.shape(x), 1),
    "full": _full,
    "full_like": lambda x, value: _full(np.shape(x), value),
    "array": _array,
    "asarray": _array,
    "arange": np.arange,
    "linspace": np.linspace,
    "eye": np.eye,
    "concatenate": lambda parts: np.concatenate([np.atleast_1d(_array(p)) for p in parts]),
    "stack": lambda parts: np.stack([_array(p) for p in parts]),
    "append": lambda a, b: np.append(_array(a), _array(b)),
    "atleast_1d": lambda x: np.atleast_1d(_array(x)),
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "isfinite": _elementwise(lambda x: mpmath.isfinite(as_real(x).v), 1),
    "isnan": _elementwise(lambda x: mpmath.isnan(as_real(x).v), 1),
    "size": np.size,
    "float64": as_real,
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    **{
        name: _moving(getattr(np, name))
        for name in ("cumsum", "cumprod", "diff", "roll", "flip", "reshape", "ravel", "transpose", "repeat", "diag")
    },
    "linalg": SimpleNamespace(norm=_norm),
}  # fmt: skip


def _special(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*operands: Any) -> Any:
        arrays = [_array(o) for o in operands]
        if all(a.ndim == 0 for a in arrays):
            return function(*(a[()] for a in arrays))
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        rows = [function(*row) for row in zip(*(np.broadcast_to(a, shape).ravel() for a in arrays), strict=True)]
        found = np.empty(len(rows), dtype=object)
        found[:] = rows
        return found.reshape(shape)

    return apply


@dataclass(frozen=True, slots=True)
class _Several:
    """Several functions of one argument, each found when it is asked for."""

    functions: Sequence[Function]
    x: Any

    def __getitem__(self, k: int) -> Any:
        function = self.functions[k]
        return _special(lambda x: call(function, x))(self.x)


_SPECIAL: dict[str, Any] = {
    **{name: _special(function) for name, function in SCIPY.items()},
    **{name: partial(_Several, functions) for name, functions in SEVERAL.items()},
    "logsumexp": _log_sum_exp,
    "softmax": _softmax,
    "log_softmax": lambda x: _array(x) - _log_sum_exp(x),
    "softplus": lambda x: _FUNCTIONS["logaddexp"](x, 0.0),
}
_MATH: dict[str, Any] = {
    **{name: _FUNCTIONS[name] for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log1p",
                                           "expm1", "log2", "log10", "hypot", "cbrt", "exp2", "fabs", "floor", "ceil")},
    "asin": _FUNCTIONS["arcsin"],
    "acos": _FUNCTIONS["arccos"],
    "atan": _FUNCTIONS["arctan"],
    "atan2": _FUNCTIONS["arctan2"],
    "asinh": _FUNCTIONS["arcsinh"],
    "acosh": _FUNCTIONS["arccosh"],
    "atanh": _FUNCTIONS["arctanh"],
    "erf": _SPECIAL["erf"],
    "erfc": _SPECIAL["erfc"],
    "gamma": _SPECIAL["gamma"],
    "lgamma": _SPECIAL["gammaln"],
    "pow": lambda a, b: as_real(a) ** as_real(b),
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
}  # fmt: skip


class _Module:
    """Names of a module; one that is missing is no truth."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getattr__(self, name: str) -> Any:
        if name not in self._names:
            raise TruthUnknownError(f"no real numbers for {name}")
        return self._names[name]


def namespace() -> dict[str, Any]:
    """Return the names that drawn code uses, in real numbers."""
    return {
        "np": _Module(_ARRAYS),
        "sc": _Module(_SPECIAL),
        "math": _Module(_MATH),
        "_c": literal,
        "abs": _FUNCTIONS["abs"],
        "max": lambda *values: reduce(CHOOSING["maximum"], values[0] if len(values) == 1 else values),
        "min": lambda *values: reduce(CHOOSING["minimum"], values[0] if len(values) == 1 else values),
        "float": as_real,
        "sum": lambda values: reduce(lambda a, b: a + b, values),
    }


class _Literals(ast.NodeTransformer):
    """Wrap floats of the code, folded as the compiler folds them."""

    def _constant(self, node: ast.expr) -> ast.expr:
        call_ = ast.Call(ast.Name("_c", ast.Load()), [node], [])
        return ast.copy_location(call_, node)

    def visit_Import(self, node: ast.Import) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        value = _value(node)
        if isinstance(value, float):
            return self._constant(ast.Constant(value))
        self.generic_visit(node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        value = _value(node)
        if isinstance(value, float):
            return self._constant(ast.Constant(value))
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return self._constant(node) if isinstance(node.value, float) else node


def _value(node: ast.expr) -> float | int | None:
    if any(not isinstance(n, ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.expr_context)
           for n in ast.walk(node)):  # fmt: skip
        return None
    try:
        found = eval(compile(ast.Expression(ast.copy_location(ast.fix_missing_locations(node), node)), "", "eval"))
    except (ArithmeticError, TypeError, ValueError):
        return None
    return found if isinstance(found, float | int) else None


@cache
def compiled(source: str) -> CodeType:
    """Compile code for real numbers."""
    tree = ast.fix_missing_locations(_Literals().visit(ast.parse(source)))
    return compile(tree, "<reals>", "exec")


# what loops that end at a tolerance tend to
def _newton_root(a: Any) -> Any:
    return _FUNCTIONS["sqrt"](a)


def _series_exp(a: Any) -> Any:
    return _FUNCTIONS["exp"](a)


def _kepler(m: Any) -> Any:
    m = as_real(m)
    e = mpf(1) / 4
    v = mpmath.findroot(lambda t: t - e * mpmath.sin(t) - m.v, m.v)
    slope = 1 / (1 - e * mpmath.cos(v))
    return Real(v, None if m.d is None else [d * slope for d in m.d], float(v))


LIMITS: Mapping[str, Callable[..., Any]] = {
    "newton_root": _newton_root,
    "series_exp": _series_exp,
    "kepler": _kepler,
}
