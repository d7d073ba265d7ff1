"""Derivatives of a black box, each with an error estimate that can be trusted, or a reason for none."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from diffcompare.errors import shown
from diffcompare.floats import Floats, float_copy
from diffcompare.numeric.boxes import check_box
from diffcompare.numeric.column_groups import Pattern, column_groups, pattern_of
from diffcompare.numeric.estimate import Estimate
from diffcompare.numeric.lines import Black, place_name
from diffcompare.numeric.partials import across, along_axes
from diffcompare.numeric.samples import numbers

__all__ = ["Derivative", "differentiate"]

Function = Callable[..., Any]
Entries = dict[tuple[int, ...], Estimate]

# what the fields of a derivative are outside a pattern
_EMPTY: dict[str, Any] = {"value": 0.0, "error": 0.0, "h": math.nan, "status": "ok", "reason": ""}


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derivative with an estimate of its error, or the reason why there is none.

    Of a function of one number, with one value: numbers. Else arrays: the shape of f(x), then that of x, twice where
    the derivative is a second one. A sparse pattern of SciPy makes value and error such matrices; h, status and reason
    are then those of the stored entries.

    Parameters
    ----------
    value : float or ndarray
        The derivative; nan where refused.
    error : float or ndarray
        An estimate of the size of value − f′(x), in units of f per unit of x; no bound; inf where refused.
    evaluations : int
        How often f was called.
    h : float or ndarray
        The largest step size that entered the value, in units of x; nan where refused. Of mixed second derivatives it
        is relative to the steps along the axes.
    status : {"ok", "kink", "jump", "noise", "domain"} or ndarray of str
    reason : str or ndarray of str
        Why it was refused; empty for ``ok``.
    """

    value: Any
    error: Any
    evaluations: int
    h: Any
    status: Any
    reason: Any


def differentiate(
    f: Function,
    x: ArrayLike,
    *,
    derivative: int = 1,
    noise: float = 0.0,
    args: Sequence[Any] = (),
    box: Any = None,
    sparsity: Any = None,
    executor: Executor | None = None,
) -> Derivative:
    """Differentiate any function, choosing the step sizes itself: a slope, gradient, Jacobian or Hessian.

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

    Of several variables that is done along every axis, with steps relative to each variable, and the values of f are
    shared: once at x, once at every other point. Second derivatives are slopes at 0 too, of the odd function
    [f(x + t) − 2f(x) + f(x − t)]/t, whose series begins f″·t + f⁗/12·t³; so are mixed ones, from the corners of a
    rectangle, (f(+,+) − f(+,−) − f(−,+) + f(−,−))/4t, and those beside a side of the box, from [f(x + t²) − f(x)]/t.
    What f is off by is known from the slopes; where a slope is refused, so are its second derivatives. A second
    derivative that is lost in the noise is an answer, as the 0 of something linear: the estimate tells.

    Parameters
    ----------
    f : callable
        Takes one float64, or an array of the shape of x, and returns one number or an array of them. A value that is
        not finite or complex, an ``ArithmeticError`` and a ``ValueError`` mean that it is outside the domain.
    x : array_like
        Finite; any shape. A number is handed on as a number.
    derivative : {1, 2}
        2 for second derivatives: f″, or the Hessian.
    noise : float
        Absolute error of the values of f, in units of f, where it is known and cannot be seen: an iteration that stops
        early, values rounded to some decimals.
    args : sequence
        More arguments of f, which follow x.
    box : (lower, upper), optional
        Numbers or arrays of the shape of x: f is not called outside. Where they leave one side too little room, the
        values of the other side are taken, and the derivative is that of this side.
    sparsity : matrix, optional
        A row for every value of f, a column for every variable: where the Jacobian may differ from 0, as truth values
        or one of ``scipy.sparse``. Variables that meet in no value are moved together. Of a Hessian of one value: its
        own pattern; other entries are not computed.
    executor : concurrent.futures.Executor, optional
        Runs the variables side by side, and then the pairs; f must be one that its processes or threads can call. The
        answer is the same.

    Returns
    -------
    Derivative
        ``status`` is ``ok``, or says that no answer is given: ``kink`` (the slopes of both sides differ, or are
        infinite), ``jump`` (f is discontinuous nearby: it has steps), ``noise`` (no digit is certain), ``domain``.

    Raises
    ------
    ValueError, TypeError
        x is not finite or outside the box; noise is negative; the derivative is another than the first or second; the
        pattern has another shape, or f contradicts it; f(x) has another shape beside x.

    References
    ----------
    J. J. Moré, S. M. Wild, Estimating derivatives of noisy functions, ACM TOMS 38 (2012), 19: noise from differences of
    values at a scale where f is linear. C. J. F. Ridders, Adv. Eng. Software 4 (1982), 75-76: extrapolation. The test
    for a corner is our own: the odd power of h that no smooth function has, see ``best_extrapolation``. A. R. Curtis,
    M. J. D. Powell, J. K. Reid, IMA J. Appl. Math. 13 (1974), 117-119: groups of columns. Abramowitz, Stegun, Handbook
    of Mathematical Functions, 25.3.26: the mixed difference.

    Examples
    --------
    >>> import math
    >>> slope = differentiate(math.exp, 1.0)
    >>> abs(slope.value - math.e) <= slope.error < 2e-11
    True
    >>> differentiate(abs, 0.0).status
    'kink'
    >>> hessian = differentiate(lambda x: x[0] ** 2 * math.exp(x[1]), [3.0, 0.0], derivative=2)
    >>> hessian.value.round(6).tolist(), bool(hessian.error.max() < 1e-6)
    ([[2.0, 6.0], [6.0, 9.0]], True)
    """
    point, noise = _point(x), _number("noise", noise)
    if noise < 0:
        raise ValueError(f"noise={noise!r}: the noise of f cannot be negative; pass 0.0 to have it measured")
    if derivative not in (1, 2):
        raise ValueError(f"derivative={shown(derivative)}: must be 1 or 2; differentiate a derivative for higher ones")
    black = _black(f, tuple(args), point, box)
    count, size = black.value.size, black.x.size
    if black.fault:
        # how many values f has is not known
        sparsity = None
    pattern, rows = None, [tuple(range(count))] * size
    groups: list[tuple[int, ...]] = [(k,) for k in range(size)]
    if sparsity is not None and derivative == 1:
        pattern = pattern_of(sparsity, (count, size))
        rows = pattern.columns()
        groups = column_groups(rows)
    elif sparsity is not None:
        if count != 1:
            raise ValueError(f"sparsity of a Hessian: f(x) must be one number, not of shape {black.form}; pass none")
        pattern = pattern_of(sparsity, (size, size))
    run = map if executor is None else executor.map
    tasks = [{k: rows[k] for k in group} for group in groups]
    along = list(run(functools.partial(along_axes, black, noise=noise, derivative=derivative), tasks))
    partials = {place: found for one, _ in along for place, found in one.items()}
    evaluations = 1 + sum(calls for _, calls in along)
    if derivative == 1:
        return _arranged(black, {place: found.asked for place, found in partials.items()}, pattern, 1, evaluations)
    entries: Entries = {(row, k, k): found.asked for (row, k), found in partials.items()}
    pairs = [(i, j) for i in range(size) for j in range(i)]
    if pattern is not None:
        pairs = sorted({(max(place), min(place)) for place in pattern.places if place[0] != place[1]})
    both = [{row: (partials[row, i], partials[row, j]) for row in range(count)} for i, j in pairs]
    for (i, j), (found, calls) in zip(pairs, run(functools.partial(across, black), pairs, both), strict=True):
        entries |= {place: one for row, one in found.items() for place in ((row, i, j), (row, j, i))}
        evaluations += calls
    return _arranged(black, entries, pattern, 2, evaluations)


