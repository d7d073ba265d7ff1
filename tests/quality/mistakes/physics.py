"""Energies, forces and discretised equations."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "lennard_jones",
        """
grid = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)], dtype=float)
at = (1.15 * grid + 0.05 * rng.normal(size=grid.shape)).ravel()


def f(x):
    p = x.reshape(-1, 3)
    energy = 0.0
    for i in range(len(p)):
        for j in range(i):
            r2 = np.sum((p[i] - p[j]) ** 2)
            s6 = 1 / r2**3
            energy = energy + 4 * (s6 * s6 - s6)
    return energy


def gradient(x):
    p = x.reshape(-1, 3)
    grad = np.zeros((len(p), 3))
    for i in range(len(p)):
        for j in range(i):
            d = p[i] - p[j]
            inv = 1 / (d @ d)
            s6 = inv**3
            pull = 24 * inv * (s6 - 2 * s6**2) * d
            grad[i] += pull
            grad[j] -= pull
    return grad.ravel()
""",
        Bug("factor", "24 * inv * (s6 - 2 * s6**2)", "24 * inv * (s6 - s6**2)", number=2),
        Bug("sign", "grad[j] -= pull", "grad[j] += pull"),
        Bug("exponent", "s6 = inv**3", "s6 = inv**6", also="factor"),
        Bug("missing term", "grad[i] += pull\n            grad[j] -= pull", "grad[i] += pull"),
        Bug("exponent", "24 * inv * (s6", "24 * np.sqrt(inv) * (s6", also="factor|distance|sqrt"),
        Bug("loop", "for j in range(i):\n            d =", "for j in range(1, i):\n            d ="),
    ),
    case(
        "springs",
        """
edges = np.array([(i, i + 1) for i in range(29)] + [(i, i + 5) for i in range(0, 25, 5)])
rest = np.ones(len(edges))
stiffness = rng.uniform(1.0, 3.0, len(edges))
at = np.column_stack([np.arange(30.0), np.sin(np.arange(30.0))]).ravel()


def f(x):
    p = x.reshape(-1, 2)
    d = p[edges[:, 1]] - p[edges[:, 0]]
    length = np.sqrt(np.sum(d**2, axis=1))
    return 0.5 * np.sum(stiffness * (length - rest) ** 2)


def gradient(x):
    p = x.reshape(-1, 2)
    force = np.zeros_like(p)
    for (i, j), k, l0 in zip(edges, stiffness, rest):
        d = p[j] - p[i]
        length = np.sqrt(d @ d)
        tension = k * (length - l0) * d / length
        force[j] += tension
        force[i] -= tension
    return force.ravel()
""",
        Bug("chain", "(length - l0) * d / length", "(length - l0) * d", also="length|sqrt"),
        Bug("accumulation", "force[j] += tension", "force[j] = tension", also="factor"),
        Bug("constant", "k * (length - l0)", "2.0 * (length - l0)", also="stiffness|chain|instead"),
        Bug("ascent", "return force.ravel()", "return -force.ravel()"),
        Bug(
            "parenthesis", "k * (length - l0) * d / length", "(k * length - l0) * d / length", also="\\bk\\b|stiffness"
        ),
    ),
    case(
        "ising",
        """
J = rng.normal(size=(40, 40)) / 6
J = (J + J.T) / 2
field = 0.3 * rng.normal(size=40)
T = 1.7
at = np.tanh(rng.normal(size=40))


def f(m):
    entropy = -np.sum((1 + m) / 2 * np.log((1 + m) / 2) + (1 - m) / 2 * np.log((1 - m) / 2))
    return -0.5 * m @ J @ m - field @ m - T * entropy


def gradient(m):
    return -(J @ m) - field + T * np.arctanh(m)
""",
        Bug("factor", "-(J @ m)", "-0.5 * (J @ m)", number=2, also="product rule"),
        Bug("missing term", " - field + T", " + T"),
        Bug("chain", "T * np.arctanh(m)", "np.arctanh(m)", number=1.7),
        Bug("function", "np.arctanh(m)", "np.arctan(m)", also="arctanh|log"),
        Bug("sign", "-(J @ m) - field", "-(J @ m) + field"),
    ),
    case(
        "gravity",
        """
