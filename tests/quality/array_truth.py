"""What a program of arrays must be: the same source run by NumPy on objects, each a value and a slope in balls.

The rules of the slopes are written here once more, by hand; of diffcompare only the precision is used.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.special
from flint import arb

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.array_floats import array_floats, moved_floats
from diffcompare.arithmetic.balls import precision
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.tracing.array_table import ArrayTable
from diffcompare.tracing.array_trace import ArrayTrace, placed_arrays, record_arrays
from diffcompare.tracing.keeping import kept
from diffcompare.tracing.table import Table
from diffcompare.tracing.trace import placed, record
from diffcompare.verdict.difference import evaluate

BITS = 333
# balls of 333 bits tell any two numbers of these tests apart
_NARROW = 2.0**-150


class TieError(Exception):
    """Two numbers are compared that cannot be told apart."""


class Dual:
    """A value and its slope in one direction."""

    __slots__ = ("s", "v")

    def __init__(self, v: Any, s: Any = 0) -> None:
        self.v = arb(float(v) if isinstance(v, np.generic) else v)
        self.s = arb(s)

    def of(self, value: Any, slope: Any) -> Dual:
        return Dual(value, slope * self.s)

    def conjugate(self) -> Dual:
        return self

    @property
    def real(self) -> Dual:
        return self

    def __neg__(self) -> Dual:
        return Dual(-self.v, -self.s)

    def __pos__(self) -> Dual:
        return self

    def __abs__(self) -> Dual:
        return -self if self < 0 else self

    def __pow__(self, other: Any) -> Dual:
        if isinstance(other, Dual) and other.s.is_zero() and float(other.v.mid()).is_integer():
            other = int(float(other.v.mid()))
        if isinstance(other, int | np.integer) or (
            float(getattr(other, "v", other)).is_integer() and not isinstance(other, Dual)
        ):
            n = int(other)
            if n > 0:
                # flint's powers of balls around 0 are nan
                return self * self ** (n - 1) if n > 1 else self
            return 1 / self**-n if n else Dual(1)
        return (lift(other) * self.log()).exp()

    def __rpow__(self, other: Any) -> Dual:
        return (self * lift(other).log()).exp()

    def __hash__(self) -> int:
        return hash(float(self.v.mid()))

    def __bool__(self) -> bool:
        return bool(self != 0)

    def arctan2(self, other: Any) -> Dual:
        x, y = lift(other), self
        size = x.v**2 + y.v**2
        return Dual(arb.atan2(y.v, x.v), (x.v * y.s - y.v * x.s) / size)

    def hypot(self, other: Any) -> Dual:
        return (self * self + lift(other) * other).sqrt()

    def logaddexp(self, other: Any) -> Dual:
        return (self.exp() + lift(other).exp()).log()

    def logaddexp2(self, other: Any) -> Dual:
        return (self.exp2() + lift(other).exp2()).log2()

    def exp2(self) -> Dual:
        return (self * Dual(arb.const_log2())).exp()

    def log2(self) -> Dual:
        return self.log() / Dual(arb.const_log2())

    def log10(self) -> Dual:
        return self.log() / Dual(arb(10).log())

    def square(self) -> Dual:
        return self * self

    def rint(self) -> Dual:
        return Dual(int(np.rint(float(self.v))))

    def __round__(self, digits: int | None = None) -> Dual:
        return self.rint()

    def floor(self) -> Dual:
        return Dual(self.v.floor().unique_fmpz())

    def ceil(self) -> Dual:
        return Dual(self.v.ceil().unique_fmpz())

    def sinc(self) -> Dual:
        return self.sin() / self


def lift(value: Any) -> Dual:
    return value if isinstance(value, Dual) else Dual(value)


def _binary(name: str, rule: Callable[[Dual, Dual], Any]) -> None:
    def forward(self: Dual, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else rule(self, lift(other))

    def backward(self: Dual, other: Any) -> Any:
        return rule(lift(other), self)

    setattr(Dual, f"__{name}__", forward)
    setattr(Dual, f"__r{name}__", backward)


_binary("add", lambda a, b: Dual(a.v + b.v, a.s + b.s))
_binary("sub", lambda a, b: Dual(a.v - b.v, a.s - b.s))
_binary("mul", lambda a, b: Dual(a.v * b.v, a.v * b.s + a.s * b.v))
_binary("truediv", lambda a, b: Dual(a.v / b.v, (a.s - a.v / b.v * b.s) / b.v))
_binary("floordiv", lambda a, b: (a / b).floor())
_binary("mod", lambda a, b: a - (a / b).floor() * b)


def _comparison(name: str) -> None:
    rule = getattr(operator, name)

    def compare(self: Dual, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        difference = self.v - lift(other).v
        if not difference.is_zero() and difference.contains(0):
            raise TieError
        return rule(float(difference.mid()), 0.0)

    setattr(Dual, f"__{name}__", compare)


for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _comparison(_name)

_ROOT_PI = arb.pi().sqrt
_DERIVATIVES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sqrt": (lambda v: v.sqrt(), lambda v: 1 / (2 * v.sqrt())),
    "cbrt": (lambda v: v.root(3), lambda v: v.root(3) / (3 * v)),
    "exp": (lambda v: v.exp(), lambda v: v.exp()),
    "expm1": (lambda v: v.expm1(), lambda v: v.exp()),
    "log": (lambda v: v.log(), lambda v: 1 / v),
    "log1p": (lambda v: v.log1p(), lambda v: 1 / (1 + v)),
    "sin": (lambda v: v.sin(), lambda v: v.cos()),
    "cos": (lambda v: v.cos(), lambda v: -v.sin()),
    "tan": (lambda v: v.tan(), lambda v: 1 / v.cos() ** 2),
    "arcsin": (lambda v: v.asin(), lambda v: 1 / (1 - v * v).sqrt()),
    "arccos": (lambda v: v.acos(), lambda v: -1 / (1 - v * v).sqrt()),
    "arctan": (lambda v: v.atan(), lambda v: 1 / (1 + v * v)),
    "sinh": (lambda v: v.sinh(), lambda v: v.cosh()),
    "cosh": (lambda v: v.cosh(), lambda v: v.sinh()),
    "tanh": (lambda v: v.tanh(), lambda v: 1 / v.cosh() ** 2),
    "arcsinh": (lambda v: v.asinh(), lambda v: 1 / (1 + v * v).sqrt()),
    "arccosh": (lambda v: v.acosh(), lambda v: 1 / (v * v - 1).sqrt()),
    "arctanh": (lambda v: v.atanh(), lambda v: 1 / (1 - v * v)),
    "deg2rad": (lambda v: v * arb(math.pi) / 180, lambda v: arb(math.pi) / 180),
    "rad2deg": (lambda v: v * 180 / arb(math.pi), lambda v: 180 / arb(math.pi)),
    "erf": (lambda v: v.erf(), lambda v: 2 * (-v * v).exp() / arb.pi().sqrt()),
    "erfc": (lambda v: v.erfc(), lambda v: -2 * (-v * v).exp() / arb.pi().sqrt()),
    "gamma": (lambda v: v.gamma(), lambda v: v.gamma() * v.digamma()),
    "gammaln": (lambda v: v.lgamma(), lambda v: v.digamma()),
    "expit": (lambda v: 1 / (1 + (-v).exp()), lambda v: 1 / ((1 + v.exp()) * (1 + (-v).exp()))),
    "ndtr": (lambda v: (-v / arb(2).sqrt()).erfc() / 2, lambda v: (-v * v / 2).exp() / (2 * arb.pi()).sqrt()),
}


def _unary(name: str, value: Callable[[Any], Any], slope: Callable[[Any], Any]) -> None:
    setattr(Dual, name, lambda self: self.of(value(self.v), slope(self.v)))


for _name, _rules in _DERIVATIVES.items():
    _unary(_name, *_rules)
Dual.radians, Dual.degrees = Dual.deg2rad, Dual.rad2deg  # type: ignore[attr-defined]

objects = np.frompyfunc(lambda v: v if isinstance(v, Dual) else Dual(v), 1, 1)


def _held(value: Any) -> Any:
    """Return floats as objects; integers and truth values stay what they are."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
        return np.asarray(objects(value), dtype=object)
    return value


