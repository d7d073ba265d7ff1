"""Functions of many topics, drawn at random: kept aside until the rules had been measured on them."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "gamma_regression",
        """
from scipy.special import digamma, gammaln

X = np.column_stack([np.ones(70), rng.normal(size=(70, 2))])
y = rng.gamma(3.0, 0.5, size=70)
at = np.array([0.4, 0.1, -0.2, 0.9])


def f(p):
    eta, k = X @ p[:3], np.exp(p[3])
    ll = k * np.log(k) - k * eta - gammaln(k) + (k - 1) * np.log(y) - k * y * np.exp(-eta)
    return -np.mean(ll)


def gradient(p):
    eta, k = X @ p[:3], np.exp(p[3])
    scaled = y * np.exp(-eta)
    d_eta = k * (1 - scaled)
    d_k = digamma(k) - np.log(k) - 1 + eta - np.log(y) + scaled
    return np.append(X.T @ d_eta, k * d_k.sum()) / len(y)
""",
        Bug("product", "- np.log(k) - 1 + eta", "- np.log(k) + eta", also="extra|constant"),
        Bug("chain", "d_eta = k * (1 - scaled)", "d_eta = 1 - scaled", also="exp"),
        Bug("function", "d_k = digamma(k)", "d_k = np.log(k)", also="digamma|gammaln"),
        Bug("sign", "(1 - scaled)", "(1 + scaled)"),
        Bug(
            "parenthesis",
            "np.append(X.T @ d_eta, k * d_k.sum()) / len(y)",
            "np.append(X.T @ d_eta, k * d_k.sum() / len(y))",
            also="70|factor",
        ),
        Bug("mean", "k * d_k.sum())", "k * d_k.mean())", number=70),
    ),
    case(
        "dirichlet",
        """
from scipy.special import digamma, gammaln

samples = rng.dirichlet([2.0, 5.0, 1.0, 3.0], size=35)
log_mean = np.log(samples).mean(axis=0)
at = np.log([1.5, 4.0, 1.2, 2.0])


def f(p):
    a = np.exp(p)
    return -35 * (gammaln(np.sum(a)) - np.sum(gammaln(a)) + np.sum((a - 1) * log_mean))


def gradient(p):
    a = np.exp(p)
    d = digamma(a.sum()) - digamma(a) + log_mean
    return -35 * d * a
""",
        Bug("chain", "-35 * d * a", "-35 * d", also="exp"),
        Bug("missing term", "digamma(a.sum()) - digamma(a)", "-digamma(a)", also="gammaln"),
        Bug("function", "- digamma(a) + log_mean", "- np.log(a) + log_mean", also="digamma|gammaln"),
        Bug("sign", "+ log_mean\n", "- log_mean\n"),
        Bug("mean", "digamma(a.sum())", "digamma(a.mean())", also="sum|mean|digamma"),
    ),
    case(
        "mixture",
        """
data = np.concatenate([rng.normal(-2.0, 0.7, 150), rng.normal(1.0, 1.2, 250)])
at = np.array([0.2, -0.1, -1.5, 0.8, 0.1, 0.2])


def f(p):
    weight, mean, log_s = p[:2], p[2:4], p[4:]
    density = np.exp(weight) / np.sum(np.exp(weight)) * np.exp(
        -0.5 * ((data[:, None] - mean) / np.exp(log_s)) ** 2 - log_s
    )
    return -np.sum(np.log(np.sum(density, axis=1)))


def gradient(p):
    prior = np.exp(p[:2]) / np.exp(p[:2]).sum()
    mean, s = p[2:4], np.exp(p[4:])
    z = (data[:, None] - mean) / s
    density = prior * np.exp(-0.5 * z**2) / s
    duty = density / density.sum(axis=1, keepdims=True)
    d_weight = prior * len(data) - duty.sum(axis=0)
    d_mean = -np.sum(duty * z, axis=0) / s
    d_s = np.sum(duty * (1 - z**2), axis=0)
    return np.concatenate([d_weight, d_mean, d_s])
""",
        Bug("chain", "-np.sum(duty * z, axis=0) / s", "-np.sum(duty * z, axis=0)", also="exp"),
        Bug("axis", "density / density.sum(axis=1, keepdims=True)", "density / density.sum(axis=0, keepdims=True)"),
        Bug("missing term", "duty * (1 - z**2)", "-duty * z**2"),
        Bug(
            "detached",
            "d_weight = prior * len(data) - duty.sum(axis=0)",
            "d_weight = -duty.sum(axis=0)",
            also="sum|normal|quotient",
        ),
        Bug(
            "chain",
            "density = prior * np.exp(-0.5 * z**2) / s",
            "density = prior * np.exp(-0.5 * z**2)",
            also="exp|factor|term",
        ),
        Bug("permuted", "[d_weight, d_mean, d_s]", "[d_weight, d_s, d_mean]"),
    ),
    case(
        "cox",
        """
n = 120
Z = rng.normal(size=(n, 3))
order = np.argsort(-rng.exponential(np.exp(-Z[:, 0])))
Z = Z[order]
died = rng.random(n) < 0.8
at = np.array([0.6, -0.3, 0.1])


