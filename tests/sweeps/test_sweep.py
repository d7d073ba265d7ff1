"""The table of errors: its shape, its statuses, and every error against exact fractions."""

import math
import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import sympy

import diffcompare as dc
from diffcompare.arithmetic import running_error
from diffcompare.certify import higher
from diffcompare.numeric.stencils import stencil
from diffcompare.program.operations import OPERATIONS
from diffcompare.sweeps.predictions import _rounded_size
from diffcompare.tables.schema import BOUND_SOURCES, COLUMNS, STATUSES, read_point


def sweep(f, points, **options):
    text = f if isinstance(f, str) else None
    return dc.sweep(dc.parse(text) if text else f, points, **{"split": False, "bounds": False} | options)


def nearest(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@pytest.fixture(scope="module")
def table():
    f = dc.parse("x10*x2**2 + log(x2)", variables=["x2", "x10"], name="f")
    return dc.sweep(
        f, [[1.5, -0.0], [0.05, 3.0], [1.5, 0.0], [1.5, -0.0]], schemes=("central", "forward"), steps=[1e-3, 0.1]
    )


def test_columns_and_their_kinds(table):
    assert list(table.columns) == list(COLUMNS)
    for name, kind in COLUMNS.items():
        dtype = table[name].dtype
        if kind == "text":
            assert isinstance(dtype, pd.CategoricalDtype), name
        else:
            assert str(dtype) == {"float": "float64", "integer": "int64", "flag": "boolean"}[kind], name
    assert isinstance(table.index, pd.RangeIndex)


def test_rows_are_ordered_by_point_variable_scheme_and_falling_h(table):
    points = ["x2=1.5;x10=-0.0", "x2=0.05;x10=3.0", "x2=1.5;x10=0.0"]
    expected = [
        ("f", p, v, s, h) for p in points for v in ("x2", "x10") for s in ("central", "forward") for h in (0.1, 1e-3)
    ]
    assert list(table[["function", "point", "variable", "scheme", "h"]].itertuples(index=False, name=None)) == expected


def test_categories_are_in_order_of_first_appearance(table):
    assert list(table["point"].cat.categories) == ["x2=1.5;x10=-0.0", "x2=0.05;x10=3.0", "x2=1.5;x10=0.0"]
    assert list(table["variable"].cat.categories) == ["x2", "x10"]
    assert list(table["scheme"].cat.categories) == ["central", "forward"]
    assert list(table["function"].cat.categories) == ["f"]
    assert list(table["dtype"].cat.categories) == ["float64"]
    assert list(table["status"].cat.categories) == list(STATUSES)
    assert list(table["bound_source"].cat.categories) == list(BOUND_SOURCES)


def test_orders_follow_the_scheme(table):
    assert (table["order"] == table["scheme"].map({"central": 2, "forward": 1}).astype(int)).all()


def test_columns_that_are_not_asked_for_are_there_and_empty():
    found = sweep("x**2", 3.0, steps=[0.1])
    parts = ["truncation", "abscissa", "evaluation", "subtraction", "division"]
    assert found[[*parts, "bound", "within_bound", "truncation_bound", "rounding_bound"]].isna().all(axis=None)
    assert (found["bound_source"] == "").all()


def test_repeated_points_schemes_steps_and_variables_are_dropped():
    found = sweep(
        "x*y", [[1.0, 2.0], [1.0, 2.0]], schemes=("forward", "forward"), steps=[0.1, 0.1], variables=["y", "y"]
    )
    assert len(found) == 1


def test_signed_zeros_are_two_points():
    assert list(sweep("x**2", [0.0, -0.0, 0.0], schemes="central", steps=[0.1])["point"]) == ["x=0.0", "x=-0.0"]


def test_defaults():
    found = sweep("x**2", 3.0)
    assert list(found["scheme"].cat.categories) == ["forward", "backward", "central"]
    assert found["h"].to_numpy()[:61].tolist() == dc.geometric_steps(1e-1, 1e-16).tolist()
    assert len(found) == 3 * 61


RATIONAL = {  # formula: its derivative in fractions
    "x**3 - 2*x": lambda x: 3 * x**2 - 2,
    "1/x": lambda x: -1 / x**2,
    "0.1*x**2 + x/3": lambda x: x / 5 + Fraction(1, 3),
    "(x**2 + 1)/(x - 7)": lambda x: (2 * x * (x - 7) - (x**2 + 1)) / (x - 7) ** 2,
    "x*abs(x)": lambda x: 2 * abs(x),
    "(1 - x)**5*1e-200": lambda x: -5 * (1 - x) ** 4 / Fraction(10) ** 200,
    "x*1e300*2": lambda x: 2 * Fraction(10) ** 300,
    "7": lambda x: Fraction(0),
}


@pytest.mark.parametrize("text", RATIONAL)
def test_errors_are_the_exact_differences_correctly_rounded(text):
    generator = random.Random(4)
    points = [
        generator.choice([generator.uniform(-5, 5), generator.gauss(0, 1) * 10.0 ** generator.randint(-9, 9)])
        for _ in range(25)
    ]
    found = dc.sweep(
        dc.parse(text, variables=["x"]), points, steps=dc.geometric_steps(1e-1, 1e-16, 1), split=False, bounds=False
    )
    found = found[found["status"].isin(["ok", "h-underflow"])]
    assert len(found) > 1000
    truths = {}
    for row in found.itertuples():
        x = read_point(row.point)["x"]
        if x not in truths:
            truths[x] = RATIONAL[text](Fraction(x))
        difference = Fraction(row.numeric) - truths[x]
        assert row.exact == nearest(truths[x])
        assert row.error == nearest(difference), (text, x, row.scheme, row.h)
        assert row.abs_error == abs(row.error)
        expected = nearest(abs(difference) / abs(truths[x])) if truths[x] else math.inf if difference else 0.0
        assert row.rel_error == expected, (text, x, row.scheme, row.h)


def test_the_numeric_column_is_the_textbook_formula():
    f = dc.parse("exp(x)*sin(x)")
    for row in dc.sweep(f, 0.7, split=False, bounds=False).itertuples():
        h, x = np.float64(row.h), np.float64(0.7)
        a, b = {"forward": (x + h, x), "backward": (x, x - h), "central": (x + h, x - h)}[row.scheme]
        assert row.numeric == (f(a) - f(b)) / (2 * h if row.scheme == "central" else h)


def statuses(text, point, scheme, steps, **options):
    return sweep(text, point, schemes=scheme, steps=steps, **options)["status"].tolist()


@pytest.mark.parametrize(
    ("text", "point", "scheme", "h", "expected"),
    [
        ("x**2", 3.0, "central", 0.1, "ok"),
        ("abs(x)", 0.0, "central", 0.1, "kink"),
        ("abs(x)", 0.05, "central", 0.1, "ok"),
        ("sqrt(x)", 0.0, "forward", 0.1, "domain"),
        ("log(x)", 0.05, "central", 0.1, "domain"),
        ("log(x)", 0.05, "forward", 0.1, "ok"),
        ("abs(sin(x)**2 + cos(x)**2 - 1)", 0.7, "central", 0.1, "undecided"),
        ("exp(x)", 709.75, "central", 0.1, "nonfinite"),
        ("x**2", 1.0, "forward", 1e-17, "h-underflow"),
        ("x**2", 1.0, "central", 1e-17, "h-underflow"),
        ("x**2", 1.0, "forward", 1e-16, "h-underflow"),
        ("x**2", 1.0, "backward", 1e-16, "ok"),
        ("x**2", 1.0, "central", 1e-16, "ok"),
        ("sign(log(x))", 0.5, "central", 1.0, "domain"),
        ("atan2(x, 0*x)", 1.0, "backward", 1.0, "domain"),
        # the first that applies, in the order of the list
        ("sqrt(x)", 0.0, "forward", 1e-320, "domain"),
        ("abs(x) + 1e308*exp(x + 709)", 0.0, "central", 0.1, "kink"),
        ("abs(x - 1)", 1.0, "forward", 1e-17, "kink"),
        ("abs(x) + sqrt(x + 0.05)", 0.0, "central", 0.1, "domain"),
        ("exp(x)*1e10", 709.0, "forward", 1e-17, "nonfinite"),
        ("abs(sin(x)**2 + cos(x)**2 - 1) + 0*log(x)", 0.05, "central", 0.1, "domain"),
    ],
)
def test_statuses_are_the_first_that_applies(text, point, scheme, h, expected):
    assert statuses(text, point, scheme, [h]) == [expected]


def test_nominal_and_rounded_abscissae_count_for_the_domain():
    # 1 + 2⁻⁵⁴ rounds to 1, where asin is still defined; the nominal abscissa lies outside
    assert statuses("asin(x)*0 + x", 1 - 2.0**-53, "forward", [1.5 * 2.0**-53]) == ["domain"]
    # the nominal abscissa misses the pole at 1, the rounded one hits it
    assert statuses("1/(x - 1)", 1 - 2.0**-53, "forward", [1.5 * 2.0**-54]) == ["domain"]


def test_a_collapsed_stencil_has_numeric_0_and_the_whole_error():
    row = sweep("x**3", 1.0, schemes="forward", steps=[1e-17]).iloc[0]
    assert (row["numeric"], row["exact"], row["error"], row["rel_error"]) == (0.0, 3.0, -3.0, 1.0)


@pytest.mark.parametrize(
    ("text", "point"), [("abs(x)", 0.0), ("log(x)", -1.0), ("abs(sin(x)**2 + cos(x)**2 - 1)", 0.7)]
)
def test_without_a_reference_nothing_is_derived_from_it(text, point):
    found = sweep(text, point, steps=[0.1, 0.01])
    derived = ["exact", "error", "abs_error", "rel_error", "predicted_h", "predicted_abs_error"]
    assert found[derived].isna().all(axis=None)
    assert found["numeric"].notna().all() == (text != "log(x)")


def test_a_kink_keeps_the_numeric_value():
    assert sweep("abs(x)", 0.0, schemes="forward", steps=[0.5])["numeric"].tolist() == [1.0]


def test_a_partial_that_is_0():
    f = dc.parse("y**2", variables=["x", "y"])
    found = sweep(f, [[3.0, 0.0]], steps=[0.5], schemes=("central", "forward"))
    assert found["exact"].tolist() == [0.0] * 4
    assert found["error"].tolist() == [0.0, 0.0, 0.0, 0.5]
    assert found["rel_error"].tolist() == [0.0, 0.0, 0.0, math.inf]


def test_chosen_variables_in_the_chosen_order():
    f = dc.parse("x*y*z")
    whole = sweep(f, [[1.0, 2.0, 3.0]], steps=[0.1])
    part = sweep(f, [[1.0, 2.0, 3.0]], steps=[0.1], variables=["z", "x"])
    assert list(part["variable"].cat.categories) == ["z", "x"]
    for name in ("z", "x"):
        one, other = (t[t["variable"] == name].drop(columns="variable").reset_index(drop=True) for t in (whole, part))
        pd.testing.assert_frame_equal(one, other)
    assert len(sweep(f, [[1.0, 2.0, 3.0]], steps=[0.1], variables="y")) == 3


def test_points_do_not_influence_one_another():
    f = dc.parse("x*exp(y)", variables=["x", "y"])
    points = [[0.5, 1.0], [-3.0, 2.0], [1e-5, -4.0]]
    together = dc.sweep(f, points, steps=[1e-2, 1e-7])
    apart = [dc.sweep(f, [p], steps=[1e-2, 1e-7]) for p in points]
    text = together.astype({n: str for n, kind in COLUMNS.items() if kind == "text"})
    stacked = pd.concat(
        [t.astype({n: str for n, kind in COLUMNS.items() if kind == "text"}) for t in apart], ignore_index=True
    )
    pd.testing.assert_frame_equal(text, stacked)


def test_evaluate_runs_in_place_of_the_program():
    f = dc.parse("x**2")
    calls = []

    def code(x):
        calls.append(x)
        return x * x + 1e-3 * x

    found = dc.sweep(f, [3.0, 4.0], schemes="central", steps=[0.5], evaluate=code, split=False, bounds=False)
    assert found["numeric"].tolist() == [(code(x + 0.5) - code(x - 0.5)) / 1.0 for x in (3.0, 4.0)]
    assert found["exact"].tolist() == [6.0, 8.0]
    assert all(np.ndim(x) == 0 for x in calls)


def test_evaluate_of_several_variables_gets_arrays_of_length_n():
    f = dc.parse("x*y")
    shapes = set()

    def code(p):
        shapes.add(np.shape(p))
        return p[0] * p[1]

    found = dc.sweep(f, [[3.0, 4.0]], steps=[0.5], evaluate=code, split=False, bounds=False)
    pd.testing.assert_frame_equal(found, sweep(f, [[3.0, 4.0]], steps=[0.5]))
    assert shapes == {(2,)}


def test_vectorized_evaluate_gets_one_array_of_abscissae():
    f = dc.parse("x*y")
    shapes = []

    def code(p):
        shapes.append(p.shape)
        return p[:, 0] * p[:, 1]

    options = {"steps": [0.5, 0.25, 0.125], "split": False, "bounds": False}
    found = dc.sweep(f, [[3.0, 4.0], [1.0, 2.0]], evaluate=code, vectorized=True, **options)
    pd.testing.assert_frame_equal(found, dc.sweep(f, [[3.0, 4.0], [1.0, 2.0]], **options))
    assert all(len(shape) == 2 and shape[1] == 2 for shape in shapes)
    assert len(shapes) <= 5


def test_vectorized_evaluate_must_return_one_value_each():
    with pytest.raises(ValueError, match=r"evaluate returned shape \(3,\) for 1 abscissae; return one value each"):
        sweep("x", 1.0, steps=[0.1], evaluate=lambda p: np.zeros(3), vectorized=True)


def test_code_that_is_wrong_is_not_hidden():
    # a derivative of the wrong sign and near overflow: the error is beyond binary64
    f = dc.parse("-1e308*x")
    found = sweep(f, 0.0, schemes="central", steps=[0.5], evaluate=lambda x: 1e308 * x)
    assert found["error"].tolist() == [math.inf]
    assert found["rel_error"].tolist() == [2.0]


def test_a_derivative_beyond_binary64_is_infinite_with_a_finite_ratio():
    found = sweep("x*10**309", 0.0, schemes="central", steps=[0.5], evaluate=lambda x: x)
    assert found["exact"].tolist() == [math.inf]
    assert found["error"].tolist() == [-math.inf]
    assert found["rel_error"].tolist() == [1.0]


def test_abscissae_beyond_binary64_are_not_finite():
    assert statuses("x**2", 1e308, "forward", [1e308]) == ["nonfinite"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"executor": object()}, TypeError, "must be a concurrent.futures.Executor"),
        ({"dtype": "float8"}, ValueError, "dtype='float8': unknown; choose from float16, float32, float64"),
        (
            {"dtype": "longdouble"},
            ValueError,
            "dtype='longdouble': its errors have no proven bounds.*use numerical_diff",
        ),
        ({"dtype": "float16", "points": [[1e6, 1.0]]}, ValueError, "x=1000000.0: is infinite in float16"),
        ({"dtype": "float32", "steps": [1e300]}, ValueError, r"h=1e\+300: is infinite in float32; pass steps below"),
        ({"schemes": "centred"}, ValueError, "scheme='centred': unknown scheme"),
        ({"schemes": []}, ValueError, "no scheme; choose from"),
        ({"steps": []}, ValueError, "pass a one-dimensional list"),
        ({"steps": [0.1, -1.0]}, ValueError, "step size must be positive and finite"),
        ({"variables": ["z"]}, ValueError, r"variables: 'z' is no variable of x\*y; it has x, y"),
        ({"variables": []}, ValueError, r"variables=\[\]: name at least one variable"),
        ({"points": []}, ValueError, "no point; pass at least one"),
        ({"points": [1.0]}, ValueError, "the last axis must have length 2, one coordinate for each of x, y"),
        ({"points": [[[1.0, 2.0]]]}, ValueError, "the last axis must have length 2"),
        ({"points": [[1.0, math.nan]]}, ValueError, "y=nan: a coordinate must be finite; pass a finite number"),
        ({"points": [[math.inf, 1.0]]}, ValueError, "x=inf: a coordinate must be finite"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(options, error, message):
    arguments = {"points": [[1.0, 2.0]], "steps": [0.1]} | options
    with pytest.raises(error, match=message):
        sweep("x*y", **arguments)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match=r"sweep needs a SymbolicFunction; make one with diffcompare.parse\(text\)"):
        dc.sweep(lambda x: x, 1.0)


