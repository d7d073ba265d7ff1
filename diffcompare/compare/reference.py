"""The certified reference: the gradient at the exact binary64 point, correctly rounded.

Two routes must agree: the adjoint program and the derivative that SymPy writes (where SymPy cannot be asked, the
first Taylor coefficient).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.arithmetic.balls import (
    PRECISION_CAP,
    Ball,
    ball,
    ball_function,
    certainly_nonzero,
    precision,
    round_ball,
    switch_function,
)
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.one_sided import OneSided, one_sided_derivative
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.errors import shorten
from diffcompare.program.adjoint import adjoint
from diffcompare.symbolic.derivatives import gradient_program
from diffcompare.symbolic.function import SymbolicFunction

__all__ = [
    "Partial",
    "Reference",
    "certified_gradient",
    "certified_partials",
    "check_point",
    "exact_error",
    "partial_ball",
]

# bits to start with: 80 round almost every value; the sweep needs the difference to a float as well
POINT_BITS = 80
# an evaluation that is not regular at these bits is not merely short of precision
_SINGULAR_BITS = 320
_TIE_BITS = 640


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

    value: NDArray[np.float64]
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


def certified_gradient(f: SymbolicFunction, point: ArrayLike) -> Reference:
    """Certify the gradient of a function at a point.

    Proven: where the status is ``ok`` the value is the true partial derivative at the exact binary64 point, rounded
    to nearest even. Differentiability is judged along each axis alone.

    Parameters
    ----------
    f : SymbolicFunction
    point : float or array_like of float, shape (n,)
        Finite; one coordinate per variable, in their order.

    Returns
    -------
    Reference
        ``.value`` float64 of shape (n,), ``.status`` list of n.

    Raises
    ------
    ValueError
        Wrong number of coordinates, or one that is nan or infinite.

    References
    ----------
    S. M. Rump, Verification methods: rigorous results using floating-point arithmetic, Acta Numerica 19 (2010);
    A. Ziv, Fast evaluation of elementary mathematical functions with correctly rounded last bit, ACM TOMS 17 (1991):
    the precision is raised until rounding both ends of the enclosure gives one number.

    Examples
    --------
    >>> import diffcompare as dc
    >>> certified_gradient(dc.parse("x0**2 + x1**2"), [3.0, 4.0]).value.tolist()
    [6.0, 8.0]
    >>> certified_gradient(dc.parse("abs(x)"), 0.0).status
    ['kink']
    """
    coordinates = check_point(f, point)
    partials = certified_partials(f, coordinates)
    return Reference(
        np.array([partial.value for partial in partials]),
        [partial.status for partial in partials],
        tuple(partial.note for partial in partials if partial.note),
    )


def check_point(f: SymbolicFunction, point: ArrayLike) -> list[float]:
    """Return a point as finite floats, one per variable; ``ValueError`` names what is wrong."""
    coordinates = np.atleast_1d(np.asarray(point, dtype=np.float64))
    names = ", ".join(f.variables)
    if coordinates.shape != (len(f.variables),):
        raise ValueError(
            f"point={point!r}: {len(f.variables)} coordinates are needed, one for each of {names}; "
            f"got shape {coordinates.shape}"
        )
    for name, value in zip(f.variables, coordinates, strict=True):
        if not np.isfinite(value):
            raise ValueError(f"{name}={float(value)!r}: a coordinate must be finite; pass a finite number")
    return [float(value) for value in coordinates]


def certified_partials(
    f: SymbolicFunction, point: Sequence[float], *, bits: int = POINT_BITS, indices: Sequence[int] | None = None
) -> list[Partial]:
    """Certify partial derivatives at one point: all by one evaluation of the adjoint wherever that decides."""
    wanted = range(len(point)) if indices is None else indices
    program = adjoint(f.program)
    run, count = switch_function(program, program.outputs[0])
    arguments = [ball(value) for value in point]
    found: dict[int, Partial] = {}
    while True:
        with precision(bits):
            values = run(*arguments)
            regular = values[0].is_finite() and all(certainly_nonzero(switch) for switch in values[count:])
            for i in wanted:
                if i in found:
                    continue
                partial = _rounded(values[1 + i]) if regular else None
                if partial is not None:
                    found[i] = _second_route(f, arguments, i, values[1 + i], partial)
                elif regular and bits >= _TIE_BITS:
                    partial = _rational(exact_outputs(program, point)[1 + i])
                elif not regular and bits >= _SINGULAR_BITS:
                    partial = _singular(one_sided_derivative(f.program, point, i))
                if partial is not None:
                    found.setdefault(i, partial)
        if len(found) == len(wanted):
            break
        if bits >= PRECISION_CAP:
            found |= {i: Partial("undecided") for i in wanted if i not in found}
            break
        bits = min(2 * bits, PRECISION_CAP)
    return [found[i] for i in wanted]


def _rounded(value: Ball) -> Partial | None:
    rounded = round_ball(value)
    if rounded is None:
        return None
    if not np.isfinite(rounded):
        return Partial("ok", rounded, 0.0, 0.0)
    rest = value - rounded
    tail = float(rest.mid())
    return Partial("ok", rounded, tail, float((rest - tail).abs_upper()))


def _rational(exact: Fraction | None) -> Partial | None:
    if exact is None:
        return None
    rounded = round_to_nearest(exact)
    if not np.isfinite(rounded):
        return Partial("ok", rounded, 0.0, 0.0)
    rest = exact - Fraction(rounded)
    tail = round_to_nearest(rest)
    # twice: the slack is rounded to nearest, and must not be too small
    return Partial("ok", rounded, tail, 2 * abs(round_to_nearest(rest - Fraction(tail))))


def _singular(outcome: OneSided) -> Partial | None:
    if outcome.status == "ok" and outcome.value is not None:
        return _rounded(outcome.value)
    return None if outcome.status == "undecided" else Partial(outcome.status)


def _second_route(f: SymbolicFunction, arguments: Sequence[Ball], i: int, value: Ball, partial: Partial) -> Partial:
    """Check the adjoint against SymPy's derivative, or the Taylor coefficient; disjoint enclosures decide nothing."""
    program = gradient_program(f)
    other = None if program is None else ball_function(program)(*arguments)[i]
    route = "SymPy's derivative"
    if other is None or not other.is_finite():
        other, route = taylor_jet(f.program, arguments, i, order=1)[1], "the Taylor coefficient"
    if not other.is_finite() or other.overlaps(value):
        return partial
    return Partial(
        "undecided",
        note=f"internal error: the adjoint and {route} of {shorten(f.name)} contradict one another in "
        f"{f.variables[i]}; please report it",
    )