def _arranged(black: Black, entries: Entries, pattern: Pattern | None, times: int, evaluations: int) -> Derivative:
    """Put the entries into arrays of the shapes of f(x) and x, or into matrices of the pattern; one stays a number."""
    if pattern is None:
        found = [entries[place] for place in np.ndindex(black.value.size, *[black.x.size] * times)]
    else:
        found = [entries[place if times == 1 else (0, *place)] for place in pattern.places]
    columns = {name: [getattr(one, name) for one in found] for name in _EMPTY}
    if pattern is not None:
        made = {name: pattern.filled(column, _EMPTY[name]) for name, column in columns.items()}
    elif black.form + black.shape:
        shape = black.form + black.shape * times
        made = {name: np.array(column).reshape(shape) for name, column in columns.items()}
    else:
        made = {name: column[0] for name, column in columns.items()}
    return Derivative(evaluations=evaluations, **made)


def _black(f: Function, args: tuple[Any, ...], point: Floats, box: Any) -> Black:
    """Evaluate f at the point, which lies in the box."""
    flat = point.ravel()
    sides = (-math.inf, math.inf) if box is None else check_box(box, point.shape)
    lower, upper = (np.broadcast_to(side, point.shape).ravel() for side in sides)
    for k in range(flat.size):
        if not lower[k] <= flat[k] <= upper[k]:
            place = f"{place_name(point.shape, k)}={float(flat[k])!r}"
            raise ValueError(f"{place}: lies outside [{lower[k]}, {upper[k]}] of the box; move the point or the box")
    found = numbers(f, point[()].copy(), *args)
    if isinstance(found, str):
        return Black(f, args, point.shape, flat, lower, upper, np.array([math.nan]), (), 1.0, found)
    value, unit = np.array(found, dtype=np.float64), 2.0**-11 if found.dtype == np.float16 else 2.0**-24
    # one value of one number is a number, however f wraps it
    form = value.shape if value.size != 1 or point.shape else ()
    return Black(f, args, point.shape, flat, lower, upper, value.ravel(), form, unit)


def _point(x: ArrayLike) -> Floats:
    """Return the point as floats; ``TypeError`` and ``ValueError`` name what is none."""
    try:
        point = np.asarray(float_copy("x", x), dtype=np.float64)
    except TypeError:
        raise TypeError(f"x={shown(x)}: a real number is needed; pass a float, or an array of them") from None
    for k in np.flatnonzero(~np.isfinite(point))[:1]:
        place = f"{place_name(point.shape, int(k))}={float(point.ravel()[k])!r}"
        raise ValueError(f"{place}: must be finite; pass an ordinary float")
    return point


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
