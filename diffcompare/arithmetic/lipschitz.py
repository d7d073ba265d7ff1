"""Enclosures of all slopes of a function over a range, corners included."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb

from diffcompare.arithmetic.balls import ball_function
from diffcompare.arithmetic.running_error import has_jump
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Program

__all__ = ["slope_range"]


def slope_range(program: Program, box: Sequence[arb], direction: int) -> arb | None:
    """Enclose Clarke's generalised partial derivative over a box; None where the function may jump.

    Proven: the adjoint in balls, with [−1, 1] for the derivative of |·| where the sign is undecided and [0, 1] for the
    weights of min and max, contains every element of Clarke's set (Clarke 1983, Theorem 2.3.9, chain rule).
    """
    if has_jump(program, box):
        return None
    value = ball_function(adjoint(program))(*box)[1 + direction]
    return value if value.is_finite() else None
