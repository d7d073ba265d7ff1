"""What is kept of a test's comparisons: all of an ordinary test, one example and counts of a property."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.report.comparisons_page import write_comparisons
from diffcompare.testing.plugin.listening import Heard
from diffcompare.testing.record import Observation
from diffcompare.verdict.marks import Mark, Source


@dataclass
class Judged:
    status: str
    point: str
    difference: float = 0.0
    threshold: float = 0.5
    evidence: str = "identity"
    resolution: float = 0.0
    rounding: float = 0.0
    blame: str | None = None
    cause: str | None = None
    notes: tuple[str, ...] = ()
    snippet: str = ""
    what: str = "gradient"
    marks: tuple[Any, ...] = ()
    sources: tuple[Any, ...] = ()
    components: pd.DataFrame = field(init=False)

    def __post_init__(self) -> None:
        row = {"point": self.point, "difference": self.difference, "threshold": self.threshold}
        self.components = pd.DataFrame([row])

    def explain(self) -> str:
        return self.status


GIVEN = [
    Judged("consistent", "a"),
    Judged("wrong", "b", difference=-8.0),
    Judged("wrong", "c", difference=2.0),
    Judged("consistent", "d", difference=0.25),
]


def heard(is_property: bool, outcome: str) -> list[dict[str, Any]]:
    test = Heard("test_it", is_property, outcome)
    for judged in GIVEN:
        test.listen(Observation("gradient", judged))
    return list(test.plain()["comparisons"])


@pytest.mark.parametrize(("outcome", "point", "status"), [("failed", "c", "wrong"), ("passed", "d", "consistent")])
def test_a_property_keeps_its_last_failing_example_or_the_last_one(outcome: str, point: str, status: str) -> None:
    (kept,) = heard(True, outcome)
    assert kept["verdict"]["components"]["point"] == [point]
    assert kept["status"] == kept["verdict"]["status"] == status
    assert kept["examples"] == 4
    assert kept["statuses"] == {"consistent": 2, "wrong": 2}
    assert kept["max_threshold_ratio"] == 16.0


def test_an_ordinary_test_keeps_every_comparison() -> None:
    kept = heard(False, "failed")
    assert [each["verdict"]["components"]["point"] for each in kept] == [["a"], ["b"], ["c"], ["d"]]
    assert [each["max_threshold_ratio"] for each in kept] == [0.0, 16.0, 4.0, 0.5]
    assert [each["place"].partition(":")[0] for each in kept] == ["test_listening.py"] * 4


def test_a_difference_without_room_is_infinitely_large() -> None:
    test = Heard("test_it", False)
    for difference in (1e-300, 0.0, float("nan")):
        test.listen(Observation("gradient", Judged("wrong", "a", difference=difference, threshold=0.0)))
    ratios = [each["max_threshold_ratio"] for each in test.plain()["comparisons"]]
    assert ratios[:2] == [float("inf"), 0.0]
    assert ratios[2] != ratios[2]


def test_marked_places_and_codes_come_to_the_page_of_the_comparison(tmp_path: Path) -> None:
    mark = Mark("gradient", "model.py", 7, 11, 7, 12, "x", "this is half of it", ("    return x",))
    source = Source("gradient", "slope", "model.py", 6, "def slope(x):\n    return x\n")
    verdict = dc.check_gradient(lambda x: x * x, lambda x: x, at=3.0)
    test = Heard("test_it", False, "failed")
    test.listen(Observation("gradient", replace(verdict, marks=(mark,), sources=(source,))))
    (plain,) = json.loads(json.dumps(test.plain()))["comparisons"]
    write_comparisons([{"test": "test_it", "outcome": "failed", **plain}], tmp_path)
    text = (tmp_path / "comparison-001.html").read_text(encoding="utf-8")
    assert "return <mark>x</mark>" in text
    assert "</span>this is half of it</strong>" in text
    assert "  model.py:7  return x\n                     ^ this is half of it" in text
    # times differ from run to run
    assert "rungs" not in plain["verdict"]
