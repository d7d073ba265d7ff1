"""The certified reference for derivatives of any order along one variable; the first order is that of the gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from diffcompare.arithmetic.balls import PRECISION_CAP, Ball, ball, ball_function, precision, round_ball
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.one_sided import OneSided, one_sided_derivative
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.certify.reference import (
    SINGULAR_BITS,
    TIE_BITS,
    Partial,
    certainly_regular,
    certified_partials,
    exact_partial,
    partial_ball,
    rational_partial,
    rounded_partial,
)
from diffcompare.errors import shorten
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program
from diffcompare.program.run import per_program
from diffcompare.symbolic.function import SymbolicFunction

__all__ = ["Slope", "certified_derivatives", "derivative_ball", "exact_derivative"]

# the adjoint of an adjoint … is a second route up to this size, and decides ties and corners
_NODES = 3000


def certified_derivatives(
    f: SymbolicFunction, point: Sequence[float], indices: Sequence[int], derivative: int, *, bits: int
) -> list[Partial]:
    """Certify ∂^q F/∂x_i^q at a point for some variables.

    Proven. Statuses follow the rules of the gradient, order by order: where F^(q−1) is not ``ok`` neither is F^(q). At
    an ordinary point F^(q) is q! times a Taylor coefficient, which the q-fold adjoint must overlap. At a switch F^(q)
    exists iff the germs of F^(q−1) on both sides agree in value and slope.
    """
    if derivative == 1:
        return certified_partials(f, point, bits=bits, indices=indices)
    first = certified_partials(f, point, bits=bits, indices=indices)
    return [
        partial if partial.status != "ok" else _certified(f, point, i, derivative, bits)
        for partial, i in zip(first, indices, strict=True)
    ]


def _certified(f: SymbolicFunction, point: Sequence[float], i: int, derivative: int, bits: int) -> Partial:
    checked = False
    while True:
        with precision(bits):
            found: Partial | None = None
            if certainly_regular(f, point):
                value = _coefficient(f.program, point, i, derivative, bits)
                if not checked and value.is_finite():
                    checked = True
                    if _contradicted(f, point, i, derivative, value):
                        note = (
                            f"internal error: the Taylor coefficient and the adjoint of {shorten(f.name)} contradict "
                            f"one another in derivative {derivative} along {f.variables[i]}; please report it"
                        )
                        return Partial("undecided", note=note)
                found = rounded_partial(value) if value.is_finite() else None
                if found is None and bits >= TIE_BITS:
                    found = rational_partial(exact_derivative(f, point, i, derivative))
            elif bits >= SINGULAR_BITS:
                outcome = _at_switch(f.program, point, i, derivative)
                if outcome.status == "ok" and outcome.value is not None:
                    found = rounded_partial(outcome.value)
                elif outcome.status != "undecided":
                    return Partial(outcome.status)
        if found is not None:
            return found
        if bits >= PRECISION_CAP:
            return Partial("undecided")
        bits = min(2 * bits, PRECISION_CAP)


def _coefficient(program: Program, point: Sequence[float], i: int, derivative: int, bits: int) -> Ball:
    return taylor_jet(program, point, i, order=derivative, bits=bits)[derivative] * math.factorial(derivative)


def _at_switch(program: Program, point: Sequence[float], i: int, derivative: int) -> OneSided:
    """Decide F^(q) where a switch is hit: each order in turn, from the germs of the order below on both sides."""
    outcome = one_sided_derivative(program, point, i)
    for q in range(1, derivative):
        if outcome.status != "ok":
            return outcome
        below = _repeated_adjoint(program, i, q)
        if below is None:
            return OneSided("undecided")
        outcome = one_sided_derivative(below, point, i, limits=True)
    return outcome


@per_program
def _repeated_adjoint(program: Program, i: int, times: int) -> Program | None:
    """Return the program of ∂^times F/∂x_i^times by reverse mode over and over; None where it grows too long."""
    before = program if times == 1 else _repeated_adjoint(program, i, times - 1)
    if before is None or len(before.nodes) > _NODES:
        return None
    whole = adjoint(before)
    return Program(whole.variables, whole.nodes, (whole.outputs[1 + i],))


def _contradicted(f: SymbolicFunction, point: Sequence[float], i: int, derivative: int, value: Ball) -> bool:
    program = _repeated_adjoint(f.program, i, derivative)
    if program is None:
        return False
    other = ball_function(program)(*(ball(x) for x in point))[0]
    return other.is_finite() and not other.overlaps(value)


def derivative_ball(f: SymbolicFunction, point: Sequence[float], i: int, derivative: int, bits: int) -> Ball | None:
    """Enclose ∂^q F/∂x_i^q, known to exist, at the working precision, ``bits``; None where that does not decide it."""
    if derivative == 1:
        return partial_ball(f, point, i, bits)
    if not certainly_regular(f, point):
        return _at_switch(f.program, point, i, derivative).value
    exact = exact_derivative(f, point, i, derivative) if bits >= TIE_BITS else None
    if exact is not None:
        return ball(exact)
    value = _coefficient(f.program, point, i, derivative, bits)
    return value if value.is_finite() else None


def exact_derivative(f: SymbolicFunction, point: Sequence[float], i: int, derivative: int) -> Fraction | None:
    """Return a derivative that is known as a rational number, None for any other; inside ``precision``."""
    if derivative == 1:
        return exact_partial(f, point, i)
    if not certainly_regular(f, point):
        return _at_switch(f.program, point, i, derivative).exact
    program = _repeated_adjoint(f.program, i, derivative)
    return None if program is None else exact_outputs(program, point)[0]


@dataclass(frozen=True, slots=True)
class Slope:
    """One derivative D = ∂^q F/∂x_i^q, asked once at each precision, however many numbers are held against it."""

    f: SymbolicFunction
    point: Sequence[float]
    i: int
    derivative: int = 1
    _exact: dict[int, Fraction | None] = field(default_factory=dict)
    _balls: dict[int, Ball | None] = field(default_factory=dict)

    def exact(self, bits: int) -> Fraction | None:
        """Return D where it is a known rational number; inside ``precision(bits)``."""
        if bits not in self._exact:
            self._exact[bits] = exact_derivative(self.f, self.point, self.i, self.derivative)
        return self._exact[bits]

    def ball(self, bits: int) -> Ball | None:
        """Enclose D, known to exist; None where this precision does not decide it; inside ``precision(bits)``."""
        if bits not in self._balls:
            self._balls[bits] = derivative_ball(self.f, self.point, self.i, self.derivative, bits)
        return self._balls[bits]

    def error(self, numeric: float) -> tuple[float, float]:
        """Return numeric − D and its size relative to |D|, correctly rounded, by raising the precision.

        nan for what is still undecided at the cap. D = 0: the ratio is 0 if the error is 0, else infinite.
        """
        bits = SINGULAR_BITS
        error: float | None = None
        relative: float | None = None
        while error is None or relative is None:
            with precision(bits):
                rational = self.exact(bits) if bits >= TIE_BITS else None
                if rational:
                    # no ball shows a tie of the ratio
                    gap = Fraction(numeric) - rational
                    return round_to_nearest(gap), round_to_nearest(abs(gap / rational))
                slope = self.ball(bits)
                if slope is not None:
                    distance = ball(numeric) - slope
                    error = round_ball(distance) if error is None else error
                    if not slope.is_zero():
                        relative = round_ball(abs(distance) / abs(slope)) if relative is None else relative
                    elif error is not None:
                        relative = 0.0 if error == 0 else float("inf")
            if bits >= PRECISION_CAP:
                break
            bits = min(2 * bits, PRECISION_CAP)
        return float("nan") if error is None else error, float("nan") if relative is None else relative
