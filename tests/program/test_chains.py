"""Chains of additions become sums: the same function, with fewer nodes behind a term."""

from collections import Counter

import pytest

import diffcompare as dc
from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.program.chains import with_sums
from diffcompare.program.moving import moving_nodes

LONG = " + ".join(f"sin(x{i})" for i in range(12))
NAMES = [f"x{i}" for i in range(12)]
CASES = {
    "a sum": LONG,
    "signs": "x0 - (x1 - (x2 + x3 - x4)) - (x5 - x6) - x7 + (x8 - x9) - (x10 + x11)",
    "used twice": f"({LONG})*({LONG} + x3)",
    "a sum in a sum": f"exp({LONG} - x1) - x2 + x3 - x4 - x5 - x6 - x7 - x8 - x9 + x10 - x11",
    "doubled": f"({LONG}) + ({LONG})",
    "short": "x0 + x1 - x2 + x3 - x4 + x5 - x6 + x11",
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_the_same_function(name):
    program = dc.parse(CASES[name], variables=NAMES).program
    point = [ball(0.25 * k - 1.0) for k in range(12)]
    with precision(200):
        expected, found = ball_function(program)(*point)[0], ball_function(with_sums(program))(*point)[0]
        assert abs(expected - found) < 1e-50


@pytest.mark.parametrize(("name", "sums"), {"signs": 1, "used twice": 1, "a sum in a sum": 2, "short": 0}.items())
def test_what_is_added_is_one_sum(name, sums):
    program = dc.parse(CASES[name], variables=NAMES).program
    operations = Counter(node.operation for node in with_sums(program).nodes)
    assert operations["sum"] == sums
    if sums:
        assert operations["add"] + operations["subtract"] == (name == "used twice")


def test_a_term_moves_one_node():
    terms = 100
    program = dc.parse(" + ".join(f"x{i}**2" for i in range(terms))).program
    assert len(moving_nodes(program, 0)) == terms + 1
    assert [len(moving_nodes(with_sums(program), i)) for i in range(terms)] == [3] * terms
