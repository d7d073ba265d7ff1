"""Functions whose derivative cancels, and points at the ends of binary64; data of the truth test.

Ties of rounding, exact zeros and overflow are decided in exact rational arithmetic (digits=0).
"""

import runpy
from fractions import Fraction
from pathlib import Path

from mpmath import acos, asin, atan, cos, cosh, exp, expm1, log, log1p, mpf, pi, sin, sinh, sqrt, tan, tanh

_truth = runpy.run_path(str(Path(__file__).with_name("truth.py")))
cases, expansion = _truth["cases"], _truth["expansion"]

CANCELS = "quotient and chain rule; cancels"
BEFORE_1 = 1 - 2.0**-53
AFTER_1 = 1 + 2.0**-52
LEAST = 5e-324
LEAST_NORMAL = 2.0**-1022
LARGEST = 1.7976931348623157e308


def needle_triangle(a, b, c):
    # area^2 = s (s - a)(s - b)(s - c) with s half the sum; 16 area^2 is a polynomial of the squares
    square = 2 * (a * a * b * b + b * b * c * c + c * c * a * a) - a**4 - b**4 - c**4
    area = sqrt(square) / 4
    return tuple(
        (2 * t * (p * p + q * q) - 2 * t**3) * 2 / (32 * area) for t, p, q in ((a, b, c), (b, c, a), (c, a, b))
    )


def smaller_root(a, b, c):
    # implicit: a r^2 + b r + c = 0
    r = (-b + sqrt(b**2 - 4 * a * c)) / (2 * a)
    slope = 2 * a * r + b
    return -(r**2) / slope, -r / slope, -1 / slope


def variance(x, y, z):
    # mean of squares minus square of the mean
    m = (x + y + z) / 3
    return 2 * (x - m) / 3, 2 * (y - m) / 3, 2 * (z - m) / 3


def rump(x, y):
    # 333.75 y^6 + x^2 (11 x^2 y^2 - y^6 - 121 y^4 - 2) + 5.5 y^8 + x/(2 y)
    return (
        44 * x**3 * y**2 - 2 * x * y**6 - 242 * x * y**4 - 4 * x + 1 / (2 * y),
        Fraction(4005, 2) * y**5 + x**2 * (22 * x**2 * y - 6 * y**5 - 484 * y**3) + 44 * y**7 - x / (2 * y**2),
    )


