"""The derivative of a black box of one variable, with an error estimate that can be trusted, or a reason for none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffcompare.errors import shown
from diffcompare.numeric.extrapolation import Extrapolation
from diffcompare.numeric.samples import Samples
from diffcompare.numeric.scales import Ladder, climb, discontinuity, kink, scan, search

__all__ = ["Derivative", "differentiate"]

# half the difference of the slopes of both sides, relative to them: a smaller one is counted as an error
_CORNER = 1e-6
# roundings, each of half a unit, that may meet in one jump of a function that computes in a narrow format
_ROUNDINGS = 4
# the error relative to the slopes from which on no digit counts as certain beside a jump
_STEPPED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derivative with an estimate of its error, or the reason why there is none.

    Parameters
    ----------
    value : float
        The derivative; nan when refused.
    error : float
        An estimate of the size of value − f′(x), in units of f per unit of x; no bound; inf when refused.
    evaluations : int
        How often f was called.
    h : float
        The largest step size that entered the value, in units of x; nan when refused.
    status : {"ok", "kink", "jump", "noise", "domain"}
    reason : str
        Why it was refused; empty for ``ok``.
    """

    value: float
    error: float
    evaluations: int
    h: float
    status: str
    reason: str


def differentiate(f: Callable[[Any], Any], x: float, *, noise: float = 0.0) -> Derivative:
    """Differentiate any function of one number, choosing the step sizes itself.

    Estimated. Central differences D(h) = (f(x + h) − f(x − h))/2h at four scales that lie a factor of about 1500 apart
    find the largest scale below which all agree: the derivative is a limit, and a ripple or a kink nearby shows as a
    disagreement of a finer scale. There D(h) = f′ + c₂h² + c₄h⁴ + … is extrapolated to h = 0 until two extrapolations
    agree, and the answer is held against every finer scale again. The noise of f is measured from second differences
    f(x + h) − 2f(x) + f(x − h) = A·h + f″h² + … where the curvature does not show. They show a corner too, which D(h)
    does not: A, the difference of the slopes of both sides, is extrapolated from the same values, and half of what
    cannot be truncation or rounding counts as an error; more than a millionth of the slopes is refused as a kink.
    A staircase has another slope from afar than on its treads: that is refused as a jump, unless its steps are as small
    as the rounding of float32 or of the stated noise. Where no value differs, a sine within the rounding counts as an
    error. One beside a slope is not seen where x is so large that the floats are farther apart than its period.

    Parameters
    ----------
    f : callable
        Takes one float64 and returns one number. A value that is not finite or complex, an ``ArithmeticError`` and
        a ``ValueError`` mean that the abscissa is outside the domain.
    x : float
        Finite.
    noise : float
        Absolute error of the values of f, in units of f, where it is known and cannot be seen: an iteration that stops
        early, values rounded to some decimals.

    Returns
    -------
    Derivative
        ``status`` is ``ok``, or says that no answer is given: ``kink`` (the slopes of both sides differ, or are
        infinite), ``jump`` (f is discontinuous nearby: it has steps), ``noise`` (no digit is certain), ``domain``.

    Raises
    ------
    ValueError, TypeError
        x is not a finite number, noise is negative, or f returns more than one number.

    References
    ----------
    J. J. Moré, S. M. Wild, Estimating derivatives of noisy functions, ACM TOMS 38 (2012), 19: noise from differences of
    values at a scale where f is linear. C. J. F. Ridders, Adv. Eng. Software 4 (1982), 75-76: extrapolation. The test
    for a corner is our own: the odd power of h that no smooth function has, see ``best_extrapolation``.

    Examples
    --------
    >>> import math
    >>> slope = differentiate(math.exp, 1.0)
    >>> abs(slope.value - math.e) <= slope.error < 2e-11
    True
    >>> differentiate(abs, 0.0).status
    'kink'
    """
    x, noise = _number("x", x), _number("noise", noise)
    if noise < 0:
        raise ValueError(f"noise={noise!r}: the noise of f cannot be negative; pass 0.0 to have it measured")
    samples = Samples(f, x)
    if not math.isfinite(samples.value(x)):
        return _refused(samples, "domain", f"f({x!r}) is not finite")
    ladder = scan(samples, noise)
    if len(ladder.pairs) < 2:
        return _refused(samples, "domain", f"f is not finite on both sides of x={x!r}: x is at the edge of the domain")
    fault = kink(ladder, noise)
    if fault is not None:
        return _refused(samples, *fault)
    steps = below = None
    for _ in range(2):
        steps = discontinuity(samples, ladder)
        if steps is None:
            search(samples, ladder)
            steps = discontinuity(samples, ladder)
        if steps is not None:
            # f may be a staircase: its steps are a noise for those who look from farther away
            below, ladder = ladder.split(*steps)
            search(samples, ladder)
        agreed = ladder.top_step()
        found = climb(samples, ladder)
        if steps is not None or ladder.top_step() >= agreed:
            break
        # the new steps do not agree with what was taken for the limit: the search was too far up
    error = math.inf if found is None else max(found.error, ladder.contradiction(found))
    if found is not None and found.steepness == 0:
        # no scale of f is seen: that of a sine whose amplitude is within the rounding may be 1, not the step
        error = max(error, ladder.noise)
    if steps is not None and below is not None:
        gap = 0.0
        if found is not None and not _is_rounding(samples, steps[0], below, found, noise):
            gap = below.contradiction(found)
            error = max(error, gap)
        if found is None or gap > _STEPPED_SHARE * abs(found.value) or _is_lost(found, ladder, error):
            jump = f"f jumps by {steps[0]:.2g} within {steps[1]:.2g} of x={x!r}"
            remedy = f"if that is the rounding of its values, pass noise={steps[0]:.2g}"
            return _refused(samples, "jump", f"{jump}; {remedy}")
    if found is None or _is_lost(found, ladder):
        size = f"{ladder.noise:.2g}"
        return _refused(samples, "noise", f"no digit is certain at x={x!r}: the values of f scatter by about {size}")
    if found.corner > max(_CORNER * found.steepness, found.truncation + found.rounding):
        reason = f"the slopes of both sides differ by {2 * found.corner:.2g} within {found.smallest:.2g} of x={x!r}"
        return _refused(samples, "kink", reason)
    if _is_lost(found, ladder, error):
        return _refused(samples, "noise", f"differences at several scales contradict each other at x={x!r}")
    return Derivative(found.value, error, samples.evaluations, found.h, "ok", "")


