"""The page of a ranking in headless Chromium: it asks for nothing, fits, sorts, and takes names as text."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from diffcompare.ranking import rank, scores
from diffcompare.report.ranking_page import write_ranking

from .axe import axe
from .driver import Browser

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'"


def test_the_page_of_a_ranking(tab: Browser, tmp_path: Path) -> None:
    def hopeful(f: Any, x: float) -> tuple[float, float]:
        return (f(x + 1e-6) - f(x)) / 1e-6, 1e-12

    table = rank({EVIL: hopeful, "shy": lambda f, x: math.nan})
    page = write_ranking(table, scores(table), tmp_path, missing=[EVIL])
    for width in (360, 1180):
        tab.width(width)
        tab.open(page)
        assert tab.run("return document.documentElement.scrollWidth") <= width
        # rows are alike
        tab.run("for (const row of document.querySelectorAll('tbody tr:nth-child(n+9)')) row.remove();")
        assert axe(tab) == []
    tab.open(page)
    assert [u for u in tab.requests() if u != page.as_uri() and not u.startswith("data:")] == []
    assert tab.log("browser") == []
    assert EVIL in tab.run("return document.body.textContent")
    assert tab.run("return document.scripts.length") == 1
    first = "return document.querySelector('.sortable.run tbody tr').cells[0].textContent"
    assert "overconfident" in tab.run(first)
    tab.run("document.querySelector('.sortable.run th button').click()")
    assert tab.run(first) == "covered"
