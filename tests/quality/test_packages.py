"""Gradients of published packages as their users call them: none is called wrong, and planted bugs are found."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest

import diffcompare as dc

from ..stated import stated  # noqa: TID252 - tests are no package
from .packages.__main__ import main
from .packages.judging import PACKAGES, RIGHT, judge, pairs_of, totals
from .packages.pair import both, bugs, opaque

FOUND = Path(__file__).parents[2] / "reports" / "packages.md"


def test_bugs_are_planted_where_they_change_the_gradient() -> None:
    one = both("two", lambda x: (x @ x, 2 * x), [1.0, -3.0], penalty=lambda x: x)
    said = {name: bug(one.at).tolist() for name, bug in bugs(one)}
    assert said == {
        "factor 1 + 1e-6": [2 * (1 + 1e-6), -6 * (1 + 1e-6)],
        "sign": [-2, 6],
        "zeroed component": [2, 0],
        "swapped components": [-6, 2],
        "half regulariser": [1.5, -4.5],
    }
    alone = both("one", lambda x: (x @ x, 2 * x), [1.0])
    assert [name for name, _ in bugs(alone)] == ["factor 1 + 1e-6", "sign", "zeroed component"]


@pytest.mark.thorough
def test_nothing_is_traced_through_text() -> None:
    one = both("two", lambda x: (np.sum(np.exp(x)), np.exp(x)), [0.3, -0.7])
    said = list(judge("none", [one]))
    assert [each.evidence for each in said if each.gradient == RIGHT] == ["identity", "witness"]
    assert opaque(one.gradient)(one.at).tolist() == one.gradient(one.at).tolist()


@pytest.mark.thorough
def test_the_command_counts_a_right_gradient_that_is_called_wrong_and_a_bug_that_is_missed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = both("wrong", lambda x: (x @ x, 3 * x), [1.0, -3.0])
    monkeypatch.setattr("tests.quality.packages.__main__.pairs_of", lambda package: [wrong])
    assert main(["--package", "scipy"]) == 1
    printed = capsys.readouterr().out
    assert "wrong         identity" in printed
    assert "called wrong 2 right and" in printed


def test_a_bug_that_is_called_consistent_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    one = both("two", lambda x: (x @ x, 2 * x), [1.0, -3.0])
    consistent = dc.check_gradient(one.f, one.gradient, one.at)
    monkeypatch.setattr("diffcompare.check_gradient", lambda *given: consistent)
    assert [each.missed for each in judge("none", [one]) if not each.opaque] == [False, True, True, True, True]


@pytest.mark.thorough
@pytest.mark.parametrize("package", PACKAGES)
def test_a_tenth_of_the_pairs_is_judged_as_stated(package: str) -> None:
    pytest.importorskip(package, reason=f"{package}: pip install '.[packages]'")
    said = list(judge(package, pairs_of(package)[::10]))
    assert [each.pair.name for each in said if each.gradient == RIGHT and each.status == "wrong"] == []
    assert [(each.pair.name, each.gradient) for each in said if each.missed] == []
    score = f"{package}: {totals(said)}"
    print(f"\n{score}")
    assert score in stated("real packages")


@pytest.mark.thorough
def test_what_was_found_is_still_so() -> None:
    for package in ("statsmodels.api", "copt"):
        pytest.importorskip(package, reason=f"{package}: pip install '.[packages]'")
    failed, tried = doctest.testfile(str(FOUND), module_relative=False)
    assert (failed, tried > 40) == (0, True)