def _is_rounding(samples: Samples, jump: float, below: Ladder, found: Extrapolation, noise: float) -> bool:
    """Tell whether the steps of f are the rounding of its values: as was said, or as fine as those of float32.

    The slope of a function is that of its treads, however small they are seen from where it looks smooth. But nobody
    means the slope 0 of a function that computes in a narrow format, nor that of a tread where digits cancel; there
    the steps of what was rounded must be finer. Whole numbers are counts, which nothing rounds.
    """
    if jump <= _ROUNDINGS * noise:
        return True
    values = [value for value in samples.known.values() if math.isfinite(value)]
    size = max(abs(samples.value(samples.x)), abs(samples.x * found.value))
    flat = all(pair.steepness == 0 for pair in below.pairs)
    allowed = (_ROUNDINGS if flat else 1) * samples.unit * size
    return jump <= allowed and not all(value.is_integer() for value in values)


def _is_lost(found: Extrapolation, ladder: Ladder, error: float | None = None) -> bool:
    """Whether the estimate is as large as the slopes themselves, so that not one digit is certain."""
    error = found.error if error is None else error
    share = _STEPPED_SHARE if ladder.stepped else 0.5
    return not math.isfinite(found.value) or (0 < found.steepness * share < error)


def _refused(samples: Samples, status: str, reason: str) -> Derivative:
    return Derivative(math.nan, math.inf, samples.evaluations, math.nan, status, reason)


def _number(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError(f"{name}={shown(value)}: must be finite; pass an ordinary float") from None
    except (TypeError, ValueError):
        raise TypeError(f"{name}={shown(value)}: a real number is needed; pass a float") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}={number!r}: must be finite; pass an ordinary float")
    return number
