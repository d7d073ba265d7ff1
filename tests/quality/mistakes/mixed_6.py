"""Statistics, econometrics, finance and filters, then Jacobians and Hessians, each with the slips that are usual there.

They were kept aside until the rules had been measured on them.
"""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "mixed_model",
        """
groups = []
for size in (3, 5, 4, 6):
    covariates = np.column_stack([np.ones(size), rng.normal(size=size)])
    groups.append((covariates, covariates @ [0.5, 1.0] + rng.normal() + 0.5 * rng.normal(size=size)))
# the fixed effects, log of the residual and of the group's standard deviation
at = np.array([0.3, 0.8, -0.4, -0.1])


def f(p):
    beta, s2, t2 = p[:2], np.exp(2 * p[2]), np.exp(2 * p[3])
    nll = 0.0
    for X, y in groups:
        n, r = len(y), y - X @ beta
        d = s2 + n * t2
        nll += 0.5 * ((n - 1) * np.log(s2) + np.log(d) + (r @ r - t2 / d * np.sum(r) ** 2) / s2)
    return nll


def gradient(p):
    beta, s2, t2 = p[:2], np.exp(2 * p[2]), np.exp(2 * p[3])
    g_beta, g_s2, g_t2 = np.zeros(2), 0.0, 0.0
    for X, y in groups:
        n = len(y)
        r = y - X @ beta
        R = r.sum()
        d = s2 + n * t2
        quad = r @ r - t2 / d * R**2
        g_beta -= (X.T @ r - t2 / d * R * X.sum(axis=0)) / s2
        g_s2 += 0.5 * ((n - 1) / s2 + 1 / d - quad / s2**2 + t2 * R**2 / (d**2 * s2))
        g_t2 += 0.5 * (n / d - R**2 / d**2)
    return np.concatenate([g_beta, [2 * s2 * g_s2, 2 * t2 * g_t2]])
""",
        Bug("quotient", " + t2 * R**2 / (d**2 * s2))", ")"),
        Bug("axis", "X.sum(axis=0)", "X.sum()"),
        Bug("factor", "2 * t2 * g_t2", "t2 * g_t2", number=2),
        Bug("constant", "((n - 1) / s2", "(n / s2", also="n - 1|extra|added"),
        Bug("square", "(n / d - R**2 / d**2)", "(n / d - R / d**2)"),
        Bug("sign", "g_beta -= (", "g_beta += ("),
    ),
    case(
        "gompertz",
        """
n = 40
Z = rng.normal(size=(n, 2))
time = rng.uniform(0.3, 4.0, n)
event = (rng.random(n) < 0.7).astype(float)
at = np.array([-1.2, 0.4, 0.3, -0.5])


def f(p):
    scale, shape, eta = np.exp(p[0]), p[1], Z @ p[2:]
    hazard = scale / shape * (np.exp(shape * time) - 1) * np.exp(eta)
    return np.sum(hazard - event * (p[0] + shape * time + eta))


def gradient(p):
    a, b = np.exp(p[0]), p[1]
    risk = np.exp(Z @ p[2:])
    growth = np.exp(b * time)
    cumulative = a * (growth - 1) * risk / b
    g = np.empty(4)
    g[0] = np.sum(cumulative - event)
    g[1] = np.sum(a * risk * (time * growth / b - (growth - 1) / b**2) - event * time)
    g[2:] = Z.T @ (cumulative - event)
    return g
""",
        Bug("quotient", "(time * growth / b - (growth - 1) / b**2)", "(time * growth / b)"),
        Bug("missing term", "/ b**2) - event * time)", "/ b**2))", also="event"),
        Bug("variable", "Z.T @ (cumulative - event)", "Z.T @ (cumulative - 1)", also="event|censor"),
        Bug(
            "chain", "g[0] = np.sum(cumulative - event)", "g[0] = np.sum(cumulative - event) / a", also=r"\b(exp|log)\b"
        ),
        Bug("ascent", "    return g\n", "    return -g\n"),
    ),
    case(
        "nested_logit",
        """
attributes = rng.normal(size=(9, 4, 3))
choices = [0, 3, 1, 2, 2, 0, 1, 3, 0]
at = np.array([0.7, -0.4, 0.5, 0.8, 0.6])


def f(p):
    beta, lam = p[:3], p[3:]
    loglik = 0.0
    for Z, chosen in zip(attributes, choices):
        V, m = Z @ beta, chosen // 2
        inclusive = [np.log(np.sum(np.exp(V[2 * k : 2 * k + 2] / lam[k]))) for k in range(2)]
        total = np.exp(lam[0] * inclusive[0]) + np.exp(lam[1] * inclusive[1])
        loglik += V[chosen] / lam[m] + (lam[m] - 1) * inclusive[m] - np.log(total)
    return -loglik


def gradient(p):
    beta, lam = p[:3], p[3:]
    g_beta, g_lam = np.zeros(3), np.zeros(2)
    for Z, chosen in zip(attributes, choices):
        V, m = Z @ beta, chosen // 2
        inclusive, within, slope = np.zeros(2), np.zeros(4), np.zeros(2)
        for k in range(2):
            nest = slice(2 * k, 2 * k + 2)
            e = np.exp(V[nest] / lam[k])
            inclusive[k] = np.log(e.sum())
            within[nest] = e / e.sum()
            slope[k] = -(within[nest] @ V[nest]) / lam[k] ** 2
        share = np.exp(lam * inclusive)
        share = share / share.sum()
        dV = -np.repeat(share, 2) * within
        dV[chosen] += 1 / lam[m]
        own = slice(2 * m, 2 * m + 2)
        dV[own] += (1 - 1 / lam[m]) * within[own]
        g_beta += Z.T @ dV
        g_lam -= share * (inclusive + lam * slope)
        g_lam[m] += inclusive[m] + (lam[m] - 1) * slope[m] - V[chosen] / lam[m] ** 2
    return -np.concatenate([g_beta, g_lam])
""",
        Bug("ascent", "return -np.concatenate", "return np.concatenate"),
        Bug("product", "share * (inclusive + lam * slope)", "share * inclusive", also="slope"),
        Bug("exponent", "V[chosen] / lam[m] ** 2", "V[chosen] / lam[m]"),
        Bug("chain", "dV[chosen] += 1 / lam[m]", "dV[chosen] += 1", also=r"\blam\b"),
        Bug("index", "(lam[m] - 1) * slope[m]", "(lam[m] - 1) * slope[k]", also="variable"),
        Bug(
            "loop",
            "in zip(attributes, choices):\n        V, m = Z @ beta, chosen // 2\n        inclusive, within",
            "in zip(attributes[:-1], choices):\n        V, m = Z @ beta, chosen // 2\n        inclusive, within",
        ),
    ),
    case(
        "tracking_error",
        """
returns = 0.01 * rng.normal(size=(60, 5)) @ (np.eye(5) + 0.3)
cov = np.cov(returns.T)
benchmark = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
at = np.array([0.5, -0.3, 0.2, 0.9, -0.6])


def f(theta):
    w = np.exp(theta) / np.sum(np.exp(theta))
    active = w - benchmark
    return np.sqrt(252 * active @ cov @ active)


def gradient(theta):
    e = np.exp(theta)
    w = e / e.sum()
    active = w - benchmark
    error = np.sqrt(252 * (active @ cov @ active))
    g_w = 252 * (cov @ active) / error
    return w * (g_w - w @ g_w)
""",
        Bug(
            "other target",
            "g_w = 252 * (cov @ active) / error",
            "g_w = 2 * 252 * (cov @ active)",
            also="sqrt|chain|divisor 2 . error",
        ),
        Bug("missing term", "w * (g_w - w @ g_w)", "w * g_w", also="quotient|normali[sz]|softmax"),
        Bug("float32", "(cov @ active) / error", "(cov.astype(np.float32) @ active) / error"),
        Bug("variable", "252 * (cov @ active) / error", "252 * (cov @ w) / error", also="benchmark|missing"),
        Bug("constant", "g_w = 252 * (cov", "g_w = 260 * (cov", number=252 / 260, also="260"),
    ),
    case(
        "kalman_trend",
        """
F = np.array([[1.0, 1.0], [0.0, 1.0]])
y = 0.3 * np.arange(13) + np.cumsum(0.4 * rng.normal(size=13))
# log variances of level, slope and observation
at = np.array([-1.0, -2.5, -1.6])


def f(p):
    v = np.exp(p)
    m, P, nll = np.array([y[0], 0.0]), 2 * np.eye(2), 0.0
    for obs in y[1:]:
        m = F @ m
        P = F @ P @ F.T + np.diag(v[:2])
        e, S = obs - m[0], P[0, 0] + v[2]
        nll = nll + 0.5 * (np.log(S) + e**2 / S)
        K = P[:, 0] / S
        m = m + K * e
        P = P - np.outer(K, P[0])
    return nll


def gradient(p):
    v = np.exp(p)
    grad = np.zeros(3)
    for i in range(3):
        dv = v * (np.arange(3) == i)
        m, dm = np.array([y[0], 0.0]), np.zeros(2)
        P, dP = 2 * np.eye(2), np.zeros((2, 2))
        for obs in y[1:]:
            m, dm = F @ m, F @ dm
            P, dP = F @ P @ F.T + np.diag(v[:2]), F @ dP @ F.T + np.diag(dv[:2])
            e, de = obs - m[0], -dm[0]
            S, dS = P[0, 0] + v[2], dP[0, 0] + dv[2]
            grad[i] += 0.5 * dS / S + e * de / S - 0.5 * e**2 * dS / S**2
            K = P[:, 0] / S
            dK = dP[:, 0] / S - P[:, 0] * dS / S**2
            m, dm = m + K * e, dm + dK * e + K * de
            dP = dP - np.outer(dK, P[0]) - np.outer(K, dP[0])
            P = P - np.outer(K, P[0])
    return grad
""",
        Bug("product", "dm + dK * e + K * de", "dm + dK * e", also=r"\bde\b"),
        Bug("quotient", "dK = dP[:, 0] / S - P[:, 0] * dS / S**2", "dK = dP[:, 0] / S"),
        Bug(
            "stale",
            "dP = dP - np.outer(dK, P[0]) - np.outer(K, dP[0])\n            P = P - np.outer(K, P[0])",
            "P = P - np.outer(K, P[0])\n            dP = dP - np.outer(dK, P[0]) - np.outer(K, dP[0])",
            also="order",
            place="np.outer(dK, P[0])",
        ),
        Bug("factor", "+ e * de / S", "+ 0.5 * e * de / S", number=2),
        Bug("doubled term", "- np.outer(K, dP[0])", "- 2 * np.outer(K, dP[0])"),
        Bug("chain", "dv = v * (np.arange(3) == i)", "dv = 1.0 * (np.arange(3) == i)", also=r"\b(exp|log|v)\b"),
        Bug("missing term", "dP[0, 0] + dv[2]", "dP[0, 0]", also=r"\bdv\b"),
    ),
    case(
        "gp_periodic",
        """
x = np.sort(rng.uniform(0.0, 5.0, 10))
D = np.abs(x[:, None] - x[None, :])
y = np.sin(2.2 * x) + 0.1 * rng.normal(size=10)
# logs of amplitude, length scale, period and noise
at = np.array([0.2, -0.1, 1.0, -1.2])


def f(p):
    amp, ell, period, noise = np.exp(p)
    K = amp**2 * np.exp(-2 * np.sin(np.pi * D / period) ** 2 / ell**2) + noise**2 * np.eye(10)
    C = np.linalg.cholesky(K)
    z = np.linalg.solve(C, y)
    return 0.5 * z @ z + np.sum(np.log(np.diag(C)))


def gradient(p):
    amp, ell, period, noise = np.exp(p)
    arg = np.pi * D / period
    Kf = amp**2 * np.exp(-2 * np.sin(arg) ** 2 / ell**2)
    K_inv = np.linalg.inv(Kf + noise**2 * np.eye(10))
    alpha = K_inv @ y
    M = K_inv - np.outer(alpha, alpha)
    dK = {
        "amp": 2 * Kf,
        "ell": 4 * Kf * np.sin(arg) ** 2 / ell**2,
        "period": 4 * Kf * np.sin(arg) * np.cos(arg) * arg / ell**2,
        "noise": 2 * noise**2 * np.eye(10),
    }
    return np.array([0.5 * np.sum(M * dK[name]) for name in ("amp", "ell", "period", "noise")])
""",
        Bug("factor", '"ell": 4 * Kf', '"ell": 2 * Kf', number=2),
        Bug("missing term", "M = K_inv - np.outer", "M = -np.outer", also="determinant|logdet|diag"),
        Bug("chain", "np.cos(arg) * arg / ell**2", "np.cos(arg) / ell**2", also=r"\barg\b"),
        Bug("function", "np.sin(arg) * np.cos(arg) * arg", "np.sin(arg) * np.sin(arg) * arg", also="cos"),
        Bug("sign", "K_inv - np.outer", "K_inv + np.outer"),
    ),
    case(
        "levy",
        """
at = np.array([-1.3, 0.4, 2.1, 3.2, -0.7])


def f(x):
    w = 1 + (x - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    return (
        np.sin(np.pi * w[0]) ** 2 + np.sum(middle) + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
    )


def gradient(x):
    w = 1 + (x - 1) / 4
    v = w - 1
    g = np.zeros(len(x))
    g[0] = np.pi * np.sin(2 * np.pi * w[0])
    s, c = np.sin(np.pi * w[:-1] + 1), np.cos(np.pi * w[:-1] + 1)
    g[:-1] += 2 * v[:-1] * (1 + 10 * s**2) + 20 * np.pi * v[:-1] ** 2 * s * c
    last = np.sin(4 * np.pi * w[-1])
    g[-1] = 2 * v[-1] * (1 + np.sin(2 * np.pi * w[-1]) ** 2) + 2 * np.pi * v[-1] ** 2 * last
    return g / 4
""",
        Bug("factor", "return g / 4", "return g", number=4, also="chain"),
        Bug("accumulation", "g[:-1] += 2", "g[:-1] = 2"),
        Bug("function", "g[0] = np.pi * np.sin(", "g[0] = np.pi * np.cos(", also="sin"),
        Bug("product", " + 20 * np.pi * v[:-1] ** 2 * s * c", ""),
        Bug("parenthesis", "2 * v[:-1] * (1 + 10 * s**2)", "2 * v[:-1] * 1 + 10 * s**2", also="missing|chain"),
        Bug("constant", "np.sin(4 * np.pi * w[-1])", "np.sin(2 * np.pi * w[-1])", also="inside|frequency|double|half"),
    ),
    case(
        "unicycle_jacobian",
        """
dt = 0.5
# x, y, heading, speed, turn rate
at = np.array([0.4, -0.2, 0.7, 1.5, 0.6])


def f(state):
    x, y, theta, v, omega = state
    new = theta + omega * dt
    return np.array(
        [x + v / omega * (np.sin(new) - np.sin(theta)), y - v / omega * (np.cos(new) - np.cos(theta)), new, v, omega]
    )


def gradient(state):
    x, y, theta, v, omega = state
    new = theta + omega * dt
    radius = v / omega
    ds, dc = np.sin(new) - np.sin(theta), np.cos(new) - np.cos(theta)
    J = np.eye(5)
    J[0, 2] = radius * dc
    J[1, 2] = radius * ds
    J[0, 3] = ds / omega
    J[1, 3] = -dc / omega
    J[0, 4] = radius * dt * np.cos(new) - v * ds / omega**2
    J[1, 4] = radius * dt * np.sin(new) + v * dc / omega**2
    J[2, 4] = dt
    return J
""",
        Bug("quotient", "np.cos(new) - v * ds / omega**2", "np.cos(new)", also="omega"),
        Bug("sign", "J[1, 3] = -dc / omega", "J[1, 3] = dc / omega"),
        Bug("index", "J[2, 4] = dt", "J[2, 3] = dt"),
        Bug(
            "permuted",
            "J[0, 2] = radius * dc\n    J[1, 2] = radius * ds",
            "J[0, 2] = radius * ds\n    J[1, 2] = radius * dc",
            place="radius * ds",
        ),
        Bug(
            "stale", "J[1, 4] = radius * dt * np.sin(new)", "J[1, 4] = radius * dt * np.sin(theta)", also="new|variable"
        ),
        what="jacobian",
    ),
    case(
        "quaternion_jacobian",
        """
point = np.array([0.5, -1.2, 0.8])
at = np.array([0.9, 0.3, -0.4, 0.2])


def f(q):
    w, x, y, z = q / np.sqrt(q @ q)
    a, b, c = point
    return np.array(
        [
            (1 - 2 * (y**2 + z**2)) * a + 2 * (x * y - w * z) * b + 2 * (x * z + w * y) * c,
            2 * (x * y + w * z) * a + (1 - 2 * (x**2 + z**2)) * b + 2 * (y * z - w * x) * c,
            2 * (x * z - w * y) * a + 2 * (y * z + w * x) * b + (1 - 2 * (x**2 + y**2)) * c,
        ]
    )


def gradient(q):
    norm = np.linalg.norm(q)
    unit = q / norm
    w, u = unit[0], unit[1:]
    # R p = p + 2 w (u x p) + 2 u x (u x p)
    cross = np.cross(u, point)
    J = np.empty((3, 4))
    J[:, 0] = 2 * cross
    for k in range(3):
        axis = np.eye(3)[k]
        J[:, 1 + k] = 2 * w * np.cross(axis, point) + 2 * np.cross(axis, cross) + 2 * np.cross(u, np.cross(axis, point))
    return J @ (np.eye(4) - np.outer(unit, unit)) / norm
""",
        Bug("chain", "np.outer(unit, unit)) / norm", "np.outer(unit, unit))", also="norm"),
        Bug("detached", "J @ (np.eye(4) - np.outer(unit, unit)) / norm", "J / norm", also="normali[sz]|norm"),
        Bug("product", " + 2 * np.cross(axis, cross)", ""),
        Bug("sign", "np.cross(u, np.cross(axis, point))", "np.cross(np.cross(axis, point), u)", also="order|swap"),
        Bug("variable", "(np.eye(4) - np.outer(unit, unit))", "(np.eye(4) - np.outer(q, q))", also="norm|q @ q"),
        what="jacobian",
    ),
    case(
        "lorenz_step_jacobian",
        """
sigma, rho, beta, h = 10.0, 28.0, 8.0 / 3.0, 0.05
at = np.array([1.5, -0.8, 20.0])


def rhs(s):
    return np.array([sigma * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - beta * s[2]])


def f(s):
    k1 = rhs(s)
    k2 = rhs(s + 0.5 * h * k1)
    k3 = rhs(s + 0.5 * h * k2)
    k4 = rhs(s + h * k3)
    return s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def tangent(s):
    x, y, z = s
    return np.array([[-sigma, sigma, 0.0], [rho - z, -1.0, -x], [y, x, -beta]])


def gradient(s):
    I = np.eye(3)
    k1 = rhs(s)
    D1 = tangent(s)
    k2 = rhs(s + h / 2 * k1)
    D2 = tangent(s + h / 2 * k1) @ (I + h / 2 * D1)
    k3 = rhs(s + h / 2 * k2)
    D3 = tangent(s + h / 2 * k2) @ (I + h / 2 * D2)
    D4 = tangent(s + h * k3) @ (I + h * D3)
    return I + h / 6 * (D1 + 2 * D2 + 2 * D3 + D4)
""",
        Bug("chain", "D2 = tangent(s + h / 2 * k1) @ (I + h / 2 * D1)", "D2 = tangent(s + h / 2 * k1)"),
        Bug("stale", "D3 = tangent(s + h / 2 * k2)", "D3 = tangent(s + h / 2 * k1)", also="k2|variable"),
        Bug("factor", "@ (I + h * D3)", "@ (I + h / 2 * D3)", number=2, also="divisor 2"),
        Bug("sign", "-1.0, -x]", "-1.0, x]"),
        Bug(
            "transposed",
            "D4 = tangent(s + h * k3) @ (I + h * D3)",
            "D4 = (I + h * D3) @ tangent(s + h * k3)",
            also="order|swap",
            place="(I + h * D3) @ tangent(s + h * k3)",
        ),
        Bug("missing term", "[rho - z, -1.0", "[rho, -1.0", also=r"\bz\b"),
        what="jacobian",
    ),
    case(
        "distortion_jacobian",
        """
# x, y, k1, k2, p1, p2 of the lens
at = np.array([0.4, -0.3, -0.2, 0.08, 0.01, -0.02])


def f(v):
    x, y, k1, k2, p1, p2 = v
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2
    return np.stack(
        [x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2), y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y]
    )


def gradient(v):
    x, y, k1, k2, p1, p2 = v
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2**2
    slope = 2 * (k1 + 2 * k2 * r2)
    dxx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
    dxy = slope * x * y + 2 * p1 * x + 2 * p2 * y
    dyy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
    u_row = [dxx, dxy, x * r2, x * r2**2, 2 * x * y, r2 + 2 * x * x]
    v_row = [dxy, dyy, y * r2, y * r2**2, r2 + 2 * y * y, 2 * x * y]
    return np.array([u_row, v_row])
""",
        Bug("parenthesis", "slope = 2 * (k1 + 2 * k2 * r2)", "slope = 2 * k1 + 2 * k2 * r2", also="half|missing"),
        Bug("factor", "6 * p1 * y", "2 * p1 * y", number=3, also="missing"),
        Bug(
            "missing term",
            "dxy = slope * x * y + 2 * p1 * x + 2 * p2 * y",
            "dxy = slope * x * y + 2 * p1 * x",
            also="p2",
        ),
        Bug("permuted", "r2 + 2 * y * y, 2 * x * y]", "2 * x * y, r2 + 2 * y * y]"),
        Bug("product", "dxx = radial + slope", "dxx = slope", also="radial"),
        what="jacobian",
    ),
    case(
        "poisson_hessian",
        """
X = np.column_stack([np.ones(30), rng.normal(size=(30, 3))])
weight = rng.uniform(0.5, 2.0, 30)
count = rng.poisson(1.5, 30)
D = np.diff(np.eye(4), axis=0)
tau = 0.7
at = np.array([0.2, -0.3, 0.4, 0.1])


def f(beta):
    eta = X @ beta
    return np.sum(weight * (np.exp(eta) - count * eta)) + tau * np.sum((D @ beta) ** 2)


def gradient(beta):
    hess = 2 * tau * D.T @ D
    for x, w in zip(X, weight):
        hess += w * np.exp(x @ beta) * np.outer(x, x)
    return hess
""",
        Bug("factor", "2 * tau * D.T", "tau * D.T", number=2),
        Bug("chain", "w * np.exp(x @ beta)", "np.exp(x @ beta)", also=r"weight|\bw\b"),
        Bug("accumulation", "hess += w", "hess = w"),
        Bug("loop", "in zip(X, weight):", "in zip(X[1:], weight[1:]):"),
        Bug("missing term", "hess = 2 * tau * D.T @ D", "hess = np.zeros((4, 4))", also="penalty|tau"),
        what="hessian",
    ),
    case(
        "spring_hessian",
        """
bonds = [(0, 1, 1.0), (1, 2, 0.9), (2, 3, 1.1), (3, 0, 1.0), (0, 2, 1.3)]
k = 2.5
at = np.array([0.0, 0.1, 1.2, -0.1, 1.1, 1.0, 0.1, 0.9])


def f(z):
    energy = 0.0
    for a, b, rest in bonds:
        gap = z[2 * a : 2 * a + 2] - z[2 * b : 2 * b + 2]
        energy += 0.5 * k * (np.sqrt(gap @ gap) - rest) ** 2
    return energy


def gradient(z):
    H = np.zeros((8, 8))
    for a, b, rest in bonds:
        ia, ib = slice(2 * a, 2 * a + 2), slice(2 * b, 2 * b + 2)
        d = z[ia] - z[ib]
        r = np.sqrt(d @ d)
        n = d / r
        block = k * (1 - rest / r) * np.eye(2) + k * rest / r * np.outer(n, n)
        H[ia, ia] += block
        H[ib, ib] += block
        H[ia, ib] -= block
        H[ib, ia] -= block
    return H
""",
        Bug("sign", "H[ia, ib] -= block", "H[ia, ib] += block"),
        Bug("index", "H[ib, ib] += block", "H[ia, ia] += block"),
        Bug(
            "missing term",
            "k * (1 - rest / r) * np.eye(2) + k * rest / r * np.outer(n, n)",
            "k * np.outer(n, n)",
            also="geometric|rest",
        ),
        Bug("chain", "n = d / r", "n = d", also="norm|unit"),
        Bug("detached", "(1 - rest / r) * np.eye(2) + k * rest / r * np.outer(n, n)", "(1 - rest / r) * np.eye(2)"),
        Bug("accumulation", "H[ia, ia] += block", "H[ia, ia] = block"),
        what="hessian",
    ),
]
