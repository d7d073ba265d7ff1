"""Wrong gradients beside the right ones: the mistakes that people make, from 1 down to 1e-9 of the gradient."""

from __future__ import annotations

import numpy as np

from .corpus_case import Case
from .corpus_easy import COUNTS, LABELS, PROBLEMS, A, T, X, Y, b, softmax

_CAUSES = {
    "sign": ("sign",),
    "factor": ("factor",),
    "use": ("factor", "missing term", "treated as constant"),
    "permuted": ("permuted",),
    "shifted": ("shifted",),
    "transposed": ("transposed", "permuted"),
    # a factor of a product whose derivative is forgotten is treated as constant: both words are right
    "missing term": ("missing term", "treated as constant"),
    "extra term": ("extra term",),
    "chain factor": ("chain factor",),
    "power rule": ("chain factor", "factor"),
    "treated as constant": ("treated as constant", "missing term"),
    "float32": ("float32",),
    "clipped": ("clipped",),
    "finite difference": ("finite difference",),
    "other function": ("other function", "chain factor"),
    "not finite": ("not finite",),
    "one component": ("one component", "factor", "extra term"),
    # these need not be named, and may only be named so
    "wrong constant": ("factor", "extra term"),
    "small": ("guard",),
    "coarse inverse": ("factor",),
    "boundary": ("missing term", "factor"),
}


def _set(g, i, value):
    g = np.array(g)
    g.flat[i] = value
    return g


def _scaled(g, i, factor):
    return _set(g, i, np.ravel(g)[i] * factor)


def forward(f, h):
    def gradient(x):
        x = np.asarray(x, dtype=float)
        g = np.zeros_like(x)
        for i in range(x.size):
            y = x.copy()
            y.flat[i] += h
            g.flat[i] = (f(y) - f(x)) / h
        return g

    return gradient


def central(f, h):
    def gradient(x):
        x = np.asarray(x, dtype=float)
        g = np.zeros_like(x)
        for i in range(x.size):
            y, z = x.copy(), x.copy()
            y.flat[i] += h
            z.flat[i] -= h
            g.flat[i] = (f(y) - f(z)) / (2 * h)
        return g

    return gradient


def true(name):
    return PROBLEMS[name][1]


def network_without_activation(w):
    W1, b1, W2 = w[:4].reshape(2, 2), w[4:6], w[6:8]
    h = np.tanh(X @ W1 + b1)
    d = 2 * (h @ W2 + w[8] - Y) / len(Y)
    back = np.outer(d, W2)
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), h.T @ d, [d.sum()]])


def network_transposed(w):
    g = true("two-layer network")(w)
    return np.concatenate([g[:4].reshape(2, 2).T.ravel(), g[4:]])


def network_summed(w):
    return len(Y) * true("two-layer network")(w)


def off_by_one_rosenbrock(x):
    g = np.zeros_like(x)
    for i in range(len(x) - 1):
        if i < len(x) - 2:
            g[i] += -400.0 * x[i] * (x[i + 1] - x[i] ** 2) - 2 * (1 - x[i])
        g[i + 1] += 200.0 * (x[i + 1] - x[i] ** 2)
    return g


def smoothing_forgets_the_end(x):
    g = 2 * (x - b)
    d = np.diff(x)
    g[1:] += 2 * d
    g[:-2] -= 2 * d[:-1]
    return g


def decay_without_t(p):
    e = np.exp(-p[1] * T)
    r = p[0] * e - Y
    return np.array([2 * np.sum(r * e), -2 * np.sum(r * p[0] * e)])


def decay_last_point_lost(p):
    t, y = T[:-1], Y[:-1]
    e = np.exp(-p[1] * t)
    r = p[0] * e - y
    return np.array([2 * np.sum(r * e), -2 * np.sum(r * p[0] * t * e)])


def euler_short(p):
    y, da, db = 1.0, 0.0, 0.0
    for _ in range(4):
        da = da + 0.1 * (-p[0] * da - y)
        db = db + 0.1 * (-p[0] * db + 1)
        y = y + 0.1 * (-p[0] * y + p[1])
    return np.array([da, db])


def mean_is_constant(x):
    n = len(x)
    m = np.mean(x)
    return np.array([2 * (v - m) / n if i else 2 * (v - m) / (n - 1) for i, v in enumerate(x)])


