"""Finite differences of functions of many variables: Jacobians, Hessians, slopes along a direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.errors import check_step_size
from diffcompare.floats import answer, float_copy
from diffcompare.numeric.complex_step import complex_abscissa, takes_complex
from diffcompare.numeric.differences import numerical_diff
from diffcompare.numeric.in_place import seen_to_move
from diffcompare.numeric.stencils import COMPLEX_STEP, Stencil

__all__ = ["numerical_directional", "numerical_hessian", "numerical_jacobian"]

Array = NDArray[Any]
Function = Callable[[Any], Any]


def numerical_jacobian(f: Function, x: ArrayLike, h: float = 1e-4, *, scheme: str | Stencil = "central") -> Any:
    """Differentiate a function of many variables and many values by finite differences, one variable at a time.

    Estimated. Column j is ``(f(x + h*e) - f(x - h*e)) / (2*h)`` for ``central``, with e the j-th unit vector, and so
    on: the formulas of :func:`numerical_diff`.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of x and returns a number or an array. A ``SymbolicFunction`` takes points along
        the last axis, or, with one variable, numbers elementwise.
    x : array_like
        Any shape; copied as float64 (longdouble stays); left as it was, as in :func:`numerical_gradient`.
    h : float
        Step size, the same for every coordinate.
    scheme : str or Stencil
        As of :func:`numerical_diff`, of the first derivative.

    Returns
    -------
    ndarray
        The shape of f(x), then that of x. A SymbolicFunction of n > 1 variables: of the points, of a value, then n.

    Raises
    ------
    ValueError
        Unknown scheme; bad step size.
    TypeError, UnsupportedFunction
        ``complex``: as of :func:`numerical_diff`.

    Examples
    --------
    >>> import numpy as np
    >>> numerical_jacobian(lambda x: np.array([x[0] * x[1], x[1]]), [3, 4], 0.5).tolist()
    [[4.0, 3.0], [0.0, 1.0]]
    """
    values = float_copy("x", x)
    run = takes_complex(f) if scheme == COMPLEX_STEP else f

    def columns(g: Function) -> list[Any]:
        return [
            numerical_diff(_moved(g, values, index), values[index], h, scheme=scheme, derivative=1)
            for index in _axes(f, values)
        ]

    return _arranged(f, values, seen_to_move(columns, run, None if scheme == COMPLEX_STEP else x, h), 1)


def numerical_hessian(f: Function, x: ArrayLike, h: float = 1e-4, *, scheme: str = "central") -> Any:
    """Differentiate a function of many variables twice by finite differences.

    Estimated. With d and e the steps h along two variables, ``central`` is
    ``(f(x + d + e) - f(x + d - e) - f(x - d + e) + f(x - d - e)) / (4*h*h)`` off the diagonal, and on it
    ``(f(x + d) - 2*f(x) + f(x - d)) / (h*h)``, whose truncation h²/12·∂⁴f is a quarter of that of the first formula
    with e = d. Any other scheme is applied along the second variable to what it gives along the first: ``forward`` is
    ``((f(x + d + e) - f(x + e)) / h - (f(x + d) - f(x)) / h) / h``. Entries below the diagonal are copies.

    Parameters
    ----------
    f : callable
        As of :func:`numerical_jacobian`.
    x : array_like
        Any shape; copied as float64 (longdouble stays); left as it was, as in :func:`numerical_gradient`.
    h : float
        Step size, the same for every coordinate. Rounding grows like u/h², so the default 1e-4 is near the best there
        is for ``central`` where f and x are near 1; much smaller steps leave no correct digit.
    scheme : str
        As of :func:`numerical_diff`, but for ``complex``, which is one of first derivatives.

    Returns
    -------
    ndarray
        The shape of f(x), then that of x twice. A SymbolicFunction of n > 1 variables: of the points, of a value, then
        n and n.

    Raises
    ------
    ValueError
        Unknown scheme, or ``complex``; bad step size.

    References
    ----------
    Abramowitz, Stegun, Handbook of Mathematical Functions, 25.3.23 (on the diagonal) and 25.3.26 (off it).

    Examples
    --------
    >>> numerical_hessian(lambda x: x[0] ** 2 * x[1], [3, 4], 0.5).tolist()
    [[8.0, 6.0], [6.0, 0.0]]
    """
    if scheme == COMPLEX_STEP:
        raise ValueError(
            'scheme="complex" is one of first derivatives: the imaginary part of f has no second one in it; pass the '
            'gradient of f to numerical_jacobian with scheme="complex", or choose scheme="central"'
        )
    values, step = float_copy("x", x), check_step_size(h)
    axes = _axes(f, values)

    def entries(g: Function) -> list[Any]:
        found: dict[tuple[int, int], Any] = {}
        for i, one in enumerate(axes):
            for j, two in enumerate(axes[: i + 1]):
                entry = _second(g, values, one, two, values.dtype.type(step), scheme)
                found[i, j] = found[j, i] = entry
        return [found[i, j] for i in range(len(axes)) for j in range(len(axes))]

    return _arranged(f, values, seen_to_move(entries, f, x, step), 2)


def numerical_directional(
    f: Function, x: ArrayLike, direction: ArrayLike, h: float = 1e-4, *, scheme: str | Stencil = "central"
) -> Any:
    """Differentiate a function along a direction by a finite difference.

    Estimated. Evaluates ``(f(x + h*direction) - f(x - h*direction)) / (2*h)`` for ``central``, and so on: the formulas
    of :func:`numerical_diff`. It is the slope along the direction times its length.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of x and returns a number or an array.
    x : array_like
        Any shape; copied as float64 (longdouble stays); left as it was, as in :func:`numerical_gradient`.
    direction : array_like
        Of the shape of x; not normalised.
    h : float
        Step size in units of the direction.
    scheme : str or Stencil
        As of :func:`numerical_diff`, of the first derivative.

    Returns
    -------
    float64 or ndarray of the shape of f(x)

    Raises
    ------
    ValueError
        Unknown scheme; bad step size; a direction of another shape than x.
    TypeError, UnsupportedFunction
        ``complex``: as of :func:`numerical_diff`.

    Examples
    --------
    >>> float(numerical_directional(lambda x: x[0] * x[1], [3, 4], [1, 2], 0.5))
    10.0
    """
    values, along = float_copy("x", x), float_copy("direction", direction)
    if values.shape != along.shape:
        raise ValueError(f"direction of shape {along.shape}: it must have the shape {values.shape} of x")
    run = takes_complex(f) if scheme == COMPLEX_STEP else f

    def slope(g: Function) -> Any:
        def moved(t: Any) -> Any:
            return g(complex_abscissa(values, t.imag * along) if np.iscomplexobj(t) else values + t * along)

        return numerical_diff(moved, values.dtype.type(0), h, scheme=scheme, derivative=1)

    return seen_to_move(slope, run, None if scheme == COMPLEX_STEP else x, h)


def _of_points(f: Function) -> int:
    """Return the number of variables of a SymbolicFunction of several, 0 of anything else."""
    variables = getattr(f, "variables", ())
    return len(variables) if len(variables) > 1 else 0


def _axes(f: Function, x: Array) -> list[tuple[Any, ...]]:
    """Return an index of x for every variable; ``(..., j)`` where x holds points along its last axis."""
    if _of_points(f):
        if x.ndim == 0 or x.shape[-1] != _of_points(f):
            f(x)  # raises the function's own message about the number of coordinates
        return [(..., j) for j in range(_of_points(f))]
    # numbers of a function of one variable are points of their own
    return [()] if hasattr(f, "variables") else list(np.ndindex(x.shape))


def _moved(f: Function, x: Array, index: tuple[Any, ...]) -> Function:
    return lambda t: f(_replaced(x, index, t)[()])


def _second(f: Function, x: Array, one: tuple[Any, ...], two: tuple[Any, ...], h: Any, scheme: str) -> Any:
    if scheme != "central":

        def slope(t: Any) -> Any:
            return numerical_diff(_moved(f, _replaced(x, two, t), one), _replaced(x, two, t)[one], h, scheme=scheme)

        return numerical_diff(slope, x[two], h, scheme=scheme)

    def at(s: int, t: int) -> Any:
        copy = np.array(x)
        copy[one] += s * h
        copy[two] += t * h
        return answer(f(copy[()]))

    with np.errstate(all="ignore"):
        if one == two:
            return (at(1, 0) - 2 * at(0, 0) + at(-1, 0)) / (h * h)
        return (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * h * h)


def _replaced(x: Array, index: tuple[Any, ...], value: Any) -> Array:
    copy = np.array(x, dtype=np.result_type(x, value))
    copy[index] = value
    return copy


def _arranged(f: Function, x: Array, columns: list[Any], times: int) -> Any:
    """Put the columns last, in the shape of the variables."""
    if hasattr(f, "variables") and not _of_points(f):
        return columns[0]
    shape = (_of_points(f),) if _of_points(f) else x.shape
    stacked = np.stack([np.asarray(column) for column in columns], axis=-1)
    return stacked.reshape(stacked.shape[:-1] + shape * times)[()]
