"""Differentiators are held against certified derivatives, and nothing that a library does ends the run."""

from __future__ import annotations

import importlib.util
import json
import math
import re

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.adapters.differentiators import DIFFERENTIATORS, GRADIENT_DIFFERENTIATORS, installed
from diffcompare.command.cli import main
from diffcompare.ranking import rank, scores
from diffcompare.report.ranking_page import write_ranking
from diffcompare.symbolic.catalogue import CATALOGUE, GRADIENT_CATALOGUE, CatalogueEntry
from diffcompare.tables.answers import answers
from diffcompare.tables.schema import GRADIENT_RANKING_COLUMNS, OUTCOMES, RANKING_COLUMNS, SCORE_COLUMNS

from .stated import stated

SMOOTH = CatalogueEntry("x**3", 2.0, "none")
CORNER = CatalogueEntry("abs(x)", 0.0, "corner")
# gradients (12, 8), and (-, 2)
PAIR = CatalogueEntry("x0**3 + 4*x1**2", (2.0, 1.0), "none")
HALF = CatalogueEntry("abs(x0) + x1**2", (0.0, 1.0), "corner")


OTHERS = ("scipy", "numdifftools", "jacobi")


@pytest.fixture(scope="module")
def whole():
    """The answers to the whole catalogue: its certified derivatives take longer than most of them."""
    some = {name: solve for name, solve in installed()[0].items() if name in ("diffcompare", *OTHERS)}
    return rank({"none": lambda f, x: math.nan, **some})


@pytest.fixture(scope="module")
def whole_gradients():
    """The same of gradients, without those of diffcompare, which take long."""
    others = {name: solve for name, solve in installed(gradients=True)[0].items() if name in OTHERS}
    return rank({"none": lambda f, x: math.nan, **others}, gradients=True)


def those_of(table, *names):
    return table[table["differentiator"].isin(names)]


def outcome(answer, entry=SMOOTH):
    return rank({"it": lambda f, x: answer}, [entry]).loc[0, "outcome"]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ((12.0, 0.0), "covered"),
        ((12.0 + 10 * 2**-49, 0.0), "covered"),
        ((12.0 + 11 * 2**-49, 0.0), "overconfident"),
        ((12.1, 0.0101), "covered"),
        ((12.1, 0.0099), "overconfident"),
        ((12.1, math.nan), "unestimated"),
        (12.1, "unestimated"),
        (np.float64(12.1), "unestimated"),
        ((12.0, math.inf), "refused"),
        ((math.inf, 1.0), "refused"),
        (math.nan, "refused"),
        ("twelve", "refused"),
    ],
)
def test_the_outcome_of_an_answer(answer, word):
    assert outcome(answer) == word


@pytest.mark.parametrize(
    ("entry", "answer", "outcomes", "word"),
    [
        (PAIR, ([12.0, 8.0], [0.0, 0.0]), ["covered", "covered"], "covered"),
        (PAIR, ([12.0, 8.1], [0.0, 0.1]), ["covered", "covered"], "covered"),
        (PAIR, ([12.0, 8.1], [0.1, 0.0]), ["covered", "overconfident"], "overconfident"),
        (PAIR, ([12.1, 8.0], 0.0), ["overconfident", "covered"], "overconfident"),
        (PAIR, (np.array([[12.1, 8.1]]), 0.1), ["covered", "covered"], "covered"),
        (PAIR, ([math.nan, 8.1], [0.0, 0.0]), ["refused", "overconfident"], "overconfident"),
        (PAIR, ([12.0, math.nan], [0.0, 0.0]), ["covered", "refused"], "refused"),
        (PAIR, ([12.0, 8.0], [math.inf, math.nan]), ["refused", "unestimated"], "unestimated"),
        (PAIR, [12.0, 8.0], ["unestimated", "unestimated"], "unestimated"),
        (PAIR, ([12.0, 8.0, 0.0], 0.0), ["refused", "refused"], "refused"),
        (PAIR, (12.0, 0.0), ["refused", "refused"], "refused"),
        (HALF, ([math.nan, 2.0], [0.0, 0.0]), ["refused", "covered"], "refused"),
        (HALF, ([0.0, 2.0], [1e300, 0.0]), ["overconfident", "covered"], "overconfident"),
        (HALF, ([math.nan, 2.1], [0.0, 0.0]), ["refused", "overconfident"], "overconfident"),
    ],
)
def test_a_gradient_is_judged_entry_by_entry_and_right_if_all_entries_are(entry, answer, outcomes, word):
    table = rank({"it": lambda f, x: answer}, [entry], gradients=True)
    assert table["outcome"].tolist() == outcomes
    (given,) = answers(table).to_dict("records")
    assert given["outcome"] == word
    assert given["differentiable"] == (entry is PAIR)
    (score,) = scores(table).to_dict("records")
    assert (score["functions"], score[word], score["without_derivative"]) == (1, 1, int(entry is HALF))
    assert score["rightly_refused"] == (entry is HALF and word == "refused")


