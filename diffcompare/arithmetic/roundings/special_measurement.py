"""Measure the rounding errors of SciPy's special functions against balls, hunting the worst inputs.

    python -m diffcompare.arithmetic.roundings.special_measurement

prints, for the SciPy that runs it, k and a of each function: |computed − exact| ≤ k·ulp + a at every argument that was
tried in the range given. A function that goes through 0 has a poor relative accuracy there, so k is taken where the
exact value is at least ½ in size and a covers what exceeds k·ulp elsewhere.
"""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball, precision
from diffcompare.floats import Floats
from diffcompare.program.scipy_functions import scipy_function, scipy_version

__all__ = ["RANGES", "Range", "SpecialMeasurement", "errors", "measure_special", "scipy_build"]


# where a function goes through 0, its relative accuracy counts from this size on
_LARGE = 0.5


@dataclass(frozen=True, slots=True)
class Range:
    """Where a function is measured: its range, numbers of interest, and whether it goes through 0 inside."""

    low: float
    high: float
    near: tuple[float, ...] = (1.0,)
    zeros: bool = False


_TINY = 1e-290
_INTEGERS = tuple(float(k) for k in range(-30, 12))
_J0, _J1 = (2.404825557695773, 5.520078110286311, 8.653727912911013), (3.831705970207512, 7.015586669815619)
_Y0, _Y1 = (0.8935769662791675, 3.957678419314858), (2.1971413260310170, 5.429681040794135)
_AI, _BI = (-2.338107410459767, -4.08794944413097), (-1.173713222709128, -3.271093302836353)


def _pieces(*cuts: float, near: tuple[float, ...] = (1.0,), zeros: bool = False) -> tuple[Range, ...]:
    """Return the ranges between cuts; numbers of interest belong to all of them."""
    return tuple(Range(low, high, near, zeros) for low, high in pairwise(cuts))


_BESSEL = (-1000.0, -50.0, -8.0, 8.0, 50.0, 1000.0)
_HALF_BESSEL = (_TINY, 8.0, 50.0, 1000.0)
_AIRY = (-100.0, -20.0, 0.0)

# operation, and the parameter of those that have one; zeros: DLMF tables 9.9.1-2, 10.21
RANGES: Mapping[str, tuple[Range, ...]] = {
    "erf": _pieces(-1e300, 1e300, near=(0.5, 1.0, 6.0)),
    "erfc": _pieces(-30.0, 1.0, 6.0, 26.0, near=(0.5, 1.0, 8.0, 25.0)),
    "erfi": _pieces(-26.0, -5.0, 5.0, 26.0, near=(0.5, 1.0, 5.0, 25.0)),
    "erfinv": _pieces(-1.0, 1.0, near=(0.5, 0.75, 1.0)),
    "gamma": _pieces(-30.0, 0.0, 10.0, 171.0, near=(*_INTEGERS, 33.0, 143.0)),
    "loggamma": _pieces(_TINY, 8.0, 1e300, near=(1.0, 2.0, 7.0), zeros=True),
    "gammaln": _pieces(_TINY, 8.0, 1e300, near=(1.0, 2.0, 13.0), zeros=True),
    "digamma": _pieces(_TINY, 1e300, near=(1.4616321449683622, 1.0, 2.0, 10.0), zeros=True),
    "polygamma 1": _pieces(1e-140, 1e140, near=(1.0, 9.0)),
    "besselj 0": _pieces(*_BESSEL, near=(*_J0, 5.0, 8.0), zeros=True),
    "besselj 1": _pieces(*_BESSEL, near=(*_J1, 5.0, 8.0), zeros=True),
    "bessely 0": _pieces(*_HALF_BESSEL, near=(*_Y0, 5.0), zeros=True),
    "bessely 1": _pieces(*_HALF_BESSEL, near=(*_Y1, 5.0), zeros=True),
    "besseli 0": _pieces(-700.0, 700.0, near=(8.0, 699.0)),
    "besseli 1": _pieces(-700.0, 700.0, near=(8.0, 699.0)),
    "besselk 0": _pieces(_TINY, 650.0, near=(2.0, 649.0)),
    "besselk 1": _pieces(_TINY, 650.0, near=(2.0, 649.0)),
    "airyai": (*_pieces(*_AIRY, near=(*_AI, 2.09), zeros=True), *_pieces(0.0, 9.0, 100.0, near=(2.09, 8.3))),
    "airyaiprime": (*_pieces(*_AIRY, near=(1.01879297164747, 3.2482, 2.09), zeros=True), *_pieces(0.0, 9.0, 100.0)),
    "airybi": (*_pieces(*_AIRY, near=(*_BI, 2.09), zeros=True), *_pieces(0.0, 9.0, 100.0, near=(2.09, 8.3))),
    "airybiprime": (*_pieces(*_AIRY, near=(2.29443968, 4.0731551, 2.09), zeros=True), *_pieces(0.0, 9.0, 100.0)),
    "zeta": _pieces(1.0, 1000.0, near=(1.0, 2.0, 10.0, 50.0)),
    "lambertw": _pieces(-0.36, 1e300, near=(0.36, 1.0, math.e)),
    "lambertw_lower": _pieces(-0.36, -_TINY, near=(0.36, 0.1)),
    "elliptic_k": _pieces(-1e6, 1.0, near=(0.5, 1.0)),
    "elliptic_e": _pieces(-1e6, 1.0, near=(0.5, 1.0)),
    "Ei": (
        *_pieces(-700.0, 0.0, near=(1.0, 2.0, 40.0)),
        *_pieces(0.0, 2.0, 700.0, near=(0.37250741078136663, 1.0), zeros=True),
    ),
    "Si": _pieces(-1000.0, 1000.0, near=(4.0, 8.0)),
    "Ci": _pieces(_TINY, 8.0, 50.0, 1000.0, near=(0.6165054856207162, 3.384180422551186, 4.0), zeros=True),
    "expint 1": _pieces(_TINY, 650.0, near=(1.0, 2.0)),
    "fresnels": _pieces(-100.0, -6.0, 6.0, 100.0, near=(1.6, 36.0)),
    "fresnelc": _pieces(-100.0, -6.0, 6.0, 100.0, near=(1.6, 36.0)),
    "polylog 2": _pieces(-1e6, -1.0, 1.0, near=(0.5, 1.0, 1e-3), zeros=True),
}


@cache
def scipy_build() -> str:
    """Describe what decides how SciPy rounds here: version, processor, C library."""
    library = "".join(platform.libc_ver()) or platform.system()
    return f"scipy {scipy_version()} {platform.machine()} {library}"


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
