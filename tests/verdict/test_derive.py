"""The gradient of a function as code: what it reads like, that it is right, and what is refused."""

from __future__ import annotations

import re
import types
from typing import Any

import numpy as np
import pytest
from scipy import linalg, special
from scipy.special import expit

import diffcompare as dc
from diffcompare.program.expressions import Expressions

RNG = np.random.default_rng(7)
X = RNG.normal(size=(6, 2))
Y = RNG.normal(size=6)
T = (np.arange(6) % 2).astype(float)
SIGNS = np.where(np.arange(6) % 3 == 0, 1.0, -1.0)
LABELS = np.array([0, 2, 1, 1, 0, 2])
GRID = RNG.normal(size=(5, 1))
COUNTS = np.array([3, 1, 4, 1, 5, 9])
LAM = 0.125
DATA = {"A": RNG.normal(size=(3, 3)), "b": RNG.normal(size=3), "scale": 0.7}
W23 = RNG.normal(size=(2, 3))
EVENT = np.array([1, 0, 1, 1, 0, 1])
SEEN = EVENT == 1
EDGES = np.array([[0, 1], [1, 2], [2, 3], [0, 2]])
WORDS = np.array([[0, 1, 1], [2, 3, 0]])
WEIGHTS = {"W1": W23, "b1": RNG.normal(size=3), "W2": RNG.normal(size=3), "b2": 0.3}


def ridge(w):
    return np.mean((X @ w - Y) ** 2) + 0.125 * np.sum(w**2)


def penalised(w):
    return np.sum((X @ w - Y) ** 2) + LAM * np.sum(np.abs(w))


def logistic(w):
    z = X @ w
    return np.mean(np.logaddexp(0, z) - T * z)


def cross_entropy(w):
    p = expit(X @ w)
    return -np.mean(T * np.log(p) + (1 - T) * np.log(1 - p))


def margin(w):
    return np.mean(np.log1p(np.exp(-SIGNS * (X @ w))))


def softmax(W):
    z = X @ W
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(logp[np.arange(len(LABELS)), LABELS])


def softmax_of_scipy(W):
    z = X @ W
    return np.mean(special.logsumexp(z, axis=1) - z[np.arange(6), LABELS])


def one_hot(W):
    p = special.softmax(X @ W, axis=1)
    return -np.sum(np.eye(3)[LABELS] * np.log(p))


def network(params):
    h = np.tanh(X @ params["W1"] + params["b1"])
    out = h @ params["W2"] + params["b2"]
    return 0.5 * np.sum((out - Y) ** 2)


def rectified(params):
    W, b, v = params
    h = np.maximum(X @ W + b, 0)
    return 0.5 * np.sum((h @ v - Y) ** 2)


def process(theta):
    ell, s = np.exp(theta)
    d = (GRID - GRID.T) ** 2
    K = s * np.exp(-0.5 * d / ell**2) + 0.1 * np.eye(5)
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, GRID[:, 0]))
    return 0.5 * GRID[:, 0] @ alpha + np.sum(np.log(np.diag(L)))


