"""Planted bugs in special functions, general stencils, higher derivatives, directions and rules for steps."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # program/
    Mutant(
        "program/lines.py",
        "Fraction(direction[i])), t)",
        "Fraction(abs(direction[i]))), t)",
        "slopes along directions of both signs are those of another direction",
    ),
    Mutant(
        "program/lines.py",
        "build.constant(Fraction(point[i])), step)",
        "build.constant(Fraction(point[0])), step)",
        "slopes along a direction are taken at another point",
    ),
    Mutant(
        "program/operation.py",
        "    parameters: int = 0\n",
        "    parameters: int = 1\n",
        "functions of a variable are refused as if it were a parameter",
    ),
    Mutant(
        "program/operation.py",
        "    by_order: bool = False\n",
        "    by_order: bool = True\n",
        "functions that have a derivative are asked for one that they lack",
    ),
    Mutant(
        "program/special_functions.py",
        "return y * (_digamma(a) - whole), y * (_digamma(b) - whole)",
        "return y * (_digamma(b) - whole), y * (_digamma(a) - whole)",
        "the partial derivatives of beta are swapped",
    ),
    Mutant(
        "program/special_functions.py",
        '_bessel("besselj", 1, -1)',
        '_bessel("besselj", 1, 1)',
        "the derivative of J is that of I",
    ),
    Mutant(
        "program/scipy_functions.py",
        "special.fresnel(x)[0]",
        "special.fresnel(x)[1]",
        "the floats of the Fresnel sine are those of the cosine",
    ),
    Mutant(
        "program/scipy_functions.py",
        "special.exp1(x) if n == 1",
        "special.exp1(x) if n <= 1",
        "the exponential integral of order 0 has the floats of order 1",
    ),
    # arithmetic/
    Mutant(
        "arithmetic/special_balls.py",
        "return arb(1) if _whole(n) is not None else x",
        "return x",
        "J of a whole order has no derivative at 0",
    ),
    Mutant(
        "arithmetic/special_balls.py",
        "return x.lgamma() if x > 0 else abs(x.gamma()).log()",
        "return x.lgamma() if x > 0 else x.gamma().log()",
        "gammaln is undefined where the gamma function is negative",
    ),
    Mutant(
        "arithmetic/roundings/special_constants.py",
        "1.5 * ulps + 0.25, 1.5 * absolute",
        "ulps, absolute",
        "constants without a margin: bounds of special functions may be exceeded",
    ),
    Mutant(
        "arithmetic/roundings/special_constants.py",
        "2 * sine + 0.75, 0.0),)",
        "sine, 0.0),)",
        "the rounding of the division in sinc is forgotten",
    ),
    Mutant(
        "arithmetic/special_jets.py",
        "c * (factorial(k + order) // factorial(k))",
        "c",
        "the series of derivatives of special functions lack their factorials",
    ),
    Mutant(
        "arithmetic/special_jets.py",
        "inside = here.is_exact() and (u.length() <= 1 or bool(u[0] != here))",
        "inside = here.is_exact()",
        "floor is smooth where it jumps",
    ),
    Mutant(
        "arithmetic/roundings/special_measurement.py",
        "    k = int(np.argmax(ulps))\n",
        "    k = int(np.argmin(ulps))\n",
        "the smallest error of a special function is reported as the largest",
    ),
    Mutant(
        "arithmetic/roundings/special_measurement.py",
        "if limits.zeros else np.zeros(x.size)",
        "if not limits.zeros else np.zeros(x.size)",
        "near a zero of a special function no absolute error is allowed",
    ),
    # numeric/
    Mutant(
        "numeric/array_differences.py",
        "(at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1))",
        "(at(1, 1) - at(1, -1) - at(-1, 1) - at(-1, -1))",
        "mixed second differences have a wrong sign",
    ),
    Mutant(
        "numeric/array_differences.py",
        "stacked = np.stack([np.asarray(column) for column in columns], axis=-1)",
        "stacked = np.stack([np.asarray(column) for column in columns], axis=0)",
        "Jacobians are transposed",
    ),
    Mutant(
        "numeric/quotients.py",
        "    for _ in range(stencil.derivative - 1):\n",
        "    for _ in range(stencil.derivative - 2):\n",
        "second differences are divided by h",
    ),
    Mutant(
        "numeric/quotients.py",
        "product = value if factor == 1 else -value if factor == -1",
        "product = value if factor in (1, -1)",
        "a weight -1 that comes first is taken for 1",
    ),
    Mutant(
        "numeric/step_rules.py",
        '"central": (2, 1.0)}',
        '"central": (1, 1.0)}',
        "central differences get the steps of forward differences",
    ),
    Mutant(
        "numeric/step_rules.py",
        "return task.chosen(root * max(1.0, abs(task.samples.x)))",
        "return task.chosen(root * abs(task.samples.x))",
        "at 0 the scaled step is 0",
    ),
    Mutant(
        "numeric/weights.py",
        "        before = product\n",
        "        before = before\n",
        "weights of three offsets and more are wrong",
    ),
    Mutant(
        "numeric/weights.py",
        "        if b <= 0:\n",
        "        if b < 0:\n",
        "Peano's constant of backward differences lacks a piece: their bound is wrong",
    ),
    # compare/
    Mutant(
        "verdict/check_directional.py",
        "return np.array([np.sum(v * problem.flatten(called(problem.gradient, point, *problem.args)))])",
        "return np.array([np.abs(v) @ problem.flatten(called(problem.gradient, point, *problem.args))])",
        "right gradients of functions that cannot be traced are wrong along directions",
    ),
    Mutant(
        "verdict/check_directional.py",
        "rooms = np.minimum(upper - problem.x, problem.x - lower) / np.abs(vectors)",
        "rooms = np.maximum(upper - problem.x, problem.x - lower) / np.abs(vectors)",
        "evaluations along directions leave the box",
    ),
    Mutant(
        "certify/higher.py",
        "if bits >= TIE_BITS else None\n            if rational:",
        "if bits >= TIE_BITS else None\n            if rational and False:",
        "a relative error halfway between two floats is undecided",
    ),
    Mutant(
        "arithmetic/running_error.py",
        'if math.isfinite(ulps) else "arb.nan()"',
        'if math.isfinite(ulps) else "arb(0)"',
        "special functions of float16 and float32 seem not to round",
    ),
    Mutant(
        "certify/higher.py",
        "[derivative] * math.factorial(derivative)",
        "[derivative]",
        "higher derivatives lack the factorial",
    ),
    Mutant(
        "certify/higher.py",
        "return other.is_finite() and not other.overlaps(value)",
        "return False",
        "no second route checks higher derivatives",
    ),
    Mutant(
        "sweeps/rule_errors.py",
        'noise / 2, float(group["predicted_h"])',
        'noise, float(group["predicted_h"])',
        "rules are given twice the noise of a value",
    ),
    Mutant(
        "sweeps/rule_errors.py",
        "ratio = error / best if best > 0",
        "ratio = best / error if error > 0",
        "a rule that is ten times worse than the best step is said to be ten times better",
    ),
    Mutant(
        "arithmetic/watched.py",
        "return bool(order == nearest) or bool(abs(order - nearest) > _NEARLY_WHOLE)",
        "return True",
        "orders that are nearly whole are asked in this process",
    ),
    Mutant(
        "arithmetic/watched.py",
        '"balls": arb.nan,',
        '"balls": lambda: arb(0),',
        "what a child cannot answer in time is 0",
    ),
    Mutant(
        "arithmetic/watched_answers.py",
        "table, name, flint.ctx.prec, flint.ctx.cap, operands = request",
        "table, name, _, flint.ctx.cap, operands = request",
        "a child answers at a precision of its own",
    ),
    Mutant(
        "arithmetic/watched_answers.py",
        "(*map(decoded, operands))",
        "(*map(decoded, reversed(operands)))",
        "a child takes the order of a Bessel function for its argument",
    ),
)
