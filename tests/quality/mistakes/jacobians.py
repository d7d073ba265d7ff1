"""Jacobians and Hessians of small codes."""

from __future__ import annotations

from .case import Bug, case

CASES = [
    case(
        "arm_jacobian",
        """
l1, l2, l3 = 1.0, 0.8, 0.5
at = np.array([0.4, -0.7, 0.9])


def f(q):
    a, b, c = q[0], q[0] + q[1], q[0] + q[1] + q[2]
    x = l1 * np.cos(a) + l2 * np.cos(b) + l3 * np.cos(c)
    y = l1 * np.sin(a) + l2 * np.sin(b) + l3 * np.sin(c)
    return np.array([x, y])


def gradient(q):
    a, b, c = q[0], q[0] + q[1], q[0] + q[1] + q[2]
    s1, s2, s3 = l1 * np.sin(a), l2 * np.sin(b), l3 * np.sin(c)
    c1, c2, c3 = l1 * np.cos(a), l2 * np.cos(b), l3 * np.cos(c)
    return np.array([[-s1 - s2 - s3, -s2 - s3, -s3], [c1 + c2 + c3, c2 + c3, c3]])
""",
        Bug("missing term", "-s2 - s3, -s3]", "-s2, -s3]", also="s3"),
        Bug("sign", "-s2 - s3, -s3]", "-s2 + s3, -s3]"),
        Bug(
            "variable",
            "c3 = l1 * np.cos(a), l2 * np.cos(b), l3",
            "c3 = l1 * np.cos(a), l2 * np.cos(b), l2",
            also="l3|0[.]5|0[.]8",
        ),
        Bug("function", "l3 * np.sin(c)\n    c1", "l3 * np.cos(c)\n    c1", also="sin"),
        Bug("permuted", "c2 + c3, c3]]", "c3, c2 + c3]]", also="c2"),
        what="jacobian",
    ),
    case(
        "softmax_jacobian",
        """
at = np.array([0.3, -0.4, 1.1, 0.2])


def f(z):
    e = np.exp(z - np.max(z))
    return e / e.sum()


def gradient(z):
    p = f(z)
    return np.diag(p) - np.outer(p, p)
""",
        Bug("sign", "np.diag(p) - np", "np.diag(p) + np"),
        Bug("missing term", "np.diag(p) - np.outer(p, p)", "np.diag(p)", also="diagonal"),
        Bug("square", "np.diag(p) - np", "np.diag(p**2) - np", also="p"),
        Bug("doubled term", "np.outer(p, p)", "2 * np.outer(p, p)"),
        Bug("variable", "np.outer(p, p)", "np.outer(p, z)", also="p"),
        what="jacobian",
    ),
    case(
        "reaction_jacobian",
        """
k1, k2, k3 = 0.4, 3.0, 1.7
at = np.array([0.8, 0.3, 0.5])


def f(y):
    a, b, c = y
    return [-k1 * a + k2 * b * c, k1 * a - k2 * b * c - k3 * b**2, k3 * b**2]


def gradient(y):
    a, b, c = y
    return [
        [-k1, k2 * c, k2 * b],
        [k1, -k2 * c - 2 * k3 * b, -k2 * b],
        [0, 2 * k3 * b, 0],
    ]
""",
        Bug("sign", "2 * k3 * b, -k2 * b]", "2 * k3 * b, k2 * b]"),
        Bug("factor", "[0, 2 * k3 * b, 0]", "[0, k3 * b, 0]", number=2),
        Bug("missing term", "-k2 * c - 2 * k3 * b, -k2", "-k2 * c, -k2", also="k3|b"),
        Bug("variable", "[-k1, k2 * c, k2 * b]", "[-k1, k2 * b, k2 * b]", also="c"),
        Bug("permuted", "[-k1, k2 * c, k2 * b]", "[-k1, k2 * b, k2 * c]", also="b|c"),
        what="jacobian",
    ),
    case(
        "spherical_jacobian",
        """
at = np.array([1.3, 0.7, -0.5])


def f(s):
    r, theta, phi = s
    return np.array([r * np.sin(theta) * np.cos(phi), r * np.sin(theta) * np.sin(phi), r * np.cos(theta)])


def gradient(s):
    r, theta, phi = s
    st, ct, sp, cp = np.sin(theta), np.cos(theta), np.sin(phi), np.cos(phi)
    J = np.zeros((3, 3))
    J[0] = st * cp, r * ct * cp, -r * st * sp
    J[1] = st * sp, r * ct * sp, r * st * cp
    J[2] = ct, -r * st, 0
    return J
""",
        Bug("sign", "cp, -r * st * sp", "cp, r * st * sp"),
        Bug("chain", "J[1] = st * sp, r * ct * sp,", "J[1] = st * sp, ct * sp,", also="r"),
        Bug("function", "J[2] = ct, -r * st", "J[2] = ct, -r * ct", also="st"),
        Bug("transposed", "    return J\n", "    return J.T\n"),
        Bug("variable", "r * st * cp\n", "r * st * sp\n", also="cp"),
        what="jacobian",
    ),
    case(
        "curve_jacobian",
        """
t = np.linspace(0.0, 4.0, 9)
y = np.exp(-0.5 * t)
at = np.array([1.2, 0.6, 0.3])


def f(p):
    a, rate, c = p
    return a * np.exp(-rate * t) + c - y


def gradient(p):
    a, rate, c = p
    decay = np.exp(-rate * t)
    return np.column_stack([decay, -a * t * decay, np.ones(9)])
""",
        Bug("sign", "[decay, -a * t * decay", "[decay, a * t * decay"),
        Bug("chain", "-a * t * decay", "-a * decay", also="t"),
        Bug("permuted", "[decay, -a * t * decay, np", "[-a * t * decay, decay, np"),
        Bug("function", "np.ones(9)", "np.zeros(9)", also="ones|missing"),
        Bug("sign", "np.exp(-rate * t)\n    return np", "np.exp(rate * t)\n    return np"),
        what="jacobian",
    ),
    case(
        "logistic_hessian",
        """
X = rng.normal(size=(20, 3))
y = rng.integers(0, 2, 20)
lam = 0.5
at = rng.normal(size=3)


def f(w):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z) + 0.5 * lam * w @ w


def gradient(w):
    p = 1 / (1 + np.exp(-X @ w))
    return X.T @ ((p * (1 - p))[:, None] * X) + lam * np.eye(3)
""",
        Bug("chain", "(p * (1 - p))", "(1 - p)", also="p"),
        Bug("missing term", " + lam * np.eye(3)", ""),
        Bug("factor", "+ lam * np.eye(3)", "+ 2 * lam * np.eye(3)", number=2),
        Bug("sign", "np.exp(-X @ w))\n    return X", "np.exp(X @ w) ** 2)\n    return X", also="exp|exponent"),
        Bug("mean", "* X) + lam", "* X) / len(y) + lam", number=20, also="len"),
        what="hessian",
    ),
    case(
        "rosenbrock_hessian",
        """
at = np.array([-1.2, 1.0, 0.4, 0.9])


def f(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def gradient(x):
    H = np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)
    d = np.zeros(4)
    d[0] = 1200 * x[0] ** 2 - 400 * x[1] + 2
    d[-1] = 200
    d[1:-1] = 202 + 1200 * x[1:-1] ** 2 - 400 * x[2:]
    return H + np.diag(d)
""",
        Bug(
            "missing term",
            "np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)",
            "np.diag(-400 * x[:-1], 1)",
            also="triangle",
        ),
        Bug("index", "** 2 - 400 * x[2:]", "** 2 - 400 * x[1:-1]"),
        Bug("constant", "d[1:-1] = 202 +", "d[1:-1] = 200 +", also="202|the term .* (has no contribution|is missing)"),
        Bug("sign", "** 2 - 400 * x[1] + 2", "** 2 + 400 * x[1] + 2"),
        Bug("factor", "d[0] = 1200 *", "d[0] = 400 *", number=3, also="1200"),
        what="hessian",
    ),
    case(
        "normal_hessian",
        """
z = np.array([0.2, 1.4, -0.3, 0.8, 1.1])
at = np.array([0.5, 0.9])


def f(p):
    mu, sigma = p
    return len(z) * np.log(sigma) + np.sum((z - mu) ** 2) / (2 * sigma**2)


def gradient(p):
    mu, sigma = p
    r = z - mu
    cross = 2 * np.sum(r) / sigma**3
    return np.array([
        [len(z) / sigma**2, cross],
        [cross, 3 * np.sum(r**2) / sigma**4 - len(z) / sigma**2],
    ])
""",
        Bug("sign", "cross = 2 * np", "cross = -2 * np"),
        Bug("exponent", "/ sigma**3", "/ sigma**2", also="sigma|divi"),
        Bug("factor", "3 * np.sum(r**2)", "np.sum(r**2)", number=3),
        Bug("missing term", " - len(z) / sigma**2],", "],"),
        Bug("variable", "[len(z) / sigma**2, cross]", "[1 / sigma**2, cross]", also="len|5"),
        what="hessian",
    ),
]
