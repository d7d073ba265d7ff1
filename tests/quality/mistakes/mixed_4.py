"""Machine learning: losses, layers and sequences, each with the slips that are usual there.

They were kept aside until the rules had been measured on them.
"""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "multiclass_svm",
        """
X = rng.normal(size=(25, 5))
labels = rng.integers(0, 4, 25)
reg = 0.1
at = 0.3 * rng.normal(size=(5, 4))


def f(W):
    scores = X @ W
    correct = scores[np.arange(len(labels)), labels]
    margins = np.maximum(0, scores - correct[:, None] + 1)
    # the right class always counts 1
    return np.sum(margins) / len(labels) - 1 + reg * np.sum(W * W)


def gradient(W):
    num_train, num_classes = X.shape[0], W.shape[1]
    dW = np.zeros(W.shape)
    for i in range(num_train):
        scores = X[i].dot(W)
        count = 0
        for j in range(num_classes):
            if j == labels[i]:
                continue
            margin = scores[j] - scores[labels[i]] + 1
            if margin > 0:
                dW[:, j] += X[i]
                count += 1
        dW[:, labels[i]] -= count * X[i]
    dW /= num_train
    dW += 2 * reg * W
    return dW
""",
        Bug("factor", "dW += 2 * reg * W", "dW += reg * W", number=2),
        Bug("accumulation", "dW[:, j] += X[i]", "dW[:, j] = X[i]"),
        Bug("chain", "-= count * X[i]", "-= X[i]", also="count|missing"),
        Bug("index", "dW[:, labels[i]] -= count", "dW[:, j] -= count", also="column"),
        Bug("mean", "dW /= num_train", "dW /= num_classes", number=25 / 4, also="num_train"),
        Bug(
            "constant",
            "scores[labels[i]] + 1\n",
            "scores[labels[i]]\n",
            also="margin|branch|condition|other side|threshold",
        ),
    ),
    case(
        "bn_affine",
        """
N, D, H = 12, 4, 3
X = rng.normal(size=(N, D))
T = np.tanh(rng.normal(size=(N, H)))
eps = 1e-2
at = np.concatenate([0.5 * rng.normal(size=D * H), [1.0, 0.7, 1.4], [0.1, -0.2, 0.0]])


def unpack(theta):
    return theta[: D * H].reshape(D, H), theta[D * H : D * H + H], theta[D * H + H :]


def forward(theta):
    W, gamma, beta = unpack(theta)
    z = X @ W
    mu = z.mean(axis=0)
    var = np.mean((z - mu) ** 2, axis=0)
    z_hat = (z - mu) / np.sqrt(var + eps)
    a = np.tanh(gamma * z_hat + beta)
    return z, mu, var, z_hat, a


def f(theta):
    a = forward(theta)[-1]
    return 0.5 * np.sum((a - T) ** 2) / N


def gradient(theta):
    W, gamma, beta = unpack(theta)
    z, mu, var, z_hat, a = forward(theta)
    dout = (a - T) / N * (1 - a**2)
    dgamma = np.sum(dout * z_hat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dz_hat = dout * gamma
    inv_std = 1 / np.sqrt(var + eps)
    dvar = np.sum(dz_hat * (z - mu) * -0.5 * inv_std**3, axis=0)
    dmu = np.sum(dz_hat * -inv_std, axis=0) + dvar * np.mean(-2 * (z - mu), axis=0)
    dz = dz_hat * inv_std + dvar * 2 * (z - mu) / N + dmu / N
    dW = X.T @ dz
    return np.concatenate([dW.ravel(), dgamma, dbeta])
""",
        Bug("exponent", "inv_std**3", "inv_std**2", also="factor .*(missing|lack)"),
        Bug("detached", "(z - mu) / N + dmu / N", "(z - mu) / N", also=r"\bmean\b|\bmu\b"),
        Bug("chain", "dz_hat = dout * gamma", "dz_hat = dout", also="gamma"),
        Bug("square", "(1 - a**2)", "(1 - a)", also="tanh"),
        Bug("guard", "inv_std = 1 / np.sqrt(var + eps)", "inv_std = 1 / np.sqrt(var)"),
        Bug("mean", "dvar * 2 * (z - mu) / N", "dvar * 2 * (z - mu)", number=12),
    ),
    case(
        "conv2d_naive",
        """
images = rng.normal(size=(4, 6, 6))
targets = rng.normal(size=(4, 2))
at = 0.4 * rng.normal(size=20)


def convolve(image, kernel):
    out = 0
    for i in range(3):
        for j in range(3):
            out = out + kernel[i, j] * image[i : i + 4, j : j + 4]
    return out


def f(p):
    kernels, bias = p[:18].reshape(2, 3, 3), p[18:]
    loss = 0.0
    for image, target in zip(images, targets):
        for c in range(2):
            pooled = np.mean(np.maximum(convolve(image, kernels[c]) + bias[c], 0))
            loss += (pooled - target[c]) ** 2
    return loss / len(images)


def gradient(p):
    kernels, bias = p[:18].reshape(2, 3, 3), p[18:]
    dk = np.zeros(kernels.shape)
    db = np.zeros(bias.shape)
    for image, target in zip(images, targets):
        for c in range(2):
            z = convolve(image, kernels[c]) + bias[c]
            pooled = np.mean(np.maximum(z, 0))
            dpooled = 2 * (pooled - target[c]) / len(images)
            dz = dpooled * (z > 0) / z.size
            db[c] += dz.sum()
            for i in range(4):
                for j in range(4):
                    dk[c] += dz[i, j] * image[i : i + 3, j : j + 3]
    return np.concatenate([dk.ravel(), db])
""",
        Bug("accumulation", "dk[c] += dz", "dk[c] = dz"),
        Bug(
            "index",
            "dz[i, j] * image[i : i + 3, j : j + 3]",
            "dz[i, j] * image[j : j + 3, i : i + 3]",
            also="transpos|swap|permut",
        ),
        Bug("mean", "(z > 0) / z.size", "(z > 0)", number=16),
        Bug("chain", "dpooled * (z > 0) / z.size", "dpooled * np.ones(z.shape) / z.size", also="maximum|z > 0|relu"),
        Bug("loop", "for i in range(4):", "for i in range(3):"),
        Bug("extra term", "db[c] += dz.sum()", "db += dz.sum()", also="index"),
    ),
    case(
        "multi_head",
        """
T, d, heads, width = 4, 4, 2, 2
X = rng.normal(size=(T, d))
V = rng.normal(size=(heads, T, width))
readout = rng.normal(size=(heads, T, width))
at = 0.5 * rng.normal(size=(2, heads, d, width))


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def f(params):
    q = np.einsum("td,hdk->htk", X, params[0])
    k = np.einsum("td,hdk->htk", X, params[1])
    scores = np.einsum("hik,hjk->hij", q, k) / np.sqrt(width)
    out = np.einsum("hij,hjk->hik", softmax(scores), V)
    return np.sum(readout * np.tanh(out))


def gradient(params):
    q = np.einsum("td,hdk->htk", X, params[0])
    k = np.einsum("td,hdk->htk", X, params[1])
    scale = 1 / np.sqrt(width)
    P = softmax(np.einsum("hik,hjk->hij", q, k) * scale)
    out = np.einsum("hij,hjk->hik", P, V)
    d_out = readout * (1 - np.tanh(out) ** 2)
    dP = np.einsum("hik,hjk->hij", d_out, V)
    dS = scale * P * (dP - np.sum(P * dP, axis=-1, keepdims=True))
    dq = np.einsum("hij,hjk->hik", dS, k)
    dk = np.einsum("hij,hik->hjk", dS, q)
    return np.stack([np.einsum("td,htk->hdk", X, dq), np.einsum("td,htk->hdk", X, dk)])
""",
        Bug("axis", "np.sum(P * dP, axis=-1,", "np.sum(P * dP, axis=-2,"),
        Bug("transposed", '"hij,hik->hjk", dS, q', '"hij,hjk->hik", dS, q', also="einsum|subscript|index"),
        Bug("function", "(1 - np.tanh(out) ** 2)", "(1 - out**2)", also="tanh|chain"),
        Bug(
            "missing term",
            "(dP - np.sum(P * dP, axis=-1, keepdims=True))",
            "dP",
            also="diagonal|softmax|quotient",
        ),
        Bug("variable", '"hij,hjk->hik", dS, k)', '"hij,hjk->hik", dS, q)'),
        Bug(
            "permuted",
            '[np.einsum("td,htk->hdk", X, dq), np.einsum("td,htk->hdk", X, dk)]',
            '[np.einsum("td,htk->hdk", X, dk), np.einsum("td,htk->hdk", X, dq)]',
        ),
    ),
    case(
        "lstm_cell",
        """
T, D, H = 5, 2, 2
xs = rng.normal(size=(T, D))
ys = rng.normal(size=T)
v = np.array([1.0, -0.6])
at = 0.5 * rng.normal(size=(4 * H, D + H + 1))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(W, x, h, c):
    u = np.concatenate([x, h, np.ones(1)])
    z = W @ u
    i, o, g, keep = sigmoid(z[:H]), sigmoid(z[H : 2 * H]), np.tanh(z[2 * H : 3 * H]), sigmoid(z[3 * H :])
    c = keep * c + i * g
    return u, i, o, g, keep, c, o * np.tanh(c)


def f(W):
    h, c, loss = np.zeros(H), np.zeros(H), 0.0
    for t in range(T):
        *_, c, h = step(W, xs[t], h, c)
        loss += 0.5 * (v @ h - ys[t]) ** 2
    return loss


def gradient(W):
    h, c, cache = np.zeros(H), np.zeros(H), []
    for t in range(T):
        c_prev = c
        u, i, o, g, keep, c, h = step(W, xs[t], h, c)
        cache.append((u, i, o, g, keep, c_prev, c, h))
    dW = np.zeros(W.shape)
    dh_next, dc_next = np.zeros(H), np.zeros(H)
    for t in reversed(range(T)):
        u, i, o, g, keep, c_prev, c, h = cache[t]
        dh = (v @ h - ys[t]) * v + dh_next
        tanh_c = np.tanh(c)
        dc = dh * o * (1 - tanh_c**2) + dc_next
        di = dc * g * i * (1 - i)
        do = dh * tanh_c * o * (1 - o)
        dg = dc * i * (1 - g**2)
        dkeep = dc * c_prev * keep * (1 - keep)
        dz = np.concatenate([di, do, dg, dkeep])
        dW += np.outer(dz, u)
        dh_next = W[:, D : D + H].T @ dz
        dc_next = dc * keep
    return dW
""",
        Bug("stale", "dkeep = dc * c_prev * keep", "dkeep = dc * c * keep", also="variable|c_prev|later"),
        Bug("detached", "(1 - tanh_c**2) + dc_next", "(1 - tanh_c**2)"),
        Bug("function", "dg = dc * i * (1 - g**2)", "dg = dc * i * g * (1 - g)", also="tanh|sigmoid|chain"),
        Bug("accumulation", "dW += np.outer(dz, u)", "dW = np.outer(dz, u)"),
        Bug("index", "W[:, D : D + H].T @ dz", "W[:, :H].T @ dz", also="column|block"),
        Bug("permuted", "np.concatenate([di, do, dg, dkeep])", "np.concatenate([di, dkeep, dg, do])"),
    ),
    case(
        "contrastive",
        """
class Siamese:
    def __init__(self, left, right, same, margin=1.5, eps=1e-3):
        self.left, self.right, self.same, self.margin, self.eps = left, right, same, margin, eps

    def loss(self, W):
        gap = np.tanh(self.left @ W) - np.tanh(self.right @ W)
        dist = np.sqrt(np.sum(gap**2, axis=1) + self.eps)
        return np.mean(np.where(self.same, dist**2, np.maximum(0, self.margin - dist) ** 2))

    def grad(self, W):
        a, b = np.tanh(self.left @ W), np.tanh(self.right @ W)
        diff = a - b
        dist = np.sqrt(np.sum(np.square(diff), axis=1) + self.eps)
        slope = np.where(self.same, 2 * dist, -2 * np.maximum(0, self.margin - dist))
        d_diff = (slope / dist)[:, None] * diff
        dW = self.left.T @ (d_diff * (1 - a**2)) - self.right.T @ (d_diff * (1 - b**2))
        return dW / len(self.same)


model = Siamese(rng.normal(size=(10, 4)), rng.normal(size=(10, 4)), np.arange(10) % 2 == 0)
at = 0.5 * rng.normal(size=(4, 3))
f, gradient = model.loss, model.grad
""",
        Bug("sign", "(1 - a**2)) - self.right.T", "(1 - a**2)) + self.right.T"),
        Bug("variable", "(d_diff * (1 - b**2))", "(d_diff * (1 - a**2))"),
        Bug("guard", "np.sum(np.square(diff), axis=1) + self.eps)", "np.sum(np.square(diff), axis=1))"),
        Bug("chain", "(slope / dist)[:, None]", "slope[:, None]", also="dist|norm|sqrt"),
        Bug("detached", " - self.right.T @ (d_diff * (1 - b**2))", ""),
    ),
    case(
        "cbow",
        """
vocab, dim = 7, 3
text = [0, 3, 1, 3, 2, 6, 5, 4, 0, 2]
at = 0.5 * rng.normal(size=2 * vocab * dim)


def windows():
    for k in range(2, len(text) - 2):
        yield text[k], [text[k - 2], text[k - 1], text[k + 1], text[k + 2]]


def unpack(theta):
    return {"embed": theta[: vocab * dim].reshape(vocab, dim), "out": theta[vocab * dim :].reshape(dim, vocab)}


def f(theta):
    p = unpack(theta)
    nll = 0.0
    for word, context in windows():
        s = np.mean(p["embed"][context], axis=0) @ p["out"]
        nll += np.log(np.sum(np.exp(s))) - s[word]
    return nll + 0.01 * np.sum(p["out"] ** 2)


def gradient(theta):
    p = unpack(theta)
    grads = {name: np.zeros(value.shape) for name, value in p.items()}
    for word, context in windows():
        h = p["embed"][context].mean(axis=0)
        s = h @ p["out"]
        prob = np.exp(s) / np.sum(np.exp(s))
        prob[word] -= 1
        grads["out"] += np.outer(h, prob)
        dh = p["out"] @ prob
        for w in context:
            grads["embed"][w] += dh / len(context)
    grads["out"] += 0.02 * p["out"]
    return np.concatenate([grads["embed"].ravel(), grads["out"].ravel()])
""",
        Bug(
            "accumulation",
            'for w in context:\n            grads["embed"][w] += dh / len(context)',
            'grads["embed"][context] += dh / len(context)',
            also="repeat|duplicat|twice|once",
            place='grads["embed"][context] += dh / len(context)',
        ),
        Bug("sign", "prob[word] -= 1", "prob[word] += 1"),
        Bug("mean", "+= dh / len(context)", "+= dh", number=4),
        Bug("factor", "0.02 *", "0.01 *", number=2),
        Bug(
            "doubled term",
            '    grads["out"] += 0.02 * p["out"]',
            '        grads["out"] += 0.02 * p["out"]',
            also="times|loop|factor [56]",
            place='grads["out"] += 0.02 * p["out"]',
        ),
        Bug(
            "chain",
            "prob = np.exp(s) / np.sum(np.exp(s))",
            "prob = np.exp(s)",
            also="normali[sz]|quotient|divi",
        ),
        Bug(
            "permuted",
            '[grads["embed"].ravel(), grads["out"].ravel()]',
            '[grads["out"].ravel(), grads["embed"].ravel()]',
        ),
    ),
    case(
        "graph_conv",
        """
edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (1, 4), (1, 5)]
A = np.eye(6)
for a, b in edges:
    A[a, b] = A[b, a] = 1.0
A_hat = A / A.sum(axis=1, keepdims=True)
features = rng.normal(size=(6, 4))
labels = np.array([0, 1, 1, 0, 1, 0])
train = [0, 1, 3, 4]
decay = 0.02
at = 0.7 * rng.normal(size=18)


def f(theta):
    W1, W2 = theta[:12].reshape(4, 3), theta[12:].reshape(3, 2)
    hidden = np.maximum(A_hat @ features @ W1, 0)
    logits = A_hat @ hidden @ W2
    loss = 0.0
    for n in train:
        loss += np.log(np.sum(np.exp(logits[n]))) - logits[n, labels[n]]
    return loss / len(train) + decay * np.sum(W1**2)


def gradient(theta):
    W1, W2 = theta[:12].reshape(4, 3), theta[12:].reshape(3, 2)
    Z1 = A_hat @ features @ W1
    H = np.maximum(Z1, 0)
    logits = A_hat @ H @ W2
    dZ2 = np.zeros((6, 2))
    for n in train:
        e = np.exp(logits[n])
        dZ2[n] = e / e.sum()
        dZ2[n, labels[n]] -= 1
    dZ2 /= len(train)
    dW2 = (A_hat @ H).T @ dZ2
    dH = A_hat.T @ dZ2 @ W2.T
    dZ1 = dH * (Z1 > 0)
    dW1 = (A_hat @ features).T @ dZ1 + 2 * decay * W1
    return np.concatenate([dW1.ravel(), dW2.ravel()])
""",
        Bug("transposed", "dH = A_hat.T @ dZ2", "dH = A_hat @ dZ2"),
        Bug("mean", "dZ2 /= len(train)", "dZ2 /= len(labels)", number=1.5),
        Bug("chain", "dZ1 = dH * (Z1 > 0)", "dZ1 = dH", also="maximum|Z1|relu"),
        Bug("loop", "for n in train:\n        e = ", "for n in train[1:]:\n        e = "),
        Bug(
            "extra term",
            "dW2 = (A_hat @ H).T @ dZ2",
            "dW2 = (A_hat @ H).T @ dZ2 + 2 * decay * W2",
            also="decay|W2",
        ),
    ),
    case(
        "linear_chain_crf",
        """
T, L = 5, 3
X = rng.normal(size=(T, 2))
tags = [0, 2, 2, 1, 0]
at = 0.6 * rng.normal(size=L * L + 2 * L)


def log_sum(v, axis):
    return np.log(np.sum(np.exp(v), axis=axis))


def f(theta):
    trans, W = theta[:9].reshape(L, L), theta[9:].reshape(2, L)
    emit = X @ W
    alpha, score = emit[0], emit[0, tags[0]]
    for t in range(1, T):
        alpha = emit[t] + log_sum(alpha[:, None] + trans, axis=0)
        score = score + trans[tags[t - 1], tags[t]] + emit[t, tags[t]]
    return log_sum(alpha, axis=0) - score


def gradient(theta):
    trans, W = theta[:9].reshape(L, L), theta[9:].reshape(2, L)
    emit = X @ W
    alpha, beta = np.zeros((T, L)), np.zeros((T, L))
    alpha[0] = emit[0]
    for t in range(1, T):
        alpha[t] = emit[t] + log_sum(alpha[t - 1][:, None] + trans, axis=0)
    for t in range(T - 2, -1, -1):
        beta[t] = log_sum(trans + emit[t + 1] + beta[t + 1], axis=1)
    log_z = log_sum(alpha[-1], axis=0)
    d_emit = np.exp(alpha + beta - log_z)
    d_trans = np.zeros((L, L))
    for t in range(T - 1):
        d_trans += np.exp(alpha[t][:, None] + trans + emit[t + 1] + beta[t + 1] - log_z)
    for t in range(T):
        d_emit[t, tags[t]] -= 1
        if t > 0:
            d_trans[tags[t - 1], tags[t]] -= 1
    return np.concatenate([d_trans.ravel(), (X.T @ d_emit).ravel()])
""",
        Bug("axis", "+ beta[t + 1], axis=1)", "+ beta[t + 1], axis=0)"),
        Bug("missing term", "log_sum(trans + emit[t + 1] + beta", "log_sum(trans + beta", also="emit"),
        Bug("index", "emit[t + 1] + beta[t + 1] - log_z", "emit[t + 1] + beta[t] - log_z"),
        Bug("accumulation", "d_trans += np.exp", "d_trans = np.exp"),
        Bug(
            "transposed", "d_trans[tags[t - 1], tags[t]] -= 1", "d_trans[tags[t], tags[t - 1]] -= 1", also="index|swap"
        ),
        Bug("loop", "if t > 0:", "if t > 1:", also="t >= 1"),
    ),
    case(
        "plackett_luce",
        """
items = rng.normal(size=(8, 3))
rankings = [[2, 0, 5, 1], [7, 3, 4], [1, 6, 0, 2, 7], [5, 4, 6], [3, 2, 1, 0]]
lam = 0.05
at = np.array([0.6, -0.4, 0.9])


def f(w):
    s = items @ w
    nll = 0.0
    for order in rankings:
        for k in range(len(order) - 1):
            rest = s[order[k:]]
            nll = nll + np.log(np.sum(np.exp(rest))) - rest[0]
    return nll / len(rankings) + lam * w @ w


def gradient(w):
    e = np.exp(items @ w)
    grad_s = np.zeros(len(items))
    for order in rankings:
        # those still to be ranked, from the last place on
        remaining = np.cumsum(e[order][::-1])[::-1]
        weight = 0.0
        for k in range(len(order)):
            item = order[k]
            if k < len(order) - 1:
                weight += 1 / remaining[k]
                grad_s[item] -= 1
            grad_s[item] += e[item] * weight
    return items.T @ grad_s / len(rankings) + 2 * lam * w
""",
        Bug("permuted", "np.cumsum(e[order][::-1])[::-1]", "np.cumsum(e[order])", also="revers|cumsum|cumulative"),
        Bug("accumulation", "weight += 1 / remaining[k]", "weight = 1 / remaining[k]"),
        Bug("chain", "+= e[item] * weight", "+= weight", also=r"\bexp\b"),
        Bug("sign", "grad_s[item] -= 1", "grad_s[item] += 1"),
        Bug("mean", "grad_s / len(rankings)", "grad_s / len(items)", number=8 / 5),
    ),
]
