"""Recursions in time: filters, recurrent cells, volatility, and integrators with their adjoints."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "local_level",
        """
y = np.cumsum(0.5 * rng.normal(size=40)) + rng.normal(size=40)
at = np.log([0.3, 0.8])


def f(theta):
    q, r = np.exp(theta)
    a, P, nll = 0.0, 10.0, 0.0
    for obs in y:
        S = P + r
        v = obs - a
        nll = nll + 0.5 * (np.log(S) + v**2 / S)
        K = P / S
        a = a + K * v
        P = P * (1 - K) + q
    return nll


def gradient(theta):
    q, r = np.exp(theta)
    dq, dr = np.array([q, 0.0]), np.array([0.0, r])
    a, P = 0.0, 10.0
    da, dP = np.zeros(2), np.zeros(2)
    grad = np.zeros(2)
    for obs in y:
        S = P + r
        dS = dP + dr
        v = obs - a
        grad += 0.5 * (dS / S - 2 * v * da / S - v**2 * dS / S**2)
        K = P / S
        dK = (dP * S - P * dS) / S**2
        a = a + K * v
        da = da + dK * v - K * da
        dP = dP * (1 - K) - P * dK + dq
        P = P * (1 - K) + q
    return grad
""",
        Bug("sign", "(1 - K) - P * dK", "(1 - K) + P * dK"),
        Bug("missing term", "da + dK * v - K * da", "da + dK * v"),
        Bug(
            "stale",
            "        dP = dP * (1 - K) - P * dK + dq\n        P = P * (1 - K) + q\n",
            "        P = P * (1 - K) + q\n        dP = dP * (1 - K) - P * dK + dq\n",
            place="dP = dP * (1 - K) - P * dK + dq",
        ),
        Bug("quotient", "dK = (dP * S - P * dS) / S**2", "dK = dP / S"),
        Bug("factor", "- 2 * v * da / S", "- v * da / S", number=2),
        Bug("variable", "dS = dP + dr", "dS = dP + dq", also="dr"),
    ),
    case(
        "hmm_emissions",
        """
obs = rng.integers(0, 3, 25)
start = np.array([0.6, 0.4])
A = np.array([[0.8, 0.2], [0.3, 0.7]])
at = rng.normal(size=6) / 2


def emissions(x):
    E = np.exp(x.reshape(2, 3))
    return E / E.sum(axis=1, keepdims=True)


def f(x):
    B = emissions(x)
    alpha = start * B[:, obs[0]]
    loglik = np.log(alpha.sum())
    alpha = alpha / alpha.sum()
    for o in obs[1:]:
        alpha = (alpha @ A) * B[:, o]
        loglik = loglik + np.log(alpha.sum())
        alpha = alpha / alpha.sum()
    return -loglik


def gradient(x):
    B = emissions(x)
    T = len(obs)
    alpha, beta, c = np.zeros((T, 2)), np.ones((T, 2)), np.zeros(T)
    alpha[0] = start * B[:, obs[0]]
    c[0] = alpha[0].sum()
    alpha[0] /= c[0]
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * B[:, obs[t]]
        c[t] = alpha[t].sum()
        alpha[t] /= c[t]
    for t in range(T - 2, -1, -1):
        beta[t] = A @ (B[:, obs[t + 1]] * beta[t + 1]) / c[t + 1]
    gamma = alpha * beta
    counts = np.zeros((2, 3))
    for t in range(T):
        counts[:, obs[t]] += gamma[t]
    return (B * gamma.sum(axis=0)[:, None] - counts).ravel()
""",
        Bug("transposed", "beta[t] = A @ (B[", "beta[t] = A.T @ (B["),
        Bug("index", "obs[t + 1]] * beta", "obs[t]] * beta"),
        Bug("loop", "range(T - 2, -1, -1)", "range(T - 2, 0, -1)", also="range"),
        Bug("accumulation", "counts[:, obs[t]] += gamma[t]", "counts[:, obs[t]] = gamma[t]"),
        Bug("product", "gamma = alpha * beta", "gamma = alpha", also="beta|chain|factor"),
        Bug("sign", "[:, None] - counts", "[:, None] + counts"),
    ),
    case(
        "leaky_cell",
        """
S = rng.normal(size=(6, 2))
target = np.sin(S.sum(axis=1))
leak = 0.3
at = rng.normal(size=18) / 2


def unpack(p):
    return p[:9].reshape(3, 3), p[9:15].reshape(3, 2), p[15:]


def f(p):
    W, U, v = unpack(p)
    h, loss = np.zeros(3), 0.0
    for x, y in zip(S, target):
        h = (1 - leak) * h + leak * np.tanh(W @ h + U @ x)
        loss = loss + 0.5 * (v @ h - y) ** 2
    return loss


