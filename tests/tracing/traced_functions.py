"""Functions as people write them, each construct that a trace must follow at least twice."""

from __future__ import annotations

import functools
import itertools
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "Case"]


@dataclass(frozen=True)
class Case:
    """One function, the shape of its argument, and where it is compared with the float code besides random points."""

    function: Callable[[Any], Any]
    shape: int | tuple[int, ...]
    positive: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__


FUNCTIONS: list[Case] = []


def listed(shape: int | tuple[int, ...], *, positive: bool = False) -> Callable[[Callable[[Any], Any]], Any]:
    def add(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        FUNCTIONS.append(Case(function, shape, positive))
        return function

    return add


RANDOM = np.random.default_rng(11)
DATA = RANDOM.normal(size=(12, 4))
TARGET = RANDOM.normal(size=12)
LABELS = np.array([0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1])
CLASSES = np.arange(12) % 3
SPD = DATA.T @ DATA + np.eye(4)


# chapters 3 to 5 of a book on neural networks: activations, losses, numerical gradient, layers


@listed(())
def function_1(x: Any) -> Any:
    return 0.01 * x**2 + 0.1 * x


@listed(2)
def function_2(x: Any) -> Any:
    return x[0] ** 2 + x[1] ** 2


@listed(2)
def sum_of_squares(x: Any) -> Any:
    if x.ndim == 1:
        return np.sum(x**2)
    return np.sum(x**2, axis=1)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    if x.ndim == 2:
        x = x.T
        x = x - np.max(x, axis=0)
        y = np.exp(x) / np.sum(np.exp(x), axis=0)
        return y.T
    x = x - np.max(x)
    return np.exp(x) / np.sum(np.exp(x))


def cross_entropy_error(y: Any, t: Any) -> Any:
    if y.ndim == 1:
        t = t.reshape(1, t.size)
        y = y.reshape(1, y.size)
    if t.size == y.size:
        t = t.argmax(axis=1)
    batch_size = y.shape[0]
    return -np.sum(np.log(y[np.arange(batch_size), t] + 1e-7)) / batch_size


@listed((2, 3))
def simple_net(W: Any) -> Any:
    x = np.array([0.6, 0.9])
    t = np.array([0, 0, 1])
    z = np.dot(x, W)
    return cross_entropy_error(softmax(z), t)


class TwoLayerNet:
    def __init__(self, input_size: int, hidden_size: int, output_size: int, scale: float = 0.5) -> None:
        random = np.random.default_rng(3)
        self.params = {
            "W1": scale * random.normal(size=(input_size, hidden_size)),
            "b1": np.zeros(hidden_size),
            "W2": scale * random.normal(size=(hidden_size, output_size)),
            "b2": np.zeros(output_size),
        }

    def predict(self, x: Any) -> Any:
        a1 = np.dot(x, self.params["W1"]) + self.params["b1"]
        a2 = np.dot(sigmoid(a1), self.params["W2"]) + self.params["b2"]
        return softmax(a2)

    def loss(self, x: Any, t: Any) -> Any:
        return cross_entropy_error(self.predict(x), t)


NET = TwoLayerNet(4, 5, 3)


@listed(4)
def two_layer_net_in_its_input(x: Any) -> Any:
    return NET.loss(x.reshape(1, 4), np.array([[0, 1, 0]]))


@listed(43)
def two_layer_net_in_its_weights(p: Any) -> Any:
    W1, b1 = p[:20].reshape(4, 5), p[20:25]
    W2, b2 = p[25:40].reshape(5, 3), p[40:43]
    return cross_entropy_error(softmax(sigmoid(DATA @ W1 + b1) @ W2 + b2), np.eye(3, dtype=int)[CLASSES])


class MulLayer:
    def __init__(self) -> None:
        self.x: Any = None
        self.y: Any = None

    def forward(self, x: Any, y: Any) -> Any:
        self.x, self.y = x, y
        return x * y


@listed(3)
def buying_apples(x: Any) -> Any:
    price, tax = MulLayer(), MulLayer()
    return tax.forward(price.forward(x[0], x[1]), x[2])


class Relu:
    def forward(self, x: Any) -> Any:
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out


@listed(5)
def relu_layer(x: Any) -> Any:
    return np.sum(Relu().forward(x - 0.2) ** 2)


@listed((3, 2))
def affine_and_sum_squared_error(W: Any) -> Any:
    y = np.dot(DATA[:, :3], W)
    return 0.5 * np.sum((y - np.stack([TARGET, -TARGET], axis=1)) ** 2)


@listed(6)
def batch_normalisation(x: Any) -> Any:
    mu = x.mean()
    xc = x - mu
    var = np.mean(xc**2)
    return np.sum(np.tanh(xc / np.sqrt(var + 10e-7)) * np.arange(6))


# regressions with a regulariser


@listed(4)
def least_squares(w: Any) -> Any:
    r = DATA @ w - TARGET
    return 0.5 * r @ r


@listed(4)
def ridge(w: Any, strength: float = 0.3) -> Any:
    return np.mean((np.dot(DATA, w) - TARGET) ** 2) + strength * np.linalg.norm(w) ** 2


@listed(4)
def smooth_lasso(w: Any) -> Any:
    return np.sum((DATA.dot(w) - TARGET) ** 2) / len(TARGET) + 0.1 * np.sum(np.sqrt(w**2 + 1e-4))


@listed(4)
def elastic_net(w: Any) -> Any:
    residual = TARGET - DATA @ w
    return residual.dot(residual) / 24 + 0.1 * np.abs(w).sum() + 0.05 * (w * w).sum()


@listed(4)
def logistic_regression(w: Any) -> Any:
    z = DATA @ w
    return np.sum(np.logaddexp(0, z) - LABELS * z) + 0.01 * np.vdot(w, w)


@listed((4, 3))
def multinomial_regression(W: Any) -> Any:
    z = DATA @ W
    log_z = np.log(np.exp(z).sum(axis=1))
    return (log_z - z[np.arange(12), CLASSES]).mean()


@listed(4)
def huber_regression(w: Any) -> Any:
    r = np.abs(DATA @ w - TARGET)
    return np.sum(np.where(r <= 1.0, 0.5 * r**2, r - 0.5))


@listed(4)
def quantile_regression(w: Any) -> Any:
    r = TARGET - DATA @ w
    return np.sum(np.maximum(0.3 * r, (0.3 - 1) * r))


@listed(4)
def hinge_loss(w: Any) -> Any:
    margin = (2 * LABELS - 1) * (DATA @ w)
    return np.mean(np.maximum(0, 1 - margin)) + 0.5 * np.inner(w, w)


@listed(4)
def poisson_regression(w: Any) -> Any:
    eta = np.einsum("ij,j->i", DATA, w)
    return np.sum(np.exp(eta) - LABELS * eta)


@listed(3)
def polynomial_fit(c: Any) -> Any:
    t = np.linspace(-1, 1, 9)
    return np.mean((np.polyval(c, t) - np.sin(t)) ** 2)


@listed(4)
def log_cosh_loss(w: Any) -> Any:
    return np.log(np.cosh(DATA @ w - TARGET)).mean()


@listed((2, 3))
def matrix_factorisation(U: Any) -> Any:
    V = np.array([[0.3, -0.2, 0.5], [0.1, 0.7, -0.4]])
    return np.sum((U.T @ V - np.outer([1.0, 2.0, 3.0], [0.5, 0.1, -0.3])) ** 2) + np.trace(U @ U.T)


# log-likelihoods and statistics


@listed(2, positive=True)
def normal_likelihood(p: Any) -> Any:
    mu, sigma = p
    return -np.sum(-0.5 * ((TARGET - mu) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


@listed(4)
def gaussian_log_density(x: Any) -> Any:
    L = np.linalg.cholesky(SPD)
    z = np.linalg.solve(L, x)
    return -0.5 * np.sum(z**2) - np.log(np.diag(L)).sum() - 2 * math.log(2 * math.pi)


@listed(3)
def gaussian_process(p: Any) -> Any:
    length, amplitude, noise = np.exp(p)
    t = np.arange(5) * 0.5
    K = amplitude * np.exp(-0.5 * (t[:, None] - t[None, :]) ** 2 / length**2) + (noise + 0.1) * np.eye(5)
    y = np.cos(t)
    _, logdet = np.linalg.slogdet(K)
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * logdet


@listed(3)
def gaussian_process_by_cholesky(p: Any) -> Any:
    t = np.linspace(0, 2, 4)
    K = np.exp(p[0]) * np.exp(-((t[:, None] - t) ** 2) * np.exp(p[1])) + np.exp(p[2]) * np.identity(4)
    L = np.linalg.cholesky(K + 0.1 * np.eye(4))
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, np.sin(t)))
    return 0.5 * np.dot(np.sin(t), alpha) + np.sum(np.log(np.diagonal(L)))


@listed(4)
def mixture_likelihood(p: Any) -> Any:
    weight = 1 / (1 + np.exp(-p[0]))
    first = weight * np.exp(-0.5 * (TARGET - p[1]) ** 2)
    second = (1 - weight) * np.exp(-0.5 * (TARGET - p[2]) ** 2 / np.exp(p[3]))
    return -np.log(first + second).sum()


@listed(6)
def standardised_third_moment(x: Any) -> Any:
    return np.mean(((x - np.mean(x)) / np.std(x)) ** 3)


@listed(6)
def variance_and_spread(x: Any) -> Any:
    return np.var(x, ddof=1) + x.std() + np.ptp(np.array([1.0, 4.0]))


@listed((3, 4))
def covariance_norm(x: Any) -> Any:
    c = x - x.mean(axis=0, keepdims=True)
    S = c.T @ c / (len(x) - 1)
    return np.linalg.norm(S, "fro") + np.var(x, axis=1).sum()


@listed(4)
def autocorrelation(x: Any) -> Any:
    d = np.diff(x)
    return np.sum(d[1:] * d[:-1]) / np.sum(d**2 + 0.1)


@listed(5)
def random_walk_likelihood(x: Any) -> Any:
    return np.sum(np.diff(np.concatenate(([0.0], x))) ** 2) + np.cumsum(x)[-1] ** 2


@listed(5)
def brownian_integral(x: Any) -> Any:
    path = np.cumsum(0.1 * x)
    return np.trapezoid(np.exp(path), dx=0.1)


@listed(4, positive=True)
def entropy(p: Any) -> Any:
    q = p / p.sum()
    return -np.sum(q * np.log(q))


@listed(4, positive=True)
def kullback_leibler(p: Any) -> Any:
    q = p / np.add.reduce(p)
    r = np.array([0.1, 0.2, 0.3, 0.4])
    return np.sum(np.where(r > 0, r * np.log(r / q), 0.0))


@listed(3, positive=True)
def geometric_and_harmonic_mean(x: Any) -> Any:
    return np.prod(x) ** (1 / len(x)) + len(x) / np.sum(1 / x)


# test functions of optimisation


@listed(2)
def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


@listed(6)
def rosenbrock_chain(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)


@listed(2)
def himmelblau(v: Any) -> Any:
    x, y = v
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@listed(3)
def ackley(x: Any) -> Any:
    n = len(x)
    return -20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n)) - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + math.e


