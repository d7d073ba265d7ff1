"""What else could be done at an expression, and what is dearer."""

from __future__ import annotations

from typing import Any

import numpy as np

from diffcompare.verdict.array_pair import trace_arrays
from diffcompare.verdict.repairs.measured import measured
from diffcompare.verdict.repairs.sites import Site
from diffcompare.verdict.repairs.turns import Turn, turns_of
from tests.verdict.test_array_identity import problem


def f(x: Any) -> Any:
    return np.sum(x**2) / 2


def gradient(x: Any) -> Any:
    columns = np.tanh(x).reshape(2, 2).sum(axis=0)
    return x + x * (columns @ (x[1:3] * x[:2]))


def turns_at(operation: str) -> list[Turn]:
    here = measured(trace_arrays(problem(f, gradient, np.array([0.5, 0.25, 2.0, 1.5]))))
    assert here is not None
    nodes = [k for k in here.build.needed([here.pair.G]) if here.build.nodes[k].operation == operation]
    return [turn for k in nodes for turn, _ in turns_of(here, Site((k,)))]


def test_no_turn_is_cheaper_than_a_sign() -> None:
    (sign,) = {turn.cost for turn in turns_at("add") if turn.kind == "sign"}
    others = [turn for name in ("add", "multiply", "tanh", "total", "take") for turn in turns_at(name)]
    assert {"axis", "shifted", "other function", "chain factor"} <= {turn.kind for turn in others}
    assert min(turn.cost for turn in others) == sign


def test_an_index_is_moved_to_no_place_outside_the_array() -> None:
    # x[1:3] may be x[:2] or x[2:], and x[:2] only x[1:3]
    assert [turn.words for turn in turns_at("take")].count("the index is off by one") == 3
