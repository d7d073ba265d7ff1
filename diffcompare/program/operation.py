"""One row of the table of elementary operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto

from diffcompare.program.dag import Term

__all__ = ["Kind", "Operation", "Partials"]

Partials = Callable[..., tuple[Term, ...]]


class Kind(Flag):
    """What an operation is, whatever the arithmetic: the passes ask for the kinds that they can or cannot hold."""

    CONDITION = auto()  # true or false
    PIECEWISE = auto()  # another formula on the two sides of a corner, a jump or a condition
    SPECIAL = auto()  # no elementary function
    LINEAR = auto()  # a sum of its operands, signs apart
    POLYNOMIAL = auto()  # sums of products of its operands
    RATIONAL = auto()  # what exact arithmetic carries out: polynomials, quotients, whole powers
    ANALYTIC = auto()  # and NumPy or SciPy computes it of complex numbers
    EXACT = auto()  # floats of every format do not round it
    ROUNDED = auto()  # floats of every format round it correctly (IEEE 754-2019, 5.4.1)


@dataclass(frozen=True, slots=True)
class Operation:
    """One elementary operation.

    Parameters
    ----------
    name : str
        Its name in programs.
    arity : int
        Number of operands, -1 for any.
    kind : Kind
        The classes that it belongs to.
    names : tuple of str
        Its names in text and in modules: those of NumPy or SciPy, ``math`` and SymPy.
    sympy : str
        The class of the SymPy function, empty where SymPy writes it otherwise.
    partials : callable or None
        ``partials(result, *operands)`` returns one :class:`Term` per operand; None where there is nothing to
        differentiate or the payload is needed (:func:`~diffcompare.program.operations.partial_terms`).
    switch : str
        Source of a quantity (``{0}`` the first operand) that is 0 where the operation has a corner, a jump or an
        edge of its domain that belongs to the domain. A derivative needs it certainly non-zero.
    domain : str
        Where the operation is defined, in words; empty for the whole line.
    parameters : int
        How many of the first operands are parameters (an order, a degree): they must not depend on a variable.
    by_order : bool
        The payload k means the k-th derivative in the last operand, for functions whose derivative has no closed
        form, or one that divides by 0 where the function is smooth.
    """

    name: str
    arity: int
    kind: Kind
    names: tuple[str, ...] = ()
    sympy: str = ""
    partials: Partials | None = None
    switch: str = ""
    domain: str = ""
    parameters: int = 0
    by_order: bool = False
