"""The laws of the operations table for special functions: floats, balls and jets of one function belong together.

mpmath computes the values; the domains and Taylor coefficients of FLINT's functions, and those that are put together
from them, are looked at from outside.
"""

import math
from fractions import Fraction

import flint
import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.arithmetic.balls import BALL_OPERATIONS, ball_function, exact_fraction, precision
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.arithmetic.special_balls import _besselk, certainly_outside
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Program
from diffcompare.program.special_functions import ROWS

THIRD = Fraction(1, 3)


def sinc(x):
    return mpmath.sin(x) / x if x else mpmath.mpf(1)


def spherical(n, x):
    if x == 0:
        return mpmath.mpf(int(n == 0))
    return mpmath.sqrt(mpmath.pi / (2 * abs(x))) * mpmath.besselj(n + 0.5, abs(x)) * (-1 if x < 0 and n % 2 else 1)


def real_lambert(k):
    return lambda x: mpmath.lambertw(x, k).real


def polylog(s, z):
    return mpmath.polylog(s, z).real


CASES = {  # name, parameters: the interval of each other operand, inside the domain, and the function in mpmath
    ("erf",): ([(-6.0, 6.0)], mpmath.erf),
    ("erfc",): ([(-6.0, 9.0)], mpmath.erfc),
    ("erfi",): ([(-5.0, 5.0)], mpmath.erfi),
    ("erfinv",): ([(-0.99, 0.99)], mpmath.erfinv),
    ("gamma",): ([(0.25, 20.0)], mpmath.gamma),
    ("loggamma",): ([(0.25, 50.0)], mpmath.loggamma),
    ("gammaln",): ([(-0.875, -0.125)], lambda x: mpmath.log(abs(mpmath.gamma(x)))),
    ("digamma",): ([(0.25, 50.0)], lambda x: mpmath.psi(0, x)),
    ("polygamma", 1): ([(0.25, 30.0)], lambda x: mpmath.psi(1, x)),
    ("polygamma", 4): ([(0.25, 30.0)], lambda x: mpmath.psi(4, x)),
    ("beta",): ([(0.25, 9.0), (0.25, 9.0)], mpmath.beta),
    ("gammainc", Fraction(5, 2)): ([(0.125, 12.0)], lambda x: mpmath.gammainc(2.5, 0, x, regularized=True)),
    ("gammaincc", 3): ([(0.125, 12.0)], lambda x: mpmath.gammainc(3, x, regularized=True)),
    ("besselj", 0): ([(-20.0, 20.0)], lambda x: mpmath.besselj(0, x)),
    ("besselj", THIRD): ([(0.25, 20.0)], lambda x: mpmath.besselj(mpmath.mpf(1) / 3, x)),
    ("bessely", 1): ([(0.25, 20.0)], lambda x: mpmath.bessely(1, x)),
    ("bessely", THIRD): ([(0.25, 20.0)], lambda x: mpmath.bessely(mpmath.mpf(1) / 3, x)),
    ("besseli", 2): ([(-20.0, 20.0)], lambda x: mpmath.besseli(2, x)),
    ("besselk", 0): ([(0.25, 20.0)], lambda x: mpmath.besselk(0, x)),
    ("besselk", THIRD): ([(0.25, 20.0)], lambda x: mpmath.besselk(mpmath.mpf(1) / 3, x)),
    ("spherical_jn", 0): ([(-20.0, 20.0)], lambda x: spherical(0, x)),
    ("spherical_jn", 3): ([(-20.0, 20.0)], lambda x: spherical(3, x)),
    ("sinc",): ([(-50.0, 50.0)], sinc),
    ("airyai",): ([(-10.0, 10.0)], mpmath.airyai),
    ("airyaiprime",): ([(-10.0, 10.0)], lambda x: mpmath.airyai(x, derivative=1)),
    ("airybi",): ([(-10.0, 10.0)], mpmath.airybi),
    ("airybiprime",): ([(-10.0, 10.0)], lambda x: mpmath.airybi(x, derivative=1)),
    ("zeta",): ([(1.25, 40.0)], mpmath.zeta),
    ("hurwitz_zeta", Fraction(5, 2)): ([(0.25, 20.0)], lambda a: mpmath.zeta(2.5, a)),
    ("polylog", 2): ([(-8.0, 0.875)], lambda z: polylog(2, z)),
    ("polylog", -THIRD): ([(-8.0, 0.875)], lambda z: polylog(-mpmath.mpf(1) / 3, z)),
    ("lambertw",): ([(-0.3125, 20.0)], real_lambert(0)),
    ("lambertw_lower",): ([(-0.3125, -0.0625)], real_lambert(-1)),
    ("elliptic_k",): ([(-20.0, 0.9375)], mpmath.ellipk),
    ("elliptic_e",): ([(-20.0, 0.9375)], mpmath.ellipe),
    ("Ei",): ([(0.25, 20.0)], mpmath.ei),
    ("Si",): ([(-20.0, 20.0)], mpmath.si),
    ("Ci",): ([(0.25, 20.0)], mpmath.ci),
    ("expint", 1): ([(0.25, 20.0)], lambda x: mpmath.expint(1, x)),
    ("expint", 3): ([(0.25, 20.0)], lambda x: mpmath.expint(3, x)),
    ("fresnels",): ([(-6.0, 6.0)], mpmath.fresnels),
    ("fresnelc",): ([(-6.0, 6.0)], mpmath.fresnelc),
    ("floor",): ([(-9.0, 9.0)], mpmath.floor),
    ("ceiling",): ([(-9.0, 9.0)], mpmath.ceil),
}
STEPS = {("floor",), ("ceiling",)}
WITHOUT_FLOATS = {("polylog", -THIRD)}
# absolute: many of these go through 0, where the relative accuracy of floats is poor
FLOAT_SLACK = 2.0**-40

