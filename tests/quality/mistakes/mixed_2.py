"""Functions of many topics, drawn at random: kept aside until the rules had been measured on them."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "gp_cholesky",
        """
Z = rng.uniform(-2.0, 2.0, (40, 2))
y = np.sin(Z[:, 0]) * Z[:, 1] + 0.05 * rng.normal(size=40)
gaps = (Z[:, None, :] - Z[None, :, :]) ** 2
at = np.array([0.1, -0.2, 0.3, -1.5])


def covariance(p):
    return np.exp(p[0]) * np.exp(-0.5 * (gaps[:, :, 0] * np.exp(-2 * p[1]) + gaps[:, :, 1] * np.exp(-2 * p[2])))


def f(p):
    L = np.linalg.cholesky(covariance(p) + np.exp(p[3]) * np.eye(40))
    white = np.linalg.solve(L, y)
    return 0.5 * white @ white + np.sum(np.log(np.diag(L)))


def gradient(p):
    K = covariance(p)
    noise = np.exp(p[3])
    inverse = np.linalg.inv(K + noise * np.eye(40))
    alpha = inverse @ y
    Q = 0.5 * (inverse - np.outer(alpha, alpha))
    d_length = [np.sum(Q * K * gaps[:, :, k]) * np.exp(-2 * p[k + 1]) for k in range(2)]
    return np.array([np.sum(Q * K), *d_length, noise * np.trace(Q)])
""",
        Bug("chain", "noise * np.trace(Q)", "np.trace(Q)", also="exp"),
        Bug("index", "np.exp(-2 * p[k + 1])", "np.exp(-2 * p[k])", also="factor"),
        Bug("factor", "Q = 0.5 * (inverse", "Q = (inverse", number=2),
        Bug("missing term", "(inverse - np.outer(alpha, alpha))", "-np.outer(alpha, alpha)", also="log|diag"),
        Bug("chain", "np.sum(Q * K * gaps", "np.sum(Q * gaps", also="exp|K\\b"),
    ),
    case(
        "ar2",
        """
z = rng.normal(size=1500)
for t in range(2, 1500):
    z[t] += 0.6 * z[t - 1] - 0.3 * z[t - 2]
at = np.array([0.5, -0.2, 0.05])


def f(p):
    a, b, log_s = p[0], p[1], p[2]
    e = z[2:] - a * z[1:-1] - b * z[:-2]
    return 0.5 * np.sum(e**2) * np.exp(-2 * log_s) + len(e) * log_s


def gradient(p):
    a, b, log_s = p[0], p[1], p[2]
    e = z[2:] - a * z[1:-1] - b * z[:-2]
    precision = np.exp(-2 * log_s)
    d_a = -precision * np.sum(e * z[1:-1])
    d_b = -precision * np.sum(e * z[:-2])
    d_s = len(e) - precision * np.sum(e**2)
    return np.array([d_a, d_b, d_s])
""",
        Bug("index", "d_b = -precision * np.sum(e * z[:-2])", "d_b = -precision * np.sum(e * z[1:-1])", also="repeats"),
        Bug("constant", "d_s = len(e) - precision", "d_s = len(z) - precision", also="1500|1498|added|\\b2\\b|extra"),
        Bug("square", "np.exp(-2 * log_s)\n    d_a", "np.exp(-log_s)\n    d_a", also="exp|factor"),
        Bug("sign", "d_a = -precision", "d_a = precision"),
        Bug("chain", "d_a = -precision * np.sum", "d_a = -np.sum", also="exp|factor"),
        Bug(
            "index",
            "    e = z[2:] - a * z[1:-1] - b * z[:-2]\n    precision",
            "    e = z[2:] - a * z[1:-1] - b * z[2:]\n    precision",
        ),
    ),
    case(
        "kalman_level",
        """
observed = np.cumsum(0.3 * rng.normal(size=40)) + 0.5 * rng.normal(size=40)
at = np.log([0.2, 0.3])


class LocalLevel:
    def __init__(self, y):
        self.y = y

    def nll(self, p):
        q, r = np.exp(p[0]), np.exp(p[1])
        m, P, total = 0.0, 10.0, 0.0
        for y in self.y:
            P = P + q
            S = P + r
            v = y - m
            total = total + 0.5 * (np.log(S) + v**2 / S)
            m = m + P / S * v
            P = P * r / S
        return total

    def score(self, p):
        q, r = np.exp(p)
        m, P = 0.0, 10.0
        dm, dP, grad = np.zeros(2), np.zeros(2), np.zeros(2)
        dq, dr = np.array([q, 0.0]), np.array([0.0, r])
        for y in self.y:
            P, dP = P + q, dP + dq
            S, dS = P + r, dP + dr
            v, dv = y - m, -dm
            grad += 0.5 * dS / S + v * dv / S - 0.5 * v**2 * dS / S**2
            gain = P / S
            dgain = dP / S - P * dS / S**2
            m, dm = m + gain * v, dm + dgain * v + gain * dv
            P, dP = P * r / S, dP * r / S + P * dr / S - P * r * dS / S**2
        return grad


