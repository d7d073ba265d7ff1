"""Networks, likelihoods, mechanics and choices as people write them: kept aside until the rules had been measured."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "group_norm_glu",
        """
x0 = rng.normal(size=(6, 8))
goal = rng.normal(size=(6, 3))
GROUPS = 2
EPS = 1e-2
at = np.concatenate([1.5 + 0.4 * rng.normal(size=8), 1 + 0.3 * rng.normal(size=16), 0.6 * rng.normal(size=48)])


def forward(p):
    cache = {}
    cache["a"], cache["gamma"], cache["beta"] = p[:8], p[8:16], p[16:24]
    cache["W"] = p[24:].reshape(8, 6)
    z = (x0 * cache["a"]).reshape(6, GROUPS, 4)
    mu = z.mean(axis=2, keepdims=True)
    var = ((z - mu) ** 2).mean(axis=2, keepdims=True)
    cache["rstd"] = 1 / np.sqrt(var + EPS)
    cache["zhat"] = (z - mu) * cache["rstd"]
    cache["y"] = cache["gamma"] * cache["zhat"].reshape(6, 8) + cache["beta"]
    h = cache["y"] @ cache["W"]
    cache["value"] = h[:, :3]
    cache["gate"] = 1 / (1 + np.exp(-h[:, 3:]))
    cache["out"] = cache["value"] * cache["gate"]
    return 0.5 * np.sum((cache["out"] - goal) ** 2) / len(goal), cache


def f(p):
    return forward(p)[0]


def backward(c):
    grads = {}
    dout = (c["out"] - goal) / len(goal)
    dvalue = dout * c["gate"]
    dgate = dout * c["value"]
    dlogit = dgate * c["gate"] * (1 - c["gate"])
    dh = np.concatenate([dvalue, dlogit], axis=1)
    grads["W"] = c["y"].T @ dh
    dy = dh @ c["W"].T
    grads["gamma"] = np.sum(dy * c["zhat"].reshape(6, 8), axis=0)
    grads["beta"] = dy.sum(axis=0)
    dzhat = (dy * c["gamma"]).reshape(6, GROUPS, 4)
    m1 = dzhat.mean(axis=2, keepdims=True)
    m2 = (dzhat * c["zhat"]).mean(axis=2, keepdims=True)
    dz = c["rstd"] * (dzhat - m1 - c["zhat"] * m2)
    grads["a"] = np.sum(dz.reshape(6, 8) * x0, axis=0)
    return grads


def gradient(p):
    _, cache = forward(p)
    grads = backward(cache)
    return np.concatenate([grads[key].ravel() for key in ("a", "gamma", "beta", "W")])
""",
        Bug("chain", 'dlogit = dgate * c["gate"] * (1 - c["gate"])', 'dlogit = dgate * (1 - c["gate"])', also="gate"),
        Bug("detached", "(dzhat - m1 - c", "(dzhat - c", also="mean|m1"),
        Bug("variable", 'dvalue = dout * c["gate"]', 'dvalue = dout * c["value"]', also="gate"),
        Bug("chain", '(dy * c["gamma"]).reshape', "dy.reshape", also="gamma"),
        Bug("axis", 'm2 = (dzhat * c["zhat"]).mean(axis=2', 'm2 = (dzhat * c["zhat"]).mean(axis=1'),
        Bug("permuted", "[dvalue, dlogit]", "[dlogit, dvalue]"),
    ),
    case(
        "padded_attention",
        """
tokens = rng.normal(size=(3, 5, 4))
lengths = np.array([5, 3, 4])
mask = np.arange(5)[None, :] < lengths[:, None]
labels = np.array([1.0, 0.0, 1.0])
WEIGHT_DECAY = 0.05
at = 0.5 * rng.normal(size=39)


def unpack(p):
    Wq, Wk, Wv = p[:36].reshape(3, 4, 3)
    return Wq, Wk, Wv, p[36:]


def attend(Q, K):
    scores = np.einsum("bid,bjd->bij", Q, K) / np.sqrt(3)
    scores = np.where(mask[:, None, :], scores, -1e9)
    E = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def f(p):
    Wq, Wk, Wv, read = unpack(p)
    context = attend(tokens @ Wq, tokens @ Wk) @ (tokens @ Wv)
    pooled = np.sum(context * mask[:, :, None], axis=1) / lengths[:, None]
    logits = pooled @ read
    return np.mean(np.log1p(np.exp(logits)) - labels * logits) + 0.5 * WEIGHT_DECAY * p @ p


