"""Which of several changes that make a gradient right is meant, and what is marked where nothing decides."""

from __future__ import annotations

from pathlib import Path

import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites import rewriting

from ...quality.mistakes.case import load  # noqa: TID252 - tests are no package
from ...quality.mistakes.corpus import OPEN  # noqa: TID252 - tests are no package


def marks_of(name: str, number: int, folder: Path) -> list[tuple[str, str]]:
    (planted,) = (one for one in OPEN if one.name == name)
    module = load(planted.edit(planted.bugs[number]).text, folder, "planted")
    marks = dc.check_gradient(module.f, module.gradient, module.at).marks
    return [(one.lines[0].strip(), one.message) for one in marks if one.role == "gradient"]


def test_the_place_is_meant_after_which_no_value_is_strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # in c = target @ u / (nu * nt) the same square undoes it, but the cosine would be none
    assert marks_of("cosine", 1, tmp_path) == [
        ("du = c * u / nu - target / (nu * nt)", "this should be nu ** 2"),
    ]
    monkeypatch.setattr(rewriting, "left_strange", lambda *_: 0)
    assert len(marks_of("cosine", 1, tmp_path)) > 1


def test_two_lines_are_marked_where_nothing_decides(tmp_path: Path) -> None:
    (_, first), (line, second) = marks_of("smoothing", 2, tmp_path)
    assert (first, line) == ("this has the wrong sign", "grad = grad + gap * d_level")
    assert second.startswith("or here: ")


def test_of_two_operands_the_expression_that_holds_both_is_marked(tmp_path: Path) -> None:
    (planted,) = (one for one in OPEN if one.name == "cosine")
    module = load(planted.edit(planted.bugs[3]).text, tmp_path, "planted")
    verdict = dc.check_gradient(module.f, module.gradient, module.at)
    assert [one.text for one in verdict.marks if one.role == "gradient"] == ["nu * nu"]
    assert str(verdict.cause) == "nu stands in place of nt"


def test_what_is_subtracted_is_not_told_by_its_sign(tmp_path: Path) -> None:
    # L @ v is the function's own, and yet its sign is as good as that of the line for the values around it
    assert marks_of("triplet", 1, tmp_path) == [("grad += 2 * np.outer(L @ v, v)", "the plus should be a minus")]
