"""Weighted sums and divisors of stencils, in numbers that are exact."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from diffcompare.numeric.quotients import divisor, weighted_sum
from diffcompare.numeric.stencils import stencil


@pytest.mark.parametrize("scheme", ["forward", "backward", "central", "forward2", "backward3", "central4"])
@pytest.mark.parametrize("derivative", [1, 2, 3])
def test_the_quotient_is_that_of_the_weights(scheme: str, derivative: int) -> None:
    chosen = stencil(scheme, derivative)
    h = np.array([0.25])
    values = {offset: np.array([float(2 * k * k - 7 * k + 3)]) for k, offset in enumerate(chosen.offsets)}
    found = Fraction(float(weighted_sum(chosen, values, h)[0])) / Fraction(float(divisor(chosen, h)[0]))
    pairs = zip(chosen.offsets, chosen.weights, strict=True)
    exact = sum((c * Fraction(float(values[o][0])) for o, c in pairs), Fraction(0)) / Fraction(1, 4) ** derivative
    assert found == exact