OUTSIDE = {
    ("erfinv",): [1.0, -1.0, 2.0],
    ("gamma",): [0.0, -1.0, -30.0],
    ("loggamma",): [0.0, -0.5, -3.0],
    ("gammaln",): [0.0, -4.0],
    ("digamma",): [0.0, -4.0],
    ("polygamma", 1): [0.0, -4.0],
    ("gammainc", Fraction(5, 2)): [-1e-300, -2.0],
    ("gammaincc", 3): [-1e-300, -2.0],
    ("besselj", THIRD): [-1.0],
    ("bessely", 1): [0.0, -1.0],
    ("bessely", THIRD): [0.0, -1.0],
    ("besseli", THIRD): [-1.0],
    ("besselk", 0): [0.0, -1.0],
    ("besselk", THIRD): [0.0, -1.0],
    ("zeta",): [1.0],
    ("hurwitz_zeta", Fraction(5, 2)): [0.0, -0.5, -1.0],
    ("polylog", 2): [1.5, 2.0],
    ("lambertw",): [-0.375, -5.0],
    ("lambertw_lower",): [-0.375, 0.0, 1.0],
    ("elliptic_k",): [1.0, 1.5],
    ("elliptic_e",): [1.0, 1.5],
    ("Ei",): [0.0],
    ("Ci",): [0.0, -1.0],
    ("expint", 1): [0.0, -1.0],
    ("expint", 3): [-1.0],
}


def row_program(row) -> Program:
    name, *parameters = row
    count = 1 if name != "beta" else 2
    build = Builder([f"x{i}" for i in range(count)])
    operands = [*map(build.constant, parameters), *map(build.variable, range(count))]
    return build.program([build.apply(name, *operands)])


PROGRAMS = {row: row_program(row) for row in {*CASES, *OUTSIDE}}


def run(program: Program, point, bits: int) -> list[arb]:
    with precision(bits):
        return list(ball_function(program)(*(x if isinstance(x, arb) else arb(x) for x in point)))


def ends(value: arb) -> tuple[Fraction, Fraction]:
    middle, radius = exact_fraction(value.mid()), exact_fraction(value.rad())
    return middle - radius, middle + radius


def number(value: Fraction):
    return mpmath.mpf(value.numerator) / value.denominator


