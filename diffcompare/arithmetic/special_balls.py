"""Special functions in ball arithmetic, and their Taylor coefficients at a ball.

FLINT encloses the functions; what is put together here are the real domains, derivatives of every order, and
ranges of monotone functions. Outside its domain a function is nan, also where FLINT continues it.

References
----------
F. Johansson, Computing hypergeometric functions rigorously, ACM Trans. Math. Softw. 45 (2019); DLMF 5.15 (polygamma),
10.6.1, 10.29.1, 10.51.2 (Bessel), 8.19.13 (E_n), 15.5.1 (derivatives of ₂F₁), 19.5.1-2 (elliptic integrals), 25.11.17
(Hurwitz), 25.12.10 (polylogarithm).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

import flint
from flint import acb, arb, arb_series, fmpq

__all__ = ["OUTSIDE", "SPECIAL_BALLS", "TAYLOR", "certainly_outside", "order_edge"]

Rule = Callable[..., arb]
# coefficients(length, x, *parameters): c₀ … of f(x + t) = Σ c_k·t^k
Coefficients = Callable[..., list[arb]]


def _exact(value: Fraction | int) -> arb:
    value = Fraction(value)
    return arb(fmpq(value.numerator, value.denominator))


_WHOLE = arb(2) ** 60_000


def _whole(value: arb) -> int | None:
    """Return the whole number that a ball is, None where it is none for certain."""
    # of a number with more digits nobody asks whether it is whole: 2**(10**9) fills 125 MB
    whole = value.unique_fmpz() if value.is_exact() and abs(value) < _WHOLE else None
    return None if whole is None else int(whole)


def _monotone(function: Rule) -> Rule:
    """Enclose a function of a parameter and x, monotone in x where it is positive, by the values at both ends."""

    def enclosed(parameter: arb, x: arb) -> arb:
        if x.is_exact() or not x > 0 or not parameter.is_exact():
            return function(parameter, x)
        return function(parameter, x.lower()).union(function(parameter, x.upper()))

    return enclosed


def _erfi(x: arb) -> arb:
    found = x.erfi()
    if found.is_nan() and x.is_finite():
        # flint has no value for arguments near 2^-62 at 53 bits
        before = flint.ctx.prec
        flint.ctx.prec = before + 64
        try:
            found = x.erfi()
        finally:
            flint.ctx.prec = before
    return found


# --- gamma functions ------------------------------------------------------------------------------------------------


def _series(length: int, function: Callable[[], arb_series]) -> list[arb]:
    """Return the first coefficients of a series, nan where flint refuses it."""
    before = flint.ctx.cap
    flint.ctx.cap = length
    try:
        found = function().coeffs()
    except (ValueError, ZeroDivisionError):
        found = [arb.nan()] * length
    finally:
        flint.ctx.cap = before
    return found + [arb(0)] * (length - len(found))


@_monotone
def _polygamma(n: arb, x: arb) -> arb:
    order = _whole(n)
    if order is None or order < 0 or x.is_nan():
        return arb.nan()
    if order == 0:
        return x.digamma()
    if not x < 0:
        return acb(x).polygamma(order).real
    # reflection, DLMF 5.15.6: flint steps from x to the right one by one
    cotangent = _series(order + 1, lambda: arb_series([x, 1]).cot_pi())[order] * arb(order).fac()
    reflected: arb = acb(1 - x).polygamma(order).real
    return (reflected if order % 2 == 0 else -reflected) - arb.pi() * cotangent


def _digamma(x: arb) -> arb:
    # increasing between its poles
    return x.digamma() if x.is_exact() or not x > 0 else x.lower().digamma().union(x.upper().digamma())


def _loggamma(x: arb) -> arb:
    return x.lgamma() if x > 0 else arb.nan()


def _gammaln(x: arb) -> arb:
    return x.lgamma() if x > 0 else abs(x.gamma()).log()


def _beta(a: arb, b: arb) -> arb:
    return a.gamma() * b.gamma() * (a + b).rgamma()


def _polygamma_taylor(length: int, x: arb, n: arb) -> list[arb]:
    return [_polygamma(n + k, x) / arb(k).fac() for k in range(length)]


def _digamma_taylor(length: int, x: arb) -> list[arb]:
    return _polygamma_taylor(length, x, arb(0))


def _gammaln_taylor(length: int, x: arb) -> list[arb]:
    return [_gammaln(x), *(c / (k + 1) for k, c in enumerate(_digamma_taylor(length - 1, x)))]


def _loggamma_taylor(length: int, x: arb) -> list[arb]:
    return _gammaln_taylor(length, x) if x > 0 else [arb.nan()] * length


@_monotone
def _gammainc(s: arb, x: arb) -> arb:
    return x.gamma_lower(s, regularized=1) if s > 0 and (x > 0 or x.is_zero()) else arb.nan()


@_monotone
def _gammaincc(s: arb, x: arb) -> arb:
    return x.gamma_upper(s, regularized=1) if s > 0 and (x > 0 or x.is_zero()) else arb.nan()


def _incomplete_taylor(length: int, x: arb, s: arb, sign: int, head: arb) -> list[arb]:
    if not x > 0:
        return [arb.nan()] * length
    u = arb_series([x, 1])
    density = (((s - 1) * u.log() - u) - s.lgamma()).exp().coeffs()
    density += [arb(0)] * (length - len(density))
    return [head, *(sign * c / (k + 1) for k, c in enumerate(density[: length - 1]))]


# --- Bessel functions: each derivative is a sum over neighbouring orders --------------------------------------------


def _along_the_line(n: arb, x: arb) -> bool:
    """Tell whether J or I of this order is real at x."""
    return x > 0 or _whole(n) is not None or (x.is_zero() and n > 0)


def order_edge(n: arb, x: arb) -> arb:
    """Return what is 0 where the domain of J or I ends: x, and for a whole order, which has no such edge, 1."""
    return arb(1) if _whole(n) is not None else x


def _besselj(n: arb, x: arb) -> arb:
    return x.bessel_j(n) if _along_the_line(n, x) else arb.nan()


def _besseli(n: arb, x: arb) -> arb:
    if not _along_the_line(n, x):
        return arb.nan()
    order = _whole(n)
    if order is not None and x < 0:
        mirrored = _increasing_besseli(n, -x)
        return -mirrored if order % 2 else mirrored
    return _increasing_besseli(n, x) if order is not None or n >= 0 else x.bessel_i(n)


@_monotone
def _increasing_besseli(n: arb, x: arb) -> arb:
    return x.bessel_i(n)


def _bessely(n: arb, x: arb) -> arb:
    return x.bessel_y(n) if x > 0 else arb.nan()


def _besselk(n: arb, x: arb) -> arb:
    if not x > 0:
        return arb.nan()
    before = flint.ctx.prec
    if x < before:
        # its series cancels 3x bits; where half of all is lost, flint integrates, which takes a hundred times as long
        lost = 3 * int(float(x.mid()) + 1)
        flint.ctx.prec = max(before + lost, 2 * lost) + 64
    try:
        found = x.bessel_k(n)
    finally:
        flint.ctx.prec = before
    return +found


def _ladder(function: Rule, below: int, above: int) -> Coefficients:
    """Return the coefficients of a family with f′_n = (below·f_{n−1} + above·f_{n+1})/2."""

    def coefficients(length: int, x: arb, n: arb) -> list[arb]:
        values = {j: function(n + j, x) for j in range(1 - length, length)}
        found = []
        for k in range(length):
            terms = (math.comb(k, j) * below ** (k - j) * above**j * values[2 * j - k] for j in range(k + 1))
            found.append(sum(terms, arb(0)) / (2**k * arb(k).fac()))
        return found

    return coefficients


def _sinc(x: arb) -> arb:
    # flint gives an interval for what is not a number
    return x if x.is_nan() else x.sinc()


def _spherical_jn(n: arb, x: arb) -> arb:
    """Return j_n(x) = xⁿ/(2n+1)!!·₀F₁(; n + 3/2; −x²/4), DLMF 10.53.1."""
    order = _whole(n)
    if order is None or order < 0:
        return arb.nan()
    if order == 0:
        return _sinc(x)
    power = arb(1)
    for _ in range(order):
        power = power * x
    # (2n+1)!! = (2n+1)!/(2ⁿ·n!)
    scale: arb = power * 2**order * arb(order).fac() / arb(2 * order + 1).fac()
    return scale * (-x * x / 4).hypgeom_0f1(n + arb(1.5))


def _spherical_taylor(length: int, x: arb, n: arb) -> list[arb]:
    # j_n′ = (n·j_{n−1} − (n+1)·j_{n+1})/(2n+1), and so on
    start = _whole(n)
    if start is None or start < 0:
        return [arb.nan()] * length
    values = {m: _spherical_jn(arb(m), x) for m in range(max(0, start - length), start + length)}
    weights = {start: Fraction(1)}
    found = []
    for k in range(length):
        total = sum((_exact(w) * values[m] for m, w in weights.items()), arb(0))
        found.append(total / arb(k).fac())
        following: dict[int, Fraction] = {}
        for m, w in weights.items():
            if m:
                following[m - 1] = following.get(m - 1, Fraction(0)) + w * Fraction(m, 2 * m + 1)
            following[m + 1] = following.get(m + 1, Fraction(0)) - w * Fraction(m + 1, 2 * m + 1)
        weights = following
    return found


# --- integrals ------------------------------------------------------------------------------------------------------


@_monotone
def _expint(n: arb, x: arb) -> arb:
    return x.expint(n) if x > 0 or (x.is_zero() and n > 1) else arb.nan()


def _expint_taylor(length: int, x: arb, n: arb) -> list[arb]:
    return [(-1) ** k * _expint(n - k, x) / arb(k).fac() for k in range(length)]


def _hypergeometric(a: Fraction, b: Fraction) -> Coefficients:
    """Return the coefficients of (π/2)·₂F₁(a, b; 1; m)."""

    def coefficients(length: int, m: arb) -> list[arb]:
        if not m < 1:
            return [arb.nan()] * length
        found, factor = [], arb.pi() / 2
        for k in range(length):
            found.append(factor * m.hypgeom_2f1(_exact(a + k), _exact(b + k), arb(1 + k)))
            factor = factor * _exact((a + k) * (b + k) / Fraction((1 + k) ** 2))
        return found

    return coefficients


_HALF = Fraction(1, 2)
_elliptic_k = _hypergeometric(_HALF, _HALF)
_elliptic_e = _hypergeometric(-_HALF, _HALF)


def _zeta_taylor(length: int, s: arb) -> list[arb]:
    if s > 1000 and s > 2 * flint.ctx.prec and length <= 100:
        # Σ (−log n)ᵏ·n⁻ˢ/k!: what follows n = 2 is below 2·(3/2)⁻ˢ·(log 3/log 2)ᵏ < 2^(85 − 0.58·s) of that term
        rest = arb(0).union(arb(2) ** -int(min(1e6, float(s.lower())) // 3))
        first = arb(2) ** -s * (1 + rest)
        return [int(k == 0) + first * (-arb(2).log()) ** k / arb(k).fac() for k in range(length)]
    if length == 1:
        return [s.zeta()]
    return _series(length, lambda: arb_series([s, 1]).zeta())


@_monotone
def _hurwitz_zeta(s: arb, a: arb) -> arb:
    return s.zeta(a) if a > 0 and s > 1 else arb.nan()


def _hurwitz_taylor(length: int, a: arb, s: arb) -> list[arb]:
    found, factor = [], arb(1)
    for k in range(length):
        found.append(factor * _hurwitz_zeta(s + k, a))
        factor = factor * -(s + k) / (k + 1)
    return found


def _polylog_taylor(length: int, z: arb, s: arb) -> list[arb]:
    """Return the coefficients of Li_s: k!·c_k = z⁻ᵏ·Σ_j S(k, j)·Li_{s−j}(z), S Stirling's numbers of the first kind.

    (z·d/dz Li_s = Li_{s−1}, DLMF 25.12.10.) Around 0, where that divides by 0: the power series, its tail bounded.
    """
    if not z < 1:
        return [arb.nan()] * length
    if abs(z) < 0.375:
        return [_polylog_series(k, z, s) for k in range(length)]
    values = [z.polylog(s - j) for j in range(length)]
    found, stirling = [], [1]
    for k in range(length):
        total = sum((weight * values[j] for j, weight in enumerate(stirling)), arb(0))
        found.append(total / (z**k * arb(k).fac()))
        stirling = [
            (stirling[j - 1] if j else 0) - k * (stirling[j] if j < len(stirling) else 0)
            for j in range(len(stirling) + 1)
        ]
    return found


def _polylog_series(k: int, z: arb, s: arb) -> arb:
    """Return Σ_{n ≥ max(k, 1)} C(n, k)·n⁻ˢ·zⁿ⁻ᵏ for |z| < 3/8."""
    first = max(k, 1)
    last = first + flint.ctx.prec + 8 * (k + 1 + abs(math.ceil(float(abs(s).upper()))))
    total, power = arb(0), arb(1)
    for n in range(first, last):
        if n > first or k == 0:
            power = power * z
        total = total + math.comb(n, k) * power * arb(n) ** -s
    # terms of n >= last fall by a factor (1 + k/(n+1−k))·(1 + 1/n)^|s|·|z| <= e^(1/8)·e^(1/8)·3/8 < 1/2
    following = math.comb(last, k) * abs(power * z) * arb(last) ** -s
    return total + arb(0, (2 * following).upper())


def _erfinv_taylor(length: int, x: arb) -> list[arb]:
    """Return the coefficients of y = erf⁻¹: y′ = √π/2·exp(y²) settles one more of them in every round."""
    head = x.erfinv()
    if not head.is_finite():
        return [arb.nan()] * length
    y = arb_series([head])
    for _ in range(length - 1):
        slope = (arb.pi().sqrt() / 2) * (y * y).exp()
        coefficients = slope.integral().coeffs()
        y = arb_series([head, *coefficients[1:length]])
    found = y.coeffs()[:length]
    return found + [arb(0)] * (length - len(found))


def _lambertw(x: arb) -> arb:
    return x.lambertw()


def _lambertw_lower(x: arb) -> arb:
    return x.lambertw(branch=-1) if x < 0 else arb.nan()


def _in_order(coefficients: Coefficients) -> Rule:
    """Return the k-th derivative from Taylor coefficients: rule(*parameters, x, k)."""

    def rule(*operands: arb | int) -> arb:
        *balls, last = operands
        order = last if isinstance(last, int) else 0
        *parameters, x = balls if isinstance(last, int) else [*balls, last]
        return coefficients(order + 1, x, *parameters)[order] * arb(order).fac()

    return rule


SPECIAL_BALLS: Mapping[str, Rule] = {
    "erf": arb.erf,
    "erfc": arb.erfc,
    "erfi": _erfi,
    "erfinv": arb.erfinv,
    "gamma": arb.gamma,
    "loggamma": _loggamma,
    "gammaln": _gammaln,
    "digamma": _digamma,
    "polygamma": _polygamma,
    "beta": _beta,
    "gammainc": _gammainc,
    "gammaincc": _gammaincc,
    "besselj": _besselj,
    "bessely": _bessely,
    "besseli": _besseli,
    "besselk": _monotone(_besselk),
    "spherical_jn": _spherical_jn,
    "sinc": _sinc,
    "airyai": arb.airy_ai,
    "airyaiprime": lambda x: x.airy_ai(derivative=1),
    "airybi": arb.airy_bi,
    "airybiprime": lambda x: x.airy_bi(derivative=1),
    "zeta": _in_order(_zeta_taylor),
    "hurwitz_zeta": _hurwitz_zeta,
    "polylog": _in_order(_polylog_taylor),
    "lambertw": _lambertw,
    "lambertw_lower": _lambertw_lower,
    "elliptic_k": _in_order(_elliptic_k),
    "elliptic_e": _in_order(_elliptic_e),
    "Ei": arb.ei,
    "Si": arb.si,
    "Ci": lambda x: x.ci() if x > 0 else arb.nan(),
    "expint": _expint,
    "fresnels": lambda x: x.fresnel_s(normalized=True),
    "fresnelc": lambda x: x.fresnel_c(normalized=True),
    "floor": arb.floor,
    "ceiling": arb.ceil,
}

# the functions whose series flint lacks, by their coefficients
TAYLOR: Mapping[str, Coefficients] = {
    "erfinv": _erfinv_taylor,
    "loggamma": _loggamma_taylor,
    "gammaln": _gammaln_taylor,
    "digamma": _digamma_taylor,
    "polygamma": _polygamma_taylor,
    "gammainc": lambda length, x, s: _incomplete_taylor(length, x, s, 1, _gammainc(s, x)),
    "gammaincc": lambda length, x, s: _incomplete_taylor(length, x, s, -1, _gammaincc(s, x)),
    "besselj": _ladder(_besselj, 1, -1),
    "bessely": _ladder(_bessely, 1, -1),
    "besseli": _ladder(_besseli, 1, 1),
    "besselk": _ladder(_monotone(_besselk), -1, -1),
    "spherical_jn": _spherical_taylor,
    "sinc": lambda length, x: _spherical_taylor(length, x, arb(0)),
    "zeta": _zeta_taylor,
    "hurwitz_zeta": _hurwitz_taylor,
    "polylog": _polylog_taylor,
    "elliptic_k": _elliptic_k,
    "elliptic_e": _elliptic_e,
    "expint": _expint_taylor,
}


def _is_pole(x: arb) -> bool:
    return bool(x <= 0) and _whole(x) is not None


def _needs_positive(n: arb, x: arb) -> bool:
    return bool(x < 0) or (x.is_zero() and not n > 1)


OUTSIDE: Mapping[str, Callable[..., bool]] = {
    "erfinv": lambda x: x >= 1 or x <= -1,
    "gamma": _is_pole,
    "loggamma": lambda x: x <= 0,
    "gammaln": _is_pole,
    "digamma": _is_pole,
    "polygamma": lambda n, x: _is_pole(x),
    "beta": lambda a, b: _is_pole(a) or _is_pole(b),
    "gammainc": lambda s, x: x < 0,
    "gammaincc": lambda s, x: x < 0,
    "besselj": lambda n, x: _whole(n) is None and (x < 0 or (x.is_zero() and not n > 0)),
    "besseli": lambda n, x: _whole(n) is None and (x < 0 or (x.is_zero() and not n > 0)),
    "bessely": lambda n, x: x <= 0,
    "besselk": lambda n, x: x <= 0,
    "zeta": lambda s: s.is_exact() and s == 1,
    "hurwitz_zeta": lambda s, a: a <= 0,
    "polylog": lambda s, z: z >= 1,
    # −1/e is no binary number: it is never hit
    "lambertw": lambda x: x * arb.const_e() < -1,
    "lambertw_lower": lambda x: x >= 0 or x * arb.const_e() < -1,
    "elliptic_k": lambda m: m >= 1,
    "elliptic_e": lambda m: m >= 1,
    "Ei": lambda x: x.is_zero(),
    "Ci": lambda x: x <= 0,
    "expint": _needs_positive,
}


def certainly_outside(operation: str, operands: list[arb]) -> bool:
    """Tell whether operands certainly lie outside the domain of a special function."""
    rule = OUTSIDE.get(operation)
    return rule is not None and bool(rule(*operands))
