"""Laws that every row of the operations table inherits, in floats, balls and jets.

Nestedness and inclusion isotonicity are not laws of balls (measured: expm1 of a half ball lies inside the ball of the
whole in about half of the trials); overlap is.
"""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from diffcompare.arithmetic.balls import (
    BALL_OPERATIONS,
    UNDEFINED,
    ball_function,
    certainly_nonzero,
    exact_fraction,
    precision,
)
from diffcompare.arithmetic.floating import compile_numpy
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.program.adjoint import adjoint
from diffcompare.program.dag import Builder, Program, Term
from diffcompare.program.operations import COMPARISONS, DERIVED, OPERATIONS
from diffcompare.program.special_functions import ROWS as SPECIAL_ROWS

LINE = (-50.0, 50.0)
ROWS = {  # operation: the interval of each operand, all inside the domain, and the function in mpmath
    "add": ((LINE, LINE), lambda a, b: a + b),
    "subtract": ((LINE, LINE), lambda a, b: a - b),
    "multiply": ((LINE, LINE), lambda a, b: a * b),
    "divide": ((LINE, (0.25, 50.0)), lambda a, b: a / b),
    "negative": ((LINE,), lambda a: -a),
    "sum": ((LINE, LINE, LINE), lambda a, b, c: a + b + c),
    "dot": ((LINE, LINE, LINE, LINE), lambda a, b, c, d: a * c + b * d),
    "power": (((0.125, 20.0), (-5.0, 5.0)), lambda a, b: a**b),
    "sqrt": (((1e-3, 1e3),), mpmath.sqrt),
    "cbrt": ((LINE,), lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a))),
    "hypot": ((LINE, LINE), lambda a, b: mpmath.sqrt(a * a + b * b)),
    "exp": ((LINE,), mpmath.exp),
    "exp2": ((LINE,), lambda a: mpmath.mpf(2) ** a),
    "expm1": ((LINE,), mpmath.expm1),
    "log": (((1e-3, 1e3),), mpmath.log),
    "log2": (((1e-3, 1e3),), lambda a: mpmath.log(a, 2)),
    "log10": (((1e-3, 1e3),), lambda a: mpmath.log(a, 10)),
    "log1p": (((-0.999, 1e3),), mpmath.log1p),
    "sin": ((LINE,), mpmath.sin),
    "cos": ((LINE,), mpmath.cos),
    "tan": (((-1.5, 1.5),), mpmath.tan),
    "asin": (((-0.999, 0.999),), mpmath.asin),
    "acos": (((-0.999, 0.999),), mpmath.acos),
    "atan": ((LINE,), mpmath.atan),
    "atan2": ((LINE, (0.25, 50.0)), mpmath.atan2),
    "sinh": ((LINE,), mpmath.sinh),
    "cosh": ((LINE,), mpmath.cosh),
    "tanh": ((LINE,), mpmath.tanh),
    "asinh": ((LINE,), mpmath.asinh),
    "acosh": (((1.001, 1e3),), mpmath.acosh),
    "atanh": (((-0.999, 0.999),), mpmath.atanh),
    "abs": ((LINE,), abs),
    "sign": ((LINE,), mpmath.sign),
    "min": ((LINE, LINE), min),
    "max": ((LINE, LINE), max),
    **{f"integer_power {n}": ((LINE,), lambda a, n=n: a**n) for n in (0, 1, 2, 3, 4, 7)},
    **{f"integer_power {n}": (((0.25, 50.0),), lambda a, n=n: a**n) for n in (-1, -2, -3)},
}
NOT_FUNCTIONS = {"constant", "variable", "pi", "e", "undefined", "select", "true", "false", "and", "or", "not"}
SMOOTH = sorted(set(ROWS) - {"abs", "sign", "min", "max", "cbrt", "hypot"})
# generous: NumPy's own accuracy tests (test_umath_accuracy.py) ask for 4 units in the last place or fewer
ULPS = 4


def row_program(row: str) -> Program:
    name, _, payload = row.partition(" ")
    arity = len(ROWS[row][0])
    assert payload or OPERATIONS[name].arity in (arity, -1)
    build = Builder([f"x{i}" for i in range(arity)])
    operands = [build.variable(i) for i in range(arity)]
    return build.program([build.apply(name, *operands, payload=int(payload) if payload else None)])


