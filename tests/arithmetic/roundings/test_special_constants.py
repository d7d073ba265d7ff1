"""The rounding constants of SciPy's special functions: not too small on this build, and missed where they are cut."""

import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.roundings import special_constants, special_measurement
from diffcompare.arithmetic.roundings.special_constants import SCIPY_BUILDS, SPECIAL, SPECIAL_MAXIMA, accuracy
from diffcompare.arithmetic.roundings.special_measurement import RANGES, errors, measure_special, scipy_build
from diffcompare.program.dag import Builder, Program

from ...stated import stated  # noqa: TID252 - tests are no package

PIECES = [(key, piece) for key, pieces in RANGES.items() for piece in range(len(pieces))]
# of these no bound is claimed: beta and the incomplete gamma functions for their second argument or parameter, the
# others for orders that were not measured
UNBOUNDED = {"beta", "gammainc", "gammaincc", "spherical_jn", "hurwitz_zeta"}


def known(name: str, *parameters: Fraction | int, payload: int | None = None):
    build = Builder(("x",))
    operands = [*map(build.constant, parameters), build.variable(0)]
    program = Program(("x",), tuple(build.nodes), ())
    index = build.apply(name, *operands, payload=payload)
    program = Program(("x",), tuple(build.nodes), (index,))
    return accuracy(program, program.nodes[index])


def allowed(key: str, piece: int) -> tuple[float, float]:
    ulps, absolute = SPECIAL_MAXIMA[key][piece]
    return 1.5 * ulps + 0.25, 1.5 * absolute


def test_the_table_is_complete():
    assert set(RANGES) == set(SPECIAL_MAXIMA)
    for key, pieces in RANGES.items():
        assert len(SPECIAL_MAXIMA[key]) == len(pieces)
        assert all(a.high == b.low for a, b in pairwise(pieces)), key
        for limits, (ulps, absolute) in zip(pieces, SPECIAL_MAXIMA[key], strict=True):
            assert limits.low < limits.high
            # without a zero inside there is no absolute term to hide behind
            assert ulps > 0.5 or (limits.zeros and absolute > 0)
            assert limits.zeros or absolute == 0
    assert {key.partition(" ")[0] for key in RANGES} | UNBOUNDED | {"sinc"} == SPECIAL


@pytest.mark.parametrize(
    "key",
    ["erf", "erfi", "erfinv", "besselj 0", "besselj 1", "besseli 0", "besseli 1", "Si", "fresnels", "fresnelc"],
)
def test_even_and_odd_functions_are_measured_on_both_sides_alike(key):
    pieces = RANGES[key]
    assert [(one.low, one.high) for one in pieces] == [(-one.high, -one.low) for one in reversed(pieces)]


@pytest.mark.parametrize(
    ("name", "parameters", "payload"),
    [
        ("besselj", (2,), None),
        ("besselj", (Fraction(1, 3),), None),
        ("polygamma", (2,), None),
        ("expint", (2,), None),
        ("polylog", (3,), None),
        ("gammainc", (2,), None),
        ("hurwitz_zeta", (3,), None),
        ("zeta", (), 1),
        ("elliptic_k", (), 1),
    ],
)
def test_what_was_not_measured_has_no_bound(name, parameters, payload):
    assert known(name, *parameters, payload=payload) == ()


def test_what_was_measured_has_the_margin():
    (only,) = known("erf")
    assert (only.ulps, only.absolute) == allowed("erf", 0) == (1.5 * SPECIAL_MAXIMA["erf"][0][0] + 0.25, 0.0)
    assert [piece.high for piece in known("besselj", 0)] == [limits.high for limits in RANGES["besselj 0"]]
    (sinc,) = known("sinc")
    assert sinc.low == -math.inf
    assert sinc.absolute == 0.0


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize(("key", "piece"), PIECES, ids=lambda v: str(v))
def test_a_new_sample_stays_within_the_constants(key, piece):
    limits = RANGES[key][piece]
    x = special_measurement._samples(limits, 400, np.random.default_rng(77))
    assert x.size == 400
    gaps, sizes = errors(key, x)
    ulps, absolute = allowed(key, piece)
    assert (gaps > 0).any()
    assert (gaps <= ulps * np.spacing(sizes) + absolute).all()


def test_a_tenth_of_the_constants_is_exceeded():
    # the checker's wrong twin
    missed = 0
    for key, piece in PIECES:
        gaps, sizes = errors(key, special_measurement._samples(RANGES[key][piece], 100, np.random.default_rng(5)))
        ulps, absolute = allowed(key, piece)
        missed += bool((gaps > 0.1 * (ulps * np.spacing(sizes) + absolute)).any())
    assert missed >= 0.7 * len(PIECES)


def test_the_relative_error_near_a_zero_is_not_hidden():
    # J₀ near its first zero: millions of ulps, a few units of 2⁻⁵³ (the absolute term)
    gaps, sizes = errors("besselj 0", 2.404825557695773 + np.arange(-20, 20) * 2.0**-51)
    assert (gaps / np.spacing(sizes)).max() > 1e5
    assert gaps.max() < 2.0**-50