def test_a_sympy_float_is_its_binary_value():
    x = sympy.Symbol("x")
    binary = dc.SymbolicFunction(0.1 * x, [x])
    decimal = dc.SymbolicFunction(sympy.Rational(1, 10) * x, [x])
    for f, slope in ((binary, Fraction(0.1)), (decimal, Fraction(1, 10))):
        row = sweep(f, 0.0, schemes="central", steps=[0.5], evaluate=lambda x: 0.1 * x).iloc[0]
        assert row["error"] == nearest(Fraction(0.1) - slope)


@pytest.mark.parametrize(
    ("scheme", "derivative", "size"),
    [
        # partial sums, and products by what is no power of two, whatever the sign
        ("central", 1, 0.0),
        ("central", 2, 1.0),
        ("central4", 1, (7 + 1) / 12),
        ("forward2", 1, (3 + 3) / 2),
        ("backward2", 1, (1 + 3) / 2),
    ],
)
def test_the_noise_that_is_predicted_is_of_what_rounds(scheme, derivative, size):
    assert _rounded_size(stencil(scheme, derivative)) == size


def test_predicted_steps_are_near_the_best_ones():
    found = dc.sweep(dc.parse("exp(x)"), 1.0, split=False, bounds=False)
    for scheme, low, high in (("forward", 1e-9, 1e-7), ("central", 1e-6, 1e-4)):
        rows = found[found["scheme"] == scheme]
        assert rows["predicted_h"].nunique() == 1
        assert low < rows["predicted_h"].iloc[0] < high
        assert rows["abs_error"].min() <= rows["predicted_abs_error"].iloc[0]