def process_of_scipy(theta):
    K = theta[0] * np.exp(-((GRID - GRID.T) ** 2)) + theta[1] * np.eye(5)
    factor = linalg.cho_factor(K, lower=True)
    return GRID[:, 0] @ linalg.cho_solve(factor, GRID[:, 0]) + np.linalg.slogdet(K)[1]


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_of_two(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def hinge(w):
    return np.mean(np.maximum(0, 1 - SIGNS * (X @ w))) + 0.5 * LAM * w @ w


def huber(w):
    r = X @ w - Y
    a = np.abs(r)
    return np.sum(np.where(a <= 1.0, 0.5 * r**2, a - 0.5))


def dispersion(x):
    return np.var(x) / np.mean(x) ** 2


def deviation(x):
    return np.mean((x - np.mean(x)) ** 2)


def unit(x):
    return np.sum(DATA["b"] * x / np.linalg.norm(x))


def flat(theta):
    W, b = theta[:4].reshape(2, 2), theta[4:]
    return np.sum(np.tanh(X @ W + b))


def poisson(w):
    return np.sum(np.exp(X @ w) - COUNTS * (X @ w))


def factors(p):
    U, V = p
    return 0.5 * np.sum((X - U @ V.T) ** 2) + 0.5 * LAM * (np.sum(U**2) + np.sum(V**2))


def gauss(p):
    mu, log_sigma = p[0], p[1]
    return 0.5 * np.sum(((Y - mu) / np.exp(log_sigma)) ** 2) + len(Y) * log_sigma


def quadratic(x):
    return 0.5 * x @ DATA["A"] @ x - DATA["scale"] * DATA["b"] @ x


def sums(x):
    return np.sum(np.cumsum(x) ** 2) + np.sum(np.diff(x) ** 2)


def circle(t):
    return np.sin(2 * np.pi * t) * np.exp(-(t**2))


def normalised(p):
    h = X @ p
    h = (h - h.mean(axis=0)) / np.sqrt(h.var(axis=0) + 1e-5)
    return np.sum(h**3)


def attention(p):
    scores = X @ p @ X.T / np.sqrt(2)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    a = e / e.sum(axis=1, keepdims=True)
    return np.sum((a @ X) ** 2)


def gathered(v):
    # an index twice: what is added at one place is added up
    return np.sum(v[LABELS] ** 2 * Y)


def masked(w):
    r = X @ w - Y
    return np.sum(r**2 * (r > 0) * 0.9 + r**2 * (r <= 0) * 0.1)


def clipped(x):
    return np.sum(np.clip(x, -1, 1) ** 2)


def stacked(x):
    return np.sum(np.concatenate([x, [0.5], x[::-1]]) ** 3)


def proportional(b):
    risk = np.exp(X @ b)
    return -np.sum(EVENT * (X @ b - np.log(np.cumsum(risk[::-1])[::-1])))


def filtered(w):
    return np.sum(np.convolve(Y, w, mode="valid") ** 2)


def smoothed(w):
    return np.sum(np.convolve(w, [0.25, 0.5, 0.25], mode="same") ** 2)


def diffused(u):
    change = np.zeros_like(u)
    change[1:-1] = u[2:] - 2 * u[1:-1] + u[:-2]
    return np.sum((u + 0.1 * change) ** 2)


def improvement(x):
    z = (x[0] - 0.3) / x[1]
    return (x[0] - 0.3) * special.ndtr(z) + x[1] * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)


def focal(w):
    p = 1 / (1 + np.exp(-(X @ w)))
    pt = np.where(EVENT == 1, p, 1 - p)
    return -np.mean((1 - pt) ** 2 * np.log(pt))


def springs(x):
    p = x.reshape(-1, 2)
    d = p[EDGES[:, 1]] - p[EDGES[:, 0]]
    return 0.5 * np.sum((np.sqrt(np.sum(d**2, axis=1)) - 1.0) ** 2)


def bags(E):
    return np.sum(E[WORDS].mean(axis=1) ** 2)


def product(p):
    U, V = p[:6].reshape(3, 2), p[6:].reshape(4, 2)
    return 0.5 * np.sum((U @ V.T) ** 2)


def hidden(params):
    W, v = params
    h = 1 / (1 + np.exp(-(X @ W)))
    return np.mean((h @ v - Y) ** 2)


def portfolio(z):
    e = np.exp(z - np.max(z))
    w = e / e.sum()
    return w @ DATA["A"] @ w - DATA["b"] @ w


def named_parts(p):
    W = p[:4].reshape(2, 2)
    return np.sum((W @ W) ** 2)


def many(p):
    return np.sum(np.exp(p[0] * Y) + np.cos(p[1] * Y) ** 3 + p[2] ** 2 * p[3] + p[4] * p[5] * p[6] * p[7])


def total_variation(x):
    u = x.reshape(4, 5)
    across, down = np.zeros((4, 5)), np.zeros((4, 5))
    across[:, :-1] = u[:, 1:] - u[:, :-1]
    down[:-1] = u[1:] - u[:-1]
    return np.sum(across**2 + down**4)


def laplace(x):
    u = x.reshape(4, 5)
    lap = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1]
    return np.sum(lap**2)


def banded(c):
    A = np.diag(np.full(3, -2.0)) + np.diag(c[1:], 1)
    return np.sum((A @ DATA["b"]) ** 2)


def chosen(w):
    r = X @ w - Y
    return np.sum(r[SEEN] ** 4)


def between(q):
    path = np.concatenate([[LAM], q, [DATA["scale"]]])
    return np.sum((path[1:] - path[:-1]) ** 4)


