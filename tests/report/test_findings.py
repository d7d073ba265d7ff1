from __future__ import annotations

import math

from diffcompare.compare.schema import Tables
from diffcompare.report.findings import findings, status_notes, verdict_counts, worst_first

from .example import errors_table, example, summary_table, sweep_rows


def sentences(tables: Tables) -> str:
    return "\n".join(findings(tables))


def test_the_scope_is_counted() -> None:
    assert findings(example())[0] == (
        "8 partial derivatives of 7 functions compared with finite differences (forward, backward, central) "
        "at 63 step sizes from 0.5 to 3.16e-17: 477 rows."
    )


def test_missing_bounds_are_said_and_present_ones_are_not_denied() -> None:
    tables = example()
    assert "No bound was computed. The verdict “unbounded” says that errors were measured" in sentences(tables)
    tables.summary["max_bound_ratio"] = 0.5
    tables.summary["verdict"] = "within-bound"
    assert "No bound" not in sentences(tables)
    assert "The largest error is 0.5 times its bound." in sentences(tables)


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
