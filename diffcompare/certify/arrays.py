"""Certified Jacobians and Hessians: every entry correctly rounded, by the rules of the certified gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.arithmetic.jets import directional_curvature
from diffcompare.certify.reference import (
    certified_gradient,
    certified_partials,
    check_point,
    is_regular,
)
from diffcompare.errors import shorten
from diffcompare.floats import Floats
from diffcompare.program.adjoint import adjoint, hessian
from diffcompare.program.dag import Program, subprogram
from diffcompare.program.run import per_program
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.watchdog import one_account

__all__ = ["ReferenceArray", "certified_hessian", "certified_jacobian", "gradient_functions"]

_BITS = 160
# worst first: what an entry is if two conditions of its existence fail in two ways
_ORDER = ("domain", "kink", "undecided", "ok")


@dataclass(frozen=True, slots=True)
class ReferenceArray:
    """Certified derivatives at one point, in an array.

    Parameters
    ----------
    value : ndarray of float64
        Correctly rounded; nan where the status is not ``ok``.
    status : ndarray of str, of the same shape
        ``ok``, ``kink``, ``domain`` or ``undecided``.
    notes : tuple of str
        What went wrong inside diffcompare, empty unless two routes contradict one another.
    """

    value: Floats
    status: NDArray[np.str_]
    notes: tuple[str, ...] = ()


@one_account()
def certified_jacobian(f: SymbolicFunction, point: ArrayLike) -> ReferenceArray:
    """Certify the Jacobian of a formula at a point, as :func:`diffcompare.certified_jacobian` promises it.

    Raises
    ------
    ValueError
        Wrong number of coordinates, or one that is nan or infinite.
    """
    rows = [certified_gradient(component, point) for component in f.components]
    shape = (*f.output_shape, len(f.variables))
    return ReferenceArray(
        np.array([row.value for row in rows]).reshape(shape),
        np.array([row.status for row in rows]).reshape(shape),
        tuple(dict.fromkeys(note for row in rows for note in row.notes)),
    )


@one_account()
def certified_hessian(f: SymbolicFunction, point: ArrayLike) -> ReferenceArray:
    """Certify the second derivatives of a formula at a point, as :func:`diffcompare.certified_hessian` promises them.

    Raises
    ------
    ValueError
        A vector function; wrong number of coordinates, or one that is nan or infinite.

    References
    ----------
    Griewank, Walther, Evaluating Derivatives, 2nd ed. (2008), section 5.4: the adjoint of the adjoint.
    """
    coordinates = check_point(f, point)
    n = len(coordinates)
    first = certified_partials(f, coordinates)
    regular = is_regular(f, coordinates)
    value, status = np.full((n, n), np.nan), np.full((n, n), "undecided", dtype="<U9")
    notes = [partial.note for partial in first if partial.note]
    for i, slope in enumerate(gradient_functions(f)):
        # a slope that has no value here has no derivative
        if first[i].status != "ok":
            status[i] = first[i].status
            continue
        absent = _absent(slope.program)
        for j, partial in enumerate(certified_partials(slope, coordinates)):
            notes += [partial.note] if partial.note else []
            status[i, j] = _status(partial.status, regular, i == j, absent[j])
            value[i, j] = partial.value
    worst = np.minimum(_ranks(status), _ranks(status).T)
    apart = ~((value == value.T) | np.isnan(value) | np.isnan(value.T)) & (worst == _ORDER.index("ok"))
    if apart.any() or (regular and (worst == _ORDER.index("ok")).all() and not _curvature_agrees(f, coordinates)):
        notes.append(f"internal error: two routes to the second derivatives of {shorten(f.name)} contradict; report it")
        worst[apart if apart.any() else ...] = _ORDER.index("undecided")
    status = np.array(_ORDER)[worst]
    return ReferenceArray(np.where(status == "ok", value, np.nan), status, tuple(dict.fromkeys(notes)))


def _ranks(status: NDArray[np.str_]) -> NDArray[np.intp]:
    return np.array([[_ORDER.index(word) for word in row] for row in status.tolist()], dtype=np.intp)


def _status(found: str, regular: bool, diagonal: bool, absent: bool) -> str:
    if regular or found == "kink":
        return found
    if found == "domain":
        # the program of the slope divides by 0 here though the slope has a value
        return "undecided"
    # off the axis of its own variable the program of a slope follows conventions at corners
    return found if diagonal or absent else "undecided"


def _absent(program: Program) -> list[bool]:
    """Tell which variables do not occur in a program."""
    used = {int(node.payload or 0) for node in program.nodes if node.operation == "variable"}
    return [i not in used for i in range(len(program.variables))]


def _curvature_agrees(f: SymbolicFunction, point: Sequence[float]) -> bool:
    """Check the second adjoint against one Taylor coefficient: ½·dᵀHd along a direction of small odd numbers."""
    n = len(point)
    direction = [2 * i + 3 for i in range(n)]
    program = hessian(f.program)
    with precision(_BITS):
        entries = ball_function(program)(*map(ball, point))[1 : 1 + n * n]
        total = sum((direction[k // n] * direction[k % n] * e for k, e in enumerate(entries)), ball(0))
        curvature = directional_curvature(f.program, point, direction, _BITS)
        return not (total.is_finite() and curvature.is_finite()) or bool(total.overlaps(curvature))


@per_program
def gradient_functions(f: SymbolicFunction) -> tuple[SymbolicFunction, ...]:
    """Return the partial derivatives as functions of their own: what is compiled for them is kept with f's program."""
    derivative = adjoint(f.program)
    return tuple(
        SymbolicFunction.from_program(
            subprogram(derivative, [output]), formula=f"d({shorten(f.name, 60)})/d{name}", source=f.source
        )
        for name, output in zip(f.variables, derivative.outputs[1:], strict=True)
    )
