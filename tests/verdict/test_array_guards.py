"""Guards against log 0 in programs of arrays: named as in those of numbers, and left out with guards=True."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict import array_guards, guards, identity
from diffcompare.verdict.causes.budget import Budget, Exhausted

RANDOM = np.random.default_rng(2)
ROWS, INPUTS, HIDDEN, CLASSES = 30, 20, 8, 5
DATA = RANDOM.random((ROWS, INPUTS))
LABELS = np.eye(CLASSES)[RANDOM.integers(0, CLASSES, ROWS)]
W = 0.3 * RANDOM.normal(size=INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES)
P = 0.1 + 0.8 * RANDOM.random(50)
X = 0.5 + RANDOM.random(50)


@pytest.fixture(autouse=True)
def _as_arrays(monkeypatch):
    # short codes would be followed number by number
    monkeypatch.setattr(identity, "_FEW", -1)


def unpacked(w):
    one, two = INPUTS * HIDDEN, INPUTS * HIDDEN + HIDDEN
    three = two + HIDDEN * CLASSES
    return w[:one].reshape(INPUTS, HIDDEN), w[one:two], w[two:three].reshape(HIDDEN, CLASSES), w[three:]


def predicted(w):
    W1, b1, W2, b2 = unpacked(w)
    hidden = np.tanh(DATA @ W1 + b1)
    e = np.exp(hidden @ W2 + b2)
    return hidden, e / e.sum(axis=1, keepdims=True)


def network_loss(w):
    return -np.sum(LABELS * np.log(predicted(w)[1] + 1e-7)) / ROWS


def network_gradient(w):
    hidden, y = predicted(w)
    back = (y - LABELS) / ROWS
    inner = back @ unpacked(w)[2].T * (1 - hidden**2)
    return np.concatenate([(DATA.T @ inner).ravel(), inner.sum(axis=0), (hidden.T @ back).ravel(), back.sum(axis=0)])


# f, a gradient that ignores what f holds, the point, what is said
IGNORED = {
    "network": (network_loss, network_gradient, W, "the constant 1e-07 in log(… + 1e-07) (test_array_guards.py:"),
    "log": (lambda p: np.sum(np.log(p + 1e-7)), lambda p: 1 / p, P, "the constant 1e-07 in log(x + 1e-07) ("),
    "less": (lambda p: np.sum(np.log(p - 1e-7)), lambda p: 1 / p, P, "the constant 1e-07 in log(x - 1e-07) ("),
    "root": (lambda a: np.sqrt(a @ a + 1e-8), lambda a: a / np.sqrt(a @ a), X, "1e-08 in sqrt(sum(x**2) + 1e-08) ("),
    "power": (lambda a: (a @ a + 1e-6) ** 1.5, lambda a: 3 * a * np.sqrt(a @ a), X, "1e-06 in power with"),
    "denominator": (lambda p: np.sum(1 / (p + 1e-5)), lambda p: -1 / p**2, P, "1e-05 in a denominator with x + 1e-05"),
    "one of two": (lambda p: np.sum(np.log(p + 1e-7) + np.log(1 - p + 1e-7)), lambda p: 1 / (p + 1e-7) - 1 / (1 - p),
                   P, "the constant 1e-07 in log(1 - x + 1e-07)"),
    "both": (lambda p: np.sum(np.log(p + 1e-7) + np.log(1 - p + 1e-7)), lambda p: 1 / p - 1 / (1 - p), P,
             "the constants 1e-07 in log(x + 1e-07)"),
    "maximum": (lambda p: np.sum(np.log(np.maximum(p, 1e-3))), lambda p: 1 / p, np.r_[P, 1e-4],
                "the bound 0.001 of a maximum (test_array_guards.py:"),
    "everywhere": (lambda p: np.sum(np.log(np.maximum(p[:2], 1e-3))) + np.sum(p[2:]),
                   lambda p: np.r_[1 / p[:2], np.ones(49)], np.r_[1e-4, 2e-4, P[1:]], "the bound 0.001 of a maximum ("),
    "clip": (lambda p: np.sum(np.log(1 - np.clip(p, 1e-3, 1 - 2.0**-10))), lambda p: -1 / (1 - p), np.r_[P, 0.9999],
             "the bound 0.9990234375 of a minimum (test_array_guards.py:"),
}  # fmt: skip


# where the gradient uses what the guard protects
LACKING = {
    "log": ["p"], "less": ["p"], "root": ["a @ a"], "power": ["a @ a"], "denominator": ["p"], "one of two": ["1 - p"],
    "both": ["p", "1 - p"],
}  # fmt: skip


@pytest.mark.places
@pytest.mark.parametrize("name", IGNORED)
def test_a_guard_that_the_gradient_ignores_is_named_first(name):
    f, gradient, at, words = IGNORED[name]
    verdict = dc.check_gradient(f, gradient, at)
    assert (verdict.status, verdict.cause.kind) == ("wrong", "guard")
    first = verdict.explain().splitlines()[0]
    assert first.startswith("wrong: the gradient ignores the ")
    assert words in first
    assert "everything else is right. `guards=True` judges f without it" in first
    # where it stands is marked, and nothing else that makes up for it by chance
    mine, theirs = ([mark for mark in verdict.marks if mark.role == role] for role in ("f", "gradient"))
    assert {mark.message[:20] for mark in mine} == {"the gradient ignores"}
    assert len(mine) == 1 + (name == "both")
    assert {mark.text for mark in theirs} == set(LACKING.get(name, ()))


@pytest.mark.places
def test_where_a_guard_would_not_do_is_not_marked():
    verdict = dc.check_gradient(lambda p: np.sum(np.log(p + 1e-7)), lambda p: p / p**2, P)
    assert verdict.cause.kind == "guard"
    assert [mark.role for mark in verdict.marks] == ["f"]


@pytest.mark.places
def test_a_guard_is_named_where_its_place_in_the_gradient_costs_too_much(monkeypatch):
    agree, calls = array_guards._Agreement.__call__, []

    def paid_for_once(self, one, other):
        calls.append(one)
        if len(calls) > 1:
            raise Exhausted
        return agree(self, one, other)

    monkeypatch.setattr(array_guards._Agreement, "__call__", paid_for_once)
    f, gradient, at, words = IGNORED["log"]
    verdict = dc.check_gradient(f, gradient, at)
    assert words in verdict.cause
    assert [mark.role for mark in verdict.marks] == ["f"]
    assert len(calls) == 2


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", IGNORED)
def test_f_is_judged_without_guards(name):
    f, gradient, at, words = IGNORED[name]
    verdict = dc.check_gradient(f, gradient, at, guards=True)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    assert verdict.notes[0].startswith("judged without a guard: the gradient ignores the ")
    assert words in verdict.notes[0]
    # and what else is wrong is seen
    twice = dc.check_gradient(f, lambda w: gradient(w) * (1 + 1e-9), at, guards=True)
    assert twice.status == "wrong"


@pytest.mark.places
@pytest.mark.parametrize(
    ("f", "gradient", "words"),
    [
        (lambda a: np.sqrt(a @ a), lambda a: a / np.sqrt(a @ a + 1e-8), "f has not the constant 1e-08 in sqrt("),
        (lambda a: np.sum(np.log(a**2)), lambda a: 2 * a / (a**2 + 1e-9), "f has not the constant 1e-09"),
        (lambda a: np.sum(np.log(a**2 + 1e-7)), lambda a: 2 * a / (a**2 + 1e-9), "f has the constant 1e-07"),
    ],
)
def test_a_guard_of_the_gradient(f, gradient, words):
    verdict = dc.check_gradient(f, gradient, X)
    assert verdict.status == "wrong"
    assert verdict.cause.startswith(words)
    assert verdict.marks[-1].role == "gradient"
    assert re.search("1e-[89]$", verdict.marks[-1].text)
    # f holds nothing that could be left out to make them agree
    assert dc.check_gradient(f, gradient, X, guards=True).status == "wrong"


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        # a coefficient, a constant that is not small, a bug beside the guard
        (lambda w: np.sum(np.log(w**2)) + 1e-4 * np.sum(w**2), lambda w: 2 / w),
        (lambda w: np.sum(np.log(w**2 + 1e-4 * w**4)), lambda w: 2 / w),
        (lambda w: np.sum(np.log(w**2 + 0.5)), lambda w: 2 / w),
        (lambda w: np.sum(np.log(w**2 + 1e-7)), lambda w: 3 * w),
        # added to something that needs no guard
        (lambda w: np.sum(np.exp(w + 1e-7)), lambda w: np.exp(w)),
    ],
)
def test_what_is_no_guard(f, gradient):
    for left_out in (False, True):
        verdict = dc.check_gradient(f, gradient, X, guards=left_out)
        assert verdict.status == "wrong"
        assert verdict.cause is None or verdict.cause.kind != "guard"


def test_a_guard_within_a_few_ulps_is_no_fault():
    verdict = dc.check_gradient(lambda w: np.sum(np.log(w + 1e-16)), lambda w: 1 / w, np.full(30, 0.5))
    assert verdict.status == "consistent", verdict.explain()
    assert "within a few ulps" in " ".join(verdict.notes)


def test_every_check_leaves_guards_out():
    def checks(**options):
        yield dc.check_gradient(
            lambda p: np.sum(np.log(p["a"] + 1e-7)) * p["b"],
            lambda p: {"a": p["b"] / p["a"], "b": np.sum(np.log(p["a"]))},
            {"a": P, "b": 2.0},
            **options,
        )
        yield dc.check_directional(lambda x: np.sum(np.log(x + 1e-7)), lambda x: 1 / x, P, **options)
        yield dc.check_jacobian(lambda x: np.log(x + 1e-7), lambda x: np.diag(1 / x), P[:9], **options)
        yield dc.check_hessian(lambda x: np.sum(np.log(x + 1e-7)), lambda x: np.diag(-1 / x**2), P[:9], **options)

    for verdict in checks():
        assert (verdict.status, verdict.cause.kind) == ("wrong", "guard")
        assert "1e-07 in log(" in verdict.cause
    assert [verdict.status for verdict in checks(guards=True)] == ["consistent"] * 4


def test_the_search_for_guards_counts_its_operations(monkeypatch):
    f, gradient, at, _ = IGNORED["network"]
    monkeypatch.setattr(guards, "Budget", lambda: Budget(1000))
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    assert verdict.cause is None or verdict.cause.kind != "guard"