def gradient(p):
    Wq, Wk, Wv, read = unpack(p)
    Q, K, V = tokens @ Wq, tokens @ Wk, tokens @ Wv
    A = attend(Q, K)
    context = np.einsum("bij,bjd->bid", A, V)
    pooled = (context * mask[..., None]).sum(1) / lengths[:, None]
    s = pooled @ read
    ds = (1 / (1 + np.exp(-s)) - labels) / len(labels)
    d_read = pooled.T @ ds
    d_pooled = ds[:, None] * read[None, :]
    d_context = mask[:, :, None] * (d_pooled / lengths[:, None])[:, None, :]
    dV = np.einsum("bij,bid->bjd", A, d_context)
    dA = np.einsum("bid,bjd->bij", d_context, V)
    dS = A * (dA - (A * dA).sum(-1, keepdims=True)) / np.sqrt(3)
    dQ = np.einsum("bij,bjd->bid", dS, K)
    dK = np.einsum("bij,bid->bjd", dS, Q)
    dW = [np.einsum("bte,btd->ed", tokens, d) for d in (dQ, dK, dV)]
    return np.concatenate([d.ravel() for d in dW] + [d_read]) + WEIGHT_DECAY * p
""",
        Bug("transposed", 'np.einsum("bij,bid->bjd", A, d_context)', 'np.einsum("bij,bjd->bid", A, d_context)'),
        Bug("factor", "(-1, keepdims=True)) / np.sqrt(3)", "(-1, keepdims=True))", number=3**0.5, also="chain|sqrt"),
        Bug("detached", "A * (dA - (A * dA).sum(-1, keepdims=True))", "A * dA", also="softmax|sum"),
        Bug("mean", "(d_pooled / lengths[:, None])", "(d_pooled / 5)", also="lengths|instead"),
        Bug("variable", 'np.einsum("bij,bid->bjd", dS, Q)', 'np.einsum("bij,bid->bjd", dS, K)', also="\\bQ\\b"),
        Bug("missing term", " + [d_read]) + WEIGHT_DECAY * p", " + [d_read])", also="WEIGHT_DECAY|regularis"),
    ),
    case(
        "hmm_transitions",
        """
STATES, STEPS = 3, 25
path = np.cumsum(rng.random(STEPS) < 0.3) % STATES
observed = np.array([-1.5, 0.2, 1.9])[path] + 0.8 * rng.normal(size=STEPS)
start = np.array([0.5, 0.3, 0.2])
# logits of the rows of the transition matrix, means, logarithms of the deviations
at = np.concatenate([0.5 * rng.normal(size=9), [-1.2, 0.0, 1.5], [-0.3, 0.1, -0.1]])


