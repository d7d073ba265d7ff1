"""Networks with caches, statistics, inverse problems and physics in the styles of code that grew over time.

They were kept aside until the rules had been measured on them.
"""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "cached_layers",
        """
X = rng.normal(size=(7, 3))
T = np.eye(4)[rng.integers(0, 4, 7)]
decay = 0.02
at = 0.6 * rng.normal(size=3 * 5 + 5 + 5 * 4)


def unpack(p):
    return {"W1": p[:15].reshape(3, 5), "b1": p[15:20], "W2": p[20:].reshape(5, 4)}


class Net:
    def forward(self, params):
        self.params = params
        z = X @ params["W1"] + params["b1"]
        a = np.log1p(np.exp(z))
        s = a @ params["W2"]
        s = s - s.max(axis=1, keepdims=True)
        prob = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
        self.cache = {"z": z, "a": a, "prob": prob}
        penalty = 0.5 * decay * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
        return -np.sum(T * np.log(prob)) / len(X) + penalty

    def backward(self):
        c, W2 = self.cache, self.params["W2"]
        grads = {}
        dS = (c["prob"] - T) / len(X)
        grads["W2"] = c["a"].T @ dS + decay * W2
        dA = dS @ W2.T
        dZ = dA / (1 + np.exp(-c["z"]))
        grads["W1"] = X.T @ dZ + decay * self.params["W1"]
        grads["b1"] = dZ.sum(axis=0)
        return grads


def f(p):
    return Net().forward(unpack(p))


def gradient(p):
    net = Net()
    net.forward(unpack(p))
    g = net.backward()
    return np.concatenate([g["W1"].ravel(), g["b1"], g["W2"].ravel()])
""",
        Bug("chain", 'dZ = dA / (1 + np.exp(-c["z"]))', "dZ = dA", also="exp|sigmoid|constant"),
        Bug("missing term", 'X.T @ dZ + decay * self.params["W1"]', "X.T @ dZ", also="decay|penalty"),
        Bug("mean", "dZ.sum(axis=0)", "dZ.mean(axis=0)", number=7),
        Bug("variable", 'grads["W2"] = c["a"].T @ dS', 'grads["W2"] = c["z"].T @ dS', also="before|exp|log"),
    ),
    case(
        "deep_tanh",
        """
sizes = [3, 4, 4, 2]
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
at = 0.5 * rng.normal(size=sum((m + 1) * n for m, n in zip(sizes, sizes[1:])))


def layers(theta):
    found, start = [], 0
    for m, n in zip(sizes, sizes[1:]):
        W = theta[start : start + m * n].reshape(m, n)
        b = theta[start + m * n : start + m * n + n]
        found.append((W, b))
        start += m * n + n
    return found


def f(theta):
    h = X
    params = layers(theta)
    for W, b in params[:-1]:
        h = np.tanh(h @ W + b)
    W, b = params[-1]
    return np.mean((h @ W + b - Y) ** 2)


def gradient(theta):
    params = layers(theta)
    activations = [X]
    for W, b in params[:-1]:
        activations.append(np.tanh(activations[-1] @ W + b))
    W, b = params[-1]
    delta = 2 * (activations[-1] @ W + b - Y) / Y.size
    pieces = []
    for l in range(len(params) - 1, -1, -1):
        pieces = [(activations[l].T @ delta).ravel(), delta.sum(axis=0)] + pieces
        if l > 0:
            delta = (delta @ params[l][0].T) * (1 - activations[l] ** 2)
    return np.concatenate(pieces)
""",
        Bug("constant", "- Y) / Y.size", "- Y) / len(Y)", number=2),
        Bug("square", "(1 - activations[l] ** 2)", "(1 - activations[l])", also="function"),
        Bug("chain", "(delta @ params[l][0].T) * (1 - activations[l] ** 2)", "delta @ params[l][0].T", also="tanh"),
        Bug("index", "* (1 - activations[l] ** 2)", "* (1 - activations[-1] ** 2)", also="variable"),
    ),
    case(
        "einsum_bilinear",
        """
batch, left, right, out = 4, 3, 5, 2
U, V = rng.normal(size=(batch, left)), rng.normal(size=(batch, right))
target = rng.normal(size=(batch, out))
lam = 0.1
at = 0.4 * rng.normal(size=left * right * out + out)


def f(p):
    A, bias = p[: left * right * out].reshape(left, right, out), p[left * right * out :]
    score = np.tanh(np.einsum("bi,ijk,bj->bk", U, A, V) + bias)
    return 0.5 * np.sum((score - target) ** 2) + lam * np.sum(A**2)


def gradient(p):
    A, bias = p[: left * right * out].reshape(left, right, out), p[left * right * out :]
    pre = np.einsum("bi,ijk,bj->bk", U, A, V) + bias
    score = np.tanh(pre)
    dpre = (score - target) * (1 - score**2)
    dA = np.einsum("bi,bj,bk->ijk", U, V, dpre) + 2 * lam * A
    return np.concatenate([dA.ravel(), dpre.sum(axis=0)])
""",
        Bug("variable", "* (1 - score**2)", "* (1 - pre**2)", also="before|tanh"),
        Bug("factor", "+ 2 * lam * A", "+ lam * A", number=2),
        Bug("chain", "dpre = (score - target) * (1 - score**2)", "dpre = score - target", also="tanh"),
        Bug(
            "transposed",
            '"bi,bj,bk->ijk", U, V, dpre) + 2 * lam * A',
            '"bi,bj,bk->jik", U, V, dpre).reshape(A.shape) + 2 * lam * A',
            also="order|permut",
            place='"bi,bj,bk->jik"',
        ),
    ),
    case(
        "minimal_gru",
        """
inputs = rng.normal(size=(6, 2))
goal = np.array([0.3, -0.4, 0.8])
at = 0.5 * rng.normal(size=2 * (3 * 3 + 2 * 3))


def weights(p):
    return p[:9].reshape(3, 3), p[9:15].reshape(2, 3), p[15:24].reshape(3, 3), p[24:].reshape(2, 3)


def f(p):
    Uf, Wf, Uh, Wh = weights(p)
    h = np.zeros(3)
    for x in inputs:
        z = 1 / (1 + np.exp(-(h @ Uf + x @ Wf)))
        c = np.tanh((z * h) @ Uh + x @ Wh)
        h = (1 - z) * h + z * c
    return 0.5 * np.sum((h - goal) ** 2)


def gradient(p):
    Uf, Wf, Uh, Wh = weights(p)
    h, tape = np.zeros(3), []
    for x in inputs:
        z = 1 / (1 + np.exp(-(h @ Uf + x @ Wf)))
        c = np.tanh((z * h) @ Uh + x @ Wh)
        tape.append((x, h, z, c))
        h = (1 - z) * h + z * c
    gUf, gWf, gUh, gWh = np.zeros((3, 3)), np.zeros((2, 3)), np.zeros((3, 3)), np.zeros((2, 3))
    dh = h - goal
    for x, h, z, c in reversed(tape):
        dc = dh * z * (1 - c**2)
        gUh += np.outer(z * h, dc)
        gWh += np.outer(x, dc)
        back = dc @ Uh.T
        dz = (dh * (c - h) + back * h) * z * (1 - z)
        gUf += np.outer(h, dz)
        gWf += np.outer(x, dz)
        dh = dh * (1 - z) + back * z + dz @ Uf.T
    return np.concatenate([gUf.ravel(), gWf.ravel(), gUh.ravel(), gWh.ravel()])
""",
        Bug("product", "(dh * (c - h) + back * h)", "(dh * (c - h))", also="back"),
        Bug("variable", "gUh += np.outer(z * h, dc)", "gUh += np.outer(h, dc)", also=r"\bz\b|factor|missing"),
        Bug("detached", "dh * (1 - z) + back * z + dz @ Uf.T", "dh * (1 - z) + back * z", also="Uf"),
        Bug("accumulation", "gWf += np.outer(x, dz)", "gWf = np.outer(x, dz)"),
    ),
    case(
        "weight_norm",
        """
X = rng.normal(size=(9, 4))
y = rng.normal(size=9)
# gain, then direction of each of two units, then the weights of the output
at = np.array([0.8, 1.3, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.9, -0.2, 0.7, -1.1])


def f(p):
    g, V, out = p[:2], p[2:10].reshape(2, 4), p[10:]
    W = g[:, None] * V / np.sqrt(np.sum(V**2, axis=1, keepdims=True))
    hidden = np.maximum(X @ W.T, 0.0)
    return np.mean((hidden @ out - y) ** 2)


def gradient(p):
    g, V, out = p[:2], p[2:10].reshape(2, 4), p[10:]
    norm = np.sqrt(np.sum(V**2, axis=1))
    unit = V / norm[:, None]
    W = g[:, None] * unit
    pre = X @ W.T
    hidden = np.maximum(pre, 0)
    err = 2 * (hidden @ out - y) / len(y)
    g_pre = np.outer(err, out) * (pre > 0)
    g_W = g_pre.T @ X
    g_gain = np.sum(g_W * unit, axis=1)
    g_V = (g / norm)[:, None] * (g_W - g_gain[:, None] * unit)
    return np.concatenate([g_gain, g_V.ravel(), hidden.T @ err])
""",
        Bug("missing term", "(g_W - g_gain[:, None] * unit)", "g_W", also="norm|quotient"),
        Bug("chain", "np.outer(err, out) * (pre > 0)", "np.outer(err, out)", also="maximum|relu|pre"),
        Bug("variable", "hidden.T @ err])", "pre.T @ err])", also="before|maximum"),
        Bug("chain", "(g / norm)[:, None] * (g_W", "g[:, None] * (g_W", also="norm"),
    ),
    case(
        "aft_lognormal",
        """
n = 25
Z = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
logt = Z @ [1.0, 0.5, -0.4] + 0.7 * rng.normal(size=n)
seen = rng.random(n) < 0.65
at = np.array([0.8, 0.3, -0.2, -0.3])


def f(p):
    beta, sigma = p[:3], np.exp(p[3])
    r = (logt - Z @ beta) / sigma
    density = -0.5 * r**2 - 0.5 * np.log(2 * np.pi) - np.log(sigma) - logt
    survival = np.log(1 / (1 + np.exp(1.702 * r)))
    return -np.sum(np.where(seen, density, survival))


def gradient(p):
    beta, sigma = p[:3], np.exp(p[3])
    r = (logt - Z @ beta) / sigma
    hazard = 1.702 / (1 + np.exp(-1.702 * r))
    slope = np.where(seen, r, hazard)
    g_beta = -Z.T @ slope / sigma
    g_log_sigma = np.sum(seen) - np.sum(slope * r)
    return np.append(g_beta, g_log_sigma)
""",
        Bug("chain", "g_beta = -Z.T @ slope / sigma", "g_beta = -Z.T @ slope", also="sigma"),
        Bug(
            "missing term",
            "g_log_sigma = np.sum(seen) - np.sum(slope * r)",
            "g_log_sigma = -np.sum(slope * r)",
            also="seen|sigma",
        ),
        Bug("constant", "np.sum(seen) - np.sum", "len(seen) - np.sum", also="seen|sum|term|added"),
        Bug("factor", "hazard = 1.702 / (1", "hazard = 1 / (1", number=1.702),
    ),
    case(
        "coregional_gp",
        """
t = np.linspace(0.0, 2.0, 5)
y = np.concatenate([np.sin(2 * t), np.cos(2 * t) + 0.1])
gap2 = (t[:, None] - t[None, :]) ** 2
# log length, two mixing weights, log noise
at = np.array([-0.4, 0.9, 0.6, -1.2])


def f(p):
    length, w, noise = np.exp(p[0]), p[1:3], np.exp(p[3])
    K = np.kron(np.outer(w, w) + 0.2 * np.eye(2), np.exp(-0.5 * gap2 / length**2)) + noise * np.eye(10)
    sign, logdet = np.linalg.slogdet(K)
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * logdet


def gradient(p):
    length, w, noise = np.exp(p[0]), p[1:3], np.exp(p[3])
    R = np.exp(-0.5 * gap2 / length**2)
    B = np.outer(w, w) + 0.2 * np.eye(2)
    K = np.kron(B, R) + noise * np.eye(10)
    Kinv = np.linalg.inv(K)
    alpha = Kinv @ y
    G = 0.5 * (Kinv - np.outer(alpha, alpha))
    g = np.zeros(4)
    g[0] = np.sum(G * np.kron(B, R * gap2 / length**2))
    for i in range(2):
        E = np.zeros((2, 2))
        E[i, :] += w
        E[:, i] += w
        g[1 + i] = np.sum(G * np.kron(E, R))
    g[3] = noise * np.trace(G)
    return g
""",
        Bug("accumulation", "E[:, i] += w", "E[:, i] = w", also="symmetr|half|twice"),
        Bug("missing term", "        E[:, i] += w\n", "", also="symmetr|half|twice"),
        Bug("exponent", "R * gap2 / length**2", "R * gap2 / length**3"),
        Bug("chain", "noise * np.trace(G)", "np.trace(G)", also="noise|exp"),
    ),
    case(
        "map_states",
        """
obs = np.cumsum(rng.normal(size=9)) * 0.5
a, q, r = 0.9, 0.4, 0.25
at = obs + 0.2 * rng.normal(size=9)


def f(x):
    start = 0.5 * x[0] ** 2 / q * (1 - a**2)
    moves = 0.5 * np.sum((x[1:] - a * np.sin(x[:-1])) ** 2) / q
    return start + moves + 0.5 * np.sum((obs - x) ** 2) / r


def gradient(x):
    g = np.zeros_like(x)
    innovation = (x[1:] - a * np.sin(x[:-1])) / q
    g[1:] += innovation
    g[:-1] -= a * np.cos(x[:-1]) * innovation
    g[0] += x[0] * (1 - a**2) / q
    g -= (obs - x) / r
    return g
""",
        Bug("sign", "g -= (obs - x) / r", "g += (obs - x) / r"),
        Bug("index", "a * np.cos(x[:-1]) * innovation", "a * np.cos(x[1:]) * innovation"),
        Bug("accumulation", "g[0] += x[0]", "g[0] = x[0]"),
        Bug("chain", "g[:-1] -= a * np.cos(x[:-1]) * innovation", "g[:-1] -= a * innovation", also="cos"),
    ),
    case(
        "euler_alignment",
        """
model = rng.normal(size=(6, 3))
scene = model[:, [1, 2, 0]] + 0.1 * rng.normal(size=(6, 3))
weight = rng.uniform(0.5, 1.5, 6)
# yaw, pitch, roll, then the shift
at = np.array([0.4, -0.2, 0.7, 0.1, 0.0, -0.3])


def rot(axis, angle, order=0):
    c, s = np.cos(angle + order * np.pi / 2), np.sin(angle + order * np.pi / 2)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    R = np.zeros((3, 3)) if order else np.eye(3)
    R[i, i] = R[j, j] = c
    R[i, j], R[j, i] = -s, s
    return R


def f(p):
    R = rot(2, p[0]) @ rot(1, p[1]) @ rot(0, p[2])
    gap = model @ R.T + p[3:] - scene
    return 0.5 * np.sum(weight * np.sum(gap**2, axis=1))


def gradient(p):
    Rz, Ry, Rx = rot(2, p[0]), rot(1, p[1]), rot(0, p[2])
    gap = model @ (Rz @ Ry @ Rx).T + p[3:] - scene
    pull = weight[:, None] * gap
    dR = pull.T @ model
    g = np.zeros(6)
    g[0] = np.sum(dR * (rot(2, p[0], 1) @ Ry @ Rx))
    g[1] = np.sum(dR * (Rz @ rot(1, p[1], 1) @ Rx))
    g[2] = np.sum(dR * (Rz @ Ry @ rot(0, p[2], 1)))
    g[3:] = pull.sum(axis=0)
    return g
""",
        Bug("transposed", "dR = pull.T @ model", "dR = model.T @ pull", also="swap|order"),
        Bug("missing term", "pull = weight[:, None] * gap", "pull = gap", also="weight|factor"),
        Bug("permuted", "(Rz @ Ry @ rot(0, p[2], 1))", "(Ry @ Rz @ rot(0, p[2], 1))", also="swap|order|transpos"),
        Bug("index", "rot(1, p[1], 1) @ Rx", "rot(1, p[2], 1) @ Rx", also="variable"),
    ),
    case(
        "nonlinear_fem",
        """
nodes = np.linspace(0.0, 1.0, 8) ** 1.3
load = 2.0
at = 0.3 * rng.normal(size=8)


def f(u):
    energy = 0.0
    for e in range(7):
        h = nodes[e + 1] - nodes[e]
        s = (u[e + 1] - u[e]) / h
        mid = 0.5 * (u[e] + u[e + 1])
        energy += h * (0.5 * s**2 + 0.25 * s**4 + 0.5 * mid**2 * (1 + mid) - load * mid)
    return energy + 10.0 * u[0] ** 2


def gradient(u):
    g = np.zeros(8)
    for e in range(7):
        h = nodes[e + 1] - nodes[e]
        s = (u[e + 1] - u[e]) / h
        mid = (u[e] + u[e + 1]) / 2
        flux = s + s**3
        local = h * (mid + 1.5 * mid**2 - load) / 2
        g[e] += local - flux
        g[e + 1] += local + flux
    g[0] += 20 * u[0]
    return g
""",
        Bug("sign", "g[e] += local - flux", "g[e] += local + flux"),
        Bug("accumulation", "g[e] += local", "g[e] = local"),
        Bug("exponent", "flux = s + s**3", "flux = s + s**2"),
        Bug("chain", "(mid + 1.5 * mid**2 - load) / 2", "(mid + 1.5 * mid**2 - load)", also="half|2"),
    ),
    case(
        "hermite_curve",
        """
u = np.linspace(0.0, 1.0, 12)
wanted = np.sin(3 * u)
at = np.array([0.1, 0.4, 1.5, -2.0])


def f(p):
    y = (2 * u**3 - 3 * u**2 + 1) * p[0] + (3 * u**2 - 2 * u**3) * p[1]
    y = y + (u**3 - 2 * u**2 + u) * p[2] + (u**3 - u**2) * p[3]
    bend = (6 * p[0] - 6 * p[1] + 3 * p[2] + 3 * p[3]) ** 2
    return np.sum(np.sqrt(1 + (y - wanted) ** 2) - 1) + 1e-2 * bend


def gradient(p):
    h00 = (1 + 2 * u) * (1 - u) ** 2
    h01 = u**2 * (3 - 2 * u)
    h10 = u * (1 - u) ** 2
    h11 = u**2 * (u - 1)
    basis = np.stack([h00, h01, h10, h11])
    r = p @ basis - wanted
    weight = r / np.sqrt(1 + r**2)
    third = np.array([6.0, -6.0, 3.0, 3.0])
    return basis @ weight + 2e-2 * (third @ p) * third
""",
        Bug("permuted", "[h00, h01, h10, h11]", "[h00, h10, h01, h11]", also="swap|order"),
        Bug("chain", "weight = r / np.sqrt(1 + r**2)", "weight = r", also="sqrt"),
        Bug("exponent", "np.sqrt(1 + r**2)", "(1 + r**2)", also="sqrt|square root"),
        Bug("missing term", "2e-2 * (third @ p) * third", "2e-2 * (third @ p)", also="third|factor"),
    ),
    case(
        "tweedie_offset",
        """
n = 20
X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
exposure = rng.uniform(0.2, 3.0, n)
claims = rng.poisson(0.8, n) * rng.uniform(0.5, 2.0, n)
power, alpha = 1.5, 0.3
at = np.array([0.2, -0.3, 0.4])


def f(beta):
    mu = np.exp(X @ beta + np.log(exposure))
    dev = -claims * mu ** (1 - power) / (1 - power) + mu ** (2 - power) / (2 - power)
    return np.sum(dev) / n + 0.5 * alpha * np.sum(beta[1:] ** 2)


def gradient(beta):
    eta = X @ beta
    mu = exposure * np.exp(eta)
    score = mu ** (2 - power) - claims * mu ** (1 - power)
    g = X.T @ score / n
    g[1:] += alpha * beta[1:]
    return g
""",
        Bug("missing term", "mu = exposure * np.exp(eta)", "mu = np.exp(eta)", also="exposure|factor"),
        Bug(
            "exponent", "mu ** (2 - power) - claims * mu ** (1 - power)", "mu ** (2 - power) - claims * mu ** (-power)"
        ),
        Bug("index", "g[1:] += alpha * beta[1:]", "g += alpha * beta", also="extra|intercept"),
        Bug("mean", "X.T @ score / n", "X.T @ score", number=20),
    ),
    case(
        "biased_ratings",
        """
users, items, rank = 4, 3, 2
seen = [(0, 0, 4.0), (0, 2, 3.0), (1, 1, 5.0), (2, 0, 2.0), (2, 1, 1.0), (3, 2, 4.5), (1, 2, 2.5)]
mean, lam = 3.1, 0.05
at = 0.5 * rng.normal(size=users * (rank + 1) + items * (rank + 1))


def split(p):
    P = p[: users * rank].reshape(users, rank)
    Q = p[users * rank : (users + items) * rank].reshape(items, rank)
    bu, bi = np.split(p[(users + items) * rank :], [users])
    return P, Q, bu, bi


def f(p):
    P, Q, bu, bi = split(p)
    loss = 0.0
    for u, i, rating in seen:
        e = rating - (mean + bu[u] + bi[i] + P[u] @ Q[i])
        loss += e**2 + lam * (P[u] @ P[u] + Q[i] @ Q[i] + bu[u] ** 2 + bi[i] ** 2)
    return loss


def gradient(p):
    P, Q, bu, bi = split(p)
    gP, gQ, gbu, gbi = np.zeros_like(P), np.zeros_like(Q), np.zeros(users), np.zeros(items)
    for u, i, rating in seen:
        err = rating - (mean + bu[u] + bi[i] + np.dot(P[u], Q[i]))
        gP[u] += -2 * err * Q[i] + 2 * lam * P[u]
        gQ[i] += -2 * err * P[u] + 2 * lam * Q[i]
        gbu[u] += -2 * err + 2 * lam * bu[u]
        gbi[i] += -2 * err + 2 * lam * bi[i]
    return np.concatenate([gP.ravel(), gQ.ravel(), gbu, gbi])
""",
        Bug("variable", "-2 * err * P[u] + 2 * lam * Q[i]", "-2 * err * P[u] + 2 * lam * P[u]"),
        Bug("missing term", "err = rating - (mean + bu[u] + bi[i] + ", "err = rating - (mean + bu[u] + ", also="bi"),
        Bug("accumulation", "gbi[i] += -2", "gbi[i] = -2"),
        Bug("index", "-2 * err * Q[i] + 2 * lam * P[u]", "-2 * err * Q[u - 1] + 2 * lam * P[u]", also="variable"),
    ),
    case(
        "siamese_margin",
        """
A, B = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
same = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0])
margin = 2.5
at = 0.5 * rng.normal(size=6)


def f(w):
    W = w.reshape(2, 3)
    dist = np.sqrt(np.sum(((A - B) @ W.T) ** 2, axis=1))
    return np.sum(same * dist**2 + (1 - same) * np.maximum(0, margin - dist) ** 2) / (2 * len(A))


def gradient(w):
    W = w.reshape(2, 3)
    grad = np.zeros((2, 3))
    for a, b, s in zip(A, B, same):
        diff = W @ a - W @ b
        d = np.linalg.norm(diff)
        if s:
            grad += np.outer(diff, a - b)
        elif d < margin:
            grad -= (margin - d) / d * np.outer(diff, a - b)
    return grad.ravel() / len(A)
""",
        Bug("chain", "grad -= (margin - d) / d * np", "grad -= (margin - d) * np", also=r"\bd\b|norm|dist"),
        Bug("sign", "grad -= (margin", "grad += (margin"),
        Bug(
            "variable",
            "        if s:\n            grad += np.outer(diff, a - b)",
            "        if s:\n            grad += np.outer(diff, a)",
            also="missing|term",
        ),
        Bug("factor", "grad.ravel() / len(A)", "grad.ravel() / (2 * len(A))", number=2),
    ),
    case(
        "sammon",
        """
high = rng.normal(size=(6, 4))
D = np.sqrt(np.sum((high[:, None] - high[None]) ** 2, axis=2)) + np.eye(6)
scale = np.sum(np.triu(D, 1))
at = rng.normal(size=12)


def f(z):
    Y = z.reshape(6, 2)
    stress = 0.0
    for i in range(6):
        for j in range(i + 1, 6):
            d = np.sqrt(np.sum((Y[i] - Y[j]) ** 2))
            stress += (D[i, j] - d) ** 2 / D[i, j]
    return stress / scale


def gradient(z):
    Y = z.reshape(6, 2)
    diff = Y[:, None, :] - Y[None, :, :]
    d = np.sqrt((diff**2).sum(axis=-1)) + np.eye(6)
    ratio = (D - d) / (D * d)
    np.fill_diagonal(ratio, 0)
    return (-2 / scale * np.sum(ratio[:, :, None] * diff, axis=1)).ravel()
""",
        Bug("axis", "* diff, axis=1)", "* diff, axis=0)", also="sign"),
        Bug("chain", "(D - d) / (D * d)", "(D - d) / D", also=r"\bd\b|norm|dist"),
        Bug("factor", "(-2 / scale", "(-4 / scale", number=2),
        Bug("missing term", "(D - d) / (D * d)", "(D - d) / d", also=r"\bD\b|factor|chain"),
    ),
    case(
        "orthogonal_nmf",
        """
V = rng.uniform(0.5, 2.0, size=(5, 4))
mu = 0.3
at = rng.uniform(0.2, 1.0, 5 * 2 + 2 * 4)


def f(p):
    W, H = p[:10].reshape(5, 2), p[10:].reshape(2, 4)
    fit = np.sum((V - W @ H) ** 2)
    return 0.5 * fit + 0.25 * mu * np.sum((W.T @ W - np.eye(2)) ** 2) + 0.1 * np.sum(H)


def gradient(p):
    W, H = p[:10].reshape(5, 2), p[10:].reshape(2, 4)
    WH = W @ H
    gW = -(V @ H.T) + WH @ H.T + mu * W @ (W.T @ W - np.eye(2))
    gH = W.T @ (WH - V)
    gH += 0.1
    return np.hstack([gW.ravel(), gH.ravel()])
""",
        Bug("missing term", "+ mu * W @ (W.T @ W - np.eye(2))", "+ mu * W @ (W.T @ W)", also="eye|identity"),
        Bug("accumulation", "gH += 0.1", "gH[:] = 0.1", also="product|constant"),
        Bug("product", "-(V @ H.T) + WH @ H.T", "-(V @ H.T)", also="WH"),
        Bug("factor", "+ mu * W @ (W.T", "+ 0.5 * mu * W @ (W.T", number=2),
    ),
    case(
        "robust_scale",
        """
y = np.concatenate([rng.normal(size=15), [6.0, -5.0]])
x = rng.normal(size=17)
k = 1.345
# intercept, slope, log scale
at = np.array([0.2, 0.5, -0.1])


def f(p):
    s = np.exp(p[2])
    r = (y - p[0] - p[1] * x) / s
    rho = np.where(np.abs(r) <= k, 0.5 * r**2, k * np.abs(r) - 0.5 * k**2)
    return np.sum(rho) * s + 0.7 * len(y) * s


def gradient(p):
    s = np.exp(p[2])
    r = (y - p[0] - p[1] * x) / s
    psi = np.clip(r, -k, k)
    rho = np.where(np.abs(r) <= k, 0.5 * r**2, k * np.abs(r) - 0.5 * k**2)
    d_s = np.sum(rho - psi * r) + 0.7 * len(y)
    return np.array([-np.sum(psi), -np.sum(psi * x), s * d_s])
""",
        Bug("product", "np.sum(rho - psi * r)", "np.sum(rho)", also="psi"),
        Bug("variable", "-np.sum(psi * x)", "-np.sum(r * x)", also="clip|psi"),
        Bug("chain", "s * d_s])", "d_s])", also=r"\bs\b|exp"),
        Bug(
            "factor",
            "0.5 * r**2, k * np.abs(r) - 0.5 * k**2)\n    d_s",
            "0.5 * r**2, k * np.abs(r) - k**2)\n    d_s",
            number=2,
        ),
    ),
    case(
        "harvest_adjoint",
        """
steps, h = 10, 0.2
growth, capacity, discount = 0.9, 4.0, 0.97
at = rng.uniform(0.1, 0.6, steps)


def f(u):
    x, profit = 1.5, 0.0
    for k in range(steps):
        profit = profit + h * discount**k * (u[k] * x - 0.5 * u[k] ** 2)
        x = x + h * (growth * x * (1 - x / capacity) - u[k] * x)
    return -profit - 2.0 * np.log(x)


def gradient(u):
    x = np.empty(steps + 1)
    x[0] = 1.5
    for k in range(steps):
        x[k + 1] = x[k] + h * (growth * x[k] * (1 - x[k] / capacity) - u[k] * x[k])
    lam = -2.0 / x[steps]
    g = np.empty(steps)
    for k in reversed(range(steps)):
        w = discount**k
        g[k] = -h * w * (x[k] - u[k]) - lam * h * x[k]
        lam = lam * (1 + h * (growth * (1 - 2 * x[k] / capacity) - u[k])) - h * w * u[k]
    return g
""",
        Bug("stale", "- lam * h * x[k]", "- lam * h * x[k + 1]", also="index|shift|x"),
        Bug("factor", "(1 - 2 * x[k] / capacity)", "(1 - x[k] / capacity)", number=2),
        Bug("missing term", " - h * w * u[k]\n", "\n", also=r"\bu\b|profit"),
        Bug("index", "lam = -2.0 / x[steps]", "lam = -2.0 / x[steps - 1]", also="stale"),
    ),
    case(
        "screened_box",
        """
box, kappa = 3.0, 0.8
charge = np.array([1.0, -1.0, 0.5, -0.5, 1.5])
at = rng.uniform(0.0, 3.0, 15)


def f(p):
    pos = p.reshape(5, 3)
    energy = 0.0
    for i in range(5):
        for j in range(i):
            d = pos[i] - pos[j]
            d = d - box * np.round(d / box)
            r = np.sqrt(np.sum(d**2))
            energy += charge[i] * charge[j] * np.exp(-kappa * r) / r
            energy += 1e-3 / r**12
    return energy


def gradient(p):
    pos = p.reshape(5, 3)
    force = np.zeros((5, 3))
    for i in range(5):
        for j in range(i + 1, 5):
            d = pos[i] - pos[j]
            d -= box * np.round(d / box)
            r = np.sqrt(d @ d)
            pair = charge[i] * charge[j] * np.exp(-kappa * r) / r
            slope = -pair * (kappa + 1 / r) - 12e-3 / r**13
            force[i] -= slope * d / r
            force[j] += slope * d / r
    return -force.ravel()
""",
        Bug("quotient", "-pair * (kappa + 1 / r)", "-pair * kappa", also="1/r|1 / r"),
        Bug("exponent", "12e-3 / r**13", "12e-3 / r**12"),
        Bug("missing term", "            force[j] += slope * d / r\n", "", also="force|third"),
        Bug("chain", "force[i] -= slope * d / r", "force[i] -= slope * d", also=r"\br\b|unit"),
    ),
    case(
        "arma11",
        """
y = np.cumsum(0.3 * rng.normal(size=14)) + rng.normal(size=14)
# constant, phi, theta, log sigma
at = np.array([0.1, 0.6, 0.3, -0.2])


def f(p):
    c, phi, theta, ls = p
    e, total = 0.0, 0.0
    for t in range(1, len(y)):
        e = y[t] - c - phi * y[t - 1] - theta * e
        total = total + e**2
    n = len(y) - 1
    return 0.5 * total * np.exp(-2 * ls) + n * ls


def gradient(p):
    c, phi, theta, ls = p
    n = len(y) - 1
    prec = np.exp(-2 * ls)
    e, total = 0.0, 0.0
    de = np.zeros(3)
    g = np.zeros(4)
    for t in range(1, len(y)):
        de = -np.array([1.0, y[t - 1], e]) - theta * de
        e = y[t] - c - phi * y[t - 1] - theta * e
        total += e**2
        g[:3] += prec * e * de
    g[3] = n - prec * total
    return g
""",
        Bug(
            "detached",
            "de = -np.array([1.0, y[t - 1], e]) - theta * de",
            "de = -np.array([1.0, y[t - 1], e])",
            also="theta",
        ),
        Bug("index", "np.array([1.0, y[t - 1], e])", "np.array([1.0, y[t], e])"),
        Bug("chain", "g[:3] += prec * e * de", "g[:3] += e * de", also="prec|exp"),
        Bug(
            "stale",
            "        de = -np.array([1.0, y[t - 1], e]) - theta * de\n"
            "        e = y[t] - c - phi * y[t - 1] - theta * e\n",
            "        e = y[t] - c - phi * y[t - 1] - theta * e\n"
            "        de = -np.array([1.0, y[t - 1], e]) - theta * de\n",
            also="order",
            place="np.array([1.0, y[t - 1], e])",
        ),
    ),
    case(
        "egarch",
        """
ret = rng.normal(size=12) * 0.8
mean_abs = np.sqrt(2 / np.pi)
# omega, alpha, gamma, beta
at = np.array([-0.1, 0.2, -0.1, 0.85])


def f(p):
    omega, alpha, gamma, beta = p
    logv, nll = 0.0, 0.0
    for r in ret:
        z = r * np.exp(-0.5 * logv)
        nll = nll + 0.5 * (logv + z**2)
        logv = omega + alpha * (np.abs(z) - mean_abs) + gamma * z + beta * logv
    return nll


def gradient(p):
    omega, alpha, gamma, beta = p
    logv = 0.0
    d_logv = np.zeros(4)
    grad = np.zeros(4)
    for r in ret:
        z = r * np.exp(-logv / 2)
        d_z = -0.5 * z * d_logv
        grad += 0.5 * d_logv + z * d_z
        direct = np.array([1.0, np.abs(z) - mean_abs, z, logv])
        d_logv = direct + (alpha * np.sign(z) + gamma) * d_z + beta * d_logv
        logv = omega + alpha * (np.abs(z) - mean_abs) + gamma * z + beta * logv
    return grad
""",
        Bug("missing term", "(alpha * np.sign(z) + gamma) * d_z", "alpha * np.sign(z) * d_z", also="gamma"),
        Bug("detached", "grad += 0.5 * d_logv + z * d_z", "grad += 0.5 * d_logv", also=r"\bz\b|d_z"),
        Bug("factor", "d_z = -0.5 * z * d_logv", "d_z = -z * d_logv", number=2),
        Bug("permuted", "[1.0, np.abs(z) - mean_abs, z, logv]", "[1.0, z, np.abs(z) - mean_abs, logv]", also="swap"),
    ),
    case(
        "depthwise",
        """
image = rng.normal(size=(2, 6, 6))
wish = rng.normal(size=(2, 4, 4))
gain = np.array([0.7, 1.4])
at = 0.4 * rng.normal(size=18)


def f(k):
    K = k.reshape(2, 3, 3)
    out = np.zeros((2, 4, 4))
    for a in range(3):
        for b in range(3):
            out += K[:, a, b, None, None] * image[:, a : a + 4, b : b + 4]
    y = gain[:, None, None] * out / (1 + np.abs(out))
    return 0.5 * np.mean((y - wish) ** 2)


def gradient(k):
    K = k.reshape(2, 3, 3)
    grad = np.zeros_like(K)
    for c in range(2):
        out = sum(K[c, a, b] * image[c, a : a + 4, b : b + 4] for a in range(3) for b in range(3))
        soft = 1 + np.abs(out)
        d_out = gain[c] * (gain[c] * out / soft - wish[c]) / soft**2 / 32
        for a in range(3):
            for b in range(3):
                grad[c, a, b] = np.sum(d_out * image[c, a : a + 4, b : b + 4])
    return grad.ravel()
""",
        Bug("exponent", "/ soft**2 / 32", "/ soft / 32"),
        Bug("mean", "/ soft**2 / 32", "/ soft**2 / 16", number=2),
        Bug(
            "index",
            "d_out * image[c, a : a + 4, b : b + 4]",
            "d_out * image[c, b : b + 4, a : a + 4]",
            also="transpos|swap",
        ),
        Bug("chain", "d_out = gain[c] * (gain", "d_out = (gain", also="gain"),
    ),
    case(
        "tikhonov_grid",
        """
A = rng.normal(size=(10, 16)) / 4
b = rng.normal(size=10)
lx, ly = 0.3, 0.05
at = rng.normal(size=16)


def f(x):
    u = x.reshape(4, 4)
    misfit = np.sum((A @ x - b) ** 2)
    return 0.5 * misfit + lx * np.sum(np.diff(u, axis=1) ** 2) + ly * np.sum(np.diff(u, axis=0) ** 2)


def gradient(x):
    u = x.reshape(4, 4)
    rough = np.zeros((4, 4))
    dx = u[:, 1:] - u[:, :-1]
    dy = u[1:, :] - u[:-1, :]
    rough[:, 1:] += 2 * lx * dx
    rough[:, :-1] -= 2 * lx * dx
    rough[1:, :] += 2 * ly * dy
    rough[:-1, :] -= 2 * ly * dy
    return A.T @ (A @ x - b) + rough.ravel()
""",
        Bug("constant", "rough[1:, :] += 2 * ly * dy", "rough[1:, :] += 2 * lx * dy", number=6, also="lx|variable"),
        Bug("missing term", "    rough[:, :-1] -= 2 * lx * dx\n", "", also="dx|adjoint"),
        Bug("sign", "rough[:-1, :] -= 2 * ly * dy", "rough[:-1, :] += 2 * ly * dy"),
        Bug("transposed", "+ rough.ravel()", "+ rough.T.ravel()"),
    ),
    case(
        "potts_field",
        """
n, q = 5, 3
J = 0.5 * rng.normal(size=(n, n))
J = (J + J.T) / 2
np.fill_diagonal(J, 0)
bias = rng.normal(size=(n, q))
temperature = 0.8
at = rng.normal(size=n * q)


def f(theta):
    e = np.exp(theta.reshape(n, q))
    m = e / e.sum(axis=1, keepdims=True)
    energy = -0.5 * np.sum(J * (m @ m.T)) - np.sum(bias * m)
    return energy + temperature * np.sum(m * np.log(m))


def gradient(theta):
    e = np.exp(theta.reshape(n, q))
    m = e / e.sum(axis=1, keepdims=True)
    g_m = -J @ m - bias + temperature * (np.log(m) + 1)
    inner = np.sum(g_m * m, axis=1, keepdims=True)
    return (m * (g_m - inner)).ravel()
""",
        Bug("axis", "inner = np.sum(g_m * m, axis=1, keepdims=True)", "inner = np.sum(g_m * m, axis=0, keepdims=True)"),
        Bug("factor", "g_m = -J @ m", "g_m = -0.5 * J @ m", number=2),
        Bug("missing term", "(m * (g_m - inner))", "(m * g_m)", also="normali[sz]|quotient|inner"),
        Bug("chain", "temperature * (np.log(m) + 1)", "(np.log(m) + 1)", also="temperature"),
    ),
    case(
        "ranknet",
        """
docs = rng.normal(size=(6, 3))
grade = np.array([2, 0, 1, 2, 0, 1])
sigma = 1.5
at = np.array([0.3, -0.6, 0.4, 0.2])


def f(p):
    s = np.tanh(docs @ p[:3]) * p[3]
    cost = 0.0
    for i in range(6):
        for j in range(6):
            if grade[i] > grade[j]:
                cost += np.log(1 + np.exp(-sigma * (s[i] - s[j])))
    return cost


def gradient(p):
    hidden = np.tanh(docs @ p[:3])
    s = hidden * p[3]
    lam = np.zeros(6)
    for i in range(6):
        for j in range(6):
            if grade[i] <= grade[j]:
                continue
            push = sigma / (1 + np.exp(sigma * (s[i] - s[j])))
            lam[i] -= push
            lam[j] += push
    g_w = docs.T @ (lam * p[3] * (1 - hidden**2))
    return np.append(g_w, lam @ hidden)
""",
        Bug("missing term", "            lam[j] += push\n", "", also="push"),
        Bug("chain", "docs.T @ (lam * p[3] * (1", "docs.T @ (lam * (1", also=r"p\[3\]"),
        Bug("variable", "(1 - hidden**2)", "(1 - s**2)"),
        Bug("factor", "push = sigma / (1", "push = 1 / (1", number=1.5),
    ),
    case(
        "clayton_trend",
        """
u, v = rng.uniform(0.1, 0.9, 15), rng.uniform(0.1, 0.9, 15)
# log of the parameter
at = np.array([0.3, 0.1])
x = rng.normal(size=15)


def f(p):
    th = np.exp(p[0] + p[1] * x)
    S = u ** (-th) + v ** (-th) - 1
    loglik = np.log(1 + th) - (1 + th) * (np.log(u) + np.log(v)) - (2 + 1 / th) * np.log(S)
    return -np.sum(loglik)


def gradient(p):
    th = np.exp(p[0] + p[1] * x)
    lu, lv = np.log(u), np.log(v)
    S = np.exp(-th * lu) + np.exp(-th * lv) - 1
    dS = -lu * np.exp(-th * lu) - lv * np.exp(-th * lv)
    d_th = 1 / (1 + th) - (lu + lv) + np.log(S) / th**2 - (2 + 1 / th) * dS / S
    d_eta = d_th * th
    return -np.array([d_eta.sum(), d_eta @ x])
""",
        Bug("product", " + np.log(S) / th**2", "", also="log"),
        Bug("chain", "d_eta = d_th * th", "d_eta = d_th", also="th|exp"),
        Bug(
            "missing term",
            "dS = -lu * np.exp(-th * lu) - lv * np.exp(-th * lv)",
            "dS = -lu * np.exp(-th * lu)",
            also="lv",
        ),
        Bug("sign", "- (lu + lv) + np.log", "+ (lu + lv) + np.log"),
    ),
    case(
        "stochastic_volatility",
        """
y = rng.normal(size=8) * np.exp(0.3 * rng.normal(size=8))
phi, s2 = 0.95, 0.09
# the log volatilities, then their mean
at = np.append(0.4 * rng.normal(size=8), -0.1)


def f(p):
    h, mu = p[:-1], p[-1]
    shock = h[1:] - mu - phi * (h[:-1] - mu)
    prior = 0.5 * (np.sum(shock**2) + (1 - phi**2) * (h[0] - mu) ** 2) / s2
    return prior + np.sum(0.5 * h + 0.5 * y**2 * np.exp(-h))


def gradient(p):
    h, mu = p[:-1], p[-1]
    d = h - mu
    shock = d[1:] - phi * d[:-1]
    g = np.zeros(9)
    g[1:8] += shock / s2
    g[:7] -= phi * shock / s2
    g[0] += (1 - phi**2) * d[0] / s2
    g[:8] += 0.5 - 0.5 * y**2 * np.exp(-h)
    g[8] = -(1 - phi) * np.sum(shock) / s2 - (1 - phi**2) * d[0] / s2
    return g
""",
        Bug("index", "g[:7] -= phi * shock", "g[1:8] -= phi * shock"),
        Bug(
            "missing term", "np.sum(shock) / s2 - (1 - phi**2) * d[0] / s2", "np.sum(shock) / s2", also=r"mu|p8|p\[8\]"
        ),
        Bug("factor", "0.5 - 0.5 * y**2", "0.5 - y**2", number=2),
        Bug("chain", "-(1 - phi) * np.sum(shock)", "-np.sum(shock)", also="phi|contribution"),
    ),
    case(
        "censored_latent",
        """
n = 18
X = np.column_stack([np.ones(n), rng.normal(size=n)])
latent = X @ [0.3, 0.8] + rng.normal(size=n)
y = np.maximum(latent, 0.0)
at = np.array([0.1, 0.6, 0.2])


def phi(t):
    return np.exp(-0.5 * t**2) / np.sqrt(2 * np.pi)


def Phi(t):
    return 1 / (1 + np.exp(-1.5976 * t - 0.07056 * t**3))


def f(p):
    beta, s = p[:2], np.exp(p[2])
    total = 0.0
    for row, value in zip(X, y):
        m = row @ beta
        if value > 0:
            total -= np.log(phi((value - m) / s) / s)
        else:
            total -= np.log(Phi(-m / s))
    return total


def gradient(p):
    beta, s = p[:2], np.exp(p[2])
    g_beta, g_s = np.zeros(2), 0.0
    for row, value in zip(X, y):
        m = row @ beta
        if value > 0:
            r = (value - m) / s
            g_beta -= r * row / s
            g_s += 1 - r**2
        else:
            t = -m / s
            mills = (1 - Phi(t)) * (1.5976 + 3 * 0.07056 * t**2)
            g_beta += mills * row / s
            g_s += mills * t
    return np.array([g_beta[0], g_beta[1], g_s])
""",
        Bug("sign", "g_beta += mills", "g_beta -= mills"),
        Bug("exponent", "g_s += 1 - r**2", "g_s += 1 - r"),
        Bug("chain", "g_beta -= r * row / s", "g_beta -= r * row", also=r"\bs\b"),
        Bug("variable", "g_s += mills * t", "g_s += mills * m", also=r"\bs\b|factor|sign"),
    ),
    case(
        "node_runge_kutta",
        """
h, goal = 0.25, np.array([0.5, -0.3])
at = np.array([0.4, -0.8, 0.6, 0.3, 1.0, -0.5])


def f(p):
    A, x = p[:4].reshape(2, 2), p[4:]
    for _ in range(4):
        k1 = np.tanh(A @ x)
        k2 = np.tanh(A @ (x + 0.5 * h * k1))
        x = x + h * k2
    return 0.5 * np.sum((x - goal) ** 2)


def gradient(p):
    A, x = p[:4].reshape(2, 2), p[4:]
    history = []
    for _ in range(4):
        k1 = np.tanh(A @ x)
        middle = x + 0.5 * h * k1
        k2 = np.tanh(A @ middle)
        history.append((x, k1, middle, k2))
        x = x + h * k2
    adj = x - goal
    dA = np.zeros((2, 2))
    for x, k1, middle, k2 in history[::-1]:
        d2 = h * adj * (1 - k2**2)
        dA += np.outer(d2, middle)
        d_mid = A.T @ d2
        d1 = 0.5 * h * d_mid * (1 - k1**2)
        dA += np.outer(d1, x)
        adj = adj + d_mid + A.T @ d1
    return np.concatenate([dA.ravel(), adj])
""",
        Bug("transposed", "d_mid = A.T @ d2", "d_mid = A @ d2"),
        Bug("stale", "dA += np.outer(d2, middle)", "dA += np.outer(d2, x)", also="middle|variable"),
        Bug("missing term", "adj = adj + d_mid + A.T @ d1", "adj = adj + d_mid", also="d1"),
        Bug("chain", "0.5 * h * d_mid * (1 - k1**2)", "0.5 * h * d_mid", also="k1|tanh"),
    ),
    case(
        "forward_transitions",
        """
symbols = [0, 1, 1, 2, 0, 2, 1]
emission = np.array([[0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])
start = np.array([0.55, 0.45])
at = np.array([0.8, -0.2, 0.1, 0.5])


def f(theta):
    e = np.exp(theta.reshape(2, 2))
    P = e / e.sum(axis=1, keepdims=True)
    alpha = start * emission[:, symbols[0]]
    for o in symbols[1:]:
        alpha = (alpha @ P) * emission[:, o]
    return -np.log(alpha.sum())


def gradient(theta):
    e = np.exp(theta.reshape(2, 2))
    P = e / e.sum(axis=1, keepdims=True)
    alphas = [start * emission[:, symbols[0]]]
    for o in symbols[1:]:
        alphas.append((alphas[-1] @ P) * emission[:, o])
    likelihood = alphas[-1].sum()
    beta = np.ones(2)
    counts = np.zeros((2, 2))
    for t in range(len(symbols) - 1, 0, -1):
        weighted = emission[:, symbols[t]] * beta
        counts += P * np.outer(alphas[t - 1], weighted) / likelihood
        beta = P @ weighted
    visits = counts.sum(axis=1, keepdims=True)
    return -(counts - P * visits).ravel()
""",
        Bug("index", "np.outer(alphas[t - 1], weighted)", "np.outer(alphas[t], weighted)"),
        Bug("transposed", "beta = P @ weighted", "beta = P.T @ weighted"),
        Bug("axis", "counts.sum(axis=1, keepdims=True)", "counts.sum(axis=0, keepdims=True)"),
        Bug("missing term", "-(counts - P * visits).ravel()", "-counts.ravel()", also="normali[sz]|quotient|visits"),
    ),
    case(
        "evidence",
        """
Phi = rng.normal(size=(12, 3))
t = Phi @ [0.5, -1.0, 0.3] + 0.4 * rng.normal(size=12)
N, M = Phi.shape
# log alpha of each weight, log beta
at = np.array([0.2, -0.5, 0.8, 1.1])


def f(p):
    alpha, beta = np.exp(p[:3]), np.exp(p[3])
    A = np.diag(alpha) + beta * Phi.T @ Phi
    m = beta * np.linalg.solve(A, Phi.T @ t)
    E = 0.5 * beta * np.sum((t - Phi @ m) ** 2) + 0.5 * np.sum(alpha * m**2)
    return E + 0.5 * np.log(np.linalg.det(A)) - 0.5 * np.sum(p[:3]) - 0.5 * N * p[3]


def gradient(p):
    alpha, beta = np.exp(p[:3]), np.exp(p[3])
    S = np.linalg.inv(np.diag(alpha) + beta * Phi.T @ Phi)
    m = beta * S @ Phi.T @ t
    gamma = 1 - alpha * np.diag(S)
    resid = t - Phi @ m
    g = np.zeros(4)
    g[:3] = 0.5 * alpha * m**2 - 0.5 * gamma
    g[3] = 0.5 * beta * (resid @ resid) - 0.5 * (N - np.sum(gamma))
    return g
""",
        Bug("missing term", "- 0.5 * (N - np.sum(gamma))", "- 0.5 * N", also="gamma|det|trace"),
        Bug("chain", "0.5 * alpha * m**2 - 0.5", "0.5 * m**2 - 0.5", also="alpha"),
        Bug("chain", "m = beta * S @ Phi.T @ t", "m = S @ Phi.T @ t", also="beta|factor"),
        Bug("square", "0.5 * alpha * m**2", "0.5 * alpha * m"),
    ),
    case(
        "inhibited_kinetics",
        """
S = np.array([0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
I = np.array([0.0, 1.0, 0.5, 2.0, 0.0, 1.0, 3.0])
rate = 2.2 * S / (0.9 + S) + 0.05 * rng.normal(size=7)
se = 0.1 + 0.05 * rate
# vmax, km, ki, ks
at = np.array([2.0, 1.1, 1.7, 30.0])


def f(p):
    vmax, km, ki, ks = p
    model = vmax * S / (km * (1 + I / ki) + S * (1 + S / ks))
    return np.sum(((rate - model) / se) ** 2)


def gradient(p):
    vmax, km, ki, ks = p
    denom = km * (1 + I / ki) + S * (1 + S / ks)
    model = vmax * S / denom
    w = -2 * (rate - model) / se**2
    return np.array(
        [
            np.sum(w * S / denom),
            -np.sum(w * model / denom * (1 + I / ki)),
            np.sum(w * model / denom * km * I / ki**2),
            np.sum(w * model / denom * S**2 / ks**2),
        ]
    )
""",
        Bug("exponent", "w = -2 * (rate - model) / se**2", "w = -2 * (rate - model) / se"),
        Bug("chain", "km * I / ki**2", "I / ki**2", also="km"),
        Bug("exponent", "S**2 / ks**2", "S / ks**2"),
        Bug("sign", "-np.sum(w * model / denom * (1", "np.sum(w * model / denom * (1"),
    ),
    case(
        "epidemic_fit",
        """
cases = np.array([1.2, 1.9, 3.1, 4.6, 6.0, 6.9, 6.5, 5.2])
population = 60.0
# log infection rate, log recovery rate
at = np.array([-0.2, -1.1])


def f(p):
    b, g = np.exp(p)
    s, i, nll = population - 1.5, 1.5, 0.0
    for c in cases:
        new = b * s * i / population
        s, i = s - new, i + new - g * i
        nll = nll + new - c * np.log(new)
    return nll


def gradient(p):
    b, g = np.exp(p)
    s, i = population - 1.5, 1.5
    ds, di = np.zeros(2), np.zeros(2)
    grad = np.zeros(2)
    for c in cases:
        new = b * s * i / population
        dnew = b * (ds * i + s * di) / population
        dnew[0] += new
        dloss = dnew - g * di
        dloss[1] -= g * i
        grad += (1 - c / new) * dnew
        ds, di = ds - dnew, di + dloss
        s, i = s - new, i + new - g * i
    return grad
""",
        Bug("product", "b * (ds * i + s * di) / population", "b * s * di / population", also="ds"),
        Bug("chain", "dloss[1] -= g * i", "dloss[1] -= i", also=r"\bg\b|exp"),
        Bug("missing term", "        dnew[0] += new\n", "", also="new"),
        Bug("sign", "ds, di = ds - dnew", "ds, di = ds + dnew"),
    ),
    case(
        "extreme_value",
        """
maxima = 2.0 + 0.8 * rng.gumbel(size=14)
year = np.linspace(-1.0, 1.0, 14)
# location, its trend, log scale, shape
at = np.array([2.0, 0.1, -0.2, 0.12])


def f(p):
    sigma, xi = np.exp(p[2]), p[3]
    t = 1 + xi * (maxima - p[0] - p[1] * year) / sigma
    return np.sum(p[2] + (1 + 1 / xi) * np.log(t) + t ** (-1 / xi))


def gradient(p):
    sigma, xi = np.exp(p[2]), p[3]
    z = (maxima - p[0] - p[1] * year) / sigma
    t = 1 + xi * z
    power = t ** (-1 / xi)
    dz = ((1 + xi) - power) / t
    dxi = -np.log(t) / xi**2 + (1 + 1 / xi) * z / t + power * (np.log(t) / xi**2 - z / (xi * t))
    return np.array([-dz.sum() / sigma, -(dz @ year) / sigma, np.sum(1 - dz * z), dxi.sum()])
""",
        Bug("product", "power * (np.log(t) / xi**2 - z / (xi * t))", "power * np.log(t) / xi**2", also="z"),
        Bug("variable", "np.sum(1 - dz * z)", "np.sum(1 - dz * t)"),
        Bug("missing term", "dz = ((1 + xi) - power) / t", "dz = (1 + xi) / t", also="power"),
        Bug(
            "index",
            "np.array([-dz.sum() / sigma, -(dz @ year)",
            "np.array([-dz[1:].sum() / sigma, -(dz @ year)",
            also="contribution",
        ),
    ),
    case(
        "rbm_free_energy",
        """
data = (rng.random((6, 4)) < 0.5).astype(float)
noise = (rng.random((6, 4)) < 0.5).astype(float)
at = 0.5 * rng.normal(size=4 * 3 + 4 + 3)


def free(v, W, a, b):
    return -v @ a - np.sum(np.log(1 + np.exp(v @ W + b)), axis=1)


def f(p):
    W, a, b = p[:12].reshape(4, 3), p[12:16], p[16:]
    return np.mean(free(data, W, a, b)) - np.mean(free(noise, W, a, b)) + 0.01 * np.sum(W**2)


def gradient(p):
    W, a, b = p[:12].reshape(4, 3), p[12:16], p[16:]
    n = len(data)
    h_data = 1 / (1 + np.exp(-(data @ W + b)))
    h_noise = 1 / (1 + np.exp(-(noise @ W + b)))
    dW = (noise.T @ h_noise - data.T @ h_data) / n + 0.02 * W
    da = np.mean(noise - data, axis=0)
    db = np.mean(h_noise - h_data, axis=0)
    return np.concatenate([dW.ravel(), da, db])
""",
        Bug("variable", "noise.T @ h_noise - data", "noise.T @ h_data - data", also="h_noise"),
        Bug("sign", "np.mean(noise - data, axis=0)", "np.mean(data - noise, axis=0)", also="swap"),
        Bug("mean", "- data.T @ h_data) / n + 0.02", "- data.T @ h_data) + 0.02", number=6),
        Bug("missing term", "-(noise @ W + b)))", "-(noise @ W)))", also=r"\bb\b"),
    ),
    case(
        "corners_jacobian",
        """
at = np.array([1.1, 0.1, 0.3, -0.2, 0.9, 0.4, 0.05, -0.08])
corners = np.array([[0.2, 0.5], [1.0, -0.4]])


def f(h):
    H = np.array([[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]])
    out = []
    for x, y in corners:
        q = H @ np.array([x, y, 1.0])
        out += [q[0] / q[2], q[1] / q[2]]
    return np.array(out)


def gradient(h):
    J = np.zeros((4, 8))
    for k, (x, y) in enumerate(corners):
        w = h[6] * x + h[7] * y + 1
        u = (h[0] * x + h[1] * y + h[2]) / w
        v = (h[3] * x + h[4] * y + h[5]) / w
        J[2 * k, :3] = np.array([x, y, 1.0]) / w
        J[2 * k + 1, 3:6] = np.array([x, y, 1.0]) / w
        J[2 * k, 6:] = -u * x / w, -u * y / w
        J[2 * k + 1, 6:] = -v * x / w, -v * y / w
    return J
""",
        Bug("sign", "= -u * x / w, -u * y / w", "= -u * x / w, u * y / w"),
        Bug("index", "J[2 * k + 1, 3:6] = np", "J[2 * k, 3:6] = np"),
        Bug("variable", "= -v * x / w, -v * y / w", "= -u * x / w, -u * y / w"),
        Bug("chain", "J[2 * k, :3] = np.array([x, y, 1.0]) / w", "J[2 * k, :3] = np.array([x, y, 1.0])", also=r"\bw\b"),
        what="jacobian",
    ),
    case(
        "rotation_jacobian",
        """
point = np.array([0.4, -1.1, 0.7])
at = np.array([0.3, -0.5, 0.8])


def f(r):
    angle = np.sqrt(r @ r)
    axis = r / angle
    c, s = np.cos(angle), np.sin(angle)
    return c * point + s * np.cross(axis, point) + (1 - c) * (axis @ point) * axis


def gradient(r):
    angle = np.sqrt(r @ r)
    k = r / angle
    c, s = np.cos(angle), np.sin(angle)
    skew = np.array([[0, point[2], -point[1]], [-point[2], 0, point[0]], [point[1], -point[0], 0]])
    d_angle = -s * point + c * np.cross(k, point) + s * (k @ point) * k
    d_axis = s * skew + (1 - c) * (np.outer(k, point) + (k @ point) * np.eye(3))
    return np.outer(d_angle, k) + d_axis @ (np.eye(3) - np.outer(k, k)) / angle
""",
        Bug("product", "(np.outer(k, point) + (k @ point) * np.eye(3))", "np.outer(k, point)", also="eye"),
        Bug("transposed", "np.outer(d_angle, k)", "np.outer(k, d_angle)", also="swap"),
        Bug("chain", "(np.eye(3) - np.outer(k, k)) / angle", "(np.eye(3) - np.outer(k, k))", also="angle"),
        Bug("sign", "+ s * (k @ point) * k", "- s * (k @ point) * k"),
        what="jacobian",
    ),
    case(
        "cooled_tank_jacobian",
        """
q, V, UA, E = 1.2, 2.0, 0.55, 6.0
at = np.array([0.7, 1.3, 1.1])


def f(s):
    c, T, Tc = s
    k = 3.0 * np.exp(-E / T)
    return np.array(
        [
            q / V * (1.0 - c) - k * c**2,
            q / V * (0.9 - T) + 2.5 * k * c**2 - UA * (T - Tc),
            UA * (T - Tc) * 1.4 - 0.3 * Tc**1.5,
        ]
    )


def gradient(s):
    c, T, Tc = s
    k = 3.0 * np.exp(-E / T)
    dk = k * E / T**2
    J = np.zeros((3, 3))
    J[0, 0] = -q / V - 2 * k * c
    J[0, 1] = -dk * c**2
    J[1, 0] = 2.5 * 2 * k * c
    J[1, 1] = -q / V + 2.5 * dk * c**2 - UA
    J[1, 2] = UA
    J[2, 1] = 1.4 * UA
    J[2, 2] = -1.4 * UA - 0.45 * np.sqrt(Tc)
    return J
""",
        Bug("exponent", "dk = k * E / T**2", "dk = k * E / T"),
        Bug("missing term", "2.5 * dk * c**2 - UA\n", "2.5 * dk * c**2\n", also="UA"),
        Bug("factor", "J[1, 0] = 2.5 * 2 * k * c", "J[1, 0] = 2.5 * k * c", number=2),
        Bug("square", "J[0, 1] = -dk * c**2", "J[0, 1] = -dk * c"),
        what="jacobian",
    ),
    case(
        "spread_hessian",
        """
A = rng.normal(size=(6, 3))
b = rng.normal(size=6)
at = np.array([0.3, -0.2, 0.5])


def f(x):
    z = A @ x + b
    top = z.max()
    return top + np.log(np.sum(np.exp(z - top))) + 0.25 * np.sum(x**4)


def gradient(x):
    z = A @ x + b
    w = np.exp(z - z.max())
    w /= w.sum()
    mean = A.T @ w
    H = A.T @ (w[:, None] * A) - np.outer(mean, mean)
    H += np.diag(3 * x**2)
    return H
""",
        Bug("missing term", " - np.outer(mean, mean)", "", also="mean|normali[sz]"),
        Bug("factor", "np.diag(3 * x**2)", "np.diag(x**2)", number=3),
        Bug("exponent", "np.diag(3 * x**2)", "np.diag(3 * x**3)"),
        Bug(
            "stale",
            "    w /= w.sum()\n    mean = A.T @ w\n",
            "    mean = A.T @ w\n    w /= w.sum()\n",
            also="order|sum|factor",
            place="A.T @ w",
        ),
        what="hessian",
    ),
]
