"""The proven bound in cases that can be worked out by hand, and where it is easily lost: underflow, corners, edges."""

import math
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc

SCHEMES = ["forward", "backward", "central"]


def row(text: str, x, h: float, scheme: str = "central", **options) -> dict:
    f = dc.parse(text, **({"variables": options.pop("names")} if "names" in options else {}))
    return dc.sweep(f, x, steps=[h], schemes=scheme, **options).iloc[0].to_dict()


def assert_within(found: dict) -> None:
    assert found["status"] in ("ok", "h-underflow")
    assert abs(found["error"]) <= found["bound"]
    assert abs(found["truncation"]) <= found["truncation_bound"]
    rest = Fraction(found["error"]) - Fraction(found["truncation"])
    assert abs(rest) - Fraction(math.ulp(found["error"])) <= Fraction(found["rounding_bound"])
    assert bool(found["within_bound"])


def test_truncation_bounds_of_a_square_and_a_cube_are_sharp() -> None:
    # F″/2 = 1 and F‴/6 = 1 everywhere
    for h in (0.1, 1e-3, 1e-8):
        found = row("x**2", 3.0, h, "forward")
        assert h <= found["truncation_bound"] <= h * (1 + 1e-12)
        found = row("x**3", 3.0, h)
        assert found["truncation"] <= found["truncation_bound"] <= found["truncation"] * (1 + 1e-12)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_polynomial_of_the_degree_of_the_scheme_has_the_truncation_bound_0(scheme: str) -> None:
    assert row("3.7*x - 0.1", 1.3, 0.1, scheme)["truncation_bound"] == 0.0
    assert row("x**2 - 0.1*x", 1.3, 0.1, "central")["truncation_bound"] <= 1e-300


def test_exact_rows_have_the_bound_0() -> None:
    # a difference of floats in which nothing is rounded
    found = row("x", 1.0, 0.25)
    assert (found["error"], found["bound"], found["bound_source"]) == (0.0, 0.0, "proven")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bound_follows_the_error_over_all_steps(scheme: str) -> None:
    table = dc.sweep(dc.parse("exp(x)/(sin(x)**3 + cos(x)**3)"), 1.5, schemes=scheme)
    assert table["within_bound"].all()
    assert (table["bound_source"] == "proven").all()
    big = table[table["h"] >= 1e-2]
    assert ((big["bound"] / big["abs_error"]) < 4).all()


# --- underflow: each of these once gave a bound below the error ---------------------------------------------------


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("text", "x", "h"),
    [
        # slope·|a − (x + h)| is no multiple of the least subnormal
        ("1.2*x", 1.0, 5e-324),
        ("1.2*x", 1.0, 1e-320),
        ("1e-7*x", 2.78, 5e-324),
        ("0.22314355131420976*x", 0.5, 1e-310),
        # … or vanishes
        ("1e-310*x", 1.0, 1e-20),
        ("cbrt(x)", 1e307, 1e-200),
        ("abs(y)*x", [-1e210, 8.5e-260], 1e-171),
        ("acosh(x)**(1/3)", 1e307, 1e-14),
        ("sin(x)", 0.5, 5e-324),
    ],
)
def test_the_abscissa_term_survives_underflow(text: str, x, h: float, scheme: str) -> None:
    options = {"names": ["x", "y"], "variables": ["x"]} if isinstance(x, list) else {}
    assert_within(row(text, x, h, scheme, **options))


@pytest.mark.parametrize(
    ("text", "x", "h"),
    [
        # h² underflows where F‴ is large
        ("1e200*x**3", 0.0, 1e-200),
        ("1e200*x**3", 0.0, 1e-160),
        ("1e150*x**3", 1.0, 1e-170),
        ("((100000 - x) - x)**5", 4.0, 1e-160),
        ("1e300*x**4", 1.0, 1e-120),
        ("(tan(1e5*x)**2)**1.7", -329.71990441729486, 1.3786865016397927e-169),
    ],
)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_truncation_term_survives_underflow(text: str, x: float, h: float, scheme: str) -> None:
    found = row(text, x, h, scheme)
    assert abs(found["truncation"]) <= found["truncation_bound"]
    assert abs(found["error"]) <= found["bound"]


