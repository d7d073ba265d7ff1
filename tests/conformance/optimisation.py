"""Test functions of optimisation and loss functions of machine learning, with their gradients by hand.

Polynomials are evaluated in exact rational arithmetic (digits=0), everything else by mpmath. Data of the truth test.
"""

import runpy
from fractions import Fraction
from pathlib import Path

from mpmath import cos, e, exp, log, log1p, mpf, pi, sin, sqrt, tan, tanh

_truth = runpy.run_path(str(Path(__file__).with_name("truth.py")))
cases, expansion = _truth["cases"], _truth["expansion"]

JAMIL_YANG = "Jamil and Yang 2013, A literature survey of benchmark functions"
DEZERO = "Saito 2016, Deep learning from scratch, chapter 4"


def rosenbrock(x, y):
    return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)


def rosenbrock_4(a, b, c, d):
    return (
        -2 * (1 - a) - 400 * a * (b - a**2),
        200 * (b - a**2) - 2 * (1 - b) - 400 * b * (c - b**2),
        200 * (c - b**2) - 2 * (1 - c) - 400 * c * (d - c**2),
        200 * (d - c**2),
    )


def himmelblau(x, y):
    p, q = x**2 + y - 11, x + y**2 - 7
    return 4 * x * p + 2 * q, 2 * p + 4 * y * q


def beale(x, y):
    a, b, c = Fraction(3, 2) - x + x * y, Fraction(9, 4) - x + x * y**2, Fraction(21, 8) - x + x * y**3
    return (
        2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1),
        2 * a * x + 4 * b * x * y + 6 * c * x * y**2,
    )


def goldstein_price(x, y):
    s = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    t = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    p, q = 1 + (x + y + 1) ** 2 * s, 30 + (2 * x - 3 * y) ** 2 * t
    px = 2 * (x + y + 1) * s + (x + y + 1) ** 2 * (-14 + 6 * x + 6 * y)
    py = 2 * (x + y + 1) * s + (x + y + 1) ** 2 * (-14 + 6 * x + 6 * y)
    qx = 4 * (2 * x - 3 * y) * t + (2 * x - 3 * y) ** 2 * (-32 + 24 * x - 36 * y)
    qy = -6 * (2 * x - 3 * y) * t + (2 * x - 3 * y) ** 2 * (48 - 36 * x + 54 * y)
    return px * q + p * qx, py * q + p * qy


def ackley(x, y):
    r = sqrt((x**2 + y**2) / 2)
    radial = 2 * exp(-r / 5) / r
    wave = pi * exp((cos(2 * pi * x) + cos(2 * pi * y)) / 2)
    return radial * x + wave * sin(2 * pi * x), radial * y + wave * sin(2 * pi * y)


def rastrigin(x, y):
    return 2 * x + 20 * pi * sin(2 * pi * x), 2 * y + 20 * pi * sin(2 * pi * y)


def griewank(x, y):
    r = sqrt(mpf(2))
    return x / 2000 + sin(x) * cos(y / r), y / 2000 + cos(x) * sin(y / r) / r


def branin(x, y):
    p = y - mpf("5.1") / (4 * pi**2) * x**2 + 5 / pi * x - 6
    return 2 * p * (-2 * mpf("5.1") / (4 * pi**2) * x + 5 / pi) - 10 * (1 - 1 / (8 * pi)) * sin(x), 2 * p


def six_hump_camel(x, y):
    return 8 * x - Fraction(42, 5) * x**3 + 2 * x**5 + y, x - 8 * y + 16 * y**3


def three_hump_camel(x, y):
    return 4 * x - Fraction(21, 5) * x**3 + x**5 + y, x + 2 * y


def easom(x, y):
    bell = exp(-((x - pi) ** 2) - (y - pi) ** 2)
    return (
        bell * cos(y) * (sin(x) + 2 * (x - pi) * cos(x)),
        bell * cos(x) * (sin(y) + 2 * (y - pi) * cos(y)),
    )


def mccormick(x, y):
    return cos(x + y) + 2 * (x - y) - mpf(3) / 2, cos(x + y) - 2 * (x - y) + mpf(5) / 2


