"""Right gradients that carry much rounding for a good reason, and the stated size of it relative to the gradient.

Each has a twin: the same code with a fault 30 times larger than that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .corpus_case import Case

TWIN = 30.0

GRID = np.linspace(0.0, 1.0, 8)
VANDERMONDE = GRID[:, None] ** np.arange(5)[None, :]
TARGET = np.array([1.0, 1.3, 1.7, 1.6, 1.2, 0.9, 1.1, 1.8])
SERIES = np.array([(-1.0) ** k * (1 + 0.01 * k) * 1e3 for k in range(400)])


def second_moment(x):
    return np.mean(x**2) - np.mean(x) ** 2


def second_moment_grad(x):
    return 2 * x / len(x) - 2 * np.mean(x) / len(x)


def cubic_moment(x):
    return np.mean(x**3) - 3 * np.mean(x**2) * np.mean(x) + 2 * np.mean(x) ** 3


def cubic_moment_grad(x):
    n = len(x)
    m, s = np.mean(x), np.mean(x**2)
    return (3 * x**2 - 6 * x * m - 3 * s + 6 * m**2) / n


def unshifted(x):
    return np.log(np.sum(np.exp(x))) - x[0]


def unshifted_grad(x):
    e = np.exp(x)
    g = e / np.sum(e)
    g[0] -= 1
    return g


def expanded_five(x):
    return x**5 - 5 * x**4 + 10 * x**3 - 10 * x**2 + 5 * x - 1


def expanded_five_grad(x):
    return 5 * x**4 - 20 * x**3 + 30 * x**2 - 20 * x + 5


def expanded_seven(x):
    return x**7 - 7 * x**6 + 21 * x**5 - 35 * x**4 + 35 * x**3 - 21 * x**2 + 7 * x - 1


def expanded_seven_grad(x):
    return 7 * x**6 - 42 * x**5 + 105 * x**4 - 140 * x**3 + 105 * x**2 - 42 * x + 7


def expanded_cube(x):
    return x[0] ** 3 - 3 * x[0] ** 2 * x[1] + 3 * x[0] * x[1] ** 2 - x[1] ** 3


def expanded_cube_grad(x):
    a, b = x
    return np.array([3 * a**2 - 6 * a * b + 3 * b**2, -3 * a**2 + 6 * a * b - 3 * b**2])


def fit(w):
    r = VANDERMONDE @ w - TARGET
    return r @ r


def normal_equations_grad(w):
    return 2 * ((VANDERMONDE.T @ VANDERMONDE) @ w - VANDERMONDE.T @ TARGET)


def alternating(x):
    total = 0.0
    for c in SERIES:
        total = total + c * np.sin(x)
    return total


def alternating_grad(x):
    total = 0.0
    for c in SERIES:
        total += c * np.cos(x)
    return total


def geometric(x):
    total, power = 0.0, 1.0
    for _ in range(300):
        power = power * x
        total = total + power
    return total


def geometric_grad(x):
    # the closed form loses digits near 1
    n = 300
    return (1 - (n + 1) * x**n + n * x ** (n + 1)) / (1 - x) ** 2


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_grad(x):
    s = 1 / (1 + np.exp(-x))
    return s * (1 - s)


def divided_exponential(x):
    return (np.exp(x) - 1) / x


def divided_exponential_grad(x):
    return (x * np.exp(x) - (np.exp(x) - 1)) / x**2


def smooth_cosine(x):
    return (1 - np.cos(x)) / x**2


def smooth_cosine_grad(x):
    return (x * np.sin(x) - 2 * (1 - np.cos(x))) / x**3


def small_root(p):
    return (-p[0] + np.sqrt(p[0] ** 2 - 4 * p[1])) / 2


def small_root_grad(p):
    d = np.sqrt(p[0] ** 2 - 4 * p[1])
    return np.array([(p[0] / d - 1) / 2, -1 / d])


def small_determinant(x):
    return 1 / (x[0] * x[3] - x[1] * x[2])


def small_determinant_grad(x):
    d = x[0] * x[3] - x[1] * x[2]
    return np.array([-x[3], x[2], x[1], -x[0]]) / d**2


def chaotic(x):
    for _ in range(25):
        x = 4 * x * (1 - x)
    return x


def chaotic_grad(x):
    d = 1.0
    for _ in range(25):
        d, x = d * (4 - 8 * x), 4 * x * (1 - x)
    return d


def arc(x):
    # the angle between two close directions, by the law of cosines
    return np.arccos(np.cos(x[0]) * np.cos(x[1]) + np.sin(x[0]) * np.sin(x[1]))


def arc_grad(x):
    c0, s0, c1, s1 = np.cos(x[0]), np.sin(x[0]), np.cos(x[1]), np.sin(x[1])
    c = c0 * c1 + s0 * s1
    return np.array([s0 * c1 - c0 * s1, c0 * s1 - s0 * c1]) / np.sqrt(1 - c**2)


def needle(x):
    s = (x[0] + x[1] + x[2]) / 2
    return np.sqrt(s * (s - x[0]) * (s - x[1]) * (s - x[2]))


def needle_grad(x):
    a, b, c = x
    area = needle(x)
    return np.array([a * (b**2 + c**2 - a**2), b * (a**2 + c**2 - b**2), c * (a**2 + b**2 - c**2)]) / (8 * area)


def single_mean(x):
    y = x.astype(np.float32)
    return np.mean(np.exp(y) * y)


def single_mean_grad(x):
    y = x.astype(np.float32)
    return (np.exp(y) * (1 + y)) / np.float32(len(x))


def single_regression(x):
    y = x.astype(np.float32)
    return np.sum((np.sin(y) - np.float32(0.5)) ** 2)


def single_regression_grad(x):
    y = x.astype(np.float32)
    return 2 * (np.sin(y) - np.float32(0.5)) * np.cos(y)


def single_hypotenuse(x):
    y = x.astype(np.float32)
    return np.sqrt(y[0] * y[0] + y[1] * y[1])


def single_hypotenuse_grad(x):
    y = x.astype(np.float32)
    return y / np.sqrt(y[0] * y[0] + y[1] * y[1])


def gain(p):
    # the variance after a measurement, as prior minus what was learned
    return p[0] - p[0] ** 2 / (p[0] + p[1])


def gain_grad(p):
    k = p[0] / (p[0] + p[1])
    return np.array([1 - 2 * k + k**2, k**2])


# name, f, gradient, formula, point, the size of the rounding
_ROWS = (
    ("second moment, offset 1e4", second_moment, second_moment_grad, None, [10001.25, 10002.5, 9999.125], 3e-12),
    ("second moment, offset 1e6", second_moment, second_moment_grad, None, [1000001.3, 1000002.6, 999999.2], 3e-10),
    ("second moment, offset 1e8", second_moment, second_moment_grad, None, [100000001.3, 100000002.6, 99999999.2],
     3e-8),
    ("third moment, offset 300", cubic_moment, cubic_moment_grad, None, [301.3, 302.6, 299.2, 300.5], 3e-11),
    ("third moment, offset 1e4", cubic_moment, cubic_moment_grad, None, [10001.3, 10002.6, 9999.2, 10000.7], 3e-8),
    ("unshifted softmax, gap 12", unshifted, unshifted_grad, "log(exp(x0) + exp(x1) + exp(x2)) - x0", [14.3, 2.2, 1.1],
     3e-11),
    ("unshifted softmax, gap 20", unshifted, unshifted_grad, "log(exp(x0) + exp(x1) + exp(x2)) - x0", [21.3, 1.2, 0.3],
     3e-8),
    ("unshifted softmax at 300", unshifted, unshifted_grad, None, [300.3, 296.2, 290.1], 1e-14),
    ("expanded fifth power at 1.1", expanded_five, expanded_five_grad, "x**5 - 5*x**4 + 10*x**3 - 10*x**2 + 5*x - 1",
     1.1, 3e-11),
    ("expanded fifth power at 1.02", expanded_five, expanded_five_grad, "x**5 - 5*x**4 + 10*x**3 - 10*x**2 + 5*x - 1",
     1.02, 3e-8),
    ("expanded seventh power at 1.2", expanded_seven, expanded_seven_grad, None, 1.2, 3e-10),
    ("expanded cube of a difference", expanded_cube, expanded_cube_grad, None, [3.1415, 3.1402], 1e-8),
    ("normal equations near the fit", fit, normal_equations_grad, None, [1.0, 1.2, 4.1, -13.0, 8.2], 3e-14),
    ("long alternating sum", alternating, alternating_grad, None, 0.7, 1e-14),
    ("geometric sum, closed form", geometric, geometric_grad, None, 0.9993, 3e-11),
    ("sigmoid by s(1 - s) at 12", sigmoid, sigmoid_grad, "1/(1 + exp(-x))", 12.3, 1e-11),
    ("sigmoid by s(1 - s) at 20", sigmoid, sigmoid_grad, "1/(1 + exp(-x))", 19.7, 3e-8),
    ("tanh by 1 - t**2 at 6", np.tanh, lambda x: 1 - np.tanh(x) ** 2, "tanh(x)", 6.1, 1e-12),
    ("tanh by 1 - t**2 at 9", np.tanh, lambda x: 1 - np.tanh(x) ** 2, "tanh(x)", 9.2, 1e-8),
    ("divided exponential at 1e-3", divided_exponential, divided_exponential_grad, "(exp(x) - 1)/x", 1.3e-3, 3e-10),
    ("divided exponential at 1e-4", divided_exponential, divided_exponential_grad, "(exp(x) - 1)/x", 1.7e-4, 1e-8),
    ("smooth cosine at 0.3", smooth_cosine, smooth_cosine_grad, "(1 - cos(x))/x**2", 0.31, 1e-12),
    ("smooth cosine at 0.02", smooth_cosine, smooth_cosine_grad, "(1 - cos(x))/x**2", 0.023, 3e-8),
    ("difference of roots at 1e6", lambda x: np.sqrt(x + 1) - np.sqrt(x),
     lambda x: 0.5 / np.sqrt(x + 1) - 0.5 / np.sqrt(x), "sqrt(x + 1) - sqrt(x)", 1234567.8, 1e-9),
    ("small root of a quadratic", small_root, small_root_grad, None, [1.3e4, 0.7e4], 3e-12),
    ("small determinant", small_determinant, small_determinant_grad, None, [1.1, 2.2, 0.7, 1.400001], 1e-9),
    ("chaotic map", chaotic, chaotic_grad, None, 0.3721, 1e-8),
    ("angle of close directions", arc, arc_grad, None, [0.731, 0.733], 1e-10),
    ("needle triangle", needle, needle_grad, None, [1.3, 0.9, 2.19997], 1e-11),
    ("phase of many turns", lambda x: np.sin(2 * np.pi * 1e5 * x),
     lambda x: 2 * np.pi * 1e5 * np.cos(2 * np.pi * 1e5 * x),
     None, 0.731371234, 3e-10),
    ("large exponent", lambda x: np.exp(-(x**2) / 3), lambda x: -2 * x / 3 * np.exp(-(x**2) / 3), "exp(-x**2/3)", 41.3,
     1e-13),
    ("power by logarithms", lambda x: np.exp(300 * np.log(x)), lambda x: 300 * np.exp(299 * np.log(x)),
     "exp(300*log(x))", 1.7, 1e-13),
    ("gain of a filter", gain, gain_grad, None, [1e6, 0.3], 1e-15),
    ("mean in float32", single_mean, single_mean_grad, "(x0*exp(x0) + x1*exp(x1) + x2*exp(x2))/3", [0.5, -1.25, 2.0],
     3e-7),
    ("regression in float32", single_regression, single_regression_grad, "(sin(x0) - 1/2)**2 + (sin(x1) - 1/2)**2",
     [0.75, -1.25], 3e-7),
    ("hypotenuse in float32", single_hypotenuse, single_hypotenuse_grad, "sqrt(x0**2 + x1**2)", [0.75, -1.25], 3e-7),
)  # fmt: skip

ROUNDING = [
    Case(name, f, g, np.array(at), formula, "rounding", rounding=size) for name, f, g, formula, at, size in _ROWS
]


def _faulty(gradient: Callable[[Any], Any], excess: float) -> Callable[[Any], Any]:
    def twin(x):
        return gradient(x) * (1 + excess)

    return twin


TWINS = [
    Case(f"twin of {case.name}", case.f, _faulty(case.gradient, TWIN * case.rounding), case.at, case.formula,
         "twin", truth=case.gradient, causes=("factor",), blame="gradient", rounding=case.rounding)
    for case in ROUNDING
]  # fmt: skip
