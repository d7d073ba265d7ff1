"""The smallest change of a gradient's source that makes it right."""

from __future__ import annotations

import ast
import functools
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.tracing.places import written
from diffcompare.verdict.causes.budget import Budget
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rewrites.alternatives import rewrites_of
from diffcompare.verdict.rewrites.rewriting import Rewriting
from diffcompare.verdict.rewrites.running import Changed, bodies_of
from diffcompare.verdict.rewrites.search import _idle
from diffcompare.verdict.rewrites.syntax import Names, sites_of, text_of
from diffcompare.verdict.rewrites.trial import Trial, run_of

Code = Callable[[Any], Any]

_RNG = np.random.default_rng(3)
SERIES = np.cumsum(_RNG.normal(size=25))
A = _RNG.normal(size=(3, 3))
STEPS = [0.5, 0.25, 0.125]
C = 0.2
ANCHORS = _RNG.normal(size=(5, 3))


def smoothing(p: Any) -> Any:
    """Squares of the errors of exponential smoothing."""
    level, total = p[1], 0.0
    for value in SERIES:
        gap = value - level
        total += gap * gap
        level = level + p[0] * gap
    return total


def forgets_a_name(p: Any) -> Any:
    level, d_level, grad = p[1], np.array([0.0, 1.0]), np.zeros(2)
    for value in SERIES:
        gap = value - level
        grad = grad - 2 * gap * d_level
        d_level = d_level + np.array([gap, 0.0])
        level = level + p[0] * gap
    return grad


def takes_the_new_level(p: Any) -> Any:
    level, d_level, grad = p[1], np.array([0.0, 1.0]), np.zeros(2)
    for value in SERIES:
        gap = value - level
        d_level = (1 - p[0]) * d_level + np.array([gap, 0.0])
        grad = grad - 2 * gap * d_level
        level = level + p[0] * gap
    return grad


def overwrites(p: Any) -> Any:
    level, d_level, grad = p[1], np.array([0.0, 1.0]), np.zeros(2)
    for value in SERIES:
        gap = value - level
        grad = -2 * gap * d_level
        d_level = (1 - p[0]) * d_level + np.array([gap, 0.0])
        level = level + p[0] * gap
    return grad


def begins_late(p: Any) -> Any:
    level, d_level, grad = p[1], np.array([0.0, 1.0]), np.zeros(2)
    for value in SERIES[1:]:
        gap = value - level
        grad = grad - 2 * gap * d_level
        d_level = (1 - p[0]) * d_level + np.array([gap, 0.0])
        level = level + p[0] * gap
    return grad


def pull(x: Any) -> Any:
    return np.sum(x[1:] * x[:-1] ** 2) + x @ A @ x


def wrong_part(x: Any) -> Any:
    grad = A @ x + A.T @ x
    grad[1:] += x[:-1] ** 2
    grad[1:] += 2 * x[1:] * x[:-1]
    return grad


def twice_transposed(x: Any) -> Any:
    grad = A @ x + A @ x
    grad[1:] += x[:-1] ** 2
    grad[:-1] += 2 * x[1:] * x[:-1]
    return grad


SHARES = _RNG.uniform(0.2, 0.8, size=(5, 3))


def mixture(c: Any) -> Any:
    likely = np.exp(-0.5 * (ANCHORS[:, :1] - c) ** 2 / (C + 1.0) ** 2)
    return -np.sum(np.log(np.sum(SHARES * likely, axis=1)))


def forgets_the_densities(c: Any) -> Any:
    gap = ANCHORS[:, :1] - c
    joint = SHARES
    part = joint / np.sum(joint, axis=1, keepdims=True)
    return -np.sum(part * gap, axis=0) / (C + 1.0) ** 2


def distances(x: Any) -> Any:
    return np.sum(np.sqrt(np.sum((ANCHORS - x) ** 2, axis=1) + C**2))


def forgets_the_distances(x: Any) -> Any:
    gap = ANCHORS - x
    length = np.sqrt(C**2)
    return -np.sum(gap / np.reshape(length, (-1, 1)), axis=0)


def bent(z: Any) -> Any:
    return z / (1 + np.exp(-1.7 * z))


def d_bent(z: Any) -> Any:
    s = 1 / (1 + np.exp(-1.7 * z))
    return s + 1.7 * z * s * (1 - s)


def layer(x: Any) -> Any:
    return np.sum(bent(ANCHORS @ x) ** 2)


def takes_the_function(x: Any) -> Any:
    z = ANCHORS @ x
    return ANCHORS.T @ (2 * bent(z) * bent(z))


GOALS = np.sqrt(np.sum((ANCHORS[:, None, :] - ANCHORS[None, :, :]) ** 2, axis=2)) + np.eye(5)


def stress(x: Any) -> Any:
    p = x.reshape(5, 2)
    pairs = [(i, j) for i in range(5) for j in range(i)]
    return sum((GOALS[i, j] - np.sqrt(np.sum((p[i] - p[j]) ** 2))) ** 2 for i, j in pairs)


def forgets_a_root(x: Any) -> Any:
    p = x.reshape(5, 2)
    gap = p[:, None, :] - p[None, :, :]
    d = (gap**2).sum(axis=-1) + np.eye(5)
    ratio = (GOALS - d) / d * (1 - np.eye(5))
    return -2 * np.sum(ratio[:, :, None] * gap, axis=1).ravel()


