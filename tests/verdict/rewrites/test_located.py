"""Places of mistakes that no change of the source repairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.causes.budget import Budget, Exhausted

WORDS = "with other values here the gradient would be right"
A = np.array([[0.5, -1.25, 0.75], [1.5, 0.25, -0.5]])
INPUTS, WANTED = np.array([0.5, -0.25, 1.5, 0.75]), np.array([0.25, 1.0, -0.5, 0.125])


def marked(f: Any, gradient: Any, at: list[float]) -> list[str]:
    """The expressions that are marked as what other values would make right."""
    v = dc.check_gradient(f, gradient, at)
    assert v.status == "wrong"
    assert not [note for note in v.notes if "failed" in note]
    return [mark.text for mark in v.marks if mark.role == "gradient" and mark.message == WORDS]


def recurrent(p: Any) -> Any:
    w, u, v = p
    h, total = 0.0, 0.0
    for x, y in zip(INPUTS, WANTED, strict=True):
        h = np.tanh(w * x + u * h)
        total += (v * h - y) ** 2
    return total


def recurrent_gradient(p: Any) -> Any:
    w, u, v = p
    states = [0.0]
    for x in INPUTS:
        states.append(np.tanh(w * x + u * states[-1]))
    grad, dh = np.zeros(3), 0.0
    for t in range(3, -1, -1):
        h, error = states[t + 1], 2 * (v * states[t + 1] - WANTED[t])
        grad[2] += error * h
        dz = (error * v + dh) * np.cos(1.75 * h) ** 3
        grad[0] += dz * INPUTS[t]
        grad[1] += dz * states[t]
        dh = dz * u
    return grad


def test_the_smallest_rank_tells_the_statement() -> None:
    # the weight of the output is right: what it is made of is not marked, but what is carried to the next step may be
    found = marked(recurrent, recurrent_gradient, [0.75, -0.5, 1.25])
    assert found == ["(error * v + dh) * np.cos(1.75 * h) ** 3", "dz * u"]


def product(x: Any) -> Any:
    return np.sum(x**2) / 8 - np.prod(np.cos(x))


def product_gradient(x: Any) -> Any:
    grad = x / 4
    for i in range(len(x)):
        others = np.cosh(1.75 * x[i]) ** 0.3 + 0.2
        grad[i] += np.sin(x[i]) * others
    return grad


def test_values_that_are_decided_must_be_known() -> None:
    # np.sin(x[i]) may make up for it too, but then would be what nobody computes
    found = marked(product, product_gradient, [0.5, -0.75, 1.25, 0.25])
    assert found == ["np.cosh(1.75 * x[i]) ** 0.3 + 0.2"]


def unrolled(p: Any) -> Any:
    rate, keep = p
    w, v = 1.5, 0.0
    for _ in range(6):
        v = keep * v - rate * np.sin(w)
        w = w + v
    return w**2


def unrolled_gradient(p: Any) -> Any:
    rate, keep = p
    w, v, dw, dv = 1.5, 0.0, np.zeros(2), np.zeros(2)
    for _ in range(6):
        dv = keep * dv - rate * np.cosh(w) ** 2 * dw + np.array([-np.sin(w), v])
        v = keep * v - rate * np.sin(w)
        w = w + v
        dw = dw + dv
    return 2 * w * dw


def test_nothing_is_marked_where_all_may_be_wrong() -> None:
    # two components, and many numbers that move both
    assert marked(unrolled, unrolled_gradient, [0.25, 0.5]) == []


def test_a_budget_ends_with_its_time_too() -> None:
    with pytest.raises(Exhausted):
        Budget(10, seconds=-1.0).spend(1)
    Budget(10, seconds=100.0).spend(1)
