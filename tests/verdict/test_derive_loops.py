"""The gradient of a function with loops: what its code reads like, that it is right, and what is refused."""

from __future__ import annotations

import sys
import textwrap
import types
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

RNG = np.random.default_rng(5)
TIMES = np.linspace(0.0, 3.0, 20)
Y = np.sin(TIMES) + 0.1 * RNG.normal(size=20)
X = RNG.normal(size=(20, 3))
KINDS = RNG.integers(0, 3, 20)
PAIRS = [(1.0, 2.0), (0.5, 1.1), (2.0, 3.9), (1.5, 2.7)]
GROUPS = [RNG.normal(size=n) for n in (4, 6, 5)]
WORDS = [(1, [0, 0, 2]), (0, [1, 3, 3]), (2, [0, 1, 2]), (3, [2, 2, 1])]
STEP = 0.1
F = np.array([[1.0, 0.1], [-0.1, 0.9]])


def recurrent(p):
    w, u = p
    h, loss = 0.0, 0.0
    for x, y in zip(TIMES, Y, strict=True):
        h = np.tanh(w * x + u * h)
        loss = loss + (h - y) ** 2
    return loss


def steps(p):
    x, v, cost = p[0], p[1], 0.0
    for y in Y:
        x, v = x + STEP * v, v - STEP * (p[2] * x + p[3] * v)
        cost += (x - y) ** 2
    return cost


def controlled(u):
    x, cost = np.array([1.0, 0.5]), 0.0
    for k in range(20):
        cost = cost + x @ x + 0.5 * u[k] ** 2
        x = F @ x + u[k] * np.array([0.0, 0.1])
    return cost + 10 * x @ x


def pairs(p):
    total = 0.0
    for x, y in PAIRS:
        total += (p[0] + p[1] * x - y) ** 2
    return total / len(PAIRS) + 0.125 * np.sum(p**2)


def repelling(x):
    p = x.reshape(-1, 2)
    energy = 0.0
    for i in range(len(p)):
        for j in range(i):
            gap = p[i] - p[j]
            energy = energy + 1 / (gap @ gap)
    return energy


def classes(W):
    loss = 0.0
    for i, x in enumerate(X):
        z = x @ W
        loss = loss + np.log(np.sum(np.exp(z))) - z[KINDS[i]]
    return loss


def groups(p):
    total = 0.0
    for s in GROUPS:
        n, r = len(s), s - p[0]
        total = total + (n - 1) * np.log(p[1]) + r @ r / p[1]
    return total


def bags(E):
    loss = 0.0
    for word, context in WORDS:
        mean = np.mean(E[context], axis=0)
        loss = loss + (mean @ E[word] - 1) ** 2
    return loss


def layers(params):
    h = X
    for W, b in zip(params["W"], params["b"], strict=True):
        h = np.tanh(h @ W + b)
    return np.sum(h**2)


def gaps(p):
    rate, last, A, total = p[0], 0.0, 0.0, 0.0
    for t in TIMES:
        A = np.exp(-rate * (t - last)) * A + 1
        total = total + p[1] * A**2
        last = t
    return total


def pull(p, i, j):
    return np.sum((p[i] - p[j]) ** 2) - 1


def chained(x):
    p = x.reshape(-1, 2)
    total = 0.0
    for k in range(1, len(p)):
        total = total + pull(p, k - 1, k) ** 2
    for k in range(2, len(p)):
        total = total + 0.5 * pull(p, k - 2, k) ** 2
    return total


def spread(p):
    level, sse = Y[0], 0.0
    for y in Y[1:]:
        sse = sse + (y - level) ** 2
        level = level + p[0] * (y - level)
    return np.log(sse) + level**2


def diffused(u):
    for _ in range(12):
        inner = u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = np.concatenate([u[:1], inner, u[-1:]])
    return np.sum((u - 1) ** 2)


def gated(p):
    h, loss = 0.0, 0.0
    for t in range(20):
        z = 1 / (1 + np.exp(-(X[t] @ p[:3] + p[3] * h)))
        h = (1 - z) * h + z * np.tanh(p[4] * Y[t])
        loss = loss + (h - Y[t]) ** 2
    return loss


