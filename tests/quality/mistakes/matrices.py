"""Functions of matrices."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "factorisation",
        """
R = rng.integers(1, 6, size=(25, 18)).astype(float)
known = rng.random((25, 18)) < 0.4
at = 0.5 * rng.normal(size=(25 + 18) * 3)


def f(p):
    U, V = p[:75].reshape(25, 3), p[75:].reshape(18, 3)
    E = np.where(known, U @ V.T - R, 0.0)
    return 0.5 * np.sum(E**2) + 0.05 * (np.sum(U**2) + np.sum(V**2))


def gradient(p):
    U, V = p[:75].reshape(25, 3), p[75:].reshape(18, 3)
    E = (U @ V.T - R) * known
    dU = E @ V + 0.1 * U
    dV = E.T @ U + 0.1 * V
    return np.concatenate([dU.ravel(), dV.ravel()])
""",
        Bug("chain", "E = (U @ V.T - R) * known", "E = U @ V.T - R", also="mask|known|where"),
        Bug("factor", "E.T @ U + 0.1 * V", "E.T @ U + 0.05 * V", number=2),
        Bug("missing term", "dU = E @ V + 0.1 * U", "dU = E @ V"),
        Bug("transposed", "[dU.ravel(), dV.ravel()]", "[dU.ravel(), dV.T.ravel()]"),
        Bug("sign", "dV = E.T @ U", "dV = -E.T @ U"),
    ),
    case(
        "pca",
        """
X = rng.normal(size=(200, 6)) * np.array([3.0, 2.0, 1.0, 0.5, 0.4, 0.3])
at = np.eye(6)[:, :2] + 0.1 * rng.normal(size=(6, 2))


def f(W):
    return np.sum((X - X @ W @ W.T) ** 2) / len(X)


def gradient(W):
    C = X.T @ X / len(X)
    CW = C @ W
    return -4 * CW + 2 * W @ (W.T @ CW) + 2 * CW @ (W.T @ W)
""",
        Bug("factor", "-4 * CW", "-2 * CW", number=2, also="product rule"),
        Bug("product", " + 2 * CW @ (W.T @ W)", "", also="term"),
        Bug("transposed", "C = X.T @ X / len(X)\n    CW", "C = np.triu(X.T @ X) / len(X)\n    CW", also="triang|half"),
        Bug("sign", "+ 2 * CW @", "- 2 * CW @"),
        Bug("mean", "C = X.T @ X / len(X)", "C = X.T @ X / (len(X) - 1)", number=200 / 199, also="n/\\(n"),
    ),
    case(
        "procrustes",
        """
A = rng.normal(size=(30, 3))
angle = 0.7
turned = A @ np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
at = np.array([0.2, -0.1, 0.4, 0.9])


def f(q):
    a, b, c, d = q[0], q[1], q[2], q[3]
    R = np.array(
        [
            [d * d + a * a - b * b - c * c, 2 * (a * b - c * d), 2 * (a * c + b * d)],
            [2 * (a * b + c * d), d * d - a * a + b * b - c * c, 2 * (b * c - a * d)],
            [2 * (a * c - b * d), 2 * (b * c + a * d), d * d - a * a - b * b + c * c],
        ]
    )
    return np.sum((A @ R - turned) ** 2)


def gradient(q):
    a, b, c, d = q
    rows = [[d * d + a * a - b * b - c * c, 2 * (a * b - c * d), 2 * (a * c + b * d)]]
    rows += [[2 * (a * b + c * d), d * d - a * a + b * b - c * c, 2 * (b * c - a * d)]]
    rows += [[2 * (a * c - b * d), 2 * (b * c + a * d), d * d - a * a - b * b + c * c]]
    G = 2 * A.T @ (A @ np.array(rows) - turned)
    Ra = 2 * np.array([[a, b, c], [b, -a, -d], [c, d, -a]])
    Rb = 2 * np.array([[-b, a, d], [a, b, c], [-d, c, -b]])
    Rc = 2 * np.array([[-c, -d, a], [d, -c, b], [a, b, c]])
    Rd = 2 * np.array([[d, -c, b], [c, d, -a], [-b, a, d]])
    return np.array([np.sum(G * D) for D in (Ra, Rb, Rc, Rd)])
