"""Causes are looked for here by values alone, without the source of the codes."""

import pytest

from diffcompare.verdict.repairs.pointing import Pointed


@pytest.fixture(autouse=True)
def _without_source(monkeypatch):
    monkeypatch.setattr("diffcompare.verdict.verdict.point_out", lambda _problem, _judgement, cause: Pointed((), cause))
