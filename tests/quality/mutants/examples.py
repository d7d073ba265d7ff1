"""Faults worth keeping: those that say most about margins, directions of rounding, signs and sides.

Each is anchored by its function, or by the name of a table, and replaces a text that occurs once in that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .draw import Mutant
from .operators import Source

__all__ = ["EXAMPLES", "Example", "mutant_of"]


@dataclass(frozen=True, slots=True)
class Example:
    """A fault that somebody could have written: where it is, the texts, and what a user would see."""

    module: str
    function: str
    old: str
    new: str
    breaks: str


def mutant_of(package: Path, example: Example) -> Mutant:
    """Return the mutant of an example.

    Raises
    ------
    ValueError
        The function is not there, or does not hold the old text exactly once.
    """
    source = Source((package / example.module).read_text(encoding="utf-8"))
    node = next((n for n, name in _named(ast.parse(source.text), "") if name == example.function), None)
    inside = "" if node is None else source.of(node)
    if inside.count(example.old) != 1 or node is None:
        raise ValueError(
            f"{example.module}, {example.function}: {example.old!r} occurs {inside.count(example.old)} times"
        )
    at = source.start(node) + inside.index(example.old)
    text = source.text[:at] + example.new + source.text[at + len(example.old) :]
    return Mutant(example.module, example.function, source.line(at), example.old, example.new, text)


def _named(node: ast.AST, outer: str) -> Iterator[tuple[ast.stmt, str]]:
    """All functions, classes and names of a module, with dots between a class and what is inside."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield child, outer + name
                yield from _named(child, f"{outer}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield child, outer + name
            case ast.If() | ast.For() | ast.With() | ast.Try():
                yield from _named(child, outer)


EXAMPLES = (
    Example(
        "arithmetic/roundings/constants.py",
        "_measured",
        "return 1.5 * largest + 0.25",
        "return largest",
        "rounding constants without a margin: bounds may be exceeded",
    ),
    Example(
        "arithmetic/balls.py",
        "_integer_power",
        "    return arb(0).union(x.abs_upper() ** n)",
        "    return (x.lower() ** n).union(x.upper() ** n)",
        "x**2 over [-1, 1] is enclosed by {1}",
    ),
    Example(
        "arithmetic/balls.py",
        "_and",
        "return None if a is None or b is None else True",
        "return True",
        "a condition that cannot be decided counts as true",
    ),
    Example(
        "arithmetic/germs.py",
        "_exact_slope",
        "(known[0] * b - a * known[1]) / b**2",
        "(known[0] * b - a * known[1]) / b",
        "the quotient rule at a switch has the wrong power of the divisor",
    ),
    Example(
        "arithmetic/one_sided.py",
        "one_sided_derivative",
        "slopes = right.coefficients[1], -left.coefficients[1]",
        "slopes = right.coefficients[1], left.coefficients[1]",
        "slopes of the two sides are compared with the wrong sign: |x| is smooth",
    ),
    Example(
        "arithmetic/one_sided.py",
        "one_sided_derivative",
        "joins = [_equal_values(beside, here) for beside in (right, left)]",
        "joins = [_equal_values(beside, here) for beside in (right,)]",
        "a jump on the left is overlooked",
    ),
    Example(
        "arithmetic/running_error.py",
        "_difference_rounding",
        "(a > 0 and 2 * a >= b and a <= 2 * b)",
        "(a > 0 and 4 * a >= b and a <= 4 * b)",
        "differences that round are taken for exact: bounds are exceeded",
    ),
    Example(
        "arithmetic/running_error.py",
        "_rounding",
        "return arb(0, ulps * form.ulp(largest) + absolute + eta)",
        "return arb(0, ulps * form.ulp(abs(float(value.mid()))) + absolute + eta)",
        "the rounding of the middle of a range stands for that of its largest value",
    ),
    Example(
        "arithmetic/running_error.py",
        "_smaller_bound",
        "total = 2 * sum(products, arb(0))",
        "total = sum(products, arb(0))",
        "the rounding of one of the two values is forgotten",
    ),
    Example(
        "arithmetic/conditioning.py",
        "_rounding",
        "return unit * len(sizes) * sum(sizes)",
        "return unit * sum(sizes)",
        "long sums in a derivative seem to round once: right gradients are called wrong",
    ),
    Example(
        "arithmetic/jets.py",
        "_acos",
        "return _with_head(u[0].acos(), -_asin(u))",
        "return _with_head(u[0].acos(), _asin(u))",
        "the derivatives of acos have the wrong sign in bounds and predictions",
    ),
    Example(
        "arithmetic/jets.py",
        "_comparison.compare",
        "            return answer\n        return None",
        "            return answer\n        return answer",
        "exactly on a switch the series of one side is taken for both",
    ),
    Example(
        "program/operations.py",
        "FALLBACKS",
        '"less_equal": operator.le',
        '"less_equal": operator.lt',
        "exact values on the edge of a condition come from the wrong branch",
    ),
    Example(
        "sweeps/bounds.py",
        "_hull",
        "hull.union(ball(reached[0])).union(ball(reached[1])).union(at)",
        "hull.union(at)",
        "an abscissa that was rounded outwards lies outside the hull",
    ),
    Example(
        "certify/exact_error.py",
        "difference",
        "doubt = slack + np.where",
        "doubt = slack + 0 * np.where",
        "errors of numbers that nearly cancel may be rounded the wrong way",
    ),
    Example(
        "arithmetic/double_double.py",
        "two_sum",
        "return total, (a - (total - virtual)) + (b - virtual)",
        "return total, b - (total - a)",
        "the residual of a sum is wrong where the second term is larger",
    ),
    Example(
        "certify/exact_error.py",
        "ratio",
        "tail * np.where(value < 0, -1.0, 1.0)",
        "tail",
        "relative errors of negative derivatives may be rounded the wrong way",
    ),
    Example(
        "certify/reference.py",
        "_contradicted",
        "contradiction = slope.is_finite() and not slope.overlaps(total)",
        "contradiction = False",
        "without SymPy no second route checks the adjoint",
    ),
    Example(
        "certify/reference.py",
        "rounded_partial",
        'return Partial("ok", rounded, tail, above(rest - tail))',
        'return Partial("ok", rounded, tail, 0.0)',
        "the two floats of a derivative are taken for exact: errors may be rounded the wrong way",
    ),
    Example(
        "sweeps/split.py",
        "_Line._place",
        "there - exact, float_value, float_value - there)",
        "there - exact, float_value, float_value - exact)",
        "the evaluation error contains that of the abscissae",
    ),
    Example(
        "sweeps/split.py",
        "_Line._fill",
        "self.degree < stencil.order + stencil.derivative:",
        "self.degree <= stencil.order + stencil.derivative:",
        "the truncation error of a polynomial of the first degree that has one is called 0",
    ),
    Example(
        "sweeps/split.py",
        "float_parts",
        "subtraction[:, :, s] = (narrow - lost) / k",
        "subtraction[:, :, s] = (narrow + lost) / k",
        "the error of the subtraction has the wrong sign",
    ),
    Example(
        "sweeps/sweep.py",
        "_bounds",
        "total = np.nextafter(truncation + rounding, np.where(truncation + rounding == 0, 0.0, np.inf))",
        "total = truncation + rounding",
        "the bound is rounded to nearest, so it may lie below the sum of its parts",
    ),
    Example(
        "verdict/causes/search.py",
        "_view",
        "slack = limit * np.where(np.isfinite(stretch), stretch, 1.0) + 4 * unit_roundoff * np.abs(e)",
        "slack = limit + 4 * unit_roundoff * np.abs(e)",
        "a factor of 1000 is not recognised, because its rounding is a thousand times as large",
    ),
    Example(
        "verdict/difference.py",
        "Difference.least",
        "return 0.0 if self.size[i] == 0 else unit_roundoff * self.size[i]",
        "return 0.0 if self.size[i] == 0 else 1e-6 * self.size[i]",
        "a tolerance of 1e-6: smaller bugs are not seen",
    ),
    Example(
        "verdict/sides.py",
        "_compare",
        "        if gap > 8 * slack:",
        "        if gap > 0:",
        "what constants' rounding leaves of two equal slopes is a kink",
    ),
    Example(
        "verdict/directions.py",
        "_step",
        "quadrature = 3 * abs(integrals[1] - integrals[0])",
        "quadrature = 0.0",
        "gradients that oscillate are called wrong: the error of the integral is forgotten",
    ),
    Example(
        "verdict/directions.py",
        "_persistent",
        "if abs(error - before) <= 0.3 * max(abs(error), abs(before)):",
        "if abs(error) > 0.0:",
        "a jump nearby makes a right gradient wrong",
    ),
    Example(
        "verdict/neighbours.py",
        "_gather",
        "np.where(counts, np.fmax(found.spread[columns], sigma), found.spread[columns])",
        "np.where(counts, np.fmin(found.spread[columns], sigma), found.spread[columns])",
        "the rounding of a gradient is taken for 0: right ones are called wrong",
    ),
    Example(
        "program/operations.py",
        "_ROWS",
        "lambda y, a, b: (a / y, b / y)",
        "lambda y, a, b: (b / y, a / y)",
        "the partial derivatives of hypot are swapped",
    ),
    Example(
        "program/operations.py",
        "_atan2",
        "return b / square, -(a / square)",
        "return b / square, a / square",
        "the sign of the second partial derivative of atan2",
    ),
    Example(
        "program/adjoint.py",
        "_reverse",
        '(second, condition.apply("select", zero, bar))',
        '(second, condition.apply("select", bar, zero))',
        "the second branch has the derivative of the first condition",
    ),
    Example(
        "program/adjoint.py",
        "_reverse",
        "contribution if held is None else held + contribution",
        "contribution",
        "of a value that is used several times one use counts",
    ),
    Example(
        "program/degree.py",
        "_degree",
        """case "multiply":
            return sum(known)""",
        """case "multiply":
            return max(known)""",
        "x*x counts as linear: its truncation error is said to be 0",
    ),
    Example(
        "numeric/quotients.py",
        "abscissa",
        "return x + h if offset > 0 else x - h",
        "return x + h",
        "central differences have both values at x + h",
    ),
    Example(
        "sweeps/bounds.py",
        "_truncation",
        "bound = (np.abs(total) + doubt + remainder) * _UP",
        "bound = (np.abs(total) + doubt - remainder) * _UP",
        "the remainder of Taylor's bound on truncation has the other sign",
    ),
    Example(
        "sweeps/complex_rows.py",
        "_parts",
        "evaluation = round_ball((ball(value) - exact) / width)",
        "evaluation = round_ball((exact - ball(value)) / width)",
        "the evaluation error of a complex step has the other sign",
    ),
    Example(
        "numeric/estimate.py",
        "estimate",
        "max(found.error, ladder.contradiction(found))",
        "found.error",
        "an answer that finer scales contradict has a small error",
    ),
    Example(
        "numeric/extrapolation.py",
        "_extrapolate",
        "truncation=2 * change",
        "truncation=0.0",
        "the error estimate lacks the truncation",
    ),
    Example(
        "numeric/weights.py",
        "peano_bound",
        "return total / math.factorial(size)",
        "return total / math.factorial(size + 1)",
        "Peano's constant lacks a factor: truncation exceeds its bound",
    ),
)
