"""Functions of SciPy that are short formulas of others, written once, whichever way numbers are traced.

A rule takes ``traced``, which makes a number one of the trace, so that its root, say, is the real one; then what
SciPy's function takes. The floats are SciPy's own: a formula need not avoid overflow or cancellation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from diffcompare.program.scipy_functions import scipy_special

__all__ = ["FORMULAS"]

Rule = Callable[..., Any]


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


def _below_normal(traced: Rule, x: Any) -> Any:
    return 0.5 * _erfc(-x / np.sqrt(traced(2.0)))


def _normal_quantile(traced: Rule, p: Any) -> Any:
    return np.sqrt(traced(2.0)) * _erfinv(2.0 * p - 1.0)


def _log_beta(a: Any, b: Any) -> Any:
    return _gammaln(a) + _gammaln(b) - _gammaln(a + b)


def _log_choose(n: Any, k: Any) -> Any:
    return _gammaln(n + 1.0) - _gammaln(k + 1.0) - _gammaln(n - k + 1.0)


def _relative_entropy(x: Any, y: Any) -> Any:
    positive = np.greater(x, 0.0)
    return np.where(positive, x * np.log(np.where(positive, np.divide(x, y), 1.0)), 0.0)


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
    "rel_entr": _relative_entropy,
    "kl_div": lambda x, y: _relative_entropy(x, y) - x + y,
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
FORMULAS: Mapping[str, Rule] = {
    "ndtr": _below_normal,
    "log_ndtr": lambda traced, x: np.log(_below_normal(traced, x)),
    "ndtri": _normal_quantile,
    "ndtri_exp": lambda traced, y: _normal_quantile(traced, np.exp(y)),
    **{name: _unit(rule) for name, rule in _OF_SHORT_NUMBERS.items()},
}
