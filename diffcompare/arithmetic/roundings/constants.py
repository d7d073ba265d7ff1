"""How far NumPy's elementary functions are from the exact value, in ulps: measured, with a margin.

The maxima below were found by ``python -m diffcompare.arithmetic.roundings.measurement`` (two seeds, worst inputs
hunted) on the builds listed; the constant of an operation is 1.5 times its maximum plus 0.25. Operations that IEEE 754
rounds correctly have 0.5; what is exact has none. On a build that is not listed the functions in use are measured
again when they are first used, and the larger constant holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from diffcompare.arithmetic.roundings.measurement import build, measure
from diffcompare.program.dag import Node
from diffcompare.program.operations import Kind, named

__all__ = ["BUILDS", "MAXIMA", "WORST", "rounding_constants"]

# IEEE 754-2019, 5.4.1; NumPy computes x**2 as x*x and x**-1 as 1/x
_CORRECTLY_ROUNDED, _EXACT = named(Kind.ROUNDED), named(Kind.EXACT)

# largest error in ulps of the exact value, over all builds
MAXIMA: Mapping[str, float] = {
    "cbrt": 3.1255,
    "exp": 0.7187,
    "exp2": 0.7211,
    "expm1": 0.8295,
    "log": 0.6137,
    "log2": 0.5285,
    "log10": 1.5801,
    "log1p": 0.7659,
    "sin": 0.5143,
    "cos": 0.5143,
    "tan": 0.5536,
    "asin": 0.8274,
    "acos": 0.8115,
    "atan": 0.5449,
    "sinh": 1.7789,
    "cosh": 1.0,
    "tanh": 2.1394,
    "asinh": 1.5581,
    "acosh": 2.0605,
    "atanh": 1.5969,
    "hypot": 0.5521,
    "atan2": 0.7732,
    "power": 0.7086,
    "integer_power": 0.673,
}

# where it was found
WORST: Mapping[str, tuple[str, ...]] = {
    "cbrt": ("-0x1.79c81efbdac1ap+2",),
    "exp": ("-0x1.0e93a400b85a0p-36",),
    "exp2": ("-0x1.500a7aa3f36f4p-50",),
    "expm1": ("0x1.62eace41c0344p-2",),
    "log": ("0x1.f355ea1046150p-1",),
    "log2": ("0x1.0cb029c9d2d2ep+0",),
    "log10": ("0x1.0048a812add90p+0",),
    "log1p": ("0x1.b61fe26b5389cp+0",),
    "sin": ("-0x1.887a1c2bd553bp+2",),
    "cos": ("0x1.3bdf4e7f9b7f0p+2",),
    "tan": ("0x1.d7f003b65a4eap-2",),
    "asin": ("-0x1.000137784a68fp-1",),
    "acos": ("0x1.fffffffffffaep-2",),
    "atan": ("-0x1.c3454f5039655p-4",),
    "sinh": ("-0x1.638a5577a6d08p-1",),
    "cosh": ("0x1.1449194bc01e2p+4",),
    "tanh": ("-0x1.dc037092eab87p-3",),
    "asinh": ("-0x1.f055f6bf74cb6p-3",),
    "acosh": ("0x1.007a0463166c3p+0",),
    "atanh": ("-0x1.c6e69b59b8b6ap-3",),
    "hypot": (
        "-0x1.70abb2e5fe742p+2",
        "0x1.62912a7568cb0p+2",
    ),
    "atan2": (
        "0x1.0033cf3de99f0p+1",
        "-0x1.fffe3fe0e3505p-1",
    ),
    "power": (
        "0x1.d0371209b3e9fp+3",
        "-0x1.22f0977e9c904p-17",
    ),
    "integer_power": (
        "0x1.33dab8bcf240fp+0",
        "0x1.c000000000000p+2",
    ),
}

BUILDS = frozenset(
    {
        "numpy 2.4.6 x86_64 X86_V3 X86_V4 AVX512_ICL glibc2.41",
        "numpy 2.4.6 x86_64 X86_V3 X86_V4 AVX512_ICL AVX512_SPR glibc2.41",
        "numpy 2.4.6 x86_64 X86_V3 glibc2.41",
        "numpy 2.4.6 x86_64 glibc2.41",
        "numpy 2.5.5 x86_64 X86_V3 X86_V4 AVX512_ICL glibc2.41",
        "numpy 2.5.5 x86_64 X86_V3 X86_V4 AVX512_ICL AVX512_SPR glibc2.41",
        "numpy 2.5.5 x86_64 X86_V3 glibc2.41",
        "numpy 2.5.5 x86_64 glibc2.41",
    }
)


def rounding_constants(node: Node) -> tuple[float, float]:
    """Return k and a: the computed value differs from the exact one by at most k·ulp + a (underflow apart)."""
    name = node.operation
    if name in _EXACT or (name == "integer_power" and node.payload in (0, 1)):
        return 0.0, 0.0
    if name in _CORRECTLY_ROUNDED or (name == "integer_power" and node.payload in (2, -1)):
        return 0.5, 0.0
    return _measured(name), 0.0


@cache
def _measured(operation: str) -> float:
    largest = MAXIMA[operation]
    if build() not in BUILDS:
        largest = max(largest, measure(operation, count=4000, rounds=2).ulps)
    return 1.5 * largest + 0.25
