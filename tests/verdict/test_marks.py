"""What a verdict says is shown at places of both sources, found from the nodes of the pair."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from diffcompare.tracing.spans import operand_span, resolved, source_of
from diffcompare.verdict.array_pair import trace_arrays
from diffcompare.verdict.marks import Mark, Source, places_frame
from diffcompare.verdict.pair import trace_pair
from diffcompare.verdict.problem import Problem

X = np.array([[1.0, 2.0], [3.0, 4.5], [5.25, 6.0]])
Y = np.array([0.5, 1.5, 2.5])


def loss(w: Any) -> Any:
    return np.sum((X @ w - Y) ** 2) + 0.125 * np.sum(w**2)


def claimed(w: Any) -> Any:
    r = X @ w - Y
    return X.T @ r + 0.125 * w


def problem() -> Problem:
    return Problem(loss, claimed, np.array([0.25, 0.75]), lambda v: v.copy(), np.ravel, ("x[0]", "x[1]"))


def texts(origins: Any, node: int) -> list[str]:
    return [span.text for span in map(resolved, origins[node]) if span is not None]


def test_a_mark_is_made_of_a_place_of_the_gradient() -> None:
    pair = trace_arrays(problem())
    (node,) = (k for k in pair.gradient.origins if texts(pair.gradient.origins, k) == ["X.T @ r + 0.125 * w"])
    (origin,) = pair.gradient.origins[node]
    span, whole = operand_span(origin, 1), resolved(origin)
    assert span is not None
    assert whole is not None
    mark = Mark.at(span, role="gradient", message="this is half of it")
    line = "    return X.T @ r + 0.125 * w"
    first = claimed.__code__.co_firstlineno
    assert mark == Mark(
        "gradient", "test_marks.py", first + 2, 21, first + 2, 30, "0.125 * w", "this is half of it", (line,)
    )
    frame = places_frame([mark])
    assert frame.loc[0, ["role", "line", "text", "message"]].tolist() == [
        "gradient", first + 2, "0.125 * w", "this is half of it",
    ]  # fmt: skip


def test_a_source_is_made_of_a_function() -> None:
    found = source_of(loss)
    assert found is not None
    source = Source("f", *found)
    assert (source.name, source.file, source.line) == ("loss", "test_marks.py", loss.__code__.co_firstlineno)
    assert source.text.startswith("def loss(w: Any) -> Any:\n    return np.sum(")


@pytest.mark.parametrize("arrays", [True, False])
def test_nodes_of_a_pair_have_places_in_both_codes(arrays: bool) -> None:
    pair: Any = trace_arrays(problem()) if arrays else trace_pair(problem(), exact=True, rebuilt=True)
    nodes = pair.build.nodes if arrays else pair.table.builder.nodes
    for trace, function in ((pair.function, loss), (pair.gradient, claimed)):
        source = source_of(function)
        assert source is not None
        assert all(text in source[3] for node in trace.origins for text in texts(trace.origins, node))
    # what both compute is one node
    shared = [
        (texts(pair.function.origins, k), texts(pair.gradient.origins, k))
        for k, node in enumerate(nodes)
        if node.operation == "subtract" and k in pair.gradient.origins
    ]
    assert shared == [(["X @ w - Y"], ["X @ w - Y"])] * (1 if arrays else 3)
    # the derivative is no code of anybody's
    D = pair.D if arrays else pair.D[0]
    assert D not in pair.function.origins
    assert D not in pair.gradient.origins