def within(low: float, high: float):
    special = [low, high, *(x for x in (0.0, 1.0, -1.0, 0.5, 2.0**-60, -(2.0**-60), 5e-324) if low < x < high)]
    return st.sampled_from(special) | st.floats(low, high)


def points(row):
    return st.tuples(*(within(*interval) for interval in CASES[row][0]))


def law(strategy, examples=8):
    def decorate(check):
        settings(max_examples=examples, deadline=None, derandomize=True, database=None)(given(strategy)(check))()

    return decorate


def identifier(row) -> str:
    return " ".join(map(str, row))


# mpmath takes seconds for a polylogarithm of an order that is no integer
ROWS_OF_CASES = [
    pytest.param(row, id=identifier(row), marks=pytest.mark.thorough if row == ("polylog", -THIRD) else ())
    for row in CASES
]
every_row = pytest.mark.parametrize("row", ROWS_OF_CASES)


def test_every_special_row_has_its_laws():
    assert {row[0] for row in CASES} == {row.name for row in ROWS}
    assert {row[0] for row in OUTSIDE} == {row.name for row in ROWS if row.domain} - {"beta"}


@every_row
def test_ball_of_a_point_contains_the_value_of_mpmath_and_the_float(row):
    @law(points(row))
    def check(point):
        found = ends(run(PROGRAMS[row], point, 120)[0])
        with mpmath.workdps(60):
            low, high = map(number, found)
            value = CASES[row][1](*map(mpmath.mpf, point))
            slack = abs(value) * mpmath.mpf(10) ** -50 + mpmath.mpf(10) ** -60
            assert low - slack <= value <= high + slack
            assert high - low <= abs(value) * mpmath.mpf(2) ** -70 + mpmath.mpf(2) ** -70
        if row not in WITHOUT_FLOATS:
            computed = compile_numpy(PROGRAMS[row])([np.array([x]) for x in point])[0]
            assert abs(computed - value) <= FLOAT_SLACK * (1 + abs(value))


@every_row
def test_balls_at_two_precisions_overlap_and_those_of_ranges_contain(row):
    ranges = st.tuples(*(st.tuples(within(*i), within(*i)).map(sorted) for i in CASES[row][0]))

    @law(st.tuples(ranges, st.fractions(0, 1)))
    def check(drawn):
        wide, share = drawn
        with precision(53):
            box = [arb(low).union(arb(high)) for low, high in wide]
        inner = [min(max(a + float(share) * (b - a), a), b) for a, b in wide]
        coarse, fine = run(PROGRAMS[row], inner, 53)[0], run(PROGRAMS[row], inner, 106)[0]
        assert coarse.is_finite()
        assert coarse.overlaps(fine)
        whole = run(PROGRAMS[row], box, 53)[0]
        if whole.is_finite():
            for sample in (inner, [a for a, _ in wide], [b for _, b in wide]):
                assert whole.overlaps(run(PROGRAMS[row], sample, 200)[0])


@every_row
def test_local_partial_overlaps_the_jet(row):
    @law(points(row))
    def check(point):
        partials = run(adjoint(PROGRAMS[row]), point, 100)[1:]
        for direction, partial in enumerate(partials):
            coefficient = taylor_jet(PROGRAMS[row], point, direction, order=1, bits=100)[1]
            if row in STEPS and not coefficient.is_finite():
                assert float(point[0]).is_integer()
                continue
            assert coefficient.is_finite()
            assert coefficient.overlaps(partial)


@pytest.mark.parametrize("row", [case for case in ROWS_OF_CASES if case.values[0] not in STEPS])
def test_jets_to_order_10_are_the_taylor_polynomial(row):
    intervals, function = CASES[row]
    point = [low + 0.40625 * (min(high, 6.0) - low) for low, high in intervals]
    jet = taylor_jet(PROGRAMS[row], point, 0, bits=300)
    assert len(jet) == 11
    # what is left at t = ±2^-20 is c11·t^11: every coefficient is seen, the last one to twenty bits
    with mpmath.workdps(90):
        coefficients = [number(exact_fraction(c.mid())) for c in jet]
        size = max(map(abs, coefficients)) + 1
        for t in (mpmath.mpf(2) ** -20, -(mpmath.mpf(2) ** -20)):
            value = function(mpmath.mpf(point[0]) + t, *map(mpmath.mpf, point[1:]))
            assert abs(mpmath.polyval(coefficients[::-1], t) - value.real) <= 64 * size * mpmath.mpf(2) ** -220
        assert max(number(exact_fraction(c.rad())) for c in jet) <= size * mpmath.mpf(2) ** -150


