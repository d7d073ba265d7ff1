"""Finite differences of any Python callable, evaluated exactly as the textbook writes them.

What is evaluated is told by :class:`diffcompare.Stencil`, to the order of its floating-point operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import check_step_size
from diffcompare.floats import answer, float_copy
from diffcompare.numeric.boxes import check_box, fitting
from diffcompare.numeric.complex_step import complex_quotient, takes_complex
from diffcompare.numeric.in_place import seen_to_move
from diffcompare.numeric.quotients import abscissa, divisor, weighted_sum
from diffcompare.numeric.stencils import COMPLEX_STEP, Stencil, stencil

__all__ = ["numerical_diff", "numerical_gradient"]

Array = NDArray[Any]


def numerical_diff(
    f: Callable[[Any], Any],
    x: ArrayLike,
    h: float = 1e-4,
    *,
    scheme: str | Stencil = "central",
    derivative: int | None = None,
    box: Any = None,
) -> Any:
    """Differentiate a function of one variable by a finite difference.

    Estimated. Evaluates ``(f(x + h) - f(x - h)) / (2*h)`` for ``central``, ``(f(x + h) - f(x)) / h`` for
    ``forward`` and ``(f(x) - f(x - h)) / h`` for ``backward``; see :class:`diffcompare.Stencil` for the others.
    ``complex`` is the complex step, ``f(x + 1j*h).imag / h``: it subtracts nothing, so that h may be as small as
    1e-20. f must be analytic, in NumPy functions that take complex numbers; an ``abs`` inside makes it wrong.

    Parameters
    ----------
    f : callable
        Of one number, or elementwise of an array.
    x : float or array_like
        Copied as float64 (longdouble stays); left as it was, as in :func:`numerical_gradient`.
    h : float
        Step size in units of x.
    scheme : str or Stencil
        ``"central"``, ``"forward"``, ``"backward"``, one of these with an order of accuracy as in ``"central4"``,
        ``"complex"``, or a stencil.
    derivative : int, optional
        The order of the derivative; default: that of the stencil, else 1.
    box : (lower, upper), or Bounds, or sequence of (low, high), optional
        Where f may be evaluated; written as in :func:`diffcompare.check_gradient`.
        Near a side the forward or backward stencil of the same order of accuracy is taken.

    Returns
    -------
    float64 or ndarray of the shape of x

    Raises
    ------
    ValueError
        Unknown scheme, a step size that is not positive and finite, or a box that no stencil fits into.
    TypeError
        ``complex``: f does not take complex numbers, or returns real ones.
    UnsupportedFunction
        ``complex``: an operation of a formula is not analytic, or has no complex floats.

    References
    ----------
    DLMF 3.4(ii): differentiation formulas of two points. W. Squire and G. Trapp, Using complex variables to estimate
    derivatives of real functions, SIAM Review 40 (1998).

    Examples
    --------
    >>> float(numerical_diff(lambda x: 0.01 * x**2 + 0.1 * x, 5))
    0.1999999999990898
    >>> float(numerical_diff(lambda x: x**3, 2.0, 0.5, derivative=2))
    12.0
    >>> import numpy as np
    >>> float(numerical_diff(np.exp, 0.0, 1e-20, scheme="complex"))
    1.0
    """
    h = check_step_size(h)
    values, chosen = float_copy("x", x)[()], _scheme(scheme, derivative)
    f = takes_complex(f) if chosen is None else f
    if box is None:
        return seen_to_move(lambda g: _difference(g, values, h, chosen), f, None if chosen is None else x, h)
    result = np.empty_like(values)
    for index, side in _sides(values, h, chosen, box):
        result[index] = _difference(f, values[index], h, side)
    return result[()]


def numerical_gradient(
    f: Callable[[Any], Any],
    x: ArrayLike,
    h: float = 1e-4,
    *,
    scheme: str | Stencil = "central",
    box: Any = None,
    vectorized: bool = False,
) -> Any:
    """Differentiate a function of many variables by finite differences, one variable at a time.

    Estimated, by the formulas of :func:`numerical_diff`.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of x and returns one number. A ``SymbolicFunction`` takes points along the last
        axis, or, with one variable, numbers elementwise.
    x : array_like
        Any shape; copied as float64 (longdouble stays), and never changed, but for an f that returns the same number
        wherever its argument is: it is taken to read x itself, as ``lambda W: net.loss(t)`` does with
        ``x=net.params["W1"]``. Then x, if it is an array of floats, is moved while f is asked, and put back.
    h : float
        Step size, the same for every coordinate.
    scheme : str or Stencil
        As in :func:`numerical_diff`, of the first derivative.
    box : (lower, upper), optional
        As in :func:`numerical_diff`; numbers, or arrays of the shape of x.
    vectorized : bool
        f takes many points at once, an array of shape (m, …) with that of x behind m, and returns m numbers. It gets
        them block by block, so that they need little memory. (A ``SymbolicFunction`` needs no telling.)

    Returns
    -------
    ndarray of the shape of x

    Raises
    ------
    ValueError
        f(x) is not one number for each point; unknown scheme; bad step size; a box that no stencil fits into.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_gradient(lambda x: np.sum(x**2), [3, 4]).tolist()
    [6.00000000000378, 7.999999999999119]
    >>> W = np.array([3.0, 4.0])
    >>> numerical_gradient(lambda _: np.sum(W**2), W).tolist()
    [6.00000000000378, 7.999999999999119]
    >>> numerical_gradient(lambda x: np.sum(x**2, axis=1), [3, 4], vectorized=True).tolist()
    [6.00000000000378, 7.999999999999119]
    """
    h = check_step_size(h)
    chosen = _scheme(scheme, 1)
    values = float_copy("x", x)[()]
    variables = getattr(f, "variables", None)
    shape = getattr(f, "output_shape", ())
    if shape:
        raise ValueError(f"f returns an array of shape {shape}: a gradient needs one number; use numerical_jacobian")
    f = takes_complex(f) if chosen is None else f
    if variables is not None:
        if box is not None:
            raise ValueError("box: points of a SymbolicFunction are many; pass f.callable(numpy) and one point")
        if len(variables) == 1:
            return _difference(f, values, h, chosen)
        columns = [_partial_of_points(f, values, i, h, chosen) for i in range(len(variables))]
        return np.stack(columns, axis=-1)
    points = np.asarray(values)
    sides = None if box is None else check_box(box, points.shape)

    def difference(f: Callable[[Any], Any]) -> Any:
        gradient = np.empty_like(points)
        for side, indices in _groups(points, h, chosen, box):
            if vectorized:
                gradient[indices] = _difference(_of_rows(f, points, indices), points[indices], h, side)
            elif side is None:
                for index in zip(*indices, strict=True) if points.ndim else [()]:
                    gradient[index] = _difference(_along(f, points, index), points[index], h, side)
            else:
                gradient[indices] = _one_by_one(f, points, indices, h, side)
        return gradient[()]

    return seen_to_move(difference, f, None if vectorized or chosen is None else x, h, sides)


def _scheme(scheme: str | Stencil, derivative: int | None) -> Stencil | None:
    """Return the stencil of a scheme; None for the complex step, which is none."""
    return None if scheme == COMPLEX_STEP and derivative in (None, 1) else stencil(scheme, derivative)


def _difference(f: Callable[[Any], Any], x: Any, h: float, chosen: Stencil | None) -> Any:
    h = x.dtype.type(h)
    if chosen is None:
        return complex_quotient(f, x, h)
    # what overflows is inf or nan in the result; warnings from inside f are f's own
    with np.errstate(all="ignore"):
        abscissae = {offset: abscissa(x, offset, h) for offset in chosen.offsets}
    values = {offset: answer(f(there)) for offset, there in abscissae.items()}
    with np.errstate(all="ignore"):
        return weighted_sum(chosen, values, h) / divisor(chosen, h)


def _sides(
    values: Any, h: float, chosen: Stencil | None, box: tuple[Any, Any]
) -> Iterator[tuple[tuple[int, ...], Stencil | None]]:
    """Give every coordinate with the stencil that stays inside the box there."""
    lower, upper = check_box(box, np.shape(values))
    step = values.dtype.type(h)
    for index in np.ndindex(np.shape(values)):
        # the complex step leaves the real coordinate where it is
        inside = None if chosen is None else fitting(chosen, values[index], step, lower[index], upper[index])
        yield index, inside


def _groups(
    points: Array, h: float, chosen: Stencil | None, box: tuple[Any, Any] | None
) -> Iterator[tuple[Stencil | None, tuple[Any, ...]]]:
    """Give every stencil that runs somewhere, with the indices of its coordinates."""
    if box is None:
        yield chosen, tuple(np.indices(points.shape).reshape(points.ndim, -1)) if points.ndim else ()
        return
    groups: dict[Stencil | None, list[tuple[int, ...]]] = {}
    for index, side in _sides(points[()], h, chosen, box):
        groups.setdefault(side, []).append(index)
    for side, members in groups.items():
        yield side, tuple(np.array(members).T) if points.ndim else ()


# bytes of the points that are written at once: they stay in the cache until they are read
_POINTS, _ROWS = 1 << 18, 1 << 20


def _one_by_one(f: Callable[[Any], Any], x: Array, indices: tuple[Any, ...], h: float, chosen: Stencil) -> Any:
    """Difference f along some coordinates, one point after another, as the loop of the textbook does."""
    step = x.dtype.type(h)
    with np.errstate(all="ignore"):
        here = x[indices].reshape(-1)
        moved = np.array([abscissa(here, offset, step) for offset in chosen.offsets])
    found: list[Any] = []
    for points in _points(x, indices, moved):
        answered = map(f, points)
        if not found:
            # what is no number is said at once, however long f takes
            found.append(_one_number(next(answered)))
        found += answered
    if all(type(value) is float or type(value) is np.float64 for value in found):
        answers = np.array(found)
    else:
        # what a narrower or wider kind of number rounds off is its own business
        answers = np.empty(len(found), dtype=object)
        answers[:] = [_one_number(value) for value in found]
    columns = answers.reshape(-1, len(moved)).T
    with np.errstate(all="ignore"):
        total = weighted_sum(chosen, dict(zip(chosen.offsets, columns, strict=True)), step)
        return (total / divisor(chosen, step)).reshape(x[indices].shape)


def _points(x: Array, indices: tuple[Any, ...], moved: Array) -> Iterator[Iterable[Array]]:
    """Give copies of x by the block, each with one coordinate moved: all offsets of the first coordinate, then on.

    Each point lies in memory as a copy of x would, and is nobody else's: f may keep it, or write into it.
    """
    like = np.empty_like(x)
    # NumPy's own functions and BLAS may take other paths where memory is aligned otherwise
    pitch = -(-max(like.nbytes, 1) // 64) * 64
    offsets, count = moved.shape
    most = max(1, _POINTS // (pitch * offsets))
    for start in range(0, count, most):
        part = slice(start, min(start + most, count))
        size = (part.stop - start) * offsets
        memory = np.empty(size * pitch, dtype=np.uint8)
        points = np.ndarray((size, *x.shape), x.dtype, memory, 0, (pitch, *like.strides))
        points[...] = x
        rows = np.arange(size).reshape(-1, offsets).T
        points[(rows, *(i[part] for i in indices))] = moved[:, part]
        # a point without axes is an array too
        yield points if x.ndim else [points[k, ...] for k in range(size)]


def _of_rows(f: Callable[[Any], Any], x: Array, indices: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return f of a coordinate that moves, for many of them at once: t[k] stands at index k in a point of its own."""

    def along(t: Any) -> Any:
        moved = np.atleast_1d(t)
        block = max(1, _ROWS // max(x.nbytes, 1))
        found = []
        for start in range(0, moved.size, block):
            part = slice(start, min(start + block, moved.size))
            count = part.stop - start
            rows = np.empty((count, *x.shape), dtype=np.result_type(x, moved))
            rows[...] = x
            rows[(np.arange(count), *(i[part] for i in indices))] = moved[part]
            values = np.asarray(answer(f(rows)))
            if values.size != count:
                raise ValueError(
                    f"f returned shape {values.shape} for {count} points of shape {x.shape}; return one number each"
                )
            found.append(values.reshape(-1))
        values = np.concatenate(found) if found else np.empty(0, dtype=x.dtype)
        return values.reshape(np.shape(t))[()]

    return along


def _along(f: Callable[[Any], Any], x: Array, index: tuple[int, ...]) -> Callable[[Any], Any]:
    return lambda t: _one_number(f(_replaced(x, index, t)))


def _partial_of_points(f: Callable[[Any], Any], points: Array, i: int, h: float, chosen: Stencil | None) -> Any:
    if points.ndim == 0:
        f(points)  # raises the function's own message about the number of coordinates

    def along(t: Array) -> Any:
        return f(_replaced(points, (..., i), t))

    return _difference(along, points[..., i], h, chosen)


def _replaced(values: Array, index: tuple[Any, ...], value: Any) -> Array:
    copy = np.array(values, dtype=np.result_type(values, value))
    copy[index] = value
    return copy


def _one_number(value: Any) -> Any:
    value = np.asarray(answer(value))
    if value.size != 1:
        raise ValueError(
            f"f(x) has shape {value.shape}: a gradient needs one number; use numerical_diff for elementwise functions"
        )
    return value.reshape(())[()]
