"""Functions that are not the formula they claim to be; their gradients are right for the code.

Each pair is the wrong claim, and the same function and gradient beside the right formula.
"""

from __future__ import annotations

import math

import numpy as np

from .corpus_case import Case
from .corpus_easy import PROBLEMS

_X3 = [0.4, -1.1, 0.9]


def _known(name):
    f, gradient, formula, at = PROBLEMS[name]
    return f, gradient, formula, at


# name, f, gradient, right formula, point, wrong formula
_ROWS = (
    ("sign of a term", *_known("polynomial"), "3*x**4 + 2*x**3 + x - 7"),
    ("another power", *_known("polynomial"), "3*x**5 - 2*x**3 + x - 7"),
    ("another coefficient", *_known("rosenbrock"), "10*(x1 - x0**2)**2 + (1 - x0)**2"),
    ("a term left out", *_known("rosenbrock"), "100*(x1 - x0**2)**2"),
    ("a term too many", *_known("norm"), "sqrt(x0**2 + x1**2 + x2**2) + x0/10"),
    ("cosine for sine", *_known("damped wave"), "exp(-x)*cos(3*x)"),
    ("another frequency", *_known("damped wave"), "exp(-x)*sin(2*x)"),
    ("another base", *_known("decibel"), "20*log(x)"),
    ("degrees and radians", *_known("degrees"), "sin(x)"),
    ("exchanged variables", *_known("polar"), "atan2(x0, x1)"),
    ("exchanged factors", *_known("gas law"), "x0*x2/x1"),
    ("the square of the norm", *_known("norm"), "x0**2 + x1**2 + x2**2"),
    ("without the root", *_known("root"), "1 + x**2"),
    ("half of it", *_known("himmelblau"), "((x0**2 + x1 - 11)**2 + (x0 + x1**2 - 7)**2)/2"),
    ("minus it", *_known("entropy"), "x0*log(x0) + x1*log(x1) + x2*log(x2)"),
    ("another class", *_known("cross entropy"), "log(exp(x0) + exp(x1) + exp(x2)) - x2"),
    ("without brackets", *_known("quotient"), "x/1 + x**2"),
    ("natural for binary logarithm", *_known("octaves"), "log(x)"),
    ("inverse for reciprocal", *_known("inverse tangent"), "1/tan(3*x)"),
    ("another weight", *_known("weighted sum"), "sin(x0) - 2*sin(x1) + 0.25*sin(x2)"),
    ("a weight that differs by 1e-6", *_known("weighted sum"), "sin(x0) - 2.000002*sin(x1) + 0.5*sin(x2)"),
    ("a coefficient that differs by 1e-4", *_known("wave"), "sin(2*x0 - 3.0003*x1)*exp(-0.5*x1)"),
    ("rounded pi", lambda x: np.sin(math.pi * x), lambda x: math.pi * np.cos(math.pi * x), "sin(pi*x)", 0.3,
     "sin(3.1416*x)"),
    ("clipped in the code", lambda x: np.sum(np.minimum(x, 0.5) ** 2), lambda x: np.where(x < 0.5, 2 * x, 0.0),
     "x0**2 + x1**2 + 1/4 + 0*x2", _X3, "x0**2 + x1**2 + x2**2"),
    ("mean for sum", lambda x: np.mean(x**2), lambda x: 2 * x / len(x), "(x0**2 + x1**2 + x2**2)/3", _X3,
     "x0**2 + x1**2 + x2**2"),
)  # fmt: skip

WRONG_FORMULAS = [
    Case(name, f, gradient, np.array(at), wrong, "formula", blame="formula")
    for name, f, gradient, _, at, wrong in _ROWS
]
RIGHT_FORMULAS = [
    Case(f"right formula for: {name}", f, gradient, np.array(at), right, "easy")
    for name, f, gradient, right, at, _ in _ROWS
]
