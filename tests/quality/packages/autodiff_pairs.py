"""Pairs of JAX and of autograd: a model with the gradient that the package derives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import autograd
import autograd.numpy as anp
import autograd.scipy.special as asp
import autograd.scipy.stats as ast
import jax
import jax.numpy as jnp
import numpy as np

from .pair import Pair, design, pair


def models(np_: Any, special: Any, norm: Any, rows: int) -> Iterator[tuple[str, Any, Any, Any]]:
    """Losses in the namespace of a package: each with a point, and the gradient of its regulariser."""
    X, eta, random = design(rows)
    y, signs = eta + random.normal(size=rows), np.where(random.random(rows) < 0.5, 1.0, -1.0)
    count = random.poisson(np.exp(eta)) * 1.0
    at, hidden = [0.2, 0.4, -0.3, 0.1], random.normal(size=15)
    yield ("ridge", lambda w: 0.5 * np_.sum((X @ w - y) ** 2) + 0.35 * np_.sum(w**2), at, lambda w: 0.7 * w)
    yield (
        "logistic",
        lambda w: np_.mean(np_.logaddexp(0.0, -signs * (X @ w))) + 0.05 * np_.sum(w**2),
        at,
        lambda w: 0.1 * w,
    )
    yield ("poisson", lambda w: np_.sum(np_.exp(X @ w) - count * (X @ w) + special.gammaln(count + 1)), at, None)
    yield ("normal law", lambda w: -np_.sum(norm.logpdf(y, X @ w[:4], np_.exp(w[4]))), [*at, 0.2], None)
    yield ("network", lambda w: np_.mean((np_.tanh(X @ w[:12].reshape(4, 3)) @ w[12:] - y) ** 2), hidden, None)


def rosenbrock(np_: Any) -> Any:
    """Return Rosenbrock's function in the namespace of a package."""
    return lambda x: np_.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def with_jax() -> Iterator[Pair]:
    """Return the pairs of JAX."""
    jax.config.update("jax_enable_x64", True)
    for rows in (30, 1000):
        for name, f, at, penalty in models(jnp, jax.scipy.special, jax.scipy.stats.norm, rows):
            yield pair(f"jit {name} {rows}", jax.jit(f), jax.jit(jax.grad(f)), at, rows=rows, penalty=penalty)
    for name in ("softplus", "gelu", "elu", "log_sigmoid"):
        f = jax.jit(lambda x, name=name: jnp.sum(getattr(jax.nn, name)(x)))
        yield pair(f"jit {name}", f, jax.jit(jax.grad(f)), [-1.7, -0.3, 0.4, 1.2])
    yield pair("jit rosenbrock", jax.jit(rosenbrock(jnp)), jax.jit(jax.grad(rosenbrock(jnp))), [0.3, -0.4, 0.8])


def with_autograd() -> Iterator[Pair]:
    """Return the pairs of autograd."""
    for rows in (30, 1000):
        for name, f, at, penalty in models(anp, asp, ast.norm, rows):
            yield pair(f"{name} {rows}", f, autograd.grad(f), at, rows=rows, penalty=penalty)
    yield pair("rosenbrock", rosenbrock(anp), autograd.grad(rosenbrock(anp)), [0.3, -0.4, 0.8])
