"""What floats tell of a wrong gradient at the point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffcompare.verdict.array_pair import ArrayPair, trace_arrays
from diffcompare.verdict.repairs.measured import Measured, leaves_nothing, measured
from diffcompare.verdict.repairs.pool import shelves_of
from diffcompare.verdict.repairs.sites import Site, sites_of
from tests.verdict.test_array_identity import problem

A = np.random.default_rng(1).normal(size=(5, 3))
B = np.linspace(0.5, 1.5, 5)


def f(x: Any) -> Any:
    return np.sum(np.tanh(A @ x - B) ** 2) + 0.5 * np.sum(x**2)


def gradient(x: Any) -> Any:
    t = np.tanh(A @ x - B)
    return 2 * A.T @ (t * (1 - t)) + x


@pytest.fixture(scope="module")
def here() -> Measured:
    pair: ArrayPair = trace_arrays(problem(f, gradient, np.array([0.3, -0.2, 0.7])))
    found = measured(pair)
    assert found is not None
    return found


def moved(here: Measured, site: Site, size: float) -> np.ndarray[Any, Any]:
    """What G becomes where the values of a site are moved."""
    build = here.build
    shift = {k: np.random.default_rng(k).normal(size=build.shape(k)) * size for k in site.nodes}

    def change(k: int) -> Any:
        return lambda value: build.apply("add", value, build.constant(np.asarray(shift[k])))

    return here.of(build.edited(here.pair.G, {k: change(k) for k in site.nodes}, {})) - here.values[here.pair.G]


def test_slopes_are_those_of_the_weighted_gradient(here: Measured) -> None:
    weights = []
    for seed in (3, 4):
        random = np.random.default_rng(seed)
        weights.append(random.choice((-1.0, 1.0), 3) * random.uniform(0.5, 1.0, 3))
    assert np.array_equal(here.sums, [w @ here.error for w in weights])
    sites = [s for s in sites_of(here.build, here.pair.G, here.pair.gradient.origins) if s.operand is None]
    assert len(sites) > 5
    for site in sites:
        change = moved(here, site, 2.0**-24)
        shift = {k: np.random.default_rng(k).normal(size=here.build.shape(k)) * 2.0**-24 for k in site.nodes}
        for j, w in enumerate(weights):
            told = sum(float(np.sum(here.slopes[k][j] * shift[k])) for k in site.nodes)
            assert abs(told - w @ change) <= 1e-5 * abs(told) + 1e-15


def test_affine_is_where_moving_twice_as_far_changes_twice_as_much(here: Measured) -> None:
    sites = [s for s in sites_of(here.build, here.pair.G, here.pair.gradient.origins) if s.operand is None]
    affine = 0
    for site in sites:
        one, two = moved(here, site, 0.5), moved(here, site, 1.0)
        straight = bool((np.abs(two - 2 * one) <= 1e-9 * np.max(np.abs(two))).all())
        assert here.is_affine(site) == straight
        affine += straight
    assert 0 < affine < len(sites)


def test_what_is_left_is_compared_with_the_error() -> None:
    D, before = np.array([1.0, 1e3]), np.array([0.0, 1e-3])
    assert leaves_nothing(np.zeros(2), before, D)
    assert not leaves_nothing(np.array([0.0, 1e-9]), before, D)
    assert not leaves_nothing(np.array([0.0, np.nan]), before, D)
    # an error that is no larger than rounding is not known
    assert not leaves_nothing(np.zeros(2), np.array([0.0, 1e-12]), D)


def test_a_function_that_is_1_to_seven_digits_is_not_put_in() -> None:
    def large(x: Any) -> Any:
        return 7.2 + np.sum(np.sin(x))

    pair = trace_arrays(problem(large, lambda x: 2 * np.cos(x), np.array([0.3, 1.1, -0.4])))
    found = measured(pair)
    assert found is not None
    shelf = shelves_of(found, {*pair.function.origins})[()]
    values = [float(row[0]) for entry, row in zip(shelf.entries, shelf.rows, strict=True) if entry.form == "tanh({})"]
    # that of the sum is put in, that of what is returned is not
    assert len(values) == 1
    assert abs(values[0]) < 0.9
