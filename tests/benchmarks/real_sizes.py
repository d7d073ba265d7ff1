"""Losses of the size of real data, each with its gradient as people write it by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["CASES", "CHECKS", "Case", "chain", "logistic", "network"]

Vector = np.ndarray
# function, gradient, point
Case = tuple[Callable[[Vector], Any], Callable[[Vector], Vector], Vector]


def logistic(samples: int, features: int) -> Case:
    """Logistic regression with a penalty."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(samples, features)), (random.random(samples) > 0.5) * 1.0

    def f(w: Vector) -> Any:
        z = X @ w
        return np.mean(np.log1p(np.exp(-z)) + (1 - y) * z) + 0.01 * np.sum(w**2)

    def gradient(w: Vector) -> Vector:
        p = 1 / (1 + np.exp(-(X @ w)))
        return X.T @ (p - y) / samples + 0.02 * w

    return f, gradient, random.normal(size=features)


def network(samples: int, guard: float = 0.0) -> Case:
    """The textbook's network for digits: 784-50-10, sigmoid, softmax, cross-entropy."""
    random = np.random.default_rng(1)
    inputs, hidden, classes = 784, 50, 10
    x, t = random.random((samples, inputs)), np.eye(classes)[random.integers(0, classes, samples)]
    cuts = np.cumsum([inputs * hidden, hidden, hidden * classes])

    def layers(p: Vector) -> tuple[Vector, ...]:
        W1, b1, W2, b2 = np.split(p, cuts)
        W1, W2 = W1.reshape(inputs, hidden), W2.reshape(hidden, classes)
        z = 1 / (1 + np.exp(-(x @ W1 + b1)))
        a = z @ W2 + b2
        e = np.exp(a - np.max(a, axis=1, keepdims=True))
        return W2, z, e / np.sum(e, axis=1, keepdims=True)

    def f(p: Vector) -> Any:
        return -np.sum(t * np.log(layers(p)[2] + guard)) / samples

    def gradient(p: Vector) -> Vector:
        W2, z, y = layers(p)
        dy = (y - t) / samples
        da = dy @ W2.T * z * (1 - z)
        return np.concatenate([(x.T @ da).ravel(), da.sum(axis=0), (z.T @ dy).ravel(), dy.sum(axis=0)])

    return f, gradient, random.normal(size=cuts[-1] + classes) * 0.05


def gaussian_process(points: int) -> Case:
    """The likelihood of a Gaussian process: Cholesky in f, the inverse in the gradient."""
    random = np.random.default_rng(2)
    X = np.sort(random.random(points))
    y, squares = np.sin(6 * X) + 0.1 * random.normal(size=points), (X[:, None] - X[None, :]) ** 2

    def kernel(t: Vector) -> Any:
        return np.exp(2 * t[0]) * np.exp(-0.5 * squares * np.exp(-2 * t[1]))

    def f(t: Vector) -> Any:
        L = np.linalg.cholesky(kernel(t) + np.exp(2 * t[2]) * np.eye(points))
        return 0.5 * y @ np.linalg.solve(L.T, np.linalg.solve(L, y)) + np.sum(np.log(np.diag(L)))

    def gradient(t: Vector) -> Vector:
        E, noise = kernel(t), np.exp(2 * t[2])
        inverse = np.linalg.inv(E + noise * np.eye(points))
        a = inverse @ y
        W = 0.5 * (inverse - np.outer(a, a))
        return np.array([np.sum(2 * W * E), np.sum(W * E * squares) * np.exp(-2 * t[1]), 2 * noise * np.trace(W)])

    return f, gradient, np.array([0.1, -1.5, -1.0])


def chain(n: int) -> Case:
    """A sum of one function of each variable."""

    def f(x: Vector) -> Any:
        return np.sum(np.sin(x) * np.exp(-(x**2)))

    def gradient(x: Vector) -> Vector:
        return np.exp(-(x**2)) * (np.cos(x) - 2 * x * np.sin(x))

    return f, gradient, np.random.default_rng(3).normal(size=n)


def rectified(samples: int) -> Case:
    """A network with a rectified layer."""
    random = np.random.default_rng(4)
    inputs, hidden = 100, 50
    x, y = random.normal(size=(samples, inputs)), random.normal(size=samples)

    def f(p: Vector) -> Any:
        W, v = p[: inputs * hidden].reshape(inputs, hidden), p[inputs * hidden :]
        return np.mean((np.maximum(x @ W, 0) @ v - y) ** 2)

    def gradient(p: Vector) -> Vector:
        W, v = p[: inputs * hidden].reshape(inputs, hidden), p[inputs * hidden :]
        a = x @ W
        h = np.maximum(a, 0)
        r = 2 * (h @ v - y) / samples
        return np.concatenate([(x.T @ (np.outer(r, v) * (a > 0))).ravel(), h.T @ r])

    return f, gradient, random.normal(size=inputs * hidden + hidden) * 0.1


