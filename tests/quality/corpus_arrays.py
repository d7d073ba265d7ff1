"""Jacobians and Hessians written by hand, right and wrong: what the checks of arrays must tell apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class ArrayCase:
    """A function and its claimed Jacobian (of an array) or Hessian (of a number), at a point.

    ``cause`` is part of the sentence that says what is wrong: None for a right claim, empty where there is no name.
    """

    name: str
    f: Callable[[Any], Any]
    claim: Callable[[Any], Any]
    at: Any
    cause: str | None = None

    def __str__(self) -> str:
        return self.name


X2 = np.array([0.4, -0.7])
X3 = np.array([0.3, -1.2, 0.7])
M = np.array([[1.0, 2.0, -1.0], [0.5, 3.0, 4.0], [-2.0, 1.5, 2.0]])
S = M @ M.T + np.eye(3)


# vector functions


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def softmax_jacobian(x):
    s = softmax(x)
    return np.diag(s) - np.outer(s, s)


def normalise(x):
    return x / np.sqrt(x @ x)


def normalise_jacobian(x):
    r = np.sqrt(x @ x)
    return (np.eye(len(x)) - np.outer(x / r, x / r)) / r


def polar(x):
    return np.array([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])])


def polar_jacobian(x):
    c, s = np.cos(x[1]), np.sin(x[1])
    return np.array([[c, -x[0] * s], [s, x[0] * c]])


def spherical(x):
    r, t, p = x[0], x[1], x[2]
    return np.array([r * np.sin(t) * np.cos(p), r * np.sin(t) * np.sin(p), r * np.cos(t)])


def spherical_jacobian(x):
    (r, t, p) = x
    st, ct, sp, cp = np.sin(t), np.cos(t), np.sin(p), np.cos(p)
    return np.array([[st * cp, r * ct * cp, -r * st * sp], [st * sp, r * ct * sp, r * st * cp], [ct, -r * st, 0 * r]])


def rotation(t):
    """The rotation by an angle, a matrix."""
    return np.array([[np.cos(t[0]), -np.sin(t[0])], [np.sin(t[0]), np.cos(t[0])]])


def rotation_jacobian(t):
    c, s = np.cos(t[0]), np.sin(t[0])
    return np.array([[[-s], [-c]], [[c], [-s]]])


def rodrigues(w):
    """A fixed vector turned about the axis w by the angle |w|."""
    a = np.sqrt(w @ w)
    v = np.array([1.0, 2.0, 3.0])
    k = w / a
    return v * np.cos(a) + np.cross(k, v) * np.sin(a) + k * (k @ v) * (1 - np.cos(a))


def rodrigues_jacobian(w):
    a = np.sqrt(w @ w)
    v = np.array([1.0, 2.0, 3.0])
    k = w / a
    da = k
    dk = (np.eye(3) - np.outer(k, k)) / a
    cross = np.array([[0.0, v[2], -v[1]], [-v[2], 0.0, v[0]], [v[1], -v[0], 0.0]])
    kv = k @ v
    return (
        np.outer(-v * np.sin(a) + np.cross(k, v) * np.cos(a) + k * kv * np.sin(a), da)
        + np.sin(a) * cross @ dk
        + (1 - np.cos(a)) * (kv * np.eye(3) + np.outer(k, v)) @ dk
    )


def residuals(x):
    t = np.array([0.5, 1.0, 1.5, 2.0])
    return x[0] * np.exp(-x[1] * t) - np.array([0.9, 0.6, 0.4, 0.3])


def residuals_jacobian(x):
    t = np.array([0.5, 1.0, 1.5, 2.0])
    e = np.exp(-x[1] * t)
    return np.stack([e, -x[0] * t * e], axis=1)


def kepler(x):
    """An implicit function: E − e·sin E = M by Newton's method; its values are [E, cos E]."""
    e, m = x[0], x[1]
    big = m
    for _ in range(12):
        big = big - (big - e * np.sin(big) - m) / (1 - e * np.cos(big))
    return np.array([big, np.cos(big)])


def kepler_jacobian(x):
    big = kepler(x)[0]
    row = np.array([np.sin(big), 1.0]) / (1 - x[0] * np.cos(big))
    return np.array([row, -np.sin(big) * row])


def relu(x):
    return np.maximum(M @ x, 0)


def relu_jacobian(x):
    return M * (M @ x > 0)[:, None]


def solved(x):
    return np.linalg.solve(S + np.diag(x), np.ones(3))


