"""Functions of many topics, drawn at random: kept aside until the rules had been measured on them."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "ridge",
        """
X = rng.normal(size=(500, 12))
y = X @ rng.normal(size=12) + 0.3 * rng.normal(size=500)
alpha = 0.75
at = rng.normal(size=12)


def f(w):
    return np.mean((X @ w - y) ** 2) + alpha * np.sum(w**2)


def gradient(w):
    return 2 * X.T @ (X @ w - y) / len(y) + 2 * alpha * w
""",
        Bug("factor", "2 * X.T @ (X", "X.T @ (X", number=2),
        Bug("factor", "+ 2 * alpha * w", "+ alpha * w", number=2, also="product rule"),
        Bug("missing term", "@ (X @ w - y) / len(y)", "@ (X @ w) / len(y)", also="\\by\\b|constant"),
        Bug("mean", "/ len(y) + 2", "/ X.size + 2", number=12),
        Bug(
            "parenthesis",
            "(X @ w - y) / len(y) + 2 * alpha * w",
            "((X @ w - y) + 2 * alpha * X @ w) / len(y)",
            also="extra|term",
        ),
        Bug("float32", "return 2 * X.T", "return 2 * X.astype(np.float32).astype(float).T"),
    ),
    case(
        "logistic",
        """
X = rng.normal(size=(20_000, 5))
y = np.where(rng.random(20_000) < 0.5, -1.0, 1.0)
at = np.array([0.3, -0.4, 0.2, 0.0, 1.1])


def f(w):
    return np.mean(np.log1p(np.exp(-y * (X @ w)))) + 0.01 * w @ w


def gradient(w):
    margins = y * (X @ w)
    p = 1.0 / (1.0 + np.exp(margins))
    return -(X.T @ (y * p)) / len(y) + 0.02 * w
""",
        Bug("sign", "-(X.T @ (y * p))", "(X.T @ (y * p))"),
        Bug("chain", "X.T @ (y * p)", "X.T @ p", also="\\by\\b|sign"),
        Bug("sign", "np.exp(margins)", "np.exp(-margins)", also="exp"),
        Bug("constant", "+ 0.02 * w", "+ 0.002 * w", number=10),
        Bug("extra term", "y * p)) / len(y)", "y * p * (1 - p))) / len(y)", also="chain|factor"),
    ),
    case(
        "softmax",
        """
X = rng.normal(size=(80, 6))
labels = rng.integers(0, 4, 80)
one_hot = np.eye(4)[labels]
at = 0.5 * rng.normal(size=(6, 4))


def f(W):
    Z = X @ W
    top = np.max(Z, axis=1)
    return np.mean(top + np.log(np.sum(np.exp(Z - top[:, None]), axis=1)) - Z[np.arange(80), labels])


def probabilities(Z):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def gradient(W):
    P = probabilities(X @ W)
    delta = (P - one_hot) / X.shape[0]
    return X.T @ delta
""",
        Bug("missing term", "delta = (P - one_hot) / X", "delta = P / X", also="labels|Z"),
        Bug("mean", "/ X.shape[0]\n", "/ X.shape[1]\n", number=80 / 6),
        Bug("sign", "(P - one_hot)", "(P + one_hot)"),
        Bug("axis", "E.sum(axis=1, keepdims=True)", "E.sum(axis=0, keepdims=True)"),
        Bug("index", "delta = (P - one_hot)", "delta = (P - np.roll(one_hot, 1, axis=0))", also="roll|labels"),
    ),
    case(
        "squared_hinge",
        """
X = rng.normal(size=(60, 3))
y = np.sign(X[:, 0] + 0.5 * rng.normal(size=60))
C = 2.5
at = np.array([0.4, 0.2, -0.1])


def f(w):
    slack = np.maximum(0.0, 1.0 - y * (X @ w))
    return 0.5 * w @ w + C * np.sum(slack**2)


