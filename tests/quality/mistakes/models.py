"""Models of several fields: classifiers, Gaussian processes, filters, molecules and counts."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "label_smoothing",
        """
X = rng.normal(size=(60, 5))
labels = rng.integers(0, 4, 60)
smooth, decay = 0.1, 0.02
at = 0.3 * rng.normal(size=(5, 4))


def f(W):
    z = X @ W
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    hard = logp[np.arange(60), labels]
    return -np.mean((1 - smooth) * hard + smooth * logp.mean(axis=1)) + decay * np.sum(W**2)


def gradient(W):
    z = X @ W
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    target = np.full(p.shape, smooth / 4)
    target[np.arange(60), labels] += 1 - smooth
    delta = (p - target) / len(X)
    return X.T @ delta + 2 * decay * W
""",
        Bug("factor", "+ 2 * decay * W", "+ decay * W", number=2, also="product rule"),
        Bug("axis", "e / e.sum(axis=1, keepdims=True)", "e / e.sum(axis=0, keepdims=True)"),
        Bug("accumulation", "labels] += 1 - smooth", "labels] = 1 - smooth", also="smooth"),
        Bug("constant", "smooth / 4", "smooth / 3", number=4 / 3),
        Bug("sign", "(p - target)", "(target - p)"),
    ),
    case(
        "dropout_network",
        """
X = rng.normal(size=(20, 3))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
mask = (rng.random((20, 6)) < 0.8) / 0.8
at = 0.5 * rng.normal(size=3 * 6 + 6 + 6 * 4 + 4 + 4)


def unpack(p):
    W1, b1 = p[:18].reshape(3, 6), p[18:24]
    W2, b2 = p[24:48].reshape(6, 4), p[48:52]
    return W1, b1, W2, b2, p[52:]


def f(p):
    W1, b1, W2, b2, v = unpack(p)
    hidden = np.tanh(X @ W1 + b1) * mask
    second = np.log1p(np.exp(hidden @ W2 + b2))
    return 0.5 * np.mean((second @ v - y) ** 2)


def gradient(p):
    W1, b1, W2, b2, v = unpack(p)
    active = np.tanh(X @ W1 + b1)
    hidden = active * mask
    pre = hidden @ W2 + b2
    second = np.log1p(np.exp(pre))
    error = (second @ v - y) / len(y)
    dv = second.T @ error
    dpre = np.outer(error, v) / (1 + np.exp(-pre))
    dW2, db2 = hidden.T @ dpre, dpre.sum(axis=0)
    dhidden = dpre @ W2.T
    dactive = dhidden * mask * (1 - active**2)
    dW1, db1 = X.T @ dactive, dactive.sum(axis=0)
    return np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2, dv])
""",
        Bug("chain", "dhidden * mask * (1 - active**2)", "dhidden * (1 - active**2)", also="mask"),
        Bug("variable", "(1 - active**2)", "(1 - hidden**2)", also="active|squared?"),
        Bug("chain", "np.outer(error, v) / (1 + np.exp(-pre))", "np.outer(error, v)", also="divi|1/"),
        Bug("variable", "dW2, db2 = hidden.T @ dpre", "dW2, db2 = active.T @ dpre", also="hidden|mask"),
        Bug("mean", "db1 = X.T @ dactive, dactive.sum(axis=0)", "db1 = X.T @ dactive, dactive.mean(axis=0)", number=20),
    ),
    case(
        "gp_relevance",
        """
X = rng.normal(size=(15, 2))
y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=15)
at = np.array([0.2, -0.3, 0.4, -1.5])


def f(theta):
    amplitude, lengths, noise = np.exp(theta[0]), np.exp(theta[1:3]), np.exp(theta[3])
    Z = X / lengths
    D = np.sum((Z[:, None] - Z[None]) ** 2, axis=2)
    K = amplitude**2 * np.exp(-0.5 * D) + noise**2 * np.eye(15)
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


def gradient(theta):
    amplitude, lengths, noise = np.exp(theta[0]), np.exp(theta[1:3]), np.exp(theta[3])
    Z = X / lengths
    squares = (Z[:, None] - Z[None]) ** 2
    S = amplitude**2 * np.exp(-0.5 * squares.sum(axis=2))
    inverse = np.linalg.inv(S + noise**2 * np.eye(15))
    alpha = inverse @ y
    M = 0.5 * (inverse - np.outer(alpha, alpha))
    grad = np.empty(4)
    grad[0] = 2 * np.sum(M * S)
    for d in range(2):
        grad[1 + d] = np.sum(M * S * squares[:, :, d])
    grad[3] = 2 * noise**2 * np.trace(M)
    return grad
""",
        Bug("factor", "grad[0] = 2 * np.sum(M * S)", "grad[0] = np.sum(M * S)", number=2),
        Bug("chain", "2 * noise**2 * np.trace(M)", "2 * noise * np.trace(M)", also="noise"),
        Bug("missing term", "0.5 * (inverse - np.outer(alpha, alpha))", "-0.5 * np.outer(alpha, alpha)"),
        Bug("index", "squares[:, :, d])", "squares[:, :, 0])"),
        Bug("function", "np.trace(M)", "np.sum(M)", also="trace|diagonal"),
    ),
    case(
        "kalman_vector",
        """
