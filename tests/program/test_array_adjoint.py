"""The adjoint of every operation on arrays, beside slopes of objects; a bug in any rule is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb

from diffcompare.arithmetic import array_balls as balls_module
from diffcompare.arithmetic import array_floats as floats_module
from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.program import array_adjoint
from diffcompare.program.array_adjoint import array_gradient, sensitivities_of
from diffcompare.program.arrays import STRUCTURAL, ArrayBuilder, ArrayNode

from ..quality.array_truth import complaints_about  # noqa: TID252 - tests are no package

X = np.random.default_rng(8).uniform(0.2, 0.9, (3, 4))
NAMES: dict[str, Any] = {"A": np.random.default_rng(9).uniform(-2, 2, (4, 3)), "I": 2.0 * np.eye(3), "M": X > 0.5}

# code in which each operation occurs
RULES = {
    "reshape": ["np.exp(x).reshape(4, 3) @ x"],
    "transpose": ["np.exp(x).T + A", "np.exp(x).reshape(3, 2, 2).transpose(1, 2, 0)"],
    "broadcast": ["y = np.zeros((3, 4))\ny[:] = np.exp(x[0])\nreturn y * x",
        "y = np.zeros((3, 4))\ny[:] = np.exp(x[:, :1])\nreturn y * x"],
    "take": ["np.exp(x)[[0, 2, 0], [1, 1, 3]]"],
    "scatter": ["y = np.zeros(3)\nnp.add.at(y, [0, 1, 1, 2], np.exp(x[0]))\nreturn y"],
    "join": ["np.concatenate([np.exp(x), x * x])[2:4]"],
    "choose": ["np.where(M, np.exp(x), x[0])", "np.where(M, 2.0, np.exp(x[:, :1]))"],
    "total": ["np.exp(x).sum(axis=1)", "np.exp(x).reshape(3, 2, 2).sum(axis=(0, 2))"],
    "cumulate": ["np.exp(x).cumsum(axis=0)", "np.cumsum(np.exp(x))"],
    "contract": ["np.exp(x) @ x.T", "np.einsum('ij,ik->kj', x, np.exp(x))", "np.exp(x) @ A"],
    "solve": ["np.linalg.solve(x @ x.T + I, np.exp(x))"],
    "cholesky": ["np.linalg.cholesky(x @ x.T + I)"],
    "determinant": ["np.linalg.det(x @ A)"],
    "log_determinant": ["np.linalg.slogdet(x @ A)[1]"],
}  # fmt: skip


def test_every_operation_has_a_rule_and_a_case() -> None:
    assert set(RULES) == set(array_adjoint._RULES) == STRUCTURAL - {"variable", "constant"}


@pytest.mark.parametrize("source", [s for sources in RULES.values() for s in sources])
def test_the_rules_are_right(source: str) -> None:
    assert complaints_about(source, X, **NAMES) == []


def words(complaints: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in complaints}


def rule_with_bug(rule: Callable[..., Any], bug: str) -> Callable[..., Any]:
    def wrong(build: ArrayBuilder, index: int, node: ArrayNode, bar: int) -> Any:
        found = list(rule(build, index, node, bar))
        if bug == "last is lost":
            return found[:-1]
        scale = build.constant(1 + 2.0**-30)
        if bug == "last is off":
            return [
                (i, build.raw("multiply", scale, c) if k == len(found) - 1 else c) for k, (i, c) in enumerate(found)
            ]
        flipped = []
        for i, c in found:
            shape = build.shape(c)
            size = int(np.prod(shape, dtype=int))
            flipped.append((i, build.take(c, np.arange(size)[::-1].reshape(shape))))
        return flipped

    return wrong


@pytest.mark.parametrize("bug", ["last is lost", "last is off", "elements are exchanged"])
@pytest.mark.parametrize("operation", array_adjoint._RULES)
def test_a_bug_in_a_rule_is_seen(operation: str, bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = rule_with_bug(array_adjoint._RULES[operation], bug)
    monkeypatch.setitem(array_adjoint._RULES, operation, rule)
    assert words(complaints_about(RULES[operation][0], X, **NAMES)) == {"gradient"}


@pytest.mark.parametrize("operation", RULES)
@pytest.mark.parametrize("place", ["balls", "floats"])
def test_a_bug_in_an_operation_is_seen(operation: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = {"balls": balls_module, "floats": floats_module}[place]

    def flipped(value: Any) -> Any:
        return np.flip(value) if value.size > 1 else np.asarray(value * (1 + 2.0**-20))

    if operation in module._OF_MATRICES:
        rule = module._OF_MATRICES[operation]
        monkeypatch.setitem(module._OF_MATRICES, operation, lambda *values: flipped(rule(*values)))
    elif operation == "contract" and place == "balls":
        rule = balls_module._Run._contract
        monkeypatch.setattr(balls_module._Run, "_contract", lambda *args: flipped(rule(*args)))
    elif operation == "contract":
        rule = floats_module._einsum
        monkeypatch.setattr(floats_module, "_einsum", lambda *args: flipped(rule(*args)))
    else:
        rule = module.rearranged

        def wrong(node: ArrayNode, values: Any, zero: Any) -> Any:
            found = rule(node, values, zero)
            return flipped(found) if node.operation == operation else found

        monkeypatch.setattr(module, "rearranged", wrong)
    expected = {"balls"} if place == "balls" else {"program", "moved"}
    assert expected <= words(complaints_about(RULES[operation][0], X, **NAMES))


def test_what_does_not_move_has_the_slope_0() -> None:
    build = ArrayBuilder(3)
    gradient = array_gradient(build, build.constant(2))
    (balls,) = array_balls(build, [gradient], np.ones(3), 64)
    assert [b == arb(0) for b in balls] == [True] * 3


def test_sensitivities_of_constants_are_slopes_in_them() -> None:
    build = ArrayBuilder(3)
    weights = build.constant(np.array([0.1, 0.2, 0.3]))
    output = build.contract("i,i->", build.raw("multiply", weights, weights), build.variables)
    bars = sensitivities_of(build, output, [True] * len(build.nodes))
    (slopes,) = array_balls(build, [bars[weights]], np.array([1.0, 2.0, 4.0]), 200)
    assert [s.overlaps(2 * arb(w) * x) for s, w, x in zip(slopes, (0.1, 0.2, 0.3), (1, 2, 4), strict=True)] == [
        True
    ] * 3


def test_a_sum_hands_on_a_number() -> None:
    build = ArrayBuilder(5)
    sine = build.raw("sin", build.variables)
    gradient = array_gradient(build, build.apply("multiply", build.constant(3), build.total(sine, (0,))))
    node = build.nodes[gradient]
    factor, cosine = (build.nodes[i] for i in node.operands)
    assert (node.operation, factor.payload, factor.shape, cosine.operation) == ("multiply", 3, (), "cos")
    # 1 is no factor
    assert build.nodes[array_gradient(build, build.total(sine, (0,)))].operation == "cos"