def pair(theta):
    A, B = theta
    return np.sum(np.exp(X @ A.T) * (X @ B.T))


def turned(p):
    c, s = np.cos(p[0]), np.sin(p[0])
    R = np.array([[c, -s], [s, c]])
    return np.sum((X @ R.T - p[1:]) ** 2)


def determined(A):
    return np.log(np.linalg.det(A)) + np.trace(np.linalg.inv(A))


EXACT = {
    "proportional": (proportional, [0.5, 1.0], """\
        risk = np.exp(X @ b)
        return X.T @ (np.cumsum(EVENT / np.cumsum(risk[::-1])[::-1]) * risk - EVENT)"""),
    "filtered": (filtered, [0.5, 1.0, 2.0], 'return 2 * np.correlate(Y, np.convolve(Y, w, "valid"))[::-1]'),
    "diffused": (diffused, np.arange(6.0) ** 2, """\
        g = np.array(u, dtype=float)
        g[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
        delta = g[1:-1]
        grad = 2 * g
        grad[2:] += 0.2 * delta
        grad[1:-1] -= 0.4 * delta
        grad[:-2] += 0.2 * delta
        return grad"""),
    "improvement": (improvement, [0.5, 0.4], """\
        r = x[0] - 0.3
        delta = np.exp(-0.5 * r**2 / x[1] ** 2) / np.sqrt(2 * np.pi)
        return np.array([special.ndtr(r / x[1]), delta])"""),
    "springs": (springs, RNG.normal(size=8), """\
        p = x.reshape(4, 2)
        s = np.sum((p[EDGES[:, 1]] - p[EDGES[:, 0]]) ** 2, axis=1)
        grad_d = (1 - 1 / np.sqrt(s))[:, None] * (p[EDGES[:, 1]] - p[EDGES[:, 0]])
        grad_p = np.zeros((4, 2))
        np.add.at(grad_p, EDGES[:, 1], grad_d)
        np.add.at(grad_p, EDGES[:, 0], -grad_d)
        return grad_p.ravel()"""),
    "hidden": (hidden, (W23, WEIGHTS["b1"]), """\
        v = params[1]
        h = 1 / (1 + np.exp(-X @ params[0]))
        r = h @ v - Y
        return 2 * X.T @ (np.outer(r, v) * h * (1 - h)) / 6, 2 * h.T @ r / 6"""),
    "ridge": (ridge, [0.5, 1.0], "return 2 * X.T @ (X @ w - Y) / 6 + 0.25 * w"),
    "penalised": (penalised, [0.5, -1.0], "return 2 * X.T @ (X @ w - Y) + LAM * np.sign(w)"),
    "logistic": (logistic, [0.5, 1.0], "return X.T @ (1 / (1 + np.exp(-X @ w)) - T) / 6"),
    "cross entropy": (cross_entropy, [0.5, 1.0], "return X.T @ (special.expit(X @ w) - T) / 6"),
    "margin": (margin, [0.5, 1.0], "return -X.T @ (SIGNS / (1 + np.exp(SIGNS * (X @ w)))) / 6"),
    "softmax": (softmax, W23, """\
        a = X @ W
        e = np.exp(a - np.max(a, axis=1, keepdims=True))
        g = e / np.sum(e, axis=1, keepdims=True)
        g[np.arange(6), LABELS] -= 1
        return X.T @ g / 6"""),
    "softmax of scipy": (softmax_of_scipy, W23, """\
        g = special.softmax(X @ W, axis=1)
        g[np.arange(6), LABELS] -= 1
        return X.T @ g / 6"""),
    "network": (network, WEIGHTS, """\
        W2 = params["W2"]
        h = np.tanh(X @ params["W1"] + params["b1"])
        grad_out = h @ W2 + params["b2"] - Y
        delta = np.outer(grad_out, W2) * (1 - h**2)
        s = np.sum(delta, axis=0)
        return {"W1": X.T @ delta, "b1": s, "W2": h.T @ grad_out, "b2": np.sum(grad_out)}"""),
    "rectified": (rectified, (W23, WEIGHTS["b1"], WEIGHTS["W2"]), """\
        v = params[2]
        z = X @ params[0] + params[1]
        h = np.maximum(z, 0)
        r = h @ v - Y
        delta = np.outer(r, v) * (z > 0)
        return X.T @ delta, np.sum(delta, axis=0), h.T @ r"""),
    "rosenbrock": (rosenbrock, [0.3, -0.2, 0.9, 1.1], """\
        r = x[1:] - x[:-1] ** 2
        grad = np.zeros(4)
        grad[1:] = 200 * r
        grad[:-1] += -400 * r * x[:-1] - 2 * (1 - x[:-1])
        return grad"""),
    "rosenbrock of two": (rosenbrock_of_two, [0.3, -0.2], """\
        r = x[1] - x[0] ** 2
        return np.array([-2 * (1 - x[0]) - 400 * r * x[0], 200 * r])"""),
    "hinge": (hinge, [0.3, -0.2], "return LAM * w - X.T @ (SIGNS * (1 - SIGNS * (X @ w) > 0)) / 6"),
    "huber": (huber, [0.5, 1.0], """\
        r = X @ w - Y
        return X.T @ np.where(np.abs(r) > 1, np.sign(r), r)"""),
    "deviation": (deviation, [1.0, 2.0, 4.0], "return 2 * (x - np.mean(x)) / 3"),
    "flat": (flat, RNG.normal(size=6), """\
        r = 1 - np.tanh(X @ theta[:4].reshape(2, 2) + theta[4:]) ** 2
        return np.concatenate([(X.T @ r).ravel(), np.sum(r, axis=0)])"""),
    "poisson": (poisson, [0.3, -0.2], "return X.T @ (np.exp(X @ w) - COUNTS)"),
    "quadratic": (quadratic, [1.0, 2.0, 3.0],
        'return 0.5 * DATA["A"] @ x + 0.5 * DATA["A"].T @ x - DATA["scale"] * DATA["b"]'),
    "circle": (circle, 0.3, """\
        e = np.exp(-t**2)
        t1 = 2 * np.pi * t
        return 2 * (np.pi * e * np.cos(t1) - np.sin(t1) * e * t)"""),
    "clipped": (clipped, [0.5, 2.0, -3.0], "return 2 * np.clip(x, -1, 1) * ((x > -1) & (x < 1))"),
    "total variation": (total_variation, np.arange(20.0) ** 1.5, """\
        u = x.reshape(4, 5)
        across = np.zeros((4, 5))
        across[:, :4] = u[:, 1:] - u[:, :4]
        delta = across[:, :4]
        down = np.zeros((4, 5))
        down[:-1] = u[1:] - u[:-1]
        delta2 = (down**3)[:-1]
        grad_u = np.zeros((4, 5))
        grad_u[:, 1:] = 2 * delta
        grad_u[:, :4] -= 2 * delta
        grad_u[1:] += 4 * delta2
        grad_u[:-1] -= 4 * delta2
        return grad_u.ravel()"""),
    "laplace": (laplace, np.arange(20.0) ** 1.5, """\
        u = x.reshape(4, 5)
        lap = u[2:, 1:4] + u[:2, 1:4] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:4]
        grad_u = np.zeros((4, 5))
        grad_u[2:, 1:4] = 2 * lap
        grad_u[:2, 1:4] = 2 * lap
        grad_u[1:-1, 2:] += 2 * lap
        grad_u[1:-1, :-2] += 2 * lap
        grad_u[1:-1, 1:4] -= 8 * lap
        return grad_u.ravel()"""),
    "banded": (banded, [0.5, 1.0, 0.2], """\
        A = np.diag(np.full(3, -2.0))
        A[[0, 1], [1, 2]] += c[1:]
        grad = np.zeros(3)
        grad[1:] = 2 * np.outer(A @ DATA["b"], DATA["b"])[[0, 1], [1, 2]]
        return grad"""),
    "chosen": (chosen, [0.5, 1.0], """\
        g = np.zeros(6)
        g[SEEN] = (X @ w - Y)[SEEN] ** 3
        return 4 * X.T @ g"""),
    "between": (between, [0.5, 1.0, 0.2], """\
        path = np.concatenate([[LAM], q, [DATA["scale"]]])
        delta = (path[1:] - path[:4]) ** 3
        g = np.zeros(5)
        g[1:] = delta
        g[:4] -= delta
        return 4 * g[1:4]"""),
    "pair": (pair, np.arange(8.0).reshape(2, 2, 2) / 8, """\
        e = np.exp(X @ theta[0].T)
        grad = np.zeros((2, 2, 2))
        grad[0] = (e * (X @ theta[1].T)).T @ X
        grad[1] = e.T @ X
        return grad"""),
    "turned": (turned, [0.5, 1.0, 0.2], """\
        c = np.cos(p[0])
        s = np.sin(p[0])
        r = X @ np.array([[c, -s], [s, c]]).T - p[1:]
        a = r.T @ X
        r2 = (a[1, 0] - a[0, 1]) * c - (a[0, 0] + a[1, 1]) * s
        return np.concatenate([[2 * r2], -2 * np.sum(r, axis=0)])"""),
}  # fmt: skip
OTHERS = {
    "stepped": (lambda x: np.sum(x * np.floor(x) + x * (x % 0.75)), [0.5, 1.2, -2.3]),
    "smoothed": (smoothed, [0.5, 1.0, 2.0, -1.0]),
    "focal": (focal, [0.5, 1.0]),
    "bags": (bags, RNG.normal(size=(4, 3))),
    "product": (product, RNG.normal(size=14)),
    "portfolio": (portfolio, [0.5, 1.0, -0.3]),
    "named parts": (named_parts, RNG.normal(size=4)),
    "many": (many, RNG.normal(size=8)),
    "one hot": (one_hot, W23),
    "process": (process, [0.1, 0.2]),
    "process of scipy": (process_of_scipy, [1.1, 0.4]),
    "dispersion": (dispersion, [1.0, 2.0, 4.0]),
    "unit": (unit, [1.0, 2.0, 4.0]),
    "factors": (factors, (RNG.normal(size=(6, 2)), RNG.normal(size=(2, 2)))),
    "gauss": (gauss, [0.5, 0.2]),
    "sums": (sums, [1.0, 2.0, 4.0, 3.0]),
    "normalised": (normalised, W23),
    "attention": (attention, RNG.normal(size=(2, 2))),
    "gathered": (gathered, [1.0, 2.0, 4.0]),
    "masked": (masked, [0.5, 1.0]),
    "stacked": (stacked, [1.0, 2.0, 4.0]),
    "determined": (determined, np.array([[2.0, 0.3], [0.1, 1.5]])),
    "repeated in a product": (
        lambda w: np.sum((DATA["A"] @ (w[:, None] * np.ones((1, 2)))) ** 2 * W23.T),
        RNG.normal(size=3),
    ),
    "sum of an inverse": (lambda w: np.sum(np.linalg.inv(DATA["A"] + np.outer(w, w))), [0.5, 1.0, -0.3]),
    "sum of a factor": (lambda w: np.sum(np.linalg.cholesky(np.eye(3) + np.outer(w, w))), [0.5, 1.0, -0.3]),
    "variance of a number": (lambda x: x**2 + np.var(x), 3.0),
    "apostrophe": (lambda p: np.sum(p["it's"] ** 2), {"it's": np.array([1.0, 2.0])}),
}


