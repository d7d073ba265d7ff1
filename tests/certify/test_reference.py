"""The certified gradient: correct rounding, statuses, the second route, threads."""

import math
import random
import re
import runpy
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.certify import reference
from diffcompare.certify.higher import Slope
from diffcompare.certify.reference import Partial, certified_partials
from diffcompare.program.operations import OPERATIONS
from diffcompare.symbolic import derivatives

forward = runpy.run_path(str(Path(__file__).parents[1] / "program" / "forward_mode.py"))
dual, Undefined = forward["dual"], forward["Undefined"]

UNARY = re.findall(
    r"\w+",
    """sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp exp2 expm1 log log2 log10 log1p sqrt cbrt
    abs sign cot sec csc acot asec acsc coth sech csch acoth asech acsch square reciprocal deg2rad""",
)


def certify(text, point, variables=None):
    return dc.certified_gradient(dc.parse(text, variables=variables), point)


def formula(generator, depth, names):
    def part():
        return formula(generator, depth - 1, names)

    if depth == 0 or generator.random() < 0.12:
        return generator.choice([*names * 2, "2", "0.1", "3", "1/3", "pi", "E", "1e-3", "7", "1e10"])
    kind = generator.random()
    if kind < 0.35:
        return f"{generator.choice(UNARY)}({part()})"
    if kind < 0.75:
        return f"({part()} {generator.choice('+-*/')} {part()})"
    if kind < 0.87:
        return f"({part()})**{generator.choice(['2', '3', '-1', '-2', '0.5', '1.5', '(1/3)', '7', 'x'])}"
    if kind < 0.94:
        return f"{generator.choice(['hypot', 'atan2', 'min', 'max'])}({part()}, {part()})"
    return f"where({part()} {generator.choice('<>')} {part()}, {part()}, {part()})"


def coordinate(generator):
    return generator.choice(
        [
            0.5,
            -2.0,
            generator.uniform(-3, 3),
            generator.uniform(0, 1),
            math.ldexp(generator.uniform(-1, 1), generator.randint(-60, 8)),
        ]
    )


def exact(value):
    mantissa, exponent = (int(n) for n in value.man_exp) if value else (0, 0)
    return (-1 if value < 0 and mantissa > 0 else 1) * Fraction(mantissa) * Fraction(2) ** exponent


def nearest(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def truth(program, point, i):
    """Return the partial derivative as a float, or None where two precisions of mpmath do not settle it."""
    found = []
    for digits in (90, 180):
        with mpmath.workdps(digits):
            value, derivative = dual(program, point, i)
            if not (
                mpmath.isfinite(value)
                and mpmath.isfinite(derivative)
                and abs(mpmath.mag(derivative) if derivative else 0) < 4000
            ):
                return None
            found.append(exact(derivative))
    settled = found[1] != 0 and abs(found[0] - found[1]) <= abs(found[1]) / 10**30
    return nearest(found[1]) if settled and nearest(found[0]) == nearest(found[1]) else None


@pytest.mark.thorough
def test_gradients_of_random_formulas_are_correctly_rounded():
    generator, counts = random.Random(8), {"ok": 0, "undecided": 0}
    for _ in range(600):
        names = ["x", "y"][: generator.randint(1, 2)]
        text = formula(generator, generator.randint(1, 4), names)
        try:
            f = dc.parse(text, variables=names)
            point = [coordinate(generator) for _ in names]
            truths = [truth(f.program, point, i) for i in range(len(names))]
        except (dc.ParseError, Undefined, OverflowError, ValueError, ZeroDivisionError, MemoryError):
            continue
        reference = dc.certified_gradient(f, point)
        assert reference.notes == (), (text, point)
        for expected, value, status in zip(truths, reference.value, reference.status, strict=True):
            if expected is not None:
                assert status in ("ok", "undecided"), (text, point)
                assert status == "undecided" or value.hex() == expected.hex(), (text, point)
                counts[status] += 1
    assert counts["ok"] > 180
    assert counts["undecided"] <= 3


def test_a_reference_holds_plain_things():
    found = certify("x*abs(y)", [2.0, 0.0])
    assert found.value.dtype == np.float64
    assert found.value[0] == 0.0
    assert math.isnan(found.value[1])
    assert found.status == ["ok", "kink"]
    assert found.notes == ()
    with pytest.raises(AttributeError):
        found.status = []


@pytest.mark.parametrize(
    ("text", "point", "status"),
    [
        ("sin(x)", 1.0, "ok"),
        ("abs(x)", 0.0, "kink"),
        ("sqrt(x)", 0.0, "domain"),
        ("log(x)", -1.0, "domain"),
        ("abs(sin(x)**2 + cos(x)**2 - 1)", 0.7, "undecided"),
        ("where(x > 0, x, log(0))", 2.0, "ok"),
        ("log(0) + x", 2.0, "domain"),
        ("x*atanh(1)", 2.0, "domain"),
        ("x + acoth(2 - 1)", 2.0, "domain"),
        ("atan2(0, 0)*x", 2.0, "domain"),
        ("hypot(exp(exp(x)), 1)", 1000.0, "ok"),
    ],
)
def test_statuses(text, point, status):
    found = certify(text, point)
    assert found.status in ([status], ["undecided"])
    assert found.status == [status] or text.startswith("hypot")
    assert math.isnan(found.value[0]) == (found.status != ["ok"])


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        # halfway between two floats: no precision of balls decides, fractions do
        ("x*(1 + 2**-53)", 1.0, 1.0),
        ("x*(1 + 3*2**-53)", 1.0, 1 + 2.0**-51),
        ("x**2/2 + x/2**53", 1.0, 1.0),
        ("x*(1 - 2**-54)", 5.0, 1.0),
        ("x*2**-1000*2**-75", 1.0, 0.0),
        ("-x*2**-1000*2**-75", 1.0, -0.0),
        ("x*3*2**-1000*2**-75", 1.0, 1e-323),
        ("x*(2**1000*2**24 - 2**970)", 1.0, math.inf),
        ("-x*(2**1000*2**24 - 2**970)", 1.0, -math.inf),
        ("x*(2**1000*2**24 - 2**970 - 1)", 1.0, 1.7976931348623157e308),
        ("x*10**400", 1.0, math.inf),
        ("x - x", 1.0, 0.0),
        ("(x - 1)**3", 1.0, 0.0),
        ("x**2*exp(y) - x**2*exp(y)", 1.0, 0.0),
    ],
)
def test_ties_and_ends_are_decided_exactly(text, point, expected):
    found = dc.certified_gradient(dc.parse(text, variables=["x", "y"]), [point, 0.5])
    assert (found.status[0], float(found.value[0]).hex()) == ("ok", expected.hex())


