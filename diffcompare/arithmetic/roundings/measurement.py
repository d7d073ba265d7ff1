"""Measure the rounding errors of NumPy's elementary functions against balls, hunting the worst inputs.

    python -m diffcompare.arithmetic.roundings.measurement

prints, for the NumPy that runs it, the largest error of each operation in ulps of the exact value, and the input
where it occurs. The committed constants (:mod:`diffcompare.arithmetic.roundings.constants`) are the maxima over several
builds, times 1.5, plus 0.25.
"""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb

from diffcompare.arithmetic.balls import BALL_OPERATIONS, precision
from diffcompare.arithmetic.floating import implementation
from diffcompare.floats import Floats

__all__ = ["MEASURED", "Measurement", "build", "errors_in_ulps", "measure", "samples"]


_BITS = 128


def build() -> str:
    """Describe what decides how NumPy rounds here: version, processor, vector instructions, C library."""
    features = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    library = "".join(platform.libc_ver()) or platform.system()
    return " ".join(["numpy", np.__version__, platform.machine(), *features, library])


@dataclass(frozen=True, slots=True)
class Measurement:
    """The largest error found of one operation, in ulps of the exact value, and where."""

    operation: str
    ulps: float
    worst: tuple[float, ...]
    count: int


def _magnitudes(random: np.random.Generator, count: int, low: float, high: float) -> Floats:
    """Draw numbers whose exponents are uniform."""
    return np.exp2(random.uniform(math.log2(low), math.log2(high), count))


def _signed(random: np.random.Generator, values: Floats) -> Floats:
    return np.asarray(values * random.choice([-1.0, 1.0], values.size))


def _around(random: np.random.Generator, count: int, centres: Sequence[float]) -> Floats:
    """Draw numbers close to some centres, at all distances."""
    distance = _signed(random, _magnitudes(random, count, 2.0**-50, 0.25))
    return np.asarray(random.choice(np.array(centres), count) * (1 + distance))


_ZEROS_OF_SINE = [k * math.pi / 2 for k in range(1, 40)]


Draw = Callable[[np.random.Generator, int], Floats]


def _line(*, low: float, high: float, flat: tuple[float, float], near: Sequence[float] = (1.0,)) -> Draw:
    """Sample magnitudes between low and high with both signs, a flat range, and the neighbourhoods of some numbers."""

    def draw(random: np.random.Generator, count: int) -> Floats:
        part = count // 3
        return np.concatenate(
            [
                _signed(random, _magnitudes(random, part, low, high)),
                random.uniform(*flat, part),
                _signed(random, _around(random, count - 2 * part, near)),
            ]
        )

    return draw


def _within(draw: Draw, low: float, high: float) -> Draw:
    def inside(random: np.random.Generator, count: int) -> Floats:
        values = random.permutation(draw(random, 3 * count))
        values = np.abs(values) if low >= 0 else values
        return values[(values > low) & (values < high)][:count]

    return inside


_TRIG = _line(low=2.0**-30, high=2.0**1020, flat=(-30.0, 30.0), near=_ZEROS_OF_SINE)
_EXPONENTIAL = _line(low=2.0**-60, high=709.0, flat=(-40.0, 40.0), near=(math.log(2), 0.5, 0.3466, 88.7, 700.0))
_POSITIVE = _within(_line(low=2.0**-1000, high=2.0**1000, flat=(0.0, 20.0)), 0.0, 1e300)
_UNIT = _within(_line(low=2.0**-60, high=1.0, flat=(-1.0, 1.0), near=(1.0, 0.5)), -1.0, 1.0)
_WIDE = _line(low=2.0**-60, high=2.0**60, flat=(-20.0, 20.0), near=(1.0, 0.5, 2.0))

_UNARY: dict[str, Draw] = {
    "cbrt": _line(low=2.0**-1000, high=2.0**1000, flat=(-20.0, 20.0)),
    "exp": _EXPONENTIAL,
    "exp2": _line(low=2.0**-60, high=1020.0, flat=(-40.0, 40.0), near=(0.5, 1.0, 3.5)),
    "expm1": _EXPONENTIAL,
    "log": _POSITIVE,
    "log2": _POSITIVE,
    "log10": _POSITIVE,
    "log1p": _within(_line(low=2.0**-60, high=2.0**1000, flat=(-1.0, 20.0)), -1.0, 1e300),
    "sin": _TRIG,
    "cos": _TRIG,
    "tan": _TRIG,
    "asin": _UNIT,
    "acos": _UNIT,
    "atan": _WIDE,
    "sinh": _EXPONENTIAL,
    "cosh": _EXPONENTIAL,
    "tanh": _line(low=2.0**-60, high=30.0, flat=(-20.0, 20.0)),
    "asinh": _line(low=2.0**-60, high=2.0**1000, flat=(-20.0, 20.0)),
    "acosh": _within(_line(low=1.0, high=2.0**1000, flat=(1.0, 20.0)), 1.0, 1e300),
    "atanh": _UNIT,
}
_EXPONENTS = (-7, -5, -4, -3, -2, -1, 3, 4, 5, 6, 7, 8, 10, 15, 20, 33, 64, 100, 333, 1000)

