"""Bugs planted in gradients written by hand: found, with the right cause, at the right place.

``python -m tests.quality.mistakes`` prints what is said of each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.marks import Mark

from ..stated import stated  # noqa: TID252 - tests are no package
from .mistakes.__main__ import main
from .mistakes.case import Bug, Case, Edit, case, load
from .mistakes.corpus import ASIDE, OPEN
from .mistakes.families import FAMILIES, repairs, says
from .mistakes.judging import Judged, Right, judge, judge_right, judge_wrong
from .mistakes.random_edits import with_random_bugs

SAMPLE = ("smoothing", "ising", "rayleigh", "griewank", "arm_jacobian")
SLOW = ("smoothing", "griewank", "arm_jacobian")
SETS = {"open": OPEN, "aside": ASIDE}


def test_the_corpus_is_as_large_as_it_should_be() -> None:
    cases = [*OPEN, *ASIDE]
    assert len({one.name for one in cases}) == len(cases) >= 60
    bugs = [bug for one in cases for bug in one.bugs]
    assert {bug.family for bug in bugs} == set(FAMILIES)
    assert len(bugs) >= 400
    assert 5 * len(ASIDE) >= len(cases)
    assert 5 * sum(len(one.bugs) for one in ASIDE) >= len(bugs)


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("one", [*OPEN, *ASIDE], ids=str)
def test_every_edit_applies_once_and_lies_in_one_statement(one: Case) -> None:
    for bug in one.bugs:
        edit = one.edit(bug)
        low, high = edit.statement(*edit.places[0])
        assert (low, high) != (0, len(edit.text)), bug
        assert edit.is_marked_by(low, len(edit.text[:high].rstrip())), bug


@pytest.mark.parametrize("one", [one for one in OPEN if one.name in SAMPLE], ids=str)
def test_every_bug_changes_the_gradient_and_leaves_the_function(one: Case, tmp_path: Path) -> None:
    changes_the_gradient_alone(one, tmp_path)


@pytest.mark.thorough
@pytest.mark.parametrize("one", [one for one in (*OPEN, *ASIDE) if one.name not in SAMPLE], ids=str)
def test_every_other_bug_changes_the_gradient_and_leaves_the_function(one: Case, tmp_path: Path) -> None:
    changes_the_gradient_alone(one, tmp_path)


def test_random_bugs_are_those_of_their_seed(tmp_path: Path) -> None:
    one = next(case for case in OPEN if case.name == "smoothing")
    drawn = with_random_bugs(one, 8, seed=1)
    assert drawn == with_random_bugs(one, 8, seed=1) != with_random_bugs(one, 8, seed=2)
    assert len(drawn.bugs) == 8
    assert len({bug.family for bug in drawn.bugs}) >= 6
    changes_the_gradient_alone(drawn, tmp_path)


def test_random_bugs_hold_no_idle_parentheses_and_what_is_true_of_all_numbers_may_be_said() -> None:
    one = next(case for case in OPEN if case.name == "gravity")
    bugs = {bug.new: bug for bug in with_random_bugs(one, 40, seed=22).bugs}
    assert "    r2 = soft**2" in bugs
    # of differences between all pairs the sum over the other axis has the other sign
    assert bugs["    return np.sum(w[:, :, None] * d, axis=0)"].also == r"\bsign\b|negat"
    assert not bugs["    r2 = soft**2"].also


def changes_the_gradient_alone(one: Case, folder: Path) -> None:
    right = load(one.right, folder, "right")
    value, slope = np.array(right.f(np.array(right.at))), np.asarray(right.gradient(np.array(right.at)))
    assert slope.shape == (*value.shape, *np.shape(right.at) * (2 if one.what == "hessian" else 1))
    for number, bug in enumerate(one.bugs):
        wrong = load(one.edit(bug).text, folder, f"wrong_{number}")
        assert np.array_equal(wrong.f(np.array(right.at)), value), bug
        claimed = np.asarray(wrong.gradient(np.array(right.at)))
        assert claimed.shape == slope.shape, bug
        assert np.abs(claimed - slope).max() > 1e-9 * np.abs(slope).max(), bug


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, marks=[pytest.mark.thorough] * (one.name in SLOW)) for one in OPEN if one.name in SAMPLE],
    ids=str,
)
def test_right_gradients_are_consistent_and_bugs_are_wrong(one: Case, tmp_path: Path) -> None:
    assert judge_right(one, tmp_path).status == "consistent"
    assert [judge_wrong(one, bug, tmp_path).status for bug in one.bugs] == ["wrong"] * len(one.bugs)


# what counts as right

SOURCE = """
at = np.array([1.0, 2.0])