def gradient(w):
    grad = w.copy()
    for xi, yi in zip(X, y):
        slack = 1.0 - yi * (xi @ w)
        if slack > 0:
            grad -= 2 * C * slack * yi * xi
    return grad
""",
        Bug("chain", "2 * C * slack * yi * xi", "2 * C * slack * xi", also="sign"),
        Bug("factor", "grad -= 2 * C", "grad -= C", number=2),
        Bug("chain", "2 * C * slack * yi", "2 * C * yi", also="slack"),
        Bug("loop", "in zip(X, y):\n        slack", "in zip(X[:-1], y):\n        slack"),
        Bug("missing term", "grad = w.copy()", "grad = np.zeros(3)"),
        Bug("constant", "slack = 1.0 - yi", "slack = 0.5 - yi", also="1\\b|0[.]5"),
    ),
    case(
        "elastic_net",
        """
X = rng.normal(size=(90, 10))
y = rng.normal(size=90)
ridge, lasso, mu = 0.1, 0.3, 1e-2
at = rng.normal(size=10)


def smooth_abs(w):
    return np.sqrt(w**2 + mu**2)


def d_smooth_abs(w):
    return w / smooth_abs(w)


def f(w):
    r = X @ w - y
    return r @ r / (2 * len(y)) + 0.5 * ridge * w @ w + lasso * np.sum(smooth_abs(w))


def gradient(w):
    g = X.T @ (X @ w - y) / len(y)
    g += ridge * w
    g += lasso * d_smooth_abs(w)
    return g
""",
        Bug("variable", "g += ridge * w", "g += lasso * w", number=3, also="instead|2 times the gradient"),
        Bug("guard", "return w / smooth_abs(w)", "return np.sign(w)"),
        Bug("accumulation", "g += lasso * d_smooth_abs(w)", "g = lasso * d_smooth_abs(w)"),
        Bug("function", "return w / smooth_abs(w)", "return smooth_abs(w)", also="stands|derivative|chain"),
        Bug("mean", "/ len(y)\n    g +=", "/ X.size\n    g +=", number=10),
    ),
    case(
        "dice",
        """
features = rng.normal(size=(64, 5))
mask = (features[:, 0] > 0.2).astype(float)
s = 1.0
at = np.array([0.7, -0.1, 0.3, 0.0, 0.2])


def f(w):
    p = 1 / (1 + np.exp(-features @ w))
    return 1 - (2 * np.sum(p * mask) + s) / (np.sum(p) + np.sum(mask) + s)


def gradient(w):
    p = 1 / (1 + np.exp(-features @ w))
    top = 2 * np.sum(p * mask) + s
    bottom = np.sum(p) + np.sum(mask) + s
    dp = top / bottom**2 - 2 * mask / bottom
    return features.T @ (dp * p * (1 - p))
""",
        Bug("quotient", "dp = top / bottom**2 - 2", "dp = -2"),
        Bug("exponent", "top / bottom**2", "top / bottom", also="factor"),
        Bug("factor", "- 2 * mask / bottom", "- mask / bottom", number=2),
        Bug(
            "missing term",
            "bottom = np.sum(p) + np.sum(mask) + s",
            "bottom = np.sum(p) + np.sum(mask)",
            also="constant|guard|\\b1\\b",
        ),
        Bug("square", "p * (1 - p))", "p * (1 - p) ** 2)", also="factor|twice"),
    ),
    case(
        "mlp_tanh",
        """
X = rng.normal(size=(30, 3))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 1] * X[:, 2]])
sizes = (3, 5, 2)
at = 0.6 * rng.normal(size=3 * 5 + 5 + 5 * 2 + 2)


def layers(p):
    W1, b1 = p[:15].reshape(3, 5), p[15:20]
    W2, b2 = p[20:30].reshape(5, 2), p[30:]
    return W1, b1, W2, b2


