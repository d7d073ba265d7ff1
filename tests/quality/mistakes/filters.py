"""Time series, control, and Gaussian processes."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "gp_inverse",
        """
t = np.sort(rng.uniform(0.0, 5.0, 25))
y = np.sin(t) + 0.1 * rng.normal(size=25)
D2 = (t[:, None] - t[None, :]) ** 2
at = np.log([1.2, 0.8, 0.3])


def f(theta):
    scale, length, noise = np.exp(theta)
    K = scale**2 * np.exp(-0.5 * D2 / length**2) + noise**2 * np.eye(25)
    return 0.5 * y @ np.linalg.inv(K) @ y + 0.5 * np.log(np.linalg.det(K))


def gradient(theta):
    scale, length, noise = np.exp(theta)
    rbf = scale**2 * np.exp(-0.5 * D2 / length**2)
    Kinv = np.linalg.inv(rbf + noise**2 * np.eye(25))
    alpha = Kinv @ y
    inner = Kinv - np.outer(alpha, alpha)
    grad = np.zeros(3)
    grad[0] = np.sum(inner * rbf)
    grad[1] = 0.5 * np.sum(inner * rbf * D2) / length**2
    grad[2] = noise**2 * np.trace(inner)
    return grad
""",
        Bug("missing term", "inner = Kinv - np.outer(alpha, alpha)", "inner = Kinv"),
        Bug("factor", "0.5 * np.sum(inner * rbf * D2)", "np.sum(inner * rbf * D2)", number=2),
        Bug(
            "other target", "noise**2 * np.trace(inner)", "noise * np.trace(inner)", also="factor|noise|chain|exponent"
        ),
        Bug("exponent", "* D2) / length**2\n", "* D2) / length**3\n", also="factor|times"),
        Bug("sign", "Kinv - np.outer(alpha, alpha)", "Kinv + np.outer(alpha, alpha)"),
    ),
    case(
        "kernel_ridge",
        """
Z = rng.normal(size=(20, 3))
y = Z[:, 0] * Z[:, 1]
lam = 0.1
at = np.array([0.9, 1.3, 0.6])


def kernel(width):
    d = (Z[:, None, :] - Z[None, :, :]) / width
    return np.exp(-0.5 * np.sum(d * d, axis=2))


def f(width):
    a = np.linalg.solve(kernel(width) + lam * np.eye(20), y)
    return y @ a


def gradient(width):
    K = kernel(width)
    a = np.linalg.solve(K + lam * np.eye(20), y)
    grad = np.empty(3)
    for k in range(3):
        gap = Z[:, None, k] - Z[None, :, k]
        dK = K * gap**2 / width[k] ** 3
        grad[k] = -a @ dK @ a
    return grad
""",
        Bug("sign", "-a @ dK @ a", "a @ dK @ a"),
        Bug("exponent", "width[k] ** 3", "width[k] ** 2", also="factor"),
        Bug("chain", "dK = K * gap**2", "dK = gap**2", also="exp"),
        Bug(
            "constant",
            "a = np.linalg.solve(K + lam * np.eye(20), y)",
            "a = np.linalg.solve(K + 0.01 * np.eye(20), y)",
            also="0[.]1|0[.]01",
        ),
        Bug("square", "K * gap**2", "K * np.abs(gap)", also="factor|chain"),
    ),
    case(
        "ma1",
        """
z = rng.normal(size=60)
z = z[1:] + 0.5 * z[:-1] + 0.2
at = np.array([0.1, 0.35])


def f(p):
    mean, theta = p[0], p[1]
    e, total = 0.0, 0.0
    for value in z:
        e = value - mean - theta * e
        total = total + e**2
    return total / len(z)


def gradient(p):
    mean, theta = p[0], p[1]
    e, de_mean, de_theta = 0.0, 0.0, 0.0
    g_mean, g_theta = 0.0, 0.0
    for value in z:
        de_mean = -1 - theta * de_mean
        de_theta = -e - theta * de_theta
        e = value - mean - theta * e
        g_mean = g_mean + 2 * e * de_mean
        g_theta = g_theta + 2 * e * de_theta
    return np.array([g_mean, g_theta]) / len(z)
""",
        Bug("detached", "de_theta = -e - theta * de_theta", "de_theta = -e"),
        Bug(
            "stale",
            "        de_theta = -e - theta * de_theta\n        e = value - mean - theta * e\n        g_mean",
            "        e = value - mean - theta * e\n        de_theta = -e - theta * de_theta\n        g_mean",
            place="de_theta = -e - theta * de_theta",
        ),
        Bug("sign", "de_mean = -1 - theta", "de_mean = -1 + theta"),
        Bug("factor", "g_mean + 2 * e", "g_mean + e", number=2),
        Bug("mean", "[g_mean, g_theta]) / len(z)", "[g_mean, g_theta]) / (len(z) - 1)", number=59 / 58, also="n/\\(n"),
    ),
    case(
        "garch",
        """
returns = rng.standard_t(5, size=120)
at = np.array([0.2, 0.15, 0.7])


def f(p):
    omega, alpha, beta = p
    h, nll = 1.0, 0.0
    for r in returns:
        nll = nll + 0.5 * (np.log(h) + r**2 / h)
        h = omega + alpha * r**2 + beta * h
    return nll


