"""Normalised and contrastive networks, survival, curves and cameras."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "normalised_layer",
        """
n, eps = 20, 1e-5
X = rng.normal(size=(n, 3))
y = X[:, 0] * X[:, 1]
at = np.concatenate([rng.normal(size=6), [1.1, 0.8], [0.1, -0.2]])


def f(p):
    A = X @ p[:6].reshape(3, 2)
    N = (A - A.mean(axis=0)) / np.sqrt(A.var(axis=0) + eps)
    out = np.tanh(p[6:8] * N + p[8:])
    return 0.5 * np.mean((out.sum(axis=1) - y) ** 2)


def gradient(p):
    W, g, b = p[:6].reshape(3, 2), p[6:8], p[8:]
    A = X @ W
    mu, var = A.mean(axis=0), A.var(axis=0)
    std = np.sqrt(var + eps)
    N = (A - mu) / std
    out = np.tanh(g * N + b)
    d_out = (out.sum(axis=1) - y)[:, None] / n
    d_pre = d_out * (1 - out**2)
    d_g = np.sum(d_pre * N, axis=0)
    d_b = np.sum(d_pre, axis=0)
    d_N = d_pre * g
    d_var = np.sum(d_N * (A - mu), axis=0) * -0.5 * (var + eps) ** -1.5
    d_mu = -np.sum(d_N, axis=0) / std
    d_A = d_N / std + d_var * 2 * (A - mu) / n + d_mu / n
    return np.concatenate([(X.T @ d_A).ravel(), d_g, d_b])
""",
        Bug("exponent", "(var + eps) ** -1.5", "(var + eps) ** -0.5", also="factor|divi"),
        Bug("missing term", " + d_mu / n\n", "\n"),
        Bug("factor", "d_var * 2 * (A - mu) / n", "d_var * (A - mu) / n", number=2),
        Bug("chain", "d_N = d_pre * g", "d_N = d_pre", also="g"),
        Bug("variable", "d_g = np.sum(d_pre * N", "d_g = np.sum(d_pre * A", also="N"),
        Bug("mean", "d_b = np.sum(d_pre, axis=0)", "d_b = np.mean(d_pre, axis=0)", number=20, also="sum"),
    ),
    case(
        "info_nce",
        """
n, tau = 7, 0.5
X1 = rng.normal(size=(n, 4))
X2 = X1 + 0.3 * rng.normal(size=(n, 4))
at = rng.normal(size=12) / 2


def f(w):
    W = w.reshape(4, 3)
    sim = (X1 @ W) @ (X2 @ W).T / tau
    return np.mean(np.log(np.sum(np.exp(sim), axis=1)) - np.diag(sim))


def gradient(w):
    W = w.reshape(4, 3)
    Z1, Z2 = X1 @ W, X2 @ W
    sim = Z1 @ Z2.T / tau
    P = np.exp(sim)
    P /= P.sum(axis=1, keepdims=True)
    dS = (P - np.eye(n)) / n
    dZ1 = dS @ Z2 / tau
    dZ2 = dS.T @ Z1 / tau
    return (X1.T @ dZ1 + X2.T @ dZ2).ravel()
""",
        Bug("transposed", "dS.T @ Z1", "dS @ Z1"),
        Bug("factor", "dS.T @ Z1 / tau", "dS.T @ Z1", number=2, also="tau"),
        Bug("axis", "P.sum(axis=1, keepdims", "P.sum(axis=0, keepdims"),
        Bug("missing term", "(P - np.eye(n)) / n", "P / n"),
        Bug("variable", "X2.T @ dZ2", "X1.T @ dZ2", also="X2"),
        Bug("missing term", "(X1.T @ dZ1 + X2.T @ dZ2)", "(X1.T @ dZ1)"),
    ),
    case(
        "variational",
        """
n = 12
X = rng.normal(size=(n, 3))
noise = rng.normal(size=(n, 2))
at = rng.normal(size=18) / 2


