"""Points without a derivative, and points that only look so, with the reason; data of the truth test.

A truth is, for each variable, "kink", "domain" or the derivative as a float (status ok). CASES must be answered as they
stand. In HONEST the one-sided expansions agree or lie deeper than first order, the value jumps between
equal slopes, or the answer needs a proof that a
number is exactly 0: there `undecided` is honest too, but never another claim.
"""

import runpy
from pathlib import Path

StatusCase = runpy.run_path(str(Path(__file__).with_name("truth.py")))["StatusCase"]

X = ("x",)
XY = ("x", "y")
KINK, DOMAIN = ("kink",), ("domain",)
AFTER_1 = 1 + 2.0**-52

ONE_SIDED = "undefined on one side"
UNDEFINED = "undefined there"
DIVIDES = "the program divides by an exact 0; a limit does not count"
REAL_POWER = "a power that is not an integer needs a positive base"
STEEP = "infinite slope, defined on both sides"
SLOPES = "the one-sided slopes differ"
JUMP = "the value jumps"

KINKS = [
    StatusCase("abs(x)", X, (0.0,), KINK, SLOPES),
    StatusCase("abs(x)", X, (-0.0,), KINK, SLOPES),
    StatusCase("abs(x - 0.5)", X, (0.5,), KINK, SLOPES),
    StatusCase("3*abs(2*x - 1) + x**2", X, (0.5,), KINK, SLOPES),
    StatusCase("exp(abs(x))", X, (0.0,), KINK, SLOPES),
    StatusCase("abs(sin(x))", X, (0.0,), KINK, SLOPES),
    StatusCase("log(1 + abs(x))", X, (0.0,), KINK, SLOPES),
    StatusCase("abs(x) + abs(y)", XY, (0.0, 1.0), ("kink", 1.0), SLOPES + " along x only"),
    StatusCase("abs(x) + abs(y)", XY, (-2.0, 0.0), (-1.0, "kink"), SLOPES + " along y only"),
    StatusCase("abs(x) + abs(y)", XY, (0.0, 0.0), ("kink", "kink"), SLOPES),
    StatusCase("abs(x) + y**3", XY, (0.0, 2.0), ("kink", 12.0), SLOPES + " along x only"),
    StatusCase("abs(x - y) + abs(x + y)", XY, (0.5, 0.5), ("kink", "kink"), SLOPES + " in the first"),
    StatusCase("abs(x - y)", XY, (0.7, 0.7), ("kink", "kink"), SLOPES),
    StatusCase("cbrt(x)", X, (0.0,), KINK, STEEP),
    StatusCase("cbrt(x - 2)*3 + x", X, (2.0,), KINK, STEEP),
    StatusCase("max(x, 0)", X, (0.0,), KINK, SLOPES),
    StatusCase("max(x, 0)", X, (-0.0,), KINK, SLOPES),
    StatusCase("min(x, 0)", X, (0.0,), KINK, SLOPES),
    StatusCase("min(x, 2*x - 1)", X, (1.0,), KINK, SLOPES),
    StatusCase("max(x, y)", XY, (1.0, 1.0), ("kink", "kink"), SLOPES),
    StatusCase("min(x, y)", XY, (-3.0, -3.0), ("kink", "kink"), SLOPES),
    StatusCase(
        "max(x0, x1, x2)", ("x0", "x1", "x2"), (1.0, 2.0, 2.0), (0.0, "kink", "kink"), "a tie of the larger two"
    ),
    StatusCase(
        "min(x0, x1, x2)", ("x0", "x1", "x2"), (1.0, 2.0, 1.0), ("kink", 0.0, "kink"), "a tie of the lesser two"
    ),
    StatusCase("max(0.01*x, x)", X, (0.0,), KINK, SLOPES),
    StatusCase("max(0, 1 - x*y)", XY, (0.5, 2.0), ("kink", "kink"), SLOPES),
    StatusCase("sign(x)", X, (0.0,), KINK, JUMP),
    StatusCase("sign(x - 1)*x + y", XY, (1.0, 5.0), ("kink", 1.0), JUMP + " along x only"),
    StatusCase("where(x > 0, x, -x)", X, (0.0,), KINK, SLOPES),
    StatusCase("where(x > 1, 2, 1)", X, (1.0,), KINK, JUMP),
    StatusCase("where(x >= 1, 2, 1)", X, (1.0,), KINK, JUMP),
    StatusCase("where(x < 1, x**2, x**3 + 1)", X, (1.0,), KINK, JUMP),
    StatusCase("Piecewise((x, x < 2), (2*x - 2, True))", X, (2.0,), KINK, SLOPES),
    StatusCase("Piecewise((x, x < 0), (y, x < 1), (7, True))", XY, (1.0, 3.0), ("kink", 0.0), JUMP + " along x only"),
    StatusCase("sqrt(x**2 + y**2)", XY, (0.0, 0.0), ("kink", "kink"), "the norm at the origin"),
    StatusCase("sqrt(x**2)", X, (0.0,), KINK, "the absolute value"),
    StatusCase("hypot(x, y)", XY, (0.0, 0.0), ("kink", "kink"), "the norm at the origin"),
    StatusCase(
        "sqrt(x**2 + y**2)*z", ("x", "y", "z"), (0.0, 0.0, 3.0), ("kink", "kink", 0.0), "the norm at the origin"
    ),
    StatusCase(
        "-20*exp(-0.2*sqrt(0.5*(x**2 + y**2))) - exp(0.5*(cos(2*pi*x) + cos(2*pi*y))) + E + 20",
        XY,
        (0.0, 0.0),
        ("kink", "kink"),
        "Ackley's function at its minimum: 20 times 0.2 times a norm",
    ),
]

