"""SciPy's special functions under the names of the operations table; SciPy is loaded when one is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.special_functions import ROWS

__all__ = ["SCIPY", "scipy_function", "scipy_special", "scipy_version"]

Function = Callable[..., Any]


@cache
def scipy_special() -> ModuleType:
    """Return ``scipy.special``.

    Raises
    ------
    UnsupportedFunction
        SciPy is not installed.
    """
    try:
        import scipy.special
    except ImportError:
        raise UnsupportedFunction(
            "floats of special functions come from SciPy, which is not installed; pip install scipy"
        ) from None
    special: ModuleType = scipy.special
    return special


def scipy_version() -> str:
    """Return SciPy's version; :func:`scipy_special` says what is raised."""
    scipy_special()
    from scipy import __version__

    return str(__version__)


def _number(parameter: Any) -> float:
    """Return a parameter, which may come as an array of one, as a number."""
    return float(np.asarray(parameter).reshape(-1)[0])


def _whole_number(name: str, parameter: Any) -> int:
    n = _number(parameter)
    if abs(n) >= 2**31:
        raise UnsupportedFunction(f"{name} of order {n!r}: SciPy has orders below 2**31; pass evaluate= to sweep")
    return int(n)


def _bessel(special: ModuleType, general: str, letter: str) -> Function:
    """Return the Bessel function: orders 0 and 1 have functions of their own, which are closer to the exact values."""
    whole = {0.0: getattr(special, f"{letter}0"), 1.0: getattr(special, f"{letter}1")}

    def function(order: Any, x: Any) -> Any:
        n = _number(order)
        if n in whole and not np.iscomplexobj(x):
            return whole[n](x)
        return getattr(special, general)(n, x)

    return function


def _real_lambert(special: ModuleType, branch: int) -> Function:
    def function(x: Any) -> Any:
        if np.iscomplexobj(x):
            # the lower branch is real on its cut, and SciPy continues it from there upwards alone
            below = np.signbit(x.imag) & (branch < 0)
            w = special.lambertw(np.where(below, x.conjugate(), x), branch)
            return np.where(below, w.conjugate(), w)
        w = special.lambertw(x, branch)
        return np.where(w.imag == 0, w.real, np.nan)

    return function


def _ei(special: ModuleType) -> Function:
    # left of 0 the real values lie between those on both sides of the cut of Ei: continued by DLMF 6.2.7
    return lambda x: np.where(x.real < 0, -special.exp1(-x), special.expi(x)) if np.iscomplexobj(x) else special.expi(x)


def _riemann_zeta(special: ModuleType) -> Function:
    def function(x: Any) -> Any:
        try:
            return special.zeta(x)
        except TypeError:
            raise UnsupportedFunction(
                "zeta: this SciPy has no floats of complex arguments; pip install --upgrade scipy"
            ) from None

    return function


def _exponential_integral(special: ModuleType) -> Function:
    def function(order: Any, x: Any) -> Any:
        n = _number(order)
        if n < 0:
            raise UnsupportedFunction(f"expint of order {n!r}: SciPy has whole orders >= 0")
        return special.exp1(x) if n == 1 else special.expn(_whole_number("expint", n), x)

    return function


def _polylogarithm(special: ModuleType) -> Function:
    def function(order: Any, x: Any) -> Any:
        if _number(order) != 2:
            raise UnsupportedFunction(
                f"polylog of order {_number(order)!r}: SciPy has order 2 alone; pass evaluate= to sweep"
            )
        # Spence's function is Li₂(1 − x), DLMF 25.12.2
        return special.spence(1.0 - x)

    return function


def _sinc(x: Any) -> Any:
    moved = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.sin(moved) / moved)


SCIPY: Mapping[str, Callable[[ModuleType], Function]] = {
    **{
        name: lambda special, name=name: getattr(special, name)  # type: ignore[misc]
        for name in ("erf", "erfc", "erfi", "erfinv", "gamma", "loggamma", "gammaln", "beta", "gammainc", "gammaincc")
    },
    "digamma": lambda special: special.psi,
    "polygamma": lambda special: lambda n, x: special.polygamma(_whole_number("polygamma", n), x),
    "besselj": lambda special: _bessel(special, "jv", "j"),
    "bessely": lambda special: _bessel(special, "yv", "y"),
    "besseli": lambda special: _bessel(special, "iv", "i"),
    "besselk": lambda special: _bessel(special, "kv", "k"),
    "spherical_jn": lambda special: lambda n, x: special.spherical_jn(_whole_number("spherical_jn", n), x),
    "airyai": lambda special: lambda x: special.airy(x)[0],
    "airyaiprime": lambda special: lambda x: special.airy(x)[1],
    "airybi": lambda special: lambda x: special.airy(x)[2],
    "airybiprime": lambda special: lambda x: special.airy(x)[3],
    "zeta": _riemann_zeta,
    "hurwitz_zeta": lambda special: lambda s, a: special.zeta(_number(s), a),
    "polylog": _polylogarithm,
    "lambertw": lambda special: _real_lambert(special, 0),
    "lambertw_lower": lambda special: _real_lambert(special, -1),
    "elliptic_k": lambda special: special.ellipk,
    "elliptic_e": lambda special: special.ellipe,
    "Ei": _ei,
    "Si": lambda special: lambda x: special.sici(x)[0],
    "Ci": lambda special: lambda x: special.sici(x)[1],
    "expint": _exponential_integral,
    "fresnels": lambda special: lambda x: special.fresnel(x)[0],
    "fresnelc": lambda special: lambda x: special.fresnel(x)[1],
}
_BY_ORDER = {row.name for row in ROWS if row.by_order}


@cache
def scipy_function(operation: str) -> Function | None:
    """Return what SciPy (for sinc NumPy) computes for a special function; None for any other.

    Raises
    ------
    UnsupportedFunction
        SciPy is not installed; when called: it has no such function.
    """
    if operation == "sinc":
        return _sinc
    if operation not in SCIPY:
        return None
    function = SCIPY[operation](scipy_special())
    if operation not in _BY_ORDER:
        return function
    arity = 2 if operation == "polylog" else 1

    def plain(*operands: Any) -> Any:
        if len(operands) > arity:
            raise UnsupportedFunction(f"SciPy has no derivative of {operation}")
        return function(*operands)

    return plain
