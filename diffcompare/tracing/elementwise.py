"""Universal functions that are put together from the operations of the table, number by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from diffcompare.tracing.scalar import TracedScalar, power, scalar, select

__all__ = ["COMPOSED", "LOGICAL"]


def _one(x: TracedScalar) -> TracedScalar:
    return scalar(x.table, 1.0)


def _half_turn(x: TracedScalar) -> Any:
    return scalar(x.table, float(np.pi)) / 180


def _log_add(a: TracedScalar, b: TracedScalar) -> Any:
    # one decision for both: a maximum and a minimum that branch apart would not be this function
    first = a >= b
    larger, smaller = select(first, a, b), select(first, b, a)
    return larger + np.log1p(np.exp(smaller - larger)) if np.isfinite(larger.shadow) else larger


def _sign(x: TracedScalar) -> TracedScalar:
    table = x.table
    if table.region:
        shadow = float(np.sign(x.shadow))
        return TracedScalar(table, table.apply("sign", (x.index,), shadow), shadow)
    if x.shadow != x.shadow:
        return x
    return scalar(table, 1.0) if x > 0 else scalar(table, -1.0) if x < 0 else scalar(table, 0.0)


def _heaviside(x: TracedScalar, half: TracedScalar) -> Any:
    if x.shadow != x.shadow:
        return x
    return select(x > 0, _one(x), select(x < 0, scalar(x.table, 0.0), half))


def _copysign(x: TracedScalar, y: TracedScalar) -> Any:
    # a nan has a sign, too, but none that a program may rely on
    return select(y >= 0, abs(x), -abs(x)) if y.shadow == y.shadow else y


# what is put together from operations of the table
COMPOSED: dict[str, Callable[..., Any]] = {
    "positive": lambda x: x,
    "conjugate": lambda x: x,
    "absolute": abs,
    "fabs": abs,
    "sign": _sign,
    "square": lambda x: power(x, 2),
    "reciprocal": lambda x: _one(x) / x,
    "power": power,
    "float_power": power,
    "deg2rad": lambda x: x * _half_turn(x),
    "radians": lambda x: x * _half_turn(x),
    "rad2deg": lambda x: x / _half_turn(x),
    "degrees": lambda x: x / _half_turn(x),
    "logaddexp": _log_add,
    "logaddexp2": lambda a, b: np.log2(np.exp2(a) + np.exp2(b)),
    "heaviside": _heaviside,
    "copysign": _copysign,
    "floor_divide": lambda a, b: a // b,
    "remainder": lambda a, b: a % b,
    "fmod": lambda a, b: a - b * (a / b).trunc(),
    "clip": lambda x, low, high: x.clip(low, high),
}
LOGICAL: dict[str, Callable[..., Any]] = {
    "logical_and": lambda a, b: a & b,
    "logical_or": lambda a, b: a | b,
    "logical_xor": lambda a, b: a ^ b,
    "logical_not": lambda a: ~a,
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
    "invert": lambda a: ~a,
}
