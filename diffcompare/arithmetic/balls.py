"""Programs in ball arithmetic: every value is a midpoint and a radius that contain the true real number.

A comparison of balls is true only if it is certain, so ``not a > b`` proves nothing; built-in ``max``, ``min``,
``sorted`` and ``bool`` are meaningless on them. Conditions are True, False, None (cannot tell) or UNDEFINED.

References
----------
F. Johansson, Arb: efficient arbitrary-precision midpoint-radius interval arithmetic, IEEE Trans. Comput. 66 (2017).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import flint
from flint import arb, fmpq

from diffcompare.arithmetic.special_balls import SPECIAL_BALLS, order_edge
from diffcompare.arithmetic.watched import watched
from diffcompare.program.code import operation_source, switch_sources
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import ARITHMETIC
from diffcompare.program.run import compiled, payload_of, per_program

__all__ = [
    "PRECISION_CAP",
    "Ball",
    "BallFunction",
    "Condition",
    "above",
    "ball",
    "ball_function",
    "ball_operation",
    "certainly_less",
    "certainly_nonzero",
    "exact_fraction",
    "precision",
    "round_ball",
    "switch_function",
]

# bits; what is still undecided there is said to be undecided
PRECISION_CAP = 4000
# the binary exponent of an exact number: 2**(10**9) fills 125 MB
_EXPONENT = 60_000

Ball = arb
Condition = bool | str | None
BallFunction = Callable[..., tuple[arb, ...]]

# flint's working precision belongs to the process, not to a thread
_LOCK = threading.RLock()


class precision:  # noqa: N801 - reads like the function that it is; a generator would cost a tenth of a gradient
    """Work with this many bits inside; other threads wait."""

    __slots__ = ("before", "bits")

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def __enter__(self) -> None:
        _LOCK.acquire()
        self.before = flint.ctx.prec
        flint.ctx.prec = self.bits

    def __exit__(self, *_: object) -> None:
        flint.ctx.prec = self.before
        _LOCK.release()


def ball(value: Fraction | int | float) -> arb:
    """Return a ball: exact for dyadic numbers, else rounded at the working precision."""
    if isinstance(value, float):
        return arb(float(value))
    value = Fraction(value)
    twos = value.denominator.bit_length() - 1
    if value.denominator == 1 << twos:
        return arb((value.numerator, -twos))
    return arb(fmpq(value.numerator, value.denominator))


def exact_fraction(value: arb) -> Fraction | None:
    """Return the value of an exact ball, None for any other, and for one of too many digits to write."""
    if not value.is_exact() or not value.is_finite():
        return None
    mantissa, exponent = value.man_exp()
    if abs(exponent) > _EXPONENT:
        return None
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def certainly_less(a: arb, b: arb) -> bool:
    """Tell whether every number of ``a`` is below every number of ``b``."""
    return bool(a < b)


def certainly_nonzero(a: arb) -> bool:
    """Tell whether 0 is certainly not in the ball; False for a ball that is not a number."""
    return bool(a > 0) or bool(a < 0)


def above(value: arb) -> float:
    """Return a float above the absolute value of every number of a ball, inf for one that is not finite."""
    if value.is_zero():
        return 0.0
    return math.nextafter(float(value.abs_upper()), math.inf) if value.is_finite() else math.inf


def ball_operation(node: Node, *operands: Any) -> Any:
    """Carry out one operation in balls: a ball, or a condition; a variable is the caller's business."""
    if node.operation == "constant":
        return ball(Fraction(node.payload or 0))
    return BALL_OPERATIONS[node.operation](*operands, *payload_of(node))


def round_ball(value: arb) -> float | None:
    """Round an enclosure to binary64, None where it does not decide.

    Decided on the interval: both ends round to the same float. An enclosure within the zero range gives +0.0, or
    -0.0 where it is strictly negative. Call it at the precision at which the ball was computed: the ends are
    rounded outward at the working precision.
    """
    lower = float(value.lower())
    if lower != float(value.upper()) or not value.is_finite():
        return None
    if lower == 0.0:
        return -0.0 if value < 0 else 0.0
    return lower


@per_program
def ball_function(program: Program) -> BallFunction:
    """Compile a program: one ball per variable in, a tuple of its outputs out; nan where undefined."""
    return _compile(program, ())


@per_program
def switch_function(program: Program, output: int) -> tuple[BallFunction, int]:
    """Compile a program with its switches: the tuple of outputs is followed by the switch quantities.

    The second value returned is the number of outputs. Where every switch quantity of ``output`` is certainly
    non-zero and all is finite, the point lies inside the domain and on no corner or jump.
    """
    return _compile(program, switch_sources(program, output)), len(program.outputs)


def _compile(program: Program, extras: Sequence[str]) -> BallFunction:
    # what the switches call
    scope: dict[str, Any] = {"arb": arb, "hypot_": _hypot, "gate_": _gate}
    scope |= {"floor_": arb.floor, "ceiling_": arb.ceil, "order_edge_": order_edge}

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            value = Fraction(node.payload or 0)
            if value.denominator & (value.denominator - 1) == 0:
                scope[f"k{index}"] = ball(value)
                return f"k{index}"
            scope[f"k{index}"] = fmpq(value.numerator, value.denominator)
            return f"arb(k{index})"
        if node.operation == "integer_power" and node.payload in (2, 3):
            x = operands[0]
            return f"{x} * {x}" if node.payload == 2 else f"{x} * {x} * {x}"
        return operation_source(node, operands)

    return compiled(program, BALL_OPERATIONS.__getitem__, spell, scope, extras=extras)


