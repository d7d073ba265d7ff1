"""Vision, control, finance, signals, graphs, and transport, kept aside until the rules had been measured on them."""

from __future__ import annotations

import math

from .case import Bug, case

CASES = [
    case(
        "robust_pose",
        """
points = rng.uniform(-1, 1, size=(15, 3))
pixels = 80 * rng.uniform(-0.4, 0.4, size=(15, 2))
CUTOFF = 12.0
at = np.array([0.2, -0.1, 0.3, 0.1, -0.2, 4.0, np.log(80.0)])


def turn(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    R = np.eye(3)
    R[i, i], R[i, j], R[j, i], R[j, j] = c, -s, s, c
    return R


def turn_rate(axis, angle):
    c, s = np.cos(angle), np.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    dR = np.zeros((3, 3))
    dR[i, i], dR[i, j], dR[j, i], dR[j, j] = -s, -c, c, -s
    return dR


def f(p):
    R = turn(2, p[2]) @ turn(1, p[1]) @ turn(0, p[0])
    seen = points @ R.T + p[3:6]
    e = np.exp(p[6]) * seen[:, :2] / seen[:, 2:] - pixels
    return 0.5 * CUTOFF**2 * np.sum(np.log1p(np.sum(e**2, axis=1) / CUTOFF**2))


def gradient(p):
    Rx, Ry, Rz = (turn(axis, p[axis]) for axis in range(3))
    dRx, dRy, dRz = (turn_rate(axis, p[axis]) for axis in range(3))
    focal = np.exp(p[6])
    seen = points @ (Rz @ Ry @ Rx).T + p[3:6]
    x, y, depth = seen.T
    e = focal * seen[:, :2] / seen[:, 2:] - pixels
    weight = 1 / (1 + np.sum(e**2, axis=1) / CUTOFF**2)
    gu, gv = (weight[:, None] * e).T
    d_seen = np.column_stack([focal * gu / depth, focal * gv / depth, -focal * (gu * x + gv * y) / depth**2])
    grad = np.empty(7)
    for axis, dR in enumerate([Rz @ Ry @ dRx, Rz @ dRy @ Rx, dRz @ Ry @ Rx]):
        grad[axis] = np.sum(d_seen * (points @ dR.T))
    grad[3:6] = d_seen.sum(axis=0)
    grad[6] = focal * np.sum((gu * x + gv * y) / depth)
    return grad
""",
        Bug("exponent", "(gu * x + gv * y) / depth**2])", "(gu * x + gv * y) / depth])"),
        Bug("missing term", "(weight[:, None] * e).T", "e.T", also="weight|chain|factor", place="e.T"),
        Bug("transposed", "(points @ dR.T))", "(points @ dR))"),
        Bug("permuted", "Rz @ dRy @ Rx, dRz", "Rx @ dRy @ Rz, dRz"),
        Bug("degrees", "turn_rate(axis, p[axis])", "turn_rate(axis, np.radians(p[axis]))"),
        Bug("sign", "-s, -c, c, -s", "-s, c, -c, -s"),
        Bug("chain", "grad[6] = focal * np.sum(", "grad[6] = np.sum(", number=80, also="focal"),
    ),
    case(
        "feedback_gain",
        """
A = np.eye(4) + 0.1 * np.diag([1.0, 0.5, 1.0], 1) - 0.05 * np.diag([0.4, 0.7, 0.2], -1)
B = 0.2 * rng.normal(size=(4, 2))
Q, R, TERMINAL = np.diag([2.0, 1.0, 1.0, 0.5]), np.array([[0.3, 0.05], [0.05, 0.2]]), 5 * np.eye(4)
start = np.array([1.0, -0.5, 0.8, 0.2])
HORIZON = 15
at = 0.5 * rng.normal(size=8)


def f(k):
    K = k.reshape(2, 4)
    x, cost = start, 0.0
    for _ in range(HORIZON):
        u = -K @ x
        cost += x @ Q @ x + u @ R @ u
        x = A @ x + B @ u
    return cost + x @ TERMINAL @ x


def gradient(k):
    K = k.reshape(2, 4)
    xs = [start]
    for _ in range(HORIZON):
        xs.append((A - B @ K) @ xs[-1])
    costate = 2 * TERMINAL @ xs[-1]
    G = np.zeros((2, 4))
    for x in xs[-2::-1]:
        u = -K @ x
        du = 2 * R @ u + B.T @ costate
        G -= np.outer(du, x)
        costate = 2 * Q @ x + A.T @ costate - K.T @ du
    return G.ravel()
""",
        Bug("missing term", "A.T @ costate - K.T @ du", "A.T @ costate", also="chain|du"),
        Bug("transposed", "+ A.T @ costate", "+ A @ costate"),
        Bug("factor", "du = 2 * R @ u", "du = R @ u", number=2),
        Bug("stale", "in xs[-2::-1]", "in xs[:0:-1]", also="state|shift|index"),
        Bug("variable", "2 * TERMINAL @ xs[-1]", "2 * Q @ xs[-1]"),
        Bug("permuted", "in xs[-2::-1]", "in xs[:-1]", also="revers|order|forward"),
    ),
    case(
        "volatility_smile",
        """
EXPIRY = 0.5
strikes = np.linspace(-0.4, 0.4, 11)
quotes = 0.2 + 0.15 * strikes**2 - 0.08 * strikes + 0.002 * rng.normal(size=11)
vega = np.exp(-0.5 * (strikes / 0.2) ** 2)
at = np.array([0.01, np.log(0.09), -0.3, 0.05, np.log(0.15)])


def f(p):
    a, b, rho, m, s = p[0], np.exp(p[1]), np.tanh(p[2]), p[3], np.exp(p[4])
    k = strikes - m
    total = a + b * (rho * k + np.sqrt(k**2 + s**2))
    return np.sqrt(np.sum(vega * (np.sqrt(total / EXPIRY) - quotes) ** 2) / np.sum(vega))


def gradient(p):
    a, b, rho, m, s = p[0], np.exp(p[1]), np.tanh(p[2]), p[3], np.exp(p[4])
    k = strikes - m
    root = np.sqrt(k**2 + s**2)
    wings = rho * k + root
    vol = np.sqrt((a + b * wings) / EXPIRY)
    rmse = np.sqrt(np.sum(vega * (vol - quotes) ** 2) / vega.sum())
    d_vol = vega * (vol - quotes) / (vega.sum() * rmse)
    d_total = d_vol / (2 * vol * EXPIRY)
    columns = {
        "a": np.ones_like(k),
        "b": b * wings,
        "rho": b * k * (1 - rho**2),
        "m": -b * (rho + k / root),
        "s": b * s**2 / root,
    }
    return np.array([d_total @ column for column in columns.values()])
""",
        Bug("chain", "/ (2 * vol * EXPIRY)", "/ (2 * vol)", number=2, also="EXPIRY"),
        Bug("square", "(1 - rho**2)", "(1 - rho)", also="tanh"),
        Bug("sign", "-b * (rho + k / root)", "b * (rho + k / root)"),
        Bug("chain", "b * s**2 / root", "b * s / root", also="log|exp|\\bs\\b"),
        Bug("parenthesis", "-b * (rho + k / root)", "-b * rho + k / root", also="\\bb\\b|sign|chain"),
        Bug(
            "other target",
            "d_vol = vega * (vol - quotes) / (vega.sum() * rmse)",
            "d_vol = 2 * vega * (vol - quotes) / vega.sum()",
            also="factor|rmse|chain|times",
            place="2 * vega * (vol - quotes) / vega.sum()",
        ),
        Bug("missing term", '"b": b * wings', '"b": b * root', also="rho|wings"),
    ),
    case(
        "unbalanced_transport",
        """
EPS, RELAX = 0.4, 1.5
x = rng.normal(size=(7, 2))
a = rng.uniform(0.5, 1.5, 7)
b = rng.uniform(0.5, 1.5, 7)
at = np.concatenate([0.3 * rng.normal(size=14), rng.normal(size=14)])


def f(p):
    u, v, y = p[:7], p[7:14], p[14:].reshape(7, 2)
    total = RELAX * (a @ np.exp(-u / RELAX) + b @ np.exp(-v / RELAX))
    for i in range(7):
        for j in range(7):
            cost = 0.5 * np.sum((x[i] - y[j]) ** 2)
            total += EPS * a[i] * b[j] * np.exp((u[i] + v[j] - cost) / EPS)
    return total


def gradient(p):
    u, v, y = p[:7], p[7:14], p[14:].reshape(7, 2)
    cost = 0.5 * ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=2)
    plan = np.outer(a, b) * np.exp((u[:, None] + v - cost) / EPS)
    du = plan.sum(axis=1) - a * np.exp(-u / RELAX)
    dv = plan.sum(axis=0) - b * np.exp(-v / RELAX)
    dy = plan.T @ x - plan.sum(axis=0)[:, None] * y
    return np.concatenate([du, dv, dy.ravel()])
""",
        Bug("axis", "du = plan.sum(axis=1)", "du = plan.sum(axis=0)"),
        Bug("variable", "- a * np.exp(-u / RELAX)", "- a * np.exp(-u / EPS)", also="constant"),
        Bug("missing term", " - b * np.exp(-v / RELAX)", " - b", also="exp|factor|constant"),
        Bug("chain", "dy = plan.T @ x - plan", "dy = plan.T @ x / EPS - plan", number=0.4, also="EPS"),
        Bug("transposed", "dy = plan.T @ x", "dy = plan @ x"),
        Bug("missing term", "plan.T @ x - plan.sum(axis=0)[:, None] * y", "plan.T @ x", also="\\by\\b"),
    ),
    case(
        "biquad_design",
        """
omega = np.linspace(0.05, 3.0, 40)
target = np.where(omega < 1.0, 0.0, -25.0)
DB = 20 / np.log(10)
at = np.array([0.3, 0.4, 0.25, -0.5, 0.3, 0.8, 0.5, 0.6, -0.3, 0.4])
z = np.exp(-1j * omega)


def f(p):
    level = np.zeros(40)
    for b0, b1, b2, a1, a2 in p.reshape(-1, 5):
        level += 20 * np.log10(np.abs((b0 + b1 * z + b2 * z**2) / (1 + a1 * z + a2 * z**2)))
    return np.mean((level - target) ** 2)


def gradient(p):
    powers = np.stack([np.ones_like(z), z, z**2])
    sections = p.reshape(-1, 5)
    tops = sections[:, :3] @ powers
    bottoms = 1 + sections[:, 3:] @ powers[1:]
    level = DB * np.sum(np.log(np.abs(tops)) - np.log(np.abs(bottoms)), axis=0)
    error = 2 * (level - target) / len(omega)
    grad = np.zeros_like(sections)
    for k, (top, bottom) in enumerate(zip(tops, bottoms)):
        grad[k, :3] = DB * np.real(powers / top) @ error
        grad[k, 3:] = -DB * np.real(powers[1:] / bottom) @ error
    return grad.ravel()
""",
        Bug("constant", "grad[k, :3] = DB * np", "grad[k, :3] = 20 * np", number=math.log(10), also="DB|log"),
        Bug("function", "np.real(powers / top)", "np.abs(powers / top)", also="real"),
        Bug("sign", "grad[k, 3:] = -DB", "grad[k, 3:] = DB"),
        Bug("index", "powers[1:] / bottom", "powers[:2] / bottom"),
        Bug("variable", "powers[1:] / bottom", "powers[1:] / top"),
        Bug("factor", "error = 2 * (level", "error = (level", number=2),
    ),
    case(
        "ranked_walk",
        """
NODES, DAMPING = 8, 0.85
sources = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7])
sinks = np.array([1, 2, 5, 2, 3, 0, 4, 1, 6, 5, 7, 3, 6, 0, 7, 2, 4])
clicks = rng.dirichlet(np.ones(NODES))
teleport = np.full(NODES, (1 - DAMPING) / NODES)
at = 0.5 * rng.normal(size=17)


def transition(theta):
    W = np.zeros((NODES, NODES))
    W[sources, sinks] = np.exp(theta)
    return W, W / W.sum(axis=1, keepdims=True)


def f(theta):
    _, P = transition(theta)
    rank = np.linalg.solve(np.eye(NODES) - DAMPING * P.T, teleport)
    return -np.sum(clicks * np.log(rank))


def gradient(theta):
    W, P = transition(theta)
    M = np.eye(NODES) - DAMPING * P.T
    rank = np.linalg.solve(M, teleport)
    adjoint = np.linalg.solve(M.T, -clicks / rank)
    dP = DAMPING * np.outer(rank, adjoint)
    dW = (dP - np.sum(dP * P, axis=1, keepdims=True)) / W.sum(axis=1)[:, None]
    return dW[sources, sinks] * W[sources, sinks]
""",
        Bug("transposed", "solve(M.T, -clicks", "solve(M, -clicks"),
        Bug("factor", "dP = DAMPING * np.outer", "dP = np.outer", number=0.85, also="DAMPING"),
        Bug("transposed", "np.outer(rank, adjoint)", "np.outer(adjoint, rank)"),
        Bug("quotient", "(dP - np.sum(dP * P, axis=1, keepdims=True)) / W", "dP / W", also="normalis|sum"),
        Bug("chain", "dW[sources, sinks] * W[sources, sinks]", "dW[sources, sinks]", also="exp|\\bW\\b"),
        Bug("transposed", "return dW[sources, sinks]", "return dW[sinks, sources]", also="index|swap"),
    ),
    case(
        "radar_jacobian",
        """
stations = np.array([[0.0, 0.0], [5.0, -1.0], [2.0, 6.0]])
at = np.array([3.0, 2.0, 0.7, -0.4, 0.1])


def f(state):
    position, velocity, bias = state[:2], state[2:4], state[4]
    rows = []
    for station in stations:
        dx, dy = position - station
        r = np.hypot(dx, dy)
        rows.extend([r + bias, np.arctan2(dy, dx), (dx * velocity[0] + dy * velocity[1]) / r])
    return np.array(rows)


def gradient(state):
    vx, vy = state[2:4]
    blocks = []
    for station in stations:
        dx, dy = state[:2] - station
        r2 = dx**2 + dy**2
        r = np.sqrt(r2)
        closing = (dx * vx + dy * vy) / r2
        blocks.append([dx / r, dy / r, 0, 0, 1])
        blocks.append([-dy / r2, dx / r2, 0, 0, 0])
        blocks.append([(vx - closing * dx) / r, (vy - closing * dy) / r, dx / r, dy / r, 0])
    return np.array(blocks)
""",
        Bug("permuted", "[-dy / r2, dx / r2, 0", "[dx / r2, -dy / r2, 0"),
        Bug("exponent", "-dy / r2, dx", "-dy / r, dx"),
        Bug("quotient", "(vx - closing * dx) / r,", "vx / r,"),
        Bug("missing term", "dy / r, 0, 0, 1]", "dy / r, 0, 0, 0]", also="bias|zero|instead"),
        Bug("sign", "[-dy / r2", "[dy / r2"),
        Bug("degrees", "dx / r2, 0, 0, 0]", "np.degrees(dx / r2), 0, 0, 0]"),
        Bug("index", "(vy - closing * dy) / r, dx / r, dy", "(vy - closing * dy) / r, dy / r, dy", also="variable|dy"),
        what="jacobian",
    ),
    case(
        "homography_jacobian",
        """
corners = rng.uniform(-1, 1, size=(6, 2))
at = np.array([1.1, 0.1, 0.3, -0.2, 0.9, -0.1, 0.15, -0.05])


def f(h):
    H = np.append(h, 1.0).reshape(3, 3)
    mapped = np.column_stack([corners, np.ones(len(corners))]) @ H.T
    return (mapped[:, :2] / mapped[:, 2:]).ravel()


def gradient(h):
    J = np.zeros((2 * len(corners), 8))
    for k, (x, y) in enumerate(corners):
        w = h[6] * x + h[7] * y + 1
        u = (h[0] * x + h[1] * y + h[2]) / w
        v = (h[3] * x + h[4] * y + h[5]) / w
        ray = np.array([x, y, 1.0]) / w
        J[2 * k, 0:3] = ray
        J[2 * k + 1, 3:6] = ray
        J[2 * k, 6:] = -u * ray[:2]
        J[2 * k + 1, 6:] = -v * ray[:2]
    return J
""",
        Bug("chain", "np.array([x, y, 1.0]) / w", "np.array([x, y, 1.0])", also="\\bw\\b"),
        Bug("variable", "J[2 * k + 1, 6:] = -v", "J[2 * k + 1, 6:] = -u"),
        Bug("sign", "= -u * ray[:2]", "= u * ray[:2]"),
        Bug("quotient", "\n        J[2 * k, 6:] = -u * ray[:2]", "", also="zero"),
        Bug("index", "= -v * ray[:2]", "= -v * ray[1:]"),
        Bug("exponent", "/ w\n        ray", "/ w**2\n        ray", also="\\bw\\b"),
        what="jacobian",
    ),
    case(
        "pendulum_step_jacobian",
        """
DT = 0.1
at = np.array([0.9, -0.4, 9.0, 0.3])


def velocity(s, ratio, damping):
    return np.array([s[1], -ratio * np.sin(s[0]) - damping * s[1] * np.abs(s[1])])


def f(p):
    s, ratio, damping = p[:2], p[2], p[3]
    k1 = velocity(s, ratio, damping)
    k2 = velocity(s + DT / 2 * k1, ratio, damping)
    k3 = velocity(s + DT / 2 * k2, ratio, damping)
    k4 = velocity(s + DT * k3, ratio, damping)
    return s + DT / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def tangent(s, ds, ratio, damping):
    direct = np.array([[0, 0, 0, 0], [0, 0, -np.sin(s[0]), -s[1] * np.abs(s[1])]])
    by_state = np.array([[0, 1], [-ratio * np.cos(s[0]), -2 * damping * np.abs(s[1])]])
    return by_state @ ds + direct


def gradient(p):
    s, ratio, damping = p[:2], p[2], p[3]
    ds = np.eye(2, 4)
    k1 = velocity(s, ratio, damping)
    d1 = tangent(s, ds, ratio, damping)
    s2 = s + 0.5 * DT * k1
    d2 = tangent(s2, ds + 0.5 * DT * d1, ratio, damping)
    s3 = s + 0.5 * DT * velocity(s2, ratio, damping)
    d3 = tangent(s3, ds + 0.5 * DT * d2, ratio, damping)
    s4 = s + DT * velocity(s3, ratio, damping)
    d4 = tangent(s4, ds + DT * d3, ratio, damping)
    return ds + DT / 6 * (d1 + 2 * d2 + 2 * d3 + d4)
""",
        Bug("factor", "ds + DT * d3", "ds + 0.5 * DT * d3", number=2),
        Bug("factor", "-2 * damping", "-damping", number=2, also="product"),
        Bug("function", "-ratio * np.cos(s[0])", "-ratio * np.sin(s[0])", also="cos|derivative"),
        Bug("stale", "d2 = tangent(s2, ds", "d2 = tangent(s, ds", also="s2"),
        Bug("missing term", "by_state @ ds + direct", "by_state @ ds"),
        Bug("missing term", "return ds + DT / 6 * (d1", "return DT / 6 * (d1", also="\\bds\\b"),
        what="jacobian",
    ),
]
