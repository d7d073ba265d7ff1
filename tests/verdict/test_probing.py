"""Noise as what no polynomial explains: its size is that of the noise that was put in."""

from __future__ import annotations

import numpy as np
import pytest

from diffcompare.verdict.probing import polynomial_residual, uneven_steps


@pytest.mark.parametrize(("points", "degree"), [(8, 3), (9, 5), (11, 5), (8, 0)])
def test_the_residual_of_a_fit_is_the_noise_without_bias(points: int, degree: int) -> None:
    rng = np.random.default_rng(1)
    t = uneven_steps(points)
    smooth = np.polynomial.polynomial.polyval(t, np.arange(1.0, degree + 2))
    values = smooth[:, None] + 1e-3 * rng.standard_normal((points, 20_000))
    spread, centre = polynomial_residual(t, values, degree)
    # E[SS] = (m − d − 1)·σ²; of 20,000 columns the mean is known to 1 %
    assert abs((spread**2).mean() - 1e-6) <= 3e-8
    assert abs(centre.mean() - 1.0) <= 1e-4


def test_a_polynomial_of_the_degree_leaves_rounding_only() -> None:
    t = uneven_steps(9)
    spread, centre = polynomial_residual(t, ((1 + t) ** 3)[:, None], 3)
    assert spread[0] <= 1e-14
    assert abs(centre[0] - 1) <= 1e-13