POINT = [0.3, 1.1]
TEN = np.cos(np.arange(10.0)) * np.arange(1.0, 11.0)
DENSITY = "np.exp(-0.5 * (ANCHORS[:, :1] - c) ** 2 / (C + 1.0) ** 2)"
PLACES = [
    (mixture, forgets_the_densities, [0.4, -0.7, 1.2], "SHARES", f"the factor {DENSITY} is missing"),
    (layer, takes_the_function, [0.4, -0.7, 1.2], "bent(z)", "this should be d_bent(z) in place of bent(z)"),
    (stress, forgets_a_root, TEN, "(gap**2).sum(axis=-1) + np.eye(5)", "np.sqrt is missing around"),
    (distances, forgets_the_distances, [0.4, -0.7, 1.2], "C**2", "the term np.sum((ANCHORS - x) ** 2, axis=1) is"),
    (smoothing, forgets_a_name, POINT, "d_level + np.array([gap, 0.0])", "the term -d_level * p[0] is missing"),
    (smoothing, takes_the_new_level, POINT, "grad = grad - 2 * gap * d_level", "takes a stale value"),
    (smoothing, overwrites, POINT, "grad = -2 * gap * d_level", "overwrites grad"),
    (smoothing, begins_late, POINT, "SERIES[1:]", "the loop should run over SERIES"),
    (pull, wrong_part, [0.4, -0.7, 1.2], "grad[1:]", "in place of grad[:-1]"),
    (pull, twice_transposed, [0.4, -0.7, 1.2], "A @ x + A @ x", "A should be transposed"),
]


@pytest.mark.mostly_thorough(but_each=2)
@pytest.mark.parametrize(("f", "gradient", "at", "text", "said"), PLACES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_change_of_the_source_is_marked(f: Code, gradient: Code, at: Any, text: str, said: str) -> None:
    verdict = dc.check_gradient(f, gradient, at)
    assert verdict.status == "wrong"
    marks = verdict.places[verdict.places["role"] == "gradient"]
    assert text in marks["text"].tolist(), verdict.explain()
    assert said in str(verdict.cause) or any(said in message for message in marks["message"])


def hanging(p: Any) -> Any:
    return np.sum(np.sin(p)) + 0.3 * np.sum(p[:, 0]) + 0.7 * np.sum(p[:, 1])


def loads_another(p: Any) -> Any:
    g, d = np.cos(p), 2 * p
    g[:, 0] += 0.3
    d[:, 1] += 0.7
    return g


def test_what_stands_for_another_thing_is_said_rather_than_the_term_that_is_gone() -> None:
    verdict = dc.check_gradient(hanging, loads_another, [[0.4, -0.7], [1.2, 0.3]])
    assert verdict.cause == "d stands in place of g"


def softened(x: Any) -> Any:
    return 0.1 * np.sum(np.sqrt(x**2 + 0.01)) + x @ A @ x


def without_the_square(x: Any) -> Any:
    slope = x / np.sqrt(0.01)
    return 0.1 * slope + (A + A.T) @ x


def test_a_term_beside_a_constant_is_said_rather_than_a_formula_that_nobody_wrote() -> None:
    verdict = dc.check_gradient(softened, without_the_square, [0.4, -0.7, 1.2])
    assert verdict.cause == "the term x ** 2 is missing beside 0.01"
    assert verdict.places["text"].tolist() == ["0.01"]


NOISE = _RNG.normal(size=30)


def spread(p: Any) -> Any:
    rest = NOISE[2:] - p[0] * NOISE[1:-1] - p[1] * NOISE[:-2]
    return 0.5 * np.exp(p[2]) * np.sum(rest**2)


def forgets_a_long_factor(p: Any) -> Any:
    weight = np.exp(p[2])
    rest = NOISE[2:] - p[0] * NOISE[1:-1] - p[1] * NOISE[:-2]
    first = -weight * np.sum(rest * NOISE[1:-1])
    second = -weight
    return np.array([first, second, 0.5 * weight * np.sum(rest**2)])


def test_a_product_is_missing_beside_a_name_that_is_known() -> None:
    verdict = dc.check_gradient(spread, forgets_a_long_factor, [0.3, -0.2, 0.5])
    assert verdict.cause == "the factor NOISE[:-2] @ rest is missing in -weight"
    assert verdict.places["text"].tolist()[0] == "-weight"


def filtered(p: Any) -> Any:
    y = np.zeros(30)
    for t in range(30):
        y[t] = NOISE[t] - p[0] * y[t - 1] - p[1] * y[t - 2]
    return 0.5 * np.mean(y**2)


def grows_beyond_measure(p: Any) -> Any:
    y, carried = np.zeros(30), np.zeros(32)
    for t in range(30):
        y[t] = NOISE[t] - p[0] * y[t - 1] - p[1] * y[t - 2]
    for t in reversed(range(30)):
        carried[t] = y[t] / 30 - t * carried[t + 1] - p[1] * carried[t + 2]
    return -np.array([carried[1:30] @ y[:-1], carried[2:30] @ y[:-2]])


@pytest.mark.thorough
def test_beside_a_claim_that_is_far_too_large_not_every_number_will_do() -> None:
    """The sign of t + 1 was said to be wrong: what that leaves is less than what the claim rounds."""
    assert "t + 1" not in str(dc.check_gradient(filtered, grows_beyond_measure, [0.2, -0.2]).cause)


def test_a_missing_line_is_written_out() -> None:
    verdict = dc.check_gradient(_neighbours, _one_way, [0.4, -0.7, 1.2])
    assert "grad[:-1] -= gap is missing" in str(verdict.cause) + "".join(verdict.places["message"])


def _neighbours(x: Any) -> Any:
    gap = x[1:] - x[:-1]
    return 0.5 * np.sum(gap**2)


def _one_way(x: Any) -> Any:
    gap = x[1:] - x[:-1]
    grad = np.zeros(x.size)
    grad[1:] += gap
    return grad


def flowing(u: Any) -> Any:
    """Six steps of a diffusion between neighbours that is uneven."""
    for _ in range(6):
        u = np.concatenate([u[:1], u[1:-1] + 0.3 * u[2:] - 0.25 * u[1:-1] + 0.1 * u[:-2], u[-1:]])
    return 0.5 * np.sum(u**2)


def reads_where_it_should_write(u: Any) -> Any:
    for _ in range(6):
        u = np.concatenate([u[:1], u[1:-1] + 0.3 * u[2:] - 0.25 * u[1:-1] + 0.1 * u[:-2], u[-1:]])
    for _ in range(6):
        before = u.copy()
        before[1:-1] -= 0.25 * u[1:-1]
        before[2:] += 0.3 * u[1:-1]
        before[1:-1] += 0.1 * u[:-2]
        u = before
    return u


def spreading(u: Any) -> Any:
    for _ in range(20):
        u = np.concatenate([u[:1], u[1:-1] + C * (u[2:] - 2 * u[1:-1] + u[:-2]), u[-1:]])
    return 0.5 * np.sum(u**2)


def half_of_it(u: Any) -> Any:
    for _ in range(20):
        u = np.concatenate([u[:1], u[1:-1] + C * (u[2:] - 2 * u[1:-1] + u[:-2]), u[-1:]])
    for _ in range(20):
        before = u.copy()
        before[1:-1] -= C * u[1:-1]
        before[2:] += C * u[1:-1]
        before[:-2] += C * u[1:-1]
        u = before
    return u


@pytest.mark.thorough
def test_an_adjoint_that_reads_where_it_should_write_is_told() -> None:
    verdict = dc.check_gradient(flowing, reads_where_it_should_write, np.linspace(-1.0, 2.0, 9) ** 2)
    assert "the indices 1:-1 and :-2 should be exchanged" in str(verdict.cause)
    assert "before[1:-1] += 0.1 * u[:-2]" in verdict.places["text"].tolist()


def test_a_line_that_stands_there_is_not_missing_once_more() -> None:
    verdict = dc.check_gradient(spreading, half_of_it, np.linspace(-1.0, 2.0, 30) ** 2)
    assert str(verdict.cause) == "the factor 2 is missing in C * u[1:-1]"


EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 1], [1, 4], [0, 3]])
PULLS = np.array([0.5, 0.8, 0.3, 1.1, 0.9, 0.4])


