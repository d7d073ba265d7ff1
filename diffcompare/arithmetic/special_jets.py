"""Special functions of truncated Taylor series: flint's own, or Taylor coefficients at the head and composition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import factorial

import flint
from flint import arb, arb_series

from diffcompare.arithmetic.special_balls import SPECIAL_BALLS, TAYLOR
from diffcompare.program.special_functions import ROWS

__all__ = ["SPECIAL_JETS"]

Series = arb_series
Jet = Callable[..., Series]


def _undefined() -> Series:
    return arb_series([arb.nan()] * flint.ctx.cap)


def _at_rest(operands: tuple[Series, ...]) -> bool:
    return all(operand.length() <= 1 for operand in operands)


def _composed(name: str, parameters: int) -> Jet:
    """Return f(u) = Σ c_k·(u − u₀)^k with the coefficients at u₀; a payload k: of the k-th derivative."""
    coefficients, value = TAYLOR[name], SPECIAL_BALLS[name]

    def jet(*operands: Series | int) -> Series:
        order = operands[-1] if isinstance(operands[-1], int) else 0
        series = tuple(operand for operand in operands if not isinstance(operand, int))
        heads = [operand[0] for operand in series]
        if _at_rest(series):
            return arb_series([value(*heads, *([order] if order else []))])
        if any(parameter.length() > 1 for parameter in series[:parameters]):
            return _undefined()
        length = flint.ctx.cap
        found = coefficients(length + order, heads[-1], *heads[:-1])
        # of the derivative: (k + order)!/k!·c_{k + order}
        shifted = [c * (factorial(k + order) // factorial(k)) for k, c in enumerate(found[order:])]
        return arb_series(shifted)(arb_series([arb(0), *series[-1].coeffs()[1:]]))

    return jet


def _own(function: Callable[[Series], Series]) -> Jet:
    def jet(u: Series) -> Series:
        try:
            found = function(u)
        except (ValueError, ZeroDivisionError):
            return _undefined()
        return found if found[0].is_finite() else _undefined()

    return jet


def _beta(a: Series, b: Series) -> Series:
    if _at_rest((a, b)):
        return arb_series([SPECIAL_BALLS["beta"](a[0], b[0])])
    try:
        return a.gamma() * b.gamma() * (a + b).rgamma()
    except (ValueError, ZeroDivisionError):
        return _undefined()


def _step(name: str) -> Jet:
    def jet(u: Series) -> Series:
        here = SPECIAL_BALLS[name](u[0])
        # exactly at a step that moves, the answer changes with the side
        inside = here.is_exact() and (u.length() <= 1 or bool(u[0] != here))
        return arb_series([here]) if inside else _undefined()

    return jet


_PARAMETERS = {row.name: row.parameters for row in ROWS}

SPECIAL_JETS: Mapping[str, Jet] = {
    **{name: _composed(name, _PARAMETERS[name]) for name in TAYLOR},
    "erf": _own(arb_series.erf),
    "erfc": _own(arb_series.erfc),
    "erfi": _own(arb_series.erfi),
    "gamma": _own(arb_series.gamma),
    "beta": _beta,
    "airyai": _own(arb_series.airy_ai),
    "airyaiprime": _own(arb_series.airy_ai_prime),
    "airybi": _own(arb_series.airy_bi),
    "airybiprime": _own(arb_series.airy_bi_prime),
    "lambertw": _own(arb_series.lambertw),
    "lambertw_lower": _own(lambda u: u.lambertw(-1) if u[0] < 0 else _undefined()),
    "Ei": _own(arb_series.ei),
    "Si": _own(arb_series.si),
    "Ci": _own(lambda u: u.ci() if u[0] > 0 else _undefined()),
    "fresnels": _own(lambda u: u.fresnel_s(normalized=True)),
    "fresnelc": _own(lambda u: u.fresnel_c(normalized=True)),
    "floor": _step("floor"),
    "ceiling": _step("ceiling"),
}