CANCELLING = [
    *cases(
        "(1 - cos(x))/x**2", [1e-4, -1e-8, 0.7], lambda x: sin(x) / x**2 - 2 * (1 - cos(x)) / x**3, CANCELS, digits=100
    ),
    *cases(
        "(exp(x) - 1 - x)/x**2",
        [1e-5, -1e-9, 0.7],
        lambda x: (exp(x) - 1) / x**2 - 2 * (exp(x) - 1 - x) / x**3,
        CANCELS,
        digits=100,
    ),
    *cases("log(1 + x) - x", [1e-7, -1e-12, 0.7], lambda x: -x / (1 + x), CANCELS),
    *cases("log1p(x) - x + x**2/2", [1e-7, -1e-12], lambda x: x**2 / (1 + x), CANCELS),
    *cases("expm1(x) - x - x**2/2", [1e-7, -1e-9], lambda x: expm1(x) - x, CANCELS, digits=100),
    *cases(
        "sqrt(x + 1) - sqrt(x)",
        [1e10, 1e15, 0.3],
        lambda x: -1 / (2 * sqrt(x) * sqrt(x + 1) * (sqrt(x) + sqrt(x + 1))),
        CANCELS,
    ),
    *cases(
        "x**7 - 7*x**6 + 21*x**5 - 35*x**4 + 35*x**3 - 21*x**2 + 7*x - 1",
        [1.0001, 0.99, AFTER_1, BEFORE_1, 1.0],
        lambda x: 7 * (x - 1) ** 6,
        "(x - 1)^7 expanded",
        digits=0,
    ),
    *cases("(x - 1)**7", [1.0001, AFTER_1], lambda x: 7 * (x - 1) ** 6, "power rule", digits=0),
    *cases("x - sin(x)", [1e-4, -1e-9], lambda x: 2 * sin(x / 2) ** 2, CANCELS),
    *cases(
        "(tan(x) - sin(x))/x**3",
        [1e-4, -1e-6],
        lambda x: (1 + tan(x) ** 2 - cos(x)) / x**3 - 3 * (tan(x) - sin(x)) / x**4,
        CANCELS,
        digits=120,
    ),
    *cases(
        "(x - tanh(x))/x**3",
        [1e-3, -1e-6],
        lambda x: tanh(x) ** 2 / x**3 - 3 * (x - tanh(x)) / x**4,
        CANCELS,
        digits=120,
    ),
    *cases(
        "(sinh(x) - sin(x))/x**3",
        [1e-3, -1e-6],
        lambda x: (cosh(x) - cos(x)) / x**3 - 3 * (sinh(x) - sin(x)) / x**4,
        CANCELS,
        digits=120,
    ),
    *cases(
        "(x**2 + y**2 + z**2)/3 - ((x + y + z)/3)**2",
        [(1000000.1, 1000000.3, 1000000.7), (1e9, 1000000001.0, 1000000001.5)],
        variance,
        "variance as E[x^2] - E[x]^2",
        variables="xyz",
        digits=0,
    ),
    *cases(
        "sqrt((a + b + c)/2*((a + b + c)/2 - a)*((a + b + c)/2 - b)*((a + b + c)/2 - c))",
        [(9.0, 4.53, 4.53), (100000.0, 99999.99979, 0.00029)],
        needle_triangle,
        "Heron's formula; Kahan, Miscalculating area and angles of a needle-like triangle",
        variables="abc",
    ),
    *cases(
        "(-b + sqrt(b**2 - 4*a*c))/(2*a)",
        [(1.0, 1e8, 1.0), (0.3, 9.4906267e7, 9.4906265e7)],
        smaller_root,
        "root of a quadratic, implicit differentiation",
        variables="abc",
        digits=90,
    ),
    *cases(
        "333.75*y**6 + x**2*(11*x**2*y**2 - y**6 - 121*y**4 - 2) + 5.5*y**8 + x/(2*y)",
        [(77617.0, 33096.0)],
        rump,
        "Rump 1988",
        variables="xy",
        digits=0,
    ),
    *cases("acos(1 - x)**2", [1e-10, 0.3], lambda x: 2 * acos(1 - x) / sqrt(x * (2 - x)), CANCELS),
    *cases("log(cosh(x)) - x", [20.0, 50.0], lambda x: -2 / (exp(2 * x) + 1), CANCELS),
    *cases("(exp(x) - exp(-x))/2 - x", [1e-6, -1e-3], lambda x: 2 * sinh(x / 2) ** 2, CANCELS),
    *cases("1/(x + 1) - 1/x", [1e8, -1e12], lambda x: Fraction(2 * x + 1) / (x * (x + 1)) ** 2, CANCELS, digits=0),
    *cases("atan(x + 1) - atan(x)", [1e6, -1e9], lambda x: -(2 * x + 1) / ((1 + (x + 1) ** 2) * (1 + x**2)), CANCELS),
    *cases("exp(x)*exp(-x) + x*1e-20", [3.7], lambda x: mpf(10) ** -20, CANCELS),
    *cases("sin(x)**2 + cos(x)**2 + 1e-30*x**2", [0.7], lambda x: 2 * x / mpf(10) ** 30, CANCELS),
    *cases("asin(x) - x", [1e-6, -1e-3], lambda x: x**2 / (sqrt(1 - x**2) * (1 + sqrt(1 - x**2))), CANCELS),
    *cases("log(x + sqrt(x**2 + 1))", [-1e6, 1e-9], lambda x: 1 / sqrt(x**2 + 1), "asinh as a logarithm"),
    *cases(
        "(1 + 1/x)**x",
        [1e10, -1e6],
        lambda x: (1 + 1 / x) ** x * (log1p(1 / x) - 1 / (x + 1)),
        "CRC, d(u^v)",
        digits=100,
    ),
    *cases("x*exp(x)/(exp(x) - 1)", [1e-8, -40.0], expansion(lambda x: x / (1 - exp(-x))), CANCELS, digits=100),
]

