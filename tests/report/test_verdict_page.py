"""The page of a verdict: what it shows, in which order, and that hostile text stays text."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import diffcompare.report
from diffcompare.errors import DiffcompareError
from diffcompare.report.page import write_report
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.marks import Source
from diffcompare.verdict.verdict import Verdict

from ..exact_floats import EXACT  # noqa: TID252 - tests are no package
from .test_page import HOSTILE, Page, check_inert

NAN = math.nan


def components(*rows: tuple[object, ...], point: str = "[3.0, 4.0]") -> pd.DataFrame:
    """Rows of component, claimed, certified, relative, status."""
    return pd.DataFrame(
        [
            (
                point,
                name,
                claimed,
                certified,
                claimed - certified,
                abs(claimed - certified) * 2.0**52,
                relative,
                1e-15,
                s,
            )
            for name, claimed, certified, relative, s in rows
        ],
        columns=["point", "component", "claimed", "certified", "difference", "ulps", "relative", "threshold", "status"],
    )


WRONG = Verdict(
    "wrong",
    "identity",
    2.2e-16,
    0.5,
    "gradient",
    "factor 2 missing: the claim is D/2 in component x[1]",
    components(
        ("x[0]", 6.0, 6.0, 0.0, "consistent"),
        ("x[1]", 4.000000000000001, 8.0, 0.5, "wrong"),
        ("x[2]", 1.0, NAN, NAN, "inconclusive"),
        ("x[3]", 7.0, 8.0, 0.125, "wrong"),
    ),
    ("the function branches on line 3",),
    "dc.check_gradient(f, gradient, at=[3.0, 4.0])",
)


class Rows(HTMLParser):
    """The cells of the table of components."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.inside = self.cell = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.inside = "components" in (dict(attrs).get("class") or "")
        elif tag == "tr" and self.inside:
            self.rows.append([])
        elif tag in ("td", "th") and self.inside:
            self.rows[-1].append("")
            self.cell = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "table"
        self.cell = self.cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.cell:
            self.rows[-1][-1] += data


def words_of(path: Path) -> str:
    return " ".join("".join(Page(path).words).split())


def page_of(verdict: Verdict, folder: Path) -> str:
    return words_of(write_report(verdict, folder))


def test_the_files_are_those_of_the_manifest(tmp_path: Path) -> None:
    assert write_report(WRONG, tmp_path) == tmp_path / "index.html"
    assert json.loads((tmp_path / "manifest.json").read_text())["files"] == ["components.csv", "index.html"]
    assert {path.name for path in tmp_path.iterdir()} == {"components.csv", "index.html", "manifest.json"}


def test_components_csv_reads_back_bit_for_bit(tmp_path: Path) -> None:
    write_report(WRONG, tmp_path)
    again = pd.read_csv(
        tmp_path / "components.csv",
        keep_default_na=False,
        na_values={"certified": "", "relative": ""},
        **EXACT,
    )
    assert list(again.columns) == list(WRONG.components.columns)
    for name in ("component", "status", "point"):
        assert again[name].tolist() == WRONG.components[name].tolist()
    for name in ("claimed", "certified", "relative", "threshold"):
        assert again[name].map(repr).tolist() == WRONG.components[name].map(repr).tolist()


def test_the_page_says_what_was_judged_and_how(tmp_path: Path) -> None:
    page = page_of(WRONG, tmp_path)
    for words in (
        "⚠ wrong: 2 of 4 components differ from the derivative, by up to 0.5 times the largest component.",
        "Resolution: any error above 2.2e-16 times the largest component would have been seen.",
        "identity: function and gradient were traced and compared as real functions",
        "factor 2 missing: the claim is D/2 in component x[1]",
        "To blame the gradient",
        "the function branches on line 3",
        "4.000000000000001",
        "How to read this",
        "dc.check_gradient(f, gradient, at=[3.0, 4.0])",
        "components.csv, manifest.json",
    ):
        assert words in page
    for line in WRONG.explain().splitlines():
        assert line in page
    # beside a mistake it would be the mistake
    assert "Rounding the gradient has" not in page


def test_components_stand_worst_first(tmp_path: Path) -> None:
    head, *rows = Rows(write_report(WRONG, tmp_path)).rows
    assert [cell.strip() for cell in head] == [
        *("status", "component", "claimed", "certified", "difference", "ulps", "relative", "threshold")
    ]
    assert [row[1] for row in rows] == ["x[1]", "x[3]", "x[2]", "x[0]"]
    assert rows[0][0] == "⚠ wrong"
    assert rows[0][2:4] == ["4.000000000000001", "8.0"]
    assert rows[2][3:5] == ["–", "–"]


