"""Planted bugs in program/ and numeric/."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    # operations
    Mutant(
        "program/operations.py",
        "lambda y, a, b: (a / y, b / y)",
        "lambda y, a, b: (b / y, a / y)",
        "the partial derivatives of hypot are swapped",
    ),
    Mutant(
        "program/operations.py",
        'return p * x.apply("power", p - 1), y',
        'return p * x.apply("power", p), y',
        "the exponent of a power is not lowered",
    ),
    Mutant(
        "program/operations.py",
        "return b / square, -(a / square)",
        "return b / square, a / square",
        "the sign of the second partial derivative of atan2",
    ),
    Mutant(
        "program/operations.py",
        '"csch": lambda x: x.constant(1).apply("divide", x.apply("sinh"))',
        '"csch": lambda x: x.constant(1).apply("divide", x.apply("cosh"))',
        "csch is computed as sech",
    ),
    Mutant(
        "program/operations.py",
        "(x > 0) * abs(x) ** (1 / 3) - (x < 0) * abs(x) ** (1 / 3)",
        "(x > 0) * abs(x) ** (1 / 3) + (x < 0) * abs(x) ** (1 / 3)",
        "cube roots of negative numbers are positive in namespaces without cbrt",
    ),
    # dag
    Mutant(
        "program/dag.py",
        "            return values[0] - values[1]\n",
        "            return values[1] - values[0]\n",
        "differences of constants have the wrong sign",
    ),
    Mutant(
        "program/dag.py",
        "        if self.value == 0:\n            return -other\n",
        "        if self.value == 0:\n            return other\n",
        "0 - x becomes x in derivatives",
    ),
    Mutant(
        "program/dag.py",
        "        if other.value == -1:\n            return -self\n",
        "        if other.value == -1:\n            return self\n",
        "x / -1 becomes x in derivatives",
    ),
    # adjoint
    Mutant(
        "program/adjoint.py",
        '(second, condition.apply("select", zero, bar))',
        '(second, condition.apply("select", bar, zero))',
        "the second branch has the derivative of the first condition",
    ),
    Mutant(
        "program/adjoint.py",
        "contribution if held is None else held + contribution",
        "contribution",
        "of a value that is used several times one use counts",
    ),
    Mutant(
        "program/adjoint.py",
        'return bar.apply("not_equal", zero).apply("select", product, zero)',
        "return product",
        "a branch that is not taken, and is undefined, spoils the derivative",
    ),
    # run
    Mutant(
        "program/run.py",
        "(condition if way is None else first if way else second,)",
        "(condition if way is None else second if way else first,)",
        "the branch that is not taken is run",
    ),
    Mutant(
        "program/run.py",
        "return known[ref(program)][further]",
        "return next(iter(known[ref(program)].values()))",
        "what is kept for one dtype is given for another",
    ),
    # code
    Mutant(
        "program/code.py",
        "results = [names[i] for i in program.outputs] + list(extras)",
        "results = [names[i] for i in sorted(program.outputs)] + list(extras)",
        "outputs come in the order of the nodes: partial derivatives are swapped",
    ),
    Mutant(
        "program/code.py",
        "if switch and not gates.get(index, False):",
        "if switch and index < output and not gates.get(index, False):",
        "a corner in the last operation is overlooked: |x| has the derivative 0 at 0",
    ),
    # degree
    Mutant(
        "program/degree.py",
        "return sum(known)\n",
        "return max(known)\n",
        "x*x counts as linear: its truncation error is said to be 0",
    ),
    Mutant(
        "program/degree.py",
        'case "divide" if known[1] == 0:',
        'case "divide":',
        "x/(1 + x) counts as linear: its truncation error is said to be 0",
    ),
    # printing
    Mutant(
        "program/printing.py",
        "left if k == 0 else precedence + 1",
        "left if k == 0 else precedence",
        "x - (y - z) is shown as x - y - z",
    ),
    Mutant(
        "program/printing.py",
        'left = precedence + (node.operation in ("power", "negative"))',
        "left = precedence",
        "(x**y)**z is shown as x**y**z",
    ),
    Mutant(
        "program/printing.py",
        "places = max(places, count)",
        "places = count",
        "0.25 is shown as another number",
    ),
    # numeric
    Mutant(
        "floats.py",
        "np.longdouble if values.dtype == np.longdouble else np.float64",
        "np.float64",
        "longdouble is rounded to float64 without a word",
    ),
    Mutant(
        "floats.py",
        "return math.inf if number > 0 else -math.inf",
        "return math.nan",
        "a whole number beyond the floats that a function returns is no number",
    ),
    Mutant(
        "numeric/differences.py",
        "if value.size != 1:",
        "if value.size < 1:",
        "a gradient of an array is refused by NumPy's words",
    ),
    Mutant(
        "numeric/differences.py",
        "    copy = np.array(values, dtype=np.result_type(values, value))\n",
        "    copy = values\n",
        "the point moves while the gradient is formed",
    ),
    Mutant(
        "numeric/quotients.py",
        "return x + h if offset > 0 else x - h",
        "return x + h",
        "central differences have both values at x + h",
    ),
    Mutant(
        "numeric/stencils.py",
        "return moment(self.offsets, self.weights, m + self.derivative)",
        "return moment([abs(o) for o in self.offsets], self.weights, m + self.derivative)",
        "the central difference has an error of order 1, in bounds and predictions",
    ),
    Mutant(
        "numeric/stencils.py",
        "order = next(p for p in range(1,",
        "order = next(p for p in range(2,",
        "the column order says 2 for the forward difference",
    ),
    Mutant(
        "numeric/stencils.py",
        'sign = 1 if kind == "forward" else -1',
        "sign = 1",
        "the backward difference is the forward one",
    ),
    Mutant(
        "numeric/steps.py",
        "return np.unique(values)[::-1].copy()",
        "return np.unique(values)",
        "rows come with ascending steps",
    ),
    Mutant(
        "numeric/steps.py",
        "return truncation + rounding + moved",
        "return truncation + rounding",
        "predicted errors lack the part of the noise that grows with h",
    ),
    Mutant(
        "numeric/steps.py",
        "step = np.where(silent, h_min, np.where(exact, h_max, step))",
        "step = np.where(silent, h_max, np.where(exact, h_max, step))",
        "without any noise the largest step is called best",
    ),
    Mutant(
        "numeric/steps.py",
        "high, low = np.where(go_down, upper, high), np.where(go_down, low, lower)",
        "high, low = np.where(go_down, high, upper), np.where(go_down, lower, low)",
        "the best step is looked for on the wrong side, so it stays on the grid",
    ),
    # the derivative of a black box
    Mutant(
        "numeric/differentiate.py",
        "max(found.error, ladder.contradiction(found))",
        "found.error",
        "an answer that finer scales contradict has a small error",
    ),
    Mutant(
        "numeric/differentiate.py",
        "share = _STEPPED_SHARE if ladder.stepped else 0.5",
        "share = 0.0 if ladder.stepped else 0.0",
        "an answer without a certain digit is given as ok",
    ),
    Mutant(
        "numeric/differentiate.py",
        "gap = below.contradiction(found)",
        "gap = 0.0",
        "a staircase has the slope that it has from afar",
    ),
    Mutant(
        "numeric/scales.py",
        "unit = max(self.unit, self.unit * jump / above[0].rounding)",
        "unit = max(self.unit, 0.0)",
        "the error of what is computed in float32 is that of its values near x, however large they are farther away",
    ),
    Mutant(
        "numeric/extrapolation.py",
        "weight /= (1 - pair.h / other.h) * (1 + pair.h / other.h)",
        "weight /= 1 - pair.h / other.h",
        "the extrapolation takes an error of h for one of h²: its value is wrong",
    ),
    Mutant(
        "numeric/extrapolation.py",
        "truncation=2 * change",
        "truncation=0.0",
        "the error estimate lacks the truncation",
    ),
    Mutant(
        "numeric/extrapolation.py",
        "corner=max(0.0, abs(corner) - doubt) / 2",
        "corner=0.0",
        "a corner that central differences do not show has no error",
    ),
    Mutant(
        "numeric/scales.py",
        "if first < 0.1:",
        "if first < 1.1:",
        "a kink is called a jump",
    ),
    Mutant(
        "numeric/scales.py",
        "left, right = -pair.fall / pair.h, pair.rise / pair.h",
        "left, right = pair.fall / pair.h, pair.rise / pair.h",
        "the left slope at a kink has the wrong sign",
    ),
    Mutant(
        "numeric/samples.py",
        "return (self.rise - self.fall) / 2 / self.h",
        "return (self.rise - self.fall) / self.h",
        "derivatives of black boxes are twice too large",
    ),
    Mutant(
        "numeric/samples.py",
        "grain = math.ulp(abs(self.x) + h)",
        "grain = math.ulp(h)",
        "abscissae are rounded, and the slope is that of another step",
    ),
)