def solved_jacobian(x):
    inverse = np.linalg.inv(S + np.diag(x))
    return -inverse * (inverse @ np.ones(3))[None, :]


def cumulative(x):
    return np.cumprod(x)


def cumulative_jacobian(x):
    p = np.cumprod(x)
    return np.tril(np.outer(p, 1 / x))


# functions of one value, and their Hessians


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def rosenbrock_hessian(x):
    return np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]])


def quadratic(x):
    return 0.5 * x @ S @ x


def norm(x):
    return np.sqrt(x @ x)


def norm_hessian(x):
    return normalise_jacobian(x)


def logistic(w):
    return np.sum(np.log1p(np.exp(-(M @ w))))


def logistic_hessian(w):
    p = 1 / (1 + np.exp(M @ w))
    return M.T @ np.diag(p * (1 - p)) @ M


def huber(x):
    return np.sum(np.where(np.abs(x) <= 0.5, 0.5 * x**2, 0.5 * (np.abs(x) - 0.25)))


def huber_hessian(x):
    return np.diag(np.where(np.abs(x) <= 0.5, 1.0, 0.0))


def product(x):
    return np.prod(x)


def product_hessian(x):
    return np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])


def squared_loss(x):
    r = residuals(x)
    return 0.5 * r @ r


def squared_loss_hessian(x):
    t = np.array([0.5, 1.0, 1.5, 2.0])
    e = np.exp(-x[1] * t)
    r, j = residuals(x), residuals_jacobian(x)
    second = np.array([[0.0, -(r * t * e).sum()], [-(r * t * e).sum(), (r * x[0] * t**2 * e).sum()]])
    return j.T @ j + second


def gaussian(x):
    return np.exp(-0.5 * x @ S @ x / 16)


def gaussian_hessian(x):
    s = S / 16
    return gaussian(x) * (np.outer(s @ x, s @ x) - s)


def matrix_trace(w):
    return np.sum((w @ w) * w)


def shifted(x):
    """Hessian 0 off the diagonal."""
    return np.sum(np.sin(x) + x**4)


def with_entry(claim: Callable[[Any], Any], index: tuple[int, ...], factor: float) -> Callable[[Any], Any]:
    def changed(x):
        array = np.array(claim(x))
        array[index] = array[index] * factor
        return array

    return changed


W22 = np.array([[0.3, -0.8], [1.1, 0.4]])


def square(w):
    return w @ w


def square_jacobian(w):
    i = np.eye(2)
    return np.einsum("ik,lj->ijkl", i, w) + np.einsum("ik,lj->ijkl", w, i)


