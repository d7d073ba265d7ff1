"""Special functions with their derivatives as the tables state them; data of the truth test.

Formulas are typed from the DLMF and evaluated by mpmath, whose implementations share nothing with FLINT's; where the
DLMF has no closed form, mpmath has the derivative.
"""

import runpy
from pathlib import Path

import mpmath
from mpmath import (
    airyai,
    airybi,
    besseli,
    besselj,
    besselk,
    bessely,
    ci,
    cos,
    ei,
    ellipe,
    ellipk,
    erf,
    erfc,
    erfinv,
    exp,
    expint,
    gamma,
    lambertw,
    log,
    mpf,
    pi,
    polylog,
    psi,
    si,
    sin,
    sqrt,
    zeta,
)

_truth = runpy.run_path(str(Path(__file__).with_name("truth.py")))
cases, StatusCase = _truth["cases"], _truth["StatusCase"]


def third():
    return mpf(1) / 3  # at the precision that holds when it is asked for


def bessel(f, n, below, above):
    """Return the derivative of a Bessel function of order n(), DLMF 10.6.1 and 10.29.1."""
    return lambda x: (below * f(n() - 1, x) + above * f(n() + 1, x)) / 2


def fixed(n):
    return lambda: n


def incomplete(s, sign):
    return lambda x: sign * x ** (s - 1) * exp(-x) / gamma(s)


def elliptic_k_slope(m):
    return pi / 8 if m == 0 else (ellipe(m) - (1 - m) * ellipk(m)) / (2 * m * (1 - m))


def elliptic_e_slope(m):
    return -pi / 8 if m == 0 else (ellipe(m) - ellipk(m)) / (2 * m)


def sinc_slope(x):
    return (cos(x) - sin(x) / x) / x if x else mpf(0)


def spherical_slope(n):
    def j(x):
        return sqrt(pi / (2 * x)) * besselj(n + mpf(1) / 2, x)

    def above(x):
        return sqrt(pi / (2 * x)) * besselj(n + mpf(3) / 2, x)

    return lambda x: n * j(x) / x - above(x)


def beta_slopes(a, b):
    value = gamma(a) * gamma(b) / gamma(a + b)
    return value * (psi(0, a) - psi(0, a + b)), value * (psi(0, b) - psi(0, a + b))


def legendre_5(x):
    return (315 * x**4 - 210 * x**2 + 15) / 8


def erfc_product(x, y):
    return -2 / sqrt(pi) * exp(-x * x) * y + 0 * x, erfc(x)