def single(gradient):
    def rounded(x):
        return np.asarray(gradient(x)).astype(np.float32).astype(np.float64)

    return rounded


# kind, name of the problem, what was done, the wrong gradient
_ROWS = (
    ("sign", "damped wave", "minus", lambda x: -np.exp(-x) * (3 * np.cos(3 * x) - np.sin(3 * x))),
    ("sign", "entropy", "descent direction", lambda x: np.log(x) + 1),
    ("sign", "booth", "second component", lambda x: _scaled(true("booth")(x), 1, -1)),
    ("sign", "logistic regression", "target minus prediction", lambda w: X.T @ (LABELS - 1 / (1 + np.exp(-(X @ w))))),
    ("sign", "density", "sign of the exponent lost", lambda x: x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
    ("sign", "polynomial", "one term", lambda x: 12 * x**3 + 6 * x**2 + 1),
    ("sign", "polar", "first component", lambda x: np.array([x[1], x[0]]) / (x[0] ** 2 + x[1] ** 2)),
    ("factor", "least squares", "2 too many", lambda w: 2 * X.T @ (X @ w - Y)),
    ("factor", "norm", "2 too many", lambda x: 2 * x / np.sqrt(np.sum(x**2))),
    ("factor", "ridge", "half the penalty", lambda w: 2 * X.T @ (X @ w - Y) / len(Y) + 0.1 * w),
    ("factor", "variance", "1/n missing", lambda x: 2 * (x - np.mean(x))),
    ("factor", "two-layer network", "sum for mean", network_summed),
    ("factor", "degrees", "pi/180 missing", lambda x: np.cos(np.pi * x / 180)),
    ("factor", "decibel", "ln 10 missing", lambda x: 20 / x),
    ("factor", "octaves", "ln 2 missing", lambda x: 1 / x),
    ("factor", "matrix norm", "2 too many", lambda W: 2 * W @ A @ A.T),
    ("factor", "rastrigin", "pi missing", lambda x: 2 * x + 20 * np.sin(2 * np.pi * x)),
    ("factor", "poisson regression", "1.001 too large", lambda w: 1.001 * (X.T @ (np.exp(X @ w) - COUNTS))),
    ("use", "quadratic form", "half of A", lambda x: 0.5 * A @ x - b),
    ("permuted", "booth", "exchanged", lambda x: true("booth")(x)[::-1]),
    ("permuted", "gaussian likelihood", "exchanged", lambda p: true("gaussian likelihood")(p)[::-1]),
    ("permuted", "log-sum-exp", "sorted", lambda x: np.sort(softmax(x))),
    ("permuted", "gas law", "two exchanged", lambda x: true("gas law")(x)[[1, 0, 2]]),
    ("permuted", "product of all", "reversed", lambda x: true("product of all")(x)[::-1]),
    ("permuted", "planar arm", "one copied", lambda q: _set(true("planar arm")(q), 1, true("planar arm")(q)[0])),
    ("shifted", "chained rosenbrock", "rolled", lambda x: np.roll(true("chained rosenbrock")(x), 1)),
    ("shifted", "two-layer network", "rolled back", lambda w: np.roll(true("two-layer network")(w), -1)),
    ("shifted", "entropy", "rolled", lambda x: -np.log(np.roll(x, 1)) - 1),
    ("transposed", "bilinear form", "outer product turned", lambda W: np.outer(b, b[:2]).reshape(2, 3)),
    ("transposed", "two-layer network", "weights turned", network_transposed),
    ("transposed", "matrix norm", "columns first", lambda W: (W @ A @ A.T).ravel(order="F").reshape(2, 3)),
    ("missing term", "ridge", "no penalty", lambda w: 2 * X.T @ (X @ w - Y) / len(Y)),
    ("missing term", "product rule", "derivative of the square", lambda x: x**2 * np.exp(x)),
    ("missing term", "himmelblau", "cross term", lambda x: np.array(
        [4 * x[0] * (x[0] ** 2 + x[1] - 11), 2 * (x[0] ** 2 + x[1] - 11) + 4 * x[1] * (x[0] + x[1] ** 2 - 7)])),
    ("missing term", "rosenbrock", "second square", lambda x: np.array(
        [-400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)])),
    ("missing term", "cross entropy", "without the target", softmax),
    ("missing term", "power of x", "without the logarithm", lambda x: x**x),
    ("missing term", "decay fit", "last observation", decay_last_point_lost),
    ("missing term", "gaussian likelihood", "without the logarithm", lambda p: np.array(
        [-np.sum(Y - p[0]) / p[1] ** 2, -np.sum((Y - p[0]) ** 2) / p[1] ** 3])),
    ("missing term", "dirichlet", "normaliser", lambda x: -np.array([0.5, 1.5, 2.0]) / x),
    ("missing term", "chained rosenbrock", "last of the sum", off_by_one_rosenbrock),
    ("missing term", "rastrigin", "without the squares", lambda x: 20 * np.pi * np.sin(2 * np.pi * x)),
    ("extra term", "least squares", "a penalty that f lacks", lambda w: X.T @ (X @ w - Y) + 0.01 * w),
    ("extra term", "polynomial", "the constant stays", lambda x: 12 * x**3 - 6 * x**2 + 1 - 7),
    ("extra term", "log-sum-exp", "a constant", lambda x: softmax(x) + 1e-3),
    ("extra term", "quadratic form", "b twice", lambda x: A @ x - 2 * b),
    ("extra term", "weighted sum", "a penalty of 1e-6", lambda x: b * np.cos(x) + 2e-6 * x),
    ("chain factor", "sine of a square", "inner derivative", lambda x: np.cos(x**2)),
    ("chain factor", "logarithm of a sum", "inner derivative", lambda x: 1 / (1 + x**2)),
    ("chain factor", "hyperbolic tangent", "1 - t for 1 - t**2", lambda x: 2 * (1 - np.tanh(2 * x))),
    ("chain factor", "sigmoid", "s for s(1 - s)", lambda x: 1 / (1 + np.exp(-x))),
    ("chain factor", "two-layer network", "no derivative of tanh", network_without_activation),
    ("chain factor", "decay fit", "without t", decay_without_t),
    ("other function", "root", "without the root", lambda x: x),
    ("chain factor", "logistic regression", "without the sigmoid", lambda w: X.T @ (X @ w - LABELS)),
    ("chain factor", "ackley", "without 1/r", lambda x: 4 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / 3)) * x / 3
     + 2 * np.pi / 3 * np.sin(2 * np.pi * x) * np.exp(np.sum(np.cos(2 * np.pi * x)) / 3)),
    ("chain factor", "wave", "sine for cosine", lambda x: np.array([2 * np.sin(2 * x[0] - 3 * x[1]), -3 * np.sin(
        2 * x[0] - 3 * x[1]) - 0.5 * np.sin(2 * x[0] - 3 * x[1])]) * np.exp(-0.5 * x[1])),
    ("power rule", "pair potential", "exponent not lowered", lambda r: 4 * (-12 / r**12 + 6 / r**6)),
    ("power rule", "polynomial", "exponent not lowered", lambda x: 12 * x**4 - 6 * x**2 + 1),
    ("power rule", "quotient", "denominator not squared", lambda x: (1 - x**2) / (1 + x**2)),
    ("power rule", "gas law", "denominator not squared", lambda x: np.array(
        [x[1] / x[2], x[0] / x[2], -x[0] * x[1] / x[2]])),
    ("treated as constant", "rosenbrock", "second is 0", lambda x: _set(true("rosenbrock")(x), 1, 0.0)),
    ("treated as constant", "gaussian likelihood", "spread is 0",
     lambda p: _set(true("gaussian likelihood")(p), 1, 0.0)),
    ("treated as constant", "quotient", "denominator", lambda x: 1 / (1 + x**2)),
    ("treated as constant", "gas law", "all zero", lambda x: np.zeros(3)),
    ("treated as constant", "wave", "envelope", lambda x: np.array(
        [2 * np.cos(2 * x[0] - 3 * x[1]), -3 * np.cos(2 * x[0] - 3 * x[1])]) * np.exp(-0.5 * x[1])),
    ("float32", "logistic regression", "cast at the end", single(true("logistic regression"))),
    ("float32", "rastrigin", "cast at the end", single(true("rastrigin"))),
    ("float32", "damped wave", "cast at the end", single(true("damped wave"))),
    ("float32", "two-layer network", "cast on the way in", lambda w: true("two-layer network")(
        w.astype(np.float32)).astype(np.float32)),
    ("clipped", "rosenbrock", "at 10", lambda x: np.clip(true("rosenbrock")(x), -10, 10)),
    ("clipped", "himmelblau", "norm at 5", lambda x: true("himmelblau")(x) * 5 / np.linalg.norm(true("himmelblau")(x))),
    ("clipped", "beale", "at 0.5", lambda x: np.clip(true("beale")(x), -0.5, 0.5)),
    ("finite difference", "damped wave", "forward, 1e-6", forward(PROBLEMS["damped wave"][0], 1e-6)),
    ("finite difference", "rosenbrock", "forward, 1e-8", forward(PROBLEMS["rosenbrock"][0], 1e-8)),
    ("finite difference", "ackley", "central, 1e-4", central(PROBLEMS["ackley"][0], 1e-4)),
    ("finite difference", "logistic regression", "central, 1e-3", central(PROBLEMS["logistic regression"][0], 1e-3)),
    ("finite difference", "beale", "forward, 1e-5", forward(PROBLEMS["beale"][0], 1e-5)),
    ("other function", "density", "of the logarithm", lambda x: -x),
    ("other function", "norm", "of the square", lambda x: 2 * x),
    ("other function", "product of all", "of the logarithm", lambda x: 1 / x),
    ("not finite", "polar", "nan", lambda x: np.array([np.nan, x[0]]) / (x[0] ** 2 + x[1] ** 2)),
    ("not finite", "dirichlet", "infinite", lambda x: np.full(3, np.inf)),
    ("one component", "chained rosenbrock", "fourth, 1.5 times",
     lambda x: _scaled(true("chained rosenbrock")(x), 3, 1.5)),
    ("one component", "two-layer network", "bias, 1.01 times",
     lambda w: _scaled(true("two-layer network")(w), 8, 1.01)),
    ("one component", "log-sum-exp", "third, by 1e-4", lambda x: softmax(x) + np.array([0, 0, 1e-4])),
    ("wrong constant", "degrees", "3.1416", lambda x: 3.1416 / 180 * np.cos(np.pi * x / 180)),
    ("wrong constant", "beale", "2.525 for 2.625", lambda x: true("beale")(x) + 0.2 * np.array(
        [1 - x[1] ** 3, -3 * x[0] * x[1] ** 2])),
    ("wrong constant", "rosenbrock", "101 for 100", lambda x: np.array(
        [-404 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 202 * (x[1] - x[0] ** 2)])),
    ("boundary", "smoothing", "last difference forgotten", smoothing_forgets_the_end),
    ("boundary", "euler steps", "one step short", euler_short),
    ("boundary", "variance", "n - 1 in the first", mean_is_constant),
    ("coarse inverse", "quadratic form", "A rounded", lambda x: np.round(A * 1.0001, 3) @ x - b * 1.00005),
    ("small", "sine of a square", "1e-5", lambda x: 2 * x * np.cos(x**2 * (1 + 1e-5))),
    ("small", "rosenbrock", "1e-6", lambda x: true("rosenbrock")(x) + 1e-6 * np.array([x[1] ** 2, np.sin(x[0])])),
    ("small", "log-sum-exp", "1e-7", lambda x: softmax(x * (1 + 1e-7))),
    ("small", "norm", "1e-8", lambda x: x / np.sqrt(np.sum(x**2) + 1e-8)),
    ("small", "entropy", "eps of 1e-9", lambda x: -np.log(x + 1e-9) - 1),
    ("small", "decay fit", "1e-9", lambda p: true("decay fit")(p * (1 + 1e-9))),
    ("small", "logistic regression", "eps of 1e-7", lambda w: X.T @ (1 / (1 + 1e-7 + np.exp(-(X @ w))) - LABELS)),
)  # fmt: skip

# of values alone the missing half of a term is a missing term
_ALSO = {"half the penalty": ("missing term",)}

BUGS = [
    Case(f"{problem}: {what}", PROBLEMS[problem][0], wrong, np.array(PROBLEMS[problem][3]), PROBLEMS[problem][2], kind,
         truth=PROBLEMS[problem][1], causes=(*_CAUSES[kind], *_ALSO.get(what, ())), blame="gradient")
    for kind, problem, what, wrong in _ROWS
]  # fmt: skip