def body(source: str) -> str:
    """The statements of the one function of a source, behind its docstring."""
    return re.sub(r"(?m)^    ", "", source.rpartition('"""\n')[2]).strip()


def point(at: Any) -> Any:
    return np.array(at) if isinstance(at, list) else at


def run(derived: dc.Derived, names: dict[str, Any]) -> Any:
    scope = dict(names)
    exec(derived.source, scope)
    return scope[derived.name]


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(("f", "at", "expected"), EXACT.values(), ids=EXACT)
def test_the_code_reads_as_people_write_it(f: Any, at: Any, expected: str) -> None:
    derived = dc.derive(f, point(at))
    assert body(derived.source) == re.sub(r"(?m)^        ", "", expected)
    assert derived.verdict.ok


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(("f", "at"), OTHERS.values(), ids=OTHERS)
def test_the_code_is_right_where_it_stands(f: Any, at: Any) -> None:
    derived = dc.derive(f, point(at))
    gradient = run(derived, globals())
    assert dc.check_gradient(f, gradient, point(at)).ok
    assert len(derived.source.splitlines()) < 25


def test_a_maximum_that_is_only_taken_off_has_no_gradient() -> None:
    assert "==" not in dc.derive(portfolio, np.array([0.5, 1.0, -0.3])).source
    assert body(dc.derive(lambda x: np.max(x) ** 2, np.array([0.5, 1.0])).source).endswith("* (x == m)")