def transition(logits):
    E = np.exp(logits - logits.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def log_emission(means, log_sd):
    z = (observed[:, None] - means) * np.exp(-log_sd)
    return -0.5 * z**2 - log_sd - 0.5 * np.log(2 * np.pi)


def f(p):
    A = transition(p[:9].reshape(3, 3))
    B = np.exp(log_emission(p[9:12], p[12:]))
    a = start * B[0]
    total = 0.0
    for t in range(1, STEPS):
        c = a.sum()
        total += np.log(c)
        a = (a / c) @ A * B[t]
    return -(total + np.log(a.sum()))


def gradient(p):
    A = transition(p[:9].reshape(3, 3))
    means, sd = p[9:12], np.exp(p[12:])
    B = np.exp(log_emission(means, p[12:]))
    alpha = np.zeros((STEPS, STATES))
    beta = np.ones((STEPS, STATES))
    scale = np.zeros(STEPS)
    for t in range(STEPS):
        prior = alpha[t - 1] @ A if t else start
        alpha[t] = prior * B[t]
        scale[t] = alpha[t].sum()
        alpha[t] /= scale[t]
    for t in range(STEPS - 2, -1, -1):
        beta[t] = A @ (B[t + 1] * beta[t + 1]) / scale[t + 1]
    gamma = alpha * beta
    counts = np.zeros((STATES, STATES))
    for t in range(STEPS - 1):
        counts += alpha[t][:, None] * A * (B[t + 1] * beta[t + 1])[None, :] / scale[t + 1]
    d_logits = counts - counts.sum(axis=1, keepdims=True) * A
    residual = observed[:, None] - means
    d_means = (gamma * residual).sum(axis=0) / sd**2
    d_log_sd = np.sum(gamma * ((residual / sd) ** 2 - 1), axis=0)
    return -np.concatenate([d_logits.ravel(), d_means, d_log_sd])
""",
        Bug("loop", "for t in range(STEPS - 1):", "for t in range(STEPS - 2):"),
        Bug("accumulation", "counts += alpha", "counts = alpha", also="loop"),
        Bug("transposed", "beta[t] = A @ (B", "beta[t] = A.T @ (B"),
        Bug("exponent", "/ sd**2\n", "/ sd\n", also="sd"),
        Bug("missing term", "((residual / sd) ** 2 - 1)", "((residual / sd) ** 2)", also="constant|\\b1\\b|log_sd"),
        Bug("variable", "d_means = (gamma * residual)", "d_means = (alpha * residual)", also="gamma|beta"),
    ),
    case(
        "gp_probit",
        """
from scipy.special import log_ndtr


class ProbitProcess:
    JITTER = 1e-2

    def __init__(self, x, y):
        self.x, self.y = x, y
        self.sq = (x[:, None] - x[None, :]) ** 2

    def kernel(self, theta):
        return np.exp(2 * theta[1] - 0.5 * self.sq * np.exp(-2 * theta[0]))

    def objective(self, theta, latent):
        C = self.kernel(theta) + self.JITTER * np.eye(len(self.x))
        fit = np.sum(log_ndtr(self.y * latent))
        prior = -0.5 * latent @ np.linalg.solve(C, latent) - 0.5 * np.linalg.slogdet(C)[1]
        hyper = -0.5 * (theta[0] - 0.2) ** 2 / 0.5**2 - 0.5 * theta[1] ** 2
        return -(fit + prior + hyper)

    def mills(self, latent):
        log_pdf = -0.5 * latent**2 - 0.5 * np.log(2 * np.pi)
        return self.y * np.exp(log_pdf - log_ndtr(self.y * latent))

    def slope(self, theta, latent):
        K = self.kernel(theta)
        inverse = np.linalg.inv(K + self.JITTER * np.eye(len(self.x)))
        alpha = inverse @ latent
        d_latent = self.mills(latent) - alpha
        d_length = K * self.sq * np.exp(-2 * theta[0])
        d_amplitude = 2 * K
        d_theta = np.empty(2)
        for i, dK in enumerate((d_length, d_amplitude)):
            d_theta[i] = 0.5 * alpha @ dK @ alpha - 0.5 * np.sum(inverse * dK)
        d_theta[0] -= (theta[0] - 0.2) / 0.5**2
        d_theta[1] -= theta[1]
        return -np.concatenate([d_theta, d_latent])


x = np.sort(rng.uniform(-3, 3, 16))
y = np.where(np.sin(x) + 0.3 * rng.normal(size=16) > 0, 1.0, -1.0)
model = ProbitProcess(x, y)
at = np.concatenate([[0.1, -0.2], 0.7 * y + 0.2 * rng.normal(size=16)])


def f(p):
    return model.objective(p[:2], p[2:])


def gradient(p):
    return model.slope(p[:2], p[2:])
""",
        Bug("chain", "return self.y * np.exp(log_pdf", "return np.exp(log_pdf", also="\\by\\b|sign"),
        Bug("factor", "d_amplitude = 2 * K", "d_amplitude = K", number=2),
        Bug("sign", "@ alpha - 0.5 * np.sum(inverse", "@ alpha + 0.5 * np.sum(inverse", also="trace"),
        Bug(
            "exponent",
            "(theta[0] - 0.2) / 0.5**2\n        d_theta",
            "(theta[0] - 0.2) / 0.5\n        d_theta",
            also="factor",
        ),
        Bug("chain", "d_length = K * self.sq * np.exp(-2 * theta[0])", "d_length = K * self.sq", also="exp|theta"),
        Bug(
            "missing term", "d_latent = self.mills(latent) - alpha", "d_latent = self.mills(latent)", also="alpha|prior"
        ),
    ),
    case(
        "marker_poses",
        """
FRAMES = 4
DELTA = 0.05
SMOOTH = 0.8
body = rng.normal(size=(7, 3))
seen = rng.random((FRAMES, 7)) < 0.8
markers = body + 0.3 * np.arange(FRAMES)[:, None, None] + 0.1 * rng.normal(size=(FRAMES, 7, 3))
at = 0.3 * rng.normal(size=(FRAMES, 6))


def about_x(a):
    return np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])


def about_y(a):
    return np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])


def about_z(a):
    return np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])


def d_about_x(a):
    return np.array([[0, 0, 0], [0, -np.sin(a), -np.cos(a)], [0, np.cos(a), -np.sin(a)]])


