"""Measure the rounding errors of SciPy's special functions against balls, hunting the worst inputs.

    python -m diffcompare.arithmetic.roundings.special_measurement

prints, for the SciPy that runs it, k and a of each function: |computed − exact| ≤ k·ulp + a at every argument that was
tried in the range given. A function that goes through 0 has a poor relative accuracy there, so k is taken where the
exact value is at least ½ in size and a covers what exceeds k·ulp elsewhere.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, precision
from diffcompare.arithmetic.roundings.special_constants import RANGES, Range, scipy_build
from diffcompare.program.scipy_functions import scipy_function

__all__ = ["SpecialMeasurement", "errors", "measure_special"]

Floats = NDArray[np.float64]

# where a function goes through 0, its relative accuracy counts from this size on
_LARGE = 0.5


@dataclass(frozen=True, slots=True)
class SpecialMeasurement:
    """What was found of one function: k, a, and the inputs that decide them."""

    ulps: float
    absolute: float
    worst: tuple[float, float]
    count: int


def _split(key: str) -> tuple[str, Fraction | None]:
    operation, _, parameter = key.partition(" ")
    return operation, Fraction(parameter) if parameter else None


def _samples(limits: Range, count: int, random: np.random.Generator) -> Floats:
    """Draw magnitudes, a flat part, and neighbourhoods of the numbers of interest, all inside the range."""
    largest = min(max(abs(limits.low), abs(limits.high)), 1e300)
    smallest = min(largest, 1.0) * 2.0**-60 if limits.low < 0 < limits.high else max(abs(limits.low), 1e-290)
    if limits.high < 0:
        smallest = -limits.high
    sizes = np.exp2(random.uniform(math.log2(smallest), math.log2(largest), count))
    flat, whole = (_between(limits, reach, random, count) for reach in (40.0, 1000.0))
    distance = np.exp2(random.uniform(-52, -2, count)) * random.choice([-1.0, 1.0], count)
    near = random.choice(np.array(limits.near), count) * (1 + distance)
    drawn = np.concatenate([sizes, flat, whole, near])
    drawn = np.concatenate([drawn, -drawn])
    drawn = random.permutation(drawn[(drawn > limits.low) & (drawn < limits.high) & (drawn != 0)])
    return np.asarray(drawn[:count])


def _between(limits: Range, reach: float, random: np.random.Generator, count: int) -> Floats:
    low, high = (min(max(end, -reach), reach) for end in (limits.low, limits.high))
    return random.uniform(low, high, count)


def errors(key: str, x: Floats) -> tuple[Floats, Floats]:
    """Return |computed − exact| and |exact|; 0 and 1 where the result is not a normal finite number."""
    operation, parameter = _split(key)
    parameters = [] if parameter is None else [float(parameter)]
    function = scipy_function(operation)
    if function is None:
        raise KeyError(key)
    with np.errstate(all="ignore"):
        computed = np.asarray(function(*parameters, x), dtype=np.float64)
    gaps, sizes = np.zeros(x.size), np.ones(x.size)
    for k, (point, value) in enumerate(zip(x.tolist(), computed.tolist(), strict=True)):
        if 1e-290 < abs(value) < 1e300:
            gaps[k], sizes[k] = _error(operation, parameters, point, value)
    return gaps, sizes


def _error(operation: str, parameters: list[float], point: float, value: float) -> tuple[float, float]:
    for bits in (128, 512, 2048):
        with precision(bits):
            exact: Any = BALL_OPERATIONS[operation](*map(ball, parameters), ball(point))
            gap = value - exact
            size = abs(float(exact.mid()))
            # an enclosure that is wide against an ulp says nothing of the error
            if gap.is_finite() and size and float(exact.rad()) < 2.0**-10 * math.ulp(size):
                return float(gap.abs_upper()), size
    return 0.0, 1.0


def measure_special(key: str, piece: int, *, count: int = 12_000, rounds: int = 4, seed: int = 1) -> SpecialMeasurement:
    """Find k and a of a function in one of its ranges: at random, then among the neighbours of the worst inputs."""
    limits = RANGES[key][piece]
    random = np.random.default_rng([seed, piece, *key.encode()])
    x = _samples(limits, count, random)
    gaps, sizes = errors(key, x)
    total = [(x, gaps, sizes)]
    for level in range(rounds):
        ulps, by_size = gaps / np.spacing(sizes), gaps
        large = sizes >= _LARGE
        chosen = np.unique(
            np.concatenate(
                [np.argsort(np.where(large, ulps, 0))[-60:], np.argsort(np.where(large, 0, by_size))[-60:]]
                if limits.zeros
                else [np.argsort(ulps)[-120:]]
            )
        )
        spread = 2.0 ** -(8 + 10 * level)
        seeds = np.repeat(x[chosen], 20)
        seeds = seeds * (1 + spread * random.uniform(-1, 1, seeds.size))
        x = seeds[(seeds > limits.low) & (seeds < limits.high)]
        gaps, sizes = errors(key, x)
        total.append((x, gaps, sizes))
    x, gaps, sizes = (np.concatenate(column) for column in zip(*total, strict=True))
    units = np.spacing(sizes)
    ulps = gaps / units
    if limits.zeros:
        ulps = np.where(sizes >= _LARGE, ulps, 0.0)
    k = int(np.argmax(ulps))
    rest = np.maximum(gaps - ulps[k] * units, 0.0) if limits.zeros else np.zeros(x.size)
    a = int(np.argmax(rest))
    return SpecialMeasurement(float(ulps[k]), float(rest[a]), (float(x[k]), float(x[a])), x.size)


def _main() -> None:
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    print(scipy_build())
    for key, pieces in RANGES.items():
        if sys.argv[2:] and key not in sys.argv[2:]:
            continue
        for piece, limits in enumerate(pieces):
            found = measure_special(key, piece, seed=seed)
            shown = f"{found.ulps:10.4f} {found.absolute:.4e}  {tuple(map(float.hex, found.worst))}"
            print(f"{key:16} {limits.low:8.3g} {limits.high:8.3g} {shown}", flush=True)


if __name__ == "__main__":
    _main()