def f(x):
    return x[0] ** 2 + 3 * x[1]


def gradient(x):
    first = 2 * x[0]
    for _ in range(1):
        second = 3.0 + 0 * first
    return np.array([first, second])
"""


def edited(old: str, new: str, place: str = "") -> Edit:
    bug = Bug("sign", old, new, place=place)
    return case("two", SOURCE, bug).edit(bug)


def marked(edit: Edit, text: str) -> bool:
    assert edit.text.count(text) == 1
    low = edit.text.index(text)
    return edit.is_marked_by(low, low + len(text))


def test_a_mark_is_right_if_it_contains_the_edit_within_its_statement() -> None:
    edit = edited("2 * x[0]", "2 * x[1]")
    assert marked(edit, "2 * x[1]")
    assert marked(edit, "first = 2 * x[1]")
    assert not marked(edit, "2 *")
    assert not marked(edit, "np.array([first, second])")
    assert not marked(edit, "    first = 2 * x[1]\n    for _ in range(1):")


def test_a_mark_touches_what_was_deleted_and_an_operator() -> None:
    deleted = edited("first = 2 * x[0]", "first = x[0]")
    ((low, high),) = deleted.places
    assert low == high == deleted.text.index("= x[0]") + 2
    assert marked(deleted, "first = x[0]")
    assert not marked(deleted, "x[0] ** 2")

    assert deleted.is_marked_by(low, low + 4)
    assert not deleted.is_marked_by(low + 2, low + 4)
    sign = edited("3.0 + 0 * first", "3.0 - 0 * first")
    assert marked(sign, "0 * first")
    assert marked(sign, "3.0 - 0 * first")
    assert not marked(sign, "second = ")


def test_the_statement_of_a_loop_is_its_first_line() -> None:
    edit = edited("range(1)", "range(2)")
    assert marked(edit, "range(2)")
    assert not marked(edit, "range(2):\n        second = 3.0 + 0 * first")


def test_a_place_may_be_named() -> None:
    edit = edited(
        "    for _ in range(1):\n        second = 3.0 + 0 * first\n",
        "    second = 3.0\n    second += first - first\n",
        place="first - first",
    )
    assert marked(edit, "first - first")
    assert not marked(edit, "second = 3.0")


def test_an_edit_must_be_unique() -> None:
    with pytest.raises(AssertionError, match="2 times 'x\\[0\\]'"):
        edited("x[0]", "x[1]")


@pytest.mark.parametrize(
    ("role", "column", "place"),
    [("gradient", 12, "right"), ("gradient", 4, "elsewhere"), ("f", 12, "none")],
)
def test_the_marks_of_a_verdict_are_compared_with_the_edit(
    role: str, column: int, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = Bug("factor", "first = 2 * x[0]", "first = 3 * x[0]", number=1.5)
    one = case("two", SOURCE, bug)
    line = one.right[: one.right.index(bug.old)].count("\n") + 1
    mark = Mark(role, "two_0.py", line, column, line, column + 8, "", "")
    real = dc.check_gradient
    monkeypatch.setattr("diffcompare.check_gradient", lambda *given: replace(real(*given), marks=(mark,)))
    said = judge_wrong(one, bug, tmp_path)
    assert (said.status, said.told, said.place) == ("wrong", "right", place)


@pytest.mark.parametrize(
    ("text", "kind", "family", "number", "right"),
    [
        ("factor 2 missing in the term 0.125*sum(x**2)", "factor", "factor", 2, True),
        ("factor 3 missing in the term 0.125*sum(x**2)", "factor", "factor", 2, False),
        ("this is half of it", "", "factor", 2, True),
        ("this is half of it", "", "factor", 2.5, False),
        ("the claim is 0.4 times the true value", "factor", "factor", 2.5, True),
        ("the term 2*sum(x) has no contribution", "missing term", "factor", 2, False),
        ("the factor 0.005 (1/200) is missing", "factor", "mean", 200, True),
        ("factor n missing in the term sum(x)", "factor", "mean", 12, True),
        ("the sign is flipped in component x[1]", "sign", "sign", None, True),
        ("the sign is flipped in component x[1]", "sign", "transposed", None, False),
        ("the term x[0] has no contribution", "missing term", "accumulation", None, True),
        ("the claim is a finite difference", "finite difference", "permuted", None, False),
    ],
)
def test_what_a_right_cause_says(text: str, kind: str, family: str, number: float | None, right: bool) -> None:
    assert says(text, kind, family=family, number=number) == right


@pytest.mark.parametrize(
    ("text", "old", "new", "right"),
    [
        ("the factor T is missing in np.arctanh(m)", "T * np.arctanh(m)", "np.arctanh(m)", True),
        ("the factor width is too many in width * s", "tau - s", "tau - width * s", True),
        ("the constant -1 is missing beside gamma", "(gamma - 1) * p", "gamma * p", True),
        ("the factor k is missing in np.arctanh(m)", "T * np.arctanh(m)", "np.arctanh(m)", False),
        ("the factor T is too many in np.arctanh(m)", "T * np.arctanh(m)", "np.arctanh(m)", False),
        ("the factor T * k is missing in m", "T * np.arctanh(m)", "np.arctanh(m)", False),
        ("the term -(s * p) is missing beside s", "s * (1 - p)", "s", False),
        ("a factor is missing in m", "T * m", "m", False),
        ("np.deg2rad is missing around t", "np.cos(np.deg2rad(t))", "np.cos(t)", True),
        ("np.tanh is missing around t", "np.cos(np.deg2rad(t))", "np.cos(t)", False),
        ("0.5 stands in place of 1", "np.arange(1, n + 1)", "np.arange(n) + 0.5", True),
        ("n stands in place of 1", "np.arange(1, n + 1)", "np.arange(n) + 0.5", False),
    ],
)
def test_a_cause_that_names_what_an_edit_took_away_is_right(text: str, old: str, new: str, right: bool) -> None:
    assert repairs(text, old, new) == right


def test_the_command_prints_each_bug_and_the_totals(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--case", "ising", "--family", "sign"]) == 0
    printed = capsys.readouterr().out
    assert "sign: '-(J @ m) - field' -> '-(J @ m) + field'\n    wrong by identity" in printed
    assert "right gradients" not in printed
    assert [line.split()[:3] for line in printed.splitlines() if line.startswith("all")] == [["all", "1", "1"]]


@pytest.mark.thorough
@pytest.mark.parametrize("by_values", [False, True])
def test_the_score_is_the_stated_one(by_values: bool) -> None:
    every = [one for one in OPEN if one.what == "gradient"][::36] if by_values else OPEN[::18]
    said = list(judge(every, by_values=by_values))
    right = [one for one in said if isinstance(one, Right)]
    assert [str(one.case) for one in right if one.status != "consistent"] == []
    wrong = [one for one in said if isinstance(one, Judged)]
    assert [(str(one.case), one.bug) for one in wrong if one.status != "wrong"] == []
    causes, places = Counter(one.told for one in wrong), Counter(one.place for one in wrong)
    share = "where f is known by its values alone, each thirty-sixth" if by_values else "each eighteenth"
    score = (
        f"{share}: {len(right)} functions, {len(wrong)} bugs, causes {causes['right']} right, "
        f"{causes['misleading']} misleading, places {places['right']} right, {places['elsewhere']} elsewhere"
    )
    print(f"\n{score}")
    assert score in stated("planted mistakes")
