"""The page of a verdict in headless Chromium: nothing is asked for, no hostile name runs, it fits and sorts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diffcompare.report.page import write_report
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.verdict import Verdict

from .driver import Browser, browser
from .evil import EVIL

pytestmark = pytest.mark.browser


def loss(x: np.ndarray) -> np.float64:
    return x[0] ** 2 * x[1] + x[2] ** 3


def wrong(x: np.ndarray) -> np.ndarray:
    return np.array([2 * x[0] * x[1], x[0] ** 2, x[2] ** 2])


def right(x: np.ndarray) -> np.ndarray:
    return np.array([2 * x[0] * x[1], x[0] ** 2, 3 * x[2] ** 2])


def verdicts() -> dict[str, list[Verdict]]:
    bad, good = (check_gradient(loss, gradient, at=[1.5, -2.25, 0.7]) for gradient in (wrong, right))
    table = bad.components.copy()
    table["component"] = table["point"] = EVIL
    evil = replace(bad, components=table, cause=EVIL, notes=(EVIL, EVIL), snippet=EVIL, blame=EVIL)
    size = 300
    many = pd.concat([bad.components] * (size // 3), ignore_index=True)
    many["component"] = [f"weights of a layer with a long name[{k}, {k}]" for k in range(size)]
    many["relative"] = np.linspace(1.0, 0.0, size)
    return {
        "wrong": [bad],
        "right": [good],
        "two": [bad, good],
        "evil": [evil, evil],
        "many": [replace(bad, components=many)],
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verdicts")
    for name, result in verdicts().items():
        write_report(result if len(result) > 1 else result[0], folder / name)
    return folder


def pages(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*/index.html"))
    assert len(found) == 5
    return found


def test_pages_ask_for_nothing_and_log_nothing(tab: Browser, folder: Path) -> None:
    for page in pages(folder):
        tab.open(page)
        assert [u for u in tab.requests() if u != page.as_uri() and not u.startswith("data:")] == []
        assert tab.log("browser") == []
        assert tab.run("return document.querySelector('main') !== null")


def test_hostile_names_are_text_and_nothing_of_them_runs(tab: Browser, folder: Path) -> None:
    tab.open(folder / "evil" / "index.html")
    text = tab.run("return document.body.textContent")  # an open alert would make this command fail
    assert text.count(EVIL) > 10
    assert tab.run("return document.querySelectorAll('img, a[href^=javascript]').length") == 0
    assert tab.run("return document.scripts.length") == 1


@pytest.mark.parametrize("width", [360, 1180])
def test_pages_are_never_wider_than_the_screen(tab: Browser, folder: Path, width: int) -> None:
    tab.width(width)
    for page in pages(folder):
        tab.open(page)
        assert tab.run("return document.documentElement.scrollWidth") <= width


def test_the_table_fits_a_desktop_with_all_its_digits(tab: Browser, folder: Path) -> None:
    for name in ("wrong", "many", "evil"):
        tab.open(folder / name / "index.html")
        table, room = tab.run(
            "const t = document.querySelector('table'); return [t.offsetWidth, t.parentElement.clientWidth]"
        )
        assert table <= room <= 1180
        claimed = tab.run(
            "return [...document.querySelectorAll('tbody tr')].map((r) => r.querySelector('data').textContent)"
        )
        frame = pd.read_csv(folder / name / "components.csv")
        assert sorted(map(float, claimed)) == sorted(frame["claimed"].tolist())


def test_the_table_sorts_and_filters(tab: Browser, folder: Path) -> None:
    tab.open(folder / "many" / "index.html")
    heads = tab.run("return [...document.querySelectorAll('.sortable th[scope=col]')].map((h) => h.textContent)")
    column = heads.index("relative")
    shown = "[...document.querySelectorAll('tbody tr:not([hidden])')]"
    values = f"return {shown}.map((r) => +r.cells[{column}].firstChild.value)"
    for direction in ("ascending", "descending"):
        tab.run(f"document.querySelectorAll('.sortable th[scope=col]')[{column}].querySelector('button').click()")
        found = tab.run(values)
        assert len(found) == 300
        assert found == sorted(found, reverse=direction == "descending")
    tab.run(
        "const i = document.querySelector('.filter input'); i.value = '[7, 7]'; i.dispatchEvent(new Event('input'))"
    )
    assert len(tab.run(values)) == 1


def test_everything_that_scrolls_has_a_name_of_its_own(tab: Browser, folder: Path) -> None:
    for page in pages(folder):
        tab.open(page)
        labels = tab.run("return [...document.querySelectorAll('[tabindex]')].map((e) => e.getAttribute('aria-label'))")
        assert None not in labels
        assert len(set(labels)) == len(labels)
        assert tab.run("return [...document.querySelectorAll('th')].every((th) => th.scope)")


def test_alarm_and_calm_have_different_colours_in_light_and_dark(tab: Browser, folder: Path) -> None:
    for scheme in ("light", "dark"):
        tab.scheme(scheme)
        colours = []
        for name in ("wrong", "right"):
            tab.open(folder / name / "index.html")
            colours.append(tab.run("return getComputedStyle(document.querySelector('.counts .verdict')).color"))
        assert len(set(colours)) == 2


def test_the_page_is_readable_without_script(folder: Path) -> None:
    with browser(script=False) as plain:
        plain.open(folder / "wrong" / "index.html")
        texts = plain.cdp("DOMSnapshot.captureSnapshot", computedStyles=[])["strings"]
    assert "Filter:" not in texts  # our script did not run
    frame = pd.read_csv(folder / "wrong" / "components.csv")
    for value in [*frame["claimed"], *frame["certified"]]:
        assert repr(float(value)) in texts
