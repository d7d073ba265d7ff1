"""The complex step: the derivative as the imaginary part of one value, with nothing subtracted."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["complex_abscissa", "complex_quotient", "takes_complex"]

_REMEDY = 'choose scheme="central", or write f with NumPy functions that take complex numbers'


def takes_complex(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what computes f of complex numbers: ``f.complex_values`` of a formula, else f itself."""
    return getattr(f, "complex_values", f)


def complex_abscissa(x: Any, imaginary: Any) -> Any:
    """Return x + i·imaginary, the real part as it is."""
    z = np.empty(np.shape(x), dtype=np.result_type(x, np.complex64))
    # part by part: x + 1j*h would make a 0.0 of -0.0
    z.real, z.imag = x, imaginary
    return z[()]


def complex_quotient(f: Callable[[Any], Any], x: Any, h: Any) -> Any:
    """Return Im f(x + ih)/h.

    Estimated: for an analytic f that is real on the real axis it is F′(x) − h²/6·F‴(x) + O(h⁴), and no digits cancel
    when h is small.

    Parameters
    ----------
    f : callable
        Of complex numbers, elementwise.
    x : floating scalar or ndarray
    h : scalar of the dtype of x

    Raises
    ------
    TypeError
        f refuses complex numbers, drops an imaginary part on the way, or returns real numbers.

    References
    ----------
    W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).
    """
    try:
        with warnings.catch_warnings():
            # math.sin(z) takes the real part of a NumPy number with no more than this warning
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            value = np.asarray(f(complex_abscissa(x, h)))[()]
    except (TypeError, np.exceptions.ComplexWarning) as error:
        raise TypeError(f'scheme="complex": f does not take complex numbers ({error}); {_REMEDY}') from error
    if not np.iscomplexobj(value):
        raise TypeError(f'scheme="complex": f returns real numbers for complex ones; {_REMEDY}')
    with np.errstate(all="ignore"):
        return value.imag / h