def f(b):
    # sorted by falling time: the first k are at risk with the k-th
    eta = Z @ b
    return -np.sum((eta - np.log(np.cumsum(np.exp(eta))))[died]) + 0.1 * np.sum(b**4)


def gradient(b):
    grad = 0.4 * b**3
    risk, weighted = 0.0, np.zeros(3)
    for k in range(n):
        e = np.exp(Z[k] @ b)
        risk += e
        weighted += e * Z[k]
        if died[k]:
            grad -= Z[k] - weighted / risk
    return grad
""",
        Bug(
            "stale",
            "        weighted += e * Z[k]\n        if died[k]:\n            grad -= Z[k] - weighted / risk\n",
            "        if died[k]:\n            grad -= Z[k] - weighted / risk\n        weighted += e * Z[k]\n",
            place="weighted / risk",
        ),
        Bug("loop", "for k in range(n):", "for k in range(1, n):"),
        Bug("sign", "grad -= Z[k] - weighted / risk", "grad -= Z[k] + weighted / risk"),
        Bug("accumulation", "weighted += e * Z[k]", "weighted = e * Z[k]"),
        Bug("exponent", "grad = 0.4 * b**3", "grad = 0.4 * b**4", also="factor"),
        Bug("missing term", "grad -= Z[k] - weighted", "grad -= -weighted"),
    ),
    case(
        "zero_inflated",
        """
from scipy.special import gammaln

counts = np.where(rng.random(200) < 0.4, 0, rng.poisson(2.5, 200))
x = rng.normal(size=200)
at = np.array([-0.3, 0.7, 0.2])


def f(p):
    pi = 1 / (1 + np.exp(-p[0]))
    mu = np.exp(p[1] + p[2] * x)
    zero = np.log(pi + (1 - pi) * np.exp(-mu))
    some = np.log(1 - pi) + counts * np.log(mu) - mu - gammaln(counts + 1.0)
    return -np.sum(np.where(counts == 0, zero, some))


def gradient(p):
    pi = 1 / (1 + np.exp(-p[0]))
    mu = np.exp(p[1] + p[2] * x)
    is_zero = counts == 0
    e = np.exp(-mu)
    mass = pi + (1 - pi) * e
    d_logit = np.where(is_zero, (1 - e) * pi * (1 - pi) / mass, -pi)
    d_eta = np.where(is_zero, -(1 - pi) * e * mu / mass, counts - mu)
    return -np.array([d_logit.sum(), d_eta.sum(), d_eta @ x])
""",
        Bug("chain", "(1 - e) * pi * (1 - pi) / mass", "(1 - e) * pi / mass", also="1 -"),
        Bug("missing term", "(1 - e) * pi * (1 - pi)", "pi * (1 - pi)", also="product"),
        Bug("chain", "-(1 - pi) * e * mu / mass", "-(1 - pi) * e / mass", also="exp|mu"),
        Bug("sign", ", -pi)\n", ", pi)\n"),
        Bug("variable", "counts - mu)", "counts - e)", also="mu|exp"),
        Bug("ascent", "return -np.array(", "return np.array("),
    ),
    case(
        "nmf_kl",
        """
V = rng.gamma(2.0, size=(12, 15))
at = rng.uniform(0.2, 1.0, (12 + 15) * 3)


def f(p):
    W, H = p[:36].reshape(12, 3), p[36:].reshape(3, 15)
    WH = W @ H
    return np.sum(V * np.log(V / WH) - V + WH)


def gradient(p):
    W, H = p[:36].reshape(12, 3), p[36:].reshape(3, 15)
    ratio = 1 - V / (W @ H)
    return np.concatenate([(ratio @ H.T).ravel(), (W.T @ ratio).ravel()])
""",
        Bug("missing term", "ratio = 1 - V / (W @ H)", "ratio = -V / (W @ H)"),
        Bug("sign", "ratio = 1 - V", "ratio = 1 + V"),
        Bug("chain", "1 - V / (W @ H)", "1 - 1 / (W @ H)", also="V\\b|factor"),
        Bug("transposed", "(W.T @ ratio).ravel()", "(W.T @ ratio).T.ravel()"),
        Bug("other target", "ratio = 1 - V / (W @ H)", "ratio = (W @ H) - V", also="factor|divisor"),
        Bug(
            "permuted",
            "[(ratio @ H.T).ravel(), (W.T @ ratio).ravel()]",
            "[(W.T @ ratio).ravel(), (ratio @ H.T).ravel()]",
        ),
    ),
    case(
        "irls",
        """
X = np.column_stack([np.ones(85), rng.normal(size=(85, 3))])
trials = rng.integers(1, 9, 85)
hits = rng.binomial(trials, 0.4)
at = np.array([-0.2, 0.3, 0.1, -0.5])


def f(beta):
    # one step of reweighting, then the deviance of the new coefficients
    eta = X @ beta
    mu = 1 / (1 + np.exp(-eta))
    return np.sum(trials * np.log(1 + np.exp(eta)) - hits * eta) + 0.5 * np.sum(np.sqrt(mu * (1 - mu)))