@pytest.mark.parametrize("h", [0.1, 1e5, 1e200])
def test_a_bound_that_underflows_is_not_0(h: float) -> None:
    # D = 2⁻¹¹⁰⁰, too small for a float, but not 0: neither is the error
    found = row("x/2**1000/2**100", 1e10, h)
    assert found["numeric"] == 0.0
    assert found["bound"] > 0
    assert found["rounding_bound"] > 0


@pytest.mark.mostly_thorough(but_each=5)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("h", [1e308, 2.0**1023, 6e307, 3e300])
@pytest.mark.parametrize("text", ["x*1e-300 + 1e25 - 1e25", "atan(x)", "0.1*x", "x/4"])
def test_huge_steps(text: str, h: float, scheme: str) -> None:
    found = row(text, 0.0, h, scheme)
    assert found["status"] == "ok"
    # 2h may overflow: what is divided by it is not 0
    assert math.isnan(found["bound"]) or abs(found["error"]) <= found["bound"]


@pytest.mark.parametrize("text", ["x/1e310", "min(x, 1e400)", "atan(x/1e309)", "exp(-x)*0 + x/1.7976931348623158e308"])
def test_constants_beyond_the_range_of_floats(text: str) -> None:
    table = dc.sweep(dc.parse(text), 1e10, steps=[1e5, 0.1])
    bounded = table[table["bound"].notna()]
    assert (bounded["abs_error"] <= bounded["bound"]).all()


def test_constants_near_the_end_of_the_range_are_rounded_too() -> None:
    # 1.7952345678e308 is no float: its rounding counts, as does that of the quotient
    f = dc.parse("1e308/1.7952345678912345678e308*x")
    g = dc.parse("x/1.7952345678912345678e308")
    for function, x in ((f, 1.5), (g, 1.1e308)):
        table = dc.sweep(function, np.linspace(x, 1.3 * x, 7), steps=[x * 1e-3, x * 1e-12])
        assert table["within_bound"].dropna().all()


def test_a_coefficient_that_is_no_float_is_not_0() -> None:
    # F″/2 = 2⁻¹¹⁰⁰; the step makes it large again
    found = row("x**2/2**1000/2**100", 0.0, 2.0**200, "forward")
    assert found["truncation"] == 2.0**-900
    assert found["truncation_bound"] >= 2.0**-900
    assert found["bound"] >= abs(found["error"])


def test_a_rounding_of_the_subtraction_that_underflows_is_not_0() -> None:
    # s = 3·2¹⁰⁰ for 3·2¹⁰⁰ − 2⁻¹⁰⁷⁴, divided by 2¹⁰²
    found = row("max(x, 2**-1000*2**-74)", 2.0**100, 2.0**101)
    assert found["numeric"] == 0.75
    assert found["rounding_bound"] > 0


# --- corners and edges -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_stencil_over_a_corner_has_the_lipschitz_bound(scheme: str) -> None:
    # slopes between −1 and 1, D = 1
    found = row("abs(x)", 0.25, 1.0, scheme)
    assert_within(found)
    assert 2.0 <= found["truncation_bound"] <= 2.0000001


@pytest.mark.thorough
@pytest.mark.parametrize("text", ["max(x, 0)", "min(3*x, x)", "abs(x) + max(x, x**2)", "max(abs(x), x - 1)*exp(x)"])
@pytest.mark.parametrize("x", [0.01, -0.01])
def test_a_bound_over_a_corner_is_true(text: str, x: float) -> None:
    for h in (1.0, 0.1, 0.0100001, 0.01, 0.005):
        for scheme in SCHEMES:
            found = row(text, x, h, scheme)
            if not math.isnan(found["bound"]):
                assert_within(found)
        assert not math.isnan(row(text, x, 0.005)["bound"])


@pytest.mark.parametrize(
    "text", ["sign(x)", "where(x < 0, 1, 2)", "where(x < 0, x, 1 + x)", "atan2(x, -1)", "sqrt(abs(x))"]
)
def test_a_stencil_over_a_jump_or_a_vertical_slope_has_no_bound(text: str) -> None:
    found = row(text, 0.25, 1.0)
    assert found["status"] == "ok"
    assert math.isnan(found["bound"])
    assert math.isnan(found["truncation_bound"])
    assert found["bound_source"] == ""
    assert not math.isnan(row(text, 0.25, 0.125)["bound"])


