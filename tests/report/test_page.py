from __future__ import annotations

import base64
import gc
import hashlib
import json
import math
import pickle
import re
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import diffcompare.report
from diffcompare.errors import DiffcompareError
from diffcompare.report import function_page
from diffcompare.report import page as page_module
from diffcompare.report.drawings.marks import KEY
from diffcompare.report.page import write_report
from diffcompare.tables.csv_files import read_errors
from diffcompare.tables.schema import Lesson, Tables

from .example import (
    STEPS,
    curve_rows,
    errors_table,
    example,
    functions_table,
    hot_spots_table,
    split_example,
    summary_table,
    surface_table,
    sweep_rows,
    with_split,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "{{ 7 * 7 }}{% raw %}",
    "</style></title><script>alert(1)</script>",
    "\u202eevil\u202c & עברית",
    "각도 함수",
    "a\x00b\x1b[31m\r\n\tc",
    "javascript:alert(1)",
    "a;b=c;",
    "y" * 10_000,
    "",
]


class Page(HTMLParser):
    """All tags with their attributes, and the text between them."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def pages(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.html"))


def hostile_tables(text: str) -> Tables:
    """Every field that a user can fill holds the text."""
    rows = [
        {**row, "point": f"{text}=1.0", "variable": text} for row in sweep_rows(text, math.exp, ["x"], [1.0], [math.e])
    ]
    rows = [
        {
            **row,
            "truncation": 1.0,
            "abscissa": 0.0,
            "evaluation": 2.0,
            "subtraction": 0.0,
            "division": 0.0,
            "bound": 9.0,
            "within_bound": True,
            "bound_source": "proven",
        }
        for row in rows
    ]
    for row in rows[:16]:
        row["scheme"] = text
    rows += [{**row, "variable": text} for row in sweep_rows(text + "2", abs, ["x"], [0.0], [math.nan], status="kink")]
    errors = errors_table(rows)
    functions = functions_table(
        [
            (text, f"{text or 'x'};{text}2", text, text, rf"\text{{{text}}}", "text", "ok", ""),
            (text + "2", text, text, rf"\href{{{text}}}{{x}}", text, "sympy", "ok", text),
            (text + "3", text, text, text, text, "python", "failed", text),
        ]
    )
    descent = pd.DataFrame(
        [(text, text, k, 1.0, k / 2, 2.0, 3.0, 4.0) for k in range(3)],
        columns=["function", "gradient", "step", text or "x", f"{text}2", "value", "gradient_norm", "distance"],
    )
    curves = pd.DataFrame(curve_rows(text, math.exp, text, 1.0))
    spots = hot_spots_table(
        [(text, f"{text}=1.0", text, 1.0, 0.9, 1.0, 0.9), (text, text, text + "*2", 0.1, 0.1, 0.1, 0.1)]
    )
    surfaces = surface_table(text, lambda x, y: x * x + y)
    lesson = Lesson(text, {text: text}, {text: text})
    return Tables(
        text, errors, summary_table(errors), functions, descent, curves, spots, surfaces=surfaces, lesson=lesson
    )


def check_inert(path: Path) -> None:
    """Our script and style only, hashed; nothing remote, no handler, no style attribute."""
    page = Page(path)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == tags.count("style") == tags.count("title") - tags.count("desc") == 1
    assert not {"img", "iframe", "object", "embed", "form", "base", "audio", "video", "foreignobject"} & set(tags)
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert "src" not in attributes
        for name in ("href", "xlink:href", "action", "formaction"):
            target = attributes.get(name)
            assert target is None or re.fullmatch(r"data:,|[a-z_]+(-\d+){0,2}\.(html|csv|json)(#how)?", target), (
                tag,
                target,
            )


@pytest.mark.thorough
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]) or "empty")
def test_hostile_text_in_every_field_stays_text(tmp_path: Path, text: str) -> None:
    tables = hostile_tables(text)
    write_report(tables, tmp_path)
    pd.testing.assert_frame_equal(read_errors(tmp_path / "errors.csv"), tables.errors, check_exact=True)
    assert {p.name for p in pages(tmp_path)} == {"index.html", *(f"function-00{k}.html" for k in (1, 2, 3))}
    for path in pages(tmp_path):
        check_inert(path)
        source = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", source)
    if text and text.isprintable() and len(text) < 100:
        assert "".join(Page(tmp_path / "index.html").words).count(text) > 10


@pytest.mark.thorough
def test_the_check_for_inert_pages_can_fail(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    index = tmp_path / "index.html"
    good = index.read_text(encoding="utf-8")
    check_inert(index)
    for planted in (
        "<script>alert(1)</script>",
        "<p onclick=alert(1)>",
        "<p style='color:red'>",
        "<a href='https://example.org'>",
        "<a href='javascript:alert(1)'>",
        "<img src=x>",
        "<link rel=stylesheet href=//example.org/x.css>",
    ):
        index.write_text(good.replace("</main>", planted + "</main>"), encoding="utf-8")
        with pytest.raises(AssertionError):
            check_inert(index)


@pytest.mark.thorough
def test_the_policy_allows_our_script_and_style_by_hash_and_nothing_else(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    for path in pages(tmp_path):
        source = path.read_text(encoding="utf-8")
        policy = next(a["content"] for t, a in Page(path).tags if a.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives.keys() == {"default-src", "script-src", "style-src", "img-src", "base-uri", "form-action"}
        assert directives["default-src"] == "'none'"
        for tag in ("script", "style"):
            (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
            digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
            assert directives[f"{tag}-src"] == f"'sha256-{digest}'"


@pytest.mark.thorough
def test_nothing_remote_is_mentioned(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    for path in tmp_path.iterdir():
        source = path.read_text(encoding="utf-8").replace('"http://www.w3.org/2000/svg"', "")
        assert "//" not in source.replace("\n//", "")
        assert str(tmp_path) not in source


def test_templates_never_switch_escaping_off() -> None:
    folder = Path(diffcompare.report.__file__).parent / "templates"
    templates = sorted(folder.glob("*.html"))
    assert len(templates) == 8
    for template in templates:
        assert not re.search(r"\|\s*safe|autoescape|Markup", template.read_text(encoding="utf-8")), template


@pytest.mark.thorough
def test_equal_tables_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(example(), tmp_path / name)
    write_report(example(), tmp_path / "b")  # over itself
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second


@pytest.mark.thorough
class Lossy(ThreadPoolExecutor):
    """An executor whose workers are lost after the first two pieces of work."""

    def __init__(self) -> None:
        super().__init__(1)
        self.given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        self.given += 1
        if self.given > 3:
            raise BrokenExecutor("no process is left")
        if self.given == 3:
            lost: Future[Any] = Future()
            lost.set_exception(BrokenExecutor("a process was lost"))
            return lost
        return super().submit(fn, *(pickle.loads(pickle.dumps(arg)) for arg in args), **more)


@pytest.mark.thorough
def test_pages_that_others_draw_are_the_same_bytes_even_if_workers_are_lost(tmp_path: Path) -> None:
    write_report(example(), tmp_path / "here")
    with ThreadPoolExecutor(2) as threads, Lossy() as lossy:
        write_report(example(), tmp_path / "threads", executor=threads)
        write_report(example(), tmp_path / "lossy", executor=lossy)
        assert lossy.given > 3
    for page in (tmp_path / "here").iterdir():
        assert page.read_bytes() == (tmp_path / "threads" / page.name).read_bytes()
        assert page.read_bytes() == (tmp_path / "lossy" / page.name).read_bytes()


def test_a_report_redraws_from_its_own_errors_file(tmp_path: Path) -> None:
    tables = example()
    write_report(tables, tmp_path / "a")
    write_report(replace(tables, errors=read_errors(tmp_path / "a" / "errors.csv")), tmp_path / "b")
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second


@pytest.mark.thorough
def test_the_page_shows_every_row_digit_for_digit(tmp_path: Path) -> None:
    tables = example()
    write_report(tables, tmp_path)
    words = Page(tmp_path / "function-001.html").words
    rows = tables.errors[tables.errors["function"] == "exp/(sin3+cos3)"]
    cells = {word.strip() for word in words}
    for column in ("h", "numeric", "error", "abs_error", "rel_error"):
        assert {repr(value) for value in rows[column].tolist()} <= cells
    assert repr(float(rows["exact"].iloc[0])) in cells


@pytest.mark.thorough
def test_statuses_failures_and_missing_bounds_are_told_in_words(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    index = "".join(Page(tmp_path / "index.html").words)
    for words in (
        "There is no bound in these tables",
        "slopes from the left and from the right differ",
        "lies outside the real domain",
        "inf or nan at an abscissa",
        "all abscissae are the same float",
        "foo is not known; write one of sin, cos",
        "log(x): gradient descent: left the domain",
        "3 of 24 comparisons",
        "The error is exactly 0 in",
    ):
        assert words in index
    assert "proven" not in index
    kink = "".join(Page(tmp_path / "function-003.html").words)
    assert "Without an exact derivative there is no error to draw" in kink
    assert "48 of 48 rows" in kink


def words_of(path: Path) -> str:
    return " ".join("".join(Page(path).words).split())


def test_split_bounds_and_hot_spots_are_shown_and_explained(tmp_path: Path) -> None:
    tables = split_example()
    write_report(tables, tmp_path)
    page = words_of(tmp_path / "function-001.html")
    for words in (
        "3 of 3 comparisons within-bound: every error within its proven bound",
        "largest |error|/bound",
        "Which part of the error dominates",
        "97 % of the proven bound on the rounding error comes from exp(x)",
        "“Proven” rests on one measurement",
        "The dashed line is the truncation error itself",
        "rounding of the divisor and of the quotient",
    ):
        assert words in page
    assert "“Measured” means" not in page
    cells = {word.strip() for word in Page(tmp_path / "function-001.html").words}
    rows = tables.errors[tables.errors["function"] == "exp(x)"]
    for column in ("bound", "truncation_bound", "rounding_bound", "truncation", "abscissa", "evaluation", "division"):
        assert column in cells
        assert {repr(value) for value in rows[column].tolist()} <= cells
    assert "subtraction" in cells
    assert "In every row: within_bound True, bound_source proven." in page
    assert words_of(tmp_path / "function-002.html").count("all parts exactly 0.") == 3
    assert "error comes from" not in words_of(tmp_path / "function-003.html")  # a bound of nan has no share


def test_a_page_explains_no_chart_that_it_does_not_have(tmp_path: Path) -> None:
    write_report(split_example(), tmp_path)
    for page in pages(tmp_path):
        if "function" in page.name:
            drawn = 'class="chart"' in page.read_text(encoding="utf-8")
            assert [words in words_of(page) for words in ("of the chart", "▼", "logarithmic axis")] == [drawn] * 3, (
                page.name
            )
    assert "a value where there is no derivative, too" in words_of(tmp_path / "function-004.html")


@pytest.mark.thorough
def test_without_split_and_bounds_nothing_is_said_of_them(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    page = words_of(tmp_path / "function-001.html")
    for words in (
        "Which part of the error",
        "largest |error|",
        "“Proven” rests on",
        "The table splits",
        "error of f comes",
    ):
        assert words not in page
    assert "chart split" not in (tmp_path / "function-001.html").read_text(encoding="utf-8")
    assert "The dashed line has that slope" in page


def test_measured_bounds_are_not_called_proven(tmp_path: Path) -> None:
    tables = split_example()
    tables.errors["bound_source"] = pd.Categorical(
        ["measured"] * len(tables.errors), categories=tables.errors["bound_source"].cat.categories
    )
    write_report(tables, tmp_path)
    page = words_of(tmp_path / "function-001.html").replace("proven bound on the rounding error", "")
    assert "“Measured” means" in page
    assert "measured bound" in page
    assert "proven" not in page.lower()
    assert "A bound is proven" not in words_of(tmp_path / "index.html")


@pytest.mark.thorough
def test_an_exceeded_bound_looks_alarming(tmp_path: Path) -> None:
    tables = split_example()
    write_report(tables, tmp_path / "calm")
    tables.errors.loc[3, "bound"] = tables.errors.loc[3, "abs_error"] / 2
    tables.errors.loc[3, "within_bound"] = False
    write_report(replace(tables, summary=summary_table(tables.errors)), tmp_path / "alarm")
    for name in ("index.html", "function-001.html"):
        calm, alarm = tmp_path / "calm" / name, tmp_path / "alarm" / name
        assert [a for _, a in Page(alarm).tags if a.get("class") == "alarm"]
        assert not [a for _, a in Page(calm).tags if a.get("class") == "alarm"]
        assert "⚠ outside-bound: a proven bound was exceeded" in words_of(alarm)
        assert "⚠" not in words_of(calm)


@pytest.mark.thorough
def test_formulas_are_mathematics_or_code(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    assert [t for t, _ in Page(tmp_path / "function-001.html").tags].count("math") == 2
    failed = Page(tmp_path / "function-005.html")
    assert "math" not in [t for t, _ in failed.tags]
    assert "foo(x)" in failed.words


def test_the_lesson_stands_before_what_it_is_about(tmp_path: Path) -> None:
    lesson = Lesson("Look & see.\n\nThen ask.", {"x0^2 + x1^2": "How steep?"}, {"x0^2 + x1^2": "How far?"})
    tables = replace(example(), lesson=lesson)
    write_report(tables, tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<p class="lesson">Look &amp; see.</p>\n<p class="lesson">Then ask.</p>' in index
    order = ["Look &amp; see.", 'id="overview-title"', ">Findings<", ">The lesson<", "How steep?", "How far?"]
    places = [index.index(text) for text in [*order, ">Comparisons<", ">Gradient descent<", ">What was compared<"]]
    assert places == sorted(places)
    # as in the study, and not the worst first
    heads = re.findall(r"<tr class=group>.*?>([^<>]+)</a>", index)
    assert heads == list(dict.fromkeys(tables.errors["function"].astype(str)))
    page = (tmp_path / "function-002.html").read_text(encoding="utf-8")
    places = [page.index(text) for text in ("How steep?", ">Formula and derivative<", "How far?", 'sketch contour" t')]
    assert places == sorted(places)
    assert 'lesson"' not in (tmp_path / "function-001.html").read_text(encoding="utf-8")


def test_a_point_of_many_coordinates_takes_one_line_of_the_index_and_of_headings(tmp_path: Path) -> None:
    names, points = list("abcd"), ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0])
    rows = [row for p in points for row in sweep_rows("f", lambda *x: sum(x), names, p, [1.0] * 4, steps=[0.5, 0.25])]
    errors = errors_table([*rows, *sweep_rows("g", math.exp, ["x"], [1.0], [math.e])])
    write_report(Tables("", errors, summary_table(errors)), tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert sorted(re.findall("<span class=at>at (.*?)</span>", index)) == [
        "a … d (4 numbers), point 1",
        "a … d (4 numbers), point 2",
        "x=1.0",
    ]
    assert [len(re.findall("<tr><th scope=row>", body)) for body in index.split("<tr class=group>")[1:]] == [3, 12, 12]
    page = "".join(path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("function-001*.html")))
    heads = re.findall(
        r"<h2><bdi>∂/∂(.)</bdi> at <bdi>(.*?)</bdi></h2>\n(?:<p class=\"whole-point\"><bdi>(.*?)</bdi>)", page
    )
    whole = "a=1.0;<wbr>b=2.0;<wbr>c=3.0;<wbr>d="
    assert heads == [(v, f"a … d (4 numbers), point {k}", f"{whole}{k + 3}.0") for k in (1, 2) for v in names]


def test_a_failure_of_the_lesson_stands_above_the_verdicts(tmp_path: Path) -> None:
    tables = split_example()
    tables.errors.loc[3, ["rel_error", "abs_error"]] = [1.5, 1.5 * math.e]
    write_report(tables, tmp_path)
    page = (tmp_path / "function-001.html").read_text(encoding="utf-8")
    assert page.index(": h is too large.</li>") < page.index("within-bound")
    # no bound that holds makes a page green
    assert not [a for _, a in Page(tmp_path / "function-001.html").tags if "good" in (a.get("class") or "")]


@pytest.mark.thorough
def test_the_last_step_of_a_descent_is_shown(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    index = "".join(Page(tmp_path / "index.html").words)
    assert "1.04e-18" in index
    assert "x0=-6.11e-10, x1=8.15e-10" in index


@pytest.mark.thorough
def test_the_page_of_a_function_of_two_variables_shows_its_descents(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    shown = [path.name for path in pages(tmp_path) if 'class="sketch contour"' in path.read_text(encoding="utf-8")]
    assert shown == ["function-002.html"]
    words = "".join(Page(tmp_path / "function-002.html").words)
    assert "central, from (-3, 4): 100 steps, to (-6.11e-10, 8.15e-10), 5 away. It ends 1e-12 from the exact" in words
    # a report that was made before there were surfaces has no such drawing
    write_report(replace(example(), surfaces=Tables("", *[pd.DataFrame()] * 3).surfaces), tmp_path)
    assert "contour" not in re.sub(
        "<style>.*?</style>", "", (tmp_path / "function-002.html").read_text(), flags=re.DOTALL
    )


@pytest.mark.thorough
@pytest.mark.parametrize("count", [1, 12])
def test_a_page_with_a_descent_stays_small(tmp_path: Path, count: int) -> None:
    one = with_split(sweep_rows("f", math.exp, ["x"], [1.0], [math.e]), math.e / 2, math.e / 6)
    errors = errors_table([{**row, "variable": f"x{k}"} for k in range(count) for row in one])
    functions = functions_table([("f", "a;b", "f", "", "", "text", "ok", "")])
    way = [(4 * math.cos(7 * k), 4 * math.sin(5 * k)) for k in range(1001)]
    descent = pd.DataFrame(
        [("f", gradient, k, *point, 0.0, 0.0, 0.0) for gradient in ("exact", "central") for k, point in enumerate(way)],
        columns=["function", "gradient", "step", "a", "b", "value", "gradient_norm", "distance"],
    )
    surfaces = surface_table("f", lambda x, y: math.sin(3 * x) * math.sin(2 * y))
    write_report(Tables("large", errors, summary_table(errors), functions, descent, surfaces=surfaces), tmp_path)
    page = (tmp_path / "function-001.html").read_bytes()
    assert b'class="sketch contour"' in page
    assert len(page) <= 150_000


def _many(count: int) -> Tables:
    one = sweep_rows("f", math.exp, ["x"], [1.0], [math.e], schemes=["forward"])
    errors = errors_table([{**row, "function": f"f{k}"} for k in range(count) for row in one])
    summary = summary_table(errors)
    summary["verdict"] = ["outside-bound" if k == 7 else "within-bound" for k in range(count)]
    return Tables("many", errors, summary)


@pytest.mark.thorough
def test_above_two_hundred_functions_only_those_in_need_have_a_page(tmp_path: Path) -> None:
    tables = _many(201)
    write_report(tables, tmp_path, pages="all")
    assert len(pages(tmp_path)) == 202
    write_report(tables, tmp_path)
    assert [p.name for p in pages(tmp_path)] == ["function-008.html", "index.html"]
    assert "200 functions within their bounds have no page" in "".join(Page(tmp_path / "index.html").words)


@pytest.mark.thorough
def test_functions_that_an_interrupted_study_did_not_come_to_have_no_page(tmp_path: Path) -> None:
    # thousands of pages that said nothing else were written before Ctrl-C ended a study
    row = ("x", "x", "", "", "text", "failed", "interrupted after 3 of 300 functions")
    functions = functions_table([(f"g{k}", *row) for k in range(297)])
    write_report(replace(_many(3), functions=functions), tmp_path)
    assert [p.name for p in pages(tmp_path)] == ["index.html"]
    words = "".join(Page(tmp_path / "index.html").words)
    assert "interrupted after 3 of 300 functions" in words
    assert "3 functions within their bounds have no page" in words


def _count_once(alive: list[int], real: Callable[..., Any]) -> Callable[..., Any]:
    """Count what is alive when a function is first called."""

    def counted(*arguments: Any) -> Any:
        if len(alive) == 1:
            alive.append(_frames_alive())
        return real(*arguments)

    return counted


def _frames_alive() -> int:
    gc.collect()
    return sum(issubclass(type(thing), pd.DataFrame) for thing in gc.get_objects())


@pytest.mark.thorough
def test_an_index_of_many_functions_holds_no_table_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, alive, real = _many(300), [_frames_alive()], function_page.summary_cells
    monkeypatch.setattr(page_module, "_SPARKS", 5)
    monkeypatch.setattr(page_module, "summary_cells", _count_once(alive, real))
    write_report(tables, tmp_path)
    assert alive[1] - alive[0] < 30


@pytest.mark.thorough
def test_a_function_of_many_partials_holds_no_table_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tables, alive, real = _many_partials(60, (1e-2, 1e-4)), [_frames_alive()], function_page._section
    monkeypatch.setattr(function_page, "_PAGES", 1)
    monkeypatch.setattr(function_page, "_section", _count_once(alive, real))
    write_report(tables, tmp_path)
    assert alive[1] - alive[0] < 30


def test_an_index_of_many_rows_ends_and_says_where_the_rest_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "_ROWS", 3)
    row = {"function": "", "status": "failed", "message": "refused"}
    failed = functions_table([{**row, "function": f"bad{k}"} for k in range(5)])
    noted = functions_table([{**row, "function": f"f{k}", "status": "ok"} for k in range(4)])
    write_report(replace(_many(8), functions=pd.concat([failed, noted], ignore_index=True)), tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert [len(re.findall(rf">{name}\d</", text)) for name in ("bad", "f")] == [3, 3 + 3 + 2]  # and findings
    words = "".join(Page(tmp_path / "index.html").words)
    assert "The first 3 of 8; all are in summary.csv." in words
    assert [f"The first 3 of {count}; all are in functions.csv." in words for count in (5, 4)] == [True] * 2
    assert "1 of 8 comparisons" in words


@pytest.mark.thorough
def test_the_manifest_lists_the_files(tmp_path: Path) -> None:
    assert write_report(example(), tmp_path) == tmp_path / "index.html"
    listed = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert {p.name for p in tmp_path.iterdir()} == {*listed, "manifest.json"}
    assert {
        "errors.csv",
        "summary.csv",
        "functions.csv",
        "descent.csv",
        "curves.csv",
        "hot_spots.csv",
        "index.html",
    } <= set(listed)


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(DiffcompareError, match=r"index\.html is there already"):
        write_report(example(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]


def test_wrong_arguments_are_refused_with_their_remedy(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"result=list: pass a table of dc\.sweep"):
        write_report([], tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"errors: column 'function' is missing; pass a whole table"):
        write_report(pd.DataFrame({"h": [1.0]}), tmp_path)
    with pytest.raises(ValueError, match="pages='some': unknown choice"):
        write_report(example(), tmp_path, pages="some")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_empty_tables_make_a_report_that_says_so(tmp_path: Path) -> None:
    errors = errors_table([])
    write_report(Tables("nothing", errors, summary_table(errors)), tmp_path)
    assert "There is nothing to compare" in "".join(Page(tmp_path / "index.html").words)


def test_a_missing_template_value_is_an_error() -> None:
    import jinja2

    from diffcompare.report.environment import environment

    with pytest.raises(jinja2.UndefinedError):
        environment("tables").get_template("index.html").render(title="only")


def _many_partials(count: int, steps: tuple[float, ...] = STEPS) -> Tables:
    """A function of many variables, the last one outside its bound."""
    names = [f"x{k}" for k in range(count)]
    one = with_split(sweep_rows("f", math.exp, ["x"], [1.0], [math.e], steps=steps), math.e / 2, math.e / 6)
    errors = errors_table([{**row, "variable": name} for name in names for row in one])
    summary = summary_table(errors)
    summary["verdict"] = ["outside-bound" if name == names[-1] else "within-bound" for name in summary["variable"]]
    return Tables("large", errors, summary)


def _titles(path: Path) -> list[str]:
    return re.findall(r"<h2><bdi>∂/∂(x\d+)</bdi>", path.read_text(encoding="utf-8"))


@pytest.mark.thorough
@pytest.mark.parametrize("count", [1, 12])
def test_a_function_has_as_many_small_pages_as_it_needs_and_every_row_is_there(tmp_path: Path, count: int) -> None:
    write_report(_many_partials(count), tmp_path)
    made = sorted(tmp_path.glob("function-001*.html"), key=lambda path: (len(path.name), path.name))
    assert all(path.stat().st_size <= 150_000 for path in made)
    shown = [name for path in made for name in _titles(path)]
    assert shown[0] == f"x{count - 1}"  # what is outside its bound comes first
    assert sorted(shown) == sorted(f"x{k}" for k in range(count))
    texts = [path.read_text(encoding="utf-8") for path in made]
    assert sum(text.count('aria-label="All rows') for text in texts) == count
    assert sum(text.count('class="chart split"') for text in texts) == 3 * count
    assert not any("kept small" in text or "more partial" in text for text in texts)
    assert (len(made) == 1) == (count == 1)
    for number, text in enumerate(texts, 1):
        links = re.findall(r'<nav aria-label="Pages of this function">.*?</nav>', text)
        assert len(links) == (len(made) > 1)
        for link in links:
            assert re.findall(r'href="([^"]+)"', link) == [p.name for p in made if p != made[number - 1]]
        assert ("How to read this</h2>" in text) == (number == 1)
        # the table of best steps is that of the partials on the page
        assert len(set(re.findall(r"<tr><td><bdi>(x\d+)</bdi>", text))) == len(_titles(made[number - 1]))


@pytest.mark.thorough
def test_of_very_many_partials_the_first_pages_are_drawn_unless_all_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffcompare.report.function_page._PAGES", 2)
    tables = _many_partials(15)
    write_report(tables, tmp_path)
    made = [tmp_path / "function-001.html", tmp_path / "function-001-2.html"]
    assert sorted(tmp_path.glob("function-001*.html")) == sorted(made)
    drawn = sum(len(_titles(path)) for path in made)
    assert 2 < drawn < 15
    assert f"{15 - drawn} more partial derivatives are in" in made[1].read_text(encoding="utf-8")
    assert "more partial" not in made[0].read_text(encoding="utf-8")
    write_report(tables, tmp_path, pages="all")
    assert sum(len(_titles(path)) for path in tmp_path.glob("function-001*.html")) == 15
    write_report(_many_partials(1), tmp_path)
    assert [path.name for path in tmp_path.glob("function-001*.html")] == ["function-001.html"]  # none is left over


@pytest.mark.thorough
@pytest.mark.parametrize(("steps", "kept"), [(61, "all"), (250, "brief"), (1000, "none")])
def test_a_partial_that_fills_a_page_leaves_out_rows_and_says_so(tmp_path: Path, steps: int, kept: str) -> None:
    write_report(_many_partials(1, tuple(10.0 ** -(16 * k / steps) for k in range(1, steps + 1))), tmp_path)
    page = tmp_path / "function-001.html"
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size <= 150_000
    rows = text.count("<tr\n")
    assert rows == (0 if kept == "none" else 3 * steps)
    assert ("<th scope=col>truncation" in text) == (kept == "all")
    said = f"rows 1 to {3 * steps:,} " in text
    assert said == (kept != "all")
    assert 'class="chart"' in text
    assert ("data-readout" in text) == (kept != "none")


@pytest.mark.thorough
def test_a_derivative_says_where_it_does_not_hold(tmp_path: Path) -> None:
    rows = sweep_rows("corner", abs, ["x"], [1.0], [1.0])
    for name, latex, said in (
        ("sign", r"\operatorname{sign}{\left(x \right)}", "sign(x),x≠0"),
        ("step", r"2 \theta\left(x - \left|{y}\right|\right)", "2θ(x−|y|),x−|y|≠0"),
        ("smooth", r"\theta \left(x + 1\right)", "θ(x+1)"),
    ):
        functions = functions_table([("corner", "x", "abs(x)", "", latex, "text", "ok", "")])
        errors = errors_table(rows)
        write_report(Tables("corner", errors, summary_table(errors), functions), tmp_path / name)
        page = (tmp_path / name / "function-001.html").read_text(encoding="utf-8")
        (formula,) = re.findall("<math.*?</math>", page)
        assert re.sub(r"<[^>]*>|\s", "", formula) == said


def test_the_marks_of_a_page_are_explained_beside_its_first_chart_alone(tmp_path: Path) -> None:
    tables = split_example()
    write_report(tables, tmp_path)
    page = (tmp_path / "function-001.html").read_text(encoding="utf-8")
    assert page.count('<dl class="key">') == 1
    assert page.index('class="chart"') < page.index('<dl class="key">') < page.index("Which part of the error")
    key = page.partition('<dl class="key">')[2].partition("</dl>")[0]
    for mark, _, words in KEY:
        assert (words in key) == (f'class="{mark}"' in page), mark
    assert "<!--" not in page


def test_the_pivot_of_a_page_has_each_scheme_and_h(tmp_path: Path) -> None:
    write_report(example(), tmp_path)
    text = (tmp_path / "function-001.html").read_text(encoding="utf-8")
    table = re.search(r'<details class="pivot">.*?</details>', text, re.DOTALL)
    assert table is not None
    errors = read_errors(tmp_path / "errors.csv")
    first = errors[errors["function"] == errors["function"].iloc[0]]
    assert table[0].count("<tr>") == 1 + first["h"].nunique()
    assert table[0].count("<b>") == 3
