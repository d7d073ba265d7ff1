"""A program on a straight line: what is left of a function of many variables when it moves along a direction."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from diffcompare.program.dag import Builder, Node, Program
from diffcompare.program.run import interpret

__all__ = ["on_line"]


def on_line(program: Program, point: Sequence[float], direction: Sequence[float]) -> Program:
    """Return the program of t ↦ f(point + t·direction), in exact constants."""
    build = Builder(("t",))
    t = build.variable(0)

    def leaf(node: Node) -> int:
        if node.operation != "variable":
            return build.copy(node)
        i = int(node.payload or 0)
        step = build.apply("multiply", build.constant(Fraction(direction[i])), t)
        return build.apply("add", build.constant(Fraction(point[i])), step)

    new = interpret(program, leaf, build.copy)
    return build.program([new[i] for i in program.outputs])