PROGRAMS = {row: row_program(row) for row in ROWS}


def run(program: Program, point, bits: int) -> list[arb]:
    with precision(bits):
        return list(ball_function(program)(*(x if isinstance(x, arb) else arb(x) for x in point)))


def ends(value: arb) -> tuple[Fraction, Fraction]:
    """Return the two ends of a ball exactly."""
    middle, radius = exact_fraction(value.mid()), exact_fraction(value.rad())
    return middle - radius, middle + radius


def within(low: float, high: float):
    special = [low, high, *(x for x in (0.0, -0.0, 1.0, -1.0, 0.5, 2.0**-60, -(2.0**-60), 5e-324) if low < x < high)]
    return st.sampled_from(special) | st.floats(low, high) | st.floats(max(low, -2.0), min(high, 2.0))


def points(row: str):
    return st.tuples(*(within(*interval) for interval in ROWS[row][0]))


def ranges(row: str):
    """Pairs of sorted ends per operand."""
    return st.tuples(*(st.tuples(within(*i), within(*i)).map(sorted) for i in ROWS[row][0]))


def test_every_row_of_the_table_has_its_laws():
    special = {row.name for row in SPECIAL_ROWS}  # tests/arithmetic/test_special_laws.py
    assert {row.partition(" ")[0] for row in ROWS} | NOT_FUNCTIONS | COMPARISONS == set(OPERATIONS) - special


@pytest.mark.parametrize("row", ROWS)
def test_float_result_lies_within_ulps_of_the_ball(row):
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(points(row))
    def law(point):
        low, high = ends(run(PROGRAMS[row], point, 106)[0])
        result = compile_numpy(PROGRAMS[row])([np.array([x]) for x in point])[0]
        # several roundings of terms that may cancel: units in the last place of the largest term
        scale = {"sum": max, "dot": lambda *sizes: max(sizes) ** 2}.get(row, lambda *_: 0.0)(*map(abs, point))
        slack = ULPS * Fraction(math.ulp(max(abs(float(result)), scale)))
        assert low - slack <= Fraction(float(result)) <= high + slack

    law()


@pytest.mark.parametrize("row", ROWS)
def test_balls_at_two_precisions_overlap_and_shrink(row):
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(points(row))
    def law(point):
        coarse, fine = run(PROGRAMS[row], point, 53)[0], run(PROGRAMS[row], point, 106)[0]
        assert coarse.is_finite()
        assert coarse.overlaps(fine)
        # the coarse one may be exact but for a tiny term, as tan(x) = x + x³/3 is; the fine one has its own bits
        own = abs(exact_fraction(fine.mid())) / 2**104
        assert exact_fraction(fine.rad()) <= max(exact_fraction(coarse.rad()), own)

    law()


@pytest.mark.parametrize("row", ROWS)
def test_ball_of_a_point_contains_the_value_of_mpmath_and_is_narrow(row):
    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(points(row))
    def law(point):
        low, high = ends(run(PROGRAMS[row], point, 106)[0])
        with mpmath.workdps(70):
            value = ROWS[row][1](*map(mpmath.mpf, point))
            slack = abs(value) * mpmath.mpf(10) ** -60
            below, above = (mpmath.mpf(e.numerator) / e.denominator for e in (low, high))
            assert below - slack <= value <= above + slack
            assert above - below <= abs(value) * mpmath.mpf(2) ** -90 + mpmath.mpf(2) ** -90

    law()


@pytest.mark.thorough
@pytest.mark.parametrize("row", ROWS)
def test_ball_of_a_range_contains_the_value_at_every_point_of_it(row):
    @settings(max_examples=20, deadline=None, derandomize=True, database=None)
    @given(ranges(row), st.lists(st.fractions(0, 1), min_size=3, max_size=3))
    def law(wide, shares):
        with precision(53):
            arguments = [arb(low).union(arb(high)) for low, high in wide]
        whole = run(PROGRAMS[row], arguments, 53)[0]
        if not whole.is_finite():
            return  # no claim
        low, high = ends(whole)
        samples = [[a for a, _ in wide], [b for _, b in wide]]
        samples += [[min(max(a + float(s) * (b - a), a), b) for (a, b) in wide] for s in shares]
        samples += [[0.0 if a < 0 < b else a for a, b in wide]]
        for sample in samples:
            inner_low, inner_high = ends(run(PROGRAMS[row], sample, 300)[0])
            # the thin ball at 300 bits holds the true value: it cannot lie outside
            assert inner_low <= high
            assert inner_high >= low

    law()


