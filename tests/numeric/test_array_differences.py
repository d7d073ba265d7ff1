"""Jacobians, Hessians and slopes along a direction: exact formulas, shapes, and what is left alone."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc


def cubic(x):
    """A polynomial that floats compute exactly at the points below."""
    return x[0] ** 3 * x[1] + x[1] ** 2


def exact_cubic(a, b):
    return Fraction(a) ** 3 * Fraction(b) + Fraction(b) ** 2


H = 0.25
X = (1.5, 2.0)


def at(i, s, j=None, t=0):
    point = [Fraction(X[0]), Fraction(X[1])]
    point[i] += s * Fraction(H)
    if j is not None:
        point[j] += t * Fraction(H)
    return exact_cubic(*point)


def test_the_central_hessian_is_the_textbook_formula_entry_by_entry():
    h2 = Fraction(H) ** 2
    mixed = (at(0, 1, 1, 1) - at(0, 1, 1, -1) - at(0, -1, 1, 1) + at(0, -1, 1, -1)) / (4 * h2)
    diagonal = [(at(i, 1) - 2 * at(i, 0) + at(i, -1)) / h2 for i in (0, 1)]
    found = dc.numerical_hessian(cubic, X, H)
    assert found.tolist() == [[diagonal[0], mixed], [mixed, diagonal[1]]]


@pytest.mark.parametrize(("scheme", "s"), [("forward", 1), ("backward", -1)])
def test_a_one_sided_hessian_is_the_scheme_of_the_scheme(scheme, s):
    h2 = Fraction(H) ** 2
    mixed = (at(0, s, 1, s) - at(0, s) - at(1, s) + at(0, 0)) / h2
    diagonal = [(at(i, 2 * s) - 2 * at(i, s) + at(i, 0)) / h2 for i in (0, 1)]
    found = dc.numerical_hessian(cubic, X, H, scheme=scheme)
    assert found.tolist() == [[diagonal[0], mixed], [mixed, diagonal[1]]]


@pytest.mark.parametrize("scheme", ["central", "forward", "backward"])
def test_the_jacobian_has_the_gradients_of_the_outputs_as_rows(scheme):
    def both(x):
        return np.array([cubic(x), np.sin(x[0] - x[1])])

    found = dc.numerical_jacobian(both, X, 1e-3, scheme=scheme)
    rows = [dc.numerical_gradient(lambda x, k=k: both(x)[k], X, 1e-3, scheme=scheme) for k in (0, 1)]
    assert found.tolist() == [row.tolist() for row in rows]


def test_a_slope_along_a_direction_is_the_difference_along_it():
    x, v = np.array([1.0, 2.0]), np.array([0.5, -0.25])
    found = dc.numerical_directional(cubic, x, v, 0.5)
    assert found == cubic(x + 0.5 * v) - cubic(x - 0.5 * v)
    assert dc.numerical_directional(cubic, x, v, 0.5, scheme="forward") == (cubic(x + 0.5 * v) - cubic(x)) / 0.5
    with pytest.raises(ValueError, match=r"direction of shape \(3,\): it must have the shape \(2,\) of x"):
        dc.numerical_directional(cubic, x, [1, 2, 3])


def test_shapes_are_those_of_the_value_then_those_of_the_argument():
    x = np.arange(6.0).reshape(2, 3)
    assert dc.numerical_jacobian(lambda x: x @ x.T, x).shape == (2, 2, 2, 3)
    assert dc.numerical_jacobian(np.sum, x).shape == (2, 3)
    assert dc.numerical_jacobian(lambda t: np.array([t, t * t]), 3.0).shape == (2,)
    assert dc.numerical_hessian(lambda x: np.sum(x**2), x).shape == (2, 3, 2, 3)
    assert dc.numerical_hessian(lambda x: x**2, np.ones(2)).shape == (2, 2, 2)
    assert dc.numerical_hessian(lambda t: t**2, 3.0, 0.5) == 2.0


def test_symbolic_functions_take_points_along_the_last_axis():
    f = dc.parse(["x0*x1", "x0", "x1**2"])
    points = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    found = dc.numerical_jacobian(f, points, 0.5)
    assert found.shape == (1, 2, 3, 2)
    assert found[0, 1].tolist() == [[4, 3], [1, 0], [0, 8]]
    assert dc.numerical_hessian(dc.parse("x0*x1"), [[1.0, 2.0], [3.0, 4.0]], 0.5).tolist() == [[[0, 1], [1, 0]]] * 2
    assert dc.numerical_jacobian(dc.parse("x**2"), [1.0, 3.0], 0.5).tolist() == [2, 6]
    with pytest.raises(ValueError, match="the last axis must have length 2"):
        dc.numerical_jacobian(f, [1.0, 2.0, 3.0])


def test_the_argument_is_a_float_copy_and_stays_as_it_is():
    x = np.array([3, 4])
    seen = []

    def spoils(x):
        seen.append(x.dtype)
        value = np.array([x[0] * x[1], x[1]])
        x[:] = 0
        return value

    assert dc.numerical_jacobian(spoils, x, 0.5).tolist() == [[4, 3], [0, 1]]
    assert dc.numerical_hessian(lambda x: spoils(x)[0], x, 0.5).tolist() == [[0, 1], [1, 0]]
    assert dc.numerical_directional(spoils, x, np.array([1, 1]), 0.5).tolist() == [7, 1]
    assert x.tolist() == [3, 4]
    assert set(seen) == {np.dtype(np.float64)}
    wide = np.array([3, 4], dtype=np.longdouble)
    assert dc.numerical_hessian(lambda x: x[0] * x[1], wide).dtype == np.longdouble


@pytest.mark.parametrize("function", [dc.numerical_jacobian, dc.numerical_hessian])
def test_bad_steps_and_schemes_are_refused(function):
    with pytest.raises(ValueError, match="step size must be positive and finite"):
        function(np.sum, [1.0, 2.0], -1.0)
    with pytest.raises(ValueError, match="scheme='middle'"):
        function(np.sum, [1.0, 2.0], scheme="middle")
    with pytest.raises(TypeError, match="real numbers are needed"):
        function(np.sum, [1j, 2.0])
