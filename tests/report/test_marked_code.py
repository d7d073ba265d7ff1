"""The codes on the page of a verdict: which lines, what of them is marked, and where its message stands."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffcompare.report.marked_code import marked_codes
from diffcompare.report.page import write_report
from diffcompare.verdict.check import check_gradient
from diffcompare.verdict.marks import Mark, Source

from .test_page import HOSTILE, Page, check_inert

LOSS = """\
    def loss(self, w):
        r = self.X @ w

        return np.mean(r**2) + np.sum(w**2)
"""
SLOPE = """\
def slope(w):
\treturn (a +
\t        b) # c
"""
SOURCES = (Source("f", "Model.loss", "model.py", 6, LOSS), Source("gradient", "slope", "model.py", 20, SLOPE))
TERM = Mark("f", "model.py", 9, 31, 9, 43, "np.sum(w**2)", "its derivative is 2*w", (LOSS.splitlines()[3],))
SUM = Mark("gradient", "model.py", 21, 9, 22, 10, "a +\n\t        b", "half", tuple(SLOPE.splitlines()[1:]))
BELOW = Mark("gradient", "helper.py", 3, 11, 3, 12, "y", "called", ("    return y",))
WRONG = replace(
    check_gradient(lambda x: np.sum(x**2), lambda x: x, at=[3.0, 4.0]), marks=(TERM, SUM, BELOW), sources=SOURCES
)


def test_lines_are_numbered_and_their_common_indentation_is_left_out():
    code = marked_codes(SOURCES, ())[0]
    assert (code["role"], code["name"], code["place"], code["marked"]) == ("f", "Model.loss", "model.py:6", False)
    assert [row["number"] for row in code["rows"]] == [6, 7, 8, 9]
    assert ["".join(text for text, _ in row["pieces"]) for row in code["rows"]] == [
        "def loss(self, w):", "    r = self.X @ w", "", "    return np.mean(r**2) + np.sum(w**2)",
    ]  # fmt: skip


def marked(code):
    return [(row["number"], text) for row in code["rows"] for text, is_marked in row["pieces"] if is_marked]


def test_what_is_marked_and_where_its_message_stands():
    loss, slope, other = marked_codes(SOURCES, (TERM, SUM, BELOW))
    assert marked(loss) == [(9, "np.sum(w**2)")]
    assert loss["rows"][3]["told"] == [
        {"before": "    return np.mean(r**2) + ", "text": "np.sum(w**2)", "message": "its derivative is 2*w"}
    ]
    assert marked(slope) == [(21, "a +"), (22, "b")]
    assert [row["told"] for row in slope["rows"]] == [[], [], [{"before": " " * 12, "text": "b", "message": "half"}]]
    assert (other["role"], other["name"], other["place"]) == ("gradient", "", "helper.py:3")
    assert marked(other) == [(3, "y")]


def test_a_place_of_the_other_code_on_the_same_line_is_not_marked():
    loss, slope, _ = marked_codes(SOURCES, (replace(TERM, role="gradient"),))
    assert (marked(loss), marked(slope)) == ([], [])


def test_marks_inside_one_another_mark_their_union_and_say_both():
    inner = replace(TERM, column=38, end_column=42, text="w**2", message="inner")
    (row,) = [row for row in marked_codes(SOURCES, (inner, TERM))[0]["rows"] if row["told"]]
    assert "".join(text for text, is_marked in row["pieces"] if is_marked) == "np.sum(w**2)"
    assert [told["message"] for told in row["told"]] == ["its derivative is 2*w", "inner"]


def test_of_a_mark_without_lines_the_expression_is_shown():
    (code,) = marked_codes((), (replace(BELOW, lines=()),))
    assert code["rows"] == [
        {"number": 3, "pieces": [("y", True)], "told": [{"before": "", "text": "y", "message": "called"}]}
    ]


def test_of_a_long_code_the_lines_around_its_marks_are_shown():
    text = "def f(x):\n" + "".join(f"    a{k} = x\n" for k in range(500))
    mark = Mark("f", "m.py", 300, 4, 300, 8, "a298", "", ("    a298 = x",))
    (code,) = marked_codes((Source("f", "f", "m.py", 1, text),), (mark,))
    assert [row["number"] for row in code["rows"]] == [1, None, *range(295, 306)]
    (whole,) = marked_codes((Source("f", "f", "m.py", 1, text),), ())
    assert len(whole["rows"]) == 501


def test_the_page_names_both_codes_and_shows_the_marked_ones_first(tmp_path: Path):
    index = write_report(WRONG, tmp_path)
    check_inert(index)
    text = index.read_text(encoding="utf-8")
    assert re.findall("<mark>(.*?)</mark>", text) == ["np.sum(w**2)", "a +", "b", "y"]
    words = " ".join("".join(Page(index).words).split())
    for expected in (
        "The function Model.loss, model.py:6", "The gradient slope, model.py:20", "The gradient, helper.py:3",
        "↑ np.sum(w**2): its derivative is 2*w", "↑ b: half",
        "Function Model.loss, model.py:6 Gradient slope, model.py:20",
    ):  # fmt: skip
        assert expected in words
    assert words.index("↑ b: half") < words.index("Judged by")
    assert text.count('<details class="source') == text.count("open>") == 3
    names = re.findall('aria-label="(Code[^"]*)"', text)
    assert len(names) == len(set(names)) == 3


def test_codes_without_marks_are_folded_away_below_the_facts(tmp_path: Path):
    text = write_report(replace(WRONG, marks=()), tmp_path).read_text(encoding="utf-8")
    assert text.count('<details class="source') == 2
    assert "open>" not in text
    assert text.index("Judged by") < text.index('<details class="source')


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]) or "empty")
def test_hostile_code_stays_text(tmp_path: Path, text: str):
    mark = Mark("gradient", text, 1, 0, 1, len(text), text, text, (text,))
    verdict = replace(WRONG, marks=(mark, replace(mark, role="f")), sources=(Source("f", text, text, 1, text),))
    index = write_report(verdict, tmp_path)
    check_inert(index)
    source = index.read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", source)
    if text and text.isprintable() and len(text) < 80:
        # names, places, codes and messages
        assert "".join(Page(index).words).count(text) >= 8
