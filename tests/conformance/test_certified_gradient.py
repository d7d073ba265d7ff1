"""The certified gradient against the truth: published derivatives, by hand, rounded correctly by other means."""

import math
import random
import re
import runpy
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest

import diffcompare

from ..stated import stated  # noqa: TID252 - tests are no package

HERE = Path(__file__).parent


def load(name):
    return runpy.run_path(str(HERE / f"{name}.py"))


truth = load("truth")
rounded_partials, nearest_binary64, exact_fraction = (
    truth["rounded_partials"],
    truth["nearest_binary64"],
    truth["exact_fraction"],
)
GROUPS = ["table_of_derivatives", "physics", "optimisation", "cancelling_and_extreme", "special_functions"]
CASES = [case for name in GROUPS for case in load(name)["CASES"]]
STATUS_CASES = [*load("kinks_and_domains")["CASES"], *load("special_functions")["STATUS_CASES"]]
HONEST_CASES = load("kinks_and_domains")["HONEST"]

FUNCTIONS = re.findall(
    r"\w+",
    """sqrt cbrt exp exp2 log log2 log10 log1p expm1 sin cos tan cot sec csc asin acos atan acot asec acsc atan2
    sinh cosh tanh coth sech csch asinh acosh atanh acoth asech acsch
    hypot abs sign min max where Piecewise Eq Ne Rational""",
)
OTHER_SYNTAX = {
    "+": r"\+",
    "-": r"\w\)? - ",
    "unary -": r"^-|[(*/]-",
    "*": r"[\w)]\*[\w(]",
    "/": r"/",
    "**": r"\*\*",
    "^": r"\^",
    "log(x, base)": r"\blog\(\w+, ",
    "max of three or more": r"\bmax\([^(),]+,[^(),]+,",
    "min of three or more": r"\bmin\([^(),]+,[^(),]+,",
    "<": r"<(?!=)",
    "<=": r"<=",
    ">": r">(?!=)",
    ">=": r">=",
    "pi": r"\bpi\b",
    "E": r"\bE\b",
    "decimal": r"\d\.\d",
    "decimal with exponent": r"\de-?\d",
}
ON_BOTH_SIDES_OF_0 = re.findall(
    r"\w+",
    """cbrt exp exp2 log1p expm1 sin cos tan cot sec csc asin acos atan acot asec acsc
    sinh cosh tanh coth sech csch asinh atanh acoth acsch abs sign""",
)


def certified(case):
    """Return value and statuses at the point of a case."""
    f = diffcompare.parse(case.formula, variables=list(case.variables))
    reference = diffcompare.certified_gradient(f, np.array(case.point))
    value = reference.value
    assert isinstance(value, np.ndarray)
    assert value.dtype == np.float64
    assert value.shape == (len(case.variables),) == (len(reference.status),)
    return value, list(reference.status)


def bits(values):
    """Return the values in a form that tells -0.0 from 0.0 and shows every bit."""
    return [float(value).hex() for value in values]


@pytest.mark.mostly_thorough(but_each=4)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_certified_gradient_is_the_correctly_rounded_derivative(case):
    value, status = certified(case)
    assert (status, bits(value)) == (["ok"] * len(value), bits(rounded_partials(case))), case.source


@pytest.mark.parametrize("case", STATUS_CASES, ids=str)
def test_kinks_and_edges_of_the_domain_are_recognised(case):
    value, status = certified(case)
    expected_status = [t if isinstance(t, str) else "ok" for t in case.truth]
    expected_value = [math.nan if isinstance(t, str) else t for t in case.truth]
    assert (status, bits(value)) == (expected_status, bits(expected_value)), case.reason


@pytest.mark.parametrize("case", HONEST_CASES, ids=str)
def test_hard_switches_are_right_or_undecided_never_wrong(case):
    value, status = certified(case)
    for s, v, t in zip(status, value, case.truth, strict=True):
        expected = (t, "nan") if isinstance(t, str) else ("ok", t.hex())
        assert (s, float(v).hex()) in {expected, ("undecided", "nan")}, case.reason


def different(cases):
    return len({(case.formula, case.variables, case.point) for case in cases})


def test_there_are_many_truths(capsys):
    special = different(load("special_functions")["CASES"])
    counts = f"{different(CASES)} points with derivatives, {special} of them of special functions; "
    counts += f"{different(STATUS_CASES)} kinks and edges of domains; {different(HONEST_CASES)} hard switches"
    with capsys.disabled():
        print(f"\n{counts}")
    assert counts == stated("certified gradients")
    assert different(CASES) >= 780
    assert special >= 120


@pytest.mark.thorough
def test_two_precisions_agree_on_every_truth():
    for case in CASES:
        assert len(rounded_partials(case)) == len(case.variables), str(case)


def test_special_functions_are_well_represented():
    special = load("special_functions")["CASES"]
    assert len({(case.formula, case.point) for case in special}) >= 100
    assert len({case.formula for case in special}) >= 60


def test_a_truth_that_needs_more_digits_is_refused():
    few = truth["Case"]("sin(x)", ("x",), (1e300,), lambda x: mpmath.cos(10**200 * mpmath.pi / 3), "", digits=60)
    with pytest.raises(ArithmeticError, match="60 digits are too few"):
        rounded_partials(few)


def test_no_case_is_counted_twice():
    everything = [(c.formula, c.variables, bits(c.point)) for c in [*CASES, *STATUS_CASES, *HONEST_CASES]]
    assert [c for c in everything if everything.count(c) > 1] == []


