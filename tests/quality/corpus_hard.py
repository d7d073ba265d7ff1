"""Right gradients at hard points: offsets, scales, poles and edges, float32, kinks nearby, saturation, exact zeros."""

from __future__ import annotations

import numpy as np

from .corpus_case import Case
from .corpus_easy import (
    LABELS,
    A,
    X,
    cross_entropy,
    cross_entropy_grad,
    log_sum_exp,
    product_of_all,
    product_of_all_grad,
    rosenbrock,
    rosenbrock_grad,
    softmax,
)

HILBERT = 1.0 / (np.arange(5)[:, None] + np.arange(5)[None, :] + 1.0)
W32 = np.array([0.3, -0.7, 1.1], dtype=np.float32)


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softplus_grad(x):
    return 1 / (1 + np.exp(-x)) if x > 0 else np.exp(x) / (1 + np.exp(x))


def relu_layer(x):
    return np.sum(np.maximum(A @ x, 0) ** 2)


def relu_layer_grad(x):
    return 2 * A.T @ np.maximum(A @ x, 0)


def huber(x):
    return np.sum(np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5))


def huber_grad(x):
    return np.where(np.abs(x) < 1, x, np.sign(x))


def hinge(w):
    s = 2 * LABELS - 1
    return np.sum(np.maximum(0, 1 - s * (X @ w)))


def hinge_grad(w):
    s = 2 * LABELS - 1
    active = s * (X @ w) < 1
    return -(X[active].T @ s[active])


def saturated_logistic(w):
    z = (2 * LABELS - 1) * (X @ w)
    return np.sum(np.log1p(np.exp(-z)))


def saturated_logistic_grad(w):
    s = 2 * LABELS - 1
    z = s * (X @ w)
    return X.T @ (-s * np.exp(-z) / (1 + np.exp(-z)))


def logistic_map(x):
    for _ in range(8):
        x = 3.7 * x * (1 - x)
    return x


def logistic_map_grad(x):
    d = 1.0
    for _ in range(8):
        d = 3.7 * (1 - 2 * x) * d
        x = 3.7 * x * (1 - x)
    return d


def chebyshev(x):
    a, b = 1.0, x
    for _ in range(11):
        a, b = b, 2 * x * b - a
    return b


def chebyshev_grad(x):
    # T12′ = 12 U11
    a, b = 1.0, 2 * x
    for _ in range(10):
        a, b = b, 2 * x * b - a
    return 12 * b


def single_squares(x):
    y = x.astype(np.float32)
    return np.sum(y**2)


def single_squares_grad(x):
    return 2 * x.astype(np.float32)


def single_exponentials(x):
    return np.sum(np.exp(x.astype(np.float32)))


def single_exponentials_grad(x):
    return np.exp(x.astype(np.float32))


def half_product(x):
    y = x.astype(np.float16)
    return y[0] * y[1]


def half_product_grad(x):
    y = x.astype(np.float16)
    return np.array([y[1], y[0]])


def single_softmax(x):
    y = x.astype(np.float32)
    e = np.exp(y - y.max())
    return e / e.sum()


def single_log_sum_exp(x):
    y = x.astype(np.float32)
    m = y.max()
    return m + np.log(np.sum(np.exp(y - m)))


def one_component_matters(x):
    return x[0] ** 2 + np.exp(x[0])


def one_component_matters_grad(x):
    g = np.zeros(3)
    g[0] = 2 * x[0] + np.exp(x[0])
    return g


def log_barrier(x):
    return x[0] + x[1] - 1e-3 * (np.log(x[0]) + np.log(1 - x[0] - x[1]))


def log_barrier_grad(x):
    s = 1 - x[0] - x[1]
    return np.array([1 - 1e-3 * (1 / x[0] - 1 / s), 1 + 1e-3 / s])


def pinball(x):
    return np.maximum(0.9 * x, -0.1 * x)


