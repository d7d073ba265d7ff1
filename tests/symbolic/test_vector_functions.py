"""Functions of several values: from text, from SymPy, from NumPy code."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

import diffcompare as dc

POINTS = np.array([[1.0, 2.0], [3.0, -4.0]])


def test_text_in_lists():
    f = dc.parse([["x0 + 1", "x0*x1"], ["max(x0, x1)", "2"]])
    assert (f.variables, f.output_shape) == (("x0", "x1"), (2, 2))
    assert f(POINTS).tolist() == [[[2, 2], [2, 2]], [[4, -12], [3, 2]]]
    assert f(POINTS[0]).shape == (2, 2)
    assert f.callable(math)(3.0, -4.0) == [[4.0, -12.0], [3.0, 2.0]]
    assert [c(POINTS[1]) for c in f.components] == [4, -12, 3, 2]
    assert f.expr[1][0] == sympy.Max(*sympy.symbols("x0 x1"))
    assert dc.parse(["x"]).output_shape == (1,)
    assert dc.parse("x").components[0].output_shape == ()


def test_components_take_branches_of_their_own():
    f = dc.parse(["where(x > 0, log(x), 0)", "x"])
    assert f.callable(math)(-2.0) == [0, -2.0]


def test_sympy_lists_and_matrices():
    x, y = sympy.symbols("x y")
    column = dc.SymbolicFunction(sympy.Matrix([x * y, x]), [x, y])
    assert (column.output_shape, column(POINTS).tolist()) == ((2,), [[2, 1], [-12, 3]])
    matrix = dc.SymbolicFunction(sympy.Matrix([[x, y], [y, x]]), [x, y])
    assert (matrix.output_shape, matrix([1.0, 2.0]).tolist()) == ((2, 2), [[1, 2], [2, 1]])
    assert dc.SymbolicFunction([x, 1], [x])(5.0).tolist() == [5, 1]


def test_numpy_code():
    f = dc.trace(lambda x: np.outer(x, x) if x[0] > 0 else -x * np.ones((2, 1)), 2)
    assert f.output_shape == (2, 2)
    assert f([2.0, 3.0]).tolist() == [[4, 6], [6, 9]]
    assert f([-2.0, 3.0]).tolist() == [[2, -3], [2, -3]]
    # an array of one number is one number
    assert dc.trace(lambda x: x[:1] * x[1], 2).output_shape == ()
    with pytest.raises(dc.TraceError, match=r"an array of shape \(2,\) here and \(3,\) elsewhere"):
        dc.trace(lambda x: x if x[0] > 0 else x[:2], 3)


def test_lists_that_are_no_array_are_refused():
    with pytest.raises(ValueError, match="must be rectangular and not empty"):
        dc.parse([["x", "y"], ["x"]])
    with pytest.raises(ValueError, match="must be rectangular and not empty"):
        dc.parse([])
    with pytest.raises(ValueError, match="at most 1,000"):
        dc.parse(["x"] * 1001)
    with pytest.raises(dc.ParseError, match="column 4"):
        dc.parse(["x", "x +* 2"])
