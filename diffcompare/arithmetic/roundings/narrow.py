"""How far NumPy's float32 and float16 functions are from the exact value, in ulps: measured, with a margin.

    python -m diffcompare.arithmetic.roundings.narrow

prints, for the NumPy that runs it, the largest error of each operation and where it occurs. float16 functions of one
argument are run on all 65,536 numbers, float32 ones on every 257th; what they are compared with is the same function in
binary64, whose own error is less than 10⁻⁷ of an ulp here. The maxima below are those over the builds of
:mod:`diffcompare.arithmetic.roundings.constants`; the constant of an operation is 1.5 times its maximum plus 0.25, also
where the result is subnormal. On a build that is not listed the functions in use are measured again when
they are first used.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.roundings.constants import BUILDS, rounding_constants
from diffcompare.arithmetic.roundings.measurement import build
from diffcompare.arithmetic.ulp import FORMATS
from diffcompare.floats import Floats
from diffcompare.program.dag import Node
from diffcompare.program.operations import OPERATIONS, Kind, named

__all__ = ["NARROW_MAXIMA", "measure_narrow", "narrow_constants"]

Array = NDArray[Any]
Sample = tuple[tuple[Array, ...], Array, Floats]

NARROW_MAXIMA: Mapping[str, Mapping[str, float]] = {
    "float16": {
        "cbrt": 0.5,
        "exp": 0.5003,
        "exp2": 0.5,
        "expm1": 0.5001,
        "log": 0.5,
        "log2": 0.4999,
        "log10": 0.5001,
        "log1p": 0.5,
        "sin": 0.5,
        "cos": 0.5001,
        "tan": 0.5,
        "asin": 0.5001,
        "acos": 0.5,
        "atan": 0.5001,
        "sinh": 0.5,
        "cosh": 0.5,
        "tanh": 0.4999,
        "asinh": 0.5,
        "acosh": 0.5,
        "atanh": 0.4999,
        "hypot": 0.5001,
        "atan2": 0.5001,
        "power": 0.5001,
        "integer_power": 0.5,
    },
    "float32": {
        "cbrt": 1.9196,
        "exp": 2.3055,
        "exp2": 2.6473,
        "expm1": 2.4591,
        "log": 3.0656,
        "log2": 1.9751,
        "log10": 2.911,
        "log1p": 1.8259,
        "sin": 1.4591,
        "cos": 1.4174,
        "tan": 3.6981,
        "asin": 2.7436,
        "acos": 1.8716,
        "atan": 2.1856,
        "sinh": 1.4349,
        "cosh": 2.3933,
        "tanh": 1.352,
        "asinh": 0.9917,
        "acosh": 0.7891,
        "atanh": 1.3909,
        "hypot": 0.5,
        "atan2": 3.1111,
        "power": 1.0045,
        "integer_power": 1.0088,
    },
}

_UNARY = tuple(name for name in NARROW_MAXIMA["float32"] if OPERATIONS[name].arity == 1 and name != "integer_power")
_EXPONENTS = (-7, -5, -4, -3, -2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 33, 64, 100)


def narrow_constants(node: Node, dtype: str) -> tuple[float, float]:
    """Return k and a for float16 or float32; k is infinite, and there is no bound, for what was not measured."""
    name = node.operation
    if name in NARROW_MAXIMA[dtype]:
        if name == "integer_power":
            exponent = int(node.payload or 0)
            if abs(exponent) > 2 ** FORMATS[dtype].bits:
                # NumPy rounds the exponent to the dtype
                return math.inf, 0.0
            if exponent in (-1, 0, 1, 2):
                return rounding_constants(node)
        return _constant(name, dtype), 0.0
    return rounding_constants(node) if name in _SAME_AS_BINARY64 else (math.inf, 0.0)


_SAME_AS_BINARY64 = named(Kind.EXACT) | named(Kind.ROUNDED)


@cache
def _constant(operation: str, dtype: str) -> float:
    largest = NARROW_MAXIMA[dtype][operation]
    if build() not in BUILDS:
        largest = max(largest, measure_narrow(operation, dtype, stride=65_537, count=2**14)[0])
    return 1.5 * largest + 0.25


def measure_narrow(
    operation: str, dtype: str, *, stride: int = 257, count: int = 2**20, seed: int = 1
) -> tuple[float, tuple[float, ...]]:
    """Find the largest error of an operation in ulps (η for subnormal results), and where it occurs."""
    worst, where = 0.0, ()  # type: tuple[float, tuple[float, ...]]
    random = np.random.default_rng([seed, *operation.encode()])
    with np.errstate(all="ignore"):
        for arguments, computed, exact in _samples(operation, dtype, stride, count, random):
            errors = _errors(computed, exact, dtype)
            k = int(errors.argmax())
            if errors[k] > worst:
                worst, where = float(errors[k]), tuple(float(np.broadcast_to(a, errors.shape)[k]) for a in arguments)
    return worst, where


def _errors(computed: Array, exact: Floats, dtype: str) -> Floats:
    form = FORMATS[dtype]
    exponent = np.maximum(np.frexp(exact)[1] - form.bits, form.least_exponent)
    errors = np.abs(computed.astype(np.float64) - exact) / np.ldexp(1.0, exponent)
    # the model of rounding ends near the largest number
    inside = np.isfinite(exact) & (np.abs(exact) < 0.995 * form.largest)
    return np.asarray(np.where(inside, np.where(np.isnan(errors), np.inf, errors), 0.0))


def _samples(operation: str, dtype: str, stride: int, count: int, random: np.random.Generator) -> Iterator[Sample]:
    kind = np.dtype(dtype).type
    top = 15 if dtype == "float16" else 127

    def magnitudes(low: float, high: float) -> Array:
        return np.asarray(np.exp2(random.uniform(low, high, count)) * random.choice([-1.0, 1.0], count)).astype(kind)

    function: Callable[..., Array]
    if operation in _UNARY:
        function = getattr(np, OPERATIONS[operation].names[0])
        for bits in _patterns(dtype, stride, random):
            x = bits.view(kind)
            x = np.ascontiguousarray(x[np.isfinite(x)])
            if x.size:
                yield (x,), function(x), function(x.astype(np.float64))
    elif operation == "integer_power":
        for n in _EXPONENTS:
            x = magnitudes(-min(top / abs(n), 100.0), min(top / abs(n), 100.0))
            yield (x, np.array(float(n))), x**n, x.astype(np.float64) ** n
    else:
        function = np.power if operation == "power" else getattr(np, OPERATIONS[operation].names[0])
        for k in range(8):
            if operation == "power":
                b = magnitudes(-10, 6)
                size = np.minimum(top / np.abs(b.astype(np.float64)), 100.0)
                a = np.exp2(random.uniform(-1, 1, count) * size).astype(kind)
            else:
                a, b = (magnitudes(1 - top * 0.8, top * 0.8) for _ in range(2))
                if k % 2:
                    b = (a.astype(np.float64) * np.exp2(random.uniform(-6, 6, count))).astype(kind)
            yield (a, b), function(a, b), function(a.astype(np.float64), b.astype(np.float64))


def _patterns(dtype: str, stride: int, random: np.random.Generator) -> Iterator[Array]:
    """Walk through the bit patterns of a dtype: all of float16, every so many of float32."""
    if dtype == "float16":
        yield np.arange(2**16, dtype=np.uint16)
        return
    start = int(random.integers(stride))
    for low in range(0, 2**32, 2**28):
        yield np.arange(low + start, low + 2**28, stride, dtype=np.uint64).astype(np.uint32)


def _main() -> None:
    print(build())
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for dtype, table in NARROW_MAXIMA.items():
        for operation in table:
            ulps, where = measure_narrow(operation, dtype, seed=seed)
            print(f"{dtype} {operation:14} {ulps:8.4f}  {tuple(map(float.hex, where))}", flush=True)


if __name__ == "__main__":
    _main()