def _eliminated(a: Any, b: Any) -> tuple[Any, Any]:
    """Solve a·x = b by elimination, and return the determinant."""
    a, b, n, det = np.array(a, dtype=object), np.array(b, dtype=object), len(a), Dual(1)
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(float(lift(a[i, k]).v.mid())))
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], det = a[[pivot, k]], b[[pivot, k]], -det
        det = det * a[k, k]
        for i in range(k + 1, n):
            ratio = a[i, k] / a[k, k]
            a[i], b[i] = a[i] - ratio * a[k], b[i] - ratio * b[k]
    for k in reversed(range(n)):
        b[k] = (b[k] - (a[k, k + 1 :] @ b[k + 1 :] if k + 1 < n else 0)) / a[k, k]
    return b, det


def _stacked(rule: Callable[..., Any]) -> Callable[..., Any]:
    def on_stacks(a: Any, *rest: Any) -> Any:
        a = np.asarray(objects(a), dtype=object)
        if a.ndim == 2 and all(np.ndim(r) <= 2 for r in rest):
            return rule(a, *rest)
        b = [np.asarray(objects(r), dtype=object) for r in rest]
        batch = np.broadcast_shapes(a.shape[:-2], *(r.shape[:-2] for r in b))
        arrays = [np.broadcast_to(r, (*batch, *r.shape[-2:])).reshape(-1, *r.shape[-2:]) for r in (a, *b)]
        found = [rule(*row) for row in zip(*arrays, strict=True)]
        return np.array(found, dtype=object).reshape(*batch, *np.shape(found[0]))

    return on_stacks


