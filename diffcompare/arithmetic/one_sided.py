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
from typing import Any

from flint import arb, arb_series

from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, certainly_nonzero, exact_fraction
from diffcompare.arithmetic.germs import (
    LENGTH,
    Germ,
    Value,
    apply_smooth,
    finite_prefix,
    infinite,
    is_zero,
    leading_term,
    make_germ,
    make_key,
    number,
    sign_of,
    starting_at,
    staying_at,
)
from diffcompare.arithmetic.jets import series_length
from diffcompare.arithmetic.special_balls import certainly_outside, order_edge
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import COMPARISONS, CONDITIONS, LOGIC, OPERATIONS, Kind, named
from diffcompare.program.run import interpret_on_demand

__all__ = ["GERM_OPERATIONS", "OneSided", "is_defined", "one_sided_derivative"]


@dataclass(frozen=True, slots=True)
class OneSided:
    """The outcome: ``ok`` with the enclosed derivative (a rational number where known), or why there is none."""

    status: str
    value: arb | None = None
    exact: Fraction | None = None


class _UndefinedError(Exception):
    """A node that the function uses is certainly not defined there."""


def one_sided_derivative(program: Program, point: Sequence[float], direction: int, *, limits: bool = False) -> OneSided:
    """Decide whether the partial derivative exists, and enclose it, at the working precision.

    Parameters
    ----------
    program : Program
        With one output.
    point : sequence of float
        Exact binary values.
    direction : int
        The index of the variable.
    limits : bool
        The program writes a derivative that is known to exist at the point, where its own value may be wrong: the
        limits from both sides count (a derivative has no removable jump, by Darboux), and what it leaves undefined is
        undecided.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), chapter 14: piecewise differentiable evaluation
    procedures; germs with valuations as in the field of Puiseux series.
    """
    try:
        right = _evaluate(program, point, direction, 1)
        left = _evaluate(program, point, direction, -1)
        here = right if limits else _evaluate(program, point, direction, 0)
    except _UndefinedError:
        return OneSided("undecided" if limits else "domain")
    if not (isinstance(here, Germ) and isinstance(right, Germ) and isinstance(left, Germ)):
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


def _equal_values(a: Germ, b: Germ) -> bool | None:
    if certainly_nonzero(a.coefficients[0] - b.coefficients[0]):
        return False
    return True if a.value_key is not None and a.value_key == b.value_key else None


def _evaluate(program: Program, point: Sequence[float | arb], direction: int, side: int) -> Value:

    def leaf(node: Node) -> Value:
        if node.operation != "variable":
            return _applied(node, [], side)
        index = int(node.payload or 0)
        value = arb(point[index])
        moving = index == direction and side != 0
        return make_germ(
            [value, arb(side if moving else 0), *([arb(0)] * (LENGTH - 2))],
            exact_fraction(value),
            side,
            constant=not moving,
            value_key=make_key("variable", index),
        )

    def decide(condition: Value) -> bool | None:
        return None if condition is None else bool(condition)

    return interpret_on_demand(program, leaf, lambda node, *operands: _applied(node, operands, side), decide)[0]


def _applied(node: Node, operands: Sequence[Value], side: int) -> Value:
    if node.operation == "undefined":
        raise _UndefinedError
    if any(operand is None for operand in operands):
        return _condition(node.operation, operands) if node.operation in LOGIC else None
    if node.operation in _DECIDED:
        return _condition(node.operation, operands)
    germs = [operand for operand in operands if isinstance(operand, Germ)]
    if not all(germ.coefficients[0].is_finite() for germ in germs):
        return None
    if node.operation in COMPARISONS:
        return _compare(node.operation, *germs)
    rule = (
        _integer_power(int(node.payload or 0))
        if node.operation == "integer_power"
        else GERM_OPERATIONS.get(node.operation)
    )
    if rule is not None:
        return rule(*germs)
    if certainly_outside(node.operation, [germ.coefficients[0] for germ in germs]):
        raise _UndefinedError
    if node.operation in _EDGES and is_zero(germs[-1]) and not germs[-1].constant and _has_an_edge(node, germs):
        # the edge of the domain belongs to it: on one side the function ends there, on the other it is not expanded
        if sign_of(germs[-1]) == -1:
            raise _UndefinedError
        return None
    return apply_smooth(node, germs, side)


def _has_an_edge(node: Node, germs: list[Germ]) -> bool:
    bessel = node.operation in ("besselj", "besseli")
    return not bessel or bool(order_edge(germs[0].coefficients[0], arb(0)).is_zero())


def _condition(operation: str, operands: Sequence[Value]) -> bool | None:
    result = BALL_OPERATIONS[operation](*operands)
    return None if result is None else bool(result)


