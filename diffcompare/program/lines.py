"""A program on a straight line: what is left of a function of many variables when it moves along a direction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from diffcompare.program.dag import Builder, Program

__all__ = ["on_line"]


def on_line(program: Program, point: Sequence[float], direction: Sequence[float]) -> Program:
    """Return the program of t ↦ f(point + t·direction), in exact constants."""
    build = Builder(("t",))
    t = build.variable(0)
    new: list[int] = []
    for node in program.nodes:
        if node.operation == "constant":
            new.append(build.constant(node.payload or 0))
        elif node.operation == "variable":
            i = int(node.payload or 0)
            step = build.apply("multiply", build.constant(Fraction(direction[i])), t)
            new.append(build.apply("add", build.constant(Fraction(point[i])), step))
        else:
            payload = None if node.payload is None else int(node.payload)
            new.append(build.raw(node.operation, *(new[i] for i in node.operands), payload=payload))
    return build.program([new[i] for i in program.outputs])