def test_a_long_line_is_broken_in_its_brackets() -> None:
    source = dc.derive(many, OTHERS["many"][1]).source
    assert max(map(len, source.splitlines())) <= 100
    assert "    return np.array([\n" in source


def test_a_source_is_imports_and_a_function_with_the_shapes() -> None:
    derived = dc.derive(ridge, [0.5, 1.0])
    assert derived.source == f"{derived}\n" == (
        "import numpy as np\n\n\ndef ridge_gradient(w):\n"
        '    """Gradient of ridge; shapes: w (2,), X (6, 2), Y (6,)."""\n'
        "    return 2 * X.T @ (X @ w - Y) / 6 + 0.25 * w\n"
    )  # fmt: skip
    assert derived.name == "ridge_gradient"
    assert "from scipy import special\n" in dc.derive(softmax_of_scipy, W23).source


def test_a_shape_stays_on_the_line_of_its_name() -> None:
    lines = dc.derive(network, WEIGHTS).source.splitlines()
    start = lines.index('    """Gradient of network.')
    assert lines[start + 1 : start + 4] == [
        "",
        '    Shapes: params["W1"] (2, 3), params["b1"] (3,), params["W2"] (3,), params["b2"] a number,',
        "    X (6, 2), Y (6,).",
    ]


def test_arguments_defaults_and_keywords_keep_their_names() -> None:
    def loss(w, A, b, *, lam=LAM, power=2):
        return np.sum((A @ w - b) ** power) + lam * w @ w

    derived = dc.derive(loss, np.array([0.5, 1.0]), args=(X, Y))
    assert "def loss_gradient(w, A, b, lam=0.125, power=2):" in derived.source
    assert body(derived.source) == "return 2 * (A.T @ (A @ w - b) + lam * w)"


