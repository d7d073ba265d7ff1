"""How large the pages of a report are, part by part, and how soon the index of a thousand functions is ready.

Sizes are asserted, for they are the same everywhere; times are printed and judged by whoever reads them.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.report.page import write_report
from diffcompare.tables.schema import Tables

from ..browser.driver import browser  # noqa: TID252 - tests are no package
from .timing import print_table

pytestmark = pytest.mark.benchmark

FORMULAS = (
    *("exp(x)/(sin(x)**3 + cos(x)**3)", "sin({a}*x)", "x*log(x + {a})", "x**3 - {a}*x", "exp(-{a}*x**2)"),
    *("sqrt(x + {a})", "tanh({a}*x)", "x/(1 + {a}*x**2)", "cos(x)**2*exp({a}*x)", "log(1 + exp({a}*x))"),
)
PARTS = {
    "style and script": r"<style>.*?</style>|<script>.*?</script>",
    "error chart": r'<svg role="img" aria-labelledby="chart.*?</svg>',
    "split charts": r'<svg role="img" aria-labelledby="split.*?</svg>',
    "drawing of f": r'<svg role="img" aria-labelledby="sketch.*?</svg>',
    "all rows": r"<table id=.*?</table>",
    "other tables": r"<table>.*?</table>",
    "formulas": r"<math.*?</math>",
    "how to read this": r'<section class="how.*?</section>',
}


def study(folder: Path, functions: int) -> Tables:
    """Functions of one variable with the default steps and schemes: 183 rows each, with split, bounds and rules."""
    lines = ['title = "Functions"']
    for k in range(functions):
        formula = FORMULAS[k % len(FORMULAS)].format(a=f"{0.5 + k / 997:.6f}")
        lines += ["[[function]]", f'name = "f{k}"', f'expr = "{formula}"', f"points = [{0.3 + 0.001 * k:.3f}]"]
    file = folder / "study.toml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return dc.run_study(file)


def times(tables: Tables, count: int) -> Tables:
    """The same study, ``count`` times under other names."""
    made: dict[str, Any] = {}
    for field in fields(tables):
        frame = getattr(tables, field.name)
        if isinstance(frame, pd.DataFrame) and len(frame):
            copies = [frame.assign(function=frame["function"].astype(str) + f" {k}") for k in range(count)]
            joined = pd.concat(copies, ignore_index=True)
            joined["function"] = joined["function"].astype(frame["function"].dtype.name)
            made[field.name] = joined
    return replace(tables, **made)


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("function-*.html"))


def mean(folder: Path) -> float:
    return statistics.mean(path.stat().st_size for path in pages(folder))


def test_the_size_of_a_page(tmp_path: Path) -> None:
    tables = study(tmp_path, 10)
    write_report(tables, tmp_path / "few")
    write_report(times(tables, 21), tmp_path / "many", pages="all")
    rows = []
    for name, pattern in PARTS.items():
        sizes = []
        for folder in ("few", "many"):
            texts = [path.read_text(encoding="utf-8") for path in pages(tmp_path / folder)[:10]]
            found = ["".join(re.findall(pattern, text, re.DOTALL)) for text in texts]
            sizes.append(statistics.mean(len(part.encode()) for part in found))
        rows.append([name, *(f"{size / 1000:.1f}" for size in sizes)])
    rows.append(["whole page", *(f"{mean(tmp_path / folder) / 1000:.1f}" for folder in ("few", "many"))])
    print_table("kB of a page of 183 rows", ["part", "up to 200 functions", "more"], rows)
    assert max(path.stat().st_size for folder in ("few", "many") for path in pages(tmp_path / folder)) <= 150_000
    # the rows are all there, digit for digit; of more than 200 functions 1,000 shall fit into 60 MB
    assert all("<th scope=col>truncation" in path.read_text(encoding="utf-8") for path in pages(tmp_path / "few"))
    assert mean(tmp_path / "few") <= 125_000
    assert mean(tmp_path / "many") <= 59_000


READY = """
const done = arguments[0];
(async () => {
  const paint = () => performance.getEntriesByName("first-contentful-paint")[0];
  while (!paint()) await new Promise((resolve) => setTimeout(resolve, 20));
  const ready = performance.getEntriesByType("navigation")[0];
  const table = document.querySelector(".sortable"), input = document.querySelector(".filter input");
  const timed = (action) => {
    const begun = performance.now();
    action();
    table.offsetHeight; // laid out
    return performance.now() - begun;
  };
  const sort = timed(() => [...table.querySelectorAll("th button")].at(-1).click());
  const filter = timed(() => { input.value = "f7 "; input.dispatchEvent(new Event("input")); });
  done([paint().startTime, ready.domContentLoadedEventEnd, ready.loadEventEnd, sort, filter]);
})();"""


def test_the_index_of_a_thousand_functions(tmp_path: Path) -> None:
    tables = study(tmp_path, 10)
    folders = {count: tmp_path / str(10 * count) for count in (1, 10, 100)}
    for count, folder in folders.items():
        write_report(times(tables, count), folder)
    measured: dict[int, list[list[float]]] = {count: [] for count in folders}
    with browser() as tab:
        for _ in range(7):
            for count, folder in folders.items():
                tab.open(folder / "index.html")
                measured[count].append(tab.command("POST", "/execute/async", {"script": READY, "args": []}))
    rows = [
        [
            f"{10 * count:,}",
            f"{(folders[count] / 'index.html').stat().st_size / 1000:.0f}",
            *(f"{statistics.median(column):.0f}" for column in zip(*each, strict=True)),
        ]
        for count, each in measured.items()
    ]
    heads = ["functions", "kB", "first paint", "content loaded", "loaded", "first sort", "first filter"]
    print_table("the index: kB, and ms (medians of 7)", heads, rows)
    assert (folders[100] / "index.html").stat().st_size <= 1_000_000
    assert pages(folders[100]) == []  # all are within their bounds
