"""Mistakes in large problems are told as in small ones: by values alone, then by the parts of the function."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict import check, identity, ladder
from diffcompare.verdict.causes.budget import Budget, Exhausted

RANDOM = np.random.default_rng(0)
ROWS, COLUMNS = 300, 12
DATA = RANDOM.normal(size=(ROWS, COLUMNS))
SIGNS = np.sign(RANDOM.normal(size=ROWS))
TARGETS = RANDOM.normal(size=ROWS)
W = 0.3 * RANDOM.normal(size=COLUMNS)
X = RANDOM.normal(size=150)


def raw_search(*arguments):
    # the search as it is: what it raises is seen here
    try:
        return ladder.cause_in_code.__wrapped__(*arguments)
    except Exhausted:
        return None


@pytest.fixture(autouse=True)
def _as_arrays(monkeypatch):
    # short codes would be followed number by number
    monkeypatch.setattr(identity, "_FEW", -1)
    monkeypatch.setattr(check, "cause_in_code", raw_search)


def cause(f, gradient, at):
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    return verdict.cause


def loss(w):
    return np.mean(np.log(1 + np.exp(-SIGNS * (DATA @ w)))) + 0.01 * np.sum(w**2)


def of_data(w):
    return DATA.T @ (-SIGNS / (1 + np.exp(SIGNS * (DATA @ w)))) / ROWS


TERM = "sum(log(1 + exp(-…*(… @ x))))/300"
LOGISTIC = {
    "regulariser forgotten": (of_data, "the term 0.01*sum(x**2) has no contribution"),
    "its 2 forgotten": (lambda w: of_data(w) + 0.01 * w, "factor 2 missing in the term 0.01*sum(x**2)"),
    "its sign": (lambda w: of_data(w) - 0.02 * w, "the sign of the term 0.01*sum(x**2) is flipped"),
    "its weight": (lambda w: of_data(w) + 0.2 * w, "the term 0.01*sum(x**2) has 10 times its weight"),
    "all, slightly": (lambda w: (of_data(w) + 0.02 * w) * (1 + 1e-6),
                      "the claim is 1 + 1e-06 times the true value in every component"),
    "sum for mean": (lambda w: of_data(w) * ROWS + 0.02 * w, "the factor 1/300 is missing"),
    "data twice": (lambda w: 2 * of_data(w) + 0.02 * w, f"the term {TERM} is counted twice"),
    "sign of the data": (lambda w: 0.02 * w - of_data(w), f"the sign of the term {TERM} is flipped"),
    "no data": (lambda w: 0.02 * w, f"the term {TERM} has no contribution"),
    "no bias": (lambda w: of_data(w) + 0.02 * w * (np.arange(COLUMNS) > 0), "the term (x**2)[0] has no contribution"),
}  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", LOGISTIC)
def test_of_a_logistic_regression(name):
    gradient, words = LOGISTIC[name]
    assert cause(loss, gradient, W) == words


def squares(w):
    return np.mean(np.tanh(DATA @ w - TARGETS) ** 2)


def slopes(w, of_tanh):
    t = np.tanh(DATA @ w - TARGETS)
    return DATA.T @ (2 * t * of_tanh(t)) / ROWS


CHAINS = {
    "chain factor": (squares, lambda w: slopes(w, lambda t: 1.0), W,
                     "the chain factor 1/cosh(… @ x - …)**2 is missing"),
    "not squared": (squares, lambda w: slopes(w, lambda t: 1 - t), W,
                    "tanh(… @ x - …) is not squared in its derivative 1/cosh(… @ x - …)**2"),
    "one of a product": (lambda x: np.sum(np.sin(x) * x), lambda x: np.cos(x) * x, X,
                         "the product rule's term with the derivative of x is missing"),
    "one of a form": (lambda x: x @ (DATA.T @ DATA) @ x, lambda x: DATA.T @ (DATA @ x), W,
                      "factor 2 missing: the claim is D/2 in every component"),
    "another function": (lambda x: np.sum(np.exp(x)), lambda x: np.exp(x) / np.sum(np.exp(x)), X,
                         "the claim is the gradient of the logarithm of the function"),
    "an extra gradient": (lambda x: np.sum(np.exp(x) * np.sin(x)),
                          lambda x: np.exp(x) * (1 + np.sin(x) + np.cos(x)), X,
                          "an extra term: the gradient of sum(exp(x)) is added"),
    "a sample": (lambda w: np.sum((DATA @ w - TARGETS) ** 2),
                 lambda w: 2 * DATA[:-1].T @ (DATA[:-1] @ w - TARGETS[:-1]), W,
                 "the term ((… @ x - …)**2)[299] has no contribution"),
    "a factor of the whole": (lambda x: np.sqrt(x @ x + 1), lambda x: x, X,
                              "the claim is the gradient of half the square of the function"),
    "of a determinant": (lambda x: np.linalg.slogdet(DATA.T @ DATA + np.diag(np.exp(x)))[1],
                         lambda x: np.diag(np.linalg.inv(DATA.T @ DATA + np.diag(np.exp(x)))), W,
                         "the chain factor exp(x) is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHAINS)
def test_of_chains_and_products(name):
    f, gradient, at, words = CHAINS[name]
    assert cause(f, gradient, at) == words


VALUES = {
    "sign": (lambda D: -D, "the sign is flipped in every component (a descent direction)"),
    "factor": (lambda D: D / D.size, "factor n = 150 missing: the claim is D/n in every component"),
    "reversed": (lambda D: D[::-1], "the components are permuted: they are in reverse order"),
    "shifted": (lambda D: np.roll(D, 1), "the components are shifted by one up"),
    "one is 0": (lambda D: D * (np.arange(D.size) != 2), "component x[2] is 0: the variable is treated as constant"),
    "two are 0": (lambda D: D * (np.arange(D.size) > 1),
                  "components x[0] and x[1] are 0: the variables are treated as constant"),
    "one is off": (lambda D: D + 1e-3 * (np.arange(D.size) == 2), "only component x[2] is wrong, by 0.001"),
    "limited": (lambda D: np.minimum(D, 1.5), "the claim is clipped at 1.5 in components "),
    "short": (lambda D: D.astype(np.float32).astype(float), "the claim has the precision of float32"),
    "nonsense": (lambda D: D + 1e-3 * np.cos(37 * np.arange(D.size) * D), None),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_of_values_alone(name):
    change, words = VALUES[name]
    found = cause(lambda x: np.sum(np.exp(x)), lambda x: change(np.exp(x)), X)
    assert found is None if words is None else found.startswith(words)


INPUTS, HIDDEN, CLASSES, SAMPLES = 40, 12, 5, 30
IMAGES = RANDOM.random((SAMPLES, INPUTS))
LABELS = np.eye(CLASSES)[RANDOM.integers(0, CLASSES, SAMPLES)]
CUTS = np.cumsum([INPUTS * HIDDEN, HIDDEN, HIDDEN * CLASSES])
PARAMETERS = 0.2 * RANDOM.normal(size=CUTS[-1] + CLASSES)


def layers(p):
    W1, b1, W2, b2 = np.split(p, CUTS)
    return W1.reshape(INPUTS, HIDDEN), b1, W2.reshape(HIDDEN, CLASSES), b2


def forward(p):
    W1, b1, W2, b2 = layers(p)
    hidden = 1 / (1 + np.exp(-(IMAGES @ W1 + b1)))
    a = hidden @ W2 + b2
    e = np.exp(a - np.max(a, axis=1, keepdims=True))
    return hidden, e / np.sum(e, axis=1, keepdims=True)


def network(p):
    W1, _, W2, _ = layers(p)
    return -np.sum(LABELS * np.log(forward(p)[1])) / SAMPLES + 1e-3 * (np.sum(W1**2) + np.sum(W2**2))


def backward(p, *, count=SAMPLES, first=2e-3, second=2e-3, slope=lambda z: z * (1 - z), turn=lambda a: a, bias=1.0):
    W1, _, W2, _ = layers(p)
    hidden, y = forward(p)
    back = (y - LABELS) / count
    inner = (back @ W2.T) * slope(hidden)
    matrices = IMAGES.T @ inner + first * W1, turn(hidden.T @ back + second * W2)
    found = matrices[0], inner.sum(axis=0), matrices[1], bias * back.sum(axis=0)
    return np.concatenate([part.ravel() for part in found])


SIGMOID = "1/(1 + exp(-(… @ x[0:480] + x[480:492])))"
NETWORK = {
    "first regulariser": ({"first": 0.0}, "the term sum(x[0:480]**2) has no contribution"),
    "sign of the second": ({"second": -2e-3}, "the sign of the term sum(x[492:552]**2) is flipped"),
    "both": ({"first": 0.0, "second": 0.0},
             "the term 0.001*(sum(x[0:480]**2) + sum(x[492:552]**2)) has no contribution"),
    "their 2": ({"first": 1e-3, "second": 1e-3},
                "factor 2 missing in the term 0.001*(sum(x[0:480]**2) + sum(x[492:552]**2))"),
    "no mean": ({"count": 1}, "the factor 1/30 is missing"),
    "one matrix turned": ({"turn": np.transpose},
                          "the components of x[492:552] are transposed: rows and columns are exchanged"),
    "no bias": ({"bias": 0.0}, "components x[552], x[553], x[554], x[555] and 1 more are 0: the variables are"),
    "sigmoid by half": ({"slope": lambda z: z}, f"the factor 1 - {SIGMOID} is missing in its derivative"),
    "the other half": ({"slope": lambda z: 1 - z}, f"the factor {SIGMOID} is missing in its derivative"),
}  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("name", NETWORK)
def test_of_a_network(name):
    options, words = NETWORK[name]
    assert cause(network, lambda p: backward(p, **options), PARAMETERS).startswith(words)
    assert dc.check_gradient(network, backward, PARAMETERS).status == "consistent"


@pytest.mark.thorough
def test_it_is_said_as_of_numbers(monkeypatch):
    """What one path says of a bug the other says, but for how a formula is written."""

    def kind(found):
        return re.sub("the term .*?( has | is |$)", r"the term …\1", found)

    for name, value in {"DATA": DATA[:20], "SIGNS": SIGNS[:20], "ROWS": 20}.items():
        monkeypatch.setitem(globals(), name, value)
    few = [name for name in LOGISTIC if name != "no bias"]
    as_arrays = [cause(loss, LOGISTIC[name][0], W) for name in few]
    monkeypatch.setattr(identity, "_FEW", 10**9)
    for one, name in zip(as_arrays, few, strict=True):
        assert kind(one) == kind(cause(loss, LOGISTIC[name][0], W))


@pytest.mark.parametrize(
    ("f", "gradient", "at"),
    [
        # they agree at this point alone
        (lambda w: np.sum(np.exp(w)), lambda w: np.exp(w) * (1 + w), np.ones(30)),
        (lambda w: np.sum(w**2 * 3) + np.sum(w), lambda w: 6 * w * w + 1, np.full(30, 0.5)),
        # a derivative that is 0 but for rounding explains everything times 1e14
        (lambda w: np.sum(np.sin(w)) + np.sum(np.exp(w) / np.sum(np.exp(w))),
         lambda w: np.cos(w) + 1e-3 * np.cos(37 * np.arange(w.size) * w), X),
    ],
)  # fmt: skip
def test_a_coincidence_is_no_cause(f, gradient, at):
    found = cause(f, gradient, at)
    # but what holds everywhere may be said
    assert found is None or found.startswith(("the factor x is too many", "an extra term: the gradient of"))
    if found is not None:
        assert cause(f, gradient, at * 1.01) == found


def test_slopes_and_matrices_have_causes_too():
    slopes = dc.check_directional(loss, lambda w: 2 * (of_data(w) + 0.02 * w), W)
    assert slopes.cause == "factor 2 too many: the claim is 2*D in every component"
    matrix = DATA[:COLUMNS]
    found = dc.check_jacobian(lambda x: np.tanh(matrix @ x), lambda x: matrix.T / np.cosh(matrix @ x) ** 2, W)
    assert found.cause == "the components are transposed: rows and columns are exchanged"

    def hessian(x):
        return -(matrix.T * np.exp(matrix @ x)) @ matrix

    found = dc.check_hessian(lambda x: np.sum(np.exp(matrix @ x)), hessian, W)
    assert found.cause == "the sign is flipped in every component"


def test_decisions_are_those_of_the_point():
    # with many switches, only points that are very near have the same decisions
    data = np.random.default_rng(1).normal(size=(2000, COLUMNS))
    found = cause(lambda w: np.sum(np.maximum(data @ w, 0.0) ** 2), lambda w: data.T @ np.maximum(data @ w, 0.0), W)
    assert found == "factor 2 missing: the claim is D/2 in every component"


def test_the_search_counts_its_operations(monkeypatch):
    monkeypatch.setattr(ladder, "Budget", lambda: Budget(1000))
    assert cause(loss, of_data, W) is None


def test_a_large_problem_takes_little_time():
    data = np.random.default_rng(1).normal(size=(5000, 20))
    targets = data @ np.ones(20) + np.random.default_rng(2).normal(size=5000)

    def f(w):
        return np.mean(np.tanh(data @ w - targets) ** 2) + 0.1 * np.sum(w**2)

    def gradient(w):
        t = np.tanh(data @ w - targets)
        return data.T @ (2 * t * (1 - t**2)) / len(data) + 0.1 * w

    start = time.process_time()
    assert cause(f, gradient, np.full(20, 0.1)) == "factor 2 missing in the term 0.1*sum(x**2)"
    # 0.3 s where it was written
    assert time.process_time() - start < 5