def d_about_y(a):
    return np.array([[-np.sin(a), 0, np.cos(a)], [0, 0, 0], [-np.cos(a), 0, -np.sin(a)]])


def d_about_z(a):
    return np.array([[-np.sin(a), -np.cos(a), 0], [np.cos(a), -np.sin(a), 0], [0, 0, 0]])


def f(poses):
    cost = 0.0
    for pose, target, visible in zip(poses, markers, seen):
        R = about_z(pose[2]) @ about_y(pose[1]) @ about_x(pose[0])
        e = body[visible] @ R.T + pose[3:] - target[visible]
        cost += np.sum(np.sqrt(np.sum(e**2, axis=1) + DELTA**2))
    accel = poses[2:] - 2 * poses[1:-1] + poses[:-2]
    return cost + 0.5 * SMOOTH * np.sum(accel**2)


def gradient(poses):
    G = np.zeros_like(poses)
    for k, (roll, pitch, yaw, *shift) in enumerate(poses):
        Rx, Ry, Rz = about_x(roll), about_y(pitch), about_z(yaw)
        points = body[seen[k]]
        e = points @ (Rz @ Ry @ Rx).T + shift - markers[k][seen[k]]
        w = e / np.sqrt((e**2).sum(axis=1, keepdims=True) + DELTA**2)
        dR = w.T @ points
        G[k, 0] = np.sum(dR * (Rz @ Ry @ d_about_x(roll)))
        G[k, 1] = np.sum(dR * (Rz @ d_about_y(pitch) @ Rx))
        G[k, 2] = np.sum(dR * (d_about_z(yaw) @ Ry @ Rx))
        G[k, 3:] = w.sum(axis=0)
    accel = SMOOTH * np.diff(poses, 2, axis=0)
    G[2:] += accel
    G[1:-1] -= 2 * accel
    G[:-2] += accel
    return G
""",
        Bug("sign", "[-np.cos(a), 0, -np.sin(a)]])", "[np.cos(a), 0, -np.sin(a)]])", also="cos"),
        Bug("transposed", "dR = w.T @ points", "dR = points.T @ w"),
        Bug(
            "variable",
            "[0, 0, 0], [0, -np.sin(a), -np.cos(a)]",
            "[1, 0, 0], [0, -np.sin(a), -np.cos(a)]",
            also="\\b1\\b|extra",
        ),
        Bug("factor", "G[1:-1] -= 2 * accel", "G[1:-1] -= accel", number=2),
        Bug("permuted", "(Rz @ d_about_y(pitch) @ Rx)", "(Rx @ d_about_y(pitch) @ Rz)"),
        Bug(
            "exponent",
            "keepdims=True) + DELTA**2)\n        dR",
            "keepdims=True) + DELTA)\n        dR",
            also="guard|DELTA",
        ),
        Bug("accumulation", "G[:-2] += accel", "G[:-2] = accel"),
    ),
    case(
        "conductivity_adjoint",
        """
