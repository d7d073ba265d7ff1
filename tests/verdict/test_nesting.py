"""Parameters in dicts, tuples and named tuples that hold one another, as libraries of networks keep them."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.adapters import door
from diffcompare.errors import DiffcompareError
from diffcompare.verdict.arguments import structure_of

from ..quality.corpus import opaque  # noqa: TID252 - tests are no package

Layer = namedtuple("Layer", "w b")
DATA = np.array([1.0, 2.0])
POINT = {
    "layer1": {"w": np.array([[0.1, 0.2], [0.3, -0.4]]), "b": np.array([0.1, -0.2])},
    "out": (np.array([1.0, 2.0]), 0.5),
}
NAMES = [
    *("layer1.w[0, 0]", "layer1.w[0, 1]", "layer1.w[1, 0]", "layer1.w[1, 1]", "layer1.b[0]", "layer1.b[1]"),
    *("out[0][0]", "out[0][1]", "out[1]"),
]


def loss(p: Any) -> Any:
    w, b = p["out"]
    return np.tanh(DATA @ p["layer1"]["w"] + p["layer1"]["b"]) @ w + b**2


def slope(p: Any) -> Any:
    h = np.tanh(DATA @ p["layer1"]["w"] + p["layer1"]["b"])
    d = (1 - h * h) * p["out"][0]
    return {"layer1": {"w": np.outer(DATA, d), "b": d}, "out": (h, 2 * p["out"][1])}


def test_components_are_named_by_their_path() -> None:
    verdict = dc.check_gradient(loss, slope, POINT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert verdict.components["component"].tolist() == NAMES
    dc.testing.assert_gradient(loss, slope, POINT)


def test_a_wrong_entry_is_found() -> None:
    def wrong(p: Any) -> Any:
        g = slope(p)
        return g | {"layer1": g["layer1"] | {"b": 2 * g["layer1"]["b"]}}

    verdict = dc.check_gradient(loss, wrong, POINT)
    found = verdict.components.set_index("component")["status"]
    assert found[found == "wrong"].index.tolist() == ["layer1.b[0]", "layer1.b[1]"]


@pytest.mark.parametrize(
    ("bug", "message"),
    [
        (lambda g: {"layer1": {"w": g["layer1"]["w"]}, "out": g["out"]}, "needs the entry layer1.b, which is missing"),
        (
            lambda g: g | {"layer1": g["layer1"] | {"w": g["layer1"]["w"][0]}},
            r"of shape \(2, 2\) is needed, got shape \(2,\) in entry 'layer1.w'",
        ),
        (lambda g: g | {"layer1": g["layer1"] | {"c": 1.0}}, "has the entry layer1.c, which the point has not"),
        (lambda g: g | {"out": g["out"][:1]}, r"with the entries \[0, 1\] in out is needed, got tuple of length 1"),
        (lambda g: g | {"layer1": 1.0}, r"with the entries \['w', 'b'\] in layer1 is needed, got float"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(bug: Callable[[Any], Any], message: str) -> None:
    verdict = dc.check_gradient(loss, lambda p: bug(slope(p)), POINT)
    assert (verdict.status, verdict.evidence) == ("wrong", "calls")
    with pytest.raises(ValueError, match=message):
        structure_of(POINT)[0].flatten(bug(slope(POINT)))


@pytest.mark.parametrize(
    ("function", "gradient", "at", "names"),
    [
        (
            lambda p: p.w @ p.w + p.b,
            lambda p: Layer(2 * p.w, 1.0),
            Layer(np.array([1.0, 2.0]), 0.3),
            ["w[0]", "w[1]", "b"],
        ),
        (
            lambda p: p["l"].w @ p["l"].w * p["l"].b,
            lambda p: {"l": Layer(2 * p["l"].w * p["l"].b, p["l"].w @ p["l"].w)},
            {"l": Layer(np.array([1.0, 2.0]), 0.3)},
            ["l.w[0]", "l.w[1]", "l.b"],
        ),
        (
            lambda p: sum((a * b).sum() for a, b in p),
            lambda p: [(b, a) for a, b in p],
            [(np.array([1.0, 2.0]), np.array([3.0, 4.0])), (np.array([5.0]), np.array([6.0]))],
            ["x[0][0][0]", "x[0][0][1]", "x[0][1][0]", "x[0][1][1]", "x[1][0][0]", "x[1][1][0]"],
        ),
    ],
)
def test_named_tuples_and_lists_of_tuples_are_parameters(function: Any, gradient: Any, at: Any, names: Any) -> None:
    verdict = dc.check_gradient(function, gradient, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert verdict.components["component"].tolist() == names
    structure, flat = structure_of(at)
    assert type(structure.unflatten(flat)) is type(at)


def test_opaque_code_of_nested_parameters_is_judged_in_few_calls() -> None:
    structure, _ = structure_of(POINT)
    closed = opaque(lambda x: structure.flatten(slope(structure.unflatten(x))))
    verdict = dc.check_gradient(
        lambda p: float(repr(float(loss(p)))), lambda p: structure.unflatten(closed(structure.flatten(p))), POINT
    )
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")
    assert verdict.calls[0] <= 16 + 10 * 9


def test_a_point_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="an empty point"):
        structure_of({"a": {}, "b": {}})


def test_no_code_is_written_for_nested_parameters() -> None:
    with pytest.raises(DiffcompareError, match="parameters inside parameters"):
        dc.derive(loss, POINT)


def test_the_numbers_of_a_list_of_lists_are_not_looked_at_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    whole = door.parts_of
    monkeypatch.setattr(door, "parts_of", lambda at: asked.append(at) or whole(at))
    assert door.parts_of(np.ones((50, 40)).tolist()) is None
    assert len(asked) == 51