def gradient(beta):
    grad = np.zeros(4)
    for row, m, k in zip(X, trials, hits):
        mu = 1 / (1 + np.exp(-(row @ beta)))
        spread = np.sqrt(mu * (1 - mu))
        slope = m * mu - k
        slope += 0.25 * (1 - 2 * mu) * spread
        grad += slope * row
    return grad
""",
        Bug("chain", "0.25 * (1 - 2 * mu) * spread", "0.25 * (1 - 2 * mu)", also="sqrt|factor"),
        Bug("product", "(1 - 2 * mu)", "(1 - mu)", also="\\b2\\b|term"),
        Bug("variable", "slope = m * mu - k", "slope = m * mu - m", also="hits|constant"),
        Bug("accumulation", "grad += slope * row", "grad = slope * row"),
        Bug("chain", "slope = m * mu - k", "slope = mu - k", also="trials|times"),
        Bug("factor", "slope += 0.25 *", "slope += 0.5 *", number=2),
    ),
    case(
        "rastrigin",
        """
at = rng.uniform(-3.0, 3.0, 1000)


def f(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


def gradient(x):
    return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)
""",
        Bug("sign", "2 * x + 20", "2 * x - 20"),
        Bug("chain", "20 * np.pi * np.sin", "10 * np.sin", number=6.28319, also="2\\*pi|2\\*3[.]14"),
        Bug("factor", "return 2 * x + ", "return x + ", number=2, also="exponent|extra"),
        Bug("constant", "20 * np.pi *", "20 * 3.1416 *", also="3[.]1416|\\bpi\\b"),
        Bug(
            "float32",
            "return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x)",
            "return 2 * x + 20 * np.pi * np.sin(2 * np.pi * x).astype(np.float32)",
        ),
        Bug("function", "np.sin(2 * np.pi * x)", "np.cos(2 * np.pi * x - 0.5)", also="sin|chain"),
    ),
    case(
        "sde",
        """
dt = 0.02
path = np.zeros(400)
for t in range(399):
    path[t + 1] = path[t] + 1.5 * (0.5 - path[t]) * dt + 0.3 * np.sqrt(dt) * rng.normal()
at = np.array([1.2, 0.4, -1.1])


def f(p):
    speed, level, log_s = p[0], p[1], p[2]
    e = np.diff(path) - speed * (level - path[:-1]) * dt
    return np.sum(0.5 * e**2 * np.exp(-2 * log_s) / dt + log_s)


def gradient(p):
    speed, level, log_s = p[0], p[1], p[2]
    pull = level - path[:-1]
    e = path[1:] - path[:-1] - speed * pull * dt
    scaled = e * np.exp(-2 * log_s)
    grad = np.empty(3)
    grad[0] = -np.sum(scaled * pull)
    grad[1] = -np.sum(scaled) * speed
    grad[2] = len(e) - np.sum(scaled * e) / dt
    return grad
""",
        Bug("index", "pull = level - path[:-1]", "pull = level - path[1:]"),
        Bug("chain", "-np.sum(scaled) * speed", "-np.sum(scaled)", also="x\\[0\\]"),
        Bug("chain", "np.sum(scaled * e) / dt", "np.sum(scaled * e)", number=50),
        Bug("constant", "grad[2] = len(e) -", "grad[2] = len(path) -", also="399|400|added|extra"),
        Bug("sign", "grad[0] = -np", "grad[0] = np"),
        Bug(
            "other target", "scaled = e * np.exp(-2 * log_s)", "scaled = e * np.exp(-log_s)", also="exp|factor|exponent"
        ),
    ),
    case(
        "tsne",
        """
n = 18
high = rng.normal(size=(n, 5))
P = np.exp(-0.5 * np.sum((high[:, None] - high[None]) ** 2, axis=2) / 4)
np.fill_diagonal(P, 0)
P = P / P.sum()
off = 1.0 - np.eye(n)
at = rng.normal(size=(n, 2))


def f(Y):
    K = off / (1 + np.sum((Y[:, None, :] - Y[None, :, :]) ** 2, axis=2))
    return -np.sum(P * np.log((K + np.eye(n)) / np.sum(K)))


def gradient(Y):
    gap = Y[:, None, :] - Y[None, :, :]
    K = off / (1 + np.sum(gap**2, axis=2))
    Q = K / K.sum()
    pull = (P - Q) * K
    return 4 * np.sum(pull[:, :, None] * gap, axis=1)
""",
        Bug("factor", "return 4 * np.sum", "return 2 * np.sum", number=2, also="no contribution|derivative of"),
        Bug("chain", "pull = (P - Q) * K", "pull = P - Q", also="K\\b|1/\\("),
        Bug("sign", "pull = (P - Q)", "pull = (Q - P)"),
        Bug("quotient", "pull = (P - Q) * K", "pull = P * K", also="log|sum"),
        Bug("axis", "pull[:, :, None] * gap, axis=1", "pull[:, :, None] * gap, axis=0", also="sign"),
        Bug("exponent", "(P - Q) * K\n", "(P - Q) * K**2\n", also="factor|twice"),
    ),
]
