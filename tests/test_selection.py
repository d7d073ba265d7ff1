"""Which tests a run takes: see conftest.py."""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


class Item:
    """A test as pytest collects it."""

    def __init__(self, number: int, *markers: pytest.Mark, nodeid: str = "") -> None:
        self.number, self.nodeid = number, nodeid
        self.markers = {marker.name: marker for marker in markers}

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.markers.get(name)

    def add_marker(self, name: str) -> None:
        self.markers[name] = getattr(pytest.mark, name).mark


THOROUGH = pytest.mark.thorough.mark


@pytest.fixture
def conftest(request: pytest.FixtureRequest) -> Any:
    return request.config.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))


def chosen(conftest: Any, items: list[Item], part: tuple[int, int] | None) -> list[int]:
    items, left = items.copy(), []
    hook = SimpleNamespace(pytest_deselected=lambda items: left.extend(items))
    config = SimpleNamespace(getoption={"--part": part}.get, hook=hook)
    conftest.pytest_collection_modifyitems(config, items)
    assert sorted(item.number for item in (*items, *left)) == list(range(20))
    return [item.number for item in items]


def test_parts_hold_each_thorough_test_once_and_all_others(conftest: Any) -> None:
    items = [Item(number, *[THOROUGH] * (number % 3 > 0)) for number in range(20)]
    quick = list(range(0, 20, 3))
    parts = [chosen(conftest, items, conftest._part(f"{number}/5")) for number in range(7, 12)]
    thorough = [[number for number in part if number not in quick] for part in parts]
    assert sorted(number for part in thorough for number in part) == [number for number in range(20) if number % 3]
    assert all(thorough)
    assert all(set(quick) < set(part) for part in parts)
    assert chosen(conftest, items, conftest._part("14/16")) == quick


def test_the_first_case_and_each_nth_after_it_stay_quick(conftest: Any) -> None:
    mostly = pytest.mark.mostly_thorough(but_each=3).mark
    # ten cases of one test, the second of which is thorough anyway, and ten of another one
    items = [
        Item(number, *markers, nodeid=f"{test}[{number}]")
        for number, (test, markers) in enumerate(
            (name, [mostly, *[THOROUGH] * (name == "a" and k == 1)]) for name in "ab" for k in range(10)
        )
    ]
    assert chosen(conftest, items, None) == list(range(20))
    assert [item.number for item in items if "thorough" not in item.markers] == [0, 4, 7, 10, 13, 16, 19]


def test_a_part_that_is_asked_for_around_is_not_asked_of_what_tests_start(
    conftest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report of another project's tests failed: pytest knows no --part there."""
    monkeypatch.setenv("PART_OF_THOROUGH", "9/4")
    parser = ArgumentParser()
    conftest.pytest_addoption(SimpleNamespace(addoption=parser.add_argument))
    assert parser.parse_args([]).part == (1, 4)
    assert "PART_OF_THOROUGH" not in os.environ


@pytest.mark.parametrize("text", ["", "3", "3/", "/16", "3/0", "-1/16", "N/16"])
def test_what_is_no_part_is_refused(conftest: Any, text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write N/COUNT, for example 3/16"):
        conftest._part(text)
