"""What NumPy computes of a number does not depend on where the number stands in an array.

The bound on f̂(a) − f̂(b) rests on it: a node that does not move has one rounding error at both abscissae.
"""

import numpy as np
import pytest

from diffcompare.arithmetic.floating import implementation
from diffcompare.arithmetic.roundings.measurement import MEASURED, samples


@pytest.mark.parametrize("operation", [name for name in MEASURED if name != "integer_power"])
def test_a_value_does_not_depend_on_its_position(operation):
    function = implementation(operation)
    with np.errstate(all="ignore"):
        for point in zip(*(argument[:100] for argument in samples(operation, 200, seed=5)), strict=True):
            (alone,) = function(*(np.array([x]) for x in point))
            repeated = function(*(np.full(23, x) for x in point))
            assert np.array_equal(repeated, np.full(23, alone), equal_nan=True)


@pytest.mark.parametrize("exponent", [-7, -2, 3, 5, 20])
def test_a_power_does_not_depend_on_its_position(exponent):
    for base in samples("cbrt", 100, seed=5)[0]:
        with np.errstate(all="ignore"):
            (alone,) = np.array([base]) ** exponent
            assert np.array_equal(np.full(23, base) ** exponent, np.full(23, alone), equal_nan=True)