_C = 1e8
# name, f, gradient, formula, point, and the largest rounding if it is not small
_ROWS = (
    # offsets
    ("square at an offset", lambda x: (x - 1e8) ** 2, lambda x: 2 * (x - 1e8), "(x - 100000000)**2", _C + 3.5),
    ("sine at an offset", np.sin, np.cos, "sin(x)", _C + 0.3),
    ("exponential at an offset", lambda x: np.exp(x - 1e8), lambda x: np.exp(x - 1e8), "exp(x - 100000000)", _C + 1.25),
    ("logarithm at an offset", lambda x: np.log(x - 1e8), lambda x: 1 / (x - 1e8), "log(x - 100000000)", _C + 0.75),
    ("spread at an offset", lambda x: np.sum((x - x[0]) ** 2), lambda x: np.array(
        [-2 * np.sum(x - x[0]), *(2 * (x[1:] - x[0]))]), "(x1 - x0)**2 + (x2 - x0)**2", [_C, _C + 1.5, _C - 2.25]),
    ("difference at an offset", lambda x: (x[0] - x[1]) ** 3, lambda x: 3 * (x[0] - x[1]) ** 2 * np.array([1, -1.0]),
     "(x0 - x1)**3", [_C + 0.5, _C - 1.0]),
    ("reciprocal at an offset", lambda x: 1 / (1 + (x - 1e8) ** 2),
     lambda x: -2 * (x - 1e8) / (1 + (x - 1e8) ** 2) ** 2,
     "1/(1 + (x - 100000000)**2)", _C - 0.5),
    # scales
    ("square at 1e20", lambda x: x**2, lambda x: 2 * x, "x**2", 1e20),
    ("square at 1e-20", lambda x: x**2, lambda x: 2 * x, "x**2", 1e-20),
    ("square at 1e-160", lambda x: x * x, lambda x: 2 * x, "x*x", 1e-160),
    ("cube at 1e-100", lambda x: x**3, lambda x: 3 * x**2, "x**3", 1e-100),
    ("large sine", lambda x: 1e20 * np.sin(x), lambda x: 1e20 * np.cos(x), "10**20*sin(x)", 0.7),
    ("small exponential", lambda x: 1e-20 * np.exp(x), lambda x: 1e-20 * np.exp(x), "10**(-20)*exp(x)", 0.7),
    ("mixed scales", lambda x: 1e20 * x[0] ** 2 + x[1] ** 2, lambda x: np.array([2e20 * x[0], 2 * x[1]]),
     "10**20*x0**2 + x1**2", [1e-10, 1e10]),
    ("mixed magnitudes", lambda x: np.sum(x**2), lambda x: 2 * x, "x0**2 + x1**2 + x2**2", [1e-9, 1.0, 1e9]),
    ("decay to 1e-18", lambda x: np.exp(-x), lambda x: -np.exp(-x), "exp(-x)", 41.0),
    ("logarithm at 1e-20", np.log, lambda x: 1 / x, "log(x)", 1e-20),
    ("reciprocal at 1e-20", lambda x: 1 / x, lambda x: -1 / x**2, "1/x", 1e-20),
    ("root at 1e-20", np.sqrt, lambda x: 0.5 / np.sqrt(x), "sqrt(x)", 1e-20),
    ("tenth power at 1e-20", lambda x: x**10, lambda x: 10 * x**9, "x**10", 1e-20),
    ("gravitation", lambda x: -6.674e-11 * x[0] / x[1],
     lambda x: np.array([-6.674e-11 / x[1], 6.674e-11 * x[0] / x[1] ** 2]),
     None, [5.972e24, 6.371e6]),
    ("tiny coefficient", lambda x: 1e-12 * x[0] ** 2 + np.sin(x[1]), lambda x: np.array([2e-12 * x[0], np.cos(x[1])]),
     None, [0.7, 1.2]),
    # cancellation in f, none in the gradient
    ("one minus cosine", lambda x: 1 - np.cos(x), np.sin, "1 - cos(x)", 1e-4),
    ("exponential minus one", lambda x: np.exp(x) - 1, np.exp, "exp(x) - 1", 1e-9),
    ("difference of roots", lambda x: np.sqrt(x + 1) - np.sqrt(x),
     lambda x: -0.5 / (np.sqrt(x) * np.sqrt(x + 1) * (np.sqrt(x + 1) + np.sqrt(x))), "sqrt(x + 1) - sqrt(x)", 1e8),
    ("logarithm near 1", lambda x: np.log(1 + x), lambda x: 1 / (1 + x), "log(1 + x)", 1e-12),
    ("tangent minus x", lambda x: np.tan(x) - x, lambda x: np.tan(x) ** 2, "tan(x) - x", 1e-3),
    ("difference of squares", lambda x: x[0] ** 2 - x[1] ** 2, lambda x: np.array([2 * x[0], -2 * x[1]]),
     "x0**2 - x1**2", [1e6 + 0.25, 1e6]),
    # poles and edges of the domain
    ("near a pole", lambda x: 1 / (x - 1), lambda x: -1 / (x - 1) ** 2, "1/(x - 1)", 1.0000001),
    ("tangent near its pole", np.tan, lambda x: 1 + np.tan(x) ** 2, "tan(x)", 1.5707),
    ("cosecant near its pole", lambda x: 1 / np.sin(x), lambda x: -np.cos(x) / np.sin(x) ** 2, "1/sin(x)", 3.1415),
    ("logarithm near its edge", np.log, lambda x: 1 / x, "log(x)", 1e-12),
    ("logarithm of a small gap", lambda x: np.log(x[0] - x[1]), lambda x: np.array([1, -1]) / (x[0] - x[1]),
     "log(x0 - x1)", [1.0000001, 1.0]),
    ("arcsine near 1", np.arcsin, lambda x: 1 / np.sqrt((1 - x) * (1 + x)), "asin(x)", 1 - 1e-10),
    ("root near its edge", np.sqrt, lambda x: 0.5 / np.sqrt(x), "sqrt(x)", 1e-300),
    ("inverse hyperbolic cosine near 1", np.arccosh, lambda x: 1 / np.sqrt((x - 1) * (x + 1)), "acosh(x)", 1 + 1e-9),
    ("inverse hyperbolic tangent near 1", np.arctanh, lambda x: 1 / ((1 - x) * (1 + x)), "atanh(x)", 1 - 1e-9),
    ("reciprocal of a product", lambda x: 1 / (x[0] * x[1]),
     lambda x: np.array([-1 / (x[0] ** 2 * x[1]), -1 / (x[0] * x[1] ** 2)]), "1/(x0*x1)", [1e-8, -2.0]),
    ("barrier near its wall", log_barrier, log_barrier_grad, None, [1e-9, 0.4]),
    # float32, float16
    ("squares in float32", single_squares, single_squares_grad, "x0**2 + x1**2", [0.5, -1.25]),
    ("exponentials in float32", single_exponentials, single_exponentials_grad, "exp(x0) + exp(x1)", [0.5, -1.25], 2e-7),
    ("product in float16", half_product, half_product_grad, "x0*x1", [0.5, -1.25], 1e-3),
    ("log-sum-exp in float32", single_log_sum_exp, single_softmax, "log(exp(x0) + exp(x1) + exp(x2))",
     [0.5, -1.25, 2.0], 3e-7),
    ("data in float32", lambda x: np.sum(W32 * np.sin(x)), lambda x: W32 * np.cos(x), None, [0.4, -1.1, 0.9]),
    # kinks nearby
    ("absolute value at 1e-9", np.abs, np.sign, "abs(x)", 1e-9),
    ("maximum, nearly equal", lambda x: np.maximum(x[0] ** 2, x[1]),
     lambda x: np.array([2 * x[0], 0.0]) if x[0] ** 2 > x[1] else np.array([0.0, 1.0]), None, [1.0, 1 + 1e-9]),
    ("rectified layer", relu_layer, relu_layer_grad, None, [0.4, -1.1, 1e-7]),
    ("huber near its joint", huber, huber_grad, None, [1 - 1e-7, 0.3, -1 - 1e-7]),
    ("hinge near its margin", hinge, hinge_grad, None, [0.2, -0.1]),
    ("sum of absolute values", lambda x: np.sum(np.abs(x)), np.sign, "abs(x0) + abs(x1) + abs(x2)", [1e-12, -3.0, 0.7]),
    ("branches that join", lambda x: np.where(x < 1, x**2, 2 * x - 1), lambda x: np.where(x < 1, 2 * x, 2.0), None,
     1 - 1e-10),
    ("pinball loss", pinball, lambda x: np.where(x > 0, 0.9, -0.1), None, -1e-8),
    ("clipped and inside", lambda x: np.sum(np.clip(x, -1, 1) ** 2), lambda x: np.where(np.abs(x) < 1, 2 * x, 0.0),
     None,
     [0.999999, 1.000001, -0.2]),
    # saturation
    ("sigmoid at 30", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, "1/(1 + exp(-x))",
     30.0),
    ("sigmoid at -300", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(x) / (1 + np.exp(x)) ** 2, "1/(1 + exp(-x))",
     -300.0),
    ("hyperbolic tangent at 15", np.tanh, lambda x: 1 / np.cosh(x) ** 2, "tanh(x)", 15.0),
    ("softmax of distant scores", log_sum_exp, softmax, "log(exp(x0) + exp(x1) + exp(x2))", [50.0, 0.0, -3.0]),
    ("log-sum-exp at 1000", log_sum_exp, softmax, None, [1000.0, 1001.5, 990.0]),
    ("cross entropy, certain", cross_entropy, cross_entropy_grad, None, [-30.0, 2.0, 25.0]),
    ("softplus at 40", softplus, softplus_grad, "log(1 + exp(x))", 40.0),
    ("softplus at -40", softplus, softplus_grad, "log(1 + exp(x))", -40.0),
    ("far tail", lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2)), "exp(-x**2)", 10.0),
    ("saturated regression", saturated_logistic, saturated_logistic_grad, None, [9.0, -4.0]),
    # exact zeros
    ("square at 0", lambda x: x**2, lambda x: 2 * x, "x**2", 0.0),
    ("cosine at 0", np.cos, lambda x: -np.sin(x), "cos(x)", 0.0),
    ("cubes with zeros", lambda x: np.sum(x**3), lambda x: 3 * x**2, "x0**3 + x1**3 + x2**3", [0.0, 0.5, 0.0]),
    ("product with a zero", product_of_all, product_of_all_grad, "x0*x1*x2", [0.0, 2.0, -1.5]),
    ("unused components", one_component_matters, one_component_matters_grad, "x0**2 + exp(x0)", [0.3, 1.0, -2.0]),
    ("minimum of rosenbrock", rosenbrock, rosenbrock_grad, "100*(x1 - x0**2)**2 + (1 - x0)**2", [1.0, 1.0]),
    ("dead unit", lambda x: np.sum(np.maximum(x, 0) ** 2), lambda x: 2 * np.maximum(x, 0), None, [-1.0, 0.5, -0.3]),
    ("saddle at the origin", lambda x: x[0] * x[1] + x[1] ** 2, lambda x: np.array([x[1], x[0] + 2 * x[1]]),
     "x0*x1 + x1**2", [0.0, 0.0]),
    # oscillation, conditioning, long loops
    ("fast sine", lambda x: np.sin(1e6 * x), lambda x: 1e6 * np.cos(1e6 * x), "sin(10**6*x)", 0.25, 1e-9),
    ("wild near 0", lambda x: x**2 * np.sin(1 / x), lambda x: 2 * x * np.sin(1 / x) - np.cos(1 / x), "x**2*sin(1/x)",
     0.01),
    ("hilbert form", lambda x: 0.5 * x @ HILBERT @ x, lambda x: HILBERT @ x, None, [1.0, -2.0, 0.5, 3.0, -1.5]),
    ("logistic map", logistic_map, logistic_map_grad, None, 0.3),
    ("fiftieth power", lambda x: x**50, lambda x: 50 * x**49, "x**50", 1.5),
    ("chebyshev recurrence", chebyshev, chebyshev_grad, None, 0.83),
    ("many components", lambda x: np.sum(x**2) + x[0] * x[-1], lambda x: 2 * x + np.concatenate(
        [x[-1:], np.zeros(x.size - 2), x[:1]]), None, np.linspace(-1, 2, 60)),
)  # fmt: skip

HARD = [Case(row[0], row[1], row[2], np.array(row[4]), row[3], "hard", rounding=(*row, 1e-13)[5]) for row in _ROWS]