MEASURED = (*_UNARY, "hypot", "atan2", "power", "integer_power")


def samples(operation: str, count: int, seed: int) -> list[Floats]:
    """Draw arguments of an operation, one array for each."""
    random = np.random.default_rng([seed, *operation.encode()])
    if operation in _UNARY:
        return [_UNARY[operation](random, count)]
    if operation == "integer_power":
        exponents = random.choice(np.array(_EXPONENTS), count)
        # |x|^n stays inside the range of binary64
        bases = np.exp2(random.uniform(-1.0, 1.0, count) * np.minimum(1000.0 / np.abs(exponents), 30.0))
        return [_signed(random, bases), exponents.astype(float)]
    if operation == "power":
        exponents = _signed(random, _magnitudes(random, count, 2.0**-20, 600.0))
        bases = np.exp2(random.uniform(-1.0, 1.0, count) * np.minimum(1000.0 / np.abs(exponents), 500.0))
        return [bases, exponents]
    return [_WIDE(random, count), _WIDE(random, count)]


def _computed(operation: str, arguments: Sequence[Floats]) -> Floats:
    function = implementation(operation)
    with np.errstate(all="ignore"):
        if operation != "integer_power":
            return np.asarray(function(*arguments), dtype=np.float64)
        result = np.empty(arguments[0].size)
        for exponent in np.unique(arguments[1]):
            chosen = arguments[1] == exponent
            result[chosen] = np.ascontiguousarray(arguments[0][chosen]) ** int(exponent)
        return result


def errors_in_ulps(operation: str, arguments: Sequence[Floats]) -> Floats:
    """Return |computed − exact| in ulps of the exact value; 0 where the result is not a normal finite number."""
    computed = _computed(operation, arguments)
    function = BALL_OPERATIONS[operation]
    found = np.zeros(computed.size)
    with precision(_BITS):
        for k, (value, *point) in enumerate(zip(computed.tolist(), *(a.tolist() for a in arguments), strict=True)):
            if not 1e-290 < abs(value) < 1e300:
                continue
            operands = [arb(x) for x in point]
            exact = function(operands[0], int(point[1])) if operation == "integer_power" else function(*operands)
            gap = arb(value) - exact
            if gap.is_finite():
                found[k] = float(gap.abs_upper()) / math.ulp(float(exact.mid()))
    return found


def measure(operation: str, *, count: int = 60_000, rounds: int = 4, seed: int = 1) -> Measurement:
    """Find the largest error of an operation: at random, then among the neighbours of the worst inputs."""
    arguments = samples(operation, count, seed)
    errors = errors_in_ulps(operation, arguments)
    best = _worst(operation, arguments, errors)
    random = np.random.default_rng(seed)
    total = errors.size
    for level in range(rounds):
        worst = np.argsort(errors)[-200:]
        spread = 2.0 ** -(8 + 10 * level)
        seeds = [np.repeat(argument[worst], 20) for argument in arguments]
        seeds[0] = seeds[0] * (1 + spread * random.uniform(-1, 1, seeds[0].size))
        if operation in ("acosh", "asin", "acos", "atanh"):
            low, high = (1.0, np.inf) if operation == "acosh" else (-1.0, 1.0)
            seeds[0] = np.clip(seeds[0], np.nextafter(low, 2.0), np.nextafter(high, 0.0))
        errors = errors_in_ulps(operation, seeds)
        arguments, total = seeds, total + errors.size
        best = max(best, _worst(operation, arguments, errors), key=lambda m: m.ulps)
    return Measurement(operation, best.ulps, best.worst, total)


def _worst(operation: str, arguments: Sequence[Floats], errors: Floats) -> Measurement:
    k = int(np.argmax(errors))
    return Measurement(operation, float(errors[k]), tuple(float(a[k]) for a in arguments), errors.size)


def _main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(build())
    for operation in MEASURED:
        found = measure(operation, seed=seed)
        print(f"{operation:14} {found.ulps:8.4f}  {tuple(map(float.hex, found.worst))}", flush=True)


if __name__ == "__main__":
    _main()