def simulated(rates, x):
    cost = 0.0
    for y in Y:
        x = x + STEP * (rates[0] * x - rates[1] * y)
        cost = cost + x**2
    return cost


def simulation(p):
    return simulated(np.exp(p), 1.0) + 0.5 * np.sum(p**2)


def fitted(p):
    return sum((p[0] * np.exp(-p[1] * t) - y) ** 2 for t, y in zip(TIMES, Y, strict=True)) / len(Y)


class Model:
    def __init__(self) -> None:
        self.data = Y

    def cost(self, p):
        x, total = p[0], 0.0
        for y in self.data:
            x = 0.5 * x + p[1] * y
            total = total + x**2
        return total

    def loss(self, p):
        return self.cost(p) / 2


def filled(p):
    x = np.zeros(20)
    x[0] = p[0]
    for k in range(1, 20):
        x[k] = p[1] * x[k - 1] ** 2 + p[2] * Y[k - 1]
    return np.sum((x - Y) ** 2)


def orbit(p):
    x = np.zeros((21, 2))
    x[0] = p[:2]
    for k in range(20):
        pull = -p[2] * x[k, 0]
        x[k + 1] = x[k] + STEP * np.array([x[k, 1], pull])
    return np.sum((x[1:, 0] - Y) ** 2)


# fmt: off
def unspaced(p):
    x, cost = np.zeros(21), 0.0
    for k in range(20):
        x[k+1] = np.tanh(p[0] * x[k] + p[1] * Y[k])
        cost = cost + (x[k+1] - Y[k]) ** 2
    return cost
# fmt: on


def weighted(p):
    w, total = np.zeros(20), 0.0
    for k, y in enumerate(Y):
        w[k] = np.exp(-p[0] * k)
        total = total + w[k] * (y - p[1]) ** 2
    return total / np.sum(w)


def others(x):
    energy = 0.0
    for i in range(6):
        for j in range(6):
            if i == j:
                continue
            energy = energy + np.exp(-((x[i] - x[j]) ** 2))
    return energy


def odd(p):
    total = 0.0
    for k, y in enumerate(Y):
        if k % 2:
            total = total + (p[0] * y - p[1]) ** 2
    return total


MODEL = Model()


def noted(p):
    x, seen = p[0], []
    for t in TIMES:
        x = x + STEP * p[1] * np.sin(x * t)
        seen.append(x)
    return np.sum((np.array(seen) - Y) ** 2)


def grown(p):
    xs, vs = [p[0]], [p[1]]
    for _ in range(19):
        a = -p[2] * xs[-1]
        xs.append(xs[-1] + STEP * vs[-1])
        vs.append(vs[-1] + STEP * a)
    return np.mean((np.array(xs) - Y) ** 2) + vs[-1] ** 2


def hidden(p):
    h, hs = np.zeros(2), []
    for x in TIMES:
        h = np.tanh(F @ h + p * x)
        hs.append(h)
    return np.sum(np.stack(hs) ** 2)


def likelihood(p):
    terms = []
    for t, y in zip(TIMES, Y, strict=True): terms.append((p[0] * np.exp(-p[1] * t) - y) ** 2)  # fmt: skip # noqa: E701
    return sum(terms) / len(terms)


def oneline(p):
    total = 0.0
    for t in TIMES: total = total + (p[0] * t - p[1]) ** 2  # fmt: skip # noqa: E701
    return total


def running(p):
    h, ends = 0.0, [p[1]]
    for t in TIMES:
        h += p[0] + t
        ends.append(h)
    return sum(ends)


def constants(p):
    squares = [t**2 for t in TIMES]
    return sum((p[0] * w - p[1] * t) ** 2 for w, t in zip(squares, TIMES, strict=True))


def behind(p):
    s, seen = 0.0, []
    for k in range(1, 20):
        j = k - 1
        s = np.tanh(s * p[1] + p[0] * TIMES[j])
        seen.append(s)
    return np.sum((np.array(seen) - p[1]) ** 2)


