"""Guards against log 0: the constant that one side ignores is named, and guards=True judges f without it."""

from __future__ import annotations

import re

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict import guards, identity
from diffcompare.verdict.causes.budget import Budget

X = np.array([0.3, 0.1, -0.2, 0.7])
P = np.array([0.05, 0.7])
T = np.array([0.0, 0.0, 1.0, 0.0])


def opaque(gradient):
    return lambda x: np.array([float(repr(float(v))) for v in np.ravel(gradient(np.frombuffer(x.tobytes())))])


def softmax(a):
    e = np.exp(a - np.max(a))
    return e / np.sum(e)


def cross_entropy(a):
    return -np.sum(T * np.log(softmax(a) + 1e-7))


def network(w):
    hidden = np.tanh(w[:4].reshape(2, 2) @ np.array([0.5, -1.0]))
    return softmax(w[4:].reshape(2, 2) @ hidden)


def network_loss(w):
    return -np.log(network(w)[0] + 1e-7)


def network_gradient(w):
    hidden = np.tanh(w[:4].reshape(2, 2) @ np.array([0.5, -1.0]))
    back = network(w) - np.array([1.0, 0.0])
    inner = w[4:].reshape(2, 2).T @ back * (1 - hidden**2)
    return np.concatenate([np.outer(inner, [0.5, -1.0]).ravel(), np.outer(back, hidden).ravel()])


W = np.array([0.3, -0.2, 0.5, 0.4, 0.1, -0.7, 0.6, 0.2])

# f, a gradient that ignores what f holds, the point, what is said
IGNORED = {
    "log": (lambda w: -np.log(w[0] + 1e-7) + w[1], lambda w: np.array([-1 / w[0], 1.0]), P, "1e-07 in log(x0 + 1e-07)"),
    "text": (dc.parse("log(x + 1e-7)"), lambda x: 1 / x, 0.3, "1e-07 in log(x + 1e-07)"),
    "softmax": (cross_entropy, lambda a: softmax(a) - T, X, "1e-07 in log(… + 1e-07)"),
    "network": (network_loss, network_gradient, W, "1e-07 in log(… + 1e-07)"),
    "root": (lambda a: np.sqrt(a @ a + 1e-8), lambda a: a / np.sqrt(a @ a), X, "1e-08 in sqrt("),
    "power": (lambda a: (a @ a + 1e-6) ** 1.5, lambda a: 3 * a * np.sqrt(a @ a), X, "1e-06 in power with"),
    "denominator": (lambda p: p[0] / (p[1] + 1e-5), lambda p: np.array([1 / p[1], -p[0] / p[1] ** 2]), P,
                    "1e-05 in a denominator with x1 + 1e-05"),
    "one of two": (lambda p: np.sum(np.log(p + 1e-7) + np.log(1 - p + 1e-7)), lambda p: 1 / (p + 1e-7) - 1 / (1 - p),
                   P, "the constant 1e-07 in log(1 - x0 + 1e-07)"),
    "both": (lambda p: np.sum(np.log(p + 1e-7) + np.log(1 - p + 1e-7)), lambda p: 1 / p - 1 / (1 - p), P,
             "the constants 1e-07 in log(x0 + 1e-07)"),
}  # fmt: skip


# where the gradient uses what the guard protects; y - t does so nowhere
LACKING = {
    "log": ["w[0]"], "softmax": [], "network": [], "root": ["a @ a"], "power": ["a @ a"], "denominator": ["p[1]"],
    "one of two": ["1 - p"], "both": ["p", "1 - p"],
}  # fmt: skip


@pytest.mark.places
@pytest.mark.parametrize("name", IGNORED)
def test_a_guard_that_the_gradient_ignores_is_named_first(name):
    f, gradient, at, words = IGNORED[name]
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    assert verdict.cause.kind == "guard"
    first = verdict.explain().splitlines()[0]
    assert first.startswith("wrong: the gradient ignores the constant")
    assert words in first
    assert "everything else is right. `guards=True` judges f without it" in first
    if name != "text":
        assert "(test_guards.py:" in first
        # where it stands is marked, and nothing else that makes up for it by chance
        constant = re.search(r"1e-0\d", words)[0]
        mine, theirs = ([mark for mark in verdict.marks if mark.role == role] for role in ("f", "gradient"))
        assert {mark.message for mark in mine} == {f"the gradient ignores {constant}"}
        assert {float(mark.text.rpartition(" ")[2]) for mark in mine} == {float(constant)}
        assert len(mine) == 1 + (name == "both")
        assert {mark.message for mark in theirs} <= {f"f has {constant} here"}
        assert {mark.text for mark in theirs} == set(LACKING[name])


