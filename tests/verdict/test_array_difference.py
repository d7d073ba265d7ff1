"""The difference of claim and derivative in programs of arrays."""

from __future__ import annotations

import numpy as np

from diffcompare.arithmetic.array_floats import moved_floats
from diffcompare.floats import unit_roundoff
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.verdict.array_difference import Compared, moved_apart
from diffcompare.verdict.difference import Difference


def test_arrays_are_held_to_the_threshold_of_single_numbers() -> None:
    # each of the four numbers decides once
    L, size, off, beside = np.eye(4)
    none = np.zeros(4, dtype=bool)
    arrays = Compared(0, None, None, size, size, size, none, none, L, off, beside, none)
    numbers = Difference([], [], size.tolist(), [], [], L.tolist(), off.tolist(), beside.tolist(), 0)
    assert arrays.threshold.tolist() == [numbers.threshold(i) for i in range(4)]


def test_one_rounding_of_a_constant_does_not_set_values_further_apart_than_is_said() -> None:
    build, x, c = ArrayBuilder(200), np.linspace(1, 2, 200), np.sin(np.arange(1.0, 201))
    exact, rounded = build.variables, build.apply("multiply", build.constant(c), build.variables)
    told = moved_apart(*moved_floats(build, [exact, rounded], x, unit=unit_roundoff), (200,))
    apart = unit_roundoff * np.abs(c * x)
    assert ((apart <= told) & (told <= 2 * apart)).all()