class Model:
    def __init__(self) -> None:
        self.inputs, self.targets, self.noise = X, Y, 0.3

    def loss(self, w):
        return np.sum((self.inputs @ w - self.targets) ** 2) / self.noise**2

    def __call__(self, w):
        return self.loss(w)


def test_a_method_has_its_owner() -> None:
    derived = dc.derive(Model().loss, [0.5, 1.0])
    assert "def loss_gradient(self, w):" in derived.source
    assert body(derived.source) == "return 2 * self.inputs.T @ (self.inputs @ w - self.targets) / self.noise**2"
    model = Model()
    gradient = types.MethodType(run(derived, {}), model)
    assert dc.check_gradient(model.loss, gradient, [0.5, 1.0]).ok
    assert body(dc.derive(model, [0.5, 1.0]).source) == body(derived.source)


def test_names_of_a_function_around_it_are_seen() -> None:
    matrix, weight = X, 0.3

    def loss(w):
        return weight * np.sum((matrix @ w) ** 2)

    assert body(dc.derive(loss, [0.5, 1.0]).source) == "return 2 * weight * matrix.T @ (matrix @ w)"


def test_a_number_of_the_code_is_not_one_that_has_a_name() -> None:
    sigma = 0.75

    def loss(w):
        return 0.75 * np.sum(w**2) + sigma * np.sum(w)

    assert body(dc.derive(loss, [0.5, 1.0]).source) == "return 1.5 * w + sigma"


def test_arrays_of_equal_numbers_keep_their_own_names() -> None:
    first, second = np.array([1.0, 2.0]), np.array([1.0, 2.0])

    def loss(w):
        return first @ w**2 + second @ w

    assert body(dc.derive(loss, [0.5, 1.0]).source) == "return 2 * first * w + second"


def test_a_name_that_means_something_else_is_not_taken() -> None:
    e, r = X, Y

    def loss(t1):
        return np.sum(np.exp(e @ t1) ** 2 * np.cos(np.exp(e @ t1)) - r)

    derived = dc.derive(loss, [0.1, 0.2])
    assert "(t1)" in derived.source
    assert " e = " not in derived.source
    assert dc.check_gradient(loss, run(derived, {"e": e, "r": r}), [0.1, 0.2]).ok


def test_numpy_has_its_own_name_where_np_is_another() -> None:
    import numpy

    np = X

    def loss(w):
        return numpy.sum(numpy.exp(np @ w))

    derived = dc.derive(loss, [0.5, 1.0])
    assert derived.source.startswith("import numpy\n")
    assert body(derived.source) == "return np.T @ numpy.exp(np @ w)"


