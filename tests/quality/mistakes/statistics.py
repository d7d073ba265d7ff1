"""Log-likelihoods."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "gaussian",
        """
data = 2.0 + 1.5 * rng.normal(size=1200)
at = np.array([1.7, 0.3])


def f(p):
    mu, log_sigma = p[0], p[1]
    z = (data - mu) / np.exp(log_sigma)
    return np.sum(0.5 * z**2 + log_sigma + 0.5 * np.log(2 * np.pi))


def gradient(p):
    mu, sigma = p[0], np.exp(p[1])
    z = (data - mu) / sigma
    return np.array([-np.sum(z) / sigma, len(data) - np.sum(z**2)])
""",
        Bug("chain", "-np.sum(z) / sigma", "-np.sum(z)", also="exp"),
        Bug("square", "np.sum(z**2)])", "np.sum(z)])", also="factor"),
        Bug("mean", "len(data) - np.sum", "1 - np.sum", number=1200, also="constant"),
        Bug("sign", "-np.sum(z) / sigma", "np.sum(z) / sigma"),
        Bug(
            "chain", "len(data) - np.sum(z**2)", "(len(data) - np.sum(z**2)) / sigma", also="exp|other function|factor"
        ),
    ),
    case(
        "student_t",
        """
X = np.column_stack([np.ones(70), rng.normal(size=(70, 2))])
y = X @ [1.0, -2.0, 0.5] + rng.standard_t(3, size=70)
nu = 4.0
at = np.array([0.8, -1.7, 0.6, 0.2])


def f(p):
    beta, s2 = p[:3], np.exp(2 * p[3])
    return 0.5 * (nu + 1) * np.sum(np.log(1 + (y - X @ beta) ** 2 / (nu * s2))) + len(y) * p[3]


def gradient(p):
    beta, s2 = p[:3], np.exp(2 * p[3])
    r = y - X @ beta
    w = (nu + 1) / (nu * s2 + r**2)
    grad = np.empty(4)
    grad[:3] = -X.T @ (w * r)
    grad[3] = len(y) - np.sum(w * r**2)
    return grad
""",
        Bug("constant", "w = (nu + 1) / (nu", "w = nu / (nu", number=1.25),
        Bug("square", "np.sum(w * r**2)", "np.sum(w * r)", also="factor|r\\b"),
        Bug("missing term", "grad[3] = len(y) - np", "grad[3] = -np", also="70"),
        Bug("ascent", "    return grad\n", "    return -grad\n"),
        Bug("parenthesis", "(nu * s2 + r**2)", "nu * (s2 + r**2)", also="nu|4|constant"),
    ),
    case(
        "beta",
        """
from scipy.special import digamma, gammaln

u = rng.beta(2.0, 5.0, size=40)
at = np.log([1.5, 4.0])


def f(p):
    a, b = np.exp(p[0]), np.exp(p[1])
    n = len(u)
    log_beta = gammaln(a) + gammaln(b) - gammaln(a + b)
    return n * log_beta - (a - 1) * np.sum(np.log(u)) - (b - 1) * np.sum(np.log(1 - u))


def gradient(p):
    a, b = np.exp(p)
    common = digamma(a + b)
    da = len(u) * (digamma(a) - common) - np.log(u).sum()
    db = len(u) * (digamma(b) - common) - np.log1p(-u).sum()
    return np.array([a * da, b * db])
""",
        Bug("chain", "[a * da, b * db]", "[a * da, db]", also="exp"),
        Bug("mean", "da = len(u) * (digamma(a) - common)", "da = (digamma(a) - common)", number=40),
        Bug("missing term", "(digamma(b) - common)", "digamma(b)", also="a \\+ b|gammaln"),
        Bug("variable", "np.log1p(-u).sum()", "np.log(u).sum()", also="1 - |other|term"),
        Bug("permuted", "[a * da, b * db]", "[b * db, a * da]"),
    ),
    case(
        "ordinal",
        """
n = 90
X = rng.normal(size=(n, 2))
level = rng.integers(0, 3, n)
at = np.array([0.4, -0.6, -0.8, 0.9])


def logistic(z):
    return 1 / (1 + np.exp(-z))


def f(p):
    eta = X @ p[:2]
    low, high = logistic(p[2] - eta), logistic(p[3] - eta)
    prob = np.where(level == 0, low, np.where(level == 1, high - low, 1 - high))
    return -np.sum(np.log(prob))


