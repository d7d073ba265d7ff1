"""Right gradients and wrong ones that are known to be wrong, for tests of gradient checkers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffcompare.arithmetic.balls import Ball, ball, ball_function, precision
from diffcompare.program.adjoint import adjoint
from diffcompare.program.code import constant_nodes
from diffcompare.program.dag import Builder, Node, Program, subprogram
from diffcompare.program.operations import OPERATIONS
from diffcompare.program.printing import formula
from diffcompare.program.run import interpret
from diffcompare.symbolic.function import SymbolicFunction
from diffcompare.testing.building import SmoothFunction
from diffcompare.testing.digits import bug_digits
from diffcompare.testing.snippets import constructor_source, print_constructor
from diffcompare.testing.strategies import Point, placed, places, smooth_functions

__all__ = ["Gradient", "GradientWithBug", "gradients_with_bugs"]

# relative to the largest partial derivative: what a checker of floats can see
_SMALLEST = 2.0**-20
# and what does not underflow
_LEAST, _LARGEST = 1e-250, 1e100
# enough for the sine of 1e100
_BITS = 640


@dataclass(frozen=True, slots=True, repr=False)
class Gradient:
    """A gradient as code: ``gradient(point)`` with NumPy, each component a formula.

    Parameters
    ----------
    components : tuple of SymbolicFunction
        The partial derivatives, in the order of the variables.
    """

    components: tuple[SymbolicFunction, ...]

    __repr__ = constructor_source
    _repr_pretty_ = print_constructor

    def __call__(self, point: Any) -> NDArray[Any]:
        """Evaluate at one point, with one coordinate per variable."""
        coordinates = [*np.atleast_1d(point)]
        # 1/cosh² of large arguments overflows on the way to 0
        with np.errstate(all="ignore"):
            values = [_code(component)(*coordinates) for component in self.components]
        # a constant partial derivative is a plain number
        return np.array([value + 0.0 * coordinates[0] if isinstance(value, float) else value for value in values])


@dataclass(frozen=True, slots=True, repr=False)
class GradientWithBug:
    """A function, its gradient, and a gradient with one bug that shows at the point.

    Parameters
    ----------
    function : SmoothFunction
    point : tuple of float
        In the box of the function.
    gradient : Gradient
        Right, up to rounding.
    mutant : Gradient
        Proven: at the point, as a real function, it differs from the derivative by more than 2⁻²⁰ of the largest
        partial derivative, and 1e-250, in at least one component. What it returns is not what ``gradient`` returns.
    bug : str
        What was done to the gradient.
    """

    function: SmoothFunction
    point: Point
    gradient: Gradient
    mutant: Gradient
    bug: str

    __repr__ = constructor_source
    _repr_pretty_ = print_constructor


@lru_cache(maxsize=512)
def _code(component: SymbolicFunction) -> Callable[..., Any]:
    return component.callable(np)


def gradients_with_bugs(
    *,
    variables: Sequence[str] = ("x", "y"),
    max_operations: int = 8,
    operations: Sequence[str] | None = None,
) -> st.SearchStrategy[GradientWithBug]:
    """Draw a function with its gradient and a mutant of it, for tests of gradient checkers.

    One operation of the gradient's code is replaced: a sign, sine for cosine, a factor that is missing, a number.

    Parameters
    ----------
    variables, max_operations, operations
        See :func:`smooth_functions`.

    Returns
    -------
    SearchStrategy of GradientWithBug
        With ``.function``, ``.point``, ``.gradient``, ``.mutant`` and ``.bug``.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(gradients_with_bugs(variables=["x"]))
    ... def test(case):
    ...     assert case.mutant(case.point) != case.gradient(case.point)
    >>> test()
    """
    functions = smooth_functions(variables=variables, max_operations=max_operations, operations=operations)
    return _with_bugs(functions, len(variables))


@lru_cache(maxsize=256)
def _with_bugs(functions: st.SearchStrategy[SmoothFunction], count: int) -> st.SearchStrategy[GradientWithBug]:
    # not from st.builds, as in the strategies
    @st.composite
    def mutated(draw: st.DrawFn) -> GradientWithBug:
        f, place, (start,) = draw(functions), draw(places(count)), draw(bug_digits(256))
        return _mutated(f, placed(f.box, place), start)

    return mutated()


def _mutated(f: SmoothFunction, point: Point, start: int) -> GradientWithBug:
    program = adjoint(f.program)
    right = subprogram(program, program.outputs[1:])
    with precision(_BITS):
        arguments = [ball(x) for x in point]
        exact = ball_function(right)(*arguments)
        mutants = [*_replacements(right), *_additions(right)]
        gradient = _gradient(right)
        # any start; all are tried, and the last ones always differ as real functions
        shift = start % max(1, len(mutants) - 2 * len(point))
        for program, bug in mutants[shift:] + mutants[:shift]:
            if _differs(exact, ball_function(program)(*arguments)):
                mutant = _gradient(program)
                if not np.array_equal(gradient(point), mutant(point), equal_nan=True):
                    return GradientWithBug(f, point, gradient, mutant, bug)
    # where large terms cancel, the floats may have lost the derivative and every bug with it
    return reject()


def _differs(exact: Sequence[Ball], wrong: Sequence[Ball]) -> bool:
    """Tell whether the two certainly differ by more than 2⁻²⁰ of the largest, and the mutant is moderate."""
    if not all(value.is_finite() and value.abs_upper() <= _LARGEST for value in wrong):
        return False
    largest = ball(0)
    for value in exact:
        largest = largest.max(value.abs_upper())
    visible = largest * _SMALLEST + _LEAST
    # a comparison of balls is true only if it is certain
    return any(abs(a - b) > visible for a, b in zip(exact, wrong, strict=True))


def _gradient(program: Program) -> Gradient:
    components = []
    for output in program.outputs:
        one = subprogram(program, [output])
        components.append(SymbolicFunction.from_program(one, formula=formula(one, one.outputs[0], limit=1_000_000)))
    return Gradient(tuple(components))


# what people mix up; each must be of the same number of operands
_MIXED_UP = {
    "sin": "cos",
    "cos": "sin",
    "exp": "expm1",
    "sinh": "cosh",
    "cosh": "sinh",
    "log": "log1p",
    "log2": "log",
    "sqrt": "cbrt",
    "tan": "tanh",
    "tanh": "tan",
    "atan": "tanh",
    "add": "subtract",
    "subtract": "add",
    "multiply": "divide",
    "divide": "multiply",
}


def _replacements(program: Program) -> Iterator[tuple[Program, str]]:
    """Yield the programs in which one node is another operation, a factor is gone, or an exponent or number is off."""
    still = constant_nodes(program)
    for index, node in enumerate(program.nodes):
        shown = formula(program, index, limit=40)
        if node.operation == "negative":
            yield _with_node(program, index, _operand(0)), f"the sign of {shown} is lost"
        elif node.operation == "integer_power":
            n = int(node.payload or 0)
            yield (
                _with_node(program, index, _power(n + 1)),
                f"the exponent of {shown} is {n + 1}",
            )
        elif node.operation in _MIXED_UP and index not in still:
            other = _MIXED_UP[node.operation]
            yield _with_node(program, index, _operation(other)), f"{other} in place of {node.operation} in {shown}"
        if node.operation == "multiply":
            for k in range(2):
                yield _with_node(program, index, _operand(k)), f"a factor of {shown} is missing"
        elif OPERATIONS[node.operation].arity == 1 and node.operation != "negative":
            yield _with_node(program, index, _operand(0)), f"{shown} is replaced by its argument"


def _additions(program: Program) -> Iterator[tuple[Program, str]]:
    """Yield the programs with one component doubled, or 1 more: one of the two always differs."""
    for k, name in enumerate(program.variables):
        for operation, number, words in (("multiply", 2, "is doubled"), ("add", 1, "is 1 too large")):
            build = Builder(program.variables, start=program)
            outputs = list(program.outputs)
            outputs[k] = build.raw(operation, outputs[k], build.constant(number))
            yield build.program(outputs), f"the partial derivative by {name} {words}"


Replacement = Callable[[Builder, Sequence[int]], int]


def _operation(name: str) -> Replacement:
    return lambda build, operands: build.raw(name, *operands)


def _operand(k: int) -> Replacement:
    return lambda _, operands: operands[k]


def _power(n: int) -> Replacement:
    return lambda build, operands: build.raw("integer_power", operands[0], payload=n)


def _with_node(program: Program, changed: int, replacement: Replacement) -> Program:
    """Copy a program with one node replaced."""
    build = Builder(program.variables)

    def copied(node: Node, *operands: int) -> int:
        return replacement(build, operands) if node is program.nodes[changed] else build.copy(node, *operands)

    new = interpret(program, copied, copied)
    return build.program(new[i] for i in program.outputs)
