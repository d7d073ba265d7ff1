"""Formulas of physics, chemistry and engineering with their derivatives by hand; data of the truth test."""

import runpy
from pathlib import Path

from mpmath import asin, atan, cos, cosh, cot, coth, csch, exp, expm1, log, mpf, pi, sin, sinh, sqrt, tanh

cases = runpy.run_path(str(Path(__file__).with_name("truth.py")))["cases"]


def planck(wavelength, T):
    h, c, k = mpf("6.62607015e-34"), 299792458, mpf("1.380649e-23")
    u = h * c / (wavelength * k * T)
    radiance = 2 * h * c**2 / wavelength**5 / expm1(u)
    growth = u * exp(u) / expm1(u)
    return radiance * (growth - 5) / wavelength, radiance * growth / T


def relativistic_energy(m, v):
    c = 299792458
    gamma = 1 / sqrt(1 - v**2 / c**2)
    return gamma * c**2, m * v * gamma**3


def lennard_jones(epsilon, s, r):
    return (
        4 * ((s / r) ** 12 - (s / r) ** 6),
        4 * epsilon * (12 * s**11 / r**12 - 6 * s**5 / r**6),
        4 * epsilon * (-12 * s**12 / r**13 + 6 * s**6 / r**7),
    )


def damped_oscillation(A, gamma, w, t):
    envelope = exp(-gamma * t)
    return (
        envelope * cos(w * t),
        -t * A * envelope * cos(w * t),
        -t * A * envelope * sin(w * t),
        -A * envelope * (gamma * cos(w * t) + w * sin(w * t)),
    )


def breit_wigner(x, m, width):
    d = (x - m) ** 2 + width**2 / 4
    lorentz = width / (2 * pi * d)
    return -lorentz * 2 * (x - m) / d, lorentz * 2 * (x - m) / d, (1 / d - width**2 / (2 * d**2)) / (2 * pi)


def gaussian_beam(r, z):
    w2 = 1 + z**2  # of unit waist and unit Rayleigh length
    intensity = exp(-2 * r**2 / w2) / w2
    return -4 * r / w2 * intensity, intensity * (-2 * z / w2 + 4 * r**2 * z / w2**2)


def fermi_dirac(e, mu, T):
    occupied = 1 / (exp((e - mu) / T) + 1)
    slope = occupied * (1 - occupied)
    return -slope / T, slope / T, slope * (e - mu) / T**2


def bose_einstein(e, T):
    n = 1 / expm1(e / T)
    return -n * (n + 1) / T, n * (n + 1) * e / T**2


def van_der_waals(n, T, V):
    R, a, b = mpf("8.314462618"), mpf("0.1370"), mpf("3.87e-5")
    free = V - n * b
    return (
        R * T / free + n * R * T * b / free**2 - 2 * a * n / V**2,
        n * R / free,
        -n * R * T / free**2 + 2 * a * n**2 / V**3,
    )


def morse(D, a, r):
    stretch = 1 - exp(-a * (r - mpf(74) / 100))
    grow = 2 * D * stretch * exp(-a * (r - mpf(74) / 100))
    return stretch**2, grow * (r - mpf(74) / 100), grow * a


def thin_lens(f, u):
    image = 1 / (1 / f - 1 / u)
    return image**2 / f**2, -(image**2) / u**2


def lens_maker(n, r1, r2):
    return 1 / r1 - 1 / r2, -(n - 1) / r1**2, (n - 1) / r2**2


def snell(n1, n2, a):
    s = n1 * sin(a) / n2
    slope = 1 / sqrt(1 - s**2)
    return slope * sin(a) / n2, -slope * s / n2, slope * n1 * cos(a) / n2


def resonance_impedance(R, w, L, C):
    X = w * L - 1 / (w * C)
    Z = sqrt(R**2 + X**2)
    return R / Z, X / Z * (L + 1 / (w**2 * C)), X / Z * w, X / Z / (w * C**2)


def resonance_phase(R, w, L, C):
    X = w * L - 1 / (w * C)
    d = R**2 + X**2
    return -X / d, R / d * (L + 1 / (w**2 * C)), R / d * w, R / d / (w * C**2)


def doppler(f, b):
    shift = sqrt((1 + b) / (1 - b))
    return shift, f * shift / (1 - b**2)


def projectile_height(v, a, x):
    # y = x tan a - g x^2 / (2 v^2 cos^2 a)
    g = mpf("9.80665")
    drop = g * x**2 / (2 * v**2 * cos(a) ** 2)
    return 2 * drop / v, x / cos(a) ** 2 - 2 * drop * sin(a) / cos(a), sin(a) / cos(a) - 2 * drop / x