def runge_kutta(steps: int) -> Case:
    """An oscillator that loses energy, by the classical method; the gradient by the equations of its sensitivities."""
    h = 0.01

    def rhs(s: Any, p: Any) -> Any:
        return np.array([s[1], -p[0] * s[0] - p[1] * s[1]])

    def slopes(S: Any, s: Any, p: Any) -> Any:
        return np.array([[0.0, 1.0], [-p[0], -p[1]]]) @ S + np.array([[0.0, 0.0], [-s[0], -s[1]]])

    def f(p: Any) -> Any:
        s = np.array([1.0, 0.0])
        for _ in range(steps):
            a = rhs(s, p)
            b = rhs(s + h / 2 * a, p)
            c = rhs(s + h / 2 * b, p)
            s = s + h / 6 * (a + 2 * b + 2 * c + rhs(s + h * c, p))
        return s @ s

    def gradient(p: Any) -> Any:
        s, S = np.array([1.0, 0.0]), np.zeros((2, 2))
        for _ in range(steps):
            a, A = rhs(s, p), slopes(S, s, p)
            b, B = rhs(s + h / 2 * a, p), slopes(S + h / 2 * A, s + h / 2 * a, p)
            c, C = rhs(s + h / 2 * b, p), slopes(S + h / 2 * B, s + h / 2 * b, p)
            d, D = rhs(s + h * c, p), slopes(S + h * C, s + h * c, p)
            s, S = s + h / 6 * (a + 2 * b + 2 * c + d), S + h / 6 * (A + 2 * B + 2 * C + D)
        return 2 * s @ S

    return f, gradient, np.array([1.3, 0.2])


def rosenbrock(n: int) -> Case:
    """SciPy's function of its name."""
    from scipy.optimize import rosen, rosen_der

    return rosen, rosen_der, np.random.default_rng(5).normal(size=n)


def residuals(samples: int, features: int) -> Case:
    """Residuals that saturate, with their Jacobian."""
    random = np.random.default_rng(6)
    X = random.normal(size=(samples, features))

    def jacobian(w: Vector) -> Vector:
        return (1 - np.tanh(X @ w) ** 2)[:, None] * X

    return lambda w: np.tanh(X @ w), jacobian, 0.1 * random.normal(size=features)


def decay(samples: int) -> Case:
    """An oscillation that decays, fitted to samples."""
    t = np.linspace(0, 4, samples)

    def jacobian(p: Vector) -> Vector:
        e, c = np.exp(-p[1] * t), np.cos(p[2] * t)
        return np.stack([e * c, -t * p[0] * e * c, -t * p[0] * e * np.sin(p[2] * t)], axis=1)

    return lambda p: p[0] * np.exp(-p[1] * t) * np.cos(p[2] * t), jacobian, np.array([1.3, 0.4, 2.0])


def tridiagonal(n: int) -> Case:
    """A nonlinear boundary value problem by finite differences."""

    def f(u: Vector) -> Vector:
        inner = u[:-2] - 2 * u[1:-1] + u[2:] + 0.1 * u[1:-1] ** 3
        return np.concatenate([[u[0]], inner, [u[-1]]])

    def jacobian(u: Vector) -> Vector:
        found, i = np.eye(n), np.arange(1, n - 1)
        found[i, i - 1] = found[i, i + 1] = 1
        found[i, i] = -2 + 0.3 * u[1:-1] ** 2
        return found

    return f, jacobian, np.random.default_rng(7).normal(size=n)


def curvature(samples: int, features: int) -> Case:
    """Logistic regression with its Hessian."""
    f, _, w = logistic(samples, features)
    random = np.random.default_rng(0)
    X = random.normal(size=(samples, features))

    def hessian(w: Vector) -> Vector:
        p = 1 / (1 + np.exp(-(X @ w)))
        return X.T @ ((p * (1 - p))[:, None] * X) / samples + 0.02 * np.eye(features)

    return f, hessian, w


CASES: dict[str, Callable[[], Case]] = {
    "logistic regression 1,000 x 20": lambda: logistic(1000, 20),
    "logistic regression 5,000 x 20": lambda: logistic(5000, 20),
    "logistic regression 100,000 x 10": lambda: logistic(100_000, 10),
    "network 784-50-10, 3 digits": lambda: network(3),
    "network 784-50-10, 100 digits": lambda: network(100),
    "the same, log(y + 1e-7) in f alone": lambda: network(100, 1e-7),
    "rectified network, 5,050 parameters": lambda: rectified(200),
    "Gaussian process, 50 points": lambda: gaussian_process(50),
    "Gaussian process, 200 points": lambda: gaussian_process(200),
    "elementwise, 10,000 variables": lambda: chain(10_000),
    "elementwise, 100,000 variables": lambda: chain(100_000),
    "elementwise, 1,000,000 variables": lambda: chain(1_000_000),
    "Runge-Kutta, 200 steps": lambda: runge_kutta(200),
    "rosen of SciPy, 1,000 variables": lambda: rosenbrock(1000),
    "rosen of SciPy, 100,000 variables": lambda: rosenbrock(100_000),
    "Jacobian of 1,000 residuals x 100": lambda: residuals(1000, 100),
    "Jacobian of 20,000 residuals x 3": lambda: decay(20_000),
    "Jacobian, tridiagonal, 1,000 x 1,000": lambda: tridiagonal(1000),
    "Hessian of logistic regression 500 x 100": lambda: curvature(500, 100),
}
# of what is no gradient
CHECKS = {name: f"check_{name.partition(' ')[0].strip(',').lower()}" for name in CASES if name[:2] in ("Ja", "He")}
