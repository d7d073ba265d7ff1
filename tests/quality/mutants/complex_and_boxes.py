"""Planted bugs in the complex step and in stencils at the sides of a box."""

from __future__ import annotations

from .mutant import Mutant

__all__ = ["MUTANTS"]

MUTANTS = (
    Mutant(
        "program/analytic.py",
        "ANALYTIC = named(Kind.ANALYTIC)\n",
        'ANALYTIC = named(Kind.ANALYTIC) | {"abs"}\n',
        "the complex step of |x| is answered instead of refused",
    ),
    Mutant(
        "program/analytic.py",
        "ANALYTIC = named(Kind.ANALYTIC)\n",
        'ANALYTIC = named(Kind.ANALYTIC) - {"exp"}\n',
        "the complex step of exp is refused",
    ),
    Mutant(
        "numeric/complex_step.py",
        "        return value.imag / h\n",
        "        return value.real / h\n",
        "the complex step is the value, not the slope",
    ),
    Mutant(
        "numeric/complex_step.py",
        '            warnings.simplefilter("error", np.exceptions.ComplexWarning)\n',
        '            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)\n',
        "code that drops the imaginary part gets a slope that is wrong",
    ),
    Mutant(
        "numeric/boxes.py",
        "if all(lower <= t <= upper for offset",
        "if all(t <= upper for offset",
        "f is evaluated below the lower side of a box",
    ),
    Mutant(
        "numeric/boxes.py",
        'suffix = "" if chosen.order == 1 else str(chosen.order)',
        'suffix = ""',
        "near a side of a box the difference loses its order of accuracy",
    ),
    Mutant(
        "arithmetic/complex_balls.py",
        '    "log1p": _beyond(-1),\n',
        '    "log1p": _beyond(0),\n',
        "the complex step of log1p is refused where it applies",
    ),
    Mutant(
        "arithmetic/complex_balls.py",
        "    found: Ball = interpret(program, leaf, apply)[program.outputs[0]].imag\n",
        "    found: Ball = interpret(program, leaf, apply)[program.outputs[0]].real\n",
        "the parts of the error of a complex step are those of the value",
    ),
    Mutant(
        "sweeps/complex_rows.py",
        "evaluation = round_ball((ball(value) - exact) / width)",
        "evaluation = round_ball((exact - ball(value)) / width)",
        "the evaluation error of a complex step has the other sign",
    ),
    Mutant(
        "tables/schema.py",
        'wanted = list(schemes) if column == "scheme" else labels.categories.tolist()',
        "wanted = labels.categories.tolist()",
        "rows of the complex step stand before the other schemes whatever the order asked for",
    ),
    Mutant(
        "sweeps/complex_rows.py",
        "(Fraction(quotient) - Fraction(value) / Fraction(h))",
        "(Fraction(value) / Fraction(h) - Fraction(quotient))",
        "the division error of a complex step has the other sign",
    ),
    Mutant(
        "numeric/boxes.py",
        "return abscissa(x, offset, h), Fraction(*x.as_integer_ratio()) + offset * Fraction(*h.as_integer_ratio())",
        "return abscissa(x, offset, h), Fraction(float(abscissa(x, offset, h)))",
        "an abscissa outside that rounds to the side of a box is taken, and the row is out of the domain",
    ),
    Mutant(
        "sweeps/box_stencils.py",
        "(near[1] <= upper[grid.directions])",
        "(x <= upper[grid.directions])",
        "a sweep leaves its box at the upper side",
    ),
    Mutant(
        "sweeps/box_stencils.py",
        "steps=grid.steps[list(run)])",
        "steps=grid.steps[list(run)[:1]])",
        "near a side of a box rows are missing",
    ),
    Mutant(
        "sweeps/box_stencils.py",
        "stencils=list(stencils), ranges=ranges,",
        "stencils=list(stencils),",
        "near a side of a box the best step is sought among some steps alone",
    ),
    Mutant(
        "sweeps/box_stencils.py",
        "directions=[i]), lower[i], upper[i])",
        "directions=[i]), lower[0], upper[0])",
        "every variable has the sides of the first",
    ),
    Mutant(
        "sweeps/predictions.py",
        "series = np.where(np.array(coefficients)[None, None] == 0, 0.0, series)",
        "series = np.where(series == 0, 0.0, series)",
        "no best step is predicted where a derivative that the scheme does not meet is infinite",
    ),
    Mutant(
        "numeric/complex_step.py",
        "    z.real, z.imag = x, imaginary\n",
        "    z.real, z.imag = x + imaginary, imaginary\n",
        "the complex step is taken beside the point",
    ),
    Mutant(
        "numeric/array_differences.py",
        "complex_abscissa(values, t.imag * along)",
        "complex_abscissa(values, t.imag)",
        "a slope by complex step is that along the ones, whatever the direction",
    ),
    Mutant(
        "arithmetic/gaussian.py",
        "self.real * other.real - self.imag * other.imag,",
        "self.real * other.real + self.imag * other.imag,",
        "ties of the complex step are decided by products with i² = 1",
    ),
    Mutant(
        "arithmetic/gaussian.py",
        "other.real / size, -other.imag / size",
        "other.real / size, other.imag / size",
        "ties of the complex step are decided by wrong quotients",
    ),
    Mutant(
        "arithmetic/complex_balls.py",
        "return z.ei() if z.real > 0 else",
        "return z.ei() if z.real < 0 else",
        "Ei is continued from the other side of 0",
    ),
    Mutant(
        "numeric/step_rules.py",
        "    h = 1e-20\n",
        "    h = 1e-2\n",
        "the complex step is judged at a step that nobody takes",
    ),
    Mutant(
        "sweeps/rule_errors.py",
        "        z[self.i] = t\n",
        "        z[0] = t\n",
        "the rule of the complex step differentiates in the first variable alone",
    ),
)
