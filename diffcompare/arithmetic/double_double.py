"""Numbers as the unevaluated sum of two floats, |low| ≤ ½ulp(high): some 106 bits, for whole arrays at once.

Where nothing over- or underflows each function here returns its result to within ``ROUNDOFF`` times its size.

References
----------
M. Joldes, J.-M. Muller, V. Popescu, Tight and rigorous error bounds for basic building blocks of double-word
arithmetic, ACM TOMS 44 (2017): algorithms 6 (3u² + 13u³, u = 2⁻⁵³) and 10 (7u²); T. J. Dekker, Numer. Math. 18 (1971).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from flint import arb

from diffcompare.arithmetic.balls import above

__all__ = [
    "ROUNDOFF",
    "Pair",
    "add",
    "divide",
    "floats_of",
    "multiply",
    "negative",
    "rounded",
    "two_product",
    "two_sum",
]

Pair = tuple[Any, Any]

# above 7u², and above what a division and its sums lose
ROUNDOFF = 2.0**-101


def two_sum(a: Any, b: Any) -> tuple[Any, Any]:
    """Return fl(a + b) and its error, a float: the sum is exact (D. E. Knuth, TAOCP 2, 4.2.2, Theorem B)."""
    total = a + b
    virtual = total - a
    return total, (a - (total - virtual)) + (b - virtual)


def two_product(a: Any, b: Any) -> tuple[Any, Any]:
    """Return fl(a·b) and its error, a float unless something over- or underflows (T. J. Dekker 1971)."""

    def split(x: Any) -> tuple[Any, Any]:
        scaled = 134217729.0 * x  # 2^27 + 1
        high = scaled - (scaled - x)
        return high, x - high

    product = a * b
    (a1, a2), (b1, b2) = split(a), split(b)
    return product, a2 * b2 - (((product - a1 * b1) - a2 * b1) - a1 * b2)


def add(a: Pair, b: Pair) -> Pair:
    """Return a + b."""
    high, lost = two_sum(a[0], b[0])
    low, less = two_sum(a[1], b[1])
    high, low = _normal(high, lost + low)
    return _normal(high, less + low)


def negative(a: Pair) -> Pair:
    """Return −a, exactly."""
    return -a[0], -a[1]


def multiply(a: Pair, b: Pair) -> Pair:
    """Return a·b."""
    high, low = two_product(a[0], b[0])
    return _normal(high, low + (a[0] * b[1] + a[1] * b[0]))


def divide(a: Pair, b: Pair) -> Pair:
    """Return a/b: the quotient of the floats, put right by what remains."""
    quotient = a[0] / b[0]
    rest = add(a, negative(multiply((quotient, 0.0 * quotient), b)))
    return _normal(quotient, rest[0] / b[0])


def rounded(number: Pair, doubt: Any) -> tuple[Any, Any]:
    """Return high + low, and tell where another number within the doubt rounds otherwise.

    A. Ziv, Fast evaluation of elementary mathematical functions with correctly rounded last bit, ACM TOMS 17 (1991).
    """
    high, low = number
    # one float further on either side: a doubt that is too small to move a tie still decides it
    lower, upper = np.nextafter(low - doubt, -np.inf), np.nextafter(low + doubt, np.inf)
    return high + low, (doubt > 0) & ((high + lower) != (high + upper))


def _normal(high: Any, low: Any) -> Pair:
    total = high + low
    return total, low - (total - high)


def floats_of(value: arb, exponent: int, count: int) -> list[float]:
    """Return value·2^exponent as the sum of some floats, followed by a bound on what they leave, all finite.

    ``OverflowError`` where they are not. Call it at the precision at which the ball was computed.
    """
    rest = value * arb((1, exponent))
    found = []
    for _ in range(count):
        found.append(float(rest.mid()))
        rest = rest - found[-1]
    found.append(above(rest))
    if not math.isfinite(sum(found)):
        raise OverflowError(f"{value} * 2**{exponent} is no finite float")
    return found
