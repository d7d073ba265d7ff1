"""The complex step in the table of errors: its split, its place among other schemes, what is refused."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import diffcompare as dc
from diffcompare.arithmetic.balls import exact_fraction, precision
from diffcompare.arithmetic.complex_balls import imaginary_part
from diffcompare.command.cli import diffcompare
from diffcompare.errors import UnsupportedFunction

PAIRS = {
    "exp(x)/(sin(x)**3 + cos(x)**3)": lambda x: mpmath.exp(x) / (mpmath.sin(x) ** 3 + mpmath.cos(x) ** 3),
    "x**3": lambda x: x**3,
    "log(x)*atan(x)": lambda x: mpmath.log(x) * mpmath.atan(x),
    "sqrt(x + 1)*x**2.5": lambda x: mpmath.sqrt(x + 1) * x ** mpmath.mpf(2.5),
    "2**x*log1p(x)": lambda x: 2**x * mpmath.log(1 + x),
    "tanh(x) + asinh(x)": lambda x: mpmath.tanh(x) + mpmath.asinh(x),
    "acosh(x + 1)/x": lambda x: mpmath.acosh(x + 1) / x,
}
STEPS = [1e-1, 1e-3, 1e-8, 1e-30]
PARTS = ["truncation", "abscissa", "evaluation", "subtraction", "division"]


@pytest.mark.parametrize("text", PAIRS)
def test_truncation_is_that_of_mpmath(text):
    table = dc.sweep(dc.parse(text), [0.75, 1.5], schemes="complex", steps=STEPS)
    for row in table.to_dict("records"):
        x = float(row["point"].removeprefix("x="))
        # mpmath loses digits of a small imaginary part
        with mpmath.workdps(300):
            exact = PAIRS[text]
            slope = mpmath.diff(exact, x, h=mpmath.mpf(10) ** -120)
            wanted = exact(mpmath.mpc(x, row["h"])).imag / mpmath.mpf(row["h"]) - slope
            # one rounding, and what the difference quotient of mpmath leaves of an exact 0
            for got, true in ((row["truncation"], wanted), (row["error"], mpmath.mpf(row["numeric"]) - slope)):
                assert abs(got - true) <= abs(true) * mpmath.mpf(2) ** -53 + mpmath.mpf(10) ** -230


@pytest.mark.parametrize("text", PAIRS)
def test_the_split_sums_to_the_error(text):
    table = dc.sweep(dc.parse(text), [0.75, 1.5], schemes="complex", steps=STEPS)
    assert (table[["abscissa", "subtraction"]] == 0).all(axis=None)
    for row in table.to_dict("records"):
        parts = [Fraction(row[name]) for name in PARTS]
        # each part and the error are rounded once
        allowed = sum(map(abs, [*parts, Fraction(row["error"])])) / 2**53
        assert abs(sum(parts) - Fraction(row["error"])) <= allowed


def test_a_parabola_has_no_truncation_and_a_cube_minus_h_squared():
    square = dc.sweep(dc.parse("x**2/10"), 3.0, schemes="complex", steps=STEPS)
    assert (square["truncation"] == 0).all()
    cube = dc.sweep(dc.parse("x**3"), 2.0, schemes="complex", steps=[0.5, 0.25])
    assert cube[PARTS].to_numpy().tolist() == [[-0.25, 0, 0, 0, 0], [-0.0625, 0, 0, 0, 0]]


def test_its_rows_stand_where_the_scheme_was_named():
    f, points = dc.parse("exp(x0)*x1"), [[1.0, 2.0], [0.5, 3.0]]
    others = dc.sweep(f, points, schemes=["central", "forward"], steps=STEPS)
    for k in range(3):
        schemes = ["central", "forward"]
        schemes.insert(k, "complex")
        table = dc.sweep(f, points, schemes=["central", *schemes] if k else schemes, steps=STEPS)
        assert list(table["scheme"].cat.categories) == schemes
        assert table["scheme"].iloc[: 3 * len(STEPS)].unique().tolist() == schemes
        keys = table[["point", "variable"]].drop_duplicates().to_numpy().tolist()
        assert keys == others[["point", "variable"]].drop_duplicates().to_numpy().tolist()
        rest = table[table["scheme"] != "complex"].reset_index(drop=True)
        rest["scheme"] = rest["scheme"].cat.remove_unused_categories()
        pd.testing.assert_frame_equal(rest, others)
        alone = table[table["scheme"] == "complex"]
        assert alone["h"].tolist() == STEPS * 4
        assert alone[["point", "variable"]].drop_duplicates().to_numpy().tolist() == keys
        assert (alone["abs_error"] < 0.02).all()


def test_no_bound_and_the_smallest_step_is_predicted():
    table = dc.sweep(dc.parse("exp(x)"), 1.0, schemes="complex", steps=STEPS)
    assert table["bound"].isna().all()
    assert (table["bound_source"] == "").all()
    assert (table["order"] == 2).all()
    (row,) = dc.summarize(table).to_dict("records")
    assert row["predicted_h"] == min(STEPS)
    assert row["verdict"] == "unbounded"
    assert dc.sweep(dc.parse("exp(x)"), 1.0, schemes="complex", steps=STEPS, split=False)[PARTS].isna().all(axis=None)


def test_a_table_with_it_reads_back_and_is_drawn(tmp_path):
    table = dc.sweep(dc.parse("exp(x)"), [0.5, 1.0], schemes=["forward", "complex"])
    dc.write_report(table, tmp_path)
    pd.testing.assert_frame_equal(dc.read_errors(tmp_path / "errors.csv"), table)


def test_where_there_is_no_derivative_the_status_says_so():
    table = dc.sweep(dc.parse("log(x)"), [-1.0, 2.0], schemes=["complex", "central"], steps=STEPS)
    rows = table[table["scheme"] == "complex"]
    assert rows["status"].tolist() == ["domain"] * 4 + ["ok"] * 4
    assert rows["numeric"].isna().tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("abs(x)*x", r"abs in abs\(x\): not analytic"),
        ("erfinv(x)", r"erfinv in erfinv\(x\): not analytic, or without complex floats"),
        ("expint(2, x)", r"expint in expint\(2, x\): not analytic, or without complex floats"),
        ("polylog(3, x)", r"polylog in .*: not analytic, or without complex floats"),
        ("elliptic_k(x)", r"elliptic_k in .*: not analytic, or without complex floats"),
        ("log(x**2 + 1)", r"log in log\(x\*\*2 \+ 1\): its argument meets a branch cut at h=2\.0"),
        ("sqrt(x**2 + 1)", "sqrt in .* branch cut at h=2.0"),
        ("(x**2 + 1)**0.3", "power in .* branch cut at h=2.0"),
        ("atan(x)", "atan in .* branch cut at h=2.0"),
        ("asinh(x)", "asinh in .* branch cut at h=2.0"),
        ("asin(x**2/2)", "asin in .* branch cut at h=2.0"),
        ("loggamma(x**2 + 0.5)", "loggamma in .* branch cut at h=2.0"),
        ("besselj(1/2, x**2 + 1)", "besselj in .* branch cut at h=2.0"),
        ("lambertw(x**2 + 1)", "lambertw in .* branch cut at h=2.0"),
        ("polylog(2, -x**2)", "polylog in .* branch cut at h=2.0"),
        ("LambertW(-(x**2 + 1)/5, -1)", "lambertw_lower in .* branch cut at h=2.0"),
        ("Ei(x**2 + x + 4)", "Ei in .* branch cut at h=2.0"),
    ],
)
def test_what_does_not_apply_is_refused_by_name(text, reason):
    with pytest.raises(UnsupportedFunction, match=reason):
        dc.sweep(dc.parse(text), 0.0, schemes=["complex"], steps=[2.0])


@pytest.mark.parametrize(
    "options", [{"dtype": "float32"}, {"derivative": 2}, {"evaluate": np.exp, "vectorized": True}], ids=str
)
def test_other_dtypes_derivatives_and_code_are_refused(options):
    with pytest.raises(ValueError, match='schemes: "complex" is for the program of f, in float64, and for first'):
        dc.sweep(dc.parse("exp(x)"), 1.0, schemes=["central", "complex"], steps=STEPS, **options)


OPERATIONS = {
    "asin(x/4)": lambda z: mpmath.asin(z / 4),
    "acos(x/5)": lambda z: mpmath.acos(z / 5),
    "atanh(x/8)": lambda z: mpmath.atanh(z / 8),
    "log2(x)": lambda z: mpmath.log(z) / mpmath.log(2),
    "log10(x)": lambda z: mpmath.log(z) / mpmath.log(10),
    "exp2(x)": lambda z: 2**z,
    "expm1(x)": lambda z: mpmath.exp(z) - 1,
    "sinh(x)*cosh(x)": lambda z: mpmath.sinh(z) * mpmath.cosh(z),
    "pi*tan(x) - E/x": lambda z: mpmath.pi * mpmath.tan(z) - mpmath.e / z,
}


@pytest.mark.parametrize("text", OPERATIONS)
def test_the_enclosure_holds_what_mpmath_computes(text):
    with precision(200):
        found = imaginary_part(dc.parse(text).program, [1.25], 0, 0.25)
        middle, radius = (exact_fraction(part) for part in (found.mid(), found.rad()))
    with mpmath.workdps(100):
        wanted = OPERATIONS[text](mpmath.mpc(1.25, 0.25)).imag
        distance = abs(mpmath.mpf(middle.numerator) / middle.denominator - wanted)
        assert distance <= mpmath.mpf(radius.numerator) / radius.denominator <= mpmath.mpf(10) ** -50


def test_studies_and_the_command_line_know_it(tmp_path):
    study = tmp_path / "s.toml"
    study.write_text(
        'schemes = ["complex", "central"]\n[[function]]\nexpr = "exp(x)"\npoints = [1.0]\n', encoding="utf-8"
    )
    for words in (
        ["run", str(study), "--out", str(tmp_path / "run")],
        [
            "compare",
            "exp(x)",
            "--at",
            "1",
            "--scheme",
            "complex",
            "--scheme",
            "central",
            "--out",
            str(tmp_path / "compare"),
        ],
    ):
        result = CliRunner().invoke(diffcompare, words)
        assert result.exit_code == 0, result.output
        errors = dc.read_errors(tmp_path / words[0] / "errors.csv")
        assert list(errors["scheme"].cat.categories) == ["complex", "central"]


# on the real line the cut of log1p ends at -1, and W₋₁ has values up to 0
@pytest.mark.parametrize(("text", "within"), [("x*log1p(y)", (-0.5, 0.5)), ("x*LambertW(y, -1)", (-0.3, -0.1))])
def test_what_does_not_move_applies_where_it_is_real(text: str, within: tuple[float, ...]) -> None:
    f = dc.parse(text, variables=["x", "y"])
    table = dc.sweep(f, [[2.0, y] for y in within], schemes="complex", steps=[1e-10], variables=["x"])
    assert table["status"].astype(str).tolist() == ["ok", "ok"]
    assert table["truncation"].tolist() == [0.0, 0.0]


# as text and as mpmath has them, and where; mpmath continues Ei and W₋₁ in the upper half plane only
SPECIAL = {
    ("erf(x)*erfc(2*x)", 0.75): lambda z: mpmath.erf(z) * mpmath.erfc(2 * z),
    ("erfi(x)", -0.75): mpmath.erfi,
    ("gamma(x)", -0.75): mpmath.gamma,
    ("loggamma(x)/x", 2.25): lambda z: mpmath.loggamma(z) / z,
    ("digamma(x)", -0.75): lambda z: mpmath.psi(0, z),
    ("besselj(0, x)", -0.75): lambda z: mpmath.besselj(0, z),
    ("besselj(1/2, x)", 0.75): lambda z: mpmath.besselj(0.5, z),
    ("bessely(1, x)", 0.75): lambda z: mpmath.bessely(1, z),
    ("besseli(1, -x)", 0.75): lambda z: mpmath.besseli(1, -z),
    ("besselk(2, x)", 0.75): lambda z: mpmath.besselk(2, z),
    ("spherical_jn(2, x)", 0.75): lambda z: mpmath.sqrt(mpmath.pi / (2 * z)) * mpmath.besselj(2.5, z),
    ("airyai(x)", 0.75): mpmath.airyai,
    ("airyaiprime(x)", -0.75): lambda z: mpmath.airyai(z, derivative=1),
    ("airybi(x)", -0.75): mpmath.airybi,
    ("airybiprime(x)", 0.75): lambda z: mpmath.airybi(z, derivative=1),
    ("zeta(x)", -0.75): mpmath.zeta,
    ("polylog(2, x)", 0.75): lambda z: mpmath.polylog(2, z),
    ("LambertW(x)", -0.25): mpmath.lambertw,
    ("LambertW(x, -1)", -0.25): lambda z: mpmath.lambertw(z, -1),
    ("LambertW(-x, -1)", 0.25): lambda z: mpmath.conj(mpmath.lambertw(mpmath.conj(-z), -1)),
    ("Ei(x)", 0.75): mpmath.ei,
    ("Ei(-x)", 0.75): lambda z: -mpmath.e1(z),
    ("Si(x)*Ci(x)", 0.75): lambda z: mpmath.si(z) * mpmath.ci(z),
    ("E1(x)", 0.75): mpmath.e1,
    ("fresnels(x)", -0.75): mpmath.fresnels,
    ("fresnelc(x)", 0.75): mpmath.fresnelc,
    ("sinc(x)", 0.75): mpmath.sinc,
}


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(("text", "x"), SPECIAL, ids=str)
def test_special_functions_have_the_split_of_mpmath(text, x):
    f, steps = dc.parse(text), [0.125, 1e-3]
    table = dc.sweep(f, x, schemes="complex", steps=steps)
    exact = SPECIAL[text, x]
    with mpmath.workdps(60):
        slope = mpmath.mpf(mpmath.diff(lambda t: mpmath.re(exact(t)), mpmath.mpf(x), h=mpmath.mpf(10) ** -20))
        for row in table.to_dict("records"):
            wanted = exact(mpmath.mpc(x, row["h"])).imag / mpmath.mpf(row["h"]) - slope
            assert row["status"] == "ok"
            assert abs(row["truncation"] - wanted) <= abs(wanted) * mpmath.mpf(2) ** -52
            # what SciPy computes is the function that is meant
            assert abs(row["evaluation"]) <= 1e-12 / row["h"]
            parts = [Fraction(row[name]) for name in PARTS]
            allowed = sum(map(abs, [*parts, Fraction(row["error"])])) / 2**53
            assert abs(sum(parts) - Fraction(row["error"])) <= allowed


def test_what_scipy_loses_of_a_tiny_imaginary_part_is_evaluation_error():
    table = dc.sweep(dc.parse("Si(x)"), 2.0, schemes="complex", steps=[1e-30])
    (row,) = table.to_dict("records")
    assert abs(row["truncation"]) < 1e-60
    assert abs(row["evaluation"] - row["error"]) <= 2**-52 * abs(row["error"])
    # and no step is predicted
    assert math.isnan(row["predicted_h"])
    assert dc.sweep(dc.parse("sin(x)"), 2.0, schemes="complex", steps=[1e-30])["predicted_h"].tolist() == [1e-30]


def test_ties_of_rational_functions_are_decided():
    # h² = n²·2^-58 with n² odd and of 54 bits is a tie between two floats, and no ball of 1/3 shows it
    h = (2**27 - 61) * 2.0**-29
    for text in ("x**3/3*3", "x**5/(x**2/3)/3", "(x + 1/3)**3 - (x + 1/3)**2 + x**2 + 2/3*x"):
        (row,) = dc.sweep(dc.parse(text), 2.0, schemes="complex", steps=[h]).to_dict("records")
        assert row["truncation"] == float(-(Fraction(h) ** 2))
        assert not math.isnan(row["evaluation"])
