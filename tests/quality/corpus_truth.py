"""The truth about the corpus: the plain NumPy functions run on numbers of 60 to 400 digits, nothing of diffcompare."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np


class Number:
    """An mpmath number that NumPy's functions accept as an element of an object array."""

    __slots__ = ("v",)

    def __init__(self, v: Any) -> None:
        self.v = v.v if isinstance(v, Number) else mpmath.mpf(float(v) if isinstance(v, np.generic) else v)

    def __neg__(self) -> Number:
        return Number(-self.v)

    def __abs__(self) -> Number:
        return Number(abs(self.v))

    def conjugate(self) -> Number:
        return self

    def sqrt(self) -> Number:
        # of a negative number: not a number, as in NumPy
        return Number(mpmath.sqrt(self.v) if self.v >= 0 else mpmath.nan)

    def square(self) -> Number:
        return Number(self.v * self.v)

    def arctan2(self, other: Any) -> Number:
        return Number(mpmath.atan2(self.v, Number(other).v))

    def hypot(self, other: Any) -> Number:
        return Number(mpmath.hypot(self.v, Number(other).v))

    def logaddexp(self, other: Any) -> Number:
        return Number(mpmath.log(mpmath.exp(self.v) + mpmath.exp(Number(other).v)))

    def cbrt(self) -> Number:
        return Number(mpmath.sign(self.v) * mpmath.cbrt(abs(self.v)))

    def sign(self) -> Number:
        return Number(mpmath.sign(self.v))


def _binary(name: str, rule: Callable[[Any, Any], Any], *, compare: bool = False) -> None:
    def forward(self: Number, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        result = rule(self.v, Number(other).v)
        return result if compare else Number(result)

    setattr(Number, f"__{name}__", forward)
    if not compare:
        setattr(Number, f"__r{name}__", lambda self, other: Number(rule(Number(other).v, self.v)))


_binary("add", lambda a, b: a + b)
_binary("sub", lambda a, b: a - b)
_binary("mul", lambda a, b: a * b)
_binary("truediv", lambda a, b: a / b)
_binary("pow", lambda a, b: a ** (int(b) if b == int(b) else b))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    _binary(_name, getattr(operator, _name), compare=True)

_NAMES = {name: name for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "log10")}
_NAMES |= {f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}


def _unary(name: str) -> Callable[[Number], Number]:
    rule = getattr(mpmath, name)
    return lambda self: Number(rule(self.v))


for _name, _inner in _NAMES.items():
    setattr(Number, _name, _unary(_inner))
Number.log2 = lambda self: Number(mpmath.log(self.v, 2))
Number.exp2 = lambda self: Number(mpmath.mpf(2) ** self.v)


def value(f: Callable[[Any], Any], point: Any) -> Any:
    """Return f at an array (or a number) of mpmath numbers."""
    with np.errstate(all="ignore"):
        result = f(point)
    return Number(result.reshape(-1)[0] if isinstance(result, np.ndarray) else result).v


def true_gradient(f: Callable[[Any], Any], at: Any, *, digits: int = 400) -> list[Any]:
    """Differentiate plain NumPy code by central differences in so many digits that nothing is lost.

    The steps 10^-(digits/4) and half of it must agree to digits/4 digits.
    """
    at = np.asarray(at, dtype=np.float64)
    found = []
    with mpmath.workdps(digits):
        for i in range(at.size):
            slopes = []
            for k in (1, 2):
                h = mpmath.mpf(10) ** (-digits // 4) / k * (abs(mpmath.mpf(float(at.flat[i]))) or 1)
                ends = []
                for sign in (1, -1):
                    point = np.array([Number(v) for v in at.flat], dtype=object)
                    point[i] = point[i] + sign * Number(h)
                    ends.append(value(f, point.reshape(at.shape) if at.ndim else point[0]))
                slopes.append((ends[0] - ends[1]) / (2 * h))
            gap = abs(slopes[0] - slopes[1])
            if gap > mpmath.mpf(10) ** (-digits // 4) * (abs(slopes[0]) + mpmath.mpf(10) ** -40):
                raise AssertionError(f"the difference quotients of component {i} disagree: {slopes}")
            # the error h²F‴/6 taken out; what is left where F′ = 0 is noise
            slope = (4 * slopes[1] - slopes[0]) / 3
            size = (abs(ends[0]) + abs(ends[1])) / (abs(mpmath.mpf(float(at.flat[i]))) or 1)
            found.append(slope if abs(slope) > mpmath.mpf(10) ** (-digits // 6) * size else mpmath.mpf(0))
    return found


_SCOPE: dict[str, Any] = {
    inner: (lambda x, f=name: getattr(Number(x), f)())
    for name, inner in {**_NAMES, "log2": "log2", "sqrt": "sqrt", "cbrt": "cbrt"}.items()
}
_SCOPE |= {
    "atan2": lambda y, x: Number(y).arctan2(x),
    "hypot": lambda y, x: Number(y).hypot(x),
    "abs": abs,
    "Max": max,
    "Min": min,
    "where": lambda c, a, b: a if c else b,
}


def formula_function(formula: str, count: int, *, scalar: bool) -> Callable[[Any], Any]:
    """Read a formula of the corpus as a function of one array (or number); its decimals are decimals."""
    source = re.sub(r"(?<![\w.])\d+\.?\d*(?:e[+-]?\d+)?(?![\w.])", lambda m: f"N('{m[0]}')", formula)
    names = ["x"] if scalar else [f"x{i}" for i in range(count)]

    def run(point: Any) -> Any:
        values = [point] if scalar else list(np.ravel(point))
        scope = {"N": lambda t: Number(mpmath.mpf(t)), "pi": Number(+mpmath.pi), "E": Number(+mpmath.e)}
        return eval(source, {**_SCOPE, **scope, **dict(zip(names, values, strict=True))})

    return run
