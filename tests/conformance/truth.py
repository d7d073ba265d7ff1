"""What the truth tests of the certified gradient share: cases, their exact truth, and its rounding to binary64.

A truth is a derivative written by hand as a function of mpmath numbers (or of fractions). Nothing here or in the lists
of cases uses diffcompare, SymPy or FLINT: the truth must not be able to share a fault with what it judges.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import mpmath


@dataclass(frozen=True, slots=True)
class Case:
    """A function, an exact binary64 point, and the partial derivatives there as their source states them."""

    formula: str
    variables: tuple[str, ...]
    point: tuple[float, ...]
    truth: Callable
    source: str
    digits: int = 60  # working precision of the truth, confirmed at twice that; 0: exact rational arithmetic

    def __str__(self):
        return call(self.formula, self.variables, self.point)


@dataclass(frozen=True, slots=True)
class StatusCase:
    """A function and a point with the true status of each partial: "kink", "domain", or a float, its derivative."""

    formula: str
    variables: tuple[str, ...]
    point: tuple[float, ...]
    truth: tuple[str | float, ...]
    reason: str

    def __str__(self):
        return call(self.formula, self.variables, self.point)


def call(formula: str, variables: Sequence[str], point: Sequence[float]) -> str:
    """Return an identifier that reads like a call, `sin(x) @ x=1.5`."""
    text = formula if len(formula) <= 70 else formula[:67] + "..."
    return text + " @ " + ", ".join(f"{name}={value!r}" for name, value in zip(variables, point, strict=True))


def cases(formula: str, points: Sequence, truth: Callable, source: str, *, variables=("x",), digits=60) -> list[Case]:
    """Return one case per point; a point of one variable may be a bare float."""
    rows = [point if isinstance(point, tuple) else (point,) for point in points]
    return [Case(formula, tuple(variables), row, truth, source, digits) for row in rows]


def expansion(f: Callable) -> Callable:
    """Return the partials of f by mpmath's numerical differentiation, for an f written by hand in mpmath."""

    def partials(*point):
        n = len(point)
        if n == 1:
            return mpmath.diff(f, point[0])
        return tuple(mpmath.diff(f, point, tuple(int(i == j) for j in range(n))) for i in range(n))

    return partials


def exact_fraction(value) -> Fraction:
    """Return an mpf, int, float or Fraction as the fraction that it is; exponents far outside binary64 are clipped."""
    if not isinstance(value, mpmath.mpf):
        return Fraction(value)
    if not mpmath.isfinite(value):
        raise ValueError(f"value={value!r}: a truth must be finite")
    mantissa, exponent = value.man_exp
    size = exponent + int(mantissa).bit_length()
    if mantissa and abs(size) > 4000:  # rounds to 0 or to infinity either way; 2**exponent need not fit in memory
        exponent += (4000 if size > 0 else -4000) - size
    magnitude = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -magnitude if value < 0 and mantissa > 0 else magnitude


def nearest_binary64(value: Fraction) -> float:
    """Round to nearest, ties to even, with gradual underflow; in integers only.

    An exact zero is +0.0; a negative number too small for the least subnormal is -0.0.
    """
    if value == 0:
        return 0.0
    n, d = abs(value.numerator), value.denominator
    exponent = n.bit_length() - d.bit_length()  # 2**exponent <= n/d < 2**(exponent + 1) after the next line
    if n << max(0, -exponent) < d << max(0, exponent):
        exponent -= 1
    quantum = max(exponent - 52, -1074)
    n, d = n << max(0, -quantum), d << max(0, quantum)
    m, rest = divmod(n, d)
    if 2 * rest > d or (2 * rest == d and m % 2 == 1):
        m += 1
    magnitude = math.inf if m.bit_length() + quantum > 1024 else math.ldexp(m, quantum)
    return -magnitude if value < 0 else magnitude


def partials(case: Case) -> list[Fraction]:
    """Return the partials of a case at its working precision (exactly where that is 0)."""
    return _evaluate(case, case.digits)


def rounded_partials(case: Case) -> list[float]:
    """Return the correctly rounded partials of a case; fails where two precisions do not agree on them.

    They must agree as doubles and, beyond that, to 25 digits: then no third precision would round differently,
    unless the derivative lies that close to a boundary of rounding, which only exact arithmetic can decide.
    """
    once = _evaluate(case, case.digits)
    if case.digits:
        twice = _evaluate(case, 2 * case.digits)
        for a, b in zip(once, twice, strict=True):
            if nearest_binary64(a) != nearest_binary64(b) or abs(a - b) > abs(b) / 10**25:
                raise ArithmeticError(f"{case}: {case.digits} digits are too few for the truth")
    return [nearest_binary64(value) for value in once]


def _evaluate(case: Case, digits: int) -> list[Fraction]:
    if digits == 0:
        values = case.truth(*map(Fraction, case.point))
    else:
        with mpmath.workdps(digits):
            values = case.truth(*map(mpmath.mpf, case.point))
    return [exact_fraction(value) for value in (values if isinstance(values, tuple) else (values,))]
