"""One-sided Taylor expansions at a point where a switch is hit or an edge of the domain is touched.

Along x ± t·e_i, t > 0 small, every node is a germ: c₀ + c₁t + c₂t² + … with enclosed coefficients. Leading
coefficients that are exactly 0 are kept exact, so that the first non-zero one decides the sign of a switch operand
and sqrt(c·t²ᵐ) = √c·tᵐ. A derivative exists iff both germs have F(point) as c₀ and the same slope. What cannot be
proved is ``undecided``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import flint
from flint import arb, arb_series

from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, certainly_nonzero, exact_fraction
from diffcompare.arithmetic.jets import JET_OPERATIONS, series_length
from diffcompare.arithmetic.rational import exact_operation
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import COMPARISONS

__all__ = ["OneSided", "is_defined", "one_sided_derivative"]

# coefficients of a germ: valuations up to 8 are seen
_LENGTH = 9


@dataclass(frozen=True, slots=True)
class OneSided:
    """The outcome: ``ok`` with the enclosed derivative (a rational number where known), or why there is none."""

    status: str
    value: arb | None = None
    exact: Fraction | None = None


class _UndefinedError(Exception):
    """A node that the function uses is certainly not defined there."""


@dataclass(frozen=True, slots=True)
class _Germ:
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


def _key(*parts: object) -> bytes:
    return blake2b(repr(parts).encode()).digest()


def _digits(value: Fraction) -> str:
    # hexadecimal: Python refuses to write thousands of decimal digits
    return f"{value.numerator:x}/{value.denominator:x}"


def _germ(
    coefficients: Sequence[arb],
    exact: Fraction | None,
    side: int,
    *,
    constant: bool = False,
    exact_slope: Fraction | None = None,
    value_key: bytes | None = None,
    slope_key: bytes | None = None,
) -> _Germ:
    """Complete a germ: unknown coefficients are nan, exact numbers are named by themselves."""
    padded = [*coefficients, *([arb.nan()] * _LENGTH)][:_LENGTH]
    if exact is not None:
        padded[0] = ball(exact)
        value_key = _key(_digits(exact))
    slope = exact_slope
    if slope is not None:
        padded[1] = ball(slope)
    elif _few_bits(padded[1]):
        slope = exact_fraction(padded[1])
    if slope is not None:
        slope_key = _key(_digits(slope * side if slope else slope))
    return _Germ(tuple(padded), exact, slope, constant, side, value_key, slope_key)


_Value = _Germ | bool | None


def one_sided_derivative(program: Program, point: Sequence[float], direction: int) -> OneSided:
    """Decide whether the partial derivative exists, and enclose it, at the working precision.

    Parameters
    ----------
    program : Program
        With one output.
    point : sequence of float
        Exact binary values.
    direction : int
        The index of the variable.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), chapter 14: piecewise differentiable evaluation
    procedures; germs with valuations as in the field of Puiseux series.
    """
    try:
        here = _evaluate(program, point, direction, 0)
        right = _evaluate(program, point, direction, 1)
        left = _evaluate(program, point, direction, -1)
    except _UndefinedError:
        return OneSided("domain")
    if not (isinstance(here, _Germ) and isinstance(right, _Germ) and isinstance(left, _Germ)):
        return OneSided("undecided")
    if any(_is_infinite(beside.coefficients[0]) for beside in (right, left)):
        return OneSided("kink")
    joins = [_equal_values(beside, here) for beside in (right, left)]
    if False in joins:
        return OneSided("kink")
    slopes = right.coefficients[1], -left.coefficients[1]
    if any(_is_infinite(slope) for slope in slopes):
        # an infinite one-sided slope is no derivative, whatever the other side does
        return OneSided("kink")
    if not all(slope.is_finite() for slope in slopes):
        return OneSided("undecided")
    if certainly_nonzero(slopes[0] - slopes[1]):
        return OneSided("kink")
    same = right.slope_key is not None and right.slope_key == left.slope_key
    if None in joins or not same:
        return OneSided("undecided")
    return OneSided("ok", slopes[0], right.exact_slope)


def is_defined(program: Program, point: Sequence[arb]) -> bool | None:
    """Tell whether the function is defined at a point given as thin balls; None where it cannot be told."""
    try:
        return True if _evaluate(program, point, -1, 0) is not None else None
    except _UndefinedError:
        return False


def _is_infinite(value: arb) -> bool:
    return not value.is_finite() and not value.is_nan() and (value > 0 or value < 0)


def _equal_values(a: _Germ, b: _Germ) -> bool | None:
    if certainly_nonzero(a.coefficients[0] - b.coefficients[0]):
        return False
    return True if a.value_key is not None and a.value_key == b.value_key else None


def _evaluate(program: Program, point: Sequence[float | arb], direction: int, side: int) -> _Value:
    """Evaluate on demand: a branch that is not taken is never looked at."""
    values: dict[int, _Value] = {}
    stack = [program.outputs[0]]
    while stack:
        index = stack[-1]
        if index in values:
            stack.pop()
            continue
        node = program.nodes[index]
        missing = [i for i in _demanded(node, values) if i not in values]
        if missing:
            stack.extend(reversed(missing))
            continue
        values[index] = _node(node, [values.get(i) for i in node.operands], point, direction, side)
        stack.pop()
    return values[program.outputs[0]]


def _demanded(node: Node, values: dict[int, _Value]) -> Sequence[int]:
    if node.operation != "select":
        return node.operands
    condition, first, second = node.operands
    if condition not in values:
        return [condition]
    chosen = values[condition]
    return [] if chosen is None else [first if chosen else second]


def _node(node: Node, operands: list[_Value], point: Sequence[float | arb], direction: int, side: int) -> _Value:
    if node.operation == "variable":
        index = int(node.payload or 0)
        value = arb(point[index])
        moving = index == direction and side != 0
        return _germ(
            [value, arb(side if moving else 0), *([arb(0)] * (_LENGTH - 2))],
            exact_fraction(value),
            side,
            constant=not moving,
            value_key=_key("variable", index),
        )
    if node.operation == "undefined":
        raise _UndefinedError
    if node.operation == "select":
        condition, first, second = operands
        return None if condition is None else first if condition else second
    if any(operand is None for operand in operands):
        return _condition(node.operation, operands) if node.operation in ("and", "or") else None
    if node.operation in ("and", "or", "not", "true", "false"):
        return _condition(node.operation, operands)
    germs = [operand for operand in operands if isinstance(operand, _Germ)]
    if not all(germ.coefficients[0].is_finite() for germ in germs):
        return None
    if node.operation in COMPARISONS:
        return _compare(node.operation, *germs)
    rule = _integer_power(int(node.payload or 0)) if node.operation == "integer_power" else _RULES.get(node.operation)
    if rule is not None:
        return rule(*germs)
    return _smooth(node, germs, side)


def _condition(operation: str, operands: list[_Value]) -> bool | None:
    result = BALL_OPERATIONS[operation](*operands)
    return None if result is None else bool(result)


def _zero(germ: _Germ) -> bool:
    """Tell whether c₀ is exactly 0."""
    return germ.exact == 0 or bool(germ.coefficients[0].is_zero())


def _leading(germ: _Germ) -> tuple[int, int] | None:
    """Return valuation and sign of the first non-zero term; None if it cannot be told."""
    for power, coefficient in enumerate(germ.coefficients):
        if power == 0 and _zero(germ):
            continue
        if coefficient > 0:
            return power, 1
        if coefficient < 0:
            return power, -1
        if not coefficient.is_zero():
            return None
    return None


def _sign(germ: _Germ) -> int | None:
    """Return the sign for small t > 0 (0 for a constant that is exactly 0), None if it cannot be told."""
    if germ.constant and _zero(germ):
        return 0
    leading = _leading(germ)
    return None if leading is None else leading[1]


_OPERATORS: dict[str, Callable[..., arb_series]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
    "divide": lambda a, b: a / b,
}


def _smooth(node: Node, germs: list[_Germ], side: int) -> _Value:
    """Apply an operation that is analytic at the heads of its operands, by series arithmetic."""
    operation = node.operation
    exact = exact_operation(node, [germ.exact for germ in germs])
    known = min((_finite_prefix(germ) for germ in germs), default=_LENGTH)
    if known == 0:
        return None
    if operation == "constant":
        coefficients = [ball(Fraction(node.payload or 0))]
    else:
        function = _OPERATORS.get(operation) or JET_OPERATIONS[operation]
        payload = [int(node.payload)] if operation == "integer_power" and node.payload is not None else []
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
    return _germ(
        coefficients,
        exact,
        side,
        constant=all(germ.constant for germ in germs),
        exact_slope=_exact_slope(node, germs),
        value_key=_key(operation, node.payload, values) if named else None,
        slope_key=_key(operation, node.payload, values, slopes) if named and None not in slopes else None,
    )


def _exact_slope(node: Node, germs: list[_Germ]) -> Fraction | None:
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


def _finite_prefix(germ: _Germ) -> int:
    for power, coefficient in enumerate(germ.coefficients):
        if not coefficient.is_finite():
            return power
    return _LENGTH


def _first_order(function: Callable[..., object], germs: list[_Germ], payload: list[int]) -> arb:
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


def _infinite(side: int, sign: int) -> _Germ:
    """Return what has no finite limit: only its head, ±∞, is known, and no operation goes on from it."""
    return _germ([arb.pos_inf() * sign, arb.nan()], None, side)


def _divide(a: _Germ, b: _Germ) -> _Value:
    side = a.side or b.side
    if not _zero(b):
        return _smooth(Node("divide"), [a, b], side)
    if b.constant:
        raise _UndefinedError
    leading = _leading(b)
    if leading is None:
        return None
    valuation, sign = leading
    for power in range(valuation):
        coefficient = a.coefficients[power]
        if not (coefficient.is_zero() or (power == 0 and _zero(a))):
            known = coefficient > 0 or coefficient < 0
            return _infinite(side, sign if coefficient > 0 else -sign) if known else None
    quotient = [_germ(germ.coefficients[valuation:], None, side, value_key=None, slope_key=None) for germ in (a, b)]
    return _smooth(Node("divide"), quotient, side)


def _integer_power(exponent: int) -> Callable[[_Germ], _Value]:
    def rule(u: _Germ) -> _Value:
        power = _smooth(Node("integer_power", (), abs(exponent)), [u], u.side)
        return _divide(_number(1), power) if exponent < 0 and isinstance(power, _Germ) else power

    return rule


def _logarithm(operation: str) -> Callable[[_Germ], _Value]:
    def rule(u: _Germ) -> _Value:
        argument = _smooth(Node("add"), [_number(1), u], u.side) if operation == "log1p" else u
        if not isinstance(argument, _Germ):
            return None
        return _unbounded_edge(operation, u, argument, -1)

    return rule


def _atanh(u: _Germ) -> _Value:
    # atanh u = ½ log((1 + u)/(1 − u)): the edge that is nearer decides
    near = 1 if u.coefficients[0] > 0 else -1
    inside = _smooth(Node("subtract" if near > 0 else "add"), [_number(1), u], u.side)
    return _unbounded_edge("atanh", u, inside, near) if isinstance(inside, _Germ) else None


def _unbounded_edge(operation: str, u: _Germ, inside: _Germ, sign_there: int) -> _Value:
    """Apply a function that is defined where ``inside`` is positive and goes to ±∞ where it goes to 0."""
    if inside.coefficients[0] < 0:
        raise _UndefinedError
    if not _zero(inside):
        return _smooth(Node(operation), [u], u.side)
    if inside.constant:
        raise _UndefinedError
    sign = _sign(inside)
    if sign is not None and sign < 0:
        raise _UndefinedError
    return None if sign is None else _infinite(u.side, sign_there)


def _compare(operation: str, a: _Germ, b: _Germ) -> bool | None:
    difference = _smooth(Node("subtract"), [a, b], a.side or b.side)
    sign = 0 if a is b else _sign(difference) if isinstance(difference, _Germ) else None
    if sign is None:
        return None
    return {
        "less": sign < 0,
        "less_equal": sign <= 0,
        "greater": sign > 0,
        "greater_equal": sign >= 0,
        "equal": sign == 0,
        "not_equal": sign != 0,
    }[operation]


def _negative(germ: _Germ) -> _Value:
    return _smooth(Node("negative"), [germ], germ.side)


def _number(value: Fraction | int) -> _Germ:
    return _germ([ball(value), *([arb(0)] * (_LENGTH - 1))], Fraction(value), 0, constant=True)


def _abs(u: _Germ) -> _Value:
    sign = _sign(u)
    return None if sign is None else u if sign >= 0 else _negative(u)


def _signum(u: _Germ) -> _Value:
    sign = _sign(u)
    return None if sign is None else _number(sign)


def _min(a: _Germ, b: _Germ) -> _Value:
    less = _compare("less_equal", a, b)
    return None if less is None else a if less else b


def _max(a: _Germ, b: _Germ) -> _Value:
    less = _compare("less_equal", a, b)
    return None if less is None else b if less else a


def _root(u: _Germ, exponent: Fraction, name: str) -> _Value:
    """Return u^exponent, 0 < exponent < 1, for u that is positive or starts with an exact 0."""
    if u.coefficients[0] > 0:
        return _smooth(Node(name), [u], u.side)
    if u.coefficients[0] < 0:
        raise _UndefinedError
    if not _zero(u):
        return None
    if u.constant:
        return _number(0)
    leading = _leading(u)
    if leading is None:
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    power = valuation * exponent
    if name != "sqrt" or power.denominator != 1:
        return _starts_at(power, u.coefficients[valuation] ** ball(exponent), arb(0), u.side)
    # sqrt(t²ᵐ·v) = tᵐ·sqrt(v), v with a positive head
    finite = _finite_prefix(u)
    with series_length(finite - valuation):
        series = arb_series(list(u.coefficients[valuation:finite])).sqrt().coeffs()
    series += [arb(0)] * (finite - valuation - len(series))
    return _germ([*([arb(0)] * int(power)), *series], Fraction(0), u.side)


def _starts_at(power: Fraction, leading: arb, head: arb, side: int) -> _Germ:
    """Return head + leading·t^power + higher, as far as whole powers tell: c₁ is leading, 0 or infinite."""
    first = arb(0) if power > 1 else leading if power == 1 else arb.pos_inf() * leading
    constant = _constant(head)
    return _germ([head, first], constant.exact, side, value_key=constant.value_key)


def _constant(head: arb) -> _Germ:
    """Return a germ that stays at a value of asin, acos or acosh at ±1, or at 0: the value names itself."""
    exact = Fraction(0) if head.is_zero() else None
    return _germ([head, *([arb(0)] * (_LENGTH - 1))], exact, 0, constant=True, value_key=_key("head", str(head)))


def _sqrt(u: _Germ) -> _Value:
    return _root(u, Fraction(1, 2), "sqrt")


def _cbrt(u: _Germ) -> _Value:
    if certainly_nonzero(u.coefficients[0]):
        return _smooth(Node("cbrt"), [u], u.side)
    sign = _sign(u)
    if sign is None or not _zero(u):
        return None
    size = u if sign >= 0 else _negative(u)
    root = _root(size, Fraction(1, 3), "cbrt") if isinstance(size, _Germ) else None
    return root if sign >= 0 or not isinstance(root, _Germ) else _negative(root)


def _power(u: _Germ, p: _Germ) -> _Value:
    side = u.side or p.side
    if u.coefficients[0] > 0:
        return _smooth(Node("power"), [u, p], side)
    if u.coefficients[0] < 0:
        raise _UndefinedError
    if not _zero(u):
        return None
    if u.constant:
        if p.exact == 0 or p.coefficients[0] < 0:
            raise _UndefinedError
        return _number(0) if p.coefficients[0] > 0 else None
    leading = _leading(u)
    if leading is None:
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    if not p.coefficients[0] > 0:
        return _infinite(side, 1) if p.coefficients[0] < 0 else None
    if p.exact is not None and p.constant:
        return _starts_at(valuation * p.exact, u.coefficients[valuation] ** ball(p.exact), arb(0), side)
    power = valuation * p.coefficients[0]
    if power > 1 or power < 1:
        return _starts_at(Fraction(2) if power > 1 else Fraction(1, 2), arb(1), arb(0), side)
    return None


def _hypot(a: _Germ, b: _Germ) -> _Value:
    side = a.side or b.side
    squares = [_smooth(Node("integer_power", (), 2), [u], side) for u in (a, b)]
    known = [square for square in squares if isinstance(square, _Germ)]
    total = _smooth(Node("add"), known, side) if len(known) == 2 else None
    return _sqrt(total) if isinstance(total, _Germ) else None


def _edge(u: _Germ, at: int, slope_sign: int, operation: str) -> _Value:
    """Expand asin, acos or acosh where the argument is exactly ±1: a square root starts there.

    With w = 1 − u at 1 (1 + u at −1, u − 1 for acosh) the function is its value there ± √(2w)·(1 + O(w)),
    DLMF 4.24.1, 4.38.
    """
    head: Any = BALL_OPERATIONS[operation](arb(at))
    if u.constant:
        return _constant(head)
    terms = [u, _number(1)] if operation == "acosh" else [_number(1), u]
    inside = _smooth(Node("add" if at < 0 else "subtract"), terms, u.side)
    leading = _leading(inside) if isinstance(inside, _Germ) else None
    if leading is None or not isinstance(inside, _Germ):
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    root = (2 * inside.coefficients[valuation]).sqrt() * slope_sign
    return _starts_at(Fraction(valuation, 2), root, head, u.side)


def _arc(operation: str) -> Callable[[_Germ], _Value]:
    def rule(u: _Germ) -> _Value:
        if u.coefficients[0] > 1 or u.coefficients[0] < -1:
            raise _UndefinedError
        if u.exact == 1 or u.exact == -1:
            at = int(u.exact)
            return _edge(u, at, -at if operation == "asin" else at, operation)
        return _smooth(Node(operation), [u], u.side)

    return rule


def _acosh(u: _Germ) -> _Value:
    if u.coefficients[0] < 1:
        raise _UndefinedError
    return _edge(u, 1, 1, "acosh") if u.exact == 1 else _smooth(Node("acosh"), [u], u.side)


def _atan2(a: _Germ, b: _Germ) -> _Value:
    side = a.side or b.side
    if certainly_nonzero(a.coefficients[0]) or b.coefficients[0] > 0:
        return _smooth(Node("atan2"), [a, b], side)
    if _zero(a) and _zero(b):
        if a.constant and b.constant:
            raise _UndefinedError
        return None
    sign = _sign(a)
    if not _zero(a) or not b.coefficients[0] < 0 or sign is None:
        return None
    # on the cut: atan(a/b) + π above it and on it, − π below
    quotient = _divide(a, b)
    angle = _smooth(Node("atan"), [quotient], side) if isinstance(quotient, _Germ) else None
    pi = _smooth(Node("pi"), [], side)
    if not isinstance(angle, _Germ) or not isinstance(pi, _Germ):
        return None
    return _smooth(Node("add" if sign >= 0 else "subtract"), [angle, pi], side)


_RULES: dict[str, Callable[..., _Value]] = {
    "divide": _divide,
    "log": _logarithm("log"),
    "log2": _logarithm("log2"),
    "log10": _logarithm("log10"),
    "log1p": _logarithm("log1p"),
    "atanh": _atanh,
    "abs": _abs,
    "sign": _signum,
    "min": _min,
    "max": _max,
    "sqrt": _sqrt,
    "cbrt": _cbrt,
    "power": _power,
    "hypot": _hypot,
    "asin": _arc("asin"),
    "acos": _arc("acos"),
    "acosh": _acosh,
    "atan2": _atan2,
}
