"""Regression, reliability, chemistry and networks: kept aside."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "cauchit_regression",
        """
X = np.column_stack([np.ones(18), rng.normal(size=(18, 2))])
y = (rng.random(18) < 0.5).astype(float)
at = np.array([0.2, -0.5, 0.7])


def f(beta):
    p = 0.5 + np.arctan(X @ beta) / np.pi
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.1 * beta @ beta


def gradient(beta):
    eta = X @ beta
    p = np.arctan(eta) / np.pi + 0.5
    dp = 1 / (np.pi * (1 + eta**2))
    resid = (p - y) / (p * (1 - p))
    return X.T @ (resid * dp) / len(y) + 0.2 * beta
""",
        Bug("chain", "X.T @ (resid * dp)", "X.T @ resid", also="dp|arctan"),
        Bug("missing term", "(p - y) / (p * (1 - p))", "(p - y) / p", also="factor|divisor"),
        Bug("exponent", "(1 + eta**2)", "(1 + eta)"),
        Bug("factor", "+ 0.2 * beta", "+ 0.1 * beta", number=2),
    ),
    case(
        "competing_risks",
        """
times = rng.uniform(0.2, 3.0, 20)
kind = rng.integers(0, 3, 20)
# log scales and shapes of the two causes
at = np.array([0.1, 0.4, 1.2, 0.8])


def f(p):
    total = 0.0
    for t, k in zip(times, kind):
        for c in range(2):
            total += np.exp(p[c]) * t ** p[2 + c]
            if k == c + 1:
                total -= p[c] + np.log(p[2 + c]) + (p[2 + c] - 1) * np.log(t)
    return total


def gradient(p):
    scale, shape = np.exp(p[:2]), p[2:]
    g = np.zeros(4)
    for t, k in zip(times, kind):
        lt = np.log(t)
        for c in (0, 1):
            cumulative = scale[c] * t ** shape[c]
            g[c] += cumulative
            g[2 + c] += cumulative * lt
            if k == c + 1:
                g[c] -= 1
                g[2 + c] -= 1 / shape[c] + lt
    return g
""",
        Bug("chain", "g[2 + c] += cumulative * lt", "g[2 + c] += cumulative", also="lt|log"),
        Bug("index", "scale[c] * t ** shape[c]", "scale[c] * t ** shape[0]"),
        Bug("missing term", "-= 1 / shape[c] + lt", "-= lt", also="shape"),
        Bug("accumulation", "g[c] += cumulative\n", "g[c] = cumulative\n"),
    ),
    case(
        "flory_fit",
        """
phi = np.linspace(0.1, 0.8, 9)
data = -0.4 * phi + 0.05 * rng.normal(size=9)
# chain length, interaction, its slope
at = np.array([12.0, 0.6, 0.3])


def f(p):
    N, chi, slope = p
    mixing = phi * np.log(phi) / N + (1 - phi) * np.log(1 - phi) + (chi + slope * phi) * phi * (1 - phi)
    return 0.5 * np.sum((mixing - data) ** 2 / 0.01)


def gradient(p):
    N, chi, slope = p
    enthalpy = phi * (1 - phi)
    mixing = phi * np.log(phi) / N + (1 - phi) * np.log(1 - phi) + (chi + slope * phi) * enthalpy
    w = 100 * (mixing - data)
    dN = -np.sum(w * phi * np.log(phi)) / N**2
    return np.array([dN, w @ enthalpy, w @ (enthalpy * phi)])
""",
        Bug("sign", "dN = -np.sum", "dN = np.sum"),
        Bug("exponent", "/ N**2", "/ N"),
        Bug("variable", "w @ (enthalpy * phi)", "w @ (enthalpy * enthalpy)", also="square|exponent"),
        Bug("missing term", "(chi + slope * phi) * enthalpy\n    w", "chi * enthalpy\n    w", also="slope"),
    ),
    case(
        "highway_block",
        """
X, T = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
at = 0.5 * rng.normal(size=18)


def f(p):
    W, V = p[:9].reshape(3, 3), p[9:].reshape(3, 3)
    h = np.tanh(X @ W)
    t = 1 / (1 + np.exp(-(X @ V)))
    return 0.5 * np.sum((t * h + (1 - t) * X - T) ** 2)


class Block:
    def __init__(self, p):
        self.W, self.V = p[:9].reshape(3, 3), p[9:].reshape(3, 3)

    def forward(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W)
        self.t = 1 / (1 + np.exp(-(x @ self.V)))
        return self.t * self.h + (1 - self.t) * x

    def backward(self, dout):
        dh = dout * self.t * (1 - self.h**2)
        dt = dout * (self.h - self.x) * self.t * (1 - self.t)
        return self.x.T @ dh, self.x.T @ dt


def gradient(p):
    block = Block(p)
    dW, dV = block.backward(block.forward(X) - T)
    return np.concatenate([dW.ravel(), dV.ravel()])
""",
        Bug("missing term", "(self.h - self.x)", "self.h", also=r"\bx\b"),
        Bug("chain", "dout * self.t * (1 - self.h**2)", "dout * (1 - self.h**2)", also=r"\bt\b"),
        Bug("variable", "self.t * (1 - self.t)\n        return self.x", "self.t * (1 - self.h)\n        return self.x"),
        Bug("permuted", "return self.x.T @ dh, self.x.T @ dt", "return self.x.T @ dt, self.x.T @ dh"),
    ),
    case(
        "population_filter",
        """