@pytest.mark.parametrize("row", [row for row in CASES if row not in STEPS], ids=identifier)
def test_jets_of_ranges_contain_those_of_points_and_compose(row):
    intervals, _ = CASES[row]
    point = [low + 0.40625 * (min(high, 6.0) - low) for low, high in intervals]
    with precision(80):
        box = [arb(x, 2.0**-6) for x in point]
    whole = taylor_jet(PROGRAMS[row], box, 0)
    for x in (point[0] - 2.0**-6, point[0], point[0] + 2.0**-6):
        inner = taylor_jet(PROGRAMS[row], [x, *point[1:]], 0, bits=150)
        assert all(not a.is_finite() or a.overlaps(b) for a, b in zip(whole, inner, strict=True))
    assert sum(c.is_finite() for c in whole) >= 3
    # f(x² + c) at a point where x² + c is that point: chain rule by series
    name, *parameters = row
    build = Builder(("x", "y"))
    x = build.variable(0)
    inner_node = build.apply("subtract", build.apply("multiply", x, x), build.constant(1 - Fraction(point[0])))
    operands = [*map(build.constant, parameters), inner_node, *([build.variable(1)] if len(point) > 1 else [])]
    composed = build.program([build.apply(name, *operands)])
    outer = taylor_jet(PROGRAMS[row], point, 0, bits=120)
    jet = taylor_jet(composed, [1.0, *(point[1:] or [0.0])], 0, bits=120)
    with precision(120):
        assert jet[1].overlaps(2 * outer[1])
        assert jet[2].overlaps(outer[1] + 4 * outer[2])
        assert jet[3].overlaps(4 * outer[2] + 8 * outer[3])


@pytest.mark.parametrize(
    ("row", "x"),
    [(row, x) for row, found in OUTSIDE.items() for x in found],
    ids=lambda v: str(v) if isinstance(v, float) else identifier(v),
)
def test_outside_the_domain_there_is_never_a_finite_ball(row, x):
    assert not run(PROGRAMS[row], [x], 80)[0].is_finite()
    assert not any(c.is_finite() for c in taylor_jet(PROGRAMS[row], [x], 0)[1:])


@pytest.mark.parametrize("name", ["besselj", "besseli"])
def test_a_bessel_function_between_whole_orders_begins_at_0_where_it_has_a_value_there(name):
    outside = {(-0.5, 0): True, (0.5, 0): False, (0.5, -1): True, (0.5, 1): False, (-2, -1): False, (2, 0): False}
    assert {at: certainly_outside(name, [arb(at[0]), arb(at[1])]) for at in outside} == outside


@every_row
def test_what_is_not_a_number_stays_so(row):
    for position in range(len(CASES[row][0])):
        arguments = [arb.nan() if i == position else arb(0.5) for i in range(len(CASES[row][0]))]
        assert not run(PROGRAMS[row], arguments, 53)[0].is_finite()


@pytest.mark.parametrize("order", [1, 2, 5])
@pytest.mark.parametrize("z", [0.0, 0.25, -0.25, 0.375, -0.5])
def test_derivatives_of_the_polylogarithm_around_0(order, z):
    # Σ n⁻ˢ·n!/(n−k)!·zⁿ⁻ᵏ, whichever of the two ways is taken
    with mpmath.workdps(50), precision(200):
        expected = (
            mpmath.nsum(
                lambda n: mpmath.ff(n, order) * n ** (-mpmath.mpf(5) / 2) * mpmath.mpf(z) ** (n - order),
                [order, mpmath.inf],
            )
            if z
            else mpmath.factorial(order) * mpmath.mpf(order) ** (-mpmath.mpf(5) / 2)
        )
        value = BALL_OPERATIONS["polylog"](arb(2.5), arb(z), order)
        low, high = map(number, ends(value))
        assert low - mpmath.mpf(10) ** -30 <= expected <= high + mpmath.mpf(10) ** -30
        assert high - low < mpmath.mpf(10) ** -40