def _divide(a: Germ, b: Germ) -> Value:
    side = a.side or b.side
    if not is_zero(b):
        return apply_smooth(Node("divide"), [a, b], side)
    if b.constant:
        raise _UndefinedError
    leading = leading_term(b)
    if leading is None:
        return None
    valuation, sign = leading
    for power in range(valuation):
        coefficient = a.coefficients[power]
        if not (coefficient.is_zero() or (power == 0 and is_zero(a))):
            known = coefficient > 0 or coefficient < 0
            return infinite(side, sign if coefficient > 0 else -sign) if known else None
    quotient = [make_germ(germ.coefficients[valuation:], None, side, value_key=None, slope_key=None) for germ in (a, b)]
    return apply_smooth(Node("divide"), quotient, side)


def _integer_power(exponent: int) -> Callable[[Germ], Value]:
    def rule(u: Germ) -> Value:
        power = apply_smooth(Node("integer_power", (), abs(exponent)), [u], u.side)
        return _divide(number(1), power) if exponent < 0 and isinstance(power, Germ) else power

    return rule


def _logarithm(operation: str) -> Callable[[Germ], Value]:
    def rule(u: Germ) -> Value:
        argument = apply_smooth(Node("add"), [number(1), u], u.side) if operation == "log1p" else u
        if not isinstance(argument, Germ):
            return None
        return _unbounded_edge(operation, u, argument, -1)

    return rule


def _atanh(u: Germ) -> Value:
    # atanh u = ½ log((1 + u)/(1 − u)): the edge that is nearer decides
    near = 1 if u.coefficients[0] > 0 else -1
    inside = apply_smooth(Node("subtract" if near > 0 else "add"), [number(1), u], u.side)
    return _unbounded_edge("atanh", u, inside, near) if isinstance(inside, Germ) else None


def _unbounded_edge(operation: str, u: Germ, inside: Germ, sign_there: int) -> Value:
    """Apply a function that is defined where ``inside`` is positive and goes to ±∞ where it goes to 0."""
    if inside.coefficients[0] < 0:
        raise _UndefinedError
    if not is_zero(inside):
        return apply_smooth(Node(operation), [u], u.side)
    if inside.constant:
        raise _UndefinedError
    sign = sign_of(inside)
    if sign is not None and sign < 0:
        raise _UndefinedError
    return None if sign is None else infinite(u.side, sign_there)


def _compare(operation: str, a: Germ, b: Germ) -> bool | None:
    difference = apply_smooth(Node("subtract"), [a, b], a.side or b.side)
    sign = 0 if a is b else sign_of(difference) if isinstance(difference, Germ) else None
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


def _negative(germ: Germ) -> Value:
    return apply_smooth(Node("negative"), [germ], germ.side)


def _abs(u: Germ) -> Value:
    sign = sign_of(u)
    return None if sign is None else u if sign >= 0 else _negative(u)


def _signum(u: Germ) -> Value:
    sign = sign_of(u)
    return None if sign is None else number(sign)


def _floor(u: Germ) -> Value:
    below = u.coefficients[0].floor()
    if not below.is_exact():
        return None
    whole = exact_fraction(below)
    if whole is None or u.coefficients[0] > below:
        return None if whole is None else number(whole)
    difference = apply_smooth(Node("subtract"), [u, number(whole)], u.side)
    sign = sign_of(difference) if isinstance(difference, Germ) else None
    return None if sign is None else number(whole if sign >= 0 else whole - 1)


def _ceiling(u: Germ) -> Value:
    opposite = _negative(u)
    below = _floor(opposite) if isinstance(opposite, Germ) else None
    return _negative(below) if isinstance(below, Germ) else None


def _min(a: Germ, b: Germ) -> Value:
    less = _compare("less_equal", a, b)
    return None if less is None else a if less else b


def _max(a: Germ, b: Germ) -> Value:
    less = _compare("less_equal", a, b)
    return None if less is None else b if less else a


def _root(u: Germ, exponent: Fraction, name: str) -> Value:
    """Return u^exponent, 0 < exponent < 1, for u that is positive or starts with an exact 0."""
    if u.coefficients[0] > 0:
        return apply_smooth(Node(name), [u], u.side)
    if u.coefficients[0] < 0:
        raise _UndefinedError
    if not is_zero(u):
        return None
    if u.constant:
        return number(0)
    leading = leading_term(u)
    if leading is None:
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    power = valuation * exponent
    if name != "sqrt" or power.denominator != 1:
        return starting_at(power, u.coefficients[valuation] ** ball(exponent), arb(0), u.side)
    # sqrt(t²ᵐ·v) = tᵐ·sqrt(v), v with a positive head
    finite = finite_prefix(u)
    with series_length(finite - valuation):
        series = arb_series(list(u.coefficients[valuation:finite])).sqrt().coeffs()
    series += [arb(0)] * (finite - valuation - len(series))
    return make_germ([*([arb(0)] * int(power)), *series], Fraction(0), u.side)


def _sqrt(u: Germ) -> Value:
    return _root(u, Fraction(1, 2), "sqrt")


