"""axe-core on every kind of page, on a desktop and a phone, light and dark; and what it cannot see."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffcompare.report.comparisons_page import write_comparisons
from diffcompare.report.page import write_report
from diffcompare.tables.schema import Tables
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.marks import Mark, Source

from ..report.comparisons import comparison, errors  # noqa: TID252 - tests are no package
from ..report.example import (  # noqa: TID252
    errors_table,
    example,
    functions_table,
    split_example,
    summary_table,
    sweep_rows,
    with_split,
)
from .axe import axe
from .driver import Browser
from .evil import EVIL, evil_tables

pytestmark = pytest.mark.browser

REPORTS = Path(__file__).parent.parent.parent / "reports"
PAGES = (
    *("example/index.html", *(f"example/function-00{k}.html" for k in (1, 2, 3, 4, 5))),
    *("split/index.html", *(f"split/function-00{k}.html" for k in (1, 2, 3, 4))),
    *(
        "crowded/index.html",
        "crowded/function-001.html",
        "crowded/function-002.html",
        "crowded/function-002-2.html",
        "crowded/function-003.html",
    ),
    *("evil/index.html", *(f"evil/function-00{k}.html" for k in (1, 2, 3))),
    *("verdict/index.html", "verdicts/index.html"),
    *("comparisons/index.html", "comparisons/comparison-001.html", "comparisons/comparison-003.html"),
    *("many/index.html", "nothing/index.html"),
)
COMMITTED = ("chapter4/index.html", "chapter4/function-001.html", "chapter4/function-006.html")
CODE = (
    "def model(x):",
    "    return x[0] * x[1] + 0 * x[0]  # a comment that is longer than a phone is wide" + " …" * 40,
)
LONG = "a name that is much longer than any column " * 8


def crowded() -> Tables:
    """More partials than a page holds, more rows than the index lays out, and a function that failed."""
    one = with_split(sweep_rows("f", math.exp, ["x"], [1.0], [math.e]), math.e / 2, math.e / 6)
    rows = [{**row, "variable": f"x{k}"} for k in range(12) for row in one]
    rows += [{**row, "function": f"f{k}"} for k in range(70) for row in one[::8]]
    table = errors_table(rows)
    failed = ("broken", "x", "foo(x)", "", "", "text", "failed", "foo is not known")
    return Tables("crowded", table, summary_table(table), functions_table([failed]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of page that diffcompare writes, with ordinary and with hostile texts."""
    folder = tmp_path_factory.mktemp("pages")
    write_report(example(), folder / "example")
    write_report(split_example(), folder / "split")
    write_report(crowded(), folder / "crowded")
    write_report(evil_tables(), folder / "evil")
    bad = check_gradient(lambda x: x[0] ** 2 * x[1], lambda x: np.array([x[0], x[0] ** 2]), at=[1.5, -2.25])
    table = bad.components.assign(component=EVIL, point=EVIL)
    mark = Mark("gradient", "model.py", 7, 11, 7, 15, "x[0]", "the factor 2*x[1] is missing", (CODE[1],))
    marks = (mark, replace(mark, role="f"), replace(mark, file=EVIL, text=EVIL, message=EVIL, lines=(EVIL,)))
    sources = [Source(role, "model", "model.py", 6, "\n".join(CODE)) for role in ("f", "gradient")]
    bad = replace(bad, marks=marks, sources=tuple(sources))
    evil = replace(bad, components=table, cause=EVIL, notes=(EVIL, LONG), snippet=EVIL, blame=EVIL)
    for name, verdicts in (("verdict", [bad]), ("verdicts", [bad, evil])):
        write_report(verdicts if len(verdicts) > 1 else verdicts[0], folder / name)
    mixed = [
        comparison("tests/test_layers.py::test_backward[float64-relu]", "wrong", outcome="failed"),
        comparison(f"test_{LONG}", "consistent", examples=100),
        comparison(f"test_{EVIL}", "wrong", text=EVIL),
        errors("tests/test_differences.py::test_central", within=False),
    ]
    write_comparisons(mixed, folder / "comparisons")
    write_comparisons([comparison(f"test_many[{k}]", "consistent") for k in range(300)], folder / "many")
    write_comparisons([], folder / "nothing")
    return folder


SCREENS = ((390, "dark"), (1280, "light"), (390, "light"), (1280, "dark"))


@pytest.mark.parametrize(
    ("page", "width", "colours"),
    [
        # each third page on one screen, another one than its neighbours; all pages on all screens are thorough
        pytest.param(page, *SCREENS[(k + shift) % 4], marks=[pytest.mark.thorough] * (shift > 0 or k % 3 > 0))
        for shift in range(4)
        for k, page in enumerate(PAGES + COMMITTED)
    ],
)
def test_axe_has_nothing_to_object_to(tab: Browser, folder: Path, page: str, width: int, colours: str) -> None:
    tab.scheme(colours)
    tab.width(width)
    tab.open((REPORTS if page in COMMITTED else folder) / page)
    tab.run(
        """for (const details of document.querySelectorAll('details')) details.open = true;
        // rows are alike
        for (const row of document.querySelectorAll('tbody tr:nth-child(n+9)')) row.remove();"""
    )
    assert axe(tab) == []
    assert tab.run("return document.documentElement.scrollWidth") <= width


def test_every_kind_of_section_is_looked_at(folder: Path) -> None:
    """What is written above a section on any page stands on a page that is listed."""
    heads = {page: set(re.findall(r"<h[123]>([^<]+)</h", page.read_text("utf-8"))) for page in folder.glob("*/*.html")}
    listed = set().union(*(heads[folder / name] for name in PAGES))
    assert len(listed) > 12
    assert [page for page, found in heads.items() if not found <= listed] == []


def test_axe_sees_what_is_wrong(tab: Browser, folder: Path) -> None:
    """The twin of the check above: what it must see, it sees."""
    for page, plant, rule in (
        (
            "example/index.html",
            "document.querySelector('.filter').replaceWith(document.querySelector('input'))",
            "label",
        ),
        (
            "split/function-001.html",
            "const s = document.querySelector('.chart svg'); s.replaceChildren(); s.removeAttribute('aria-labelledby')",
            "svg-img-alt",
        ),
        (
            "verdict/index.html",
            "document.querySelector('.words, .resolution').style.color = '#c8c8c8'",
            "color-contrast",
        ),
        ("comparisons/index.html", "document.querySelector('.findings a').textContent = ''", "link-name"),
    ):
        tab.open(folder / page)
        assert axe(tab) == []
        tab.run(plant)
        assert rule in [found.split(":")[0] for found in axe(tab)], page


# WCAG: text 4.5, what is drawn 3
CONTRAST = """
const light = (c) => {
  const [r, g, b] = c.map((v) => v / 255).map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b; };
const parse = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const page = light(parse(getComputedStyle(document.documentElement).backgroundColor));
return [...document.querySelectorAll(arguments[0])].map((e) => {
  const own = light(parse(getComputedStyle(e)[arguments[1]]));
  return (Math.max(own, page) + .05) / (Math.min(own, page) + .05); });
"""


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_what_is_drawn_can_be_seen(tab: Browser, folder: Path, colours: str) -> None:
    tab.scheme(colours)
    tab.open(folder / "split" / "function-001.html")
    texts = tab.run(CONTRAST, "svg text", "fill")
    assert len(texts) > 50
    assert min(texts) >= 4.5
    lines = tab.run(CONTRAST, "svg .line, svg .model, svg .bound, svg .box, svg .mark, svg .tangent", "stroke")
    assert len(lines) > 10
    assert min(lines) >= 3
