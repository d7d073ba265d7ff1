"""The lines of Python that make a page's numbers again."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

import pandas as pd

from diffcompare.compare.schema import read_point

__all__ = ["reproduce"]


def reproduce(*, name: str, formula: str, variables: Sequence[str], rows: pd.DataFrame) -> str:
    """Write the program that repeats the comparison of one function.

    Every text goes in by its repr, so a name is only ever a string of that program.
    """
    points = [list(read_point(point).values()) for point in rows["point"].astype(str).unique()]
    schemes = [str(scheme) for scheme in rows["scheme"].unique()]
    steps = sorted((float(h) for h in rows["h"].unique()), reverse=True)
    dtype = str(rows["dtype"].iloc[0])
    options = [f"schemes={ascii(schemes)}", f"steps={_steps(steps)}"]
    if dtype not in ("", "float64"):
        options.append(f"dtype={dtype!r}")
    lines = [
        "import diffcompare as dc",
        "",
        f"f = dc.parse({ascii(formula)}, variables={ascii(list(variables))}, name={ascii(name)})",
        "table = dc.sweep(",
        "    f,",
        f"    {points!r},",
        *(f"    {option}," for option in options),
        ")",
        'dc.write_report(table, "report")',
    ]
    return "\n".join(lines)


def _steps(steps: Sequence[float]) -> str:
    """Name the geometric sequence where it is one, else list the numbers."""
    for per_decade in range(1, 13):
        if len(steps) > 2 and list(steps) == _geometric(steps[0], len(steps), per_decade):
            return f"dc.geometric_steps({steps[0]!r}, {steps[-1]!r}, per_decade={per_decade})"
    return repr(list(steps))


def _geometric(largest: float, count: int, per_decade: int) -> list[float]:
    with localcontext() as context:
        context.prec = 60
        ratio = Decimal(10) ** (Decimal(-1) / per_decade)
        first = Decimal(repr(largest))
        return [float(first * Decimal(10) ** -(k // per_decade) * ratio ** (k % per_decade)) for k in range(count)]
