"""Forward mode on programs of arrays gives what reverse mode gives, row by row."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from diffcompare.arithmetic.array_balls import array_balls
from diffcompare.arithmetic.balls import precision
from diffcompare.errors import TraceError
from diffcompare.program import array_tangents as module
from diffcompare.program.array_adjoint import array_gradient
from diffcompare.program.array_tangents import array_tangents

from ..quality.array_truth import function_of, traced  # noqa: TID252 - tests are no package
from ..tracing.test_array_functions import CASES, NAMES, X  # noqa: TID252

BITS = 200


def disagreements(source: str) -> list[int]:
    """Return the entries of the Jacobian of which the ball by tangents and that of its row are apart."""
    build, trace = traced(function_of(source, **NAMES), X)
    forward = array_tangents(build, trace.output)
    count = build.shape(trace.output)[0]
    assert build.shape(forward) == (X.size, count)
    rows = [array_gradient(build, build.take(trace.output, np.array(k))) for k in range(count)]
    found, *expected = array_balls(build, [forward, *rows], X.reshape(-1), BITS)
    pairs = list(zip(found.T.reshape(-1), np.concatenate(expected), strict=True))
    with precision(BITS):
        return [k for k, (a, b) in enumerate(pairs) if not a.overlaps(b) or (a - b).rad() > 1e-40 * (1 + abs(b))]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("source", [source for _, source in CASES])
def test_tangents_are_the_rows_of_reverse_mode(source: str) -> None:
    factored = any(name in source for name in ("linalg", "solve", "det", "inv", "cholesky", "pinv", "lstsq"))
    with suppress(*[TraceError] * factored):
        assert disagreements(source) == []


def test_a_factorisation_is_left_to_the_rows() -> None:
    with pytest.raises(TraceError, match="the Jacobian of solve is found row by row"):
        disagreements("np.linalg.solve(x[:, :3] + I, w)")


# a source whose Jacobian needs the rule
NEEDED = {
    "reshape": "(x * x).reshape(6, 2) @ w[:2]",
    "transpose": "x.T * x[0, 0]",
    "broadcast": "np.where(np.ones((3, 4), dtype=bool), x[0] * x[1], x)",
    "take": "(x * x)[:, k]",
    "scatter": "np.add.at(y := np.zeros(3), [0, 1, 1, 2], x[0]) or y * y",
    "join": "np.concatenate([x[0], x[1] * 2])",
    "choose": "np.where(M, x, x * x)",
    "total": "x.sum(axis=1) ** 2",
    "cumulate": "np.cumsum(x, axis=1) ** 2",
    "contract": "(x @ A) @ w",
}


@pytest.mark.parametrize("name", module._RULES)
def test_a_bug_in_a_rule_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = module._RULES[name]

    def doubled(build: Any, node: Any, tangents: Any, n: int) -> int:
        return int(build.apply("multiply", build.constant(2), rule(build, node, tangents, n)))

    monkeypatch.setitem(module._RULES, name, doubled)
    assert disagreements(NEEDED[name]) != []