def _gate(a: arb, product: arb) -> arb:
    return arb(1) if product.is_finite() else a


def _absolute(x: arb) -> arb:
    # abs of a ball around 0 reaches below 0
    return abs(x) if certainly_nonzero(x) or x.is_exact() else arb(0).union(x.abs_upper())


def _integer_power(x: arb, n: int) -> arb:
    if n < 0:
        return 1 / _integer_power(x, -n)
    if n == 0:
        return arb(1) if not x.is_nan() else x
    if certainly_nonzero(x) or x.is_exact() or x.is_nan():
        return x**n
    # flint's power of a ball with midpoint 0 is nan
    if n % 2:
        return (x.lower() ** n).union(x.upper() ** n)
    return arb(0).union(x.abs_upper() ** n)


def _power(x: arb, y: arb) -> arb:
    if x > 0:
        return x**y
    if x.is_zero() and y > 0:
        return arb(0)
    return arb.nan()


def _cbrt(x: arb) -> arb:
    if x > 0:
        return x.root(3)
    if x < 0:
        return -((-x).root(3))
    if x.is_zero() or not x.is_finite():
        return x
    return _cbrt(x.lower()).union(_cbrt(x.upper()))


def _hypot(x: arb, y: arb) -> arb:
    square = _integer_power(x, 2) + _integer_power(y, 2)
    return square.sqrt() if square >= 0 else arb(0).union(square.upper().sqrt())


def _atan2(a: arb, b: arb) -> arb:
    return arb.atan2(a, b) if certainly_nonzero(a) or certainly_nonzero(b) else arb.nan()


def _sign(x: arb) -> arb:
    # flint gives an interval for what is not a number
    return x if x.is_nan() else x.sgn()


def _exp2(x: arb) -> arb:
    return arb(2) ** x


# a condition on something that is not defined; nothing that depends on it is
UNDEFINED = "undefined"


def _select(condition: Condition, first: arb, second: arb) -> arb:
    if condition is True:
        return first
    if condition is False:
        return second
    return first.union(second) if condition is None else arb.nan()


def _unordered(a: arb, b: arb) -> Condition:
    return UNDEFINED if a.is_nan() or b.is_nan() else None


def _less(a: arb, b: arb) -> Condition:
    if a is b:
        # one and the same number, however wide its ball
        return UNDEFINED if a.is_nan() else False
    return True if a < b else False if a >= b else _unordered(a, b)


def _less_equal(a: arb, b: arb) -> Condition:
    if a is b:
        return UNDEFINED if a.is_nan() else True
    return True if a <= b else False if a > b else _unordered(a, b)


def _equal(a: arb, b: arb) -> Condition:
    if a is b:
        return UNDEFINED if a.is_nan() else True
    if a < b or a > b:
        return False
    return True if a.is_exact() and b.is_exact() and a == b else _unordered(a, b)


def _not(a: Condition) -> Condition:
    return not a if isinstance(a, bool) else a


def _and(a: Condition, b: Condition) -> Condition:
    if UNDEFINED in (a, b):
        return UNDEFINED
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


# by the names of the table; compiled programs write the arithmetic ones as operators
BALL_OPERATIONS: dict[str, Callable[..., Any]] = {
    **ARITHMETIC,
    "pi": arb.pi,
    "e": arb.const_e,
    "undefined": arb.nan,
    "integer_power": _integer_power,
    "power": _power,
    "sqrt": arb.sqrt,
    "cbrt": _cbrt,
    "hypot": _hypot,
    "exp": arb.exp,
    "exp2": _exp2,
    "expm1": arb.expm1,
    "log": arb.log,
    "log2": lambda x: x.log_base(2),
    "log10": lambda x: x.log_base(10),
    "log1p": arb.log1p,
    "sin": arb.sin,
    "cos": arb.cos,
    "tan": arb.tan,
    "asin": arb.asin,
    "acos": arb.acos,
    "atan": arb.atan,
    "atan2": _atan2,
    "sinh": arb.sinh,
    "cosh": arb.cosh,
    "tanh": arb.tanh,
    "asinh": arb.asinh,
    "acosh": arb.acosh,
    "atanh": arb.atanh,
    "abs": _absolute,
    "sign": _sign,
    "min": arb.min,
    "max": arb.max,
    "select": _select,
    "true": lambda: True,
    "false": lambda: False,
    "less": _less,
    "less_equal": _less_equal,
    "greater": lambda a, b: _less(b, a),
    "greater_equal": lambda a, b: _less_equal(b, a),
    "equal": _equal,
    "not_equal": lambda a, b: _not(_equal(a, b)),
    "and": _and,
    "or": lambda a, b: _not(_and(_not(a), _not(b))),
    "not": _not,
    **watched("balls", SPECIAL_BALLS),
}
