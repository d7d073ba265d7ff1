"""Floats of programs of arrays: rounding errors are bounded, and constants move values as they would be moved."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from flint import arb

from diffcompare.arithmetic import array_floats as module
from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.array_floats import (
    array_floats,
    erring_floats,
    is_rounded,
    moved_floats,
    strayed_floats,
    tangent_floats,
)
from diffcompare.arithmetic.balls import precision
from diffcompare.floats import unit_roundoff
from diffcompare.program.arrays import ArrayBuilder

from ..quality.array_truth import function_of, traced  # noqa: TID252 - tests are no package

NAMES: dict[str, Any] = {
    "A": np.random.default_rng(1).normal(size=(5, 5)), "v": np.random.default_rng(2).normal(size=5),
        "I": 4.0 * np.eye(5), "M": np.eye(5) > 0,
}  # fmt: skip

SOURCES = [
    "x @ A", "x @ A @ x.T @ A", "np.sum(x)", "np.sum(x * A)", "np.cumsum(x)", "np.cumsum(x - 1, axis=1)",
        "np.sum(x - x.mean())", "x.var(axis=0)",
    "np.linalg.solve(x + I, A)", "np.linalg.solve(A, x)", "np.linalg.inv(A + x)", "np.linalg.det(x + A)",
        "np.linalg.slogdet(x + A)[1]", "np.linalg.cholesky(x @ x.T + I)",
    "np.linalg.det(x)", "np.linalg.cholesky(np.where(M, 8.0, x))",
    "np.exp(x) - 1", "np.log(1 + x * 1e-9)", "np.sin(x * 1e3)", "np.tan(np.exp(x))", "(1 - np.cos(x * 1e-4)) / x ** 2",
        "x ** 7 - x ** 6", "np.hypot(x, A)", "np.arctan2(x, A)",
    "x / A", "np.sqrt(x - x.min() + 1e-12)", "np.where(M, x, A) * 3.3", "np.concatenate([x, A]) @ v",
        "np.prod(x, axis=0)", "np.tanh(x @ A / 5) @ v",
    "y = np.zeros(3)\nnp.add.at(y, [0, 1, 1, 2, 0], x[0])\nreturn y",
        "y = np.zeros((40, 5))\nnp.add.at(y, [7] * 5, x)\nreturn y", "sp.erf(x)", "sp.gammaln(1 + x)",
        "sp.logsumexp(x, axis=1)",
    "np.exp(-(x * x + np.where(M, np.inf, 0.0)))", "1 / (x + np.where(M, np.inf, A))",
    "np.einsum('ij,jk,kl->il', x, A, x)", "np.kron(x, A)", "x.T.reshape(-1)[::3] * 0.1", "np.linalg.norm(x - 0.5)",
        "np.cumprod(x, axis=1)", "np.expm1(-x)", "np.logaddexp(x, 2.0)",
]  # fmt: skip
POINTS = [np.random.default_rng(k).uniform(0.1, 1.5, (5, 5)) for k in range(5)]


def gaps(build: ArrayBuilder, node: int, floats: Any, x: Any) -> Any:
    (balls,) = array_balls(build, [node], x.reshape(-1), 333)
    with precision(333):
        return np.array(
            [float(abs(b - arb(v)).mid()) for b, v in zip(balls.reshape(-1), np.ravel(floats).tolist(), strict=True)]
        )


def exceeding(source: str, x: Any) -> bool:
    build, trace = traced(function_of(source, **NAMES), x)
    (moved,) = moved_floats(build, [trace.output], x.reshape(-1), unit=unit_roundoff)
    error = np.broadcast_to(moved.error, moved.value.shape)
    return any((gaps(build, trace.output, floats, x) > error).any() for floats in (moved.value, trace.values))


@pytest.mark.parametrize("source", SOURCES)
def test_errors_contain_the_true_error(source: str) -> None:
    assert [k for k, x in enumerate(POINTS) if exceeding(source, x)] == []


@pytest.mark.parametrize("source", SOURCES)
def test_errors_are_not_idle(source: str) -> None:
    # no more than 2^20 times what was lost at the worst of the points
    worst = 0.0
    for x in POINTS:
        build, trace = traced(function_of(source, **NAMES), x)
        (moved,) = moved_floats(build, [trace.output], x.reshape(-1), unit=unit_roundoff)
        worst = max(
            worst,
            float(
                np.max(
                    gaps(build, trace.output, moved.value, x) / np.broadcast_to(moved.error + 1e-300, moved.value.shape)
                )
            ),
        )
    assert worst > 2.0**-20


_RULES = sorted({*module._MOVES, "total", "cumulate", "scatter", "elementwise"} - {"log_determinant"})


@pytest.mark.parametrize("rule", _RULES)
def test_an_error_that_is_left_out_is_seen(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if rule in module._MOVES:
        held = module._MOVES[rule]
        monkeypatch.setitem(module._MOVES, rule, lambda node, operands, value, unit: held(node, operands, value, 0.0))
    elif rule == "elementwise":
        monkeypatch.setattr(module, "_own_error", lambda *_: 0.0)
    else:
        terms = module._terms
        monkeypatch.setattr(module, "_terms", lambda node, *rest: 0 if node.operation == rule else terms(node, *rest))
    assert any(exceeding(source, x) for source in SOURCES for x in POINTS)


def test_plain_floats_are_those_of_numpy() -> None:
    x = POINTS[0]
    build, trace = traced(function_of("np.exp(x) * A + x[0]", **NAMES), x)
    (found,) = array_floats(build, [trace.output], x.reshape(-1))
    assert found.tolist() == (np.exp(x) * NAMES["A"] + x[0]).reshape(-1).tolist()


def test_what_is_not_defined_is_nan() -> None:
    build = ArrayBuilder(1)
    singular = build.constant(np.zeros((2, 2)))
    roots = [
        build.raw("log", build.constant(-1.0)),
        build.solve(singular, singular),
        build.of_matrix("cholesky", singular),
    ]
    values = array_floats(build, roots, np.zeros(1))
    assert all(np.isnan(v).all() for v in values)
    assert all(np.isnan(m.value).all() for m in moved_floats(build, roots, np.zeros(1), unit=unit_roundoff))


# --- constants that were rounded -------------------------------------------------------------------------------------

# with constants of many digits only in c, of shape (5, 5)
WITH_CONSTANTS = [
    "x * c", "x + c", "c / x", "np.exp(c * x)", "x @ c", "c @ x @ c", "np.sum(x * c, axis=1)",
        "np.linalg.solve(c + I, x)", "np.linalg.solve(x + I, c)",
    "np.linalg.det(x + c)", "np.linalg.slogdet(x + c + I)[1]", "np.linalg.cholesky(x @ x.T + c @ c.T + I)",
        "np.where(M, c, x)", "np.cumsum(c * x, axis=0)", "c.T * x", "c[::-1, 2] * x",
    "np.concatenate([c, x])[3:7]", "x ** c", "np.hypot(x, c)", "np.arctan2(c, x)", "np.einsum('ij,ik->jk', c, x)",
        "y = c.copy()\ny[0] = x[0]\nreturn y * y",
    "y = np.zeros(3)\nnp.add.at(y, [0, 1, 1, 2, 0], c[0] * x[0])\nreturn y", "np.broadcast_to(c[0], (5, 5)) * x",
        "sp.erf(c * x)", "sp.gammaln(x + c * c)",
]  # fmt: skip


def moved_apart(source: str, draw: int) -> tuple[Any, Any]:
    """Return how far the roundings of c move a value, as it is said and as it is."""
    c = np.random.default_rng(21).uniform(0.5, 1.5, (5, 5))
    x = POINTS[1]
    plain = {k: NAMES[k] for k in ("I", "M")}
    build, trace = traced(function_of(source, c=c, **plain), x)
    (moved,) = moved_floats(build, [trace.output], x.reshape(-1), unit=unit_roundoff)
    # the same constants, moved 2^20 times as far: exactly representable, and second order is 2^-33
    roundings = module._roundings(c)[draw]
    other_build, other = traced(function_of(source, c=c + roundings * 2.0**20, **plain), x)
    here, there = (array_balls(b, [t.output], x.reshape(-1), 333)[0] for b, t in ((build, trace), (other_build, other)))
    with precision(333):
        apart = np.array([float((t - h).mid()) * 2.0**-20 for h, t in zip(here, there, strict=True)])
    return np.broadcast_to(moved.moves[draw], apart.shape), apart


@pytest.mark.parametrize("source", WITH_CONSTANTS)
@pytest.mark.parametrize("draw", [0, 1])
def test_moves_are_those_of_moved_constants(source: str, draw: int) -> None:
    said, apart = moved_apart(source, draw)
    largest = np.max(np.abs(apart))
    assert largest > 0
    # second order, and c + r·2^20 is rounded to 2^-20 of r
    assert (np.abs(said - apart) <= 2.0**-12 * largest).all()


@pytest.mark.parametrize("rule", ["contract", "solve", "cholesky", "determinant", "elementwise", "rearranged"])
def test_moves_that_are_off_are_seen(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(found: Any) -> Any:
        return module.Moved(found.value, tuple(m * (1 + 2.0**-8) for m in found.moves), found.error)

    if rule in module._MOVES:
        held = module._MOVES[rule]
        monkeypatch.setitem(module._MOVES, rule, lambda *args: off(held(*args)))
        if rule == "determinant":
            monkeypatch.setitem(module._MOVES, "log_determinant", lambda *args: off(held(*args)))
    else:
        name = "_combined" if rule == "elementwise" else "_rearranged"
        held = getattr(module, name)
        monkeypatch.setattr(
            module,
            name,
            lambda *args: off(held(*args)) if name == "_rearranged" else tuple(m * (1 + 2.0**-8) for m in held(*args)),
        )
    apart = [moved_apart(source, 0) for source in WITH_CONSTANTS]
    assert any((np.abs(said - true) > 2.0**-12 * np.max(np.abs(true))).any() for said, true in apart)


@pytest.mark.parametrize(("value", "answer"), [
    (0.0, False), (1.0, False), (0.5, False), (3.0, False), (2.0**24, False), (16777217.0, True), (0.1, True),
        (1 / 3, True), (math.pi, True), (1e300, True),
    (float(np.float32(0.1)), False), (math.inf, False), (math.nan, False), (5e-324, False), (-0.1, True),
])  # fmt: skip
def test_numbers_of_more_than_24_bits_may_be_rounded(value: float, answer: bool) -> None:
    assert bool(is_rounded(np.array(value))) == answer


def test_copies_and_powers_of_two_are_rounded_alike() -> None:
    values = np.array([0.1, 0.1, -0.1, 0.2, 0.05, 0.3, 1.0])
    for moves in module._roundings(values):
        ratio = moves[:-1] / values[:-1]
        assert len(set(ratio[:5].tolist())) == 1
        assert (np.abs(ratio) <= unit_roundoff).all()
        assert (np.abs(ratio) >= unit_roundoff / 2).all()
        assert moves[-1] == 0


def test_exact_numbers_do_not_move() -> None:
    build = ArrayBuilder(2)
    third = build.raw("divide", build.constant(1), build.constant(3))
    (moved,) = moved_floats(
        build, [build.raw("multiply", third, build.variables)], np.array([1.0, 2.0]), unit=unit_roundoff
    )
    assert moved.moves == ()


@pytest.mark.parametrize(
    "source", ["x @ A @ x.T", "np.sum(x * A)", "np.tanh(x @ A / 5) @ v", "(x + I) / A", "np.where(M, x, A) * 3.3"]
)
def test_tangents_are_the_slopes_along_two_directions(source: str) -> None:
    f, x = function_of(source, **NAMES), POINTS[0]
    build, trace = traced(f, x)
    two = tuple(np.random.default_rng(k).normal(size=x.size) for k in (8, 9))
    (moved,) = tangent_floats(build, [trace.output], x.reshape(-1), two)  # type: ignore[arg-type]
    assert (np.abs(moved.value - np.ravel(f(x))) <= moved.error).all()
    for direction, slope in zip(two, moved.moves, strict=True):
        # the complex step subtracts nothing
        expected = np.ravel(np.imag(f(x + 1e-30j * direction.reshape(x.shape)))) / 1e-30
        assert np.abs(slope - expected).max() <= 1e-13 * np.abs(expected).max()


@pytest.mark.parametrize("source", SOURCES)
def test_errors_alone_are_those_beside_moves(source: str) -> None:
    build, trace = traced(function_of(source, **NAMES), POINTS[0])
    node = trace.output
    (both,) = moved_floats(build, [node], POINTS[0].reshape(-1), unit=unit_roundoff)
    (alone,) = erring_floats(build, [node], POINTS[0].reshape(-1))
    assert alone.moves == ()
    for one, other in ((alone.value, both.value), (alone.error, both.error)):
        assert np.array_equal(one, other, equal_nan=True)


def test_what_is_infinite_by_a_number_of_the_code_has_no_error() -> None:
    build, trace = traced(function_of("np.exp(-(x * x + D))", D=np.diag([np.inf] * 5)), POINTS[0])
    (moved,) = erring_floats(build, [trace.output], POINTS[0].reshape(-1))
    assert np.isfinite(moved.error).all()
    # what is beyond the range of floats has all of it
    build, trace = traced(function_of("np.exp(1e4 * x) / np.exp(1e4 * x)"), POINTS[0])
    (moved,) = erring_floats(build, [trace.output], POINTS[0].reshape(-1))
    assert not np.isfinite(moved.error).any()


def test_a_term_may_have_been_recovered_from_its_sum() -> None:
    # 1 + e⁻²⁰: whoever takes e⁻²⁰ from it has an error u
    x = np.full((5, 5), 20.0)
    for source, least, most in (("np.exp(-x) / (1 + np.exp(-x))", 0.5, 2.0), ("np.exp(-x) / (1 + x)", 0.0, 1e-6)):
        build, trace = traced(function_of(source), x)
        (stray,) = strayed_floats(build, [trace.output], x.reshape(-1))
        assert ((least * unit_roundoff < stray) & (stray < most * unit_roundoff)).all()
