"""Small networks, with the gradient written as a backward pass."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "relu_class",
        """
X = rng.normal(size=(50, 4))
y = np.sin(X[:, 0]) + X[:, 1]
at = rng.normal(size=4 * 6 + 6 + 6 + 1) / 2


class Network:
    def unpack(self, p):
        return p[:24].reshape(4, 6), p[24:30], p[30:36], p[36]

    def loss(self, p):
        W, b, v, c = self.unpack(p)
        hidden = np.maximum(X @ W + b, 0.0)
        return np.mean((hidden @ v + c - y) ** 2)

    def backward(self, p):
        W, b, v, c = self.unpack(p)
        pre = X @ W + b
        hidden = np.maximum(pre, 0.0)
        d_out = 2 * (hidden @ v + c - y) / len(y)
        d_v = hidden.T @ d_out
        d_c = d_out.sum()
        d_pre = np.outer(d_out, v) * (pre > 0)
        d_W = X.T @ d_pre
        d_b = d_pre.sum(axis=0)
        return np.concatenate([d_W.ravel(), d_b, d_v, [d_c]])


net = Network()
f, gradient = net.loss, net.backward
""",
        Bug("chain", "np.outer(d_out, v) * (pre > 0)", "np.outer(d_out, v)", also="relu|mask|maximum"),
        Bug("variable", "d_v = hidden.T @ d_out", "d_v = pre.T @ d_out", also="hidden|maximum"),
        Bug("factor", "d_out = 2 * (hidden", "d_out = (hidden", number=2),
        Bug("mean", "d_b = d_pre.sum(axis=0)", "d_b = d_pre.mean(axis=0)", number=50),
        Bug("permuted", "d_b, d_v, [d_c]", "d_v, d_b, [d_c]"),
        Bug("transposed", "[d_W.ravel(),", "[d_W.T.ravel(),"),
    ),
    case(
        "conv1d",
        """
signal = rng.normal(size=40)
wanted = np.convolve(signal, [0.2, 0.5, -0.4, 0.1], mode="valid")
at = np.array([0.1, 0.3, -0.2, 0.4, 0.05])


def f(p):
    k, b = p[:4], p[4]
    total = 0.0
    for i in range(len(wanted)):
        out = np.tanh(signal[i : i + 4] @ k + b)
        total = total + (out - wanted[i]) ** 2
    return total / 2


def gradient(p):
    k, b = p[:4], p[4]
    grad = np.zeros(5)
    for i in range(len(wanted)):
        window = signal[i : i + 4]
        out = np.tanh(window @ k + b)
        delta = (out - wanted[i]) * (1 - out**2)
        grad[:4] += delta * window
        grad[4] += delta
    return grad
""",
        Bug("accumulation", "grad[:4] += delta * window", "grad[:4] = delta * window"),
        Bug("square", "(1 - out**2)", "(1 - out)"),
        Bug("loop", "for i in range(len(wanted)):\n        window", "for i in range(1, len(wanted)):\n        window"),
        Bug("index", "delta * window\n", "delta * window[::-1]\n", also="reverse|order|permuted"),
        Bug("function", "(1 - out**2)", "(1 + out**2)", also="sign|chain|minus"),
    ),
    case(
        "layer_norm",
        """
x0 = rng.normal(size=(8, 12))
target = rng.normal(size=(8, 12))
gain = rng.uniform(0.5, 1.5, 12)
eps = 1e-5
at = x0.ravel()


def f(flat):
    x = flat.reshape(8, 12)
    mu = x.mean(axis=1, keepdims=True)
    var = ((x - mu) ** 2).mean(axis=1, keepdims=True)
    return 0.5 * np.sum((gain * (x - mu) / np.sqrt(var + eps) - target) ** 2)


def gradient(flat):
    x = flat.reshape(8, 12)
    centred = x - x.mean(axis=1, keepdims=True)
    inv = 1.0 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    xhat = centred * inv
    g = (gain * xhat - target) * gain
    mean_g = g.mean(axis=1, keepdims=True)
    mean_gx = (g * xhat).mean(axis=1, keepdims=True)
    return (inv * (g - mean_g - xhat * mean_gx)).ravel()