HUGE_ARGUMENTS = [
    *cases("sin(x)", [1e22, 1e300, LARGEST], cos, "DLMF 4.20", digits=400),
    *cases("cos(x)", [1e22, -1e300], lambda x: -sin(x), "DLMF 4.20", digits=400),
    *cases(
        "tan(x)",
        [1e22, 6381956970095103 * 2.0**797],
        lambda x: 1 / cos(x) ** 2,
        "DLMF 4.20; the double nearest to a multiple of pi/2",
        digits=400,
    ),
    *cases(
        "sin(1e300*pi*x)/1e300", [1.0, 1e-290, 3e-301], lambda x: pi * cos(10**300 * pi * x), "chain rule", digits=700
    ),
    *cases("sin(pi*x)", [1e300, 2.0**53 - 1, 0.1], lambda x: pi * cos(pi * x), "chain rule", digits=400),
    *cases("exp(sin(x))", [1e100], lambda x: cos(x) * exp(sin(x)), "chain rule", digits=200),
    *cases("log(x)", [LARGEST, 1e-300], lambda x: 1 / x, "DLMF 4.7(i)"),
    *cases("atan(x)", [1e200, -1e10], lambda x: 1 / (1 + x**2), "DLMF 4.24(ii); underflows at 1e200", digits=500),
    *cases("sqrt(x**2 + 1)", [1e160, -1e-160], lambda x: x / sqrt(x**2 + 1), "power rule", digits=400),
    *cases(
        "hypot(x, y)",
        [(3e300, 4e300), (1e-300, -1e-310), (1e300, 1.0)],
        lambda x, y: (x / sqrt(x**2 + y**2), y / sqrt(x**2 + y**2)),
        "CRC",
        variables="xy",
        digits=700,
    ),
    *cases("tanh(x)", [20.0, -350.0, 400.0], lambda x: 1 / cosh(x) ** 2, "DLMF 4.34", digits=400),
    *cases("1/(1 + exp(-x))", [-700.0, 40.0, -1000.0], lambda x: exp(-x) / (1 + exp(-x)) ** 2, "sigmoid", digits=500),
    *cases("log(1 + exp(x))", [1000.0, -1000.0], lambda x: 1 / (1 + exp(-x)), "softplus", digits=500),
]

