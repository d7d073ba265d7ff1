"""What is taken for another thing by mistake is of its kind."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import numpy as np

from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.kinds import kinds_of
from diffcompare.verdict.rewrites.names import names_of
from diffcompare.verdict.rewrites.running import Body, Change, bodies_of
from diffcompare.verdict.rewrites.syntax import Names, sites_of, text_of

DATA = np.arange(6.0).reshape(3, 2)
COUNT, RATE = 3, 0.5


def gradient(x: Any) -> Any:
    carried = 0.0
    for k in range(COUNT):
        carried = carried + RATE * x * DATA[k, 0]
    return carried / len(DATA)


def run(body: Body, changes: Sequence[Change]) -> Any:
    with body.changed(changes) as changed:
        return changed(np.array([1.0, 2.0]))


def test_a_name_is_exchanged_for_others_of_its_kind_first() -> None:
    (body,) = bodies_of(gradient)
    sites = list(sites_of(body.definition))
    names = Names(("x", "carried", "k", "COUNT", "RATE", "DATA"))
    strange = kinds_of(body, sites, names, run).strange
    (x,) = (site for site in sites if text_of(site.node) == "x" and isinstance(site.node, ast.Name))
    # the first value of what is carried along is a number, the others are arrays
    assert strange[id(x.node)] == {"k", "COUNT", "RATE", "DATA"}
    (index,) = (site for site in sites if text_of(site.node) == "k" and site.field == "elts")
    assert strange[id(index.node)] == {"x", "carried", "RATE", "DATA"}
    assert np.array_equal(run(body, ()), gradient(np.array([1.0, 2.0])))

    found = rewrites_of(sites, Names(names.variables, strange=strange))
    cost = {text_of(one.changes[0].new): one.cost for one in found if one.node is x.node}
    assert cost["carried"] < cost["RATE"]


def scaled(x: Any) -> Any:
    return 2 * DATA.T @ np.ones(COUNT) + ["a", 1.5][1] * x


def test_a_number_is_rather_another_number_than_an_array() -> None:
    (body,) = bodies_of(scaled)
    sites = list(sites_of(body.definition))
    names = Names(("x", "COUNT", "RATE", "DATA"))
    strange = kinds_of(body, sites, names, run).strange
    (two,) = (site for site in sites if text_of(site.node) == "2")
    assert strange[id(two.node)] == {"x", "COUNT", "DATA"}
    found = rewrites_of(sites, Names(names.variables, strange=strange))
    cost = {text_of(one.changes[0].new): one.cost for one in found if one.node is two.node}
    assert cost["RATE"] < cost["DATA"]


def test_of_what_is_asked_for_its_length_the_length_may_be_the_mistake() -> None:
    (body,) = bodies_of(gradient)
    sites = list(sites_of(body.definition))
    body.function.__globals__["MORE"] = np.ones((4, 2))
    strange = kinds_of(body, sites, Names(("DATA", "MORE", "RATE")), run).strange
    (data,) = (site for site in sites if text_of(site.node) == "DATA" and site.field == "args")
    assert strange[id(data.node)] == {"RATE"}


def test_a_name_that_nothing_reads_may_stand_for_a_value_of_another_kind() -> None:
    definition = ast.parse("def g(a, b):\n    return a * b\n").body[0]
    sites = list(sites_of(definition))
    (a,) = (site for site in sites if text_of(site.node) == "a")
    names = Names(("a", "b", "c", "d"), strange={id(a.node): frozenset({"c", "d"})}, unused=("c",))
    costs = {text_of(one.changes[0].new): one.cost for one in rewrites_of([a], names)}
    assert costs["c"] == costs["b"] < costs["d"]


def of_a_list(x: Any) -> Any:
    return np.array([np.sum(x * one) for one in (DATA[:, 0], DATA[:, 1])])


def test_what_bounds_loops_is_no_function_that_is_missing() -> None:
    """Python ended with a fault of its memory where that stood around a difference."""
    (body,) = bodies_of(of_a_list)
    assert names_of(body, list(sites_of(body.definition)), []).functions == ("np.sum",)


FAST, SAFE = True, np.bool_(False)


def with_flags(x: Any) -> Any:
    return (x * RATE if FAST else x) + COUNT


def test_a_flag_stands_for_no_number() -> None:
    (body,) = bodies_of(with_flags)
    body.function.__globals__["SAFE"] = SAFE
    sites = list(sites_of(body.definition))
    names = kinds_of(body, sites, Names(("x", "RATE", "COUNT", "FAST", "SAFE")), run)
    assert names.flags == {"FAST", "SAFE"}
    found = {site: {text_of(one.changes[0].new) for one in rewrites_of(sites, names) if one.node is site.node}
             for site in sites if isinstance(site.node, ast.Name)}  # fmt: skip
    others = {site.node.id: some.intersection(names.variables) for site, some in found.items()}
    assert others["RATE"] == {"x", "COUNT"}
    assert others["FAST"] == {"SAFE"}
