"""Losses of regression, classification and ranking."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "huber",
        """
X = rng.normal(size=(300, 6))
y = X @ np.arange(6.0) + rng.standard_t(2, size=300)
delta = 1.5
at = 0.5 * np.arange(6.0) + 0.1


def f(w):
    r = X @ w - y
    a = np.abs(r)
    return np.sum(np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta))) / len(y)


def gradient(w):
    residual = X @ w - y
    small = np.abs(residual) <= delta
    psi = np.where(small, residual, delta * np.sign(residual))
    return X.T @ psi / len(residual)
""",
        Bug("factor", "psi = np.where(small, residual,", "psi = np.where(small, 2 * residual,", number=2),
        Bug("mean", "X.T @ psi / len(residual)", "X.T @ psi", number=300),
        Bug("chain", "delta * np.sign(residual)", "np.sign(residual)", also="delta|1[.]5"),
        Bug("sign", "X @ w - y\n    small", "y - X @ w\n    small", also="r\\b"),
        Bug("constant", "<= delta\n    psi", "<= 1.0\n    psi", also="branch|condition|bound|clip|other side"),
    ),
    case(
        "poisson",
        """
n = 120
X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
exposure = rng.uniform(0.5, 3.0, n)
counts = rng.poisson(2.0 * exposure)
at = np.array([0.3, -0.2, 0.1, 0.4])


def f(beta):
    eta = X @ beta + np.log(exposure)
    return np.sum(np.exp(eta) - counts * eta) + 0.05 * beta[1:] @ beta[1:]


def gradient(beta):
    mu = exposure * np.exp(X @ beta)
    grad = X.T @ (mu - counts)
    grad[1:] += 0.1 * beta[1:]
    return grad
""",
        Bug("factor", "+= 0.1 * beta[1:]", "+= 0.05 * beta[1:]", number=2, also="product rule"),
        Bug("index", "grad[1:] += 0.1 * beta[1:]", "grad[:-1] += 0.1 * beta[1:]"),
        Bug(
            "extra term",
            "grad[1:] += 0.1 * beta[1:]",
            "grad += 0.1 * beta",
            also="intercept|constant",
            place="0.1 * beta",
        ),
        Bug("chain", "mu = exposure * np.exp(X @ beta)", "mu = np.exp(X @ beta)", also="exposure|instead"),
        Bug("sign", "+= 0.1", "-= 0.1"),
    ),
    case(
        "weighted_intercept",
        """
t = np.linspace(0.0, 4.0, 80)
y = 1.0 + 0.5 * np.cos(2 * t)
weight = 1.0 / (1.0 + t**2)
at = np.array([0.8, 0.3, -0.4, 1.7])


def model(p):
    return p[0] + p[1] * np.exp(p[2] * t) + np.sin(p[3] * t)


def f(p):
    return 0.5 * np.sum(weight * (model(p) - y) ** 2)


def gradient(p):
    r = weight * (model(p) - y)
    grad = np.zeros(4)
    grad[0] = np.sum(r)
    grad[1] = np.sum(r * np.exp(p[2] * t))
    grad[2] = np.sum(r * p[1] * t * np.exp(p[2] * t))
    grad[3] = np.sum(r * t * np.cos(p[3] * t))
    return grad
""",
        Bug("chain", "r * t * np.cos", "r * np.cos"),
        Bug("chain", "r * p[1] * t * np.exp", "r * t * np.exp", also="x\\[1\\]|p\\[1\\]"),
        Bug("function", "np.cos(p[3]", "np.sin(p[3]", also="chain factor|cos"),
        Bug("mean", "grad[0] = np.sum(r)", "grad[0] = np.mean(r)", number=80),
        Bug("chain", "r = weight * (model(p) - y)", "r = model(p) - y", also="weight|instead"),
        Bug("chain", "grad[1] = np.sum(r * np.exp", "grad[1] = np.sum(r * t * np.exp"),
    ),
    case(
        "quantile",
        """
X = rng.normal(size=(60, 4))
y = rng.gamma(2.0, size=60)
tau, width = 0.8, 0.25
at = np.array([0.4, -0.3, 0.2, 0.6])


def f(w):
    # the pinball loss, smoothed
    u = y - X @ w
    return np.mean(tau * u + width * np.log1p(np.exp(-u / width)))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def gradient(w):
    u = y - X @ w
    slope = tau - sigmoid(-u / width)
    return -(slope @ X) / len(y)
""",
        Bug("sign", "return -(slope @ X)", "return (slope @ X)"),
        Bug("chain", "tau - sigmoid", "tau - width * sigmoid", number=0.25),
        Bug("sign", "sigmoid(-u / width)", "sigmoid(u / width)", also="exp"),
        Bug("missing term", "tau - sigmoid(", "-sigmoid(", also="tau"),
        Bug("variable", "sigmoid(-u / width)", "sigmoid(-u / tau)", also="width|tau|0[.]25|0[.]8|constant"),
    ),
    case(
        "multitask",
        """
