"""What is looked for must be found on a busy machine, too: tests of verdicts wait longer than users."""

import pytest

from diffcompare.verdict.rewrites import apart


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_SECONDS", 30.0)
    monkeypatch.setattr(apart, "_PATIENCE", 120.0)