def bonds(x: Any) -> Any:
    return np.sum(PULLS * (x[EDGES[:, 0]] - x[EDGES[:, 1]]) ** 4)


def only_the_last(x: Any) -> Any:
    first, second = EDGES[:, 0], EDGES[:, 1]
    push = 4 * PULLS * (x[first] - x[second]) ** 3
    g = np.zeros(5)
    g[first] += push
    np.add.at(g, second, -push)
    return g


def one_end(x: Any) -> Any:
    first, second = EDGES[:, 0], EDGES[:, 1]
    push = 4 * PULLS * (x[first] - x[second]) ** 3
    g = np.zeros(5)
    np.add.at(g, first, push)
    return g


def one_corner(x: Any) -> Any:
    M = np.zeros((5, 5))
    for (i, j), p in zip(EDGES, PULLS, strict=True):
        M[i, i] += p
        M[j, j] += p
        M[i, j] -= p
    return 2 * M @ x


ASSEMBLED = [
    (bonds, only_the_last, "g[first] += push", "should be accumulated with np.add.at"),
    (bonds, one_end, "np.add.at(g, first, push)", "the line np.add.at(g, second, -push) is missing"),
    (lambda x: np.sum(PULLS * (x[EDGES[:, 0]] - x[EDGES[:, 1]]) ** 2), one_corner, "M[i, j] -= p",
     "the line M[j, i] -= p is missing"),
]  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(("f", "gradient", "text", "said"), ASSEMBLED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_assembled_from_pieces_is_told(f: Code, gradient: Code, text: str, said: str) -> None:
    verdict = dc.check_gradient(f, gradient, [0.4, -0.7, 1.2, 0.1, 0.6])
    assert said in str(verdict.cause)
    assert verdict.places[verdict.places["role"] == "gradient"]["text"].tolist() == [text]


ROWS = np.random.default_rng(5).normal(size=(12, 3))
SEEN = ROWS[:, 0] > 0


def zero_or_more(p: Any) -> Any:
    share, rate = 1 / (1 + np.exp(-p[0])), np.exp(p[1] + p[2] * ROWS[:, 1])
    none, some = np.log(share + (1 - share) * np.exp(-rate)), np.log(1 - share) - rate
    return -np.sum(np.where(SEEN, some, none))


def lacks_a_factor(p: Any) -> Any:
    share, rate = 1 / (1 + np.exp(-p[0])), np.exp(p[1] + p[2] * ROWS[:, 1])
    e = np.exp(-rate)
    mass = share + (1 - share) * e
    d_share = np.where(SEEN, -share, share * (1 - share) / mass)
    d_rate = np.where(SEEN, -rate, -(1 - share) * e * rate / mass)
    return -np.array([d_share.sum(), d_rate.sum(), d_rate @ ROWS[:, 1]])


@pytest.mark.thorough
def test_another_name_that_does_by_chance_is_not_taken_for_a_missing_factor() -> None:
    """1 - mass is (1 - share)*(1 - e)."""
    verdict = dc.check_gradient(zero_or_more, lacks_a_factor, [-0.3, 0.4, 0.2])
    (mark,) = [one for one in verdict.marks if one.role == "gradient"]
    assert mark.message == "the factor 1 - e is missing"
    assert "share * (1 - share)" in mark.text


PATH = np.cumsum(0.04 * np.random.default_rng(6).normal(size=400))
DT = 0.02


def drifting(p: Any) -> Any:
    speed, level, scale = p[0], p[1], p[2]
    e = np.diff(PATH) - speed * (level - PATH[:-1]) * DT
    return np.sum(0.5 * e**2 * np.exp(-2 * scale) / DT + scale)


def one_too_long(p: Any) -> Any:
    speed, level, scale = p[0], p[1], p[2]
    pull = level - PATH[:-1]
    e = PATH[1:] - PATH[:-1] - speed * pull * DT
    scaled = e * np.exp(-2 * scale)
    grad = np.empty(3)
    grad[0] = -np.sum(scaled * pull)
    grad[1] = -np.sum(scaled) * speed
    grad[2] = len(PATH) - np.sum(scaled * e) / DT
    return grad


@pytest.mark.thorough
def test_a_term_that_does_by_chance_is_not_taken_for_another_name() -> None:
    """The lengths differ by 1, as do a sum over DT and one with DT more."""
    verdict = dc.check_gradient(drifting, one_too_long, [1.2, 0.4, -1.1])
    (mark,) = [one for one in verdict.marks if one.role == "gradient"]
    assert mark.text == "PATH"


def test_what_has_a_shape_is_not_to_be_transposed_for_it() -> None:
    def gradient(w: Any) -> Any:
        return 2 * ROWS.T @ (ROWS @ w) / ROWS.shape[1]

    verdict = dc.check_gradient(lambda w: np.mean((ROWS @ w) ** 2), gradient, [0.4, -0.7, 1.2])
    (mark,) = [one for one in verdict.marks if one.role == "gradient"]
    assert (mark.text, mark.message) == ("1", "the index should be 0")


def test_the_users_code_and_data_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """What is tried runs beside the user's own, prints nothing and cannot write to the user's arrays."""
    before, calls = SERIES.copy(), []

    def gradient(p: Any) -> Any:
        calls.append(1)
        return wrong_by_sign(p)

    def wrong_by_sign(p: Any) -> Any:
        own = SERIES
        print("called")
        return np.array([np.sum(own), -2 * p[1]])

    code = wrong_by_sign.__code__
    verdict = dc.check_gradient(lambda p: p[0] * np.sum(SERIES) + p[1] ** 2, wrong_by_sign, [0.3, 1.1])
    assert verdict.status == "wrong"
    assert verdict.places["text"].tolist()[-1] == "-2 * p[1]" or "sign" in str(verdict.cause)
    assert wrong_by_sign.__code__ is code
    assert np.array_equal(before, SERIES)
    # the calls of the check itself print
    assert capsys.readouterr().out.count("called") < 20


def endless(p: Any) -> Any:
    seen = [p[0]]
    for value in STEPS:
        seen.append(value * p[0])  # noqa: PERF401 - the loop grows what it could go through
    return np.array([np.sum(np.array(seen)) / p[0], 2.0])


def test_a_loop_that_would_not_end_is_given_up() -> None:
    """With ``seen`` in place of ``STEPS`` the loop goes through what it makes."""
    verdict = dc.check_gradient(lambda p: sum(STEPS) * p[0] + p[0] + p[1], endless, POINT)
    assert verdict.status == "wrong"


def test_what_is_no_array_is_not_put_in() -> None:
    """``np.r_`` alone can be asked for its elements without end."""
    verdict = dc.check_gradient(lambda p: p[0] ** 2 + p[1] ** 3, lambda p: np.r_[2 * p[0], 3 * p[1]], POINT)
    assert "p[1]" in "".join(verdict.places["text"])


class Model:
    def __init__(self) -> None:
        self.weights, self.calls = np.array([0.5, 2.0]), 0

    def loss(self, x: Any) -> Any:
        return 0.5 * np.sum(self.weights * x**2) + x[0] * x[1]

    def score(self, x: Any) -> Any:
        return self.weights * x - x[::-1]


def scaled(scale: float, x: Any) -> Any:
    return scale * (self_weights * x - x[::-1])


self_weights = np.array([0.5, 2.0])


@pytest.mark.parametrize("gradient", [Model().score, functools.partial(scaled, 1.0)], ids=["method", "partial"])
def test_methods_and_partials_are_run_again(gradient: Code) -> None:
    verdict = dc.check_gradient(Model().loss, gradient, [0.4, -0.7])
    assert "the minus should be a plus" in str(verdict.cause) + "".join(verdict.places["message"])


def residual(x: Any) -> Any:
    return ANCHORS @ x + ANCHORS[:, 0]


def test_a_helper_of_the_gradient_is_changed_and_one_of_both_is_not() -> None:
    verdict = dc.check_gradient(lambda x: 0.5 * residual(x) @ residual(x), _through_helper, [0.4, -0.7, 1.2])
    (mark,) = [one for one in verdict.places.itertuples() if one.role == "gradient"]
    assert mark.file == "test_rewriting.py"
    assert mark.text == "ANCHORS[::-1]"


def _through_helper(x: Any) -> Any:
    return _projected(residual(x))


def _projected(r: Any) -> Any:
    return ANCHORS[::-1].T @ r


def test_an_opaque_gradient_is_changed_too() -> None:
    """The function is traced and the gradient is not: its source tells all the same."""

    def opaque(x: Any) -> Any:
        y = np.array([float(repr(float(v))) for v in x])
        return A @ y - A.T @ y

    verdict = dc.check_gradient(lambda x: x @ A @ x, opaque, [0.4, -0.7, 1.2])
    assert verdict.evidence == "neighbours"
    assert "the minus should be a plus" in str(verdict.cause)


def both(x: Any) -> Any:
    return x @ A @ x, A @ x - A.T @ x


def test_a_function_that_returns_both_is_changed() -> None:
    verdict = dc.check_gradient(both, True, [0.4, -0.7, 1.2])
    assert "the minus should be a plus" in str(verdict.cause) + "".join(verdict.places["message"])


TARGETS = _RNG.normal(size=5)


def loss_and_gradient(w: Any, gradient: bool = True) -> Any:
    r = ANCHORS @ w - TARGETS
    loss = np.sum(np.log(1 + r**2)) + 0.3 * w @ w
    if not gradient:
        return loss
    slope = 2 * r / (1 + r**2)
    return loss, ANCHORS.T @ r + 0.6 * w, slope


def one_number_for_both(w: Any) -> Any:
    k = 3
    r = ANCHORS @ w - TARGETS
    return (k - 1) * np.sum(np.sin(r)), k * ANCHORS.T @ np.cos(r)


@pytest.mark.parametrize(
    "f", [lambda w: loss_and_gradient(w)[0], lambda w: loss_and_gradient(w, False)], ids=["both", "flag"]
)
def test_code_of_value_and_gradient_is_changed_where_the_value_does_not_need_it(f: Code) -> None:
    # not searched: the function runs it as well
    verdict = dc.check_gradient(f, lambda w: loss_and_gradient(w)[1], [0.4, -0.7, 1.2])
    assert verdict.cause == "r stands in place of slope"
    assert verdict.places["text"].tolist() == ["r"]


def test_a_change_that_makes_another_value_is_none() -> None:
    x = np.array([0.4, -0.7, 1.2])

    def gradient(w: Any) -> Any:
        return one_number_for_both(w)[1]

    def value(w: Any) -> Any:
        return one_number_for_both(w)[0]

    shared = {written(one_number_for_both.__code__)}
    body = next(b for b in bodies_of(gradient, function=value, shared=shared) if b.function is one_number_for_both)
    problem = Problem(value, gradient, x, np.copy, np.asarray, ("a", "b", "c"))
    here = Nearby(x, gradient(x), gradient(x) * (2 / 3), np.zeros(3), None, (), ())
    trial = Trial(problem, [here], Budget(), 100)
    assert trial.is_repeated(body)
    three = next(site for site in sites_of(body.definition) if getattr(site.node, "value", None) == 3)
    # k = 2 makes the gradient right
    changes = [three.replaced(ast.Constant(2))]
    changed = trial.compiled(body, changes)
    assert changed is not None
    assert trial.is_right(body, Changed(changed.gradient))
    assert not trial.is_right(body, changed)
    assert one_number_for_both(x)[1].tolist() == gradient(x).tolist()


def arm(q: Any) -> Any:
    return [np.cos(q[0]) + 0.5 * np.cos(q[0] + q[1]), np.sin(q[0]) + 0.5 * np.sin(q[0] + q[1])]


def other_sine(q: Any) -> Any:
    s, c = 0.5 * np.cos(q[0] + q[1]), 0.5 * np.cos(q[0] + q[1])
    return [[-np.sin(q[0]) - s, -s], [np.cos(q[0]) + c, c]]


def test_a_matrix_of_derivatives_is_run_with_changes_too() -> None:
    verdict = dc.check_jacobian(arm, other_sine, [0.4, -0.7])
    assert verdict.cause == "this should be np.sin(q[0] + q[1]) in place of np.cos(q[0] + q[1])"
    assert verdict.places["text"].tolist() == ["np.cos(q[0] + q[1])"]


def adds_once_more(p: Any) -> Any:
    level, d_level, grad = p[1], np.array([0.0, 1.0]), np.zeros(2)
    for value in SERIES:
        gap = value - level
        grad = grad - 2 * gap * d_level
        grad += d_level
        d_level = (1 - p[0]) * d_level + np.array([gap, 0.0])
        level = level + p[0] * gap
    return grad


def test_in_loops_what_is_rare_is_tried_before_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(some: Rewriting) -> None:
        some.trial.budget.left = 0

    monkeypatch.setattr(Rewriting, "missing", missing)
    monkeypatch.setattr(Rewriting, "first_wrong", lambda _: None)
    verdict = dc.check_gradient(smoothing, adds_once_more, [0.3, 0.2])
    (mark,) = [one for one in verdict.marks if one.role == "gradient"]
    assert (mark.text, mark.message) == ("grad += d_level", "this line does not belong here")


def drift(s: Any) -> Any:
    return np.array([2.5 * (s[1] - s[0]), s[0] * (1.5 - s[1])])


def one_step(s: Any) -> Any:
    return s + 0.1 * drift(s + 0.05 * drift(s))


def _tangent(s: Any) -> Any:
    return np.array([[-2.5, 2.5], [1.5 - s[1], s[0]]])


def other_sign(s: Any) -> Any:
    return np.eye(2) + 0.1 * _tangent(s + 0.05 * drift(s)) @ (np.eye(2) + 0.05 * _tangent(s))


def test_a_helper_that_holds_numbers_is_changed() -> None:
    verdict = dc.check_jacobian(one_step, other_sign, [0.4, -0.7])
    (mark,) = [one for one in verdict.places.itertuples() if one.role == "gradient"]
    assert (mark.text, mark.message) == ("s[0]", "this has the wrong sign")


def test_no_change_writes_into_the_users_arrays() -> None:
    """NumPy adds to elements of arrays that may not be written."""

    def gradient(g: Any, first: Any) -> Any:
        np.add.at(g, first, np.zeros_like(first))

    (body,) = bodies_of(gradient)
    names = Names(("g", "first"), filled=frozenset({"g"}))
    changed = []
    for one in rewrites_of(list(sites_of(body.definition)), names):
        with body.changed(one.changes):
            changed.append(text_of(body.definition.body[0]))
    assert "np.add.at(g, g, np.zeros_like(first))" in changed
    assert not [text for text in changed if text.startswith("np.add.at(first") or ", first, first)" in text]


def of_logarithms(p: Any) -> Any:
    spread = np.exp(p)
    return np.sum(ROWS[0] ** 2 / spread + np.log(spread) ** 3)


def forgets_the_exponential(p: Any) -> Any:
    spread = p
    return 3 * np.log(np.exp(p)) ** 2 - ROWS[0] ** 2 / spread


def of_rows(p: Any) -> Any:
    return 0.1 * np.sum(p**4) + sum(np.exp(row @ p) for row in ROWS)


def a_number_in_place_of_a_power(p: Any) -> Any:
    grad = 0.4
    for row in ROWS:
        grad = grad + np.exp(row @ p) * row
    return grad


def driven(p: Any) -> Any:
    before, now = np.zeros(3), np.zeros(3)
    for k in range(40):
        before, now = now, 2 * now - before - 0.1 * now + np.sin(p * k)
    return np.sum(now**2)


def forgets_the_last_one(p: Any) -> Any:
    before, now = np.zeros(3), np.zeros(3)
    d_before, d_now = np.zeros(3), np.zeros(3)
    for k in range(40):
        d_before, d_now = d_now, 2 - d_before - 0.1 * d_now + np.cos(p * k) * k
        before, now = now, 2 * now - before - 0.1 * now + np.sin(p * k)
    return 2 * now * d_now


EVENTS, END = np.array([0.3, 0.9, 1.1, 2.0]), 4.0


def events(p: Any) -> Any:
    """Return minus the logarithm of the likelihood of events whose rate falls off, up to a constant."""
    return p[0] * np.sum(1 - np.exp(-p[1] * (END - EVENTS))) - np.sum(np.log(p[2] + p[0] * p[1] * EVENTS))


def forgets_the_end(p: Any) -> Any:
    rate = p[2] + p[0] * p[1] * EVENTS
    d_rate = [p[1] * EVENTS, p[0] * EVENTS, 1.0]
    falls = np.exp(-p[1] * (END - EVENTS))
    d_sum = [np.sum(1 - falls), p[0] * np.sum(EVENTS * falls), 0.0]
    return np.array([d_sum[k] - np.sum(d_rate[k] / rate) for k in range(3)])


def to_each(p: Any) -> Any:
    left = END - EVENTS
    rate = p[2] + p[0] * p[1] * EVENTS
    falls = np.exp(-p[1] * left)
    grad = np.array([np.sum(1 - falls), p[0] * np.sum(left * falls), 0.0])
    d_rate = np.array([p[1] * EVENTS, p[0] * EVENTS, np.ones(4)])
    grad[:2] -= np.sum(d_rate[:2] / rate, axis=1)
    grad -= np.sum(d_rate[2] / rate)
    return grad


FORGOTTEN = [
    (events, forgets_the_end, "EVENTS stands in place of (END - EVENTS)", "EVENTS"),
    (events, to_each, "grad -= np.sum(d_rate[2] / rate) should be added to grad[2] alone",
     "grad -= np.sum(d_rate[2] / rate)"),
    (of_logarithms, forgets_the_exponential, "np.exp is missing around p", "p"),
    (of_rows, a_number_in_place_of_a_power, "the factor p ** 3 is missing in 0.4", "0.4"),
    (driven, forgets_the_last_one, "the factor d_now is missing in 2", "2"),
]  # fmt: skip


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(
    ("f", "gradient", "said", "text"),
    FORGOTTEN,
    ids=["difference", "part", "function", "factor", "factor of a number in a sum"],
)
def test_what_was_forgotten_is_told(f: Code, gradient: Code, said: str, text: str) -> None:
    verdict = dc.check_gradient(f, gradient, np.array([0.7, 1.2, 0.5]))
    assert str(verdict.cause) == said
    assert text in verdict.places[verdict.places["role"] == "gradient"]["text"].tolist()


def counted(p: Any) -> Any:
    return np.sum(SEEN) * p[0] - np.sum(np.exp(p[0] + p[1] * ROWS[:, 0])) + p[2] ** 2


def has_a_count_alone(p: Any) -> Any:
    rate = np.exp(p[0] + p[1] * ROWS[:, 0])
    return np.array([np.sum(SEEN), -rate @ ROWS[:, 0], 2 * p[2]])


@pytest.mark.thorough
def test_a_count_may_lack_a_sum() -> None:
    verdict = dc.check_gradient(counted, has_a_count_alone, np.array([0.7, 1.2, 0.5]))
    marked = verdict.places[verdict.places["role"] == "gradient"]
    assert marked["text"].tolist() == ["np.sum(SEEN)"]
    assert marked["message"].tolist() == ["the term -np.sum(rate) is missing"]


def repelled(x: Any) -> Any:
    energy = 0.0
    for i in range(3):
        for j in range(i):
            s6 = 1 / (x[i] - x[j]) ** 6
            energy = energy + 4 * (s6 * s6 - s6)
    return energy


def lacks_a_two(x: Any) -> Any:
    grad = np.zeros(3)
    for i in range(3):
        for j in range(i):
            d = x[i] - x[j]
            inv = 1 / (d * d)
            s6 = inv**3
            pull = 24 * inv * (s6 - s6**2) * d
            grad[i] += pull
            grad[j] -= pull
    return grad


def test_a_factor_2_is_likelier_than_what_makes_a_value_of_the_function() -> None:
    # it was "the factor 1 - s6 is missing in s6", as the function has s6 * (1 - s6)
    verdict = dc.check_gradient(repelled, lacks_a_two, np.array([0.1, 1.2, 2.5]))
    assert verdict.places[verdict.places["role"] == "gradient"]["text"].tolist() == ["s6**2"]


def crossed(p: Any) -> Any:
    return np.exp(p[0] * p[2]) * np.sin(p[1])


def with_two_exchanged(p: Any) -> Any:
    up, angle = np.exp(p[0] * p[2]), np.sin(p[1])
    d_up = np.array([p[2] * up, 0.0, p[0] * up])
    d_angle = np.array([0.0, np.cos(p[1]), 0.0])
    return d_up * up + angle * d_angle


def test_two_things_in_one_anothers_places_are_told() -> None:
    verdict = dc.check_gradient(crossed, with_two_exchanged, np.array([0.7, 1.2, 0.5]))
    assert verdict.cause == "d_up and d_angle should be exchanged in d_up * up + angle * d_angle"
    assert verdict.places["text"].tolist() == ["d_up * up + angle * d_angle"]


class Fit:
    """Value and gradient from one method, whose parts are made in a comprehension."""

    def both(self, p: Any) -> Any:
        rate = p[2] + p[0] * p[1] * EVENTS
        d_rate = {"0": p[1] * EVENTS, "1": p[0] * EVENTS, "2": np.ones(4)}
        return np.sum(np.log(rate)) - p[0], {key: d_rate[key].sum() - 1.0 * (key == "0") for key in d_rate}


def test_what_a_comprehension_makes_in_code_of_both_is_changed() -> None:
    fit = Fit()
    verdict = dc.check_gradient(
        lambda p: fit.both(p)[0], lambda p: np.array([*fit.both(p)[1].values()]), np.array([0.7, 1.2, 0.5])
    )
    # before Python 3.12 a comprehension has names of its own
    assert verdict.cause == "the divisor rate is missing in d_rate[key]"
    assert verdict.places[verdict.places["role"] == "gradient"]["text"].tolist() == ["d_rate[key]"]


def with_branches(x: Any) -> Any:
    """Return twice the argument."""
    if x[0] > 9:
        y = 3 * x
        return y + np.sum(y)
    for k in range(1):
        x = x + (x * k)
    return 2 * x


def test_what_does_not_run_is_not_changed_alone() -> None:
    (body,) = bodies_of(with_branches)
    _, _, ran = run_of(lambda: with_branches(np.array([0.3, 0.4])))
    idle = [ast.unparse(node) for node in _idle(body, ran) if isinstance(node, ast.stmt)]
    assert [text for text in idle if "Return" not in text] == ["y = 3 * x", "return y + np.sum(y)"]


def long_code(lost: int) -> str:
    """Write a function of many lines without a loop, and its gradient, of which one line has lost a factor."""
    f = ["def f(x):", "    a0, b0 = x"]
    g = ["def gradient(x):", "    a0, b0 = x", "    da0, db0 = np.eye(2)"]
    for k in range(1, 40):
        value = [f"    a{k} = a{k - 1} * np.cos(b{k - 1}) + 0.{k}", f"    b{k} = b{k - 1} + 0.1 * a{k} * a{k - 1}"]
        factor = "" if k == lost else f" * np.sin(b{k - 1})"
        slope = [
            f"    da{k} = da{k - 1} * np.cos(b{k - 1}) - a{k - 1}{factor} * db{k - 1}",
            f"    db{k} = db{k - 1} + 0.1 * (da{k} * a{k - 1} + a{k} * da{k - 1})",
        ]
        f, g = [*f, *value], [*g, *value, *slope]
    return "\n".join(["import numpy as np", *f, "    return a39 * b39", *g, "    return da39 * b39 + a39 * db39", ""])


@pytest.mark.thorough
def test_long_code_without_a_loop_is_searched_from_its_first_wrong_value(tmp_path: Path) -> None:
    file = tmp_path / "long_code.py"
    file.write_text(long_code(lost=20), encoding="utf-8")
    space = runpy.run_path(str(file))
    verdict = dc.check_gradient(space["f"], space["gradient"], np.array([0.7, 0.4]))
    # it was cut short
    assert verdict.cause == "the factor np.sin(b19) is missing in db19"
    assert verdict.places["text"].tolist() == ["db19"]


RATES = (0.3, 1.7, 0.6)


def with_slopes(x: Any) -> Any:
    value = slope = curvature = third = 0
    for k, a in enumerate(RATES):
        value += a * x[k] ** 4
        slope += np.eye(3)[k] * a * 4 * x[k] ** 4
        curvature += a * 12 * x[k] ** 2
        third += a * 24 * x[k]
    unread = slope + 1.5
    unread[1] += curvature
    return {"value": value, "slope": slope, "curvature": curvature, "third": third}


def test_what_makes_the_wrong_numbers_is_searched_first(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[list[str]] = []
    whole = Rewriting.sought

    def sought(self: Rewriting) -> Any:
        sites = self._running([one for _, some, _ in self.parts for one in some])
        passed.append([text_of(one.node) for one in sites if isinstance(one.node, ast.AugAssign | ast.Assign)])
        return whole(self) if len(passed) > 1 else None

    monkeypatch.setattr(Rewriting, "sought", sought)
    monkeypatch.setattr("diffcompare.verdict.rewrites.search.apart", lambda search: search())
    v = dc.check_gradient(lambda x: with_slopes(x)["value"], lambda x: with_slopes(x)["slope"], [0.4, -0.7, 1.2])
    assert v.status == "wrong"
    first, second = passed
    assert [text for text in first if "+=" in text and "slope" in text] == ["slope += np.eye(3)[k] * a * 4 * x[k] ** 4"]
    assert not [text for text in first if text.startswith(("curvature", "third"))]
    # what nobody reads may be another thing by mistake
    assert "unread = slope + 1.5" in first
    assert {text for text in second if "+=" in text} >= {"curvature += a * 12 * x[k] ** 2", "third += a * 24 * x[k]"}
    assert not [text for text in second if text.startswith("slope +=")]


def softmax(z: Any) -> Any:
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


def test_a_function_that_makes_the_same_of_all_numbers_is_not_missing() -> None:
    def f(x: Any) -> Any:
        return np.log(softmax(x)[0]) + 0.3 * x[0]

    def gradient(x: Any) -> Any:
        grad = -softmax(x)
        # the softmax of one number is 1
        grad[0] += np.exp(x[1]) + 0.3
        return grad

    v = dc.check_gradient(f, gradient, [0.3, -0.8, 1.1])
    assert v.status == "wrong"
    assert "softmax is missing" not in " ".join([str(v.cause), *(one.message for one in v.marks)])


def test_a_line_that_would_do_nothing_elsewhere_is_not_moved_there() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.exp(x)) / len(x) + x[0] ** 3

    def gradient(x: Any) -> Any:
        first, rest = 0.0, np.exp(x)
        if len(x) > 1:
            first = np.mean(3 * x[:1] ** 2) * len(x) / len(x)
        first *= 1 / len(x)
        rest *= 1 / len(x)
        rest[0] += first
        return rest

    v = dc.check_gradient(f, gradient, [0.3, -0.8, 1.1])
    assert v.status == "wrong"
    assert "stale" not in str(v.cause)


class Held:
    def slope(self, x: Any) -> Any:
        angle = 3 * x
        return np.cos(angle)


@pytest.mark.places
def test_what_only_hands_on_what_it_is_given_is_not_to_blame() -> None:
    held, name = Held(), "slope"
    verdict = dc.check_gradient(lambda x: np.sum(np.sin(3 * x)), lambda x: getattr(held, name)(x)[:], [0.3, 0.8])
    (mark,) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (mark.text, mark.message) == ("np.cos(angle)", "the factor 3 is missing")


SPIN = np.array([0.3, -0.2, 0.5])


class Turning:
    def turned(self, w: Any) -> Any:
        return np.array([[0, -w[0], -w[1]], [w[0], 0, w[2]], [w[1], -w[2], 0.0]])

    def step(self, q: Any) -> Any:
        return q + self.turned(0.05 * SPIN) @ q

    def jacobian(self) -> Any:
        return self.turned(0.05 * SPIN)

    def turned_back(self, w: Any) -> Any:
        x = 0.05 * w
        return np.eye(3) - self.turned(x)


@pytest.mark.places
def test_of_functions_that_only_call_one_another_the_inner_one_is_to_blame() -> None:
    turning = Turning()
    verdict = dc.check_jacobian(lambda q: turning.step(q), lambda q: turning.jacobian(), [0.8, 0.3, -0.4])
    (mark, *_) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (mark.text, mark.message) == ("self.turned(0.05 * SPIN)", "the term np.eye(3) is missing")


COUNT = 3


def of_three(x: Any) -> Any:
    return (COUNT - 1) * np.sum(x**2)


def forgets_the_two(x: Any) -> Any:
    return (COUNT - 1) * x


@pytest.mark.places
def test_another_operation_that_makes_twice_of_a_number_is_a_factor() -> None:
    verdict = dc.check_gradient(of_three, forgets_the_two, [0.3, 0.8])
    assert str(verdict.cause) == "factor 2 missing: the claim is D/2 in every component"
    (mark, *_) = [mark for mark in verdict.marks if mark.role == "gradient"]
    # 3 + 1 would do as well
    assert (mark.text, mark.message) == ("(COUNT - 1) * x", "this is half of what it should be")


STACK = np.random.default_rng(8).normal(size=(5, 3, 3))
SHARE = np.random.default_rng(9).normal(size=(5, 3))


def of_many_matrices(x: Any) -> Any:
    return np.sum(SHARE[:, None] @ np.tanh(STACK @ x[:, None]))


def forgets_to_turn_them(x: Any) -> Any:
    slope = SHARE * (1 - np.tanh(STACK @ x[:, None])[:, :, 0] ** 2)
    return np.sum(STACK @ slope[:, :, None], axis=0)[:, 0]


@pytest.mark.places
def test_each_of_many_matrices_is_transposed() -> None:
    verdict = dc.check_gradient(of_many_matrices, forgets_to_turn_them, [0.3, 0.8, -0.2])
    (mark,) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (mark.text, mark.message) == ("STACK", "each of these matrices should be transposed")


@pytest.mark.places
def test_what_another_function_is_given_is_not_marked_beside_what_it_makes_of_it() -> None:
    turning = Turning()
    verdict = dc.check_jacobian(turning.step, lambda q: turning.turned_back(SPIN), [0.8, 0.3, -0.4])
    (mark, *others) = [mark for mark in verdict.marks if mark.role == "gradient"]
    assert (mark.text, mark.message) == ("np.eye(3) - self.turned(x)", "the minus should be a plus")
    # of the other sign of what turns the result turns, too
    assert [mark.text for mark in others] == ["0.05 * w"]


def rippled(x: Any) -> Any:
    return np.sum(np.sqrt(1 + np.sin(x) ** 2))


def leaves_a_name_unread(x: Any) -> Any:
    root = np.sqrt(1 + np.sin(x) ** 2)  # noqa: F841 - that is the mistake
    return np.sin(x) * np.cos(x) / np.cosh(x)


@pytest.mark.places
def test_what_nothing_reads_may_be_meant_in_place_of_an_expression() -> None:
    (mark, *_) = [
        mark for mark in dc.check_gradient(rippled, leaves_a_name_unread, [0.3, 0.8]).marks if mark.role == "gradient"
    ]
    assert (mark.text, mark.message) == ("np.cosh(x)", "this should be root")