def test_an_unknown_build_is_measured_and_the_larger_constant_holds(monkeypatch):
    assert scipy_build() in SCIPY_BUILDS or scipy_build().startswith("scipy ")
    special_constants._known.cache_clear()
    try:
        monkeypatch.setattr(special_constants, "SCIPY_BUILDS", frozenset())
        monkeypatch.setattr(special_constants, "SPECIAL_MAXIMA", {**SPECIAL_MAXIMA, "erf": ((0.5, 0.0),)})
        (only,) = known("erf")
        assert 1.0 < only.ulps <= allowed("erf", 0)[0] * 3
        special_constants._known.cache_clear()
        monkeypatch.setattr(special_constants, "SPECIAL_MAXIMA", {**SPECIAL_MAXIMA, "erf": ((90.0, 0.0),)})
        assert known("erf")[0].ulps == 1.5 * 90.0 + 0.25
    finally:
        special_constants._known.cache_clear()


def test_a_bad_function_is_found_out(monkeypatch):
    def far_off(name):
        import scipy.special

        return lambda x: getattr(scipy.special, name)(x) * (1 + 2.0**-46)

    monkeypatch.setattr(special_measurement, "scipy_function", far_off)
    assert measure_special("erf", 0, count=200, rounds=0).ulps > 60


@pytest.mark.parametrize("planted", [0.0, 1e-11])
def test_an_absolute_error_near_a_zero_is_measured_as_one(monkeypatch, planted):
    # correctly rounded by mpmath, but for what is added where the digamma function is small
    def nearly(name):
        def rounded(x):
            values = [float(mpmath.digamma(t)) for t in x.tolist()]
            return np.array([v + planted * (abs(v) < 2.0**-7) for v in values])

        return rounded

    monkeypatch.setattr(special_measurement, "scipy_function", nearly)
    with mpmath.workdps(30):
        found = measure_special("digamma", 0, count=400, rounds=0)
    assert 0.4 < found.ulps <= 0.5 + 2.0**-10
    # up to the rounding of the sum and k ulps of it
    assert abs(found.absolute - planted) <= 2.0**-59
    assert not planted or abs(float(mpmath.digamma(found.worst[1]))) < 2.0**-7


SWEPT = [
    ("erf(x)", 0.7),
    ("erfc(x)*exp(x**2)", 3.0),
    ("gamma(x)", -1.5),
    ("loggamma(x)", 1.0 + 2.0**-20),
    ("gammaln(x)*x", 2.0),
    ("digamma(x)", 1.46),
    ("besselj(0, x)", 2.4048),
    ("bessely(1, x)", 2.197),
    ("besselk(0, sqrt(x))", 2.0),
    ("airyai(x)", -2.338),
    ("Ei(x)", 0.3725),
    ("Si(x)/x", 4.0),
    ("li(x)", 1.45),
    ("elliptic_k(x)", 0.0),
    ("polylog(2, x)", 0.01),
    ("LambertW(x)", 1.5),
    ("zeta(x)", 2.0),
    ("sinc(x)", 3.14159),
    ("fresnels(x)", 1.5),
    ("legendre(6, x)", 0.25),
    ("floor(x)*x", 2.5),
]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize(("text", "x"), SWEPT)
def test_errors_of_a_sweep_stay_within_the_proven_bounds(text, x):
    table = dc.sweep(dc.parse(text), [x], steps=dc.geometric_steps(1e-2, 1e-15, per_decade=2))
    ok = table[table["status"] == "ok"]
    assert len(ok) > 50
    assert set(ok["bound_source"]) == {"proven"}
    assert ok["within_bound"].all()
    rounding = (ok["error"] - ok["truncation"]).abs()
    assert (rounding <= ok["rounding_bound"]).all()
    # and the bound says something: somewhere it is within a thousand times the error
    assert (ok["bound"] <= 1000 * ok["abs_error"]).any()


def test_functions_without_constants_are_swept_without_a_bound():
    table = dc.sweep(dc.parse("besselj(1/3, x)"), [2.0], steps=[1e-3, 1e-5])
    assert set(table["status"]) == {"ok"}
    assert set(table["bound_source"]) == {""}
    assert table["bound"].isna().all()
    assert (table["abs_error"] < 1e-5).any()


def test_outside_the_measured_range_there_is_no_bound():
    table = dc.sweep(dc.parse("besselj(0, x)"), [2000.0], steps=[1e-3, 1e-5])
    assert set(table["bound_source"]) == {""}


def test_a_step_inside_the_stencil_has_no_false_bound():
    table = dc.sweep(dc.parse("floor(x) + x"), [1.999], steps=[1e-1, 1e-5])
    wide, narrow = (table[table["h"] == h] for h in (1e-1, 1e-5))
    assert not (wide["within_bound"] == False).any()  # noqa: E712 - nullable
    assert narrow["within_bound"].all()


def test_the_constant_of_sinc_covers_its_division():
    program = dc.parse("sinc(x)").program
    x = np.random.default_rng(1).uniform(0.1, 30, 2000)
    largest = 0.0
    with mpmath.workprec(200):
        for a, b in zip(x.tolist(), compile_numpy(program)([x]).tolist(), strict=True):
            a = mpmath.mpf(a)
            largest = max(largest, float(abs(mpmath.sin(a) / a - b) / np.spacing(abs(b))))
    (known,) = accuracy(program, program.nodes[program.outputs[0]])
    # the sine and the quotient both round
    assert 1.1 < largest <= known.ulps


def test_the_counts_are_the_stated_ones() -> None:
    found = f"{len(special_constants.SPECIAL_MAXIMA)} functions and orders on {len(SCIPY_BUILDS)} builds"
    assert found == stated("rounding of SciPy")
