"""A program as a Python function, with the elementary functions of a namespace: NumPy, ``math``, an array library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.code import constant_nodes, operation_source
from diffcompare.program.dag import Node, Program
from diffcompare.program.operations import FALLBACKS, OPERATIONS
from diffcompare.program.run import compiled, interpret_on_demand, payload_of
from diffcompare.program.scipy_functions import scipy_function

__all__ = ["bind", "implementation"]


def bind(program: Program, namespace: Any, *, arrays: bool = False) -> Callable[..., Sequence[Any]]:
    """Return a program as a function of one argument per variable; ``arrays`` rounds as NumPy does on arrays."""
    if any(node.operation == "select" for node in program.nodes) and not hasattr(namespace, "where"):
        return _on_demand(program, namespace)
    scope: dict[str, Any] = {"inf": math.inf, "array_": np.atleast_1d}

    def spell(index: int, node: Node, operands: Sequence[str]) -> str:
        if node.operation == "constant":
            return repr(_as_float(Fraction(node.payload or 0)))
        if arrays and operands and index in still:
            # NumPy computes numbers otherwise than arrays: what does not move is an array of one
            return operation_source(node, [f"array_({operand})" for operand in operands])
        return operation_source(node, operands)

    still = constant_nodes(program)
    return compiled(program, lambda name: implementation(namespace, name), spell, scope)


def _on_demand(program: Program, namespace: Any) -> Callable[..., Sequence[Any]]:
    """Evaluate only the branches that are taken: functions of numbers raise where they are not defined."""
    # what is written by an operator is a function here
    names = dict.fromkeys(node.operation for node in program.nodes)
    functions = {n: implementation(namespace, n) for n in names if n not in ("constant", "variable", "select")}

    def function(*arguments: Any) -> Sequence[Any]:
        def leaf(node: Node) -> Any:
            if node.operation == "constant":
                return _as_float(Fraction(node.payload or 0))
            variable = node.operation == "variable"
            return arguments[int(node.payload or 0)] if variable else functions[node.operation]()

        return interpret_on_demand(program, leaf, apply, bool)

    def apply(node: Node, *operands: Any) -> Any:
        return functions[node.operation](*operands, *payload_of(node))

    return function


def implementation(namespace: Any, operation: str) -> Callable[..., Any]:
    """Return what stands behind an operation's name, by the first of its names that the namespace knows."""
    if OPERATIONS[operation].arity == 0:
        return FALLBACKS[operation]
    # min and max of array libraries reduce an array; maximum and minimum are meant
    for name in OPERATIONS[operation].names:
        # (and NumPy's sinc is that of πx)
        found = None if name in ("min", "max", "sinc") else getattr(namespace, name, None)
        if callable(found):
            return found  # type: ignore[no-any-return]
    if operation in FALLBACKS:
        return FALLBACKS[operation]
    found = scipy_function(operation) if namespace in (np, math) else None
    if found is not None:
        return found
    raise UnsupportedFunction(f"{getattr(namespace, '__name__', namespace)!s} has no function {operation!r}")


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return -math.inf if value < 0 else math.inf