def test_the_worst_entry_of_a_gradient_stands_for_it():
    four = CatalogueEntry("x0 + x1 + 0*x2 + 10*x3", (1.0, 1.0, 1.0, 1.0), "none")
    table = rank({"it": lambda f, x: ([1.1, 1.2, 0.3, 11.0], [1.0, 1e-9, 1e-9, 1e-9])}, [four, HALF], gradients=True)
    first, second = answers(table).to_dict("records")
    # x3 is off by more, relative to 10 by less; of the relative errors that of x2 = 0 does not count
    assert (first["variable"], first["outcome"], first["rel_error"]) == ("x1", "overconfident", 1.2 - 1)
    # an answer of another length is refused, and its entry without a derivative says so
    assert (second["variable"], second["status"], second["outcome"]) == ("x0", "kink", "refused")
    assert second["message"] == "ValueError: an answer of shape (4,) with estimates (4,), where shape (2,) is needed"
    assert scores(table).loc[0, "max_rel_error"] == 1.2 - 1


def test_gradients_have_rows_and_columns_of_their_own():
    table = rank({"a": lambda f, x: 2 * x, "b": lambda f, x: math.nan}, [PAIR, HALF], gradients=True)
    assert list(table.columns) == list(GRADIENT_RANKING_COLUMNS)
    assert list(table.columns) == ["differentiator", "function", "variable", *list(RANKING_COLUMNS)[2:]]
    assert table["variable"].tolist() == ["x0", "x1"] * 4
    assert table["point"].tolist() == (["x0=2.0;x1=1.0"] * 2 + ["x0=0.0;x1=1.0"] * 2) * 2
    assert table["status"].tolist() == ["ok", "ok", "kink", "ok"] * 2
    assert table["exact"].iloc[:2].tolist() == [12.0, 8.0]
    with pytest.raises(dc.ParseError, match="x1"):
        rank({"a": lambda f, x: x}, [CatalogueEntry("x0*x1", 2.0, "none")], gradients=True)


def test_a_gradient_is_asked_for_with_points_along_the_last_axis():
    def solver(f, x):
        assert isinstance(f(x), float)
        assert f(np.array([x, 2 * x])).tolist() == [12.0, 80.0]
        assert f(np.ones((2, 3, 2))).shape == (2, 3)
        x[:] = 0.0
        return 12.0, 1.0

    one = CatalogueEntry("x0**2", (3.0,), "none")
    table = rank({"it": solver, "ours": GRADIENT_DIFFERENTIATORS["diffcompare"][1]}, [PAIR, one], gradients=True)
    assert table["evaluations"].iloc[0] == 9
    # one variable is a gradient of one entry; what a differentiator does to x is its own
    assert table["outcome"].iloc[-3:].tolist() == ["covered"] * 3