def test_an_error_of_unknown_size_is_worse_than_a_known_one(tmp_path: Path) -> None:
    table = components(("a", 1.0, 2.0, 0.5, "wrong"), ("b", NAN, 2.0, NAN, "wrong"), ("c", 1.0, 9.0, 0.9, "consistent"))
    rows = Rows(write_report(replace(WRONG, components=table), tmp_path)).rows
    assert [row[1] for row in rows[1:]] == ["b", "a", "c"]


CALM = replace(WRONG, status="consistent", blame=None, cause=None, notes=(), rounding=0.0)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (replace(CALM, resolution=NAN), "no resolution can be stated"),
        (replace(CALM, resolution=7.0), "only an error larger than the largest component itself"),
        (replace(CALM, resolution=1.25e-9), "any error above 1.25e-9 times the largest component"),
        (CALM, "Rounding none was seen"),
        (
            replace(CALM, rounding=3e-9),
            "Rounding the gradient has a rounding error of 3e-9 times its largest component",
        ),
        (replace(CALM, evidence="neighbours"), "rounding scatters there, a mistake is smooth"),
        (replace(CALM, evidence="witness"), "integrals of the claimed gradient"),
        (replace(CALM, evidence="calls"), "before any derivative was looked at"),
        (replace(WRONG, blame="formula"), "To blame the formula: the function is not the one that was written down"),
    ],
)
def test_numbers_are_put_into_words(tmp_path: Path, verdict: Verdict, words: str) -> None:
    assert words in page_of(verdict, tmp_path)


@pytest.mark.parametrize("status", ["wrong", "out-of-domain", "non-smooth", "inconclusive", "consistent"])
def test_only_wrong_looks_alarming(tmp_path: Path, status: str) -> None:
    table = components(("x", 1.0, 2.0, 0.5, status))
    index = write_report(replace(CALM, status=status, components=table), tmp_path)
    assert bool([a for _, a in Page(index).tags if a.get("class") == "alarm"]) == (status == "wrong")
    assert ("⚠" in words_of(index)) == (status == "wrong")
    assert f"{status}: " in words_of(index)
    assert f"the verdict on a gradient: {status}" in "".join(Page(index).words)


def test_what_is_not_known_is_not_shown(tmp_path: Path) -> None:
    table = components(("x", NAN, NAN, NAN, "out-of-domain"))
    page = page_of(replace(CALM, status="out-of-domain", evidence="calls", components=table, snippet=""), tmp_path)
    assert "Certified not known" in page
    assert "difference Difference" not in page
    for words in ("Cause", "To blame", "Notes", "Do it again", "nan times the largest"):
        assert words not in page


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]) or "empty")
def test_hostile_text_in_every_field_stays_text(tmp_path: Path, text: str) -> None:
    table = components((text, 1.0, 2.0, 0.5, "wrong"), (text, 1.0, 1.0, 0.0, "consistent"), point=text)
    verdict = replace(WRONG, cause=text, notes=(text, text), snippet=text, components=table, blame=text or None)
    for folder, result in (("one", verdict), ("two", [verdict, verdict])):
        index = write_report(result, tmp_path / folder)
        check_inert(index)
        source = index.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", source)
        if text and text.isprintable() and len(text) < 100:
            assert "".join(Page(index).words).count(text) > 6


def test_a_status_or_evidence_that_is_unknown_is_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"

    class Other:
        status, evidence, resolution, rounding, blame, cause = evil, evil, 1e-3, NAN, evil, evil
        notes, snippet, what, marks, sources = [evil], evil, evil, (), ()
        components = components((evil, 1.0, 2.0, 0.5, evil), point=evil)

        def explain(self) -> str:
            return evil

    index = write_report(Other(), tmp_path)  # type: ignore[arg-type]
    check_inert(index)
    assert "".join(Page(index).words).count(evil) > 10


def test_the_template_never_switches_escaping_off() -> None:
    templates = sorted((Path(diffcompare.report.__file__).parent / "templates").rglob("*.html"))
    assert "verdict" in {template.parent.name for template in templates}
    for template in templates:
        assert not re.search(r"\|\s*safe|autoescape|Markup", template.read_text(encoding="utf-8")), template


def test_the_same_verdict_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("once", "again"):
        write_report(WRONG, tmp_path / folder)
    for name in ("components.csv", "index.html", "manifest.json"):
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_several_points_have_a_line_each_and_one_table(tmp_path: Path) -> None:
    other = components(("x[0]", 1.0, 1.0, 0.0, "consistent"), ("x[1]", 9.0, 9.5, 0.3, "wrong"), point="[0.0, 1.0]")
    index = write_report([CALM, replace(WRONG, components=other)], tmp_path)
    page = words_of(index)
    assert "consistent at [3.0, 4.0]: " in page
    assert "⚠ wrong at [0.0, 1.0]: " in page
    assert "The verdict at [3.0, 4.0]" in page
    rows = Rows(index).rows
    assert [cell.strip() for cell in rows[0][:3]] == ["status", "point", "component"]
    assert len(rows) == 1 + 4 + 2
    assert rows[1][1:3] == ["[3.0, 4.0]", "x[1]"]
    assert len(pd.read_csv(tmp_path / "components.csv")) == 6
    labels = [a["aria-label"] for _, a in Page(index).tags if "aria-label" in a]
    assert len(set(labels)) == len(labels)