@pytest.mark.parametrize("row", ["abs", "integer_power 2", "integer_power 4", "hypot", "cosh"])
def test_ranges_around_0_stay_finite(row):
    with precision(53):
        around = arb(0, 1)
        asymmetric = arb(-0.5).union(arb(2.0))
    arity = len(ROWS[row][0])
    for argument in (around, asymmetric):
        whole = run(PROGRAMS[row], [argument] * arity, 53)[0]
        assert whole.is_finite()
        low, high = ends(whole)
        assert low <= int(ROWS[row][1](*[mpmath.mpf(0)] * arity)) <= high


@pytest.mark.parametrize("row", ROWS)
def test_local_partial_overlaps_the_first_coefficient_of_the_jet(row):
    program = PROGRAMS[row]

    @settings(max_examples=10, deadline=None, derandomize=True, database=None)
    @given(points(row))
    def law(point):
        partials = run(adjoint(program), point, 80)[1:]
        for direction, partial in enumerate(partials):
            coefficient = taylor_jet(program, point, direction, order=1)[1]
            if coefficient.is_finite() and partial.is_finite():
                assert coefficient.overlaps(partial)
            else:
                assert row not in SMOOTH, (coefficient, partial)

    law()


@pytest.mark.mostly_thorough(but_each=3)
@pytest.mark.parametrize("row", SMOOTH)
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_jets_to_order_10_contain_the_coefficients_of_mpmath(row, share):
    intervals, function = ROWS[row]
    point = [low + share * (min(high, 3.0) - low) if low > -50 else 4 * share - 1.5 for low, high in intervals]
    for direction in range(len(point)):
        jet = taylor_jet(PROGRAMS[row], point, direction, bits=200)
        assert len(jet) == 11
        with mpmath.workdps(150):
            fixed = [mpmath.mpf(x) for x in point]

            def along(t, direction=direction, fixed=fixed):
                return function(*[t if i == direction else x for i, x in enumerate(fixed)])

            expected = mpmath.taylor(along, fixed[direction], 10, h=mpmath.mpf(10) ** -12, relative=False)
            for coefficient, value in zip(jet, expected, strict=True):
                low, high = (mpmath.mpf(e.numerator) / e.denominator for e in ends(coefficient))
                slack = abs(value) * mpmath.mpf(10) ** -8 + mpmath.mpf(10) ** -9
                assert low - slack <= value <= high + slack
                assert high - low <= (1 + abs(value)) * mpmath.mpf(2) ** -100


OUTSIDE = {
    "divide": [(1.0, 0.0), (0.0, 0.0)],
    "power": [(-1.0, 2.0), (-2.5, 0.5), (0.0, 0.0), (0.0, -1.0), (-5e-324, 1.0)],
    "sqrt": [(-1.0,), (-5e-324,), (-1e308,)],
    "log": [(0.0,), (-0.0,), (-5e-324,), (-3.0,)],
    "log2": [(0.0,), (-3.0,)],
    "log10": [(0.0,), (-3.0,)],
    "log1p": [(-1.0,), (math.nextafter(-1.0, -2.0),), (-5.0,)],
    "asin": [(math.nextafter(1.0, 2.0),), (math.nextafter(-1.0, -2.0),), (1e300,)],
    "acos": [(math.nextafter(1.0, 2.0),), (math.nextafter(-1.0, -2.0),), (-1e300,)],
    "atan2": [(0.0, 0.0), (-0.0, 0.0)],
    "acosh": [(math.nextafter(1.0, 0.0),), (0.0,), (-2.0,)],
    "atanh": [(1.0,), (-1.0,), (math.nextafter(1.0, 2.0),), (-2.0,)],
    "integer_power -1": [(0.0,), (-0.0,)],
    "integer_power -2": [(0.0,)],
    "integer_power -3": [(-0.0,)],
}


