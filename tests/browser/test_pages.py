"""The pages in headless Chromium, opened from files: nothing is asked for, nothing runs but our script."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from diffcompare.report.page import write_report
from diffcompare.report.wording import printable, short
from diffcompare.tables.csv_files import read_errors
from diffcompare.tables.schema import Tables

from ..report.example import (  # noqa: TID252
    errors_table,
    example,
    functions_table,
    split_example,
    summary_table,
    sweep_rows,
)
from ..report.paths import absolute  # noqa: TID252
from .driver import Browser, browser
from .evil import EVIL, evil_tables

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(example(), folder)
    return folder


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("splits")
    write_report(split_example(), folder)
    return folder


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def readout(tab: Browser) -> str:
    text: str = tab.run("return document.querySelector('.readout').textContent")
    return text


def point_of(row: pd.Series[Any]) -> str:
    error = float(row["abs_error"])
    words = "nan" if error != error else repr(error)
    status = "" if row["status"] == "ok" else f" ({row['status']})"
    return f"{row['scheme']}: h = {float(row['h'])!r}, |error| = {words}{status}"


def test_pages_ask_for_nothing_and_log_nothing(tab: Browser, report: Path, splits: Path) -> None:
    for page in (*pages(report), *pages(splits)):
        tab.open(page)
        assert [u for u in tab.requests() if u != page.as_uri() and not u.startswith("data:")] == []
        assert tab.log("browser") == []
        assert tab.run("return document.querySelector('main') !== null")


def test_a_planted_request_or_script_is_noticed(tab: Browser, report: Path, tmp_path: Path) -> None:
    """The twin of the check above: what it must see, it sees."""
    source = (report / "index.html").read_text(encoding="utf-8")
    planted = tmp_path / "planted.html"
    planted.write_text(source.replace("</main>", "<img src='other.png'><script>1</script></main>"), encoding="utf-8")
    tab.open(planted)
    assert len(tab.log("browser")) >= 2  # both are blocked by the policy, and said so
    open_policy = source.replace("default-src 'none'", "default-src *").replace("img-src data:", "img-src *")
    planted.write_text(open_policy.replace("</main>", "<img src='other.png'></main>"), encoding="utf-8")
    tab.requests()
    tab.open(planted)
    assert [u for u in tab.requests() if u.endswith("other.png")]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(("number", "name"), [(6, "huge"), (1, "exp/(sin3+cos3)"), (7, "exp(x)"), (4, "log(x)")])
def test_walking_with_the_keys_reads_every_value_of_errors_csv(
    tab: Browser, report: Path, number: int, name: str
) -> None:
    errors = read_errors(report / "errors.csv")
    tab.open(report / f"function-{number:03d}.html")
    tab.run("document.querySelector('.chart').focus()")
    rows = errors[(errors["function"] == name)]
    for position, scheme in enumerate(("forward", "backward", "central")):
        if position:
            tab.keys("ArrowDown")
        tab.keys("Home")
        expected = [point_of(row) for _, row in rows[rows["scheme"] == scheme].iloc[::-1].iterrows()]
        found = [readout(tab)]
        for _ in expected[1:]:
            tab.keys("ArrowRight")
            found.append(readout(tab))
        assert found == expected
        tab.keys("ArrowRight")
        assert readout(tab) == expected[-1]


def test_hovering_a_marker_reads_its_row(tab: Browser, report: Path) -> None:
    errors = read_errors(report / "errors.csv")
    tab.open(report / "function-001.html")
    tab.run("document.querySelector('.chart').scrollIntoView()")
    rows = errors[(errors["function"] == "exp/(sin3+cos3)") & (errors["scheme"] == "central")]
    for k in (0, 5, 12):
        row = rows.iloc[k]
        x, y = tab.run(
            """const svg = document.querySelector('.chart svg'), d = svg.dataset.scale.split(' ').map(Number);
            const x = d[0] + (Math.log10(arguments[0]) - d[4]) / (d[5] - d[4]) * (d[1] - d[0]);
            const y = d[3] - (Math.log10(arguments[1]) - d[6]) / (d[7] - d[6]) * (d[3] - d[2]);
            const p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y];""",
            float(row["h"]),
            float(row["abs_error"]),
        )
        tab.move(x, y)
        assert readout(tab) == point_of(row)


SPLITS = "document.querySelectorAll('.chart.split')"
PARTS = ("truncation", "abscissa", "evaluation", "subtraction", "division")


def split_readout(tab: Browser, k: int) -> str:
    text: str = tab.run(f"return document.getElementById({SPLITS}[{k}].dataset.readout).textContent")
    return text


def part_of(row: pd.Series[Any], part: str) -> str:
    value = float(row[part])
    status = "" if row["status"] == "ok" else f" ({row['status']})"
    return f"h = {float(row['h'])!r}: {part} = {'nan' if value != value else repr(value)}{status}"


@pytest.mark.mostly_thorough(but_each=2)
@pytest.mark.parametrize("function", ["log(x)", "exp(x)"])
def test_arrow_keys_walk_every_part_of_the_split(tab: Browser, splits: Path, function: str) -> None:
    errors = read_errors(splits / "errors.csv")
    errors = errors[errors["function"] == function]
    tab.open(splits / {"exp(x)": "function-001.html", "log(x)": "function-003.html"}[function])
    assert tab.run(f"return {SPLITS}.length") == 3
    for k, scheme in enumerate(("forward", "backward", "central")):
        tab.run(f"{SPLITS}[{k}].focus()")
        rows = errors[errors["scheme"] == scheme].iloc[::-1]
        for number, part in enumerate(PARTS):
            if number:
                tab.keys("ArrowDown")
            tab.keys("Home")
            found = []
            for _ in range(len(rows)):
                found.append(split_readout(tab, k))
                tab.keys("ArrowRight")
            assert found == [part_of(row, part) for _, row in rows.iterrows()]
    assert tab.log("browser") == []


def test_hovering_a_line_of_the_split_reads_its_row(tab: Browser, splits: Path) -> None:
    errors = read_errors(splits / "errors.csv")
    tab.open(splits / "function-001.html")
    rows = errors[(errors["function"] == "exp(x)") & (errors["scheme"] == "central")]
    tab.run(f"{SPLITS}[2].scrollIntoView()")
    for part, k in (("truncation", 0), ("truncation", 3), ("evaluation", 9), ("subtraction", 4)):
        row = rows.iloc[k]
        x, y = tab.run(
            f"const svg = {SPLITS}[2].querySelector('svg'), d = svg.dataset.scale.split(' ').map(Number);"
            """const x = d[0] + (Math.log10(arguments[0]) - d[4]) / (d[5] - d[4]) * (d[1] - d[0]);
            const up = (Math.log10(arguments[1]) - d[6]) / (d[7] - d[6]) * (d[3] - d[2]);
            const y = arguments[1] === 0 ? d[9] + d[10] : d[3] - up;
            const p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y];""",
            float(row["h"]),
            abs(float(row[part])),
        )
        tab.move(x, y)
        assert split_readout(tab, 2) == part_of(row, part)


def test_the_cursor_of_the_split_stands_on_the_marker(tab: Browser, splits: Path) -> None:
    tab.open(splits / "function-003.html")
    for k in range(3):  # backward and central have markers in the lane above
        tab.run(f"{SPLITS}[{k}].focus()")
        tab.keys("End")
        place = tab.run(
            f"const c = {SPLITS}[{k}].querySelector('.cursor'); return [+c.getAttribute('cx'), +c.getAttribute('cy')]"
        )
        d = tab.run(
            f"return [...{SPLITS}[{k}].querySelectorAll('svg > .p1 > .dots')].map((p) => p.getAttribute('d')).join('')"
        )
        marks = [tuple(map(float, mark.split(","))) for mark in absolute(d).split("M")[1:]]
        assert min(math.dist(place, mark) for mark in marks) < 0.2


def test_the_bound_is_read_out_with_the_error(tab: Browser, splits: Path) -> None:
    row = read_errors(splits / "errors.csv").iloc[0]
    tab.open(splits / "function-001.html")
    tab.run("document.querySelector('.chart').focus()")
    tab.keys("End")
    assert readout(tab) == f"{point_of(row)}, bound = {float(row['bound'])!r}"


def test_lines_and_labels_of_the_split_have_their_colours(tab: Browser, splits: Path) -> None:
    tab.open(splits / "function-001.html")
    for scheme in ("light", "dark"):
        tab.scheme(scheme)
        colours = tab.run(f"return [...{SPLITS}[2].querySelectorAll('.part')].map((e) => getComputedStyle(e).fill)")
        assert len(set(colours)) == 5
        dashes = tab.run(
            f"return [...{SPLITS}[2].querySelectorAll('svg > [class^=p] > .line')].map((e) => "
            "getComputedStyle(e).strokeDasharray)"
        )
        assert len(dashes) == len(set(dashes)) == 5


def test_only_what_stands_on_lines_has_a_halo(tab: Browser) -> None:
    texts = 0
    for page in pages(Path(__file__).parents[2] / "reports" / "chapter4"):
        tab.open(page)
        outlined = (
            "[...document.querySelectorAll('svg text')].filter((e) => getComputedStyle(e).stroke !== 'none')"
            ".map((e) => [e.textContent, getComputedStyle(e).stroke, getComputedStyle(e).paintOrder])"
        )
        texts += tab.run("return document.querySelectorAll('svg text').length")
        ground = tab.run("return getComputedStyle(document.documentElement).backgroundColor")
        assert [found for found in tab.run(f"return {outlined}") if found[1:] != [ground, "stroke"]] == []
    assert texts > 0


CHARTED = [page for page in pages(Path(__file__).parents[2] / "reports" / "chapter4") if "function" in page.name]


def test_the_first_chart_is_seen_without_scrolling(tab: Browser, splits: Path) -> None:
    tab.cdp("Emulation.setDeviceMetricsOverride", width=1400, height=1000, deviceScaleFactor=1, mobile=False)
    seen = 0
    for page in (*CHARTED, *pages(splits)):
        tab.open(page)
        bottoms = tab.run(
            "return [...document.querySelectorAll('.chart svg')].slice(0, 1)"
            ".map((e) => e.getBoundingClientRect().bottom)"
        )
        assert all(bottom <= 1000 for bottom in bottoms), page.name
        seen += len(bottoms)
    assert seen > 8


def test_no_heading_fills_a_phone_or_breaks_a_number(tab: Browser) -> None:
    tab.width(390)
    for page in CHARTED:
        tab.open(page)
        heads = tab.run(
            "return [...document.querySelectorAll('h1, h2, .whole-point')]"
            ".map((e) => [e.textContent, e.offsetHeight, e.scrollWidth - e.clientWidth])"
        )
        assert [head for head in heads if head[1] > 80 or head[2] > 0] == [], page.name


@pytest.mark.parametrize(("width", "least"), [(1400, 10.5), (390, 9)])
def test_what_a_chart_says_stays_in_its_frame_and_can_be_read(
    tab: Browser, splits: Path, width: int, least: float
) -> None:
    tab.cdp("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=width < 500)
    outside = """const found = [];
    for (const svg of document.querySelectorAll('.chart svg, .sketch:not(.contour) svg')) {
      const frame = svg.getBoundingClientRect(), box = svg.parentElement.getBoundingClientRect();
      if (frame.width > box.width + .5) found.push(['wider than its box', frame.width]);
      for (const text of svg.querySelectorAll('text')) {
        const r = text.getBoundingClientRect(), scale = frame.width / svg.viewBox.baseVal.width;
        const size = parseFloat(getComputedStyle(text).fontSize) * scale;
        const room = [r.left - frame.left, frame.right - r.right, r.top - frame.top, frame.bottom - r.bottom];
        if (r.width && Math.min(...room) < -1) found.push([text.textContent, ...room]);
        if (r.width && size < arguments[0]) found.push([text.textContent, size]);
      }
    }
    return found;"""
    for page in (*CHARTED, *pages(splits)):
        tab.open(page)
        assert tab.run(outside, least) == [], page.name


@pytest.mark.parametrize("long", [False, True])
def test_the_table_of_the_index_fits_a_desktop(tab: Browser, splits: Path, tmp_path: Path, long: bool) -> None:
    folder = splits
    if long:
        name = "a long name " * 20
        rows = [
            {
                **row,
                "function": name,
                "variable": "w" * 60,
                "point": f"{'w' * 60}=1.0",
                "bound": 1e300,
                "scheme": "s" * 60,
            }
            for row in sweep_rows("f", math.exp, ["x"], [1.0], [math.e])[:16]
        ]
        errors = errors_table(rows)
        functions = functions_table([(name, "x", name + "+ 1", "", "", "text", "ok", "")])
        folder = tmp_path
        write_report(Tables("long", errors, summary_table(errors), functions), folder)
    box = "const t = document.querySelector('.sortable'); return [t.offsetWidth, t.parentElement.clientWidth]"
    tab.open(folder / "index.html")
    table, room = tab.run(box)
    assert table <= room <= 1180
    tab.width(360)
    table, room = tab.run(box)
    assert table > room
    assert tab.run("return getComputedStyle(document.querySelector('.sortable').parentElement).overflowX") == "auto"
    assert tab.run("return document.documentElement.scrollWidth") <= 360


def test_the_cursor_stands_on_the_marker(tab: Browser, report: Path) -> None:
    for number in (1, 7):  # the second has markers in the lane above
        tab.open(report / f"function-{number:03d}.html")
        tab.run("document.querySelector('.chart').focus()")
        tab.keys("End")
        place = tab.run(
            "const c = document.querySelector('.cursor'); return [+c.getAttribute('cx'), +c.getAttribute('cy')]"
        )
        d = tab.run(
            "return [...document.querySelectorAll('.chart .s1 > .dots')].map((p) => p.getAttribute('d')).join('')"
        )
        marks = [tuple(map(float, part.split(","))) for part in absolute(d).split("M")[1:]]
        assert min(math.dist(place, mark) for mark in marks) < 0.2


def test_formulas_are_drawn_as_mathematics(tab: Browser, report: Path) -> None:
    tab.open(report / "function-001.html")
    fraction = "document.querySelector('math mfrac')"
    top, whole = tab.run(
        f"return [{fraction}.children[0].getBoundingClientRect().bottom, {fraction}.getBoundingClientRect().bottom]"
    )
    assert top < whole  # the numerator stands above the denominator
    assert tab.run("return document.querySelectorAll('math').length") == 2


def test_colours_follow_the_reader(tab: Browser, report: Path) -> None:
    tab.open(report / "function-001.html")
    colours = "const c = getComputedStyle(document.documentElement); return [c.backgroundColor, c.color]"
    light = tab.run(colours)
    tab.scheme("dark")
    assert light == ["rgb(255, 255, 255)", "rgb(27, 29, 33)"]
    assert tab.run(colours) == ["rgb(20, 22, 26)", "rgb(232, 234, 238)"]


@pytest.mark.parametrize("width", [360, 1180])
def test_pages_are_never_wider_than_the_screen(tab: Browser, report: Path, splits: Path, width: int) -> None:
    tab.width(width)
    for page in (*pages(report), *pages(splits)):
        tab.open(page)
        assert tab.run("return document.documentElement.scrollWidth") <= width


def test_hostile_names_are_text_and_nothing_of_them_runs(tab: Browser, tmp_path: Path) -> None:
    write_report(evil_tables(), tmp_path)
    for page in pages(tmp_path):
        tab.open(page)
        assert EVIL in tab.run("return document.body.textContent")  # an open alert would make this command fail
        assert tab.run("return document.querySelectorAll('img, math [href], a[href^=javascript]').length") == 0
        assert tab.run("return document.scripts.length") == 1
        assert tab.log("browser") == []


def test_the_index_sorts_and_filters(tab: Browser, report: Path) -> None:
    tab.open(report / "index.html")
    column = (
        "return [...document.querySelectorAll('.sortable tbody')].map((b) => "
        "[...b.querySelectorAll('tr:not(.group, [hidden])')].map((r) => r.cells[4].textContent))"
    )
    head = "[...document.querySelectorAll('.sortable th[scope=col]')].find((h) => h.textContent === 'best |error|')"
    for direction in ("ascending", "descending"):
        tab.run(f"{head}.querySelector('button').click()")
        assert tab.run(f"return {head}.getAttribute('aria-sort')") == direction
        groups = [[float(text.replace("–", "inf")) for text in texts] for texts in tab.run(column)]
        firsts = [values[0] for values in groups]
        assert len(firsts) == 7
        assert [*groups, firsts] == [sorted(values, reverse=direction == "descending") for values in [*groups, firsts]]
        # a function and a point stay with their schemes
        heads = "[...document.querySelectorAll('.sortable .group')]"
        assert tab.run(f"return {heads}.every((r) => r.parentElement.rows[0] === r)")
    tab.run("const i = document.querySelector('.filter input'); i.value = 'HUGE'; i.dispatchEvent(new Event('input'))")
    assert [len(texts) for texts in tab.run(column) if texts] == [3]
    shown = "return [...document.querySelectorAll('.sortable .group')].filter((r) => r.offsetParent).length"
    assert tab.run(shown) == 1


def test_the_picture_of_the_index_is_walked_with_the_keys(tab: Browser, report: Path) -> None:
    errors = read_errors(report / "errors.csv")
    rows = errors[errors["exact"].notna()]
    largest = rows.groupby(["function", "scheme", "h"], observed=True, sort=False)["abs_error"].max()
    tab.open(report / "index.html")
    tab.run("document.querySelector('.overview').focus()")
    found = []
    for (function, scheme), values in largest.groupby(["function", "scheme"], observed=True, sort=False):
        tab.keys("End")
        h, error = values.index.max()[2], values[values.index.max()]
        found.append(readout(tab))
        assert found[-1] == f"{function}, {scheme}: h = {short(h)}, |error| = {short(error).replace('–', 'nan')}"
        line = tab.run("return document.querySelector('.overview .on').dataset.name")
        assert line == f"{function}, {scheme}"
        tab.keys("ArrowDown")
    assert len(set(found)) == rows[["function", "scheme"]].drop_duplicates().shape[0] > 12
    tab.keys("ArrowLeft")
    assert readout(tab) not in found
    assert tab.log("browser") == []


CONTOUR = "document.querySelector('.contour svg')"


@pytest.mark.parametrize("width", [390, 1180])
def test_the_descents_are_seen_over_their_level_lines(tab: Browser, report: Path, width: int) -> None:
    tab.width(width)
    tab.open(report / "function-002.html")
    left, right, top, bottom = tab.run(
        f"const r = {CONTOUR}.querySelector('.box').getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]"
    )
    assert 0 <= left < right <= width  # also on a phone, with nothing to scroll
    for name in (".level", ".s3 > .line + text + .line", ".exact > .line + text + .line", ".start", ".cross"):
        x0, x1, y0, y1 = tab.run(
            f"const r = {CONTOUR}.querySelector(arguments[0]).getBoundingClientRect();"
            "return [r.left, r.right, r.top, r.bottom]",
            name,
        )
        assert left - 0.5 <= x0 < x1 <= right + 0.5
        assert top - 0.5 <= y0 < y1 <= bottom + 0.5
    styles = "(n) => getComputedStyle(document.querySelector(`.contour ${n} > .line`))"
    for scheme in ("light", "dark"):
        tab.scheme(scheme)
        strokes = tab.run(f"const s = {styles}; return ['.s3', '.exact'].map((n) => s(n).stroke)")
        page = tab.run("return getComputedStyle(document.documentElement).backgroundColor")
        assert len({*strokes, page}) == 3
    dashes = tab.run(f"const s = {styles}; return ['.s3', '.exact'].map((n) => s(n).strokeDasharray)")
    assert dashes == ["none", "5px, 5px"]
    labels = tab.run(
        f"return [...{CONTOUR}.querySelectorAll('.level-names text, .mark-name')].map((e) => "
        "{ const r = e.getBoundingClientRect(); return [r.left, r.right, r.top, r.bottom]; })"
    )
    assert len(labels) > 4
    for k, (x0, x1, y0, y1) in enumerate(labels):
        assert left <= x0 < x1 <= right
        assert not [b for b in labels[:k] if x0 < b[1] and b[0] < x1 and y0 < b[3] and b[2] < y1]
    assert tab.log("browser") == []


def test_the_pages_are_readable_without_script(report: Path) -> None:
    with browser(script=False) as plain:
        plain.open(report / "function-001.html")
        assert readout(plain) == ""  # our script did not run
        tree = plain.cdp("DOMSnapshot.captureSnapshot", computedStyles=[])["strings"]
    words = " ".join(tree)
    row = read_errors(report / "errors.csv").iloc[0]
    assert repr(float(row["abs_error"])) in words
    assert "smallest |error|" in words


def test_everything_that_scrolls_or_is_drawn_has_a_name(tab: Browser, report: Path, splits: Path) -> None:
    for page in (*pages(report), *pages(splits)):
        tab.open(page)
        named = "e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')"
        labels = tab.run(f"return [...document.querySelectorAll('[tabindex], [role=img]')].map((e) => {named})")
        assert None not in labels
        assert len(set(labels)) == len(labels)
        assert tab.run("return [...document.querySelectorAll('th')].every((th) => th.scope)")
        assert tab.run(
            "return [...document.querySelectorAll('[aria-labelledby]')].every((e) => "
            "e.getAttribute('aria-labelledby').split(' ').every((id) => document.getElementById(id)?.textContent))"
        )
        ids = tab.run("return [...document.querySelectorAll('[id]')].map((e) => e.id)")
        assert len(set(ids)) == len(ids)


@pytest.mark.thorough
def test_a_large_page_is_ready_quickly_enough_to_use(tab: Browser, tmp_path: Path) -> None:
    one = sweep_rows("f", math.exp, ["x"], [1.0], [math.e])
    errors = errors_table([{**row, "function": f"f{k}"} for k in range(300) for row in one])
    write_report(Tables("many", errors, summary_table(errors)), tmp_path)
    begun = time.monotonic()
    tab.open(tmp_path / "index.html")
    assert tab.run("return document.querySelectorAll('.sortable tbody tr:not(.group)').length") == 900
    assert time.monotonic() - begun < 20  # not a benchmark: only that it does not hang
    assert json.loads((tmp_path / "manifest.json").read_text())["files"]


def test_a_scheme_can_be_hidden_and_the_keys_pass_it_over(tab: Browser, report: Path) -> None:
    tab.open(report / "function-001.html")
    boxes = "document.querySelectorAll('.toggles')[0].querySelectorAll('input')"
    shown = (
        "return [0, 1, 2].map((k) => [...document.querySelector('.chart').querySelectorAll(`[data-scheme='${k}']`)]"
        ".map((e) => getComputedStyle(e).display !== 'none'))"
    )
    assert tab.run(shown) == [[True] * 3] * 3
    tab.run(f"{boxes}[1].click()")
    assert tab.run(shown) == [[True] * 3, [False] * 3, [True] * 3]
    tab.run("document.querySelector('.chart').focus()")
    names = []
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowUp"):
        tab.keys(key)
        names.append(readout(tab).partition(":")[0])
    assert names == ["forward", "central", "forward", "central"]
    tab.cdp("Emulation.setEmulatedMedia", media="print")
    assert tab.run(shown) == [[True] * 3] * 3  # paper shows everything
    tab.cdp("Emulation.setEmulatedMedia", media="")
    tab.run(f"{boxes}[0].click(); {boxes}[2].click(); document.querySelector('.chart').focus()")
    tab.keys("ArrowDown")  # nothing is left to walk on
    assert tab.log("browser") == []


def test_a_page_prints(tab: Browser, report: Path) -> None:
    for name in ("index.html", "function-001.html"):
        tab.open(report / name)
        data = base64.b64decode(tab.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
        assert data.startswith(b"%PDF-")
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 8
        tab.cdp("Emulation.setEmulatedMedia", media="print")
        assert tab.run(
            "return [...document.querySelectorAll('.filter, .readout, .toggles, nav')].every((e) => !e.offsetParent)"
        )
        assert tab.run("return document.querySelectorAll('thead').length") >= 1
        tab.width(740)  # A4 without its margins
        assert tab.run("return document.documentElement.scrollWidth") <= 740
        cells = "[...document.querySelectorAll('.index tbody tr:nth-child(2) > *')]"
        assert all(size > 24 for size in tab.run(f"return {cells}.map((e) => e.clientWidth)"))
        tab.width(1180)
        heads = "return [...document.querySelectorAll('thead')].map((e) => getComputedStyle(e).display)"
        assert set(tab.run(heads)) == {"table-header-group"}
        tab.cdp("Emulation.setEmulatedMedia", media="")


def test_the_lesson_prints_on_six_sheets_and_no_number_is_broken(tab: Browser) -> None:
    tab.open(Path(__file__).parents[2] / "reports" / "chapter4" / "index.html")
    data = base64.b64decode(tab.cdp("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 6
    for width in (390, 1180):
        tab.width(width)
        # a line box for each line that a cell, or a number in a sentence, takes
        lines = tab.run(
            "return [...document.querySelectorAll('.index td, .descents td, .whole')].map((e) => {"
            "const r = document.createRange(); r.selectNodeContents(e);"
            "return new Set([...r.getClientRects()].map((b) => Math.round(b.bottom / 8))).size;})"
        )
        assert len(lines) > 500
        assert max(lines) == 1


NAMES = (
    "<script>alert(1)</script>",
    "\"double\" 'single' `back` &amp; \\",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u202eevil",
    "n" * 10_000,
)


@pytest.mark.parametrize("name", NAMES, ids=["script", "quotes", "right-to-left", "10,000 characters"])
def test_a_name_is_text_wherever_it_stands(tab: Browser, tmp_path: Path, name: str) -> None:
    rows = [
        {**row, "variable": name, "scheme": name} for row in sweep_rows(name, math.exp, ["x"], [1.0], [math.e])[:16]
    ]
    errors = errors_table(rows)
    functions = functions_table([(name, name, name, name, name, "text", "ok", name)])
    write_report(Tables(name, errors, summary_table(errors), functions), tmp_path)
    for page in pages(tmp_path):
        for width in (390, 1280):
            tab.width(width)
            tab.open(page)
            assert printable(name)[:50] in tab.run("return document.querySelector('h1').textContent")
            assert tab.run("return document.documentElement.scrollWidth") <= width
            assert tab.run("return document.scripts.length") == 1
    assert tab.log("browser") == []
    shown = tab.run("return document.body.innerText")
    assert "\u202e" not in shown


def test_the_policy_is_in_force(tab: Browser, report: Path) -> None:
    tab.open(report / "function-001.html")
    tab.run(
        """const script = document.createElement('script'); script.textContent = 'window.ran = 1';
        const image = document.createElement('img'); image.src = 'other.png';
        const box = document.createElement('div'); box.innerHTML = '<b onclick="ran = 2" style="color: red">b</b>';
        document.body.append(script, image, box); box.firstChild.click();"""
    )
    assert tab.run("return window.ran === undefined")
    assert tab.run("return document.querySelector('b').style.color") == ""
    assert len([e for e in tab.log("browser") if "Content Security Policy" in e["message"]]) >= 4


def test_a_row_of_the_index_has_its_curve_and_the_filter_counts(tab: Browser, report: Path) -> None:
    tab.open(report / "index.html")
    boxes = tab.run("return [...document.querySelectorAll('.index path')].map((p) => p.getBoundingClientRect().width)")
    assert boxes
    assert all(20 < box <= 72 for box in boxes)
    tab.run("const i = document.querySelector('.filter input'); i.value = 'HUGE'; i.dispatchEvent(new Event('input'))")
    total = tab.run("return document.querySelectorAll('.sortable tbody tr:not(.group)').length")
    assert tab.run("return document.querySelector('.filter output').textContent") == f"3 of {total} rows"
