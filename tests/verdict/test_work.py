"""What a check of opaque code does not do twice: counted, not timed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.certify import reference
from diffcompare.errors import TraceError
from diffcompare.symbolic import derivatives
from diffcompare.tracing import paths
from diffcompare.verdict import deviation, difference, identity
from diffcompare.verdict.traced import trace

# nor the search for places
pytestmark = pytest.mark.places
X = np.array([0.75, -1.25])


def function(x: Any) -> Any:
    return np.sum(np.abs(x) * x) + np.abs(x[0] - 0.75) * (x[0] - 0.75)


def opaque(x: Any) -> Any:
    return np.array([float(repr(float(v))) for v in (1 + 1e-6) * 2 * np.abs(x)])


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []
    original = getattr(module, name)

    def count(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(module, name, count)
    return calls


def test_both_sides_of_the_point_are_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, reference, "one_sided_derivative")
    assert "wrong" in dc.check_gradient(function, opaque, X).components["status"].tolist()
    asked = [(*point, i) for _, point, i in calls if list(point) == X.tolist()]
    assert len(asked) == len(set(asked)) == 2


def test_on_a_line_the_point_itself_is_not_certified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, deviation, "certified_partials")
    dc.check_gradient(function, opaque, X)
    assert calls
    assert all(point != X.tolist() for _, point in calls)


def test_what_is_refused_once_is_tried_before_its_function_is_recorded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, refused = (counted(monkeypatch, identity, name) for name in ("trace_pair", "follow_gradient"))
    dc.check_gradient(function, opaque, X)
    assert (len(pairs), len(refused)) == (1, 2)


def test_code_that_no_trace_follows_at_the_point_is_not_tried_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, paths, "record")
    with pytest.raises(TraceError, match="could not convert string to float"):
        trace(lambda x: float(repr(float(x[0]))), 2, near=X)
    assert len(calls) == 1


def test_code_that_raises_at_the_point_is_tried_around_it() -> None:
    def code(x: Any) -> Any:
        if x[0] == X[0]:
            raise ValueError("no value here")
        return x[0] * x[1]

    assert trace(code, 2, near=X)([2.0, 3.0]) == 6.0


def test_sympy_is_not_asked_about_code(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, derivatives, "gradient_program")
    dc.check_gradient(function, opaque, 2 * X)
    assert calls == []
    assert dc.certified_gradient(dc.trace(function, 2), 2 * X).status == ["ok", "ok"]
    assert calls == []
    dc.certified_gradient(dc.parse("x*sin(x)"), 0.5)
    assert len(calls) == 1


def test_the_numbers_of_special_functions_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # once for each component: a filter of 1,000 numbers whose gradient was off took the whole time that it was given
    asked = counted(monkeypatch, difference, "needed_nodes")

    def carried(x: Any) -> Any:
        found, state = [], 0.0
        for value in x:
            state = 0.5 * state + value
            found.append(state)
        return np.array(found)

    point = np.linspace(-1, 1.5, 60)
    verdict = dc.check_gradient(
        lambda x: np.sum(carried(x) ** 2) / 2, lambda x: 1.001 * carried(carried(x)[::-1])[::-1], point
    )
    assert (verdict.status, verdict.evidence) == ("wrong", "identity")
    assert len(asked) < point.size
