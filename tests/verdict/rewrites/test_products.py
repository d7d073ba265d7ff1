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

from ...quality.mistakes.case import load  # noqa: TID252 - tests are no package
from ...quality.mistakes.models import CASES  # noqa: TID252 - tests are no package

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


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("kalman_vector", 0, "the term -k * (ds / s) is missing beside dP @ h / s"),
        ("recursive_filter", 0, "the term -a2 * lam[t + 2] is missing"),
    ],
)
def test_a_product_that_a_recursion_lacks_is_named(name: str, number: int, said: str, tmp_path: Path) -> None:
    (planted,) = (one for one in CASES if one.name == name)
    module = load(planted.edit(planted.bugs[number]).text.replace("size=12", "size=6"), tmp_path, "planted")
    assert said in str(dc.check_gradient(module.f, module.gradient, module.at).cause)