def gradient(p):
    omega, alpha, beta = p
    h = 1.0
    dh = np.zeros(3)
    grad = np.zeros(3)
    for r in returns:
        grad += 0.5 * (1 / h - r**2 / h**2) * dh
        dh = np.array([1.0, r**2, h]) + beta * dh
        h = omega + alpha * r**2 + beta * h
    return grad
""",
        Bug("detached", "np.array([1.0, r**2, h]) + beta * dh", "np.array([1.0, r**2, h])"),
        Bug(
            "stale",
            "dh = np.array([1.0, r**2, h]) + beta * dh\n        h = omega + alpha * r**2 + beta * h",
            "h = omega + alpha * r**2 + beta * h\n        dh = np.array([1.0, r**2, h]) + beta * dh",
            place="dh = np.array([1.0, r**2, h]) + beta * dh",
        ),
        Bug("quotient", "0.5 * (1 / h - r**2 / h**2) * dh", "0.5 * (1 / h) * dh", also="term"),
        Bug("exponent", "r**2 / h**2)", "r**2 / h)", also="factor"),
        Bug("sign", "1 / h - r**2 / h**2", "1 / h + r**2 / h**2"),
    ),
    case(
        "smoothing",
        """
demand = 10 + np.cumsum(rng.normal(size=45))
at = np.array([0.3, 10.0])


def f(p):
    rate, level = p[0], p[1]
    loss = 0.0
    for d in demand:
        gap = d - level
        loss = loss + gap**2
        level = level + rate * gap
    return loss / 2


def gradient(p):
    rate, level = p[0], p[1]
    d_level = np.array([0.0, 1.0])
    grad = np.zeros(2)
    for d in demand:
        gap = d - level
        grad = grad - gap * d_level
        d_level = (1 - rate) * d_level + np.array([1.0, 0.0]) * gap
        level = level + rate * gap
    return grad
""",
        Bug("product", "(1 - rate) * d_level + np", "d_level + np", also="constant|rate|factor"),
        Bug("permuted", "d_level = np.array([0.0, 1.0])", "d_level = np.array([1.0, 0.0])", also="index"),
        Bug("sign", "grad = grad - gap * d_level", "grad = grad + gap * d_level"),
        Bug("accumulation", "grad = grad - gap * d_level", "grad = -gap * d_level"),
    ),
    case(
        "control",
        """
A = np.array([[1.0, 0.1], [-0.2, 0.95]])
B = np.array([0.0, 0.1])
Q = np.diag([1.0, 0.1])
start = np.array([1.0, 0.0])
N, R = 40, 0.05
at = 0.2 * rng.normal(size=N)


def f(u):
    x, cost = start, 0.0
    for k in range(N):
        cost = cost + x @ Q @ x + R * u[k] ** 2
        x = A @ x + B * u[k]
    return cost + 10 * x @ Q @ x


def gradient(u):
    xs = [start]
    for k in range(N):
        xs.append(A @ xs[-1] + B * u[k])
    grad = np.zeros(N)
    lam = 20 * Q @ xs[-1]
    for k in range(N - 1, -1, -1):
        grad[k] = 2 * R * u[k] + B @ lam
        lam = 2 * Q @ xs[k] + A.T @ lam
    return grad
""",
        Bug("transposed", "A.T @ lam", "A @ lam"),
        Bug("factor", "lam = 20 * Q @ xs[-1]", "lam = 10 * Q @ xs[-1]", number=2, also="product rule"),
        Bug("index", "lam = 2 * Q @ xs[k] + A.T", "lam = 2 * Q @ xs[k + 1] + A.T", also="state|stale"),
        Bug(
            "stale",
            "        grad[k] = 2 * R * u[k] + B @ lam\n        lam = 2 * Q @ xs[k] + A.T @ lam",
            "        lam = 2 * Q @ xs[k] + A.T @ lam\n        grad[k] = 2 * R * u[k] + B @ lam",
            place="B @ lam",
        ),
        Bug("missing term", "grad[k] = 2 * R * u[k] + B @ lam", "grad[k] = B @ lam"),
        Bug("loop", "for k in range(N - 1, -1, -1):", "for k in range(N - 1, 0, -1):"),
    ),
    case(
        "total_variation",
        """
clean = np.repeat([0.0, 1.0, -0.5, 2.0], 500)
blur = np.array([0.25, 0.5, 0.25])
observed = np.convolve(clean, blur, mode="same") + 0.1 * rng.normal(size=2000)
eps, lam = 1e-2, 0.4
at = observed + 0.1 * rng.normal(size=2000)


def f(x):
    r = np.convolve(x, blur, mode="same") - observed
    jump = x[1:] - x[:-1]
    return 0.5 * np.sum(r**2) + lam * np.sum(np.sqrt(jump**2 + eps**2))


def gradient(x):
    grad = np.convolve(np.convolve(x, blur, mode="same") - observed, blur, mode="same")
    jump = x[1:] - x[:-1]
    slope = lam * jump / np.sqrt(jump**2 + eps**2)
    grad[1:] += slope
    grad[:-1] -= slope
    return grad
""",
        Bug("sign", "grad[:-1] -= slope", "grad[:-1] += slope"),
        Bug("index", "jump = x[1:] - x[:-1]\n    slope", "jump = x[:-1] - x[1:]\n    slope", also="sign"),
        Bug("guard", "lam * jump / np.sqrt(jump**2 + eps**2)", "lam * np.sign(jump)"),
        Bug("constant", "slope = lam * jump", "slope = 0.04 * jump", number=10),
        Bug("missing term", "\n    grad[:-1] -= slope", ""),
    ),
]
