"""How far SciPy's special functions are from the exact value: measured, with a margin.

|computed − exact| ≤ k·ulp(exact) + a in the ranges listed: a function that goes through 0 has a poor relative accuracy
there, which a covers. The numbers were found by ``python -m diffcompare.arithmetic.roundings.special_measurement`` on
the builds listed; 1.5·k + 0.25 and 1.5·a are taken. On a build that is not listed the functions in use are measured
again when they are first used, and the larger constants hold. A function, an order or a range that is not listed has no
proven bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from diffcompare.arithmetic.roundings.constants import rounding_constants
from diffcompare.arithmetic.roundings.special_measurement import RANGES, measure_special, scipy_build
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import Kind, named

__all__ = ["SCIPY_BUILDS", "SPECIAL", "SPECIAL_MAXIMA", "Accuracy", "accuracy"]


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
            here = measure_special(key, piece, count=1500, rounds=1)
            ulps, absolute = max(ulps, here.ulps), max(absolute, here.absolute)
        found.append(Accuracy(limits.low, limits.high, 1.5 * ulps + 0.25, 1.5 * absolute))
    return tuple(found)