@pytest.mark.parametrize("name", [*FUNCTIONS, *OTHER_SYNTAX])
def test_every_operation_occurs_in_two_formulas_or_more(name):
    pattern = OTHER_SYNTAX.get(name, rf"\b{name}\(")
    assert len({case.formula for case in CASES if re.search(pattern, case.formula)}) >= 2


@pytest.mark.parametrize("name", ON_BOTH_SIDES_OF_0)
def test_operations_occur_on_both_sides_of_0(name):
    signs = {case.point[0] > 0 for case in CASES if case.formula.startswith(f"{name}(x)")}
    assert signs == {True, False}


def test_points_lie_on_both_sides_of_every_comparison():
    points = defaultdict(set)
    for case in CASES:
        if "where" in case.formula or "Piecewise" in case.formula:
            points[case.formula].add(case.point)
    assert sum(len(of_one) >= 2 for of_one in points.values()) >= 10


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(1, 10), 0.1),
        (Fraction(-1, 3), -1 / 3),
        (Fraction(0), 0.0),
        (1 + Fraction(1, 2**53), 1.0),
        (1 + Fraction(3, 2**53), 1 + 2.0**-51),
        (1 + Fraction(1, 2**53) + Fraction(1, 2**2000), 1 + 2.0**-52),
        (1 + Fraction(3, 2**53) - Fraction(1, 2**2000), 1 + 2.0**-52),
        (1 - Fraction(1, 2**54), 1.0),
        (1 - Fraction(1, 2**54) - Fraction(1, 2**2000), 1 - 2.0**-53),
        (Fraction(2**53 + 1), 2.0**53),
        (Fraction(2**54 - 1), 2.0**54),
        (Fraction(-(2**53) - 3), -(2.0**53) - 4),
        (Fraction(1, 2**1075), 0.0),
        (Fraction(-1, 2**1075), -0.0),
        (Fraction(-1, 2**9000), -0.0),
        (Fraction(1, 2**1075) + Fraction(1, 2**3000), 5e-324),
        (Fraction(3, 2**1075), 1e-323),
        (Fraction(5, 2**1075), 1e-323),
        (Fraction(1, 2**1022) - Fraction(1, 2**1075), 2.0**-1022),
        (Fraction(1, 2**1022) - Fraction(3, 2**1075), 2.0**-1022 - 2.0**-1073),
        (Fraction(2**1024 - 2**970), math.inf),
        (Fraction(-(2**1024) + 2**970), -math.inf),
        (Fraction(2**1024 - 2**970) - Fraction(1, 2**2000), 1.7976931348623157e308),
        (Fraction(10**400), math.inf),
        # decimals that are hard to read: Clinger 1990; PHP bug 53632; Java's Double.parseDouble; Shewchuk and Gay
        (Fraction("9007199254740993"), 9007199254740992.0),
        (Fraction("2.2250738585072011e-308"), float.fromhex("0x0.fffffffffffffp-1022")),
        (Fraction("2.2250738585072012e-308"), float.fromhex("0x1p-1022")),
        (Fraction("6.631236846766476e-316"), float.fromhex("0x0.0000008000000p-1022")),
        (Fraction("0.500000000000000166533453693773481063544750213623046875"), float.fromhex("0x1.0000000000002p-1")),
        (Fraction("3.518437208883201171875e13"), float.fromhex("0x1.0000000000002p+45")),
        (Fraction("1.448997445238699"), float.fromhex("0x1.72f17f1f49aadp+0")),
    ],
    ids=lambda value: str(value) if len(str(value)) < 40 else f"{str(value)[:12]}...",
)
def test_rounding_of_hard_numbers(value, expected):
    assert nearest_binary64(value).hex() == expected.hex()


def test_rounding_agrees_with_correctly_rounded_division_of_integers():
    # int / int rounds correctly, also into the subnormals
    generator = random.Random(1)
    for _ in range(3000):
        n, d = (
            generator.getrandbits(generator.randint(1, 200)) + 1,
            generator.getrandbits(generator.randint(1, 200)) + 1,
        )
        shift = generator.choice([0, 0, -900, 900, -1040, 1000, 1040])
        n, d = n << max(0, shift), d << max(0, -shift)
        try:
            expected = n / d
        except OverflowError:
            expected = math.inf
        assert nearest_binary64(Fraction(n, d)).hex() == expected.hex()
        assert nearest_binary64(Fraction(-n, d)).hex() == (-expected).hex()


def test_every_double_rounds_to_itself():
    generator = random.Random(2)
    for _ in range(1000):
        x = float(np.uint64(generator.getrandbits(64)).view(np.float64))
        if math.isfinite(x) and x != 0:
            assert nearest_binary64(Fraction(x)).hex() == x.hex()


def test_multiple_precision_numbers_become_fractions_exactly():
    with mpmath.workdps(50):
        assert exact_fraction(mpmath.mpf(-3) / 2**1080) == Fraction(-3, 2**1080)
        assert exact_fraction(mpmath.mpf(5e-324)) == Fraction(1, 2**1074)
        assert exact_fraction(mpmath.mpf(2) ** 70 + 1) == 2**70 + 1
        assert nearest_binary64(exact_fraction(mpmath.exp(-(mpmath.mpf(10) ** 30)))) == 0
        assert nearest_binary64(exact_fraction(-mpmath.exp(mpmath.mpf(10) ** 30))) == -math.inf
        with pytest.raises(ValueError, match="must be finite"):
            exact_fraction(mpmath.inf)