@listed(3)
def rastrigin(x: Any) -> Any:
    return 10 * x.size + sum(v**2 - 10 * math.cos(2 * math.pi * v) for v in x)


@listed(4)
def griewank(x: Any) -> Any:
    return 1 + np.sum(x**2) / 4000 - np.prod(np.cos(x / np.sqrt(np.arange(1, 5))))


@listed(2)
def beale(x: Any) -> Any:
    a, b = x[0], x[1]
    return (1.5 - a + a * b) ** 2 + (2.25 - a + a * b**2) ** 2 + (2.625 - a + a * b**3) ** 2


@listed(4)
def powell_singular(x: Any) -> Any:
    return (x[0] + 10 * x[1]) ** 2 + 5 * (x[2] - x[3]) ** 2 + (x[1] - 2 * x[2]) ** 4 + 10 * (x[0] - x[3]) ** 4


@listed(3)
def levy(x: Any) -> Any:
    w = 1 + (x - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)
    return np.sin(np.pi * w[0]) ** 2 + np.sum(middle) + (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)


@listed(2)
def branin(x: Any) -> Any:
    a, b, c, r, s, t = 1.0, 5.1 / (4 * np.pi**2), 5 / np.pi, 6.0, 10.0, 1 / (8 * np.pi)
    return a * (x[1] - b * x[0] ** 2 + c * x[0] - r) ** 2 + s * (1 - t) * np.cos(x[0]) + s


