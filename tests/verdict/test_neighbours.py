"""An opaque gradient beside a formula: right gradients are never called wrong, bugs are.

Every bug is tried with the bug and with the right gradient; it counts as found only if the right one passes. Scores
(``pytest -s`` prints them):

- EASY, 20 gradients: no false alarm, 179 of 179 bugs;
- HARD, 43 gradients: no false alarm, 7 inconclusive (saturated beyond the last digit, or rounding above 1e-3 of the
  derivative), 255 of 304 bugs; what is missed is smaller than the stated threshold;
- FRESH, 40 gradients in styles that the others do not have, run once when the rule was done: no false alarm, 1
  inconclusive, 327 of 345 bugs. The rule was not changed for them.

1,030 right gradients at points drawn around these gave 2 false alarms at first, both of one class: evenly spaced values
of a function with a coarse quantum round alike, and look like a slope. With uneven abscissae 5,300 gave none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import special
from scipy.special import erf

import diffcompare as dc
from diffcompare.verdict.judgement import Judgement
from diffcompare.verdict.neighbours import judge_by_neighbours
from diffcompare.verdict.problem import Problem

Array = Any
rng = np.random.default_rng(7)


@dataclass(frozen=True)
class Case:
    """A function, its right gradient as somebody would write it, a point, and the formula."""

    name: str
    formula: str
    point: tuple[float, ...]
    function: Callable[[Array], Any]
    gradient: Callable[[Array], Any]
    hard: bool = False


def problem(case: Case, gradient: Callable[..., Any] | None = None, **options: Any) -> Problem:
    x = np.array(case.point, dtype=np.float64)
    formula = options.pop("formula", dc.parse(case.formula, variables=[f"x{i}" for i in range(x.size)]))
    names = tuple(f"x[{i}]" for i in range(x.size))
    return Problem(case.function, gradient or case.gradient, x, np.copy, np.asarray, names, formula, **options)


def worst(judgement: Judgement | None) -> str:
    assert judgement is not None
    for status in ("wrong", "out-of-domain", "non-smooth", "inconclusive"):
        if status in judgement.status:
            return status
    return "consistent"


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def softmax(z: Array) -> Array:
    e = np.exp(z)
    return e / e.sum()


# data of the regressions below, short enough to be exact in the text
X = np.array([[1.0, 0.5], [1.0, -1.25], [1.0, 2.0], [1.0, 0.75]])
Y = np.array([0.5, 1.5, -0.25, 2.0])
L = np.array([1.0, 0.0, 1.0, 1.0])


def text_of(rows: Callable[[Any, float], str], targets: Array) -> str:
    return " + ".join(rows(row, target) for row, target in zip(X, targets, strict=True))


LEAST_SQUARES = text_of(lambda r, y: f"(x0*{r[0]} + x1*({r[1]}) - ({y}))**2", Y)
LOGISTIC = text_of(lambda r, y: f"log(1 + exp(x0*{r[0]} + x1*({r[1]}))) - {y}*(x0*{r[0]} + x1*({r[1]}))", L)
HUBER = text_of(lambda r, y: f"sqrt(1 + (x0*{r[0]} + x1*({r[1]}) - ({y}))**2)", Y)


def least_squares_gradient(x: Array) -> Array:
    return 2 * X.T @ (X @ x - Y)


def huber_gradient(x: Array) -> Array:
    r = X @ x - Y
    return X.T @ (r / np.sqrt(1 + r**2))


def rosenbrock_gradient(x: Array) -> Array:
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def himmelblau_gradient(x: Array) -> Array:
    a, b = x[0] ** 2 + x[1] - 11, x[0] + x[1] ** 2 - 7
    return np.array([4 * x[0] * a + 2 * b, 2 * a + 4 * x[1] * b])


def normal_gradient(p: Array) -> Array:
    z = (1.75 - p[0]) / p[1]
    return np.array([-z / p[1], (1 - z * z) / p[1]])


def network_gradient(w: Array) -> Array:
    h = np.tanh(w[0] * 0.75 + w[1])
    d = 2 * (w[2] * h + w[3] - 0.5)
    return np.array([d * w[2] * (1 - h * h) * 0.75, d * w[2] * (1 - h * h), d * h, d])


EASY = (
    Case("square", "x0**2 + x1**2", (3.0, 4.0), lambda x: np.sum(x**2), lambda x: 2 * x),
    Case(
        "exp sin",
        "exp(x0)*sin(x1)",
        (0.5, 1.25),
        lambda x: np.exp(x[0]) * np.sin(x[1]),
        lambda x: np.exp(x[0]) * np.array([np.sin(x[1]), np.cos(x[1])]),
    ),
    Case(
        "rosenbrock",
        "100*(x1 - x0**2)**2 + (1 - x0)**2",
        (-1.2, 1.0),
        lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2,
        rosenbrock_gradient,
    ),
    Case(
        "himmelblau",
        "(x0**2 + x1 - 11)**2 + (x0 + x1**2 - 7)**2",
        (0.7, -1.3),
        lambda x: (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2,
        himmelblau_gradient,
    ),
    Case("least squares", LEAST_SQUARES, (0.3, -0.7), lambda x: np.sum((X @ x - Y) ** 2), least_squares_gradient),
    Case(
        "logistic",
        LOGISTIC,
        (0.3, -0.7),
        lambda x: np.sum(np.logaddexp(0, X @ x) - L * (X @ x)),
        lambda x: X.T @ (sigmoid(X @ x) - L),
    ),
    Case("pseudo-Huber", HUBER, (0.3, -0.7), lambda x: np.sum(np.sqrt(1 + (X @ x - Y) ** 2)), huber_gradient),
    Case("logsumexp", "log(exp(x0) + exp(x1) + exp(x2))", (0.2, -1.0, 2.0), lambda x: np.log(np.exp(x).sum()), softmax),
    Case(
        "normal likelihood",
        "log(x1) + ((1.75 - x0)/x1)**2/2",
        (0.5, 1.5),
        lambda p: np.log(p[1]) + ((1.75 - p[0]) / p[1]) ** 2 / 2,
        lambda p: normal_gradient(p),
    ),
    Case(
        "network",
        "(x2*tanh(x0*0.75 + x1) + x3 - 0.5)**2",
        (0.4, -0.2, 1.1, 0.3),
        lambda w: (w[2] * np.tanh(w[0] * 0.75 + w[1]) + w[3] - 0.5) ** 2,
        network_gradient,
    ),
    Case("norm", "sqrt(x0**2 + x1**2 + x2**2)", (1.0, -2.0, 0.5), np.linalg.norm, lambda x: x / np.linalg.norm(x)),
    Case("product", "x0*x1*x2", (1.1, -2.3, 0.7), np.prod, lambda x: np.prod(x) / x),
    Case(
        "chapter 4",
        "exp(x0)/(sin(x0)**3 + cos(x0)**3)",
        (1.5,),
        lambda x: np.exp(x[0]) / (np.sin(x[0]) ** 3 + np.cos(x[0]) ** 3),
        lambda x: (
            np.exp(x)
            * ((np.sin(x) ** 3 + np.cos(x) ** 3) - 3 * np.sin(x) * np.cos(x) * (np.sin(x) - np.cos(x)))
            / (np.sin(x) ** 3 + np.cos(x) ** 3) ** 2
        ),
    ),
    Case("entropy", "x0*log(x0) + x1*log(x1)", (0.3, 0.6), lambda p: np.sum(p * np.log(p)), lambda p: np.log(p) + 1),
    Case(
        "atan2",
        "atan2(x1, x0)",
        (0.8, 0.4),
        lambda x: math.atan2(x[1], x[0]),
        lambda x: np.array([-x[1], x[0]]) / (x @ x),
    ),
    Case(
        "rational",
        "(x0 + 2*x1)/(1 + x0**2*x1**2)",
        (1.3, 0.4),
        lambda x: (x[0] + 2 * x[1]) / (1 + x[0] ** 2 * x[1] ** 2),
        lambda x: (
            np.array(
                [
                    (1 + x[0] ** 2 * x[1] ** 2 - (x[0] + 2 * x[1]) * 2 * x[0] * x[1] ** 2),
                    (2 * (1 + x[0] ** 2 * x[1] ** 2) - (x[0] + 2 * x[1]) * 2 * x[0] ** 2 * x[1]),
                ]
            )
            / (1 + x[0] ** 2 * x[1] ** 2) ** 2
        ),
    ),
    Case(
        "power",
        "x0**x1",
        (2.5, 1.7),
        lambda x: x[0] ** x[1],
        lambda x: np.array([x[1] * x[0] ** (x[1] - 1), x[0] ** x[1] * np.log(x[0])]),
    ),
    Case("linear", "3*x0 - 2*x1 + 5", (0.4, 9.0), lambda x: 3 * x[0] - 2 * x[1] + 5, lambda x: np.array([3.0, -2.0])),
    Case(
        "unused variable",
        "x0**2 + sin(x2)",
        (0.4, 9.0, 1.0),
        lambda x: x[0] ** 2 + np.sin(x[2]),
        lambda x: np.array([2 * x[0], 0.0, np.cos(x[2])]),
    ),
    Case("maximum", "max(x0, x1)**2", (1.5, 0.5), lambda x: np.max(x) ** 2, lambda x: np.where(x == x.max(), 2 * x, 0)),
)


def two_pass_free(x: Array) -> Array:
    # the variance as E[x²] − E[x]², differentiated as written, with the cancellation that this brings
    n = x.size
    m = x.sum() / n
    return 2 * x / n - 2 * m / n


def expanded(x: Array) -> Array:
    return 5 * x**4 - 20 * x**3 + 30 * x**2 - 20 * x + 5


def float32_inside(x: Array) -> Array:
    return np.array([np.float32(x[0]) * np.float32(2), np.float32(x[1]) * np.float32(2)])


N_SUM = 60
LONG = " + ".join(f"sin({k}*x0)/{k}" for k in range(1, N_SUM))
EIGHTS = " + ".join(f"{c}*x0**{k}" for k, c in ((5, 1), (4, -5), (3, 10), (2, -10), (1, 5)))


def variance_formula(n: int) -> str:
    mean = "(" + "+".join(f"x{i}" for i in range(n)) + f")/{n}"
    return "(" + "+".join(f"x{i}**2" for i in range(n)) + f")/{n} - ({mean})**2"


def softmax_nll_gradient(z: Array) -> Array:
    p = softmax(z)
    return p - np.array([1.0, 0.0, 0.0])


def log_cosh_gradient(x: Array) -> Array:
    a, b = np.exp(x), np.exp(-x)
    return (a - b) / (a + b)


HARD = (
    *(
        Case(
            f"sigmoid s(1-s) at {at}",
            "1/(1 + exp(-x0))",
            (float(at),),
            lambda x: sigmoid(x[0]),
            lambda x: sigmoid(x) * (1 - sigmoid(x)),
        )
        for at in (5, 20, 36, 45)
    ),
    Case("1-tanh² at 12", "tanh(x0)", (12.0,), lambda x: np.tanh(x[0]), lambda x: 1 - np.tanh(x) ** 2),
    Case("1-tanh² at 25", "tanh(x0)", (25.0,), lambda x: np.tanh(x[0]), lambda x: 1 - np.tanh(x) ** 2),
    Case(
        "variance, offset 1e6",
        variance_formula(3),
        (1e6, 1e6 + 1, 1e6 + 2.5),
        lambda x: np.mean(x * x) - np.mean(x) ** 2,
        two_pass_free,
    ),
    Case(
        "variance, offset 1e8",
        variance_formula(3),
        (1e8, 1e8 + 1, 1e8 + 2.5),
        lambda x: np.mean(x * x) - np.mean(x) ** 2,
        two_pass_free,
    ),
    Case("expanded polynomial near its root", "(x0 - 1)**5", (1.001,), lambda x: (x[0] - 1) ** 5, expanded),
    Case("expanded polynomial nearer", "(x0 - 1)**5", (1.00001,), lambda x: (x[0] - 1) ** 5, expanded),
    Case("polynomial expanded in both", EIGHTS, (1.001,), lambda x: np.polyval([1, -5, 10, -10, 5, 0], x[0]), expanded),
    Case(
        "softmax without shift",
        "log(exp(x0) + exp(x1) + exp(x2)) - x0",
        (300.0, 290.0, 280.0),
        lambda z: np.log(np.exp(z).sum()) - z[0],
        softmax_nll_gradient,
    ),
    Case(
        "float32 function and gradient",
        "x0**2 + x1**2",
        (1.3, 2.7),
        lambda x: np.sum(np.float32(x) ** 2),
        lambda x: 2 * np.float32(x),
    ),
    Case(
        "float32 result of both",
        "exp(x0)*x1",
        (1.3, 2.7),
        lambda x: np.float32(np.exp(np.float32(x[0])) * np.float32(x[1])),
        lambda x: np.array([np.exp(np.float32(x[0])) * np.float32(x[1]), np.exp(np.float32(x[0]))]),
    ),
    Case(
        "long sum",
        LONG,
        (0.7,),
        lambda x: sum(np.sin(k * x[0]) / k for k in range(1, N_SUM)),
        lambda x: np.array([sum(np.cos(k * x[0]) for k in range(1, N_SUM))]),
    ),
    Case("log(1+x) for log1p", "log1p(x0)", (1e-9,), lambda x: np.log1p(x[0]), lambda x: 1 / (1 + x)),
    Case("log1p for log(1+x)", "log(1 + x0)", (1e-12,), lambda x: np.log(1 + x[0]), lambda x: 1 / (1 + x)),
    Case("near a pole", "1/(x0 - 1)", (1 + 1e-7,), lambda x: 1 / (x[0] - 1), lambda x: -1 / (x - 1) ** 2),
    Case("very near a pole", "1/(x0 - 1)", (1 + 1e-14,), lambda x: 1 / (x[0] - 1), lambda x: -1 / (x - 1) ** 2),
    Case("tan near its pole", "tan(x0)", (1.5707,), lambda x: np.tan(x[0]), lambda x: 1 / np.cos(x) ** 2),
    Case(
        "scale 1e20",
        "x0**2*x1",
        (1e20, 3e-20),
        lambda x: x[0] ** 2 * x[1],
        lambda x: np.array([2 * x[0] * x[1], x[0] ** 2]),
    ),
    Case("scale 1e-20", "x0**2 + x1**2", (1e-20, 3e-20), lambda x: x @ x, lambda x: x + x),
    Case(
        "scales apart",
        "x0*x1 + x1**2",
        (1e10, 1e-10),
        lambda x: x[0] * x[1] + x[1] ** 2,
        lambda x: np.array([x[1], x[0] + 2 * x[1]]),
    ),
    Case("exact zero", "x0**2 + x1", (0.0, 1.0), lambda x: x[0] ** 2 + x[1], lambda x: np.array([2 * x[0], 1.0])),
    Case(
        "zero point",
        "x0**2 + x1**3",
        (0.0, 0.0),
        lambda x: x[0] ** 2 + x[1] ** 3,
        lambda x: np.array([2 * x[0], 3 * x[1] ** 2]),
    ),
    Case(
        "critical point",
        "(x0 - 0.1)**2 + (x1 - 0.3)**2",
        (0.1, 0.3),
        lambda x: (x[0] - 0.1) ** 2 + (x[1] - 0.3) ** 2,
        lambda x: 2 * (x - np.array([0.1, 0.3])),
    ),
    Case("cos by difference", "1 - cos(x0)", (1e-5,), lambda x: 1 - np.cos(x[0]), lambda x: np.sin(x)),
    Case("cancelling sum", "x0 + 1e8 - 1e8", (0.3,), lambda x: x[0] + 1e8 - 1e8, lambda x: np.array([1.0])),
    Case("big argument of sin", "sin(x0)", (1e8 + 0.3,), lambda x: np.sin(x[0]), lambda x: np.cos(x)),
    Case("domain edge", "sqrt(x0)", (1e-14,), lambda x: np.sqrt(x[0]), lambda x: 0.5 / np.sqrt(x)),
    Case("log near 0", "log(x0)", (1e-300,), lambda x: np.log(x[0]), lambda x: 1 / x),
    Case("acos near 1", "acos(x0)", (1 - 1e-10,), lambda x: np.arccos(x[0]), lambda x: -1 / np.sqrt(1 - x * x)),
    Case(
        "kink nearby",
        "abs(x0 - 1) + x1**2",
        (1 + 1e-9, 2.0),
        lambda x: abs(x[0] - 1) + x[1] ** 2,
        lambda x: np.array([np.sign(x[0] - 1), 2 * x[1]]),
    ),
    Case(
        "relu nearby",
        "max(x0, 0)*x1",
        (1e-5, 2.0),
        lambda x: max(x[0], 0.0) * x[1],
        lambda x: np.array([x[1] * (x[0] > 0), max(x[0], 0.0)]),
    ),
    Case("log cosh by exps", "log(cosh(x0))", (1e-6,), lambda x: np.log(np.cosh(x[0])), log_cosh_gradient),
    Case("softplus", "log(1 + exp(x0))", (-40.0,), lambda x: np.log1p(np.exp(x[0])), lambda x: 1 - 1 / (1 + np.exp(x))),
    Case("product by division", "x0*x1*x2*x3", (1e-5, 3e4, 0.1, -7.0), np.prod, lambda x: np.prod(x) / x),
    Case(
        "norm of large",
        "sqrt(x0**2 + x1**2)",
        (3e100, 4e100),
        lambda x: np.hypot(x[0], x[1]),
        lambda x: x / np.hypot(x[0], x[1]),
    ),
    Case("gamma-like", "x0**x0", (0.37,), lambda x: x[0] ** x[0], lambda x: x**x * (np.log(x) + 1)),
    Case("rounded function", "x0**2", (1.7,), lambda x: round(float(x[0] ** 2), 6), lambda x: 2 * x),
    Case(
        "noisy function",
        "x0**2 + x1",
        (1.7, 0.2),
        lambda x: x[0] ** 2 + x[1] + 1e-10 * np.sin(1e13 * x.sum()),
        lambda x: np.array([2 * x[0], 1.0]),
    ),
    Case("constant offset", "x0**2", (1.7,), lambda x: x[0] ** 2 + 5, lambda x: 2 * x),
    Case(
        "sum of softmax",
        "(exp(x0) + exp(x1))/(exp(x0) + exp(x1))",
        (0.3, 0.7),
        lambda x: softmax(x).sum(),
        lambda x: softmax(x) - softmax(x) * softmax(x).sum(),
    ),
)
CASES = EASY + HARD


class Dual:
    """Forward mode, as a first exercise in it is written."""

    def __init__(self, value: float, slope: float = 0.0) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Any) -> Dual:
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Dual:
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __rmul__ = __mul__

    def exp(self) -> Dual:
        return Dual(math.exp(self.value), math.exp(self.value) * self.slope)


def dual_gradient(function: Callable[[list[Dual]], Dual]) -> Callable[[Array], Array]:
    def gradient(x: Array) -> Array:
        return np.array(
            [function([Dual(float(v), float(i == j)) for j, v in enumerate(x)]).slope for i in range(len(x))]
        )

    return gradient


def complex_step(function: Callable[[Array], Any], h: float = 1e-30) -> Callable[[Array], Array]:
    def gradient(x: Array) -> Array:
        result = np.empty(x.size)
        for i in range(x.size):
            z = x.astype(complex)
            z[i] += 1j * h
            result[i] = function(z).imag / h
        return result

    return gradient


class Gaussian:
    """A log-density with a precomputed inverse."""

    def __init__(self) -> None:
        self.covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
        self.precision = np.linalg.inv(self.covariance)
        self.mean = np.array([1.0, -1.0])

    def value(self, x: Array) -> float:
        d = x - self.mean
        return 0.5 * d @ np.linalg.solve(self.covariance, d)

    def gradient(self, x: Array) -> Array:
        return self.precision @ (x - self.mean)


class Cached:
    def __init__(self) -> None:
        self.seen: dict[bytes, Array] = {}

    def gradient(self, x: Array) -> Array:
        key = x.tobytes()
        if key not in self.seen:
            self.seen[key] = np.array([math.cos(x[0]) * x[1], math.sin(x[0])])
        return self.seen[key]


def sqrt_newton(a: float) -> float:
    y = a
    for _ in range(60):
        new = 0.5 * (y + a / y)
        if new == y:
            break
        y = new
    return y


def sinc_gradient(x: Array) -> Array:
    t = float(x[0])
    if abs(t) < 1e-2:
        return np.array([-t / 3 + t**3 / 30 - t**5 / 840 + t**7 / 45360])
    return np.array([(t * math.cos(t) - math.sin(t)) / t**2])


def expm1_over_x(x: Array) -> Array:
    t = x[0]
    return np.array([(np.exp(t) * (t - 1) + 1) / t**2])


def horner(x: Array) -> Array:
    value, slope = 0.0, 0.0
    for c in (3.0, -2.0, 0.5, 7.0, -1.0):
        slope = slope * x[0] + value
        value = value * x[0] + c
    return np.array([slope])


def kahan(x: Array) -> Array:
    total, lost = 0.0, 0.0
    for k in range(1, 40):
        term = float(np.exp(-k * x[0])) * -k
        y = term - lost
        new = total + y
        lost = (new - total) - y
        total = new
    return np.array([total])


def backward_net(w: Array) -> Array:
    # tape by hand, buffers in place
    x = 0.75
    a1 = w[0] * x + w[1]
    s1 = 1.0 / (1.0 + math.exp(-a1))
    a2 = w[2] * s1 + w[3]
    out = np.zeros_like(w)
    delta = 2.0 * (a2 - 1.25)
    out[3] += delta
    out[2] += delta * s1
    delta *= w[2]
    delta *= s1 - s1**2
    out[1] += delta
    out[0] += delta * x
    return out


def black_scholes_delta(p: Array) -> Array:
    s, k = p
    d = (math.log(s / k) + 0.125) / 0.5
    # of the toy price s·tanh(d) − k·exp(−d²)
    dd = np.array([1 / s, -1 / k]) / 0.5
    return np.array(
        [
            math.tanh(d) + s * (1 - math.tanh(d) ** 2) * dd[0] + 2 * k * d * math.exp(-d * d) * dd[0],
            s * (1 - math.tanh(d) ** 2) * dd[1] - math.exp(-d * d) + 2 * k * d * math.exp(-d * d) * dd[1],
        ]
    )


def rk_step_gradient(x: Array) -> Array:
    # one midpoint step of y' = -y², y + h·(−(y − h/2·y²)²), h = 0.125
    y, h = x[0], 0.125
    mid = y - h / 2 * y * y
    return np.array([1 - 2 * h * mid * (1 - h * y)])


def determinant_gradient(x: Array) -> Array:
    a = x.reshape(2, 2)
    return (np.linalg.det(a) * np.linalg.inv(a).T).reshape(-1)


def trace_inverse_gradient(x: Array) -> Array:
    a = np.array([[x[0], x[1]], [x[1], x[2]]])
    b = np.linalg.inv(a)
    full = -(b @ b)
    return np.array([full[0, 0], full[0, 1] + full[1, 0], full[1, 1]])


def scaled_logsumexp(z: Array) -> Array:
    m = z.max()
    e = np.exp(z - m)
    return e / np.sum(e)


def log_softmax_backward(z: Array) -> Array:
    log_p = z - z.max() - np.log(np.exp(z - z.max()).sum())
    return np.exp(log_p) - np.eye(3)[1]


def cosine_similarity(x: Array) -> Array:
    a, b = x[:2], x[2:]
    na, nb = np.linalg.norm(a), np.linalg.norm(b)
    c = a @ b / (na * nb)
    return np.concatenate([b / (na * nb) - c * a / na**2, a / (na * nb) - c * b / nb**2])


def correlation_like(x: Array) -> Array:
    c = x - x.mean()
    return 2 * c / x.size


def geometric_mean(x: Array) -> Array:
    return np.exp(np.mean(np.log(x))) / (x.size * x)


def harmonic(x: Array) -> Array:
    return (2 / np.sum(1 / x)) ** 2 / 2 * x**-2.0


def softplus_stable(x: Array) -> Array:
    return np.where(x > 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))


def periodic(x: Array) -> Array:
    t = 2 * np.pi * x[0]
    return np.array([2 * np.pi * (np.cos(t) - np.sin(2 * t) * 2)])


def by_finite_difference(x: Array) -> Array:
    h = 1e-5
    f = lambda t: math.sin(t) * math.exp(t)  # noqa: E731
    return np.array([(8 * (f(x[0] + h) - f(x[0] - h)) - (f(x[0] + 2 * h) - f(x[0] - 2 * h))) / (12 * h)])


def float16_gradient(x: Array) -> Array:
    return (np.float16(2) * x.astype(np.float16)).astype(np.float16)


gaussian, cached = Gaussian(), Cached()

FRESH = (
    Case(
        "dual numbers",
        "x0*x1*exp(x0) + 3*x1",
        (0.4, 1.7),
        lambda x: x[0] * x[1] * np.exp(x[0]) + 3 * x[1],
        dual_gradient(lambda v: v[0] * v[1] * v[0].exp() + 3 * v[1]),
    ),
    Case(
        "complex step",
        "exp(x0)*cos(x1)/x1",
        (0.9, 2.2),
        lambda x: np.exp(x[0]) * np.cos(x[1]) / x[1],
        complex_step(lambda x: np.exp(x[0]) * np.cos(x[1]) / x[1]),
    ),
    Case(
        "class with an inverse",
        "0.5*(4/7*(x0 - 1)**2 - 4/7*(x0 - 1)*(x1 + 1) + 8/7*(x1 + 1)**2)",
        (0.3, 0.8),
        gaussian.value,
        gaussian.gradient,
    ),
    Case("cache", "x1*sin(x0)", (2.1, -0.6), lambda x: x[1] * math.sin(x[0]), cached.gradient),
    Case(
        "square root by Newton",
        "sqrt(x0)*x1",
        (7.3, 1.9),
        lambda x: sqrt_newton(x[0]) * x[1],
        lambda x: np.array([0.5 * x[1] / sqrt_newton(x[0]), sqrt_newton(x[0])]),
    ),
    Case("series branch, inside", "sin(x0)/x0", (0.005,), lambda x: np.sinc(x[0] / np.pi), sinc_gradient),
    Case("series branch, outside", "sin(x0)/x0", (0.013,), lambda x: np.sinc(x[0] / np.pi), sinc_gradient),
    Case("series branch, at the edge", "sin(x0)/x0", (0.01,), lambda x: np.sinc(x[0] / np.pi), sinc_gradient),
    Case("cancelling quotient", "(exp(x0) - 1)/x0", (1e-3,), lambda x: np.expm1(x[0]) / x[0], expm1_over_x),
    Case(
        "Horner's derivative",
        "3*x0**4 - 2*x0**3 + 0.5*x0**2 + 7*x0 - 1",
        (1.37,),
        lambda x: np.polyval([3, -2, 0.5, 7, -1], x[0]),
        horner,
    ),
    Case(
        "Kahan sum",
        " + ".join(f"exp(-{k}*x0)" for k in range(1, 40)),
        (0.11,),
        lambda x: np.exp(-np.arange(1, 40) * x[0]).sum(),
        kahan,
    ),
    Case(
        "tape by hand",
        "(x2/(1 + exp(-(x0*0.75 + x1))) + x3 - 1.25)**2",
        (0.3, -0.8, 1.4, 0.2),
        lambda w: (w[2] / (1 + np.exp(-(w[0] * 0.75 + w[1]))) + w[3] - 1.25) ** 2,
        backward_net,
    ),
    Case(
        "option price",
        "x0*tanh((log(x0/x1) + 0.125)/0.5) - x1*exp(-((log(x0/x1) + 0.125)/0.5)**2)",
        (105.0, 98.5),
        lambda p: (
            p[0] * np.tanh((np.log(p[0] / p[1]) + 0.125) / 0.5)
            - p[1] * np.exp(-(((np.log(p[0] / p[1]) + 0.125) / 0.5) ** 2))
        ),
        black_scholes_delta,
    ),
    Case(
        "Runge-Kutta step",
        "x0 - 0.125*(x0 - 0.0625*x0**2)**2",
        (1.3,),
        lambda x: x[0] - 0.125 * (x[0] - 0.0625 * x[0] ** 2) ** 2,
        rk_step_gradient,
    ),
    Case(
        "determinant by inverse",
        "x0*x3 - x1*x2",
        (1.0, 0.9, 1.1, 1.0),
        lambda x: np.linalg.det(x.reshape(2, 2)),
        determinant_gradient,
    ),
    Case(
        "trace of an inverse",
        "(x0 + x2)/(x0*x2 - x1**2)",
        (2.0, 1.4, 1.0),
        lambda x: np.trace(np.linalg.inv(np.array([[x[0], x[1]], [x[1], x[2]]]))),
        trace_inverse_gradient,
    ),
    Case(
        "shifted logsumexp",
        "log(exp(x0) + exp(x1) + exp(x2))",
        (700.0, 699.5, 650.0),
        lambda z: z.max() + np.log(np.exp(z - z.max()).sum()),
        scaled_logsumexp,
    ),
    Case(
        "log-softmax",
        "log(exp(x0) + exp(x1) + exp(x2)) - x1",
        (1.0, 30.0, -2.0),
        lambda z: np.log(np.exp(z).sum()) - z[1],
        log_softmax_backward,
    ),
    Case(
        "cosine similarity",
        "(x0*x2 + x1*x3)/(sqrt(x0**2 + x1**2)*sqrt(x2**2 + x3**2))",
        (1.0, 2.0, 1.001, 1.999),
        lambda x: x[:2] @ x[2:] / np.linalg.norm(x[:2]) / np.linalg.norm(x[2:]),
        cosine_similarity,
    ),
    Case("variance by np.var", variance_formula(4), (1e5, 1e5 + 2, 1e5 - 3, 1e5 + 0.5), np.var, correlation_like),
    Case("geometric mean", "(x0*x1*x2)**(1/3)", (2.0, 5.0, 0.3), lambda x: np.prod(x) ** (1 / 3), geometric_mean),
    Case("harmonic mean", "2/(1/x0 + 1/x1)", (3.0, 7.0), lambda x: 2 / np.sum(1 / x), harmonic),
    Case(
        "stable softplus",
        "log(1 + exp(x0)) + log(1 + exp(x1))",
        (-30.0, 25.0),
        lambda x: np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))),
        softplus_stable,
    ),
    Case(
        "periods",
        "sin(2*pi*x0) + cos(4*pi*x0)",
        (0.3,),
        lambda x: np.sin(2 * np.pi * x[0]) + np.cos(4 * np.pi * x[0]),
        periodic,
    ),
    Case(
        "fourth-order difference",
        "sin(x0)*exp(x0)",
        (0.8,),
        lambda x: math.sin(x[0]) * math.exp(x[0]),
        by_finite_difference,
    ),
    Case(
        "float16 throughout",
        "x0**2 + x1**2",
        (1.3, 2.7),
        lambda x: np.float16(np.sum(x.astype(np.float16) ** 2)),
        float16_gradient,
    ),
    Case(
        "list of floats",
        "x0**3*x1",
        (1.5, -0.3),
        lambda x: x[0] ** 3 * x[1],
        lambda x: [3 * x[0] ** 2 * x[1], x[0] ** 3],
    ),
    Case(
        "einsum",
        "x0**2*2 + x0*x1 + x1**2*3",
        (0.2, 0.7),
        lambda x: np.einsum("i,ij,j", x, np.array([[2.0, 0.5], [0.5, 3.0]]), x),
        lambda x: 2 * np.einsum("ij,j->i", np.array([[2.0, 0.5], [0.5, 3.0]]), x),
    ),
    Case(
        "normal equations",
        LEAST_SQUARES,
        (0.3, -0.7),
        lambda x: np.sum((X @ x - Y) ** 2),
        lambda x: 2 * ((X.T @ X) @ x - X.T @ Y),
    ),
    Case("far from the data", LEAST_SQUARES, (3e7, -2e7), lambda x: np.sum((X @ x - Y) ** 2), least_squares_gradient),
    Case(
        "at the least-squares optimum",
        LEAST_SQUARES,
        tuple(np.linalg.lstsq(X, Y)[0].tolist()),
        lambda x: np.sum((X @ x - Y) ** 2),
        least_squares_gradient,
    ),
    Case(
        "sigmoid by tanh",
        "1/(1 + exp(-x0))",
        (9.0,),
        lambda x: 0.5 * (1 + np.tanh(x[0] / 2)),
        lambda x: 0.25 * (1 - np.tanh(x / 2) ** 2),
    ),
    Case(
        "Gaussian bump far out",
        "exp(-x0**2)",
        (5.5,),
        lambda x: np.exp(-(x[0] ** 2)),
        lambda x: -2 * x * np.exp(-x * x),
    ),
    Case("power by exp and log", "x0**5", (1.9,), lambda x: x[0] ** 5, lambda x: 5 * np.exp(4 * np.log(x))),
    Case(
        "angle by acos",
        "acos(x0/sqrt(x0**2 + x1**2))",
        (3.0, 0.02),
        lambda x: np.arccos(x[0] / np.hypot(*x)),
        lambda x: np.array([-x[1], x[0]]) / (x @ x),
    ),
    Case(
        "masked relu",
        "max(x0, 0) + 2*max(x1, 0) + max(x2, 0)**2",
        (0.7, -1.2, 0.4),
        lambda x: np.maximum(x, 0) @ np.array([1, 2, 0]) + np.maximum(x[2], 0) ** 2,
        lambda x: (x > 0) * np.array([1, 2, 2 * x[2]]),
    ),
    Case(
        "log determinant",
        "log(x0*x2 - x1**2)",
        (1.0, 0.9999, 1.0),
        lambda x: np.log(x[0] * x[2] - x[1] ** 2),
        lambda x: np.array([x[2], -2 * x[1], x[0]]) / (x[0] * x[2] - x[1] ** 2),
    ),
    Case(
        "cross entropy with clip",
        "-log(1/(1 + exp(-x0)))",
        (3.0,),
        lambda x: -np.log(np.clip(sigmoid(x[0]), 1e-12, 1)),
        lambda x: sigmoid(x) - 1,
    ),
    Case(
        "mean of logs",
        "(log(x0) + log(x1))/2 + log(2)",
        (1e-8, 1e8),
        lambda x: np.log(x).mean() + np.log(2),
        lambda x: 1 / (2 * x),
    ),
    Case(
        "difference of squares",
        "x0**2 - x1**2",
        (1e8 + 1, 1e8),
        lambda x: (x[0] - x[1]) * (x[0] + x[1]),
        lambda x: np.array([2 * x[0], -2 * x[1]]),
    ),
)


@dataclass(frozen=True)
class Bug:
    kind: str
    gradient: Callable[[Array], Any]


def bugs(case: Case) -> Iterator[Bug]:
    """Seed a right gradient with bugs, in its largest component unless all are meant."""
    right = case.gradient
    value = np.array(right(np.array(case.point)), dtype=np.float64)
    k = int(np.abs(value).argmax())

    def changed(change: Callable[[Array, Array], Any]) -> Callable[[Array], Any]:
        def gradient(x: Array) -> Array:
            g = np.array(right(np.copy(x)))
            change(g, x)
            return g

        return gradient

    def one(g: Array, factor: float) -> None:
        g[k] = (g[k] * factor).astype(g.dtype)

    yield Bug("factor 2", lambda x: 2 * np.asarray(right(x)))
    yield Bug("sign", changed(lambda g, x: one(g, -1.0)))
    yield Bug("treated as constant", changed(lambda g, x: one(g, 0.0)))
    for size in (1e-1, 1e-3, 1e-6, 1e-8):
        yield Bug(f"{size:g}", changed(lambda g, x, size=size: one(g, 1 + size)))
    if len(value) > 1 and np.unique(value).size > 1:
        yield Bug("shifted", lambda x: np.roll(right(x), 1))
    yield Bug("extra term", changed(lambda g, x: g.__setitem__(k, g[k] * (1 + 0.01 * np.sin(x[k])))))


def size_of(case: Case, bug: Bug) -> tuple[Array, Array]:
    """Return how far the wrong gradient is from the right one, and the right one."""
    x = np.array(case.point)
    right, wrong = (np.array(g(x.copy()), dtype=np.float64) for g in (case.gradient, bug.gradient))
    return np.abs(wrong - right), right


@dataclass
class Score:
    right: int = 0
    alarms: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    bugs: int = 0
    found: int = 0
    broken: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{len(self.alarms)} false alarms and {len(self.unclear)} inconclusive of {self.right} right gradients; "
            f"{self.found} of {self.bugs} bugs called wrong; stated threshold broken {len(self.broken)} times"
        )


def score(cases: tuple[Case, ...], judge: Callable[[Problem], Judgement | None]) -> Score:
    """Judge every case with its right gradient and with every bug; a bug counts only if the right one passes."""
    found = Score()
    for case in cases:
        status = worst(judge(problem(case)))
        found.right += 1
        found.alarms += (case.name,) * (status == "wrong")
        found.unclear += (f"{case.name}: {status}",) * (status not in ("wrong", "consistent"))
        for bug in bugs(case):
            size, right = size_of(case, bug)
            # what is lost in the rounding of the gradient itself is no bug
            if not (size > 0).any():
                continue
            judgement = judge(problem(case, bug.gradient))
            caught = worst(judgement) == "wrong" and status != "wrong"
            found.bugs += 1
            found.found += caught
            if not caught:
                found.missed += (f"{case.name}: {bug.kind} ({size.max() / np.abs(right).max():.2g})",)
                # the size is that of a bug only where the right gradient has digits; 30 %: its rounding adds to it
                if (size > 1.3 * judgement.threshold).any() and status == "consistent":
                    found.broken += (f"{case.name}: {bug.kind} {size.max():.3g} above {judgement.threshold}",)
    return found


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cases", "most_inconclusive", "least_found"), [(EASY, 0, 179), (HARD, 8, 250), (FRESH, 2, 322)]
)
def test_no_right_gradient_is_called_wrong_and_bugs_are(
    cases: tuple[Case, ...], most_inconclusive: int, least_found: int
) -> None:
    found = score(cases, judge_by_neighbours)
    print(found)
    assert found.alarms == ()
    assert found.broken == ()
    assert len(found.unclear) <= most_inconclusive
    assert found.found >= least_found


def judged(formula: str, point: list[float], function: Any, gradient: Any, **options: Any) -> Judgement:
    judgement = judge_by_neighbours(problem(Case("", formula, tuple(point), function, gradient), **options))
    assert judgement is not None
    return judgement


def square(x: Array) -> Any:
    return x @ x


SQUARE = "x0**2 + x1**2"


def noisy(v: Any) -> Any:
    return v + np.sin(1e9 * v) * 1e-12 * v


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("own", [lambda v: v, lambda v: v * (1 + 1e-9), noisy, np.float32, lambda v: 3 * v])
@pytest.mark.parametrize("kind", [SQUARE, "x0**2 + log(1 + cosh(x1/2))"])
def test_a_component_is_judged_by_its_own_claim(kind: str, own: Any) -> None:
    def f(x: Array) -> Any:
        return x[0] ** 2 + (x[1] ** 2 if kind == SQUARE else np.log1p(np.cosh(x[1] / 2)))

    def slope(v: Any) -> Any:
        return 2 * v if kind == SQUARE else np.sinh(v / 2) / 2 / (1 + np.cosh(v / 2))

    found = set()
    # right, not known anywhere, wrong, rounded to float32
    for other in (lambda v: v, lambda v: math.nan, lambda v: 3 * v + 1, np.float32, noisy):
        judgement = judged(
            kind, [3.1, 0.7], f, lambda x, other=other: np.array([other(2 * x[0]), own(slope(x[1]))], dtype=float)
        )
        found.add(judgement.status[1])
    assert len(found) == 1


def test_without_a_formula_the_rule_does_not_apply() -> None:
    assert judge_by_neighbours(problem(EASY[0], formula=None)) is None


@pytest.mark.parametrize("size", [1e-9, 1e-10, 1e-11, 1e-12])
def test_a_bug_far_below_the_error_of_a_finite_difference_is_found(size: float) -> None:
    assert judged(SQUARE, [3.1, 4.2], square, lambda x: 2 * x * (1 + size)).status == ("wrong", "wrong")


def test_the_certified_gradient_and_the_evidence_are_told() -> None:
    judgement = judged(SQUARE, [3.0, 4.0], square, lambda x: 2 * x)
    assert judgement.evidence == "neighbours"
    assert judgement.certified.tolist() == judgement.claimed.tolist() == [6.0, 8.0]
    assert (judgement.threshold > 0).all()


@pytest.mark.parametrize("exponent", [0, 40, -40])
def test_a_gradient_in_float32_of_a_function_in_float64_is_a_fault_of_precision(exponent: int) -> None:
    size = 2.0**exponent
    judgement = judged(
        f"2**({exponent})*({SQUARE})",
        [3.1, 4.2],
        lambda x: size * square(x),
        lambda x: (size * 2 * x).astype(np.float32),
    )
    assert "wrong" in judgement.status
    assert judgement.blame == "gradient"
    assert any("float32 precision" in note for note in judgement.notes)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_no_neighbour_is_farther_than_a_hundredth(kind: Any) -> None:
    asked = []

    def gradient(x: Array) -> Array:
        asked.append(x.copy())
        return np.array([np.exp(kind(x[0])) * kind(x[1]), np.exp(kind(x[0]))])

    judgement = judged("exp(x0)*x1", [0.5, 0.75], lambda x: kind(np.exp(kind(x[0])) * kind(x[1])), gradient)
    assert judgement.status == ("consistent", "consistent")
    assert np.abs(np.array(asked) - [0.5, 0.75]).max() <= 0.01


def test_the_scatter_of_a_finite_difference_is_measured() -> None:
    def difference(x: Array) -> Array:
        return np.array([(square(x + e) - square(x - e)) / 2e-6 for e in 1e-6 * np.eye(2)])

    judgement = judged(SQUARE, [3.1, 4.2], square, difference)
    assert judgement.status == ("consistent", "consistent")
    assert 1e-11 < judgement.rounding < 1e-8


@pytest.mark.parametrize(
    ("gradient", "words"),
    [
        (lambda x: 2 * x * np.nan, "nan"),
        (lambda x: np.array([2 * x[0], np.inf]), "inf"),
    ],
)
def test_what_is_no_number_is_named(gradient: Any, words: str) -> None:
    judgement = judged(SQUARE, [3.1, 4.2], square, gradient)
    assert "wrong" in judgement.status
    assert any(words in note for note in judgement.notes)


def test_an_overflow_inside_is_named() -> None:
    judgement = judged("log(exp(x0) + exp(x1))", [800.0, 1.0], lambda x: np.logaddexp(*x), softmax)
    assert judgement.status[0] == "wrong"
    assert any("range" in note for note in judgement.notes)


def test_a_kink_and_the_edge_of_the_domain_have_their_own_status() -> None:
    kink = judged("abs(x0) + x1**2", [0.0, 1.0], lambda x: abs(x[0]) + x[1] ** 2, lambda x: np.array([1.0, 2 * x[1]]))
    assert kink.status == ("non-smooth", "consistent")
    edge = judged("sqrt(x0)", [0.0], lambda x: np.sqrt(x[0]), lambda x: 0.5 / np.sqrt(x))
    assert edge.status == ("out-of-domain",)


def test_beside_a_kink_a_claim_between_the_slopes_is_not_judged() -> None:
    # x0² and x1 differ by less than an ulp, so that rounding decides which is larger
    x = 1 + 2.0**-30
    formula, point = "max(x0*x0, x1)", [x, x * x]
    between = judged(formula, point, lambda x: max(x[0] * x[0], x[1]), lambda x: np.array([2 * x[0], 0.0]))
    assert between.status == ("inconclusive", "inconclusive")
    outside = judged(formula, point, lambda x: max(x[0] * x[0], x[1]), lambda x: np.array([3.0, 3.0]))
    assert outside.status == ("wrong", "wrong")


@pytest.mark.parametrize(
    ("formula", "function", "gradient"),
    [
        (SQUARE, lambda x: x[0] ** 2 + 1.01 * x[1] ** 2, lambda x: 2 * x),
        (SQUARE, lambda x: x[0] ** 2 + 1.01 * x[1] ** 2, lambda x: np.array([2 * x[0], 2.02 * x[1]])),
        (
            "sin(x0)*x1",
            lambda x: np.sin(x[0]) * x[1] + 0.1 * x[0],
            lambda x: np.array([np.cos(x[0]) * x[1], np.sin(x[0])]),
        ),
        ("exp(x0) + x1", lambda x: np.exp(x[0]) + x[1] + x[0], lambda x: np.array([np.exp(x[0]) + 1, 1.0])),
    ],
)
def test_a_function_that_is_not_its_formula_is_blamed(formula: str, function: Any, gradient: Any) -> None:
    judgement = judged(formula, [1.3, 2.1], function, gradient)
    assert "wrong" in judgement.status
    assert judgement.blame == "formula"


def test_a_gradient_that_contradicts_function_and_formula_is_blamed() -> None:
    assert judged(SQUARE, [1.3, 2.1], square, lambda x: 2.1 * x).blame == "gradient"


def test_a_constant_offset_is_told_and_not_blamed() -> None:
    judgement = judged(SQUARE, [1.3, 2.1], lambda x: x @ x + 7, lambda x: 2 * x)
    assert (judgement.status, judgement.blame) == (("consistent", "consistent"), None)
    assert any("plus a constant, 7" in note for note in judgement.notes)


@pytest.mark.parametrize("lower", [0.0, 1e-9, 1e-3])
def test_no_evaluation_leaves_the_box(lower: float) -> None:
    x = np.array([2.0, 3.0])
    box = (x - lower, x + np.array([1e-6, 5.0]))

    def noting(result: Callable[[Array], Any]) -> Callable[[Array], Any]:
        def noted(p: Array) -> Any:
            seen.append(p.copy())
            return result(p)

        return noted

    for factor, expected in ((2.0, "consistent"), (2 + 1e-6, "wrong")):
        seen: list[Array] = []
        gradient = noting(lambda p, k=factor: k * p)
        assert worst(judged(SQUARE, [2.0, 3.0], noting(square), gradient, box=box)) == expected
        points = np.array(seen)
        assert (points >= box[0]).all()
        assert (points <= box[1]).all()


def test_what_the_callables_raise_at_neighbours_is_no_answer() -> None:
    def only_below(x: Array) -> Array:
        if x[0] > 3.1:
            raise ValueError("too large")
        return 2.001 * x

    assert worst(judged(SQUARE, [3.1, 4.2], square, only_below)) in ("inconclusive", "wrong")

    def only_there(x: Array) -> Array:
        if x[0] != 3.1:
            raise RuntimeError("not there")
        return 2.001 * x

    assert judged(SQUARE, [3.1, 4.2], square, only_there).status == ("inconclusive", "inconclusive")


def test_an_interrupt_is_not_swallowed() -> None:
    def interrupted(x: Array) -> Array:
        if x[0] != 3.1:
            raise KeyboardInterrupt
        return 2.001 * x

    with pytest.raises(KeyboardInterrupt):
        judged(SQUARE, [3.1, 4.2], square, interrupted)


def test_the_same_question_has_the_same_answer() -> None:
    first, second = (judged(SQUARE, [3.1, 4.2], square, lambda x: 2 * x + 1e-9) for _ in range(2))
    assert first.threshold.tolist() == second.threshold.tolist()
    assert (first.status, first.notes, first.rounding) == (second.status, second.notes, second.rounding)


def test_the_number_of_calls_is_what_the_rule_says() -> None:
    calls = {"f": 0, "g": 0}

    def f(x: Array) -> Any:
        calls["f"] += 1
        return square(x)

    def g(x: Array) -> Any:
        calls["g"] += 1
        return 2.001 * x

    judged(SQUARE, [3.1, 4.2], f, g)
    # two at the point, 56 neighbours, and the six lines on which the function is asked
    assert calls["g"] <= 2 + 8 + 6 * 8 + 6 * 11
    assert calls["f"] <= 1 + 2 * 9 + 6 * 12


@pytest.mark.parametrize(
    ("weight", "point"), [(2, [0.7, -0.4, 1.3]), (10, [0.7, -0.4, 1.3]), (1, [0.7, 0.7, 1.0]), (3, [0.5, -0.25, 1.0])]
)
def test_a_derivative_half_way_between_two_floats_is_known(weight: int, point: list[float]) -> None:
    # an ellipsoid turned by 45°: roots of 2 hide that a component is a rational number, so that no ball can round it
    text = f"((x0 - x1)/sqrt(2))**2 + {weight}*((x0 + x1)/sqrt(2))**2 + x2**2"

    def f(x: Array) -> Any:
        return ((x[0] - x[1]) ** 2 + weight * (x[0] + x[1]) ** 2) / 2 + x[2] ** 2

    def g(x: Array) -> Array:
        across, along = x[0] - x[1], weight * (x[0] + x[1])
        return np.array([across + along, along - across, 2 * x[2]])

    right = judged(text, point, f, g)
    assert right.status == ("consistent",) * 3
    assert any("as closely as the rounding of its formula allows" in note for note in right.notes)
    assert judged(text, point, f, lambda x: g(x) * (1 + 1e-12)).status[2] == "wrong"


def test_the_words_of_agreement_are_said_of_what_agrees() -> None:
    def g(x: Array) -> Array:
        return np.array([0.0, 2 * x[1]])

    found = judged("abs(x0) + x1**2", [0.0, 4.2], lambda x: abs(x[0]) + x[1] ** 2, g)
    assert found.status == ("non-smooth", "consistent")
    assert any(note.startswith("the other components agree with") for note in found.notes)
    assert not any(note.startswith("the gradient agrees") for note in found.notes)


def test_a_constant_derivative_rounds_as_what_it_is_computed_from() -> None:
    c = np.array([0.1, 0.25, 0.7, 0.35])

    def opaque(x: Any) -> Any:
        return np.frombuffer(np.asarray(x).tobytes())

    # the last component is 0 in floats and 7e-18 in real numbers
    right = dc.check_gradient(
        lambda x: np.sum(c * (x - x.mean())), lambda x: c - c.mean() + 0 * opaque(x), [0.3, 0.7, 1.1, 0.2]
    )
    assert right.status == "consistent", right.explain()
    # what is small by itself keeps its threshold
    small = dc.check_gradient(lambda x: x[0] + 1e-20 * x[1], lambda x: [1.0, 2e-20] + 0 * opaque(x), [1.0, 1.0])
    assert small.components["status"].tolist()[1] != "consistent", small.explain()


@pytest.mark.parametrize("x", [-8.5, -8.2, -12.0])
def test_what_the_point_and_the_constants_carry_is_right_where_the_formula_cancels(x: float) -> None:
    # 1 + erf is 0 in floats or a last digit of 1; the tail is right to 34 units, which is the rounding of sqrt(2)
    def tail(x: Any) -> float:
        return float(str(float(math.erfc(-x / math.sqrt(2)) / 2 + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi))))

    def gelu(x: Any) -> Any:
        return 0.5 * x * (1 + erf(x / np.sqrt(2)))

    right = dc.check_gradient(gelu, tail, x)
    assert right.status == "consistent", right.explain()
    # the gradient of the formula in floats is this far off: neither right nor wrong
    coarse = dc.check_gradient(gelu, lambda x: 1.015 * tail(x), x)
    assert coarse.status == "inconclusive", coarse.explain()


def test_numbers_of_the_code_are_as_exact_as_beside_a_traced_gradient() -> None:
    # 1 + erf cancels what float arithmetic among constants, as the root of 2, would leave of the derivative
    def f(x: Any) -> Any:
        t = x[0] - 6.47
        return 0.1 * (0.5 * t * (1 + erf(t / np.sqrt(2))))

    def gradient(x: Any) -> Any:
        t = x[0] - 6.47
        return np.array([0.1 * (0.5 * (1 + erf(t / np.sqrt(2))) + t * np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi))])

    def opaque(x: Any) -> Any:
        return np.array([float(repr(float(v))) for v in gradient(x)])

    found = [dc.check_gradient(f, g, np.zeros(1)) for g in (gradient, opaque)]
    assert [v.evidence for v in found] == ["identity", "neighbours"]
    # mpmath, 60 digits
    assert [float(v.components["certified"][0]) for v in found] == [-2.049143103277729e-10] * 2


@pytest.mark.thorough
def test_code_with_much_data_is_traced_as_it_computes() -> None:
    data = np.linspace(0.1, 3.0, 30_000)

    def opaque(x: Any) -> Any:
        return np.array([float(repr(float(2 * x[0] * np.mean(np.sqrt(data)))))])

    verdict = dc.check_gradient(lambda x: x[0] ** 2 * np.mean(np.sqrt(data)), opaque, np.array([1.5]))
    assert (verdict.status, verdict.evidence) == ("consistent", "neighbours")


def test_where_the_derivative_is_0_as_far_as_can_be_told_0_is_shown() -> None:
    # ψ(1) - ψ(2) + 1 is 0, and no number of bits decides it
    def f(x: Array) -> Any:
        apart = x[2] - x[1]
        return x[2] + special.betaln(x[1], x[0]) - apart

    def gradient(x: Array) -> Array:
        both = special.psi(x[1] + x[0])
        return np.array([float(str(float(v))) for v in (special.psi(x[0]) - both, special.psi(x[1]) - both + 1, 0.0)])

    verdict = dc.check_gradient(f, gradient, np.ones(3))
    assert (verdict.evidence, verdict.status) == ("neighbours", "consistent")
    assert verdict.components["certified"].tolist() == [-1.0, 0.0, 0.0]


def test_a_derivative_far_smaller_than_what_it_is_made_of_is_certified() -> None:
    def f(x: Any) -> Any:
        return np.sqrt(x @ x) - x.sum()

    def gradient(x: Any) -> Any:
        return np.array([float(repr(v)) for v in (x / np.sqrt(x @ x) - 1).tolist()])

    verdict = dc.check_gradient(f, gradient, [1e150, 1e-05, 1.0])
    assert verdict.evidence == "neighbours"
    # -(1 + 1e-10)/2e300, to all digits of a float
    assert verdict.components["certified"][0] == -5.0000000005e-301


@pytest.mark.parametrize("read", [np.asarray, lambda g: np.array([float(repr(float(v))) for v in g])])
def test_a_coordinate_that_is_lost_in_larger_numbers_is_nobody_s_fault(read: Any) -> None:
    def f(x: Any) -> Any:
        return 1e-15 * np.sum(special.kn(2, 1.6e-05 * x + 16.2)) - np.einsum("i->", x[1:] - x[:-1])

    def gradient(x: Any) -> Any:
        t = 1.6e-05 * x + 16.2
        ends = (np.arange(4) == 0) * 1.0 - (np.arange(4) == 3)
        return read(1e-15 * 1.6e-05 * -0.5 * (special.kn(1, t) + special.kn(3, t)) + ends)

    verdict = dc.check_gradient(f, gradient, [-1e-12, 0.0, 1e6, 5e-228])
    assert verdict.status != "wrong"
    assert verdict.blame is None
