"""Planted bugs in arithmetic/."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # balls
    Mutant(
        "arithmetic/balls.py",
        "return -0.0 if value < 0 else 0.0",
        "return 0.0",
        "a negative number that underflows loses its sign",
    ),
    Mutant(
        "arithmetic/balls.py",
        "    return arb(0).union(x.abs_upper() ** n)\n",
        "    return (x.lower() ** n).union(x.upper() ** n)\n",
        "x**2 over [-1, 1] is enclosed by {1}",
    ),
    Mutant(
        "arithmetic/balls.py",
        "return None if a is None or b is None else True",
        "return True",
        "a condition that cannot be decided counts as true",
    ),
    Mutant(
        "arithmetic/balls.py",
        "if x.is_zero() and y > 0:",
        "if x.is_zero():",
        "0 to a negative power is 0",
    ),
    # jets
    Mutant(
        "arithmetic/jets.py",
        "return _with_head(u[0].acos(), -_asin(u))",
        "return _with_head(u[0].acos(), _asin(u))",
        "the derivatives of acos have the wrong sign in bounds and predictions",
    ),
    Mutant(
        "arithmetic/jets.py",
        "_log(u) / arb(2).log()",
        "_log(u) / arb(10).log()",
        "the derivatives of log2 are those of log10 in bounds and predictions",
    ),
    Mutant(
        "arithmetic/jets.py",
        "            return answer\n        return None\n",
        "            return answer\n        return answer\n",
        "exactly on a switch the series of one side is taken for both",
    ),
    # constants
    Mutant(
        "arithmetic/roundings/constants.py",
        "return 1.5 * largest + 0.25",
        "return largest",
        "rounding constants without a margin: bounds may be exceeded",
    ),
    Mutant(
        "arithmetic/roundings/constants.py",
        "node.payload in (2, -1)",
        "node.payload in (2, 3, -1)",
        "x**3 is taken for correctly rounded: bounds may be exceeded",
    ),
    # domain
    Mutant(
        "arithmetic/domain.py",
        "[nominal, rounded] if",
        "[rounded] if",
        "an exact abscissa beyond the edge of the domain is not noticed if its float is inside",
    ),
    Mutant(
        "arithmetic/domain.py",
        "    for k in range(high):\n",
        "    for k in range(low):\n",
        "of the steps that leave the domain the smallest is not looked at",
    ),
    # floating
    Mutant(
        "arithmetic/floating.py",
        "run(*(column[start:stop] for column in columns))",
        "run(*(column[: stop - start] for column in columns))",
        "beyond 8,192 points the values of the first ones come again",
    ),
    Mutant(
        "arithmetic/floating.py",
        "if operands and index in still:",
        "if operands and index < 0:",
        "parts without variables are computed as numbers, not as arrays, and may round otherwise",
    ),
    # germs
    Mutant(
        "arithmetic/germs.py",
        "(known[0] * b - a * known[1]) / b**2",
        "(known[0] * b - a * known[1]) / b",
        "the quotient rule at a switch has the wrong power of the divisor",
    ),
    Mutant(
        "arithmetic/germs.py",
        "first = arb(0) if power > 1 else leading",
        "first = arb(0) if power >= 1 else leading",
        "a root that starts with slope ±1 is taken for smooth: the kink of (x**2)**0.5 is not seen",
    ),
    Mutant(
        "arithmetic/germs.py",
        "slope * side if slope else slope",
        "slope",
        "slopes of the two sides are compared with the wrong sign: smooth points are undecided",
    ),
    # lipschitz
    Mutant(
        "arithmetic/lipschitz.py",
        "[1 + direction]",
        "[direction]",
        "the bound over a corner has the slope of another variable, or the value",
    ),
    Mutant(
        "arithmetic/lipschitz.py",
        "    if has_jump(program, box):\n",
        "    if not len(box):\n",
        "over a jump a bound is given, and exceeded",
    ),
    # measurement
    Mutant(
        "arithmetic/roundings/measurement.py",
        "/ math.ulp(float(exact.mid()))",
        "/ (2.0**-52 * abs(float(exact.mid())))",
        "relative errors instead of ulps: constants up to twice too small",
    ),
    Mutant(
        "arithmetic/roundings/measurement.py",
        "best = max(best, _worst(operation, arguments, errors), key=lambda m: m.ulps)",
        "best = _worst(operation, arguments, errors)",
        "the largest error of the last round is reported, not that of all",
    ),
    # one_sided
    Mutant(
        "arithmetic/one_sided.py",
        "slopes = right.coefficients[1], -left.coefficients[1]",
        "slopes = right.coefficients[1], left.coefficients[1]",
        "slopes of the two sides are compared with the wrong sign: |x| is smooth",
    ),
    Mutant(
        "arithmetic/one_sided.py",
        "joins = [_equal_values(beside, here) for beside in (right, left)]",
        "joins = [_equal_values(beside, here) for beside in (right,)]",
        "a jump on the left is overlooked",
    ),
    Mutant(
        "arithmetic/one_sided.py",
        '"add" if sign >= 0 else "subtract"',
        '"add" if sign > 0 else "subtract"',
        "atan2 on its cut has the value of the other side",
    ),
    Mutant(
        "arithmetic/one_sided.py",
        "None if less is None else b if less else a",
        "None if less is None else a if less else b",
        "the maximum is the minimum on both sides of a tie",
    ),
    # rational
    Mutant(
        "arithmetic/rational.py",
        '"min": min',
        '"min": max',
        "the lesser of two exact values is the greater",
    ),
    Mutant(
        "arithmetic/rational.py",
        "return Fraction((a > 0) - (a < 0))",
        "return Fraction((a >= 0) - (a < 0))",
        "the exact sign of 0 is 1",
    ),
    # running_error
    Mutant(
        "arithmetic/running_error.py",
        "(a > 0 and 2 * a >= b and a <= 2 * b)",
        "(a > 0 and 4 * a >= b and a <= 4 * b)",
        "differences that round are taken for exact: bounds are exceeded",
    ),
    Mutant(
        "arithmetic/running_error.py",
        "return _terms_rounding(products, half, form)",
        "return _terms_rounding(products, half - 1, form)",
        "the rounding of the products of a dot product is forgotten",
    ),
    Mutant(
        "arithmetic/running_error.py",
        "return arb(0, ulps * form.ulp(largest) + absolute + eta)",
        "return arb(0, ulps * form.ulp(abs(float(value.mid()))) + absolute + eta)",
        "the rounding of the middle of a range stands for that of its largest value",
    ),
    Mutant(
        "arithmetic/running_error.py",
        "total = 2 * sum((products[k] for k in moving)",
        "total = sum((products[k] for k in moving)",
        "the rounding of one of the two values is forgotten",
    ),
    Mutant(
        "arithmetic/running_error.py",
        "return width if jumps or not total.is_finite()",
        "return width if not total.is_finite()",
        "past a jump a derivative bounds the rounding error",
    ),
    # ulp
    Mutant(
        "arithmetic/ulp.py",
        "return -math.inf if value < 0 else math.inf",
        "return math.inf",
        "a negative number that overflows is plus infinity",
    ),
    Mutant(
        "arithmetic/ulp.py",
        "return value.numerator / value.denominator",
        "return float(value.numerator) / float(value.denominator)",
        "rationals are rounded three times",
    ),
    # condition
    Mutant(
        "arithmetic/conditioning.py",
        "return unit * len(sizes) * sum(sizes)",
        "return unit * sum(sizes)",
        "long sums in a derivative seem to round once: right gradients are called wrong",
    ),
    Mutant(
        "arithmetic/conditioning.py",
        "                pairs[t] += unit * value[w]\n",
        "                pairs[t] += unit * value[t]\n",
        "what is lost by recovering a term from a sum has the size of the term",
    ),
    Mutant(
        "arithmetic/conditioning.py",
        'b = b if operation == "subtract" else -b',
        'b = -b if operation == "subtract" else b',
        "sums are taken for exact and cancelling differences are not",
    ),
    Mutant(
        "arithmetic/conditioning.py",
        '"tanh": (0.0, 2.0)',
        '"tanh": (0.0, 0.0)',
        "the rounding of 1 - tanh**2 is forgotten: right gradients are called wrong",
    ),
    Mutant(
        "arithmetic/conditioning.py",
        "_INPUTS = 4",
        "_INPUTS = 0",
        "a condition that is written in another way must answer alike within rounding",
    ),
    # narrow
    Mutant(
        "arithmetic/roundings/narrow.py",
        "return 1.5 * largest + 0.25",
        "return 0.5",
        "float32 functions are taken for correctly rounded: bounds are exceeded",
    ),
    Mutant(
        "arithmetic/roundings/narrow.py",
        "if errors[k] > worst:",
        "if errors[k] < worst or not worst:",
        "the largest error of the first sample is reported, not that of all",
    ),
    # ranges
    Mutant(
        "arithmetic/ranges.py",
        "slope += size * operand.slope",
        "slope = size * operand.slope",
        "of a function of two operands the slope of one counts: steep functions are called moderate",
    ),
    Mutant(
        "arithmetic/ranges.py",
        "if not (values.is_finite() and all(certainly_nonzero(quantity) for quantity in switches)):",
        "if not values.is_finite():",
        "functions with a corner in the box are called smooth",
    ),
)
