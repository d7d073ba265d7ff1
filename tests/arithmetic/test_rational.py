"""Programs in exact rationals: exact where they answer, None where they cannot."""

import random
from fractions import Fraction

import pytest

import diffcompare as dc
from diffcompare.arithmetic.rational import exact_operation, exact_outputs
from diffcompare.program.dag import Node


def exact(text, *point):
    return exact_outputs(dc.parse(text, variables=["x", "y"][: len(point)]).program, list(point))[0]


@pytest.mark.parametrize(
    ("text", "point", "expected"),
    [
        ("x + 0.1", (0.1,), Fraction(0.1) + Fraction(1, 10)),
        ("x - y/3", (1.0, 2.0), Fraction(1, 3)),
        ("x**-3", (2.0,), Fraction(1, 8)),
        ("x**0", (0.0,), 1),
        ("-x*abs(x)", (-3.0,), 9),
        ("sign(x)", (-5e-324,), -1),
        ("sign(x)", (-0.0,), 0),
        ("max(x, 1/3)", (0.0,), Fraction(1, 3)),
        ("min(x, 1/3)", (0.0,), 0),
        ("where(x < 1/3, x, 1/x)", (0.25,), Fraction(1, 4)),
        ("where(x <= 0.25, x, log(x))", (0.25,), Fraction(1, 4)),
        ("where(x > 0, x, log(x))", (3.0,), 3),
        ("where((x == 3) and not (x != 3), 1, 2)", (3.0,), 1),
        ("where((x >= 4) or (x < 3), 1, 2)", (3.0,), 2),
        ("x*1e300*1e300", (1e300,), Fraction(1e300) * 10**600),
    ],
)
def test_exact_values(text, point, expected):
    assert exact(text, *point) == expected


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("1/x", (0.0,)),
        ("x**-1", (0.0,)),
        ("x + sin(x)*0", (1.0,)),
        ("sqrt(x)", (4.0,)),
        ("x*pi", (1.0,)),
        ("where(log(x) > 0, 1, 2)", (2.0,)),
        ("where(x > 0, sin(x), 1)", (1.0,)),
        ("Piecewise((x, x > 0))", (-1.0,)),
        ("(x**1000)**1000", (1.5,)),
    ],
)
def test_what_needs_more_or_is_not_defined_is_none(text, point):
    assert exact(text, *point) is None


def test_the_size_of_an_exact_value_is_bounded():
    value = 1.0 + 2.0**-52
    assert exact("x**1000", value) == Fraction(value) ** 1000
    assert exact("x**1000*x**1000", value) is None


def test_random_rational_formulas_are_those_of_fractions():
    generator = random.Random(3)
    for _ in range(200):
        text = "x"
        for _ in range(generator.randint(1, 8)):
            other = generator.choice(["x", "y", "2", "(y - 3)", "0.7", "(x*y + 1)"])
            text = f"({text} {generator.choice('+-*/')} {other})"
            text = f"({text})**{generator.randint(-2, 3)}" if generator.random() < 0.2 else text
        x, y = generator.uniform(-2, 2), generator.choice([0.5, -1.0, generator.uniform(-3, 3)])
        scope = {"x": Fraction(x), "y": Fraction(y), "tenths": Fraction(7, 10)}
        try:
            expected = eval(text.replace("0.7", "tenths"), scope)
        except ZeroDivisionError:
            expected = None
        if expected is not None or exact(text, x, y) is not None:
            assert exact(text, x, y) == expected, text


def test_an_undefined_operand_spreads():
    assert exact_operation(Node("add", (0, 1)), None, Fraction(1)) is None
    assert exact_operation(Node("select", (0, 1, 2)), None, Fraction(1), Fraction(1)) is None
    assert exact_operation(Node("select", (0, 1, 2)), True, Fraction(1), None) == 1
    assert exact_operation(Node("select", (0, 1, 2)), True, None, Fraction(1)) is None