def haversine(a, b):
    # twice the arcsine of the root of w, a function of the two latitudes at a fixed difference of longitude
    w = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(mpf(3) / 10) ** 2
    slope = 1 / sqrt(w * (1 - w))
    half = sin(b - a) / 2
    side = sin(mpf(3) / 10) ** 2
    return slope * (-half - sin(a) * cos(b) * side), slope * (half - cos(a) * sin(b) * side)


def log_mean_temperature(x, y):
    # log-mean temperature difference (x - y)/log(x/y)
    q = log(x / y)
    return 1 / q - (x - y) / (x * q**2), -1 / q + (x - y) / (y * q**2)


CASES = [
    *cases(
        "2*6.62607015e-34*299792458**2/lam**5/(exp(6.62607015e-34*299792458/(lam*1.380649e-23*T)) - 1)",
        [(5e-7, 5778.0), (1e-3, 2.725)],
        planck,
        "Planck's law",
        variables=("lam", "T"),
    ),
    *cases(
        "m*299792458**2/sqrt(1 - v**2/299792458**2)",
        [(1.5, 1e-3), (0.511, 2.9e8), (2.0, -299792457.9)],
        relativistic_energy,
        "relativistic energy",
        variables="mv",
    ),
    *cases(
        "4*epsilon*((s/r)**12 - (s/r)**6)",
        [(0.0103, 3.4, 3.8), (1.0, 1.0, 1.122462048309373)],
        lennard_jones,
        "Lennard-Jones potential; second point beside its minimum 2^(1/6)",
        variables=("epsilon", "s", "r"),
    ),
    *cases(
        "2*pi*sqrt(L/g)",
        [(0.994, 9.81)],
        lambda L, g: (pi / sqrt(L * g), -pi * sqrt(L / g) / g),
        "period of the pendulum",
        variables="Lg",
    ),
    *cases(
        "m*9.81*L*(1 - cos(q)) + m*L**2*w**2/2",
        [(0.2, 1.3, 0.1, -2.0)],
        lambda m, L, q, w: (
            mpf("9.81") * L * (1 - cos(q)) + L**2 * w**2 / 2,
            m * mpf("9.81") * (1 - cos(q)) + m * L * w**2,
            m * mpf("9.81") * L * sin(q),
            m * L**2 * w,
        ),
        "energy of the pendulum",
        variables="mLqw",
    ),
    *cases("1/(1/f - 1/u)", [(0.05, 0.3), (-0.2, 0.7)], thin_lens, "thin lens equation", variables="fu"),
    *cases(
        "(n - 1)*(1/r1 - 1/r2)",
        [(1.5168, 0.1, -0.25)],
        lens_maker,
        "lens maker's equation",
        variables=("n", "r1", "r2"),
    ),
    *cases(
        "sqrt(4*pi**2*a**3/(6.6743e-11*M))",
        [(1.495978707e11, 1.98892e30)],
        lambda a, M: (
            3 * pi * sqrt(a / (mpf("6.6743e-11") * M)),
            -pi * sqrt(a**3 / (mpf("6.6743e-11") * M**3)),
        ),
        "Kepler's third law",
        variables="aM",
    ),
    *cases(
        "A - e*sin(A)",
        [(0.7, 0.0167), (-3.0, 0.97)],
        lambda A, e: (1 - e * cos(A), -sin(A)),
        "Kepler's equation",
        variables="Ae",
    ),
    *cases(
        "n*8.314462618*T/V",
        [(1.5, 293.15, 0.0248)],
        lambda n, T, V: (
            mpf("8.314462618") * T / V,
            mpf("8.314462618") * n / V,
            -mpf("8.314462618") * n * T / V**2,
        ),
        "ideal gas",
        variables="nTV",
    ),
    *cases(
        "n*8.314462618*T/(V - n*3.87e-5) - 0.1370*n**2/V**2",
        [(1.5, 293.15, 0.0248), (40.0, 126.2, 0.002)],
        van_der_waals,
        "van der Waals equation, nitrogen",
        variables="nTV",
    ),
    *cases(
        "5.670374419e-8*q*T**4",
        [(0.95, 310.15)],
        lambda q, T: (mpf("5.670374419e-8") * T**4, 4 * mpf("5.670374419e-8") * q * T**3),
        "Stefan-Boltzmann law",
        variables="qT",
    ),
    *cases(
        "A*exp(-g*t)*cos(w*t)",
        [(1.0, 0.1, 2.0, 3.5), (-0.3, 0.7, 100.0, 12.5)],
        damped_oscillation,
        "damped oscillation",
        variables="Agwt",
    ),
    *cases(
        "G/(2*pi)/((x - m)**2 + (G/2)**2)",
        [(91.0, 91.1876, 2.4952)],
        breit_wigner,
        "Breit-Wigner resonance",
        variables="xmG",
    ),
    *cases(
        "8.9875517923e9*q*p/r**2",
        [(1.602176634e-19, -1.602176634e-19, 5.29177e-11)],
        lambda q, p, r: (
            mpf("8.9875517923e9") * p / r**2,
            mpf("8.9875517923e9") * q / r**2,
            -2 * mpf("8.9875517923e9") * q * p / r**3,
        ),
        "Coulomb's law",
        variables="qpr",
    ),
    *cases(
        "exp(-2*r**2/(1 + z**2))/(1 + z**2)",
        [(0.3, -1.7), (2.5, 0.1)],
        gaussian_beam,
        "intensity of a Gaussian beam",
        variables="rz",
    ),
    *cases(
        "sqrt(1 + (z/1.3)**2)",
        [0.4, -9.0],
        lambda z: z / (mpf(169) / 100 * sqrt(1 + z**2 * 100 / 169)),
        "width of a Gaussian beam",
        variables="z",
    ),
    *cases("asin(n*sin(a)/k)", [(1.0, 1.33, 0.6), (1.5, 1.0, -0.7)], snell, "Snell's law", variables="nka"),
    *cases(
        "f*sqrt((1 + b)/(1 - b))",
        [(4.5e14, 0.1), (1.0, -0.999)],
        doppler,
        "relativistic Doppler effect",
        variables="fb",
    ),
    *cases(
        "L + 2.42631023538e-12*(1 - cos(a))",
        [(7.11e-11, 1.2)],
        lambda L, a: (mpf(1), mpf("2.42631023538e-12") * sin(a)),
        "Compton scattering",
        variables="La",
    ),
    *cases(
        "D*(1 - exp(-a*(r - 0.74)))**2",
        [(4.75, 1.94, 0.75), (4.75, 1.94, 3.0)],
        morse,
        "Morse potential",
        variables="Dar",
    ),
    *cases(
        "-g*exp(-m*r)/r",
        [(2.0, 0.7, 1.3)],
        lambda g, m, r: (-exp(-m * r) / r, g * exp(-m * r), g * exp(-m * r) * (m / r + 1 / r**2)),
        "Yukawa potential",
        variables="gmr",
    ),
    *cases(
        "1/(exp((e - mu)/T) + 1)",
        [(1.1, 1.0, 0.025), (0.1, 1.0, 0.025)],
        fermi_dirac,
        "Fermi-Dirac distribution",
        variables=("e", "mu", "T"),
    ),
    *cases("1/expm1(e/T)", [(1.1, 0.3), (1e-5, 0.3)], bose_einstein, "Bose-Einstein distribution", variables="eT"),
    *cases(
        "A*exp(-Q/(8.314462618*T))",
        [(1e13, 75000.0, 298.15)],
        lambda A, Q, T: (
            exp(-Q / (mpf("8.314462618") * T)),
            -A / (mpf("8.314462618") * T) * exp(-Q / (mpf("8.314462618") * T)),
            A * Q / (mpf("8.314462618") * T**2) * exp(-Q / (mpf("8.314462618") * T)),
        ),
        "Arrhenius equation",
        variables="AQT",
    ),
    *cases(
        "8.314462618*T/(2*96485.33212)*log(p/q)",
        [(298.15, 0.01, 1.0)],
        lambda T, p, q: (
            mpf("8.314462618") / (2 * mpf("96485.33212")) * log(p / q),
            mpf("8.314462618") / (2 * mpf("96485.33212")) * T / p,
            -mpf("8.314462618") / (2 * mpf("96485.33212")) * T / q,
        ),
        "Nernst equation",
        variables="Tpq",
    ),
    *cases(
        "sqrt(2*6.6743e-11*M/r)",
        [(5.972e24, 6.371e6)],
        lambda M, r: (sqrt(mpf("6.6743e-11") / (2 * M * r)), -sqrt(mpf("6.6743e-11") * M / (2 * r**3))),
        "escape velocity",
        variables="Mr",
    ),
    *cases(
        "v**2*sin(2*a)/9.80665",
        [(30.0, 0.7)],
        lambda v, a: (2 * v * sin(2 * a) / mpf("9.80665"), 2 * v**2 * cos(2 * a) / mpf("9.80665")),
        "range of a projectile",
        variables="va",
    ),
    *cases(
        "x*tan(a) - 9.80665*x**2/(2*v**2*cos(a)**2)",
        [(30.0, 0.7, 11.0)],
        projectile_height,
        "path of a projectile",
        variables="vax",
    ),
    *cases("coth(x) - 1/x", [0.3, -4.0, 1e-3], lambda x: 1 / x**2 - csch(x) ** 2, "Langevin function"),
    *cases(
        "1.5*coth(1.5*x) - coth(x/2)/2",
        [0.9, -2.2],
        lambda x: -mpf(9) / 4 * csch(mpf(3) / 2 * x) ** 2 + csch(x / 2) ** 2 / 4,
        "Brillouin function",
    ),
    *cases(
        "a*cosh(x/a)",
        [(1.3, 0.7), (0.4, -3.0)],
        lambda a, x: (cosh(x / a) - x / a * sinh(x / a), sinh(x / a)),
        "catenary",
        variables="ax",
    ),
    *cases(
        "sqrt(9.81*k*tanh(2.5*k))",
        [0.3, 11.0],
        lambda k: (
            mpf("9.81")
            / 2
            * (tanh(mpf(5) / 2 * k) + mpf(5) / 2 * k * (1 - tanh(mpf(5) / 2 * k) ** 2))
            / sqrt(mpf("9.81") * k * tanh(mpf(5) / 2 * k))
        ),
        "dispersion of water waves",
        variables="k",
    ),
    *cases(
        "I*expm1(V/0.02585)",
        [(1e-12, 0.65), (1e-12, -0.1)],
        lambda current, V: (expm1(V / mpf("0.02585")), current / mpf("0.02585") * exp(V / mpf("0.02585"))),
        "Shockley diode equation",
        variables="IV",
    ),
    *cases("20*log10(p/20e-6)", [0.63], lambda p: 20 / (p * log(mpf(10))), "sound pressure level", variables="p"),
    *cases(
        "V*s/(K + s)",
        [(0.4, 1.7, 0.03)],
        lambda V, s, K: (s / (K + s), V * K / (K + s) ** 2, -V * s / (K + s) ** 2),
        "Michaelis-Menten kinetics",
        variables="VsK",
    ),
    *cases(
        "u*log(m/(m - q*t))",
        [(2500.0, 1e5, 250.0, 200.0)],
        lambda u, m, q, t: (log(m / (m - q * t)), u / m - u / (m - q * t), u * t / (m - q * t), u * q / (m - q * t)),
        "Tsiolkovsky rocket equation",
        variables="umqt",
    ),
    *cases(
        "-p*log2(p) - (1 - p)*log2(1 - p)",
        [0.11, 0.93],
        lambda p: log((1 - p) / p) / log(mpf(2)),
        "binary entropy, Shannon",
        variables="p",
    ),
    *cases(
        "hypot(R, w*L - 1/(w*C))",
        [(50.0, 314.159, 0.1, 1e-5)],
        resonance_impedance,
        "impedance of a circuit",
        variables="RwLC",
    ),
    *cases(
        "atan2(w*L - 1/(w*C), R)", [(50.0, 314.159, 0.1, 1e-5)], resonance_phase, "phase of a circuit", variables="RwLC"
    ),
    *cases(
        "2*asin(sqrt(sin((b - a)/2)**2 + cos(a)*cos(b)*sin(0.3)**2))",
        [(0.81, -0.35)],
        haversine,
        "haversine formula",
        variables="ab",
    ),
    *cases(
        "(x - y)/log(x/y)",
        [(60.0, 20.0), (300.001, 300.0)],
        log_mean_temperature,
        "logarithmic mean temperature difference",
        variables="xy",
    ),
    *cases("atanh(v)", [0.999], lambda v: 1 / (1 - v**2), "rapidity", variables="v"),
    *cases("2*atan(exp(x)) - pi/2", [0.7, -1.9], lambda x: 1 / cosh(x), "Gudermannian, DLMF 4.23(viii)"),
    *cases("2*atan(x/(1 + sqrt(1 - x**2)))", [0.3, -0.8], lambda x: 1 / sqrt(1 - x**2), "half-angle form of asin"),
    *cases("asinh(tan(x))", [0.7, -1.2], lambda x: 1 / cos(x), "Mercator projection"),
    *cases(
        "acos(1 - h/6371)*6371",
        [0.3],
        lambda h: 1 / sqrt(1 - (1 - h / 6371) ** 2),
        "distance of the horizon",
        variables="h",
    ),
    *cases(
        "acot(x)*acosh(y)",
        [(0.7, 1.9)],
        lambda x, y: (-log(y + sqrt(y**2 - 1)) / (1 + x**2), atan(1 / x) / sqrt(y**2 - 1)),
        "DLMF 4.37(iv), logarithmic form of acosh",
        variables="xy",
    ),
    *cases(
        "acsc(x)*cot(y)",
        [(1.7, 0.4)],
        lambda x, y: (-cot(y) / (x * sqrt(x**2 - 1)), -asin(1 / x) * (1 + cot(y) ** 2)),
        "DLMF 4.23",
        variables="xy",
    ),
    *cases(
        "acoth(x)*coth(y)",
        [(1.7, 0.4)],
        lambda x, y: (coth(y) / (1 - x**2), -log((x + 1) / (x - 1)) / 2 * (coth(y) ** 2 - 1)),
        "DLMF 4.37(iv), logarithmic form of acoth",
        variables="xy",
    ),
]
