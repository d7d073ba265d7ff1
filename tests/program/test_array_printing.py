"""Nodes of arrays are written in NumPy's notation, and no longer than there is room for."""

from __future__ import annotations

import numpy as np
import pytest

from diffcompare.program.array_printing import array_formulas
from diffcompare.program.arrays import ArrayBuilder

DATA = np.arange(12.0).reshape(3, 4)


def piece(build, start, stop):
    return build.take(build.variables, np.arange(start, stop))


FORMULAS = {
    "x": lambda b: b.variables,
    "x[2]": lambda b: b.take(b.variables, np.array(2)),
    "x[1:3]": lambda b: piece(b, 1, 3),
    "x[…]": lambda b: b.take(b.variables, np.array([3, 1])),
    "sum(x**2)": lambda b: b.contract("i,i->", b.variables, b.variables),
    "… @ x": lambda b: b.contract("ij,j->i", b.constant(DATA), b.variables),
    "x @ (… @ x)[…]": lambda b: b.contract(
        "i,i->", b.variables,
        b.take(b.contract("ij,j->i", b.constant(DATA), b.variables), np.array([0, 1, 2, 0]))),
    "0.5*(x - 1)": lambda b: b.raw("multiply", b.constant(0.5), b.raw("subtract", b.variables, b.constant(1.0))),
    "exp(x[0:2])*x[2:4]": lambda b: b.raw("multiply", b.raw("exp", piece(b, 0, 2)), piece(b, 2, 4)),
    "sum(x, axis=0)": lambda b: b.total(b.reshape(b.variables, (2, 2)), (0,)),
    "det(x)": lambda b: b.of_matrix("determinant", b.reshape(b.variables, (2, 2))),
    "x.T": lambda b: b.transpose(b.reshape(b.variables, (2, 2)), (1, 0)),
    "x*x.T": lambda b: b.raw("multiply", b.reshape(b.variables, (2, 2)),
                             b.transpose(b.reshape(b.variables, (2, 2)), (1, 0))),
    "[0, 1, 2, …]": lambda b: b.constant(DATA),
    "2*x": lambda b: b.raw("multiply", b.constant(np.full(4, 2.0)), b.variables),
}  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_a_node_is_written(text):
    build = ArrayBuilder(4)
    assert array_formulas(build, [FORMULAS[text](build)]) == [text]


def test_variables_have_the_names_of_their_arrays():
    build = ArrayBuilder(5)
    names = ["W[0, 0]", "W[0, 1]", "W[1, 0]", "W[1, 1]", "b"]
    W, b = build.reshape(piece(build, 0, 4), (2, 2)), build.take(build.variables, np.array(4))
    nodes = [build.raw("add", W, b), piece(build, 1, 3)]
    assert array_formulas(build, nodes, names) == ["W + b", "W[1:3]"]


def test_what_is_too_long_is_left_out_from_the_inside():
    build = ArrayBuilder(4)
    node = build.variables
    for name in ("sin", "exp", "tanh", "cos") * 6:
        node = build.raw(name, node)
    for limit in (10, 20, 60):
        (text,) = array_formulas(build, [node], limit=limit)
        assert len(text) <= limit
        assert text.startswith("cos(")
        assert text.count("(") == text.count(")")
        assert "…" in text