ERROR_FUNCTIONS = [
    *cases("erf(x)", [0.0, 0.7, -2.5, 5e-324, 30.0], lambda x: 2 / sqrt(pi) * exp(-x * x), "DLMF 7.2.1"),
    *cases("erfc(x)", [0.5, 6.0, -3.0], lambda x: -2 / sqrt(pi) * exp(-x * x), "DLMF 7.2.2"),
    *cases("erfi(x)", [0.5, -2.0], lambda x: 2 / sqrt(pi) * exp(x * x), "SymPy: erfi"),
    *cases("erfinv(x)", [0.25, -0.99], lambda x: sqrt(pi) / 2 * exp(erfinv(x) ** 2), "DLMF 7.17.1"),
    *cases("erfc(x)*y", [(1.5, 2.0)], erfc_product, "DLMF 7.2.2", variables=("x", "y")),
    *cases("fresnels(x)", [0.75, -3.0], lambda x: sin(pi * x * x / 2), "DLMF 7.2.8"),
    *cases("fresnelc(x)", [0.75, -2.75], lambda x: cos(pi * x * x / 2), "DLMF 7.2.7"),
]
GAMMA_FUNCTIONS = [
    *cases("gamma(x)", [0.5, 4.25, -1.5, -20.75], lambda x: gamma(x) * psi(0, x), "DLMF 5.2.2"),
    *cases("factorial(x)", [2.5, -0.25], lambda x: gamma(x + 1) * psi(0, x + 1), "DLMF 5.4.1"),
    *cases("loggamma(x)", [0.125, 1.0, 30.0], lambda x: psi(0, x), "DLMF 5.2.2"),
    *cases("gammaln(x)", [-2.5, 3.5], lambda x: psi(0, x), "DLMF 5.2.2, log|Γ|"),
    *cases("digamma(x)", [0.5, -0.75, 1e10, -1000.25], lambda x: psi(1, x), "DLMF 5.15"),
    *cases("polygamma(2, x)", [0.75, -1.25], lambda x: psi(3, x), "DLMF 5.15"),
    *cases("beta(x, y)", [(0.5, 2.5), (3.0, 4.0)], beta_slopes, "DLMF 5.12.1", variables=("x", "y")),
    *cases("gammainc(2.5, x)", [0.5, 7.0], incomplete(mpf(5) / 2, 1), "DLMF 8.8.13"),
    *cases("gammaincc(3, x)", [0.5, 30.0], incomplete(mpf(3), -1), "DLMF 8.8.14"),
    *cases("lowergamma(2, x)", [1.5], lambda x: x * exp(-x), "DLMF 8.8.13"),
    *cases("uppergamma(2, x)", [1.5], lambda x: -x * exp(-x), "DLMF 8.8.14"),
]
BESSEL_FUNCTIONS = [
    *cases("besselj(0, x)", [0.0, 2.404825557695773, -7.5], lambda x: -besselj(1, x), "DLMF 10.6.3"),
    *cases("j1(x)", [0.0, 3.0], bessel(besselj, fixed(1), 1, -1), "DLMF 10.6.1"),
    *cases("besselj(1/3, x)", [0.5, 12.0], bessel(besselj, third, 1, -1), "DLMF 10.6.1"),
    *cases("jv(2.5, x)", [4.0], bessel(besselj, fixed(mpf(5) / 2), 1, -1), "DLMF 10.6.1"),
    *cases("bessely(0, x)", [0.5, 4.0], lambda x: -bessely(1, x), "DLMF 10.6.3"),
    *cases("yv(1/3, x)", [2.0], bessel(bessely, third, 1, -1), "DLMF 10.6.1"),
    *cases("besseli(1, x)", [-2.0, 0.5], bessel(besseli, fixed(1), 1, 1), "DLMF 10.29.1"),
    *cases("iv(0.5, x)", [3.0], bessel(besseli, fixed(mpf(1) / 2), 1, 1), "DLMF 10.29.1"),
    *cases("besselk(0, x)", [0.25, 20.0], lambda x: -besselk(1, x), "DLMF 10.29.3"),
    *cases("kv(1/3, x)", [1.5], bessel(besselk, third, -1, -1), "DLMF 10.29.1"),
    *cases("sinc(x)", [0.0, 0.5, -20.0], sinc_slope, "by hand: (cos x − sinc x)/x"),
    *cases("np.sinc(x)", [0.5], lambda x: (cos(pi * x) - sin(pi * x) / (pi * x)) / x, "NumPy: sin πx/(πx)"),
    *cases("spherical_jn(2, x)", [1.5, 9.0], spherical_slope(2), "DLMF 10.51.2"),
    *cases("airyai(x)", [0.5, -6.0], lambda x: airyai(x, derivative=1), "DLMF 9.2"),
    *cases("airyaiprime(x)", [0.0, 2.0], lambda x: x * airyai(x), "DLMF 9.2.1"),
    *cases("airybi(x)", [0.5, -6.0], lambda x: airybi(x, derivative=1), "DLMF 9.2"),
    *cases("airybiprime(x)", [-2.0], lambda x: x * airybi(x), "DLMF 9.2.1"),
]
OTHERS = [
    *cases("zeta(x)", [3.0, 0.5, -1.5, 300.0], lambda s: zeta(s, 1, 1), "mpmath: ζ′"),
    *cases("zeta(2.5, x)", [0.75, 4.0], lambda a: -mpf(5) / 2 * zeta(mpf(7) / 2, a), "DLMF 25.11.17"),
    *cases("polylog(3, x)", [0.5, -4.0], lambda z: polylog(2, z) / z, "DLMF 25.12.10"),
    *cases("polylog(2, x)", [0.125, 0.0], lambda z: -log(1 - z) / z if z else mpf(1), "DLMF 25.12.2"),
    *cases("polylog(1/2, x)", [0.25, -0.75], lambda z: polylog(-mpf(1) / 2, z) / z, "DLMF 25.12.10"),
    *cases("LambertW(x)", [1.0, -0.25, 1e100], lambda x: lambertw(x) / (x * (1 + lambertw(x))), "DLMF 4.13.4"),
    *cases(
        "LambertW(x, -1)",
        [-0.25, -1e-20],
        lambda x: lambertw(x, -1).real / (x * (1 + lambertw(x, -1).real)),
        "DLMF 4.13.4",
    ),
    *cases("elliptic_k(x)", [0.5, -3.0, 0.0], elliptic_k_slope, "DLMF 19.4.1"),
    *cases("ellipe(x)", [0.5, -3.0, 0.0], elliptic_e_slope, "DLMF 19.4.2"),
    *cases("Ei(x)", [0.375, -2.0, 30.0], lambda x: exp(x) / x, "DLMF 6.2.5"),
    *cases("Si(x)", [0.0, 2.5, -40.0], lambda x: sin(x) / x if x else mpf(1), "DLMF 6.2.9"),
    *cases("Ci(x)", [0.5, 12.0], lambda x: cos(x) / x, "DLMF 6.2.11"),
    *cases("li(x)", [1.5, 0.5], lambda x: 1 / log(x), "DLMF 6.2.8"),
    *cases("expint(2, x)", [0.5, 10.0], lambda x: -expint(1, x), "DLMF 8.19.13"),
    *cases("exp1(x)", [0.5], lambda x: -exp(-x) / x, "DLMF 6.2.1"),
    *cases("legendre(5, x)", [0.5, -1.5], legendre_5, "DLMF 18.5, P₅ = (63x⁵ − 70x³ + 15x)/8"),
    *cases("chebyshevt(4, x)", [0.75], lambda x: 32 * x**3 - 16 * x, "DLMF 18.5.14"),
    *cases("chebyshevu(3, x)", [0.75], lambda x: 24 * x**2 - 4, "DLMF 18.5.15"),
    *cases("hermite(4, x)", [1.25], lambda x: 64 * x**3 - 96 * x, "DLMF 18.5.18"),
    *cases("laguerre(3, x)", [1.25], lambda x: (-3 * x**2 + 18 * x - 18) / 6, "DLMF 18.5.17"),
    *cases("Heaviside(x)*x**2", [1.5, -1.5], lambda x: 2 * x if x > 0 else mpf(0), "x² right of 0"),
    *cases("floor(x)*x", [2.75, -0.25], lambda x: mpmath.floor(x), "by hand"),
    *cases("ceil(x)*x", [2.75, -0.25], lambda x: mpmath.ceil(x), "by hand"),
    *cases(
        "erf(sin(x))*gamma(x + 2)",
        [0.75],
        lambda x: (
            2 / sqrt(pi) * exp(-(sin(x) ** 2)) * cos(x) * gamma(x + 2) + erf(sin(x)) * gamma(x + 2) * psi(0, x + 2)
        ),
        "product and chain rule",
    ),
    *cases(
        "besselj(0, x)**2 + bessely(0, x)**2",
        [2.5],
        lambda x: -2 * (besselj(0, x) * besselj(1, x) + bessely(0, x) * bessely(1, x)),
        "DLMF 10.6.3",
    ),
    *cases("Si(x)*Ci(x)", [2.0], lambda x: (sin(x) * ci(x) + cos(x) * si(x)) / x, "product rule"),
    *cases("Ei(log(x))/x", [3.0], lambda x: (1 / log(x) - ei(log(x)) / x) / x, "quotient rule"),
    *cases("exp(LambertW(x))", [2.75], lambda x: 1 / (1 + lambertw(x)), "W·eᵂ = x"),
]
CASES = [*ERROR_FUNCTIONS, *GAMMA_FUNCTIONS, *BESSEL_FUNCTIONS, *OTHERS]