X = rng.normal(size=(40, 5))
Y = rng.normal(size=(40, 3))
A = np.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
at = rng.normal(size=(5, 3))


def f(W):
    R = X @ W - Y
    return 0.5 * np.sum(R * R) / len(X) + 0.3 * np.trace(W @ A @ W.T)


def gradient(W):
    data = X.T @ (X @ W - Y) / len(X)
    coupling = W @ (A + A.T)
    return data + 0.3 * coupling
""",
        Bug("missing term", "W @ (A + A.T)", "W @ A", also="\\b2\\b|half"),
        Bug("constant", "data + 0.3 * coupling", "data + 0.03 * coupling", number=10),
        Bug("mean", "(X @ W - Y) / len(X)\n    coupling", "(X @ W - Y) / Y.size\n    coupling", number=3),
        Bug("missing term", "return data + 0.3 * coupling", "return data"),
    ),
    case(
        "focal",
        """
X = rng.normal(size=(250, 4))
positive = rng.random(250) < 0.3
gamma = 2.0
at = np.array([0.2, -0.7, 0.5, 0.1])


def f(w):
    z = np.where(positive, 1.0, -1.0) * (X @ w)
    p = 1 / (1 + np.exp(-z))
    return -np.mean((1 - p) ** gamma * np.log(p))


def gradient(w):
    s = np.where(positive, 1.0, -1.0)
    p = 1 / (1 + np.exp(-s * (X @ w)))
    # d/dp of -(1 - p)^gamma log p
    outer = gamma * (1 - p) ** (gamma - 1) * np.log(p) - (1 - p) ** gamma / p
    dz = outer * p * (1 - p)
    return (dz * s) @ X / len(s)
""",
        Bug("product", " - (1 - p) ** gamma / p", "", also="term"),
        Bug("exponent", "(gamma - 1) * np.log", "gamma * np.log", also="1 - p|factor"),
        Bug("chain", "outer * p * (1 - p)", "outer * p", also="1 - "),
        Bug("chain", "(dz * s) @ X", "dz @ X", also="s\\b|sign"),
        Bug("sign", "np.log(p) - (1 - p) ** gamma / p", "np.log(p) + (1 - p) ** gamma / p"),
    ),
    case(
        "triplet",
        """
points = rng.normal(size=(12, 3))
triplets = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11), (0, 4, 8), (2, 6, 10)]
margin = 1.0
at = np.array([[1.0, 0.2, -0.1], [0.3, 0.8, 0.5]])


def f(L):
    total = 0.0
    for a, p, q in triplets:
        near = L @ (points[a] - points[p])
        far = L @ (points[a] - points[q])
        total = total + np.maximum(0.0, margin + near @ near - far @ far)
    return total


def gradient(L):
    grad = np.zeros((2, 3))
    for a, p, q in triplets:
        u, v = points[a] - points[p], points[a] - points[q]
        gap = margin + np.sum((L @ u) ** 2) - np.sum((L @ v) ** 2)
        if gap > 0:
            grad += 2 * np.outer(L @ u, u)
            grad -= 2 * np.outer(L @ v, v)
    return grad
""",
        Bug("factor", "grad -= 2 * np.outer(L @ v, v)", "grad -= np.outer(L @ v, v)", number=2),
        Bug("sign", "grad -= 2", "grad += 2"),
        Bug("variable", "np.outer(L @ v, v)", "np.outer(L @ v, u)", also="points|chain|factor"),
        Bug("loop", "for a, p, q in triplets:\n        u, v", "for a, p, q in triplets[1:]:\n        u, v"),
    ),
    case(
        "bce_guard",
        """
X = rng.normal(size=(400, 3))
target = (rng.random(400) < 0.4).astype(float)
eps = 1e-3
at = np.array([0.5, -1.0, 0.25])


def f(w):
    q = 1 / (1 + np.exp(-X @ w))
    return -np.mean(target * np.log(q + eps) + (1 - target) * np.log(1 - q + eps))


def gradient(w):
    q = 1 / (1 + np.exp(-X @ w))
    dq = (1 - target) / (1 - q + eps) - target / (q + eps)
    return X.T @ (dq * q * (1 - q)) / X.shape[0]
""",
        Bug("guard", "target / (q + eps)\n", "target / q\n"),
        Bug(
            "guard",
            "dq = (1 - target) / (1 - q + eps) - target / (q + eps)",
            "dq = (1 - target) / (1 - q) - target / q",
        ),
        Bug("mean", "/ X.shape[0]", "/ X.shape[1]", also="400|133", number=400 / 3),
        Bug("chain", "dq * q * (1 - q)", "dq * (1 - q)", also="factor"),
        Bug("sign", "(1 - q + eps) - target /", "(1 - q + eps) + target /"),
    ),
    case(
        "log_cosh_ar",
        """
series = np.cumsum(rng.normal(size=50)) / 5
at = np.array([0.1, 0.6, -0.2])