def _solve(a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        return _solve(a, np.reshape(b, (-1, 1)))[..., 0]
    return _stacked(lambda m, r: _eliminated(m, objects(r))[0])(a, b)


def _cholesky(a: Any) -> Any:
    n = len(a)
    L = np.full((n, n), Dual(0), dtype=object)
    for i in range(n):
        for j in range(i + 1):
            rest = a[i, j] - sum((L[i, k] * L[j, k] for k in range(j)), Dual(0))
            L[i, j] = rest.sqrt() if i == j else rest / L[j, j]
    return L


def _inverse(a: Any) -> Any:
    return _stacked(lambda m: _eliminated(m, objects(np.eye(len(m))))[0])(a)


def _det(a: Any) -> Any:
    return _stacked(lambda m: _eliminated(m, objects(np.eye(len(m))))[1])(a)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    size = abs(np.asarray(x))
    if size.ndim == 2 and axis is None and ord in (1, np.inf, -np.inf):
        return (np.min if ord < 0 else np.max)(np.sum(size, axis=0 if ord == 1 else 1))
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(size, axis=axis, keepdims=keepdims)
    if ord in (None, 2, "fro"):
        return OBJECTS.sqrt(np.sum(size * size, axis=axis, keepdims=keepdims))
    return np.sum(size**ord, axis=axis, keepdims=keepdims) ** (1 / ord)


class _Names:
    """A module in which some names mean other things."""

    def __init__(self, module: Any, names: dict[str, Any]) -> None:
        self._module, self._names = module, names

    def __getattr__(self, name: str) -> Any:
        return self._names[name] if name in self._names else getattr(self._module, name)


def _on_objects(function: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: _held(function(*args, **kwargs))


def _lifted(name: str, arity: int = 1) -> Any:
    return np.frompyfunc(lambda v, *rest: getattr(lift(v), name)(*rest), arity, 1)


def _floats(value: Any) -> Any:
    return np.asarray(np.frompyfunc(lambda v: float(lift(v).v.mid()), 1, 1)(value), dtype=float)


def _on_floats(function: Any) -> Callable[..., Any]:
    return lambda *args, **kwargs: function(*map(_floats, args), **kwargs)


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    def value(at: Any) -> Any:
        k = max(j for j in range(len(xp) - 1) if j == 0 or at >= xp[j])
        if at < xp[0] or at > xp[-1]:
            end, outside = (fp[0], left) if at < xp[0] else (fp[-1], right)
            return lift(end if outside is None else outside)
        return fp[k] + (lift(at) - xp[k]) * (lift(fp[k + 1]) - fp[k]) / (lift(xp[k + 1]) - xp[k])

    return np.asarray(np.frompyfunc(value, 1, 1)(np.asarray(x)))


def _passed(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    knots = np.asarray(a) if sorter is None else np.asarray(a)[sorter]
    precede = (lambda at: knots < at) if side == "left" else (lambda at: knots <= at)
    return np.asarray(np.frompyfunc(lambda at: int(np.sum(precede(at))), 1, 1)(np.asarray(v)), dtype=int)


def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    beyond = (lambda at: at <= bins) if right else (lambda at: at < bins)
    bins, falls = np.asarray(bins), bins[0] > bins[-1]
    count = np.frompyfunc(lambda at: int(np.sum(beyond(at) if falls else ~beyond(at))), 1, 1)
    return np.asarray(count(np.asarray(x)), dtype=int)


def _mean(x: Any, axis: Any, where: Any, keepdims: bool) -> Any:
    count = np.sum(np.broadcast_to(where, np.shape(x)), axis=axis, keepdims=keepdims)
    return np.sum(np.where(where, x, 0), axis=axis, keepdims=keepdims) / count


_LINALG = _Names(np.linalg, {
    "solve": _solve, "inv": _inverse, "det": _det, "norm": _norm, "vector_norm": _norm,
    "slogdet": lambda a: (np.sign(_det(a)), np.log(abs(_det(a)))),
    "cholesky": lambda a, upper=False: _stacked(lambda m: _cholesky(m).T if upper else _cholesky(m))(a),
    "pinv": lambda a: _solve(a.T @ a, a.T) if len(a) >= a.shape[1] else _solve(a @ a.T, a).T,
    "lstsq": lambda a, b, rcond=None: (_solve(a.T @ a, a.T @ b), None, None, None),
    "matrix_power": lambda a, n: np.linalg.matrix_power(_inverse(a) if n < 0 else a, abs(n)),
})  # fmt: skip
OBJECTS = _Names(np, {
    "linalg": _LINALG,
    **{name: _on_objects(getattr(np, name)) for name in ("array", "asarray", "linspace", "arange", "eye", "identity")},
    **{name: _on_objects(getattr(np, name)) for name in ("zeros", "ones", "full", "empty", "hanning", "tri")},
    **{name: _lifted(name) for name in _DERIVATIVES if hasattr(np, name)},
    **{name: _lifted(name) for name in ("exp2", "log2", "log10")},
    "radians": _lifted("deg2rad"), "degrees": _lifted("rad2deg"),
    "sinc": lambda x: np.asarray(_lifted("sinc")(np.pi * np.asarray(x))),
    "floor": _lifted("floor"), "ceil": _lifted("ceil"),
    "trunc": np.frompyfunc(lambda v: lift(v).floor() if v >= 0 else lift(v).ceil(), 1, 1),
    "isnan": lambda x: np.zeros(np.shape(x), dtype=bool), "isfinite": lambda x: np.ones(np.shape(x), dtype=bool),
    "heaviside": lambda x, h: np.where(x > 0, 1, np.where(x < 0, 0, h)),
    "copysign": lambda x, y: np.where(y >= 0, abs(x), -abs(x)),
    "fabs": np.abs, "fmax": np.maximum, "fmin": np.minimum, "float_power": np.power,
    "interp": _interp, "searchsorted": _passed, "digitize": _digitize, "common_type": lambda *_: np.float64,
    "fmod": lambda a, b: a - b * OBJECTS.trunc(a / b),
    "nan_to_num": lambda x, **_: x, "nansum": np.sum,
    "prod": lambda x, where=True, **options: np.prod(np.where(where, x, 1), **options),
    "sum": lambda x, where=True, **options: np.sum(np.where(where, x, 0), **options),
    "mean": lambda x, axis=None, where=True, keepdims=False: _mean(x, axis, where, keepdims),
    "var": lambda x, axis=None, where=True, keepdims=False: _mean(
        (x - _mean(x, axis, where, True)) ** 2, axis, where, keepdims
    ),
    "rint": lambda x: _held(np.rint(_floats(x))), "round": lambda x, n=0: _held(np.round(_floats(x), n)),
    "around": lambda x, n=0: _held(np.round(_floats(x), n)),
    "logaddexp": lambda x, y: _lifted("logaddexp", 2)(x, y), "logaddexp2": lambda x, y: _lifted("logaddexp2", 2)(x, y),
    "clip": lambda x, *ends, **other: objects(np.clip(x, *ends, **other)),
    "hypot": lambda x, y: _lifted("hypot", 2)(x, y), "arctan2": lambda x, y: _lifted("arctan2", 2)(x, y),
    "divmod": lambda x, y: (x // y, x % y), "isinf": lambda x: np.zeros(np.shape(x), dtype=bool),
    **{name: _on_floats(getattr(np, name)) for name in ("signbit", "isclose", "allclose", "array_equal")},
    "gradient": lambda f, h=1: np.concatenate([[(f[1] - f[0]) / h], (f[2:] - f[:-2]) / (2 * Dual(h)),
        [(f[-1] - f[-2]) / h]]),
    "nanmean": np.mean, "nanmax": np.max, "nanmin": np.min,
    "bincount": lambda x, weights=None, minlength=0: _bincount(x, weights, minlength),
    "median": lambda x, axis=None, keepdims=False: _median(x, axis),
    "vectorize": lambda f: np.frompyfunc(f, 1, 1),
})  # fmt: skip


def _bincount(x: Any, weights: Any, minlength: int) -> Any:
    if weights is None:
        return np.bincount(x, minlength=minlength)
    found = OBJECTS.zeros(max(np.max(x) + 1, minlength))
    np.add.at(found, x, weights)
    return found


def _median(x: Any, axis: Any) -> Any:
    ordered = np.sort(np.ravel(x) if axis in (None, (0, 1)) else np.moveaxis(x, axis, -1), axis=-1)
    n = ordered.shape[-1]
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


MATHEMATICS = _Names(math, {
    **{name: _lifted({"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh",
                      "atanh": "arctanh", "lgamma": "gammaln"}.get(name, name))
       for name in ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
           "exp", "exp2", "expm1", "log1p", "log2", "log10", "sqrt", "cbrt", "erf", "erfc", "gamma", "lgamma",
           "radians", "degrees"]},
    "log": lambda v, base=None: lift(v).log() if base is None else lift(v).log() / lift(base).log(),
    "pow": lambda a, b: lift(a) ** lift(b), "fsum": sum, "prod": math.prod, "fabs": abs,
    "dist": lambda p, q: _norm(np.array([a - b for a, b in zip(p, q, strict=True)])),
    "sumprod": lambda p, q: sum(a * b for a, b in zip(p, q, strict=True)),
    "floor": lambda v: int(lift(v).floor().v.unique_fmpz()), "ceil": lambda v: int(lift(v).ceil().v.unique_fmpz()),
    "fmod": lambda a, b: OBJECTS.fmod(a, lift(b)), "copysign": lambda a, b: abs(a) if b > 0 else -abs(a),
    "remainder": lambda a, b: a - b * round(float((a / b).v.mid())),
    "isfinite": lambda v: True, "isnan": lambda v: False, "isinf": lambda v: False,
    "atan2": lambda a, b: lift(a).arctan2(b), "hypot": lambda *v: sum((lift(t) * t for t in v), Dual(0)).sqrt(),
})  # fmt: skip
SPECIAL = _Names(scipy.special, {
    **{name: _lifted(name) for name in ("erf", "erfc", "gamma", "gammaln", "expit", "ndtr", "expm1", "log1p", "exp2",
        "cbrt")},
    "log_expit": np.frompyfunc(lambda v: v.expit().log(), 1, 1),
    "logit": np.frompyfunc(lambda v: (v / (1 - v)).log(), 1, 1),
    "xlogy": np.frompyfunc(lambda x, y: lift(x) * lift(y).log(), 2, 1),
    "xlog1py": np.frompyfunc(lambda x, y: lift(x) * lift(y).log1p(), 2, 1),
    "entr": np.frompyfunc(lambda x: -x * x.log(), 1, 1),
    "rel_entr": np.frompyfunc(lambda x, y: lift(x) * (lift(x) / y).log(), 2, 1),
    "kl_div": np.frompyfunc(lambda x, y: lift(x) * (lift(x) / y).log() - x + y, 2, 1),
    "exprel": np.frompyfunc(lambda x: x.expm1() / x, 1, 1),
    "softplus": np.frompyfunc(lambda x: (1 + x.exp()).log(), 1, 1),
    "huber": np.frompyfunc(lambda d, r: r * r / 2 if abs(r) <= d else lift(d) * (abs(r) - lift(d) / 2), 2, 1),
    "logsumexp": lambda a, axis=None, b=None, keepdims=False: OBJECTS.log(
        np.sum(OBJECTS.exp(a) if b is None else b * OBJECTS.exp(a), axis=axis, keepdims=keepdims)
    ),
    "softmax": lambda x, axis=None: OBJECTS.exp(x) / np.sum(OBJECTS.exp(x), axis=axis, keepdims=True),
    "log_softmax": lambda x, axis=None: OBJECTS.log(SPECIAL.softmax(x, axis)),
})  # fmt: skip


def function_of(source: str, **names: Any) -> Callable[..., Any]:
    """Return the function of x that a source is the body of; a source of one line is what it returns."""
    lines = source.strip("\n").split("\n")
    if len(lines) == 1 and not lines[0].startswith("return "):
        lines = [f"return {line}" for line in lines]
    space = {"np": np, "sp": scipy.special, "math": math, **names}
    exec("def f(x):\n    " + "\n    ".join(lines), space)
    function: Callable[..., Any] = space["f"]  # type: ignore[assignment]
    return function


def numbers_of(value: Any) -> Iterator[Any]:
    """List all numbers of what a function returned."""
    if isinstance(value, list | tuple):
        for v in value:
            yield from numbers_of(v)
    else:
        yield from np.asarray(value).reshape(-1).tolist()


def traced(function: Callable[..., Any], x: Any) -> tuple[ArrayBuilder, ArrayTrace]:
    """Record a function of one array."""
    point = np.asarray(x, dtype=float)
    table = ArrayTable(point.reshape(-1))
    template = np.arange(point.size, dtype=float).reshape(point.shape)
    arguments = (placed_arrays(template, table),)
    return table.build, record_arrays(function, arguments, table=table, keeping=kept([function]))


def complaints_about(
    source: str, x: Any, *, real: bool = True, bitwise: bool = True, instead: dict[str, Any] | None = None, **names: Any
) -> list[str]:
    """Check the trace of a source at a point against NumPy and the objects; ``real`` if it means real numbers.

    Not ``bitwise``, sums may be rounded in another order: where elements are in memory is not followed. ``names`` are
    what the source uses besides, and ``instead`` what objects need in place of them.
    """
    point = np.asarray(x, dtype=float)
    expected = np.array(list(numbers_of(function_of(source, **names)(point.copy()))), dtype=float)
    assert expected.size
    build, trace = traced(function_of(source, **names), point)
    found = []
    if bitwise and not np.array_equal(trace.values, expected, equal_nan=True):
        found.append(f"floats: {trace.values} where NumPy has {expected}")
        return found
    unit = 2.0 ** -{64: 53, 32: 24, 16: 11}[trace.narrow[1] if trace.narrow else 64]
    flat = point.reshape(-1)
    (moved,) = moved_floats(build, [trace.output], flat, unit=unit)
    (plain,) = array_floats(build, [trace.output], flat)
    (balls,) = array_balls(build, [trace.output], flat, BITS)
    with precision(BITS):
        for name, floats in (("program", plain), ("moved", moved.value), ("code", expected), ("trace", trace.values)):
            gaps = np.array([float(abs(b - arb(v)).lower()) for b, v in zip(balls, floats.tolist(), strict=True)])
            if not (gaps <= np.broadcast_to(moved.error, gaps.shape)).all():
                found.append(f"{name}: off by {gaps}, which should be at most {moved.error}")
        if not real:
            return found
        random = np.random.default_rng(7)
        direction, weights = (random.uniform(0.5, 2.0, n) for n in (flat.size, expected.size))
        dual = np.array([Dual(v, d) for v, d in zip(flat.tolist(), direction.tolist(), strict=True)], dtype=object)
        held = {k: _held(v) for k, v in names.items()}
        code = function_of(source, **{**held, "np": OBJECTS, "sp": SPECIAL, "math": MATHEMATICS, **(instead or {})})
        truth = [lift(v) for v in numbers_of(code(dual.reshape(point.shape)))]
        found += [
            f"balls: {b} at {k} where objects have {t.v}"
            for k, (b, t) in enumerate(zip(balls, truth, strict=True))
            if not same(b, t.v)
        ]
        total = build.contract("i,i->", build.constant(weights), trace.output)
        (gradient,) = array_balls(build, [array_gradient(build, total)], flat, BITS)
        slope = sum((g * arb(d) for g, d in zip(gradient, direction.tolist(), strict=True)), arb(0))
        true = sum((arb(w) * t.s for w, t in zip(weights.tolist(), truth, strict=True)), arb(0))
        # what never varies has the slope 0 in a program, and none in objects
        if true.is_finite() and not same(slope, true):
            found.append(f"gradient: slope {slope} where objects have {true}")
    return found


def complaints_about_numbers(source: str, x: Any, **names: Any) -> list[str]:
    """Check the trace of a source number by number: its floats are NumPy's, its program is that of the trace of arrays.

    The programs are compared beside the point, where one that mixes up what is equal at it has other numbers.
    """
    point = np.asarray(x, dtype=float)
    flat, code = point.reshape(-1), function_of(source, **names)
    table = Table([f"x{k}" for k in range(flat.size)], flat.tolist())
    numbers = record(code, (placed(np.arange(float(flat.size)).reshape(point.shape), table),), table=table)
    build, arrays = traced(code, point)
    (moved,) = moved_floats(build, [arrays.output], flat, unit=2.0**-53)
    found = []
    if not (np.abs(arrays.values - numbers.values) <= moved.error)[np.isfinite(arrays.values)].all():
        found.append(f"floats: {numbers.values} where NumPy has {arrays.values}")
    beside = flat + 2.0**-30 * np.random.default_rng(8).uniform(-1, 1, flat.size)
    own = evaluate(numbers.program(table), [*beside, *(c.value for c in table.constants)], BITS)
    (others,) = array_balls(build, [arrays.output], beside, BITS)
    with precision(BITS):
        found += [
            f"number {k}: {one} where arrays have {other}"
            for k, (one, other) in enumerate(zip(own, others, strict=True))
            if not (same(one, other) if one is not None and one.is_finite() else not other.is_finite())
        ]
    return found


def same(one: Any, two: Any) -> bool:
    """Tell whether two narrow balls have a number in common."""
    narrow = all(float(b.rad()) <= _NARROW * (1 + abs(float(b.mid()))) for b in (one, two))
    return bool(narrow and one.overlaps(two))
