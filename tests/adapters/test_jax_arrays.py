"""Jacobians, Hessians, their products and slopes of JAX functions, handed in as they are."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import diffcompare as dc

A = jnp.array([[1.0, 2.0, -1.0], [0.5, -0.25, 3.0]])
AT = [0.3, -0.2, 1.1]
V = [1 / 3, -np.pi, 0.7]
HELD = jnp.array(V)


def layer(x: Any) -> Any:
    return jnp.tanh(A @ x) * jnp.exp(x[:2])


def loss(x: Any) -> Any:
    return jax.nn.logsumexp(A @ x) + 0.1 * jnp.sum(x**4)


@jax.jit
def product(x: Any, v: Any) -> Any:
    return jax.jvp(jax.grad(loss), (x,), (v,))[1]


@jax.jit
def slope(x: Any, v: Any) -> Any:
    return jax.jvp(loss, (x,), (v,))[1]


@pytest.mark.thorough
@pytest.mark.parametrize("claim", [jax.jacobian(layer), jax.jit(jax.jacfwd(layer))], ids=["reverse", "forward"])
def test_a_jacobian(claim: Any) -> None:
    verdict = dc.check_jacobian(layer, claim, AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    # 32-bit numbers are judged as such
    assert 2.0**-27 < verdict.rounding < 2.0**-20
    claim = jax.jit(claim)
    wrong = dc.check_jacobian(layer, lambda x: claim(x).at[0, 1].multiply(1.001), AT)
    assert wrong.components.loc[wrong.components["status"] == "wrong", "component"].tolist() == ["J[0, 1]"]


def test_an_own_jacobian_in_numpy() -> None:
    def jacobian(x: Any) -> Any:
        return np.diag(np.cos(x))

    assert dc.check_jacobian(jnp.sin, jacobian, AT).status == "consistent"
    assert dc.check_jacobian(jnp.sin, lambda x: jacobian(x) * (1 + 1e-7), AT).status == "wrong"


@pytest.mark.thorough
def test_a_hessian() -> None:
    verdict = dc.check_hessian(loss, jax.jit(jax.hessian(loss)), AT)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    assert dc.check_hessian(loss, lambda x: jax.hessian(loss)(x) * 1.001, jnp.array(AT)).status == "wrong"


@pytest.mark.thorough
def test_a_hessian_of_parameters_in_a_dict() -> None:
    def network(p: Any) -> Any:
        return jnp.sum(jnp.tanh(p["W"] @ jnp.array([0.5, -1.0]) + p["b"]) ** 2)

    at = {"b": jnp.array([0.5, 1.0]), "W": jnp.array([[0.1, 0.2], [0.3, -0.4]])}
    verdict = dc.check_hessian(network, jax.hessian(network), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()


@pytest.mark.thorough
@pytest.mark.parametrize("vector", [V, jnp.array(V)], ids=["numpy", "jax"])
def test_a_hessian_vector_product(vector: Any) -> None:
    verdict = dc.check_hessian(loss, product, AT, vector=vector)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    held = dc.check_hessian(loss, lambda x: product(x, HELD), AT, vector=vector)
    # a vector that the claim holds itself is not always that of 64 bits
    assert held.status != "wrong", held.explain()
    assert dc.check_hessian(loss, lambda x, v: 1.001 * product(x, v), AT, vector=vector).status == "wrong"


@pytest.mark.thorough
@pytest.mark.parametrize("claim", [slope, jax.grad(loss)], ids=["slope", "gradient"])
def test_slopes_along_random_directions(claim: Any) -> None:
    verdict = dc.check_directional(loss, claim, AT, directions=4)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()
    assert dc.check_directional(loss, lambda *given: 1.001 * claim(*given), AT, directions=4).status == "wrong"


@pytest.mark.thorough
def test_what_cannot_be_written_down_is_judged_by_its_values() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(jnp.convolve(x, jnp.array([1.0, 2.0, 3.0])) ** 2)

    verdict = dc.check_directional(f, jax.grad(f), AT, directions=2)
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")
    assert dc.check_directional(f, lambda x: 1.01 * jax.grad(f)(x), AT, directions=2).status == "wrong"


def test_a_function_that_changes_its_argument_does_not_change_the_point() -> None:
    def spoils(x: Any) -> Any:
        x[0] = 0
        return 2 * x

    at = np.array([1.0, 2.0])
    assert dc.check_gradient(lambda x: np.sum(x**2), spoils, at).status == "wrong"
    assert at.tolist() == [1.0, 2.0]