# fmt: off
def remarked(p):
    seen = np.zeros(20)
    x = p[0]
    for k in range(20):
        d = TIMES[k] ** 2
# a remark that stands further to the left
        x = x * d / 9 + p[1]
        seen[k] = x * d
    return np.sum(seen**2)
# fmt: on


def compared(p):
    gaps = [p[0] * np.exp(-p[1] * t) - y for t, y in zip(TIMES, Y, strict=True)]
    total = 0.0
    for gap in gaps:
        total = total + np.log(1 + gap**2)
    return total


POINTS = {
    recurrent: [0.5, 0.3], steps: [0.5, 0.1, 1.2, 0.3], controlled: RNG.normal(size=20), pairs: [0.1, 0.2],
    repelling: RNG.normal(size=12), classes: RNG.normal(size=(3, 3)), groups: [0.1, 1.2],
    bags: RNG.normal(size=(4, 3)), gaps: [0.6, 0.4], chained: RNG.normal(size=10), spread: [0.3],
    unspaced: [0.5, 0.3], others: RNG.normal(size=6), odd: [0.5, 0.3],
    filled: [0.5, 0.3, 0.2], orbit: [0.5, 0.3, 1.2], weighted: [0.1, 0.2],
    simulation: [0.3, -0.2], fitted: [1.0, 0.5], MODEL.loss: [0.5, 0.25],
    diffused: RNG.normal(size=8), gated: RNG.normal(size=5), noted: [0.3, 0.2], grown: [0.3, 0.2, 0.5],
    hidden: [0.3, -0.2], likelihood: [0.8, 0.3], oneline: [0.3, 0.2], compared: [0.8, 0.3], remarked: [0.8, 0.3],
    running: [0.3, 0.2], constants: [0.8, 0.3], behind: [0.8, 0.3],
    layers: {"W": 0.5 * RNG.normal(size=(4, 3, 3)), "b": 0.1 * RNG.normal(size=(4, 3))},
}  # fmt: skip
EXACT = {
    compared: """\
        gaps = np.zeros(len(list(zip(TIMES, Y, strict=True))))
        for k, (t, y) in enumerate(zip(TIMES, Y, strict=True)):
            gaps[k] = p[0] * np.exp(-p[1] * t) - y
        grad_gaps = np.zeros(20)
        for k, gap in enumerate(gaps):
            grad_gaps[k] += 2 * gap / (1 + gap**2)
        grad_p = np.zeros(2)
        for k, (t, y) in enumerate(zip(TIMES, Y, strict=True)):
            e = np.exp(-p[1] * t)
            grad_p[0] += grad_gaps[k] * e
            grad_p[1] -= grad_gaps[k] * p[0] * e * t
        return grad_p""",
    noted: """\
        x = p[0]
        seen = np.zeros(len(TIMES))
        tape = []
        for k, t in enumerate(TIMES):
            tape.append((k, t, x))
            x = x + STEP * p[1] * np.sin(x * t)
            seen[k] = x
        grad_x = 0.0
        grad_p = np.zeros(2)
        grad_seen = 2 * (seen - Y)
        for k, t, x in reversed(tape):
            z = grad_seen[k] + grad_x
            grad_p[1] += z * STEP * np.sin(x * t)
            grad_x = z * STEP * p[1] * np.cos(x * t) * t + z
        grad = np.array(grad_p, dtype=float)
        grad[0] += grad_x
        return grad""",
    hidden: """\
        h = np.zeros(2)
        hs = np.zeros((len(TIMES), 2))
        for k, x in enumerate(TIMES):
            h = np.tanh(F @ h + p * x)
            hs[k] = h
        grad_h, grad_p = np.zeros(2), np.zeros(2)
        grad_hs = 2 * hs
        for k, x in reversed(list(enumerate(TIMES))):
            z = grad_hs[k] + grad_h
            r = 1 - hs[k] ** 2
            grad_p += x * z * r
            grad_h = F.T @ (z * r)
        return grad_p""",
    recurrent: """\
        w, u = p
        h = 0.0
        tape = []
        for x, y in zip(TIMES, Y, strict=True):
            h_new = np.tanh(w * x + u * h)
            tape.append((x, y, h, h_new))
            h = h_new
        grad_h = grad_w = grad_u = 0.0
        for x, y, h, h_new in reversed(tape):
            z = 2 * (h_new - y) + grad_h
            r = 1 - h_new**2
            grad_w += z * r * x
            grad_u += z * r * h
            grad_h = z * r * u
        return np.array([grad_w, grad_u])""",
    pairs: """\
        grad_p = 0.25 * p
        for x, y in PAIRS:
            r = p[0] + p[1] * x - y
            grad_p[0] += r / 2
            grad_p[1] += r * x / 2
        return grad_p""",
    repelling: """\
        p = x.reshape(-1, 2)
        grad_p = np.zeros((6, 2))
        for i in range(len(p)):
            for j in range(i):
                gap = p[i] - p[j]
                t1 = 2 * gap / (gap @ gap) ** 2
                grad_p[j] += t1
                grad_p[i] -= t1
        return grad_p.ravel()""",
    bags: """\
        grad_E = np.zeros((4, 3))
        for word, context in WORDS:
            mean = np.mean(E[context], axis=0)
            r = mean @ E[word] - 1
            np.add.at(grad_E, context, 2 * r * E[word] / 3)
            grad_E[word] += 2 * r * mean
        return grad_E""",
    gaps: """\
        rate, last, A = p[0], 0.0, 0.0
        tape = []
        for t in TIMES:
            e = np.exp(rate * (last - t))
            A_new = e * A + 1
            tape.append((t, A, last, e, A_new))
            A = A_new
            last = t
        grad_A = grad_rate = 0.0
        grad_p = np.zeros(2)
        for t, A, last, e, A_new in reversed(tape):
            z = 2 * A_new * p[1] + grad_A
            grad_rate -= z * A * e * (t - last)
            grad_p[1] += A_new**2
            grad_A = z * e
        grad = np.array(grad_p, dtype=float)
        grad[0] += grad_rate
        return grad""",
    others: """\
        grad_x = np.zeros(6)
        for i in range(6):
            for j in range(6):
                if i == j:
                    continue
                r = x[i] - x[j]
                t1 = 2 * np.exp(-r**2) * r
                grad_x[j] += t1
                grad_x[i] -= t1
        return grad_x""",
    odd: """\
        grad_p = np.zeros(2)
        for k, y in enumerate(Y):
            if k % 2:
                r = p[0] * y - p[1]
                grad_p[0] += 2 * r * y
                grad_p[1] -= 2 * r
        return grad_p""",
    filled: """\
        x = np.zeros(20)
        x[0] = p[0]
        for k in range(1, 20):
            x[k] = p[1] * x[k - 1] ** 2 + p[2] * Y[k - 1]
        grad_p = np.zeros(3)
        grad_x = 2 * (x - Y)
        for k in reversed(range(1, 20)):
            grad_p[1] += grad_x[k] * x[k - 1] ** 2
            grad_p[2] += grad_x[k] * Y[k - 1]
            grad_x[k - 1] += 2 * grad_x[k] * x[k - 1] * p[1]
        grad = np.array(grad_p, dtype=float)
        grad[0] += grad_x[0]
        return grad""",
    layers: """\
        h = X
        tape = []
        for k, (W, b) in enumerate(zip(params["W"], params["b"], strict=True)):
            h_new = np.tanh(h @ W + b)
            tape.append((k, W, h, h_new))
            h = h_new
        grad_params_W, grad_params_b = np.zeros((4, 3, 3)), np.zeros((4, 3))
        grad_h = 2 * h
        for k, W, h, h_new in reversed(tape):
            t1 = grad_h * (1 - h_new**2)
            grad_params_W[k] += h.T @ t1
            grad_params_b[k] += np.sum(t1, axis=0)
            grad_h = t1 @ W.T
        return {"W": grad_params_W, "b": grad_params_b}""",
}


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("f", EXACT, ids=lambda f: f.__name__)
def test_the_loops_read_as_people_write_them(f: Any) -> None:
    lines = dc.derive(f, POINTS[f]).source.splitlines()
    start = next(k for k, line in enumerate(lines) if line.endswith('"""')) + 1
    assert "\n".join(lines[start:]) == textwrap.indent(textwrap.dedent(EXACT[f]), "    ")


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("f", POINTS, ids=lambda f: f.__name__)
def test_every_loop_is_written_as_one_and_is_right(f: Any) -> None:
    derived = dc.derive(f, POINTS[f])
    assert derived.verdict.status == "consistent"
    assert "    for " in derived.source
    scope = dict(globals())
    exec(derived.source, scope)
    gradient = scope[derived.name]
    if isinstance(f, types.MethodType):
        gradient = types.MethodType(gradient, f.__self__)
    assert dc.check_gradient(f, gradient, POINTS[f]).status == "consistent"