# ordinary differential equations and recursions


@listed(2)
def euler_steps(y: Any) -> Any:
    for _ in range(10):
        y = y + 0.05 * np.array([y[1], -np.sin(y[0])])
    return y[0] ** 2 + y[1] ** 2


@listed(3)
def runge_kutta_lorenz(y: Any) -> Any:
    def rhs(u: Any) -> Any:
        x, y, z = u
        return np.array([10.0 * (y - x), x * (28.0 - z) - y, x * y - 8.0 / 3.0 * z])

    h = 0.01
    for _ in range(3):
        k1 = rhs(y)
        k2 = rhs(y + h / 2 * k1)
        k3 = rhs(y + h / 2 * k2)
        k4 = rhs(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y.sum()


@listed(2)
def leapfrog(state: Any) -> Any:
    q, p = state[0], state[1]
    for _ in range(5):
        p = p - 0.05 * q**3
        q = q + 0.1 * p
        p = p - 0.05 * q**3
    return 0.5 * p**2 + q**4 / 4


@listed(4)
def heat_equation(u: Any) -> Any:
    for _ in range(4):
        new = np.zeros_like(u)
        for i in range(len(u)):
            left = u[i - 1] if i > 0 else 0.0
            right = u[i + 1] if i < len(u) - 1 else 0.0
            new[i] = u[i] + 0.2 * (left - 2 * u[i] + right)
        u = new
    return np.max(np.array([1.0, 2.0])) * np.sum(u**2)


@listed(6)
def implicit_heat_step(u: Any) -> Any:
    n = len(u)
    A = 1.4 * np.eye(n) - 0.2 * np.eye(n, k=1) - 0.2 * np.eye(n, k=-1)
    return np.sum(np.linalg.solve(A, u) ** 2)


@listed(2)
def logistic_map(x: Any) -> Any:
    z = x[0]
    for _ in range(8):
        z = 3.7 * z * (1 - z) / (1 + x[1] ** 2)
    return z


@listed(4)
def kalman_step(p: Any) -> Any:
    F = np.array([[1.0, 0.1], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    x, Q = p[:2], np.diag(np.exp(p[2:]))
    P = F @ np.eye(2) @ F.T + Q
    S = H @ P @ H.T + 0.5
    K = P @ H.T @ np.linalg.inv(S)
    innovation = np.array([0.7]) - H @ (F @ x)
    x = F @ x + K @ innovation
    P = (np.eye(2) - K @ H) @ P
    return x @ x + np.trace(P) + innovation @ np.linalg.inv(S) @ innovation + np.log(np.linalg.det(S))


@listed(3)
def linear_recurrence(x: Any) -> Any:
    a, b = 1.0, 1.0
    for _ in range(6):
        a, b = b, x[0] * a + x[1] * b + x[2]
    return math.atan(b)


# finance


def normal_cdf(x: Any) -> Any:
    """A rational approximation (Abramowitz and Stegun, 26.2.17), for both signs."""
    k = 1.0 / (1.0 + 0.2316419 * abs(x))
    poly = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = poly * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return 1.0 - tail if x >= 0 else tail


@listed(3, positive=True)
def option_price(p: Any) -> Any:
    spot, sigma, time = 100 * p[0], 0.1 + p[1], 0.5 + p[2]
    d1 = (math.log(spot / 95.0) + (0.02 + sigma**2 / 2) * time) / (sigma * math.sqrt(time))
    d2 = d1 - sigma * math.sqrt(time)
    return spot * normal_cdf(d1) - 95.0 * math.exp(-0.02 * time) * normal_cdf(d2)


@listed(2, positive=True)
def binomial_tree(p: Any) -> Any:
    up = math.exp(0.2 * p[1] + 0.05)
    values = [max(p[0] * up ** (4 - 2 * k) - 1.0, 0.0) for k in range(5)]
    q = (1.01 - 1 / up) / (up - 1 / up)
    while len(values) > 1:
        values = [(q * a + (1 - q) * b) / 1.01 for a, b in itertools.pairwise(values)]
    return values[0]


@listed(5, positive=True)
def bond_yield(rates: Any) -> Any:
    discount = np.cumprod(1 / (1 + 0.1 * rates))
    return np.sum(5.0 * discount) + 100.0 * discount[-1]


@listed(3)
def portfolio(w: Any) -> Any:
    S = np.array([[0.04, 0.01, 0.0], [0.01, 0.09, 0.02], [0.0, 0.02, 0.16]])
    mu = np.array([0.05, 0.07, 0.1])
    return -(w @ mu) / np.sqrt(w @ S @ w + 1e-6)


# attention, kernels, images


@listed((3, 4))
def attention(X: Any) -> Any:
    Q, K, V = X @ SPD, X @ SPD.T / 3, X
    scores = Q @ K.T / np.sqrt(X.shape[-1]) / 20
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.sum((weights @ V) ** 2)


@listed((2, 3, 4))
def attention_with_heads(X: Any) -> Any:
    scores = np.einsum("hid,hjd->hij", X, X) / 2
    e = np.exp(scores)
    weights = e / e.sum(axis=2, keepdims=True)
    return np.einsum("hij,hjd->", weights, X)


@listed((3, 2))
def pairwise_distances(P: Any) -> Any:
    d = P[:, None, :] - P[None, :, :]
    r2 = np.sum(d**2, axis=-1)
    i, j = np.triu_indices(3, k=1)
    return np.sum(1 / (r2[i, j] + 0.1))


@listed(6)
def convolution(x: Any) -> Any:
    kernel = np.array([0.25, 0.5, 0.25])
    return np.sum(np.convolve(x, kernel, mode="valid") ** 2) + np.convolve(kernel, x)[2]


@listed((4, 4))
def image_blur(img: Any) -> Any:
    padded = np.pad(img, 1)
    out = sum(padded[1 + di : 5 + di, 1 + dj : 5 + dj] for di in (-1, 0, 1) for dj in (-1, 0, 1)) / 9
    return np.sum(out * np.roll(img, 1, axis=0))


@listed((4, 4))
def total_variation(img: Any) -> Any:
    dx, dy = np.diff(img, axis=0)[:, :-1], np.diff(img, axis=1)[:-1, :]
    return np.sqrt(dx**2 + dy**2 + 1e-3).sum()


@listed(4)
def rotation(q: Any) -> Any:
    w, x, y, z = q / np.linalg.norm(q)
    R = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    return np.sum(R @ np.array([1.0, 2.0, 3.0]) * np.array([0.3, -0.2, 0.5]))


@listed(6)
def cross_products(x: Any) -> Any:
    return np.linalg.norm(np.cross(x[:3], x[3:])) + np.kron(x[:2], x[2:4]).sum()


@listed((3, 3))
def determinant_and_trace(A: Any) -> Any:
    B = A @ A.T + 2 * np.eye(3)
    return np.linalg.det(B) / 10 + np.trace(np.linalg.inv(B))


@listed(3)
def numbers_asked_for_as_such(x: Any) -> Any:
    total = x[0] ** 2 + x[1]
    row = np.array([total]) if isinstance(total, numbers.Number) else np.zeros(1)
    return np.sum(row) * (x[2] if isinstance(x, numbers.Real) else x[1])


class Held:
    """An object that holds an array, as a cell of a crystal does."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array, dtype=float)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array(self.array, dtype=dtype)


@listed(4)
def what_objects_hold(x: Any) -> Any:
    held = Held([[2.0, 1.0], [0.0, 1.0]])
    return np.linalg.norm(Held(x)) + np.exp(Held(x)).sum() * np.sum(np.linalg.pinv(held)) + np.asarray(Held(x))[1]


class Written(Held):
    """An object whose array is written through it."""

    def __array__(self, dtype: Any = None, copy: Any = False) -> Any:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __setitem__(self, key: Any, value: Any) -> None:
        np.asarray(self)[key] = value


@listed(4)
def what_is_written_into_objects(x: Any) -> Any:
    cell = Written(np.zeros(4))
    cell[:] = Written(x**2)
    cell[1] = 3.0
    return np.sum(cell.array * x)


@listed(4)
def weights_counted_in_bins(x: Any) -> Any:
    counts = np.bincount([0, 2, 0, 1], weights=x**2, minlength=5)
    return counts @ np.arange(5.0) + counts.size * counts[0] + np.bincount([1, 1])[1] * x[3]


# choices and branches


@listed(5)
def clipped(x: Any) -> Any:
    return np.sum(np.clip(x, -0.5, 0.8) * np.arange(5)) + np.clip(x[0] + 2, 0, None)


@listed(4)
def clipped_probabilities(x: Any) -> Any:
    p = np.clip(sigmoid(x), 0.3, 0.7)
    return -np.mean(np.log(p)) + np.clip(x, a_min=None, a_max=0.1).sum()


@listed(5)
def limited_by_minimum(x: Any) -> Any:
    return np.sum(np.minimum(x, 0.3)) + np.min(x) * 2 + x.max()


@listed(4)
def selected(x: Any) -> Any:
    return np.select([x < -0.5, x < 0.5], [-x - 0.25, x**2], default=x - 0.25).sum()


@listed(4)
def selected_by_list(x: Any) -> Any:
    conditions = [x > 1, (x > 0) & (x <= 1)]
    return np.sum(np.select(conditions, [2 * x - 1, x**2]) * np.ones(4))


@listed(3)
def pieces(x: Any) -> Any:
    return np.piecewise(x, [x < 0, x >= 0], [lambda v: np.exp(v), lambda v: 1 + v]).sum()


@listed(3)
def pieces_with_constant(x: Any) -> Any:
    return np.sum(np.piecewise(x, [x > 0.5], [lambda v: v**2, 0.25]))


@listed(4)
def sinc_where_it_is_not_close_to_zero(x: Any) -> Any:
    return np.sum(np.where(np.isclose(x, 0, atol=0.5), 1 - x**2 / 6, np.sin(x) / x))  # noqa: TID251 - traced


@listed(4)
def close_to_a_list(x: Any) -> Any:
    close = np.allclose([x[0], x[1]], [0.5, 0.5], rtol=0, atol=1)  # noqa: TID251 - traced
    same = np.allclose([True, False], [True, False])  # noqa: TID251 - traced
    return x[0] ** 2 if close and same and not np.array_equal(x, DATA) else x @ x


@listed(5)
def leaky_relu_by_mask(x: Any) -> Any:
    y = np.empty_like(x)
    y[x > 0] = x[x > 0]
    y[x <= 0] = 0.1 * x[x <= 0]
    return y @ y


@listed(5)
def positive_part_by_boolean_mask(x: Any) -> Any:
    return np.sum(x[x > 0] ** 2) + (x * (x < 0.2)).sum()


@listed(2)
def branch_in_a_loop(x: Any) -> Any:
    total = 0.0
    for v in x:
        if v > 0.5:
            total += math.log(v + 1)
        elif v < -0.5:
            total -= math.sqrt(-v)
        else:
            total += v**3
    return total


@listed(3)
def barrier(x: Any) -> Any:
    level, paid = 1.0, 0.0
    for v in x:
        level = level * math.exp(0.1 * v)
        if level > 1.05:
            paid = paid + (level - 1.05)
    return paid + level


@listed(2)
def absolute_and_sign(x: Any) -> Any:
    return np.abs(x[0] - x[1]) + np.sign(x[0]) * x[1] ** 2 + abs(x[1])


@listed(4)
def largest_two(x: Any) -> Any:
    return max(x[0], x[1]) * min(x[2], x[3]) + max(0.0, x[0])


# buffers, fancy indexing, styles


@listed(5)
def buffer_filled_in_place(x: Any) -> Any:
    g = np.zeros_like(x)
    for i in range(1, len(x)):
        g[i] = x[i] * x[i - 1]
    g[0] += 2.0
    return np.sum(g**2)


@listed(4)
def buffer_of_its_own(x: Any) -> Any:
    out = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            out[i, j] = np.sin(x[i]) * np.cos(x[j])
    return np.linalg.norm(out) + out[[0, 1], [2, 3]].sum()


@listed(6)
def fancy_indexing(x: Any) -> Any:
    order = np.array([3, 1, 4, 0])
    return np.sum(x[order] * x[[0, 0, 2, 5]]) + x[-1]


@listed((2, 3))
def transposed_and_stacked(x: Any) -> Any:
    a = np.vstack([x, x.T.reshape(2, 3)])
    b = np.concatenate([x.ravel(), np.hstack([x[0], x[1]])])
    return np.sum(a**2) + np.prod(np.stack([b[:3], b[3:6]]), axis=0).sum() + np.transpose(x)[2, 1]


@listed(3)
def outer_products(x: Any) -> Any:
    return np.sum(np.outer(x, np.exp(x)) * np.multiply.outer(x, x)) / 10


@listed(3)
def by_math_functions(x: Any) -> Any:
    a, b, c = float(x[0]), float(x[1]), float(x[2])
    return math.sin(a) * math.exp(b / 3) + math.hypot(a, c) + math.atan2(b, 2 + c * c) + math.tanh(c) + math.fabs(a)


@listed(3)
def by_logsumexp(x: Any) -> Any:
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


SCALE = 0.7
OFFSETS = [0.1, 0.2, 0.3]


@listed(3)
def closures_and_globals(x: Any) -> Any:
    weights = np.array(OFFSETS)

    def inner(v: Any) -> Any:
        return np.sum(weights * v) * SCALE

    return inner(x) ** 2 + functools.reduce(lambda a, b: a * b, [inner(x + k) for k in range(2)])


@listed(3)
def comprehension_and_zip(x: Any) -> Any:
    return sum(w * math.sin(v) for w, v in zip([1, 2, 3], x, strict=True)) + len(list(x))


@listed(4)
def masked_constants(x: Any) -> Any:
    keep = TARGET[:4] > 0
    return np.sum(x[keep]) * np.mean(x) + np.where(keep, x, 2 * x).sum()


@listed(4)
def matrix_power_and_norms(x: Any) -> Any:
    A = x.reshape(2, 2)
    return np.linalg.norm(np.linalg.matrix_power(A, 3)) + np.linalg.norm(x, 1) + np.linalg.norm(x, np.inf)


@listed(4)
def weighted_average(x: Any) -> Any:
    return np.average(x, weights=[1, 2, 3, 4]) ** 2 + np.median(np.array([3.0, 1.0, 2.0]))


@listed(5)
def ufunc_methods(x: Any) -> Any:
    return np.multiply.reduce(1 + x**2) + np.add.accumulate(x)[2] + np.maximum.reduce(x)


@listed(3)
def special_ufuncs(x: Any) -> Any:
    return np.sum(
        np.log1p(x**2) + np.expm1(x / 3) + np.arctan2(x, 2.0) + np.hypot(x, 1.0) + np.square(x) + np.cbrt(3 + x**2)
    )


try:
    from scipy.special import expit, log_expit, log_softmax, logit, logsumexp, xlogy
    from scipy.special import softmax as scipy_softmax
except ImportError:
    pass
else:

    @listed(4)
    def scipy_logistic(w: Any) -> Any:
        z = DATA @ w
        return -np.sum(LABELS * log_expit(z) + (1 - LABELS) * log_expit(-z)) + expit(w[0])

    @listed((4, 3))
    def scipy_softmax_loss(W: Any) -> Any:
        z = DATA @ W
        return np.mean(logsumexp(z, axis=1)) - np.mean(log_softmax(z, axis=1)[np.arange(12), CLASSES])

    @listed(3, positive=True)
    def scipy_entropy(x: Any) -> Any:
        p = scipy_softmax(x)
        return -np.sum(xlogy(p, p)) + logit(expit(x[0]) * 0.5)

    @listed(4)
    def scipy_cross_entropy(w: Any) -> Any:
        p = expit(DATA @ w)
        return (
            -np.sum(xlogy(LABELS, p) + xlogy(1 - LABELS, 1 - p)) + logsumexp(w) + scipy_softmax(w)[0] + log_expit(w[1])
        )