model = LocalLevel(observed)
f, gradient = model.nll, model.score
""",
        Bug("quotient", "dP / S - P * dS / S**2", "dP / S", also="term"),
        Bug("missing term", "dm + dgain * v + gain * dv", "dm + gain * dv", also="product"),
        Bug("sign", "v, dv = y - m, -dm", "v, dv = y - m, dm"),
        Bug("factor", "- 0.5 * v**2 * dS / S**2", "- v**2 * dS / S**2", number=2),
        Bug("detached", "S, dS = P + r, dP + dr", "S, dS = P + r, dP"),
        Bug("product", "dP * r / S + P * dr / S - P", "dP * r / S - P", also="term"),
    ),
    case(
        "heat",
        """
n, steps, c = 30, 20, 0.2
final = np.exp(-np.linspace(-2.0, 2.0, n) ** 2)
at = rng.normal(size=n)


def f(u):
    for _ in range(steps):
        inner = u[1:-1] + c * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = np.concatenate([u[:1], inner, u[-1:]])
    return 0.5 * np.sum((u - final) ** 2)


def gradient(u):
    for _ in range(steps):
        u = np.concatenate([u[:1], u[1:-1] + c * (u[2:] - 2 * u[1:-1] + u[:-2]), u[-1:]])
    adjoint = u - final
    for _ in range(steps):
        new = adjoint.copy()
        new[1:-1] -= 2 * c * adjoint[1:-1]
        new[2:] += c * adjoint[1:-1]
        new[:-2] += c * adjoint[1:-1]
        adjoint = new
    return adjoint
""",
        Bug("loop", "for _ in range(steps):\n        new", "for _ in range(steps - 1):\n        new"),
        Bug("index", "new[2:] += c * adjoint[1:-1]", "new[1:-1] += c * adjoint[2:]"),
        Bug("factor", "-= 2 * c * adjoint", "-= c * adjoint", number=2),
        Bug("missing term", "adjoint = u - final", "adjoint = u", also="final"),
        Bug("accumulation", "new[:-2] += c * adjoint[1:-1]", "new[:-2] = c * adjoint[1:-1]"),
    ),
    case(
        "burgers",
        """
n, dx, dt, nu = 1024, 0.1, 0.05, 0.02
before = np.sin(2 * np.pi * np.arange(n) / n)
at = before + 0.1 * rng.normal(size=n)


def residual(u):
    right, left = np.roll(u, -1), np.roll(u, 1)
    return (u - before) / dt + u * (right - left) / (2 * dx) - nu * (right - 2 * u + left) / dx**2


def f(u):
    return 0.5 * np.mean(residual(u) ** 2)


def gradient(u):
    r = residual(u) / n
    slope = (np.roll(u, -1) - np.roll(u, 1)) / (2 * dx)
    own = r * (1 / dt + slope + 2 * nu / dx**2)
    to_right = r * (u / (2 * dx) - nu / dx**2)
    to_left = r * (-u / (2 * dx) - nu / dx**2)
    return own + np.roll(to_right, 1) + np.roll(to_left, -1)
""",
        Bug(
            "index",
            "np.roll(to_right, 1) + np.roll(to_left, -1)",
            "np.roll(to_right, -1) + np.roll(to_left, 1)",
            also="roll|sign",
        ),
        Bug("product", "(1 / dt + slope + 2 * nu / dx**2)", "(1 / dt + 2 * nu / dx**2)", also="term"),
        Bug("factor", "slope + 2 * nu / dx**2", "slope + nu / dx**2", number=2),
        Bug("sign", "r * (-u / (2 * dx) - nu", "r * (u / (2 * dx) - nu"),
        Bug("mean", "r = residual(u) / n", "r = residual(u)", number=1024),
        Bug(
            "exponent",
            "(u / (2 * dx) - nu / dx**2)\n    to_left",
            "(u / (2 * dx) - nu / dx)\n    to_left",
            also="factor|10\\b|0[.]1",
        ),
    ),
    case(
        "action",
        """
N, dt, g = 60, 0.05, 9.81
start, end = 0.3, -0.4
at = np.linspace(0.3, -0.4, N + 2)[1:-1] + 0.05 * rng.normal(size=N)


def f(q):
    path = np.concatenate([[start], q, [end]])
    velocity = (path[1:] - path[:-1]) / dt
    return dt * (0.5 * np.sum(velocity**2) + g * np.sum(np.cos(path)))


def gradient(q):
    path = np.concatenate([[start], q, [end]])
    velocity = np.diff(path) / dt
    grad = velocity[:-1] - velocity[1:]
    grad -= dt * g * np.sin(path[1:-1])
    return grad
