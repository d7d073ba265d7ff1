"""Commands are run as if nobody had said how wide a terminal is."""

import pytest


@pytest.fixture(autouse=True)
def _of_no_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
