"""The exact weights of finite differences, and the constants of their errors: everything is a rational number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

__all__ = ["difference_weights", "moment", "peano_bound"]

# a piece of the kernel is halved at most so often
_HALVINGS = 6


def difference_weights(offsets: Sequence[Fraction], derivative: int) -> list[Fraction]:
    """Return c_j such that Σ c_j·f(o_j) is a derivative at 0 of every polynomial f that the offsets determine.

    References
    ----------
    B. Fornberg, Generation of finite difference formulas on arbitrarily spaced grids, Math. Comp. 51 (1988): the
    recursion of section 2, here in fractions.

    Examples
    --------
    >>> [str(c) for c in difference_weights([Fraction(2), Fraction(1), Fraction(0)], 1)]
    ['-1/2', '2', '-3/2']
    """
    # table[j][k]: the weight of offset j for the derivative of order k, of the offsets seen so far
    table = [[Fraction(0)] * (derivative + 1) for _ in offsets]
    table[0][0] = Fraction(1)
    before = Fraction(1)
    for i in range(1, len(offsets)):
        new, last = offsets[i], offsets[i - 1]
        product = math.prod((new - other for other in offsets[:i]), start=Fraction(1))
        for k in range(min(i, derivative), -1, -1):
            lower = k * table[i - 1][k - 1] if k else Fraction(0)
            table[i][k] = before / product * (lower - last * table[i - 1][k])
        for j in range(i):
            for k in range(min(i, derivative), -1, -1):
                lower = k * table[j][k - 1] if k else Fraction(0)
                table[j][k] = (new * table[j][k] - lower) / (new - offsets[j])
        before = product
    return [row[derivative] for row in table]


def moment(offsets: Sequence[Fraction], weights: Sequence[Fraction], n: int) -> Fraction:
    """Return Σ c_j·o_jⁿ: what the formula makes of xⁿ, with h = 1 at 0."""
    return sum((c * o**n for c, o in zip(weights, offsets, strict=True)), Fraction(0))


def peano_bound(offsets: Sequence[Fraction], weights: Sequence[Fraction], derivative: int, order: int) -> Fraction:
    """Bound Peano's constant κ = ∫|K|: |T| ≤ κ·hᵖ·sup|F^(n)|, n = derivative + order.

    With L[g] = Σ c_j·g(o_j) − g^(q)(0), which is 0 for polynomials of degree < n, and N = n − 1,

        L[g] = ∫ K(t)·g^(n)(t) dt,   N!·K(t) = Σ c_j·max(o_j − t, 0)^N − N!/(N − q)!·max(−t, 0)^(N − q).

    K is a polynomial between two offsets. Where its Bernstein coefficients have one sign, their mean times the length
    is ∫|K|; where they have not, the interval is halved, and the mean of their sizes is a bound in the end. So the
    constant is exact for a kernel of one sign, as that of forward and central differences, and 1.0… times it else.

    References
    ----------
    DLMF 3.3.12 (Peano's form of the error); G. Farin, Curves and Surfaces for CAGD (2002), chapters 4 and 6 (Bernstein
    coefficients: blossoms, integrals, subdivision).
    """
    size = derivative + order - 1
    knots = sorted({*offsets, Fraction(0)})
    total = Fraction(0)
    for a, b in pairwise(knots):
        coefficients = [Fraction(0)] * (size + 1)
        for o, c in zip(offsets, weights, strict=True):
            if o >= b:
                for k in range(size + 1):
                    coefficients[k] += c * (o - a) ** (size - k) * (o - b) ** k
        if b <= 0:
            scale = Fraction(math.factorial(size), math.factorial(order - 1))
            lower = [(-a) ** (order - 1 - k) * (-b) ** k for k in range(order)]
            for k, value in enumerate(_elevated(lower, size)):
                coefficients[k] -= scale * value
        total += (b - a) * _mean_of_sizes(coefficients, _HALVINGS)
    return total / math.factorial(size)


def _elevated(coefficients: list[Fraction], degree: int) -> list[Fraction]:
    """Write a Bernstein polynomial in a higher degree."""
    while len(coefficients) <= degree:
        n = len(coefficients)
        inner = [Fraction(k, n) * coefficients[k - 1] + Fraction(n - k, n) * coefficients[k] for k in range(1, n)]
        coefficients = [coefficients[0], *inner, coefficients[-1]]
    return coefficients


def _mean_of_sizes(coefficients: list[Fraction], halvings: int) -> Fraction:
    """Bound the mean of |polynomial| over its interval."""
    one_sign = min(coefficients) >= 0 or max(coefficients) <= 0
    if one_sign or not halvings:
        return sum((abs(c) for c in coefficients), Fraction(0)) / len(coefficients)
    left, right, row = [], [], coefficients
    while row:
        left.append(row[0])
        right.append(row[-1])
        row = [(u + v) / 2 for u, v in pairwise(row)]
    return (_mean_of_sizes(left, halvings - 1) + _mean_of_sizes(right[::-1], halvings - 1)) / 2
