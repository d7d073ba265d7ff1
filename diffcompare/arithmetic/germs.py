"""Germs: Taylor expansions on one side of a point, with enclosed coefficients, and their arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import flint
from flint import arb, arb_series

from diffcompare.arithmetic.balls import ball, exact_fraction
from diffcompare.arithmetic.jets import JET_OPERATIONS, series_length
from diffcompare.arithmetic.rational import exact_operation
from diffcompare.program.dag import Node
from diffcompare.program.run import payload_of

__all__ = [
    "LENGTH",
    "Germ",
    "Value",
    "apply_smooth",
    "finite_prefix",
    "infinite",
    "is_zero",
    "leading_term",
    "make_germ",
    "make_key",
    "number",
    "sign_of",
    "starting_at",
    "staying_at",
]

# coefficients of a germ: valuations up to 8 are seen
LENGTH = 9


@dataclass(frozen=True, slots=True)
class Germ:
    """Coefficients (nan: not known), and c₀ as an exact rational where it is one.

    ``value_key`` and ``slope_key`` name the computations of c₀ and of side·c₁ after all choices: equal keys, equal
    numbers, although their balls are not exact. None: no name. A constant does not move along the direction.
    """

    coefficients: tuple[arb, ...]
    exact: Fraction | None
    exact_slope: Fraction | None
    constant: bool
    side: int
    value_key: bytes | None
    slope_key: bytes | None


def make_key(*parts: object) -> bytes:
    """Name a computation: equal parts, equal keys."""
    return blake2b(repr(parts).encode()).digest()


def _digits(value: Fraction) -> str:
    # hexadecimal: Python refuses to write thousands of decimal digits
    return f"{value.numerator:x}/{value.denominator:x}"


def make_germ(
    coefficients: Sequence[arb],
    exact: Fraction | None,
    side: int,
    *,
    constant: bool = False,
    exact_slope: Fraction | None = None,
    value_key: bytes | None = None,
    slope_key: bytes | None = None,
) -> Germ:
    """Complete a germ: unknown coefficients are nan, exact numbers are named by themselves."""
    padded = [*coefficients, *([arb.nan()] * LENGTH)][:LENGTH]
    if exact is not None:
        padded[0] = ball(exact)
        value_key = make_key(_digits(exact))
    slope = exact_slope
    if slope is not None:
        padded[1] = ball(slope)
    elif _few_bits(padded[1]):
        slope = exact_fraction(padded[1])
    if slope is not None:
        slope_key = make_key(_digits(slope * side if slope else slope))
    return Germ(tuple(padded), exact, slope, constant, side, value_key, slope_key)


Value = Germ | bool | None


def infinite(side: int, sign: int) -> Germ:
    """Return what has no finite limit: only its head, ±∞, is known, and no operation goes on from it."""
    return make_germ([arb.pos_inf() * sign, arb.nan()], None, side)


def number(value: Fraction | int) -> Germ:
    """Return the germ of an exact constant."""
    return make_germ([ball(value), *([arb(0)] * (LENGTH - 1))], Fraction(value), 0, constant=True)


def staying_at(head: arb) -> Germ:
    """Return a germ that stays at a value of asin, acos or acosh at ±1, or at 0: the value names itself."""
    exact = Fraction(0) if head.is_zero() else None
    return make_germ([head, *([arb(0)] * (LENGTH - 1))], exact, 0, constant=True, value_key=make_key("head", str(head)))


def starting_at(power: Fraction, leading: arb, head: arb, side: int) -> Germ:
    """Return head + leading·t^power + higher, as far as whole powers tell: c₁ is leading, 0 or infinite."""
    first = arb(0) if power > 1 else leading if power == 1 else arb.pos_inf() * leading
    constant = staying_at(head)
    return make_germ([head, first], constant.exact, side, value_key=constant.value_key)


def is_zero(germ: Germ) -> bool:
    """Tell whether c₀ is exactly 0."""
    return germ.exact == 0 or bool(germ.coefficients[0].is_zero())


def leading_term(germ: Germ) -> tuple[int, int] | None:
    """Return valuation and sign of the first non-zero term; None if it cannot be told."""
    for power, coefficient in enumerate(germ.coefficients):
        if power == 0 and is_zero(germ):
            continue
        if coefficient > 0:
            return power, 1
        if coefficient < 0:
            return power, -1
        if not coefficient.is_zero():
            return None
    return None


def sign_of(germ: Germ) -> int | None:
    """Return the sign for small t > 0 (0 for a constant that is exactly 0), None if it cannot be told."""
    if germ.constant and is_zero(germ):
        return 0
    leading = leading_term(germ)
    return None if leading is None else leading[1]


def apply_smooth(node: Node, germs: list[Germ], side: int) -> Value:
    """Apply an operation that is analytic at the heads of its operands, by series arithmetic."""
    operation = node.operation
    exact = exact_operation(node, *(germ.exact for germ in germs))
    known = min((finite_prefix(germ) for germ in germs), default=LENGTH)
    if known == 0:
        return None
    if operation == "constant":
        coefficients = [ball(Fraction(node.payload or 0))]
    else:
        function = JET_OPERATIONS[operation]
        payload = payload_of(node)
        with series_length(known):
            try:
                series: Any = function(*(arb_series(list(germ.coefficients[:known])) for germ in germs), *payload)
            except (ValueError, ZeroDivisionError):
                return None
            coefficients = series.coeffs()
    coefficients += [arb(0)] * (known - len(coefficients))
    if not coefficients[0].is_finite():
        return None
    if known == 1:
        coefficients.append(_first_order(function, germs, payload))
    if not isinstance(exact, Fraction):
        exact = exact_fraction(coefficients[0]) if _few_bits(coefficients[0]) else None
    values = [germ.value_key for germ in germs]
    slopes = [germ.slope_key for germ in germs]
    named = None not in values
    return make_germ(
        coefficients,
        exact,
        side,
        constant=all(germ.constant for germ in germs),
        exact_slope=_exact_slope(node, germs),
        value_key=make_key(operation, node.payload, values) if named else None,
        slope_key=make_key(operation, node.payload, values, slopes) if named and None not in slopes else None,
    )


def _exact_slope(node: Node, germs: list[Germ]) -> Fraction | None:
    """Return c₁ as a rational number by the rules of differentiation, where values and slopes are rational."""
    values, slopes = [germ.exact for germ in germs], [germ.exact_slope for germ in germs]
    if not germs or None in slopes:
        return None
    known = [slope for slope in slopes if slope is not None]
    match node.operation, values:
        case (("add" | "sum"), _):
            return sum(known, Fraction(0))
        case "subtract", _:
            return known[0] - known[1]
        case "negative", _:
            return -known[0]
        case "multiply", [Fraction() as a, Fraction() as b]:
            return known[0] * b + a * known[1]
        case "divide", [Fraction() as a, Fraction() as b] if b:
            return (known[0] * b - a * known[1]) / b**2
        case "integer_power", [Fraction() as a] if 0 < int(node.payload or 0) <= 100:
            n = int(node.payload or 0)
            return n * a ** (n - 1) * known[0]
        case _:
            return None


def _few_bits(value: arb) -> bool:
    return bool(value.is_exact()) and bool(value.is_finite()) and value.bits() <= flint.ctx.prec


def finite_prefix(germ: Germ) -> int:
    """Count the coefficients before the first that is not finite."""
    for power, coefficient in enumerate(germ.coefficients):
        if not coefficient.is_finite():
            return power
    return LENGTH


def _first_order(function: Callable[..., object], germs: list[Germ], payload: list[int]) -> arb:
    """Return c₁ by the chain rule where some operand has an infinite slope."""
    total = arb(0)
    for position, germ in enumerate(germs):
        slope = germ.coefficients[1]
        if slope.is_zero():
            continue
        with series_length(2):
            arguments = [
                arb_series([other.coefficients[0], 1] if j == position else [other.coefficients[0]])
                for j, other in enumerate(germs)
            ]
            try:
                partial = [*function(*arguments, *payload).coeffs(), arb(0), arb(0)][1]  # type: ignore[attr-defined]
            except (ValueError, ZeroDivisionError):
                return arb.nan()
        total = total + partial * slope
    return total
