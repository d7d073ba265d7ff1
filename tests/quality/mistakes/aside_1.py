"""Losses and small networks, kept aside until the rules had been measured on them."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "normalised_net",
        """
N, D, H = 16, 4, 5
X = rng.normal(size=(N, D))
Y = np.sin(X[:, :2]) + 0.1 * rng.normal(size=(N, 2))
EPS = 1e-5
WEIGHT_DECAY = 1e-2
at = 0.5 * rng.normal(size=D * H + 2 * H + 2 * H)


class Net:
    def __init__(self, theta):
        W1, self.gamma, self.beta, W2 = np.split(theta, [D * H, D * H + H, D * H + 2 * H])
        self.W1 = W1.reshape(D, H)
        self.W2 = W2.reshape(H, 2)

    def forward(self):
        a = X @ self.W1
        self.centred = a - a.mean(axis=0)
        self.inv_std = 1 / np.sqrt(np.mean(self.centred**2, axis=0) + EPS)
        self.xhat = self.centred * self.inv_std
        self.out = self.gamma * self.xhat + self.beta
        self.h = np.log1p(np.exp(self.out))
        self.residual = self.h @ self.W2 - Y
        decay = 0.5 * WEIGHT_DECAY * (np.sum(self.W1**2) + np.sum(self.W2**2))
        return 0.5 * np.sum(self.residual**2) / N + decay

    def backward(self):
        dy = self.residual / N
        dW2 = self.h.T @ dy + WEIGHT_DECAY * self.W2
        dh = dy @ self.W2.T
        dout = dh / (1 + np.exp(-self.out))
        dgamma = np.sum(dout * self.xhat, axis=0)
        dbeta = dout.sum(axis=0)
        dxhat = dout * self.gamma
        dvar = -0.5 * np.sum(dxhat * self.centred, axis=0) * self.inv_std**3
        dmu = -np.sum(dxhat * self.inv_std, axis=0)
        da = dxhat * self.inv_std + 2 * dvar * self.centred / N + dmu / N
        dW1 = X.T @ da + WEIGHT_DECAY * self.W1
        return np.concatenate([dW1.ravel(), dgamma, dbeta, dW2.ravel()])


def f(theta):
    return Net(theta).forward()


def gradient(theta):
    net = Net(theta)
    net.forward()
    return net.backward()
""",
        Bug("exponent", "* self.inv_std**3", "* self.inv_std**2"),
        Bug("detached", "* self.centred / N + dmu / N", "* self.centred / N", also="dmu|mean"),
        Bug("chain", "dxhat = dout * self.gamma", "dxhat = dout", also="gamma"),
        Bug("factor", "+ 2 * dvar * self", "+ dvar * self", number=2),
        Bug(
            "function", "dh / (1 + np.exp(-self.out))", "dh * (self.out > 0)", also="softplus|sigmoid|chain|derivative"
        ),
        Bug("missing term", "X.T @ da + WEIGHT_DECAY * self.W1", "X.T @ da", also="WEIGHT_DECAY"),
    ),
    case(
        "causal_attention",
        """
T, d, k = 7, 4, 3
X = rng.normal(size=(T, d))
target = rng.normal(size=(T, k))
future = np.triu(np.ones((T, T), dtype=bool), 1)
scale = 1 / np.sqrt(k)
at = 0.7 * rng.normal(size=3 * d * k)


def weights(Q, K):
    scores = np.where(future, -1e9, scale * Q @ K.T)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def f(theta):
    Q, K, V = (X @ W for W in theta.reshape(3, d, k))
    return 0.5 * np.mean((weights(Q, K) @ V - target) ** 2)


def gradient(theta):
    Wq, Wk, Wv = theta.reshape(3, d, k)
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A = weights(Q, K)
    dO = (A @ V - target) / target.size
    dV = A.T @ dO
    dA = dO @ V.T
    dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))
    dQ = scale * dS @ K
    dK = scale * dS.T @ Q
    return np.concatenate([(X.T @ g).ravel() for g in (dQ, dK, dV)])
