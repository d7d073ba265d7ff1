"""What is run again, and how, where a process can be copied and where it cannot."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from diffcompare.tracing.places import written
from diffcompare.verdict.rewrites import running
from diffcompare.verdict.rewrites.running import bodies_of


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