def test_a_derivative_that_exists_at_a_corner_has_a_bound_or_none() -> None:
    for text in ("abs(x)*x", "max(x, 0)**2", "abs(x)**3"):
        for h in (0.1, 1e-5):
            found = row(text, 0.0, h, "forward")
            assert found["exact"] == 0.0
            assert math.isnan(found["bound"]) or abs(found["error"]) <= found["bound"]


def test_rows_without_a_reference_have_no_bound() -> None:
    for text, x, h in (("abs(x)", 0.0, 0.1), ("sqrt(x)", 0.05, 0.1), ("x**2", 1e200, 1.0), ("log(x)", -1.0, 0.1)):
        found = row(text, x, h)
        assert math.isnan(found["bound"])
        assert math.isnan(found["rounding_bound"])
        assert found["bound_source"] == ""


def test_the_wrong_sign_of_zero_is_within_the_bound_or_there_is_none() -> None:
    # computed atan2(−0, −1) is −π; the number 0 has no sign, so F = π·x
    found = row("x*atan2(y, -1)", [1.0, -0.0], 1e-3, names=["x", "y"], variables=["x"])
    assert math.isnan(found["bound"]) or abs(found["error"]) <= found["bound"]


# --- measured ----------------------------------------------------------------------------------------------------


def test_users_code_has_a_measured_bound_with_the_evaluation_error_itself() -> None:
    found = row("x**2", 3.0, 0.5, evaluate=lambda x: x * x + 1e-3 * (x > 3))
    assert found["bound_source"] == "measured"
    others = abs(found["subtraction"]) + abs(found["division"])
    assert abs(found["evaluation"]) + others <= found["rounding_bound"]
    assert found["rounding_bound"] <= (abs(found["evaluation"]) + others) * (1 + 1e-12)
    assert found["within_bound"]


def test_users_code_is_measured_without_a_split_too() -> None:
    found = row("x**2", 3.0, 0.5, evaluate=lambda x: x * x + 1e-3 * (x > 3), split=False)
    assert found["bound_source"] == "measured"
    assert abs(found["error"]) <= found["bound"]
    assert math.isnan(found["evaluation"])


def test_bounds_are_empty_where_not_asked_for() -> None:
    table = dc.sweep(dc.parse("exp(x)"), [0.3, 1.0], steps=[0.1, 1e-3], bounds=False)
    columns = ["bound", "truncation_bound", "rounding_bound", "within_bound"]
    assert table[columns].isna().all().all()
    assert (table["bound_source"] == "").all()


def test_a_smaller_step_may_use_the_hull_of_a_larger_one_and_no_other_way_round() -> None:
    # the corner is reached by the largest step only; the bound of the others must not be made without it … or with it
    f = dc.parse("abs(x - 0.5)**3 + x")
    alone = {h: dc.sweep(f, 1.0, steps=[h], schemes="central").loc[0, "bound"] for h in (0.9, 0.4, 0.2, 0.01)}
    together = dc.sweep(f, 1.0, steps=list(alone), schemes="central")
    for h, bound, error in zip(together["h"], together["bound"], together["abs_error"], strict=True):
        assert math.isnan(bound) or error <= bound
        # nothing is gained by a wider hull
        assert math.isnan(bound) or bound >= alone[h] * (1 - 1e-9)


def test_a_jump_that_only_a_rounded_abscissa_reaches_is_inside() -> None:
    # 1 + h = 1 + 0.75 ulp lies before the jump, the float next to it, 1 + ulp, beyond
    text, h = "where(x < 1 + 9/10*2**-52, 0, 1)", 0.75 * 2.0**-52
    for scheme in ("forward", "central"):
        found = row(text, 1.0, h, scheme)
        assert (found["status"], found["truncation"]) == ("ok", 0.0)
        assert found["abscissa"] > 1e15
        assert math.isnan(found["rounding_bound"])