""",
        Bug("axis", "np.sum(dA * A, axis=-1,", "np.sum(dA * A, axis=0,"),
        Bug("transposed", "scale * dS.T @ Q", "scale * dS @ Q"),
        Bug("chain", "dK = scale * dS.T", "dK = dS.T", also="scale"),
        Bug("permuted", "(dQ, dK, dV)", "(dK, dQ, dV)"),
        Bug("missing term", "A * (dA - np.sum(dA * A, axis=-1, keepdims=True))", "A * dA", also="softmax|sum"),
        Bug("variable", "dQ = scale * dS @ K", "dQ = scale * dS @ Q"),
        Bug("mean", "- target) / target.size", "- target) / T", number=3),
    ),
    case(
        "strided_convolution",
        """
STRIDE, SLOPE, L2 = 2, 0.1, 0.05
images = rng.normal(size=(6, 7, 7))
labels = np.array([0, 1, 1, 0, 1, 0])
at = 0.4 * rng.normal(size=3 * 9 + 3 + 3 * 9)


def unpack(p):
    return p[:27].reshape(3, 3, 3), p[27:30], p[30:].reshape(3, 3, 3)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolve(image, kernel, bias):
    rows = []
    for top in range(0, 5, STRIDE):
        rows.append([np.sum(image[top : top + 3, left : left + 3] * kernel) + bias for left in range(0, 5, STRIDE)])
    return np.array(rows)


def leaky(x):
    return np.where(x > 0, x, SLOPE * x)


def f(p):
    kernels, biases, readout = unpack(p)
    loss = 0.5 * L2 * np.sum(kernels**2)
    for image, label in zip(images, labels):
        maps = [leaky(convolve(image, kernel, bias)) for kernel, bias in zip(kernels, biases)]
        logit = sum(np.sum(m * r) for m, r in zip(maps, readout))
        loss += (np.log1p(np.exp(logit)) - label * logit) / 6
    return loss


def gradient(p):
    kernels, biases, readout = unpack(p)
    d_kernels = L2 * kernels
    d_biases = np.zeros(3)
    d_readout = np.zeros((3, 3, 3))
    for image, label in zip(images, labels):
        pre = np.stack([convolve(image, kernels[c], biases[c]) for c in range(3)])
        maps = leaky(pre)
        delta = (sigmoid(np.sum(maps * readout)) - label) / len(images)
        d_readout += delta * maps
        d_pre = delta * readout * np.where(pre > 0, 1.0, SLOPE)
        d_biases += d_pre.sum(axis=(1, 2))
        for c in range(3):
            for i in range(d_pre.shape[1]):
                for j in range(d_pre.shape[2]):
                    patch = image[STRIDE * i : STRIDE * i + 3, STRIDE * j : STRIDE * j + 3]
                    d_kernels[c] += d_pre[c, i, j] * patch
    return np.concatenate([d_kernels.ravel(), d_biases, d_readout.ravel()])
""",
        Bug(
            "index",
            "patch = image[STRIDE * i : STRIDE * i + 3, STRIDE * j : STRIDE * j + 3]",
            "patch = image[i : i + 3, j : j + 3]",
            also="stride|patch|image",
            place="image[i : i + 3, j : j + 3]",
        ),
        Bug("function", "np.where(pre > 0, 1.0", "np.where(pre < 0, 1.0", also="mask|side|branch|where|<|>|SLOPE"),
        Bug("doubled term", "[d_kernels.ravel(),", "[(d_kernels + L2 * kernels).ravel(),", also="L2"),
        Bug("axis", "d_pre.sum(axis=(1, 2))", "d_pre.sum(axis=(0, 1))"),
        Bug("loop", "range(d_pre.shape[1])", "range(d_pre.shape[1] - 1)"),
        Bug("index", "d_pre[c, i, j] * patch", "d_pre[c, j, i] * patch", also="transpos|swap|permut"),
    ),
    case(
        "gru_unrolled",
        """
