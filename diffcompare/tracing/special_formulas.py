"""Functions of SciPy that are short formulas of others, written once, whichever way numbers are traced.

A rule takes the :class:`Numbers` of the trace, then what SciPy's function takes. The floats are SciPy's own: a formula
need not avoid overflow or cancellation.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diffcompare.program.scipy_functions import scipy_special

__all__ = ["FORMULAS", "LONG", "Numbers"]

Rule = Callable[..., Any]
# terms of the series of the incomplete beta function, which halve at least: their rest is no part of a float
_TERMS = 80
# rounds of Newton's method: two are enough where the floats are from, the others are for points beside it
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a formula asks of a trace.

    Parameters
    ----------
    traced : callable
        Makes a number one of the trace, so that its root, say, is the real one.
    floats : callable
        The floats that the code would have: for a choice between two ways of writing one function.
    """

    traced: Callable[[Any], Any]
    floats: Callable[[Any], Any]


def _of(name: str) -> Callable[..., Any]:
    """Return a function of SciPy, which asks what is traced what to do."""
    return lambda *args: getattr(scipy_special(), name)(*args)


_erfc, _erfinv, _gamma, _gammaln, _xlogy, _xlog1py = map(
    _of, ("erfc", "erfinv", "gamma", "gammaln", "xlogy", "xlog1py")
)
_gammainc, _gammaincc, _iv, _kv = map(_of, ("gammainc", "gammaincc", "iv", "kv"))


def _unit(rule: Rule) -> Rule:
    """Return a rule that needs no number of its own but short ones."""
    return lambda _, *args, **kwargs: rule(*args, **kwargs)


def _below_normal(of: Numbers, x: Any) -> Any:
    return 0.5 * _erfc(-x / np.sqrt(of.traced(2.0)))


def _normal_quantile(of: Numbers, p: Any) -> Any:
    return np.sqrt(of.traced(2.0)) * _erfinv(2.0 * p - 1.0)


def _beta_series(a: Any, b: Any, x: Any) -> Any:
    """Return Σ (a + b)ₙ/(a + 1)ₙ xⁿ (DLMF 8.17.8), for x up to ½."""
    result: Any = 1.0
    for n in range(_TERMS, -1, -1):
        result = 1.0 + x * ((a + b + n) / (a + 1.0 + n)) * result
    return result


def _incomplete_beta(of: Numbers, a: Any, b: Any, x: Any, *, above: bool = False) -> Any:
    # by its mirror image where the series would converge slowly: the same function
    near = np.asarray(of.floats(x)) <= 0.5
    p, q, z = np.where(near, a, b), np.where(near, b, a), np.where(near, x, 1.0 - x)
    part = np.exp(p * np.log(z) + q * np.log1p(-z) - np.log(p) - _log_beta(p, q)) * _beta_series(p, q, z)
    return np.where(near != above, part, 1.0 - part)


def _below_student(of: Numbers, df: Any, t: Any) -> Any:
    t = of.traced(t)
    square, half = t * t, df / 2.0
    z = square / (df + square)
    near = np.asarray(of.floats(z)) <= 0.5
    centre = tail = 0.5
    if near.any():
        # about 0 an odd function, with no root of t² in it
        inner = np.where(near, z, 0.25)
        density = np.exp(half * np.log1p(-inner) - _log_beta(of.traced(0.5), half))
        centre = 0.5 + (t / np.sqrt(df + square)) * density * _beta_series(of.traced(0.5), half, inner)
    if not near.all():
        outer = np.where(near, 0.25, df / (df + square))
        tail = _incomplete_beta(of, half, of.traced(0.5), outer) / 2.0
        tail = np.where(np.asarray(of.floats(t)) < 0, tail, 1.0 - tail)
    return np.where(near, centre, tail)


