"""The floating-point side of a stencil: its abscissae, weighted sum and divisor, in the dtype of what comes in."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from diffcompare.numeric.stencils import Stencil

__all__ = ["abscissa", "divisor", "weighted_sum"]


def abscissa(x: Any, offset: Fraction, h: Any) -> Any:
    """Return fl(x + fl(o·h)), where the offset o is rounded to a float first if it is none."""
    if offset == 0:
        return x
    if abs(offset) == 1:
        return x + h if offset > 0 else x - h
    return x + rounded(offset, h) * h


def rounded(value: Fraction, like: Any) -> Any:
    """Return a rational number in the dtype of an array: its numerator divided by its denominator there."""
    kind = like.dtype.type
    return kind(value.numerator) if value.denominator == 1 else kind(value.numerator) / kind(value.denominator)


def weighted_sum(stencil: Stencil, values: Mapping[Fraction, Any], h: Any) -> Any:
    """Return s = Σ w_j·f(x + o_j·h), from left to right, the largest offset first."""
    total: Any = None
    for offset, factor in zip(stencil.offsets, stencil.factors, strict=True):
        value = values[offset]
        if factor == -1 and total is not None:
            total = total - value
            continue
        product = value if factor == 1 else -value if factor == -1 else rounded(factor, h) * value
        total = product if total is None else total + product
    return total


def divisor(stencil: Stencil, h: Any) -> Any:
    """Return fl(d·h^q), one product after another."""
    result = h if stencil.divisor == 1 else h.dtype.type(stencil.divisor) * h
    for _ in range(stencil.derivative - 1):
        result = result * h
    return result