UNDERFLOW_AND_OVERFLOW = [
    *cases("exp(x)", [-745.1, -745.2, -720.3, 709.7, 710.0, 1e4], exp, "DLMF 4.7(ii)"),
    *cases("-exp(x)", [-746.0, 710.0, -1e5], lambda x: -exp(x), "a negative number below 2^-1075 is -0.0"),
    *cases("exp(x)", [1e300, -1e300], exp, "DLMF 4.7(ii)", digits=400),
    *cases("x**3", [1e200, -1e200, 1e-160, -1e-170, LEAST], lambda x: 3 * x**2, "power rule", digits=0),
    *cases("-x**3", [1e-170, 1e-160], lambda x: -3 * x**2, "power rule", digits=0),
    *cases(
        "x**2", [LEAST, -LEAST, LEAST_NORMAL, LARGEST, -LARGEST, 0.5 * LARGEST], lambda x: 2 * x, "power rule", digits=0
    ),
    *cases("1/x", [LEAST, -LEAST, 1e-160, LARGEST, 1e154, 3e161], lambda x: -1 / x**2, "power rule", digits=0),
    *cases("log(x)", [LEAST, 3e-308, 2.0**-1024, 5.6e-309], lambda x: 1 / x, "DLMF 4.7(i)", digits=0),
    *cases("sqrt(x)", [LEAST, LARGEST, 1e-310], lambda x: 1 / (2 * sqrt(x)), "power rule"),
    *cases("cbrt(x)", [LEAST, -LARGEST, -1e-310], lambda x: 1 / (3 * abs(x) ** (mpf(2) / 3)), "power rule"),
    *cases("x*y", [(LEAST, LARGEST), (-LEAST, 0.0)], lambda x, y: (y, x), "product rule", variables="xy", digits=0),
    *cases("x**100", [1e-4, 1e3, 1.0001], lambda x: 100 * x**99, "power rule", digits=0),
    *cases("x*exp(-x)", [750.0, 745.0], lambda x: (1 - x) * exp(-x), "product rule"),
    *cases("asin(x)", [BEFORE_1, -BEFORE_1, LEAST], lambda x: 1 / sqrt(1 - x**2), "DLMF 4.24(ii)", digits=700),
    *cases("acosh(x)", [AFTER_1, 1e300], lambda x: 1 / sqrt(x**2 - 1), "DLMF 4.38(ii)", digits=700),
    *cases("atanh(x)", [BEFORE_1, -BEFORE_1, 1e-200], lambda x: 1 / (1 - x**2), "DLMF 4.38(ii)", digits=0),
    *cases("log1p(x)", [-BEFORE_1, 1e-300, LARGEST], lambda x: 1 / (1 + x), "DLMF 4.7(i)", digits=0),
    *cases("cosh(x)", [-800.0, 1e-300, 710.4], sinh, "DLMF 4.34", digits=400),
    *cases("x**0.5*x**1.5", [1e-300, 1e300], lambda x: 2 * x, "power rule", digits=0),
    *cases("gap*2**1000", [1.0], lambda g: 2**1000, "linear", variables=("gap",), digits=0),
]

EXACT_ZEROS = [
    *cases("x**2", [0.0, -0.0], lambda x: 2 * x, "power rule", digits=0),
    *cases("-x**2", [0.0, -0.0], lambda x: -2 * x, "an exact zero is +0.0", digits=0),
    *cases("x**0", [0.0, 1.5], lambda x: Fraction(0), "0**0 is 1", digits=0),
    *cases("x**1", [0.0], lambda x: Fraction(1), "power rule", digits=0),
    *cases(
        "x**5*y", [(0.0, 3.0), (-0.0, -3.0)], lambda x, y: (5 * x**4 * y, x**5), "power rule", variables="xy", digits=0
    ),
    *cases("cos(x)", [0.0, -0.0], lambda x: -sin(x), "DLMF 4.20"),
    *cases("cosh(x)", [0.0, -0.0], sinh, "DLMF 4.34"),
    *cases("exp(x) - x", [0.0], lambda x: exp(x) - 1, "cancels to 0"),
    *cases("exp(-x**2)", [0.0], lambda x: -2 * x * exp(-(x**2)), "chain rule"),
    *cases("sin(x)", [0.0, -0.0], cos, "DLMF 4.20"),
    *cases("atan(x)*asin(x)", [0.0], lambda x: atan(x) / sqrt(1 - x**2) + asin(x) / (1 + x**2), "product rule"),
    *cases("x**3 - 3*x", [1.0, -1.0], lambda x: 3 * x**2 - 3, "power rule", digits=0),
    *cases(
        "(x**2 - 2*x)*(y - 1)",
        [(1.0, 1.0), (1.0, 3.0)],
        lambda x, y: ((2 * x - 2) * (y - 1), x**2 - 2 * x),
        "product rule",
        variables="xy",
        digits=0,
    ),
    *cases("7", [1.5], lambda x: Fraction(0), "constant", digits=0),
    *cases("x + 0*y", [(1.5, 2.5)], lambda x, y: (Fraction(1), Fraction(0)), "linear", variables="xy", digits=0),
    *cases("x**2", [(1.5, 2.5)], lambda x, y: (2 * x, Fraction(0)), "y does not occur", variables="xy", digits=0),
    *cases(
        "hypot(x, y)",
        [(0.0, 1.0), (-2.0, 0.0)],
        lambda x, y: (x / sqrt(x**2 + y**2), y / sqrt(x**2 + y**2)),
        "CRC",
        variables="xy",
    ),
    *cases(
        "atan2(y, x)",
        [(0.0, 1.0), (1.0, 0.0), (-1.0, 0.0)],
        lambda y, x: (x / (x**2 + y**2), -y / (x**2 + y**2)),
        "polar angle",
        variables="yx",
        digits=0,
    ),
    *cases("log(x)", [1.0], lambda x: 1 / x, "DLMF 4.7(i)", digits=0),
    *cases("log(x)**2", [1.0], lambda x: 2 * log(x) / x, "chain rule"),
    *cases("acos(x)", [0.0], lambda x: Fraction(-1), "DLMF 4.24(ii)", digits=0),
]

