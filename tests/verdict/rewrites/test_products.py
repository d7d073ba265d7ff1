"""Products that are missing in a line, told by its first wrong value."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites.first_wrong import known_of
from diffcompare.verdict.rewrites.insertions import Probe
from diffcompare.verdict.rewrites.products import products_of
from diffcompare.verdict.rewrites.syntax import Names, sites_of

from ...quality.mistakes import mixed_7, models  # noqa: TID252 - tests are no package
from ...quality.mistakes.case import load  # noqa: TID252 - tests are no package

X = np.array([[0.3, 1.1], [0.7, -0.2], [1.9, 0.4]])
A, B = X @ np.array([[2.1], [0.6]]), X[:, :1] - 0.9


@pytest.mark.parametrize(
    ("wanted", "operation", "text"),
    [
        (X + 0.7 * 1.3, "+", "a * b"),
        (X - A * B, "-", "v * w"),
        (X * 0.7 / 1.3, "*", "a / b"),
        (X * 2, "*", "2"),
        (X * np.array([[3.1], [0.2], [1.7]]), "*", "r[:, None]"),
        (X * (1 - 0.7), "*", "(1 - a)"),
        (X - np.sum(X * X, axis=1, keepdims=True), "-", "np.sum(x * x, axis=1, keepdims=True)"),
        (X * (1 - X**2), "*", "(1 - x ** 2)"),
        (X + 0.7 * 1.3 * A, "+", "a * b * v"),
    ],
)
def test_what_makes_a_value_known_is_found(wanted: Any, operation: str, text: str) -> None:
    at_hand = {"a": 0.7, "b": 1.3, "x": X, "v": A, "w": B, "r": np.array([3.1, 0.2, 1.7])}
    probe = Probe({"np": np}, seen=(X, at_hand))
    (site,) = sites_of(ast.parse("lambda: x", mode="eval").body)
    known = known_of(np.asarray(wanted, dtype=np.float64).reshape(-1))
    assert known is not None
    found = {(one.operation, one.item.text) for one in products_of(site, Names(tuple(at_hand)), probe, known)}
    assert (operation, text) in found, found
    assert not any("1 *" in text or "/ 1" in text or "2 * 2" in text for _, text in found)


def products(own: str, wanted: Any, at_hand: dict[str, Any], parts: tuple[str, ...] = ()) -> set[str]:
    value = eval(own, {"np": np}, at_hand)
    known = known_of(np.asarray(wanted, dtype=np.float64).reshape(-1))
    assert known is not None
    (site, *_) = sites_of(ast.parse(f"lambda: {own}", mode="eval").body)
    names = Names(tuple(at_hand), parts=parts)
    found = products_of(site, names, Probe({"np": np}, seen=(value, at_hand)), known)
    return {f"{one.operation} {one.item.text}" for one in found}


def test_a_matrix_times_a_vector_is_found() -> None:
    r = np.array([0.7, -1.2])
    assert "+ (x @ r)" in products(
        "s", np.array([3.1, 0.2, 1.7]) + X @ r, {"s": np.array([3.1, 0.2, 1.7]), "x": X, "r": r}
    )
    assert "- (x.T @ s)" in products("r", r - X.T @ A[:, 0], {"s": A[:, 0], "x": X, "r": r})


def test_sums_of_products_and_traces_are_found_beside_a_number() -> None:
    square, z = np.array([[0.3, 1.1], [0.7, -0.2]]), np.array([0.7, -1.2, 0.4])
    assert "* np.trace(m)" in products("s", 0.3 * np.trace(square), {"s": 0.3, "m": square})
    at_hand: dict[str, Any] = {"s": 0.3, "m": square, "x": square[::-1]}
    assert "* np.sum(m * x)" in products("s", 0.3 * np.sum(square * square[::-1]), at_hand)
    value = 0.3 * (z[1:] @ z[:-1])
    at_hand = {"s": 0.3, "e": z[1:], "z": z}
    known = known_of(np.array([value]))
    assert known is not None
    (site, *_) = sites_of(ast.parse("lambda: s", mode="eval").body)
    names = Names(tuple(at_hand), expressions=frozenset({"z[:-1]"}))
    found = products_of(site, names, Probe({"np": np}, seen=(0.3, at_hand)), known)
    assert "(e @ z[:-1])" in {one.item.text for one in found}


def test_elements_that_are_alike_by_chance_are_tried_each() -> None:
    at_hand = {"g": X, "h": [A, B], "i": 1, "j": -1}
    found = products("g", X * (1 - B**2), at_hand, ("h[i]", "h[j]"))
    assert {"* (1 - h[i] ** 2)", "* (1 - h[j] ** 2)"} <= found


def test_what_takes_out_what_stands_there_is_not_missing() -> None:
    """For a * w in place of b * w it was said that the divisor a / b is missing."""
    found = products("a * w", 1.9 * B, {"a": 0.7, "b": 1.9, "w": B})
    assert not found, found
    # but a number does, whatever exponent stands there
    assert "/ 2" in products("w**2", B**2 / 2, {"w": B})


@pytest.mark.mostly_thorough(but_each=7)
@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("kalman_vector", 0, "the term -(ds * k) is missing beside dP @ h"),
        ("recursive_filter", 0, "the term -a2 * lam[t + 2] is missing"),
        ("deep_tanh", 2, "the factor 1 - activations[l] ** 2 is missing in delta @ params[l][0].T"),
        ("minimal_gru", 2, "the term Uf @ dz is missing beside dh * (1 - z) + back * z"),
        ("harvest_adjoint", 2, "the term u[k] * (-h * w) is missing"),
        ("arma11", 0, "the term -(theta * de) is missing"),
        ("node_runge_kutta", 2, "the term A.T @ d1 is missing beside adj + d_mid"),
    ],
)
def test_a_product_that_a_recursion_lacks_is_named(name: str, number: int, said: str, tmp_path: Path) -> None:
    (planted,) = (one for one in (*models.CASES, *mixed_7.CASES) if one.name == name)
    module = load(planted.edit(planted.bugs[number]).text.replace("size=12", "size=6"), tmp_path, "planted")
    assert said in str(dc.check_gradient(module.f, module.gradient, module.at).cause)
