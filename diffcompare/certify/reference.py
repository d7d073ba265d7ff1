"""The certified reference: the gradient at the exact binary64 point, correctly rounded.

Two routes must agree: the adjoint program and the derivative that SymPy writes (of code, and where SymPy cannot be
asked, the first Taylor coefficient). In a sweep that coefficient, which every point has anyway, must agree too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.arithmetic.balls import (
    PRECISION_CAP,
    Ball,
    BallFunction,
    above,
    ball,
    ball_function,
    certainly_nonzero,
    precision,
    round_ball,
    switch_function,
)
from diffcompare.arithmetic.jets import directional_slope
from diffcompare.arithmetic.one_sided import OneSided, one_sided_derivative
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.errors import shorten
from diffcompare.floats import Floats, as_floats
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program
from diffcompare.program.run import per_program
from diffcompare.symbolic.function import SymbolicFunction, scalar
from diffcompare.watchdog import one_account

__all__ = [
    "SINGULAR_BITS",
    "TIE_BITS",
    "Partial",
    "Reference",
    "certainly_regular",
    "certified_gradient",
    "certified_partials",
    "check_point",
    "exact_partial",
    "is_regular",
    "partial_ball",
    "rational_partial",
    "rounded_partial",
]

# bits to start with: 80 round almost every value; the sweep needs the difference to a float as well
POINT_BITS = 80
# an evaluation that is not regular at these bits is not merely short of precision
SINGULAR_BITS = 320
TIE_BITS = 640


@dataclass(frozen=True, slots=True)
class Reference:
    """The certified gradient at one point.

    Parameters
    ----------
    value : ndarray of float64, shape (n,)
        Correctly rounded; nan where the status is not ``ok``.
    status : list of str
        ``ok``, ``kink``, ``domain`` or ``undecided``, one per variable.
    notes : tuple of str
        What went wrong inside diffcompare, empty unless the two routes contradict one another.
    """

    value: Floats
    status: list[str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Partial:
    """One partial derivative D = value + tail ± slack, with value = D rounded and tail = the rest rounded."""

    status: str
    value: float = float("nan")
    tail: float = float("nan")
    slack: float = float("nan")
    note: str = ""


@one_account()
def certified_gradient(f: SymbolicFunction, point: ArrayLike) -> Reference:
    """Certify the gradient of a formula at a point, as :func:`diffcompare.certified_gradient` promises it.

    Raises
    ------
    ValueError
        Wrong number of coordinates, or one that is nan or infinite.

    References
    ----------
    S. M. Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010);
    A. Ziv, Fast evaluation of elementary mathematical functions with correctly rounded last bit, ACM TOMS 17 (1991):
    the precision is raised until rounding both ends of the enclosure gives one number.
    """
    coordinates = check_point(f, point)
    code = _code(f.program)
    due = code.is_due()
    values = None if due else _ordinary(code, coordinates)
    if values is not None:
        return Reference(np.array(values), ["ok"] * len(values))
    partials = certified_partials(f, coordinates, check=due)
    return Reference(
        np.array([partial.value for partial in partials]),
        [partial.status for partial in partials],
        tuple(dict.fromkeys(partial.note for partial in partials if partial.note)),
    )


def check_point(f: SymbolicFunction, point: ArrayLike) -> list[float]:
    """Return a point of a function of one value as finite floats; ``ValueError`` names what is wrong."""
    scalar(f, "ask one of its .components, or dc.certified_jacobian")
    coordinates = as_floats(point, f"point of {', '.join(f.variables[:8])}")
    values = [coordinates.item()] if coordinates.ndim == 0 else coordinates.tolist()
    if coordinates.ndim > 1 or len(values) != len(f.variables):
        raise ValueError(
            f"point={point!r}: {len(f.variables)} coordinates are needed, one for each of {', '.join(f.variables)}; "
            f"got shape {coordinates.shape}"
        )
    for name, value in zip(f.variables, values, strict=True):
        if not math.isfinite(value):
            raise ValueError(f"{name}={value!r}: a coordinate must be finite; pass a finite number")
    return values


# the second route runs on the first calls of each program, then on every 16th
_ALWAYS, _EVERY = 64, 16
# so much narrower than the values of the program is an enclosure that stands for its middle
_TIED_BITS = 200
# one-sided derivatives that are kept of a program
_SIDES = 64


@dataclass(slots=True)
class _Code:
    """The adjoint of a program, compiled, and how often it was asked for."""

    program: Program
    run: BallFunction
    count: int
    calls: int = -1
    last: tuple[tuple[float, ...], int, tuple[Sequence[Ball], bool]] | None = None
    sides: dict[tuple[tuple[float, ...], int, int], OneSided] = field(default_factory=dict)

    def at(self, point: Sequence[float], bits: int) -> tuple[Sequence[Ball], bool]:
        """Evaluate at a point, at the working precision, ``bits``; once for one partial after another."""
        there = tuple(point)
        if self.last is None or self.last[:2] != (there, bits):
            self.last = there, bits, self.evaluate([ball(value) for value in there])
        return self.last[2]

    def singular(self, f: Program, point: Sequence[float], i: int, bits: int) -> OneSided:
        """Look at both sides of a point, at the working precision, ``bits``; a point that is asked again is known."""
        key = tuple(point), i, bits
        found = self.sides.get(key)
        if found is None:
            if len(self.sides) >= _SIDES:
                self.sides.clear()
            found = self.sides[key] = one_sided_derivative(f, point, i)
        return found

    def is_due(self) -> bool:
        """Count a call, and tell whether the second route is to check it."""
        self.calls += 1
        return self.calls < _ALWAYS or self.calls % _EVERY == 0

    def evaluate(self, arguments: Sequence[Ball]) -> tuple[Sequence[Ball], bool]:
        """Return F and its partials, and whether the point is certainly inside the domain and on no switch."""
        values = self.run(*arguments)
        regular = values[0].is_finite()
        for switch in values[self.count :]:
            regular = regular and certainly_nonzero(switch)
        return values, regular


@per_program
def _code(program: Program) -> _Code:
    derivative = adjoint(program)
    return _Code(derivative, *switch_function(derivative, derivative.outputs[0]))


def _ordinary(code: _Code, point: Sequence[float]) -> list[float] | None:
    """Return the gradient where one evaluation decides all of it: the work of an ordinary point and no more."""
    with precision(POINT_BITS):
        values, regular = code.evaluate([Ball(x) for x in point])
        rounded = [round_ball(value) for value in values[1 : code.count]] if regular else [None]
    return None if None in rounded else rounded  # type: ignore[return-value]


def certified_partials(
    f: SymbolicFunction,
    point: Sequence[float],
    *,
    bits: int = POINT_BITS,
    indices: Sequence[int] | None = None,
    check: bool | None = None,
    ties: bool = False,
) -> list[Partial]:
    """Certify partial derivatives at one point: all by one evaluation of the adjoint wherever that decides.

    ``check``: whether the second route must agree; by default as often as its cost is small. ``ties``: a derivative
    that lies half way between two floats, or at 0, as far as can be told, is ``ok``: value, tail and slack enclose it,
    though the value may not be the nearer float.
    """
    wanted = list(range(len(point)) if indices is None else indices)
    code = _code(f.program)
    check = code.is_due() if check is None else check
    arguments = [ball(value) for value in point]
    found: dict[int, Partial] = {}
    while True:
        with precision(bits):
            values, regular = code.evaluate(arguments)
            new = {}
            for i in wanted:
                if i in found:
                    continue
                partial = rounded_partial(values[1 + i]) if regular else None
                if partial is not None:
                    new[i] = partial
                elif regular and bits >= TIE_BITS:
                    partial = rational_partial(exact_outputs(code.program, point)[1 + i])
                    if partial is None and ties:
                        partial = _tied_partial(values[1 + i], values[: code.count], last=bits >= PRECISION_CAP)
                elif not regular and bits >= SINGULAR_BITS:
                    partial = _singular(code.singular(f.program, point, i, bits))
                if partial is not None:
                    found[i] = partial
            if new and check:
                found |= _contradicted(f, arguments, values, list(new), bits)
        if len(found) == len(wanted):
            break
        if bits >= PRECISION_CAP:
            found |= {i: Partial("undecided") for i in wanted if i not in found}
            break
        bits = min(2 * bits, PRECISION_CAP)
    return [found[i] for i in wanted]


def rounded_partial(value: Ball) -> Partial | None:
    """Make the reference of an enclosure that decides how the derivative rounds; None for any other."""
    rounded = round_ball(value)
    if rounded is None:
        return None
    if not np.isfinite(rounded):
        return Partial("ok", rounded, 0.0, 0.0)
    rest = value - rounded
    tail = float(rest.mid())
    return Partial("ok", rounded, tail, above(rest - tail))


def _tied_partial(value: Ball, values: Sequence[Ball], *, last: bool) -> Partial | None:
    """Make the reference of an enclosure that is too narrow for any rounding of a claim to matter; else None."""
    nearest = float(value.mid())
    rest = value - nearest
    tail = float(rest.mid())
    slack = above(rest - tail)
    size = max((float(v.abs_upper()) for v in values if v.is_finite()), default=0.0)
    # 0 is the nearest float where no other one is as small
    least = math.ulp(0.0) if value.contains(0) and not last else 2.0**-_TIED_BITS * size
    return Partial("ok", nearest, tail, slack) if math.isfinite(nearest) and slack <= least else None


def rational_partial(exact: Fraction | None) -> Partial | None:
    """Make the reference of a derivative that is a known rational number."""
    if exact is None:
        return None
    rounded = round_to_nearest(exact)
    if not np.isfinite(rounded):
        return Partial("ok", rounded, 0.0, 0.0)
    rest = exact - Fraction(rounded)
    tail = round_to_nearest(rest)
    slack = abs(rest - Fraction(tail))
    return Partial("ok", rounded, tail, math.nextafter(round_to_nearest(slack), math.inf) if slack else 0.0)


def _singular(outcome: OneSided) -> Partial | None:
    if outcome.status == "ok" and outcome.value is not None:
        return rounded_partial(outcome.value)
    return None if outcome.status == "undecided" else Partial(outcome.status)


def _contradicted(
    f: SymbolicFunction, arguments: Sequence[Ball], values: Sequence[Ball], indices: Sequence[int], bits: int
) -> dict[int, Partial]:
    """Check the adjoint against SymPy's derivative, or a directional Taylor coefficient: disjoint means undecided."""
    program = None
    # code has no formula that SymPy would know: one made for this alone takes longer than all the rest
    if f.source != "python" and f.has_formula:
        from diffcompare.symbolic.derivatives import gradient_program

        program = gradient_program(f)
    if program is not None:
        others = ball_function(program)(*arguments)
        if all(others[i].is_finite() for i in indices):
            wrong = [i for i in indices if not others[i].overlaps(values[1 + i])]
            return _undecided(f, wrong, "SymPy's derivative")
    # odd numbers of different size, so that no two components can hide one another's fault
    direction = [2 * i + 3 if i in indices else 0 for i in range(len(arguments))]
    slope = directional_slope(f.program, arguments, direction, bits)
    total = sum((d * values[1 + i] for i, d in enumerate(direction) if d), ball(0))
    contradiction = slope.is_finite() and not slope.overlaps(total)
    return _undecided(f, indices if contradiction else [], "the Taylor coefficient")


