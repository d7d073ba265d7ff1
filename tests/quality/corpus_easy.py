"""Right gradients at ordinary points: formulas and small models, written as people write them."""

from __future__ import annotations

import numpy as np

from .corpus_case import Case

# fixed data: numbers with few digits
A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 2.0]])
b = np.array([1.0, -2.0, 0.5])
T = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
Y = np.array([2.1, 1.4, 0.8, 0.6, 0.3, 0.15])
X = np.array([[0.5, -1.2], [1.1, 0.3], [-0.7, 0.8], [0.2, -0.4], [1.5, 1.0], [-1.1, -0.6]])
LABELS = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])
COUNTS = np.array([2.0, 0.0, 3.0, 1.0, 5.0, 0.0])


def polynomial(x):
    return 3 * x**4 - 2 * x**3 + x - 7


def polynomial_grad(x):
    return 12 * x**3 - 6 * x**2 + 1


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_grad(x):
    g = np.zeros_like(x)
    g[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    g[1] = 200 * (x[1] - x[0] ** 2)
    return g


def chained_rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def chained_rosenbrock_grad(x):
    g = np.zeros_like(x)
    gap = x[1:] - x[:-1] ** 2
    g[:-1] = -400.0 * x[:-1] * gap - 2 * (1 - x[:-1])
    g[1:] += 200.0 * gap
    return g


def himmelblau(x):
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def himmelblau_grad(x):
    u, v = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * x[0] * u + 2 * v, 2 * u + 4 * x[1] * v])


def booth_grad(x):
    u, v = x[0] + 2 * x[1] - 7, 2 * x[0] + x[1] - 5
    return np.array([2 * u + 4 * v, 4 * u + 2 * v])


def beale(x):
    a, b = x
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


def beale_grad(x):
    a, b = x
    r1, r2, r3 = 1.5 - a + a * b, 2.25 - a + a * b**2, 2.625 - a + a * b**3
    da = 2 * r1 * (b - 1) + 2 * r2 * (b**2 - 1) + 2 * r3 * (b**3 - 1)
    db = 2 * r1 * a + 4 * r2 * a * b + 6 * r3 * a * b**2
    return np.array([da, db])


def rastrigin(x):
    return 10 * x.size + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def rastrigin_grad(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)


def ackley(x):
    n = len(x)
    return -20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n)) - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e


def ackley_grad(x):
    n = len(x)
    r = np.sqrt(np.sum(x**2) / n)
    return 4 * np.exp(-0.2 * r) * x / (n * r) + 2 * np.pi / n * np.sin(2 * np.pi * x) * np.exp(
        np.sum(np.cos(2 * np.pi * x)) / n
    )


def quadratic_form(x):
    return 0.5 * x @ A @ x - b @ x


def quadratic_form_grad(x):
    return A @ x - b


def least_squares(w):
    r = X @ w - Y
    return 0.5 * np.sum(r**2)


def least_squares_grad(w):
    return X.T @ (X @ w - Y)


def ridge(w):
    return np.mean((X @ w - Y) ** 2) + 0.1 * np.sum(w**2)


def ridge_grad(w):
    return 2 * X.T @ (X @ w - Y) / len(Y) + 0.2 * w


def logistic(w):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - LABELS * z)


def logistic_grad(w):
    p = 1 / (1 + np.exp(-(X @ w)))
    return X.T @ (p - LABELS)


def poisson(w):
    eta = X @ w
    return np.sum(np.exp(eta) - COUNTS * eta)


def poisson_grad(w):
    return X.T @ (np.exp(X @ w) - COUNTS)


def decay_fit(p):
    return np.sum((p[0] * np.exp(-p[1] * T) - Y) ** 2)


def decay_fit_grad(p):
    e = np.exp(-p[1] * T)
    r = p[0] * e - Y
    return np.array([2 * np.sum(r * e), -2 * np.sum(r * p[0] * T * e)])


def gaussian_likelihood(p):
    mu, s = p
    return np.sum((Y - mu) ** 2) / (2 * s**2) + len(Y) * np.log(s)


def gaussian_likelihood_grad(p):
    mu, s = p
    return np.array([-np.sum(Y - mu) / s**2, -np.sum((Y - mu) ** 2) / s**3 + len(Y) / s])


def log_sum_exp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def cross_entropy(x):
    return log_sum_exp(x) - x[1]


def cross_entropy_grad(x):
    p = softmax(x)
    p[1] -= 1
    return p


def network(w):
    W1, b1, W2 = w[:4].reshape(2, 2), w[4:6], w[6:8]
    h = np.tanh(X @ W1 + b1)
    return np.mean((h @ W2 + w[8] - Y) ** 2)


def network_grad(w):
    W1, b1, W2 = w[:4].reshape(2, 2), w[4:6], w[6:8]
    h = np.tanh(X @ W1 + b1)
    d = 2 * (h @ W2 + w[8] - Y) / len(Y)
    back = np.outer(d, W2) * (1 - h**2)
    return np.concatenate([(X.T @ back).ravel(), back.sum(axis=0), h.T @ d, [d.sum()]])


def frobenius(W):
    return 0.5 * np.sum((W @ A) ** 2)


