"""Programs in floating point: one generated NumPy function, the operations in the program's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.ulp import BINARY64, FORMATS, Format
from diffcompare.program.code import constant_nodes, operation_source
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import FALLBACKS, OPERATIONS
from diffcompare.program.run import compiled, per_program
from diffcompare.program.scipy_functions import scipy_function

__all__ = ["compile_numpy", "implementation", "node_values"]

Array = NDArray[Any]

# 8,000 binary64 numbers are 64 kB: the temporaries of a formula stay in the second-level cache
_CHUNK = 8192


def compile_numpy(program: Program, dtype: str = "float64") -> Callable[[Sequence[Array]], Array]:
    """Return f as a function of contiguous 1-D arrays of a dtype, one per variable.

    Where the function is not defined the result is nan, or whatever NumPy returns: it is what NumPy does with
    the program, not what is true. Integer exponents are Python integers (NumPy's ``x**3`` and ``x**array``
    round differently), constants are rounded once from their exact value.
    """
    return _array_function(program, dtype)


def _floats(program: Program, form: Format, *, release: bool = False) -> Callable[..., tuple[Any, ...]]:
    kind = np.dtype(form.name).type
    still = constant_nodes(program)
    # NumPy computes numbers otherwise than arrays: what does not move is an array of one
    scope: dict[str, Any] = {"array_": np.atleast_1d}

    def function(name: str) -> Callable[..., Any]:
        return implementation(name) if OPERATIONS[name].arity else _leaf(name, kind)

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            scope[f"k{index}"] = kind(form.round(Fraction(node.payload or 0)))
            return f"k{index}"
        if operands and index in still:
            return operation_source(node, [f"array_({operand})" for operand in operands])
        return operation_source(node, operands)

    return compiled(program, function, spell, scope, release=release)


@per_program
def _array_function(program: Program, dtype: str) -> Callable[[Sequence[Array]], Array]:
    run = _floats(program, FORMATS[dtype], release=True)

    def function(columns: Sequence[Array]) -> Array:
        size = columns[0].size
        result = np.empty(size, dtype=dtype)
        with np.errstate(all="ignore"):
            for start in range(0, size, _CHUNK):
                stop = min(start + _CHUNK, size)
                result[start:stop] = run(*(column[start:stop] for column in columns))[0]
        return result

    return function


def node_values(program: Program, point: Sequence[float]) -> list[float]:
    """Return the float that every node takes at a point (True or False for a condition)."""
    with np.errstate(all="ignore"):
        found = _every_float(program)(*(np.array([x]) for x in point))
    values = [np.asarray(value).reshape(-1)[0] for value in found]
    return [bool(value) if isinstance(value, np.bool_) else float(value) for value in values]


@per_program
def _every_float(program: Program) -> Callable[..., tuple[Any, ...]]:
    return _floats(Program(program.variables, program.nodes, tuple(range(len(program.nodes)))), BINARY64)


def _leaf(name: str, kind: type) -> Callable[[], Any]:
    """Return a constant in the dtype at hand, as a function like the others."""
    value = FALLBACKS[name]()
    rounded = value if isinstance(value, bool) else kind(value)
    return lambda: rounded


_OPERATORS = {name: FALLBACKS[name] for name in ("integer_power", "power", "sum", "dot")}


def implementation(name: str) -> Callable[..., Any]:
    """Return what NumPy, or SciPy, runs for an operation."""
    if OPERATIONS[name].arity == 0:
        return _leaf(name, np.float64)
    return _OPERATORS.get(name) or scipy_function(name) or getattr(np, OPERATIONS[name].names[0])
