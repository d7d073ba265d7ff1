"""Test functions of optimisation, and a price."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "rosenbrock",
        """
at = np.sin(np.arange(100_000.0))


def f(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def gradient(x):
    grad = np.zeros_like(x)
    gap = x[1:] - x[:-1] ** 2
    grad[:-1] = -400 * x[:-1] * gap - 2 * (1 - x[:-1])
    grad[1:] += 200 * gap
    return grad
""",
        Bug("accumulation", "grad[1:] += 200 * gap", "grad[1:] = 200 * gap"),
        Bug("chain", "-400 * x[:-1] * gap", "-400 * gap", also="x\\["),
        Bug("index", "-400 * x[:-1] * gap", "-400 * x[1:] * gap"),
        Bug("factor", "+= 200 * gap", "+= 100 * gap", number=2),
    ),
    case(
        "ackley",
        """
at = rng.uniform(-2.0, 2.0, 12)


def f(x):
    n = len(x)
    return -20 * np.exp(-0.2 * np.sqrt(x @ x / n)) - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e


def gradient(x):
    n = len(x)
    rms = np.sqrt(x @ x / n)
    first = 4 * np.exp(-0.2 * rms) * x / (n * rms)
    waves = np.exp(np.cos(2 * np.pi * x).sum() / n)
    return first + waves * 2 * np.pi * np.sin(2 * np.pi * x) / n
""",
        Bug("chain", "waves * 2 * np.pi * np.sin", "waves * np.sin", number=6.28319, also="2\\*pi|chain"),
        Bug("mean", "x / (n * rms)", "x / rms", number=12),
        Bug("function", "np.sin(2 * np.pi * x) / n", "np.cos(2 * np.pi * x) / n", also="chain|sin"),
        Bug("constant", "4 * np.exp(-0.2 * rms)", "4 * np.exp(-0.02 * rms)", also="0[.]2|0[.]02"),
        Bug("constant", "waves * 2 * np.pi *", "waves * 2 * 3.14 *", also="3[.]14|pi"),
    ),
    case(
        "powell",
        """
at = rng.normal(size=16)


def f(x):
    total = 0.0
    for i in range(0, len(x), 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        total = total + (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4
    return total


def gradient(x):
    g = np.zeros(len(x))
    for i in range(0, len(x), 4):
        a, b, c, d = x[i : i + 4]
        g[i] = 2 * (a + 10 * b) + 40 * (a - d) ** 3
        g[i + 1] = 20 * (a + 10 * b) + 4 * (b - 2 * c) ** 3
        g[i + 2] = 10 * (c - d) - 8 * (b - 2 * c) ** 3
        g[i + 3] = -10 * (c - d) - 40 * (a - d) ** 3
    return g
""",
        Bug("factor", "- 8 * (b - 2 * c) ** 3", "- 4 * (b - 2 * c) ** 3", number=2),
        Bug("exponent", "+ 40 * (a - d) ** 3", "+ 40 * (a - d) ** 4", also="factor"),
        Bug("sign", "= -10 * (c - d)", "= 10 * (c - d)"),
        Bug("missing term", " + 4 * (b - 2 * c) ** 3", ""),
        Bug("variable", "= 20 * (a + 10 * b)", "= 20 * (a + 10 * c)", also="x\\[|index"),
        Bug("doubled term", "- 40 * (a - d) ** 3\n    return", "- 80 * (a - d) ** 3\n    return"),
    ),
    case(
        "griewank",
        """
at = rng.uniform(-3.0, 3.0, 10)


def f(x):
    return 1 + np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, len(x) + 1))))


def gradient(x):
    root = np.sqrt(np.arange(1, len(x) + 1))
    c = np.cos(x / root)
    grad = x / 2000
    for i in range(len(x)):
        others = np.prod(np.delete(c, i))
        grad[i] += np.sin(x[i] / root[i]) / root[i] * others
    return grad
""",
        Bug("chain", "np.sin(x[i] / root[i]) / root[i] * others", "np.sin(x[i] / root[i]) * others"),
        Bug("sign", "grad[i] += np.sin", "grad[i] -= np.sin"),
        Bug("factor", "grad = x / 2000", "grad = x / 4000", number=2),
        Bug(
            "loop",
            "np.arange(1, len(x) + 1))\n    c",
            "np.arange(len(x)) + 0.5)\n    c",
            also="factor|index|constant|number",
        ),
        Bug("chain", "others = np.prod(np.delete(c, i))", "others = np.prod(c)", also="cos|factor"),
    ),
    case(
        "trigonometric",
        """
at = np.linspace(0.1, 0.9, 25)


def f(x):
    n = len(x)
    i = np.arange(1, n + 1)
    r = n - np.sum(np.cos(x)) + i * (1 - np.cos(x)) - np.sin(x)
    return np.sum(r**2)


def gradient(x):
    n = len(x)
    i = np.arange(1, n + 1)
    s, c = np.sin(x), np.cos(x)
    r = n - c.sum() + i * (1 - c) - s
    return 2 * (s * r.sum() + r * (i * s - c))
""",
        Bug("mean", "s * r.sum()", "s * r.mean()", number=25, also="factor n\\b|sum.* in place of .*mean"),
        Bug("missing term", "2 * (s * r.sum() + r * (i * s - c))", "2 * r * (i * s - c)", also="sum"),
        Bug("loop", "i = np.arange(1, n + 1)\n    s,", "i = np.arange(n)\n    s,", also="index|shift|arange|constant"),
        Bug("sign", "(i * s - c)", "(i * s + c)"),
        Bug("parenthesis", "2 * (s * r.sum() + r", "(2 * s * r.sum() + r", also="\\b2\\b"),
    ),
    case(
        "black_scholes",
        """
from scipy.special import ndtr

strike = np.linspace(80.0, 120.0, 9)
quoted = np.maximum(100 - strike, 0) + 4.0
maturity = 0.4
at = np.array([0.25, 0.02])


def d_plus(vol, rate):
    return (np.log(100 / strike) + (rate + vol**2 / 2) * maturity) / (vol * np.sqrt(maturity))


def f(p):
    vol, rate = p[0], p[1]
    d1 = d_plus(vol, rate)
    price = 100 * ndtr(d1) - strike * np.exp(-rate * maturity) * ndtr(d1 - vol * np.sqrt(maturity))
    return np.sum((price - quoted) ** 2)


def gradient(p):
    vol, rate = p[0], p[1]
    d1 = d_plus(vol, rate)
    d2 = d1 - vol * np.sqrt(maturity)
    discounted = strike * np.exp(-rate * maturity)
    error = 100 * ndtr(d1) - discounted * ndtr(d2) - quoted
    vega = 100 * np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi) * np.sqrt(maturity)
    rho = maturity * discounted * ndtr(d2)
    return np.array([2 * np.sum(error * vega), 2 * np.sum(error * rho)])
""",
        Bug(
            "variable", "rho = maturity * discounted * ndtr(d2)", "rho = maturity * discounted * ndtr(d1)", also="d1|d2"
        ),
        Bug("chain", "rho = maturity * discounted", "rho = discounted", number=0.4),
        Bug("factor", "/ np.sqrt(2 * np.pi) *", "/ np.sqrt(np.pi) *", number=2**0.5, also="sqrt\\((2|0[.]5)\\)"),
        Bug("chain", " * np.sqrt(maturity)\n    rho", "\n    rho", number=0.4**0.5, also="sqrt"),
        Bug("square", "np.exp(-(d1**2) / 2)", "np.exp(-d1 / 2)", also="exp|instead"),
    ),
]
