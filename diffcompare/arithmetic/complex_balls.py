"""Programs in complex ball arithmetic, for points x + ih beside the real axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import acb, arb

from diffcompare.arithmetic.balls import Ball, ball, exact_fraction
from diffcompare.arithmetic.watched import watched
from diffcompare.errors import UnsupportedFunction, shorten
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import ARITHMETIC
from diffcompare.program.printing import formula
from diffcompare.program.run import interpret

__all__ = ["COMPLEX_OPERATIONS", "imaginary_part"]


def _lambertw_lower(z: acb) -> acb:
    """Continue W₋₁ from (−1/e, 0) to both sides: flint does so upwards."""
    if z.imag.is_zero():
        return acb(z.real.lambertw(branch=-1))
    w: acb = z.lambertw(branch=-1) if z.imag > 0 else z.conjugate().lambertw(branch=-1).conjugate()
    return w


def _ei(z: acb) -> acb:
    # left of 0 the real values lie between those on both sides of the cut of Ei: continued by DLMF 6.2.7
    if z.imag.is_zero():
        return acb(z.real.ei())
    return z.ei() if z.real > 0 else -(-z).expint(acb(1))


def _spherical_jn(n: acb, z: acb) -> acb:
    """Return j_n(z) = zⁿ/(2n+1)!!·₀F₁(; n + 3/2; −z²/4), DLMF 10.53.1."""
    order = int(exact_fraction(n.real) or 0)
    # (2n+1)!! = (2n+1)!/(2ⁿ·n!)
    scale = 2**order * arb(order).fac() / arb(2 * order + 1).fac()
    found: acb = scale * z**order * (-z * z / 4).hypgeom_0f1(acb(order + 1.5))
    return found


COMPLEX_OPERATIONS: dict[str, Any] = {
    "pi": acb.pi,
    "e": lambda: acb(1).exp(),
    "undefined": lambda: acb("nan"),
    **ARITHMETIC,
    "power": lambda x, p: (p * x.log()).exp(),
    "exp2": lambda x: (x * acb(2).log()).exp(),
    "log2": lambda x: x.log() / acb(2).log(),
    "log10": lambda x: x.log() / acb(10).log(),
    "loggamma": acb.lgamma,
    "besselj": lambda n, z: z.bessel_j(n),
    "bessely": lambda n, z: z.bessel_y(n),
    "besseli": lambda n, z: z.bessel_i(n),
    "besselk": lambda n, z: z.bessel_k(n),
    "spherical_jn": _spherical_jn,
    "airyai": acb.airy_ai,
    "airyaiprime": lambda z: z.airy_ai(derivative=1),
    "airybi": acb.airy_bi,
    "airybiprime": lambda z: z.airy_bi(derivative=1),
    "polylog": lambda s, z: z.polylog(s),
    "lambertw_lower": _lambertw_lower,
    "Ei": _ei,
    "expint": lambda n, z: z.expint(n),
    "fresnels": lambda z: z.fresnel_s(normalized=True),
    "fresnelc": lambda z: z.fresnel_c(normalized=True),
    "Si": acb.si,
    "Ci": acb.ci,
} | {
    name: getattr(acb, name)
    for name in (
        *("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sinc"),
        *("erf", "erfc", "erfi", "gamma", "digamma", "zeta", "lambertw"),
    )
}

_LIMITED = watched("complex", COMPLEX_OPERATIONS)


# certainly off the branch cut (DLMF 4.2(i), 4.13, 4.23(ii), 4.37(ii), 6.4, 10.2(ii), 10.25(ii), 25.12(i)): off its
# line, or on the real or imaginary part of the line where the function is analytic
def _beyond(edge: int, *, argument: int = -1) -> Callable[..., bool]:
    return lambda *operands: bool(operands[argument].imag != 0) or bool(operands[argument].real > edge)


def _of_whole_order(n: acb, z: acb) -> bool:
    # entire for a whole order
    order = exact_fraction(n.real)
    return _beyond(0)(z) or (order is not None and order.denominator == 1)


def _below_one(*operands: acb) -> bool:
    return bool(operands[-1].imag != 0) or bool(operands[-1].real < 1)


def _lambert_beyond(z: acb) -> bool:
    return bool(z.imag != 0) or bool(z.real * arb.const_e() > -1)


def _lambert_lower_within(z: acb) -> bool:
    return bool(z.imag != 0) or (z.imag.is_zero() and bool(z.real < 0) and bool(z.real * arb.const_e() > -1))


def _off_the_imaginary_axis(z: acb) -> bool:
    return bool(z.real != 0)


def _within_real(z: acb) -> bool:
    return bool(z.imag != 0) or bool(abs(z.real) < 1)


def _within_imaginary(z: acb) -> bool:
    return bool(z.real != 0) or bool(abs(z.imag) < 1)


_OFF_THE_CUT: Mapping[str, Callable[..., bool]] = {
    **dict.fromkeys(("sqrt", "log", "log2", "log10", "loggamma", "bessely", "besselk", "Ci", "expint"), _beyond(0)),
    "power": _beyond(0, argument=0),
    **dict.fromkeys(("besselj", "besseli"), _of_whole_order),
    "polylog": _below_one,
    "lambertw": _lambert_beyond,
    "lambertw_lower": _lambert_lower_within,
    "Ei": _off_the_imaginary_axis,
    "log1p": _beyond(-1),
    "acosh": _beyond(1),
    **dict.fromkeys(("asin", "acos", "atanh"), _within_real),
    **dict.fromkeys(("atan", "asinh"), _within_imaginary),
}


def imaginary_part(program: Program, point: Sequence[float], i: int, h: float) -> Ball:
    """Enclose Im F(x + ih·e_i) of an analytic program with one output, at the working precision.

    Proven. F is the continuation of the real function by principal branches.

    Raises
    ------
    UnsupportedFunction
        The argument of an operation meets its branch cut: F has no one value there.
    """

    def leaf(node: Node) -> acb:
        if node.operation == "variable":
            k = int(node.payload or 0)
            return acb(ball(point[k]), ball(h if k == i else 0))
        constant = node.operation == "constant"
        return acb(ball(Fraction(node.payload or 0))) if constant else _LIMITED[node.operation]()

    def apply(node: Node, *operands: acb) -> acb:
        if node.operation == "integer_power":
            return operands[0] ** int(node.payload or 0)
        if node.payload is not None:
            raise UnsupportedFunction(
                f"{_shown(program, node)}: the derivative of {node.operation} has no complex balls, so "
                'that scheme="complex" does not apply; choose "central"'
            )
        certain = _OFF_THE_CUT.get(node.operation)
        if certain is not None and all(z.is_finite() for z in operands) and not certain(*operands):
            raise UnsupportedFunction(
                f"{node.operation} in {_shown(program, node)}: its argument meets a branch cut at "
                f'h={h!r}, so that scheme="complex" does not apply; pass smaller steps'
            )
        value: acb = _LIMITED[node.operation](*operands)
        return value

    found: Ball = interpret(program, leaf, apply)[program.outputs[0]].imag
    return found


def _shown(program: Program, node: Node) -> str:
    return shorten(formula(program, program.nodes.index(node)), 60)