def test_every_row_with_a_domain_is_looked_at_outside_of_it():
    special = {row.name for row in SPECIAL_ROWS}
    limited = {
        row.name
        for row in OPERATIONS.values()
        if row.domain and row.name not in special and row.name not in ("undefined", "tan")
    }
    assert {row.partition(" ")[0] for row in OUTSIDE} == limited


@pytest.mark.parametrize(("row", "point"), [(row, point) for row, found in OUTSIDE.items() for point in found])
@pytest.mark.parametrize("bits", [53, 300])
def test_outside_the_domain_there_is_never_a_finite_ball(row, point, bits):
    assert not run(PROGRAMS[row], point, bits)[0].is_finite()
    assert not any(c.is_finite() for c in taylor_jet(PROGRAMS[row], point, 0, bits=bits)[1:])


@pytest.mark.parametrize("row", ROWS)
def test_what_is_not_a_number_stays_so(row):
    arity = len(ROWS[row][0])
    for position in range(arity):
        arguments = [arb.nan() if i == position else arb(1) / 2 for i in range(arity)]
        assert not run(PROGRAMS[row], arguments, 53)[0].is_finite()


@pytest.mark.parametrize("name", sorted(COMPARISONS))
def test_comparisons_of_balls_are_certain_or_open(name):
    compare = BALL_OPERATIONS[name]
    exact = {"less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b}
    exact |= {"greater_equal": lambda a, b: a >= b, "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b}
    for a in (-1.0, 0.0, 2.5):
        for b in (-1.0, 0.0, 2.5):
            assert compare(arb(a), arb(b)) is exact[name](a, b)
    assert compare(arb(0, 1), arb(0)) is None
    assert compare(arb(0, 1), arb(0, 1)) is None
    assert compare(arb(0, 1), arb(5)) is exact[name](0, 5)
    assert compare(arb.nan(), arb(5)) == compare(arb(5), arb.nan()) == UNDEFINED


@pytest.mark.parametrize("name", ["and", "or", "not"])
def test_logic_of_what_cannot_be_told(name):
    logic, values = BALL_OPERATIONS[name], (True, False, None, UNDEFINED)
    for a in values:
        if name == "not":
            assert logic(a) == {True: False, False: True, None: None, UNDEFINED: UNDEFINED}[a]
            continue
        for b in values:
            # sound: a definite answer is that of every completion of what is open
            result = logic(a, b)
            if UNDEFINED in (a, b):
                assert result == UNDEFINED
                continue
            completions = {
                (x and y) if name == "and" else (x or y)
                for x in ((True, False) if a is None else (a,))
                for y in ((True, False) if b is None else (b,))
            }
            assert result is (completions.pop() if len(completions) == 1 else None)


def test_an_open_choice_contains_both_branches():
    build = Builder(("x", "y"))
    x, y = build.variable(0), build.variable(1)
    program = build.program([build.apply("select", build.apply("less", x, build.constant(0)), x, y)])
    low, high = ends(run(program, [arb(0, 1), arb(5)], 53)[0])
    assert low <= -1
    assert high >= 5
    assert not run(program, [arb(0, 1), arb.nan()], 53)[0].is_finite()
    assert run(program, [arb(-1), arb.nan()], 53)[0] == -1
    assert not run(program, [arb.nan(), arb(5)], 53)[0].is_finite()


@pytest.mark.parametrize("name", sorted(DERIVED))
def test_derived_functions_are_enclosed(name):
    functions = {"square": lambda x: x * x, "reciprocal": lambda x: 1 / x, "deg2rad": lambda x: x * mpmath.pi / 180}
    function = functions.get(name) or getattr(mpmath, name)
    build = Builder(("x",))
    program = build.program([DERIVED[name](Term(build, build.variable(0))).index])
    at = {"asec": 2.5, "acsc": -2.5, "acoth": 2.5, "asech": 0.375}.get(name, -0.625)
    value = run(program, [at], 200)[0]
    assert certainly_nonzero(value)
    with mpmath.workdps(50):
        low, high = (mpmath.mpf(e.numerator) / e.denominator for e in ends(value))
        expected = function(mpmath.mpf(at))
        assert low * (1 - mpmath.sign(low) * mpmath.mpf(10) ** -45) <= expected
        assert expected <= high * (1 + mpmath.sign(high) * mpmath.mpf(10) ** -45)
