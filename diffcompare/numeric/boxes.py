"""Stencils that stay inside a box: one-sided ones of the same accuracy near its sides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.errors import shown
from diffcompare.floats import as_floats, check_sides, sides_of
from diffcompare.numeric.quotients import abscissa
from diffcompare.numeric.stencils import Stencil, stencil

__all__ = ["candidates", "check_box", "fitting"]


def check_box(box: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the sides of a box, in any spelling, as arrays of a shape; ``ValueError`` for what is no box."""
    sides = sides_of(box)
    try:
        lower, upper = (_shaped(as_floats(side, "box"), shape) for side in sides)
    except ValueError as error:
        if "largest float" in str(error):
            raise
        raise ValueError(f"box={shown(box)}: its sides must be numbers, or arrays of shape {shape}") from None
    return check_sides(box, lower, upper)


def _shaped(side: Any, shape: tuple[int, ...]) -> Any:
    # of SciPy's bounds, which are flat
    flat = side.ndim == 1 and side.size == math.prod(shape)
    return side.reshape(shape) if flat else np.broadcast_to(side, shape)


def candidates(chosen: Stencil) -> Iterator[Stencil]:
    """Give the stencil, then the forward and the backward one of its order."""
    yield chosen
    suffix = "" if chosen.order == 1 else str(chosen.order)
    for side in ("forward", "backward"):
        yield stencil(f"{side}{suffix}", chosen.derivative)


def fitting(chosen: Stencil, x: Any, h: Any, lower: float, upper: float) -> Stencil:
    """Return the first candidate whose abscissae, exact and rounded, lie in [lower, upper].

    Raises
    ------
    ValueError
        None of them fits.
    """
    for candidate in candidates(chosen):
        if all(lower <= t <= upper for offset in candidate.offsets for t in _abscissae(x, offset, h)):
            return candidate
    raise ValueError(
        f"h={float(h)!r}: at {float(x)!r} no stencil of order {chosen.order} fits into the box "
        f"[{float(lower)!r}, {float(upper)!r}]; take a smaller h"
    )


def _abscissae(x: Any, offset: Fraction, h: Any) -> tuple[Any, Fraction]:
    return abscissa(x, offset, h), Fraction(*x.as_integer_ratio()) + offset * Fraction(*h.as_integer_ratio())