def frobenius_grad(W):
    return W @ A @ A.T


def bilinear(W):
    return b[:2] @ W @ b


def bilinear_grad(W):
    return np.outer(b[:2], b)


def smoothing(x):
    return np.sum(np.diff(x) ** 2) + np.sum((x - b) ** 2)


def smoothing_grad(x):
    g = 2 * (x - b)
    d = np.diff(x)
    g[1:] += 2 * d
    g[:-1] -= 2 * d
    return g


def euler_steps(p):
    y = 1.0
    for _ in range(5):
        y = y + 0.1 * (-p[0] * y + p[1])
    return y


def euler_steps_grad(p):
    y, da, db = 1.0, 0.0, 0.0
    for _ in range(5):
        da = da + 0.1 * (-p[0] * da - y)
        db = db + 0.1 * (-p[0] * db + 1)
        y = y + 0.1 * (-p[0] * y + p[1])
    return np.array([da, db])


def product_of_all(x):
    return np.prod(x)


def product_of_all_grad(x):
    return np.array([np.prod(np.delete(x, i)) for i in range(len(x))])


def planar_arm(q):
    return np.hypot(np.cos(q[0]) + np.cos(q[0] + q[1]) - 0.5, np.sin(q[0]) + np.sin(q[0] + q[1]) - 1.2)


def planar_arm_grad(q):
    c, s, cc, ss = np.cos(q[0]), np.sin(q[0]), np.cos(q[0] + q[1]), np.sin(q[0] + q[1])
    u, v = c + cc - 0.5, s + ss - 1.2
    r = np.hypot(u, v)
    return np.array([(u * (-s - ss) + v * (c + cc)) / r, (-u * ss + v * cc) / r])


def lennard_jones(r):
    return 4 * ((1 / r) ** 12 - (1 / r) ** 6)


def lennard_jones_grad(r):
    return 4 * (-12 / r**13 + 6 / r**7)


def variance(x):
    return np.mean((x - np.mean(x)) ** 2)


def variance_grad(x):
    return 2 * (x - np.mean(x)) / len(x)


def dirichlet(x):
    return -np.sum(np.array([0.5, 1.5, 2.0]) * np.log(x)) + 2 * np.log(np.sum(x))


def dirichlet_grad(x):
    return -np.array([0.5, 1.5, 2.0]) / x + 2 / np.sum(x)