@pytest.mark.thorough
def test_automatic_differentiation_takes_the_function_in_its_own_module():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def automatic(f, x):
        with jax.enable_x64(True):
            return np.asarray(jax.grad(lambda v: f.callable(jnp)(*v))(jnp.asarray(x))), 1e-9

    easy = [entry for entry in GRADIENT_CATALOGUE if entry.trouble == "none"]
    table = rank({"jax": automatic}, easy, gradients=True)
    assert (table["outcome"] == "covered").all()
    assert (table["evaluations"] == 1).all()


@pytest.mark.thorough
def test_the_catalogue_of_gradients_has_a_certified_answer_everywhere(whole_gradients):
    table = those_of(whole_gradients, "none")
    given = answers(table)
    assert len(given) == len(GRADIENT_CATALOGUE)
    assert set(table["status"]) == {"ok", "kink", "domain"}
    assert (given["differentiable"] != given["trouble"].isin({"corner", "jump", "edge"})).all()
    assert ((table["exact"] == 0) & (table["trouble"] == "zero entry")).sum() == 4


@pytest.mark.thorough
def test_ours_knows_the_errors_of_its_gradients():
    table = rank({"diffcompare": GRADIENT_DIFFERENTIATORS["diffcompare"][1]}, gradients=True)
    found = scores(table).iloc[0]
    assert found["rightly_refused"] == found["without_derivative"]
    assert found["overconfident"] == 0
    assert stated("ranking of gradients").startswith(
        f"{len(GRADIENT_CATALOGUE)} functions; overconfident answers: diffcompare 0, "
    )
    # beside a tip that is narrower than the steps, and beside a cut
    assert found["refused"] - found["rightly_refused"] <= 2


def test_every_differentiator_that_is_installed_answers_easy_gradients():
    here, missing = installed(gradients=True)
    needed = {library for library, _ in GRADIENT_DIFFERENTIATORS.values() if library}
    assert set(missing) == {library for library in needed if not importlib.util.find_spec(library)}
    easy = [entry for entry in GRADIENT_CATALOGUE if entry.trouble == "none"]
    table = rank(here, easy, gradients=True)
    assert set(table["differentiator"]) == set(here)
    assert (answers(table)["rel_error"] <= 1e-4).all()
    assert (table["message"] == "").all()


def test_the_overconfident_gradients_of_the_others_are_the_stated_ones(whole_gradients):
    for row in scores(those_of(whole_gradients, *OTHERS)).itertuples():
        (count,) = re.search(rf"{row.differentiator} (\d+)", stated("ranking of gradients")).groups()
        # the last digits of floats depend on the processor, and other versions of a library answer otherwise
        assert abs(row.overconfident - int(count)) <= 2


@pytest.mark.parametrize(("answer", "word"), [((0.0, 1e300), "overconfident"), ((math.nan, 0.0), "refused")])
def test_where_there_is_no_derivative_no_estimate_covers(answer, word):
    assert outcome(answer, CORNER) == word


def test_an_exception_is_an_answer_and_a_loop_ends():
    def endless(f, x):
        while True:
            f(np.full(9_999, x))

    def raising(f, x):
        raise ValueError("no\nsuch thing")

    table = rank({"endless": endless, "raising": raising}, [SMOOTH])
    assert table["outcome"].tolist() == ["refused", "refused"]
    assert table["message"].tolist() == [
        "RuntimeError: more than 100,000 evaluations of one function",
        "ValueError: no such thing",
    ]


def test_evaluations_are_numbers_and_not_calls():
    def solver(f, x):
        assert isinstance(f(x), float)
        assert f(np.array([[x, 2 * x]])).tolist() == [[8.0, 64.0]]
        return 12.0, 1.0

    assert rank({"it": solver}, [SMOOTH]).loc[0, "evaluations"] == 3