def levy(x, y):
    # w = 1 + (x - 1)/4, v = 1 + (y - 1)/4
    w, v = 1 + (x - 1) / 4, 1 + (y - 1) / 4
    dw = (
        pi * sin(2 * pi * w)
        + 2 * (w - 1) * (1 + 10 * sin(pi * w + 1) ** 2)
        + (w - 1) ** 2 * 20 * pi * sin(pi * w + 1) * cos(pi * w + 1)
    )
    dv = 2 * (v - 1) * (1 + sin(2 * pi * v) ** 2) + (v - 1) ** 2 * 4 * pi * sin(2 * pi * v) * cos(2 * pi * v)
    return dw / 4, dv / 4


def booth(x, y):
    return 2 * (x + 2 * y - 7) + 4 * (2 * x + y - 5), 4 * (x + 2 * y - 7) + 2 * (2 * x + y - 5)


def matyas(x, y):
    return Fraction(13, 25) * x - Fraction(12, 25) * y, Fraction(13, 25) * y - Fraction(12, 25) * x


def styblinski_tang(x, y):
    return (4 * x**3 - 32 * x + 5) / 2, (4 * y**3 - 32 * y + 5) / 2


def powell(a, b, c, d):
    return (
        2 * (a + 10 * b) + 40 * (a - d) ** 3,
        20 * (a + 10 * b) + 4 * (b - 2 * c) ** 3,
        10 * (c - d) - 8 * (b - 2 * c) ** 3,
        -10 * (c - d) - 40 * (a - d) ** 3,
    )


def schaffer_2(x, y):
    # 1/2 + (sin(x^2 - y^2)^2 - 1/2)/(1 + (x^2 + y^2)/1000)^2
    k = 1 + (x**2 + y**2) / 1000
    s = sin(x**2 - y**2) ** 2 - mpf(1) / 2
    ds = 2 * sin(x**2 - y**2) * cos(x**2 - y**2)
    return 2 * x * ds / k**2 - 2 * s / k**3 * x / 500, -2 * y * ds / k**2 - 2 * s / k**3 * y / 500


def drop_wave(x, y):
    r, d = sqrt(x**2 + y**2), (x**2 + y**2) / 2 + 2
    radial = (12 * sin(12 * r) * d + (1 + cos(12 * r)) * r) / d**2
    return radial * x / r, radial * y / r


def bukin_6(x, y):
    # at points where both absolute values have a positive argument
    root = sqrt(y - x**2 / 100)
    return -x / root + mpf(1) / 100, 50 / root


def eggholder(x, y):
    # at points where both absolute values have a positive argument
    p, q = sqrt(x / 2 + y + 47), sqrt(x - y - 47)
    return (
        -(y + 47) * cos(p) / (4 * p) - sin(q) - x * cos(q) / (2 * q),
        -sin(p) - (y + 47) * cos(p) / (2 * p) + x * cos(q) / (2 * q),
    )


def sigmoid(x):
    return 1 / (1 + exp(-x))


def tanh_layer(w, v, b):
    # tanh(0.6 w - 0.9 v + b)
    slope = 1 - tanh(mpf(6) / 10 * w - mpf(9) / 10 * v + b) ** 2
    return mpf(6) / 10 * slope, -mpf(9) / 10 * slope, slope


def two_layers(w, v):
    # sigmoid(v tanh(0.3 w)) against the target 1, squared error
    hidden = tanh(mpf(3) / 10 * w)
    out = sigmoid(v * hidden)
    back = 2 * (out - 1) * out * (1 - out)
    return back * v * (1 - hidden**2) * mpf(3) / 10, back * hidden


def softmax_cross_entropy(*weights):
    # x = (0.6, 0.9), one-hot target (0, 0, 1): the gradient is the outer product of x and p - t
    x = (mpf(6) / 10, mpf(9) / 10)
    scores = [x[0] * weights[j] + x[1] * weights[3 + j] for j in range(3)]
    total = sum(exp(s) for s in scores)
    p = [exp(s) / total for s in scores]
    difference = [p[0], p[1], p[2] - 1]
    return tuple(x[i] * difference[j] for i in range(2) for j in range(3))


