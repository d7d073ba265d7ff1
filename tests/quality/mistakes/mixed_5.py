"""Geometry, mechanics, waves, chemistry and signals, each with the slips that are usual there.

They were kept aside until the rules had been measured on them.
"""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "reprojection",
        """
turn = 0.3
R = [np.eye(3), np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])]
seen = [(c, k, *(0.4 * rng.normal(size=2))) for c in range(2) for k in range(5) if (c, k) != (1, 2)]
at = np.concatenate([[0.1, -0.2, 4.0, -0.6, 0.1, 4.5], [1.2, -0.15], 0.8 * rng.normal(size=15)])


def unpack(p):
    return p[:6].reshape(2, 3), p[6], p[7], p[8:].reshape(5, 3)


def f(p):
    t, focal, k1, points = unpack(p)
    cost = 0.0
    for cam, pt, u, v in seen:
        x, y, z = R[cam] @ points[pt] + t[cam]
        a, b = x / z, y / z
        scale = focal * (1 + k1 * (a**2 + b**2))
        cost = cost + 0.5 * ((scale * a - u) ** 2 + (scale * b - v) ** 2)
    return cost


def gradient(p):
    t, focal, k1, points = unpack(p)
    g_t, g_focal, g_k1, g_points = np.zeros((2, 3)), 0.0, 0.0, np.zeros((5, 3))
    for cam, pt, u, v in seen:
        x, y, z = R[cam] @ points[pt] + t[cam]
        a, b = x / z, y / z
        r2 = a * a + b * b
        d = 1 + k1 * r2
        ru, rv = focal * d * a - u, focal * d * b - v
        radial = ru * a + rv * b
        g_focal += d * radial
        g_k1 += focal * r2 * radial
        ga = focal * d * ru + 2 * k1 * focal * radial * a
        gb = focal * d * rv + 2 * k1 * focal * radial * b
        g_cam = np.array([ga / z, gb / z, -(ga * x + gb * y) / z**2])
        g_t[cam] += g_cam
        g_points[pt] += R[cam].T @ g_cam
    return np.concatenate([g_t.ravel(), [g_focal, g_k1], g_points.ravel()])
""",
        Bug("transposed", "R[cam].T @ g_cam", "R[cam] @ g_cam"),
        Bug("exponent", "+ gb * y) / z**2", "+ gb * y) / z", also=r"\bz\b.* missing"),
        Bug("product", "gb = focal * d * rv + 2 * k1 * focal * radial * b", "gb = focal * d * rv"),
        Bug("accumulation", "g_points[pt] += R", "g_points[pt] = R"),
        Bug("sign", "-(ga * x", "(ga * x"),
        Bug("chain", "g_k1 += focal * r2 * radial", "g_k1 += r2 * radial", also="focal"),
    ),
    case(
        "icp_planar",
        """
source = rng.normal(size=(30, 2))
bearing = rng.uniform(0, 2 * np.pi, 30)
normals = np.column_stack([np.cos(bearing), np.sin(bearing)])
target = source + np.array([0.3, -0.1]) + 0.1 * rng.normal(size=(30, 2))
kernel = 0.5
# x, y, and the heading in degrees
at = np.array([0.2, 0.1, 12.0])


def f(pose):
    angle = np.deg2rad(pose[2])
    c, s = np.cos(angle), np.sin(angle)
    x = c * source[:, 0] - s * source[:, 1] + pose[0]
    y = s * source[:, 0] + c * source[:, 1] + pose[1]
    e = (x - target[:, 0]) * normals[:, 0] + (y - target[:, 1]) * normals[:, 1]
    return np.sum(e**2 / (kernel**2 + e**2))


def gradient(pose):
    tx, ty, heading = pose
    c, s = np.cos(np.deg2rad(heading)), np.sin(np.deg2rad(heading))
    rot = np.array([[c, -s], [s, c]])
    d_rot = np.array([[-s, -c], [c, -s]])
    residual = np.sum((source @ rot.T + pose[:2] - target) * normals, axis=1)
    slope = 2 * residual * kernel**2 / (kernel**2 + residual**2) ** 2
    d_heading = np.sum((source @ d_rot.T) * normals, axis=1) * np.pi / 180
    return np.array([slope @ normals[:, 0], slope @ normals[:, 1], slope @ d_heading])
""",
        Bug("degrees", "axis=1) * np.pi / 180", "axis=1)"),
        Bug(
            "quotient",
            "2 * residual * kernel**2 / (kernel**2 + residual**2) ** 2",
            "2 * residual / (kernel**2 + residual**2)",
            also="chain|exponent|power",
        ),
        Bug("sign", "[[-s, -c], [c, -s]]", "[[-s, -c], [c, s]]"),
        Bug("transposed", "source @ d_rot.T", "source @ d_rot"),
        Bug("degrees", "np.cos(np.deg2rad(heading)), np.sin", "np.cos(heading), np.sin"),
        Bug(
            "permuted", "slope @ normals[:, 0], slope @ normals[:, 1],", "slope @ normals[:, 1], slope @ normals[:, 0],"
        ),
    ),
    case(
        "pose_graph",
        """
edges = [
    (0, 1, (1.0, 0.1, 0.5)),
    (1, 2, (0.9, -0.1, 0.6)),
    (2, 3, (1.1, 0.0, 0.4)),
    (3, 0, (-0.8, 1.9, -1.3)),
    (1, 3, (1.2, 0.9, 1.1)),
]
w_t, w_r, prior = 4.0, 10.0, 0.5
at = np.array([[0.1, 0.0, 0.05], [1.1, 0.2, 0.6], [1.6, 1.1, 1.0], [1.9, 2.2, 1.6]])


def f(poses):
    cost = 0.5 * prior * np.sum(poses[0] ** 2)
    for i, j, m in edges:
        c, s = np.cos(poses[i, 2]), np.sin(poses[i, 2])
        dx, dy = poses[j, 0] - poses[i, 0], poses[j, 1] - poses[i, 1]
        cost += 0.5 * w_t * ((c * dx + s * dy - m[0]) ** 2 + (c * dy - s * dx - m[1]) ** 2)
        cost += 0.5 * w_r * (poses[j, 2] - poses[i, 2] - m[2]) ** 2
    return cost


def gradient(poses):
    grad = np.zeros((4, 3))
    grad[0] += prior * poses[0]
    for i, j, (mx, my, mt) in edges:
        xi, yi, ti = poses[i]
        xj, yj, tj = poses[j]
        c, s = np.cos(ti), np.sin(ti)
        dx, dy = xj - xi, yj - yi
        ex = c * dx + s * dy - mx
        ey = -s * dx + c * dy - my
        et = tj - ti - mt
        gx, gy = w_t * (c * ex - s * ey), w_t * (s * ex + c * ey)
        grad[j, 0] += gx
        grad[j, 1] += gy
        grad[i, 0] -= gx
        grad[i, 1] -= gy
        grad[i, 2] += w_t * (ex * (-s * dx + c * dy) + ey * (-c * dx - s * dy))
        grad[j, 2] += w_r * et
        grad[i, 2] -= w_r * et
    return grad
""",
        Bug(
            "transposed",
            "w_t * (c * ex - s * ey), w_t * (s * ex + c * ey)",
            "w_t * (c * ex + s * ey), w_t * (c * ey - s * ex)",
            also="rotat|sign",
        ),
        Bug(
            "detached",
            "        grad[i, 2] += w_t * (ex * (-s * dx + c * dy) + ey * (-c * dx - s * dy))\n",
            "",
            also="rotat",
        ),
        Bug("accumulation", "grad[j, 1] += gy", "grad[j, 1] = gy"),
        Bug("index", "grad[i, 2] -= w_r * et", "grad[j, 2] -= w_r * et", also="missing|no contribution"),
        Bug("sign", "grad[i, 0] -= gx", "grad[i, 0] += gx"),
        Bug("loop", "in edges:\n        xi", "in edges[:-1]:\n        xi"),
    ),
    case(
        "bspline_fit",
        """
us = np.linspace(0.0, 3.99, 25)
data = np.column_stack([np.cos(us), np.sin(1.5 * us)])
lam = 0.3
at = rng.normal(size=(7, 2))


def basis(u):
    k = int(u)
    s = u - k
    return k, np.array([(1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3]) / 6


def f(P):
    misfit = 0.0
    for u, q in zip(us, data):
        k, b = basis(u)
        r = b @ P[k : k + 4] - q
        misfit = misfit + r @ r
    bend = P[2:] - 2 * P[1:-1] + P[:-2]
    return misfit / len(us) + lam * np.sum(bend**2)


def gradient(P):
    G = np.zeros(P.shape, dtype=np.float64)
    for u, q in zip(us, data):
        k, b = basis(u)
        error = b @ P[k : k + 4] - q
        G[k : k + 4] += 2 * np.outer(b, error)
    G /= len(us)
    second = np.diff(P, n=2, axis=0)
    G[2:] += 2 * lam * second
    G[1:-1] -= 4 * lam * second
    G[:-2] += 2 * lam * second
    return G
""",
        Bug("float32", "dtype=np.float64", "dtype=np.float32"),
        Bug("factor", "G[1:-1] -= 4 * lam", "G[1:-1] -= 2 * lam", number=2),
        Bug("index", "G[:-2] += 2", "G[1:-1] += 2"),
        Bug("accumulation", "G[k : k + 4] += 2", "G[k : k + 4] = 2"),
        Bug("sign", "G[1:-1] -= 4", "G[1:-1] += 4"),
    ),
    case(
        "neo_hookean",
        """
rest = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.1], [0.0, 1.0], [1.1, 1.0], [2.0, 1.0]])
triangles = [(0, 1, 4), (0, 4, 3), (1, 2, 5), (1, 5, 4)]
shapes = [np.column_stack([rest[b] - rest[a], rest[c] - rest[a]]) for a, b, c in triangles]
inverse = [np.linalg.inv(S) for S in shapes]
areas = [0.5 * np.linalg.det(S) for S in shapes]
mu, lam, load = 1.3, 2.1, 0.4
at = rest @ np.array([[1.1, 0.2], [-0.1, 0.9]]) + 0.08 * rng.normal(size=(6, 2))


def f(x):
    total = -load * x[5, 1]
    for (a, b, c), B, area in zip(triangles, inverse, areas):
        F = np.column_stack([x[b] - x[a], x[c] - x[a]]) @ B
        log_j = np.log(F[0, 0] * F[1, 1] - F[0, 1] * F[1, 0])
        total += area * (0.5 * mu * (np.sum(F * F) - 2) - mu * log_j + 0.5 * lam * log_j**2)
    return total


def gradient(x):
    g = np.zeros((6, 2))
    for (a, b, c), B, area in zip(triangles, inverse, areas):
        F = np.column_stack([x[b] - x[a], x[c] - x[a]]) @ B
        F_inv_T = np.linalg.inv(F).T
        # the first Piola-Kirchhoff stress
        P = mu * (F - F_inv_T) + lam * np.log(np.linalg.det(F)) * F_inv_T
        H = area * P @ B.T
        g[b] += H[:, 0]
        g[c] += H[:, 1]
        g[a] -= H[:, 0] + H[:, 1]
    g[5, 1] -= load
    return g
""",
        Bug("transposed", "F_inv_T = np.linalg.inv(F).T", "F_inv_T = np.linalg.inv(F)"),
        Bug("transposed", "H = area * P @ B.T", "H = area * P @ B"),
        Bug("axis", "g[b] += H[:, 0]", "g[b] += H[0]", also="index"),
        Bug("missing term", "g[a] -= H[:, 0] + H[:, 1]", "g[a] -= H[:, 0]"),
        Bug("chain", "H = area * P", "H = P", also="area|weight"),
        Bug("function", "lam * np.log(np.linalg.det(F))", "lam * np.linalg.det(F)", also=r"\blog\b|chain"),
    ),
    case(
        "embedded_atom",
        """
xi, q, A, p = 1.2, 1.8, 0.2, 8.0
n = 6
off = 1 - np.eye(n)
at = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1.0]]) + 0.1 * rng.normal(size=(n, 3))


def f(x):
    energy = 0.0
    for i in range(n):
        rho = 0.0
        for j in range(n):
            if i != j:
                r = np.sqrt(np.sum((x[i] - x[j]) ** 2))
                rho += xi**2 * np.exp(-2 * q * (r - 1))
                energy += 0.5 * A * np.exp(-p * (r - 1))
        energy -= np.sqrt(rho)
    return energy


def gradient(x):
    d = x[:, None, :] - x[None, :, :]
    r = np.sqrt(np.sum(d**2, axis=-1) + np.eye(n))
    hop = xi**2 * np.exp(-2 * q * (r - 1)) * off
    rep = A * np.exp(-p * (r - 1)) * off
    dF = -0.5 / np.sqrt(hop.sum(axis=1))
    # a pair changes the densities of both atoms
    slope = -p * rep - 2 * q * hop * (dF[:, None] + dF[None, :])
    return np.sum((slope / r)[:, :, None] * d, axis=1)
""",
        Bug("missing term", "(dF[:, None] + dF[None, :])", "dF[:, None]", also="half|twice|both|symmetr"),
        Bug("factor", "slope = -p * rep", "slope = -0.5 * p * rep", number=2),
        Bug("exponent", "-0.5 / np.sqrt(hop.sum(axis=1))", "-0.5 / hop.sum(axis=1)", also="sqrt"),
        Bug("sign", "rep - 2 * q", "rep + 2 * q"),
        Bug("axis", "* d, axis=1)", "* d, axis=0)", also="sign|negat|-1"),
    ),
    case(
        "verlet_adjoint",
        """
h, steps = 0.15, 12
goal, effort = np.array([-0.6, 0.7]), 0.2
at = np.array([1.0, 0.1, -0.1, 0.9])


def force(q):
    return -q / (q @ q) ** 1.5


def stiffness(q):
    r2 = q @ q
    return np.eye(2) / r2**1.5 - 3 * np.outer(q, q) / r2**2.5


def f(s):
    q, v = s[:2], s[2:]
    for _ in range(steps):
        v = v + 0.5 * h * force(q)
        q = q + h * v
        v = v + 0.5 * h * force(q)
    return 0.5 * np.sum((q - goal) ** 2) + 0.5 * effort * np.sum(s[2:] ** 2)


def gradient(s):
    q, v = s[:2], s[2:]
    path = [q]
    for _ in range(steps):
        v = v + 0.5 * h * force(q)
        q = q + h * v
        v = v + 0.5 * h * force(q)
        path.append(q)
    bar_q, bar_v = path[-1] - goal, np.zeros(2)
    for k in range(steps - 1, -1, -1):
        bar_q = bar_q - 0.5 * h * stiffness(path[k + 1]) @ bar_v
        bar_v = bar_v + h * bar_q
        bar_q = bar_q - 0.5 * h * stiffness(path[k]) @ bar_v
    return np.concatenate([bar_q, bar_v + effort * s[2:]])
""",
        Bug("stale", "stiffness(path[k + 1])", "stiffness(path[k])", also="index|shift"),
        Bug("exponent", "r2**2.5", "r2**1.5", also="factor .*missing"),
        Bug("factor", "- 3 * np.outer(q, q)", "- np.outer(q, q)", number=3),
        Bug("sign", "bar_v + h * bar_q", "bar_v - h * bar_q"),
        Bug("loop", "range(steps - 1, -1, -1)", "range(steps - 1, 0, -1)"),
        Bug("doubled term", "bar_v + effort * s[2:]", "bar_v + 2 * effort * s[2:]"),
    ),
    case(
        "wave_inversion",
        """
n, steps, dt = 12, 25, 0.4
L = np.diag(np.full(n, -2.0)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
where = np.eye(n)[3]
pulse = np.exp(-(((np.arange(steps) - 6) / 3.0) ** 2))
receivers = [1, 9]
observed = 0.2 * rng.normal(size=(steps, 2))
at = 1.0 + 0.3 * np.sin(np.arange(n))


def forward(m):
    u = [np.zeros(n), np.zeros(n)]
    for k in range(steps):
        u.append(2 * u[-1] - u[-2] + dt**2 * m * (L @ u[-1] + pulse[k] * where))
    return u


def f(m):
    u = forward(m)
    misfit = 0.0
    for k in range(steps):
        misfit = misfit + 0.5 * dt * np.sum((u[k + 2][receivers] - observed[k]) ** 2)
    return misfit


def gradient(m):
    u = forward(m)
    grad, a1, a2 = np.zeros(n), np.zeros(n), np.zeros(n)
    for k in range(steps - 1, -1, -1):
        a = 2 * a1 - a2 + dt**2 * (L.T @ (m * a1))
        a[receivers] += dt * (u[k + 2][receivers] - observed[k])
        grad += dt**2 * a * (L @ u[k + 1] + pulse[k] * where)
        a2, a1 = a1, a
    return grad
""",
        Bug("permuted", "dt**2 * (L.T @ (m * a1))", "dt**2 * m * (L.T @ a1)", also="transpos|inside|outside|commut"),
        Bug("missing term", "(L @ u[k + 1] + pulse[k] * where)", "(L @ u[k + 1])", also="pulse|source"),
        Bug("index", "L @ u[k + 1] + pulse", "L @ u[k + 2] + pulse", also="stale|next"),
        Bug("exponent", "grad += dt**2 * a", "grad += dt * a", also=r"\bdt\b|0[.]4|2[.]5"),
        Bug("stale", "a2, a1 = a1, a\n", "a1 = a\n        a2 = a1\n", also="order|instead", place="a2 = a1"),
        Bug("accumulation", "a[receivers] += dt", "a[receivers] = dt"),
    ),
    case(
        "arrhenius",
        """
R = 8.314e-3
T = np.array([300.0, 320.0, 340.0, 360.0])
t = np.array([0.5, 1.0, 2.0, 4.0, 8.0])[:, None]
measured = rng.uniform(0.1, 0.6, size=(5, 4))
at = np.array([10.0, 26.0, 12.0, 33.0])


def f(p):
    k1, k2 = np.exp(p[0] - p[1] / (R * T)), np.exp(p[2] - p[3] / (R * T))
    B = k1 / (k2 - k1) * (np.exp(-k1 * t) - np.exp(-k2 * t))
    return np.sum((B - measured) ** 2)


def gradient(p):
    k1 = np.exp(p[0] - p[1] / (R * T))
    k2 = np.exp(p[2] - p[3] / (R * T))
    gap = k2 - k1
    e1, e2 = np.exp(-k1 * t), np.exp(-k2 * t)
    B = k1 * (e1 - e2) / gap
    dB_dk1 = (e1 - e2) / gap - k1 * t * e1 / gap + k1 * (e1 - e2) / gap**2
    dB_dk2 = k1 * t * e2 / gap - k1 * (e1 - e2) / gap**2
    r = 2 * (B - measured)
    g = np.zeros(4)
    g[0] = np.sum(r * dB_dk1 * k1)
    g[1] = np.sum(r * dB_dk1 * -k1 / (R * T))
    g[2] = np.sum(r * dB_dk2 * k2)
    g[3] = np.sum(r * dB_dk2 * -k2 / (R * T))
    return g
""",
        Bug("quotient", " + k1 * (e1 - e2) / gap**2", "", also="gap"),
        Bug("sign", "/ gap - k1 * t * e1", "/ gap + k1 * t * e1"),
        Bug(
            "exponent",
            "dB_dk2 = k1 * t * e2 / gap - k1 * (e1 - e2) / gap**2",
            "dB_dk2 = k1 * t * e2 / gap - k1 * (e1 - e2) / gap",
        ),
        Bug("chain", "* -k2 / (R * T)", "* -k2 / T", also=r"\bR\b|0[.]0083|120[.]"),
        Bug("variable", "dB_dk2 = k1 * t * e2", "dB_dk2 = k1 * t * e1"),
    ),
    case(
        "mixing_energy",
        """
RT = 2.5
g0 = np.array([-1.0, 0.5, -2.0, 0.2])
W = np.array([[0, 3.0, -1.0, 0.5], [3.0, 0, 2.0, -0.7], [-1.0, 2.0, 0, 1.1], [0.5, -0.7, 1.1, 0]])
elements = np.array([[2.0, 0, 1.0, 1.0], [0, 1.0, 1.0, 3.0]])
amounts = np.array([2.0, 2.5])
rho = 5.0
at = np.array([0.6, 0.9, 0.3, 0.4])


def f(moles):
    total = np.sum(moles)
    ideal = RT * np.sum(moles * np.log(moles / total))
    excess = 0.5 * (moles @ W @ moles) / total
    lack = elements @ moles - amounts
    return g0 @ moles + ideal + excess + 0.5 * rho * lack @ lack


def gradient(moles):
    total = moles.sum()
    x = moles / total
    mu = g0 + RT * np.log(x)
    mu = mu + W @ x - 0.5 * (moles @ W @ moles) / total**2
    return mu + rho * elements.T @ (elements @ moles - amounts)
""",
        Bug(
            "extra term",
            "RT * np.log(x)",
            "RT * (np.log(x) + 1)",
            also="treated as constant|quotient|product|no contribution|missing",
        ),
        Bug("quotient", "mu + W @ x - 0.5 * (moles @ W @ moles) / total**2", "mu + W @ x", also=r"\btotal\b"),
        Bug("factor", "mu + W @ x", "mu + 0.5 * W @ x", number=2),
        Bug("variable", "np.log(x)", "np.log(moles)", also=r"\btotal\b|missing"),
        Bug("sign", "(elements @ moles - amounts)", "(amounts - elements @ moles)"),
    ),
    case(
        "fir_design",
        """
omega = np.linspace(0.0, np.pi, 40)
desired = (omega < 1.0).astype(float)
weight = np.where(omega < 1.4, 1.0, 3.0)
at = np.array([0.1, 0.3, 0.5, 0.35, 0.1, -0.05, 0.02])
taps = np.arange(7)


def f(b):
    real, imag = np.cos(np.outer(omega, taps)) @ b, np.sin(np.outer(omega, taps)) @ b
    return np.mean(weight * (real**2 + imag**2 - desired) ** 2)


def gradient(b):
    E = np.exp(-1j * np.outer(omega, taps))
    H = E @ b
    err = weight * (np.abs(H) ** 2 - desired)
    return 4 * np.real(E.conj().T @ (err * H)) / len(omega)
""",
        Bug("factor", "return 4 * np.real", "return 2 * np.real", number=2),
        Bug("transposed", "E.conj().T", "E.T", also="conj|sign|imag"),
        Bug("mean", " / len(omega)", " / len(b)", number=40 / 7),
        Bug("chain", "err = weight * (np.abs(H) ** 2 - desired)", "err = np.abs(H) ** 2 - desired", also="weight"),
        Bug("square", "np.abs(H) ** 2 - desired", "np.abs(H) - desired", also="abs"),
    ),
]