DOMAINS = [
    StatusCase("sqrt(x)", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("sqrt(x)", X, (-0.0,), DOMAIN, ONE_SIDED),
    StatusCase("sqrt(x)", X, (-1.0,), DOMAIN, UNDEFINED),
    StatusCase("sqrt(-x)", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("sqrt(x - 0.3)", X, (0.3,), DOMAIN, "the double 0.3 is below three tenths"),
    StatusCase("sqrt(1 - x**2)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("sqrt(x)**2", X, (-1.0,), DOMAIN, UNDEFINED + ", whatever it simplifies to"),
    StatusCase("x**0.5", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("x**1.5", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("x**1.5", X, (-1.0,), DOMAIN, REAL_POWER),
    StatusCase("x**(1/3)", X, (0.0,), DOMAIN, REAL_POWER),
    StatusCase("x**(1/3)", X, (-1.0,), DOMAIN, REAL_POWER),
    StatusCase("x**-0.5", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("x**pi", X, (-2.0,), DOMAIN, REAL_POWER),
    StatusCase("x**x", X, (-1.5,), DOMAIN, REAL_POWER),
    StatusCase("log(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("log(x)", X, (-1.0,), DOMAIN, UNDEFINED),
    StatusCase("log(x) - log(x)", X, (-1.0,), DOMAIN, UNDEFINED + ", whatever it simplifies to"),
    StatusCase("0*log(x)", X, (-1.0,), DOMAIN, UNDEFINED + ", whatever it simplifies to"),
    StatusCase("log2(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("log10(x)", X, (-3.0,), DOMAIN, UNDEFINED),
    StatusCase("log1p(x)", X, (-1.0,), DOMAIN, UNDEFINED),
    StatusCase("log(x, 2)", X, (-1.0,), DOMAIN, UNDEFINED),
    StatusCase("log(2, x)", X, (1.0,), DOMAIN, "divides by log(1)"),
    StatusCase("asin(x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("asin(x)", X, (-1.0,), DOMAIN, ONE_SIDED),
    StatusCase("asin(x)", X, (AFTER_1,), DOMAIN, UNDEFINED),
    StatusCase("acos(x)", X, (-1.0,), DOMAIN, ONE_SIDED),
    StatusCase("acos(x)", X, (2.0,), DOMAIN, UNDEFINED),
    StatusCase("asec(x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("asec(x)", X, (0.5,), DOMAIN, UNDEFINED),
    StatusCase("acsc(x)", X, (-1.0,), DOMAIN, ONE_SIDED),
    StatusCase("acsc(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("acosh(x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("acosh(x)", X, (0.5,), DOMAIN, UNDEFINED),
    StatusCase("atanh(x)", X, (1.0,), DOMAIN, UNDEFINED),
    StatusCase("atanh(x)", X, (-1.0,), DOMAIN, UNDEFINED),
    StatusCase("atanh(x)", X, (2.0,), DOMAIN, UNDEFINED),
    StatusCase("acoth(x)", X, (1.0,), DOMAIN, UNDEFINED),
    StatusCase("acoth(x)", X, (0.5,), DOMAIN, UNDEFINED),
    StatusCase("asech(x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("asech(x)", X, (-0.5,), DOMAIN, UNDEFINED),
    StatusCase("acsch(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("coth(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("csch(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("cot(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("csc(x)", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("1/x", X, (0.0,), DOMAIN, UNDEFINED),
    StatusCase("x**-2", X, (-0.0,), DOMAIN, UNDEFINED),
    StatusCase("sin(x)/x", X, (0.0,), DOMAIN, DIVIDES),
    StatusCase("x/x", X, (0.0,), DOMAIN, DIVIDES),
    StatusCase("(x**2 - 1)/(x - 1)", X, (1.0,), DOMAIN, DIVIDES),
    StatusCase("abs(x)/x", X, (0.0,), DOMAIN, DIVIDES),
    StatusCase("(1 - cos(x))/x**2", X, (0.0,), DOMAIN, DIVIDES),
    StatusCase("x/y", XY, (1.0, 0.0), ("domain", "domain"), UNDEFINED),
    StatusCase("log(x*y)", XY, (-1.0, 2.0), ("domain", "domain"), UNDEFINED),
    StatusCase("where(x > 0, 1, log(x))", X, (-1.0,), DOMAIN, "the branch in use is undefined"),
    StatusCase("x + sqrt(y)", XY, (1.0, -1.0), ("domain", "domain"), UNDEFINED),
]

CASES = [*KINKS, *DOMAINS]

SMOOTH = "the one-sided expansions agree"

HONEST = [
    StatusCase("abs(x)*x", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("abs(x)**3", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("abs(x)**1.5", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("max(x, 0)**2", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("sqrt(x**4)", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("cbrt(x**3)", X, (0.0,), (1.0,), SMOOTH),
    StatusCase("cbrt(x)**4", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("sqrt(x**2 + y**2)**3", XY, (0.0, 0.0), (0.0, 0.0), SMOOTH),
    StatusCase("sign(x)*x**2", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("abs(x**3 + x**2)", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("max(x, x)", X, (1.0,), (1.0,), "both are the same"),
    StatusCase("abs(x*y)", XY, (0.0, 2.0), ("kink", 0.0), "constant along y"),
    StatusCase("max(x*y, 0)", XY, (0.0, -2.0), ("kink", 0.0), "constant along y"),
    StatusCase("max(x, 0) + min(x, 0)", X, (0.0,), (1.0,), "two kinks that cancel"),
    StatusCase("abs(x) - abs(-x)", X, (0.0,), (0.0,), "two kinks that cancel"),
    StatusCase("where(x >= 1, x**2, 2*x - 1)", X, (1.0,), (2.0,), "pieces agree in value and slope"),
    StatusCase("where(x < 0, sin(x), x)", X, (0.0,), (1.0,), "pieces agree in value and slope"),
    StatusCase("Piecewise((x**2, x < 0), (x**3, True))", X, (0.0,), (0.0,), "pieces agree in value and slope"),
    StatusCase("where(abs(x) <= 1, x**2/2, abs(x) - 1/2)", X, (1.0,), (1.0,), "Huber's function at its joint"),
    StatusCase("where(x > 0, x + 1, x)", X, (0.0,), KINK, "equal slopes, different values"),
    StatusCase("where(x <= 0, sin(x), x + x**2 + 1)", X, (0.0,), KINK, "equal slopes, different values"),
    StatusCase("where(abs(x) <= 1, x**2/2, abs(x))", X, (1.0,), KINK, "equal slopes, different values"),
    StatusCase("where(x > 0, log(x), 0)", X, (0.0,), KINK, "infinite limit on the right"),
    StatusCase("where(Eq(x, 0), 5, x)", X, (0.0,), KINK, "one point apart from its line"),
    StatusCase("where(Ne(x, 1), x, 1)", X, (1.0,), (1.0,), "the point lies on its line"),
    StatusCase("where(Ne(x, 0), sin(x)/x, 1)", X, (0.0,), (0.0,), "the removed singularity is filled"),
    StatusCase("where(Eq(x, 0), 1, sin(x)/x)", X, (0.0,), (0.0,), "the removed singularity is filled"),
    StatusCase("where(x > 0, x*log(x), 0)", X, (0.0,), KINK, STEEP),
    StatusCase("where(x > 0, 1/x, 0)", X, (0.0,), KINK, "infinite limit on the right"),
    StatusCase("where(x > 0, sqrt(x), 0)", X, (0.0,), KINK, STEEP),
    StatusCase("where(x >= 0, sqrt(x), -sqrt(-x))", X, (0.0,), KINK, STEEP),
    StatusCase("where(x > 0, asin(1 - x), pi/2)", X, (0.0,), KINK, STEEP),
    StatusCase("where(x > 0, exp(-1/x), 0)", X, (0.0,), (0.0,), "Cauchy's flat function"),
    StatusCase("where(x > 0, x**1.5, 0)", X, (0.0,), (0.0,), SMOOTH),
    StatusCase("where(x > 0, log(-x), 1)", X, (0.0,), DOMAIN, "undefined on the right"),
    StatusCase("where(x < 0, x**1.5, x**2)", X, (0.0,), DOMAIN, "undefined on the left"),
    StatusCase("where(x > 0, asin(1 + x), 2)", X, (0.0,), DOMAIN, "undefined on the right"),
    StatusCase("where(x > 0, sin(x)/x, exp(x))", X, (0.0,), KINK, SLOPES),
    StatusCase("where(x > 0, sin(x)/x, 0)", X, (0.0,), KINK, JUMP),
    StatusCase("sign(x)*x", X, (0.0,), KINK, "the absolute value"),
    StatusCase("sqrt(abs(x))", X, (0.0,), KINK, "a cusp"),
    StatusCase("abs(x)**0.5", X, (0.0,), KINK, "a cusp"),
    StatusCase("(x**2)**(1/3)", X, (0.0,), KINK, "a cusp"),
    StatusCase("sqrt(1 - cos(x))", X, (0.0,), KINK, "like |x|/sqrt(2)"),
    StatusCase("acos(1 - x**2)", X, (0.0,), KINK, "like sqrt(2)|x|"),
    StatusCase("acosh(1 + x**2)", X, (0.0,), KINK, "like sqrt(2)|x|"),
    StatusCase("sqrt(x**2 + y)", XY, (0.0, 0.0), ("kink", "domain"), "|x| along x, undefined for y < 0"),
    StatusCase("sqrt(x) + y", XY, (0.0, 1.0), ("domain", 1.0), "sqrt(0) is constant along y"),
    StatusCase("asin(x)*y", XY, (1.0, 2.0), ("domain", 1.5707963267948966), "asin(1) is constant along y"),
    StatusCase("sin(x)**2 + cos(x)**2", X, (0.7,), (0.0,), "an exact zero that needs a proof"),
    StatusCase("exp(log(x)) - x", X, (0.7,), (0.0,), "an exact zero that needs a proof"),
    StatusCase("cos(pi*x)", X, (1e300,), (0.0,), "an even multiple of pi: an exact zero that needs a proof"),
    StatusCase("abs(sin(x)**2 + cos(x)**2 - 1)", X, (0.7,), (0.0,), "an argument that is 0 identically"),
    StatusCase("log(sin(x)**2 + cos(x)**2 - 1)", X, (0.7,), DOMAIN, "an argument that is 0 identically"),
    StatusCase("sqrt(sin(x)**2 + cos(x)**2 - 1)", X, (0.7,), (0.0,), "an argument that is 0 identically"),
    StatusCase("1/(sin(x)**2 + cos(x)**2 - 1)", X, (0.7,), DOMAIN, "divides by 0 identically"),
    StatusCase("(sqrt(2)**2 - 2)*x + x**2/2 + x/2**53", X, (1.0,), (1.0,), "a tie that needs a proof"),
]