def gelu(x):
    # x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    u = sqrt(2 / pi) * (x + mpf("0.044715") * x**3)
    return (1 + tanh(u)) / 2 + x / 2 * (1 - tanh(u) ** 2) * sqrt(2 / pi) * (1 + 3 * mpf("0.044715") * x**2)


def logistic_loss(w, b):
    # targets +1 at x = 0.5 and -1 at x = -1.5
    a, c = -(w / 2 + b), -mpf(3) / 2 * w + b
    return -sigmoid(a) / 2 - mpf(3) / 2 * sigmoid(c), -sigmoid(a) + sigmoid(c)


def layer_norm(x, y, z):
    # first component after layer normalisation, (x - m)/sqrt(v + 1e-5); truth from the formula itself
    m = (x + y + z) / 3
    return (x - m) / sqrt(((x - m) ** 2 + (y - m) ** 2 + (z - m) ** 2) / 3 + mpf(10) ** -5)


TEXTBOOK = [
    *cases("0.01*x**2 + 0.1*x", [5.0, 10.0], lambda x: x / 50 + Fraction(1, 10), DEZERO, digits=0),
    *cases("0.01*x^2 + 0.1*x", [-7.3], lambda x: x / 50 + Fraction(1, 10), DEZERO, digits=0),
    *cases(
        "x0**2 + x1**2",
        [(3.0, 4.0), (0.0, 2.0), (3.0, 0.0), (-3.0, 4.0)],
        lambda x, y: (2 * x, 2 * y),
        DEZERO,
        variables=("x0", "x1"),
        digits=0,
    ),
]

