"""What is run again, and how, where a process can be copied and where it cannot."""

from __future__ import annotations

import ast
import sys
from typing import Any

import numpy as np
import pytest

from diffcompare.tracing.places import written
from diffcompare.verdict.rewrites import running
from diffcompare.verdict.rewrites.running import Change, bodies_of


class Model:
    def twice(self, w: Any) -> Any:
        return 2 * w


MODEL = Model()


def plain(w: Any) -> Any:
    return MODEL.twice(w)


def with_effects(w: Any) -> Any:
    sys.stdout.flush()
    return MODEL.twice(w)


@pytest.mark.parametrize(("copied", "found"), [(True, ["plain", "twice", "with_effects", "twice"]), (False, ["plain"])])
def test_only_a_copy_of_the_process_runs_code_with_effects_and_changes_code_in_place(
    copied: bool, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "APART", copied)
    others = {written(Model.twice.__code__)}
    assert [one.function.__name__ for f in (plain, with_effects) for one in bodies_of(f, others)] == found


WEIGHTS = np.array([1.0, 2.0])


def scaled(x: Any, by: Any) -> Any:
    return x * by


def held(x: Any) -> Any:
    return scaled(x, WEIGHTS)


@pytest.mark.skipif(not running.APART, reason="nothing is changed in place")
def test_what_a_change_writes_into_what_is_the_users_is_put_back() -> None:
    _, body = bodies_of(held, function=held, shared={written(scaled.__code__)})
    assert body.function.__name__ == "scaled"
    with body.changed([Change(body.definition, "body", None, ast.parse("by *= x\nreturn by").body)]) as gradient:
        for _ in range(2):
            gradient(np.array([3.0, 5.0]))
            assert WEIGHTS.tolist() == [1.0, 2.0]