def _cbrt(u: Germ) -> Value:
    if certainly_nonzero(u.coefficients[0]):
        return apply_smooth(Node("cbrt"), [u], u.side)
    sign = sign_of(u)
    if sign is None or not is_zero(u):
        return None
    size = u if sign >= 0 else _negative(u)
    root = _root(size, Fraction(1, 3), "cbrt") if isinstance(size, Germ) else None
    return root if sign >= 0 or not isinstance(root, Germ) else _negative(root)


def _power(u: Germ, p: Germ) -> Value:
    side = u.side or p.side
    if u.coefficients[0] > 0:
        return apply_smooth(Node("power"), [u, p], side)
    if u.coefficients[0] < 0:
        raise _UndefinedError
    if not is_zero(u):
        return None
    if u.constant:
        if p.exact == 0 or p.coefficients[0] < 0:
            raise _UndefinedError
        return number(0) if p.coefficients[0] > 0 else None
    leading = leading_term(u)
    if leading is None:
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    if not p.coefficients[0] > 0:
        return infinite(side, 1) if p.coefficients[0] < 0 else None
    if p.exact is not None and p.constant:
        return starting_at(valuation * p.exact, u.coefficients[valuation] ** ball(p.exact), arb(0), side)
    power = valuation * p.coefficients[0]
    if power > 1 or power < 1:
        return starting_at(Fraction(2) if power > 1 else Fraction(1, 2), arb(1), arb(0), side)
    return None


def _hypot(a: Germ, b: Germ) -> Value:
    side = a.side or b.side
    squares = [apply_smooth(Node("integer_power", (), 2), [u], side) for u in (a, b)]
    known = [square for square in squares if isinstance(square, Germ)]
    total = apply_smooth(Node("add"), known, side) if len(known) == 2 else None
    return _sqrt(total) if isinstance(total, Germ) else None


def _edge(u: Germ, at: int, slope_sign: int, operation: str) -> Value:
    """Expand asin, acos or acosh where the argument is exactly ±1: a square root starts there.

    With w = 1 − u at 1 (1 + u at −1, u − 1 for acosh) the function is its value there ± √(2w)·(1 + O(w)),
    DLMF 4.24.1, 4.38.
    """
    head: Any = BALL_OPERATIONS[operation](arb(at))
    if u.constant:
        return staying_at(head)
    terms = [u, number(1)] if operation == "acosh" else [number(1), u]
    inside = apply_smooth(Node("add" if at < 0 else "subtract"), terms, u.side)
    leading = leading_term(inside) if isinstance(inside, Germ) else None
    if leading is None or not isinstance(inside, Germ):
        return None
    valuation, sign = leading
    if sign < 0:
        raise _UndefinedError
    root = (2 * inside.coefficients[valuation]).sqrt() * slope_sign
    return starting_at(Fraction(valuation, 2), root, head, u.side)


def _arc(operation: str) -> Callable[[Germ], Value]:
    def rule(u: Germ) -> Value:
        if u.coefficients[0] > 1 or u.coefficients[0] < -1:
            raise _UndefinedError
        if u.exact == 1 or u.exact == -1:
            at = int(u.exact)
            return _edge(u, at, -at if operation == "asin" else at, operation)
        return apply_smooth(Node(operation), [u], u.side)

    return rule


def _acosh(u: Germ) -> Value:
    if u.coefficients[0] < 1:
        raise _UndefinedError
    return _edge(u, 1, 1, "acosh") if u.exact == 1 else apply_smooth(Node("acosh"), [u], u.side)


def _atan2(a: Germ, b: Germ) -> Value:
    side = a.side or b.side
    if certainly_nonzero(a.coefficients[0]) or b.coefficients[0] > 0:
        return apply_smooth(Node("atan2"), [a, b], side)
    if is_zero(a) and is_zero(b):
        if a.constant and b.constant:
            raise _UndefinedError
        return None
    sign = sign_of(a)
    if not is_zero(a) or not b.coefficients[0] < 0 or sign is None:
        return None
    # on the cut: atan(a/b) + π above it and on it, − π below
    quotient = _divide(a, b)
    angle = apply_smooth(Node("atan"), [quotient], side) if isinstance(quotient, Germ) else None
    pi = apply_smooth(Node("pi"), [], side)
    if not isinstance(angle, Germ) or not isinstance(pi, Germ):
        return None
    return apply_smooth(Node("add" if sign >= 0 else "subtract"), [angle, pi], side)


_DECIDED = CONDITIONS - COMPARISONS

# functions whose domain ends at 0 and holds it (those of Bessel: for an order that is not whole)
_EDGES = frozenset(name for name in named(Kind.SPECIAL) if OPERATIONS[name].switch)

GERM_OPERATIONS: dict[str, Callable[..., Value]] = {
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
    "floor": _floor,
    "ceiling": _ceiling,
    "sqrt": _sqrt,
    "cbrt": _cbrt,
    "power": _power,
    "hypot": _hypot,
    "asin": _arc("asin"),
    "acos": _arc("acos"),
    "acosh": _acosh,
    "atan2": _atan2,
}