def f(a):
    error = series[2:] - a[0] - a[1] * series[1:-1] - a[2] * series[:-2]
    return np.sum(np.log(np.cosh(error)))


def gradient(a):
    grad = np.zeros(3)
    for t in range(2, len(series)):
        e = series[t] - a[0] - a[1] * series[t - 1] - a[2] * series[t - 2]
        slope = np.tanh(e)
        grad[0] -= slope
        grad[1] -= slope * series[t - 1]
        grad[2] -= slope * series[t - 2]
    return grad
""",
        Bug("index", "grad[2] -= slope * series[t - 2]", "grad[2] -= slope * series[t - 1]", also="repeats"),
        Bug("loop", "for t in range(2, len(series)):", "for t in range(2, len(series) - 1):"),
        Bug("function", "slope = np.tanh(e)", "slope = np.sinh(e)", also="chain|tanh"),
        Bug("accumulation", "grad[1] -= slope * series[t - 1]", "grad[1] = -slope * series[t - 1]"),
        Bug("sign", "grad[0] -= slope\n", "grad[0] += slope\n"),
    ),
    case(
        "cosine",
        """
target = rng.normal(size=30)
W = rng.normal(size=(30, 8)) / 5
at = rng.normal(size=8)


def f(x):
    u = W @ x
    return 1.0 - (u @ target) / (np.sqrt(u @ u) * np.sqrt(target @ target))


def gradient(x):
    u = W @ x
    nu, nt = np.sqrt(u @ u), np.sqrt(target @ target)
    c = (u @ target) / (nu * nt)
    du = c * u / nu**2 - target / (nu * nt)
    return W.T @ du
""",
        Bug("quotient", "du = c * u / nu**2 - target", "du = -target", also="norm|sqrt|constant"),
        Bug("exponent", "u / nu**2", "u / nu"),
        Bug("sign", "nu**2 - target / (nu * nt)", "nu**2 + target / (nu * nt)"),
        Bug("variable", "- target / (nu * nt)\n", "- target / (nu * nu)\n", also="factor|times"),
    ),
    case(
        "negative_sampling",
        """
context = rng.normal(size=(20, 6)) / 2
centre, good, bad = [0, 1, 2, 1, 3], [4, 7, 9, 12, 19], [(1, 2), (8, 3), (0, 5), (6, 6), (11, 10)]
at = rng.normal(size=(4, 6)) / 2


def softplus(z):
    return np.log1p(np.exp(z))


def f(V):
    loss = 0.0
    for i, j, others in zip(centre, good, bad):
        loss += softplus(-V[i] @ context[j])
        for k in others:
            loss += softplus(V[i] @ context[k])
    return loss / len(centre)


def logistic(z):
    return 1 / (1 + np.exp(-z))


def gradient(V):
    grad = np.zeros(V.shape)
    for i, j, others in zip(centre, good, bad):
        grad[i] -= logistic(-V[i] @ context[j]) * context[j]
        for k in others:
            grad[i] += logistic(V[i] @ context[k]) * context[k]
    return grad / len(centre)
""",
        Bug(
            "sign", "logistic(-V[i] @ context[j]) * context[j]", "logistic(V[i] @ context[j]) * context[j]", also="exp"
        ),
        Bug("accumulation", "grad[i] += logistic", "grad[i] = logistic"),
        Bug("mean", "return grad / len(centre)", "return grad", number=5),
        Bug("variable", "@ context[k]) * context[k]", "@ context[k]) * context[j]", also="index"),
        Bug("ascent", "return grad / len", "return -grad / len"),
    ),
    case(
        "bradley_terry",
        """
players = 9
wins = rng.integers(0, 6, size=(players, players))
np.fill_diagonal(wins, 0)
at = rng.normal(size=players)


class Ranking:
    def __init__(self, wins, prior):
        self.wins, self.prior = wins, prior

    def loss(self, s):
        gap = s[:, None] - s[None, :]
        return np.sum(self.wins * np.log1p(np.exp(-gap))) + self.prior * np.sum(s**2)

    def gradient(self, s):
        lose = 1 / (1 + np.exp(s[:, None] - s[None, :]))
        flow = self.wins * lose
        return flow.sum(axis=0) - flow.sum(axis=1) + 2 * self.prior * s


ranking = Ranking(wins, 0.05)
f, gradient = ranking.loss, ranking.gradient
""",
        Bug("axis", "flow.sum(axis=0) - flow.sum(axis=1)", "flow.sum(axis=1) - flow.sum(axis=0)", also="sign"),
        Bug("missing term", "flow.sum(axis=0) - flow", "-flow"),
        Bug("factor", "+ 2 * self.prior * s", "+ self.prior * s", number=2),
        Bug("exponent", "2 * self.prior * s\n", "2 * self.prior * s**2\n", also="s\\b|factor|x"),
        Bug("transposed", "flow = self.wins * lose", "flow = self.wins.T * lose"),
    ),
]