""",
        Bug("sign", "grad -= dt * g", "grad += dt * g"),
        Bug("index", "np.sin(path[1:-1])", "np.sin(path[:-2])"),
        Bug("chain", "grad -= dt * g * np", "grad -= g * np", number=0.05),
        Bug("function", "np.sin(path[1:-1])", "np.cos(path[1:-1])", also="sin|chain"),
        Bug("function", "np.sin(path[1:-1])", "path[1:-1]", also="sin|chain|linear"),
        Bug("degrees", "np.sin(path[1:-1])", "np.sin(path[1:-1] * np.pi / 180)", also="sin"),
    ),
    case(
        "morse",
        """
bonds = [(0, 1), (1, 2), (2, 3), (3, 4)]
depth, width, r0 = 2.0, 1.3, 1.1
at = np.cumsum(rng.uniform(0.5, 0.9, (5, 3)), axis=0)


def bend(p, i, j, k):
    a, b = p[i] - p[j], p[k] - p[j]
    return (a @ b) / np.sqrt((a @ a) * (b @ b))


def f(p):
    energy = 0.0
    for i, j in bonds:
        r = np.sqrt(np.sum((p[i] - p[j]) ** 2))
        energy = energy + depth * (1 - np.exp(-width * (r - r0))) ** 2
    for j in range(1, 4):
        energy = energy + 0.5 * (bend(p, j - 1, j, j + 1) + 0.3) ** 2
    return energy


def gradient(p):
    g = np.zeros_like(p)
    for i, j in bonds:
        d = p[i] - p[j]
        r = np.sqrt(d @ d)
        e = np.exp(-width * (r - r0))
        push = 2 * depth * width * (1 - e) * e * d / r
        g[i] += push
        g[j] -= push
    for j in range(1, 4):
        a, b = p[j - 1] - p[j], p[j + 1] - p[j]
        na, nb = np.sqrt(a @ a), np.sqrt(b @ b)
        c = (a @ b) / (na * nb)
        da = (c + 0.3) * (b / (na * nb) - c * a / na**2)
        db = (c + 0.3) * (a / (na * nb) - c * b / nb**2)
        g[j - 1] += da
        g[j + 1] += db
        g[j] -= da + db
    return g
""",
        Bug("chain", "2 * depth * width * (1 - e) * e", "2 * depth * (1 - e) * e", number=1.3, also="factor width"),
        Bug("chain", "width * (1 - e) * e * d", "width * (1 - e) * d", also="exp"),
        Bug("variable", "c * b / nb**2", "c * b / na**2", also="factor"),
        Bug("quotient", " - c * a / na**2)", ")", also="term|sqrt"),
        Bug("missing term", "g[j] -= da + db", "g[j] -= da"),
        Bug("loop", "for j in range(1, 4):\n        a, b", "for j in range(1, 3):\n        a, b"),
    ),
    case(
        "log_det",
        """
B = rng.normal(size=(30, 5))
at = rng.uniform(0.5, 2.0, 30)


def f(w):
    # D-optimal design with a barrier
    M = B.T @ (w[:, None] * B)
    return -np.log(np.linalg.det(M)) - 0.1 * np.sum(np.log(w)) + 0.5 * (np.sum(w) - 30) ** 2


def gradient(w):
    Minv = np.linalg.inv(B.T @ np.diag(w) @ B)
    leverage = np.sum((B @ Minv) * B, axis=1)
    return -leverage - 0.1 / w + (np.sum(w) - 30)
""",
        Bug("missing term", "-leverage - 0.1 / w + (np.sum(w) - 30)", "-leverage - 0.1 / w"),
        Bug("sign", "return -leverage", "return leverage"),
        Bug("exponent", "- 0.1 / w + (np", "- 0.1 / w**2 + (np", also="factor"),
        Bug("constant", "- 0.1 / w + (np", "- 0.01 / w + (np", number=10),
        Bug("mean", "(np.sum(w) - 30)\n", "(np.mean(w) - 30)\n", number=30, also="sum|30"),
    ),
    case(
        "laplacian",
        """
edges = np.array([(i, (i * 7 + 3) % 50) for i in range(50)] + [(i, (i + 1) % 50) for i in range(50)])
weight = rng.uniform(0.2, 1.0, len(edges))
seen = np.arange(0, 50, 4)
values = np.cos(seen / 8)
at = rng.normal(size=50)


def f(u):
    smooth = np.sum(weight * (u[edges[:, 0]] - u[edges[:, 1]]) ** 2)
    return 0.5 * smooth + 2 * np.sum((u[seen] - values) ** 2)


def gradient(u):
    L = np.zeros((50, 50))
    for (i, j), w in zip(edges, weight):
        L[i, i] += w
        L[j, j] += w
        L[i, j] -= w
        L[j, i] -= w
    grad = L @ u
    grad[seen] += 4 * (u[seen] - values)
    return grad
""",
        Bug("accumulation", "L[i, i] += w", "L[i, i] = w", also="diag"),
        Bug("sign", "L[j, i] -= w", "L[j, i] += w"),
        Bug("factor", "+= 4 * (u[seen]", "+= 2 * (u[seen]", number=2),
        Bug("missing term", "\n        L[j, i] -= w", "", also="symmetr"),
        Bug("index", "grad[seen] += 4", "grad[seen + 1] += 4"),
    ),
]