def gradient(p):
    W, U, v = unpack(p)
    hs, cs = [np.zeros(3)], []
    for x in S:
        c = np.tanh(W @ hs[-1] + U @ x)
        cs.append(c)
        hs.append((1 - leak) * hs[-1] + leak * c)
    dW, dU, dv = np.zeros_like(W), np.zeros_like(U), np.zeros_like(v)
    dh = np.zeros(3)
    for t in reversed(range(len(S))):
        err = v @ hs[t + 1] - target[t]
        dv += err * hs[t + 1]
        dh = dh + err * v
        da = leak * dh * (1 - cs[t] ** 2)
        dW += np.outer(da, hs[t])
        dU += np.outer(da, S[t])
        dh = (1 - leak) * dh + W.T @ da
    return np.concatenate([dW.ravel(), dU.ravel(), dv])
""",
        Bug("accumulation", "dh = dh + err * v", "dh = err * v"),
        Bug("index", "np.outer(da, hs[t])", "np.outer(da, hs[t + 1])"),
        Bug("transposed", "W.T @ da", "W @ da"),
        Bug("missing term", "dh = (1 - leak) * dh + W.T @ da", "dh = W.T @ da"),
        Bug("chain", "da = leak * dh", "da = dh", also="leak|0[.]3"),
        Bug("square", "(1 - cs[t] ** 2)", "(1 - cs[t])"),
    ),
    case(
        "gjr_garch",
        """
returns = rng.standard_t(6, size=60)
at = np.array([0.15, 0.06, 0.1, 0.8])


def f(p):
    omega, alpha, gamma, beta = p
    h, nll = 1.2, 0.0
    for r in returns:
        nll += 0.5 * (np.log(h) + r**2 / h)
        down = r**2 if r < 0 else 0.0
        h = omega + alpha * r**2 + gamma * down + beta * h
    return nll / len(returns)


def gradient(p):
    omega, alpha, gamma, beta = p
    h, dh = 1.2, np.zeros(4)
    grad = np.zeros(4)
    for r in returns:
        grad += 0.5 * (1 / h - r**2 / h**2) * dh
        down = r**2 if r < 0 else 0.0
        dh = np.array([1.0, r**2, down, h]) + beta * dh
        h = omega + alpha * r**2 + gamma * down + beta * h
    return grad / len(returns)
""",
        Bug(
            "stale",
            "        dh = np.array([1.0, r**2, down, h]) + beta * dh\n"
            "        h = omega + alpha * r**2 + gamma * down + beta * h\n    return grad",
            "        h = omega + alpha * r**2 + gamma * down + beta * h\n"
            "        dh = np.array([1.0, r**2, down, h]) + beta * dh\n    return grad",
            place="dh = np.array([1.0, r**2, down, h]) + beta * dh",
        ),
        Bug("detached", "down, h]) + beta * dh", "down, h])"),
        Bug("exponent", "r**2 / h**2) * dh", "r**2 / h) * dh", also="factor|divided"),
        Bug("factor", "grad += 0.5 * (1 / h", "grad += (1 / h", number=2),
        Bug("variable", "np.array([1.0, r**2, down, h])", "np.array([1.0, r**2, r**2, h])", also="down|repeats"),
        Bug("mean", "return grad / len(returns)", "return grad", number=60),
    ),
    case(
        "lotka_adjoint",
        """
steps, dt = 25, 0.08
u0 = np.array([1.0, 0.6])
data = 1 + 0.3 * rng.normal(size=(steps, 2))
at = np.array([1.1, 0.7, 0.9, 0.5])


def rhs(u, p):
    return np.array([p[0] * u[0] - p[1] * u[0] * u[1], p[3] * u[0] * u[1] - p[2] * u[1]])


def f(p):
    u, loss = u0, 0.0
    for k in range(steps):
        u = u + dt * rhs(u, p)
        loss += np.sum((u - data[k]) ** 2)
    return loss


def gradient(p):
    a, b, c, d = p
    path = [u0]
    for _ in range(steps):
        path.append(path[-1] + dt * rhs(path[-1], p))
    lam, grad = np.zeros(2), np.zeros(4)
    for k in range(steps - 1, -1, -1):
        x, y = path[k]
        lam = lam + 2 * (path[k + 1] - data[k])
        grad += dt * np.array([lam[0] * x, -lam[0] * x * y, -lam[1] * y, lam[1] * x * y])
        J = np.array([[a - b * y, -b * x], [d * y, d * x - c]])
        lam = lam + dt * J.T @ lam
    return grad
""",
        Bug("transposed", "dt * J.T @ lam", "dt * J @ lam"),
        Bug("index", "x, y = path[k]\n", "x, y = path[k + 1]\n"),
        Bug("missing term", "lam = lam + dt * J.T", "lam = dt * J.T", also="accumulated"),
        Bug("variable", "[[a - b * y,", "[[a - b * x,", also="y"),
        Bug("sign", "-lam[1] * y, lam", "lam[1] * y, lam"),
        Bug("mean", "grad += dt * np.array", "grad += np.array", also="dt|0[.]08|12[.]5"),
    ),
    case(
        "heat_inverse",
        """