def test_a_tie_that_needs_a_proof_is_undecided():
    assert certify("(sqrt(2)**2 - 2)*x + x**2/2 + x/2**53", 1.0).status[0] in ("undecided", "ok")
    assert certify("x*(1 + 2**-53) + (sin(1)**2 + cos(1)**2 - 1)*x", 1.0).status == ["undecided"]


def with_partials(monkeypatch, name, partials):
    changed = {**OPERATIONS, name: replace(OPERATIONS[name], partials=partials)}
    monkeypatch.setattr("diffcompare.program.operations.OPERATIONS", changed)


@pytest.mark.parametrize(
    ("name", "text", "partials"),
    [
        ("sin", "sin(x)*x", lambda y, x: (-x.apply("cos"),)),
        ("sin", "sin(x)", lambda y, x: (x.apply("cos") * 2,)),
        ("tan", "tan(x) + x", lambda y, x: (1 + y,)),
        ("log1p", "log1p(x)", lambda y, x: (1 / x,)),
        ("exp", "exp(x)*10**9", lambda y, x: (y + x.constant(Fraction(1, 10**15)),)),
        ("cbrt", "cbrt(x)", lambda y, x: (1 / (3 * y),)),
        ("atan2", "atan2(x, 2)", lambda y, a, b: (a / (a * a + b * b), b / (a * a + b * b))),
    ],
)
def test_a_wrong_partial_is_noticed_by_the_second_route(monkeypatch, name, text, partials):
    assert certify(text, 1.5).status == ["ok"]
    with_partials(monkeypatch, name, partials)
    found = certify(text, 1.5)
    assert found.status == ["undecided"]
    assert math.isnan(found.value[0])
    assert len(found.notes) == 1
    assert found.notes[0].startswith("internal error: the adjoint and ")
    assert "contradict one another in x; please report it" in found.notes[0]


def test_a_wrong_derivative_of_sympy_is_noticed(monkeypatch):
    f, wrong = dc.parse("sin(x)*x"), dc.parse("sin(x) + x*cos(x) + 10**-20").program
    monkeypatch.setattr(derivatives, "gradient_program", lambda _: wrong)
    found = dc.certified_gradient(f, 1.5)
    assert found.status == ["undecided"]
    assert "SymPy's derivative" in found.notes[0]


def test_without_sympy_the_taylor_coefficient_is_the_second_route(monkeypatch):
    monkeypatch.setattr(derivatives, "gradient_program", lambda _: None)
    text, point, names = "sin(x)*y + exp(z*x)", [1.5, 0.5, -0.25], ["x", "y", "z"]
    assert certify(text, point, names).status == ["ok"] * 3
    with_partials(monkeypatch, "sin", lambda y, x: (x.apply("cos") + x.constant(Fraction(1, 10**15)),))
    found = certify(text, point, names)
    assert found.status[0] == "undecided"
    assert "the Taylor coefficient" in found.notes[0]


def test_where_sympy_answers_it_is_asked(monkeypatch):
    used = []
    original = derivatives.gradient_program
    monkeypatch.setattr(derivatives, "gradient_program", lambda f: used.append(1) or original(f))
    assert certify("sin(x)*x", 1.5).status == ["ok"]
    assert used


def test_the_second_route_checks_the_first_calls_and_each_sixteenth_and_the_others_take_the_short_way(monkeypatch):
    f, checked = dc.parse("x*exp(x) + 12345"), []
    original = reference.certified_partials

    def counted(f, point, *, check):
        checked.append(point[0])
        return original(f, point, check=check)

    monkeypatch.setattr(reference, "certified_partials", counted)
    for k in range(100):
        dc.certified_gradient(f, float(k))
    assert checked == [*range(64), 64, 80, 96]


