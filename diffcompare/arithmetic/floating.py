"""Programs in floating point: one generated NumPy function, the operations in the program's order."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from diffcompare.arithmetic.ulp import round_to_nearest
from diffcompare.program.code import functions_used, operation_source, straight_line
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import OPERATIONS

__all__ = ["compile_numpy"]

Array = NDArray[np.float64]

# 8,000 binary64 numbers are 64 kB: the temporaries of a formula stay in the second-level cache
_CHUNK = 8192

_CACHE: WeakKeyDictionary[Program, Callable[[Sequence[Array]], Array]] = WeakKeyDictionary()


def compile_numpy(program: Program) -> Callable[[Sequence[Array]], Array]:
    """Return f as a function of contiguous 1-D binary64 arrays, one per variable.

    Where the function is not defined the result is nan, or whatever NumPy returns: it is what NumPy does with
    the program, not what is true. Integer exponents are Python integers (NumPy's ``x**3`` and ``x**array``
    round differently), constants are rounded once from their exact value.
    """
    function = _CACHE.get(program)
    if function is None:
        function = _CACHE[program] = _compile(program)
    return function


def _compile(program: Program) -> Callable[[Sequence[Array]], Array]:
    scope: dict[str, Any] = {f"{name}_": _implementation(name) for name in functions_used(program)}

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            scope[f"k{index}"] = np.float64(round_to_nearest(Fraction(node.payload or 0)))
            return f"k{index}"
        return operation_source(node, operands) if operands else f"{node.operation}_"

    exec(compile(straight_line(program, spell, release=True), "<program>", "exec"), scope)  # noqa: S102 - our own source
    run = scope["run"]

    def function(columns: Sequence[Array]) -> Array:
        size = columns[0].size
        result = np.empty(size)
        with np.errstate(all="ignore"):
            for start in range(0, size, _CHUNK):
                stop = min(start + _CHUNK, size)
                result[start:stop] = run(*(column[start:stop] for column in columns))[0]
        return result

    return function


_LEAVES = {
    "pi": np.float64(np.pi),
    "e": np.float64(np.e),
    "undefined": np.float64(np.nan),
    "true": True,
    "false": False,
}
_OPERATORS = {"integer_power": operator.pow, "power": operator.pow}


def _implementation(name: str) -> Any:
    if name in _LEAVES:
        return _LEAVES[name]
    return _OPERATORS.get(name) or getattr(np, OPERATIONS[name].names[0])
