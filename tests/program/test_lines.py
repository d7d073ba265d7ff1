"""A program on a line is the program at the points of that line."""

from __future__ import annotations

from fractions import Fraction

import diffcompare as dc
from diffcompare.arithmetic.rational import exact_outputs
from diffcompare.program.lines import on_line


def test_a_program_on_a_line_has_the_values_of_its_points() -> None:
    program = dc.parse("x**3*y - y/(2 + x*x) + min(x, y)", variables=["x", "y"]).program
    point, direction = [0.5, -3.0], [-0.25, 2.0]
    line = on_line(program, point, direction)
    assert line.variables == ("t",)
    for t in (Fraction(0), Fraction(1), Fraction(-7, 3), Fraction(5, 2)):
        there = [Fraction(p) + t * Fraction(d) for p, d in zip(point, direction, strict=True)]
        assert exact_outputs(line, [t]) == exact_outputs(program, there)
