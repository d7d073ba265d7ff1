"""The pages of a test run in headless Chromium: nothing is asked for or run, the index fits and sorts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diffcompare.report.comparisons_page import write_comparisons

from ..report.comparisons import comparison, errors  # noqa: TID252 - tests are no package
from .driver import Browser
from .evil import EVIL

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    ordinary: list[dict[str, Any]] = [
        comparison("tests/layers/test_affine.py::TestAffine::test_backward[float64-relu]", "wrong", outcome="failed"),
        comparison("tests/layers/test_affine.py::test_forward", "consistent", examples=100),
        errors("tests/test_differences.py::test_central", within=True),
    ]
    write_comparisons(ordinary, folder / "ordinary")
    write_comparisons([comparison(f"test_{EVIL}[{EVIL}]", "wrong", text=EVIL)] * 2, folder / "evil")
    write_comparisons([comparison(f"test_many[{k}]", "consistent") for k in range(300)], folder / "many")
    return folder


def test_pages_ask_for_nothing_log_nothing_and_are_never_wider_than_the_screen(tab: Browser, folder: Path) -> None:
    pages = sorted(folder.glob("*/*.html"))
    assert len(pages) == 3 + 2 + 2
    for page in pages:
        for width in (360, 1180):
            tab.width(width)
            tab.open(page)
            assert tab.run("return document.documentElement.scrollWidth") <= width
        assert [u for u in tab.requests() if u != page.as_uri() and not u.startswith("data:")] == []
        assert tab.log("browser") == []


def test_hostile_names_are_text_and_nothing_of_them_runs(tab: Browser, folder: Path) -> None:
    for page in (folder / "evil").glob("*.html"):
        tab.open(page)
        assert EVIL in tab.run("return document.body.textContent")  # an open alert would make this command fail
        assert tab.run("return document.querySelectorAll('img, a[href^=javascript]').length") == 0
        assert tab.run("return document.scripts.length") == 1


def test_the_index_fits_a_desktop_sorts_filters_and_leads_to_the_page(tab: Browser, folder: Path) -> None:
    tab.open(folder / "ordinary" / "index.html")
    table, room = tab.run(
        "const t = document.querySelector('.run'); return [t.offsetWidth, t.parentElement.clientWidth]"
    )
    assert table <= room
    shown = "[...document.querySelectorAll('.run tbody tr:not([hidden])')]"
    heads = tab.run("return [...document.querySelectorAll('.run th[scope=col]')].map((h) => h.textContent)")
    column = heads.index("examples")
    tab.run(f"document.querySelectorAll('.run th[scope=col]')[{column}].querySelector('button').click()")
    assert tab.run(f"return {shown}.map((r) => +r.cells[{column}].firstChild.value)") == [1, 1, 100]
    tab.run(
        "const i = document.querySelector('.filter input'); i.value = 'AFFINE'; i.dispatchEvent(new Event('input'))"
    )
    assert len(tab.run(f"return {shown}.map((r) => r.textContent)")) == 2
    tab.run("document.querySelector('.findings a').click()")
    assert "TestAffine::test_backward" in tab.run("return document.querySelector('header').textContent")
    tab.run("document.querySelector('nav a').click()")
    assert tab.run("return document.querySelector('h1').textContent") == "Comparisons of a test run"
