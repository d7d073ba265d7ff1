"""The degree of a program as a polynomial in one variable."""

from __future__ import annotations

from diffcompare.program.dag import Program

__all__ = ["polynomial_degree"]


def polynomial_degree(program: Program, variable: int) -> int | None:
    """Bound the degree of the output as a polynomial in a variable; None where it is not seen to be one.

    What has degree ≤ p has no truncation error in a scheme of order p, exactly.
    """
    degrees: list[int | None] = []
    for node in program.nodes:
        operands = [degrees[i] for i in node.operands]
        if node.operation == "variable":
            degree: int | None = int(node.payload == variable)
        elif None in operands:
            degree = None
        else:
            known = [d for d in operands if d is not None]
            highest = max(known, default=0)
            if node.operation in ("add", "subtract", "negative", "sum"):
                degree = highest
            elif node.operation == "multiply":
                degree = sum(known)
            elif node.operation == "dot":
                half = len(known) // 2
                degree = max(a + b for a, b in zip(known[:half], known[half:], strict=True))
            elif node.operation == "divide":
                degree = known[0] if known[1] == 0 else None
            elif node.operation == "integer_power" and int(node.payload or 0) >= 0:
                degree = known[0] * int(node.payload or 0)
            else:
                # anything else of what does not move does not move
                degree = 0 if highest == 0 else None
        degrees.append(degree)
    return degrees[program.outputs[0]]
