from __future__ import annotations

import math
import tempfile
from dataclasses import replace

import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.report.findings import (
    _descents,
    failures,
    findings,
    notes,
    status_notes,
    verdict_counts,
    verdict_lines,
    worst_first,
)
from diffcompare.tables.schema import Tables

from .example import errors_table, example, split_example, summary_table, sweep_rows, with_split


def found(tables: Tables) -> list[str]:
    return [finding.words for finding in findings(tables)]


def sentences(tables: Tables) -> str:
    return "\n".join(notes(tables))


def study(text: str) -> Tables:
    """The tables of a study of these lines, but for what takes time and says nothing here."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return dc.run_study(file.name)


FIVE = """
steps = [1e-2, 1e-4, 1e-6, 1e-12, 1e-49]
schemes = ["forward", "central"]
[[function]]
name = "parabola"
expr = "0.01*x**2 + 0.1*x"
points = [5.0]
[[function]]
expr = "abs(x)"
points = [0.0]
[[function]]
name = "cubic"
expr = "x**3 + y**2"
points = [[1.0, 2.0]]
[[descent]]
function = "cubic"
start = [-1.0, 2.0]
learning_rate = 1e-10
steps = 20
[[descent]]
function = "parabola"
start = 1.0
learning_rate = 200.0
steps = 30
"""


def test_the_most_remarkable_stands_first_in_plain_words() -> None:
    tables = study(FIVE)
    assert found(tables)[:4] == [
        "h = 1e-49 gives 0 instead of 0.2 (forward): x + h is x (parabola)",
        "Gradient descent with learning rate 200 diverges: f goes from 0.11 to 1.53e28 in 30 steps; with 1e-10 "
        "it hardly moves (parabola)",
        "At h = 1e-4 the central difference is 10⁴ to 10⁷ times better than the forward one",
        "abs(x) has no derivative at 0: the slopes left and right of it differ",
    ]
    assert len(found(tables)) == 5
    assert "A smaller h is not always better" in found(tables)[4]
    assert [f.function for f in findings(tables) if f.failure] == ["parabola"] * 2
    # without them the next ones come up
    calm = replace(tables, errors=tables.errors[tables.errors["h"] > 1e-40], descent=tables.descent.iloc[:0])
    assert found(calm)[0].startswith("At h = 1e-4 the central")
    slow = replace(calm, descent=tables.descent[tables.descent["function"] == "cubic"])
    assert (
        found(slow)[0] == "Gradient descent with learning rate 1e-10 hardly moves: after 20 steps f is still 3 (cubic)"
    )


def test_a_bound_that_is_nearly_reached_is_no_finding_and_stands_nowhere_first() -> None:
    tables = split_example()
    tables.summary.loc[0, "max_bound_ratio"] = 1 - 2**-40
    assert "0.999" not in sentences(tables) + "".join(found(tables))
    within = worst_first(tables.summary)
    within = within[within["verdict"] == "within-bound"]
    assert within["best_abs_error"].tolist() == sorted(within["best_abs_error"], reverse=True)
    assert within.index[0] != 0


def test_a_step_with_an_error_of_all_is_a_failure_with_its_reason() -> None:
    rows = with_split(sweep_rows("f", math.exp, ["x"], [1.0], [math.e], schemes=["forward"]), math.e / 2, math.e / 6)
    for row in rows[3], rows[5]:
        row.update(numeric=-3.0, error=-3.0 - math.e, abs_error=3.0 + math.e, rel_error=(3.0 + math.e) / math.e)
    for part, why in (("truncation", "h is too large"), ("evaluation", "all is rounding")):
        errors = errors_table([{**row, part: 9.0} for row in rows])
        failure = [f for f in findings(Tables("", errors, summary_table(errors))) if f.failure][-1]
        assert failure.words == f"h = 1e-4 gives -3 instead of 2.72: {why} (f)"


def test_a_report_without_anything_remarkable_says_what_was_compared() -> None:
    errors = errors_table(
        sweep_rows("2*x", lambda x: 2 * x, ["x"], [1.0], [2.0], schemes=["central"], steps=[0.5, 0.25])
    )
    assert found(Tables("", errors, summary_table(errors))) == [
        "1 partial derivative of 1 function compared with finite differences (central) at 2 step sizes from 0.5 to "
        "0.25: 2 rows"
    ]


def test_the_scope_is_counted() -> None:
    assert notes(example())[0] == (
        "8 partial derivatives of 7 functions compared with finite differences (forward, backward, central) "
        "at 63 step sizes from 0.5 to 3.16e-17: 477 rows."
    )


def test_missing_bounds_are_said_and_present_ones_are_not_denied() -> None:
    tables = example()
    assert "There is no bound in these tables. The verdict “unbounded” says that errors were" in sentences(tables)
    assert "proven" not in sentences(tables)
    assert "largest part" not in sentences(tables)
    tables = split_example()
    assert "no bound" not in sentences(tables).lower()
    assert "9 of 12 comparisons: every error within its proven bound." in sentences(tables)


def outside() -> Tables:
    tables = split_example()
    errors = tables.errors
    errors.loc[3, "bound"] = errors.loc[3, "abs_error"] / 1.25
    errors.loc[3, "within_bound"] = False
    return replace(tables, summary=summary_table(errors))


def test_an_error_outside_its_bound_is_an_alarm() -> None:
    first = findings(outside())[0]
    assert first.alarm
    assert first.words == (
        "1 of 12 comparisons: an error exceeds its proven bound: 1.25 times it (forward, exp(x), x, at x=1.0). This is "
        "a bug in diffcompare or in this build of NumPy"
    )
    assert "8 of 12 comparisons: every error within its proven bound" in sentences(outside())


@pytest.mark.thorough
def test_verdicts_claim_no_more_than_the_rows_say() -> None:
    def words(tables: Tables) -> dict[str, str]:
        return {verdict: text for verdict, _, text in verdict_lines(tables.errors, tables.summary)}

    tables = split_example()
    assert words(tables)["within-bound"] == "every error within its proven bound"
    assert "a proven bound was exceeded" in words(outside())["outside-bound"]
    assert "no bound was found here" in words(example())["unbounded"]
    tables.errors.loc[[1, 2], "bound"] = math.nan
    assert words(tables)["within-bound"] == "every error that has a proven bound is within it (2 rows without one)"
    assert "2 rows without one" in sentences(tables)
    tables.errors.loc[0, "bound_source"] = "measured"
    assert "proven" not in words(tables)["within-bound"]
    tables.errors["bound_source"] = "measured"
    assert "a measured bound" in words(tables)["within-bound"]


def test_the_complex_step_is_said_to_have_no_bound_by_its_nature() -> None:
    def words(schemes: list[str]) -> str:
        errors = dc.sweep(dc.parse("exp(x)"), 1.0, schemes=schemes, steps=[1e-3, 1e-9])
        errors.loc[errors["scheme"] == "forward", "bound"] = math.nan
        return {verdict: text for verdict, _, text in verdict_lines(errors, dc.summarize(errors))}["unbounded"]

    assert words(["complex", "central"]) == "errors of the complex step were measured, no bound is proven for it"
    assert "no bound was found here" in words(["complex", "forward"])


def test_the_largest_parts_are_counted() -> None:
    tables = split_example()
    errors = tables.errors.iloc[:3].copy()
    errors.loc[:, ["truncation", "abscissa", "evaluation", "subtraction", "division"]] = [
        [1.0, 0.0, -2.0, 0.0, 0.0],
        [1.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 3.0, 0.0, math.nan],
    ]
    counted = sentences(Tables("", errors, summary_table(errors)))
    assert "The largest part of the error: truncation in 1 row, evaluation of f in 1 row." in counted


def test_an_odd_order_is_named_with_its_place() -> None:
    tables = example()
    assert "The observed order is that of the scheme" in sentences(tables)
    tables.summary.loc[0, "observed_order"] = 1.5
    assert "1.5 instead of 1 (forward, exp/(sin3+cos3), x, at x=1.5)" in sentences(tables)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([(3e-4, 2e-8)], "10⁴ times"),
        ([(3e-4, 2e-8), (1e-4, 0.0)], "10⁴ times"),
        ([(3e-4, 2e-8), (1e-6, 1e-15)], "10⁴ to 10⁹ times"),
        ([(3e-4, 2e-8), (4e-4, 2e-4), (1e-9, 2e-9)], "up to 10⁴ times better than the forward one (in 2 of 3 cases)"),
        ([(3e-4, 2e-8), (1e-9, 2e-9), (1e-9, 2e-9)], ""),
        ([(3e-4, 2e-4)], ""),
    ],
)
def test_central_and_forward_are_compared_at_the_step_of_the_book(
    errors: list[tuple[float, float]], words: str
) -> None:
    rows = sweep_rows("exp", math.exp, ["x"], [1.0], [math.e], schemes=["forward", "central"], steps=[1e-4])
    table = errors_table([{**row, "function": f"f{k}"} for k in range(len(errors)) for row in rows])
    summary = summary_table(table)
    summary["abs_error_at_1e-4"] = [error for pair in errors for error in pair]
    told = [sentence for sentence in found(Tables("one", table, summary)) if "the central difference is" in sentence]
    assert bool(told) == bool(words)
    assert words in "".join(told)


def test_statuses_are_counted() -> None:
    assert [(s, n) for s, n, _ in status_notes(example().errors["status"])] == [
        ("domain", 4),
        ("kink", 48),
        ("nonfinite", 4),
        ("h-underflow", 48),
    ]


def test_the_worst_stands_first() -> None:
    summary = example().summary
    summary["verdict"] = summary["verdict"].where(summary["function"] != "2*x", "outside-bound")
    assert verdict_counts(summary) == [("outside-bound", 3), ("not-differentiable", 3), ("unbounded", 18)]
    ordered = worst_first(summary)
    assert ordered["verdict"].tolist() == ["outside-bound"] * 3 + ["not-differentiable"] * 3 + ["unbounded"] * 18
    unbounded = ordered["best_abs_error"].tolist()[6:]
    assert unbounded == sorted(unbounded, reverse=True)


def test_unbounded_without_a_finite_quotient_says_that_nothing_was_measured():
    errors = dc.sweep(dc.parse("x**2"), [1.0], steps=[1e-3, 1e-4], evaluate=lambda x: math.nan * x)
    assert [text for _, _, text in verdict_lines(errors, dc.summarize(errors))] == [
        "no error could be measured, for no step gave a finite quotient"
    ]


def descent_of(values: list[float], points: list[float], norms: list[float]) -> pd.DataFrame:
    steps = range(len(values))
    columns = {"function": "f", "gradient": "exact", "step": steps, "x": points, "value": values}
    return pd.DataFrame({**columns, "gradient_norm": norms, "distance": 0.0})


@pytest.mark.parametrize(
    ("values", "points", "norms", "words"),
    [
        ([1.0, 1e4, 1e8], [1.0, -100.0, 1e4], [2.0, 200.0, 2e4], "diverges: f goes from 1 to 1e8 in 2 steps"),
        ([1.0, -8.0, math.nan], [-1.0, -2.0, math.nan], [3.0, 12.0, math.nan], "diverges: f goes from 1 to what is no"),
        ([1.0, 0.5, 1.5], [0.9, 0.7, 0.8], [3.0, 3.0, 3.0], "ends higher than it began: f goes from 1 to 1.5"),
        # from the minimum to where a forward difference stops
        ([0.0, 1e-10, 5e-9], [0.0, 1e-5, 5e-5], [1e-4, 8e-5, 2e-9], ""),
        # to and fro
        ([1.0] * 12, [1.0, -1.0] * 6, [2.0] * 12, ""),
        ([1.0] * 12, [1.0] * 12, [2.0] * 12, "hardly moves: after 11 steps f is still 1"),
    ],
)
def test_a_descent_is_told_by_what_it_does(
    values: list[float], points: list[float], norms: list[float], words: str
) -> None:
    found = [finding.words for finding in _descents(descent_of(values, points, norms))]
    assert (words in found[0]) if words else not found


def test_a_derivative_that_is_0_but_for_rounding_is_no_failure() -> None:
    errors = dc.sweep(dc.parse("sin(x)"), 1.5707963267948966, steps=[1e-2, 1e-4, 1e-6])
    assert not failures(errors, pd.DataFrame())
    errors = dc.sweep(dc.parse("1/x"), 1e-4, schemes="forward", steps=[1e-2, 1e-9])
    assert [f.words for f in failures(errors, pd.DataFrame())] == [
        "h = 0.01 gives -9.9e5 instead of -1e8: h is too large (1/x)"
    ]


def test_an_edge_of_the_domain_is_found() -> None:
    errors = dc.sweep(dc.parse("log(x)"), [0.0, 1.0], steps=[1e-2, 1e-4])
    assert "log(x) has no derivative at 0: f is not defined on both sides of it" in [
        f.words for f in findings(Tables("", errors, dc.summarize(errors)))
    ]