_V2 = [0.7, -1.3]
_V3 = [0.4, -1.1, 0.9]
_NET = [0.3, -0.2, 0.5, 0.1, 0.05, -0.15, 0.8, -0.6, 0.25]
# name, f, gradient, formula, points; a list is a point of several coordinates, a tuple holds several points
_ROWS = (
    ("polynomial", polynomial, polynomial_grad, "3*x**4 - 2*x**3 + x - 7", (1.7, -0.6)),
    ("sine of a square", lambda x: np.sin(x**2), lambda x: 2 * x * np.cos(x**2), "sin(x**2)", (1.3, 0.4)),
    ("damped wave", lambda x: np.exp(-x) * np.sin(3 * x), lambda x: np.exp(-x) * (3 * np.cos(3 * x) - np.sin(3 * x)),
     "exp(-x)*sin(3*x)", (0.8, 1.9)),
    ("logarithm of a sum", lambda x: np.log(1 + x**2), lambda x: 2 * x / (1 + x**2), "log(1 + x**2)", (0.7, -2.3)),
    ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, "1/(1 + exp(-x))",
     (0.3, -1.4)),
    ("hyperbolic tangent", lambda x: np.tanh(2 * x), lambda x: 2 * (1 - np.tanh(2 * x) ** 2), "tanh(2*x)", (0.35,)),
    ("quotient", lambda x: x / (1 + x**2), lambda x: (1 - x**2) / (1 + x**2) ** 2, "x/(1 + x**2)", (0.6, 2.2)),
    ("power of x", lambda x: x**x, lambda x: x**x * (np.log(x) + 1), "x**x", (1.6,)),
    ("root", lambda x: np.sqrt(1 + x**2), lambda x: x / np.sqrt(1 + x**2), "sqrt(1 + x**2)", (1.1, -0.8)),
    ("inverse tangent", lambda x: np.arctan(3 * x), lambda x: 3 / (1 + 9 * x**2), "atan(3*x)", (0.45,)),
    ("product rule", lambda x: x**2 * np.exp(x), lambda x: (2 * x + x**2) * np.exp(x), "x**2*exp(x)", (0.9, -1.7)),
    ("degrees", lambda x: np.sin(np.pi * x / 180), lambda x: np.pi / 180 * np.cos(np.pi * x / 180), "sin(pi*x/180)",
     (37.0,)),
    ("decibel", lambda x: 20 * np.log10(x), lambda x: 20 / (x * np.log(10)), "20*log10(x)", (3.7,)),
    ("octaves", lambda x: np.log2(x), lambda x: 1 / (x * np.log(2)), "log2(x)", (5.3,)),
    ("density", lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi),
     lambda x: -x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "exp(-x**2/2)/sqrt(2*pi)", (0.9,)),
    ("pair potential", lennard_jones, lennard_jones_grad, "4*((1/x)**12 - (1/x)**6)", (1.3,)),
    ("rosenbrock", rosenbrock, rosenbrock_grad, "100*(x1 - x0**2)**2 + (1 - x0)**2", (_V2, [-1.2, 1.1])),
    ("chained rosenbrock", chained_rosenbrock, chained_rosenbrock_grad, None, ([0.3, -0.4, 1.2, 0.7, -0.9],)),
    ("himmelblau", himmelblau, himmelblau_grad, "(x0**2 + x1 - 11)**2 + (x0 + x1**2 - 7)**2", (_V2, [2.5, 1.6])),
    ("booth", lambda x: (x[0] + 2 * x[1] - 7) ** 2 + (2 * x[0] + x[1] - 5) ** 2, booth_grad,
     "(x0 + 2*x1 - 7)**2 + (2*x0 + x1 - 5)**2", (_V2,)),
    ("beale", beale, beale_grad, None, ([1.2, 0.4],)),
    ("rastrigin", rastrigin, rastrigin_grad, None, (_V3,)),
    ("ackley", ackley, ackley_grad, None, (_V3,)),
    ("quadratic form", quadratic_form, quadratic_form_grad, None, (_V3,)),
    ("least squares", least_squares, least_squares_grad, None, (_V2,)),
    ("ridge", ridge, ridge_grad, None, (_V2, [0.2, 0.9])),
    ("logistic regression", logistic, logistic_grad, None, (_V2, [0.1, 0.6])),
    ("poisson regression", poisson, poisson_grad, None, (_V2,)),
    ("decay fit", decay_fit, decay_fit_grad, None, ([1.8, 0.7],)),
    ("gaussian likelihood", gaussian_likelihood, gaussian_likelihood_grad, None, ([0.7, 1.4],)),
    ("log-sum-exp", log_sum_exp, softmax, "log(exp(x0) + exp(x1) + exp(x2))", (_V3, [2.0, 2.5, 1.75])),
    ("cross entropy", cross_entropy, cross_entropy_grad, "log(exp(x0) + exp(x1) + exp(x2)) - x1", (_V3,)),
    ("two-layer network", network, network_grad, None, (_NET,)),
    ("matrix norm", frobenius, frobenius_grad, None, ([[0.3, -0.8, 1.1], [0.6, 0.2, -0.5]],)),
    ("bilinear form", bilinear, bilinear_grad, None, ([[0.3, -0.8, 1.1], [0.6, 0.2, -0.5]],)),
    ("smoothing", smoothing, smoothing_grad, None, (_V3,)),
    ("euler steps", euler_steps, euler_steps_grad, None, ([0.9, 0.3],)),
    ("product of all", product_of_all, product_of_all_grad, "x0*x1*x2", (_V3,)),
    ("planar arm", planar_arm, planar_arm_grad, None, ([0.4, 0.9],)),
    ("variance", variance, variance_grad, None, (_V3,)),
    ("dirichlet", dirichlet, dirichlet_grad, None, ([0.2, 0.5, 0.9],)),
    ("polar", lambda x: np.arctan2(x[1], x[0]), lambda x: np.array([-x[1], x[0]]) / (x[0] ** 2 + x[1] ** 2),
     "atan2(x1, x0)", ([1.2, 0.7], [-0.8, 1.5])),
    ("norm", lambda x: np.sqrt(np.sum(x**2)), lambda x: x / np.sqrt(np.sum(x**2)), "sqrt(x0**2 + x1**2 + x2**2)",
     (_V3,)),
    ("weighted sum", lambda x: np.sum(b * np.sin(x)), lambda x: b * np.cos(x), "sin(x0) - 2*sin(x1) + 0.5*sin(x2)",
     (_V3,)),
    ("gas law", lambda x: x[0] * x[1] / x[2], lambda x: np.array([x[1] / x[2], x[0] / x[2], -x[0] * x[1] / x[2] ** 2]),
     "x0*x1/x2", ([1.7, 0.6, 2.9],)),
    ("entropy", lambda x: -np.sum(x * np.log(x)), lambda x: -np.log(x) - 1, "-x0*log(x0) - x1*log(x1) - x2*log(x2)",
     ([0.2, 0.3, 0.45],)),
    ("wave", lambda x: np.sin(2 * x[0] - 3 * x[1]) * np.exp(-0.5 * x[1]), lambda x: np.array(
        [2 * np.cos(2 * x[0] - 3 * x[1]), -3 * np.cos(2 * x[0] - 3 * x[1]) - 0.5 * np.sin(2 * x[0] - 3 * x[1])]
    ) * np.exp(-0.5 * x[1]), "sin(2*x0 - 3*x1)*exp(-0.5*x1)", (_V2,)),
)  # fmt: skip

PROBLEMS = {name: (f, gradient, formula, points[0]) for name, f, gradient, formula, points in _ROWS}
EASY = [
    Case(name if k == 0 else f"{name}, point {k + 1}", f, gradient, np.array(point), formula, "easy")
    for name, f, gradient, formula, points in _ROWS
    for k, point in enumerate(points)
]
