"""The degree of a program as a polynomial in one variable."""

from __future__ import annotations

from collections.abc import Mapping

from diffcompare.program.chains import with_sums
from diffcompare.program.dag import Node, Program
from diffcompare.program.moving import moving_nodes

__all__ = ["polynomial_degree"]


def polynomial_degree(program: Program, variable: int) -> int | None:
    """Bound the degree of the output as a polynomial in a variable; None where it is not seen to be one.

    What has degree ≤ p has no truncation error in a scheme of order p, exactly.
    """
    program = with_sums(program)
    # anything of what does not move does not move
    degrees: dict[int, int | None] = {}
    for index in moving_nodes(program, variable):
        node = program.nodes[index]
        degrees[index] = 1 if node.operation == "variable" else _degree(node, degrees)
    return degrees.get(program.outputs[0], 0)


def _degree(node: Node, degrees: Mapping[int, int | None]) -> int | None:
    if node.operation == "sum":
        operands = [degrees[i] for i in degrees.keys() & set(node.operands)]
    else:
        operands = [degrees.get(i, 0) for i in node.operands]
    known = [d for d in operands if d is not None]
    if len(known) < len(operands):
        return None
    if not any(known):
        return 0
    match node.operation:
        case "add" | "subtract" | "negative" | "sum":
            return max(known)
        case "multiply":
            return sum(known)
        case "dot":
            half = len(known) // 2
            return max(map(sum, zip(known[:half], known[half:], strict=True)))
        case "divide" if known[1] == 0:
            return known[0]
        case "integer_power" if int(node.payload or 0) >= 0:
            return known[0] * int(node.payload or 0)
        case _:
            return None
