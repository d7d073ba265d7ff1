"""The expressions of the user's source that a wrong verdict marks."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.errors import TraceError
from diffcompare.verdict import pointing
from diffcompare.verdict.causes.mistakes import Cause

pytestmark = pytest.mark.places

Code = Callable[[Any], Any]

_RNG = np.random.default_rng(0)
X = _RNG.normal(size=(30, 4))
Y = (_RNG.random(30) < 0.5) * 1.0
W = _RNG.normal(size=4) / 2
V = _RNG.normal(size=(4, 4))
SLOPE, STEP, GATE = 0.02, 0.1, np.array([0.3, 1.7, -0.6, 0.9])


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def loss(w: Any) -> Any:
    z = X @ w
    return np.mean(np.log(1 + np.exp(z)) - Y * z) + 0.125 * np.sum(w**2)


def half(w: Any) -> Any:
    return X.T @ (sigmoid(X @ w) - Y) / len(Y) + 0.125 * w


def swapped(w: Any) -> Any:
    residual = Y - sigmoid(X @ w)
    return X.T @ residual / len(Y) + 0.25 * w


def minus(w: Any) -> Any:
    g = X.T @ (sigmoid(X @ w) - Y) / len(Y)
    g -= 0.25 * w
    return g


def no_mean(w: Any) -> Any:
    return X.T @ (sigmoid(X @ w) - Y) + 0.25 * w


def no_penalty(w: Any) -> Any:
    g = X.T @ (sigmoid(X @ w) - Y) / len(Y)
    return g  # noqa: RET504


def other_function(w: Any) -> Any:
    return X.T @ (np.tanh(X @ w) - Y) / len(Y) + 0.25 * w


def doubled_argument(w: Any) -> Any:
    return X.T @ (sigmoid(2 * (X @ w)) - Y) / len(Y) + 0.25 * w


def one_by_one(w: Any) -> Any:
    g = 0.25 * w
    for row, wanted in zip(X, Y, strict=True):
        g = g + (sigmoid(row @ w) + wanted) * row / len(Y)
    return g


def network(v: Any) -> Any:
    a = np.tanh(X @ v)
    return np.sum((a.sum(axis=1) - Y) ** 2)


def no_square(v: Any) -> Any:
    a = np.tanh(X @ v)
    r = 2 * (a.sum(axis=1) - Y)
    return X.T @ (r[:, None] * (1 - a))


def turned(v: Any) -> Any:
    a = np.tanh(X @ v)
    r = 2 * (a.sum(axis=1) - Y)
    return (X.T @ (r[:, None] * (1 - a**2))).T


def wrong_axis(v: Any) -> Any:
    a = np.tanh(X[:4] @ v)
    r = 2 * (a.sum(axis=0) - Y[:4])
    return X[:4].T @ (r[:, None] * (1 - a**2))


def short_network(v: Any) -> Any:
    a = np.tanh(X[:4] @ v)
    return np.sum((a.sum(axis=1) - Y[:4]) ** 2)


def no_chain(v: Any) -> Any:
    a = np.tanh(X @ v)
    r = 2 * (a.sum(axis=1) - Y)
    return X.T @ (r[:, None] * np.ones_like(a))


def wave(x: Any) -> Any:
    return np.sum(x**2 - 3 * np.cos(2 * x)) + SLOPE / STEP**2 * np.sum(x)


def bare_variable(x: Any) -> Any:
    return x + 6 * np.sin(2 * x) + SLOPE / STEP**2


def half_a_number(x: Any) -> Any:
    return 1 / STEP + (2 * x + 6 * np.sin(2 * x)) + SLOPE / STEP**2


def in_degrees(x: Any) -> Any:
    return 2 * x + 6 * np.sin(2 * x * np.pi / 180) + SLOPE / STEP**2


def two_numbers(x: Any) -> Any:
    return np.sum(x**2 - 3 * np.cos(2 * x)) + (1 / STEP + 2 * SLOPE / STEP**2) * np.sum(x)


def mixed(v: Any) -> Any:
    return np.sum(np.tanh(X @ v) ** 3)


def logistic_slope(v: Any) -> Any:
    a = np.tanh(X @ v)
    return X.T @ (3 * a**2 * (a * (1 - a)))


def scored(w: Any) -> Any:
    return np.sum((X @ w - Y) ** 2) / np.sqrt(30) + np.log(np.sum(np.exp(w))) - 3 * np.sum(w * np.arange(4))


def no_root(w: Any) -> Any:
    r = X @ w - Y
    return 2 * X.T @ r + np.exp(w) / np.sum(np.exp(w)) - 3 * np.arange(4)


def scale_of(p: Any) -> Any:
    return 0.5 * np.sum((Y - p[0]) ** 2) * np.exp(-2 * p[1]) + 31 * p[1]


def no_count(p: Any) -> Any:
    weight = np.exp(-2 * p[1])
    r = Y - p[0]
    return np.array([-np.sum(r) * weight, -weight * np.sum(r**2)])


def shares(p: Any) -> Any:
    a = np.exp(p)
    return -7 * (np.log(np.sum(a)) - np.sum(np.log(1 + a)))


def no_total(p: Any) -> Any:
    a = np.exp(p)
    d = -1 / (1 + a)
    return -7 * d * a


def centred(v: Any) -> Any:
    a = np.tanh(X @ v)
    return 0.5 * np.sum((((a - a.mean(axis=0)) * GATE) @ W - Y) ** 2)


def ungated(v: Any) -> Any:
    a = np.tanh(X @ v)
    r = ((a - a.mean(axis=0)) * GATE) @ W - Y
    d = r[:, None] * W
    d_a = d - d.mean(axis=0)
    return X.T @ (d_a * (1 - a**2))


def activation(z: Any) -> Any:
    return np.tanh(z)


def activated(z: Any) -> Any:
    return activation(z[0] if z.ndim == 2 else z)


def forward(w: Any) -> Any:
    return activated(X @ w)


def layer(w: Any) -> Any:
    return np.sum(Y * forward(w))


def backward(w: Any) -> Any:
    forward(w)
    z = X @ w
    return X.T @ (Y * activation(z))


def signed(w: Any) -> Any:
    z = (2 * Y[:6] - 1) * (X[:6] @ w)
    return -np.sum(np.log(1 + np.exp(-z)))


def unsigned(w: Any) -> Any:
    signs = 2 * Y[:6] - 1
    return X[:6].T @ (1 / (1 + np.exp(signs * (X[:6] @ w))))


# the gradient, what it marks, and what it says there
ANOTHER = "stands in place of another value"
MARKED: list[tuple[Code, Code, Any, str, str]] = [
    (loss, half, W, "0.125 * w", "this is half of what it should be"),
    (loss, swapped, W, "Y - sigmoid(X @ w)", "this has the wrong sign"),
    (loss, minus, W, "g -= 0.25 * w", "the minus should be a plus"),
    (loss, no_mean, W, "X.T @ (sigmoid(X @ w) - Y)", "the divisor 30 is missing"),
    (loss, no_penalty, W, "X.T @ (sigmoid(X @ w) - Y) / len(Y)", "the term 0.25 * w is missing"),
    (loss, other_function, W, "X.T @ (np.tanh(X @ w) - Y)", f"np.tanh(X @ w) {ANOTHER}"),
    (loss, doubled_argument, W, "2 * (X @ w)", "the factor 2 is too many"),
    (loss, one_by_one, W, "sigmoid(row @ w) + wanted", "the plus should be a minus"),
    (network, no_square, V, "a", "this should be a ** 2"),
    (network, turned, V, "(X.T @ (r[:, None] * (1 - a**2))).T", "this should not be transposed"),
    (short_network, wrong_axis, V, "0", "the axis should be 1"),
    (
        network,
        no_chain,
        V,
        "r[:, None] * np.ones_like(a)",
        "the term -(a * a) is missing beside np.ones_like(a)",
    ),
    (wave, bare_variable, W, "x", "this is half of what it should be"),
    (two_numbers, half_a_number, W, "SLOPE / STEP**2", "this is half of what it should be"),
    (wave, in_degrees, W, "2 * x * np.pi / 180", "this should be 2*x"),
    (mixed, logistic_slope, V, "a * (1 - a)", "this should be (1 - a ** 2)"),
    (scored, no_root, W, "2 * X.T @ r", "the divisor np.sqrt(30) is missing"),
    (scale_of, no_count, W[:2], "-weight * np.sum(r**2)", "the constant 31 is missing"),
    (centred, ungated, V, "r[:, None] * W", "the factor GATE is missing"),
    (shares, no_total, W, "-7 * d", "the term 1/sum(exp(p)) is missing beside d"),
    (layer, backward, W, "Y * activation(z)", f"activation(z) {ANOTHER}"),
    (signed, unsigned, W, "1 / (1 + np.exp(signs * (X[:6] @ w)))", "the factor signs is missing"),
]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(("f", "gradient", "at", "text", "message"), MARKED, ids=[row[1].__name__ for row in MARKED])
def test_the_mistake_is_marked(f: Code, gradient: Code, at: Any, text: str, message: str) -> None:
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    (first, *_) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (first.text, first.message) == (text, message)
    assert first.file == "test_pointing.py"
    start = gradient.__code__.co_firstlineno
    assert start < first.line < start + 7
    assert first.lines[0][first.column :].startswith(text.partition("\n")[0])


def test_a_factor_may_be_missing_where_the_value_is_used() -> None:
    marks = [mark for mark in dc.check_gradient(loss, no_penalty, W).marks if mark.role == "gradient"]
    missing = "the term 0.25 * w is missing"
    assert [(mark.text, mark.message) for mark in marks] == [
        ("X.T @ (sigmoid(X @ w) - Y) / len(Y)", missing),
        ("g", f"or here: {missing}"),
    ]


ARM = np.random.default_rng(4).normal(size=(2, 6))


def turned_by_degrees(p: Any) -> Any:
    angle = p[0] * np.pi / 180
    return np.sum((np.cos(angle) * ARM[0] + np.sin(angle) * ARM[1] + p[1]) ** 2)


def forgets_degrees(p: Any) -> Any:
    angle = p[0] * np.pi / 180
    r = np.cos(angle) * ARM[0] + np.sin(angle) * ARM[1] + p[1]
    slope = np.cos(angle) * ARM[1] - np.sin(angle) * ARM[0]
    return np.array([2 * (r @ slope), 2 * np.sum(r)])


def test_a_factor_may_be_missing_where_the_value_is_made() -> None:
    marks = dc.check_gradient(turned_by_degrees, forgets_degrees, [12.0, 0.4]).marks
    found = [(mark.text, mark.message) for mark in marks if mark.role == "gradient"]
    missing = "the factor np.pi / 180 is missing"
    assert found[0] == ("np.cos(angle) * ARM[1] - np.sin(angle) * ARM[0]", missing)
    assert found[1:] == [("2 * (r @ slope)", f"or here: {missing}")]


@pytest.mark.parametrize(
    ("gradient", "message"),
    [(half, "its derivative is 0.25*w"), (no_penalty, "its derivative, 0.25*w, is missing")],
)
def test_the_term_of_the_function_is_marked(gradient: Code, message: str) -> None:
    (mark,) = [mark for mark in dc.check_gradient(loss, gradient, W).marks if mark.role == "f"]
    assert (mark.text, mark.message) == ("0.125 * np.sum(w**2)", message)


def test_the_term_of_the_function_is_whole() -> None:
    """Of (w − X[0])·X[1] it was said that w has no contribution."""

    def f(w: Any) -> Any:
        return loss(w) + 3 + np.dot(w - X[0], X[1])

    def gradient(w: Any) -> Any:
        return half(w) + 0.125 * w

    (mark,) = [mark for mark in dc.check_gradient(f, gradient, W).marks if mark.role == "f"]
    assert mark.text == "np.dot(w - X[0], X[1])"


def test_a_term_is_marked_beside_a_gradient_that_cannot_be_followed() -> None:
    verdict = dc.check_gradient(loss, lambda w: np.array([float(repr(float(v))) for v in no_penalty(w)]), W)
    assert (verdict.marks[0].role, verdict.marks[0].text) == ("f", "0.125 * np.sum(w**2)")


def test_a_cause_is_said_that_the_numbers_alone_do_not_tell() -> None:
    verdict = dc.check_gradient(loss, other_function, W)
    assert verdict.cause == "np.tanh(X @ w) stands in place of another value"
    assert verdict.cause is not None
    assert verdict.cause.components == (0, 1, 2, 3)


def by_flag(w: Any, slope: bool = False) -> Any:
    z = X @ w
    if not slope:
        return np.sum(np.sin(z) * Y) + 0.5 * np.sum(z**2)
    return X.T @ (np.cos(z) + z)


def test_a_mistake_is_marked_in_code_that_gives_value_and_gradient() -> None:
    # marked was the call
    verdict = dc.check_gradient(lambda w: by_flag(w), lambda w: by_flag(w, slope=True), W)
    (mark,) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (mark.text, mark.message) == ("np.cos(z)", "the factor Y is missing")
    assert mark.line == by_flag.__code__.co_firstlineno + 4


def test_of_numbers_of_several_rows_that_are_missing_the_name_is_said() -> None:
    # said was: the chain factor -1 is missing, and so it is in the 5 places like it
    cause = dc.check_gradient(signed, unsigned, W).cause
    assert cause == "the factor signs is missing in 1 / (1 + np.exp(signs * (X[:6] @ w)))"
    opaque = dc.check_gradient(signed, lambda w: np.array([float(repr(float(v))) for v in unsigned(w)]), W)
    assert opaque.cause == "the factor signs is missing in X[:6].T"


@pytest.mark.parametrize("gradient", [lambda w: X.T @ (sigmoid(X @ w) - Y) / len(Y) + 0.25 * w])
def test_nothing_is_marked_where_nothing_is_wrong(gradient: Code) -> None:
    verdict = dc.check_gradient(loss, gradient, W)
    assert (verdict.status, verdict.marks, verdict.sources) == ("consistent", (), ())
    assert verdict.places.empty
    assert list(verdict.places)[:3] == ["role", "file", "line"]


def test_code_without_a_file_is_judged_without_a_picture() -> None:
    scope: dict[str, Any] = {"np": np}
    exec("def f(x): return np.sum(x**2)\ndef g(x): return 3 * x", scope)
    verdict = dc.check_gradient(scope["f"], scope["g"], [1.0, 2.0])
    assert (verdict.status, verdict.marks, verdict.sources) == ("wrong", (), ())


def test_a_search_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(pointing, "values_of", fails)
    verdict = dc.check_gradient(loss, half, W)
    assert [(one.role, one.text) for one in verdict.marks] == [("f", "0.125 * np.sum(w**2)"), ("gradient", "0.125 * w")]
    monkeypatch.setattr(pointing, "nearby", fails)
    verdict = dc.check_gradient(loss, half, W)
    assert (verdict.status, verdict.marks) == ("wrong", ())
    assert str(verdict.cause).startswith("factor 2 missing in the term 0.125*")


def long(x: Any) -> Any:
    return np.array(
        [2 * x[0] * np.cos(x[1]), -(x[0] ** 2) * np.sin(x[1]), 3.0 * x[2] ** 2 + 0.5 * x[3], 0.5 * x[2]]
    ) - (0.25 * x)


def test_a_long_expression_is_told_by_its_place() -> None:
    def f(x: Any) -> Any:
        return x[0] ** 2 * np.cos(x[1]) + x[2] ** 3 + 0.5 * x[2] * x[3] + 0.125 * np.sum(x**2)

    verdict = dc.check_gradient(f, long, np.array([0.7, 1.2, -0.4, 2.0]))
    (mark,) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert mark.message == "the minus should be a plus"
    assert (mark.line + 2, len(mark.lines)) == (mark.end_line, 3)


def test_the_sources_of_both_are_kept() -> None:
    f, gradient = dc.check_gradient(loss, half, W).sources
    assert (f.role, f.name, f.file, f.line) == ("f", "loss", "test_pointing.py", loss.__code__.co_firstlineno)
    assert gradient.text.startswith("def half(w: Any) -> Any:\n    return X.T")


def test_marks_survive_a_pickle() -> None:
    verdict = dc.check_gradient(loss, half, W)
    again = pickle.loads(pickle.dumps(verdict))
    assert again.marks == verdict.marks
    assert len(again.marks) == 2


def test_a_number_that_is_off_by_a_millionth_is_found() -> None:
    verdict = dc.check_gradient(loss, lambda w: X.T @ (sigmoid(X @ w) - Y) / len(Y) + 0.25000025 * w, W)
    (mark,) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert mark.text == "0.25000025 * w"
    assert math.isfinite(verdict.resolution)


def bumps(x: Any) -> Any:
    return np.sum(np.diff(x) ** 2) + np.sum(np.exp(-(x**2) / 3))


def writes_half(x: Any) -> Any:
    d = np.diff(x)
    g = np.zeros_like(x)
    g[1:] += d
    g[:-1] -= 2 * d
    g -= 2 * x * np.exp(-(x**2) / 3) / 3
    return g


def test_what_is_written_into_a_part_is_looked_at() -> None:
    marks = [one for one in dc.check_gradient(bumps, writes_half, W).marks if one.role == "gradient"]
    assert (marks[0].text, marks[0].message) == ("d", "this is half of what it should be")


TIMES = np.linspace(0, 4, 9)
SEEN = 3 / (1 + np.exp(-0.8 * (TIMES - 2)))


def growth(p: Any) -> Any:
    return 0.5 * np.sum((p[0] / (1 + np.exp(-p[1] * (TIMES - p[2]))) - SEEN) ** 2)


def uses_twice(p: Any) -> Any:
    K, r, t0 = p
    sig = 1 / (1 + np.exp(-r * (TIMES - t0)))
    e = K * sig - SEEN
    slope = sig * (1 - sig)
    return np.array([np.sum(e * sig), np.sum(e * slope * (TIMES - t0)), -r * np.sum(e * slope)])


def test_what_is_written_twice_is_not_changed_at_one_of_its_places() -> None:
    (mark,) = dc.check_gradient(growth, uses_twice, [2.7, 0.7, 1.8]).marks
    assert (mark.text, mark.message) == ("sig * (1 - sig)", "the factor K is missing")


def pairs(w: Any) -> Any:
    sim = (X @ w.reshape(4, 2)) @ (X[::-1] @ w.reshape(4, 2)).T / 0.5
    return np.sum(np.log(np.sum(np.exp(sim), axis=1)))


def forgets_once(w: Any) -> Any:
    Z1, Z2 = X @ w.reshape(4, 2), X[::-1] @ w.reshape(4, 2)
    P = np.exp(Z1 @ Z2.T / 0.5)
    P /= P.sum(axis=1, keepdims=True)
    d1 = P @ Z2 / 0.5
    d2 = P.T @ Z1
    return (X.T @ d1 + X[::-1].T @ d2).ravel()


def test_a_number_is_missing_where_the_value_is_known_with_it() -> None:
    (mark, *_) = dc.check_gradient(pairs, forgets_once, V.ravel()[:8] / 2).marks
    assert (mark.text, mark.message) == ("P.T @ Z1", "this is half of what it should be")


def margins(x: Any) -> Any:
    return np.sum(np.log(1 + np.exp(-Y[:4] * x)))


def other_way(x: Any) -> Any:
    g = np.zeros(4)
    g -= Y[:4] / (1 + np.exp(-Y[:4] * x))
    return g


def test_what_is_wrong_in_the_source_says_more_than_a_part_of_a_formula() -> None:
    verdict = dc.check_gradient(margins, other_way, W)
    assert str(verdict.cause) == "the sign of -Y[:4] * x is flipped"


TENSOR = np.array([[1.46e-9, 1.83e-9, 2.12e-9], [1.83e-9, 2.46e-9, 2.99e-9], [2.12e-9, 2.99e-9, 4.92e-9]])


def virial(z: Any) -> Any:
    c = np.cbrt(TENSOR)
    return np.sum(z[:, None, None] * z[:, None] * z * c[:, :, None] * c[:, None] * c)


def takes_away(z: Any) -> Any:
    c = [[float(v) for v in row] for row in np.cbrt(TENSOR)]
    g = [0.0] * 3
    for m in range(3):
        g[m] += 2 * sum(c[i][m] * z[i] * c[i][j] * c[m][j] * z[j] for i in range(3) for j in range(3))
        for j in range(3):
            for k in range(3):
                g[m] -= z[j] * z[k] * c[j][k] * c[m][j] * c[m][k]
    return np.array(g)


def mixed_roots(z: Any) -> Any:
    return sum(z[i] * z[j] * TENSOR[i, j] ** (1.0 / 3) for i in range(3) for j in range(3))


def cubes(z: Any) -> Any:
    return np.array([sum(2 * z[j] * TENSOR[i, j] ** (1.0 * 3) for j in range(3)) for i in range(3)])


@pytest.mark.parametrize(
    ("f", "gradient", "cause"),
    [
        # 2 − 1 of 2 + 1 was called a missing factor n = 3
        (virial, takes_away, "the minus should be a plus in g[m] -= z[j] * z[k] * c[j][k] * c[m][j] * c[m][k]"),
        # 1e-23 of the derivative was called 0
        (
            mixed_roots,
            cubes,
            "the product should be a quotient in 1.0 * 3: "
            "the claim is at most 4.4e-23 times the true value in every component",
        ),
    ],
)
def test_a_claim_that_happens_to_be_a_multiple_lacks_no_factor(f: Code, gradient: Code, cause: str) -> None:
    assert str(dc.check_gradient(f, gradient, np.array([0.3, 0.2, 0.5])).cause) == cause


def mean_of_squares(w: Any) -> Any:
    return 2 * np.mean((X @ w)[:, None] * X, axis=0)


def test_of_a_mean_in_place_of_a_sum_the_factor_is_told() -> None:
    verdict = dc.check_gradient(lambda w: np.sum((X @ w) ** 2), mean_of_squares, W)
    assert str(verdict.cause) == "factor 30 missing: the claim is D/30 in every component"
    assert [mark.message for mark in verdict.marks] == ["this should be np.sum((X @ w)[:, None] * X, axis=0)"]


SAMPLE = np.array([0.2, 1.4, -0.3, 0.8, 1.1])


def normal(p: Any) -> Any:
    return len(SAMPLE) * np.log(p[1]) + np.sum((SAMPLE - p[0]) ** 2) / (2 * p[1] ** 2)


def third(p: Any) -> Any:
    r, s = SAMPLE - p[0], p[1]
    cross = 2 * np.sum(r) / s**3
    return np.array([[len(SAMPLE) / s**2, cross], [cross, np.sum(r**2) / s**4 - len(SAMPLE) / s**2]])


def test_what_explains_a_matrix_says_more_than_what_explains_a_row() -> None:
    verdict = dc.check_hessian(normal, third, [0.5, 0.9])
    assert str(verdict.cause) == "the factor 3 is missing in np.sum(r**2) / s**4"


MATRICES = np.random.default_rng(1).normal(size=(2, 5, 5))


def wavy(x: Any) -> Any:
    u = np.tanh(MATRICES[0] @ x) * np.exp(MATRICES[1] @ x / 3) + np.sqrt(1 + (MATRICES[0] @ x) ** 2)
    return np.sum(np.log1p(u**2) / (2 + np.cos(u)) * (SAMPLE - x))


def without_a_long_term(x: Any) -> Any:
    t, e, s = np.tanh(MATRICES[0] @ x), np.exp(MATRICES[1] @ x / 3), np.sqrt(1 + (MATRICES[0] @ x) ** 2)
    u = t * e + s
    dv = 2 * u / (1 + u**2) / (2 + np.cos(u))
    w = dv * (SAMPLE - x)
    inner = MATRICES[0].T @ (w * ((1 - t**2) * e + (MATRICES[0] @ x) / s))
    return inner + MATRICES[1].T @ (w * t * e) / 3 - np.log1p(u**2) / (2 + np.cos(u))


@pytest.mark.thorough
def test_what_has_no_room_is_not_written_in_pieces() -> None:
    """It was said that this should be (…*…*(1/…)+sum(…)), and "the term cos(tanh(0.0081…*x4)**2)) is missing"."""
    verdict = dc.check_gradient(wavy, without_a_long_term, np.array([0.05, 0.27, -0.98, -1.11, 0.2]))
    (mark,) = verdict.marks
    assert (mark.text, mark.message) == ("dv * (SAMPLE - x)", "a term is missing here")
    assert str(verdict.cause) == "a term is missing beside dv * (SAMPLE - x)"


SAME = np.arange(14)[:, None] % 3 == np.arange(14)[None] % 3
POINTS = np.sin(np.arange(42.0) ** 2).reshape(14, 3)


def neighbours(a: Any, wrong: bool) -> Any:
    z = POINTS @ a.reshape(2, 3).T
    distances = ((z[:, None] - z[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    weights = np.exp(-distances)
    weights = weights / weights.sum(axis=1, keepdims=True)
    masked = weights * SAME
    p = masked.sum(axis=1, keepdims=True)
    kept = masked - (-weights * p if wrong else weights * p)
    both = kept + kept.T
    np.fill_diagonal(both, -kept.sum(axis=0))
    return -p.sum(), -2 * (z.T @ both @ POINTS).ravel()


def test_what_the_function_needs_is_right_in_code_that_returns_both() -> None:
    # it was said that the sign of neighbours(a, True) is flipped, which is a tuple
    f, at = lambda a: neighbours(a, False)[0], np.cos(np.arange(6.0))
    assert dc.check_gradient(f, lambda a: neighbours(a, False)[1], at).status == "consistent"
    v = dc.check_gradient(f, lambda a: neighbours(a, True)[1], at)
    assert v.status == "wrong"
    # the operator before it would do as well
    assert [mark.text for mark in v.marks] == ["masked - (-weights * p if wrong else weights * p)"]
    assert str(v.cause) == "the sign of -weights is flipped"


SHIFT = 2.0
TEMPERATURES = np.array([0.55, 0.6, 0.63, 0.73])


def density(p: Any) -> Any:
    a, b, c = p
    return a * b ** (-(1.0 + (1.0 - TEMPERATURES) ** c))


def rows_of(a: Any, b: Any, c: Any) -> Any:
    rows = [[0.0] * 3 for _ in TEMPERATURES]
    for row, t in zip(rows, TEMPERATURES, strict=True):
        power = (1.0 - t) ** c
        share = a * b ** (-power - SHIFT)
        row[0] = b ** (-power - 1.0)
        row[1] = -(power + 1.0) * share / b
        row[2] = -power * share * np.log(b) * np.log(1.0 - t)
    return np.array(rows)


@pytest.mark.thorough
def test_a_variable_of_a_jacobian_is_called_as_the_function_calls_it() -> None:
    # it was "the factor J[1]", then p[1], where the code that is marked has b
    verdict = dc.check_jacobian(density, lambda p: rows_of(*p), np.array([0.7, 0.26, 0.28]))
    assert str(verdict.cause) == "the factor b is missing in a * b ** (-power - SHIFT)"
    named = dc.check_jacobian(
        lambda v: density([v["a"], v["b"], v["c"]]),
        lambda v: (lambda J: {"a": J[:, 0], "b": J[:, 1], "c": J[:, 2]})(rows_of(v["a"], v["b"], v["c"])),
        {"a": 0.7, "b": 0.26, "c": 0.28},
    )
    assert str(named.cause) == "the factor b is missing in a * b ** (-power - SHIFT)"


SIGNS = 2 * Y - 1


def logistic_losses(w: Any) -> Any:
    return np.sum(np.log1p(np.exp(SIGNS * (X @ w))))


def no_slope(w: Any) -> Any:
    slope = SIGNS
    return np.einsum("n,ni->i", slope, X)


def test_the_subscripts_of_einsum_are_no_operand() -> None:
    verdict = dc.check_gradient(logistic_losses, no_slope, W)
    assert verdict.places["text"].tolist() == ["SIGNS", "slope"]
    assert str(verdict.cause) == "a factor is missing in SIGNS"


def antisymmetric(m: Any) -> Any:
    m = m.reshape(4, 4)
    return np.sum(np.log1p(np.exp(np.einsum("ni,ij,nj->n", X, m, X)))) + 0.5 * np.sum((m - m.T) ** 2)


def half_of_it(m: Any) -> Any:
    m = m.reshape(4, 4)
    d = np.einsum("ni,ij,nj->n", X, m, X)
    return (np.einsum("n,ni,nj->ij", sigmoid(d), X, X) + (m - m.T)).ravel()


def test_half_of_a_term_that_is_used_twice_is_no_missing_term() -> None:
    verdict = dc.check_gradient(antisymmetric, half_of_it, V.ravel())
    assert verdict.cause == "the factor 2 is missing in m - m.T"


class _Held(np.ndarray[Any, Any]):
    """An array that is made from the buffer of another, which a trace does not see."""

    def __new__(cls, x: Any) -> Any:
        x = np.array(x, dtype=float)
        return super().__new__(cls, x.shape, float, x)


@pytest.mark.places
def test_a_trace_that_loses_the_variables_explains_nothing() -> None:
    # the claim, as far as the trace saw, was to be 0: "the term -x is missing beside x"; its values tell more
    v = dc.check_gradient(lambda x: float(np.sum(_Held(x) ** 3)), lambda x: 3 * x * x * 1.001, at=[0.3, 0.7, 1.1])
    assert v.status == "wrong"
    assert "is missing" not in str(v.cause)
    assert [mark.message for mark in v.marks] == ["looks like: the factor 1.001 is too many"]


def _elu(x: Any) -> Any:
    return np.sum(np.where(x > 0, x, np.expm1(np.minimum(x, 0))))


def _twice_beside_a_condition(x: Any) -> Any:
    return np.where(x > 0, 2.0, np.exp(np.minimum(x, 0)))


def _relu(x: Any) -> Any:
    return np.sum(np.maximum(0, x))


def _two_in_place_of_one(x: Any) -> Any:
    return np.where(x > 0, 2.0, 0.0)


@pytest.mark.places
@pytest.mark.parametrize(
    ("function", "gradient"), [(_elu, _twice_beside_a_condition), (_relu, _two_in_place_of_one)], ids=["elu", "relu"]
)
def test_a_number_that_is_wrong_is_not_a_condition_that_never_holds(function: Code, gradient: Code) -> None:
    # said was: the condition should be x == 0, and np.where(2.0, x > 0, 0.0) in place of np.where(x > 0, 2.0, 0.0)
    v = dc.check_gradient(function, gradient, at=[0.4, -0.3, 1.2, -2.0])
    assert v.status == "wrong"
    assert v.cause is not None
    assert v.cause.kind in ("factor", "other value")
    (mark,) = v.places[v.places.role == "gradient"].text
    assert "2.0" in mark


GROUPS = np.array([2.0, 2.0, 1.0])


def _of_groups(w: Any) -> Any:
    total, risk, k = 0.0, 0.0, 0
    while k < 3:
        group, events, own = GROUPS[k], 0, 0.0
        while k < 3 and group == GROUPS[k]:
            own += np.exp(w[k])
            events += 1
            k += 1
        risk += own
        total += events * np.log(risk)
    return total


def _of_groups_once(w: Any) -> Any:
    slope, risk, risks, k = np.zeros(3), 0.0, np.zeros(3), 0
    while k < 3:
        group, events, own = GROUPS[k], 0, 0.0
        while k < 3 and group == GROUPS[k]:
            own += np.exp(w[k])
            risks[k] = np.exp(w[k])
            events += 1
            k += 1
        risk += own
        slope += risks / risk + 0 * events
    return slope


@pytest.mark.places
def test_of_several_names_of_a_number_that_of_a_variable_is_told() -> None:
    # said was: the factor GROUPS[k] is missing, whose value is 2.0, too
    v = dc.check_gradient(_of_groups, _of_groups_once, at=[0.3, -0.2, 0.5])
    assert v.status == "wrong"
    # the data have groups that are called as many as there are events in them
    assert {"the factor events is missing", "the factor group is missing"} & set(v.places.message)


def _carried(w: Any) -> Any:
    total = w[0]
    for k in range(3):
        total = total + np.tanh(w[1] * X[k, 0]) * (X[k, 1] - total)
    return total


def _carried_without_a_line(w: Any) -> Any:
    total, dtotal = w[0], np.array([1.0, 0.0])
    for k in range(3):
        step = np.tanh(w[1] * X[k, 0])
        rest = step * (X[k, 1] - total)
        drest = np.array([0.0, X[k, 0] * (1 - step**2)]) * (X[k, 1] - total) - step * dtotal
        total = total + rest
    return dtotal + 0 * drest


def _sigmoids(w: Any) -> Any:
    return np.sum(sigmoid(X @ w))


def _without_the_rest(w: Any) -> Any:
    p = sigmoid(X @ w)
    return X.T @ (p * p)


def _squares_of_rests(w: Any) -> Any:
    return np.sum((1 - sigmoid(X @ w)) ** 2)


def _with_too_many_rests(w: Any) -> Any:
    p = sigmoid(X @ w)
    return -2 * X.T @ ((1 - p) * (1 - p) * (1 - p))


@pytest.mark.parametrize(
    ("f", "gradient", "at", "message"),
    [
        (_carried, _carried_without_a_line, [0.3, 0.7], "the line dtotal = dtotal + drest is missing"),
        (_sigmoids, _without_the_rest, W, "p stands in place of (1 - p)"),
        (_squares_of_rests, _with_too_many_rests, W, "this should be p"),
    ],
)
def test_what_is_left_of_one_and_the_line_of_a_slope_are_tried(f: Code, gradient: Code, at: Any, message: str) -> None:
    assert message in list(dc.check_gradient(f, gradient, at).places.message)


COUNT = 7


def _of_pairs(w: Any) -> Any:
    n = COUNT
    return 2.0 * np.sum(np.sin(w)) / (n * (n - 1)) + np.sum(w**2) / 4.0


def _of_half_the_pairs(w: Any) -> Any:
    n = COUNT
    return np.cos(w) / (n * (n - 1)) + w / 2.0


def test_a_number_that_does_what_a_factor_would_is_not_told_by_chance() -> None:
    # said was: 1 stands in place of 4.0, as 7 * (7 - 4) is half of 7 * (7 - 1)
    v = dc.check_gradient(_of_pairs, _of_half_the_pairs, [0.3, 0.7])
    (mark,) = [one for one in v.marks if one.role == "gradient"]
    assert mark.text == "np.cos(w) / (n * (n - 1))"
    assert mark.message == "this is half of what it should be"


def test_a_name_says_more_than_by_how_much_two_components_are_off() -> None:
    wrong = Cause("shifted", "a contribution of 2.9415e+11 stands in the wrong one of x[0] and x[1]", (0, 1))
    own = Cause("other value", "gap stands in place of rate", (0, 1))
    assert pointing._rewritten(([], own), wrong, []).cause == own


@pytest.mark.places
def test_what_the_source_says_stands_where_the_function_is_not_followed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise TraceError("random numbers differ from call to call")

    monkeypatch.setattr(pointing, "_traced", refuse)
    verdict = dc.check_gradient(lambda w: w @ w + np.sum(np.exp(w)), lambda w: w + np.exp(w), [0.4, -0.7])
    # it was the cause alone
    assert verdict.places["message"].tolist() == ["this is half of what it should be"]


PRIOR = np.array([[2.2, 0.5, 0.3], [0.5, 1.7, 0.0], [0.3, 0.0, 1.3]])
CLOUD = _RNG.normal(size=(5, 3))


def divergence(M: Any) -> Any:
    return np.sum(M * PRIOR) - np.linalg.slogdet(M)[1]


def twice_the_divergence(M: Any) -> Any:
    return 2 * (PRIOR - np.linalg.inv(M))


def test_a_cause_that_holds_for_symmetric_matrices_alone_is_said() -> None:
    """Beside a symmetric matrix others were asked that are none: there the inverse should be transposed as well."""
    v = dc.check_gradient(divergence, twice_the_divergence, PRIOR - np.eye(3) / 2)
    assert v.cause == "the factor 2 is too many in 2 * (PRIOR - np.linalg.inv(M))"


def squares_of_distances(A: Any) -> Any:
    Z = CLOUD @ A
    n = (Z * Z).sum(axis=1)
    d = n[:, None] - 2 * Z @ Z.T + n
    np.maximum(d, 0, out=d)
    return d


def near(A: Any) -> Any:
    return np.sum(np.exp(-squares_of_distances(A)))


def half_as_near(A: Any) -> Any:
    K = np.exp(-squares_of_distances(A))
    return -2 * CLOUD.T @ (np.diag(K.sum(axis=1)) - K) @ CLOUD @ A


@pytest.mark.parametrize("columns", [2, 400], ids=["numbers", "arrays"])
def test_a_cause_is_found_beside_what_is_equal_at_all_points(columns: int) -> None:
    """A distance from itself is 0 up to rounding, and no other point decided as the trace had."""
    A = np.linspace(-0.5, 0.4, 3 * columns).reshape(3, columns) / np.sqrt(columns)
    v = dc.check_gradient(near, half_as_near, A)
    assert v.cause == "factor 2 missing: the claim is D/2 in every component"


class Pose(np.ndarray[Any, Any]):
    """A place and an angle, as an array of a class of its own."""

    def __new__(cls, place: Any, angle: Any) -> Any:
        return np.array([place[0], place[1], angle], dtype=np.float64).view(cls)

    def moved(self, by: Any) -> Any:
        east = self[0] + by[0] * np.cos(self[2]) - by[1] * np.sin(self[2])
        north = self[1] + by[0] * np.sin(self[2]) + by[1] * np.cos(self[2])
        return Pose([east, north], self[2] + by[2])

    def slopes(self, by: Any) -> Any:
        turned = [by[0] * np.sin(self[2]) - by[1] * np.cos(self[2]), by[0] * np.cos(self[2]) - by[1] * np.sin(self[2])]
        return np.array([[1.0, 0.0, turned[0]], [0.0, 1.0, turned[1]], [0.0, 0.0, 1.0]])


def test_arrays_of_a_class_of_the_users_are_followed() -> None:
    by = Pose([0.8, -0.6], 0.3)
    v = dc.check_jacobian(
        lambda x: np.array(Pose(x[:2], x[2]).moved(by)), lambda x: Pose(x[:2], x[2]).slopes(by), [0.7, -0.4, 0.6]
    )
    assert [one.text for one in v.marks] == ["by[0] * np.sin(self[2])"]
    assert v.evidence == "identity"
