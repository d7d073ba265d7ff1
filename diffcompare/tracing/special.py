"""Traced special functions: nodes of the table, under the names of SciPy, ``math`` and NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from diffcompare.errors import UnsupportedFunction
from diffcompare.program.dag import Term
from diffcompare.program.special_functions import NAMED, named_term
from diffcompare.tracing.array import elementwise
from diffcompare.tracing.refusals import refuse
from diffcompare.tracing.scalar import TracedScalar, lift
from diffcompare.tracing.table import Table

__all__ = ["TRACED", "traced_special"]

# names of NAMED that SciPy, NumPy and math do not have, or mean otherwise
_OTHERS = {"LambertW", "lambertw", "E1", "Ei", "Si", "Ci", "li", "Heaviside", "heaviside", "sinc", "np.sinc", "expint"}
# name there -> name in the table
TRACED: Mapping[str, str] = {name: name for name in NAMED if name not in _OTHERS}

Floats = Callable[..., Any]


def traced_special(table: Table, name: str, floats: Floats, inputs: tuple[Any, ...]) -> Any:
    """Apply a special function to traced numbers, element by element.

    Parameters
    ----------
    table : Table
    name : str
        A name of the operations table.
    floats : callable
        What the code runs, on floats.
    inputs : tuple
        Its arguments; where they are parameters, numbers of the code are exact constants.
    """
    build = table.builder
    # SciPy does not compute polynomials by the recurrence that they are written by
    table.eliminations += name.startswith("eval_")

    def constant(number: TracedScalar) -> Term:
        return Term(build, number.index if number.moving else build.constant(Fraction(number.shadow)))

    def rule(*row: Any) -> TracedScalar:
        numbers = [lift(v, table) for v in row]
        try:
            try:
                result = named_term(name, [Term(build, number.index) for number in numbers])
            except UnsupportedFunction:
                # a parameter that was computed, or rounded
                result = named_term(name, [constant(number) for number in numbers])
        except UnsupportedFunction as error:
            raise refuse(f"{name} of traced values", str(error), "use another function") from None
        # SciPy takes the degree of some polynomials as a whole number alone
        plain = (
            int(number.shadow) if not number.moving and number.shadow.is_integer() else number.shadow
            for number in numbers
        )
        shadow = float(floats(*plain))
        table.adopt()
        table.shadows[result.index] = shadow
        return TracedScalar(table, result.index, shadow)

    return elementwise(table, rule, inputs)