A = np.array([[1.0, 0.5], [0.0, 0.9]])
h = np.array([1.0, 0.0])
ys = np.cumsum(rng.normal(size=12))
at = np.array([-0.5, 0.2])


def f(theta):
    q, r = np.exp(theta)
    m, P, loss = np.zeros(2), np.eye(2), 0.0
    for y in ys:
        m = A @ m
        P = A @ P @ A.T + q * np.eye(2)
        e = y - h @ m
        s = h @ P @ h + r
        k = P @ h / s
        m = m + k * e
        P = P - np.outer(k, k) * s
        loss += 0.5 * (np.log(s) + e**2 / s)
    return loss


def gradient(theta):
    q, r = np.exp(theta)
    grad = np.zeros(2)
    for j, (dq, dr) in enumerate(((q, 0.0), (0.0, r))):
        m, P = np.zeros(2), np.eye(2)
        dm, dP = np.zeros(2), np.zeros((2, 2))
        for y in ys:
            m, dm = A @ m, A @ dm
            P = A @ P @ A.T + q * np.eye(2)
            dP = A @ dP @ A.T + dq * np.eye(2)
            e, de = y - h @ m, -h @ dm
            s, ds = h @ P @ h + r, h @ dP @ h + dr
            k = P @ h / s
            dk = dP @ h / s - k * ds / s
            m, dm = m + k * e, dm + dk * e + k * de
            half = np.outer(dk, k) * s
            dP = dP - half - half.T - np.outer(k, k) * ds
            P = P - np.outer(k, k) * s
            grad[j] += 0.5 * (ds / s + 2 * e * de / s - e**2 * ds / s**2)
    return grad
""",
        Bug("quotient", "dk = dP @ h / s - k * ds / s", "dk = dP @ h / s"),
        Bug("missing term", "dP - half - half.T - np.outer(k, k) * ds", "dP - half - half.T"),
        Bug("transposed", "A @ dP @ A.T", "A @ dP @ A"),
        Bug("product", "dm + dk * e + k * de", "dm + dk * e", also="k [*] de"),
        Bug("sign", "e, de = y - h @ m, -h @ dm", "e, de = y - h @ m, h @ dm"),
    ),
    case(
        "angle_bending",
        """
n = 7
stiffness, rest = 3.0, 1.9
at = (np.arange(n)[:, None] * np.array([1.0, 0.2, 0.1]) + 0.3 * rng.normal(size=(n, 3))).ravel()


def f(x):
    r = x.reshape(-1, 3)
    u, v = r[:-2] - r[1:-1], r[2:] - r[1:-1]
    cosine = np.sum(u * v, axis=1) / np.sqrt(np.sum(u**2, axis=1) * np.sum(v**2, axis=1))
    bonds = np.linalg.norm(r[1:] - r[:-1], axis=1)
    return 0.5 * stiffness * np.sum((np.arccos(cosine) - rest) ** 2) + np.sum((bonds - 1.0) ** 2)


def gradient(x):
    r = x.reshape(-1, 3)
    u, v = r[:-2] - r[1:-1], r[2:] - r[1:-1]
    nu = np.linalg.norm(u, axis=1)[:, None]
    nv = np.linalg.norm(v, axis=1)[:, None]
    c = np.sum(u * v, axis=1)[:, None] / (nu * nv)
    slope = -stiffness * (np.arccos(c) - rest) / np.sqrt(1 - c**2)
    gu = slope * (v / (nu * nv) - c * u / nu**2)
    gv = slope * (u / (nu * nv) - c * v / nv**2)
    g = np.zeros((n, 3))
    g[:-2] += gu
    g[2:] += gv
    g[1:-1] -= gu + gv
    d = r[1:] - r[:-1]
    length = np.linalg.norm(d, axis=1)[:, None]
    pull = 2 * (length - 1.0) * d / length
    g[1:] += pull
    g[:-1] -= pull
    return g.ravel()
""",
        Bug("chain", "(np.arccos(c) - rest) / np.sqrt(1 - c**2)", "(np.arccos(c) - rest)", also="divi|1/"),
        Bug("exponent", "c * u / nu**2", "c * u / nu", also="nu"),
        Bug("missing term", "    g[1:-1] -= gu + gv\n", "", also="line"),
        Bug("variable", "gv = slope * (u / (nu * nv)", "gv = slope * (v / (nu * nv)", also="u / "),
        Bug("index", "g[2:] += gv", "g[1:-1] += gv"),
    ),
    case(
        "zero_inflated_counts",
        """
X = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
counts = rng.poisson(1.5, 50) * (rng.random(50) < 0.6)
at = np.array([0.2, -0.3, 0.1, 0.3, 0.2, -0.4])