def test_a_verdict_of_several_points_says_how_many(tmp_path: Path) -> None:
    table = pd.concat([WRONG.components, components(("x[0]", 1.0, 1.0, 0.0, "consistent"), point="[0.0, 1.0]")])
    assert "The verdict at 2 points" in page_of(replace(WRONG, components=table), tmp_path)


def test_a_large_gradient_shows_its_worst_components(tmp_path: Path) -> None:
    many = components(
        *((f"x[{k}]", 1.0, 1.0, 0.0, "consistent") for k in range(2_500)), ("bad", 1.0, 2.0, 0.5, "wrong")
    )
    index = write_report(replace(WRONG, components=many), tmp_path)
    rows = Rows(index).rows
    assert len(rows) == 2_001
    assert rows[1][1] == "bad"
    assert "The first 2000 of 2,501 components; components.csv has them all" in words_of(index)
    assert len(pd.read_csv(tmp_path / "components.csv")) == 2_501


@pytest.mark.thorough
def test_a_study_and_a_verdict_replace_each_other(tmp_path: Path) -> None:
    from .example import example

    write_report(example(), tmp_path)
    write_report(WRONG, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"components.csv", "index.html", "manifest.json"}
    write_report(example(), tmp_path)
    assert not (tmp_path / "components.csv").exists()


@pytest.mark.parametrize("foreign", ["components.csv", "index.html", "manifest.json"])
def test_a_foreign_file_is_refused(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).write_text("mine")
    with pytest.raises(DiffcompareError, match=f"{re.escape(foreign)} is there already"):
        write_report(WRONG, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [foreign]
    assert (tmp_path / foreign).read_text() == "mine"


def test_what_is_no_verdict_is_refused(tmp_path: Path) -> None:
    broken = replace(WRONG, components=WRONG.components.drop(columns="ulps"))
    with pytest.raises(
        ValueError, match=r"components: column 'ulps' is missing; pass what dc\.check_gradient returned"
    ):
        write_report(broken, tmp_path)
    for result in ([WRONG, 3], [3], WRONG.explain(), []):
        with pytest.raises(TypeError, match=r"pass a table of dc\.sweep.* or a Verdict"):
            write_report(result, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="pages='some'"):
        write_report(WRONG, tmp_path, pages="some")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_real_verdict_from_the_check_to_the_page(tmp_path: Path) -> None:
    verdict = check_gradient(lambda x: np.sum(x**2), lambda x: x, at=[3.0, 4.0])
    page = page_of(verdict, tmp_path)
    assert verdict.status == "wrong"
    assert verdict.cause is not None
    assert verdict.cause in page
    assert "⚠ wrong" in page
    check_inert(tmp_path / "index.html")
    table = pd.read_csv(tmp_path / "components.csv")
    assert table["claimed"].tolist() == [3.0, 4.0]
    assert table["certified"].tolist() == [6.0, 8.0]


def test_title_and_heading_name_the_claim_the_function_and_the_file(tmp_path: Path) -> None:
    f = Source("f", "loss", "losses.py", 3, "def loss(w): ...")
    gradient = Source("gradient", "slope<of>loss", "losses.py", 9, "def slope(w): ...")
    other = replace(gradient, file="slopes.py")
    for sources, subject in (
        ((f, gradient), "slope<of>loss, the gradient of loss in losses.py"),
        ((f, other), "slope<of>loss, the gradient of loss in losses.py and slopes.py"),
        ((f, replace(gradient, name="loss")), "the gradient of loss in losses.py"),
        ((gradient,), "slope<of>loss, the gradient in losses.py"),
    ):
        text = write_report(replace(WRONG, sources=sources), tmp_path).read_text(encoding="utf-8")
        told = [
            html.unescape(found)
            for pair in re.findall(r"<title>(.*?)</title>|<h1><bdi>(.*?)</bdi></h1>", text)
            for found in pair
            if found
        ]
        assert told == [f"{subject}: wrong", subject]
    assert "<h1>Is this gradient right?</h1>" in write_report(WRONG, tmp_path).read_text(encoding="utf-8")


def test_the_first_sentence_ends_once(tmp_path: Path) -> None:
    verdict = check_gradient(lambda p: np.sum(np.log(p + 1e-7)), lambda p: 1 / p, [0.2, 0.5])
    page = page_of(verdict, tmp_path)
    assert "guards=True` judges f without it. Resolution:" in page
    assert ".." not in page.partition("How to read this")[0]