def f(p):
    A, B, C = p[:6].reshape(3, 2), p[6:12].reshape(3, 2), p[12:].reshape(2, 3)
    M, S = X @ A, X @ B
    R = (M + np.exp(S) * noise) @ C - X
    kl = 0.5 * np.sum(M**2 + np.exp(2 * S) - 2 * S - 1)
    return (0.5 * np.sum(R**2) + kl) / n


def gradient(p):
    A, B, C = p[:6].reshape(3, 2), p[6:12].reshape(3, 2), p[12:].reshape(2, 3)
    M, S = X @ A, X @ B
    sigma = np.exp(S)
    Z = M + sigma * noise
    R = Z @ C - X
    dC = Z.T @ R / n
    dZ = R @ C.T / n
    dM = dZ + M / n
    dS = dZ * sigma * noise + (sigma**2 - 1) / n
    return np.concatenate([(X.T @ dM).ravel(), (X.T @ dS).ravel(), dC.ravel()])
""",
        Bug("chain", "dZ * sigma * noise", "dZ * sigma", also="noise"),
        Bug("missing term", "(sigma**2 - 1) / n", "sigma**2 / n"),
        Bug("exponent", "(sigma**2 - 1) / n", "(sigma - 1) / n", also="sigma"),
        Bug("mean", "dM = dZ + M / n", "dM = dZ + M", number=12, also="/ n"),
        Bug("variable", "dC = Z.T @ R", "dC = M.T @ R", also="Z"),
        Bug("permuted", "(X.T @ dM).ravel(), (X.T @ dS).ravel()", "(X.T @ dS).ravel(), (X.T @ dM).ravel()"),
    ),
    case(
        "glove",
        """
counts = rng.integers(1, 40, (5, 5)).astype(float)
weight = np.minimum(1.0, (counts / 30) ** 0.75)
at = rng.normal(size=30) / 2


def f(p):
    w, c, b, d = p[:10].reshape(5, 2), p[10:20].reshape(5, 2), p[20:25], p[25:]
    r = w @ c.T + b[:, None] + d[None, :] - np.log(counts)
    return np.sum(weight * r**2)


def gradient(p):
    w, c, b, d = p[:10].reshape(5, 2), p[10:20].reshape(5, 2), p[20:25], p[25:]
    r = w @ c.T + b[:, None] + d[None, :] - np.log(counts)
    e = 2 * weight * r
    return np.concatenate([(e @ c).ravel(), (e.T @ w).ravel(), e.sum(axis=1), e.sum(axis=0)])
""",
        Bug("transposed", "(e.T @ w)", "(e @ w)"),
        Bug("axis", "e.sum(axis=1), e.sum(axis=0)])", "e.sum(axis=1), e.sum(axis=1)])"),
        Bug("chain", "e = 2 * weight * r", "e = 2 * r", also="weight"),
        Bug(
            "permuted",
            "b[:, None] + d[None, :] - np.log(counts)\n    e",
            "b[None, :] + d[:, None] - np.log(counts)\n    e",
            also="b|d",
        ),
        Bug("constant", "e = 2 * weight * r", "e = 0.5 * weight * r", number=4, also="2"),
        Bug("variable", "(e @ c).ravel()", "(e @ w).ravel()", also="c"),
    ),
    case(
        "partial_likelihood",
        """
n = 30
X = rng.normal(size=(n, 3))
event = rng.integers(0, 2, n).astype(float)
lam = 0.1
at = rng.normal(size=3)


def f(beta):
    eta = X @ beta
    risk = np.cumsum(np.exp(eta))
    return -np.sum(event * (eta - np.log(risk))) / n + 0.5 * lam * beta @ beta


def gradient(beta):
    w = np.exp(X @ beta)
    risk = np.cumsum(w)
    mean = np.cumsum(w[:, None] * X, axis=0) / risk[:, None]
    return -np.sum(event[:, None] * (X - mean), axis=0) / n + lam * beta