def test_a_value_is_known_to_two_floats_and_a_slack():
    f = dc.parse("exp(x)*y", variables=["x", "y"])
    x, y = 0.7, 1.3
    for i, partial in enumerate(certified_partials(f, [x, y], bits=160)):
        with mpmath.workdps(80):
            value = exact(mpmath.exp(mpmath.mpf(x)) * (mpmath.mpf(y) if i == 0 else 1))
        assert partial.value == nearest(value)
        assert abs(value - Fraction(partial.value) - Fraction(partial.tail)) <= Fraction(partial.slack)
        assert 0 < partial.slack <= abs(partial.value) * 2.0**-104


@pytest.mark.parametrize(
    "text",
    [
        "x*(1/3)",
        "x*(2**-1000*2**-50 + 2**-1000*2**-80)",
        "x*(1e-310 + 1e-330)",
        "x*(2**-1000*2**-74/3)",
        "x*(1e-300/7)",
    ],
)
def test_the_slack_is_never_too_small(text):
    f = dc.parse(text)
    (slope,) = [Fraction(node.payload) for node in f.program.nodes if node.operation == "constant"]
    for bits in (80, 160):
        (partial,) = certified_partials(f, [1.0], bits=bits)
        assert abs(slope - Fraction(partial.value) - Fraction(partial.tail)) <= Fraction(partial.slack)


def test_single_partials_are_those_of_the_whole():
    f = dc.parse("x*y**2*abs(z)")
    whole = certified_partials(f, [1.0, 2.0, 3.0])
    assert certified_partials(f, [1.0, 2.0, 3.0], indices=[2, 0]) == [whole[2], whole[0]]
    assert all(isinstance(p, Partial) for p in whole)


def test_exact_errors_raise_the_precision_until_they_are_decided():
    f = dc.parse("exp(x)")
    numeric = float(certify("exp(x)", 1.0).value[0])
    error, relative = Slope(f, [1.0], 0).error(numeric)
    with mpmath.workdps(80):
        difference = exact(mpmath.mpf(numeric) - mpmath.e)
        assert error == nearest(difference)
        assert relative == nearest(exact(abs(mpmath.mpf(numeric) - mpmath.e) / mpmath.e))
    assert Slope(dc.parse("x**2"), [3.0], 0).error(6.0) == (0.0, 0.0)
    assert Slope(dc.parse("x**2"), [0.0], 0).error(1.0) == (1.0, math.inf)
    assert Slope(dc.parse("x**2"), [0.0], 0).error(0.0) == (0.0, 0.0)


def test_a_tie_of_the_relative_error_is_decided_by_fractions():
    # D = 1/3, and |numeric − D|/D = 2 + 3·2⁻⁵² lies halfway between two floats: no ball around it shows that
    numeric = 1 + 2.0**-52
    error, relative = Slope(dc.parse("x/3"), [1.0], 0).error(numeric)
    assert error == nearest(Fraction(numeric) - Fraction(1, 3))
    assert relative == 2 + 2.0**-50


@pytest.mark.thorough
def test_threads_get_the_values_of_one_thread():
    texts = ["sin(x)*exp(x)", "x**7/3", "log(x)*cbrt(x)", "abs(x - 1)", "tanh(x)*1e300*sin(1e300*x)"]
    points = [0.5, 1.0, 2.25]
    jobs = [(text, point) for text in texts for point in points] * 4
    expected = [certify(*job) for job in jobs]
    before = flint.ctx.prec
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4, initializer=barrier.wait) as pool:
        found = list(pool.map(lambda job: certify(*job), jobs))
    for one, other in zip(found, expected, strict=True):
        assert one.status == other.status
        assert one.value.tobytes() == other.value.tobytes()
    assert flint.ctx.prec == before


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ([1.0], "2 coordinates are needed, one for each of x, y; got shape"),
        ([1.0, 2.0, 3.0], "2 coordinates are needed"),
        ([[1.0, 2.0]], "2 coordinates are needed"),
        (1.0, "2 coordinates are needed"),
        ([1.0, math.nan], "y=nan: a coordinate must be finite; pass a finite number"),
        ([-math.inf, 1.0], "x=-inf: a coordinate must be finite"),
    ],
)
def test_bad_points_are_refused(point, message):
    with pytest.raises(ValueError, match=message):
        certify("x*y", point)


def test_a_bessel_function_of_a_whole_order_goes_through_0():
    # J₁′(0) = 1/2 and I₁′(0) = 1/2 (DLMF 10.2.2, 10.25.2), J of order 3/2 ends there
    for text, expected in [("besselj(1, x)", 0.5), ("besseli(1, x)", 0.5), ("besselj(0, x)", 0.0)]:
        found = dc.certified_gradient(dc.parse(text), 0.0)
        assert (found.status, found.value.tolist()) == (["ok"], [expected])
    assert dc.certified_gradient(dc.parse("besselj(3/2, x)"), 0.0).status == ["domain"]