def _student_density(of: Numbers, df: Any, t: Any) -> Any:
    return np.exp(-((df + 1.0) / 2.0) * np.log1p(t * t / df) - np.log(df) / 2.0 - _log_beta(of.traced(0.5), df / 2.0))


def _beta_density(_: Numbers, a: Any, b: Any, x: Any) -> Any:
    return np.exp((a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - _log_beta(a, b))


def _gamma_density(_: Numbers, a: Any, x: Any) -> Any:
    return np.exp((a - 1.0) * np.log(x) - x - _gammaln(a))


def _inverse(name: str, below: Rule, density: Rule) -> Rule:
    """Return the rule of an inverse function: Newton's method from its floats, which takes the derivative along."""

    def rule(of: Numbers, *args: Any) -> Any:
        *parameters, p = args
        x = of.traced(_of(name)(*map(of.floats, args)))
        for _ in range(_ROUNDS):
            x = x - (below(of, *parameters, x) - p) / density(of, *parameters, x)
        return x

    return rule


def _log_beta(a: Any, b: Any) -> Any:
    return _gammaln(a) + _gammaln(b) - _gammaln(a + b)


def _log_choose(n: Any, k: Any) -> Any:
    return _gammaln(n + 1.0) - _gammaln(k + 1.0) - _gammaln(n - k + 1.0)


def _relative_entropy(of: Numbers, x: Any, y: Any) -> Any:
    positive = np.greater(x, 0.0)
    # 0 at 0, and no value below
    rest: Any = 0.0 if (np.asarray(of.floats(x)) > 0).all() else _xlogy(x, x)
    return np.where(positive, x * np.log(np.where(positive, np.divide(x, y), 1.0)), rest)


def _power_transform(x: Any, power: Any) -> Any:
    return np.log(x) if np.ndim(power) == 0 and power == 0 else np.expm1(power * np.log(x)) / power


def _power_transform_back(y: Any, power: Any) -> Any:
    return np.exp(y) if np.ndim(power) == 0 and power == 0 else np.exp(np.log1p(power * y) / power)


def _huber(delta: Any, r: Any) -> Any:
    size = np.abs(r)
    return np.where(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))


