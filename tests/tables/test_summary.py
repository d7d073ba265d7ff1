"""The summary against a plain loop over the groups, on random tables."""

import math
import random

import numpy as np
import pandas as pd
import pytest

import diffcompare as dc
from diffcompare.tables.schema import COLUMNS, STATUSES, SUMMARY_COLUMNS, VERDICTS

KEYS = ["function", "variable", "point", "scheme"]


def random_table(seed, groups=12, rows=40):
    """Rows as a sweep makes them, with ties, zeros, missing values and several statuses."""
    generator = random.Random(seed)
    records = []
    steps = [1.0, *dc.geometric_steps(1e-1, 1e-9).tolist()]
    for g in range(groups):
        key = {
            "function": f"f{g % 3}",
            "variable": "xy"[g % 2],
            "point": f"x={float(g // 4)!r}",
            "scheme": ["central", "forward"][g % 2],
        }
        status = "kink" if g == 5 else None
        predicted, bounded, split = (
            10.0 ** generator.uniform(-8, -2),
            generator.random() < 0.6,
            generator.random() < 0.5,
        )
        for h in sorted(generator.sample(steps, min(rows, len(steps))), reverse=True):
            error = generator.choice([0.0, h, -(h**2), h * generator.uniform(0.5, 2), 1e-9 / h, math.nan])
            truncation = error * generator.choice([1.0, 0.99, 0.5]) if split else math.nan
            own = status or generator.choice(["ok"] * 8 + list(STATUSES[1:]))
            bound = abs(error) * generator.choice([1.0, 3.0, 0.8 if g == 7 else 1.5]) + 1e-300 if bounded else math.nan
            bound = math.nan if generator.random() < 0.1 else bound
            records.append(
                key
                | {
                    "order": 1 + (key["scheme"] == "central"), "h": h, "numeric": 1.0,
                    "exact": math.nan if status else 2.0,
                    "error": error, "abs_error": abs(error), "rel_error": abs(error), "bound": bound,
                    "within_bound": pd.NA if math.isnan(bound) else bool(abs(error) <= bound), "status": own,
                    "dtype": "float64", "truncation": truncation, "bound_source": "proven" if bounded else "",
                    "predicted_h": predicted, "predicted_abs_error": 1e-9,
                }
            )  # fmt: skip
    return as_table(records)


def as_table(records):
    table = pd.DataFrame([{"derivative": 1} | record for record in records], columns=list(COLUMNS))
    for name, kind in COLUMNS.items():
        if kind == "text":
            categories = list(STATUSES) if name == "status" else list(dict.fromkeys(table[name]))
            table[name] = pd.Categorical(table[name], categories=categories)
        else:
            table[name] = table[name].astype({"float": "float64", "integer": "int64", "flag": "boolean"}[kind])
    return table


def slope(points):
    """Least squares, written out."""
    if len(points) < 3:
        return math.nan
    x, y = ([math.log(p[i]) for p in points] for i in (0, 1))
    mean_x, mean_y = math.fsum(x) / len(x), math.fsum(y) / len(y)
    top = math.fsum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return top / math.fsum((a - mean_x) ** 2 for a in x)


