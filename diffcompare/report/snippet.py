"""The lines of Python that make a page's numbers again."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from functools import lru_cache
from textwrap import wrap

import pandas as pd

from diffcompare.tables.schema import complete, read_point

__all__ = ["reproduce"]


def reproduce(*, name: str, formula: str, variables: Sequence[str], rows: pd.DataFrame) -> str:
    """Write the program that repeats the comparison of one function; '' if its points cannot be read.

    Every text goes in by its repr, so a name is only ever a string of that program.
    """
    try:
        points = [list(read_point(point).values()) for point in rows["point"].astype(str).unique()]
    except ValueError:  # not the text of a point: the table did not come from us
        return ""
    schemes = [str(scheme) for scheme in rows["scheme"].unique()]
    steps = sorted((float(h) for h in rows["h"].unique() if h > 0), reverse=True)
    order, dtype = int(complete(rows)["derivative"].iloc[0]), str(rows["dtype"].iloc[0])
    if any("[" in scheme for scheme in schemes):  # a stencil made by hand, of which the table has only the name
        return ""
    options = [f"schemes={schemes!r}", f"steps={_steps(tuple(steps))}"]
    if order != 1:
        options.append(f"derivative={order}")
    if dtype not in ("", "float64"):
        options.append(f"dtype={dtype!r}")
    lines = [
        "import diffcompare as dc",
        "",
        f"f = dc.parse({formula!r}, variables={list(variables)!r}, name={name!r})",
        "table = dc.sweep(",
        "    f,",
        *_wrapped(f"{points!r},"),
        *(line for option in options for line in _wrapped(f"{option},")),
        ")",
        'dc.write_report(table, "report")',
    ]
    return "\n".join(lines)


def _wrapped(argument: str) -> list[str]:
    """Break a long list of numbers over lines; texts hold no spaces where it would break them."""
    if len(argument) < 100 or "'" in argument:
        return [f"    {argument}"]
    return wrap(argument, 100, initial_indent="    ", subsequent_indent="        ", break_long_words=False)


@lru_cache(16)  # most functions of a report are compared at the same steps
def _steps(steps: tuple[float, ...]) -> str:
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
