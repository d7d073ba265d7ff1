"""Gradients that are right, wrong, or neither, and what is said of each: python reports/verdicts.py DIR."""

import sys
from dataclasses import replace

import numpy as np

import diffcompare as dc

X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
Y = np.array([1.0, 0.0, 1.0])


def loss(w):
    p = 1 / (1 + np.exp(-X @ w))
    return -np.mean(Y * np.log(p) + (1 - Y) * np.log(1 - p)) + 0.1 * np.sum(w**2)


def right(w):
    return X.T @ (1 / (1 + np.exp(-X @ w)) - Y) / 3 + 0.2 * w


def half_penalty(w):
    return X.T @ (1 / (1 + np.exp(-X @ w)) - Y) / 3 + 0.1 * w


def wrong_sign(w):
    return -right(w)


def swapped(w):
    return right(w)[::-1]


def a_billionth(w):
    return right(w) * (1 + 1e-9)


def in_float32(w):
    return right(w.astype(np.float32).astype(np.float64)).astype(np.float32)


def norm(x):
    return np.sqrt(np.sum(x**2))


def direction(x):
    return x / max(norm(x), 1e-300)


def black_box(x):
    return float(np.sin(float(x[0])) * float(x[1]))


def black_slope(x):
    return np.array([float(np.cos(float(x[0]))) * float(x[1]), float(np.sin(float(x[0])))])


CHECKS = [
    ("consistent", loss, right, [0.3, -0.2]),
    ("wrong", loss, half_penalty, [0.3, -0.2]),
    ("wrong", loss, wrong_sign, [0.3, -0.2]),
    ("wrong", loss, swapped, [0.3, -0.2]),
    ("wrong", loss, a_billionth, [0.3, -0.2]),
    ("wrong", loss, in_float32, [0.3, -0.2]),
    ("non-smooth", norm, direction, [0.0, 0.0]),
    ("consistent", black_box, black_slope, [0.5, 2.0]),
]


def verdicts():
    """Judge every gradient."""
    for _, function, gradient, at in CHECKS:
        verdict = dc.check_gradient(function, gradient, at)
        yield replace(verdict, snippet=f"diffcompare.check_gradient({function.__name__}, {gradient.__name__}, at={at})")


if __name__ == "__main__":
    dc.write_report(list(verdicts()), sys.argv[1])
