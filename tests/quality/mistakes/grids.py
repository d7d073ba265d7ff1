"""Images, graphs, meshes and chains: differences that are written back to where they were taken."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "optical_flow",
        """
Ix, Iy, It = rng.normal(size=(3, 5, 6))
lam = 0.7
at = rng.normal(size=60) / 3


def f(w):
    u, v = w.reshape(2, 5, 6)
    rough = 0.0
    for z in (u, v):
        rough = rough + np.sum(np.diff(z, axis=0) ** 2) + np.sum(np.diff(z, axis=1) ** 2)
    return 0.5 * np.sum((Ix * u + Iy * v + It) ** 2) + 0.5 * lam * rough


def laplace(z):
    out = np.zeros_like(z)
    dy, dx = np.diff(z, axis=0), np.diff(z, axis=1)
    out[1:] += dy
    out[:-1] -= dy
    out[:, 1:] += dx
    out[:, :-1] -= dx
    return out


def gradient(w):
    u, v = w.reshape(2, 5, 6)
    data = Ix * u + Iy * v + It
    gu = data * Ix + lam * laplace(u)
    gv = data * Iy + lam * laplace(v)
    return np.concatenate([gu.ravel(), gv.ravel()])
""",
        Bug("sign", "out[:-1] -= dy", "out[:-1] += dy"),
        Bug("variable", "lam * laplace(v)", "lam * laplace(u)", also="v"),
        Bug("accumulation", "out[:, :-1] -= dx", "out[:, :-1] = -dx"),
        Bug("missing term", "data = Ix * u + Iy * v + It", "data = Ix * u + Iy * v"),
        Bug("index", "out[1:] += dy", "out[:-1] += dy"),
        Bug("permuted", "[gu.ravel(), gv.ravel()]", "[gv.ravel(), gu.ravel()]"),
    ),
    case(
        "image_tv",
        """
noisy = rng.normal(size=(5, 7))
lam, eps = 0.4, 1e-3
at = rng.normal(size=35)


def f(x):
    u = x.reshape(5, 7)
    dx, dy = np.zeros((5, 7)), np.zeros((5, 7))
    dx[:, :-1] = u[:, 1:] - u[:, :-1]
    dy[:-1] = u[1:] - u[:-1]
    return 0.5 * np.sum((u - noisy) ** 2) + lam * np.sum(np.sqrt(dx**2 + dy**2 + eps))


def gradient(x):
    u = x.reshape(5, 7)
    dx, dy = np.zeros((5, 7)), np.zeros((5, 7))
    dx[:, :-1] = u[:, 1:] - u[:, :-1]
    dy[:-1] = u[1:] - u[:-1]
    norm = np.sqrt(dx**2 + dy**2 + eps)
    px, py = dx / norm, dy / norm
    div = px + py
    div[:, 1:] -= px[:, :-1]
    div[1:] -= py[:-1]
    return (u - noisy - lam * div).ravel()
""",
        Bug("index", "div[:, 1:] -= px[:, :-1]", "div[:, 1:] -= px[:, 1:]"),
        Bug("sign", "div[1:] -= py[:-1]", "div[1:] += py[:-1]"),
        Bug("missing term", "    div[1:] -= py[:-1]\n", ""),
        Bug("missing term", "norm = np.sqrt(dx**2 + dy**2 + eps)", "norm = np.sqrt(dx**2 + eps)"),
        Bug("chain", "norm = np.sqrt(dx**2 + dy**2 + eps)", "norm = dx**2 + dy**2 + eps", also="sqrt|exponent"),
        Bug("sign", "(u - noisy - lam * div)", "(u - noisy + lam * div)"),
    ),
    case(
        "deconvolution",
        """
k = np.array([0.1, 0.5, 0.3, 0.1])
y = rng.normal(size=23)
mu = 0.05
at = rng.normal(size=20)


def f(x):
    r = np.convolve(x, k) - y
    bend = x[2:] - 2 * x[1:-1] + x[:-2]
    return 0.5 * np.sum(r**2) + 0.5 * mu * np.sum(bend**2)


