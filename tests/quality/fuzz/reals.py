"""Real numbers with derivatives for code that was written for floats: mpmath, of any number of digits.

A :class:`Real` holds its value, its partial derivatives, and beside them the float that the code would have, so that it
is seen where floats take another branch than real numbers. What is undefined is nan, and only spoils what uses it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

__all__ = ["KEPT", "RUN", "Real", "TruthUnknownError", "applied", "as_real", "compare", "literal", "run"]

NAN = mpf("nan")
_U = mpf(2) ** -53
# a comparison closer than this is rounding's, whichever way the floats decided it
_CLOSE = mpf(2) ** -47


class TruthUnknownError(Exception):
    """What is asked has no closed form here, or does not converge: no truth is claimed."""


@dataclass(slots=True)
class Run:
    """What one run of the code met.

    Parameters
    ----------
    noise : callable or None
        From a rounded constant to the number of u by which it is moved.
    replay : list of bool or None
        Answers that a former run gave; constants that are moved must not change branches.
    """

    noise: Callable[[float], float] | None = None
    replay: list[Any] | None = None
    # whether what is computed from constants is moved too: in most verdicts it is exact
    computed: bool = False
    answers: list[Any] = field(default_factory=list)
    # where the code is not analytic at the point: a tie, the root of 0
    singular: bool = False
    # where floats decide otherwise than real numbers, or within rounding
    delicate: list[str] = field(default_factory=list)
    # along each axis, how far the nearest branch is about
    branches: dict[int, Any] = field(default_factory=dict)
    # whether a constant was met that may have been rounded
    rounded: bool = False


RUN = [Run()]


def run(work: Callable[[], Any], digits: int, **options: Any) -> tuple[Any, Run]:
    """Run some code at so many digits; what it returns, and what it met."""
    RUN[0] = Run(**options)
    with mp.workdps(digits), np.errstate(all="ignore"):
        return work(), RUN[0]


def decided(answer: Any) -> Any:
    """Record an answer, or give the one that a former run gave."""
    now = RUN[0]
    if now.replay is not None:
        answer = now.replay[len(now.answers)] if len(now.answers) < len(now.replay) else answer
    now.answers.append(answer)
    return answer


class Real:
    """One real number, its partial derivatives (None where they are 0), and the float of the code."""

    __slots__ = ("d", "s", "v")

    def __init__(self, v: Any, d: Any = None, s: float = math.nan) -> None:
        self.v, self.d, self.s = v, d, s

    def __add__(self, other: Any) -> Any:
        return _binary(self, other, lambda a, b: a + b, _sum_partials, lambda a, b: a + b)

    def __radd__(self, other: Any) -> Any:
        return as_real(other) + self

    def __sub__(self, other: Any) -> Any:
        return _binary(self, other, lambda a, b: a - b, lambda y, a, b: (1, -1), lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return as_real(other) - self

    def __mul__(self, other: Any) -> Any:
        return _binary(self, other, _times, lambda y, a, b: (b, a), lambda a, b: a * b)

    def __rmul__(self, other: Any) -> Any:
        return as_real(other) * self

    def __truediv__(self, other: Any) -> Any:
        return _binary(self, other, _quotient, lambda y, a, b: (1 / b, -y / b), lambda a, b: np.float64(a) / b)

    def __rtruediv__(self, other: Any) -> Any:
        return as_real(other) / self

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return power(self, as_real(other))

    def __rpow__(self, other: Any) -> Any:
        return power(as_real(other), self)

    def __mod__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        other = as_real(other)
        return self - other * floor(self / other)

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        return floor(self / as_real(other))

    def __neg__(self) -> Real:
        return Real(-self.v, None if self.d is None else [-d for d in self.d], -self.s)

    def __pos__(self) -> Real:
        return self

    def __abs__(self) -> Real:
        if mpmath.isnan(self.v):
            return self
        sign = compare(self, as_real(0), "abs")
        return self if sign > 0 else -self if sign < 0 else Real(abs(self.v), None, abs(self.s))

    def __lt__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c < 0)

    def __le__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c <= 0)

    def __gt__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c > 0)

    def __ge__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c >= 0)

    def __eq__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c == 0)

    def __ne__(self, other: Any) -> Any:
        return _ordered(self, other, lambda c: c != 0)

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return compare(self, as_real(0), "bool") != 0

    def __float__(self) -> float:
        raise TruthUnknownError("float() of a real number")

    @property
    def real(self) -> Real:
        return self


def _moved(value: Any, s: float) -> Any:
    """Move a rounded constant by its rounding."""
    if not mpmath.isfinite(value) or value == 0 or value.man_exp[0].bit_length() <= 24:
        return value
    now = RUN[0]
    now.rounded = True
    return value if now.noise is None else value * (1 + _U * now.noise(s))


def literal(value: float) -> Real:
    """Return a number of the code: its exact binary value."""
    v = mpf(float(value))
    return Real(_moved(v, float(value)), None, float(value))


def as_real(value: Any) -> Real:
    if type(value) is Real:
        return value
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return literal(float(value))
    raise TruthUnknownError(f"{type(value).__name__} is no real number")


def applied(
    value: Callable[..., Any],
    partials: Callable[..., tuple[Any, ...]],
    floats: Callable[..., Any],
    *operands: Any,
    edge: Callable[..., bool] | None = None,
) -> Real:
    """Apply a function: its value, its partial derivatives ``partials(y, *values)``, and the float of it.

    ``edge`` tells where the function is not analytic though it may have a value.
    """
    numbers = [as_real(o) for o in operands]
    values = [n.v for n in numbers]
    with np.errstate(all="ignore"):
        try:
            s = float(floats(*(np.float64(n.s) for n in numbers)))
        except (ArithmeticError, ValueError, TypeError):
            s = math.nan
    moving = any(n.d is not None for n in numbers)
    if any(map(mpmath.isnan, values)):
        return Real(NAN, None, s)
    if moving and edge is not None and edge(*values):
        RUN[0].singular = True
    y = _kept(_attempt, value, *values)
    if not moving:
        if mpmath.isnan(y):
            # a constant without a value is what NumPy makes of it
            return Real(mpf(s) if math.isfinite(s) else y, None, s)
        moved = _moved(y, s)
        return Real(moved if RUN[0].computed else y, None, s)
    if mpmath.isnan(y):
        # perhaps there is a value beside the point
        RUN[0].singular = True
        return Real(NAN, None, s)
    if mpmath.isinf(y):
        RUN[0].singular = True
    try:
        local = _kept(partials, y, *values)
    except ZeroDivisionError:
        RUN[0].singular = True
        local = (NAN,) * len(values)
    n = max(len(number.d) for number in numbers if number.d is not None)
    d = [mpf(0)] * n
    for number, slope in zip(numbers, local, strict=True):
        if number.d is None:
            continue
        if isinstance(slope, mpmath.mpc):
            slope = slope.real if slope.imag == 0 else NAN
        if not mpmath.isfinite(slope):
            RUN[0].singular = True
        for k, one in enumerate(number.d):
            d[k] = d[k] + (one * slope if one else 0)
    return Real(y, d, s)


# what was computed for the pair at hand; the sides along one axis share what does not move
KEPT: dict[Any, Any] = {}


def _kept(function: Callable[..., Any], *arguments: Any) -> Any:
    key = (function, mp.prec, *arguments)
    found = KEPT.get(key)
    if found is None:
        found = KEPT[key] = function(*arguments)
    return found


def _attempt(value: Callable[..., Any], *values: Any) -> Any:
    try:
        y = value(*values)
    except ValueError as error:
        if "converge" in str(error):
            raise
        return NAN
    except (ZeroDivisionError, OverflowError):
        return NAN
    if isinstance(y, mpmath.mpc):
        return y.real if y.imag == 0 else NAN
    # some keep more digits than others; mpf() would round them
    return y if isinstance(y, mpf) else mpf(y)


def _binary(a: Real, b: Any, value: Any, partials: Any, floats: Any) -> Any:
    if isinstance(b, np.ndarray):
        return NotImplemented
    return applied(value, partials, floats, a, b)


def _sum_partials(y: Any, a: Any, b: Any) -> tuple[int, int]:
    return 1, 1


def _times(a: Any, b: Any) -> Any:
    return a * b


def _quotient(a: Any, b: Any) -> Any:
    return NAN if b == 0 else a / b


def power(a: Real, p: Real) -> Real:
    """x**p: any base for a whole exponent, otherwise a base of at least 0."""
    whole = p.d is None and mpmath.isfinite(p.v) and p.v == mpmath.floor(p.v)
    # a constant exponent that is whole stays so however constants are moved
    q = mpf(p.s) if p.d is None and float(p.s).is_integer() else p.v
    whole = whole or (p.d is None and float(p.s).is_integer())

    def value(x: Any, _: Any) -> Any:
        if whole:
            return NAN if x == 0 and q < 0 else x ** int(q) if abs(q) < 10**6 else x**q
        if x < 0 or (x == 0 and q <= 0):
            return NAN
        return mpf(0) if x == 0 else x**q

    def partials(y: Any, x: Any, _: Any) -> tuple[Any, Any]:
        if whole:
            return (q * x ** (int(q) - 1) if q else mpf(0)), mpf(0)
        if x == 0:
            return NAN, NAN
        return q * x ** (q - 1), y * mpmath.log(x) if x > 0 else NAN

    return applied(value, partials, lambda x, e: x**e, a, p, edge=lambda x, e: not whole and x <= 0)


def _tie(a: Any, b: Any) -> bool:
    if mpmath.isinf(a) or mpmath.isinf(b):
        return bool(a == b)
    return bool(abs(a - b) <= max(abs(a), abs(b)) * mpf(10) ** (15 - mp.dps))


def compare(a: Real, b: Real, where: str = "comparison") -> int:
    """Order two numbers: −1, 0 or 1; 2 where one of them is undefined."""
    if mpmath.isnan(a.v) or mpmath.isnan(b.v):
        return 2
    equal = _tie(a.v, b.v)
    answer = 0 if equal else -1 if a.v < b.v else 1
    if a.d is None and b.d is None:
        # constants are compared as the code compares them
        return decided(-1 if a.s < b.s else 0 if a.s == b.s else 1)
    now = RUN[0]
    if equal:
        now.singular = True
    elif mpmath.isfinite(a.v - b.v):
        _note_branch(a, b)
    floats = 0 if a.s == b.s else -1 if a.s < b.s else 1
    if not math.isnan(a.s + b.s):
        far = mpmath.isinf(a.v) or mpmath.isinf(b.v)
        off = _CLOSE * (abs(a.v) + abs(b.v)) + 64 * (abs(a.v - a.s) + abs(b.v - b.s))
        near = not equal and not far and abs(a.v - b.v) <= off
        if floats != answer or near:
            now.delicate.append(where)
    return decided(answer)


def _note_branch(a: Real, b: Real) -> None:
    now, gap = RUN[0], abs(a.v - b.v)
    for k in range(len(a.d or b.d)):
        slope = abs((a.d[k] if a.d else 0) - (b.d[k] if b.d else 0))
        if mpmath.isfinite(slope) and slope:
            now.branches[k] = min(now.branches.get(k, mpf("inf")), gap / slope)


def _ordered(a: Real, other: Any, test: Callable[[int], bool]) -> Any:
    if isinstance(other, np.ndarray):
        return NotImplemented
    if not isinstance(other, Real | int | float | np.number):
        return NotImplemented
    c = compare(a, as_real(other))
    # nan: every comparison is false but "not equal"
    return np.bool_(test(c) if c != 2 else test(1) and test(-1))


def floor(x: Real, rounding: Callable[[Any], Any] = mpmath.floor, floats: Any = np.floor) -> Real:
    """Round to an integer; singular at the integers."""
    if not mpmath.isfinite(x.v):
        return Real(x.v, None, x.s)
    nearest = mpmath.nint(x.v)
    tie = abs(x.v - nearest) <= max(abs(x.v), mpf(10) ** -20 if nearest == 0 and x.v == 0 else abs(x.v)) * mpf(10) ** (
        15 - mp.dps
    )
    v = nearest if tie else rounding(x.v)
    s = float(floats(x.s)) if math.isfinite(x.s) else x.s
    now = RUN[0]
    if x.d is not None:
        if tie:
            now.singular = True
        if s != v or (not tie and abs(x.v - nearest) <= _CLOSE * abs(x.v) + 64 * abs(x.v - x.s)):
            now.delicate.append("floor")
    v = mpf(decided(int(v)))
    return Real(v, None if x.d is None else [mpf(0)] * len(x.d), s)