X = ("x",)
KINK, DOMAIN = ("kink",), ("domain",)
POLE = "a pole"
ONE_SIDED = "undefined on one side"
STEP = "the value jumps"

STATUS_CASES = [
    *(StatusCase("gamma(x)", X, (-float(k),), DOMAIN, POLE) for k in (0, 1, 7)),
    StatusCase("1/gamma(x)", X, (-1.0,), DOMAIN, "the program divides by what has a pole"),
    StatusCase("factorial(x)", X, (-1.0,), DOMAIN, POLE),
    StatusCase("gammaln(x)", X, (-2.0,), DOMAIN, POLE),
    StatusCase("loggamma(x)", X, (-0.5,), DOMAIN, "complex left of 0"),
    StatusCase("loggamma(x)", X, (0.0,), DOMAIN, POLE),
    StatusCase("digamma(x)", X, (-3.0,), DOMAIN, POLE),
    StatusCase("polygamma(1, x)", X, (0.0,), DOMAIN, POLE),
    StatusCase("beta(x, 2)", X, (0.0,), DOMAIN, POLE),
    StatusCase("gammainc(2.5, x)", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("gammainc(2.5, x)", X, (-1.0,), DOMAIN, "undefined there"),
    StatusCase("besselj(1/3, x)", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("besselj(1/3, x)", X, (-1.0,), DOMAIN, "complex left of 0"),
    StatusCase("besselj(2, x)", X, (0.0,), (0.0,), "whole orders are entire"),
    StatusCase("abs(besselj(2, x))", X, (0.0,), (0.0,), "x²/8 at 0, whole orders are entire"),
    StatusCase("bessely(0, x)", X, (0.0,), DOMAIN, "a logarithm"),
    StatusCase("besselk(1, x)", X, (-1.0,), DOMAIN, "complex left of 0"),
    StatusCase("expint(2, x)", X, (0.0,), DOMAIN, ONE_SIDED),
    StatusCase("expint(1, x)", X, (0.0,), DOMAIN, "a logarithm"),
    StatusCase("zeta(x)", X, (1.0,), DOMAIN, POLE),
    StatusCase("zeta(3, x)", X, (0.0,), DOMAIN, POLE),
    StatusCase("polylog(2, x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("elliptic_k(x)", X, (1.0,), DOMAIN, POLE),
    StatusCase("elliptic_e(x)", X, (1.0,), DOMAIN, ONE_SIDED),
    StatusCase("erfinv(x)", X, (1.0,), DOMAIN, POLE),
    StatusCase("erfinv(x)", X, (-1.5,), DOMAIN, "undefined there"),
    StatusCase("LambertW(x)", X, (-0.5,), DOMAIN, "complex below −1/e"),
    StatusCase("LambertW(x, -1)", X, (0.0,), DOMAIN, "a logarithm"),
    StatusCase("LambertW(x, -1)", X, (0.5,), DOMAIN, "complex right of 0"),
    StatusCase("Ei(x)", X, (0.0,), DOMAIN, "a logarithm"),
    StatusCase("Ci(x)", X, (0.0,), DOMAIN, "a logarithm"),
    StatusCase("Ci(x)", X, (-1.0,), DOMAIN, "complex left of 0"),
    StatusCase("li(x)", X, (1.0,), DOMAIN, "a logarithm"),
    StatusCase("Heaviside(x)", X, (0.0,), KINK, STEP),
    StatusCase("Heaviside(x)*x**2", X, (0.0,), (0.0,), "both sides are flat"),
    StatusCase("Heaviside(x)*x", X, (0.0,), KINK, "the slopes are 0 and 1"),
    StatusCase("floor(x)", X, (2.0,), KINK, STEP),
    StatusCase("floor(x)", X, (-3.0,), KINK, STEP),
    StatusCase("ceil(x)", X, (2.0,), KINK, STEP),
    StatusCase("floor(x)*sin(x)", X, (0.0,), KINK, "−sin x left of 0, 0 right of it"),
    StatusCase("floor(x)*x**2", X, (0.0,), (0.0,), "both sides are flat"),
    StatusCase("floor(sin(x)**2)", X, (0.0,), (0.0,), "an integer that is touched from above only"),
    StatusCase("floor(-abs(x))", X, (0.0,), KINK, STEP),
    StatusCase("ceil(2**53*x)", X, (1.0,), KINK, STEP),
    StatusCase("abs(erf(x))", X, (0.0,), KINK, "the slopes differ"),
    StatusCase("abs(sinc(x) - 1)", X, (0.0,), (0.0,), "x²/6 at 0"),
    StatusCase("max(erfc(x), 1)", X, (0.0,), KINK, "the slopes are −2/√π and 0"),
    StatusCase("sqrt(gammainc(1, x))", X, (0.0,), DOMAIN, ONE_SIDED),
]