""",
        Bug(
            "transposed",
            "G = 2 * A.T @ (A @ np.array(rows) - turned)",
            "G = (2 * A.T @ (A @ np.array(rows) - turned)).T",
        ),
        Bug("sign", "Rb = 2 * np.array([[-b, a, d]", "Rb = 2 * np.array([[b, a, d]"),
        Bug("factor", "G = 2 * A.T", "G = A.T", number=2),
        Bug("permuted", "for D in (Ra, Rb, Rc, Rd)", "for D in (Ra, Rc, Rb, Rd)"),
        Bug("variable", "[c, d, -a]])\n    Rb", "[c, d, -b]])\n    Rb", also="component x\\[0\\]"),
    ),
    case(
        "rayleigh",
        """
M = rng.normal(size=(60, 60))
M = M + M.T
B = np.diag(1.0 + np.arange(60.0) / 30)
at = rng.normal(size=60)


def f(x):
    return (x @ M @ x) / (x @ B @ x)


def gradient(x):
    Mx, Bx = M @ x, B @ x
    rho = (x @ Mx) / (x @ Bx)
    return 2 * (Mx - rho * Bx) / (x @ Bx)
""",
        Bug("quotient", "2 * (Mx - rho * Bx) / (x @ Bx)", "2 * Mx / (x @ Bx)", also="term"),
        Bug("factor", "2 * (Mx - rho * Bx)", "(Mx - rho * Bx)", number=2),
        Bug("sign", "(Mx - rho * Bx)", "(Mx + rho * Bx)"),
        Bug("exponent", "/ (x @ Bx)\n    return 2", "/ (x @ Bx) ** 2\n    return 2", also="factor|twice"),
        Bug("variable", "Mx - rho * Bx", "Mx - rho * x", also="B\\b|factor|chain"),
    ),
    case(
        "metric",
        """
pairs = rng.normal(size=(45, 5))
same = np.where(rng.random(45) < 0.5, 1.0, -1.0)
at = np.eye(5) + 0.1 * rng.normal(size=(5, 5))


def f(M):
    d = np.einsum("ni,ij,nj->n", pairs, M, pairs)
    return np.sum(np.log1p(np.exp(same * (d - 4.0)))) + 0.5 * np.sum((M - M.T) ** 2)


def gradient(M):
    d = np.einsum("ni,ij,nj->n", pairs, M, pairs)
    slope = same / (1 + np.exp(-same * (d - 4.0)))
    grad = np.einsum("n,ni,nj->ij", slope, pairs, pairs)
    return grad + 2 * (M - M.T)
""",
        Bug("transposed", "2 * (M - M.T)", "2 * (M.T - M)", also="sign"),
        Bug("factor", "+ 2 * (M - M.T)", "+ (M - M.T)", number=2, also="product rule|contribution|derivative of"),
        Bug("chain", "slope = same / (1", "slope = 1 / (1", also="same|sign"),
        Bug("constant", "(-same * (d - 4.0))", "(-same * (d - 3.0))", also="4|3|shift"),
        Bug("sign", "np.exp(-same * (d", "np.exp(same * (d", also="exp"),
    ),
    case(
        "cp_tensor",
        """
T = rng.normal(size=(5, 4, 3))
at = rng.normal(size=(5 + 4 + 3) * 2)


def split(p):
    return p[:10].reshape(5, 2), p[10:18].reshape(4, 2), p[18:].reshape(3, 2)


def f(p):
    A, B, C = split(p)
    return 0.5 * np.sum((np.einsum("ir,jr,kr->ijk", A, B, C) - T) ** 2)