HIDDEN = 3
inputs = rng.normal(size=(6, 2))
targets = rng.normal(size=6)
readout = np.array([0.9, -0.6, 1.2])
at = 0.8 * rng.normal(size=3 * HIDDEN * (HIDDEN + 2))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(h, x, Wz, Wr, Wh):
    hx = np.concatenate([h, x])
    z, r = sigmoid(Wz @ hx), sigmoid(Wr @ hx)
    c = np.tanh(Wh @ np.concatenate([r * h, x]))
    return (1 - z) * h + z * c, {"hx": hx, "z": z, "r": r, "c": c}


def f(theta):
    h, loss = np.full(HIDDEN, 0.2), 0.0
    for x, y in zip(inputs, targets):
        h, _ = step(h, x, *theta.reshape(3, HIDDEN, -1))
        loss += 0.5 * (readout @ h - y) ** 2
    return loss


def gradient(theta):
    Wz, Wr, Wh = W = theta.reshape(3, HIDDEN, -1)
    h = np.full(HIDDEN, 0.2)
    caches, errors = [], []
    for x, y in zip(inputs, targets):
        h, cache = step(h, x, Wz, Wr, Wh)
        caches.append(cache)
        errors.append(readout @ h - y)
    dW = np.zeros_like(W)
    dh = np.zeros(HIDDEN)
    for cache, error in zip(reversed(caches), reversed(errors)):
        hx, z, r, c = cache["hx"], cache["z"], cache["r"], cache["c"]
        prev, x = hx[:HIDDEN], hx[HIDDEN:]
        dh = dh + error * readout
        dc = dh * z * (1 - c**2)
        dz = dh * (c - prev) * z * (1 - z)
        drh = Wh[:, :HIDDEN].T @ dc
        dr = drh * prev * r * (1 - r)
        dW[0] += np.outer(dz, hx)
        dW[1] += np.outer(dr, hx)
        dW[2] += np.outer(dc, np.concatenate([r * prev, x]))
        dh = dh * (1 - z) + drh * r + Wz[:, :HIDDEN].T @ dz + Wr[:, :HIDDEN].T @ dr
    return dW.ravel()
""",
        Bug("missing term", "dh * (1 - z) + drh * r + Wz", "dh * (1 - z) + Wz", also="drh"),
        Bug("sign", "dh * (c - prev)", "dh * (prev - c)"),
        Bug("square", "dh * z * (1 - c**2)", "dh * z * (1 - c)", also="tanh"),
        Bug("variable", "np.outer(dc, np.concatenate([r * prev, x]))", "np.outer(dc, hx)", also="chain|factor"),
        Bug("accumulation", "dh = dh + error * readout", "dh = error * readout"),
        Bug(
            "loop",
            "zip(reversed(caches), reversed(errors))",
            "zip(caches, errors)",
            also="order|revers|forward",
            place="zip(caches, errors)",
        ),
        Bug("chain", "drh * prev * r * (1 - r)", "drh * prev", also="sigmoid|derivative"),
    ),
    case(
        "tied_tokens",
        """
V, d, n = 8, 4, 30
contexts = rng.integers(0, V, size=(n, 2))
targets = rng.integers(0, V, size=n)
at = 0.5 * rng.normal(size=V * d + 2 * d * d + V)


def split(theta):
    return theta[: V * d].reshape(V, d), theta[V * d : -V].reshape(2 * d, d), theta[-V:]


def f(theta):
    E, W, b = split(theta)
    total = 0.0
    for (first, second), target in zip(contexts, targets):
        hidden = np.tanh(np.hstack([E[first], E[second]]) @ W)
        logits = E @ hidden + b
        total += np.log(np.sum(np.exp(logits))) - logits[target]
    return total / n


def gradient(theta):
    E, W, b = split(theta)
    stacked = E[contexts].reshape(n, -1)
    hidden = np.tanh(stacked @ W)
    logits = hidden @ E.T + b
    dlogits = np.exp(logits - logits.max(axis=1, keepdims=True))
    dlogits /= dlogits.sum(axis=1, keepdims=True)
    dlogits[np.arange(n), targets] -= 1
    dlogits /= n
    dE = dlogits.T @ hidden
    dpre = (dlogits @ E) * (1 - hidden**2)
    dstacked = dpre @ W.T
    np.add.at(dE, contexts[:, 0], dstacked[:, :d])
    np.add.at(dE, contexts[:, 1], dstacked[:, d:])
    return np.concatenate([dE.ravel(), (stacked.T @ dpre).ravel(), dlogits.sum(axis=0)])