def test_rows_and_columns():
    table = rank({"a": lambda f, x: (12.0, 1.0), "b": lambda f, x: math.nan}, [SMOOTH, CORNER])
    assert list(table.columns) == list(RANKING_COLUMNS)
    assert table["differentiator"].tolist() == ["a", "a", "b", "b"]
    assert table["status"].tolist() == ["ok", "kink"] * 2
    assert table["exact"].isna().tolist() == [False, True] * 2
    with pytest.raises(TypeError, match="differentiators is a function: must map names to callables"):
        dc.rank(dc.numerical_gradient)
    with pytest.raises(ValueError, match=r"differentiators=\{\}: is empty"):
        rank({})


def test_scores_count_what_the_rows_say():
    answers = {"x**3": (15.0, 1e-9), "abs(x)": (math.nan, math.inf), "x**2": (0.5, 1.0), "exp(x)": (1.0, 1e-3)}
    catalogue = [SMOOTH, CORNER, CatalogueEntry("x**2", 0.0, "zero slope"), CatalogueEntry("exp(x)", 0.0, "none")]
    bold = {"bold": lambda f, x: answers[f.f.name], "shy": lambda f, x: math.nan}
    found = scores(rank(bold, catalogue))
    assert list(found.columns) == list(SCORE_COLUMNS)
    shy, first = found.to_dict("records")  # nothing overconfident comes first
    assert (shy["differentiator"], shy["refused"], shy["rightly_refused"]) == ("shy", 4, 1)
    assert math.isnan(shy["median_rel_error"])
    assert [first[name] for name in OUTCOMES] == [2, 1, 0, 1]
    assert (first["functions"], first["without_derivative"], first["rightly_refused"]) == (4, 1, 1)
    # of x**3 and exp(x): the derivative of x**2 is 0 there
    assert first["max_rel_error"] == 3 / 12
    assert first["median_rel_error"] == 1.5 / 12


def test_the_catalogue_has_a_certified_answer_everywhere_and_troubles_of_both_kinds(whole):
    table = those_of(whole, "none")
    assert set(table["status"]) == {"ok", "kink", "domain"}
    without = {"corner", "jump", "edge"}
    assert ((table["status"] != "ok") == table["trouble"].isin(without)).all()
    assert len(set(zip(table["function"], table["point"], strict=True))) == len(CATALOGUE)


def test_every_differentiator_that_is_installed_answers_the_easy_ones():
    here, missing = installed()
    assert len(here) + len(missing) == len(DIFFERENTIATORS)
    easy = [entry for entry in CATALOGUE if entry.trouble == "none"][:8]
    table = rank(here, easy)
    assert set(table["differentiator"]) == set(here)
    refused = table["outcome"] == "refused"  # SciPy's test of convergence fails at 0.01*x**2 + 0.1*x
    assert refused.groupby(table["differentiator"], observed=True).sum().max() <= 2
    assert (table["abs_error"] <= 1e-6 * table["exact"].abs())[~refused].all()
    assert (table["message"] == "").all()


def test_ours_knows_its_errors(whole):
    found = scores(those_of(whole, "diffcompare")).iloc[0]
    assert found["rightly_refused"] == found["without_derivative"]
    # floor(x) just below 2 is refused as a staircase: its slope was that from afar
    assert found["overconfident"] == 0
    assert stated("ranking").startswith(f"{len(CATALOGUE)} functions; overconfident answers: diffcompare 0, ")
    assert found["refused"] - found["rightly_refused"] <= 3


def test_the_overconfident_answers_of_the_others_are_the_stated_ones(whole):
    for row in scores(those_of(whole, *OTHERS)).itertuples():
        low, high = re.search(rf"{row.differentiator} (\d+)(?: to (\d+))?", stated("ranking")).groups()
        # other versions of a library answer otherwise
        assert int(low) - 2 <= row.overconfident <= int(high or low) + 2