""",
        Bug("detached", "g - mean_g - xhat * mean_gx", "g - mean_g", also="var|product"),
        Bug("detached", "g - mean_g - xhat * mean_gx", "g - xhat * mean_gx", also="mean"),
        Bug("mean", "mean_gx = (g * xhat).mean(axis=1", "mean_gx = (g * xhat).sum(axis=1", number=12),
        Bug("chain", "(gain * xhat - target) * gain\n", "gain * xhat - target\n"),
        Bug("axis", "mean_g = g.mean(axis=1, keepdims=True)", "mean_g = g.mean(axis=0, keepdims=True)"),
    ),
    case(
        "attention",
        """
X = rng.normal(size=(7, 5))
Y = rng.normal(size=(7, 5))
at = np.concatenate([np.eye(5).ravel(), 0.4 * rng.normal(size=25)])


def softmax(S):
    E = np.exp(S - np.max(S, axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def f(p):
    Q, V = p[:25].reshape(5, 5), p[25:].reshape(5, 5)
    A = softmax(X @ Q @ X.T / np.sqrt(5.0))
    return 0.5 * np.sum((A @ X @ V - Y) ** 2)


def gradient(p):
    Q, V = p[:25].reshape(5, 5), p[25:].reshape(5, 5)
    scores = X @ Q @ X.T / np.sqrt(5.0)
    A = softmax(scores)
    mixed = A @ X
    dO = mixed @ V - Y
    dV = mixed.T @ dO
    dA = dO @ (X @ V).T
    dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    dQ = X.T @ dS @ X / np.sqrt(5.0)
    return np.concatenate([dQ.ravel(), dV.ravel()])
""",
        Bug("axis", "np.sum(dA * A, axis=1, keepdims=True)", "np.sum(dA * A, axis=0, keepdims=True)"),
        Bug("factor", "dQ = X.T @ dS @ X / np.sqrt(5.0)", "dQ = X.T @ dS @ X", number=5**0.5, also="sqrt\\(5"),
        Bug("transposed", "X.T @ dS @ X", "X.T @ dS.T @ X"),
        Bug("missing term", "A * (dA - np.sum(dA * A, axis=1, keepdims=True))", "A * dA", also="sum|quotient|product"),
        Bug("variable", "dV = mixed.T @ dO", "dV = X.T @ dO", also="A\\b|softmax|factor"),
        Bug("transposed", "dA = dO @ (X @ V).T", "dA = dO @ (X @ V.T).T"),
    ),
    case(
        "rnn",
        """
inputs = rng.normal(size=12)
wanted = np.cos(np.arange(12) / 2)
at = np.array([0.5, -0.6, 0.1, 0.9])


def f(p):
    w, u, b, v = p
    h, loss = 0.0, 0.0
    for x, y in zip(inputs, wanted):
        h = np.tanh(w * x + u * h + b)
        loss = loss + (v * h - y) ** 2
    return loss


def gradient(p):
    w, u, b, v = p
    states = [0.0]
    for x in inputs:
        states.append(np.tanh(w * x + u * states[-1] + b))
    grad = np.zeros(4)
    dh = 0.0
    for t in reversed(range(len(inputs))):
        h, before = states[t + 1], states[t]
        error = 2 * (v * h - wanted[t])
        grad[3] += error * h
        dz = (error * v + dh) * (1 - h * h)
        grad[0] += dz * inputs[t]
        grad[1] += dz * before
        grad[2] += dz
        dh = dz * u
    return grad
""",
        Bug("detached", "dz = (error * v + dh) * (1 - h * h)", "dz = error * v * (1 - h * h)"),
        Bug(
            "index",
            "h, before = states[t + 1], states[t]",
            "h, before = states[t + 1], states[t + 1]",
            also="stale|state",
        ),
        Bug("chain", "(error * v + dh)", "(error + dh)"),
        Bug("variable", "dh = dz * u", "dh = dz * w", also="factor"),
        Bug("parenthesis", "(error * v + dh) * (1 - h * h)", "error * v + dh * (1 - h * h)", also="missing"),
    ),
    case(
        "gated",
        """
X = rng.normal(size=(150, 3))
y = rng.normal(size=150)
at = np.array([0.5, -0.2, 0.3, 0.1, 0.7, -0.6])


def f(p):
    value, gate = X @ p[:3], X @ p[3:]
    return np.mean((value / (1 + np.exp(-gate)) - y) ** 2)


def gradient(p):
    value, gate = X @ p[:3], X @ p[3:]
    s = 1 / (1 + np.exp(-gate))
    r = 2 * (value * s - y) / len(y)
    d_value = r * s
    d_gate = r * value * s * (1 - s)
    return np.r_[X.T @ d_value, X.T @ d_gate]
""",
        Bug("chain", "r * value * s * (1 - s)", "r * s * (1 - s)", also="factor"),
        Bug("chain", "r * value * s * (1 - s)", "r * value * s", also="1 - "),
        Bug("permuted", "np.r_[X.T @ d_value, X.T @ d_gate]", "np.r_[X.T @ d_gate, X.T @ d_value]"),
        Bug(
            "float32",
            "return np.r_[X.T @ d_value, X.T @ d_gate]",
            "return np.r_[X.T @ d_value, X.T @ d_gate].astype(np.float32)",
        ),
        Bug("parenthesis", "2 * (value * s - y) / len(y)", "2 * (value * s - y / len(y))", also="150|0[.]00666"),
    ),
    case(
        "pooling",
        """
images = rng.normal(size=(10, 6, 6))
labels = rng.normal(size=10)
at = rng.normal(size=10) / 2


def f(p):
    # a 3 x 3 filter, the mean of the rectified map, a linear read-out
    maps = sum(p[3 * i + j] * images[:, i : i + 4, j : j + 4] for i in range(3) for j in range(3))
    pooled = np.maximum(maps, 0).mean(axis=(1, 2))
    return 0.5 * np.sum((p[9] * pooled - labels) ** 2)


def gradient(p):
    grad = np.zeros(10)
    maps = sum(p[3 * i + j] * images[:, i : i + 4, j : j + 4] for i in range(3) for j in range(3))
    pooled = np.maximum(maps, 0).mean(axis=(1, 2))
    error = p[9] * pooled - labels
    grad[9] = error @ pooled
    d_maps = (error * p[9] / 16)[:, None, None] * (maps > 0)
    for i in range(3):
        for j in range(3):
            grad[3 * i + j] = np.sum(d_maps * images[:, i : i + 4, j : j + 4])
    return grad
""",
        Bug("mean", "error * p[9] / 16", "error * p[9]", number=16),
        Bug(
            "permuted",
            "np.sum(d_maps * images[:, i : i + 4, j : j + 4])",
            "np.sum(d_maps * images[:, j : j + 4, i : i + 4])",
            also="transposed",
        ),
        Bug("chain", "(error * p[9] / 16)", "(error / 16)"),
        Bug("index", "grad[3 * i + j] =", "grad[2 * i + j] =", also="component|permuted|0\\b"),
    ),
    case(
        "embedding_bag",
        """
words = rng.integers(0, 30, size=(25, 6))
labels = np.where(rng.random(25) < 0.5, 1.0, -1.0)
read = rng.normal(size=4)
at = rng.normal(size=(30, 4)) / 2


def f(E):
    bags = E[words].mean(axis=1)
    return np.sum(np.log1p(np.exp(-labels * (bags @ read)))) + 0.01 * np.sum(E**2)


def gradient(E):
    margin = labels * (E[words].mean(axis=1) @ read)
    d = -labels / (1 + np.exp(margin))
    grad = 0.02 * E
    for row, dr in zip(words, d):
        for word in row:
            grad[word] = grad[word] + dr * read / 6
    return grad
""",
        Bug("mean", "dr * read / 6", "dr * read", number=6),
        Bug("factor", "grad = 0.02 * E", "grad = 0.01 * E", number=2),
        Bug("sign", "np.exp(margin)", "np.exp(-margin)", also="exp"),
        Bug("accumulation", "for word in row:", "for word in set(row.tolist()):", also="twice|repeat|factor"),
        Bug("constant", "grad = 0.02 * E", "grad = 0.2 * E", number=10),
    ),
]