""",
        Bug(
            "accumulation",
            "np.add.at(dE, contexts[:, 0], dstacked[:, :d])",
            "dE[contexts[:, 0]] += dstacked[:, :d]",
            also="duplicate|repeated|index",
            place="dE[contexts[:, 0]] += dstacked[:, :d]",
        ),
        Bug("index", "np.add.at(dE, contexts[:, 1]", "np.add.at(dE, contexts[:, 0]"),
        Bug("missing term", "dE = dlogits.T @ hidden", "dE = np.zeros_like(E)", also="hidden|zero"),
        Bug("mean", "dlogits /= n", "dlogits /= V", number=30 / 8, also=r"\bV\b|\bn\b"),
        Bug("variable", "dlogits[np.arange(n), targets]", "dlogits[np.arange(n), contexts[:, 1]]"),
        Bug("function", "(1 - hidden**2)", "hidden * (1 - hidden)", also="tanh|sigmoid|derivative|chain"),
    ),
    case(
        "pairwise_ranking",
        """
USERS, ITEMS, RANK = 5, 7, 3
REG = 0.02
triplets = [(u, i, j) for u, i, j in rng.integers(0, 5, size=(48, 3)) + [0, 0, 2] if i != j]
at = 0.6 * rng.normal(size=USERS * RANK + ITEMS * RANK + ITEMS)


def unpack(theta):
    U, V, b = np.split(theta, [USERS * RANK, (USERS + ITEMS) * RANK])
    return U.reshape(USERS, RANK), V.reshape(ITEMS, RANK), b


def f(theta):
    U, V, b = unpack(theta)
    u, i, j = np.transpose(triplets)
    margin = np.sum(U[u] * (V[i] - V[j]), axis=1) + b[i] - b[j]
    return np.mean(np.log1p(np.exp(-margin))) + 0.5 * REG * (np.sum(U**2) + np.sum(V**2))


def gradient(theta):
    U, V, b = unpack(theta)
    grads = {"U": REG * U, "V": REG * V, "b": np.zeros_like(b)}
    for u, i, j in triplets:
        x = U[u] @ (V[i] - V[j]) + b[i] - b[j]
        s = -1 / (1 + np.exp(x)) / len(triplets)
        grads["U"][u] += s * (V[i] - V[j])
        grads["V"][i] += s * U[u]
        grads["V"][j] -= s * U[u]
        grads["b"][i] += s
        grads["b"][j] -= s
    return np.concatenate([grads[name].ravel() for name in ("U", "V", "b")])
""",
        Bug("sign", 'grads["V"][j] -= s', 'grads["V"][j] += s'),
        Bug("missing term", '\n        grads["b"][j] -= s', "", also="b\\[j\\]"),
        Bug("sign", "1 + np.exp(x))", "1 + np.exp(-x))", also="exp|function"),
        Bug("factor", '"V": REG * V', '"V": 2 * REG * V', number=2),
        Bug("accumulation", 'grads["U"][u] += s', 'grads["U"][u] = s'),
        Bug("missing term", '{"U": REG * U,', '{"U": np.zeros_like(U),', also="REG"),
    ),
    case(
        "angular_margin",
        """
SCALE, MARGIN = 6.0, 0.3
X = rng.normal(size=(20, 5))
X /= np.linalg.norm(X, axis=1, keepdims=True)
labels = rng.integers(0, 4, size=20)
at = rng.normal(size=20)


def f(w):
    W = w.reshape(5, 4)
    cosines = X @ (W / np.sqrt(np.sum(W**2, axis=0) + 1e-3))
    total = 0.0
    for row, label in zip(cosines, labels):
        logits = [SCALE * np.cos(np.arccos(c) + MARGIN * (k == label)) for k, c in enumerate(row)]
        total += np.log(np.sum(np.exp(logits))) - logits[label]
    return total / len(X)