counts = np.array([3.0, 5.0, 4.0, 7.0, 9.0, 8.0, 12.0])
# log growth, log crowding, log start
at = np.array([-0.8, -3.0, 1.1])


def f(p):
    r, b, n = np.exp(p[0]), np.exp(p[1]), np.exp(p[2])
    loss = 0.0
    for y in counts:
        loss = loss + n - y * np.log(n)
        n = n * np.exp(r - b * n)
    return loss


def gradient(p):
    r, b, n = np.exp(p[0]), np.exp(p[1]), np.exp(p[2])
    dn = np.array([0.0, 0.0, n])
    g = np.zeros(3)
    for y in counts:
        g += (1 - y / n) * dn
        growth = np.exp(r - b * n)
        dn = growth * (1 - b * n) * dn + growth * n * np.array([r, -b * n, 0.0])
        n = n * growth
    return g
""",
        Bug("product", "growth * (1 - b * n) * dn", "growth * dn", also="b"),
        Bug("chain", "np.array([r, -b * n, 0.0])", "np.array([1.0, -b * n, 0.0])", also=r"\br\b|exp"),
        Bug("sign", "np.array([r, -b * n, 0.0])", "np.array([r, b * n, 0.0])"),
        Bug("missing term", " + growth * n * np.array([r, -b * n, 0.0])", "", also="growth"),
    ),
    case(
        "membrane_grid",
        """
force = rng.normal(size=(5, 5))
tension = 1.4
at = 0.4 * rng.normal(size=25)


def f(z):
    u = z.reshape(5, 5)
    area = np.sqrt(1 + (u[1:, :-1] - u[:-1, :-1]) ** 2 + (u[:-1, 1:] - u[:-1, :-1]) ** 2)
    return tension * np.sum(area) - np.sum(force * u) + 0.5 * np.sum(u[0] ** 2)


def gradient(z):
    u = z.reshape(5, 5)
    down = u[1:, :-1] - u[:-1, :-1]
    across = u[:-1, 1:] - u[:-1, :-1]
    pull = tension / np.sqrt(1 + down**2 + across**2)
    g = -force.copy()
    g[1:, :-1] += pull * down
    g[:-1, 1:] += pull * across
    g[:-1, :-1] -= pull * (down + across)
    g[0] += u[0]
    return g.ravel()
""",
        Bug("missing term", "pull * (down + across)", "pull * down", also="across"),
        Bug("index", "g[:-1, 1:] += pull * across", "g[1:, :-1] += pull * across"),
        Bug("chain", "pull = tension / np.sqrt(1 + down**2 + across**2)", "pull = tension", also="sqrt"),
        Bug("missing term", "    g[0] += u[0]\n", "", also="u"),
    ),
    case(
        "simplex_projection_loss",
        """
probes = rng.normal(size=(6, 4))
hits = rng.uniform(0.2, 1.0, 6)
at = np.array([0.2, -0.4, 0.5, 0.1])


def f(theta):
    s = theta**2
    w = s / np.sum(s)
    return np.sum((np.exp(-probes @ w) - hits) ** 2) - 0.05 * np.sum(np.log(w))


def gradient(theta):
    s = theta**2
    total = s.sum()
    w = s / total
    decay = np.exp(-probes @ w)
    g_w = -2 * probes.T @ ((decay - hits) * decay) - 0.05 / w
    g_s = (g_w - g_w @ w) / total
    return 2 * theta * g_s
""",
        Bug("quotient", "(g_w - g_w @ w) / total", "g_w / total", also="normali[sz]"),
        Bug("chain", "((decay - hits) * decay)", "(decay - hits)", also="decay|exp"),
        Bug("factor", "return 2 * theta * g_s", "return theta * g_s", number=2),
        Bug("variable", "- 0.05 / w", "- 0.05 / s", also="total|factor"),
    ),
    case(
        "gear_jacobian",
        """
l1, l2, offset = 1.2, 0.8, 0.3
at = np.array([0.5, -0.9, 0.4])


def f(q):
    a, b, c = q
    reach = l1 * np.cos(a) + l2 * np.cos(a + b)
    return np.array([reach * np.cos(c), reach * np.sin(c), l1 * np.sin(a) + l2 * np.sin(a + b) + offset * c])


def gradient(q):
    a, b, c = q
    reach = l1 * np.cos(a) + l2 * np.cos(a + b)
    da = -l1 * np.sin(a) - l2 * np.sin(a + b)
    db = -l2 * np.sin(a + b)
    J = np.empty((3, 3))
    J[0] = [da * np.cos(c), db * np.cos(c), -reach * np.sin(c)]
    J[1] = [da * np.sin(c), db * np.sin(c), reach * np.cos(c)]
    J[2] = [reach, l2 * np.cos(a + b), offset]
    return J
""",
        Bug("sign", "-reach * np.sin(c)]", "reach * np.sin(c)]"),
        Bug("missing term", "da = -l1 * np.sin(a) - l2 * np.sin(a + b)", "da = -l1 * np.sin(a)", also="l2"),
        Bug("variable", "db * np.sin(c), reach", "da * np.sin(c), reach"),
        Bug("function", "J[2] = [reach, l2 * np.cos(a + b)", "J[2] = [reach, l2 * np.sin(a + b)"),
        what="jacobian",
    ),
]