def gradient(p):
    grad = np.zeros(4)
    for x, k in zip(X, level):
        eta = x @ p[:2]
        a, b = logistic(p[2] - eta), logistic(p[3] - eta)
        da, db = a * (1 - a), b * (1 - b)
        if k == 0:
            grad[2] -= da / a
            grad[:2] += da / a * x
        elif k == 1:
            gap = b - a
            grad[2] += da / gap
            grad[3] -= db / gap
            grad[:2] += (db - da) / gap * x
        else:
            grad[3] += db / (1 - b)
            grad[:2] -= db / (1 - b) * x
    return grad
""",
        Bug("sign", "grad[:2] -= db / (1 - b) * x", "grad[:2] += db / (1 - b) * x"),
        Bug("chain", "grad[2] -= da / a\n", "grad[2] -= da\n"),
        Bug("missing term", "(db - da) / gap * x", "db / gap * x"),
        Bug("square", "da, db = a * (1 - a), b", "da, db = a * (1 - a**2), b", also="1 \\+|factor"),
        Bug("index", "grad[3] += db / (1 - b)", "grad[2] += db / (1 - b)"),
        Bug("accumulation", "grad[3] -= db / gap", "grad[3] = -db / gap"),
    ),
    case(
        "precision",
        """
Y = rng.normal(size=(60, 3)) @ np.array([[1.0, 0.0, 0.0], [0.5, 1.0, 0.0], [0.2, -0.3, 0.8]])
S = Y.T @ Y / len(Y)
at = np.array([[1.2, 0.1, -0.2], [0.1, 1.0, 0.3], [-0.2, 0.3, 1.5]])


def f(P):
    sign, logdet = np.linalg.slogdet(P)
    return 0.5 * (np.trace(S @ P) - logdet) + 0.1 * np.sum(np.sqrt(P**2 + 0.01))


def gradient(P):
    penalty = P / np.sqrt(P**2 + 0.01)
    return 0.5 * (S - np.linalg.inv(P).T) + 0.1 * penalty
""",
        Bug("factor", "0.5 * (S - np.linalg.inv(P).T)", "S - np.linalg.inv(P).T", number=2, also="extra|twice"),
        Bug("sign", "S - np.linalg.inv(P).T", "S + np.linalg.inv(P).T"),
        Bug("square", "P / np.sqrt(P**2 + 0.01)", "P / (P**2 + 0.01)", also="sqrt|factor"),
        Bug("missing term", " + 0.1 * penalty", ""),
    ),
    case(
        "negative_binomial",
        """
from scipy.special import digamma, gammaln

counts = rng.negative_binomial(3, 0.4, size=80)
x = rng.normal(size=80)
at = np.array([0.9, 0.2, 0.7])


def f(p):
    mu, r = np.exp(p[0] + p[1] * x), np.exp(p[2])
    ll = gammaln(counts + r) - gammaln(r) + r * np.log(r / (r + mu)) + counts * np.log(mu / (r + mu))
    return -np.sum(ll)


def gradient(p):
    mu, r = np.exp(p[0] + p[1] * x), np.exp(p[2])
    d_eta = counts - mu * (counts + r) / (r + mu)
    d_r = digamma(counts + r) - digamma(r) + np.log(r / (r + mu)) + 1 - (counts + r) / (r + mu)
    return -np.array([np.sum(d_eta), np.sum(d_eta * x), r * np.sum(d_r)])
""",
        Bug("chain", "r * np.sum(d_r)", "np.sum(d_r)", also="exp"),
        Bug("missing term", " - digamma(r) + np.log", " + np.log", also="gammaln"),
        Bug("product", " + 1 - (counts + r) / (r + mu)\n", "\n", also="quotient|term"),
        Bug("ascent", "return -np.array", "return np.array"),
        Bug("chain", "np.sum(d_eta * x)", "np.sum(d_eta)", also="\\bx\\b|repeats"),
    ),
    case(
        "weibull",
        """
time = rng.weibull(1.4, size=100) * 3
event = rng.random(100) < 0.7
Z = rng.normal(size=(100, 2))
at = np.array([0.3, 0.2, -0.1, 0.4])


class Survival:
    def __init__(self, time, event, Z):
        self.log_time, self.event, self.Z = np.log(time), event.astype(float), Z

    def hazard(self, p):
        return np.exp(p[0]), self.Z @ p[2:] + p[1]

    def loss(self, p):
        k, eta = self.hazard(p)
        return -np.sum(self.event * (p[0] + (k - 1) * self.log_time + eta) - np.exp(k * self.log_time + eta))

    def gradient(self, p):
        k, eta = self.hazard(p)
        H = np.exp(k * self.log_time + eta)
        score = self.event - H
        d_k = np.sum(self.event) + k * np.sum(score * self.log_time)
        return -np.concatenate([[d_k, np.sum(score)], score @ self.Z])