HALF = Fraction(1, 2**53)  # half of the distance from 1 to the next double
LOWEST = Fraction(1, 2**1075)  # half of the least subnormal

TIES = [
    *cases("x + x/2**53", [1.0], lambda x: 1 + HALF, "tie, down to even 1", digits=0),
    *cases("x + 3*x/2**53", [1.0], lambda x: 1 + 3 * HALF, "tie, up to even", digits=0),
    *cases("-x - 3*x/2**53", [1.0], lambda x: -1 - 3 * HALF, "tie, away to even", digits=0),
    *cases("x**2/2 + x/2**53", [AFTER_1, 1.0], lambda x: x + HALF, "tie at both points, up and down", digits=0),
    *cases(
        "x**2/2 + x/2**53 + x/2**400", [1.0], lambda x: x + HALF + Fraction(1, 2**400), "just above a tie", digits=0
    ),
    *cases(
        "x**2/2 + 3*x/2**53 - x/2**400",
        [1.0],
        lambda x: x + 3 * HALF - Fraction(1, 2**400),
        "just below a tie",
        digits=0,
    ),
    *cases(
        "x**2/2 + x/2**53 + x*exp(-700)", [1.0], lambda x: x + mpf(2) ** -53 + exp(-700), "just above a tie", digits=400
    ),
    *cases(
        "x**2/2 + x/2**53 - 1e-100*sin(x)",
        [1.0],
        lambda x: x + mpf(2) ** -53 - cos(x) / mpf(10) ** 100,
        "just below a tie",
        digits=200,
    ),
    *cases("x**2", [4503599627370497.5], lambda x: 2 * x, "no tie", digits=0),
    *cases(
        "x**3/3",
        [134217729.0, 94906267.0, 94906265.0],
        lambda x: x**2,
        "squares of 54 bits: ties and no ties",
        digits=0,
    ),
    *cases(
        "x*y*z",
        [(3.0, 6004799503160661.0, 0.5), (134217729.0, 67108865.0, 1.0)],
        lambda x, y, z: (y * z, x * z, x * y),
        "products of more than 53 bits",
        variables="xyz",
        digits=0,
    ),
    *cases("x/2**1000/2**75", [1.0], lambda x: LOWEST, "tie between 0 and the least subnormal", digits=0),
    *cases("-x/2**1000/2**75", [1.0], lambda x: -LOWEST, "tie between 0 and the least subnormal: -0.0", digits=0),
    *cases("3*x/2**1000/2**75", [1.0], lambda x: 3 * LOWEST, "tie between subnormals, up to even", digits=0),
    *cases(
        "x**2/2**1000/2**76",
        [1.0, AFTER_1, BEFORE_1],
        lambda x: LOWEST * x,
        "at, above and below the lowest tie",
        digits=0,
    ),
    *cases(
        "x*(2**53 - 1/2)/2**1000/2**75",
        [1.0],
        lambda x: (2**53 - Fraction(1, 2)) / 2**1075,
        "rounds up to the least normal",
        digits=0,
    ),
    *cases(
        "x*(2**1000*2**24 - 2**970)",
        [1.0, -1.0],
        lambda x: Fraction(2**1024 - 2**970),
        "the boundary of overflow: inf",
        digits=0,
    ),
    *cases(
        "x*(2**1000*2**24 - 2**970 - 1)",
        [1.0],
        lambda x: Fraction(2**1024 - 2**970 - 1),
        "just below: the largest",
        digits=0,
    ),
    *cases(
        "-x**2/2*(2**1000*2**24 - 2**970)",
        [1.0, BEFORE_1],
        lambda x: -x * (2**1024 - 2**970),
        "boundary of overflow",
        digits=0,
    ),
    *cases("x**2/3 + x*Rational(1, 3)", [0.1, 1.0], lambda x: 2 * x / 3 + Fraction(1, 3), "division", digits=0),
    *cases(
        "(x**2 + 1)/(2*x + 2**53*x)",
        [1.0],
        lambda x: (2 * x * x - x**2 - 1) / ((2 + 2**53) * x**2),
        "exactly 0",
        digits=0,
    ),
]

