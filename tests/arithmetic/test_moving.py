"""One coordinate moves: the same enclosures up to rounding, and no work on what does not move."""

from collections import Counter
from functools import reduce
from operator import add

import numpy as np
import pytest
from flint import arb

import diffcompare as dc
from diffcompare.arithmetic import balls, jets
from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.arithmetic.moving import Chain, Rest, few_moving, moved_value
from diffcompare.arithmetic.running_error import rounding_bound
from diffcompare.program.moving import moving_nodes
from diffcompare.sweeps import sweep as sweep_module

N = 40
WEIGHTS = np.random.default_rng(0).normal(size=N)

FUNCTIONS = {
    "squares": lambda x: np.sum(x**2),
    "cubes": lambda x: np.sum(WEIGHTS * x**3) - 0.1 * x[3],
    "tails": lambda x: np.log(np.sum(np.exp(x))) / np.mean(np.tan(x)),
    "dot": lambda x: np.sin(x) @ (WEIGHTS * x) + np.sqrt(x @ x),
    "one twice": lambda x: np.sum(x[[5, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 5]]) * x[5] + np.sum(x * np.cos(x)),
    "both sides": lambda x: np.concatenate([x, x**2]) @ np.concatenate([x**2, np.cos(x)]),
    "corners": lambda x: np.sum(np.abs(x)) + np.sum(np.where(x > 0.5, x * x, np.sin(x))),
    "jumps": lambda x: np.sum(np.sign(x) * x) + np.sum(np.arctan2(x, WEIGHTS)),
    "outside": lambda x: np.sum(np.sqrt(x)) + np.sum(np.log(x)),
    "not all": lambda x: np.sum(x[:20] ** 2) + np.exp(x[0]),
}
POINTS = {
    "ordinary": np.random.default_rng(1).uniform(0.1, 3.0, size=N),
    "line": np.linspace(-1, 1, N),
    "zero": np.zeros(N),
    "wide": 10.0 ** np.linspace(-20, 20, N),
}


def assert_alike(found, expected, bits, widths=True):
    """Both enclose the same numbers, and neither is much wider: the order of adding changes what is rounded."""
    assert found.is_finite() == expected.is_finite()
    if not expected.is_finite():
        return
    assert found.overlaps(expected)
    # where terms of very different sizes cancel, the order of adding decides how much is left
    if not widths:
        return
    rounding = 4 * N * 2.0**-bits * abs(float(expected.mid()))
    assert float(found.rad()) <= 2 * float(expected.rad()) + rounding
    assert float(expected.rad()) <= 2 * float(found.rad()) + rounding


def hulls(x):
    return [None, ball(x).union(ball(x + 0.125)), ball(x - 1e-9).union(ball(x))]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("place", POINTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_shared_is_enclosed_as_if_it_were_not(name, place):
    program, point = dc.trace(FUNCTIONS[name], (N,)).program, POINTS[place].tolist()
    rest = Rest(point)
    shared = 0
    for i in (0, 1, 5, 19, N - 1):
        shared += few_moving(program, i) is not None
        for hull in hulls(point[i]):
            box = rest.moved(i, hull)
            plain = list(box)
            assert len(box) == N
            for order, bits in ((6, 64), (10, 80), (13, 200)):
                found = jets.taylor_jet(program, box, i, order=order, bits=bits)
                expected = jets.taylor_jet(program, plain, i, order=order, bits=bits)
                for both in zip(found, expected, strict=True):
                    assert_alike(*both, bits, place != "wide")
            for dtype in ("float64", "float32"):
                shared_bound, bound = (rounding_bound(program, given, i, dtype=dtype) for given in (box, plain))
                assert 0.99 * bound <= shared_bound <= 1.01 * bound or np.isnan([bound, shared_bound]).all()
            with precision(96):
                expected = ball_function(program)(*plain)[0]
                assert_alike(moved_value(program, box, 96), expected, 96, place != "wide")
    assert shared == 5


def test_the_nodes_that_move_are_those_that_depend_on_the_variable():
    program = dc.parse("sin(x0)*x1 + exp(x1) + x2 - x2").program
    depends = []
    for node in program.nodes:
        own = {int(node.payload)} if node.operation == "variable" else set()
        depends.append(own.union(*(depends[i] for i in node.operands)))
    for i in range(3):
        assert moving_nodes(program, i) == [k for k, found in enumerate(depends) if i in found]
    assert moving_nodes(dc.parse("x0 + 0*x1", variables=["x0", "x1", "x2"]).program, 2) == []


def test_a_chain_is_a_sum_in_which_terms_move():
    random = np.random.default_rng(2)
    with precision(64):
        terms = [ball(float(t)) * arb.pi() for t in random.normal(size=20)]
        chain = Chain(terms, arb(0))
        for moved in ({}, {0: arb(3)}, {19: arb(3)}, {4: arb.pi(), 7: arb(1)}, {7: None, 2: None, 4: arb(5)}):
            left = [t for t in (moved.get(p, t) for p, t in enumerate(terms)) if t is not None]
            assert_alike(chain.total(moved), reduce(add, left), 64)
        whole = Chain([arb(k) for k in range(9)], arb(0))
        assert whole.total({3: arb(-25), 8: None, 0: arb(0.5)}) == 0.5


@pytest.mark.parametrize("n", [32, 128])
def test_a_sweep_does_not_compute_what_stays(n, monkeypatch):
    calls, runs = Counter(), []
    for table, kind in ((jets.JET_OPERATIONS, "jets"), (balls.BALL_OPERATIONS, "balls")):

        def counted(x, kind=kind, sine=table["sin"]):
            calls[kind] += 1
            return sine(x)

        monkeypatch.setitem(table, "sin", counted)
    original = sweep_module.compile_numpy

    def compiled(*given):
        run = original(*given)
        return lambda columns: runs.append(len(columns[0])) or run(columns)

    monkeypatch.setattr(sweep_module, "compile_numpy", compiled)
    table = dc.sweep(dc.trace(lambda x: np.sum(np.sin(x)), (n,)), np.linspace(0.5, 1.0, n), steps=[1e-4])
    assert len(table) == 3 * n
    assert (table["status"] == "ok").all()
    # n at rest, and one for each variable, of each of three kinds of jets; and one check of the gradient
    assert 0 < calls["jets"] <= 7 * n
    # at rest and moved: hulls, roundings, five abscissae at two or three precisions, references; n² would be 128 n
    assert 0 < calls["balls"] <= 40 * n
    assert runs == [1, 2 * n]
