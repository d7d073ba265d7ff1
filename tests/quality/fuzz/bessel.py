"""Bessel functions in many digits, as the truth takes them: real and quick for whole orders too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import mpmath
import scipy.special as sc
from mpmath import mp, mpf

from .reals import NAN

__all__ = ["ORDERS", "Function"]


class Function(NamedTuple):
    """A real function: value, ``partials(y, *operands)``, floats, and where it is not analytic."""

    value: Callable[..., Any]
    partials: Callable[..., tuple[Any, ...]]
    floats: Callable[..., Any]
    edge: Callable[..., bool] | None = None


def _bessel(
    value: Any, floats: Any, below: int, above: int, nu: Any, *, positive: bool, whole: bool = False
) -> Function:
    def at(order: Any, x: Any) -> Any:
        if x > 0 or (not positive and nu == int(nu)):
            return value(order, x)
        return (mpf(0) if nu > 0 else NAN) if x == 0 and not positive else NAN

    def partials(y: Any, x: Any) -> tuple[Any]:
        if x:
            # by the recurrence of three orders: a value that is known saves the third one
            return (below * value(mpf(nu) - 1, x) - mpf(nu) * y / x,)
        return ((below * value(mpf(nu) - 1, x) + above * value(mpf(nu) + 1, x)) / 2,)

    def edge(x: Any) -> bool:
        return bool(x <= 0 and (positive or nu != int(nu)))

    return Function(lambda x: at(mpf(nu), x), partials, lambda x: floats(nu, x), edge)


def _second_kind(n: int, x: Any, *, modified: bool) -> Any:
    """Return Y_n or K_n of a whole order by its series, DLMF 10.8.1 and 10.31.1: mpmath's limits take seconds."""
    with mp.extradps(int(2 * x if modified else x) // 2 + 20):
        half = x / 2
        log = mpmath.log(half)
        first = sum(
            (mpf((-1) ** k if modified else 1) * mpmath.factorial(n - k - 1) / mpmath.factorial(k) * half ** (2 * k - n)
             for k in range(n)), mpf(0)
        )  # fmt: skip
        # the sums in whole multiples of 2**-bits of their first term: much faster than mpf
        bits = mp.prec + 20
        square = int(mpmath.ldexp(half * half if modified else -half * half, bits))
        psi = int(mpmath.ldexp(-2 * mp.euler + sum((mpf(1) / k for k in range(1, n + 1)), mpf(0)), bits))
        term, whole, weighted, k = 1 << bits, 0, 0, 0
        while term not in (0, -1):
            whole, weighted = whole + term, weighted + (psi * term >> bits)
            k += 1
            term = (term * square >> bits) // (k * (n + k))
            psi += (1 << bits) // k + (1 << bits) // (n + k)
        first_term = half**n / mpmath.factorial(n)
        same, sums = (first_term * mpmath.ldexp(mpf(v), -bits) for v in (whole, weighted))
        if modified:
            sign = (-1) ** n
            return first / 2 - sign * log * same + sign * sums / 2
        return (2 * log * same - first - sums) / mp.pi


def _of_second_kind(plain: Callable[..., Any], *, modified: bool) -> Callable[[Any, Any], Any]:
    def value(order: Any, x: Any) -> Any:
        n = abs(int(order))
        if order != int(order) or x > 60:
            return plain(order, x)
        sign = -1 if order < 0 and n % 2 and not modified else 1
        return sign * _second_kind(n, x, modified=modified)

    return value


def _of_first_kind(plain: Callable[..., Any], *, modified: bool) -> Callable[[Any, Any], Any]:
    """Return J or I: of a whole order by symmetry from positive orders and arguments, where mpmath stays real."""

    def value(order: Any, x: Any) -> Any:
        n = int(order)
        if order != n:
            return plain(order, x)
        sign = (-1 if n < 0 and n % 2 and not modified else 1) * (-1 if x < 0 and n % 2 else 1)
        return sign * plain(abs(n), abs(x))

    return value


def _orders() -> dict[str, Callable[[Any], Function]]:
    def kind(value: Any, floats: Any, below: int, above: int, *, positive: bool) -> Callable[[Any], Function]:
        return lambda nu: _bessel(value, floats, below, above, nu, positive=positive)

    return {
        "jv": kind(_of_first_kind(mpmath.besselj, modified=False), sc.jv, 1, -1, positive=False),
        "yv": kind(_of_second_kind(mpmath.bessely, modified=False), sc.yv, 1, -1, positive=True),
        "iv": kind(_of_first_kind(mpmath.besseli, modified=True), sc.iv, 1, 1, positive=False),
        "kv": kind(_of_second_kind(mpmath.besselk, modified=True), sc.kv, -1, -1, positive=True),
    }


ORDERS: Mapping[str, Callable[[Any], Function]] = _orders()