""",
        Bug(
            "permuted",
            "risk = np.cumsum(w)\n",
            "risk = np.cumsum(w[::-1])[::-1]\n",
            also="reverse|order|other way|w stands|cumsum",
        ),
        Bug("chain", "event[:, None] * (X - mean)", "(X - mean)", also="event"),
        Bug("chain", "np.cumsum(w[:, None] * X, axis=0)", "np.cumsum(X, axis=0)", also="w"),
        Bug("mean", "axis=0) / n + lam", "axis=0) + lam", number=30, also="/ n"),
        Bug("doubled term", "+ lam * beta\n", "+ 2 * lam * beta\n"),
        Bug("sign", "* (X - mean)", "* (X + mean)"),
    ),
    case(
        "expectile",
        """
n, tau, lam, eps = 25, 0.8, 0.3, 0.01
X = rng.normal(size=(n, 4))
y = X[:, 0] + rng.normal(size=n)
at = rng.normal(size=4)


def f(w):
    r = y - X @ w
    return np.mean(np.where(r > 0, tau, 1 - tau) * r**2) + lam * np.sum(np.sqrt(w**2 + eps))


def gradient(w):
    r = y - X @ w
    weight = np.where(r > 0, tau, 1 - tau)
    return -2 * X.T @ (weight * r) / n + lam * w / np.sqrt(w**2 + eps)
""",
        Bug("permuted", "np.where(r > 0, tau, 1 - tau)\n", "np.where(r > 0, 1 - tau, tau)\n", also="condition|tau"),
        Bug("sign", "return -2 * X.T", "return 2 * X.T"),
        Bug("chain", "w / np.sqrt(w**2 + eps)", "w / (w**2 + eps)", also="sqrt|exponent"),
        Bug("chain", "X.T @ (weight * r)", "X.T @ r", also="weight"),
        Bug("constant", "np.sqrt(w**2 + eps)\n", "np.sqrt(w**2 + 0.1)\n", also="eps"),
        Bug("variable", "r = y - X @ w\n    weight", "r = y + X @ w\n    weight", also="sign|minus"),
    ),
    case(
        "normal_mixture",
        """
x = np.concatenate([rng.normal(-1, 0.5, 15), rng.normal(2, 1, 20)])
at = np.array([0.2, -0.3, 0.1, -1.2, 0.5, 1.8, -0.3, 0.1, 0.2])


def log_joint(p):
    logits, m, s = p[:3], p[3:6], p[6:]
    z = (x[:, None] - m) / np.exp(s)
    return logits - np.log(np.sum(np.exp(logits))) - s - 0.5 * z**2


def f(p):
    return -np.sum(np.log(np.sum(np.exp(log_joint(p)), axis=1)))


def gradient(p):
    logits, m, s = p[:3], p[3:6], p[6:]
    joint = np.exp(log_joint(p))
    resp = joint / joint.sum(axis=1, keepdims=True)
    z = (x[:, None] - m) / np.exp(s)
    prior = np.exp(logits) / np.sum(np.exp(logits))
    d_logits = len(x) * prior - resp.sum(axis=0)
    d_m = -np.sum(resp * z, axis=0) / np.exp(s)
    d_s = np.sum(resp * (1 - z**2), axis=0)
    return np.concatenate([d_logits, d_m, d_s])
""",
        Bug("mean", "d_logits = len(x) * prior", "d_logits = prior", number=35, also="len"),
        Bug("chain", "resp * z, axis=0) / np.exp(s)", "resp * z, axis=0)", also="exp"),
        Bug("square", "(1 - z**2)", "(1 - z)"),
        Bug("axis", "joint.sum(axis=1, keepdims", "joint.sum(axis=0, keepdims"),
        Bug("variable", "d_s = np.sum(resp *", "d_s = np.sum(joint *", also="resp"),
        Bug("permuted", "[d_logits, d_m, d_s]", "[d_logits, d_s, d_m]"),
    ),
    case(
        "camera",
        """
X, Y, Z = rng.normal(size=(3, 15))
u0, v0 = rng.normal(size=(2, 15))
focal = 1.8
at = np.array([0.3, 0.2, 5.0])


def f(p):
    c, s = np.cos(p[0]), np.sin(p[0])
    x, z = c * X - s * Z + p[1], s * X + c * Z + p[2]
    return 0.5 * np.sum((focal * x / z - u0) ** 2 + (focal * Y / z - v0) ** 2)


