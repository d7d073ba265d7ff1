"""Samples of functions on four grids, with and without noise: how often the estimates of their derivatives cover.

Run with ``-s`` to see the counts, with the median error beside that of ``numpy.gradient``.
"""

from __future__ import annotations

import numpy as np
import pytest

import diffcompare as dc

from ..stated import numbers  # noqa: TID252 - tests are no package

pytestmark = pytest.mark.thorough

FUNCTIONS = {
    "sin": (np.sin, np.cos),
    "exp": (np.exp, np.exp),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "sin(12x)": (lambda x: np.sin(12 * x), lambda x: 12 * np.cos(12 * x)),
    "1/(1 + 25(x-1)²)": (lambda x: 1 / (1 + 25 * (x - 1) ** 2), lambda x: -50 * (x - 1) / (1 + 25 * (x - 1) ** 2) ** 2),
    "tanh(8(x-2))": (lambda x: np.tanh(8 * (x - 2)), lambda x: 8 / np.cosh(8 * (x - 2)) ** 2),
    "x³ - 2x": (lambda x: x**3 - 2 * x, lambda x: 3 * x**2 - 2),
    "constant": (lambda x: 5 + 0 * x, lambda x: 0 * x),
    "|x - 1.0003|": (lambda x: abs(x - 1.0003), lambda x: np.sign(x - 1.0003)),
    "step at 1.1001": (lambda x: (x > 1.1001) + x, lambda x: 1 + 0 * x),
    "sin rounded to 0.01": (lambda x: np.round(np.sin(x), 2), np.cos),
    "sin in float32": (lambda x: np.float32(np.sin(x)).astype(float), np.cos),
}
GRIDS = {
    "even": lambda n, rng: np.linspace(0.1, 3, n),
    "uneven": lambda n, rng: np.sort(rng.uniform(0.1, 3, n)),
    "Chebyshev": lambda n, rng: 1.55 - 1.45 * np.cos(np.pi * (np.arange(n) + 0.5) / n),
    "growing": lambda n, rng: np.geomspace(0.1, 3, n),
}


def test_the_estimates_of_samples_cover() -> None:
    rng = np.random.default_rng(12)
    total = covered = near = 0
    for name, (f, slope) in FUNCTIONS.items():
        of_this, errors, theirs = [], [], []
        for grid in GRIDS.values():
            for n in (40, 150):
                for noise in (0.0, 1e-6, 1e-2):
                    x = grid(n, rng)
                    y = f(x) + noise * rng.normal(size=n)
                    found, exact = dc.differentiate_samples(x, y), slope(x)
                    error = abs(found.value - exact)
                    of_this.append(error <= found.error)
                    near += (error <= 3 * found.error).sum()
                    errors.append(error)
                    theirs.append(abs(np.gradient(y, x) - exact))
        hits = np.concatenate(of_this)
        total, covered = total + hits.size, covered + hits.sum()
        medians = (np.median(np.concatenate(one)) for one in (errors, theirs))
        print(
            f"{name:>20}: {hits.mean():.1%} of {hits.size}; median error {next(medians):.1g}, numpy {next(medians):.1g}"
        )
    print(f"{covered} of {total} covered, {near} within three times the estimate")
    said = numbers("estimates of samples")
    assert [abs(a - b) <= 30 for a, b in zip((total, covered, near), said, strict=True)] == [True] * 3