def exact_error(f: SymbolicFunction, point: Sequence[float], i: int, numeric: float) -> tuple[float, float]:
    """Return numeric − F′ and its size relative to |F′|, correctly rounded, by raising the precision.

    nan for what is still undecided at the cap. F′ = 0: the ratio is 0 if the error is 0, else infinite.
    """
    bits = _SINGULAR_BITS
    error: float | None = None
    relative: float | None = None
    while error is None or relative is None:
        with precision(bits):
            slope = partial_ball(f, point, i, bits)
            if slope is not None:
                gap = ball(numeric) - slope
                error = round_ball(gap) if error is None else error
                if not slope.is_zero():
                    relative = round_ball(abs(gap) / abs(slope)) if relative is None else relative
                elif error is not None:
                    relative = 0.0 if error == 0 else float("inf")
        if bits >= PRECISION_CAP:
            break
        bits = min(2 * bits, PRECISION_CAP)
    return float("nan") if error is None else error, float("nan") if relative is None else relative


def partial_ball(f: SymbolicFunction, point: Sequence[float], i: int, bits: int) -> Ball | None:
    """Enclose a partial derivative at the working precision, ``bits``; None where that does not decide it."""
    program = adjoint(f.program)
    run, count = switch_function(program, program.outputs[0])
    values = run(*(ball(value) for value in point))
    if values[0].is_finite() and all(certainly_nonzero(switch) for switch in values[count:]):
        exact = exact_outputs(program, point)[1 + i] if bits >= _TIE_BITS else None
        return values[1 + i] if exact is None else ball(exact)
    return one_sided_derivative(f.program, point, i).value
