"""JAX functions handed in as they are: certified like formulas, judged in the type that they run in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.adapters import jax as adapter
from diffcompare.errors import TraceError

X = jnp.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])
Y = jnp.array([1.0, 0.0, 1.0])


def loss(w: Any) -> Any:
    p = jax.nn.sigmoid(X @ w)
    return -jnp.mean(Y * jnp.log(p) + (1 - Y) * jnp.log(1 - p)) + 0.1 * jnp.sum(w**2)


def scanned(x: Any) -> Any:
    def body(c: Any, r: Any) -> tuple[Any, Any]:
        return jnp.sin(c) * r, c

    c, ys = jax.lax.scan(body, x[0], x)
    back, _ = jax.lax.scan(body, x[1], x, reverse=True)
    return c + jnp.sum(ys) + back


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], list[float]]] = {
    "regression": (loss, [0.3, -0.2]),
    "gather": (lambda x: jnp.sum(x[jnp.array([0, 0, 2])] * x[1:4]) + x[-1] ** 3, [1.0, 2.0, 3.0, 4.0, 5.0]),
    "set": (
        lambda x: jnp.prod(x.at[1].set(x[0] ** 2)) + jnp.sum(x.at[jnp.array([0, 0])].add(x[1]) ** 2),
        [1.5, 2.0, 3.0],
    ),
    "moving": (
        lambda x: jnp.sum(jnp.pad(x, 1)[:-2] * x) + jnp.sum(jnp.tile(x, 2) * jnp.flip(jnp.concatenate([x, x**2]))),
        [1.0, -2.0, 3.0],
    ),
    "scan": (scanned, [1.0, 2.0, 3.0]),
    "fori": (lambda x: jax.lax.fori_loop(0, 5, lambda i, c: c + jnp.cos(c) * x[0], x[1]), [0.3, -2.0]),
    "branches": (
        lambda x: (
            jax.lax.cond(x[0] > 0, lambda z: z[0] * z[1], lambda z: z[1] ** 2, x) + jnp.sum(jnp.where(x > 1, x**2, 0))
        ),
        [0.5, 3.0],
    ),
    "switches": (
        lambda x: jnp.sum(jax.nn.relu(x) ** 2) + jnp.max(x) + jnp.linalg.norm(x),
        [1.0, -2.0, 3.0],
    ),
    "network": (
        lambda x: jax.nn.logsumexp(jnp.tanh(x[:4].reshape(2, 2) @ jnp.array([0.5, -1.0]) + x[4:])),
        [0.1, 0.2, 0.3, -0.4, 0.5, 1.0],
    ),
    "vmap": (lambda x: jnp.sum(jax.vmap(lambda r: jnp.dot(r, r) ** 2)(x.reshape(2, 2))), [1.0, -2.0, 3.0, 4.0]),
    "running": (lambda x: jnp.sum(jnp.cumsum(x) ** 2 * jnp.cumprod(x)) + jnp.std(x), [1.0, -2.0, 3.0]),
    "cholesky": (lambda x: jnp.linalg.cholesky(jnp.outer(x, x) + 2 * jnp.eye(2))[1, 1], [1.0, 2.0]),
    "softmax": (lambda x: jax.nn.softmax(x)[0] + jax.nn.softplus(x[1]), [1.0, 2.0, 0.5]),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_gradient_of_jax_is_its_functions(name: str) -> None:
    f, at = FUNCTIONS[name]
    verdict = dc.check_gradient(f, jax.grad(f), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity"), verdict.explain()


@pytest.mark.thorough
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_certified_gradient_of_a_jaxpr_is_near_that_of_jax_in_64_bits(name: str) -> None:
    f, at = FUNCTIONS[name]
    certified = dc.certified_gradient(dc.trace(f, (len(at),)), at)
    assert set(certified.status) == {"ok"}
    with adapter._sixty_four_bits():
        theirs = np.asarray(jax.grad(f)(jnp.asarray(at)))
    assert np.max(np.abs(certified.value - theirs)) <= 2.0**-45 * np.max(np.abs(theirs))


@pytest.mark.thorough
def test_sorted_numbers_are_judged_where_they_are() -> None:
    def f(x: Any) -> Any:
        return jnp.sort(x)[0] * jnp.median(x) + jnp.argmax(x) * x[0]

    verdict = dc.check_gradient(f, jax.grad(f), [3.0, 1.0, 2.0])
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("factor", [1 + 1e-5, -1.0, 2.0])
def test_a_wrong_gradient_is_wrong_by_identity(factor: float) -> None:
    verdict = dc.check_gradient(loss, lambda w: factor * jax.grad(loss)(w), [0.3, -0.2])
    assert (verdict.status, verdict.evidence) == ("wrong", "identity")


def test_a_missing_regulariser_is_named() -> None:
    def gradient(w: Any) -> Any:
        return X.T @ (jax.nn.sigmoid(X @ w) - Y) / 3

    verdict = dc.check_gradient(loss, gradient, [0.3, -0.2])
    assert verdict.status == "wrong"
    assert verdict.cause == "the term 0.1*(x0**2 + x1**2) has no contribution"


LOSSES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "lambda": (lambda w: float(loss(w)), lambda w: np.asarray(jax.grad(loss)(w))),
    "jit": (lambda w: float(jax.jit(loss)(jnp.array(w))), lambda w: np.array(jax.jit(jax.grad(loss))(w), dtype=float)),
    "value and gradient": (
        lambda w: float(jax.value_and_grad(loss)(w)[0]),
        lambda w: np.asarray(jax.value_and_grad(loss)(w)[1]),
    ),
    "mixed": (lambda w: float(jnp.sum(jnp.exp(w)) + 0.5 * w @ w), lambda w: np.exp(w) + w),
}


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        pytest.param(name, bits, marks=[pytest.mark.thorough] * ((name, bits) not in (("jit", 64), ("lambda", 32))))
        for name in LOSSES
        for bits in (32, 64)
    ],
)
def test_numpy_code_that_calls_jax_is_followed_into_it(name: str, bits: int) -> None:
    function, gradient = LOSSES[name]
    with jax.enable_x64(bits == 64):
        right = dc.check_gradient(function, gradient, [0.3, -0.2])
        wrong = dc.check_gradient(function, lambda w: 1.001 * gradient(w), [0.3, -0.2])
    assert (right.status, right.evidence) == ("consistent", "identity")
    assert (wrong.status, wrong.evidence) == ("wrong", "identity")


def test_float32_is_judged_as_float32_at_the_point_that_it_sees() -> None:
    # 0.3 is no float32: judged at the binary64 point its gradient would be off by 1e-8
    verdict = dc.check_gradient(loss, jax.jit(jax.grad(loss)), jnp.array([0.3, -0.2]))
    assert verdict.status == "consistent"
    assert 2.0**-26 < verdict.rounding < 2.0**-20
    assert "at=[0.30000001192092896, -0.20000000298023224]" in verdict.snippet


def test_an_own_gradient_in_numpy_is_judged_by_the_same_function() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(jnp.exp(x) * x)

    assert dc.check_gradient(f, lambda x: np.exp(x) * (1 + x), [1.5, 0.25]).status == "consistent"
    assert dc.check_gradient(f, lambda x: np.exp(x) * (1 + x) * (1 + 1e-7), [1.5, 0.25]).status == "wrong"


def test_parameters_in_a_dict_and_rows_of_points() -> None:
    def network(p: Any) -> Any:
        return jnp.sum(jnp.tanh(p["W"] @ jnp.array([0.5, -1.0]) + p["b"]) ** 2)

    at = {"b": np.array([0.5, 1.0, -1.0]), "W": np.array([[0.1, 0.2], [0.3, -0.4], [1.0, 2.0]])}
    verdict = dc.check_gradient(network, jax.grad(network), at)
    assert (verdict.status, verdict.evidence) == ("consistent", "identity")
    wrong = dc.check_gradient(network, lambda p: {**jax.grad(network)(p), "b": jnp.zeros(3)}, at)
    assert set(wrong.components.loc[wrong.components["status"] == "wrong", "component"]) == {"b[0]", "b[1]", "b[2]"}
    rows = dc.check_gradient(lambda x: jnp.sum(x**3, axis=-1), lambda x: 3 * x**2, np.arange(6.0).reshape(3, 2))
    assert (rows.status, len(rows.components)) == ("consistent", 6)


@pytest.mark.thorough
def test_an_operation_that_is_not_known_is_named_and_the_other_rungs_judge() -> None:
    def f(x: Any) -> Any:
        return jnp.sum(jnp.convolve(x, jnp.array([1.0, 2.0, 3.0])) ** 2)

    with pytest.raises(TraceError, match="the JAX operation 'conv_general_dilated' cannot be written down"):
        dc.trace(f, 3)
    verdict = dc.check_gradient(f, jax.grad(f), [1.0, -2.0, 3.0])
    assert (verdict.status, verdict.evidence) == ("consistent", "witness")


def test_a_python_branch_on_a_value_is_named() -> None:
    with pytest.raises(TraceError, match=r"JAX cannot write it down as a jaxpr .*; avoid Python branches on values"):
        dc.trace(lambda x: jnp.sin(x[0]) if x[0] > 0 else jnp.cos(x[0]), 1)


@pytest.mark.thorough
def test_jax_is_not_loaded_by_those_who_do_not_use_it() -> None:
    code = (
        "import sys, numpy as np, diffcompare as dc\n"
        "assert dc.check_gradient(lambda x: x @ x, lambda x: 2 * x, [1.0, 2.0]).ok\n"
        "print('jax' in sys.modules, 'torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert found.stdout.split() == ["False", "False"]


@pytest.mark.thorough
def test_a_gradient_that_is_asked_often_is_not_made_anew_each_time() -> None:
    made = []

    def loop(x: Any) -> Any:
        made.append(x)
        return scanned(x)

    f = adapter.adapt(loop, (np.array([1.0, 2.0, 3.0]),))
    points = np.linspace(0.1, 3.0, 120).reshape(40, 3)
    found = [f(x) for x in points]
    # the first calls are the caller's own, then it is written down once and carried out
    assert len(made) < 25
    f = adapter.adapt(scanned, (points[0],))
    assert [f(x).tobytes() for x in points[:3]] == [x.tobytes() for x in found[:3]]
    assert [np.asarray(scanned(jnp.asarray(x))).astype(y.dtype) for x, y in zip(points, found, strict=True)] == found


def test_a_function_that_branches_in_python_is_asked_itself() -> None:
    def absolute(x: Any) -> Any:
        return x[0] if float(x[0]) > 0 else -x[0]

    f = adapter.adapt(absolute, (np.array([1.0]),))
    assert [float(f(np.array([x]))) for x in (1.0, -2.0) * 20] == [1.0, 2.0] * 20


def test_what_does_not_answer_as_its_jaxpr_does_is_asked_itself() -> None:
    calls = []

    def counting(x: Any) -> Any:
        calls.append(None)
        return x[0] * len(calls)

    f = adapter.adapt(counting, (np.array([1.0]),))
    found = [float(f(np.array([1.0]))) for _ in range(30)]
    assert found == sorted(found)
    assert len(set(found)) == 30
