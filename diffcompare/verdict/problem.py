"""What a rule of the verdict is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.tracing.calling import called
from diffcompare.watchdog import on_time

__all__ = ["Problem", "State", "real_numbers"]


def real_numbers(value: Any) -> NDArray[Any]:
    """Return what the user's code returned as an array of real numbers; ``TypeError`` says what it is instead."""
    if value is None:
        raise TypeError("None")
    if np.ma.is_masked(value):
        raise TypeError("a masked array, some of whose numbers are masked")
    try:
        array = np.asarray(value)
    except Exception as error:
        raise TypeError(f"{type(value).__name__}, which is no array of numbers ({type(error).__name__})") from error
    if array.dtype == object and array.size and all(isinstance(v, Real) for v in array.flat):
        # fractions, and numbers of mpmath
        with suppress(OverflowError):
            array = array.astype(np.float64)
    if array.dtype.kind == "c":
        raise TypeError(f"complex numbers ({array.dtype}), of which .real or abs() may be meant")
    if array.dtype.kind not in "fiub":
        if not isinstance(value, np.ndarray | list | tuple):
            raise TypeError(type(value).__name__)
        held = f", which holds {type(array.flat[0]).__name__}" if array.dtype == object and array.size else ""
        raise TypeError(f"an array of dtype {array.dtype}{held}")
    return array


@dataclass(frozen=True, slots=True)
class State:
    """What function and derivative returned when they were called at the point.

    Parameters
    ----------
    values : ndarray of float64, shape (outputs,)
        Of the function; nan where it raised.
    claimed : ndarray of float64, shape (n,)
        The components.
    unit, claim_unit : float
        The unit roundoff of what each returned.
    steady : bool
        Whether the function answers nearby, and thereafter as before.
    unused : bool
        Whether the function answers alike wherever its argument is.
    """

    values: Floats
    claimed: Floats
    unit: float
    claim_unit: float
    steady: bool = True
    unused: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A gradient, or another derivative, that is claimed at a point.

    Parameters
    ----------
    function, gradient : callable
        The user's own callables; they take ``unflatten(x), *args``.
    x : ndarray of float64, shape (n,)
        The point, flat.
    unflatten : callable
        From a flat array to fresh arguments of the user's structure (an array of any shape, a tuple or dict of arrays).
    flatten : callable
        From what the gradient returned to a flat float array, one number a component (``ValueError`` for another
        structure).
    names : sequence of str
        How each component is called in messages: ``x[0]``, ``W[1, 2]``.
    formula : SymbolicFunction or None
        What the function claims to be, with n variables in the order of ``x``.
    args : tuple
        Further arguments of both callables.
    box : pair of ndarray or None
        Lower and upper corner; no evaluation leaves it.
    noise : float or None
        The stated absolute error of the function.
    what : str
        The word for what is claimed.
    outputs : int
        How many numbers the function returns.
    derivative : callable
        From the program of the function to a program with its outputs, then the true components, then slopes that
        must exist for the components to exist (of a Hessian: the gradient).
    weights : ndarray or None
        The components are these combinations (rows) of what is returned: slopes along directions.
    directions : ndarray or None
        The components are the slopes along these directions (rows), whatever is returned.
    guards : bool
        Judge the function without the guards that the gradient ignores.
    seen : State or None
        What the calls of these callables at this point have shown, once that is known.
    """

    function: Callable[..., Any]
    gradient: Callable[..., Any]
    x: Floats
    unflatten: Callable[[Floats], Any]
    flatten: Callable[[Any], NDArray[Any]]
    names: Sequence[str]
    formula: SymbolicFunction | None = None
    args: tuple[Any, ...] = ()
    box: tuple[Floats, Floats] | None = None
    noise: float | None = None
    what: str = "gradient"
    outputs: int = 1
    derivative: Callable[[Program], Program] = adjoint
    weights: Floats | None = None
    directions: Floats | None = None
    guards: bool = False
    seen: State | None = None

    def values(self, x: Floats) -> Floats:
        """Evaluate all outputs of the user's function at a flat point, on fresh arguments."""
        on_time()
        return self.numbers(called(self.function, self.unflatten(x), *self.args))

    def numbers(self, returned: Any) -> Floats:
        """Return the outputs that the function returned; ``TypeError`` where they are not as many real numbers."""
        needed = f"a function must return {'one real number' if self.outputs == 1 else f'{self.outputs} real numbers'}"
        try:
            values = real_numbers(returned)
        except TypeError as error:
            raise TypeError(f"returned {error}: {needed}") from error.__cause__
        if values.size != self.outputs:
            remedy = "; `dc.check_jacobian` judges the first derivatives of several" if self.outputs == 1 else ""
            raise TypeError(f"returned an array of shape {values.shape}: {needed}{remedy}")
        return values.reshape(-1).astype(np.float64)

    @property
    def scales(self) -> Floats:
        """The size of each coordinate; of one that is 0, the size of the largest, but no more than 1."""
        size = np.abs(self.x)
        return np.asarray(np.where(size > 0, size, min(1.0, float(size.max(initial=0.0)) or 1.0)), dtype=np.float64)

    def inside(self, x: Floats) -> Floats:
        """Move flat points into the box."""
        return x if self.box is None else np.asarray(np.clip(x, *self.box), dtype=np.float64)

    def value(self, x: Floats) -> float:
        """Evaluate the user's function at a flat point, on fresh arguments."""
        return float(self.values(x)[0])

    def claim(self, x: Floats) -> Floats:
        """Evaluate the user's gradient at a flat point, on fresh arguments."""
        on_time()
        return self.read(called(self.gradient, self.unflatten(x), *self.args))

    def read(self, returned: Any) -> Floats:
        """Return the components of what was returned; ``ValueError`` for another structure."""
        return self.combined(self.flatten(returned))

    def combined(self, flat: NDArray[Any]) -> Floats:
        """Return the components of what was returned and flattened."""
        values = np.asarray(flat, dtype=np.float64)
        return values if self.weights is None else self.weights @ values
