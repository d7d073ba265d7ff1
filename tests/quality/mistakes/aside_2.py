"""Physics, chemistry, and statistics, kept aside until the rules had been measured on them."""

from __future__ import annotations

import math

from .case import Bug, case

CASES = [
    case(
        "dipoles",
        """
FIELD = 0.4
grid = np.array([[i + 0.3 * j, 1.1 * j] for i in range(3) for j in range(2)])
at = np.column_stack([grid + 0.1 * rng.normal(size=(6, 2)), rng.uniform(-3, 3, 6)]).ravel()


def f(p):
    xy, phi = p.reshape(-1, 3)[:, :2], p.reshape(-1, 3)[:, 2]
    m = np.column_stack([np.cos(phi), np.sin(phi)])
    energy = -FIELD * np.sum(np.cos(phi))
    for i in range(len(m)):
        for j in range(i):
            r = np.linalg.norm(xy[i] - xy[j])
            n = (xy[i] - xy[j]) / r
            energy += (m[i] @ m[j] - 3 * (m[i] @ n) * (m[j] @ n)) / r**3
    return energy


def gradient(p):
    xy, phi = p.reshape(-1, 3)[:, :2], p.reshape(-1, 3)[:, 2]
    m = np.column_stack([np.cos(phi), np.sin(phi)])
    tangent = np.column_stack([-np.sin(phi), np.cos(phi)])
    g_xy = np.zeros_like(xy)
    g_phi = FIELD * np.sin(phi)
    for i in range(len(m)):
        for j in range(i + 1, len(m)):
            d = xy[i] - xy[j]
            r = np.sqrt(d @ d)
            a, b = m[i] @ d, m[j] @ d
            pull = -3 * (m[i] @ m[j]) * d / r**5
            pull -= 3 * (b * m[i] + a * m[j]) / r**5
            pull += 15 * a * b * d / r**7
            g_xy[i] += pull
            g_xy[j] -= pull
            g_phi[i] += (m[j] / r**3 - 3 * b * d / r**5) @ tangent[i]
            g_phi[j] += (m[i] / r**3 - 3 * a * d / r**5) @ tangent[j]
    return np.column_stack([g_xy, g_phi]).ravel()
""",
        Bug("exponent", "15 * a * b * d / r**7", "15 * a * b * d / r**5"),
        Bug("sign", "g_xy[j] -= pull", "g_xy[j] += pull"),
        Bug("product", "(b * m[i] + a * m[j])", "(b * m[i])"),
        Bug("permuted", "[-np.sin(phi), np.cos(phi)]", "[np.cos(phi), -np.sin(phi)]"),
        Bug("variable", "3 * a * d / r**5) @ tangent[j]", "3 * b * d / r**5) @ tangent[j]"),
        Bug("accumulation", "pull += 15 * a", "pull = 15 * a"),
    ),
    case(
        "reaction_diffusion",
        """
N, STEPS, DX, DT, ALPHA = 32, 15, 0.25, 0.01, 0.05
grid = DX * np.arange(N)
data = 0.5 + 0.4 * np.sin(grid) + 0.05 * rng.normal(size=N)
observed = np.arange(N) % 3 != 1
at = np.concatenate([0.4 + 0.2 * np.cos(grid), [np.log(0.8), 1.5]])


def laplacian(u):
    return (np.roll(u, 1) - 2 * u + np.roll(u, -1)) / DX**2


def simulate(u, D, r):
    states = [u]
    for _ in range(STEPS):
        u = u + DT * (D * laplacian(u) + r * u * (1 - u))
        states.append(u)
    return states


def f(p):
    final = simulate(p[:N], np.exp(p[N]), p[N + 1])[-1]
    return 0.5 * np.sum((final - data)[observed] ** 2) + 0.5 * ALPHA * np.sum(np.diff(p[:N]) ** 2)


def gradient(p):
    u0, D, r = p[:N], np.exp(p[N]), p[N + 1]
    states = simulate(u0, D, r)
    lam = np.where(observed, states[-1] - data, 0.0)
    dD = dr = 0.0
    for u in reversed(states[:-1]):
        dD += DT * lam @ laplacian(u)
        dr += DT * lam @ (u * (1 - u))
        lam = lam + DT * (D * laplacian(lam) + r * (1 - 2 * u) * lam)
    jumps = np.diff(u0)
    lam[1:] += ALPHA * jumps
    lam[:-1] -= ALPHA * jumps
    return np.concatenate([lam, [D * dD, dr]])
""",
        Bug("product", "r * (1 - 2 * u) * lam", "r * (1 - u) * lam", also="2|twice"),
        Bug("stale", "reversed(states[:-1])", "reversed(states[1:])", also="state|index|shift"),
        Bug("chain", "[D * dD, dr]", "[dD, dr]", also="log|\\bD\\b"),
        Bug("sign", "lam[:-1] -= ALPHA", "lam[:-1] += ALPHA"),
        Bug("extra term", "np.where(observed, states[-1] - data, 0.0)", "states[-1] - data", also="observed|mask"),
        Bug("factor", "dr += DT * lam", "dr += lam", number=0.01, also="DT|chain"),
    ),
    case(
        "bar_inversion",
        """
n = 12
h = rng.uniform(0.5, 1.5, n) / n
load = np.ones(n) / n
sensors = np.array([3, 6, 9, 12])
measured = np.array([0.15, 0.3, 0.35, 0.45])
SIGMA, TAU, PRIOR = 0.05, 0.7, 0.2
at = 0.3 * rng.normal(size=n)


def assemble(k):
    K = np.zeros((n + 1, n + 1))
    for e in range(n):
        K[e : e + 2, e : e + 2] += k[e] / h[e] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return K[1:, 1:]  # clamped at the left


def f(theta):
    u = np.linalg.solve(assemble(np.exp(theta)), load)
    return 0.5 * np.sum((u[sensors - 1] - measured) ** 2) / SIGMA**2 + 0.5 * np.sum((theta - PRIOR) ** 2) / TAU**2


def gradient(theta):
    k = np.exp(theta)
    K = assemble(k)
    u = np.append(0.0, np.linalg.solve(K, load))
    rhs = np.zeros(n + 1)
    rhs[sensors] = (u[sensors] - measured) / SIGMA**2
    adjoint = np.append(0.0, np.linalg.solve(K, -rhs[1:]))
    g = np.empty(n)
    for e in range(n):
        g[e] = (adjoint[e + 1] - adjoint[e]) * (u[e + 1] - u[e]) / h[e]
    g *= k
    g += (theta - PRIOR) / TAU**2
    return g
""",
        Bug("sign", "np.linalg.solve(K, -rhs[1:])", "np.linalg.solve(K, rhs[1:])"),
        Bug("chain", "\n    g *= k", "", also="exp|\\bk\\b"),
        Bug("exponent", "- measured) / SIGMA**2\n    adjoint", "- measured) / SIGMA\n    adjoint", also="SIGMA"),
        Bug("index", "(u[e + 1] - u[e]) /", "(u[e] - u[e - 1]) /", place="(u[e] - u[e - 1])"),
        Bug("missing term", "g += (theta - PRIOR) /", "g += theta /", also="PRIOR"),
        Bug("index", "rhs[sensors] =", "rhs[sensors - 1] ="),
    ),
    case(
        "pseudolikelihood",
        """
SPINS = 6
S = rng.choice([-1.0, 1.0], size=(50, SPINS))
upper = np.triu_indices(SPINS, 1)
PAIRS = len(upper[0])
LAMBDA = 0.1
at = 0.4 * rng.normal(size=PAIRS + SPINS)


def couplings(theta):
    J = np.zeros((SPINS, SPINS))
    J[upper] = theta[:PAIRS]
    return J + J.T


def f(theta):
    J, bias = couplings(theta), theta[PAIRS:]
    total = 0.5 * LAMBDA * np.sum(theta[:PAIRS] ** 2)
    for s in S:
        total += np.sum(np.log1p(np.exp(-2 * s * (J @ s + bias)))) / len(S)
    return total


def gradient(theta):
    J, bias = couplings(theta), theta[PAIRS:]
    local = S @ J + bias
    r = -2 * S / (1 + np.exp(2 * S * local)) / len(S)
    G = r.T @ S
    G = G + G.T
    return np.concatenate([G[upper] + LAMBDA * theta[:PAIRS], r.sum(axis=0)])
""",
        Bug("missing term", "\n    G = G + G.T", "", also="transpos|symmetr"),
        Bug("constant", "np.exp(2 * S * local)", "np.exp(S * local)", number=2),
        Bug("mean", "r.sum(axis=0)", "r.mean(axis=0)", number=50),
        Bug("variable", "LAMBDA * theta[:PAIRS]", "LAMBDA * theta[-PAIRS:]", also="index|slice|shift"),
        Bug("permuted", "G[upper] +", "G[np.tril_indices(SPINS, -1)] +"),
        Bug("factor", "r = -2 * S", "r = -S", number=2),
    ),
    case(
        "tobit",
        """
from scipy.special import log_ndtr

LIMIT = 0.0
n = 80
X = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
y = np.maximum(LIMIT, X @ np.array([0.3, 1.0, -0.5, 0.2]) + rng.normal(size=n))
at = np.array([0.1, 0.7, -0.2, 0.3, 0.25])


def f(theta):
    sigma = np.exp(theta[-1])
    z = (y - X @ theta[:-1]) / sigma
    free = y > LIMIT
    return np.sum(0.5 * z[free] ** 2 + theta[-1]) - np.sum(log_ndtr(z[~free]))


def gradient(theta):
    beta, sigma = theta[:-1], np.exp(theta[-1])
    z = (y - X @ beta) / sigma
    censored = y <= LIMIT
    d_mu, d_scale = np.empty(n), np.empty(n)
    d_mu[~censored] = -z[~censored] / sigma
    d_scale[~censored] = 1 - z[~censored] ** 2
    a = z[censored]
    mills = np.exp(-0.5 * a**2 - log_ndtr(a)) / np.sqrt(2 * np.pi)
    d_mu[censored] = mills / sigma
    d_scale[censored] = mills * a
    return np.append(d_mu @ X, np.sum(d_scale))
""",
        Bug("function", "censored = y <= LIMIT", "censored = y < LIMIT", also="mask|side|branch|<|censored|LIMIT"),
        Bug("square", "1 - z[~censored] ** 2", "1 - z[~censored]"),
        Bug("factor", "log_ndtr(a)) / np.sqrt(2 * np.pi)", "log_ndtr(a))", number=math.sqrt(2 * math.pi), also="pi"),
        Bug("sign", "= mills / sigma", "= -mills / sigma"),
        Bug("chain", "= mills * a", "= mills * a / sigma", also="sigma"),
        Bug("missing term", "= 1 - z[~censored] ** 2", "= -(z[~censored] ** 2)", also="\\b1\\b|constant", place="-"),
    ),
    case(
        "accelerated_failure",
        """
n, p = 70, 4
X = np.column_stack([np.ones(n), rng.normal(size=(n, p - 1))])
log_t = X @ np.array([1.0, 0.4, -0.3, 0.0]) + 0.5 * rng.logistic(size=n)
event = (rng.random(n) < 0.7).astype(float)
weights = rng.uniform(0.5, 1.5, n)
RIDGE = 0.8
at = np.array([0.8, 0.2, -0.1, 0.3, -0.4])


def f(theta):
    beta, log_sigma = theta[:-1], theta[-1]
    z = (log_t - X @ beta) * np.exp(-log_sigma)
    loglik = event * (z - log_sigma) - (1 + event) * np.log1p(np.exp(z))
    return -weights @ loglik + 0.5 * RIDGE * np.sum(beta[1:] ** 2)


def gradient(theta):
    beta, sigma = theta[:-1], np.exp(theta[-1])
    z = (log_t - X @ beta) / sigma
    score = weights * ((1 + event) / (1 + np.exp(-z)) - event)
    g_beta = -X.T @ score / sigma
    g_beta[1:] += RIDGE * beta[1:]
    g_scale = np.sum(weights * event - score * z)
    return np.append(g_beta, g_scale)
""",
        Bug("missing term", "(1 + event) /", "1 /", also="event|factor", place="1"),
        Bug("extra term", "g_beta[1:] += RIDGE * beta[1:]", "g_beta += RIDGE * beta", also="intercept|index"),
        Bug("missing term", "np.sum(weights * event - score", "np.sum(event - score", also="weights"),
        Bug("chain", "-X.T @ score / sigma", "-X.T @ score", also="sigma"),
        Bug(
            "parenthesis",
            "weights * ((1 + event) / (1 + np.exp(-z)) - event)",
            "weights * (1 + event) / (1 + np.exp(-z)) - event",
            also="weights",
        ),
        Bug("chain", "event - score * z)", "event - score)", also="\\bz\\b"),
    ),
    case(
        "clayton_copula",
        """
x = rng.exponential(0.8, size=60)
y = 0.6 * x + rng.exponential(0.5, size=60)
at = np.log([1.1, 1.3, 0.7])


def f(p):
    first, second, theta = np.exp(p)
    u, v = 1 - np.exp(-first * x), 1 - np.exp(-second * y)
    S = u**-theta + v**-theta - 1
    log_copula = np.log(1 + theta) - (1 + theta) * np.log(u * v) - (2 + 1 / theta) * np.log(S)
    return -np.sum(log_copula + np.log(first * second) - first * x - second * y)


def gradient(p):
    first, second, theta = np.exp(p)
    tail_u, tail_v = np.exp(-first * x), np.exp(-second * y)
    u, v = 1 - tail_u, 1 - tail_v
    S = u**-theta + v**-theta - 1
    power = 2 + 1 / theta
    d_u = -(1 + theta) / u + power * theta * u ** (-theta - 1) / S
    d_v = -(1 + theta) / v + power * theta * v ** (-theta - 1) / S
    d_first = np.sum(d_u * x * tail_u + 1 / first - x)
    d_second = np.sum(d_v * y * tail_v + 1 / second - y)
    d_theta = 1 / (1 + theta) - np.log(u) - np.log(v) + np.log(S) / theta**2
    d_theta += power * (u**-theta * np.log(u) + v**-theta * np.log(v)) / S
    return -np.array([first * d_first, second * d_second, theta * np.sum(d_theta)])
""",
        Bug("product", "np.log(v) + np.log(S) / theta**2", "np.log(v)", also="theta"),
        Bug("exponent", "np.log(S) / theta**2", "np.log(S) / theta"),
        Bug("chain", "theta * np.sum(d_theta)", "np.sum(d_theta)", also="log|exp"),
        Bug("exponent", "theta * u ** (-theta - 1)", "theta * u ** (-theta)"),
        Bug("chain", "np.sum(d_u * x * tail_u", "np.sum(d_u * tail_u", also="\\bx\\b"),
        Bug("ascent", "return -np.array(", "return np.array("),
    ),
    case(
        "factor_analysis",
        """
VARIABLES, FACTORS = 6, 2
samples = rng.normal(size=(40, FACTORS)) @ rng.normal(size=(FACTORS, VARIABLES)) + rng.normal(size=(40, VARIABLES))
S = np.cov(samples.T)
at = np.concatenate([0.7 * rng.normal(size=VARIABLES * FACTORS), 0.2 * rng.normal(size=VARIABLES)])


def f(p):
    L = p[: VARIABLES * FACTORS].reshape(VARIABLES, FACTORS)
    cov = L @ L.T + np.diag(np.exp(p[VARIABLES * FACTORS :]))
    return 0.5 * (np.linalg.slogdet(cov)[1] + np.trace(np.linalg.solve(cov, S)))


def gradient(p):
    L = p[: VARIABLES * FACTORS].reshape(VARIABLES, FACTORS)
    psi = np.exp(p[VARIABLES * FACTORS :])
    inverse = np.linalg.inv(L @ L.T + np.diag(psi))
    G = 0.5 * (inverse - inverse @ S @ inverse)
    dL = 2 * G @ L
    dpsi = np.diag(G) * psi
    return np.concatenate([dL.ravel(), dpsi])
""",
        Bug("factor", "dL = 2 * G", "dL = G", number=2),
        Bug("chain", "np.diag(G) * psi", "np.diag(G)", also="psi|exp|log"),
        Bug("missing term", "(inverse - inverse @ S @ inverse)", "inverse", also="\\bS\\b"),
        Bug("missing term", "inverse @ S @ inverse)", "inverse @ S)", also="inverse|factor|chain"),
        Bug("axis", "np.diag(G) * psi", "G.sum(axis=0) * psi", also="diag|sum"),
        Bug("transposed", "[dL.ravel(), dpsi]", "[dL.T.ravel(), dpsi]"),
    ),
    case(
        "gp_matern",
        """
n = 25
X = rng.uniform(-2, 2, size=(n, 2))
y = np.sin(X[:, 0]) + 0.3 * X[:, 1] + 0.01 * rng.normal(size=n)
ROOT5 = np.sqrt(5.0)
at = np.array([0.2, 0.6, -0.1, -4.2])


def kernel(theta):
    distances = np.zeros((n, n))
    for d in range(2):
        distances += np.subtract.outer(X[:, d], X[:, d]) ** 2 / np.exp(2 * theta[d])
    r = np.sqrt(distances)
    return r, np.exp(2 * theta[2]) * (1 + ROOT5 * r + 5 / 3 * r**2) * np.exp(-ROOT5 * r)


def f(theta):
    K = kernel(theta)[1] + np.exp(2 * theta[3]) * np.eye(n)
    chol = np.linalg.cholesky(K)
    white = np.linalg.solve(chol, y)
    return 0.5 * white @ white + np.sum(np.log(np.diag(chol)))


def gradient(theta):
    ell, amplitude, noise = np.exp(theta[:2]), np.exp(theta[2]), np.exp(theta[3])
    r, signal = kernel(theta)
    K = signal + noise**2 * np.eye(n)
    K_inv = np.linalg.inv(K)
    alpha = K_inv @ y
    dK = 0.5 * (K_inv - np.outer(alpha, alpha))
    common = amplitude**2 * 5 / 3 * (1 + ROOT5 * r) * np.exp(-ROOT5 * r)
    grad = np.zeros(4)
    for d in range(2):
        gap = (X[:, None, d] - X[None, :, d]) / ell[d]
        grad[d] = np.sum(dK * common * gap**2)
    grad[2] = 2 * np.sum(dK * signal)
    grad[3] = 2 * noise**2 * np.trace(dK)
    return grad
""",
        Bug("constant", "amplitude**2 * 5 / 3 * (1", "amplitude**2 * 5 * (1", number=3),
        Bug("missing term", "5 / 3 * (1 + ROOT5 * r) * np.exp", "5 / 3 * np.exp", also="ROOT5|chain|factor"),
        Bug("square", "2 * noise**2 * np.trace", "2 * noise * np.trace"),
        Bug("missing term", "0.5 * (K_inv - np.outer(alpha, alpha))", "0.5 * K_inv", also="alpha"),
        Bug("variable", "2 * np.sum(dK * signal)", "2 * np.sum(dK * K)"),
        Bug("float32", "np.linalg.inv(K)", "np.linalg.inv(K.astype(np.float32))"),
    ),
    case(
        "filter_sensitivities",
        """
series = np.cumsum(0.4 * rng.normal(size=40)) * 0.5 + 0.3 * rng.normal(size=40)
at = np.array([1.1, -0.9, -1.4])


def f(p):
    phi, q, r = np.tanh(p[0]), np.exp(p[1]), np.exp(p[2])
    m, P, nll = 0.0, q / (1 - phi**2), 0.0
    for y in series:
        S = P + r
        nll += 0.5 * (np.log(S) + (y - m) ** 2 / S)
        gain = P / S
        m, P = phi * (m + gain * (y - m)), phi**2 * (1 - gain) * P + q
    return nll


def gradient(p):
    phi, q, r = np.tanh(p[0]), np.exp(p[1]), np.exp(p[2])
    dphi, dq, dr = np.diag([1 - phi**2, q, r])
    m, P = 0.0, q / (1 - phi**2)
    dm = np.zeros(3)
    dP = (dq + 2 * phi * P * dphi) / (1 - phi**2)
    grad = np.zeros(3)
    for y in series:
        v, dv = y - m, -dm
        S, dS = P + r, dP + dr
        grad += 0.5 * dS / S + v * dv / S - 0.5 * v**2 * dS / S**2
        K = P / S
        dK = (dP - K * dS) / S
        m_post = m + K * v
        P_post = (1 - K) * P
        dm_post = dm + dK * v + K * dv
        dP_post = (1 - K) * dP - dK * P
        m, dm = phi * m_post, phi * dm_post + m_post * dphi
        P, dP = phi**2 * P_post + q, phi**2 * dP_post + 2 * phi * P_post * dphi + dq
    return grad
""",
        Bug("quotient", "dK = (dP - K * dS) / S", "dK = dP / S"),
        Bug("quotient", "v * dv / S - 0.5 * v**2 * dS / S**2", "v * dv / S", also="dS"),
        Bug("product", "dm + dK * v + K * dv", "dm + K * dv"),
        Bug("stale", "phi * dm_post + m_post * dphi", "phi * dm_post + m * dphi", also="m_post"),
        Bug("factor", "2 * phi * P_post * dphi", "phi * P_post * dphi", number=2),
        Bug(
            "detached",
            "dP = (dq + 2 * phi * P * dphi) / (1 - phi**2)",
            "dP = np.zeros(3)",
            also="initial|zero",
            place="np.zeros(3)",
        ),
        Bug("square", "np.diag([1 - phi**2, q", "np.diag([1 - phi, q", also="tanh"),
    ),
    case(
        "enzyme_progress",
        """
STEPS, EVERY, DT, NOISE = 40, 5, 0.1, 0.05
data = 2.0 * np.exp(-0.35 * np.arange(1, 9) * EVERY * DT) + NOISE * rng.normal(size=8)
at = np.log([1.2, 0.7, 1.9])


def f(p):
    vmax, km, s = np.exp(p)
    loss = 0.0
    for k in range(STEPS):
        s = s - DT * vmax * s / (km + s)
        if (k + 1) % EVERY == 0:
            loss += 0.5 * ((s - data[k // EVERY]) / NOISE) ** 2
    return loss


def gradient(p):
    vmax, km, s = np.exp(p)
    sens = np.array([0.0, 0.0, s])
    grad = np.zeros(3)
    for k in range(STEPS):
        pool = km + s
        rate = vmax * s / pool
        rate_s = vmax * km / pool**2
        rate_p = np.array([rate, -km * rate / pool, 0.0])
        sens = sens - DT * (rate_p + rate_s * sens)
        s = s - DT * rate
        if (k + 1) % EVERY == 0:
            grad += (s - data[k // EVERY]) / NOISE**2 * sens
    return grad
""",
        Bug("quotient", "rate_s = vmax * km / pool**2", "rate_s = vmax / pool"),
        Bug("square", "/ NOISE**2 * sens", "/ NOISE * sens", also="NOISE"),
        Bug("chain", "-km * rate / pool, 0.0]", "-rate / pool, 0.0]", also="km|log|exp"),
        Bug("missing term", "DT * (rate_p + rate_s * sens)", "DT * rate_p", also="sens|rate_s"),
        Bug("index", "(s - data[k // EVERY]) / NOISE**2", "(s - data[k // EVERY - 1]) / NOISE**2", also="data"),
        Bug("chain", "np.array([0.0, 0.0, s])", "np.array([0.0, 0.0, 1.0])", also="\\bs\\b|log|exp"),
    ),
    case(
        "reactor_jacobian",
        """
FLOW, COOLING = 0.4, 0.6
A1, A2, E1, E2 = 3.0e3, 5.0e4, 24.0, 35.0
HEAT1, HEAT2 = 1.5, 0.8
at = np.array([0.7, 0.4, 3.1])


def rates(T):
    return A1 * np.exp(-E1 / T), A2 * np.exp(-E2 / T)


def f(x):
    a, b, T = x
    k1, k2 = rates(T)
    return np.array(
        [
            FLOW * (1 - a) - k1 * a,
            -FLOW * b + k1 * a - k2 * b**2,
            FLOW * (2.9 - T) - COOLING * (T - 2.8) + HEAT1 * k1 * a + HEAT2 * k2 * b**2,
        ]
    )


def gradient(x):
    a, b, T = x
    k1, k2 = rates(T)
    dk1 = k1 * E1 / T**2
    dk2 = k2 * E2 / T**2
    J = np.zeros((3, 3))
    J[0, 0] = -FLOW - k1
    J[0, 2] = -dk1 * a
    J[1, 0] = k1
    J[1, 1] = -FLOW - 2 * k2 * b
    J[1, 2] = dk1 * a - dk2 * b**2
    J[2, 0] = HEAT1 * k1
    J[2, 1] = 2 * HEAT2 * k2 * b
    J[2, 2] = -FLOW - COOLING + HEAT1 * dk1 * a + HEAT2 * dk2 * b**2
    return J
""",
        Bug("exponent", "dk2 = k2 * E2 / T**2", "dk2 = k2 * E2 / T"),
        Bug("sign", "J[0, 2] = -dk1 * a", "J[0, 2] = dk1 * a"),
        Bug("missing term", "J[2, 2] = -FLOW - COOLING + HEAT1", "J[2, 2] = -FLOW + HEAT1", also="COOLING"),
        Bug("transposed", "return J\n", "return J.T\n"),
        Bug("factor", "J[2, 1] = 2 * HEAT2", "J[2, 1] = HEAT2", number=2),
        Bug("variable", "dk1 = k1 * E1 / T**2", "dk1 = k1 * E2 / T**2", also="E1"),
        what="jacobian",
    ),
    case(
        "buckingham_hessian",
        """
A, RHO, C, TRAP = 50.0, 0.4, 2.0, 0.3
at = np.array([[0, 0, 0], [1.3, 0.1, 0], [0.2, 1.4, 0.3], [0.9, 0.8, 1.2]]).ravel() + 0.05 * rng.normal(size=12)


def f(x):
    atoms = x.reshape(-1, 3)
    energy = 0.5 * TRAP * np.sum(atoms**2)
    for i in range(len(atoms)):
        for j in range(i):
            r = np.sqrt(np.sum((atoms[i] - atoms[j]) ** 2))
            energy += A * np.exp(-r / RHO) - C / r**6
    return energy


def gradient(x):
    atoms = x.reshape(-1, 3)
    n = len(atoms)
    H = np.zeros((n, 3, n, 3))
    for i in range(n):
        for j in range(i + 1, n):
            d = atoms[i] - atoms[j]
            r = np.linalg.norm(d)
            along = np.outer(d, d) / r**2
            slope = -A / RHO * np.exp(-r / RHO) + 6 * C / r**7
            curvature = A / RHO**2 * np.exp(-r / RHO) - 42 * C / r**8
            block = curvature * along + slope / r * (np.eye(3) - along)
            H[i, :, i, :] += block
            H[j, :, j, :] += block
            H[i, :, j, :] -= block
            H[j, :, i, :] -= block
    return H.reshape(3 * n, 3 * n) + TRAP * np.eye(3 * n)
""",
        Bug("missing term", "curvature * along + slope / r * (np.eye(3) - along)", "curvature * along", also="slope"),
        Bug("exponent", "42 * C / r**8", "42 * C / r**7"),
        Bug("square", "A / RHO**2 * np.exp", "A / RHO * np.exp"),
        Bug("accumulation", "H[j, :, j, :] += block", "H[j, :, j, :] = block"),
        Bug("missing term", "\n            H[j, :, i, :] -= block", "", also="symmetr"),
        Bug("factor", "+ TRAP * np.eye(3 * n)", "+ 0.5 * TRAP * np.eye(3 * n)", number=2),
        what="hessian",
    ),
]
