"""check_directional: gradients and slopes along random directions, for few variables and for many."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import diffcompare as dc


def opaque(function):
    """The same function, but numbers alone go in: nothing can follow what becomes of them."""

    def compiled(x, *more):
        numbers = struct.unpack(f"{np.size(x)}d", np.ascontiguousarray(x, dtype=float).tobytes())
        return function(np.array(numbers).reshape(np.shape(x)), *more)

    return compiled


X = np.random.default_rng(3).normal(size=30)


def f(x):
    return np.sum(np.tanh(x) ** 2)


def gradient(x):
    return 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)


def spoiled(x):
    found = gradient(x)
    found[7] *= 1.001
    return found


def slope(x, v):
    return np.sum(gradient(x) * v)


@pytest.mark.parametrize("claim", [gradient, slope], ids=["gradient", "slope"])
def test_a_right_claim_is_consistent_by_identity(claim):
    verdict = dc.check_directional(f, claim, X)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert verdict.components["component"].tolist() == [f"along v{k}" for k in range(16)]


@pytest.mark.thorough
@pytest.mark.parametrize("function", [f, opaque(f)], ids=["traced", "opaque"])
def test_one_wrong_component_is_seen_along_every_direction(function):
    verdict = dc.check_directional(function, opaque(spoiled), X, directions=3)
    assert verdict.components["status"].tolist() == ["wrong"] * 3
    assert dc.check_directional(function, opaque(gradient), X, directions=3).status == "consistent"


@pytest.mark.thorough
@pytest.mark.places
def test_causes_that_all_directions_share():
    assert dc.check_directional(f, lambda x: gradient(x) / 2, X).cause == "the divisor 2 is too many in gradient(x) / 2"
    assert "sign is flipped" in dc.check_directional(f, lambda x, v: -slope(x, v), X).cause
    # what no direction shares is found in the source
    assert dc.check_directional(f, spoiled, X).cause == "the line found[7] *= 1.001 is too many"


def test_a_corner_is_non_smooth():
    assert dc.check_directional(lambda x: np.sum(np.abs(x)), np.sign, [0.0, 1.0]).status == "non-smooth"


def test_structures_and_seeds():
    at = {"w": np.array([[1.0, 2.0]]), "b": 3.0}
    right = dc.check_directional(
        lambda p: np.sum(p["w"] ** 2) * p["b"], lambda p: {"w": 2 * p["w"] * p["b"], "b": np.sum(p["w"] ** 2)}, at
    )
    assert right.status == "consistent"
    one, two, other = (
        dc.check_directional(f, gradient, X, seed=seed).components["claimed"].tolist() for seed in (0, 0, 1)
    )
    assert one == two != other


def test_the_slopes_are_certified():
    square = dc.parse("x0**2 + x1**2")
    rows = dc.check_directional(square, lambda x: 2 * x, [3.0, 4.0]).components
    assert rows["certified"].tolist() == rows["claimed"].tolist()


@pytest.mark.thorough
def test_more_variables_than_are_traced():
    x = np.random.default_rng(0).normal(size=20_001)
    right = dc.check_directional(f, gradient, x, directions=1)
    assert (right.status, right.evidence) == ("consistent", "witness")
    assert dc.check_directional(f, lambda x: gradient(x) * 1.0001, x, directions=1).status == "wrong"


def test_what_is_no_argument_is_refused_by_name():
    with pytest.raises(ValueError, match=r"directions=0: a whole number of at least 1 is needed"):
        dc.check_directional(f, gradient, X, directions=0)
    with pytest.raises(TypeError, match=r"derivative=None: must be callable"):
        dc.check_directional(f, None, X)
    wrong = dc.check_directional(f, lambda x, v: np.zeros(3), X)
    assert "a slope must be one real number, got float64 of shape (3,)" in wrong.explain()


def test_no_gradient_along_a_direction_is_asked_for_outside_the_box():
    seen = []

    def watched(x):
        seen.append(np.array(x, dtype=float))
        return 2 * x

    at, box = np.array([1.0, -2.0]), (np.array([0.999, -5.0]), np.array([4.0, -1.99]))
    verdict = dc.check_directional(opaque(lambda x: np.sum(x**2)), opaque(watched), at, directions=3, box=box)
    assert verdict.status != "wrong"
    assert len(seen) > 10
    assert all((box[0] <= x).all() and (x <= box[1]).all() for x in seen)
