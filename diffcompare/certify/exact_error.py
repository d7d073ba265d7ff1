"""The error of a float against an exact number that is known as value + tail ± slack, correctly rounded."""

from __future__ import annotations

import numpy as np

from diffcompare.arithmetic.double_double import rounded, two_product, two_sum
from diffcompare.floats import Flags, Floats

__all__ = ["difference", "ratio"]

Triple = tuple[Floats, Floats, Floats]

# products of numbers within these bounds have exact residuals
_SAFE_LOW, _SAFE_HIGH = 2.0**-400, 2.0**400


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
        doubt = slack + np.where((residual == 0) | (tail == 0), 0.0, np.abs(residual - tail) * 2.0**-52)
        error, unsure = rounded((total, lost), doubt)
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
        result, unsure = rounded((quotient, correction), spread)
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
