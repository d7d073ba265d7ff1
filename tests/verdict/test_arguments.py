"""What people have their parameters in: the code gets it back as it is, and what a gradient lacks is named."""

import re

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.verdict.arguments import structure_of


def opaque(x):
    """The same number, by a way that no trace follows."""
    return float.fromhex(float(x).hex())


# ---- lists, tuples, numbers without axes

STRUCTURES = {
    "arrays of several shapes in a list": [np.ones((2, 2)), np.array([3.0])],
    "arrays and a number in a list": [np.ones(2), 3.0],
    "a tuple of arrays": (np.ones(2), np.array([[3.0]])),
    "a tuple of arrays without axes": (np.array(2.0), np.array(3.0)),
    "a dict": {0: np.ones(2), 1: np.array(3.0)},
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_parameters_come_in_the_structure_that_they_are_given_in(name):
    at = STRUCTURES[name]
    seen = []

    def f(p):
        seen.append(type(p))
        return np.sum(p[0] ** 2) * np.sum(p[1])

    def gradient(p):
        parts = [2 * p[0] * np.sum(p[1]), np.sum(p[0] ** 2) * np.ones(np.shape(p[1]))]
        return {0: parts[0], 1: parts[1]} if isinstance(p, dict) else type(p)(parts)

    verdict = dc.check_gradient(f, gradient, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert {*seen} == {type(at)}
    assert dc.check_directional(f, gradient, at).ok


def test_a_gradient_of_a_list_is_derived_as_a_list():
    at = [np.ones((2, 2)), np.array([3.0])]
    derived = dc.derive(lambda p: np.sum(p[0] ** 2) * p[1][0], at)
    assert re.search(r"return \[.*\]$", derived.source.strip())


def test_a_list_of_arrays_of_one_shape_is_an_array():
    structure, x = structure_of([np.ones(2), np.zeros(2)])
    assert (structure.kind, structure.shapes, x.tolist()) == ("array", ((2, 2),), [1.0, 1.0, 0.0, 0.0])


@pytest.mark.parametrize("at", [np.array(3.0), np.float64(3.0), np.array([3.0]), np.array([[3.0]])])
def test_one_number_may_have_any_number_of_axes(at):
    seen = []
    verdict = dc.check_gradient(lambda x: seen.append(np.shape(x)) or np.sum(x**2), lambda x: 2 * x, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert {*seen} == {np.shape(at)}


# ---- what a gradient lacks

AT = {"W1": np.ones((2, 3)), "b1": np.zeros(3)}


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"W1": np.ones((2, 3))}, r"a gradient with the keys ['W1', 'b1'] is needed; 'b1' is missing"),
        ({**AT, "b2": 1.0}, r"a gradient with the keys ['W1', 'b1'] is needed; 'b2' is none of them"),
        ({**AT, "W1": np.ones((3, 2))}, "a gradient of shape (2, 3) is needed, got shape (3, 2) in entry 'W1'"),
        ({**AT, "b1": None}, "a gradient of real numbers is needed, got None in entry 'b1'"),
        (np.ones(9), "a gradient with the keys ['W1', 'b1'] is needed, got ndarray of length 9"),
    ],
)
def test_the_entry_that_is_missing_or_misshapen_is_named(returned, message):
    verdict = dc.check_gradient(lambda p: np.sum(p["W1"]) + np.sum(p["b1"]), lambda p: returned, AT)
    assert verdict.status == "wrong"
    assert message in verdict.headline


# ---- float32

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
W = np.array([0.3, 1.1, -0.5], dtype=np.float32)


def loss(w):
    assert w.dtype != np.float64 or type(w) is not np.ndarray
    return np.sum(np.tanh(X @ w) ** 2)


def slope(w):
    z = np.tanh(X @ w)
    return X.T @ (2 * z * (1 - z * z))


def halved(w):
    z = np.tanh(X @ w)
    return X.T @ (z * (1 - z * z))


def test_a_float32_point_is_handed_on_as_float32_and_still_judged_by_identity():
    verdict = dc.check_gradient(loss, slope, W)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert 1e-9 < verdict.rounding < 1e-6
    assert "both are computed in 32-bit numbers" in verdict.notes
    assert verdict.snippet == f"diffcompare.check_gradient(f, gradient, at=np.float32({W.tolist()}))"


@pytest.mark.places
def test_a_mistake_in_float32_code_is_found_and_marked():
    verdict = dc.check_gradient(loss, halved, W)
    assert verdict.status == "wrong"
    assert verdict.cause == "factor 2 missing: the claim is D/2 in every component"
    assert [mark.text for mark in verdict.marks] == ["X.T @ (z * (1 - z * z))"]


def test_a_mistake_in_float32_code_has_its_place():
    verdict = dc.check_gradient(loss, lambda w: None, W)
    assert re.search(r"returned None; is a return missing\? \(test_arguments\.py:\d+\)", verdict.headline)


