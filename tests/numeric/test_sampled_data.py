"""Sampled data are differentiated on any grid; the estimates cover truncation, noise, corners and rounded values."""

import math
import re

import numpy as np
import pytest

import diffcompare as dc

GRIDS = {
    "even": lambda n, rng: np.linspace(0.1, 3, n),
    "uneven": lambda n, rng: np.sort(rng.uniform(0.1, 3, n)),
    "decreasing": lambda n, rng: np.linspace(3, 0.1, n),
    "Chebyshev": lambda n, rng: 1.55 - 1.45 * np.cos(np.pi * (np.arange(n) + 0.5) / n),
}
FUNCTIONS = {
    "sin": (np.sin, np.cos, lambda x: -np.sin(x)),
    "exp": (np.exp, np.exp, np.exp),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), lambda x: -0.25 * x**-1.5),
    "sin(12x)": (lambda x: np.sin(12 * x), lambda x: 12 * np.cos(12 * x), lambda x: -144 * np.sin(12 * x)),
}


@pytest.mark.mostly_thorough(but_each=5)
@pytest.mark.parametrize("noise", [0.0, 1e-6, 1e-2])
@pytest.mark.parametrize("name", GRIDS)
def test_the_estimates_cover_on_every_grid(name, noise):
    rng = np.random.default_rng(5)
    x, covered = GRIDS[name](60, rng), []
    for f, first, second in FUNCTIONS.values():
        y = f(x) + noise * rng.normal(size=60)
        for derivative, exact in ((1, first(x)), (2, second(x))):
            found = dc.differentiate_samples(x, y, derivative=derivative)
            assert np.isfinite(found.value).all()
            covered.append(abs(found.value - exact) <= found.error)
    assert np.mean(covered) >= 0.98


def test_smooth_data_have_many_digits():
    x = np.linspace(0, 3, 200)
    found = dc.differentiate_samples(x, np.sin(x))
    assert abs(found.value - np.cos(x)).max() <= 1e-9
    assert found.error.max() <= 1e-6


def test_more_neighbours_are_taken_where_noise_needs_them():
    x = np.linspace(0, 3, 400)
    rng = np.random.default_rng(2)
    found = dc.differentiate_samples(x, np.sin(x) + 1e-2 * rng.normal(size=400))
    assert (abs(found.value - np.cos(x)) <= found.error).mean() >= 0.98
    assert np.median(found.error) <= 0.1
    assert np.median(found.points) >= 65
    # neighbours alone leave a hundred times the error
    neighbours = np.gradient(np.sin(x) + 1e-2 * rng.normal(size=400), x)
    assert np.median(abs(found.value - np.cos(x))) <= 0.03 * np.median(abs(neighbours - np.cos(x)))


@pytest.mark.parametrize("size", [1e-8, 1e-3])
def test_the_noise_is_measured(size):
    rng = np.random.default_rng(4)
    x = np.sort(rng.uniform(0, 3, 300))
    found = dc.differentiate_samples(x, np.exp(x) + size * rng.normal(size=300))
    assert 0.6 * size <= np.median(found.noise) <= 1.5 * size
    assert (dc.differentiate_samples(x, np.exp(x), noise=size).noise == size).all()


def test_a_stated_noise_is_in_the_estimates():
    x = np.linspace(0, 3, 50)
    loose, tight = (dc.differentiate_samples(x, np.sin(x), noise=size) for size in (1e-3, 0.0))
    assert loose.error.min() > 1e-4 > tight.error.max()


def test_a_corner_counts_at_its_point_and_nowhere_else():
    x = np.linspace(-1, 1, 21)
    found = dc.differentiate_samples(x, abs(x))
    assert found.error[10] >= 1
    others = x != 0
    assert (abs(found.value - np.sign(x)) <= found.error)[others].all()
    assert found.error[others].max() <= 1e-12


def test_an_oscillation_is_not_taken_for_noise_of_something_flat():
    rng = np.random.default_rng(8)
    x = np.linspace(0, 3, 200)
    found = dc.differentiate_samples(x, np.sin(12 * x) + 1e-2 * rng.normal(size=200))
    assert (abs(found.value - 12 * np.cos(12 * x)) <= found.error).mean() >= 0.98


def test_rounded_values_are_known_by_their_stairs():
    x = np.linspace(0, 3, 300)
    for values, slope in ((np.sin(x), np.cos(x)), (0.03 * x, np.full(300, 0.03))):
        found = dc.differentiate_samples(x, np.round(values, 2))
        assert (abs(found.value - slope) <= found.error).all()
        assert found.error.max() <= 1


def test_columns_are_differentiated_one_by_one():
    x = np.linspace(0, 1, 20)
    y = np.stack([np.sin(x), x**2, np.exp(x), 1 + 0 * x], axis=-1).reshape(20, 2, 2)
    found = dc.differentiate_samples(x, y)
    assert found.value.shape == found.error.shape == found.noise.shape == found.points.shape == (20, 2, 2)
    assert (found.value[:, 0, 1] == dc.differentiate_samples(x, x**2).value).all()
    assert dc.differentiate_samples(x, np.zeros((20, 0))).value.shape == (20, 0)


def test_polynomials_are_exact_but_for_rounding():
    x = np.array([0.0, 0.5, 0.75, 2.0, 3.0])
    for derivative, exact in ((1, 3 * x**2 - 2), (2, 6 * x)):
        found = dc.differentiate_samples(x, x**3 - 2 * x + 7, derivative=derivative, noise=0)
        assert abs(found.value - exact).max() <= 1e-12


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"x": [0.0, 1.0, 1.0, 2.0]}, ValueError, "x[1]=1.0 and x[2]=1.0: x must increase, or decrease, throughout"),
        ({"x": [0.0, 1.0, 3.0, 2.0]}, ValueError, "x[2]=3.0 and x[3]=2.0: x must increase"),
        ({"x": [0.0, 1.0, 2.0]}, ValueError, "x of shape (3,) and y of shape (4,): y needs one row for every"),
        ({"x": [0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0]}, ValueError, "x has 3 samples: at least 4 are needed"),
        ({"y": [0.0, math.nan, 1.0, 2.0]}, ValueError, "y[1]=nan: must be finite; leave that sample out"),
        ({"y": ["a", "b", "c", "d"]}, TypeError, "y of dtype <U1: real numbers are needed"),
        ({"derivative": 3}, ValueError, "derivative=3: must be 1 or 2"),
        ({"noise": -1}, ValueError, "noise=-1: must be a finite number that is not negative"),
    ],
)
def test_bad_samples_are_named(change, error, words):
    call = {"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 1.0, 4.0, 9.0]} | change
    with pytest.raises(error, match=re.escape(words)):
        dc.differentiate_samples(call.pop("x"), call.pop("y"), **call)
