"""Mutants that no test can tell from the code, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from .draw import Mutant

__all__ = ["EQUIVALENTS", "Equivalent", "why_equivalent"]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A changed line of a function, as the survivors are printed, and why nobody can see the change."""

    function: str
    new: str
    why: str


EQUIVALENTS = (
    # limits of effort, and points that are tried: where exactly they lie is no promise
    Equivalent(
        "sample_points",
        "points = [first, first * (1 + 2.0**-9 * random.normal(size=n)), random.uniform(0.1, 2.5, n), "
        "random.normal(size=n)]",
        "another point beside the first one serves as well",
    ),
    Equivalent("", "TREE_LIMIT = 999", "one node less of a formula that is too large for SymPy"),
    Equivalent(
        "", "{str(k): float(k) for k in range(3, 1002)}", "one more factor is sought, and one that fits is right"
    ),
    Equivalent(
        "_spherical_taylor",
        "following[m + 1] = following.get(m + 2, Fraction(0)) - w * Fraction(m + 1, 2 * m + 1)",
        "the orders come in ascending order, so nothing is there at m + 1 yet",
    ),
    Equivalent(
        "_sleeping",
        'return rest[10:] if state == "S" else None',
        "of a process that sleeps the other numbers change as little",
    ),
    Equivalent("_Line._nominal", "if (not (math.isfinite(lost))):", "fractions give the same number, and take longer"),
    Equivalent(
        "_certified", "if found is None and bits < TIE_BITS:", "a rational number is asked for earlier than is needed"
    ),
    Equivalent("applied", "return write.scaled(operands[-1], -1)", "there is one operand"),
    Equivalent(
        "_parts",
        "return list(expr.args), lambda ids: DERIVED[name](Term(build, ids[-1])).index",
        "there is one operand",
    ),
    Equivalent("", "_OPTIMIZED = 2", "a function has both flags, and the body of a class has neither"),
    Equivalent(
        "_plus",
        "return ast.BinOp(node, ast.Add() if (not (step > 0)) else ast.Sub(), ast.Constant(1))",
        "both neighbours are tried at one price, the other one first",
    ),
    Equivalent(
        "_Reader._close",
        'condition = self._index(others[-1], "condition")',
        "a bracket that is no call has a value and a condition, and no third item",
    ),
    Equivalent(
        "at_the_limit", "for rounds in (3, 5, 24, 96, 384):", "a loop that converges has a limit after 5 rounds, too"
    ),
    Equivalent("_below_student", "centre = tail = 0.0", "what stands for no number is taken for none"),
    Equivalent(
        "_contract",
        "error = _einsum(node.payload, a, spread[1] + (terms + 2) * unit * b)",
        "a bound that is wider by one rounding",
    ),
    Equivalent(
        "moved_products",
        "p: (moved[p] if p in moved else known[p]) * (moved[p + half] if p + half in moved else known[p - half])",
        "from the end, which is as far away as half the list, it is the same factor",
    ),
    Equivalent(
        "sample_points", "return points if n <= 199 else points[:4]", "fewer points of a function of 200 numbers"
    ),
    Equivalent(
        "_spread",
        'spread = np.einsum("ngop,gock->ngcpk", _grouped(values, groups), kernels).reshape(-2)',
        "NumPy takes any negative length for what is left",
    ),
    Equivalent(
        "sample_points",
        "points += [-random.uniform(0.2, (2 * 1.5), n), 3 * random.normal(size=n), random.uniform(2, 9, n)]",
        "another point of those that are far apart serves as well",
    ),
    Equivalent("", "_EXPONENT = 781", "of the binades that products may go beyond, some two hundred are left"),
    Equivalent(
        "find_cause_nearby",
        "real = np.abs(np.abs(here.difference) - np.abs(gap)) <= (2 * 1e-9) * np.abs(gap)",
        "the two are one number but for rounding, or one is a fault of the floats, which is no such part of it",
    ),
    Equivalent(
        "look",
        "if bar > 7 * best and abs(error) <= bar:",
        "the bars double as the steps are halved: the search for a finer one ends as early, or a step before",
    ),
    # other examples serve as well
    Equivalent("", "tuple(-1.2 if k % 1 == 0 else 1.0 for k in range(_MANY)),", "another point of the catalogue"),
    Equivalent("", 'CatalogueEntry("x0**2 + x1**2", ((2 * 3.0), 4.0), "none"),', "another point of the catalogue"),
    Equivalent(
        "",
        "_TRIG = _line(low=2.0**-31, high=2.0**1020, flat=(-30.0, 30.0), near=_ZEROS_OF_SINE)",
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "",
        '"lambertw": _pieces(-0.36, 1e300, near=((2 * 0.36), 1.0, math.e)),',
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "measure_special", "spread = 2.0 ** -(9 + 10 * level)", "where the hunt for the largest rounding goes on"
    ),
    Equivalent(
        "",
        '"erfi": _pieces(-26.0, -5.0, 5.0, 26.0, near=(0.5, (2 * 1.0), 5.0, 25.0)),',
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "",
        '"airyai": (*_pieces(*_AIRY, near=(*_AI, 0.0), zeros=True), *_pieces(0.0, 9.0, 100.0, near=(2.09, 8.3))),',
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "",
        '"airybi": (*_pieces(*_AIRY, near=(*_BI, 2.09), zeros=True), *_pieces(0.0, 9.0, 100.0, near=(2.09, 0.0))),',
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "",
        '"asinh": _line(low=2.0**-60, high=2.0*1000, flat=(-20.0, 20.0)),',
        "where the hunt for the largest rounding begins",
    ),
    Equivalent(
        "",
        'CatalogueEntry("sin(x0)*cos(x1) + (1e5 + x0*x1)**2 - 1e10 - 2e5*x0*x1 - (x0*x1)**2", '
        '(1.0, (2 * 0.7)), "noise"),',
        "another point of the catalogue",
    ),
    Equivalent("", "RANGE_BITS = 65", "enclosures are valid at any precision, and wider than the rounding of floats"),
)


def why_equivalent(mutant: Mutant) -> str:
    """Return the reason that was noted for a mutant, or nothing."""
    return next((e.why for e in EQUIVALENTS if (e.function, e.new) == (mutant.function, mutant.new)), "")