def gradient(x):
    r = np.convolve(x, k) - y
    g = np.convolve(r, k[::-1], mode="valid")
    bend = x[2:] - 2 * x[1:-1] + x[:-2]
    g[2:] += mu * bend
    g[1:-1] -= 2 * mu * bend
    g[:-2] += mu * bend
    return g
""",
        Bug("permuted", "np.convolve(r, k[::-1], mode", "np.convolve(r, k, mode", also="reverse|order"),
        Bug("factor", "g[1:-1] -= 2 * mu * bend", "g[1:-1] -= mu * bend", number=2),
        Bug("index", "g[2:] += mu * bend", "g[:-2] += mu * bend"),
        Bug("missing term", "r = np.convolve(x, k) - y\n    g =", "r = np.convolve(x, k)\n    g ="),
        Bug("sign", "g[:-2] += mu", "g[:-2] -= mu"),
    ),
    case(
        "label_propagation",
        """
W = np.exp(-rng.uniform(0, 3, (12, 12)))
W = np.triu(W, 1) + np.triu(W, 1).T
deg = W.sum(axis=1)
known = np.array([0, 3, 4, 9])
labels = np.array([1.0, -1.0, 1.0, -1.0])
mu = 0.8
at = rng.normal(size=12)


def f(x):
    z = x / np.sqrt(deg)
    smooth = 0.25 * np.sum(W * (z[:, None] - z[None, :]) ** 2)
    return np.sum(np.log(1 + np.exp(-labels * x[known]))) + mu * smooth


def gradient(x):
    z = x / np.sqrt(deg)
    g = mu * (deg * z - W @ z) / np.sqrt(deg)
    g[known] -= labels / (1 + np.exp(labels * x[known]))
    return g
""",
        Bug("chain", "(deg * z - W @ z) / np.sqrt(deg)", "(deg * z - W @ z)", also="divi|sqrt"),
        Bug("sign", "np.exp(labels * x[known])", "np.exp(-labels * x[known])"),
        Bug("sign", "g[known] -= labels", "g[known] += labels"),
        Bug("chain", "(deg * z - W @ z)", "(z - W @ z)", also="deg"),
        Bug("accumulation", "g[known] -= labels", "g[known] = -labels"),
    ),
    case(
        "truss",
        """
I, J = np.array([0, 1, 2, 0, 1, 3, 2]), np.array([1, 2, 3, 2, 3, 4, 4])
rest = rng.uniform(0.8, 1.4, 7)
EA, weight = 3.0, 0.2
at = rng.normal(size=10)


def f(x):
    pos = x.reshape(-1, 2)
    d = pos[I] - pos[J]
    length = np.sqrt(np.sum(d**2, axis=1))
    return 0.5 * EA * np.sum((length - rest) ** 2 / rest) + weight * np.sum(pos[:, 1])


def gradient(x):
    pos = x.reshape(-1, 2)
    d = pos[I] - pos[J]
    length = np.sqrt(np.sum(d**2, axis=1))
    tension = EA * (length - rest) / rest
    force = (tension / length)[:, None] * d
    g = np.zeros_like(pos)
    np.add.at(g, I, force)
    np.add.at(g, J, -force)
    g[:, 1] += weight
    return g.ravel()
""",
        Bug("sign", "np.add.at(g, J, -force)", "np.add.at(g, J, force)"),
        Bug("chain", "(tension / length)[:, None]", "tension[:, None]", also="divi|length"),
        Bug("index", "g[:, 1] += weight", "g[:, 0] += weight"),
        Bug("missing term", "    np.add.at(g, J, -force)\n", ""),
        Bug("exponent", "EA * (length - rest) / rest\n", "EA * (length - rest) / rest**2\n", also="factor|divi|times"),
        Bug("accumulation", "np.add.at(g, I, force)", "g[I] = force"),
    ),
    case(
        "bead_chain",
        """
kb, ka = 4.0, 1.5
at = np.cumsum(rng.normal(size=(6, 3)), axis=0).ravel()


def f(x):
    b = np.diff(x.reshape(-1, 3), axis=0)
    l = np.sqrt(np.sum(b**2, axis=1))
    u = b / l[:, None]
    return kb * np.sum((l - 1) ** 2) + ka * np.sum(1 - np.sum(u[1:] * u[:-1], axis=1))


