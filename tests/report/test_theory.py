"""The words of the tables: each is explained, briefly, and as the manual and the pages have it."""

import re
import runpy
from pathlib import Path

import pytest

import diffcompare as dc
from diffcompare.numeric.stencils import DEFAULT_SCHEMES
from diffcompare.numeric.step_rules import STEP_RULES
from diffcompare.report import theory
from diffcompare.report.comparisons_page import COMPARISON_COLUMNS
from diffcompare.report.drawings.marks import KEY, LANES, RULES
from diffcompare.report.theory import WORDS, close_words, explanation, word_list
from diffcompare.report.verdict_page import COMPONENT_COLUMNS
from diffcompare.report.wording import (
    CHECK_WORDS,
    OUTCOME_WORDS,
    PART_MEANINGS,
    PART_WORDS,
    STATUS_WORDS,
    VERDICT_WORDS,
)
from diffcompare.sweeps.rule_errors import step_rules
from diffcompare.symbolic.words import FUNCTIONS
from diffcompare.tables import schema
from diffcompare.tables.components import COMPONENT_STATUSES
from diffcompare.verdict.verdict import _EVIDENCE

TABLES = (
    *(schema.COLUMNS, schema.SUMMARY_COLUMNS, schema.FUNCTION_COLUMNS, schema.DESCENT_COLUMNS),
    *(schema.CURVE_COLUMNS, schema.HOT_SPOT_COLUMNS, schema.RULE_COLUMNS, schema.SURFACE_COLUMNS),
)
COLUMNS = sorted({column for table in TABLES for column in table})
ALL = [word for words in WORDS.values() for word in words]


def test_every_column_is_explained():
    columns = [*COLUMNS, *schema.RANKING_COLUMNS, *schema.SCORE_COLUMNS, *COMPONENT_COLUMNS, *COMPARISON_COLUMNS]
    assert [column for column in columns if column not in ALL] == []


def test_every_status_verdict_and_source_is_explained():
    groups = {
        "status of a row": schema.STATUSES,
        "verdict on a row of the summary": schema.VERDICTS,
        "source of a bound": [source for source in schema.BOUND_SOURCES if source],
        "evidence of a verdict": list(_EVIDENCE),
        "outcome of an answer (rank)": schema.OUTCOMES,
    }
    for group, words in groups.items():
        assert list(WORDS[group]) == list(words)
    assert set(COMPONENT_STATUSES) <= set(WORDS["verdict on a gradient (check)"])
    assert {"resolution", "rounding", "blame", "cause"} <= set(WORDS["verdict on a gradient (check)"])
    assert set(PART_WORDS) <= set(WORDS["columns: the exact split"])
    assert set(DEFAULT_SCHEMES) <= set(WORDS["schemes"])


def test_every_step_rule_is_explained():
    shown = set(step_rules(dc.parse("exp(x)"), 1.0)["rule"].astype(str))
    assert set(STEP_RULES) < shown
    assert shown == set(WORDS["step rules"])


def _shown() -> set[str]:
    """Heads of tables and lists in the templates of all pages."""
    found = set()
    for template in (Path(theory.__file__).parent / "templates").rglob("*.html"):
        # what stands in a column or an entry, without what the template fills in
        text = re.sub(r"\{%.*?%\}|<wbr>|</?(span|var)[^>]*>", "", template.read_text(encoding="utf-8"))
        found |= set(re.findall(r'<th scope="?col"?[^>]*>([^<{\n]+)', text)) | set(
            re.findall(r"<dt>([^<{]+)</dt>", text)
        )
    return found


def test_every_word_and_mark_that_a_page_shows_is_explained():
    shown = _shown()
    assert {"best |error|", "|error|/best", "observed order", "rightly refused", "To blame", "f", "tick"} <= shown
    marks = [sign for _, sign, _ in KEY if len(sign) == 1] + [mark.tick for mark in RULES.values()] + list(LANES)
    field = ["gradient descent", "learning rate", "box", "u", "ulp", "ε", "κ", "eps", "kappa", "|error|", "abscissa"]
    assert [word for word in (*shown, *marks, *field, *COLUMNS) if explanation(word) is None] == []
    assert "Ridders" in explanation("Ri")
    assert "Gill" in explanation("gm")


def test_a_word_has_one_place():
    assert len(ALL) == len(set(ALL)) == len({word.casefold() for word in ALL})


@pytest.mark.parametrize("word", ALL)
def test_an_explanation_is_short_and_says_something(word):
    lines = explanation(word).splitlines()
    assert 2 <= len(lines) <= 10
    assert max(map(len, lines)) <= 78
    assert lines[0].startswith(f"{word} (")
    assert lines[-1].endswith(".")
    assert word in word_list()


def test_the_words_of_the_pages_are_those_of_the_explanations():
    assert list(PART_MEANINGS) == list(PART_WORDS)
    for words in (CHECK_WORDS, OUTCOME_WORDS, PART_MEANINGS, STATUS_WORDS, VERDICT_WORDS):
        for word, text in words.items():
            assert text[1:] in " ".join(explanation(word).split())


def test_the_manual_has_every_column_and_word_as_they_are_explained():
    manual = runpy.run_path(str(Path(__file__).parents[2] / "reports" / "manual.py"))
    text = manual["MANUAL"].read_text(encoding="utf-8")
    assert text == manual["written"](), "run python reports/manual.py"
    named = set(re.findall(r"^\| `([^`]+)` ", text, re.MULTILINE))
    columns = [*COLUMNS, *schema.RANKING_COLUMNS, *schema.SCORE_COLUMNS, *COMPONENT_COLUMNS, *COMPARISON_COLUMNS]
    words = [*schema.STATUSES, *schema.VERDICTS, *schema.OUTCOMES, *COMPONENT_STATUSES, "proven", "measured"]
    assert [word for word in (*columns, *words) if word not in named] == []


@pytest.mark.parametrize("word", ["central4", "CENTRAL", " central ", "central12"])
def test_schemes_with_a_number_and_capitals_are_known(word):
    assert explanation(word) == explanation("central")


def test_unknown_words_have_neighbours():
    assert explanation("truncatoin") is None
    assert close_words("truncatoin") == ["truncation"]
    assert close_words("ridder")[0] == "Ridders"
    assert close_words("bound source")[0] == "bound_source"
    assert "Dumontet-Vignes" in close_words("dumontet")
    assert close_words("qqq") == []


def test_the_functions_that_are_listed_are_known_to_formulas():
    words = WORDS["the command line"]
    special = set(re.findall(r"[A-Za-z]\w+", words["special functions"].partition(". Orders")[0]))
    assert special - set(FUNCTIONS) == {"np", "of", "is", "that", "regularised"}
    ordinary = set(re.findall(r"[A-Za-z]\w+(?=[,( ])", words["formulas"].partition("the trigonometric")[0]))
    assert ordinary - set(FUNCTIONS) == {"also"}
