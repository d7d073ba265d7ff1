"""Planted bugs in the numbers of a row that other dtypes, schemes and derivatives show than the usual ones."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    Mutant(
        "numeric/quotients.py",
        "total = total - value",
        "total = total + value",
        "a value of f with the weight −1 is added in sums of more than two",
    ),
    Mutant(
        "numeric/weights.py",
        "return total / math.factorial(size)",
        "return total / math.factorial(size + 1)",
        "Peano's constant lacks a factor: truncation exceeds its bound",
    ),
    Mutant(
        "sweeps/bounds.py",
        "bound = (np.abs(total) + doubt + remainder) * _UP",
        "bound = (np.abs(total) + doubt - remainder) * _UP",
        "the remainder of Taylor's bound on truncation has the other sign",
    ),
    Mutant(
        "sweeps/bounds.py",
        "total = around.slope * moved / k + evaluation",
        "total = evaluation",
        "the rounding of the abscissae is left out of the bound",
    ),
    Mutant(
        "sweeps/bounds.py",
        "    for _ in range(stencil.derivative - 1):\n        k = k * h\n",
        "    for _ in range(stencil.derivative - 2):\n        k = k * h\n",
        "the bounds of higher derivatives are divided by one h too few",
    ),
    Mutant(
        "sweeps/bounds.py",
        "np.where(self.evaluations.collapsed[p, v, members], 0.0, around.rounding * mass / k)",
        "np.where(self.evaluations.collapsed[p, v, members], 0.0, around.rounding / k)",
        "two values of f count in the rounding of a sum of many",
    ),
    Mutant(
        "arithmetic/ulp.py",
        'Format("float16", 11, -24, 65504.0)',
        'Format("float16", 13, -24, 65504.0)',
        "float16 is taken for a format of finer spacing: its rounding exceeds the bounds",
    ),
    Mutant(
        "sweeps/subject.py",
        "h = grid.steps.astype(grid.dtype)",
        "h = grid.steps",
        "float16 and float32 are computed with, and divided by, steps of binary64",
    ),
    Mutant(
        "sweeps/split.py",
        "self.degree < stencil.order + stencil.derivative:",
        "self.degree <= stencil.order + stencil.derivative:",
        "the truncation error of a polynomial of the first degree that has one is called 0",
    ),
)