def gradient(w):
    W = w.reshape(5, 4)
    norms = np.sqrt(1e-3 + np.sum(W**2, axis=0))
    directions = W / norms
    cosines = X @ directions
    own = np.arange(len(X)), labels
    c = cosines[own]
    s = np.sqrt(1 - c**2)
    logits = SCALE * cosines
    logits[own] = SCALE * (c * np.cos(MARGIN) - s * np.sin(MARGIN))
    P = np.exp(logits - logits.max(axis=1)[:, None])
    P /= P.sum(axis=1)[:, None]
    P[own] -= 1
    d_cos = SCALE * P / len(X)
    d_cos[own] *= np.cos(MARGIN) + c / s * np.sin(MARGIN)
    d_dir = X.T @ d_cos
    return ((d_dir - directions * np.sum(directions * d_dir, axis=0)) / norms).ravel()
""",
        Bug(
            "detached",
            "(d_dir - directions * np.sum(directions * d_dir, axis=0)) / norms",
            "d_dir / norms",
            also="norm|quotient|projection",
        ),
        Bug("chain", "axis=0)) / norms)", "axis=0)))", also="norm"),
        Bug("guard", "np.sqrt(1e-3 + np.sum(W**2, axis=0))", "np.sqrt(np.sum(W**2, axis=0))", also="1e-3|0[.]001"),
        Bug("sign", "np.cos(MARGIN) + c / s", "np.cos(MARGIN) - c / s"),
        Bug("chain", "d_cos = SCALE * P", "d_cos = P", number=6, also="SCALE"),
        Bug("axis", "np.sum(directions * d_dir, axis=0)", "np.sum(directions * d_dir, axis=1, keepdims=True)"),
    ),
    case(
        "density_network",
        """
n, K, H = 25, 3, 4
x = np.linspace(-2, 2, n)
y = np.sin(2 * x) + 0.3 * rng.normal(size=n)
at = 0.6 * rng.normal(size=2 * H + H * 3 * K + 3 * K)


def parts(p):
    return p[:H], p[H : 2 * H], p[2 * H : -3 * K].reshape(H, 3 * K), p[-3 * K :]


def f(p):
    w1, b1, W2, b2 = parts(p)
    nll = 0.0
    for xi, yi in zip(x, y):
        out = np.tanh(xi * w1 + b1) @ W2 + b2
        weights = np.exp(out[:K]) / np.sum(np.exp(out[:K]))
        deviation = np.exp(out[2 * K :])
        nll -= np.log(np.sum(weights / deviation * np.exp(-0.5 * ((yi - out[K : 2 * K]) / deviation) ** 2)))
    return nll / n


def gradient(p):
    w1, b1, W2, b2 = parts(p)
    hidden = np.tanh(np.outer(x, w1) + b1)
    logits, mu, log_sigma = np.split(hidden @ W2 + b2, 3, axis=1)
    pi = np.exp(logits)
    pi /= pi.sum(axis=1, keepdims=True)
    sigma = np.exp(log_sigma)
    z = (y[:, None] - mu) / sigma
    gamma = pi * np.exp(-0.5 * z**2) / sigma
    gamma /= gamma.sum(axis=1, keepdims=True)
    d_logits = pi - gamma
    d_mu = -gamma * z / sigma
    d_log_sigma = gamma * (1 - z**2)
    d_out = np.hstack([d_logits, d_mu, d_log_sigma]) / n
    d_pre = d_out @ W2.T * (1 - hidden**2)
    return np.concatenate([x @ d_pre, d_pre.sum(axis=0), (hidden.T @ d_out).ravel(), d_out.sum(axis=0)])