@pytest.mark.parametrize("sign", [1, -1])
def test_what_lies_below_the_least_subnormal_still_decides_a_tie(sign):
    # F′ = 2⁻¹⁰⁵⁰ + 2⁻¹⁰⁸⁰: without the second term, which is no float, the difference would be a tie
    slope = Fraction(1, 2**1050) + sign * Fraction(1, 2**1080)
    numeric = 2.0**-997 * (1 + 2.0**-51)
    f = dc.parse(f"x*(2**-1000*2**-50 {'+' if sign > 0 else '-'} 2**-1000*2**-80)")
    row = sweep(f, 0.0, schemes="central", steps=[0.5], evaluate=lambda x: numeric * x).iloc[0]
    assert row["numeric"] == numeric
    assert row["error"] == nearest(Fraction(numeric) - slope)


def test_a_derivative_below_the_least_subnormal_is_not_0():
    # F′ = 2⁻¹⁰⁷⁴/3 rounds to 0, and so does f: the whole derivative is missing
    row = sweep("x*(2**-1000*2**-74/3)", 1.0, schemes="central", steps=[0.5]).iloc[0]
    assert (row["numeric"], row["exact"], row["error"]) == (0.0, 0.0, 0.0)
    assert row["rel_error"] == 1.0


def test_the_bound_is_not_below_the_sum_of_its_parts():
    rows = dc.sweep(dc.parse("exp(x)/(1 + x**2)"), [0.3, -1.7, 2.9]).dropna(subset=["bound"])
    assert len(rows) > 300
    for whole, one, two in rows[["bound", "truncation_bound", "rounding_bound"]].itertuples(index=False):
        assert Fraction(whole) >= Fraction(one) + Fraction(two)