@pytest.mark.parametrize(("gradient", "status"), [(slope, "consistent"), (halved, "wrong")])
def test_opaque_float32_code_is_given_float32(gradient, status):
    types = set()

    def f(w):
        types.add(w.dtype)
        return np.float32(opaque(loss(np.array([opaque(v) for v in w], dtype=w.dtype))))

    assert dc.check_gradient(f, gradient, W).status == status
    # a trace looks like float64
    assert np.dtype(np.float32) in types


def test_arrays_of_several_types_keep_their_own():
    types = set()

    def f(p):
        types.add((np.asarray(p["W"]).dtype.kind, p["W"].dtype.itemsize, np.asarray(p["b"]).dtype.itemsize))
        return np.sum(p["W"] * p["W"]) * p["b"]

    verdict = dc.check_gradient(
        f, lambda p: {"W": 2 * p["W"] * p["b"], "b": np.sum(p["W"] * p["W"])}, {"W": W, "b": 0.3}
    )
    assert verdict.ok
    assert ("f", 4, 8) in types


def test_the_other_checks_hand_on_float32_too():
    x = np.float32([1.1, 2.0])
    assert dc.check_jacobian(lambda x: x**3, lambda x: np.diag(3 * x * x), x).evidence == "identity"
    assert dc.check_hessian(lambda x: np.sum(x**3), lambda x: np.diag(6 * x), x).evidence == "identity"
    assert dc.check_directional(lambda x: np.sum(x**3), lambda x: 3 * x * x, x).ok
    assert dc.check_gradient(lambda x: (np.sum(x**3), 3 * x * x), True, x).evidence == "identity"
    assert dc.certified_gradient(lambda x: np.sum(x**3), x).status == ["ok", "ok"]


# ---- Series and DataFrame

SERIES = pd.Series({"a": 2.0, "b": 3.0, "c": 0.5}, name="k")
FRAME = pd.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0]}, index=["p", "q"])
LABELLED = {
    "labels in another order": (
        lambda s: s["a"] ** 2 * s["b"] + np.log(s["c"]),
        lambda s: pd.Series({"b": s["a"] ** 2, "c": 1 / s["c"], "a": 2 * s["a"] * s["b"]}),
        SERIES,
    ),
    "NumPy": (lambda s: np.sum(np.exp(s)), lambda s: np.exp(s), SERIES),
    "an array for the gradient": (lambda s: (s.values**2).sum(), lambda s: 2 * s.to_numpy(), SERIES),
    "its methods": (lambda s: (s * s).sum(), lambda s: 2 * s, SERIES),
    "counted labels, numbers like them": (lambda s: (s * s).sum(), lambda s: 2 * s, pd.Series([0.0, 1.0, 2.0])),
    "a DataFrame": (
        lambda d: np.sum(d["u"] ** 2 * d["v"]),
        lambda d: pd.DataFrame({"v": d["u"] ** 2, "u": 2 * d["u"] * d["v"]}),
        FRAME,
    ),
}


@pytest.mark.parametrize("name", LABELLED)
def test_numbers_with_labels_are_parameters(name):
    f, gradient, at = LABELLED[name]
    before = at.copy()
    verdict = dc.check_gradient(f, gradient, at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert at.equals(before)
    assert dc.check_gradient(f, lambda p: gradient(p) * (1 + 1e-9), at).status == "wrong"


def test_components_are_called_by_their_labels():
    assert structure_of(SERIES)[0].names() == ("x[a]", "x[b]", "x[c]")
    assert structure_of({"w": FRAME})[0].names() == ("w[p, u]", "w[p, v]", "w[q, u]", "w[q, v]")


def test_opaque_code_is_given_the_labels():
    def f(s):
        assert (s.name, list(s.index)) == ("k", ["a", "b", "c"])
        return opaque(s["a"]) ** 2 * opaque(s["b"])

    gradient = LABELLED["labels in another order"][1]
    assert dc.check_gradient(f, lambda s: gradient(s) - [0, 1 / s["c"], 0], SERIES).ok
    assert dc.check_gradient(f, lambda s: 2 * gradient(s), SERIES).status == "wrong"


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        (lambda s: (2 * s).drop("b"), "the labels ['a', 'b', 'c'] is needed; 'b' is missing"),
        (lambda s: pd.concat([2 * s, pd.Series({"d": 1.0})]), "the labels ['a', 'b', 'c'] is needed, got 4 labels"),
    ],
)
def test_a_label_that_is_missing_is_named(gradient, message):
    verdict = dc.check_gradient(lambda s: (s * s).sum(), gradient, SERIES)
    assert verdict.status == "wrong"
    assert message in verdict.headline


@pytest.mark.parametrize("beside", [(), (np.ones(2),)])
def test_a_label_that_no_file_can_hold_is_refused(beside):
    series = pd.Series([1.0], index=pd.Index(["\ud800"], dtype=object))
    with pytest.raises(ValueError, match=r"label of at.*half of a character"):
        dc.check_gradient(lambda p: p[0].sum(), lambda p: p, (series, *beside))
