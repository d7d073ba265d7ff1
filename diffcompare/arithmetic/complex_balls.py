"""Programs in complex ball arithmetic, for points x + ih beside the real axis."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any

from flint import acb

from diffcompare.arithmetic.balls import Ball, ball
from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import Program
from diffcompare.program.printing import formula

__all__ = ["imaginary_part"]


def _dot(*factors: acb) -> acb:
    half = len(factors) // 2
    total: acb = reduce(operator.add, map(operator.mul, factors[:half], factors[half:]))
    return total


_FUNCTIONS: dict[str, Any] = {
    "pi": acb.pi,
    "e": lambda: acb(1).exp(),
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "negative": operator.neg,
    "sum": lambda *terms: reduce(operator.add, terms),
    "dot": _dot,
    "power": lambda x, p: (p * x.log()).exp(),
    "exp2": lambda x: (x * acb(2).log()).exp(),
    "log2": lambda x: x.log() / acb(2).log(),
    "log10": lambda x: x.log() / acb(10).log(),
} | {
    name: getattr(acb, name)
    for name in (
        *("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    )
}


# certainly off the branch cut (DLMF 4.2(i), 4.23(ii), 4.37(ii)): off its line, or on the real or imaginary part of the
# line where the function is analytic
def _beyond(edge: int) -> Callable[[acb], bool]:
    return lambda z: bool(z.imag != 0) or bool(z.real > edge)


def _within_real(z: acb) -> bool:
    return bool(z.imag != 0) or bool(abs(z.real) < 1)


def _within_imaginary(z: acb) -> bool:
    return bool(z.real != 0) or bool(abs(z.imag) < 1)


_OFF_THE_CUT: Mapping[str, Callable[[acb], bool]] = {
    **dict.fromkeys(("sqrt", "log", "log2", "log10", "power"), _beyond(0)),
    "log1p": _beyond(-1),
    "acosh": _beyond(1),
    **dict.fromkeys(("asin", "acos", "atanh"), _within_real),
    **dict.fromkeys(("atan", "asinh"), _within_imaginary),
}


def imaginary_part(program: Program, point: Sequence[float], i: int, h: float) -> Ball:
    """Enclose Im F(x + ih·e_i) of an analytic program with one output, at the working precision.

    Proven. F is the continuation of the real function by principal branches.

    Raises
    ------
    UnsupportedFunction
        The argument of an operation meets its branch cut: F has no one value there.
    """
    arguments = [acb(ball(x), ball(h if j == i else 0)) for j, x in enumerate(point)]
    values: list[Any] = []
    for index, node in enumerate(program.nodes):
        operands = [values[k] for k in node.operands]
        if node.operation == "constant":
            values.append(acb(ball(Fraction(node.payload or 0))))
        elif node.operation == "variable":
            values.append(arguments[int(node.payload or 0)])
        elif node.operation == "integer_power":
            values.append(operands[0] ** int(node.payload or 0))
        elif node.operation == "undefined":
            values.append(acb("nan"))
        else:
            certain = _OFF_THE_CUT.get(node.operation)
            if certain is not None and operands[0].is_finite() and not certain(operands[0]):
                raise UnsupportedFunction(
                    f"{node.operation} in {shorten(formula(program, index), 60)}: its argument meets a branch cut at "
                    f'h={h!r}, so that scheme="complex" does not apply; pass smaller steps'
                )
            values.append(_FUNCTIONS[node.operation](*operands))
    found: Ball = values[program.outputs[0]].imag
    return found