model = Survival(time, event, Z)
f, gradient = model.loss, model.gradient
""",
        Bug("chain", "+ k * np.sum(score", "+ np.sum(score", also="exp"),
        Bug("missing term", "d_k = np.sum(self.event) + k", "d_k = k"),
        Bug("sign", "score = self.event - H", "score = self.event + H"),
        Bug("constant", "score = self.event - H", "score = 1.0 - H", also="event|instead"),
        Bug("permuted", "[d_k, np.sum(score)]", "[np.sum(score), d_k]"),
    ),
    case(
        "von_mises",
        """
from scipy.special import i0, i1

angles = rng.vonmises(0.5, 2.0, size=50)
at = np.array([0.3, 0.6])


def f(p):
    kappa = np.exp(p[1])
    return len(angles) * np.log(2 * np.pi * i0(kappa)) - kappa * np.sum(np.cos(angles - p[0]))


def gradient(p):
    kappa = np.exp(p[1])
    d_mu = -kappa * np.sin(angles - p[0]).sum()
    d_kappa = len(angles) * i1(kappa) / i0(kappa) - np.cos(angles - p[0]).sum()
    return np.array([d_mu, kappa * d_kappa])
""",
        Bug("sign", "d_mu = -kappa", "d_mu = kappa"),
        Bug("function", "np.cos(angles - p[0]).sum()\n", "np.sin(angles - p[0]).sum()\n", also="cos"),
        Bug("chain", "len(angles) * i1(kappa) / i0(kappa)", "len(angles) * i1(kappa)", also="quotient|log|i0"),
        Bug("degrees", "np.sin(angles - p[0])", "np.sin(np.radians(angles - p[0]))"),
        Bug("chain", "[d_mu, kappa * d_kappa]", "[d_mu, d_kappa]", also="exp"),
    ),
    case(
        "density",
        """
sample = rng.normal(size=(35, 2))
h = 0.6
at = np.array([0.4, -0.2])


def f(x):
    d2 = np.sum((sample - x) ** 2, axis=1)
    return np.log(np.mean(np.exp(-0.5 * d2 / h**2)))


def gradient(x):
    diff = sample - x
    k = np.exp(-0.5 * np.sum(diff**2, axis=1) / h**2)
    return k @ diff / k.sum() / h**2
""",
        Bug(
            "other target",
            "k @ diff / k.sum() / h**2",
            "k @ diff / len(k) / h**2",
            also="chain factor|0[.]\\d+ is missing",
        ),
        Bug("exponent", "k.sum() / h**2", "k.sum() / h", number=0.6),
        Bug("sign", "diff = sample - x", "diff = x - sample"),
        Bug("square", "np.sum(diff**2, axis=1)", "np.sum(np.abs(diff), axis=1)", also="abs"),
    ),
    case(
        "eight_schools",
        """
effect = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
error = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
at = np.concatenate([[4.0, 1.2], 5 + 3 * rng.normal(size=8)])


def f(p):
    mu, tau, theta = p[0], np.exp(p[1]), p[2:]
    prior = np.sum(0.5 * ((theta - mu) / tau) ** 2) + 8 * p[1] + 0.5 * (mu / 5) ** 2 + 0.5 * (tau / 5) ** 2
    return np.sum(0.5 * ((effect - theta) / error) ** 2) + prior


def gradient(p):
    mu, tau, theta = p[0], np.exp(p[1]), p[2:]
    z = (theta - mu) / tau
    grad = np.zeros(10)
    grad[0] = -np.sum(z) / tau + mu / 25
    grad[1] = 8 - np.sum(z**2) + tau**2 / 25
    grad[2:] = z / tau - (effect - theta) / error**2
    return grad
""",
        Bug("exponent", "(effect - theta) / error**2", "(effect - theta) / error", also="factor"),
        Bug("missing term", " + tau**2 / 25", ""),
        Bug("chain", "+ tau**2 / 25", "+ tau / 25", also="exp|x\\[1\\]"),
        Bug("constant", "+ mu / 25\n", "+ mu / 5\n", number=5),
        Bug("index", "z / tau - (effect - theta)", "np.roll(z, 1) / tau - (effect - theta)", also="roll"),
    ),
]