""",
        Bug("chain", "-gamma * z / sigma", "-gamma * z", also="sigma"),
        Bug("missing term", "gamma * (1 - z**2)", "-gamma * z**2", also="log|\\b1\\b", place="-gamma * z**2"),
        Bug("sign", "d_logits = pi - gamma", "d_logits = gamma - pi"),
        Bug("axis", "gamma /= gamma.sum(axis=1, keepdims=True)", "gamma /= gamma.sum(axis=0, keepdims=True)"),
        Bug("permuted", "[d_logits, d_mu, d_log_sigma]", "[d_logits, d_log_sigma, d_mu]"),
        Bug("chain", "gamma * (1 - z**2)", "gamma * (1 - z**2) / sigma", also="sigma|log"),
    ),
    case(
        "factorisation_machine",
        """
n, p, k = 60, 8, 3
X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.6)
y = rng.choice([-1.0, 1.0], size=n)
DECAY = 0.03
at = 0.4 * rng.normal(size=1 + p + p * k)


def f(theta):
    w0, w, V = theta[0], theta[1 : p + 1], theta[p + 1 :].reshape(p, k)
    score = w0 + X @ w
    for i in range(p):
        for j in range(i):
            score = score + (V[i] @ V[j]) * X[:, i] * X[:, j]
    return np.mean(np.log1p(np.exp(-y * score))) + 0.5 * DECAY * np.sum(V**2)


def gradient(theta):
    w0, w, V = theta[0], theta[1 : p + 1], theta[p + 1 :].reshape(p, k)
    sums = X @ V
    score = w0 + X @ w + 0.5 * np.sum(sums**2 - X**2 @ V**2, axis=1)
    g = -y / (1 + np.exp(y * score)) / n
    dV = np.einsum("n,ni,nk->ik", g, X, sums)
    dV -= V * (g @ X**2)[:, None]
    dV += DECAY * V
    return np.concatenate([[g.sum()], g @ X, dV.ravel()])
""",
        Bug("missing term", "\n    dV -= V * (g @ X**2)[:, None]", "", also="product"),
        Bug("square", "(g @ X**2)[:, None]", "(g @ X)[:, None]"),
        Bug("constant", "0.5 * np.sum(sums**2", "np.sum(sums**2", number=2),
        Bug("chain", "g = -y / (1", "g = -1 / (1", also="\\by\\b|sign"),
        Bug("mean", "[g.sum()]", "[g.mean()]", number=60),
        Bug("accumulation", "dV += DECAY * V", "dV = DECAY * V"),
    ),
    case(
        "multinomial_hessian",
        """
CLASSES, FEATURES = 4, 3
X = rng.normal(size=(25, FEATURES))
labels = rng.integers(0, CLASSES, size=25)
RIDGE = 0.2
at = rng.normal(size=FEATURES * CLASSES)


def f(w):
    Z = X @ w.reshape(FEATURES, CLASSES)
    return np.mean(np.log(np.sum(np.exp(Z), axis=1)) - Z[np.arange(25), labels]) + 0.5 * RIDGE * np.sum(w**2)


def gradient(w):
    E = np.exp(X @ w.reshape(FEATURES, CLASSES))
    H = np.zeros((w.size, w.size))
    for x, e in zip(X, E):
        p = e / e.sum()
        H += np.kron(np.outer(x, x), np.diag(p) - np.outer(p, p))
    return H / len(X) + RIDGE * np.eye(w.size)
""",
        Bug(
            "permuted",
            "np.kron(np.outer(x, x), np.diag(p) - np.outer(p, p))",
            "np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x))",
            also="transpos",
            place="np.kron(np.diag(p) - np.outer(p, p), np.outer(x, x))",
        ),
        Bug("missing term", "np.diag(p) - np.outer(p, p)", "np.diag(p)"),
        Bug("missing term", "np.diag(p) - np.outer(p, p)", "np.diag(p - p**2)", also="outer|diagonal"),
        Bug("factor", "+ RIDGE * np.eye", "+ 0.5 * RIDGE * np.eye", number=2),
        Bug("function", "p = e / e.sum()", "p = e / (1 + e)", also="softmax|sigmoid|sum"),
        Bug("loop", "zip(X, E)", "zip(X[:-1], E)"),
        what="hessian",
    ),
]