mass = rng.uniform(0.5, 2.0, 15)
soft = 0.1
at = rng.normal(size=(15, 3))


def f(p):
    d = p[:, None, :] - p[None, :, :]
    r = np.sqrt(np.sum(d**2, axis=2) + soft**2)
    pairs = mass[:, None] * mass[None, :] / r
    return -0.5 * (np.sum(pairs) - np.sum(mass**2) / soft)


def gradient(p):
    d = p[:, None, :] - p[None, :, :]
    r2 = np.sum(d**2, axis=2) + soft**2
    w = mass[:, None] * mass[None, :] * r2**-1.5
    return np.sum(w[:, :, None] * d, axis=1)
""",
        Bug("exponent", "r2**-1.5", "r2**-1.0", also="factor|sqrt|r2"),
        Bug("axis", "np.sum(w[:, :, None] * d, axis=1)", "np.sum(w[:, :, None] * d, axis=0)", also="sign"),
        Bug("factor", "w = mass[:, None] * mass", "w = 0.5 * mass[:, None] * mass", number=2),
        Bug("chain", "mass[:, None] * mass[None, :] * r2", "mass[None, :] * r2", also="mass"),
        Bug(
            "guard",
            "r2 = np.sum(d**2, axis=2) + soft**2",
            "r2 = np.sum(d**2, axis=2) + soft",
            also="square|exponent|soft is 10 times",
        ),
    ),
    case(
        "coulomb",
        """
charge = np.where(np.arange(10) % 2 == 0, 1.0, -0.7)
at = 2 * rng.normal(size=(10, 2))


def f(p):
    trap = 0.5 * np.sum(p**2)
    total = 0.0
    for i in range(10):
        gap = p[:i] - p[i]
        total = total + charge[i] * np.sum(charge[:i] / np.sqrt(np.sum(gap**2, axis=1)))
    return trap + total


def gradient(p):
    grad = p.copy()
    for i in range(10):
        for j in range(10):
            if i == j:
                continue
            gap = p[i] - p[j]
            grad[i] -= charge[i] * charge[j] * gap / (gap @ gap) ** 1.5
    return grad
""",
        Bug("missing term", "grad = p.copy()", "grad = np.zeros_like(p)"),
        Bug("sign", "gap = p[i] - p[j]\n", "gap = p[j] - p[i]\n"),
        Bug("exponent", "(gap @ gap) ** 1.5", "(gap @ gap)", also="sqrt|factor"),
        Bug("loop", "for j in range(10):\n            if", "for j in range(i):\n            if"),
        Bug("chain", "charge[i] * charge[j] * gap", "charge[j] * gap", also="charge"),
    ),
    case(
        "beam",
        """
n = 100_000
load = np.sin(np.linspace(0.0, 3.0, n))
h = 0.01
at = np.cos(np.linspace(0.0, 9.0, n))


def f(u):
    bend = u[2:] - 2 * u[1:-1] + u[:-2]
    return 0.5 * np.sum(bend**2) / h**3 - h * np.sum(load * u)


def gradient(u):
    bend = (u[2:] - 2 * u[1:-1] + u[:-2]) / h**3
    grad = -h * load
    grad[2:] += bend
    grad[1:-1] -= 2 * bend
    grad[:-2] += bend
    return grad
""",
        Bug("factor", "grad[1:-1] -= 2 * bend", "grad[1:-1] -= bend", number=2),
        Bug("index", "grad[2:] += bend", "grad[1:-1] += bend"),
        Bug("exponent", "+ u[:-2]) / h**3", "+ u[:-2]) / h**2", also="100|0[.]01|factor"),
        Bug("missing term", "grad = -h * load", "grad = np.zeros(n)"),
    ),
    case(
        "xy_chain",
        """
