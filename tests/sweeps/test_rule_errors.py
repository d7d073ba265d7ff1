"""Rows of rules.csv: the errors are those of the steps that are named, ratios those of the sweep's best."""

import math
from fractions import Fraction

import pytest

import diffcompare as dc
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.numeric.stencils import Stencil
from diffcompare.numeric.step_rules import STEP_RULES, choose_step
from diffcompare.tables.schema import RULE_COLUMNS


def test_every_rule_has_a_row_in_every_group():
    table = dc.step_rules(dc.parse("x0**2*exp(x1)"), [[1.0, 0.5], [2.0, -1.0]], schemes=("forward", "central"))
    assert list(table.columns) == list(RULE_COLUMNS)
    assert len(table) == 2 * 2 * 2 * (len(STEP_RULES) + 1)
    groups = table.groupby(["point", "variable", "scheme"], observed=True, sort=False)
    assert all(
        part["rule"].tolist() == ["fixed 1e-4", "scaled by u", "certified optimum", *list(STEP_RULES)[2:]]
        for _, part in groups
    )
    assert (table["abs_error"].notna() == (table["message"] == "")).all()


def test_the_error_is_that_of_the_difference_at_the_step():
    f = dc.parse("x**3")
    table = dc.step_rules(f, 2.0, schemes="central").set_index("rule")
    for rule in ("fixed 1e-4", "scaled by u", "certified optimum", "Dumontet-Vignes", "Shi-Xie-Xuan-Nocedal"):
        h = float(table.loc[rule, "h"])
        numeric = dc.numerical_diff(f, 2.0, h)
        assert table.loc[rule, "abs_error"] == float(abs(Fraction(float(numeric)) - 12))
        assert table.loc[rule, "ratio"] == table.loc[rule, "abs_error"] / table.loc[rule, "best_abs_error"]


def test_the_best_is_that_of_the_sweep():
    f = dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)")
    table = dc.step_rules(f, 1.5)
    best = dc.summarize(dc.sweep(f, 1.5)).set_index("scheme")
    for row in table.to_dict("records"):
        assert row["best_abs_error"] == best.loc[row["scheme"], "best_abs_error"]
    fixed = table[table["rule"] == "fixed 1e-4"].set_index("scheme")
    assert fixed["abs_error"].to_dict() == best["abs_error_at_1e-4"].to_dict()
    chosen = table[table["rule"] == "certified optimum"].set_index("scheme")
    assert chosen["h"].to_dict() == best["predicted_h"].to_dict()


def test_without_a_derivative_there_is_no_row():
    assert dc.step_rules(dc.parse("abs(x)"), 0.0).empty
    assert list(dc.step_rules(dc.parse("log(x)"), -1.0).columns) == list(RULE_COLUMNS)


@pytest.mark.parametrize("scheme", ["forward", "central"])
def test_where_a_difference_leaves_the_domain_there_is_a_message(scheme):
    table = dc.step_rules(dc.parse("sqrt(x)"), 1e-9, schemes=scheme).set_index("rule")
    assert table.loc["fixed 1e-4", "message"] == (
        "the difference is not finite at this step" if scheme == "central" else ""
    )
    assert math.isnan(table.loc["fixed 1e-4", "abs_error"]) == (scheme == "central")
    # a rule that looks stays inside
    assert table.loc["Shi-Xie-Xuan-Nocedal", "ratio"] < 100


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e17, 1.7e308, -1.7e308, 5e-324])
def test_extreme_points_have_their_rows(x):
    table = dc.step_rules(dc.parse("x**3"), x)
    assert len(table) == 3 * (len(STEP_RULES) + 1)


@pytest.mark.parametrize("text", ["x**2", "gammaln(x)", "1e-310*sin(x)"])
@pytest.mark.parametrize("x", [1e150, 1e200, 1e308])
def test_a_step_is_finite_or_has_its_reason(text, x):
    table = dc.step_rules(dc.parse(text), x)
    assert len(table) == 3 * (len(STEP_RULES) + 1)
    assert ((table["h"] > 0) & (table["h"] < math.inf) | table["h"].isna() & (table["message"] != "")).all()


def test_schemes_that_rules_do_not_know_keep_the_fixed_step_and_the_optimum():
    table = dc.step_rules(dc.parse("exp(x)"), 1.0, schemes="central4")
    assert table.loc[table["h"] > 0, "rule"].tolist() == ["fixed 1e-4", "certified optimum", "complex step"]
    assert dc.step_rules(dc.parse("exp(x)"), 1.0, schemes=[Stencil([-1, 0, 2], name="mine")]).empty


def test_rules_are_given_the_noise_of_one_value():
    # the proven bound is on a difference of two
    f = dc.parse("exp(x)")
    noise = point_rounding_bound(f.program, [1.0], 0) / 2
    table = dc.step_rules(f, 1.0, schemes="forward")
    for rule, h in table[["rule", "h"]].itertuples(index=False):
        if rule in STEP_RULES and rule != "complex step":
            chosen = choose_step(rule, lambda t: float(f(t)), 1.0, scheme="forward", noise=noise).h
            assert chosen == h or (chosen != chosen and h != h)


def test_the_complex_step_has_a_row_of_its_own_whatever_the_scheme():
    f = dc.parse("exp(x0)*sin(x1)/x0")
    table = dc.step_rules(f, [[1.5, 0.5]], schemes=["forward", "central4", "complex"])
    rows = table[table["rule"] == "complex step"]
    assert rows["scheme"].tolist() == ["forward", "central4", "complex"] * 2
    assert set(rows["h"]) == {1e-20}
    assert (rows["evaluations"] == 0).all()
    for name, part in rows.groupby("variable", observed=True):
        numeric = dc.numerical_gradient(f, [1.5, 0.5], 1e-20, scheme="complex")[f.variables.index(name)]
        (error,) = dc.sweep(f, [[1.5, 0.5]], schemes="complex", steps=[1e-20], variables=[name])["abs_error"]
        assert part["abs_error"].tolist() == [error] * 3
        # five operations, of complex numbers
        assert error <= 16 * math.ulp(numeric)


@pytest.mark.parametrize(
    ("text", "x", "message"),
    [
        ("x*abs(x - 1)", 2.0, "abs in abs(x - 1): not analytic, or without complex floats"),
        ("erfinv(x)", 0.5, "erfinv in erfinv(x): not analytic, or without complex floats"),
    ],
)
def test_what_is_not_analytic_has_a_reason_in_its_row(text, x, message):
    table = dc.step_rules(dc.parse(text), x, schemes="central").set_index("rule")
    assert table.loc["complex step", "message"] == message
    assert math.isnan(table.loc["complex step", "h"])
    assert math.isnan(table.loc["complex step", "ratio"])


def test_rows_of_the_complex_step_tell_what_scipy_loses():
    table = dc.step_rules(dc.parse("Si(x)"), 2.0, schemes="central").set_index("rule")
    assert table.loc["complex step", "ratio"] > 1e6