CALLS = []


def counting(p):
    x, seen = p[0], np.zeros(20)
    for k in range(20):
        x = x + STEP * np.sin(x * TIMES[k])
        seen[k] = x
        CALLS.append(k)
    return np.sum((seen - Y) ** 2)


def test_a_loop_that_does_more_than_to_set_its_variables_is_not_copied() -> None:
    with pytest.raises(dc.UnsupportedFunction):
        dc.derive(counting, [0.3])


def test_the_same_loop_gives_the_same_code() -> None:
    assert dc.derive(steps, POINTS[steps]).source == dc.derive(steps, POINTS[steps]).source


def test_what_a_loop_adds_up_is_computed_where_the_derivative_needs_it() -> None:
    source = dc.derive(spread, POINTS[spread]).source
    assert "grad_sse = 1 / sse" in source
    assert "sse = sse + (y - level) ** 2" in source


def test_a_slope_behind_the_loop_is_taken_before_its_variables_go_back() -> None:
    def damped(p):
        x = p[0]
        for y in Y:
            x = 0.5 * x + p[1] * y
        return p[1] * x**2

    source = dc.derive(damped, [0.5, 2.0]).source
    assert source.index("grad_p = np.array([0.0, x**2])") < source.index("in reversed(tape)")


def test_the_names_of_the_code_that_is_written_are_none_of_the_users() -> None:
    tape, r = 0.25, 1.5

    def kept(p):
        h, total = 0.0, 0.0
        for e in Y:
            h = np.sin(p[0] * h + tape * e)
            total = total + r * (h - e * p[1]) ** 2
        return total

    source = dc.derive(kept, [0.5, 2.0]).source
    assert "tape_ = []" in source
    assert "r = " not in source


