"""The first wrong value of a recursion, and what is wrong in the line that gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites.first_wrong import Watch, known_of, slopes_of, suspects_of
from diffcompare.verdict.rewrites.rewriting import Rewriting
from diffcompare.verdict.rewrites.running import Body, Change, bodies_of
from diffcompare.verdict.rewrites.syntax import Names, sites_of

from ...quality.mistakes.case import load  # noqa: TID252 - tests are no package
from ...quality.mistakes.sequences import CASES  # noqa: TID252 - tests are no package


@pytest.mark.parametrize(
    ("number", "text", "message"),
    [(1, "da + dK * v", "the term -(da * K) is missing"), (4, "v * da / S", "the factor 2 is missing in v * da")],
)
def test_what_is_missing_is_found_in_the_line_of_the_first_wrong_value(
    number: int, text: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (planted,) = (one for one in CASES if one.name == "local_level")
    module = load(planted.edit(planted.bugs[number]).text.replace("size=40", "size=16"), tmp_path, "planted")
    # no other line may be tried
    for name in ("usual", "missing", "rare"):
        whole = getattr(Rewriting, name)
        monkeypatch.setattr(Rewriting, name, lambda some, whole=whole: None if some.line is None else whole(some))
    marks = [one for one in dc.check_gradient(module.f, module.gradient, module.at).marks if one.role == "gradient"]
    assert (marks[0].text, marks[0].message) == (text, message)
    assert all(one.message.startswith("or here: ") for one in marks[1:])


NUMBERS = np.array([0.3, 0.7, 1.1, 1.9])


def adds_once_too_much(x: Any) -> Any:
    total = 0.0
    for k in range(4):
        twice = 2 * x[k]
        part = twice + (k == 2)
        total = total + part
    return total


def test_a_suspect_tells_when_its_value_is_first_wrong_and_what_gave_it() -> None:
    (body,) = bodies_of(adds_once_too_much)

    def run(body: Body, changes: Sequence[Change]) -> Any:
        with body.changed(changes) as gradient:
            return gradient(NUMBERS)

    known = known_of(np.array([2 * NUMBERS, np.cumsum(2 * NUMBERS)]).reshape(-1))
    found = list(suspects_of(body, list(sites_of(body.definition)), known, Names(()), run))
    assert [(one.line.writes, one.number, one.share) for one in found] == [("part", 3, 0.75)]
    assert [(line.writes, time) for line, time in found[0].feeding] == [("twice", 3)]


def test_what_is_known_is_so_to_nine_digits_and_up_to_its_sign() -> None:
    known = known_of(np.array([0.5, 2.0]))
    assert known.has(np.array([-2.0, 0.0, 0.5]))
    assert known.has(2.0 * (1 + 1e-10))
    assert known.has(2.0 * (1 + 1e-7)) is False
    assert known.has(np.array([2.0, 0.7])) is False
    assert known.has(9.0) is False
    assert known.has(1e-300) is False
    assert [known.has(value) for value in (0.0, 3, "a", np.zeros(2), np.array([], float))] == [None] * 5


def test_a_watch_ends_what_is_wrong_at_its_time_alone() -> None:
    watch = Watch(known_of(np.array([1.0])), 2, on=True)
    watch(3.0)
    with pytest.raises(ArithmeticError):
        watch(3.0)
    watch(3.0)
    watch = Watch(known_of(np.array([1.0])), 1)
    watch(3.0)


def test_slopes_are_known_in_any_order_and_in_one_variable_but_not_where_two_values_are_alike() -> None:
    slopes = slopes_of(np.array([3.0, 1.0, 2.0, 2.0]), np.array([[0.3, 7.0], [0.1, 5.0], [0.2, 6.0], [0.2, 9.0]]))
    assert slopes.are(np.array([0.3, 7.0]), 3.0)
    assert slopes.are(7.0, 3.0)
    assert slopes.are(np.array([[0.3, 0.1], [7.0, 5.0]]), np.array([3.0, 1.0]))
    assert slopes.are(np.array([[0.3, 7.0], [0.1, 5.0]]), np.array([3.0, 1.0]))
    assert slopes.are(np.array([0.3, 5.0]), np.array([3.0, 1.0])) is False
    assert slopes.are(-7.0, 3.0) is False
    assert slopes.are(0.2, 2.0) is None
    assert slopes.are(0.3, 3.1) is None
    assert slopes.are(np.zeros(3), 3.0) is None


def test_slopes_in_some_variables_are_known_as_well() -> None:
    slopes = slopes_of(np.array([1.0, 3.0]), np.array([[0.1, 5.0, 4.0], [0.3, 7.0, 8.0]]))
    assert slopes.are(np.array([0.3, 7.0]), 3.0)
    assert slopes.are(np.array([[5.0, 4.0], [7.0, 8.0]]), np.array([1.0, 3.0]))
    assert slopes.are(np.array([0.3, 8.0]), 3.0) is False


def test_a_list_is_known_if_what_it_holds_is() -> None:
    known = known_of(np.array([0.5, 2.0]))
    assert known.has([np.array([0.5, 2.0]), "a", (2.0,)])
    assert known.has([np.array([0.5, 2.0]), (3.1,)]) is False
    assert known.has(["a", 3]) is None


def test_lists_have_no_slopes() -> None:
    slopes = slopes_of(np.array([0.5, 2.0]), np.array([[1.0], [3.0]]))
    assert slopes.are(2 * [np.array([1.0]), (2.0, 3.0)], np.array([0.5])) is None
    assert slopes.are(1.0, [0.5, (2.0, 3.0)]) is None


def test_what_is_added_may_be_known_where_the_sum_is_not() -> None:
    watch = Watch(known_of(np.array([1.0])), 1, on=True)
    watch.added(1.0)
    watch(3.0)