_OF_SHORT_NUMBERS: Mapping[str, Rule] = {
    "expit": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "logit": lambda x: np.log(x / (1.0 - x)),
    "entr": lambda x: -_xlogy(x, x),
    "exprel": lambda x: np.expm1(x) / x,
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "cosm1": lambda x: -2.0 * np.sin(x / 2.0) ** 2,
    "powm1": lambda x, y: np.expm1(y * np.log(x)),
    "boxcox": _power_transform,
    "boxcox1p": lambda x, power: _power_transform(1.0 + x, power),
    "inv_boxcox": _power_transform_back,
    "inv_boxcox1p": lambda y, power: _power_transform_back(y, power) - 1.0,
    "huber": _huber,
    "pseudo_huber": lambda delta, r: delta**2 * (np.sqrt(1.0 + (r / delta) ** 2) - 1.0),
    "erfcx": lambda x: np.exp(x * x) * _erfc(x),
    "erfcinv": lambda x: _erfinv(1.0 - x),
    "rgamma": lambda x: 1.0 / _gamma(x),
    "poch": lambda x, m: _gamma(x + m) / _gamma(x),
    "betaln": _log_beta,
    "binom": lambda n, k: np.exp(_log_choose(n, k)),
    "ive": lambda n, x: _iv(n, x) * np.exp(-np.abs(x)),
    "kve": lambda n, x: _kv(n, x) * np.exp(x),
    **{f"i{n}e": lambda x, n=n: _iv(n, x) * np.exp(-np.abs(x)) for n in (0, 1)},
    **{f"k{n}e": lambda x, n=n: _kv(n, x) * np.exp(x) for n in (0, 1)},
    "chdtr": lambda v, x: _gammainc(v / 2.0, x / 2.0),
    "chdtrc": lambda v, x: _gammaincc(v / 2.0, x / 2.0),
    "gdtr": lambda a, b, x: _gammainc(b, a * x),
    "gdtrc": lambda a, b, x: _gammaincc(b, a * x),
    "pdtr": lambda k, m: _gammaincc(np.floor(k) + 1.0, m),
    "pdtrc": lambda k, m: _gammainc(np.floor(k) + 1.0, m),
    # what scipy.stats has for itself
    "_beta_pdf": lambda x, a, b: np.exp(_xlogy(a - 1.0, x) + _xlog1py(b - 1.0, -x) - _log_beta(a, b)),
    "_binom_pmf": lambda k, n, p: np.exp(_log_choose(n, k) + _xlogy(k, p) + _xlog1py(n - k, -p)),
    "_nbinom_pmf": lambda k, n, p: np.exp(_log_choose(k + n - 1.0, k) + n * np.log(p) + _xlog1py(k, -p)),
}
# what takes many operations: of constants alone the floats do
LONG: Mapping[str, Rule] = {
    "betainc": _incomplete_beta,
    "betaincc": functools.partial(_incomplete_beta, above=True),
    "stdtr": _below_student,
    "fdtr": lambda of, n, d, x: _incomplete_beta(of, n / 2.0, d / 2.0, n * x / (d + n * x)),
    "fdtrc": lambda of, n, d, x: _incomplete_beta(of, n / 2.0, d / 2.0, n * x / (d + n * x), above=True),
    "bdtr": lambda of, k, n, p: _incomplete_beta(of, n - np.floor(k), np.floor(k) + 1.0, 1.0 - p),
    "bdtrc": lambda of, k, n, p: _incomplete_beta(of, np.floor(k) + 1.0, n - np.floor(k), p),
    "nbdtr": lambda of, k, n, p: _incomplete_beta(of, n, np.floor(k) + 1.0, p),
    "_binom_cdf": lambda of, k, n, p: _incomplete_beta(of, n - np.floor(k), np.floor(k) + 1.0, 1.0 - p),
    "_binom_sf": lambda of, k, n, p: _incomplete_beta(of, np.floor(k) + 1.0, n - np.floor(k), p),
    "_nbinom_cdf": lambda of, k, n, p: _incomplete_beta(of, n, np.floor(k) + 1.0, p),
    "stdtrit": _inverse("stdtrit", _below_student, _student_density),
    "betaincinv": _inverse("betaincinv", _incomplete_beta, _beta_density),
    "gammaincinv": _inverse("gammaincinv", lambda _, a, x: _gammainc(a, x), _gamma_density),
    "_beta_ppf": lambda of, p, a, b: _inverse("betaincinv", _incomplete_beta, _beta_density)(of, a, b, p),
    "chdtri": lambda of, v, p: (
        2.0 * _inverse("gammaincinv", lambda _, a, x: _gammainc(a, x), _gamma_density)(of, v / 2.0, 1.0 - p)
    ),
}


def _cauchy_quantile(of: Numbers, p: Any, location: Any, scale: Any, *, above: bool = False) -> Any:
    # π of real numbers, not its float
    turned = np.tan(4.0 * np.arctan(of.traced(1.0)) * (p - 0.5))
    return location - scale * turned if above else location + scale * turned


FORMULAS: Mapping[str, Rule] = {
    "_cauchy_ppf": _cauchy_quantile,
    "_cauchy_isf": functools.partial(_cauchy_quantile, above=True),
    "ndtr": _below_normal,
    "log_ndtr": lambda of, x: np.log(_below_normal(of, x)),
    "ndtri": _normal_quantile,
    "ndtri_exp": lambda of, y: _normal_quantile(of, np.exp(y)),
    "rel_entr": _relative_entropy,
    "kl_div": lambda of, x, y: _relative_entropy(of, x, y) - x + y,
    **LONG,
    **{name: _unit(rule) for name, rule in _OF_SHORT_NUMBERS.items()},
}
