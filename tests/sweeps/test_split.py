"""The five parts of the error in cases that can be worked out by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc

PARTS = ["truncation", "abscissa", "evaluation", "subtraction", "division"]
H = Fraction(0.1)


def row(text: str, x, h: float, scheme: str = "central", **options) -> dict:
    f = dc.parse(text, **({"variables": options.pop("names")} if "names" in options else {}))
    table = dc.sweep(f, x, steps=[h], schemes=scheme, **options)
    return table.iloc[0].to_dict()


def rounded(value: Fraction) -> float:
    return value.numerator / value.denominator


def test_forward_difference_of_a_square_in_fractions() -> None:
    found = row("x**2", 3.0, 0.1, "forward")
    # fl(3 + 0.1) = 3.1 as a double
    a, b = Fraction(3.1), Fraction(3)
    computed = Fraction(3.1 * 3.1)
    s = Fraction(3.1 * 3.1 - 9.0)
    assert found["truncation"] == 0.1  # ((3 + h)² − 9)/h − 6 = h
    assert found["abscissa"] == rounded((a**2 - (b + H) ** 2) / H)
    assert found["evaluation"] == rounded((computed - a**2) / H)
    assert found["subtraction"] == rounded((s - (computed - 9)) / H)
    assert found["division"] == rounded(Fraction(found["numeric"]) - s / H)
    assert found["error"] == rounded(Fraction(found["numeric"]) - 6)


def test_central_difference_of_a_square_in_fractions() -> None:
    found = row("x**2", 3.0, 0.1)
    a, b, k = Fraction(3.0 + 0.1), Fraction(3.0 - 0.1), 2 * H
    above, below = Fraction(float(a) ** 2), Fraction(float(b) * float(b))
    s = Fraction(float(above) - float(below))
    assert found["truncation"] == 0.0
    assert found["abscissa"] == rounded(((a**2 - (3 + H) ** 2) - (b**2 - (3 - H) ** 2)) / k)
    assert found["evaluation"] == rounded(((above - a**2) - (below - b**2)) / k)
    assert found["subtraction"] == rounded((s - (above - below)) / k)
    assert found["division"] == rounded(Fraction(found["numeric"]) - s / k)


@pytest.mark.parametrize("text", ["x**2", "0.1*x**2 - 3.7*x + 1/3", "(x - 0.1)*(x + 7)/3", "x*(1 - x)"])
@pytest.mark.parametrize("h", [0.1, 1e-8, 2.0**-30])
def test_central_difference_of_a_quadratic_has_no_truncation(text: str, h: float) -> None:
    assert row(text, 1.3, h)["truncation"] == 0.0


@pytest.mark.parametrize("scheme", ["forward", "backward", "central"])
def test_a_straight_line_has_no_truncation(scheme: str) -> None:
    assert row("0.1*x - 7/3", 1.3, 1e-3, scheme)["truncation"] == 0.0


def test_truncation_of_a_cube_is_the_square_of_the_step() -> None:
    # ((x+h)³ − (x−h)³)/2h − 3x² = h²
    assert row("x**3", 0.7, 0.1)["truncation"] == rounded(H * H)
    assert row("x**3", 2.0, 1e-300)["truncation"] == 0.0
    assert row("x**3", 0.0, 1e-161)["truncation"] == rounded(Fraction(1e-161) ** 2)


@pytest.mark.parametrize("scheme", ["forward", "backward", "central"])
@pytest.mark.parametrize("h", [1e-17, 1e-200, 5e-324])
def test_where_every_abscissa_is_the_point_only_the_abscissa_errs(scheme: str, h: float) -> None:
    found = row("x**2", 1.0, h, scheme)
    assert found["status"] == "h-underflow"
    assert found["numeric"] == 0.0
    assert (found["evaluation"], found["subtraction"], found["division"]) == (0.0, 0.0, 0.0)
    truncation = {"forward": h, "backward": -h, "central": 0.0}[scheme]
    assert found["truncation"] == truncation
    # T + A = −D exactly
    assert found["abscissa"] == rounded(-2 - Fraction(truncation))


def test_where_one_side_collapses_the_row_is_ok() -> None:
    h = 1e-16
    found = row("x", 1.0, h)
    below = Fraction(1.0 - h)
    assert found["status"] == "ok"
    assert 1.0 + h == 1.0
    assert found["truncation"] == 0.0
    assert found["abscissa"] == rounded((-(below - (1 - Fraction(h)))) / (2 * Fraction(h)) - Fraction(1, 2))
    assert found["evaluation"] == found["subtraction"] == 0.0
    assert row("x", 1.0, h, "forward")["status"] == "h-underflow"
    assert row("x", 1.0, h, "backward")["status"] == "ok"


@pytest.mark.parametrize("h", [5e-324, 1e-310, 2.0**-1060, 1e308, 3e300, 2.0**1023])
def test_steps_at_both_ends_of_the_range(h: float) -> None:
    # E, S and Q: all floats here are exact but for 2h, which may overflow to infinity, and the quotient
    found = row("x/4", 0.0, h, "central")
    assert found["status"] == "ok"
    assert found["truncation"] == found["abscissa"] == found["subtraction"] == 0.0
    upper, lower = Fraction(h / 4), Fraction(-h / 4)
    assert found["evaluation"] == rounded((upper - lower) / (2 * Fraction(h)) - Fraction(1, 4))
    assert found["division"] == rounded(Fraction(found["numeric"]) - (upper - lower) / (2 * Fraction(h)))


@pytest.mark.parametrize("h", [1e308, 3e300])
def test_nothing_divided_by_a_huge_step_is_exact(h: float) -> None:
    # an even function: s = 0 whatever 2h is
    assert row("1/(1 + abs(x))", 0.5, h, "central")["status"] == "ok"
    found = row("x**0 + 0.1", 0.0, h)
    assert [found[name] for name in PARTS] == [0.0] * 5


def test_a_kink_inside_the_stencil_does_not_disturb_the_split() -> None:
    # |x| at 1/4 with h = 1: (5/4 − 3/4)/2 − 1
    found = row("abs(x)", 0.25, 1.0)
    assert [found[name] for name in PARTS] == [-0.75, 0.0, 0.0, 0.0, 0.0]
    assert found["status"] == "ok"


@pytest.mark.parametrize("text", ["sqrt(x)", "log(x)", "1/(x - 0.05)"])
def test_a_row_that_leaves_the_domain_has_no_split(text: str) -> None:
    found = row(text, 0.05 if "log" in text or "sqrt" in text else 0.1, 0.1 if text[0] != "1" else 0.05)
    if text[0] == "1":
        # 0.1 − 0.05 = 0.05 as doubles and as numbers, 1/20 in the text: not the same number
        assert found["status"] in ("ok", "domain", "nonfinite")
        return
    assert found["status"] == "domain"
    assert all(math.isnan(found[name]) for name in PARTS)


def test_a_row_at_a_kink_has_no_split() -> None:
    found = row("abs(x)", 0.0, 0.1)
    assert found["status"] == "kink"
    assert all(math.isnan(found[name]) for name in PARTS)


def test_a_row_with_an_infinite_value_has_no_split() -> None:
    found = row("x**2", 1e200, 1.0)
    assert found["status"] == "nonfinite"
    assert all(math.isnan(found[name]) for name in PARTS)


def test_a_quotient_that_overflows_is_nonfinite() -> None:
    # f is finite at both abscissae, their difference is not
    found = row("1e300*x", 0.0, 1.5e8)
    assert found["numeric"] == math.inf
    assert found["status"] == "nonfinite"
    assert all(math.isnan(found[name]) for name in PARTS)


def test_an_abscissa_that_overflows_is_nonfinite() -> None:
    found = row("atan(x)", 1.79e308, 1e307, "forward")
    assert found["status"] == "nonfinite"
    assert all(math.isnan(found[name]) for name in PARTS)


@pytest.mark.parametrize(
    ("text", "x", "h", "scheme", "name", "value"),
    [
        # 3h + h² with h = 2⁻⁵² lies halfway between two floats; 1/3 and 1/10 are no binary numbers, so no ball is thin
        ("(x/3)**3*27", 1.0, 2.0**-52, "forward", "truncation", 3 * 2.0**-52),
        ("x**3*0.1*10", 1.0, 2.0**-52, "forward", "truncation", 3 * 2.0**-52),
        # an exact comparison of two numbers that balls cannot tell apart
        ("where(0.1 < 0.1, 2, 0.3)*x", 2.0, 0.125, "central", "abscissa", 0.0),
        # x/10: at the switch itself the derivative is that of the germs, not of one branch of each max
        ("(max(x, 0) - max(-x, 0))*0.1", 0.0, 0.25, "forward", "truncation", 0.0),
        ("(max(x, 0) - max(-x, 0) + x**2)*0.1", 0.0, 0.25, "central", "truncation", 0.0),
    ],
)
def test_rational_functions_have_no_undecided_part(text, x, h, scheme, name, value) -> None:
    assert row(text, x, h, scheme)[name] == value


def test_values_that_differ_at_one_abscissa_are_an_evaluation_error() -> None:
    # code that does not return the same value twice: the sum must still close where x + h rounds to x
    calls = iter([1.0, 1.25])
    found = row("x", 1.0, 1e-17, "forward", evaluate=lambda x: next(calls))
    assert found["status"] == "h-underflow"
    total = sum(Fraction(found[name]) for name in PARTS)
    assert found["numeric"] != 0.0
    assert abs(total - (Fraction(found["numeric"]) - 1)) <= Fraction(math.ulp(found["numeric"]))


def test_users_code_is_split_as_it_is() -> None:
    found = row("x**2", 3.0, 0.5, evaluate=lambda x: x * x + 1e-3 * (x > 3))
    above = Fraction(3.5 * 3.5 + 1e-3)
    assert found["truncation"] == found["abscissa"] == 0.0
    assert found["evaluation"] == rounded(above - Fraction(3.5) ** 2)


def test_split_is_empty_where_not_asked_for() -> None:
    table = dc.sweep(dc.parse("exp(x)"), [0.3, 1.0], steps=[0.1, 1e-3], split=False)
    assert table[PARTS].isna().all().all()
    assert table["bound"].notna().all()


def test_parts_of_different_variables_are_those_of_each_alone() -> None:
    both = dc.sweep(dc.parse("x*y**2"), [[2.0, 3.0]], steps=[0.1], schemes="central")
    alone = dc.sweep(dc.parse("2*y**2"), 3.0, steps=[0.1], schemes="central")
    assert both.loc[1, "variable"] == "y"
    assert both.loc[1, PARTS].tolist() == alone.loc[0, PARTS].tolist()


def test_the_part_that_dominates_changes_with_the_step() -> None:
    table = dc.sweep(dc.parse("exp(x)"), 1.0, steps=dc.geometric_steps(1e-1, 1e-12, per_decade=1), schemes="forward")
    sizes = table[PARTS].abs().to_numpy()
    assert np.argmax(sizes[0]) == 0
    assert np.argmax(sizes[-1]) in (1, 2)


@pytest.mark.parametrize(("scheme", "k"), [("forward", 2), ("central", 4)])
def test_what_the_subtraction_loses_has_its_sign(scheme: str, k: int) -> None:
    # 3 − 2⁻⁶⁰ rounds to 3; (forward: f(1) = 1 and 3 − 1 is exact)
    found = row("max(x, 2**-60)", 1.0, 2.0, scheme)
    assert found["subtraction"] == (2.0**-60 / k if scheme == "central" else 0.0)
    # and the other way round
    assert row("-max(x, 2**-60)", 1.0, 2.0, scheme)["subtraction"] == -found["subtraction"]
