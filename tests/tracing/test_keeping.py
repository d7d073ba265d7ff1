"""What code changes while it is kept is put back, and what it leaves alone is left alone."""

from __future__ import annotations

import functools
from typing import Any

from diffcompare.tracing.keeping import kept


def cached() -> Any:
    @functools.lru_cache
    def helper(k: float) -> float:
        return 2 * k

    return helper


def test_a_cache_that_was_written_is_emptied() -> None:
    helper = cached()
    helper(1.0)
    with kept([helper]):
        helper(2.0)
    assert helper.cache_info().currsize == 0


def test_a_cache_that_was_not_asked_keeps_its_entries() -> None:
    helper = cached()
    helper(1.0)
    with kept([helper]):
        pass
    assert helper.cache_info().currsize == 1


def test_names_cells_and_contents_are_what_they_were() -> None:
    total, seen, by_name = 1.0, [1.0], {"a": 1.0}

    def f() -> None:
        nonlocal total
        total = 2.0
        seen.append(2.0)
        by_name["a"] = by_name["b"] = 2.0
        f.calls = 1  # type: ignore[attr-defined]

    with kept([f]):
        f()
        assert (total, seen, by_name) == (2.0, [1.0, 2.0], {"a": 2.0, "b": 2.0})
    assert (total, seen, by_name) == (1.0, [1.0], {"a": 1.0})
    assert not hasattr(f, "calls")
