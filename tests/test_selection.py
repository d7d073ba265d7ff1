"""Which tests a run takes: see conftest.py."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@dataclass(frozen=True)
class Item:
    number: int

    def get_closest_marker(self, name: str) -> bool:
        return name == "thorough" and self.number % 3 > 0


@pytest.fixture
def conftest(request: pytest.FixtureRequest) -> Any:
    return request.config.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))


def part_of(conftest: Any, text: str) -> list[int]:
    items = [Item(number) for number in range(20)]
    left: list[Item] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
    conftest.pytest_collection_modifyitems(
        SimpleNamespace(getoption={"--part": conftest._part(text)}.get, hook=hook), items
    )
    assert sorted(item.number for item in (*items, *left)) == list(range(20))
    return [item.number for item in items]


def test_parts_hold_each_thorough_test_once_and_no_other(conftest: Any) -> None:
    parts = [part_of(conftest, f"{number}/5") for number in range(7, 12)]
    assert sorted(number for part in parts for number in part) == [number for number in range(20) if number % 3]
    assert all(parts)
    assert part_of(conftest, "14/16") == []


@pytest.mark.parametrize("text", ["", "3", "3/", "/16", "3/0", "-1/16", "N/16"])
def test_what_is_no_part_is_refused(conftest: Any, text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write N/COUNT, for example 3/16"):
        conftest._part(text)