def test_where_f_is_exact_the_rounding_of_the_abscissae_is_predicted():
    # F = x: half an ulp of 1, and u·h for that of h, over h
    for h in (0.1, 1e-3):
        found = dc.sweep(dc.parse("x"), 1.0, steps=[h])["predicted_abs_error"]
        expected = (2.0**-53 + 2.0**-53 * h) / h
        assert ((found - expected).abs() <= 1e-14 * expected).all()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_points_steps_and_values_are_numbers_of_the_dtype(dtype):
    kind = np.dtype(dtype).type
    found = dc.sweep(dc.parse("x**2 + 0.1"), 0.1, steps=[0.1, 0.01, 1e-3], dtype=dtype)
    assert found["point"].unique().tolist() == [f"x={float(kind(0.1))!r}"]
    assert found["h"].unique().tolist() == [float(kind(h)) for h in (0.1, 0.01, 1e-3)]
    assert found["exact"].unique().tolist() == [2 * float(kind(0.1))]
    for row in found.itertuples():
        x, h = kind(0.1), kind(row.h)
        a, b = {"forward": (x + h, x), "backward": (x, x - h), "central": (x + h, x - h)}[row.scheme]
        f = [np.array([t]) ** 2 + kind(0.1) for t in (a, b)]
        assert row.numeric == float(((f[0] - f[1]) / (kind(2) * h if row.scheme == "central" else h))[0])
        assert row.dtype == dtype