RIGHT_JACOBIANS = [
    ArrayCase("softmax", softmax, softmax_jacobian, X3),
    ArrayCase("normalise", normalise, normalise_jacobian, X3),
    ArrayCase("polar", polar, polar_jacobian, np.array([1.5, 0.7])),
    ArrayCase("spherical", spherical, spherical_jacobian, np.array([1.5, 0.7, -2.1])),
    ArrayCase("rotation", rotation, rotation_jacobian, np.array([0.6])),
    ArrayCase("rodrigues", rodrigues, rodrigues_jacobian, X3),
    ArrayCase("residuals", residuals, residuals_jacobian, np.array([1.2, 0.8])),
    ArrayCase("kepler, implicit", kepler, kepler_jacobian, np.array([0.3, 0.8])),
    ArrayCase("relu", relu, relu_jacobian, X3),
    ArrayCase("solve", solved, solved_jacobian, X3),
    ArrayCase("cumulative product", cumulative, cumulative_jacobian, X3),
    ArrayCase("square of a matrix", square, square_jacobian, W22),
    ArrayCase("linear", lambda x: M @ x, lambda x: M, X3),
]
RIGHT_HESSIANS = [
    ArrayCase("logsumexp", logsumexp, softmax_jacobian, X3),
    ArrayCase("rosenbrock", rosenbrock, rosenbrock_hessian, X2),
    ArrayCase("quadratic", quadratic, lambda x: S, X3),
    ArrayCase("norm", norm, norm_hessian, X3),
    ArrayCase("logistic", logistic, logistic_hessian, X3),
    ArrayCase("huber", huber, huber_hessian, X3),
    ArrayCase("product", product, product_hessian, X3),
    ArrayCase("squared loss", squared_loss, squared_loss_hessian, np.array([1.2, 0.8])),
    ArrayCase("gaussian", gaussian, gaussian_hessian, X3),
    ArrayCase("separable", shifted, lambda x: np.diag(-np.sin(x) + 12 * x**2), X3),
    ArrayCase("product at 0", product, product_hessian, np.array([0.0, 2.0, 3.0])),
]
WRONG_JACOBIANS = [
    ArrayCase("softmax as a diagonal", softmax, lambda x: np.diag(softmax(x) * (1 - softmax(x))), X3, ""),
    ArrayCase("softmax, sign", softmax, lambda x: -softmax_jacobian(x), X3, "sign is flipped"),
    ArrayCase(
        "normalise, not divided",
        normalise,
        lambda x: np.eye(3) - np.outer(x, x) / (x @ x),
        X3,
        r"divisor np\.sqrt\(x @ x\) is missing",
    ),
    ArrayCase("normalise, no projection", normalise, lambda x: np.eye(3) / np.sqrt(x @ x), X3, ""),
    ArrayCase("polar transposed", polar, lambda x: polar_jacobian(x).T, np.array([1.5, 0.7]), "transposed"),
    ArrayCase("linear transposed", lambda x: M @ x, lambda x: M.T, X3, "transposed"),
    ArrayCase(
        "spherical, a sign", spherical, with_entry(spherical_jacobian, (2, 1), -1), np.array([1.5, 0.7, -2.1]), "sign"
    ),
    ArrayCase(
        "residuals, n rows by 2 columns turned",
        residuals,
        lambda x: residuals_jacobian(x).T,
        np.array([1.2, 0.8]),
        None,
    ),
    ArrayCase(
        "residuals, t forgotten",
        residuals,
        lambda x: residuals_jacobian(x) / [[1.0, 0.5], [1, 1], [1, 1.5], [1, 2]],
        np.array([1.2, 0.8]),
        "",
    ),
    ArrayCase(
        "kepler, explicit only",
        kepler,
        lambda x: kepler_jacobian(x) * (1 - x[0] * np.cos(kepler(x)[0])),
        np.array([0.3, 0.8]),
        "",
    ),
    ArrayCase("relu, not masked", relu, lambda x: M, X3, ""),
    ArrayCase("solve, not negated", solved, lambda x: -solved_jacobian(x), X3, "sign is flipped"),
    ArrayCase("square of a matrix, half", square, lambda w: 0.5 * square_jacobian(w), W22, "factor 2 missing"),
    ArrayCase("rodrigues, 1e-6", rodrigues, with_entry(rodrigues_jacobian, (1, 2), 1 + 1e-6), X3, ""),
]
WRONG_HESSIANS = [
    ArrayCase("logsumexp, no outer product", logsumexp, lambda x: np.diag(softmax(x)), X3, ""),
    ArrayCase(
        "rosenbrock, half the diagonal",
        rosenbrock,
        lambda x: rosenbrock_hessian(x) * [[0.5, 1], [1, 0.5]],
        X2,
        "factor 2 missing.* on the diagonal",
    ),
    ArrayCase(
        "rosenbrock, upper triangle", rosenbrock, lambda x: np.triu(rosenbrock_hessian(x)), X2, "lower triangle is 0"
    ),
    ArrayCase("product, lower triangle", product, lambda x: np.tril(product_hessian(x)), X3, "upper triangle is 0"),
    ArrayCase("quadratic, twice", quadratic, lambda x: 2 * S, X3, "factor 2 too many"),
    ArrayCase("quadratic, the diagonal alone", quadratic, lambda x: np.diag(np.diag(S)), X3, "mixed derivatives are 0"),
    ArrayCase("norm, sign", norm, lambda x: -norm_hessian(x), X3, "sign is flipped"),
    ArrayCase("norm, unprojected", norm, lambda x: np.eye(3) / norm(x), X3, ""),
    ArrayCase("logistic, no weights", logistic, lambda w: M.T @ M, X3, ""),
    ArrayCase(
        "squared loss, Gauss-Newton",
        squared_loss,
        lambda x: residuals_jacobian(x).T @ residuals_jacobian(x),
        np.array([1.2, 0.8]),
        "",
    ),
    ArrayCase("gaussian, sign of one part", gaussian, lambda x: -gaussian(x) * S / 16, X3, ""),
    ArrayCase(
        "separable, 1e-7", shifted, with_entry(lambda x: np.diag(-np.sin(x) + 12 * x**2), (1, 1), 1 + 1e-7), X3, ""
    ),
]