OPTIMISATION = [
    *cases(
        "(1 - x)**2 + 100*(y - x**2)**2",
        [(-1.2, 1.0), (1.0, 1.0), (0.9999999, 1.0000001)],
        rosenbrock,
        "Rosenbrock 1960",
        variables="xy",
        digits=0,
    ),
    *cases(
        "(1 - x0)**2 + 100*(x1 - x0**2)**2 + (1 - x1)**2 + 100*(x2 - x1**2)**2 + (1 - x2)**2 + 100*(x3 - x2**2)**2",
        [(-1.2, 1.0, -1.2, 1.0), (0.1, 0.2, 0.3, 0.4)],
        rosenbrock_4,
        "Rosenbrock 1960, chained",
        variables=("x0", "x1", "x2", "x3"),
        digits=0,
    ),
    *cases(
        "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
        [(3.0, 2.0), (-2.805118, 3.131312), (0.1, -0.3)],
        himmelblau,
        "Himmelblau 1972",
        variables="xy",
        digits=0,
    ),
    *cases(
        "(1.5 - x + x*y)**2 + (2.25 - x + x*y**2)**2 + (2.625 - x + x*y**3)**2",
        [(3.0, 0.5), (1.1, -0.7)],
        beale,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases(
        "(1 + (x + y + 1)**2*(19 - 14*x + 3*x**2 - 14*y + 6*x*y + 3*y**2))"
        "*(30 + (2*x - 3*y)**2*(18 - 32*x + 12*x**2 + 48*y - 36*x*y + 27*y**2))",
        [(0.0, -1.0), (0.1, -0.9), (-1.5, 1.7)],
        goldstein_price,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases(
        "-20*exp(-0.2*sqrt(0.5*(x**2 + y**2))) - exp(0.5*(cos(2*pi*x) + cos(2*pi*y))) + E + 20",
        [(0.3, -0.7), (1e-9, 2.5)],
        ackley,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "20 + x**2 - 10*cos(2*pi*x) + y**2 - 10*cos(2*pi*y)",
        [(0.3, -4.7), (1.0, 0.5)],
        rastrigin,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "1 + x**2/4000 + y**2/4000 - cos(x)*cos(y/sqrt(2))",
        [(0.3, -4.7), (0.0, 0.0), (500.1, 3.0)],
        griewank,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "(y - 5.1/(4*pi**2)*x**2 + 5/pi*x - 6)**2 + 10*(1 - 1/(8*pi))*cos(x) + 10",
        [(2.5, 7.5), (3.141592653589793, 2.275)],
        branin,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "(4 - 2.1*x**2 + x**4/3)*x**2 + x*y + (-4 + 4*y**2)*y**2",
        [(0.0898, -0.7126), (-1.7, 0.8)],
        six_hump_camel,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases(
        "2*x**2 - 1.05*x**4 + x**6/6 + x*y + y**2",
        [(0.1, -0.2)],
        three_hump_camel,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases(
        "-cos(x)*cos(y)*exp(-(x - pi)**2 - (y - pi)**2)",
        [(3.0, 3.3), (10.0, -10.0)],
        easom,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "sin(x + y) + (x - y)**2 - 1.5*x + 2.5*y + 1",
        [(-0.54719, -1.54719), (3.1, 0.2)],
        mccormick,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "sin(pi*(1 + (x - 1)/4))**2 + ((x - 1)/4)**2*(1 + 10*sin(pi*(1 + (x - 1)/4) + 1)**2)"
        " + ((y - 1)/4)**2*(1 + sin(2*pi*(1 + (y - 1)/4))**2)",
        [(0.3, -4.7), (7.5, 2.2)],
        levy,
        "Levy and Montalvo 1985; Laguna and Marti 2005",
        variables="xy",
    ),
    *cases(
        "(x + 2*y - 7)**2 + (2*x + y - 5)**2",
        [(1.0, 3.0), (0.1, 0.7)],
        booth,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases("0.26*(x**2 + y**2) - 0.48*x*y", [(0.1, 0.7), (12.0, 13.0)], matyas, JAMIL_YANG, variables="xy", digits=0),
    *cases(
        "(x**4 - 16*x**2 + 5*x + y**4 - 16*y**2 + 5*y)/2",
        [(-2.903534, 0.3)],
        styblinski_tang,
        JAMIL_YANG,
        variables="xy",
        digits=0,
    ),
    *cases(
        "(a + 10*b)**2 + 5*(c - d)**2 + (b - 2*c)**4 + 10*(a - d)**4",
        [(3.0, -1.0, 0.0, 1.0), (0.1, 0.2, -0.3, 0.7)],
        powell,
        "Powell 1962, singular function",
        variables="abcd",
        digits=0,
    ),
    *cases(
        "0.5 + (sin(x**2 - y**2)**2 - 0.5)/(1 + 0.001*(x**2 + y**2))**2",
        [(0.3, -1.7)],
        schaffer_2,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases(
        "-(1 + cos(12*sqrt(x**2 + y**2)))/(0.5*(x**2 + y**2) + 2)",
        [(0.3, -1.7)],
        drop_wave,
        JAMIL_YANG,
        variables="xy",
    ),
    *cases("100*sqrt(abs(y - 0.01*x**2)) + 0.01*abs(x + 10)", [(-9.3, 1.2)], bukin_6, JAMIL_YANG, variables="xy"),
    *cases(
        "-(y + 47)*sin(sqrt(abs(x/2 + y + 47))) - x*sin(sqrt(abs(x - (y + 47))))",
        [(400.3, 211.7)],
        eggholder,
        JAMIL_YANG,
        variables="xy",
    ),
]

LEARNING = [
    *cases("1/(1 + exp(-x))", [0.3, -2.1, 20.0], lambda x: sigmoid(x) * sigmoid(-x), "sigmoid"),
    *cases("log(1 + exp(x))", [0.3, -30.0], sigmoid, "softplus"),
    *cases("log1p(exp(-abs(x))) + max(x, 0)", [0.3, -30.0, 700.0], sigmoid, "softplus, stable form"),
    *cases(
        "tanh(0.6*w - 0.9*v + b)",
        [(0.47355232, 0.85557411, 0.1), (2.0, -3.0, 0.5)],
        tanh_layer,
        "layer with tanh",
        variables="wvb",
    ),
    *cases("(1/(1 + exp(-v*tanh(0.3*w))) - 1)**2", [(0.7, -1.3)], two_layers, "two layers", variables="wv"),
    *cases(
        "0.5*((y0 - 0)**2 + (y1 - 0)**2 + (y2 - 1)**2)",
        [(0.1, 0.05, 0.6)],
        lambda a, b, c: (a, b, c - 1),
        DEZERO,
        variables=("y0", "y1", "y2"),
        digits=0,
    ),
    *cases(
        "-log(y + 1e-7)",
        [0.6, 0.1, 0.0, 1e-12],
        lambda y: -1 / (y + Fraction(1, 10**7)),
        DEZERO + ", cross entropy",
        variables="y",
        digits=0,
    ),
    *cases(
        "log(exp(0.6*w0 + 0.9*w3) + exp(0.6*w1 + 0.9*w4) + exp(0.6*w2 + 0.9*w5)) - (0.6*w2 + 0.9*w5)",
        [
            (0.47355232, 0.9977393, 0.84668094, 0.85557411, 0.03563661, 0.69422093),
            (3.0, -2.0, 0.5, 40.0, -7.0, 1.0),
        ],
        softmax_cross_entropy,
        DEZERO + ", softmax with cross entropy",
        variables=("w0", "w1", "w2", "w3", "w4", "w5"),
    ),
    *cases("max(x, 0)", [0.3, -0.3], lambda x: mpf(x > 0), "rectifier"),
    *cases("max(0.01*x, x)", [0.3, -0.3], lambda x: mpf(1) if x > 0 else mpf(1) / 100, "leaky rectifier"),
    *cases("where(x > 0, x, expm1(x))", [0.3, -0.3], lambda x: mpf(1) if x > 0 else exp(x), "exponential unit"),
    *cases(
        "where(abs(r) <= 1.345, r**2/2, 1.345*abs(r) - 1.345**2/2)",
        [0.3, -1.2, -2.7],
        lambda r: r if abs(r) < mpf("1.345") else -mpf("1.345"),
        "Huber 1964",
        variables="r",
    ),
    *cases(
        "max(0, 1 - y*s)",
        [(1.0, 0.3), (-1.0, -1.7)],
        lambda y, s: (-s, -y) if y * s < 1 else (mpf(0), mpf(0)),
        "hinge loss",
        variables="ys",
    ),
    *cases("x/(1 + exp(-x))", [0.3, -5.1], lambda x: sigmoid(x) * (1 + x * sigmoid(-x)), "swish"),
    *cases("0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))", [0.3, -2.1], gelu, "Hendrycks and Gimpel 2016"),
    *cases(
        "log1p(exp(-(0.5*w + b))) + log1p(exp(-1.5*w + b))",
        [(0.7, 0.1), (-3.0, 2.0)],
        logistic_loss,
        "logistic regression",
        variables="wb",
    ),
    *cases(
        "(x - (x + y + z)/3)/sqrt(((x - (x + y + z)/3)**2 + (y - (x + y + z)/3)**2 + (z - (x + y + z)/3)**2)/3 + 1e-5)",
        [(0.3, -0.7, 1.9)],
        expansion(layer_norm),
        "Ba et al. 2016, layer normalisation",
        variables="xyz",
    ),
    *cases("log(cosh(x))", [0.3, -4.0], tanh, "log-cosh loss"),
    *cases("x*tanh(log1p(exp(x)))", [0.3, -2.0], expansion(lambda x: x * tanh(log1p(exp(x)))), "Misra 2019, mish"),
    *cases("exp(-x**2/2)/sqrt(2*pi)", [0.3, -6.0], lambda x: -x * exp(-(x**2) / 2) / sqrt(2 * pi), "normal density"),
    *cases("E**(-x)*tan(x)", [0.3, -1.0], lambda x: e**-x * (1 + tan(x) ** 2 - tan(x)), "product rule"),
    *cases(
        "-y*log(p) - (1 - y)*log(1 - p)",
        [(1.0, 0.3), (0.25, 0.9)],
        lambda y, p: (log((1 - p) / p), -y / p + (1 - y) / (1 - p)),
        "binary cross entropy",
        variables="yp",
    ),
]

CASES = [*TEXTBOOK, *OPTIMISATION, *LEARNING]
