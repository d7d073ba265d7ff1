"""One browser for all the tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .driver import Browser, browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        started.command("POST", "/url", {"url": "about:blank"})
        yield started


@pytest.fixture
def tab(chromium: Browser) -> Browser:
    """The browser with empty logs, on a wide light screen."""
    chromium.scheme("light")
    chromium.width(1180)
    chromium.log("browser")
    chromium.requests()
    return chromium
