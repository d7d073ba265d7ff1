"""Operations over ranges of their operands: an enclosure of every value, exact or computed, where all is smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from flint import arb

from diffcompare.arithmetic.balls import (
    Ball,
    BallFunction,
    ball,
    certainly_nonzero,
    exact_fraction,
    precision,
    switch_function,
)
from diffcompare.errors import UnsupportedFunction
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Node, Program
from diffcompare.program.operations import CONDITIONS, OPERATIONS
from diffcompare.program.run import interpret

__all__ = ["RANGE_BITS", "Range", "constant_range", "is_smooth", "smooth_range", "variable_range"]

RANGE_BITS = 64
# values and slopes beyond it are refused, so that squares of them are finite floats too
_LARGEST = 1e100
_WORST = 1e-6
# wider than the rounding of any function of NumPy's (a few ulps) and than its absolute error near a zero
_RELATIVE, _ABSOLUTE = 2.0**-48, 2.0**-1000


@dataclass(frozen=True, slots=True)
class Range:
    """All values of a node over a box, and a bound on the sum of its partial derivatives there, in size.

    Parameters
    ----------
    values : ball
        Contains the exact values and those that binary64 code computes.
    slope : ball
        At least Σ|∂/∂x_i| everywhere on the box.
    error : ball
        At least the rounding error of a value that binary64 code computes.
    """

    values: Ball
    slope: Ball
    error: Ball

    @property
    def middle(self) -> float:
        """A value near the middle of the range."""
        return float(self.values.mid())


def variable_range(low: float, high: float) -> Range:
    """Return the range of a variable."""
    return Range(arb(low).union(arb(high)), arb(1), arb(0))


def constant_range(value: float) -> Range:
    """Return the range of a constant, of which ``value`` is the nearest float."""
    return _constant(arb(value))


def smooth_range(operation: str, operands: Sequence[Range], payload: int | None = None) -> Range | None:
    """Enclose an operation over ranges of its operands; None where it is not certainly smooth and moderate there.

    Proven: inside the domain and on no corner, for every exact operand and for every one that binary64 code
    computes; values and slopes of at most 1e100, and rounding errors of at most 1e-6, relative where the value is
    large (the sine of 1e81 is nothing but rounding). Call it at a precision of ``RANGE_BITS``.
    """
    # parameters, such as the order of a Bessel function, are exact constants; there is no derivative in them
    count = OPERATIONS[operation].parameters
    parameters = tuple(exact_fraction(operand.values) for operand in operands[:count])
    if None in parameters:
        return None
    moving = operands[count:]
    run, outputs = _single(operation, parameters, len(moving), payload)
    values, *rest = run(*(operand.values for operand in moving))
    partials, switches = rest[: outputs - 1], rest[outputs - 1 :]
    if not (values.is_finite() and all(certainly_nonzero(quantity) for quantity in switches)):
        return None
    slope, error = arb(0), _rounding(values)
    for partial, operand in zip(partials, moving, strict=True):
        size = partial.abs_upper()
        slope += size * operand.slope
        error += size * operand.error
    largest = values.abs_upper() + error
    # a comparison of balls is true only if it is certain
    if not (largest <= _LARGEST and slope <= _LARGEST and error <= _WORST * (1 + largest)):
        return None
    return Range(values + arb(0, _rounding(values)), slope, error)


def is_smooth(program: Program, box: Sequence[tuple[float, float]]) -> bool:
    """Tell whether the first output is certainly smooth and moderate on a box, at every node."""

    def leaf(node: Node) -> Range:
        if node.operation == "variable":
            return variable_range(*box[int(node.payload or 0)])
        return _exact_constant(Fraction(node.payload or 0)) if node.operation == "constant" else apply(node)

    def apply(node: Node, *operands: Range) -> Range:
        found = smooth_range(node.operation, operands, None if node.payload is None else int(node.payload))
        if found is None:
            raise UnsupportedFunction(f"{node.operation} is not smooth there")
        return found

    try:
        with precision(RANGE_BITS):
            interpret(program, leaf, apply)
    except UnsupportedFunction:
        return False
    return True


def _exact_constant(value: Fraction) -> Range:
    exact = abs(value) < _LARGEST and Fraction(float(value)) == value
    return Range(ball(value), arb(0), arb(0)) if exact else _constant(ball(value))


def _constant(value: Ball) -> Range:
    error = _rounding(value)
    return Range(value + arb(0, error), arb(0), error)


def _rounding(values: Ball) -> Ball:
    return values.abs_upper() * _RELATIVE + _ABSOLUTE


@lru_cache(maxsize=1024)
def _single(
    operation: str, parameters: tuple[Fraction, ...], count: int, payload: int | None
) -> tuple[BallFunction, int]:
    """Compile one operation, its partial derivatives and its switches."""
    if operation in CONDITIONS:
        raise UnsupportedFunction(f"operation {operation!r} has no derivative; choose another")
    build = Builder([f"v{k}" for k in range(count)])
    fixed, moving = map(build.constant, parameters), map(build.variable, range(count))
    result = build.raw(operation, *fixed, *moving, payload=payload)
    try:
        program = adjoint(build.program([result]))
    except KeyError:
        raise UnsupportedFunction(f"operation {operation!r} has no derivative; choose another") from None
    return switch_function(program, program.outputs[0])