def test_a_step_that_the_dtype_rounds_to_0_is_kept():
    found = dc.sweep(dc.parse("x**2"), 1.0, steps=[0.1, 1e-8, 1e-9], dtype="float16", schemes=["central", "central4"])
    none = found[found["h"] == 0]
    assert len(none) == 2
    assert (none["status"] == "h-underflow").all()
    assert none[["numeric", "error", "bound", "truncation", "division"]].isna().all(axis=None)
    assert (none["exact"] == 2.0).all()
    assert found["predicted_h"].notna().all()
    nothing = dc.sweep(dc.parse("x**2"), 1.0, steps=[1e-9], dtype="float16")
    assert nothing["predicted_h"].isna().all()


def test_points_that_become_one_are_one():
    found = dc.sweep(dc.parse("x**2"), [0.1, 0.10000000001], steps=[0.1], schemes="central", dtype="float32")
    assert len(found) == 1


def test_evaluate_gets_numbers_of_the_dtype():
    seen = set()

    def code(x):
        seen.add(type(x))
        return x * x

    found = dc.sweep(dc.parse("x*x"), 1.5, steps=[0.1], dtype="float32", evaluate=code, schemes="central")
    assert seen == {np.float32}
    plain = dc.sweep(dc.parse("x*x"), 1.5, steps=[0.1], dtype="float32", schemes="central")
    assert found["numeric"].tolist() == plain["numeric"].tolist()


