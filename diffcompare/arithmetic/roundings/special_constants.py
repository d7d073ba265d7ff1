"""How far SciPy's special functions are from the exact value: measured, with a margin.

|computed − exact| ≤ k·ulp(exact) + a in the ranges listed: a function that goes through 0 has a poor relative accuracy
there, which a covers. The numbers were found by ``python -m diffcompare.arithmetic.roundings.special_measurement`` on
the builds listed; 1.5·k + 0.25 and 1.5·a are taken. On a build that is not listed the functions in use are measured
again when they are first used, and the larger constants hold. A function, an order or a range that is not listed has no
proven bound.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise

from diffcompare.arithmetic.roundings.constants import rounding_constants
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import Kind, named
from diffcompare.program.scipy_functions import scipy_version

__all__ = ["RANGES", "SCIPY_BUILDS", "SPECIAL", "SPECIAL_MAXIMA", "Accuracy", "Range", "accuracy", "scipy_build"]


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


# k and a of each range, the largest of all builds
SPECIAL_MAXIMA: Mapping[str, tuple[tuple[float, float], ...]] = {
    "erf": ((2.703, 0.0),),
    "erfc": (
        (10.82, 0.0),
        (35.73, 0.0),
        (512.4, 0.0),
    ),
    "erfi": (
        (520.7, 0.0),
        (122.4, 0.0),
        (520.4, 0.0),
    ),
    "erfinv": ((2.94, 0.0),),
    "gamma": (
        (8.876, 0.0),
        (5.031, 0.0),
        (10.22, 0.0),
    ),
    "loggamma": (
        (3.101, 4.69e-16),
        (3.112, 0.0),
    ),
    "gammaln": (
        (3.094, 4.6e-16),
        (3.006, 0.0),
    ),
    "digamma": ((2.933, 2.48e-17),),
    "polygamma 1": ((5.255, 0.0),),
    "besselj 0": (
        (0.0, 1.29e-15),
        (0.0, 3.79e-16),
        (4.271, 9.32e-17),
        (0.0, 3.76e-16),
        (0.0, 1.29e-15),
    ),
    "besselj 1": (
        (0.0, 1.01e-15),
        (0.0, 2.69e-16),
        (2.694, 9.15e-17),
        (0.0, 2.72e-16),
        (0.0, 1.01e-15),
    ),
    "bessely 0": (
        (4.092, 1.3e-15),
        (0.0, 3.67e-16),
        (0.0, 1.28e-15),
    ),
    "bessely 1": (
        (2.645, 1.1e-15),
        (0.0, 2.64e-16),
        (0.0, 1.01e-15),
    ),
    "besseli 0": ((4.648, 0.0),),
    "besseli 1": ((17.0, 0.0),),
    "besselk 0": ((11.57, 0.0),),
    "besselk 1": ((8.45, 0.0),),
    "airyai": (
        (0.0, 2.99e-14),
        (2.785, 8.23e-15),
        (406.8, 0.0),
        (1489.0, 0.0),
    ),
    "airyaiprime": (
        (2599.0, 2.99e-13),
        (138.2, 1.55e-14),
        (217.5, 0.0),
        (1627.0, 0.0),
    ),
    "airybi": (
        (0.0, 3.02e-14),
        (2.843, 6.27e-15),
        (32.78, 0.0),
        (1468.0, 0.0),
    ),
    "airybiprime": (
        (2603.0, 2.88e-13),
        (274.7, 6.88e-14),
        (32.15, 0.0),
        (1459.0, 0.0),
    ),
    "zeta": ((8.01, 0.0),),
    "lambertw": ((5.406, 0.0),),
    "lambertw_lower": ((4.584, 0.0),),
    "elliptic_k": ((3.03, 0.0),),
    "elliptic_e": ((3.841, 0.0),),
    "Ei": (
        (22.21, 0.0),
        (6.357, 2.96e-16),
        (210.4, 0.0),
    ),
    "Si": ((4.206, 0.0),),
    "Ci": (
        (1.958, 9.5e-16),
        (0.0, 8.09e-17),
        (0.0, 9.43e-18),
    ),
    "expint 1": ((24.68, 0.0),),
    "fresnels": (
        (90.23, 0.0),
        (6.033, 0.0),
        (89.66, 0.0),
    ),
    "fresnelc": (
        (89.6, 0.0),
        (5.895, 0.0),
        (90.16, 0.0),
    ),
    "polylog 2": (
        (27.38, 0.0),
        (23.86, 1.12e-16),
    ),
}

SCIPY_BUILDS = frozenset({"scipy 1.17.1 x86_64 glibc2.41", "scipy 1.18.1 x86_64 glibc2.41"})

# the operations that this module knows about, bounded or not
SPECIAL = named(Kind.SPECIAL)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The bound k·ulp + a, for operands from ``low`` to ``high``."""

    low: float
    high: float
    ulps: float
    absolute: float


@cache
def scipy_build() -> str:
    """Describe what decides how SciPy rounds here: version, processor, C library."""
    library = "".join(platform.libc_ver()) or platform.system()
    return f"scipy {scipy_version()} {platform.machine()} {library}"


def accuracy(program: Program, node: Node) -> tuple[Accuracy, ...]:
    """Return the bounds on a special function's float value, by ascending ranges; empty where none is known."""
    if node.operation == "sinc":
        # sin x/x: the relative error of the sine is that of ulp(sin x), at most twice that of ulp(sinc x)
        sine, _ = rounding_constants(Node("sin", (0,)))
        return (Accuracy(-math.inf, math.inf, 2 * sine + 0.75, 0.0),)
    if node.payload is not None:
        return ()
    parameters = [program.nodes[i].payload for i in node.operands[:-1]]
    return _known(" ".join([node.operation, *(str(Fraction(p)) for p in parameters if p is not None)]))


@cache
def _known(key: str) -> tuple[Accuracy, ...]:
    found = []
    for piece, (limits, (ulps, absolute)) in enumerate(
        zip(RANGES.get(key, ()), SPECIAL_MAXIMA.get(key, ()), strict=True)
    ):
        if scipy_build() not in SCIPY_BUILDS:
            from diffcompare.arithmetic.roundings.special_measurement import measure_special

            here = measure_special(key, piece, count=1500, rounds=1)
            ulps, absolute = max(ulps, here.ulps), max(absolute, here.absolute)
        found.append(Accuracy(limits.low, limits.high, 1.5 * ulps + 0.25, 1.5 * absolute))
    return tuple(found)