L = 2000
coupling = 1.0 + 0.2 * np.sin(np.arange(L))
at = np.cumsum(rng.normal(size=L))


def f(theta):
    turn = np.roll(theta, -1) - theta
    return np.sum(coupling * (1 - np.cos(turn)) + 0.1 * (1 - np.cos(5 * theta)))


def gradient(theta):
    s = coupling * np.sin(np.roll(theta, -1) - theta)
    return np.roll(s, 1) - s + 0.5 * np.sin(5 * theta)
""",
        Bug("index", "np.roll(s, 1) - s", "np.roll(s, -1) - s"),
        Bug("sign", "np.roll(s, 1) - s", "np.roll(s, 1) + s"),
        Bug("chain", "0.5 * np.sin(5 * theta)", "0.1 * np.sin(5 * theta)", number=5),
        Bug("function", "0.5 * np.sin(5", "0.5 * np.cos(5", also="sin|chain"),
        Bug("degrees", "0.5 * np.sin(5 * theta)", "0.5 * np.sin(5 * np.deg2rad(theta))"),
    ),
    case(
        "ginzburg_landau",
        """
shape = (320, 320)
kappa, lam = 0.7, 1.3
at = rng.normal(size=shape[0] * shape[1])


class Field:
    def energy(self, flat):
        u = flat.reshape(shape)
        right, down = np.roll(u, -1, axis=1) - u, np.roll(u, -1, axis=0) - u
        return np.sum(0.5 * kappa * (right**2 + down**2) + 0.25 * lam * (u**2 - 1) ** 2)

    def slope(self, flat):
        u = flat.reshape(shape)
        laplacian = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u
        return (lam * u * (u**2 - 1) - kappa * laplacian).ravel()


field = Field()
f, gradient = field.energy, field.slope
""",
        Bug("sign", "- kappa * laplacian", "+ kappa * laplacian"),
        Bug("chain", "lam * u * (u**2 - 1)", "lam * (u**2 - 1)"),
        Bug(
            "axis",
            "np.roll(u, 1, 1) + np.roll(u, -1, 1)",
            "np.roll(u, 1, 0) + np.roll(u, -1, 0)",
            also="roll|shift|index",
        ),
        Bug("constant", "- 4 * u\n", "- 2 * u\n", also="1[.]4|\\b(2|4)\\b"),
    ),
    case(
        "surface",
        """
m = 9
border = np.fromfunction(lambda i, j: np.sin(i / 2) + 0.1 * j * j, (m, m))
at = 0.3 * rng.normal(size=(m - 2) ** 2)


def f(x):
    u = border.copy()
    u = np.concatenate([u[:1], np.concatenate([u[1:-1, :1], x.reshape(m - 2, m - 2), u[1:-1, -1:]], axis=1), u[-1:]])
    dx, dy = u[:-1, 1:] - u[:-1, :-1], u[1:, :-1] - u[:-1, :-1]
    return np.sum(np.sqrt(1 + dx**2 + dy**2))


def gradient(x):
    u = border.copy()
    u = u + 0 * x[0]
    u[1:-1, 1:-1] = x.reshape(m - 2, m - 2)
    grad = np.zeros((m, m))
    for i in range(m - 1):
        for j in range(m - 1):
            a, b = u[i, j + 1] - u[i, j], u[i + 1, j] - u[i, j]
            area = np.sqrt(1 + a * a + b * b)
            grad[i, j + 1] += a / area
            grad[i + 1, j] += b / area
            grad[i, j] -= (a + b) / area
    return grad[1:-1, 1:-1].ravel()
""",
        Bug("missing term", "-= (a + b) / area", "-= a / area"),
        Bug("index", "grad[i + 1, j] += b / area", "grad[i, j + 1] += b / area"),
        Bug("chain", "grad[i, j + 1] += a / area", "grad[i, j + 1] += a", also="area|sqrt"),
        Bug("missing term", "np.sqrt(1 + a * a + b * b)\n", "np.sqrt(1 + a * a)\n", also="instead"),
    ),
]