def whole(x):
    loss = 0.0
    for k in range(6):
        loss = loss + (np.sin(x[k]) * x[0] ** 2 if k % 2 else np.exp(x[k] * x[1]))
    return loss


def written(x):
    y = np.zeros(12)
    for t in range(12):
        y[t] = np.sin(x[0] * t) + (x[1] * y[t - 1] if t else 0)
    return np.sum(y**2)


def test_a_loop_whose_runs_differ_is_written_run_by_run() -> None:
    derived = dc.derive(whole, 0.5 * RNG.normal(size=6))
    assert "for " not in derived.source.split('"""')[2]


def test_a_loop_that_can_not_be_written_as_one_is_refused_for_its_length() -> None:
    with pytest.raises(dc.UnsupportedFunction, match=r"lines of code|no slice takes"):
        dc.derive(written, [0.3, 0.2])


def test_a_tracer_is_left_as_it_was() -> None:
    own = lambda *_: None  # noqa: E731
    before = sys.gettrace()
    sys.settrace(own)
    try:
        dc.derive(pairs, POINTS[pairs])
        assert sys.gettrace() is own
    finally:
        sys.settrace(before)


def test_wrong_loops_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffcompare.verdict import derive as module

    own = module.with_loops
    monkeypatch.setattr(module, "with_loops", lambda *args: own(*args).replace("r / 2", "r / 3"))
    # the runs one after the other are right
    assert "for x, y" not in dc.derive(pairs, POINTS[pairs]).source