def f(p):
    W1, b1, W2, b2 = layers(p)
    return 0.5 * np.sum((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2) / len(X)


def gradient(p):
    W1, b1, W2, b2 = layers(p)
    H = np.tanh(X @ W1 + b1)
    dO = (H @ W2 + b2 - Y) / len(X)
    dW2 = H.T @ dO
    db2 = dO.sum(axis=0)
    dH = dO @ W2.T
    dZ = dH * (1 - H**2)
    dW1 = X.T @ dZ
    db1 = dZ.sum(axis=0)
    return np.concatenate([dW1.ravel(), db1, dW2.ravel(), db2])
""",
        Bug("square", "dH * (1 - H**2)", "dH * (1 - H)"),
        Bug("chain", "dZ = dH * (1 - H**2)", "dZ = dH", also="tanh|derivative"),
        Bug("function", "(1 - H**2)", "(H * (1 - H))", also="sigmoid|tanh|derivative|chain"),
        Bug("mean", "db2 = dO.sum(axis=0)", "db2 = dO.mean(axis=0)", number=30),
        Bug("transposed", "dW2.ravel(), db2]", "dW2.T.ravel(), db2]"),
        Bug("stale", "dH = dO @ W2.T", "dH = dO @ (W2 - 0.1 * dW2).T", also="term|extra"),
    ),
    case(
        "residual_sigmoid",
        """
x0 = rng.normal(size=6)
goal = rng.normal(size=6)
at = 0.5 * rng.normal(size=3 * 36)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def d_sigmoid(z):
    return sigmoid(z) * (1 - sigmoid(z))


def f(p):
    h = x0
    for W in p.reshape(3, 6, 6):
        h = h + sigmoid(W @ h)
    return 0.5 * np.sum((h - goal) ** 2)


def gradient(p):
    blocks = p.reshape(3, 6, 6)
    hs = [x0]
    for W in blocks:
        hs.append(hs[-1] + sigmoid(W @ hs[-1]))
    dh = hs[-1] - goal
    grads = []
    for W, h in zip(blocks[::-1], hs[-2::-1]):
        dz = dh * d_sigmoid(W @ h)
        grads.append(np.outer(dz, h))
        dh = dh + W.T @ dz
    return np.concatenate([g.ravel() for g in grads[::-1]])
""",
        Bug("missing term", "dh = dh + W.T @ dz", "dh = W.T @ dz", also="accumulated"),
        Bug("transposed", "dh + W.T @ dz", "dh + W @ dz"),
        Bug("permuted", "for g in grads[::-1]]", "for g in grads]"),
        Bug("transposed", "np.outer(dz, h)", "np.outer(h, dz)"),
        Bug("chain", "sigmoid(z) * (1 - sigmoid(z))", "sigmoid(z)", also="1 -"),
        Bug("index", "hs[-2::-1]", "hs[:0:-1]", also="state|stale|layer"),
    ),
    case(
        "batch_norm",
        """
x = rng.normal(size=(40, 3)) * 2 + 1
y = rng.normal(size=40)
read = np.array([0.5, -1.0, 0.8])
at = np.concatenate([x.ravel(), [1.0, 0.8, 1.3]])


def f(p):
    z, gamma = p[:120].reshape(40, 3), p[120:]
    centred = z - np.mean(z, axis=0)
    std = np.sqrt(np.mean(centred**2, axis=0) + 1e-3)
    return 0.5 * np.sum((centred / std * gamma @ read - y) ** 2)


def gradient(p):
    z, gamma = p[:120].reshape(40, 3), p[120:]
    n = len(z)
    centred = z - z.mean(axis=0)
    std = np.sqrt((centred**2).mean(axis=0) + 1e-3)
    zhat = centred / std
    err = zhat * gamma @ read - y
    dgamma = read * (err @ zhat)
    dzhat = err[:, None] * (read * gamma)
    dz = (n * dzhat - dzhat.sum(axis=0) - zhat * np.sum(dzhat * zhat, axis=0)) / (n * std)
    return np.concatenate([dz.ravel(), dgamma])
""",
        Bug("detached", "n * dzhat - dzhat.sum(axis=0) - zhat", "n * dzhat - zhat", also="mean"),
        Bug("detached", " - zhat * np.sum(dzhat * zhat, axis=0)) /", ") /", also="std|sqrt"),
        Bug("mean", ") / (n * std)", ") / std", number=40),
        Bug("chain", "err[:, None] * (read * gamma)", "err[:, None] * read", also="gamma"),
        Bug("axis", "np.sum(dzhat * zhat, axis=0)", "np.sum(dzhat * zhat, axis=1, keepdims=True)"),
        Bug("guard", "(centred**2).mean(axis=0) + 1e-3", "(centred**2).mean(axis=0)"),
    ),
    case(
        "autoencoder",
        """
X = rng.normal(size=(24, 7))
at = np.concatenate([0.4 * rng.normal(size=21), np.zeros(3) + 0.1])


def f(p):
    W, b = p[:21].reshape(7, 3), p[21:]
    return np.mean((np.tanh(X @ W + b) @ W.T - X) ** 2)


def gradient(p):
    # tied weights: W encodes and W.T decodes
    W, b = p[:21].reshape(7, 3), p[21:]
    code = np.tanh(X @ W + b)
    E = 2 * (code @ W.T - X) / X.size
    dpre = (E @ W) * (1 - code**2)
    dW = X.T @ dpre
    dW += E.T @ code
    return np.concatenate([dW.ravel(), dpre.sum(axis=0)])
""",
        Bug("accumulation", "dW += E.T @ code", "dW = E.T @ code", also="product rule"),
        Bug("missing term", "\n    dW += E.T @ code", "", also="product rule"),
        Bug("mean", "(code @ W.T - X) / X.size", "(code @ W.T - X) / len(X)", number=7),
        Bug("chain", "(E @ W) * (1 - code**2)", "E @ W", also="tanh|derivative"),
        Bug("sign", "(1 - code**2)", "(1 + code**2)", also="tanh|chain"),
    ),
    case(
        "gelu_net",
        """
X = rng.normal(size=(100, 4))
y = np.tanh(X[:, 0] - X[:, 1])
c = np.sqrt(2 / np.pi)
at = 0.5 * rng.normal(size=4 * 3 + 3)


def gelu(z):
    return 0.5 * z * (1 + np.tanh(c * (z + 0.044715 * z**3)))


def d_gelu(z):
    t = np.tanh(c * (z + 0.044715 * z**3))
    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * c * (1 + 3 * 0.044715 * z**2)


def f(p):
    return 0.5 * np.mean((gelu(X @ p[:12].reshape(4, 3)) @ p[12:] - y) ** 2)


def gradient(p):
    W, v = p[:12].reshape(4, 3), p[12:]
    Z = X @ W
    A = gelu(Z)
    r = (A @ v - y) / len(y)
    dZ = r[:, None] * v * d_gelu(Z)
    return np.hstack([(X.T @ dZ).ravel(), A.T @ r])
""",
        Bug("product", "return 0.5 * (1 + t) + 0.5 * z", "return 0.5 * z"),
        Bug("factor", "(1 + 3 * 0.044715 * z**2)", "(1 + 0.044715 * z**2)", number=3),
        Bug("square", "(1 - t**2) * c", "(1 - t) * c"),
        Bug("constant", "(1 + 3 * 0.044715 * z**2)", "(1 + 3 * 0.44715 * z**2)", number=10),
        Bug("function", "v * d_gelu(Z)", "v * gelu(Z)", also="derivative|stands|chain"),
        Bug("chain", "r[:, None] * v * d_gelu(Z)", "r[:, None] * d_gelu(Z)"),
    ),
]
