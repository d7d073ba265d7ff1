"""What a row of a table of errors must hold, from the definitions and by other means than the product's.

F is evaluated in mpmath, one operation after another, at thousands of bits; its derivatives are differences of F on
either side of the point, at steps far below everything else, so that no rule of differentiation occurs. What the float
code did is done again with NumPy numbers, one operation after another, with weights that are solved for (Vandermonde).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.program.dag import Program

PARTS = ("truncation", "abscissa", "evaluation", "subtraction", "division")
# exact for polynomials up to this degree
_DEGREE = 7


class OutsideError(Exception):
    """F has no value there."""


class UnknownError(Exception):
    """These means do not tell: a number with an exponent of many digits, a step that is not small enough."""


@dataclass(frozen=True)
class Precision:
    """Bits of F, and by how many of them the step of a derivative is below x, or 1."""

    bits: int
    step: int


# the second where the first does not confirm what was found
PRECISIONS = (Precision(800, 130), Precision(5000, 1300))


# --- the function ------------------------------------------------------------------------------------------------


def _exponential(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def limited(u: Any) -> Any:
        # mpmath would write out the digits of exp(1e300)
        if abs(u) > 1e6:
            raise UnknownError
        return function(u)

    return limited


def _cbrt(u: Any) -> Any:
    return mpmath.cbrt(abs(u)) * (1 if u >= 0 else -1)


def _power(u: Any, v: Any) -> Any:
    if isinstance(u, mpmath.mpf):
        if u < 0 or (u == 0 and v <= 0):
            raise OutsideError
        if u == 0:
            return u
    return _exponential(mpmath.exp)(v * mpmath.log(u))


def _integer_power(u: Any, n: int) -> Any:
    if abs(n) > 1 and u and abs(mpmath.log(abs(u), 2)) * abs(n) > 1e7:
        raise UnknownError
    return u**n


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda u, v: u + v,
    "subtract": lambda u, v: u - v,
    "multiply": lambda u, v: u * v,
    "divide": lambda u, v: u / v,
    "negative": lambda u: -u,
    "power": _power,
    "sqrt": mpmath.sqrt,
    "cbrt": _cbrt,
    "hypot": lambda u, v: mpmath.sqrt(u**2 + v**2),
    "exp": _exponential(mpmath.exp),
    "exp2": _exponential(lambda u: mpmath.exp(u * mpmath.log(2))),
    "expm1": _exponential(lambda u: mpmath.exp(u) - 1 if abs(u) > 0.5 else mpmath.expm1(u)),
    "log": mpmath.log,
    "log2": lambda u: mpmath.log(u) / mpmath.log(2),
    "log10": lambda u: mpmath.log(u) / mpmath.log(10),
    "log1p": lambda u: mpmath.log(1 + u) if abs(u) > 2.0**-600 else mpmath.log1p(u),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "atan2": mpmath.atan2,
    "sinh": _exponential(mpmath.sinh),
    "cosh": _exponential(mpmath.cosh),
    "tanh": _exponential(mpmath.tanh),
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "abs": abs,
    "sign": lambda u: mpmath.mpf((u > 0) - (u < 0)),
    "min": lambda u, v: u if u < v else v,
    "max": lambda u, v: u if u > v else v,
    "less": lambda u, v: u < v,
    "less_equal": lambda u, v: u <= v,
    "greater": lambda u, v: u > v,
    "greater_equal": lambda u, v: u >= v,
    "equal": lambda u, v: u == v,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erfi": mpmath.erfi,
    "gamma": mpmath.gamma,
    "loggamma": mpmath.loggamma,
    "besselj": mpmath.besselj,
    "lambertw": mpmath.lambertw,
    "Ei": mpmath.ei,
    "Si": mpmath.si,
    "sinc": lambda u: mpmath.sin(u) / u if u else mpmath.mpf(1),
    "floor": mpmath.floor,
}


def value(program: Program, point: Sequence[Any], bits: int) -> Any:
    """Return F at a point of fractions, or of complex mpmath numbers; ``OutsideError`` where it has no value."""
    with mpmath.workprec(bits):
        values: list[Any] = []
        for node in program.nodes:
            operands = [values[i] for i in node.operands]
            values.append(_value_of(node, operands, point))
        result = values[program.outputs[0]]
    if result is None:
        raise OutsideError
    return result


def _value_of(node: Any, operands: list[Any], point: Sequence[Any]) -> Any:
    """Return the value of one operation, None outside its domain."""
    name = node.operation
    if name == "variable":
        x = point[int(node.payload)]
        return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else x
    if name == "constant":
        number = Fraction(node.payload)
        return mpmath.mpf(number.numerator) / number.denominator
    if name in ("pi", "e"):
        return +getattr(mpmath, name)
    if name == "select":
        # the branch that is not taken may have no value
        return None if operands[0] is None else operands[1] if operands[0] else operands[2]
    if None in operands:
        return None
    real = not any(isinstance(u, mpmath.mpc) for u in operands)
    try:
        if name == "integer_power":
            result = _integer_power(operands[0], int(node.payload))
        elif name not in FUNCTIONS:
            raise UnknownError
        elif name == "atan2" and operands[0] == operands[1] == 0:
            return None
        else:
            result = FUNCTIONS[name](*operands)
    except (ZeroDivisionError, ValueError, OutsideError):
        return None
    except (OverflowError, MemoryError, mpmath.libmp.NoConvergence):
        raise UnknownError from None
    if isinstance(result, bool):
        return result
    if real and isinstance(result, mpmath.mpc):
        return None
    return result if mpmath.isfinite(result) else None


def fraction(number: Any) -> Fraction:
    sign, mantissa, exponent, _ = number._mpf_
    if exponent > 40_000:
        raise UnknownError
    if exponent + mantissa.bit_length() < -40_000:
        # far below everything: only the sign counts
        return Fraction((-1) ** sign, 1 << 40_000) if mantissa else Fraction(0)
    return (-1) ** sign * int(mantissa) * Fraction(2) ** exponent


class Truth:
    """F and its derivatives along one variable through a point."""

    def __init__(self, program: Program, point: Sequence[float], direction: int, precision: Precision) -> None:
        self.program, self.direction, self.precision = program, direction, precision
        self.point = [Fraction(x) for x in point]
        self.values: dict[Fraction, tuple[int, Fraction]] = {}
        self.found: dict[tuple[int, int], list[list[Fraction]]] = {}

    def value(self, t: Fraction, extra: int = 0) -> Fraction:
        """Return F where the variable is t."""
        if t not in self.values or self.values[t][0] < extra:
            there = [t if i == self.direction else x for i, x in enumerate(self.point)]
            self.values[t] = extra, fraction(value(self.program, there, self.precision.bits + extra))
        return self.values[t][1]

    def sides(self, q: int, nearer: int = 0) -> list[list[Fraction]]:
        """Return F, F′, … F^(q) from the right and from the left."""
        if (q, nearer) not in self.found:
            x = self.point[self.direction]
            _, exponent = math.frexp(float(x))
            below = self.precision.step + nearer + (max(0, -exponent) if x else 0)
            eta, extra = Fraction(1, 1 << below), q * below
            sides = []
            for sign in (1, -1):
                at = [self.value(x + sign * j * eta, extra) for j in range(_DEGREE + 1)]
                sides.append(
                    [
                        sign**n * sum(c * v for c, v in zip(one_sided_weights(n), at, strict=True)) / eta**n
                        for n in range(q + 1)
                    ]
                )
            self.found[q, nearer] = sides
        return self.found[q, nearer]

    def derivative(self, q: int) -> Fraction:
        right, left = self.sides(q)
        found = (right[q] + left[q]) / 2
        return Fraction(0) if abs(found) < self.noise() else found

    def noise(self) -> Fraction:
        """Return what the rounding of F leaves of a derivative that is 0."""
        size = abs(self.value(self.point[self.direction]))
        return (1 + size) / (1 << self.precision.bits - 64)

    def status(self, q: int) -> str:
        """Return ``ok``, ``kink`` or ``domain``: all derivatives up to F^(q) have one limit from both sides, or not."""
        try:
            there, nearer = self.sides(q), self.sides(q, 40)
        except OutsideError:
            return "domain"
        small = Fraction(1, 1 << (self.precision.step // 4))
        for n in range(q + 1):
            (right, left), (right_nearer, left_nearer) = [[side[n] for side in sides] for sides in (there, nearer)]
            size, nearer_size = max(abs(right), abs(left)), max(abs(right_nearer), abs(left_nearer))
            moved = max(abs(right - right_nearer), abs(left - left_nearer))
            if size < self.noise():
                continue
            if moved > small * size:
                # it grows without limit, or goes to 0, some more slowly than others, as |x|^1.5
                if nearer_size > size > 1 / small:
                    return "kink"
                if nearer_size > Fraction(1, 1 << 20):
                    raise UnknownError
            elif abs(right_nearer - left_nearer) > small * size:
                if size < small:
                    # what is left of a limit that is 0, perhaps
                    raise UnknownError
                return "kink"
        return "ok"


@cache
def one_sided_weights(n: int) -> list[Fraction]:
    """Return the weights of the n-th derivative on the offsets 0, 1, …"""
    return solved_weights(tuple(map(Fraction, range(_DEGREE + 1))), n)


@cache
def solved_weights(offsets: tuple[Fraction, ...], derivative: int) -> list[Fraction]:
    """Solve Σ c_j·o_jⁿ = q!·[n = q], n < number of offsets, in fractions."""
    size = len(offsets)
    matrix = sympy.Matrix(size, size, lambda n, j: sympy.Rational(offsets[j].numerator, offsets[j].denominator) ** n)
    right = sympy.Matrix(size, 1, lambda n, _: math.factorial(n) if n == derivative else 0)
    return [Fraction(int(c.p), int(c.q)) for c in matrix.LUsolve(right)]


# --- a row -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Computed:
    """What the float code of a stencil gives: the abscissae, f̂ there, the weighted sum and the quotient."""

    reached: list[Any]
    values: list[Any]
    weights: list[Fraction]
    divisor: int
    total: Any
    quotient: float

    @property
    def collapsed(self) -> bool:
        return all(a == self.reached[0] for a in self.reached)

    @property
    def finite(self) -> bool:
        return bool(np.isfinite([*self.reached, *self.values, self.quotient]).all())


def computed(program: Program, point: Sequence[float], direction: int, scheme: dc.Stencil, h: float, dtype: str):
    kind = np.dtype(dtype).type
    f, at, step = compile_numpy(program, dtype), [kind(c) for c in point], kind(h)
    weights = solved_weights(scheme.offsets, scheme.derivative)
    with np.errstate(all="ignore"):
        reached = [_abscissa(kind, at[direction], o, step) for o in scheme.offsets]
        values = [f([np.array([a if i == direction else c], dtype=kind) for i, c in enumerate(at)])[0] for a in reached]
        divisor = math.lcm(*(c.denominator for c in weights))
        whole = max(divisor, *(abs(c * divisor) for c in weights)) <= 2**53
        factors, divisor = ([c * divisor for c in weights], divisor) if whole else (weights, 1)
        total = None
        for w, v in zip(factors, values, strict=True):
            product = kind(w.numerator) / kind(w.denominator) * v
            total = product if total is None else total + product
        below = kind(divisor) * step
        for _ in range(scheme.derivative - 1):
            below = below * step
        return Computed(reached, values, weights, divisor, total, float(total / below))


def _abscissa(kind: Any, x: Any, offset: Fraction, h: Any) -> Any:
    if abs(offset) in (0, 1):
        return x if not offset else x + h if offset > 0 else x - h
    return x + kind(offset.numerator) / kind(offset.denominator) * h


def true_parts(truth: Truth, scheme: dc.Stencil, h: float, did: Computed) -> list[Fraction]:
    """Return T, A, E, S and Q; they sum to D̂ − D."""
    x, q = truth.point[truth.direction], scheme.derivative
    k = Fraction(h) ** q
    extra = (scheme.order + q) * max(0, -math.frexp(h)[1])
    nominal = [truth.value(x + o * Fraction(h), extra) for o in scheme.offsets]
    there = [truth.value(Fraction(float(a)), extra) for a in did.reached]
    values = [Fraction(float(v)) for v in did.values]
    slope = truth.derivative(q)

    def total(numbers: Sequence[Fraction]) -> Fraction:
        return sum((c * n for c, n in zip(did.weights, numbers, strict=True)), Fraction(0)) / k

    s = Fraction(float(did.total)) / (did.divisor * k)
    parts = [total(nominal) - slope, total(there) - total(nominal), total(values) - total(there)]
    return [*parts, s - total(values), Fraction(did.quotient) - s]


def true_complex_parts(truth: Truth, h: float, imaginary: float, quotient: float) -> list[Fraction]:
    """Return the parts of the complex step; nothing is rounded in an abscissa or subtracted."""
    bits = truth.precision.bits + 3 * max(0, -math.frexp(h)[1])
    with mpmath.workprec(bits):
        at = [mpmath.mpf(x.numerator) / x.denominator for x in truth.point]
        at[truth.direction] = mpmath.mpc(at[truth.direction], h)
        exact = fraction(mpmath.im(value(truth.program, at, bits)))
    k = Fraction(h)
    return [
        exact / k - truth.derivative(1),
        Fraction(0),
        (Fraction(imaginary) - exact) / k,
        Fraction(0),
        Fraction(quotient) - Fraction(imaginary) / k,
    ]


def nearest(number: Fraction) -> float:
    try:
        return number.numerator / number.denominator
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def is_rounded(found: float, number: Fraction) -> bool:
    """Tell whether a number was rounded to nearest, as far as it is known: to 2⁻¹⁶⁰ of itself, or 2⁻¹¹⁰⁰."""
    doubt = abs(number) / (1 << 160) + Fraction(1, 1 << 1100)
    return nearest(number - doubt) <= found <= nearest(number + doubt)