@pytest.mark.places
def test_where_a_guard_would_not_do_is_not_marked():
    verdict = dc.check_gradient(lambda p: np.sum(np.log(p + 1e-7)), lambda p: p / p**2, P)
    assert verdict.cause.kind == "guard"
    assert [mark.role for mark in verdict.marks] == ["f"]


@pytest.mark.parametrize("name", IGNORED)
def test_f_is_judged_without_guards(name):
    f, gradient, at, words = IGNORED[name]
    verdict = dc.check_gradient(f, gradient, at, guards=True)
    assert verdict.status == "consistent"
    assert words in verdict.notes[0]
    assert "guards=True" in verdict.snippet


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["softmax", "log", "root"])
def test_guards_beside_an_opaque_gradient(name):
    f, gradient, at, words = IGNORED[name]
    verdict = dc.check_gradient(f, opaque(gradient), at)
    assert (verdict.evidence, verdict.status, verdict.cause.kind) == ("neighbours", "wrong", "guard")
    assert words in verdict.cause
    assert dc.check_gradient(f, opaque(gradient), at, guards=True).status == "consistent"


def test_a_formula_has_guards_as_well():
    verdict = dc.check_gradient(
        lambda x: np.log(x[0] + 1e-7), opaque(lambda x: 1 / x), np.array([0.3]), formula="log(x0 + 1e-7)"
    )
    assert "ignores the constant 1e-07" in verdict.cause


def test_the_bound_of_a_maximum():
    def f(a):
        return np.log(np.maximum(a[0], 1e-7)) + a[1] ** 2

    def gradient(a):
        return np.array([1 / a[0], 2 * a[1]])

    verdict = dc.check_gradient(f, gradient, np.array([1e-9, 1.0]))
    assert verdict.status == "wrong"
    assert "ignores the bound 1e-07 of a maximum (test_guards.py:" in verdict.cause
    assert dc.check_gradient(f, gradient, np.array([1e-9, 1.0]), guards=True).status == "consistent"
    # where it holds nothing back it is no guard, and a bound of 0 never is
    assert dc.check_gradient(f, gradient, np.array([0.3, 1.0])).status == "consistent"
    relu = dc.check_gradient(lambda x: np.log(np.maximum(x[0], 0.0) + 2), lambda x: 1 / (x + 2), np.array([-0.5]))
    assert relu.status == "wrong"
    assert relu.cause is None or relu.cause.kind != "guard"


@pytest.mark.parametrize(
    ("f", "gradient", "words"),
    [
        (lambda a: np.sqrt(a @ a), lambda a: a / np.sqrt(a @ a + 1e-8), "f has not the constant 1e-08 in sqrt("),
        (lambda a: np.sum(np.log(a**2)), lambda a: 2 * a / (a**2 + 1e-9), "f has not the constant 1e-09"),
        (lambda a: np.sum(np.log(a**2 + 1e-7)), lambda a: 2 * a / (a**2 + 1e-9), "f has the constant 1e-07"),
        # the value keeps it, the derivative does not
        (
            lambda a: a[1] * np.log(a[0] + 1e-7) + a[2] + a[3],
            lambda a: np.array([a[1] / a[0], np.log(a[0] + 1e-7), 1.0, 1.0]),
            "the gradient ignores the constant 1e-07 in log(x0 + 1e-07) (",
        ),
    ],
)
def test_a_guard_of_the_gradient(f, gradient, words):
    verdict = dc.check_gradient(f, gradient, X)
    assert verdict.status == "wrong"
    assert verdict.cause.startswith(words)
    assert "everything else is right" in verdict.cause
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


@pytest.mark.parametrize(
    ("gradient", "cause"),
    [
        (lambda a: 2 * (softmax(a) - T), "factor 2 too many: the claim is 2*D in every component"),
        (lambda a: T - softmax(a), "the sign is flipped in every component (a descent direction)"),
        (lambda a: (softmax(a) - T)[::-1], "the components are permuted"),
    ],
)
def test_a_mistake_beside_a_guard_is_named(gradient, cause):
    verdict = dc.check_gradient(cross_entropy, gradient, X)
    assert verdict.cause.startswith(cause)
    assert "; besides, it ignores the constant 1e-07 in log(" in verdict.cause
    # where f is right with its guard, it is not mentioned
    right = dc.check_gradient(lambda w: np.log(w[0] + 1e-7), lambda w: 2 / (w + 1e-7), P[:1])
    assert right.cause == "factor 2 too many: the claim is 2*D"


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("few", [identity._FEW, -1], ids=["numbers", "arrays"])
@pytest.mark.parametrize("seed", range(4))
def test_a_guard_that_rounding_hides_is_no_fault(seed, few, monkeypatch):
    # short codes are followed number by number
    monkeypatch.setattr(identity, "_FEW", few)
    random = np.random.default_rng(seed)
    rows, counts = random.normal(size=(40, 3)), random.poisson(1.5, 40)

    def loss(b):
        rate = np.log1p(np.exp(rows @ b))
        return np.mean(rate - counts * np.log(rate + np.spacing(1)))

    def gradient(b):
        rate = np.log1p(np.exp(rows @ b))
        return rows.T @ ((1 - counts / rate) / (1 + np.exp(-rows @ b))) / len(counts)

    b = np.full(3, 0.1)
    for _ in range(60):
        b = b - 0.5 * gradient(b)
    # what the rows add is large beside their sum
    assert np.abs(gradient(b)).max() < 0.02
    verdict = dc.check_gradient(loss, gradient, b)
    assert verdict.status == "consistent", verdict.explain()
    assert "the rounding of the gradient hides it" in " ".join(verdict.notes)
    assert np.all(np.abs(verdict.components["difference"]) <= verdict.components["threshold"])
    assert dc.check_gradient(loss, lambda b: gradient(b) * (1 + 1e-9), b).status == "wrong"


