"""A cause is said only if it holds at further points near by; the search counts what it costs and never raises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.certify.reference import certified_gradient
from diffcompare.symbolic.parse import parse
from diffcompare.verdict import identity, ladder
from diffcompare.verdict.causes import budget
from diffcompare.verdict.causes import program_mistakes as paths
from diffcompare.verdict.causes.nearby import _allowing
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.causes.search import find_cause

X = np.array([0.5, 1.25])


def opaque(gradient):
    return lambda x: np.array([float(repr(float(v))) for v in np.ravel(gradient(np.frombuffer(x.tobytes())))])


# f, its gradient, what is added to it, the point: what is said of it at one point by chance, and what is true
COINCIDENCES = {
    "a constant that is half the gradient": (
        lambda w: np.sum(w**2), lambda w: 2 * w + 0.25, np.array([0.5]), "the constant 0.25 is added"),
    "a term as large as the error of a difference quotient": (
        lambda w: np.sum(w**2), lambda w: 2 * w + 0.01 * w, np.array([1.0]), "the claim is 1.005 times the true value"),
    "and in several components": (
        lambda w: np.sum(w**4), lambda w: 4 * w**3 + 0.01 * w, X, "the extra term 0.01*x is added: the gradient of a"),
    "a constant as large as its step": (
        lambda w: np.sum(w**2), lambda w: 2 * w + 0.001, np.array([1.0, 2.0]), "the constant 0.001 is added"),
    "a guard as small as float32": (
        lambda w: -np.log(w[0] + 1e-7) + w[1], lambda w: np.array([-1 / w[0], 1.0]), np.array([0.5, 0.3]),
        "the gradient ignores the constant 1e-07 in log(x0 + 1e-07)"),
    "numbers of float32 at this point": (
        lambda w: np.sum(w**3), lambda w: 3 * w**2 * (1 + 2.0**-22), np.array([0.5, 1.0]), "the claim is 1 + 2.38"),
    "a value that is 2 here": (
        lambda w: np.exp(w[0]) * w[1], lambda w: np.array([np.exp(w[0]) * w[1], np.exp(w[0])]) * w[2], np.array(
            [0.3, 0.7, 2.0]), None),
    "components that are equal here": (
        lambda w: w[0] ** 2 + w[1] ** 2 + 3 * w[2], lambda w: np.array([2 * w[0], 2 * w[0] + 0.5, 3.0]),
        np.array([0.5, 0.5, 1.0]), None),
    "a factor of one point": (
        lambda w: np.sum(np.exp(w)), lambda w: np.exp(w) * (1 + w), np.array([1.0, 1.0]), None),
    "a term that is 3 here": (
        lambda w: w[0] * w[1] + w[1], lambda w: np.array([w[1] * w[0] * 3, w[0] + 1]), np.array([1.0, 2.0]), None),
}  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("setting", ["traced", "opaque"])
@pytest.mark.parametrize("name", COINCIDENCES)
def test_a_coincidence_is_no_cause(name, setting):
    f, gradient, at, words = COINCIDENCES[name]
    verdict = dc.check_gradient(f, gradient if setting == "traced" else opaque(gradient), at)
    assert verdict.status == "wrong"
    if words is not None:
        assert verdict.cause is not None
        assert verdict.cause.startswith(words)
    elif verdict.cause is not None:
        # nothing but what holds everywhere: which component it is, or a term by its formula
        assert verdict.cause.kind in ("one component", "extra term", "chain factor"), verdict.cause
        for x in at + 2.0**-5 * np.array([[1.0], [-0.7], [0.4]]):
            again = dc.check_gradient(f, gradient, x).cause
            assert again is not None
            assert again.split(", by ")[0] == verdict.cause.split(", by ")[0]


@pytest.mark.parametrize(
    ("f", "gradient", "at", "cause"),
    [
        (lambda w: np.sum(w**2) + np.sum(np.sin(w)), lambda w: 2.000002 * w + np.cos(w), X,
         "the term x0**2 + x1**2 has 1 + 1e-06 times its weight"),
        (lambda w: np.sum(w**2), lambda w: 2 * w * 1.5, X,
         "factor 3/2 too many: the claim is (3/2)*D in every component"),
        (lambda w: np.sum(w**2), lambda w: np.array([np.nan, 2 * w[1]]), X, "the claim is nan in component x[0]"),
        (lambda w: np.sum(w**3), lambda w: np.float32(3 * w**2).astype(float), X + 0.1,
         "the claim has the precision of float32: every value is one of its numbers"),
        # at this point a component is too small to be seen to be wrong
        (lambda w: np.log(np.sum(np.exp(w))), lambda w: np.exp(w) / np.sum(np.exp(w)) * (1 + 1e-9),
         np.array([30.0, 1.0, -20.0]), "the claim is 1 + 1e-09 times the true value in every component"),
    ],
)  # fmt: skip
def test_what_holds_near_by_is_said(f, gradient, at, cause):
    assert dc.check_gradient(f, gradient, at).cause == cause


def test_of_a_nan_it_is_said_where_it_is():
    verdict = dc.check_gradient(lambda w: np.sum(w**2), lambda w: np.array([np.nan, 2 * w[1]]), X)
    assert "formula is right" not in verdict.explain()
    assert "x[0]" in verdict.cause


def quotient(f, h, ends=(1.0, 0.0)):
    def gradient(x):
        found = []
        for i in range(x.size):
            high, low = x.copy(), x.copy()
            high[i] += ends[0] * h
            low[i] += ends[1] * h
            found.append((f(high) - f(low)) / ((ends[0] - ends[1]) * h))
        return np.array(found)

    return gradient


@pytest.mark.parametrize("setting", ["traced", "opaque"])
@pytest.mark.parametrize("f", [lambda x: np.sum(x**2), lambda x: np.sum(np.exp(x) * np.sin(x))])
@pytest.mark.parametrize(("h", "ends", "name"), [(1e-2, (1.0, 0.0), "forward"), (1e-6, (0.0, -1.0), "backward")])
def test_a_difference_quotient_is_known_by_its_last_bit(f, h, ends, name, setting):
    gradient = quotient(f, h, ends)
    cause = dc.check_gradient(f, gradient if setting == "traced" else opaque(gradient), X).cause
    assert cause == f"the claim is a finite difference: {name}, h = {h:.3g}"


def test_points_near_by_stay_in_the_box_and_on_the_branch():
    called = []

    def gradient(w):
        called.append(np.array(w, dtype=object))
        return 3 * w

    box = (np.array([0.49, 1.0]), np.array([0.51, 1.3]))
    assert dc.check_gradient(lambda w: w @ w, gradient, X, box=box).cause.startswith("factor 3/2 too many")
    points = np.array([[float(v) for v in w] for w in called if isinstance(w[0], float)])
    assert (points >= box[0]).all()
    assert (points <= box[1]).all()

    def f(w):
        return w[0] ** 2 if w[0] > 0.49 else w[0] ** 3

    assert dc.check_gradient(f, lambda w: 4 * w, np.array([0.5])).cause == "factor 2 too many: the claim is 2*D"


def test_a_cause_is_said_of_arrays_of_several_shapes():
    at = (np.array([0.3, 0.2, 0.1]), np.array([0.4]))
    gradient = lambda p: (2 * p[0] * p[1], np.array([np.sum(p[0] ** 2) / 2]))  # noqa: E731
    verdict = dc.check_gradient(lambda p: np.sum(p[0] ** 2) * p[1][0], gradient, at)
    assert verdict.cause == "factor 2 missing: the claim is D/2 in component x[1][0]"


def test_where_gradient_and_function_cannot_be_asked_near_by_nothing_is_said():
    def gradient(w):
        if np.max(np.abs(w - X)) > 5e-5:
            raise ValueError("not so far away")
        return 3 * w

    verdict = dc.check_gradient(lambda w: w @ w, opaque(gradient), X)
    assert verdict.status == "wrong"
    assert verdict.cause is None


def test_many_uses_and_few_components(monkeypatch):
    # some components stand for all: there may be fewer than are looked at
    monkeypatch.setattr(paths, "_LARGE", 10)
    f = parse("exp(x0)*sin(x1) + x0**2*x1 + 10**(-6)*x1**2")
    D = certified_gradient(f, X).value
    found = find_cause(D - [0, 2e-6 * X[1]], D, [1e-15, 1e-15], program=f.program, point=X.tolist())
    assert found.text == "the term 1e-06*x1**2 has no contribution"


def logistic(rows):
    random = np.random.default_rng(0)
    data, labels = random.normal(size=(rows, 3)), (random.random(rows) < 0.5) * 1.0

    def f(w):
        z = data @ w
        return np.sum(np.log(1 + np.exp(z)) - labels * z)

    return f, lambda w: data.T @ (1 / (1 + np.exp(-(data @ w))) - labels) + 1e-6 * w


def spent(monkeypatch, *arguments):
    kept = []

    class Counting(budget.Budget):
        def __init__(self, operations=budget._OPERATIONS):
            super().__init__(operations)
            kept.append((operations, self))

    monkeypatch.setattr(ladder, "Budget", Counting)
    cause = dc.check_gradient(*arguments).cause
    return cause, [start - left.left for start, left in kept]


def test_the_search_counts_its_operations_and_counts_alike(monkeypatch):
    # number by number, however long the code is
    monkeypatch.setattr(identity, "_FEW", 10**6)
    f, gradient = logistic(20)
    w = np.array([0.1, -0.2, 0.05])
    cause, counts = spent(monkeypatch, f, gradient, w)
    assert cause == "the extra term 1e-06*x is added: the gradient of a regulariser"
    assert spent(monkeypatch, f, gradient, w)[1] == counts
    # of four times as many rows four times as much is asked for
    f, gradient = logistic(80)
    (more,) = spent(monkeypatch, f, gradient, w)[1]
    assert 3 * counts[0] < more < 6 * counts[0]


def test_a_search_that_costs_too_much_says_nothing(monkeypatch):
    f, gradient = logistic(20)
    monkeypatch.setattr(ladder, "Budget", lambda: budget.Budget(100_000))
    verdict = dc.check_gradient(f, gradient, np.array([0.1, -0.2, 0.05]))
    assert (verdict.status, verdict.cause) == ("wrong", None)


def test_a_search_that_fails_says_nothing(monkeypatch):
    def broken(*_, **__):
        raise IndexError("a fault of the search")

    monkeypatch.setattr(ladder, "find_cause_nearby", broken)
    verdict = dc.check_gradient(lambda w: w @ w, lambda w: 3 * w, X)
    assert (verdict.status, verdict.cause) == ("wrong", None)


# the search as it is, on functions of all kinds and gradients with all kinds of mistakes
FUNCTIONS = [
    lambda w: np.sum(np.exp(w) * np.sin(w[::-1])),
    lambda w: np.sqrt(np.sum(w**2) + 1e-6) / (1 + w[0] ** 2),
    lambda w: np.sum(np.where(w > 1, w**3, 2 * w)) + np.max(w),
    lambda w: np.log(np.sum(np.exp(np.outer(w, [1.0, -2.0])))),
    lambda w: np.prod(w) ** 2 + 0.0 * w[0],
    lambda w: w[0] * 0 + 3.0,
]
MISTAKES = [
    lambda D, w: D * 2,
    lambda D, w: D[::-1],
    lambda D, w: D + 1e-9 * w,
    lambda D, w: 0 * D,
    lambda D, w: D * np.array([1.0, 1e8]),
    lambda D, w: D + 1e300,
    lambda D, w: np.float32(D).astype(float),
    lambda D, w: D * np.sin(w) ** 2,
    lambda D, w: D / w[0] * 1e-300,
]


@pytest.mark.parametrize(
    ("k", "mistake"),
    [
        # each function and each mistake in a quick test
        pytest.param(k, mistake, marks=() if (mistake - k) % 4 == 0 else pytest.mark.thorough)
        for k in range(len(FUNCTIONS))
        for mistake in range(len(MISTAKES))
    ],
)
def test_the_search_itself_never_raises(k, mistake, monkeypatch):
    raised = []

    def raw(*arguments):
        try:
            return ladder.cause_in_code.__wrapped__(*arguments)
        except budget.Exhausted:
            return None
        except Exception as error:
            raised.append(error)
            raise

    monkeypatch.setattr("diffcompare.verdict.check.cause_in_code", raw)
    f = FUNCTIONS[k]
    known = dc.trace(f, 2) if k != 5 else None

    def gradient(w):
        D = np.zeros(2) if known is None else certified_gradient(known, w).value
        return MISTAKES[mistake](D, w)

    with np.errstate(all="ignore"):
        dc.check_gradient(f, opaque(gradient), X)
    assert raised == []


def test_beside_the_point_each_component_is_allowed_its_own_rounding():
    none = np.zeros(3)
    here = Nearby(none, none, np.ones(3), none, None, (), ())
    beside = _allowing(replace(here, certified=np.array([0.0, 2.0**30, -(2.0**-30)]), claimed=none), here)
    assert beside.threshold.tolist() == [0.0, 2.0**-19, 2.0**-79]
