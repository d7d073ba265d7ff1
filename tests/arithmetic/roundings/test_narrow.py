"""Rounding constants of float16 and float32, and bounds and formats in them."""

import math
from fractions import Fraction

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.roundings.constants import BUILDS, MAXIMA, rounding_constants
from diffcompare.arithmetic.roundings.measurement import build
from diffcompare.arithmetic.roundings.narrow import NARROW_MAXIMA, measure_narrow, narrow_constants
from diffcompare.arithmetic.running_error import point_rounding_bound
from diffcompare.arithmetic.ulp import FORMATS
from diffcompare.program.dag import Node

from ...stated import stated  # noqa: TID252 - tests are no package

NARROW = ["float16", "float32"]


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("operation", NARROW_MAXIMA["float32"])
def test_constants_hold_here_with_a_margin(dtype, operation):
    stride = 65_537 if dtype == "float32" else 1
    found, where = measure_narrow(operation, dtype, stride=stride, count=2**13, seed=5)
    constant, absolute = narrow_constants(Node(operation, (0,), 7 if operation == "integer_power" else None), dtype)
    assert found <= NARROW_MAXIMA[dtype][operation] + 0.1, where
    listed = 1.5 * NARROW_MAXIMA[dtype][operation] + 0.25
    # on a build that is not listed, what is measured there may be more
    assert constant == listed if build() in BUILDS else constant >= listed
    assert absolute == 0.0


@pytest.mark.parametrize("dtype", NARROW)
def test_squares_and_reciprocals_are_correctly_rounded(dtype):
    x = np.random.default_rng(1).uniform(0.1, 9, 2000).astype(dtype)
    form = FORMATS[dtype]
    for exponent in (2, -1):
        for value, power in zip(x.tolist(), (x**exponent).tolist(), strict=True):
            assert power == form.round(Fraction(value) ** exponent)
        assert narrow_constants(Node("integer_power", (0,), exponent), dtype)[0] == 0.5


def test_every_measured_function_is_measured_in_every_dtype():
    assert set(NARROW_MAXIMA["float16"]) == set(NARROW_MAXIMA["float32"]) <= set(MAXIMA)


def test_what_was_not_measured_has_no_bound():
    assert narrow_constants(Node("erf", (0,)), "float32") == (math.inf, 0.0)
    # 2049 is no number of float16: NumPy computes another power
    assert narrow_constants(Node("integer_power", (0,), 2049), "float16") == (math.inf, 0.0)
    assert rounding_constants(Node("integer_power", (0,), 2049))[0] < 2


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("text", ["erf(x)", "gamma(x)*x", "sinc(x)", "besselj(1, x)"])
def test_a_sweep_of_what_was_not_measured_has_errors_and_no_bounds(text, dtype):
    # was a NameError
    row = dc.sweep(dc.parse(text), 0.5, schemes="central", steps=[0.125], dtype=dtype).iloc[0]
    assert row["status"] == "ok"
    assert np.isfinite(row["error"])
    assert np.isnan(row["bound"])
    assert row["bound_source"] == ""


@pytest.mark.parametrize("dtype", NARROW)
def test_floor_is_exact_in_every_format(dtype):
    row = dc.sweep(dc.parse("x*floor(x)"), 2.5, schemes="central", steps=[0.125], dtype=dtype).iloc[0]
    assert row["abs_error"] == 0.0
    assert row["bound_source"] == "proven"


@pytest.mark.parametrize("dtype", NARROW)
def test_rounding_to_a_format_is_that_of_numpy(dtype):
    rng = np.random.default_rng(3)
    top = 16 if dtype == "float16" else 128
    values = np.exp2(rng.uniform(-top - 30, top, 3000)) * rng.choice([-1.0, 1.0], 3000)
    for value in [*values.tolist(), 0.0, 1.0, 65519.0, 65520.0, 2.0**-25, 1.5 * 2.0**-25, 3.4028235677973366e38]:
        with np.errstate(all="ignore"):
            assert FORMATS[dtype].round(Fraction(value)) == float(np.dtype(dtype).type(value)), value


@pytest.mark.parametrize("dtype", [*NARROW, "float64"])
def test_spacing_is_that_of_numpy(dtype):
    for value in (1.0, 1.5, 0.1, 3e-5, 6e-8, 60000.0, 0.0):
        x = np.dtype(dtype).type(value)
        assert FORMATS[dtype].ulp(float(x)) == float(np.spacing(x))


def test_constants_are_rounded_once():
    # just above the middle of two float32 numbers, but not as a binary64 number
    text = f"x + {Fraction(1) + Fraction(1, 2**24) + Fraction(1, 2**60)}"
    f = dc.parse(text, variables=["x"])
    assert float(compile_numpy(f.program, "float32")([np.zeros(1, np.float32)])[0]) == 1 + 2.0**-23


@pytest.mark.parametrize("dtype", [*NARROW, "float64"])
@pytest.mark.parametrize("text", ["exp(x)*0.1", "x*x*x - x/3", "log(x) + tan(x)", "1/(1 + x**5)", "x*1000/7"])
def test_computed_values_differ_by_no_more_than_the_bound(dtype, text):
    # along a line of floats of the dtype, against binary64 (whose error is beside the point in float16 and float32)
    f = dc.parse(text, variables=["x"])
    kind = np.dtype(dtype).type
    x = kind(1.3) + np.arange(100).astype(dtype) * np.spacing(kind(1.3))
    computed = compile_numpy(f.program, dtype)([x]).astype(np.longdouble)
    true = np.array([f.callable(np)(np.longdouble(value)) for value in x]) if dtype == "float64" else f(x.astype(float))
    bound = point_rounding_bound(f.program, [float(x[50])], 0, dtype=dtype)
    errors = (computed - true).astype(float)
    assert errors.max() - errors.min() <= 1.2 * bound
    assert bound <= 200 * np.spacing(kind(abs(float(true[50]))))


@pytest.mark.parametrize(("text", "x", "dtype"), [("x*x", 300.0, "float16"), ("exp(x)", 90.0, "float32")])
def test_what_overflows_in_the_dtype_has_no_bound(text, x, dtype):
    assert math.isnan(point_rounding_bound(dc.parse(text).program, [x], 0, dtype=dtype))
    assert not math.isnan(point_rounding_bound(dc.parse(text).program, [x], 0))


@pytest.mark.parametrize("operation", ["exp", "tan", "log"])
def test_the_largest_of_all_samples_is_reported(operation):
    # numbers near 0 come first and are rounded well; the worst inputs lie elsewhere, on this processor as on others
    found, _ = measure_narrow(operation, "float32", stride=65_537, count=2**10)
    denser, _ = measure_narrow(operation, "float32", stride=8_191, count=2**10)
    assert 0.8 * denser <= found <= NARROW_MAXIMA["float32"][operation]


def test_the_counts_are_the_stated_ones() -> None:
    counts = {len(maxima) for maxima in NARROW_MAXIMA.values()}
    assert [f"{count} operations in each type, on the same {len(BUILDS)} builds" for count in counts] == [
        stated("rounding of float16 and float32")
    ]