def gradient(p):
    A, B, C = split(p)
    E = np.einsum("ir,jr,kr->ijk", A, B, C) - T
    dA = np.einsum("ijk,jr,kr->ir", E, B, C)
    dB = np.einsum("ijk,ir,kr->jr", E, A, C)
    dC = np.einsum("ijk,ir,jr->kr", E, A, B)
    return np.concatenate([dA.ravel(), dB.ravel(), dC.ravel()])
""",
        Bug(
            "mean",
            'E = np.einsum("ir,jr,kr->ijk", A, B, C) - T',
            'E = (np.einsum("ir,jr,kr->ijk", A, B, C) - T) / T.size',
            number=60,
        ),
        Bug(
            "chain",
            'dB = np.einsum("ijk,ir,kr->jr", E, A, C)',
            'dB = np.einsum("ijk,ir->jr", E, A)',
            also="kr|factor|C\\b",
        ),
        Bug("missing term", '"ir,jr,kr->ijk", A, B, C) - T\n    dA', '"ir,jr,kr->ijk", A, B, C)\n    dA'),
        Bug("transposed", "[dA.ravel(), dB.ravel(), dC.ravel()]", "[dA.ravel(), dB.T.ravel(), dC.ravel()]"),
    ),
    case(
        "sharpe",
        """
returns = 0.01 * rng.normal(size=(250, 8)) + 0.001
mean, cov = returns.mean(axis=0), np.cov(returns.T)
at = rng.normal(size=8)


def softmax(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()


def f(z):
    w = softmax(z)
    return -(w @ mean) / np.sqrt(w @ cov @ w) + 0.01 * np.sum(w * np.log(w))


def gradient(z):
    w = softmax(z)
    variance = w @ cov @ w
    risk = np.sqrt(variance)
    dw = -mean / risk + (w @ mean) * (cov @ w) / (variance * risk) + 0.01 * (np.log(w) + 1)
    return w * (dw - w @ dw)
""",
        Bug(
            "quotient",
            "(w @ mean) * (cov @ w) / (variance * risk)",
            "(w @ mean) * (cov @ w) / variance",
            also="factor|sqrt|exponent|divided by risk",
        ),
        Bug("product", "w * (dw - w @ dw)", "w * dw", also="sum|term"),
        Bug("chain", "return w * (dw - w @ dw)", "return dw - w @ dw", also="softmax|factor"),
        Bug("missing term", " + 0.01 * (np.log(w) + 1)", "", also="log"),
        Bug("sign", "dw = -mean / risk", "dw = mean / risk"),
    ),
    case(
        "transport",
        """
C = rng.random((30, 40))
a, b = np.full(30, 1 / 30), rng.dirichlet(np.full(40, 3.0))
eps = 0.1
at = 0.05 * rng.normal(size=70)


def f(p):
    u, v = p[:30], p[30:]
    return eps * np.sum(a[:, None] * b * np.exp((u[:, None] + v - C) / eps)) - a @ u - b @ v


def gradient(p):
    u, v = p[:30], p[30:]
    plan = a[:, None] * b[None, :] * np.exp((u[:, None] + v[None, :] - C) / eps)
    return np.concatenate([plan.sum(axis=1) - a, plan.sum(axis=0) - b])
""",
        Bug("factor", "plan = a[:, None] * b[None", "plan = eps * a[:, None] * b[None", number=0.1, also="factor eps"),
        Bug("missing term", "plan.sum(axis=0) - b", "plan.sum(axis=0)"),
        Bug("chain", "plan = a[:, None] * b[None, :] * np", "plan = a[:, None] * np", also="\\bb\\b|factor"),
        Bug("permuted", "[plan.sum(axis=1) - a, plan.sum(axis=0) - b]", "[plan.sum(axis=0) - b, plan.sum(axis=1) - a]"),
        Bug("sign", "- C) / eps)\n    return", "+ C) / eps)\n    return", also="exp"),
    ),
]