def gradient(x):
    P = x.reshape(-1, 3)
    b = np.diff(P, axis=0)
    l = np.sqrt(np.sum(b**2, axis=1))
    u = b / l[:, None]
    c = np.sum(u[1:] * u[:-1], axis=1)[:, None]
    db = 2 * kb * (l - 1)[:, None] * u
    db[1:] -= ka * (u[:-1] - c * u[1:]) / l[1:, None]
    db[:-1] -= ka * (u[1:] - c * u[:-1]) / l[:-1, None]
    g = np.zeros_like(P)
    g[1:] += db
    g[:-1] -= db
    return g.ravel()
""",
        Bug("index", "/ l[1:, None]", "/ l[:-1, None]"),
        Bug("missing term", "ka * (u[1:] - c * u[:-1])", "ka * u[1:]"),
        Bug("factor", "db = 2 * kb", "db = kb", number=2),
        Bug("sign", "db[1:] -= ka", "db[1:] += ka"),
        Bug("accumulation", "g[:-1] -= db", "g[:-1] = -db"),
        Bug("index", "(u[:-1] - c * u[1:])", "(u[:-1] - c * u[:-1])"),
    ),
    case(
        "trajectory",
        """
center, width, height = np.array([0.5, 0.2]), 0.8, 1.7
dt = 0.3
at = rng.normal(size=16)


def f(x):
    P = x.reshape(-1, 2)
    acc = P[2:] - 2 * P[1:-1] + P[:-2]
    near = np.sum((P - center) ** 2, axis=1)
    return 0.5 * np.sum(acc**2) / dt**3 + height * np.sum(np.exp(-near / width**2))


def gradient(x):
    P = x.reshape(-1, 2)
    acc = P[2:] - 2 * P[1:-1] + P[:-2]
    g = np.zeros_like(P)
    g[2:] += acc
    g[1:-1] -= 2 * acc
    g[:-2] += acc
    g /= dt**3
    away = P - center
    bump = np.exp(-np.sum(away**2, axis=1) / width**2)
    g -= 2 * height * bump[:, None] * away / width**2
    return g.ravel()
""",
        Bug("factor", "g[1:-1] -= 2 * acc", "g[1:-1] -= acc", number=2),
        Bug("exponent", "away / width**2", "away / width", also="factor|divi|times|width"),
        Bug("accumulation", "g[:-2] += acc", "g[:-2] = acc"),
        Bug("exponent", "g /= dt**3", "g /= dt**2", also="factor|divi|times|dt"),
        Bug("index", "g[2:] += acc", "g[1:-1] += acc"),
        Bug("sign", "g -= 2 * height", "g += 2 * height"),
    ),
    case(
        "power_flow",
        """
G, B = rng.normal(size=(2, 5, 5))
P0 = rng.normal(size=5)
at = np.concatenate([0.3 * rng.normal(size=5), 1 + 0.1 * rng.normal(size=5)])


def f(x):
    th, V = x[:5], x[5:]
    D = th[:, None] - th[None, :]
    r = V * ((G * np.cos(D) + B * np.sin(D)) @ V) - P0
    return 0.5 * r @ r


def gradient(x):
    th, V = x[:5], x[5:]
    D = th[:, None] - th[None, :]
    C = G * np.cos(D) + B * np.sin(D)
    S = B * np.cos(D) - G * np.sin(D)
    r = V * (C @ V) - P0
    d_th = r * V * (S @ V) - V * (S.T @ (r * V))
    d_V = r * (C @ V) + C.T @ (r * V)
    return np.concatenate([d_th, d_V])
""",
        Bug("transposed", "(S.T @ (r * V))", "(S @ (r * V))"),
        Bug("product", "r * (C @ V) + C.T @ (r * V)", "r * (C @ V)"),
        Bug("sign", "np.cos(D) - G * np.sin(D)", "np.cos(D) + G * np.sin(D)"),
        Bug("chain", "- V * (S.T @ (r * V))", "- V * (S.T @ r)", also="V"),
        Bug("function", "S = B * np.cos(D) -", "S = B * np.sin(D) -", also="cos"),
    ),
]