def plain(table):
    """Summarize by a loop: each rule as semantics states it."""
    groups = {}
    for row in table.to_dict("records"):
        groups.setdefault(tuple(row[k] for k in KEYS), []).append(row)
    for key, rows in groups.items():
        ok = [r for r in rows if r["status"] == "ok"]
        best = min(
            (r for r in ok if not math.isnan(r["abs_error"])), key=lambda r: (r["abs_error"], -r["h"]), default=None
        )
        fit = []
        for r in ok:
            t = abs(r["truncation"])
            if math.isnan(t):
                if r["h"] >= 10 * r["predicted_h"] and r["abs_error"] > 0:
                    fit.append((r["h"], r["abs_error"]))
            elif t > 0 and t >= 10 * abs(r["error"] - r["truncation"]):
                fit.append((r["h"], t))
        at = [r["abs_error"] for r in rows if r["h"] == 1e-4]
        bounded = [r for r in ok if not math.isnan(r["bound"])]
        if all(math.isnan(r["exact"]) for r in rows):
            verdict = "not-differentiable"
        elif any(r["within_bound"] is False for r in bounded):
            verdict = "outside-bound"
        else:
            verdict = "within-bound" if bounded and best else "unbounded"
        yield (
            key,
            {
                "best_h": best["h"] if best else math.nan,
                "best_abs_error": best["abs_error"] if best else math.nan,
                "predicted_h": rows[0]["predicted_h"],
                "predicted_abs_error": rows[0]["predicted_abs_error"],
                "order": rows[0]["order"],
                "observed_order": slope(sorted(fit)[:8]),
                "abs_error_at_1e-4": at[0] if at else math.nan,
                "max_bound_ratio": max(
                    (r["abs_error"] / r["bound"] if r["abs_error"] else 0.0 for r in bounded), default=math.nan
                ),
                "verdict": verdict,
            },
        )


def equal(one, other, name):
    if isinstance(one, str):
        return one == other
    if name == "observed_order" and not math.isnan(other):
        return abs(one - other) <= 1e-9 * (1 + abs(other))
    return one == other or (math.isnan(one) and math.isnan(other))


def compare(table):
    summary = dc.summarize(table)
    expected = list(plain(table))
    assert [tuple(row) for row in summary[KEYS].itertuples(index=False)] == [key for key, _ in expected]
    for (key, wanted), row in zip(expected, summary.to_dict("records"), strict=True):
        for name, value in wanted.items():
            assert equal(row[name], value, name), (key, name, row[name], value)
    return {wanted["verdict"] for _, wanted in expected}


@pytest.mark.thorough
def test_random_tables_are_summarized_as_by_a_plain_loop():
    verdicts = set()
    for seed in range(25):
        verdicts |= compare(random_table(seed))
    assert verdicts == set(VERDICTS)


def test_groups_that_are_not_in_one_piece():
    table = random_table(1)
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    compare(shuffled)


def test_stacked_tables_are_summarized_one_after_the_other():
    one = dc.sweep(dc.parse("x**2"), 3.0, split=False, bounds=False)
    other = dc.sweep(dc.parse("exp(x)"), [1.0, 2.0], split=False, bounds=False)
    texts = [name for name, kind in COLUMNS.items() if kind == "text"]
    stacked = pd.concat([t.astype(dict.fromkeys(texts, str)) for t in (one, other)], ignore_index=True)
    expected = pd.concat(
        [dc.summarize(t).astype({n: str for n, k in SUMMARY_COLUMNS.items() if k == "text"}) for t in (one, other)]
    )
    found = dc.summarize(stacked).astype({n: str for n, k in SUMMARY_COLUMNS.items() if k == "text"})
    pd.testing.assert_frame_equal(found, expected.reset_index(drop=True))


def test_columns_and_their_kinds():
    summary = dc.summarize(random_table(2))
    assert list(summary.columns) == list(SUMMARY_COLUMNS)
    for name, kind in SUMMARY_COLUMNS.items():
        if kind == "text":
            assert isinstance(summary[name].dtype, pd.CategoricalDtype), name
        else:
            assert str(summary[name].dtype) == {"float": "float64", "integer": "int64"}[kind], name
    assert list(summary["verdict"].cat.categories) == list(VERDICTS)


def test_an_empty_table_has_an_empty_summary():
    summary = dc.summarize(random_table(1).iloc[:0])
    assert list(summary.columns) == list(SUMMARY_COLUMNS)
    assert len(summary) == 0


def group(records, **common):
    base = {
        "function": "f",
        "variable": "x",
        "point": "x=0.0",
        "scheme": "central",
        "order": 2,
        "exact": 1.0,
        "status": "ok",
    }
    base |= {
        "predicted_h": 1e-5,
        "predicted_abs_error": 0.0,
        "dtype": "float64",
        "bound_source": "",
        "within_bound": pd.NA,
    }
    rows = [base | common | record for record in records]
    for row in rows:
        row.setdefault("abs_error", abs(row.get("error", math.nan)))
    return dc.summarize(as_table(rows)).iloc[0]


