"""Gradients that are written as code: how many functions have one, and that none is wrong.

``python -m tests.quality.mistakes --derive`` prints each.
"""

from __future__ import annotations

import pytest

from ..stated import stated  # noqa: TID252 - tests are no package
from .mistakes.__main__ import main
from .mistakes.case import Case
from .mistakes.corpus import ASIDE, OPEN
from .mistakes.deriving import derive

SAMPLE = ("huber", "ising", "gravity", "weibull", "factorisation")
SETS = {"open": OPEN, "aside": ASIDE}


@pytest.mark.parametrize("one", [one for one in OPEN if one.name in SAMPLE], ids=str)
def test_a_gradient_that_is_written_is_the_one_written_by_hand(one: Case) -> None:
    (written,) = derive([one])
    assert written.source
    assert not written.wrong


def test_a_wrong_gradient_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffcompare.verdict import derive as module

    (one,) = (one for one in OPEN if one.name == "ising")
    own = module._written
    monkeypatch.setattr(module, "_written", lambda *args: own(*args).replace("0.5 * J", "0.6 * J"))
    monkeypatch.setattr(module, "_judged", lambda *_: None)
    assert next(derive([one])).wrong


def test_the_command_prints_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--derive", "--case", "ising"]) == 0
    out = capsys.readouterr().out
    assert "def f_gradient(m):" in out
    assert "of 1 functions 1 gradients were written" in out


@pytest.mark.thorough
@pytest.mark.parametrize("name", SETS)
def test_most_functions_have_a_gradient_that_can_be_read(name: str) -> None:
    found = list(derive(SETS[name]))
    assert [str(one.case) for one in found if one.wrong] == []
    score = f"{name}: {len(found)} functions, {sum(bool(one.source) for one in found)} written"
    print(f"\n{score}")
    assert score in stated("derived gradients")