def test_the_error_at_1e_minus_4_is_that_at_the_rounded_step():
    found = dc.sweep(dc.parse("x**2"), 1.0, steps=[1e-2, 1e-4], dtype="float32", schemes="forward")
    assert dc.summarize(found)["abs_error_at_1e-4"].tolist() == [found["abs_error"].iloc[1]]


def test_second_derivatives_have_the_statuses_of_their_point():
    expected = {
        "x**3": ("ok", 0.0),
        "abs(x)": ("kink", None),
        "abs(x)*x": ("kink", None),
        "abs(x)**3": ("ok", 0.0),
        "max(x, 0)**3 + x**2": ("ok", 2.0),
        "max(x, 0)**2": ("kink", None),
        "max(x, 0) - max(-x, 0) + x**2": ("ok", 2.0),
        "sqrt(x)": ("domain", None),
        "x**2.5": ("domain", None),
        "cos(x)*3": ("ok", -3.0),
        "where(x < 0, x**2, 3*x**2)": ("kink", None),
        "where(x < 0, x**3, -x**3) + 7*x*x": ("ok", 14.0),
        "exp(x) + abs(sin(x)**2 + cos(x)**2 - 1)": ("undecided", None),
    }
    for text, (status, value) in expected.items():
        row = sweep(text, 0.0, schemes="central", steps=[0.125], derivative=2).iloc[0]
        # what happens at the abscissae is another matter
        assert (row["status"], None if math.isnan(row["exact"]) else row["exact"]) == (status, value), text


@pytest.mark.thorough
@pytest.mark.parametrize("derivative", [2, 3, 5, 8])
def test_higher_derivatives_are_correctly_rounded(derivative):
    x = sympy.Symbol("x")
    for text in ("exp(x)/(sin(x)**3 + cos(x)**3)", "log(2 + cos(x))*x", "1/(3 + x**2)", "0.1*x**7 - x**2/3"):
        f = dc.parse(text)
        exact = sweep(f, [0.7, 1.5], schemes="central", steps=[0.1], derivative=derivative)["exact"].tolist()
        slope = sympy.diff(f.expr, next(iter(f.expr.free_symbols)), derivative)
        for value, point in zip(exact, (0.7, 1.5), strict=True):
            true = slope.subs(next(iter(f.expr.free_symbols)), sympy.Rational(Fraction(point))).evalf(60)
            assert value == float(true), (text, point)
    assert x.is_symbol


