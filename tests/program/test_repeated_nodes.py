"""What runs of the same code have in common."""

from __future__ import annotations

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.program.arrays import ArrayBuilder
from diffcompare.program.repeated_nodes import common_parts


def runs(build: ArrayBuilder, *rows: tuple[float, str]) -> tuple[int, ...]:
    """x1 * number, then a function: one run for each row."""
    x = build.take(build.variables, np.array([1]))
    return tuple(build.apply(name, build.apply("multiply", x, build.constant(value))) for value, name in rows)


def test_numbers_that_differ_are_known_or_refused() -> None:
    build = ArrayBuilder(3)
    nodes = runs(build, (0.3, "sin"), (0.7, "sin"))
    numbers = tuple(build.constant(v) for v in (0.3, 0.7))
    known = {numbers: ("k", None)}
    assert common_parts(build, [nodes], known.get) == {numbers[0]: "k"}
    with pytest.raises(dc.UnsupportedFunction, match="the runs of a loop differ in what they compute"):
        common_parts(build, [nodes], {}.get)


def test_other_operations_are_refused() -> None:
    build = ArrayBuilder(3)
    with pytest.raises(dc.UnsupportedFunction, match="differ in what they compute"):
        common_parts(build, [runs(build, (0.3, "sin"), (0.3, "cos"))], {}.get)


def test_what_is_the_same_in_every_run_is_looked_into_for_what_is_known() -> None:
    build = ArrayBuilder(3)
    nodes = runs(build, (0.3, "sin"), (0.3, "sin"))
    assert common_parts(build, [nodes], {}.get) == {}
    x = build.take(build.variables, np.array([1]))
    assert common_parts(build, [nodes], {(x, x): ("x", None)}.get) == {x: "x"}


def test_one_node_that_stands_for_two_things_is_refused() -> None:
    build = ArrayBuilder(3)
    x = build.take(build.variables, np.array([1]))
    numbers = [build.constant(v) for v in (0.3, 0.3, 0.7, 0.9)]
    pairs = [
        tuple(
            build.apply("add", build.apply("multiply", x, one), build.apply("multiply", build.variables, two))
            for one, two in ((numbers[0], numbers[1]), (numbers[2], numbers[3]))
        )
    ]
    known = {(numbers[0], numbers[2]): ("a", None), (numbers[1], numbers[3]): ("b", None)}
    with pytest.raises(dc.UnsupportedFunction, match="two numbers of a loop are the same in one run"):
        common_parts(build, pairs, known.get)
