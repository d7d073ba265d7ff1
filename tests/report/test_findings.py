from __future__ import annotations

import math
from dataclasses import replace

import pytest

import diffcompare as dc
from diffcompare.report.findings import findings, status_notes, verdict_counts, verdict_lines, worst_first
from diffcompare.report.wording import short
from diffcompare.tables.schema import Tables

from .example import errors_table, example, split_example, summary_table, sweep_rows


def sentences(tables: Tables) -> str:
    return "\n".join(findings(tables))


def test_the_scope_is_counted() -> None:
    assert findings(example())[-1] == (
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
    largest = short(tables.summary["max_bound_ratio"].max())
    assert largest.startswith("0.9")
    assert (f"9 of 12 comparisons: every error within its proven bound; the largest is {largest} of it.") in sentences(
        tables
    )


def outside() -> Tables:
    tables = split_example()
    errors = tables.errors
    errors.loc[3, "bound"] = errors.loc[3, "abs_error"] / 1.25
    errors.loc[3, "within_bound"] = False
    return replace(tables, summary=summary_table(errors))


def test_an_error_outside_its_bound_is_an_alarm() -> None:
    found = sentences(outside())
    assert (
        "1 of 12 comparisons: an error exceeds its proven bound: 1.25 times it (forward, exp(x), x, at x=1.0)" in found
    )
    assert "a bug in diffcompare or in this build of NumPy" in found
    assert "8 of 12 comparisons: every error within its proven bound" in found


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


def test_a_ratio_is_never_rounded_to_one() -> None:
    tables = split_example()
    tables.summary.loc[0, "max_bound_ratio"] = 1 - 2**-40
    assert "the largest is more than 0.999 of it" in sentences(tables)


def test_the_largest_parts_are_counted() -> None:
    tables = split_example()
    errors = tables.errors.iloc[:3].copy()
    errors.loc[:, ["truncation", "abscissa", "evaluation", "subtraction", "division"]] = [
        [1.0, 0.0, -2.0, 0.0, 0.0],
        [1.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 3.0, 0.0, math.nan],
    ]
    found = sentences(Tables("", errors, summary_table(errors)))
    assert "The largest part of the error: truncation in 1 row, evaluation of f in 1 row." in found


def test_an_odd_order_is_named_with_its_place() -> None:
    tables = example()
    assert "The observed order is that of the scheme" in sentences(tables)
    tables.summary.loc[0, "observed_order"] = 1.5
    assert "1.5 instead of 1 (forward, exp/(sin3+cos3), x, at x=1.5)" in sentences(tables)


def test_central_and_forward_are_compared_at_the_step_of_the_book() -> None:
    errors = errors_table(sweep_rows("exp", math.exp, ["x"], [1.0], [math.e]))
    found = sentences(Tables("one", errors, summary_table(errors)))
    assert "At h = 1e-4 central is closer to the exact derivative than forward in 1 of 1 cases." in found
    assert "1 partial derivative of 1 function compared" in found


def test_statuses_are_counted() -> None:
    assert [(s, n) for s, n, _ in status_notes(example().errors)] == [
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