def test_the_derivative_of_a_stencil_is_that_of_the_sweep():
    second = dc.Stencil([-1, 0, 2], derivative=2)
    found = sweep("x**4", 1.0, schemes=[second, "central"], steps=[0.1])
    assert found["derivative"].tolist() == [2, 2]
    assert found["scheme"].tolist() == ["[-1, 0, 2]", "central"]
    assert found["exact"].tolist() == [12.0, 12.0]
    with pytest.raises(ValueError, match=r"is one of derivative=2; pass that, not 3"):
        sweep("x**4", 1.0, schemes=second, steps=[0.1], derivative=3)


def test_a_one_sided_difference_at_the_edge_of_a_domain_has_a_bound():
    found = dc.sweep(dc.parse("sqrt(x)"), 0.05, schemes=["forward", "forward4", "central"], steps=[0.06])
    assert found["status"].tolist() == ["ok", "ok", "domain"]
    assert found["bound"].notna().tolist() == [True, True, False]
    assert found["within_bound"].tolist()[:2] == [True, True]


def test_a_stencil_of_which_two_abscissae_alone_are_one_float_is_ok():
    # of 1, 1 + h and 1 + 2h the first two, or the last two
    for ulps in (0.4, 0.7):
        row = dc.sweep(dc.parse("exp(x)"), 1.0, schemes="forward2", steps=[ulps * 2.0**-52]).iloc[0]
        assert row["status"] == "ok"
        assert row["numeric"] != 0.0


def test_an_infinite_coefficient_that_a_scheme_does_not_meet_predicts_nothing() -> None:
    # F″/2 = 7e308 is no float; central differences have no term in it, and none at all: the largest step is best
    table = dc.sweep(dc.parse("1e308*(7*x**2)"), 0.0, schemes=["central", "forward"], steps=[1e-2, 1e-4])
    predicted = table.groupby("scheme", observed=True)["predicted_h"].first()
    assert predicted["central"] == 1e-2
    assert table["predicted_abs_error"][table["scheme"] == "central"].notna().all()


def test_the_rounding_at_a_point_is_bounded_once_for_all_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    # it was bounded twice for each variable, beside the hull of its abscissae
    runs, run = [], running_error._run
    monkeypatch.setattr(running_error, "_run", lambda *arguments: runs.append(arguments) or run(*arguments))
    f = dc.trace(lambda x: np.sum(x**2), (20,))
    table = dc.sweep(f, np.linspace(0.1, 2.0, 20), schemes="central", steps=[1e-4])
    assert len(table) == 20
    assert len(runs) < 2 * 20


def test_the_derivative_at_a_point_is_asked_once_at_each_precision_for_all_rows(monkeypatch):
    # F′ overflows: no float of a reference decides the errors, and every row is held against balls
    asked = []
    original = higher.derivative_ball
    monkeypatch.setattr(higher, "derivative_ball", lambda *at: asked.append(at[-1]) or original(*at))
    table = dc.sweep(dc.parse("x*10**309"), 0.0, bounds=False, evaluate=lambda x: x)
    assert np.isfinite(table["numeric"]).any()
    assert asked
    assert len(asked) == len(set(asked))


def test_a_partial_that_the_taylor_coefficient_contradicts_is_undecided_at_every_point(monkeypatch):
    points = np.linspace(0.5, 1.5, 100)
    assert set(sweep("sin(x)*x + y", np.column_stack([points, points]), steps=[1e-3])["status"]) == {"ok"}
    wrong = replace(OPERATIONS["sin"], partials=lambda y, x: (x.apply("cos") + x.constant(Fraction(1, 10**20)),))
    monkeypatch.setattr("diffcompare.program.operations.OPERATIONS", {**OPERATIONS, "sin": wrong})
    found = sweep("sin(x)*x + y", np.column_stack([points, points]), steps=[1e-3])
    assert (found["status"] == "undecided").tolist() == (found["variable"] == "x").tolist()