def test_a_guard_within_a_few_ulps_is_no_fault():
    for p in (0.5, 0.3, 0.9):
        verdict = dc.check_gradient(lambda w: np.log(w[0] + 1e-16), lambda w: 1 / w, np.array([p]))
        assert verdict.status == "consistent", verdict.explain()
    assert "within a few ulps" in " ".join(
        dc.check_gradient(lambda w: np.log(w[0] + 1e-16), lambda w: 1 / w, np.array([0.5])).notes
    )
    # what is called consistent is below the threshold
    slight = dc.check_gradient(lambda w: np.log(w[0] + 3e-16), lambda w: 1 / w, np.array([0.5])).components
    assert slight["status"][0] == "consistent"
    # mpmath: 1/0.5 - 1/(0.5 + 3e-16)
    assert slight["threshold"][0] >= 1.2e-15
    # at a small p it is more
    assert dc.check_gradient(lambda w: np.log(w[0] + 1e-16), lambda w: 1 / w, np.array([0.01])).status == "wrong"


def f_of_two(x):
    return np.log(x[0] + 1e-7) + x[0] * x[1]


def hessian_of_two(x):
    return np.array([[-1 / x[0] ** 2, 1.0], [1.0, 0.0]])


CHECKS = {
    "jacobian": lambda **k: dc.check_jacobian(
        lambda x: np.array([np.log(x[0] + 1e-7), x[0] * x[1]]), lambda x: np.array([[1 / x[0], 0.0], [x[1], x[0]]]),
        P, **k),
    "hessian": lambda **k: dc.check_hessian(f_of_two, hessian_of_two, P, **k),
    "product": lambda **k: dc.check_hessian(f_of_two, lambda x, v: hessian_of_two(x) @ v, P, vector=[1.0, 0.5], **k),
    "directional": lambda **k: dc.check_directional(lambda x: np.sum(np.log(x + 1e-7)), lambda x: 1 / x, P, **k),
    "parameters": lambda **k: dc.check_gradient(
        lambda p: np.sum(np.log(p["a"] + 1e-7)) * p["b"],
        lambda p: {"a": p["b"] / p["a"], "b": np.sum(np.log(p["a"]))}, {"a": P, "b": 2.0}, **k),
    "worst point": lambda **k: dc.testing.find_worst(
        lambda w: np.log(w[0] + 1e-7), lambda w: 1 / w, ([0.2], [0.4]), **k).verdict,
}  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_leaves_guards_out(check):
    without = CHECKS[check]()
    assert without.status == "wrong"
    assert without.cause.kind == "guard"
    assert CHECKS[check](guards=True).status == "consistent"


def test_assertions_leave_guards_out():
    def f(w):
        return np.log(w[0] + 1e-7)

    with pytest.raises(AssertionError, match="ignores the constant 1e-07 in log"):
        dc.testing.assert_gradient(f, lambda w: 1 / w, P[:1])
    assert dc.testing.assert_gradient(f, lambda w: 1 / w, P[:1], guards=True).ok
    assert dc.testing.assert_jacobian(f, lambda w: 1 / w, P[:1], guards=True).ok


def test_a_kink_stays_one_without_guards():
    verdict = dc.check_gradient(
        lambda w: np.abs(w[0]) + np.log(w[1] + 1e-7), lambda w: np.array([0.0, 1 / w[1]]), np.array([0.0, 0.5]),
        guards=True,
    )  # fmt: skip
    assert verdict.status in ("wrong", "non-smooth")


def test_the_search_for_guards_counts_its_operations(monkeypatch):
    f, gradient, at, _ = IGNORED["network"]
    monkeypatch.setattr(guards, "Budget", lambda: Budget(1000))
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    assert verdict.cause is None or verdict.cause.kind != "guard"
