"""Planted bugs in compare/: the reference, the table of errors, its split, its bounds and its summary."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # bounds
    Mutant(
        "sweeps/bounds.py",
        "weight = ball(stencil.remainder_coefficient(n))",
        "weight = ball(abs(stencil.error_coefficient(n - stencil.derivative)))",
        "of extreme numbers the remainders of the abscissae cancel in the bound, as they need not",
    ),
    Mutant(
        "sweeps/bounds.py",
        "hull = hull.union(ball(float(ends[0][k]))).union(ball(float(ends[1][k]))).union(at[direction])",
        "hull = hull.union(at[direction])",
        "an abscissa that was rounded outwards lies outside the hull",
    ),
    Mutant(
        "sweeps/bounds.py",
        "moved = moved + ball(abs(gap)) if gap else moved",
        "moved = ball(abs(gap)) if gap else moved",
        "of extreme numbers the rounding of one abscissa counts",
    ),
    # exact_error
    Mutant(
        "certify/exact_error.py",
        "doubt = slack + rounded",
        "doubt = slack",
        "errors of numbers that nearly cancel may be rounded the wrong way",
    ),
    Mutant(
        "certify/exact_error.py",
        "return total, (a - (total - virtual)) + (b - virtual)",
        "return total, b - (total - a)",
        "the residual of a sum is wrong where the second term is larger",
    ),
    Mutant(
        "certify/exact_error.py",
        "tail * np.where(value < 0, -1.0, 1.0)",
        "tail",
        "relative errors of negative derivatives may be rounded the wrong way",
    ),
    # hot_spots
    Mutant(
        "sweeps/hot_spots.py",
        "ascending=False",
        "ascending=True",
        "the smallest share comes first",
    ),
    Mutant(
        "sweeps/hot_spots.py",
        "total = np.nansum(np.abs(values))",
        "total = np.nansum(values)",
        "shares of errors of both signs do not sum to one",
    ),
    # kernel
    Mutant(
        "sweeps/subject.py",
        "collapsed[:, v, j] = np.logical_and.reduce(",
        "collapsed[:, v, j] = np.logical_or.reduce(",
        "a row counts as h-underflow where two of its abscissae are one float",
    ),
    Mutant(
        "sweeps/subject.py",
        "finite[:, v, j] &= known[offset]",
        "finite[:, v, j] &= True",
        "an infinite value of f is divided away, and the row is called ok",
    ),
    # reference
    Mutant(
        "certify/reference.py",
        "contradiction = slope.is_finite() and not slope.overlaps(total)",
        "contradiction = False",
        "without SymPy no second route checks the adjoint",
    ),
    Mutant(
        "certify/reference.py",
        'return Partial("ok", rounded, tail, _upwards((rest - tail).abs_upper()))',
        'return Partial("ok", rounded, tail, 0.0)',
        "the two floats of a derivative are taken for exact: errors may be rounded the wrong way",
    ),
    Mutant(
        "certify/higher.py",
        'relative = 0.0 if error == 0 else float("inf")',
        "relative = 0.0",
        "the relative error of a derivative that is 0 is 0, whatever the error",
    ),
    # schema
    Mutant(
        "tables/schema.py",
        'f"{name}={float(value)!r}"',
        'f"{name}={float(value):.15g}"',
        "points do not read back",
    ),
    Mutant(
        "tables/schema.py",
        "dtype=pd.CategoricalDtype(list(names))",
        "dtype=pd.CategoricalDtype(sorted(names))",
        "labels are swapped: rows carry the name of another scheme or status",
    ),
    # split
    Mutant(
        "sweeps/split.py",
        "there - wanted, float_value, float_value - there)",
        "there - wanted, float_value, float_value - wanted)",
        "the evaluation error contains that of the abscissae",
    ),
    Mutant(
        "sweeps/split.py",
        "self.degree < stencil.order + stencil.derivative",
        "self.degree <= stencil.order + stencil.derivative",
        "the truncation error of x**3 is said to be 0 for the central difference",
    ),
    Mutant(
        "sweeps/split.py",
        "subtraction[:, v, s] = (narrow - lost) / k",
        "subtraction[:, v, s] = (narrow + lost) / k",
        "the error of the subtraction has the wrong sign",
    ),
    # summary
    Mutant(
        "tables/summary.py",
        "np.lexsort((-h[candidates], absolute[candidates], group[candidates]))",
        "np.lexsort((h[candidates], absolute[candidates], group[candidates]))",
        "of equally good steps the smaller one is called best",
    ),
    Mutant(
        "tables/summary.py",
        "order = eligible[np.lexsort((h[eligible], group[eligible]))]",
        "order = eligible[np.lexsort((-h[eligible], group[eligible]))]",
        "the observed order is that of the largest steps",
    ),
    Mutant(
        "tables/summary.py",
        "[~differentiable, violated, has_bound & found]",
        "[~differentiable, violated, found]",
        "without any bound the verdict is within-bound",
    ),
    # sweep
    Mutant(
        "sweeps/sweep.py",
        '    status[evaluations.collapsed] = STATUS_CODES["h-underflow"]\n'
        '    status[~evaluations.finite] = STATUS_CODES["nonfinite"]\n',
        '    status[~evaluations.finite] = STATUS_CODES["nonfinite"]\n'
        '    status[evaluations.collapsed] = STATUS_CODES["h-underflow"]\n',
        "h-underflow hides that f is not finite",
    ),
    Mutant(
        "sweeps/predictions.py",
        " + slope * moving * spacing / 2",
        "",
        "predictions lack the rounding of the abscissae",
    ),
    Mutant(
        "sweeps/sweep.py",
        "total = np.nextafter(truncation + rounding, np.where(truncation + rounding == 0, 0.0, np.inf))",
        "total = truncation + rounding",
        "the bound is rounded to nearest, so it may lie below the sum of its parts",
    ),
    Mutant(
        "sweeps/sweep.py",
        'for name in ("undecided", "kink"):',
        'for name in ("undecided",):',
        "rows at a kink are called ok",
    ),
)
