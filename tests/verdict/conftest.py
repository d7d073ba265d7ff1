"""What is looked for must be found on a busy machine, too: tests of verdicts wait longer than users."""

import pytest

from diffcompare.verdict import identity
from diffcompare.verdict.rewrites import apart


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_SECONDS", 30.0)
    monkeypatch.setattr(apart, "_PATIENCE", 120.0)


@pytest.fixture(params=["numbers", "arrays"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Follow short codes number by number, as they are, and as arrays, as large ones are."""
    if request.param == "arrays":
        monkeypatch.setattr(identity, "_FEW", -1)