def test_scipy_has_its_whole_name_where_special_is_another() -> None:
    import scipy.special as functions

    special = X

    def loss(w):
        return np.sum(functions.gammaln(np.exp(special @ w)))

    derived = dc.derive(loss, [0.5, 1.0])
    assert "import scipy.special\n" in derived.source
    assert "special.T @ (scipy.special.psi(" in derived.source


def test_a_constant_gradient_has_its_shape() -> None:
    assert body(dc.derive(lambda x: np.sum(x), np.ones((2, 3))).source) == "return np.ones((2, 3))"
    assert body(dc.derive(lambda x: 0 * np.sum(x), [1.0, 2.0]).source) == "return np.zeros(2)"


def test_what_an_index_takes_twice_is_added_up() -> None:
    assert "np.add.at(" in dc.derive(gathered, [1.0, 2.0, 4.0]).source


def binned(x):
    return np.sum(np.bincount(LABELS, weights=x) ** 2)


def gathered_at(x):
    sums = np.zeros(3)
    np.add.at(sums, LABELS, x)
    return np.sum(sums**2)


@pytest.mark.parametrize(("function", "name"), [(binned, "g"), (gathered_at, "sums")])
def test_what_is_added_at_places_is_read_from_there(function: Any, name: str) -> None:
    # TypeError: unhashable type
    source = dc.derive(function, RNG.normal(size=6)).source
    assert f"np.add.at({name}, LABELS, x)" in source
    assert f"return 2 * {name}[LABELS]" in source


def branching(x):
    if x[0] > 0:
        return np.sum(x**2)
    return np.sum(x**3)


def counting(x):
    return np.sum(x**2) * np.sum(x > 0)


def picked(x):
    return x[np.argmax(x)] ** 2


def ordered(x):
    return np.sum(np.sort(x) * np.arange(3.0))


def selected(x):
    return np.sum(x[x > 0] ** 2)


def looping(x):
    rounds = 60
    while rounds:
        x, rounds = np.sin(x) + 0.1 * x**2, rounds - 1
    return np.sum(x)


def nameless(x):
    return np.sum(x * np.linalg.qr(DATA["A"])[0][0])


