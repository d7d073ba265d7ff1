"""The error of a float against an exact number that is known as value + tail ± slack, correctly rounded."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcompare.floats import Flags, Floats

__all__ = ["difference", "ratio", "two_product", "two_sum"]

Triple = tuple[Floats, Floats, Floats]

# products of numbers within these bounds have exact residuals
_SAFE_LOW, _SAFE_HIGH = 2.0**-400, 2.0**400


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


def _round(head: Any, rest: Any, doubt: Any) -> tuple[Any, Flags]:
    """Round head + rest, and tell where a change of rest by doubt would round otherwise."""
    result = head + rest
    # one float further on either side: a doubt that is too small to move a tie still decides it
    lower, upper = np.nextafter(rest - doubt, -np.inf), np.nextafter(rest + doubt, np.inf)
    return result, (doubt > 0) & ((head + lower) != (head + upper))


def difference(numeric: Floats, exact: Triple) -> tuple[Floats, Floats, Floats, Flags]:
    """Subtract an exact number from a float, correctly rounded.

    Parameters
    ----------
    numeric : ndarray of float64
    exact : (value, tail, slack), broadcasting with numeric
        The number is value + tail, to within slack.

    Returns
    -------
    error : ndarray
        numeric − exact, rounded to nearest, except where ``unsure``.
    rest, doubt : ndarray
        The exact difference is error + rest, to within doubt.
    unsure : ndarray of bool
        Rounding is not decided by what is known.

    References
    ----------
    D. E. Knuth, The Art of Computer Programming 2, 4.2.2 (TwoSum); A. Ziv, ACM TOMS 17 (1991) (the rounding test).
    """
    value, tail, slack = exact
    with np.errstate(all="ignore"):
        total, residual = two_sum(numeric, -value)
        total, lost = two_sum(total, residual - tail)
        # the only rounded sum is residual − tail; where one of them is 0 nothing is lost
        rounded = np.where((residual == 0) | (tail == 0), 0.0, np.abs(residual - tail) * 2.0**-52)
        doubt = slack + rounded
        error, unsure = _round(total, lost, doubt)
        # what overflows is left to exact means
        unsure |= ~np.isfinite(total) & np.isfinite(numeric) & np.isfinite(value)
        rest = lost - (error - total)
    return error, rest, doubt, unsure


def ratio(error: Floats, rest: Floats, doubt: Floats, exact: Triple) -> tuple[Floats, Flags]:
    """Divide |error + rest ± doubt| by |value + tail ± slack|, correctly rounded except where told unsure.

    References
    ----------
    T. J. Dekker, A floating-point technique for extending the available precision, Numer. Math. 18 (1971).
    """
    value, tail, slack = exact
    with np.errstate(all="ignore"):
        sign = np.where((error < 0) | ((error == 0) & (rest < 0)), -1.0, 1.0)
        top, top_rest = np.abs(error), rest * sign
        bottom, bottom_rest = np.abs(value), tail * np.where(value < 0, -1.0, 1.0)
        quotient = top / bottom
        product, residual = two_product(quotient, bottom)
        remainder = ((top - product) - residual) + (top_rest - quotient * bottom_rest)
        correction = remainder / bottom
        exact_quotient = (remainder == 0) & (doubt == 0) & (slack == 0) & (tail == 0) & (rest == 0)
        lost = (np.abs(top_rest) + np.abs(quotient * bottom_rest) + np.abs(remainder)) * 2.0**-50
        spread = np.where(exact_quotient, 0.0, (doubt + quotient * slack * 2 + lost) / bottom + quotient * 2.0**-100)
        result, unsure = _round(quotient, correction, spread)
        safe = (bottom > _SAFE_LOW) & (bottom < _SAFE_HIGH) & (top < _SAFE_HIGH)
        safe &= (top == 0) | (top > _SAFE_LOW)
        unsure |= ~safe & (top != 0)
        zero = (top == 0) & (top_rest == 0) & (doubt == 0)
        result = np.where(zero, 0.0, result)
        unsure &= ~zero
        vanishing = bottom == 0
        result = np.where(vanishing, np.where(zero, 0.0, np.inf), result)
        unsure &= ~(vanishing & (slack == 0) & (tail == 0))
    return result, unsure
