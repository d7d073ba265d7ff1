"""Derivatives of the elementary functions as published tables state them; data of the truth test.

Every operation of the formula language occurs alone, which tests its derivative on each part of its domain, and inside
a power or product, which tests its value.
"""

import runpy
from pathlib import Path

from mpmath import (
    acos,
    acosh,
    acoth,
    acsc,
    acsch,
    asec,
    asech,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    cot,
    coth,
    csc,
    csch,
    e,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    mpf,
    pi,
    sec,
    sech,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

cases = runpy.run_path(str(Path(__file__).with_name("truth.py")))["cases"]

RULES = "rules of differentiation, CRC Standard Mathematical Tables, Derivatives"
POWERS = "DLMF 4.7(ii)"
LOGARITHMS = "DLMF 4.7(i)"
CIRCULAR = "DLMF 4.20"
INVERSE_CIRCULAR = "DLMF 4.24(ii)"
HYPERBOLIC = "DLMF 4.34"
INVERSE_HYPERBOLIC = "DLMF 4.38(ii)"
CHAIN = "table and chain rule, d(u^2) = 2 u du"
CASE_BY_CASE = "each piece by itself"


def sgn(x):
    return 1 if x > 0 else -1


ARITHMETIC = [
    *cases("x + 3", [1.5, -2.25], lambda x: mpf(1), RULES),
    *cases("-x**2", [0.3, -0.3], lambda x: -2 * x, "a minus binds less than a power"),
    *cases("2**3**2*x", [0.7], lambda x: mpf(512), "powers associate to the right"),
    *cases("x^3 - 2*x", [1.1, -1.1], lambda x: 3 * x**2 - 2, RULES),
    *cases("x - y - z", [(1.0, 2.0, 3.0)], lambda x, y, z: (mpf(1), mpf(-1), mpf(-1)), RULES, variables="xyz"),
    *cases(
        "x/y/z",
        [(1.3, -0.7, 2.9), (-0.1, 3.0, 0.7)],
        lambda x, y, z: (1 / (y * z), -x / (y**2 * z), -x / (y * z**2)),
        RULES,
        variables="xyz",
    ),
    *cases(
        "(x + y)**2*(x - y)",
        [(0.1, 0.2), (-1.7, 0.4)],
        lambda x, y: (2 * (x + y) * (x - y) + (x + y) ** 2, 2 * (x + y) * (x - y) - (x + y) ** 2),
        RULES,
        variables="xy",
    ),
    *cases("(2*x + 1)/(x - 3)", [0.1, -4.7, 3.1], lambda x: -7 / (x - 3) ** 2, RULES),
    *cases("1/x", [0.3, -7.0], lambda x: -1 / x**2, RULES),
    *cases("0.1*x + 0.2*x**2", [0.3, -0.7], lambda x: mpf(1) / 10 + 2 * x / 5, "0.1 is one tenth"),
    *cases("Rational(1, 3)*x**2", [0.7, -1.9], lambda x: 2 * x / 3, RULES),
    *cases("x**2.0", [-3.3], lambda x: 2 * x, "the literal 2.0 is the integer 2"),
]

POWER = [
    *cases("x**7", [1.3, -1.3], lambda x: 7 * x**6, POWERS),
    *cases("x**-2", [0.7, -0.7], lambda x: -2 / x**3, POWERS),
    *cases("x**1.5", [0.7, 123.456], lambda x: 3 * sqrt(x) / 2, POWERS),
    *cases("x**(1/3)", [0.7, 30.1], lambda x: x ** (mpf(-2) / 3) / 3, POWERS),
    *cases("x**-0.1", [0.3, 41.0], lambda x: -(x ** (mpf(-11) / 10)) / 10, POWERS),
    *cases("x**pi", [0.3, 2.5], lambda x: pi * x ** (pi - 1), POWERS),
    *cases("E*x**2", [1.7, -0.3], lambda x: 2 * e * x, POWERS),
    *cases("E**x", [1.7, -0.9], lambda x: e**x, POWERS),
    *cases("2**x", [0.3, -5.7], lambda x: 2**x * log(mpf(2)), POWERS),
    *cases("0.3**x", [1.3, -2.1], lambda x: (mpf(3) / 10) ** x * log(mpf(3) / 10), POWERS),
    *cases("x**x", [0.3, 2.6], lambda x: x**x * (log(x) + 1), "CRC, d(u^v)"),
    *cases(
        "x**y",
        [(0.3, 2.2), (4.1, -1.7)],
        lambda x, y: (y * x ** (y - 1), x**y * log(x)),
        "CRC, d(u^v)",
        variables="xy",
    ),
    *cases("sqrt(x)", [0.3, 7.7], lambda x: 1 / (2 * sqrt(x)), POWERS),
    *cases("sqrt(x)**3", [0.3, 17.0], lambda x: 3 * sqrt(x) / 2, POWERS),
    *cases("cbrt(x)", [0.3, -7.7], lambda x: 1 / (3 * abs(x) ** (mpf(2) / 3)), POWERS),
    *cases("cbrt(x)*x", [1.9, -0.6], lambda x: mpf(4) / 3 * sgn(x) * abs(x) ** (mpf(1) / 3), POWERS),
]

EXPONENTIAL = [
    *cases("exp(x)", [0.7, -1.3, 25.5], exp, POWERS),
    *cases("exp(x)**2", [0.4, -2.7], lambda x: 2 * exp(2 * x), POWERS),
    *cases("exp2(x)", [0.3, -5.7], lambda x: 2**x * log(mpf(2)), POWERS),
    *cases("exp2(x)**2", [0.7, -1.9], lambda x: 2 * 4**x * log(mpf(2)), POWERS),
    *cases("expm1(x)", [0.01, -0.02, 3.3], exp, POWERS),
    *cases("expm1(x)**2", [0.003, -4.4], lambda x: 2 * expm1(x) * exp(x), CHAIN),
    *cases("log(x)", [0.3, 11.0], lambda x: 1 / x, LOGARITHMS),
    *cases("log(x)**2", [0.3, 11.0], lambda x: 2 * log(x) / x, CHAIN),
    *cases("log(x, 3)", [0.7, 5.3], lambda x: 1 / (x * log(mpf(3))), LOGARITHMS),
    *cases("log(x, 3)**2", [0.7, 5.3], lambda x: 2 * log(x) / (x * log(mpf(3)) ** 2), CHAIN),
    *cases(
        "log(x, y)",
        [(0.7, 5.3), (6.1, 0.2)],
        lambda x, y: (1 / (x * log(y)), -log(x) / (y * log(y) ** 2)),
        LOGARITHMS,
        variables="xy",
    ),
    *cases("log2(x)", [0.3, 100.1], lambda x: 1 / (x * log(mpf(2))), LOGARITHMS),
    *cases("log2(x)**2", [0.3, 9.9], lambda x: 2 * log(x) / (x * log(mpf(2)) ** 2), CHAIN),
    *cases("log10(x)", [0.3, 100.1], lambda x: 1 / (x * log(mpf(10))), LOGARITHMS),
    *cases("log10(x)**2", [0.3, 9.9], lambda x: 2 * log(x) / (x * log(mpf(10)) ** 2), CHAIN),
    *cases("log1p(x)", [0.01, -0.7, 9.3], lambda x: 1 / (1 + x), LOGARITHMS),
    *cases("log1p(x)**2", [0.01, -0.7], lambda x: 2 * log1p(x) / (1 + x), CHAIN),
]

TRIGONOMETRIC = [
    *cases("sin(x)", [1.5, -0.4, 100.3], cos, CIRCULAR),
    *cases("sin(x)**2", [0.9, -2.2], lambda x: 2 * sin(x) * cos(x), CHAIN),
    *cases("cos(x)", [1.5, -0.4, 77.7], lambda x: -sin(x), CIRCULAR),
    *cases("cos(x)**3", [0.9, -2.2], lambda x: -3 * cos(x) ** 2 * sin(x), CHAIN),
    *cases("tan(x)", [1.5, -0.4, 2.0], lambda x: sec(x) ** 2, CIRCULAR),
    *cases("tan(x)**2", [0.9, -2.2], lambda x: 2 * tan(x) * sec(x) ** 2, CHAIN),
    *cases("cot(x)", [1.4, -0.4], lambda x: -(csc(x) ** 2), CIRCULAR),
    *cases("cot(x)**2", [0.9, -2.2], lambda x: -2 * cot(x) * csc(x) ** 2, CHAIN),
    *cases("sec(x)", [1.4, -0.4], lambda x: sec(x) * tan(x), CIRCULAR),
    *cases("sec(x)**2", [0.9, -2.2], lambda x: 2 * sec(x) ** 2 * tan(x), CHAIN),
    *cases("csc(x)", [1.4, -0.4], lambda x: -csc(x) * cot(x), CIRCULAR),
    *cases("csc(x)**2", [0.9, -2.2], lambda x: -2 * csc(x) ** 2 * cot(x), CHAIN),
    *cases("asin(x)", [0.3, -0.99], lambda x: 1 / sqrt(1 - x**2), INVERSE_CIRCULAR),
    *cases("asin(x)**2", [0.8, -0.1], lambda x: 2 * asin(x) / sqrt(1 - x**2), CHAIN),
    *cases("acos(x)", [0.3, -0.99], lambda x: -1 / sqrt(1 - x**2), INVERSE_CIRCULAR),
    *cases("acos(x)**2", [0.8, -0.1], lambda x: -2 * acos(x) / sqrt(1 - x**2), CHAIN),
    *cases("atan(x)", [0.3, -12.5], lambda x: 1 / (1 + x**2), INVERSE_CIRCULAR),
    *cases("atan(x)**2", [0.8, -3.1], lambda x: 2 * atan(x) / (1 + x**2), CHAIN),
    *cases("acot(x)", [0.3, -12.5], lambda x: -1 / (1 + x**2), INVERSE_CIRCULAR),
    *cases("acot(x)**2", [0.8, 3.1], lambda x: -2 * atan(1 / x) / (1 + x**2), CHAIN + " (x > 0: all conventions)"),
    *cases("asec(x)", [1.3, -2.7], lambda x: 1 / (abs(x) * sqrt(x**2 - 1)), INVERSE_CIRCULAR),
    *cases("asec(x)**2", [1.3, -2.7], lambda x: 2 * asec(x) / (abs(x) * sqrt(x**2 - 1)), CHAIN),
    *cases("acsc(x)", [1.3, -2.7], lambda x: -1 / (abs(x) * sqrt(x**2 - 1)), INVERSE_CIRCULAR),
    *cases("acsc(x)**2", [1.3, -2.7], lambda x: -2 * acsc(x) / (abs(x) * sqrt(x**2 - 1)), CHAIN),
    *cases(
        "atan2(y, x)",
        [(0.3, 0.7), (0.3, -0.7), (-0.3, -0.7), (-2.0, 0.1)],
        lambda y, x: (x / (x**2 + y**2), -y / (x**2 + y**2)),
        "polar angle of (x, y), CRC",
        variables="yx",
    ),
    *cases(
        "atan2(y, x)**2",
        [(0.3, 0.7), (0.3, -0.7), (-0.3, -0.7), (-2.0, 0.1)],
        lambda y, x: (2 * atan2(y, x) * x / (x**2 + y**2), -2 * atan2(y, x) * y / (x**2 + y**2)),
        CHAIN,
        variables="yx",
    ),
]

HYPERBOLICS = [
    *cases("sinh(x)", [0.3, -4.1], cosh, HYPERBOLIC),
    *cases("sinh(x)**2", [0.3, -1.7], lambda x: 2 * sinh(x) * cosh(x), CHAIN),
    *cases("cosh(x)", [0.3, -4.1], sinh, HYPERBOLIC),
    *cases("cosh(x)**2", [0.3, -1.7], lambda x: 2 * cosh(x) * sinh(x), CHAIN),
    *cases("tanh(x)", [0.3, -4.1], lambda x: sech(x) ** 2, HYPERBOLIC),
    *cases("tanh(x)**2", [0.3, -1.7], lambda x: 2 * tanh(x) * sech(x) ** 2, CHAIN),
    *cases("coth(x)", [0.3, -4.1], lambda x: -(csch(x) ** 2), HYPERBOLIC),
    *cases("coth(x)**2", [0.3, -1.7], lambda x: -2 * coth(x) * csch(x) ** 2, CHAIN),
    *cases("sech(x)", [0.3, -4.1], lambda x: -sech(x) * tanh(x), HYPERBOLIC),
    *cases("sech(x)**2", [0.3, -1.7], lambda x: -2 * sech(x) ** 2 * tanh(x), CHAIN),
    *cases("csch(x)", [0.3, -4.1], lambda x: -csch(x) * coth(x), HYPERBOLIC),
    *cases("csch(x)**2", [0.3, -1.7], lambda x: -2 * csch(x) ** 2 * coth(x), CHAIN),
    *cases("asinh(x)", [0.3, -4.1], lambda x: 1 / sqrt(1 + x**2), INVERSE_HYPERBOLIC),
    *cases("asinh(x)**2", [0.3, -1.7], lambda x: 2 * asinh(x) / sqrt(1 + x**2), CHAIN),
    *cases("acosh(x)", [1.3, 40.1], lambda x: 1 / sqrt(x**2 - 1), INVERSE_HYPERBOLIC),
    *cases("acosh(x)**2", [1.1, 5.7], lambda x: 2 * acosh(x) / sqrt(x**2 - 1), CHAIN),
    *cases("atanh(x)", [0.3, -0.95], lambda x: 1 / (1 - x**2), INVERSE_HYPERBOLIC),
    *cases("atanh(x)**2", [0.3, -0.7], lambda x: 2 * atanh(x) / (1 - x**2), CHAIN),
    *cases("acoth(x)", [1.3, -4.1], lambda x: 1 / (1 - x**2), INVERSE_HYPERBOLIC),
    *cases("acoth(x)**2", [1.3, -1.7], lambda x: 2 * acoth(x) / (1 - x**2), CHAIN),
    *cases("asech(x)", [0.3, 0.9], lambda x: -1 / (x * sqrt(1 - x**2)), INVERSE_HYPERBOLIC),
    *cases("asech(x)**2", [0.2, 0.7], lambda x: -2 * asech(x) / (x * sqrt(1 - x**2)), CHAIN),
    *cases("acsch(x)", [0.3, -4.1], lambda x: -1 / (abs(x) * sqrt(1 + x**2)), INVERSE_HYPERBOLIC),
    *cases("acsch(x)**2", [0.3, -1.7], lambda x: -2 * acsch(x) / (abs(x) * sqrt(1 + x**2)), CHAIN),
    *cases(
        "hypot(x, y)",
        [(0.3, -0.7), (-5.1, 0.2)],
        lambda x, y: (x / hypot(x, y), y / hypot(x, y)),
        "CRC, d(sqrt(x^2 + y^2))",
        variables="xy",
    ),
    *cases(
        "hypot(x, y)**3",
        [(0.3, -0.7), (-5.1, 0.2)],
        lambda x, y: (3 * x * hypot(x, y), 3 * y * hypot(x, y)),
        "CRC, d(sqrt(x^2 + y^2))",
        variables="xy",
    ),
]


def of_larger(x, y):
    """Partials of the square of the larger one."""
    return (2 * x, mpf(0)) if x > y else (mpf(0), 2 * y)


def of_smaller(x, y):
    """Partials of the square of the smaller one."""
    return (2 * x, mpf(0)) if x < y else (mpf(0), 2 * y)


def of_largest(x, y, z):
    """Partials of 3*x*y times the largest of x, y and z."""
    largest = max(x, y, z)
    own = [3 * x * y if t == largest else 0 for t in (x, y, z)]
    return (own[0] + 3 * y * largest, own[1] + 3 * x * largest, mpf(own[2]))


def of_smallest(x, y, z):
    """Partials of 3*x*y times the smallest of x, y and z."""
    smallest = min(x, y, z)
    own = [3 * x * y if t == smallest else 0 for t in (x, y, z)]
    return (own[0] + 3 * y * smallest, own[1] + 3 * x * smallest, mpf(own[2]))


SWITCHES = [
    *cases("abs(x)", [0.3, -0.3], lambda x: mpf(sgn(x)), CASE_BY_CASE),
    *cases("abs(x)**3", [1.3, -1.7], lambda x: 3 * x * abs(x), CASE_BY_CASE),
    *cases("sign(x)*x**2", [1.3, -1.7], lambda x: 2 * abs(x), CASE_BY_CASE),
    *cases("sign(x - 0.7)*exp(x)", [1.3, -1.7], lambda x: sgn(10 * x - 7) * exp(x), CASE_BY_CASE),
    *cases("max(x, y)**2", [(1.3, -1.7), (0.1, 0.7)], of_larger, CASE_BY_CASE, variables="xy"),
    *cases("min(x, y)**2", [(1.3, -1.7), (0.1, 0.7)], of_smaller, CASE_BY_CASE, variables="xy"),
    *cases(
        "3*x*y*max(x, y, z)",
        [(0.1, 0.7, 0.3), (0.9, 0.7, 0.3), (0.1, -0.7, 0.3)],
        of_largest,
        CASE_BY_CASE,
        variables="xyz",
    ),
    *cases(
        "3*x*y*min(x, y, z)",
        [(0.1, 0.7, 0.3), (0.9, 0.7, 0.3), (0.1, -0.7, 0.3)],
        of_smallest,
        CASE_BY_CASE,
        variables="xyz",
    ),
    *cases(
        "max(x, 0.1, x**2, -x)",
        [0.05, 0.3, 1.7, -0.6],
        lambda x: mpf(0) if 10 * abs(x) < 1 else mpf(-1) if -1 < x < 0 else mpf(1) if x < 1 else 2 * x,
        CASE_BY_CASE,
    ),
    *cases(
        "min(2*x, x**3, 1, exp(x))",
        [0.3, -0.3, -1.7, 1.1],
        lambda x: mpf(2) if -1 < x < 0 else mpf(0) if x > 1 else 3 * x**2,
        CASE_BY_CASE,
    ),
    *cases("where(x > 0, x**3, -x)", [0.7, -0.7], lambda x: 3 * x**2 if x > 0 else mpf(-1), CASE_BY_CASE),
    *cases("where(x <= 0.5, sin(x), cos(x))", [0.3, 0.9], lambda x: cos(x) if x <= 0.5 else -sin(x), CASE_BY_CASE),
    *cases(
        "where(x >= y, x/y, y/x)",
        [(0.7, 0.3), (0.3, 0.7)],
        lambda x, y: (1 / y, -x / y**2) if x >= y else (-y / x**2, 1 / x),
        CASE_BY_CASE,
        variables="xy",
    ),
    *cases("where(Eq(x, 0), 1, sin(x)/x)", [0.7, -1.3], lambda x: (x * cos(x) - sin(x)) / x**2, CASE_BY_CASE),
    *cases("where(Ne(x, 0), expm1(x)/x, 1)", [0.7, -1.3], lambda x: (x * exp(x) - expm1(x)) / x**2, CASE_BY_CASE),
    *cases(
        "where(Eq(x*y, 1), exp(x), exp(y))", [(0.7, 1.3)], lambda x, y: (mpf(0), exp(y)), CASE_BY_CASE, variables="xy"
    ),
    *cases("where(Ne(x, y), x**3, y**3)", [(0.7, 1.3)], lambda x, y: (3 * x**2, mpf(0)), CASE_BY_CASE, variables="xy"),
    *cases(
        "Piecewise((x**2, x < -1), (exp(x), x < 1), (log(x), True))",
        [-1.7, 0.3, 2.9],
        lambda x: 2 * x if x < -1 else exp(x) if x < 1 else 1 / x,
        CASE_BY_CASE,
    ),
    *cases(
        "Piecewise((sqrt(x), x >= 0), (cbrt(x), True))",
        [0.3, -0.3],
        lambda x: 1 / (2 * sqrt(x)) if x >= 0 else 1 / (3 * abs(x) ** (mpf(2) / 3)),
        CASE_BY_CASE,
    ),
]

CASES = [*ARITHMETIC, *POWER, *EXPONENTIAL, *TRIGONOMETRIC, *HYPERBOLICS, *SWITCHES]