def f(p):
    rate = np.exp(X @ p[:3])
    share = 1 / (1 + np.exp(-X @ p[3:]))
    none = np.log(share + (1 - share) * np.exp(-rate))
    some = np.log(1 - share) - rate + counts * np.log(rate)
    return -np.sum(np.where(counts == 0, none, some))


def gradient(p):
    rate = np.exp(X @ p[:3])
    share = 1 / (1 + np.exp(-X @ p[3:]))
    empty = np.exp(-rate)
    zero = counts == 0
    chance = share + (1 - share) * empty
    drate = np.where(zero, -(1 - share) * empty / chance, counts / rate - 1)
    dshare = np.where(zero, (1 - empty) / chance, -1 / (1 - share))
    left = X.T @ (drate * rate)
    right = X.T @ (dshare * share * (1 - share))
    return -np.concatenate([left, right])
""",
        Bug("chain", "X.T @ (drate * rate)", "X.T @ drate", also="rate"),
        Bug("missing term", "counts / rate - 1)", "counts / rate)"),
        Bug("sign", "-1 / (1 - share))", "1 / (1 - share))"),
        Bug("chain", "dshare * share * (1 - share)", "dshare * share", also="1 - share"),
        Bug("chain", "(1 - empty) / chance", "(1 - empty)", also="chance"),
    ),
    case(
        "recursive_filter",
        """
u = rng.normal(size=30)
d = np.convolve(u, [0.5, 0.3, 0.2])[:30]
at = np.array([0.4, 0.2, 0.5, -0.2])


def f(p):
    b0, b1, a1, a2 = p
    y = np.zeros(30)
    for t in range(30):
        y[t] = b0 * u[t]
        if t > 0:
            y[t] += b1 * u[t - 1] - a1 * y[t - 1]
        if t > 1:
            y[t] -= a2 * y[t - 2]
    return 0.5 * np.mean((y - d) ** 2)


def gradient(p):
    b0, b1, a1, a2 = p
    y = np.zeros(30)
    for t in range(30):
        y[t] = b0 * u[t]
        if t > 0:
            y[t] += b1 * u[t - 1] - a1 * y[t - 1]
        if t > 1:
            y[t] -= a2 * y[t - 2]
    lam = np.zeros(32)
    for t in reversed(range(30)):
        lam[t] = (y[t] - d[t]) / 30 - a1 * lam[t + 1] - a2 * lam[t + 2]
    db0 = lam[:30] @ u
    db1 = lam[1:30] @ u[:-1]
    da1 = -lam[1:30] @ y[:-1]
    da2 = -lam[2:30] @ y[:-2]
    return np.array([db0, db1, da1, da2])
""",
        Bug("missing term", "- a1 * lam[t + 1] - a2 * lam[t + 2]", "- a1 * lam[t + 1]"),
        Bug("sign", "da2 = -lam[2:30]", "da2 = lam[2:30]"),
        Bug("index", "db1 = lam[1:30] @ u[:-1]", "db1 = lam[:29] @ u[:-1]"),
        Bug("variable", "da1 = -lam[1:30] @ y[:-1]", "da1 = -lam[1:30] @ u[:-1]", also="y"),
        Bug("loop", "reversed(range(30))", "reversed(range(1, 30))", also="range"),
    ),
    case(
        "gated_experts",
        """
X = rng.normal(size=(25, 3))
y = np.where(X[:, 0] > 0, X[:, 1], -X[:, 2])
spread = 0.7
at = 0.6 * rng.normal(size=(2, 3, 3))


def f(theta):
    gates, experts = theta
    scores = np.exp(X @ gates.T)
    mix = scores / scores.sum(axis=1, keepdims=True)
    likely = np.exp(-0.5 * (y[:, None] - X @ experts.T) ** 2 / spread**2)
    return -np.sum(np.log(np.sum(mix * likely, axis=1))) + 0.1 * np.sum(theta**2)


def gradient(theta):
    gates, experts = theta
    scores = np.exp(X @ gates.T)
    mix = scores / scores.sum(axis=1, keepdims=True)
    error = y[:, None] - X @ experts.T
    joint = mix * np.exp(-0.5 * error**2 / spread**2)
    resp = joint / joint.sum(axis=1, keepdims=True)
    dgates = (mix - resp).T @ X
    dexperts = -(resp * error / spread**2).T @ X
    return np.stack([dgates, dexperts]) + 0.2 * theta
""",
        Bug("chain", "(resp * error / spread**2)", "(resp * error)", also="spread|divi"),
        Bug("product", "dgates = (mix - resp).T", "dgates = -resp.T", also="mix|term"),
        Bug("chain", "joint = mix * np.exp", "joint = np.exp", also="mix"),
        Bug("axis", "joint / joint.sum(axis=1, keepdims=True)", "joint / joint.sum(axis=0, keepdims=True)"),
        Bug("variable", "(resp * error / spread**2)", "(mix * error / spread**2)", also="resp"),
    ),
]