BESIDE_SWITCHES = [
    *cases("abs(x)", [LEAST, -LEAST], lambda x: 1 if x > 0 else -1, "beside the kink", digits=0),
    *cases("max(x, 0)", [LEAST, -LEAST], lambda x: int(x > 0), "beside the kink", digits=0),
    *cases("min(x, 1)", [AFTER_1, BEFORE_1], lambda x: int(x < 1), "beside the kink", digits=0),
    *cases("sign(x)", [LEAST, -LEAST, 3.0], lambda x: 0, "beside the jump", digits=0),
    *cases("where(x > 1, x**2, 2)", [AFTER_1, BEFORE_1], lambda x: 2 * x if x > 1 else 0, "beside the jump", digits=0),
    *cases(
        "max(x, y)", [(AFTER_1, 1.0), (LEAST, 0.0)], lambda x, y: (1, 0), "beside the kink", variables="xy", digits=0
    ),
    *cases("abs(x - 0.1)", [0.1], lambda x: 1, "the double 0.1 is above one tenth", digits=0),
    *cases("abs(x - 0.3)", [0.3], lambda x: -1, "the double 0.3 is below three tenths", digits=0),
    *cases("max(x, 0.1)*x", [0.1], lambda x: 2 * x, "the double 0.1 is above one tenth", digits=0),
    *cases("where(x < 0.1, 1, x)", [0.1], lambda x: 1, "the double 0.1 is above one tenth", digits=0),
    *cases("where(Eq(x, 0.1), 7*x, x)", [0.1], lambda x: 1, "the double 0.1 is not one tenth", digits=0),
    *cases("sqrt(x - 0.1)", [0.1], lambda x: 1 / (2 * sqrt(x - mpf(1) / 10)), "5.6e-18 inside the domain"),
    *cases("log(x**2 - 2)", [1.4142135623730951], lambda x: 2 * x / (x**2 - 2), "4e-16 inside the domain"),
    *cases(
        "abs(x**2 - 2)",
        [1.4142135623730951, 1.414213562373095],
        lambda x: 2 * x if x**2 > 2 else -2 * x,
        "beside the kink",
        digits=0,
    ),
    *cases(
        "abs(sin(x))",
        [3.141592653589793, -3.141592653589793],
        lambda x: cos(x) if sin(x) > 0 else -cos(x),
        "the double nearest to pi is below it",
    ),
    *cases(
        "where(x > 0, log(x), 0)",
        [-1.0, 0.3],
        lambda x: 1 / x if x > 0 else 0,
        "the other branch is not used",
        digits=0,
    ),
    *cases(
        "where(x < 0, 0, sqrt(x))",
        [-1.0, 0.3],
        lambda x: 1 / (2 * sqrt(x)) if x > 0 else mpf(0),
        "the other branch is not used",
    ),
    *cases("Piecewise((1/x, x > 0), (x**2, True))", [-1.0], lambda x: 2 * x, "the other branch is not used", digits=0),
    *cases("where(x > 1, 1/(x - 0.5), 3*x)", [0.5], lambda x: 3, "the other branch divides by 0", digits=0),
]

CASES = [
    *CANCELLING,
    *HUGE_ARGUMENTS,
    *UNDERFLOW_AND_OVERFLOW,
    *EXACT_ZEROS,
    *TIES,
    *BESIDE_SWITCHES,
]