def test_the_page_of_gradients_shows_the_worst_entry_of_each(tmp_path):
    table = rank({"it": lambda f, x: ([12.5, math.pi], [0.0, 0.0])}, [PAIR, HALF], gradients=True)
    page = write_ranking(table, scores(table), tmp_path).read_text(encoding="utf-8")
    (body,) = re.findall(r"2 answers, .*?<tbody>(.*?)</tbody>", page, re.DOTALL)
    first, second = re.findall(r"<tr>.*?</tr>", body)
    assert "<td>x1</td><td><bdi>x0=2.0;<wbr>x1=1.0</bdi></td>" in first
    assert "<td>x0</td><td><bdi>x0=0.0;<wbr>x1=1.0</bdi></td>" in second
    assert "none: kink" in second
    assert "Each derivative is a gradient" in page
    assert len((tmp_path / "ranking.csv").read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.thorough
def test_the_command_ranks_gradients(tmp_path, capsys, monkeypatch):
    ours = {"diffcompare": GRADIENT_DIFFERENTIATORS["diffcompare"][1]}
    monkeypatch.setattr(
        "diffcompare.adapters.differentiators.installed", lambda gradients: (ours if gradients else {}, [])
    )
    out = tmp_path / "out"
    assert main(["rank", "--gradients", "--out", str(out)]) == 0
    assert f"{len(GRADIENT_CATALOGUE)} functions, 5 of them without a derivative" in capsys.readouterr().out
    written = pd.read_csv(out / "ranking.csv")
    assert list(written.columns) == list(GRADIENT_RANKING_COLUMNS)
    assert len(written) == sum(len(entry.point) for entry in GRADIENT_CATALOGUE)


@pytest.mark.thorough
def test_the_command_prints_and_writes_the_same_bytes_twice(tmp_path, capsys, monkeypatch):
    ours = {"diffcompare": DIFFERENTIATORS["diffcompare"][1]}
    monkeypatch.setattr("diffcompare.adapters.differentiators.installed", lambda gradients: (ours, ["jacobi"]))
    out = tmp_path / "out"
    assert main(["rank", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert f"{len(CATALOGUE)} functions, 8 of them without a derivative" in printed
    assert "not installed, and left out: jacobi" in printed
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(before) == {"ranking.csv", "scores.csv", "index.html", "manifest.json"}
    assert main(["rank", "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["missing"] == ["jacobi"]
    assert document["scores"][0]["differentiator"] == "diffcompare"
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert pd.read_csv(out / "ranking.csv").shape == (len(CATALOGUE), len(RANKING_COLUMNS))
    assert main(["rank", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_names_and_messages_are_text_on_the_page(tmp_path):
    evil = "<script>alert(1)</script>"

    def raising(f, x):
        raise ValueError(evil)

    table = rank({evil: raising}, [SMOOTH])
    page = write_ranking(table, scores(table), tmp_path, missing=[evil]).read_text(encoding="utf-8")
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 5


def test_the_page_shows_claims_beside_errors_and_counts_by_trouble(tmp_path):
    def boasting(f, x):
        return 2 * x + 1e-3, 1e-9

    def honest(f, x):
        return 2 * x, 1e-9

    def silent(f, x):
        return 2 * x

    entries = [CatalogueEntry("x**2", 3.0, "none"), CatalogueEntry("abs(x)", 0.0, "kink")]
    table = rank({"boasting": boasting, "honest": honest, "silent": silent}, entries)
    page = write_ranking(table, scores(table), tmp_path).read_text(encoding="utf-8")
    charts = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    drawn = [chart for chart in charts if "claimed |error|" in chart]
    # who claims nothing has no drawing; at a kink there is no true error
    assert ["1 with an error above it" in chart for chart in drawn] == [True, False]
    assert ["overconfident (1)" in chart for chart in drawn] == [True, False]
    (hard,) = re.findall(r"<tr><th scope=\"row\">kink</th>.*?</tr>", page)
    assert re.findall(r"<data value=\"\d+\">(.*?)</data>", hard) == ["1", "0, ⚠ 1; 0", "0, ⚠ 1; 0", "0; 0"]


def test_ranking_is_public():
    assert dc.rank is rank