D = np.diff(np.eye(8), axis=0)
u0 = np.sin(np.linspace(0, 3, 8))
data = 0.5 * u0 + 0.05 * rng.normal(size=8)
dt, steps = 0.1, 4
at = rng.normal(size=7) / 3


def system(k):
    return np.eye(8) + dt * D.T @ (np.exp(k)[:, None] * D)


def f(k):
    A, u = system(k), u0
    for _ in range(steps):
        u = np.linalg.solve(A, u)
    return 0.5 * np.sum((u - data) ** 2)


def gradient(k):
    A, us = system(k), [u0]
    for _ in range(steps):
        us.append(np.linalg.solve(A, us[-1]))
    lam = us[-1] - data
    grad = np.zeros(7)
    for t in range(steps, 0, -1):
        lam = np.linalg.solve(A.T, lam)
        grad -= dt * np.exp(k) * (D @ lam) * (D @ us[t])
    return grad
""",
        Bug("index", "(D @ us[t])", "(D @ us[t - 1])"),
        Bug("sign", "grad -= dt", "grad += dt"),
        Bug("chain", "grad -= dt * np.exp(k) * (D", "grad -= dt * (D", also="exp"),
        Bug("loop", "range(steps, 0, -1)", "range(steps, 1, -1)", also="range"),
        Bug("missing term", "lam = us[-1] - data", "lam = us[-1]"),
    ),
    case(
        "unrolled_momentum",
        """
R = rng.normal(size=(6, 3))
H = R.T @ R / 6
b = rng.normal(size=3)
at = np.array([0.2, 0.6])


def f(p):
    lr, mu = p
    w, v = np.zeros(3), np.zeros(3)
    for _ in range(10):
        v = mu * v - lr * (H @ w - b)
        w = w + v
    return 0.5 * w @ H @ w - b @ w


def gradient(p):
    lr, mu = p
    w, v = np.zeros(3), np.zeros(3)
    dw, dv = np.zeros((2, 3)), np.zeros((2, 3))
    for _ in range(10):
        g = H @ w - b
        dv = mu * dv - lr * dw @ H
        dv[0] -= g
        dv[1] += v
        v = mu * v - lr * g
        w = w + v
        dw = dw + dv
    return dw @ (H @ w - b)
""",
        Bug(
            "stale",
            "        dv[1] += v\n        v = mu * v - lr * g\n",
            "        v = mu * v - lr * g\n        dv[1] += v\n",
            place="dv[1] += v",
        ),
        Bug("detached", "dv = mu * dv - lr * dw @ H", "dv = mu * dv"),
        Bug("accumulation", "dw = dw + dv", "dw = dv"),
        Bug("sign", "dv[0] -= g", "dv[0] += g"),
        Bug("chain", "dv = mu * dv - lr", "dv = dv - lr", also="mu"),
        Bug("missing term", "return dw @ (H @ w - b)", "return dw @ (H @ w)"),
    ),
    case(
        "hawkes",
        """
times = np.cumsum(rng.exponential(0.7, size=30))
T = times[-1] + 0.4
at = np.array([0.6, 0.5, 1.3])


def f(p):
    mu, alpha, beta = p
    A, loglik, last = 0.0, -mu * T, 0.0
    for t in times:
        A = np.exp(-beta * (t - last)) * A
        loglik += np.log(mu + alpha * A) - alpha / beta * (1 - np.exp(-beta * (T - t)))
        A = A + 1
        last = t
    return -loglik


def gradient(p):
    mu, alpha, beta = p
    A, B, last = 0.0, 0.0, 0.0
    d_mu, d_alpha, d_beta = -T, 0.0, 0.0
    for t in times:
        gap, rest = t - last, T - t
        decay = np.exp(-beta * gap)
        B = decay * (B - gap * A)
        A = decay * A
        rate = mu + alpha * A
        tail = np.exp(-beta * rest)
        d_mu += 1 / rate
        d_alpha += A / rate - (1 - tail) / beta
        d_beta += alpha * B / rate + alpha / beta**2 * (1 - tail) - alpha / beta * rest * tail
        A = A + 1
        last = t
    return -np.array([d_mu, d_alpha, d_beta])
""",
        Bug(
            "stale",
            "        B = decay * (B - gap * A)\n        A = decay * A\n",
            "        A = decay * A\n        B = decay * (B - gap * A)\n",
            place="B = decay * (B - gap * A)",
        ),
        Bug("sign", "B = decay * (B - gap * A)", "B = decay * (B + gap * A)"),
        Bug("exponent", "alpha / beta**2 * (1", "alpha / beta * (1", also="factor|divided|beta"),
        Bug("missing term", " - alpha / beta * rest * tail", ""),
        Bug("chain", "d_beta += alpha * B / rate", "d_beta += B / rate", also="alpha"),
        Bug("missing term", "d_mu, d_alpha, d_beta = -T,", "d_mu, d_alpha, d_beta = 0.0,", also="T"),
    ),
]