def _undecided(f: SymbolicFunction, indices: Sequence[int], route: str) -> dict[int, Partial]:
    names = ", ".join(f.variables[i] for i in indices)
    note = (
        f"internal error: the adjoint and {route} of {shorten(f.name)} contradict one another in {names}; "
        "please report it"
    )
    return {i: Partial("undecided", note=note) for i in indices}


def is_regular(f: SymbolicFunction, point: Sequence[float]) -> bool:
    """Tell whether a function is certainly analytic at a point: inside its domain and on no corner, edge or jump."""
    code = _code(f.program)
    bits = POINT_BITS
    while bits <= SINGULAR_BITS:
        with precision(bits):
            if code.evaluate([ball(value) for value in point])[1]:
                return True
        bits *= 2
    return False


def certainly_regular(f: SymbolicFunction, point: Sequence[float]) -> bool:
    """Tell whether a point is certainly inside the domain and on no switch, at the working precision."""
    return _code(f.program).evaluate([ball(value) for value in point])[1]


def exact_partial(f: SymbolicFunction, point: Sequence[float], i: int) -> Fraction | None:
    """Return a partial derivative that is known as a rational number, None for any other; inside ``precision``."""
    code = _code(f.program)
    _, regular = code.evaluate([ball(value) for value in point])
    if regular:
        return exact_outputs(code.program, point)[1 + i]
    return one_sided_derivative(f.program, point, i).exact


def partial_ball(f: SymbolicFunction, point: Sequence[float], i: int, bits: int) -> Ball | None:
    """Enclose a partial derivative at the working precision, ``bits``; None where that does not decide it."""
    code = _code(f.program)
    values, regular = code.at(point, bits)
    if regular:
        exact = exact_outputs(code.program, point)[1 + i] if bits >= TIE_BITS else None
        return values[1 + i] if exact is None else ball(exact)
    return one_sided_derivative(f.program, point, i).value