def gradient(p):
    angle, tx, tz = p
    c, s = np.cos(angle), np.sin(angle)
    x, z = c * X - s * Z + tx, s * X + c * Z + tz
    ru, rv = focal * x / z - u0, focal * Y / z - v0
    dx = focal * ru / z
    dz = -focal * (ru * x + rv * Y) / z**2
    d_angle = np.sum(dx * (-s * X - c * Z) + dz * (c * X - s * Z))
    return np.array([d_angle, np.sum(dx), np.sum(dz)])
""",
        Bug("quotient", "(ru * x + rv * Y) / z**2", "(ru * x + rv * Y) / z", also="exponent|divi|z"),
        Bug("missing term", "(ru * x + rv * Y)", "(ru * x)"),
        Bug("sign", "(-s * X - c * Z)", "(s * X - c * Z)"),
        Bug("variable", "dz * (c * X - s * Z)", "dz * (s * X - c * Z)", also="c|s"),
        Bug("chain", "dx = focal * ru / z", "dx = ru / z", also="focal|1[.]8"),
        Bug("mean", "np.sum(dx), np.sum(dz)", "np.mean(dx), np.sum(dz)", number=15, also="sum"),
    ),
    case(
        "growth",
        """
t = np.linspace(0, 10, 20)
y = 3 / (1 + np.exp(-0.8 * (t - 4))) + 0.1 * rng.normal(size=20)
at = np.array([2.7, 0.7, 4.4])


def f(p):
    K, r, t0 = p
    return 0.5 * np.sum((K / (1 + np.exp(-r * (t - t0))) - y) ** 2)


def gradient(p):
    K, r, t0 = p
    sig = 1 / (1 + np.exp(-r * (t - t0)))
    e = K * sig - y
    slope = K * sig * (1 - sig)
    return np.array([np.sum(e * sig), np.sum(e * slope * (t - t0)), -r * np.sum(e * slope)])
""",
        Bug("sign", "-r * np.sum(e * slope)])", "r * np.sum(e * slope)])"),
        Bug("missing term", "e * slope * (t - t0)", "e * slope * t", also="t0"),
        Bug("chain", "slope = K * sig * (1 - sig)", "slope = sig * (1 - sig)", also="K"),
        Bug("chain", "slope = K * sig * (1 - sig)", "slope = K * sig", also="sig"),
        Bug("variable", "-r * np.sum(e * slope)])", "-t0 * np.sum(e * slope)])", also="r"),
    ),
    case(
        "yield_curve",
        """
t = np.array([0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0])
y = 4 - 2 * np.exp(-t / 3) + 0.1 * rng.normal(size=10)
at = np.array([3.8, -1.9, 0.6, 2.2])


def f(p):
    b0, b1, b2, tau = p
    u = t / tau
    load = (1 - np.exp(-u)) / u
    return np.sum((b0 + b1 * load + b2 * (load - np.exp(-u)) - y) ** 2)


def gradient(p):
    b0, b1, b2, tau = p
    u = t / tau
    decay = np.exp(-u)
    load = (1 - decay) / u
    r = 2 * (b0 + b1 * load + b2 * (load - decay) - y)
    d_load = (u * decay - (1 - decay)) / u**2
    d_u = r * (b1 * d_load + b2 * (d_load + decay))
    return np.array([np.sum(r), r @ load, r @ (load - decay), -(d_u @ t) / tau**2])
""",
        Bug("quotient", "d_load = (u * decay - (1 - decay)) / u**2", "d_load = decay / u"),
        Bug("sign", "(d_load + decay))", "(d_load - decay))"),
        Bug("exponent", "/ tau**2])", "/ tau])", also="divi|factor|tau"),
        Bug("variable", "r @ (load - decay), -", "r @ load, -", also="decay|term|repeats"),
        Bug("factor", "r = 2 * (b0", "r = (b0", number=2),
        Bug("sign", "-(d_u @ t) / tau**2", "(d_u @ t) / tau**2"),
    ),
]
