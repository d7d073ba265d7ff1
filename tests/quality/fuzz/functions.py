"""Every function that drawn code may call: its real value and partial derivatives in mpmath, and its floats.

Derivatives are those of the handbooks, written anew; a test compares each with a difference of its function in many
digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
import scipy.special as sc
from mpmath import mp, mpf

from .bessel import ORDERS, Function
from .reals import NAN, RUN, Real, TruthUnknownError, applied, as_real, compare, floor

__all__ = ["CHOOSING", "NUMPY", "SCIPY", "SEVERAL", "Function", "call"]


def call(function: Function, *operands: Any) -> Real:
    """Apply a function to real numbers or numbers of the code."""
    return applied(function.value, function.partials, function.floats, *operands, edge=function.edge)


def _positive(value: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: value(x) if x > 0 else NAN


def _log_edge(x: Any) -> bool:
    return bool(x <= 0)


def _within(low: float, high: float, value: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: value(x) if low <= x <= high else NAN


def _pole(value: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: NAN if x <= 0 and x == mpmath.floor(x) else value(x)


def _at_pole(x: Any) -> bool:
    return bool(x <= 0 and x == mpmath.floor(x))


def _near_one(value: Callable[..., Any], digits: Callable[[Any], Any]) -> Callable[..., Any]:
    """Keep so many digits more of a value: what is left of it when 1 is taken away."""

    def found(x: Any) -> Any:
        with mp.workdps(mp.dps + int(min(2000, digits(abs(x))))):
            return +value(x)

    return found


def _two_pi() -> Any:
    return 2 / mpmath.sqrt(mp.pi)


def _root_edge(x: Any) -> bool:
    return bool(x <= 0)


def _cbrt(x: Any) -> Any:
    return mpmath.sign(x) * abs(x) ** (mpf(1) / 3)


def _inverse_edge(x: Any) -> bool:
    return bool(abs(x) >= 1)


NUMPY: Mapping[str, Function] = {
    "exp": Function(mpmath.exp, lambda y, x: (y,), np.exp),
    "exp2": Function(lambda x: mpf(2) ** x, lambda y, x: (y * mpmath.log(2),), np.exp2),
    "expm1": Function(mpmath.expm1, lambda y, x: (mpmath.exp(x),), np.expm1),
    "log": Function(_positive(mpmath.log), lambda y, x: (1 / x,), np.log, _log_edge),
    "log2": Function(_positive(lambda x: mpmath.log(x) / mpmath.log(2)), lambda y, x: (1 / (x * mpmath.log(2)),),
                     np.log2, _log_edge),
    "log10": Function(_positive(lambda x: mpmath.log(x) / mpmath.log(10)), lambda y, x: (1 / (x * mpmath.log(10)),),
                      np.log10, _log_edge),
    "log1p": Function(lambda x: mpmath.log1p(x) if x > -1 else NAN, lambda y, x: (1 / (1 + x),), np.log1p,
                      lambda x: x <= -1),
    "sqrt": Function(lambda x: mpmath.sqrt(x) if x >= 0 else NAN, lambda y, x: (1 / (2 * y) if y else mpf("inf"),),
                     np.sqrt, _root_edge),
    "cbrt": Function(_cbrt, lambda y, x: (1 / (3 * y * y) if y else mpf("inf"),), np.cbrt, lambda x: x == 0),
    "sin": Function(mpmath.sin, lambda y, x: (mpmath.cos(x),), np.sin),
    "cos": Function(mpmath.cos, lambda y, x: (-mpmath.sin(x),), np.cos),
    "tan": Function(mpmath.tan, lambda y, x: (1 + y * y,), np.tan),
    "arcsin": Function(_within(-1, 1, mpmath.asin), lambda y, x: (1 / mpmath.sqrt(1 - x * x),), np.arcsin,
                       _inverse_edge),
    "arccos": Function(_within(-1, 1, mpmath.acos), lambda y, x: (-1 / mpmath.sqrt(1 - x * x),), np.arccos,
                       _inverse_edge),
    "arctan": Function(mpmath.atan, lambda y, x: (1 / (1 + x * x),), np.arctan),
    "sinh": Function(mpmath.sinh, lambda y, x: (mpmath.cosh(x),), np.sinh),
    "cosh": Function(mpmath.cosh, lambda y, x: (mpmath.sinh(x),), np.cosh),
    "tanh": Function(_near_one(mpmath.tanh, lambda x: x), lambda y, x: (mpmath.sech(x) ** 2,), np.tanh),
    "arcsinh": Function(mpmath.asinh, lambda y, x: (1 / mpmath.sqrt(1 + x * x),), np.arcsinh),
    "arccosh": Function(lambda x: mpmath.acosh(x) if x >= 1 else NAN, lambda y, x: (1 / mpmath.sqrt(x * x - 1),),
                        np.arccosh, lambda x: x <= 1),
    "arctanh": Function(lambda x: mpmath.atanh(x) if abs(x) < 1 else NAN, lambda y, x: (1 / (1 - x * x),), np.arctanh,
                        _inverse_edge),
    "square": Function(lambda x: x * x, lambda y, x: (2 * x,), np.square),
    "reciprocal": Function(lambda x: 1 / x if x else NAN, lambda y, x: (-y * y,), np.reciprocal, lambda x: x == 0),
    "hypot": Function(lambda a, b: mpmath.sqrt(a * a + b * b), lambda y, a, b: (a / y, b / y), np.hypot,
                      lambda a, b: a == 0 and b == 0),
    "arctan2": Function(lambda a, b: mpf(0) if a == 0 and b == 0 else mpmath.atan2(a, b),
                        lambda y, a, b: (b / (a * a + b * b), -a / (a * a + b * b)), np.arctan2,
                        lambda a, b: a == 0 and b <= 0),
    "logaddexp": Function(lambda a, b: mpmath.log(mpmath.exp(a) + mpmath.exp(b)),
                          lambda y, a, b: (mpmath.exp(a - y), mpmath.exp(b - y)), np.logaddexp),
    "logaddexp2": Function(lambda a, b: mpmath.log(mpf(2) ** a + mpf(2) ** b) / mpmath.log(2),
                           lambda y, a, b: (mpf(2) ** (a - y), mpf(2) ** (b - y)), np.logaddexp2),
}  # fmt: skip


def _polygamma(n: int) -> Function:
    return Function(_pole(lambda x: mpmath.psi(n, x)), lambda y, x: (mpmath.psi(n + 1, x),),
                    lambda x: sc.polygamma(n, x) if n else sc.psi(x), _at_pole)  # fmt: skip


def _log_gamma(x: Any) -> Any:
    return mpmath.re(mpmath.loggamma(x))


def _beta_partials(y: Any, a: Any, b: Any) -> tuple[Any, Any]:
    whole = mpmath.psi(0, a + b)
    return y * (mpmath.psi(0, a) - whole), y * (mpmath.psi(0, b) - whole)


def _spherical(n: int) -> Function:
    def value(k: int, x: Any) -> Any:
        if x == 0:
            return mpf(1 if k == 0 else 0)
        sign = -1 if x < 0 and k % 2 else 1
        return sign * mpmath.sqrt(mp.pi / (2 * abs(x))) * mpmath.besselj(k + mpf(1) / 2, abs(x))

    def partials(y: Any, x: Any) -> tuple[Any]:
        if n == 0:
            return (-value(1, x),)
        return ((n * value(n - 1, x) - (n + 1) * value(n + 1, x)) / (2 * n + 1),)

    return Function(lambda x: value(n, x), partials, lambda x: sc.spherical_jn(n, x))


def _regular_gamma(a: Any, x: Any, *, upper: bool) -> Any:
    if x < 0 or a <= 0:
        return NAN
    return mpmath.gammainc(a, x, regularized=True) if upper else mpmath.gammainc(a, 0, x, regularized=True)


def _gammainc(a: float, *, upper: bool) -> Function:
    sign = -1 if upper else 1

    def partials(y: Any, x: Any) -> tuple[Any]:
        if x == 0:
            return (NAN,)
        return (sign * mpmath.exp((mpf(a) - 1) * mpmath.log(x) - x - mpmath.loggamma(mpf(a))),)

    floats = sc.gammaincc if upper else sc.gammainc
    return Function(lambda x: _regular_gamma(mpf(a), x, upper=upper), partials, lambda x: floats(a, x),
                    lambda x: x <= 0)  # fmt: skip


def _lambert(k: int) -> Function:
    low = -1

    def value(x: Any) -> Any:
        if x * mp.e < low or (k == -1 and x >= 0):
            return NAN
        return mpmath.lambertw(x, k).real

    def edge(x: Any) -> bool:
        return bool(x * mp.e <= low or (k == -1 and x >= 0))

    return Function(value, lambda y, x: (mpmath.exp(-y) / (1 + y),), lambda x: sc.lambertw(x, k).real, edge)


def _elliptic_k(y: Any, m: Any) -> tuple[Any]:
    return (mp.pi / 8 if m == 0 else (mpmath.ellipe(m) / (1 - m) - y) / (2 * m),)


def _elliptic_e(y: Any, m: Any) -> tuple[Any]:
    return (-mp.pi / 8 if m == 0 else (y - mpmath.ellipk(m)) / (2 * m),)


def _sinc(x: Any) -> Any:
    return mpmath.sin(x) / x if x else mpf(1)


def _expit(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def _polynomial(name: str, floats: Any, n: int) -> Function:
    def both(x: Any) -> tuple[Any, Any]:
        # value and derivative by the recurrence
        p, q = mpf(1), mpf(0)
        dp, dq = mpf(0), mpf(0)
        for k in range(n):
            if name == "legendre":
                new, d = ((2 * k + 1) * x * p - k * q) / (k + 1), ((2 * k + 1) * (p + x * dp) - k * dq) / (k + 1)
            elif name == "hermite":
                new, d = 2 * x * p - 2 * k * q, 2 * (p + x * dp) - 2 * k * dq
            elif name == "laguerre":
                new, d = ((2 * k + 1 - x) * p - k * q) / (k + 1), ((2 * k + 1 - x) * dp - p - k * dq) / (k + 1)
            else:
                c = 1 if name == "chebyt" and k == 0 else 2
                new, d = c * x * p - q, c * (p + x * dp) - dq
            p, q, dp, dq = new, p, d, dp
        return p, dp

    return Function(lambda x: both(x)[0], lambda y, x: (both(x)[1],), lambda x: floats(n, x))


def _zeta(x: Any) -> Any:
    return NAN if x == 1 else mpmath.zeta(x)


_SIMPLE: dict[str, Function] = {
    "erf": Function(_near_one(mpmath.erf, lambda x: x * x), lambda y, x: (_two_pi() * mpmath.exp(-x * x),), sc.erf),
    "erfc": Function(mpmath.erfc, lambda y, x: (-_two_pi() * mpmath.exp(-x * x),), sc.erfc),
    "erfi": Function(mpmath.erfi, lambda y, x: (_two_pi() * mpmath.exp(x * x),), sc.erfi),
    "erfinv": Function(lambda x: mpmath.erfinv(x) if abs(x) < 1 else NAN,
                       lambda y, x: (mpmath.exp(y * y) / _two_pi(),), sc.erfinv, _inverse_edge),
    "gamma": Function(_pole(mpmath.gamma), lambda y, x: (y * mpmath.psi(0, x),), sc.gamma, _at_pole),
    "loggamma": Function(_positive(mpmath.loggamma), lambda y, x: (mpmath.psi(0, x),), sc.loggamma, _log_edge),
    "gammaln": Function(_pole(_log_gamma), lambda y, x: (mpmath.psi(0, x),), sc.gammaln, _at_pole),
    "factorial": Function(lambda x: mpmath.gamma(x + 1) if x >= 0 else mpf(0),
                          lambda y, x: (y * mpmath.psi(0, x + 1) if x >= 0 else mpf(0),), sc.factorial,
                          lambda x: x == 0),
    "beta": Function(mpmath.beta, _beta_partials, sc.beta, lambda a, b: _at_pole(a) or _at_pole(b)),
    "betaln": Function(lambda a, b: _log_gamma(a) + _log_gamma(b) - _log_gamma(a + b),
                       lambda y, a, b: (mpmath.psi(0, a) - mpmath.psi(0, a + b),
                                        mpmath.psi(0, b) - mpmath.psi(0, a + b)),
                       sc.betaln, lambda a, b: _at_pole(a) or _at_pole(b)),
    "zeta": Function(_zeta, lambda y, x: (mpmath.zeta(x, 1, 1),), sc.zeta, lambda x: x == 1),
    "ellipk": Function(lambda m: mpmath.ellipk(m) if m < 1 else NAN, _elliptic_k, sc.ellipk, lambda m: m >= 1),
    # E(1) is 1, with an infinite slope
    "ellipe": Function(lambda m: mpmath.ellipe(m) if m <= 1 else NAN, _elliptic_e, sc.ellipe, lambda m: m >= 1),
    "expi": Function(lambda x: mpmath.ei(x) if x else NAN, lambda y, x: (mpmath.exp(x) / x,), sc.expi,
                     lambda x: x == 0),
    "exp1": Function(_positive(mpmath.e1), lambda y, x: (-mpmath.exp(-x) / x,), sc.exp1, _log_edge),
    "ndtr": Function(_near_one(lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2, lambda x: x * x),
                     lambda y, x: (mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mp.pi),), sc.ndtr),
    "expit": Function(_near_one(_expit, lambda x: x), lambda y, x: (_expit(x) * _expit(-x),), sc.expit),
    "log_expit": Function(lambda x: -mpmath.log1p(mpmath.exp(-x)) if x >= 0 else x - mpmath.log1p(mpmath.exp(x)),
                          lambda y, x: (_expit(-x),), sc.log_expit),
    "logit": Function(lambda x: mpmath.log(x / (1 - x)) if 0 < x < 1 else NAN, lambda y, x: (1 / (x * (1 - x)),),
                      sc.logit, lambda x: x <= 0 or x >= 1),
    "entr": Function(lambda x: -x * mpmath.log(x) if x > 0 else mpf(0) if x == 0 else NAN,
                     lambda y, x: (-mpmath.log(x) - 1,), sc.entr, _log_edge),
    "exprel": Function(lambda x: mpmath.expm1(x) / x if x else mpf(1),
                       lambda y, x: (mpmath.hyp1f1(2, 3, x) / 2,), sc.exprel),
    # log Φ(x) = log(1 − Φ(−x)): to the right of 0 the digits of Φ(−x) count
    "log_ndtr": Function(lambda x: mpmath.log(mpmath.erfc(-x / mpmath.sqrt(2)) / 2) if x < 0
                         else mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2),
                         lambda y, x: (mpmath.exp(-x * x / 2 - y) / mpmath.sqrt(2 * mp.pi),), sc.log_ndtr),
    "erfcx": Function(lambda x: mpmath.exp(x * x) * mpmath.erfc(x), lambda y, x: (2 * x * y - _two_pi(),), sc.erfcx),
}  # fmt: skip


def _result(function: Function) -> Callable[..., Any]:
    return lambda *operands: call(function, *operands)


def _parameter(value: Any) -> Any:
    number = as_real(value)
    if number.d is not None:
        raise TruthUnknownError("a derivative in a parameter")
    return int(number.s) if float(number.s).is_integer() else float(number.s)


def _of_order(make: Callable[[Any], Function]) -> Callable[..., Any]:
    return lambda order, x: call(make(_parameter(order)), x)


def _x_log(log: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def product(x: Any, y: Any) -> Any:
        x, y = as_real(x), as_real(y)
        # x·log y with the value 0 where x is 0, whatever y is
        if x.d is not None and x.v == 0:
            RUN[0].singular = True
        if x.v == 0 and not mpmath.isnan(y.v):
            inside = log(y)
            d = None if x.d is None else [one * inside.v if one else mpf(0) for one in x.d]
            return Real(mpf(0), d, 0.0)
        return x * log(y)

    return product


def _log_of(name: str) -> Callable[[Any], Real]:
    return lambda y: call(NUMPY[name], y)


def _rel_entr(x: Any, y: Any) -> Any:
    x, y = as_real(x), as_real(y)
    sign = compare(x, as_real(0), "rel_entr")
    if sign == 1:
        return x * call(NUMPY["log"], x / y)
    return Real(mpf(0), None if x.d is None else [mpf(0)] * len(x.d), 0.0) if sign == 0 else Real(NAN, None, math.inf)


def _huber(delta: Any, r: Any) -> Any:
    size = abs(as_real(r))
    return size * size * 0.5 if size <= delta else as_real(delta) * (size - as_real(delta) * 0.5)


_SI = Function(mpmath.si, lambda y, x: (_sinc(x),), lambda x: sc.sici(x)[0])
_CI = Function(_positive(mpmath.ci), lambda y, x: (mpmath.cos(x) / x,), lambda x: sc.sici(x)[1], _log_edge)
_FRESNELS = Function(mpmath.fresnels, lambda y, x: (mpmath.sin(mp.pi * x * x / 2),), lambda x: sc.fresnel(x)[0])
_FRESNELC = Function(mpmath.fresnelc, lambda y, x: (mpmath.cos(mp.pi * x * x / 2),), lambda x: sc.fresnel(x)[1])
_AIRY = (
    Function(mpmath.airyai, lambda y, x: (mpmath.airyai(x, 1),), lambda x: sc.airy(x)[0]),
    Function(lambda x: mpmath.airyai(x, 1), lambda y, x: (x * mpmath.airyai(x),), lambda x: sc.airy(x)[1]),
    Function(mpmath.airybi, lambda y, x: (mpmath.airybi(x, 1),), lambda x: sc.airy(x)[2]),
    Function(lambda x: mpmath.airybi(x, 1), lambda y, x: (x * mpmath.airybi(x),), lambda x: sc.airy(x)[3]),
)


def _expint(n: int) -> Function:
    def value(k: int, x: Any) -> Any:
        if x > 0:
            return mpmath.exp(-x) / x if k == 0 else mpmath.expint(k, x)
        return mpf(1) / (k - 1) if x == 0 and k > 1 else NAN

    return Function(lambda x: value(n, x), lambda y, x: (-value(n - 1, x),), lambda x: sc.expn(n, x), lambda x: x <= 0)


def _hurwitz(s: int) -> Function:
    # of whole s, by the polygamma function: much faster than the general one
    def value(k: int, a: Any) -> Any:
        return mpmath.psi(k - 1, a) * (-1) ** k / mpmath.factorial(k - 1)

    return Function(_positive(lambda a: value(s, a)), lambda y, a: (-s * value(s + 1, a),), lambda a: sc.zeta(s, a),
                    _log_edge)  # fmt: skip


SCIPY: Mapping[str, Callable[..., Any]] = {
    **{name: _result(function) for name, function in _SIMPLE.items()},
    "psi": _result(_polygamma(0)),
    "digamma": _result(_polygamma(0)),
    "polygamma": _of_order(_polygamma),
    "jv": _of_order(ORDERS["jv"]),
    "jn": _of_order(ORDERS["jv"]),
    "yv": _of_order(ORDERS["yv"]),
    "yn": _of_order(ORDERS["yv"]),
    "iv": _of_order(ORDERS["iv"]),
    "kv": _of_order(ORDERS["kv"]),
    "kn": _of_order(ORDERS["kv"]),
    **{f"{letter}{n}": _result(ORDERS[f"{letter}v"](n)) for letter in "jyik" for n in (0, 1)},
    "spherical_jn": _of_order(_spherical),
    "gammainc": _of_order(lambda a: _gammainc(a, upper=False)),
    "gammaincc": _of_order(lambda a: _gammainc(a, upper=True)),
    "expn": _of_order(_expint),
    "zeta": lambda s, a=None: call(_SIMPLE["zeta"], s) if a is None else call(_hurwitz(_parameter(s)), a),
    "lambertw": lambda x, k=0: call(_lambert(int(_parameter(k))), x),
    "eval_legendre": _of_order(lambda n: _polynomial("legendre", sc.eval_legendre, n)),
    "eval_chebyt": _of_order(lambda n: _polynomial("chebyt", sc.eval_chebyt, n)),
    "eval_chebyu": _of_order(lambda n: _polynomial("chebyu", sc.eval_chebyu, n)),
    "eval_hermite": _of_order(lambda n: _polynomial("hermite", sc.eval_hermite, n)),
    "eval_laguerre": _of_order(lambda n: _polynomial("laguerre", sc.eval_laguerre, n)),
    "xlogy": _x_log(_log_of("log")),
    "xlog1py": _x_log(_log_of("log1p")),
    "rel_entr": _rel_entr,
    "kl_div": lambda x, y: _rel_entr(x, y) - as_real(x) + as_real(y),
    "huber": _huber,
}


# what SciPy returns several values of at once
SEVERAL: Mapping[str, Sequence[Function]] = {"sici": (_SI, _CI), "fresnel": (_FRESNELS, _FRESNELC), "airy": _AIRY}


def _sign(x: Any) -> Any:
    x = as_real(x)
    if mpmath.isnan(x.v):
        return x
    sign = compare(x, as_real(0), "sign")
    return Real(mpf(sign), None if x.d is None else [mpf(0)] * len(x.d), float(sign))


def _extreme(larger: bool, *, skip_nan: bool = False) -> Callable[[Any, Any], Any]:
    def choose(a: Any, b: Any) -> Any:
        a, b = as_real(a), as_real(b)
        if mpmath.isnan(a.v) or mpmath.isnan(b.v):
            return b if mpmath.isnan(a.v) is skip_nan else a
        order = compare(a, b, "max")
        return a if order == 0 or (order > 0) is larger else b

    return choose


def _heaviside(x: Any, half: Any) -> Any:
    if mpmath.isnan(as_real(x).v):
        return as_real(x)
    sign = compare(as_real(x), as_real(0), "heaviside")
    moving = as_real(x).d
    v = as_real(half).v if sign == 0 else mpf(sign > 0)
    return Real(v, None if moving is None else [mpf(0)] * len(moving), float(v))


def _copysign(a: Any, b: Any) -> Any:
    size, sign = abs(as_real(a)), compare(as_real(b), as_real(0), "copysign")
    return Real(NAN) if sign == 2 else size if sign >= 0 else -size


# sin(x)/x, to be given π·x
_SINC = Function(_sinc, lambda y, x: ((mpmath.cos(x) - y) / x if x else mpf(0),), lambda x: np.sinc(x / np.pi))

# what branches, or is put together; π is the float that NumPy multiplies by
CHOOSING: Mapping[str, Callable[..., Any]] = {
    "sinc": lambda x: call(_SINC, as_real(x) * math.pi),
    "deg2rad": lambda x: as_real(x) * (as_real(math.pi) / 180),
    "rad2deg": lambda x: as_real(x) * (as_real(180) / math.pi),
    "abs": lambda x: abs(as_real(x)),
    "absolute": lambda x: abs(as_real(x)),
    "fabs": lambda x: abs(as_real(x)),
    "sign": _sign,
    "floor": lambda x: floor(as_real(x)),
    "ceil": lambda x: -floor(-as_real(x)),
    "trunc": lambda x: floor(as_real(x)) if compare(as_real(x), as_real(0), "trunc") >= 0 else -floor(-as_real(x)),
    "maximum": _extreme(True),
    "minimum": _extreme(False),
    "fmax": _extreme(True, skip_nan=True),
    "fmin": _extreme(False, skip_nan=True),
    "heaviside": _heaviside,
    "copysign": _copysign,
    "add": lambda a, b: as_real(a) + b,
    "subtract": lambda a, b: as_real(a) - b,
    "multiply": lambda a, b: as_real(a) * b,
    "divide": lambda a, b: as_real(a) / b,
    "power": lambda a, b: as_real(a) ** as_real(b),
    "negative": lambda a: -as_real(a),
    "positive": as_real,
    "fmod": lambda a, b: as_real(a) - CHOOSING["trunc"](as_real(a) / as_real(b)) * as_real(b),
    "remainder": lambda a, b: as_real(a) % as_real(b),
    "floor_divide": lambda a, b: as_real(a) // as_real(b),
}