N, DT, STEPS = 10, 0.02, 12
DX = 1.0 / N
xs = (np.arange(N) + 0.5) * DX
source = 5 * np.exp(-30 * (xs - 0.4) ** 2)
sensors = np.array([1, 4, 8])
every = 3
data = 0.2 * rng.normal(size=(STEPS // every, 3)) + 0.3
TIKHONOV = 0.02
at = 0.4 * rng.normal(size=N + 1)


def system(logk):
    # fixed temperature 0 at both ends, one conductivity per face
    k = np.exp(logk) / DX**2
    return np.eye(N) + DT * (np.diag(k[:-1] + k[1:]) - np.diag(k[1:-1], 1) - np.diag(k[1:-1], -1))


def simulate(logk):
    M = system(logk)
    u = [np.zeros(N)]
    for _ in range(STEPS):
        u.append(np.linalg.solve(M, u[-1] + DT * source))
    return np.array(u)


def f(logk):
    u = simulate(logk)
    misfit = u[every::every][:, sensors] - data
    return 0.5 * np.sum(misfit**2) + 0.5 * TIKHONOV * np.sum(np.diff(logk) ** 2)


def gradient(logk):
    u = simulate(logk)
    M = system(logk)
    misfit = u[every::every][:, sensors] - data
    lam = np.zeros(N)
    g = np.zeros(N + 1)
    for n in range(STEPS, 0, -1):
        rhs = lam.copy()
        if n % every == 0:
            rhs[sensors] += misfit[n // every - 1]
        lam = np.linalg.solve(M.T, rhs)
        jump_u = np.diff(np.concatenate([[0.0], u[n], [0.0]]))
        jump_lam = np.diff(np.concatenate([[0.0], lam, [0.0]]))
        g -= DT * jump_u * jump_lam / DX**2
    g *= np.exp(logk)
    slope = np.diff(logk)
    g[1:] += TIKHONOV * slope
    g[:-1] -= TIKHONOV * slope
    return g
""",
        Bug("index", "[[0.0], u[n], [0.0]]", "[[0.0], u[n - 1], [0.0]]", also="stale|previous|step"),
        Bug("accumulation", "rhs[sensors] += misfit", "rhs[sensors] = misfit", also="lam"),
        Bug("chain", "    g *= np.exp(logk)\n", "", also="exp"),
        Bug("sign", "g[:-1] -= TIKHONOV", "g[:-1] += TIKHONOV"),
        Bug("loop", "for n in range(STEPS, 0, -1)", "for n in range(STEPS, 1, -1)"),
        Bug("exponent", "jump_lam / DX**2", "jump_lam / DX", also="factor|DX", number=10),
    ),
    case(
        "ewald_ions",
        """
from itertools import product

from scipy.special import erfc

L = 4.0
ETA = 0.9
charges = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
sites = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=float)
kvec = 2 * np.pi / L * np.array([m for m in product(range(-2, 3), repeat=3) if any(m)])
k2 = np.sum(kvec**2, axis=1)
weights = 2 * np.pi / L**3 * np.exp(-k2 / (4 * ETA**2)) / k2
at = (1.3 * sites + 0.1 * rng.normal(size=(6, 3))).ravel()


def nearest_image(d):
    return d - L * np.round(d / L)


def f(flat):
    pos = flat.reshape(-1, 3)
    short = 0.0
    for i in range(len(pos)):
        for j in range(i):
            r = np.sqrt(np.sum(nearest_image(pos[i] - pos[j]) ** 2))
            short += charges[i] * charges[j] * erfc(ETA * r) / r
    phase = pos @ kvec.T
    C, S = charges @ np.cos(phase), charges @ np.sin(phase)
    return short + np.sum(weights * (C**2 + S**2)) - ETA / np.sqrt(np.pi) * np.sum(charges**2)


def d_screened(r):
    # derivative of erfc(ETA r) / r
    gauss = 2 * ETA / np.sqrt(np.pi) * np.exp(-((ETA * r) ** 2))
    return -gauss / r - erfc(ETA * r) / r**2


def gradient(flat):
    pos = flat.reshape(-1, 3)
    force = np.zeros_like(pos)
    for i in range(1, len(pos)):
        for j in range(i):
            d = nearest_image(pos[i] - pos[j])
            r = np.linalg.norm(d)
            push = charges[i] * charges[j] * d_screened(r) * d / r
            force[i] -= push
            force[j] += push
    phase = pos @ kvec.T
    cos, sin = np.cos(phase), np.sin(phase)
    C, S = charges @ cos, charges @ sin
    swing = S * cos - C * sin
    force -= 2 * charges[:, None] * ((weights * swing) @ kvec)
    return -force.ravel()
""",
        Bug("quotient", "return -gauss / r - erfc(ETA * r) / r**2", "return -gauss / r", also="erfc"),
        Bug("factor", "force -= 2 * charges", "force -= charges", number=2),
        Bug("sign", "force[j] += push", "force[j] -= push", also="push|third"),
        Bug("sign", "swing = S * cos - C * sin", "swing = S * cos + C * sin"),
        Bug("chain", "d_screened(r) * d / r\n", "d_screened(r) * d\n", also="\\br\\b|norm"),
        Bug("chain", "gauss = 2 * ETA / np.sqrt(np.pi)", "gauss = 2 / np.sqrt(np.pi)", also="ETA", number=0.9),
    ),
    case(
        "sir_reports",
        """
PEOPLE = 1000.0
DAYS, SUB = 30, 4
H = 1.0 / SUB
reported = rng.poisson(3 + 14 * np.exp(-0.02 * (np.arange(DAYS) - 18.0) ** 2)).astype(float)
# logarithms of contact rate, recovery rate and first infected, logit of the reported share
at = np.array([-0.6, -1.4, 1.5, -0.9])
prior_mean = np.array([-0.7, -1.5, 1.0, -0.5])
prior_sd = np.array([0.5, 0.3, 1.0, 0.8])


def f(p):
    beta, recovery, infected = np.exp(p[:3])
    share = 1 / (1 + np.exp(-p[3]))
    S, I = PEOPLE - infected, infected
    nll = 0.5 * np.sum(((p - prior_mean) / prior_sd) ** 2)
    for day in range(DAYS):
        cases = 0.0
        for _ in range(SUB):
            new = H * beta * S * I / PEOPLE
            S, I = S - new, I + new - H * recovery * I
            cases += new
        rate = share * cases + 0.5
        nll += rate - reported[day] * np.log(rate)
    return nll


def gradient(p):
    beta, recovery, infected = np.exp(p[:3])
    share = 1 / (1 + np.exp(-p[3]))
    S, I = PEOPLE - infected, infected
    # one column per parameter
    dS, dI = np.zeros(4), np.zeros(4)
    dI[2] = infected
    dS[2] = -infected
    g = (p - prior_mean) / prior_sd**2
    for day in range(DAYS):
        cases, dcases = 0.0, np.zeros(4)
        for _ in range(SUB):
            new = H * beta * S * I / PEOPLE
            dnew = H * beta * (dS * I + S * dI) / PEOPLE
            dnew[0] += new
            healed = H * recovery * I
            dhealed = H * recovery * dI
            dhealed[1] += healed
            S, I = S - new, I + new - healed
            dS, dI = dS - dnew, dI + dnew - dhealed
            cases += new
            dcases += dnew
        rate = share * cases + 0.5
        drate = share * dcases
        drate[3] += share * (1 - share) * cases
        g += (1 - reported[day] / rate) * drate
    return g
""",
        Bug("product", "(dS * I + S * dI) / PEOPLE", "(S * dI) / PEOPLE", also="dS"),
        Bug("missing term", "\n    dS[2] = -infected", "", also="dS|infected"),
        Bug("accumulation", "dcases += dnew", "dcases = dnew"),
        Bug("square", "(p - prior_mean) / prior_sd**2", "(p - prior_mean) / prior_sd", also="prior_sd"),
        Bug("chain", "+= share * (1 - share) * cases", "+= share * cases", also="1 -"),
        Bug("index", "dhealed[1] += healed", "dhealed[0] += healed"),
    ),
    case(
        "affine_registration",
        """
grid = np.stack(np.meshgrid(np.linspace(-1, 1, 15), np.linspace(-1, 1, 15), indexing="ij"), axis=-1).reshape(-1, 2)
centres = rng.uniform(-0.7, 0.7, size=(6, 2))
heights = rng.uniform(0.5, 1.5, size=6)
WIDTH = 0.35
STIFF = 0.1
at = np.array([1.08, 0.12, -0.09, 0.95, 0.07, -0.11])


class Image:
    def __init__(self, middle, height):
        self.middle, self.height = middle, height

    def __call__(self, points):
        d2 = ((points[:, None] - self.middle) ** 2).sum(-1)
        return np.exp(-d2 / (2 * WIDTH**2)) @ self.height

    def slopes(self, points):
        d = points[:, None, :] - self.middle[None, :, :]
        blobs = self.height * np.exp(-(d**2).sum(-1) / (2 * WIDTH**2))
        return -(blobs[..., None] * d).sum(axis=1) / WIDTH**2


moving = Image(centres, heights)
fixed = Image(centres * 0.97 + 0.05, heights)(grid) + 0.05 * rng.normal(size=225)


def f(p):
    A, t = p[:4].reshape(2, 2), p[4:]
    warped = moving(grid @ A.T + t)
    a, b = warped - warped.mean(), fixed - fixed.mean()
    ncc = a @ b / np.sqrt((a @ a) * (b @ b))
    return 1 - ncc + STIFF * np.sum((A - np.eye(2)) ** 2)


def gradient(p):
    A, t = p[:4].reshape(2, 2), p[4:]
    points = grid @ A.T + t
    warped = moving(points)
    a = warped - np.mean(warped)
    b = fixed - np.mean(fixed)
    aa, bb, ab = a @ a, b @ b, a @ b
    norm = np.sqrt(aa * bb)
    d_warped = -(b / norm - ab / norm * a / aa)
    d_points = d_warped[:, None] * moving.slopes(points)
    d_A = d_points.T @ grid + 2 * STIFF * (A - np.eye(2))
    d_t = d_points.sum(axis=0)
    return np.r_[d_A.ravel(), d_t]
""",
        Bug("quotient", "-(b / norm - ab / norm * a / aa)", "-(b / norm)", also="norm|\\ba\\b"),
        Bug("variable", "norm * a / aa)", "norm * a / bb)", also="\\baa\\b"),
        Bug("exponent", "sum(axis=1) / WIDTH**2", "sum(axis=1) / WIDTH", also="factor|WIDTH"),
        Bug("transposed", "d_A.ravel(), d_t]", "d_A.T.ravel(), d_t]"),
        Bug("constant", "+ 2 * STIFF * (A - np.eye(2))", "+ 2 * STIFF * A", also="eye|term"),
        Bug("mean", "d_t = d_points.sum(axis=0)", "d_t = d_points.mean(axis=0)", number=225),
    ),
    case(
        "panel_mixed_logit",
        """
PEOPLE, TASKS, OPTIONS, DRAWS = 18, 4, 3, 12
attributes = rng.normal(size=(PEOPLE, TASKS, OPTIONS, 3))
chosen = rng.integers(0, OPTIONS, size=(PEOPLE, TASKS))
draws = rng.normal(size=(PEOPLE, DRAWS, 3))
# means, logarithms of the diagonal and the part below it of the Cholesky factor of the tastes
at = np.array([0.6, -0.8, 0.3, -0.2, 0.1, -0.4, 0.25, -0.3, 0.4])
DIAGONAL = np.arange(3)
BELOW = np.tril_indices(3, -1)
who = np.arange(PEOPLE)[:, None]
when = np.arange(TASKS)[None, :]


def factor_of(p):
    C = np.zeros((3, 3))
    C[DIAGONAL, DIAGONAL] = np.exp(p[3:6])
    C[BELOW] = p[6:]
    return C


def choice_probabilities(p):
    tastes = p[:3] + draws @ factor_of(p).T
    V = np.einsum("ntjk,nrk->nrtj", attributes, tastes)
    E = np.exp(V - V.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def f(p):
    P = choice_probabilities(p)
    picked = np.take_along_axis(P, chosen[:, None, :, None], axis=-1)[..., 0]
    return -np.sum(np.log(np.mean(np.prod(picked, axis=2), axis=1)))


def gradient(p):
    P = choice_probabilities(p)
    log_picked = np.log(P[who[..., None], np.arange(DRAWS)[None, :, None], when[None], chosen[:, None, :]])
    sequence = np.exp(log_picked.sum(axis=-1))
    posterior = sequence / sequence.sum(axis=1, keepdims=True)
    average = np.einsum("nrtj,ntjk->nrtk", P, attributes)
    picked_attributes = attributes[who, when, chosen]
    score = (picked_attributes[:, None] - average).sum(axis=2)
    weighted = posterior[..., None] * score
    d_mean = weighted.sum(axis=(0, 1))
    d_C = np.einsum("nrk,nrl->kl", weighted, draws)
    d_log_diagonal = d_C[DIAGONAL, DIAGONAL] * np.exp(p[3:6])
    return -np.concatenate([d_mean, d_log_diagonal, d_C[BELOW]])
""",
        Bug(
            "mean",
            "posterior = sequence / sequence.sum(axis=1",
            "posterior = sequence / sequence.mean(axis=1",
            number=12,
        ),
        Bug("axis", "sequence / sequence.sum(axis=1", "sequence / sequence.sum(axis=0", also="people"),
        Bug("chain", "d_C[DIAGONAL, DIAGONAL] * np.exp(p[3:6])", "d_C[DIAGONAL, DIAGONAL]", also="exp"),
        Bug("transposed", "d_log_diagonal, d_C[BELOW]]", "d_log_diagonal, d_C.T[BELOW]]"),
        Bug("detached", "posterior[..., None] * score", "score / DRAWS", also="posterior|weight"),
        Bug("index", "attributes[who, when, chosen]", "attributes[who, when, chosen - 1]", also="chosen"),
    ),
    case(
        "hinged_arm_jacobian",
        """
# a, alpha, d, offset of each joint; the first three turn, the last one slides
TABLE = np.array([[0.1, np.pi / 2, 0.4, 0.0], [0.7, 0.2, 0.0, 0.3], [0.5, -np.pi / 2, 0.1, -0.2], [0.0, 0.4, 0.2, 0.5]])
TURNS = np.array([True, True, True, False])
tips = np.array([[0.0, 0.0, 0.1], [0.05, -0.04, 0.15]])
at = np.array([0.3, -0.5, 0.8, 0.25])


def link(q, row, turns):
    a, alpha, d, offset = row
    theta = offset + q if turns else offset
    if not turns:
        d = d + q
    ct, st, ca, sa = np.cos(theta), np.sin(theta), np.cos(alpha), np.sin(alpha)
    return np.array([[ct, -st * ca, st * sa, a * ct], [st, ct * ca, -ct * sa, a * st], [0, sa, ca, d], [0, 0, 0, 1]])


def chain(q):
    frames = [np.eye(4)]
    for angle, row, turns in zip(q, TABLE, TURNS):
        frames.append(frames[-1] @ link(angle, row, turns))
    return frames


def f(q):
    T = chain(q)[-1]
    return np.concatenate([T[:3, :3] @ tip + T[:3, 3] for tip in tips] + [T[:3, 2]])


def gradient(q):
    frames = chain(q)
    T = frames[-1]
    points = tips @ T[:3, :3].T + T[:3, 3]
    J = np.zeros((9, 4))
    for i, turns in enumerate(TURNS):
        axis, origin = frames[i][:3, 2], frames[i][:3, 3]
        if turns:
            for m, point in enumerate(points):
                J[3 * m : 3 * m + 3, i] = np.cross(axis, point - origin)
            J[6:, i] = np.cross(axis, T[:3, 2])
        else:
            J[:6, i] = np.tile(axis, len(points))
    return J
""",
        Bug("index", "frames[i][:3, 2], frames", "frames[i + 1][:3, 2], frames", also="frame|stale"),
        Bug("sign", "np.cross(axis, point - origin)", "np.cross(point - origin, axis)", also="swap|order"),
        Bug("missing term", "point - origin)", "point)", also="origin"),
        Bug("transposed", "tips @ T[:3, :3].T", "tips @ T[:3, :3]"),
        Bug("index", "np.cross(axis, T[:3, 2])", "np.cross(axis, T[:3, 0])", also="column"),
        Bug("missing term", "J[:6, i] = np.tile(axis, len(points))", "J[:3, i] = axis", also="row|zero"),
        what="jacobian",
    ),
    case(
        "overdispersed_hessian",
        """
from scipy.special import digamma, gammaln, polygamma

visits = 40
X = np.column_stack([np.ones(visits), rng.normal(size=(visits, 3))])
exposure = rng.uniform(0.5, 2.0, visits)
y = rng.poisson(exposure * np.exp(X @ [0.8, 0.3, -0.4, 0.2]) * rng.gamma(2.0, 0.5, visits)).astype(float)
RIDGE = 0.3
# coefficients and the logarithm of the size
at = np.array([0.7, 0.2, -0.3, 0.1, 0.5])


def f(p):
    mu = exposure * np.exp(X @ p[:-1])
    size = np.exp(p[-1])
    ll = gammaln(y + size) - gammaln(size) - gammaln(y + 1)
    ll += size * np.log(size / (size + mu)) + y * np.log(mu / (size + mu))
    return -np.sum(ll) + 0.5 * RIDGE * np.sum(p[1:-1] ** 2)


def size_slope(size, mu):
    ratio = (y + size) / (size + mu)
    return np.sum(digamma(y + size) - digamma(size) + np.log(size / (size + mu)) + 1 - ratio)


def size_curvature(size, mu):
    trigammas = polygamma(1, y + size) - polygamma(1, size)
    return np.sum(trigammas + 1 / size - 1 / (size + mu) - (mu - y) / (size + mu) ** 2)


def gradient(p):
    mu = exposure * np.exp(X @ p[:-1])
    size = np.exp(p[-1])
    total = size + mu
    H = np.empty((5, 5))
    w = size * mu * (y + size) / total**2
    H[:4, :4] = (X * w[:, None]).T @ X
    cross = -size * mu * (y - mu) / total**2
    H[:4, 4] = H[4, :4] = X.T @ cross
    H[4, 4] = -(size**2 * size_curvature(size, mu) + size * size_slope(size, mu))
    penalised = np.arange(1, 4)
    H[penalised, penalised] += RIDGE
    return H
""",
        Bug("variable", "w = size * mu * (y + size)", "w = size * mu * (mu + size)", also="\\by\\b|expected"),
        Bug("chain", "cross = -size * mu", "cross = -mu", also="size"),
        Bug("chain", " + size * size_slope(size, mu))", ")", also="missing|size_slope|product rule|second derivative"),
        Bug("exponent", "(mu - y) / (size + mu) ** 2)", "(mu - y) / (size + mu))", also="factor|size"),
        Bug("index", "penalised = np.arange(1, 4)", "penalised = np.arange(4)", also="extra|intercept|RIDGE"),
        Bug("sign", "+ 1 / size - 1 / (size + mu)", "- 1 / size - 1 / (size + mu)"),
        what="hessian",
    ),
]