def power_series(term):
    """Return what gives the n-th derivative of Σ term(j)·xʲ at x, |x| ≤ 1/2, term by term."""
    return lambda x, n: mpmath.fsum(term(j) * mpmath.ff(j, n) * mpmath.mpf(x) ** (j - n) for j in range(n, 220))


def elliptic_term(j):
    return mpmath.pi / 2 * (mpmath.binomial(2 * j, j) / mpmath.mpf(4) ** j) ** 2


BY_ORDER = {
    ("zeta",): (2.5, lambda x, n: mpmath.zeta(x, 1, n)),
    ("polylog", 2): (0.375, power_series(lambda j: mpmath.mpf(j) ** -2 if j else 0)),
    ("elliptic_k",): (0.25, power_series(elliptic_term)),
    ("elliptic_e",): (-0.5, power_series(lambda j: elliptic_term(j) / (1 - 2 * j))),
}


@pytest.mark.thorough
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("row", BY_ORDER, ids=identifier)
def test_the_jet_of_the_kth_derivative_has_the_derivatives_from_the_kth_on(row, order):
    name, *parameters = row
    x, derivative = BY_ORDER[row]
    build = Builder(("x",))
    operands = [*map(build.constant, parameters), build.variable(0)]
    jet = taylor_jet(build.program([build.apply(name, *operands, payload=order)]), [x], 0, order=4, bits=200)
    with mpmath.workdps(60):
        for k, found in enumerate(jet):
            low, high = map(number, ends(found))
            expected = derivative(x, order + k) / mpmath.factorial(k)
            slack = abs(expected) * mpmath.mpf(10) ** -40
            assert low - slack <= expected <= high + slack
            assert high - low <= slack


def test_every_row_by_order_has_its_derivatives():
    assert {row[0] for row in BY_ORDER} == {row.name for row in ROWS if row.by_order}


def test_a_wrong_coefficient_is_told_apart():
    # the checker's wrong twin: a coefficient that is off by its last digits
    jet = taylor_jet(PROGRAMS[("besselj", 0)], [1.5], 0, bits=150)
    with precision(150):
        assert not jet[3].overlaps(jet[3] * (1 + arb(2.0**-100)))
    assert math.isfinite(float(jet[3].mid()))


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("bits", [53, 128, 512])
@pytest.mark.parametrize("order", [0, 1, 7, 0.3])
def test_besselk_is_as_narrow_as_the_precision_where_its_series_cancels(order, bits):
    # where flint loses half of the bits it integrates, which takes a hundred times as long
    with precision(bits):
        for part in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 1.1):
            found = _besselk(arb(order), arb(part * bits))
            assert found.rel_accuracy_bits() >= bits - 8
        if bits > 128:
            return
        with mpmath.workdps(60):
            low, high = map(number, ends(found))
            assert low <= mpmath.besselk(order, part * bits) <= high


@pytest.mark.parametrize("bits", [53, 128, 512])
def test_flint_is_asked_for_besselk_with_more_than_twice_what_its_series_loses(bits):
    asked = []

    class Spy:
        def __init__(self, value):
            self.value = value

        def __gt__(self, other):
            return self.value > other

        def __lt__(self, other):
            return self.value < other

        def mid(self):
            return self.value

        def bessel_k(self, order):
            asked.append(flint.ctx.prec)
            return arb(order)

    parts = (0.1, 0.2, 0.3, 0.4, 0.6, 0.9)
    with precision(bits):
        for part in parts:
            _besselk(arb(1), Spy(arb(part * bits)))
        assert flint.ctx.prec == bits
    # e^x of one function against e^-x of the other: 2x/log 2 bits
    lost = [2 * part * bits / math.log(2) for part in parts]
    assert all(q > max(bits + each, 2 * each) for q, each in zip(asked, lost, strict=True))
