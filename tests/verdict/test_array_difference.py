"""The difference of claim and derivative in programs of arrays."""

from __future__ import annotations

import numpy as np

from diffcompare.verdict.array_difference import Compared
from diffcompare.verdict.difference import Difference


def test_arrays_are_held_to_the_threshold_of_single_numbers() -> None:
    # each of the four numbers decides once
    L, size, off, beside = np.eye(4)
    none = np.zeros(4, dtype=bool)
    arrays = Compared(0, None, None, size, size, size, none, none, L, off, beside, none)
    numbers = Difference([], [], size.tolist(), [], [], L.tolist(), off.tolist(), beside.tolist(), 0)
    assert arrays.threshold.tolist() == [numbers.threshold(i) for i in range(4)]