def complicated(x):
    return np.real(np.fft.fft(x))[0] ** 2


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (branching, r"line \d+ of branching \(test_derive.py\): the function decides here"),
        (counting, "the function decides here"),
        (picked, "the function decides here|decides"),
        (ordered, "the function decides here"),
        (selected, "the function decides here"),
        (looping, r"takes \d+ lines of code"),
        (nameless, r"an array of shape \(3,\) that has no name"),
        (complicated, "cos|sin|name|arctan"),
        (np.sin, "f is ufunc: code is derived of a function or a method"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_what_can_not_be_written_readably_is_refused(f: Any, words: str) -> None:
    with pytest.raises(dc.DiffcompareError, match=words):
        dc.derive(f, np.array([1.0, 2.0, 0.5]))


def test_code_that_is_right_on_one_side_alone_is_found_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffcompare.tracing.whole_calls import WholeCalls

    # as if the trace had not noted what the function decides
    monkeypatch.setattr(WholeCalls, "lost", [])
    with pytest.raises(dc.UnsupportedFunction, match="is not the gradient at another point"):
        dc.derive(branching, np.array([1.0, 2.0, 0.5]))


def test_a_point_without_a_derivative_is_named() -> None:
    with pytest.raises(dc.UnsupportedFunction, match="is non-smooth at the point; derive it at another one"):
        dc.derive(penalised, [0.0, 1.0])


def test_bad_arguments_are_named() -> None:
    with pytest.raises(TypeError, match="f=3: must be callable"):
        dc.derive(3, [1.0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="f is a formula: derive is for NumPy code"):
        dc.derive(dc.parse("x**2"), 1.0)
    with pytest.raises(ValueError, match="is not finite"):
        dc.derive(ridge, [np.nan, 1.0])
    with pytest.raises(ValueError, match="f returned 2 numbers"):
        dc.derive(lambda x: 2 * x, [1.0, 2.0])
    with pytest.raises(dc.UnsupportedFunction, match="needs b; pass args="):
        dc.derive(lambda x, b: x * b, 1.0)
    with pytest.raises(dc.UnsupportedFunction, match="takes its arguments as"):
        dc.derive(lambda *x: x[0], 1.0)


def test_code_that_is_right_at_the_point_alone_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffcompare.verdict import derive as module

    own = module._written
    monkeypatch.setattr(module, "_written", lambda *args: own(*args).replace("2 * w", "np.array([1.0, 2.0])"))
    with pytest.raises(dc.UnsupportedFunction, match="is not the gradient beside the point"):
        dc.derive(lambda w: np.sum(w**2), np.array([0.5, 1.0]))


@pytest.mark.parametrize("rounds", [250, 2_000])
def test_a_long_loop_is_refused_soon(rounds: int) -> None:
    def nested(x):
        s, left = x, rounds
        while left:
            s, left = (s + x) * x, left - 1
        return np.sum(s)

    with pytest.raises(dc.DiffcompareError, match=r"operations: the function does too much|single numbers"):
        dc.derive(nested, np.array([0.5, 1.0]))


def test_sums_of_products_of_sums_are_not_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    start, made = np.array([0.3, 0.5, 0.7]), []

    def swing(k):
        x, v, rounds = start, 0 * start, 12
        while rounds:
            v = v - 0.05 * (k[0] * x + k[1] * x**3)
            x, rounds = x + 0.1 * v, rounds - 1
        return np.sum((x - 1) ** 2)

    own = Expressions.product

    def counted(*args: Any) -> Any:
        made.append(1)
        assert len(made) < 300_000
        return own(*args)

    monkeypatch.setattr(Expressions, "product", counted)
    with pytest.raises(dc.UnsupportedFunction, match="lines of code: the function does too much"):
        dc.derive(swing, np.array([2.0, 0.5]))


@pytest.mark.parametrize("fault", ["2 * X", "LAM"])
def test_wrong_code_is_not_shown(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffcompare.verdict import derive as module

    own = module._written
    monkeypatch.setattr(module, "_written", lambda *args: own(*args).replace(fault, f"1.01 * {fault}"))
    with pytest.raises(dc.UnsupportedFunction, match="the code that was written is not the gradient at the point"):
        dc.derive(penalised, np.array([0.5, -1.0]))


def test_a_profiler_is_left_as_it_was() -> None:
    import sys

    seen = {"calls": 0}

    def noted(w):
        seen["calls"] += 1
        return np.sum(w**2) * (seen["calls"] > 0)

    own = lambda *_: None  # noqa: E731
    sys.setprofile(own)
    try:
        dc.derive(noted, [1.0, 2.0])
        assert sys.getprofile() is own
    finally:
        sys.setprofile(None)


def test_names_that_no_code_can_have_are_refused() -> None:
    table = {'a"\'""" + 1': X}

    def loss(w):
        return np.sum((next(iter(table.values())) @ w) ** 2)

    with pytest.raises(dc.UnsupportedFunction, match="cannot be written in code"):
        dc.derive(loss, [0.5, 1.0])


def test_data_that_are_not_finite_are_no_gradient() -> None:
    holes = np.where(np.arange(6) == 2, np.nan, Y)

    def loss(w):
        return np.sum((X @ w - holes) ** 2)

    with pytest.raises(dc.DiffcompareError):
        dc.derive(loss, [0.5, 1.0])


def test_huge_and_tiny_numbers_are_written_as_they_are() -> None:
    source = dc.derive(lambda x: np.sum(1e200 * x + 1e-200 * x**2 + 12345678901234567890.0 * x), [0.5, 1.0]).source
    assert "2e-200 * x" in source


def test_odd_objects_beside_the_function_do_no_harm() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

    odd = Odd()
    itself: list[Any] = [X]
    itself.append(itself)

    def loss(w):
        return np.sum((itself[0] @ w) ** 2) if odd is not None else w

    assert body(dc.derive(loss, [0.5, 1.0]).source) == "return 2 * itself[0].T @ (itself[0] @ w)"


STACK = np.linspace(-1.0, 1.0, 24).reshape(2, 3, 4)


def of_stacks(X: Any) -> Any:
    return np.sum(np.sin(STACK @ X) ** 2)


def test_products_of_stacks_are_written_as_products() -> None:
    source = dc.derive(of_stacks, np.linspace(0.2, 0.9, 16).reshape(2, 4, 2)).source
    assert "STACK @ X" in source
    assert "np.swapaxes(STACK, -1, -2) @" in source
    assert "einsum" not in source