def test_ties_of_the_best_step_go_to_the_larger_one():
    rows = [{"h": h, "error": e} for h, e in ((1.0, 0.5), (0.1, -0.25), (0.01, 0.25), (0.001, 0.25), (1e-4, 0.5))]
    assert group(rows)["best_h"] == 0.1
    assert group(rows[::-1])["best_h"] == 0.1
    assert group(rows)["abs_error_at_1e-4"] == 0.5


def test_only_ok_rows_can_be_best():
    found = group([{"h": 0.1, "error": 0.5}, {"h": 0.01, "error": 0.0, "status": "nonfinite"}])
    assert (found["best_h"], found["best_abs_error"]) == (0.1, 0.5)
    none = group([{"h": 0.1, "error": 0.5, "status": "domain"}])
    assert math.isnan(none["best_h"])
    assert none["verdict"] == "unbounded"


def test_without_1e_minus_4_the_error_there_is_missing():
    assert math.isnan(group([{"h": 1.0000000000000002e-4, "error": 0.5}])["abs_error_at_1e-4"])


def test_the_order_is_fitted_to_the_8_smallest_steps_that_qualify():
    rows = [{"h": 2.0**-k, "error": 2.0 ** (-2 * k) if k >= 2 else 100.0} for k in range(10)]
    assert abs(group(rows, predicted_h=1e-9)["observed_order"] - 2) <= 1e-12
    # from 2⁻³ on the steps lie below 10·predicted_h
    assert math.isnan(group(rows[2:], predicted_h=2.0**-4)["observed_order"])
    assert math.isnan(group(rows[:2], predicted_h=1e-9)["observed_order"])


def test_the_order_comes_from_the_truncation_where_it_is_known():
    rows = [{"h": 2.0**-k, "error": 1.0, "truncation": 2.0 ** (-3 * k)} for k in range(8)]
    assert math.isnan(group(rows)["observed_order"])  # the rest dominates
    rows = [{"h": 2.0**-k, "error": 1.05 * 2.0 ** (-3 * k), "truncation": 2.0 ** (-3 * k)} for k in range(8)]
    assert abs(group(rows)["observed_order"] - 3) <= 1e-12


def test_an_error_of_0_within_a_bound_of_0_has_ratio_0():
    found = group([{"h": 0.1, "error": 0.0, "bound": 0.0, "within_bound": True}])
    assert (found["max_bound_ratio"], found["verdict"]) == (0.0, "within-bound")
    found = group([{"h": 0.1, "error": 1.0, "bound": 0.0, "within_bound": False}])
    assert (found["max_bound_ratio"], found["verdict"]) == (math.inf, "outside-bound")


def test_a_kink_is_not_differentiable_and_an_abscissa_outside_is_not_that():
    assert group([{"h": 0.1, "exact": math.nan, "status": "kink"}])["verdict"] == "not-differentiable"
    assert group([{"h": 0.1, "error": 0.5, "status": "domain"}])["verdict"] == "unbounded"


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="table lacks the columns h, abs_error; pass a table of sweep or read_errors"):
        dc.summarize(random_table(1).drop(columns=["h", "abs_error"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("exp(x)", {"forward": 1, "backward": 1, "central": 2}), ("sin(x)", {"forward": 1, "central": 2})],
)
def test_observed_orders_of_sweeps_are_the_orders_of_the_schemes(text, expected):
    summary = dc.summarize(dc.sweep(dc.parse(text), 0.7, split=False, bounds=False)).set_index("scheme")
    for scheme, order in expected.items():
        assert abs(summary.loc[scheme, "observed_order"] - order) < 0.02
        assert summary.loc[scheme, "order"] == order


def test_all_numbers_are_plain_floats():
    summary = dc.summarize(dc.sweep(dc.parse("x**2"), 3.0, split=False, bounds=False))
    assert summary["best_abs_error"].to_numpy().dtype == np.float64
